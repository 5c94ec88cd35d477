"""The rules' language as documents and editors know it: made from the rows that 'crumb reference' tells, for docs.py."""
import json
import re
import sys


def code(words):
    return ', '.join('`%s`' % w for w in words)


def fields(ref):
    """Every field that a rule can look at."""
    def row(f):
        words = ' One of %s.' % code(f['words']) if f['words'] else ''
        kept = 'yes' if f['kept'] else 'no'
        return ['`%s`' % f['text'], f['says'] + words, ', '.join(f['patterns']), kept, f['example']]
    return ['field', 'matches', 'patterns', 'kept', 'example'], map(row, ref['fields'])


def forms(ref):
    """What a condition can ask."""
    facts = code(f['text'] for f in ref['fields'] if f['fact'])
    return (['form', 'true when', 'example'],
            ([f['form'].replace('`FACT`', facts), f['says'], f['example']] for f in ref['condition-forms']))


def keys_of(name):
    """The keys of one map in a file of rules."""
    def view(ref):
        found = next(m for m in ref['rule-maps'] if m['name'] == name)
        return ['key', 'meaning'], (['`%s`' % k['name'], k['says']] for k in found['keys'])
    return view


# name: function of the rows that gives the head and the rows of a table
VIEWS = {'fields': fields, 'condition-forms': forms,
         **{name + '-keys': keys_of(name) for name in ('category', 'attribute', 'segment', 'lookalike', 'journey')}}

# --- the schema


def plain(markdown):
    """A sentence for where Markdown is not read."""
    return re.sub(r'\[([^]]*)\]\([^)]*\)', r'\1', markdown).replace('`', '')


def pattern_schema(item):
    return {'oneOf': [item, {'type': 'array', 'items': item, 'minItems': 1}]}


def field_schema(f):
    said = plain(f['says'])
    said += ' One of %s.' % ', '.join(f['words']) if f['words'] else ''
    said += ' Or a /regular expression/.' if 'regex' in f['patterns'] else ''
    said += '' if f['kept'] else ' Not kept: it has no history from before its rule.'
    return {**pattern_schema({'type': ['string', 'number'], 'minLength': 1}), 'description': said}


def matches_schema(ref):
    own = {f['name']: field_schema(f) for f in ref['fields'] if not f['named']}
    named = {'^%s%s$' % (re.escape(f['name']), f['named']): field_schema(f) for f in ref['fields'] if f['named']}
    return {'type': 'array', 'items': {'type': 'object', 'minProperties': 1, 'properties': own, 'patternProperties': named,
                                       'additionalProperties': False}}


def key_schema(ref, key):
    word = {'type': 'string', 'minLength': 1}
    shape = key['shape']
    if shape == 'text':
        made = {**word, **{there: key[ours] for ours, there in (('pattern', 'pattern'), ('max', 'maxLength')) if ours in key}}
    elif shape == 'count':
        made = {'type': 'integer', 'minimum': key['min'], 'maximum': key['max']}
    elif shape == 'number':
        made = {'type': 'number'}
    elif shape == 'truth':
        made = {'type': 'boolean'}
    elif shape == 'choice':
        made = {'enum': key['words']}
    elif shape == 'words':
        most = {'maxItems': key['max']} if 'max' in key else {}
        made = {'oneOf': [word, {'type': 'array', 'items': word, **most}]}
    elif shape == 'values':
        made = {'type': 'array', 'items': {'type': ['string', 'number'], 'minLength': 1}, 'minItems': 1}
    elif shape == 'maps':
        made = {'oneOf': [{'type': 'array', 'items': map_schema(ref, key['of'])}, {'type': 'null'}]}
    elif shape == 'matches':
        made = matches_schema(ref)
    elif shape == 'parts':
        made = {'oneOf': [word, {'type': 'array', 'items': word}, map_schema(ref, key['of'])]}
    else:
        sys.exit('%s: there is no schema of the shape %s' % (key['name'], shape))
    return {**made, 'description': plain(key['says'])}


def map_schema(ref, name):
    rows = next(m for m in ref['rule-maps'] if m['name'] == name)
    made = {'type': 'object', 'additionalProperties': False}
    if rows['required']:
        made['required'] = rows['required']
    if rows['any_of']:
        made['anyOf'] = [{'required': [k]} for k in rows['any_of']]
    if rows['one_of']:
        made['oneOf'] = [{'required': [k]} for k in rows['one_of']]
    if rows['or_else']:
        made['oneOf'].append({'required': rows['or_else'], 'not': {'anyOf': [{'required': [k]} for k in rows['one_of']]}})
    return {**made, 'properties': {k['name']: key_schema(ref, k) for k in rows['keys']}}


def rules_schema(ref):
    """JSON Schema of a file of rules, for editors."""
    said = "A file of rules; RULES.md is the manual. 'crumb rules check' says more than a schema can."
    made = {'$schema': 'http://json-schema.org/draft-07/schema#', 'title': 'crumb rules', 'description': said, **map_schema(ref, 'file')}
    return json.dumps(made, indent=2, ensure_ascii=False) + '\n'


FILES = {'etc/rules.schema.json': rules_schema}
