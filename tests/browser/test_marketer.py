"""A marketer's day in a real Chromium against a real crumbd: a new segment from the first word to the partner, undone again; by keyboard alone; as a viewer, too.

Every journey ends with a console that said nothing and no request that left the host."""
import json
import os
import random
import re
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), 'functional')]
from harness import DAY, Server, until  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from test_assistant import Dashboard, Watched  # noqa: E402
from test_dashboard import Page, chromium  # noqa: E402,F401

RULES = '''# the shop's rules
version: 1
attributes:
  - {id: size, values: [s, m, l]}
categories:
  - {id: apparel.coats, name: Coats, any: [{event: view, path: "/coats/*"}]}
  - {id: apparel.shoes, name: Shoes, any: [{event: view, path: "/shoes/*"}]}
  - {id: purchase, name: Bought, any: [{event: purchase}]}
''' + ''.join('  - {id: topic.t%02d, any: [{path: "/t%02d/*"}]}\n' % (i, i) for i in range(12)) + '''segments:
  # whom the winter is for
  - id: coat-fans
    name: Coat fans    # on pages
    when: coats >= 3 in 14d
  - id: customers
    name: Customers
    when: purchase
'''
DESTINATIONS = '''version: 1
destinations:
  - {id: newsletter, format: csv, deliver: {directory: %s}}
'''


class Shop:
    """crumbd with people in it, tokens of three roles, and rules that may be written."""

    def __init__(self, rules=RULES, options=()):
        self.s = Server(rules=rules, options=options, k=20)
        self.out = os.path.join(self.s.dir, 'newsletter')
        os.makedirs(self.out)
        self.s.write_destinations(DESTINATIONS % self.out)
        self.s.start()
        self.tokens = {role: self.s.cli('token', 'add', {'marketer': 'anna', 'viewer': 'vera', 'operator': 'otto'}[role], '--role', role).stdout.strip().split('\n')[-1].split()[-1] for role in ('viewer', 'marketer', 'operator')}
        self.fill()
        self.origin = 'http://' + self.s.admin
        self.world = None

    def fill(self):
        rng, lines, t = random.Random(4), [], self.s.now()
        for i in range(900):
            v, fan = 'v%d' % i, i % 3 == 0
            for _ in range(1 + i % 5):
                lines.append({'id': v, 't': t - rng.randrange(10) * DAY, 'e': 'view', 'u': 'https://shop.example/%s/%d' % ('coats' if i < 400 else 'shoes', rng.randrange(9))})
            for topic in rng.sample(range(12), 3) + ([3, 5] if fan else []):
                lines.append({'id': v, 't': t - rng.randrange(10) * DAY, 'u': 'https://shop.example/t%02d/1' % topic})
            if rng.random() < (0.45 if fan else 0.08):
                lines.append({'id': v, 't': t, 'e': 'purchase', 'u': 'https://shop.example/till'})
            if i < 120:
                lines.append({'id': v, 't': t, 'e': 'wishlist', 'u': 'https://shop.example/wish'})
        self.s.import_lines(lines)
        self.s.settle()

    def rules(self):
        with open(os.path.join(self.s.rules, 'rules.yaml')) as f:
            return f.read()

    def size(self, segment):
        return {s['id']: s['size'] for s in json.loads(self.s.http('GET', '/v1/segments', admin=True)[2])}.get(segment, 'not there')

    def preview(self, condition):
        return json.loads(self.s.http('POST', '/v1/ask/preview', condition, admin=True)[2])['size']


@pytest.fixture
def shop():
    shop = Shop()
    yield shop
    shop.s.close()


class Marketer(Page):
    """A browser that is signed in."""

    def __init__(self, browser, shop, role='marketer'):
        super().__init__(browser, shop)
        self.shop = shop
        self.look()
        browser.delete_all_cookies()
        browser.get('about:blank')
        browser.get_log('browser')
        browser.get_log('performance')
        browser.get(shop.origin + '/#token=' + shop.tokens[role])
        until(lambda: self.one('#frame').is_displayed())
        self.ready()
        self.browser.get_log('browser')

    def type(self, text):
        """Keys into the condition, in place of what is there."""
        self.js("document.querySelector('.CodeMirror').CodeMirror.focus()")       # a click may miss it while the page below grows
        self.press(Keys.CONTROL + 'a')
        self.press(text)
        self.press(Keys.ESCAPE)

    def condition(self):
        return self.js("return document.querySelector('.CodeMirror').CodeMirror.getValue()")

    def previewed(self):
        return self.one('[data-preview]').get_attribute('data-size')

    def state(self):
        return self.one('[data-publish]').get_attribute('data-state')

    def published(self, why):
        self.one('[data-check]').click()
        until(lambda: self.state() == 'ready', lambda: self.state() + self.one('[data-publish]').text)
        self.one('input[name=why]').send_keys(why)
        self.one('[data-go]').click()
        until(lambda: self.state() == 'done', lambda: self.state() + self.one('[data-publish]').text)

    def tab_to(self, what, most=120):
        for _ in range(most):
            if self.js('return document.activeElement.matches(arguments[0])', what):
                return
            self.press(Keys.TAB)
        raise AssertionError((what, self.js('return document.activeElement.outerHTML.slice(0, 200)')))

    def calm(self):
        assert self.complaints() == [] and self.strangers() == []


@pytest.fixture
def marketer(chromium, shop):  # noqa: F811
    yield Marketer(chromium, shop)
    chromium.delete_all_cookies()


def test_a_segment_from_a_template_to_the_partner_and_back(marketer, shop):
    m, before = marketer, shop.rules()
    m.go('#/new')
    m.one('[data-template=market]').click()
    until(lambda: m.one('[data-preview]').get_attribute('data-state') == 'known')
    assert re.match(r'\S+ >= 3 in 14d and not purchase in 30d$', m.condition()) and m.one('input[name=id]').get_attribute('value').startswith('in-the-market')
    # by clicks: the category of the first clause; the text follows
    first = m.one('[data-row="0"] [data-field=category]')
    m.js("arguments[0].value = 'apparel.coats'; arguments[0].dispatchEvent(new Event('change', {bubbles: true}))", first)
    until(lambda: m.condition() == 'apparel.coats >= 3 in 14d and not purchase in 30d')
    expected = shop.preview(m.condition())
    until(lambda: m.previewed() == str(expected), m.previewed)
    assert 'Coats' in m.one('[data-in-words]').text and 'Bought' in m.one('[data-in-words]').text
    until(lambda: all(e.get_attribute('data-size') for e in m.all('[data-funnel] [data-clause]')))
    assert [e.get_attribute('data-size') for e in m.all('[data-funnel] [data-clause]')] == [str(shop.preview('coats >= 3 in 14d')), str(expected)]
    m.one('input[name=name]').clear()
    m.one('input[name=name]').send_keys('Winter')
    m.one('input[name=id]').clear()
    m.one('input[name=id]').send_keys('winter')
    m.one('input[name=destination][value=newsletter]').click()
    m.one('[data-check]').click()
    until(lambda: m.state() == 'ready', lambda: m.one('[data-publish]').text)
    row = m.one('[data-diff-segment=winter]')
    assert row.get_attribute('data-enter') == str(expected) and shop.rules() == before
    m.one('input[name=why]').send_keys('for the winter sale')
    m.one('[data-go]').click()
    until(lambda: m.state() == 'done', lambda: m.one('[data-publish]').text)
    added = '  - id: winter\n'
    assert added in shop.rules() and shop.rules().startswith(before.rstrip('\n')) and shop.size('winter') == expected
    m.calm()
    m.one('[data-undo]').click()
    until(lambda: m.state() == 'undone', lambda: m.one('[data-publish]').text)
    assert shop.rules() == before and shop.size('winter') == 'not there'
    m.calm()


def test_the_size_follows_what_is_typed_and_mistakes_are_said_in_their_place(marketer, shop):
    m = marketer
    m.go('#/edit/coat-fans')
    assert m.condition() == 'coats >= 3 in 14d'
    until(lambda: m.previewed() == str(shop.size('coat-fans')), m.previewed)
    m.type('coats >= 2 in 14d')
    until(lambda: m.previewed() == str(shop.preview('coats >= 2 in 14d')), m.previewed, seconds=3)
    m.type('coatz >= 2')
    until(lambda: 'coatz' in m.one('[data-problems]').text)
    assert m.one('.mark-error').text == 'coatz' and m.previewed() == '' and m.one('[data-preview]').get_attribute('data-state') == 'wrong'
    m.one('[data-check]').click()
    assert m.state() == 'missing'
    m.type('coats >= 3 in 14d and purchase and shoes and visits >= 9')
    until(lambda: m.one('[data-preview]').get_attribute('data-state') == 'withheld')
    assert 'fewer than 20' in m.one('[data-preview]').text and m.previewed() == ''
    m.type('sum(v of purchase) >= 100 and not coats')       # no rule asks for sums; and a step that means nothing alone
    until(lambda: 'once a segment that asks for them is published' in m.one('[data-preview]').text, lambda: m.one('[data-preview]').text)
    assert m.one('[data-preview]').get_attribute('data-state') == 'unknown' and m.previewed() == ''
    m.type('not coats and shoes')
    sizes = lambda: m.js("return [...document.querySelectorAll('[data-funnel] [data-clause]')].map((e) => e.dataset.size)")
    until(lambda: sizes() == ['', str(shop.preview('not coats and shoes'))], sizes)
    m.calm()
    m.type('coats or shoes')
    until(lambda: 'Not shown as rows' in m.one('[data-builder]').text)
    m.type('(coats or shoes) and not purchase')
    until(lambda: len(m.all('[data-row]')) == 2, lambda: m.condition() + m.one('[data-builder]').text + str(m.complaints()), seconds=10)
    assert [e.get_attribute('data-form') for e in m.all('[data-row]')] == ['text', 'did']
    m.one('[data-row="1"] .row-remove').click()
    until(lambda: m.condition() == '(coats or shoes)')
    m.calm()


def test_completion_knows_names_and_sizes(marketer, shop):
    m = marketer
    m.go('#/new')
    m.one('.CodeMirror').click()
    m.press('coa')
    until(lambda: m.all('.CodeMirror-hint'))
    first = m.all('.CodeMirror-hint')[0].text
    coats = json.loads(shop.s.http('GET', '/v1/categories', admin=True)[2])
    assert 'apparel.coats' in first and 'Coats' in first and str(next(c['visitors'] for c in coats if c['id'] == 'apparel.coats')) in first
    m.press(Keys.ENTER)
    assert m.condition() == 'apparel.coats'
    m.press(' and seg')
    until(lambda: [h for h in m.all('.CodeMirror-hint') if h.text.startswith('segment(')])
    m.press(Keys.ESCAPE)
    m.press('ment(')
    until(lambda: [h for h in m.all('.CodeMirror-hint') if 'customers' in h.text], m.condition, seconds=20)
    m.press('cus')
    m.press(Keys.ENTER)
    assert m.condition() == 'apparel.coats and segment(customers)'


# --- publishing, when it does not go smoothly

def edited(m, condition):
    m.go('#/edit/coat-fans')
    m.type(condition)
    until(lambda: m.one('[data-preview]').get_attribute('data-state') == 'known')


def test_who_was_slower_sees_it_and_publishes_on_top(marketer, shop):
    m = marketer
    edited(m, 'coats >= 2 in 14d')
    m.one('[data-check]').click()
    until(lambda: m.state() == 'ready')
    row = m.one('[data-diff-segment=coat-fans]')
    assert int(row.get_attribute('data-enter')) > 0 and int(row.get_attribute('data-stay')) > 0 and row.get_attribute('data-leave') == ''
    shop.s.write_rules(shop.rules().replace('name: Customers', 'name: Clients'))
    shop.s.http('POST', '/v1/reload', admin=True)
    m.one('[data-go]').click()
    until(lambda: m.state() == 'conflict', m.state)
    assert [c for c in m.complaints() if '409' not in c] == [] and m.condition() == 'coats >= 2 in 14d'
    m.one('[data-publish] .primary:not([data-check])').click()
    until(lambda: m.state() == 'ready', lambda: m.one('[data-publish]').text)
    m.one('[data-go]').click()
    until(lambda: m.state() == 'done', lambda: m.one('[data-publish]').text)
    assert 'name: Clients' in shop.rules() and 'when: coats >= 2 in 14d' in shop.rules() and '# whom the winter is for' in shop.rules()
    m.calm()


def test_where_rules_cannot_be_written_there_is_a_patch(chromium):  # noqa: F811
    shop = Shop(options=['rules.editable=no'])
    try:
        m = Marketer(chromium, shop)
        edited(m, 'coats >= 2 in 14d')
        m.one('[data-check]').click()
        until(lambda: m.state() == 'patch', lambda: m.state() + m.one('[data-publish]').text)
        assert '+    when: coats >= 2 in 14d' in m.js("return document.querySelector('[data-publish] .patch').textContent") and not m.all('[data-go]')
        m.calm()
    finally:
        chromium.delete_all_cookies()
        shop.s.close()


# --- the way to the partner

def test_a_new_segment_is_delivered_and_its_history_told(marketer, shop):
    m = marketer
    m.go('#/new?template=lapsed')
    m.type('purchase and coats')
    until(lambda: m.one('[data-preview]').get_attribute('data-state') == 'known')
    m.one('input[name=destination][value=newsletter]').click()
    m.published('a test of the post')
    members = shop.size('lapsed-buyers')
    m.go('#/destinations/newsletter')
    assert m.all('[data-head=none]')
    m.one('[data-act=now]').click()
    until(lambda: m.all('[data-delivered]'), lambda: m.one('#main').text)
    assert m.one('[data-delivered]').get_attribute('data-delivered') == 'delivered', m.one('[data-delivered]').text
    assert m.one('[data-delivered-segment=lapsed-buyers]').get_attribute('data-why') == 'sent'
    rows = sum(open(os.path.join(d, f)).read().count('\n') for d, _, names in os.walk(shop.out) for f in names if 'csv' in f)
    assert members - 10 <= rows <= members + 11, (rows, members)
    until(lambda: m.all('[data-head=file] pre'), lambda: m.one('#main').text)
    lines = m.one('[data-head] pre').text.splitlines()
    assert lines[0] == 'id,segment,expires,action' and lines[1].startswith('••••,lapsed-buyers,'), lines
    file = m.one('[data-head] code').text
    with open(next(os.path.join(d, file) for d, _, names in os.walk(shop.out) if file in names), 'a') as f:
        f.write('somebody,else,,remove\n')             # then it is not what was delivered
    m.go('#/destinations')
    m.go('#/destinations/newsletter')
    until(lambda: m.all('[data-head=changed]'), lambda: m.one('#main').text)
    m.one('[data-act=now]').click()
    until(lambda: m.all('[data-delivered=nothing_to_say]'), lambda: m.one('#main').text)
    m.go('#/history')
    assert 'a test of the post' in m.one('[data-publication]').text and 'anna' in m.one('[data-publication]').text
    m.one('[data-patch] summary').click()
    until(lambda: '+  - id: lapsed-buyers' in m.js("return document.querySelector('[data-patch]').textContent"))
    assert 'delivered' in m.one('#main').text and 'newsletter' in m.one('#main').text
    m.one('input[name=why]').send_keys('it was a test')
    m.one('[data-undo]').click()
    until(lambda: len(m.all('[data-publication]')) == 2, lambda: m.one('#main').text)
    assert 'it was a test' in m.all('[data-publication]')[0].text and shop.size('lapsed-buyers') == 'not there'
    m.calm()


# --- lookalikes

def test_a_lookalike_is_made_trained_and_its_reach_dragged(marketer, shop):
    m = marketer
    m.go('#/segments/customers')
    [b for b in m.all('.head a') if b.text == 'Make a lookalike'][0].click()
    m.ready()
    assert m.one('select[name=seed]').get_attribute('value') == 'customers' and m.one('input[name=id]').get_attribute('value') == 'like-customers'
    m.published('more of them')
    m.one('[data-train-it]').click()
    until(lambda: m.all('[data-training=done], [data-training=failed]'), lambda: m.one('#main').text)
    assert 'trained' in m.one('[data-training=done]').text
    until(lambda: m.all('[data-curve]') and m.all('[data-quality]'), lambda: m.one('#main').text)
    slider = m.one('input[data-reach]')
    before = float(m.one('[data-at]').get_attribute('data-at'))
    assert before == 0.05
    found = m.one('[data-tile=recall] .tile-number').text
    slider.send_keys(Keys.RIGHT * 10)
    until(lambda: float(m.one('[data-at]').get_attribute('data-at')) == 0.1)
    assert m.one('[data-tile=recall] .tile-number').text != found and 'reach=0.1' in m.browser.current_url
    m.published('further')
    assert 'reach: 10%' in shop.rules() or 'reach: "10%"' in shop.rules() or "reach: '10%'" in shop.rules()
    m.calm()


# --- what no rule uses

def test_a_category_is_made_of_a_signal(marketer, shop):
    m = marketer
    m.go('#/categories')
    [b for b in m.all('button') if b.text == 'Show them'][0].click()
    until(lambda: m.all('[data-signal=wishlist]'), lambda: m.one('#main').text)
    m.one('[data-signal=wishlist] a.button').click()
    m.ready()
    assert m.one('input[name=value]').get_attribute('value') == 'wishlist' and m.one('input[name=id]').get_attribute('value') == 'wishlist'
    m.published('wishes')
    assert shop.preview('wishlist') == 120
    m.calm()


def test_a_category_is_changed_by_keyboard_and_put_back(marketer, shop):
    m, before = marketer, shop.rules()
    customers = shop.size('customers')
    m.go('#/categories/purchase')
    m.tab_to('[data-edit]')
    m.press(Keys.ENTER)
    until(lambda: m.browser.current_url.endswith('#/edit/category/purchase'))
    m.ready()
    told = {c['id']: c['visitors'] for c in json.loads(shop.s.http('GET', '/v1/categories', admin=True)[2])}
    assert m.one('[data-visitors]').get_attribute('data-visitors') == str(told['purchase'])
    m.tab_to('[data-list=any] textarea')
    patterns = m.browser.switch_to.active_element
    assert patterns.get_attribute('value') == 'purchase'
    # what is wrong stands at its field
    m.press(Keys.CONTROL + 'a')
    m.press('/^(wish/')
    until(lambda: m.all('.match-field .match-error'), lambda: m.one('#main').text)
    assert patterns.get_attribute('aria-invalid') == 'true' and not m.one('[data-problems]').text
    m.press(Keys.CONTROL + 'a')
    m.press('purchase' + Keys.ENTER + 'wishlist')
    until(lambda: not m.all('.match-field .match-error'))
    # another way to belong to it, which is not said yet
    m.tab_to('[data-add-to=any]')
    m.press(Keys.ENTER)
    assert len(m.all('[data-list=any] [data-entry]')) == 2 and m.js("return document.activeElement.matches('[data-what]')")
    m.tab_to('[data-check]')
    m.press(Keys.ENTER)
    assert m.state() == 'missing' and '“path” has nothing to match' in m.one('[data-publish]').text
    m.one('[data-list=any] [data-entry]:last-child .match-field button').send_keys(Keys.ENTER)
    assert len(m.all('[data-list=any] [data-entry]')) == 1 and m.js("return document.activeElement.matches('[data-add-to=any]')")
    m.tab_to('[data-check]')
    m.press(Keys.ENTER)
    until(lambda: m.state() == 'ready', lambda: m.state() + m.one('[data-publish]').text)
    entered = int(m.one('[data-diff-segment=customers]').get_attribute('data-enter'))
    assert entered > 20 and m.one('[data-diff-segment=customers]').get_attribute('data-leave') == ''
    m.press('a wish is half a purchase')
    m.press(Keys.ENTER)
    until(lambda: m.state() == 'done', lambda: m.state() + m.one('[data-publish]').text)
    assert shop.rules() == before.replace('{event: purchase}', '{event: [purchase, wishlist]}')
    assert abs(shop.size('customers') - customers - entered) < 20
    m.calm()
    m.tab_to('[data-undo]')
    m.press(Keys.ENTER)
    until(lambda: m.state() == 'undone', lambda: m.state() + m.one('[data-publish]').text)
    assert shop.rules() == before and shop.size('customers') == customers
    # a parent that stands in no file says so, and gets an entry of its own
    m.go('#/edit/category/apparel')
    assert 'through the categories below it' in m.one('.note').text and not m.all('[data-entry]')
    m.calm()


# --- from a page to the rule

def test_why_a_tag_does_not_work_is_found_and_its_rule_mended(tmp_path):
    """A page whose hits make no category: the assistant says so, the rule is mended in the dashboard, and the next hit counts."""
    site = Watched([], tmp_path)
    try:
        token = site.server.cli('token', 'add', 'anna', '--role', 'marketer').stdout.strip().split('\n')[-1].split()[-1]
        site.known()
        dashboard = Dashboard(site, token)
        site.open('/coats/red')
        site.click('show')
        code = until(site.code)
        with dashboard as d:
            d.type(code)
            until(lambda: d.all('[data-code]'))
        site.has(3)
        site.server.settle()
        site.js("crumb('view')")
        with dashboard as d:
            hit = until(lambda: d.all('[data-hit="1"]'))[0]
            assert hit.get_attribute('data-verdict') == 'recorded' and hit.get_attribute('data-counted') == 'yes'
            assert '/coats/red' in hit.text and 'no category: no rule looks for it' in hit.text
            d.go('#/categories/a')
            d.all('[data-edit]')[0].click()
            until(lambda: d.js('return document.body.dataset.ready') == '#/edit/category/a')
            patterns = d.all('[data-list=any] textarea')[0]
            assert patterns.get_attribute('value') == '/coats/a'
            patterns.send_keys(Keys.END)
            patterns.send_keys(Keys.ENTER, '/coats/red')
            d.all('[data-check]')[0].click()
            state = lambda: d.all('[data-publish]')[0].get_attribute('data-state')
            until(lambda: state() == 'ready', lambda: d.all('[data-publish]')[0].text)
            d.all('input[name=why]')[0].send_keys('red coats, too', Keys.ENTER)
            until(lambda: state() == 'done', lambda: d.all('[data-publish]')[0].text)
            d.go('#/live')
        site.js("crumb('view')")
        with dashboard as d:
            hit = until(lambda: d.all('[data-hit="2"]'))[0]
            assert [a.text for a in hit.find_elements('css selector', 'a.badge')] == ['a'] and 'no category' not in hit.text
        assert site.seen()[0]['a'] >= 1
        assert site.complaints() == [] and site.strangers() == []
    finally:
        site.close()


# --- the keyboard alone, and roles

def test_by_keyboard_alone(marketer, shop):
    m = marketer
    m.press('g')
    m.press('s')
    until(lambda: m.browser.current_url.endswith('#/segments'))
    m.ready()
    tab_to = m.tab_to
    tab_to('[data-new]')
    m.press(Keys.ENTER)
    until(lambda: m.all('[data-template=value]'))
    m.ready()
    tab_to('[data-template=value]')
    m.press(Keys.ENTER)
    until(lambda: m.condition())
    tab_to('.CodeMirror textarea')
    m.press(Keys.CONTROL + 'a')
    m.press('coats and shoes or purchase')
    m.press(Keys.ESCAPE)
    m.press(Keys.TAB)
    assert not m.js("return document.activeElement.matches('.CodeMirror textarea')")
    until(lambda: m.one('[data-preview]').get_attribute('data-state') == 'known')
    tab_to('input[name=name]')
    m.press(Keys.CONTROL + 'a')
    m.press('Keys only')
    tab_to('input[name=id]')
    m.press(Keys.CONTROL + 'a')
    m.press('keys-only')
    tab_to('[data-check]')
    m.press(Keys.ENTER)
    until(lambda: m.state() == 'ready', lambda: m.state() + m.one('[data-publish]').text)
    m.press('without a mouse')
    m.press(Keys.ENTER)
    until(lambda: m.state() == 'done', lambda: m.one('[data-publish]').text)
    assert shop.size('keys-only') == shop.preview('coats and shoes or purchase')
    m.calm()


def test_a_viewer_is_offered_nothing_that_would_be_refused(chromium, shop):  # noqa: F811
    m = Marketer(chromium, shop, 'viewer')
    for screen in ('#/segments', '#/segments/coat-fans', '#/edit/coat-fans', '#/edit/category/purchase', '#/categories/purchase', '#/new', '#/make', '#/lookalikes', '#/history', '#/destinations/newsletter', '#/categories', '#/health'):
        m.go(screen)
        assert not m.all('[data-new], [data-edit], [data-check], [data-act], [data-release], [data-undo], [data-train], .CodeMirror'), screen
        m.calm()
    chromium.delete_all_cookies()
