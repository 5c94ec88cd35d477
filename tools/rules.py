"""The rules' language as documents tell it: made from the rows that 'crumb reference' tells, for docs.py."""


def code(words):
    return ', '.join('`%s`' % w for w in words)


def fields(ref):
    """Every field that a rule can look at: field, matches, patterns, kept, example."""
    for f in ref['fields']:
        words = ' One of %s.' % code(f['words']) if f['words'] else ''
        kept = 'yes' if f['kept'] else 'no'
        yield ['`%s`' % f['text'], f['says'] + words, ', '.join(f['patterns']), kept, f['example']]
