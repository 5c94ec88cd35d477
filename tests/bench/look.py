"""The benchmark of lookalikes."""
import os
import random
import subprocess
import time

from peers import folder, heading, new_server, row

VISITORS, CATS, TARGETS = 120000, 300, 4


def rules():
    text = 'version: 1\ncategories:\n' + ''.join('  - {id: c%03d, any: [{path: /c%03d}]}\n' % (i, i) for i in range(CATS))
    text += ''.join('  - {id: %s%d, any: [{event: %s%d}]}\n' % (k, t, k, t) for t in range(TARGETS) for k in ('act', 'hid'))
    text += 'segments:\n' + ''.join('  - {id: seed%d, when: act%d}\n  - {id: hidden%d, when: hid%d}\n' % (t, t, t, t) for t in range(TARGETS)) + 'lookalikes:\n'
    marks = ', '.join('%s%d' % (k, t) for t in range(TARGETS) for k in ('act', 'hid'))
    return text + ''.join('  - {id: like%d, seed: seed%d, reach: 10%%, exclude: {categories: [%s]}, refresh: by hand}\n' % (t, t, marks) for t in range(TARGETS))


def events(now):
    """Everybody sees a few of the categories, some often; one in ten also follows a taste, and half of those do what makes a seed."""
    rng = random.Random(7)
    tastes = [rng.sample(range(CATS), 8) for _ in range(TARGETS)]
    cum, total = [], 0
    for i in range(CATS):
        total += 1 / (i + 1) ** 0.7
        cum.append(total)
    for i in range(VISITORS):
        seen, target = rng.choices(range(CATS), cum_weights=cum, k=min(60, 1 + int(rng.expovariate(0.1)))), rng.randrange(TARGETS)
        if rng.random() < 0.1:
            seen += rng.choices(tastes[target], k=rng.randint(1, 3))
            yield '{"id":"v%d","t":%d,"e":"%s%d"}\n' % (i, now, rng.choice(['act', 'hid']), target)
        for c in seen:
            yield '{"id":"v%d","t":%d,"u":"https://x.example/c%03d"}\n' % (i, now - rng.randrange(60) * 86400, c)


def lookalike():
    """Training, scoring and serving a lookalike, beside scikit-learn's logistic regression (L2, C = 1, balanced), which gets the matrix ready made. Ranked is
    everybody but the seeds; true is the half of their kind that neither has seen."""
    server, where = new_server(rules(), test_clock=False), folder()
    path = os.path.join(where, 'events.ndjson')
    with open(path, 'w') as f:
        f.writelines(events(int(time.time())))
    server.cli('import', path, '--format', 'ndjson')
    ours, peer, quality = [], [], []
    for t in range(TARGETS):
        began = time.monotonic()
        server.js('lookalike', 'train', 'like%d' % t)
        ours.append(time.monotonic() - began)
        for command in (('lookalike', 'scores', 'like%d' % t), ('lookalike', 'seed', 'like%d' % t, '--format', 'libsvm'), ('export', 'hidden%d' % t)):
            server.cli(*command, '--out', where)
        out = subprocess.run(['/usr/bin/python3', os.path.join(os.path.dirname(os.path.abspath(__file__)), 'learn.py'), where, str(t)], capture_output=True, text=True, check=True).stdout
        seconds, *rest = map(float, out.split())
        peer.append(seconds)
        quality.append(rest)
    heading('crumb', 'scikit-learn')
    return [row('train, score and serve, %d visitors, %d categories' % (VISITORS, CATS), ours, peer, 's'),
            row('area under the curve, unseen half', [q[0] for q in quality], [q[1] for q in quality]),
            row('lift at 10 % reach', [q[2] for q in quality], [q[3] for q in quality])]
