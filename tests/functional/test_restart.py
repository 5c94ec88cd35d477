"""One crumbd after the other: no hit fails, none is lost, none counts twice, whether the new one takes over or sockets are kept by a service manager."""
import http.client
import os
import re
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.parse

import pytest
from harness import BUILD, SLOW, Browser, Server, until

HITS, RESTARTS, WORKERS = 10000 if SLOW == 1 else 1500, 10, 8


def take_over(server):
    """Starts a second crumbd beside the first, which is to end by itself."""
    old, pid = server.process, server.process.pid
    server.start(more=['--take-over'])
    assert old.wait(30 * SLOW) == 0, server.logged()[-800:]
    old.stdout.close()
    assert server.process.pid != pid


class Load(threading.Thread):
    """A known visitor who buys over and over: by connections that are kept, by new ones, and by POST. Nothing is tried twice; who
    has kept a connection looks whether it was closed meanwhile, as browsers and proxies do."""
    def __init__(self, server, number, n):
        super().__init__()
        self.browser, self.server, self.number, self.n = Browser.known(server), server, number, n
        self.failed, self.done = [], 0

    def run(self):
        host, port = self.server.collect.rsplit(':', 1)
        headers = {'User-Agent': self.browser.agent, 'Cookie': 'crumb=' + self.browser.jar['crumb']}
        url = urllib.parse.quote('https://shop.example/thanks', safe='')
        kept = None
        for i in range(self.n):
            fresh = (self.number + i) % 4 == 0
            if kept and kept.sock and select.select([kept.sock], [], [], 0)[0]:
                kept.close()
            c = http.client.HTTPConnection(host, int(port), timeout=60 * SLOW) if fresh or not kept else kept
            try:
                if i % 3:
                    c.request('GET', '/p.gif?e=purchase&u=' + url, headers=headers)
                else:
                    c.request('POST', '/e', '[{"e":"purchase","u":"https://shop.example/thanks"}]', {**headers, 'Content-Type': 'application/json'})
                r = c.getresponse()
                r.read()
                if r.status != (200 if i % 3 else 204):
                    self.failed.append(r.status)
                elif r.getheader('Set-Cookie'):
                    self.failed.append('another cookie')
                self.done += 1
            except (OSError, http.client.HTTPException) as e:
                self.failed.append(repr(e))
                kept = None
                c.close()
                continue
            if fresh:
                c.close()
            else:
                kept = c
        if kept:
            kept.close()


def under_load(server, restart):
    load = [Load(server, i, HITS // WORKERS) for i in range(WORKERS)]
    server.settle()
    for t in load:
        t.start()
    for i in range(RESTARTS):
        want = (i + 1) * HITS // (RESTARTS + 1)
        until(lambda: sum(t.done + len(t.failed) for t in load) >= want)
        restart(server)
    for t in load:
        t.join()
    assert [f for t in load for f in t.failed] == []
    assert sum(t.done for t in load) == HITS // WORKERS * WORKERS
    server.settle()
    assert [t.browser.count('purchase') for t in load] == [t.n for t in load]
    server.verify()


def test_ten_take_overs_under_load_lose_nothing(make):
    under_load(make(options=['collect.threads=2']), take_over)


def open_connection(server):
    host, port = server.collect.rsplit(':', 1)
    s = socket.create_connection((host, int(port)), 30)
    s.settimeout(30 * SLOW)
    return s


PIXEL = b'GET /p.gif?e=view&u=https%3A%2F%2Fshop.example%2F HTTP/1.1\r\nHost: h\r\n\r\n'


BODY = b'{"e":"view","u":"https://shop.example/"}'


def answer(s):
    got = b''
    while b'GIF89a' not in got:
        part = s.recv(65536)
        assert part, got
        got += part
    return got


def test_connections_that_ask_for_nothing_find_the_new_one_behind_them(make):
    server = make(options=['collect.threads=1'])
    idle, fresh = open_connection(server), open_connection(server)
    idle.sendall(PIXEL)
    answer(idle)
    half = open_connection(server)
    half.sendall(PIXEL[:40])
    for _ in range(2):
        take_over(server)
        for s in (idle, fresh):
            s.sendall(PIXEL)
            assert b'close' not in answer(s)
    half.close()
    c = http.client.HTTPConnection(server.admin, timeout=30)
    for _ in range(2):      # the admin listener's, too
        c.request('GET', '/healthz', headers={'Authorization': 'Bearer ' + server.token})
        assert c.getresponse().read() == b'ok\n'
        take_over(server)
    c.close()


def test_a_request_that_has_begun_is_answered_by_the_old_one(make):
    server = make(options=['collect.threads=1'])
    s = open_connection(server)
    s.sendall(b'POST /e HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n' % len(BODY) + BODY[:9])
    server.http('GET', '/crumb.js')     # what was sent before this was read
    old = server.process
    new = threading.Thread(target=take_over, args=(server,))
    new.start()
    until(lambda: 'another crumbd takes over' in server.logged())
    s.sendall(BODY[9:])
    assert s.recv(65536).startswith(b'HTTP/1.1 204 ')
    new.join()
    assert old.returncode == 0
    s.sendall(PIXEL)
    answer(s)


def test_more_and_fewer_threads_serve_every_queue(make):
    server = make(options=['collect.threads=3'])
    for threads in (1, 4, 2):
        server.options[-1] = 'collect.threads=%d' % threads
        take_over(server)
        waiting = [open_connection(server) for _ in range(40)]
        for s in waiting:
            s.sendall(PIXEL)
        for s in waiting:
            answer(s)
            s.close()


def refused(server, *more):
    r = subprocess.run([os.path.join(BUILD, 'crumbd')] + server.common() + list(more), capture_output=True, text=True, timeout=60 * SLOW)
    assert r.returncode in (1, 2), r
    return r.stderr


def test_the_old_one_stays_until_the_new_one_can_serve(make):
    server = make()
    listen = ['-o', 'collect.listen=127.0.0.1:0', '-o', 'admin.listen=127.0.0.1:0', '--take-over']
    with open(os.path.join(server.rules, 'bad.yaml'), 'w') as f:
        f.write('version: 1\nsegments:\n  - {id: x, when: nothing-of-this-name}\n')
    assert 'bad.yaml:3' in refused(server, *listen)
    os.unlink(os.path.join(server.rules, 'bad.yaml'))
    assert 'collect.listen' in refused(server, *listen, '-o', 'collect.listen=127.0.0.1:9')
    assert 'admin.listen' in refused(server, *listen, '-o', 'admin.listen=127.0.0.2:0')
    assert 'geo.database' in refused(server, *listen, '-o', 'geo.database=/nowhere.mmdb')
    assert 'in use' in refused(server, *listen[:-1])
    assert server.process.poll() is None and server.http('GET', '/crumb.js')[0] == 200
    # nonsense at the socket, and somebody who leaves in the middle
    for words in ([b'x'], [b'go'], [b'take over 1'], [b'take over 1', b'take over 1'], []):
        s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        s.connect(os.path.join(server.store, 'takeover'))
        for w in words:
            try:
                s.send(w)
            except (ConnectionResetError, BrokenPipeError):
                break                       # turned away for what came before
        s.close()
    take_over(server)
    assert server.http('GET', '/crumb.js')[0] == 200


def test_a_new_one_that_dies_on_its_way_leaves_the_old_program(make):
    """It takes the sockets, says go, waits for the store, and is gone: who connects meanwhile is answered by the old program, started again."""
    server = make()
    b = Browser.known(server)
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.settimeout(60 * SLOW)
    s.connect(os.path.join(server.store, 'takeover'))
    s.send(b'take over 1')
    while s.recv(100) != b'that is all':
        pass
    s.send(b'go')
    while s.recv(100) != b'released':
        pass
    waits = open_connection(server)
    waits.sendall(PIXEL)
    s.close()
    answer(waits)
    assert b.hit('/coats/1') == 200 and server.process.poll() is None and 'starts again' in server.logged()
    line = server.process.stdout.readline()
    assert line == 'ready collect=%s admin=%s\n' % (server.collect, server.admin)
    take_over(server)
    assert b.hit('/coats/1') == 200
    server.settle()
    assert b.count('apparel.coats') == 2


def test_without_anybody_it_just_starts(make):
    server = Server()
    try:
        server.start(more=['--take-over'])
        server.stop(signal.SIGKILL)
        server.start(more=['--take-over'])      # what a crash left behind is nobody
        assert server.http('GET', '/crumb.js')[0] == 200
        assert server.stop() == 0
        assert not os.path.exists(os.path.join(server.store, 'takeover'))
    finally:
        server.close()


# --- sockets and words of a service manager

ACTIVATE = '''
import os, sys
names, fds = sys.argv[1], [int(f) for f in sys.argv[2].split(',')]
high = [os.dup(f) for f in fds]         # 3, 4 … may be among them
high = [os.dup2(f, 50 + i) for i, f in enumerate(high)]
for i, f in enumerate(high):
    os.dup2(f, 3 + i)
    os.set_inheritable(3 + i, True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(fds)), LISTEN_FDNAMES=names)
os.execv(sys.argv[3], sys.argv[3:])
'''


class Manager:
    """What systemd does: holds sockets over restarts, hears notifications."""
    def __init__(self, server, names='collect:admin'):
        self.server, self.names = server, names
        self.sockets = [socket.create_server(('127.0.0.1', 0), backlog=512) for _ in names.split(':')]
        self.path = os.path.join(server.dir, 'notify')
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(self.path)
        self.notify.settimeout(30 * SLOW)

    def start(self):
        fds = [s.fileno() for s in self.sockets]
        command = [sys.executable, '-c', ACTIVATE, self.names, ','.join(map(str, fds))]
        self.server.start(command=command, pass_fds=fds, env={**os.environ, 'NOTIFY_SOCKET': self.path, 'WATCHDOG_USEC': '3000000'})

    def restart(self, server):
        server.stop()
        self.start()

    def hear(self, word):
        """Everything up to a message with that word."""
        got = []
        while True:
            got.append(self.notify.recv(4096).decode())
            if word in got[-1].split('\n'):
                return got

    def close(self):
        self.server.close()
        for s in self.sockets + [self.notify]:
            s.close()


@pytest.fixture
def manager():
    made = []

    def new(**kw):
        names = kw.pop('names', 'collect:admin')
        made.append(Manager(Server(**kw), names))
        return made[-1]
    yield new
    for m in made:
        m.close()


def test_ten_restarts_with_sockets_of_a_manager_under_load_lose_nothing(manager):
    m = manager(options=['collect.threads=2'])
    m.notify.close()
    os.unlink(m.path)       # nobody hears: that is nothing
    m.start()
    assert [m.server.collect, m.server.admin] == ['127.0.0.1:%d' % s.getsockname()[1] for s in m.sockets]
    under_load(m.server, m.restart)


def test_the_manager_is_told(manager):
    m = manager()
    m.start()
    ready = m.hear('READY=1')[-1]
    assert 'STATUS=ready collect=' + m.server.collect in ready
    m.hear('WATCHDOG=1')
    before = int(time.monotonic() * 1e6)
    m.server.process.send_signal(signal.SIGHUP)
    reloading = m.hear('READY=1')
    at = [int(x) for x in re.findall(r'RELOADING=1\nMONOTONIC_USEC=(\d+)', '\n'.join(reloading))]
    assert len(at) == 1 and before <= at[0] <= time.monotonic() * 1e6
    m.server.write_rules('version: 1\nsegments:\n  - {id: x, when: nothing}\n')
    m.server.process.send_signal(signal.SIGHUP)
    assert 'refused' in m.hear('READY=1')[-1]
    m.server.process.send_signal(signal.SIGTERM)
    m.hear('STOPPING=1')


def test_only_hits_may_have_sockets(manager):
    m = manager(names='collect:collect')
    m.start()
    for s in m.sockets:
        m.server.collect = '127.0.0.1:%d' % s.getsockname()[1]
        assert m.server.http('GET', '/crumb.js')[0] == 200


def test_sockets_that_cannot_work_are_refused(manager):
    m = manager(names='collect:smtp')
    with pytest.raises(AssertionError, match="'smtp'"):
        m.start()
    m.names = 'collect:admin'
    m.sockets[0].close()
    m.sockets[0] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with pytest.raises(AssertionError, match='no socket that listens'):
        m.start()


def test_who_is_about_to_ask_at_the_end_is_answered_and_told_to_go(make):
    server = make(options=['collect.threads=1'])
    s = open_connection(server)
    s.sendall(PIXEL)
    answer(s)
    server.process.send_signal(signal.SIGTERM)
    until(lambda: s.sendall(PIXEL) or b'Connection: close' in answer(s))     # answered like ever before, and at last for the last time
    assert s.recv(10) == b''
    assert server.process.wait(30) == 0
