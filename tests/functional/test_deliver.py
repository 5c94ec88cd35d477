"""Deliveries: what a partner holds is who is a member, whatever happens on the way."""
import http.server
import threading
import json
import os
import random
import re
import resource
import signal
import subprocess
import time

import pytest
from harness import BUILD, DAY, SLOW, Browser, until
from partner import Aam, Csv, Folder, Google, LiveRamp, Partner, SegmentEvents, XandrText, export_to, read_rows, replay, signature
from test_rules import reload

RULES = '''version: 1
categories:
  - {id: coats, any: [{path: "/coats/*"}]}
  - {id: buy, any: [{event: purchase}]}
  - {id: shoes, any: [{path: "/shoes/*"}], labels: [third-party]}
segments:
  - {id: intenders, when: coats and not buy in 30d, destinations: [lake, desk]}
  - {id: coats-7d, when: coats in 7d, destinations: [lake, desk]}
  - {id: shoppers, when: coats or buy, destinations: [lake]}
'''
DESTINATIONS = '''version: 1
partners:
  - {id: acme}
destinations:
  - {id: lake, format: csv, deliver: {directory: %(dir)s/lake}}
  - {id: desk, format: ttd-thirdparty, settings: {data_provider_id: dp}, ttl: 30d, rows: 20, schedule: "daily at 04:30",
     deliver: {url: "%(url)s", headers: {TTD-Auth: "env:CRUMB_TEST_TOKEN"}, sign: {kind: ttd, secret: "file:%(dir)s/secret"}, retries: 3, timeout_s: 1}}
'''


@pytest.fixture
def world(make):
    partners = []

    def new(rules=RULES, destinations=DESTINATIONS, **kw):
        os.environ['CRUMB_TEST_TOKEN'] = 'tok'
        from harness import Server
        server = Server(rules=rules, **kw)
        partner = Partner(server)
        partners.append((server, partner))
        with open(server.dir + '/secret', 'w') as f:
            f.write('s3cret\n')
        server.write_destinations(destinations.replace('schedule: "daily at 04:30",', '') % {'dir': server.dir, 'url': partner.url})
        server.start()
        return server, partner
    yield new
    for server, partner in partners:
        partner.close()
        server.close()


def look(server, n, path='/coats/1', first=0, **more):
    t = server.now()
    r = server.import_lines([{'id': 'v%d' % i, 't': t, 'u': 'https://s.example' + path, **more} for i in range(first, first + n)])
    assert r['accepted'] == n


def held(server, segment, destination='desk'):
    """Who is in a segment, by the ids that the destination knows them by: exported whole to another folder."""
    out = os.path.join(server.dir, 'all-%d' % random.randrange(10 ** 9))
    r = server.cli('export', segment, '--partner', destination, '--out', out, ok=(0, 1))
    return {(row['id'], segment) for row in read_rows(os.path.join(out, segment + '.csv'))} if r.returncode == 0 else set()


def test_a_purchase_takes_the_buyer_out_at_the_partner(world):
    server, partner = world()
    look(server, 60)
    buyer = Browser.known(server)
    buyer.hit('/coats/1')
    late = Browser.known(server)
    late.hit('/coats/1')
    r = export_to(server, 'desk')
    assert (r['mode'], r['state'], r['added'], r['removed']) == ('full', 'delivered', 124, 0)
    assert partner.members() == held(server, 'intenders') | held(server, 'coats-7d') and len(partner.members()) == 124
    buyer.hit('/thanks', event='purchase')
    # the other one buys by telephone: the shop's server tells it with the cookie
    assert server.import_lines([{'cookie': late.jar['crumb'], 't': server.now(), 'e': 'purchase'}])['accepted'] == 1
    r = export_to(server, 'desk')
    assert (r['mode'], r['added'], r['removed'], r['files']) == ('delta', 0, 2, 1)
    assert partner.members() == held(server, 'intenders') | held(server, 'coats-7d') and len(partner.members()) == 122
    assert export_to(server, 'desk')['state'] == 'nothing_to_say'
    path, headers, body = partner.requests[-1]
    assert headers['TTD-Auth'] == 'tok' and headers['TtdSignature'] == signature('s3cret', body) and path == '/data/thirdparty'
    sent = json.loads(body)
    assert set(sent) == {'DataProviderId', 'IsUserIdAlreadyHashed', 'Items'} and sent['DataProviderId'] == 'dp'
    assert all(set(i) == {'DataProviderUserId', 'Data'} and set(d) == {'Name', 'TimestampUtc', 'TtlInMinutes'} for i in sent['Items'] for d in i['Data'])
    assert [d['state'] for d in server.js('deliveries', 'desk')] == ['delivered'] * 2


def test_erased_and_expired_visitors_are_removed(world):
    server, partner = world()
    look(server, 80)
    export_to(server, 'lake')
    gone = Browser.known(server)
    gone.hit('/coats/1')
    export_to(server, 'lake')
    server.cli('visitor', 'erase', '--cookie', gone.jar['crumb'])
    r = export_to(server, 'lake')
    assert r['removed'] == 3 and r['added'] == 0
    server.advance('7d')                            # coats-7d empties by time alone, at the partner too: nothing need be said
    r = export_to(server, 'lake')
    assert r['removed'] == 0 and {k[1] for k in replay(server.dir + '/lake', server)} == {'intenders', 'shoppers'}
    server.advance('83d')
    assert replay(server.dir + '/lake', server) == set() and export_to(server, 'lake')['state'] == 'nothing_to_say'


def test_below_k_nobody_is_added_and_removals_go_out(world):
    server, partner = world()
    look(server, 19)
    r = export_to(server, 'lake')
    assert r['state'] == 'nothing_to_say' and {s['state'] for s in r['segments']} == {'below_k'} and {s['members'] for s in r['segments']} == {None}
    look(server, 6, first=19)
    assert export_to(server, 'lake')['added'] == 75
    look(server, 10, path='/x', e='purchase')       # ten buy: fifteen are left, too few to be added to
    look(server, 1, first=50)
    r = export_to(server, 'lake')
    states = {s['id']: s['state'] for s in r['segments']}
    assert states == {'intenders': 'below_k', 'coats-7d': 'sent', 'shoppers': 'sent'}
    assert (r['added'], r['removed']) == (2, 10)
    out = server.cli('deliveries').stdout
    assert re.search(r'added +removed +files', out) and re.search(r'< 20 +< 20 +1/1$', out, re.M), out
    assert server.js('deliveries')[-1]['removed'] is None


def test_a_partner_that_refuses_some_rows(world):
    server, partner = world()
    look(server, 60)
    partner.moods = ['refuse'] * 6
    r = export_to(server, 'desk')
    assert r['state'] == 'delivered' and 0 < r['refused'] < 120 and len(partner.members()) == 120 - r['refused']
    dead = os.path.join(server.store, 'exports', 'desk', 'dead', r['delivery'], 'refused.tsv')
    assert len(open(dead).read().splitlines()) == r['refused'] and 'UserNotMapped' in open(dead).read()
    assert export_to(server, 'desk')['state'] == 'nothing_to_say'         # not asked again every time …
    server.advance('8d')
    look(server, 60)
    assert export_to(server, 'desk')['added'] >= r['refused']             # … but after a week
    assert partner.members() == held(server, 'intenders') | held(server, 'coats-7d')


@pytest.mark.parametrize('mood', [500, 503, 429, 'late', 'garbage', 'cut'])
def test_nothing_is_marked_sent_that_was_not_acknowledged(world, mood):
    server, partner = world()
    look(server, 60)
    partner.moods = ['ok', 'ok', mood]
    r = server.cli('export', '--to', 'desk', '--json', ok=(1,))
    j = json.loads(r.stdout)
    assert (j['state'], j['files_done']) == ('waiting', 2) and j['why'] and 'run it again' in r.stderr
    w = server.js('deliveries', 'desk')[-1]
    assert (w['state'], w['attempts']) == ('waiting', 1)
    n = len(partner.requests)
    r = export_to(server, 'desk')         # goes on from the third, then has nothing more to say
    assert r['state'] == 'nothing_to_say' and len(partner.requests) == n + 4
    assert partner.members() == held(server, 'intenders') | held(server, 'coats-7d')
    keys = [h['Idempotency-Key'] for _, h, _ in partner.requests]
    assert keys[2] == keys[3] and len(set(keys)) == 6


def test_a_partner_that_never_answers_ends_in_the_dead_letters_and_is_told_again(world):
    server, partner = world()
    look(server, 60)
    partner.moods = ['ok'] + [500] * 4
    for i in range(4):
        r = json.loads(server.cli('export', '--to', 'desk', '--json', ok=(1,)).stdout)
        assert r['state'] == ('failed' if i == 3 else 'waiting'), r
    dead = os.path.join(server.store, 'exports', 'desk', 'dead', r['delivery'])
    assert len(os.listdir(dead)) == 5 + 1 and 'status 500' in open(dead + '/why').read()
    assert server.js('deliveries', 'desk')[-1]['state'] == 'failed'
    first = set(partner.rows)
    look(server, 5, path='/x', e='purchase')        # five of them buy meanwhile
    r = export_to(server, 'desk')
    assert r['state'] == 'delivered' and partner.members() == held(server, 'intenders') | held(server, 'coats-7d')
    assert first & partner.members()
    partner.moods = [403]
    look(server, 30, first=100)
    assert json.loads(server.cli('export', '--to', 'desk', '--json', ok=(1,)).stdout)['state'] == 'failed'     # a no is not asked again
    server.advance('8d')
    export_to(server, 'desk')
    assert not os.path.exists(dead)                 # what is dead is gone after a week


def test_the_server_keeps_schedules_and_backs_off(world):
    server, partner = world()
    server.morning()                                # no day begins but the one below
    look(server, 60)
    server.write_destinations(DESTINATIONS % {'dir': server.dir, 'url': partner.url})
    server.process.send_signal(signal.SIGHUP)
    until(lambda: len(partner.members()) == 120 and server.js('deliveries', 'desk')[-1]['state'] == 'delivered')
    look(server, 5, path='/x', e='purchase')
    partner.moods = [503]
    n = len(partner.requests)
    server.advance('1d')
    until(lambda: server.js('deliveries', 'desk')[-1]['state'] == 'waiting')
    time.sleep(0.6)
    assert len(partner.requests) == n + 1           # it waits its time out
    server.advance('1h')
    until(lambda: server.js('deliveries', 'desk')[-1]['state'] == 'delivered')
    assert partner.members() == held(server, 'intenders') | held(server, 'coats-7d')
    assert server.metric('deliveries_total{state="delivered"}') == 2 and server.metric('pushes_total{result="failed"}') == 1


def test_matched_ids_and_a_changed_one(world):
    server, partner = world(destinations=DESTINATIONS + '  - {id: ids, format: csv, partner: acme, ttl: 14d, compress: gz, deliver: {directory: "%(dir)s/ids"}}\n',
                            rules=RULES.replace('destinations: [lake, desk]', 'destinations: [ids]'))
    # k + 10: the nightly work may find the segment empty before they come back, and it opens again all the same
    browsers = [Browser.known(server) for _ in range(30)]
    for i, b in enumerate(browsers):
        b.hit('/coats/1')
        assert b.request('GET', '/sync?partner=acme&uid=A%d' % i)[0] == 200
    look(server, 30)                                # these have no id there, and stay here
    r = export_to(server, 'ids')
    ids = server.dir + '/ids'
    assert r['added'] == 60 and {k[0] for k in replay(ids, server)} == {'A%d' % i for i in range(30)}
    rows = [row for f in os.listdir(ids) if f.endswith('.csv.gz') for row in read_rows(ids + '/' + f)]
    cap = time.strftime('%Y-%m-%d', time.gmtime(server.now() + 14 * DAY))
    assert {row['expires'] for row in rows if row['segment'] == 'intenders'} == {cap}
    browsers[0].request('GET', '/sync?partner=acme&uid=NEW')
    r = export_to(server, 'ids')
    assert (r['added'], r['removed']) == (2, 2) and {k[0] for k in replay(ids, server)} == {'A%d' % i for i in range(1, 30)} | {'NEW'}
    server.advance('12d')                           # the partner would forget them in two days; we would not
    for b in browsers:
        b.hit('/coats/1')
    export_to(server, 'ids')
    server.advance('5d')
    assert len(replay(ids, server)) == 60
    server.verify()


def test_two_browsers_with_one_id(world):
    server, partner = world(destinations=DESTINATIONS + '  - {id: ids, format: csv, partner: acme, deliver: {directory: "%(dir)s/ids"}}\n',
                            rules=RULES.replace('destinations: [lake, desk]', 'destinations: [ids]'))
    browsers = [Browser.known(server) for _ in range(25)]
    for i, b in enumerate(browsers):
        b.hit('/coats/1')
        b.request('GET', '/sync?partner=acme&uid=A%d' % (i // 2 if i < 4 else i))
    assert export_to(server, 'ids')['added'] == 46
    browsers[0].hit('/x', event='purchase')         # the other one with the same id has not bought
    assert export_to(server, 'ids')['state'] == 'nothing_to_say'
    browsers[1].hit('/x', event='purchase')
    assert export_to(server, 'ids')['removed'] == 1


def test_labels_and_states_guard_every_delivery(world):
    rules = RULES + '  - {id: shoe-fans, when: shoes, destinations: [lake]}\n'
    server, partner = world(rules=RULES)
    look(server, 40, path='/shoes/1')
    look(server, 40)
    server.write_rules(rules)
    r = server.cli('rules', 'check', ok=(1,))
    assert "labelled 'third-party' and may not go to 'lake'" in r.stderr
    server.write_destinations(open(server.destinations).read().replace('{id: lake,', '{id: lake, labels: [third-party],'))
    server.process.send_signal(signal.SIGHUP)
    until(lambda: server.js('rules', 'status')['complete'] and 'shoe-fans' in server.sizes())
    assert export_to(server, 'lake')['added'] == 160
    server.cli('export', 'shoe-fans', '--out', server.dir + '/x', ok=(1,))
    # the label is taken back: what is there is removed, nothing is added
    server.write_destinations(open(server.destinations).read().replace(' labels: [third-party],', ''))
    r = export_to(server, 'lake')
    assert (r['added'], r['removed']) == (0, 40) and {s['id']: s['state'] for s in r['segments']}['shoe-fans'] == 'label'


def test_a_paused_segment_is_taken_back(world):
    server, partner = world()
    look(server, 40)
    export_to(server, 'lake')
    reload(server, RULES.replace('id: intenders,', 'id: intenders, state: paused,'))
    r = export_to(server, 'lake')
    assert (r['added'], r['removed']) == (0, 40) and {k[1] for k in replay(server.dir + '/lake', server)} == {'coats-7d', 'shoppers'}


def test_killed_at_any_moment_the_result_is_the_same(world):
    server, partner = world()
    rng = random.Random(5)
    look(server, 400)
    command = [os.path.join(BUILD, 'crumb')] + server.common() + ['export', '--to']
    for round_ in range(25):
        look(server, 20, path=rng.choice(['/coats/1', '/x']), first=rng.randrange(450), e=rng.choice(['view', 'purchase']))
        for to in 'desk', 'lake':
            p = subprocess.Popen(command + [to], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(rng.random() * 0.06 * SLOW)
            p.send_signal(signal.SIGKILL)
            p.wait()
            partner.quiet()
        if round_ % 5 == 4:
            for to in 'desk', 'lake':
                assert export_to(server, to)['state'] in ('delivered', 'nothing_to_say')
            assert partner.members() == held(server, 'intenders') | held(server, 'coats-7d')
            want = held(server, 'intenders', 'lake') | held(server, 'coats-7d', 'lake') | held(server, 'shoppers', 'lake')
            assert replay(server.dir + '/lake', server) == want
    assert not [f for f in os.listdir(server.dir + '/lake') if f.startswith('.')]


# --- formats whose rows have no end: the partner keeps them until they are taken back

ENDLESS = {
    'google': (Google, 'format: google-bulk, %s'), 'aam': (Aam, 'format: aam, settings: {dpid: "1"}, %s'), 'liveramp': (LiveRamp, 'format: liveramp, settings: {distribution_id: "1"}'),
    'segment': (SegmentEvents, 'format: segment-audience, settings: {space_id: s}'),
    'xandr': (lambda: XandrText(fields=('SEG_ID', 'VALUE')), 'format: xandr-text, settings: {fields: [SEG_ID, VALUE]}, %s')}
ENDLESS_RULES = """version: 1
categories:
  - {id: coats, any: [{path: "/coats/*"}]}
  - {id: other, any: [{path: "/other"}]}
segments:
  - {id: week, when: coats in 7d, destinations: [x]}
  - {id: ever, when: coats or other, destinations: [x]}
"""


class Endless:
    """Forty visitors in two segments at a partner that forgets nothing; `theirs` are its names of them."""
    def __init__(self, make, tmp_path, name):
        model, entry = ENDLESS[name]
        numbers = '%s' in entry
        if numbers:
            entry %= 'segments: {week: "1", later: "1", ever: "2"}'
        self.server = make(rules=ENDLESS_RULES, destinations='version: 1\npartners: [{id: acme}]\ndestinations:\n  - {id: x, partner: acme, %s, deliver: {directory: "%s/x"}}\n' % (entry, tmp_path))
        self.partner = Folder(self.server, str(tmp_path / 'x'), model())
        self.week, self.ever = ('1', '2') if numbers else ('week', 'ever')
        self.browsers = [Browser.known(self.server) for _ in range(40)]
        for i, b in enumerate(self.browsers):
            b.hit('/coats/1')
            b.request('GET', '/sync?partner=acme&uid=%d' % (7000 + i))
        self.to('full', 80, 0)

    def to(self, mode, added, removed, *arguments):
        r = export_to(self.server, 'x', *arguments)
        assert (r.get('mode'), r.get('added'), r.get('removed')) == (mode, added, removed), json.dumps(r)

    def there(self, *segments):
        return self.partner.members() == {(str(7000 + i), s) for i in range(40) for s in segments}


@pytest.mark.parametrize('full', [False, True])
@pytest.mark.parametrize('name', sorted(ENDLESS))
def test_who_leaves_by_time_alone_is_taken_back(make, tmp_path, name, full):
    w = Endless(make, tmp_path, name)
    assert w.there(w.week, w.ever)
    w.server.advance('6d')
    w.to('delta', 0, 0)
    w.server.advance('1d')
    if full:
        w.to('full', 40, 40, '--full')
    else:
        w.to('delta', 0, 40)
    assert w.there(w.ever)
    w.server.advance('84d')                         # nobody is left, long since and below k
    if full and name == 'aam':
        w.to('full', 0, 0, '--full')                # an overwrite cannot say that somebody is in nothing: the changes that follow do
        w.to('delta', 0, 40)
    else:
        w.to(*(('full', 0, 40, '--full') if full else ('delta', 0, 40)))
    assert w.there() and export_to(w.server, 'x')['state'] == 'nothing_to_say'


@pytest.mark.parametrize('name', ['google', 'liveramp'])
def test_a_removal_is_owed_for_as_long_as_the_partner_is_away(make, tmp_path, name):
    w = Endless(make, tmp_path, name)
    w.partner.down = True
    w.server.cli('visitor', 'erase', '--cookie', w.browsers[0].jar['crumb'])
    for days in 1, 9, 30, 60, 120:
        w.server.advance('%dd' % days)
        assert w.server.cli('export', '--to', 'x', ok=(1,)).stderr
    assert w.there(w.week, w.ever)                  # 220 days on
    w.partner.down = False
    w.to('delta', 0, 0)                             # what was on its way went first
    assert w.there()


def test_who_comes_again_before_the_removal_was_sent_stays(make, tmp_path):
    w = Endless(make, tmp_path, 'segment')
    w.server.advance('8d')
    w.partner.down = True
    w.server.cli('export', '--to', 'x', ok=(1,))    # it is on its way
    for b in w.browsers:
        b.hit('/coats/1')
    w.partner.down = False
    w.server.cli('export', '--to', 'x')
    w.server.cli('export', '--to', 'x')
    assert w.there(w.week, w.ever)


def test_a_renamed_segment_stays_what_it_is_to_the_partner(make, tmp_path):
    w = Endless(make, tmp_path, 'google')
    reload(w.server, ENDLESS_RULES.replace('id: week', 'id: later'))
    w.to('delta', 40, 0)
    assert w.there(w.week, w.ever)
    w.server.advance('7d')
    w.to('delta', 0, 40)
    assert w.there(w.ever)
    reload(w.server, ENDLESS_RULES.replace('- {id: ever', '# - {id: ever'))     # and one that is no more is taken back
    w.to('delta', 0, 40)
    assert w.there()


def test_a_segment_with_another_number_or_that_was_paused_did_not_become_small(make, tmp_path):
    """It is at the border of k, and nobody was told so."""
    def destinations(number):
        return 'version: 1\ndestinations:\n  - {id: x, format: csv, segments: {week: "%s", ever: "2"}, deliver: {directory: "%s/x"}}\n' % (number, tmp_path)
    server = make(rules=ENDLESS_RULES, destinations=destinations('1'))
    partner = Folder(server, str(tmp_path / 'x'), Csv())
    look(server, 22)
    there = lambda: {s for _, s in partner.members()}
    assert export_to(server, 'x')['added'] == 44 and there() == {'1', '2'}
    for number in '3', '4':
        server.write_destinations(destinations(number))
        assert export_to(server, 'x')['added'] == 22 and there() == {number, '2'}
    reload(server, ENDLESS_RULES.replace('id: week,', 'id: week, state: paused,'))
    assert export_to(server, 'x')['removed'] == 22 and there() == {'2'}
    reload(server, ENDLESS_RULES)
    assert export_to(server, 'x')['added'] == 22 and there() == {'4', '2'}


def test_two_segments_with_one_number_are_one_to_the_partner(make, tmp_path):
    w = Endless(make, tmp_path, 'google')
    reload(w.server, ENDLESS_RULES + '  - {id: later, when: coats in 14d, destinations: [x]}\n')
    w.to('delta', 40, 0)
    w.server.advance('8d')
    w.to('delta', 0, 0)                             # no more in one, still in the other
    assert w.there(w.week, w.ever)
    w.server.advance('6d')
    w.to('delta', 0, 40)
    assert w.there(w.ever)


@pytest.mark.parametrize('kind', ['csv', 'liveramp'])
def test_two_segments_with_one_name_there_end_with_the_later(make, tmp_path, kind):
    rules = ENDLESS_RULES.replace('id: ever, when: coats or other', 'id: month, when: coats in 30d')
    model, entry = (Csv, 'format: csv') if kind == 'csv' else ENDLESS[kind]
    server = make(rules=rules, destinations='version: 1\ndestinations:\n  - {id: x, %s, segments: {week: one, month: one}, deliver: {directory: "%s/x"}}\n' % (entry, tmp_path))
    partner = Folder(server, str(tmp_path / 'x'), model())
    look(server, 40)
    export_to(server, 'x')
    assert len(partner.members()) == 40
    for days, there in (6, 40), (1, 40), (22, 40), (1, 0):
        server.advance('%dd' % days)
        assert export_to(server, 'x')['state'] in ('delivered', 'nothing_to_say') and len(partner.members()) == there, days
    # one leaves both: by the rule of the longer, then by time
    look(server, 40)
    export_to(server, 'x')
    reload(server, rules.replace('coats in 30d', 'coats in 30d and not other'))
    look(server, 40, path='/other')
    export_to(server, 'x')
    assert len(partner.members()) == 40
    server.advance('7d')
    export_to(server, 'x')
    assert partner.members() == set()


def test_a_restored_store_takes_back_what_the_backup_never_knew(make, tmp_path):
    w = Endless(make, tmp_path, 'google')
    w.server.cli('db', 'backup', w.server.dir + '/backup')
    late = [Browser.known(w.server) for _ in range(5)]
    for i, b in enumerate(late):
        b.hit('/coats/1')
        b.request('GET', '/sync?partner=acme&uid=%d' % (8000 + i))
    w.to('delta', 10, 0)
    w.server.stop()
    os.rename(w.server.store + '/journal', w.server.dir + '/lost')
    w.server.cli('db', 'restore', w.server.dir + '/backup')
    w.server.start()
    w.to('delta', 0, 10)
    assert w.there(w.week, w.ever)


def test_a_refusal_of_an_id_is_one_of_all_its_rows(world):
    server, partner = world()
    look(server, 30)
    read = partner.model.read

    def without_one(name, content, now, refuse):
        body = json.loads(content)
        who = body['Items'][0]['DataProviderUserId']
        body['Items'] = body['Items'][1:]
        read(name, json.dumps(body).encode(), now, refuse)
        return [{'DataProviderUserId': who, 'ErrorCode': 'UserNotMapped', 'Message': 'who?', 'ItemNumber': 1}]
    partner.model.read = without_one
    r = export_to(server, 'desk')
    assert len(partner.members()) == 60 - 2 * r['files'] and r['refused'] == r['files']
    partner.model.read = read
    server.advance('8d')
    look(server, 30)
    export_to(server, 'desk')
    assert partner.members() == held(server, 'intenders') | held(server, 'coats-7d') and len(partner.members()) == 60


# --- damage

def spoil(rng, path):
    """One of the things that happen to files."""
    data = bytearray(open(path, 'rb').read())
    how = rng.choice(['flip', 'flip', 'cut', 'empty', 'zeros', 'gone', 'longer'])
    if how == 'gone':
        os.remove(path)
        return how
    if how == 'flip' and data:
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    elif how == 'cut':
        del data[rng.randrange(len(data) + 1):]
    elif how == 'empty':
        data = b''
    elif how == 'zeros':
        data = bytes(len(data))
    elif how == 'longer':
        data += bytes(rng.randrange(1, 100))
    with open(path, 'wb') as f:
        f.write(data)
    return how


def test_a_damaged_ledger_is_named_and_forgets_nobody(make, tmp_path):
    w = Endless(make, tmp_path, 'google')
    path = os.path.join(w.server.store, 'exports', 'x', 'held')
    data = bytearray(open(path, 'rb').read())
    data[len(data) // 2] ^= 1
    open(path, 'wb').write(data)
    w.server.cli('visitor', 'erase', '--cookie', w.browsers[0].jar['crumb'])
    r = w.server.cli('export', '--to', 'x', '--json')
    assert 'ledger' in r.stderr and 'set aside' in r.stderr
    r = json.loads(r.stdout)
    assert (r['mode'], r['added'], r['removed']) == ('delta', 78, 2)        # all is said again, and who left is taken back
    assert w.partner.members() == {(str(7000 + i), s) for i in range(1, 40) for s in '12'}
    said, last = w.server.js('deliveries', 'x')[-2:]
    assert said['state'] == 'ledger_damaged' and last['state'] == 'delivered'
    assert [f for f in os.listdir(os.path.join(w.server.store, 'exports', 'x', 'dead')) if f.startswith('ledger-')]
    w.to('delta', 0, 0)


def test_cut_off_while_a_ledger_is_mended_it_is_mended_again(make, tmp_path):
    w = Endless(make, tmp_path, 'google')
    path = os.path.join(w.server.store, 'exports', 'x', 'held')
    data = bytearray(open(path, 'rb').read())
    data[len(data) // 2] ^= 1
    open(path, 'wb').write(data)
    os.mkdir(path + '.new')                                                 # nothing can be written here
    w.server.cli('visitor', 'erase', '--cookie', w.browsers[0].jar['crumb'])
    assert 'held.new' in w.server.cli('export', '--to', 'x', ok=(1,)).stderr
    os.rmdir(path + '.new')
    w.to('delta', 78, 2)
    assert w.partner.members() == {(str(7000 + i), s) for i in range(1, 40) for s in '12'}


def test_without_any_copy_it_says_what_cannot_be_known(make, tmp_path):
    w = Endless(make, tmp_path, 'google')
    for name in 'held', 'held.before':
        open(os.path.join(w.server.store, 'exports', 'x', name), 'wb').write(b'crumb held 1\n')
    r = w.server.cli('export', '--to', 'x', '--json')
    assert 'empty its lists first' in r.stderr and json.loads(r.stdout)['mode'] == 'full'
    assert 'empty its lists first' in w.server.js('deliveries', 'x')[-2]['why'] and w.there(w.week, w.ever)


@pytest.mark.parametrize('seed', range(8))
def test_damaged_files_of_a_delivery_crash_nothing_and_lose_nothing(make, tmp_path, seed):
    rng = random.Random(seed)
    w = Endless(make, tmp_path, rng.choice(sorted(ENDLESS)))
    folder, story = os.path.join(w.server.store, 'exports', 'x'), []
    for _ in range(8):
        for b in rng.sample(w.browsers, 5):
            w.server.cli('visitor', 'erase', '--cookie', b.jar['crumb'], ok=(0, 1)) if rng.random() < .2 else b.hit('/other')
        w.partner.down = rng.random() < .6
        w.server.advance('%dd' % rng.choice([0, 0, 1, 3]))
        story.append((w.partner.down, export_to(w.server, 'x').get('state')))
        files = [os.path.join(root, f) for root, _, names in os.walk(folder) for f in names if f not in ('lock', 'held.before') and 'dead' not in root]
        spoilt = rng.choice([f for f in files if rng.random() < .5 or 'pending' in f] or files)
        if not spoilt.endswith('/held') or os.path.exists(folder + '/held.before'):
            how = spoil(rng, spoilt)
            story.append((os.path.relpath(spoilt, folder), how))
            if how == 'gone' and spoilt.endswith('/held'):      # who takes it away wants to begin anew
                os.link(folder + '/held.before', spoilt)
        w.server.js('deliveries', 'x', ok=(0, 1))
    w.partner.down = False
    for days in '8d', '91d':
        w.server.advance(days)
        export_to(w.server, 'x')
        assert export_to(w.server, 'x')['state'] == 'nothing_to_say'
    assert w.there(), (story, w.partner.members())
    assert 'fatal' not in w.server.logged()


def test_what_lacks_a_key_is_not_believed(world):
    server, partner = world()
    look(server, 60)
    partner.down = 503
    folder = os.path.join(server.store, 'exports', 'desk')
    for path in 'pending/manifest.json', 'log':
        export_to(server, 'desk')
        whole = json.loads(open(os.path.join(folder, path)).readline() if path == 'log' else open(os.path.join(folder, path)).read())
        for key in sorted(whole):
            for value in None, 7:
                if not os.path.exists(os.path.join(folder, 'pending')):
                    export_to(server, 'desk')
                broken = dict(whole, **{key: value})
                if value is None:
                    del broken[key]
                with open(os.path.join(folder, path), 'w') as f:
                    f.write(json.dumps(broken) + '\n')
                assert server.cli('deliveries', 'desk', ok=(0, 1)).returncode in (0, 1) and server.cli('deliveries', '--json', ok=(0, 1))
                export_to(server, 'desk')
    partner.down = None
    export_to(server, 'desk')
    assert export_to(server, 'desk')['state'] == 'nothing_to_say' and len(partner.members()) == 120


def test_a_full_disk_in_the_middle_loses_nothing(world):
    server, partner = world()
    look(server, 60)
    export_to(server, 'lake')
    for most in list(range(0, 9000, 450)) + [12000, 20000]:
        look(server, 3, first=most // 100)
        look(server, 2, path='/x', first=most // 150, e='purchase')
        for to in 'lake', 'desk':
            subprocess.run([os.path.join(BUILD, 'crumb')] + server.common() + ['export', '--to', to], capture_output=True, preexec_fn=lambda: (
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN), resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))))
    for to in 'lake', 'desk':
        export_to(server, to)
        assert export_to(server, to)['state'] == 'nothing_to_say'
    assert partner.members() == held(server, 'intenders') | held(server, 'coats-7d')
    assert replay(server.dir + '/lake', server) == held(server, 'intenders', 'lake') | held(server, 'coats-7d', 'lake') | held(server, 'shoppers', 'lake')


# --- what is told of deliveries

def test_a_destination_that_is_gone_from_the_file_says_what_it_still_holds(make, tmp_path):
    w = Endless(make, tmp_path, 'google')
    whole = open(w.server.destinations).read()
    w.server.write_destinations('version: 1\npartners: [{id: acme}]\n')
    w.server.process.send_signal(signal.SIGHUP)
    row = w.server.js('deliveries')[-1]
    assert (row['destination'], row['state'], row['owed']) == ('x', 'not_configured', 80) and 'Put it back' in row['why']
    assert w.server.js('deliveries', 'x')[-1] == row and re.search(r'to take back.*\n(?s:.*) not_configured +x +.* 80  this destination is not in', w.server.cli('deliveries').stdout)
    assert 'there is no destination' in w.server.cli('deliveries', 'y', ok=(1,)).stderr
    folder = os.path.join(w.server.store, 'exports', 'x')
    w.server.advance('1d')
    until(lambda: os.path.exists(folder + '/gone'))
    w.server.write_destinations(whole)              # it comes back: it goes on where it was
    w.server.process.send_signal(signal.SIGHUP)
    w.server.advance('7d')
    w.to('delta', 0, 40)
    assert w.there(w.ever) and not os.path.exists(folder + '/gone')
    w.server.write_destinations('version: 1\npartners: [{id: acme}]\n')
    w.server.process.send_signal(signal.SIGHUP)
    w.server.advance('1d')
    until(lambda: os.path.exists(folder + '/gone'))
    w.server.advance('91d')
    until(lambda: not os.path.exists(folder))       # and after 90 days nothing names anybody any more


def test_by_hand_is_not_late(world):
    server, partner = world()
    look(server, 60)
    partner.moods = [503]
    assert json.loads(server.cli('export', '--to', 'desk', '--json', ok=(1,)).stdout)['state'] == 'waiting'
    server.advance('3h')
    row = server.js('deliveries', 'desk')[-1]
    assert (row['state'], row['by_hand'], row['next_try']) == ('waiting', True, None) and 'by hand' in row['why']
    assert server.cli('deliveries', 'desk').stdout.splitlines()[-1].startswith('by hand ')


def test_what_is_owed_is_shown(make, tmp_path):
    w = Endless(make, tmp_path, 'google')
    w.server.advance('7d')
    w.partner.down = True
    assert w.server.cli('export', '--to', 'x', ok=(1,)).stderr
    row = w.server.js('deliveries')[-1]
    assert (row['state'], row['owed']) == ('waiting', 40)
    w.partner.down = False
    w.server.cli('export', '--to', 'x')
    assert 'owed' not in w.server.js('deliveries')[-1]


def test_json_is_never_empty(make, tmp_path):
    w = Endless(make, tmp_path, 'google')
    w.partner.down = True
    w.browsers[0].hit('/other')
    w.server.advance('8d')
    r = w.server.cli('export', '--to', 'x', '--json', ok=(1,))
    assert json.loads(r.stdout)['state'] == 'not_possible' and json.loads(r.stdout)['why'] in r.stderr


def test_lists_say_where_segments_go_and_whose_they_are(world):
    server, partner = world(rules=RULES.replace('id: shoppers,', 'id: shoppers, owner: anna,'))
    assert {s['id']: s['destinations'] for s in server.js('segments', 'list')} == {'intenders': ['lake', 'desk'], 'coats-7d': ['lake', 'desk'], 'shoppers': ['lake']}
    assert re.search(r' shoppers .*lake +anna$', server.cli('segments', 'list').stdout, re.M)
    assert re.search(r'^owner +anna\ndestinations +lake$', server.cli('segments', 'show', 'shoppers').stdout, re.M)


def test_what_a_partner_says_back_of_a_request_is_hidden(make, tmp_path):
    """Some partners answer a request that they refuse with the request."""
    class Echo(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.send_response(400)
            self.end_headers()
            self.wfile.write(('no: %s %s' % (self.path, self.headers['Authorization'])).encode())

        def log_message(self, *arguments):
            pass
    partner = http.server.HTTPServer(('127.0.0.1', 0), Echo)
    threading.Thread(target=partner.serve_forever, daemon=True).start()
    server = make(rules='version: 1\ncategories:\n  - {id: coats, any: [{path: "/coats/*"}]}\nsegments:\n  - {id: some, when: coats, destinations: [x]}\n',
                  destinations='version: 1\ndestinations:\n  - {id: x, format: csv, deliver: {url: "http://127.0.0.1:%d/hooks/very-secret?key=secret-too", headers: {Authorization: "Bearer most-secret"}}}\n' % partner.server_port)
    server.import_lines([{'id': 'v%d' % i, 't': server.now(), 'u': 'https://shop.example/coats/1'} for i in range(30)])
    status, _, data = server.http('POST', '/v1/deliver?to=x', admin=True)
    assert status == 200 and b'status 400: no: ***' in data and b'secret' not in data
    for path in ('/v1/deliveries', '/v1/destinations', '/v1/report/summary'):
        assert b'secret' not in server.http('GET', path, admin=True)[2]
    partner.shutdown()
