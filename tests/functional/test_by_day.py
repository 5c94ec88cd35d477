"""Numbers by day: what is counted, what views and deliveries know of each day, through the gate."""
import json
import os
import signal

from harness import RULES, Browser, until


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


# --- deliveries

TO = '''version: 1
partners: [{id: acme}]
destinations:
  - {id: lake, format: csv, deliver: {directory: DIR/lake}}
  - {id: ids, format: csv, partner: acme, deliver: {directory: DIR/ids}}
'''


def delivering(make):
    server = make(rules=RULES.replace('{id: coats-ever, when: coats}', '{id: coats-ever, when: coats, destinations: [lake, ids]}'))
    server.write_destinations(TO.replace('DIR', server.dir))
    assert server.http('POST', '/v1/reload', admin=True)[0] == 200
    return server


def test_deliveries_by_day(make):
    server = delivering(make)
    server.morning()
    for day in range(3):
        server.import_lines([{'id': 'd%dv%d' % (day, i), 'u': 'https://shop.example/coats/1'} for i in range(30 if day < 2 else 5)])
        for to in ('lake', 'ids'):
            assert server.http('POST', '/v1/deliver?to=' + to, admin=True)[0] == 200
        server.advance('24h')
    r = report(server, 'deliveries', 'days=5')
    lake, ids = of(r, 'destinations', 'lake'), of(r, 'destinations', 'ids')
    assert r['days'] == sorted(r['days']) and len(r['days']) == 5
    assert lake['added'] == [None, 30, 30, None, None] and lake['removed'] == [None] * 5 and lake['failures'] == [0] * 5
    assert lake['members'][1:4] == [30, 60, 70] and lake['with_id'] == [None] * 5 and lake['members'][0] is None
    assert ids['added'] == [None] * 5 and ids['with_id'] == [None] * 5        # none, as few
    assert report(server, 'deliveries', 'destination=ids&days=5')['destinations'] == [ids]
    assert server.http('GET', '/v1/report/deliveries?destination=nobody', admin=True)[0] == 404


def test_a_delivery_that_was_given_up_is_counted_and_needs_attention(make):
    from partner import Partner
    server = delivering(make)
    partner = Partner(server)
    server.write_destinations(TO.replace('DIR', server.dir).replace('{directory: %s/lake}' % server.dir, '{url: "%s"}' % partner.url).replace('format: csv, deliver: {url', 'format: ndjson, deliver: {url'))
    assert server.http('POST', '/v1/reload', admin=True)[0] == 200
    server.import_lines([{'id': 'v%d' % i, 'u': 'https://shop.example/coats/1'} for i in range(30)])
    partner.moods = [403]
    assert json.loads(server.http('POST', '/v1/deliver?to=lake', admin=True)[2])['state'] == 'failed'
    lake = of(report(server, 'deliveries'), 'destinations', 'lake')
    assert lake['failures'][-1] == 1 and lake['added'][-1] is None
    rows = [a for a in report(server, 'summary')['attention'] if a['what'] == 'delivery']
    assert [(a['id'], a['link']) for a in rows] == [('lake', '#/destinations/lake')] and '403' in rows[0]['says']
    partner.close()


# --- the summary

ALERT = RULES.replace('{id: coats-ever, when: coats}', '{id: coats-ever, alert: size < 50, when: coats}')


def test_the_summary_says_what_today_is_like(make):
    server = make(rules=ALERT)
    server.morning()
    s = report(server, 'summary')
    assert (s['visitors'], s['hits'], s['refused'], s['movers']) == (None, 0, [], {'day': [], 'week': []}) and s['visitors_complete'] and 0 < s['disk_free'] < 1
    server.import_lines([{'id': 'v%d' % i, 'u': 'https://shop.example/coats/1'} for i in range(40)])
    hits(server, 20, headers={'Sec-GPC': '1'})
    hits(server, 3, headers={'DNT': '1'})
    server.settle()
    s = report(server, 'summary')
    assert (s['visitors'], s['hits'], s['events']) == (40, 40, 40) and s['refused'] == [{'reason': 'gpc', 'hits': 20}] and s['set_aside'] == []
    alerts = [a for a in s['attention'] if a['what'] == 'alert']
    assert [(a['id'], a['link']) for a in alerts] == [('coats-ever', '#/segments/coats-ever')] and '50' in alerts[0]['says']
    assert {a['id'] for a in s['attention'] if a['what'] == 'rule'} >= {'apparel.shoes', 'purchase', 'buyers'} and not s['more']


def test_movers_are_told_by_told_numbers(make):
    server = make(rules=ALERT)
    server.morning()
    server.import_lines([{'id': 'v%d' % i, 'u': 'https://shop.example/coats/1'} for i in range(40)])
    server.import_lines([{'id': 'b%d' % i, 'u': 'https://shop.example/', 'e': 'purchase'} for i in range(19)])
    server.settle()
    server.advance('24h')
    server.import_lines([{'id': 'w%d' % i, 'u': 'https://shop.example/coats/1'} for i in range(30)])
    server.import_lines([{'id': 'b%d' % i, 'u': 'https://shop.example/', 'e': 'purchase'} for i in range(19, 30)])
    server.settle()
    day = report(server, 'summary')['movers']['day']
    assert {m['id']: (m['before'], m['size'], m['change']) for m in day} == {'coats-ever': (40, 70, 30), 'apparel-any': (40, 70, 30)}     # buyers: withheld yesterday
    server.advance('144h')
    assert [m['id'] for m in report(server, 'summary')['movers']['week']] == ['apparel-any', 'coats-ever']
    assert report(server, 'summary')['movers']['day'] == []
    server.stop()
    with open(os.path.join(server.store, 'tallies'), 'a') as f:
        f.write('x')
    server.start()
    assert [a['what'] for a in report(server, 'summary')['attention']][0] == 'damage'
