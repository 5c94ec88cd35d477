"""Folders that others may write to as well: what somebody planted there is never written through, and nothing half-made is left."""
import json
import os

from harness import RULES

WORDS = 'precious\n'
LIKE = RULES + '''lookalikes:
  - {id: like-coats, seed: coats-ever, reach: 20%}
'''


def plant(folder, victim, names):
    for name in names:
        os.symlink(victim, os.path.join(folder, name))


def check(folder, victim, made, planted):
    with open(victim) as f:
        assert f.read() == WORDS
    for name in made:
        path = os.path.join(folder, name)
        assert os.path.isfile(path) and not os.path.islink(path) and os.path.getsize(path) > 0, name
    assert sorted(os.listdir(folder)) == sorted(set(made) | set(planted))


def test_exports_replace_links_and_follow_none(make):
    server = make(rules=LIKE, destinations='version: 1\npartners: [{id: acme}]\ndestinations:\n  - {id: lake, format: csv}\n')
    t = server.now()
    server.import_lines([{'id': 'v%d' % i, 't': t, 'u': 'https://s.example/%s/%d' % (what, i % 3)} for i in range(600)
                         for what in (['coats'] if i < 150 else []) + (['shoes'] if i % 5 == 0 or (i < 150 and i % 3) else ['x'])])
    victim = server.dir + '/victim'
    with open(victim, 'w') as f:
        f.write(WORDS)
    real = server.dir + '/real'
    os.mkdir(real)
    os.symlink(real, server.dir + '/out')                          # a folder that the operator names may be a link
    out = server.dir + '/out'

    made = ['coats-ever.csv', 'coats-ever.manifest.json']
    planted = made + [m + e for m in made for e in ('.part', '.new', '.tmp')]
    plant(real, victim, planted)
    server.cli('export', 'coats-ever', '--format', 'csv', '--out', out)
    check(real, victim, made, planted)

    assert server.js('lookalike', 'train', 'like-coats')['size'] is not None
    for folder, made, arguments in (('scores', ['like-coats.scores.csv'], ['scores', 'like-coats', '--out']),
                                    ('seed', ['coats-ever.libsvm', 'coats-ever.weights.txt', 'coats-ever.features.txt'], ['seed', 'coats-ever', '--out']),
                                    ('seed2', ['coats-ever.csv', 'coats-ever.features.txt'], ['seed', 'coats-ever', '--format', 'csv', '--out'])):
        at = server.dir + '/' + folder
        os.mkdir(at)
        planted = made + [m + '.part' for m in made]
        plant(at, victim, planted)
        server.cli('lookalike', *arguments, at)
        check(at, victim, made, planted)
    at = server.dir + '/svg'
    os.mkdir(at)
    plant(at, victim, ['curve.svg'])
    server.cli('lookalike', 'curve', 'like-coats', '--svg', at + '/curve.svg')
    check(at, victim, ['curve.svg'], ['curve.svg'])
    assert server.cli('lookalike', 'curve', 'like-coats', '--svg', '-').stdout.startswith('<svg')
    os.mkfifo(at + '/pipe')
    assert 'this is no file' in server.cli('lookalike', 'curve', 'like-coats', '--svg', at + '/pipe', ok=(1,)).stderr


def test_deliveries_replace_links_and_follow_none(make):
    server = make(rules=RULES.replace('when: coats}', 'when: coats, destinations: [lake]}'),
                  destinations='version: 1\ndestinations:\n  - {id: lake, format: csv}\n')
    t = server.now()
    server.import_lines([{'id': 'v%d' % i, 't': t, 'u': 'https://s.example/coats/1'} for i in range(30)])
    at, victim = server.dir + '/out', server.dir + '/victim'
    with open(victim, 'w') as f:
        f.write(WORDS)
    r = server.js('export', '--to', 'lake', '--out', at, '--full')
    assert r['state'] == 'delivered'
    names = sorted(os.listdir(at))
    manifest = json.load(open(at + '/' + [n for n in names if n.endswith('.manifest.json')][0]))
    assert manifest['files'] and len(names) == 2
    # the same delivery once more: its names, and those under which files grew before, are links now
    planted = names + ['.' + n + '.part' for n in names] + [n + '.new' for n in names]
    for n in names:
        os.unlink(os.path.join(at, n))
    plant(at, victim, planted)
    r = server.js('export', '--to', 'lake', '--out', at, '--full')
    assert r['state'] == 'delivered'
    with open(victim) as f:
        assert f.read() == WORDS
    fresh = [n for n in os.listdir(at) if n not in planted]
    assert all(n.startswith('lake_full') or n.endswith('.manifest.json') for n in fresh)
