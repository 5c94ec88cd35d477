"""Benchmarks of requests: collect, ingest, lookup, age."""
import json
import os
import random
import threading
import time

from peers import BATCH, PIXEL, ROUNDS, ZIPF, Side, alternate, answer, duck, fill, floor, folder, front, heading, hits, megabytes, new_server, nginx, nginx_cookies, of, redis
from peers import redis_pipe, row

DAY = 86400


def settled(server):
    return lambda: server.http('POST', '/v1/settle', admin=True)


def sides():
    server = new_server(test_clock=False).start()
    return [Side('floor', *floor()), Side('nginx', *nginx(folder()), settle=lambda: time.sleep(1.2)), Side('crumb', server.collect, server.process.pid, settled(server))]


def collect():
    """CPU of a pixel hit, one core, accept to durable journal; and with the folds, which nginx has nothing beside."""
    all_sides, rows = sides(), []
    kinds = [('64 connections', {'connections': 64}), ('1,024 connections', {'connections': 1024}),
             ('64, a connection for each hit', {'connections': 64, 'request': PIXEL % ', Connection = "close"'})]
    heading('crumb', 'nginx')
    for name, how in kinds:
        bare, peer, ours = alternate(all_sides, ROUNDS, all=how)
        rows.append(row('CPU per hit to the durable journal, ' + name, of(ours, 'journal'), of(peer, 'cpu'), 'us'))
        rows.append(row('  the same, and folded', of(ours, 'cpu'), of(peer, 'cpu'), 'us'))
        rows.append(row('  hits a second on one core', of(ours, 'rate'), of(peer, 'rate'), '1/s'))
        rows.append(row('  CPU to the journal, beside bare libevent', of(ours, 'journal'), of(bare, 'cpu'), 'us'))
    how = {'connections': 64}
    _, peer, ours = alternate(all_sides, ROUNDS, all=how, crumb={'connections': 64, 'request': BATCH, 'events': 20})
    rows.append(row('CPU per event of POST /e with 20, beside a pixel hit', of(ours, 'journal'), of(peer, 'cpu'), 'us'))
    return rows


def hundred_segments(kinds):
    """Categories of pages /kindN/…, and 100 segments in five forms."""
    text = 'version: 1\ncategories:\n' + ''.join('  - {id: c%02d, any: [{path: /kind%d/*}]}\n' % (i, i) for i in range(kinds)) + 'segments:\n'
    for i in range(100):
        a, b = i * 7 % kinds, (i * 11 + 5) % kinds
        text += '  - {id: s%02d, when: "%s"}\n' % (i, ['c%02d >= 2 in 14d' % a, 'c%02d in 7d and not c%02d in 30d' % (a, b), 'c%02d and c%02d' % (a, b),
                                                    'days(c%02d) >= 2 in 30d' % a, 'c%02d >= 3 or c%02d >= 2 in 10d' % (a, b)][i % 5])
    return text


class Lag(threading.Thread):
    """Looks at how far the folds are behind, twice a second."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server, self.most, self.go_on = server, 0, True
        self.start()

    def run(self):
        while self.go_on:
            self.most = max(self.most, self.server.metric('fold_lag_seconds') or 0)
            time.sleep(0.5)

    def stop(self):
        self.go_on = False
        self.join()
        return self.most


FOLD_SQL = '''CREATE OR REPLACE TABLE folded AS SELECT uid, regexp_extract(request, 'kind[0-9]+') AS category, CAST(ms / 86400 AS INTEGER) AS day, count(*) AS n
FROM read_csv('%s', delim=' ', quote='"', header=false, all_varchar=false,
  columns={'ms': 'DOUBLE', 'uid': 'VARCHAR', 'uid_set': 'VARCHAR', 'address': 'VARCHAR', 'request': 'VARCHAR', 'referer': 'VARCHAR', 'agent': 'VARCHAR'})
GROUP BY ALL'''


def ingest():
    """100 segments, 1,000,000 known visitors, a few of them most of the time (Zipf, 1.0); a minute in all. nginx only logs; DuckDB then folds that log."""
    visitors, where = 1000000, folder()
    server = new_server(hundred_segments(40), test_clock=False)
    jar, other = os.path.join(where, 'ours'), os.path.join(where, 'theirs')
    fill(server, visitors, 3 * visitors, 30, 0, 0, jar)
    nginx_cookies(other, visitors)
    server.start()
    ng = folder()
    both = [Side('nginx', *nginx(ng), settle=lambda: time.sleep(1.2), jar=other), Side('crumb', server.collect, server.process.pid, settled(server), jar=jar)]
    paths = ['/kind%d/page-%d' % (k % 40, k) for k in range(200)]
    how = {'connections': 64, 'seconds': 20, 'who': ZIPF, 'paths': paths}
    for s in both:
        s.run(**dict(how, seconds=5))
    open(os.path.join(ng, 'px.log'), 'w').close()
    lag, results = Lag(server), [[s.run(**how) for s in both] for _ in range(3)]
    behind = lag.stop()
    peer, ours = [[r[i] for r in results] for i in (0, 1)]
    n = sum(of(peer, 'n'))
    folded = duck(':memory:', [('fold', FOLD_SQL % os.path.join(ng, 'px.log'))])['fold']['cpu'][0] * 1e6 / n
    heading('crumb', 'nginx')
    rows = [row('CPU per hit, folded into 100 segments', of(ours, 'cpu'), of(peer, 'cpu'), 'us'), row('hits a second on one core', of(ours, 'rate'), of(peer, 'rate'), '1/s')]
    heading('crumb', '+ DuckDB')
    rows.append(row('the same, beside nginx and DuckDB that folds its log', of(ours, 'cpu'), [c + folded for c in of(peer, 'cpu')], 'us'))
    rows.append(row('the folds are behind by at most', behind, None, 's'))
    return rows


def lookup():
    """Segments of one visitor of 1,000,000, 1,000 times a second, while 10,000 hits a second come in; and while a day ends."""
    visitors, where = 1000000, folder()
    server, jar = new_server(hundred_segments(40)), os.path.join(where, 'jar')
    fill(server, visitors, 5 * visitors, 30, 0, 0, jar)
    server.start()
    port, _ = redis(where)
    with open(jar) as f:
        redis_pipe(port, (('SADD', line.strip(), 's01', 's02', 's03') for line in f))
    address, _ = front(port)
    pixels, _ = nginx(where)
    ours, peer = [], []
    for _ in range(3):
        load = hits(server.collect, 9, 10000, wait=False)
        ours.append(hits(server.collect, 7, 1000, '/segments?n=', jar))
        answer(load)
        load = hits(pixels, 9, 10000, '/p.gif?u=x', wait=False)
        peer.append(hits(address, 7, 1000, '/segments?n=', jar))
        answer(load)
    heading('crumb', 'Redis')
    rows = [row('look-up under 10,000 hits a second, ' + q, of(ours, k), of(peer, k), 'ms') for k, q in (('p50', 'p50'), ('p99', 'p99'), ('p999', 'p99.9'))]
    load, asked = hits(server.collect, 14, 10000, wait=False), hits(server.collect, 12, 1000, '/segments?n=', jar, wait=False)
    time.sleep(2)
    server.advance('1d')
    asked = answer(asked)
    answer(load)
    heading('crumb', 'bound')
    rows.append(row('p99 across midnight', asked['p99'], 5, 'ms'))
    return rows


def age():
    """100 days of steady traffic, each day swept; beside a store that got the last 90 of them at once."""
    random.seed(1)
    old, fresh, start = new_server(hundred_segments(40)).start(), new_server(hundred_segments(40)), int(time.time())

    def line(day, i):
        return json.dumps({'id': 'v%d' % ((day * 3000 + random.randrange(40000)) % 200000), 't': start + day * DAY - random.randrange(3600), 'u': 'https://shop.example/kind%d/page' % (i % 40)})

    kept = []
    for day in range(100):
        lines = [line(day, i) for i in range(30000)]
        kept = (kept + lines)[-90 * 30000:]
        assert old.import_lines(lines)['accepted'] == len(lines)
        old.advance('1d')
    fresh.start()
    fresh.advance('100d')
    fresh.import_lines(kept)
    fresh.settle()
    time.sleep(5)
    ours, peer = zip(*[(hits(old.collect, 8), hits(fresh.collect, 8)) for _ in range(ROUNDS)])
    heading('aged', 'fresh')
    return [row('pixel p99 after 100 days', of(ours, 'p99'), of(peer, 'p99'), 'ms'), row('journal', megabytes(old.store + '/journal'), megabytes(fresh.store + '/journal'), 'MB'),
            row('state', megabytes(old.store + '/state'), megabytes(fresh.store + '/state'), 'MB')]
