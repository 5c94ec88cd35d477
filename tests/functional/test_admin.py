"""The admin listener: who may send what, parameters, errors, and that health is told while work is done."""
import http.client
import json
import os
import socket
import threading
import time

import pytest
from harness import BUILD, Browser, SLOW, Server
from prometheus_client.parser import text_string_to_metric_families


def rss(server):
    with open('/proc/%d/statm' % server.process.pid) as f:
        return int(f.read().split()[1]) * os.sysconf('SC_PAGE_SIZE')


def connect(server):
    host, port = server.admin.rsplit(':', 1)
    s = socket.create_connection((host, int(port)), 10)
    s.settimeout(20 * SLOW)
    return s


def answer(s):
    out = b''
    try:
        while b'\r\n\r\n' not in out:
            part = s.recv(65536)
            if not part:
                break
            out += part
    except ConnectionError:
        pass
    return out


@pytest.mark.skipif(SLOW != 1, reason='a sanitizer keeps memory of its own')
def test_strangers_bodies_are_not_kept(server):
    """32 MB may come, but only from whoever has the token: others are refused when their headers are there."""
    before, open_ones = rss(server), []
    for i in range(20):
        s = connect(server)
        head = b'POST /v1/import HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 33000000\r\n'
        s.sendall(head + (b'', b'Authorization: Bearer wrong\r\n', b'Authorization: Basic dGVzdDp0ZXN0\r\n')[i % 3] + b'\r\n')
        open_ones.append(s)
        try:
            for _ in range(32):
                s.sendall(b'{"id":"a","e":"view"}\n' * 50000)
        except OSError:
            pass
    assert rss(server) - before < 16 << 20
    s = connect(server)
    s.sendall(b'POST /v1/import HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 33000000\r\n\r\n')
    said = answer(s)
    assert said.startswith(b'HTTP/1.1 401 ') and b'WWW-Authenticate: Bearer' in said
    for s in open_ones:
        s.close()
    assert server.http('GET', '/healthz', admin=True)[0] == 200


@pytest.mark.skipif(SLOW != 1, reason='a sanitizer keeps memory of its own')
def test_strangers_chunks_are_not_kept(server):
    """Neither bytes of chunks nor what stands between them."""
    before = rss(server)
    for piece in (b'1000\r\n' + b'x' * 4096 + b'\r\n', b'1;' + b'e' * 4000 + b'\r\nx\r\n'):
        s = connect(server)
        try:
            s.sendall(b'POST /v1/import HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n')
            for _ in range(5000):
                s.sendall(piece)
        except OSError:
            pass
        s.close()
    assert rss(server) - before < 8 << 20
    assert server.http('POST', '/v1/import', 'x' * 4096, {'Authorization': 'Bearer nobody'})[0] == 404      # there is no such path at the pixel's listener
    code, _, data = server.http('POST', '/v1/import', 'x' * 4096, admin=True, token='nobody')
    assert code == 401 and json.loads(data)['error']


def test_only_the_whole_token_opens(server):
    for token in ('', 'test', 'test-toke', 'test-token-', 'Test-token', 'test-token ' * 1000):
        assert server.http('GET', '/v1/who', admin=True, token=token)[0] == 401, token
    for header in ('test-token', 'Basic test-token', 'Bearertest-token', 'Bearer'):
        assert server.http('GET', '/v1/who', headers={'Authorization': header})[0] == 404
        c = http.client.HTTPConnection(server.admin, timeout=30)
        c.request('GET', '/v1/who', headers={'Authorization': header})
        assert c.getresponse().status == 401
        c.close()
    assert server.http('GET', '/v1/who', admin=True)[0] == 200


def test_parameters_and_methods(server):
    """One table: what is not in it is refused with a sentence."""
    for method, path, code, words in (
            ('GET', '/v1/segments?since=3', 400, "there is no parameter 'since'; /v1/segments takes no parameters"),
            ('GET', '/metrics?x', 400, "there is no parameter 'x'"),
            ('GET', '/healthz?a=b', 400, 'no parameters'),
            ('GET', '/v1/segment', 400, 'wants ?id='),
            ('GET', '/v1/segment?id=', 400, 'wants ?id='),
            ('GET', '/v1/segment?name=coat-fans', 400, 'takes id'),
            ('GET', '/v1/segment?id=a&id=b', 400, 'more than one'),
            ('GET', '/v1/segment?id=nobody', 404, "there is no segment 'nobody'"),
            ('GET', '/v1/segment?id=' + 'x' * 9000, 400, 'longer than'),
            ('GET', '/v1/segment?id=' + 'x' * 2000, 404, 'no segment'),
            ('GET', '/v1/stream', 400, 'wants ?to='),
            ('GET', '/v1/stream?to=live&wait=soon', 400, 'seconds'),
            ('GET', '/v1/stream?to=nobody', 404, "there is no destination 'nobody'"),
            ('POST', '/v1/import?partner=acme&x=1', 400, '/v1/import takes partner'),
            ('POST', '/v1/import?format=csv', 400, 'ndjson'),
            ('POST', '/v1/import?partner=nobody', 400, 'no partner'),
            ('POST', '/v1/settle?now=1', 400, 'no parameters'),
            ('POST', '/v1/clock?advance=soon', 400, 'advance=91d'),
            ('POST', '/v1/clock', 400, 'advance=91d'),
            ('POST', '/v1/clock?advance=1d&by=2', 400, "'by'"),
            ('POST', '/v1/visitors/erase?key=12', 400, '32 hex digits'),
            ('POST', '/v1/visitors/erase', 400, 'wants ?key='),
            ('POST', '/v1/ask/preview?k=1', 400, "'k'"),
            ('POST', '/v1/ask/preview', 400, ''),
            ('POST', '/v1/ask/overlap', 404, 'no segment'),
            ('POST', '/v1/backup', 400, 'absolute path'),
            ('POST', '/v1/quarantine/release', 400, 'reason'),
            ('POST', '/v1/lookalikes/train', 404, 'no lookalike'),
            ('GET', '/v1/nothing', 404, 'no such address'),
            ('GET', '/v1/import', 405, 'another method'),
            ('POST', '/v1/segments', 405, 'another method'),
            ('PUT', '/v1/segments', 405, 'another method')):
        status, r, data = server.http(method, path, admin=True)
        j = json.loads(data)
        assert status == code and r.getheader('Content-Type') == 'application/json', (path, status, data)
        assert words in j.get('error', j.get('text', '')), (path, data)
        if code == 405:
            assert r.getheader('Allow') == ('POST' if path == '/v1/import' else 'GET, HEAD')
    assert server.http('GET', '/v1/segment?id=coat%2Dfans', admin=True)[0] == 200
    r = server.cli('segments', 'show', 'nobody', ok=(1,))
    assert "there is no segment 'nobody'" in r.stderr and '{' not in r.stderr


def test_metrics_by_a_real_parser(make):
    """Each name has one HELP and one TYPE, and its samples stand together."""
    server = make(rules='version: 1\nsegments:\n  - {id: open, when: visits, alert: size < 100}\n')
    b = Browser(server, headers={'Sec-GPC': '1'})
    b.hit('/coats/1')
    text = server.http('GET', '/metrics', admin=True)[2].decode()
    for kind in ('HELP', 'TYPE'):
        names = [l.split()[2] for l in text.splitlines() if l.startswith('# %s ' % kind)]
        assert len(names) == len(set(names)), [n for n in names if names.count(n) > 1]
    families = {f.name: f for f in text_string_to_metric_families(text)}
    assert len(families) == len([l for l in text.splitlines() if l.startswith('# TYPE ')])
    assert all(f.documentation for f in families.values()), [f.name for f in families.values() if not f.documentation]
    assert {s.labels['reason']: s.value for s in families['crumb_refused'].samples}['gpc'] == 1
    assert families['crumb_segment_alert'].samples[0].labels == {'segment': 'open'}
    seen = [(s.name, tuple(sorted(s.labels.items()))) for f in families.values() for s in f.samples]
    assert len(seen) == len(set(seen))


def test_health_is_told_while_others_work(make):
    """Scrapes, lists, imports and questions at once, and rules that take long to read: health waits for none of them."""
    rules = 'version: 1\ncategories:\n' + ''.join('  - {id: c%d, name: C, any: [{path: "/p%d/*"}]}\n' % (i, i) for i in range(3000))
    server = make(options=['store.shards=32'])
    stop, slowest, answered = threading.Event(), [0.0], [0]

    def busy(method, path, body=None):
        while not stop.is_set():
            assert server.http(method, path, body, admin=True)[0] in (200, 429, 503), path
            answered[0] += 1

    lines = ''.join('{"id":"v%d","e":"view","u":"https://shop.example/coats/%d"}\n' % (i, i % 7) for i in range(5000))
    threads = [threading.Thread(target=busy, args=a) for a in (('GET', '/metrics'), ('GET', '/v1/segments'), ('GET', '/v1/categories'), ('POST', '/v1/import', lines),
                                                              ('POST', '/v1/ask/preview', 'coats >= 3'), ('GET', '/v1/rules/status'))]
    for t in threads:
        t.start()
    server.write_rules(rules)
    began = time.monotonic()
    while time.monotonic() - began < 3:
        server.process.send_signal(1)
        at = time.monotonic()
        assert server.http('GET', '/healthz', admin=True)[0] == 200
        slowest[0] = max(slowest[0], time.monotonic() - at)
        time.sleep(0.02)
    stop.set()
    for t in threads:
        t.join()
    assert answered[0] > 10 and slowest[0] < 1.0 * SLOW, (answered, slowest)


def test_a_question_does_not_wait_for_a_backup_or_an_import(make, tmp_path):
    server = make()
    server.import_lines([{'id': 'v%d' % i, 'e': 'view', 'u': 'https://shop.example/coats/1'} for i in range(200)])
    status, _, data = server.http('POST', '/v1/backup', str(tmp_path / 'b'), admin=True)
    assert status == 200 and json.loads(data)['days'] == 1
    assert [json.loads(server.http(method, '/v1/quarantine', admin=True)[2]) for method in ('POST', 'GET')] == [[], []]
    assert os.path.exists(os.path.join(BUILD, 'crumb'))


def test_a_segment_of_the_longest_id_is_shown():
    longest = 's' * 128
    s = Server(rules='version: 1\ncategories: [{id: c, any: [{path: /c/*}]}]\nsegments: [{id: %s, when: c}]\n' % longest)
    s.start()
    try:
        assert s.js('segments', 'show', longest)['id'] == longest
        assert s.http('GET', '/v1/segment?id=%s' % (longest + 's'), admin=True)[0] == 404
    finally:
        s.close()
