#!/bin/sh
# Writes a tar of a small Debian 12 to stdout, from the mirror that apt uses here. usage: debian.sh DIR PACKAGE...
# Then DIR becomes a repository that holds these packages and all that they need there: who has it needs no network.
# Run it with mount and pid namespaces of its own: the tree stands on a tmpfs that ends with them.
set -eu
packages=$1
shift
suite=bookworm
mirror=$(apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(COMPONENT)' 'Created-By: Packages' |
    awk -v suite=$suite '$2 == suite && $3 == "main" { print $1; exit }')
mount -t tmpfs tmpfs /mnt
debootstrap --variant=minbase $suite /mnt/debian "${mirror:-http://deb.debian.org/debian}" >&2
rm -rf /mnt/debian/var/cache/apt /mnt/debian/var/lib/apt/lists
tar -C /mnt/debian -c .
exec >&2

# This machine's apt, with its sources and none of its locks, asked what that tree lacks.
apt() {
    apt-get -qq -o Dir::State::status=/mnt/debian/var/lib/dpkg/status -o Dir::State::lists=/mnt/lists \
        -o Dir::Cache=/mnt -o Dir::Cache::archives="$packages" -o APT::Sandbox::User=root "$@"
}
mkdir -p /mnt/lists/partial "$packages/partial"
apt update
apt install -y --no-install-recommends --download-only "$@"
cd "$packages"
rm -rf lock partial
for deb in *.deb; do
    dpkg-deb -f "$deb"
    printf 'Filename: ./%s\nSize: %s\n' "$deb" "$(stat -c %s "$deb")"
    printf 'SHA256: %s\n\n' "$(sha256sum <"$deb" | cut -d' ' -f1)"
done >Packages
