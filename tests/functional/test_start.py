"""Start-up: every option at its least and its most, ports that are taken, configuration files that nobody means, root."""
import json
import os
import re
import socket
import subprocess

import pytest
from harness import BUILD, SLOW, Browser, Server


RULES = 'version: 1\nsegments:\n  - {id: seen, when: visits}\n'        # no windows: retention may be a day


def options():
    """(name, [values at the edges]), by the rows of options."""
    for o in json.loads(subprocess.run([os.path.join(BUILD, 'crumb'), 'reference', 'options'], capture_output=True, check=True).stdout)['options']:
        if o['kind'] == 'number':
            yield o['name'], [str(o['min']), str(o['max'])]
        elif o['kind'] == 'choice':
            yield o['name'], o['words']


EDGES = [(name, value) for name, values in options() for value in values]


def refused(server, *more):
    """Starts a server that must not; what it said last."""
    with pytest.raises(AssertionError):
        server.options += more
        server.start()
    said = server.logged().splitlines()[-1]
    if server.process.stdout:
        server.process.stdout.close()
    assert server.process.wait(30) in (1, 2), (more, said)
    server.process = None
    return said


@pytest.mark.parametrize('some', range(8))
def test_every_option_at_its_least_and_its_most(make, some):
    """It starts and serves, or says which option is meant, with which value, and what can be done."""
    assert len(EDGES) > 50
    for name, value in EDGES[some::8]:
        server = Server(options=['%s=%s' % (name, value)], rules=RULES)
        try:
            try:
                server.start()
            except AssertionError:
                said = server.logged().splitlines()[-1]
                assert name in said and value in said and said.startswith('crumbd: '), (name, value, said)
                assert server.process.wait(30) in (1, 2), (name, value, said)
                continue
            assert Browser(server).hit('/coats/1') in (200, 503), (name, value)
            assert server.http('GET', '/healthz', admin=True)[0] == 200
            assert server.stop() == 0, (name, value)
        finally:
            server.close()


def test_numbers_outside_are_refused(server):
    for name, value in EDGES:
        if value.isdigit():
            for wrong in (str(int(value) + 1) if value != '0' else '', '-1', '1e3', '0x10', '99999999999999999999', ' ', 'x'):
                if wrong and not (wrong.isdigit() and int(value) < 100 and len(wrong) < 5):
                    r = subprocess.run([os.path.join(BUILD, 'crumb'), '-o', '%s=%s' % (name, wrong), 'rules', 'check', '/nowhere'], capture_output=True, text=True)
                    if r.returncode == 2:
                        assert name in r.stderr
                    else:
                        assert int(wrong) <= max(int(v) for n, v in EDGES if n == name), (name, wrong, r.stderr)


def test_a_taken_port_is_refused(make):
    """Two that share a port would each get half of the hits."""
    first = make()
    second = make()
    second.stop()
    for option in ('collect.listen', 'admin.listen'):
        with socket.create_server(('127.0.0.1', 0)) as taken:
            where = '127.0.0.1:%d' % taken.getsockname()[1]
            r = subprocess.run([os.path.join(BUILD, 'crumbd')] + second.common() + ['-o', 'collect.listen=127.0.0.1:0', '-o', 'admin.listen=127.0.0.1:0', '-o', option + '=' + where],
                               capture_output=True, text=True, timeout=60 * SLOW)
            assert r.returncode == 1 and option in r.stderr and where in r.stderr and 'in use' in r.stderr, r.stderr
    r = subprocess.run([os.path.join(BUILD, 'crumbd')] + second.common() + ['-o', 'collect.listen=' + first.collect, '-o', 'admin.listen=127.0.0.1:0'], capture_output=True, text=True, timeout=60 * SLOW)
    assert r.returncode == 1 and 'ready' not in r.stdout and first.collect in r.stderr, (r.stdout, r.stderr)
    for _ in range(20):
        assert Browser(first).hit('/coats/1') == 200
    assert first.metric('hits_total') == 20


def config(tmp_path, text):
    path = tmp_path / 'crumb.yaml'
    path.write_text(text)
    return subprocess.run([os.path.join(BUILD, 'crumb'), '-c', str(path), 'rules', 'check', str(tmp_path / 'none')], capture_output=True, text=True, timeout=20 * SLOW)


def test_configuration_files_that_nobody_means(tmp_path):
    for text, words in (('a: &a {b: *a}\n', 'or for themselves'),
                        ('sites: &a [*a]\n', 'or for themselves'),
                        ('a: &a [*a]\n', 'or for themselves'),
                        ('[' * 200000, 'nested deeper than 64'),
                        ('{' * 200000, 'nested deeper than 64'),
                        ('- ' * 200000, 'nested deeper than 64'),
                        ('a: ' + '[' * 65 + ']' * 65, 'nested deeper than 64'),
                        (''.join('%sa:\n' % (' ' * i) for i in range(70)), 'nested deeper than 64'),
                        ('a0: &a0 {}\n' + ''.join('a%d: &a%d {x: *a%d, y: *a%d}\n' % (i, i, i - 1, i - 1) for i in range(1, 60)), 'aliases'),
                        ('store:\n  shards: 300\n', 'crumb.yaml:2:11: store.shards: expected a number from 1 to 256'),
                        ('store:\n  path: /tmp/x\ncookie:\n  samesite: maybe\n', 'crumb.yaml:4:13: cookie.samesite'),
                        ('sites:\n  - a\n  - {b: c}\n', 'crumb.yaml:3:5: sites: a list of plain words')):
        r = config(tmp_path, text)
        assert r.returncode == 2 and words in r.stderr, (text[:60], r.returncode, r.stderr[-300:])
        assert r.stderr.count('line') <= 1 and len(r.stderr) < 1000


def test_rules_that_nobody_means(tmp_path):
    """Depth is bounded where files are read: a reload must not keep a core busy."""
    rules = tmp_path / 'rules'
    rules.mkdir()
    for text in ('[' * 200000, '{' * 200000, 'version: 1\ncategories: ' + '[' * 100000 + ']' * 100000, '- ' * 200000, '? ' * 100000, ''.join(' ' * i + '-\n' for i in range(900))):
        (rules / 'a.yaml').write_text(text)
        r = subprocess.run([os.path.join(BUILD, 'crumb'), 'rules', 'check', str(rules)], capture_output=True, text=True, timeout=20 * SLOW)
        assert r.returncode == 1 and 'deeper than 64' in r.stdout + r.stderr and 'a.yaml:' in r.stdout + r.stderr, (text[:60], r.stdout[-300:], r.stderr[-300:])


@pytest.mark.skipif(os.geteuid() != 0, reason='needs root')
def test_root_leaves_nothing_of_its_own_in_another_users_store(make, tmp_path):
    """A command of root's becomes the store's owner before it opens anything."""
    server = make()
    server.stop()
    os.chmod(server.dir, 0o755)
    for d, _, names in os.walk(server.dir):
        for f in [d] + [os.path.join(d, n) for n in names]:
            os.chown(f, 65534, 65534)
    lines = tmp_path / 'lines.ndjson'
    lines.write_text('{"id":"a","e":"view","u":"https://shop.example/coats/1"}\n')
    with open(lines) as f:
        r = subprocess.run([os.path.join(BUILD, 'crumb')] + server.common() + ['import', '-', '--format', 'ndjson'], stdin=f, capture_output=True, text=True)
    assert r.returncode == 0, r.stderr
    for command in (['segments', 'list'], ['db', 'compact'], ['db', 'verify'], ['db', 'stat']):
        server.cli(*command)
    assert {os.stat(os.path.join(d, f)).st_uid for d, _, names in os.walk(server.store) for f in names + ['.']} == {65534}
    said = refused(server)
    assert 'process.user=nobody' in said and server.store in said, said
    server.options.append('process.user=nobody')
    server.start()
    assert Browser(server).hit('/coats/1') == 200
    server.stop()
    server.options[-1] = 'process.user=daemon'
    said = refused(server)
    assert 'nobody' in said and 'daemon' in said, said
    server.options.pop()
    secret = tmp_path / 'secret.ndjson'
    secret.write_text('{"id":"b","e":"view"}\n')
    os.chmod(tmp_path, 0o700)
    r = server.cli('import', str(secret), '--format', 'ndjson', ok=(1,))
    assert 'Permission denied' in r.stderr and 'nobody' in r.stderr, r.stderr


