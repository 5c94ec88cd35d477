#!/usr/bin/python3
"""links.py: every relative link of a document leads to a file that is there, and every anchor to a heading. Run by 'make check'.

An anchor is made from a heading as GitHub makes it: small letters, blanks to hyphens, what is neither letter, digit, hyphen nor underscore left out;
the second heading of one text gets -1 behind it. Code, in blocks or between backticks, holds no links."""
import glob
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LINK = re.compile(r'\]\(([^)\s]+)\)')


def without_code(text):
    text = re.sub(r'^```.*?^```', '', text, flags=re.M | re.S)
    return re.sub(r'`[^`\n]*`', '', text)


def anchors(path):
    with open(path) as f:
        text = re.sub(r'^```.*?^```', '', f.read(), flags=re.M | re.S)
    seen, found = {}, set()
    for heading in re.findall(r'^#+ (.*)$', text, re.M):
        heading = re.sub(r'\[([^\]]*)\]\([^)]*\)', r'\1', heading).strip().lower()
        name = re.sub(r'[^\w\- ]', '', heading).replace(' ', '-')
        n = seen[name] = seen.get(name, -1) + 1
        found.add('%s-%d' % (name, n) if n else name)
    return found


def broken(root):
    """Sentences: which page has a link that leads nowhere."""
    pages = sorted(p for pattern in ('*.md', 'docs/**/*.md') for p in glob.glob(os.path.join(root, pattern), recursive=True))
    for page in pages:
        with open(page) as f:
            text = without_code(f.read())
        for link in LINK.findall(text):
            if re.match(r'[a-z]+:', link):
                continue
            to, _, anchor = link.partition('#')
            there = os.path.normpath(os.path.join(os.path.dirname(page), to)) if to else page
            if not os.path.exists(there):
                yield '%s: the link %s leads to no file' % (os.path.relpath(page, root), link)
            elif anchor and there.endswith('.md') and anchor not in anchors(there):
                yield '%s: the link %s leads to no heading' % (os.path.relpath(page, root), link)


if __name__ == '__main__':
    said = list(broken(sys.argv[1] if len(sys.argv) > 1 else ROOT))
    print('\n'.join(said), end='\n' if said else '')
    sys.exit(bool(said))
