"""What documents say of formats, ways, signatures and trackers: each view gives the head of a table and its rows. docs.py writes them."""


def code(words):
    return ' '.join('`%s`' % w for w in words)


def size(n):
    for unit, each in (('GB', 10 ** 9), ('MB', 10 ** 6), ('kB', 10 ** 3), ('KiB', 2 ** 10)):
        if n >= each and n % each == 0:
            return '%d %s' % (n // each, unit)
    return '%d bytes' % n


def formats(ref):
    """What each format writes, its partner's limits, and how it goes."""
    def most(f):
        return ', '.join(text(f[fact]) for fact, text in (('rows', '{} rows'.format), ('bytes', size), ('ttl_days', '{} days'.format)) if f.get(fact))
    return (['format', 'what is written', 'at most', 'goes by', 'compressed', "names of segments"],
            (['`%s`' % f['name'], f['help'], most(f), ', '.join(f['ways']), code(f['compress']) if f['ways'][0] in ('directory', 'https') else '',
             "the partner's numbers" if f.get('numbers') else ''] for f in ref['formats']))


def format_settings(ref):
    """What a destination may say below settings: of its format."""
    def takes(s):
        if 'max' in s:
            return '%d to %d' % (s['min'], s['max'])
        return ('some of ' if s.get('several') else '') + code(s['words']) if 'words' in s else 'text'
    return (['format', 'setting', 'takes', 'without it', 'what it is'],
            (['`%s`' % f['name'], '`%s`' % s['name'], takes(s), 'refused' if s['required'] else '`%s`' % s['default'] if 'default' in s else '', s['help']]
             for f in ref['formats'] for s in f['settings']))


def format_removals(ref):
    """How a row ends at the partner, and how it is taken back."""
    removal = {'row': 'a row', 'item': 'a list without it', 'changes': 'a row; where everything is said a list without it'}
    def written(f):
        return 'life' in f
    return (['format', 'rows', 'who leaves by time alone', 'a removal is'],
            (['`%s`' % f['name'], 'end by themselves' if f['life'] == 'in the row' else 'stay until they are taken back',
             ('need not be said' if f['life'] == 'in the row' else 'is said') + ('; ' + f['life_help'] if 'life_help' in f else ''),
             removal[f['removal']]] for f in filter(written, ref['formats'])))


def format_sources(ref):
    """Where partners describe their formats."""
    by = {}
    for f in ref['formats']:
        if 'source' in f:
            by.setdefault(f['source'], []).append(f['name'])
    return (['format', 'described at'], ([', '.join('`%s`' % n for n in names), source] for source, names in by.items()))


def ways(ref):
    """How what is written gets there."""
    return (['way', '`deliver:`', 'how', 'compressed', 'bytes of each, where nobody says'],
            ([w['name'], '`%s`' % w['key'] if 'key' in w else '', w['help'], code(w['compress']) if 'key' in w else '', size(w['bytes']) if w['bytes'] else '']
             for w in ref['ways']))


def signings(ref):
    """How requests are signed."""
    return (['`kind`', 'header lines'], (['`%s`' % s['name'], s['help']] for s in ref['signings']))


def trackers(ref):
    """Whose protocols are spoken, and what each takes."""
    def paths(t):
        by = {}
        for p in t['paths']:
            by.setdefault(p['bytes'], []).append('`%s`' % p['path'])
        return '; '.join('%s up to %s' % (' '.join(names), size(n)) for n, names in by.items())
    return (['protocol', '`POST`', 'options', 'what is taken', 'described at'],
            ([t['name'], paths(t), code(t['options']) or 'always on' * t['always'], t['help'], t['source']] for t in ref['trackers']))


VIEWS = {
    'format-removals': format_removals,
    'format-settings': format_settings,
    'format-sources': format_sources,
    'formats': formats,
    'signings': signings,
    'trackers': trackers,
    'ways': ways,
}
