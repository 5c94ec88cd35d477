"""What an operator reads: versions, log lines, measurements of hits, sizes of segments."""
import http.client
import json
import os
import re
import subprocess
import threading
import time
from datetime import datetime, timezone

import yaml
from harness import BUILD, ROOT, RULES, SLOW, Browser, Server
from prometheus_client.parser import text_string_to_metric_families

TIME = r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z'


def families(server):
    return {f.name: f for f in text_string_to_metric_families(server.http('GET', '/metrics', admin=True)[2].decode())}


def test_the_version_is_one(server):
    said = [subprocess.run([os.path.join(BUILD, p), '--version'], capture_output=True, text=True, check=True).stdout for p in ('crumbd', 'crumb')]
    version = families(server)['crumb_build_info'].samples[0].labels['version']
    assert said == ['crumbd %s\n' % version, 'crumb %s\n' % version] and re.fullmatch(r'\d+\.\d+\.\d+', version)


def log_of(options, rules=None):
    s = Server(options=options)
    try:
        s.start()
        if rules is not None:
            s.write_rules(rules)
        s.process.send_signal(1)
        s.http('POST', '/v1/settle', admin=True)
        s.stop()
        return s.logged().splitlines()
    finally:
        s.close()


def test_log_lines_have_their_time():
    lines = log_of([])
    for line in lines:
        assert re.match(TIME + r' (debug|info|warn|error) \w+ \S', line), line
    at = datetime.strptime(lines[-1].split()[0], '%Y-%m-%dT%H:%M:%S.%fZ').replace(tzinfo=timezone.utc)
    assert abs((datetime.now(timezone.utc) - at).total_seconds()) < 120


def test_log_lines_are_json():
    lines = [json.loads(l) for l in log_of(['log.format=json'], rules='version: 1\nsegments:\n  - {id: x, when: "no\\"thing \\\\ ä\\u0007"}\n')]
    assert all(set(l) == {'time', 'level', 'module', 'message'} and re.fullmatch(TIME, l['time']) for l in lines)
    assert ('info', 'main', 'stopping') in [(l['level'], l['module'], l['message']) for l in lines]
    # text of others is escaped once more; it is within the line whatever it is
    cut = [json.loads(l) for l in log_of(['log.format=json'], rules='version: 1\nsegments:\n  - {id: x, when: "%s"}\n' % ('ä' * 3000))]
    assert any('ää' in l['message'] for l in cut)


def test_less_can_be_said():
    assert [l for l in log_of(['log.level=error']) if ' error ' not in l] == []
    s = Server(options=['log.level=shout'])
    r = subprocess.run([os.path.join(BUILD, 'crumbd')] + s.common(), capture_output=True, text=True)
    assert r.returncode == 2 and 'debug|info|warn|error' in r.stderr
    s.close()


def test_hits_are_measured(make):
    server = make()
    b = Browser(server)
    for i in range(7):
        b.hit('/coats/%d' % i)
    b.events(*[{'e': 'view', 'u': 'https://shop.example/coats/%d' % i} for i in range(5)])
    Browser(server, headers={'Sec-GPC': '1'}).hit('/coats/1')      # not stored, not measured
    f = families(server)
    h = f['crumb_hit_duration_seconds']
    assert h.type == 'histogram'
    buckets = [(float(s.labels['le']), s.value) for s in h.samples if s.name.endswith('_bucket')]
    assert [b[0] for b in buckets] == sorted(b[0] for b in buckets) and [b[1] for b in buckets] == sorted(b[1] for b in buckets)
    total, = [s.value for s in h.samples if s.name.endswith('_count')]
    took, = [s.value for s in h.samples if s.name.endswith('_sum')]
    assert total == buckets[-1][1] == f['crumb_events'].samples[0].value == 12
    assert 0 < took < 60 * total


def test_sizes_of_segments_go_through_the_gate(make):
    server = make(k=20)
    server.import_lines([{'id': 'v%d' % i, 'e': 'view', 'u': 'https://shop.example/coats/%d' % (n % 3)} for i in range(40) for n in range(3)]
                        + [{'id': 'v%d' % i, 'e': 'view', 'u': 'https://shop.example/shoes/1'} for i in range(40)]
                        + [{'id': 'v%d' % i, 'e': 'purchase', 'u': 'https://shop.example/'} for i in range(7)])
    server.settle()
    told = {s.labels['segment']: s.value for s in families(server)['crumb_segment_size'].samples}
    assert told == {k: v for k, v in server.sizes().items() if v is not None}
    assert 'coat-fans' in told and 'buyers' not in told


def test_alerts_and_dashboard_ask_for_what_is_there(make):
    server = make(rules='version: 1\nsegments:\n  - {id: open, when: visits, alert: size < 100}\n')
    server.import_lines([{'id': 'v%d' % i, 'e': 'view', 'u': 'https://shop.example/'} for i in range(30) for _ in range(2)])
    server.settle()
    there = {s.name: set(s.labels) for f in families(server).values() for s in f.samples}
    with open(os.path.join(ROOT, 'etc', 'prometheus-crumb.yaml')) as f:
        rules = yaml.safe_load(f)['groups'][0]['rules']
    with open(os.path.join(ROOT, 'etc', 'grafana-crumb.json')) as f:
        panels = json.load(f)['panels']
    asked = [r['expr'] for r in rules] + [t['expr'] for p in panels for t in p['targets']]
    assert len({r['alert'] for r in rules}) == len(rules) and len(asked) > 15
    for expr in asked:
        names = re.findall(r'\bcrumb_\w+', expr)
        assert names or expr.startswith('up{'), expr
        assert [n for n in names if n not in there] == [], expr
        assert not (set(re.findall(r'by \((\w+)\)', expr)) - set().union(*(there[n] for n in names))), expr


def test_ready_is_who_takes_new_visitors(make):
    """From the first hit on: the disk is looked at before anybody is taken."""
    server = make()
    known = Browser.known(server)
    server.options.append('store.reserve_percent=100')
    server.restart()
    assert Browser(server).hit('/coats/1') == 503 and known.hit('/coats/1') == 200
    status, _, data = server.http('GET', '/readyz', admin=True)
    assert status == 503 and data.startswith(b'not ready: ') and b'new visitors are refused' in data and b'store.reserve_percent' in data
    assert server.http('GET', '/healthz', admin=True)[0] == 200
    server.options[-1] = 'store.reserve_percent=0'
    server.restart()
    assert server.http('GET', '/readyz', admin=True)[2] == b'ready\n' and Browser(server).hit('/coats/1') == 200


def test_health_is_told_while_a_start_takes_long(make):
    """Changed rules are applied to a history before it is ready; who asks meanwhile is answered."""
    server = make()
    server.import_lines(['{"id":"v%d","e":"view","u":"https://shop.example/coats/%d"}' % (i % 20000, i % 50) for i in range(100000)])
    server.settle()
    server.stop()
    server.write_rules(RULES.replace('/coats/*', '/coats/1*'))
    told = os.path.join(server.store, 'admin')
    os.unlink(told)
    answers, ready = [], threading.Event()

    def ask():
        while not os.path.exists(told) and not ready.is_set():
            time.sleep(0.002)
        while not ready.is_set():
            with open(told) as f:
                address = f.readline().strip()
            c = http.client.HTTPConnection(address, timeout=60 * SLOW)
            got = []
            for path in ('/healthz', '/readyz'):
                c.request('GET', path, headers={'Authorization': 'Bearer ' + server.token})
                r = c.getresponse()
                got.append((r.status, r.read()))
            answers.append(got)
            c.close()
            time.sleep(0.01)
    asks = threading.Thread(target=ask)
    asks.start()
    server.start()
    ready.set()
    asks.join()
    assert answers and all(a[0] == (200, b'ok\n') for a in answers)
    assert answers[0][1] == (503, b'not ready\n'), answers
    assert server.http('GET', '/readyz', admin=True)[0] == 200
