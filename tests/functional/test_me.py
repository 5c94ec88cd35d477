"""The visitor's own page, and erasing: by the visitor, by the operator."""
import http.client
import json
import os
import random
import re
import signal
import threading
import time

from harness import ROOT, Browser

CROSS = {'Sec-Fetch-Site': 'cross-site', 'Origin': 'https://evil.example'}


def me(browser, headers=None, **kw):
    return browser.request('GET', '/me?format=json' if kw.get('json', True) else '/me', headers=headers)


def test_the_page_shows_what_is_known_and_when_it_ends(make):
    server = make(options=['trusted_proxies=127.0.0.1'])
    b = Browser.known(server, headers={'X-Forwarded-For': '8.8.8.8'})
    for _ in range(3):
        b.hit('/coats/1', extra='&a.size=%3Cb%3EXL')
    status, answer, page = me(b, json=False)
    page = page.decode()
    assert status == 200 and answer.getheader('Content-Type') == 'text/html; charset=utf-8' and answer.getheader('Cache-Control') == 'no-store'
    assert "frame-ancestors 'none'" in answer.getheader('Content-Security-Policy') and answer.getheader('X-Frame-Options') == 'DENY'
    assert '<script' not in page and '<td>Coats<td>3<td>1<td><time>20' in page and '<td>coat-fans<td><time>20' in page and '<td>US' in page and '<td>desktop' in page
    assert '&lt;b>XL' in page and '<b>XL' not in page
    status, answer, data = me(b)
    known, shown = json.loads(data), b.shown()
    assert status == 200 and 'attachment' in answer.getheader('Content-Disposition')
    assert 'visitor' not in known and known == {k: v for k, v in shown.items() if k != 'visitor'}
    # each segment ends on the day that the page says
    assert set(known['ends']['categories']) == {'apparel.coats'}
    ends = known['ends']['segments']
    assert set(ends) == {'coat-fans', 'intenders', 'coats-ever', 'apparel-any'}
    server.advance('13d')
    assert set(b.shown()['segments']) == set(ends) and b.shown()['ends']['segments'] == ends
    server.advance('1d')
    assert set(b.shown()['segments']) == {'coats-ever', 'apparel-any'}


NAMED = '''version: 1
attributes:
  - {id: size, name: Size <of the item>, values: [s, xl]}
categories:
  - {id: apparel.coats, name: "Coats & jackets", any: [{event: view, path: "/coats/*"}]}
segments:
  - {id: coat-fans, name: In the market for a coat, when: coats}
  - {id: plain, when: coats}
'''


def test_the_page_speaks_the_names_of_the_rules_and_of_the_operator(make):
    server = make(rules=NAMED, options=['operator.name=Müller & "Söhne" <b>', 'operator.policy=https://shop.example/privacy?a=1&b=2'])
    b = Browser.known(server)
    b.hit('/coats/1', extra='&a.size=xl')
    page = me(b, json=False)[2].decode()
    assert '<td>In the market for a coat<td><time>20' in page and '<td>plain<td><time>20' in page and '<td>Coats &amp; jackets<td>1<td>1<td><time>20' in page
    assert '<td>Size &lt;of the item><td>xl' in page and 'coat-fans' not in page
    assert 'This is kept by Müller &amp; &quot;Söhne&quot; &lt;b>.' in page and '<a href="https://shop.example/privacy?a=1&amp;b=2">Privacy policy</a>' in page
    assert re.findall('<h2>(.*?)</h2>', page) == ['Interests', 'Audiences', 'Browser and place', 'What pages said', 'Your choice']
    assert 'for 400 days' in page and 'for 90 days' in page and not re.search(r'@[0-9]', page)
    # what was done is said in the same frame
    done = b.request('POST', '/me/forget')[2].decode()
    assert 'Receipt' in done and 'Privacy policy' in done and 'Söhne' in done
    other = me(Browser(make()), json=False)[2].decode()
    assert '<footer' not in other and 'Your choice' in other and '<h2>Interests' not in other


def test_the_page_is_in_the_language_that_the_browser_asks_for(server):
    b = Browser.known(server)
    b.hit('/coats/1')
    for field, tag, title in ((None, 'en', 'What is known about this browser'), ('de', 'de', 'Was über diesen Browser bekannt ist'), ('de-CH, en;q=0.5', 'de', 'Was über'),
                              ('en, de;q=0.9', 'en', 'What is'), ('ja, fr;q=0.5', 'en', 'What is'), ('de;q=0, *', 'en', 'What is')):
        status, answer, page = me(b, {'Accept-Language': field} if field else None, json=False)
        page = page.decode()
        assert status == 200 and answer.getheader('Content-Language') == tag and answer.getheader('Vary') == 'Accept-Language', field
        assert '<html lang="%s">' % tag in page and '<h1>' + title in page, field
    german = me(b, {'Accept-Language': 'de'}, json=False)[2].decode()
    assert '<td>Rechner' in german and 'vergessen am' in german and 'für 400 Tage' in german and 'Interests' not in german
    # the download is data, and the same for everybody
    status, answer, data = me(b, {'Accept-Language': 'de'})
    assert answer.getheader('Content-Language') is None and json.loads(data) == json.loads(me(b)[2])
    for path, said in (('/me/forget', 'Quittung'), ('/me/forget', 'nichts bekannt'), ('/optout', 'abgemeldet'), ('/optin', 'angemeldet')):
        status, answer, page = b.request('POST', path, headers={'Accept-Language': 'de-DE,de;q=0.9,en;q=0.8'})
        assert status == 200 and answer.getheader('Content-Language') == 'de' and said in page.decode(), path


def test_no_language_has_a_hole():
    with open(os.path.join(ROOT, 'include', 'crumb', 'collect', 'words.h')) as f, open(os.path.join(ROOT, 'src', 'collect', 'words.c')) as g:
        head, table = f.read(), g.read()
    words = re.findall(r'^\tW_(\w+)', head, re.M)
    assert words[-1] == 'MAX'
    rows = {w: re.findall(r'\[W_%s\] =\s*((?:"(?:[^"\\]|\\.)*"\s*)+),' % w, table) for w in words[:-1]}
    for word, texts in rows.items():
        assert len(texts) == table.count('[W_TITLE]') and all(len(t) > 2 for t in texts), word
        assert len({tuple(sorted(re.findall(r'@[0-9]', t))) for t in texts}) == 1, word     # the same values


def test_a_stranger_and_a_first_visit(server):
    b = Browser(server)
    assert 'Nothing is known' in me(b, json=False)[2].decode() and me(b)[2] == b'{}\n'
    b.hit('/coats/1')
    assert 'seen once' in me(b, json=False)[2].decode() and json.loads(me(b)[2])['provisional'] is True
    assert server.js('db', 'stat')['provisional'] == 1                   # looking brings nobody back
    b.jar['crumb'] = 'A' * 47
    assert 'Nothing is known' in me(b, json=False)[2].decode()


def test_only_the_holder_sees_and_erases(server):
    a, b = Browser.known(server), Browser.known(server)
    a.hit('/coats/1'), b.hit('/shoes/a')
    assert [c['id'] for c in json.loads(me(a)[2])['categories']] == ['apparel.coats'] and [c['id'] for c in json.loads(me(b)[2])['categories']] == ['apparel.shoes']
    for headers in (CROSS, {'Sec-Fetch-Site': 'cross-site'}, {'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Dest': 'image'}, {'Sec-Fetch-Site': 'same-site', 'Sec-Fetch-Dest': 'iframe'},
                    {'Origin': 'https://evil.example'}, {'Origin': 'null'}):
        assert me(a, headers)[0] == 403 and a.request('POST', '/me/forget', headers=headers)[0] == 403, headers
        assert a.request('POST', '/optout', headers=headers)[0] == 403
    assert me(a, {'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Dest': 'document'})[0] == 200        # a link that was followed
    status, answer, _ = a.request('GET', '/me/forget')
    assert status == 405 and answer.getheader('Allow') == 'POST' and server.http('GET', '/me/forget')[0] == 405
    assert server.http('POST', '/me/forget')[0] == 200 and server.http('POST', '/me/forget', headers={'Cookie': 'crumb=' + 'B' * 47})[0] == 200
    assert a.segments() and b.segments()


def test_forget_me(server):
    a, b = Browser.known(server), Browser.known(server)
    a.hit('/coats/1'), b.hit('/coats/1')
    old = a.jar['crumb']
    status, _, page = a.request('POST', '/me/forget', headers={'Origin': 'http://' + server.collect, 'Sec-Fetch-Site': 'same-origin'})
    assert status == 200 and re.search(r'Receipt [0-9a-f]{16}, <time>20', page.decode()) and 'crumb' not in a.jar
    assert server.visitor('--cookie', old) is None and server.js('db', 'stat')['visitors'] == 1          # at once, nothing was waited for
    assert re.search(r'Receipt ([0-9a-f]{16})', page.decode()).group(1) in server.logged()
    a.jar['crumb'] = old
    assert me(a)[2] == b'{}\n' and server.metric('erased_total') == 1
    a.hit('/coats/2')
    assert a.jar['crumb'] != old and server.metric('cookies_total{kind="erased"}') == 1
    server.verify()
    server.restart()
    assert server.visitor('--cookie', old) is None and b.segments()
    server.stop()
    assert server.js('db', 'verify', '--replay')['ok']


def test_asking_again_and_again_makes_nothing_grow(server):
    b = Browser.known(server)
    b.hit('/coats/1')
    cookie = b.jar['crumb']
    for _ in range(20):
        b.jar['crumb'] = cookie
        assert b.request('POST', '/me/forget')[0] == 200
        b.jar['crumb'] = cookie
        assert b.hit('/coats/1', headers={'Sec-GPC': '1'}) == 200
    assert os.path.getsize(server.store + '/erased') == 24
    server.verify()


def test_opting_out_and_in_say_what_they_did(server):
    b = Browser.known(server)
    old = b.jar['crumb']
    status, _, page = b.request('POST', '/optout')
    assert status == 200 and 'no longer recorded' in page.decode() and 'Receipt' in page.decode()
    assert b.jar == {'crumb_optout': '1'} and server.visitor('--cookie', old) is None
    assert b.hit('/coats/1') == 200 and b.jar == {'crumb_optout': '1'} and 'opted out' in me(b, json=False)[2].decode()
    status, _, page = b.request('GET', '/optout')
    assert status == 200 and 'Max-Age=%d' % (400 * 86400) in b.set_cookie and '400 days' in page.decode()
    assert 'may be recorded again' in b.request('POST', '/optin')[2].decode() and not b.jar
    assert b.hit('/coats/1') == 200 and 'crumb' in b.jar


def test_the_operator_erases(server):
    server.import_lines([{'id': 'x%d' % i, 't': server.now(), 'u': 'https://shop.example/coats/1'} for i in range(3)])
    b = Browser.known(server)
    assert server.js('visitor', 'erase', '--id', 'x1')['erased'] is True and server.visitor('--id', 'x1') is None and server.visitor('--id', 'x0')
    key = server.visitor('--cookie', b.jar['crumb'])['visitor']
    server.cli('visitor', 'erase', '--key', key)
    assert b.shown() is None and server.js('db', 'stat')['visitors'] == 2
    server.import_lines([{'id': 'x1', 't': server.now(), 'u': 'https://shop.example/coats/1'}], ok=(1,))  # erased is not taken up again
    assert server.visitor('--id', 'x1') is None
    server.cli('visitor', 'erase', '--cookie', 'A' * 47, ok=(1,))
    server.cli('visitor', 'erase', ok=(2,))
    assert server.http('POST', '/v1/visitors/erase?key=12', admin=True)[0] == 400
    server.stop()
    server.cli('visitor', 'erase', '--id', 'x2')            # without a server
    assert server.visitor('--id', 'x2') is None and server.visitor('--id', 'x0') and server.js('db', 'stat')['visitors'] == 1
    assert server.js('db', 'verify', '--replay')['ok']
    server.start()
    assert server.visitor('--id', 'x2') is None and server.visitor('--id', 'x0')
    server.verify()


def test_an_erasure_survives_a_crash_at_any_point(server):
    """Killed at some moment around the request: what was answered is gone for good, what was not is either there or gone, never in between."""
    rng = random.Random(5)
    for _ in range(8):
        b, others = Browser.known(server), Browser.known(server)
        b.hit('/coats/1'), others.hit('/coats/1')
        cookie, answered = b.jar['crumb'], []
        t = threading.Thread(target=lambda: answered.append(forget(b)))
        t.start()
        time.sleep(rng.random() * 0.02)
        server.restart(signal.SIGKILL)
        t.join()
        server.settle()
        known = server.visitor('--cookie', cookie)
        assert known is None or (not any(answered) and known['categories'][0]['count'] == 1)
        assert others.shown()['categories'][0]['count'] == 1
        if known is None:
            b.jar['crumb'] = cookie
            b.hit('/coats/2')
            server.settle()
            assert server.visitor('--cookie', cookie) is None
        server.verify()
    server.stop()
    assert server.js('db', 'verify', '--replay')['ok']


def forget(browser):
    try:
        return browser.request('POST', '/me/forget')[0] == 200
    except (OSError, http.client.HTTPException):
        return False
