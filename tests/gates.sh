#!/bin/sh
# Two gates that every build passes: the pure rooms ask the system for nothing, and the binary is what
# the README says it is. usage: gates.sh PURE_ARCHIVE BINARY
set -eu
archive=$1 binary=$2
limit=256000 # 250 KB, with everything in

# What the pure rooms may call: string.h, the compiler's own helpers, each other, and inih.
allowed='^(mem(cpy|move|set|cmp|chr|rchr)|str(len|cmp|ncmp|chr|rchr|nlen|cpy|ncpy|spn|cspn|str|pbrk|casecmp|ncasecmp)|__.*_chk|__stack_chk_fail|_GLOBAL_OFFSET_TABLE_|ini_.*|__(asan|ubsan)_.*)$'
defined=$(nm --defined-only "$archive" 2>/dev/null | awk 'NF == 3 { print $3 }' | sort -u)
foreign=$(nm -u "$archive" 2>/dev/null | awk 'NF == 2 { print $2 }' | sort -u |
    grep -vxF "$defined" | grep -vE "$allowed" || true)
if [ -n "$foreign" ]; then
    echo "gate: src/model, core, conf or text calls what is not pure:" $foreign >&2
    exit 1
fi

size=$(stat -c %s "$binary")
if [ "$size" -gt "$limit" ] && [ -z "${GATE_ANY_SIZE:-}" ]; then
    echo "gate: $binary has $size bytes, more than $limit" >&2
    exit 1
fi
if readelf -l "$binary" | grep -q INTERP; then
    echo "gate: $binary is not static" >&2
    exit 1
fi
echo "gates: pure rooms are pure; $binary is static, $size bytes"
