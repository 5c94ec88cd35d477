"""The k gate over thirty days: an attacker who may ask every outlet about groups, as often as they like, wants to know of one visitor.

What they may not be able to tell: whether somebody whom a condition singles out is in a group, from two answers of which one has them and the other does not, on one day or
on two; when somebody comes and goes at the border of k, from any outlet, over restarts, without a server; exact numbers, from shares. CRUMB_SEEDS=20 tries more."""
import json
import os
import random
import re
import signal
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'functional'))
from harness import SLOW, Server  # noqa: E402

K = 20
SEEDS = int(os.environ.get('CRUMB_SEEDS', '1'))
RULES = '''version: 1
categories:
  - {id: coats, any: [{path: "/coats/*"}]}
  - {id: boots, any: [{path: "/boots/*"}]}
segments:
  - {id: border, when: boots in 1d, destinations: [lake]}
  - {id: others, when: coats and not boots}
'''
DESTINATIONS = 'version: 1\ndestinations:\n  - {id: lake, format: csv, deliver: {directory: %s/lake}}\n'


@pytest.fixture
def start():
    servers = []

    def new(rules=RULES):
        server = Server(rules=rules, k=K)
        servers.append(server)
        server.write_destinations(DESTINATIONS % server.dir)
        return server.start()
    yield new
    for s in servers:
        s.close()


def ask(server, condition):
    status, _, data = server.http('POST', '/v1/ask/preview', condition, admin=True)
    assert status == 200, (condition, data)
    return json.loads(data)['size']


def crowd(server, n, house):
    """`house` says where each lives; a condition can tell houses apart."""
    t = server.now()
    server.import_lines([{'id': 'v%d' % i, 't': t, 'u': 'https://s.example/coats/1', 'a.h': house(i)} for i in range(n)])


def listed(houses):
    return 'attr.h in (%s)' % ', '.join(houses)


@pytest.mark.parametrize('seed', range(SEEDS))
def test_two_answers_do_not_tell_of_one_visitor_whichever_day_they_are_of(start, seed):
    """Thirty days, each with a handful of groups: with the visitor on one day, without on the next, or the other way round. The visitor is there or not; nobody else acts."""
    rng = random.Random(seed)
    for there in (True, False):
        server = start()
        crowd(server, 700, lambda i: 'h%d' % (i % 100))
        if there:
            server.import_lines([{'id': 'target', 't': server.now(), 'u': 'https://s.example/coats/1', 'a.h': 'target'}])
        bases, found = {}, []
        for day in range(30):
            for _ in range(4):
                base = listed('h%d' % i for i in sorted(rng.sample(range(100), rng.randint(4, 60))))
                pair = ['(%s) or attr.h = target' % base, '(%s) and not attr.h = target' % base, base]
                rng.shuffle(pair)
                bases[base] = (day, ask(server, pair[0]), pair[1:])
            for base, (asked, told, rest) in bases.items():
                if asked == day - 1:
                    found += [(base, told, again) for again in (ask(server, q) for q in rest) if again != told]
            server.advance('1d')
        assert not found, (there, len(found), found[0])


def test_no_search_between_two_groups_tells_of_one_visitor(start):
    """Questions that get another's number cost something, too: else one could look for the place where the number of one group becomes that of the other."""
    server, rng = start(), random.Random(5)
    crowd(server, 230, lambda i: 'low' if i < 100 else 'm%d' % (i - 100) if i < 130 else 'far')
    server.import_lines([{'id': 'target', 't': server.now(), 'u': 'https://s.example/coats/1', 'a.h': 'target'}])
    assert ask(server, 'attr.h = low') == 100 and ask(server, listed(['low', 'target'] + ['m%d' % i for i in range(30)])) == 130
    for j in rng.sample(range(31), 31):
        houses = ['low'] + ['m%d' % i for i in range(j)]
        pair = [listed(houses), listed(houses + ['target'])]
        rng.shuffle(pair)
        told = [ask(server, q) for q in pair]
        assert told[0] == told[1], (j, told)


def outlets(server, rng):
    """What each outlet says of the group at the border: None where nothing."""
    found = {'list': server.sizes()['border'], 'show': server.js('segments', 'show', 'border')['size'],
             'api': {s['id']: s['size'] for s in json.loads(server.http('GET', '/v1/segments', admin=True)[2])}['border'],
             'preview': ask(server, 'boots in 1d'), 'overlap': server.js('segments', 'overlap', 'border', 'others')['a']['size'],
             'category in a condition': ask(server, 'segment(border)')}
    e = server.cli('export', 'border', '--out', server.dir + '/out-%d' % rng.randrange(10 ** 9), '--json', ok=(0, 1))
    found['export'] = json.loads(e.stdout).get('rows') or None if e.returncode == 0 else None
    found['similar'] = [r['size'] for r in server.js('lookalike', 'similar', 'others', ok=(0, 1)) if r['id'] == 'border'] or None
    # of the days before, whatever is small
    for d in server.js('segments', 'show', 'border')['days'][:-1]:
        if d['size'] is not None and d['size'] < K + 10:
            found['day ' + d['day']] = d['size']
        for n in ('entered', 'left'):
            assert d[n] is None or d[n] >= K, d
    return found


def test_who_comes_and_goes_at_the_border_shows_nowhere_for_thirty_days(start):
    """19 come each day, and one more on some days. Told once, the group is small the next day, and after that no outlet says a number: with the server, after it was restarted or killed, without it."""
    server, rng = start(), random.Random(3)
    crowd(server, 200, lambda i: 'h')
    shown, fallen = [], False
    for day in range(30):
        one_more = day == 0 or (day > 1 and rng.random() < 0.5)
        server.import_lines([{'id': 'b%d' % i, 't': server.now(), 'u': 'https://s.example/boots/1'} for i in range(K - 1 + one_more)])
        server.settle()
        told = {name: n for name, n in outlets(server, rng).items() if n is not None}
        if fallen:
            assert not told, (day, one_more, told)
        elif one_more:
            assert told['list'] == K and told['preview'] == K
        fallen |= not one_more
        if day % 5 == 4:                                    # the command line alone
            server.stop(signal.SIGKILL if rng.random() < 0.5 else signal.SIGTERM)
            assert server.sizes()['border'] is None and server.js('segments', 'overlap', 'border', 'others')['a']['size'] is None
            server.start()
        elif rng.random() < 0.3:
            server.restart(signal.SIGKILL)
        shown.append(one_more)
        server.advance('1d')
    assert 8 < sum(shown) < 25
    # k + 10: told again, everywhere
    server.import_lines([{'id': 'b%d' % i, 't': server.now(), 'u': 'https://s.example/boots/1'} for i in range(K + 10)])
    server.settle()
    told = outlets(server, rng)
    assert told['list'] == told['show'] == told['api'] == told['overlap'] == K + 10 and told['export'] == K + 10


def test_what_was_told_is_read_whatever_the_file_holds(start):
    server = start()
    crowd(server, 60, lambda i: 'h')
    assert server.sizes()['others'] == 60
    server.stop()
    told = server.store + '/told'
    with open(told, 'rb') as f:
        whole = f.read()
    assert b'+ s others\n' in whole and os.stat(told).st_mode & 0o77 == 0
    for junk in (b'', b'\0' * 5000, whole[:-3], b'- s others', b'x' * 100000 + b'\n' + whole, b'+ s \n- \n+\n' + whole):
        with open(told, 'wb') as f:
            f.write(junk)
        server.start()
        assert server.sizes()['others'] == 60
        server.stop()
    os.unlink(told)
    os.mkdir(told)                                          # it cannot be written: said, and no failure
    server.start()
    assert server.sizes()['others'] == 60 and 'what was told is not kept' in server.logged()
    server.stop()
    os.rmdir(told)
    server.start()


LOOKALIKE = RULES + '''  - {id: buyers, when: attr.buys = yes}
lookalikes:
  - {id: like-buyers, seed: buyers, reach: 10%}
'''


def test_shares_give_no_numbers_away(start):
    """Six digits of a share name the two numbers that it is a share of: 0.384615 is 5 of 13. What is told of a model is coarse, and made of numbers that are told."""
    server, rng = start(LOOKALIKE), random.Random(2)
    t, lines = server.now(), []
    for i in range(1200):
        buys = rng.random() < 0.12
        for path in ('coats',) * rng.randint(1, 5) + ('boots',) * ((rng.random() < 0.7) if buys else (rng.random() < 0.2)):
            lines.append({'id': 'v%d' % i, 't': t, 'u': 'https://s.example/%s/1' % path, 'a.buys': 'yes' if buys else 'no'})
    server.import_lines(lines)
    r = server.js('lookalike', 'train', 'like-buyers')
    assert r['seed'] % 10 == 0 and r['population'] % 10 == 0
    server.stop()
    with open(server.store + '/models/like-buyers.json') as f:
        model = json.load(f)
    digits = lambda x, n: x is None or abs(x - round(x, n)) < 1e-9
    assert digits(model['auc'], 3) and digits(model['activity_auc'], 3) and digits(model['lift_at_10'], 2)
    for p in model['curve']:
        assert all(digits(p[x], 2) for x in ('recall', 'low', 'high', 'activity_recall')), p
        assert abs(p['precision'] - min(1, p['lift'] * model['seed_members'] / (model['population'] - model['seed_members']))) < 1e-4, p
    whole = {'seed': model['seed_members'], 'others': None}
    for f in model['features']:
        assert digits(f['seed'], 2) and digits(f['others'], 2)
        if f['seed'] is not None:
            assert any(abs(f['seed'] - round(min(n / whole['seed'], 1), 2)) < 1e-9 for n in range(0, whole['seed'] + 20, 10)), f
    server.start()
