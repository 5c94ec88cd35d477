"""Nodes talk over TLS 1.3, and know each other by cluster.key."""
import datetime
import json
import os
import re
import socket
import ssl
import subprocess

import pytest

from harness import BUILD, until


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def crumb(*arguments):
    return subprocess.run([os.path.join(BUILD, 'crumb')] + [str(a) for a in arguments], capture_output=True, text=True, timeout=60)


@pytest.fixture
def key(tmp_path):
    path = tmp_path / 'cluster.key'
    assert crumb('cluster', 'key', path).returncode == 0
    return path


def node(make, key, *more):
    return make(options=['node.address=127.0.0.1:%d' % free_port(), 'cluster.key=%s' % key, 'node.name=north'] + list(more))


def address(server):
    return re.search(r'node\.address=(\S+)', ' '.join(server.options)).group(1)


def test_a_node_tells_who_it_is_to_one_with_the_same_key(make, key):
    server = node(make, key)
    said = server.js('cluster', 'ping', address(server))
    assert (said['name'], said['address']) == ('north', address(server))
    assert re.fullmatch(r'[0-9]+\.[0-9.]+\S*', said['version'])
    assert abs(said['clock_ahead_ms']) < 10000
    assert "node 'north'" in server.cli('cluster', 'ping', address(server)).stdout
    assert crumb('cluster', 'ping', '--key', key, address(server)).returncode == 0      # without a store or a configuration


def test_the_clock_of_the_other_is_told(make, key):
    server = node(make, key)
    server.advance('3h')
    ahead = json.loads(crumb('cluster', 'ping', '--key', key, address(server), '--json').stdout)['clock_ahead_ms']
    assert abs(ahead - 3 * 3600 * 1000) < 10000


def test_another_key_is_refused_by_both_ends(make, key, tmp_path):
    server = node(make, key)
    other = tmp_path / 'other.key'
    assert crumb('cluster', 'key', other).returncode == 0
    r = crumb('cluster', 'ping', '--key', other, address(server))
    assert r.returncode == 1 and 'has another cluster.key' in r.stderr
    until(lambda: server.metric('bad_requests_total{reason="no_node"}') >= 1)


def test_neither_plain_http_nor_tls_without_our_certificate_is_answered(make, key):
    server = node(make, key)
    host, port = address(server).split(':')
    with socket.create_connection((host, int(port)), timeout=30) as s:
        s.sendall(b'GET /v1/cluster/node HTTP/1.1\r\nHost: n\r\n\r\n')
        got = b''
        try:
            while piece := s.recv(4096):
                got += piece
        except ConnectionResetError:        # closed with our bytes unread
            pass
        assert b'HTTP' not in got
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection((host, int(port)), timeout=30) as s:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            with context.wrap_socket(s) as tls:
                tls.sendall(b'GET /v1/cluster/node HTTP/1.1\r\nHost: n\r\n\r\n')
                assert tls.recv(4096) == b''
                raise ConnectionError
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with socket.create_connection((host, int(port)), timeout=30) as s:
        with pytest.raises(ssl.SSLError):
            context.wrap_socket(s)
    assert server.js('cluster', 'ping', address(server))['name'] == 'north'
    assert server.metric('bad_requests_total{reason="no_node"}') == 3


def test_keys_are_handed_to_a_node_and_shown_to_nobody(make, key):
    server = node(make, key)
    with open(os.path.join(server.store, 'keys'), 'rb') as f:
        cookie = f.read(32)[16:]
    r = server.cli('cluster', 'ping', '--keys', address(server), '--json')
    today = datetime.date(1970, 1, 1) + datetime.timedelta(server.now() // 86400)
    assert json.loads(r.stdout)['keys'] == {'first_day': str(today), 'last_day': str(today + datetime.timedelta(2)), 'generations': 1}
    assert cookie.hex() not in r.stdout + r.stderr
    assert 'hands out the keys' in server.cli('cluster', 'ping', '--keys', address(server)).stdout
    server.advance('1d')
    assert server.js('cluster', 'ping', '--keys', address(server))['keys']['first_day'] == str(today + datetime.timedelta(1))


def test_what_the_listener_for_nodes_tells_no_other_listener_tells(make, key):
    server = node(make, key)
    for admin in (False, True):
        for path in ('node', 'keys'):
            assert server.http('GET', '/v1/cluster/' + path, admin=admin)[0] == 404


def test_a_node_goes_on_after_a_restart_and_a_take_over(make, key):
    server = node(make, key)
    server.restart()
    assert server.js('cluster', 'ping', address(server))['name'] == 'north'
    old = server.process
    server.start(more=['--take-over'])
    assert old.wait(60) == 0
    old.stdout.close()
    assert server.js('cluster', 'ping', address(server))['name'] == 'north'


@pytest.mark.parametrize('mode, options, said', [
    (0o640, ['node.address=127.0.0.1:0', 'cluster.key=KEY'], 'chmod 600'),
    (0o600, ['node.address=127.0.0.1:0'], 'there is none'),
    (0o600, ['node.address=10.0.0.1', 'cluster.key=KEY'], 'node.address'),
    (0o600, ['node.address=127.0.0.1:0', 'cluster.key=KEY.gone'], 'crumb cluster key'),
])
def test_a_node_without_a_proper_key_does_not_start(tmp_path, key, mode, options, said):
    key.chmod(mode)
    rules = tmp_path / 'rules'
    rules.mkdir()
    more = ['store.path=%s' % (tmp_path / 'store'), 'rules.path=%s' % rules, 'collect.listen=127.0.0.1:0', 'admin.listen=127.0.0.1:0'] + options
    line = [os.path.join(BUILD, 'crumbd')] + [a.replace('KEY', str(key)) for o in more for a in ('-o', o)]
    r = subprocess.run(line, capture_output=True, text=True, timeout=60)
    assert r.returncode in (1, 2) and said in r.stderr, r.stderr
    assert not (tmp_path / 'store').exists()        # refused before anything was made
    checked = subprocess.run(line + ['--check'], capture_output=True, text=True, timeout=60)
    assert checked.returncode == 1 and said in checked.stderr, checked.stderr
    assert 'cluster.key: cluster.key' not in r.stderr + checked.stderr


def test_a_key_is_made_once_and_ping_says_what_it_lacks(tmp_path, key):
    before = key.read_bytes()
    r = crumb('cluster', 'key', key)
    assert r.returncode == 1 and 'not overwritten' in r.stderr
    assert key.read_bytes() == before and key.stat().st_mode & 0o777 == 0o600
    assert crumb('cluster', 'ping', '127.0.0.1:1').returncode == 2
    assert crumb('cluster', 'ping', '--key', key, 'nowhere').returncode == 2
    r = crumb('cluster', 'ping', '--key', key, '127.0.0.1:%d' % free_port())
    assert r.returncode == 1 and 'does not answer' in r.stderr
