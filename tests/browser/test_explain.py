"""Is a browser in? The card of a segment in a real Chromium: who may ask, what is said, and that the value which names a visitor stays nowhere."""
import os
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), 'functional')]
import axe  # noqa: E402
from harness import RULES, Browser, Server, until  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from test_dashboard import Here, Page, chromium, crumbd, page  # noqa: E402,F401

IN, OUT = 'ab' * 16, 'cd' * 16
CARD = '[data-panel=explain]'


def look(p, value):
    field = p.one('#explain-who')
    field.clear()
    field.send_keys(value, Keys.ENTER)
    until(lambda: p.all('#explain-says > *'))


def parts(p):
    return {e.get_attribute('data-part'): (e.get_attribute('data-holds'), e.text) for e in p.all('[data-why] [data-part]')}


@pytest.mark.parametrize('theme', ['light', 'dark'])
def test_in_or_not_why_and_what_would_change_it(page, theme):  # noqa: F811
    p = page(segments=10)
    p.look(1280, theme)
    p.open('#/segments/coat-fans')
    look(p, IN)
    assert p.one('[data-in]').get_attribute('data-in') == 'true' and 'It leaves on' in p.one('#explain-says').text
    got = parts(p)
    assert len(got) == 5 and got['coats >= 3 in 14d'][0] == 'true' and got['size = l'][0] == 'false'
    holds = got['coats >= 3 in 14d'][1]
    assert '✓' in holds and 'at least 3 events of “Coats”' in holds and 'It has 3 events' in holds and 'Ends on' in holds
    assert '✗' in got['size = l'][1] and 'Not known' in got['size = l'][1] and 'Time alone' in p.one('[data-change=out]').text
    look(p, 'crumb="%s";' % OUT)
    assert p.world.explained[-1] == {'segment': 'coat-fans', 'key': OUT}
    assert p.one('[data-in]').get_attribute('data-in') == 'false' and '1 of the 3 parts of the condition is so' in p.one('#explain-says').text
    assert 'Comes true by itself on' in parts(p)['not purchase in 30d'][1]
    assert 'after all of this' in p.one('[data-change=sure]').text and '1 more event of Coats today' in p.one('[data-change=sure]').text and 'wait until' in p.one('[data-change]').text
    assert p.one('#explain-says').get_attribute('aria-live') == 'polite'
    assert axe.faults(p.browser) == []
    for width in (360, 1280):
        p.look(width, theme)
        until(lambda: not p.sideways(), lambda: str(p.sideways()))
    assert p.complaints() == [] and p.strangers() == []


def test_what_goes_wrong_is_said_in_words(page):  # noqa: F811
    p = page(segments=10)
    p.look(360)
    p.open('#/segments/coat-fans')
    for value, says in (('forged', 'not the whole value of a cookie'), ('nobody', 'Nothing is known of this browser')):
        look(p, value)
        assert says in p.one('#explain-says').text and not p.all('[data-why] *')
        field = p.one('#explain-who')
        assert field.get_attribute('aria-invalid') == 'true' and field == p.browser.switch_to.active_element
    p.press('x')                                        # what is typed next is another browser
    assert not p.all('#explain-says > *') and not p.sideways()
    p.world.fail = {'/v1/ask/explain'}
    look(p, IN)
    assert 'Input/output error' in p.one('#explain-says').text


def test_the_value_is_kept_nowhere(page):  # noqa: F811
    p = page(segments=10)
    p.look()
    p.open('#/segments/coat-fans')
    look(p, IN)
    p.js('window.left = document.getElementById("explain-who")')
    assert p.one('#explain-who').get_attribute('autocomplete') == 'off'
    p.go('#/segments/loyal')
    assert p.js('return left.value') == '' and p.one('#explain-who').get_attribute('value') == '' and not p.all('#explain-says > *')
    p.browser.back()
    p.ready()
    until(lambda: p.browser.current_url.endswith('coat-fans') and p.all('#explain-who'))
    assert p.one('#explain-who').get_attribute('value') == ''
    assert p.js('return JSON.stringify([localStorage, sessionStorage, history.state, location.href, document.cookie])').find(IN) < 0
    assert not [path for _, path in p.world.asked if IN in path]
    p.one('#explain-who').send_keys(OUT)
    p.browser.refresh()
    p.ready()
    assert p.one('#explain-who').get_attribute('value') == ''


@pytest.mark.parametrize('role', ['viewer', 'marketer'])
def test_others_are_told_who_may_look(page, role):  # noqa: F811
    p = page(segments=10, role=role)
    p.look()
    p.open('#/segments/coat-fans')
    assert 'for an operator to look up' in p.one(CARD).text and 'tag assistant' in p.one(CARD).text
    assert not p.all(CARD + ' input') and bool(p.all(CARD + ' a[href="#/live"]')) == (role == 'marketer')


def test_a_lookalike_has_a_model_and_no_condition(page):  # noqa: F811
    p = page(segments=10)
    p.look(360)
    p.open('#/segments/long-list')
    assert 'crumb lookalike explain long-list' in p.one(CARD).text and not p.all(CARD + ' input') and not p.sideways()


# every kind of a part
MORE = '''  - {id: order, when: coats then purchase within 3d}
  - {id: far, when: country = US or segment(intenders) or days(coats) >= 2 in 7d}
  - {id: neither, when: not (purchase or country = US) and not segment(coat-fans) and sum(v of shoes) >= 5}
  - {id: newly, when: first(coats) in 7d}
'''


@pytest.fixture
def shop():
    s = Server(rules=RULES + MORE)
    s.start()
    yield s
    s.close()


def test_with_the_real_server(shop, chromium):  # noqa: F811
    """A browser that looked at coats, asked about by its own cookie."""
    shopper = Browser.known(shop)
    for n in range(3):
        shopper.hit('/coats/%d' % n)
    shop.settle()
    told = {s['id']: shop.js('rules', 'explain', s['id'], '--cookie', shopper.jar['crumb']) for s in shop.js('segments', 'list') if s['kind'] != 'lookalike'}
    assert told['coat-fans']['in'] and {told[i]['in'] for i in told} == {True, False}
    p = Page(chromium, Here(shop))
    p.look()
    p.open('#/segments/coat-fans')
    p.one('input[name=token]').send_keys(shop.token, Keys.ENTER)
    until(lambda: p.one('#frame').is_displayed())
    p.ready()
    for segment, is_so in told.items():
        p.go('#/segments/' + segment)
        look(p, shopper.jar['crumb'])
        assert p.one('[data-in]').get_attribute('data-in') == str(is_so['in']).lower(), segment
        for one in is_so['tree']['parts'] if is_so['tree']['kind'] in ('and', 'or') else [is_so['tree']]:
            assert one.get('words', '') in parts(p)[one['text']][1] and parts(p)[one['text']][0] == str(one['true']).lower(), segment
        assert 'undefined' not in p.one(CARD).text and 'NaN' not in p.one(CARD).text
    look(p, shopper.jar['crumb'][:-4] + 'AAAA')
    assert 'not the whole value of a cookie' in p.one('#explain-says').text
    look(p, IN)
    assert 'Nothing is known of this browser' in p.one('#explain-says').text
    assert [m for m in p.complaints() if 'explain' not in m] == [] and p.strangers() == []
