"""crumb report …: the numbers of the API for people, as tables and as CSV, with a server and without one."""
import csv
import io
import json
import os
import re
import subprocess

import pytest
from harness import BUILD, DAY, Server

RULES = '''version: 1
categories:
  - {id: coats, name: "=Coats", any: [{path: "/coats/*"}]}
  - {id: cart, name: "+1 in the cart", any: [{event: add_to_cart}]}
  - {id: buy, name: "@Bought, \\"finally\\"", any: [{event: purchase}]}
segments:
  - {id: _fans, name: Fans, when: coats >= 2}
  - {id: lookers, when: coats and not buy, destinations: [lake], alert: size < 5000}
  - {id: buyers, name: Bought, when: buy}
journeys:
  - {id: buying, name: "-To the till", from: coats, steps: [cart, buy], within: 7d}
'''


@pytest.fixture(scope='module')
def shop():
    s = Server(rules=RULES, k=20)
    s.write_destinations('version: 1\ndestinations: [{id: lake, format: csv, deliver: {directory: %s/lake}}]\n' % s.dir)
    s.start()
    lines, now = [], s.now() // DAY * DAY + 3600
    for i in range(400):
        act = lambda ago, **what: lines.append({'id': 'v%d' % i, 't': now - ago * DAY, 'u': 'https://s.example/x', **what})
        for ago in range(1, 2 + i % 4):
            act(ago + 3, u='https://s.example/coats/1')
        if i % 2:
            act(3, e='add_to_cart')
        if i % 4 == 1:
            act(2, e='purchase')
    assert s.import_lines(lines)['accepted'] == len(lines)
    s.settle()
    assert 'was made at' in s.cli('report', 'make').stdout
    s.cli('export', '--to', 'lake')
    yield s
    s.close()


def told(server, path):
    status, _, data = server.http('GET', path, admin=True)
    assert status == 200, data
    return json.loads(data)


COMMANDS = {'segment _fans': '/v1/report/segment?id=_fans', 'categories': '/v1/report/categories?days=30', 'categories coats --days 7': '/v1/report/categories?id=coats&days=7',
            '': '/v1/report/summary', 'deliveries': '/v1/report/deliveries?days=30', 'deliveries lake --days 4': '/v1/report/deliveries?days=4&destination=lake',
            'journeys': '/v1/report/journeys', 'journeys buying': '/v1/report/journeys?id=buying', 'segments --days 5': '/v1/report/segments?days=5', 'hits --days 3': '/v1/report/hits?days=3'}


def rows_of(server, command):
    text = server.cli('report', *command.split(), '--csv').stdout
    return list(csv.DictReader(io.StringIO(text, newline=''), strict=True))


def alike(command, j):
    """Without what asking itself changes."""
    return j['days'] if command.startswith('hits') else {k: v for k, v in j.items() if k not in ('lag_s', 'disk_free', 'hits')}


@pytest.mark.parametrize('command', COMMANDS)
def test_json_is_that_of_the_api(shop, command):
    mine, api = shop.js('report', *command.split()), told(shop, COMMANDS[command])
    assert set(mine) == set(api) and alike(command, mine) == alike(command, api)


@pytest.mark.parametrize('command', COMMANDS)
def test_csv_is_a_table_in_which_no_cell_is_a_formula(shop, command):
    text = shop.cli('report', *command.split(), '--csv').stdout
    rows = list(csv.reader(io.StringIO(text, newline=''), strict=True))
    assert len(rows) > 1 and all(len(r) == len(rows[0]) for r in rows)
    assert not [c for r in rows for c in r if c[:1] in ('=', '+', '-', '@', '\t', '\r')]


def test_csv_ends_its_lines_as_rfc_4180_says(shop):
    out = subprocess.run([os.path.join(BUILD, 'crumb')] + shop.common() + ['report', 'segments', '--csv'], capture_output=True, check=True).stdout
    assert out.startswith(b'day,segment,size,entered,left\r\n') and out.count(b'\n') == out.count(b'\r\n') == out.count(b'\r') == 1 + 30 * 3


def test_numbers_of_a_segment(shop):
    api = told(shop, '/v1/report/segment?id=_fans')
    rows = rows_of(shop, 'segment _fans')
    assert rows[0]['part'] == 'segment' and rows[0]['visitors'] == str(api['size']) and rows[0]['name'] == api['words']
    by = {(r['part'], r['id']): r for r in rows}
    for c in api['categories']:
        row = by['category', c['id']]
        assert (row['visitors'], float(row['share'])) == (str(c['visitors']), pytest.approx(c['share'], rel=1e-4))
    assert by['category', 'coats']['name'] == "'=Coats"
    assert [r['id'] for r in rows if r['part'] == 'near'] == [n['id'] for n in api['nearest']]
    assert [(r['id'], r['visitors']) for r in rows if r['part'] == 'clause'] == [(f['clause'], str(f['size'])) for f in api['funnel']]
    shown = shop.cli('report', 'segment', '_fans').stdout
    assert shown.startswith('_fans: from the report of ') and api['words'] in shown and '%d visitors of %d' % (api['size'], api['visitors']) in shown
    funnel = told(shop, '/v1/report/segment?id=lookers')['funnel']
    assert len(funnel) == 2 and all(re.search(r'^ *%s  %s$' % (f['size'], re.escape(f['words'])), shop.cli('report', 'segment', 'lookers').stdout, re.M) for f in funnel)


def test_numbers_by_day(shop):
    api = told(shop, '/v1/report/categories?days=30')
    rows = rows_of(shop, 'categories')
    assert len(rows) == 30 * len(api['categories'])
    for c in api['categories']:
        mine = [r for r in rows if r['category'] == c['id']]
        assert [r['day'] for r in mine] == api['days']
        for key in ('events', 'visitors'):
            assert [int(r[key]) if r[key] else None for r in mine] == c[key]
    coats = next(c for c in api['categories'] if c['id'] == 'coats')
    shown = shop.cli('report', 'categories').stdout
    assert re.search(r'^ *%d +(< 20|\d+) +(< 20|\d+)  coats +=Coats$' % sum(n or 0 for n in coats['events']), shown, re.M)
    one = shop.cli('report', 'categories', 'coats').stdout.splitlines()
    assert one[1] == 'coats' and len(one) == 3 + 30 and one[-1].split()[0] == api['days'][-1]
    api = told(shop, '/v1/report/segments?days=5')
    rows = rows_of(shop, 'segments --days 5')
    for s in api['segments']:
        assert [int(r['size']) if r['size'] else None for r in rows if r['segment'] == s['id']] == s['size']
    hits = rows_of(shop, 'hits --days 3')
    assert sum(int(r['number'] or 0) for r in hits if r['what'] == 'events') > 0
    assert re.search(r'^counted since \d{4}-\d\d-\d\d$', shop.cli('report', 'hits').stdout, re.M)


def test_deliveries(shop):
    api = told(shop, '/v1/report/deliveries?days=30')
    lake, rows = api['destinations'][0], rows_of(shop, 'deliveries')
    assert [r['day'] for r in rows] == api['days'] and {r['destination'] for r in rows} == {'lake'}
    for key in ('members', 'with_id', 'added', 'removed', 'refused', 'failures'):
        assert [int(r[key]) if r[key] else None for r in rows] == lake[key], key
    assert lake['added'][-1] == 300
    shown = shop.cli('report', 'deliveries').stdout.splitlines()
    assert len(shown) == 2 and re.search(r'^ *\S+ +\S+ +300 +– +– +0  lake$', shown[1]), shown


def test_today(shop):
    api = told(shop, '/v1/report/summary')
    rows = rows_of(shop, '')
    number = {r['what']: r['number'] for r in rows}
    assert number['visitors'] == str(api['visitors']) == '400' and number['events'] == str(api['events'])
    assert [r['says'] for r in rows if r['what'] == 'attention'] == [a['says'] for a in api['attention']] != []
    assert [(r['id'], r['number']) for r in rows if r['what'] == 'moved in a day'] == [(m['id'], str(m['size'])) for m in api['movers']['day']]
    shown = shop.cli('report').stdout
    assert shown.startswith(api['day'] + '\n') and re.search('^visitors +400$', shown, re.M)
    assert all('  ' + a['says'] in shown.splitlines() for a in api['attention'])


def test_journeys_in_order(shop):
    api = told(shop, '/v1/report/journeys')['journeys'][0]
    rows = rows_of(shop, 'journeys')
    assert (rows[0]['journey'], rows[0]['name'], rows[0]['step_1'], rows[0]['visitors']) == ('buying', "'-To the till", '', str(api['visitors']))
    assert [[s for s in (r['step_1'], r['step_2'], r['step_3']) if s] for r in rows[1:]] == [p['steps'] for p in api['paths']]
    shown = shop.cli('report', 'journeys').stdout
    assert 'buying: -To the till' in shown and '%d visitors began with coats; within 7 days:' % api['visitors'] in shown and 'cart > buy' in shown


def test_what_cannot_be_is_said(shop):
    for words, code, said in ((('deliveries', 'nobody'), 1, 'nobody'), (('sgments',), 2, "'sgments'"), (('segment',), 2, 'the id of a segment'), (('segment', 'fans'), 1, "_fans"), (('categories', '--days', '91'), 2, 'from 1 to 90'),
                              (('segments', 'x'), 2, "'x' is not understood"), (('journeys', 'nobody'), 1, 'nobody'), (('journeys', 'a&b= c'), 1, 'a&b= c'),
                              (('hits', '--json', '--csv'), 2, 'not both'), (('segment', '_fans', '--days', '3'), 2, '--days')):
        r = shop.cli('report', *words, ok=(code,))
        assert said in r.stdout + r.stderr, (words, r)


def test_without_a_server_the_store_tells_the_same(shop):
    with_server = {c: shop.js('report', *c.split()) for c in COMMANDS}
    shop.stop()
    for c in COMMANDS:
        assert alike(c, shop.js('report', *c.split())) == alike(c, with_server[c]), c
    assert 'none is running' in shop.cli('report', 'make', ok=(1,)).stderr
    shop.start()


def test_without_a_report_it_is_said_how_to_make_one():
    s = Server(rules=RULES, k=20).start()
    try:
        assert "'crumb report make' makes it now" in s.cli('report', 'segment', '_fans').stdout
        assert 'as many visitors as privacy.k' in s.cli('report', 'make').stdout
        assert "'crumb report make'" in s.cli('report', 'journeys').stdout
    finally:
        s.close()
