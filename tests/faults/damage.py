"""Bytes that are not what was written: flipped, cut, zeroed, overwritten, gone, or another store's. The same questions, and one more: what is lost
is told. Undamaged days stay, and nothing is taken away that was not over."""
import os
import random
import re
import shutil

from world import Failure

HOW = ['flip', 'flip', 'page', 'zero', 'cut', 'cut', 'empty', 'gone', 'foreign', 'foreign', 'link']
WHAT = ['keys', 'wal', 'journal', 'journal', 'journal-all', 'journal-day', 'state', 'state', 'state-all', 'erased', 'format', 'small', 'exports']


def files(w, what):
    """The files of a store that a word stands for."""
    found = []
    for folder, _, names in os.walk(w.store):
        for name in names:
            path = os.path.relpath(os.path.join(folder, name), w.store)
            found.append(path)
    small = {'state/CURRENT', 'clock', 'kept', 'admin', 'lock'}
    kind = {'journal': lambda p: p.startswith('journal/') and p.endswith('data.mdb'), 'state': lambda p: p.startswith('state/') and p.endswith('data.mdb'),
            'small': lambda p: p in small or p.endswith('lock.mdb'), 'exports': lambda p: p.startswith(('exports/', 'models/'))}
    if what == 'journal-day':               # a whole day's folder
        return sorted({os.path.dirname(p) for p in found if p.startswith('journal/')})
    what = what.replace('-all', '')
    return sorted(p for p in found if (kind[what](p) if what in kind else p == what))


def spoil(path, how, rng, foreign):
    """Does it to one file; what was done, in words."""
    size = os.path.getsize(path)
    if os.path.isdir(path):
        shutil.rmtree(path)
        return 'gone'
    if how == 'gone':
        os.unlink(path)
    elif how == 'link':
        os.unlink(path)
        os.symlink('/nowhere/at/all', path)
    elif how == 'empty':
        os.truncate(path, 0)
    elif how == 'cut':
        at = rng.choice([rng.randrange(size) if size else 0, size // 2 // 512 * 512, max(0, size - 4096)])
        os.truncate(path, at)
        return 'cut to %d of %d bytes' % (at, size)
    elif how == 'foreign':
        if not os.path.exists(foreign):
            return spoil(path, 'page', rng, foreign)
        shutil.copyfile(foreign, path)
    elif size:
        unit = 1 if how == 'flip' else min(4096, size)
        at = rng.randrange(size) // unit * unit
        with open(path, 'r+b') as f:
            f.seek(at)
            old = f.read(unit)
            f.seek(at)
            f.write(bytes([old[0] ^ 1 << rng.randrange(8)]) if how == 'flip' else b'\0' * len(old) if how == 'zero' else rng.randbytes(len(old)))
        return '%s at %d of %d bytes' % (how, at, size)
    return how


def told(w):
    """Warnings and errors, and what verify names."""
    lines = [l for l in w.said().splitlines() if re.search(r'\b(warn|error)\b', l) and 'running as root' not in l]
    return lines


def journal_days(w):
    """Everything below the store whose name has a day in it: a day that cannot be read may be set aside, not taken away."""
    days = set()
    for folder, names, _ in os.walk(w.store):
        for name in names:
            m = re.search(r'\d{4}-\d\d-\d\d', name)
            if m and 'exports' not in folder:
                days.add(m.group())
    return days


def missing(w, text):
    """Retained events that were answered and are not in the journal."""
    return [(p.name, path) for p in w.people.values() if p.erased == 'no' for path, day, state in p.events
            if state == 'yes' and day > w.today() - 90 and 'shop.example%s ' % path not in text]


def run_damage(w, other, what, how, seed, check_rest, shown):
    rng = random.Random(seed)
    if what == 'wal':                       # something that is only there: the server was killed a moment after it had answered
        w.start(shim=False)
        for i in range(6):
            w.hit(w.people['b%d' % (i % 3)])
        w.kill()
    if what == 'erased':
        w.start(shim=False)
        if w.http('POST', '/v1/visitors/erase?key=' + w.people['p1'].key, admin=True)[0] != 200:
            raise Failure('an erasure is refused')
        w.people['p1'].erased = 'yes'
        w.stop()
    before, kept = journal_days(w), os.path.join(w.dir, 'before')
    shutil.copytree(w.store, kept, symlinks=True, ignore=shutil.ignore_patterns('takeover'))
    there = files(w, what)
    if not there:
        return
    spoiled = there if what.endswith('-all') else [rng.choice(there)]
    w.damaged = ['%s: %s' % (p, spoil(os.path.join(w.store, p), how, rng, os.path.join(other.store, p))) for p in spoiled]
    log = os.path.join(w.store, 'wal')
    blank = what == 'wal' and os.path.isfile(log) and os.path.getsize(log) == 4 << 20 and not open(log, 'rb').read().strip(b'\0')
    verified = w.cli('db', 'verify')        # before anybody mends anything: it may say what it likes, but not crash
    if not w.start():
        lost = before - journal_days(w)
        if lost and what != 'journal-day':
            raise Failure('it does not start, and the journal of %s is gone: %s' % (sorted(lost), w.last_words()))
        for name in os.listdir(w.store):    # the whole store as it was
            path = os.path.join(w.store, name)
            shutil.rmtree(path) if os.path.isdir(path) and not os.path.islink(path) else os.unlink(path)
        shutil.copytree(kept, w.store, symlinks=True, dirs_exist_ok=True)
        if not w.start(shim=False):
            raise Failure('put back, it does not start: ' + w.last_words())
        check_rest(w)
        return
    b = w.people['b0']
    w.await_('a hit is taken', lambda: w.hit(b) == 200)
    w.await_('a look-up is answered', lambda: w.look_up(b, timeout=20) is not None)
    settled = bool(w.advance('0d'))
    counted = {p.name: shown(w, p) for p in w.people.values() if p.name in ('b0', 'b1', 'p1', 'p2', 'p3')}
    words = told(w)
    lost = before - journal_days(w) - ({re.search(r'\d{4}-\d\d-\d\d', spoiled[0]).group()} if what == 'journal-day' else set())
    if lost:
        raise Failure('the journal of %s is gone; told: %s' % (sorted(lost), words[-2:]))
    w.stop()
    journal = w.cli('db', 'journal')
    verify = w.cli('db', 'verify', '--replay')
    clean = verified.returncode == 0 and (verify.returncode == 0 or what.startswith('journal'))     # the journal's damage is named without a second set of views
    gone = missing(w, journal.stdout)
    if gone and clean and not words and not blank:      # a blank log is as the night leaves it: nobody can know that there was something
        raise Failure('%d answered events are gone and nobody says so' % len(gone))
    if not settled and clean and not words:
        raise Failure('not everything can be folded, and nobody says so')
    for p in (w.people[n] for n in counted):
        least = sum(e[2] == 'yes' and e[1] > w.today() - 90 and (p.name, e[0]) not in gone for e in p.events)
        if p.erased == 'yes' and counted[p.name] and not words:
            raise Failure('%s was erased, is shown again, and nobody says that the list of the erased is damaged' % p.name)
        if p.erased == 'no' and counted[p.name] < least and clean and not words:
            raise Failure('%s: the journal has %d events, the views count %d, and nobody says so' % (p.name, least, counted[p.name]))
        if p.erased == 'no' and counted[p.name] > sum(e[1] > w.today() - 90 for e in p.events):
            raise Failure('%s: %d events counted, %d happened' % (p.name, counted[p.name], len(p.events)))
    if what == 'erased' and how in ('gone', 'empty', 'link', 'cut') and clean and not words:
        raise Failure('the list of the erased was lost, and nobody says so')
    if what in ('state', 'state-all', 'small') and gone:
        raise Failure('views were damaged, and %d events left the journal' % len(gone))
    if what == 'state-all' and verify.returncode:
        raise Failure('views were damaged and not made again: ' + (verify.stdout + verify.stderr)[-300:])
