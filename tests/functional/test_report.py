"""The report of the day: what one scan tells about segments, categories and journeys, once, alike to all."""
import json

import pytest
from harness import Server


def tell(server, path, query='', method='GET'):
    status, _, data = server.http(method, path + ('?' + query if query else ''), admin=True)
    return status, json.loads(data)


@pytest.fixture()
def server():
    s = Server().start()
    yield s
    s.close()


def test_without_a_report_lists_are_empty(server):
    assert tell(server, '/v1/report') == (200, {'made': None, 'day': None, 'rules': None, 'current': False, 'running': False})
    status, segment = tell(server, '/v1/report/segment', 'id=coat-fans')
    assert status == 200 and segment['made'] is None and segment['size'] is None
    assert [segment[k] for k in ('categories', 'devices', 'countries', 'nearest', 'funnel')] == [[]] * 5
    assert tell(server, '/v1/report/categories')[1] == {'made': None, 'days': [], 'categories': []}
    assert tell(server, '/v1/report/journeys')[1] == {'made': None, 'journeys': []}


def test_what_is_not_there_is_said(server):
    assert tell(server, '/v1/report/segment', 'id=coat-fan')[0] == 404
    assert 'coat-fans' in tell(server, '/v1/report/segment', 'id=coat-fan')[1]['error']
    assert tell(server, '/v1/report/categories', 'id=nonsense')[0] == 404
    assert tell(server, '/v1/report/categories', 'days=91')[0] == 400
    assert tell(server, '/v1/report/journeys', 'id=nonsense')[0] == 404
