"""IPv6: listening on it, clients and proxies that have it, IPv4 within it."""
import json
import socket

import pytest
from harness import Browser, Server
from test_places import place, write


def has_six():
    try:
        with socket.socket(socket.AF_INET6) as s:
            s.bind(('::1', 0))
        return True
    except OSError:
        return False


pytestmark = pytest.mark.skipif(not has_six(), reason='this machine has no ::1')


@pytest.fixture
def at():
    servers = []

    def new(listen, options=()):
        servers.append(Server(options=options, test_clock=listen != '[::]:0'))
        servers[-1].listen = listen
        return servers[-1].start()
    yield new
    for s in servers:
        s.close()


def test_everything_works_on_it(at):
    server = at('[::1]:0')
    assert server.collect.startswith('[::1]:') and server.admin.startswith('[::1]:')
    b = Browser.known(server)
    assert b.hit('/coats/1') == 200 and 'coats-ever' in b.segments()
    assert server.raw(b'GET /crumb.js HTTP/1.1\r\nHost: [::1]:80\r\nConnection: close\r\n\r\n').startswith(b'HTTP/1.1 200')
    # the command line finds the server by the address that it left
    assert server.js('visitor', 'erase', '--cookie', b.jar['crumb']) and not b.segments()
    assert server.http('GET', '/metrics', admin=True)[0] == 200
    everything = server.logged()
    assert 'Sanitizer' not in everything
    # a port is somebody's there, too
    second = Server()
    second.listen = server.collect
    with pytest.raises(AssertionError, match='in use by another program'):
        second.start(more=['-o', 'admin.listen=[::1]:0'])
    second.close()


def test_both_families_on_one_socket(at, tmp_path):
    """[::] takes IPv4 as mapped addresses; they mean what they mean elsewhere."""
    path = str(tmp_path / 'db')
    write(path, 'nested')
    server = at('[::]:0', options=['trusted_proxies=127.0.0.0/8', 'geo.database=' + path])
    port = server.collect.rsplit(':', 1)[1]
    server.collect = '127.0.0.1:' + port                    # seen as ::ffff:127.0.0.1: a proxy
    for address in ('81.2.69.142', '::ffff:81.2.69.142', '0:0:0:0:0:ffff:81.2.69.142', '::FFFF:5102:458e', '[::ffff:81.2.69.142]:4711', '81.2.69.142:80', '2001:db8:1:2::3', '[2001:db8:1:2::3]:4711'):
        assert place(server, address) == ('GB', 'ENG'), address
    server.collect = '[::1]:' + port                        # none; and ::1 is nowhere, though IPv4 lies below ::/96 in the file
    assert place(server, '81.2.69.142') == (None, None)


def test_addresses_that_are_nowhere_open_no_gate(at, tmp_path):
    path = str(tmp_path / 'db')
    write(path, 'nested', country='US')                     # nobody's consent is asked for there
    server = at('[::1]:0', options=['trusted_proxies=::1', 'geo.database=' + path, 'consent.require=EEA,GB'])
    answer = lambda address: Browser(server, headers={'X-Forwarded-For': address}).request('GET', '/p.gif?u=https%3A%2F%2Fshop.example%2F')[1].getheader('Crumb-Refused')
    assert answer('81.2.69.142') is None
    for address in ('::1', '::2', '::', '::81.2.69.142', '0:0:0:1::81.2.69.142', 'fe80::1', 'unknown'):
        assert answer(address) == 'consent_missing', address


@pytest.mark.parametrize('trusted', ['::1', '[::1]', '::1/128', '::/0', '2001:db8::/32, ::1'])
def test_proxies_have_it(at, tmp_path, trusted):
    path = str(tmp_path / 'db')
    write(path, 'nested')
    server = at('[::1]:0', options=['trusted_proxies=' + trusted, 'geo.database=' + path])
    assert place(server, '2001:db8:1:2::3') == ('GB', 'ENG')
    # of a chain the last that is no proxy counts
    assert place(server, '8.8.8.8, 81.2.69.142, ::1') == (('GB', 'ENG') if trusted != '::/0' else (None, None))


def test_networks_of_it_are_cut_and_listed(at, tmp_path):
    server = at('[::1]:0', options=['trusted_proxies=::1', 'junk.per_network=5'])
    from test_junk import aside, header
    server.stop()
    lists = tmp_path / 'networks'
    lists.write_text('2001:db8::/32 hosting B\n::ffff:198.51.100.0/120 mapped\n')
    server.options.append('junk.networks=' + str(lists))
    server.start()
    for address, reason in (('2001:db8:1:2::3', 'network'), ('2001:db9::1', None), ('198.51.100.7', 'network'), ('::ffff:198.51.100.7', 'network'), ('0:0:0:0:0:ffff:198.51.100.7', 'network'), ('198.51.101.7', None)):
        assert header(Browser(server, headers={'X-Forwarded-For': address})) == reason, address
    assert aside(server)[('network', 'mapped')] == 3
    # addresses of one /48 are one network for the limit
    found = [header(Browser(server, headers={'X-Forwarded-For': '2001:dba:1:%x::%x' % (i, i)})) for i in range(60)]
    assert found[:5] == [None] * 5 and 'rate' in found


def test_wrong_ones_are_refused_at_start(at):
    for listen, words in (('[::1', 'in brackets'), ('::1', 'in brackets'), ('::1:80', 'in brackets'), ('[::1]', 'in brackets'), ('[]:80', 'in brackets'), ('[::1]x:80', 'in brackets'), ('[2001:db8::1]:0', '2001:db8'), ('[::1]:99999', '99999')):
        server = Server(test_clock=False)
        server.listen = listen
        with pytest.raises(AssertionError, match='did not get ready') as e:
            server.start()
        assert words in str(e.value), (listen, str(e.value))
        server.close()
    for trusted in ('::1/129', ':::1', '[::1', '2001:db8::/-1'):
        server = Server(options=['trusted_proxies=' + trusted])
        with pytest.raises(AssertionError, match='is no network'):
            server.start()
        server.close()


def test_the_erasing_page_of_another_site_is_known_by_its_origin(at):
    """Origins and hosts in brackets."""
    server = at('[::1]:0')
    b = Browser.known(server)
    host = server.collect
    assert b.request('POST', '/me/forget', headers={'Host': host, 'Origin': 'http://[::2]', 'Sec-Fetch-Site': 'cross-site'})[0] == 403
    assert b.request('POST', '/me/forget', headers={'Host': host, 'Origin': 'http://' + host})[0] in (200, 303)
    assert json.loads(b.request('GET', '/segments?fresh=1')[2])['segments'] == []
