#!/bin/sh
# Takes a savepoint. At a stop the job ends with it: nothing is read between the savepoint and the end.
set -eu
. ./job.env
case $LASTCALL_CAUSE in
schedule | request | signal) exec flink savepoint "$JOB_ID" "$SAVEPOINTS" ;;
*) exec flink stop --savepointPath "$SAVEPOINTS" "$JOB_ID" ;;
esac
