#!/bin/sh
# release.sh: makes what a version is given out as, in build/release: a source archive, a Debian package, and the sums of both.
#
# The version is the one of include/crumb/base/version.h. It refuses when the tree has changes that are not committed, when CHANGELOG.md has no heading
# for the version or has lines under Unreleased, when the tag is there at another commit, and when a test fails. TAG=yes also makes the tag vVERSION:
# signed where git knows a key (user.signingkey), annotated where it does not. Nothing is sent anywhere. DRY=1 looks at all of it, says what would be
# done, and does nothing.
set -eu
cd "$(dirname "$0")/.."
dry=${DRY:-} tag=${TAG:-}
refuse() {
	echo "release: $1" >&2
	exit 1
}
run() { # what it is, command…
	echo "release: $1"
	shift
	[ -n "$dry" ] || "$@"
}

version=$(sed -n 's/^#define CRUMB_VERSION "\(.*\)"$/\1/p' include/crumb/base/version.h)
[ -n "$version" ] || refuse "include/crumb/base/version.h names no version"
[ -z "$(git status --porcelain)" ] || refuse "there are changes that are not committed"
grep -qE "^## $(echo "$version" | sed 's/\./\\./g')( |\$)" CHANGELOG.md || refuse "CHANGELOG.md has no heading '## $version'"
waiting=$(sed -n '/^## Unreleased/,/^## [0-9]/p' CHANGELOG.md | grep -c '^- ' || true)
[ "$waiting" = 0 ] || refuse "CHANGELOG.md has $waiting lines under Unreleased: move them below '## $version', or name another version"
there=$(git rev-parse -q --verify "v$version^{commit}" || true)
[ -z "$there" ] || [ "$there" = "$(git rev-parse HEAD)" ] || refuse "the tag v$version is there, at another commit"

to=build/release
archive() {
	mkdir -p $to
	rm -f $to/crumb* $to/SHA256SUMS
	git archive --format=tar --prefix="crumb-$version/" HEAD | gzip -9n >"$to/crumb-$version.tar.gz"
}
package() {
	"${MAKE:-make}" -s deb
	mv build/crumb_"$version"_*.deb $to/
}
sums() {
	(cd $to && sha256sum crumb* >SHA256SUMS)
}
name() {
	if [ -n "$(git config user.signingkey || true)" ]; then
		git tag -s "v$version" -m "crumb $version"
	else
		git tag -a "v$version" -m "crumb $version"
	fi
}

echo "release: crumb $version, commit $(git rev-parse --short HEAD)"
run "make test" "${MAKE:-make}" test
run "$to/crumb-$version.tar.gz, the source of this commit" archive
run "$to/crumb_${version}_ARCHITECTURE.deb, by make deb" package
run "$to/SHA256SUMS" sums
if [ -n "$there" ]; then
	echo "release: the tag v$version is there"
elif [ "$tag" = yes ]; then
	run "the tag v$version" name
else
	echo "release: no tag is made; TAG=yes makes v$version"
fi
[ -z "$dry" ] || echo "release: DRY: nothing was done"
