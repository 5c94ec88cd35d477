#!/usr/bin/python3
"""Simulations of months with a node, its clock, its disk and its death in the hand of a seed (tests/sim/sim.c says how).

    SEED=7            this one only            EVENTS=1000000   how many hits (20000)
    SEEDS=20          so many, from 1 on (6)   CRUMB_BUILD=…    the build tree

The first seed runs twice: the same seed must have the same trace. The last line counts."""
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get('CRUMB_BUILD') or os.path.join(ROOT, 'build')
EVENTS = os.environ.get('EVENTS') or '20000'
SHM = '/dev/shm'


def commit():
    r = subprocess.run(['git', '-C', ROOT, 'describe', '--always', '--dirty', '--abbrev=12'], capture_output=True, text=True)
    return r.stdout.strip() or 'unknown'


def simulate(seed, folder):
    """Whether it went well, its trace, and what it said. What a failure left stays in its folder."""
    env = dict(os.environ, SIM_COMMIT=commit(), SIM_FOLDER=folder)
    r = subprocess.run([os.path.join(BUILD, 'test', 'sim'), str(seed), EVENTS], env=env, capture_output=True, text=True, errors='replace')
    trace = re.search(r'trace=([0-9a-f]{16})', r.stdout)
    said = r.stdout.strip() + ('\n' + r.stderr.strip()[-3000:] if r.returncode else '')
    if r.returncode < 0:
        said += '\nFAILED seed=%s commit=%s: ended by signal %d\nagain: make sim SEED=%s EVENTS=%s' % (seed, env['SIM_COMMIT'], -r.returncode, seed, EVENTS)
    return r.returncode == 0 and trace is not None, trace and trace.group(1), said


def main():
    one = os.environ.get('SEED')
    seeds = [one] if one else [str(i + 1) for i in range(int(os.environ.get('SEEDS') or 6))]
    folder = tempfile.mkdtemp(prefix='crumb-sims-', dir=SHM if os.access(SHM, os.W_OK) else None)
    failed, traces = 0, {}
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        runs = [(seed, pool.submit(simulate, seed, folder)) for seed in seeds + seeds[:1]]
        for seed, run in runs:
            fine, trace, said = run.result()
            print(said, flush=True)
            failed += not fine
            if fine and traces.setdefault(seed, trace) != trace:
                print('FAILED seed=%s: another trace, %s and %s' % (seed, traces[seed], trace))
                failed += 1
    if not failed:
        shutil.rmtree(folder)
    print('%d passed, %d failed' % (len(runs) - failed, failed))
    return failed > 0


if __name__ == '__main__':
    sys.exit(main())
