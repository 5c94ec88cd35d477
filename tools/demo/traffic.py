#!/usr/bin/env python3
"""Made-up visitors of the demo shop, the same ones for the same seed: 30 days of 20,000 of them as lines for `crumb import`, and a few live ones.

traffic.py [DAYS [VISITORS]] prints the lines, oldest first. Each visitor has a device, a country, a department that draws it, and a *taste* from 0 to 1 that nobody
sees: who has more of it comes back more often, reads the lookbook and the size guide, and buys more. A lookalike of the customers can find that again; nothing here says who
is in which segment."""
import random
import sys
import time

DAY = 86400
SEED = 16
ORIGIN = 'https://shop.example'
PAGES = {
    'coats': ['/coats/winter-parka', '/coats/rain-coat', '/coats/duffle-coat'],
    'shoes': ['/shoes/running', '/shoes/loafers'],
}
PRICES = {'/coats/winter-parka': 249, '/coats/rain-coat': 129, '/coats/duffle-coat': 199, '/shoes/running': 119, '/shoes/loafers': 149}
AGENTS = [
    'Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Mobile Safari/537.36',
    'Mozilla/5.0 (iPhone; CPU iPhone OS 17_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 Mobile/15E148 Safari/604.1',
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36',
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 Safari/605.1.15',
    'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0',
]
AGENT_SHARES = [34, 26, 25, 9, 6]
# an address of each country: only its place is kept
ADDRESSES = {'DE': '5.9.0.1', 'GB': '81.2.69.142', 'FR': '212.27.48.10', 'US': '8.8.8.8'}
COUNTRY_SHARES = [48, 22, 17, 13]
REFERRERS = ['https://www.google.com/', 'https://duckduckgo.com/', 'https://www.instagram.com/', 'https://news.example/', '']
REFERRER_SHARES = [38, 6, 18, 8, 30]
WEEK = [1.0, 0.9, 0.92, 0.98, 1.1, 1.3, 1.4]           # from Monday on
HOURS = [2, 1, 1, 1, 1, 2, 4, 6, 7, 8, 9, 9, 10, 9, 9, 9, 10, 11, 13, 15, 16, 14, 9, 5]


class Visitor:
    def __init__(self, rng):
        self.taste = rng.betavariate(1.2, 2.6)
        self.agent = rng.choices(AGENTS, AGENT_SHARES)[0]
        self.address = rng.choices(list(ADDRESSES.values()), COUNTRY_SHARES)[0]
        self.draw = rng.choices(('coats', 'shoes', 'both'), (46, 34, 20))[0]

    def sessions(self, rng):
        """Days after its first one on which it comes."""
        days, day = [0], 0
        while rng.random() < 0.25 + 0.55 * self.taste and len(days) < 12:
            day += 1 + int(rng.expovariate(1 / 3.5))
            days.append(day)
        return days

    def session(self, rng):
        """What it does, in order: (name, path with query, referrer, value, department)."""
        referrer = rng.choices(REFERRERS, REFERRER_SHARES)[0]
        query = '?utm_campaign=winter-sale' if referrer.startswith('https://www.insta') and rng.random() < 0.6 else ''
        did = [('view', ('/' if rng.random() < 0.4 else '/sale' if query else '/lookbook' if rng.random() < self.taste else '/') + query, referrer, None, None)]
        for _ in range(1 + min(6, int(rng.expovariate(1 / (0.6 + 2.6 * self.taste))))):
            department = self.draw if self.draw != 'both' else rng.choice(('coats', 'shoes'))
            path = rng.choice(PAGES[department])
            did.append(('view', path, ORIGIN + '/', None, None))
            if rng.random() < 0.10 + 0.35 * self.taste:
                did.append(('view', '/size-guide', ORIGIN + path, None, None))
            if rng.random() < 0.02 + 0.16 * self.taste:
                did.append(('add_to_cart', path, '', None, department))
                if rng.random() < 0.12 + 0.45 * self.taste:
                    did.append(('purchase', path, '', PRICES[path], department))
                    did.append(('view', '/checkout/thank-you', ORIGIN + path, None, None))
                    break
        return did


def starts(rng, begin, days, n):
    """First days: more at weekends, and more as winter comes."""
    shares = [WEEK[(begin // DAY + i + 3) % 7] * (0.8 + 0.5 * i / days) for i in range(days)]
    return rng.choices(range(days), shares, k=n)


def line(who, t, event, agent, address):
    name, path, referrer, value, department = event
    return '{"id":"v%d","t":%d,"e":"%s","u":"%s%s"%s%s%s,"ua":"%s","ip":"%s"}\n' % (
        who, t, name, ORIGIN, path, ',"r":"%s"' % referrer if referrer else '', ',"v":%d' % value if value else '',
        ',"a":{"department":"%s"}' % department if department else '', agent, address)


def days_of(now, days=30, visitors=20000, seed=SEED):
    """A list of lines for each of the days of 24 hours that end with now."""
    rng = random.Random(seed)
    first = now // DAY * DAY - days * DAY
    hours = list(range(24))
    out = [[] for _ in range(days)]
    for who, start in enumerate(starts(rng, first, days + 1, visitors)):
        v = Visitor(rng)
        for day in v.sessions(rng):
            t = first + (start + day) * DAY + rng.choices(hours, HOURS)[0] * 3600 + rng.randrange(3600)
            for event in v.session(rng):
                if now - days * DAY <= t < now:
                    out[(t - now) // DAY].append((t, line(who, t, event, v.agent, v.address)))
                t += 8 + int(rng.expovariate(1 / 40))
    for lines in out:
        lines.sort()
    return [[text for _, text in lines] for lines in out]


if __name__ == '__main__':
    for lines in days_of(int(time.time()), *map(int, sys.argv[1:])):
        sys.stdout.writelines(lines)
