#!/bin/sh
# setup.sh build|run|test: installs what is missing from Debian, and nothing when nothing is missing (so it works offline then).
set -eu

build="gcc make pkg-config libc6-dev libevent-dev liblmdb-dev libmsgpack-dev libmaxminddb-dev libroaring-dev libsodium-dev
libzstd-dev libyaml-dev libvectorscan-dev libjansson-dev libyajl-dev libcurl4-openssl-dev libssl-dev zlib1g-dev libutf8proc-dev libidn2-dev libpsl-dev node-llhttp uglifyjs perl tor-geoipdb libmaxmind-db-writer-perl"
run="$build python3"
test="$run clang libclang-rt-14-dev llvm libcmocka-dev python3-pytest python3-pytest-xdist python3-selenium python3-jsonschema python3-yaml python3-avro python3-protobuf python3-zstandard python3-prometheus-client chromium chromium-driver
fonts-dejavu-core mmdb-bin procps git nginx-light"
bench="$run nginx-light wrk valgrind util-linux procps python3-yaml python3-sklearn redis-server"
# node and npm may come from elsewhere
command -v npm >/dev/null || bench="$bench nodejs npm"

case "${1:-}" in
build) want=$build ;;
run) want=$run ;;
test) want=$test ;;
bench) want=$bench ;;
*) echo "usage: setup.sh build|run|test|bench" >&2; exit 2 ;;
esac

missing=
for p in $want; do
	dpkg-query -W -f='${db:Status-Status}' "$p" 2>/dev/null | grep -qx installed || missing="$missing $p"
done
[ -z "$missing" ] && exit 0

if [ ! -x /usr/bin/apt-get ]; then
	echo "Please install the equivalents of these Debian packages:$missing" >&2
	exit 1
fi
root=
if [ "$(id -u)" != 0 ]; then
	command -v sudo >/dev/null || { echo "Please install, as root: apt-get install$missing" >&2; exit 1; }
	root=sudo
fi
echo "installing:$missing"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
try() {
	$root apt-get -q install -y --no-install-recommends $missing >"$log" 2>&1
}
# old package lists name versions that are gone: fetch them anew when the first try fails
if ! try && ! { $root apt-get -q update >"$log" 2>&1 && try; }; then
	tail -n 15 "$log" >&2
	echo "setup.sh: the packages could not be installed" >&2
	rm -f "$log"
	exit 1
fi
rm -f "$log"
