"""Beside the real programs: Prebid.js in Chromium carries our segments into a bid request and syncs through us; Segment's own libraries send to us; avsc
and Google's own descriptors read our files. make peers fetches them from npm."""
import glob
import http.server
import json
import os
import subprocess
import sys
import threading
import time
import urllib.parse

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(ROOT, 'tests', d) for d in ('functional', 'browser')]
from harness import CHROME, Browser, Server  # noqa: E402
from selenium import webdriver  # noqa: E402
from selenium.webdriver.chrome.service import Service  # noqa: E402

PEERS = os.path.join(ROOT, 'build', 'peers')
MODULES = os.path.join(PEERS, 'node_modules')
RULES = '''version: 1
categories:
  - {id: coats, any: [{path: "/coats/*"}]}
  - {id: viewed, any: [{event: product_viewed}]}
segments:
  - {id: fans, name: Coat fans, when: coats, iab: 687, destinations: [page, x]}
  - {id: own, name: Own words, when: coats, destinations: [page]}
'''


class World(http.server.BaseHTTPRequestHandler):
    """The publisher's page, Prebid Server and a bidder, all on one loopback port."""
    seen, pages = [], {}

    def reply(self, status, body=b'', kind='text/html', headers={}):
        self.send_response(status)
        for h in {'Content-Type': kind, 'Content-Length': str(len(body)), 'Access-Control-Allow-Origin': self.headers.get('Origin') or '*', 'Access-Control-Allow-Credentials': 'true',
                  **headers}.items():
            self.send_header(*h)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        World.seen.append((self.path, None))
        file = World.pages.get(self.path.split('?')[0])
        self.reply(200, file, 'text/javascript' if self.path.endswith('.js') else 'text/html') if file is not None else self.reply(200, b'', 'image/png')

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get('Content-Length') or 0))
        World.seen.append((self.path, json.loads(body)))
        if self.path == '/cookie_sync':
            return self.reply(200, json.dumps({'status': 'ok', 'bidder_status': [{'bidder': 'appnexus', 'no_cookie': True, 'usersync': {'url': World.sync, 'type': 'redirect'}}]}).encode(), 'application/json')
        self.reply(200, b'{}', 'application/json')

    def log_message(self, *args):
        pass


@pytest.fixture
def page(tmp_path):
    site = http.server.ThreadingHTTPServer(('127.0.0.1', 0), World)
    threading.Thread(target=site.serve_forever, daemon=True).start()
    origin = 'http://127.0.0.1:%d' % site.server_address[1]
    World.seen, World.pages = [], {'/prebid.js': open(MODULES + '/prebid.js/dist/not-for-prod/prebid.js', 'rb').read(), '/snippet.js': open(ROOT + '/tags/snippets/prebid.js', 'rb').read(),
                                   '/gam.js': open(ROOT + '/tags/snippets/gam.js', 'rb').read(), '/page': b'<!doctype html><title>p</title><div id="slot"></div>'}
    server = Server(rules=RULES, options=['sites=' + origin, 'cookie.samesite=lax', 'ortb2.name=dmp.example', 'segment.write_keys=WK1'],
                    destinations='version: 1\npartners:\n  - {id: pbs, redirects: ["%s/setuid"]}\ndestinations:\n  - {id: page, format: page}\n  - {id: x, format: csv}\n' % origin).start()
    World.sync = 'http://%s/sync?partner=pbs&redirect=%s' % (server.collect, urllib.parse.quote(origin + '/setuid?bidder=appnexus&f=i&uid=$UID', safe=''))
    options = webdriver.ChromeOptions()
    options.binary_location = '/usr/bin/chromium'
    for a in ('--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-dev-shm-usage', '--user-agent=' + CHROME, '--user-data-dir=%s' % tmp_path):
        options.add_argument(a)
    browser = webdriver.Chrome(service=Service('/usr/bin/chromedriver'), options=options)
    browser.set_script_timeout(20)
    browser.get(origin + '/page')
    for path in ('/coats/1', '/coats/2'):           # through the browser's own cookie jar
        browser.execute_async_script('var done = arguments[1]; var i = new Image(); i.onload = i.onerror = function () { done(1); }; i.src = arguments[0];',
                                     'http://%s/p.gif?u=%s' % (server.collect, urllib.parse.quote('http://127.0.0.1' + path, safe='')))
    server.settle()
    yield server, origin, browser
    browser.quit()
    site.shutdown()
    site.server_close()
    server.close()


def until(what, seconds=15):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        got = what()
        if got:
            return got
        time.sleep(0.05)
    raise AssertionError([p for p, _ in World.seen][-20:])


def test_prebid_carries_our_segments_and_syncs_through_us(page):
    server, origin, browser = page
    browser.execute_script('''
      var load = function (src, then) { var s = document.createElement('script'); s.src = src; s.onload = then; document.head.appendChild(s); };
      window.pbjs = {que: []};
      load('/prebid.js', function () { load('/snippet.js', function () {
        pbjs.que.push(function () {
          pbjs.setConfig({s2sConfig: {accountId: '1', bidders: ['appnexus'], adapter: 'prebidServer', enabled: true, endpoint: {p1Consent: location.origin + '/openrtb2/auction',
            noP1Consent: location.origin + '/openrtb2/auction'}, syncEndpoint: {p1Consent: location.origin + '/cookie_sync', noP1Consent: location.origin + '/cookie_sync'}, timeout: 1000},
            userSync: {syncsPerBidder: 5, syncDelay: 0, filterSettings: {image: {bidders: '*', filter: 'include'}}}});
          pbjs.addAdUnits([{code: 'slot', mediaTypes: {banner: {sizes: [[300, 250]]}}, bids: [{bidder: 'appnexus', params: {placementId: 1}}]}]);
          crumbForPrebid('%s', 50, function () { pbjs.requestBids({timeout: 1500, bidsBackHandler: function () { window.done = true; }}); });
        });
      }); });''' % ('http://' + server.collect))
    auction = until(lambda: next((b for p, b in World.seen if p == '/openrtb2/auction'), None))
    ours = [d for d in auction['user']['data'] if d['name'] == 'dmp.example']
    assert ours == [{'name': 'dmp.example', 'ext': {'segtax': 4}, 'segment': [{'id': '687'}]}, {'name': 'dmp.example', 'segment': [{'id': 'own'}]}]
    setuid = until(lambda: next((p for p, _ in World.seen if p.startswith('/setuid')), None))
    uid = urllib.parse.parse_qs(urllib.parse.urlsplit(setuid).query)['uid'][0]
    assert len(uid) == 32 and server.metric('syncs_total{result="redirected"}') == 1


def test_an_unmodified_real_time_data_module_reads_us(page):
    server, origin, browser = page
    World.pages['/rtd'] = None
    browser.execute_script('''
      window.pbjs = {que: []}; var s = document.createElement('script'); s.src = '/prebid.js'; s.onload = function () { pbjs.que.push(function () {
        pbjs.setConfig({realTimeData: {auctionDelay: 3000, dataProviders: [{name: 'stackupRtd', waitForIt: true, params: {apiUrl: '%s/segments?format=rtd&segtax=501', pubId: 'P1'}}]},
          s2sConfig: {accountId: '1', bidders: ['appnexus'], adapter: 'prebidServer', enabled: true, endpoint: {p1Consent: location.origin + '/openrtb2/auction',
          noP1Consent: location.origin + '/openrtb2/auction'}, timeout: 1000}});
        pbjs.addAdUnits([{code: 'slot', mediaTypes: {banner: {sizes: [[300, 250]]}}, bids: [{bidder: 'appnexus', params: {placementId: 1}}]}]);
        pbjs.requestBids({timeout: 1500});
      }); }; document.head.appendChild(s);''' % ('http://' + server.collect))
    auction = until(lambda: next((b for p, b in World.seen if p == '/openrtb2/auction'), None))
    # the module asks without cookies from another origin: nobody is known to it, and it takes the answer
    assert server.metric('lookups_total') >= 1 and auction['imp']


def test_google_publisher_signals_and_key_values(page):
    server, origin, browser = page
    got = browser.execute_async_script('''
      var done = arguments[0], calls = {kv: {}};
      window.googletag = {cmd: {push: function (f) { f(); }}, setConfig: function (c) { calls.pps = c.pps; }, pubads: function () { return {setTargeting: function (k, v) { calls.kv[k] = v; }}; }};
      var s = document.createElement('script'); s.src = '/gam.js'; s.onload = function () { crumbForGam('%s', 50, function () { done(calls); }); }; document.head.appendChild(s);''' % ('http://' + server.collect))
    assert got == {'kv': {'crumb': ['fans', 'own']}, 'pps': {'taxonomies': {'IAB_AUDIENCE_1_1': {'values': ['687']}}}}


def test_segment_s_library_for_servers(page):
    server, _, _ = page
    server.stop()
    server.options = [o for o in server.options if not o.startswith('sites=')]
    server.start()
    subprocess.run(['node', os.path.join(ROOT, 'tests/peers/segment-node.mjs'), 'http://' + server.collect], cwd=PEERS, check=True, timeout=60)
    server.settle()
    v = server.visitor('--id', 'node-1')
    assert {c['id']: c['count'] for c in v['categories']} == {'coats': 1, 'viewed': 1} and v['attributes'] == {'sku': 'A1', 'category': 'shoes'}


def test_segment_s_library_for_browsers(page):
    server, origin, browser = page
    World.pages['/analytics.js'] = open(MODULES + '/@segment/analytics-next/dist/umd/index.js', 'rb').read()
    for f in glob.glob(MODULES + '/@segment/analytics-next/dist/umd/*.js'):
        World.pages['/' + os.path.basename(f)] = open(f, 'rb').read()
    hits = server.metric('hits_total')
    browser.execute_script('''
      var s = document.createElement('script'); s.src = '/index.js'; s.onload = function () {
        var load = AnalyticsNext.AnalyticsBrowser.load({writeKey: 'WK1', cdnSettings: {integrations: {'Segment.io': {apiKey: 'WK1', apiHost: '%s/v1', protocol: 'http'}}}});
        load.page('Coat', {url: location.origin + '/coats/9'}); load.track('Product Viewed', {sku: 'A9'});
      }; document.head.appendChild(s);''' % server.collect)
    until(lambda: server.metric('hits_total') == hits + 2)
    server.settle()
    cookie = next((c['value'] for c in browser.get_cookies() if c['name'] == 'crumb'), None)
    anonymous = browser.execute_script("return JSON.parse(localStorage.getItem('ajs_anonymous_id'))")
    v = server.visitor('--id', anonymous) or server.visitor('--cookie', cookie)
    assert {c['id'] for c in v['categories']} >= {'coats', 'viewed'} and v['attributes'].get('sku') == 'A9'


def decode(kind, file):
    return json.loads(subprocess.run(['node', os.path.join(ROOT, 'tests/peers/decode.mjs'), kind, file], cwd=PEERS, check=True, capture_output=True, timeout=60).stdout)


def test_avsc_and_google_s_descriptors_read_our_files(page):
    server, _, _ = page
    server.write_rules('version: 1\ncategories: [{id: coats, any: [{path: "/coats/*"}]}]\nsegments: [{id: fans, when: coats, destinations: [avro, google]}]\n')
    server.write_destinations('version: 1\ndestinations:\n  - {id: avro, format: xandr-avro, settings: {member: "958"}}\n  - {id: google, format: google-bulk, segments: {fans: "111"}}\n')
    server.stop()
    server.start()
    t = server.now()
    server.import_lines([{'id': 'v%d' % i, 't': t, 'u': 'http://127.0.0.1/coats/1'} for i in range(30)])
    for d in 'avro', 'google':
        assert server.js('export', '--to', d, '--out', server.dir + '/' + d)['added'] >= 30
    users = decode('avro', glob.glob(server.dir + '/avro/*.avro')[0])
    assert len(users) >= 30 and all(u['uid']['external_id']['member_id'] == 958 and u['segments'][0]['code'] == 'fans' and u['segments'][0]['expiration'] > 0 for u in users)
    m = decode('google', glob.glob(server.dir + '/google/*.pb')[0])
    assert m['processConsent'] is True and len(m['ops']) >= 30
    assert all(o['userListId'] == '111' and o['userIdType'] == 4 and not o['delete'] and len(o['userId']) == 32 for o in m['ops'])
