"""The same odd bytes to crumbd and to nginx: what each answers, and whether it goes on with the connection. Where we differ is listed with the reason.

After the odd bytes each connection carries one ordinary request and the end of the stream. If it is answered ("next"), the server knew where the odd request ended and
kept the connection; if it is not, the server closed, or took the bytes for the rest of something."""
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.parse

import pytest
from harness import SLOW

NGINX = shutil.which('nginx', path=os.environ.get('PATH', '') + ':/usr/sbin:/usr/local/sbin')
# What of nginx's configuration has a counterpart of ours is given the same value: 16 KB of headers, 256 KB of body.
CONFIG = '''daemon off; master_process off; pid %(dir)s/pid; error_log %(dir)s/error.log; worker_processes 1;
events { worker_connections 64; }
http {
  access_log off; client_body_temp_path %(dir)s/body; proxy_temp_path %(dir)s/proxy; fastcgi_temp_path %(dir)s/f; uwsgi_temp_path %(dir)s/u; scgi_temp_path %(dir)s/s;
  client_header_buffer_size 1k; large_client_header_buffers 4 16k; client_max_body_size 256k; lingering_close always; lingering_timeout 30s; keepalive_timeout 60;
  server {
    listen unix:%(dir)s/socket;
    location = /p.gif { return 200 "GIF"; }
    location = /e { if ($request_method != POST) { return 405; } return 204; }
    location = /crumb.js { default_type text/javascript; return 200 "js"; }
    location / { return 404; }
  }
}
'''
PIXEL = '/p.gif?e=view&u=' + urllib.parse.quote('https://shop.example/coats/1', safe='')
EVENT = b'{"e":"view","u":"https://shop.example/coats/1"}'
NEXT = b'GET /crumb.js HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n'


def get(*lines, line='GET %s HTTP/1.1' % PIXEL, host=True):
    return (line + '\r\n' + ('Host: h\r\n' if host else '') + ''.join(l + '\r\n' for l in lines) + '\r\n').encode('latin-1')


def post(*lines, body=EVENT):
    return get('Content-Type: application/json', *lines, line='POST /e HTTP/1.1') + body


def chunked(body, *lines):
    return post('Transfer-Encoding: chunked', *lines, body=body)


def chunks(*parts, ending=b'0\r\n\r\n', extension=b''):
    return b''.join(b'%x%s\r\n%s\r\n' % (len(p), extension, p) for p in parts) + ending


N = 'Content-Length: %d' % len(EVENT)
# name: bytes
REQUESTS = {
    'plain GET': get(),
    'plain POST': post(N),
    'HEAD': get(line='HEAD %s HTTP/1.1' % PIXEL),
    'Connection: close': get('Connection: close'),
    'HTTP/1.0': get(line='GET %s HTTP/1.0' % PIXEL, host=False),
    'HTTP/1.0 with keep-alive': get('Connection: keep-alive', line='GET %s HTTP/1.0' % PIXEL),
    # lines
    'bare LF': get().replace(b'\r\n', b'\n'),
    'bare LF in one header': get('A: b').replace(b'A: b\r\n', b'A: b\n'),
    'bare CR in a value': get('A: b\rc'),
    'CR CR LF': get('A: b\r'),
    'empty lines before': b'\r\n\r\n' + get(),
    'a line of blanks before': b'  \r\n' + get(),
    'obs-fold': get('A: b\r\n c'),
    'obs-fold of a field that counts': get('User-Agent: a\r\n b'),
    'obs-fold first': get('').replace(b'Host: h\r\n\r\n', b' A: b\r\nHost: h\r\n'),
    'tab before a value': get('A:\tb'),
    'tab in a value': get('A: b\tc'),
    'tab in the request line': get(line='GET\t%s\tHTTP/1.1' % PIXEL),
    'two blanks in the request line': get(line='GET  %s  HTTP/1.1' % PIXEL),
    'blank after the version': get(line='GET %s HTTP/1.1 ' % PIXEL),
    'NUL in a value': get('A: b\0c'),
    'bytes above 127 in a value': get('A: b\xe9c'),
    'control byte in a value': get('A: b\x01c'),
    # names
    'empty name': get(': b'),
    'blank before the colon': get('A : b'),
    'blank before the colon of Content-Length': post('Content-Length : %d' % len(EVENT)),
    'no colon': get('AAAA'),
    'odd characters in a name': get('A(b): c'),
    'NUL in a name': get('A\0: b'),
    'a name of 20,000 bytes': get('A' * 20000 + ': b'),
    # sizes
    'a value of 15,000 bytes': get('A: ' + 'b' * 15000),
    'a value of 70,000 bytes': get('A: ' + 'b' * 70000),
    '400 short headers': get(*['A%d: b' % i for i in range(400)]),
    '10,000 headers': get(*['A%d: b' % i for i in range(10000)]),
    'a URL of 20,000 bytes': get(line='GET /p.gif?%s HTTP/1.1' % ('a' * 20000)),
    'a body of 1 MB': post('Content-Length: 1000000', body=b' ' * 1000000),
    'a chunked body of 1 MB': chunked(chunks(*[b' ' * 50000] * 20)),
    # Content-Length
    'negative Content-Length': post('Content-Length: -1'),
    'Content-Length with a plus': post('Content-Length: +%d' % len(EVENT)),
    'Content-Length with a blank within': post('Content-Length: 4 7'),
    'hexadecimal Content-Length': post('Content-Length: 0x2f'),
    'empty Content-Length': post('Content-Length:'),
    'Content-Length of 30 digits': post('Content-Length: ' + '9' * 30),
    'leading zeros': post('Content-Length: 000%d' % len(EVENT)),
    'the same Content-Length twice': post(N, N),
    'two Content-Lengths': post(N, 'Content-Length: 3'),
    'a list of Content-Lengths': post('Content-Length: %d, %d' % (len(EVENT), len(EVENT))),
    'GET with a body': get('Content-Length: 5') + b'abcde',
    'POST without a length': post(body=b''),
    # Transfer-Encoding
    'chunked': chunked(chunks(EVENT[:9], EVENT[9:])),
    'Content-Length and chunked': chunked(chunks(EVENT), 'Content-Length: 5'),
    'Content-Length after chunked of HTTP/1.0': chunked(chunks(EVENT)).replace(b'HTTP/1.1', b'HTTP/1.0'),
    'chunk extension': chunked(chunks(EVENT, extension=b';a=b')),
    'chunk extension in quotes': chunked(chunks(EVENT, extension=b';a="b;c"')),
    'chunk extension of 20,000 bytes': chunked(chunks(EVENT, extension=b';a=' + b'b' * 20000)),
    'LF in a chunk extension': chunked(chunks(EVENT, extension=b';a\nb')),
    'chunk size with bare LF': chunked(b'2f\n' + EVENT + b'\r\n0\r\n\r\n'),
    'chunk data ended by bare LF': chunked(b'2f\r\n' + EVENT + b'\n0\r\n\r\n'),
    'chunk longer than it says': chunked(b'5\r\n' + EVENT + b'\r\n0\r\n\r\n'),
    'chunk size with 0x': chunked(b'0x2f\r\n' + EVENT + b'\r\n0\r\n\r\n'),
    'chunk size with a plus': chunked(b'+2f\r\n' + EVENT + b'\r\n0\r\n\r\n'),
    'negative chunk size': chunked(b'-1\r\n' + EVENT + b'\r\n0\r\n\r\n'),
    'chunk size of 20 digits': chunked(b'f' * 20 + b'\r\n' + EVENT),
    'empty chunk size': chunked(b'\r\n' + EVENT + b'\r\n0\r\n\r\n'),
    'blank before the chunk size': chunked(b' 2f\r\n' + EVENT + b'\r\n0\r\n\r\n'),
    'blank after the chunk size': chunked(b'2f \r\n' + EVENT + b'\r\n0\r\n\r\n'),
    'trailers': chunked(chunks(EVENT, ending=b'0\r\nA: b\r\nContent-Length: 9\r\n\r\n')),
    'a trailer that is none': chunked(chunks(EVENT, ending=b'0\r\nab\r\n\r\n')),
    'gzip, chunked': post('Transfer-Encoding: gzip, chunked', body=chunks(EVENT)),
    'chunked, identity': post('Transfer-Encoding: chunked, identity', body=chunks(EVENT)),
    'identity': post('Transfer-Encoding: identity', N),
    'Chunked': post('Transfer-Encoding: Chunked', body=chunks(EVENT)),
    'xchunked': post('Transfer-Encoding: xchunked', body=chunks(EVENT)),
    'chunked twice': post('Transfer-Encoding: chunked', 'Transfer-Encoding: chunked', body=chunks(EVENT)),
    'chunked behind a vertical tab': post('Transfer-Encoding: \x0bchunked', body=chunks(EVENT)),
    'chunked with a blank before the colon': post('Transfer-Encoding : chunked', body=chunks(EVENT)),
    'empty Transfer-Encoding': post('Transfer-Encoding:', N),
    # versions and forms
    'HTTP/0.9': ('GET %s\r\n' % PIXEL).encode(),
    'HTTP/1.2': get(line='GET %s HTTP/1.2' % PIXEL),
    'HTTP/2.0 in a line of 1.1': get(line='GET %s HTTP/2.0' % PIXEL),
    'preface of HTTP/2': b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'http/1.1 in small letters': get(line='GET %s http/1.1' % PIXEL),
    'HTTP/1.10': get(line='GET %s HTTP/1.10' % PIXEL),
    'small method': get(line='get %s HTTP/1.1' % PIXEL),
    'unknown method': get(line='BREW %s HTTP/1.1' % PIXEL),
    'DELETE': get(line='DELETE %s HTTP/1.1' % PIXEL),
    'TRACE': get(line='TRACE %s HTTP/1.1' % PIXEL),
    'absolute form': get(line='GET http://h%s HTTP/1.1' % PIXEL),
    'absolute form of another host': get(line='GET http://other%s HTTP/1.1' % PIXEL),
    'absolute form without a path': get(line='GET http://h HTTP/1.1'),
    'authority form': get(line='CONNECT h:80 HTTP/1.1'),
    'asterisk': get(line='OPTIONS * HTTP/1.1'),
    'asterisk of GET': get(line='GET * HTTP/1.1'),
    'no slash': get(line='GET p.gif HTTP/1.1'),
    'two slashes': get(line='GET /%s HTTP/1.1' % PIXEL),
    'dot segments': get(line='GET /a/..%s HTTP/1.1' % PIXEL),
    'dot segments above the root': get(line='GET /../..%s HTTP/1.1' % PIXEL),
    'NUL in the path, encoded': get(line='GET /p.gif%00 HTTP/1.1'),
    'NUL in the path': get(line='GET /p.gif\0 HTTP/1.1'),
    'a path that is encoded': get(line='GET /%70.gif HTTP/1.1'),
    'half an escape in the path': get(line='GET /p.gif%2 HTTP/1.1'),
    'half an escape in the query': get(line='GET /p.gif?u=%2 HTTP/1.1'),
    'fragment': get(line='GET /p.gif#a HTTP/1.1'),
    'bytes above 127 in the path': get(line='GET /p.gif?u=\xc3\xa9 HTTP/1.1'),
    # Host
    'no Host': get(host=False),
    'no Host of HTTP/1.0': get('A: b', line='GET %s HTTP/1.0' % PIXEL, host=False),
    'two Hosts': get('Host: h'),
    'empty Host': get('Host:', host=False),
    'Host with a path': get('Host: h/a', host=False),
    'Host with a user': get('Host: a@h', host=False),
    'Host with two ports': get('Host: h:1:2', host=False),
    'Host with an odd port': get('Host: h:a', host=False),
    'Host of IPv6': get('Host: [::1]:80', host=False),
    'Host of half an IPv6': get('Host: [::1', host=False),
    # wishes
    'Expect': post('Expect: 100-continue', N),
    'Expect without a body': get('Expect: 100-continue'),
    'Expect of something else': post('Expect: tea', N),
    'Upgrade to websocket': get('Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='),
    'Upgrade to h2c': get('Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__'),
    'Connection: close, keep-alive': get('Connection: close, keep-alive'),
    'Range': get('Range: bytes=0-1'),
    # several at once
    'three at once': get() + post(N) + get(),
    'twenty at once': get() * 20,
    'an error in the middle': get() + get(line='GET %s HTTP/3.x' % PIXEL) + get(),
    'not found in the middle': get() + get(line='GET /nothing HTTP/1.1') + get(),
    'close in the middle': get() + get('Connection: close') + get(),
    'more body than was said': post('Content-Length: %d' % (len(EVENT) - 1)),
    'less body than was said': post('Content-Length: %d' % (len(EVENT) + 9)),
    'TLS': bytes.fromhex('16030100050100000100'),
    'nothing': b'',
}

# Nothing follows these but the end of the stream.
EARLY = {
    'end in the request line': get()[:9],
    'end in a header': get('A: b')[:-6],
    'end before the last line': get()[:-2],
    'end before a body': post(N, body=b''),
    'end in a body': post(N, body=EVENT[:9]),
    'end in a chunk size': chunked(b'2'),
    'end in a chunk': chunked(b'2f\r\n' + EVENT[:9]),
    'end before the last chunk': chunked(b'2f\r\n' + EVENT + b'\r\n'),
    'end in the last chunk': chunked(chunks(EVENT)[:-2]),
    'end in the second request': get() + get()[:30],
    'end in the body of the second': get() + post(N, body=EVENT[:9]),
    'end after Expect': post('Expect: 100-continue', N, body=b''),
}

# Where we differ: what we answer, and why it is right so. nginx's answer is in the table that is printed.
LETTER = 'RFC 9112 2.2, 7.1: a line ends with CR LF; another reader on the way may see other lines'
VERSION = 'nobody speaks it to us; only 1.0 and 1.1 are read (RFC 9112 2.3 would let us read 1.2 as 1.1)'
ONE_NAME = 'a path has one spelling: what is not on the list of addresses is 404, nothing is decoded or resolved first'
CODINGS = 'RFC 9112 6.3: of a request the last coding must be chunked, else it has no length'
HOST = 'RFC 9112 3.2: a Host that is none is 400; nginx only looks for a slash in it'
JSON = 'the body is looked at, and is no event; the connection is as with nginx'
ACCEPTED = {name: (ours, why) for why, group in {
    LETTER: {'bare LF': '400', 'bare LF in one header': '400', 'CR CR LF': '400', 'blank after the version': '400', 'chunk size with bare LF': '400', 'chunk data ended by bare LF': '400',
             'blank after the chunk size': '400'},
    'RFC 9112 5.2: folded lines may be taken as blanks; of a field that we read they are 400': {'obs-fold': '200 next'},
    'RFC 9110 5.5: control characters are none of a value': {'control byte in a value': '400'},
    'RFC 9112 5: a line without a colon is no field; nginx ignores it': {'no colon': '400', 'a trailer that is none': '400'},
    'RFC 9110 5.1: a name is a token': {'odd characters in a name': '400'},
    'nginx here throws the body away unread, so its limit does not count': {'a chunked body of 1 MB': '413'},
    JSON: {'POST without a length': '400 next', 'more body than was said': '400 400', 'less body than was said': '400 400'},
    CODINGS: {'chunked, identity': '400', 'identity': '400', 'chunked behind a vertical tab': '400'},
    VERSION: {'HTTP/0.9': '400', 'HTTP/1.2': '400', 'HTTP/2.0 in a line of 1.1': '400', 'HTTP/1.10': '400', 'an error in the middle': '200 400'},
    'nginx here answers any method; ours is 405, or 400 where it is no method at all': {'unknown method': '400', 'DELETE': '405 next', 'TRACE': '405 next'},
    'there is nothing at such a target; nginx calls it malformed': {'authority form': '404 next', 'asterisk': '404 next', 'asterisk of GET': '404 next'},
    ONE_NAME: {'two slashes': '404 next', 'dot segments': '404 next', 'dot segments above the root': '404 next', 'NUL in the path, encoded': '404 next', 'a path that is encoded': '404 next',
               'half an escape in the path': '404 next', 'fragment': '404 next'},
    'RFC 3986 2: a URL is ASCII; browsers encode the rest': {'bytes above 127 in the path': '400'},
    HOST: {'Host with a user': '400', 'Host with two ports': '400', 'Host with an odd port': '400', 'Host of half an IPv6': '400'},
    'nginx here answers before the body; half a request is none': {'end before a body': 'nothing', 'end in a body': 'nothing', 'end in a chunk size': 'nothing', 'end in a chunk': 'nothing',
        'end before the last chunk': 'nothing', 'end in the last chunk': 'nothing', 'end in the body of the second': '200', 'end after Expect': '100'},
}.items() for name, ours in group.items()}


@pytest.fixture(scope='module')
def nginx():
    if not NGINX:
        pytest.skip('nginx is not installed (apt-get install nginx-light)')
    folder = tempfile.mkdtemp(prefix='crumb-nginx.')
    with open(folder + '/conf', 'w') as f:
        f.write(CONFIG % {'dir': folder})
    process = subprocess.Popen([NGINX, '-p', folder, '-c', folder + '/conf', '-e', folder + '/error.log'], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 30 * SLOW
        while True:
            try:
                socket.socket(socket.AF_UNIX).connect(folder + '/socket')
                break
            except OSError:
                assert process.poll() is None and time.monotonic() < end, open(folder + '/error.log').read()[-600:]
                time.sleep(0.05)
        yield folder + '/socket'
    finally:
        process.terminate()
        process.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


def ask(s, data):
    """Everything that comes back until the other side ends. That it does not take everything is no failure."""
    s.settimeout(60 * SLOW)
    out = b''
    with s:
        try:
            s.sendall(data)
            s.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        try:
            while part := s.recv(65536):
                out += part
        except ConnectionError:
            pass
    return out


def outcome(answer):
    """'200 204 next', 'nothing', 'bare' for an answer without a head."""
    found = [(int(m.group(1)), m.end()) for m in re.finditer(rb'HTTP/1\.[01] (\d{3}) ', answer)]
    if not found:
        return 'bare' if answer else 'nothing'
    words = [str(status) for status, _ in found]
    if b'javascript' in answer[found[-1][1]:]:
        words[-1] = 'next'
    return ' '.join(words)


def classes(o):
    return re.sub(r'(\d)\d\d', r'\1xx', o)


def both(server, nginx, data):
    host, port = server.collect.rsplit(':', 1)
    theirs = socket.socket(socket.AF_UNIX)
    theirs.connect(nginx)
    return ask(socket.create_connection((host, int(port)), 30 * SLOW), data), ask(theirs, data)


def test_side_by_side(make, nginx):
    server = make()
    rows, wrong = [], []
    for name, data in [(name, data + NEXT) for name, data in REQUESTS.items()] + list(EARLY.items()):
        answers = both(server, nginx, data)
        ours, theirs = map(outcome, answers)
        expected, reason = ACCEPTED.get(name, (theirs, 'not accepted'))
        if classes(ours) != classes(theirs):
            rows.append('%-45s %-22s %-22s %s' % (name, ours, theirs, reason))
        if classes(ours) != classes(expected):
            wrong.append(rows[-1] if rows and rows[-1].startswith(name) else '%s: %s, no longer %s' % (name, ours, expected))
        if name == 'HEAD':
            assert b'GIF' not in answers[0]
    print('%d requests; we differ in %d\n%-45s %-22s %-22s %s\n%s' % (len(REQUESTS) + len(EARLY), len(rows), 'what', 'crumbd', 'nginx', 'why', '\n'.join(rows)))
    assert not wrong, '\n'.join(wrong)
    # whoever sent all that broke nothing
    assert outcome(both(server, nginx, get() + NEXT)[0]) == '200 next'
