"""What is the same for everybody: the tag and its neighbours, compressed, asked for again, asked for with conditions."""
import email.utils
import gzip

from harness import Browser


def get(server, path='/crumb.js', method='GET', **headers):
    status, r, data = server.http(method, path, headers={k.replace('_', '-'): v for k, v in headers.items()})
    return status, r, data


def test_the_tag_comes_compressed_to_who_takes_it(server):
    _, plain, text = get(server)
    _, r, packed = get(server, Accept_Encoding='gzip')
    assert gzip.decompress(packed) == text and len(packed) < 2100 and r.getheader('ETag') != plain.getheader('ETag')
    assert b'utm_campaign' in text and text.startswith(b'!function')
    for field, coded in (('gzip, deflate, br, zstd', True), ('*', True), ('GZIP', True), ('x-gzip', True), ('gzip;q=0.5', True), ('identity;q=0.5, gzip;q=0.8', True), ('gzip;q=0', False), ('gzip;q=0.0, *', False),
                         ('identity, gzip;q=0.5', False), ('br', False), ('', False), ('deflate', False), ('gzip;q=x', False)):
        status, r, data = get(server, Accept_Encoding=field)
        assert (status, r.getheader('Content-Encoding'), data) == (200, 'gzip' if coded else None, packed if coded else text), field
        assert r.getheader('Vary') == 'Accept-Encoding' and r.getheader('Content-Length') == str(len(data))
        status, h, nothing = get(server, method='HEAD', Accept_Encoding=field)
        assert (status, h.getheader('Content-Length'), h.getheader('ETag'), nothing) == (200, str(len(data)), r.getheader('ETag'), b'')
    assert get(server, Accept_Encoding='identity;q=0, gzip;q=0')[0] == 406


def test_who_has_it_is_told_so(server):
    for coding in ('identity', 'gzip'):
        _, r, _ = get(server, Accept_Encoding=coding)
        etag, modified = r.getheader('ETag'), r.getheader('Last-Modified')
        when = email.utils.parsedate_to_datetime(modified)
        assert etag.startswith('"') and when <= email.utils.parsedate_to_datetime(r.getheader('Date'))
        before = email.utils.format_datetime(when.replace(year=when.year - 1), usegmt=True)
        old = when.strftime('%A, %d-%b-%y %H:%M:%S GMT')
        for want, fields in ((304, {'If_None_Match': etag}), (304, {'If_None_Match': 'W/' + etag}), (304, {'If_None_Match': '"x", W/"y",%s' % etag}), (304, {'If_None_Match': '*'}), (200, {'If_None_Match': '"x"'}),
                             (200, {'If_None_Match': '"x"', 'If_Modified_Since': modified}), (304, {'If_Modified_Since': modified}), (304, {'If_Modified_Since': old}), (200, {'If_Modified_Since': before}),
                             (200, {'If_Modified_Since': 'today'}), (200, {'If_Match': etag}), (412, {'If_Match': '"x"'}), (412, {'If_Match': 'W/' + etag}), (412, {'If_Unmodified_Since': before}),
                             (200, {'If_Unmodified_Since': modified}), (304, {'If_Match': '*', 'If_None_Match': etag})):
            for method in ('GET', 'HEAD'):
                status, r, data = get(server, method=method, Accept_Encoding=coding, **fields)
                assert status == want, fields
                if status == 304:
                    assert data == b'' and r.getheader('ETag') == etag and r.getheader('Cache-Control') == 'public, max-age=3600' and r.getheader('Vary') == 'Accept-Encoding' and r.getheader('Date')
                    assert not any(r.getheader(h) for h in ('Content-Type', 'Content-Length', 'Content-Encoding', 'Last-Modified')) and r.getheader('Access-Control-Allow-Origin') == '*'
    # the other coding's tag names other bytes
    _, r, _ = get(server, Accept_Encoding='gzip')
    assert get(server, Accept_Encoding='identity', If_None_Match=r.getheader('ETag'))[0] == 200


def test_the_connection_goes_on_behind_a_304(server):
    etag = get(server)[1].getheader('ETag')
    one = b'GET /crumb.js HTTP/1.1\r\nHost: h\r\nIf-None-Match: %s\r\n\r\n' % etag.encode()
    got = server.raw(one * 3 + b'GET /robots.txt HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n')
    assert got.count(b'HTTP/1.1 304 ') == 3 and got.endswith(b'User-agent: *\nDisallow: /\n')


def test_crawlers_and_browsers_ask_for_more(server):
    for path, start in (('/robots.txt', b'User-agent: *\nDisallow: /'), ('/.well-known/gpc.json', b'{"gpc":true')):
        status, r, data = get(server, path, Accept_Encoding='gzip')
        assert status == 200 and data.startswith(start) and r.getheader('Content-Encoding') is None
        assert get(server, path, If_None_Match=r.getheader('ETag'))[0] == 304 and get(server, path, method='HEAD')[0] == 200
    assert get(server, '/robots.txt')[1].getheader('Content-Type') == 'text/plain'
    status, r, data = get(server, '/favicon.ico')
    assert (status, data) == (204, b'') and 'max-age' in r.getheader('Cache-Control')
    assert server.metric('bad_requests_total{reason="not_found"}') == 0


def test_the_tag_knows_what_the_server_keeps(make):
    plain, other = get(make())[2], get(make(options=['privacy.keep_query=colour, Size,q']))
    assert other[2] == plain.replace(b'utm_campaign', b'utm_campaign,colour,Size,q') != plain
    # what never changes has no conditions to meet elsewhere: nothing is refused, nothing is new
    b = Browser.known(make())
    assert b.hit('/coats/1') == 200 and b.request('GET', '/p.gif', headers={'If-None-Match': '*', 'If-Modified-Since': 'Thu, 01 Jan 2099 00:00:00 GMT'})[0] == 200


def test_http_1_0_keeps_a_connection_that_asks_for_it(server):
    def ask(*lines, path='/robots.txt', method='GET', body=b''):
        return ('%s %s HTTP/1.0\r\n' % (method, path) + ''.join(l + '\r\n' for l in lines) + '\r\n').encode() + body
    hit = '/p.gif?u=https%3A%2F%2Fshop.example%2Fcoats%2F1'
    b = Browser.known(server)
    known, agent = 'Cookie: crumb=' + b.jar['crumb'], 'User-Agent: ' + b.agent
    for one in (ask('Connection: keep-alive'), ask('Connection: Keep-Alive', 'Host: h'), ask('Connection: keep-alive', path='/nothing'), ask('Connection: keep-alive', path='/crumb.js'),
                ask('Connection: keep-alive', known, agent, path=hit), ask('Connection: keep-alive', agent, path=hit), ask('Connection: keep-alive', method='HEAD'),
                ask('Connection: keep-alive', 'Content-Length: 2', agent, path='/e', method='POST', body=b'{}'), ask('Connection: keep-alive', 'Expect: 100-continue', 'Content-Length: 2', path='/e', method='POST', body=b'{}')):
        got = server.raw(one * 3 + ask())
        assert got.count(b'\r\nConnection: keep-alive\r\n') == 3 and got.count(b'\r\nConnection: close\r\n') == 1 and got.count(b'HTTP/1.1 ') == 4, one
        assert b' 100 ' not in got
    for one in (ask(), ask(known, agent, path=hit), ask('Connection: close')):
        got = server.raw(one * 2)
        assert got.count(b'HTTP/1.1 ') == 1 and b'\r\nConnection: close\r\n' in got
    # 1.1 stays without being asked, and says nothing of it
    assert b'Connection' not in server.raw(b'GET /robots.txt HTTP/1.1\r\nHost: h\r\nConnection: keep-alive\r\n\r\n', wait=1)
