"""What the benchmarks share: the peers, started here on free ports and stopped at the end; loads; and how a result is told."""
import atexit
import base64
import http.client
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HERE = os.path.join(ROOT, 'tests', 'bench')
OUT = os.path.join(ROOT, 'build', 'bench')
sys.path.insert(0, os.path.join(ROOT, 'tests', 'functional'))
from harness import CHROME, Server  # noqa: E402

ROUNDS, SECONDS = 5, 3


# --- telling

def row(name, ours, peer=None, unit=''):
    """Medians and the median of ratios, round by round. Without a peer only our own figure."""
    ours = ours if isinstance(ours, (list, tuple)) else [ours]
    r = {'name': name, 'unit': unit, 'ours': round(statistics.median(ours), 4)}
    if peer is None:
        print('%-58s %12.2f %12s   %-30s %s' % (name, r['ours'], '', '', unit), flush=True)
        return r
    peer = peer if isinstance(peer, (list, tuple)) else [peer]
    peer = list(peer) * (len(ours) if len(peer) == 1 else 1)
    ratios = [o / p for o, p in zip(ours, peer)]
    r.update(peer=round(statistics.median(peer), 4), ratio=round(statistics.median(ratios), 3), spread=[round(min(ratios), 3), round(max(ratios), 3)])
    print('%-58s %12.2f %12.2f   ratio %-7.2f (%.2f to %.2f)   %s' % (name, r['ours'], r['peer'], r['ratio'], *r['spread'], unit), flush=True)
    return r


def heading(ours, peer):
    print('%-58s %12s %12s' % ('', ours, peer), flush=True)


def folder():
    path = tempfile.mkdtemp(prefix='crumb-bench.')
    os.chmod(path, 0o755)
    atexit.register(shutil.rmtree, path, True)
    return path


def megabytes(path):
    return sum(os.lstat(os.path.join(d, f)).st_blocks * 512 for d, _, files in os.walk(path) for f in files) / 1e6


# --- our own side

def made(target):
    subprocess.run(['make', '-s', '--no-print-directory', '-C', ROOT, 'build/test/' + target], check=True)
    return os.path.join(ROOT, 'build', 'test', target)


def new_server(*args, **kw):
    server = Server(*args, **kw)
    atexit.register(server.close)
    return server


def fill(server, visitors, events, days, *more):
    """Seconds until all is folded."""
    out = subprocess.run([made('bench-fill'), server.store, server.rules] + [str(a) for a in (visitors, events, days) + more], check=True, capture_output=True, text=True).stdout
    return float(re.search(r'folded in ([\d.]+) s', out).group(1))


def hits(address, seconds, rate=1000, *more, wait=True):
    """p50, p99 and p99.9 of requests at a steady rate; or the process, to be asked later."""
    p = subprocess.Popen([made('bench-load')] + address.split(':') + [str(rate), str(seconds)] + list(more), stdout=subprocess.PIPE, text=True)
    return answer(p) if wait else p


def answer(p):
    out = p.communicate(timeout=300)[0]
    if p.returncode:
        sys.exit('the load ended early')
    return json.loads(out)


class Disk(threading.Thread):
    """What a sync of the disk itself takes beside a server: appends a little to a file and syncs it, so many times a second, as the journal does."""

    def __init__(self, where, rate):
        super().__init__(daemon=True)
        self.path, self.rate, self.took, self.go_on = os.path.join(where, 'disk-probe'), rate, [], True
        self.start()

    def run(self):
        fd, due = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), time.monotonic()
        while self.go_on:
            os.write(fd, bytes(512))
            begun = time.monotonic()
            os.fdatasync(fd)
            self.took.append((time.monotonic() - begun) * 1000)
            due = max(due + 1 / self.rate, time.monotonic())    # what was missed is not made up for
            time.sleep(max(0, due - time.monotonic()))
        os.close(fd)

    def p99(self):
        """Ends it; in milliseconds."""
        self.go_on = False
        self.join()
        os.unlink(self.path)
        return sorted(self.took)[len(self.took) * 99 // 100]


def beside_disk(server, seconds, rate):
    """What hits(server.collect, seconds) says, and of the disk: its p99 while they come in, syncs of it and commits of the journal a second."""
    before, disk = server.metric('journal_commits_total'), Disk(server.dir, rate)
    told = hits(server.collect, seconds)
    p99 = disk.p99()
    return dict(told, disk=p99, syncs=len(disk.took) / seconds, commits=(server.metric('journal_commits_total') - before) / seconds)


# --- processor time

def tree(pid):
    kids = subprocess.run(['pgrep', '-P', str(pid)], capture_output=True, text=True).stdout.split()
    return [pid] + [p for k in kids for p in tree(int(k))]


def stat_us(path):
    """Name and processor time of a process or thread, in microseconds."""
    with open(path) as f:
        text = f.read()
    fields = text.rsplit(')', 1)[1].split()
    return text[text.index('(') + 1:text.rindex(')')], (int(fields[11]) + int(fields[12])) * 1e6 / os.sysconf('SC_CLK_TCK')


def cpu_us(pids):
    return sum(stat_us('/proc/%d/stat' % p)[1] for p in pids)


def fold_us(pids):
    """Of it, what fold threads took."""
    times = [stat_us('/proc/%d/task/%s/stat' % (p, t)) for p in pids for t in os.listdir('/proc/%d/task' % p)]
    return sum(us for name, us in times if name.startswith('fold'))


# --- the peers

LUA = '''local ck = {} for l in io.lines("%(jar)s") do ck[#ck + 1] = l end math.randomseed(7)
local ps = {%(paths)s}
local ua = {"%(agent)s", "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1"}
local shapes = {"&t=Winter%%20Coats", "&r=https%%3A%%2F%%2Fwww.google.com%%2F", "&v=19.90&a.size=m", "&e=view&t=Sale&p_q=red%%20coat"}
local ln = math.log(#ck)
local function who() return ck[%(who)s] end
request = function()
  local p = ps[math.random(#ps)]
  %(request)s
end
'''
PIXEL = '''return wrk.format("GET", "/p.gif?u=https%%3A%%2F%%2Fshop.example" .. p .. shapes[math.random(#shapes)],
    {Cookie = "crumb=" .. who(), Referer = "https://shop.example" .. p, ["User-Agent"] = ua[math.random(2)]%s})'''
BATCH = '''local e = {} for i = 1, 20 do e[i] = '{"e":"view","u":"https://shop.example' .. ps[math.random(#ps)] .. '","t":"Winter Coats"}' end
  return wrk.format("POST", "/e", {Cookie = "crumb=" .. who(), ["User-Agent"] = ua[math.random(2)], ["Content-Type"] = "application/json"}, "[" .. table.concat(e, ",") .. "]")'''
PATHS = ['/coats/winter-parka', '/shoes/running', '/news/politics/article-123', '/checkout/thank-you', '/deals', '/sports/football', '/travel/ski', '/jackets/a/b']
EVENLY, ZIPF = 'math.random(#ck)', 'math.max(1, math.floor(math.exp(math.random() * ln)))'
NGINX = '''worker_processes 1; daemon off; pid %(d)s/ng.pid; error_log %(d)s/ng.err; events { worker_connections 4096; }
http { log_format px '$msec $uid_got $uid_set $remote_addr "$request_uri" "$http_referer" "$http_user_agent"'; access_log %(d)s/px.log px buffer=64k flush=1s;
  keepalive_requests 100000000; client_body_temp_path %(d)s; proxy_temp_path %(d)s; fastcgi_temp_path %(d)s; uwsgi_temp_path %(d)s; scgi_temp_path %(d)s;
  server { listen 127.0.0.1:%(port)d backlog=4096; location /p.gif { userid on; userid_name crumb; userid_expires 90d; empty_gif; add_header Cache-Control no-store; } } }
'''


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def start(arguments, **kw):
    p = subprocess.Popen(arguments, stderr=subprocess.DEVNULL, text=True, **kw)
    atexit.register(p.wait)
    atexit.register(p.terminate)
    return p


def nginx(where):
    port = free_port()
    with open(os.path.join(where, 'ng.conf'), 'w') as f:
        f.write(NGINX % {'d': where, 'port': port})
    p = start(['/usr/sbin/nginx', '-c', os.path.join(where, 'ng.conf'), '-p', where])
    time.sleep(0.7)
    return '127.0.0.1:%d' % port, p.pid


def floor():
    p = start([made('bench-floor')], stdout=subprocess.PIPE)
    return p.stdout.readline().strip(), p.pid


def redis(where):
    port = free_port()
    p = start(['/usr/bin/redis-server', '--port', str(port), '--bind', '127.0.0.1', '--save', '', '--dir', where], stdout=subprocess.DEVNULL)
    time.sleep(0.7)
    return port, p.pid


def redis_ask(port, *words):
    return subprocess.run(['redis-cli', '-p', str(port)] + list(words), capture_output=True, text=True, check=True).stdout.strip()


def redis_pipe(port, commands):
    p = subprocess.Popen(['redis-cli', '-p', str(port), '--pipe'], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    for c in commands:
        p.stdin.write('*%d\r\n' % len(c) + ''.join('$%d\r\n%s\r\n' % (len(w), w) for w in c))
    p.stdin.close()
    if p.wait():
        sys.exit('redis-cli failed')


def front(port):
    p = start(['node', os.path.join(HERE, 'front.mjs'), str(port)], stdout=subprocess.PIPE)
    return p.stdout.readline().strip(), p.pid


def duck(database, steps):
    """Runs SQL steps (name, sql or list of sql, rounds) in DuckDB on as many threads as there are cores."""
    os.makedirs(OUT, exist_ok=True)
    if not os.path.isdir(os.path.join(OUT, 'node_modules', '@duckdb')):
        shutil.copy(os.path.join(HERE, 'package.json'), OUT)
        npm = subprocess.run(['npm', 'install', '--no-fund', '--no-audit'], cwd=OUT, capture_output=True, text=True)
        if npm.returncode:
            sys.exit('npm cannot install DuckDB: ' + npm.stderr.strip()[-600:])
    job = {'threads': os.cpu_count(), 'database': database, 'steps': [dict(zip(('name', 'sql', 'rounds'), s)) for s in steps]}
    r = subprocess.run(['node', os.path.join(HERE, 'duck.mjs')], cwd=OUT, input=json.dumps(job), capture_output=True, text=True)
    if r.returncode:
        sys.exit('duckdb: ' + r.stderr[-800:])
    return json.loads(r.stdout)


def nginx_cookies(path, n):
    with open(path, 'w') as f:
        for i in range(n):
            f.write(base64.b64encode(i.to_bytes(16, 'big')).decode() + '\n')


class Side:
    """A server under load: it and what it starts on core 0, the load on core 1. Each knows only its own cookies."""

    def __init__(self, name, address, pid, settle=lambda: None, jar=None, cookies=4000):
        self.name, self.url, self.pids, self.settle, self.jar, self.folder = name, 'http://' + address, tree(pid), settle, jar, folder()
        if not jar:
            self.jar = os.path.join(self.folder, 'cookies')
            self.meet(address, cookies)
        for p in self.pids:
            subprocess.run(['taskset', '-apc', '0', str(p)], stdout=subprocess.DEVNULL)

    def meet(self, address, n):
        c = http.client.HTTPConnection(address, timeout=15)
        with open(self.jar, 'w') as f:
            for i in range(n):
                c.request('GET', '/p.gif?u=https%3A%2F%2Fshop.example%2F', headers={'User-Agent': CHROME})
                r = c.getresponse()
                r.read()
                found = re.search(r'crumb=([^;]+)', r.getheader('Set-Cookie') or 'crumb=none')
                f.write(found.group(1) + '\n')

    def run(self, connections, request=PIXEL % '', seconds=None, who=EVENLY, paths=PATHS, events=1):
        """Processor time of an event, with and without the folds', and events a second."""
        lua, seconds = os.path.join(self.folder, 'load.lua'), seconds or SECONDS
        with open(lua, 'w') as f:
            f.write(LUA % {'jar': self.jar, 'paths': ', '.join('"%s"' % p for p in paths), 'agent': CHROME, 'who': who, 'request': request})
        before, folds = cpu_us(self.pids), fold_us(self.pids)
        out = subprocess.run(['taskset', '-c', '1', 'wrk', '-t1', '-c%d' % connections, '-d%ds' % seconds, '-s', lua, self.url], capture_output=True, text=True).stdout
        self.settle()
        if re.search(r'Non-2xx|Socket errors: .*(read|write|timeout) [1-9]', out):
            sys.exit('errors under load: ' + out)
        n = int(re.search(r'(\d+) requests in', out).group(1)) * events
        whole = cpu_us(self.pids) - before
        return {'cpu': whole / n, 'journal': (whole - (fold_us(self.pids) - folds)) / n, 'rate': n / seconds, 'n': n}


def alternate(sides, rounds, **kw):
    """Rounds of all sides in turn, after one that does not count; a list of results for each side."""
    for s in sides:
        s.run(**kw.get(s.name, kw['all']))
    results = [[s.run(**kw.get(s.name, kw['all'])) for s in sides] for _ in range(rounds)]
    return [[r[i] for r in results] for i in range(len(sides))]


def of(results, what):
    return [r[what] for r in results]
