"""Documents: links lead somewhere, and commands that a page shows do what the page says."""
import os
import re
import shlex
import subprocess
import sys

from harness import BUILD, ROOT, SLOW


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


def page(name):
    with open(os.path.join(ROOT, name)) as f:
        return f.read()


def section_of(text, heading):
    """What stands below a heading, up to the next one of its rank."""
    rank = heading.split(' ')[0]
    return re.search(r'^%s\n(.*?)(?=^#{1,%d} |\Z)' % (re.escape(heading), len(rank)), text, re.M | re.S).group(1)


def section(name, heading):
    return section_of(page(name), heading)


def commands(text, first):
    """The block of commands that begins with a line that begins so."""
    block = re.search(r'^( {4,})(%s.*\n(?:\1.*\n|\n(?=\1))*)' % re.escape(first), text, re.M)
    return ''.join(l[len(block.group(1)):] or '\n' for l in block.group(0).splitlines(True))


def shell(text, where, **env):
    """A page's commands, as somebody types them who has crumb in the path; the first that fails ends it."""
    env = dict(os.environ, PATH=BUILD + ':' + os.environ['PATH'], **env)
    r = subprocess.run(['bash', '-euo', 'pipefail', '-c', text], cwd=where, env=env, capture_output=True, text=True, timeout=300)
    assert r.returncode == 0, (text, r.stdout[-1500:], r.stderr[-1500:])
    return r.stdout


def test_what_readme_does_by_hand(tmp_path):
    block = commands(page('README.md'), 'make\n').replace('make\n', '').replace('/tmp/crumb-try', str(tmp_path / 'store')).replace('build/', BUILD + '/')
    start, rest = block.split('&\n')
    with open(tmp_path / 'log', 'w') as log:
        p = subprocess.Popen(shlex.split(start) + ['-o', 'collect.listen=127.0.0.1:0', '-o', 'admin.listen=127.0.0.1:0', '-o', 'geo.database=' + os.path.join(ROOT, 'build', 'country.mmdb')],
                             cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        assert p.stdout.readline().startswith('ready ')
        said = shell(rest, ROOT)
    finally:
        p.terminate()
        p.wait(30 * SLOW)
        p.stdout.close()
    assert 'apparel.outerwear' in said and '< 50' in said, said


def configuration(server, folder):
    """A file with a server's options, for commands that name none."""
    path = folder / 'crumb.yaml'
    path.write_text(''.join('%s: %s\n' % tuple(o.split('=', 1)) for o in server.common() if o != '-o'))
    return str(path)


def test_the_backup_drill(server, tmp_path):
    server.import_lines([{'id': 'v%d' % i, 'u': 'https://shop.example/coats/%d' % i, 'a.size': 'xl'} for i in range(60)])
    server.settle()
    server.js('visitor', 'erase', '--id', 'v7')
    drill = commands(section('docs/OPERATING.md', '## Backups, and the drill'), 'STORE=')
    for name, path in (('STORE', server.store), ('BACKUP', tmp_path / 'backup'), ('DRILL', tmp_path / 'drill')):
        drill = re.sub(r'^%s=.*$' % name, '%s=%s' % (name, path), drill, flags=re.M)
    said = shell(drill, tmp_path, CRUMB_CONFIG=configuration(server, tmp_path))
    restored, running = (dict(l.split(None, 1) for l in part.splitlines() if l.startswith(('visitors', 'events'))) for part in re.split(r'(?=^visitors )', said, flags=re.M)[1:])
    assert 'all is well' in said and running == restored and restored['visitors'] == '59', said
    assert not (tmp_path / 'drill').exists() and (tmp_path / 'backup' / 'moment').exists()


def test_what_sizing_tells(server, tmp_path):
    server.import_lines([{'id': 'v%d' % i, 'u': 'https://shop.example/coats/%d' % i} for i in range(60)])
    server.settle()
    said = shell(commands(section('docs/OPERATING.md', '## Sizing'), 'crumb db stat'), tmp_path, CRUMB_CONFIG=configuration(server, tmp_path))
    assert re.fullmatch(r'[1-9]\d* bytes of journal an event, [1-9]\d* bytes of views a visitor\n', said), said
    journal, views = 1000000 * 90 * 20, 2000000 * 500
    assert 'The journal takes 1,000,000 × 90 × 20 = %.1f GB' % (journal / 1e9) in page('docs/OPERATING.md').replace('\n', ' ')
    assert '(1.8 + 2 × 1.0) ÷ 0.95 = %.1f GB' % ((journal + 2 * views) / 0.95 / 1e9) in page('docs/OPERATING.md').replace('\n', ' ')


def test_every_alert_has_a_row_that_says_what_to_do():
    told = re.findall(r'^\| `(Crumb\w+)` \| .+ \| .+ \|$', section('docs/OPERATING.md', '## Alerts'), re.M)
    assert told == re.findall(r'^ *- alert: (\w+)', page('etc/prometheus-crumb.yaml'), re.M)


def test_a_server_to_play_with(tmp_path):
    text = re.sub(r'127\.0\.0\.1:809\d', '127.0.0.1:0', page('docs/debugging.md').replace('/tmp/crumb-play', str(tmp_path / 'store')).replace('build/', BUILD + '/'))
    with open(tmp_path / 'log', 'w') as log:
        p = subprocess.Popen(shlex.split(commands(text, BUILD + '/crumbd').replace('\\\n', ' ')), cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        assert p.stdout.readline().startswith('ready ')
        assert 'apparel.outerwear' in shell(commands(text, "printf '{"), ROOT)
        shell(commands(section_of(text, '## The clock'), BUILD + '/crumb'), ROOT)
    finally:
        p.terminate()
        p.wait(30 * SLOW)
        p.stdout.close()
    said = shell(commands(section_of(text, '## What is in the journal'), BUILD + '/crumb'), ROOT)
    assert ' rules ' in said and '/coats/parka' in said
