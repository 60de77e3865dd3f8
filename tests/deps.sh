#!/bin/sh
# Installs from Debian what building, testing and the demo need.
set -eu
if ! command -v apt-get >/dev/null; then
    echo "deps: this needs Debian 12 or a relative of it (apt-get)" >&2
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive
packages="gcc clang libclang-rt-14-dev make binutils musl-tools libc6-dev linux-libc-dev libcap-dev
    libinih-dev libmd-dev libcriterion-dev python3 python3-pytest python3-pytest-xdist
    util-linux iproute2 procps strace stress-ng nginx-light haproxy wrk tini dumb-init catatonit
    mandoc man-db busybox-static"
missing=
for p in $packages; do
    dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing="$missing $p"
done
[ -z "$missing" ] && exit 0
# A package must not start its service on this machine.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
    trap 'rm -f "$policy"' EXIT
fi
apt-get update -qq
# shellcheck disable=SC2086
apt-get install -y -qq --no-install-recommends $missing
