"""tools/test.sh and tools/cluster-test.sh: every step counts, also one that ends without a word, and a failure is its exit status."""
import os
import shutil
import subprocess

from harness import ROOT

WELL = {
    'bin/make': '#!/bin/sh\ncase "$*" in *MODE=$BREAK*) echo broken; exit 2 ;; esac\n',
    'bin/nproc': '#!/bin/sh\necho 1\n',
    'tools/check.sh': '#!/bin/sh\n',
    'tools/fuzz.sh': '#!/bin/sh\necho "fuzz url: 9 lines"\necho "3 passed, 0 failed"\n',
    'tests/faults/run.py': 'print("5 passed, 0 failed")\n',
    'tests/sim/run.py': 'print("7 passed, 0 failed")\n',
    'build/crumbd': '#!/bin/sh\n',
    'build/asan/test/unit-x': '#!/bin/sh\necho "[       OK ] a"\necho "[       OK ] b"\n',
}
WELL.update({'tests/%s/test_%s.py' % (n, n): 'def test_one():\n    pass\n' for n in ('functional', 'rules', 'property', 'browser')})


def test_sh(folder, files, mode='none'):
    """Exit status, last line and what failed, of the script in a tree of its own."""
    for path, text in {**WELL, **files}.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(0o755)
    shutil.copy(os.path.join(ROOT, 'tools', 'test.sh'), folder / 'tools')
    env = {k: v for k, v in os.environ.items() if not k.startswith(('CRUMB_', 'PYTEST_'))}
    env.update(PATH='%s:%s' % (folder / 'bin', os.environ['PATH']), BREAK=mode)
    r = subprocess.run([folder / 'tools' / 'test.sh'], env=env, capture_output=True, text=True, timeout=120)
    return r.returncode, r.stdout.splitlines()[-1], [line[8:].split(':')[0] for line in r.stdout.splitlines() if line.startswith('FAILED  ')]


test_sh.__test__ = False


def test_all_is_well(tmp_path):
    # 7 builds, check, 4 and 2 of pytest, 2 units, and what counts by itself
    assert test_sh(tmp_path, {}) == (0, '%d passed, 0 failed' % (7 + 1 + 6 + 2 + 3 + 5 + 7), [])


def test_a_failure_of_any_step_is_one_of_all(tmp_path):
    code, last, failed = test_sh(tmp_path, {
        'tools/check.sh': '#!/bin/sh\nexit 1\n',
        'tools/fuzz.sh': '#!/bin/sh\nkill -9 $$\n',
        'tests/faults/run.py': 'raise SystemExit("no room")\n',
        'tests/sim/run.py': 'pass\n',
        'build/asan/test/unit-x': '#!/bin/sh\necho "[       OK ] a"\nkill -9 $$\n',
        'tests/rules/test_rules.py': 'def test_one():\n    assert False\n',
        'tests/browser/test_browser.py': 'import nothing_of_that_name\n',
    }, 'tsan')
    assert code == 1
    assert failed == ['make check', 'rules', 'faults', 'sim', 'browser', 'unit-x (asan)', 'build tsan without warnings', 'fuzz']
    assert last.endswith(', 8 failed')


def cluster_test_sh(folder, *programs, test='pass', **env):
    """Exit status, last line and what it says on stderr, where only some programs are there."""
    files = {'tests/cluster/test_one.py': 'def test_one():\n    %s\n' % test, 'tests/cluster/pom.xml': '<project/>\n', 'tools/x': '',
             **{'bin/' + p: '#!/bin/sh\nexit 1\n' for p in programs}}
    for path, text in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(0o755)
    (folder / 'bin').mkdir(exist_ok=True)
    for name in ('awk', 'cmp', 'cp', 'cut', 'dirname', 'grep', 'head', 'mkdir', 'rm', 'sed', 'sh', 'tail'):
        if not (folder / 'bin' / name).exists():
            (folder / 'bin' / name).symlink_to(shutil.which(name))
    shutil.copy(os.path.join(ROOT, 'tools', 'cluster-test.sh'), folder / 'tools')
    r = subprocess.run([folder / 'tools' / 'cluster-test.sh'], env={'PATH': str(folder / 'bin'), **env}, capture_output=True, text=True, timeout=120)
    return r.returncode, r.stdout.splitlines()[-1], r.stderr


def test_where_no_broker_is_to_be_had_it_is_a_failure_that_says_so(tmp_path):
    code, last, said = cluster_test_sh(tmp_path / '1')
    assert (code, last) == (1, '0 passed, 1 failed') and 'no Java: install default-jre-headless' in said
    code, last, said = cluster_test_sh(tmp_path / '2', 'java')
    assert (code, last) == (1, '0 passed, 1 failed') and 'install maven, or set KAFKA_HOME' in said
    code, last, said = cluster_test_sh(tmp_path / '3', 'java', 'mvn')
    assert (code, last) == (1, '0 passed, 1 failed') and 'Maven could not fetch it' in said
    code, last, said = cluster_test_sh(tmp_path / '4', 'java', KAFKA_HOME='/nowhere')
    assert (code, last) == (1, '0 passed, 1 failed') and 'KAFKA_HOME=/nowhere' in said


def test_a_broker_that_is_there_needs_no_maven(tmp_path):
    (tmp_path / 'kafka' / 'libs').mkdir(parents=True)
    home = str(tmp_path / 'kafka')
    assert cluster_test_sh(tmp_path, 'java', KAFKA_HOME=home)[:2] == (0, '1 passed, 0 failed')
    assert cluster_test_sh(tmp_path, 'java', KAFKA_HOME=home, test='assert False')[:2] == (1, '0 passed, 1 failed')
    assert cluster_test_sh(tmp_path, 'java', KAFKA_HOME=home, test='import os; os._exit(0)')[:2] == (1, '0 passed, 1 failed')


UNIT = """#include "unit.h"
#include <stdlib.h>
TEST(%s) { %s }
UNIT_TESTS(cmocka_unit_test(%s))
"""


def test_a_unit_test_that_crashes_ends_its_file_and_no_other(tmp_path):
    folder = tmp_path / 'unit' / 'layer'
    folder.mkdir(parents=True)
    for file, test, body in (('a', 'one_is_one', 'assert_int_equal(1, 1);'), ('b', 'it_crashes', 'abort();'), ('c', 'two_is_one', 'assert_int_equal(2, 1);'), ('d', 'one_is_two', '')):
        (folder / (file + '.c')).write_text(UNIT % (test, body, test))
    here = os.path.join(ROOT, 'tests', 'unit')
    program = tmp_path / 'unit-layer'
    subprocess.run(['gcc', '-D_GNU_SOURCE', '-I' + here, os.path.join(here, 'main.c')] + sorted(map(str, folder.iterdir())) + ['-lsodium', '-lcmocka', '-o', program], check=True)

    def run(*args):
        r = subprocess.run([program, *args], capture_output=True, text=True, env={**os.environ, 'CMOCKA_MESSAGE_OUTPUT': 'stdout'}, timeout=60)
        return r.returncode, [line[13:] for line in r.stdout.splitlines() if line.startswith('[       OK ]')], {line[13:] for line in r.stdout.splitlines() if line.startswith('[  FAILED  ]') and ' ' not in line[13:]}
    assert run() == (1, ['one_is_one', 'one_is_two'], {'layer/b', 'two_is_one'})
    assert run('a', 'd') == (0, ['one_is_one', 'one_is_two'], set())
    assert run('one_is_t*') == (0, ['one_is_two'], set())
    assert run('layer/c')[0] == 1
    assert run('e')[0] == 2
    assert subprocess.run([program, '--list'], capture_output=True, text=True).stdout.splitlines()[0] == 'layer/a one_is_one'
