#!/usr/bin/python3
"""booleans.py: no function of a public header takes a bool: at a call, true says nothing. An enum with words does, or two functions do. Run by tools/check.sh.

What functions of a caller are given or answer is their own, and fields of structs are told by their names."""
import glob
import re
import sys


def declarations(text):
    """Whatever stands outside of braces, one declaration at a time."""
    text = re.sub(r'/\*.*?\*/', '', text, flags=re.S)
    text = re.sub(r'^\s*#(?:[^\n]*\\\n)*[^\n]*', '', text, flags=re.M)
    depth, now = 0, ''
    for c in text:
        if c in '{;' and depth == 0:
            yield ' '.join(now.split())
        if c in '{};' and depth == 0 or c == '}':
            now = ''
        elif depth == 0:
            now += c
        depth += {'{': 1, '}': -1}.get(c, 0)


def takes_bool(declaration):
    """The name of the function, if it takes one."""
    m = re.match(r'[^()]*?(\w+)\s*\((.*)\)[^)]*$', re.sub(r'__attribute__\(\(.*?\)\)+', '', declaration))
    if not m:
        return None
    arguments, inner = m.group(2), None
    while inner != arguments:
        inner, arguments = arguments, re.sub(r'\([^()]*\)', '', arguments)
    return m.group(1) if any(re.match(r'(const )?bool \w+$', a.strip()) for a in arguments.split(',')) else None


def main():
    found = {}
    for path in sorted(glob.glob('include/crumb/*/*.h')):
        with open(path, encoding='utf-8') as f:
            found.update({name: path for name in map(takes_bool, declarations(f.read())) if name})
    for name in sorted(found):
        print('%s: %s() takes a bool: an enum with words, or two functions (tools/booleans.py)' % (found[name], name))
    return bool(found)


if __name__ == '__main__':
    sys.exit(main())
