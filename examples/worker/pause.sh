#!/bin/sh
# Tells the worker to take no new job, and waits until it is idle.
set -eu
rm -f state/idle
touch state/paused
until [ -e state/idle ]; do
    sleep 0.1
done
