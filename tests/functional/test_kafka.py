"""The log on Kafka: an answered hit is there once, whatever happens to the broker and to crumbd, and a store that follows the log says what a store of files says.

The cluster is librdkafka's in memory. Real brokers, with retention and replicas, are in tests/cluster."""
import os
import random
import shutil
import signal
import time

import pytest

from harness import RULES, SLOW, Browser, until
from mocked import Mock, with_kafka
from test_crash import killed_under_load, rebuilt
from test_full import ready
from test_rules import reload

pytestmark = pytest.mark.skipif(not with_kafka(), reason='built without Kafka')
NOT_ENOUGH_REPLICAS, OUT_OF_ORDER = 19, 45          # Kafka's error codes
VERSION = 1                                         # what a record of ours begins with


@pytest.fixture
def mock():
    made = Mock()
    yield made
    made.close()


def counted(browser):
    v = browser.shown() if browser.jar else None        # who was forgotten has no cookie
    return {c['id']: c['count'] for c in v['categories']} if v else {}


def test_an_answered_hit_is_on_the_log_and_in_the_next_answer(make, mock):
    server = make(options=mock.options())
    b = Browser(server)
    for i in range(3):
        before = mock.records()
        assert b.hit('/coats/%d' % i) == 200
        assert mock.records() > before          # the first one brings the rules' activation along
    assert b.segments() >= {'coat-fans', 'intenders', 'coats-ever'}     # fresh=1 waits for what comes back
    assert b.hit('/buy', event='purchase') == 200
    assert 'intenders' not in b.segments() and 'buyers' in b.segments()
    rebuilt(server)


def test_nothing_readable_is_on_the_log(make, mock, tmp_path):
    server = make(options=mock.options())
    b = Browser.known(server)
    assert b.hit('/coats/zebracrossing', extra='&a.color=zebracrossing') == 200
    on_log = mock.save(str(tmp_path / 'records'))
    assert len(on_log) > 100
    for word in (b'zebracrossing', b'shop.example', b'coats', b'view', b.jar['crumb'].encode()):
        assert word not in on_log, word


def act(rng, step, server, oracle, pairs, mock):
    """Something happens to both. Of a hit the oracle hears when it was answered."""
    what = rng.choice(['hit'] * 6 + ['import'] * 2 + ['restart', 'kill', 'day', 'again', 'forget', 'refuse', 'down', 'rules'])
    if what == 'hit':
        for over, local in rng.sample(pairs, 5):
            path, event = rng.choice(['/coats/1', '/shoes/a/b', '/sale/3', '/home']), rng.choice(['view', 'view', 'purchase'])
            assert over.hit(path, event) == local.hit(path, event) == 200
    elif what == 'import':
        at = server.now() - rng.randrange(20) * 86400 - 3600
        lines = [{'id': 'v%d' % rng.randrange(60), 't': at - i, 'u': 'https://shop.example/%s/1' % rng.choice(['coats', 'shoes', 'sale'])} for i in range(200)]
        assert server.import_lines(lines)['accepted'] == oracle.import_lines(lines)['accepted'] == 200
    elif what in ('restart', 'kill'):
        server.restart(signal.SIGKILL if what == 'kill' else signal.SIGTERM)
    elif what == 'day':
        server.advance('30h')
        oracle.advance('30h')
    elif what == 'again':
        mock.does('again')
    elif what == 'forget':
        for b in rng.choice(pairs):
            assert b.request('POST', '/me/forget')[0] == 200
    elif what == 'refuse':
        mock.does('fail', NOT_ENOUGH_REPLICAS, 3)       # librdkafka tries again by itself
        for b in rng.choice(pairs):
            assert b.hit('/coats/9') == 200
    elif what == 'down':
        mock.does('down')
        assert pairs[0][0].hit('/coats/8') == 503
        mock.does('up')
        until(lambda: ready(server)[0])
    else:
        for s in (server, oracle):
            reload(s, RULES + '  - {id: often, when: coats >= %d}\n' % (step + 2))
    return what


@pytest.mark.parametrize('seed', [1, 2])
def test_it_says_what_files_say(make, mock, seed):
    """Random acts, and one local crumb with the same answered events as an oracle."""
    rng = random.Random(seed)
    server, oracle = make(options=mock.options(timeout_ms=1500 * SLOW)), make()
    pairs = [(Browser.known(server), Browser.known(oracle)) for _ in range(12)]
    done = []
    for step in range(24):
        done.append(act(rng, step, server, oracle, pairs, mock))
    for s in (server, oracle):
        s.settle()
    assert server.sizes() == oracle.sizes(), done
    for i, (over, local) in enumerate(pairs):
        assert counted(over) == counted(local), (i, done)
        assert over.segments() == local.segments(), (i, done)
    for i in range(60):
        mine, its = server.visitor('--id', 'v%d' % i), oracle.visitor('--id', 'v%d' % i)
        assert (mine and mine['categories']) == (its and its['categories']), (i, done)
    assert server.js('db', 'stat')['events'] == oracle.js('db', 'stat')['events'], done
    rebuilt(server)


def test_kill_under_load_loses_nothing_and_doubles_nothing(make, mock):
    server = make(options=mock.options() + ['fold.pace_ms=20', 'collect.threads=3'])
    assert killed_under_load(server, 8, 4) > 100 / SLOW
    rebuilt(server)


def test_without_the_broker_hits_are_refused_and_then_taken_again(make, mock):
    server = make(options=mock.options(timeout_ms=1000))
    b = Browser.known(server)
    assert b.hit('/coats/1') == 200
    mock.does('down')
    began = time.monotonic()
    assert b.hit('/coats/2') == 503
    assert time.monotonic() - began < 20 * SLOW
    until(lambda: not ready(server)[0])
    assert 'hits cannot be recorded' in ready(server)[1]
    assert server.http('GET', '/segments', headers={'Cookie': 'crumb=' + b.jar['crumb']})[0] == 200     # what is known is told
    mock.does('up')
    until(lambda: ready(server)[0])
    assert b.hit('/coats/3') == 200
    b.segments()
    assert b.count('apparel.coats') == 2            # the refused one had reached nobody
    rebuilt(server)


def test_a_producer_that_cannot_go_on_is_made_anew(make, mock):
    server = make(options=mock.options(timeout_ms=2000 * SLOW))
    b = Browser.known(server)
    answered = 0
    for _ in range(3):
        mock.does('fail', OUT_OF_ORDER, 1)
        answered += b.hit('/coats/1') == 200
        until(lambda: b.hit('/shoes/1/2') == 200)
    b.segments()
    assert answered <= b.count('apparel.coats') <= 3
    rebuilt(server)


def test_an_answer_that_is_late_is_a_refusal_and_counts_once_at_most(make, mock):
    server = make(options=mock.options(timeout_ms=1000))
    b = Browser.known(server)
    mock.does('slow', 4000)
    assert b.hit('/coats/1') == 503
    mock.does('slow', 0)
    until(lambda: ready(server)[0])
    assert b.hit('/coats/2') == 200
    b.segments()
    assert 1 <= b.count('apparel.coats') <= 2
    rebuilt(server)


def test_records_that_come_twice_count_once(make, mock):
    server = make(options=mock.options())
    browsers = [Browser.known(server) for _ in range(10)]
    for b in browsers:
        assert b.events(*[{'u': 'https://shop.example/coats/%d' % i} for i in range(3)]) == 204
    n = mock.records()
    mock.does('again')
    until(lambda: server.metric('log_duplicates_total') == n)
    server.stop()
    mock.does('again')                              # 2n records: each of the n is there four times
    server.start()
    until(lambda: server.metric('log_duplicates_total') == 2 * n)
    server.settle()
    assert [b.count('apparel.coats') for b in browsers] == [3] * 10
    rebuilt(server)


def test_what_others_put_there_is_passed_over_and_counted(make, mock):
    server = make(options=mock.options())
    b = Browser.known(server)
    for partition, size in ((0, 0), (1, 3), (2, 80), (3, 5000)):
        mock.does('junk', partition, 2, size, VERSION)
    assert b.hit('/coats/1') == 200, server.logged()[-3000:]
    assert 'coats-ever' in b.segments()
    until(lambda: server.metric('log_unreadable_total') == 8)
    server.restart()
    assert b.hit('/coats/2') == 200
    b.segments()
    assert b.count('apparel.coats') == 2 and server.metric('log_unreadable_total') == 0     # it was passed over for good
    rebuilt(server)


def test_records_of_a_newer_crumb_are_not_passed_over(make, mock):
    """They may be hits that somebody was answered for: this one has to be upgraded first."""
    server = make(options=mock.options())
    b = Browser.known(server)
    mock.does('junk', 1, 1, 200, VERSION + 1)
    until(lambda: b.hit('/coats/1') == 503)
    until(lambda: 'newer crumb' in ready(server)[1])
    assert server.metric('log_unreadable_total') == 0
    assert server.stop() == 0


def test_a_store_goes_on_where_it_was_also_without_views(make, mock):
    server = make(options=mock.options())
    browsers = [Browser.known(server) for _ in range(10)]
    for b in browsers:
        b.events(*[{'u': 'https://shop.example/coats/%d' % i} for i in range(3)])
    server.settle()
    sizes, taken = server.sizes(), server.metric('log_records_total')
    assert taken >= 1
    server.restart()
    assert server.sizes() == sizes and server.metric('log_records_total') == 0
    server.stop()
    shutil.rmtree(os.path.join(server.store, 'state'))
    server.start()
    assert server.sizes() == sizes and [b.count('apparel.coats') for b in browsers] == [3] * 10
    rebuilt(server)


def test_a_backup_that_is_put_back_catches_up_from_the_log(make, mock, tmp_path):
    server = make(options=mock.options())
    b = Browser.known(server)
    assert b.hit('/coats/1') == 200
    server.cli('db', 'backup', str(tmp_path / 'backup'))
    assert b.hit('/coats/2') == 200
    server.stop()
    shutil.rmtree(os.path.join(server.store, 'journal'))
    shutil.rmtree(os.path.join(server.store, 'state'))
    server.cli('db', 'restore', str(tmp_path / 'backup'))
    server.start()
    b.segments()
    assert b.count('apparel.coats') == 2
    rebuilt(server)


def test_a_command_beside_no_server_goes_by_the_log_too(make, mock):
    server = make(options=mock.options())
    server.stop()
    before = mock.records()
    lines = [{'id': 'v%d' % i, 't': server.now() - 60, 'u': 'https://shop.example/coats/1'} for i in range(100)]
    assert server.import_lines(lines)['accepted'] == 100
    assert mock.records() > before
    server.start()
    server.settle()
    assert server.sizes()['coats-ever'] == 100 and server.js('db', 'stat')['events'] == 100
    rebuilt(server)


def does_not_start(server):
    with pytest.raises(AssertionError, match='did not get ready'):
        server.start()
    server.stop()
    return server.logged()


def test_a_store_that_was_away_for_too_long_says_what_to_do(make, mock):
    server = make(options=mock.options())
    b = Browser.known(server)
    assert b.hit('/coats/1') == 200
    server.settle()
    server.stop()
    for partition in range(4):                      # the mock keeps 5 MiB of each
        mock.does('junk', partition, 80, 100000, VERSION)
    assert all(first > 1 for first, _ in mock.ends())
    said = does_not_start(server)
    assert 'longer than the log is kept' in said and 'backup' in said, said
    # nothing was changed: without the log it is all there
    assert server.js('db', 'verify')['ok'] and server.js('db', 'stat')['visitors'] == 1


def test_a_topic_that_does_not_fit_is_refused_at_start(make, mock):
    server = make(options=mock.options())
    server.stop()
    options = list(server.options)
    # a topic that is asked for is made by the mock
    for more, words in ((['log.kafka=acks: 1'], ['acks']),
                        (['log.kafka=no.such.thing: 1'], ['no.such.thing']),
                        (['log.brokers='], ['log.brokers'])):
        server.options = options + more
        before = len(server.logged())
        said = does_not_start(server)[before:]
        assert all(w in said for w in words), (more, said)
    server.options = options
    server.start()
    three = Mock(partitions=3)
    try:
        server.stop()
        server.options = [o for o in options if not o.startswith('log.brokers=')] + ['log.brokers=' + three.bootstrap]
        said = does_not_start(server)
        assert '3 partitions' in said and '4 shards' in said, said
    finally:
        three.close()
