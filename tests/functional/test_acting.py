"""What a marketer does over the API: destinations with their match rates, delivering now, sending again; the same JSON as the commands'."""
import json
import os

from harness import Browser, until
from partner import export_to
from test_deliver import DESTINATIONS, RULES, held, look, world  # noqa: F401

MATCHED = DESTINATIONS + '  - {id: ids, format: csv, partner: acme, deliver: {directory: "%(dir)s/ids"}}\n'
TO_IDS = RULES.replace('destinations: [lake, desk]', 'destinations: [ids]')


def tell(server, method, path, body=None, status=200):
    got, _, data = server.http(method, path, body, admin=True)
    assert got == status, (got, data)
    return json.loads(data)


def destination(server, id):
    return {d['id']: d for d in tell(server, 'GET', '/v1/destinations')}[id]


# --- destinations

def test_a_match_rate_is_of_members_and_both_pass_the_gate(world):  # noqa: F811
    server, _ = world(destinations=MATCHED, rules=TO_IDS)
    assert [destination(server, 'ids')[k] for k in ('members', 'with_id', 'match_rate')] == [None] * 3
    browsers = [Browser.known(server) for _ in range(30)]
    for i, b in enumerate(browsers):
        b.hit('/coats/1')
        b.request('GET', '/sync?partner=acme&uid=A%d' % i)
    server.settle()
    ids = destination(server, 'ids')
    assert (ids['members'], ids['with_id'], ids['match_rate']) == (30, 30, 1.0)
    look(server, 19)
    server.settle()
    ids = destination(server, 'ids')    # 49 members; the 19 without an id are a group, too
    assert (ids['members'], ids['with_id'], ids['match_rate']) == (50, None, None)
    look(server, 11, first=19)
    server.settle()
    ids = destination(server, 'ids')
    assert (ids['members'], ids['with_id'], ids['match_rate']) == (60, 30, 0.5)
    lake = destination(server, 'lake')  # our own pseudonyms: there is no match
    assert (lake['partner'], lake['members'], lake['with_id'], lake['match_rate']) == (None, 60, None, None)
    assert tell(server, 'GET', '/v1/destinations') == server.js('destinations', 'list')


def test_a_delivery_keeps_its_count_by_day(world):  # noqa: F811
    server, _ = world(destinations=MATCHED, rules=TO_IDS)
    look(server, 40)
    export_to(server, 'ids')
    with open(os.path.join(server.store, 'exports', 'ids', 'reach')) as f:
        assert f.read().split()[1:] == ['40', '0']


# --- delivering

def test_delivering_now_is_what_the_command_does(world):  # noqa: F811
    server, partner = world()
    look(server, 60)
    r = tell(server, 'POST', '/v1/deliver?to=desk')
    assert (r['state'], r['mode'], r['added'], r['removed'], r['refused']) == ('delivered', 'full', 120, 0, 0)
    assert partner.members() == held(server, 'intenders') | held(server, 'coats-7d')
    assert {s['id']: (s['state'], s['members']) for s in r['segments']} == {'intenders': ('sent', 60), 'coats-7d': ('sent', 60)}
    assert tell(server, 'POST', '/v1/deliver?to=desk')['state'] == 'nothing_to_say'
    look(server, 5, path='/x', e='purchase')
    r = tell(server, 'POST', '/v1/deliver?to=desk&mode=auto')
    assert (r['mode'], r['added'], r['removed']) == ('delta', 0, None)      # five rows are five people
    assert tell(server, 'POST', '/v1/deliver?to=desk&mode=full')['mode'] == 'full'
    assert "'desk'" in tell(server, 'POST', '/v1/deliver?to=des', status=404)['error']
    notes = [n for n in tell(server, 'GET', '/v1/history') if n['what'] == 'deliver']
    assert notes and {n['of'] for n in notes} == {'desk'}


def test_what_waits_goes_again_and_nothing_else(world):  # noqa: F811
    server, partner = world()
    look(server, 60)
    assert tell(server, 'POST', '/v1/deliver/again?to=desk')['state'] == 'nothing_to_say' and not partner.requests
    partner.moods = [500]
    assert tell(server, 'POST', '/v1/deliver?to=desk')['state'] == 'waiting'
    r = tell(server, 'POST', '/v1/deliver/again?to=desk')
    assert partner.members() == held(server, 'intenders') | held(server, 'coats-7d'), r
    partner.moods = [403]               # a no: given up at once
    look(server, 30, first=100)
    r = tell(server, 'POST', '/v1/deliver?to=desk')
    assert r['state'] == 'failed' and '403' in r['why']
    assert tell(server, 'POST', '/v1/deliver/again?to=desk')['state'] == 'delivered'
    assert partner.members() == held(server, 'intenders') | held(server, 'coats-7d')
    assert tell(server, 'POST', '/v1/deliver/again?to=desk')['state'] == 'nothing_to_say'


# --- what was delivered

TCF = 'CQtAQoAQtAQoAAfACBENBkFgALDAAAAAAAYgAQqqoAACAAAAAAAA.IAQqqoAACAAA'     # purposes 1, 3, 4, 9 and 10
REASONS = ('no_id', 'no_consent', 'other_source', 'held_out')


def test_who_does_not_go_is_counted_by_the_first_reason(world):  # noqa: F811
    rules = RULES[:RULES.index('segments:')] + 'segments:\n  - {id: fans, when: coats, split: 50/50, destinations: [lake, ids]}\n'
    strict = MATCHED.replace('{id: lake, format: csv,', '{id: lake, format: csv, purposes: [7], labels: [crm],')
    server, _ = world(destinations=strict, rules=rules, options=['consent.tcf.vendor=33'])
    look(server, 120)
    look(server, 40, first=120, source='crm')           # the lake may have these
    look(server, 30, first=160, source='till')
    for i in range(31):
        b = Browser(server)
        for _ in range(2):
            b.hit('/coats/1', extra='&gdpr=1&gdpr_consent=' + TCF)
    server.settle()
    assert destination(server, 'lake')['last'] is None
    r = export_to(server, 'lake')
    held_out = 160 - r['added']
    assert 40 < held_out < 120
    last = destination(server, 'lake')['last']
    assert list(last['not_sent']) == list(REASONS)
    assert [last['not_sent'][k] for k in REASONS] == [None, 30, 30, (held_out + 5) // 10 * 10]
    assert last['not_sent'] == server.js('deliveries', 'lake')[-1]['not_sent'] == tell(server, 'GET', '/v1/deliveries?to=lake')['deliveries'][0]['not_sent']
    manifests = [f for f in os.listdir(server.dir + '/lake') if f.endswith('.manifest.json')]
    with open(os.path.join(server.dir, 'lake', manifests[0])) as f:
        assert 'added' in (manifest := json.load(f)) and 'not_sent' not in manifest     # the partner is not told
    # whoever has no id there is not asked for anything else
    for i in range(60):
        b = Browser.known(server)
        b.hit('/coats/1')
        b.request('GET', '/sync?partner=acme&uid=A%d' % i)
    server.settle()
    export_to(server, 'ids')
    assert [destination(server, 'ids')['last']['not_sent'][k] for k in REASONS[:3]] == [220, None, None]


def test_deliveries_are_told_newest_first_with_a_limit(world):  # noqa: F811
    server, partner = world()
    for day in range(3):
        look(server, 30, first=100 * day)
        for to in ('lake', 'desk'):
            export_to(server, to)
        server.advance('1d')
    partner.moods = [500]
    tell(server, 'POST', '/v1/deliver?to=desk&mode=full')
    r = tell(server, 'GET', '/v1/deliveries')
    assert not r['more'] and r['deliveries'][0]['state'] == 'waiting' and r['deliveries'][0]['ended'] is None
    ended = [d['ended'] for d in r['deliveries'][1:]]
    assert len(ended) == 6 and ended == sorted(ended, reverse=True)
    def plain(rows):
        return sorted(json.dumps(d, sort_keys=True) for d in rows)
    assert plain(r['deliveries']) == plain(server.js('deliveries'))
    one = tell(server, 'GET', '/v1/deliveries?to=desk&limit=2')
    assert one['more'] and [d['destination'] for d in one['deliveries']] == ['desk'] * 2 and one['deliveries'] == [d for d in r['deliveries'] if d['destination'] == 'desk'][:2]
    tell(server, 'GET', '/v1/deliveries?to=nobody', status=404)
    assert [server.http('GET', '/v1/deliveries?limit=' + n, admin=True)[0] for n in ('0', '1001', 'x')] == [400] * 3


# --- what an analyst asks

def test_explain_is_what_the_command_says(world):  # noqa: F811
    server, _ = world()
    look(server, 3)
    browser = Browser.known(server)
    browser.hit('/coats/1')
    server.settle()
    for segment in ('intenders', 'coats-7d', 'shoppers'):
        for option, key, value in (('--id', 'id', 'v1'), ('--cookie', 'cookie', browser.jar['crumb']), ('--key', 'key', server.visitor('--id', 'v2')['visitor'])):
            told = tell(server, 'POST', '/v1/ask/explain', json.dumps({'segment': segment, key: value}))
            assert told == server.js('rules', 'explain', segment, option, value) and told['in']
    assert 'nothing is known' in tell(server, 'POST', '/v1/ask/explain', '{"segment":"shoppers","id":"nobody"}', status=404)['error']
    assert 'intenders' in tell(server, 'POST', '/v1/ask/explain', '{"segment":"intender","id":"v1"}', status=404)['error']
    assert 'forged' in tell(server, 'POST', '/v1/ask/explain', '{"segment":"shoppers","cookie":"1.nonsense"}', status=400)['error']
    for body in ('', '[]', '{"segment":"shoppers"}', '{"id":"v1"}', '{"segment":"shoppers","id":"v1","key":"00"}', '{"segment":"shoppers","id":5}'):
        assert 'the body is' in tell(server, 'POST', '/v1/ask/explain', body, status=400)['error']


def test_lookalikes_and_their_curve_are_what_the_commands_say(make):
    import random
    from test_api import RULES as rules
    from test_lookalike import people
    server = make(rules=rules)
    assert 'not trained' in tell(server, 'GET', '/v1/lookalike/curve?id=like-buyers', status=404)['error']
    lines = []
    for v, _, topics, buys, coats, _ in people(random.Random(9), 1500):
        lines += [{'id': v, 'u': 'https://s.example/%s/1' % t} for t in topics] + [{'id': v, 'e': 'purchase'}] * buys + [{'id': v, 'u': 'https://s.example/coats/1'}] * coats
    server.import_lines(lines)
    server.cli('lookalike', 'train', 'like-buyers')
    told = tell(server, 'GET', '/v1/lookalike/curve?id=like-buyers')
    assert told == {**server.js('lookalike', 'curve', 'like-buyers'), **server.js('lookalike', 'explain', 'like-buyers')} and len(told['curve']) > 3
    assert tell(server, 'GET', '/v1/lookalikes') == [s for s in server.js('segments', 'list') if s['kind'] == 'lookalike']
    assert 'like-buyers' in tell(server, 'GET', '/v1/lookalike/curve?id=like-buyer', status=404)['error']


def test_signals_are_what_the_command_says_and_told_alike_all_day(world):  # noqa: F811
    server, _ = world()
    look(server, 60, path='/unused/1')
    def read():
        told = {}
        until(lambda: told.update(tell(server, 'GET', '/v1/signals')) or told['current'])
        assert told.pop('current') and not told.pop('running') and told.pop('made')
        return told

    early = tell(server, 'GET', '/v1/signals')            # nobody waits for the journal
    assert (early['made'], early['current'], early['unused']) == (None, False, [])
    first = read()
    assert first == server.js('rules', 'signals') and {'kind': 'path', 'value': '/unused/*', 'events': 60, 'visitors': 60} in first['unused']
    look(server, 30, first=60, path='/unused/1')
    assert read() == first
    server.advance('1d')
    assert read()['unused'] != first['unused']
