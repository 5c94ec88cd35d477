"""An answer that is lost on its way: what can be asked again is, once, and counts once."""
import json
import os
import socket
import threading
import time

from harness import DAY


class Between:
    """Stands before the admin listener and loses the answers to the first requests for a path: the connection goes without a byte."""

    def __init__(self, server, path, lose=1, ask=True):
        self.to, self.path, self.lose, self.ask, self.seen = server.admin, path, lose, ask, 0
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.lock = threading.Lock()
        threading.Thread(target=self.accept, daemon=True).start()
        with open(os.path.join(server.store, 'admin'), 'w') as f:
            f.write('127.0.0.1:%d\n%s\n' % (self.listener.getsockname()[1], server.token))

    def accept(self):
        while True:
            try:
                c, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.carry, args=(c,), daemon=True).start()

    def carry(self, c):
        data = b''
        while b'\r\n\r\n' not in data:
            data += c.recv(65536)
        head, _, body = data.partition(b'\r\n\r\n')
        length = [int(l.split(b':')[1]) for l in head.split(b'\r\n') if l.lower().startswith(b'content-length:')]
        while length and len(body) < length[0]:
            body += c.recv(65536)
        with self.lock:
            lost = self.path in head.split(b'\r\n')[0].decode() and self.seen < self.lose
            self.seen += self.path in head.split(b'\r\n')[0].decode()
        answer = b''
        if not lost or self.ask:
            host, port = self.to.rsplit(':', 1)
            with socket.create_connection((host, int(port))) as s:
                s.sendall(head.replace(b'\r\n', b'\r\nConnection: close\r\n', 1) + b'\r\n\r\n' + body)
                while part := s.recv(65536):
                    answer += part
        if not lost:
            c.sendall(answer)
        c.close()

    def close(self):
        self.listener.close()


def lines(n):
    return [{'id': 'v%d' % i, 't': int(time.time()) - DAY, 'e': 'view', 'u': 'https://shop.example/coats/1'} for i in range(n)]


def test_an_import_is_asked_once_more_and_counts_once(server):
    for number, ask in enumerate((True, False)):            # the server did it and the answer is lost, or it never heard of it
        between = Between(server, '/v1/import?', ask=ask)
        totals = server.import_lines([dict(l, id='%s-%d' % (l['id'], number)) for l in lines(50)])
        assert between.seen == 2, totals
        between.close()
        server.settle()
        assert server.js('db', 'stat')['events'] == 50 * (number + 1), totals


def test_a_question_is_asked_once_more(server):
    between = Between(server, '/v1/segments')
    assert server.sizes() and between.seen == 2
    between.close()


def test_what_is_lost_twice_is_said(server):
    between = Between(server, '/v1/segments', lose=9)
    r = server.cli('segments', 'list', ok=(1,))
    assert 'does not answer' in r.stderr and between.seen == 2
    between.close()


def test_a_backup_is_not_asked_twice(server):
    between = Between(server, '/v1/backup')
    r = server.cli('db', 'backup', os.path.join(server.dir, 'backup'), ok=(1,))
    assert 'does not answer' in r.stderr and between.seen == 1
    between.close()


def test_a_piece_that_counts_again_is_not_asked_twice(server):
    path = os.path.join(server.dir, 'events.ndjson')
    with open(path, 'w') as f:
        f.writelines(json.dumps(l) + '\n' for l in lines(50))
    server.cli('import', path)
    between = Between(server, '/v1/import?')
    r = server.cli('import', path, '--again', ok=(1,))
    assert 'does not answer' in r.stderr and between.seen == 1
    between.close()
    server.settle()
    assert server.js('db', 'stat')['events'] == 100


def test_a_server_that_starts_is_waited_for(server):
    """It has the lock of its store, and has not named its listener yet."""
    named, hidden = os.path.join(server.store, 'admin'), os.path.join(server.store, 'admin.later')
    os.rename(named, hidden)
    late = threading.Timer(1, os.rename, (hidden, named))
    late.start()
    assert server.js('segments', 'list')
    late.join()
    os.rename(named, hidden)
    assert 'its admin listener is not known' in server.cli('segments', 'list', ok=(1,)).stderr
    os.rename(hidden, named)
