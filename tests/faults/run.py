#!/usr/bin/python3
"""Lets a small day go wrong in every way that a kernel can make it: the Nth write, sync, rename, allocation, descriptor or thread fails, once, for
a while or until it is told to stop; writes are short or torn; the program is killed at the Nth call; the power fails there, and what was not synced is lost,
all of it or some (power.h). Then it asks what may never happen: the same after a power cut as after a kill, for a hit, an import, an erasure, a backup is answered when it
is synced, and a key is destroyed when that is.

    CRUMB_FAULT_RUNS=40   how many runs beside those that once failed    CRUMB_FAULT_SEED=1   which
    CRUMB_FAULT_CASE=…    one case, as a failure prints it; CRUMB_FAULT_TIMES=20 as often
    CRUMB_FAULT_JOBS=2    at once                  CRUMB_FAULT_STAGES=night,erase   only these

Without memory the program may end itself by a check that says so (CRUMB_FAULT_STRICT=1: it may not); such ends are listed.

What is asked: nothing answered is lost or doubled; what was refused is not there; nothing that is over is readable; no signal ends it; it serves
or says in a sentence why not; it does not spin; it goes on without a restart when the fault is over. A failure keeps its folder."""
import concurrent.futures
import errno
import json
import os
import random
import re
import shutil
import subprocess
import sys
import time
import traceback
from collections import Counter, defaultdict

import disk
from control import BELOW, POWER, TOGETHER, WRITES
from damage import HOW, WHAT, run_damage
from stages import STAGES, prepare
from world import Ended, Failure, Gone, World

FOREVER = 1 << 40
NEVER = 1 << 40         # the number of a call that does not come
# What once went wrong is tried each time.
ALWAYS = '''
night:pwrite:keys:2:fail:EIO:1 night:full-disk:any:1:fail:ENOSPC:1099511627776 release:fdatasync:journal:2:kill-after:EIO:1 release:descriptors:any:5:fail:EMFILE:5
hits:descriptors:any:1:fail:EMFILE:1099511627776 hits:memory:own:20:fail:ENOMEM:1 hits:memory:library:20:fail:ENOMEM:5 import:create:journal:1:fail:EDQUOT:3 import:create:journal:1:kill-after:EIO:1
import:fdatasync:keys:1:fail:EIO:1 fold:pwrite:state:15:fail:ENOSPC:1 erase:pwrite:journal:4:fail:EDQUOT:1 fold:memory:library:63:fail:ENOMEM:5
compact-alone:rename:exports:1:fail:ENOSPC:1 start:thread:elsewhere:2:fail:EAGAIN:1 damage:keys:gone:1 damage:keys:foreign:1 damage:journal:cut:4 damage:journal:page:44
damage:journal:page:45 damage:journal-day:gone:3 damage:journal:foreign:894539 damage:state:cut:7 damage:wal:gone:3 damage:wal:foreign:516080 damage:erased:gone:9
train:write:other:1099511627776:power:EIO:1 restore:write:other:1099511627776:power:EIO:1 import:write:other:1099511627776:power:EIO:1 erase:write:other:1099511627776:power:EIO:1 stop:write:other:1099511627776:power:EIO:1 night:write:other:1099511627776:power:EIO:1
full:night:0 full:start:0 full:reload:0 full:compact-alone:0 full:backup-alone:16 full:import-alone:40 full:erase:4 read-only'''.split()
SYNCS = {'fsync', 'fdatasync', 'msync', 'sync_file_range', 'foldersync'}


class Case:
    """stage:call:file:N:act:errno:times, as one word."""
    def __init__(self, stage, call, file, n, act, error, times):
        self.stage, self.call, self.file, self.n, self.act, self.error, self.times = stage, call, file, int(n), act, error, int(times)
        self.group = 'power' if act in POWER else stage

    def __str__(self):
        return ':'.join(str(x) for x in (self.stage, self.call, self.file, self.n, self.act, self.error, self.times))

    @property
    def kills(self):
        return self.act in POWER | {'torn', 'kill', 'kill-after'}

    def run(self, w, base, other):
        w.power = self.act in POWER
        whole_run(w, STAGES[self.stage], self)


def shape(rng, call):
    """What becomes of the call: act, error, how often."""
    often = rng.choice([1, 1, 1, 1, 3, FOREVER])
    if call in ('memory', 'mmap'):
        return 'fail', 'ENOMEM', rng.choice([1, 1, 1, 5])
    if call == 'thread':
        return 'fail', 'EAGAIN', often
    if call in ('descriptor', 'descriptors'):
        return 'fail', 'EMFILE', rng.choice([1, 5, FOREVER])
    if call == 'full-disk':
        return 'fail', rng.choice(['ENOSPC', 'EDQUOT']), rng.choice([8, FOREVER, FOREVER])
    if call == 'dead-disk':
        return 'fail', 'EIO', rng.choice([8, FOREVER])
    if call == 'read':
        return rng.choice([('fail', 'EIO', often), ('fail', 'EIO', often), ('short', 'EIO', 1)])
    if call == 'open':
        return rng.choice([('fail', e, often) for e in ('EMFILE', 'EIO', 'EACCES')] + [('kill', 'EIO', 1)])
    errors = ['EIO'] if call in SYNCS | {'unlink'} else ['EIO', 'ENOSPC', 'EDQUOT']
    acts = ['fail', 'fail', 'fail', 'kill', 'kill-after'] + (['short', 'torn', 'torn'] if call in WRITES else [])
    act = rng.choice(acts)
    return act, rng.choice(errors), often if act in ('fail', 'short') else 1


def choose(rng, counts, n):
    """Cases over all stages alike, and within a stage over all calls on all kinds of files alike."""
    decks = {}
    for stage, seen in counts.items():
        deck = [(c, f, k) for (c, f), k in seen.items() if f in BELOW or c in ('memory', 'thread', 'descriptor')]
        deck += [('memory', f, seen['memory', f]) for f in ('own', 'own', 'own', 'library') if ('memory', f) in seen]
        for together, (calls, files) in TOGETHER.items():
            k = sum(seen.get((c, f), 0) for c in calls for f in files)
            deck += [(together, 'any', k)] * 2 if k else []
        decks[stage] = sorted(deck)
    names, cases, left, turn = sorted(decks), [], {}, 0
    while len(cases) < n:
        turn += 1
        for stage in names:
            if stage == 'release' and turn % 4 and len(names) > 1:      # as long as three others
                continue
            if not left.get(stage):
                left[stage] = decks[stage][:]
                rng.shuffle(left[stage])
            call, file, k = left[stage].pop()
            at = rng.randint(1, max(1, k)) if rng.random() < 0.7 else rng.randint(1, max(1, min(k, 4)))
            cases.append(Case(stage, call, file, at, *shape(rng, call)))
    return cases[:n]


def power_cases(rng, counts, n):
    """The power fails before a call that changes or syncs something; every other time when all was answered, or the program has ended. A server and a command on one
    machine would lose both their writes; here only one does."""
    decks = {}
    for stage, seen in counts.items():
        if not (STAGES[stage].cli and STAGES[stage].server):
            decks[stage] = sorted((c, f, k) for (c, f), k in seen.items() if f in BELOW and c in WRITES | SYNCS | {'rename', 'unlink', 'create', 'mkdir', 'ftruncate', 'fallocate'})
    names, cases = sorted(s for s in decks if decks[s]), []
    while names and len(cases) < n:
        stage = names[len(cases) % len(names)]
        call, file, k = rng.choice(decks[stage])
        at = rng.randint(1, k) if len(cases) % 2 else NEVER
        cases.append(Case(stage, call, file, at, rng.choice(sorted(POWER)), 'EIO', 1))
    return cases


class Damage:
    """damage:what:how:seed"""
    kills = False

    def __init__(self, what, how, seed):
        self.what, self.how, self.seed, self.group = what, how, int(seed), 'damage-' + what.replace('-all', '')

    def __str__(self):
        return 'damage:%s:%s:%d' % (self.what, self.how, self.seed)

    def run(self, w, base, other):
        run_damage(w, other, self.what, self.how, self.seed, check_rest, shown)
        w.fired = 1


class Full:
    """full:stage:kilobytes that are left"""
    kills, times = False, FOREVER

    def __init__(self, stage, free):
        self.stage, self.free, self.group = stage, int(free), 'full-disk'

    def __str__(self):
        return 'full:%s:%d' % (self.stage, self.free)

    def run(self, w, base, other):
        disk.mount(w)
        w.ballast = disk.Full(w, self.free)
        try:
            whole_run(w, STAGES[self.stage], self)
        finally:
            w.ballast.disarm()


class ReadOnly:
    kills, group = False, 'read-only'

    def __str__(self):
        return 'read-only'

    def run(self, w, base, other):
        disk.mount(w)
        disk.run_read_only(w, check_rest)


def parse(text):
    kind, *rest = text.split(':')
    return Damage(*rest) if kind == 'damage' else Full(*rest) if kind == 'full' else ReadOnly() if kind == 'read-only' else Case(kind, *rest)


def other_cases(rng, n, mounts):
    """Damage to every kind of file, and real disks that are full."""
    cases = []
    for i in range(n):
        cases.append(Damage(WHAT[i % len(WHAT)], rng.choice(HOW), rng.randrange(10 ** 6)))
    if mounts:
        names = [s for s in STAGES if s != 'stop']
        rng.shuffle(names)
        cases += [Full(names[i % len(names)], rng.choice([0, 0, 4, 8, 16, 40, 100, 300])) for i in range(n // 2)]
    return cases


# --- one run

def spins(w):
    """Work that fails shall be tried again with pauses: little CPU and few words in a moment in which nobody asks for anything."""
    worst = []
    for _ in range(3):
        cpu, words, tried, at = w.cpu(), len(w.said().splitlines()), w.control.fired, time.monotonic()
        while time.monotonic() < at + 0.5:
            time.sleep(0.1)
            if not w.alive():
                return
        took = time.monotonic() - at
        share, lines, tries = (w.cpu() - cpu) / took, (len(w.said().splitlines()) - words) / took, (w.control.fired - tried) / took
        if share < 0.5 and lines < 100 and tries < 500:
            return
        worst.append('%d %% of a core, %d failing calls and %d lines of log a second' % (100 * share, tries, lines))
    raise Failure('it spins while it cannot go on: %s: %s' % (worst[-1], w.last_words()))


def recovers(w):
    b = w.people['b0']
    w.await_('a hit is taken again', lambda: w.hit(b) == 200)
    w.await_('a look-up is answered again', lambda: 'coats-ever' in (w.look_up(b, timeout=20) or ()))
    w.await_('everything is folded again', lambda: w.advance('0d'))


def shown(w, p):
    """How many events the views count; the replay that follows compares everybody, so a few of the many are enough here."""
    if p.imported:
        r = w.cli('visitor', 'show', *p.who(), '--json')
        known = json.loads(r.stdout) if r.returncode == 0 else {}
    else:
        status, data = w.request(p, 'GET', '/me?format=json')
        known = json.loads(data) if status == 200 else {}
    return sum(c['count'] for c in known.get('categories', ()) if c['id'] == 'coats')


def check_views(w):
    for p in w.people.values():
        if (p.imported and p.name not in ('p1', 'p2', 'p3', 'p4', 'old0')) or (not p.imported and 'crumb' not in p.jar):
            continue
        count, today = shown(w, p), w.today()
        retained = [e for e in p.events if e[1] > today - 90]
        least, most = sum(e[2] == 'yes' for e in retained), sum(e[2] != 'no' for e in retained)
        if p.erased == 'yes':
            if count:
                raise Failure('%s was erased, and %d events are shown' % (p.name, count))
        elif p.erased == 'maybe' and count == 0:
            pass
        elif count < least and least > 1:            # somebody seen once is not a visitor yet
            raise Failure('%s: %d events were answered, %d are counted: lost' % (p.name, least, count))
        elif count > most:
            raise Failure('%s: %d events were answered (%d are not known), %d are counted: doubled, not refused after all, or over' % (p.name, least, most - least, count))


def check_journal(w):
    """Each event by its path: exactly once what was answered, never what was refused, nothing of days that are over."""
    r = w.cli('db', 'journal')
    if r.returncode:
        raise Failure('db journal: ' + r.stderr[-300:])
    lines = Counter()
    for line in r.stdout.splitlines():
        part = re.search(r' event (\w+) .*?shop\.example(/\S+) ', line)
        if part:
            lines[part.groups()] += 1
    for p in w.people.values():
        for path, day, state in p.events:
            n = lines[p.key, path]
            if not p.key or (p.erased != 'no' and n < 2):
                continue
            if day <= w.today() - 90:
                if n:
                    raise Failure('%s%s of day %d is over and still in the journal' % (p.name, path, day))
            elif n > 1 or (state == 'yes' and n != 1) or (state == 'no' and n):
                raise Failure('%s%s of day %d: %s, and %d times in the journal' % (p.name, path, day, {'yes': 'answered', 'no': 'refused', 'maybe': 'not known'}[state], n))


def told(w):
    """What lists say, without what differs from run to run."""
    status = w.js('rules', 'status')
    return {'segments': w.js('segments', 'list'), 'categories': w.js('categories', 'list'), 'partial': status['partial'], 'complete': status['complete']}


def check_anew(w):
    """The journal says as much as the views: made again from it, they tell the same."""
    if not getattr(w, 'anew', True):
        return
    before = told(w)
    kept = os.path.join(w.root, 'state.kept')
    os.rename(os.path.join(w.store, 'state'), kept)
    try:
        if not w.start(shim=False):
            raise Failure('the views cannot be made again: ' + w.last_words())
        w.await_('everything is folded', lambda: w.advance('0d'))
        w.stop()
        after = told(w)
    finally:
        w.kill()
        shutil.rmtree(os.path.join(w.store, 'state'), ignore_errors=True)
        os.rename(kept, os.path.join(w.store, 'state'))
    for what in before:
        if before[what] != after[what]:
            raise Failure('views made again from the journal tell other %s: %s, not %s' % (what, after[what], before[what]))


def check_rest(w):
    """Beside a server that nothing disturbs, and when it has stopped."""
    w.await_('everything is folded', lambda: w.advance('0d'))
    check_views(w)
    left = w.keys_of_expired_days()
    if left:
        raise Failure('the keys of days %s are over and still in the keys file' % left)
    w.stop()
    check_journal(w)
    check_anew(w)
    v = w.js('db', 'verify', '--replay') if w.cli('db', 'verify', '--replay').returncode == 0 else None
    if not v or not v['ok']:
        raise Failure('db verify --replay: ' + w.cli('db', 'verify', '--replay').stdout[-500:])


def disturbed(w, stage, case, control):
    if stage.server and not w.start():
        raise Failure('does not start: ' + w.last_words())
    stage.before(w)
    w.may_be_killed = case is not None and case.kills
    before = control.counts()
    if isinstance(case, Full):
        w.ballast.arm()
    elif case:
        control.arm(case.call, case.file, case.n, case.act, getattr(errno, case.error), case.times, blocks=1 + case.n % 7)
    try:
        stage.act(w)
        if w.power and w.alive() and not control.fired and not stage.cli:     # the call did not come: now it is any, behind all that was answered
            control.arm('dead-disk', 'any', 1, case.act, errno.EIO, 1, blocks=1 + case.n % 7)
            w.hit(w.people['b5'])
        if case and case.times == FOREVER and w.alive() and not stage.cli:
            spins(w)
    except Gone:
        pass
    finally:
        w.counts = Counter(control.counts())
        w.counts.subtract(before)
        control.disarm()
        if isinstance(case, Full):
            w.ballast.disarm()
        if w.may_be_killed and control.fired and not stage.cli:
            w.await_end()
        w.fired, w.hit_path = control.fired, control.hit_path
    if w.alive():
        w.may_be_killed = False
        try:
            recovers(w)
            stage.again(w)
            w.stop()
        except Ended:
            pass
    elif w.fired and stage.server and not w.may_be_killed and not getattr(w, 'stopped', False):
        raise Failure('the server has ended')
    w.may_be_killed = False


def whole_run(w, stage, case):
    disturbed(w, stage, case, w.cli_control if stage.cli else w.control)
    if not w.start(shim=False):
        raise Failure('does not start when nothing fails any more: ' + w.last_words())
    stage.after(w)
    check_rest(w)


def run_one(base, other, case):
    """What went wrong, or None; whether the fault was reached; where a check ended the program. A world in which something went wrong is kept."""
    w = World(base)
    w.may_check = isinstance(case, Case) and case.call == 'memory' and not os.environ.get('CRUMB_FAULT_STRICT')
    try:
        try:
            case.run(w, base, other)
        except Gone:
            raise Failure('crumbd ended: ' + w.last_words())
        fired = getattr(w, 'fired', 1) or isinstance(case, Full)
        disk.unmount(w)
        w.close(keep=False)
        return None, fired, w.checked
    except Exception as e:
        why = str(e) if isinstance(e, Failure) else traceback.format_exc()[-1200:]
        cli = isinstance(case, Case) and STAGES[case.stage].cli
        trace = explain(w.cli_control.trace() if cli else w.control.trace())
        crash = explain([l for l in (w.said().splitlines() if os.path.exists(w.log) else []) + why.splitlines() if re.match(r'.*\(\+0x', l)])
        w.kill()
        if getattr(w, 'mounted', False):            # gone with the namespace: what is worth keeping goes beside it
            shutil.copytree(w.root, w.root + '.kept', symlinks=True, ignore=shutil.ignore_patterns('takeover'))
            disk.unmount(w)
        w.close(keep=True)
        return (why, trace, crash, w.dir, ' '.join(getattr(w, 'damaged', [])[:3]) or getattr(w, 'hit_path', '')), 1, w.checked


def explain(frames):
    """Frames of our programs as function and line."""
    out = []
    for frame in frames:
        m = re.match(r'(\S*/crumbd?)\(\+(0x[0-9a-f]+)\)', frame)
        if not m:
            continue
        r = subprocess.run(['addr2line', '-fpse', m.group(1), hex(int(m.group(2), 16) - 1)], capture_output=True, text=True)
        out.append(r.stdout.strip())
    return out[:12]


# --- all of them

def rehearse(base, names):
    """Each stage undisturbed: how often it calls what; and what was said to be done was synced."""
    def one(name):
        stage, w = STAGES[name], World(base)
        try:
            disturbed(w, stage, None, w.cli_control if stage.cli else w.control)
            counts = +w.counts
            if not w.start(shim=False):
                raise Failure('does not start: ' + w.last_words())
            stage.after(w)
            check_rest(w)
            w.close(keep=False)
            wrote = sum(n for (c, f), n in counts.items() if f == 'outside' and c == 'create')
            synced = sum(n for (c, f), n in counts.items() if f == 'outside' and c in ('fsync', 'fdatasync'))
            return name, counts, 'made %d files outside and synced %d times: what it says is done is not on disk yet' % (wrote, synced) if synced < wrote else None
        except Failure as e:
            w.close(keep=True)
            return name, {}, 'undisturbed: %s (%s)' % (e, w.dir)
    with concurrent.futures.ThreadPoolExecutor(jobs()) as pool:
        return list(pool.map(one, names))


def jobs():
    return int(os.environ.get('CRUMB_FAULT_JOBS', 0)) or os.cpu_count()


def report(case, seed, failure):
    why, trace, crash, folder, path = failure
    why = re.sub(r'( /)? ?\S*\(\S*\+0x\w+\) ?\[0x\w+\](\s|$)', ' ', why).strip()
    lines = ['FAILED  %s' % why, '        CRUMB_FAULT_SEED=%d CRUMB_FAULT_CASE=%s make faults' % (seed, case), '        %s is kept' % folder]
    if path:
        lines.append('        failed first: %s' % path.split('/root/')[-1])
    lines += ['          at ' + t for t in trace]
    if crash:
        lines += ['        crashed:'] + ['          at ' + t for t in crash]
    print('\n'.join(lines), flush=True)


def namespace():
    """Mounts of our own, gone with us: in a fresh mount namespace, where we may have one."""
    if os.environ.get('CRUMB_FAULT_NAMESPACE'):
        return os.environ['CRUMB_FAULT_NAMESPACE'] == 'yes'
    wrap = ['unshare', '-m', '--propagation', 'private'] if os.geteuid() == 0 else ['unshare', '-r', '-m', '--propagation', 'private']
    may = shutil.which('unshare') and subprocess.run(wrap + ['sh', '-c', 'mount -t tmpfs x /mnt'], capture_output=True).returncode == 0
    os.environ['CRUMB_FAULT_NAMESPACE'] = 'yes' if may else 'no'
    if may:
        os.execvp('unshare', wrap + [sys.executable, '-B'] + sys.argv)
    return False


def all_cases(rng, base, names, n, mounts, runs, failed):
    counts = {}
    for name, seen, wrong in rehearse(base, names):
        runs[name] += 1
        if seen:
            counts[name] = seen
        if wrong:
            failed[name].append(wrong)
            print('FAILED  %s: %s' % (name, wrong), flush=True)
    cases = choose(rng, counts, n * 3 // 5) + power_cases(rng, counts, n // 4) if counts else []
    if len(names) == len(STAGES):
        cases += other_cases(rng, n * 4 // 15, mounts)
        cases += [c for c in map(parse, ALWAYS) if mounts or isinstance(c, (Case, Damage))]
    return cases


def main():
    mounts = namespace()
    seed, n = int(os.environ.get('CRUMB_FAULT_SEED', '1')), int(os.environ.get('CRUMB_FAULT_RUNS', '40'))
    only = os.environ.get('CRUMB_FAULT_CASE')
    names = [x for x in os.environ.get('CRUMB_FAULT_STAGES', ','.join(STAGES)).split(',')]
    if os.path.isdir('/dev/shm') and 'TMPDIR' not in os.environ:
        os.environ['TMPDIR'] = '/dev/shm'           # syncs cost nothing there
    began, base, other, failed, runs, ended, hit = time.monotonic(), prepare(), prepare(days=2), defaultdict(list), Counter(), Counter(), 0
    try:
        cases = [parse(c) for c in only.split()] * int(os.environ.get('CRUMB_FAULT_TIMES', '1')) if only \
            else all_cases(random.Random(seed), base, names, n, mounts, runs, failed)
        with concurrent.futures.ThreadPoolExecutor(jobs()) as pool:
            slowest_first = sorted(cases, key=lambda c: c.group != 'release')
            for case, (failure, fired, checked) in zip(slowest_first, pool.map(lambda c: run_one(base, other, c), slowest_first)):
                runs[case.group] += 1
                hit += bool(fired)
                ended.update(checked)
                if failure:
                    failed[case.group].append(str(case))
                    report(case, seed, failure)
    finally:
        base.close(keep=False)
        other.close(keep=False)
    for name in runs:
        print('%s %s: %d runs%s' % ('FAILED ' if failed[name] else 'ok     ', name, runs[name], ', %d failed' % len(failed[name]) if failed[name] else ''))
    for where, times in sorted(ended.items()):
        print('        without memory, ended by its own check %d times at %s' % (times, where))
    if not mounts:
        print('        not tried here: full and read-only file systems need root or a user namespace')
    print('%d of %d faults were reached, %d s, seed %d' % (hit, len(cases), time.monotonic() - began, seed))
    bad = sum(1 for name in runs if failed[name])
    print('%d passed, %d failed' % (len(runs) - bad, bad))
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
