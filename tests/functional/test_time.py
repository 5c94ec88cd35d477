"""Days, windows, the cookie's life, provisional visitors: everything that time alone does."""
import os

from harness import Browser, DAY, RULES


def stat(server):
    s = server.js('db', 'stat')
    return s['visitors'], s['events']


def test_windows_slide_without_a_visit(server):
    browsers = [Browser.known(server) for _ in range(20)]
    for b in browsers:
        assert b.events(*[{'u': 'https://shop.example/coats/%d' % i} for i in range(3)]) == 204
    assert browsers[0].segments() == {'coat-fans', 'intenders', 'coats-ever', 'apparel-any'}
    server.settle()
    assert server.sizes()['coat-fans'] == 20
    server.advance('13d')
    assert server.sizes()['coat-fans'] == 20
    server.advance('1d')
    assert server.sizes()['coat-fans'] is None and server.sizes()['coats-ever'] == 20
    assert browsers[0].segments() == {'coats-ever', 'apparel-any'}
    server.verify()


def test_a_not_comes_true_by_time_alone(make):
    server = make(rules=RULES + '  - {id: lapsed, when: coats and not purchase in 30d}\n')
    b = Browser.known(server)
    b.events({'u': 'https://shop.example/coats/1'}, {'e': 'purchase'})
    assert 'lapsed' not in b.segments()
    server.advance('29d')
    assert 'lapsed' not in b.segments()
    server.advance('1d')
    assert 'lapsed' in b.segments()


def test_each_observation_ends_by_itself(server):
    b = Browser.known(server)
    b.hit('/coats/1')
    server.advance('60d')
    b.hit('/shoes/1')
    server.advance('29d')
    assert b.segments() == {'coats-ever', 'apparel-any'}
    server.advance('1d')
    assert stat(server) == (1, 1)                           # the cookie ended on the same day, so ask by key
    assert not b.segments()
    server.advance('60d')
    assert stat(server) == (0, 0)
    server.verify()


def test_nothing_is_left_and_the_files_stop_growing(server):
    used = []
    for cycle in range(30):
        browsers = [Browser.known(server) for _ in range(12)]
        for b in browsers:
            b.events(*[{'u': 'https://shop.example/coats/%d-%d' % (cycle, i)} for i in range(80)])
        server.settle()
        assert stat(server) == (12, 12 * 82)
        server.advance('91d')
        s = server.js('db', 'stat')
        assert (s['visitors'], s['events'], s['provisional'], s['oldest_day']) == (0, 0, 0, None)
        used.append(s['journal_bytes'] + s['state_bytes'])
        assert os.listdir(os.path.join(server.store, 'journal')) == []
    assert max(used[-10:]) <= 1.2 * max(used[:10]), used
    server.verify()


def test_time_goes_on_while_the_server_is_off(server):
    """The clock that tests moved is kept in the store; here it is moved while nothing runs."""
    browsers = [Browser.known(server) for _ in range(20)]
    for b in browsers:
        b.events(*[{'u': 'https://shop.example/coats/%d' % i} for i in range(3)])
    server.settle()
    for days, fans, ever in ((14, None, 20), (90, None, None)):
        server.stop()
        with open(os.path.join(server.store, 'clock'), 'w') as f:
            f.write('%d\n' % (days * DAY))
        assert server.sizes()['coat-fans'] is fans and server.sizes()['coats-ever'] == ever    # read without a server
        server.start()
        assert server.sizes()['coat-fans'] is fans and server.sizes()['coats-ever'] == ever
    assert stat(server) == (0, 0)
    assert os.listdir(os.path.join(server.store, 'journal')) == []


def test_a_cookie_ends_after_90_days_and_is_replaced(server):
    b = Browser.known(server)
    first = b.jar['crumb']
    server.advance('89d')
    b.hit('/coats/1')
    assert b.jar['crumb'] == first and b.segments()
    server.advance('1d')
    b.hit('/coats/1')
    assert b.jar['crumb'] != first and not b.segments()
    assert server.cli('visitor', 'show', '--cookie', first, ok=(1,)).returncode == 1


def test_a_forged_cookie_is_replaced(server):
    b = Browser.known(server)
    real = b.jar['crumb']
    for forged in (real[:-1] + ('A' if real[-1] != 'A' else 'B'), 'x', real + 'A', 'A' * 47):
        b.jar['crumb'] = forged
        assert b.hit('/coats/1') == 200 and b.jar['crumb'] not in (forged, real)
        assert server.cli('visitor', 'show', '--cookie', forged, ok=(1,)).returncode == 1
    assert server.metric('cookies_total{kind="forged"}') == 4


def test_the_cookie_has_the_configured_attributes(make):
    cases = (((), '; Max-Age=7776000; Path=/; HttpOnly; Secure; SameSite=None'),
             (('cookie.partitioned=yes',), '; Max-Age=7776000; Path=/; HttpOnly; Secure; SameSite=None; Partitioned'),
             (('cookie.samesite=lax', 'cookie.secure=no', 'cookie.domain=shop.example'), '; Max-Age=7776000; Path=/; HttpOnly; SameSite=Lax; Domain=shop.example'))
    for options, tail in cases:
        b = Browser(make(options=options))
        b.hit('/')
        value, _, rest = b.set_cookie.partition(';')
        assert ';' + rest == tail and len(value) == len('crumb=') + 47
        b.hit('/')
        assert b.set_cookie is None


def test_a_first_hit_counts_once_the_cookie_comes_back(server):
    b = Browser(server)
    b.hit('/coats/1')
    server.settle()
    assert stat(server) == (0, 0) and server.js('db', 'stat')['provisional'] == 1
    assert b.segments() == set() and b.shown()['provisional'] is True       # a look-up does not bring it back
    b.hit('/coats/2')
    assert b.segments() == {'coats-ever', 'apparel-any'} and b.count('apparel.coats') == 2
    assert stat(server) == (1, 2) and server.js('db', 'stat')['provisional'] == 0 and b.shown()['provisional'] is False


def test_a_provisional_visitor_is_gone_after_a_day(server):
    b = Browser(server)
    b.hit('/coats/1')
    server.settle()
    server.advance('26h')
    assert server.js('db', 'stat')['provisional'] == 0 and b.shown() is None
    b.hit('/coats/2')
    assert b.segments() and b.count('apparel.coats') == 1                   # the first hit is forgotten


def test_the_provisional_table_is_capped(make):
    server = make(options=['provisional.max=10000', 'store.shards=2'])
    body = '\n'.join('{"u":"https://shop.example/coats/%d"}' % i for i in range(1))
    import http.client
    c = http.client.HTTPConnection(server.collect, timeout=30)
    for _ in range(11000):
        c.request('POST', '/e', body)
        c.getresponse().read()
    server.settle()
    s = server.js('db', 'stat')
    assert 9000 < s['provisional'] <= 10002 and s['visitors'] == 0
    server.verify()
