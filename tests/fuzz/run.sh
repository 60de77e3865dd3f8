#!/bin/sh
# One fuzz target for so many seconds; what it found stays in BUILD/corpus for the next time.
# usage: run.sh BUILD SECONDS NAME; with a fourth word, how much of the sources that it is for the corpus reaches
set -eu
build=$1 seconds=$2 name=$3 seeds=tests/fuzz/seeds/$3 corpus=$1/corpus/$3 log=$1/fuzz/$3.log
mkdir -p "$corpus"
if ! "$build/fuzz/$name" -max_total_time="$seconds" -print_final_stats=1 -verbosity=0 -artifact_prefix="$build/fuzz/$name-" \
    "$corpus" "$seeds" >"$log" 2>&1; then
    tail -40 "$log"
    exit 1
fi
echo "fuzz $name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs, no complaint"
[ $# -gt 3 ] || exit 0
rm -f "$build/cov/fuzz_$name".*.raw
LLVM_PROFILE_FILE=$build/cov/fuzz_$name.%m.raw "$build/cov/fuzz_$name" -runs=0 "$corpus" "$seeds" >"$log" 2>&1
# shellcheck disable=SC2046
/usr/bin/python3 tests/coverage.py "$build/cov" "fuzz_$name" $(sed -n 's|^ \* For: \(.*\) \*/$|\1|p' "tests/fuzz/fuzz_$name.c")
