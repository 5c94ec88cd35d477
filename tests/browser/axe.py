"""axe-core (Deque), which finds what shuts people out: fetched once from npm into build/axe. Nothing of it is in the product."""
import os
import subprocess

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.path.join(os.path.dirname(os.path.dirname(HERE)), 'build', 'axe')
VERSION = '4.14.1'


def script():
    path = os.path.join(FOLDER, 'package', 'axe.min.js')
    if not os.path.exists(path):
        os.makedirs(FOLDER, exist_ok=True)
        try:
            subprocess.run(['npm', 'pack', '--silent', 'axe-core@' + VERSION], cwd=FOLDER, check=True, timeout=120, stdout=subprocess.DEVNULL)
            subprocess.run(['tar', '-xzf', 'axe-core-%s.tgz' % VERSION], cwd=FOLDER, check=True)
        except (OSError, subprocess.SubprocessError):
            pytest.skip('axe-core is not here, and npm did not bring it')
    with open(path) as f:
        return f.read()


def faults(browser):
    """What is serious or critical on the page: ['rule: where'], by WCAG 2.2 AA and best practice."""
    browser.execute_script('if (!window.axe) { %s }' % script())
    found = browser.execute_async_script('const done = arguments[0]; axe.run(document, {resultTypes: ["violations"]}).then((r) => done(r.violations), (e) => done([{id: String(e), impact: "critical", nodes: []}]))')
    return ['%s: %s' % (v['id'], '; '.join(str(n['target'][0]) for n in v['nodes'][:4])) for v in found if v['impact'] in ('serious', 'critical')]
