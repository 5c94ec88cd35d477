"""The dashboard at size, in a real Chromium: how long it takes until each screen is complete (body[data-ready]), beside a bare page of the same server."""
import atexit
import re

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from data import segments_yaml
from harness import until
from peers import fill, folder, heading, new_server, row

VISITORS, SEGMENTS, EACH, TIMES = 1000000, 500, 30, 20      # EACH: events of a visitor; TIMES: a screen is looked at
BOUND_MS = 100                                              # of a view, from another one
BARE = '/healthz'
SCREENS = ['#/', '#/segments', '#/segments/s0000', '#/segments/s0001?days=90&compare=1', '#/overlap?ids=s0000,s0002,s0010', '#/edit/s0000', '#/new', '#/categories', '#/categories/c01', '#/make?kind=event&value=wishlist',
           '#/lookalikes', '#/journeys', '#/destinations', '#/destinations/lake', '#/live', '#/history', '#/health']
AWAY = '#/unknown'                                          # where one comes from: there is nothing on it
RULES = '''journeys:
  - {id: way, from: c01, steps: [c02, c03, c04, c05], within: 14d}
'''
# Milliseconds since the navigation began, at the frame that shows all of it.
MARK = '''new MutationObserver((_, o) => { if (document.body?.dataset.ready) { o.disconnect(); window.took = performance.now(); } }).observe(document, {subtree: true, attributes: true, attributeFilter: ['data-ready']});
if (location.pathname !== '/') addEventListener('load', () => requestAnimationFrame(() => setTimeout(() => { window.took = performance.now(); })));'''
GO = '''const [hash, done] = arguments, start = performance.now();
new MutationObserver((_, o) => { if (document.body.dataset.ready === hash) { o.disconnect(); done(performance.now() - start); } }).observe(document.body, {attributes: true, attributeFilter: ['data-ready']});
location.hash = hash;'''


def chromium():
    options = webdriver.ChromeOptions()
    options.binary_location = '/usr/bin/chromium'
    for a in ('--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage', '--window-size=1280,900', '--user-data-dir=' + folder()):
        options.add_argument(a)
    browser = webdriver.Chrome(service=Service('/usr/bin/chromedriver'), options=options)
    atexit.register(browser.quit)
    browser.set_script_timeout(60)
    browser.execute_cdp_cmd('Page.addScriptToEvaluateOnNewDocument', {'source': MARK})
    return browser


def opened_ms(browser, url):
    browser.get('about:blank')
    browser.get(url)
    return until(lambda: browser.execute_script('return window.took'), lambda: url)


def gone_ms(browser, screen):
    browser.execute_async_script(GO, AWAY)
    return browser.execute_async_script(GO, screen)


def complete(browser, screen):
    """Nothing of it failed, and it is the screen that was wanted: what is ready early for that would look fast."""
    bad = browser.execute_script('return [document.querySelector("h1").textContent, ...[...document.querySelectorAll(".state[data-state]")].map((e) => e.textContent)]')
    assert len(bad) == 1 and bad[0] not in ('Something is missing', 'Not here'), (screen, bad)


def p95(times):
    return sorted(times)[int(len(times) * 0.95)]


def ready_server():
    """With a report of the day, and a delivery that has arrived."""
    rules = re.sub(r'\{id: (s000\d), ', r'{id: \1, destinations: [lake], ', segments_yaml(SEGMENTS)) + RULES
    server = new_server(rules, test_clock=False)
    server.write_destinations('destinations:\n  - {id: lake, format: csv, deliver: {directory: "%s/out"}}\n' % server.dir)
    fill(server, VISITORS, EACH * VISITORS, 30)
    server.start()
    server.cli('export', '--to', 'lake')
    until(lambda: 'report made' in server.logged(), server.logged, 600)
    return server


def dashboard():
    """1,000,000 visitors with 30 category-days, 500 segments. Every screen is opened 20 times, and gone to 20 times from an empty one; the bare page in between. Takes about 1.5 GB of disk."""
    server, browser = ready_server(), chromium()
    origin = 'http://' + server.admin
    browser.get(origin + '/')
    until(lambda: browser.find_elements(By.CSS_SELECTOR, 'input[name=token]'))[0].send_keys(server.token, Keys.ENTER)
    until(lambda: browser.execute_script('return document.body.dataset.ready') == '#/')
    opened, gone, bare = ({s: [] for s in SCREENS} for _ in range(3))
    for at in range(TIMES + 1):
        for screen in SCREENS:
            times = opened_ms(browser, origin + BARE), opened_ms(browser, origin + '/' + screen), gone_ms(browser, screen)
            complete(browser, screen)
            for kept, ms in zip((bare, opened, gone), times if at else ()):     # the first time fills caches
                kept[screen].append(ms)
    heading('crumb', 'bare page')
    rows = [r for s in SCREENS for r in (row(s + ' opened, p50', opened[s], bare[s], 'ms'), row(s + ' opened, p95', p95(opened[s]), p95(bare[s]), 'ms'))]
    heading('crumb', 'bound')
    return rows + [r for s in SCREENS for r in (row(s + ' from another, p50', gone[s], BOUND_MS, 'ms'), row(s + ' from another, p95', p95(gone[s]), BOUND_MS, 'ms'))]
