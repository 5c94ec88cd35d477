"""The dashboard in a real Chromium, with crumbd's files and made-up numbers (stub.py): every screen at three widths, in both themes, with few and many segments."""
import os
import re
import sys
import urllib.parse

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), 'functional')]
import axe  # noqa: E402
from harness import SLOW, Server, until  # noqa: E402
from stub import Stub, World  # noqa: E402
from selenium import webdriver  # noqa: E402
from selenium.webdriver.chrome.service import Service  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402

SCREENS = ['#/', '#/segments', '#/segments?group=owner&sort=-size&compare=1', '#/categories', '#/journeys', '#/destinations', '#/health', '#/new?template=loyal', '#/lookalikes', '#/lookalikes?seed=customers', '#/history', '#/make?kind=event&value=wishlist']
# of one thing: not there when there is nothing
OF_ONE = ['#/segments/coat-fans', '#/segments/dampf?days=7&compare=1', '#/segments/bargains?days=90', '#/overlap?ids=coat-fans,customers,bargains', '#/categories/apparel.coats', '#/destinations/ads', '#/edit/coat-fans', '#/lookalikes/long-list', '#/edit/category/apparel.coats']
WIDTHS = [360, 1280, 1920]


@pytest.fixture(scope='module')
def crumbd():
    s = Server()
    s.start()
    yield s
    s.close()


@pytest.fixture(scope='module')
def chromium(tmp_path_factory):
    options = webdriver.ChromeOptions()
    options.set_capability('goog:loggingPrefs', {'browser': 'ALL', 'performance': 'ALL'})
    options.binary_location = '/usr/bin/chromium'
    for a in ('--headless=new', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage',
              '--user-data-dir=%s' % tmp_path_factory.mktemp('chromium')):
        options.add_argument(a)
    browser = webdriver.Chrome(service=Service('/usr/bin/chromedriver'), options=options)
    browser.set_page_load_timeout(30 * SLOW)
    yield browser
    browser.quit()


class Page:
    def __init__(self, browser, stub):
        self.browser, self.stub, self.world = browser, stub, stub.world

    def look(self, width=1280, theme='light'):
        self.browser.execute_cdp_cmd('Emulation.setDeviceMetricsOverride', {'width': width, 'height': 900, 'deviceScaleFactor': 1, 'mobile': False})
        self.browser.execute_cdp_cmd('Emulation.setEmulatedMedia', {'features': [{'name': 'prefers-color-scheme', 'value': theme}]})

    def open(self, hash='#/'):
        self.browser.get('about:blank')
        self.browser.get_log('browser')
        self.browser.get_log('performance')
        self.browser.get(self.stub.origin + '/' + hash)
        self.ready()

    def go(self, hash):
        self.js('location.hash = arguments[0]', hash)
        self.ready()

    def ready(self):
        until(lambda: self.js('return document.body.dataset.ready'), lambda: str(self.complaints()))

    def js(self, code, *arguments):
        return self.browser.execute_script(code, *arguments)

    def all(self, selector):
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector):
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def press(self, *keys):
        self.browser.switch_to.active_element.send_keys(*keys)

    def complaints(self):
        return [l['message'] for l in self.browser.get_log('browser') if l['level'] in ('SEVERE', 'WARNING')]

    def strangers(self):
        """Requests that left the host."""
        import json
        sent = [m['params']['request']['url'] for m in (json.loads(l['message'])['message'] for l in self.browser.get_log('performance')) if m['method'] == 'Network.requestWillBeSent']
        return [u for u in sent if not u.startswith((self.stub.origin + '/', 'data:', 'blob:' + self.stub.origin))]

    def sideways(self):
        return self.js('return document.documentElement.scrollWidth > innerWidth && [document.documentElement.scrollWidth, '
                       '...[...document.querySelectorAll("#frame *")].filter((e) => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest(".table-room")).slice(0, 5).map((e) => e.outerHTML.slice(0, 80))]')


@pytest.fixture
def page(crumbd, chromium):
    made = []

    def make(**world):
        stub = Stub(World(**world), crumbd.admin).start()
        made.append(stub)
        return Page(chromium, stub)
    yield make
    for stub in made:
        stub.shutdown()
        stub.server_close()
    chromium.delete_all_cookies()


# --- every screen

@pytest.mark.parametrize('segments', [0, 10, 500])
def test_every_screen_is_calm(page, segments):
    p = page(segments=segments)
    p.look()
    p.open()
    for theme in ('light', 'dark'):
        for width in WIDTHS:
            p.look(width, theme)
            for screen in SCREENS + (OF_ONE if segments > 10 else OF_ONE[:1] + OF_ONE[2:] if segments else []):
                p.go(screen)
                where = (screen, width, theme, segments)
                assert not p.sideways(), (where, p.sideways())
                assert not p.all('.state.bad'), (where, p.one('.state.bad').text)
                assert len(p.all('#main h1')) == 1, where
    assert p.complaints() == [] and p.strangers() == []


@pytest.mark.parametrize('theme', ['light', 'dark'])
def test_nobody_is_shut_out(page, theme):
    p = page(segments=10)
    p.look(1280, theme)
    p.open()
    for screen in SCREENS + OF_ONE[:1] + OF_ONE[2:]:
        p.go(screen)
        assert axe.faults(p.browser) == [], screen
    p.look(360, theme)
    for screen in ['#/segments', '#/destinations/ads', '#/edit/coat-fans', '#/categories', '#/edit/category/apparel.coats', '#/lookalikes', '#/lookalikes/long-list', '#/live', '#/history']:
        p.go(screen)
        assert axe.faults(p.browser) == [], screen


@pytest.mark.parametrize('screen', [s for s in SCREENS if '?' not in s] + ['#/segments/coat-fans', '#/destinations/ads'])
def test_what_fails_and_what_is_not_there_is_said_in_its_place(page, screen):
    p = page(segments=10)
    p.look()
    p.open(screen)
    asked = {path.split('?')[0] for _, path in p.world.asked if path.startswith('/v1/') and path != '/v1/who'}
    assert asked
    p.world.fail = asked
    p.go('#/elsewhere')
    p.go(screen)
    assert 'Input/output error' in p.one('[data-state=failed]').text
    p.world.fail = set()
    p.one('[data-state=failed] button').click()
    until(lambda: not p.all('[data-state=failed]') or [b.click() for b in p.all('[data-state=failed] button')] and False)
    p.world.absent = asked
    p.go('#/elsewhere')
    p.go(screen)
    assert 'Not available yet' in p.one('#main').text and not p.all('.state.bad')


# --- signing in

def test_a_guest_is_asked_for_the_token_and_sees_nothing(page):
    p = page(segments=10, signed=False)
    p.look()
    p.open()
    field = p.one('form input[name=token]')
    assert field == p.browser.switch_to.active_element and not p.one('#frame').is_displayed()
    assert not [a for a in p.world.asked if a[1].startswith('/v1/')]
    field.send_keys('wrong', Keys.ENTER)
    until(lambda: 'not one of ours' in p.one('#signin-says').text)
    p.complaints()                                      # the browser says that the answer was 401
    field.clear()
    field.send_keys('right', Keys.ENTER)
    until(lambda: p.one('#frame').is_displayed())
    p.ready()
    assert 'anna' in p.one('#who').text and p.complaints() == []
    p.one('#signout').click()
    until(lambda: p.js('return document.body.dataset.ready') == '#signin')
    assert not p.world.signed and not p.one('#frame').is_displayed()


def test_a_link_signs_in_once_and_its_token_leaves_the_address(page):
    p = page(segments=10, signed=False)
    p.look()
    p.open('#token=right')
    until(lambda: p.one('#frame').is_displayed())
    assert 'token' not in p.browser.current_url and p.complaints() == []
    q = page(segments=10, signed=False)
    q.open('#token=spent')
    until(lambda: 'does not sign you in' in q.one('#signin-says').text)
    assert 'token' not in q.browser.current_url


def test_a_link_is_opened_in_a_tab_that_shows_the_dashboard(page):
    p = page(segments=10, signed=False)
    p.look()
    p.open()
    p.js("location.hash = '#token=spent'")
    until(lambda: 'does not sign you in' in p.one('#signin-says').text)
    assert 'token' not in p.browser.current_url
    p.complaints()                                      # the browser says that the answer was 401
    p.js("location.hash = '#token=right'")
    until(lambda: p.one('#frame').is_displayed())
    p.ready()
    for token in ('right', 'spent'):                    # who is signed in stays so
        p.go('#/segments')
        p.js("location.hash = arguments[0]", '#token=' + token)
        until(lambda: p.js('return document.body.dataset.ready') == '#/')
        assert p.browser.current_url.endswith('/#/') and 'no such page' not in p.one('#main').text and p.one('#frame').is_displayed()


def test_who_was_signed_out_comes_back_to_where_he_was(page):
    p = page(segments=10)
    p.look()
    p.open('#/segments?sort=-size')
    p.world.signed = False
    p.go('#/')
    until(lambda: p.one('#signin').is_displayed())
    assert not p.all('#main *')
    p.js("history.replaceState(null, '', '#/segments?sort=-size')")
    p.one('input[name=token]').send_keys('right', Keys.ENTER)
    until(lambda: len(p.all('[data-segment]')) == 10)


# --- the frame

def test_ready_goes_as_soon_as_the_address_changes(page):
    p = page(segments=10)
    p.look()
    p.open()
    assert p.js("location.hash = '#/segments'; return document.body.dataset.ready || 'gone'") == 'gone'
    p.ready()
    assert p.js('return document.body.dataset.ready') == '#/segments'


def test_keys(page):
    p = page(segments=10)
    p.look()
    p.open()
    p.press('g')
    p.press('s')
    until(lambda: p.browser.current_url.endswith('#/segments'))
    p.ready()
    p.press('j')
    assert p.js('return document.activeElement.closest("tr").dataset.segment') == 'bargains'
    p.press('x')
    assert 'tick another' in p.one('.compare-bar').text
    p.press('?')
    assert p.one('dialog[open]').text.startswith('Keys')
    p.press(Keys.ESCAPE)
    p.press('/')
    until(lambda: len(p.all('#found li')) > 5)
    p.press('winter co')
    until(lambda: len(p.all('#found li')) == 1)
    p.press(Keys.ENTER)
    until(lambda: p.browser.current_url.endswith('#/segments/coat-intenders'))


def test_the_keyboard_reaches_everything_in_the_list(page):
    p = page(segments=10)
    p.look()
    p.open('#/segments')
    wanted = p.js("return [...document.querySelectorAll('#frame a, #frame button, #frame input, #frame select')].filter((e) => e.offsetParent && !e.disabled).length")
    p.js("document.body.tabIndex = -1; document.body.focus()")
    seen = set()
    for _ in range(wanted + 20):
        p.press(Keys.TAB)
        seen.add(p.js("const e = document.activeElement, all = [...document.querySelectorAll('#frame a, #frame button, #frame input, #frame select')]; return all.indexOf(e)"))
    assert len(seen - {-1}) >= wanted


def test_the_theme_is_chosen_and_kept(page):
    p = page(segments=0)
    p.look(1280, 'light')
    p.open()
    light = p.js('return getComputedStyle(document.body).backgroundColor')
    p.one('#theme').click()
    p.one('#theme').click()
    dark = p.js('return getComputedStyle(document.body).backgroundColor')
    assert dark != light and p.one('#theme').text == 'Theme: dark'
    p.open()
    assert p.js('return getComputedStyle(document.body).backgroundColor') == dark
    p.js('localStorage.clear()')


# --- segments

def test_the_list_of_segments(page):
    p = page(segments=500)
    p.look()
    p.open('#/segments')
    rows = {r.get_attribute('data-segment'): r for r in p.all('[data-segment]')}
    assert len(rows) == 500
    for s in p.world.segments[:20]:
        assert rows[s['id']].get_attribute('data-size') == ('' if s['size'] is None else str(s['size'])) and rows[s['id']].get_attribute('data-complete') == str(s['complete']).lower()
    assert 'fewer than 50' in rows['bargains'].text and '0' not in rows['bargains'].text.split('fewer')[0]
    p.one('input[type=search]').send_keys('coat fans')
    until(lambda: urllib.parse.unquote(p.browser.current_url).replace('+', ' ').endswith('#/segments?q=coat fans'))     # the last key, too
    found = [r.get_attribute('data-segment') for r in p.all('[data-segment]')]
    assert 'coat-fans' in found and len(found) < 60
    p.open(p.browser.current_url.split('/', 3)[3])
    assert [r.get_attribute('data-segment') for r in p.all('[data-segment]')] == found
    p.go('#/segments?sort=-size')
    sizes = [int(r.get_attribute('data-size') or -1) for r in p.all('[data-segment]')]
    assert sizes == sorted(sizes, reverse=True)


def cpu(p):
    """What the main thread of the page has worked at layout and style, in ms of its own time: not of the clock, so that a busy machine says the same."""
    of = {m['name']: m['value'] for m in p.browser.execute_cdp_cmd('Performance.getMetrics', {})['metrics']}
    return 1000 * (of['LayoutDuration'] + of['RecalcStyleDuration'])


def test_rows_of_a_long_list_are_there_and_are_laid_out_when_they_come_near(page):
    p = page(segments=500)
    p.look()
    p.browser.execute_cdp_cmd('Performance.enable', {'timeDomain': 'threadTicks'})
    shares = []
    for _ in range(3):
        p.open('#/history')
        began = cpu(p)
        p.go('#/segments')
        shown = cpu(p)
        assert p.js("return document.querySelectorAll('[data-segment][data-size][data-complete] .segment a').length") == 500
        assert p.js("return [...document.querySelectorAll('.segment')].filter((e) => !e.checkVisibility({contentVisibilityAuto: true})).length") > 400
        # what all of them would have taken, on this machine and now
        p.js("const s = new CSSStyleSheet(); s.replaceSync('.long > tbody > tr { content-visibility: visible !important }'); document.adoptedStyleSheets = [s]; return document.body.offsetHeight")
        shares.append((shown - began) / (cpu(p) - began))
    p.browser.execute_cdp_cmd('Performance.disable', {})
    assert sorted(shares)[1] < 0.6, shares


def test_the_last_row_of_a_long_list_is_reached_drawn_and_printed(page):
    p = page(segments=500)
    p.look()
    p.open('#/segments')
    p.js("[...document.querySelectorAll('th a')].at(-2).focus()")
    p.press('j')
    last = p.js("const rows = document.querySelectorAll('[data-segment]'); return rows[rows.length - 1]")
    assert p.js('return document.activeElement.closest("tr")') == last
    until(lambda: p.js('const at = arguments[0].getBoundingClientRect(); return at.top >= 0 && at.bottom <= innerHeight', last))
    until(lambda: p.js("return [...document.querySelectorAll('[data-segment]')].slice(-5).every((row) => row.querySelector('svg.spark, .spark.none'))"))
    p.browser.execute_cdp_cmd('Emulation.setEmulatedMedia', {'media': 'print'})
    until(lambda: p.js("return [...document.querySelectorAll('.segment')].every((e) => e.checkVisibility({contentVisibilityAuto: true}))"), seconds=10)
    p.browser.execute_cdp_cmd('Emulation.setEmulatedMedia', {'media': ''})


def test_a_long_list_is_a_table_whose_columns_stand_in_line(page):
    p = page(segments=80)
    for width in WIDTHS:
        p.look(width)
        p.open('#/segments?group=owner')
        assert p.all('table.long') and p.one('table.long').aria_role == 'table'
        row = p.one('[data-segment=coat-fans]')
        assert [row.aria_role, row.find_element(By.TAG_NAME, 'th').aria_role, row.find_element(By.TAG_NAME, 'td').aria_role] == ['row', 'rowheader', 'cell']
        lines = p.js("return [...document.querySelectorAll('thead tr, [data-segment]')].map((row) => [...row.children].map((c) => Math.round(c.getBoundingClientRect().left)).join())")
        assert len(lines) == 81 and len(set(lines)) == 1, (width, set(lines))
        assert p.js("return [...document.querySelectorAll('[data-segment] > *')].filter((c) => c.offsetParent && c.scrollWidth > c.clientWidth + 1).map((c) => c.textContent)") == [], width
        assert axe.faults(p.browser) == [], width


def test_cells_that_look_like_formulas_are_texts_in_csv(page):
    p = page(segments=3)
    p.world.segments[0].update(name='=HYPERLINK("http://x")', owner='@anna')
    p.look()
    p.open('#/segments')
    text = p.js("const made = []; const of = URL.createObjectURL; URL.createObjectURL = (b) => { made.push(b); return of.call(URL, b); }; document.querySelector('[data-csv]').click(); window.made = made; return null")
    text = p.browser.execute_async_script('window.made[0].text().then(arguments[0])')
    assert '"\'=HYPERLINK(""http://x"")"' in text and "'@anna" in text and text.startswith('Segment,Members') or text.startswith('\ufeffSegment,Members')


# --- one segment

def test_a_segment_has_its_days_words_and_funnel(page):
    p = page(segments=10)
    p.look()
    p.open('#/segments/coat-fans')
    days = [e.get_attribute('data-day') for e in p.all('[data-trend] [data-day]')]
    assert days == [d['day'] for d in p.world.v1_segment({'id': 'coat-fans'})['days']] and len(days) == 30
    assert 'at least 3 times' in p.one('[data-in-words]').text
    assert [e.get_attribute('data-clause') for e in p.all('[data-funnel] [data-clause]')] == ['coats >= 3 in 14d', 'not purchase in 30d']
    # members are of now, what the report has is of its moment
    made = str(p.world.v1_report_segment({'id': 'coat-fans'})['made'])
    assert p.one('[data-tile=size]').text.startswith('Members now') and p.one('[aria-label=Funnel] [data-as-of]').get_attribute('data-as-of')[:8] == made[:8] and 'As of' in p.one('[aria-label=Funnel] [data-as-of]').text
    # the table twin says what the chart draws, gaps are said as such
    p.one('[data-trend] summary').click()
    last = p.all('[data-trend] [data-day] td')[-3:]
    assert last[0].text == format(p.world.series['coat-fans']['size'][-1], ',')
    # days and the period before come from the address, and go there
    [b for b in p.all('.range button') if b.text == '90 days'][0].click()
    until(lambda: len(p.all('[data-trend] [data-day]')) == 90)
    assert p.browser.current_url.endswith('#/segments/coat-fans?days=90')
    p.open('#/segments/coat-fans?days=7&compare=1')
    assert len(p.all('[data-trend] [data-day]')) == 7 and 'period before' in p.one('[data-trend] .legend').text
    assert p.complaints() == []


def test_what_moved_is_told_since_a_day_that_has_a_number(page):
    p = page(segments=10)
    series = p.world.series
    series['coat-fans']['size'][-30:] = [None] * 2 + [100] * 27 + [130]     # counted for 28 days
    series['customers']['size'][-30:] = [None] * 29 + [1790]                # since today
    for row in p.world.segments:
        row['size'] = {'coat-fans': 130, 'customers': 1790}.get(row['id'], row['size'])
    p.look()
    p.open('#/segments/coat-fans')
    day = p.js('return document.querySelectorAll("[data-trend] [data-day]")[2].dataset.day')
    said = p.one('[data-tile=size]').text
    words = p.js('return new Intl.DateTimeFormat(navigator.language, {day: "numeric", month: "short", timeZone: "UTC"}).format(new Date(arguments[0]))', day)
    assert said.endswith('on %s: 100' % words) and '+30' in said
    p.go('#/segments/customers')
    assert not p.all('[data-tile=size] .delta, [data-tile=size] .tile-note')
    p.go('#/segments')
    assert p.one('[data-segment=coat-fans] .delta').text.startswith('+') and not p.all('[data-segment=customers] .delta')


def test_what_is_withheld_is_fewer_than_the_servers_k(page):
    p = page(segments=10)
    p.world.k = 20
    p.world.v1_destinations = lambda q, rows=p.world.v1_destinations: [{**d, 'with_id': None, 'match_rate': None, 'partner': None if d['id'] == 'newsletter' else d['partner']} for d in rows(q)]
    p.look()
    p.open('#/destinations/ads')
    assert p.one('[data-tile=with_id]').text.endswith('fewer than 20')
    p.go('#/destinations/newsletter')
    assert not p.all('[data-tile=with_id], [data-tile=match]'), 'without a partner there are no ids of his'
    assert 'id that the partner' not in p.one('#main').text and 'does not know' not in p.one('#main').text


def test_a_report_that_is_not_made_is_offered(page):
    p = page(segments=10)
    p.world.made = False
    p.look()
    p.open('#/segments/coat-fans')
    assert 'Not in the report yet' in p.one('[data-funnel]').text and 'at least 3 times' in p.one('[data-in-words]').text
    p.world.made = True
    [b for b in p.all('[data-funnel] button') if b.text == 'Make it now'][0].click()
    until(lambda: p.all('[data-funnel] [data-clause]'))
    assert ('POST', '/v1/report') in p.world.asked


def test_a_viewer_is_offered_and_asked_no_more_than_a_viewer_may(page):
    p = page(segments=10, role='viewer')
    p.world.made = False
    p.look()
    p.open('#/segments/coat-fans')
    assert 'Make it now' not in p.one('#main').text
    p.go('#/categories')
    assert 'Not used by any rule' not in p.one('#main').text and 'New category' not in p.one('#main').text
    p.go('#/health')
    assert ('GET', '/metrics') not in p.world.asked
    assert 'Tag assistant' not in p.one('#nav').text
    p.press('g')
    p.press('a')
    p.press('?')
    assert p.browser.current_url.endswith('#/health') and 'Tag assistant' not in p.one('dialog[open]').text


def test_two_segments_are_compared(page):
    p = page(segments=500)
    p.look()
    p.open('#/segments')
    for s in ('coat-fans', 'customers'):
        # the bar that the first tick shows lies over the last row on the screen, as it does for a person, who scrolls
        p.js("document.querySelector('[data-segment=%s] input').scrollIntoView({block: 'center'})" % s)
        p.one('[data-segment=%s] input' % s).click()
    assert p.js("const at = document.querySelector('.compare-bar').getBoundingClientRect(); return at.bottom <= innerHeight && at.top >= 0")
    p.one('.compare-bar a').click()
    until(lambda: p.all('.venn'))
    p.ready()
    both = p.world.v1_ask_overlap({}, 'coat-fans customers')['both']
    assert 'In both: %s' % format(both, ',') in p.one('#main').text and 'Questions left today: 97' in p.one('#main').text


def test_rates_of_destinations(page):
    p = page(segments=10)
    p.look()
    p.open('#/destinations')
    assert {e.get_attribute('data-destination'): e.get_attribute('data-match-rate') for e in p.all('[data-destination]')} == {'ads': '70', 'newsletter': '100', 'page': ''}
    p.go('#/destinations/ads')
    assert '503 Service Unavailable' in p.one('.note').text


def test_what_was_done_is_said_in_words(page):
    p = page(segments=10)
    done = ['login', 'login.link', 'logout', 'live.pair', 'live.end', 'clock.confirm', 'reload', 'explain', 'visitors.erase', 'lookalikes.train', 'compact', 'backup', 'quarantine.release', 'import', 'deliver', 'deliver.again', 'rules.publish', 'rules.undo', 'token.add', 'token.remove']
    p.world.v1_history = lambda q: [{'t': 1795763305, 'who': 'anna', 'role': 'operator', 'what': w, 'of': '', 'why': ''} for w in done]
    p.look()
    p.open('#/history')
    cells = {c.text for c in p.all('#main td, #main th')}
    assert 'signed in' in cells and not cells & set(done)


def test_a_new_category_begins_at_the_categories(page):
    p = page(segments=10)
    p.look()
    p.open('#/categories')
    [a for a in p.all('#main a.button') if a.text == 'New category'][0].click()
    until(lambda: p.browser.current_url.endswith('#/make'))
    p.ready()
    assert p.one('#main h1').text == 'New category' and p.one('input[name=value]').is_displayed()


def test_prints_without_the_frame(page):
    p = page(segments=10)
    p.look()
    p.open('#/segments/coat-fans')
    p.browser.execute_cdp_cmd('Emulation.setEmulatedMedia', {'media': 'print'})
    assert not p.one('#side').is_displayed() and not p.one('.range').is_displayed() and p.one('[data-funnel]').is_displayed()
    p.browser.execute_cdp_cmd('Emulation.setEmulatedMedia', {'media': ''})


@pytest.mark.parametrize('screen, path, says', [('#/health', '/v1/quarantine', 'curl'), ('#/categories', '/v1/signals', 'wishlist')])
def test_what_takes_long_is_read_when_somebody_wants_to_see_it(page, screen, path, says):
    p = page(segments=10)
    p.look()
    p.open(screen)
    assert not [a for _, a in p.world.asked if a == path]
    [b for b in p.all('button') if b.text == 'Show them'][0].click()
    until(lambda: says in p.one('#main').text)


# --- with crumbd's own numbers

class Here:
    """Stands where the stub stands: crumbd itself."""

    def __init__(self, server):
        self.origin, self.world = 'http://' + server.admin, None


def test_with_the_real_server(crumbd, chromium):
    """Sign in with the token, go through every screen, and out again; then in with a link of `crumb dashboard`."""
    crumbd.import_lines([{'id': 'v%d' % i, 'e': 'view', 'u': 'https://shop.example/coats/%d' % n} for i in range(200) for n in range(3)])
    crumbd.settle()
    p = Page(chromium, Here(crumbd))
    p.look()
    p.open()
    p.one('input[name=token]').send_keys(crumbd.token, Keys.ENTER)
    until(lambda: p.one('#frame').is_displayed())
    p.ready()
    rows = {s['id']: s for s in crumbd.js('segments', 'list')}
    p.go('#/segments')
    shown = {e.get_attribute('data-segment'): e.get_attribute('data-size') for e in p.all('[data-segment]')}
    assert shown == {i: '' if s['size'] is None else str(s['size']) for i, s in rows.items()}
    for screen in SCREENS + ['#/segments/coat-fans', '#/categories/apparel.coats']:
        p.go(screen)
        assert not p.all('.state.bad'), (screen, p.one('.state.bad').text)
    p.go('#/segments/coat-fans')
    assert shown['coat-fans'] == '200' and len(p.all('[data-trend] [data-day]')) == 30 and 'Coats' in p.one('[data-in-words]').text and p.all('[data-funnel] [data-clause]')
    assert p.complaints() == [] and p.strangers() == []
    p.one('#signout').click()
    until(lambda: p.js('return document.body.dataset.ready') == '#signin')
    link = crumbd.js('dashboard')['url']
    p.browser.get('about:blank')
    p.browser.get(link)
    until(lambda: p.one('#frame').is_displayed())
    p.ready()
    assert 'token' not in p.browser.current_url and p.complaints() == []


# --- acting (whole journeys are in test_marketer.py)

def test_an_operator_releases_what_was_set_aside(page):
    p = page(segments=10)
    p.look()
    p.open('#/health')
    [b for b in p.all('#main button') if b.text == 'Show them'][0].click()
    until(lambda: p.all('[data-release]'))
    first = p.one('[data-release]')
    first.click()
    assert 'Count 2,011 events?' in first.text and not p.world.published
    first.click()
    until(lambda: p.world.published)
    assert p.world.published == [('agent curl', {})] and p.complaints() == []


def test_what_failed_is_sent_again_and_why_somebody_does_not_go_is_said(page):
    p = page(segments=10)
    p.look()
    p.open('#/destinations/ads')
    p.one('[data-act=again]').click()
    until(lambda: p.all('[data-delivered]'))
    assert ('POST', '/v1/deliver/again?to=ads') in p.world.asked
    assert {e.get_attribute('data-delivered-segment'): e.get_attribute('data-why') for e in p.all('[data-delivered-segment]')} == {'coat-fans': 'sent', 'lapsed': 'label', 'bargains': 'below_k'}
    def stays():
        return p.js("return Object.fromEntries([...document.querySelectorAll('[data-stays]')].map((e) => [e.dataset.stays, e.lastChild.textContent]))")
    said = stays()
    assert '6,300 members have no id' in said['no_id'] and '410 members did not consent' in said['no_consent'] and 'Fewer than 50 members came with an import' in said['other_source'] and '1,200 members are held out' in said['held_out']
    before = p.world.v1_destinations
    p.world.v1_destinations = lambda q: [{**d, 'last': d['last'] and {**d['last'], 'not_sent': {'no_id': None, 'no_consent': 720, 'other_source': None, 'held_out': None}}} for d in before(q)]
    p.one('[data-act=now]').click()
    until(lambda: '720 members did not consent' in stays().get('no_consent', ''))   # those of the delivery that was just made
    p.world.v1_destinations = lambda q: [{**d, 'last': None} for d in before(q)]
    p.go('#/destinations')
    p.go('#/destinations/ads')
    assert not any(re.search(r'\d', words) for key, words in stays().items() if key != 'no_id'), 'nothing was delivered: there are no numbers'


def test_a_preview_waits_for_the_last_key_and_is_asked_once(page):
    p = page(segments=10)
    p.look()
    p.open('#/edit/coat-fans')
    until(lambda: p.one('[data-preview]').get_attribute('data-state') == 'known')       # what was asked is answered
    p.js("document.querySelector('.CodeMirror').CodeMirror.setValue('')")
    p.world.asked.clear()
    p.js("document.querySelector('.CodeMirror').CodeMirror.focus()")
    p.press('shoes >= 2 in 7d')
    until(lambda: p.one('[data-preview]').get_attribute('data-state') == 'known')
    asked = [path for _, path in p.world.asked if path.startswith('/v1/ask/preview')]
    assert len(asked) == 1, asked
    size = p.one('[data-preview]').get_attribute('data-size')
    p.js("document.querySelector('.CodeMirror').CodeMirror.setValue('shoes')")
    until(lambda: p.one('[data-preview]').get_attribute('data-size') != size)
    p.js("document.querySelector('.CodeMirror').CodeMirror.setValue('shoes >= 2 in 7d')")
    until(lambda: p.one('[data-preview]').get_attribute('data-size') == size)
    assert len([path for _, path in p.world.asked if path.startswith('/v1/ask/preview')]) == 2        # what is known is not asked again
    assert 'Questions left today: 411' in p.one('#main').text
