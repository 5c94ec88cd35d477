#!/usr/bin/env python3
"""make run: crumbd on loopback with the example rules, and the demo shop beside it. Ends on Ctrl-C, SIGTERM or with its terminal; crumbd ends with it, however it
ends. Exit status 1 when crumbd did not start or did not stay."""
import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading

import shop

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
STORE = os.environ.get('CRUMB_DEMO_STORE', os.path.join(ROOT, 'build', 'demo-store'))
PR_SET_PDEATHSIG = 1


def free(port):
    """The port if nobody has it, else any free one."""
    for p in (port, 0):
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(('127.0.0.1', p))
                return s.getsockname()[1]
            except OSError:
                pass
    sys.exit('no free port on 127.0.0.1')


def end_with_us():
    """In crumbd, before it begins: SIGTERM comes when this process is gone, also after kill -9 (prctl(2))."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def main():
    collect, admin, page = free(8080), free(8081), free(8000)
    options = {
        'store.path': STORE,
        'rules.path': os.path.join(ROOT, 'etc', 'rules'),
        'collect.listen': '127.0.0.1:%d' % collect,
        'admin.listen': '127.0.0.1:%d' % admin,
        'admin.token': 'demo',
        'sites': 'http://127.0.0.1:%d,http://localhost:%d' % (page, page),
        'privacy.k': '20',
        # the shop and crumb are one site here, and there is no TLS on loopback
        'cookie.samesite': 'lax',
        'cookie.secure': 'no',
    }
    crumbd = subprocess.Popen([os.path.join(ROOT, 'build', 'crumbd'), '--test-clock'] + [a for k, v in options.items() for a in ('-o', k + '=' + v)],
                              stdout=subprocess.PIPE, text=True, preexec_fn=end_with_us)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(0))
    try:
        if not crumbd.stdout.readline().startswith('ready'):
            sys.exit('crumbd did not start; its words are above')
        server = shop.serve(page, 'http://127.0.0.1:%d' % collect)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        cli = 'build/crumb -o store.path=build/demo-store -o privacy.k=20'
        print('''
crumb is running.

  open    http://127.0.0.1:%d/              the demo shop; look at three coats and see your segments below the page
  try     %s segments list
          %s categories list
          curl -s http://127.0.0.1:%d/segments
  time    curl -s -X POST -H 'Authorization: Bearer demo' 'http://127.0.0.1:%d/v1/clock?advance=14d'
          moves the clock: reload the shop, the coats are forgotten
  rules   edit etc/rules/shop.yaml, then: kill -HUP %d
  metrics curl -s -H 'Authorization: Bearer demo' http://127.0.0.1:%d/metrics

The store is build/demo-store; remove it to begin anew. Ctrl-C ends.
''' % (page, cli, cli, collect, admin, crumbd.pid, admin), flush=True)
        crumbd.wait()
        sys.exit('crumbd ended')
    except KeyboardInterrupt:
        pass
    finally:
        crumbd.terminate()
        crumbd.wait()


if __name__ == '__main__':
    main()
