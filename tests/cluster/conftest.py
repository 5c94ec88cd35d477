import os
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), 'functional')]
from harness import Server  # noqa: E402
from kafka import Cluster  # noqa: E402


def cluster(n, more=''):
    made = Cluster(n, more)
    yield made
    made.close()


@pytest.fixture(scope='session')
def one():
    """One broker for all tests: each takes topics of its own, and ends no broker."""
    # whoever has no rule may do everything, so a test can forbid something on its own topic
    yield from cluster(1, 'authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer\nallow.everyone.if.no.acl.found=true')


@pytest.fixture(scope='session')
def three():
    """Three brokers. A test that ends one starts it again."""
    yield from cluster(3)
