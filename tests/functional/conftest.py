import os
import sys
import zlib

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import Server  # noqa: E402


def pytest_collection_modifyitems(config, items):
    """CRUMB_SHARE="3 WORD" runs a third of the tests, another one for each word: sanitizer builds are slow. Which ones, name and word alone decide."""
    n, _, word = os.environ.get('CRUMB_SHARE', '1').partition(' ')
    left = [i for i in items if zlib.crc32((word + i.nodeid).encode()) % int(n)]
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = [i for i in items if i not in left]


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
