"""Lookalikes: planted signals are found, noise is refused, leaks are named; a model is deterministic, ends, is refreshed; its members are a segment like any other."""
import csv
import json
import math
import os
import random
import re
import time

import pytest
from harness import DAY, Browser, files_of, until
from test_rules import reload

TOPICS = ['t%02d' % i for i in range(20)]
RULES = 'version: 1\ncategories:\n' + ''.join('  - {id: topic.%s, any: [{path: "/%s/*"}]}\n' % (t, t) for t in TOPICS) + '''  - {id: shop.buy, any: [{event: purchase}]}
  - {id: shop.cart, any: [{event: add_to_cart}]}
  - {id: noise, any: [{event: coin}]}
  - {id: health, any: [{path: "/health/*"}]}
segments:
  - {id: buyers, when: buy}
  - {id: lucky, when: noise}
  - {id: few, when: t19 >= 3 and health}
  - {id: patients, when: health}
lookalikes:
  - {id: like-buyers, name: Like buyers, seed: buyers, reach: 10%, destinations: [lake]}
  - {id: like-lucky, seed: lucky, reach: 10%}
  - {id: like-few, seed: few, size: 100}
  - {id: like-patients, seed: patients, min_lift: 2}
  - {id: like-some, seed: buyers, size: 150, population: "t01 or t02 or t04", exclude: {visitors: t07, categories: [t05]}, refresh: by hand}
'''
DESTINATIONS = 'version: 1\ndestinations:\n  - {id: lake, format: csv}\n'


def people(rng, n=2500):
    """Half like t03 and t05, and buy ten times as often; everybody reads this and that."""
    for i in range(n):
        fan = i % 2 == 0
        others, n = [t for t in TOPICS if t not in ('t03', 't05')], rng.randint(2, 5)
        topics = {t for t in ('t03', 't05') if rng.random() < (0.8 if fan else 0.1)}
        topics |= set(rng.sample(others, n - len(topics)))
        yield 'v%d' % i, fan, sorted(topics), rng.random() < (0.3 if fan else 0.03), rng.random() < 0.2, rng.random() < 0.1


@pytest.fixture(scope='module')
def filled(tmp_path_factory):
    from harness import Server
    server = Server(rules=RULES, destinations=DESTINATIONS).start()
    rng, lines, t = random.Random(9), [], server.now()
    server.fans = {}
    for v, fan, topics, buys, lucky, sick in people(rng):
        server.fans[v] = fan
        lines += [{'id': v, 't': t - rng.randrange(40) * DAY, 'u': 'https://s.example/%s/1' % x} for x in topics]
        if buys:
            lines.append({'id': v, 't': t, 'e': 'purchase'})
        if rng.random() < 0.1:
            lines.append({'id': v, 't': t, 'e': 'add_to_cart'})
        if lucky:
            lines.append({'id': v, 't': t, 'e': 'coin'})
        if sick:
            lines.append({'id': v, 't': t, 'u': 'https://s.example/health/1'})
    server.import_lines(lines)
    yield server
    server.close()


def ids(server, segment, *arguments):
    out = os.path.join(server.dir, 'x%d' % time.monotonic_ns())
    server.cli('export', segment, '--out', out, *arguments)
    return {r['id'] for r in csv.DictReader(open(os.path.join(out, segment + '.csv')))}


def test_planted_signals_come_out_on_top(filled):
    r = filled.js('lookalike', 'train', 'like-buyers')
    assert r['auc'] > 0.6 and r['auc'] > r['activity_auc'] and r['lift_at_10'] > 1.3 and r['seed'] > 300 and any('fewer than 1000' in w for w in r['warnings'])
    row = {s['id']: s for s in filled.js('segments', 'list')}['like-buyers']
    assert row['kind'] == 'lookalike' and row['size'] == r['size'] and abs(row['size'] - 0.1 * r['population']) < 40
    e = filled.js('lookalike', 'explain', 'like-buyers')
    top = [f['f'] for f in e['features'][:2]]
    assert {re.sub('.*:', '', f) for f in top} == {'topic.t03', 'topic.t05'} and all(f['w'] > 0 for f in e['features'][:2])
    assert not [f for f in e['features'] if re.search(':shop$|shop.buy|health', f['f'])]       # what defines the seed, what is above it, and what is sensitive
    members, seeds = ids(filled, 'like-buyers'), ids(filled, 'buyers')
    assert members and not members & seeds                                                 # never the seed's own
    visitors = [filled.visitor('--id', v) for v in list(filled.fans)[:120]]
    inside = [v for v, known in zip(list(filled.fans)[:120], visitors) if 'like-buyers' in known['segments']]
    assert inside and all(filled.fans[v] for v in inside)                                  # all of them fans
    text = filled.cli('lookalike', 'explain', 'like-buyers').stdout
    assert 'topic.t03' in text and 'of the seed' in text
    one = filled.js('lookalike', 'explain', 'like-buyers', '--id', inside[0])
    assert one['member'] and abs(one['bias'] + sum(f['weight'] for f in one['features']) - one['score']) < 1e-5 and one['score'] >= one['threshold']
    filled.verify()


def test_the_curve_and_its_baseline(filled):
    filled.js('lookalike', 'train', 'like-buyers')
    c = filled.js('lookalike', 'curve', 'like-buyers')['curve']
    assert [p['reach'] for p in c] == sorted(p['reach'] for p in c) and all(p['low'] <= p['recall'] <= p['high'] for p in c)
    assert all(abs(p['lift'] - p['recall'] / p['reach']) < 1e-3 and 0 <= p['precision'] <= 1 for p in c) and c[-1]['recall'] > c[-1]['activity_recall']
    assert 'activity alone' in filled.cli('lookalike', 'curve', 'like-buyers').stdout
    svg = os.path.join(filled.dir, 'c.svg')
    filled.cli('lookalike', 'curve', 'like-buyers', '--svg', svg)
    assert open(svg).read().startswith('<svg') and open(svg).read().rstrip().endswith('</svg>')


def test_noise_and_small_seeds_are_refused_with_the_reason(filled):
    assert 'nothing was learned' in filled.cli('lookalike', 'train', 'like-lucky', ok=(1,)).stderr
    assert 'fewer than 100 members' in filled.cli('lookalike', 'train', 'like-few', ok=(1,)).stderr
    assert 'no lookalike' in filled.cli('lookalike', 'train', 'buyers', ok=(1,)).stderr
    assert 'was not trained yet' in filled.cli('lookalike', 'curve', 'like-lucky', ok=(1,)).stderr


def test_population_and_exclusions(filled):
    r = filled.js('lookalike', 'train', 'like-some')
    names = ' '.join(f['f'] for f in filled.js('lookalike', 'explain', 'like-some')['features'])
    assert 't03' in names and not re.search('t0[12457]', names)                    # excluded, and what decides who is in the population
    for v in list(filled.fans)[:60]:
        known = filled.visitor('--id', v)
        if 'like-some' in known['segments']:
            cats = {c['id'] for c in known['categories']}
            assert cats & {'topic.t01', 'topic.t02', 'topic.t04'} and 'topic.t07' not in cats
    assert r['size'] is None or r['size'] <= 400


def test_the_same_views_give_the_same_model_however_many_cores_there_are(filled):
    path = os.path.join(filled.store, 'models', 'like-buyers.json')
    filled.js('lookalike', 'train', 'like-buyers')
    first = open(path).read()
    assert '"v1"' not in first and not re.search(r'[0-9a-f]{32}', first)          # no visitor in it
    filled.js('lookalike', 'train', 'like-buyers')
    assert open(path).read() == first
    filled.stop()                                                                  # one core scans the shards one after the other
    try:
        cores = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {min(cores)})
        filled.js('lookalike', 'train', 'like-buyers')
        os.sched_setaffinity(0, cores)
        assert open(path).read() == first
    finally:
        filled.start()


def whole(a, b):
    """Divides towards zero, as C does."""
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


def test_scores_are_what_the_model_says(filled):
    """Scores of the command line against those that somebody else computes from the model's file, in whole numbers."""
    for like in ('like-buyers', 'like-some'):
        filled.js('lookalike', 'train', like)
        model = json.load(open(os.path.join(filled.store, 'models', like + '.json')))
        weights = {f['f']: (f['w'], f.get('square', 0)) for f in model['features']}
        known = {f.split(':')[1] for f in weights if re.match(r'[cn]\d+:', f)}           # categories that count as interests
        assert model['crumb_model'] == 2 and all(isinstance(w, int) for w, _ in weights.values())
        for v in list(filled.fans)[:10]:
            one, seen = filled.js('lookalike', 'explain', like, '--id', v), {c['id'] for c in filled.visitor('--id', v)['categories']}
            holds = {f['feature'] for f in one['features']}
            length, held = round(one['length'] * 10 ** 6), sum(weights[f][0] for f in holds)
            assert round(one['score'] * 10 ** 6) == model['bias'] + whole(held * 10 ** 6, length)
            assert length >= math.isqrt(sum(weights[f][1] for f in holds)) if model['unit'] else length == 10 ** 6
            for f, (w, _) in weights.items():
                kind, what = f.split(':')
                if w and kind == 'c90':
                    assert (f in holds) == (what in seen or any(c.startswith(what + '.') for c in seen)), (f, v)
                if w and what == 'interests':
                    assert (f in holds) == (sum(c in seen or any(s.startswith(c + '.') for s in seen) for c in known) >= int(kind[1:])), (f, v)


def test_scores_and_matrix_for_whoever_trains_their_own(filled):
    filled.js('lookalike', 'train', 'like-buyers')
    r = filled.js('lookalike', 'scores', 'like-buyers', '--out', filled.dir + '/s')
    rows = list(csv.DictReader(open(r['file'])))
    members = ids(filled, 'like-buyers')
    best = sorted(rows, key=lambda x: -float(x['score']))[:len(members)]
    assert {x['id'] for x in best} == members and len(rows) == r['rows']          # the members are the best, by pseudonyms that are the export's
    chance = sum(float(x['probability']) for x in rows) / len(rows)             # calibrated: as likely as there are seeds
    assert 0.05 < chance < 0.3 and all(0 < float(x['probability']) < 1 for x in rows)
    seeds = len(ids(filled, 'buyers'))
    assert abs(sum(float(x['probability']) for x in rows) - seeds) < 0.1 * seeds         # as many are expected outside the seed as are in it
    m = filled.js('lookalike', 'seed', 'buyers', '--format', 'libsvm', '--out', filled.dir + '/m')
    lines = open(m['file']).read().splitlines()
    assert len(lines) == m['rows'] and sum(l.startswith('+1') for l in lines) > 300
    assert all(re.fullmatch(r'[+-]1( \d+:1)*', l) for l in lines[:200]) and 'shop.buy' not in open(m['features_file']).read()
    c = filled.js('lookalike', 'seed', 'buyers', '--format', 'csv', '--out', filled.dir + '/m')
    table = list(csv.reader(open(c['file'])))
    assert table[0][:2] == ['seed', 'weight'] and len(table[0]) == m['features'] + 2 and len(table) == m['rows'] + 1
    weights = [float(x) for x in open(m['weights_file'])]
    assert [float(row[1]) for row in table[1:]] == weights
    assert sum(w for w, row in zip(weights, table[1:]) if row[0] == '1') == pytest.approx(len(weights) / 2, rel=1e-6) == pytest.approx(sum(weights) / 2)
    assert [sum(int(x) for x in row[2:]) for row in table[1:50]] == [l.count(':1') for l in lines[:49]]
    assert 'uses a sensitive category' in filled.cli('lookalike', 'seed', 'patients', '--out', filled.dir + '/m', ok=(1,)).stderr
    s = filled.js('lookalike', 'similar', 'buyers')
    assert all(0 <= x['jaccard'] <= 1 for x in s)


def test_scores_of_a_sensitive_seed_stay(make):
    server = make(rules=RULES.replace('shop.buy, any', 'shop.buy, sensitive: true, any').replace('destinations: [lake]', 'refresh: by hand'), destinations=DESTINATIONS)
    lines, t = [], server.now()
    for v, _, topics, buys, _, _ in people(random.Random(4), 1500):
        lines += [{'id': v, 't': t, 'u': 'https://s.example/%s/1' % x} for x in topics] + ([{'id': v, 't': t, 'e': 'purchase'}] if buys else [])
    server.import_lines(lines)
    assert server.js('lookalike', 'train', 'like-buyers')['size'] > 100
    out = server.dir + '/s'
    assert 'uses a sensitive category' in server.cli('lookalike', 'scores', 'like-buyers', '--out', out, ok=(1,)).stderr and not os.path.exists(out)


def test_scores_and_matrix_pass_the_gates_of_exports(make):
    server = make(rules=RULES.replace('{id: buyers, when: buy}', '{id: buyers, when: buy, labels: [inhouse]}').replace('destinations: [lake]', 'refresh: by hand'),
                  destinations=DESTINATIONS.replace('csv}', 'csv, labels: [inhouse]}'))
    lines, t = [], server.now()
    for v, _, topics, buys, _, _ in people(random.Random(5), 1500):
        lines += [{'id': v, 't': t, 'u': 'https://s.example/%s/1' % x} for x in topics] + ([{'id': v, 't': t, 'e': 'purchase'}] if buys else [])
    server.import_lines(lines)
    server.js('lookalike', 'train', 'like-buyers')
    for command in (('scores', 'like-buyers'), ('scores', 'like-buyers', '--partner', 'other'), ('seed', 'buyers')):
        assert "labelled 'inhouse'" in server.cli('lookalike', *command, '--out', server.dir + '/s', ok=(1,)).stderr
    assert not os.path.exists(server.dir + '/s')
    assert server.js('lookalike', 'scores', 'like-buyers', '--partner', 'lake', '--out', server.dir + '/s')['rows'] > 1000


def test_members_come_and_go_and_the_model_ends(make):
    server = make(rules=RULES.replace(', refresh: by hand', ''), destinations=DESTINATIONS)
    rng, lines, t = random.Random(9), [], server.now()
    for v, fan, topics, buys, _, _ in people(rng, 1500):
        lines += [{'id': v, 't': t, 'u': 'https://s.example/%s/1' % x} for x in topics] + ([{'id': v, 't': t, 'e': 'purchase'}] if buys else [])
    server.import_lines(lines)
    server.js('lookalike', 'train', 'like-buyers')
    b = Browser.known(server)
    for _ in range(3):
        b.hit('/t03/1'), b.hit('/t05/1')
    server.settle()
    assert 'like-buyers' in b.shown()['segments']                                  # at once, by what was just done
    b.hit('/x', event='purchase')
    server.settle()
    assert 'like-buyers' not in b.shown()['segments']                              # a seed now
    assert server.js('export', '--to', 'lake', '--out', server.dir + '/l')['added'] > 50
    server.verify()
    server.restart()
    assert server.sizes()['like-buyers']
    server.advance('1d')                                                           # a night: trained anew, and served
    model = lambda: json.load(open(os.path.join(server.store, 'models', 'like-buyers.json')))
    until(lambda: model()['trained'] == time.strftime('%Y-%m-%d', time.gmtime(server.now())) and server.js('rules', 'status')['complete'], model)
    server.verify()
    server.settle()
    assert server.stop() == 0 and server.js('db', 'verify', '--replay')['ok']
    r = server.js('lookalike', 'train', 'like-buyers')                             # without a server, too
    assert r['size'] and server.sizes()['like-buyers'] == r['size']


def test_nothing_is_left_of_a_model_whose_data_is_over(make):
    server = make(rules=RULES, destinations=DESTINATIONS)
    lines, t = [], server.now()
    for v, _, topics, buys, _, _ in people(random.Random(6), 1200):
        lines += [{'id': v, 't': t, 'u': 'https://s.example/%s/1' % x} for x in topics] + ([{'id': v, 't': t, 'e': 'purchase'}] if buys else [])
    server.import_lines(lines)
    for like in ('like-buyers', 'like-some'):                                      # one is trained by hand alone
        server.js('lookalike', 'train', like)

    def content(path):
        try:
            return open(path, 'rb').read()
        except FileNotFoundError:                                                  # of a generation that went meanwhile
            return b''

    def left():
        files = files_of(server.store)
        return [f for f in files if '/models/' in f or b'crumb_model' in content(f)]
    assert len([f for f in left() if '/models/' in f]) == 2 and len(left()) > 2    # and in the rules that the views were made with
    server.advance('89d')
    server.settle()
    assert os.path.exists(server.store + '/models/like-some.json')
    server.advance('1d')
    until(lambda: not left(), left)
    server.verify()


def test_a_leak_is_named(make):
    rules = 'version: 1\ncategories:\n  - {id: buy, any: [{event: purchase}]}\n  - {id: thanks, any: [{path: /thank-you}]}\n  - {id: a, any: [{path: /a}]}\n' \
            'segments: [{id: buyers, when: buy}]\nlookalikes: [{id: like, seed: buyers, reach: 5%}]\n'
    server = make(rules=rules)
    t, lines = server.now(), []
    for i in range(1200):
        lines.append({'id': 'v%d' % i, 't': t, 'u': 'https://s.example/a'})
        if i < 300:
            lines += [{'id': 'v%d' % i, 't': t, 'e': 'purchase'}, {'id': 'v%d' % i, 't': t, 'u': 'https://s.example/thank-you'}]
    server.import_lines(lines)
    r = server.js('lookalike', 'train', 'like')
    assert r['auc'] > 0.99 and any('too good to be true' in w and 'thanks' in w for w in r['warnings'])


def test_a_single_feature_that_gives_the_seed_away_is_named(make):
    """The whole ranks hardly too well to be true (0.98), one page of it alone does; and one that only some of the seed sees, and nobody else."""
    rules = 'version: 1\ncategories:\n  - {id: buy, any: [{event: purchase}]}\n  - {id: thanks, any: [{path: /thank-you}]}\n  - {id: club, any: [{path: /club}]}\n' + \
            ''.join('  - {id: %s, any: [{path: /%s}]}\n' % (c, c) for c in 'abcd') + 'segments: [{id: buyers, when: buy}]\nlookalikes: [{id: like, seed: buyers, reach: 5%}]\n'
    server = make(rules=rules)
    rng, t, lines = random.Random(3), server.now(), []
    for i in range(2400):
        buys = i % 6 == 0
        lines += [{'id': 'v%d' % i, 't': t, 'u': 'https://s.example/' + c} for c in 'abcd' if rng.random() < 0.5] + [{'id': 'v%d' % i, 't': t, 'u': 'https://s.example/a'}]
        if buys:
            lines.append({'id': 'v%d' % i, 't': t, 'e': 'purchase'})
        if rng.random() < (0.96 if buys else 0.02):
            lines.append({'id': 'v%d' % i, 't': t, 'u': 'https://s.example/thank-you'})
        if buys and rng.random() < 0.3:
            lines.append({'id': 'v%d' % i, 't': t, 'u': 'https://s.example/club'})
    server.import_lines(lines)
    r = server.js('lookalike', 'train', 'like')
    leak = [w for w in r['warnings'] if 'too good to be true' in w]
    assert 0.94 < r['auc'] < 0.99 and len(leak) == 1 and "'thanks'" in leak[0] and "'club'" in leak[0] and "'a'" not in leak[0]


def test_empty_audiences_are_said_and_a_lift_takes_who_has_it(make):
    rules = RULES.split('lookalikes:')[0] + 'lookalikes:\n' + ''.join('  - {id: lift%d, seed: buyers, min_lift: %s, refresh: by hand}\n' % (i, lift) for i, lift in enumerate(('1.5', '1.7', '40')))
    server = make(rules=rules)
    lines, t = [], server.now()
    for v, _, topics, buys, _, _ in people(random.Random(11), 3000):
        lines += [{'id': v, 't': t, 'u': 'https://s.example/%s/1' % x} for x in topics] + ([{'id': v, 't': t, 'e': 'purchase'}] if buys else [])
    server.import_lines(lines)
    for like, lift in (('lift0', 1.5), ('lift1', 1.7)):
        r = server.js('lookalike', 'train', like)
        curve, reach = server.js('lookalike', 'curve', like)['curve'], r['size'] / r['population']
        assert not [p for p in curve if p['reach'] > reach * 1.1 and p['lift'] > lift * 1.05], (reach, curve)       # nobody is left out who would keep the lift
        assert [p for p in curve if p['reach'] <= reach * 1.3 and p['lift'] > lift * 0.85], (reach, curve)
    wrong = server.cli('lookalike', 'train', 'lift2', ok=(1,)).stderr
    assert 'nobody would be in it' in wrong and '40 times' in wrong and 'lower min_lift' in wrong
    assert 'was not trained yet' in server.cli('lookalike', 'curve', 'lift2', ok=(1,)).stderr


def test_thin_categories_are_learned_from_by_what_is_above_them(make):
    """Three thousand items, each seen by a few: nothing to learn from without a tree, and the taste shows with one."""
    rng, lines = random.Random(2), []
    for i in range(2500):
        taste, buys = i % 5, rng.random() < (0.3 if i % 5 == 2 else 0.05)
        for _ in range(rng.randint(2, 5)):
            kind = taste if rng.random() < 0.6 else rng.randrange(5)
            lines.append(('v%d' % i, 'https://s.example/%d/%d' % (kind, rng.randrange(600))))
        if buys:
            lines.append(('v%d' % i, None))
    for tree in (False, True):
        rules = 'version: 1\ncategories:\n  - {id: buy, any: [{event: purchase}]}\n' + \
                ''.join('  - {id: %si%d-%d, any: [{path: /%d/%d}]}\n' % ('kind%d.' % k if tree else '', k, i, k, i) for k in range(5) for i in range(600)) + \
                'segments: [{id: buyers, when: buy}]\nlookalikes: [{id: like, seed: buyers, reach: 10%, refresh: by hand}]\n'
        server = make(rules=rules)
        t = server.now()
        server.import_lines([{'id': v, 't': t, **({'u': u} if u else {'e': 'purchase'})} for v, u in lines])
        if tree:
            r = server.js('lookalike', 'train', 'like')
            assert r['auc'] > 0.65 and not any('not learned from' in w for w in r['warnings'])
            features = server.js('lookalike', 'explain', 'like')['features']
            assert features[0]['f'].endswith(':kind2') and features[0]['w'] > 0
        else:
            assert 'nothing to learn from' in server.cli('lookalike', 'train', 'like', ok=(1,)).stderr
        server.close()


OLD = {'crumb_model': 1, 'id': 'like-buyers', 'seed': 'buyers', 'bias': 0, 'threshold': 500000, 'slope': 2.0, 'shift': -1.5, 'seed_members': 400, 'population': 2100, 'auc': 0.7,
       'activity_auc': 0.5, 'lift_at_10': 2.0, 'c': 0.1, 'warnings': [], 'curve': [], 'features': [{'f': 'c90:topic.t03', 'w': 400000, 'seed': 0.7, 'others': 0.3}, {'f': 'c90:topic.t05', 'w': 300000, 'seed': 0.7, 'others': 0.3}]}


def test_models_of_before_are_served_as_they_were(make):
    server = make(rules=RULES.replace('destinations: [lake]', 'refresh: by hand'), destinations=DESTINATIONS)
    lines, t = [], server.now()
    for v, _, topics, buys, _, _ in people(random.Random(6), 600):
        lines += [{'id': v, 't': t, 'u': 'https://s.example/%s/1' % x} for x in topics] + ([{'id': v, 't': t, 'e': 'purchase'}] if buys else [])
    server.import_lines(lines)
    server.stop()
    os.makedirs(server.store + '/models', exist_ok=True)
    with open(server.store + '/models/like-buyers.json', 'w') as f:
        json.dump(dict(OLD, trained=time.strftime('%Y-%m-%d', time.gmtime(t))), f)
    server.start()
    server.settle()
    until(lambda: server.js('rules', 'status')['complete'] and server.sizes()['like-buyers'])
    r = server.js('lookalike', 'scores', 'like-buyers', '--out', server.dir + '/s')
    rows = [(float(x['score']), float(x['probability'])) for x in csv.DictReader(open(r['file']))]
    assert {s for s, _ in rows} == {0.0, 0.3, 0.4, 0.7} and all(abs(p - 1 / (1 + math.exp(1.5 - 2 * s))) < 1e-5 for s, p in rows)
    assert abs(server.sizes()['like-buyers'] - sum(s == 0.7 for s, _ in rows)) <= 10
    server.verify()
    assert server.js('lookalike', 'train', 'like-buyers')['size']                  # and a new one takes its place
    assert json.load(open(server.store + '/models/like-buyers.json'))['crumb_model'] == 2


def test_mistakes_in_rules(filled, tmp_path):
    for bad, words in (('{id: x, seed: nobody, reach: 5%}', "no segment 'nobody'"), ('{id: x, seed: buyers}', 'one of reach, size and min_lift'), ('{id: x, seed: buyers, reach: 5%, size: 3}', 'one of reach'),
                       ('{id: x, seed: like-y, reach: 5%}\n  - {id: like-y, seed: buyers, reach: 5%}', 'is a lookalike itself'), ('{id: x, seed: buyers, reach: 500%}', 'no share'),
                       ('{id: x, seed: buyers, reach: 5%, exclude: {categories: [t99]}}', "no category 't99'"), ('{id: x, seed: buyers, reach: 5%, population: "t99 >= 1"}', "'t99'"),
                       ('{id: buyers, seed: buyers, reach: 5%}', 'twice'),
                       ('{id: x, seed: patients, reach: 5%, destinations: [lake]}', "uses a sensitive category and may not go to 'lake'"), ('{id: x, sed: buyers, reach: 5%}', "did you mean 'seed'?")):
        f = tmp_path / 'r.yaml'
        f.write_text(RULES.split('lookalikes:')[0] + 'lookalikes:\n  - ' + bad + '\n')
        assert words in filled.cli('rules', 'check', str(f), ok=(1,)).stderr, bad
