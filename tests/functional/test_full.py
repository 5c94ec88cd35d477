"""A disk that is full, a real one: nothing ends, nothing spins, readiness says why, and when there is room again all goes on by itself."""
import json
import os
import signal
import subprocess
import threading
import time

import pytest

from harness import BUILD, RULES, SLOW, Browser, Server, until


def mounted(path, size):
    os.makedirs(path, exist_ok=True)
    return subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=%dm' % size, 'tmpfs', path], capture_output=True).returncode == 0


class Disk:
    """The store on a file system of its own, which can be filled up."""

    def __init__(self, size=24, **kw):
        self.server = Server(**kw)
        if not mounted(self.server.store, size):
            self.server.close()
            pytest.skip('wants root and the right to mount a tmpfs')
        self.fill_file = os.path.join(self.server.store, 'fill')

    def fill(self, leave=0):
        """To the last page; `leave`: of these bytes."""
        with open(self.fill_file, 'ab', 0) as f:
            for part in (1 << 20, 1 << 12):
                try:
                    while True:
                        f.write(b'x' * part)
                except OSError:
                    pass
            if leave:
                f.truncate(max(0, f.tell() - leave))

    def free(self):
        os.unlink(self.fill_file)

    def close(self):
        try:
            self.server.stop()
        finally:
            subprocess.run(['umount', '-l', self.server.store], check=True)
            self.server.close()


@pytest.fixture
def disk():
    disks = []

    def new(*args, **kw):
        disks.append(Disk(*args, **kw))
        return disks[-1]
    yield new
    for d in disks:
        d.close()


def ready(server):
    status, _, data = server.http('GET', '/readyz', admin=True)
    return status == 200, data.decode()


def in_background(what):
    t = threading.Thread(target=what, daemon=True)
    t.start()
    return t


def moved(server, by):
    try:
        server.http('POST', '/v1/clock?advance=' + by, admin=True)
    except OSError:
        pass


def cpu_s(server):
    with open('/proc/%d/stat' % server.process.pid) as f:
        fields = f.read().rsplit(')', 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def test_a_new_day_on_a_full_disk(disk):
    d = disk()
    s = d.server.start()
    b = Browser.known(s)
    assert b.hit('/coats/1') == 200 and ready(s)[0]
    s.settle()
    d.fill()
    waiting = in_background(lambda: moved(s, '1d'))
    answers = []
    until(lambda: answers.append(b.hit('/coats/2')) or answers[-1] == 503)
    taken = 1 + answers.count(200)              # before the day had come
    until(lambda: not ready(s)[0])
    assert 'hits cannot be recorded' in ready(s)[1] and 'No space left' in ready(s)[1]
    assert s.metric('trouble') == 1
    lines, used = len(s.logged().splitlines()), cpu_s(s)
    for _ in range(20):
        assert b.hit('/coats/2') == 503         # refused, not answered and lost
    time.sleep(3)                               # it spins or it does not
    assert len(s.logged().splitlines()) - lines < 12, s.logged()[-2000:]
    assert cpu_s(s) - used < 1.5 * SLOW
    d.free()
    until(lambda: ready(s)[0])                  # nobody sends hits to one who says that he is not ready
    assert b.hit('/coats/3') == 200
    waiting.join(120)
    s.settle()
    assert b.count('apparel.coats') == taken + 1 and s.metric('trouble') == 0
    assert 'recording hits: possible again' in s.logged()
    s.verify()
    assert s.restart() and b.count('apparel.coats') == taken + 1


def test_time_goes_on_when_there_is_room_again(disk):
    """The day that ends, the sweep and the nightly work, all on a full disk."""
    d = disk()
    s = d.server.start()
    browsers = [Browser.known(s) for _ in range(20)]
    for b in browsers:
        assert b.events(*[{'u': 'https://shop.example/coats/%d' % i} for i in range(3)]) == 204
    s.settle()
    assert s.sizes()['coat-fans'] == 20
    d.fill()
    waiting = in_background(lambda: moved(s, '91d'))
    lines, used = len(s.logged().splitlines()), cpu_s(s)
    for _ in range(30):                         # what ends gives its room back
        d.fill()
        time.sleep(0.1)
    assert len(s.logged().splitlines()) - lines < 15, s.logged()[-3000:]
    assert cpu_s(s) - used < 1.5 * SLOW
    d.free()
    until(lambda: ready(s)[0])
    waiting.join(120)
    s.settle()
    assert s.js('db', 'stat')['visitors'] == 0
    until(lambda: 'the nightly work: possible again' in s.logged() or 'keeper done' in s.logged())
    assert not any(n for n in os.listdir(s.store + '/journal'))
    s.verify()


def lines_of(n, now):
    return ''.join('{"id":"v%d","t":%d,"u":"https://s.example/coats/%d"}\n' % (i % 300, now - i % 40 * 86400, i) for i in range(n))


def test_compaction_backup_export_and_reload(disk, tmp_path):
    d = disk(destinations='version: 1\ndestinations:\n  - {id: out, format: csv}\n')
    s = d.server.start()
    status, _, data = s.http('POST', '/v1/import', lines_of(6000, s.now()), admin=True)
    assert status == 200, data
    s.settle()
    want = s.sizes()
    assert want['coats-ever'] == 300
    d.fill(leave=100 << 10)
    r = s.cli('db', 'compact', ok=(1,))
    assert 'no room for the views a second time' in r.stderr or 'No space' in r.stderr, r.stderr
    r = s.cli('db', 'backup', s.store + '/backup', ok=(1,))
    d.fill()
    s.write_rules(RULES + '  - {id: later, when: coats >= 2}\n')
    s.process.send_signal(signal.SIGHUP)
    until(lambda: 'recomputing the history: not possible now' in s.logged())
    assert s.sizes().get('coats-ever') == 300 and s.sizes().get('later') is None       # the old ones serve
    assert s.cli('export', '--to', 'out', '--out', s.store + '/export', ok=(1,)).stderr
    assert s.process.poll() is None
    time.sleep(2)
    d.free()
    until(lambda: s.sizes().get('later'))       # by itself
    s.cli('db', 'compact')
    s.cli('db', 'backup', str(tmp_path / 'backup'))
    s.cli('export', '--to', 'out', '--out', str(tmp_path / 'export'))
    assert {k: v for k, v in s.sizes().items() if k != 'later'} == want
    until(lambda: ready(s)[0])
    s.verify()


def test_commands_without_a_server(disk, tmp_path):
    d = disk()
    s = d.server
    path = str(tmp_path / 'lines')
    with open(path, 'w') as f:
        f.write(lines_of(6000, s.now()))
    assert s.js('import', path, '--format', 'ndjson')['accepted'] == 6000
    d.fill()
    for command in (['db', 'compact'], ['import', path, '--format', 'ndjson'], ['db', 'backup', s.store + '/backup']):
        r = s.cli(*command, ok=None)
        assert r.returncode == 1 and r.stderr.strip(), (command, r.returncode, r.stderr)
    d.free()
    s.cli('db', 'compact')
    s.verify()
    assert s.js('db', 'stat')['events'] == 6000


def test_an_import_that_did_not_fit_counts_once_when_it_does(disk, tmp_path):
    d = disk(size=80)
    s = d.server.start()
    now = s.now()
    d.fill(leave=300 << 10)
    body, taken = lines_of(20000, now), 0
    for _ in range(6):                          # over forty days: some fit, some do not
        status, _, data = s.http('POST', '/v1/import', body, admin=True)
        assert status in (200, 503), data
        taken += json.loads(data)['accepted'] if status == 200 else 0
    d.free()
    until(lambda: ready(s)[0])
    status, _, data = s.http('POST', '/v1/import', body, admin=True)
    assert status == 200, (data, s.logged()[-500:])
    taken += 20000
    s.settle()
    assert s.js('db', 'stat')['events'] == taken
    s.verify()


def test_the_pages_of_mapped_files_are_had_before_they_are_touched(server):
    for folder, _, files in os.walk(server.store):
        for name in files:
            if name == 'lock.mdb':
                st = os.stat(os.path.join(folder, name))
                assert st.st_blocks * 512 >= st.st_size, os.path.join(folder, name)


def test_a_start_on_a_full_disk_after_a_crash(disk):
    """What was answered waits in the log until there is room in its day; the server says so, and takes hits meanwhile."""
    d = disk()
    s = d.server.start()
    b = Browser.known(s)
    assert b.hit('/coats/1') == 200
    s.settle()
    d.fill()
    answers = [b.hit('/coats/2') for _ in range(20)]
    taken = 1 + answers.count(200)
    assert taken > 1
    s.stop(signal.SIGKILL)
    s.start()
    until(lambda: not ready(s)[0] and 'No space left' in ready(s)[1])
    d.free()
    until(lambda: ready(s)[0])
    s.settle()
    assert b.count('apparel.coats') == taken and s.metric('trouble') == 0
    assert s.metric('damaged_days') == 0 and s.metric('lost_events') == 0


def test_a_deployment_for_which_there_is_no_room_says_so_and_goes_on(disk):
    d = disk()
    s = d.server.start()
    for _ in range(30):
        Browser.known(s)
    s.settle()
    s.write_rules(RULES + '  - {id: more, when: visits >= 1}\n')
    d.fill()
    p = subprocess.Popen([os.path.join(BUILD, 'crumb')] + s.common() + ['rules', 'deploy', '--yes'], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    end = threading.Timer(60 * SLOW, p.kill)        # so that nothing waits for one that says nothing
    end.start()
    try:
        said = p.stderr.readline()
        assert 'still waiting' in said and 'No space left' in said, said + p.stderr.read()
        assert p.poll() is None
        d.free()
        assert p.wait(60 * SLOW) == 0, p.stderr.read()
        assert 'complete since' in p.stdout.read() and s.sizes()['more'] == 30
    finally:
        end.cancel()
        p.kill()
        p.communicate()
