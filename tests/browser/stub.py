#!/usr/bin/python3
"""A server whose dashboard is crumbd's and whose numbers are made up: any count of segments, long names and names from right to left, what is withheld,
what fails. `stub.py --segments 500` alone serves the files of src/web and prints where, to look at a screen while it is being written."""
import argparse
import datetime
import http.client
import http.server
import json
import os
import random
import sys
import threading
import time
import urllib.parse

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TYPES = {'.html': 'text/html; charset=utf-8', '.css': 'text/css', '.js': 'text/javascript', '.svg': 'image/svg+xml', '.txt': 'text/plain'}
sys.path.append(os.path.join(ROOT, 'tools'))
import web  # noqa: E402
NAMES = ['Coat fans', 'Winter coat intenders', 'Customers', 'Lapsed buyers', 'Loyal readers', 'Bargain hunters', 'First visit this week', 'مهتمون بالأحذية الشتوية',
         'Shoppers who looked at a very long list of outdoor jackets, parkas and rain coats, and have not bought one of them in thirty days', 'Laufschuhe & Größenberater-Nutzer',
         'Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft']
CATEGORIES = [('apparel', 'Apparel'), ('apparel.coats', 'Coats'), ('apparel.coats.parkas', 'Parkas'), ('apparel.shoes', 'Shoes'), ('cart', 'Cart'), ('purchase', 'Bought something'), ('news', 'News'), ('news.sport', 'Sport, with scores and tables of every league')]


# answers that depend on what was sent
WITH_BODY = {'/v1/ask/overlap', '/v1/ask/preview', '/v1/ask/words', '/v1/ask/explain', '/v1/rules/edit', '/v1/rules/check', '/v1/rules/diff', '/v1/rules/publish', '/v1/lookalikes/train', '/v1/quarantine/release'}


def days(n):
    today = datetime.date.today()
    return [str(today - datetime.timedelta(n - 1 - i)) for i in range(n)]


class World:
    """Numbers that are the same at every question, as a server's are."""

    def __init__(self, segments=10, role='operator', fail=(), absent=(), signed=True):
        self.n, self.role, self.fail, self.absent, self.signed = segments, role, set(fail), set(absent), signed
        self.asked, self.made, self.editable, self.edits, self.published, self.refuse = [], True, True, [], [], []
        self.explained = []
        r = random.Random(7)
        self.segments = [self.segment(i, r) for i in range(segments)]
        self.series = {s['id']: self.walk(s['size'], r) for s in self.segments}

    def segment(self, i, r):
        size = None if i % 9 == 5 else int(10 ** r.uniform(2, 5.5))
        s = {'id': 'segment-%d' % i if i >= len(NAMES) else ['coat-fans', 'coat-intenders', 'customers', 'lapsed', 'loyal', 'bargains', 'first-week', 'shoes-ar', 'long-list', 'laufschuhe', 'dampf'][i],
             'name': NAMES[i % len(NAMES)] + ('' if i < len(NAMES) else ' %d' % i), 'kind': 'lookalike' if i % 10 == 8 else 'rule', 'state': ['active', 'active', 'active', 'paused', 'active', 'active', 'ended'][i % 7],
             'complete': i % 8 != 6, 'size': size, 'share': None if size is None else size / 1e6}
        if size is None:
            s['below'] = 50
        if i % 2 == 0:
            s.update(destinations=['ads', 'newsletter'][:1 + i % 3 // 2], owner=['Anna Lindqvist', 'شركة الإعلانات', 'crm@shop.example'][i % 3], labels=['retail', 'season'][:1 + i % 2])
        if i % 6 == 1:
            s['alert'] = {'below': 500, 'firing': i % 12 == 1}
        if i % 5 == 4:
            s['history_from'] = days(40)[0]
        if s['kind'] == 'lookalike':
            s['lookalike'] = {'seed': 'customers', 'reach': 'the likeliest 5,000', 'refresh_days': 7, 'trained': days(3)[0], 'auc': 0.83, 'activity_auc': 0.71, 'lift_at_10': 4.2, 'over': False}
        return s

    def walk(self, size, r):
        if size is None:
            return {k: [None] * 90 for k in ('size', 'entered', 'left')}
        out, v = [], size
        for _ in range(90):
            out.append(int(v))
            v = max(0, v * r.uniform(0.965, 1.03))
        out.reverse()
        gone = [None] * 20 if size % 3 == 0 else []
        return {'size': gone + out[len(gone):], 'entered': gone + [int(v * r.uniform(0.02, 0.05)) for v in out[len(gone):]], 'left': gone + [int(v * r.uniform(0.01, 0.05)) for v in out[len(gone):]]}

    # --- answers, by path; a function takes the query

    def groups(self, names, r, total):
        return [{'id': i, 'name': n, 'visitors': None if r.random() < 0.12 else int(total * r.random()), 'share': (s := r.random()), 'everybody': s / (f := r.uniform(0.3, 4)), 'index': int(100 * f)} for i, n in names]

    def v1_who(self, q):
        return {'name': 'anna', 'role': self.role, 'until': int(time.time()) + 3600, 'below': self.k}

    def v1_segments(self, q):
        return self.segments

    k = 50

    def find(self, q):
        return next((s for s in self.segments if s['id'] == q.get('id')), None)

    def v1_segment(self, q):
        s, n = self.find(q), int(q.get('days', 30))
        if not s:
            return 404, {'error': 'there is no segment "%s"' % q.get('id')}
        t = self.series[s['id']]
        return {**s, 'when': 'coats >= 3 in 14d and not purchase in 30d', 'recorded_since': days(90)[0],
                'days': [{'day': d, 'recorded': a is not None, 'size': a, 'entered': b, 'left': c} for d, a, b, c in list(zip(days(90), t['size'], t['entered'], t['left']))[-n:]]}

    def v1_categories(self, q):
        r = random.Random(3)
        return [{'id': i, 'name': n, 'complete': True, 'visitors': None if i == 'news' else int(10 ** r.uniform(3, 5.6)), **({'below': 50} if i == 'news' else {'share': 0.2})} for i, n in CATEGORIES] if self.n else []

    def v1_report(self, q):
        return {'made': int(time.time()) - 3600 if self.made else None, 'day': days(1)[0], 'rules': 'ab12', 'current': self.made, 'running': False}

    def v1_report_segment(self, q):
        s, r = self.find(q), random.Random(5)
        if not s:
            return 404, {'error': 'there is no segment "%s"' % q.get('id')}
        words = 'Visitors who looked at coats at least 3 times in the last 14 days, and did not buy anything in the last 30 days.'
        if not self.made:
            return {'id': s['id'], 'made': None, 'words': words, 'size': None, 'visitors': None, 'categories': [], 'devices': [], 'countries': [], 'nearest': [], 'funnel': []}
        size = s['size'] or 0
        return {'id': s['id'], 'made': int(time.time()) - 3600, 'words': words, 'size': s['size'], 'visitors': 1000000,
                'categories': self.groups(CATEGORIES, r, size), 'devices': self.groups([('phone', 'Phone'), ('desktop', 'Desktop'), ('tablet', 'Tablet')], r, size), 'countries': self.groups([('DE', 'DE'), ('AT', 'AT'), ('CH', 'CH'), ('FR', 'FR')], r, size),
                'nearest': [{'id': o['id'], 'name': o['name'], 'both': None if i == 3 else int(size * 0.4 / (i + 1)), 'of_this': None if i == 3 else 0.4 / (i + 1), 'of_that': None if i == 3 else 0.2 / (i + 1)} for i, o in enumerate(x for x in self.segments[:11] if x is not s)][:10],
                'funnel': [{'clause': 'coats >= 3 in 14d', 'words': 'looked at coats at least 3 times in 14 days', 'size': s['size'] and s['size'] * 2}, {'clause': 'not purchase in 30d', 'words': 'did not buy in 30 days', 'size': s['size']}]}

    def v1_report_segments(self, q):
        n = int(q.get('days', 30))
        return {'days': days(n), 'segments': [{'id': s['id'], 'recorded_since': days(90)[0], **{k: v[-n:] for k, v in self.series[s['id']].items()}} for s in self.segments]}

    def v1_report_categories(self, q):
        n, r = int(q.get('days', 90)), random.Random(11)
        return {'made': int(time.time()) - 3600, 'days': days(n + 1)[:-1], 'categories': [{'id': i, 'name': name, 'events': [None if i == 'news' else int(r.uniform(800, 1400)) for _ in range(n)], 'visitors': [None if i == 'news' else int(r.uniform(300, 600)) for _ in range(n)]}
                                                                                       for i, name in CATEGORIES if q.get('id') in (None, i)] if self.n else []}

    def v1_report_journeys(self, q):
        if not self.n:
            return {'made': int(time.time()) - 3600, 'journeys': []}
        paths = [(['cart'], 4100, 2), (['apparel.shoes'], 2600, 1.5), (['cart', 'purchase'], 1900, 3), (['cart', 'apparel.shoes'], 300, 1), (['cart', 'purchase', 'apparel.shoes'], None, None)]
        return {'made': int(time.time()) - 3600, 'journeys': [{'id': 'to-buy', 'name': 'From coats to a purchase', 'from': 'apparel.coats', 'within_days': 14, 'visitors': 12000,
                                                              'paths': [{'steps': s, 'visitors': v, 'share': v and v / 12000, 'median_days': m} for s, v, m in paths]}]}

    def v1_report_hits(self, q):
        n, r = int(q.get('days', 90)), random.Random(13)
        rows = [('hits', '', 'hits that the consent gate let through', 90000), ('events', '', 'events that count', 86000), ('refused', 'opted_out', 'The browser has opted out.', 3000), ('refused', 'gpc', 'The browser sends Global Privacy Control.', 5200),
                ('refused', 'no_consent', 'No consent was given.', 11000), ('set_aside', 'agent', 'The agent is a program.', 2200), ('set_aside', 'burst', 'Too many hits in a minute.', 300), ('dropped', 'query', 'parts of a query', 40000),
                ('cookies', 'known', 'hits with a cookie of ours', 61000), ('cookies', 'new', 'hits without', 29000), ('lookups', '', 'answers of /segments', 120000)]
        return {'days': days(n), 'recorded_since': days(60)[0], 'rows': [{'what': w, 'reason': why, 'help': h, 'by_day': [None if i < n - 60 else int(m * r.uniform(0.7, 1.2)) if self.n else 0 for i in range(n)]} for w, why, h, m in rows]}

    def v1_report_deliveries(self, q):
        n, r = int(q.get('days', 90)), random.Random(17)
        return {'days': days(n), 'destinations': [{'id': d, **{k: [int(m * r.uniform(0.8, 1.2)) for _ in range(n)] for k, m in (('members', 20000), ('with_id', 14000), ('added', 900), ('removed', 700), ('refused', 12), ('failures', 0.9))}}
                                                  for d in ('ads', 'newsletter', 'page') if q.get('destination') in (None, d)] if self.n else []}

    def v1_report_summary(self, q):
        if not self.n:
            return {'day': days(1)[0], 'visitors': 0, 'visitors_complete': True, 'hits': 0, 'events': 0, 'refused': [], 'set_aside': [], 'lag_s': 0.02, 'disk_free': 0.61, 'attention': [], 'movers': {'day': [], 'week': []}}
        movers = [{'id': s['id'], 'name': s['name'], 'before': s['size'] and int(s['size'] * f), 'size': s['size'], 'change': int((s['size'] or 900) * (1 - f))} for s, f in zip(self.segments, (0.8, 1.1, 0.97, 1.02, 0.9, 0.99, 1.3, 1.01, 0.98, 1.06))]
        return {'day': days(1)[0], 'visitors': 1048576, 'visitors_complete': False, 'hits': 84213, 'events': 80122, 'refused': [{'reason': 'no_consent', 'hits': 10811}, {'reason': 'gpc', 'hits': 4012}, {'reason': 'opted_out', 'hits': 2210}],
                'set_aside': [{'reason': 'agent', 'hits': 2011}, {'reason': 'burst', 'hits': 120}], 'lag_s': 0.4, 'disk_free': 0.61,
                'attention': [{'what': 'alert', 'id': 'coat-intenders', 'says': 'Winter coat intenders has fewer members than 500', 'link': '#/segments/coat-intenders'}, {'what': 'delivery', 'id': 'ads', 'says': 'the latest delivery to ads failed: 503 Service Unavailable', 'link': '#/destinations/ads'},
                              {'what': 'rule', 'id': 'news.sport', 'says': 'news.sport has matched nothing for 14 days', 'link': '#/categories/news.sport'}, {'what': 'history', 'id': 'loyal', 'says': 'loyal is counted from 18 Oct on', 'link': '#/segments/loyal'}],
                'movers': {'day': movers, 'week': movers[::-1]}}

    def v1_destinations(self, q):
        rows = [('ads', 'ndjson', 'file', '/var/spool/crumb/ads', 'by hand', 21000, 14700, 'failed'), ('newsletter', 'csv', 'https', 'https://partner.example/upload/a-rather-long-path/of-a-partner', 'daily at 04:30', 9000, 9000, 'delivered'), ('page', 'page', 'page', None, None, None, None, None)]
        return [{'id': i, 'format': f, 'deliver': d, 'to': to, 'every': e, 'segments': [s['id'] for s in self.segments if i in s.get('destinations', ())], 'partner': None if i == 'page' else 'adnet', 'members': m, 'with_id': w, 'match_rate': None if m is None else w / m,
                 'last': state and self.delivery(i, state)} for i, f, d, to, e, m, w, state in rows] if self.n else []

    def delivery(self, to, state, ago=0):
        return {'delivery': '%s-delta-%d' % (to, 1795761701 - ago * 86400), 'destination': to, 'mode': 'delta', 'state': state, 'ended': (datetime.datetime.utcnow() - datetime.timedelta(ago, 7200)).strftime('%Y-%m-%dT%H:%M:%SZ'), 'added': 912, 'removed': 701, 'refused': 0, 'files': 2, 'owed': None, 'not_sent': {'no_id': 6300, 'no_consent': 410, 'other_source': None, 'held_out': 1200}, 'why': '503 Service Unavailable: try later' if state == 'failed' else ''}

    def v1_deliveries(self, q):
        return {'deliveries': [self.delivery(q.get('to'), 'failed' if i == 0 and q.get('to') == 'ads' else 'delivered', i) for i in range(12)]}

    def v1_delivery_head(self, q):
        if q.get('to') != 'ads':
            return {'destination': q.get('to'), 'format': 'page', 'state': 'asked'}
        return {'destination': 'ads', 'format': 'csv', 'state': 'file', 'delivery': 'ads-delta-1795761701', 'file': 'ads_delta_20261127T043000Z_part001.csv.gz', 'more': True, 'part': False, 'below': 50,
                'lines': ['id,segment,expires,action', '••••,a-segment-of-a-rather-long-name-that-has-no-blank-in-it-at-all-and-goes-on,2026-12-30,add', '••••,coat-fans,2026-12-31,add']}

    def v1_rules_history(self, q):
        return [{'n': 3, 't': int(time.time()) - 5 * 86400, 'who': 'anna', 'why': 'coats count for two weeks', 'hash': 'ab12', 'file': 'shop.yaml', 'segments': [{'id': 'coat-fans', 'before': 1200, 'after': 1710}], 'undoes': None}]

    def v1_rules_status(self, q):
        return {'hash': 'ab12cd34', 'serving_since': int(time.time()) - 86400, 'complete': True, 'generation': 4, 'newest': 4, 'path': '/etc/crumb/rules', 'trouble': None, 'backfill': None, 'partial': [{'what': 'segment', 'id': 'loyal', 'from': days(40)[0], 'why': 'the journal begins there'}] if self.n else []}

    def v1_quarantine(self, q):
        return [{'reason': 'agent', 'pattern': 'curl', 'events': 2011, 'first_day': days(30)[0], 'last_day': days(1)[0]}, {'reason': 'burst', 'pattern': '', 'events': 120, 'first_day': days(9)[0], 'last_day': days(2)[0]}] if self.n else []

    def v1_signals(self, q):
        return {'made': int(time.time()) - 3600, 'current': True, 'running': False, 'days': 30, 'unused': [{'kind': 'event', 'value': 'wishlist', 'visitors': 2100, 'events': 4000}, {'kind': 'path', 'value': '/a-folder-of-a-rather-long-name/of-many-parts/*', 'visitors': 900, 'events': 1000}] if self.n else [], 'idle_categories': ['news.sport'] if self.n else [], 'idle_segments': []}

    # --- acting

    def v1_lookalike_curve(self, q):
        points = [(r, min(0.98, (r * 9) ** 0.5 / 1.5), min(0.9, r * 3)) for r in (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5)]
        words = ['something of Coats in the last 30 days', 'at least 5 events of Shoes', 'Running, in what is kept', 'comes from AT', 'a phone']
        return {'id': q.get('id'), 'trained': days(3)[0], 'auc': 0.83, 'activity_auc': 0.71, 'lift_at_10': 4.2, 'warnings': ['the seed is small: fewer than 1,000'],
                'curve': [{'reach': r, 'recall': v, 'low': v * 0.9, 'high': min(1, v * 1.08), 'precision': 0.4 * (1 - r), 'lift': v / r, 'activity_recall': a} for r, v, a in points],
                'features': [{'f': 'c%d' % i, 'w': (9 - 4 * i) * 90000, 'seed': None if i == 3 else 0.6 - 0.1 * i, 'others': 0.2, 'words': w} for i, w in enumerate(words)]}

    def v1_lookalikes_train(self, q, body):
        return {'id': body, 'seed': 1200, 'population': 90000, 'auc': 0.83, 'activity_auc': 0.71, 'lift_at_10': 4.2, 'size': 5000, 'warnings': [], 'serving': True}

    def v1_deliver(self, q):
        return {'delivery': 'd901', 'destination': q.get('to'), 'mode': 'delta', 'added': 812, 'removed': 90, 'refused': 0, 'files': 1, 'files_done': 1, 'state': 'delivered', 'unusable': 0,
                'segments': [{'id': 'coat-fans', 'theirs': '4711', 'state': 'sent', 'members': 9120}, {'id': 'lapsed', 'theirs': 'lapsed', 'state': 'label', 'members': None}, {'id': 'bargains', 'theirs': 'bargains', 'state': 'below_k', 'members': None, 'below': 50}]}

    v1_deliver_again = v1_deliver

    def v1_quarantine_release(self, q, body):
        self.published.append((body, q))
        return {'released': 2011}

    def v1_history(self, q):
        return [{'t': int(time.time()) - 600 * i, 'who': 'anna', 'role': 'marketer', 'what': w, 'of': o, 'why': y} for i, (w, o, y) in enumerate((('rules.publish', 'shop.yaml', 'for the winter sale'), ('deliver', 'newsletter', ''), ('train', 'long-list', '')))]

    def v1_rules_history_patch(self, q):
        return '--- a/shop.yaml\n+++ b/shop.yaml\n@@ -1,2 +1,2 @@\n segments:\n-  - id: a\n+  - id: b\n'

    def mistake(self, body):
        at = body.find('coatz')
        if at >= 0 or body.rstrip().endswith((' and', '>=')):
            return 400, {'problems': [{'file': 'condition', 'line': 1, 'column': (at if at >= 0 else len(body.rstrip()) - 3) + 1, 'severity': 'error', 'code': 'unknown-category', 'message': "there is no category 'coatz'" if at >= 0 else 'the condition ends where a category is expected', 'hint': "did you mean 'coats'?" if at >= 0 else ''}], 'text': ''}

    def v1_ask_words(self, q, body):
        parts = [c.strip() for c in body.split(' and ')]
        wrong = self.mistake(body)
        if wrong and 'mistakes' in q:
            return {'words': '', 'clauses': [], 'problems': wrong[1]['problems']}
        return wrong or {'words': 'Visitors who had ' + ', and had '.join(parts) + '.', 'clauses': [{'clause': c, 'words': 'had ' + c} for c in parts]}

    def v1_ask_explain(self, q, body):
        asked = json.loads(body)
        self.explained.append(asked)
        who, today = asked.get('key') or asked.get('cookie'), days(1)[0]
        if who == 'forged':
            return 400, {'error': 'the cookie is forged or overdue: it names nobody'}
        if who == 'nobody':
            return 404, {'error': 'nothing is known of this visitor'}
        inside, later = who == 'ab' * 16, str(datetime.date.today() + datetime.timedelta(20))
        said = {'count': 3 if inside else 2, 'days': [{'day': d, 'count': 1} for d in days(5)[::2][:3 if inside else 2]]}
        coats = {'text': 'coats >= 3 in 14d', 'words': 'had at least 3 events of “Coats” in the last 14 days', 'kind': 'count', 'true': inside, 'flips': later if inside else None, **said}
        bought = {'text': 'purchase in 30d', 'words': 'had an event of “Bought” in the last 30 days', 'kind': 'count', 'true': not inside, 'flips': None, 'count': 0 if inside else 1, 'days': [] if inside else [{'day': today, 'count': 1}]}
        place = {'text': 'country = DE', 'words': 'are in “DE”', 'kind': 'fact', 'true': True, 'flips': None, 'value': 'DE'}
        size = {'text': 'size = l', 'words': 'have “l” as “size”', 'kind': 'attribute', 'true': False, 'flips': None, 'value': None}
        tree = {'text': 'coats >= 3 in 14d and not purchase in 30d and (country = DE or size = l)', 'kind': 'and', 'true': inside, 'flips': None, 'parts': [
            coats, {'text': 'not purchase in 30d', 'words': 'had no event of “Bought” in the last 30 days', 'kind': 'not', 'true': inside, 'flips': None if inside else later, 'parts': [bought]},
            {'text': 'country = DE or size = l', 'kind': 'or', 'true': True, 'flips': None, 'parts': [place, size]}]}
        steps = [{'action': 'events', 'category': 'apparel.coats', 'name': 'Coats', 'count': 1, 'words': '1 more coats today'}, {'action': 'wait', 'until': later, 'words': 'wait until ' + later}]
        return {'segment': asked['segment'], 'in': inside, 'state': 'active', 'until': later if inside else None, 'tree': tree, **({} if inside else {'change': {'possible': True, 'sure': True, 'steps': steps}})}

    def v1_ask_preview(self, q, body):
        size = None if 'days' in body else 1000 + 10 * (sum(map(ord, body)) % 9000) // (1 + body.count(' and '))
        return self.mistake(body) or {'size': size, 'visitors': 1000000, 'ms': 3.1, 'pending': False, 'left': 411, **({'below': 50} if size is None else {})}

    def v1_rules_files(self, q):
        return {'hash': 'ab12', 'editable': self.editable, 'why': None if self.editable else 'the folder /etc/crumb/rules cannot be written by the server', 'files': [{'name': 'shop.yaml', 'bytes': 900, 'hash': 'cd34'}]}

    def v1_rules_file(self, q):
        return {'name': 'shop.yaml', 'hash': 'cd34', 'text': 'version: 1\nattributes:\n  - id: size\n    values: [s, m]\n  - {id: price, range: 0..9}\nsegments:\n  - id: coat-fans\n    when: coats\n'}

    def v1_rules_category(self, q):
        field = lambda f, *p: {'field': f, 'patterns': list(p)}
        return {'id': q['id'], 'file': 'shop.yaml', 'name': 'Coats and jackets of all kinds', 'iab': None, 'labels': ['shop'], 'sensitive': False, 'all': [{'fields': [field('event', 'view')]}], 'none': [],
                'any': [{'fields': [field('path', '/coats/*', '/a-folder-of-a-rather-long-name/that-has-no-blank/*'), field('attr.price', '100..')]}, {'fields': [field('title', 'winter coat')]}]}

    def v1_rules_edit(self, q, body):
        e = json.loads(body)
        self.edits.append(e)
        lines = ''.join('+    %s: %s\n' % kv for kv in e.get('set', {}).items())
        return {'file': 'shop.yaml', 'hash': 'ab12', 'text': body, 'patch': '--- a/shop.yaml\n+++ b/shop.yaml\n@@ -9,2 +9,3 @@\n   - id: %s\n-    when: coats\n%s' % (e['id'], lines)}

    def v1_rules_check(self, q, body):
        return {'ok': True, 'problems': []}

    def v1_rules_diff(self, q, body):
        e = json.loads(body)
        known = [s['id'] for s in self.segments]
        rows = [{'id': i, 'change': 'same', 'before': 900, 'after': 900, 'enter': None, 'stay': 900, 'leave': None, 'settings': []} for i in known if i != e['id']]
        if e['kind'] != 'category':
            new = e['id'] not in known
            rows.insert(0, {'id': e['id'], 'change': 'added' if new else 'changed', 'before': None if new else 9120, 'after': 12030, 'enter': 4210, 'stay': None if new else 7820, 'leave': None if new else 1300, 'settings': [] if new else [{'what': 'owner', 'from': None, 'to': 'anna'}]})
        return {'categories': [{'id': e['id'], 'change': 'added'}] if e['kind'] == 'category' else [], 'attributes': [], 'segments': rows, 'from_journal': False}

    def v1_rules_publish(self, q, body):
        if self.refuse:
            status = self.refuse.pop(0)
            return status, {'error': {409: 'the files are no longer those of If-Match', 403: 'rules.editable is no'}[status], 'patch': '--- a/shop.yaml\n+++ b/shop.yaml\n@@ -1 +1 @@\n-a\n+b\n', 'problems': []}
        self.published.append((json.loads(body), q))
        return {'hash': 'ef56', 'n': 3 + len(self.published), 'file': 'shop.yaml', 'backfill': True}

    def v1_rules_undo(self, q):
        self.published.append(('undo', q))
        return {'hash': 'ab12', 'n': 9, 'file': 'shop.yaml', 'backfill': True}

    def v1_ask_overlap(self, q, body=''):
        a, b = (body.split() + ['', ''])[:2]
        sizes = {s['id']: s['size'] for s in self.segments}
        if not sizes.get(a) or not sizes.get(b):
            return {'a': {'id': a, 'size': sizes.get(a)}, 'b': {'id': b, 'size': sizes.get(b)}, 'both': None, 'of_a': None, 'of_b': None, 'pending': 0}
        both = min(sizes[a], sizes[b]) // 3
        return {'a': {'id': a, 'size': sizes[a]}, 'b': {'id': b, 'size': sizes[b]}, 'both': both, 'of_a': both / sizes[a], 'of_b': both / sizes[b], 'pending': 0, 'left': 97}

    def readyz(self, q):
        return 'ready\n'

    def metrics(self, q):
        return ('crumb_fold_lag_seconds 0.4\ncrumb_sweep_hours_behind 0\ncrumb_heap_bytes 181403648\ncrumb_build_info{version="1.4.0"} 1\ncrumb_connections 41\ncrumb_disk_low 0\ncrumb_trouble 0\ncrumb_damaged_days 0\ncrumb_clock_jumped 0\n'
                'crumb_journal_bytes 5812341231\ncrumb_state_bytes 912341231\n')


class Answers(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log_message(self, *args):
        pass

    def send(self, status, headers, body):
        self.send_response(status)
        for k, v in headers.items():
            self.send_header(k, v)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        if self.command != 'HEAD':
            self.wfile.write(body)

    def do_GET(self):
        path, _, query = self.path.partition('?')
        n = int(self.headers.get('Content-Length') or 0)
        body = self.rfile.read(n).decode() if n else ''
        world = self.server.world
        world.asked.append((self.command, self.path))
        if path == '/' or path.startswith('/web/'):
            self.file(path)
        elif path == '/v1/login':
            right = 'token=right' in body
            world.signed |= right                       # a wrong one ends no session
            self.send(303 if right else 401, {'Location': '/', 'Set-Cookie': 'crumb_admin=x; HttpOnly; SameSite=Strict'} if right else {'Content-Type': 'application/json'}, b'' if right else b'{"error":"this token is not one of ours"}')
        elif path == '/v1/logout':
            world.signed = False
            self.send(303, {'Location': '/', 'Set-Cookie': 'crumb_admin=; Max-Age=0'}, b'')
        else:
            self.json(world, path, dict(urllib.parse.parse_qsl(query)), body)

    do_POST = do_HEAD = do_GET

    def json(self, world, path, q, body):
        f = getattr(world, path.strip('/').replace('/', '_').replace('-', '_'), None)
        if not world.signed:
            status, got = 401, {'error': 'this listener wants its bearer token'}
        elif path in world.fail:
            status, got = 500, {'error': 'the disk could not be read: Input/output error'}
        elif path in world.absent or not f:
            status, got = 404, {'error': 'there is no such address; docs/PROTOCOL.md lists them'}
        else:
            got = f(q, body) if path in WITH_BODY else f(q)
            status, got = got if isinstance(got, tuple) else (200, got)
        plain = isinstance(got, str)
        self.send(status, {'Content-Type': 'text/plain' if plain else 'application/json', 'Cache-Control': 'no-store'}, (got if plain else json.dumps(got)).encode())

    def file(self, path):
        if self.server.admin:
            c = http.client.HTTPConnection(self.server.admin, timeout=60)
            c.request('GET', path, headers={k: v for k, v in self.headers.items() if k in ('Accept-Encoding', 'If-None-Match')} | ({'Cookie': 'crumb_admin=x'} if self.server.world.signed else {}))
            r = c.getresponse()
            body = r.read()
            self.send(r.status, {k: v for k, v in r.getheaders() if k not in ('Content-Length', 'Connection', 'Date')}, body)
            c.close()
            return
        name = 'index.html' if path == '/' else path[len('/web/'):]
        body = web.library(name) if name in web.LIBRARIES else web.read(os.path.join(ROOT, 'src', 'web', name))
        if path == '/' and not self.server.world.signed:
            body = body.replace(b'<body>', b'<body data-guest>')
        self.send(200, {'Content-Type': TYPES[os.path.splitext(name)[1]], 'Cache-Control': 'no-store', 'Content-Security-Policy': "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"}, body)


class Stub(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, world, admin=None, port=0):
        super().__init__(('127.0.0.1', port), Answers)
        self.world, self.admin = world, admin
        self.origin = 'http://127.0.0.1:%d' % self.server_address[1]

    def start(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self


if __name__ == '__main__':
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('--segments', type=int, default=10)
    p.add_argument('--port', type=int, default=0)
    p.add_argument('--signed-out', action='store_true')
    a = p.parse_args()
    stub = Stub(World(a.segments, signed=not a.signed_out), port=a.port)
    print(stub.origin + '/', flush=True)
    stub.serve_forever()
