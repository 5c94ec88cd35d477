"""crumb log init and crumb log check without a broker: what they refuse, and that they do not wait for ever. tests/cluster has those beside brokers."""
import os
import subprocess
import time

import pytest
from harness import BUILD, ROOT, SLOW


def log(*arguments, **options):
    """Exit status and words of `crumb log …`."""
    given = {'log.brokers': '127.0.0.1:1', 'log.timeout_ms': 300, 'store.path': '/nowhere/store', **{'log.' + k: v for k, v in options.items()}}
    r = subprocess.run([os.path.join(BUILD, 'crumb')] + [a for k, v in given.items() for a in ('-o', '%s=%s' % (k, v))] + ['log', *arguments],
                       capture_output=True, text=True, timeout=60 * SLOW)
    return r.returncode, r.stdout + r.stderr


@pytest.mark.parametrize('command', ['init', 'check'])
def test_brokers_that_are_not_there_are_said_with_the_reason(command):
    before = time.monotonic()
    code, said = log(command)
    assert code == 1 and '127.0.0.1:1: no broker answers: ' in said and 'Connection refused' in said
    assert time.monotonic() - before < 30 * SLOW     # not as long as librdkafka would wait
    code, said = log(command, brokers='')
    assert code == 1 and 'log.brokers names no broker' in said


def test_settings_that_cannot_be_are_refused_by_their_names():
    for setting, why in (('no.such.setting=1', 'log.kafka.no.such.setting: '), ('security.protocol', 'NAME: VALUE is meant'), (':1', 'NAME: VALUE is meant'),
                         ('security.protocol: nonsense', 'log.kafka.security.protocol: '), ('client.id: a, acks: 1', 'log.kafka.acks: crumb sets this itself'),
                         ('client.id: a,, socket.timeout.ms = 1000 ,', 'no broker answers')):
        code, said = log('check', kafka=setting)
        assert code == 1 and why in said, said
    code, said = log('check', topic='crumb.control')
    assert code == 1 and 'log.topic and log.control are the same topic' in said


def test_what_is_wrong_without_a_broker_is_refused_at_start_whatever_is_unsafe(tmp_path):
    options = {'log.kind': 'kafka', 'log.brokers': '127.0.0.1:1', 'log.topic': 'same', 'log.control': 'same', 'log.unsafe': 'yes', 'store.path': tmp_path / 'store', 'collect.listen': '127.0.0.1:0', 'admin.listen': '127.0.0.1:0',
               'rules.path': os.path.join(ROOT, 'etc', 'rules')}
    r = subprocess.run([os.path.join(BUILD, 'crumbd')] + [a for k, v in options.items() for a in ('-o', '%s=%s' % (k, v))], capture_output=True, text=True, timeout=60 * SLOW)
    assert r.returncode == 1 and 'log.topic and log.control are the same topic' in r.stderr, r.stderr


def test_numbers_are_within_bounds():
    for words in (('--partitions', '0'), ('--partitions', '257'), ('--partitions', 'four'), ('--replicas', '0'), ('--replicas', '32768'), ('--replica', '1')):
        code, said = log('init', *words)
        assert code == 2, said


def test_a_store_that_is_there_says_how_many_partitions(server):
    server.options.append('log.brokers=127.0.0.1:1')
    said = server.cli('log', 'init', '--partitions', '5', ok=(1,)).stderr
    assert 'a partition is a shard, and the store here has 4' in said
