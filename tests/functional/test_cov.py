"""tools/cov.py: which lines were run, by folder, and what is below its floor."""
import os
import shutil
import subprocess

from harness import ROOT

SOURCE = '''int f(int x);
int f(int x)
{
	if (x > 1)
		return 7;
	return 8;
}
int main(void)
{
	return f(%d) > 100;
}
'''


def cov(folder, floor):
    (folder / 'tests').mkdir(exist_ok=True)
    (folder / 'tests/cov-floor.txt').write_text(floor)
    r = subprocess.run(['python3', '-B', os.path.join(ROOT, 'tools', 'cov.py'), 'build/cov'], cwd=folder, capture_output=True, text=True, timeout=60)
    return r.returncode, r.stdout


def test_a_folder_below_its_floor_is_told(tmp_path):
    for name, x in (('base', 2), ('core', 1)):
        (tmp_path / 'src' / name).mkdir(parents=True)
        (tmp_path / 'build/cov/obj' / name).mkdir(parents=True)
        (tmp_path / 'src' / name / 'a.c').write_text(SOURCE % x)
        subprocess.run(['gcc', '-O0', '--coverage', '-c', 'src/%s/a.c' % name, '-o', 'build/cov/obj/%s/a.o' % name], cwd=tmp_path, check=True)
    subprocess.run(['gcc', '--coverage', 'build/cov/obj/base/a.o', '-o', 'a'], cwd=tmp_path, check=True)
    subprocess.run(['./a'], cwd=tmp_path, check=True)
    # of six lines five were run, and none of what no program has in it
    code, said = cov(tmp_path, '# folder, percent\nbase 83\ncore 0\n')
    assert code == 0, said
    assert [line.split()[:5] for line in said.splitlines() if line.startswith('base')] == [['base', '6', '5', '83.3', '83']]
    assert [line.split()[:5] for line in said.splitlines() if line.startswith('core')] == [['core', '6', '0', '0.0', '0']]
    code, said = cov(tmp_path, 'base 84\ncore 0\n')
    assert code == 1 and 'below its floor' in said and 'src/base/a.c: 5 of 6 lines' in said
    code, said = cov(tmp_path, 'base 83\n')
    assert code == 1 and 'src/core/a.c: 0 of 6 lines' in said  # one without a floor is told, too
    code, said = cov(tmp_path, 'base 83\ncore 0\ncli 0\ndisk 5\n')
    assert code == 1 and 'disk         is not there' in said and 'cli' not in said  # nor may its tests vanish
    shutil.rmtree(tmp_path / 'build')
