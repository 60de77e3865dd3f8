#!/bin/sh
# Hands the path of the savepoint to the jobmanager, as a variable. Fails if the checkpoint holds none.
set -eu
path=$(sed -n 's/^Savepoint completed\. Path: //p' "$LASTCALL_CHECKPOINT_DIR/output")
[ -n "$path" ]
echo "SAVEPOINT='$path'" >/srv/flink/savepoint.env
