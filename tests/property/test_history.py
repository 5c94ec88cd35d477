"""Random rules, random histories, random moves of the clock, against an oracle that shares no code with crumb.

At every step: look-ups = the oracle; sizes after the gate = the oracle; db verify agrees; and at the end the views that a replay of
the whole journal makes are the ones that were folded piece by piece, across crashes and reloads.
CRUMB_SEEDS=20 tries more of them."""
import decimal
import os
import random
import re
import signal
import sys
import time

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'functional'))
from harness import DAY, Server, until  # noqa: E402

KEEP = 90
SITES = ['a', 'b', 'c']
CATEGORIES = {                      # id -> (field, value)
    'shop.coats': ('path', 'coats'), 'shop.shoes.boots': ('path', 'boots'), 'shop.shoes.flats': ('path', 'flats'), 'news': ('path', 'news'),
    'buy': ('event', 'purchase'), 'shop.sale': ('path', 'sale'), 'wide': ('event', 'view')}
PATHS = ['coats', 'boots', 'flats', 'news', 'sale', 'other']


def parents(cat):
    parts = cat.split('.')
    return ['.'.join(parts[:i]) for i in range(1, len(parts) + 1)]


ALL = sorted({p for c in CATEGORIES for p in parents(c)})


def random_condition(rng, depth=0, others=()):
    """`others` are the names of segments that may be referred to."""
    kinds = ['count', 'count', 'count', 'days', 'then', 'last', 'first', 'between', 'sum', 'sum', 'fact', 'visits', 'attr', 'attrnum'] + (['segment'] if others else [])
    kind = rng.choice(kinds + (['and', 'and', 'or', 'not'] if depth < 3 else []))
    cat, other, window = rng.choice(ALL), rng.choice(ALL), rng.choice([None, 1, 2, 7, 14, 30, 89, 90])
    op, n = rng.choice(['>=', '>', '=', '<', '<=', '!=']), rng.randint(0, 4)
    if kind in ('and', 'or'):
        return (kind, random_condition(rng, depth + 1, others), random_condition(rng, depth + 1, others))
    if kind == 'not':
        return (kind, random_condition(rng, depth + 1, others))
    if kind == 'segment':
        return (kind, rng.choice(others))
    if kind == 'first':
        return ('first', cat, window or 9)
    if kind == 'between':
        return ('between', cat, n, n + rng.randint(0, 3), window)
    if kind == 'sum':
        return ('sum', cat, op, rng.choice(['0', '10', '19.99', '25.5', '40']), window)
    if kind == 'attrnum':
        return ('attrnum', rng.choice(['<', '>=']), rng.choice(['10', '20.5']))
    return {'count': ('count', cat, op, n, window), 'days': ('days', cat, op, n, window), 'then': ('then', cat, other, window or 5), 'last': ('last', cat, window or 3),
            'fact': ('attr', 'size', rng.choice(['s', 'm', 'l'])), 'visits': ('visits', op, n, window), 'attr': ('attr', 'size', rng.choice(['s', 'm', 'l']))}[kind]


def text(c):
    w = lambda n: ' in %dd' % n if n else ''
    if c[0] in ('and', 'or'):
        return '(%s %s %s)' % (text(c[1]), c[0], text(c[2]))
    if c[0] == 'not':
        return 'not %s' % text(c[1])
    if c[0] == 'segment':
        return 'segment(%s)' % c[1]
    if c[0] == 'first':
        return 'first(%s) within %dd' % c[1:]
    if c[0] == 'between':
        return '%s between %d and %d%s' % (c[1], c[2], c[3], w(c[4]))
    if c[0] == 'sum':
        return 'sum(v of %s) %s %s%s' % (c[1], c[2], c[3], w(c[4]))
    if c[0] == 'attrnum':
        return 'attr.price %s %s' % c[1:]
    return {'count': lambda: '%s %s %d%s' % (c[1], c[2], c[3], w(c[4])), 'days': lambda: 'days(%s) %s %d%s' % (c[1], c[2], c[3], w(c[4])),
            'then': lambda: '%s then %s within %dd' % c[1:], 'last': lambda: 'last(%s) within %dd' % c[1:], 'visits': lambda: 'visits %s %d%s' % (c[1], c[2], w(c[3])),
            'attr': lambda: 'attr.%s = %s' % c[1:]}[c[0]]()


OPS = {'>=': lambda a, b: a >= b, '>': lambda a, b: a > b, '=': lambda a, b: a == b, '<': lambda a, b: a < b, '<=': lambda a, b: a <= b, '!=': lambda a, b: a != b}


def matches(event, field, value):
    """What the text of a pattern says, in other words than crumb's."""
    _, _, path, name, _, extra = event
    campaign, referrer, price = extra['campaign'], extra['referrer'], extra['price']
    if field == 'path':
        return path == value
    if field == 'event':
        return name == value
    if field == 'campaign':
        return campaign is not None and re.fullmatch(value.replace('*', '.*'), campaign) is not None
    if field == 'referrer':
        return referrer == value
    if field == 'regex':
        return re.search(value, '/%s/%d' % (path, extra['page'])) is not None
    if field == 'price':
        lo, hi = (float(x) if x else None for x in value.split('..'))
        return price is not None and (lo is None or price >= lo) and (hi is None or price <= hi)
    raise AssertionError(field)


class Oracle:
    """One visitor's events as (day, order, path, event, size, the rest)."""
    def __init__(self, events, today, categories, conditions):
        self.events = sorted((e for e in events if today - KEEP < e[0] <= today), key=lambda e: e[:2])
        self.today, self.categories, self.conditions = today, categories, conditions
        self.direct = [[c for c, (f, v) in categories.items() if matches(e, f, v)] for e in self.events]

    def of(self, cat):
        return [e for e, direct in zip(self.events, self.direct) if any(cat in parents(c) for c in direct)]

    def days_of(self, cat):
        return [e[0] for e in self.of(cat)]

    def within(self, days, window):
        return [d for d in days if not window or d > self.today - window]

    def holds(self, c):
        k = c[0]
        if k == 'and':
            return self.holds(c[1]) and self.holds(c[2])
        if k == 'or':
            return self.holds(c[1]) or self.holds(c[2])
        if k == 'not':
            return not self.holds(c[1])
        if k == 'count':
            return OPS[c[2]](len(self.within(self.days_of(c[1]), c[4])), c[3])
        if k == 'days':
            return OPS[c[2]](len(set(self.within(self.days_of(c[1]), c[4]))), c[3])
        if k == 'last':
            return bool(self.within(self.days_of(c[1]), c[2]))
        if k == 'segment':
            until = UNTIL.get(c[1])
            return (until is None or self.today <= until) and self.holds(self.conditions[c[1]])
        if k == 'between':
            return c[2] <= len(self.within(self.days_of(c[1]), c[4])) <= c[3]
        if k == 'first':
            days = self.days_of(c[1])
            return bool(days) and min(days) > self.today - c[2]
        if k == 'sum':
            kept = set(self.within([e[0] for e in self.events], c[4]))
            return OPS[c[2]](sum(decimal.Decimal(e[5]['v'] or '0') for e in self.of(c[1]) if e[0] in kept), decimal.Decimal(c[3]))
        if k == 'attrnum':
            prices = [(e[0], e[1], e[5]['price']) for e in self.events if e[5]['price'] is not None]
            return bool(prices) and OPS[c[1]](max(prices)[2], float(c[2]))
        if k == 'visits':
            return OPS[c[1]](len(set(self.within([e[0] for e in self.events], c[3]))), c[2])
        if k == 'then':
            return any(0 <= b - a < c[3] for a in self.days_of(c[1]) for b in self.days_of(c[2]))
        sizes = [(e[0], e[1], e[4]) for e in self.events if e[4]]
        return bool(sizes) and max(sizes)[2] == c[2]        # the newest day's latest word counts

    def segments(self, conditions):
        return {s for s, c in conditions.items() if self.events and (s not in UNTIL or self.today <= UNTIL[s]) and self.holds(c)}


UNTIL = {}                          # segment -> its last day


def pattern_text(field, value):
    return {'path': 'path: "/%s/**"', 'event': 'event: %s', 'campaign': 'campaign: "%s"', 'referrer': 'referrer: %s', 'regex': "path: '/%s/'",
            'price': 'attr.price: %s'}[field] % value


def rules_text(categories, conditions):
    out = 'version: 1\nattributes:\n  - {id: size, values: [s, m, l]}\ncategories:\n'
    for c, (field, value) in categories.items():
        out += '  - {id: %s, any: [{%s}]}\n' % (c, pattern_text(field, value))
    out += 'segments:\n'
    for s, c in conditions.items():
        until = ', until: %s' % time.strftime('%Y-%m-%d', time.gmtime(UNTIL[s] * DAY)) if s in UNTIL else ''
        out += '  - {id: %s, when: "%s"%s}\n' % (s, text(c), until)
    return out


def random_rules(rng, server, categories, today):
    """Conditions that the checker takes: what it refuses (nobody can be in it, or nobody need do anything) is left out."""
    UNTIL.clear()
    while True:
        conditions = {}
        for i in range(25):
            conditions['s%d' % i] = random_condition(rng, 0, [s for s in conditions if rng.random() < 0.3])
            if rng.random() < 0.1:
                UNTIL['s%d' % i] = today + rng.choice([0, 1, 5, 30])
        for _ in range(6):
            path = os.path.join(server.dir, 'try.yaml')
            with open(path, 'w') as f:
                f.write(rules_text(categories, conditions))
            bad = {int(p['line']) for p in server.js('rules', 'check', path, ok=(0, 1)) if p['severity'] == 'error'}
            if not bad:
                return conditions
            lines = rules_text(categories, conditions).splitlines()
            names = {re.match(r'  - {id: (\w+), when', lines[n - 1]).group(1) for n in bad}
            conditions = {s: c for s, c in conditions.items() if s not in names and not refers(c, names)}
            for s in set(UNTIL) - set(conditions):
                del UNTIL[s]


def refers(c, names):
    return (c[0] == 'segment' and c[1] in names) or any(refers(p, names) for p in c[1:] if isinstance(p, tuple))


def agree(server, history, categories, conditions, today, seen):
    counts = dict.fromkeys(conditions, 0)
    events = visitors = 0
    for v, own in history.items():
        oracle = Oracle(own, today, categories, conditions)
        want = oracle.segments(conditions)
        visitors += bool(oracle.events)
        events += len(oracle.events)
        for s in want:
            counts[s] += 1
        if v in seen or not oracle.events:
            shown = server.visitor('--id', v)
            assert (shown is not None) == bool(oracle.events), v
            if shown:
                assert set(shown['segments']) == want, (v, own, today, {s: text(conditions[s]) for s in set(shown['segments']) ^ want})
                assert {c['id']: c['count'] for c in shown['categories']} == {c: n for c in categories if (n := sum(c in d for d in oracle.direct))}
    stat = server.js('db', 'stat')
    assert (stat['visitors'], stat['events']) == (visitors, events)
    sizes = server.sizes()
    assert set(sizes) == set(conditions)
    for s, n in sizes.items():
        # a segment that fell below k may be withheld until k + 10
        fine = n is None if counts[s] < 20 else n is None and counts[s] < 30 or n is not None and abs(n - counts[s]) <= 5 and n % 10 == 0
        assert fine, (s, n, counts[s], text(conditions[s]))


def random_line(rng, v, t, order):
    """An event as crumb gets it, and as the oracle remembers it."""
    path, name, size = rng.choice(PATHS), rng.choice(['view', 'view', 'purchase']), rng.choice([None, None, 's', 'm', 'l', 'xxl'])
    extra = {'page': rng.randint(1, 9), 'campaign': rng.choice([None, 'spring-sale', 'spring', 'autumn']), 'v': rng.choice([None, None, '10', '9.99', '5.5']),
             'price': rng.choice([None, None, 5.0, 15.5, 30.0]), 'referrer': rng.choice(['none', 'search', 'social', 'internal', 'other'])}
    url = 'https://shop.example/%s/%d' % (path, extra['page']) + ('?a=1&utm_campaign=' + extra['campaign'] if extra['campaign'] else '')
    line = {'id': v, 't': t, 'e': name, 'u': url}
    came = {'search': 'https://www.google.co.uk/', 'social': 'https://m.facebook.com/x', 'internal': 'https://www.shop.example/', 'other': 'https://else.example/'}
    if extra['referrer'] in came:
        line['r'] = came[extra['referrer']]
    if size:
        line['a.size'] = size
    if extra['price'] is not None:
        line['a.price'] = extra['price']
    if extra['v']:
        line['v'] = float(extra['v'])
    return line, (t // DAY, order, path, name, size if size != 'xxl' else None, extra)      # no size is xxl: the vocabulary is closed


FIELDS = [('path', PATHS), ('campaign', ['spring*', 'autumn', '*ing']), ('referrer', ['search', 'internal', 'social', 'other', 'none']),
          ('regex', ['^/(coats|boots)/[1-4]$', 'n.*/[5-9]$']), ('price', ['10..20', '..10', '15.5..']), ('event', ['purchase'])]


@pytest.mark.parametrize('seed', range(int(os.environ.get('CRUMB_SEEDS', '6'))))
def test_any_history_under_any_rules(seed):
    rng = random.Random(seed)
    categories = dict(CATEGORIES)
    server = Server('version: 1\n', options=['store.shards=%d' % rng.choice([1, 3, 4]), 'fold.pace_ms=1'])
    conditions = random_rules(rng, server, categories, int(time.time()) // DAY)
    server.write_rules(rules_text(categories, conditions))
    server.start()
    try:
        history = {'v%d' % i: [] for i in range(60)}
        order = 0
        for step in range(10):
            act = rng.choice(['import', 'import', 'import', 'import', 'clock', 'clock', 'kill', 'reload', 'reload'])
            now = server.now()
            if act == 'import':
                lines = []
                for _ in range(rng.randint(1, 200)):
                    v, back, order = rng.choice(sorted(history)), rng.choice([0, 0, 1, 3, 10, 29, 60, 89]), order + 1
                    line, event = random_line(rng, v, now - back * DAY, order)
                    history[v].append(event)
                    lines.append(line)
                r = server.import_lines(lines)
                assert r['accepted'] == len(lines)
            elif act == 'clock':
                server.advance('%dd' % rng.choice([1, 1, 2, 7, 15, 40, 91]))
            elif act == 'kill':
                server.restart(signal.SIGKILL)
            else:
                if rng.random() < 0.5:              # else only conditions change: from profiles, without the journal
                    moved = rng.choice(sorted(categories))
                    field, values = rng.choice(FIELDS)
                    categories[moved] = (field, rng.choice(values))
                conditions = random_rules(rng, server, categories, now // DAY)
                server.write_rules(rules_text(categories, conditions))
                server.process.send_signal(signal.SIGHUP)
                if rng.random() < 0.3:              # in the middle of it
                    time.sleep(rng.random() * 0.1)
                    server.restart(signal.SIGKILL)
                until(lambda: server.js('rules', 'status')['complete'], server.logged)
            agree(server, history, categories, conditions, server.now() // DAY, set(rng.sample(sorted(history), 12)))
        server.verify()
        server.settle()
        assert server.stop() == 0
        assert server.js('db', 'verify', '--replay')['ok']
    finally:
        server.close()
