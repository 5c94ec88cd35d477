"""Every file of a store of several weeks is deleted, emptied, cut, flipped, overwritten, zeroed, taken from another store or made a dangling link.
crumb then either serves what is left and says what is not, or refuses in one sentence that names the file and has changed nothing. It never dies of it."""
import hashlib
import itertools
import json
import os
import random
import re
import select
import shutil
import signal
import struct
import subprocess

import pytest

from harness import BUILD, DAY, SLOW, Browser, Server, until

DAYS = 21
PER_DAY = 40        # events; each visitor comes twice a day
PAGE = 4096


def lines_of(now, seed):
    for back in range(DAYS):
        day = now // DAY * DAY - back * DAY
        for i in range(PER_DAY):
            yield {'t': day + 60 + i if back else now - i % 60, 'id': 'visitor-%d-%d' % (seed, i // 2), 'u': 'https://shop.example/coats/%d' % (i % 3)}


class Store:
    """A store that was stopped cleanly; copies of it are damaged."""

    def __init__(self, seed, options=()):
        self.server = s = Server(options=['store.shards=2'] + list(options))
        s.start()
        r = s.import_lines(list(lines_of(s.now(), seed)))
        assert r['accepted'] == DAYS * PER_DAY, r
        s.settle()
        until(lambda: os.path.exists(os.path.join(s.store, 'kept')))    # the nightly copy of the views, which is made at once
        self.events = s.js('db', 'stat')['events']
        assert self.events == DAYS * PER_DAY
        assert s.stop() == 0

    def path(self, *names):
        return os.path.join(self.server.store, *names)

    def close(self):
        self.server.close()


@pytest.fixture(scope='module')
def whole():
    s = Store(1)
    yield s
    s.close()


@pytest.fixture(scope='module')
def other():
    s = Store(2)
    yield s
    s.close()


class Copy(Server):
    def __init__(self, whole):
        super().__init__(options=whole.server.options)
        shutil.copytree(whole.server.store, self.store, symlinks=True)

    def path(self, *names):
        return os.path.join(self.store, *names)

    def tree(self):
        out = {}
        for folder, _, files in os.walk(self.store):
            for name in files:
                p = os.path.join(folder, name)
                r = os.path.relpath(p, self.store)
                if name in ('lock', 'lock.mdb', 'admin'):
                    continue
                out[r] = os.readlink(p) if os.path.islink(p) else hashlib.sha256(open(p, 'rb').read()).hexdigest()
        return out

    def try_start(self):
        """True: it serves. False: it refused; what it said is in self.said."""
        arguments = [os.path.join(BUILD, 'crumbd')] + self.common() + ['-o', 'collect.listen=127.0.0.1:0', '-o', 'admin.listen=127.0.0.1:0', '--test-clock']
        with open(self.log, 'a') as log:
            self.process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=log, text=True)
        ready, _, _ = select.select([self.process.stdout], [], [], 60 * SLOW)
        line = self.process.stdout.readline() if ready else ''
        found = re.match(r'ready collect=(\S+) admin=(\S+)', line)
        self.said = self.logged()
        if found:
            self.collect, self.admin = found.groups()
            return True
        code = self.process.wait(60 * SLOW)
        assert code == 1, 'exit %d: %s' % (code, self.said[-600:])
        assert 'crumbd: ' in self.said
        return False


@pytest.fixture
def copy(whole):
    s = Copy(whole)
    yield s
    s.close()


def remove(path):
    os.unlink(path)


def empty(path):
    open(path, 'wb').close()


def half(path):
    os.truncate(path, os.path.getsize(path) // 2)


def flip(path, seed=0, n=8):
    r = random.Random('%s %d' % (os.path.basename(path), seed))
    with open(path, 'r+b') as f:
        data = bytearray(f.read())
        for _ in range(n):
            if data:
                data[r.randrange(len(data))] ^= 1 << r.randrange(8)
        f.seek(0)
        f.write(data)


def page(path, content=os.urandom, seed=0):
    size = os.path.getsize(path)
    at = random.Random('%s %d' % (os.path.basename(path), seed)).randrange(max(1, size // PAGE)) * PAGE
    with open(path, 'r+b') as f:
        f.seek(at)
        f.write(content(min(PAGE, size - at)))


def zero_page(path, seed=0):
    page(path, bytes, seed)


def dangling(path):
    os.unlink(path)
    os.symlink('/nowhere/' + os.path.basename(path), path)


DAMAGE = [remove, empty, half, flip, page, zero_page, dangling]


def some(n, *lists):
    """What is tried: always the same few, or with CRUMB_DAMAGE=all each with each (four minutes)."""
    all_of_them = list(itertools.product(*lists)) if len(lists) > 1 else list(lists[0])
    return all_of_them if os.environ.get('CRUMB_DAMAGE') == 'all' else random.Random(len(all_of_them)).sample(all_of_them, n)


def names(value):
    return getattr(value, '__name__', None)


# --- keys and format


def refused_untouched(s, name):
    before = s.tree()
    assert not s.try_start()
    last = s.said.strip().splitlines()[-1]
    assert name in last, last
    assert s.tree() == before
    for command in (['import', '-', '--format', 'ndjson'], ['db', 'stat'], ['db', 'verify'], ['segments', 'list']):
        r = subprocess.run([os.path.join(BUILD, 'crumb')] + s.common() + command, input='', capture_output=True, text=True, timeout=60 * SLOW)
        assert r.returncode > 0 and name in r.stderr, (command, r)
        assert s.tree() == before, command


@pytest.mark.parametrize('damage,name', some(5, DAMAGE, ['keys', 'format']), ids=names)
def test_damaged_keys_or_format_are_refused_and_nothing_is_touched(whole, copy, name, damage):
    if name == 'format' and damage in (page, zero_page):
        pytest.skip('it is no page')
    damage(copy.path(name))
    if name == 'keys' and damage is not dangling and os.path.exists(copy.path(name)):
        os.chmod(copy.path(name), 0o600)
    refused_untouched(copy, name)
    if os.path.lexists(copy.path(name)):
        os.unlink(copy.path(name))
    shutil.copy2(os.path.join(whole.server.store, name), copy.path(name))
    assert copy.try_start()         # and all is there as soon as the file is
    copy.settle()
    assert copy.js('db', 'stat')['events'] == whole.events


@pytest.mark.parametrize('name', ['keys', 'format'])
def test_keys_and_format_of_another_store_are_refused(other, copy, name):
    shutil.copy2(os.path.join(other.server.store, name), copy.path(name))
    refused_untouched(copy, 'keys')


def test_an_older_copy_of_the_keys_is_refused(copy):
    shutil.copy2(copy.path('keys'), copy.dir + '/old')
    copy.start()
    copy.advance('2d')
    assert copy.import_lines([{'t': copy.now(), 'id': 'somebody', 'u': 'https://shop.example/'}])['accepted'] == 1
    copy.settle()
    assert copy.stop() == 0
    shutil.copy2(copy.dir + '/old', copy.path('keys'))
    refused_untouched(copy, 'keys')


# --- days of the journal


def days(s):
    return sorted(n for n in os.listdir(s.path('journal')) if re.fullmatch(r'\d{4}-\d\d-\d\d', n))


def readiness(s):
    status, _, body = s.http('GET', '/readyz', admin=True)
    assert status == 200
    return body.decode()


def told_loss(s):
    """What every outlet says is lost; all say the same."""
    text = readiness(s)
    lost = sum(int(n) for n in re.findall(r'; (\d+) events are lost', text))
    assert s.metric('lost_events') == lost
    return lost, text


def serves_the_rest(s, whole, broken, least=0, most=PER_DAY):
    """Serves, says what is lost, and still does after another start; views made anew from the journal have all that is not."""
    assert s.try_start(), s.said[-500:]
    lost, text = told_loss(s)
    assert least <= lost <= most, text
    if lost:
        assert broken in text and s.metric('damaged_days') == 1
        assert 'damaged file=journal/' + broken in s.logged()
        v = s.js('db', 'verify', ok=(0, 1))
        assert not v['ok'] and any(broken in p for p in v['problems']), v
    s.settle()
    assert s.js('db', 'stat')['events'] == whole.events      # the views were not made of it again
    assert s.import_lines([{'t': s.now(), 'id': 'later', 'u': 'https://shop.example/coats/1'}])['accepted'] == 1
    s.settle()
    assert s.stop() == 0
    shutil.rmtree(s.path('state'))
    assert s.try_start()
    s.settle()
    assert s.js('db', 'stat')['events'] == whole.events + 1 - lost
    assert told_loss(s)[0] == lost
    assert s.stop() == 0


@pytest.mark.parametrize('damage', some(3, DAMAGE), ids=names)
def test_a_damaged_day_is_set_aside_named_and_counted(whole, copy, damage):
    day = days(copy)[7]
    damage(copy.path('journal', day, 'data.mdb'))
    sure = damage in (remove, empty, dangling, half)
    serves_the_rest(copy, whole, day, PER_DAY if sure else 0)
    if sure:
        assert any(n.startswith(day + '.damaged') for n in os.listdir(copy.path('journal')))


@pytest.mark.parametrize('damage,seed', some(3, [flip, page, zero_page], range(6)), ids=names)
def test_a_day_that_somebody_wrote_into_is_told_wherever_it_was(whole, copy, damage, seed):
    day = days(copy)[5]
    damage(copy.path('journal', day, 'data.mdb'), seed=seed)
    serves_the_rest(copy, whole, day)


@pytest.mark.parametrize('damage', some(1, DAMAGE), ids=names)
def test_a_damaged_lock_file_is_no_loss(whole, copy, damage):
    day = days(copy)[3]
    damage(copy.path('journal', day, 'lock.mdb'))
    serves_the_rest(copy, whole, day, 0, 0)


def test_a_day_whose_folder_is_gone_is_known(whole, copy):
    day = days(copy)[9]
    shutil.rmtree(copy.path('journal', day))
    serves_the_rest(copy, whole, day, PER_DAY)


def test_a_day_of_another_store_is_not_read(whole, other, copy):
    day = days(copy)[9]
    shutil.copy(os.path.join(other.server.store, 'journal', day, 'data.mdb'), copy.path('journal', day, 'data.mdb'))
    serves_the_rest(copy, whole, day, PER_DAY)


def test_today_can_be_damaged_and_goes_on(whole, copy):
    day = days(copy)[-1]
    half(copy.path('journal', day, 'data.mdb'))
    serves_the_rest(copy, whole, day, PER_DAY)


def test_a_damaged_day_after_a_crash(whole, copy):
    copy.start()
    copy.import_lines([{'t': copy.now(), 'id': 'later', 'u': 'https://shop.example/coats/1'}])
    copy.stop(signal.SIGKILL)
    day = days(copy)[4]
    page(copy.path('journal', day, 'data.mdb'), bytes)
    assert copy.try_start()
    copy.settle()
    assert copy.js('db', 'stat')['events'] == whole.events + 1


def test_what_was_set_aside_goes_when_its_day_is_over(whole, copy):
    day = days(copy)[0]
    half(copy.path('journal', day, 'data.mdb'))
    assert copy.try_start()
    assert told_loss(copy)[0] == PER_DAY
    copy.advance('95d')
    copy.settle()
    until(lambda: not any(n.startswith(day) for n in os.listdir(copy.path('journal'))))
    assert copy.stop() == 0
    assert copy.try_start()
    assert told_loss(copy)[0] == 0


@pytest.mark.parametrize('damage,name', some(10, DAMAGE, ['days', 'files', 'kept', 'clock', 'undo', 'lock', 'admin']), ids=names)
def test_small_files_may_be_damaged(whole, copy, name, damage):
    if not os.path.exists(copy.path(name)):
        pytest.skip('this store has none')
    damage(copy.path(name))
    if copy.try_start():
        copy.settle()
        assert copy.js('db', 'stat')['events'] == whole.events
        if name == 'days' and damage is not flip:
            assert 'days' in readiness(copy)
    else:
        assert name in copy.said


# --- views


def views(s):
    with open(s.path('state', 'CURRENT')) as f:
        return s.path('state', f.read().strip())


def makes_views_again(s, whole, what=''):
    assert s.try_start(), s.said[-500:]
    s.settle()
    assert s.js('db', 'stat')['events'] == whole.events
    assert s.metric('lost_events') == 0
    if what:
        assert what in readiness(s) and s.metric('views_remade_total') == 1 and 'damaged file=state' in s.logged()
    s.verify()
    assert s.stop() == 0
    assert s.try_start()
    assert 'state' not in readiness(s)


@pytest.mark.parametrize('damage', some(3, DAMAGE), ids=names)
def test_damaged_views_are_made_again(whole, copy, damage):
    damage(os.path.join(views(copy), '1', 'data.mdb'))
    makes_views_again(copy, whole, 'made again')


@pytest.mark.parametrize('damage,seed', some(2, [flip, page, zero_page], range(4)), ids=names)
def test_views_that_somebody_wrote_into_are_made_again(whole, copy, damage, seed):
    damage(os.path.join(views(copy), '0', 'data.mdb'), seed=seed)
    makes_views_again(copy, whole, 'made again')


@pytest.mark.parametrize('damage', some(1, DAMAGE), ids=names)
def test_a_damaged_lock_file_of_views_is_no_loss(whole, copy, damage):
    damage(os.path.join(views(copy), '1', 'lock.mdb'))
    makes_views_again(copy, whole)


@pytest.mark.parametrize('damage', some(2, DAMAGE), ids=names)
def test_a_damaged_name_of_the_views_is_no_loss(whole, copy, damage):
    damage(copy.path('state', 'CURRENT'))
    makes_views_again(copy, whole)


def test_views_of_another_store_are_not_served(whole, other, copy):
    shutil.copy(os.path.join(views(other), '0', 'data.mdb'), os.path.join(views(copy), '0', 'data.mdb'))
    makes_views_again(copy, whole, 'made again')


def test_a_shard_that_is_gone_is_made_again(whole, copy):
    shutil.rmtree(os.path.join(views(copy), '1'))
    makes_views_again(copy, whole, 'made again')


@pytest.mark.parametrize('damage', some(1, [half, page, zero_page]), ids=names)
def test_the_command_line_names_damaged_views_when_no_server_runs(copy, damage):
    damage(os.path.join(views(copy), '1', 'data.mdb'))
    for command in (['db', 'stat'], ['segments', 'list'], ['db', 'verify']):
        r = copy.cli(*command, ok=(1,))
        assert 'data.mdb' in r.stderr, r


# --- backups


def test_a_restore_takes_only_its_own_keys_and_what_is_whole(whole, other, copy):
    backup = copy.dir + '/backup'
    assert copy.js('db', 'backup', backup)['days'] == DAYS
    half(os.path.join(backup, 'journal', days(copy)[2], 'data.mdb'))
    foreign = Copy(other)
    shutil.rmtree(foreign.path('journal'))
    before = foreign.tree()
    r = foreign.cli('db', 'restore', backup, ok=(1,))
    assert 'another store' in r.stderr and foreign.tree() == before
    foreign.close()
    shutil.rmtree(copy.path('journal'))
    r = copy.js('db', 'restore', backup)
    assert r['days'] == DAYS - 1 and r['damaged'] == 1 and r['events'] == whole.events - PER_DAY
    assert copy.try_start()
    copy.settle()
    assert told_loss(copy)[0] == PER_DAY        # the day that stayed behind
    assert copy.stop() == 0


def test_a_backup_to_a_path_that_would_be_cut_is_refused(copy):
    deep = copy.dir + '/x' * 1500
    r = copy.cli('db', 'backup', deep, ok=(1,))
    assert 'path' in r.stderr or 'too long' in r.stderr



# --- while the server runs, and what the next start makes of it


def spoil_profile(s):
    """One bit of somebody's profile, wherever its bytes stand in the file; the file stays one that LMDB reads."""
    path = os.path.join(views(s), '0', 'data.mdb')
    with open(path, 'r+b') as f:
        data = f.read()
        key = re.search(b'(.{16})\x04\x00.{1}[\x10-\xff]?\x9b', data, re.S).group(1)      # version, length of the header, its eleven fields
        for m in re.finditer(re.escape(key) + b'\x04', data):
            f.seek(m.end() + 20)
            f.write(bytes([data[m.end() + 20] ^ 4]))


def test_a_profile_that_does_not_decode_stops_nobody_and_is_made_again(whole, copy):
    assert copy.try_start()
    copy.settle()
    before = [copy.visitor('--id', 'visitor-1-%d' % i) for i in range(20)]
    spoil_profile(copy)
    lines = [{'t': copy.now(), 'id': 'visitor-1-%d' % i, 'u': 'https://shop.example/coats/1'} for i in range(20)]
    assert copy.import_lines(lines)['accepted'] == 20       # his neighbours are in the views at once
    copy.settle()
    assert copy.metric('unreadable_profiles_total') > 0
    until(lambda: copy.metric('views_remade_total') == 1 and copy.js('db', 'stat')['events'] == whole.events + 20)
    copy.settle()
    for i in range(20):
        after = {c['id']: c['count'] for c in copy.visitor('--id', 'visitor-1-%d' % i)['categories']}
        assert after == {c['id']: c['count'] + 1 for c in before[i]['categories']}
    assert 'state' in readiness(copy)
    copy.verify()
    assert copy.stop() == 0
    assert copy.try_start()
    assert 'state' not in readiness(copy)


def test_what_nobody_meets_is_found_by_the_nightly_copy(whole, copy):
    assert copy.try_start()
    copy.settle()
    spoil_profile(copy)
    assert copy.js('db', 'verify', ok=(1,))['problems']
    copy.advance('1d')
    until(lambda: copy.metric('views_remade_total') == 1)
    copy.settle()
    until(lambda: copy.js('db', 'verify', ok=(0, 1))['ok'])


def last_words(copy):
    """Why it ended. A line that another thread was writing at that moment may stand behind it."""
    said = [line for line in copy.logged().strip().splitlines() if line]
    return next((line for line in said[-4:] if 'Start again' in line), said[-1])


@pytest.mark.parametrize('seed', some(1, range(3)))
def test_views_that_are_overwritten_while_they_serve_are_made_again(whole, copy, seed):
    """Or the process says which file it was, ends, and the next one does it."""
    assert copy.try_start()
    copy.settle()
    path = os.path.join(views(copy), '0', 'data.mdb')
    for at in range(6):
        page(path, bytes, seed * 100 + at)
    try:
        for back in range(3):
            copy.import_lines([{'t': copy.now() - back * DAY, 'id': 'visitor-1-%d' % i, 'u': 'https://shop.example/coats/1'} for i in range(20)])
            copy.settle()
        copy.advance('1d')
        copy.settle()
        until(lambda: copy.js('db', 'verify', ok=(0, 1))['ok'])
    except (AssertionError, OSError):
        until(lambda: copy.process.poll() is not None)
    if copy.process.poll() is not None:
        last = last_words(copy)
        assert copy.process.returncode == 1 and 'data.mdb' in last or '/state/' in last, last
        copy.process.stdout.close()
        assert copy.try_start(), copy.said[-500:]
        copy.settle()
        copy.verify()
    assert copy.stop() == 0


@pytest.mark.parametrize('name', ['views', 'day'])
def test_a_file_that_is_cut_while_it_is_in_use_is_named_and_no_signal_ends_the_server(whole, copy, name):
    assert copy.try_start()
    copy.settle()
    path = os.path.join(views(copy), '1', 'data.mdb') if name == 'views' else copy.path('journal', days(copy)[-1], 'data.mdb')
    empty(path)
    try:
        copy.import_lines([{'t': copy.now(), 'id': 'visitor-1-%d' % i, 'u': 'https://shop.example/coats/1'} for i in range(40)])
        copy.settle()
        copy.js('db', 'stat')
    except (AssertionError, OSError):
        pass
    until(lambda: copy.process.poll() is not None)
    last = last_words(copy)
    assert copy.process.returncode == 1 and os.path.dirname(path) in last and 'Start again' in last, last
    copy.process.stdout.close()
    assert copy.try_start(), copy.said[-500:]
    copy.settle()
    assert copy.stop() == 0


def test_views_of_another_store_are_not_served_after_a_crash_either(whole, other, copy):
    copy.start()
    copy.stop(signal.SIGKILL)
    shutil.copy(os.path.join(views(other), '0', 'data.mdb'), os.path.join(views(copy), '0', 'data.mdb'))
    makes_views_again(copy, whole, "another store's")


def test_views_of_another_shard_are_not_served(whole, copy):
    copy.start()
    copy.stop(signal.SIGKILL)
    shutil.copy(os.path.join(views(copy), '0', 'data.mdb'), os.path.join(views(copy), '1', 'data.mdb'))
    makes_views_again(copy, whole, "another shard's")


def test_damaged_views_that_took_their_place_while_the_server_ran_are_not_served(whole, copy):
    copy.start()
    path = os.path.join(views(copy), '0', 'data.mdb')
    shutil.copy(path, path + '.damaged')
    with open(path + '.damaged', 'r+b') as f:
        data = f.read()
        for at in range(2 * PAGE, len(data), PAGE):
            flags, lower = struct.unpack_from('<HH', data, at + 10)
            if flags == 2 and lower > 16 + 2 * 20:                      # leaves of many nodes: not the tree that names the tables, so that LMDB opens it
                f.seek(at)
                f.write(bytes(PAGE))
    os.rename(path + '.damaged', path)
    assert copy.stop() == 0
    makes_views_again(copy, whole, 'is not the page')


@pytest.mark.parametrize('of', ['journal', 'state'])
def test_a_folder_in_the_place_of_a_lock_is_named_or_goes(whole, copy, of):
    path = os.path.join(copy.path('journal', days(copy)[3]) if of == 'journal' else os.path.join(views(copy), '1'), 'lock.mdb')
    os.unlink(path)
    os.makedirs(path + '/something')
    assert not copy.try_start()
    assert path in copy.said and 'remove it' in copy.said
    os.rmdir(path + '/something')
    makes_views_again(copy, whole)


def test_a_day_that_was_changed_without_a_loss_is_told_once(whole, copy):
    day = days(copy)[6]
    with open(copy.path('journal', day, 'data.mdb'), 'ab') as f:
        f.write(os.urandom(PAGE))
    assert copy.try_start()
    assert 'journal/%s: changed by somebody else' % day in readiness(copy) and copy.metric('lost_events') == 0
    assert copy.stop() == 0
    assert copy.try_start()
    assert 'journal' not in readiness(copy)


def test_a_copy_without_times_is_no_damage_of_days(whole, copy):
    for day in days(copy):
        os.utime(copy.path('journal', day, 'data.mdb'))
    assert copy.try_start()
    assert readiness(copy) == 'ready\n'


def spoil_blocks(path):
    """Values only: what LMDB follows stays as it is."""
    with open(path, 'r+b') as f:
        data = bytearray(f.read())
        for i in range(2 * PAGE, len(data), PAGE):
            if data[i + 10] == 4:       # a value with pages of its own
                data[i + 200] ^= 1
            elif data[i + 10] == 2:     # a leaf
                data[i + PAGE - 40] ^= 1
        f.seek(0)
        f.write(data)


def test_blocks_that_do_not_open_after_a_crash_are_counted(whole, copy):
    day = days(copy)[4]
    copy.start()
    copy.stop(signal.SIGKILL)
    spoil_blocks(copy.path('journal', day, 'data.mdb'))
    serves_the_rest(copy, whole, day, 1)


@pytest.mark.parametrize('write', [False, True])
def test_a_day_that_is_damaged_while_it_is_in_use_is_found_by_the_next_start(whole, copy, write):
    day = days(copy)[-4]
    assert copy.try_start()
    copy.settle()
    spoil_blocks(copy.path('journal', day, 'data.mdb'))
    if write:
        assert copy.import_lines([{'t': copy.now() - 3 * DAY, 'id': 'later', 'u': 'https://shop.example/coats/1'}])['accepted'] == 1
        copy.settle()
    assert copy.js('db', 'verify', ok=(1,))['problems']
    assert copy.stop() == 0
    assert copy.try_start()
    lost, text = told_loss(copy)
    assert 0 < lost <= PER_DAY + 1 and day in text
    assert copy.stop() == 0
    assert copy.try_start()
    assert told_loss(copy)[0] == lost


@pytest.mark.parametrize('how', ['zeros', 'theirs', 'folder'])
def test_a_log_that_was_overwritten_after_a_crash_is_told(whole, other, copy, how):
    before = copy.cli('db', 'journal').stdout.count(' view ')
    copy.start()
    b = Browser.known(copy)
    assert b.hit('/coats/1') == 200
    copy.stop(signal.SIGKILL)
    path = copy.path('wal')
    os.rename(path, path + '.kept')
    stored = copy.js('db', 'stat')['events']        # what was brought from the log into its day before the end: all of it, on a busy machine
    there = whole.events + copy.cli('db', 'journal').stdout.count(' view ') - before     # and of it the views may not have all
    os.rename(path + '.kept', path)
    assert whole.events <= stored <= there <= whole.events + 3
    if how == 'zeros':
        with open(path, 'r+b') as f:
            f.write(bytes(os.path.getsize(path)))
    elif how == 'theirs':
        shutil.copy(other.path('wal'), path)
    else:
        os.unlink(path)
        os.mkdir(path)
        assert not copy.try_start()
        assert path in copy.said and 'remove it' in copy.said
        os.rmdir(path)
    assert copy.try_start()
    copy.settle()
    assert 'wal: ' in readiness(copy) and 'damaged file=wal' in copy.logged()
    assert stored <= copy.js('db', 'stat')['events'] <= there


def test_a_log_without_hits_is_no_damage_after_a_crash(whole, copy):
    copy.start()
    copy.stop(signal.SIGKILL)
    assert copy.try_start()
    assert readiness(copy) == 'ready\n'
