"""Options that cannot work are refused at start with what was meant, and crumbd --check says so beforehand."""
import json
import os
import socket
import subprocess

import pytest
from harness import BUILD, SLOW, Server

WRONG = (('sites=https://shop.example/shop', 'write https://shop.example'), ('store.shards=300', 'from 1 to 256'), ('cookie.domain=localhost', 'no cookie for'),
         ('trusted_proxies=10.0.0/8', "did you mean '10.0.0.0/8'?"), ('cookie.secure=no', 'cookie.samesite=none'), ('cookie.partitioned=yes cookie.samesite=lax', 'cookie.samesite=lax'),
         ('collect.listen=8080', "did you mean '127.0.0.1:8080'?"), ('admin.listen=127.0.0.1:8080 collect.listen=0.0.0.0:8080', 'the same port'), ('store.path=/dev/null', 'no folder'),
         ('destinations.path=/nowhere/at/all/d.yaml', 'No such file'), ('privacy.keep_query=utm=x', "did you mean 'utm'?"), ('consent.require=GERMANY', 'no country'), ('admin.token=a b', 'without blanks'))


def run(server, *options, arguments=()):
    words = [a for o in options for one in o.split(' ') if '=' in one for a in ('-o', one)] if not any('token' in o for o in options) else [a for o in options for a in ('-o', o)]
    return subprocess.run([os.path.join(BUILD, 'crumbd')] + server.common() + ['-o', 'collect.listen=127.0.0.1:0', '-o', 'admin.listen=127.0.0.1:0'] + words + list(arguments), capture_output=True, text=True,
                          timeout=60 * SLOW)


@pytest.fixture
def quiet():
    server = Server()
    yield server
    server.close()


def test_a_start_is_refused_with_what_was_meant(quiet):
    for option, words in WRONG:
        r = run(quiet, option)
        name = option.split('=')[0]
        assert r.returncode == 2 and words in r.stderr and name in r.stderr.splitlines()[-1] + option, (option, r.stderr)
        assert all(l.startswith('crumbd: ') for l in r.stderr.splitlines() if ' warn ' not in l and ' info ' not in l), r.stderr
        assert not os.path.exists(quiet.store), option
    # all that is wrong is said at once
    r = run(quiet, *(o for o, _ in WRONG[2:5]))
    assert all(words in r.stderr for _, words in WRONG[2:5]), r.stderr
    # open to others, without a token
    arguments = [a for a in quiet.common() if 'admin.token' not in a]
    arguments = [a for i, a in enumerate(arguments) if not (a == '-o' and (i + 1 == len(arguments) or arguments[i + 1] == '-o'))]
    r = subprocess.run([os.path.join(BUILD, 'crumbd')] + arguments + ['-o', 'admin.listen=0.0.0.0:0'], capture_output=True, text=True, timeout=60 * SLOW)
    assert r.returncode == 2 and 'there is no admin.token' in r.stderr, r.stderr
    for wrong, meant in (('smaesite', 'cookie.samesite'), ('store.pth', 'store.path'), ('SITES', 'sites')):
        assert "did you mean '%s'?" % meant in run(quiet, wrong + '=x').stderr


def test_where_destinations_go_is_looked_at(quiet):
    quiet.write_destinations('version: 1\ndestinations:\n  - {id: lake, format: csv, deliver: {directory: /dev/null/x}}\n')
    r = run(quiet)
    assert r.returncode == 2 and "destinations.yaml:3: destination 'lake' goes to /dev/null/x" in r.stderr and 'is no folder' in r.stderr, r.stderr
    quiet.write_destinations('version: 1\ndestinations:\n  - {id: lake, format: csv, deliver: {directory: %s/out}}\n' % quiet.dir)
    r = run(quiet, 'privacy.sensitive_destinations=lakes,page', arguments=['--check'])
    assert r.returncode == 1 and "there is no destination 'lakes'" in r.stderr and "did you mean 'lake'?" in r.stderr
    assert run(quiet, 'privacy.sensitive_destinations=lake,page', arguments=['--check']).returncode == 0


def test_check_says_it_beforehand_and_touches_nothing(quiet):
    with socket.create_server(('127.0.0.1', 0)) as taken:               # no port is opened
        where = 'collect.listen=127.0.0.1:%d' % taken.getsockname()[1]
        before = sorted(os.listdir(quiet.dir))
        r = run(quiet, where, arguments=['--check'])
        assert (r.returncode, r.stderr) == (0, '') and r.stdout == 'options, 4 categories, 5 segments and 0 destinations: no mistakes\n', (r.stdout, r.stderr)
        assert sorted(os.listdir(quiet.dir)) == before and not os.path.exists(quiet.store)
    j = json.loads(run(quiet, arguments=['--check', '--json']).stdout)
    assert (j['ok'], j['findings'], j['categories']) == (True, [], 4)
    for option, words in WRONG:
        r = run(quiet, option, arguments=['--check', '--json'])
        j = json.loads(r.stdout)
        assert r.returncode == 1 and not j['ok'] and any(words in f['message'] and f['level'] == 'error' for f in j['findings']), (option, j)
        assert any(option.split('=')[0] in (f.get('option') or f['message']) for f in j['findings']) or 'admin.listen' in option, (option, j)
    # what the table of options refuses, too
    for option in ('nope=1', 'retention=91'):
        j = json.loads(run(quiet, option, arguments=['--check', '--json']).stdout)
        assert not j['ok'] and option.split('=')[0] in j['findings'][0]['message']
    # rules and destinations with their places, and rules that the options do not allow
    quiet.write_rules('version: 1\ncategories: [{id: a, any: [{pth: /a}]}]\nsegments: [{id: s, when: a >= 3 in 60d}]\n')
    quiet.write_destinations('version: 1\ndestinations:\n  - {id: lake, format: cvs}\n')
    j = json.loads(run(quiet, arguments=['--check', '--json']).stdout)
    assert {(os.path.basename(f['file']), f['line']) for f in j['findings'] if f['level'] == 'error'} >= {('rules.yaml', 2), ('destinations.yaml', 3)}, j
    quiet.write_rules('version: 1\ncategories: [{id: a, any: [{path: /a}]}]\nsegments: [{id: s, when: a >= 3 in 60d}]\n')
    os.remove(quiet.destinations)
    assert run(quiet, arguments=['--check']).returncode == 0
    r = run(quiet, 'retention=30', arguments=['--check'])
    assert r.returncode == 1 and 'rules.yaml:3:' in r.stderr and '1 mistake: crumbd would not start' in r.stderr, r.stderr
    for option in ('rules.path=/nowhere', 'geo.database=/nowhere', 'junk.networks=/nowhere', 'junk.crawlers=/nowhere'):
        r = run(quiet, option, arguments=['--check'])
        assert r.returncode == 1 and option.split('=')[0] in r.stderr and '/nowhere' in r.stderr, (option, r.stderr)


def test_check_beside_a_running_server(server):
    r = run(server, arguments=['--check'])
    assert r.returncode == 0 and server.http('GET', '/healthz', admin=True)[0] == 200


def test_a_configuration_file_is_told_with_its_places(quiet):
    """Every mistake at once, with file, line and column, by a start, by --check and by --check --json."""
    path = os.path.join(quiet.dir, 'crumb.yaml')
    with open(path, 'w') as f:
        f.write('cookie:\n  smaesite: lax\n  secure: perhaps\nretention: 91\n')
    places = ("%s:2:3: there is no option 'cookie.smaesite'\n    2 |   smaesite\n      |   ^~~~~~~~\n  hint: did you mean 'cookie.samesite'?\n" % path,
              '%s:3:11: cookie.secure: expected one of yes|no' % path, '%s:4:12: retention: expected a number from 1 to 90' % path)
    r = run(quiet, arguments=['-c', path])
    assert r.returncode == 2 and all(p in r.stderr for p in places) and '(and 2 more;' in r.stderr.splitlines()[-1], r.stderr
    r = run(quiet, arguments=['-c', path, '--check'])
    assert r.returncode == 1 and all(p in r.stderr for p in places) and r.stderr.endswith('3 mistakes: crumbd would not start\n'), r.stderr
    found = json.loads(run(quiet, arguments=['-c', path, '--check', '--json']).stdout)['findings']
    assert [(f['file'], f['line'], f['column'], f['code'], f['level']) for f in found] == [(path, 2, 3, 'unknown-key', 'error'), (path, 3, 11, 'option', 'error'), (path, 4, 12, 'option', 'error')]
