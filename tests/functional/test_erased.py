"""The cookie of somebody who was erased comes back: from a restored profile, another window, another machine."""
import json
import os
import signal
import subprocess
import threading

import pytest
from harness import BUILD, SLOW, Browser

CDP = {'type': 'track', 'event': 'Order Completed', 'anonymousId': 'anon-1'}


def journalled(server):
    """Event lines of the journal, by visitor; the server must be stopped."""
    found = {}
    for line in server.cli('db', 'journal').stdout.splitlines():
        if ' event ' in line:
            found.setdefault(line.split()[2], []).append(line)
    return found


def erase_by_page(server, b):
    assert b.request('POST', '/me/forget')[0] == 200


def erase_by_optout(server, b):
    assert b.request('POST', '/optout')[0] == 200
    b.jar.clear()


def erase_by_signal(server, b):
    assert b.hit('/home', headers={'Sec-GPC': '1'}) == 200


def erase_by_operator(server, b):
    server.cli('visitor', 'erase', '--cookie', b.jar['crumb'])


@pytest.mark.parametrize('erase', [erase_by_page, erase_by_optout, erase_by_signal, erase_by_operator])
def test_it_is_replaced_at_once_and_nothing_of_the_old_key_is_written(make, erase):
    server = make(options=['segment.write_keys=WK'])
    b = Browser.known(server)
    b.hit('/coats/1')
    server.settle()
    old, key = b.jar['crumb'], b.shown()['visitor']
    erase(server, b)
    for restarted in (False, True):
        if restarted:
            server.restart(signal.SIGKILL)
        b.jar = {'crumb': old}
        assert json.loads(b.request('GET', '/segments?fresh=1')[2]) == {'segments': []} and b.set_cookie is None
        assert b.request('GET', '/me?format=json')[2] == b'{}\n'
        assert 'Nothing was known' in b.request('POST', '/me/forget')[2].decode()
        b.jar = {'crumb': old}
        assert b.request('GET', '/sync')[2] == b'{"syncs":[]}'
        assert server.import_lines([{'cookie': old, 'u': 'https://shop.example/coats/1'}], ok=(1,))['refused'] == {'id': 1}
        assert b.hit('/coats/2') == 200 and b.jar['crumb'] != old and 'Max-Age=7776000' in b.set_cookie
        fresh = b.jar['crumb']
        b.jar = {'crumb': old}
        assert b.events({'u': 'https://shop.example/coats/3'}, {'u': 'https://shop.example/coats/4'}) == 204 and b.jar['crumb'] not in (old, fresh)
        assert server.metric('cookies_total{kind="erased"}') == 2
        assert server.visitor('--cookie', old) is None and server.metric('tombstoned_total') == 0
    server.advance('0d')
    server.stop()
    assert len(journalled(server).get(key, [])) == 3                # those from before
    assert server.js('db', 'verify', '--replay')['ok']


def test_ids_that_were_erased_are_not_taken_up(make):
    server = make(options=['segment.write_keys=WK'])
    server.import_lines([{'id': 'anon-1', 'u': 'https://shop.example/coats/1'}, {'id': 'anon-2', 'u': 'https://shop.example/coats/1'}])
    key = server.visitor('--id', 'anon-1')['visitor']
    server.cli('visitor', 'erase', '--id', 'anon-1')
    t = server.import_lines([{'id': 'anon-1', 'u': 'https://shop.example/coats/2'}, {'id': 'anon-2', 'u': 'https://shop.example/coats/2'}])
    assert t['accepted'] == 1 and t['refused'] == {'id': 1} and server.metric('refused_total{reason="erased"}') == 1
    assert server.http('POST', '/v1/track', json.dumps({**CDP, 'writeKey': 'WK'}), {'Content-Type': 'application/json'})[0] == 200
    assert server.metric('cdp_calls_dropped_total{reason="erased"}') == 1 and server.metric('tombstoned_total') == 0
    server.stop()
    assert len(journalled(server)[key]) == 1
    # 90 days on it may come again: nobody knows any more that it was here
    server.start()
    server.advance('90d')
    server.cli('db', 'compact')
    assert server.import_lines([{'id': 'anon-1', 'u': 'https://shop.example/coats/3'}])['accepted'] == 1
    assert server.visitor('--id', 'anon-1') and os.path.getsize(server.store + '/erased') == 0


def test_hits_that_come_with_the_erasure(make):
    """On one connection behind the request, and on others beside it: what the answer promised holds for all that follow it."""
    server = make(options=['collect.threads=2'])
    b = Browser.known(server)
    server.settle()
    key, cookie = b.shown()['visitor'], b.jar['crumb']
    hit = 'GET /p.gif?u=https%%3A%%2F%%2Fshop.example%%2Fcoats%%2F%d HTTP/1.1\r\nHost: x\r\nCookie: crumb=' + cookie + '\r\n\r\n'
    stop, others = threading.Event(), [Browser(server) for _ in range(2)]

    def go_on(o):
        while not stop.is_set():
            o.jar = {'crumb': cookie}
            o.hit('/coats/9')
    threads = [threading.Thread(target=go_on, args=(o,)) for o in others]
    for t in threads:
        t.start()
    answer = server.raw(('POST /me/forget HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nCookie: crumb=%s\r\n\r\n' % cookie + ''.join(hit % i for i in range(3))).encode(), wait=30 * SLOW, enough=lambda out: out.count(b'GIF89a') == 3)
    stop.set()
    for t in threads:
        t.join()
    assert answer.count(b'200 OK') == 4 and answer.count(b'Set-Cookie: crumb=') == 4
    before = server.metric('tombstoned_total')
    b.jar = {'crumb': cookie}
    assert b.hit('/coats/5') == 200 and b.jar['crumb'] != cookie
    server.settle()
    assert server.metric('tombstoned_total') == before and server.visitor('--cookie', cookie) is None
    server.stop()
    assert not [l for l in journalled(server).get(key, []) if any('/coats/%d ' % i in l + ' ' for i in (0, 1, 2, 5))]
    assert server.js('db', 'verify', '--replay')['ok']
