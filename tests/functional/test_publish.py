"""Rules from an idea to what serves, through the API: files, edit, check, diff, publish, undo, history."""
import json
import os
import signal
import subprocess
import threading
import time
import urllib.parse

import pytest
from harness import ROOT, RULES, SLOW, Browser, Server, until

MORE = 'version: 1\nsegments:\n  - {id: more, when: coats >= 2}\n'
SHOP = '''# the shop
version: 1
categories:
  - {id: coats, any: [{path: "/coats/*"}]}   # outerwear
  - id: shoes
    any:
      - path: /shoes/*
segments:
  # whom spring is for
  - id: keen
    name: "Keen"     # on pages
    when: coats >= 2

  - id: walkers
    when: shoes
'''


@pytest.fixture
def server():
    s = Server(rules=SHOP)
    s.start()
    yield s
    s.close()


class Rules:
    """The rules API of a server."""
    def __init__(self, server):
        self.s = server

    def call(self, method, path, body=None, headers=None, **query):
        path = '/v1/rules/' + path + ('?' + urllib.parse.urlencode(query) if query else '')
        status, _, data = self.s.http(method, path, body.encode() if isinstance(body, str) else body, headers, admin=True)
        return status, json.loads(data)

    def get(self, path, **query):
        status, j = self.call('GET', path, **query)
        assert status == 200, j
        return j

    def hash(self):
        return self.get('files')['hash']

    def text(self, name='rules.yaml'):
        return self.get('file', name=name)['text']

    def edit(self, **what):
        return self.call('POST', 'edit', json.dumps(what))

    def publish(self, text, file='rules.yaml', why='spring', match=None):
        return self.call('POST', 'publish', text, {'If-Match': '"%s"' % (match or self.hash())}, file=file, why=why)

    def undo(self, **query):
        return self.call('POST', 'undo', **query)

    def patch(self, n):
        status, r, data = self.s.http('GET', '/v1/rules/history/patch?n=%d' % n, admin=True)
        assert status == 200 and r.getheader('Content-Type').startswith('text/plain')
        return data.decode()


def on_disk(server, name='rules.yaml'):
    with open(os.path.join(server.rules, name), 'rb') as f:
        return f.read().decode()


def everything(server):
    return {n: on_disk(server, n) for n in os.listdir(server.rules)}


def patched(patch, before, tmp_path, name='rules.yaml'):
    """What git makes of it."""
    (tmp_path / name).write_bytes(before.encode())
    r = subprocess.run(['git', 'apply', '--whitespace=nowarn'], input=patch.encode(), cwd=tmp_path, capture_output=True)
    assert r.returncode == 0, r.stdout + r.stderr
    return (tmp_path / name).read_bytes().decode()


def visitors(server):
    server.import_lines([{'id': 'v%d' % v, 'u': 'https://s.example/%s/1' % ('coats' if v < 120 else 'shoes')} for v in range(180) for _ in range(1 + v % 3)])


# --- the way there

def test_an_edit_is_checked_compared_published_and_undone(server, tmp_path):
    rules = Rules(server)
    visitors(server)
    status, e = rules.edit(kind='segment', id='keen', set={'when': 'coats', 'owner': 'anna'})
    assert status == 200 and e['file'] == 'rules.yaml' and e['hash'] == rules.hash()
    assert e['text'] == SHOP.replace('    when: coats >= 2\n', '    when: coats\n    owner: anna\n')
    assert patched(e['patch'], SHOP, tmp_path) == e['text'] and on_disk(server) == SHOP

    status, c = rules.call('POST', 'check', e['text'], file='rules.yaml')
    assert status == 200 and c['ok'] and c['problems'] == []
    status, d = rules.call('POST', 'diff', e['text'], file='rules.yaml')
    assert status == 200 and not d['from_journal'] and d['categories'] == []
    keen = {s['id']: s for s in d['segments']}['keen']
    assert (keen['change'], keen['before'], keen['after'], keen['enter'], keen['stay'], keen['leave']) == ('changed', 80, 120, 40, 80, None)
    assert keen['settings'] == [{'what': 'owner', 'from': None, 'to': 'anna'}]

    status, p = rules.publish(e['text'], why='more of them')
    assert status == 200 and p['n'] == 1 and p['hash'] == rules.hash() != e['hash'] and on_disk(server) == e['text']
    server.settle()
    until(lambda: rules.get('status')['complete'])
    assert server.sizes()['keen'] == 120
    (h,) = rules.get('history')
    assert h['who'] == 'operator' and h['role'] == 'operator' and h['why'] == 'more of them' and h['hash'] == p['hash'] and h['undoes'] is None
    assert h['file'] == 'rules.yaml' and h['segments'] == [{'id': 'keen', 'before': 80, 'after': 120}] and abs(h['t'] - server.now()) < 60 * SLOW
    assert rules.patch(1) == e['patch']
    status, _, data = server.http('GET', '/v1/history', admin=True)
    assert [(x['what'], x['of'], x['why']) for x in json.loads(data) if x['what'].startswith('rules.')] == [('rules.publish', 'rules.yaml', 'more of them')]

    server.restart()
    assert rules.get('history')[0] == h                      # it outlives a restart
    status, u = rules.undo(why='too many')
    assert status == 200 and u['n'] == 2 and on_disk(server) == SHOP and rules.hash() == e['hash']
    until(lambda: rules.get('status')['complete'])
    assert server.sizes()['keen'] == 80
    assert [(x['n'], x['undoes'], x['why']) for x in rules.get('history')] == [(2, 1, 'too many'), (1, None, 'more of them')]
    status, r = rules.undo()                                 # once more is redo
    assert status == 200 and on_disk(server) == e['text'] and rules.get('history')[0]['undoes'] == 2
    assert patched(rules.patch(3), SHOP, tmp_path) == e['text']


def test_what_the_rules_say_of_a_category_is_told_and_put_back_unchanged(server):
    rules = Rules(server)
    more = '''  - id: men.shirts
    name: "Shirts"   # of men
    iab: 12
    sensitive: true
    labels: [shop]
    any:
      - {path: ["/shirts/*", '/polo\\d+/'], attr.size: 38}   # both
    all: [{event: view}]
    none:
      - title: sale
'''
    server.write_rules(SHOP.replace('segments:\n', more + 'segments:\n', 1))
    assert server.http('POST', '/v1/reload', admin=True)[0] == 200
    told = rules.get('category', id='men.shirts')
    assert told == {'id': 'men.shirts', 'file': 'rules.yaml', 'name': 'Shirts', 'iab': '12', 'labels': ['shop'], 'sensitive': True,
                    'any': [{'fields': [{'field': 'path', 'patterns': ['/shirts/*', '/polo\\d+/']}, {'field': 'attr.size', 'patterns': ['38']}]}],
                    'all': [{'fields': [{'field': 'event', 'patterns': ['view']}]}], 'none': [{'fields': [{'field': 'title', 'patterns': ['sale']}]}]}
    back = {key: [{f['field']: f['patterns'][0] if len(f['patterns']) == 1 else f['patterns'] for f in c['fields']} for c in told[key]] for key in ('any', 'all', 'none')}
    status, same = rules.edit(kind='category', id='men.shirts', set=back)
    assert status == 200 and same['patch'] == ''
    parent = rules.get('category', id='men')                 # it is there through its child
    assert parent['file'] is None and parent['name'] is None and parent['any'] == []
    assert rules.call('GET', 'category', id='women')[0] == 404
    server.write_rules('version: 1\ncategories:\n  - &a {id: coats, any: [{path: "/c/*"}]}\n  - *a\n')
    status, why = rules.call('GET', 'category', id='coats')
    assert status == 400 and 'anchors' in why['error']


def test_what_changes_categories_is_replayed_and_told(server):
    rules = Rules(server)
    visitors(server)
    text = SHOP.replace('/shoes/*', '/coats/*')
    status, d = rules.call('POST', 'diff', text, file='rules.yaml')
    walkers = {s['id']: s for s in d['segments']}['walkers']
    assert status == 200 and d['from_journal'] and d['categories'] == [{'id': 'shoes', 'change': 'changed'}]
    assert (walkers['before'], walkers['after'], walkers['enter'], walkers['leave'], walkers['stay']) == (60, 120, 120, 60, None)
    assert rules.get('status')['comparing'] is None and not [n for n in os.listdir(server.store) if n.startswith('crumb-diff')]
    assert on_disk(server) == SHOP


def test_a_comparison_is_a_question_as_all_others(server):
    """Who compares invented conditions learns no more than by asking: a group near one with a number gets that number."""
    rules = Rules(server)
    lines = [{'id': 'v%d' % v, 'u': 'https://s.example/coats/1'} for v in range(100)]
    server.import_lines(lines + [{'id': 'v%d' % v, 'u': 'https://s.example/shoes/1'} for v in range(7)])
    told = []
    for when in ('coats', 'coats and not shoes', 'coats and not (shoes and coats)'):
        status, e = rules.edit(kind='segment', id='keen', set={'when': when})
        status, d = rules.call('POST', 'diff', e['text'], file='rules.yaml')
        row = {s['id']: s for s in d['segments']}['keen']
        told.append((row['after'], row['enter'], row['leave']))
    assert len(set(told)) == 1 and told[0][0] == 100, told


def test_entries_come_and_go(server):
    rules = Rules(server)
    server.write_rules(MORE, 'more.yaml')
    status, e = rules.edit(kind='segment', id='new', set={'when': 'coats and\n  not shoes', 'name': 'Ünï: 外套'}, file='more.yaml')
    assert status == 200 and e['file'] == 'more.yaml' and e['text'].startswith(MORE)
    assert rules.edit(kind='segment', id='new', set={'when': 'coats'})[1]['file'] == 'rules.yaml'          # where most of the kind are
    status, c = rules.edit(kind='category', id='hats', set={'any': [{'path': '/hats/*'}]})
    assert status == 200 and '  - {id: hats, any: [{path: /hats/*}]}\n' in c['text'] or '  - id: hats\n' in c['text']
    status, like = rules.edit(kind='lookalike', id='like-keen', set={'seed': 'keen', 'reach': '5%'}, file='looks.yaml')
    assert status == 200 and like['text'] == "version: 1\n\nlookalikes:\n  - id: like-keen\n    seed: keen\n    reach: 5%\n" and '--- /dev/null' in like['patch']
    assert rules.publish(like['text'], 'looks.yaml')[0] == 200 and on_disk(server, 'looks.yaml') == like['text']
    status, gone = rules.edit(kind='segment', id='keen', remove=True)
    assert status == 200 and gone['text'] == SHOP.replace('''  # whom spring is for
  - id: keen
    name: "Keen"     # on pages
    when: coats >= 2

''', '')
    assert rules.undo()[0] == 200 and not os.path.exists(server.rules + '/looks.yaml')
    assert rules.undo()[0] == 200 and on_disk(server, 'looks.yaml') == like['text']


def test_wrong_edits_are_told(server):
    rules = Rules(server)
    for what, status, words in (({'kind': 'segment', 'id': 'nobody', 'remove': True}, 404, "no 'nobody'"), ({'kind': 'nonsense', 'id': 'keen', 'set': {}}, 400, 'kind is'),
                                ({'kind': 'segment', 'set': {}}, 400, 'id names'), ({'kind': 'segment', 'id': 'keen'}, 400, 'either set'),
                                ({'kind': 'segment', 'id': 'keen', 'set': {}, 'remove': True}, 400, 'either set'), ({'kind': 'segment', 'id': 'keen', 'set': {}, 'x': 1}, 400, "not 'x'"),
                                ({'kind': 'segment', 'id': 'keen', 'set': {'id': None}}, 400, 'needs one'), ({'kind': 'segment', 'id': 'keen', 'set': {'k%d' % i: 1 for i in range(51)}}, 400, '50 keys'), ({'kind': 'segment', 'id': 'x', 'set': {}, 'file': '../x.yaml'}, 400, "no '/'"),
                                ({'kind': 'category', 'id': 'shoes', 'set': {'any': [{'k%d' % i: 1 for i in range(51)}]}}, 400, '50 keys'),
                                ({'kind': 'segment', 'id': 'keen', 'set': {}, 'file': 'other.yaml'}, 400, 'is in rules.yaml')):
        got, j = rules.edit(**what)
        assert got == status and words in j['error'], (what, j)
    assert rules.call('POST', 'edit', '[1]')[0] == rules.call('POST', 'edit', 'no json')[0] == rules.call('POST', 'edit', b'\xff')[0] == 400
    server.write_rules(SHOP.replace('- id: walkers', '- &w\n    id: walkers'))
    status, j = rules.edit(kind='segment', id='keen', set={'when': 'shoes'})
    assert status == 400 and 'anchors' in j['error'] and 'when: shoes' in j['entry']                        # to be put in by hand
    status, j = rules.call('POST', 'check', SHOP.replace('when: shoes', 'when: shoos'), file='rules.yaml')
    assert status == 200 and not j['ok'] and j['problems'][0]['line'] == 15 and j['problems'][0]['file'] == 'rules.yaml' and "'shoes'" in j['problems'][0]['hint']
    assert rules.call('POST', 'diff', SHOP.replace('when: shoes', 'when: socks'), file='rules.yaml')[0] == 400


# --- publishing

def test_what_cannot_be_published_changes_nothing(server):
    rules = Rules(server)
    before, newest = everything(server), rules.get('status')['newest']
    status, j = rules.publish(SHOP.replace('when: shoes', 'when: socks'))
    assert status == 400 and "no category 'socks'" in j['error'] and j['problems'][0]['line'] == 15 and '+    when: socks' in j['patch']
    assert rules.publish(SHOP)[0] == 400                                                                    # it says this already
    status, j = rules.publish(SHOP + '# new\n', match='0' * 32)
    assert status == 409 and 'somebody was faster' in j['error'] and '+# new' in j['patch']
    assert rules.call('POST', 'publish', SHOP + '# new\n', file='rules.yaml', why='x')[0] == 400            # If-Match
    assert rules.call('POST', 'publish', SHOP + '# new\n', {'If-Match': rules.hash()}, file='rules.yaml')[0] == 400     # why
    assert rules.publish(SHOP.encode() + b'# \xff\n')[0] == 400 and rules.publish(SHOP + '# new\n', why=b'\xff')[0] == 400
    for name in ('../x.yaml', '/etc/x.yaml', 'a/x.yaml', '.hidden.yaml', '.yaml', 'x.txt', 'rules.yaml.before', 'x\n.yaml', 'model:x.yaml', 'y' * 300 + '.yaml'):
        status, j = rules.publish(MORE, name)
        assert status == 400 and 'cannot be a file of rules' in j['error'], name
        assert rules.call('POST', 'check', MORE, file=name)[0] == rules.call('GET', 'file', name=name)[0] == 400
    assert rules.call('GET', 'file', name='none.yaml')[0] == 404
    assert rules.undo()[0] == 400 and rules.call('GET', 'history/patch', n=1)[0] == 404
    assert everything(server) == before and rules.get('history') == [] and rules.get('status')['newest'] == newest


def test_when_the_server_refuses_the_file_is_put_back(server):
    """Destinations are read after the check: a file of them that breaks in between is what the loader refuses."""
    rules = Rules(server)
    before = everything(server)
    server.write_destinations('version: 1\ndestinations: [\n')
    status, j = rules.publish(SHOP + '# new\n')
    assert status == 400 and 'destinations.yaml' in j['error']
    assert everything(server) == before and rules.get('history') == [] and not [n for n in os.listdir(server.store + '/rules-history')] if os.path.exists(server.store + '/rules-history') else True


TITLED = SHOP.replace('segments:', '  - {id: winter, any: [{title: winter}]}\nsegments:')


def test_the_first_hit_after_a_publication_is_judged_by_it():
    """A title is not kept: what the rules of the hit's moment do not look for is not known later. The threads have waited for hits all the while."""
    server, browsers = Server(rules=SHOP, options=['collect.threads=3']), []
    try:
        server.start()
        browsers = [Browser(server) for _ in range(12)]     # connections are spread over the threads
        for b in browsers:
            b.keep()
            assert b.hit('/home') == 200 and b.hit('/home') == 200
        server.settle()
        status, j = Rules(server).publish(TITLED)
        assert status == 200, j
        for b in browsers:
            assert b.events({'e': 'view', 'u': 'https://shop.example/a', 't': 'A winter coat'}) == 204
        until(lambda: Rules(server).get('status')['complete'])
        server.settle()
        assert [b.count('winter') for b in browsers] == [1] * 12
    finally:
        for b in browsers:
            b.connection.close()
        server.close()


def test_of_many_publishers_one_is_the_first(server):
    rules = Rules(server)
    start, got = rules.hash(), []

    def publish(i):
        got.append(Rules(server).publish(SHOP + '# by %d\n' % i, match=start)[0])
    threads = [threading.Thread(target=publish, args=(i,)) for i in range(6)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert sorted(got) == [200] + [409] * 5 and len(rules.get('history')) == 1
    assert SHOP in on_disk(server) and rules.patch(1).count('+# by') == 1


def test_a_server_and_a_command_do_not_publish_at_once(server, tmp_path):
    """rules deploy has the same lock: while somebody else holds it nothing is written."""
    import fcntl
    rules, folder = Rules(server), os.open(server.rules, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    got = []
    t = threading.Thread(target=lambda: got.append(rules.publish(SHOP + '# new\n')[0]))
    t.start()
    assert rules.get('files') and on_disk(server) == SHOP
    os.close(folder)
    t.join()
    assert got == [200]


def test_a_folder_that_is_closed_hands_out_a_patch(tmp_path):
    s = Server(rules=SHOP, options=['rules.editable=no'])
    s.start()
    rules = Rules(s)
    try:
        j = rules.get('files')
        assert not j['editable'] and 'rules.editable' in j['why'] and 'crumb rules deploy' in j['why']
        status, j = rules.publish(SHOP + '# new\n')
        assert status == 403 and 'crumb rules deploy' in j['error'] and patched(j['patch'], SHOP, tmp_path) == SHOP + '# new\n'
        assert rules.undo()[0] == 400 and on_disk(s) == SHOP           # nothing was published
        assert rules.edit(kind='segment', id='keen', set={'when': 'coats'})[0] == 200
    finally:
        s.close()


def test_an_undo_of_a_folder_that_is_closed_is_a_patch(server, tmp_path):
    """By the API and by the command, beside a server and without one; nothing is changed."""
    rules, new = Rules(server), SHOP + '# new\n'
    assert rules.publish(new)[0] == 200
    server.options.append('rules.editable=no')
    server.restart()
    status, j = rules.undo()
    assert status == 403 and 'crumb rules deploy' in j['error'] and patched(j['patch'], new, tmp_path) == SHOP
    said = server.cli('rules', 'undo', ok=(1,))
    assert said.stdout == j['patch'] and 'crumb rules deploy' in said.stderr
    server.stop()
    said = server.cli('rules', 'undo', ok=(1,))
    assert said.stdout == j['patch'] and 'crumb rules deploy' in said.stderr and on_disk(server) == new
    server.write_rules(new + '# by hand\n')
    said = server.cli('rules', 'undo', ok=(1,))
    assert said.stdout == '' and 'by hand' in said.stderr


def test_a_folder_that_cannot_be_written_to_hands_out_a_patch(tmp_path):
    """As under the shipped unit, which mounts it read-only."""
    s = Server(rules=SHOP)
    mount = ['unshare', '-m', 'sh', '-c', 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"', s.rules]
    if subprocess.run(mount + ['true'], capture_output=True).returncode:
        pytest.skip('nothing can be mounted here')
    s.start(command=mount)
    rules = Rules(s)
    try:
        j = rules.get('files')
        assert not j['editable'] and 'Read-only file system' in j['why']
        status, j = rules.publish(SHOP + '# new\n')
        assert status == 403 and patched(j['patch'], SHOP, tmp_path) == SHOP + '# new\n' and on_disk(s) == SHOP
    finally:
        s.close()


def test_who_published_stands_in_the_history(server):
    tokens = {role: server.cli('token', 'add', role[:4], '--role', role).stdout.strip() for role in ('viewer', 'marketer')}
    rules, operator = Rules(server), server.token
    match = rules.hash()
    for role, status in (('viewer', 403), ('marketer', 200)):
        server.token = tokens[role]
        assert rules.publish(SHOP + '# new\n', match=match)[0] == status and rules.get('files') and isinstance(rules.get('history'), list)
        assert rules.edit(kind='segment', id='keen', set={'when': 'coats'})[0] == status
    server.token = operator
    (h,) = rules.get('history')
    assert h['who'] == 'mark' and h['role'] == 'marketer'


def test_undo_is_refused_when_files_were_changed_by_hand(server):
    rules = Rules(server)
    assert rules.publish(SHOP + '# new\n')[0] == 200
    server.write_rules(SHOP + '# new\n# by hand\n')
    status, j = rules.undo()
    assert status == 409 and 'by hand' in j['error'] and on_disk(server).endswith('# by hand\n')
    server.write_rules(SHOP + '# new\n')
    server.write_rules(MORE, 'more.yaml')
    assert rules.undo()[0] == 409
    os.unlink(server.rules + '/more.yaml')
    assert rules.undo()[0] == 200 and on_disk(server) == SHOP


def test_files_of_all_kinds(server, tmp_path):
    rules = Rules(server)
    text = '\ufeff' + MORE.replace('\n', '\r\n').replace('id: more', 'id: more, name: "معطف"')
    assert rules.publish(text, 'معطف 外套.yaml')[0] == 200 and rules.text('معطف 外套.yaml') == text and on_disk(server, 'معطف 外套.yaml') == text
    status, e = rules.edit(kind='segment', id='more', set={'when': 'coats >= 3'})
    assert status == 200 and e['text'] == text.replace('>= 2', '>= 3')
    assert rules.publish(e['text'], e['file'])[0] == 200 and patched(rules.patch(2), text, tmp_path, e['file']) == e['text']
    os.chmod(server.rules + '/rules.yaml', 0o640)
    long = SHOP + ''.join('# %06d %s\n' % (i, 'x' * 90) for i in range(10500))              # more than a megabyte
    assert rules.publish(long)[0] == 200 and rules.text() == long and os.stat(server.rules + '/rules.yaml').st_mode & 0o777 == 0o640
    start = time.monotonic()
    status, e = rules.edit(kind='segment', id='walkers', set={'owner': 'anna'})
    assert status == 200 and e['text'] == long.replace('when: shoes\n', 'when: shoes\n    owner: anna\n') and time.monotonic() - start < 5 * SLOW
    assert server.http('POST', '/v1/rules/check?file=rules.yaml', b'#' * (5 << 20), admin=True)[0] == 413


# --- the command line

def test_history_and_undo_as_commands(server):
    rules = Rules(server)
    visitors(server)
    assert 'nothing was published yet' in server.cli('rules', 'history').stdout
    assert 'nothing to undo' in server.cli('rules', 'undo', ok=(1,)).stderr
    new = SHOP.replace('coats >= 2', 'coats')
    assert rules.publish(new, why='wider & better')[0] == 200
    until(lambda: rules.get('status')['complete'])
    text = server.cli('rules', 'history').stdout
    assert 'rules.yaml  wider & better' in text and 'keen: 80 → 120' in text
    assert server.cli('rules', 'history', '--patch', '1').stdout == rules.patch(1) and server.cli('rules', 'history', '--patch', '9', ok=(1,))
    j = server.js('rules', 'undo', '--why', 'zu weit: "1 & 2"')
    assert j['n'] == 2 and j['file'] == 'rules.yaml' and on_disk(server) == SHOP and server.sizes()['keen'] == 80
    assert rules.get('history')[0]['why'] == 'zu weit: "1 & 2"' and server.js('rules', 'history') == rules.get('history')
    server.write_rules(SHOP + '# by hand\n')
    assert 'by hand' in server.cli('rules', 'undo', ok=(1,)).stderr
    server.write_rules(SHOP)
    server.stop()
    assert 'publication 3' in server.cli('rules', 'undo').stdout and on_disk(server) == new     # without a server
    assert [(h['n'], h['undoes'], h['segments']) for h in server.js('rules', 'history')][0] == (3, 2, [])
    server.start()
    assert server.sizes()['keen'] == 120 and rules.undo()[0] == 200 and on_disk(server) == SHOP
    assert rules.publish(SHOP + '  - {id: nobody, when: coats >= 900}\n', why='few')[0] == 200
    until(lambda: rules.get('status')['complete'])
    assert 'nobody: – → –' in server.cli('rules', 'history').stdout, 'what is not told is no question mark'


# --- what a crash leaves

def entry(server, n, **change):
    """One publication's file in the history, changed."""
    path = os.path.join(server.store, 'rules-history', '%08d.json' % n)
    with open(path) as f:
        j = json.load(f)
    j.update(change)
    with open(path, 'w') as f:
        json.dump(j, f)


def test_what_was_half_published_is_whole_or_not_there(server):
    rules = Rules(server)
    new = SHOP + '# new\n'
    assert rules.publish(new)[0] == 200
    server.stop()
    entry(server, 1, state='begun')             # a crash behind the rename
    server.start()
    assert [h['n'] for h in rules.get('history')] == [1] and on_disk(server) == new
    assert rules.undo()[0] == 200 and on_disk(server) == SHOP
    server.stop()
    entry(server, 2, state='begun')
    server.write_rules(new)                     # a crash before the rename: the file is as it was
    server.start()
    assert [h['n'] for h in rules.get('history')] == [1]
    assert sorted(os.listdir(server.store + '/rules-history')) == ['00000001.before', '00000001.json', '00000001.patch']
    assert rules.undo()[0] == 200 and on_disk(server) == SHOP and rules.get('history')[0]['n'] == 2
    server.stop()
    os.unlink(server.store + '/rules-history/00000002.json')   # a crash before all of it was written
    server.write_rules(new)
    server.start()
    assert [h['n'] for h in rules.get('history')] == [1] and len(os.listdir(server.store + '/rules-history')) == 3


def test_a_damaged_history_is_told_and_undoes_nothing(server):
    rules = Rules(server)
    assert rules.publish(SHOP + '# new\n')[0] == 200 and rules.get('history')[0]['n'] == 1
    for change in ({'file_before': None}, {'file': None}, {'file': 7}, {'file': '../rules.yaml'}, {'segments': [7]}, {'segments': [{'id': None}], 'state': 'done'}):
        with open(server.store + '/rules-history/00000001.json') as f:
            whole = f.read()
        entry(server, 1, **change)
        status, j = rules.undo()
        assert status == 500 and 'damaged' in j['error'] and on_disk(server) == SHOP + '# new\n', change
        assert rules.get('history') == []
        with open(server.store + '/rules-history/00000001.json', 'w') as f:
            f.write(whole)
    assert rules.undo()[0] == 200 and on_disk(server) == SHOP


def test_aliases_cannot_fill_the_memory(server):
    rules = Rules(server)
    many = ', '.join('{path: "/p%d/*"}' % i for i in range(5000))
    text = 'version: 1\ncategories:\n  - {id: b, any: &b [%s]}\n' % many + ''.join('  - {id: c%d, any: *b}\n' % i for i in range(20000))
    anchors = 'version: 1\nx: [' + ''.join('&a%d 1,' % i for i in range(300000)) + ']\n'
    for what in (text, anchors):
        status, j = rules.call('POST', 'check', what, file='more.yaml')
        assert status == 200 and [p['code'] for p in j['problems']] == ['too-repeated']
        assert rules.publish(what, 'more.yaml')[0] == 400


def test_killed_at_any_moment_the_history_and_the_files_agree(server):
    rules = Rules(server)
    texts = [SHOP, SHOP + '# new\n']
    for i in range(6):
        t = threading.Thread(target=lambda: [Rules(server).undo() if rules.get('history') else rules.publish(texts[1]) for _ in range(50)], daemon=True)
        threading.excepthook = lambda args: None        # the server goes away under it
        t.start()
        time.sleep(0.05 + 0.03 * i)
        server.stop(signal.SIGKILL)
        t.join()
        server.start()
        history = rules.get('history')
        assert on_disk(server) in texts
        if history:
            assert history[0]['hash'] == rules.hash() and [h['n'] for h in history] == list(range(len(history), 0, -1))
            assert history[0]['file'] == 'rules.yaml' and rules.patch(history[0]['n']).startswith('--- a/rules.yaml')


def test_the_history_is_of_ninety_days(server):
    rules = Rules(server)
    assert rules.publish(SHOP + '# 1\n')[0] == 200
    server.advance('60d')
    assert rules.publish(SHOP + '# 2\n')[0] == 200
    server.advance('31d')
    assert rules.publish(SHOP + '# 3\n')[0] == 200
    assert [h['n'] for h in rules.get('history')] == [3, 2]
    server.advance('200d')
    server.restart()
    assert [h['n'] for h in rules.get('history')] == [3]        # the newest can be undone, however old it is
    assert rules.undo()[0] == 200 and on_disk(server) == SHOP + '# 2\n'
