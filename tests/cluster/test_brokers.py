"""The brokers that the other tests stand on: what is acknowledged is there, also when one of three dies."""
import signal

import confluent_kafka
import pytest
from harness import until


def test_one_broker_takes_a_record_and_gives_it_back(one):
    topic = one.topic()
    assert one.produce(topic, b'a hit', key=b'its id') == 0
    assert one.consume(topic, 1) == [(0, b'its id', b'a hit')]


def test_three_go_on_without_the_leader_and_not_without_two(three):
    topic = three.topic(replicas=3, min_insync_replicas=2)
    assert three.produce(topic, b'before') == 0
    dead = three.leader(topic)
    dead.stop(signal.SIGKILL)
    # no broker has been told yet that it is gone: a producer waits, and the record comes after
    assert three.produce(topic, b'after') == 1
    other = until(lambda: (l := three.leader(topic)) and l is not dead and l)
    assert three.consume(topic, 2) == [(0, None, b'before'), (1, None, b'after')]

    # the last of three answers no one alone
    other.stop(signal.SIGKILL)
    with pytest.raises(confluent_kafka.KafkaException):
        three.produce(topic, b'to nobody', seconds=3)

    dead.start()
    other.start()
    three.up(3)
    until(lambda: len(three.in_sync(topic)) == 3)
    end = three.produce(topic, b'all are back')
    # what was not acknowledged may be there all the same, but nothing else
    found = three.consume(topic, 3)
    assert [v for _, _, v in found[:2]] == [b'before', b'after']
    assert end in (2, 3) and found[-1][2] in (b'all are back', b'to nobody')
