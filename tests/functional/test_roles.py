"""Who may ask the admin listener: tokens with roles, sessions of browsers, and from where.

Routes are those of the rows ('crumb reference routes'): a new one is asked with every role, method, Host and Origin without a line here."""
import http.client
import json
import os
import re
import stat
import subprocess
import time
import urllib.parse

import pytest
from harness import BUILD, Server, until
from test_rows import reference

ROLES = ('viewer', 'marketer', 'operator')
EVIL = 'http://evil.example'


def add(server, name, role):
    return server.cli('token', 'add', name, '--role', role).stdout.strip()


class Client:
    """One who asks: with a token, with a session, or with nothing."""
    def __init__(self, server, bearer=None, cookie=None):
        self.server, self.bearer, self.cookie = server, bearer, cookie

    def ask(self, method, path, body=None, host=None, **headers):
        c = http.client.HTTPConnection(self.server.admin, timeout=60)
        sent = {k.replace('_', '-'): v for k, v in headers.items()}
        if self.bearer:
            sent['Authorization'] = 'Bearer ' + self.bearer
        if self.cookie:
            sent['Cookie'] = 'other=1; crumb_admin=' + self.cookie
        if host:
            sent['Host'] = host
        c.request(method, path, body, sent)
        r = c.getresponse()
        data = r.read()
        c.close()
        return r.status, r, data

    def status(self, *arguments, **kw):
        return self.ask(*arguments, **kw)[0]


def sign_in(server, token, **headers):
    status, r, data = Client(server).ask('POST', '/v1/login', urllib.parse.urlencode({'token': token}), **headers)
    return status, r, data


def session(server, token):
    status, r, data = sign_in(server, token)
    assert status == 303, (status, data)
    return Client(server, cookie=re.match('crumb_admin=([^;]+);', r.getheader('Set-Cookie')).group(1))


@pytest.fixture(scope='module')
def routes():
    return reference('routes')['routes']


@pytest.fixture(scope='module')
def world():
    """One server with a token and a session of each role, asked by tests that change nothing of that."""
    server = Server().start()
    server.tokens = {role: add(server, role[:3] + '.a', role) for role in ROLES}
    server.sessions = {role: session(server, token) for role, token in server.tokens.items()}
    yield server
    server.close()


def answered_wrongly(server, route):
    """How to ask so that what may be asked is refused for another reason: no test stops a clock or deletes something by asking with every role."""
    return route['path'] + '?' + 'nonsense=1'


def callers(server):
    yield 'operator', Client(server, bearer=server.token)
    for role in ROLES:
        yield role, Client(server, bearer=server.tokens[role])
        yield role, server.sessions[role]


# --- every route

def test_every_route_wants_its_role(world, routes):
    allowed = {'anybody': ROLES, 'viewer': ROLES, 'marketer': ROLES[1:], 'operator': ROLES[2:]}
    for r in routes:
        for role, client in callers(world):
            status, _, data = client.ask(r['method'], answered_wrongly(world, r), X_Crumb='1')
            words = json.loads(data)['error']
            if role in allowed[r['role']]:
                assert status == 400 and 'nonsense' in words, (r['path'], role, status, data)
            else:
                assert status == 403 and r['role'] in words and role in words, (r['path'], role, status, data)


def test_a_head_wants_what_its_get_wants(world, routes):
    for r in routes:
        if r['method'] == 'GET':
            for client in (Client(world), world.sessions['viewer'], Client(world, bearer=world.tokens['marketer']), world.sessions['operator']):
                head, get = (client.status(method, answered_wrongly(world, r)) for method in ('HEAD', 'GET'))
                assert head == get, (r['path'], head, get)


def test_every_route_wants_somebody(world, routes):
    """No token, a session that never was or that is over; health and signing in are for everybody."""
    ended = session(world, world.token)
    assert ended.status('POST', '/v1/logout', X_Crumb='1') == 303
    for r in routes:
        for client in (Client(world), Client(world, cookie='x' * 43), Client(world, cookie=''), ended):
            status, answer, data = client.ask(r['method'], answered_wrongly(world, r), X_Crumb='1')
            if r['role'] == 'anybody':
                assert status == 400, (r['path'], status)
            else:
                assert status == 401 and answer.getheader('WWW-Authenticate') == 'Bearer' and json.loads(data)['error'], (r['path'], status)
    assert {r['path'] for r in routes if r['role'] == 'anybody'} == {'/healthz', '/readyz', '/v1/login'}
    assert Client(world).status('GET', '/healthz') == Client(world).status('GET', '/readyz') == 200


def test_no_route_is_told_by_a_foreign_name_or_page(world, routes):
    for r in routes:
        for client in (Client(world), Client(world, bearer=world.token), world.sessions['viewer'], Client(world, bearer=world.tokens['operator'])):
            for host in ('evil.example', 'evil.example:8081', '127.0.0.1.evil.example', '192.0.2.1', '127.0.0.2', '[::1]'):
                status, _, data = client.ask(r['method'], r['path'] + '?nonsense=1', host=host, X_Crumb='1')
                assert status == 421 and b'admin.hosts' in data and host.split(':')[0].encode() in data, (r['path'], host, status, data)
            for origin in (EVIL, 'null', 'http://127.0.0.1', 'http://localhost:1', 'file://', 'x'):
                status, _, data = client.ask(r['method'], r['path'] + '?nonsense=1', Origin=origin, X_Crumb='1')
                assert status == 403 and b'origin' in data, (r['path'], origin, status)


def test_a_session_changes_nothing_without_the_header(world, routes):
    for r in routes:
        for role, client in callers(world):
            if not client.cookie or r['method'] == 'GET' or r['role'] == 'anybody' or role != 'operator':
                continue
            status, _, data = client.ask(r['method'], r['path'])
            assert status == 403 and b'X-Crumb' in data, (r['path'], status)
            assert client.status(r['method'], answered_wrongly(world, r), X_Crumb='1') == 400
            assert Client(world, bearer=world.token).status(r['method'], answered_wrongly(world, r)) == 400


def test_other_methods_and_paths_need_a_token_too(world, routes):
    paths = sorted({r['path'] for r in routes}) + ['/v1/nothing', '/x']
    for path in paths:
        methods = {r['method'] for r in routes if r['path'] == path}
        for method in {'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'GET', 'POST'} - methods:
            assert Client(world).status(method, path) == 401, (method, path)
            assert world.sessions['viewer'].status(method, path, X_Crumb='1') == (405 if methods else 404)
            assert Client(world, bearer=world.tokens['viewer']).status(method, path) == (405 if methods else 404)


def test_a_viewer_may_not_send_much(world):
    """A body of 32 MB is the operator's; it is refused before it is read."""
    status, _, data = Client(world, bearer=world.tokens['viewer']).ask('POST', '/v1/import', 'x' * 5000)
    assert status == 403
    status, _, data = Client(world, cookie=world.sessions['operator'].cookie).ask('POST', '/v1/import', '{"id":"a"}\n' * 2000, X_Crumb='1')
    assert status == 200 and json.loads(data)['read'] == 2000


# --- from where

def test_our_own_names(world):
    port = world.admin.rsplit(':', 1)[1]
    client = Client(world, bearer=world.token)
    for host in (world.admin, '127.0.0.1', '127.0.0.1:1', 'localhost', 'LOCALHOST:' + port, 'localhost.'):
        assert client.status('GET', '/v1/segments', host=host) == 200, host
    assert client.status('GET', '/v1/segments', Origin='http://' + world.admin) == 200
    assert client.status('GET', '/v1/segments', Origin='http://localhost:' + port, host='localhost:' + port) == 200
    assert client.status('GET', '/v1/segments', Origin='http://localhost:' + port) == 403


def test_names_of_admin_hosts(make):
    server = make(options=['admin.hosts=crumb.example,https://desk.example:8443'])
    client = Client(server, bearer=server.token)
    for host in ('crumb.example', 'Crumb.Example:8443', 'desk.example', 'desk.example:8443'):
        assert client.status('GET', '/v1/segments', host=host) == 200, host
    for origin in ('https://crumb.example', 'http://crumb.example', 'https://desk.example:8443'):
        assert client.status('GET', '/v1/segments', Origin=origin) == 200, origin       # a proxy that asks us by our address
    for origin in ('https://crumb.example:8443', 'https://desk.example', 'http://desk.example:8443', 'https://x.crumb.example'):
        assert client.status('GET', '/v1/segments', Origin=origin) == 403, origin
    assert client.status('GET', '/v1/segments', host='x.crumb.example') == 421
    r = subprocess.run([os.path.join(BUILD, 'crumbd'), '--check'] + server.common() + ['-o', 'admin.hosts=*.example'], capture_output=True, text=True)
    assert r.returncode == 1 and 'list each host' in r.stdout + r.stderr, r


def test_listening_at_all_addresses(make):
    server = make(options=['admin.token=' + 'x' * 40])
    server.stop()
    server.token = 'x' * 40
    server.options = [o for o in server.options if not o.startswith('admin.')]
    server.listen = '127.0.0.1:0'
    server.test_clock = False
    server.start(more=['-o', 'admin.listen=0.0.0.0:0'])
    port = server.admin.rsplit(':', 1)[1]
    for host, status in (('127.0.0.1', 200), ('0.0.0.0', 200), ('localhost', 200), ('192.0.2.1', 421), ('evil.example', 421)):
        c = http.client.HTTPConnection('127.0.0.1', int(port), timeout=30)
        c.request('GET', '/v1/segments', headers={'Host': '%s:%s' % (host, port), 'Authorization': 'Bearer ' + server.token})
        assert c.getresponse().status == status, host
        c.close()
    assert server.js('segments', 'list')
    assert 'http://127.0.0.1:%s/#token=' % port in server.cli('dashboard').stdout


# --- tokens

def test_tokens_are_added_listed_and_removed(make):
    server = make()
    assert server.js('token', 'list') == []
    anna = add(server, 'anna', 'viewer')
    assert re.fullmatch('[A-Za-z0-9_-]{43}', anna)
    path = os.path.join(server.store, 'admin.tokens')
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    with open(path) as f:
        assert anna not in f.read()
    client = Client(server, bearer=anna)
    assert client.status('GET', '/v1/segments') == 200, 'with the next request'
    assert json.loads(client.ask('GET', '/v1/who')[2]) == {'name': 'anna', 'role': 'viewer', 'until': None, 'below': 20}
    assert json.loads(Client(server, bearer=server.token).ask('GET', '/v1/who')[2])['name'] == 'operator'
    day = time.strftime('%Y-%m-%d', time.gmtime(server.now()))
    rows = [{'name': 'anna', 'role': 'viewer', 'added': day}]
    assert server.js('token', 'list') == rows == json.loads(server.http('GET', '/v1/tokens', admin=True)[2])
    assert 'anna' in server.cli('token', 'list').stdout
    server.cli('token', 'remove', 'anna')
    assert client.status('GET', '/v1/segments') == 401
    assert server.js('token', 'list') == []
    assert 'no token' in server.cli('token', 'remove', 'anna', ok=(1,)).stderr
    what = [(r['what'], r['of'], r['why']) for r in json.loads(server.http('GET', '/v1/history', admin=True)[2])]
    assert what == [('token.remove', 'anna', 'viewer'), ('token.add', 'anna', 'viewer')]


def test_names_and_roles_of_tokens(make):
    server = make()
    add(server, 'a', 'viewer')
    add(server, 'anna.b_c@shop-example', 'operator')
    for arguments in (('anna.b_c@shop-example', 'viewer'), ('A', 'viewer'), ('', 'viewer'), ('two words', 'viewer'), ('-x', 'viewer'), ('x' * 64, 'viewer'), ('operator', 'viewer'),
                      ('grün', 'viewer'), ('x\n', 'viewer'), ('x', 'boss'), ('x', '')):
        r = server.cli('token', 'add', arguments[0], '--role', arguments[1], ok=(1, 2))
        assert r.stderr and not r.stdout, (arguments, r)
    assert server.cli('token', 'add', 'x', ok=(2,)).stderr
    assert len(server.js('token', 'list')) == 2
    server.stop()
    late = add(server, 'late', 'marketer')          # without a server
    server.start()
    assert Client(server, bearer=late).status('GET', '/v1/history') == 200


def test_a_damaged_file_of_tokens_opens_to_nobody(make):
    server = make()
    anna = add(server, 'anna', 'operator')
    browser, own = session(server, anna), session(server, server.token)
    path = os.path.join(server.store, 'admin.tokens')
    with open(path) as f:
        good = f.read()
    for bad in (good.replace('operator', 'viewer'), good[:-5], '', 'x' * 400000, good + 'x'):
        with open(path, 'w') as f:
            f.write(bad)
        assert Client(server, bearer=anna).status('GET', '/v1/segments') == 401
        assert browser.status('GET', '/v1/segments') == 401
        assert Client(server, bearer=server.token).status('GET', '/v1/segments') == own.status('GET', '/v1/segments') == 200
        status, _, text = Client(server).ask('GET', '/readyz')
        assert status == 200 and b'admin.tokens is damaged' in text and b'crumb token add' in text
        assert server.http('GET', '/v1/tokens', admin=True)[0] == 500
        assert 'damaged' in server.cli('token', 'add', 'bert', '--role', 'viewer', ok=(1,)).stderr
        with open(path) as f:
            assert f.read() == bad, 'nothing is lost'
    assert 'admin.tokens is damaged' in server.logged()
    with open(path, 'w') as f:
        f.write(good)
    assert Client(server, bearer=anna).status('GET', '/v1/segments') == browser.status('GET', '/v1/segments') == 200
    assert b'damaged' not in Client(server).ask('GET', '/readyz')[2]
    os.unlink(path)
    assert Client(server, bearer=anna).status('GET', '/v1/segments') == 401


# --- sessions

def test_a_browser_signs_in_and_out(make):
    server = make()
    anna = add(server, 'anna', 'marketer')
    status, r, _ = sign_in(server, ' ' + anna + '\n')
    assert status == 303 and r.getheader('Location') == '/' and 'no-store' in r.getheader('Cache-Control')
    parts = r.getheader('Set-Cookie').split('; ')
    assert re.fullmatch('crumb_admin=[A-Za-z0-9_-]{43}', parts[0]) and set(parts[1:]) == {'Path=/', 'Max-Age=43200', 'HttpOnly', 'SameSite=Strict'}
    browser = Client(server, cookie=parts[0].split('=')[1])
    who = json.loads(browser.ask('GET', '/v1/who')[2])
    assert who == {'name': 'anna', 'role': 'marketer', 'until': who['until'], 'below': 20} and abs(who['until'] - server.now() - 43200) < 30
    assert browser.status('POST', '/v1/logout') == 403
    status, r, _ = browser.ask('POST', '/v1/logout', X_Crumb='1')
    assert status == 303 and r.getheader('Set-Cookie').startswith('crumb_admin=; ') and 'Max-Age=0' in r.getheader('Set-Cookie')
    assert browser.status('GET', '/v1/who') == 401


def test_a_session_ends_after_twelve_hours(make):
    server = make()
    browser = session(server, server.token)
    server.advance('11h')
    assert browser.status('GET', '/v1/who') == 200
    server.advance('1h')
    assert browser.status('GET', '/v1/who') == 401


def test_a_session_ends_with_its_token(make):
    server = make()
    anna, bert = add(server, 'anna', 'operator'), add(server, 'bert', 'viewer')
    browsers = [session(server, t) for t in (anna, anna, bert)]
    server.cli('token', 'remove', 'anna')
    assert [b.status('GET', '/v1/segments') for b in browsers] == [401, 401, 200]
    add(server, 'anna', 'operator')             # of the same name, and another token
    assert [b.status('GET', '/v1/segments') for b in browsers] == [401, 401, 200]
    server.restart()
    assert browsers[2].status('GET', '/v1/segments') == 401, 'in memory only'


def test_a_session_may_what_its_token_may(make):
    server = make()
    browser = session(server, add(server, 'anna', 'viewer'))
    assert browser.status('POST', '/v1/reload', X_Crumb='1') == 403
    assert browser.status('GET', '/v1/tokens') == 403 and browser.status('GET', '/v1/history') == 403
    wrong = Client(server, bearer='nobody', cookie=browser.cookie)
    assert wrong.status('GET', '/v1/segments') == 401, 'whoever sends a token means it'


def test_the_oldest_of_a_hundred_sessions_goes(make):
    server = make()
    browsers = [session(server, server.token) for _ in range(101)]
    assert [b.status('GET', '/v1/who') for b in (browsers[0], browsers[1], browsers[100])] == [401, 200, 200]


def test_who_signs_in_often_ends_no_session_of_others(make):
    server = make()
    operator, viewer = session(server, server.token), add(server, 'vera', 'viewer')
    link = json.loads(Client(server, bearer=server.token).ask('POST', '/v1/login/link')[2])['url'].split('#token=')[1]
    for _ in range(101):
        assert sign_in(server, viewer)[0] == 303 and Client(server, bearer=viewer).status('POST', '/v1/login/link') == 200
    assert operator.status('GET', '/v1/who') == 200 and sign_in(server, link)[0] == 303


def test_a_session_answers_no_page_of_the_same_site(make):
    """A page at another port of this host is of the same site: its pictures and scripts come with our cookie, and without Origin."""
    server = make()
    browser = session(server, server.token)
    for site, status in (('same-site', 401), ('cross-site', 401), ('same-origin', 200), ('none', 200)):
        assert browser.status('GET', '/v1/segments', Sec_Fetch_Site=site) == status, site
    assert Client(server, bearer=server.token).status('GET', '/v1/segments', Sec_Fetch_Site='cross-site') == 200
    assert browser.status('GET', '/v1/segments', Sec_Fetch_Site='same-site', Origin='http://' + server.admin) == 200


def test_signing_in_again_ends_the_session_before(make):
    server = make()
    first = session(server, server.token)
    status, r, _ = first.ask('POST', '/v1/login', 'token=' + server.token)
    assert status == 303 and first.status('GET', '/v1/who') == 401


def test_no_page_of_another_site_signs_in(make):
    server = make()
    for site, status in (('cross-site', 403), ('same-site', 403), ('same-origin', 303), ('none', 303)):
        assert sign_in(server, server.token, Sec_Fetch_Site=site)[0] == status, site
    assert sign_in(server, server.token, Origin=EVIL)[0] == sign_in(server, server.token, Origin='null')[0] == 403
    assert sign_in(server, server.token, Origin='null', Sec_Fetch_Site='same-origin')[0] == 303, 'a form of a page that gives no referrer'
    assert sign_in(server, server.token, host='evil.example')[0] == 421
    assert Client(server).status('POST', '/v1/login', 'name=x') == 400
    assert Client(server).status('POST', '/v1/login') == 400
    assert sign_in(server, 'nobody')[0] == 401


def test_secure_where_a_trusted_proxy_says_https(make):
    server = make(options=['trusted_proxies=127.0.0.1/32'])
    assert 'Secure' in sign_in(server, server.token, X_Forwarded_Proto='https')[1].getheader('Set-Cookie')
    for other in ('http', 'http, https', ''):
        assert 'Secure' not in sign_in(server, server.token, X_Forwarded_Proto=other)[1].getheader('Set-Cookie')
    url = json.loads(Client(server, bearer=server.token).ask('POST', '/v1/login/link', X_Forwarded_Proto='https')[2])['url']
    assert url.startswith('https://')
    other = make()
    assert 'Secure' not in sign_in(other, other.token, X_Forwarded_Proto='https')[1].getheader('Set-Cookie')


# --- one-time links

def spent(server, url):
    where, token = url.split('/#token=')
    assert where == 'http://' + server.admin
    return sign_in(server, token)


def test_a_link_signs_in_once_within_ten_minutes(make):
    server = make()
    anna = add(server, 'anna', 'marketer')
    url = json.loads(Client(server, bearer=anna).ask('POST', '/v1/login/link')[2])['url']
    assert Client(server, bearer=url.split('=')[1]).status('GET', '/v1/who') == 401, 'it is no token'
    status, r, _ = spent(server, url)
    assert status == 303
    browser = Client(server, cookie=r.getheader('Set-Cookie')[12:55])
    assert json.loads(browser.ask('GET', '/v1/who')[2])['name'] == 'anna'
    assert spent(server, url)[0] == 401, 'once'
    answer = json.loads(browser.ask('POST', '/v1/login/link', X_Crumb='1')[2])
    assert abs(answer['until'] - server.now() - 600) < 30
    server.advance('1h')
    assert spent(server, answer['url'])[0] == 401, 'ten minutes'
    url = json.loads(Client(server, bearer=anna).ask('POST', '/v1/login/link')[2])['url']
    server.cli('token', 'remove', 'anna')
    assert spent(server, url)[0] == 401, 'as long as the token is there'


def test_the_command_dashboard_prints_a_link(make):
    server = make()
    said = server.cli('dashboard').stdout
    url = re.search(r'http://\S+', said).group(0)
    assert server.token not in said
    status, r, _ = spent(server, url)
    assert json.loads(Client(server, cookie=r.getheader('Set-Cookie')[12:55]).ask('GET', '/v1/who')[2])['role'] == 'operator'
    anna = add(server, 'anna', 'viewer')
    status, r, _ = spent(server, server.js('dashboard', '--token', anna)['url'])
    assert json.loads(Client(server, cookie=r.getheader('Set-Cookie')[12:55]).ask('GET', '/v1/who')[2])['name'] == 'anna'
    assert server.cli('dashboard', '--token', 'nobody', ok=(1,)).stderr
    server.stop()
    assert 'no crumbd runs' in server.cli('dashboard', ok=(1,)).stderr


def test_the_command_line_may_have_a_token_of_its_own(make, monkeypatch):
    server = make()
    anna = add(server, 'anna', 'viewer')
    monkeypatch.setenv('CRUMB_TOKEN', anna)
    r = server.cli('rules', 'preview', 'coats', ok=(1,))
    assert "wants the role marketer; 'anna' is a viewer" in r.stderr
    status, r, _ = spent(server, server.js('dashboard')['url'])
    assert json.loads(Client(server, cookie=r.getheader('Set-Cookie')[12:55]).ask('GET', '/v1/who')[2])['name'] == 'anna'
    monkeypatch.setenv('CRUMB_TOKEN', '')
    assert 'size' in server.js('rules', 'preview', 'coats')


# --- wrong tokens

def test_wrong_tokens_are_slowed_and_counted_and_a_right_one_is_not(make):
    server = make()
    def count():
        return server.metric('bad_requests_total{reason="unauthorized"}') + server.metric('bad_requests_total{reason="wrong_tokens"}')
    right, before = Client(server, bearer=server.token), count()
    wrong = Client(server, bearer='nobody')
    assert [wrong.status('GET', '/v1/segments') for _ in range(20)] == [401] * 20
    began = time.monotonic()
    assert [wrong.status('GET', '/v1/who'), sign_in(server, 'nobody')[0], wrong.status('GET', '/v1/nothing'), sign_in(server, 'x')[0]] == [401] * 4
    slow = time.monotonic() - began
    assert slow >= 1.0, 'a quarter of a second each'
    until(lambda: wrong_at_once(server) == 429, seconds=30)
    status, r, data = wrong.ask('GET', '/v1/segments')
    assert status == 429 and int(r.getheader('Retry-After')) > 0 and json.loads(data)['error']
    assert sign_in(server, 'nobody')[0] == 429
    began = time.monotonic()
    for _ in range(5):
        assert right.status('GET', '/v1/who') == 200
    browser = session(server, server.token)
    assert browser.status('GET', '/v1/who') == 200 and time.monotonic() - began < 1.5
    assert count() - before > 100
    assert Client(server).status('GET', '/v1/who') == 401, 'no token is no wrong one'


def wrong_at_once(server):
    """Twenty wrong tokens on connections of their own, at the same time."""
    open_ones = []
    for _ in range(20):
        c = http.client.HTTPConnection(server.admin, timeout=60)
        c.request('GET', '/v1/who', headers={'Authorization': 'Bearer nobody'})
        open_ones.append(c)
    last = [c.getresponse().status for c in open_ones][-1]
    for c in open_ones:
        c.close()
    return last


def test_wrong_tokens_are_counted_by_address(make):
    server = make(options=['trusted_proxies=127.0.0.1/32'])
    for _ in range(20):
        assert Client(server, bearer='nobody').status('GET', '/v1/who', X_Forwarded_For='192.0.2.1') == 401
    began = time.monotonic()
    assert Client(server, bearer='nobody').status('GET', '/v1/who', X_Forwarded_For='192.0.2.2') == 401
    assert time.monotonic() - began < 0.25
    began = time.monotonic()
    assert Client(server, bearer='nobody').status('GET', '/v1/who', X_Forwarded_For='192.0.2.1') == 401
    assert time.monotonic() - began >= 0.25
