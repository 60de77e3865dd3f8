#!/bin/sh
# Takes jobs out of ./queue, one at a time. A job is a file that holds the seconds it takes.
set -eu
mkdir -p queue state
rm -f state/paused state/idle
trap 'echo "worker: bye"; exit 0' TERM
while :; do
    job=$(find queue -type f | head -n 1)
    if [ -e state/paused ]; then
        touch state/idle
        sleep 0.2
    elif [ -n "$job" ]; then
        echo "worker: begins $job"
        sleep "$(cat "$job")"
        rm -f "$job"
        echo "worker: has done $job"
    else
        sleep 0.2
    fi
done
