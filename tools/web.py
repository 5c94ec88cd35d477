#!/usr/bin/python3
"""web.py FOLDER CODEMIRROR.js OUT.c: the dashboard's files as C: those of FOLDER (src/web), Debian's libraries beside them as lib/NAME, and the licences of these. Parts of a library become one
file. Debian has only the source of CodeMirror: `web.py small lib/codemirror.js OUT.js` makes it small with uglifyjs, which takes a while, and only once.

Each file is packed by gzip and named by a hash. `/web/` in a file becomes `/web/HASH/` with a hash of all of them, so that browsers may keep what they have.
Modules name each other by relative paths and need nothing. index.html comes twice: `/` is for who has a cookie of ours, "guest" for who has none. OUT.c.sizes lists the packed sizes."""
import gzip
import hashlib
import os
import subprocess
import sys

TYPES = {'.html': 'text/html; charset=utf-8', '.css': 'text/css; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.svg': 'image/svg+xml', '.txt': 'text/plain; charset=utf-8'}
# What is served beside our own files, and where Debian has it. CHART comes as Debian packs it.
MIRROR = '/usr/share/javascript/codemirror/'
LIBRARIES = {
    'lib/chart.js': ['/usr/share/javascript/chart.js/chart.min.js'],
    'lib/codemirror.js': [MIRROR + name for name in ('lib/codemirror.js', 'addon/hint/show-hint.js', 'addon/mode/simple.js', 'addon/edit/matchbrackets.js', 'addon/edit/closebrackets.js')],
    'lib/codemirror.css': [MIRROR + name for name in ('lib/codemirror.css', 'addon/hint/show-hint.css')],
}
LICENCES = ['/usr/share/doc/libjs-chart.js/copyright', '/usr/share/doc/libjs-codemirror/copyright']


def read(path):
    with open(path, 'rb') as f:
        return f.read()


def library(name):
    """The parts of a library in one piece."""
    return b'\n'.join(map(read, LIBRARIES[name]))


def small(name, out):
    subprocess.run(['uglifyjs', *LIBRARIES[name], '--compress', '--mangle', '-o', out], check=True)


def files(folder, mirror):
    """{name: bytes}, by name."""
    own = [os.path.relpath(os.path.join(at, name), folder) for at, _, names in os.walk(folder) for name in names]
    found = {name: read(os.path.join(folder, name)) for name in own if os.path.splitext(name)[1] in TYPES}
    found.update((name, read(mirror) if name == 'lib/codemirror.js' else library(name)) for name in LIBRARIES)
    found['guest.html'] = found['index.html'].replace(b'<body>', b'<body data-guest>')
    found['licences.txt'] = b'The dashboard uses these works of others.\n\n' + b'\n\n'.join(read(path) for path in LICENCES)
    return dict(sorted(found.items()))


def row(n, name, text, all_of_them):
    page = {'index.html': '/', 'guest.html': 'guest'}.get(name)
    text = text.replace(b'"/web/', b'"/web/%s/' % all_of_them.encode()) if page else text
    packed = gzip.compress(text, 9, mtime=0)
    path = page or '/web/%s/%s' % (all_of_them, name)
    of = hashlib.sha256(text).hexdigest()[:16]
    array = 'static const unsigned char file_%d[] = {%s};\n' % (n, ','.join(map(str, packed)))
    return array, '    {"%s", "%s", "%s", file_%d, sizeof file_%d, %d},\n' % (path, TYPES[os.path.splitext(name)[1]], of, n, n, len(text)), len(packed)


def main(folder, mirror, out):
    found = files(folder, mirror)
    whole = hashlib.sha256(b''.join(name.encode() + b'\0%d\0' % len(text) + text for name, text in found.items())).hexdigest()[:12]
    rows = [row(n, name, text, whole) for n, (name, text) in enumerate(found.items())]
    with open(out, 'w') as f:
        f.write('/* Written by tools/web.py. */\n#include "web_files.h"\n\n' + ''.join(r[0] for r in rows))
        f.write('const struct web_file web_files[] = {\n' + ''.join(r[1] for r in rows) + '    {0},\n};\n')
    with open(out + '.sizes', 'w') as f:
        f.writelines('%7d %s\n' % (r[2], name) for name, r in zip(found, rows))


if __name__ == '__main__':
    small(*sys.argv[2:]) if sys.argv[1] == 'small' else main(*sys.argv[1:])
