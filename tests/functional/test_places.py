"""Country and region from files of both shapes; a changed file is taken up; a broken one does no harm."""
import os
import subprocess
import time

from harness import Browser

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
    for _ in range(100):
        if place(server, '81.2.69.142') == ('FR', 'IDF'):
            break
        time.sleep(0.1)
    assert place(server, '81.2.69.142') == ('FR', 'IDF')
    with open(path + '.bad', 'wb') as f:
        f.write(b'this is no database' * 100)
    os.rename(path + '.bad', path)
    for _ in range(100):
        if 'cannot be used' in server.logged():
            break
        time.sleep(0.1)
    assert 'cannot be used' in server.logged() and place(server, '81.2.69.142') == ('FR', 'IDF')


def test_rules_use_places(make, tmp_path):
    path = str(tmp_path / 'db')
    write(path, 'nested', country='US', region='CA')
    server = make(options=['trusted_proxies=127.0.0.1', 'geo.database=' + path], rules='version: 1\nsegments:\n  - {id: west, when: region = US-CA}\n'
                  '  - {id: short, when: "region = CA and country in (MX, US)"}\n  - {id: not-here, when: region = MX-CA}\n  - {id: abroad, when: country != US}\n')
    b = Browser.known(server, headers={'X-Forwarded-For': '81.2.69.1'})
    assert b.segments() == {'west', 'short'}
