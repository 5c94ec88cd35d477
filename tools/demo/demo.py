#!/usr/bin/env python3
"""make run: crumbd on loopback, the demo shop beside it, and in the store 30 days of 20,000 made-up visitors, which are imported day by day with the clock moved along,
so that segments have a history, deliveries their changes and the lookalike something to learn from. Afterwards a few visitors go on shopping live.

All of it is in build/demo, with its configuration in build/demo.yaml; remove both to begin anew. Ends on Ctrl-C, SIGTERM or with its terminal; crumbd ends with it,
however it ends. Exit status 1 when crumbd did not start or did not stay."""
import ctypes
import fcntl
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

import live
import shop
import traffic

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
FOLDER = os.environ.get('CRUMB_DEMO', os.path.join(ROOT, 'build', 'demo'))
VISITORS = int(os.environ.get('CRUMB_DEMO_VISITORS', '20000'))
DAYS = 30
TOKEN = 'demo'
PR_SET_PDEATHSIG = 1

CONFIGURATION = '''# Written by make run; the next one writes it anew. crumb -c {file} COMMAND
store: {{path: "{folder}/store"}}
rules: {{path: "{folder}/rules"}}
destinations: {{path: "{folder}/destinations.yaml"}}
collect: {{listen: "127.0.0.1:{collect}"}}
admin: {{listen: "127.0.0.1:{admin}", token: {token}}}
sites: ["http://127.0.0.1:{page}", "http://localhost:{page}", "{origin}"]
privacy: {{k: 20}}
operator: {{name: The crumb shop (a demo), policy: "http://127.0.0.1:{page}/privacy"}}
# the shop and crumb are one site here, and there is no TLS on loopback
cookie: {{samesite: lax, secure: no}}
'''

DESTINATIONS = '''# Where the demo's audiences go. docs/DESTINATIONS.md explains every line.
version: 1
destinations:
  - id: page
  - id: newsletter                # the server delivers each morning what has changed; of the 30 days that are made in seconds, on some
    format: csv
    schedule: daily at 04:30
    deliver: {{directory: "{folder}/delivered/newsletter"}}
  - id: ads                       # by hand: crumb export --to ads
    format: ndjson
    deliver: {{directory: "{folder}/delivered/ads"}}
'''


def free(*ports):
    """The first port that nobody has; 0 is any."""
    for p in ports:
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(('127.0.0.1', p))
            except OSError:
                continue
            return s.getsockname()[1]
    sys.exit('no free port on 127.0.0.1')


def end_with_us():
    """In crumbd, before it begins: SIGTERM comes when this process is gone, also after kill -9 (prctl(2))."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def write(path, text):
    with open(path, 'w') as f:
        f.write(text)


def open_shop():
    try:
        return shop.serve(8000, '')
    except OSError:
        return shop.serve(0, '')


class Demo:
    def __init__(self):
        self.collect, self.admin = free(8080, 0), free(8081, 0)
        self.shop = open_shop()
        self.page = self.shop.server_address[1]
        self.file = FOLDER + '.yaml'
        self.whole = os.path.join(FOLDER, 'whole')    # is there when the store has all of its past
        self.crumbd = self.lock = None

    def prepare(self):
        """The folder, and whether a past has to be made. Rules and destinations that are there may have been edited, and stay."""
        if os.path.exists(FOLDER) and not os.path.isdir(FOLDER):
            sys.exit('%s is no folder' % FOLDER)
        os.makedirs(FOLDER, exist_ok=True)
        self.be_the_only_one()
        fresh = not os.path.exists(self.whole)
        if fresh:
            for name in ('store', 'delivered'):
                shutil.rmtree(os.path.join(FOLDER, name), ignore_errors=True)
        rules = os.path.join(FOLDER, 'rules')
        if not os.path.exists(rules):
            os.makedirs(rules)
            for path in (os.path.join(ROOT, 'etc', 'rules', 'shop.yaml'), os.path.join(HERE, 'rules', 'demo.yaml')):
                shutil.copy(path, rules)
        for name in ('newsletter', 'ads'):
            os.makedirs(os.path.join(FOLDER, 'delivered', name), exist_ok=True)
        if not os.path.exists(os.path.join(FOLDER, 'destinations.yaml')):
            write(os.path.join(FOLDER, 'destinations.yaml'), DESTINATIONS.format(folder=FOLDER))
        return fresh

    def be_the_only_one(self):
        """The lock ends with this process, however that ends."""
        self.lock = open(os.path.join(FOLDER, 'lock'), 'a+')
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self.lock.seek(0)
            sys.exit('another demo runs in %s: %s. End it with Ctrl-C first' % (FOLDER, self.lock.read().strip()))
        self.lock.truncate(0)
        self.lock.write('process %d, http://127.0.0.1:%d/\n' % (os.getpid(), self.page))
        self.lock.flush()

    def try_to_start(self):
        """What crumbd said, if it did not get ready."""
        write(self.file, CONFIGURATION.format(file=self.file, folder=FOLDER, collect=self.collect, admin=self.admin, token=TOKEN, page=self.page, origin=traffic.ORIGIN))
        with open(os.path.join(FOLDER, 'log'), 'a') as log:
            before = log.tell()
            self.crumbd = subprocess.Popen([os.path.join(ROOT, 'build', 'crumbd'), '-c', self.file, '--test-clock'], stdout=subprocess.PIPE, stderr=log, text=True,
                                           preexec_fn=end_with_us)
        if self.crumbd.stdout.readline().startswith('ready'):
            return None
        self.crumbd.wait()
        with open(os.path.join(FOLDER, 'log')) as log:
            log.seek(before)
            return log.read()

    def start(self):
        said = self.try_to_start()
        if said and 'in use by another program' in said:          # since we looked
            self.collect, self.admin = free(0), free(0)
            said = self.try_to_start()
        if said is not None:
            sys.exit('%scrumbd did not start; its words are above' % said)

    def ask(self, method, path, body=None):
        connection = http.client.HTTPConnection('127.0.0.1:%d' % self.admin, timeout=300)
        connection.request(method, path, body, {'Authorization': 'Bearer ' + TOKEN})
        answer = connection.getresponse()
        text = answer.read().decode(errors='replace')
        connection.close()
        if answer.status not in (200, 202):
            raise OSError('%s: %d %s' % (path, answer.status, text.strip()))
        return text

    def make_past(self):
        """crumbd was started with a clock of 29 days ago; each step brings in the day before, and goes on a day."""
        began, events = time.monotonic(), 0
        terminal = sys.stdout.isatty()
        print('making up %d days of a shop with %s visitors, with seed %d' % (DAYS, format(VISITORS, ','), traffic.SEED), flush=True)
        for i, lines in enumerate(traffic.days_of(int(time.time()), DAYS, VISITORS)):
            if i:
                self.ask('POST', '/v1/clock?advance=1d')
            self.ask('POST', '/v1/import', ''.join(lines).encode())
            events += len(lines)
            if terminal:
                print('\r  day %d of %d, %s events ' % (i + 1, DAYS, format(events, ',')), end='', flush=True)
            elif i % 10 == 9:
                print('  day %d of %d, %s events' % (i + 1, DAYS, format(events, ',')), flush=True)
        self.ask('POST', '/v1/settle')
        print('%s  training the lookalike' % ('\n' if terminal else ''), flush=True)
        try:
            self.ask('POST', '/v1/lookalikes/train', 'like-customers')
        except OSError as why:
            print('  not possible: %s' % why)
        write(self.whole, '')
        print('  done in %.0f s' % (time.monotonic() - began), flush=True)

    def words(self):
        here = os.path.join(os.getcwd(), '')
        folder, file = (p[len(here):] if p.startswith(here) else p for p in (FOLDER, self.file))
        crumb = 'build/crumb -c ' + file
        link = json.loads(self.ask('POST', '/v1/login/link'))['url']
        moved = '\nSome of the ports 8000, 8080 and 8081 are taken by others: the demo has others, as below.\n' if (self.page, self.collect, self.admin) != (8000, 8080, 8081) else ''
        return moved + '''
crumb is running, with {days} days of a made-up shop in it and a few visitors who go on shopping.

  open      {link}
            the dashboard: the link is good once, for ten minutes; {crumb} dashboard   makes another one
            http://127.0.0.1:{page}/       the shop: look at three coats and see your segments below the page
            http://127.0.0.1:{collect}/me     what crumb knows about your browser, and how to end it

  list      {crumb} segments list
            {crumb} segments show winter-coat-intenders
            {crumb} segments overlap coat-fans cart-abandoners
  ask       {crumb} rules preview 'outerwear >= 2 in 7d and country = DE'
  curve     {crumb} lookalike curve like-customers
            {crumb} lookalike explain like-customers
  deliver   {crumb} export --to ads           writes its segments, the lookalike among them, into {folder}/delivered/ads
            {crumb} deliveries                newsletter: on schedule, each with how many came and left
  time      {crumb} clock advance 14d         then reload the shop: your coats are forgotten
  rules     {crumb} rules deploy              after you edited {folder}/rules/shop.yaml: says who would enter and leave, asks, takes it

With 'export CRUMB_CONFIG={where}' no command needs -c. Log: {folder}/log. To begin anew: rm -r {folder}. Ctrl-C ends.
'''.format(days=DAYS, link=link, page=self.page, collect=self.collect, crumb=crumb, folder=folder, where=self.file)

    def end(self):
        if self.crumbd:
            self.crumbd.terminate()
            self.crumbd.wait()


def main():
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(0))
    demo = Demo()
    try:
        fresh = demo.prepare()
        if fresh:
            os.makedirs(os.path.join(FOLDER, 'store'), mode=0o700)
            write(os.path.join(FOLDER, 'store', 'clock'), str(-(DAYS - 1) * traffic.DAY))
        demo.start()
        if fresh:
            demo.make_past()
        shop.Shop.endpoint = 'http://127.0.0.1:%d' % demo.collect
        threading.Thread(target=demo.shop.serve_forever, daemon=True).start()
        live.start('127.0.0.1:%d' % demo.collect, traffic.ORIGIN)
        print(demo.words(), flush=True)
        demo.crumbd.wait()
        sys.exit('crumbd ended; %s/log says why' % FOLDER)
    except KeyboardInterrupt:
        pass
    except OSError as why:
        sys.exit('the demo cannot go on: %s' % why)
    finally:
        demo.end()


if __name__ == '__main__':
    main()
