#!/bin/sh
# setup.sh build|run|test|cluster|bench|deb: installs what is missing from Debian, and nothing when nothing is missing (so it works offline then).
# Says what, how large it is and how long it takes, and how far it is.
set -eu

build="gcc make pkg-config libc6-dev libevent-dev liblmdb-dev libmsgpack-dev libmaxminddb-dev libroaring-dev libsodium-dev
libzstd-dev libyaml-dev libvectorscan-dev libjansson-dev libyajl-dev libcurl4-openssl-dev libssl-dev zlib1g-dev libutf8proc-dev libidn2-dev libpsl-dev librdkafka-dev node-llhttp uglifyjs libjs-chart.js libjs-codemirror perl libmaxmind-db-writer-perl
python3"
run="$build"
test="$run clang libclang-rt-14-dev llvm libcmocka-dev python3-pytest python3-pytest-xdist python3-selenium python3-jsonschema python3-yaml python3-avro python3-protobuf python3-zstandard python3-prometheus-client chromium chromium-driver
fonts-dejavu-core mmdb-bin procps git nginx-light"
bench="$run nginx-light wrk valgrind util-linux procps python3-yaml python3-sklearn python3-selenium chromium chromium-driver redis-server"
# node and npm may come from elsewhere
command -v npm >/dev/null || bench="$bench nodejs npm"
cluster="$run python3-pytest python3-confluent-kafka procps"
# so may Java; and Maven is for those who have no Kafka yet
command -v java >/dev/null || [ -x "${JAVA_HOME:-/nowhere}/bin/java" ] || cluster="$cluster default-jre-headless"
[ -n "${KAFKA_HOME:-}" ] || command -v mvn >/dev/null || cluster="$cluster maven"

case "${1:-}" in
build) want=$build verb=build ;;
run) want=$run verb="build and run the demo" ;;
test) want=$test verb=test ;;
cluster) want=$cluster verb="test beside Kafka" ;;
bench) want=$bench verb=measure ;;
deb) want="$build dpkg-dev" verb="make a Debian package" ;;
*) echo "usage: setup.sh build|run|test|cluster|bench|deb" >&2; exit 2 ;;
esac

# Only its two lists are wanted: installed, it would bring Tor along and start it. So it is unpacked into build/, where make-country.pl looks first.
unpacked=tor-geoipdb
lists=build/geoip/usr/share/tor/geoip
cd "$(dirname "$0")/.."

missing=
count=0
for p in $want; do
	dpkg-query -W -f='${db:Status-Status}' "$p" 2>/dev/null | grep -qx installed && continue
	missing="$missing $p"
	count=$((count + 1))
done
[ -e $lists ] || [ -e /usr/share/tor/geoip ] && unpacked=
[ -z "$missing$unpacked" ] && exit 0

if [ ! -x /usr/bin/apt-get ]; then
	echo "Please install the equivalents of these Debian packages:$missing${unpacked:+ $unpacked}" >&2
	exit 1
fi
root="env"
if [ -n "$missing" ] && [ "$(id -u)" != 0 ]; then
	if ! command -v sudo >/dev/null || ! sudo -v; then
		echo "Please install, as root: apt-get install --no-install-recommends$missing" >&2
		exit 1
	fi
	root="sudo env"
fi
root="$root DEBIAN_FRONTEND=noninteractive LC_ALL=C"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
log=$folder/log
began=$(date +%s)

# What apt-get says of its work (APT::Status-Fd), told as one line that grows on a terminal, and else at each quarter. What else it says goes to the log.
progress() {
	shown=
	while IFS=: read -r kind _ part next _; do
		case $kind in
		dlstatus) what=downloading ;;
		pmstatus) what=installing ;;
		*) continue ;;
		esac
		case $part in *[!0-9.]*) part=$next ;; esac # the name before it may end in ':amd64'
		part=${part%%.*}
		case $part in '' | *[!0-9]*) continue ;; esac
		if [ -t 1 ]; then
			printf '\r  %s %3d %% ' "$what" "$part"
			shown=$what
		elif [ "$shown" != "$what $((part / 25))" ]; then
			shown="$what $((part / 25))"
			echo "  $what $part %"
		fi
	done
	[ -t 1 ] && [ -n "$shown" ] && echo
	return 0
}
# apt ARGUMENTS: its exit status; all that it says is in the log.
apt() {
	: >"$log"
	{
		$root apt-get -q -o APT::Status-Fd=1 -o Dpkg::Use-Pty=0 "$@" 2>&1 </dev/null
		echo $? >"$folder/status"
	} | tee -p "$log" | progress
	return "$(cat "$folder/status")"
}
# The words before a pattern's end, of what apt-get would do.
would() {
	sed -n "s/$1/\\1/p" "$folder/plan" | head -n 1
}
plan() {
	# shellcheck disable=SC2086
	$root apt-get -q install --assume-no --no-install-recommends $missing >"$folder/plan" 2>&1
	grep -q '^0 upgraded\|newly installed' "$folder/plan"
}
refresh() {
	echo "  reading Debian's lists of packages"
	apt update || {
		tail -n 15 "$log" >&2
		echo "setup.sh: Debian's lists of packages could not be read" >&2
		exit 1
	}
}
tell() {
	load=$(would '^Need to get \(.*\) of archives.*')
	room=$(would '^After this operation, \(.*\) of additional disk space.*')
	all=$(would '.*upgraded, \([0-9]*\) newly installed.*')
	# a package takes a third of a second to unpack and set up, a megabyte a fifth of a second to come
	load=${load%%/*} # "12 MB/80 MB": the rest was downloaded before
	mb=$(echo "$load" | sed -n 's/^\([0-9]*\).*MB$/\1/p')
	minutes=$(((${all:-$count} / 3 + ${mb:-0} / 5) / 60 + 1))
	s=s
	[ "$minutes" = 1 ] && s=
	echo "  with what they need: ${all:-$count} packages, ${load:-nothing} to download, ${room:-no room} on the disk, about $minutes minute$s"
}

# shellcheck disable=SC2086
install() {
	[ -z "$missing" ] || apt install -y --no-install-recommends $missing
}
unpack() {
	[ -z "$unpacked" ] && return
	(cd "$folder" && apt-get -q download "$unpacked") >"$log" 2>&1 || return
	mkdir -p build/geoip && dpkg-deb -x "$folder"/"$unpacked"_*.deb build/geoip
}

if [ -n "$missing" ]; then
	echo "crumb needs $count packages of Debian's that are not here (to $verb):"
	echo "$missing" | fold -s -w 100 | sed 's/^ */    /'
	plan || {
		refresh
		plan || true
	}
	tell
fi
[ -z "$unpacked" ] || echo "  and, unpacked into build/ only: $unpacked, which says what country an address is in, 3 MB"
# old package lists name versions that are gone: fetch them anew when the first try fails
if ! { install && unpack; } && ! { refresh && install && unpack; }; then
	tail -n 15 "$log" >&2
	echo "setup.sh: the packages could not be installed" >&2
	exit 1
fi
echo "  installed in $(($(date +%s) - began)) s"
