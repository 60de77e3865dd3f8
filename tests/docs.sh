#!/bin/sh
# Fails when the documents and the program disagree. usage: docs.sh LASTCALL
#
# Compared both ways: options, keys by section, verbs, endpoints, variables of programs. Checked: each
# example of a configuration (man pages, README, examples/), the man pages' form, links.
set -u
export LC_ALL=C
lastcall=$(realpath "$1") || exit 1
cd "$(dirname "$0")/.." || exit 1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

complain() {
    echo "docs: $*" >&2
    failed=1
}

# The lines of one file that the other does not have. usage: missing FROM IN TEXT
missing() {
    sort -u "$work/$1" >"$work/$1.sorted"
    sort -u "$work/$2" >"$work/$2.sorted"
    [ -s "$work/$1" ] || complain "nothing was found: $1"
    comm -23 "$work/$1.sorted" "$work/$2.sorted" >"$work/missing"
    while IFS= read -r line; do
        complain "$line $3"
    done <"$work/missing"
}

# One section of a man page.
section() {
    awk -v want="$2" '/^\.Sh / { on = substr($0, 5) == want } on' "$1"
}

# ---- form ----
for page in man/*; do
    mandoc -T lint -W warning "$page" >"$work/lint" 2>&1 || {
        cat "$work/lint" >&2
        complain "$page is not clean"
    }
    for name in $(sed -n 's/^\.Xr \(lastcall[a-z.-]*\) \([0-9]\).*/\1.\2/p' "$page"); do
        [ -e "man/$name" ] || complain "$page names $name, which does not exist"
    done
done

# ---- options ----
"$lastcall" --help >"$work/help" || complain "--help exits with $?"
sed -n -E 's/^ *(-[a-zA-Z], )?(--[a-z-]+).*/\2/p' "$work/help" >"$work/help-options"
section man/lastcall.1 OPTIONS | sed -n -E 's/^\.It (Fl [a-zA-Z] , )?Fl -([a-z-]+).*/--\2/p' >"$work/man-options"
missing help-options man-options "is an option, and is not in lastcall(1)"
missing man-options help-options "is in lastcall(1), and is no option"
sed -n -E 's/^ *(-[a-zA-Z]), (--[a-z-]+).*/\1 \2/p' "$work/help" >"$work/help-letters"
section man/lastcall.1 OPTIONS | sed -n -E 's/^\.It Fl ([a-zA-Z]) , Fl -([a-z-]+).*/-\1 --\2/p' >"$work/man-letters"
missing help-letters man-letters "are one option, and not in lastcall(1)"
missing man-letters help-letters "are one option in lastcall(1) alone"

# ---- verbs, and the options that --help shows for them ----
awk 'tolower($1) ~ /^verbs/ { on = 1; next } /^[A-Za-z]/ { on = 0 } on && $1 ~ /^[a-z]+$/ { print $1 }' \
    "$work/help" >"$work/help-verbs"
section man/lastcall.1 VERBS | awk '$1 == ".It" && $2 == "Ic" {
    for (i = 3; i <= NF && ($i ~ /^[a-z]+$/ || $i == "|"); i++) if ($i != "|") print $i }' >"$work/man-verbs"
missing help-verbs man-verbs "is a verb, and is not in lastcall(1)"
missing man-verbs help-verbs "is in lastcall(1), and is no verb"
awk 'tolower($1) ~ /^verbs/ { on = 1; next } /^[A-Za-z]/ { on = 0 } on' "$work/help" |
    grep -oE -e '--[a-z-]+' >"$work/help-verb-options"
section man/lastcall.1 VERBS | grep -oE 'Fl -[a-z]+' | sed 's/Fl -/--/' >"$work/man-verb-options"
missing help-verb-options man-verb-options "is an option of a verb, and is not in lastcall(1)"

section man/lastcall.1 VERBS | awk '$1 == ".It" && $2 == "Ic" { verb = $3
    for (i = 4; i <= NF; i++) if ($i == "Fl" && $(i + 1) ~ /^-[a-z]/) print verb, "-" $(i + 1) }' >"$work/man-pairs"
while read -r verb option; do
    LASTCALL_CONTROL=$work/none "$lastcall" "$verb" "$option" >"$work/said" 2>&1 </dev/null
    grep -qE 'there is no (such )?option' "$work/said" && complain "lastcall(1): $verb has no option $option"
done <"$work/man-pairs"

# ---- keys: sections @ name @ type @ default @ flags @ words ----
cat >"$work/keys.c" <<'END'
#define KEY(id, sections, name, type, where, field, fallback, flags, letter, argument, help) \
    ROW @sections@name@type@fallback@flags@argument
#include "src/conf/keys.def"
END
${CC:-cc} -E -P -I. "$work/keys.c" | tr -d '\n' | sed 's/ROW @/\n/g' | tr -d '"' | sed 's/ *@ */@/g' |
    grep @ >"$work/keys"
awk -F@ '$3 != "LATER" && $1 != "0" {
    n = split($1, in_, / *\| */)
    for (i = 1; i <= n; i++) print tolower(in_[i]), $2 }' "$work/keys" >"$work/code-keys"
for kind in lastcall service drain checkpoint finish; do
    case $kind in
    drain | finish) title='THE SECTIONS [DRAIN] AND [FINISH]' ;;
    *) title="THE SECTION [$(echo $kind | tr a-z A-Z)]" ;;
    esac
    section man/lastcall.ini.5 "$title" >"$work/text-$kind"
    awk -v kind=$kind '$1 == ".It" && $2 == "Ic" && $4 == "=" { print kind, $3 }' "$work/text-$kind"
done | grep -v '^finish undo$' >"$work/man-keys"
missing code-keys man-keys "is a key, and is not in lastcall.ini(5)"
missing man-keys code-keys "is in lastcall.ini(5), and is no key"

# Words and defaults of a key stand in its item.
awk -F@ '$3 != "LATER" && $1 != "0" { split($1, in_, / *\| */); gsub(/ /, "_", $4); if ($4 == "NULL" || $4 == "") $4 = "-"; print tolower(in_[1]), $2, $3, $4, $6 }' \
    "$work/keys" >"$work/code-values"
while read -r kind name type default words; do
    awk -v name="$name" '/^\.It / { on = $3 == name && $4 == "=" } /^\.S[hs] /{ on = 0 } on' "$work/text-$kind" |
        tr ' ,()' '\n\n\n\n' >"$work/item"
    [ "$type" = WORD ] || words=
    for word in $(echo "$words" | tr '|' ' '); do
        grep -qxF "$word" "$work/item" || complain "lastcall.ini(5): $name has no word $word"
    done
    default=$(echo "$default" | tr '_' ' ')
    [ "$default" = - ] || sed 's/\.$//' "$work/item" | tr '\n' ' ' | grep -qF " $default " ||
        complain "lastcall.ini(5): $name does not say its default, $default"
done <"$work/code-values"

# What belongs to a later version is named as such, and refused by the program.
section man/lastcall.ini.5 'NOT IN THIS VERSION' | tr ' ,' '\n\n' >"$work/later"
awk -F@ '$3 == "LATER" { split($1, in_, / *\| */); print tolower(in_[1]), $2 }' "$work/keys" |
    while read -r kind name; do
        case $name in *-) name=${name}NAME ;; esac
        grep -qxF "$name" "$work/later" || echo "$name belongs to a later version, and lastcall.ini(5) does not say so"
    done >"$work/unsaid"
while IFS= read -r line; do complain "$line"; done <"$work/unsaid"

# The program itself knows every documented key: an empty value is refused, not the key.
while read -r kind name; do
    case $kind in lastcall) head='[lastcall]' ;; *) head="[$kind x]" ;; esac
    printf '%s\n%s =\n' "$head" "$name" >"$work/key.ini"
    "$lastcall" check "$work/key.ini" >"$work/said" 2>&1
    grep -qE "(no key|is no key of|not in this version)" "$work/said" &&
        complain "$kind $name is documented, but: $(head -n 1 "$work/said")"
done <"$work/man-keys"

# ---- endpoints ----
grep -hoE '"/[a-z]+/?"' src/net/*.c | tr -d '"' | sed 's,/$,,' >"$work/code-paths"
awk '$1 == ".It" && $2 == "Pa" || $1 == ".Pa" && $2 == "/prestop"' man/lastcall-http.7 | tr ' ' '\n' |
    grep '^/[a-z]' | sed 's,/$,,' >"$work/man-paths"
missing code-paths man-paths "is answered, and is not in lastcall-http(7)"
missing man-paths code-paths "is in lastcall-http(7), and is not answered"

# ---- variables that programs get ----
grep -hoE '"(LASTCALL_[A-Z_]+|NOTIFY_SOCKET)"' src/run/child.c | tr -d '"' >"$work/code-variables"
section man/lastcall.ini.5 ENVIRONMENT | sed -n 's/^\.It Ev //p' | tr -d ' ' | tr ',' '\n' >"$work/man-variables"
missing code-variables man-variables "is set for programs, and is not in lastcall.ini(5)"
missing man-variables code-variables "is in lastcall.ini(5), and is not set"

# ---- examples ----
awk -v to="$work/" '
    FNR == 1 { on = 0 }
    FILENAME ~ /\.md$/ && /^```ini$/ { on = 1; n++; file = to "example-" n ".ini"; print FILENAME ":" FNR > (file ".from"); next }
    FILENAME ~ /\.md$/ && /^```$/ { on = 0 }
    FILENAME !~ /\.md$/ && /^\.Bd -literal/ { on = 1; n++; file = to "example-" n ".ini"; print FILENAME ":" FNR > (file ".from"); next }
    FILENAME !~ /\.md$/ && /^\.Ed/ { on = 0 }
    on { gsub(/\\e/, "\\"); gsub(/\\&/, ""); gsub(/\\\(dq/, "\""); print > file }
' man/* README.md src/README.md examples/*/README.md
found=0
for ini in "$work"/example-*.ini examples/*/*.ini demo/*.ini; do
    grep -qE '^\[(lastcall\]|(service|drain|checkpoint|finish) )' "$ini" 2>/dev/null || continue
    found=$((found + 1))
    from=$ini
    [ -e "$ini.from" ] && from="$(cat "$ini.from")"
    for verb in "check --strict" plan; do
        # shellcheck disable=SC2086
        "$lastcall" $verb "$ini" >"$work/said" 2>&1 || {
            cat "$work/said" >&2
            complain "$from does not pass lastcall $verb"
        }
    done
done
[ "$found" -ge 10 ] || complain "only $found examples of a configuration were found"
for folder in examples/*/; do
    [ -e "$folder/README.md" ] && [ -e "$folder/lastcall.ini" ] || complain "$folder lacks README.md or lastcall.ini"
done

# ---- README ----
for text in 'make deps demo' 'make deps test'; do
    grep -qF "$text" README.md || complain "README.md does not name the command: $text"
done
for file in README.md src/README.md CHANGELOG.md examples/*/README.md; do
    for link in $(grep -oE '\]\([^)#]+\)' "$file" | sed 's/^](//; s/)$//' | grep -v '^https\?:'); do
        [ -e "$(dirname "$file")/$link" ] || complain "$file: $link does not exist"
    done
done
version=$("$lastcall" --version | sed 's/^lastcall //')
grep -qF "## $version" CHANGELOG.md || complain "CHANGELOG.md does not know version $version"

[ "$failed" = 0 ] && echo "docs: $found examples, $(wc -l <"$work/man-keys") keys, $(wc -l <"$work/man-options") options agree with the program"
exit "$failed"
