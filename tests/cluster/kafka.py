"""Real Kafka brokers in KRaft mode, on free ports of loopback, with their files in a folder of their own.

Every broker is a controller, too, so one is a whole cluster and of three any two go on. They have 256 MB of heap. CRUMB_KAFKA names the folder of their
archives (tools/cluster-test.sh sets it). They end when the process ends that made them, however it ends.

Tests talk to them through librdkafka, as crumb does, by Debian's python3-confluent-kafka."""
import base64
import ctypes
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import uuid

import confluent_kafka
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic
from harness import ROOT, until

LIBS = os.environ.get('CRUMB_KAFKA', os.path.join(ROOT, 'build', 'kafka', 'libs'))
JAVA = os.path.join(os.environ['JAVA_HOME'], 'bin', 'java') if os.environ.get('JAVA_HOME') else 'java'
# Small, and soon there: nothing runs long enough for an optimizing compiler to pay.
JVM = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Dlog4j2.level=WARN', '-cp', LIBS + '/*']
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)

# Below what an operator's file has: little, and quick to see that a broker is gone.
SMALL = '''offsets.topic.num.partitions=1
transaction.state.log.num.partitions=1
group.initial.rebalance.delay.ms=0
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=6000
num.network.threads=2
num.io.threads=2
log.cleaner.dedupe.buffer.size=8388608
'''


def properties(n):
    """The file that docs/CLUSTER.md gives for one broker or for the first of three, to be filled in."""
    with open(os.path.join(ROOT, 'docs', 'CLUSTER.md')) as f:
        one, three = re.findall(r'^```properties\n(.*?)^```$', f.read(), re.M | re.S)
    text = one if n == 1 else three
    for pattern, ours in (('^node.id=1$', 'node.id={id}'), ('^(controller.quorum.voters)=.*', r'\1={voters}'), (r'[a-z0-9.]+:9092', '127.0.0.1:{port}'),
                          (r'[a-z0-9.]+:9093', '127.0.0.1:{controller}'), ('^(log.dirs)=.*', r'\1={folder}/data')):
        text, found = re.subn(pattern, ours, text, flags=re.M)
        assert found == 1, pattern
    return text + SMALL


def ends_with_its_parent():
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def free_port(taken):
    """Below those that the system gives to clients: nobody takes it while its broker is down."""
    while True:
        port = random.randrange(15000, 32000)
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)     # as the broker does
            try:
                s.bind(('127.0.0.1', port))
            except OSError:
                continue
        if port not in taken:
            taken.add(port)
            return port


class Broker:
    def __init__(self, cluster, number):
        self.cluster, self.number = cluster, number
        self.folder = os.path.join(cluster.folder, str(number))
        self.properties, self.log = os.path.join(self.folder, 'server.properties'), os.path.join(self.folder, 'log')
        self.port, self.controller = free_port(cluster.ports), free_port(cluster.ports)
        self.process = None
        os.mkdir(self.folder)

    def run(self, *command):
        with open(self.log, 'a') as log:
            return subprocess.Popen([JAVA] + JVM + list(command), stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=ends_with_its_parent)

    def said(self):
        with open(self.log, errors='replace') as f:
            return f.read()[-2000:]

    def format(self, voters, n, more):
        with open(self.properties, 'w') as f:
            f.write(properties(n).format(id=self.number, voters=voters, port=self.port, controller=self.controller, folder=self.folder) + more + '\n')
        return self.run('kafka.tools.StorageTool', 'format', '-t', self.cluster.id, '-c', self.properties)

    def start(self):
        assert not self.process
        self.process = self.run('kafka.Kafka', self.properties)

    def send(self, sig):
        self.process.send_signal(sig)

    def stop(self, sig=signal.SIGTERM):
        """SIGTERM: it hands its partitions over first. SIGKILL: it does not."""
        if self.process:
            self.process.send_signal(signal.SIGCONT)    # one that is stopped hears nothing
            self.process.send_signal(sig)
            self.process.wait(60)
            self.process = None


class Cluster:
    def __init__(self, n=1, more=''):
        assert os.path.isdir(LIBS), '%s is not there: run make cluster-test' % LIBS
        # as Kafka's own random-uuid: a word that begins with '-' would be taken for an option
        self.id = next(i for i in iter(lambda: base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip('='), None) if i[0] != '-')
        self.folder = tempfile.mkdtemp(prefix='crumb-kafka.')
        self.ports = set()
        self.brokers = [Broker(self, i + 1) for i in range(n)]
        self.bootstrap = ','.join('127.0.0.1:%d' % b.port for b in self.brokers)
        voters = ','.join('%d@127.0.0.1:%d' % (b.number, b.controller) for b in self.brokers)
        try:
            for broker, process in [(b, b.format(voters, n, more)) for b in self.brokers]:
                assert process.wait(120) == 0, broker.said()
            for b in self.brokers:
                b.start()
            self.admin = AdminClient({'bootstrap.servers': self.bootstrap, 'reconnect.backoff.max.ms': 200, 'log_level': 0})
            self.up(n)
        except BaseException:
            self.close()
            raise

    def metadata(self):
        try:
            return self.admin.list_topics(timeout=5)
        except confluent_kafka.KafkaException:
            return None

    def up(self, n):
        """Waits until so many of them are in the cluster."""
        def there():
            for b in self.brokers:
                assert not b.process or b.process.poll() is None, 'broker %d ended: %s' % (b.number, b.said())
            found = self.metadata()
            return found and len(found.brokers) == n
        until(there, lambda: '\n'.join(b.said() for b in self.brokers))

    def leader(self, topic, partition=0):
        """The broker that leads a partition now; None: no one does."""
        found = self.metadata()
        where = found and found.topics[topic].partitions[partition].leader
        return self.brokers[where - 1] if where and where > 0 else None

    def in_sync(self, topic, partition=0):
        found = self.metadata()
        return found.topics[topic].partitions[partition].isrs if found else []

    def in_sync_everywhere(self, topic, n):
        """Waits until each partition has so many replicas in sync."""
        until(lambda: (found := self.metadata()) and all(len(p.isrs) == n for p in found.topics[topic].partitions.values()))

    def topic(self, name=None, partitions=1, replicas=1, **settings):
        """A new topic, its name if none is wanted. Settings have _ where Kafka has dots."""
        name = name or 'test-' + uuid.uuid4().hex[:12]
        new = NewTopic(name, partitions, replicas, config={k.replace('_', '.'): str(v) for k, v in settings.items()})
        self.admin.create_topics([new])[name].result(60)
        # made by the controller; brokers hear of it a little later
        until(lambda: name in (self.metadata().topics if self.metadata() else {}) and all(self.leader(name, p) for p in range(partitions)))
        return name

    def drop(self, *names):
        for f in self.admin.delete_topics(list(names)).values():
            f.result(60)
        until(lambda: (found := self.metadata()) and not set(names) & set(found.topics))

    def settings(self, topic):
        found = self.admin.describe_configs([ConfigResource('topic', topic)])
        return {k: v.value for k, v in next(iter(found.values())).result(60).items()}

    def produce(self, topic, value, partition=0, key=None, seconds=60, **settings):
        """Its offset, once all replicas in sync have it; KafkaException: they do not."""
        told = []
        producer = confluent_kafka.Producer({'bootstrap.servers': self.bootstrap, 'acks': 'all', 'message.timeout.ms': seconds * 1000, 'reconnect.backoff.max.ms': 200,
                                             'log_level': 0, **settings})
        producer.produce(topic, value, key, partition, on_delivery=lambda e, m: told.append((e, m)))
        assert producer.flush(seconds + 10) == 0 and len(told) == 1
        if told[0][0]:
            raise confluent_kafka.KafkaException(told[0][0])
        return told[0][1].offset()

    def consume(self, topic, n, partition=0, offset=0):
        """So many records from there on, as (offset, key, value)."""
        consumer = confluent_kafka.Consumer({'bootstrap.servers': self.bootstrap, 'group.id': 'tests', 'enable.auto.commit': False, 'auto.offset.reset': 'error',
                                             'fetch.wait.max.ms': 5, 'reconnect.backoff.max.ms': 200, 'log_level': 0})
        try:
            consumer.assign([confluent_kafka.TopicPartition(topic, partition, offset)])
            found = []

            def enough():
                m = consumer.poll(1)
                if m and not m.error():
                    found.append((m.offset(), m.key(), m.value()))
                return len(found) >= n
            until(enough, lambda: 'only %r' % found)
            return found
        finally:
            consumer.close()

    def close(self):
        for b in self.brokers:
            if b.process:
                b.process.kill()
        for b in self.brokers:
            b.stop(signal.SIGKILL)
        shutil.rmtree(self.folder)
