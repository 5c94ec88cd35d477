"""Several requests on one connection, from different browsers (a proxy does that): each is answered with what its own cookie must get, nothing is lost."""
import json
import random
import re
import socket
import urllib.parse

from harness import CHROME, SLOW, Browser

INTERESTS = {'coats': ('/coats/1', {'coat-fans', 'intenders', 'coats-ever', 'apparel-any'}), 'shoes': ('/shoes/1', {'apparel-any'}), 'both': ('/sale/1', {'coat-fans', 'intenders', 'coats-ever', 'apparel-any'})}


def request(method, path, cookie=None, body=b''):
    lines = ['%s %s HTTP/1.1' % (method, path), 'Host: h', 'User-Agent: ' + CHROME]
    if cookie:
        lines.append('Cookie: crumb=' + cookie)
    if method == 'POST':
        lines.append('Content-Length: %d' % len(body))
    return '\r\n'.join(lines).encode() + b'\r\n\r\n' + body


def answers(server, data, cuts=()):
    """Sends the bytes in pieces; what came back, as (status, headers, body)."""
    host, port = server.collect.rsplit(':', 1)
    with socket.create_connection((host, int(port)), 5) as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        s.settimeout(30 * SLOW)
        at = 0
        for cut in sorted(cuts) + [len(data)]:
            s.sendall(data[at:cut])
            at = cut
        s.shutdown(socket.SHUT_WR)
        raw = b''
        while part := s.recv(65536):
            raw += part
    found = []
    while raw:
        head, raw = raw.split(b'\r\n\r\n', 1)
        length = re.search(rb'(?i)\r\ncontent-length: (\d+)', head)
        n = int(length.group(1)) if length else 0
        found.append((int(head.split()[1]), head, raw[:n]))
        raw = raw[n:]
    return found


def known(server, path):
    b = Browser.known(server)
    for _ in range(3):
        assert b.hit(path) == 200
    return b.jar['crumb']


def test_the_answer_is_of_the_cookie_that_asked(server):
    cookie = known(server, '/coats/1')
    server.settle()         # nothing to wait for: the first is answered, and its answer let go, while it is being read
    two = answers(server, request('GET', '/segments?fresh=1', cookie) + request('GET', '/me?format=json'))
    assert [a[0] for a in two] == [200, 200]
    assert set(json.loads(two[0][2])['segments']) == INTERESTS['coats'][1]
    assert json.loads(two[1][2]) == {}


def test_random_pipelines_get_each_his_own(server):
    rng = random.Random(8)
    cookies = {name: known(server, path) for name, (path, _) in INTERESTS.items()}
    categories = {}
    for name, c in cookies.items():
        categories[name] = {x['id'] for x in json.loads(answers(server, request('GET', '/me?format=json', c))[0][2])['categories']}
        assert categories[name], name
    hits = server.metric('hits_total')
    written = 0
    for round_ in range(60):
        data, checks = b'', []
        for _ in range(rng.randint(2, 24)):
            who = rng.choice(list(cookies) + [None])
            cookie = cookies.get(who)
            kind = rng.choice(['segments', 'segments', 'me', 'event', 'pixel', 'forget', 'quick'])
            if kind == 'segments':
                data += request('GET', '/segments?fresh=1', cookie)
                checks.append((lambda s, h, b, w=who: s == 200 and set(json.loads(b)['segments']) == (INTERESTS[w][1] if w else set()), kind, who))
            elif kind == 'quick':
                data += request('GET', '/segments', cookie)
                checks.append((lambda s, h, b, w=who: s == 200 and set(json.loads(b)['segments']) == (INTERESTS[w][1] if w else set()), kind, who))
            elif kind == 'me':
                data += request('GET', '/me?format=json', cookie)
                checks.append((lambda s, h, b, w=who: s == 200 and {x['id'] for x in json.loads(b).get('categories', [])} == (categories[w] if w else set()), kind, who))
            elif kind == 'event':
                data += request('POST', '/e', cookie, json.dumps({'e': 'view', 'u': 'https://shop.example/home'}).encode())
                checks.append((lambda s, h, b, w=who: s == 204 and (b'Set-Cookie' in h) == (w is None), kind, who))
                written += 1
            elif kind == 'pixel':
                data += request('GET', '/p.gif?e=view&u=' + urllib.parse.quote('https://shop.example/home', safe=''), cookie)
                checks.append((lambda s, h, b, w=who: s == 200 and b.startswith(b'GIF89a') and (b'Set-Cookie' in h) == (w is None), kind, who))
                written += 1
            else:
                disposable = known(server, '/coats/1') if rng.random() < .3 else None
                hits += 5 if disposable else 0
                data += request('POST', '/me/forget', disposable)
                checks.append((lambda s, h, b, d=disposable: s == 200 and (b'Receipt' in b) == bool(d), kind, disposable))
                if disposable:
                    data += request('GET', '/me?format=json', disposable)
                    checks.append((lambda s, h, b: s == 200 and json.loads(b) == {}, 'forgotten', disposable))
        cuts = [rng.randrange(len(data)) for _ in range(rng.randint(0, 6))]
        got = answers(server, data, cuts)
        assert len(got) == len(checks), (round_, len(got), len(checks))
        for i, ((check, kind, who), a) in enumerate(zip(checks, got)):
            assert check(*a), (round_, i, kind, who, a)
    assert server.metric('hits_total') == hits + written
    server.verify()


def test_nothing_of_a_request_is_left_for_the_next(server):
    cookie = known(server, '/coats/1')
    loud = ('us_privacy=1YYN', 'anon=1', 'gdpr=1', 'gpp=DBAA&gpp_sid=2', 'e=purchase&v=7&a.color=red&p_q=coat')
    hit = request('GET', '/p.gif?u=https%3A%2F%2Fshop.example%2Fcoats%2F2', cookie)
    data = b''.join(request('GET', '/p.gif?u=https%3A%2F%2Fshop.example%2Fx&' + q, 'x; crumb_optout=1') + hit for q in loud)
    got = answers(server, data)
    assert [bool(re.search(b'(?i)crumb-refused', h)) for _, h, _ in got] == [True, False] * len(loud)
    b = Browser(server)
    b.jar['crumb'] = cookie
    b.segments()
    assert b.count('apparel.coats') == 3 + len(loud)
    assert json.loads(b.request('GET', '/me?format=json')[2])['attributes'] == {}
