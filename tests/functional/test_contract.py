"""Each route of the collect listener, each method, from each kind of page, with each kind of cookie: status, cookies that are set, what became of the visitor.

The expectations are docs/PROTOCOL.md's and docs/PRIVACY.md's sentences as a table, not what the program happens to do."""
import pytest
from harness import Browser

OWN, PROXIED, DIRECT, LISTED, FOREIGN, PICTURE, FRAME, LINK, SISTER = 'own proxied direct listed foreign picture frame link sister'.split()
PAGES = {
    OWN: {'Sec-Fetch-Site': 'same-origin', 'Sec-Fetch-Mode': 'cors'},               # and Origin, by the server's address
    PROXIED: {'Sec-Fetch-Site': 'same-origin', 'Origin': 'https://crumb.shop.example'},     # the proxy says another Host than the browser's
    DIRECT: {},                                                                     # no browser, or an old one's address line
    LISTED: {'Sec-Fetch-Site': 'cross-site', 'Origin': 'https://shop.example'},
    FOREIGN: {'Sec-Fetch-Site': 'cross-site', 'Origin': 'https://evil.example'},
    PICTURE: {'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Dest': 'image', 'Sec-Fetch-Mode': 'no-cors'},
    FRAME: {'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Dest': 'iframe', 'Sec-Fetch-Mode': 'navigate'},
    LINK: {'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Dest': 'document', 'Sec-Fetch-Mode': 'navigate'},
    SISTER: {'Sec-Fetch-Site': 'same-site', 'Origin': 'https://www.evil.example'},
}
COOKIES = ('none', 'known', 'erased', 'forged', 'optout')
HIT = '/p.gif?u=https%3A%2F%2Fshop.example%2Fcoats%2F1'
EVENT = '{"u":"https://shop.example/coats/1"}'
SAME = (OWN, PROXIED, DIRECT)               # who may erase
READ = SAME + (LISTED, PICTURE, FRAME, LINK)     # no Origin, or one that may read: a page without Origin cannot read the answer


def crumb(cookie):
    """What a hit does to the cookie."""
    return {'none': {'crumb'}, 'erased': {'crumb'}, 'forged': {'crumb'}, 'known': set(), 'optout': {'-crumb'}}[cookie]


# route, method, body: status by page, cookies by page and cookie, does it erase by page
ROUTES = [
    (HIT, 'GET', lambda p: 200, lambda p, c: crumb(c), ()),
    (HIT, 'POST', lambda p: 405, lambda p, c: set(), ()),
    ('/e', 'POST', lambda p: 204, lambda p, c: crumb(c), ()),
    ('/e', 'GET', lambda p: 405, lambda p, c: set(), ()),
    ('/segments', 'GET', lambda p: 200 if p in READ else 403, lambda p, c: set(), ()),
    ('/segments', 'POST', lambda p: 405, lambda p, c: set(), ()),
    ('/sync', 'GET', lambda p: 200 if p in READ else 403, lambda p, c: set(), ()),
    ('/sync?partner=acme&uid=123', 'GET', lambda p: 200, lambda p, c: crumb(c), ()),
    ('/sync?partner=acme&redirect=https%3A%2F%2Facme.example%2F%3Fu%3D%24UID', 'GET', lambda p: 302, lambda p, c: crumb(c), ()),
    ('/sync?partner=acme&redirect=https%3A%2F%2Fevil.example%2F', 'GET', lambda p: 400, lambda p, c: set(), ()),
    ('/sync?partner=nobody&uid=123', 'GET', lambda p: 404, lambda p, c: set(), ()),
    ('/sync', 'POST', lambda p: 405, lambda p, c: set(), ()),
    ('/crumb.js', 'GET', lambda p: 200, lambda p, c: set(), ()),
    ('/crumb.js', 'POST', lambda p: 405, lambda p, c: set(), ()),
    ('/crumb-debug.js', 'GET', lambda p: 200, lambda p, c: set(), ()),
    ('/.well-known/gpc.json', 'GET', lambda p: 200, lambda p, c: set(), ()),
    ('/robots.txt', 'GET', lambda p: 200, lambda p, c: set(), ()),
    ('/favicon.ico', 'GET', lambda p: 204, lambda p, c: set(), ()),
    ('/me', 'GET', lambda p: 200 if p in SAME + (LINK,) else 403, lambda p, c: set(), ()),
    ('/me?format=json', 'GET', lambda p: 200 if p in SAME + (LINK,) else 403, lambda p, c: set(), ()),
    ('/me', 'POST', lambda p: 405, lambda p, c: set(), ()),
    ('/me/forget', 'POST', lambda p: 200 if p in SAME else 403, lambda p, c: {'-crumb'} if p in SAME else set(), SAME),
    ('/me/forget', 'GET', lambda p: 405, lambda p, c: set(), ()),
    ('/optout', 'GET', lambda p: 200, lambda p, c: {'crumb_optout'}, ()),
    ('/optout', 'POST', lambda p: 200 if p in SAME else 403, lambda p, c: {'crumb_optout', '-crumb'} if p in SAME else set(), SAME),
    ('/optin', 'POST', lambda p: 200 if p in SAME + (LISTED,) else 403, lambda p, c: {'-crumb_optout'} if p in SAME + (LISTED,) else set(), ()),
    ('/optin', 'GET', lambda p: 405, lambda p, c: set(), ()),
    ('/nothing', 'GET', lambda p: 404, lambda p, c: set(), ()),
]


def cookies_set(r):
    found = set()
    for name, value in r.getheaders():
        if name.lower() == 'set-cookie':
            found.add(('-' if 'Max-Age=0' in value else '') + value.split('=')[0])
    return found


@pytest.mark.parametrize('page', list(PAGES))
def test_every_route_keeps_its_contract(make, page):
    server = make(options=['sites=shop.example'], destinations='version: 1\npartners: [{id: acme, redirects: ["https://acme.example/"]}]\n')
    gone = Browser.known(server)
    erased = gone.jar['crumb']
    assert gone.request('POST', '/me/forget')[0] == 200
    headers = dict(PAGES[page], **({'Origin': 'http://' + server.collect} if page == OWN else {}))
    wrong = []
    for route, method, status, cookies, erases in ROUTES:
        for cookie in COOKIES:
            b = Browser.known(server) if cookie in ('known', 'optout') else Browser(server)
            old = b.jar.get('crumb')
            if cookie in ('erased', 'forged'):
                b.jar['crumb'] = erased if cookie == 'erased' else 'A' * 47
            if cookie == 'optout':
                b.jar['crumb_optout'] = '1'
            s, r, _ = b.request(method, route, EVENT if route == '/e' and method == 'POST' else None, dict(headers, **{'Content-Type': 'text/plain'}) if route == '/e' else headers)
            want = (status(page), cookies(page, cookie))
            if (s, cookies_set(r)) != want:
                wrong.append((route, method, cookie, (s, cookies_set(r)), want))
            allowed = r.getheader('Access-Control-Allow-Origin')
            if route in ('/crumb.js', '/crumb-debug.js') and allowed == '*':         # a script that pages may check; nothing of it is secret
                continue
            if allowed not in (None, 'https://shop.example') or (allowed and (page != LISTED or r.getheader('Access-Control-Allow-Credentials') != 'true')):
                wrong.append((route, method, cookie, 'CORS', allowed))
            if old:
                server.settle()
                there = server.visitor('--cookie', old) is not None
                if there == (page in erases):          # the opt-out cookie alone expires the other one and erases nobody
                    wrong.append((route, method, cookie, 'the visitor', there))
    assert not wrong, '\n'.join(map(str, wrong))
