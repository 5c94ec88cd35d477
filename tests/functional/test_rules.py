"""Rules: what they match, how they reload, how mistakes are said."""
import json
import os
import signal

import pytest
from harness import Browser, RULES, until


def reload(server, text):
    before = server.js('rules', 'status')['hash']
    server.write_rules(text)
    server.process.send_signal(signal.SIGHUP)

    def done():
        s = server.js('rules', 'status')
        return s['complete'] and s['hash'] != before
    until(done, lambda: server.logged()[-4000:])


def test_matchers(make):
    server = make(rules='''version: 1
categories:
  - {id: one, any: [{path: "/a/*/c"}]}
  - {id: deep, any: [{path: "/d/**"}]}
  - {id: part, any: [{path: "/item-*"}]}
  - {id: titled, any: [{title: "Café winter"}]}
  - {id: host, any: [{host: "*.blog.example"}]}
  - {id: added, any: [{event: add_to_cart, attr.department: [coats, jackets]}]}
  - {id: both, all: [{path: "/d/**"}, {event: "dig*"}]}
  - {id: but, any: [{path: "/d/**"}], none: [{path: "/d/secret/**"}]}
  - {id: param, any: [{p.color: "re*"}]}
segments: []
''')
    b = Browser.known(server)
    for path, event, extra, host in (
            ('/a/b/c', 'view', '', None), ('/a/b/b/c', 'view', '', None), ('/a/b/c/', 'view', '', None), ('/d', 'view', '', None), ('/d/e/f', 'dig_deep', '', None),
            ('/d/secret/x', 'view', '', None), ('/item-5', 'view', '', None), ('/item', 'view', '', None), ('/x', 'view', '&t=WINTER%20im%20Cafe%CC%81', None),
            ('/x', 'view', '&t=winters%20cafe', None), ('/x', 'view', '', 'https://my.blog.example'), ('/x', 'add_to_cart', '&a.department=Coats', None),
            ('/x', 'add_to_cart', '&a.department=hats', None), ('/x', 'view', '&a.department=coats', None), ('/x', 'view', '&p_color=red', None)):
        assert b.hit(path, event, extra=extra, **({'host': host} if host else {})) == 200
    b.segments()
    want = {'one': 2, 'deep': 3, 'part': 1, 'titled': 1, 'host': 1, 'added': 1, 'both': 1, 'but': 2, 'param': 1}
    assert {c['id']: c['count'] for c in b.shown()['categories']} == want
    assert b.shown()['attributes'] == {'department': 'coats'}


def test_conditions(make):
    conditions = {
        'count': ('coats >= 2', True), 'more': ('coats > 2', False), 'few': ('shoes < 2 and coats', True), 'exact': ('coats = 2', True),
        'parent': ('apparel >= 3', True), 'days': ('days(coats) >= 2 in 30d', False), 'last': ('last(coats) within 2d', True),
        'then': ('coats then purchase within 7d', True), 'nor': ('purchase then socks within 7d', False), 'fact': ('device = desktop and browser = Chrome', True),
        'list': ('os in (windows, macos)', True), 'notin': ('os not in (windows, macos)', False), 'unequal': ('device != mobile', True),
        'visits': ('visits >= 1', True), 'attr': ('attr.size = xl', True), 'number': ('attr.price >= 49.5', True), 'numbers': ('attr.price < 49.5', False),
        'nested': ('segment(count) and not segment(more)', True), 'binds': ('visits and not shoes or coats and purchase', True), 'parens': ('not (shoes or coats) and purchase', False),
    }
    server = make(rules='''version: 1
categories:
  - {id: apparel.coats, any: [{path: "/coats/*"}]}
  - {id: apparel.shoes, any: [{path: "/shoes/*"}]}
  - {id: socks, any: [{path: "/socks/*"}]}
  - {id: purchase, any: [{event: purchase}]}
segments:
''' + ''.join('  - {id: %s, when: "%s"}\n' % (k, v[0]) for k, v in conditions.items()))
    b = Browser.known(server)
    b.events({'u': 'https://s.example/coats/1'}, {'u': 'https://s.example/coats/2'}, {'u': 'https://s.example/shoes/1', 'a.size': 'XL', 'a': {'price': 50}}, {'e': 'purchase'})
    assert b.segments() == {k for k, v in conditions.items() if v[1]}
    server.verify()


def test_a_changed_category_is_recomputed_over_the_history(server):
    browsers = [Browser.known(server) for _ in range(25)]
    for i, b in enumerate(browsers):
        b.events({'u': 'https://shop.example/boots/%d' % i}, {'u': 'https://shop.example/coats/1'})
    server.settle()
    assert server.sizes()['coats-ever'] == 30                               # 25, rounded to ten
    reload(server, RULES.replace('{path: "/coats/*"}', '{path: "/boots/*"}') + '  - {id: boots-now, when: coats}\n')
    assert server.sizes()['coats-ever'] == 30 and server.sizes()['boots-now'] == 30 and browsers[3].count('apparel.coats') == 1
    reload(server, RULES.replace('{path: "/coats/*"}', '{path: "/hats/*"}'))
    assert server.sizes()['coats-ever'] is None and browsers[3].count('apparel.coats') == 0
    assert not browsers[3].segments()
    server.verify()
    generations = lambda: [d for d in os.listdir(os.path.join(server.store, 'state')) if d.isdigit()]
    until(lambda: len(generations()) == 1)                                  # old ones go when nobody reads them any more


def test_rules_that_changed_while_the_server_was_off(server):
    b = Browser.known(server)
    b.hit('/boots/1')
    b.segments()
    server.stop()
    server.write_rules(RULES.replace('{path: "/coats/*"}', '{path: "/boots/*"}'))
    server.start()
    assert 'coats-ever' in b.segments() and server.js('rules', 'status')['complete']


def test_reload_under_load_loses_nothing(server):
    browsers = [Browser.known(server) for _ in range(10)]
    for n in range(6):
        server.write_rules(RULES + '  - {id: round-%d, when: "coats >= %d"}\n' % (n, n + 1))
        server.process.send_signal(signal.SIGHUP)
        for b in browsers:
            assert b.hit('/coats/%d' % n) == 200
    reload(server, RULES + '  - {id: at-last, when: coats = 6}\n')
    assert all('at-last' in b.segments() for b in browsers)
    server.verify()


@pytest.mark.parametrize('text, words', [
    ('version: 1\ncategories:\n  - id: a\n    any: [{pth: /x}]\n', "rules.yaml:4:12: there is no field 'pth'"),
    ('version: 1\ncategories:\n  - id: a\n    any: [{path: x}]\n', "rules.yaml:4:18: a path begins with '/'"),
    ('version: 1\nsegments:\n  - id: s\n    when: nothing >= 1\n', "rules.yaml:4:11: there is no category 'nothing'"),
    ('version: 1\ncategories: [{id: a, any: [{path: /x}]}]\nsegments:\n  - id: s\n    when: a >= 1 in 91d\n', 'rules.yaml:5:21: a window of 91d is longer'),
    ('version: 1\ncategories: [{id: a, any: [{path: /x}]}]\nsegments:\n  - id: s\n    when: "a >= "\n', 'rules.yaml:5:17: the condition ends where a whole number'),
    ('version: 1\nsegments:\n  - {id: s, when: segment(s)}\n', "rules.yaml:3:19: segment 's' depends on itself"),
    ('version: 1\ncategories: [{id: a, any: [{path: /x}]}, {id: a, any: [{path: /y}]}]\n', "rules.yaml:2:42: category 'a' is defined twice"),
    ('version: 1\ncategories: [{id: x.a, any: [{path: /x}]}, {id: y.a, any: [{path: /y}]}]\nsegments: [{id: s, when: a}]\n', "'a' could be x.a or y.a"),
    ('version: 2\n', 'rules.yaml:1:10: this crumb reads version: 1'),
    ('categories: []\n', "must say 'version: 1'"),
    ('version: 1\ncategories: {a: b}\n', 'rules.yaml:2:13: categories is a list'),
    ('version: 1\n\tcategories: []\n', 'rules.yaml:2:1: '),
    ('version: 1\ncategories: [{id: "a b", any: [{path: /x}]}]\n', "'a b' is no id"),
    ('version: 1\ncategories: [{id: a}]\n', 'would match everything'),
    ('version: 1\ncategories: [{id: a, any: [{path: /x}]}]\nsegments: [{id: s, when: a and}]\n', 'rules.yaml:3:31: the condition ends where'),
    ('version: 1\ncategories: [{id: a, any: [{path: /x}]}]\nsegments: [{id: s, when: (a or a}]\n', "')' is expected"),
])
def test_a_bad_file_is_refused_and_the_old_rules_stay(server, text, words):
    b = Browser.known(server)
    server.write_rules(text)
    assert words in server.cli('rules', 'check', ok=(1,)).stderr
    row = server.js('rules', 'check', ok=(1,))[0]
    assert row['severity'] == 'error' and row['line'] > 0 and row['column'] > 0
    server.process.send_signal(signal.SIGHUP)
    until(lambda: words in server.logged(), server.logged)
    b.hit('/coats/1')
    assert b.segments() == {'coats-ever', 'apparel-any'}
    assert json.loads(server.cli('rules', 'status', '--json').stdout)['refused']
