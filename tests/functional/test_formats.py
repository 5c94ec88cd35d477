"""Every format, read back by readers that share no code with crumb: avro and protobuf of Debian, json, gzip, zstandard, and the partners' pages."""
import csv
import gzip
import hashlib
import io
import json
import os
import re
import subprocess
import time

import avro.datafile
import avro.io
import pytest
import zstandard
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from harness import BUILD, DAY, Browser
from partner import export_to

RULES = '''version: 1
categories:
  - {id: coats, any: [{path: "/coats/*"}]}
  - {id: buy, any: [{event: purchase}]}
segments:
  - {id: intenders, when: coats and not buy in 30d, iab: 498, destinations: [%(to)s]}
  - {id: coats-ever, name: "Coats, ever", when: coats, destinations: [%(to)s]}
'''
NUMBERS = 'segments: {intenders: 5848, coats-ever: 5849}'
PARTNERS = 'version: 1\npartners:\n  - {id: acme}\ndestinations:\n'
N = 24


@pytest.fixture
def world(make):
    def new(destination, ids='%d'):
        server = make(rules=RULES % {'to': 'x'}, destinations=PARTNERS + '  - {id: x, %s}\n' % destination)
        server.browsers = [Browser.known(server) for _ in range(N)]
        for i, b in enumerate(server.browsers):
            b.hit('/coats/1')
            b.request('GET', '/sync?partner=acme&uid=' + ids % (5000 + i))
        return server
    return new


def deliver(server, *arguments):
    out = server.dir + '/out-%d' % time.monotonic_ns()
    r = export_to(server, 'x', '--out', out, *arguments)
    assert r['state'] == 'delivered', r
    manifest = json.load(open(os.path.join(out, r['delivery'] + '.manifest.json')))
    for f in manifest['files']:
        data = open(os.path.join(out, f['name']), 'rb').read()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (f['bytes'], f['sha256'])
    assert sorted(os.listdir(out)) == sorted([f['name'] for f in manifest['files']] + [r['delivery'] + '.manifest.json'])
    return [(f['name'], open(os.path.join(out, f['name']), 'rb').read()) for f in manifest['files']], manifest


def buy(server, n=1):
    for b in server.browsers[:n]:
        b.hit('/thanks', event='purchase')


def minutes(server, days=None):
    """Until midnight of the last day that counts; within a minute or two."""
    until = (server.now() // DAY + (days or 90)) * DAY
    return range((until - server.now()) // 60 - 2, (until - server.now()) // 60 + 2)


def test_csv_and_its_chunks(world):
    server = world('format: csv, rows: 7, compress: zstd')
    files, manifest = deliver(server)
    assert [f['rows'] for f in manifest['files']] == [6] * 8 and manifest['added'] == 48
    rows = [l.split(',') for _, data in files for l in zstandard.ZstdDecompressor().decompressobj().decompress(data).decode().splitlines()]
    assert rows.count(['id', 'segment', 'expires', 'action']) == 8 and len(rows) == 56
    assert len({r[0] for r in rows if r[0] != 'id'}) == N


def test_ndjson_carries_the_consent_decision(make):
    tcf = 'CQtAQoAQtAQoAAfACBENBkFgALDAAAAAAAYgAQqqoAACAAAAAAAA.IAQqqoAACAAA'
    server = make(rules=RULES % {'to': 'x'}, destinations=PARTNERS + '  - {id: x, format: ndjson, purposes: [1, 3], compress: gz}\n', options=['consent.tcf.vendor=33'])
    for i in range(60):
        b = Browser(server)
        signal = '&gdpr=1&gdpr_consent=' + tcf if i < 30 else ''
        for _ in range(2):
            b.hit('/coats/1', extra=signal)
    files, _ = deliver(server)
    rows = [json.loads(l) for l in gzip.decompress(files[0][1]).decode().splitlines()]
    assert len(rows) == 120 and sum(r.get('purposes') == [1, 3, 4, 9, 10] for r in rows) == 60 and sum('purposes' not in r for r in rows) == 60
    server.write_destinations(PARTNERS + '  - {id: x, format: ndjson, purposes: [7]}\n')
    assert export_to(server, 'x', '--out', server.dir + '/o')['removed'] == 60      # purpose 7 was not consented to


def test_openrtb_user_data_says_what_holds(world):
    server = world('format: ortb-user-data, settings: {name: dmp.example}')
    files, _ = deliver(server)
    users = [json.loads(l)['user'] for l in files[0][1].decode().splitlines()]
    assert len(users) == N
    for u in users:
        taxonomy, own = u['data']
        assert taxonomy['name'] == own['name'] == 'dmp.example' and taxonomy['ext'] == {'segtax': 4} and 'ext' not in own
        assert [s['id'] for s in taxonomy['segment']] == ['498'] and [s['id'] for s in own['segment']] == ['coats-ever']
        assert all(s['ext']['expires'] % DAY == 0 for s in taxonomy['segment'] + own['segment'])
    buy(server)
    files, _ = deliver(server)
    user, = [json.loads(l)['user'] for l in files[0][1].decode().splitlines()]
    assert [[s['id'] for s in d['segment']] for d in user['data']] == [['coats-ever']]


def test_xandr_text(world):
    server = world('format: xandr-text, partner: acme, %s' % NUMBERS, ids='57278162134%d')
    lines = deliver(server)[0][0][1].decode('latin-1').splitlines()
    assert len(lines) == N and [l.split(';')[0] for l in lines] == sorted('57278162134%d' % (5000 + i) for i in range(N))
    for l in lines:
        found = re.fullmatch(r'(\d+);5849:(\d+):0,5848:(\d+):0', l)
        assert found and all(int(m) in minutes(server) for m in found.groups()[1:])
    buy(server)
    line, = deliver(server)[0][0][1].decode().splitlines()
    assert re.fullmatch(r'572781621345000;5848:-1:0', line)


def test_xandr_text_as_a_member_has_it_configured(world):
    server = world('format: xandr-text, settings: {separators: ",;:#^", fields: [SEG_CODE, VALUE, MEMBER_ID], member: "958"}, ttl: 10d')
    lines = deliver(server)[0][0][1].decode().splitlines()
    assert all(re.fullmatch(r'[0-9a-f]{32},coats-ever:0:958;intenders:0:958', l) for l in lines) and len(lines) == N
    buy(server)
    line, = deliver(server)[0][0][1].decode().splitlines()
    assert re.fullmatch(r'[0-9a-f]{32},#intenders:0:958', line)
    for bad in ('separators: "abcde"', 'separators: ";;,:^"', 'separators: ";,:"', 'fields: [SEG_ID, COLOUR]', 'fields: [VALUE]'):
        server.write_destinations(PARTNERS + '  - {id: x, format: xandr-text, settings: {%s, member: "958"}}\n' % bad)
        assert 'destination' in server.cli('export', '--to', 'x', '--out', server.dir + '/bad', ok=(1,)).stderr


def read_avro(data):
    return list(avro.datafile.DataFileReader(io.BytesIO(data), avro.io.DatumReader()))


def test_xandr_avro(world):
    server = world('format: xandr-avro, partner: acme, %s' % NUMBERS, ids='184467440737%d')
    users = read_avro(deliver(server)[0][0][1])
    assert [u['uid'] for u in users] == [int('184467440737%d' % (5000 + i)) for i in range(N)]
    for u in users:
        assert {s['id'] for s in u['segments']} == {5848, 5849} and all(s['expiration'] in minutes(server) and s['code'] == '' and s['member_id'] == 0 for s in u['segments'])
    buy(server)
    user, = read_avro(deliver(server)[0][0][1])
    assert user['segments'] == [{'id': 5848, 'code': '', 'member_id': 0, 'expiration': -1, 'timestamp': 0, 'value': 0}]


def test_xandr_avro_with_our_own_ids(world):
    server = world('format: xandr-avro, settings: {member: "958"}')
    users = read_avro(deliver(server)[0][0][1])
    assert len(users) == N and all(u['uid']['member_id'] == 958 and re.fullmatch('[0-9a-f]{32}', u['uid']['id']) for u in users)
    assert {s['code'] for u in users for s in u['segments']} == {'intenders', 'coats-ever'} and {s['member_id'] for u in users for s in u['segments']} == {958}


def google_request():
    """UpdateUsersDataRequest as developers.google.com describes it."""
    f = descriptor_pb2.FileDescriptorProto(name='g.proto', package='g', syntax='proto2')
    T = descriptor_pb2.FieldDescriptorProto
    op = f.message_type.add(name='UserDataOperation')
    for name, number, kind in (('user_id', 1, T.TYPE_STRING), ('user_list_id', 4, T.TYPE_INT64), ('time_added_to_user_list', 5, T.TYPE_INT64), ('delete', 6, T.TYPE_BOOL),
                               ('data_source_id', 7, T.TYPE_INT32), ('user_id_type', 14, T.TYPE_INT32)):
        op.field.add(name=name, number=number, type=kind, label=T.LABEL_OPTIONAL)
    r = f.message_type.add(name='UpdateUsersDataRequest')
    r.field.add(name='ops', number=1, type=T.TYPE_MESSAGE, type_name='.g.UserDataOperation', label=T.LABEL_REPEATED)
    r.field.add(name='send_notifications', number=2, type=T.TYPE_BOOL, label=T.LABEL_OPTIONAL)
    r.field.add(name='process_consent', number=3, type=T.TYPE_BOOL, label=T.LABEL_OPTIONAL)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(f)
    return message_factory.MessageFactory(pool).GetPrototype(pool.FindMessageTypeByName('g.UpdateUsersDataRequest'))


def read_google(data):
    m = google_request()()
    m.ParseFromString(data)
    assert m.process_consent and not m.UnknownFields()
    return [(o.user_id, o.user_list_id, o.time_added_to_user_list, o.delete, o.user_id_type, o.data_source_id) for o in m.ops]


def test_google_bulk_upload(world):
    server = world('format: google-bulk, partner: acme, bytes: 1kB, settings: {data_source_id: "7"}, %s' % NUMBERS, ids='CAESEHIV8HXNp0pFdHgi2rElM%d')
    files, _ = deliver(server)
    assert len(files) > 1 and all(len(data) <= 1000 for _, data in files)
    ops = [o for _, data in files for o in read_google(data)]
    assert {(o[0], o[1]) for o in ops} == {('CAESEHIV8HXNp0pFdHgi2rElM%d' % (5000 + i), n) for i in range(N) for n in (5848, 5849)}
    assert all(abs(o[2] - server.now()) < 60 and o[3:] == (False, 0, 7) for o in ops)
    buy(server)
    assert [o for _, data in deliver(server)[0] for o in read_google(data)] == [('CAESEHIV8HXNp0pFdHgi2rElM5000', 5848, 0, True, 0, 7)]
    server.write_destinations(PARTNERS + '  - {id: x, format: google-bulk, %s}\n' % NUMBERS)
    assert {o[4] for _, data in deliver(server, '--full')[0] for o in read_google(data)} == {4}         # our own ids: PARTNER_PROVIDED_ID


def test_the_trade_desk_advertiser_data(world):
    server = world('format: ttd-advertiser, partner: acme, ttl: 30d, settings: {advertiser_id: adv1}')
    body = json.loads(deliver(server)[0][0][1])
    assert set(body) == {'AdvertiserId', 'Items'} and body['AdvertiserId'] == 'adv1' and len(body['Items']) == N
    for item in body['Items']:
        assert set(item) == {'TDID', 'Data'} and {d['Name'] for d in item['Data']} == {'intenders', 'coats-ever'}
        assert all(d['TtlInMinutes'] in minutes(server, 30) and re.fullmatch(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ', d['TimestampUtc']) for d in item['Data'])
    server.write_destinations(PARTNERS + '  - {id: x, format: ttd-advertiser, settings: {advertiser_id: adv1}}\n')
    assert 'name the partner' in server.cli('export', '--to', 'x', '--out', server.dir + '/bad', ok=(1,)).stderr


def test_adobe_audience_manager(world):
    server = world('format: aam, compress: gz, settings: {dpid: "478"}, %s' % NUMBERS)
    files, _ = deliver(server)
    data = dict(files)
    name, info = [n for n in data if n.endswith('.gz')][0], [n for n in data if n.endswith('.info')][0]
    assert re.fullmatch(r'ftp_dpm_478_\d{10}\.overwrite\.1\.gz', name)
    lines = gzip.decompress(data[name]).decode().splitlines()
    assert len(lines) == N and all(re.fullmatch(r'[0-9a-f]{32}\td_sid=5849,d_sid=5848', l) for l in lines)
    j = json.loads(data[info])
    assert j['Files'] == [{'FileByteSize': len(data[name]), 'FileLineCount': N, 'FileName': name, 'FileSequenceNumber': 1, 'md5': hashlib.md5(data[name]).hexdigest()}]
    assert j['Totals'] == {'FileName': name.split('.')[0], 'TotalByteSize': len(data[name]), 'TotalNumberFiles': 1, 'TotalNumberLines': N}
    buy(server)
    name, data = [f for f in deliver(server)[0] if f[0].endswith('.gz')][0]
    assert '.sync.1.gz' in name and re.fullmatch(rb'[0-9a-f]{32}\td_unsid=5848\n', gzip.decompress(data))
    # an overwrite cannot take somebody out of everything: the next delta does
    server.cli('visitor', 'erase', '--cookie', server.browsers[3].jar['crumb'])
    lines = gzip.decompress([d for n, d in deliver(server, '--full')[0] if n.endswith('.gz')][0]).decode().splitlines()
    assert len(lines) == N - 1 and not any('unsid' in l for l in lines)
    name, data = [f for f in deliver(server)[0] if f[0].endswith('.gz')][0]
    assert re.fullmatch(rb'[0-9a-f]{32}\td_unsid=5849,d_unsid=5848\n', gzip.decompress(data))


def test_liveramp_style_files(world):
    server = world('format: liveramp, compress: gz, settings: {device: cookie, distribution_id: "1468649"}')
    (name, data), = deliver(server)[0]
    assert re.fullmatch(r'lr_cookie_segments_\d{8}_\d{6}_1468649_part001\.gz', name)
    assert all(re.fullmatch(r'[0-9a-f]{32}\tcoats-ever,intenders', l) for l in gzip.decompress(data).decode().splitlines())
    buy(server)
    assert re.fullmatch(rb'[0-9a-f]{32}\tcoats-ever\n', gzip.decompress(deliver(server)[0][0][1]))


def test_segment_s_audience_events(world):
    server = world('format: segment-audience, rows: 10, settings: {space_id: spa_1}')
    files, _ = deliver(server)
    events = [e for _, data in files for e in json.loads(data)['batch']]
    assert len(events) == 2 * N and len({e['messageId'] for e in events}) == 2 * N
    for e in events:
        key = e['properties']['audience_key']
        assert e['type'] == 'track' and e['event'] == 'Audience Entered' and e['properties'][key] is True and len(e['messageId']) < 100
        assert e['context']['personas'] == {'computation_class': 'audience', 'computation_id': key, 'computation_key': key, 'namespace': 'crumb', 'space_id': 'spa_1'}
    buy(server)
    event, = json.loads(deliver(server)[0][0][1])['batch']
    assert event['event'] == 'Audience Exited' and event['properties'] == {'audience_key': 'intenders', 'intenders': False}


def test_names_that_are_no_plain_words(world):
    """A partner's words are for its programs: they come back as they are, whatever is in them."""
    names = {'intenders': '=1+1,"quoted"', 'coats-ever': '-12'}
    server = world('format: csv, partner: acme, segments: {intenders: %s, coats-ever: %s}' % tuple(json.dumps(n) for n in names.values()), ids='-a%d')
    files, _ = deliver(server)
    rows = list(csv.reader(io.StringIO(files[0][1].decode())))
    assert {r[1] for r in rows[1:]} == set(names.values()) and {r[0] for r in rows[1:]} == {'-a%d' % (5000 + i) for i in range(N)}
    for text, said in (('format: csv, segments: {intenders: "a\\nb"}', 'ends a cell or a row'), ('format: liveramp, settings: {distribution_id: d}, segments: {intenders: "a,b"}', 'ends a cell or a row'),
                       ('format: xandr-text, settings: {fields: [SEG_CODE, EXPIRATION], separators: ";#:!^"}, segments: {intenders: "a#b"}', 'ends a cell or a row'),
                       ('format: csv, segments: {intenders: %s}' % ('x' * 256), 'longer than 255'), ('format: aam, settings: {dpid: "../x"}, %s' % NUMBERS, 'names of files')):
        server.write_destinations(PARTNERS + '  - {id: x, %s}\n' % text)
        assert said in server.cli('export', '--to', 'x', '--out', server.dir + '/o', ok=(1, 2)).stderr, text


def test_ids_that_a_format_cannot_write_are_left_out_and_counted(world):
    server = world('format: xandr-text, partner: acme, settings: {separators: ";,:#~"}, %s' % NUMBERS, ids='a~%d')
    r = export_to(server, 'x', '--out', server.dir + '/o')
    assert (r['state'], r['unusable'], r['added']) == ('nothing_to_say', N, 0)


def rows(name):
    return json.loads(subprocess.run([os.path.join(BUILD, 'crumb'), 'reference', name], capture_output=True, check=True).stdout)[name]


def test_every_row_has_what_its_way_needs():
    ways = {w['name']: w for w in rows('ways')}
    formats = rows('formats')
    assert len({f['name'] for f in formats}) == len(formats)
    for f in formats:
        assert f['help'] and f['ways'] and set(f['ways']) <= set(ways), f['name']
        written = any('key' in ways[w] for w in f['ways'])
        assert written == ('ending' in f) == ('removal' in f), f['name']
        assert ('https' in f['ways']) == ('content_type' in f), f['name']
        assert 'none' in f['compress'] and all(s['help'] for s in f['settings']), f['name']


def test_a_wrong_destination_is_told_what_its_rows_say(world):
    """Names, bounds and ways in messages are those of the rows."""
    server = world('format: csv')
    for text, said in (('format: csw', "did you mean 'csv'"), ('format: q', ', '.join(f['name'] for f in rows('formats'))),
                       ('format: google-bulk, settings: {data_source: "7"}', "did you mean 'data_source_id'"),
                       ('format: google-bulk, settings: {data_source_id: "1001"}', 'data_source_id is a number from 1 to 1000'),
                       ('format: google-bulk, settings: {id_type: IDFB}', "did you mean 'IDFA'"),
                       ('format: xandr-avro, settings: {uid: mine, member: "1"}', 'uid is one of anid,external'),
                       ('format: liveramp', 'wants distribution_id'),
                       ('format: liveramp, settings: {distribution_id: d}, deliver: {url: "https://x.example/"}', 'format liveramp cannot go by https'),
                       ('format: stream, deliver: {directory: /tmp}', 'format stream cannot go by directory'),
                       ('format: xandr-avro, settings: {member: "1"}, compress: gz', 'format xandr-avro cannot go by directory compressed with gz'),
                       ('format: csv, compress: zstd, deliver: {url: "https://x.example/"}', 'it may be none gz'),
                       ('format: csv, compress: lz4', 'compress is none, gz or zstd'),
                       ('format: csv, deliver: {url: "https://x.example/", sign: {kind: md5, secret: s}}', 'sign wants kind: ttd or hmac-sha256')):
        server.write_destinations(PARTNERS + '  - {id: x, %s}\n' % text)
        read, tried = server.cli('rules', 'check', ok=(0, 1)), server.cli('export', '--to', 'x', '--out', server.dir + '/o', ok=(1, 2))
        assert said in read.stdout + read.stderr + tried.stderr, text
