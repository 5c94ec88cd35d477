"""Whoever waits for the disk holds nothing that look-ups, hits or deliveries wait for. The disk is made slow by a library that is loaded before libc."""
import os
import signal
import subprocess
import threading

import pytest

from harness import RULES, SLOW, Browser, Server, until

SHIM = r'''
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
static void slowly(int fd)
{
	char name[64], path[4096];
	snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
	ssize_t n = readlink(name, path, sizeof path - 1);
	path[n > 0 ? n : 0] = 0;
	if (strstr(path, "/state"))
		usleep(200000);
}
int fsync(int fd)
{
	slowly(fd);
	return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(fd);
}
int fdatasync(int fd)
{
	slowly(fd);
	return ((int (*)(int))dlsym(RTLD_NEXT, "fdatasync"))(fd);
}
'''


@pytest.fixture
def slow_disk(tmp_path):
    if SLOW > 1:
        pytest.skip('a sanitizer wants to be loaded first')
    source, library = str(tmp_path / 'slow.c'), str(tmp_path / 'slow.so')
    with open(source, 'w') as f:
        f.write(SHIM)
    subprocess.run(['cc', '-shared', '-fPIC', '-O1', '-o', library, source, '-ldl'], check=True)
    return ['env', 'LD_PRELOAD=' + library]


def test_nobody_waits_while_a_reload_makes_its_files(slow_disk):
    server = Server(options=['store.shards=32'])
    try:
        server.start()                          # the first files, quickly
        b = Browser.known(server)
        b.hit('/coats/1')
        server.settle()
        server.stop()
        server.start(command=slow_disk)
        server.write_rules(RULES + '  - {id: more, when: coats >= 2}\n')
        server.process.send_signal(signal.SIGHUP)
        until(lambda: os.path.isdir(os.path.join(server.store, 'state', '2')))
        for i in range(100):                    # it takes the other thread some 20 s to make 32 shards
            assert b.request('GET', '/segments')[0] == 200 and b.hit('/coats/%d' % i) == 200
        assert 'recomputing the history' not in server.logged(), 'they had to wait until the files were made'
        server.stop(signal.SIGKILL)
        server.start()
        assert b.count('apparel.coats') == 101
    finally:
        server.close()


def test_an_export_waits_for_whoever_looks_at_the_destination(make, tmp_path):
    """For a while, and then it says so, as JSON when asked for JSON."""
    import fcntl
    server = make(destinations='version: 1\ndestinations:\n  - {id: out, format: csv}\n')
    server.import_lines([{'id': 'v%d' % i, 't': server.now(), 'u': 'https://s.example/coats/%d' % k} for i in range(30) for k in range(2)])
    out = str(tmp_path / 'out')
    assert server.js('export', '--to', 'out', '--out', out)
    with open(os.path.join(server.store, 'exports', 'out', 'lock'), 'r+') as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        later = threading.Timer(1.5, lambda: fcntl.flock(f, fcntl.LOCK_UN))
        later.start()
        server.js('export', '--to', 'out', '--out', out)
        later.join()
        fcntl.flock(f, fcntl.LOCK_EX)
        told = server.js('export', '--to', 'out', '--out', out, ok=(1,))
        assert 'out' in told['error'] and 'delivered' in told['error'], told
