#!/usr/bin/python3
"""graph.py [BUILD]: what leans on what, by includes and by calls; `make check` runs it.

A source file leans on another when its object leaves a symbol open, function or table, that the other one's object defines. That is read with nm from
the objects of a build (build/ unless told otherwise), so it knows what is called, not only what is included.

Three things are faults, each told with the files and the symbols:
  * files that lean on each other in a circle: nobody can understand, test or move one of them without all the others
  * a layer (a folder) that includes or calls something of a layer which is not below it
  * two headers of one file name, of which nobody knows which one is meant
"""
import collections
import os
import re
import subprocess
import sys

# Lowest first. Those of one row know nothing of each other.
LAYERS = [['base'], ['yaml'], ['core'], ['model', 'http', 'broker'], ['privacy', 'rules', 'disk'], ['journal', 'condition', 'match'], ['store', 'load'], ['partners'], ['check'],
          ['ingest', 'views'], ['ask', 'learn'], ['delivery', 'answers'], ['report'], ['node'], ['cluster'], ['collect', 'web'], ['trackers', 'admin'], ['app', 'cli']]

# What may lean upwards after all: (from, to), files without their ending, and why. docs/ARCHITECTURE.md explains each.
ALLOWED = {}

LEVEL = {layer: n for n, row in enumerate(LAYERS) for layer in row}


def sources():
    return {os.path.join(layer, f[:-2]): os.path.join('src', layer, f)
            for layer in sorted(os.listdir('src')) for f in sorted(os.listdir(os.path.join('src', layer))) if f.endswith('.c')}


def headers():
    for top in ('src', 'include/crumb'):
        for folder, _, files in sorted(os.walk(top)):
            yield from (os.path.join(folder, f) for f in sorted(files) if f.endswith('.h'))


def calls(build, names):
    """{file: {file it leans on: [symbols]}} of all sources; says which objects are missing."""
    objects = {name: os.path.join(build, 'obj', name + '.o') for name in names}
    missing = [o for o in objects.values() if not os.path.exists(o)]
    if missing:
        sys.exit('%s is not built: make first' % missing[0])
    out = subprocess.run(['nm', '-A', '-P', '-g'] + list(objects.values()), check=True, stdout=subprocess.PIPE, universal_newlines=True).stdout
    of = {path: name for name, path in objects.items()}
    defined, wanted = {}, collections.defaultdict(set)
    for line in out.splitlines():
        path, symbol, kind = re.match(r'(.*): (\S+) (\S)', line).groups()
        if kind == 'U':
            wanted[of[path]].add(symbol)
        elif kind.isupper():
            defined[symbol] = of[path]
    graph = {name: {} for name in names}
    for name, symbols in wanted.items():
        for symbol in sorted(symbols):
            if defined.get(symbol, name) != name:
                graph[name].setdefault(defined[symbol], []).append(symbol)
    return graph


def circles(graph):
    """The sets of files that reach each other (Tarjan's strongly connected components), each with more than one member."""
    index, low, stack, found = {}, {}, [], []

    def visit(v):
        index[v] = low[v] = len(index)
        stack.append(v)
        for w in sorted(graph[v]):
            if w not in index:
                visit(w)
            if w in stack:
                low[v] = min(low[v], low[w])
        if low[v] == index[v]:
            at = stack.index(v)
            found.append(sorted(stack[at:]))
            del stack[at:]

    for v in sorted(graph):
        if v not in index:
            visit(v)
    return [c for c in found if len(c) > 1]


def may(layer, other):
    return layer == other or LEVEL[other] < LEVEL[layer]


def faults(build):
    names = sources()
    graph = calls(build, names)
    for layer in sorted({n.split('/')[0] for n in names} - set(LEVEL)):
        yield 'src/%s is in no row of LAYERS (tools/graph.py)' % layer
        return
    used = set()
    for name, leans in sorted(graph.items()):
        for other, symbols in sorted(leans.items()):
            if may(name.split('/')[0], other.split('/')[0]):
                continue
            used.add((name, other))
            if (name, other) not in ALLOWED:
                yield '%s calls up or sideways into %s: %s' % (names[name], names[other], ', '.join(symbols))
    for path in sorted(names.values()) + list(headers()):
        layer = path.split('/')[1 if path.startswith('src') else 2]
        with open(path, encoding='utf-8') as f:
            included = set(re.findall(r'^#include "crumb/(\w+)/', f.read(), re.M))
        for other in sorted(included):
            if other not in LEVEL:
                yield '%s includes crumb/%s, which is no layer' % (path, other)
            elif not may(layer, other):
                yield '%s: %s may not include %s' % (path, layer, other)
    for arrow in sorted(set(ALLOWED) - used):
        yield '%s does not lean on %s any more: take it out of ALLOWED (tools/graph.py)' % arrow
    for name, other in ALLOWED:
        graph.get(name, {}).pop(other, None)
    for circle in circles(graph):
        yield '%d files lean on each other in a circle:' % len(circle)
        for name in circle:
            for other in circle:
                if other in graph[name]:
                    yield '    %s needs %s of %s' % (names[name], ', '.join(graph[name][other]), names[other])
    of_name = collections.defaultdict(list)
    for path in headers():
        of_name[os.path.basename(path)].append(path)
    for paths in of_name.values():
        if len(paths) > 1:
            yield 'headers of one name: %s' % ' and '.join(paths)


def main():
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
    found = list(faults(sys.argv[1] if len(sys.argv) > 1 else 'build'))
    print('\n'.join(found)) if found else None
    return 1 if found else 0


if __name__ == '__main__':
    sys.exit(main())
