#!/bin/sh
# Makes the cluster out of a base backup. It gets its name last: a restore that was cut short begins again.
set -eu
data=/srv/postgres/data
rm -rf $data.new
cp -a "$LASTCALL_CHECKPOINT_DIR/data" $data.new
sync -f $data.new
mv $data.new $data
