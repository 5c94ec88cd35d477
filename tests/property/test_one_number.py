"""One number: whoever asks how large a segment is hears the same, wherever they ask: lists, one segment, the report, questions, exports, metrics, the API and the command
line, with a server and without. And what entered less what left is what is there. Random rules and behaviour, changes of rules, erasures, moves of the clock, kills, against
an oracle that shares no code with crumb. A failure names its seed; CRUMB_SEEDS=20 tries more."""
import csv
import importlib.util
import io
import json
import os
import random
import re
import signal
import sys
import time

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'functional'))
from harness import DAY, Server, until  # noqa: E402

# by its path: a functional test has the same name
_spec = importlib.util.spec_from_file_location('any_history', os.path.join(os.path.dirname(os.path.abspath(__file__)), 'test_history.py'))
any_history = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(any_history)
CATEGORIES, FIELDS, Oracle, random_line, random_rules, rules_text, text = (
    getattr(any_history, n) for n in ('CATEGORIES', 'FIELDS', 'Oracle', 'random_line', 'random_rules', 'rules_text', 'text'))

SEEN = {}           # how much of what a run was to compare there was
K, STEP = 20, 10
PEOPLE = 260


def told(server, path, body=None):
    status, _, data = server.http('POST' if body else 'GET', path, body, admin=True)
    assert status == 200, (path, body, status, data[:300])
    return json.loads(data)


def gate(n):
    """What may be said of n: from k on the number rounded to ten; who fell below k is told again only from k + 10 on."""
    return [None] if n < K else [None, (n + 5) // STEP * STEP] if n < K + STEP else [(n + 5) // STEP * STEP]


def range_of(shown):
    """The numbers that may stand behind what is told: from, to."""
    return (0, K + STEP - 1) if shown is None else (max(shown - 5, 0), shown + 4)


def minus(a, b):
    return a[0] - b[1], a[1] - b[0]


def meet(a, b):
    return a[0] <= b[1] and b[0] <= a[1]


def exported(server, segment, rng):
    """Rows of a file with all members; None: refused, as there are too few."""
    out = os.path.join(server.dir, 'out-%d' % rng.randrange(10 ** 12))
    r = server.cli('export', segment, '--out', out, '--json', ok=(0, 1))
    if r.returncode:
        return None
    with open(os.path.join(out, segment + '.csv'), newline='') as f:
        rows = len(list(csv.DictReader(f)))
    assert json.loads(r.stdout)['rows'] == rows
    return rows


def days_add_up(days, since, where):
    """Each day is the day before, and what entered, less what left; so all of them together are what is there."""
    recorded = [d for d in days if d['recorded']]
    assert recorded and [d['day'] for d in recorded] == [d['day'] for d in days][-len(recorded):], where
    before, entered, left = (0, 0), (0, 0), (0, 0)
    if recorded[0]['day'] != since:         # it was recorded before the days that are told
        before, recorded = range_of(recorded[0]['size']), recorded[1:]
    first = before
    for d in recorded:
        now, came, went = range_of(d['size']), range_of(d['entered']), range_of(d['left'])
        assert meet(minus(now, before), minus(came, went)), (where, d, before)
        entered, left, before = (entered[0] + came[0], entered[1] + came[1]), (left[0] + went[0], left[1] + went[1]), now
    assert meet(minus(before, first), minus(entered, left)), (where, before, first, entered, left)


def one_number(server, rng, want, fresh):
    """`want`: the members of each segment by the oracle. `fresh`: the report was made of what holds now."""
    listed = {s['id']: s for s in told(server, '/v1/segments')}
    assert set(listed) == set(want)
    sizes = {s: row['size'] for s, row in listed.items()}
    SEEN['told'] += sum(n is not None for n in sizes.values())
    SEEN['reports'] += fresh
    for s, n in sizes.items():
        assert n in gate(want[s]), (s, n, want[s])
    by_day = {s['id']: s for s in told(server, '/v1/report/segments?days=90')['segments']}
    metrics = dict(re.findall(r'^crumb_segment_size\{segment="(\w+)"\} (\d+)$', server.http('GET', '/metrics', admin=True)[2].decode(), re.M))
    assert {s: None if n is None else str(n) for s, n in sizes.items()} == {s: metrics.get(s) for s in sizes}, 'metrics'
    for s, n in sizes.items():
        shown = told(server, '/v1/segment?days=90&id=' + s)
        assert {k: shown[k] for k in listed[s]} == listed[s], s
        assert shown['days'][-1]['size'] == n, (s, n, shown['days'][-1])
        for key in ('size', 'entered', 'left'):
            assert [d[key] for d in shown['days']] == by_day[s][key], (s, key)
        assert shown['recorded_since'] == by_day[s]['recorded_since'], s
        days_add_up(shown['days'], shown['recorded_since'], s)
        if fresh:
            assert told(server, '/v1/report/segment?id=' + s)['size'] == n, (s, n)
    for s in rng.sample(sorted(sizes), min(5, len(sizes))):
        n, other = sizes[s], rng.choice(sorted(sizes))
        assert told(server, '/v1/ask/preview', 'segment(%s)' % s)['size'] == n, 'preview of ' + s
        pair = told(server, '/v1/ask/overlap', '%s %s' % (s, other))
        assert (pair['a']['size'], pair['b']['size']) == (n, sizes[other]), (s, other, pair)
        assert told(server, '/v1/ask/overlap', '%s %s' % (s, s))['both'] == n, s
        rows = exported(server, s, rng)
        SEEN['exports'] += rows is not None
        assert (rows is None or rows == want[s]) and (rows is not None or n is None), (s, rows, n, want[s])


def command_line(server, rng, want):
    """The same from commands, which ask the server or the store."""
    api = {s: told(server, '/v1/segment?id=' + s) for s in want} if server.process.poll() is None else None
    sizes = server.sizes()
    if api:
        assert sizes == {s: row['size'] for s, row in api.items()}
    rows = list(csv.DictReader(io.StringIO(server.cli('report', 'segments', '--days', '30', '--csv').stdout, newline='')))
    for s, n in sizes.items():
        assert n in gate(want[s]), (s, n, want[s])
        assert [r['size'] for r in rows if r['segment'] == s][-1] == ('' if n is None else str(n)), s
    for s in rng.sample(sorted(sizes), min(3, len(sizes))):
        shown = server.js('segments', 'show', s)
        assert shown['size'] == sizes[s] == server.js('segments', 'overlap', s, s)['both'] == server.js('rules', 'preview', 'segment(%s)' % s)['size'], s
        assert not api or shown == api[s], s
        for key in ('size', 'entered', 'left'):
            assert [r[key] for r in rows if r['segment'] == s] == ['' if d[key] is None else str(d[key]) for d in shown['days']], (s, key)


def crowd_lines(rng, history, erased, now, order):
    """Some do a little, many do the same, so that segments are large enough to be told. Who was erased does not come back: a file that names them is not taken."""
    lines, habits = [], [random_line(rng, 'x', now, 0)[0] for _ in range(4)]
    for v in rng.sample(sorted(set(history) - erased), rng.randint(PEOPLE // 4, PEOPLE - len(erased))):
        for _ in range(rng.randint(1, 3)):
            back, order = rng.choice([0, 0, 0, 1, 3, 10, 29, 60]), order + 1
            line, event = random_line(random.Random(rng.choice([1, 2, 3, 4, rng.random()])), v, now - back * DAY, order)
            history[v].append(event)
            lines.append(line)
    return lines, order


@pytest.mark.parametrize('seed', range(int(os.environ.get('CRUMB_SEEDS', '3'))))
def test_every_outlet_says_the_same_number(seed):
    rng = random.Random(77 + seed)
    categories = dict(CATEGORIES)
    server = Server('version: 1\n', options=['store.shards=%d' % rng.choice([1, 4]), 'fold.pace_ms=1'], k=K)
    conditions = random_rules(rng, server, categories, int(time.time()) // DAY)
    server.write_rules(rules_text(categories, conditions))
    server.start()
    server.morning()
    history, order, spent = {'v%d' % i: [] for i in range(PEOPLE)}, 0, 0
    erased = set()
    SEEN.update(told=0, exports=0, reports=0)
    try:
        for step in range(9):
            act = 'import' if step == 0 else rng.choice(['import', 'import', 'clock', 'clock', 'erase', 'reload', 'reload', 'kill'])
            now = server.now()
            if act == 'import':
                lines, order = crowd_lines(rng, history, erased, now, order)
                assert server.import_lines(lines)['accepted'] == len(lines)
            elif act == 'clock':
                ahead = rng.choice([1, 1, 2, 8, 31])
                if spent + ahead < 80:
                    spent += ahead
                    server.advance('%dd' % ahead)
            elif act == 'erase':
                for v in rng.sample(sorted(v for v in history if history[v]), 12):
                    server.cli('visitor', 'erase', '--id', v, ok=(0, 1))
                    history[v] = []
                    erased.add(v)
            elif act == 'kill':
                server.restart(signal.SIGKILL)
            else:
                if rng.random() < 0.5:
                    field, values = rng.choice(FIELDS)
                    categories[rng.choice(sorted(categories))] = (field, rng.choice(values))
                conditions = random_rules(rng, server, categories, now // DAY) if rng.random() < 0.7 else conditions
                server.write_rules(rules_text(categories, conditions))
                server.process.send_signal(signal.SIGHUP)
                until(lambda: server.js('rules', 'status')['complete'], server.logged)
            server.settle()
            today = server.now() // DAY
            want = {s: 0 for s in conditions}
            for own in history.values():
                for s in Oracle(own, today, categories, conditions).segments(conditions):
                    want[s] += 1
            before = told(server, '/v1/report')
            fresh = not before['current'] and told(server, '/v1/report', ' ')['current']
            one_number(server, rng, want, fresh)
            command_line(server, rng, want)
            if step % 4 == 3:
                server.stop(signal.SIGKILL if rng.random() < 0.5 else signal.SIGTERM)
                command_line(server, rng, want)
                server.start()
        print(SEEN)
    except AssertionError as e:
        raise AssertionError('seed %d, step %d (%s): %s\n%s' % (seed, step, act, e, {s: text(c) for s, c in conditions.items()})) from e
    finally:
        server.close()
