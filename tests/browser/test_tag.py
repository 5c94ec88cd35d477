"""The page tag in a real Chromium: what counts as a page, options, calls that lack something, pages that isolate themselves."""
import base64
import gzip
import hashlib
import http.server
import json
import os
import sys
import threading
import time

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), 'functional')]
from harness import SLOW, Server, until  # noqa: E402
from selenium import webdriver  # noqa: E402
from selenium.webdriver.chrome.service import Service  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402

RULES = '''version: 1
categories:
  - {id: a, name: A, any: [{path: "/coats/a"}]}
  - {id: b, name: B, any: [{path: "/coats/b"}]}
  - {id: pre, name: P, any: [{path: "/coats/pre"}]}
  - {id: bought, name: Bought, any: [{event: bought}]}
segments:
  - {id: paid, when: sum(v of bought) >= 5}
'''
STUB = 'window.crumb = window.crumb || function () { (crumb.q = crumb.q || []).push(arguments); };'


class Pages(http.server.BaseHTTPRequestHandler):
    """Every path is a page with the head that the test has set."""
    protocol_version = 'HTTP/1.1'

    def do_GET(self):
        site = self.server.site
        site.asked.append(self.path)
        body = ('<!doctype html><html><head><title>Coats</title><link rel="icon" href="data:,">%s</head><body><a id="b" href="/coats/b">B</a> <a id="pre" href="/coats/pre">Pre</a></body></html>' % site.head).encode()
        self.send_response(200)
        for name, value in {'Content-Type': 'text/html; charset=utf-8', 'Content-Length': str(len(body)), **site.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


class Site:
    def __init__(self, options, folder):
        self.asked, self.headers, self.http = [], {}, http.server.ThreadingHTTPServer(('127.0.0.1', 0), Pages)
        self.http.site = self
        self.origin = 'http://127.0.0.1:%d' % self.http.server_address[1]
        self.server = Server(rules=RULES, options=['sites=' + self.origin, 'cookie.samesite=lax'] + options)
        self.server.start()
        self.here = 'http://' + self.server.collect
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self.tag()
        chrome = webdriver.ChromeOptions()
        chrome.set_capability('goog:loggingPrefs', {'browser': 'ALL', 'performance': 'ALL'})
        chrome.binary_location = '/usr/bin/chromium'
        for a in ('--headless=new', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync',
                  '--disable-dev-shm-usage', '--user-data-dir=%s' % folder):
            chrome.add_argument(a)
        self.browser = webdriver.Chrome(service=Service('/usr/bin/chromedriver'), options=chrome)
        self.browser.set_page_load_timeout(30 * SLOW)

    def tag(self, attributes='', before='', after=''):
        self.head = '<script>%s</script><script async src="%s/crumb.js" %s></script>%s' % (STUB + before, self.here, attributes, after)

    def close(self):
        self.browser.quit()
        self.http.shutdown()
        self.http.server_close()
        self.server.close()

    def js(self, code):
        return self.browser.execute_script(code)

    def events(self):
        return self.server.metric('events_total')

    def go(self, path, events=None):
        """Opens a page; so many events must have come by then in all."""
        self.browser.get(self.origin + path)
        until(lambda: self.js('return !!(window.crumb && crumb.loaded)'))
        if events is not None:
            self.has(events)

    def known(self):
        """The browser has come back: its profile exists. Two events."""
        self.go('/home', 1)
        until(lambda: self.cookie())
        self.go('/home', 2)

    def cookie(self):
        return next((c['value'] for c in self.browser.get_cookies() if c['name'] == 'crumb'), None)

    def has(self, events):
        """So many events, and no more a moment later."""
        until(lambda: self.events() >= events)
        time.sleep(0.4)
        assert self.events() == events

    def seen(self):
        self.server.settle()
        v = self.server.visitor('--cookie', self.cookie())
        return {c['id']: c['count'] for c in v['categories']}, v

    def strangers(self):
        """Requests of all windows that went neither to the page's server nor to ours."""
        sent = [m['params']['request']['url'] for m in (json.loads(l['message'])['message'] for l in self.browser.get_log('performance')) if m['method'] == 'Network.requestWillBeSent']
        ours = tuple(o + '/' for o in (self.origin, self.here, 'http://' + self.server.admin))
        return [u for u in sent if u.startswith(('http:', 'https:', 'ws:', 'wss:')) and not u.startswith(ours)]

    def complaints(self):
        return [l['message'] for l in self.browser.get_log('browser')]


@pytest.fixture
def site(tmp_path, request):
    s = Site(getattr(request, 'param', []), tmp_path)
    yield s
    s.close()


# --- what is a page

def test_a_page_that_is_prerendered_counts_when_it_is_shown(site):
    site.known()
    # what the page itself says while nobody sees it waits, too
    site.tag(before="if (document.prerendering) { sessionStorage.prerendered = 1; crumb('event', 'bought', {value: 5}); }",
             after='<script type="speculationrules">{"prerender":[{"source":"list","urls":["/coats/pre"],"eagerness":"immediate"}]}</script>')
    site.go('/coats/a', 3)
    until(lambda: '/coats/pre' in site.asked)
    time.sleep(1)
    site.has(3)
    site.browser.find_element(By.ID, 'pre').click()
    until(lambda: site.browser.current_url.endswith('/coats/pre'))
    assert site.js('return performance.getEntriesByType("navigation")[0].activationStart') > 0
    site.has(5)
    counts, v = site.seen()
    assert counts == {'a': 1, 'pre': 2, 'bought': 1} and v['segments'] == ['paid']
    assert site.complaints() == []


def test_what_the_server_drops_of_a_url_is_no_other_page(site):
    site.known()
    site.go('/coats/a', 3)
    for step in ("replaceState({}, '', '/coats/a?page=2')", "replaceState({}, '', '?sort=price&page=3')", "pushState({}, '', '/coats/a?sort=name')", "pushState({}, '', '?page=1#top')", "replaceState({x: 1}, '')",
                 "pushState({}, '', '/coats/a?')", "back()", "back()"):
        site.js('history.' + step)
        time.sleep(0.1)
    site.has(3)
    site.js("history.pushState({}, '', '/coats/b?page=2')")
    site.has(4)
    site.js("history.replaceState({}, '', '/coats/b?page=2&utm_campaign=spring')")      # what the server keeps does
    site.has(5)
    site.js("history.replaceState({}, '', '/coats/b?utm_campaign=spring&page=9')")
    site.has(5)
    site.js("history.replaceState({}, '', '/coats/a')")
    site.has(6)
    assert site.seen()[0] == {'a': 2, 'b': 2} and site.complaints() == []


@pytest.mark.parametrize('site', [['privacy.keep_query=colour,Size']], indirect=True)
def test_what_the_server_is_told_to_keep_makes_a_page(site):
    site.known()
    site.tag('data-query="q, year"')
    site.go('/coats/a?colour=red', 3)
    for step, n in (('?colour=blue', 4), ('?page=2&colour=blue', 4), ('?colour=blue&size=m', 5), ('?size=m&colour=blue&page=3', 5), ('?size=m&colour=blue&q=parka', 6), ('?colours=red&size=m&colour=blue&q=parka', 6),
                    ('?size=m&colour=blue&q=parka&year=2026', 7)):
        site.js("history.pushState({}, '', '/coats/a%s')" % step)
        site.has(n)
    counts, v = site.seen()
    assert counts == {'a': 5} and v['attributes'] == {'colour': 'blue', 'size': 'm'}


def test_hash_routes_are_pages_when_it_is_said(site):
    site.known()
    site.go('/app?x=1#/coats/a', 3)
    site.js("location.hash = '#/coats/b'")
    site.has(3)                                                                         # the default
    assert site.seen()[0] == {}
    site.tag('data-hash="yes"')
    site.go('/app?x=1', 4)
    for step, n in (("location.hash = '#/coats/a'", 5), ("location.hash = '#/coats/a?sort=1'", 5), ("location.hash = '#!/coats/b'", 6), ("location.hash = '#top'", 7), ("location.hash = '#below'", 7),
                    ("history.pushState({}, '', '#/coats/b')", 8), ("history.back()", 9), ("location.hash = '#access_token=4711'", 9)):
        site.js(step)
        site.has(n)
    assert site.seen()[0] == {'a': 1, 'b': 2}
    site.js("crumb('event', 'bought', {value: '5'})")
    site.has(10)


@pytest.mark.parametrize('option', ['', 'data-back="yes"'])
def test_pages_shown_again_count_when_it_is_said(site, option):
    site.known()
    site.tag(option, after='<script>addEventListener("pageshow", function (e) { window.again = e.persisted; });</script>')
    site.go('/coats/a', 3)
    site.browser.find_element(By.ID, 'b').click()
    until(lambda: site.browser.current_url.endswith('/coats/b'))
    site.has(4)
    site.browser.back()
    until(lambda: site.browser.current_url.endswith('/coats/a'))
    until(lambda: site.js('return window.again !== undefined'))
    if not site.js('return window.again'):
        pytest.skip('this Chromium keeps no page')
    site.has(5 if option else 4)
    assert site.seen()[0] == {'a': 2 if option else 1, 'b': 1}


# --- options and calls

def test_options_without_attributes(site):
    """As in tag managers, which strip data-*: calls before the tag."""
    site.known()
    site.tag(before="crumb('view'); crumb('set', {auto: false, endpoint: '%s/'});" % site.here)
    site.go('/coats/a', 3)                                                              # the one that was asked for
    site.js("history.pushState({}, '', '/coats/b')")
    site.has(3)
    site.tag('data-hash="no" data-spa="yes"', before="crumb('set', {spa: 'no'}); crumb('set', {hash: true}); crumb('set'); crumb('set', null); crumb('set', 'x');")
    site.go('/#/coats/a', 4)
    site.js("history.pushState({}, '', '/coats/b')")
    site.has(4)
    site.js("crumb('set', {endpoint: 'http://127.0.0.1:1'}); crumb('view')")
    time.sleep(0.3)
    site.js("crumb('set', {endpoint: '%s'}); crumb('view')" % site.here)
    site.has(5)
    assert site.seen()[0] == {'a': 2, 'b': 1}


@pytest.mark.parametrize('tail', ['/', '//'])
def test_an_endpoint_may_end_with_a_slash(site, tail):
    site.tag('data-endpoint="%s%s"' % (site.here, tail))
    site.go('/coats/a', 1)
    site.go('/coats/a', 2)
    site.js("crumb('segments', function (ids) { window.ids = ids; }, {fresh: true})")
    until(lambda: site.js('return !!window.ids'))
    assert site.js('return ids') == [] and site.complaints() == []


def test_values_that_are_none_are_left_out(site):
    site.known()
    site.js("""crumb('event', 'bought', {a: undefined, b: null, c: NaN, d: {}, e: [1], f: function () {}, g: Symbol('x'), h: 1 / 0, value: undefined, p_x: undefined, size: 'm', count: 3, gift: false});
      crumb('event', 'bought', {value: null}); crumb('event', 'bought', {value: ''}); crumb('event', 'bought', {value: '10,00'}); crumb('event', 'bought', {value: true}); crumb('event', 'bought', {value: ' '});
      crumb('event', undefined, undefined); crumb('event', {}, 'text'); crumb('event', 'bought', {value: '4.5'}); crumb('event', 'bought', {get a() { throw new Error('theirs'); }}); window.done = 1;""")
    assert site.js('return window.done') == 1
    site.has(11)
    counts, v = site.seen()
    assert v['attributes'] == {'size': 'm', 'count': '3', 'gift': 'false'} and counts == {'bought': 7} and v['segments'] == []
    site.js("crumb('event', 'bought', {value: 0.5})")
    site.has(12)
    assert site.seen()[1]['segments'] == ['paid']
    assert len(site.complaints()) == 1


CALLERS = '''
  window.__tcfapi = function (c, v, callback) { callback(null, true); };
  window.__uspapi = function (c, v, callback) { callback(null, true); };
  window.__gpp = function () { throw new Error('theirs'); };
'''


def test_consent_platforms_that_fail_break_nothing(site):
    site.tag(before=CALLERS)
    site.go('/coats/a')
    assert site.js("crumb('event', 'x'); crumb('segments', function () { throw new Error('mine'); }); return 1") == 1
    time.sleep(0.5)
    assert site.events() == 0                                                           # what is not known is no yes
    said = site.complaints()
    assert all('theirs' in m or 'mine' in m for m in said), said


def test_a_tag_without_a_source_says_nothing(site):
    """Pasted into the page: it does not know where the server is until it is told."""
    _, _, tag = site.server.http('GET', '/crumb.js')
    site.head = '<script>%s crumb("segments", function (ids) { window.ids = ids; }); crumb("optout"); localStorage.clear();</script><script>%s</script>' % (STUB, tag.decode().replace('</', '<\\/'))
    site.go('/coats/a')
    assert site.js('return window.ids') == []
    site.js("crumb('view'); crumb('optin'); crumb('segments')")
    time.sleep(0.3)
    assert set(p for p in site.asked) == {'/coats/a'} and site.complaints() == [] and site.events() == 0
    site.js("crumb('set', {endpoint: '%s/'}); crumb('view')" % site.here)
    site.has(1)


# --- pages that isolate themselves

def test_isolated_pages_and_pages_that_check_the_script(site):
    _, _, tag = site.server.http('GET', '/crumb.js')
    site.headers = {'Cross-Origin-Embedder-Policy': 'require-corp', 'Cross-Origin-Opener-Policy': 'same-origin'}
    site.go('/coats/a', 1)
    assert site.js('return crossOriginIsolated') is True
    site.js("var i = new Image(); i.onload = function () { window.loaded = 1; }; i.src = '%s/p.gif?e=bought'; delete navigator.__proto__.sendBeacon" % site.here)
    until(lambda: site.js('return window.loaded'))
    site.js("crumb('event', 'bought')")                                                 # by fetch, whose answer the page must be allowed
    site.has(3)
    site.tag('crossorigin integrity="sha256-%s"' % base64.b64encode(hashlib.sha256(tag).digest()).decode())
    site.go('/coats/a', 4)
    assert site.complaints() == []


def test_the_tag_comes_compressed(site):
    status, r, packed = site.server.http('GET', '/crumb.js', headers={'Accept-Encoding': 'gzip, deflate, br, zstd'})
    assert r.getheader('Content-Encoding') == 'gzip' and len(packed) < 2100
    site.go('/coats/a', 1)
    size = site.js("return (function (e) { return [e.encodedBodySize, e.decodedBodySize]; })(performance.getEntriesByName('%s/crumb.js')[0])" % site.here)
    assert size in ([len(packed), len(gzip.decompress(packed))], [0, 0])                # a page of another origin is not told
    assert json.dumps(site.complaints()) == '[]'
