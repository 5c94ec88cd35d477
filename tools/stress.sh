#!/bin/sh
# stress.sh [command…]: the whole suite, or the command, ROUNDS times (5) beside LOOPS busy loops (4), as a machine that has other things to do.
# Says of each round how it went, then what failed, in how many rounds, and where its output is kept (build/stress). Ends with 0 if nothing failed.
# A round that takes longer than LIMIT seconds (7200) has failed. Each round tries another part under the sanitizers and other faults.
set -u
cd "$(dirname "$0")/.." || exit 1
rounds=${ROUNDS:-5} loops=${LOOPS:-4} limit=${LIMIT:-7200}
for n in "$rounds" "$loops" "$limit"; do
	case $n in '' | *[!0-9]* | 0[0-9]*)
		echo "stress: ROUNDS, LOOPS and LIMIT are whole numbers, not '$n'" >&2
		exit 2
		;;
	esac
done
[ $# -gt 0 ] || set -- tools/test.sh
kept=build/stress logs=build/test-logs
rm -rf $kept
mkdir -p $kept $logs

# The kernel ends loops and round when this script ends, in whatever way; and no loop uses more processor time than all rounds may take.
busy=
round=
begin_loops() {
	for n in $(seq "$loops"); do
		(ulimit -t $((rounds * limit + 60)) && exec setpriv --pdeathsig KILL sh -c 'while :; do :; done') &
		busy="$busy $!"
	done
}
end_loops() {
	trap - EXIT
	[ -z "$round" ] || kill "$round" 2>/dev/null # timeout ends all that it began
	[ -z "$busy" ] || kill -9 $busy 2>/dev/null
	wait 2>/dev/null
}
trap end_loops EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# What failed, one a line: names of tests, else of steps.
names() {
	grep -hoE '^(FAILED|ERROR) +(tests/[^ ]+|[^:]+)' "$1" | sed -E 's/^[A-Z]+ +//'
}

one_round() { # number; the command…
	number=$1 began=$(date +%s)
	shift
	: >$kept/began
	# a shell's background does not hear SIGINT, which some tests send
	CRUMB_ROUND=$number CRUMB_FAULT_SEED=$number setpriv --pdeathsig TERM env --default-signal=INT,QUIT timeout -s INT -k 60 "$limit" "$@" >$kept/round-"$number".log 2>&1 &
	round=$!
	wait $round
	rc=$?
	round=
	took=$(($(date +%s) - began))
	last=$(tail -n 1 $kept/round-"$number".log)
	if [ $rc = 0 ]; then
		echo "round $number: passed in $took s: $last"
		return
	fi
	bad=$((bad + 1))
	[ $rc = 124 ] || [ $rc = 137 ] && last="not done after $limit s: $last"
	echo "round $number: FAILED in $took s: $last"
	names $kept/round-"$number".log | sort -u >$kept/round-"$number".failed
	[ -s $kept/round-"$number".failed ] || echo "the round itself" >$kept/round-"$number".failed
	sed 's/^/        /' $kept/round-"$number".failed
	mkdir -p $kept/round-"$number"
	find $logs -type f -newer $kept/began -exec cp {} $kept/round-"$number" \;
}

bad=0
begin_loops
for r in $(seq "$rounds"); do
	one_round "$r" "$@"
done
if [ $bad != 0 ]; then
	echo "what failed, and in how many of $rounds rounds:"
	cat $kept/round-*.failed | sort | uniq -c | sort -rn
	echo "the output of each round is $kept/round-N.log, and what its steps said is in $kept/round-N"
fi
echo "$((rounds - bad)) of $rounds rounds passed, beside $loops busy loops"
[ $bad = 0 ]
