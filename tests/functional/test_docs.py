"""Documents: links lead somewhere, and commands that a page shows do what the page says."""
import os
import subprocess
import sys

from harness import ROOT


def links(root):
    r = subprocess.run([sys.executable, '-B', os.path.join(ROOT, 'tools', 'links.py'), str(root)], capture_output=True, text=True)
    return r.returncode, r.stdout.splitlines()


def test_links_lead_somewhere():
    assert links(ROOT) == (0, [])


def test_a_link_that_leads_nowhere_is_named(tmp_path):
    (tmp_path / 'docs').mkdir()
    (tmp_path / 'README.md').write_text('# The *first* `thing`\n## Twice\n## Twice\n[a](docs/a.md#one) [b](#the-first-thing) [c](#twice-1) `[code](none.md)`\n```\n[code](none.md)\n```\n')
    (tmp_path / 'docs' / 'a.md').write_text('# One, two\n[up](../README.md) [out](https://example.org/x) [gone](b.md) [lost](../README.md#third)\n')
    assert links(tmp_path) == (1, ['README.md: the link docs/a.md#one leads to no heading', 'docs/a.md: the link b.md leads to no file',
                                   'docs/a.md: the link ../README.md#third leads to no heading'])
