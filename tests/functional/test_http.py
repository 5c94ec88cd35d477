"""HTTP as clients, proxies and monitors speak it: HEAD, fields in several lines, trailers, too many connections."""
import json
import os
import re
import resource
import signal
import socket
import time
import urllib.parse

import pytest
from harness import CHROME, SLOW, Browser, Server, until


def connect(server, data=b''):
    host, port = server.collect.rsplit(':', 1)
    s = socket.create_connection((host.strip('[]'), int(port)), 10)
    s.settimeout(30 * SLOW)
    if data:
        s.sendall(data)
    return s


def request(method, path, *lines):
    return ('%s %s HTTP/1.1\r\n' % (method, path) + ''.join(l + '\r\n' for l in ('Host: h', 'User-Agent: ' + CHROME) + lines) + '\r\n').encode()


def answers(server, *requests):
    """One connection, one request after the other; the answers as (status, headers, body)."""
    found = []
    with connect(server) as s:
        f = s.makefile('rb')
        for r in requests:
            s.sendall(r)
            status, headers = int(f.readline().split()[1]), {}
            while (line := f.readline().strip()):
                name, _, value = line.decode().partition(':')
                headers[name.lower()] = value.strip()
            n = 0 if r.startswith(b'HEAD') or status in (204, 304) else int(headers['content-length'])
            found.append((status, headers, f.read(n)))
    return found


def test_head_is_answered_like_get_and_records_nothing(make):
    server = make(options=['segment.write_keys=k'])
    b = Browser.known(server)
    cookie = 'Cookie: crumb=' + b.jar['crumb']
    hits = server.metric('hits_total')
    for path in ('/p.gif?e=view&u=' + urllib.parse.quote('https://shop.example/coats/1', safe=''), '/crumb.js', '/segments', '/segments?fresh=1', '/me', '/me?format=json', '/sync', '/sync?partner=x',
                 '/optout', '/.well-known/gpc.json', '/nothing', '/e', '/v1/b'):
        head, again, get = answers(server, request('HEAD', path, cookie), request('HEAD', path), request('GET', path if 'p.gif' not in path else '/crumb.js', cookie))
        assert head[0] == again[0] and get[1].get('content-length') == str(len(get[2]))
        if not path.startswith(('/p.gif', '/sync')):
            assert (head[0], head[1].get('content-length')) == (get[0], get[1].get('content-length')), path
        if path.startswith('/p.gif'):
            assert head[0] == 200 and head[1]['content-length'] == '43' and head[1]['content-type'] == 'image/gif' and 'set-cookie' not in again[1]
    assert server.metric('hits_total') == hits
    b.segments()
    assert b.count('apparel.coats') == 0
    status, r, data = server.http('HEAD', '/metrics', admin=True)
    assert status == 200 and data == b''
    assert server.http('HEAD', '/healthz', admin=True)[0] == 200


def pixel(path='/coats/1', *lines):
    return request('GET', '/p.gif?e=view&u=' + urllib.parse.quote('https://shop.example' + path, safe=''), *lines)


def test_cookies_of_all_lines_and_all_of_our_name(server):
    b = Browser.known(server)
    ours = 'crumb=' + b.jar['crumb']
    forged = 'crumb=' + ''.join('A' if c != 'A' else 'B' for c in b.jar['crumb'])
    for lines in (['Cookie: ' + ours, 'Cookie: _ga=1'], ['Cookie: _ga=1', 'Cookie: ' + ours], ['Cookie: a=1', 'X-Other: x', 'cookie: %s ' % ours, 'COOKIE: b=2'], ['Cookie: crumb=x; ' + ours],
                  ['Cookie: %s; crumb=x' % ours], ['Cookie: %s; %s; crumb=; %s' % (forged, forged, ours)], ['Cookie: crumb=x', 'Cookie: crumb=y; a=b', 'Cookie: ' + ours], ['Cookie:' + ours + '\t']):
        status, headers, _ = answers(server, pixel('/coats/1', *lines))[0]
        assert status == 200 and 'set-cookie' not in headers, lines
        status, headers, body = answers(server, request('GET', '/segments?fresh=1', *lines))[0]
        assert 'coats-ever' in json.loads(body)['segments'], lines
    assert b.count('apparel.coats') == 8
    for lines in (['Cookie: crumb_optout=1', 'Cookie: ' + ours], ['Cookie: ' + ours, 'Cookie: crumb_optout=1'], ['Cookie: crumb_optout=0; crumb_optout=1; ' + ours], ['Cookie: ' + ours, 'Sec-GPC: 1 '],
                  ['Cookie: ' + ours, 'Sec-GPC:1\t'], ['Sec-GPC: 0', 'Cookie: ' + ours, 'Sec-GPC: 1']):
        c = Browser.known(server)
        mine = 'crumb=' + c.jar['crumb']
        status, headers, _ = answers(server, pixel('/coats/1', *[l.replace(ours, mine) for l in lines]))[0]
        assert status == 200 and headers.get('crumb-refused'), lines


def test_a_list_of_addresses_may_come_in_lines(make):
    server = make(options=['trusted_proxies=127.0.0.0/8,10.0.0.0/8'])
    for lines, country in ((['X-Forwarded-For: 81.2.69.142', 'X-Forwarded-For: 10.0.0.2'], 'GB'), (['X-Forwarded-For: 8.8.8.8', 'X-Forwarded-For: 81.2.69.142, 10.0.0.2', 'X-Forwarded-For: , ,'], 'GB'),
                           (['X-Forwarded-For: 81.2.69.142,,10.0.0.3, '], 'GB'), (['X-Forwarded-For:81.2.69.142 ', 'X-Forwarded-For:'], 'GB'), (['X-Forwarded-For: 81.2.69.142', 'X-Forwarded-For: 1.1.1.1, unknown'], None),
                           (['Forwarded: for=8.8.8.8', 'Forwarded: For="81.2.69.142:443";proto=https, for=10.0.0.2'], 'GB'), (['Forwarded: for=81.2.69.142, for=unknown'], None),
                           (['X-Forwarded-For: 81.2.69.142', 'Forwarded: for=8.8.8.8'], 'GB'),
                           # what the visitor wrote himself, left of what the proxy wrote, neither hides him nor makes him somebody else
                           (['X-Forwarded-For: =, 81.2.69.142'], 'GB'), (['X-Forwarded-For: for=8.8.8.8;a="', 'X-Forwarded-For: 81.2.69.142, 10.0.0.2'], 'GB'),
                           (['Forwarded: for=8.8.8.8;a="', 'Forwarded: for=81.2.69.142'], 'GB')):
        b = Browser.known(server)
        assert answers(server, pixel('/coats/1', 'Cookie: crumb=' + b.jar['crumb'], *lines))[0][0] == 200
        b.segments()
        assert b.shown().get('country') == country, lines


def test_trailers_change_nothing(make):
    server = make(options=['trusted_proxies=127.0.0.0/8'])
    b, body = Browser.known(server), b'{"e":"view","u":"https://shop.example/coats/1"}'
    trailed = request('POST', '/e', 'Cookie: crumb=' + b.jar['crumb'], 'X-Forwarded-For: 8.8.8.8', 'Transfer-Encoding: chunked') + b'%x\r\n%s\r\n0\r\n' % (len(body), body)
    assert answers(server, trailed + b'X-Forwarded-For: 81.2.69.142\r\nCookie: crumb=other\r\nSec-GPC: 1\r\nOrigin: https://else.example\r\n\r\n')[0][0] == 204
    b.segments()
    assert b.count('apparel.coats') == 1 and b.shown().get('country') != 'GB'


def test_a_wish_to_upgrade_is_ignored(server):
    for wish in ('h2c', 'websocket', 'TLS/1.3'):
        got = answers(server, request('GET', '/crumb.js', 'Connection: Upgrade, HTTP2-Settings', 'Upgrade: ' + wish), pixel(), pixel())
        assert [a[0] for a in got] == [200, 200, 200]


# --- too many

def cpu(pid):
    with open('/proc/%d/stat' % pid) as f:
        fields = f.read().rsplit(')', 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def limited(n):
    server = Server()
    server.limit = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (n, n))
    return server.start()


def test_without_descriptors_the_longest_idle_goes_and_nothing_spins():
    server = limited(120)
    idle = []
    try:
        b = Browser.known(server)
        b.hit('/coats/1')
        for _ in range(240):
            idle.append(connect(server))
        start = cpu(server.process.pid)
        begun = time.monotonic()
        while time.monotonic() - begun < 1:
            assert b.hit('/coats/1') == 200
        b.segments()
        assert cpu(server.process.pid) - start < .9 * (time.monotonic() - begun) * SLOW
        # the store has its own: rules are built, everything is counted
        server.write_rules('version: 1\ncategories:\n  - {id: c, name: C, any: [{path: "/coats/*"}]}\nsegments:\n  - {id: fresh, when: c}\n')
        server.process.send_signal(signal.SIGHUP)
        until(lambda: b.segments() == {'fresh'})
        assert server.metric('connections_closed_total{reason="limit"}') > 100
        assert re.search(r'warn main .*limit of open files', server.logged()) and 'no file descriptor is left' not in server.logged()
        idle[0].settimeout(5)
        assert idle[0].recv(1) == b''                      # the longest idle one
    finally:
        for s in idle:
            s.close()
        server.close()


@pytest.mark.parametrize('start', [b'', b'GET /p.gif HTTP/1.1\r\nHos', b'POST /e HTTP/1.1\r\nHost: h\r\nContent-Length: 90\r\n\r\n{"e"', b'POST /e HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab',
                                   b'GET /crumb.js HTTP/1.1\r\nHost: h\r\n\r\n' * 3000], ids=['idle', 'head', 'body', 'chunk', 'unread'])
def test_no_kind_of_slow_connection_keeps_others_out(make, start):
    server = make(options=['collect.connections=32', 'collect.threads=1'])
    slow = []
    for _ in range(100):
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        s.settimeout(10)
        host, port = server.collect.rsplit(':', 1)
        s.connect((host, int(port)))
        s.setblocking(False)
        try:
            s.send(start)
        except OSError:
            pass
        slow.append(s)
    for i in range(20):
        begun = time.monotonic()
        assert Browser(server).hit('/coats/%d' % i) == 200
        assert time.monotonic() - begun < 4 * SLOW
    assert server.metric('connections_closed_total{reason="limit"}') >= 60
    for s in slow:
        s.close()
