#!/usr/bin/env python3
"""make bench [SUBJECT=collect|import]: crumb beside its peers, both sides in one run, as ratios. Writes build/bench/SUBJECT.json.

collect: CPU microseconds per pixel hit, all threads, accept to durable journal and folded, on one core, beside nginx with empty_gif,
userid and a buffered access log; the same cookies, pages and agents. Rounds alternate; medians and spread are printed."""
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


def main():
    subjects = {'collect': collect, 'import': ingest_file}
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
