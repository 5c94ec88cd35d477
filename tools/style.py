#!/usr/bin/python3
"""style.py [--counts] [FOLDER…]: what a reader of the sources may count on. Run by tools/check.sh.

Each function below gives complaints about one file, or about all of them; its first line is the rule. --counts says how many complaints there are, folder
by folder; FOLDER (base, cli …) looks at some only."""
import collections
import glob
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
COLUMNS, TAB = 100, 8
COMMENTS = 0.07         # of the lines of the sources of a folder
FUNCTIONS = 3           # a header with more says whose threads may call them
SAME_STATIC = 2         # files that may have a static function of one name


def without_strings(line):
    return re.sub(r'"(\\.|[^"\\])*"|\'(\\.|[^\'\\])*\'', lambda m: '"' + '_' * (len(m.group()) - 2) + '"', line)


def code_and_comments(text):
    """The text with its comments blanked, and for each line whether a comment has words on it."""
    code, at, spoken = [], 0, set()
    for m in re.finditer(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|/\*.*?\*/|//[^\n]*', text, re.S):
        if m.group()[0] == '/':
            first = text.count('\n', 0, m.start())
            spoken.update(range(first, first + m.group().count('\n') + 1))
            code.append(text[at:m.start()] + re.sub(r'[^\n]', ' ', m.group()))
        else:
            code.append(text[at:m.end()])
        at = m.end()
    return ''.join(code) + text[at:], spoken


class Source:
    def __init__(self, path):
        self.path = path
        self.folder = path.split('/')[-2]
        with open(os.path.join(ROOT, path)) as f:
            self.text = f.read()
        self.lines = self.text.split('\n')
        self.code, self.spoken = code_and_comments(self.text)


def wide(s):
    """No line is wider than 100 columns, tabs of 8."""
    for n, line in enumerate(s.lines, 1):
        if len(line.expandtabs(TAB)) > COLUMNS:
            yield '%s:%d: %d columns' % (s.path, n, len(line.expandtabs(TAB)))


def nested(s):
    """One ?: a line, and none within another."""
    for n, line in enumerate(s.code.split('\n'), 1):
        if without_strings(line).count('?') > 1:
            yield '%s:%d: more than one ?: on a line' % (s.path, n)


def head(s):
    """A source opens with what it is."""
    if not s.text.startswith('/*'):
        yield '%s: no comment at its head says what it is' % s.path


def threads(s):
    """A header with several functions says which threads may call them, and who owns what."""
    if not s.path.startswith('include/'):
        return
    functions = re.findall(r'^[a-z][\w \*]*\b\w+\([^;{]*\)[^;{]*;', s.code, re.M)
    if len(functions) > FUNCTIONS and not re.search(r'thread|[Pp]ure|constant|immutable', s.text):
        yield '%s: %d functions, and no word about threads' % (s.path, len(functions))


def twins(sources):
    """No static function's name is in more than two files: grep and perf tell them apart."""
    where = collections.defaultdict(set)
    for s in sources:
        if s.path.startswith('src/') and s.path.endswith('.c'):
            for name in re.findall(r'^static [\w \*]*?\b(\w+)\([^;]*?\)\n\{', s.code, re.M):
                where[name].add(s.path)
    for name, files in sorted(where.items()):
        if len(files) > SAME_STATIC:
            yield '%s: static %s() is also in %s' % (sorted(files)[0], name, ', '.join(sorted(files)[1:]))


def spoken(sources):
    """Seven lines of a hundred of a folder's sources are comments."""
    lines, said = collections.Counter(), collections.Counter()
    for s in sources:
        if s.path.endswith('.c'):
            lines[s.folder] += len(s.lines) - 1
            said[s.folder] += len(s.spoken)
    for folder in sorted(lines):
        if said[folder] < COMMENTS * lines[folder]:
            yield 'src/%s: %.1f %% of its lines are comments, %d more are wanted' % (
                folder, 100 * said[folder] / lines[folder], COMMENTS * lines[folder] - said[folder] + 1)


EACH = [wide, nested, head, threads]    # of one file
ALL = [twins, spoken]                   # of all of them


def main():
    wanted = [a for a in sys.argv[1:] if not a.startswith('--')]
    paths = sorted(os.path.relpath(p, ROOT) for pattern in ('src/*/*.[ch]', 'include/crumb/*/*.h') for p in glob.glob(os.path.join(ROOT, pattern)))
    sources = [s for s in map(Source, paths) if not wanted or s.folder in wanted]
    found = {rule: list(rule(sources)) if rule in ALL else [c for s in sources for c in rule(s)] for rule in EACH + ALL}
    for rule, complaints in found.items():
        if '--counts' in sys.argv:
            print('%5d  %s' % (len(complaints), rule.__doc__))
            by = collections.Counter(c.split(':')[0].split('/')[-2] if rule is not spoken else c.split(':')[0].split('/')[1] for c in complaints)
            print('       ' + ' '.join('%s %d' % (f, n) for f, n in by.most_common()))
        else:
            print(''.join(c + '\n' for c in complaints), end='')
    return any(found.values())


if __name__ == '__main__':
    sys.exit(main())
