#!/usr/bin/env python3
"""make bench [SUBJECT=collect|import|rules|backfill]: crumb beside its peers, both sides in one run, as ratios. Writes build/bench/SUBJECT.json.

collect: CPU microseconds per pixel hit, all threads, accept to durable journal and folded, on one core, beside nginx with empty_gif,
userid and a buffered access log; the same cookies, pages and agents. Rounds alternate; medians and spread are printed.
import: events a second from NDJSON, beside json.loads alone on the same file.
rules: categorising one event under 1,000 and 10,000 patterns beside 10; loading 10,000 rules beside PyYAML reading the same file.
backfill: a new category over 30,000,000 journal events of 1,000,000 visitors while hits come in, beside how long the first fold of the same
events took; p99 of the hits meanwhile beside p99 when nothing else is going on; a preview and a change of conditions on the same store."""
import atexit
import http.client
import json
import os
import platform
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, 'tests', 'functional'))
from harness import CHROME, DAY, Server  # noqa: E402

ROUNDS, SECONDS, COOKIES = 5, 4, 4000
PATHS = ['/coats/winter-parka', '/shoes/running', '/news/politics/article-123', '/checkout/thank-you', '/deals', '/sports/football', '/travel/ski', '/jackets/a/b']
LUA = '''local ck = {} for l in io.lines("%s") do ck[#ck + 1] = l end math.randomseed(7)
local ps = {%s}
local ua = {"%s", "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1"}
request = function()
  local p = ps[math.random(#ps)]
  return wrk.format("GET", "/p.gif?e=view&u=https%%3A%%2F%%2Fshop.example" .. p .. "&t=Winter%%20Coats",
    {Cookie = "crumb=" .. ck[math.random(#ck)], Referer = "https://shop.example" .. p, ["User-Agent"] = ua[math.random(2)]})
end
'''
NGINX = '''worker_processes 1; daemon off; pid %(d)s/ng.pid; error_log %(d)s/ng.err; events { worker_connections 4096; }
http { log_format px '$msec $uid_got $uid_set $remote_addr "$request_uri" "$http_referer" "$http_user_agent"'; access_log %(d)s/px.log px buffer=64k flush=1s;
  keepalive_requests 100000000; client_body_temp_path %(d)s; proxy_temp_path %(d)s; fastcgi_temp_path %(d)s; uwsgi_temp_path %(d)s; scgi_temp_path %(d)s;
  server { listen 127.0.0.1:%(port)d; location /p.gif { userid on; userid_name crumb; userid_expires 90d; empty_gif; add_header Cache-Control no-store; } } }
'''


def tree(pid):
    kids = subprocess.run(['pgrep', '-P', str(pid)], capture_output=True, text=True).stdout.split()
    return [pid] + [p for k in kids for p in tree(int(k))]


def cpu_us(pids):
    ticks = 0
    for p in pids:
        with open('/proc/%d/stat' % p) as f:
            fields = f.read().rsplit(')', 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks * 1e6 / os.sysconf('SC_CLK_TCK')


class Side:
    def __init__(self, folder, name, address, pid, settle):
        self.name, self.url, self.pids, self.settle = name, 'http://' + address, tree(pid), settle
        self.lua = os.path.join(folder, name + '.lua')
        jar = os.path.join(folder, name + '.cookies')
        c = http.client.HTTPConnection(address, timeout=15)
        with open(jar, 'w') as f:
            for _ in range(COOKIES):
                c.request('GET', '/p.gif?u=https%3A%2F%2Fshop.example%2F', headers={'User-Agent': CHROME})
                r = c.getresponse()
                r.read()
                f.write(re.search(r'crumb=([^;]+)', r.getheader('Set-Cookie')).group(1) + '\n')
        with open(self.lua, 'w') as f:
            f.write(LUA % (jar, ', '.join('"%s"' % p for p in PATHS), CHROME))
        for p in self.pids:
            subprocess.run(['taskset', '-apc', '0', str(p)], stdout=subprocess.DEVNULL)

    def run(self, connections):
        before = cpu_us(self.pids)
        out = subprocess.run(['taskset', '-c', '1', 'wrk', '-t1', '-c%d' % connections, '-d%ds' % SECONDS, '-s', self.lua, self.url], capture_output=True, text=True).stdout
        self.settle()
        if re.search(r'Non-2xx|Socket errors', out):
            sys.exit('errors under load: ' + out)
        hits = int(re.search(r'(\d+) requests in', out).group(1))
        return (cpu_us(self.pids) - before) / hits, hits / SECONDS


def nginx(folder):
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        port = s.getsockname()[1]
    conf = os.path.join(folder, 'ng.conf')
    with open(conf, 'w') as f:
        f.write(NGINX % {'d': folder, 'port': port})
    p = subprocess.Popen(['/usr/sbin/nginx', '-c', conf, '-p', folder], stderr=subprocess.DEVNULL)
    atexit.register(p.wait)
    atexit.register(p.terminate)
    time.sleep(0.7)
    return '127.0.0.1:%d' % port, p.pid


def row(name, ours, peer, unit):
    ratios = [o / p for o, p in zip(ours, peer)]
    r = {'name': name, 'ours': round(statistics.median(ours), 3), 'peer': round(statistics.median(peer), 3), 'ratio': round(statistics.median(ratios), 3), 'unit': unit,
         'spread': [round(min(ratios), 3), round(max(ratios), 3)]}
    print('%-44s %10.2f %10.2f   ratio %.2f (%.2f to %.2f)  %s' % (name, r['ours'], r['peer'], r['ratio'], *r['spread'], unit))
    return r


def collect():
    folder = tempfile.mkdtemp(prefix='crumb-bench.')
    atexit.register(shutil.rmtree, folder, True)
    os.chmod(folder, 0o755)
    server = Server(test_clock=False).start()
    atexit.register(server.close)
    sides = [Side(folder, 'nginx', *nginx(folder), lambda: time.sleep(1.2)),
             Side(folder, 'crumb', server.collect, server.process.pid, lambda: server.http('POST', '/v1/settle', admin=True))]
    print('%-44s %10s %10s' % ('', 'crumb', 'nginx'))
    rows = []
    for connections in (64, 1024):
        for s in sides:
            s.run(connections)
        peer, ours = zip(*[[s.run(connections) for s in sides] for _ in range(ROUNDS)])
        rows.append(row('CPU per hit, folded, %d connections' % connections, [o[0] for o in ours], [p[0] for p in peer], 'us'))
        rows.append(row('hits on one core, %d connections' % connections, [o[1] for o in ours], [p[1] for p in peer], '1/s'))
    return rows


def ingest_file():
    """Import against the cheapest thing one could do with the same file: read it and count the lines."""
    server = Server()
    atexit.register(server.close)
    path = os.path.join(server.dir, 'events.ndjson')
    now, n = int(time.time()), 1000000
    with open(path, 'w') as f:
        for i in range(n):
            f.write('{"id":"v%d","t":%d,"e":"view","u":"https://shop.example/coats/%d"}\n' % (i * 7919 % 200000, now - i % 30 * DAY, i % 50))
    ours, peer = [], []
    for _ in range(3):
        shutil.rmtree(server.store, ignore_errors=True)
        ours.append(n / server.js('import', path, '--format', 'ndjson')['seconds'])
        start = time.monotonic()
        subprocess.run(['/usr/bin/python3', '-c', 'import json,sys\nfor l in open(sys.argv[1]): json.loads(l)', path], check=True)
        peer.append(n / (time.monotonic() - start))
    print('%-44s %10s %10s' % ('', 'crumb', 'json.loads'))
    return [row('import, 30 days, 200,000 visitors', ours, peer, 'events/s')]


def pattern(i):
    """Half globs, two fifths words, a tenth expressions."""
    kind = i % 10
    if kind < 3:
        return 'path: /dir%d/*/page-*' % i
    if kind < 5:
        return 'host: "*.site%d.example"' % i
    if kind < 9:
        return 'title: word%d winter coat' % i
    return r"path: '/^\/p%d\/[0-9]+(-[a-z]+)?$/'" % i if i % 20 == 9 else r"title: '/(brand%d|marke%d).*(sale|rabatt)/'" % (i, i)


def made(target):
    subprocess.run(['make', '-s', '--no-print-directory', '-C', ROOT, 'build/test/' + target], check=True)
    return os.path.join(ROOT, 'build', 'test', target)


def rules():
    tool, cost, load = made('bench-match'), {}, []
    folder = tempfile.mkdtemp(prefix='crumb-bench.')
    atexit.register(shutil.rmtree, folder, True)
    for n in (10, 1000, 10000):
        path = os.path.join(folder, '%d.yaml' % n)
        with open(path, 'w') as f:
            f.write('version: 1\ncategories:\n' + ''.join('  - {id: c%d, any: [{%s}]}\n' % (i, pattern(i)) for i in range(n)))
        runs = [json.loads(subprocess.run([tool, path], check=True, capture_output=True).stdout) for _ in range(ROUNDS)]
        cost[n], load = [r['ns'] for r in runs], [r['load_s'] for r in runs]
    peer = []
    for _ in range(3):
        start = time.monotonic()
        subprocess.run(['/usr/bin/python3', '-c', 'import sys,yaml\nyaml.load(open(sys.argv[1]), yaml.CSafeLoader)', path], check=True)
        peer.append(time.monotonic() - start)
    print('%-44s %10s %10s' % ('', 'more', '10'))
    rows = [row('categorise an event, %d patterns' % n, cost[n], cost[10], 'ns') for n in (1000, 10000)]
    print('%-44s %10s %10s' % ('', 'crumb', 'PyYAML'))
    return rows + [row('load 10,000 rules, matcher and all', load, peer, 's')]


def hits(server, seconds, rate=1000):
    out = subprocess.run([made('bench-load')] + server.collect.split(':') + [str(rate), str(seconds)], check=True, capture_output=True, text=True).stdout
    return json.loads(out)


def complete(server, since):
    while not server.js('rules', 'status')['complete']:
        time.sleep(0.2)
    return time.monotonic() - since


def backfill():
    """The store takes about 1.5 GB of disk while it is made."""
    categories = ''.join('  - {id: c%d, any: [{path: /kind%d/*}]}\n' % (i, i) for i in range(20)) + '  - {id: buy, any: [{event: purchase}]}\n'
    segments = 'segments:\n' + ''.join('  - {id: s%d, when: c%d >= 3 in 14d and not buy in 30d}\n' % (i, i) for i in range(20))
    server = Server('version: 1\ncategories:\n' + categories + segments, test_clock=False)
    atexit.register(server.close)
    made('bench-load')
    out = subprocess.run([made('bench-fill'), server.store, server.rules, '1000000', '30000000', '30'], check=True, capture_output=True, text=True).stdout
    first = float(re.search(r'folded in ([\d.]+) s', out).group(1))
    server.start()
    time.sleep(15)                      # the disk comes to rest
    quiet = hits(server, 10)
    preview = [server.js('rules', 'preview', 'c3 >= 1 in 5d and not buy in 3d')['ms'] for _ in range(ROUNDS)]
    start = time.monotonic()
    server.write_rules('version: 1\ncategories:\n' + categories + '  - {id: extra, any: [{path: /kind30/*}]}\n' + segments + '  - {id: x, when: extra in 7d}\n')
    server.process.send_signal(1)
    busy = hits(server, 20)
    took = complete(server, start)
    time.sleep(5)
    start = time.monotonic()
    server.write_rules(open(os.path.join(server.rules, 'rules.yaml')).read() + '  - {id: y, when: c1 and c2}\n')
    server.process.send_signal(1)
    conditions = complete(server, start)
    print('%-44s %10s %10s' % ('', 'backfill', 'first fold'))
    rows = [row('new category, 30,000,000 events', [took], [first], 's')]
    print('%-44s %10s %10s' % ('', 'meanwhile', 'quiet'))
    rows.append(row('p99 of 1,000 hits a second', [busy['p99']], [quiet['p99']], 'ms'))
    print('%-44s %10s %10s' % ('', 'crumb', 'bound'))
    return rows + [row('new condition, 1,000,000 visitors', [conditions], [60], 's'), row('preview, 1,000,000 visitors', preview, [300] * ROUNDS, 'ms'),
                   row('the new category, against its bound', [took], [60], 's'), row('p99 meanwhile, against its bound', [busy['p99']], [10], 'ms')]


def main():
    subjects = {'collect': collect, 'import': ingest_file, 'rules': rules, 'backfill': backfill}
    wanted = [s for s in sys.argv[1:] if s] or list(subjects)
    for name in wanted:
        if name not in subjects:
            sys.exit('there is no subject %s: %s are known' % (name, ', '.join(subjects)))
        rows = subjects[name]()
        folder = os.path.join(ROOT, 'build', 'bench')
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, name + '.json'), 'w') as f:
            json.dump({'subject': name, 'rows': rows, 'machine': '%s, %d cores, Linux %s' % (platform.machine(), os.cpu_count(), platform.release())}, f, indent=1)


if __name__ == '__main__':
    main()
