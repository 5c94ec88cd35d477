"""What partners hold is exactly the membership, for every format and over a hundred days: random behaviour, moves of the clock, erasures, people who come
again, rule changes, kills, partners that answer wrongly, partly or not at all, and are away for weeks. In the end everybody has left, and every
partner is empty. CRUMB_SEEDS=20 tries more."""
import os
import random
import signal
import subprocess
import sys
import time

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'functional'))
from harness import BUILD, DAY, Browser, Server  # noqa: E402
from partner import (Aam, Csv, Folder, Google, LiveRamp, Ndjson, Ortb, Partner, SegmentEvents, Ttd, XandrAvro, XandrText, export_to, read_rows, replay)  # noqa: E402
from test_deliver import DESTINATIONS, RULES  # noqa: E402
from test_rules import reload  # noqa: E402

SEGMENTS = {'lake': ['intenders', 'coats-7d', 'shoppers'], 'desk': ['intenders', 'coats-7d']}


def members(server, destination):
    want = set()
    for segment in SEGMENTS[destination]:
        out = os.path.join(server.dir, 'want-%d' % random.randrange(10 ** 12))
        if server.cli('export', segment, '--partner', destination, '--out', out, ok=(0, 1)).returncode == 0:
            want |= {(row['id'], segment) for row in read_rows(os.path.join(out, segment + '.csv'))}
    return want


def settle(server, partner):
    partner.moods = []
    for to in 'lake', 'desk':
        r = export_to(server, to)
        assert r.get('state') in ('delivered', 'nothing_to_say'), r


@pytest.mark.parametrize('seed', range(int(os.environ.get('CRUMB_SEEDS', '8')) // 2))
def test_full_and_deltas_give_the_membership(seed):
    rng = random.Random(1000 + seed)
    server = Server(rules=RULES, options=['fold.pace_ms=1', 'store.shards=%d' % rng.choice([1, 4])])
    partner = Partner(server)
    os.environ['CRUMB_TEST_TOKEN'] = 't'
    with open(server.dir + '/secret', 'w') as f:
        f.write('x')
    server.write_destinations(DESTINATIONS.replace('schedule: "daily at 04:30",', '') % {'dir': server.dir, 'url': partner.url})
    server.start()
    server.morning()
    try:
        people = ['p%d' % i for i in range(150)]
        for step in range(18):
            act = rng.choice(['act', 'act', 'act', 'act', 'clock', 'clock', 'erase', 'deliver', 'deliver', 'kill', 'crash', 'mood'])
            now = server.now()
            if act == 'act' or step == 0:
                server.import_lines([{'id': v, 't': now - rng.choice([0, 0, 0, 3, 20, 60]) * 86400, 'e': rng.choice(['view', 'view', 'view', 'purchase']),
                                      'u': 'https://s.example/%s/1' % rng.choice(['coats', 'coats', 'other'])} for v in rng.sample(people, rng.randint(10, 140))])
            elif act == 'clock':
                server.advance('%dd' % rng.choice([1, 2, 5, 8, 31]))
            elif act == 'erase':
                for v in rng.sample(people, 3):
                    server.cli('visitor', 'erase', '--id', v, ok=(0, 1))
                    people.remove(v)
                    people.append(v + 'x')
            elif act == 'deliver':
                server.cli('export', '--to', rng.choice(['lake', 'desk']), *rng.choice([[], [], ['--full'], ['--delta']]), ok=(0, 1))
            elif act == 'kill':
                p = subprocess.Popen([os.path.join(BUILD, 'crumb')] + server.common() + ['export', '--to', rng.choice(['lake', 'desk'])],
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                time.sleep(rng.random() * 0.08)
                p.kill()
                p.wait()
                partner.quiet()
            elif act == 'crash':
                server.restart(signal.SIGKILL)
            else:
                partner.moods = [rng.choice(['ok', 'refuse', 500, 429, 'garbage', 'cut', 403]) for _ in range(rng.randint(1, 6))]
        settle(server, partner)
        for _ in range(3):                          # what waits, what was refused (asked again after a week), what is new
            server.advance('8d')
            server.import_lines([{'id': v, 't': server.now(), 'u': 'https://s.example/other'} for v in people[:30]])
            settle(server, partner)
        small = {s for s, n in server.sizes().items() if n is None}
        for to, got in ('lake', replay(server.dir + '/lake', server)), ('desk', partner.members()):
            want = members(server, to)
            small |= {s for s in SEGMENTS[to] if sum(k[1] == s for k in want) < 30}    # one that fell below k may be added to again from k + 10 on
            assert {k for k in got if k[1] not in small} == {k for k in want if k[1] not in small}, (to, len(got), len(want))
    finally:
        partner.close()
        server.close()


# --- every format, for a hundred days

FORMATS = {     # name -> (model, rest of its entry in the file; %s is where)
    'csv': (Csv, 'format: csv, compress: gz, deliver: {directory: "%s"}'),
    'ndjson': (Ndjson, 'format: ndjson, rows: 25, deliver: {url: "%s", retries: 3, timeout_s: 5}'),
    'ortb': (Ortb, 'format: ortb-user-data, deliver: {url: "%s", retries: 3, timeout_s: 5}'),
    'xandr': (XandrText, 'format: xandr-text, NUMBERS, deliver: {directory: "%s"}'),
    'xandr-bare': (lambda: XandrText(';,:#~', ('SEG_ID', 'VALUE')), 'format: xandr-text, settings: {separators: ";,:#~", fields: [SEG_ID, VALUE]}, NUMBERS, deliver: {directory: "%s"}'),
    'xandr-avro': (XandrAvro, 'format: xandr-avro, NUMBERS, deliver: {directory: "%s"}'),
    'ttd': (Ttd, 'format: ttd-advertiser, ttl: 30d, rows: 20, settings: {advertiser_id: a}, deliver: {url: "%s", retries: 3, timeout_s: 5}'),
    'ttd-3p': (Ttd, 'format: ttd-thirdparty, settings: {data_provider_id: dp}, deliver: {url: "%s", retries: 3, timeout_s: 5}'),
    'google': (Google, 'format: google-bulk, rows: 30, NUMBERS, deliver: {url: "%s", retries: 3, timeout_s: 5}'),
    'aam': (Aam, 'format: aam, compress: gz, settings: {dpid: "478"}, NUMBERS, deliver: {directory: "%s"}'),
    'liveramp': (LiveRamp, 'format: liveramp, compress: gz, settings: {distribution_id: "1"}, deliver: {directory: "%s"}'),
    'segment': (SegmentEvents, 'format: segment-audience, rows: 40, settings: {space_id: spa}, deliver: {url: "%s", retries: 3, timeout_s: 5}'),
}
NUMBERED = {'xandr', 'xandr-bare', 'xandr-avro', 'google', 'aam'}
NUMBERS = {'intenders': '5848', 'intenders-b': '5848', 'recent': '5849', 'shoppers': '5850'}
KEEP = 90


class Visitor:
    """One cookie of a person, as an oracle keeps it: the days on which something was done, and the day of the latest match with the person's id."""
    def __init__(self, server, born):
        self.browser, self.born, self.synced, self.days = Browser.known(server), born, -1, {'coats': set(), 'buy': set()}

    def within(self, what, today, n):
        return any(today - min(n, KEEP) < d <= today for d in self.days[what])


CONDITIONS = {  # text -> the same for the oracle
    'coats and not buy in 30d': lambda v, t: v.within('coats', t, KEEP) and not v.within('buy', t, 30),
    'coats in 7d': lambda v, t: v.within('coats', t, 7),
    'coats in 3d': lambda v, t: v.within('coats', t, 3),
    'coats or buy': lambda v, t: v.within('coats', t, KEEP) or v.within('buy', t, KEEP),
    'buy': lambda v, t: v.within('buy', t, KEEP),
}
FIRST = [('intenders', 'coats and not buy in 30d', set(FORMATS), ''), ('recent', 'coats in 7d', set(FORMATS), ''), ('shoppers', 'coats or buy', set(FORMATS), '')]


class World:
    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.server = Server(rules='version: 1\n', options=['fold.pace_ms=1', 'store.shards=%d' % self.rng.choice([1, 2])])
        self.partners = {}
        entries = []
        for name, (model, rest) in FORMATS.items():
            if 'url:' in rest:
                self.partners[name] = Partner(self.server, model())
                where = self.partners[name].url
            else:
                where = os.path.join(self.server.dir, 'to-' + name)
                self.partners[name] = Folder(self.server, where, model())
            numbers = 'segments: {%s}' % ', '.join('%s: "%s"' % i for i in NUMBERS.items())
            entries.append('  - {id: %s, partner: acme, %s}\n' % (name, rest.replace('NUMBERS', numbers) % where))
        self.server.write_destinations('version: 1\npartners:\n  - {id: acme}\ndestinations:\n' + ''.join(entries))
        self.segments = FIRST
        self.server.write_rules(self.rules())
        self.server.start()
        self.server.morning()
        self.server.advance('%dh' % (34 - self.server.now() % DAY // 3600))    # ten in the morning: no midnight comes by itself
        self.persons = {}                           # id at the partners -> its visitors
        self.back = {}                              # destination -> day on which it is back
        for i in range(45):
            self.arrive(str(10 ** 17 + i))

    def close(self):
        for p in self.partners.values():
            p.close()
        self.server.close()

    def rules(self):
        return '''version: 1
categories:
  - {id: coats, any: [{path: "/coats/*"}]}
  - {id: buy, any: [{event: purchase}]}
segments:
''' + ''.join('  - {id: %s, when: %s, destinations: [%s]%s}\n' % (s, c, ', '.join(sorted(to)), more) for s, c, to, more in self.segments)

    @property
    def today(self):
        return self.server.now() // DAY

    # --- what happens

    def arrive(self, who):
        v = Visitor(self.server, self.today)
        self.persons.setdefault(who, []).append(v)
        self.sync(who, v)

    def sync(self, who, v):
        assert v.browser.request('GET', '/sync?partner=acme&uid=' + who)[0] == 200
        v.synced = self.today

    def act(self, share):
        lines = []
        for who in self.rng.sample(sorted(self.persons), int(len(self.persons) * share)):
            v = self.persons[who][-1]
            if v.born + 80 < self.today:            # the cookie is about to end: the browser gets an unrelated one
                self.arrive(who)
                v = self.persons[who][-1]
            elif v.synced + 20 < self.today:
                self.sync(who, v)
            what = self.rng.choice(['coats', 'coats', 'coats', 'buy', 'other'])
            if what != 'other':
                v.days[what].add(self.today)
            lines.append({'cookie': v.browser.jar['crumb'], 't': self.server.now(), 'e': 'purchase' if what == 'buy' else 'view', 'u': 'https://s.example/%s/1' % what})
        if lines:
            assert self.server.import_lines(lines)['accepted'] == len(lines)

    def erase(self):
        for who in self.rng.sample(sorted(self.persons), 3):
            for v in self.persons.pop(who):
                if v.born + 85 > self.today:
                    self.server.cli('visitor', 'erase', '--cookie', v.browser.jar['crumb'], ok=(0, 1))
                else:
                    self.persons.setdefault(who, []).append(v)
            if self.rng.random() < .5:
                self.arrive(who)                    # and comes again

    def change_rules(self):
        i = self.rng.randrange(len(FIRST))
        name, condition, to, _ = FIRST[i]
        changed = self.rng.choice([
            (name, self.rng.choice(list(CONDITIONS)), to, ''), (name, condition, to, ', state: paused'), (name, condition, set(self.rng.sample(sorted(to), 5)), ''),
            ('intenders-b' if name == 'intenders' else name, condition, to, ''), None, None])
        self.segments = FIRST[:i] + ([changed] if changed else []) + FIRST[i + 1:]
        before = self.rules()
        if before != open(os.path.join(self.server.rules, 'rules.yaml')).read():
            reload(self.server, before)

    # --- what holds

    def truth(self, to):
        """(id, segment as it is called there) that should be there; names of segments that are too small to be added to."""
        t, want, small = self.today, set(), set()
        for name, condition, destinations, more in self.segments:
            if to not in destinations or more:
                continue
            there = NUMBERS[name] if to in NUMBERED else name
            n = 0
            for who, visitors in self.persons.items():
                ins = [v for v in visitors if v.synced > t - KEEP and CONDITIONS[condition](v, t)]
                n += len(ins)
                if ins:
                    want.add((who, there))
            if n < 30:                                  # one that fell below k is added to again from k + 10 on
                small.add(there)
        return want, small

    def deliver(self, to, *arguments):
        """True: the partner has confirmed all of it."""
        self.partners[to].quiet()
        fine = export_to(self.server, to, *arguments).get('state') in ('delivered', 'nothing_to_say')
        self.partners[to].quiet()
        return fine

    def check(self, to):
        p = self.partners[to]
        got, (want, small), late = p.members(), self.truth(to), self.server.now() - 8 * DAY
        asked = {k for k, t in p.model.refused.items() if t > late}        # refused: asked again after a week
        beyond, missing = got - want - asked, {k for k in want - got - asked if k[1] not in small}
        assert not beyond and not missing, (to, 'still there: %s' % sorted(beyond)[:5], 'not there: %s' % sorted(missing)[:5], len(got), len(want))

    def kill(self, to):
        p = subprocess.Popen([os.path.join(BUILD, 'crumb')] + self.server.common() + ['export', '--to', to], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(self.rng.random() * 0.04)
        p.kill()
        p.wait()

    def deliver_and_check(self, to):
        p = self.partners[to]
        how = self.rng.choice([[], [], [], ['--full'], ['--delta']])
        if self.rng.random() < .1 and not p.down:
            self.kill(to)
        if isinstance(p, Partner) and self.rng.random() < .25:
            p.moods = [self.rng.choice(['ok', 500, 429, 'cut', 403] + ['refuse', 'garbage'] * p.model.names_rows) for _ in range(self.rng.randint(1, 4))]
        fine = self.deliver(to, *how)
        p.moods = []
        if fine and how == ['--full'] and to == 'aam':      # an overwrite cannot say that somebody is in nothing
            fine = self.deliver(to)
        if fine:
            self.check(to)

    def day(self):
        self.server.advance('1d')
        for to in [d for d, day in self.back.items() if day <= self.today]:
            self.partners[to].down = None
            del self.back[to]


@pytest.mark.parametrize('seed', range(int(os.environ.get('CRUMB_SEEDS', '8'))))
def test_every_format_is_told_who_left(seed):
    w = World(2000 + seed)
    rng = w.rng
    try:
        for _ in range(65):
            w.act(rng.choice([.1, .3, .6]))
            luck = rng.random()
            if luck < .06:
                w.erase()
            elif luck < .12:
                w.change_rules()
            elif luck < .14:
                w.server.restart(signal.SIGKILL)
            elif luck < .22:
                to = rng.choice(sorted(FORMATS))
                w.partners[to].down = 503
                w.back[to] = w.today + rng.randint(2, 30)
            for to in rng.sample(sorted(FORMATS), rng.randint(1, 3)):
                w.deliver_and_check(to)
            w.day()
        # nobody comes any more: all leave by time alone
        for _ in range(8):
            for to in rng.sample(sorted(FORMATS), 5):
                w.deliver_and_check(to)
            w.server.advance('%dd' % rng.randint(3, 6))
        for p in w.partners.values():
            p.down, p.moods = None, []
        w.server.advance('60d')
        for to in FORMATS:
            assert w.deliver(to) and w.truth(to)[0] == set()
        w.server.advance('8d')                      # what was refused is asked again
        for to in FORMATS:
            assert w.deliver(to)
            assert w.partners[to].members() == set(), to
    finally:
        w.close()
