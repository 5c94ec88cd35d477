"""Benchmarks of data at rest: evaluate, sweep, store, replay, rules, backfill."""
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import time

from hits import DAY, hundred_segments
from peers import ROUNDS, answer, cpu_us, duck, fill, folder, heading, hits, made, megabytes, new_server, redis, redis_ask, redis_pipe, row, tree

CATS, made_store = 40, {}


def big_store():
    """1,000,000 visitors with 30 category-days, folded as they came; its rows as CSV. Made once; takes about 1.5 GB of disk."""
    if not made_store:
        server = new_server(segments_yaml(1), test_clock=False)
        made_store.update(server=server, seconds=fill(server, 1000000, 30000000, 30), csv=os.path.join(folder(), 'rows.csv'), live=megabytes(server.store + '/state'))
        subprocess.run([made('bench-evaluate'), server.store, os.path.join(server.rules, 'rules.yaml'), made_store['csv']], check=True)
    return made_store


# --- evaluate: the same segments in YAML and in SQL

def atoms(i):
    """Comparisons of segment i: (events or days, category, window in days or 0, at least), and how they are joined."""
    a, b, c, k, turn = i * 7 % CATS, (i * 11 + 5) % CATS, (i * 13 + 9) % CATS, 2 + i // 100 % 3, i // 5
    return [('A', [('n', a, 14 + turn % 10, k)]), ('A and not B', [('n', a, 7 + turn % 5, 1), ('n', b, 30, 1)]), ('A and B', [('n', a, 0, 1), ('n', b, 0, 1)]),
            ('A', [('d', a, 20 + turn % 20, 2)]), ('(A or B) and C', [('n', a, 0, k), ('n', b, 10, 2), ('n', c, 0, 1)])][i % 5]


def joined(form, terms):
    return re.sub(r'\b[ABC]\b', lambda m: terms['ABC'.index(m.group())], form)


def segments_yaml(n):
    text = 'version: 1\ncategories:\n' + ''.join('  - {id: c%02d, any: [{path: /kind%d/*}]}\n' % (i, i) for i in range(CATS)) + 'segments:\n'
    for i in range(n):
        form, parts = atoms(i)
        terms = [('c%02d >= %d' if what == 'n' else 'days(c%02d) >= %d') % (cat, least) + (' in %dd' % window if window else '') for what, cat, window, least in parts]
        text += '  - {id: s%04d, when: "%s"}\n' % (i, joined(form, terms))
    return text


def condition(atom):
    what, cat, window, least = atom
    return "coalesce(%s FILTER (category = %d%s), 0) >= %d" % ('sum(n)' if what == 'n' else 'count(*)', cat + 1, ' AND day > today() - %d' % window if window else '', least)


def one_by_one(n):
    for i in range(n):
        form, parts = atoms(i)
        yield 'SELECT count(*) FROM (SELECT visitor FROM days WHERE category IN (%s) GROUP BY visitor HAVING %s)' % (
            ', '.join(str(p[1] + 1) for p in parts), joined(form, [condition(p) for p in parts]))


def one_query(n):
    """Every comparison of every visitor once, kept as bits, and the segments from the bits."""
    known = sorted({p for i in range(n) for p in atoms(i)[1]})
    bit = {p: k for k, p in enumerate(known)}
    table = 'CREATE OR REPLACE TEMP TABLE atoms AS SELECT * FROM (VALUES %s) t(id, category, since, days, least)' % ', '.join(
        '(%d, %d, %s, %s, %d)' % (k, p[1] + 1, 'today() - %d + 1' % p[2] if p[2] else '0', 'true' if p[0] == 'd' else 'false', p[3]) for p, k in bit.items())
    words = len(known) // 64 + 1
    masks = ', '.join('bit_or(CASE WHEN id // 64 = %d THEN 1::UBIGINT << (id %% 64) ELSE 0 END) AS m%d' % (w, w) for w in range(words))
    counts = ', '.join('count(*) FILTER (%s)' % joined(atoms(i)[0], ['((m%d & %d::UBIGINT) <> 0)' % (bit[p] // 64, 1 << bit[p] % 64) for p in atoms(i)[1]]) for i in range(n))
    return [table, 'WITH hits AS (SELECT visitor, id FROM days JOIN atoms ON days.category = atoms.category AND days.day >= atoms.since GROUP BY visitor, id '
            'HAVING CASE WHEN any_value(atoms.days) THEN count(*) ELSE sum(n) END >= any_value(least)), bits AS (SELECT visitor, %s FROM hits GROUP BY visitor) SELECT %s FROM bits' % (masks, counts)]


def evaluate():
    """100 and 1,000 segments from scratch over 1,000,000 visitors with 30 category-days; and one condition. DuckDB in the better of two forms."""
    big, where = big_store(), folder()
    today = int(time.time()) // DAY
    load = ["CREATE TABLE days AS SELECT visitor::UINTEGER AS visitor, category::USMALLINT AS category, day::USMALLINT AS day, count::UINTEGER AS n FROM read_csv('%s') ORDER BY category, visitor" % big['csv'],
            'CREATE MACRO today() AS %d' % today]
    theirs = duck(os.path.join(where, 'days.duckdb'), [('load', load), ('one by one', list(one_by_one(100)), 3), ('one query', one_query(100), 2),
                                                        ('one condition', next(one_by_one(1)), ROUNDS)])
    made_store['duck'] = os.path.getsize(os.path.join(where, 'days.duckdb')) / 1e6
    ours = {}
    for n in (100, 1000):
        path = os.path.join(where, '%d.yaml' % n)
        with open(path, 'w') as f:
            f.write(segments_yaml(n))
        runs = [json.loads(subprocess.run([made('bench-evaluate'), big['server'].store, path], check=True, capture_output=True, text=True).stdout) for _ in range(ROUNDS)]
        ours[n] = [r['s'] for r in runs]
        if n == 100 and (runs[0]['sizes'] != [r[0] for r in theirs['one by one']['rows']] or runs[0]['sizes'] != theirs['one query']['rows'][-1]):
            sys.exit('crumb and DuckDB do not agree: %s, %s' % (runs[0]['sizes'][:9], theirs['one by one']['rows'][:9]))
    best = min(min(theirs['one by one']['s']), min(theirs['one query']['s'][1:]))
    large = ten_times(os.path.join(where, '100.yaml'), ours[100]) if os.environ.get('LARGE') else []
    preview = big['server'].start().js('rules', 'preview', joined(atoms(0)[0], ['c00 >= 2 in 14d']))
    previews = [big['server'].js('rules', 'preview', 'c%02d >= 2 in 14d' % k)['ms'] / 1e3 for k in range(ROUNDS)]
    big['server'].stop()
    heading('crumb', 'DuckDB')
    rows = [row('100 segments, 1,000,000 visitors, two forms: the better', ours[100], best, 's'), row('  beside one query for each', ours[100], min(theirs['one by one']['s']), 's'),
            row('  beside one query for all', ours[100], min(theirs['one query']['s']), 's'), row('1,000 segments (DuckDB: ten times its 100)', ours[1000], 10 * best, 's'),
            row('one condition (crumb: through its k gate)', previews, theirs['one condition']['s'], 's')]
    assert preview['ms'] >= 0
    return rows + large


def ten_times(rules, small):
    """The same 100 segments over 10,000,000 visitors; DuckDB's file of their rows would not fit into memory here."""
    server = new_server(segments_yaml(1), test_clock=False)
    fill(server, 10000000, 300000000, 30)
    runs = [json.loads(subprocess.run([made('bench-evaluate'), server.store, rules], check=True, capture_output=True, text=True).stdout)['s'] for _ in range(3)]
    server.close()
    return [row('100 segments, 10,000,000 visitors, beside ten times 1,000,000', runs, [10 * s for s in small], 's')]


# --- sweep

def swept(others):
    """Seconds in which 1,000,000 visitors go whose day has ended, among as many others."""
    server = new_server(hundred_segments(CATS))
    fill(server, 1000000, 1000000, 1, 0, 88)
    if others:
        fill(server, others, others, 1, 1000000, 0)
    server.start()
    server.settle()
    start = time.monotonic()
    status = server.http('POST', '/v1/clock?advance=2d', admin=True)[0]
    while status != 200:                # a long sweep outlasts one request
        status = server.http('POST', '/v1/settle', admin=True)[0]
    took = time.monotonic() - start
    assert server.metric('expired_visitors_total') == 1000000
    server.close()
    return took


def sweep():
    """Visitors whose last day ends, all at one midnight."""
    alone, among = swept(0), swept(9000000)
    where = folder()
    port, _ = redis(where)
    end = int((time.time() + 45) * 1000)
    redis_pipe(port, (('SET', 'v%d' % i, 'x' * 200, 'PXAT', str(end)) for i in range(1000000)))
    time.sleep(max(0, end / 1000 - time.time()))
    start = time.monotonic()
    while redis_ask(port, 'DBSIZE') != '0':
        time.sleep(0.02)
    theirs = time.monotonic() - start
    sql = ['CREATE TABLE days AS SELECT i::UINTEGER AS visitor, (i %% 40)::USMALLINT AS category, (CASE WHEN i < 1000000 THEN 1 ELSE 90 END)::USMALLINT AS day, 1::UINTEGER AS n FROM range(%d) t(i)',
           'DELETE FROM days WHERE day < 2', 'CHECKPOINT']
    r = duck(os.path.join(where, 'd.duckdb'), [('make', sql[0] % 10000000), ('delete', sql[1:])])
    heading('crumb', 'Redis')
    rows = [row('1,000,000 due among 1,000,000 (Redis: EXPIRE)', alone, theirs, 's')]
    heading('crumb', 'DuckDB')
    rows.append(row('1,000,000 due among 10,000,000 (DuckDB: DELETE)', among, r['delete']['s'][0], 's'))
    heading('10,000,000', '1,000,000')
    rows.append(row('the same due, among ten times as many', among, alone, 's'))
    server = new_server(hundred_segments(CATS))
    fill(server, 1000000, 1000000, 1, 0, 88)
    server.start()
    quiet = hits(server.collect, 8)
    load = hits(server.collect, 10, wait=False)
    time.sleep(2)
    server.http('POST', '/v1/clock?advance=2d', admin=True)
    heading('midnight', 'quiet')
    rows.append(row('p99 of hits while a day of 1,000,000 visitors ends', answer(load)['p99'], quiet['p99'], 'ms'))
    return rows


# --- store

def ready_s(server):
    start = time.monotonic()
    server.start()
    return time.monotonic() - start


def memory(server):
    """Resident memory beyond the maps, MB."""
    with open('/proc/%d/status' % server.process.pid) as f:
        return int(re.search(r'RssAnon:\s+(\d+)', f.read()).group(1)) / 1e3


def store():
    """Bytes of a visitor with 30 category-days, all views; restart and memory with 10,000,000 visitors."""
    big, where = big_store(), folder()
    server = big['server']
    server.start()
    server.write_rules(segments_yaml(1) + '  - {id: other, when: c01 and c02}\n')
    server.process.send_signal(1)
    while not server.js('rules', 'status')['complete'] or not server.js('segments', 'list')[1]['id'] == 's0000':
        time.sleep(0.3)
    time.sleep(2)
    compact = megabytes(server.store + '/state')
    journal = megabytes(server.store + '/journal')
    server.stop()
    port, _ = redis(where)
    before = int(re.search(r'used_memory:(\d+)', redis_ask(port, 'INFO', 'memory')).group(1))
    redis_pipe(port, (['HSET', 'v%032d' % v] + [w for k in range(30) for w in ('%d:%d' % (k, 20000 + k), '1')] for v in range(100000)))
    hashes = (int(re.search(r'used_memory:(\d+)', redis_ask(port, 'INFO', 'memory')).group(1)) - before) / 1e5
    if 'duck' not in big:
        duck(os.path.join(where, 'days.duckdb'), [('load', "CREATE TABLE days AS SELECT visitor::UINTEGER AS visitor, category::USMALLINT AS category, day::USMALLINT AS day, count::UINTEGER AS n "
                                                   "FROM read_csv('%s') ORDER BY category, visitor" % big['csv'])])
        big['duck'] = os.path.getsize(os.path.join(where, 'days.duckdb')) / 1e6
    heading('crumb', 'Redis')
    rows = [row('bytes a visitor, folded as they came', big['live'], hashes, 'bytes'), row('bytes a visitor, after a generation was built', compact, hashes, 'bytes')]
    heading('crumb', 'DuckDB')
    rows += [row('the same, beside its file of the rows alone', compact, big['duck'], 'bytes'), row('journal, bytes an event', journal / 30, None, 'bytes')]
    many = new_server(hundred_segments(CATS), test_clock=False)
    fill(many, 10000000, 20000000, 30)
    heading('crumb', 'bound')
    rows.append(row('restart to ready, 10,000,000 visitors', [ready_s(many), many.stop() or ready_s(many)], 2, 's'))
    hits(many.collect, 3)
    rows.append(row('memory beyond the maps, 10,000,000 visitors', memory(many), 200, 'MB'))
    return rows


# --- replay

def cpu_of_children():
    r = resource.getrusage(resource.RUSAGE_CHILDREN)
    return r.ru_utime + r.ru_stime


def replay():
    """Import of NDJSON, beside the least that one could do with the file; and the journal folded anew."""
    server, n = new_server(hundred_segments(CATS)), 1000000
    path = os.path.join(server.dir, 'events.ndjson')
    now = int(time.time())
    with open(path, 'w') as f:
        for i in range(n):
            f.write('{"id":"v%d","t":%d,"e":"view","u":"https://shop.example/kind%d/%d"}\n' % (i * 7919 % 200000, now - i % 30 * DAY, i % 40, i % 50))
    ours, core, peer = [], [], []
    for _ in range(3):
        shutil.rmtree(server.store, ignore_errors=True)
        before = cpu_of_children()
        ours.append(n / server.js('import', path, '--format', 'ndjson')['seconds'])
        core.append(n / (cpu_of_children() - before))
        start = time.monotonic()
        subprocess.run(['/usr/bin/python3', '-c', 'import json,sys\nfor l in open(sys.argv[1]): json.loads(l)', path], check=True)
        peer.append(n / (time.monotonic() - start))
    heading('crumb', 'json.loads')
    rows = [row('import, events a second', ours, peer, '1/s'), row('  for each second of a core, beside the bound', core, 300000, '1/s')]
    again = new_server(hundred_segments(CATS))
    fill(again, 200000, 6000000, 30)
    shutil.rmtree(again.store + '/state')
    start = time.monotonic()
    again.start()
    while again.http('POST', '/v1/settle', admin=True)[0] != 200:
        pass
    took, cpu = time.monotonic() - start, cpu_us(tree(again.process.pid)) / 1e6
    heading('crumb', 'bound')
    return rows + [row('journal replay, events a second', 6e6 / took, None, '1/s'), row('  for each second of a core', 6e6 / cpu, 300000, '1/s')]


# --- rules

def pattern(i):
    """Half globs, two fifths words, a tenth expressions."""
    kind = i % 10
    if kind < 3:
        return 'path: /dir%d/*/page-*' % i
    if kind < 5:
        return 'host: "*.site%d.example"' % i
    if kind < 9:
        return 'title: word%d winter coat' % i
    return r"path: '/^\/p%d\/[0-9]+(-[a-z]+)?$/'" % i if i % 20 == 9 else r"title: '/(brand%d|marke%d).*(sale|rabatt)/'" % (i, i)


def out_of_cache(path):
    with open(path) as f:
        os.fsync(f.fileno())
        os.posix_fadvise(f.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def rules():
    """Categorising one event that was not seen before under 1,000 and 10,000 patterns beside 10; loading them beside PyYAML reading the file."""
    tool, cost, load, where = made('bench-match'), {}, [], folder()
    for n in (10, 1000, 10000):
        path = os.path.join(where, '%d.yaml' % n)
        with open(path, 'w') as f:
            f.write('version: 1\ncategories:\n' + ''.join('  - {id: c%d, any: [{%s}]}\n' % (i, pattern(i)) for i in range(n)))
        cost[n] = []
    for _ in range(ROUNDS):
        for n in cost:
            out_of_cache(os.path.join(where, '%d.yaml' % n))
            r = json.loads(subprocess.run([tool, os.path.join(where, '%d.yaml' % n)], check=True, capture_output=True).stdout)
            cost[n].append(r['ns'])
            load += [r['load_s']] if n == 10000 else []
    peer = []
    for _ in range(ROUNDS):
        start = time.monotonic()
        subprocess.run(['/usr/bin/python3', '-c', 'import sys,yaml\nyaml.load(open(sys.argv[1]), yaml.CSafeLoader)', path], check=True)
        peer.append(time.monotonic() - start)
    heading('more', '10')
    rows = [row('categorise an event, %d patterns' % n, cost[n], cost[10], 'ns') for n in (1000, 10000)]
    heading('crumb', 'PyYAML')
    return rows + [row('load 10,000 rules, matcher and all', load, peer, 's')]


# --- backfill

def complete(server, since):
    while not server.js('rules', 'status')['complete']:
        time.sleep(0.2)
    return time.monotonic() - since


def backfill():
    """A new category over 30,000,000 journal events of 1,000,000 visitors while hits come in. Takes about 1.5 GB of disk."""
    categories = ''.join('  - {id: c%d, any: [{path: /kind%d/*}]}\n' % (i, i) for i in range(20)) + '  - {id: buy, any: [{event: purchase}]}\n'
    segments = 'segments:\n' + ''.join('  - {id: s%d, when: c%d >= 3 in 14d and not buy in 30d}\n' % (i, i) for i in range(20))
    server = new_server('version: 1\ncategories:\n' + categories + segments, test_clock=False)
    made('bench-load')
    first = fill(server, 1000000, 30000000, 30)
    server.start()
    time.sleep(15)                      # the disk comes to rest
    quiet = hits(server.collect, 10)
    preview = [server.js('rules', 'preview', 'c3 >= 1 in 5d and not buy in 3d')['ms'] for _ in range(ROUNDS)]
    start = time.monotonic()
    server.write_rules('version: 1\ncategories:\n' + categories + '  - {id: extra, any: [{path: /kind30/*}]}\n' + segments + '  - {id: x, when: extra in 7d}\n')
    server.process.send_signal(1)
    busy = hits(server.collect, 20)
    took = complete(server, start)
    time.sleep(5)
    start = time.monotonic()
    server.write_rules(open(os.path.join(server.rules, 'rules.yaml')).read() + '  - {id: y, when: c1 and c2}\n')
    server.process.send_signal(1)
    conditions = complete(server, start)
    heading('backfill', 'first fold')
    rows = [row('new category, 30,000,000 events', took, first, 's')]
    heading('meanwhile', 'quiet')
    rows.append(row('p99 of 1,000 hits a second', busy['p99'], quiet['p99'], 'ms'))
    heading('crumb', 'bound')
    return rows + [row('new condition, 1,000,000 visitors', conditions, 60, 's'), row('preview, 1,000,000 visitors', preview, 300, 'ms'),
                   row('the new category, against its bound', took, 60, 's'), row('p99 meanwhile, against its bound', busy['p99'], 10, 'ms')]
