#!/bin/sh
# embed.sh FILE NAME: the bytes of FILE as a C array NAME, and its length NAME_n.
set -eu
printf 'extern const char %s[];\nextern const unsigned long %s_n;\n' "$2" "$2"
printf 'const char %s[] = {' "$2"
od -An -v -tx1 "$1" | sed 's/ \([0-9a-f][0-9a-f]\)/0x\1,/g'
printf '0};\nconst unsigned long %s_n = %s;\n' "$2" "$(wc -c <"$1")"
