"""Bodies that come compressed, and pages that isolate themselves."""
import gzip
import json
import os
import zlib

from harness import Browser, CHROME, SLOW

EVENT = {'e': 'view', 'u': 'https://shop.example/coats/1'}


def raw(data):
    z = zlib.compressobj(9, zlib.DEFLATED, -15)
    return z.compress(data) + z.flush()


FORMS = [('gzip', gzip.compress), ('x-gzip', gzip.compress), ('GZIP', gzip.compress), ('deflate', zlib.compress), ('deflate', raw), ('identity', bytes), ('gzip', lambda d: gzip.compress(d[:9]) + gzip.compress(d[9:])),
         ('gzip', lambda d: gzip.compress(d) + bytes(512)), ('identity, gzip', gzip.compress)]


def post(b, body, coding, path='/e', **headers):
    return b.request('POST', path, body, {'Content-Type': 'text/plain', 'Content-Encoding': coding, **headers})


def test_bodies_may_be_compressed(server):
    b = Browser.known(server)
    for coding, pack in FORMS:
        assert post(b, pack(json.dumps(EVENT).encode()), coding)[0] == 204, coding
        assert post(b, pack(b'\n'.join([json.dumps(EVENT).encode()] * 2)), coding)[0] == 204, coding
    # far more than 16 times as long, and honest
    many = json.dumps([EVENT] * 1000).encode()
    assert len(gzip.compress(many)) * 100 < len(many) and post(b, gzip.compress(many), 'gzip')[0] == 204
    b.segments()
    assert b.count('apparel.coats') == 3 * len(FORMS) + 1000
    chunked = gzip.compress(json.dumps(EVENT).encode())
    got = server.raw(b'POST /e HTTP/1.1\r\nHost: h\r\nCookie: crumb=%s\r\nUser-Agent: %s\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n%x\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n'
                     % (b.jar['crumb'].encode(), CHROME.encode(), 20, chunked[:20], len(chunked) - 20, chunked[20:]))
    assert got.startswith(b'HTTP/1.1 204')


def test_what_is_not_what_it_claims_is_refused(server):
    b = Browser.known(server)
    events = server.metric('events_total')
    whole = gzip.compress(json.dumps(EVENT).encode())
    for coding, body in (('gzip', whole[:-1]), ('gzip', whole[:20]), ('gzip', b''), ('gzip', json.dumps(EVENT).encode()), ('deflate', whole), ('gzip', whole + b'more'), ('gzip', zlib.compress(b'{}')), ('deflate', b'{}'),
                         ('gzip', whole[:-6] + bytes(6))):
        assert post(b, body, coding)[0] == 400, (coding, body)
    for coding in ('br', 'zstd', 'compress', 'gzip, gzip', 'gzip;q=1', 'identity, br', 'aws-chunked'):
        status, r, _ = post(b, whole, coding)
        assert status == 415 and r.getheader('Accept-Encoding') == 'gzip, deflate', coding
    assert post(b, gzip.compress(json.dumps([EVENT] * 1001).encode()), 'gzip')[0] == 413
    for bomb in (bytes(64 << 20), b' ' * (1 << 20), b'{"e":"view","t":"%s"}' % (b'a' * 300000)):
        for coding, pack in FORMS[:1] + FORMS[3:5]:
            assert post(b, pack(bomb), coding)[0] == 413
    assert server.metric('events_total') == events
    assert server.metric('bad_requests_total{reason="content_encoding"}') == 7


def test_isolated_pages_may_load_what_is_public(make):
    server = make(options=['sites=shop.example', 'segment.write_keys=K'], destinations='version: 1\npartners: [{id: acme, redirects: ["https://acme.example/"]}]\n')
    cross = {'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'no-cors'}
    b = Browser(server)
    hit = '/p.gif?u=https%3A%2F%2Fshop.example%2Fcoats%2F1'
    for headers in (cross, cross, {**cross, 'Origin': 'https://shop.example'}, {**cross, 'Origin': 'https://evil.example'}, {**cross, 'Sec-GPC': '1'}, {**cross, 'User-Agent': 'Googlebot/2.1'}):
        for method, path, body in (('GET', hit, None), ('HEAD', hit, None), ('GET', hit + '&anon=1', None), ('POST', '/e', '{}'), ('POST', '/e', '{'), ('GET', '/sync?partner=acme&uid=12', None), ('GET', '/crumb.js', None),
                                   ('GET', '/sync?partner=acme&redirect=https%3A%2F%2Facme.example%2F', None), ('GET', '/optout?format=gif', None)):
            status, r, _ = b.request(method, path, body, headers)
            assert r.getheader('Cross-Origin-Resource-Policy') == 'cross-origin', (path, headers)
            if path == '/crumb.js':
                assert r.getheader('Access-Control-Allow-Origin') == '*' and r.getheader('Access-Control-Allow-Credentials') is None
            b.jar.pop('crumb_optout', None)
    for path in ('/segments', '/me', '/me?format=json', '/sync'):           # what only our own pages may read
        assert b.request('GET', path)[1].getheader('Cross-Origin-Resource-Policy') in (None, 'same-origin')


def test_the_api_wants_plain_bytes(server):
    line = b'{"id":"a","e":"view","u":"https://shop.example/coats/1"}\n'
    for coding, body, want in (('gzip', gzip.compress(line), 415), ('br', line, 415), ('identity', line, 200)):
        status, r, _ = server.http('POST', '/v1/import', body, {'Content-Encoding': coding}, admin=True)
        assert status == want and (status == 200 or r.getheader('Accept-Encoding') == 'identity')


def cpu_s(server):
    with open('/proc/%d/stat' % server.process.pid) as f:
        fields = f.read().rsplit(') ', 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def test_a_query_is_read_once_however_many_events_there_are(server):
    b, many = Browser.known(server), b'\n'.join([json.dumps(EVENT).encode()] * 1000)
    assert b.request('POST', '/e?us_privacy=1YYN', b'{}\n{}')[1].getheader('Crumb-Refused') == 'us_privacy'    # and holds for each
    b, begin = Browser.known(server), cpu_s(server)
    for _ in range(5):
        assert b.request('POST', '/e?' + '&'.join('a' * 7900), many, {'Content-Type': 'text/plain'})[0] == 204
    assert cpu_s(server) - begin < 1.2 * SLOW                                                                   # 2.3 s when it is read for each event
    b.segments()
    assert b.count('apparel.coats') == 5000
