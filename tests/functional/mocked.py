"""A Kafka cluster in memory (tests/cluster/mock.c), for tests of a crumbd whose log is there. It has one broker and a topic; a test ends it, slows it, lets it
refuse, and puts records there that are not crumb's."""
import os
import subprocess

from harness import BUILD, ROOT

MOCK = os.path.join(ROOT, 'build', 'test', 'mock-cluster')      # none of crumb: the same for each build tree
TOPIC = 'crumb.log'


def with_kafka():
    """Was crumb built with librdkafka (make KAFKA=no leaves it out)?"""
    with open(os.path.join(BUILD, 'crumbd'), 'rb') as f:
        return b'rd_kafka_new' in f.read()


class Mock:
    def __init__(self, partitions=4):
        assert os.path.exists(MOCK), 'make build/test/mock-cluster'
        self.process = subprocess.Popen([MOCK, TOPIC, str(partitions)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.bootstrap = self.process.stdout.readline().strip()
        assert self.bootstrap

    def does(self, command, *arguments):
        """What it answers, without its ok."""
        self.process.stdin.write(' '.join([command] + [str(a) for a in arguments]) + '\n')
        self.process.stdin.flush()
        word, _, rest = self.process.stdout.readline().strip().partition(' ')
        assert word == 'ok', (command, arguments, word)
        return rest

    def options(self, timeout_ms=5000):
        """What makes a crumbd use it. The mock answers no fetch before its time is over, so that is short; and shows no settings of a topic."""
        return ['log.kind=kafka', 'log.brokers=' + self.bootstrap, 'log.topic=' + TOPIC, 'log.timeout_ms=%d' % timeout_ms, 'log.unsafe=yes', 'log.kafka=fetch.wait.max.ms: 5']

    def ends(self):
        """First and next offset of each partition."""
        return [tuple(int(n) for n in part.split('-')) for part in self.does('ends').split()]

    def records(self):
        return sum(end - first for first, end in self.ends())

    def save(self, path):
        self.does('save', path)
        with open(path, 'rb') as f:
            return f.read()

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(30)
