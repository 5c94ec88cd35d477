#!/usr/bin/python3
"""docs.py [--check] [BUILD]: writes what documents say of rows, from the rows. Run by 'make docs'.

A document holds pairs of lines

    <!-- rows: NAME -->
    <!-- rows end -->

and what stands between them is made: NAME is a function of VIEWS below, which gets the rows that 'crumb reference' tells and gives lines of Markdown.
Whole files that are made are rows of FILES. With --check nothing is written: what would change is named, and the exit status is 1."""
import difflib
import glob
import json
import os
import re
import subprocess
import sys

import api
import partners
import rules

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def cell(text):
    return text.replace('|', '\\|').replace('\n', ' ')


def table(head, rows):
    yield '| ' + ' | '.join(head) + ' |'
    yield '| ' + ' | '.join('---' for _ in head) + ' |'
    for row in rows:
        yield '| ' + ' | '.join(cell(c) for c in row) + ' |'


def options(ref):
    """Every option of the configuration, by groups."""
    def takes(o):
        if o['kind'] == 'number':
            raised = '; below %d it is raised to %d' % (o['floor'], o['floor']) if 'floor' in o else ''
            return '%d to %d %s%s' % (o['min'], o['max'], o['unit'], raised)
        return ' '.join('`%s`' % w for w in o['words']) if o['kind'] == 'choice' else o['unit']
    for group in ref['option-groups']:
        yield from ['', '## ' + group['name'], '', group['help'], '']
        yield from table(['option', 'takes', 'default', 'what it does', 'read again'],
                         ([('`%s`' % o['name']), takes(o), '`%s`' % o['default'] if o['default'] else '',
                           o['help'], 'SIGHUP' if o['live'] else 'start']
                          for o in ref['options'] if o['group'] == group['name']))
    yield ''


def records(ref):
    """Every record of the journal."""
    places = {'visitor': "a visitor's, in its shard", 'shards': "the rules', in every shard", 'store': "the store's, in the control lane"}
    return table(['record', 'whose', 'stays when its visitor is forgotten', 'what it says', 'shape'],
                 ([r['name'], places[r['whose']], '' if r['whose'] != 'visitor' else 'no' if r['forgotten'] else 'yes', r['sentence'], '`%s`' % r['shape']]
                  for r in ref['records']))


def identities(ref):
    """What tells two records apart, and who looks."""
    return table(['record', 'identity', 'why it is not applied twice'],
                 ([r['name'], ', '.join(['kind'] + r['identity']) if r['identity'] else 'none', r['once']] for r in ref['records']))


def commands(ref):
    """Every command of the command line."""
    return table(['command', 'what it does'],
                 (['`crumb %s`' % ' '.join((c['name'] + ' ' + c['args']).split()), c['summary']] for c in ref['commands']))


def metrics(ref):
    """Everything that /metrics tells, by groups."""
    for group in ref['metric-groups']:
        yield from ['', '## ' + group['name'], '', group['help'], '']
        rows = []
        for m in ref['metrics']:
            if m['group'] != group['name']:
                continue
            of = '{%s}' % m['label'] if m['label'] else ''
            more = ' Buckets end at %s.' % ', '.join('%g' % e for e in m['ends']) if m['kind'] == 'histogram' else ''
            more += ' Kept by day.' if m.get('by_day') else ''
            rows.append(['`%s%s`' % (m['name'], of), m['kind'], m['unit'], m['help'] + more])
            rows += [['`%s="%s"`' % (m['label'], v['value']), '', '', v['help']] for v in m.get('values', [])]
        yield from table(['metric', 'kind', 'unit', 'what it tells, and what you do'], rows)
    yield ''


def key_of(row, way):
    return '`%s`' % (row[way] + ('NAME' if row['kind'] == 'list' else ''))


def parameters(ref):
    """What the pixel and POST /e understand."""
    def meaning(p):
        return p['help'] + ('. In JSON also `"%s":{"NAME":…}`' % p['object'] if p['object'] else '')
    return table(['key', 'in import files', 'consent signal', 'meaning'],
                 ([key_of(p, 'name'), key_of(p, 'imported'), 'yes' if p['signal'] else '', meaning(p)]
                  for p in ref['parameters'] if p['name']))


def import_keys(ref):
    """What lines of import files have besides."""
    return table(['key', 'meaning'], ([key_of(p, 'imported'), p['help']] for p in ref['parameters'] if p['imported'] and not p['name']))


def macros(ref):
    """IAB's macros in URLs of user sync."""
    def written(macro):
        return ', '.join('`${%s}`' % m for m in ([macro[:-2], macro[:-1] + '123'] if macro.endswith('_#') else [macro]))
    return table(['macro', 'becomes what came as'], ([written(p['macro']), key_of(p, 'name')] for p in ref['parameters'] if p['macro']))


def routes(ref):
    """Every route of the admin listener."""
    return table(['request', 'who may ask', 'what it does', 'answers'], api.routes(ref))


def collect_routes(ref):
    """Every route of the collect listener."""
    return table(['request', 'answer'], api.collect_routes(ref))


def route_answers(ref):
    """What each of them may answer besides."""
    return table(['status', 'when'], api.every(ref))


VIEWS = {
    'collect-routes': collect_routes,
    'commands': commands,
    'identities': identities,
    'import-keys': import_keys,
    'macros': macros,
    'metrics': metrics,
    'options': options,
    'parameters': parameters,
    'records': records,
    'route-answers': route_answers,
    'route-fields': api.fields,
    'routes': routes,
}
VIEWS.update((name, lambda ref, view=view: table(*view(ref))) for name, view in {**partners.VIEWS, **rules.VIEWS}.items())
FILES = {'etc/openapi.json': api.openapi, **rules.FILES}  # path: function of the rows that gives the whole text

MARK = re.compile(r'(<!-- rows: ([a-z-]+) -->\n)(.*?)(<!-- rows end -->\n)', re.S)


def filled(text, ref, path):
    def fill(m):
        if m.group(2) not in VIEWS:
            sys.exit('%s: there is no view %s: %s are known' % (path, m.group(2), ', '.join(VIEWS)))
        return m.group(1) + ''.join(line + '\n' for line in VIEWS[m.group(2)](ref)) + m.group(4)
    return MARK.sub(fill, text)


def main():
    args = [a for a in sys.argv[1:] if a != '--check']
    check = '--check' in sys.argv[1:]
    build = os.path.join(ROOT, args[0] if args else 'build')
    ref = json.loads(subprocess.run([os.path.join(build, 'crumb'), 'reference'], stdout=subprocess.PIPE, check=True).stdout)
    wanted = {path: made(ref) for path, made in FILES.items()}
    for path in sorted(glob.glob(os.path.join(ROOT, '*.md')) + glob.glob(os.path.join(ROOT, 'docs', '**', '*.md'), recursive=True)):
        with open(path) as f:
            wanted[os.path.relpath(path, ROOT)] = filled(f.read(), ref, os.path.relpath(path, ROOT))
    stale = 0
    for path, text in wanted.items():
        whole = os.path.join(ROOT, path)
        there = open(whole).read() if os.path.exists(whole) else ''
        if there == text:
            continue
        stale += 1
        if check:
            print('%s is not what the rows say; make docs writes it' % path)
            print(''.join(list(difflib.unified_diff(there.splitlines(True), text.splitlines(True), path, 'as the rows say', n=0))[:12]), end='')
        else:
            with open(whole, 'w') as f:
                f.write(text)
            print('docs: wrote ' + path)
    return stale > 0 and check


if __name__ == '__main__':
    sys.exit(main())
