"""What is over leaves the files: nightly cleaning and compaction, backup and restore."""
import json
import os
import shutil
import signal
import threading
import time

from harness import DAY, Browser, bytes_of, until

MARK = b'zebracrossing'


def everything(folder):
    return bytes_of(folder)


def lines(server, who, day=0, mark=None):
    return [{'id': w, 't': server.now() - day * DAY, 'u': 'https://shop.example/coats/%d' % i, **({'a.color': mark} if mark else {})} for w in who for i in range(3)]


def journal(server):
    """What the journal holds, by whoever has the keys: event lines by visitor."""
    found = {}
    for line in server.cli('db', 'journal').stdout.splitlines():
        if ' event ' in line:
            found.setdefault(line.split()[2], []).append(line)
    return found


def test_compaction_takes_expired_bytes_out_of_the_views(server):
    server.import_lines(lines(server, ['x%d' % i for i in range(300)], day=80, mark=MARK.decode()))
    server.import_lines(lines(server, ['y%d' % i for i in range(30)]))
    assert MARK in everything(server.store + '/state') and MARK not in everything(server.store + '/journal')
    server.cli('db', 'compact')
    assert MARK in everything(server.store + '/state')              # it is still known
    before = server.js('db', 'stat')
    server.advance('10d')
    server.cli('db', 'compact')
    assert MARK not in everything(server.store)
    after = server.js('db', 'stat')
    assert (before['visitors'], after['visitors']) == (330, 30) and after['state_bytes'] < before['state_bytes']
    assert server.sizes()['coats-ever'] == 30
    server.verify()
    server.restart()
    assert server.js('db', 'stat')['visitors'] == 30
    server.stop()
    assert server.js('db', 'verify', '--replay')['ok']


def test_hits_and_look_ups_go_on_while_it_compacts(server):
    b = Browser.known(server)
    server.import_lines(lines(server, ['x%d' % i for i in range(2000)]))
    done = threading.Event()
    t = threading.Thread(target=lambda: (server.cli('db', 'compact'), done.set()))
    t.start()
    n = 0
    while not done.is_set() or n < 20:
        assert b.hit('/shoes/%d' % n) == 200 and 'apparel-any' in b.segments()
        n += 1
    t.join()
    assert b.count('apparel.shoes') == n and server.js('rules', 'status')['complete'] is True
    server.verify()


def test_the_night_does_it_by_itself(server):
    server.import_lines(lines(server, ['x']))
    server.advance('1d')
    generation, today = server.js('db', 'stat')['generation'], time.strftime('%Y-%m-%d', time.gmtime(server.now()))
    kept = os.path.join(server.store, 'kept')
    until(lambda: os.path.exists(kept) and open(kept).read().strip() == today)
    assert server.js('db', 'stat')['generation'] >= generation and server.visitor('--id', 'x')
    assert 'compacting' in server.logged() and 'keeper' in server.logged()


def test_an_erased_visitor_leaves_the_journal(server):
    server.import_lines(lines(server, ['gone', 'stays'], day=3) + lines(server, ['gone', 'stays'], day=1) + lines(server, ['gone', 'stays']))
    gone, stays = (server.visitor('--id', w)['visitor'] for w in ('gone', 'stays'))
    server.js('visitor', 'erase', '--id', 'gone')
    server.cli('db', 'compact')                                     # days that are over
    server.stop()
    assert len(journal(server)[gone]) == 3 and len(journal(server)[stays]) == 9
    server.start()
    assert server.import_lines(lines(server, ['gone']), ok=(1,))['refused'] == {'id': 3}      # its id comes back: not taken up
    server.advance('1d')
    server.cli('db', 'compact')
    assert server.metric('journal_cleaned_events_total') == 3
    server.import_lines(lines(server, ['later']))
    assert server.visitor('--id', 'gone') is None and server.visitor('--id', 'stays')['categories'][0]['count'] == 9
    server.restart(signal.SIGKILL)
    server.verify()
    server.stop()
    assert gone not in journal(server) and len(journal(server)[stays]) == 9
    assert server.js('db', 'verify', '--replay')['ok']
    shutil.rmtree(server.store + '/state')                          # made again from what is left: the same
    server.start()
    server.settle()
    assert server.visitor('--id', 'gone') is None and server.visitor('--id', 'stays')['categories'][0]['count'] == 9 and server.visitor('--id', 'later')


def test_a_crash_in_the_exchange_of_a_day_loses_nothing(server):
    server.import_lines(lines(server, ['a', 'b'], day=2))
    server.stop()
    day = [d for d in os.listdir(server.store + '/journal')][0]
    path = os.path.join(server.store, 'journal', day)
    want = journal(server)
    os.rename(path, path + '.old')                                  # after the first step
    os.mkdir(path + '.new')
    shutil.copy(path + '.old/data.mdb', path + '.new/data.mdb')
    server.start()
    server.stop()
    assert sorted(n for n in os.listdir(server.store + '/journal') if n.startswith(day)) == [day] and journal(server) == want
    shutil.copytree(path, path + '.old')                            # after the second
    server.start()
    server.verify()
    server.stop()
    assert sorted(n for n in os.listdir(server.store + '/journal') if n.startswith(day)) == [day] and journal(server) == want
    assert server.js('db', 'verify', '--replay')['ok']


def test_backup_and_restore(server):
    b, c = Browser.known(server), Browser.known(server)
    b.hit('/coats/1', extra='&a.color=' + MARK.decode()), c.hit('/coats/1')
    server.import_lines(lines(server, ['old%d' % i for i in range(30)], day=60))
    folder = os.path.join(server.dir, 'backup')
    made = server.js('db', 'backup', folder)
    assert made['days'] == 2 and sorted(os.listdir(folder)) == ['format', 'journal', 'moment']
    assert 'not empty' in server.cli('db', 'backup', folder, ok=(1,)).stderr
    with open(server.store + '/keys', 'rb') as f:
        keys = f.read()
    raw = everything(folder)
    assert MARK not in raw and not any(keys[i:i + 16] in raw for i in range(16, len(keys) - 16, 8) if any(keys[i:i + 16]))
    assert 'in use' in server.cli('db', 'restore', folder, ok=(1,)).stderr
    want = server.js('db', 'stat')
    b.hit('/coats/2')                                               # after the backup: lost with what is restored
    assert c.request('POST', '/me/forget')[0] == 200                # and erased: stays erased
    erased = server.js('db', 'stat')['visitors']
    server.stop()
    assert 'has a journal' in server.cli('db', 'restore', folder, ok=(1,)).stderr
    shutil.rmtree(server.store + '/journal')
    done = server.cli('db', 'restore', folder, '--json')
    back = json.loads(done.stdout)
    assert 'damaged' not in done.stderr                             # who puts a day back has not changed it behind our back
    assert back['days'] == 2 and back['expired'] == 0 and back['erased'] == 1 and back['visitors'] == erased == want['visitors'] - 1
    assert b.shown()['categories'][0]['count'] == 1 and server.sizes()['coats-ever'] == 30
    assert server.js('db', 'verify', '--replay')['ok']
    server.start()
    assert b.hit('/coats/3') == 200 and 'coats-ever' in b.segments() and b.count('apparel.coats') == 2
    # a month later the older day cannot be brought back by anybody: its key is gone
    server.advance('30d')
    server.stop()
    shutil.rmtree(server.store + '/journal')
    back = server.js('db', 'restore', folder)
    assert back['days'] == 1 and back['expired'] == 1 and back['visitors'] == 1
    server.start()
    server.advance('60d')
    server.stop()
    shutil.rmtree(server.store + '/journal')
    back = server.js('db', 'restore', folder)
    assert back['days'] == 0 and back['expired'] == 2 and back['visitors'] == 0
    os.rename(server.store + '/keys', server.store + '/elsewhere')
    shutil.rmtree(server.store + '/journal')
    assert 'only with the keys' in server.cli('db', 'restore', folder, ok=(1,)).stderr
    os.rename(server.store + '/elsewhere', server.store + '/keys')


def test_without_a_server(server):
    server.import_lines(lines(server, ['a', 'b']))
    server.stop()
    folder = os.path.join(server.dir, 'backup')
    assert server.js('db', 'backup', folder)['days'] == 1
    generation = server.js('db', 'stat')['generation']
    server.cli('db', 'compact')
    assert server.js('db', 'stat')['generation'] == generation + 1 and server.visitor('--id', 'a')
    server.cli('db', 'backup', ok=(2,))
    server.cli('db', 'restore', ok=(2,))
    assert 'no backup' in server.cli('db', 'restore', server.rules, ok=(1,)).stderr
