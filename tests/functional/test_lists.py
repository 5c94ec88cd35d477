"""What the command line lists for people: headers, columns that are aligned, shares, names that were meant, words for what a model learned."""
import json
import os
import random
import re
import subprocess

import pytest
from harness import BUILD, ROOT, Server

RULES = '''version: 1
categories:
  - {id: shop.coats, name: Coats, any: [{path: "/coats/*"}]}
  - {id: shop.shoes, name: Schöne Schuhe, any: [{path: "/shoes/*"}]}
  - {id: sport.running, name: Running, any: [{path: "/running/*"}]}
  - {id: purchase, name: Bought, any: [{event: purchase}]}
segments:
  - {id: coat-fans, name: Coats again and again, when: coats >= 2 in 14d, destinations: [page, lake], owner: anna, alert: size < 5000}
  - {id: buyers, when: purchase}
  - {id: nobody, when: shoes > 900}
lookalikes:
  - {id: like-buyers, name: Like buyers, seed: buyers, reach: 10%, owner: bert}
  - {id: like-fans, seed: coat-fans, size: 100, refresh: by hand}
'''
DESTINATIONS = '''version: 1
partners: [{id: acme}]
destinations:
  - {id: lake, format: csv, schedule: daily at 03:00, deliver: {directory: DIR/lake}}
  - {id: desk, partner: acme, format: ndjson, deliver: {url: "https://acme.example/in?token=secret"}}
'''


@pytest.fixture(scope='module')
def filled():
    s = Server(rules=RULES, k=50)
    s.write_destinations(DESTINATIONS.replace('DIR', s.dir))
    s.start()
    rng = random.Random(3)
    lines = []
    for i in range(1500):
        buys = i % 8 == 0
        for _ in range(rng.randint(2, 6)):
            path = '/running/1' if buys and rng.random() < .6 else rng.choice(['/coats/1', '/shoes/2', '/running/3'])
            lines.append({'id': 'v%d' % i, 'u': 'https://shop.example' + path, 't': s.now() - rng.randint(0, 30) * 86400})
        if buys:
            lines.append({'id': 'v%d' % i, 'u': 'https://shop.example/cart', 'e': 'purchase'})
    assert s.import_lines(lines)['accepted'] == len(lines)
    s.settle()
    s.cli('lookalike', 'train', 'like-buyers')
    yield s
    s.close()


def columns(text):
    """Rows of a printed table by their headers; every cell stands below its header, at its left or its right end."""
    lines = text.rstrip('\n').split('\n')
    heads = [(m.group(), m.start(), m.end()) for m in re.finditer(r'\S+(?: \S+)*', lines[0])]
    rows = []
    for line in lines[1:]:
        row = dict.fromkeys((h[0] for h in heads), '')
        for m in re.finditer(r'\S+(?: \S+)*', line):
            under = [h for h, start, end in heads if start == m.start() or end == m.end()]
            assert len(under) == 1, (m.group(), line, lines[0])
            row[under[0]] = m.group()
        rows.append(row)
    return rows


def test_segments(filled):
    listed = {s['id']: s for s in filled.js('segments', 'list')}
    rows = {r['segment']: r for r in columns(filled.cli('segments', 'list').stdout)}
    assert list(rows) == sorted(listed)
    fans = rows['coat-fans']
    assert (fans['name'], fans['destinations'], fans['owner'], fans['alert']) == ('Coats again and again', 'page, lake', 'anna', '< 5000: it is!')
    assert fans['size'] == str(listed['coat-fans']['size']) and fans['of all'] == '%.1f %%' % (100 * listed['coat-fans']['size'] / 1500)
    assert (rows['nobody']['size'], rows['nobody']['of all'], rows['nobody']['name']) == ('< 50', '', '')
    assert listed['nobody']['share'] is None and abs(listed['coat-fans']['share'] - listed['coat-fans']['size'] / 1500) < 1e-6
    status, _, data = filled.http('GET', '/v1/segments', admin=True)
    assert status == 200 and {s['id']: s['share'] for s in json.loads(data)} == {k: s['share'] for k, s in listed.items()}
    rows = {r['category']: r for r in columns(filled.cli('categories', 'list').stdout)}
    assert rows['shop.shoes']['name'] == 'Schöne Schuhe' and rows['purchase']['visitors'] == '190' and rows['purchase']['of all'] == '12.7 %'


def test_days_of_which_nothing_is_known(filled):
    shown = filled.cli('segments', 'show', 'buyers').stdout
    head, days = shown.split('\n\n')
    assert 'when' in head and 'purchase' in head and '190' in head
    table, since = days.rstrip('\n').rsplit('\n', 1)
    rows = columns(table)
    assert len(rows) == 30 and rows[0]['size'] == rows[0]['entered'] == rows[0]['left'] == '–'
    assert (rows[-1]['size'], rows[-1]['entered'], rows[-1]['left']) == ('190', '190', '< 50')
    assert since.startswith('recorded since ' + rows[-1]['day'])


def test_a_condition_in_words(filled):
    """The same sentence wherever a segment is shown, and for a condition that no segment has."""
    words = 'Visitors who had at least 2 events of “Coats” in the last 14 days.'
    assert filled.js('segments', 'show', 'coat-fans')['words'] == words
    assert re.search('^in words +%s$' % re.escape(words), filled.cli('segments', 'show', 'coat-fans').stdout, re.M)
    assert filled.js('segments', 'show', 'like-buyers')['words'].endswith('and behave like the segment “buyers” as the model has learned it.')
    status, _, data = filled.http('POST', '/v1/ask/words', 'coats >= 2 in 14d and (not shoes or segment(buyers))', admin=True)
    asked = json.loads(data)
    assert status == 200 and asked == {
        'words': 'Visitors who had at least 2 events of “Coats” in the last 14 days, and (had no event of “Schöne Schuhe” in the days that are kept, or are in '
                 'the segment “buyers”).',
        'clauses': [{'clause': 'coats >= 2 in 14d', 'words': 'had at least 2 events of “Coats” in the last 14 days'},
                    {'clause': 'not shoes or segment(buyers)',
                     'words': 'had no event of “Schöne Schuhe” in the days that are kept, or are in the segment “buyers”'}]}
    status, _, data = filled.http('POST', '/v1/ask/words', 'coats >= 2 in 14d and shose', admin=True)
    assert status == 400 and json.loads(data)['problems'][0]['hint'] == "did you mean 'shoes'?"


def test_overlap_and_similar(filled):
    j = filled.js('segments', 'overlap', 'coat-fans', 'like-buyers')
    rows = columns(filled.cli('segments', 'overlap', 'buyers', 'buyers').stdout)
    assert [r['who'] for r in rows] == ['in buyers', 'in buyers', 'in both']
    told = filled.js('segments', 'overlap', 'coat-fans', 'buyers')
    rows = columns(filled.cli('segments', 'overlap', 'coat-fans', 'buyers').stdout)
    both = rows[-1]
    if told['both'] is None:
        assert both['visitors'] == '< 50' and told['of_a'] is told['of_b'] is None
    else:
        assert both['of coat-fans'] == '%.1f %%' % (100 * told['both'] / told['a']['size']) and abs(told['of_b'] - told['both'] / told['b']['size']) < 1e-9
    assert j['of_a'] is None or 0 <= j['of_a'] <= 1


def test_lookalikes(filled):
    rows = {r['lookalike']: r for r in columns(filled.cli('lookalike', 'list').stdout)}
    told = {r['id']: r for r in filled.js('lookalike', 'list')}
    assert set(rows) == set(told) == {'like-buyers', 'like-fans'}
    like = told['like-buyers']['lookalike']
    assert (like['seed'], like['reach'], like['refresh_days'], like['over']) == ('buyers', '10%', 1, False) and like['auc'] > 0.6
    one = rows['like-buyers']
    assert (one['seed'], one['reach'], one['trained'], one['area'], one['refresh'], one['owner']) == ('buyers', '10%', like['trained'], '%.3f' % like['auc'], 'daily', 'bert')
    assert (rows['like-fans']['trained'], rows['like-fans']['reach'], rows['like-fans']['refresh'], rows['like-fans']['area']) == ('not yet', '100 visitors', 'by hand', '')


def test_what_a_model_learned_is_in_words(filled):
    told = {f['f']: f['words'] for f in filled.js('lookalike', 'explain', 'like-buyers')['features']}
    assert told['c90:sport.running'] == 'Running in the last 90 days'
    for name, words in told.items():
        kind, number, _ = re.match(r'([a-z]+?)(\d*):(.*)', name).groups()
        want = {'c': 'in the last %s days', 'n': 'at least %s times', 'a': 'at least %s different categories'}.get(kind)
        assert (want % number if want else ' is ') in words, (name, words)
    text = filled.cli('lookalike', 'explain', 'like-buyers').stdout
    assert columns(text.split('\n\n')[0])[0]['what they did'] in told.values() and 'speak for' in text
    one = filled.js('lookalike', 'explain', 'like-buyers', '--id', 'v8')
    assert all(f['words'] == told.get(f['feature'], f['words']) and f['words'] != f['feature'] for f in one['features'])
    assert 'Running in the last 90 days' in filled.cli('lookalike', 'explain', 'like-buyers', '--id', 'v8').stdout


def test_a_curve_has_axes_with_numbers(filled, tmp_path):
    points = filled.js('lookalike', 'curve', 'like-buyers')['curve']
    drawn, table, words = filled.cli('lookalike', 'curve', 'like-buyers').stdout.split('\n\n', 3)[0::1][:1] + filled.cli('lookalike', 'curve', 'like-buyers').stdout.split('\n\n')[2:4]
    lines = drawn.split('\n')
    assert lines[0] == 'recall' and [l.split('%')[0].strip() for l in lines[1:12]] == [str(n) for n in range(100, -1, -10)]
    most = points[-1]['reach']
    assert re.findall(r'(\d+) %', lines[13]) == ['%.0f' % (100 * most * i / 5) for i in range(6)] and lines[13].endswith('reach')
    # at the reach of a point the star stands in the row of its recall
    for p in points:
        x = round(p['reach'] / most * 50)
        if abs(p['reach'] / most * 50 - x) < 1e-6:
            star = [i for i, l in enumerate(lines[1:12]) if l[8:][x:x + 1] == '*']
            assert star == [10 - int(p['recall'] * 10 + 0.5)], (p, star)
    assert [r['reach'] for r in columns(table)] == ['%.1f %%' % (100 * p['reach']) for p in points] and re.search('^precision +share', words, re.M)
    svg = filled.cli('lookalike', 'curve', 'like-buyers', '--svg', '-').stdout
    for percent in range(0, 101, 20):
        assert svg.count('>%d %%</text>' % percent) == 2
    import xml.dom.minidom
    xml.dom.minidom.parseString(svg)


def test_destinations_and_deliveries(filled):
    assert 'nothing was delivered yet' in filled.cli('deliveries', ok=(1,)).stdout
    rows = {r['destination']: r for r in columns(filled.cli('destinations', 'list').stdout)}
    assert list(rows) == ['page', 'lake', 'desk'] and rows['lake']['segments'] == 'coat-fans' and rows['lake']['when'] == 'daily at 03:00'
    assert rows['desk']['goes to'] == 'https://acme.example' and rows['desk']['partner'] == 'acme' and rows['desk']['when'] == 'by hand'
    # pages ask, whether the file says something of them or not
    unnamed = filled.js('destinations', 'list')[0]
    named = filled.js('-o', 'destinations.path=%s/etc/destinations.yaml' % ROOT, 'destinations', 'list')[0]
    assert named == unnamed and (named['id'], named['format'], named['deliver'], named['every']) == ('page', 'page', 'page', 'when it is asked for')
    filled.cli('export', '--to', 'lake')
    told = {d['id']: d for d in filled.js('destinations', 'list')}
    assert told['lake']['last']['state'] == 'delivered' and told['desk']['last'] is None and told['lake']['to'] == filled.dir + '/lake'
    assert 'secret' not in json.dumps(told)
    rows = columns(filled.cli('deliveries').stdout)
    assert (rows[0]['state'], rows[0]['destination'], rows[0]['files'], rows[0]['removed']) == ('delivered', 'lake', '1/1', '0')


@pytest.mark.parametrize('words,meant', [
    (['segments', 'show', 'coatfans'], 'coat-fans'), (['segments', 'overlap', 'buyers', 'coat-fan'], 'coat-fans'), (['export', 'buyer', '--out', '/nonexistent'], 'buyers'),
    (['rules', 'explain', 'biuyers', '--id', 'v1'], 'buyers'), (['rules', 'preview', 'shop.caots'], 'shop.coats'), (['lookalike', 'train', 'like-buyer'], 'like-buyers'),
    (['lookalike', 'curve', 'like_buyers'], 'like-buyers'), (['lookalike', 'explain', 'likebuyers'], 'like-buyers'), (['lookalike', 'similar', 'bayers'], 'buyers'),
    (['lookalike', 'scores', 'like-buyerss', '--out', '/nonexistent'], 'like-buyers'), (['lookalike', 'seed', 'buyer', '--out', '/nonexistent'], 'buyers'), (['export', '--to', 'laek'], 'lake'),
    (['deliveries', 'desc'], 'desk'), (['import', 'segments', '-', '--partner', 'acmee'], 'acme')])
def test_names_that_were_meant(filled, words, meant):
    for server in (True, False):
        r = subprocess.run([os.path.join(BUILD, 'crumb')] + filled.common() + words, capture_output=True, text=True, timeout=60, input='{"id":"v1","segments":["x"]}\n')
        assert r.returncode == 1 and "did you mean '%s'?" % meant in r.stderr, (words, r)


@pytest.mark.parametrize('words,said', [
    (['segment', 'list'], "did you mean 'segments list'?"), (['segments', 'lst'], "did you mean 'segments list'?"), (['deploy'], "did you mean 'rules deploy'?"),
    (['exprot', 'x'], "did you mean 'export'?"), (['rule', 'chekc'], "did you mean 'rules check'?"), (['help', 'segments', 'lits'], "did you mean 'segments list'?"),
    (['segments', 'list', '--jsno'], "did you mean '--json'?"), (['export', 'x', '--uot', 'y'], "did you mean '--out'?"), (['-o', 'privcy.k=3', 'segments', 'list'], "did you mean 'privacy.k'?"),
    (['segments', 'show', 'a', 'b'], "'b' is not understood here"), (['xyzzy'], "there is no command 'xyzzy'")])
def test_commands_and_options_that_were_meant(words, said):
    r = subprocess.run([os.path.join(BUILD, 'crumb')] + words, capture_output=True, text=True, timeout=60)
    assert r.returncode == 2 and said in r.stderr and r.stderr.count('crumb: ') == 1 and ('xyzzy' not in words or 'did you mean' not in r.stderr), r.stderr


def test_one_is_not_many(tmp_path):
    for categories, segments in ((1, 1), (2, 3)):
        path = tmp_path / 'r.yaml'
        path.write_text('version: 1\ncategories: [%s]\nsegments: [%s]\n' % (', '.join('{id: c%d, any: [{path: /c%d/*}]}' % (i, i) for i in range(categories)),
                                                                           ', '.join('{id: s%d, when: c0 >= %d}' % (i, i + 1) for i in range(segments))))
        r = subprocess.run([os.path.join(BUILD, 'crumb'), 'rules', 'check', str(path)], capture_output=True, text=True, timeout=60)
        assert r.stdout.startswith('1 category and 1 segment, no mistakes' if categories == 1 else '2 categories and 3 segments, no mistakes'), r


def test_help_of_a_group_and_an_empty_folder(tmp_path):
    r = subprocess.run([os.path.join(BUILD, 'crumb'), 'help', 'rules'], capture_output=True, text=True, timeout=60)
    assert r.returncode == 0 and {l.split('  ')[1].strip() for l in r.stdout.splitlines()} >= {'rules check', 'rules deploy', 'rules test'}
    r = subprocess.run([os.path.join(BUILD, 'crumb'), 'rules', 'check', str(tmp_path)], capture_output=True, text=True, timeout=60)
    assert 'no mistakes' not in r.stdout and 'defines no category and no segment' in r.stdout and 'there are no rules here' in r.stderr
