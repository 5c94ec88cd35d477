"""The dashboard's files: what a browser gets before anybody has signed in, how large it is, and that it is kept."""
import gzip
import re

import pytest

from harness import Server

POLICY = "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
FIRST_VIEW, ALL = 120000, 350000      # bytes, compressed


@pytest.fixture(scope='module')
def server():
    s = Server()
    s.start()
    yield s
    s.close()


def ask(server, path, method='GET', **headers):
    """Without a token."""
    c = server.http(method, path, headers={k.replace('_', '-'): v for k, v in headers.items()}, admin=True, token='none')
    return c[0], c[1], c[2]


def names(text):
    """The files that a page, a style or a module names."""
    return set(re.findall(r'"(/web/[^"]+)"', text))


def reach(server, first, lazy):
    """{path: packed bytes} of all that is loaded from `first` on; with `lazy`, also what is imported when it is wanted."""
    found, todo = {}, [first]
    while todo:
        path = todo.pop()
        if path in found:
            continue
        status, r, body = ask(server, path, Accept_Encoding='gzip')
        assert status == 200 and r.getheader('Content-Encoding') == 'gzip', path
        found[path] = len(body)
        text, folder = gzip.decompress(body).decode('utf-8', 'replace'), path.rsplit('/', 1)[0]
        todo += names(text) if path == '/' else []
        if path.endswith('.js') and '/lib/' not in path:
            for name in re.findall(r"from '(\.\.?/[^']+)'" + (r"|import\('(\.\.?/[^']+)'\)" if lazy else ''), text):
                one = name if isinstance(name, str) else name[0] or name[1]
                at = folder if one.startswith('./') else folder.rsplit('/', 1)[0]
                todo.append(at + '/' + one.lstrip('./'))
    return found


def test_the_page_asks_for_a_token_and_has_no_data(server):
    status, r, body = ask(server, '/')
    page = body.decode()
    assert status == 200 and r.getheader('Content-Type') == 'text/html; charset=utf-8'
    assert re.search(r'<form method="post" action="/v1/login"', page) and '<input id="token" name="token"' in page and '<body data-guest>' in page
    assert not re.search(r'<style|style=|\son[a-z]+=|<script>|https?://', page)
    assert 'coat-fans' not in page
    # who has a cookie of a session is asked nothing
    assert b'<body data-guest>' not in ask(server, '/', Cookie='a=b; crumb_admin=x')[2] and 'Cookie' in r.getheader('Vary')


def test_guards(server):
    for path in ['/'] + sorted(names(ask(server, '/')[2].decode())):
        status, r, _ = ask(server, path)
        assert status == 200 and r.getheader('Content-Security-Policy') == POLICY
        assert r.getheader('X-Content-Type-Options') == 'nosniff' and r.getheader('Referrer-Policy') == 'no-referrer'


def test_files_are_kept_and_the_page_is_asked_again(server):
    status, r, body = ask(server, '/', Accept_Encoding='gzip')
    assert r.getheader('Cache-Control') == 'no-cache'
    status, again, nothing = ask(server, '/', Accept_Encoding='gzip', If_None_Match=r.getheader('ETag'))
    assert status == 304 and nothing == b'' and again.getheader('ETag') == r.getheader('ETag')
    assert ask(server, '/', Accept_Encoding='gzip', If_None_Match='"other"')[0] == 200
    for path in names(gzip.decompress(body).decode()):
        _, r, packed = ask(server, path, Accept_Encoding='gzip')
        assert 'immutable' in r.getheader('Cache-Control')
        _, r2, plain = ask(server, path)
        assert r2.getheader('Content-Encoding') is None and plain == gzip.decompress(packed) and r2.getheader('ETag') != r.getheader('ETag')
        assert 'Accept-Encoding' in r.getheader('Vary')


def test_what_is_not_there_and_what_is_not_a_question(server):
    assert ask(server, '/web/app.js')[0] == 404
    assert ask(server, '/web/../admin.token')[0] == 404
    assert ask(server, '/web/guest')[0] == ask(server, '/guest')[0] - 401 + 404        # the name of the page for guests is no address
    status, r, _ = ask(server, '/', method='POST')
    assert status == 405 and r.getheader('Allow') == 'GET, HEAD'
    status, r, body = ask(server, '/', method='HEAD')
    assert status == 200 and body == b'' and int(r.getheader('Content-Length')) > 500
    assert ask(server, '/v1/segments')[0] == 401


def test_it_is_small(server):
    first = reach(server, '/', lazy=False)
    today = next(p for p in reach(server, '/', lazy=True) if p.endswith('/screens/today.js'))
    first.update(reach(server, today, lazy=False))
    everything = reach(server, '/', lazy=True)
    assert sum(first.values()) <= FIRST_VIEW, first
    assert sum(everything.values()) <= ALL, everything
    assert not any('/lib/' in p for p in first) and any(p.endswith('/lib/chart.js') for p in everything)


def test_licences_of_what_others_wrote_are_in_the_program(server):
    folder = next(iter(names(ask(server, '/')[2].decode()))).rsplit('/', 1)[0]
    _, _, text = ask(server, folder + '/licences.txt')
    assert b'Chart.js' in text and b'Permission is hereby granted' in text
