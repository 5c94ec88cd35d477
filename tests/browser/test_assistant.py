"""The tag assistant in a real Chromium: the panel, the click of consent, a hit explained, the end; and what other tabs and scripts cannot do."""
import json
import os
import sys
import time
import urllib.parse

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), 'functional')]
import axe  # noqa: E402
from harness import until  # noqa: E402
from test_tag import Site  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402

NONCE = 'c3RyaWN0'


class Watched(Site):
    """A site, and somebody with a marketer's token."""

    def panel(self, css='section'):
        """An element of the panel, or None."""
        host = self.browser.find_elements(By.ID, 'crumb-debug')
        found = host[0].shadow_root.find_elements(By.CSS_SELECTOR, css) if host else []
        return found[0] if found else None

    def click(self, name):
        until(lambda: self.panel('#' + name)).click()

    def code(self):
        shown = self.panel('#code')
        return shown.text if shown else None

    def ask(self, method, path, code, **query):
        status, _, data = self.server.http(method, '/v1/live%s?%s' % (path, urllib.parse.urlencode({'code': code, **query})), admin=True)
        assert status == 200, data
        return json.loads(data)

    def open(self, path='/coats/a'):
        """The panel, by a page that is loaded."""
        self.browser.get('about:blank')
        self.go(path + '#crumb-debug')
        until(lambda: self.panel())

    def shown(self):
        """Opens the panel, clicks, types the code."""
        self.open()
        self.click('show')
        code = until(self.code)
        self.ask('POST', '/pair', code)
        return code

    def hits(self, code, n, after=0):
        found = []
        until(lambda: found.extend(self.ask('GET', '', code, after=found[-1]['n'] if found else after, wait=2)['hits']) or len(found) >= n)
        assert len(found) == n, found
        return found

    def stored(self):
        return self.js('return sessionStorage.getItem("crumb-debug")')

    def quiet(self, code, after=0):
        time.sleep(0.5)
        self.server.settle()
        return self.ask('GET', '', code, after=after)['hits']


@pytest.fixture
def site(tmp_path, request):
    s = Watched(getattr(request, 'param', []), tmp_path)
    yield s
    s.close()


def test_from_the_click_to_the_segment_within_a_second(site):
    site.known()
    site.server.settle()
    code = site.shown()
    assert len(code) == 11 and 'minutes left' in site.panel('#left').text
    site.server.settle()
    began = time.monotonic()
    site.js("crumb('event', 'bought', {value: 5, size: 'm', email: 'jane@example.org'})")
    hit = site.hits(code, 1)[0]
    assert time.monotonic() - began < 1
    assert (hit['verdict'], hit['event'], hit['path'], hit['value'], hit['counted']) == ('recorded', 'bought', '/coats/a', 5, 'yes')
    assert hit['attributes'] == [{'name': 'size', 'value': 'm'}] and hit['segments'] == {'entered': ['paid'], 'left': []}
    assert {'kind': 'attribute', 'n': 1} in hit['dropped'] and {'kind': 'title', 'n': 1} in hit['dropped']
    until(lambda: 'Hits sent: 1' in site.panel('#left').text)
    # the next page of the tab, without the fragment: its first view has the code, too
    site.go('/coats/b')
    assert [(h['event'], h['path'], h['categories']) for h in site.hits(code, 1, after=1)] == [('view', '/coats/b', ['b'])]
    assert until(site.code) == code
    site.click('end')
    assert 'Nothing more' in site.panel().text and site.stored() is None and site.code() is None
    site.js("crumb('event', 'bought')")
    site.go('/coats/a')
    assert site.quiet(code, after=2) == [] and site.panel() is None
    assert site.complaints() == []


def test_nothing_happens_without_a_click(site):
    site.known()
    site.open()
    site.has(3) # the view of the page may still be on its way when the panel is there
    assert site.code() is None and site.stored() is None and 'Show what crumb receives from this tab' in site.panel().text
    # a click that a script makes is none
    site.js("document.getElementById('crumb-debug').shadowRoot.getElementById('show').click()")
    time.sleep(0.2)
    assert site.code() is None and site.stored() is None
    site.click('close')
    assert site.panel() is None
    site.js("crumb('view')")
    site.has(4)
    site.go('/coats/b')
    assert site.panel() is None and not site.js("return performance.getEntriesByType('resource').some(function (e) { return e.name.indexOf('crumb-debug') > 0; })")
    assert site.complaints() == []


@pytest.mark.parametrize('tail', ['#crumb-debug=K7Q3MHW2X', '#Crumb-debug', '#crumb-debug%20', '#crumb-debug/', '?crumb-debug', '?live=K7Q3MHW2X', '#live=K7Q3MHW2X', '?live=K7Q3MHW2X#crumb-debug'])
def test_a_code_is_never_taken_from_the_address(site, tail):
    site.known()
    site.ask('POST', '/pair', 'K7Q3MHW2X')
    site.browser.get('about:blank')
    site.go('/coats/a' + tail, 3)
    if tail.endswith('#crumb-debug'):
        site.click('show')
        assert until(site.code) != 'K7Q-3MH-W2X'
    else:
        assert site.panel() is None
    site.js("crumb('event', 'bought')")
    assert site.quiet('K7Q3MHW2X') == []


def test_codes_are_random(site):
    codes = set()
    for _ in range(3):
        site.open()
        site.click('show')
        codes.add(until(site.code))
        site.click('end')
    assert len(codes) == 3


def test_a_page_that_is_open_already_gets_the_panel(site):
    site.go('/coats/a')
    site.js("location.hash = '#crumb-debug'")
    until(lambda: site.panel())
    site.click('show')
    assert until(site.code)


def test_other_tabs_do_not_show_themselves(site):
    site.known()
    code = site.shown()
    first = site.browser.current_window_handle
    # a tab of its own, and one that has a copy of the storage, as a duplicated tab does
    for opened in ("window.open('/coats/b', '_blank', 'noopener')", "window.open('/coats/b', '_blank')"):
        before = set(site.browser.window_handles)
        site.js(opened)
        second = until(lambda: set(site.browser.window_handles) - before).pop()
        site.browser.switch_to.window(second)
        until(lambda: site.js('return !!(window.crumb && crumb.loaded)'))
        time.sleep(0.6)
        assert site.stored() is None and site.panel() is None
        site.js("crumb('event', 'bought')")
        assert site.quiet(code) == []
        site.browser.close()
        site.browser.switch_to.window(first)
    assert site.code() == code
    site.js("crumb('event', 'bought')")
    assert site.hits(code, 1)[0]['event'] == 'bought'


def test_frames_do_not_show_themselves(site):
    site.known()
    code = site.shown()
    site.js("var f = document.createElement('iframe'); f.src = '/coats/b'; document.body.appendChild(f)")
    time.sleep(1)
    assert site.quiet(code) == [] and site.code() == code


def test_a_code_that_is_over_is_forgotten(site):
    site.known()
    code = site.shown()
    site.js("var k = JSON.parse(sessionStorage.getItem('crumb-debug')); k.until = Date.now() - 1; sessionStorage.setItem('crumb-debug', JSON.stringify(k))")
    site.go('/coats/b')
    until(lambda: site.stored() is None)
    assert site.panel() is None and site.quiet(code) == []
    for nonsense in ('{', 'null', '{"code":"K7Q3MHW2X","until":9e15}', '{"code":"<b>","until":9e15}'):
        site.js("sessionStorage.setItem('crumb-debug', arguments[0])".replace('arguments[0]', json.dumps(nonsense)))
        site.go('/coats/b')
        until(lambda: site.stored() is None)
        assert site.panel() is None
    assert site.complaints() == []


@pytest.mark.parametrize('policy', ["default-src 'none'; script-src {here}; connect-src {here}", "default-src 'none'; script-src 'nonce-" + NONCE + "'; connect-src {here}", "default-src 'none'; script-src 'nonce-" + NONCE + "' 'strict-dynamic'; connect-src {here}"], ids=['host', 'nonce', 'dynamic'])
def test_pages_with_a_strict_policy(site, policy):
    site.known()
    site.headers = {'Content-Security-Policy': policy.format(here=site.here) + '; img-src data:', 'Referrer-Policy': 'no-referrer'}
    site.head = '<script nonce="%s" async src="%s/crumb.js"></script>' % (NONCE, site.here)
    code = site.shown()
    site.js("crumb('event', 'bought')")
    assert site.hits(code, 1)[0]['verdict'] == 'recorded'
    assert site.complaints() == []


def test_where_the_file_is_blocked_hits_go_on(site):
    site.known()
    site.headers = {'Content-Security-Policy': "script-src 'nonce-%s' %s/crumb.js; require-trusted-types-for 'script'" % (NONCE, site.here)}
    site.head = '<script async src="%s/crumb.js"></script>' % site.here
    site.browser.get('about:blank')
    site.go('/coats/a#crumb-debug', 3)
    assert site.panel() is None
    site.headers = {'Content-Security-Policy': "script-src %s/crumb.js" % site.here}
    site.browser.get('about:blank')
    site.go('/coats/a#crumb-debug', 4)
    assert site.panel() is None


def test_a_browser_that_has_said_no_is_told_that_nothing_is_sent(site):
    site.known()
    site.js("crumb('optout')")
    site.open()
    assert 'has said no' in site.panel().text
    site.click('show')
    code = until(site.code)
    site.ask('POST', '/pair', code)
    site.js("crumb('event', 'bought')")
    assert site.quiet(code) == []


def test_a_page_of_another_host_is_told_where_it_can_mend_that(site):
    """The host is not in sites: the dashboard says so, and the panel that hits do not get through."""
    site.browser.get(site.origin.replace('127.0.0.1', 'localhost') + '/coats/a#crumb-debug')
    site.click('show')
    code = until(site.code)
    site.ask('POST', '/pair', code)
    site.js("crumb('event', 'bought')")
    hit = site.hits(code, 1)[0]
    assert hit['verdict'] == 'foreign_page' and 'sites' in hit['says'] and hit['event'] == hit['path'] == ''
    until(lambda: 'not listed with crumb: 1' in site.panel('#left').text)


# --- the dashboard's side

class Dashboard:
    """The dashboard in a window of the same Chromium. Cookies are of a host and not of a port, so both are signed in and known at once."""

    def __init__(self, site, token=None):
        self.site, self.page = site, site.browser.current_window_handle
        site.browser.switch_to.new_window('window')
        self.own = site.browser.current_window_handle
        site.browser.get('http://%s/' % site.server.admin)
        until(lambda: site.browser.find_elements(By.CSS_SELECTOR, 'input[name=token]'))[0].send_keys(token or site.server.token, Keys.ENTER)
        until(lambda: self.js('return document.body.dataset.ready') == '#/')
        self.go('#/live')
        site.complaints()                                   # other screens are other tests'
        site.browser.switch_to.window(self.page)

    def __enter__(self):
        self.site.browser.switch_to.window(self.own)
        return self

    def __exit__(self, *error):
        self.site.browser.switch_to.window(self.page)

    def js(self, code, *arguments):
        return self.site.browser.execute_script(code, *arguments)

    def all(self, css):
        return self.site.browser.find_elements(By.CSS_SELECTOR, css)

    def go(self, hash):
        self.js('location.hash = arguments[0]', hash)
        until(lambda: self.js('return document.body.dataset.ready') == hash)

    def type(self, code):
        until(lambda: self.all('#live-code'), lambda: self.js('return document.body.innerText + location.href'))[0].send_keys(code, Keys.ENTER)


def test_a_marketer_finds_out_why_a_tag_does_not_work(site):
    """The whole way by keyboard and mouse, in two windows."""
    site.known()
    dashboard = Dashboard(site)
    with dashboard as d:
        assert '#crumb-debug' in d.all('.steps')[0].text
        d.type('nonsense')
        until(lambda: 'nine letters and digits' in d.all('#live-says')[0].text)
        d.site.complaints()                                 # the browser says that the answer was 400
        d.all('#live-code')[0].clear()
        d.js('document.activeElement.blur()')
    site.open()
    site.click('show')
    code = until(site.code)
    with dashboard as d:
        d.type(code.lower().replace('-', ' '))
        until(lambda: d.all('[data-code]'))
        assert d.all('[data-code]')[0].text == code and '15 minutes left' in d.all('[data-left]')[0].text and 'Waiting for the first hit' in d.all('#main')[0].text
    site.server.settle()
    began = time.monotonic()
    site.js("crumb('event', 'bought', {value: 5, size: 'm', email: 'jane@example.org'})")
    with dashboard as d:
        hit = until(lambda: d.all('[data-hit]'))[0]
        took = time.monotonic() - began
        assert hit.get_attribute('data-verdict') == 'recorded' and hit.get_attribute('data-counted') == 'yes' and took < 1.5, took
        words = hit.text
        assert 'bought' in words and '127.0.0.1/coats/a' in words and 'size = m' in words and 'paid' in words and 'names of persons' in words and 'jane' not in words
        assert 'Waiting' not in d.all('#main')[0].text
    # a tag that says anon by mistake
    site.js("fetch('%s/e', {method: 'POST', credentials: 'include', body: JSON.stringify({e: 'view', u: location.href, anon: 1, live: '%s'})})" % (site.here, code.replace('-', '')))
    with dashboard as d:
        hit = until(lambda: d.all('[data-hit="2"]'))[0]
        assert hit.get_attribute('data-verdict') == 'refused' and 'The page sent anon=1' in hit.text and '/coats' not in hit.text
        d.go('#/segments')
        d.go('#/live')
        assert [h.get_attribute('data-hit') for h in d.all('[data-hit]')] == ['2', '1']          # another screen forgets nothing
        assert code not in d.site.browser.current_url and code not in d.js('return JSON.stringify([localStorage, sessionStorage])')
        for theme in ('light', 'dark'):
            for width in (360, 1280):
                d.site.browser.execute_cdp_cmd('Emulation.setDeviceMetricsOverride', {'width': width, 'height': 900, 'deviceScaleFactor': 1, 'mobile': False})
                d.site.browser.execute_cdp_cmd('Emulation.setEmulatedMedia', {'features': [{'name': 'prefers-color-scheme', 'value': theme}]})
                assert d.js('return document.documentElement.scrollWidth <= innerWidth'), (width, d.js('return [...document.querySelectorAll("#frame *")].filter((e) => e.getBoundingClientRect().right > innerWidth + 1).slice(0, 6).map((e) => e.outerHTML.slice(0, 80))'))
                assert axe.faults(d.site.browser) == [], (theme, width)
        until(lambda: d.all('.live-bar button'))[0].click()
        until(lambda: 'It is over' in d.all('#main')[0].text)
    until(lambda: site.ask('GET', '', code)['until'] is None)
    assert site.complaints() == []


def test_the_screen_says_when_it_is_over(site):
    site.known()
    dashboard = Dashboard(site)
    site.open()
    site.click('show')
    code = until(site.code)
    with dashboard as d:
        d.type(code)
        until(lambda: d.all('[data-code]'))
        site.server.advance('1h')
        until(lambda: 'It is over' in d.all('#main')[0].text)
        assert d.all('#live-code') and site.complaints() == []
