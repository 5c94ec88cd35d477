"""The benchmark of lookalikes."""
import os
import random
import statistics
import subprocess
import time

from peers import ROOT, folder, heading, new_server, row

# Visitors and categories of the four kinds that audiences come in. Of the small ones there are several drawings: one of 300 hidden visitors tells a lift to a tenth.
DRAWINGS = 5
KINDS = {'planted': (120000, 300), 'thin items': (20000, 2000), 'few broad': (40000, 40), 'busy': (30000, 200)}
HERE = os.path.dirname(os.path.abspath(__file__))


def rules(cats, targets):
    text = 'version: 1\ncategories:\n' + ''.join('  - {id: c%03d, any: [{path: /c%03d}]}\n' % (i, i) for i in range(cats))
    text += ''.join('  - {id: %s%d, any: [{event: %s%d}]}\n' % (k, t, k, t) for t in range(targets) for k in ('act', 'hid'))
    text += 'segments:\n' + ''.join('  - {id: seed%d, when: act%d}\n  - {id: hidden%d, when: hid%d}\n' % (t, t, t, t) for t in range(targets)) + 'lookalikes:\n'
    marks = ', '.join('%s%d' % (k, t) for t in range(targets) for k in ('act', 'hid'))
    return text + ''.join('  - {id: like%d, seed: seed%d, reach: 10%%, exclude: {categories: [%s]}, refresh: by hand}\n' % (t, t, marks) for t in range(targets))


def weights(n, slope):
    total, cum = 0, []
    for i in range(n):
        total += 1 / (i + 1) ** slope
        cum.append(total)
    return cum


def planted(rng, visitors, cats):
    """Everybody sees a few of the categories, some often; one in ten also follows one of four tastes, and half of those do what makes a seed."""
    tastes, cum = [rng.sample(range(cats), 8) for _ in range(4)], weights(cats, 0.7)
    for _ in range(visitors):
        seen, target = rng.choices(range(cats), cum_weights=cum, k=min(60, 1 + int(rng.expovariate(0.1)))), rng.randrange(4)
        of_kind = rng.random() < 0.1
        yield seen + (rng.choices(tastes[target], k=rng.randint(1, 3)) if of_kind else []), target if of_kind else None


def topics(rng, visitors, cats, n, mean, draw):
    """Visitors are of one or two topics, each with favourites among the categories; `draw` says from topics and activity who is of the kind."""
    base = weights(cats, 0.6)
    favourites = [[rng.gammavariate(0.25, 1) * (base[i] - (base[i - 1] if i else 0)) for i in range(cats)] for _ in range(n)]
    cums = []
    for f in favourites:
        total, cum = 0, []
        for x in f:
            total += x
            cum.append(total)
        cums.append(cum)
    for _ in range(visitors):
        mine, k = (rng.randrange(n), rng.randrange(n)), min(cats // 2, 1 + int(rng.lognormvariate(0, 0.9) * mean))
        seen = [rng.choices(range(cats), cum_weights=cums[mine[rng.random() < 0.3]])[0] for _ in range(k)]
        yield seen, 0 if rng.random() < draw(mine, k) else None


def visitors_of(kind, drawing):
    rng, (visitors, cats) = random.Random(7 + drawing), KINDS[kind]
    if kind == 'planted':
        return planted(rng, visitors, cats)
    if kind == 'thin items':
        return topics(rng, visitors, cats, 40, 5, lambda t, k: min(0.9, 0.01 * k ** 0.5 * (6 if t[0] < 6 else 1)))
    if kind == 'few broad':
        return topics(rng, visitors, cats, 12, 6, lambda t, k: 0.25 if t[0] == 3 else 0.01)
    return topics(rng, visitors, cats, 20, 8, lambda t, k: min(0.9, 0.0015 * k ** 1.4))


def events(people, now, rng):
    """Of those who are of a kind every other one acts, after the first who does by lot: as many are hidden as are seeds."""
    acts = {}
    for i, (seen, target) in enumerate(people):
        if target is not None:
            acts[target] = not acts.get(target, rng.random() < 0.5)
            yield '{"id":"v%d","t":%d,"e":"%s%d"}\n' % (i, now, 'act' if acts[target] else 'hid', target)
        for c in seen:
            yield '{"id":"v%d","t":%d,"u":"https://x.example/c%03d"}\n' % (i, now - rng.randrange(60) * 86400, c)


def filled(kind, targets, where, drawing=0):
    server = new_server(rules(KINDS[kind][1], targets), test_clock=False)
    path = os.path.join(where, 'events.ndjson')
    with open(path, 'w') as f:
        f.writelines(events(visitors_of(kind, drawing), int(time.time()), random.Random(8 + drawing)))
    server.cli('import', path, '--format', 'ndjson')
    os.unlink(path)
    return server


def trained(server, t):
    """Seconds of wall clock and of processor until the members are in the views, and the largest resident memory in MB."""
    began = time.monotonic()
    training = subprocess.Popen([os.path.join(ROOT, 'build', 'crumb')] + server.common() + ['lookalike', 'train', 'like%d' % t], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(training.pid, 0)
    training.returncode = os.waitstatus_to_exitcode(status)
    assert training.returncode == 0
    return time.monotonic() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def measured(server, t, where):
    """Seconds of training, wall clock and processor; then what learn.py prints."""
    ours = list(trained(server, t)[:2])
    for command in (('lookalike', 'scores', 'like%d' % t), ('lookalike', 'seed', 'like%d' % t, '--format', 'libsvm'), ('export', 'hidden%d' % t)):
        server.cli(*command, '--out', where)
    out = subprocess.run(['/usr/bin/python3', os.path.join(HERE, 'learn.py'), where, str(t)], capture_output=True, text=True, check=True).stdout
    return ours + [float(x) for x in out.split()]


def million(where):
    """1,000,000 visitors with 1,000 categories: seconds until the members are in the views, and the largest memory of the process that trains."""
    KINDS['million'] = (1000000, 1000)
    server = new_server(rules(1000, 4), test_clock=False)
    path = os.path.join(where, 'events.ndjson')
    with open(path, 'w') as f:
        f.writelines(events(planted(random.Random(7), *KINDS['million']), int(time.time()), random.Random(8)))
    server.cli('import', path, '--format', 'ndjson')
    os.unlink(path)
    seconds, processor, memory = trained(server, 0)
    return [row('1,000,000 visitors, 1,000 categories, bound 30 s', seconds, 30, 's'), row('the same, processor', processor, None, 's'),
            row('the same, largest resident memory with mapped views', memory, None, 'MB')]


def lookalike():
    """Training, scoring and serving a lookalike, beside scikit-learn's logistic regression (L2, balanced), which gets the matrix ready made: at C = 1, and the best that a grid over form (as it is;
    tf-idf on rows of length one) and C can be, which is told the truth. Ranked is everybody but the seeds; true is the half of their kind that neither has seen."""
    rows = []
    heading('crumb', 'scikit-learn')
    for kind, (visitors, cats) in KINDS.items():
        found, targets = [], 4 if kind == 'planted' else 1
        for drawing in range(1 if kind == 'planted' else DRAWINGS):
            where = folder()
            server = filled(kind, targets, where, drawing)
            found += [measured(server, t, where) for t in range(targets)]
            server.close()
        what = '%s, %d visitors, %d categories: ' % (kind, visitors, cats)
        for n, clock in enumerate(('time', 'processor')):
            rows.append(row(what + clock + ', C = 1', [f[n] for f in found], [f[2 + n] for f in found], 's'))
            rows.append(row(what + clock + ', the grid', [f[n] for f in found], [f[4 + n] for f in found], 's'))
        mean = [statistics.mean(column) for column in zip(*found)]     # of drawings: one may have nobody in the first hundredth
        for n, name in enumerate(('area', 'lift at 10 %', 'lift at 1 %')):
            rows.append(row(what + name + ', C = 1', mean[6 + n], mean[9 + n]))
            rows.append(row(what + name + ', best of the grid', mean[6 + n], mean[12 + n]))
        rows.append(row(what + 'sum of chances / true', [f[15] for f in found], [1]))
    return rows + (million(folder()) if os.environ.get('LARGE') else [])
