#!/bin/sh
# Stands in for a Flink taskmanager: it has nothing to do.
exec sleep infinity
