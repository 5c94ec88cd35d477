#!/bin/sh
# peers.sh: fetches the programs of tests/peers from npm into build/peers and runs the tests beside them.
set -eu
cd "$(dirname "$0")/.."
mkdir -p build/peers
cp tests/peers/package.json build/peers/
(
	cd build/peers
	npm install --no-audit --no-fund --ignore-scripts --legacy-peer-deps >npm.log 2>&1 || { tail -n 20 npm.log >&2; exit 1; }
	# of this package only one file is wanted, and its dependencies are many
	if [ ! -d proto ]; then
		npm pack --silent @segment/action-destinations@3.497.0 >/dev/null
		mkdir proto && tar xzf segment-action-destinations-3.497.0.tgz -C proto && rm segment-action-destinations-3.497.0.tgz
		ln -sf ../node_modules proto/node_modules
	fi
)
exec /usr/bin/python3 -m pytest -q -p no:cacheprovider tests/peers
