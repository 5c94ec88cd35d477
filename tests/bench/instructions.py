"""Benchmark of instructions: repeatable where seconds are not, whatever else the machine does."""
import glob
import http.cookiejar
import os
import re
import socket
import subprocess
import urllib.request

from peers import folder, new_server, row

HITS, WARM, DEPTH, BROWSERS = 8000, 2000, 8, 64
PATHS = ['/coats/%d' % i for i in range(40)] + ['/shoes/a/%d' % i for i in range(40)] + ['/about', '/sale/x']


def browsers(server):
    """Cookies of visitors who have been here before."""
    found = []
    for _ in range(BROWSERS):
        jar = http.cookiejar.CookieJar()
        b = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(jar))
        for _ in range(2):
            b.open('http://%s/p.gif?u=https%%3A%%2F%%2Fshop.example%%2Fabout' % server.collect, timeout=120).read()
        found.append(next(c.value for c in jar))
    return found


def send(server, cookies, n):
    """Always the same requests, eight on their way at a time."""
    host, port = server.collect.split(':')
    s = socket.create_connection((host, int(port)), timeout=300)
    for i in range(0, n, DEPTH):
        text = ''.join('GET /p.gif?u=https%%3A%%2F%%2Fshop.example%s&r=https%%3A%%2F%%2Fwww.google.com%%2F HTTP/1.1\r\nHost: c.example\r\nCookie: crumb=%s\r\n'
                       'User-Agent: Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36\r\n'
                       'Accept: image/avif,image/webp,*/*\r\nAccept-Language: en-GB,en;q=0.9\r\n\r\n'
                       % (PATHS[k % len(PATHS)].replace('/', '%2F'), cookies[k * 7 % len(cookies)]) for k in range(i, i + DEPTH))
        s.sendall(text.encode())
        got = b''
        while got.count(b'HTTP/1.1 200 OK') < DEPTH or not got.endswith(b'\x3b'):
            part = s.recv(65536)
            assert part, got
            got += part
    s.close()


def counted(where, pid, name):
    """Instructions of each thread since the counters were last set to zero."""
    subprocess.run(['callgrind_control', '-d', str(pid)], check=True, capture_output=True)
    out = {}
    for path in glob.glob(os.path.join(where, name + '.out.*')):
        with open(path) as f:
            text = f.read()
        total, thread = re.search(r'^(?:summary|totals): (\d+)', text, re.M), re.search(r'^thread: (\d+)', text, re.M)
        if total and thread:
            out[int(thread.group(1))] = out.get(int(thread.group(1)), 0) + int(total.group(1))
        os.unlink(path)
    return out


def instructions():
    """Instructions of a pixel hit of a known visitor, under valgrind: all threads, and the collect thread alone. A second tree, named by PEER=DIR, is measured beside it."""
    def measure(build):
        where = folder()
        server = new_server(options=('collect.threads=1', 'store.map_gb=1'))
        command = ['valgrind', '-q', '--tool=callgrind', '--separate-threads=yes', '--callgrind-out-file=%s/hit.out' % where]
        server.start(command=command, build=build)
        cookies = browsers(server)
        send(server, cookies, WARM)
        counted(where, server.process.pid, 'hit')
        send(server, cookies, HITS)
        server.settle()
        threads = counted(where, server.process.pid, 'hit')
        server.close()
        busiest = max(threads.values())
        return sum(threads.values()) / HITS, busiest / HITS
    ours = measure(None)
    peer = measure(os.environ['PEER']) if os.environ.get('PEER') else (None, None)
    return [row('instructions of a hit, ' + what, o, p, '') for what, o, p in zip(('all threads, folded', 'the collect thread'), ours, peer)]

