"""A real disk that is full: a small tmpfs of the run's own, with a ballast that leaves so many kilobytes; and one that cannot be written to.
Pages of maps need room, too, which no failing call shows. Needs a mount namespace: run.py makes one where it may."""
import os
import shutil
import subprocess

from world import Failure

SIZE_MB = 48


def mount(w):
    """Puts the world's root on a file system of its own."""
    kept = w.root + '.copy'
    os.rename(w.root, kept)
    os.mkdir(w.root, 0o700)
    subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=%dm,mode=700' % SIZE_MB, 'crumb-faults', w.root], check=True, capture_output=True)
    w.mounted = True
    shutil.copytree(kept, w.root, symlinks=True, dirs_exist_ok=True, ignore=shutil.ignore_patterns('lock.mdb'))     # made anew, with holes
    shutil.rmtree(kept)


def unmount(w):
    if getattr(w, 'mounted', False):
        subprocess.run(['umount', '-l', w.root], capture_output=True)
        w.mounted = False


class Full:
    """Leaves so many kilobytes."""
    def __init__(self, w, free_kb):
        self.path, self.root, self.free = os.path.join(w.root, 'ballast'), w.root, free_kb * 1024

    def arm(self):
        with open(self.path, 'wb', buffering=0) as f:
            while True:
                v = os.statvfs(self.root)
                n = min(v.f_bavail * v.f_bsize - self.free, 1 << 20)
                if n <= 0:
                    return
                try:
                    f.write(b'\0' * n)
                except OSError:
                    return

    def disarm(self):
        if os.path.exists(self.path):
            os.truncate(self.path, 0)
            os.unlink(self.path)


def run_read_only(w, check_rest):
    """Started on a file system that takes nothing: a sentence, no crash; what only reads works or says why; afterwards all is there."""
    subprocess.run(['mount', '-o', 'remount,ro', w.root], check=True, capture_output=True)
    try:
        if w.start():
            w.hit(w.people['b0'])
            w.look_up(w.people['b0'])
            w.stop()
        for command in (['db', 'stat'], ['segments', 'list'], ['db', 'verify'], ['visitor', 'show', '--id', 'p1'], ['db', 'journal'], ['db', 'compact'], ['export', 'coats-ever', '--out', w.root + '/out']):
            w.cli(*command)
    finally:
        w.kill()
        subprocess.run(['mount', '-o', 'remount,rw', w.root], check=True, capture_output=True)
    if not w.start(shim=False):
        raise Failure('does not start when the disk can be written to again: ' + w.last_words())
    check_rest(w)
