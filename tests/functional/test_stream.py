"""The stream of enters and leaves: whole state first, then changes, at least once, from any position, across crashes and compaction, behind the gate."""
import json
import random
import signal
import time
import urllib.parse

import pytest
from harness import Browser
from test_rules import reload

RULES = '''version: 1
categories:
  - {id: coats, any: [{path: "/coats/*"}]}
  - {id: shoes, any: [{path: "/shoes/*"}]}
  - {id: buy, any: [{event: purchase}]}
segments:
  - {id: intenders, when: coats and not buy in 30d, destinations: [live]}
  - {id: coats-7d, when: coats in 7d, destinations: [live]}
  - {id: shoes, when: shoes, destinations: [live]}
  - {id: own, when: coats}
'''
DESTINATIONS = 'version: 1\npartners: [{id: live, redirects: ["https://live.example/"]}]\ndestinations:\n  - {id: live, format: stream}\n  - {id: lake, format: csv}\n'


class Client:
    """Keeps what it is told, as a server that personalises pages would."""
    def __init__(self, server):
        self.server, self.at, self.rows, self.said = server, '', set(), []

    def take(self, wait=0, to='live'):
        status, _, data = self.server.http('GET', '/v1/stream?to=%s&wait=%d' % (to, wait), headers={'Last-Event-ID': self.at}, admin=True)
        assert status == 200, data
        n = 0
        for block in data.decode().split('\n\n'):
            event = dict(l.split(': ', 1) for l in block.splitlines() if not l.startswith(':'))
            if not event:
                continue
            d = json.loads(event['data'])
            self.said.append(event['event'])
            if event['event'] == 'reset':
                self.rows.clear()
            elif event['event'] == 'enter':
                self.rows.add((d['id'], d['segment']))
            elif event['event'] == 'leave':
                self.rows.discard((d['id'], d['segment']))
            self.at = event.get('id', self.at)
            n += 1
        return n

    def all(self):
        self.server.settle()
        for _ in range(50):
            if not self.take():
                return self.rows
        raise AssertionError('no end')

    def count(self, segment):
        return sum(s == segment for _, s in self.rows)


def look(server, n, path='/coats/1', first=0, **more):
    t = server.now()
    server.import_lines([{'id': 'v%d' % i, 't': t, 'u': 'https://s.example' + path, **more} for i in range(first, first + n)])


@pytest.fixture
def server(make):
    return make(rules=RULES, destinations=DESTINATIONS, options=['stream.keep_h=24'])


def test_state_then_changes(server):
    look(server, 30)
    c = Client(server)
    assert c.all() and c.said[0] == 'reset' and 'state' in c.said
    assert (c.count('intenders'), c.count('coats-7d'), c.count('own')) == (30, 30, 0)
    look(server, 3, path='/x', e='purchase')
    look(server, 2, first=50)
    assert c.all() and (c.count('intenders'), c.count('coats-7d')) == (29, 32) and c.said.count('reset') == 1
    server.advance('7d')
    assert (c.all(), c.count('intenders'), c.count('coats-7d')) == (c.rows, 29, 0)
    server.restart(signal.SIGKILL)
    look(server, 1, first=80)
    assert c.all() and c.count('intenders') == 30


def test_the_answer_waits_for_something_to_say(server):
    look(server, 30)
    c = Client(server)
    c.all()
    assert c.take() == 0
    b = Browser.known(server)
    b.hit('/coats/1')
    began = time.monotonic()
    assert c.take(wait=25) > 0 and time.monotonic() - began < 25    # before its time is over
    ours = b.request('GET', '/sync?' + urllib.parse.urlencode({'partner': 'live', 'redirect': 'https://live.example/?u=$UID'}))[1].getheader('Location').split('u=')[1]
    assert (ours, 'intenders') in c.rows            # the id that the personalisation server got by sync


def test_below_k_nobody_enters_and_growing_says_all(server):
    look(server, 30)
    look(server, 19, path='/shoes/1')
    c = Client(server)
    c.all()
    assert c.count('shoes') == 0
    look(server, 1, path='/shoes/1', first=19)
    assert c.all() and c.count('shoes') == 20 and c.said.count('reset') == 2
    server.cli('visitor', 'erase', '--id', 'v3')
    assert c.all() and c.count('shoes') == 19 and c.count('intenders') == 29       # a leave is always said


def test_rules_that_change_begin_anew_and_compaction_does_not(server):
    look(server, 30)
    c = Client(server)
    c.all()
    assert server.http('POST', '/v1/compact', admin=True)[0] == 200
    look(server, 4, path='/x', e='purchase')
    assert c.all() and c.count('intenders') == 26 and c.said.count('reset') == 1
    reload(server, RULES.replace('coats in 7d', 'coats in 9d'))
    assert c.all() and c.said.count('reset') == 2 and c.count('coats-7d') == 30


def test_random_acts_and_old_positions(server):
    rng = random.Random(3)
    look(server, 120)
    clients = [Client(server) for _ in range(3)]
    for step in range(25):
        act = rng.choice(['look', 'look', 'buy', 'clock', 'crash', 'compact', 'erase'])
        if act == 'look':
            look(server, rng.randint(1, 60), path=rng.choice(['/coats/1', '/shoes/1']), first=rng.randrange(150))
        elif act == 'buy':
            look(server, 10, path='/x', first=rng.randrange(100), e='purchase')
        elif act == 'clock':
            server.advance(rng.choice(['3h', '1d', '6d']))
        elif act == 'crash':
            server.restart(signal.SIGKILL)
        elif act == 'compact':
            server.http('POST', '/v1/compact', admin=True)
        else:
            server.cli('visitor', 'erase', '--id', 'v%d' % rng.randrange(100), ok=(0, 1))
        for c in clients:
            if rng.random() < 0.4:
                c.take()
    whole = Client(server).all()
    assert whole and all(c.all() == whole for c in clients)


MANY = 'version: 1\ncategories:\n' + ''.join('  - {id: c%d, any: [{path: "/c%d"}]}\n' % (i, i) for i in range(70)) + 'segments:\n' + \
    ''.join('  - {id: s%02d, when: c%d, destinations: [live]}\n' % (i, i) for i in range(70))


def test_more_segments_than_a_word_has_bits(make):
    server = make(rules=MANY, destinations=DESTINATIONS, options=['stream.keep_h=24'])
    t = server.now()
    server.import_lines([{'id': 'v%d' % i, 't': t, 'u': 'https://s.example/c%d' % c} for c in list(range(3)) + list(range(60, 64)) for i in range(25)])
    c = Client(server)
    c.all()
    assert [c.count('s%02d' % i) for i in (0, 2, 63, 64, 66, 69)] == [25, 25, 25, 0, 0, 0] and c.said.count('reset') == 1
    for n, segment in enumerate((64, 66, 69)):          # each of them opens while that of its bit in the first word is open, or not
        for some in (range(10), range(10, 25)):         # those of below k are said when it opens
            server.import_lines([{'id': 'w%d' % i, 't': t, 'u': 'https://s.example/c%d' % segment} for i in some])
            c.all()
        assert c.count('s%d' % segment) == 25 and c.said.count('reset') == 2 + n
    server.restart()
    server.import_lines([{'id': 'x', 't': t, 'u': 'https://s.example/c69'}])
    c.all()
    assert c.count('s69') == 26 and c.said.count('reset') == 4
    assert c.rows == Client(server).all()


def test_what_is_no_stream_says_so(server, make):
    for path, status in (('?to=nobody', 404), ('?to=lake', 400), ('?to=live&after=nonsense', 400), ('?to=live&after=1.aaaaaaaa.1.0.1', 400), ('?to=live&after=1.aaaaaaaa.1.0x1.1,1,1,1', 400), ('?to=live&after=1.aaaaaaaa.1..1,1,1,1', 400), ('?to=live&after=1.aaaaaaaa.1.%s.1,1,1,1' % ('f' * 999), 200), ('', 400)):
        assert server.http('GET', '/v1/stream' + path, admin=True)[0] == status
    assert server.http('GET', '/v1/stream?to=live')[0] == 404
    off = make(rules=RULES, destinations=DESTINATIONS)
    assert b'stream.keep_h' in off.http('GET', '/v1/stream?to=live', admin=True)[2]
