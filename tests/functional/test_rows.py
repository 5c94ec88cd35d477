"""What documents say of rows is made from them (tools/docs.py), and goes stale loudly."""
import json
import os
import re
import shutil
import subprocess
import sys

from harness import BUILD
from prometheus_client.parser import text_string_to_metric_families

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
    page.write_text(fresh.replace('| `retention` | 1 to 90 days |', '| `retention` | 1 to 900 days |'))
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
    assert r.returncode == 2 and "there is no table 'nonsense': %s" % ', '.join(reference()) in r.stderr


def test_records_are_told_with_shape_and_identity():
    rows = reference('records')['records']
    assert len({r['kind'] for r in rows}) == len({r['name'] for r in rows}) == len(rows)
    erase = next(r for r in rows if r['name'] == 'erase')
    assert (erase['shape'], erase['whose'], erase['forgotten'], erase['identity']) == ('[2, visitor, time]', 'visitor', False, ['visitor', 'time'])
    assert all(r['identity'] for r in rows if r['whose'] != 'visitor')     # control records can be told apart


def test_every_option_stands_in_the_help_and_every_command_too():
    said = subprocess.run([os.path.join(BUILD, 'crumbd'), '--help'], capture_output=True, text=True).stdout
    assert [o['name'] for o in reference('options')['options'] if '  %s=%s\n' % (o['name'], o['default']) not in said] == []
    said = subprocess.run([CRUMB, '--help'], capture_output=True, text=True).stdout
    assert [c['name'] for c in reference('commands')['commands'] if '\n  %s ' % c['name'] not in said] == []


def test_every_metric_is_explained_and_what_is_asked_of_metrics_is_there(server):
    rows = {m['name']: m for m in reference('metrics')['metrics']}
    assert len(rows) == len(reference('metrics')['metrics']) > 40
    for m in rows.values():
        told = [m['help']] + [v['help'] for v in m.get('values', [])]
        assert m['unit'] and all(t and '\n' not in t and '"' not in t for t in told), m
    # what a server tells are the rows, one for one
    said = server.http('GET', '/metrics', admin=True)[2].decode()
    there = {f.name + ('_total' if f.type == 'counter' else ''): f for f in text_string_to_metric_families(said)}
    assert set(there) | {'crumb_segment_size', 'crumb_segment_alert'} == set(rows)
    for name, f in there.items():
        row = rows[name]
        assert (f.type, f.documentation) == (row['kind'], row['help'])
        if 'values' in row:
            assert [s.labels[row['label']] for s in f.samples] == [v['value'] for v in row['values']]
    # alerts and dashboard, with the values of their labels
    for name in ('prometheus-crumb.yaml', 'grafana-crumb.json'):
        with open(os.path.join(ROOT, 'etc', name)) as f:
            text = f.read().replace('\\"', '"')
        asked = re.findall(r'\b(crumb_\w+)(?:\{(\w+)="(\w+)"\})?', text)
        assert len(asked) > 5
        for metric, label, value in asked:
            row = rows.get(metric) or rows.get(re.sub('_(bucket|sum|count)$', '', metric))
            assert row, metric
            assert not label or (row['label'] == label and value in [v['value'] for v in row['values']]), (metric, label, value)


def test_an_option_is_what_its_row_says():
    def taken(name, value):
        r = subprocess.run([CRUMB, '-o', '%s=%s' % (name, value), '--version'], capture_output=True, text=True)
        assert r.returncode == 0 or (r.returncode == 2 and name in r.stderr), r.stderr
        return r.returncode == 0
    ref = reference()
    groups = [g['name'] for g in ref['option-groups']]
    order = [groups.index(o['group']) for o in ref['options']]
    assert order == sorted(order) and set(order) == set(range(len(groups)))     # those of a group stand together
    for o in ref['options']:
        assert o['help'] and (o['kind'] == 'choice') == ('unit' not in o), o
        if o['kind'] == 'number':
            assert taken(o['name'], o['min']) and taken(o['name'], o['max'])
            assert not taken(o['name'], o['max'] + 1) and not taken(o['name'], o['min'] - 1)
        if o['kind'] == 'choice':
            assert o['default'] in o['words'] and all(taken(o['name'], w) for w in o['words']) and not taken(o['name'], 'nonsense')
    assert {o['name'] for o in ref['options'] if o['secret']} == {'admin.token', 'log.kafka', 'segment.write_keys'}
