"""The report of the day: what one scan tells about segments, categories and journeys, once, alike to all."""
import datetime
import json
import os
import random

import pytest
from harness import CHROME, DAY, Server, until

K = 20
PHONE = 'Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Mobile Safari/537.36'
TABLET = 'Mozilla/5.0 (iPad; CPU OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1'
AGENTS = {'desktop': CHROME, 'mobile': PHONE, 'tablet': TABLET}
RULES = '''version: 1
categories:
  - {id: clothes.coats, name: Coats, any: [{path: "/coats/*"}]}
  - {id: clothes.hats, any: [{path: "/hats/*"}]}
  - {id: boots, any: [{path: "/boots/*"}]}
  - {id: rare, any: [{path: "/rare/*"}]}
  - {id: cart, any: [{event: add_to_cart}]}
  - {id: buy, any: [{event: purchase}]}
segments:
  - {id: keen, when: coats >= 2 in 14d}
  - {id: coats-ever, when: coats}
  - {id: lookers, when: clothes and boots in 30d and not buy in 30d}
  - {id: buyers, when: buy}
  - {id: few, when: rare}
journeys:
  - {id: buying, name: To the till, from: coats, steps: [cart, buy, hats], within: 14d}
'''
PATHS = {'coats': '/coats/1', 'hats': '/hats/1', 'boots': '/boots/1', 'rare': '/rare/1', 'other': '/about'}


def tell(server, path, query='', method='GET'):
    status, _, data = server.http(method, path + ('?' + query if query else ''), admin=True)
    return status, json.loads(data)


def told(server, path, query='', method='GET'):
    status, answer = tell(server, path, query, method)
    assert status == 200, answer
    return answer


@pytest.fixture()
def server():
    s = Server(rules=RULES, k=K).start()
    yield s
    s.close()


class Shop:
    """Visitors whom this test remembers: id, device, and what they did on which day, all of it before noon."""
    def __init__(self, server, seed):
        self.server, self.rng, self.people, self.lines = server, random.Random(seed), {}, []

    def act(self, who, day, what):
        person = self.people.setdefault(who, {'device': self.rng.choices(list(AGENTS), (60, 37, 3))[0], 'did': []})
        person['did'].append((day, what))
        line = {'id': who, 't': day * DAY + 3600, 'ua': AGENTS[person['device']]}
        line.update({'cart': {'e': 'add_to_cart', 'u': 'https://s.example/cart'}, 'buy': {'e': 'purchase', 'u': 'https://s.example/till'}}.get(
            what) or {'u': 'https://s.example' + PATHS[what]})
        self.lines.append(line)

    def send(self):
        self.server.import_lines(self.lines)
        self.lines = []
        self.server.settle()

    def crowd(self, n, today):
        """With tastes that overlap, so that groups are near to each other now and then."""
        for i in range(n):
            who, taste = 'v%d' % len(self.people), self.rng.random()
            for _ in range(self.rng.randrange(1, 6)):
                what = self.rng.choices(list(PATHS) + ['cart', 'buy'], (40 if taste < 0.5 else 4, 10, 25, 0.3, 20, 8, 5))[0]
                self.act(who, today - self.rng.randrange(0, 40), what)

    def having(self, *what, since=0, day=None, least=1):
        return {w for w, p in self.people.items() if sum(d >= since and (day is None or d == day) and x in what for d, x in p['did']) >= least}

    def categories(self):
        return {'clothes': self.having('coats', 'hats'), 'clothes.coats': self.having('coats'), 'clothes.hats': self.having('hats'),
                'boots': self.having('boots'), 'rare': self.having('rare'), 'cart': self.having('cart'), 'buy': self.having('buy')}

    def segments(self, today):
        return {'keen': self.having('coats', since=today - 13, least=2), 'coats-ever': self.having('coats'), 'buyers': self.having('buy'), 'few': self.having('rare'),
                'lookers': (self.having('coats', 'hats') & self.having('boots', since=today - 29)) - self.having('buy', since=today - 29)}

    def clauses(self, today):
        first = self.having('coats', 'hats')
        second = first & self.having('boots', since=today - 29)
        return {('lookers', 0): first, ('lookers', 1): second}

    def path(self, who, start='clothes.coats', steps=('cart', 'buy', 'clothes.hats'), within=14):
        """The steps of a visitor with the days they took; None: never began."""
        names = {'clothes.coats': 'coats', 'clothes.hats': 'hats'}
        days = lambda c: sorted(d for d, x in self.people[who]['did'] if x == names.get(c, c))
        if not days(start):
            return None
        begun = now = days(start)[0]
        taken = []
        while len(taken) < 3:
            coming = [(d, steps.index(s), s) for s in steps if s not in [t for t, _ in taken] for d in days(s) if now <= d < begun + within]
            if not coming:
                break
            now, _, step = min(coming)
            taken.append((step, now - begun))
        return taken


def rounded(n):
    return (n + 5) // 10 * 10


def groups_of(server, shop, today):
    """Everything the report tells: {name: (number or None, the visitors)}; names of groups that lists tell, too, have one part."""
    out, categories, segments, clauses = {('everybody',): (None, set(shop.people))}, shop.categories(), shop.segments(today), shop.clauses(today)
    for s, members in segments.items():
        r = told(server, '/v1/report/segment', 'id=' + s)
        assert r['id'] == s and r['made'] and r['words'].startswith('Visitors who ')
        out[('everybody',)] = (r['visitors'], set(shop.people))
        out[(s,)] = (r['size'], members)
        for c in r['categories']:
            out[(s, 'category', c['id'])] = (c['visitors'], members & categories[c['id']])
        assert [d['id'] for d in r['devices']].count('desktop') == 1 and len(r['devices']) == 6
        for d in r['devices']:
            out[(s, 'device', d['id'])] = (d['visitors'], {w for w in members if shop.people[w]['device'] == d['id']})
        for c in r['nearest']:
            out[(s, 'near', c['id'])] = (c['both'], members & segments[c['id']])
        for i, c in enumerate(r['funnel'][:-1]):
            out[(s, 'clause', i)] = (c['size'], clauses[s, i])
        assert r['funnel'][-1]['size'] == r['size']
    for c in server.js('categories', 'list'):
        if c['id'] in categories:
            out[('category ' + c['id'],)] = (c['visitors'], categories[c['id']])
    paths = {w: shop.path(w) for w in shop.people}
    for j in told(server, '/v1/report/journeys')['journeys']:
        out[('journey', '')] = (j['visitors'], {w for w, p in paths.items() if p is not None})
        for p in j['paths']:
            out[('journey', tuple(p['steps']))] = (p['visitors'], {w for w, way in paths.items() if way and tuple(s for s, _ in way[:len(p['steps'])]) == tuple(p['steps'])})
    return out


def no_two_are_near(groups):
    """No pair of numbers that differ, of groups that fewer than k visitors tell apart; and each number is its own or that of a near one."""
    known = {name: (n, who) for name, (n, who) in groups.items() if n is not None}
    everybody, all_told = known[('everybody',)][1], known[('everybody',)][0]
    for name, (n, who) in known.items():
        assert len(who) >= K, (name, n, len(who))
        near = {other: m for other, (m, them) in known.items() if other != name and len(who ^ them) < K}
        rest = {all_told - m for other, (m, them) in known.items() if len(who ^ (everybody - them)) < K}
        assert n in {rounded(len(who))} | set(near.values()) | rest, (name, n, len(who), near, rest)
        for other, m in near.items():
            assert m == n or len(name) == len(other) == 1, (name, n, len(who), other, m, len(groups[other][1]))


def test_without_a_report_lists_are_empty(server):
    assert tell(server, '/v1/report') == (200, {'made': None, 'day': None, 'rules': None, 'current': False, 'running': False})
    segment = told(server, '/v1/report/segment', 'id=keen')
    assert segment['made'] is None and segment['size'] is None
    assert [segment[k] for k in ('categories', 'devices', 'countries', 'nearest', 'funnel')] == [[]] * 5
    assert told(server, '/v1/report/categories') == {'made': None, 'days': [], 'categories': []}
    assert told(server, '/v1/report/journeys') == {'made': None, 'journeys': []}


def test_what_is_not_there_is_said(server):
    assert tell(server, '/v1/report/segment', 'id=ken')[0] == 404
    assert 'keen' in tell(server, '/v1/report/segment', 'id=ken')[1]['error']
    assert tell(server, '/v1/report/categories', 'id=nonsense')[0] == 404
    assert tell(server, '/v1/report/categories', 'days=91')[0] == 400
    assert tell(server, '/v1/report/journeys', 'id=nonsense')[0] == 404


def test_numbers_are_those_of_what_was_sent(server):
    today = server.now() // DAY
    shop = Shop(server, 5)
    shop.crowd(900, today)
    shop.send()
    head = told(server, '/v1/report', method='POST')
    assert head['current'] and head['day'] == str(datetime.date(1970, 1, 1) + datetime.timedelta(today))
    groups = groups_of(server, shop, today)
    no_two_are_near(groups)
    assert sum(n is not None for n, _ in groups.values()) > 40
    near = [n['id'] for n in told(server, '/v1/report/segment', 'id=keen')['nearest']]
    overlap = {s: groups[('keen', 'near', s)][0] / (groups[('keen',)][0] + groups[(s,)][0] - groups[('keen', 'near', s)][0]) for s in near}
    assert near[0] == 'coats-ever' and near == sorted(near, key=lambda s: -overlap[s])
    for path in told(server, '/v1/report/journeys')['journeys'][0]['paths']:
        days = sorted(way[len(path['steps']) - 1][1] for way in map(shop.path, shop.people) if way and [s for s, _ in way[:len(path['steps'])]] == path['steps'])
        assert path['median_days'] == days[(len(days) - 1) // 2] and abs(path['share'] - path['visitors'] / groups[('journey', '')][0]) < 1e-4
    size, members = groups[('coats-ever',)]
    assert size == rounded(len(members))
    boots = next(c for c in told(server, '/v1/report/segment', 'id=buyers')['categories'] if c['id'] == 'boots')
    share, everybody = boots['visitors'] / groups[('buyers',)][0], groups[('category boots',)][0] / groups[('everybody',)][0]
    assert abs(boots['share'] - share) < 1e-4 and abs(boots['everybody'] - everybody) < 1e-4 and boots['index'] == round(100 * share / everybody)


def test_days_of_categories(server):
    today = server.now() // DAY
    shop = Shop(server, 6)
    for i in range(300):
        for day in range(1, 5):
            if i % day == 0:
                shop.act('v%d' % i, today - day, 'coats')
                shop.act('v%d' % i, today - day, 'coats')
            if i % 50 == 1:
                shop.act('v%d' % i, today - day, 'hats')
    shop.send()
    told(server, '/v1/report', method='POST')
    r = told(server, '/v1/report/categories', 'days=5')
    days = [str(datetime.date(1970, 1, 1) + datetime.timedelta(today - d)) for d in (5, 4, 3, 2, 1)]
    assert r['days'] == days and [c['id'] for c in r['categories']] == sorted(c['id'] for c in server.js('categories', 'list'))
    by = {c['id']: c for c in r['categories']}
    # of 150 who had coats and 6 others who had hats, coats has the number of clothes: 156 are told as 160
    assert by['clothes.coats']['visitors'] == by['clothes']['visitors'] == [None, 80, 100, 160, 300]
    assert by['clothes.coats']['events'] == by['clothes']['events'] == [None, 160, 210, 310, 610]
    assert by['clothes.hats']['visitors'] == [None] * 5 and by['rare']['visitors'] == [None] * 5
    for i in range(5):
        pair = [len(shop.having('coats', day=today - 5 + i)), len(shop.having('coats', 'hats', day=today - 5 + i))]
        numbers = [by[c]['visitors'][i] for c in ('clothes.coats', 'clothes')]
        assert None in numbers or numbers[0] == numbers[1] or pair[1] - pair[0] >= K
    assert told(server, '/v1/report/categories', 'days=1&id=boots')['categories'][0]['visitors'] == [None]


def made(server):
    """When the kept report is of today and of the rules that serve."""
    head = told(server, '/v1/report')
    return head['current'] and head['made']


def test_the_report_is_made_every_day_and_kept(server):
    """By itself, once the day before is complete; on a store's first day when it is asked for."""
    shop = Shop(server, 7)
    shop.crowd(200, server.now() // DAY)
    shop.send()
    first = until(lambda: made(server))
    shop.crowd(200, server.now() // DAY)
    shop.send()
    size = told(server, '/v1/report/segment', 'id=coats-ever')['size']
    assert told(server, '/v1/report', method='POST')['made'] == first and made(server) == first, 'never twice for a day'
    assert told(server, '/v1/report/segment', 'id=coats-ever')['size'] == size
    server.restart()
    assert made(server) == first and told(server, '/v1/report/segment', 'id=coats-ever')['size'] == size
    server.morning()
    assert until(lambda: made(server)) > first
    assert told(server, '/v1/report/segment', 'id=coats-ever')['size'] > size


def test_other_rules_have_a_report_of_their_own(server):
    shop = Shop(server, 8)
    shop.crowd(300, server.now() // DAY)
    shop.send()
    until(lambda: made(server))
    first = told(server, '/v1/report')['rules']
    server.write_rules(RULES.replace('journeys:', '  - {id: booted, when: boots}\njourneys:'))
    server.process.send_signal(1)
    until(lambda: made(server) and told(server, '/v1/report')['rules'] != first and tell(server, '/v1/report/segment', 'id=booted')[1].get('made'))
    assert told(server, '/v1/report/segment', 'id=booted')['size'] == rounded(len(shop.having('boots')))


def test_a_damaged_report_is_made_anew(server):
    shop = Shop(server, 9)
    shop.crowd(200, server.now() // DAY)
    shop.send()
    until(lambda: made(server))
    before = told(server, '/v1/report/segment', 'id=coats-ever')
    server.stop()
    with open(os.path.join(server.store, 'reports', 'daily'), 'r+b') as f:
        f.seek(100)
        f.write(b'#')
    server.start()
    until(lambda: made(server))
    after = told(server, '/v1/report/segment', 'id=coats-ever')
    assert after['size'] == before['size'] and after['devices'] == before['devices']


def test_on_a_first_day_a_report_that_was_asked_for_is_made_anew_when_it_is_damaged(server):
    server.import_lines([{'id': 'v%d' % i, 't': server.now(), 'ua': CHROME, 'u': 'https://s.example/coats/1'} for i in range(3 * K)])
    server.settle()
    assert not made(server), 'on the first day none is made unasked'
    told(server, '/v1/report', method='POST')
    until(lambda: made(server))
    server.stop()
    with open(os.path.join(server.store, 'reports', 'daily'), 'r+b') as f:
        f.seek(100)
        f.write(b'#')
    server.start()
    until(lambda: made(server))
    assert told(server, '/v1/report/segment', 'id=coats-ever')['size'] == 3 * K
    assert 'the kept report is not told' in server.logged() and 'damaged' in server.logged()


def test_who_is_erased_is_in_no_later_report(server):
    shop = Shop(server, 10)
    shop.crowd(60, server.now() // DAY)
    gone = ['g%d' % i for i in range(K)]
    for who in gone:
        shop.act(who, server.now() // DAY - 3, 'rare')
    shop.send()
    told(server, '/v1/report', method='POST')
    assert told(server, '/v1/report/segment', 'id=few')['size'] in (20, 30)
    for who in gone:
        server.cli('visitor', 'erase', '--id', who)
    server.morning()
    until(lambda: made(server))
    r = told(server, '/v1/report/segment', 'id=few')
    assert r['size'] is None and all(d['visitors'] is None for d in r['devices']) and not r['categories'] and not r['nearest']


def test_an_attacker_who_reads_all_reports_of_thirty_days(server):
    """Each day visitors come, act and go; one, whom the attacker knows, has a kind of device that nobody else has, and comes and buys on some day. The attacker
    reads every route of the report on each of them, and may subtract."""
    server.morning()
    shop = Shop(server, 11)
    for who in range(400):
        shop.act('v%d' % who, server.now() // DAY, shop.rng.choice(['coats', 'hats', 'boots']))
    for person in shop.people.values():
        person['device'] = 'mobile' if person['device'] == 'tablet' else person['device']
    planted = shop.people['planted'] = {'device': 'tablet', 'did': []}
    shop.lines = [dict(l, ua=AGENTS['mobile']) if l['ua'] == TABLET else l for l in shop.lines]
    fell, before = {}, {}
    for day in range(30):
        today = server.now() // DAY
        for _ in range(25):
            shop.act(shop.rng.choice([w for w in shop.people if w != 'planted']), today, shop.rng.choice(['coats', 'hats', 'boots', 'other', 'cart', 'buy', 'rare']))
        if day % 7 == 3:
            shop.act('planted', today, shop.rng.choice(['coats', 'buy']))
        shop.send()
        server.morning()
        until(lambda: made(server))
        groups = groups_of(server, shop, server.now() // DAY)
        if not planted['did']:
            groups = {name: (n, who - {'planted'}) for name, (n, who) in groups.items()}
        no_two_are_near(groups)
        for s in shop.segments(today):
            assert groups[(s, 'device', 'tablet')][0] is None
        for name, (n, who) in groups.items():     # what fell below k comes back from k + 10 on
            if n is None and before.get(name) is not None:
                fell[name] = True
            if len(who) >= K + 10:
                fell.pop(name, None)
            assert n is None or not fell.get(name) or n != rounded(len(who)), (day, name, n, len(who))
        before = {name: n for name, (n, _) in groups.items()}
        for c in told(server, '/v1/report/categories')['categories']:
            for i, n in enumerate(c['visitors']):
                names = {'clothes': ('coats', 'hats'), 'clothes.coats': ('coats',), 'clothes.hats': ('hats',)}.get(c['id'], (c['id'],))
                assert n is None or len(shop.having(*names, day=server.now() // DAY - 90 + i)) >= K
    assert sum(n is not None for n in before.values()) > 30
