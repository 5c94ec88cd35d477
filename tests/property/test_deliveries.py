"""Full and deltas replayed at partners give exactly the membership: random behaviour, moves of the clock, erasures, rule changes, kills, and a
partner that answers slowly, wrongly, partly or not at all. CRUMB_SEEDS=20 tries more."""
import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'functional'))
from harness import BUILD, Server  # noqa: E402
from partner import Partner, read_rows, replay  # noqa: E402
from test_deliver import DESTINATIONS, RULES  # noqa: E402

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
        r = json.loads(server.cli('export', '--to', to, '--json', ok=(0, 1)).stdout)
        assert r['state'] in ('delivered', 'nothing_to_say'), r


@pytest.mark.parametrize('seed', range(int(os.environ.get('CRUMB_SEEDS', '6'))))
def test_full_and_deltas_give_the_membership(seed):
    rng = random.Random(1000 + seed)
    server = Server(rules=RULES, options=['fold.pace_ms=1', 'store.shards=%d' % rng.choice([1, 4])])
    partner = Partner(server)
    os.environ['CRUMB_TEST_TOKEN'] = 't'
    with open(server.dir + '/secret', 'w') as f:
        f.write('x')
    server.write_destinations(DESTINATIONS.replace('schedule: "daily at 04:30",', '') % {'dir': server.dir, 'url': partner.url})
    server.start()
    try:
        people = ['p%d' % i for i in range(150)]
        erased = False
        for step in range(18):
            act = rng.choice(['act', 'act', 'act', 'act', 'clock', 'clock', 'erase', 'deliver', 'deliver', 'kill', 'crash', 'mood'])
            now = server.now()
            if act == 'act' or step == 0:
                server.import_lines([{'id': v, 't': now - rng.choice([0, 0, 0, 3, 20, 60]) * 86400, 'e': rng.choice(['view', 'view', 'view', 'purchase']),
                                      'u': 'https://s.example/%s/1' % rng.choice(['coats', 'coats', 'other'])} for v in rng.sample(people, rng.randint(10, 140))])
            elif act == 'clock':
                days = rng.choice([1, 2, 5, 8, 31])
                if erased and days > 5:             # what is owed for who is erased is given up after a week: let it arrive before
                    settle(server, partner)
                    erased = False
                server.advance('%dd' % days)
            elif act == 'erase':
                erased = True
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
            assert {k for k in got if k[1] not in small} == want, (to, len(got), len(want))
    finally:
        partner.close()
        server.close()
