"""What is dropped is counted, with what it was."""
import json
import urllib.parse

from harness import CHROME, Browser

RULES = '''version: 1
attributes:
  - {id: vip, source: segment, segment: vips}
categories:
  - {id: coats, any: [{path: "/coats/*"}]}
''' + ''.join('  - {id: t%d, any: [{title: word%d}]}\n' % (i, i) for i in range(70)) + 'segments: [{id: s, when: coats}]\n'
PERSONAS = {'personas': {'computation_class': 'audience', 'computation_key': 'vips'}}


def attributes(server):
    return server.metric('dropped_total{what="attribute"}')


def test_parts_of_hits(make):
    server = make(rules=RULES, options=['privacy.keep_query=color', 'segment.write_keys=WK'])
    b = Browser.known(server)
    page = lambda query='': urllib.parse.quote('https://shop.example/x' + query, safe='')
    steps = [('&v=12a', 1), ('&v=', 0), ('&v=' + '1' * 60, 1), ('&v=nan', 1), ('&v=12.5', 0), (''.join('&a.x%d=1' % i for i in range(40)), 24), (''.join('&p_x%d=1' % i for i in range(40)), 8)]
    for extra, dropped in steps:
        before = attributes(server)
        assert b.request('GET', '/p.gif?u=' + page() + extra)[0] == 200
        assert attributes(server) - before == dropped, extra
    for query, dropped in (('?utm_campaign=spring', 0), ('?utm_campaign=' + 'x' * 500, 1), ('?utm_campaign=jane%40example.com', 1), ('?color=red', 0), ('?color=' + 'r' * 900, 1), ('?other=' + 'r' * 900, 0)):
        before = attributes(server)
        assert b.request('GET', '/p.gif?u=' + page(query))[0] == 200
        assert attributes(server) - before == dropped, query
    assert b.request('GET', '/p.gif?u=' + page() + '&t=' + '+'.join('word%d' % i for i in range(70)))[0] == 200
    assert server.metric('dropped_total{what="rule_match"}') == 6
    before = attributes(server)
    body = {'writeKey': 'WK', 'type': 'track', 'event': 'x', 'anonymousId': 'a', 'properties': {'x%d' % i: 'y' for i in range(40)}}
    assert server.http('POST', '/v1/track', json.dumps(body), {'Content-Type': 'application/json', 'User-Agent': CHROME})[0] == 200
    assert attributes(server) - before == 24


def test_what_profiles_have_no_room_for(make):
    server = make(rules=RULES, options=['segment.write_keys=WK'])
    b = Browser.known(server)
    for start in range(0, 40, 10):
        b.hit('/x', extra=''.join('&a.n%d=1' % i for i in range(start, start + 10)))
    server.settle()
    assert server.metric('profile_attributes_dropped_total') == 8
    body = {'writeKey': 'WK', 'type': 'identify', 'anonymousId': 'nobody', 'context': PERSONAS, 'traits': {'vips': True}}
    assert server.http('POST', '/v1/identify', json.dumps(body), {'Content-Type': 'application/json', 'User-Agent': CHROME})[0] == 200
    server.settle()
    assert server.metric('declared_dropped_total') == 1
    # of somebody who comes without a cookie 16 kB are remembered
    lots = [{'e': 'view', 'u': 'https://shop.example/coats/a-warm-winter-parka/for-men/in-green'} for _ in range(900)]
    stranger = Browser(server)
    assert stranger.events(*lots) == 204
    server.settle()
    assert server.metric('provisional_dropped_total') > 0


def test_a_label_is_not_dropped_for_attributes(make):
    """The source of an import decides who may get it; attributes give way."""
    server = make(rules=RULES)
    line = {'id': 'x', 'u': 'https://shop.example/coats/1', 'source': 'fair', **{'a.k%02d' % i: '1' for i in range(16)}}
    assert server.import_lines([line])['accepted'] == 1
    assert server.visitor('--id', 'x')['attributes'].get('_source') == 'fair'
