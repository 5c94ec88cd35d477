"""The example rules and the demo shop: one act counts once."""
import os
import re
import sys

from harness import ROOT, Browser

sys.path.insert(0, os.path.join(ROOT, 'tools', 'demo'))
import shop  # noqa: E402

ORIGIN = 'https://shop.example'


def tell(browser, path, *buttons):
    """What the tag sends on a page of the shop: its view, and what its buttons say."""
    title, _, body = shop.page(path)
    assert browser.events({'e': 'view', 'u': ORIGIN + path, 't': title}) == 204
    for button in buttons:
        name, pairs = re.search(r'id="%s" onclick="crumb\(\'event\', \'(\w+)\', \{(.*?)\}\)"' % button, body).groups()
        event = {'e': name, 'u': ORIGIN + path, 't': title}
        for key, value in re.findall(r"(\w+): '?([\w.]+)'?", pairs):
            event.update({'v': float(value)} if key == 'value' else {'a.' + key: value})
        assert browser.events(event) == 204


def counts(browser):
    browser.segments()
    return {c['id']: c['count'] for c in browser.shown()['categories']}


def test_an_order_counts_once_and_a_look_is_a_look(make):
    server = make()
    server.options.append('rules.path=' + os.path.join(ROOT, 'etc', 'rules'))
    server.restart()
    b = Browser.known(server)
    tell(b, '/coats/winter-parka', 'add', 'buy')
    tell(b, '/checkout/thank-you')
    assert counts(b) == {'apparel.outerwear': 1, 'cart': 1, 'cart.coats': 1, 'purchase': 1}
    assert b.segments() == {'customers', 'good-customers'}         # 249, once
    tell(b, '/shoes/running', 'add')
    assert counts(b) == {'apparel.outerwear': 1, 'apparel.shoes': 1, 'cart': 2, 'cart.coats': 1, 'purchase': 1}
    r = server.cli('rules', 'check')
    assert 'no mistakes' in r.stdout and 'warnings' not in r.stdout

