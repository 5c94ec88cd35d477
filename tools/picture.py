#!/usr/bin/python3
"""picture.py [HASH] [OUT.png]: the picture of the dashboard in README, drawn from the demo, so that it stays true: a demo in a folder of its own, Chromium at
its one-time link, one screen (#/segments/coat-fans), docs/dashboard.png. The demo's visitors come by a seed; only the days are those of today.

Needs what `tools/setup.sh test` installs. Ends its own processes and removes its folder."""
import base64
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
WIDTH, HEIGHT = 1280, 860


def browser(folder):
    options = webdriver.ChromeOptions()
    options.binary_location = '/usr/bin/chromium'
    for a in ('--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-dev-shm-usage', '--hide-scrollbars', '--lang=en-GB', '--user-data-dir=' + folder):
        options.add_argument(a)
    return webdriver.Chrome(service=Service('/usr/bin/chromedriver'), options=options)


def wait(seconds, what):
    end = time.monotonic() + seconds
    while not (got := what()):
        if time.monotonic() > end:
            sys.exit('picture.py: nothing came within %d s' % seconds)
        time.sleep(0.1)
    return got


def link_of(demo):
    """The one-time link, which the demo prints when its store has a past."""
    for line in demo.stdout:
        if found := re.search(r'http://\S+#token=\S+', line):
            return found.group()
    sys.exit('picture.py: the demo ended without a link')


def draw(link, screen, out, folder):
    b = browser(folder)
    try:
        b.execute_cdp_cmd('Emulation.setDeviceMetricsOverride', {'width': WIDTH, 'height': HEIGHT, 'deviceScaleFactor': 1, 'mobile': False})
        b.execute_cdp_cmd('Emulation.setEmulatedMedia', {'features': [{'name': 'prefers-color-scheme', 'value': 'light'}]})
        b.get(link)
        ready = 'return document.body.dataset.ready'
        wait(60, lambda: (b.execute_script(ready) or '').startswith('#/'))
        b.execute_async_script("const done = arguments[0]; fetch('/v1/report', {method: 'POST', headers: {'X-Crumb': '1'}}).then((r) => r.text()).then(done)")
        b.execute_script('location.hash = arguments[0]', screen)
        wait(60, lambda: b.execute_script(ready) == screen)
        b.execute_script('document.activeElement.blur()')
        picture = base64.b64decode(b.execute_cdp_cmd('Page.captureScreenshot', {'format': 'png'})['data'])
    finally:
        b.quit()
    with open(out, 'wb') as f:
        f.write(picture)
    print('%s: %s, %d kB' % (out, screen, len(picture) // 1000))


def main(screen='#/segments/coat-fans', out=os.path.join(ROOT, 'docs', 'dashboard.png')):
    folder = tempfile.mkdtemp(prefix='crumb-picture.')
    demo = subprocess.Popen([sys.executable, os.path.join(ROOT, 'tools', 'demo', 'demo.py')], stdout=subprocess.PIPE, text=True, env={**os.environ, 'CRUMB_DEMO': os.path.join(folder, 'demo'), 'PYTHONDONTWRITEBYTECODE': '1'})
    try:
        draw(link_of(demo), screen, out, os.path.join(folder, 'chromium'))
    finally:
        demo.send_signal(signal.SIGTERM)
        demo.wait()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == '__main__':
    main(*sys.argv[1:])
