"""Hundreds of URLs that carry persons: nothing of them is found in what is kept.

The identifiers are from three kinds of source: examples that registries and standards publish for each format (IBAN registry, card networks' test
numbers, RFC 3966 and E.164, RFC 5322, 7519, 9562), the same addresses in encoded and hashed forms made here, and the shapes in which sites leak them:
resets, unsubscribes, profiles, searches, session parameters."""
import base64
import hashlib
import os
import re
import urllib.parse

from harness import Browser, bytes_of

MAILS = ['jane.doe@example.com', 'jane.doe+news@example.co.uk', 'j@example.org', 'very.common_address-1@sub.example.museum', "o'hara@example.ie", 'JANE.DOE@EXAMPLE.COM',
         'jané@exämple.de', 'user%example.com@example.org', '"jane doe"@example.com']
PHONES = ['+1-201-555-0123', '+1 (415) 555-2671', '(0131) 496 0123', '+44 20 7946 0958', '+49 30 901820', '+33 1 70 18 99 00', '+81 3-1234-5678', '0049170-5550123', '491705550123', '2025550143',
          '+7 (495) 123-45-67', '+55 11 98765-4321', '+86 138 0013 8000', '+91 98765 43210', '+61 2 5550 1234', '555.867.5309.22']
IBANS = ['AD1200012030200359100100', 'AE070331234567890123456', 'AT611904300234573201', 'BE68539007547034', 'CH9300762011623852957', 'CZ6508000000192000145399', 'DE89370400440532013000',
         'DK5000400440116243', 'EE382200221020145685', 'ES9121000418450200051332', 'FI2112345600000785', 'FR1420041010050500013M02606', 'GB29NWBK60161331926819', 'GI75NWBK000000007099453',
         'GR1601101250000000012300695', 'HR1210010051863000160', 'HU42117730161111101800000000', 'IE29AIBK93115212345678', 'IL620108000000099999999', 'IS140159260076545510730339',
         'IT60X0542811101000000123456', 'LI21088100002324013AA', 'LT121000011101001000', 'LU280019400644750000', 'LV80BANK0000435195001', 'MC5811222000010123456789030', 'MT84MALT011000012345MTLCAST001S',
         'NL91ABNA0417164300', 'NO9386011117947', 'PL61109010140000071219812874', 'PT50000201231234567890154', 'RO49AAAA1B31007593840000', 'SA0380000000608010167519', 'SE4550000000058398257466',
         'SI56263300012039086', 'SK3112000000198742637541', 'SM86U0322509800000000270100', 'TR330006100519786457841326']
CARDS = ['4111111111111111', '4012 8888 8888 1881', '5555-5555-5555-4444', '5105105105105100', '378282246310005', '3714 496353 98431', '6011111111111117', '3530111333300000', '30569309025904', '6304000000000000']
TOKENS = ['eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4ifQ.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c', 'f81d4fae-7dec-11d0-a765-00a0c91e6bf6',
          '017F22E2-79B0-7CC3-98C4-DC0C0C07398F', '01ARZ3NDEKTSV4RRFFQ69G5FAV', 'ya29.a0AfH6SMBx7d9K2lQ3rT4uV5wX6yZ7', 'sk_live_4eC39HqLyjWDarjtT1zdp7dc', 'ghp_16C7e42F292c6912E7710c838347Ae178B4a',
          'CPXxRfAPXxRfAAfKABENB-CgAAAAAAAAAAYgAAAAAAAA', '1A530637289A03B07199A44E8D531427', '507f1f77bcf86cd799439011', '00:1A:2B:3C:4D:5E', '2001:db8:85a3::8a2e:370:7334', '203.0.113.77', '10.1.2.3',
          '52.520008,13.404954', '1HGCM82633A004352', '490154203237518', '078-05-1120', '38400000-8cf0-11bd-b23e-10b96e40000d', 'QUtJQUlPU0ZPRE5ON0VYQU1QTEU5MjM0NTY']


def encoded(mail):
    """An address in the forms in which URLs carry it."""
    raw = mail.encode()
    yield from (urllib.parse.quote(mail, safe=''), urllib.parse.quote(urllib.parse.quote(mail, safe=''), safe=''), urllib.parse.quote(urllib.parse.quote(urllib.parse.quote(mail, safe=''), safe=''), safe=''))
    yield from (''.join('%%%02x' % b for b in raw), mail.replace('@', '%EF%BC%A0'), mail.replace('@', '(at)'), mail.replace('@', '=40'), mail.replace('@', '-at-').replace('.', '-dot-'),
                mail.replace('@', '%26%2364%3B'))
    yield from (base64.b64encode(raw).decode().replace('/', '_'), base64.urlsafe_b64encode(raw).decode().rstrip('='), raw.hex(), raw.hex().upper())
    for h in ('md5', 'sha1', 'sha256', 'sha512'):
        digest = hashlib.new(h, raw.lower())
        yield from (digest.hexdigest(), digest.hexdigest().upper(), base64.urlsafe_b64encode(digest.digest()).decode().rstrip('='))


# where sites put them; {} is the identifier, {q} the same percent-encoded
CARRIERS = ['/{}', '/reset/{}/confirm', '/unsubscribe/{}', '/user/{}', '/search/{}/1', '/a/b/prefix-{}', '/page;jsessionid={}', '/page?email={q}', '/page?q=shoes&keep={q}', '/page#/{}', '/x/email={}', '/a/{}.html']


def urls():
    identifiers = [(m, e) for m in MAILS for e in encoded(m)] + [(m, urllib.parse.quote(m, safe='@+')) for m in MAILS]
    identifiers += [(i, urllib.parse.quote(i, safe='+-.()')) for i in PHONES + IBANS + CARDS + TOKENS]
    for n, (needle, form) in enumerate(identifiers):
        for k in range(4):
            yield needle, form, 'https://shop.example' + CARRIERS[(n + 3 * k) % len(CARRIERS)].format(form, q=urllib.parse.quote(urllib.parse.unquote(form), safe=''))
        if n % 3 == 0:
            yield needle, form, 'https://%s:secret@shop.example/coats/1' % form


def bare(text):
    return re.sub(r'[^0-9a-z]', '', text.lower())


def test_hundreds_of_hostile_urls_leak_nothing(make):
    server = make(options=['privacy.keep_query=q,keep,email'])
    everything, sent = list(urls()), 0
    assert len({u for _, _, u in everything}) >= 500
    for at in range(0, len(everything), 40):
        b = Browser.known(server)
        events = [{'e': 'view', 'u': u, 't': needle, 'r': u, 'p_x': needle, 'a.note': needle, 'a.email': needle, 'a.ok': 'yes', 'v': re.sub('[^0-9]', '', needle)[:18] or 1} for needle, _, u in everything[at:at + 40]]
        assert b.events(*events) == 204
        sent += len(events)
    server.settle()
    server.stop()
    kept = server.cli('db', 'journal').stdout
    assert kept.count(' ok=yes') == sent
    files = bytes_of(server.store) + server.logged().encode()
    found = []
    lines = [bare(line.split(' ', 3)[3]) for line in kept.splitlines() if ' event ' in line]
    together = '\n'.join(lines)
    for needle, form, url in everything:
        for text in {needle, form, urllib.parse.unquote(form)}:
            if len(bare(text)) >= 6 and bare(text) in together:
                found.append((url, text))
            if len(text) >= 6 and text.encode() in files:
                found.append((url, text, 'in the files'))
    assert not found, (len(found), sorted({f[1] for f in found})[:40])


def test_ordinary_urls_stay(make):
    server = make()
    b = Browser.known(server)
    paths = ['/', '/coats/winter-parka', '/news/politics/article-123', '/2024/05/06/a-headline-of-a-long-story', '/item-123456', '/checkout/thank-you', '/p/air-max-90-essential-2015', '/wiki/Internationalization',
             '/account/orders', '/user/login', '/look-at-the-dots', '/v1.2.3/notes', '/sale/50-percent-off', '/sizes/36-38-40', '/de/produkte/winterjacken/herren', '/@handle', '/blog/2024-05-06-news', '/c++/tutorial']
    for p in paths:
        assert b.hit(p) == 200
    server.settle()
    server.stop()
    kept = server.cli('db', 'journal').stdout
    assert all('shop.example' + p + ' ' in kept for p in paths), [p for p in paths if 'shop.example' + p + ' ' not in kept]
