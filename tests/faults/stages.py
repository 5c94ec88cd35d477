"""A small day, stage by stage. Each stage acts while something fails and only writes down what was answered; what must hold is asked later."""
import csv
import hashlib
import json
import os
import shutil
import signal

from world import BOT, DAY, RULES, Failure, Person, World

SHOPPERS = ['p%d' % i for i in range(24)]       # imported: enough for a group that may be told
OLD = ['old%d' % i for i in range(6)]           # whose only day is over with one of the next two midnights


def prepare(days=8):
    """The store that every run begins with: six browsers, 30 imported visitors, about ten days, of which the first two are over soon."""
    w = World()
    if not w.start(shim=False):
        raise Failure('no store can be made: ' + w.last_words())
    for i in range(6):
        b = w.people['b%d' % i] = Person('b%d' % i)
        for _ in range(2):
            if w.hit(b) != 200:
                raise Failure('a hit is refused')
        w.post(b, 2)
    for name in SHOPPERS + OLD:
        w.people[name] = Person(name, imported=True)
    lines = [(w.people[n], ago) for n in SHOPPERS for ago in (0, 1 + int(n[1:]) % days)] + [(w.people[n], 88 + int(n[3:]) % 2) for n in OLD]
    if w.import_slice(lines) != 200 or not w.advance('0d'):
        raise Failure('the import is refused')
    bot = Person('bot')
    for _ in range(4):
        w.request(bot, 'GET', '/p.gif?u=https%3A%2F%2Fshop.example%2Fshoes%2F1', agent=BOT)
    w.js('export', '--to', 'lake')
    w.http('POST', '/v1/compact', admin=True, timeout=30)
    for p in w.people.values():
        p.key = w.js('visitor', 'show', *p.who())['visitor'] if p.imported else None
    w.stop()
    w.day_keys = w.read_day_keys()
    for p in [p for p in w.people.values() if not p.imported]:
        for line in w.cli('db', 'journal').stdout.splitlines():
            if any('shop.example' + e[0] + ' ' in line for e in p.events):
                p.key = line.split()[2]
                break
    return w


class Stage:
    name = cli = store = None
    server = True               # a crumbd runs

    def before(self, w):
        """What has to be there, undisturbed."""

    def act(self, w):
        """While it fails."""

    def again(self, w):
        """When it does not fail any more, without a restart: what could not be done is done now."""

    def after(self, w):
        """Beside a fresh server that nothing disturbs."""


class Start(Stage):
    name, server = 'start', False

    def act(self, w):
        w.start()
        if w.process:
            w.hit(w.people['b0'])
            w.look_up(w.people['b0'])


class Hits(Stage):
    name = 'hits'

    def act(self, w):
        new = w.people.setdefault('new', Person('new'))
        for i in range(3):
            w.hit(w.people['b%d' % i])
        w.hit(new)
        w.post(w.people['b3'], 5)
        w.hit(new)
        w.post(w.people['b4'], 12)
        w.hit(w.people['b5'])

    def again(self, w):
        for i in range(6):
            w.hit(w.people['b%d' % i])


class Fold(Stage):
    name = 'fold'

    def act(self, w):
        for i in range(6):
            w.hit(w.people['b%d' % i])
            got = w.look_up(w.people['b%d' % i], timeout=3)
            if got is not None and 'coats-ever' not in got:
                raise Failure('a look-up was answered without what is known: %s' % got)


class Reload(Stage):
    name = 'reload'

    def act(self, w):
        more = RULES.replace('segments:\n', '  - {id: windy, any: [{title: wind}]}\nsegments:\n')      # known from now on only
        w.write_rules(more + '  - {id: late, when: coats >= 2, destinations: [page]}\n  - {id: blown, when: windy, destinations: [file]}\n')
        w.process.send_signal(signal.SIGHUP)
        w.http('POST', '/v1/settle', admin=True, timeout=3)
        w.hit(w.people['b1'])

    def again(self, w):
        w.process.send_signal(signal.SIGHUP)
        w.await_('the new rules serve', lambda: 'late' in (w.look_up(w.people['b1']) or ()))

    def after(self, w):
        w.await_('the new rules serve after a restart', lambda: 'late' in (w.look_up(w.people['b2']) or ()))


class Quarantine(Stage):
    """Forty events of a crawler's are set aside and released: counted once each."""
    name = 'quarantine'

    def before(self, w):
        bot = w.people['aside'] = Person('aside')
        w.request(bot, 'GET', '/p.gif?u=https%3A%2F%2Fshop.example%2Fhome', agent=BOT)
        for _ in range(4):
            w.request(bot, 'POST', '/e', json.dumps([{'u': 'https://shop.example/coats/aside'}] * 10), {'Content-Type': 'application/json'}, agent=BOT)
        del w.people['aside']
        w.bot, w.released = bot, 0

    def release(self, w):
        status, _, data = w.http('POST', '/v1/quarantine/release', 'crawler', admin=True, timeout=5)
        w.release_answer = status

    def act(self, w):
        self.release(w)

    def again(self, w):
        w.await_('what was set aside is released', lambda: self.release(w) or w.release_answer in (200, 404))
        w.http('POST', '/v1/settle', admin=True)

    def after(self, w):
        self.release(w)
        self.release(w)
        w.http('POST', '/v1/settle', admin=True)
        shown = w.js('visitor', 'show', '--cookie', w.bot.jar['crumb'])
        counted = {c['id']: c['count'] for c in shown['categories']}.get('coats')
        if counted != 40:
            raise Failure('40 events were released and %s are counted' % counted)


class Release(Stage):
    """So much is released that it takes several commits; killed in between, and released again: still once each."""
    name, many = 'release', 110000

    def before(self, w):
        now, line = w.now(), '{"id":"%s","t":%d,"u":"https://shop.example/coats/aside","ua":"%s"}\n'
        text = ''.join(line % ('q%d' % (i % 500), now - i % 3 * DAY, BOT) for i in range(self.many))
        status, _, data = w.http('POST', '/v1/import?format=ndjson', text, admin=True, timeout=60)
        if status != 200 or json.loads(data)['set_aside'] != self.many:
            raise Failure('nothing is set aside: %s' % data[:200])

    def release(self, w):
        status, _, data = w.http('POST', '/v1/quarantine/release', 'crawler', admin=True, timeout=60)
        return status

    def act(self, w):
        self.release(w)

    def again(self, w):
        w.await_('what was set aside is released', lambda: self.release(w) in (200, 404))

    def after(self, w):
        self.again(w)
        self.again(w)
        w.await_('everything is folded', lambda: w.advance('0d'))
        for i in range(0, 500, 100):
            r = w.js('visitor', 'show', '--id', 'q%d' % i)
            counted = {c['id']: c['count'] for c in r['categories']}.get('coats')
            if counted != self.many // 500:
                raise Failure('%d events of q%d were released and %s are counted' % (self.many // 500, i, counted))


class Train(Stage):
    """A lookalike: a training that was answered is there after any end, and whatever happens, the rules serve."""
    name, many = 'train', 600

    def before(self, w):
        topics = ''.join('  - {id: topic%d, any: [{path: "/topic%d/*"}]}\n' % (i, i) for i in range(6))
        w.write_rules(RULES.replace('segments:\n', topics + 'segments:\n  - {id: walkers, when: shoes}\n')
                      + 'lookalikes:\n  - {id: like-walkers, seed: walkers, reach: 20%, refresh: by hand}\n')
        w.process.send_signal(signal.SIGHUP)
        now, lines = w.now(), []
        for i in range(self.many):                  # who reads of 0 and 1 walks more often
            for page in {'topic%d' % (i % 6), 'topic%d' % (i * 7 % 11 % 6)} | ({'shoes'} if i % (3 if i % 6 < 2 else 23) == 0 else set()):
                lines.append('{"id":"like%d","t":%d,"u":"https://shop.example/%s/1"}\n' % (i, now, page))
        if w.http('POST', '/v1/import?format=ndjson', ''.join(lines), admin=True, timeout=60)[0] != 200:
            raise Failure('the import is refused')
        w.await_('the new rules serve', lambda: w.advance('0d') and 'like-walkers' in {s['id'] for s in w.js('segments', 'list')})

    def train(self, w, timeout=30):
        return w.http('POST', '/v1/lookalikes/train', 'like-walkers', admin=True, timeout=timeout)[0]

    def act(self, w):
        w.trained = self.train(w, timeout=10) == 200

    def again(self, w):
        w.trained = w.trained or w.await_('a training succeeds', lambda: self.train(w) == 200)

    def after(self, w):
        if not w.trained:
            w.await_('a training succeeds', lambda: self.train(w) == 200)
        w.await_('everything is folded', lambda: w.advance('0d'))
        size = {s['id']: s['size'] for s in w.js('segments', 'list')}['like-walkers']
        if not size:
            raise Failure('a lookalike was trained and has no members')


class Import(Stage):
    """A slice over several days: all of it is in or nothing; what was refused comes again."""
    name = 'import'

    def lines(self, w):
        return [(w.people[n], ago) for n in SHOPPERS[:8] for ago in (2, 4, 11)]

    def act(self, w):
        w.imported = w.import_slice(self.lines(w), timeout=6)

    def again(self, w):
        if w.imported not in (0, 200):
            w.await_('the slice is imported', lambda: w.import_slice(self.lines(w)) == 200)


class Erase(Stage):
    name = 'erase'

    def act(self, w):
        b, p, q = w.people['b1'], w.people['p1'], w.people['p2']
        for who, status in ((b, w.request(b, 'POST', '/me/forget', timeout=4)[0]), (p, w.http('POST', '/v1/visitors/erase?key=' + p.key, admin=True, timeout=4)[0]),
                            (q, w.http('POST', '/v1/visitors/erase?key=' + q.key, admin=True, timeout=4)[0])):
            who.erased = 'yes' if status == 200 else 'maybe'

    def again(self, w):
        b, p = w.people['b1'], w.people['p1']
        w.await_('the visitor is erased', lambda: w.request(b, 'POST', '/me/forget')[0] == 200 or b.erased == 'yes')
        w.await_('the operator erases', lambda: w.http('POST', '/v1/visitors/erase?key=' + p.key, admin=True)[0] in (200, 404))
        b.erased = p.erased = 'yes'


class Night(Stage):
    """Two midnights at once: the oldest days' keys are destroyed, the keeper takes the erased out of the journal and copies the views."""
    name = 'night'

    def before(self, w):
        w.evening = w.today()
        w.people['p3'].erased = 'yes' if w.http('POST', '/v1/visitors/erase?key=' + w.people['p3'].key, admin=True)[0] == 200 else 'maybe'

    def act(self, w):
        w.advance('2d', timeout=4)
        w.hit(w.people['b0'])
        w.http('POST', '/v1/compact', admin=True, timeout=3)

    def again(self, w):
        now = w.await_('the clock moves', lambda: w.advance('1h'))         # writes down what it was set to before, too
        if now // DAY == w.evening:
            w.await_('the clock moves', lambda: w.advance('2d'))
        w.await_('the keys of days that are over are destroyed', lambda: w.advance('0d') and not w.keys_of_expired_days())
        w.await_('the night is done', lambda: w.http('POST', '/v1/compact', admin=True, timeout=20)[0] == 200)
        w.hit(w.people['b0'])

    def after(self, w):
        if w.today() == w.evening:
            w.await_('the clock moves', lambda: w.advance('2d'))
        w.await_('the keys of days that are over are destroyed', lambda: not w.keys_of_expired_days())
        w.await_('the night is done', lambda: w.http('POST', '/v1/compact', admin=True, timeout=20)[0] == 200)


class Backup(Stage):
    """What was told to be a backup brings everything back."""
    name = 'backup'

    def before(self, w):
        w.backup = os.path.join(w.root, 'backup')

    def act(self, w):
        w.backed = w.http('POST', '/v1/backup', w.backup, admin=True, timeout=6)[0] == 200

    def again(self, w):
        def tried():
            shutil.rmtree(w.backup, ignore_errors=True)
            return w.http('POST', '/v1/backup', w.backup, admin=True, timeout=20)[0] == 200
        w.backed = w.backed or w.await_('a backup is made', tried)

    def after(self, w):
        if w.backed:
            check_backup(w, restore(w))


def make_restored(w):
    """Another folder that has the keys."""
    folder = os.path.join(w.root, 'restored')
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(os.path.join(folder, 'store'), mode=0o700)
    for name in ('keys', 'erased', 'format', 'clock', 'id'):
        if os.path.exists(os.path.join(w.store, name)):
            shutil.copy(os.path.join(w.store, name), os.path.join(folder, 'store', name))
    return folder


def restore(w, fault=False, made=None):
    """Into that folder; its store, or None when the command said no."""
    folder = made or make_restored(w)
    r = w.cli('db', 'restore', w.backup, fault=fault, store=os.path.join(folder, 'store'), root=folder)
    return os.path.join(folder, 'store') if r.returncode == 0 else None


def check_backup(w, store):
    if not store:
        raise Failure('a backup that was told to be whole cannot be restored')
    text = w.cli('db', 'journal', store=store).stdout
    for p in w.people.values():
        for path, day, state in p.events:
            if p.erased == 'no' and state == 'yes' and day > w.today() - 90 and day != w.today() and 'shop.example%s ' % path not in text:
                raise Failure('%s%s of day %d is not in the backup' % (p.name, path, day))


class Stop(Stage):
    name = 'stop'

    def act(self, w):
        for i in range(4):
            w.hit(w.people['b%d' % i])
        try:
            w.stop()
        finally:
            w.stopped = True


# --- commands: the fault is in theirs

class Deliver(Stage):
    name, cli = 'deliver', True

    def before(self, w):
        status = w.import_slice([(w.people[n], 0) for n in SHOPPERS] + [(w.people[n], 1) for n in OLD])
        if status != 200:
            raise Failure('the import is refused')
        w.advance('0d')

    def act(self, w):
        w.cli('export', '--to', 'lake', fault=True)

    def after(self, w):
        got = w.js('export', '--to', 'lake')
        if got.get('state') not in ('delivered', 'nothing_to_say'):
            raise Failure('not delivered: %s' % got)
        out = os.path.join(w.dir, 'want')
        shutil.rmtree(out, ignore_errors=True)
        for segment in ('shoppers',):
            w.cli('export', segment, '--partner', 'lake', '--out', out)
            want = {r['id'] for r in rows(os.path.join(out, segment + '.csv'))}
            have = {who for who, s in held(os.path.join(w.root, 'lake')) if s == segment}
            if want != have:
                raise Failure('the destination holds %d of %s, members are %d, in both %d' % (len(have), segment, len(want), len(want & have)))


class Export(Stage):
    name, cli = 'export', True

    def act(self, w):
        out = os.path.join(w.root, 'out')
        r = w.cli('export', 'coats-ever', '--out', out, fault=True)
        if r.returncode == 0:
            n = len(rows(os.path.join(out, 'coats-ever.csv')))
            if n < len(SHOPPERS):
                raise Failure('exported, it said, but %d rows are there' % n)
        elif os.path.exists(os.path.join(out, 'coats-ever.csv')):
            rows(os.path.join(out, 'coats-ever.csv'))

    def after(self, w):
        w.js('export', 'coats-ever', '--out', os.path.join(w.root, 'out'))


def rows(path):
    with open(path, newline='') as f:
        return list(csv.DictReader(f))


def held(folder):
    """All files of a folder in the order of their names' times, as a partner would keep them."""
    kept = {}
    for manifest in sorted((f for f in os.listdir(folder) if f.endswith('.manifest.json')), key=lambda f: int(f.split('.')[0].rsplit('-', 1)[1])):
        with open(os.path.join(folder, manifest)) as f:
            m = json.load(f)
        for f in m['files']:
            with open(os.path.join(folder, f['name']), 'rb') as file:
                data = file.read()
            if (len(data), hashlib.sha256(data).hexdigest()) != (f['bytes'], f['sha256']):
                raise Failure('%s is not what its manifest says' % f['name'])
            for r in rows(os.path.join(folder, f['name'])):
                if r['action'] == 'add':
                    kept[r['id'], r['segment']] = True
                else:
                    kept.pop((r['id'], r['segment']), None)
    return kept


class Alone(Stage):
    """A command that works without a server."""
    cli, server = True, False


class CompactAlone(Alone):
    name = 'compact-alone'

    def before(self, w):
        with open(os.path.join(w.store, 'clock'), 'w') as f:
            f.write('%d\n' % (2 * DAY))

    def act(self, w):
        w.cli('db', 'compact', fault=True)

    def after(self, w):
        w.await_('the keys of days that are over are destroyed', lambda: w.advance('0d') and not w.keys_of_expired_days())


class ImportAlone(Alone):
    name = 'import-alone'

    def act(self, w):
        path, noted, now = os.path.join(w.dir, 'lines'), [], w.now()
        with open(path, 'w') as f:
            for n in SHOPPERS[:8]:
                for ago in (2, 4, 11):
                    where = w.path()
                    f.write(json.dumps({'id': n, 't': now - ago * DAY, 'u': 'https://shop.example' + where}) + '\n')
                    noted.append((w.people[n], where, (now - ago * DAY) // DAY))
        r = w.cli('import', path, '--format', 'ndjson', '--json', fault=True)
        for p, where, day in noted:
            p.note(where, day, 'yes' if r.returncode == 0 else 'maybe')


class BackupAlone(Alone):
    name = 'backup-alone'

    def act(self, w):
        w.backup = os.path.join(w.root, 'backup')
        w.backed = w.cli('db', 'backup', w.backup, fault=True).returncode == 0

    after = Backup.after


class Restore(Alone):
    name = 'restore'

    def before(self, w):
        w.backup = os.path.join(w.root, 'backup')
        if w.cli('db', 'backup', w.backup).returncode:
            raise Failure('no backup')
        w.made = make_restored(w)

    def act(self, w):
        w.restored = restore(w, fault=True, made=w.made)

    def after(self, w):
        check_backup(w, w.restored or restore(w))


STAGES = {s.name: s for s in (c() for c in (Start, Hits, Fold, Reload, Quarantine, Release, Train, Import, Erase, Night, Backup, Stop, Deliver, Export, CompactAlone, ImportAlone, BackupAlone, Restore))}
