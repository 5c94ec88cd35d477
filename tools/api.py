"""What documents say of the routes of the admin listener, from the rows that 'crumb reference' tells: tools/docs.py writes it."""
import json
import re

ERROR = {'type': 'object', 'required': ['error'], 'properties': {'error': {'type': 'string', 'description': 'what went wrong, in a sentence'}}}
KINDS = {'text': {'type': 'string'}, 'whole': {'type': 'integer'}, 'real': {'type': 'number'}, 'truth': {'type': 'boolean'},
         'day': {'type': 'string', 'format': 'date'}, 'texts': {'type': 'array', 'items': {'type': 'string'}},
         'wholes': {'type': 'array', 'items': {'type': ['integer', 'null']}}}
PARAMS = {'text': {'type': 'string'}, 'number': {'type': 'integer', 'minimum': 0}, 'hash': {'type': 'string', 'pattern': '^[0-9A-Fa-f]{32}$'},
          'span': {'type': 'string', 'pattern': '^[0-9]+[dh]$'}, 'flag': {'type': 'string'}}


# --- tables

def brief(shape):
    """{"a","b":{"c"}}"""
    if not shape.get('fields'):
        return ''
    fields = ','.join('"%s"%s' % (f['name'], (':' + brief(f) + (' or null' if 'null' in f['when'] else '')) if f.get('fields') else '')
                      for f in shape['fields'])
    return '[{%s}]' % fields if shape['kind'] == 'list' else '{%s}' % fields


def size(n):
    return '%d MB' % (n >> 20) if n >= 1 << 20 else '%d KB' % (n >> 10)


def does(r):
    text = [r['help']]
    text += ['`%s`: %s' % (p['name'], p['help']) for p in r['params']]
    if r['body']:
        text.append('*Body*, %s at most: %s' % (size(r['body']['most']), r['body']['help']))
    return ' '.join(text)


def answers(r):
    return '. '.join('%d: %s%s' % (a['status'], a['when'], ', `%s`' % brief(a['shape']) if 'shape' in a else '') for a in r['answers']) + '.'


def routes(ref):
    for r in ref['routes']:
        asked = ''.join(('%s%s=' if p['must'] else '[%s%s=]') % ('?&'[i > 0], p['name']) for i, p in enumerate(r['params']))
        yield ['`%s %s%s`' % (r['method'], r['path'], asked), r['role'], does(r), answers(r)]


def collect_routes(ref):
    """Methods of one path that are described alike, and paths of one method, share a row."""
    rows = []
    for r in ref['collect-routes']:
        for row in rows:
            if row[1] == r['help']:
                row[0] += ', `%s`' % r['path']
                break
        else:
            rows.append(['`%s %s`' % (r['method'], r['path']), r['help']])
    return rows


def every(ref):
    return (['%d' % a['status'], a['when']] for a in ref['route-answers'])


def fields_of(shape, before=''):
    for f in shape.get('fields', ()):
        name = before + f['name'] + ('[]' if f['kind'] in ('list', 'texts', 'wholes') else '')
        kind = {'texts': 'texts', 'wholes': 'whole numbers or null', 'list': 'objects', 'whole': 'whole number', 'real': 'number',
                'truth': 'true or false'}.get(f['kind'], f['kind'])
        if f['when'] != 'always':
            kind += ', ' + f['when'].replace('sometimes', 'may be missing')
        yield name, kind, f.get('help', '')
        yield from fields_of(f, name + '.')


def fields(ref):
    """Of each route that answers JSON: a heading and its fields."""
    for r in ref['routes']:
        for a in r['answers']:
            if 'shape' not in a or a['status'] > 200 and a['shape'] == r['answers'][0].get('shape'):
                continue
            yield '### %s %s%s' % (r['method'], r['path'], '' if a['status'] == 200 else ': %d' % a['status'])
            yield ''
            if a['shape']['kind'] == 'list':
                yield 'A list of objects.'
                yield ''
            yield '| field | is | |'
            yield '| --- | --- | --- |'
            for name, kind, text in fields_of(a['shape']):
                yield '| `%s` | %s | %s |' % (name, kind, text)
            yield ''


# --- OpenAPI 3.1

def plain(text):
    """Links of our documents lead nowhere elsewhere."""
    return re.sub(r'\[([^\]]*)\]\([^)]*\)', r'\1', text)


def schema(shape):
    """JSON Schema 2020-12 of rows."""
    if shape['kind'] in KINDS:
        s = dict(KINDS[shape['kind']])
    else:
        rows = shape['fields']
        s = {'type': 'object', 'required': [f['name'] for f in rows if not f['when'].startswith('sometimes')],
             'properties': {f['name']: schema(f) for f in rows}}
        if shape['kind'] == 'list':
            s = {'type': 'array', 'items': s}
    if 'null' in shape['when']:
        s['type'] = [s['type'], 'null']
    if shape.get('help'):
        s['description'] = plain(shape['help'])
    return s


def parameter(p):
    s = {'type': 'string', 'enum': p['words'].split('|')} if p['kind'] == 'word' else PARAMS[p['kind']]
    out = {'name': p['name'], 'in': 'query', 'description': plain(p['help']), 'required': p['must'], 'schema': s}
    if p['kind'] == 'flag':
        out['allowEmptyValue'] = True
    if 'example' in p:
        out['example'] = int(p['example']) if p['kind'] == 'number' else p['example']
    return out


def content(a):
    if a['type'] != 'application/json':
        return {'schema': {'type': 'string'}}
    return {'schema': schema(a['shape']) if 'shape' in a else {'$ref': '#/components/schemas/error'}}


def responses(r, every_route):
    out = {}
    for a in r['answers'] + [a for a in every_route if a['status'] != 405]:     # who reads this asks with the right method
        one = out.setdefault(str(a['status']), {'description': '', 'content': {}})
        one['description'] += ('; or ' if one['description'] else '') + plain(a['when'])
        there, more = one['content'].get(a['type']), content(a)
        if there and there != more:
            more = {'schema': {'anyOf': there['schema'].get('anyOf', [there['schema']]) + [more['schema']]}}
        one['content'][a['type']] = more
    return dict(sorted(out.items()))


def operation(r, every_route):
    out = {'operationId': (r['method'].lower() + r['path'].replace('/', '_')), 'description': plain(r['help']), 'x-role': r['role'], 'tags': [tag(r)]}
    if r['params']:
        out['parameters'] = [parameter(p) for p in r['params']]
    if r['body']:
        out['requestBody'] = {'description': '%s At most %d bytes.' % (plain(r['body']['help']), r['body']['most']), 'required': True,
                              'content': {r['body']['type']: {'schema': {'type': 'string'}}}}
    if r['role'] == 'anybody':
        out['security'] = []
    out['responses'] = responses(r, every_route)
    return out


def tag(r):
    """The first word of the path behind /v1."""
    parts = r['path'].strip('/').split('/')
    return parts[parts[0] == 'v1']


def openapi(ref):
    paths = {}
    for r in ref['routes']:
        paths.setdefault(r['path'], {})[r['method'].lower()] = operation(r, ref['route-answers'])
    return json.dumps({
        'openapi': '3.1.0',
        'info': {'title': 'crumb, admin listener', 'version': '1',
                 'description': 'Metrics, health and the JSON API of crumbd (admin.listen). Shapes only grow within /v1: be ready for fields that are not named '
                                'here. HEAD is answered like GET. x-role says who may ask: anybody, or the least role of a token: viewer, marketer, operator. '
                                'With a session, what is not GET needs the header X-Crumb.'},
        'servers': [{'url': 'http://127.0.0.1:8081'}],
        'security': [{'token': []}, {'session': []}],
        'paths': paths,
        'components': {'schemas': {'error': ERROR}, 'securitySchemes': {'token': {'type': 'http', 'scheme': 'bearer'},
                                                                          'session': {'type': 'apiKey', 'in': 'cookie', 'name': 'crumb_admin'}}},
    }, indent=1, ensure_ascii=False) + '\n'
