#!/usr/bin/env python3
"""make bench [SUBJECT="collect rules …"]: crumb beside its peers, both sides in one run, as ratios. Writes build/bench/SUBJECT.json.

Every peer is started here. Figures of different runs are not to be compared: ratios are."""
import json
import os
import platform
import sys
import time

import dashboard
import data
import hits
import instructions
import look
import report
from peers import OUT

SUBJECTS = {'collect': hits.collect, 'ingest': hits.ingest, 'evaluate': data.evaluate, 'sweep': data.sweep, 'lookup': hits.lookup, 'store': data.store, 'age': hits.age,
            'replay': data.replay, 'rules': data.rules, 'backfill': data.backfill, 'lookalike': look.lookalike, 'report': report.report, 'dashboard': dashboard.dashboard,
            'instructions': instructions.instructions}


def main():
    wanted = [s for a in sys.argv[1:] for s in a.split()] or list(SUBJECTS)
    for name in wanted:
        if name not in SUBJECTS:
            sys.exit('there is no subject %s: %s are known' % (name, ', '.join(SUBJECTS)))
    for name in wanted:
        start = time.monotonic()
        print('\n%s: %s' % (name, ' '.join(SUBJECTS[name].__doc__.split())), flush=True)
        rows = SUBJECTS[name]()
        os.makedirs(OUT, exist_ok=True)
        with open(os.path.join(OUT, name + '.json'), 'w') as f:
            json.dump({'subject': name, 'rows': rows, 'seconds': round(time.monotonic() - start),
                       'machine': '%s, %d cores, Linux %s' % (platform.machine(), os.cpu_count(), platform.release())}, f, indent=1)


if __name__ == '__main__':
    main()
