"""A real nginx in front: with nothing but proxy_pass, which says another Host than the browser's, and with the manual's lines."""
import gzip
import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time

import pytest
from harness import ROOT, SLOW, Browser

NGINX = shutil.which('nginx', path=os.environ.get('PATH', '') + ':/usr/sbin:/usr/local/sbin')
CONFIG = '''daemon off; master_process off; pid %(dir)s/pid; error_log %(dir)s/error.log; worker_processes 1;
events { worker_connections 64; }
http {
  access_log off; client_body_temp_path %(dir)s/body; proxy_temp_path %(dir)s/proxy; fastcgi_temp_path %(dir)s/f; uwsgi_temp_path %(dir)s/u; scgi_temp_path %(dir)s/s;
  server { listen 127.0.0.1:%(port)d; %(location)s }
}
'''
PLAIN = 'location / { proxy_pass http://127.0.0.1:8080; }'


def manual():
    """The lines that docs/OPERATING.md tells."""
    with open(os.path.join(ROOT, 'docs', 'OPERATING.md')) as f:
        return re.search(r'^ +location / \{.*?\n +\}', f.read(), re.M | re.S).group(0)


class Front:
    def __init__(self, server, location):
        self.dir, self.server = tempfile.mkdtemp(prefix='crumb-nginx.'), server
        for _ in range(5):                      # another program may take the port meanwhile
            with socket.socket() as s:
                s.bind(('127.0.0.1', 0))
                port = s.getsockname()[1]
            with open(self.dir + '/conf', 'w') as f:
                f.write(CONFIG % {'dir': self.dir, 'port': port, 'location': location.replace('127.0.0.1:8080', server.collect)})
            self.process = subprocess.Popen([NGINX, '-p', self.dir, '-c', self.dir + '/conf', '-e', self.dir + '/error.log'], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            self.address = '127.0.0.1:%d' % port
            end = time.monotonic() + 30 * SLOW
            while self.process.poll() is None and time.monotonic() < end:
                try:
                    socket.create_connection(('127.0.0.1', port), 5).close()
                    return
                except OSError:
                    time.sleep(0.05)
        raise AssertionError(open(self.dir + '/error.log').read()[-600:])

    def close(self):
        self.process.terminate()
        self.process.wait(30)
        shutil.rmtree(self.dir, ignore_errors=True)

    def http(self, method, path, body=None, headers=None):
        c = http.client.HTTPConnection(self.address, timeout=30 * SLOW)
        c.request(method, path, body, {'Host': 'crumb.shop.example', **(headers or {})})
        r = c.getresponse()
        data = r.read()
        c.close()
        return r.status, r, data


@pytest.fixture
def front(make):
    if not NGINX:
        pytest.skip('nginx is not installed (apt-get install nginx-light)')
    made = []

    def one(location, **kw):
        f = Front(make(**kw), location)
        made.append(f)
        return f
    yield one
    for f in made:
        f.close()


def visitor(f):
    """One that has come back, and the browser that goes through nginx."""
    b = Browser.known(f.server)
    b.server = f
    return b


OURS, SITE, EVIL = ({'Origin': o} for o in ('https://crumb.shop.example', 'https://shop.example', 'https://evil.example'))
SAME, CROSS = {'Sec-Fetch-Site': 'same-origin'}, {'Sec-Fetch-Site': 'cross-site'}


def erases(f, headers, status):
    for path in ('/me/forget', '/optout'):
        b = visitor(f)
        old = b.jar['crumb']
        got = b.request('POST', path, headers=headers)[0]
        f.server.settle()
        gone = f.server.visitor('--cookie', old) is None
        assert (got, gone) == (status, status == 200), (path, headers)


def test_nothing_but_proxy_pass(front):
    f = front(PLAIN, options=['sites=shop.example,https://crumb.shop.example', 'trusted_proxies=127.0.0.0/8', 'segment.write_keys=K'])
    for headers, status in (({**OURS, **SAME}, 200), ({}, 200), (OURS, 200), (SITE, 200), (EVIL, 403), ({**EVIL, **CROSS}, 403), ({**SITE, **CROSS}, 403), ({**OURS, 'Sec-Fetch-Site': 'same-site'}, 403), ({'Origin': 'null'}, 403),
                            ({'Origin': 'https://shop.example.evil.example'}, 403), ({'Origin': 'http://shop.example'}, 403)):
        erases(f, headers, status)
    b = visitor(f)
    assert b.request('GET', '/me', headers={**OURS, **SAME})[0] == 200
    for _ in range(3):
        assert b.hit('/coats/1') == 200
    status, r, data = b.request('GET', '/segments?fresh=1', headers={**SITE, **CROSS})
    assert json.loads(data)['segments'] and r.getheader('Access-Control-Allow-Origin') == 'https://shop.example'
    # HEAD, the tag and its conditions, bodies that are compressed, chunked or long
    _, r, packed = b.request('GET', '/crumb.js', headers={'Accept-Encoding': 'gzip'})
    assert r.getheader('Content-Encoding') == 'gzip' and gzip.decompress(packed).startswith(b'!function')
    for name, value in (('If-None-Match', r.getheader('ETag')), ('If-Modified-Since', r.getheader('Last-Modified'))):
        assert b.request('GET', '/crumb.js', headers={'Accept-Encoding': 'gzip', name: value})[0] == 304
    assert b.request('HEAD', '/crumb.js')[0] == 200 and b.request('GET', '/robots.txt')[0] == 200 and b.request('GET', '/favicon.ico')[0] == 204
    event = json.dumps({'e': 'view', 'u': 'https://shop.example/shoes/1'}).encode()
    assert b.request('POST', '/e', gzip.compress(event), {'Content-Type': 'text/plain', 'Content-Encoding': 'gzip'})[0] == 204
    assert b.request('POST', '/e', iter([event[:9], event[9:]]), {'Content-Type': 'text/plain'})[0] == 204
    b.server = f.server
    b.segments()
    assert b.count('apparel.shoes') == 2
    batch = {'batch': [{'type': 'page', 'anonymousId': 'a', 'messageId': str(i), 'properties': {'url': 'https://shop.example/coats/1', 'x': 'y' * 300}} for i in range(1000)]}
    assert f.http('POST', '/v1/batch', json.dumps(batch), {'Authorization': 'Bearer K'})[0] == 200


def test_the_lines_of_the_manual(front):
    assert 'X-Forwarded-Host' in manual() and 'proxy_http_version 1.1' in manual()
    f = front(manual(), options=['trusted_proxies=127.0.0.0/8'])
    for headers, status in ((OURS, 200), ({**OURS, **SAME}, 200), (SITE, 403), (EVIL, 403), ({'Origin': 'http://127.0.0.1:8080'}, 403), ({**EVIL, 'X-Forwarded-Host': 'evil.example'}, 403)):
        erases(f, headers, status)
    b = visitor(f)
    assert b.request('GET', '/segments', headers=OURS)[0] == 200 and b.request('GET', '/segments', headers=EVIL)[0] == 403
    # the address is the client's, not what he claims
    assert b.hit('/coats/1', headers={'X-Forwarded-For': '81.2.69.142'}) == 200
    b.server = f.server
    b.segments()
    assert b.shown().get('country') == 'GB'         # the client himself is on a trusted network here


def test_whose_forwarded_host_counts(make):
    """Only that of a trusted proxy; in a chain any of them may be the browser's."""
    for trusted, status in (('127.0.0.0/8', 200), ('10.0.0.0/8', 403), ('', 403)):
        server = make(options=['trusted_proxies=' + trusted])
        for value in ('crumb.shop.example', 'CRUMB.shop.example', 'crumb.shop.example, inner.example', 'inner.example,crumb.shop.example', 'crumb.shop.example:443'):
            b = Browser.known(server)
            assert b.request('POST', '/me/forget', headers={**OURS, 'X-Forwarded-Host': value})[0] == status, (trusted, value)
        for value in ('for=1.2.3.4;host=crumb.shop.example', 'Host="crumb.shop.example:443"', 'host=crumb.shop.example, host=inner.example'):
            assert Browser.known(server).request('POST', '/me/forget', headers={**OURS, 'Forwarded': value})[0] == status, (trusted, value)
        for value in ('host=shop.example', 'for="a, host=crumb.shop.example"', 'by=crumb.shop.example'):
            assert Browser.known(server).request('POST', '/me/forget', headers={**OURS, 'Forwarded': value})[0] == 403, value
        for value in ('', 'shop.example', 'crumb.shop.example:8443', 'xcrumb.shop.example', 'crumb.shop.example.evil.example'):
            assert Browser.known(server).request('POST', '/me/forget', headers={**OURS, 'X-Forwarded-Host': value})[0] == 403, value
        assert Browser.known(server).request('POST', '/me/forget', headers={**OURS, **CROSS, 'X-Forwarded-Host': 'crumb.shop.example'})[0] == 403
