"""Without memory a request is shed, and the server goes on: it lives, answers an error or the right answer, and takes hits."""
import json
import os
import subprocess
import sys

import pytest

from harness import BUILD, Browser, ROOT, RULES, Server, until

sys.path.insert(0, os.path.join(ROOT, 'tests', 'faults'))
from control import Control  # noqa: E402

DESTINATIONS = '''destinations:
  - {id: live, format: stream}
'''
ASKED = [
    ('GET', '/metrics', b''), ('GET', '/v1/segments', b''), ('GET', '/v1/segment?id=coat-fans', b''), ('GET', '/v1/categories', b''), ('GET', '/v1/rules/status', b''),
    ('GET', '/v1/destinations', b''), ('GET', '/v1/deliveries', b''), ('GET', '/v1/report/segments?days=2', b''), ('GET', '/v1/report/deliveries?days=2', b''),
    ('GET', '/v1/report/summary', b''), ('GET', '/v1/quarantine', b''), ('GET', '/v1/stream?to=live&wait=0', b''),
    ('POST', '/v1/import', b'{"id":"a","t":%d,"e":"view","u":"https://shop.example/coats/1"}\n')]


def shim():
    made = subprocess.run(['make', '-s', 'SETUP=no', '%s/test/faults-shim.so' % os.path.relpath(BUILD, ROOT)], cwd=ROOT, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    return os.path.join(BUILD, 'test', 'faults-shim.so')


@pytest.fixture
def starved():
    """Folds wait until somebody asks for them: a fold without memory ends the server, as it should, and is not what these tests are about."""
    if not BUILD.endswith('build'):
        pytest.skip('a sanitizer has a malloc() of its own')
    s = Server(RULES.replace('coats >= 3 in 14d}', 'coats >= 3 in 14d, destinations: [live]}', 1), ('stream.keep_h=24', 'store.shards=4', 'fold.pace_ms=10000'), destinations=DESTINATIONS)
    control = Control(os.path.join(s.dir, 'control'))
    s.start(command=['env', 'LD_PRELOAD=' + shim(), 'CRUMB_FAULT_CONTROL=' + control.path, 'CRUMB_FAULT_ROOT=' + s.dir])
    for _ in range(25):
        Browser.known(s).events(*[{'u': 'https://shop.example/coats/%d' % i} for i in range(4)])
    s.settle()
    until(lambda: os.path.exists(os.path.join(s.store, 'kept')))    # the night's work is another test's (make faults)
    yield s, control
    control.close()
    s.close()


def fine(status, body):
    """The whole of an answer, or a refusal in words."""
    assert status in (200, 202, 503), (status, body)
    return status == 200


def alive(s, control, path, first):
    if s.process.poll() is None:
        return
    trace = [l.rsplit('/', 1)[-1] for l in control.trace()]
    pytest.fail('%s: ended at allocation %d: %s\n%s' % (path, first, [l for l in s.logged().splitlines() if 'fatal' in l], '\n'.join(trace)))


def test_questions_and_jobs_are_shed(starved):
    s, control = starved
    refused = 0
    for method, path, body in ASKED:
        body = body % s.now() if b'%d' in body else body
        status, _, right = s.http(method, path, body, admin=True)
        assert status == 200, (path, right)
        first = 1
        while first < 4000:
            control.arm('memory', 'any', first, 'fail', 12, 1)
            try:
                status, _, got = s.http(method, path, body, admin=True)
            except (ConnectionError, OSError) as e:             # no memory for the connection itself
                status, got = None, b''
            fired = control.fired
            control.disarm()
            alive(s, control, path, first)
            if status is not None and fine(status, got):
                if path not in ('/metrics', '/v1/import') and 'stream' not in path and 'status' not in path and 'summary' not in path:
                    assert json.loads(got) == json.loads(right), (path, first, got, right)
            refused += status == 503
            if not fired:
                break
            first += 1 if first < 60 else 7
        assert Browser(s).hit('/coats/9') == 200, path
        s.settle()                                  # with memory
    assert refused > 50
    s.settle()
    s.verify()


def test_look_ups_are_shed(starved):
    s, control = starved
    b = Browser.known(s)
    b.events(*[{'u': 'https://shop.example/coats/%d' % i} for i in range(4)])
    s.settle()
    right = {}
    for path in ('/segments', '/segments?fresh=1', '/me', '/me?format=json'):
        right[path] = b.request('GET', path)[2]
        for first in range(1, 60):
            control.arm('memory', 'any', first, 'fail', 12, 1)
            try:
                status, _, got = b.request('GET', path)
            except (ConnectionError, OSError):
                status, got = None, b''
            fired = control.fired
            control.disarm()
            alive(s, control, path, first)
            if status is not None and fine(status, got):
                assert got == right[path], (path, first, got)
            if not fired:
                break
        assert b.hit('/coats/9') == 200
        s.settle()
