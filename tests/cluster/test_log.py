"""crumb log init and crumb log check beside real brokers: what init makes has no fault, each fault is named, and the command that it names mends it."""
import json
import os
import subprocess
import uuid

import pytest
from harness import BUILD, ROOT, until
from kafka import JAVA, LIBS

TOOLS = {'kafka-acls.sh': 'org.apache.kafka.tools.AclCommand', 'kafka-configs.sh': 'kafka.admin.ConfigCommand', 'kafka-reassign-partitions.sh': 'org.apache.kafka.tools.reassign.ReassignPartitionsCommand'}


class Log:
    """Topics of its own, and crumb's commands about them."""

    def __init__(self, cluster, folder, shards=4):
        self.cluster, self.folder = cluster, folder
        name = uuid.uuid4().hex[:8]
        self.log, self.control = name + '.log', name + '.control'
        self.options = {'log.brokers': cluster.bootstrap, 'log.topic': self.log, 'log.control': self.control, 'log.timeout_ms': 30000, 'store.shards': shards, 'store.path': folder / 'store'}
        tools = folder / 'tools'
        tools.mkdir()
        for script, main in TOOLS.items():
            (tools / script).write_text('#!/bin/sh\nexec %s -Xmx128m -XX:TieredStopAtLevel=1 -cp "%s/*" %s "$@"\n' % (JAVA, LIBS, main))
            (tools / script).chmod(0o755)

    def crumb(self, *arguments, code=0, **options):
        given = {**self.options, **{'log.' + k: v for k, v in options.items()}}
        r = subprocess.run([os.path.join(BUILD, 'crumb')] + [a for k, v in given.items() for a in ('-o', '%s=%s' % (k, v))] + ['log', *arguments],
                           capture_output=True, text=True, timeout=120)
        assert code is None or r.returncode == code, (arguments, r.returncode, r.stdout[-2000:], r.stderr[-2000:])
        return r.stdout or r.stderr

    def js(self, *arguments, **kw):
        return json.loads(self.crumb(*arguments, '--json', **kw))

    def check(self, code=0, **options):
        return self.js('check', code=code, **options)

    def faults(self, **options):
        return {(f['topic'], f['setting']): (f['is'], f['must']) for f in self.check(code=1, **options)['faults']}

    def shell(self, command):
        """With Kafka's own commands beside the system's."""
        r = subprocess.run(['sh', '-ec', command], cwd=self.folder, env={**os.environ, 'PATH': '%s:%s' % (self.folder / 'tools', os.environ['PATH'])},
                           capture_output=True, text=True, timeout=120)
        assert r.returncode == 0, (command, r.stdout[-1000:], r.stderr[-1000:])

    def mend(self):
        for f in self.check(code=1)['faults']:
            self.shell(f['mend'])


@pytest.fixture
def log(one, tmp_path):
    return Log(one, tmp_path)


@pytest.fixture
def log3(three, tmp_path):
    return Log(three, tmp_path)


def test_what_is_made_has_no_fault_and_is_made_once(log):
    assert log.faults() == {(t, 'topic'): ('missing', 'there') for t in (log.log, log.control)}
    made = log.js('init')
    assert made == {'ok': True, 'brokers': 1, 'faults': [], 'topics': [{'topic': log.log, 'there': True, 'partitions': 4, 'replicas': 1},
                                                                       {'topic': log.control, 'there': True, 'partitions': 1, 'replicas': 1}]}
    assert log.check() == log.js('init') == made
    is_so = log.cluster.settings(log.log)
    assert {k: is_so[k] for k in ('cleanup.policy', 'retention.ms', 'segment.ms', 'message.timestamp.type', 'min.insync.replicas', 'unclean.leader.election.enable')} == {
        'cleanup.policy': 'delete', 'retention.ms': '86400000', 'segment.ms': '3600000', 'message.timestamp.type': 'LogAppendTime', 'min.insync.replicas': '1',
        'unclean.leader.election.enable': 'false'}
    assert log.cluster.settings(log.control)['retention.ms'] == str(91 * 86400000)
    assert log.crumb('check').splitlines() == ['%s: 4 partitions, 1 replica, on 1 broker' % log.log, '%s: 1 partition, 1 replica, on 1 broker' % log.control,
                                               'every setting keeps what crumb promises']


def test_each_fault_is_named_and_its_command_mends_it(log):
    # what brokers give a topic of which nothing is said
    log.cluster.topic(log.log, 4)
    log.cluster.topic(log.control, 1, cleanup_policy='compact', unclean_leader_election_enable='true', retention_bytes=1000000, max_message_bytes=100000)
    week = str(7 * 86400000)
    assert log.faults() == {
        (log.log, 'retention.ms'): (week, '3600000 to 86400000'),
        (log.log, 'segment.ms'): (week, '1000 to 3600000'),
        (log.log, 'message.timestamp.type'): ('CreateTime', 'LogAppendTime'),
        (log.control, 'cleanup.policy'): ('compact', 'delete'),
        (log.control, 'retention.ms'): (week, '7862400000 to 7948800000'),
        (log.control, 'retention.bytes'): ('1000000', '-1'),
        (log.control, 'segment.ms'): (week, '1000 to 86400000'),
        (log.control, 'message.timestamp.type'): ('CreateTime', 'LogAppendTime'),
        (log.control, 'unclean.leader.election.enable'): ('true', 'false'),
        (log.control, 'max.message.bytes'): ('100000', '1000000 to 2147483647')}
    said = log.crumb('check', code=1)
    assert '%s: retention.ms is %s, and must be 3600000 to 86400000: ' % (log.log, week) in said
    # init leaves a topic that is there as it is, and says the same
    assert log.crumb('init', code=1) == said
    log.mend()
    assert log.check()['ok']


def test_a_log_with_too_few_partitions_gets_more_and_none_is_taken_away(log):
    log.cluster.topic(log.log, 2, retention_ms=86400000, segment_ms=3600000, message_timestamp_type='LogAppendTime')
    log.cluster.produce(log.log, b'of shard 1', partition=1)
    assert (log.log, 'partitions') in log.faults()
    assert log.js('init')['topics'][0]['partitions'] == 4
    assert log.cluster.consume(log.log, 1, partition=1) == [(0, None, b'of shard 1')]
    log.options['store.shards'] = 2
    assert log.faults() == {(log.log, 'partitions'): ('4', '2')}
    assert 'store.shards: 4' in log.crumb('init', code=1)


def test_partitions_of_a_log_whose_store_is_not_there_yet(log):
    assert log.crumb('init', '--partitions', '6', code=0).startswith('store.shards: 6 belongs into')
    assert log.faults() == {(log.log, 'partitions'): ('6', '4')}


def test_three_brokers_have_three_replicas_and_two_acknowledge(log3):
    assert 'with one replica, an answered hit is on one of them only' in log3.crumb('init', '--replicas', '1', code=1)
    assert 'there are not 4 brokers' in log3.crumb('init', '--replicas', '4', code=1)
    assert log3.faults()     # neither made anything
    assert [t['replicas'] for t in log3.js('init')['topics']] == [3, 3]
    assert log3.cluster.settings(log3.log)['min.insync.replicas'] == '2'
    assert log3.check()['ok']


def test_one_replica_on_three_brokers_is_a_fault_and_its_command_makes_others(log3):
    settings = {'message_timestamp_type': 'LogAppendTime', 'segment_ms': 3600000}
    log3.cluster.topic(log3.log, 4, retention_ms=86400000, **settings)
    log3.cluster.topic(log3.control, 1, replicas=2, min_insync_replicas=2, retention_ms=91 * 86400000, **settings)
    assert log3.faults() == {(log3.log, 'replicas'): ('1', '3'), (log3.log, 'min.insync.replicas'): ('1', '2')}
    log3.mend()
    log3.cluster.in_sync_everywhere(log3.log, 3)
    assert log3.check()['topics'][0]['replicas'] == 3


def test_how_many_acknowledge_goes_by_the_brokers(one, three, tmp_path):
    (tmp_path / '1').mkdir(), (tmp_path / '3').mkdir()
    alone, among = Log(one, tmp_path / '1'), Log(three, tmp_path / '3')
    alone.js('init')
    among.js('init', '--replicas', '2')
    assert (alone.cluster.settings(alone.log)['min.insync.replicas'], among.cluster.settings(among.log)['min.insync.replicas']) == ('1', '2')
    assert alone.check()['ok'] and among.check()['ok']


def test_settings_that_brokers_do_not_show_are_a_fault_unless_they_are_taken_to_be_right(log):
    log.js('init')
    rule = 'kafka-acls.sh --bootstrap-server %s --add --topic %s ' % (log.cluster.bootstrap, log.log)
    log.shell(rule + '--allow-principal "User:*" --operation All && ' + rule + '--deny-principal "User:*" --operation DescribeConfigs')
    found = until(lambda: (f := log.js('check', code=None))['faults'] and f)
    assert not found['ok'] and [(f['topic'], f['setting'], f['seen']) for f in found['faults']] == [(log.log, 'settings', False)]
    assert 'Topic authorization failed' in log.crumb('check', code=1)
    assert log.check(unsafe='yes')['ok']
    assert 'log.unsafe is yes: what cannot be seen is taken to be right' in log.crumb('check', unsafe='yes')
    # what can be seen is looked at all the same
    log.shell('kafka-configs.sh --bootstrap-server %s --alter --entity-type topics --entity-name %s --add-config cleanup.policy=compact' % (log.cluster.bootstrap, log.control))
    assert (log.control, 'cleanup.policy') in log.faults(unsafe='yes')


def test_settings_for_librdkafka_are_handed_to_it(log):
    log.js('init', kafka='security.protocol: plaintext, client.id=crumb')


def starts(log, **options):
    """A crumbd that follows the topics: it runs, or says why not."""
    given = {**log.options, 'log.kind': 'kafka', 'collect.listen': '127.0.0.1:0', 'admin.listen': '127.0.0.1:0', 'rules.path': os.path.join(ROOT, 'etc', 'rules'), **{'log.' + k: v for k, v in options.items()}}
    p = subprocess.Popen([os.path.join(BUILD, 'crumbd')] + [a for k, v in given.items() for a in ('-o', '%s=%s' % (k, v))], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    said = ''
    for line in p.stdout:
        said += line
        if line.startswith('ready'):
            break
    p.terminate()
    said += p.stdout.read()
    return p.wait(60), said


def test_a_server_does_not_start_on_topics_that_would_break_a_promise(log):
    code, said = starts(log)
    assert code == 1 and 'there is no such topic' in said and 'crumb log check' in said, said
    log.crumb('init')
    code, said = starts(log)
    assert code == 0, said
    log.shell('kafka-configs.sh --bootstrap-server %s --alter --entity-type topics --entity-name %s --add-config retention.ms=604800000' % (log.cluster.bootstrap, log.log))
    until(lambda: log.crumb('check', code=None) and log.js('check', code=None)['faults'])
    code, said = starts(log, unsafe='yes')
    assert code == 1 and 'retention.ms is 604800000' in said, said
