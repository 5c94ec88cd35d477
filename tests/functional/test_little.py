"""Little memory, and readers who do not read: what can wait is put off, hits are taken, and it is over when it is over."""
import json
import re
import resource
import socket
import time

import pytest
from harness import SLOW, Browser, until


def status(server, what):
    with open('/proc/%d/status' % server.process.pid) as f:
        return int(re.search(what + r':\s+(\d+)', f.read()).group(1)) * 1024


def scraped(server):
    """Whole, or refused in the way that a scraper understands; never in part."""
    code, r, said = server.http('GET', '/metrics', admin=True)
    assert code == 200 or (code == 503 and r.getheader('Retry-After')), (code, said)
    return code == 200 and b'crumb_build_info' in said


@pytest.mark.skipif(SLOW != 1, reason='sanitizers end a program that is refused memory')
def test_with_little_memory_jobs_are_put_off_and_hits_are_taken(make):
    server = make(options=['fold.pace_ms=10000'])               # a fold without memory ends the server, as it should: it waits until there is some
    t = server.now()
    server.import_lines([{'id': 'v%d' % i, 't': t, 'u': 'https://s.example/coats/1', 'a.g': 'n%d' % (i % 30)} for i in range(3000)])
    b = Browser.known(server)
    server.settle()
    body = b'\n'.join(json.dumps({'id': 'z%d' % i, 't': t, 'u': 'https://s.example/coats/1'}).encode() for i in range(150000))
    assert server.http('POST', '/v1/ask/preview', 'coats >= 1', admin=True)[0] == 200
    for room in (16 << 20, 4 << 20, 1 << 20):
        resource.prlimit(server.process.pid, resource.RLIMIT_DATA, (status(server, 'VmData') + room, resource.RLIM_INFINITY))
        for method, path, data in (('POST', '/v1/ask/preview', 'coats >= 1 and attr.g = n1'), ('POST', '/v1/ask/overlap', 'coat-fans apparel-any'), ('GET', '/v1/segments', None), ('GET', '/v1/categories', None),
                                   ('POST', '/v1/backup', server.dir + '/backup'), ('POST', '/v1/import?format=ndjson', body)):
            code, r, said = server.http(method, path, data, admin=True)
            assert code == 503 and r.getheader('Retry-After'), (room, path, code, said)
        for i in range(20):
            assert b.hit('/coats/1') == 200
        scraped(server)                                         # what jobs and hits have of the room may be what its text wants
        assert server.http('GET', '/healthz', admin=True)[0] == 200
        assert 'no memory' in server.cli('rules', 'preview', 'coats >= 1 and attr.g = n2', ok=(1,)).stderr
    resource.prlimit(server.process.pid, resource.RLIMIT_DATA, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    until(lambda: scraped(server))
    assert server.http('POST', '/v1/ask/preview', 'coats >= 1 and attr.g = n1', admin=True)[0] == 200 and server.sizes()['coats-ever'] == 3000
    assert b.count('apparel.coats') == 60
    server.verify()


def slow(address, data):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    host, port = address.rsplit(':', 1)
    s.settimeout(30 * SLOW)
    s.connect((host, int(port)))
    s.setblocking(False)
    try:
        s.send(data)
    except OSError:
        pass
    return s


@pytest.mark.parametrize('path', ['/metrics', '/v1/segments', '/v1/stream?to=lake&after=0'])
def test_who_does_not_read_the_admin_listener_holds_nobody_up(make, path):
    """Each asks eight hundred times at once and reads nothing. Others are served, memory stays what it is, and all of them are let go of."""
    rules = 'version: 1\ncategories:\n' + ''.join('  - {id: c%d, any: [{path: "/c%d/*"}]}\n' % (i, i) for i in range(300)) + 'segments:\n  - {id: coats-ever, when: c1}\n' + ''.join(
        '  - {id: s%d, when: c%d, destinations: [lake]}\n' % (i, i) for i in range(300))
    server = make(rules=rules, options=['collect.body_s=1'], destinations='version: 1\ndestinations:\n  - {id: lake, format: csv}\n')
    request = ('GET %s HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer %s\r\n\r\n' % (path, server.token)).encode() * 800
    before = status(server, 'VmRSS')
    readers = [slow(server.admin, request) for _ in range(40)]
    for i in range(5):
        assert server.http('GET', '/healthz', admin=True)[0] == 200
        code, r, _ = server.http('GET', '/v1/segments', admin=True)
        assert code == 200 or (code == 503 and r.getheader('Retry-After'))      # what they asked for comes first
        assert Browser(server).hit('/c1/%d' % i) == 200
    if SLOW == 1:
        assert status(server, 'VmRSS') < before + (120 << 20)
    end, left = time.monotonic() + 60 * SLOW, set(readers)
    while left and time.monotonic() < end:                  # they are closed, though nothing of what was sent is read
        for s in list(left):
            try:
                s.send(b'x')
            except BlockingIOError:
                pass
            except OSError:
                left.discard(s)
        time.sleep(0.2)
    assert not left, len(left)
    for s in readers:
        s.close()
    while server.http('GET', '/v1/segments', admin=True)[0] != 200:
        assert time.monotonic() < end
