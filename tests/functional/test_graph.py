"""tools/graph.py: what `make check` says of files that lean on each other."""
import os
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', '..', 'tools'))
import graph


def told(tmp_path, monkeypatch, files):
    """The faults of a tree with these files, built."""
    for path, text in files.items():
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        if path.endswith('.c'):
            to = tmp_path / 'build/obj' / path[len('src/'):-1]
            to.parent.mkdir(parents=True, exist_ok=True)
            subprocess.run(['gcc', '-w', '-c', '-I', str(tmp_path / 'include'), str(file), '-o', str(to) + 'o'], check=True)
    (tmp_path / 'include/crumb').mkdir(parents=True, exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(graph, 'ALLOWED', {})
    return list(graph.faults('build'))


def test_the_document_has_the_layers_of_the_tool():
    with open(os.path.join(os.path.dirname(graph.__file__), '..', 'docs', 'ARCHITECTURE.md')) as f:
        table = f.read().split('| layers | what each holds |\n| --- | --- |\n')[1].split('\n\n')[0]
    assert [row.split('|')[1].strip().split(', ') for row in table.splitlines()] == graph.LAYERS


def test_calls_that_point_down_are_fine(tmp_path, monkeypatch):
    assert told(tmp_path, monkeypatch, {
        'src/base/hen.c': 'int hen(void) { return 1; }',
        'src/base/egg.c': 'int hen(void); int egg(void) { return hen(); }',
        'src/store/nest.c': 'int egg(void); int nest(void) { return egg(); }'}) == []


def test_a_circle_of_calls_is_told_with_its_files_and_symbols(tmp_path, monkeypatch):
    said = told(tmp_path, monkeypatch, {
        'src/base/hen.c': 'int feather(void); int hen(void) { return feather(); }',
        'src/base/egg.c': 'int hen(void); int egg(void) { return hen(); }',
        'src/base/nest.c': 'extern int (*const laid)(void); int nest(void) { return laid(); }',
        'src/base/feather.c': 'int egg(void); int (*const laid)(void) = egg; int feather(void) { return 1; }'})
    assert said == ['3 files lean on each other in a circle:',
                    '    src/base/egg.c needs hen of src/base/hen.c',
                    '    src/base/feather.c needs egg of src/base/egg.c',
                    '    src/base/hen.c needs feather of src/base/feather.c']


def test_a_call_up_or_sideways_is_told(tmp_path, monkeypatch):
    assert told(tmp_path, monkeypatch, {
        'src/base/hen.c': 'int nest(void); int hen(void) { return nest(); }',
        'src/rules/rule.c': 'int key(void); int rule(void) { return key(); }',
        'src/disk/key.c': 'int key(void) { return 1; }',
        'src/store/nest.c': 'int nest(void) { return 1; }'}) == [
            'src/base/hen.c calls up or sideways into src/store/nest.c: nest',
            'src/rules/rule.c calls up or sideways into src/disk/key.c: key']


def test_an_arrow_that_is_listed_and_gone_is_told(tmp_path, monkeypatch):
    files = {'src/base/hen.c': 'int nest(void); int hen(void) { return nest(); }', 'src/store/nest.c': 'int nest(void) { return 1; }'}
    assert told(tmp_path, monkeypatch, files)
    monkeypatch.setattr(graph, 'ALLOWED', {('base/hen', 'store/nest'): 'why'})
    assert list(graph.faults('build')) == []
    monkeypatch.setattr(graph, 'ALLOWED', {('base/hen', 'store/nest'): 'why', ('base/hen', 'store/egg'): 'why'})
    assert list(graph.faults('build')) == ['base/hen does not lean on store/egg any more: take it out of ALLOWED (tools/graph.py)']


def test_includes_and_names_of_headers_are_told(tmp_path, monkeypatch):
    said = told(tmp_path, monkeypatch, {
        'include/crumb/store/nest.h': '\n',
        'include/crumb/base/egg.h': '#include "crumb/store/nest.h"\n',
        'src/store/nest.h': '\n',
        'src/base/hen.c': '#include "crumb/base/egg.h"\nint hen(void) { return 1; }'})
    assert said == ['include/crumb/base/egg.h: base may not include store', 'headers of one name: src/store/nest.h and include/crumb/store/nest.h']


def test_a_source_that_is_not_built_is_no_pass(tmp_path, monkeypatch):
    files = {'src/base/hen.c': 'int hen(void) { return 1; }'}
    assert told(tmp_path, monkeypatch, files) == []
    (tmp_path / 'src/base/egg.c').write_text('int egg(void) { return 1; }')
    with pytest.raises(SystemExit, match='egg.o is not built'):
        list(graph.faults('build'))
