"""make run without make: the demo, and how it ends."""
import os
import re
import signal
import subprocess
import sys
import threading
import time

import pytest

from harness import BUILD, ROOT

pytestmark = pytest.mark.skipif(not BUILD.endswith('build'), reason='the demo runs what make builds')


def demo(store):
    """The process, and what it says until it is ready or over."""
    p = subprocess.Popen([sys.executable, os.path.join(ROOT, 'tools', 'demo', 'demo.py')], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                         env=dict(os.environ, CRUMB_DEMO_STORE=str(store)))
    watch = threading.Timer(120, p.kill)
    watch.start()
    words = ''
    for line in p.stdout:
        words += line
        if 'Ctrl-C ends' in line:
            break
    watch.cancel()
    return p, words


def gone(pid):
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            with open('/proc/%d/stat' % pid) as f:
                if f.read().rsplit(')', 1)[1].split()[0] == 'Z':
                    return True
        except FileNotFoundError:
            return True
        time.sleep(0.02)
    return False


def test_crumbd_ends_with_it_and_a_failed_start_is_no_success(tmp_path):
    """One after the other: a demo looks for its ports before crumbd takes them."""
    for how in (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP):
        p, words = demo(tmp_path / 'store')
        crumbd = int(re.search(r'kill -HUP (\d+)', words).group(1))
        p.send_signal(how)
        code = p.wait(60)
        p.stdout.close()
        assert gone(crumbd) and code == (-how if how == signal.SIGKILL else 0), how
    (tmp_path / 'file').write_text('no folder')
    p, words = demo(tmp_path / 'file')
    p.stdout.close()
    assert p.wait(60) == 1 and 'crumbd did not start' in words
