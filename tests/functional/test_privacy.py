"""What must not be found, what must not be told, and what a refusal does."""
import base64
import gzip
import json
import os
import socket
import subprocess
import urllib.parse

import pytest
from harness import BUILD, SLOW, Browser, bytes_of, files_of

MARKED = {
    'address': '81.2.69.142', 'agent': 'Marked-Agent/7.31', 'email': 'jane.marked@example.org', 'encoded': 'joe%2Emarked%40example.org',
    'phone': '+49 170 5550123', 'digits': '4915755501234', 'token': 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJtYXJrZWQifQ', 'hex': 'deadbeefcafe0123456789abcdef4242',
    'query': 'markedquery', 'fragment': 'markedfragment', 'title': 'markedtitle', 'referrer': 'markedreferrer', 'param': 'markedparam', 'user': 'markeduser',
    'attribute': 'marked@attribute.example', 'session': 'A1B2C3D4E5F6A7B8C9',
}


def files(*folders):
    for folder in folders:
        yield from files_of(folder)


def test_nothing_raw_is_found_in_store_logs_and_exports(make):
    server = make(options=['trusted_proxies=127.0.0.0/8'], rules='''version: 1
categories:
  - {id: account, any: [{path: "/account/*"}, {title: ordinary}, {p.x: "mar*ram"}, {url: "*?q=m*"}]}
segments: [{id: everybody, when: visits >= 1}]
''')
    browsers = [Browser.known(server, agent=MARKED['agent'], headers={'X-Forwarded-For': MARKED['address']}) for _ in range(25)]
    m = MARKED
    for b in browsers:
        for path in ('/account/' + m['email'], '/account/' + m['encoded'], '/call/' + m['phone'], '/n/' + m['digits'], '/t/' + m['token'], '/h/' + m['hex'],
                     '/x;jsessionid=' + m['session'], '/p?q=' + m['query'] + '#' + m['fragment'], '/ordinary/path-with-words/2024-05-06'):
            assert b.hit(path, extra='&t=ordinary+%s&r=https%%3A%%2F%%2F%s.example%%2F&p_x=%s&a.department=declaredcoats&a.email=%s&a.note=%s&e2=x'
                         % (m['title'], m['referrer'], m['param'], m['attribute'].replace('@', '%40'), m['attribute'].replace('@', '%40'))) == 200
        assert b.hit('/q', host='https://%s:secret@shop.example:8443' % m['user']) == 200
        assert b.segments() == {'everybody'}
    server.settle()
    out = os.path.join(server.dir, 'out')
    server.cli('export', 'everybody', '--out', out)
    shown = browsers[0].shown()
    assert shown['attributes'] == {'department': 'declaredcoats'} and shown['categories'][0]['count'] == 9 and shown['country'] == 'GB'
    needles = {k: v.encode() for k, v in m.items()}
    needles.update({'cookie': browsers[0].jar['crumb'].encode(), 'decoded email': b'joe.marked@example.org', 'network': b'81.2.69',
                    'cookie id': base64.urlsafe_b64decode(browsers[0].jar['crumb'] + '=')[3:19], 'packed address': bytes([81, 2, 69, 142])})
    server.stop()
    for path in files(server.store, out, server.dir):
        if os.path.basename(path) == 'keys':
            continue
        with open(path, 'rb') as f:
            data = f.read()
        for name, needle in needles.items():
            assert needle not in data, '%s is in %s' % (name, path)
    # the journal is sealed, so its bytes prove little: look inside with the keys
    inside = subprocess.run([os.path.join(BUILD, 'crumb')] + server.common() + ['db', 'journal'], capture_output=True, check=True).stdout
    for name, needle in needles.items():
        assert needle not in inside, '%s is in the journal' % name
    for kept in (b'/ordinary/path-with-words/2024-05-06', b'declaredcoats', b'/account/[email]', b'/call/[number]', b'/t/[token]', b'shop.example', b'GB'):
        assert kept in inside, kept


def test_below_k_nothing_is_told(make):
    server = make(k=20)
    browsers = [Browser.known(server) for _ in range(19)]
    for b in browsers:
        b.events(*[{'u': 'https://shop.example/coats/%d' % i} for i in range(3)])
    server.settle()

    def told():
        out = os.path.join(server.dir, 'out')
        r = server.cli('export', 'coat-fans', '--format', 'csv', '--out', out, ok=(0, 1))
        with open(os.path.join(out, 'coat-fans.csv')) as f:
            rows = f.read().splitlines()[1:]
        return server.sizes()['coat-fans'], next(c['visitors'] for c in server.js('categories', 'list') if c['id'] == 'apparel.coats'), len(rows), r.returncode
    assert told() == (None, None, 0, 1)
    last = Browser.known(server)
    last.events(*[{'u': 'https://shop.example/coats/%d' % i} for i in range(3)])
    server.settle()
    assert told() == (20, 20, 20, 0)
    assert [s['below'] for s in server.js('segments', 'list') if s['id'] == 'buyers'] == [20]


def test_k_has_a_floor(make):
    server = make(k=1)
    b = Browser.known(server)
    b.hit('/coats/1')
    server.settle()
    assert server.sizes()['coats-ever'] is None and server.js('segments', 'list')[0]['below'] == 20


def refused(server, reason):
    return server.metric('refused_total{reason="%s"}' % reason)


def test_gpc_erases_the_visitor_and_its_cookie(server):
    b = Browser.known(server)
    b.hit('/coats/1')
    b.segments()
    old = b.jar['crumb']
    assert b.hit('/coats/2', headers={'Sec-GPC': '1'}) == 200 and 'Max-Age=0' in b.set_cookie and 'crumb' not in b.jar
    server.settle()
    assert server.cli('visitor', 'show', '--cookie', old, ok=(1,)).returncode == 1
    s = server.js('db', 'stat')
    assert (s['visitors'], s['events'], refused(server, 'gpc')) == (0, 0, 1)
    b.jar['crumb'] = old                                    # the old cookie comes back: an erased visitor stays erased
    b.hit('/coats/3')
    server.settle()
    assert server.js('db', 'stat')['visitors'] == 0 and b.jar['crumb'] != old and server.metric('cookies_total{kind="erased"}') == 1
    server.verify()
    server.stop()
    assert server.js('db', 'verify', '--replay')['ok']


def test_gpc_counts_only_if_exactly_1(server):
    b = Browser.known(server)
    for value in ('0', '2', 'true', '11', ''):
        b.hit('/coats/1', headers={'Sec-GPC': value})
    assert b.segments() and b.count('apparel.coats') == 5


def test_refusals_write_nothing_and_set_no_cookie(make):
    server = make()
    cases = [('&anon=1', {}, 'anon'), ('&anon=true', {}, 'anon'), ('&gdpr=1', {}, 'consent_missing'), ('&gdpr=true', {}, 'consent_missing'), ('&gdpr=YES', {}, 'consent_missing'),
             ('&gdpr=2', {}, 'consent_missing'), ('&gdpr=%24%7BGDPR%7D', {}, 'consent_missing'), ('&gdpr=1&gdpr=0', {}, 'consent_missing'), ('&gdpr=0&gdpr=%201', {}, 'consent_missing'),
             ('&gpp=DBABEYA~BQBg.QA&gpp_sid=24', {}, 'gpp'), ('&gpp=DBABSYA~bBABY.BZWQ', {}, 'gpp'), ('&gdpr=1&gdpr_consent=CPXXX', {}, 'consent_unreadable'), ('&gpp_sid=7,2', {}, 'consent_missing'),
             ('&gpp=DBABTA~1YYN', {}, 'us_privacy'), ('&us_privacy=1YYN', {}, 'us_privacy'), ('&us_privacy=junk', {}, 'consent_unreadable'),
             ('&us_privacy=1YYN&us_privacy=', {}, 'us_privacy'), ('&us_privacy=1YYN&us_privacy=1YNN', {}, 'consent_unreadable'), ('&gpp_sid=6&gpp_sid=-1&gpp=DBABTA~1YNN', {}, 'consent_unreadable'),
             ('&gpp=DBABLA', {}, 'consent_unreadable'), ('&gpp=DBABLA~CVQZAAAAAACA.YA&gpp_sid=7', {}, 'gpp'), ('&gdpr=1&gdpr_consent=' + TC_GRANTED, {}, 'tcf_vendor'),
             ('&us_privacy=%201YYN', {}, 'us_privacy'), ('&gpp=DBABTA~1YYN%20', {}, 'us_privacy'), ('', {'Cookie': 'crumb_optout=1'}, 'optout'), ('', {'Cookie': 'a=b; crumb_optout="1"'}, 'optout'), ('', {'Sec-GPC': '1'}, 'gpc')]
    for n, (extra, headers, reason) in enumerate(cases):
        b = Browser(server)
        before = refused(server, reason)
        status, answer, _ = b.request('GET', '/p.gif?u=https%3A%2F%2Fshop.example%2Fcoats%2F1' + extra, headers=headers)
        assert status == 200 and b.set_cookie is None and answer.getheader('Crumb-Refused') == reason, (extra, headers)
        assert refused(server, reason) == before + 1
    b = Browser.known(server)
    body = [{'u': 'https://shop.example/coats/1', 'gdpr': 1}, {'u': 'https://shop.example/coats/2'}]
    assert b.events(*body) == 204 and b.events({'u': 'https://shop.example/coats/1', 'anon': '1'}) == 204
    assert b.hit('/coats/1', extra='&us_privacy=1YNN') == 200 and b.hit('/coats/1', extra='&gdpr=0') == 200
    for yes in (1, True, '1', 'true', 'yes', 'TRUE', 2, 1.0, '{{gdpr}}'):         # read as in the query
        r = b.request('POST', '/e', json.dumps({'u': 'https://shop.example/coats/1', 'gdpr': yes}))[1]
        assert r.getheader('Crumb-Refused') == 'consent_missing', yes
    for none in (0, False, '0', 'false', None, '', 0.0):
        assert b.request('POST', '/e', json.dumps({'u': 'https://shop.example/x', 'gdpr': none}))[1].getheader('Crumb-Refused') is None, none
    for sids, reason in (([6], 'us_privacy'), ([-1, '6'], 'us_privacy'), ([0], None), ([], 'us_privacy'), (None, 'us_privacy'), (['2', 6], 'us_privacy'), ([7], 'consent_missing'), ([-1, None], 'consent_unreadable'),
                         ([-1, 6.5], 'consent_unreadable'), (6, 'us_privacy'), ('[-1]', None), ('-1_7', 'consent_missing')):
        r = Browser(server).request('POST', '/e', json.dumps({'gpp_sid': sids, 'u': 'https://shop.example/x', 'gpp': 'DBABTA~1YYN'}))[1]
        assert r.getheader('Crumb-Refused') == reason, (sids, r.getheader('Crumb-Refused'))
    assert b.request('POST', '/e', '[{"gpp_sid":[[6]]}]')[0] == b.request('POST', '/e', '{"gpp_sid":[{"a":6}]}')[0] == 400
    assert Browser(server).request('POST', '/e?gpp_sid=6', '{"gpp_sid":[6],"gpp":"DBABTA~1YNN"}')[1].getheader('Crumb-Refused') is None
    # what an event says takes nothing away from what the query says
    for query, event, reason in (('us_privacy=1YYN', {'us_privacy': None}, 'us_privacy'), ('us_privacy=1YYN', {'us_privacy': ''}, 'us_privacy'), ('us_privacy=1YYN', {'us_privacy': '1YNN'}, 'consent_unreadable'),
                                 ('gdpr=1&gdpr_consent=CPXXX', {'gdpr': 0, 'gdpr_consent': TC_GRANTED}, 'consent_unreadable')):
        r = Browser(server).request('POST', '/e?' + query, json.dumps({'u': 'https://shop.example/coats/1', **event}))[1]
        assert r.getheader('Crumb-Refused') == reason, (query, event, r.getheader('Crumb-Refused'))
    r = Browser(server).request('POST', '/e?us_privacy=1YNN', json.dumps({'u': 'https://shop.example/x', 'us_privacy': '1YNN'}))[1]
    assert r.getheader('Crumb-Refused') is None                                     # twice the same
    b.segments()
    assert b.count('apparel.coats') == 2
    server.settle()
    assert server.js('db', 'stat')['provisional'] == 4                              # those that were not refused


def test_consent_can_be_required(make):
    server = make(options=['consent.default=require'])
    b = Browser(server)
    assert b.hit('/coats/1') == 200 and b.set_cookie is None and refused(server, 'consent_missing') == 1


# purposes 1, 3, 4, 9, 10 and odd vendors up to 33; only purposes 3 and 4, vendor 33; from the encoder of IAB Tech Lab
TC_GRANTED = 'CQtAQoAQtAQoAAfACBENBkFgALDAAAAAAAYgAQqqoAACAAAAAAAA.IAQqqoAACAAA'
TC_REFUSED = 'CQtAQoAQtAQoAAfACBENBkFgADAAAAAAAAYgAQgAAAACAAAAAAAA.IAQgAAAACAAA'


def test_a_tc_string_decides_and_its_refusal_erases(make):
    server = make(options=['consent.default=require', 'consent.tcf.vendor=33', 'sites=shop.example'])
    b, extra = Browser(server), '&gdpr=1&gdpr_consent='
    assert b.hit('/coats/1', extra=extra + TC_GRANTED) == 200 and b.set_cookie
    assert b.events({'u': 'https://shop.example/coats/1', 'gdpr': 1, 'gdpr_consent': TC_GRANTED}) == 204
    assert b.hit('/coats/1', extra='&gpp_sid=2&gpp=DBABMA~' + TC_GRANTED) == 200
    b.segments()
    assert b.count('apparel.coats') == 3
    shown = b.shown()['consent']                          # of the string only this is kept
    assert shown['purposes'] == [1, 3, 4, 9, 10] and shown['day'] == b.shown()['last_day']
    old = b.jar['crumb']
    foreign = {'Sec-Fetch-Site': 'cross-site', 'Referer': 'https://evil.example/'}
    assert b.hit('/coats/1', extra=extra + TC_REFUSED, headers=foreign) == 200 and b.jar and refused(server, 'tcf') == 1
    b.segments()
    assert b.count('apparel.coats') == 3                    # a foreign page cannot erase
    assert b.hit('/coats/1', extra=extra + TC_REFUSED, headers={'Sec-Fetch-Site': 'cross-site', 'Referer': 'https://shop.example/'}) == 200 and not b.jar
    server.settle()
    assert server.visitor('--cookie', old) is None and server.js('db', 'stat')['visitors'] == 0
    everything = bytes_of(server.store)
    assert TC_GRANTED.encode() not in everything and TC_GRANTED[10:40].encode() not in everything


def test_consent_can_be_required_by_place(make):
    server = make(options=['consent.require=EEA', 'trusted_proxies=127.0.0.1'])
    for address, recorded in (('91.198.174.192', False), ('8.8.8.8', True), ('10.0.0.1', False)):         # NL, US, nowhere
        b = Browser(server, headers={'X-Forwarded-For': address})
        assert b.hit('/coats/1') == 200 and bool(b.set_cookie) == recorded, address
    assert refused(server, 'consent_missing') == 2


def test_opting_out(server):
    b = Browser.known(server)
    b.hit('/coats/1')
    cookie = b.jar['crumb']
    assert b.request('POST', '/optout', '', {'Sec-Fetch-Site': 'cross-site', 'Origin': 'https://evil.example'})[0] == 403
    assert b.request('POST', '/optout', '', {'Origin': 'https://evil.example'})[0] == 403
    b.segments()
    assert b.shown()
    assert b.request('GET', '/optout')[0] == 200 and b.jar['crumb_optout'] == '1' and b.jar['crumb'] == cookie       # an image cannot erase
    b.hit('/coats/2')
    assert 'crumb' not in b.jar and refused(server, 'optout') == 1
    b.jar = {'crumb': cookie}
    assert b.shown()
    assert b.request('POST', '/optout', '', {'Origin': 'http://' + server.collect, 'Host': server.collect})[0] == 200
    server.settle()
    assert server.cli('visitor', 'show', '--cookie', cookie, ok=(1,)).returncode == 1
    assert b.request('POST', '/optin', '')[0] == 200 and 'crumb_optout' not in b.jar
    assert b.hit('/coats/1') == 200 and 'crumb' in b.jar


def test_partners_files_cannot_be_joined(make):
    server = make()
    for b in [Browser.known(server) for _ in range(20)]:
        b.hit('/coats/1')
    server.settle()
    ids = []
    for partner in ('a', 'b', 'a'):
        out = os.path.join(server.dir, 'out-%d' % len(ids))
        server.cli('export', 'coats-ever', '--out', out, '--partner', partner)
        with open(os.path.join(out, 'coats-ever.csv')) as f:
            ids.append({row.split(',')[0] for row in f.read().splitlines()[1:]})
    assert len(ids[0]) == 20 and ids[0] == ids[2] and not ids[0] & ids[1]
    assert not any(server.visitor('--key', i) for i in ids[0])


@pytest.mark.parametrize('path', ['keys', 'admin', 'lock', 'journal', 'state'])
def test_the_store_is_closed_to_others(server, path):
    assert os.stat(os.path.join(server.store, path)).st_mode & 0o077 == 0


def test_a_readable_keys_file_is_refused(server):
    server.stop()
    os.chmod(os.path.join(server.store, 'keys'), 0o644)
    with pytest.raises(AssertionError):
        server.start()
    assert 'readable by others' in server.logged()


@pytest.mark.parametrize('what', ['diff', 'verify'])
def test_a_second_set_of_views_has_no_name_and_ends_with_its_process(server, tmp_path, what):
    """What is made from the journal to compare holds visitors, outside of the store, where neither days nor erasures reach it."""
    now = server.now()
    server.import_lines({'id': 'v%d' % (i % 5000), 't': now - i, 'u': 'https://shop.example/coats/%d' % (i % 3)} for i in range(60000))
    rules = tmp_path / 'rules.yaml'
    rules.write_text('version: 1\ncategories: [{id: coats, any: [{path: /coats/1}]}]\nsegments: [{id: fans, when: coats >= 2}]\n')
    server.stop()
    words = ['rules', 'diff', str(rules)] if what == 'diff' else ['db', 'verify', '--replay']
    place = tmp_path / 'temporary'
    place.mkdir()
    p = subprocess.Popen([os.path.join(BUILD, 'crumb')] + server.common() + words, env=dict(os.environ, TMPDIR=str(place)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    nameless = False
    while not nameless and p.poll() is None:
        views = []
        for fd in os.listdir('/proc/%d/fd' % p.pid):
            try:
                views.append(os.readlink('/proc/%d/fd/%s' % (p.pid, fd)))
            except FileNotFoundError:
                pass
        views = [v for v in views if v.startswith(str(place)) and 'data.mdb' in v]
        nameless = bool(views) and all(v.endswith(' (deleted)') for v in views)
    p.kill()
    p.wait()
    assert nameless and not [f for _, _, names in os.walk(place) for f in names]


def test_day_keys_are_destroyed_with_their_day(server):
    b = Browser.known(server)
    b.hit('/coats/1')
    server.settle()
    with open(os.path.join(server.store, 'keys'), 'rb') as f:
        before = f.read()
    journal = os.path.join(server.store, 'journal')
    slots = [before[at:at + 40] for at in range(64 + 8 * 24, 64 + 8 * 24 + 128 * 40, 40) if before[at:at + 2] != b'\0\0']
    assert len(slots) == len(os.listdir(journal)) == 1
    server.advance('90d')
    with open(os.path.join(server.store, 'keys'), 'rb') as f:
        after = f.read()
    assert slots[0][8:] not in after and os.listdir(journal) == [] and before[:64] == after[:64]


def memory(pid):
    """What the process may write to: heap, stacks, globals. Its maps of files are searched as files elsewhere."""
    with open('/proc/%d/maps' % pid) as maps, open('/proc/%d/mem' % pid, 'rb', 0) as mem:
        for line in maps:
            span, access, _, _, inode = line.split()[:5]
            first, end = (int(x, 16) for x in span.split('-'))
            if access.startswith('rw') and inode == '0' or '[heap]' in line or '[stack]' in line:
                try:
                    mem.seek(first)
                    yield mem.read(end - first)
                except OSError:
                    pass


@pytest.mark.skipif(os.geteuid() != 0 or not BUILD.endswith('build'), reason='reads another process, whose allocator must be the plain one')
def test_nothing_of_a_request_or_its_answer_is_left_in_memory(make):
    server = make(options=['trusted_proxies=127.0.0.0/8', 'sites=https://shop.example', 'segment.write_keys=k'],
                  destinations='version: 1\npartners:\n  - {id: acme, redirects: ["https://acme.example/setuid"]}\n')
    b = Browser.known(server, agent='Memory-Agent/77', headers={'X-Forwarded-For': '203.0.113.199'})
    b.hit('/coats/1', extra='&t=memory%20title%20one&p_x=memoryparam&a.email=memory%40example.org')
    b.events(*[{'u': 'https://memoryuser@shop.example/coats/%d?q=memoryquery' % i, 't': 'memory body title', 'a': {'note': 'memory@attribute.example'}} for i in range(200)])
    b.request('POST', '/e', '{"t":"memorybroken', {'Content-Type': 'application/json'})
    server.raw(b'GET /p.gif?u=memoryhalf&x=%41 HTTP/1.1\r\nBroken : x\r\n\r\n', 1)
    # new visitors' cookies, by each way by which one is made
    new = [Browser(server) for _ in range(6)]
    assert new[0].hit('/coats/1') == 200 and new[1].hit('/coats/1', headers={'Origin': 'https://shop.example'}) == 200
    assert new[2].events({'u': 'https://shop.example/coats/1'}) == 204 and new[3].events(*[{'u': 'https://shop.example/%d' % i} for i in range(300)]) == 204
    target = '/sync?partner=acme&redirect=' + urllib.parse.quote('https://acme.example/setuid?u=$UID', safe='')
    assert [x.request('GET', target)[0] for x in (new[4], b)] == [302, 302]
    assert new[5].request('POST', '/sync?partner=acme')[0] == 405 and new[5].hit('/coats/2') == 200
    ours = b.request('GET', target)[1].getheader('Location').partition('?u=')[2]
    assert len(ours) == 32
    # looked for and not thrown away: what a query says, what a message says
    b.request('GET', '/segments?x=memory%41query')
    b.request('GET', '/me?format=json&x=memory%42query')
    b.request('POST', '/v1/track', json.dumps({'writeKey': 'k', 'type': 'track', 'event': 'Memory Tracked', 'properties': {'url': 'https://shop.example/?q=memorytrack', 'n': 9177551333}}))
    # the same compressed; and what is refused on the way
    track = json.dumps({'type': 'track', 'event': 'Memory Packed', 'anonymousId': 'memorypackedid', 'properties': {'url': 'https://shop.example/?q=memorypackedtrack'}}).encode()
    packed = json.dumps([{'u': 'https://memorypackeduser@shop.example/coats/%d?q=memorypackedquery' % i, 't': 'memory packed title'} for i in range(300)]).encode()
    for path, body in (('/e', packed), ('/e', packed[:-1]), ('/e', packed * 9), ('/v1/track', track), ('/v1/track', track[:-1]), ('/v1/track', b'[' + track)):
        for whole in (gzip.compress(body), gzip.compress(body)[:-9]):
            b.request('POST', path, whole, {'Content-Type': 'text/plain', 'Content-Encoding': 'gzip', 'Authorization': 'Bearer k'})
    b.request('POST', '/v1/track', gzip.compress(track), {'Content-Encoding': 'gzip'})
    # answers that nobody takes, and some that are asked for in one packet
    for x in new[:5]:
        x.segments()
        ask = b'GET /me?format=json HTTP/1.1\r\nHost: h\r\nCookie: crumb=%s\r\n\r\n' % x.jar['crumb'].encode()
        server.raw(ask * 20, .2)
        with socket.create_connection(server.collect.rsplit(':', 1)) as s:
            s.sendall(ask * 3 + b'GET /p.gif HTTP/1.1\r\nHost: h\r\n\r\n')
    for i in range(5):
        new.append(Browser(server))
        assert new[-1].hit('/ordinary') == 200
    server.settle()
    image = b''.join(memory(server.process.pid))
    assert len(image) > 1000000
    for needle in (b'Memory-Agent', b'203.0.113.199', b'memory title one', b'memoryparam', b'memory@example.org', b'memory%40example', b'memoryuser', b'memoryquery',
                   b'memory body title', b'memory@attribute', b'memorybroken', b'memoryhalf', b'memoryAquery', b'memoryBquery', b'memorytrack', b'Memory Tracked', b'memorypacked', b'Memory Packed', b'memory packed title', b'9177551333', ours.encode(),
                   *(x.jar['crumb'].encode() for x in [b] + new)):
        assert needle not in image, needle


@pytest.mark.skipif(os.geteuid() != 0 or not BUILD.endswith('build'), reason='reads another process, whose allocator must be the plain one')
def test_nothing_of_a_cookie_is_left_in_memory(make):
    """The id inside it, too, right after the latest request: nothing else has come that could have written over it."""
    server = make()
    b, c = Browser.known(server), Browser.known(server)
    server.restart()
    raw = lambda browser: base64.urlsafe_b64decode(browser.jar['crumb'] + '=')[3:]
    for act in (lambda: b.hit('/coats/1'), lambda: b.segments(), lambda: b.events({'e': 'x'}), lambda: server.import_lines([{'cookie': b.jar['crumb'], 'u': 'https://shop.example/coats/1'}]),
                lambda: b.hit('/coats/1', headers={'Sec-GPC': '1', 'Cookie': 'crumb=' + c.jar['crumb']})):
        cookies = [x.jar['crumb'] for x in (b, c) if 'crumb' in x.jar]
        needles = [x.encode() for x in cookies] + [raw(x)[:16] for x in (b, c) if 'crumb' in x.jar] + [raw(x)[16:] for x in (b, c) if 'crumb' in x.jar]
        act()
        server.settle()
        image = b''.join(memory(server.process.pid))
        assert not [n for n in needles if n in image], act


@pytest.mark.skipif(os.geteuid() != 0, reason='only root can become somebody else')
def test_privileges_are_dropped_before_anything_is_opened(make):
    server = make()
    server.stop()
    os.chmod(server.dir, 0o755)
    for d, _, names in os.walk(server.dir):
        os.chown(d, 65534, 65534)
        for f in names:
            os.chown(os.path.join(d, f), 65534, 65534)
    server.options.append('process.user=nobody')
    server.start()
    status = open('/proc/%d/status' % server.process.pid).read()
    assert 'Uid:\t65534\t65534\t65534\t65534' in status and 'Gid:\t65534\t65534\t65534\t65534' in status and 'CapEff:\t0000000000000000' in status
    limits = open('/proc/%d/limits' % server.process.pid).read()
    assert [l for l in limits.splitlines() if l.startswith('Max core file size')][0].split()[4:6] == ['0', '0']
    assert Browser(server).hit('/coats/1') == 200
    server.stop()
    server.options[-1] = 'process.user=root'
    with pytest.raises(AssertionError):
        server.start()
    assert 'not root' in server.logged()
    server.options.pop()


def test_keys_are_locked_in_memory_and_never_logged(server):
    Browser.known(server).hit('/coats/1')
    locked = [int(l.split()[1]) for l in open('/proc/%d/status' % server.process.pid) if l.startswith('VmLck')][0]
    assert locked > 0 or SLOW > 1                         # sanitizers make mlock() do nothing
    with open(server.store + '/keys', 'rb') as f:
        keys = f.read()
    log = server.logged().encode() + server.http('GET', '/metrics', admin=True)[2]
    secrets = [keys[i:i + 16] for i in range(16, len(keys) - 15, 8) if any(keys[i:i + 16])]
    assert secrets and not any(s in log or s.hex().encode() in log or base64.b64encode(s) in log for s in secrets)
