"""SIGHUP takes what a running server can take of its configuration, and names what has to wait for the next start."""
import json
import os
import re
import select
import signal
import subprocess

import pytest
from harness import BUILD, ROOT, SLOW, Browser, Server, until
from test_junk import header


class FileServer(Server):
    """One that has all of its options from a file."""

    def __init__(self, **kw):
        super().__init__(**kw)
        self.file = os.path.join(self.dir, 'crumb.yaml')
        self.values = {'store.path': self.store, 'rules.path': self.rules, 'destinations.path': self.destinations, 'admin.token': self.token, 'geo.database': os.path.join(ROOT, 'build', 'country.mmdb'),
                       'privacy.k': '20', 'collect.listen': '127.0.0.1:0', 'admin.listen': '127.0.0.1:0'}

    def write(self, **values):
        self.values.update({k.replace('__', '.'): v for k, v in values.items()})
        with open(self.file, 'w') as f:
            f.write(''.join('%s: "%s"\n' % v for v in self.values.items()))

    def common(self):
        return ['-c', self.file]

    def start(self):
        self.write()
        with open(self.log, 'a') as log:
            self.process = subprocess.Popen([os.path.join(BUILD, 'crumbd'), '-c', self.file, '--test-clock'], stdout=subprocess.PIPE, stderr=log, text=True)
        ready, _, _ = select.select([self.process.stdout], [], [], 60 * SLOW)
        found = re.match(r'ready collect=(\S+) admin=(\S+)', self.process.stdout.readline() if ready else '')
        assert found, self.logged()[-600:]
        self.collect, self.admin = found.groups()
        return self

    def hup(self, **values):
        """What it says when it has read its configuration again with these values."""
        self.write(**values)
        before = len(self.logged())
        self.process.send_signal(signal.SIGHUP)
        until(lambda: re.search(r'rules (loaded|refused)', self.logged()[before:]), lambda: self.logged()[-600:])
        return self.logged()[before:]


@pytest.fixture
def server():
    s = FileServer()
    s.start()
    yield s
    s.close()


FOREIGN = '/p.gif?u=https%3A%2F%2Fthird.example%2Fcoats%2F1'


def test_options_are_taken_while_it_runs(server):
    b = Browser(server)
    b.keep()
    assert header(b, FOREIGN) is None and 'SameSite=None' in b.set_cookie
    said = server.hup(sites='shop.example', cookie__samesite='lax', cookie__secure='no')
    for name in ('sites', 'cookie.samesite', 'cookie.secure'):
        assert len(re.findall(r'info config %s changed: in force from now on' % re.escape(name), said)) == 1, said
    assert server.token not in said and 'next start' not in said
    assert header(b, FOREIGN) == 'foreign_site'                     # the first hit behind it
    fresh = Browser(server)
    assert fresh.hit('/coats/1') == 200 and 'SameSite=Lax' in fresh.set_cookie and 'Secure' not in fresh.set_cookie
    # an import by the server is judged by them, too
    r = server.import_lines(['{"id":"a","u":"https://third.example/coats/1"}', '{"id":"b","u":"https://shop.example/coats/1"}'])
    assert r['accepted'] == 1 and (r.get('set_aside') or r['refused'].get('site')) == 1, r
    assert ' config ' not in server.hup()                           # nothing new: nothing said
    b.connection.close()


def test_trusted_proxies_and_consent(server):
    b = Browser.known(server, headers={'X-Forwarded-For': '81.2.69.142'})
    server.settle()
    assert b.shown().get('country') != 'GB'
    server.hup(trusted_proxies='127.0.0.0/8')

    def british():
        b.hit('/coats/1')
        server.settle()
        return b.shown().get('country') == 'GB'
    until(british)

    def has_cookie():
        fresh = Browser(server)
        fresh.hit('/coats/1')
        return 'crumb' in fresh.jar
    server.hup(consent__default='require')
    until(lambda: not has_cookie())
    server.hup(consent__default='allow')
    until(has_cookie)


def test_who_runs_it_is_said_anew_at_me(server):
    b = Browser.known(server)

    def page():
        return b.request('GET', '/me')[2].decode()
    assert 'This is kept by' not in page()
    server.hup(operator__name='Shop AG', operator__policy='https://shop.example/privacy')
    until(lambda: 'This is kept by Shop AG.' in page() and 'href="https://shop.example/privacy"' in page())
    assert 'config refused' in server.hup(operator__policy='javascript:alert(1)') and 'href="https://shop.example/privacy"' in page()
    assert 'config refused' in server.hup(operator__policy='https://shop.example/new', operator__name='a\u202eb')
    server.hup(operator__name='Other AG')
    until(lambda: 'Other AG' in page() and 'https://shop.example/new' in page())


def test_what_is_kept_of_a_query_and_the_tag_says_so_too(server):
    b = Browser.known(server)
    server.settle()
    url = '/coats/1?colour=blue'

    def kept():
        b.hit(url)
        server.settle()
        return 'blue' in json.dumps(b.shown())

    def tag():
        status, headers, text = b.request('GET', '/crumb.js')
        assert status == 200
        return headers.getheader('ETag'), text
    assert not kept()
    etag, text = tag()
    said = server.hup(privacy__keep_query='colour,Size')
    assert 'privacy.keep_query changed: in force from now on' in said
    assert tag()[1] == text.replace(b'utm_campaign', b'utm_campaign,colour,Size') != text and tag()[0] != etag
    until(kept)
    assert b.request('GET', '/crumb.js', headers={'If-None-Match': etag})[0] == 200
    server.hup(privacy__keep_query='')
    assert tag() == (etag, text)


def test_what_has_to_wait_is_named_and_the_command_line_goes_on(server):
    Browser.known(server)
    said = server.hup(collect__listen='127.0.0.1:1', admin__token='another-token', retention='30', store__shards='8')
    for name in ('collect.listen', 'admin.token', 'retention', 'store.shards'):
        assert len(re.findall(r'warn config %s changed: takes effect at the next start' % re.escape(name), said)) == 1, said
    assert 'another-token' not in said
    server.settle()
    assert server.js('db', 'stat')['visitors'] == 1                 # with the token that the server has
    assert server.http('GET', '/v1/rules/status', admin=True)[0] == 200
    server.write(collect__listen='127.0.0.1:0', store__shards='4')
    server.stop()
    server.token = 'another-token'
    server.start()
    assert server.http('GET', '/v1/rules/status', admin=True)[0] == 200 and server.js('db', 'stat')['visitors'] == 1


def test_a_configuration_with_a_mistake_leaves_all_as_it_is(server):
    server.hup(sites='shop.example')
    for values, words in (({'sites': 'https://shop.example/shop'}, 'write https://shop.example'), ({'sites': 'a.example', 'trusted_proxies': '10.0/8'}, 'trusted_proxies'),
                          ({'sites': 'a.example', 'junk.networks': '/nowhere'}, '/nowhere'), ({'sites': 'a.example', 'geo.database': '/nowhere'}, 'geo.database'), ({'sites': 'a.example', 'smaesite': 'x'}, "did you mean 'cookie.samesite'?")):
        kept = dict(server.values)
        server.write_rules('version: 1\nsegments:\n  - {id: seen, when: visits}\n')
        said = server.hup(**{k.replace('.', '__'): v for k, v in values.items()})
        assert words in said and 'config refused, the old options stay' in said and 'in force' not in said, said
        assert 'rules loaded' in said                               # rules are another matter
        assert header(Browser(server), '/p.gif?u=https%3A%2F%2Fa.example%2F') == 'foreign_site'
        server.values = kept
    assert 'sites changed' in server.hup(sites='a.example')


def test_rules_files_and_lists_move(server, tmp_path):
    other = tmp_path / 'rules'
    other.mkdir()
    (other / 'r.yaml').write_text('version: 1\nsegments:\n  - {id: moved, when: visits}\n')
    agents = tmp_path / 'crawlers.txt'
    agents.write_text('Chrome/130\n')
    said = server.hup(rules__path=str(other), junk__crawlers=str(agents), page__key='seg')
    assert 'rules.path changed: in force' in said and 'junk.crawlers changed: in force' in said, said
    until(lambda: 'moved' in server.sizes())
    until(lambda: header(Browser(server)) == 'crawler')
    said = server.hup(geo__database='', log__level='debug')
    assert 'log.level changed: in force' in said
    assert 'geo.database changed: in force' in said
    assert server.stop() == 0
