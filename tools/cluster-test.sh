#!/bin/sh
# cluster-test.sh [PYTEST ARGUMENTS]: the tests of tests/cluster, beside real Kafka brokers. The brokers are those of KAFKA_HOME when it is set, else
# those that tests/cluster/pom.xml names: Maven brings them into build/kafka once for each change of the pom. Where there is neither it fails, and
# says so. The last line counts.
set -u
cd "$(dirname "$0")/.." || exit 1
root=$PWD
export PYTHONDONTWRITEBYTECODE=1

lost() {
	echo "FAILED  cluster-test: $1" >&2
	[ -z "${2:-}" ] || tail -n 20 "$2" >&2
	echo "0 passed, 1 failed"
	exit 1
}

# An archive of another version than the pom's may not stay beside the new one, and half of them are none.
fetch() {
	pom=tests/cluster/pom.xml
	cmp -s $pom build/kafka/pom.xml && return
	command -v mvn >/dev/null || lost "no broker: install maven, or set KAFKA_HOME to an unpacked Apache Kafka of 4.1 or later"
	rm -rf build/kafka/libs build/kafka/pom.xml
	mkdir -p build/kafka
	echo "  fetching Apache Kafka $(sed -n '/kafka_2.13/{n;s/.*<version>\(.*\)<.*/\1/p}' $pom) by Maven, 110 MB on the disk"
	mvn -B -q -f $pom -Dmaven.repo.local="$root/build/kafka/repository" dependency:copy-dependencies -DincludeScope=runtime \
		-DoutputDirectory="$root/build/kafka/libs" >build/kafka/maven.log 2>&1 || lost "no broker: Maven could not fetch it" build/kafka/maven.log
	cp $pom build/kafka/pom.xml
}

command -v java >/dev/null || [ -x "${JAVA_HOME:-/nowhere}/bin/java" ] || lost "no Java: install default-jre-headless"
if [ -n "${KAFKA_HOME:-}" ]; then
	[ -d "$KAFKA_HOME/libs" ] || lost "no broker: KAFKA_HOME=$KAFKA_HOME has no folder libs"
	export CRUMB_KAFKA="$KAFKA_HOME/libs"
else
	fetch
	export CRUMB_KAFKA="$root/build/kafka/libs"
fi

log=build/test-logs/cluster.log
mkdir -p build/test-logs
CRUMB_BUILD=${CRUMB_BUILD:-build} /usr/bin/python3 -m pytest -q -p no:cacheprovider tests/cluster "$@" >$log 2>&1
rc=$?
p=$(grep -oE '[0-9]+ passed' $log | tail -n 1 | cut -d' ' -f1)
f=$(grep -oE '[0-9]+ (failed|error)' $log | awk '{n += $1} END {print n + 0}')
[ -n "$p" ] || rc=1 # it did not come to its end
[ $rc != 0 ] && [ "$f" = 0 ] && f=1
[ $rc = 0 ] || { grep -E '^(E  |FAILED|ERROR)' $log | cut -c1-300 | head -n 40; }
echo "$([ $rc = 0 ] && echo 'ok     ' || echo 'FAILED ') cluster: ${p:-0} passed, $f failed"
echo "${p:-0} passed, $f failed"
exit $rc
