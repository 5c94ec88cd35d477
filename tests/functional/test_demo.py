"""make run without make: the demo, what is in it, and how it ends."""
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request

import pytest

from harness import BUILD, ROOT

sys.path.insert(0, os.path.join(ROOT, 'tools', 'demo'))
import traffic  # noqa: E402

pytestmark = pytest.mark.skipif(not BUILD.endswith('build'), reason='the demo runs what make builds')
VISITORS = 4000


def demo(folder):
    """The process, and what it says until it is ready or over."""
    p = subprocess.Popen([sys.executable, '-B', os.path.join(ROOT, 'tools', 'demo', 'demo.py')], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                         env=dict(os.environ, CRUMB_DEMO=str(folder), CRUMB_DEMO_VISITORS=str(VISITORS)))
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


def child(pid):
    """The one process that it started."""
    with open('/proc/%d/task/%d/children' % (pid, pid)) as f:
        return int(f.read())


def crumb(folder, *arguments):
    r = subprocess.run([os.path.join(BUILD, 'crumb'), '-c', '%s.yaml' % folder] + list(arguments), capture_output=True, text=True)
    assert r.returncode == 0, (arguments, r.stdout, r.stderr)
    return r.stdout


def test_the_demo_is_alive_and_what_it_says_works(tmp_path):
    folder = tmp_path / 'demo'
    p, words = demo(folder)
    try:
        assert 'making up 30 days of a shop with 4,000 visitors' in words and 'curl' not in words and '-o ' not in words
        commands = re.findall(r'crumb -c %s\.yaml (.*?)(?:  .*)?$' % folder, words, re.M)
        assert len(commands) == 11, words
        assert commands[-1] == 'rules deploy'
        commands[-1] += ' --yes'
        for command in commands:
            out = crumb(folder, *(a.strip("'") for a in re.findall(r"'[^']*'|\S+", command)))
            assert out, command
            if command == 'segments list':
                assert '< 20' not in out and len(out.splitlines()) >= 9, out
            if command.startswith('segments show'):
                assert len(re.findall(r'^ *\d{4}-\d\d-\d\d +\d+ ', out, re.M)) > 15, out
            if command == 'deliveries':
                assert out.count('newsletter-') > 3 and 'ads-full-' in out, out
        assert os.listdir(folder / 'delivered' / 'ads') and os.listdir(folder / 'delivered' / 'newsletter')
        for url in re.findall(r'http://\S+', words):
            assert urllib.request.urlopen(url, timeout=20).status == 200
        # a second one beside it
        q, other = demo(folder)
        q.stdout.close()
        assert q.wait(60) == 1 and 'process %d, http://127.0.0.1:' % p.pid in other, other
    finally:
        p.send_signal(signal.SIGINT)
        assert p.wait(60) == 0
        p.stdout.close()


def test_crumbd_ends_with_it_and_a_failed_start_is_no_success(tmp_path):
    for i, how in enumerate((signal.SIGKILL, signal.SIGTERM, signal.SIGHUP)):
        p, words = demo(tmp_path / 'demo')
        assert ('making up' in words) == (i == 0), words          # the past is made once
        crumbd = child(p.pid)
        p.send_signal(how)
        code = p.wait(60)
        p.stdout.close()
        assert gone(crumbd) and code == (-how if how == signal.SIGKILL else 0), how
    (tmp_path / 'file').write_text('no folder')
    p, words = demo(tmp_path / 'file')
    p.stdout.close()
    assert p.wait(60) == 1 and 'is no folder' in words
    (tmp_path / 'demo' / 'rules' / 'shop.yaml').write_text('version: 1\nsegments: [{id: x, wen: y}]\n')
    p, words = demo(tmp_path / 'demo')
    p.stdout.close()
    assert p.wait(60) == 1 and re.search(r'(shop|demo)\.yaml:\d+:', words) and 'crumbd did not start' in words


def test_the_same_seed_makes_the_same_shoppers():
    now = 1790000000
    one = traffic.days_of(now, 30, 500)
    assert one == traffic.days_of(now, 30, 500) and one != traffic.days_of(now, 30, 500, seed=17)
    assert len(one) == 30 and all(one)
    for i, lines in enumerate(one):
        times = [int(re.search(r'"t":(\d+)', line).group(1)) for line in lines]
        assert times == sorted(times) and all(now - (30 - i) * 86400 <= t < now - (29 - i) * 86400 for t in times)


def test_the_first_hour_of_a_marketer(tmp_path):
    """Every command and file of docs/marketers.md, in its order, as it stands there."""
    with open(os.path.join(ROOT, 'docs', 'marketers.md')) as f:
        text = f.read()
    blocks = re.findall(r'^```yaml\n(.*?)^```|((?:^    \S[^\n]*\n)+)', text, re.M | re.S)
    p, words = demo(tmp_path / 'demo')
    env = dict(os.environ, CRUMB_CONFIG='%s/demo.yaml' % tmp_path, PATH=BUILD + ':' + os.environ['PATH'])
    said, ran = '', 0
    try:
        for block, lines in blocks:
            if 'tests:' in block:
                (tmp_path / 'mine.yaml').write_text(block)
            elif block:
                with open(tmp_path / 'demo' / 'rules' / 'shop.yaml', 'a') as f:
                    f.write(block)
            for line in re.sub(r'^ {4}', '', lines, flags=re.M).splitlines():
                if line.startswith('export '):
                    continue
                line = line.replace('rules deploy', 'rules deploy --yes')        # there is no terminal here
                r = subprocess.run(['bash', '-c', line], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120)
                assert r.returncode == 0, (line, r.stdout, r.stderr)
                said, ran = said + r.stdout, ran + 1
        assert ran > 12 and 'warm-coat-lookers' in said, said
        assert os.listdir(tmp_path / 'demo' / 'delivered' / 'ads')
    finally:
        p.send_signal(signal.SIGINT)
        p.wait(60)
        p.stdout.close()
