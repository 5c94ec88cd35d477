"""A crumbd on free ports with a store in a folder of its own, a browser with a cookie jar, and the command line.

CRUMB_BUILD names the build tree (default build), so that the same tests run against sanitizer builds."""
import http.client
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.parse

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, os.environ.get('CRUMB_BUILD', 'build'))
SLOW = 1 if BUILD.endswith('build') else 6      # sanitizers are slower
CHROME = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36'
DAY = 86400
os.environ['CRUMB_CONFIG'] = ''             # the machine's own configuration is not ours

RULES = '''version: 1
categories:
  - {id: apparel.coats, name: Coats, any: [{path: "/coats/*"}, {path: "/sale/*"}]}
  - {id: apparel.shoes, name: Shoes, any: [{path: "/shoes/**"}, {path: "/sale/*"}]}
  - {id: purchase, name: Bought, any: [{event: purchase}]}
segments:
  - {id: coat-fans, when: coats >= 3 in 14d}
  - {id: intenders, when: coats >= 3 in 14d and not purchase in 30d}
  - {id: coats-ever, when: coats}
  - {id: apparel-any, when: apparel}
  - {id: buyers, when: purchase}
'''


def files_of(folder):
    """Regular files below a folder: a running server has a socket among them."""
    return [p for p in (os.path.join(d, n) for d, _, names in os.walk(folder) for n in names) if os.path.isfile(p)]


def bytes_of(folder):
    found = b''
    for path in files_of(folder):
        with open(path, 'rb') as f:
            found += f.read()
    return found


def until(what, why=lambda: '', seconds=120):
    """What it gives, once that is true. The limit is for what never comes true: a busy machine takes its time."""
    end = time.monotonic() + seconds * SLOW
    while not (got := what()):
        assert time.monotonic() < end, 'not within %d s: %s' % (seconds * SLOW, why())
        time.sleep(0.02)
    return got


class Server:
    def __init__(self, rules=RULES, options=(), test_clock=True, k=20, destinations=None):
        self.dir = tempfile.mkdtemp(prefix='crumb-test.')
        self.store, self.rules, self.log = (os.path.join(self.dir, n) for n in ('store', 'rules', 'log'))
        os.makedirs(self.rules)
        self.write_rules(rules)
        self.destinations = os.path.join(self.dir, 'destinations.yaml')
        if destinations:
            self.write_destinations(destinations)
        self.options = ['privacy.k=%d' % k] + list(options)
        self.test_clock = test_clock
        self.token = 'test-token'
        self.process = self.limit = None
        self.listen = '127.0.0.1:0'

    def write_rules(self, text, name='rules.yaml'):
        with open(os.path.join(self.rules, name), 'w') as f:
            f.write(text)

    def write_destinations(self, text):
        with open(self.destinations, 'w') as f:
            f.write(text)

    def common(self):
        options = ['store.path=' + self.store, 'rules.path=' + self.rules, 'destinations.path=' + self.destinations, 'admin.token=' + self.token,
                   'geo.database=' + os.path.join(ROOT, 'build', 'country.mmdb')] + self.options
        return [a for o in options for a in ('-o', o)]

    def start(self, command=(), build=None, more=(), **process):
        arguments = list(command) + [os.path.join(build or BUILD, 'crumbd')] + self.common() + ['-o', 'collect.listen=' + self.listen, '-o', 'admin.listen=' + self.listen] + list(more)
        with open(self.log, 'a') as log:
            self.process = subprocess.Popen(arguments + (['--test-clock'] if self.test_clock else []), stdout=subprocess.PIPE, stderr=log, text=True, preexec_fn=self.limit, **process)
        ready, _, _ = select.select([self.process.stdout], [], [], 60 * SLOW)
        line = self.process.stdout.readline() if ready else ''
        found = re.match(r'ready collect=(\S+) admin=(\S+)', line)
        assert found, 'crumbd did not get ready: ' + self.logged()[-600:]
        self.collect, self.admin = found.groups()
        return self

    def logged(self):
        if not os.path.exists(self.log):
            return ''
        with open(self.log, errors='replace') as f:
            return f.read()

    def stop(self, sig=signal.SIGTERM):
        if self.process and self.process.poll() is None:
            self.process.send_signal(sig)
            self.process.wait(30 * SLOW)
        if self.process:
            self.process.stdout.close()
        return self.process.returncode if self.process else None

    def restart(self, sig=signal.SIGTERM):
        code = self.stop(sig)
        assert sig != signal.SIGTERM or code == 0, 'exit %s: %s' % (code, self.logged()[-600:])
        return self.start()

    def close(self):
        code = self.stop()
        trouble = [l for l in self.logged().splitlines() if re.search(r'Sanitizer|runtime error|fatal', l)]
        shutil.rmtree(self.dir, ignore_errors=True)
        assert not trouble, trouble[:5]
        return code

    def http(self, method, path, body=None, headers=None, admin=False, token=None, kept=None):
        c = kept or http.client.HTTPConnection(self.admin if admin else self.collect, timeout=30 * SLOW)
        headers = dict(headers or {})
        if admin:
            headers['Authorization'] = 'Bearer ' + (self.token if token is None else token)
        c.request(method, path, body, headers)
        r = c.getresponse()
        data = r.read()
        if not kept:
            c.close()
        return r.status, r, data

    def advance(self, by):
        status, _, data = self.http('POST', '/v1/clock?advance=' + by, admin=True)
        assert status == 200, data

    def settle(self):
        self.advance('0d')

    def morning(self):
        """To between three and four of the next morning: no day begins while a test compares what holds now with what held a moment ago."""
        self.advance('%dh' % (27 - self.now() % DAY // 3600))

    def metric(self, name):
        _, _, data = self.http('GET', '/metrics', admin=True)
        found = re.search(r'^crumb_%s (\S+)$' % re.escape(name), data.decode(), re.M)
        return float(found.group(1)) if found else None

    def cli(self, *arguments, ok=(0,)):
        r = subprocess.run([os.path.join(BUILD, 'crumb')] + self.common() + list(arguments), capture_output=True, text=True, timeout=300)
        assert not re.search(r'Sanitizer|runtime error', r.stderr), r.stderr[-800:]
        assert ok is None or r.returncode in ok, (arguments, r.returncode, r.stdout[-300:], r.stderr[-500:])
        return r

    def js(self, *arguments, **kw):
        return json.loads(self.cli(*arguments, '--json', **kw).stdout)

    def sizes(self):
        return {s['id']: s['size'] for s in self.js('segments', 'list')}

    def visitor(self, *who):
        """What is known of one; None only when that is nothing, not when it could not be found out."""
        r = self.cli('visitor', 'show', *who, '--json', ok=(0, 1))
        assert r.returncode == 0 or 'nothing is known' in r.stdout + r.stderr, (r.stdout[-500:], r.stderr[-500:])
        return json.loads(r.stdout) if r.returncode == 0 else None

    def import_lines(self, lines, **kw):
        path = os.path.join(self.dir, 'import.ndjson')
        with open(path, 'w') as f:
            for line in lines:
                f.write((line if isinstance(line, str) else json.dumps(line)) + '\n')
        return self.js('import', path, '--format', 'ndjson', **kw)

    def now(self):
        with open(os.path.join(self.store, 'clock')) if os.path.exists(os.path.join(self.store, 'clock')) else open(os.devnull) as f:
            return int(time.time()) + int(f.read() or 0)

    def verify(self):
        v = self.js('db', 'verify', ok=(0, 1))
        assert v['ok'], v

    def raw(self, data, wait=5, shut=False, enough=lambda out: False):
        """Sends bytes, returns everything that comes back until the other side closes, falls silent or has said enough."""
        host, port = self.collect.rsplit(':', 1)
        with socket.create_connection((host.strip('[]'), int(port)), 5) as s:
            s.settimeout(wait)
            out = b''
            try:
                s.sendall(data)
                if shut:
                    s.shutdown(socket.SHUT_WR)
                while not enough(out):
                    part = s.recv(65536)
                    if not part:
                        break
                    out += part
            except (socket.timeout, ConnectionError):
                pass
            return out


class Browser:
    def __init__(self, server, agent=CHROME, headers=None):
        self.server, self.agent, self.headers, self.jar, self.set_cookie = server, agent, headers or {}, {}, None
        self.connection = None      # one for each request

    def request(self, method, path, body=None, headers=None):
        h = {'User-Agent': self.agent, **self.headers, **(headers or {})}
        if self.jar:
            h['Cookie'] = '; '.join('%s=%s' % c for c in self.jar.items())
        status, r, data = self.server.http(method, path, body, h, **({'kept': self.connection} if self.connection else {}))
        self.set_cookie = None
        for name, value in r.getheaders():
            if name.lower() == 'set-cookie':
                self.set_cookie = value
                key, _, v = value.split(';')[0].partition('=')
                if 'Max-Age=0' in value:
                    self.jar.pop(key, None)
                else:
                    self.jar[key] = v
        return status, r, data

    def keep(self):
        """From here on all requests go by one connection, so that nothing else wakes the thread at its other end."""
        self.connection = http.client.HTTPConnection(self.server.collect, timeout=30 * SLOW)

    def hit(self, path, event='view', host='https://shop.example', extra='', headers=None):
        url = urllib.parse.quote(host + path, safe='')
        return self.request('GET', '/p.gif?e=%s&u=%s%s' % (event, url, extra), headers=headers)[0]

    def events(self, *events, headers=None):
        return self.request('POST', '/e', json.dumps(list(events)), {'Content-Type': 'application/json', **(headers or {})})[0]

    def segments(self):
        status, _, data = self.request('GET', '/segments?fresh=1')
        assert status == 200, data
        return set(json.loads(data)['segments'])

    def shown(self):
        return self.server.visitor('--cookie', self.jar['crumb'])

    def count(self, category):
        v = self.shown()
        return sum(c['count'] for c in v['categories'] if c['id'] == category) if v else 0

    @classmethod
    def known(cls, server, **kw):
        """One that has come back: its profile exists."""
        b = cls(server, **kw)
        assert b.hit('/home') == 200 and b.hit('/home') == 200
        return b
