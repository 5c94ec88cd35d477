"""How a delivered file begins, without ids: each format, and nobody who can be found in it."""
import gzip
import json
import os

import pytest
from harness import Browser
from partner import export_to
from test_acting import tell
from test_formats import NUMBERS, PARTNERS, RULES

DOTS = '••••'
N, FEW = 30, 5  # members of both; those who have bought, and so are in one alone
FORMATS = {
    'csv': ('format: csv', '%s,coats-ever,DAY,add'),
    'csv-gz': ('format: csv, compress: gz', '%s,coats-ever,DAY,add'),
    'csv-zstd': ('format: csv, compress: zstd', '%s,coats-ever,DAY,add'),
    'ndjson': ('format: ndjson', '{"id":"%s","segment":"coats-ever","expires":"DAY","action":"add"}'),
    'ortb-user-data': ('format: ortb-user-data', '{"user":{"id":"%s","data":[{"name":"crumb","ext":{"segtax":4},"segment":[{"id":"498"'),
    'xandr-text': ('format: xandr-text, partner: acme, ' + NUMBERS, '%s;5849:'),
    'xandr-avro': ('format: xandr-avro, partner: acme, ' + NUMBERS, '{"uid":"%s","segments":[{"id":5849,"expiration":'),
    'xandr-avro-own': ('format: xandr-avro, settings: {member: "958"}', '{"uid":"%s","segments":[{"code":"coats-ever","member_id":958,"expiration":'),
    'ttd-thirdparty': ('format: ttd-thirdparty, partner: acme, settings: {data_provider_id: dp}', '{"TDID":"%s","Data":[{"Name":"coats-ever"'),
    'google-bulk': ('format: google-bulk, partner: acme, ' + NUMBERS, 'ops { user_id: "%s" user_list_id: 5849 '),
    'aam': ('format: aam, partner: acme, settings: {dpid: "7"}, ' + NUMBERS, '%s\td_sid=5849,d_sid=5848'),
    'liveramp': ('format: liveramp, partner: acme, settings: {distribution_id: "3"}', '%s\tcoats-ever,intenders'),
    'segment-audience': ('format: segment-audience', '{"type":"track","messageId":"%s","anonymousId":"%s","event":"Audience Entered"'),
}


@pytest.fixture
def world(make):
    def new(destination, n=N):
        server = make(rules=RULES % {'to': 'x'}, options=['privacy.k=20'], destinations='')
        server.write_destinations(PARTNERS + '  - {id: x, %s, deliver: {directory: "%s/out"}}\n' % (destination, server.dir))
        tell(server, 'POST', '/v1/reload')
        server.ids = []
        for i in range(n):
            b = Browser.known(server)
            b.hit('/coats/1')
            server.ids.append('57278%05d' % i)
            b.request('GET', '/sync?partner=acme&uid=' + server.ids[-1])
            if i < FEW and n == N:
                b.hit('/thanks', event='purchase')
        server.settle()
        return server
    return new


def head(server, more='', **kw):
    return tell(server, 'GET', '/v1/delivery/head?to=x' + more, **kw)


@pytest.mark.parametrize('name', FORMATS)
def test_a_file_of_each_format_is_shown_without_ids(world, name):
    settings, like = FORMATS[name]
    server = world(settings)
    assert head(server)['state'] == 'none'
    assert tell(server, 'POST', '/v1/deliver?to=x')['state'] == 'delivered'
    told = head(server)
    manifest = json.load(open('%s/out/%s.manifest.json' % (server.dir, told['delivery'])))
    assert (told['state'], told['file'], told['below'], told['more'], told['part']) == ('file', manifest['files'][0]['name'], 20, False, False)
    lines = told['lines']
    want = like.replace('%s', DOTS).split('DAY')
    assert any(line.startswith(want[0]) and line.endswith(want[-1]) if len(want) > 1 else line.startswith(want[0]) for line in lines), lines
    assert len(set(lines)) == len(lines)
    assert not any(i in '\n'.join(lines) for i in server.ids)
    assert server.js('destinations', 'head', 'x') == told


def test_what_fewer_than_k_share_is_not_told(world):
    server = world('format: liveramp, partner: acme, settings: {distribution_id: "3"}')
    tell(server, 'POST', '/v1/deliver?to=x')
    told = head(server)     # five are in coats-ever alone
    assert told['lines'] == [DOTS + '\tcoats-ever,intenders'] and told['more'] is False
    name = '%s/out/%s' % (server.dir, told['file'])
    assert {line.split('\t')[1] for line in open(name).read().splitlines()} == {'coats-ever', 'coats-ever,intenders'}
    os.remove(name)
    os.symlink('/etc/passwd', name)
    assert head(server)['state'] == 'gone'


@pytest.mark.parametrize('name', ['csv', 'csv-gz', 'xandr-avro'])
def test_what_a_stranger_writes_there_is_not_told(world, name):
    server = world(FORMATS[name][0])
    tell(server, 'POST', '/v1/deliver?to=x')
    told = head(server)
    path = '%s/out/%s' % (server.dir, told['file'])
    whole = open(path, 'rb').read()
    secret = b'id,segment,expires,action\n' + b'x,%s,2026-12-01,add\n' % server.ids[0].encode() * 40   # somebody, told k times
    for planted in (secret, gzip.compress(secret), whole + secret, whole[:-1], b''):
        with open(path, 'wb') as f:
            f.write(planted)
        assert head(server) == {'destination': 'x', 'format': told['format'], 'state': 'changed'}
    assert 'not what was delivered' in server.cli('destinations', 'head', 'x').stdout
    with open(path, 'wb') as f:
        f.write(whole)
    manifest = '%s/out/%s.manifest.json' % (server.dir, told['delivery'])
    with open(manifest, 'w') as f:  # whose names are not asked
        f.write(json.dumps({'files': [{'name': '../../' + server.ids[0]}]}) + ' ' * (4 << 20))
    assert head(server) == told
    os.remove(path)
    os.mkfifo(path)
    assert head(server)['state'] == 'gone'


def test_a_delivery_of_which_the_beginning_was_not_noted_says_so(world):
    server = world('format: csv')
    tell(server, 'POST', '/v1/deliver?to=x')
    log = server.store + '/exports/x/log'
    line = json.loads(open(log).read())
    name = head(server)['file']
    manifest = json.load(open('%s/out/%s.manifest.json' % (server.dir, line['delivery'])))
    assert line.pop('first') == {'name': name, 'begins': manifest['files'][0]['sha256']} and 'first' not in manifest
    assert 'first' not in tell(server, 'GET', '/v1/deliveries?to=x')['deliveries'][0]
    with open(log, 'w') as f:
        f.write(json.dumps(line) + '\n')
    assert head(server)['state'] == 'older'
    assert 'earlier version' in server.cli('destinations', 'head', 'x').stdout


def test_of_two_deliveries_the_latest_is_shown(world):
    server = world('format: csv')
    tell(server, 'POST', '/v1/deliver?to=x')
    first = head(server)
    server.advance('1d')
    for _ in range(N):
        Browser.known(server).hit('/coats/1')
    server.settle()
    assert tell(server, 'POST', '/v1/deliver?to=x')['state'] == 'delivered'
    latest = head(server)
    assert latest['delivery'] != first['delivery'] and latest['file'] != first['file']
    assert latest['delivery'] == tell(server, 'GET', '/v1/deliveries?to=x')['deliveries'][0]['delivery']
    # the day on which a membership ends is that of the second day's hits
    assert len(latest['lines']) == len(first['lines']) and not set(latest['lines'][1:]) & set(first['lines'][1:])
    for name in os.listdir(server.dir + '/out'):     # it is the second file that is read, and not whatever lies there
        if latest['file'] in name:
            os.remove(server.dir + '/out/' + name)
    assert head(server)['state'] == 'gone'


def test_lines_are_bounded(world):
    server = world('format: csv')
    tell(server, 'POST', '/v1/deliver?to=x')
    told = head(server, '&lines=2')
    assert told['lines'][0] == 'id,segment,expires,action' and len(told['lines']) == 2 and told['more'] is True
    assert len(head(server)['lines']) == 3 and head(server)['more'] is False
    for wrong in ('0', '101', 'many'):
        assert 'lines is a number from 1 to 100' in head(server, '&lines=' + wrong, status=400)['error']
    text = server.cli('destinations', 'head', 'x', '--lines', '2').stdout
    assert DOTS + ',coats-ever,' in text and text.endswith('...\n')
    assert server.cli('destinations', 'head', 'x', '--lines', '0', ok=(2,)).returncode == 2


def test_a_push_says_that_no_file_stays(world):
    server = world('format: csv')
    server.write_destinations(PARTNERS + '  - {id: x, format: csv, deliver: {url: "http://127.0.0.1:9/in"}}\n  - {id: live, format: stream}\n')
    tell(server, 'POST', '/v1/reload')
    assert head(server) == {'destination': 'x', 'format': 'csv', 'state': 'push'}
    assert tell(server, 'GET', '/v1/delivery/head?to=live')['state'] == 'asked'
    assert "'y'" in tell(server, 'GET', '/v1/delivery/head?to=y', status=404)['error']
    assert 'none stays here' in server.cli('destinations', 'head', 'x').stdout


def test_a_file_that_was_taken_away_is_said_to_be_gone(world):
    server = world('format: csv')
    tell(server, 'POST', '/v1/deliver?to=x')
    for name in os.listdir(server.dir + '/out'):
        os.remove(server.dir + '/out/' + name)
    assert head(server) == {'destination': 'x', 'format': 'csv', 'state': 'gone'}


def test_an_export_to_another_folder_is_not_looked_for(world):
    server = world('format: csv')
    export_to(server, 'x', '--out', server.dir + '/elsewhere')
    assert head(server)['state'] == 'gone'


def test_both_commands_say_what_is_wrong_with_the_file(world):
    server = world('format: csv', n=1)
    server.write_destinations('destinations:\n  - {id: x, format: cvs}\n')
    for words in (('list',), ('head', 'x')):
        said = server.cli('destinations', *words, ok=(1,))
        assert 'cvs' in said.stderr and not said.stdout


def test_where_nothing_may_be_told_that_is_said(world):
    server = world('format: csv')
    tell(server, 'POST', '/v1/deliver?to=x')
    server.options = ['privacy.k=50']
    server.restart()
    assert head(server)['lines'] == [] and head(server)['part'] is False
    assert 'no line has enough others like it' in server.cli('destinations', 'head', 'x').stdout
