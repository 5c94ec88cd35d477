"""etc/nginx-crumb.conf as it is, in a real nginx with a certificate of its own: what comes through, and what nginx keeps."""
import http.client
import os
import re
import shutil
import socket
import ssl
import subprocess
import tempfile
import time

import pytest
from harness import CHROME, ROOT, SLOW

NGINX = shutil.which('nginx', path=os.environ.get('PATH', '') + ':/usr/sbin:/usr/local/sbin')
NAME = 'crumb.shop.example'
MAIN = '''daemon off; master_process off; pid %(dir)s/pid; error_log %(dir)s/main.log; worker_processes 1;
events { worker_connections 64; }
http {
  client_body_temp_path %(dir)s/body; proxy_temp_path %(dir)s/proxy; fastcgi_temp_path %(dir)s/f; uwsgi_temp_path %(dir)s/u; scgi_temp_path %(dir)s/s;
  access_log %(dir)s/access.log; include %(dir)s/crumb.conf;
}
'''


def free_ports(n):
    sockets = [socket.socket() for _ in range(n)]
    for s in sockets:
        s.bind(('127.0.0.1', 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


class Front:
    def __init__(self, server):
        self.dir = tempfile.mkdtemp(prefix='crumb-front.')
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=' + NAME,
                        '-addext', 'subjectAltName=DNS:' + NAME, '-keyout', self.dir + '/key', '-out', self.dir + '/pem'], check=True, capture_output=True)
        with open(os.path.join(ROOT, 'etc', 'nginx-crumb.conf')) as f:
            text = f.read()
        for _ in range(5):                      # another program may take a port meanwhile
            self.plain, self.tls = free_ports(2)
            changed = {'127.0.0.1:8080': server.collect, 'listen 80;': 'listen 127.0.0.1:%d;' % self.plain, 'listen 443 ': 'listen 127.0.0.1:%d ' % self.tls,
                       '/etc/ssl/crumb.shop.example.pem': self.dir + '/pem', '/etc/ssl/crumb.shop.example.key': self.dir + '/key', '/var/log/nginx/': self.dir + '/'}
            own = text
            for a, b in changed.items():
                assert own.count(a) == 1, a
                own = own.replace(a, b)
            for name, words in (('crumb.conf', own), ('main.conf', MAIN % {'dir': self.dir})):
                with open(os.path.join(self.dir, name), 'w') as f:
                    f.write(words)
            self.process = subprocess.Popen([NGINX, '-p', self.dir, '-c', self.dir + '/main.conf', '-e', self.dir + '/main.log'], stdin=subprocess.DEVNULL,
                                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            end = time.monotonic() + 30 * SLOW
            while self.process.poll() is None and time.monotonic() < end:
                try:
                    socket.create_connection(('127.0.0.1', self.tls), 5).close()
                    return
                except OSError:
                    time.sleep(0.05)
        raise AssertionError(open(self.dir + '/main.log').read()[-600:])

    def http(self, method, path, body=None, headers=None):
        """As a browser that trusts this certificate and has looked the name up."""
        context = ssl.create_default_context(cafile=self.dir + '/pem')
        c = http.client.HTTPSConnection(NAME, self.tls, timeout=30 * SLOW, context=context)
        c.sock = context.wrap_socket(socket.create_connection(('127.0.0.1', self.tls), 30), server_hostname=NAME)
        c.request(method, path, body, {'Host': NAME, 'User-Agent': CHROME, **(headers or {})})
        r = c.getresponse()
        data = r.read()
        c.close()
        return r.status, r, data

    def kept(self):
        """Everything nginx has written down."""
        self.process.terminate()
        self.process.wait(30)
        out = b''
        for folder, _, names in os.walk(self.dir):
            for n in names:
                if n not in ('crumb.conf', 'main.conf', 'pem', 'key'):
                    with open(os.path.join(folder, n), 'rb') as f:
                        out += f.read()
        return out

    def close(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)
        shutil.rmtree(self.dir, ignore_errors=True)


@pytest.fixture
def front(make):
    if not NGINX:
        pytest.skip('nginx is not installed (apt-get install nginx-light)')
    made = []

    def one(**kw):
        server = make(**kw)
        made.append(Front(server))
        return server, made[-1]
    yield one
    for f in made:
        f.close()


PIXEL = '/p.gif?e=view&u=https%3A%2F%2Fshop.example%2Fcoats%2F'


def test_hits_come_through_and_nothing_of_them_is_kept(front):
    server, f = front(options=['sites=shop.example', 'trusted_proxies=127.0.0.0/8,::1/128'])
    status, r, data = f.http('GET', PIXEL + 'secret-parka')
    assert status == 200 and data.startswith(b'GIF89a')
    cookie = re.match(r'(crumb=[^;]+); .*Secure', r.getheader('Set-Cookie')).group(1)
    for i in range(3):
        assert f.http('GET', PIXEL + str(i), headers={'Cookie': cookie})[0] == 200
    body = '[' + ','.join('{"e":"view","u":"https://shop.example/shoes/%s"}' % ('x' * 2000) for i in range(100)) + ']'
    assert f.http('POST', '/e', body, {'Content-Type': 'application/json', 'Cookie': cookie})[0] == 204
    assert f.http('POST', '/e', 'no json', {'Cookie': cookie})[0] == 400
    assert f.http('GET', '/nowhere-secret')[0] == 404
    status, r, data = f.http('GET', '/segments?fresh=1', headers={'Cookie': cookie})
    assert status == 200 and b'coats-ever' in data
    server.stop()
    assert f.http('GET', PIXEL + 'secret-while-it-is-down')[0] == 502
    server.start()
    kept = f.kept()
    for word in (b'secret', b'coats', b'crumb=', b'127.0.0.1', b'Chrome'):
        assert word not in kept, (word, kept[:600])


def test_the_host_is_the_browser_s(front):
    """What a browser without Sec-Fetch-Site may do is judged by Origin and Host."""
    server, f = front(options=['trusted_proxies=127.0.0.0/8,::1/128'])
    _, r, _ = f.http('GET', PIXEL + '1')
    cookie = r.getheader('Set-Cookie').split(';')[0]
    assert f.http('POST', '/me/forget', '', {'Cookie': cookie, 'Origin': 'https://other.example'})[0] == 403
    assert f.http('POST', '/me/forget', '', {'Cookie': cookie, 'Origin': 'https://' + NAME})[0] in (200, 303)


def test_the_address_is_the_one_nginx_sees(front):
    """A client cannot say another: what it forges is not passed on. 127.0.0.1 is a proxy's own, so the place is unknown, whatever was forged."""
    server, f = front(options=['trusted_proxies=127.0.0.0/8,::1/128', 'consent.require=DE'])
    for forged in (None, '8.8.8.8', '8.8.8.8, 9.9.9.9'):
        _, r, _ = f.http('GET', PIXEL + '1', headers={'X-Forwarded-For': forged} if forged else {})
        assert r.getheader('Crumb-Refused') == 'consent_missing', forged


def test_plain_http_goes_to_tls(front):
    server, f = front()
    c = http.client.HTTPConnection('127.0.0.1', f.plain, timeout=30)
    c.request('GET', PIXEL + '1', headers={'Host': NAME})
    r = c.getresponse()
    assert r.status == 308 and r.getheader('Location') == 'https://' + NAME + PIXEL + '1'
    c.close()
