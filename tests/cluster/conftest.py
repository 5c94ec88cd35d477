import os
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), 'functional')]
from harness import Server  # noqa: E402
from kafka import Cluster  # noqa: E402


def cluster(n):
    made = Cluster(n)
    yield made
    made.close()


@pytest.fixture(scope='session')
def one():
    """One broker for all tests: each takes topics of its own, and ends no broker."""
    yield from cluster(1)


@pytest.fixture(scope='session')
def three():
    """Three brokers. A test that ends one starts it again."""
    yield from cluster(3)
