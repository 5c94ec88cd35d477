"""The API is what its rows say: the OpenAPI document made from them is one, and each route of a running server takes what its row has and answers with its shape."""
import http.client
import json
import os
import random
import re
import socket

import jsonschema
import pytest
import yaml
from harness import ROOT, SLOW, Browser
from test_lookalike import people
from test_rows import reference

RULES = '''version: 1
attributes:
  - {id: tier, source: acme, values: [gold, silver]}
categories:
  - {id: apparel.coats, name: Coats, iab: 498, labels: [first], any: [{path: "/coats/*"}]}
  - {id: health, sensitive: yes, any: [{path: "/health/*"}]}
  - {id: winter, any: [{title: winter}]}
  - {id: buy, any: [{event: purchase}]}
''' + ''.join('  - {id: topic.t%02d, any: [{path: "/t%02d/*"}]}\n' % (i, i) for i in range(20)) + '''segments:
  - {id: coat-fans, name: Coat fans, when: coats, owner: anna, until: 2099-01-31, alert: size < 500, split: 90/10, destinations: [shop], labels: [first]}
  - {id: patients, when: health}
  - {id: cold, when: winter or attr.tier = gold, state: paused}
  - {id: buyers, when: buy}
lookalikes:
  - {id: like-buyers, seed: buyers, reach: 10%}
'''
DESTINATIONS = 'version: 1\npartners: [{id: acme, labels: [first]}]\ndestinations:\n  - {id: shop, format: stream, labels: [first]}\n  - {id: lake, format: csv, deliver: {directory: DIR/lake}}\n'
WRONG = {'number': 'soon', 'hash': '12', 'span': 'soon', 'word': 'nonsense'}   # of text and flags no value is wrong


@pytest.fixture(scope='module')
def document():
    with open(os.path.join(ROOT, 'etc', 'openapi.json')) as f:
        return json.load(f)


@pytest.fixture(scope='module')
def routes():
    return reference('routes')['routes']


def publishing(server):
    """The header of a publication."""
    return {'If-Match': json.loads(server.http('GET', '/v1/rules/files', admin=True)[2])['hash']}


@pytest.fixture(scope='module')
def world():
    """Something of everything that answers tell."""
    from harness import Server
    server = Server(rules=RULES, options=['stream.keep_h=24'])
    server.write_destinations(DESTINATIONS.replace('DIR', server.dir))
    server.start()
    rng, lines = random.Random(9), []
    for v, _, topics, buys, coats, _ in people(rng, 1500):
        lines += [{'id': v, 'u': 'https://s.example/%s/1' % t} for t in topics]
        lines += [{'id': v, 'e': 'purchase'}] * buys + [{'id': v, 'u': 'https://s.example/coats/1'}] * coats
    server.import_lines(lines)
    server.cli('lookalike', 'train', 'like-buyers')
    Browser(server, agent='Googlebot/2.1 (+http://www.google.com/bot.html)').hit('/coats/1')
    assert server.http('POST', '/v1/rules/publish?file=rules.yaml&why=a+remark', RULES + '# a remark\n', publishing(server), admin=True)[0] == 200
    yield server
    server.close()


def strict(schema):
    """The same, with no field that is not named: the document lets shapes grow, the rows shall say all that is there."""
    if isinstance(schema, list):
        return [strict(s) for s in schema]
    if not isinstance(schema, dict):
        return schema
    out = {k: strict(v) for k, v in schema.items()}
    if 'properties' in out and isinstance(out['properties'], dict) and 'type' in out:
        out['additionalProperties'] = False
    return out


def fits(document, method, path, status, content_type, data):
    """Is that an answer that the document has?"""
    answer = document['paths'][path][method.lower()]['responses'].get(str(status))
    assert answer, '%s %s: %d is not declared: %r' % (method, path, status, data[:200])
    kind = content_type if content_type in answer['content'] else content_type.split(';')[0]
    assert kind in answer['content'], '%s %s: %d is %s' % (method, path, status, content_type)
    if kind == 'application/json':
        schema = dict(strict(answer['content'][kind]['schema']), components=document['components'])
        jsonschema.Draft202012Validator(schema).validate(json.loads(data))


def ask(server, document, method, path, query='', body=None, headers=None):
    status, r, data = server.http(method, path + ('?' + query if query else ''), body, headers, admin=True)
    if status != 405:       # of another method than those of the path
        fits(document, method, path, status, r.getheader('Content-Type'), data)
    return status, data


def needed(route):
    return [p for p in route['params'] if p['must']]


def query_of(params):
    return '&'.join('%s=%s' % (p['name'], p['example']) for p in params)


def operations(document):
    for path, methods in document['paths'].items():
        for method, operation in methods.items():
            yield path, method, operation


# --- the document

def test_the_document_is_openapi(document):
    """The demands of OpenAPI 3.1 on the parts that are used; schemas by JSON Schema's own."""
    assert re.fullmatch(r'3\.1\.\d+', document['openapi']) and {'title', 'version'} <= set(document['info'])
    assert set(document) <= {'openapi', 'info', 'servers', 'security', 'paths', 'components'}
    assert all(name in document['components']['securitySchemes'] for one in document['security'] for name in one)
    ids = [o['operationId'] for _, _, o in operations(document)]
    assert len(ids) == len(set(ids)) > 20
    for path, method, o in operations(document):
        assert path.startswith('/') and method in ('get', 'post') and set(o) <= {'operationId', 'description', 'x-role', 'tags', 'parameters', 'requestBody', 'responses', 'security'}
        assert o.get('security', document['security']) == ([] if o['x-role'] == 'anybody' else document['security'])
        names = [p['name'] for p in o.get('parameters', ())]
        assert len(names) == len(set(names))
        for p in o.get('parameters', ()):
            assert p['in'] == 'query' and p['description'] and isinstance(p['required'], bool)
            jsonschema.Draft202012Validator.check_schema(p['schema'])
            if 'example' in p:
                jsonschema.validate(p['example'], p['schema'])
        contents = [c for r in o['responses'].values() for c in r['content'].values()] + list(o.get('requestBody', {'content': {}})['content'].values())
        assert next(iter(o['responses'])) in ('200', '303') and all(re.fullmatch('[1-5][0-9][0-9]', s) and r['description'] for s, r in o['responses'].items())
        for c in contents:
            jsonschema.Draft202012Validator.check_schema(c['schema'])
    refs = re.findall(r'"\$ref": "#/components/schemas/(\w+)"', json.dumps(document))
    assert refs and set(refs) <= set(document['components']['schemas'])
    assert not re.search(r'\]\(', json.dumps(document)), 'a link that leads nowhere'
    assert yaml.safe_load(json.dumps(document)) == document


def test_the_document_has_every_route(document, routes):
    assert {(r['path'], r['method'].lower()) for r in routes} == {(p, m) for p, m, _ in operations(document)}
    assert {r['role'] for r in routes} <= {'anybody', 'viewer', 'marketer', 'operator'}
    for r in routes:
        assert r['help'].endswith('.') and all(p['help'].endswith('.') for p in r['params']), r['path']
        assert all('example' in p for p in needed(r)), '%s: an example for what it needs' % r['path']
        assert r['answers'][0]['status'] in (200, 303)
        if r['method'] == 'GET':
            assert not r['body'], r['path']


def test_a_list_of_whole_numbers_may_hold_null(monkeypatch):
    """Numbers by day: null where one is withheld or was not recorded."""
    monkeypatch.syspath_prepend(os.path.join(ROOT, 'tools'))
    import api
    row = {'kind': 'wholes', 'when': 'always', 'name': 'size', 'help': 'by day'}
    schema = api.schema(row)
    for good in ([], [1, None, 0]):
        jsonschema.validate(good, schema)
    for bad in (None, [1.5], ['1'], 1):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(bad, schema)
    assert list(api.fields_of({'fields': [row]})) == [('size[]', 'whole numbers or null', 'by day')]


# --- answers

def test_every_get_answers_with_its_shape(world, document, routes):
    """With what it needs, as its row has examples."""
    asked = 0
    for r in routes:
        if r['method'] == 'GET':
            status, data = ask(world, document, 'GET', r['path'], query_of(needed(r)))
            assert status == 200, (r['path'], data)
            asked += 1
    assert asked > 8


def test_every_post_answers_with_its_shape(world, document, routes, tmp_path):
    line = '{"id":"anna","u":"https://s.example/coats/1"}\nno json\n'
    bodies = {'/v1/import': line, '/v1/ask/preview': 'coats >= 2 in 14d', '/v1/ask/words': 'coats >= 2 and not coats in 3d', '/v1/ask/overlap': 'buyers coat-fans', '/v1/lookalikes/train': 'like-buyers',
              '/v1/quarantine/release': 'crawler', '/v1/backup': str(tmp_path / 'backup')}
    bodies['/v1/ask/explain'] = '{"segment":"coat-fans","id":"%s"}' % next(iter(people(random.Random(9), 1500)))[0]
    bodies['/v1/login'] = 'token=' + world.token
    bodies['/v1/rules/edit'] = '{"kind": "segment", "id": "buyers", "set": {"owner": "anna"}}'
    bodies.update({'/v1/rules/' + path: RULES + '# published\n' for path in ('check', 'diff', 'publish')})
    for r in routes:
        if r['method'] == 'POST':
            assert not r['body'] or r['path'] in bodies, 'a body for %s' % r['path']
            query = 'advance=1h' if r['path'] == '/v1/clock' else query_of(needed(r))
            status, data = ask(world, document, 'POST', r['path'], query, bodies.get(r['path']), publishing(world) if r['path'] == '/v1/rules/publish' else None)
            assert status == (409 if r['path'] == '/v1/clock/confirm' and status == 409 else r['answers'][0]['status']), (r['path'], data)
    for path, body, status in (('/v1/rules/edit', '{"kind": "segment", "id": "nobody", "remove": true}', 404), ('/v1/rules/edit', 'no json', 400), ('/v1/ask/preview', 'coats >= ', 400), ('/v1/ask/words', 'coats >= ', 400), ('/v1/ask/words', 'not coats', 400), ('/v1/ask/overlap', 'buyers nobody', 404), ('/v1/lookalikes/train', 'nobody', 404),
                               ('/v1/quarantine/release', 'nonsense', 400), ('/v1/backup', 'relative', 400), ('/v1/backup', '/nowhere/at/all', 404)):
        assert ask(world, document, 'POST', path, '', body)[0] == status
    for path in ('preview', 'words'):                                       # whoever types is told what is missing
        status, data = ask(world, document, 'POST', '/v1/ask/' + path, 'mistakes=1', 'coats >= ')
        assert status == 200 and json.loads(data)['problems'] and not json.loads(data).get('size')
    assert ask(world, document, 'POST', '/v1/import', 'partner=acme', '{"id":"x","attributes":{"tier":"gold"}}\n')[0] == 200
    assert ask(world, document, 'POST', '/v1/import', 'partner=nobody', line)[0] == 400
    for path, text, headers, status in (('publish', RULES, {'If-Match': 'older'}, 409), ('publish', 'version: 2\n', publishing(world), 400), ('diff', 'version: 2\n', None, 400)):
        assert ask(world, document, 'POST', '/v1/rules/' + path, 'file=rules.yaml' + '&why=x' * (path == 'publish'), text, headers)[0] == status
    world.write_rules(RULES + '  - {id: new, when: no\n')
    assert ask(world, document, 'POST', '/v1/reload')[0] == 400
    world.write_rules(RULES + '  - {id: like-fans, seed: coat-fans, reach: 5%}\n')
    assert ask(world, document, 'POST', '/v1/reload')[0] == 200
    for path in ('/v1/rules/status', '/v1/segments', '/v1/categories'):      # perhaps while the views are made
        assert ask(world, document, 'GET', path)[0] == 200


# --- what is refused

def test_another_method_is_refused(server, routes):
    for path in {r['path'] for r in routes}:
        methods = {r['method'] for r in routes if r['path'] == path}
        methods |= {'HEAD'} if 'GET' in methods else set()
        for other in {'GET', 'POST', 'PUT', 'DELETE'} - methods:
            status, r, data = server.http(other, path, admin=True)
            assert status == 405 and set(r.getheader('Allow').split(', ')) == methods and json.loads(data)['error'], (other, path)


def test_paths_of_the_collect_listener_have_the_methods_of_their_rows(server):
    rows = reference('collect-routes')['collect-routes']
    assert {'/p.gif', '/e', '/segments', '/me'} < {r['path'] for r in rows} and all(r['help'].endswith('.') for r in rows)
    for path in {r['path'] for r in rows}:
        methods = {r['method'] for r in rows if r['path'] == path} - {'OPTIONS'}
        status, answer, _ = server.http('PUT', path)
        assert status == 405 and set(answer.getheader('Allow').split(', ')) == methods | ({'HEAD'} if 'GET' in methods else set()), path
        answered = {r['method'] for r in rows if r['path'] == path and server.http(r['method'], path, '{}' if r['method'] == 'POST' else None)[0] == 405}
        assert not answered, (path, answered)


def test_parameters_are_those_of_the_row(server, document, routes):
    for r in routes:
        method, path, params = r['method'], r['path'], r['params']
        status, data = ask(server, document, method, path, '&'.join(filter(None, [query_of(needed(r)), 'nonsense=1'])))
        assert status == 400 and b"no parameter 'nonsense'" in data, (path, data)
        for p in params:
            status, data = ask(server, document, method, path, '%s=1&%s=2' % (p['name'], p['name']))
            assert status == 400 and b'more than one' in data, (path, data)
            others = query_of([o for o in needed(r) if o is not p])
            if p['must']:
                for left in (others, '&'.join(filter(None, [others, p['name'] + '=']))):
                    status, data = ask(server, document, method, path, left)
                    assert status == 400 and b'wants ?' + p['name'].encode() in data, (path, data)
            if p['kind'] in WRONG:
                status, data = ask(server, document, method, path, '&'.join(filter(None, [others, p['name'] + '=' + WRONG[p['kind']]])))
                assert status == 400 and p['name'].encode() in data, (path, p['name'], data)


def test_what_is_refused_is_declared(server, document, routes):
    """Without a token, by a foreign name, by a foreign page; and what is open is told."""
    for r in routes:
        for token, headers, refusal in (('', {}, 401), (server.token, {'Host': 'evil.example'}, 421), (server.token, {'Origin': 'http://evil.example'}, 403)):
            status, answer, data = server.http(r['method'], r['path'], headers=headers, token=token, admin=True)
            assert status == refusal or (refusal == 401 and r['role'] == 'anybody'), (r['path'], status)
            fits(document, r['method'], r['path'], status, answer.getheader('Content-Type'), data)


def test_a_body_is_as_long_as_the_row_says(server, document, routes):
    """One byte more is refused when the headers are there; a coding is none that is taken."""
    host, port = server.admin.rsplit(':', 1)
    for r in routes:
        if r['method'] != 'POST':
            continue
        most = r['body']['most'] if r['body'] else 4096
        with socket.create_connection((host, int(port)), 20 * SLOW) as s:
            s.sendall(('POST %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n' % (r['path'], server.admin, server.token, most + 1)).encode())
            answer = http.client.HTTPResponse(s)
            answer.begin()
            assert answer.status == 413, r['path']
            fits(document, 'POST', r['path'], 413, answer.getheader('Content-Type'), answer.read())
        assert ask(server, document, 'POST', r['path'], body=b'x', headers={'Content-Encoding': 'gzip'})[0] == 415
