"""An ad platform that keeps what it is told: The Trade Desk's data API as its contract says, with moods. And readers of files."""
import base64
import csv
import gzip
import hashlib
import hmac
import http.server
import io
import json
import os
import threading
import time

from harness import DAY


class Platform(http.server.BaseHTTPRequestHandler):
    """Moods, one a request: ok, refuse (every third row), status codes, late (no answer in time), garbage, cut (an answer that breaks off)."""
    def do_POST(self):
        p = self.server.platform
        body = self.rfile.read(int(self.headers['Content-Length']))
        mood = p.moods.pop(0) if p.moods else 'ok'
        p.requests.append((self.path, dict(self.headers), body))
        if mood == 'late':
            time.sleep(p.timeout)
            self.close_connection = True
            return
        if isinstance(mood, int):
            self.answer(mood, b'{"Message":"not now"}', {'Retry-After': '120'} if mood == 429 else {})
            return
        failed = p.apply(json.loads(gzip.decompress(body) if self.headers.get('Content-Encoding') == 'gzip' else body), mood)
        if mood == 'garbage':
            self.answer(200, b'<html>')
        elif mood == 'cut':
            self.send_response(200)
            self.send_header('Content-Length', '1000')
            self.end_headers()
            self.wfile.write(b'{"Failed')
            self.close_connection = True
        else:
            self.answer(200, json.dumps({'FailedLines': failed} if failed else {}).encode())

    def answer(self, status, body, headers={}):
        self.send_response(status)
        for h in headers.items():
            self.send_header(*h)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


class Partner:
    def __init__(self, server):
        self.crumb, self.rows, self.moods, self.requests, self.timeout = server, {}, [], [], 3
        self.http = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Platform)
        self.http.platform = self
        self.http.daemon_threads = True
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self.url = 'http://127.0.0.1:%d/data/thirdparty' % self.http.server_address[1]

    def close(self):
        self.http.shutdown()
        self.http.server_close()

    def apply(self, body, mood):
        now, failed = self.crumb.now(), []
        for i, item in enumerate(body['Items']):
            who = item.get('TDID') or item['DataProviderUserId']
            for k, d in enumerate(item['Data']):
                if mood == 'refuse' and int(hashlib.md5((who + d['Name']).encode()).hexdigest(), 16) % 3 == 0:
                    failed.append({'TDID' if 'TDID' in item else 'DataProviderUserId': who, 'DataName': d['Name'], 'ErrorCode': 'UserNotMapped', 'Message': 'who?', 'ItemNumber': i + 1, 'DataNumber': k + 1})
                elif d['TtlInMinutes'] == 0:
                    self.rows.pop((who, d['Name']), None)
                else:
                    assert 0 < d['TtlInMinutes'] <= 180 * 1440
                    self.rows[who, d['Name']] = now + d['TtlInMinutes'] * 60
        return failed

    def members(self):
        return {k for k, until in self.rows.copy().items() if until > self.crumb.now()}


def read_rows(path):
    data = open(path, 'rb').read()
    if path.endswith('.gz'):
        data = gzip.decompress(data)
    return list(csv.DictReader(io.StringIO(data.decode())))


def replay(folder, server):
    """All CSV files of a folder in the order of their names' times, as a partner would keep them."""
    rows = {}
    for manifest in sorted((f for f in os.listdir(folder) if f.endswith('.manifest.json')), key=lambda f: int(f.split('.')[0].rsplit('-', 1)[1])):
        m = json.load(open(os.path.join(folder, manifest)))
        for f in m['files']:
            path = os.path.join(folder, f['name'])
            data = open(path, 'rb').read()
            assert (len(data), hashlib.sha256(data).hexdigest()) == (f['bytes'], f['sha256']), f['name']
            got = read_rows(path)
            assert len(got) == f['rows']
            for r in got:
                if r['action'] == 'add':
                    rows[r['id'], r['segment']] = r['expires']
                else:
                    rows.pop((r['id'], r['segment']), None)
    today = time.strftime('%Y-%m-%d', time.gmtime(server.now()))
    return {k for k, until in rows.items() if until > today}


def signature(secret, body):
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha1).digest()).decode()
