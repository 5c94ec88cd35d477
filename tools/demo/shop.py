#!/usr/bin/env python3
"""The demo shop: a few pages that carry crumb's tag. shop.py PORT ENDPOINT; prints where it listens, serves until it is stopped."""
import html
import http.server
import sys

PRODUCTS = {
    '/coats/winter-parka': ('Winter parka', 'coats', 249),
    '/coats/rain-coat': ('Rain coat', 'coats', 129),
    '/coats/duffle-coat': ('Duffle coat', 'coats', 199),
    '/shoes/running': ('Running shoes', 'shoes', 119),
    '/shoes/loafers': ('Loafers', 'shoes', 149),
}

PAGES = {
    '/size-guide': ('Size guide', 'Coats run large, shoes run small. Whoever reads this is more likely to buy, says the lookalike.'),
    '/sale': ('Winter sale', 'Everything is cheap, as always in a demo.'),
    '/privacy': ('Privacy policy', 'This shop is a demo on your own machine. What crumb knows about your browser is on its own page, and ends when you end the demo and remove its folder.'),
}

PAGE = '''<!doctype html>
<html lang="en"><head><meta charset="utf-8"><link rel="icon" href="data:,"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<script>window.crumb = window.crumb || function () {{ (crumb.q = crumb.q || []).push(arguments); }};</script>
<script async src="{endpoint}/crumb.js"></script>
<style>
 body {{ font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 46rem; padding: 1rem; color: #222; background: #fdfcfa }}
 nav a {{ margin-right: 1rem }} a {{ color: #8a3b12 }} h1 {{ font-size: 1.6rem }}
 button {{ font: inherit; padding: .4rem .9rem; margin-right: .5rem; border: 1px solid #8a3b12; background: #fff; color: #8a3b12; border-radius: .3rem; cursor: pointer }}
 aside {{ margin-top: 2.5rem; padding: .8rem 1rem; background: #f3ede4; border-radius: .4rem }} code {{ background: #fff; padding: 0 .3rem }}
</style></head>
<body>
<nav><a href="/">Shop</a> <a href="/coats/winter-parka">Parka</a> <a href="/coats/rain-coat">Rain coat</a>
<a href="/coats/duffle-coat">Duffle</a> <a href="/shoes/running">Shoes</a> <a href="/lookbook">Lookbook</a> <a href="/size-guide">Size guide</a> <a href="/sale?utm_campaign=winter-sale">Sale</a></nav>
<h1>{heading}</h1>
{body}
<aside><strong>Your segments:</strong> <span id="segments">…</span><br>
<small>crumb remembers that <em>some browser</em> did this, never who. <button id="optout">Opt out</button><button id="optin">Opt in</button>
<a href="{endpoint}/me">What crumb knows about this browser</a></small></aside>
<noscript><img src="{endpoint}/p.gif" width="1" height="1" alt="" referrerpolicy="no-referrer-when-downgrade"></noscript>
<script>
 function show() {{
   crumb('segments', function (ids) {{ document.getElementById('segments').textContent = ids.length ? ids.join(', ') : 'none yet'; }}, {{fresh: true}});
 }}
 show(); setInterval(show, 700);
 document.getElementById('optout').onclick = function () {{ crumb('optout'); }};
 document.getElementById('optin').onclick = function () {{ crumb('optin'); }};
</script>
</body></html>'''


def page(path):
    if path == '/':
        rows = ''.join('<li><a href="%s">%s</a>, %d €</li>' % (p, n, c) for p, (n, _, c) in PRODUCTS.items())
        return 'The crumb shop', 'The crumb shop', '<p>Look at three coats, and see what you are in below.</p><ul>%s</ul>' % rows
    if path in PRODUCTS:
        name, department, price = PRODUCTS[path]
        body = ('<p>%s for %d €.</p><p><button id="add" onclick="crumb(\'event\', \'add_to_cart\', {department: \'%s\'})">Add to cart</button>'
                '<a href="/checkout/thank-you"><button id="buy" onclick="crumb(\'event\', \'purchase\', {department: \'%s\', value: %d})">Buy</button></a></p>'
                % (html.escape(name), price, department, department, price))
        return name + ' - The crumb shop', name, body
    if path == '/checkout/thank-you':
        return 'Thank you - The crumb shop', 'Thank you', '<p>Your order is on its way. You are no longer in the market for a coat, are you?</p>'
    if path in PAGES:
        return PAGES[path][0] + ' - The crumb shop', PAGES[path][0], '<p>%s</p>' % PAGES[path][1]
    if path.startswith('/lookbook'):
        body = ('<p>A single-page application: the buttons change the URL without loading a page.</p>'
                '<p><button id="spa1" onclick="history.pushState({}, \'\', \'/coats/spa-parka\'); document.title = \'Parka\'">Parka</button>'
                '<button id="spa2" onclick="history.pushState({}, \'\', \'/shoes/spa-boots\'); document.title = \'Boots\'">Boots</button></p>')
        return 'Lookbook - The crumb shop', 'Lookbook', body
    return None


class Shop(http.server.BaseHTTPRequestHandler):
    endpoint = ''
    protocol_version = 'HTTP/1.1'

    def do_GET(self):
        found = page(self.path.split('?')[0])
        body = (PAGE.format(title=html.escape(found[0]), heading=html.escape(found[1]), body=found[2], endpoint=self.endpoint) if found else 'not found').encode()
        self.send_response(200 if found else 404)
        self.send_header('Content-Type', 'text/html; charset=utf-8')
        self.send_header('Content-Length', str(len(body)))
        self.send_header('Cache-Control', 'no-store')
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def serve(port, endpoint):
    Shop.endpoint = endpoint
    return http.server.ThreadingHTTPServer(('127.0.0.1', port), Shop)


if __name__ == '__main__':
    server = serve(int(sys.argv[1]), sys.argv[2])
    print('shop http://127.0.0.1:%d' % server.server_address[1], flush=True)
    server.serve_forever()
