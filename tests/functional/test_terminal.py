"""The command line beside a server that hangs, on a terminal, and with files that nobody means."""
import gzip
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time

from harness import BUILD, SLOW, Browser, until

NASTY = '\x1b]0;owned\x07\x1b[31m\x7f\u009b2J\u202e'
RULES = 'version: 1\ncategories:\n  - {id: coats, name: "C\\e[31m\\x9b2J\\u202e", any: [{path: "/coats/*"}]}\nsegments:\n  - {id: fans, name: "F\\e]0;x\\a", when: coats}\n'


def on_terminal(arguments, wait=60 * SLOW):
    """What a terminal gets to see of a command."""
    master, slave = pty.openpty()
    p = subprocess.Popen(arguments, stdout=slave, stderr=slave, stdin=subprocess.DEVNULL)
    os.close(slave)
    out, until = b'', time.monotonic() + wait
    while time.monotonic() < until:
        ready, _, _ = select.select([master], [], [], 0.2)
        try:
            part = os.read(master, 65536) if ready else b''
        except OSError:
            break
        out += part
        if not part and p.poll() is not None:
            break
    os.close(master)
    assert p.wait(wait) in (0, 1, 2)
    return out.decode(errors='replace')


def harmless(text):
    return not re.search('[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u0080-\u009f\u202a-\u202e]', text.replace('\r\n', '\n'))


def test_nothing_from_files_commands_the_terminal(make, tmp_path):
    server = make(rules=RULES)
    crumb = [os.path.join(BUILD, 'crumb')] + server.common()
    bad = tmp_path / 'bad'
    bad.mkdir()
    (bad / 'a.yaml').write_text('version: 1\nsegments:\n  - {id: a, when: "cots \\e[2J \\x9b\\u202e", name: "x\\e[31m"}\n  - {id: b, wen: "\\e[31m"}\n  - {id: "c\\e[31m", when: visits}\n')
    (bad / 'b.yaml').write_bytes(b'version: 1\nsegments:\n  - {id: d, when: \x1b[31mvisits, name: \x9b31m}\n')
    for words in (['segments', 'list'], ['categories', 'list'], ['segments', 'show', 'fans'], ['segments', 'show', NASTY], ['rules', 'check', str(bad)], ['rules', 'preview', NASTY],
                  ['rules', 'preview', 'coats >= ' + NASTY], ['rules', 'diff', str(bad)], [NASTY], ['visitor', 'show', '--id', NASTY], ['import', NASTY, '--format', 'ndjson'],
                  ['segments', 'list', '--json'], ['rules', 'check', str(bad), '--json'], ['export', NASTY, '--out', str(tmp_path)], ['rules', 'test', NASTY]):
        said = on_terminal(crumb + words)
        assert harmless(said) and said.strip(), (words, said)
    said = on_terminal(crumb + ['segments', 'list'])
    assert 'F\\u001b]0;x\\u0007' in said
    r = server.cli('categories', 'list', '--json')
    assert harmless(r.stdout) and json.loads(r.stdout)[0]['name'] == 'C\x1b[31m\x9b2J\u202e'
    server.write_rules('version: 1\nsegments:\n  - {id: a, when: visits, "w\\e[2J\\n\\" level=error": 1}\n')
    server.process.send_signal(signal.SIGHUP)
    until(lambda: 'refused' in server.logged())
    line = [l for l in server.logged().splitlines() if 'refused' in l][0]
    assert harmless(line) and '\\u001b[2J' in line, line


def test_a_stopped_server_is_named(make):
    """A command waits for as long as the server lives, not for one that does not."""
    server = make()
    server.process.send_signal(signal.SIGSTOP)
    try:
        for words in (['segments', 'list'], ['rules', 'preview', 'visits'], ['db', 'compact']):
            at = time.monotonic()
            r = server.cli(*words, ok=(1,))
            assert str(server.process.pid) in r.stderr and server.admin in r.stderr and 'kill -CONT' in r.stderr, r.stderr
            assert time.monotonic() - at < 30 * SLOW and r.stdout == ''
        p = subprocess.Popen([os.path.join(BUILD, 'crumb')] + server.common() + ['segments', 'list'], stderr=subprocess.PIPE)
        p.send_signal(signal.SIGINT)
        assert p.wait(30) in (1, -signal.SIGINT)
        p.stderr.close()
    finally:
        server.process.send_signal(signal.SIGCONT)
    assert Browser(server).hit('/coats/1') == 200 and server.cli('segments', 'list').returncode == 0


MEASURE = ('import resource, subprocess, sys; r = subprocess.run(sys.argv[1:]); '
           'print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr); sys.exit(r.returncode)')


def peak(arguments):
    """Exit code, words and largest memory of a command, in MB. A process begins with the largest memory of whoever started it: so it is started by a small one."""
    r = subprocess.run([sys.executable, '-c', MEASURE] + arguments, capture_output=True, text=True)
    err, _, kb = r.stderr.rstrip('\n').rpartition('\n')
    return r.returncode, r.stdout, err, int(kb) / 1024


def test_a_small_file_that_unpacks_to_one_long_line(server, tmp_path):
    path = tmp_path / 'long.gz'
    good = b'{"id":"a","e":"view","u":"https://shop.example/coats/1"}\n'
    with gzip.open(path, 'wb', 1) as f:
        f.write(good)
        f.write(b'{"id":"')
        for _ in range(200):
            f.write(b'x' * (1 << 20))
        f.write(b'","e":"view"}\n' + good)
    assert path.stat().st_size < 3 << 20
    code, out, err, mb = peak([os.path.join(BUILD, 'crumb')] + server.common() + ['import', str(path), '--format', 'ndjson', '--json'])
    t = json.loads(out)
    assert code == 0 and (t['read'], t['accepted'], t['refused']['too_long']) == (3, 2, 1), (out, err)
    assert SLOW > 1 or mb < 64, mb


def test_nothing_taken_is_no_success(server, tmp_path):
    for text, words in (('', 'no lines'), ('\n\n', 'no lines'), ('id,segment\n1,a\n', "refused as 'json'"), ('{"e":"view"}\n{"e":"view"}\n', "of 2 lines 2 were refused as 'id'"),
                        ('{"id":"a","e":"view","t":1000}\n', "refused as 'old'")):
        path = tmp_path / 'f'
        path.write_text(text)
        for stopped in (False, True):
            if stopped:
                server.stop()
            r = server.cli('import', str(path), '--format', 'ndjson', ok=(1,))
            assert words in r.stderr and 'nothing was taken' in r.stderr and r.stderr.count('\n') == 1 + r.stderr.count('warn '), (text, r.stderr)
            if stopped:
                server.start()
    assert server.import_lines([{'id': 'a', 'e': 'view'}, 'nonsense'])['accepted'] == 1


def test_what_cannot_be_answered_says_why(make):
    server = make(rules='version: 1\ncategories:\n  - {id: coats, name: Coats, any: [{path: "/coats/*"}]}\nsegments:\n  - {id: fans, when: coats}\nlookalikes:\n  - {id: more, seed: fans, reach: 10%}\n')
    Browser.known(server).hit('/coats/1')
    server.import_lines([{'id': 'a', 'e': 'view', 'u': 'https://shop.example/coats/1'}])
    r = server.cli('export', 'fans', '--holdout', '--out', server.dir, ok=(1,))
    assert "no split: nobody is held out" in r.stderr, r.stderr
    r = server.cli('rules', 'explain', 'more', '--id', 'a', ok=(1,))
    assert 'lookalike' in r.stderr and 'crumb lookalike explain more' in r.stderr, r.stderr
