"""Import and export, and one number everywhere."""
import csv
import hashlib
import json
import os
import random
import time

from harness import BUILD, DAY, Browser, Server


def lines(server, n=40, days=30):
    rng = random.Random(7)
    now = server.now()
    out = []
    for v in range(n):
        for _ in range(rng.randint(1, 12)):
            out.append({'id': 'v%d' % v, 't': now - rng.randrange(days) * DAY, 'u': 'https://shop.example/%s/%d' % (rng.choice(['coats', 'shoes', 'news']), v)})
    return out


def test_import_beside_a_server_and_without_one_give_the_same(make):
    a, b = make(), make()
    events = lines(a)
    b.stop()
    for server in (a, b):
        r = server.import_lines(events)
        assert (r['read'], r['accepted'], r['refused']) == (len(events), len(events), {})
    b.start()
    assert a.sizes() == b.sizes() and a.sizes()['coats-ever'] >= 20
    for v in range(40):
        x, y = a.visitor('--id', 'v%d' % v), b.visitor('--id', 'v%d' % v)
        assert x.pop('visitor') != y.pop('visitor') and x == y          # other keys, same behaviour
    want = sum(1 for e in events if e['id'] == 'v3' and '/coats/' in e['u'])
    assert sum(c['count'] for c in a.visitor('--id', 'v3')['categories'] if c['id'] == 'apparel.coats') == want
    for server in (a, b):
        server.verify()
        server.stop()
        assert server.js('db', 'verify', '--replay')['ok']


def test_import_refuses_and_counts(server):
    now = server.now()
    b = Browser.known(server)
    r = server.import_lines([
        {'id': 'a', 't': now, 'u': 'https://shop.example/coats/1'}, {'id': 'a', 't': now - 91 * DAY, 'u': 'https://shop.example/coats/1'},
        {'id': 'a', 't': now + 3600, 'u': 'https://shop.example/coats/1'}, {'t': now}, 'not json', '', {'id': '', 't': now}, {'cookie': 'forged', 't': now},
        {'cookie': b.jar['crumb'], 't': now, 'u': 'https://shop.example/coats/1'}, {'id': 7, 't': now}, {'id': 'x', 't': 'yesterday'}, {'id': 'x', 't': now, 'gdpr': 1},
        {'id': 'a', 't': time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(now - 60)), 'u': 'https://shop.example/coats/1', 'title': 'x'}, {'id': 'a', 't': now + 60},
        '{"id": "a", "t": %d, "u": "https://shop.example/coats/1"} and more' % now])
    assert r['read'] == 14 and r['accepted'] == 5
    assert r['refused'] == {'old': 1, 'future': 1, 'id': 3, 'json': 3, 'consent': 1}
    assert b.count('apparel.coats') == 1
    v = server.visitor('--id', 'a')
    assert v['categories'] == [{'id': 'apparel.coats', 'count': 2, 'days': 1}] and v['provisional'] is False


def test_export_is_what_look_ups_say(server):
    server.import_lines(lines(server, 60))
    members = {v for v in range(60) if 'coats-ever' in server.visitor('--id', 'v%d' % v)['segments']}
    assert len(members) >= 20
    out = os.path.join(server.dir, 'deep', 'out')
    server.cli('export', 'coats-ever', '--format', 'csv', '--out', out)
    path = os.path.join(out, 'coats-ever.csv')
    with open(path) as f:
        rows = list(csv.DictReader(f))
    assert list(rows[0]) == ['id', 'segment', 'expires'] and len({r['id'] for r in rows}) == len(rows) == len(members)
    with open(os.path.join(out, 'coats-ever.manifest.json')) as f:
        manifest = json.load(f)
    with open(path, 'rb') as f:
        assert manifest['sha256'] == hashlib.sha256(f.read()).hexdigest() and manifest['rows'] == len(members)
    server.cli('export', 'coats-ever', '--format', 'ndjson', '--out', out)
    with open(os.path.join(out, 'coats-ever.ndjson')) as f:
        assert [json.loads(line) for line in f] == rows
    # each expiry is the day on which the member really leaves
    last = max(r['expires'] for r in rows)
    today = time.strftime('%Y-%m-%d', time.gmtime(server.now()))
    days = (time.mktime(time.strptime(last, '%Y-%m-%d')) - time.mktime(time.strptime(today, '%Y-%m-%d'))) / DAY
    server.advance('%dd' % (round(days) - 1))
    left = [r for r in rows if r['expires'] > time.strftime('%Y-%m-%d', time.gmtime(server.now()))]
    assert left and len(left) == sum('coats-ever' in (server.visitor('--id', 'v%d' % v) or {'segments': ()})['segments'] for v in range(60))
    server.advance('1d')
    assert not any('coats-ever' in (server.visitor('--id', 'v%d' % v) or {'segments': ()})['segments'] for v in range(60))


def test_unknown_things_are_said(server):
    for arguments, code in ((('export', 'nope', '--out', server.dir), 1), (('segments', 'show', 'nope'), 1), (('visitor', 'show', '--id', 'nobody'), 1), (('nothing',), 2),
                            (('segments',), 2), (('segments', 'list', '--nope'), 2), (('visitor', 'show'), 2), (('import', '/nonexistent', '--format', 'ndjson'), 1),
                            (('import', 'x', '--format', 'xml'), 2), (('export', 'buyers'), 2)):
        r = server.cli(*arguments, ok=(code,))
        assert r.stderr.startswith(('crumb: ',)) and 'crumb' in r.stderr


def test_help_is_there_for_every_command(server):
    text = server.cli('--help').stdout
    for command in ('segments list', 'segments show', 'categories list', 'visitor show', 'db stat', 'db verify', 'import', 'export', 'rules check', 'rules status'):
        assert command in text
        page = server.cli('help', *command.split()).stdout
        assert all(w in page for w in ('NAME', 'SYNOPSIS', 'DESCRIPTION')) and server.cli(*command.split(), '--help').stdout == page


def test_a_store_that_is_not_there_is_said():
    s = Server()
    r = s.cli('db', 'stat', ok=(1,))
    assert 'there is no store here' in r.stderr
    s.close()


def test_two_servers_do_not_share_a_store(server):
    import subprocess
    r = subprocess.run([os.path.join(BUILD, 'crumbd')] + server.common() + ['-o', 'collect.listen=127.0.0.1:0', '-o', 'admin.listen=127.0.0.1:0'], capture_output=True, text=True)
    assert r.returncode == 1 and 'is in use by a running crumbd' in r.stderr


def test_options_are_checked(tmp_path):
    import subprocess
    for option, words in (('privacy.k=many', 'expected a number'), ('retention=91', 'from 1 to 90'), ('nope=1', "there is no option 'nope'"), ('consent.default=maybe', 'allow|require'),
                          ('trusted_proxies=300.1.1.1/8', 'is no network'), ('collect.listen=nowhere', 'HOST:PORT')):
        r = subprocess.run([os.path.join(BUILD, 'crumbd'), '-o', 'store.path=%s' % (tmp_path / 'none'), '-o', 'rules.path=etc/rules', '-o', option], capture_output=True, text=True)
        assert r.returncode in (1, 2) and words in r.stderr, (option, r.stderr)


def test_the_example_configuration_loads():
    import subprocess
    import sys
    r = subprocess.run([os.path.join(BUILD, 'crumb'), '-c', 'etc/crumb.yaml', '-o', 'rules.path=etc/rules', 'rules', 'check'], capture_output=True, text=True)
    assert r.returncode == 0, r.stderr


def test_times_that_are_none_are_refused(server):
    """Numbers beyond every calendar: looked at before they are taken for seconds."""
    lines = ['{"id":"a","e":"view","t":%s}' % t for t in ('1e300', '-1e300', '1e12', '1e19', '-1e19', '123456789012345678901234567890', '1e-300', '-1', '4294967296')]
    t = server.import_lines(lines + ['{"id":"a","e":"view"}'])
    assert t['accepted'] == 1 and t['read'] == len(lines) + 1 and sum(t['refused'].values()) == len(lines), t
