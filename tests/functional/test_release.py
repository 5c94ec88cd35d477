"""make release: what is not ready is refused, and what is made is whole (tools/release.sh), in a repository of a few files."""
import hashlib
import os
import shutil
import subprocess
import tarfile

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MAKEFILE = '''test:
	@[ ! -e fails ]
deb:
	@mkdir -p build && echo a package >build/crumb_1.2.3_all.deb
'''


@pytest.fixture
def repository(tmp_path):
    def write(name, text):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    write('Makefile', MAKEFILE)
    write('.gitignore', 'build\n')
    write('include/crumb/base/version.h', '#define CRUMB_VERSION "1.2.3"\n')
    write('CHANGELOG.md', '# Changelog\n\n## Unreleased\n\n## 1.2.3\n\n- all there is\n')
    (tmp_path / 'tools').mkdir()
    shutil.copy(os.path.join(ROOT, 'tools', 'release.sh'), tmp_path / 'tools')
    git(tmp_path, 'init', '-q')
    commit(tmp_path)
    return tmp_path


def git(where, *args):
    me = ['-c', 'user.name=a', '-c', 'user.email=a@example.org']
    return subprocess.run(['git', *me, *args], cwd=where, capture_output=True, text=True, check=True).stdout.strip()


def commit(where):
    git(where, 'add', '-A')
    git(where, 'commit', '-q', '-m', 'all')


def release(where, **env):
    who = {'GIT_COMMITTER_NAME': 'a', 'GIT_COMMITTER_EMAIL': 'a@example.org', 'GIT_CONFIG_GLOBAL': '/dev/null', 'GIT_CONFIG_SYSTEM': '/dev/null'}
    env = dict({k: v for k, v in os.environ.items() if not k.startswith('MAKE')}, **who, **env)
    r = subprocess.run(['tools/release.sh'], cwd=where, env=env, capture_output=True, text=True)
    return r.returncode, r.stdout + r.stderr


def test_a_release_is_an_archive_a_package_and_their_sums(repository):
    status, said = release(repository)
    assert status == 0 and 'no tag is made; TAG=yes makes v1.2.3' in said and git(repository, 'tag') == ''
    made = repository / 'build' / 'release'
    sums = dict(reversed(line.split()) for line in (made / 'SHA256SUMS').read_text().splitlines())
    assert set(sums) == {'crumb-1.2.3.tar.gz', 'crumb_1.2.3_all.deb'} and set(os.listdir(made)) == set(sums) | {'SHA256SUMS'}
    assert all(hashlib.sha256((made / name).read_bytes()).hexdigest() == sums[name] for name in sums)
    with tarfile.open(made / 'crumb-1.2.3.tar.gz') as t:
        assert {n for n in t.getnames() if '.' in n.rsplit('/')[-1]} >= {'crumb-1.2.3/CHANGELOG.md', 'crumb-1.2.3/include/crumb/base/version.h'}
    archive = (made / 'crumb-1.2.3.tar.gz').read_bytes()
    assert release(repository)[0] == 0 and (made / 'crumb-1.2.3.tar.gz').read_bytes() == archive    # the same commit, the same bytes


def test_a_tag_is_made_when_it_is_asked_for(repository):
    assert release(repository, TAG='yes')[0] == 0
    assert git(repository, 'cat-file', '-t', 'v1.2.3') == 'tag'
    status, said = release(repository, TAG='yes')
    assert status == 0 and 'the tag v1.2.3 is there' in said
    (repository / 'more').write_text('x')
    commit(repository)
    status, said = release(repository)
    assert status == 1 and 'the tag v1.2.3 is there, at another commit' in said


def test_a_dry_run_says_all_of_it_and_does_nothing(repository):
    status, said = release(repository, DRY='1', TAG='yes')
    for part in ('crumb 1.2.3', 'make test', 'crumb-1.2.3.tar.gz', 'make deb', 'SHA256SUMS', 'the tag v1.2.3', 'nothing was done'):
        assert part in said, part
    assert status == 0 and not (repository / 'build').exists() and git(repository, 'tag') == ''


@pytest.mark.parametrize('name, text, why', [
    ('stray', 'x', 'changes that are not committed'),
    ('CHANGELOG.md', '# Changelog\n\n## Unreleased\n\n## 1.2.30\n', "no heading '## 1.2.3'"),
    ('CHANGELOG.md', '# Changelog\n\n## Unreleased\n\n- new\n- newer\n\n## 1.2.3\n', '2 lines under Unreleased'),
    ('include/crumb/base/version.h', '/* none */\n', 'names no version'),
    ('fails', '', ''),
])
def test_what_is_not_ready_is_refused(repository, name, text, why):
    (repository / name).write_text(text)
    if name != 'stray':
        commit(repository)
    status, said = release(repository, TAG='yes')
    assert status != 0 and why in said
    assert not (repository / 'build' / 'release').exists() and git(repository, 'tag') == ''
