"""Numbers by day: what is counted, what views and deliveries know of each day, through the gate."""
import json
import os
import signal

from harness import Browser, until


def report(server, what, query=''):
    status, _, data = server.http('GET', '/v1/report/%s%s' % (what, '?' + query if query else ''), admin=True)
    assert status == 200, data
    return json.loads(data)


# --- what is counted

def counted(server, what, reason='', days=90):
    rows = [r['by_day'] for r in report(server, 'hits', 'days=%d' % days)['rows'] if (r['what'], r['reason']) == (what, reason)]
    assert len(rows) == 1
    return rows[0]


def hits(server, n, path='/coats/1', **kw):
    for _ in range(n):
        Browser(server).hit(path, **kw)


def test_hits_are_counted_on_their_day(server):
    server.morning()
    hits(server, 30)
    hits(server, 19, headers={'Sec-GPC': '1'})
    r = report(server, 'hits')
    assert len(r['days']) == 90 and r['days'][-1] >= r['recorded_since']
    assert counted(server, 'hits')[-1] == 30 and counted(server, 'cookies', 'new')[-1] == 30
    assert counted(server, 'refused', 'gpc')[-1] is None and counted(server, 'refused', 'dnt')[-1] == 0     # 19 speak of people, 0 of nobody
    hits(server, 3, headers={'Sec-GPC': '1'})
    assert counted(server, 'refused', 'gpc')[-1] == 20
    server.advance('24h')
    hits(server, 50)
    assert counted(server, 'hits', days=2) == [30, 50] and counted(server, 'refused', 'gpc', days=2) == [20, 0]
    assert counted(server, 'hits', days=3)[0] in (None, 0)
    assert [server.http('GET', '/v1/report/hits?days=' + n, admin=True)[0] for n in ('0', '91', 'x', '1')] == [400, 400, 400, 200]


def test_imported_events_count_as_metrics_count_them(server):
    server.import_lines([{'id': 'v%d' % i, 'u': 'https://shop.example/coats/1'} for i in range(40)] + [{'id': 'x', 'u': 'https://shop.example/', 't': 5}] * 20)
    for name, what, reason in (('hits_total', 'hits', ''), ('events_total', 'events', ''), ('refused_total{reason="too_old"}', 'refused', 'too_old')):
        assert counted(server, what, reason)[-1] == server.metric(name) >= 20


def test_counts_outlive_a_restart_and_end_with_retention(server):
    server.morning()
    hits(server, 30)
    server.restart()
    hits(server, 20)
    assert counted(server, 'hits')[-1] == 50
    server.advance('24h')      # a day that has ended is on disk: what a crash may lose is today's latest minute
    until(lambda: b' hits_total 50\n' in open(os.path.join(server.store, 'tallies'), 'rb').read())
    server.restart(signal.SIGKILL)
    assert counted(server, 'hits', days=2) == [50, 0]
    server.advance('88d')
    assert counted(server, 'hits')[0] == 50
    server.advance('24h')
    r = report(server, 'hits')
    assert r['recorded_since'] == r['days'][0] and counted(server, 'hits')[0] == 0


def test_a_damaged_file_of_counts_is_told_and_loses_no_hit(server):
    hits(server, 30)
    browser = Browser(server)
    browser.hit('/coats/1')
    server.stop()
    with open(os.path.join(server.store, 'tallies'), 'a') as f:
        f.write('2026-01-01 hits_total 5\n')
    server.start()
    assert b'tallies' in server.http('GET', '/readyz', admin=True)[2]
    hits(server, 20)
    assert counted(server, 'hits')[-1] == 20
    browser.hit('/coats/1')
    server.settle()
    assert browser.count('apparel.coats') == 2


def test_every_counter_that_is_marked_is_told(server):
    """A new counter that its row marks is in the report with no other change."""
    from test_rows import reference
    marked = [(m['name'][len('crumb_'):].replace('_total', ''), v) for m in reference('metrics')['metrics'] if m.get('by_day')
              for v in ([v['value'] for v in m['values']] if m.get('values') else [''])]
    assert [(r['what'], r['reason']) for r in report(server, 'hits')['rows']] == marked and len(marked) > 30


# --- segments

def of(report, key, id):
    found = [s for s in report[key] if s['id'] == id]
    assert len(found) == 1, (id, report[key])
    return found[0]


def test_all_segments_by_day_say_what_each_says(server):
    server.morning()
    for day in range(3):
        server.import_lines([{'id': 'd%dv%d' % (day, i), 'u': 'https://shop.example/coats/1'} for i in range(30) for _ in range(3)])
        server.settle()
        server.advance('24h')
    r = report(server, 'segments', 'days=20')
    fans = of(r, 'segments', 'coat-fans')
    assert fans['size'][-4:] == [30, 60, 90, 90] and fans['entered'][-4:-1] == [30] * 3 and fans['left'][-1] is None
    assert fans['size'][0] is None and fans['recorded_since'] == r['days'][-4] and len(fans['size']) == len(r['days']) == 20
    assert [len(report(server, 'segments', q)['days']) for q in ('', 'days=90')] == [30, 90]
    for id in ('coat-fans', 'coats-ever', 'buyers'):
        status, _, data = server.http('GET', '/v1/segment?days=20&id=' + id, admin=True)
        one = json.loads(data)['days']
        assert status == 200 and [d['day'] for d in one] == r['days']
        for key in ('size', 'entered', 'left'):
            assert [d[key] if d['recorded'] else None for d in one] == of(r, 'segments', id)[key]
    server.advance('12d')
    fans = of(report(server, 'segments'), 'segments', 'coat-fans')
    assert fans['left'][-1] == 60 and fans['size'][-1] == 30        # three in fourteen days
