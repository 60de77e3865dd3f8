#!/bin/sh
# apt.sh PACKAGE...: installs from Debian those that are missing.
set -eu
if ! command -v apt-get >/dev/null; then
    echo "deps: this needs Debian 12 or a relative of it (apt-get)" >&2
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive
missing=
for p in "$@"; do
    dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing="$missing $p"
done
[ -z "$missing" ] && exit 0
# No package may start its service on this machine: the tests start their own.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
    trap 'rm -f "$policy"' EXIT
fi
apt-get update -qq
# shellcheck disable=SC2086
apt-get install -y -qq --no-install-recommends $missing
