#!/bin/sh
# test.sh: every test there is; under the sanitizers a part of the functional ones, another part at each commit. Each step says how it went; the last
# line counts. FULL=1 (.ci/run) runs all of them under the sanitizers, too; with QUICK=1 only unit tests run under one, and faults, simulations, fuzzers
# and the browser are left out.
set -u
cd "$(dirname "$0")/.." || exit 1
export PYTHONDONTWRITEBYTECODE=1
jobs=$(nproc)
tests=$((2 * jobs)) # at a time: they wait for servers more than they work
word=$(git rev-parse HEAD 2>/dev/null || echo none)${CRUMB_ROUND:-}
passed=0 failed=0
logs=build/test-logs
mkdir -p $logs

count() { # name, ok?
	if [ "$2" = 0 ]; then
		passed=$((passed + 1))
		echo "ok      $1"
	else
		failed=$((failed + 1))
		echo "FAILED  $1"
	fi
}

build() { # mode targets…
	mode=$1
	shift
	make -s -j"$jobs" MODE="$mode" "$@" >$logs/build-"$mode".log 2>&1
	rc=$?
	[ $rc = 0 ] || tail -n 20 $logs/build-"$mode".log
	count "build $mode without warnings" $rc
	return $rc
}

units() { # mode
	for t in build/"$1"/test/unit-*; do
		case $t in *.d) continue ;; esac
		log=$logs/$1-${t##*/}.log
		CMOCKA_MESSAGE_OUTPUT=stdout "$t" >"$log" 2>&1
		rc=$?
		p=$(grep -c '\[       OK \]' "$log")
		f=$(grep '^\[  FAILED  \] [a-z0-9_/]*$' "$log" | sort -u | wc -l)
		[ $rc != 0 ] && [ "$f" = 0 ] && f=1
		[ $rc != 0 ] && tail -n 25 "$log"
		passed=$((passed + p))
		failed=$((failed + f))
		echo "$([ $rc = 0 ] && echo 'ok     ' || echo 'FAILED ') ${t##*/} ($1): $p passed, $f failed"
	done
}

pytests() { # name, build tree, arguments…
	name=$1
	tree=$2
	shift 2
	log=$logs/$name.log
	CRUMB_BUILD=$tree /usr/bin/python3 -m pytest -q -p no:cacheprovider -n "$tests" "$@" >"$log" 2>&1
	rc=$?
	p=$(grep -oE '[0-9]+ passed' "$log" | tail -n 1 | cut -d' ' -f1)
	f=$(grep -oE '[0-9]+ (failed|error)' "$log" | awk '{n += $1} END {print n + 0}')
	[ $rc != 0 ] && [ "$f" = 0 ] && f=1
	[ $rc != 0 ] && grep -E '^(E  |FAILED|ERROR)' "$log" | cut -c1-300 | head -n 25
	passed=$((passed + ${p:-0}))
	failed=$((failed + f))
	echo "$([ $rc = 0 ] && echo 'ok     ' || echo 'FAILED ') $name: ${p:-0} passed, $f failed"
}

# What counts by itself, in its last line; what it says beside what went well is shown.
counted() { # name, command…
	name=$1
	shift
	log=$logs/$name.log
	"$@" >"$log" 2>&1
	rc=$?
	grep -vE '^(ok |$|[0-9]+ passed, )' "$log"
	p=$(tail -n 1 "$log" | sed -n 's/^\([0-9]*\) passed, [0-9]* failed$/\1/p')
	f=$(tail -n 1 "$log" | sed -n 's/^[0-9]* passed, \([0-9]*\) failed$/\1/p')
	[ -n "$p" ] || rc=1 # it did not come to its end
	[ $rc != 0 ] && [ "${f:-0}" = 0 ] && f=1
	passed=$((passed + ${p:-0}))
	failed=$((failed + ${f:-0}))
	echo "$([ $rc = 0 ] && echo 'ok     ' || echo 'FAILED ') $name: ${p:-0} passed, ${f:-0} failed"
}

# A fourth, say, of the functional tests under a sanitizer; all of them with FULL=1.
sanitized() { # mode, how many parts
	[ -n "${FULL:-}" ] && CRUMB_SHARE=1 || CRUMB_SHARE="$2 $word"
	export CRUMB_SHARE
	pytests functional-"$1" build/"$1" tests/functional
	unset CRUMB_SHARE
}

build release all build/test/mock-cluster && {
	tools/check.sh >$logs/check.log 2>&1
	rc=$?
	[ $rc = 0 ] || cat $logs/check.log
	count "make check" $rc
	pytests functional build tests/functional
	pytests rules build tests/rules
	CRUMB_SEEDS=${CRUMB_SEEDS:-8} pytests property build tests/property
}
if [ -z "${QUICK:-}" ]; then
	build release all build/test/faults-shim.so && CRUMB_BUILD=build counted faults /usr/bin/python3 -B tests/faults/run.py
	build release build/test/sim && CRUMB_BUILD=build counted sim /usr/bin/python3 -B tests/sim/run.py
	[ -x build/crumbd ] && pytests browser build tests/browser
	build clang all
	build asan all unit && {
		units asan
		sanitized asan 4
	}
	build tsan all && sanitized tsan 6
	build fuzz fuzzers && counted fuzz tools/fuzz.sh 6
else
	build asan unit && units asan
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
