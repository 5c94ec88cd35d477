#!/bin/sh
# fuzz.sh [SECONDS]: runs every fuzzer that long (30), each from its seeds and what it found before. Fails on the first crash.
set -u
seconds=${1:-30}
passed=0 failed=0
for f in build/fuzz/test/fuzz-*; do
	case $f in *.d) continue ;; esac
	name=${f##*/fuzz-}
	mkdir -p "build/fuzz/corpus/$name" "tests/fuzz/seeds/$name"
	if (cd build/fuzz && LSAN_OPTIONS=detect_leaks=1 "test/fuzz-$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=4096 -print_final_stats=0 \
		"corpus/$name" "../../tests/fuzz/seeds/$name" >"fuzz-$name.log" 2>&1); then
		passed=$((passed + 1))
		echo "fuzz $name: $(grep -c . "build/fuzz/fuzz-$name.log") lines, $(grep -oE 'Done [0-9]+ runs in [0-9]+ second' "build/fuzz/fuzz-$name.log" | tail -n 1)"
	else
		failed=$((failed + 1))
		echo "fuzz $name FAILED:"
		tail -n 25 "build/fuzz/fuzz-$name.log"
	fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
