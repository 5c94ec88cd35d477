#!/bin/sh
# embed.sh FILE NAME: the bytes of FILE as a C array NAME, its length NAME_n and an ETag NAME_etag.
set -eu
printf 'extern const char %s[];\nextern const unsigned long %s_n;\nextern const char %s_etag[];\n' "$2" "$2" "$2"
printf 'const char %s[] = {' "$2"
od -An -v -tx1 "$1" | sed 's/ \([0-9a-f][0-9a-f]\)/0x\1,/g'
printf '0};\nconst unsigned long %s_n = %s;\nconst char %s_etag[] = "\\"%s\\"";\n' "$2" "$(wc -c <"$1")" "$2" "$(sha256sum "$1" | cut -c1-16)"
