"""Who did what: a line of JSON each in the file `history`, for 90 days and not without end."""
import json
import os
import stat

from harness import DAY


def history(server, query=''):
    status, _, data = server.http('GET', '/v1/history' + query, admin=True)
    assert status == 200, data
    return json.loads(data)


def test_what_was_done_stands_in_the_history(server):
    before = server.now()
    assert history(server) == []
    assert server.http('POST', '/v1/reload', admin=True)[0] == 200
    server.import_lines([{'id': 'anna', 'u': 'https://shop.example/coats/1'}] * 3)
    server.import_lines([{'id': 'bert', 'u': 'https://shop.example/coats/1'}] * 3)
    assert server.http('POST', '/v1/visitors/erase?key=' + '0' * 31 + '1', admin=True)[0] == 200
    rows = history(server)
    assert [(r['what'], r['who'], r['role'], r['of'], r['why']) for r in rows] == [
        (what, 'operator', 'operator', '', '') for what in ('visitors.erase', 'import', 'reload')]        # newest first, and an import once an hour
    assert all(before <= r['t'] <= server.now() for r in rows)
    path = os.path.join(server.store, 'history')
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    with open(path) as f:
        text = f.read()
    assert [json.loads(l) for l in reversed(text.splitlines())] == rows and '0001' not in text, 'no key of a visitor'
    assert server.http('POST', '/v1/clock/confirm', admin=True)[0] == 200 and history(server)[0]['what'] == 'clock.confirm'


def test_nobody_pushes_out_what_others_did(server):
    assert server.http('POST', '/v1/reload', admin=True)[0] == 200
    for _ in range(5):                          # by turns, so that neither is what was said last
        assert server.http('POST', '/v1/login', b'token=' + server.token.encode(), admin=True)[0] == 303
        assert server.http('POST', '/v1/login/link', admin=True)[0] == 200
    assert [r['what'] for r in history(server)] == ['login.link', 'login', 'reload']
    server.advance('1h')
    assert server.http('POST', '/v1/login/link', admin=True)[0] == 200
    assert [r['what'] for r in history(server)] == ['login.link', 'login.link', 'login', 'reload']


def test_what_failed_is_not_in_the_history(server):
    assert server.http('POST', '/v1/quarantine/release', 'nonsense', admin=True)[0] == 400
    assert server.http('POST', '/v1/lookalikes/train', 'nobody', admin=True)[0] == 404
    assert server.http('POST', '/v1/import?dry=1', '{"id":"anna","u":"https://shop.example/"}\n', admin=True)[0] == 200
    assert history(server) == []


def test_the_history_ends_after_90_days(server):
    assert server.http('POST', '/v1/reload', admin=True)[0] == 200
    server.advance('40d')
    assert server.http('POST', '/v1/reload', admin=True)[0] == 200
    assert len(history(server)) == 2 and len(history(server, '?days=30')) == 1
    server.advance('51d')
    assert server.http('GET', '/v1/segments', admin=True)[0] == 200         # the first job of a day
    with open(os.path.join(server.store, 'history')) as f:
        assert len(f.read().splitlines()) == 1, 'gone from the file as well'
    assert len(history(server)) == 1
    for wrong in ('0', '91', 'x'):
        status, _, data = server.http('GET', '/v1/history?days=' + wrong, admin=True)
        assert status == 400 and b'1 to 90' in data


def test_a_history_of_any_content_is_read(server):
    """A line that a crash cut off, lines of nonsense, and more than it may hold."""
    path, now = os.path.join(server.store, 'history'), server.now()
    row = {'t': now - DAY, 'who': 'anna', 'role': 'marketer', 'what': 'rules.publish', 'of': 'shop.yaml', 'why': 'w' * 400}
    line = json.dumps(row)
    with open(path, 'w') as f:
        f.write('nonsense\n\x00\x01\n[]\n{}\n%s\n%s' % (line, line[:40]))
    assert history(server) == [row]
    assert server.http('POST', '/v1/reload', admin=True)[0] == 200
    assert [r['what'] for r in history(server)] == ['reload', 'rules.publish']
    with open(path, 'w') as f:
        f.writelines(line + '\n' for _ in range((2 << 20) // len(line) + 50))
    server.advance('1h')
    assert server.http('POST', '/v1/reload', admin=True)[0] == 200
    assert server.http('GET', '/v1/segments', admin=True)[0] == 200
    assert os.stat(path).st_size < 2 << 20
    rows = history(server)
    assert len(rows) == 1000 and rows[0]['what'] == 'reload' and rows[1] == row
