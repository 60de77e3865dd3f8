#!/bin/sh
# Writes a tar of a small Debian 12 to stdout, from the mirror that apt uses here. Run it with mount and pid
# namespaces of its own: the tree stands on a tmpfs that ends with them.
set -eu
suite=bookworm
mirror=$(apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(COMPONENT)' 'Created-By: Packages' |
    awk -v suite=$suite '$2 == suite && $3 == "main" { print $1; exit }')
mount -t tmpfs tmpfs /mnt
debootstrap --variant=minbase $suite /mnt/debian "${mirror:-http://deb.debian.org/debian}" >&2
rm -rf /mnt/debian/var/cache/apt /mnt/debian/var/lib/apt/lists
tar -C /mnt/debian -c .
