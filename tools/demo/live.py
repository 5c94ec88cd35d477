"""Live visitors beside the made-up past: they load the pixel as browsers do, with a cookie each, a few times a second, until the demo ends."""
import http.client
import random
import threading
import urllib.parse

import traffic

SHOPPERS = 40


class Shopper:
    def __init__(self, rng):
        self.who, self.cookie, self.left = traffic.Visitor(rng), None, []

    def go_on(self, rng, connection, origin):
        """The next thing it does; a new session when the last one is over."""
        if not self.left:
            self.left = self.who.session(rng)
        name, path, referrer, value, department = self.left.pop(0)
        query = {'e': name, 'u': origin + path, 'r': referrer}
        if value:
            query['v'] = value
        if department:
            query['a.department'] = department
        headers = {'User-Agent': self.who.agent}
        if self.cookie:
            headers['Cookie'] = 'crumb=' + self.cookie
        connection.request('GET', '/p.gif?' + urllib.parse.urlencode(query), headers=headers)
        answer = connection.getresponse()
        answer.read()
        for field in answer.headers.get_all('Set-Cookie') or []:
            key, _, rest = field.partition('=')
            if key == 'crumb':
                self.cookie = rest.split(';')[0]


def run(collect, origin, stop):
    """crumbd may be away for a while: then nobody shops."""
    rng = random.Random()
    shoppers = [Shopper(rng) for _ in range(SHOPPERS)]
    connection = http.client.HTTPConnection(collect, timeout=10)
    while not stop.wait(rng.expovariate(2)):
        try:
            rng.choice(shoppers).go_on(rng, connection, origin)
        except (OSError, http.client.HTTPException):
            connection.close()


def start(collect, origin):
    stop = threading.Event()
    threading.Thread(target=run, args=(collect, origin, stop), daemon=True).start()
    return stop
