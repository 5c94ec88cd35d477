"""Random rules, random histories, random moves of the clock, against an oracle that shares no code with crumb.

At every step: look-ups = the oracle; sizes after the gate = the oracle; db verify agrees; and at the end the views that a replay of
the whole journal makes are the ones that were folded piece by piece, across crashes and reloads.
CRUMB_SEEDS=20 tries more of them."""
import os
import random
import signal
import sys
import time

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'functional'))
from harness import DAY, Server  # noqa: E402

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


def random_condition(rng, depth=0):
    kind = rng.choice(['count', 'count', 'count', 'days', 'then', 'last', 'fact', 'visits', 'attr'] + (['and', 'and', 'or', 'not'] if depth < 3 else []))
    cat, other, window = rng.choice(ALL), rng.choice(ALL), rng.choice([None, 1, 2, 7, 14, 30, 89, 90])
    op, n = rng.choice(['>=', '>', '=', '<', '<=', '!=']), rng.randint(0, 4)
    if kind in ('and', 'or'):
        return (kind, random_condition(rng, depth + 1), random_condition(rng, depth + 1))
    if kind == 'not':
        return (kind, random_condition(rng, depth + 1))
    return {'count': ('count', cat, op, n, window), 'days': ('days', cat, op, n, window), 'then': ('then', cat, other, window or 5), 'last': ('last', cat, window or 3),
            'fact': ('attr', 'size', rng.choice(['s', 'm', 'l'])), 'visits': ('visits', op, n, window), 'attr': ('attr', 'size', rng.choice(['s', 'm', 'l']))}[kind]


def text(c):
    w = lambda n: ' in %dd' % n if n else ''
    if c[0] in ('and', 'or'):
        return '(%s %s %s)' % (text(c[1]), c[0], text(c[2]))
    if c[0] == 'not':
        return 'not %s' % text(c[1])
    return {'count': lambda: '%s %s %d%s' % (c[1], c[2], c[3], w(c[4])), 'days': lambda: 'days(%s) %s %d%s' % (c[1], c[2], c[3], w(c[4])),
            'then': lambda: '%s then %s within %dd' % c[1:], 'last': lambda: 'last(%s) within %dd' % c[1:], 'visits': lambda: 'visits %s %d%s' % (c[1], c[2], w(c[3])),
            'attr': lambda: 'attr.%s = %s' % c[1:]}[c[0]]()


OPS = {'>=': lambda a, b: a >= b, '>': lambda a, b: a > b, '=': lambda a, b: a == b, '<': lambda a, b: a < b, '<=': lambda a, b: a <= b, '!=': lambda a, b: a != b}


class Oracle:
    """One visitor's events as (day, order, path, event, size)."""
    def __init__(self, events, today, categories):
        self.events = sorted(e for e in events if today - KEEP < e[0] <= today)
        self.today, self.categories = today, categories

    def days_of(self, cat):
        out = []
        for day, _, path, event, _ in self.events:
            direct = [c for c, (f, v) in self.categories.items() if (path if f == 'path' else event) == v]
            if any(cat in parents(c) for c in direct):
                out.append(day)
        return out

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
        if k == 'visits':
            return OPS[c[1]](len(set(self.within([e[0] for e in self.events], c[3]))), c[2])
        if k == 'then':
            return any(0 <= b - a < c[3] for a in self.days_of(c[1]) for b in self.days_of(c[2]))
        sizes = [(e[0], e[1], e[4]) for e in self.events if e[4]]
        return bool(sizes) and max(sizes)[2] == c[2]        # the newest day's latest word counts

    def segments(self, conditions):
        return {s for s, c in conditions.items() if self.events and self.holds(c)}


def rules_text(categories, conditions):
    out = 'version: 1\ncategories:\n'
    for c, (field, value) in categories.items():
        out += '  - {id: %s, any: [{%s}]}\n' % (c, 'path: "/%s/**"' % value if field == 'path' else 'event: %s' % value)
    return out + 'segments:\n' + ''.join('  - {id: %s, when: "%s"}\n' % (s, text(c)) for s, c in conditions.items())


def agree(server, history, categories, conditions, today, seen):
    counts = dict.fromkeys(conditions, 0)
    events = visitors = 0
    for v, own in history.items():
        oracle = Oracle(own, today, categories)
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
                assert {c['id']: c['count'] for c in shown['categories']} == {c: len(d) for c in categories if (d := [
                    e for e in oracle.events if (e[2] if categories[c][0] == 'path' else e[3]) == categories[c][1]])}
    stat = server.js('db', 'stat')
    assert (stat['visitors'], stat['events']) == (visitors, events)
    for s, n in server.sizes().items():
        assert n is None if counts[s] < 20 else abs(n - counts[s]) <= 5 and n % 10 == 0, (s, n, counts[s], text(conditions[s]))


@pytest.mark.parametrize('seed', range(int(os.environ.get('CRUMB_SEEDS', '6'))))
def test_any_history_under_any_rules(seed):
    rng = random.Random(seed)
    make_rules = lambda: {'s%d' % i: random_condition(rng) for i in range(25)}
    categories, conditions = dict(CATEGORIES), make_rules()
    server = Server(rules_text(categories, conditions), options=['store.shards=%d' % rng.choice([1, 3, 4]), 'fold.pace_ms=1']).start()
    try:
        history = {'v%d' % i: [] for i in range(60)}
        order = 0
        for step in range(10):
            act = rng.choice(['import', 'import', 'import', 'import', 'clock', 'clock', 'kill', 'reload'])
            now = server.now()
            if act == 'import':
                lines = []
                for _ in range(rng.randint(1, 200)):
                    v, back, order = rng.choice(sorted(history)), rng.choice([0, 0, 1, 3, 10, 29, 60, 89]), order + 1
                    path, event, size = rng.choice(PATHS), rng.choice(['view', 'view', 'purchase']), rng.choice([None, None, 's', 'm', 'l'])
                    t = now - back * DAY
                    history[v].append((t // DAY, order, path, event, size))
                    line = {'id': v, 't': t, 'e': event, 'u': 'https://shop.example/%s/%d' % (path, rng.randint(1, 9))}
                    if size:
                        line['a.size'] = size
                    lines.append(line)
                r = server.import_lines(lines)
                assert r['accepted'] == len(lines)
            elif act == 'clock':
                server.advance('%dd' % rng.choice([1, 1, 2, 7, 15, 40, 91]))
            elif act == 'kill':
                server.restart(signal.SIGKILL)
            else:
                conditions = make_rules()
                if rng.random() < 0.5:
                    moved = rng.choice(sorted(categories))
                    categories[moved] = ('path', rng.choice(PATHS))
                server.write_rules(rules_text(categories, conditions))
                server.process.send_signal(signal.SIGHUP)
                for _ in range(500):
                    if server.js('rules', 'status')['complete']:
                        break
                    time.sleep(0.02)
                else:
                    raise AssertionError('reload did not end: ' + server.logged()[-400:])
            agree(server, history, categories, conditions, server.now() // DAY, set(rng.sample(sorted(history), 12)))
        server.verify()
        server.settle()
        assert server.stop() == 0
        assert server.js('db', 'verify', '--replay')['ok']
    finally:
        server.close()
