#!/usr/bin/env python3
"""cov.py BUILD: which lines of each folder of src/ were run by the tests of a build with --coverage.

Reads what gcov says of the objects in BUILD/obj and compares it with tests/cov-floor.txt, a line for each folder:
its name, and the least share of its lines, in percent, that unit tests run. A folder that no unit test links is not
there. The exit status is 1 when a folder is below its floor, or has none, or is not there and has a floor above 0.
"""
import glob
import json
import os
import subprocess
import sys

FLOORS = 'tests/cov-floor.txt'
AT_ONCE = 40  # objects for one call of gcov


def covered(build):
    """{source: {line: times that it was run}}."""
    notes = [os.path.join(build, 'obj', s[4:-2] + '.gcno') for s in sorted(glob.glob('src/*/*.c'))]
    notes = [n for n in notes if os.path.exists(n)]
    lines = {}
    for i in range(0, len(notes), AT_ONCE):
        said = subprocess.run(['gcov', '--json-format', '--stdout'] + notes[i:i + AT_ONCE], check=True,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, universal_newlines=True).stdout
        for one in said.splitlines():
            for file in json.loads(one)['files'] if one else ():
                if file['file'].startswith('src/') and file['file'].endswith('.c'):
                    of = lines.setdefault(file['file'], {})
                    for line in file['lines']:
                        of[line['line_number']] = of.get(line['line_number'], 0) + line['count']
    return lines


def floors():
    """{folder: percent}."""
    found = {}
    with open(FLOORS) as f:
        for line in f:
            words = line.split('#')[0].split()
            if words:
                found[words[0]] = int(words[1])
    return found


def main():
    lines, least, bad = covered(sys.argv[1]), floors(), []
    folders = {}
    for file, of in lines.items():
        folders.setdefault(file.split('/')[1], []).append((file, sum(1 for n in of.values() if n), len(of)))
    print('%-12s %7s %7s %6s %6s' % ('folder', 'lines', 'run', '%', 'floor'))
    for name, files in sorted(folders.items()):
        run, of = sum(f[1] for f in files), sum(f[2] for f in files)
        floor = least.get(name)
        share = 100.0 * run / of if of else 100.0
        low = floor is None or share < floor
        if low:
            bad.append(name)
        print('%-12s %7d %7d %6.1f %6s%s' % (name, of, run, share, 'none' if floor is None else floor, '  below its floor' if low else ''))
    run, of = (sum(sum(f[i] for f in files) for files in folders.values()) for i in (1, 2))
    print('%-12s %7d %7d %6.1f' % ('all', of, run, 100.0 * run / of if of else 100.0))
    for name in sorted(n for n, floor in least.items() if floor and n not in folders):
        print('%-12s is not there, and has a floor of %d' % (name, least[name]))
        bad.append(name)
    for name in bad:
        for file, n, of in sorted(folders.get(name, ()), key=lambda f: f[1] - f[2])[:5]:
            print('%s: %d of %d lines' % (file, n, of))
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
