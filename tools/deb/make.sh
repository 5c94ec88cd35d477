#!/bin/sh
# make.sh BUILD: packs what `make install` makes into BUILD/crumb_VERSION_ARCHITECTURE.deb, for Debian of the release that it is built on.
set -eu
b=$1
here=$(dirname "$0")
version=$("$b/crumb" --version | cut -d' ' -f2)
architecture=$(dpkg --print-architecture)
root=$b/deb/root
rm -rf "$b/deb"
mkdir -p "$root/DEBIAN" "$b/deb/debian"
MAKEFLAGS='' make -s install SETUP=no PREFIX=/usr DESTDIR="$PWD/$root" >/dev/null
strip "$root/usr/bin/crumbd" "$root/usr/bin/crumb"
gzip -9n "$root"/usr/share/man/man?/crumb*.?

# dpkg-shlibdeps reads debian/control of the folder where it is run
printf 'Source: crumb\n\nPackage: crumb\nArchitecture: any\n' >"$b/deb/debian/control"
depends=$(cd "$b/deb" && dpkg-shlibdeps -O -eroot/usr/bin/crumbd -eroot/usr/bin/crumb 2>/dev/null | sed -n 's/^shlibs:Depends=//p')
[ -n "$depends" ] || {
	echo "deb: dpkg-shlibdeps does not say what crumb depends on" >&2
	exit 1
}

cat >"$root/DEBIAN/control" <<END
Package: crumb
Version: $version
Architecture: $architecture
Maintainer: whoever built it <root@localhost>
Section: web
Priority: optional
Depends: $depends
Recommends: systemd
Installed-Size: $(du -sk "$root" | cut -f1)
Description: data management platform for anonymous audiences
 Web pages call a pixel; crumb remembers that some browser did something, never
 who. Marketers say in YAML whom they want to reach, pages and ad platforms get
 the audiences, and 90 days later everything is gone.
END
(cd "$root" && find etc -type f | sed 's,^,/,' | sort) >"$root/DEBIAN/conffiles"
for script in postinst prerm postrm; do
	install -m755 "$here/$script" "$root/DEBIAN/$script"
done
(cd "$root" && find usr -type f -print0 | sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"
dpkg-deb --root-owner-group --build "$root" "$b/crumb_${version}_$architecture.deb" >/dev/null
rm -rf "$b/deb"
echo "$b/crumb_${version}_$architecture.deb: install it with 'apt-get install ./$b/crumb_${version}_$architecture.deb'"
