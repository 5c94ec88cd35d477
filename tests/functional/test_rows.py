"""What documents say of rows is made from them (tools/docs.py), and goes stale loudly."""
import json
import os
import shutil
import subprocess
import sys

from harness import BUILD

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CRUMB = os.path.join(BUILD, 'crumb')


def reference(*names):
    return json.loads(subprocess.run([CRUMB, 'reference', *names], capture_output=True, check=True).stdout)


def docs(root, *args):
    return subprocess.run([sys.executable, '-B', os.path.join(root, 'tools', 'docs.py'), *args, BUILD], capture_output=True, text=True)


def a_copy(folder):
    for part in ('docs', 'tools', 'etc'):
        shutil.copytree(os.path.join(ROOT, part), folder / part)
    for name in os.listdir(ROOT):
        if name.endswith('.md'):
            shutil.copy(os.path.join(ROOT, name), folder)
    return str(folder)


def test_documents_are_what_the_rows_say():
    r = docs(ROOT, '--check')
    assert (r.returncode, r.stdout) == (0, '')


def test_a_stale_document_is_named_and_mended(tmp_path):
    root = a_copy(tmp_path)
    page = tmp_path / 'docs' / 'CONFIGURATION.md'
    fresh = page.read_text()
    page.write_text(fresh.replace('| `retention` | 1 to 90 |', '| `retention` | 1 to 900 |'))
    r = docs(root, '--check')
    assert r.returncode == 1 and 'docs/CONFIGURATION.md' in r.stdout and '900' in r.stdout
    assert '900' in page.read_text()    # --check writes nothing
    assert docs(root).stdout == 'docs: wrote docs/CONFIGURATION.md\n' and page.read_text() == fresh
    assert docs(root).stdout == ''
    page.write_text(fresh + '<!-- rows: nonsense -->\n<!-- rows end -->\n')
    r = docs(root)
    assert r.returncode == 1 and 'docs/CONFIGURATION.md: there is no view nonsense' in r.stderr


def test_reference_is_told_whatever_the_configuration_is(tmp_path):
    bad = tmp_path / 'bad.yaml'
    bad.write_text('nonsense: 1\n')
    env = dict(os.environ, CRUMB_CONFIG=str(bad))
    assert json.loads(subprocess.run([CRUMB, 'reference', 'options'], capture_output=True, check=True, env=env).stdout) == reference('options')
    assert set(reference()) >= {'options', 'commands'}
    r = subprocess.run([CRUMB, 'reference', 'nonsense'], capture_output=True, text=True)
    assert r.returncode == 2 and "there is no table 'nonsense': commands, options" in r.stderr


def test_every_option_stands_in_the_help_and_every_command_too():
    said = subprocess.run([os.path.join(BUILD, 'crumbd'), '--help'], capture_output=True, text=True).stdout
    assert [o['name'] for o in reference('options')['options'] if '  %s=%s\n' % (o['name'], o['default']) not in said] == []
    said = subprocess.run([CRUMB, '--help'], capture_output=True, text=True).stdout
    assert [c['name'] for c in reference('commands')['commands'] if '\n  %s ' % c['name'] not in said] == []
