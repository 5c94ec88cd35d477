"""Segment's API in: what its libraries send, as it was observed. A person's name, traits and address end at the wall."""
import base64
import gzip
import json
import os
import time
import zlib

import pytest
from harness import CHROME, DAY, Browser, bytes_of

RULES = '''version: 1
attributes:
  - {id: first_time, source: segment, segment: first_time_shopper}
categories:
  - {id: coats, any: [{path: "/coats/*"}]}
  - {id: viewed, any: [{event: product_viewed, attr.category: shoes}]}
  - {id: buy, any: [{event: order_completed}]}
segments:
  - {id: first-timers, when: attr.first_time = member}
  - {id: buyers, when: sum(v of buy) >= 100}
'''
PERSONAS = {'personas': {'computation_class': 'audience', 'computation_id': 'aud_1', 'computation_key': 'first_time_shopper', 'namespace': 'spa_1', 'space_id': 'spa_1'}}


@pytest.fixture
def server(make):
    return make(rules=RULES, options=['segment.write_keys=WK1,WK2', 'sites=shop.example'])


def iso(t):
    return time.strftime('%Y-%m-%dT%H:%M:%S.000Z', time.gmtime(t))


def send(server, path, body, key='WK1', headers={}, browser=None):
    h = {'Content-Type': 'text/plain', 'User-Agent': CHROME, **({'Authorization': 'Basic ' + base64.b64encode((key + ':').encode()).decode()} if key else {}), **headers}
    if browser:
        h['Cookie'] = 'crumb=' + browser.jar['crumb']
    status, r, data = server.http('POST', path, json.dumps(body), h)
    server.settle()
    return status


def counts(server, anonymous):
    v = server.visitor('--id', anonymous)
    return {c['id']: c['count'] for c in v['categories']} if v else None


def test_a_batch_of_a_server(server):
    now = server.now()
    batch = [{'type': 'track', 'event': 'Product Viewed', 'properties': {'sku': 'A1', 'category': 'shoes', 'email': 'jane@example.com'}, 'anonymousId': 'anon-1', 'userId': 'user-77',
              'context': {'ip': '81.2.69.142', 'userAgent': CHROME, 'traits': {'email': 'jane@example.com'}}, 'messageId': 'm-1', 'timestamp': iso(now - DAY)},
             {'type': 'page', 'name': 'Coats', 'properties': {'url': 'https://shop.example/coats/1?token=x', 'title': 'Coats'}, 'anonymousId': 'anon-1', 'messageId': 'm-2'},
             {'type': 'track', 'event': 'Order Completed', 'properties': {'revenue': 120.5}, 'anonymousId': 'anon-1', 'messageId': 'm-3'},
             {'type': 'identify', 'userId': 'user-77', 'anonymousId': 'anon-1', 'traits': {'name': 'Jane'}, 'messageId': 'm-4'},
             {'type': 'track', 'event': 'Order Completed', 'userId': 'user-77', 'messageId': 'm-5'},
             {'type': 'track', 'event': 'Order Completed', 'anonymousId': 'anon-1', 'messageId': 'm-6', 'timestamp': iso(now - 100 * DAY)}]
    assert send(server, '/v1/batch', {'batch': batch, 'sentAt': iso(now)}, headers={'Content-Type': 'application/json'}) == 200
    assert counts(server, 'anon-1') == {'viewed': 1, 'coats': 1, 'buy': 1}
    v = server.visitor('--id', 'anon-1')
    assert (v['country'], v['browser'], v['attributes']) == ('GB', 'chrome', {'sku': 'A1', 'category': 'shoes'}) and v['segments'] == ['buyers']
    assert send(server, '/v1/batch', {'batch': batch}) == 200          # sent again: counted once
    assert counts(server, 'anon-1') == {'viewed': 1, 'coats': 1, 'buy': 1}
    for reason, n in (('no_anonymous_id', 2), ('repeated', 3), ('too_old', 2), ('not_an_event', 2)):
        assert server.metric('cdp_calls_dropped_total{reason="%s"}' % reason) == n, reason
    stored = bytes_of(server.store)
    assert b'jane' not in stored and b'Jane' not in stored and b'user-77' not in stored and b'anon-1' not in stored and b'token=x' not in stored


def test_calls_of_the_browser_library(server):
    b = Browser.known(server)
    page = {'page': {'url': 'https://shop.example/coats/2', 'title': 'Coat', 'referrer': 'https://www.google.com/'}}
    assert send(server, '/v1/p', {'type': 'page', 'anonymousId': 'a-9', 'userId': None, 'properties': {}, 'context': page, 'writeKey': 'WK2'}, key=None, browser=b) == 200
    assert counts(server, 'a-9') is None and b.count('coats') == 1        # the cookie is nearer than an id of another system
    assert send(server, '/v1/t', {'type': 'track', 'event': 'Product Viewed', 'anonymousId': 'a-9', 'properties': {'category': 'shoes'}, 'context': page}) == 200
    assert counts(server, 'a-9') == {'viewed': 1, 'coats': 1}
    status, r, _ = server.http('OPTIONS', '/v1/t', headers={'Origin': 'https://shop.example', 'Access-Control-Request-Headers': 'authorization', 'Access-Control-Request-Method': 'POST'})
    assert status == 204 and 'authorization' in r.getheader('Access-Control-Allow-Headers') and r.getheader('Access-Control-Allow-Origin') == 'https://shop.example'


def test_audiences_become_declared_attributes(server):
    t = {'type': 'track', 'anonymousId': 'a-1', 'event': 'Audience Entered', 'properties': {'audience_key': 'first_time_shopper', 'first_time_shopper': True}, 'context': PERSONAS}
    view = {'type': 'page', 'anonymousId': 'a-1', 'properties': {'url': 'https://shop.example/'}}
    send(server, '/v1/page', view)
    assert send(server, '/v1/track', t) == 200
    assert server.visitor('--id', 'a-1')['segments'] == ['first-timers'] and counts(server, 'a-1') == {}      # no event, no category
    assert send(server, '/v1/track', {**t, 'event': 'Audience Exited', 'properties': {'audience_key': 'first_time_shopper'}}) == 200
    assert server.visitor('--id', 'a-1')['attributes'] == {}
    i = {'type': 'identify', 'anonymousId': 'a-1', 'traits': {'first_time_shopper': True, 'email': 'x@y.z'}, 'context': PERSONAS}
    assert send(server, '/v1/i', i) == 200 and server.visitor('--id', 'a-1')['attributes'] == {'first_time': 'member'}
    assert send(server, '/v1/i', {**i, 'traits': {'first_time_shopper': False}}) == 200 and server.visitor('--id', 'a-1')['attributes'] == {}
    other = {'personas': {**PERSONAS['personas'], 'computation_key': 'unknown'}}
    assert send(server, '/v1/t', {**t, 'properties': {'audience_key': 'unknown'}, 'context': other}) == 200
    assert server.metric('cdp_calls_dropped_total{reason="undeclared_audience"}') == 1
    server.verify()


def test_consent_is_the_same_as_for_hits(server):
    call = {'type': 'page', 'anonymousId': 'a-1', 'properties': {'url': 'https://shop.example/coats/1'}}
    send(server, '/v1/p', call)
    assert counts(server, 'a-1') == {'coats': 1}
    assert send(server, '/v1/p?us_privacy=1YYN', {**call, 'messageId': 'x'}) == 200
    assert counts(server, 'a-1') is None            # an explicit no: erased
    assert send(server, '/v1/p', {**call, 'anonymousId': 'a-2'}, headers={'Sec-GPC': '1'}) == 200 and counts(server, 'a-2') is None


def test_categories_of_consent(make):
    server = make(rules=RULES, options=['segment.write_keys=WK1', 'segment.consent=Advertising, storage: C0002'])
    call = {'type': 'page', 'properties': {'url': 'https://shop.example/coats/1'}}
    yes = {'Advertising': True, 'C0002': True, 'Analytics': False}
    both, n = (lambda p: {'categoryPreferences': p}), 0
    for consent, kept in (({'consent': both(yes)}, True), ({'consent': both({**yes, 'advertising': 'true'})}, True), ({}, True), ({'consent': {}}, True), ({'consent': None}, True),
                          ({'consent': both({**yes, 'Advertising': False})}, False), ({'consent': both({**yes, 'C0002': 'false'})}, False), ({'consent': both({**yes, 'advertising': 0})}, False),
                          ({'consent': both({'Advertising': True})}, False), ({'consent': both({})}, False), ({'consent': both([])}, False), ({'consent': 'no'}, False),
                          ({'consent': both({**yes, 'Advertising': {}})}, False), ({'consent': both({**yes, 'Advertising': None})}, False),
                          ({'consentManagement': {'allowedConsentIds': ['Advertising', 'C0002'], 'deniedConsentIds': ['Analytics']}}, True),
                          ({'consentManagement': {'allowedConsentIds': ['C0002'], 'deniedConsentIds': ['Advertising']}}, False), ({'consentManagement': {'allowedConsentIds': ['C0002']}}, False)):
        n += 1
        assert send(server, '/v1/p', {**call, 'anonymousId': 'a-%d' % n, 'context': consent}) == 200
        assert counts(server, 'a-%d' % n) == ({'coats': 1} if kept else None), consent
        n += 1
        assert send(server, '/v1/batch', {'batch': [{**call, 'anonymousId': 'a-%d' % n}], 'context': consent}) == 200
        assert counts(server, 'a-%d' % n) == ({'coats': 1} if kept else None), consent
    # a refusal erases what was known
    assert send(server, '/v1/p', {**call, 'anonymousId': 'a-1', 'context': {'consent': both({**yes, 'Advertising': False})}}) == 200
    assert counts(server, 'a-1') is None and server.metric('refused_total{reason="category"}') >= 7


def test_without_a_list_every_category_must_be_true(server, make):
    call = {'type': 'page', 'properties': {'url': 'https://shop.example/coats/1'}}
    assert send(server, '/v1/p', {**call, 'anonymousId': 'b-1', 'context': {'consent': {'categoryPreferences': {'x': True, 'y': True}}}}) == 200 and counts(server, 'b-1')
    assert send(server, '/v1/p', {**call, 'anonymousId': 'b-2', 'context': {'consent': {'categoryPreferences': {'x': True, 'y': False}}}}) == 200 and not counts(server, 'b-2')


def test_who_may_not_send(server, make):
    call = {'type': 'page', 'anonymousId': 'a-1', 'properties': {'url': 'https://shop.example/coats/1'}}
    assert send(server, '/v1/p', call, key='WRONG') == 401 and send(server, '/v1/p', call, key=None) == 401
    assert send(server, '/v1/p', {**call, 'writeKey': 'WK1'}, key=None) == 200
    assert server.http('POST', '/v1/p', '{', {'Authorization': 'Bearer WK1'})[0] == 400 and server.http('POST', '/v1/batch', '{"batch":{}}', {'Authorization': 'Bearer WK1'})[0] == 400
    assert server.http('POST', '/v1/batch', json.dumps({'batch': [{}] * 2501}), {'Authorization': 'Bearer WK1'})[0] == 413
    assert server.http('POST', '/v1/batch', json.dumps({'batch': [1, None, 'x', {'type': 7}, {'type': 'track', 'event': [], 'anonymousId': {}, 'properties': 3, 'context': 'y'}]}), {'Authorization': 'Bearer WK1'})[0] == 200
    assert server.http('GET', '/v1/p')[0] == 405
    assert send(make(), '/v1/p', call) == 404


def test_write_keys_are_exact_and_looked_at_before_the_body(server):
    call = {'type': 'page', 'anonymousId': 'a-1', 'properties': {'url': 'https://shop.example/coats/1'}}
    for key in ('wk1', 'Wk1', 'WK', 'WK12', 'WK1,WK2', ' WK1 x', ','):
        assert send(server, '/v1/p', call, key=key) == 401 and send(server, '/v1/p', {**call, 'writeKey': key}, key=None) == 401, key
    plain = {'Content-Type': 'text/plain'}
    for body in ('{', '[' * 30000, '{"a":{"writeKey":"WK1"}}', '{"a":"\\"writeKey\\":\\"WK1\\""}', '["writeKey","WK1"]', '{"writeKey":["WK1"]}', '{"writeKey":"WK1', '{"a":"x\\",\\"writeKey":"WK1"}',
                 '{"writeKey":"WK3","writeKey":"WK1"}', '"', '{"writeKey"', '{"writeKey":'):
        assert server.http('POST', '/v1/p', body, plain)[0] == 401, body[:50]
    for body in ('{ "writeKey" :\n"WK1", "type":"page","anonymousId":"a-2","properties":{"url":"https://shop.example/coats/1"}}',
                 '{"a":"\\\\","b":[{"c":"}"}],"writeKey":"WK2","type":"page","anonymousId":"a-3"}'):
        assert server.http('POST', '/v1/p', body, plain)[0] == 200, body
    server.settle()
    assert counts(server, 'a-2') == {'coats': 1}


def test_bodies_as_mobile_libraries_send_them(make):
    """Compressed; batches of 500 kB, whatever is the limit of /e; a call on its own is at most 32 kB long."""
    server = make(rules=RULES, options=['segment.write_keys=WK1', 'collect.body_bytes=65536'])
    call = {'type': 'page', 'anonymousId': 'a-1', 'properties': {'url': 'https://shop.example/coats/1'}}

    def post(path, body, coding=None, key='WK1'):
        headers = {'Content-Type': 'application/json', 'User-Agent': CHROME, **({'Content-Encoding': coding} if coding else {}), **({'Authorization': 'Bearer ' + key} if key else {})}
        status, r, data = server.http('POST', path, body if isinstance(body, bytes) else json.dumps(body), headers)
        return status

    batch = {'batch': [{**call, 'messageId': 'm%d' % i, 'properties': {**call['properties'], 'note': 'x' * 300}} for i in range(1000)]}
    text = json.dumps(batch).encode()
    assert 400000 < len(text) < 500000
    assert post('/v1/batch', batch) == 200 and post('/v1/b', gzip.compress(text), 'gzip') == 200
    server.settle()
    assert counts(server, 'a-1') == {'coats': 1000}
    for coding, pack in (('gzip', gzip.compress), ('deflate', zlib.compress)):
        assert post('/v1/b', pack(json.dumps({'batch': [{**call, 'messageId': coding}]}).encode()), coding) == 200
        assert post('/v1/p', pack(json.dumps({**call, 'messageId': coding + '2', 'writeKey': 'WK1'}).encode()), coding, key=None) == 200
        assert post('/v1/p', pack(json.dumps({**call, 'writeKey': 'WK2'}).encode()), coding, key=None) == 401
    server.settle()
    assert counts(server, 'a-1') == {'coats': 1004}
    long = {'batch': batch['batch'] * 2}
    assert post('/v1/batch', long) == 413 and post('/v1/batch', gzip.compress(json.dumps(long).encode()), 'gzip') == 413
    assert post('/v1/p', {**call, 'x': 'y' * 33000}) == 413 and post('/v1/p', gzip.compress(json.dumps({**call, 'x': 'y' * 33000}).encode()), 'gzip') == 413
    assert post('/v1/p', {**call, 'x': 'y' * 32000}) == 200
    assert post('/v1/b', b'{', 'gzip') == 400 and post('/v1/b', text, 'br') == 415 and post('/v1/b', b'{', 'gzip', key='WRONG') == 400
    assert server.http('POST', '/e', 'x' * 70000, {'Content-Type': 'text/plain'})[0] == 413


def test_clocks_of_devices_and_times_that_cannot_be_read(server):
    """A device says when by its own clock; what lies between that and its sending is right."""
    now, n = server.now(), iter(range(1000))

    def call(batch=True, sent=None, **times):
        m = {'type': 'page', 'anonymousId': 'a-1', 'messageId': 'c%d' % next(n), 'properties': {'url': 'https://shop.example/coats/1'}, **times}
        sent = {'sentAt': sent} if sent else {}
        assert send(server, '/v1/batch', {'batch': [m], **sent}) == 200 if batch else send(server, '/v1/page', {**m, **sent}) == 200
    call(timestamp='2015-01-01T00:00:05Z', sent='2015-01-01T00:00:06Z')
    call(batch=False, timestamp='1970-01-01T00:00:05.000Z', sent='1970-01-01T00:00:06.000Z')
    call(originalTimestamp='2049-01-01T00:00:05+0000', timestamp='2015-01-01T00:00:05Z', sent='2049-01-01T02:00:05+02')
    for form in ('%Y-%m-%dT%H:%M:%S', '%Y-%m-%d %H:%M:%S', '%Y-%m-%dT%H:%M:%S+0000', '%Y-%m-%dT%H:%M:%S.123456+00', '%Y-%m-%dT%H:%M', '%Y-%m-%d'):
        call(timestamp=time.strftime(form, time.gmtime(now - DAY)))
    assert counts(server, 'a-1') == {'coats': 9}
    assert server.metric('cdp_calls_dropped_total{reason="unreadable_time"}') == 0
    for bad in ('yesterday', 1767225600, '', 'Thu, 01 Jan 2026 00:00:00 GMT', {}):
        call(timestamp=bad)
    assert server.metric('cdp_calls_dropped_total{reason="unreadable_time"}') == 5
    call(timestamp='2015-01-01T00:00:05Z')                                          # its own clock is all there is
    call(timestamp='2015-01-01T00:00:05Z', sent=iso(now))                           # set meanwhile: what lies between is not known
    call(timestamp=iso(now - 100 * DAY), sent=iso(now))
    assert server.metric('cdp_calls_dropped_total{reason="too_old"}') == 3
    assert counts(server, 'a-1') == {'coats': 9}
    # events of a device that was offline for ten days, with a clock that is five years behind
    call(timestamp=iso(now - 5 * 365 * DAY - 10 * DAY), sent=iso(now - 5 * 365 * DAY), properties={'url': 'https://shop.example/x'}, type='track', event='Order Completed', anonymousId='a-2')
    assert counts(server, 'a-2') == {'buy': 1}
    server.advance('79d')
    assert counts(server, 'a-2') == {'buy': 1}
    server.advance('1d')
    assert counts(server, 'a-2') is None


def test_an_id_that_many_have_who_have_none_is_nobody(server):
    for path, more in (('/v1/t', {'type': 'track', 'event': 'Order Completed'}),):
        for none in ('undefined', 'null', ' NULL', '00000000-0000-0000-0000-000000000000', 'FFFFFFFF-ffff-ffff-ffff-ffffffffffff', '[object Object]'):
            assert send(server, path, {**more, 'anonymousId': none, 'messageId': 'm-' + none}) == 200
            assert server.visitor('--id', none) is None, none
    assert server.metric('cdp_calls_dropped_total{reason="no_anonymous_id"}') == 6
    r = server.import_lines([{'id': i, 'u': 'https://shop.example/coats/1'} for i in ('null', 'undefined', '0' * 32, 'nobody')], ok=(0,))
    assert (r['accepted'], r['refused']) == (1, {'id': 3}), r


def test_the_row_says_what_is_taken(server):
    """Paths, bounds and options that `crumb reference trackers` tells are those that hold."""
    def rows(name):
        return json.loads(server.cli('reference', name).stdout)[name]
    options, tracker = {o['name'] for o in rows('options')}, rows('trackers')[0]
    assert set(tracker['options']) <= options and not tracker['always'] and len(tracker['paths']) == 14
    for p in tracker['paths']:
        headers = {'Content-Type': 'text/plain', 'Authorization': 'Bearer WK1'}
        body = json.dumps({'type': 'group', 'batch': [], 'x': ''})
        fits = body.replace('""', '"%s"' % ('y' * (p['bytes'] - len(body))))
        assert len(fits) == p['bytes'] and server.http('POST', p['path'], fits, headers)[0] == 200, p
        assert server.http('POST', p['path'], fits.replace('yy', 'yyy', 1), headers)[0] == 413, p
        assert server.http('POST', p['path'], body, dict(headers, Authorization='Bearer WK9'))[0] == 401 and server.http('GET', p['path'])[0] == 405, p
