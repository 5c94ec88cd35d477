"""'make install': what is installed runs by itself, keeps a configuration that is there, and goes again; its manual and completion are what the programs say."""
import json
import os
import re
import shutil
import subprocess

import pytest
from harness import BUILD

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def run(*args, **kw):
    return subprocess.run(args, capture_output=True, text=True, check=True, **kw).stdout


def make(target, folder, *more):
    return run('make', '-s', '-C', ROOT, target, 'SETUP=no', 'DESTDIR=%s' % folder, *more)


def files(folder):
    return {os.path.relpath(os.path.join(d, f), folder) for d, _, names in os.walk(folder) for f in names}


def test_installed(tmp_path):
    said = make('install', tmp_path)
    config = tmp_path / 'etc/crumb/crumb.yaml'
    assert config.read_text() == open(ROOT + '/etc/crumb.yaml').read()
    config.write_text('retention: 30\n')
    assert 'crumb.yaml stays as it is' in make('install', tmp_path) and config.read_text() == 'retention: 30\n'
    assert 'ExecStart=/usr/bin/crumbd ' in (tmp_path / 'usr/lib/systemd/system/crumbd.service').read_text()
    assert os.path.exists(tmp_path / 'usr/share/crumb/country.mmdb')
    run(tmp_path / 'usr/bin/crumb', '-c', config, '-o', 'rules.path=%s/etc/crumb/rules' % tmp_path, '-o', 'destinations.path=%s/etc/crumb/destinations.yaml' % tmp_path,
        'rules', 'check', cwd=tmp_path)
    # what the next steps name is there
    named = [p for p in re.findall(r'/[a-z][a-zA-Z/.-]+[a-zA-Z/]', said) if p.startswith(('/etc', '/usr'))]
    assert len(named) >= 4 and [p for p in named if not os.path.exists(str(tmp_path) + p)] == []
    # everything that belongs to a user of a package
    there = files(tmp_path)
    for folder, to in (('etc/vocabularies', 'usr/share/crumb/vocabularies'), ('tags/snippets', 'usr/share/crumb/snippets')):
        assert {os.path.join(to, f) for f in os.listdir(os.path.join(ROOT, folder))} <= there
    assert {'usr/share/crumb/rules.schema.json', 'usr/share/crumb/openapi.json', 'usr/share/doc/crumb/docs/RULES.md', 'usr/share/doc/crumb/docs/OPERATING.md',
            'usr/share/doc/crumb/examples/nginx-crumb.conf', 'usr/share/doc/crumb/examples/prometheus-crumb.yaml', 'usr/share/doc/crumb/examples/grafana-crumb.json',
            'usr/share/man/man1/crumb.1', 'usr/share/man/man8/crumbd.8', 'usr/share/bash-completion/completions/crumb'} <= there
    # documents that lead to each other do so where they are installed
    pages = tmp_path / 'usr/share/doc/crumb'
    for page in pages.glob('**/*.md'):
        for to in re.findall(r'\]\(([^)#:]+\.md)', page.read_text()):
            assert (page.parent / to).exists(), (page, to)


def test_uninstalled(tmp_path):
    (tmp_path / 'usr/share/crumb').mkdir(parents=True)
    (tmp_path / 'usr/share/other').write_text('not ours')
    make('install', tmp_path)
    (tmp_path / 'etc/crumb/rules/mine.yaml').write_text('version: 1\n')
    make('uninstall', tmp_path)
    assert files(tmp_path) == {'usr/share/other', 'etc/crumb/crumb.yaml', 'etc/crumb/destinations.yaml', 'etc/crumb/rules/shop.yaml', 'etc/crumb/rules/mine.yaml'}
    assert not os.path.exists(tmp_path / 'usr/share/crumb') and not os.path.exists(tmp_path / 'usr/share/doc/crumb')
    make('uninstall', tmp_path)     # once more is nothing


def test_the_units_are_units(tmp_path):
    if not shutil.which('systemd-analyze'):
        pytest.skip('systemd-analyze is not installed')
    make('install', tmp_path, 'PREFIX=/usr/local')
    units = tmp_path / 'usr/local/lib/systemd/system'
    service = units / 'crumbd.service'
    text = service.read_text()
    assert 'ExecStart=/usr/local/bin/crumbd ' in text
    service.write_text(text.replace('/usr/local/bin/crumbd', BUILD + '/crumbd'))
    r = subprocess.run(['systemd-analyze', 'verify', '--man=no', str(service), str(units / 'crumbd.socket')], capture_output=True, text=True)
    said = [l for l in r.stderr.splitlines() if 'crumb' in l]
    assert not said, said
    # what they say of each other, of options and of the spool
    socket = (units / 'crumbd.socket').read_text()
    config, destinations = (open(os.path.join(ROOT, 'etc', f)).read() for f in ('crumb.yaml', 'destinations.yaml'))
    assert re.search(r'ListenStream=(\S+)', socket).group(1) == re.search(r'listen: (\S+)', config).group(1) and 'FileDescriptorName=collect' in socket
    spool = re.search(r'ReadWritePaths=-(\S+)', text).group(1)
    assert spool in destinations and re.search(r'^d %s ' % spool, (tmp_path / 'usr/local/lib/tmpfiles.d/crumb.conf').read_text(), re.M)
    user = re.search(r'^User=(\S+)', text, re.M).group(1)
    assert re.search(r'^u %s ' % user, (tmp_path / 'usr/local/lib/sysusers.d/crumb.conf').read_text(), re.M) and 'Type=notify' in text


def complete(script, *words):
    """What bash would offer for the last of the words; "=" is a word of its own to it."""
    split = [p for w in words for p in re.split('(=)', w) if p or w == '']
    array = ' '.join("'%s'" % w for w in split)
    out = run('bash', '-c', 'source "$1"; COMP_WORDS=(%s); COMP_CWORD=%d; _%s; printf "%%s\\n" "${COMPREPLY[@]}"' % (array, len(split) - 1, words[0]), 'bash', script)
    return set(out.split())


def test_bash_completes_what_the_programs_take(tmp_path):
    script = tmp_path / 'completion'
    script.write_text(run(ROOT + '/tools/completion.py', BUILD, cwd=ROOT))
    help_text = run(BUILD + '/crumb', '--help')
    commands = re.findall(r'^  ([a-z]+(?: [a-z]+)?)  ', help_text.split('commands:')[1], re.M)
    assert {c.split()[0] for c in commands} <= complete(script, 'crumb', '')
    for c in commands:
        first, _, second = c.partition(' ')
        if second:
            assert second in complete(script, 'crumb', first, ''), c
            assert second in complete(script, 'crumb', '-c', 'x', '-o', 'retention=90', 'help', first, ''), c
        flags = set(re.findall(r'--[a-z-]+', run(BUILD + '/crumb', 'help', *c.split()).split('SYNOPSIS')[1].split('DESCRIPTION')[0]))
        assert flags <= complete(script, 'crumb', *c.split(), '--'), c
    options = set(re.findall(r'^  ([a-z_.0-9]+=)', run(BUILD + '/crumbd', '--help').split('options:')[1], re.M))
    for program in ('crumb', 'crumbd'):
        assert complete(script, program, '-o', '') == options
        assert complete(script, program, '-o', 'retention=30', '-o', 'cookie.same') == {'cookie.samesite='}
        assert complete(script, program, '-o', 'cookie.samesite=') == {'none', 'lax', 'strict'}
        assert complete(script, program, '-o', 'cookie.samesite=s') == {'strict'}
    assert {'--take-over', '--version', '-c'} <= complete(script, 'crumbd', '-')


def test_the_manual_names_every_command_and_option(tmp_path):
    run(ROOT + '/tools/man.py', tmp_path, BUILD, cwd=ROOT)
    crumb, crumbd = ((tmp_path / p).read_text().replace('\\-', '-').replace('\\(aq', "'").replace('\\&', '').replace('\\:', '') for p in ('crumb.1', 'crumbd.8'))
    commands = re.findall(r'^  ([a-z]+(?: [a-z]+)?)  ', run(BUILD + '/crumb', '--help').split('commands:')[1], re.M)
    assert len(commands) > 25 and re.findall(r'^\.SS (.*)$', crumb, re.M) == commands
    for c in commands:
        told = run(BUILD + '/crumb', 'help', *c.split()).split('DESCRIPTION\n')[1].split()
        assert ' '.join(told) in ' '.join(re.sub(r'^\.(PP|br)$', '', crumb, flags=re.M).split()), c
    options = re.findall(r'^  ([a-z_.]+=\S*)', run(BUILD + '/crumbd', '--help').split('options:')[1], re.M)
    assert len(options) > 40 and re.findall(r'^\.B ([a-z_.]+=\S*)$', crumbd, re.M) == options
    assert ' '.join(run(BUILD + '/crumb', '--version').split()) in crumb.splitlines()[0]
    for page in ('crumb.1', 'crumbd.8'):
        for line in (tmp_path / page).read_text().splitlines():
            assert re.match(r"\.(TH|SH|SS|PP|TP|BR|B|br|ad)( |$)|[^.']|$", line), line


@pytest.mark.skipif(not shutil.which('groff'), reason='there is no groff')
def test_the_manual_is_set_without_a_warning(tmp_path):
    """As `man` sets it, on a terminal of 80 columns."""
    run(ROOT + '/tools/man.py', tmp_path, BUILD, cwd=ROOT)
    for page in ('crumb.1', 'crumbd.8'):
        r = subprocess.run(['groff', '-K', 'utf8', '-man', '-Tutf8', '-ww', '-rLL=80n', str(tmp_path / page)], capture_output=True, text=True)
        assert r.returncode == 0 and r.stderr == '', r.stderr


@pytest.mark.skipif(not shutil.which('dpkg-shlibdeps'), reason='there is no dpkg-dev')
def test_a_debian_package_has_what_is_installed_and_says_what_it_needs(tmp_path):
    package = os.path.join(ROOT, run(os.path.join(ROOT, 'tools', 'deb', 'make.sh'), os.path.relpath(BUILD, ROOT), cwd=ROOT).split(':')[0])
    field = dict(line.split(': ', 1) for line in run('dpkg-deb', '-f', package).splitlines() if re.match('[A-Z]', line))
    assert field['Package'] == 'crumb' and 'crumb ' + field['Version'] == run(os.path.join(BUILD, 'crumb'), '--version').strip()
    needs = {d.split()[0] for d in field['Depends'].split(', ')}
    assert {'libc6', 'libevent-core-2.1-7', 'liblmdb0', 'libsodium23'} <= needs and len(needs) > 15
    run('dpkg-deb', '-x', package, tmp_path / 'there')
    run('dpkg-deb', '-e', package, tmp_path / 'control')
    assert (tmp_path / 'control' / 'conffiles').read_text().split() == ['/etc/crumb/crumb.yaml', '/etc/crumb/destinations.yaml', '/etc/crumb/rules/shop.yaml']
    for script in ('postinst', 'prerm', 'postrm'):
        run('sh', '-n', tmp_path / 'control' / script)
    make('install', tmp_path / 'plain')

    def files(folder):
        return {re.sub(r'\.gz$', '', os.path.relpath(os.path.join(d, f), folder)) for d, _, names in os.walk(folder) for f in names}
    assert files(tmp_path / 'there') == files(tmp_path / 'plain')
    assert run(tmp_path / 'there' / 'usr' / 'bin' / 'crumb', '--version') == run(os.path.join(BUILD, 'crumb'), '--version')


def test_the_container_asks_for_what_is_there(tmp_path):
    """Nobody builds one here: that its steps, files and options exist can be seen all the same."""
    with open(os.path.join(ROOT, 'etc', 'Containerfile')) as f:
        text = f.read()
    setup = run('cat', os.path.join(ROOT, 'tools', 'setup.sh'))
    for target in re.findall(r'tools/setup\.sh (\w+)', text):
        assert re.search(r'^%s\) want=' % target, setup, re.M), target
    assert run('make', '-n', '-C', ROOT, 'SETUP=no', 'deb')
    start = json.loads(re.search(r'^ENTRYPOINT (.*)$', text, re.M).group(1))
    make('install', tmp_path / 'there')
    assert all(os.path.exists('%s/there%s' % (tmp_path, path)) for path in (start[0], start[2]))
    options = [o for i, o in enumerate(start) if start[i - 1] == '-o']
    r = subprocess.run([os.path.join(BUILD, 'crumbd'), '--check', '-c', os.path.join(ROOT, 'etc', 'crumb.yaml')] +
                       [a for o in options + ['store.path=%s' % tmp_path, 'rules.path=' + os.path.join(ROOT, 'etc', 'rules'), 'destinations.path=%s/none' % tmp_path] for a in ('-o', o)],
                       capture_output=True, text=True)
    assert options and r.returncode == 0, r.stderr
