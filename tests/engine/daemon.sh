#!/bin/sh
# A dockerd that can leave nothing behind. usage: daemon.sh SOCKET CGROUP [OPTION...]
#
# Run it with mount, pid and net namespaces of its own (engine.py does). All that it starts ends with the pid
# namespace, and all that it writes, images and containers too, stands on a tmpfs that ends with the mount namespace.
set -eu
socket=$1 cgroup=$2
shift 2
mount -t tmpfs -o mode=755 tmpfs /run
# dockerd keeps a key in /etc, containerd directories in /opt; neither has an option for it.
for dir in etc opt; do
    mkdir -p "/run/over/$dir/new" "/run/over/$dir/work"
    mount -t overlay -o "lowerdir=/$dir,upperdir=/run/over/$dir/new,workdir=/run/over/$dir/work" overlay "/$dir"
done
echo '{}' >/run/daemon.json
exec tini -- dockerd --config-file /run/daemon.json --host "unix://$socket" --data-root /run/data \
    --exec-root /run/exec --pidfile /run/dockerd.pid --exec-opt native.cgroupdriver=cgroupfs \
    --cgroup-parent "$cgroup" --bridge none --iptables=false --ip6tables=false "$@"
