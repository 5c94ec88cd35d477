"""What is refused or warned of is said in words: lines of imports in their order, labels with a slip, a manual that every terminal can set."""
import json
import os
import re
import shutil
import subprocess
import time

import pytest
from harness import BUILD, ROOT, RULES, Server


@pytest.fixture
def server():
    s = Server(options=['sites=shop.example'])
    s.start()
    yield s
    s.close()


def check(tmp_path, rules, destinations):
    (tmp_path / 'r.yaml').write_text(rules)
    (tmp_path / 'd.yaml').write_text(destinations)
    r = subprocess.run([os.path.join(BUILD, 'crumb'), '-o', 'destinations.path=%s/d.yaml' % tmp_path, 'rules', 'check', '--json', str(tmp_path / 'r.yaml')], capture_output=True, text=True, timeout=60)
    return json.loads(r.stdout)


@pytest.mark.parametrize('running', [True, False])
def test_refused_lines_come_in_their_order_and_in_words(server, tmp_path, running):
    if not running:
        server.stop()
    lines = []
    for i in range(16):                             # those that are no line of a log are found before those whose host is none of sites
        host = 'other.example' if i % 2 else 'shop.example'
        lines.append('what is this' if i % 4 == 2 else '%s 81.2.69.142 - - [%s +0000] "GET /coats/%d HTTP/1.1" 200 5 "-" "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/130.0.0.0 Safari/537.36"'
                     % (host, time.strftime('%d/%b/%Y:%H:%M:%S', time.gmtime(server.now() - 60)), i))
    (tmp_path / 'log').write_text('\n'.join(lines) + '\n')
    r = server.js('import', str(tmp_path / 'log'), '--format', 'combined', '--consent', 'asserted', '--dry-run')
    refused = [i + 1 for i in range(16) if i % 2 or i % 4 == 2]
    assert r['refused'] == {'malformed': 4, 'site': 8} and [l['line'] for l in r['refused_lines']] == refused[:10]
    why = {l['reason']: l['why'] for l in r['refused_lines']}
    assert '--host NAME' in why['site'] and "'sites'" in why['site'] and all(l['why'] for l in r['refused_lines'])
    text = server.cli('import', str(tmp_path / 'log'), '--format', 'combined', '--consent', 'asserted', '--dry-run').stdout
    assert re.search(r'^8 refused: site, no host that is one of .sites.*--host NAME$', text, re.M) and re.findall(r'^  line (\d+):', text, re.M) == [str(n) for n in refused[:10]]


@pytest.mark.parametrize('line,reason,words', [
    ('{"id":"a","t":1}', 'old', 'older than events are kept'), ('{"id":"a","t":99999999999}', 'future', 'five minutes ahead'), ('{"t":1}', 'id', 'no id'), ('[]', 'json', 'no JSON object'),
    ('{"id":"a","u":"https://other.example/x"}', 'site', "one of 'sites'")])
def test_each_reason_has_words(server, line, reason, words):
    r = server.import_lines([line], ok=(1,))
    assert r['refused'] == {reason: 1} and words in r['refused_lines'][0]['why']


def test_help_of_import_is_a_sentence():
    text = subprocess.run([os.path.join(BUILD, 'crumb'), 'help', 'import'], capture_output=True, text=True, timeout=60).stdout
    assert 'says what it was taken for' in ' '.join(text.split())


def test_a_label_with_a_slip(tmp_path):
    rules = """version: 1
attributes: [{id: size, values: [s], labels: [%s]}]
categories: [{id: c, any: [{path: /c/*}], labels: [%s]}]
segments: [{id: s, when: c, labels: [%s]}]
"""
    where = 'version: 1\ndestinations: [{id: lake, format: csv, labels: [third-party], deliver: {directory: /tmp/x}}]\n'
    assert check(tmp_path, rules % (('third-party',) * 3), where) == []
    assert check(tmp_path, rules % (('internal',) * 3), where) == []               # that nobody may get it is meant
    found = check(tmp_path, rules % (('thrid-party',) * 3), where)
    assert [f['line'] for f in found] == [2, 3, 4] and {f['code'] for f in found} == {'label'} and {f['severity'] for f in found} == {'warning'}
    assert all(f['hint'] == "did you mean 'third-party'?" for f in found)
    assert check(tmp_path, rules % (('thrid-party',) * 3), '') == []               # without destinations labels are only words


def test_one_destination_needs_no_list_as_one_label_needs_none(tmp_path):
    rules = 'version: 1\ncategories: [{id: c, any: [{path: /c/*}]}]\nsegments: [{id: s, when: c, labels: own, destinations: %s}]\n'
    where = 'version: 1\ndestinations: [{id: lake, format: csv, labels: [own], deliver: {directory: /tmp/x}}]\n'
    assert check(tmp_path, rules % 'lake', where) == [] == check(tmp_path, rules % '[lake]', where)
    assert [f['hint'] for f in check(tmp_path, rules % 'laek', where) if f['code'] == 'destination'] == ["did you mean 'lake'?"]
    schema = json.load(open(os.path.join(ROOT, 'etc', 'rules.schema.json')))
    assert json.dumps(schema).count('"destinations": {"oneOf"') == 2


@pytest.mark.skipif(not shutil.which('groff'), reason='groff sets the pages')
@pytest.mark.parametrize('page', ['crumb.1', 'crumbd.8'])
def test_the_manual_can_be_set(tmp_path, page):
    subprocess.run([ROOT + '/tools/man.py', str(tmp_path), BUILD], cwd=ROOT, check=True, timeout=120)
    for width in (80, 132):
        r = subprocess.run(['groff', '-k', '-man', '-Tutf8', '-ww', '-rLL=%dn' % width, str(tmp_path / page)], capture_output=True, text=True, timeout=60)
        assert r.returncode == 0 and r.stderr == '', r.stderr[:500]


@pytest.mark.parametrize('typed, said', [
    (('segments', 'nope'), "there is no command 'segments nope'; 'segments' wants one of:"),
    (('segments', 'lst'), "there is no command 'segments lst': did you mean 'segments list'?; 'segments' wants one of:"),
    (('segmnts',), "there is no command 'segmnts': did you mean 'segments'?; see crumb --help"),
    (('diff',), "there is no command 'diff': did you mean 'rules diff'?; see crumb --help")])
def test_a_command_that_is_not_there(typed, said):
    r = subprocess.run([os.path.join(BUILD, 'crumb'), *typed], capture_output=True, text=True, timeout=60)
    assert (r.returncode, r.stderr.splitlines()[0]) == (2, 'crumb: ' + said)


def test_who_types_is_told_of_mistakes_without_a_failure(server):
    def ask(body, query='?mistakes=1'):
        status, _, data = server.http('POST', '/v1/ask/words' + query, body, admin=True)
        return status, json.loads(data)
    status, j = ask('coats >= ')
    assert status == 200 and j['words'] == '' and j['clauses'] == [] and j['problems'] and j['problems'][0]['message']
    assert ask('coats >= ', '')[0] == 400
    status, j = ask('coats >= 2')
    assert status == 200 and 'Coats' in j['words'] and 'problems' not in j
