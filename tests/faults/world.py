"""A store with visitors, a crumbd and a command line under the shim, and a book of what was answered."""
import copy
import http.client
import json
import os
import re
import select
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.parse

from control import Control

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, os.environ.get('CRUMB_BUILD', 'build'))
SHIM = os.environ.get('CRUMB_FAULT_SHIM') or os.path.join(BUILD, 'test', 'faults-shim.so')
AGENT = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36'
BOT = 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)'
DAY = 86400
PATIENCE = float(os.environ.get('CRUMB_FAULT_PATIENCE', '30'))      # until what must happen has happened
DAY_KEYS_AT, DAY_KEY_SIZE, DAY_KEYS = 64 + 8 * 24, 40, 128

RULES = '''version: 1
categories:
  - {id: coats, any: [{path: "/coats/*"}]}
  - {id: shoes, any: [{path: "/shoes/*"}]}
  - {id: titled, any: [{title: winter}]}
segments:
  - {id: coat-fans, when: coats >= 3 in 14d, destinations: [page]}
  - {id: coats-ever, when: coats, destinations: [page, file]}
  - {id: shoppers, when: coats, destinations: [lake]}
  - {id: wintry, when: titled, destinations: [file]}
'''
DESTINATIONS = '''version: 1
destinations:
  - {id: lake, format: csv, deliver: {directory: %s/lake}}
'''


class Failure(AssertionError):
    """Something that may not happen, whatever fails."""


class Ended(Exception):
    """The server ended as it may: without memory, by a check."""


class Gone(Exception):
    """The server is not there (any more)."""


def parsed(data):
    try:
        got = json.loads(data)
    except ValueError:
        got = None
    if not got:
        raise Failure('answered 200, and no JSON in it: %r' % data[:100])
    return got


class Person:
    def __init__(self, name, imported=False):
        self.name, self.imported, self.jar, self.key, self.erased = name, imported, {}, None, 'no'
        self.events = []            # [path, day, 'yes', 'no' or 'maybe', view: False while it is set aside]

    def who(self):
        return ['--id', self.name] if self.imported else ['--cookie', self.jar['crumb']]

    def note(self, path, day, state):
        self.events.append([path, day, state])


class World:
    def __init__(self, base=None):
        self.dir = os.path.realpath(tempfile.mkdtemp(prefix='crumb-faults.'))
        self.root = os.path.join(self.dir, 'root')
        self.people, self.serial = {}, 0
        if base:
            shutil.copytree(base.root, self.root, symlinks=True, ignore=shutil.ignore_patterns('takeover'))
            self.people, self.serial, self.day_keys = copy.deepcopy(base.people), base.serial, dict(base.day_keys)
        else:
            os.makedirs(os.path.join(self.root, 'rules'))
        self.store, self.rules, self.log = os.path.join(self.root, 'store'), os.path.join(self.root, 'rules'), os.path.join(self.dir, 'log')
        self.destinations = os.path.join(self.root, 'destinations.yaml')
        with open(self.destinations, 'w') as f:
            f.write(DESTINATIONS % self.root)
        if not base:
            self.write_rules(RULES)
        self.control, self.cli_control = Control(os.path.join(self.dir, 'server')), Control(os.path.join(self.dir, 'cli'))
        self.process = None
        self.token, self.checked = 'test-token', []

    def write_rules(self, text):
        with open(os.path.join(self.rules, 'rules.yaml'), 'w') as f:
            f.write(text)

    # --- programs

    def options(self, store=None):
        options = ['store.path=' + (store or self.store), 'rules.path=' + self.rules, 'destinations.path=' + self.destinations, 'admin.token=' + self.token,
                   'privacy.k=20', 'store.shards=2', 'geo.database=' + os.path.join(ROOT, 'build', 'country.mmdb')]
        return [a for o in options for a in ('-o', o)]

    def environment(self, control, root=None):
        env = dict(os.environ)
        if control:
            env.update(LD_PRELOAD=SHIM, CRUMB_FAULT_CONTROL=control.path, CRUMB_FAULT_ROOT=root or self.root)
            if self.power:
                env.update(CRUMB_FAULT_POWER=os.path.join(self.dir, 'power'))
        return env

    def spawn(self, shim=True, wrap=(), more=()):
        arguments = list(wrap) + [os.path.join(BUILD, 'crumbd')] + self.options() + ['-o', 'collect.listen=127.0.0.1:0', '-o', 'admin.listen=127.0.0.1:0', '--test-clock']
        for o in more:
            arguments += ['-o', o]
        self.log_from = os.path.getsize(self.log) if os.path.exists(self.log) else 0
        with open(self.log, 'a') as log:
            self.process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=log, text=True, env=self.environment(self.control if shim else None))

    def start(self, shim=True, **kw):
        """True: it serves. False: it said why not, in a sentence, and ended by itself."""
        self.spawn(shim, **kw)
        until = time.monotonic() + 2 * PATIENCE
        line = ''
        while time.monotonic() < until and not line:
            ready, _, _ = select.select([self.process.stdout], [], [], 0.5)
            if ready:
                line = self.process.stdout.readline()
                if not line:
                    break
        found = re.match(r'ready collect=(\S+) admin=(\S+)', line)
        if found:
            self.collect, self.admin = found.groups()
            return True
        try:
            code = self.process.wait(0.1 if time.monotonic() >= until else PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failure('neither ready nor ended after %d s: %s' % (2 * PATIENCE, self.last_words()))
        self.process.stdout.close()
        self.process = None
        if code < 0:
            self.died(code)
            raise Gone()
        if not re.search(r'^crumbd: .{8,}', self.said(), re.M):
            raise Failure('ended with %d and did not say why: %r' % (code, self.last_words()))
        return False

    def said(self):
        with open(self.log, errors='replace') as f:
            f.seek(self.log_from)
            return f.read()

    def last_words(self):
        return ' / '.join([l for l in self.said().splitlines() if '+0x' not in l][-3:])[-500:]

    def died(self, code):
        if code == -signal.SIGKILL and self.may_be_killed:
            return
        if self.ended_by_check(code, self.said()):
            return
        raise Failure('crumbd ended by %s: %s' % (signal.Signals(-code).name if code < 0 else 'itself with %d' % code, self.last_words()))

    def ended_by_check(self, code, said):
        """Out of memory and it says so: an end like a kill."""
        found = re.findall(r'check failed="(.*?)" at=(\S+)', said)
        if code != -signal.SIGABRT or not self.may_check or not found:
            return False
        self.checked.append('%s: %s' % (found[-1][1], found[-1][0]))
        self.may_be_killed = True
        return True

    may_be_killed = may_check = power = False

    def alive(self):
        """False when it was killed as arranged; any other end is a failure."""
        if not self.process:
            return False
        code = self.process.poll()
        if code is None:
            return True
        self.process.stdout.close()
        self.process = None
        self.died(code)
        return False

    def await_end(self):
        """It was killed: that takes a moment."""
        if self.process:
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                raise Failure('killed, and still there')

    def stop(self):
        if not self.alive():
            return
        p = self.process
        p.send_signal(signal.SIGTERM)
        try:
            code = p.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failure('SIGTERM did not end it in %d s' % PATIENCE)
        p.stdout.close()
        self.process = None
        if code != 0:
            self.died(code)

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()
            self.process = None

    def close(self, keep):
        self.kill()
        self.control.close()
        self.cli_control.close()
        if not keep:
            shutil.rmtree(self.dir, ignore_errors=True)

    def cli(self, *arguments, fault=False, store=None, root=None, timeout=None, user=None):
        """Runs a command; one that ends by a signal, says nothing about its failure or does not end is a failure."""
        command = [os.path.join(BUILD, 'crumb')] + self.options(store) + list(arguments)
        name = ' '.join(arguments[:2])
        try:
            r = subprocess.run(command, capture_output=True, text=True, errors='replace', timeout=timeout or PATIENCE, env=self.environment(self.cli_control if fault else None, root))
        except subprocess.TimeoutExpired:
            raise Failure("'crumb %s' did not end in %d s" % (name, timeout or PATIENCE))
        if r.returncode < 0 and not (fault and r.returncode == -signal.SIGKILL and self.may_be_killed) and not (fault and self.ended_by_check(r.returncode, r.stderr)):
            raise Failure("'crumb %s' ended by %s: %s" % (name, signal.Signals(-r.returncode).name, r.stderr[-1500:]))
        if r.returncode > 0 and not (r.stderr + r.stdout).strip():
            raise Failure("'crumb %s' ended with %d and said nothing" % (name, r.returncode))
        return r

    def js(self, *arguments, **kw):
        r = self.cli(*arguments, '--json', **kw)
        if r.returncode:
            raise Failure("'crumb %s': %s" % (' '.join(arguments[:2]), (r.stderr or r.stdout)[-400:]))
        return json.loads(r.stdout)

    # --- HTTP

    def http(self, method, path, body=None, headers=None, admin=False, timeout=8):
        """status, headers, body; status 0: unknown, the connection broke or nobody answered."""
        headers = dict(headers or {})
        if admin:
            headers['Authorization'] = 'Bearer ' + self.token
        if not self.process:
            return 0, {}, b''
        c = http.client.HTTPConnection(self.admin if admin else self.collect, timeout=timeout)
        try:
            c.request(method, path, body, headers)
            r = c.getresponse()
            return r.status, r, r.read()
        except (OSError, http.client.HTTPException):
            return 0, {}, b''
        finally:
            c.close()

    def request(self, person, method, path, body=None, headers=None, agent=AGENT, **kw):
        h = {'User-Agent': agent, **(headers or {})}
        if person.jar:
            h['Cookie'] = '; '.join('%s=%s' % c for c in person.jar.items())
        status, r, data = self.http(method, path, body, h, **kw)
        if status:
            for name, value in r.getheaders():
                if name.lower() == 'set-cookie' and 'Max-Age=0' not in value:
                    key, _, v = value.split(';')[0].partition('=')
                    person.jar[key] = v
        return status, data

    def path(self, folder='coats'):
        self.serial += 1
        return '/%s/k%d' % (folder, self.serial)

    def hit(self, person, path=None, **kw):
        """One pixel; in the book when it was answered."""
        path = path or self.path()
        status, _ = self.request(person, 'GET', '/p.gif?e=view&u=' + urllib.parse.quote('https://shop.example' + path, safe=''), **kw)
        person.note(path, self.today(), 'yes' if status == 200 else 'maybe' if status == 0 else 'no')
        return status

    def post(self, person, n):
        paths = [self.path() for _ in range(n)]
        status, _ = self.request(person, 'POST', '/e', json.dumps([{'u': 'https://shop.example' + p} for p in paths]), {'Content-Type': 'application/json'})
        for p in paths:
            person.note(p, self.today(), 'yes' if status == 204 else 'maybe' if status == 0 else 'no')
        return status

    def look_up(self, person, **kw):
        status, data = self.request(person, 'GET', '/segments?fresh=1', **kw)
        return set(parsed(data)['segments']) if status == 200 else None

    def advance(self, by, timeout=30):
        """The server's time when the views have come up to it, else None."""
        status, _, data = self.http('POST', '/v1/clock?advance=' + by, admin=True, timeout=timeout)
        return parsed(data)['now'] if status == 200 else None

    def now(self):
        path = os.path.join(self.store, 'clock')
        if not os.path.exists(path):
            return int(time.time())
        with open(path) as f:
            return int(time.time()) + int(f.read() or 0)

    def today(self):
        return self.now() // DAY

    def import_slice(self, lines, timeout=30):
        """Lines are (person, days ago). All of it or nothing, says the answer."""
        text, noted, now = [], [], self.now()
        for person, ago in lines:
            path = self.path()
            text.append(json.dumps({'id': person.name, 't': now - ago * DAY, 'u': 'https://shop.example' + path}))
            noted.append((person, path, (now - ago * DAY) // DAY))
        status, _, data = self.http('POST', '/v1/import?format=ndjson', '\n'.join(text) + '\n', admin=True, timeout=timeout)
        if status == 200:
            got = parsed(data)['accepted']
            if got != len(lines):
                raise Failure('%d of %d imported lines were accepted: %s' % (got, len(lines), data))
        for person, path, day in noted:
            person.note(path, day, 'yes' if status == 200 else 'maybe' if status in (0, 500) else 'no')
        return status

    def cpu(self):
        with open('/proc/%d/stat' % self.process.pid) as f:
            t = f.read().rsplit(')', 1)[1].split()
        return (int(t[11]) + int(t[12])) / os.sysconf('SC_CLK_TCK')

    # --- keys

    def keys_bytes(self):
        with open(os.path.join(self.store, 'keys'), 'rb') as f:
            return f.read()

    def read_day_keys(self):
        raw, out = self.keys_bytes(), {}
        for i in range(DAY_KEYS):
            slot = raw[DAY_KEYS_AT + i * DAY_KEY_SIZE:DAY_KEYS_AT + (i + 1) * DAY_KEY_SIZE]
            day = int.from_bytes(slot[:2], 'big')
            if day:
                out[day] = slot[8:]
        return out

    def keys_of_expired_days(self):
        raw = self.keys_bytes()
        return [day for day, key in self.day_keys.items() if day <= self.today() - 90 and key in raw]

    def await_(self, what, condition, patience=None):
        until = time.monotonic() + (patience or PATIENCE)
        while True:
            got = condition()
            if got:
                return got
            if not self.alive():
                if self.may_be_killed:
                    raise Ended()
                raise Failure('%s: the server is gone' % what)
            if time.monotonic() >= until:
                raise Failure('%s: not within %d s: %s' % (what, patience or PATIENCE, self.last_words()))
            time.sleep(0.02)
