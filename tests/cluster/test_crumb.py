"""crumbd with its log on real brokers: an answered hit is there once, whatever happens to crumbd and to brokers, and nothing readable is in their files."""
import glob
import json
import os
import signal
import subprocess
import uuid

import pytest
from harness import BUILD, Browser, Server, until
from kafka import JAVA, LIBS
from test_crash import killed_under_load, rebuilt
from test_full import ready


class Over:
    """A crumbd over a cluster, on topics that crumb log init made."""

    def __init__(self, cluster, timeout_ms=5000, **settings):
        name = uuid.uuid4().hex[:8]
        self.cluster, self.topic = cluster, name + '.log'
        self.options = ['log.brokers=' + cluster.bootstrap, 'log.topic=' + self.topic, 'log.control=%s.control' % name]
        self.crumb('init')
        cluster.in_sync_everywhere(self.topic, len(cluster.brokers))
        self.server = Server(options=self.options + ['log.kind=kafka', 'log.timeout_ms=%d' % timeout_ms] + ['%s=%s' % s for s in settings.items()]).start()

    def crumb(self, what):
        options = [a for o in self.options + ['log.timeout_ms=30000', 'store.path=/nowhere'] for a in ('-o', o)]
        r = subprocess.run([os.path.join(BUILD, 'crumb')] + options + ['log', what], capture_output=True, text=True, timeout=120)
        assert r.returncode == 0, r.stdout + r.stderr

    def bytes(self):
        """What brokers have of the log on their disks."""
        return b''.join(open(f, 'rb').read() for b in self.cluster.brokers for f in glob.glob(os.path.join(b.folder, 'data', self.topic + '-*', '*.log')))


@pytest.fixture
def over():
    made = []

    def start(*a, **kw):
        made.append(Over(*a, **kw))
        return made[-1]
    yield start
    for o in made:
        o.server.close()


def test_the_main_job(over, one):
    o = over(one)
    s = o.server
    browsers = [Browser.known(s) for _ in range(30)]
    for b in browsers:
        for i in range(3):
            assert b.hit('/coats/%d' % i) == 200
    assert all('coat-fans' in b.segments() for b in browsers)       # fresh=1 waits until it came back
    assert browsers[0].hit('/buy', event='purchase') == 200 and 'buyers' in browsers[0].segments()
    s.settle()
    assert s.sizes()['coat-fans'] == 30
    s.restart(signal.SIGKILL)
    assert 'coat-fans' in browsers[1].segments() and s.sizes()['coat-fans'] == 30
    rebuilt(s)


def test_kills_of_crumbd_lose_nothing_and_double_nothing(over, one):
    s = over(one, **{'fold.pace_ms': 20, 'collect.threads': 3}).server
    assert killed_under_load(s, 6, 3) > 30
    rebuilt(s)


def test_two_brokers_of_three_go_on_and_one_does_not(over, three):
    o = over(three, timeout_ms=4000)
    s, b = o.server, Browser.known(o.server)
    answered = sent = 0

    def hit():
        nonlocal answered, sent
        sent += 1
        got = b.hit('/coats/%d' % sent) == 200
        answered += got
        return got
    assert hit()
    three.brokers[0].stop(signal.SIGKILL)
    until(hit)                                      # another one leads its partitions
    assert hit()
    three.brokers[1].stop(signal.SIGKILL)
    assert not hit()                                # one replica is not two
    until(lambda: not ready(s)[0])
    before = answered
    for i in (0, 1):
        three.brokers[i].start()
    three.up(3)
    until(lambda: ready(s)[0])
    until(hit)
    b.segments()
    assert answered > before and answered <= b.count('apparel.coats') <= sent
    rebuilt(s)
    three.in_sync_everywhere(o.topic, 3)


def test_a_broker_that_stands_still_refuses_nothing_that_was_promised(over, three):
    o = over(three, timeout_ms=2000)
    s, b = o.server, Browser.known(o.server)
    assert b.hit('/coats/1') == 200
    for broker in three.brokers:
        broker.send(signal.SIGSTOP)
    refused = b.hit('/coats/2')
    for broker in three.brokers:
        broker.send(signal.SIGCONT)
    assert refused == 503
    until(lambda: ready(s)[0])
    until(lambda: b.hit('/shoes/1/2') == 200)
    b.segments()
    assert 1 <= b.count('apparel.coats') <= 2       # what was refused may be there, once
    rebuilt(s)


def test_nothing_readable_is_in_the_files_of_brokers(over, one):
    o = over(one)
    b = Browser.known(o.server)
    assert b.hit('/coats/zebracrossing', extra='&a.color=zebracrossing') == 200
    b.segments()
    on_disk = o.bytes()
    assert len(on_disk) > 200
    for word in (b'zebracrossing', b'shop.example', b'coats', b'view', b.jar['crumb'].encode()):
        assert word not in on_disk, word


def test_a_log_that_begins_behind_the_store_is_refused(over, one, tmp_path):
    o = over(one)
    s, b = o.server, Browser.known(o.server)
    b.segments()
    s.stop()
    for p in range(4):
        for _ in range(3):
            one.produce(o.topic, b'x', partition=p)
    wanted = tmp_path / 'delete.json'
    wanted.write_text(json.dumps({'version': 1, 'partitions': [{'topic': o.topic, 'partition': p, 'offset': -1} for p in range(4)]}))
    r = subprocess.run([JAVA, '-Xmx128m', '-cp', LIBS + '/*', 'org.apache.kafka.tools.DeleteRecordsCommand', '--bootstrap-server', one.bootstrap, '--offset-json-file', str(wanted)],
                       capture_output=True, text=True, timeout=120)
    assert r.returncode == 0, r.stdout + r.stderr
    with pytest.raises(AssertionError):
        s.start()
    assert 'away for longer than the log is kept' in s.logged()
