"""The report of the day at size: how long it takes at idle priority, what hits feel of it meanwhile, and how long its routes take."""
import os
import re
import shutil
import time

from data import segments_yaml
from harness import until
from peers import ROUNDS, beside_disk, fill, heading, hits, made, new_server, row

VISITORS, SEGMENTS, EACH = 1000000, 1000, 30       # EACH: events of a visitor
JOURNEY = '''journeys:
  - {id: way, from: c01, steps: [c02, c03, c04, c05, c06, c07, c08, c09], within: 14d}
'''
ROUTES = ['/v1/report', '/v1/report/segment?id=s0001', '/v1/report/categories', '/v1/report/categories?days=1&id=c01', '/v1/report/journeys',
          '/v1/report/hits', '/v1/report/segments?days=90', '/v1/report/deliveries', '/v1/report/summary', '/v1/segment?id=s0001&days=90', '/v1/destinations', '/v1/deliveries', '/v1/lookalikes', '/v1/signals', '/v1/quarantine',
          '/v1/segments', '/v1/categories', '/v1/rules/status', '/v1/rules/files', '/v1/rules/category?id=c01', '/v1/rules/history', '/v1/history', '/v1/tokens',
          '/v1/who', '/metrics', '/readyz']


def spent_ms(server):
    """What the log says of each report that was made."""
    return [int(ms) for ms in re.findall(r'report made ms=(\d+)', server.logged())]


def asked_ms(server, path):
    times = []
    for _ in range(ROUNDS):
        start = time.monotonic()
        status, _, _ = server.http('GET', path, admin=True)
        assert status == 200, path
        times.append((time.monotonic() - start) * 1000)
    return sorted(times)[len(times) // 2]


def first_ms(server, path):
    """The longest that anybody waits for an answer of what a start has to count first: 503, until it is there."""
    times, status = [], 0
    while status != 200:
        start = time.monotonic()
        status, _, _ = server.http('GET', path, admin=True)
        times.append((time.monotonic() - start) * 1000)
        assert status in (200, 503), path
    return max(times)


def report():
    """1,000,000 visitors with 30 category-days, 1,000 segments, a journey; hits come in while the report is made. Takes about 1.5 GB of disk.

    A hit is answered when the disk has synced it. So the disk is asked beside it, as often as the journal asks it when nothing else happens."""
    server = new_server(segments_yaml(SEGMENTS) + JOURNEY, test_clock=False)
    made('bench-load')
    fill(server, VISITORS, EACH * VISITORS, 30)
    server.start()
    until(lambda: spent_ms(server), server.logged, 600)
    time.sleep(5)
    commits = server.metric('journal_commits_total')
    hits(server.collect, 5)
    rate = (server.metric('journal_commits_total') - commits) / 5
    quiet = beside_disk(server, 10, rate)
    server.stop()
    shutil.rmtree(os.path.join(server.store, 'reports'))
    server.start()
    busy = beside_disk(server, 20, rate)
    until(lambda: len(spent_ms(server)) > 1, server.logged, 600)
    first, second = spent_ms(server)[:2]
    heading('crumb', 'bound')
    rows = [row('report, 1,000,000 visitors, 1,000 segments', first / 1000, 10, 's'), row('the same while hits come in', second / 1000, 10, 's'),
            row('p99 of 1,000 hits a second meanwhile', busy['p99'], 5, 'ms')]
    rows.append(row('GET /v1/quarantine until it is counted', first_ms(server, '/v1/quarantine'), 100, 'ms'))
    rows += [row('GET ' + path, asked_ms(server, path), 100, 'ms') for path in ROUTES]
    heading('meanwhile', 'quiet')
    rows += [row('p99 of 1,000 hits a second', busy['p99'], quiet['p99'], 'ms'), row('p99 of a sync of the disk', busy['disk'], quiet['disk'], 'ms'),
             row('commits of the journal a second', busy['commits'], quiet['commits'], '1/s'), row('syncs of the disk beside them', busy['syncs'], quiet['syncs'], '1/s')]
    heading('hits', 'the disk')
    return rows + [row('p99 of hits and of a sync, meanwhile', busy['p99'], busy['disk'], 'ms'), row('p99 of hits and of a sync, quiet', quiet['p99'], quiet['disk'], 'ms')]
