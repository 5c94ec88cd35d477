"""Rules from a marketer's file to what serves: rules deploy, POST /v1/reload, what rules diff tells, which configuration the command line takes."""
import json
import os
import pty
import re
import select
import subprocess
import time

import pytest
from harness import BUILD, RULES, SLOW, Browser, Server
from test_reload import FileServer

MORE = 'version: 1\nsegments:\n  - {id: more, when: coats >= 2}\n'


@pytest.fixture
def server():
    s = Server()
    s.start()
    yield s
    s.close()


@pytest.fixture
def filed():
    s = FileServer()
    s.start()
    yield s
    s.close()


def write(path, text):
    with open(path, 'w') as f:
        f.write(text)
    return str(path)


def read(path):
    with open(path) as f:
        return f.read()


def reload(server, **kw):
    status, _, data = server.http('POST', '/v1/reload', admin=True, **kw)
    return status, json.loads(data)


# --- POST /v1/reload

def test_reload_says_what_was_taken_and_what_was_not(filed):
    assert filed.http('POST', '/v1/reload', admin=True, token='wrong')[0] == 401
    assert filed.http('GET', '/v1/reload', admin=True)[0] == 405
    before = filed.js('rules', 'status')['hash']
    status, told = reload(filed)
    assert status == 200 and told == {'rules': before, 'taken': ['rules loaded rules=' + before], 'waiting': [], 'refused': []}
    filed.write(sites='shop.example', collect__listen='127.0.0.1:1')
    filed.write_rules(RULES + '  - {id: more, when: shoes}\n')
    status, told = reload(filed)
    assert status == 200 and told['refused'] == [] and told['rules'] != before
    assert told['taken'] == ['config sites changed: in force from now on', 'rules loaded rules=' + told['rules']]
    assert told['waiting'] == ['config collect.listen changed: takes effect at the next start']
    # the rules have a mistake, the options are taken all the same; and the other way round
    filed.write(page__key='shop')
    filed.write_rules(RULES + '  - {id: more, when: socks}\n')
    status, wrong = reload(filed)
    assert status == 400 and wrong['rules'] == told['rules'] and wrong['taken'] == ['config page.key changed: in force from now on']
    assert len(wrong['refused']) == 1 and wrong['error'] == wrong['refused'][0]
    assert re.match(r"rules refused, the old rules stay: rules.yaml:\d+:\d+: there is no category 'socks'", wrong['error'])
    filed.write_rules(RULES)
    filed.write(consent__default='perhaps')
    status, wrong = reload(filed)
    assert status == 400 and wrong['taken'] == ['rules loaded rules=' + before] and wrong['error'].startswith('config refused, the old options stay: ')
    for said in told['taken'] + told['waiting'] + wrong['refused']:     # in the words of the log, each once
        assert len(re.findall(re.escape(said) + '$', filed.logged(), re.M)) >= 1, said


# --- rules deploy

def test_a_file_is_checked_put_and_served(server, tmp_path, monkeypatch):
    (tmp_path / 'tmp').mkdir()
    monkeypatch.setenv('TMPDIR', str(tmp_path / 'tmp'))
    new = write(tmp_path / 'more.yaml', MORE)
    r = server.cli('rules', 'deploy', new, ok=(2,))                     # nobody can be asked
    assert '--yes' in r.stderr and not os.path.exists(server.rules + '/more.yaml')
    r = server.cli('rules', 'deploy', new, '--yes')
    assert 'segment more is added' in r.stdout and 'when  coats >= 2' in r.stdout
    served = server.js('rules', 'status')
    assert re.search(r'deployed to %s: the rules %s serve, complete since 2\d\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC' % (re.escape(server.rules), served['hash']), r.stdout)
    assert served['complete'] and read(server.rules + '/more.yaml') == MORE and 'more' in server.sizes()
    assert os.stat(server.rules + '/more.yaml').st_mode & 0o777 == 0o644
    # the same again
    again = server.js('rules', 'deploy', new, '--yes')
    assert again['deployed'] is False and again['rules'] == served['hash'] and again['complete'] and again['changes'] is None
    assert 'nothing to deploy' in server.cli('rules', 'deploy', new, '--yes').stdout
    # in place of what is there, which is kept; its mode stays
    os.chmod(server.rules + '/more.yaml', 0o640)
    write(new, MORE.replace('>= 2', '>= 3'))
    j = server.js('rules', 'deploy', new, '--yes')
    assert j['deployed'] and j['complete'] and j['path'] == server.rules and j['refused'] == [] and j['rules'] == server.js('rules', 'status')['hash']
    assert [s['change'] for s in j['changes']['segments'] if s['id'] == 'more'] == ['changed']
    assert read(server.rules + '/more.yaml.before') == MORE and os.stat(server.rules + '/more.yaml').st_mode & 0o777 == 0o640
    assert os.listdir(tmp_path / 'tmp') == []                           # nothing of it is left
    monkeypatch.setenv('TMPDIR', str(tmp_path / 'none'))
    assert 'no temporary folder' in server.cli('rules', 'deploy', write(new, MORE), '--yes', ok=(1,)).stderr


def test_what_lies_in_the_servers_folder_is_deployed(server):
    server.write_rules(RULES + '  - {id: more, when: shoes}\n')
    r = server.cli('rules', 'deploy', '--yes')
    assert 'segment more is added' in r.stdout and 'complete since' in r.stdout and 'more' in server.sizes()
    # also by a command line that has another folder in its configuration
    server.write_rules(RULES)
    r = server.cli('-o', 'rules.path=/nonexistent', 'rules', 'deploy', '--yes')
    assert 'segment more is removed' in r.stdout and 'more' not in server.sizes()


def test_of_a_folder_all_rules_are_put_and_the_others_go(server, tmp_path):
    write(tmp_path / 'a.yaml', RULES)
    write(tmp_path / 'b.yaml', MORE)
    write(tmp_path / 'notes.txt', 'nothing')
    os.mkdir(server.rules + '/.git')
    j = server.js('rules', 'deploy', str(tmp_path), '--yes')
    assert j['deployed'] and sorted(os.listdir(server.rules)) == ['.git', 'a.yaml', 'b.yaml', 'rules.yaml.before']
    assert read(server.rules + '/rules.yaml.before') == RULES and 'more' in server.sizes()
    empty = tmp_path / 'empty'
    empty.mkdir()
    assert 'holds no rules' in server.cli('rules', 'deploy', str(empty), '--yes', ok=(1,)).stderr
    assert '.yaml or .yml' in server.cli('rules', 'deploy', str(tmp_path / 'notes.txt'), '--yes', ok=(1,)).stderr
    assert 'No such file' in server.cli('rules', 'deploy', str(tmp_path / 'none.yaml'), '--yes', ok=(1,)).stderr


def files(folder):
    return {n: read(os.path.join(folder, n)) for n in os.listdir(folder) if not n.endswith('.before')}


def test_what_is_refused_changes_nothing(server, tmp_path):
    before = files(server.rules)
    new = write(tmp_path / 'more.yaml', MORE.replace('coats', 'coast'))
    r = server.cli('rules', 'deploy', new, '--yes', ok=(1,))
    assert 'more.yaml:3:' in r.stderr and "did you mean 'coats'?" in r.stderr and 'nothing was changed' in r.stderr
    j = server.js('rules', 'deploy', new, '--yes', ok=(1,))
    assert j['deployed'] is False and j['problems'][0]['code'] == 'unknown-category'
    assert files(server.rules) == before
    # the server has another configuration, by which they are refused
    write(server.rules + '/old.yaml', MORE.replace('more', 'older'))
    status, told = reload(server)
    hash_before, before = told['rules'], files(server.rules)
    assert status == 200
    for where, text in (('/new', None), ('/old.yaml', before['old.yaml'])):                 # one that is new, one that is there
        new = write(str(tmp_path) + where + ('' if text else '.yaml'), 'version: 1\ncategories: [{id: ill, sensitive: true, any: [{path: /ill/*}]}]\nsegments: [{id: older-ill, when: ill, destinations: [page]}]\n')
        r = server.cli('-o', 'privacy.sensitive_destinations=page', 'rules', 'deploy', new, '--yes', ok=(1,))
        assert 'rules refused, the old rules stay' in r.stderr and 'the server refused it: nothing was changed' in r.stderr
        assert files(server.rules) == before and server.js('rules', 'status')['newest'] == hash_before


def test_without_a_server_it_says_so(server, tmp_path):
    server.stop()
    r = server.cli('rules', 'deploy', write(tmp_path / 'more.yaml', MORE), '--yes', ok=(1,))
    assert 'no server' in r.stderr and 'nothing was changed' in r.stderr and not os.path.exists(server.rules + '/more.yaml')
    j = server.js('rules', 'deploy', '--yes', ok=(1,))
    assert 'no server' in j['error']


def on_terminal(command, answer):
    """What it prints on a terminal on which somebody types `answer` when asked; its exit status."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execv(command[0], command)
    said, end = b'', time.monotonic() + 60 * SLOW
    asked = False
    while time.monotonic() < end:
        if select.select([fd], [], [], 1)[0]:
            try:
                part = os.read(fd, 65536)
            except OSError:
                break
            if not part:
                break
            said += part
        if b'[y/N]' in said and not asked:
            asked = True
            os.write(fd, answer + b'\n')
    os.close(fd)
    return said.decode(), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_it_asks(server, tmp_path):
    command = [os.path.join(BUILD, 'crumb')] + server.common() + ['rules', 'deploy', write(tmp_path / 'more.yaml', MORE)]
    for answer in (b'', b'n', b'no'):
        said, code = on_terminal(command, answer)
        assert code == 1 and 'segment more is added' in said and 'nothing was changed' in said, said
        assert 'more' not in server.sizes() and not os.path.exists(server.rules + '/more.yaml')
    said, code = on_terminal(command, b'y')
    assert code == 0 and 'complete since' in said and 'more' in server.sizes()


# --- what a diff tells

def test_diff_knows_names_parents_and_settings(server, tmp_path):
    for i in range(30):
        b = Browser(server)
        for _ in range(2):
            b.hit('/coats/1')
    server.settle()
    was = '''version: 1
categories:
  - {id: apparel.coats, any: [{path: "/coats/*"}]}
  - {id: apparel.shoes, any: [{path: "/shoes/**"}]}
  - {id: purchase, any: [{event: purchase}]}
attributes: [{id: size, values: [s, m]}]
segments:
  - {id: fans, when: coats >= 2 in 14d, destinations: [page], alert: size < 500}
  - {id: buyers, when: purchase}
lookalikes:
  - {id: like-fans, seed: fans, reach: 5%}
'''
    will = was.replace('apparel.shoes', 'apparel.boots').replace('"/coats/*"', '"/coats/**"').replace('id: fans', 'id: coat-fans').replace('seed: fans', 'seed: coat-fans').replace(
        'destinations: [page], alert: size < 500', 'owner: anna, split: 90/10').replace('[s, m]', '[s, m, l]').replace('5%', '10%').replace('when: purchase}', 'when: purchase, alert: size < 9}')
    d = server.js('rules', 'diff', write(tmp_path / 'was.yaml', was), write(tmp_path / 'will.yaml', will))
    assert sorted((c['id'], c['change'], c.get('was')) for c in d['categories']) == [('apparel.boots', 'renamed', 'apparel.shoes'), ('apparel.coats', 'changed', None)]
    assert d['attributes'] == [{'id': 'size', 'change': 'changed'}]
    row = {s['id']: s for s in d['segments']}
    assert row['buyers']['change'] == 'same' and row['buyers']['settings'] == [{'what': 'alert', 'from': None, 'to': 'size < 9'}]
    assert {'what': 'seed', 'from': 'fans', 'to': 'coat-fans'} in row['like-fans']['settings'] and {'what': 'reach', 'from': '5%', 'to': '10%'} in row['like-fans']['settings']
    # of which a category changed is another segment; one that means the same has only another name
    same = will.replace('"/coats/**"', '"/coats/*"')
    row = {s['id']: s for s in server.js('rules', 'diff', str(tmp_path / 'was.yaml'), write(tmp_path / 'same.yaml', same))['segments']}
    assert 'fans' not in row and (row['coat-fans']['change'], row['coat-fans']['was'], row['coat-fans']['stay']) == ('renamed', 'fans', 30)
    assert {(s['what'], s['from'], s['to']) for s in row['coat-fans']['settings']} >= {('destinations', 'page', None), ('owner', None, 'anna'), ('split', None, '90/10'), ('alert', 'size < 500', None)}
    text = server.cli('rules', 'diff', str(tmp_path / 'was.yaml'), str(tmp_path / 'same.yaml')).stdout
    assert 'segment fans is now called coat-fans' in text and 'destinations: page → none' in text and 'category apparel.shoes is now called apparel.boots' in text
    added = write(tmp_path / 'added.yaml', same + '  - {id: like-more, seed: buyers, reach: 5%}\n')
    text = server.cli('rules', 'diff', str(tmp_path / 'same.yaml'), added).stdout
    assert "like  buyers; nobody is in it before 'crumb lookalike train like-more'" in text and '3 segments stay as they are' in text
    text = server.cli('rules', 'diff', str(tmp_path / 'was.yaml'), write(tmp_path / 'less.yaml', was.replace('  - {id: buyers, when: purchase}\n', ''))).stdout
    assert re.search(r'segment buyers is removed\n    when  purchase\n    leave fewer than 20\n', text)
    text = server.cli('rules', 'diff', str(tmp_path / 'was.yaml'), str(tmp_path / 'was.yaml')).stdout
    assert text == '3 segments stay as they are\n'


# --- which configuration the command line takes

def crumb(*words, **env):
    r = subprocess.run([os.path.join(BUILD, 'crumb'), *words], capture_output=True, text=True, timeout=60, env={**os.environ, **env})
    return r.returncode, r.stdout, r.stderr


def test_configuration_of_the_command_line(filed, tmp_path):
    code, out, _ = crumb('segments', 'list', CRUMB_CONFIG=filed.file)
    assert code == 0 and 'coat-fans' in out
    other = write(tmp_path / 'other.yaml', 'store.path: %s/none\n' % tmp_path)
    code, _, err = crumb('segments', 'list', CRUMB_CONFIG=other)
    assert code == 1 and other in err and 'CRUMB_CONFIG' in err                             # it says which file names that store
    code, out, err = crumb('-c', filed.file, 'segments', 'list', CRUMB_CONFIG=other)        # -c wins
    assert code == 0 and 'coat-fans' in out
    code, out, _ = crumb('-o', 'privacy.k=30', 'segments', 'list', CRUMB_CONFIG=filed.file)  # -o is added
    assert code == 0 and '< 30' in out
    code, _, err = crumb('segments', 'list', CRUMB_CONFIG=str(tmp_path / 'missing.yaml'))
    assert code == 2 and 'CRUMB_CONFIG' in err and 'missing.yaml' in err
    for words in (['--version'], ['help'], ['help', 'segments', 'list'], ['segments', 'list', '--help']):
        assert crumb(*words, CRUMB_CONFIG=str(tmp_path / 'missing.yaml'))[0] == 0, words
    code, _, err = crumb('-o', 'store.path=%s/none' % tmp_path, 'segments', 'list', CRUMB_CONFIG='')
    assert code == 1 and 'no configuration was taken' in err and '/etc/crumb/crumb.yaml' in err
