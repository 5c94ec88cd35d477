"""Country and region from files of both shapes; a changed file is taken up; a broken one does no harm."""
import os
import random
import subprocess

from harness import BUILD, ROOT, Browser, until

WRITER = r'''
use MaxMind::DB::Writer::Tree;
my ($out, $shape, $version, $country, $region) = @ARGV;
my %types = (country => 'map', subdivisions => ['array', 'map']);
my $tree = MaxMind::DB::Writer::Tree->new(ip_version => $version, record_size => 24, database_type => 'test', languages => ['en'], description => {en => 'test'},
    map_key_type_callback => sub { $types{$_[0]} || 'utf8_string' }, remove_reserved_networks => 0);
my $record = $shape eq 'nested' ? {country => {iso_code => $country}, subdivisions => [{iso_code => $region}]} : {country_code => $country, state1 => $region};
$tree->insert_network('81.2.69.0/24', $record);
$tree->insert_network('2001:db8:1::/48', $record) if $version == 6;
open my $fh, '>:raw', "$out.new"; $tree->write_tree($fh); close $fh; rename "$out.new", $out;
'''


def write(path, shape, version=6, country='GB', region='ENG'):
    subprocess.run(['perl', '-e', WRITER, path, shape, str(version), country, region], check=True)


def place(server, address):
    b = Browser.known(server, headers={'X-Forwarded-For': address})
    b.segments()
    v = b.shown()
    return v.get('country'), v.get('region')


def test_both_shapes_and_both_families(make, tmp_path):
    for shape in ('nested', 'flat'):
        path = str(tmp_path / shape)
        write(path, shape)
        server = make(options=['trusted_proxies=127.0.0.1', 'geo.database=' + path])
        assert place(server, '81.2.69.142') == ('GB', 'ENG')
        assert place(server, '2001:db8:1:2::3') == ('GB', 'ENG')
        assert place(server, '8.8.8.8') == (None, None)
    path = str(tmp_path / 'four')
    write(path, 'flat', version=4)
    server = make(options=['trusted_proxies=127.0.0.1', 'geo.database=' + path])
    assert place(server, '81.2.69.142') == ('GB', 'ENG') and place(server, '2001:db8:1:2::3') == (None, None)


def test_the_answer_depends_on_the_network_alone(make, tmp_path):
    """The file knows a part of a /24 only; the address was cut before anybody looked."""
    path = str(tmp_path / 'db')
    subprocess.run(['perl', '-e', WRITER.replace("'81.2.69.0/24'", "'81.2.69.144/28'").replace("'2001:db8:1::/48'", "'2001:db8:1:ff00::/56'"),
                    path, 'nested', '6', 'GB', 'ENG'], check=True)
    server = make(options=['trusted_proxies=127.0.0.1', 'geo.database=' + path])
    assert place(server, '81.2.69.150') == place(server, '81.2.69.1') == ('GB', 'ENG')
    assert place(server, '2001:db8:1:2::3') == ('GB', 'ENG') and place(server, '2001:db8:2::1') == (None, None) and place(server, '81.2.70.150') == (None, None)


def test_a_long_region_name_is_left_out(make, tmp_path):
    path = str(tmp_path / 'db')
    write(path, 'flat', region='North Rhine-Westphalia')
    server = make(options=['trusted_proxies=127.0.0.1', 'geo.database=' + path])
    assert place(server, '81.2.69.142') == ('GB', None)


def test_a_changed_file_is_taken_up_and_a_broken_one_is_not(make, tmp_path):
    path = str(tmp_path / 'db')
    write(path, 'nested')
    server = make(options=['trusted_proxies=127.0.0.1', 'geo.database=' + path])
    assert place(server, '81.2.69.142') == ('GB', 'ENG')
    write(path, 'nested', country='FR', region='IDF')
    until(lambda: place(server, '81.2.69.142') == ('FR', 'IDF'))
    with open(path + '.bad', 'wb') as f:
        f.write(b'this is no database' * 100)
    os.rename(path + '.bad', path)
    until(lambda: 'cannot be used' in server.logged())
    assert place(server, '81.2.69.142') == ('FR', 'IDF')


def test_rules_use_places(make, tmp_path):
    path = str(tmp_path / 'db')
    write(path, 'nested', country='US', region='CA')
    server = make(options=['trusted_proxies=127.0.0.1', 'geo.database=' + path], rules='version: 1\nsegments:\n  - {id: west, when: region = US-CA}\n'
                  '  - {id: short, when: "region = CA and country in (MX, US)"}\n  - {id: not-here, when: region = MX-CA}\n  - {id: abroad, when: country != US}\n')
    b = Browser.known(server, headers={'X-Forwarded-For': '81.2.69.1'})
    assert b.segments() == {'west', 'short'}


def starts(tmp_path, *options):
    """What crumbd says when it does not start; it must not get ready."""
    os.makedirs(tmp_path / 'rules', exist_ok=True)
    words = ['store.path=%s' % (tmp_path / 'store'), 'rules.path=%s' % (tmp_path / 'rules'), 'collect.listen=127.0.0.1:0', 'admin.listen=127.0.0.1:0', *options]
    r = subprocess.run([os.path.join(BUILD, 'crumbd')] + [a for o in words for a in ('-o', o)], capture_output=True, text=True, timeout=60)
    assert r.returncode in (1, 2) and 'ready' not in r.stdout, (options, r.stdout, r.stderr)
    return r.stderr.splitlines()[-1]


def bad_files(good):
    """Files that are no country file, each in another way, by their names."""
    mark = good.rindex(b'\xab\xcd\xefMaxMind.com')
    yield 'empty', b''
    yield 'text', b'this is no database' * 100
    yield 'mark', good[mark:mark + 14]
    yield 'metadata', good[mark:]
    yield 'cut', good[:len(good) // 2]
    yield 'shorn', good[len(good) // 2:]
    yield 'wild', b'\xff' * 600 + good[600:]
    yield 'records', good.replace(good[:mark], b'\x7f' * mark)


def test_what_the_operator_names_must_be_a_country_file(tmp_path):
    """Consent that goes by place must not fail open because a name is wrong."""
    assert 'geo.database' in starts(tmp_path, 'consent.require=EEA', 'geo.database=%s' % (tmp_path / 'missing'))
    assert 'geo.database' in starts(tmp_path, 'geo.database=%s' % tmp_path)
    with open(os.path.join(ROOT, 'build', 'country.mmdb'), 'rb') as f:
        good = f.read()
    for name, data in bad_files(good):
        path = tmp_path / name
        path.write_bytes(data)
        said = starts(tmp_path, 'geo.database=%s' % path)
        assert 'geo.database' in said and str(path) in said, (name, said)
    if os.geteuid() != 0:
        path.write_bytes(good)
        path.chmod(0)
        assert 'Permission denied' in starts(tmp_path, 'geo.database=%s' % path)
    assert 'did you mean DE?' in starts(tmp_path, 'consent.require=GERMANY')
    assert not os.path.exists(tmp_path / 'store')           # nothing was opened
    (tmp_path / 'lines').write_text('{"id":"a","e":"view"}\n')
    r = subprocess.run([os.path.join(BUILD, 'crumb'), '-o', 'store.path=%s' % (tmp_path / 'store'), '-o', 'rules.path=%s' % (tmp_path / 'rules'),
                        '-o', 'geo.database=%s' % (tmp_path / 'text'), 'import', str(tmp_path / 'lines'), '--format', 'ndjson'], capture_output=True, text=True)
    assert r.returncode == 1 and 'geo.database' in r.stderr, r.stderr


def test_damaged_records_are_unknown_places(make, tmp_path):
    """A file that reads well but whose data are damaged: nobody who may be in such a place is let through, and nothing falls."""
    path = str(tmp_path / 'db')
    write(path, 'nested', country='US', region='CA')
    with open(path, 'rb') as f:
        good = f.read()
    mark = good.rindex(b'\xab\xcd\xefMaxMind.com')
    start = good[:mark].rindex(b'\0' * 16) + 16
    dice = random.Random(5)
    with open(path, 'wb') as f:
        f.write(good[:start] + bytes(dice.randrange(256) for _ in range(mark - start)) + good[mark:])
    server = make(options=['consent.require=DE', 'trusted_proxies=127.0.0.1', 'geo.database=' + path])
    b = Browser(server, headers={'X-Forwarded-For': '81.2.69.142'})
    assert b.hit('/coats/1') == 200 and not b.set_cookie
    assert server.metric('refused_total{reason="consent_missing"}') == 1


def test_a_file_that_is_overwritten_in_place_does_no_harm(make, tmp_path):
    path = str(tmp_path / 'db')
    write(path, 'nested')
    server = make(options=['trusted_proxies=127.0.0.1', 'geo.database=' + path])
    for size in (0, 10, 100):
        with open(path, 'r+b') as f:
            f.truncate(size)
        assert place(server, '81.2.69.%d' % (size + 1)) == ('GB', 'ENG')
        assert place(server, '2001:db8:1:%x::1' % size) == ('GB', 'ENG')
    assert server.process.poll() is None


def test_a_country_that_is_none_is_unknown(make, tmp_path):
    path = str(tmp_path / 'db')
    write(path, 'nested', country='EU')
    server = make(options=['consent.require=DE', 'trusted_proxies=127.0.0.1', 'geo.database=' + path])
    b = Browser(server, headers={'X-Forwarded-For': '81.2.69.142'})
    assert b.hit('/coats/1') == 200 and not b.set_cookie
