"""Hits that are no visits: set aside with a reason and a pattern, counted, shown, and taken back."""
import json
import os

from harness import CHROME, SLOW, Browser, bytes_of

GOOGLEBOT = 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)'


def aside(server):
    return {(r['reason'], r['pattern']): r['events'] for r in server.js('quarantine')}


def header(browser, path='/p.gif?u=https%3A%2F%2Fshop.example%2Fcoats%2F1', **kw):
    return browser.request('GET', path, **kw)[1].getheader('Crumb-Refused')


def test_crawlers_are_set_aside_and_can_be_taken_back(make):
    server = make()
    lists = os.path.join(server.dir, 'crawlers')
    bot, app, person = Browser(server, agent=GOOGLEBOT), Browser(server, agent='ShopApp/3 (robotics; Android 14)'), Browser(server)
    server.stop()
    with open(lists, 'w') as f:
        f.write('# two\nbot\\b\nrobot\n')
    server.options.append('junk.crawlers=' + lists)
    server.start()
    for b in (bot, app, person):
        assert {header(b) for _ in range(4)} == {None if b is person else 'crawler'}
        assert b.events({'u': 'https://shop.example/coats/1'}) == 204
    assert server.metric('set_aside_total{reason="crawler"}') == 10
    server.settle()
    assert server.js('db', 'stat')['visitors'] == 1 and person.count('apparel.coats') == 5 and bot.shown() is None
    assert aside(server) == {('crawler', 'bot\\b'): 5, ('crawler', 'robot'): 5}
    rows = server.js('quarantine')
    assert rows[0]['first_day'] == rows[0]['last_day'] and '-' in rows[0]['first_day'] and 'crawler' in server.cli('quarantine').stdout
    # the list was wrong about the app: corrected, and what was set aside counts with its own time
    with open(lists, 'w') as f:
        f.write('bot\\b\n')
    server.process.send_signal(1)
    server.advance('2d')
    for _ in range(100 * SLOW):
        if header(app) is None:
            break
    assert server.js('quarantine', 'release', '--reason', 'crawler', '--pattern', 'robot')['released'] >= 5
    assert aside(server) == {('crawler', 'bot\\b'): 5}
    shown = app.shown()
    assert shown['categories'][0]['days'] == 2 and shown['categories'][0]['count'] >= 6
    server.cli('quarantine', 'release', '--reason', 'crawler', '--pattern', 'robot', ok=(1,))           # once is enough
    server.cli('quarantine', 'release', '--reason', 'boredom', ok=(2,))
    assert server.http('POST', '/v1/quarantine/release', 'boredom', admin=True)[0] == 400
    server.verify()
    server.stop()
    assert server.js('db', 'verify', '--replay')['ok'] and aside(server) == {('crawler', 'bot\\b'): 5}
    assert server.js('quarantine', 'release', '--reason', 'crawler')['released'] == 5                   # without a server
    assert bot.count('apparel.coats') == 5 and aside(server) == {}
    with open(lists, 'w') as f:
        f.write('(unclosed\n')
    try:
        server.start()
        assert False
    except AssertionError:
        assert "pattern '(unclosed'" in server.logged()


def test_the_journal_says_what_was_set_aside_and_what_was_released(server):
    bot, person = Browser(server, agent=GOOGLEBOT), Browser.known(server)
    assert {header(bot) for _ in range(3)} == {'crawler'} and person.hit('/shoes/1') == 200
    assert server.js('quarantine', 'release', '--reason', 'crawler')['released'] == 3
    server.stop()
    lines = server.cli('db', 'journal').stdout.splitlines()
    events = [line for line in lines if ' event ' in line]
    assert sum('/coats/1' in line for line in events) == 6 and sum(' aside=crawler:' in line for line in events) == 3
    assert sum('/shoes/1' in line for line in events) == 1 and len(events) == 9         # what is no event is not shown as one
    assert sum(' released crawler shard=' in line for line in lines) >= 1      # one of each shard that had some


def test_the_json_list_of_the_field_is_read(make):
    server = make(test_clock=False)
    server.stop()
    lists = os.path.join(server.dir, 'crawlers.json')
    with open(lists, 'w') as f:
        json.dump([{'pattern': 'Googlebot\\/', 'url': 'x'}, {'pattern': 'curl'}], f)
    server.options.append('junk.crawlers=' + lists)
    server.start()
    assert header(Browser(server, agent=GOOGLEBOT)) == 'crawler' and header(Browser(server, agent='googlebot/2')) is None
    assert header(Browser(server, agent='curl/8')) == 'crawler' and header(Browser(server, agent='')) is None and header(Browser(server)) is None


def test_networks_and_limits(make):
    server = make(options=['trusted_proxies=127.0.0.1', 'junk.per_network=5', 'junk.per_day=8'])
    server.stop()
    lists = os.path.join(server.dir, 'networks')
    with open(lists, 'w') as f:
        f.write('198.51.100.0/24 hosting A\n198.51.0.0/16\twide\n2001:db8::/32 hosting B # and more\n')
    server.options.append('junk.networks=' + lists)
    server.start()
    for address, reason in (('198.51.100.7', 'network'), ('198.51.7.7', 'network'), ('2001:db8:1:2::3', 'network'), ('198.52.0.1', None), ('2001:db9::1', None)):
        assert header(Browser(server, headers={'X-Forwarded-For': address})) == reason, address
    assert aside(server) == {('network', 'hosting A'): 1, ('network', 'wide'): 1, ('network', 'hosting B'): 1}
    found = [header(Browser(server, headers={'X-Forwarded-For': '203.0.113.%d' % i})) for i in range(60)]
    assert found[:5] == [None] * 5 and 'rate' in found and set(found) == {None, 'rate'}
    assert server.metric('set_aside_dropped_total') > 0 and sum(aside(server).values()) == 8              # bounded by the day
    assert {header(Browser(server)) for _ in range(60)} == {None}                                        # this machine has no limit
    assert 'rate' in {header(Browser(server, headers={'X-Forwarded-For': 'unknown'})) for _ in range(60)}  # for whom it speaks has one
    everything = bytes_of(server.store)
    assert b'203.0.113' not in everything and b'198.51.100.7' not in everything


def test_hosts_that_are_not_ours(make):
    server = make(options=['sites=shop.example'])
    b = Browser.known(server)
    assert header(b, '/p.gif?u=https%3A%2F%2Felsewhere.example%2Fcoats%2F1') == 'foreign_site'
    assert header(b, '/p.gif?u=nothing') == 'foreign_site'
    assert aside(server) == {('foreign_site', '(others)'): 1} and server.metric('refused_total{reason="foreign_site"}') == 2
    assert b.hit('/coats/1') == 200 and b.segments() and b.count('apparel.coats') == 1
    server.options[-1:] = ['sites=shop.example,elsewhere.example']
    server.restart()
    assert server.js('quarantine', 'release', '--reason', 'foreign_site')['released'] == 1 and b.count('apparel.coats') == 2


def test_rare_hosts_are_told_together(make):
    """A host is what somebody's browser said: one that few named may say who it was."""
    server = make(options=['sites=shop.example'], k=20)
    b = Browser.known(server)
    assert b.events(*[{'u': 'https://often.example/'} for _ in range(20)], *[{'u': 'https://seldom.example/'} for _ in range(19)], {'u': 'https://jane-doe.example/'}) == 204
    assert aside(server) == {('foreign_site', 'often.example'): 20, ('foreign_site', '(others)'): 20}
    assert b'jane' not in server.http('GET', '/v1/quarantine', admin=True)[2]
    server.stop()
    assert aside(server) == {('foreign_site', 'often.example'): 20, ('foreign_site', '(others)'): 20}
    server.start()
    assert server.js('quarantine', 'release', '--reason', 'foreign_site', '--pattern', 'jane-doe.example')['released'] == 1


def test_made_up_hosts_are_counted_together(make):
    server = make(options=['sites=shop.example'])
    b = Browser.known(server)
    for at in range(0, 3000, 500):
        assert b.events(*[{'u': 'https://h%d.example/' % i} for i in range(at, at + 500)]) == 204
    found = aside(server)
    assert found == {('foreign_site', '(others)'): 3000}
    assert server.js('quarantine', 'release', '--reason', 'foreign_site')['released'] == 3000 and aside(server) == {}
    b.segments()
    assert server.js('db', 'stat')['events'] == 3002


def test_erasing_and_time_take_what_was_set_aside_too(make):
    server = make()
    b = Browser(server)
    b.hit('/coats/1'), b.hit('/coats/1')
    b.agent = GOOGLEBOT
    b.hit('/coats/2'), b.hit('/coats/3')
    b.agent = CHROME
    assert sum(aside(server).values()) == 2 and b.request('POST', '/me/forget')[0] == 200
    c = Browser(server, agent=GOOGLEBOT)
    c.hit('/coats/1')
    server.advance('1d')
    server.cli('db', 'compact')
    assert sum(aside(server).values()) == 1
    server.advance('90d')
    assert aside(server) == {}


def test_a_flood_without_cookies_leaves_no_profile(make):
    """Nothing but a capped table."""
    server = make(options=['provisional.max=10000'])
    body = json.dumps([{'u': 'https://shop.example/coats/%d' % i} for i in range(10)])
    for _ in range(3000):
        assert server.http('POST', '/e', body, {'Content-Type': 'application/json', 'User-Agent': CHROME})[0] == 204
    for _ in range(9000):
        server.http('GET', '/p.gif?u=https%3A%2F%2Fshop.example%2F', headers={'User-Agent': CHROME})
    server.settle()
    stat = server.js('db', 'stat')
    assert stat['visitors'] == 0 and stat['events'] == 0 and stat['provisional'] <= 10004        # a part of the cap for each shard, rounded up
    assert server.metric('provisional_evicted_total') > 0
