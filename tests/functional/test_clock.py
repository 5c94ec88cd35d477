"""A clock that is wrong when the server starts destroys nothing, and nothing is answered as recorded that is not."""
import json
import os
import time

import pytest

from harness import Browser, DAY, RULES, Server, until


@pytest.fixture
def lived():
    """Makes stores in which a server lived so many days from now, with 25 visitors; it is stopped, and its clock is the machine's again."""
    made = []

    def new(days, options=(), rules=RULES):
        s = Server(rules, options)
        made.append(s)
        os.makedirs(s.store, 0o700)
        set_clock(s, days * DAY)
        s.start()
        for _ in range(25):
            Browser.known(s).events({'u': 'https://shop.example/coats/1'})
        s.settle()
        s.stop()
        os.unlink(os.path.join(s.store, 'clock'))
        s.test_clock = False
        return s
    yield new
    for s in made:
        s.close()


def set_clock(s, offset):
    with open(os.path.join(s.store, 'clock'), 'w') as f:
        f.write('%d\n' % offset)


def ready(s):
    status, _, body = s.http('GET', '/readyz', admin=True)
    return status, body.decode()


def days(s):
    return os.listdir(os.path.join(s.store, 'journal'))


def settle(s):
    assert s.http('POST', '/v1/settle', b'', admin=True)[0] == 200


def test_a_start_long_after_destroys_nothing_until_confirmed(lived):
    s = lived(-91)
    for run in range(2):                                    # what is recorded meanwhile does not count as a witness
        s.start()
        settle(s)
        assert len(days(s)) >= 1 and s.js('db', 'stat')['visitors'] == run    # outlets: gone
        status, text = ready(s)
        assert status == 200 and '91 days ahead of the day on which it was believed last' in text and 'crumb clock confirm' in text, text
        assert '91 days ahead' in s.logged() and s.metric('clock_jumped') == 1
        r = s.cli('db', 'compact', ok=(1,))
        assert 'clock' in r.stderr
        b = Browser(s)
        assert b.hit('/coats/1') == 200 and b.hit('/coats/2') == 200    # and it goes on collecting
        settle(s)
        assert s.stop() == 0
        assert len(days(s)) == 2
    day = time.strftime('%Y-%m-%d', time.gmtime(time.time() - 91 * DAY))
    assert min(days(s)) == day
    r = s.cli('db', 'journal')
    assert r.stdout.count('/coats/') >= 25                  # its key is there
    s.start()
    assert s.js('clock', 'confirm')['confirmed'] is True
    until(lambda: day not in days(s))
    assert ready(s) == (200, 'ready\n') and s.metric('clock_jumped') == 0
    s.restart()
    assert ready(s) == (200, 'ready\n')


def test_a_few_weeks_off_need_no_word(lived):
    s = lived(-20, ('retention=15',), RULES[:RULES.index('  - {id: intenders')])
    s.start()
    until(lambda: not days(s))
    assert ready(s) == (200, 'ready\n')


def test_a_clock_that_was_set_right_needs_no_word(lived):
    s = lived(-91)
    set_clock(s, -91 * DAY)
    s.start()
    assert ready(s) == (200, 'ready\n') and s.js('db', 'stat')['visitors'] == 25


def test_a_clock_that_is_behind_records_nothing(lived):
    s = lived(40)
    s.start()
    status, text = ready(s)
    assert status == 503 and '40 days behind the newest record' in text and 'crumb clock confirm' in text, text
    b = Browser(s)
    assert b.hit('/coats/1') == 503 and not b.jar
    assert b.events({'u': 'https://shop.example/coats/1'}) == 503
    for path in ('/segments', '/me', '/sync?p=x&id=y'):
        assert b.request('GET', path)[0] == 503, path
    assert b.request('POST', '/me/forget', '')[0] == 503
    assert b.request('GET', '/crumb.js')[0] == 200 and b.request('GET', '/optout')[0] == 200    # who refuses is heard
    assert s.metric('refused_total{reason="clock"}') >= 2
    status, _, body = s.http('POST', '/v1/import', '{"id":"a","t":%d,"e":"view","u":"https://shop.example/coats/1"}\n' % time.time(), admin=True)
    assert status == 503 and 'behind' in json.loads(body)['error']
    assert s.http('POST', '/v1/visitors/erase?key=' + 32 * '0', b'', admin=True)[0] == 503
    s.cli('clock', 'confirm')
    until(lambda: Browser(s).hit('/coats/1') == 200)
    assert ready(s) == (200, 'ready\n')
    s.restart()                                             # it was said once and for all
    assert ready(s) == (200, 'ready\n') and Browser(s).hit('/coats/1') == 200


def test_a_clock_that_was_never_set_records_nothing(lived):
    s = lived(0)
    set_clock(s, -int(time.time()) + 3600)
    s.start()
    status, text = ready(s)
    assert status == 503 and '1970-01-01' in text
    assert Browser(s).hit('/coats/1') == 503
    r = s.cli('clock', 'confirm', ok=(1,))
    assert 'before 2020' in r.stderr
    s.stop()
    os.unlink(os.path.join(s.store, 'clock'))
    s.start()
    assert ready(s) == (200, 'ready\n') and s.js('db', 'stat')['visitors'] == 25


def test_commands_without_a_server_ask_too(lived):
    s = lived(-91)
    line = {'id': 'a', 't': int(time.time()), 'e': 'view', 'u': 'https://shop.example/coats/1'}
    path = os.path.join(s.dir, 'import.ndjson')
    with open(path, 'w') as f:
        f.write(json.dumps(line) + '\n')
    before = days(s)
    for command in (('import', path, '--format', 'ndjson'), ('db', 'compact')):
        r = s.cli(*command, ok=(1,))
        assert '91 days ahead' in r.stderr and 'crumb clock confirm' in r.stderr
        assert days(s) == before
    assert s.js('clock', 'confirm')['confirmed'] is True
    assert s.import_lines([line])['accepted'] == 1
    assert before[0] not in days(s)


def test_an_older_store_is_asked_about_its_records(lived):
    s = lived(-91)
    os.unlink(os.path.join(s.store, 'seen'))                # no version before this one wrote it
    s.start()
    assert '91 days ahead' in ready(s)[1] and days(s)


def test_the_clock_of_a_demo_is_moved_by_the_command_line(make):
    server = make()
    b = Browser.known(server)
    b.hit('/coats/1'), b.hit('/coats/2'), b.hit('/coats/3')
    assert 'coat-fans' in b.segments()
    r = server.cli('clock', 'advance', '14d')
    assert '14d' in r.stdout and b.segments() == {'coats-ever', 'apparel-any'}
    assert server.js('clock', 'advance', '5h') == {'advanced': '5h'}
    for wrong in ((), ('14',), ('d',), ('-1d',), ('1w',), ('1d', '2d'), ('1d&x=1d',)):
        server.cli('clock', 'advance', *wrong, ok=(2,))
    server.stop()
    assert '--test-clock' in server.cli('clock', 'advance', '1d', ok=(1,)).stderr
    real = make()
    real.stop()
    real.test_clock = False
    real.start()
    assert '--test-clock' in real.cli('clock', 'advance', '1d', ok=(1,)).stderr
