"""User sync: partners' ids for our visitors and ours for theirs, under consent, without open redirects, as long as the visitor lives."""
import json
import signal
import urllib.parse

import pytest
from harness import DAY, Browser

DESTINATIONS = '''version: 1
partners:
  - id: xandr
    sync: {url: "https://ib.adnxs.example/getuid?https://crumb.example/sync%3Fpartner=xandr%26uid=$UID&gdpr=${GDPR}&gdpr_consent=${GDPR_CONSENT_7}", every: 7d}
    redirects: ["https://pbs.example/setuid"]
  - id: google
    uid_param: google_gid
    sync: {url: "https://cm.g.example/pixel?google_nid=n&google_hm=${CRUMB_ID_BASE64}", type: iframe}
  - id: ttd
    redirects: ["https://match.example:8443/", "http://127.0.0.1:9/"]
'''


@pytest.fixture
def server(make):
    return make(destinations=DESTINATIONS)


def sync(b, partner, redirect=None, headers=None, **more):
    query = {'partner': partner, **({'redirect': redirect} if redirect else {}), **more}
    status, r, data = b.request('GET', '/sync?' + urllib.parse.urlencode(query), headers=headers)
    return status, r.getheader('Location'), data


def partners(b):
    return {p['partner']: p['id'] for p in b.shown()['partners']}


def test_a_partner_s_id_is_kept_both_ways_and_renewed(server):
    b = Browser.known(server)
    status, _, data = sync(b, 'xandr', uid='5727816213491965')
    assert status == 200 and data.startswith(b'GIF89a') and b.set_cookie is None
    server.settle()
    assert partners(b) == {'xandr': '5727816213491965'}
    assert sync(b, 'xandr', uid='5727816213491965')[0] == 200           # known and fresh: nothing is written
    assert server.metric('syncs_total{result="known"}') == 1
    assert sync(b, 'xandr', uid='another')[0] == 200 and sync(b, 'google', google_gid='CAESEHIV8HXNp0pFdHgi2rElMfk', google_cver='1')[0] == 200
    server.settle()
    assert partners(b) == {'xandr': 'another', 'google': 'CAESEHIV8HXNp0pFdHgi2rElMfk'}
    server.restart(signal.SIGKILL)
    assert partners(b) == {'xandr': 'another', 'google': 'CAESEHIV8HXNp0pFdHgi2rElMfk'}
    server.verify()
    assert server.stop() == 0 and server.js('db', 'verify', '--replay')['ok']


def test_it_dies_with_the_visitor_and_after_ninety_days(server):
    b, gone = Browser.known(server), Browser.known(server)
    for v in b, gone:
        sync(v, 'xandr', uid='u-' + v.jar['crumb'][:5])
    server.settle()
    assert server.cli('visitor', 'erase', '--cookie', gone.jar['crumb'])
    server.verify()
    server.advance('60d')
    b.hit('/home')
    server.settle()
    server.advance('29d')
    assert len(partners(b)) == 1
    visitor = b.shown()['visitor']
    server.advance('1d')            # the match is 90 days old, and so is the cookie; the visit of day 60 is not
    known = server.visitor('--key', visitor)
    assert known['first_day'] == known['last_day'] and known['partners'] == []
    server.verify()
    assert server.stop() == 0 and server.js('db', 'verify', '--replay')['ok']


def test_a_match_before_the_cookie_came_back_counts_when_it_does(server):
    b = Browser(server)
    assert sync(b, 'xandr', uid='early')[0] == 200 and 'crumb' in b.jar
    server.settle()
    assert b.shown()['provisional'] and server.js('db', 'stat')['visitors'] == 0
    b.hit('/coats/1')
    server.settle()
    assert partners(b) == {'xandr': 'early'}
    server.verify()


@pytest.mark.parametrize('macro', ['$UID', '${UID}', '%24UID', '%24%7BUID%7D', '%24{UID}', '$$visitor_cookie$$', '${DI_USER_ID}'])
def test_redirect_carries_our_id_for_the_partner(server, macro):
    b = Browser.known(server)
    status, to, _ = sync(b, 'xandr', 'https://pbs.example/setuid?bidder=crumb&uid=' + macro + '&f=i')
    assert status == 302
    ours = to.split('uid=')[1].split('&')[0]
    assert len(ours) == 32 and to == 'https://pbs.example/setuid?bidder=crumb&uid=%s&f=i' % ours
    other = sync(b, 'ttd', 'https://match.example:8443/x?u=' + macro)[1]
    assert other.startswith('https://match.example:8443/x?u=') and not other.endswith(ours)       # each partner gets another
    assert sync(b, 'xandr', 'https://pbs.example/setuid?bidder=crumb&uid=' + macro)[1].endswith(ours)
    server.settle()
    visitor = b.shown()['visitor']
    assert visitor not in to + other


def test_consent_signals_travel(server):
    b = Browser.known(server)
    tcf = 'CQtAQoAQtAQoAAfACBENBkFgALDAAAAAAAYgAQqqqoAACAAAAAAAA.IAQqqqoAACAAA'
    to = sync(b, 'ttd', 'https://match.example:8443/x?g=${GDPR}&c=${GDPR_CONSENT_33}&u=${US_PRIVACY}&n=${GPP_STRING}&x=${OTHER}', gdpr='0', gdpr_consent=tcf)[1]
    assert to == 'https://match.example:8443/x?g=0&c=%s&u=&n=&x=${OTHER}' % tcf


def test_no_means_no_id(server):
    for signal_, headers in (({}, {'Sec-GPC': '1'}), ({'us_privacy': '1YYN'}, {}), ({'gdpr': '1'}, {})):
        b = Browser.known(server)
        jar = dict(b.jar)
        status, to, _ = sync(b, 'xandr', 'https://pbs.example/setuid?uid=$UID', headers=headers, uid='kept?', **signal_)
        assert (status, to) == (302, 'https://pbs.example/setuid?uid=')
        server.settle()
        v = server.visitor('--cookie', jar['crumb'])
        assert v is None or v['partners'] == []
    assert json.loads(Browser.known(server).request('GET', '/sync', headers={'Sec-GPC': '1'})[2]) == {'syncs': []}


@pytest.mark.parametrize('url', ['https://evil.example/', 'https://pbs.example.evil.example/setuid', 'https://pbs.example@evil.example/setuid', '//evil.example/',
                                 'https://pbs.example/other', 'javascript:alert(1)', 'https://pbs.example/setuid?x=\r\nSet-Cookie: a=b', 'https:/\\pbs.example/setuid',
                                 'http://pbs.example/setuid', 'https://pbs.example/setuid\\@evil.example'])
def test_it_leads_nowhere_that_is_not_listed(server, url):
    b = Browser.known(server)
    status, to, _ = sync(b, 'xandr', url)
    assert (status, to) == (400, None)
    assert sync(b, 'ttd', 'https://pbs.example/setuid')[0] == 400 and sync(b, 'google', 'https://pbs.example/setuid')[0] == 400
    assert sync(b, 'nobody', uid='1')[0] == 404


@pytest.mark.parametrize('path, there', [
    ('setuid', True), ('setuid?b=1&u=$UID', True), ('setuid/x', True), ('setuid/', True), ('x/../setuid?u=$UID', True), ('./setuid', True), ('setuid#a', True),
    ('setuidevil', False), ('setuid.evil', False), ('setuid/../evil?u=$UID', False), ('setuid/%2e%2e/evil', False), ('setuid/.%2E/evil', False), ('setuid/..', False),
    ('setuid/x/../../evil', False), ('setuid/..%2fevil', False), ('setuid/%2e%2e%2fevil', False), ('setuid/..%5cevil', False), ('setuid/%252e%252e/evil', False),
    ('setuid/..;/evil', False), ('setuid/..;a=b/evil', False), ('../setuid', False), ('SETUID', False), ('', False), ('setuid%00', False), ('/setuid', False),
    ('x/%2e%2e/setuid/./y', True), ('setuid/...', True), ('setuid/' + 'x/' * 70, False)])
def test_whole_segments_are_compared(server, path, there):
    b = Browser.known(server)
    status, to, _ = sync(b, 'xandr', 'https://pbs.example/' + path)
    assert (status == 302) == there and status in (302, 400) and bool(to) == there, (path, status, to)
    assert sync(b, 'xandr', 'HTTPS://pbs.example/' + path)[0] == 400 or not there


@pytest.mark.parametrize('uid', ['jane@example.com', '$UID', '${UID}', 'a b', 'a,b', 'a;b', '0', 'x' * 129, 'amFuZUBleGFtcGxlLmNvbQ==', '%%TDID%%', '<b>', '\0', 'a\0b', 'undefined', 'null', 'NULL', 'None', 'NaN',
                                 '-1', '00000000-0000-0000-0000-000000000000', '0' * 32, 'optout', 'unknown', 'N/A', '__UID__', 'ffffffff-FFFF-ffff-ffff-ffffffffffff', '[object Object]'])
def test_what_is_no_id_is_not_kept(server, uid):
    b = Browser.known(server)
    assert sync(b, 'xandr', uid=uid)[0] == 200
    server.settle()
    assert partners(b) == {}
    assert server.metric('syncs_total{result="unusable_id"}') == 1


def test_the_tag_is_told_what_is_due(server):
    b = Browser.known(server)
    ask = lambda b: {s['partner']: s for s in json.loads(b.request('GET', '/sync?gdpr=0')[2])['syncs']}
    first = ask(b)
    assert set(first) == {'xandr', 'google'} and first['google']['type'] == 'iframe' and first['xandr']['type'] == 'image'
    assert first['xandr']['url'].endswith('uid=$UID&gdpr=0&gdpr_consent=')          # $UID is the partner's own macro there
    assert len(first['google']['url'].split('google_hm=')[1]) == 22 and '$' not in first['google']['url']
    sync(b, 'xandr', uid='u1')
    server.settle()
    assert set(ask(b)) == {'google'}
    server.advance('8d')
    assert set(ask(b)) == {'xandr', 'google'}
    assert ask(Browser(server)) == {}
    status, _, _ = b.request('GET', '/sync', headers={'Origin': 'https://elsewhere.example'})
    assert status == 403


def test_erasing_forgets_at_once_and_in_the_journal_s_bytes(server):
    b = Browser.known(server)
    sync(b, 'xandr', uid='to-be-forgotten')
    server.settle()
    assert b.request('POST', '/me/forget', headers={'Sec-Fetch-Site': 'same-origin'})[0] in (200, 303)
    server.verify()
    server.advance('1d')
    server.http('POST', '/v1/compact', admin=True)
    assert server.stop() == 0
    assert server.js('db', 'verify', '--replay')['ok']


def test_files_with_mistakes_are_refused_with_their_place(server):
    server.write_destinations(DESTINATIONS + 'destinations:\n  - {id: x, format: xandr-txt}\n  - {id: y, format: csv, partner: nobody}\n  - {id: z, format: csv, schedule: often}\n'
                              '  - {id: w, format: csv, deliver: {url: "https://us:passw0rd@p.example/"}}\n')
    r = server.cli('rules', 'check', ok=(1,))
    assert 'destinations.yaml:15:' in r.stderr and 'env:NAME' in r.stderr and 'passw0rd' not in r.stderr
    assert "destinations.yaml:12:21" in r.stderr and "did you mean 'xandr-text'?" in r.stderr and "there is no partner 'nobody'" in r.stderr and 'schedule' in r.stderr
    server.process.send_signal(signal.SIGHUP)
    b = Browser.known(server)
    assert sync(b, 'xandr', uid='still')[0] == 200
