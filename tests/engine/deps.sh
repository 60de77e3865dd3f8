#!/bin/sh
# Installs from Debian what the tests with real engines and a real browser need. Not in `make deps`: few need so much.
exec sh "$(dirname "$0")/../apt.sh" docker.io podman catatonit debootstrap busybox-static tini python3 python3-pytest \
    util-linux chromium
