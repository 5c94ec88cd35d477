"""What was taken in counts once: a file imported again, a log that grows, an import or a release that was killed and is run again."""
import gzip
import json
import os
import random
import shutil
import signal
import subprocess
import time

import pytest

from harness import BUILD, RULES, SLOW, Server

SITES = ['sites=https://shop.example']


def lines_of(first, n, now, days=30):
    return ''.join('{"id":"v%d","t":%d,"u":"https://shop.example/coats/%d"}\n' % (i % 500, now - 60 - i % days * 86400, i) for i in range(first, first + n))


def write(path, text, mode='w'):
    with open(path, mode) as f:
        f.write(text)
    return path


def events(server):
    return server.js('db', 'stat')['events']


@pytest.fixture(params=['server', 'alone'])
def store(request):
    s = Server(options=SITES)
    if request.param == 'server':
        s.start()
    yield s
    s.close()


def test_a_file_counts_once(store, tmp_path):
    text = lines_of(0, 3000, store.now())
    path = write(str(tmp_path / 'events.ndjson'), text)
    dry = store.js('import', path, '--format', 'ndjson', '--dry-run')
    assert (dry['accepted'], dry['already'], dry['dry_run']) == (3000, 0, True)
    first = store.js('import', path, '--format', 'ndjson')
    assert (first['accepted'], first['already']) == (3000, 0) and events(store) == 3000
    again = store.js('import', path, '--format', 'ndjson')
    assert (again['read'], again['accepted'], again['already']) == (0, 0, 3000) and events(store) == 3000
    # by another name, compressed, from a pipe
    os.rename(path, path + '.1')
    with gzip.open(path + '.gz', 'wb') as f:
        f.write(text.encode())
    assert store.js('import', path + '.gz', '--format', 'ndjson')['already'] == 3000
    told = store.cli('import', path + '.1', '--format', 'ndjson').stdout
    assert '3000 lines were imported before (--again counts them again)' in told, told
    # grown: only the tail
    write(path + '.1', lines_of(3000, 500, store.now()), 'a')
    grown = store.js('import', path + '.1', '--format', 'ndjson')
    assert (grown['accepted'], grown['already']) == (500, 3000) and events(store) == 3500
    assert store.js('import', path + '.1', '--format', 'ndjson')['already'] == 3500
    # another file with the same beginning
    other = write(str(tmp_path / 'other'), text + lines_of(9000, 10, store.now()))
    assert store.js('import', other, '--format', 'ndjson')['accepted'] == 10
    # one line is another: it is another file
    changed = write(str(tmp_path / 'changed'), text.replace('/coats/7"', '/coats/x"'))
    assert store.js('import', changed, '--format', 'ndjson')['accepted'] == 3000
    assert store.js('import', changed, '--format', 'ndjson', '--again')['accepted'] == 3000
    assert events(store) == 3510 + 6000
    store.verify()


def log_line(i, now):
    when = time.strftime('%d/%b/%Y:%H:%M:%S +0000', time.gmtime(now - 3600 - i))
    return '198.51.100.%d - - [%s] "GET /coats/%d HTTP/1.1" 200 2326 "-" "Mozilla/5.0 (X11; Linux x86_64) Firefox/130.0"\n' % (i % 250, when, i)


def test_of_a_log_that_grows_the_tail_counts(store, tmp_path):
    now, path = store.now(), str(tmp_path / 'access.log')
    arguments = ['import', path, '--format', 'combined', '--consent', 'asserted', '--host', 'shop.example']
    whole = ''.join(log_line(i, now) for i in range(200))
    write(path, whole[:-60])                            # the server writes the last line just now
    first = store.js(*arguments)
    assert (first['accepted'], first['unfinished']) == (199, 1) and events(store) == 199
    write(path, whole)
    second = store.js(*arguments)
    assert (second['accepted'], second['already']) == (1, 199) and 'unfinished' not in second
    for day in range(3):
        write(path, ''.join(log_line(200 + 50 * day + i, now) for i in range(50)), 'a')
        assert store.js(*arguments)['accepted'] == 50
    # rotated and compressed
    with open(path, 'rb') as f, gzip.open(path + '.1.gz', 'wb') as to:
        shutil.copyfileobj(f, to)
    arguments[1] = path + '.1.gz'
    assert store.js(*arguments)['already'] == 350
    assert events(store) == 350


def test_the_last_line_of_ndjson_counts_when_it_is_whole(server, tmp_path):
    text = lines_of(0, 3, server.now())
    path = write(str(tmp_path / 'f'), text[:-1])        # no end of the line, but an object
    assert server.js('import', path, '--format', 'ndjson')['accepted'] == 3
    write(path, text[:-1] + '\n' + lines_of(3, 1, server.now())[:-10])
    r = server.js('import', path, '--format', 'ndjson')
    assert (r['accepted'], r['unfinished']) == (0, 1)
    write(path, text[:-1] + '\n' + lines_of(3, 1, server.now()))
    assert server.js('import', path, '--format', 'ndjson')['accepted'] == 1
    assert events(server) == 4


def test_what_was_imported_is_known_after_a_rebuild_and_a_restore_and_goes_with_its_day(server, tmp_path):
    path = write(str(tmp_path / 'f'), lines_of(0, 100, server.now(), 1))
    arguments = ['import', path, '--format', 'ndjson']
    server.js(*arguments)
    server.cli('db', 'backup', str(tmp_path / 'backup'))
    server.stop()
    shutil.rmtree(server.store + '/state')
    server.start()
    assert server.js(*arguments)['already'] == 100 and events(server) == 100
    server.stop()
    shutil.rmtree(server.store + '/journal')
    server.cli('db', 'restore', str(tmp_path / 'backup'))
    server.start()
    assert server.js(*arguments)['already'] == 100 and events(server) == 100
    server.advance('91d')
    r = server.js(*arguments, ok=(1,))
    assert (r['already'], r['refused'].get('old')) == (0, 100)


def test_a_killed_import_run_again_ends_with_exact_counts(tmp_path):
    """The server is killed, or the command, at any moment; forty megabytes are five pieces."""
    rng = random.Random(7)
    for turn, alone in enumerate([False, True, False, True, False]):
        server = Server(options=SITES)
        try:
            now, n = server.now(), 440000 // SLOW
            path = write(str(tmp_path / 'big'), lines_of(0, n, now))
            arguments = [os.path.join(BUILD, 'crumb')] + server.common() + ['import', path, '--format', 'ndjson', '--json']
            if not alone:
                server.start()
            for _ in range(3):
                command = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                time.sleep(rng.random() * 1.5 * SLOW)
                if alone or rng.random() < 0.3:
                    command.kill()
                    command.wait()
                else:
                    server.restart(signal.SIGKILL)
                    command.wait()
            r = json.loads(subprocess.run(arguments, capture_output=True, text=True, check=True).stdout)
            assert r['already'] + r['read'] == n, r
            assert events(server) == n, (turn, alone, r)
            if turn < 2:
                server.verify()
        finally:
            server.close()


def test_a_killed_release_run_again_counts_each_event_once(tmp_path):
    bot = 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)'
    server = Server(options=SITES + ['junk.per_day=1000000'])
    try:
        server.start()
        now, n = server.now(), 250000 // SLOW
        text = ''.join('{"id":"v%d","t":%d,"u":"https://shop.example/coats/%d","ua":"%s"}\n' % (i % 500, now - 60 - i % 3 * 86400, i, bot) for i in range(n))
        r = server.js('import', write(str(tmp_path / 'bots'), text), '--format', 'ndjson')
        assert r['set_aside'] == n and events(server) == 0
        arguments = [os.path.join(BUILD, 'crumb')] + server.common() + ['quarantine', 'release', '--reason', 'crawler', '--json']
        rng = random.Random(3)
        cut = 0
        for _ in range(6):
            command = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(0.05 + rng.random() * 0.5 * SLOW)
            server.restart(signal.SIGKILL)
            command.wait()
            server.settle()
            cut += 0 < events(server) < n
        server.cli('quarantine', 'release', '--reason', 'crawler', ok=(0, 1))
        server.settle()
        assert events(server) == n, cut
        assert server.js('quarantine') == []
        server.cli('quarantine', 'release', '--reason', 'crawler', ok=(1,))
        assert events(server) == n
        server.verify()
    finally:
        server.close()
