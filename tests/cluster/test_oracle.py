"""A crumbd over a real broker says what a crumbd with files says that got the same answered hits: under kill -9, while the broker stands still, and when it goes back to files."""
import os
import random
import shutil
import signal

from harness import Browser, Server, until
from test_full import ready
from test_log import Log


def over(one, folder, timeout_ms):
    log = Log(one, folder)
    log.crumb('init')
    return Server(options=['log.kind=kafka', 'log.timeout_ms=%d' % timeout_ms] + ['log.%s=%s' % (k, log.options['log.' + k]) for k in ('brokers', 'topic', 'control')]).start()


def counted(browser):
    return {c['id']: c['count'] for c in browser.shown()['categories']}


def same(server, oracle, pairs):
    for s in (server, oracle):
        s.settle()
    for i, (mine, its) in enumerate(pairs):
        assert mine.segments() == its.segments(), i     # fresh=1 waits for what comes back
        assert counted(mine) == counted(its), i
    assert server.sizes() == oracle.sizes()
    assert server.js('db', 'stat')['events'] == oracle.js('db', 'stat')['events']


def some_hits(rng, pairs):
    for mine, its in rng.sample(pairs, 8):
        path, event = rng.choice(['/coats/1', '/shoes/a/b', '/sale/3', '/home']), rng.choice(['view', 'view', 'purchase'])
        assert mine.hit(path, event) == 200
        assert its.hit(path, event) == 200


def test_it_says_what_files_say_and_goes_back_to_files(one, tmp_path):
    server, oracle = over(one, tmp_path, 30000), Server().start()
    rng = random.Random(1)
    try:
        pairs = [(Browser.known(server), Browser.known(oracle)) for _ in range(24)]
        for _ in range(4):
            some_hits(rng, pairs)
            server.restart(signal.SIGKILL)      # each hit before it was answered
        same(server, oracle, pairs)
        server.verify()

        server.stop()
        assert server.js('db', 'verify', '--replay') == {'ok': True, 'problems': []}
        server.options = [o for o in server.options if not o.startswith('log.')]
        server.start()
        same(server, oracle, pairs)
        some_hits(rng, pairs)
        same(server, oracle, pairs)
    finally:
        server.close()
        oracle.close()


def test_while_the_only_broker_stands_still_hits_are_refused_and_answered_ones_count_once(one, tmp_path):
    server = over(one, tmp_path, 1500)
    broker = one.brokers[0]
    try:
        b, other = Browser.known(server), Browser.known(server)
        for i in range(3):
            assert b.hit('/coats/%d' % i) == 200
        b.segments()
        broker.send(signal.SIGSTOP)
        try:
            assert other.hit('/coats/1') == 503
            until(lambda: not ready(server)[0])
            # what is known is told
            assert server.http('GET', '/segments', headers={'Cookie': 'crumb=' + b.jar['crumb']})[0] == 200
        finally:
            broker.send(signal.SIGCONT)
        until(lambda: ready(server)[0])
        until(lambda: b.hit('/shoes/1/2') == 200)
        assert 'coat-fans' in b.segments() and b.count('apparel.coats') == 3
        other.segments()
        assert other.count('apparel.coats') <= 1        # a refused hit may be there, once
        server.verify()
        server.stop()
        assert server.js('db', 'verify', '--replay') == {'ok': True, 'problems': []}
    finally:
        server.close()


def test_what_brokers_keep_of_days_that_are_over_comes_back_to_nobody(one, tmp_path):
    server = over(one, tmp_path, 30000)
    try:
        b = Browser.known(server)
        for i in range(3):
            assert b.hit('/coats/%d' % i) == 200
        b.segments()
        records = server.metric('log_records_total')
        server.stop()
        for folder in ('journal', 'state'):
            shutil.rmtree(os.path.join(server.store, folder))
        server.start()                          # the keys are there: all comes back
        b.segments()
        assert b.count('apparel.coats') == 3 and server.metric('log_unreadable_total') == 0
        server.advance('120d')                  # their days end, and their keys with them
        server.stop()
        for folder in ('journal', 'state'):
            shutil.rmtree(os.path.join(server.store, folder))
        server.start()
        until(lambda: server.metric('log_records_total') >= records)        # it read them all, and has none
        server.settle()
        assert server.js('db', 'stat')['events'] == server.js('db', 'stat')['visitors'] == 0
    finally:
        server.close()
