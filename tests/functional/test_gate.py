"""The k gate's memory: what a server told before, and who comes and goes at the border."""
import json
import random

from harness import Browser, until

RULES = '''version: 1
categories:
  - {id: coats, name: Coats, any: [{path: "/coats/*"}]}
segments:
  - {id: many, when: coats >= 3}
  - {id: group-a, when: attr.g = a}
'''
K = 20


def crowd(server, n, rng):
    """Visitors with 1 to 5 hits on coats, a group of four and a house of twelve."""
    people, lines = [], []
    for i in range(n):
        p = {'coats': rng.randint(1, 5), 'g': rng.choice('abcd'), 'h': 'h%d' % (i % 12)}
        people.append(p)
        lines += [{'id': 'v%d' % i, 't': server.now(), 'u': 'https://s.example/coats/1', 'a.g': p['g'], 'a.h': p['h']} for _ in range(p['coats'])]
    server.import_lines(lines)
    return people


def rounded(n):
    return (n + 5) // 10 * 10 if n >= K else None


def preview(server, condition, status=200):
    code, _, data = server.http('POST', '/v1/ask/preview', condition, admin=True)
    assert code == status, (condition, code, data)
    return json.loads(data)['size'] if status == 200 else data.decode()


def questions(rng):
    n, g = rng.randint(1, 5), rng.choice('abcd')
    houses = sorted(rng.sample(range(12), rng.randint(1, 6)))
    h = {'h%d' % i for i in houses}
    listed = 'attr.h in (%s)' % ', '.join(sorted(h))
    return rng.choice([
        ('coats >= %d' % n, lambda p: p['coats'] >= n), ('coats >= %d and attr.g = %s' % (n, g), lambda p: p['coats'] >= n and p['g'] == g),
        ('coats >= %d or attr.g = %s' % (n, g), lambda p: p['coats'] >= n or p['g'] == g), (listed, lambda p: p['h'] in h),
        ('%s and not coats >= %d' % (listed, n), lambda p: p['h'] in h and not p['coats'] >= n)])


def test_an_answer_near_another_is_that_ones(make):
    """Against a count of our own: every answer is that of the nearest group which has a number, if that is nearer than k, or that of one that was hardly another."""
    server, rng = make(rules=RULES, k=K), random.Random(7)
    people = crowd(server, 240, rng)
    everybody = frozenset(range(len(people)))
    groups = [(everybody, rounded(len(people))), (frozenset(i for i in everybody if people[i]['coats'] >= 3), None), (frozenset(i for i in everybody if people[i]['g'] == 'a'), None)]
    groups = [(s, rounded(len(s))) for s, _ in groups]
    near, asked = 0, []
    for _ in range(250):
        condition, holds = questions(rng)
        members = frozenset(i for i in everybody if holds(people[i]))
        told = preview(server, condition)
        close = [(len(members ^ s), n) for s, n in groups] + [(d, n) for s, n in asked if (d := len(members ^ s)) <= 5 and abs((n or 0) - len(members)) <= 2 * K]
        distance = min(d for d, _ in close)
        asked += [(members, told)] if 0 < distance < K else []
        if distance < K:
            near += 1
            assert told in {n for d, n in close if d == distance}, condition
        else:
            assert told == rounded(len(members)), condition
            groups.append((members, told))
    assert 30 < near < 230
    # the command line asks the same memory
    assert server.js('rules', 'preview', 'coats >= 2 and attr.h in (h1, h2, h3, h4, h5, h6, h7, h8)')['size'] == preview(server, 'coats >= 2 and attr.h in (h1, h2, h3, h4, h5, h6, h7, h8)')


def test_no_difference_of_answers_shows_one_visitor(make):
    """The attack: a group with and without somebody who can be named by what only they did."""
    rng = random.Random(11)
    for planted in (True, False):
        server = make(rules=RULES, k=K)
        crowd(server, 120, rng)
        if planted:
            server.import_lines([{'id': 'target', 't': server.now(), 'u': 'https://s.example/coats/1', 'a.g': 'a', 'a.h': 'h99'} for _ in range(4)])
        for base in ('coats >= 2 and attr.h in (h1, h2, h3, h4, h5)', 'attr.g = b', 'coats >= 3', 'visits >= 1'):
            with_them, without = '(%s) or attr.h = h99' % base, '(%s) and not attr.h = h99' % base
            answers = {preview(server, q) for q in rng.sample([base, with_them, without], 3)}
            assert len(answers) == 1, base
        assert preview(server, 'attr.h = h99') is None and preview(server, 'coats >= 4 and attr.h = h99') is None
        # and over time: they act, everybody else does not
        before = preview(server, 'coats >= 5 or attr.g = c')
        server.import_lines([{'id': 'target', 't': server.now(), 'u': 'https://s.example/coats/1'} for _ in range(5)])
        assert preview(server, 'coats >= 5 or attr.g = c') == before
        # in lists, in every format, the two segments that everybody can compare
        assert server.js('segments', 'overlap', 'many', 'group-a')['a']['size'] == server.sizes()['many']


def test_too_many_questions_are_refused(make):
    server = make(rules=RULES, k=K)
    crowd(server, 480, random.Random(3))
    told = 0
    for n in range(1, 4095):
        condition = 'attr.h in (%s)' % ', '.join('h%d' % i for i in range(12) if n >> i & 1)
        code, _, data = server.http('POST', '/v1/ask/preview', condition, admin=True)
        if code == 429:
            break
        told += 1
    assert told == 512 and b'tomorrow' in data
    assert preview(server, 'attr.h in (h0)') == 40          # what was told stays told
    assert 'tomorrow' in server.cli('rules', 'preview', condition, ok=(1,)).stderr
    server.write_rules(RULES.replace('categories:', 'categories:\n  - {id: more, any: [{path: "/more/*"}]}'))   # profiles are made anew
    assert server.http('POST', '/v1/reload', admin=True)[0] == 200
    until(lambda: server.js('rules', 'status')['complete'])
    assert server.http('POST', '/v1/ask/preview', condition, admin=True)[0] == 429
    server.advance('1d')
    server.import_lines([{'id': 'new', 't': server.now(), 'u': 'https://s.example/coats/1'}])
    assert preview(server, condition) is not None


def test_a_group_at_the_border_is_withheld_for_a_while(make):
    server = make(rules=RULES, k=K)
    server.import_lines([{'id': 'v%d' % i, 't': server.now(), 'u': 'https://s.example/coats/1', 'a.g': 'a'} for i in range(K)])
    assert server.sizes()['group-a'] == 20
    for i in range(3):                                      # one who comes and goes
        server.js('visitor', 'erase', '--id', 'v%d' % i)
        assert server.sizes()['group-a'] is None
        server.import_lines([{'id': 'w%d' % i, 't': server.now(), 'u': 'https://s.example/coats/1', 'a.g': 'a'}])
        assert server.sizes()['group-a'] is None and server.js('segments', 'show', 'group-a')['size'] is None
        assert {s['id']: s['size'] for s in json.loads(server.http('GET', '/v1/segments', admin=True)[2])}['group-a'] is None
    server.import_lines([{'id': 'x%d' % i, 't': server.now(), 'u': 'https://s.example/coats/1', 'a.g': 'a'} for i in range(10)])
    assert server.sizes()['group-a'] == 30


def test_bad_questions_are_explained(make):
    server = make(rules=RULES, k=K)
    Browser.known(server).hit('/coats/1')
    code, _, data = server.http('POST', '/v1/ask/preview', 'cots >= 3', admin=True)
    assert code == 400 and json.loads(data)['problems'][0]['code'] and 'coats' in json.loads(data)['text']
    r = server.cli('rules', 'preview', 'cots >= 3', ok=(1,))
    assert 'coats' in r.stderr and not r.stdout
    assert server.http('POST', '/v1/ask/overlap', 'many nobody', admin=True)[0] == 404 and server.http('POST', '/v1/ask/overlap', '', admin=True)[0] == 404
    assert 'nobody' in server.cli('segments', 'overlap', 'many', 'nobody', ok=(1,)).stderr
    server.stop()
    assert 'coats' in server.cli('rules', 'preview', 'cots >= 3', ok=(1,)).stderr and server.js('rules', 'preview', 'coats')['size'] is None


def test_of_equal_groups_the_one_that_is_asked_for_speaks(make):
    """A segment that fell is withheld wherever it is asked for by its name, though another of the same members, which is new, is told."""
    server = make(rules=RULES, k=K)
    crowd = lambda n: (server.import_lines([{'id': 'b%d' % i, 't': server.now(), 'u': 'https://s.example/coats/1', 'a.g': 'a'} for i in range(n)]), server.settle())
    server.write_rules(RULES.replace('{id: group-a, when: attr.g = a}', '{id: group-b, when: coats in 1d}'))
    assert server.http('POST', '/v1/reload', admin=True)[0] == 200
    until(lambda: server.js('rules', 'status')['complete'])
    for n, told in ((K + 1, K), (K - 1, None), (K + 4, None)):
        server.morning()
        crowd(n)
        assert server.sizes()['group-b'] == told
    server.write_rules(RULES.replace('when: attr.g = a', 'when: coats in 1d') + '  - {id: group-b, when: coats in 1d}\n')
    assert server.http('POST', '/v1/reload', admin=True)[0] == 200
    until(lambda: server.js('rules', 'status')['complete'])
    assert server.sizes() == {'group-a': K, 'group-b': None, 'many': None}
    for segment, told in (('group-a', K), ('group-b', None)):
        assert preview(server, 'segment(%s)' % segment) == told
        pair = server.js('segments', 'overlap', segment, segment)
        assert pair['a']['size'] == pair['b']['size'] == pair['both'] == told
