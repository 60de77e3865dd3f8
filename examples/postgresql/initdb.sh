#!/bin/sh
# Makes an empty cluster where there is none and none was restored. It gets its name last: one cut short is none.
set -eu
data=/srv/postgres/data
[ ! -e $data ] || exit 0
rm -rf $data.new
initdb -D $data.new --auth-local=peer --auth-host=scram-sha-256
mv $data.new $data
