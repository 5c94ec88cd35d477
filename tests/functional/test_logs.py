"""Access logs as servers, proxies and load balancers write them: who is counted, which page, what is refused and where."""
import gzip
import json
import os
import time

import pytest
from harness import CHROME, Server

SITES = ['sites=shop.example,other.example', 'trusted_proxies=192.0.2.0/24']


@pytest.fixture(params=['server', 'alone'])
def store(request):
    s = Server(options=SITES)
    if request.param == 'server':
        s.start()
    yield s
    s.close()


def clf(t):
    return time.strftime('[%d/%b/%Y:%H:%M:%S +0000]', time.gmtime(t))


def rest(t, path='/coats/a', agent=CHROME):
    return '%s "GET %s HTTP/1.1" 200 1 "-" "%s"' % (clf(t), path, agent)


def give(server, lines, *more, ok=(0,), name='access.log'):
    path = os.path.join(server.dir, name)
    with open(path, 'wb') as f:
        f.write(lines if isinstance(lines, bytes) else ''.join(l + '\n' for l in lines).encode())
    return server.js('import', path, '--consent', 'asserted', *more, ok=ok)


def visitors(server):
    return server.js('db', 'stat')['visitors']


def test_who_stands_behind_a_prefix_or_in_a_list_is_counted_once_each(store):
    t = store.now() - 3600
    heads = ['%s', 'shop.example:443 %s', 'Nov 26 18:58:37 web1 nginx: %s', '<165>1 2026-11-26T18:58:37Z web1 nginx 7 - - %s', '%s:54321', '%s, 192.0.2.7', '6.6.6.6, %s,192.0.2.7', '%s, 10.0.0.2', '[2001:db8::%s]:443',
             '::ffff:%s']
    for i, head in enumerate(heads):
        who = lambda n: '%d' % n if '2001' in head else '203.0.113.%d' % n
        r = give(store, [head % who(n) + ' - - ' + rest(t, '/coats/%d' % i) for n in (1, 2, 3)], '--format', 'combined')
        assert (r['read'], r['accepted'], r['refused']) == (3, 3, {}), (head, r)
        assert visitors(store) == 3 * (i + 1), head
    store.verify()


def test_what_is_no_address_is_no_visitor_and_told_with_its_line(store):
    t = store.now() - 3600
    wrong = ['shop.example:443 - - - ', 'host.example - - ', 'unknown - - ', '203.0.113.300 - - ', '- - - ']
    lines = ['203.0.113.1 - - ' + rest(t), ''] + [w + rest(t) for w in wrong] + ['203.0.113.2 - - ' + rest(t - 99 * 86400), 'nginx was started', 'third.example:80 203.0.113.2 - - ' + rest(t)]
    r = give(store, lines, '--dry-run')
    assert r['format'] == 'combined' and r['dry_run'] and r['accepted'] == 1
    r = give(store, lines)
    assert (r['read'], r['accepted']) == (9, 1) and r['refused']['malformed'] == 6 and r['refused']['old'] == 1, r
    told = {l['line']: (l['reason'], l.get('why')) for l in r['refused_lines']}
    assert {n: w[0] for n, w in told.items()} == {3: 'malformed', 4: 'malformed', 5: 'malformed', 6: 'malformed', 7: 'malformed', 8: 'old', 9: 'malformed', **({10: 'site'} if r['refused'].get('site') else {})}, told
    assert 'no address' in told[3][1] and 'no time' in told[9][1]
    assert visitors(store) == 1
    # in words, and only the first few of many
    path = os.path.join(store.dir, 'many')
    with open(path, 'w') as f:
        f.write(''.join('host.example - - %s\n' % rest(t) for _ in range(500)) + '203.0.113.1 - - ' + rest(t) + '\n')
    said = store.cli('import', path, '--consent', 'asserted').stdout
    assert 'format: combined' in said and '500 refused: malformed' in said and '  line 1: malformed, no address' in said and said.count('  line ') == 10, said
    assert "refused as 'malformed' (not the words of a load balancer's line)" in store.cli('import', path, '--consent', 'asserted', '--format', 'alb', '--again', ok=(1,)).stderr


def test_lines_count_on_over_what_was_imported_before(store):
    t = store.now() - 3600
    give(store, ['203.0.113.%d - - ' % n + rest(t) for n in range(1, 6)])
    r = give(store, ['203.0.113.%d - - ' % n + rest(t) for n in range(1, 6)] + ['host.example - - ' + rest(t), '203.0.113.9 - - ' + rest(t)])
    assert (r['already'], r['accepted']) == (5, 1) and [l['line'] for l in r['refused_lines']] == [6], r
    # and what begins a log holds for what follows
    head = '#Version: 1.0\n#Fields: date time c-ip cs-method cs-uri-stem sc-status\n'
    w3c = lambda a, b: (head + ''.join(time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime(t)) + ' 203.0.113.%d GET /coats/a 200\n' % n for n in range(a, b))).encode()
    assert give(store, w3c(1, 6), name='iis')['format'] == 'w3c'
    r = give(store, w3c(1, 9), name='iis')
    assert (r['already'], r['accepted'], r['refused']) == (7, 3, {}), r
    r = store.import_lines(['{"id":"a","u":"https://shop.example/"}', '', 'x', '{"id":"b","u":"https://shop.example/","t":1}'])
    assert [(l['line'], l['reason']) for l in r['refused_lines']] == [(3, 'json'), (4, 'old')]


def test_each_form_is_known_by_itself(store):
    t = store.now() - 3600
    iso, day, clock = time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(t)), time.strftime('%Y-%m-%d', time.gmtime(t)), time.strftime('%H:%M:%S', time.gmtime(t))
    agent = CHROME.replace(' ', '+')
    twice = CHROME.replace(' ', '%2520')
    forms = [
        ('combined', ['shop.example:443 203.0.113.%d - - ' + rest(t)]),
        ('w3c', ['#Software: Microsoft Internet Information Services 10.0', '#Version: 1.0', '#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status',
                 day + ' ' + clock + ' 10.0.0.4 GET /coats/a - 443 - 203.0.113.%d ' + agent + ' - 200']),
        ('w3c', ['#Version: 1.0', '#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query x-host-header',
                 '\t'.join([day, clock, 'FRA2', '2', '203.0.113.%d', 'GET', 'd1.cloudfront.net', '/coats/a', '200', '-', twice.replace('%', '%%'), '-', 'shop.example'])]),
        ('alb', ['https ' + iso[:-1] + '.186641Z app/lb/5 203.0.113.%d:2817 10.0.0.1:80 0.0 0.0 0.0 200 200 34 366 "GET https://shop.example:443/coats/a HTTP/2.0" "' + CHROME + '" A TLSv1.2 arn']),
        ('json', [json.dumps({'ts': t + 0.5, 'logger': 'http.log.access', 'request': {'remote_ip': '203.0.113.%d', 'method': 'GET', 'host': 'shop.example', 'uri': '/coats/a', 'headers': {'User-Agent': [CHROME]}}, 'status': 200})]),
        ('json', [json.dumps({'time_local': clf(t)[1:-1], 'remote_addr': '203.0.113.%d', 'request': 'GET /coats/a HTTP/1.1', 'status': '200', 'http_user_agent': CHROME, 'host': 'shop.example'})]),
        ('json', [json.dumps({'ClientAddr': '203.0.113.%d:99', 'DownstreamStatus': 200, 'RequestHost': 'shop.example', 'RequestMethod': 'GET', 'RequestPath': '/coats/a', 'StartUTC': iso, 'request_User-Agent': CHROME})]),
    ]
    for i, (form, lines) in enumerate(forms):
        text = ''.join(l + '\n' for l in lines[:-1]) + ''.join(lines[-1] % n + '\n' for n in (1, 2, 3))
        r = give(store, gzip.compress(text.encode()) + bytes(1024), name='log%d.gz' % i)
        assert (r['format'], r['read'], r['accepted'], r['refused']) == (form, 3, 3, {}), (form, text, r)
        assert visitors(store) == 3 * (i + 1)
        assert give(store, text.encode(), '--format', form)['already'] >= 3        # unpacked, by its name: the same file
    r = store.import_lines(['{"id":"a","u":"https://shop.example/coats/a"}'])
    assert r['format'] == 'ndjson'
    assert store.js('import', store.dir + '/import.ndjson')['already'] == 1         # events, too
    assert store.sizes()['coats-ever'] == 20                                       # twenty-one and one, rounded
    store.verify()


def test_a_form_of_its_own(server):
    t = server.now() - 3600
    lines = ['shop.example|203.0.113.%d, 10.0.0.2|%s|GET /coats/a HTTP/1.1|200|%s' % (n, clf(t)[1:-1], CHROME) for n in (1, 2, 3)]
    r = give(server, lines, '--log-format', '$host|$http_x_forwarded_for|$time_local|$request|$status|$http_user_agent')
    assert (r['format'], r['accepted'], visitors(server)) == ('log-format', 3, 3)
    r = give(server, ['203.0.113.%d - - ' % n + rest(t) for n in (1, 2, 3)] + ['x'], '--log-format', 'LogFormat "%h %l %u %t \\"%r\\" %>s %b \\"%{Referer}i\\" \\"%{User-Agent}i\\"" combined', name='b')
    assert (r['accepted'], r['refused'], r['refused_lines'][0]['line']) == (3, {'malformed': 1}, 4)
    for notation, words in (('$remote_addr$status', 'where the value before it ends'), ('%h %t', 'no request'), ('nothing', "nginx's notation")):
        assert words in server.cli('import', server.dir + '/b', '--consent', 'asserted', '--log-format', notation, ok=(2,)).stderr
    assert '--log-format goes without' in server.cli('import', server.dir + '/b', '--format', 'combined', '--log-format', '%h', ok=(2,)).stderr
    for arguments in ([], ['--format', 'combined'], ['--log-format', '%h %t "%r" %>s'], ['--format', 'auto']):
        assert '--consent asserted' in server.cli('import', server.dir + '/b', *arguments, ok=(2,)).stderr
    for host in ('shop example', 'https://', '*.shop.example', ''):
        assert '--host: ' in server.cli('import', server.dir + '/b', '--consent', 'asserted', '--format', 'combined', '--host', host, ok=(2,)).stderr
    r = give(server, ['203.0.113.8 - - ' + rest(t)], '--host', 'https://Shop.example:8443/', name='d')
    assert (r['accepted'], r['refused']) == (1, {}), r                             # the host of it
    assert 'ndjson, combined, w3c' in server.cli('import', server.dir + '/b', '--format', 'iis', ok=(2,)).stderr
    with open(server.dir + '/c', 'w') as f:
        f.write('what is this\n')
    assert 'neither events nor a log' in server.cli('import', server.dir + '/c', '--consent', 'asserted', ok=(1,)).stderr


def test_requests_that_are_none_and_bytes_of_all_kinds(server):
    t = server.now() - 3600
    line = lambda request, status=200: '203.0.113.1 - - %s "%s" %d 1 "-" "%s"' % (clf(t), request, status, CHROME)
    r = give(server, [line('GET https://other.example/coats/b HTTP/1.1'), line('GET /caf\\xc3\\xa9 HTTP/1.1'), line('GET /a \\"b\\" HTTP/1.1'), line('-', 400), line('\\x16\\x03\\x01', 400), line('\x16\x03\x01'), line('', 408),
                      line('OPTIONS * HTTP/1.0'), line('GET /old HTTP/1.1', 301), line('GET /a.css HTTP/1.1')])
    assert (r['accepted'], r['refused']) == (3, {}) and r['skipped'] == {'static_files': 1, 'method': 1, 'status': 1, 'request': 4}, r
    # zeros may fill up what was packed; anything else may not
    packed = gzip.compress(('203.0.113.7 - - ' + rest(t) + '\n').encode())
    assert give(server, packed + bytes(100000), name='z.gz')['accepted'] == 1
    assert give(server, packed + bytes(512) + packed, '--again', name='y.gz')['accepted'] == 2
    path = server.dir + '/x.gz'
    with open(path, 'wb') as f:
        f.write(packed + b'trailer')
    assert 'cannot be unpacked' in server.cli('import', path, '--consent', 'asserted', '--again', ok=(1,)).stderr


def test_a_file_in_utf_16_says_so(server):
    text = '203.0.113.1 - - ' + rest(server.now() - 60) + '\r\n'
    for coding in ('utf-16', 'utf-16-be'):
        path = os.path.join(server.dir, 'utf16.log')
        with open(path, 'wb') as f:
            f.write((text if coding == 'utf-16' else '\ufeff' + text).encode(coding))
        for more in ([], ['--format', 'combined'], ['--format', 'ndjson']):
            r = server.cli('import', path, '--consent', 'asserted', *more, ok=(1,))
            assert 'is UTF-16' in r.stderr and 'save it as UTF-8' in r.stderr and r.stderr.count('\n') == 1, r.stderr
