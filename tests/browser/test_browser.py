"""A real Chromium in the demo shop."""
import http.server
import os
import signal
import sys
import threading
import time
import urllib.parse

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [os.path.join(ROOT, 'tests', 'functional'), os.path.join(ROOT, 'tools', 'demo')]
import shop  # noqa: E402
from harness import CHROME, Server, until  # noqa: E402
from selenium import webdriver  # noqa: E402
from selenium.webdriver.chrome.service import Service  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402


@pytest.fixture
def world(tmp_path):
    """crumbd with the example rules, the shop, and a browser."""
    page = shop.serve(0, '')
    origin = 'http://127.0.0.1:%d' % page.server_address[1]
    server = Server(options=['sites=' + origin, 'cookie.samesite=lax', 'rules.path=' + os.path.join(ROOT, 'etc', 'rules')])
    server.start()
    shop.Shop.endpoint = 'http://' + server.collect
    threading.Thread(target=page.serve_forever, daemon=True).start()
    options = webdriver.ChromeOptions()
    options.set_capability('goog:loggingPrefs', {'browser': 'ALL'})
    options.binary_location = '/usr/bin/chromium'
    for a in ('--headless=new', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update',
              '--disable-sync', '--disable-dev-shm-usage', '--user-data-dir=%s' % tmp_path):
        options.add_argument(a)
    browser = webdriver.Chrome(service=Service('/usr/bin/chromedriver'), options=options)
    browser.set_page_load_timeout(30)
    yield server, origin, browser
    browser.quit()
    page.shutdown()
    page.server_close()
    server.close()


def segments(browser):
    return browser.find_element(By.ID, 'segments').text


def visit(browser, url):
    browser.get(url)
    # the page view was sent: the tag is loaded
    until(lambda: browser.execute_script('return window.crumb && window.crumb.loaded'))
    time.sleep(0.15)


def cookie_of(browser):
    """The visitor's cookie: it is there when the first hit was answered."""
    return until(lambda: next((c['value'] for c in browser.get_cookies() if c['name'] == 'crumb'), None))


def has(server, hits):
    """So many hits have come in all."""
    until(lambda: server.metric('hits_total') >= hits)
    assert server.metric('hits_total') == hits


def test_a_shopper_enters_a_segment_and_leaves_it_when_the_clock_moves(world):
    server, shop_url, browser = world
    visit(browser, shop_url + '/')
    until(lambda: segments(browser) == 'none yet')
    cookie_of(browser)
    for path in ('/coats/winter-parka', '/coats/rain-coat', '/coats/duffle-coat'):
        visit(browser, shop_url + path)
    began = time.monotonic()
    until(lambda: 'winter-coat-intenders' in segments(browser))
    assert time.monotonic() - began < 3
    until(lambda: 'coat-fans' in segments(browser))
    cookie = cookie_of(browser)
    v = server.visitor('--cookie', cookie)
    assert v['browser'] == 'chrome' and {c['id']: c['count'] for c in v['categories']} == {'apparel.outerwear': 3}
    # she buys: no longer in the market
    browser.find_element(By.ID, 'add').click()
    browser.find_element(By.ID, 'buy').click()
    until(lambda: browser.current_url.endswith('/checkout/thank-you'))
    until(lambda: 'customers' in segments(browser) and 'winter-coat-intenders' not in segments(browser))
    # one order is one purchase, though it has an event and a page; a cart is no look
    v = until(lambda: (v := server.visitor('--cookie', cookie)) and 'purchase' in {c['id'] for c in v['categories']} and v)
    counts = {c['id']: c['count'] for c in v['categories']}
    assert counts == {'purchase': 1, 'cart': 1, 'cart.coats': 1, 'apparel.outerwear': 3} and v['attributes'] == {'department': 'coats'}
    server.advance('14d')
    until(lambda: 'coat-fans' not in segments(browser) and 'customers' in segments(browser))
    server.advance('76d')
    until(lambda: segments(browser) == 'none yet')


def test_navigation_without_loading_counts(world):
    server, shop_url, browser = world
    visit(browser, shop_url + '/lookbook')
    cookie = cookie_of(browser)
    visit(browser, shop_url + '/lookbook')
    has(server, 2)
    browser.find_element(By.ID, 'spa1').click()
    has(server, 3)
    browser.find_element(By.ID, 'spa2').click()
    until(lambda: 'shoe-lookers' in segments(browser))
    browser.back()
    has(server, 5)
    browser.execute_script('location.hash = "#only-a-fragment"')
    time.sleep(0.3)
    has(server, 5)
    server.settle()
    assert {c['id']: c['count'] for c in server.visitor('--cookie', cookie)['categories']} == {'apparel.outerwear': 2, 'apparel.shoes': 1}


def test_opting_out_stops_the_tag_and_opting_in_starts_it(world):
    server, shop_url, browser = world
    visit(browser, shop_url + '/')
    visit(browser, shop_url + '/')
    has(server, 2)
    browser.find_element(By.ID, 'optout').click()
    until(lambda: any(c['name'] == 'crumb_optout' for c in browser.get_cookies()))
    visit(browser, shop_url + '/coats/winter-parka')
    visit(browser, shop_url + '/coats/rain-coat')
    has(server, 2)
    browser.find_element(By.ID, 'optin').click()
    until(lambda: not any(c['name'] == 'crumb_optout' for c in browser.get_cookies()))
    visit(browser, shop_url + '/coats/rain-coat')
    has(server, 3)


def complaints(browser):
    return [l for l in browser.get_log('browser') if 'favicon' not in l['message']]


def test_the_tag_neither_throws_nor_complains(world):
    """Calls that lack something, functions that throw, opting out and in from a page of another origin."""
    server, shop_url, browser = world
    server.stop()
    server.options.append('sites=%s,%s' % (shop_url, shop_url.replace('127.0.0.1', 'localhost')))
    server.start()
    shop.Shop.endpoint = 'http://' + server.collect
    browser.execute_cdp_cmd('Page.addScriptToEvaluateOnNewDocument', {'source': """
      window.told = 0;
      window.crumb = function () { (crumb.q = crumb.q || []).push(arguments); };
      crumb('segments'); crumb('segments', null, {fresh: true}); crumb('segments', function () { told++; throw new Error('the page itself'); });
      crumb(); crumb('nothing'); crumb('event'); crumb('event', 'x', null); crumb('event', 'y');"""})
    visit(browser, shop_url + '/')
    until(lambda: server.metric('hits_total') == 4)
    until(lambda: browser.execute_script('return told') == 1)
    assert browser.execute_script("crumb('segments'); crumb('segments', 'no function'); crumb('view'); crumb('optout'); crumb('segments'); return 'fine'") == 'fine'
    until(lambda: any(c['name'] == 'crumb_optout' for c in browser.get_cookies()))
    browser.execute_script("crumb('segments'); crumb('optin')")
    until(lambda: not any(c['name'] == 'crumb_optout' for c in browser.get_cookies()))
    time.sleep(0.3)
    said = complaints(browser)
    assert said and all('the page itself' in l['message'] for l in said), said
    assert browser.execute_script('return told') == 1


class Strict(http.server.BaseHTTPRequestHandler):
    """A page with a Content-Security-Policy, and with its stub in a file."""
    policy = endpoint = ''

    def do_GET(self):
        if self.path == '/stub.js':
            kind, body = 'text/javascript', 'window.crumb = window.crumb || function () { (crumb.q = crumb.q || []).push(arguments); };'
        else:
            kind, body = 'text/html', '<!doctype html><title>Strict</title><script src="/stub.js"></script><script async src="%s/crumb.js"></script>' % self.endpoint
        self.send_response(200)
        self.send_header('Content-Type', kind)
        self.send_header('Content-Security-Policy', self.policy)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


def test_a_page_with_the_policy_of_the_manual_has_no_complaints(world):
    """And each of its lines is needed."""
    server, shop_url, browser = world
    with open(os.path.join(ROOT, 'docs', 'sites.md')) as f:
        policy = next(l.strip().split(': ', 1)[1] for l in f if l.startswith('    Content-Security-Policy: '))
    pages = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Strict)
    threading.Thread(target=pages.serve_forever, daemon=True).start()
    url = 'http://127.0.0.1:%d' % pages.server_address[1]
    server.stop()
    server.options.append('sites=%s,%s' % (shop_url, url))
    server.start()
    Strict.endpoint = 'http://' + server.collect
    allowed = policy.replace('https://crumb.shop.example', Strict.endpoint)
    assert allowed.count(Strict.endpoint) == 3

    def use():
        browser.execute_script("""window.told = 0; crumb('event', 'look'); crumb('segments', function () { told++; }, {fresh: true}); crumb('optout');""")

    Strict.policy = "default-src 'none'; " + allowed
    visit(browser, url + '/coats/1')
    has(server, 1)
    use()
    until(lambda: browser.execute_script('return told') == 1)
    until(lambda: any(c['name'] == 'crumb_optout' for c in browser.get_cookies()))
    has(server, 2)
    browser.execute_script("crumb('optin')")
    until(lambda: not any(c['name'] == 'crumb_optout' for c in browser.get_cookies()))
    assert complaints(browser) == []
    for line in allowed.split('; '):
        Strict.policy = "default-src 'none'; " + allowed.replace(line, line.split()[0] + " 'self'")
        browser.get(url + '/coats/%d' % hash(line))
        time.sleep(0.3)
        if browser.execute_script('return !!(window.crumb && crumb.loaded)'):
            use()
        until(lambda: any('Content Security Policy' in l['message'] for l in complaints(browser)))
        browser.delete_all_cookies()
    pages.shutdown()
    pages.server_close()


def test_global_privacy_control_stops_the_tag(world):
    server, shop_url, browser = world
    browser.execute_cdp_cmd('Page.addScriptToEvaluateOnNewDocument', {'source': 'Object.defineProperty(navigator, "globalPrivacyControl", {value: true})'})
    visit(browser, shop_url + '/coats/winter-parka')
    visit(browser, shop_url + '/coats/rain-coat')
    until(lambda: segments(browser) == 'none yet')
    assert server.metric('hits_total') == 0 and browser.get_cookies() == []


# purposes 1, 3, 4, 9, 10 and odd vendors up to 33; only purposes 3 and 4; from the encoder of IAB Tech Lab
GRANTED = 'CQtAQoAQtAQoAAfACBENBkFgALDAAAAAAAYgAQqqoAACAAAAAAAA.IAQqqoAACAAA'
REFUSED = 'CQtAQoAQtAQoAAfACBENBkFgADAAAAAAAAYgAQgAAAACAAAAAAAA.IAQgAAAACAAA'
CMP = '''
  var listener = null;
  window.__tcfapi = function (command, version, callback) {
    if (command !== 'addEventListener' || version !== 2) return callback(null, false);
    listener = callback;
    callback({eventStatus: 'cmpuishown', gdprApplies: true, tcString: ''}, true);
  };
  window.decide = function (tc) { listener({eventStatus: 'useractioncomplete', gdprApplies: true, tcString: tc}, true); };
'''


def test_the_page_s_consent_platform_is_asked(world):
    """A platform of the IAB's interface: nothing is sent while it asks, then its string goes along; a change of mind too."""
    server, shop_url, browser = world
    server.stop()
    server.options.append('consent.tcf.vendor=33')
    server.start()
    shop.Shop.endpoint = 'http://' + server.collect
    browser.execute_cdp_cmd('Page.addScriptToEvaluateOnNewDocument', {'source': CMP})
    visit(browser, shop_url + '/coats/winter-parka')
    time.sleep(0.5)
    assert server.metric('hits_total') == 0
    browser.execute_script('decide("%s")' % GRANTED)
    until(lambda: server.metric('hits_total') == 1)
    cookie = cookie_of(browser)
    browser.execute_script('crumb("event", "look")')
    until(lambda: server.metric('hits_total') == 2)
    server.settle()
    assert server.visitor('--cookie', cookie)['consent']['purposes'] == [1, 3, 4, 9, 10]
    browser.execute_script('decide("%s"); crumb("event", "look")' % REFUSED)
    until(lambda: server.metric('refused_total{reason="tcf"}') == 1)
    until(lambda: server.visitor('--cookie', cookie) is None and not any(c['name'] == 'crumb' for c in browser.get_cookies()))


def test_opt_outs_of_the_united_states_go_along(world):
    server, shop_url, browser = world
    browser.execute_cdp_cmd('Page.addScriptToEvaluateOnNewDocument', {'source': '''
      window.__gpp = function (command, callback) { callback({eventName: 'signalStatus', pingData: {signalStatus: 'ready', gppString: 'DBABLA~CVQZAAAAAACA.YA', applicableSections: [7]}}, true); };
      window.__uspapi = function (command, version, callback) { setTimeout(function () { callback({uspString: '1YNN'}, true); }, 50); };'''})
    visit(browser, shop_url + '/coats/winter-parka')
    until(lambda: server.metric('refused_total{reason="gpp"}') == 1)
    assert server.metric('hits_total') == 0


def test_the_visitor_s_page_works_without_script(world):
    """/me in a real browser: what is known, a form that erases, and a foreign page that cannot."""
    server, shop_url, browser = world
    visit(browser, shop_url + '/coats/winter-parka')
    until(lambda: any(c['name'] == 'crumb' for c in browser.get_cookies()))
    visit(browser, shop_url + '/coats/winter-parka')
    has(server, 2)
    server.settle()
    here = 'http://' + server.collect
    browser.execute_cdp_cmd('Emulation.setScriptExecutionDisabled', {'value': True})
    browser.get(here + '/me')
    assert 'Coats and jackets' in browser.page_source or 'outerwear' in browser.page_source.lower()
    cookie = cookie_of(browser)
    browser.find_element(By.XPATH, '//button[text()="Forget me"]').click()
    until(lambda: 'Receipt' in browser.page_source)
    assert server.visitor('--cookie', cookie) is None and not any(c['name'] == 'crumb' for c in browser.get_cookies())


class Partner(http.server.BaseHTTPRequestHandler):
    """An ad platform: /getuid?URL leads to URL with its own id for the browser, as others' do."""
    calls = []

    def do_GET(self):
        Partner.calls.append(self.path)
        self.send_response(302)
        self.send_header('Location', urllib.parse.unquote(self.path.split('?', 1)[1]).replace('$UID', 'P-4711'))
        self.end_headers()

    def log_message(self, *args):
        pass


def test_the_tag_starts_syncs_that_are_due(world):
    server, shop_url, browser = world
    partner = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Partner)
    threading.Thread(target=partner.serve_forever, daemon=True).start()
    Partner.calls.clear()
    server.write_destinations("""version: 1
partners:
  - {id: acme, sync: {url: "http://127.0.0.1:%d/getuid?http%%3A//%s/sync%%3Fpartner=acme%%26uid=$UID"}}
""" % (partner.server_address[1], server.collect))
    server.process.send_signal(signal.SIGHUP)
    visit(browser, shop_url + '/coats/winter-parka')
    until(lambda: any(c['name'] == 'crumb' for c in browser.get_cookies()))
    visit(browser, shop_url + '/coats/winter-parka')
    until(lambda: server.metric('hits_total') == 2)
    tag = """delete window.crumb; var s = document.createElement('script'); s.src = '%s/crumb.js'; s.dataset.sync = 'yes'; s.dataset.auto = 'no';
      document.head.appendChild(s);""" % ('http://' + server.collect)
    browser.execute_script(tag)
    until(lambda: server.metric('syncs_total{result="matched"}') == 1)
    cookie = cookie_of(browser)
    server.settle()
    assert [p['id'] for p in server.visitor('--cookie', cookie)['partners']] == ['P-4711']
    browser.execute_script(tag)                     # nothing is due any more
    time.sleep(0.5)
    assert len(Partner.calls) == 1
    partner.shutdown()
    partner.server_close()


def test_the_pixel_works_without_script(world):
    server, shop_url, browser = world
    browser.execute_cdp_cmd('Emulation.setScriptExecutionDisabled', {'value': True})
    for n, path in enumerate(('/coats/winter-parka', '/coats/rain-coat', '/shoes/running')):
        browser.get(shop_url + path)
        has(server, n + 1)
        cookie = cookie_of(browser)
    server.settle()
    assert {c['id']: c['count'] for c in server.visitor('--cookie', cookie)['categories']} == {'apparel.outerwear': 2, 'apparel.shoes': 1}


def test_dates_are_whole_and_nothing_overflows_at_me_on_a_phone(world):
    """360 px, in both languages: a date is in one line, and there is nothing to scroll sideways."""
    server, shop_url, browser = world
    server.options += ['operator.name=The crumb shop', 'operator.policy=https://shop.example/privacy']
    server.restart()
    url = 'http://' + server.collect
    browser.execute_cdp_cmd('Emulation.setDeviceMetricsOverride', {'width': 360, 'height': 740, 'deviceScaleFactor': 3, 'mobile': True})
    for tag in ('en', 'de'):
        browser.execute_cdp_cmd('Network.setUserAgentOverride', {'userAgent': CHROME, 'acceptLanguage': tag})
        browser.get(url + '/me')
        for path in ('/coats/1', '/coats/2', '/coats/3', '/shoes/1'):
            browser.get(url + '/p.gif?a.size=' + 'long-word' * 6 + '&u=' + urllib.parse.quote(shop_url + path, safe=''))
        server.settle()
        browser.get(url + '/me')
        dates = browser.find_elements(By.TAG_NAME, 'time')
        assert browser.find_element(By.TAG_NAME, 'html').get_attribute('lang') == tag
        assert len(dates) >= 3 + 2 + 3                    # from, to and end; interests; audiences
        lines = browser.execute_script('return Array.from(document.querySelectorAll("time")).map(t => t.getClientRects().length)')
        assert set(lines) == {1}, lines
        wide = browser.execute_script('return [document.scrollingElement.scrollWidth, innerWidth]')
        assert wide == [360, 360], wide
        assert browser.find_element(By.CSS_SELECTOR, 'footer a').get_attribute('href') == 'https://shop.example/privacy'
