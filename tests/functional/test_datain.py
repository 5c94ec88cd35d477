"""What comes in from elsewhere: partners' segments and attributes through the match table, one crumb's export into another, access logs."""
import csv
import gzip
import json
import os
import time
import urllib.parse

import pytest
import zstandard
from harness import CHROME, DAY, Browser

RULES = '''version: 1
attributes:
  - {id: acme_auto, source: acme, segment: "Auto Intender", labels: [third-party]}
  - {id: acme_old, source: acme, segment: s-2}
  - {id: tier, source: acme, values: [gold, silver]}
  - {id: score, source: acme, range: 0..100}
  - {id: size, values: [s, m]}
categories:
  - {id: coats, any: [{path: "/coats/*"}]}
segments:
  - {id: auto, when: attr.acme_auto = member, destinations: [lake]}
  - {id: gold, when: attr.tier = gold or attr.score >= 90, destinations: [lake]}
  - {id: coats, when: coats, destinations: [lake]}
'''
DESTINATIONS = '''version: 1
partners:
  - {id: acme, labels: [%s]}
destinations:
  - {id: lake, format: csv, labels: [third-party, log, first]}
  - {id: strict, format: csv}
'''


@pytest.fixture
def world(make):
    server = make(rules=RULES, destinations=DESTINATIONS % 'first')
    server.browsers = [Browser.known(server) for _ in range(30)]
    for i, b in enumerate(server.browsers):
        b.request('GET', '/sync?partner=acme&uid=A%d' % i)
    server.settle()
    return server


def give(server, what, text, partner='acme', name='in.csv', ok=(0,)):
    path = os.path.join(server.dir, name)
    with open(path, 'w' if isinstance(text, str) else 'wb') as f:
        f.write(text)
    r = server.cli('import', what, path, '--partner', partner, '--json', ok=ok)
    return json.loads(r.stdout) if r.returncode == 0 else r.stderr


def attributes(b):
    return b.shown()['attributes']


def test_segments_of_a_partner(world):
    soon = time.strftime('%Y-%m-%d', time.gmtime(world.now() + 5 * DAY))
    past = time.strftime('%Y-%m-%d', time.gmtime(world.now() - DAY))
    rows = ['A%d,Auto Intender,' % i for i in range(25)] + ['A25,"Auto Intender",' + soon, 'A26,Auto Intender,' + past, 'A1,s-2,', 'A1,unknown,', 'X9,s-2,', 'A1,s-2,tomorrow']
    r = give(world, 'segments', 'id,segment,expires\n' + '\n'.join(rows) + '\n')
    assert (r['read'], r['accepted'], r['refused']) == (31, 28, {'undeclared': 1, 'id': 1, 'json': 1})
    assert attributes(world.browsers[1]) == {'acme_auto': 'member', 'acme_old': 'member'} and attributes(world.browsers[26]) == {}
    assert world.sizes()['auto'] == 30              # twenty-six, rounded
    assert 'auto' in world.browsers[25].shown()['segments']
    world.advance('5d')
    assert 'auto' not in world.browsers[25].shown()['segments'] and 'auto' in world.browsers[0].shown()['segments']
    r = give(world, 'segments', 'segment,action,id\nAuto Intender,remove,A0\n')
    assert r['accepted'] == 1 and attributes(world.browsers[0]) == {}
    world.verify()
    key = world.browsers[1].shown()['visitor']
    for b in world.browsers:
        b.hit('/home')
    world.advance('84d')
    assert world.visitor('--key', key)['attributes'] == {'acme_auto': 'member', 'acme_old': 'member'}
    world.advance('1d')             # ninety days after the file; the visitors are still there
    assert world.visitor('--key', key)['attributes'] == {}
    world.verify()
    assert world.stop() == 0 and world.js('db', 'verify', '--replay')['ok']


def test_attributes_of_a_partner(world):
    lines = [{'id': 'A0', 'attributes': {'tier': 'GOLD', 'score': 12}}, {'id': 'A1', 'attributes': {'score': '95'}}, {'id': 'A2', 'attributes': {'tier': 'bronze'}},
             {'id': 'A3', 'attributes': {'size': 's'}}, {'id': 'A0', 'attributes': {'score': None}}, {'id': 'A4'}, {'id': 'A5', 'attributes': {'tier': 'silver', 'email': 'x@y.z'}}]
    r = give(world, 'attributes', ''.join(json.dumps(l) + '\n' for l in lines), name='in.ndjson')
    assert (r['read'], r['accepted'], r['refused']) == (7, 4, {'value': 1, 'undeclared': 1, 'json': 1})
    assert attributes(world.browsers[0]) == {'tier': 'gold'} and attributes(world.browsers[1]) == {'score': '95'} and attributes(world.browsers[5]) == {'tier': 'silver'}
    assert 'gold' in world.browsers[1].shown()['segments']
    r = give(world, 'attributes', gzip.compress(b'id,tier,score\nA6,silver,\nA7,"gold",7\n'), name='in.csv.gz')
    assert r['accepted'] == 2 and attributes(world.browsers[7]) == {'tier': 'gold', 'score': '7'}
    world.browsers[8].hit('/x', extra='&a.tier=gold&a.size=m&a._source=log')        # a page cannot say what a partner says
    world.settle()
    assert attributes(world.browsers[8]) == {'size': 'm'}
    assert "there is no partner 'nobody'" in give(world, 'attributes', 'id,tier\nA1,gold\n', partner='nobody', ok=(1,))
    assert world.cli('import', 'segments', 'x.csv', ok=(2,)).returncode == 2
    world.stop()
    assert give(world, 'attributes', 'id,tier\nA9,gold\n')['accepted'] == 1             # without a server, too
    world.verify()


def test_what_a_partner_gave_goes_only_where_its_labels_may(world):
    give(world, 'segments', 'id,segment\n' + ''.join('A%d,Auto Intender\n' % i for i in range(30)))
    lake = lambda: {s['id']: s['state'] for s in world.js('export', '--to', 'lake', '--out', world.dir + '/lake')['segments']}
    assert lake()['auto'] == 'sent'
    world.write_destinations(DESTINATIONS % 'bought')
    assert lake()['auto'] == 'label'                # all that acme gives has a label that is not allowed there
    r = world.cli('rules', 'check', ok=(1,))
    assert "labelled 'bought' and may not go to 'lake'" in r.stderr


def test_one_crumb_s_export_is_another_one_s_import(make):
    there = make(rules=RULES.replace('destinations: [lake]', 'destinations: [here]'),
                 destinations='version: 1\npartners:\n  - {id: here, redirects: ["https://here.example/"]}\ndestinations:\n  - {id: here, format: csv, compress: zstd, labels: [third-party]}\n')
    here = make(rules='''version: 1
attributes: [{id: there_coats, source: there, segment: coats}]
categories: [{id: x, any: [{path: /x}]}]
segments: [{id: from-there, when: attr.there_coats = member}]
''', destinations='version: 1\npartners: [{id: there}]\n')
    pairs = [(Browser.known(there), Browser.known(here)) for _ in range(25)]
    for a, b in pairs:                              # a page carries both; the one redirects to the other
        a.hit('/coats/1')
        url = 'https://here.example/sync?' + urllib.parse.urlencode({'partner': 'there', 'uid': '$UID'}).replace('%24', '$')
        to = a.request('GET', '/sync?' + urllib.parse.urlencode({'partner': 'here', 'redirect': url}))[1].getheader('Location')
        assert b.request('GET', to.replace('https://here.example', ''))[0] == 200
    here.settle()
    r = there.js('export', '--to', 'here', '--out', there.dir + '/out')
    files = [there.dir + '/out/' + f for f in os.listdir(there.dir + '/out') if f.endswith('.zst')]
    assert r['added'] == 25 and len(files) == 1
    r = here.js('import', 'segments', files[0], '--partner', 'there', '--format', 'csv')
    assert (r['read'], r['accepted']) == (25, 25) and here.sizes()['from-there'] in (20, 30)
    there.cli('visitor', 'erase', '--cookie', pairs[0][0].jar['crumb'])
    there.js('export', '--to', 'here', '--out', there.dir + '/out2')
    files = [there.dir + '/out2/' + f for f in os.listdir(there.dir + '/out2') if f.endswith('.zst')]
    assert here.js('import', 'segments', files[0], '--partner', 'there', '--format', 'csv')['accepted'] == 1
    assert 'from-there' not in pairs[0][1].shown()['segments'] and 'from-there' in pairs[1][1].shown()['segments']


# --- access logs

BOT = 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)'


def log_line(t, path, who='81.2.69.142', agent=CHROME, method='GET', status=200, referer='-'):
    when = time.strftime('%d/%b/%Y:%H:%M:%S +0000', time.gmtime(t))
    return '%s - - [%s] "%s %s HTTP/1.1" %d 123 "%s" "%s"' % (who, when, method, path, status, referer, agent)


def test_an_access_log(make, tmp_path):
    server = make(rules=RULES + '  - {id: brits, when: country = GB}\n', destinations=DESTINATIONS % 'first')
    t = server.now() - 3600
    lines = []
    for i in range(40):
        lines += [log_line(t, '/coats/%d?user=jane@example.com' % i, '81.2.69.%d' % (i + 1), referer='https://www.google.com/search?q=x'), log_line(t, '/style.css', '81.2.69.%d' % (i + 1)),
                  log_line(t, '/logo.PNG?v=3', '81.2.69.%d' % (i + 1)), log_line(t, '/cart', '81.2.69.%d' % (i + 1), method='POST'), log_line(t, '/old', '81.2.69.%d' % (i + 1), status=301)]
    lines += [log_line(t, '/coats/1', '66.249.66.1', BOT)] * 7 + ['no log line at all', '1.2.3.4 - - [99/Foo/2026] "GET / HTTP/1.0" 200 1', '']
    lines += [log_line(t - 100 * DAY, '/coats/1'), log_line(t, '/caf\xe9/"x"'.replace('"', '\\"')), '%s "-" "-"' % log_line(t, '/coats/1', 'host.example').split(' "-" "')[0]]
    for name, pack in (('log', lambda b: b), ('log.gz', lambda b: gzip.compress(b[:2000]) + gzip.compress(b[2000:])), ('log.zst', zstandard.ZstdCompressor().compress)):
        path = tmp_path / name
        path.write_bytes(pack('\n'.join(lines + ['']).encode('latin-1')))
        server.cli('import', str(path), '--format', 'combined', ok=(2,))
        if name != 'log':
            assert server.js('import', str(path), '--format', 'combined', '--consent', 'asserted')['already'] == len(lines)
        r = server.js('import', str(path), '--format', 'combined', '--consent', 'asserted', '--again')
        assert (r['read'], r['accepted'], r['set_aside']) == (212, 41, 7), r        # 'host.example' is no address
        assert r['skipped'] == {'static_files': 80, 'method': 40, 'status': 40, 'request': 0} and r['refused'] == {'malformed': 3, 'old': 1}
    # each import has its own key: the same people are others in the next; and nobody's name is in it
    assert server.js('db', 'stat')['visitors'] == 3 * 41 and server.sizes()['coats'] == 120 and server.sizes()['brits'] == 120
    server.settle()
    with open(os.path.join(server.store, 'journal', os.listdir(server.store + '/journal')[0], 'data.mdb'), 'rb') as f:
        assert b'jane' not in f.read()
    # labelled: not for destinations that do not say that they may have it
    strict = RULES.replace('id: coats, when: coats, destinations: [lake]', 'id: coats, when: coats, destinations: [lake, strict]')
    from test_rules import reload
    reload(server, strict + '  - {id: brits, when: country = GB}\n')
    assert server.js('export', '--to', 'strict', '--out', server.dir + '/s')['added'] == 0
    assert server.js('export', '--to', 'lake', '--out', server.dir + '/l')['added'] == 40 * 3
    assert server.cli('export', 'coats', '--out', server.dir + '/f', ok=(1,)).returncode == 1
    broken = tmp_path / 'broken.gz'
    broken.write_bytes(gzip.compress('\n'.join(lines).encode('latin-1'))[:-40])
    assert 'it ends in the middle' in server.cli('import', str(broken), '--format', 'combined', '--consent', 'asserted', ok=(1,)).stderr


def test_events_with_address_and_agent(make):
    server = make(options=['sites=shop.example'])
    r = server.import_lines([{'id': 'a', 't': server.now(), 'u': 'https://shop.example/coats/1', 'ip': '81.2.69.142', 'ua': CHROME}, {'id': 'b', 'ip': 'no address'},
                             {'id': 'c', 'u': 'https://shop.example/', 'source': 'call centre'}, {'id': 'd', 'u': 'https://shop.example/', 'source': 'crm'}])
    assert (r['accepted'], r['refused']) == (2, {'json': 2})
    v = server.visitor('--id', 'a')
    assert (v['country'], v['browser'], v['device']) == ('GB', 'chrome', 'desktop')
    assert server.visitor('--id', 'd')['attributes'] == {'_source': 'crm'}


def test_tables_as_spreadsheets_write_them(world):
    r = give(world, 'segments', 'ID;Segment;Action\r\n' + ''.join('A%d;Auto Intender;ADD\r\n' % i for i in range(25)) + 'A25;"Auto Intender";Add\r\n', name='Liste.CSV')
    assert (r['read'], r['accepted'], r['refused']) == (26, 26, {})
    r = give(world, 'segments', 'Id\tSEGMENT\tACTION\nA0\tAuto Intender\tREMOVE\nA1\tAuto Intender\nA2\tnone\tadd\n', name='b.csv.2')
    assert (r['accepted'], r['refused']) == (1, {'malformed': 1, 'undeclared': 1})
    assert [(l['line'], l['reason']) for l in r['refused_lines']] == [(3, 'malformed'), (4, 'undeclared')]
    assert attributes(world.browsers[0]) == {} and attributes(world.browsers[1]) == {'acme_auto': 'member'}
    r = give(world, 'attributes', 'ID;tier;score\nA7;gold;7\n', name='c.CSV')
    assert attributes(world.browsers[7]) == {'acme_auto': 'member', 'tier': 'gold', 'score': '7'}
    for n, (text, name) in enumerate((('sep=;\r\nid;segment\r\nA8;Auto Intender\r\n', 'd.csv'), ('id\tsegment\nA9\tAuto Intender\n', 'e.tsv'), ('\ufeffsep=|\nid|segment\nA10|Auto Intender\n', 'f.csv'))):
        r = give(world, 'segments', text, name=name)
        assert (r['accepted'], r['refused']) == (1, {}), (text, r)
    assert 'names no column' in give(world, 'segments', 'user;segment\nA1;x\n', ok=(1,))
