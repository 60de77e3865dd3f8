#!/bin/sh
# A podman that can leave nothing behind, with an init of our choice. usage: podman.sh SOCKET CGROUP INIT
#
# As daemon.sh: run it with namespaces of its own. INIT is called catatonit; it is what `run --init` starts, and what
# the first container of a pod is made of.
set -eu
socket=$1 init=$3
mount -t tmpfs -o mode=755 tmpfs /run
for dir in etc var; do
    mkdir -p "/run/over/$dir/new" "/run/over/$dir/work"
    mount -t overlay -o "lowerdir=/$dir,upperdir=/run/over/$dir/new,workdir=/run/over/$dir/work" overlay "/$dir"
done
mkdir -p /run/tmp
# A machine may give us less than podman gives its containers.
cat >"${socket%/*}/containers.conf" <<END
[containers]
netns = "host"
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
init_path = "$init"
helper_binaries_dir = ["${init%/*}"]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"
END
export CONTAINERS_CONF="${socket%/*}/containers.conf" TMPDIR=/run/tmp
exec tini -- podman --root /run/data --runroot /run/state --tmpdir /run/libpod --storage-driver overlay \
    system service --time 0 "unix://$socket"
