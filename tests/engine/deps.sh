#!/bin/sh
# Installs from Debian what the tests with real Docker need. Not a part of `make deps`: it is big, and little needs it.
set -eu
if ! command -v apt-get >/dev/null; then
    echo "deps: this needs Debian 12 or a relative of it (apt-get)" >&2
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive
missing=
for p in docker.io debootstrap busybox-static tini python3 python3-pytest util-linux; do
    dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing="$missing $p"
done
[ -z "$missing" ] && exit 0
# No package may start a daemon on this machine: the tests start their own.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
    trap 'rm -f "$policy"' EXIT
fi
apt-get update -qq
# shellcheck disable=SC2086
apt-get install -y -qq --no-install-recommends $missing
