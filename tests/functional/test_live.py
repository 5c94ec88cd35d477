"""The tag assistant: what is told of a tab to whoever typed its code, and every way to see more."""
import json
import time
import urllib.parse

import pytest
from harness import Browser, bytes_of, until

RULES = '''version: 1
attributes:
  - {id: size, values: [m, l]}
categories:
  - {id: apparel.coats, name: Coats, any: [{path: "/coats/*"}]}
  - {id: health, name: Health, sensitive: yes, any: [{path: "/health/*"}]}
  - {id: winter, name: Winter, any: [{title: winter}]}
  - {id: purchase, name: Bought, any: [{event: purchase}]}
segments:
  - {id: coat-fans, when: coats >= 3 in 14d}
  - {id: intenders, when: coats >= 1 in 14d and not purchase in 30d}
  - {id: patients, when: health}
  - {id: cold, when: winter}
'''
SITE = 'https://shop.example'
CODE, OTHER = 'K7Q3MHW2X', '000000000'
NOTHING = {'event': '', 'site': '', 'path': '', 'campaign': '', 'referrer': '', 'value': None, 'attributes': [], 'dropped': [], 'categories': [], 'counted': 'no', 'segments': {'entered': [], 'left': []}}


@pytest.fixture
def server(make):
    return make(rules=RULES, options=['sites=shop.example'])


class Tab(Browser):
    """A tab of the shop that shows its code."""
    code = CODE

    def send(self, path='/coats/a', origin=SITE, **event):
        body = {'e': 'view', 'u': SITE + path, **({'live': self.code} if self.code else {}), **event}
        return self.request('POST', '/e', json.dumps(body), {'Content-Type': 'text/plain', **({'Origin': origin} if origin else {})})


def ask(server, method, path, code=CODE, token=None, **query):
    status, _, data = server.http(method, '/v1/live' + path + '?' + urllib.parse.urlencode({'code': code, **query}), admin=True, token=token)
    return status, json.loads(data)


def pair(server, code=CODE):
    status, said = ask(server, 'POST', '/pair', code)
    assert status == 200, said
    return said


def told(server, n=1, after=0, code=CODE):
    """So many records, once they are there."""
    found = []
    end = time.monotonic() + 30
    while len(found) < n and time.monotonic() < end:
        status, said = ask(server, 'GET', '', code, after=found[-1]['n'] if found else after, wait=5)
        assert status == 200
        found += said['hits']
    assert len(found) == n, found
    return found


def quiet(server, code=CODE, after=0):
    server.settle()
    return ask(server, 'GET', '', code, after=after)[1]['hits']


def only(hit, verdict, reason=''):
    """Nothing but a verdict."""
    return {k: v for k, v in hit.items() if k not in ('n', 't', 'says')} == {**NOTHING, 'verdict': verdict, 'reason': reason}


# --- what is told

def test_a_hit_is_explained_from_the_wall_to_its_segments_within_a_second(server):
    tab = Tab.known(server)
    server.settle()
    said = pair(server, 'k7q 3mh-w2x')
    assert said['code'] == 'K7Q-3MH-W2X' and 890 < said['until'] - server.now() <= 900
    began = time.monotonic()
    assert tab.send('/coats/jane%40example.org?utm_campaign=spring&sid=1', t='Winter coats', r='https://www.google.com/?q=x', v=2.5, p_q='x',
                    **{'a.size': 'm', 'a.email': 'jane@example.org', 'a.colour': 'red', 'a.size2': '+49 30 1234567'})[0] == 204
    hit = told(server)[0]
    assert time.monotonic() - began < 1
    assert abs(hit.pop('t') - server.now()) < 60
    assert sorted(hit.pop('dropped'), key=lambda d: d['kind']) == [{'kind': k, 'n': n} for k, n in (('attribute', 2), ('parameter', 1), ('path_segment', 1), ('query', 1), ('referrer', 1), ('title', 1))]
    assert hit == {'n': 1, 'verdict': 'recorded', 'reason': '', 'says': '', 'event': 'view', 'site': 'shop.example', 'path': '/coats/[email]', 'campaign': 'spring', 'referrer': 'search', 'value': 2.5,
                   'attributes': [{'name': 'size', 'value': 'm'}, {'name': 'colour', 'value': 'red'}], 'categories': ['apparel.coats', 'winter'], 'counted': 'yes',
                   'segments': {'entered': ['cold', 'intenders'], 'left': []}}
    tab.send(e='purchase', **{'a.size': 'xxl'})
    hit = told(server, after=1)[0]
    assert hit['segments'] == {'entered': [], 'left': ['intenders']} and hit['dropped'] == [{'kind': 'attribute_value', 'n': 1}] and hit['n'] == 2
    tab.send()
    assert told(server, after=2)[0]['segments'] == {'entered': ['coat-fans'], 'left': []}


def test_a_question_waits_for_a_hit_and_ends_with_the_pairing(server):
    tab = Tab.known(server)
    pair(server)
    began = time.monotonic()
    assert ask(server, 'GET', '', wait=1)[1]['hits'] == [] and 0.9 < time.monotonic() - began < 10
    tab.send()
    assert len(ask(server, 'GET', '', wait=25)[1]['hits']) == 1
    began = time.monotonic()
    assert ask(server, 'POST', '/end') == (200, {'ended': True}) and ask(server, 'POST', '/end') == (200, {'ended': True})
    assert ask(server, 'GET', '', wait=25)[1] == {'hits': [], 'next': 0, 'until': None} and time.monotonic() - began < 5


def test_hits_that_do_not_count_say_why(server):
    tab = Tab(server)
    pair(server)
    tab.send()
    first = told(server)[0]
    tab.send()
    second = told(server, after=1)[0]
    assert first['counted'] == 'provisional' and first['categories'] == ['apparel.coats'] and first['segments']['entered'] == []
    assert second['counted'] == 'yes' and second['segments']['entered'] == ['intenders']
    bot = Tab(server, agent='Googlebot/2.1 (+http://www.google.com/bot.html)')
    bot.code = OTHER
    pair(server, OTHER)
    bot.send()
    hit = told(server, code=OTHER)[0]
    assert (hit['verdict'], hit['reason'], hit['counted'], hit['path']) == ('set_aside', 'crawler', 'no', '/coats/a')


def test_a_page_that_is_not_the_shops_is_set_aside_without_its_name(server):
    """Its URL says another host than the page that sends it: the quarantine tells hosts from k events on."""
    tab = Tab.known(server)
    pair(server)
    tab.send(u='https://jane.example/coats/a')
    hit = told(server)[0]
    assert (hit['verdict'], hit['reason'], hit['site'], hit['path'], hit['attributes']) == ('set_aside', 'foreign_site', '', '', [])


def test_many_events_of_one_body_are_told_together(server):
    tab = Tab.known(server)
    server.settle()
    pair(server)
    body = json.dumps([{'u': SITE + '/coats/%d' % i, 'live': CODE} for i in range(3)])
    assert tab.request('POST', '/e', body, {'Content-Type': 'text/plain', 'Origin': SITE})[0] == 204
    hits = told(server, 3)
    assert [h['segments']['entered'] for h in hits] == [[], [], ['coat-fans', 'intenders']] and {h['counted'] for h in hits} == {'yes'}
    assert tab.request('POST', '/e', json.dumps([{'u': SITE + '/coats/%d' % i, 'live': CODE} for i in range(150)]), {'Content-Type': 'text/plain', 'Origin': SITE})[0] == 204
    hits = until(lambda: (h := quiet(server)) and len(h) == 100 and h)
    assert hits[-1]['n'] == 153 and hits[0]['n'] == 54


def test_a_pairing_ends_after_a_quarter_of_an_hour(server):
    tab = Tab.known(server)
    pair(server)
    tab.send()
    told(server)
    server.advance('1h')
    assert ask(server, 'GET', '')[1] == {'hits': [], 'next': 0, 'until': None}
    tab.send()
    assert pair(server)['until'] > server.now() and quiet(server) == []


def test_what_is_no_code_is_refused_and_a_code_that_nobody_shows_is_empty(server):
    for code in ('', 'K7Q', 'K7Q-3MH-W2XX', 'U7Q-3MH-W2X', '../../etc', '%00' * 9):
        for method, path in (('POST', '/pair'), ('GET', ''), ('POST', '/end')):
            status, said = ask(server, method, path, code)
            assert status == 400 and said['error']
    pair(server, OTHER)
    assert ask(server, 'GET', '', OTHER)[1]['hits'] == []


# --- what is not told

def test_refused_hits_tell_their_verdict_and_reason_alone(server):
    tab = Tab.known(server)
    server.settle()
    pair(server)
    tab.send(anon=1)
    tab.send(us_privacy='1YYN')
    tab2 = Tab.known(server, headers={'Sec-GPC': '1'})
    tab2.send()
    tab3 = Tab(server)
    tab3.jar['crumb_optout'] = '1'
    tab3.send()
    hits = told(server, 4)
    assert [only(h, 'refused', r) for h, r in zip(hits, ('anon', 'us_privacy', 'gpc', 'optout'))] == [True] * 4, hits
    assert hits[2]['says'].startswith('The browser says Global Privacy Control')


def test_a_long_history_is_not_told(server):
    """Memberships and categories from before stay untold: a record has what this hit changed."""
    tab = Tab.known(server)
    for path in ('/coats/a', '/coats/b', '/coats/c', '/health/a'):
        tab.hit(path)
    tab.events({'e': 'view', 'u': SITE + '/coats/a', 't': 'winter'})
    server.settle()
    assert set(tab.shown()['segments']) == {'coat-fans', 'intenders', 'patients', 'cold'}
    pair(server)
    tab.send('/home')
    tab.send('/coats/d')
    hits = told(server, 2)
    assert [h['segments'] for h in hits] == [{'entered': [], 'left': []}] * 2 and [h['categories'] for h in hits] == [[], ['apparel.coats']]
    text = json.dumps(hits)
    assert not any(word in text for word in ('coat-fans', 'patients', 'cold', tab.jar['crumb'], 'chrome', 'country'))


def test_sensitive_segments_are_not_told(server):
    tab = Tab.known(server)
    server.settle()
    pair(server)
    tab.send('/health/a')
    hit = told(server)[0]
    server.settle()
    assert tab.shown()['segments'] == ['patients'] and hit['segments'] == {'entered': [], 'left': []} and hit['counted'] == 'yes'


def test_what_another_tab_of_the_browser_changes_is_not_told(server):
    """Hits without the code are in no record; and where some are counted together with one that has it, the change is not told."""
    tab = Tab.known(server)
    server.settle()
    pair(server)
    tab.hit('/coats/a')
    tab.events({'e': 'view', 'u': SITE + '/home', 't': 'winter'})
    assert quiet(server) == []
    body = [{'u': SITE + '/coats/a'}, {'u': SITE + '/home', 'live': CODE}]
    assert tab.request('POST', '/e', json.dumps(body), {'Content-Type': 'text/plain', 'Origin': SITE})[0] == 204
    hit = told(server)[0]
    assert hit['counted'] == 'unclear' and hit['segments'] == {'entered': [], 'left': []} and hit['path'] == '/home'
    server.settle()
    assert 'coat-fans' not in tab.shown()['segments']       # the third look
    tab.send('/coats/a')
    assert told(server, after=1)[0]['segments']['entered'] == ['coat-fans']


def test_another_browser_with_the_code_is_not_seen(server):
    tab, other, fresh = Tab.known(server), Tab.known(server), Tab(server)
    server.settle()
    pair(server)
    tab.send('/home')
    other.send('/coats/a', e='purchase', **{'a.size': 'm'})
    fresh.send('/coats/b')
    other.send('/coats/a', anon=1)
    hits = told(server, 4)
    hits.sort(key=lambda h: h['n'])
    shown = [h for h in hits if h['verdict'] == 'recorded']
    assert len(shown) == 1 and shown[0]['path'] == '/home'
    assert [only(h, v, r) for h, v, r in zip([h for h in hits if h not in shown], ('other_browser', 'other_browser', 'refused'), ('', '', 'anon'))] == [True] * 3


@pytest.mark.parametrize('origin', ['https://evil.example', 'null', '', 'https://shop.example.evil.example', 'https://evilshop.example'])
def test_a_foreign_page_cannot_show_its_visitors(server, origin):
    """evil.example makes browsers send hits with a code that its owner has paired."""
    victim = Tab.known(server)
    victim.jar['other'] = '1'
    server.settle()
    pair(server)
    victim.send('/coats/a', origin=origin)
    victim.send('/coats/a', origin=origin, anon=1)
    assert [only(h, 'foreign_page') for h in told(server, 2)] == [True, True]
    victim.hit('/coats/a', extra='&live=' + CODE)           # a picture has no Origin
    victim.request('GET', '/p.gif?live=%s&u=%s' % (CODE, SITE), headers={'Origin': SITE})
    victim.request('GET', '/sync?live=' + CODE, headers={'Origin': SITE})
    victim.request('POST', '/e?live=' + CODE, json.dumps({'u': SITE + '/coats/a'}), {'Origin': SITE})
    victim.code = None
    victim.send('/coats/a?live=' + CODE, p_live=CODE, r=SITE + '/#live=' + CODE, **{'a.live': CODE})
    assert len(quiet(server)) == 2


def test_a_code_is_of_whoever_typed_it_and_of_its_time(server):
    tab = Tab.known(server)
    tab.send()                                              # nobody has paired it
    assert quiet(server) == []
    pair(server)
    assert quiet(server) == []
    tab.send()
    told(server)
    ask(server, 'POST', '/end')
    tab.send()
    pair(server)                                            # a code of an ended pairing
    assert quiet(server) == []
    for code in (OTHER, 'K7Q3MHW20', 'K7Q3MHW2X'[::-1]):    # guessed ones
        pair(server, code)
        assert quiet(server, code) == []
    tab.send()
    assert len(told(server)) == 1 and quiet(server, OTHER) == []


def test_two_who_typed_the_same_code_see_each_their_own_time(server):
    anna, bert, viewer = (server.cli('token', 'add', name, '--role', role).stdout.strip() for name, role in (('anna', 'marketer'), ('bert', 'marketer'), ('vera', 'viewer')))
    tab = Tab.known(server)
    server.settle()
    assert ask(server, 'POST', '/pair', token=anna)[0] == 200
    tab.send('/coats/a')
    until(lambda: ask(server, 'GET', '', token=anna)[1]['hits'])
    assert ask(server, 'GET', '', token=bert)[1] == {'hits': [], 'next': 0, 'until': None}         # he has not typed it
    assert ask(server, 'POST', '/pair', token=bert)[0] == 200
    assert ask(server, 'GET', '', token=bert)[1]['hits'] == []                                      # nothing from before
    tab.send('/coats/b')
    ours, theirs = (until(lambda: len(h := ask(server, 'GET', '', token=t)[1]['hits']) == n and h) for t, n in ((anna, 2), (bert, 1)))
    assert {k: v for k, v in ours[1].items() if k != 'n'} == {k: v for k, v in theirs[0].items() if k != 'n'} and theirs[0]['n'] == 1
    assert ask(server, 'POST', '/end', token=bert)[0] == 200                                        # ends his own alone
    assert ask(server, 'GET', '', token=bert)[1]['until'] is None and len(ask(server, 'GET', '', token=anna)[1]['hits']) == 2
    for method, path in (('POST', '/pair'), ('GET', ''), ('POST', '/end')):
        assert ask(server, method, path, token=viewer)[0] == 403
    _, _, data = server.http('GET', '/v1/history', admin=True)
    rows = [(r['what'], r['who'], r['role'], r['of']) for r in json.loads(data) if r['what'].startswith('live')]
    assert rows == [('live.end', 'bert', 'marketer', ''), ('live.pair', 'bert', 'marketer', ''), ('live.pair', 'anna', 'marketer', '')]


def test_the_page_is_told_the_same_whether_or_not_the_code_is_paired(server):
    """Byte by byte, but for the date."""
    def answers():
        out = []
        for browser in (Tab.known(server), Tab(server)):
            for event in ({}, {'anon': 1}, {'us_privacy': '1YYN'}, {'u': 'https://jane.example/'}, {'a.email': 'x@example.org'}):
                for origin in (SITE, 'https://evil.example'):
                    status, r, data = browser.send(origin=origin, **event)
                    headers = [(k, v.split('=')[0] if k == 'Set-Cookie' else v) for k, v in r.getheaders() if k != 'Date']
                    out.append((status, headers, data))
        return out
    before = answers()
    pair(server)
    assert answers() == before
    assert len(quiet(server)) == 20
    assert CODE not in json.dumps(str(before))


def test_the_code_is_kept_nowhere(server):
    tab = Tab.known(server)
    pair(server)
    tab.send()
    told(server)
    server.settle()
    server.stop()
    found = bytes_of(server.dir)
    assert CODE.encode() not in found and b'K7Q-3MH-W2X' not in found


def test_at_most_twenty_tabs_are_paired(server):
    codes = ['00000000%s' % c for c in '0123456789ABCDEFGHJKM']
    for code in codes[:20]:
        pair(server, code)
    status, said = ask(server, 'POST', '/pair', codes[20])
    assert status == 503 and 'paired' in said['error']
    ask(server, 'POST', '/end', codes[0])
    pair(server, codes[20])


def test_a_flood_with_a_paired_code_is_bounded(server):
    tab = Tab.known(server)
    pair(server)
    body = json.dumps([{'u': SITE + '/coats/a', 'live': CODE}] * 1000)
    for _ in range(5):
        assert tab.request('POST', '/e', body, {'Content-Type': 'text/plain', 'Origin': SITE})[0] == 204
    assert len(quiet(server)) == 100
