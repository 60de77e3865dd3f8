#!/bin/sh
# Installs from Debian what the tests with real Docker and a real browser need. Not a part of `make deps`: it is big, and little needs it.
exec sh "$(dirname "$0")/../apt.sh" docker.io debootstrap busybox-static tini python3 python3-pytest util-linux \
    chromium
