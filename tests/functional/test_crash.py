"""kill -9: every answered hit is in the views after restart, none twice; and what the journal rebuilds is what the fold made."""
import http.client
import os
import random
import shutil
import signal
import threading
import time

from harness import SLOW, Browser


def load(server, browser, sent, answered, i, stop):
    connection = None
    try:
        while not stop.is_set():
            if connection is None:
                connection = http.client.HTTPConnection(server.collect, timeout=10)
            sent[i] += 1
            connection.request('GET', '/p.gif?u=https%3A%2F%2Fshop.example%2Fcoats%2F1', None, {'Cookie': 'crumb=' + browser.jar['crumb']})
            r = connection.getresponse()
            r.read()
            answered[i] += r.status == 200
    except (OSError, http.client.HTTPException):
        pass


def killed_under_load(server, n, rounds):
    """So many browsers send until the server is killed, again and again: each answered hit is there, and none twice. How many were answered."""
    browsers = [Browser.known(server) for _ in range(n)]
    sent, answered = [0] * n, [0] * n
    rng = random.Random(1)
    for _ in range(rounds):
        quiet, stop = threading.Event(), threading.Event()
        threads = [threading.Thread(target=load, args=(server, b, sent, answered, i, quiet if i % 2 else stop)) for i, b in enumerate(browsers)]
        for t in threads:
            t.start()
        time.sleep(0.2 + rng.random() * 0.5)
        quiet.set()
        for t in threads[1::2]:
            t.join()                    # these have their last answer: for them the count is exact
        server.stop(signal.SIGKILL)
        stop.set()
        for t in threads:
            t.join()
        server.start()
        for i, b in enumerate(browsers):
            b.segments()
            count = b.count('apparel.coats')
            assert answered[i] <= count <= sent[i], (i, answered[i], count, sent[i])
            answered[i] = sent[i] = count       # what was cut off may have been written: from now on it is known
    return sum(answered)


def rebuilt(server):
    """What the journal of its days tells is what the views have."""
    server.verify()
    server.stop()
    assert server.js('db', 'verify', '--replay') == {'ok': True, 'problems': []}


def test_kill_under_load_loses_nothing_and_doubles_nothing(make):
    server = make(options=['fold.pace_ms=20', 'collect.threads=3'])
    assert killed_under_load(server, 16, 8) > 500 / SLOW
    rebuilt(server)


def test_a_kill_in_the_middle_of_a_fold(make):
    """A fold of many visitors is several transactions (of five visitors in sanitizer builds); a crash between them takes nobody's events twice."""
    server = make(rules='version: 1\ncategories: [{id: all, any: [{path: /**}]}]\nsegments: [{id: %s}]\n' % '}, {id: '.join('n%d, when: all = %d' % (n, n) for n in range(1, 9)),
                  options=['fold.pace_ms=0'])
    rng, now = random.Random(4), server.now()
    for turn in range(8):
        lines = ''.join('{"id":"v%d","t":%d,"u":"https://s.example/x/%d"}\n' % (i, now - i % 50 * 86400, turn) for i in range(2500))
        status, _, data = server.http('POST', '/v1/import?format=ndjson', lines, admin=True)
        assert status == 200, data
        time.sleep(rng.random() * 0.08 * SLOW)
        server.restart(signal.SIGKILL)
        server.settle()
        assert server.sizes() == {'n%d' % n: 2500 if n == turn + 1 else None for n in range(1, 9)}
    server.verify()
    server.stop()
    assert server.js('db', 'verify', '--replay')['ok']


def advance(server):
    try:
        server.http('POST', '/v1/clock?advance=7d', admin=True)
    except (OSError, http.client.HTTPException):
        pass                                    # killed meanwhile


def test_kill_during_reload_and_sweep(make):
    server = make()
    browsers = [Browser.known(server) for _ in range(20)]
    for b in browsers:
        b.events(*[{'u': 'https://shop.example/coats/%d' % i} for i in range(3)])
    from harness import RULES
    for n in range(5):
        server.write_rules(RULES + '  - {id: round-%d, when: coats}\n' % n)
        server.process.send_signal(signal.SIGHUP)
        time.sleep(0.01 * n)
        server.restart(signal.SIGKILL)
        assert 'round-%d' % n in browsers[0].segments()
        server.verify()
    for days in range(3):
        t = threading.Thread(target=advance, args=(server,))
        try:
            t.start()
            time.sleep(0.005 * days)
            server.stop(signal.SIGKILL)
        finally:
            t.join()
        server.start()
        server.verify()


def test_views_are_made_again_when_they_are_lost(server):
    browsers = [Browser.known(server) for _ in range(20)]
    for i, b in enumerate(browsers):
        b.events(*[{'u': 'https://shop.example/coats/%d' % k} for k in range(i % 5)] + [{'u': 'https://shop.example/'}])
    server.settle()
    before = [b.shown() for b in browsers]
    server.stop()
    shutil.rmtree(os.path.join(server.store, 'state'))
    server.start()
    assert [b.shown() for b in browsers] == before
    server.verify()


def change_blocks(path):
    """A bit of every value, whether it stands on a leaf or has pages of its own."""
    with open(path, 'r+b') as f:
        data = bytearray(f.read())
        number = lambda at, n: int.from_bytes(data[at:at + n], 'little')
        for at in range(2 * 4096, len(data), 4096):
            flags, lower = number(at + 10, 2), number(at + 12, 2)
            if flags & 2 and b'blocks' not in data[at:at + 4096]:
                for i in range(16, lower, 2):
                    node = at + number(at + i, 2)
                    if number(node + 4, 2) == 0 and number(node + 6, 2) == 10:
                        data[node + 8 + number(node + 6, 2) + number(node, 4) - 1] ^= 1
            elif flags & 4:
                data[at + 16 + 60] ^= 1
        f.seek(0)
        f.write(data)


def test_a_block_that_does_not_open_is_skipped_and_counted(server):
    b = Browser.known(server)
    b.events(*[{'u': 'https://shop.example/coats/%d' % i} for i in range(50)])
    server.settle()
    server.stop()
    for day in os.listdir(os.path.join(server.store, 'journal')):
        change_blocks(os.path.join(server.store, 'journal', day, 'data.mdb'))
    shutil.rmtree(os.path.join(server.store, 'state'))
    server.start()
    assert server.metric('fold_corrupt_total') > 0 and server.js('db', 'stat')['visitors'] == 0
    again = Browser.known(server)
    again.hit('/coats/1')
    assert again.segments() and server.js('db', 'stat')['visitors'] == 1
