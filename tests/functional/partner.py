"""Ad platforms that keep what they are told: one model for each wire format, written from the partners' own descriptions of it and with readers that
share no code with crumb. Over HTTP they have moods; files are read from the folder where they were put."""
import base64
import csv
import gzip
import hashlib
import hmac
import http.client
import http.server
import io
import json
import os
import re
import threading
import time

import avro.datafile
import avro.io

from harness import DAY, SLOW, until

FOREVER = float('inf')


def day_start(text):
    return time.mktime(time.strptime(text, '%Y-%m-%d')) - time.timezone if text else FOREVER


# --- what a format says, and what a partner makes of it


class Model:
    """rows: (id, segment) -> when the partner forgets it by itself. `content` is one file or body, `now` when it was received. `refuse` chooses rows that
    are not taken; answer() is what the partner says then, where the format has words for it."""
    names_rows = False

    def __init__(self):
        self.rows, self.refused = {}, {}

    def put(self, who, segment, until, refuse, now):
        if refuse(who, segment):
            self.refused[who, segment] = now
            return False
        if until is None:
            self.rows.pop((who, segment), None)
        else:
            self.rows[who, segment] = until
        return True

    def forget_id(self, who):
        for k in [k for k in self.rows if k[0] == who]:
            del self.rows[k]

    def members(self, now):
        return {k for k, until in self.rows.copy().items() if until > now}

    def answer(self, failed):
        return b'ok'


class Csv(Model):
    def read(self, name, content, now, refuse):
        for r in csv.DictReader(io.StringIO(content.decode())):
            assert r['action'] in ('add', 'remove') and (r['action'] == 'remove') == (r['expires'] == '')
            self.put(r['id'], r['segment'], day_start(r['expires']) if r['action'] == 'add' else None, refuse, now)


class Ndjson(Model):
    def read(self, name, content, now, refuse):
        for r in map(json.loads, content.decode().splitlines()):
            self.put(r['id'], r['segment'], day_start(r['expires']) if r['action'] == 'add' else None, refuse, now)


class Ortb(Model):
    """A user object says all that holds."""
    def read(self, name, content, now, refuse):
        for user in (json.loads(l)['user'] for l in content.decode().splitlines()):
            self.forget_id(user['id'])
            for data in user['data']:
                for s in data['segment']:
                    self.put(user['id'], s['id'], s['ext']['expires'], refuse, now)


class XandrText(Model):
    """UID;SEG,SEG TAB SEG with the fields that the member has configured. Without EXPIRATION a segment's own life holds: 180 days."""
    def __init__(self, separators=';,:\t^', fields=('SEG_ID', 'EXPIRATION', 'VALUE')):
        super().__init__()
        self.sep, self.fields = separators, fields

    def read(self, name, content, now, refuse):
        seen = set()
        for line in content.decode('latin-1').splitlines():
            who, _, rest = line.partition(self.sep[0])
            assert who not in seen, 'a user stands twice'
            seen.add(who)
            added, _, removed = rest.partition(self.sep[3])
            for listed, gone in ((added, False), (removed, True)):
                for seg in filter(None, listed.split(self.sep[1])):
                    values = seg.split(self.sep[2])
                    assert len(values) == len(self.fields), line
                    f = dict(zip(self.fields, values))
                    minutes = int(f.get('EXPIRATION', 0)) or 180 * 1440
                    assert minutes <= 180 * 1440
                    self.put(who, f.get('SEG_ID') or f['SEG_CODE'], None if gone or minutes == -1 else now + minutes * 60, refuse, now)


class XandrAvro(Model):
    def read(self, name, content, now, refuse):
        for user in avro.datafile.DataFileReader(io.BytesIO(content), avro.io.DatumReader()):
            uid = user['uid']
            who = uid['id'] if isinstance(uid, dict) else str(uid)
            for s in user['segments']:
                minutes = s['expiration'] or 180 * 1440
                self.put(who, str(s['id']) if s['id'] else s['code'], None if minutes == -1 else now + minutes * 60, refuse, now)


class Ttd(Model):
    """The Trade Desk's data API: 200 does not mean that all of it was taken."""
    names_rows = True
    ids = 'TDID', 'DataProviderUserId'

    def read(self, name, content, now, refuse):
        failed = []
        for i, item in enumerate(json.loads(content)['Items']):
            field = next(f for f in self.ids if f in item)
            for k, d in enumerate(item['Data']):
                assert 0 <= d['TtlInMinutes'] <= 180 * 1440
                if not self.put(item[field], d['Name'], now + d['TtlInMinutes'] * 60 if d['TtlInMinutes'] else None, refuse, now):
                    failed.append({field: item[field], 'DataName': d['Name'], 'ErrorCode': 'UserNotMapped', 'Message': 'who?', 'ItemNumber': i + 1, 'DataNumber': k + 1})
        return failed

    def answer(self, failed):
        return json.dumps({'FailedLines': failed} if failed else {}).encode()


def varints(data):
    """(field, value) of a protobuf message; a value is a number or bytes."""
    i = 0

    def varint():
        nonlocal i
        v = shift = 0
        while True:
            b = data[i]
            i += 1
            v |= (b & 127) << shift
            shift += 7
            if b < 128:
                return v
    while i < len(data):
        tag = varint()
        if tag & 7 == 0:
            yield tag >> 3, varint()
        else:
            assert tag & 7 == 2
            n = varint()
            i += n
            yield tag >> 3, data[i - n:i]


def protobuf(*fields):
    out = bytearray()

    def varint(v):
        while v > 127:
            out.append(v & 127 | 128)
            v >>= 7
        out.append(v)
    for number, value in fields:
        varint(number << 3 | (2 if isinstance(value, bytes) else 0))
        if isinstance(value, bytes):
            varint(len(value))
            out += value
        else:
            varint(value)
    return bytes(out)


class Google(Model):
    """UpdateUsersDataRequest: no row has an end, a list keeps whom it has."""
    names_rows = True

    def read(self, name, content, now, refuse):
        request, failed = list(varints(content)), []
        assert (3, 1) in request, 'without process_consent all of it is filtered'
        assert len(content) <= 100000
        for number, op in request:
            if number != 1:
                continue
            o = dict(varints(op))
            if not self.put(o[1].decode(), str(o[4]), None if o.get(6) else FOREVER, refuse, now):
                failed.append((o[4], o[1]))
        return failed

    def answer(self, failed):
        return protobuf((1, 1 if failed else 0), *[(2, protobuf((2, l), (3, who), (4, 21))) for l, who in failed])


class Aam(Model):
    """ftp_dpm_….sync adds and removes; .overwrite replaces what the users who are listed have. A trait ends 120 days after it was told last."""
    def read(self, name, content, now, refuse):
        if name.endswith('.info'):
            return
        whole = re.search(r'\.(sync|overwrite)\.', name).group(1) == 'overwrite'
        fresh = set()
        assert content, 'an empty file is not valid'
        for line in content.decode().splitlines():
            who, traits = line.split('\t')
            if whole and who not in fresh:
                self.forget_id(who)
                fresh.add(who)
            for t in traits.split(','):
                key, trait = t.split('=')
                if key == 'd_unsid' and whole:
                    continue
                self.put(who, trait, None if key == 'd_unsid' else now + 120 * DAY, refuse, now)


class LiveRamp(Model):
    """identifier TAB segment,segment: all that holds, without an end."""
    def read(self, name, content, now, refuse):
        for line in content.decode().splitlines():
            who, _, segments = line.partition('\t')
            self.forget_id(who)
            for s in filter(None, segments.split(',')):
                self.put(who, s, FOREVER, refuse, now)


class SegmentEvents(Model):
    """Audience Entered and Exited; an event that comes again under its id is no event."""
    def __init__(self):
        super().__init__()
        self.seen = set()

    def read(self, name, content, now, refuse):
        for e in json.loads(content)['batch']:
            if e['messageId'] in self.seen:
                continue
            self.seen.add(e['messageId'])
            key = e['properties']['audience_key']
            entered = {'Audience Entered': True, 'Audience Exited': False}[e['event']]
            assert e['properties'][key] is entered
            self.put(e['anonymousId'], key, FOREVER if entered else None, refuse, now)


# --- how it comes there


def unpack(name, data):
    return gzip.decompress(data) if name.endswith('.gz') else data


def nobody(who, segment):
    return False


def every_third(who, segment):
    return int(hashlib.md5((who + segment).encode()).hexdigest(), 16) % 3 == 0


class Platform(http.server.BaseHTTPRequestHandler):
    """Moods, one a request: ok, refuse (every third row), status codes, late (no answer in time), garbage, cut (an answer that breaks off)."""
    def do_POST(self):
        p = self.server.platform
        body = self.rfile.read(int(self.headers['Content-Length']))
        mood = p.down or (p.moods.pop(0) if p.moods else 'ok')
        p.requests.append((self.path, dict(self.headers), body))
        if mood == 'late':
            time.sleep(p.timeout)
            self.close_connection = True
            return
        if isinstance(mood, int):
            self.answer(mood, b'{"Message":"not now"}', {'Retry-After': '120'} if mood == 429 else {})
            return
        failed = p.model.read(self.path, gzip.decompress(body) if self.headers.get('Content-Encoding') == 'gzip' else body, p.crumb.now(),
                              every_third if mood == 'refuse' else nobody)
        if mood == 'garbage':
            self.answer(200, b'<html>')
        elif mood == 'cut':
            self.send_response(200)
            self.send_header('Content-Length', '1000')
            self.end_headers()
            self.wfile.write(b'{"Failed')
            self.close_connection = True
        else:
            self.answer(200, p.model.answer(failed))

    def answer(self, status, body, headers={}):
        self.send_response(status)
        for h in headers.items():
            self.send_header(*h)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


class Counting(http.server.ThreadingHTTPServer):
    """Knows how many requests are under way. Connections are taken in the order in which they came."""
    daemon_threads = True

    def __init__(self, *arguments):
        self.taken = self.done = 0
        super().__init__(*arguments)

    def process_request(self, request, address):
        self.taken += 1                             # on one thread
        super().process_request(request, address)

    def process_request_thread(self, request, address):
        try:
            super().process_request_thread(request, address)
        finally:
            with LOCK:
                self.done += 1


LOCK = threading.Lock()


class Partner:
    """Over HTTP."""
    def __init__(self, server, model=None):
        self.crumb, self.model, self.moods, self.requests, self.timeout, self.down = server, model or Ttd(), [], [], 3, None
        self.http = Counting(('127.0.0.1', 0), Platform)
        self.http.platform = self
        threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()
        self.url = 'http://127.0.0.1:%d/data/thirdparty' % self.http.server_address[1]

    def close(self):
        self.http.shutdown()
        self.http.server_close()

    def quiet(self):
        """Until what was sent, by somebody who was killed or did not wait for the answer, has been looked at: else it would come behind what is sent next."""
        c = http.client.HTTPConnection('127.0.0.1', self.http.server_address[1], timeout=60 * SLOW)
        c.request('GET', '/')                       # taken behind all that came before
        c.getresponse().read()
        c.close()
        until(lambda: self.http.taken == self.http.done)

    @property
    def rows(self):
        return self.model.rows

    def members(self):
        return self.model.members(self.crumb.now())


class Folder:
    """Files of a folder, each delivery once its manifest is there."""
    def quiet(self):
        pass

    def __init__(self, server, folder, model):
        self.crumb, self.folder, self.model, self.moods, self.taken = server, folder, model, [], set()

    @property
    def down(self):
        return os.path.isfile(self.folder)

    @down.setter
    def down(self, status):                         # something else stands where the folder was
        if status and not self.down:
            self.members()
            if os.path.isdir(self.folder):
                os.rename(self.folder, self.folder + '.away')
            open(self.folder, 'w').close()
        elif not status and self.down:
            os.remove(self.folder)
            if os.path.isdir(self.folder + '.away'):
                os.rename(self.folder + '.away', self.folder)

    def members(self):
        if os.path.isdir(self.folder):
            for m in manifests(self.folder, self.taken):
                self.taken.add(m['delivery'])
                for f in m['files']:
                    data = open(os.path.join(self.folder, f['name']), 'rb').read()
                    assert (len(data), hashlib.sha256(data).hexdigest()) == (f['bytes'], f['sha256']), f['name']
                    made = time.mktime(time.strptime(m['created'], '%Y-%m-%dT%H:%M:%SZ')) - time.timezone
                    self.model.read(f['name'], unpack(f['name'], data), made, nobody)
        return self.model.members(self.crumb.now())

    def close(self):
        pass


def manifests(folder, but=()):
    names = (f for f in os.listdir(folder) if f.endswith('.manifest.json') and f[:-len('.manifest.json')] not in but)
    return [json.load(open(os.path.join(folder, n))) for n in sorted(names, key=lambda f: int(f.split('.')[0].rsplit('-', 1)[1]))]


def read_rows(path):
    with open(path, 'rb') as f:
        return list(csv.DictReader(io.StringIO(unpack(path, f.read()).decode())))


def replay(folder, server):
    """All CSV files of a folder in the order of their names' times, as a partner would keep them."""
    for m in manifests(folder):
        for f in m['files']:
            assert len(read_rows(os.path.join(folder, f['name']))) == f['rows']
    return Folder(server, folder, Csv()).members()


def export_to(server, to, *arguments):
    """What `export --to` says as JSON, {} if it says nothing; the nightly work may look at the destination just then."""
    end = time.monotonic() + 60 * SLOW
    while True:
        r = server.cli('export', '--to', to, '--json', *arguments, ok=(0, 1))
        if 'by another process' not in r.stderr:
            return json.loads(r.stdout or '{}')
        assert time.monotonic() < end, r.stderr
        time.sleep(0.02)


def signature(secret, body):
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha1).digest()).decode()
