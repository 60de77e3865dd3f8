#!/bin/sh
# Installs from Debian what building, testing and the demo need.
exec sh "$(dirname "$0")/apt.sh" gcc clang libclang-rt-14-dev llvm make binutils musl-tools libc6-dev linux-libc-dev \
    libcap-dev libinih-dev libmd-dev libcriterion-dev python3 python3-pytest python3-pytest-xdist \
    util-linux iproute2 procps strace stress-ng nginx-light haproxy wrk tini dumb-init catatonit \
    mandoc man-db busybox-static redis-server redis-tools libarchive-tools postgresql sqlite3
