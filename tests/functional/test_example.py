"""The example rules and the demo shop: one act counts once."""
import os
import re
import sys

from harness import ROOT, Browser

sys.path.insert(0, os.path.join(ROOT, 'tools', 'demo'))
import shop  # noqa: E402

ORIGIN = 'https://shop.example'
PHONE = 'Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Mobile Safari/537.36'


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


def documented():
    """The complete rule sets of docs/RULES.md, the example and the demo's: each a list of files."""
    with open(os.path.join(ROOT, 'docs', 'RULES.md')) as f:
        sets = [[b] for b in re.findall(r'```yaml\n(.*?)```', f.read(), re.S) if 'categories:' in b]
    files = []
    for path in ('etc/rules/shop.yaml', 'tools/demo/rules/demo.yaml'):
        with open(os.path.join(ROOT, path)) as f:
            files.append(f.read())
    assert len(sets) > 3
    return sets + [files[:1], files]


def test_no_rules_that_we_show_count_one_act_twice(make):
    """On one page somebody looks, fills the cart and orders; the shop says thank you. Whatever a category is about, that was once."""
    server = make()
    counted = []
    for files in documented():
        for name in os.listdir(server.rules):
            os.remove(os.path.join(server.rules, name))
        for i, text in enumerate(files):
            server.write_rules(text, '%d.yaml' % i)
        server.write_destinations('version: 1\ndestinations:\n  - {id: newsletter, format: csv}\n  - {id: ads, format: csv}\n')
        server.restart()
        for path in ('/coats/winter-parka', '/women/sale/boots', '/shoes/running', '/lookbook', '/size-guide'):
            b = Browser.known(server, agent=PHONE)
            page = {'u': ORIGIN + path + '?utm_campaign=spring-' + path[1:6], 't': 'winter coat: sale, clearance', 'r': 'https://www.google.com/', 'a.price': '600', 'a.department': 'coats'}
            assert b.events(dict(page, e='view'), dict(page, e='add_to_cart'), dict(page, e='purchase', v=600), {'e': 'view', 'u': ORIGIN + '/checkout/thank-you', 'r': page['u']}) == 204
            for category, n in counts(b).items():
                assert n == 1, (files, path, category, n)
                counted.append(category)
    assert {'apparel.outerwear', 'cart.coats', 'purchase', 'sale', 'expensive', 'found-us', 'lookbook', 'size-guide', 'from-search', 'coats', 'buy'} <= set(counted), set(counted)
