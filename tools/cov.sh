#!/bin/sh
# cov.sh BUILD: runs the unit tests of a build with --coverage, with FULL=1 the functional ones, too, and says which
# lines of each folder they ran (tools/cov.py).
set -u
cd "$(dirname "$0")/.." || exit 1
build=$1
failed=0
find "$build/obj" -name '*.gcda' -delete
for t in "$build"/test/unit-*; do
	"$t" >"$build/unit.log" 2>&1 && continue
	tail -n 25 "$build/unit.log"
	failed=1
done
if [ -n "${FULL:-}" ]; then
	CRUMB_BUILD=$build PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 -m pytest -q -p no:cacheprovider -n "$(nproc)" tests/functional || failed=1
fi
python3 -B tools/cov.py "$build" || failed=1
exit $failed
