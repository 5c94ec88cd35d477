"""'make install': what is installed runs by itself, keeps a configuration that is there, and its manual is what the programs say."""
import os
import re
import subprocess

from harness import BUILD

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def run(*args, **kw):
    return subprocess.run(args, capture_output=True, text=True, check=True, **kw).stdout


def test_installed(tmp_path):
    install = ('make', '-s', '-C', ROOT, 'install', 'SETUP=no', 'DESTDIR=%s' % tmp_path)
    run(*install)
    config = tmp_path / 'etc/crumb/crumb.yaml'
    assert config.read_text() == open(ROOT + '/etc/crumb.yaml').read()
    config.write_text('retention: 30\n')
    assert 'crumb.yaml stays as it is' in run(*install) and config.read_text() == 'retention: 30\n'
    assert 'ExecStart=/usr/bin/crumbd ' in (tmp_path / 'usr/lib/systemd/system/crumbd.service').read_text()
    assert os.path.exists(tmp_path / 'usr/share/crumb/country.mmdb')
    run(tmp_path / 'usr/bin/crumb', '-c', config, '-o', 'rules.path=%s/etc/crumb/rules' % tmp_path, '-o', 'destinations.path=%s/etc/crumb/destinations.yaml' % tmp_path,
        'rules', 'check', cwd=tmp_path)


def test_the_manual_names_every_command_and_option(tmp_path):
    run(ROOT + '/tools/man.sh', tmp_path, BUILD, cwd=ROOT)
    crumb, crumbd = ((tmp_path / p).read_text().replace('\\-', '-').replace('\\(aq', "'").replace('\\&', '') for p in ('crumb.1', 'crumbd.8'))
    commands = re.findall(r'^  ([a-z]+(?: [a-z]+)?)  ', run(BUILD + '/crumb', '--help').split('commands:')[1], re.M)
    assert len(commands) > 25 and re.findall(r'^\.SS (.*)$', crumb, re.M) == commands
    for c in commands:
        told = run(BUILD + '/crumb', 'help', *c.split()).split('DESCRIPTION\n')[1].split()
        assert ' '.join(told) in ' '.join(re.sub(r'^\.(PP|br)$', '', crumb, flags=re.M).split()), c
    options = re.findall(r'^  ([a-z_.]+=\S*)', run(BUILD + '/crumbd', '--help').split('options:')[1], re.M)
    assert len(options) > 40 and re.findall(r'^\.B ([a-z_.]+=\S*)$', crumbd, re.M) == options
    for page in ('crumb.1', 'crumbd.8'):
        for line in (tmp_path / page).read_text().splitlines():
            assert re.match(r"\.(TH|SH|SS|PP|TP|BR|B|br)( |$)|[^.']|$", line), line
