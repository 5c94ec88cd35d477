"""What is written in many ways is read in one, by whichever way it comes in: numbers, times, byte-order marks, text of every script, names of hosts."""
import json
import time
import urllib.parse

import pytest
from harness import DAY, Browser

RULES = '''version: 1
attributes:
  - {id: tier, source: acme, segment: gold}
categories:
  - {id: buy, any: [{event: buy}]}
  - {id: coats, any: [{path: "/coats/*"}]}
  - {id: green, any: [{attr.color: grün}]}
  - {id: spring, any: [{campaign: "frühling*"}]}
  - {id: coat, any: [{title: "/mäntel/"}, {title: παλτά}]}
segments:
  - {id: spent, when: sum(v of buy) >= 1}
'''
MARK = '\ufeff'


@pytest.fixture
def server(make):
    return make(rules=RULES, options=['segment.write_keys=WK1'],
                destinations='version: 1\npartners:\n  - {id: acme, redirects: ["https://acme.example/"]}\ndestinations: []\n')


def dropped(server):
    return server.metric('dropped_total{what="attribute"}')


def test_numbers_have_one_grammar_by_all_ways_in(server):
    n = 0
    for text, value in (('10', 10), ('+1', 1), ('1e3', 1000), ('.5', .5), ('0xA', None), (' 10', None), ('10 ', None), ('10,00', None), ('NaN', None), ('inf', None), ('1e999', None)):
        for way in ('pixel', 'json', 'segment', 'import'):
            n += 1
            before = dropped(server)
            who = 'n-%d' % n
            if way == 'pixel':
                b = Browser.known(server)
                assert b.hit('/x', event='buy', extra='&v=' + urllib.parse.quote(text)) == 200
            elif way == 'json':
                b = Browser.known(server)
                assert b.events({'e': 'buy', 'v': text}) == 204
            elif way == 'segment':
                call = {'type': 'track', 'event': 'buy', 'anonymousId': who, 'properties': {'value': text}}
                assert server.http('POST', '/v1/t', json.dumps(call), {'Authorization': 'Bearer WK1'})[0] == 200
            else:
                assert server.import_lines([{'id': who, 't': server.now(), 'e': 'buy', 'v': text}])['accepted'] == 1
            server.settle()
            v = b.shown() if way in ('pixel', 'json') else server.visitor('--id', who)
            assert {c['id']: c['count'] for c in v['categories']}['buy'] == 1, (text, way)
            assert ('spent' in v['segments']) == (value is not None and value >= 1), (text, way)
            if way != 'import':
                assert dropped(server) == before + (value is None), (text, way)


def test_ids_are_text_however_long_the_number(server):
    now = server.now()
    for n, id in enumerate(('9223372036854775807', '1234567890123456789', '12345678901234567890123')):
        assert server.import_lines(['{"id": %s, "t": %d, "u": "https://shop.example/coats/%d"}' % (id, now, n)])['accepted'] == 1
        assert server.import_lines([{'id': id, 't': now, 'u': 'https://shop.example/coats/9%d' % n}])['accepted'] == 1
        assert server.visitor('--id', id)['categories'][0]['count'] == 2, id


def test_a_time_is_read_by_all_of_its_grammar(server):
    date = time.strftime('%Y-%m-%d', time.gmtime(server.now() - 2 * DAY))
    times = [date + x for x in ('T10:00:00Z', 't10:00:00z', ' 10:00:00Z', 'T10:00:00', 'T10:00:00+0000', 'T10:00:00.123456+05:30', 'T23:59:60Z', 'T10:00:60Z', '')]
    r = server.import_lines([{'id': 'w', 't': t, 'u': 'https://shop.example/coats/%d' % i} for i, t in enumerate(times)])
    assert r['accepted'] == len(times) and not r.get('refused', {}).get('json'), r
    assert server.import_lines([{'id': 'w', 't': date + x} for x in ('T10:00:00Z', 'T10:00:61Z', 'T24:00:00Z', 'T10:00:00+1', 'T10:00:00Z ')])['refused'] == {'json': 4}


def test_a_byte_order_mark_is_no_part_of_what_it_marks(server, tmp_path):
    b = Browser.known(server)
    event = json.dumps({'u': 'https://shop.example/coats/1'})
    assert b.request('POST', '/e', (MARK + event).encode(), {'Content-Type': 'application/json'})[0] == 204
    assert b.request('POST', '/e', (MARK + event + '\n' + event).encode(), {'Content-Type': 'application/x-ndjson'})[0] == 204
    assert b.request('POST', '/e', (MARK + event + '\n' + MARK + event).encode(), {'Content-Type': 'application/x-ndjson'})[0] == 204     # two files in one
    call = json.dumps({'type': 'page', 'anonymousId': 'm-1', 'writeKey': 'WK1', 'properties': {'url': 'https://shop.example/coats/1'}})
    assert server.http('POST', '/v1/p', (MARK + call).encode(), {'Content-Type': 'text/plain'})[0] == 200
    server.settle()
    assert b.count('coats') == 5 and server.visitor('--id', 'm-1')['categories']
    assert server.import_lines([MARK + json.dumps({'id': 'm-2', 't': server.now(), 'u': 'https://shop.example/coats/1'})])['accepted'] == 1
    status, r, _ = b.request('GET', '/sync?partner=acme&uid=A1')
    b.segments()
    path = tmp_path / 'in.csv'
    path.write_bytes((MARK + 'id,segment\r\nA1,gold\r\n').encode())
    assert server.js('import', 'segments', str(path), '--partner', 'acme', '--format', 'csv')['accepted'] == 1
    path = tmp_path / 'crumb.yaml'
    path.write_bytes((MARK + 'sites: a.example\n').encode())
    rules = tmp_path / 'rules'
    rules.mkdir()
    (rules / 'a.yaml').write_bytes((MARK + RULES).encode())
    assert '5 categories' in server.cli('-c', str(path), 'rules', 'check', str(rules)).stdout


def test_text_is_compared_folded(server):
    b = Browser.known(server)
    assert b.events({'a.color': 'GRÜN'}, {'a.color': 'gru\u0308n'}, {'a.color': 'grun'}, {'t': 'Die MÄNTEL'}, {'t': 'ΠΑΛΤΑ'}, {'t': 'Ma\u0308n\u00adtel'}) == 204
    assert b.hit('/x?utm_campaign=FR%C3%9CHLING-26') == 200
    b.segments()
    assert (b.count('green'), b.count('coat'), b.count('spring')) == (2, 3, 1)


def test_rules_that_nobody_reads_are_told_of(server, tmp_path):
    check = lambda: [(x['code'], x['severity']) for x in json.loads(server.cli('rules', 'check', str(tmp_path), '--json').stdout)]
    assert check() == [('no-rules', 'warning')]
    sub = tmp_path / 'teams' / 'north'
    sub.mkdir(parents=True)
    (sub / 'a.yaml').write_text(RULES)
    assert sorted(check()) == [('no-rules', 'warning'), ('not-read', 'warning')]
    assert server.cli('rules', 'check', str(tmp_path), '--strict', ok=(1,)).returncode == 1
    (tmp_path / 'B.YAML').write_text(RULES)
    (tmp_path / 'notes.txt').write_text('hello')
    assert check() == [('not-read', 'warning')] and '5 categories' in server.cli('rules', 'check', str(tmp_path)).stdout


def test_hosts_of_every_alphabet_are_one(make):
    server = make(rules="""version: 1
categories:
  - {id: site, any: [{site: bücher.example}]}
  - {id: glob, any: [{host: "*.BÜCHER.example."}]}
""", options=['sites=https://bücher.example/, www.bücher.example.'])
    b = Browser(server)
    for _ in range(2):
        b.hit('/x', host='https://www.xn--bcher-kva.example')
    assert b.events({'u': 'https://www.bücher.example/y'}, {'u': 'https://WWW.BÜCHER.EXAMPLE./z'}, {'u': 'https://bücher.example/'}) == 204
    b.segments()
    assert (b.count('site'), b.count('glob')) == (5, 4)
    status, r, _ = server.http('GET', '/segments', headers={'Origin': 'https://xn--bcher-kva.example'})
    assert status == 200 and r.getheader('Access-Control-Allow-Origin') == 'https://xn--bcher-kva.example'


def test_a_redirect_is_to_the_same_host_however_it_is_written(make):
    server = make(destinations="""version: 1
partners:
  - {id: acme, redirects: ["https://PBS.Bücher.example.:443/setuid"]}
destinations: []
""")
    b = Browser.known(server)
    to = lambda url: b.request('GET', '/sync?partner=acme&redirect=' + urllib.parse.quote(url, safe=''))[0]
    for fine in ('https://pbs.xn--bcher-kva.example/setuid?u=$UID', 'https://pbs.xn--bcher-kva.example:443/setuid', 'https://PBS.xn--bcher-kva.example./setuid'):
        assert to(fine) == 302, fine
    for other in ('https://pbs.xn--bcher-kva.example:8443/setuid', 'http://pbs.xn--bcher-kva.example/setuid', 'https://pbs.xn--bcher-kva.example.evil.example/setuid', 'https://evil.example/setuid'):
        assert to(other) == 400, other
