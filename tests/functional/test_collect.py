"""The collector: pixel, events, HTTP and its limits."""
import glob
import json
import random
import re
import signal
import socket
import threading
import time

from harness import SLOW, Browser, Server, until

GIF = bytes.fromhex('47494638396101000100800100000000ffffff21f90401000001002c00000000010001000002024c01003b')
HOST = b'Host: x\r\n'


def status(answer):
    return int(answer.split()[1]) if answer.startswith(b'HTTP/1.1 ') else 0


def test_pixel_is_the_43_byte_gif_and_never_cached(server):
    code, r, data = Browser(server).request('GET', '/p.gif?u=https%3A%2F%2Fshop.example%2F')
    assert (code, data, r.getheader('Content-Type'), r.getheader('Cache-Control')) == (200, GIF, 'image/gif', 'no-store')
    assert r.getheader('Date')


def test_pipelined_requests_are_answered_in_order(server):
    out = server.raw((b'GET /p.gif?u=https://a.example/ HTTP/1.1\r\n' + HOST + b'\r\nGET /nothing HTTP/1.1\r\n' + HOST + b'\r\n') * 10
                     + b'GET /crumb.js HTTP/1.1\r\nConnection: close\r\n' + HOST + b'\r\n')
    codes = [int(p[:3]) for p in out.split(b'HTTP/1.1 ')[1:]]
    assert codes == [200, 404] * 10 + [200]


def test_a_request_in_single_bytes_is_read(server):
    host, port = server.collect.rsplit(':', 1)
    with socket.create_connection((host, int(port)), 5) as s:
        s.settimeout(5)
        for b in b'POST /e HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\n{"e":\r\n8\r\n"view"}\n\r\n0\r\n\r\n':
            s.sendall(bytes([b]))
        out = b''
        while part := s.recv(4096):
            out += part
    assert status(out) == 204, out


def test_events_come_as_object_array_and_ndjson(server):
    b = Browser.known(server)
    event = '{"e":"view","u":"https://shop.example/coats/1"}'
    for body, kind in ((event, 'application/json'), ('[%s,%s]' % (event, event), 'text/plain;charset=UTF-8'), (event + '\n' + event + '\n', 'application/x-ndjson'),
                       (event, None)):
        code, r, _ = b.request('POST', '/e', body, {'Content-Type': kind} if kind else {})
        assert code == 204
    assert b.segments() and b.count('apparel.coats') == 6


def test_the_strictest_signal_of_a_body_decides(server):
    b = Browser.known(server)
    fine, no = {'e': 'view', 'u': 'https://shop.example/coats/1', 'us_privacy': '1YNN'}, {'e': 'view', 'us_privacy': '1YYN', 'u': 'https://shop.example/coats/\u0031'}
    assert b.events(fine, fine) == 204 and b.segments() is not None and b.count('apparel.coats') == 2
    assert b.events(fine, no, {**fine, 'anon': 1}) == 204 and not b.jar           # explicit: erased, the cookie expired
    c = Browser.known(server)
    body = '\n'.join(json.dumps(e) for e in (fine, {**fine, 'anon': '1'}))
    assert c.request('POST', '/e', body, {'Content-Type': 'application/x-ndjson'})[0] == 204
    assert c.jar and c.segments() is not None and c.count('apparel.coats') == 0


def test_a_bad_body_is_refused_whole(server):
    b = Browser.known(server)
    good = '{"e":"view","u":"https://shop.example/coats/1"}'
    for body in ('[%s,%s' % (good, good), good + '\n{"e":', '[%s, 5]' % good, '"text"', '', '{"e": {}}', '[' * 20000, good + '\x00'):
        assert b.request('POST', '/e', body, {'Content-Type': 'application/json'})[0] == 400, body[:60]
    assert b.request('POST', '/e', good, {'Content-Type': 'image/png'})[0] == 415
    assert b.request('POST', '/e', '[%s]' % ','.join([good] * 1001), {'Content-Type': 'application/json'})[0] == 413
    b.segments()
    assert b.count('apparel.coats') == 0
    assert server.metric('bad_requests_total{reason="body"}') == 8


def test_malformed_requests_get_the_right_status_and_are_counted(server):
    cases = [
        (b'GET /p.gif HTTP/1.1\r\n\r\n', 400), (b'GET /p.gif HTTP/1.1\r\nHost : x\r\n\r\n', 400), (b'GET /p.gif\r\n\r\n', 400),
        (b'\x16\x03\x01' * 20, 400), (b'GET /' + b'a' * 70000 + b' HTTP/1.1\r\n' + HOST + b'\r\n', 414),
        (b'GET /p.gif HTTP/1.1\r\n' + HOST + b'X: ' + b'b' * 200000 + b'\r\n\r\n', 431),
        (b'POST /e HTTP/1.1\r\n' + HOST + b'Content-Length: 999999999\r\n\r\n', 413),
        (b'POST /e HTTP/1.1\r\n' + HOST + b'Content-Length: -1\r\n\r\n', 400),
        (b'POST /e HTTP/1.1\r\n' + HOST + b'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 400),
        (b'POST /e HTTP/1.1\r\n' + HOST + b'Transfer-Encoding: chunked\r\n\r\n' + b'fffff\r\n' + b'a' * 400000, 413),
        (b'DELETE /p.gif HTTP/1.1\r\n' + HOST + b'\r\n', 405), (b'GET /e HTTP/1.1\r\n' + HOST + b'\r\n', 405), (b'GET /x HTTP/1.1\r\n' + HOST + b'\r\n', 404),
    ]
    for request, want in cases:
        assert status(server.raw(request, 30 * SLOW, enough=status)) == want, request[:60]
    assert server.metric('bad_requests_total{reason="syntax"}') == 6
    assert server.metric('bad_requests_total{reason="uri_size"}') == 1
    assert server.metric('bad_requests_total{reason="header_size"}') == 1
    assert server.metric('bad_requests_total{reason="body_size"}') == 2
    assert server.metric('bad_requests_total{reason="method"}') == 2
    assert Browser(server).hit('/') == 200


def test_random_bytes_do_not_stop_the_server(server):
    rng = random.Random(5)
    base = b'POST /e?x=1 HTTP/1.1\r\nHost: x\r\nCookie: crumb=abc\r\nContent-Type: application/json\r\nContent-Length: 31\r\n\r\n{"e":"view","u":"https://a/b"}\n'
    for _ in range(300):
        m = bytearray(base)
        for _ in range(rng.randint(1, 8)):
            m[rng.randrange(len(m))] = rng.randrange(256)
        server.raw(bytes(m[:rng.randint(1, len(m))]), 0.02, shut=True)
    assert Browser(server).hit('/') == 200 and server.process.poll() is None


def test_slow_requests_end_and_do_not_block_others(make):
    server = make(options=['collect.header_s=1', 'collect.body_s=1', 'collect.idle_s=1'])
    host, port = server.collect.rsplit(':', 1)
    slow = []
    for start in (b'GET /p.gif HTTP/1.1\r\nHo', b'POST /e HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{"e"', b''):
        for _ in range(100):
            s = socket.create_connection((host, int(port)), 5)
            s.sendall(start)
            slow.append((start, s))
    assert Browser(server).hit('/') == 200
    for start, s in slow:
        s.settimeout(20)
        answer = s.recv(100)
        assert status(answer) == (408 if start else 0), answer
        s.close()


def test_whoever_sends_without_end_does_not_stop_the_others(server):
    """One connection pipelines requests as fast as it can and reads the answers, another goes on sending after it was refused."""
    b, stop = Browser.known(server), threading.Event()
    host, port = server.collect.rsplit(':', 1)

    def read_all(s):
        try:
            while s.recv(1 << 16):
                pass
        except OSError:
            pass

    def flood(data, more):
        with socket.create_connection((host, int(port)), 5) as s:
            drain = threading.Thread(target=read_all, args=(s,), daemon=True)
            drain.start()
            try:
                while not stop.is_set():
                    s.sendall(data)
                    data = more
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass                    # refused and closed
            drain.join()

    get = b'GET /x HTTP/1.1\r\n' + HOST + b'\r\n'
    floods = [threading.Thread(target=flood, args=f, daemon=True) for f in ((get, get * 20000), (b'\0\r\n\r\n', b'x' * 65536))]
    for f in floods:
        f.start()
    try:
        slowest = 0
        for _ in range(40):
            start = time.monotonic()
            assert b.hit('/coats/1') == 200
            slowest = max(slowest, time.monotonic() - start)
        assert slowest < 1.5 * SLOW
    finally:
        stop.set()
    for f in floods:
        f.join()


def sleeping(server, name):
    """Do all threads of this name wait for something? On a busy machine one that does nothing may only be waiting for a processor."""
    for stat in glob.glob('/proc/%d/task/*/stat' % server.process.pid):
        with open(stat) as f:
            thread, state = re.search(r'\((.*)\) (\S)', f.read()).groups()
        if thread == name and state != 'S':
            return False
    return True


def test_answers_that_wait_for_a_slow_reader_all_come(server):
    """Everything was sent and nothing more will be: what was read but not yet parsed goes on when the reader does. That takes as
    many requests as fill the buffers of the kernel, and some more."""
    host, port = server.collect.rsplit(':', 1)
    get = b'GET /crumb.js HTTP/1.1\r\n' + HOST + b'\r\n'

    def ask(n, s):
        before = server.metric('requests_total')
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.connect((host, int(port)))
        s.settimeout(10 * SLOW)
        s.sendall(get * n)
        asked = 0

        def handled():
            nonlocal asked
            asked += 1
            return int(server.metric('requests_total') - before - asked)
        return until(lambda: sleeping(server, 'collect') and (n := handled()) and sleeping(server, 'collect') and n == handled() and n)

    with socket.socket() as s:
        fits = ask(4000, s)
    assert fits < 4000
    for more in range(5, 150, 15):
        with socket.socket() as s:
            ask(fits + more, s)
            left, end = fits + more, b''
            while left:
                part = s.recv(1 << 20)
                assert part
                left -= (end + part).count(b'HTTP/1.1 200 OK')
                end = (end + part)[-14:]


def test_more_connections_than_allowed_close_the_longest_idle_one(make):
    server = make(options=['collect.connections=20'])
    host, port = server.collect.rsplit(':', 1)
    held = [socket.create_connection((host, int(port)), 5) for _ in range(60)]
    assert Browser(server).hit('/') == 200
    assert server.metric('connections_closed_total{reason="limit"}') >= 40
    for s in held:
        s.close()


def test_the_tag_is_served_with_an_etag(server):
    code, r, data = server.http('GET', '/crumb.js')
    assert code == 200 and 'javascript' in r.getheader('Content-Type') and b'sendBeacon' in data
    assert len(server.http('GET', '/crumb.js', headers={'Accept-Encoding': 'gzip'})[2]) < 2100
    code, r, data = server.http('GET', '/crumb.js', headers={'If-None-Match': r.getheader('ETag')})
    assert (code, data) == (304, b'')


def test_sigterm_answers_what_was_asked(server):
    host, port = server.collect.rsplit(':', 1)
    b, before = Browser.known(server), server.metric('hits_total')
    with socket.create_connection((host, int(port)), 5) as s:
        s.sendall(b''.join(b'GET /p.gif?u=https%%3A%%2F%%2Fshop.example%%2Fcoats%%2F%d HTTP/1.1\r\nHost: x\r\nCookie: crumb=%s\r\n\r\n' % (i, b.jar['crumb'].encode())
                          for i in range(8)))
        until(lambda: server.metric('hits_total') == before + 8)
        server.process.send_signal(signal.SIGTERM)
        s.settimeout(30 * SLOW)
        out = b''
        try:
            while part := s.recv(65536):
                out += part
        except OSError:
            pass
    assert server.process.wait(30) == 0
    server.start()
    b.segments()
    assert b.count('apparel.coats') == out.count(b'HTTP/1.1 200') == 8


def test_forwarded_addresses_count_only_from_trusted_proxies(make):
    """81.2.69.142 is in the country file; loopback is not."""
    for trusted, country in (('', None), ('127.0.0.0/8', 'GB')):
        server = make(options=['trusted_proxies=' + trusted])
        b = Browser.known(server, headers={'X-Forwarded-For': '8.8.8.8, 81.2.69.142, 127.0.0.9'})
        b.segments()
        assert b.shown().get('country') == country


def test_hits_of_other_sites_are_set_aside(make):
    server = make(options=['sites=shop.example,https://www.shop.example'])
    b = Browser.known(server)
    assert b.hit('/coats/1', host='https://evil.example') == 200 and b.hit('/coats/1', host='https://WWW.shop.example') == 200
    b.segments()
    assert b.count('apparel.coats') == 1 and server.metric('refused_total{reason="foreign_site"}') == 1


def test_credentials_are_only_for_listed_origins(make):
    server = make(options=['sites=shop.example,http://127.0.0.1:8000'])
    ours, other = {'Origin': 'http://127.0.0.1:8000'}, {'Origin': 'https://evil.example'}
    for path in ('/segments', '/e'):
        code, r, _ = server.http('OPTIONS', path, headers={**ours, 'Access-Control-Request-Method': 'POST'})
        assert (code, r.getheader('Access-Control-Allow-Origin'), r.getheader('Access-Control-Allow-Credentials')) == (204, ours['Origin'], 'true')
        assert server.http('OPTIONS', path, headers=other)[0] == 403
    code, r, _ = server.http('GET', '/segments', headers=ours)
    assert code == 200 and r.getheader('Access-Control-Allow-Origin') == ours['Origin'] and r.getheader('Vary') == 'Origin'
    code, r, _ = server.http('GET', '/segments', headers=other)
    assert code == 403 and not r.getheader('Access-Control-Allow-Origin')
    assert server.http('GET', '/segments', headers={'Origin': 'https://shop.example'})[0] == 200
    assert server.http('GET', '/segments', headers={'Origin': 'http://' + server.collect})[0] == 200


def test_both_forms_of_segments(make):
    server = make(options=['ortb2.name=dmp.example'], rules='''version: 1
categories: [{id: coats, any: [{path: "/coats/*"}]}]
segments:
  - {id: fans, when: coats, iab: 687, destinations: [page]}
  - {id: buyers-to-be, when: coats, destinations: [page, xandr]}
  - {id: secret, when: coats, destinations: [xandr]}
''')
    b = Browser.known(server)
    b.hit('/coats/1')
    assert b.segments() == {'fans', 'buyers-to-be'}
    assert json.loads(b.request('GET', '/segments?format=ortb2')[2]) == {
        'user': {'data': [{'name': 'dmp.example', 'ext': {'segtax': 4}, 'segment': [{'id': '687'}]}, {'name': 'dmp.example', 'segment': [{'id': 'buyers-to-be'}]}]}}
    form = lambda f: json.loads(b.request('GET', '/segments?format=' + f)[2])
    assert form('kv') == {'crumb': ['buyers-to-be', 'fans']}
    assert form('pps') == {'taxonomies': {'IAB_AUDIENCE_1_1': {'values': ['687']}}}
    assert form('rtd&segtax=501') == {'site': {'content': {'data': []}}, 'user': {'data': [
        {'name': 'dmp.example', 'ext': {'segtax': 501}, 'segment': [{'id': 'buyers-to-be', 'name': 'buyers-to-be'}, {'id': 'fans', 'name': 'fans'}]}]}}
    assert form('rtd')['user']['data'][0]['segment'] == [{'id': '687'}]
    assert b.request('GET', '/segments?format=xml')[0] == 400
    assert Browser(server).segments() == set()


def test_a_page_s_time_budget_is_kept(make):
    """The answer is what is known when the time is up; without a budget it waits for the fold."""
    server = make(options=['fold.pace_ms=10000'])
    b = Browser.known(server)
    b.segments()
    for _ in range(3):
        b.hit('/coats/1')
    began = time.monotonic()
    status, _, data = b.request('GET', '/segments?fresh=1&wait=30')
    assert status == 200 and time.monotonic() - began < 1 * SLOW and 'segments' in json.loads(data)
    assert 'coat-fans' in b.segments()


def test_admin_wants_its_token(server):
    for path, method in (('/metrics', 'GET'), ('/v1/segments', 'GET'), ('/v1/clock?advance=1d', 'POST'), ('/v1/import', 'POST')):
        for token in ('', 'wrong', server.token[:-1], server.token + 'x'):
            assert server.http(method, path, admin=True, token=token)[0] == 401
        assert server.http(method, path, headers={'Authorization': 'Bearer ' + server.token})[0] in (404, 405)
    for path in ('/healthz', '/readyz'):                   # for whoever sees to the process
        assert server.http('GET', path, admin=True)[0] == server.http('GET', path, admin=True, token='')[0] == 200
    assert [s['id'] for s in json.loads(server.http('GET', '/v1/segments', admin=True)[2])] == sorted(s['id'] for s in server.js('segments', 'list'))
    for bad in ('', '?advance=-1d', '?advance=1w', '?advance=d'):
        assert server.http('POST', '/v1/clock' + bad, admin=True)[0] == 400


def test_without_test_clock_nobody_moves_it(make):
    assert make(test_clock=False).http('POST', '/v1/clock?advance=1d', admin=True)[0] == 404


def test_new_visitors_are_refused_when_the_disk_is_nearly_full(make):
    server = make()
    old = Browser.known(server)
    server.stop()
    server.options.append('store.reserve_percent=100')          # the disk is always fuller than that
    server.start()
    until(lambda: server.metric('disk_low'))
    new = Browser(server)
    assert new.hit('/') == 503 and new.set_cookie is None and new.events({'e': 'view'}) == 503
    assert old.hit('/coats/1') == 200 and old.segments() and server.metric('refused_total{reason="disk"}') == 2


def test_a_store_that_cannot_grow_answers_503_and_loses_nothing(make):
    """The kernel refuses to let any file grow past a megabyte: commits fail, hits get 503, never a 200 unwritten."""
    import resource
    server = make()
    b = Browser.known(server)
    server.stop()
    server.limit = lambda: (signal.signal(signal.SIGXFSZ, signal.SIG_IGN), resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20)))
    server.start()
    rng = random.Random(3)
    written, codes = 0, set()
    for _ in range(400):
        word = lambda: ''.join(rng.choice('bcdfghklmnprstvwz') for _ in range(60))
        code = b.events(*[{'u': 'https://shop.example/coats/1', **{'a.x%d' % k: word() for k in range(8)}} for _ in range(20)])
        codes.add(code)
        written += 20 if code == 204 else 0
    assert codes == {204, 503} and server.metric('journal_failures_total') > 0
    server.stop()
    server.limit = None
    server.start()
    assert b.hit('/coats/1') == 200 and b.segments()
    assert b.count('apparel.coats') == written + 1
    server.verify()


def test_server_without_rules_folder_says_so():
    s = Server()
    s.rules = '/nonexistent'
    try:
        s.start()
        assert False
    except AssertionError:
        assert 'rules folder /nonexistent' in s.logged()
    s.close()
