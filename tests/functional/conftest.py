import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import Server  # noqa: E402


@pytest.fixture
def make():
    """Makes servers; ends them, and fails when one of them has something to say about memory or races."""
    servers = []

    def new(*args, **kw):
        servers.append(Server(*args, **kw))
        return servers[-1].start()
    yield new
    for s in servers:
        s.close()


@pytest.fixture
def server(make):
    return make()
