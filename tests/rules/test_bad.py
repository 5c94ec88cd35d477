"""Bad rules, and exactly what is said of them (bad.txt); the JSON Schema that editors use; the files of etc/."""
import json
import os
import re
import subprocess
import sys

import pytest
import yaml

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), 'functional'))
from harness import BUILD, ROOT  # noqa: E402

with open(os.path.join(HERE, 'bad.txt'), 'rb') as f:
    CASES = [c for c in re.split(rb'^=== ', f.read(), flags=re.M)[1:]]


def crumb(*arguments):
    return subprocess.run([os.path.join(BUILD, 'crumb'), '-o', 'store.path=/nowhere', '-o', 'geo.database=' + os.path.join(ROOT, 'build', 'country.mmdb')] +
                          list(arguments), capture_output=True, text=True, errors='replace', timeout=60)


@pytest.mark.parametrize('case', CASES, ids=lambda c: c.split(b' ')[0].decode())
def test_a_bad_file_is_named_word_for_word(case, tmp_path):
    title, rest = case.split(b'\n', 1)
    text, want = rest.split(b'+++\n')
    path = tmp_path / 'case.yaml'
    path.write_bytes(text)
    r = crumb('rules', 'check', str(path), '--json')
    got = ['%d:%d %s %s: %s%s' % (x['line'], x['column'], x['severity'], x['code'], x['message'], ' -- ' + x['hint'] if x['hint'] else '') for x in json.loads(r.stdout)]
    assert got == want.decode().strip().split('\n')
    refused = any(' error ' in x for x in got)
    assert r.returncode == (1 if refused else 0)
    assert crumb('rules', 'check', str(path), '--strict').returncode == 1
    # the place is one in the file, and the text form shows it
    shown = crumb('rules', 'check', str(path)).stderr
    for x in json.loads(r.stdout):
        lines = text.decode(errors='replace').split('\n')
        assert 1 <= x['line'] <= len(lines) and x['column'] >= 1
        assert '%s:%d:%d: ' % (x['file'], x['line'], x['column']) in shown and x['message'] in shown and x['hint'] in shown
        assert re.search(r'^ +%d \| .*\n +\| \s*\^' % x['line'], shown, re.M)


def test_there_are_enough_of_them():
    assert len(CASES) >= 60 and len({c.split(b' ')[0] for c in CASES}) == len(CASES)


# --- the schema

with open(os.path.join(ROOT, 'etc', 'rules.schema.json')) as f:
    SCHEMA = json.load(f)


def valid(document):
    """As editors see it: they know no dates, where PyYAML does."""
    import jsonschema
    document = json.loads(json.dumps(document, default=str))
    return not list(jsonschema.Draft7Validator(SCHEMA).iter_errors(document))


def examples():
    for folder in ('rules', 'vocabularies'):
        for name in sorted(os.listdir(os.path.join(ROOT, 'etc', folder))):
            yield os.path.join(ROOT, 'etc', folder, name)


@pytest.mark.parametrize('path', list(examples()), ids=os.path.basename)
def test_shipped_files_load_and_fit_the_schema(path):
    with open(path) as f:
        assert valid(yaml.safe_load(f))
    r = crumb('rules', 'check', path, '--strict')
    assert r.returncode == 0, r.stderr


def rows(table):
    return json.loads(crumb('reference', table).stdout)[table]


def test_every_field_loads_and_fits_the_schema(tmp_path):
    by_pattern = {'path': '/x/*', 'words': 'winter coat', 'exact': 'x'}
    special = {'country': 'DE', 'region': 'DE-BY'}
    entries = []
    for f in rows('fields'):
        value = special.get(f['name']) or (f['words'] + [by_pattern[f['patterns'][0]]])[0]
        entries += [{f['text'].replace('NAME', 'n'): v} for v in [value] + (['/x|y/'] if 'regex' in f['patterns'] else []) + (['a*b*'] if 'glob' in f['patterns'] else [])
                    + (['1..2'] if 'range' in f['patterns'] else [])]
        for wrong in f['aliases']:
            assert not valid({'version': 1, 'categories': [{'id': 'a', 'any': [{wrong: value}]}]}), wrong
    document = {'version': 1, 'categories': [{'id': 'c%d' % i, 'any': [e]} for i, e in enumerate(entries)]}
    assert valid(document) and len(entries) >= 30
    path = tmp_path / 'fields.yaml'
    path.write_text(yaml.safe_dump(document))
    r = crumb('rules', 'check', str(path))
    assert r.returncode == 0, r.stdout + r.stderr


def test_every_key_is_known_to_the_checker_and_every_slip_finds_its_key(tmp_path):
    maps = {m['name']: m for m in rows('rule-maps')}
    sections = {'attribute': 'attributes', 'category': 'categories', 'segment': 'segments', 'lookalike': 'lookalikes', 'journey': 'journeys'}
    assert set(maps) == set(sections) | {'file', 'exclude'}
    path = tmp_path / 'keys.yaml'
    for name, section in sections.items():
        for key in maps[name]['keys']:
            for written in [key['name']] + key['aliases']:
                path.write_text(yaml.safe_dump({'version': 1, section: [{written: ''}]}))
                found = json.loads(crumb('rules', 'check', str(path), '--json').stdout)
                hints = [f['hint'] for f in found if f['code'] == 'unknown-key']
                assert hints == ([] if written == key['name'] else ["did you mean '%s'?" % key['name']]), (section, written)


def manual():
    with open(os.path.join(ROOT, 'docs', 'RULES.md')) as f:
        return re.findall(r'```yaml\n(version: 1\n.*?)```', f.read(), re.S)


@pytest.mark.parametrize('text', manual(), ids=lambda t: re.sub(r'\W+', '-', t)[11:40])
def test_the_manuals_examples_load(text, tmp_path):
    document = yaml.safe_load(text)
    path = tmp_path / 'manual.yaml'
    path.write_text(text)
    if 'tests' in document:                     # the manual's own examples, by the shipped rules
        r = crumb('-o', 'rules.path=' + os.path.join(ROOT, 'etc', 'rules'), 'rules', 'test', str(path))
        assert r.returncode == 0 and '1 passed, 0 failed' in r.stdout, r.stdout + r.stderr
        return
    assert valid(document)
    r = crumb('rules', 'check', str(path))
    assert r.returncode == 0, r.stderr


def test_the_schema_refuses_what_the_checker_refuses():
    refused = 0
    for case in CASES:
        text = case.split(b'\n', 1)[1].split(b'+++\n')[0]
        try:
            document = yaml.safe_load(text.decode())
        except (yaml.YAMLError, UnicodeDecodeError):
            continue
        if any(w in case.split(b'+++\n')[1] for w in (b'error unknown-key', b'error unknown-field', b'error type', b'error missing', b'error state',
                                                        b'error yaml-trap: \'NO\'')):
            assert not valid(document), case.decode()
            refused += 1
    assert refused >= 12
