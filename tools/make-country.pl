#!/usr/bin/perl
# Makes crumb's default country file, country.mmdb, from Debian's tor-geoipdb.
#
#   make-country.pl OUT [GEOIP [GEOIP6]]
#
# The shape is MaxMind's nested one: {"country": {"iso_code": "DE"}}.
use strict;
use warnings;
use MaxMind::DB::Writer::Tree;
use Socket qw(inet_ntoa);

my $out  = shift or die "usage: make-country.pl OUT [GEOIP [GEOIP6]]\n";
# unpacked by tools/setup.sh, or installed
my ($folder) = grep { -e "$_/geoip" } 'build/geoip/usr/share/tor', '/usr/share/tor';
$folder //= '/usr/share/tor';
my $geo4 = shift // "$folder/geoip";
my $geo6 = shift // "$folder/geoip6";

my $tree = MaxMind::DB::Writer::Tree->new(
    ip_version            => 6,
    record_size           => 24,
    database_type         => 'crumb-country',
    languages             => ['en'],
    description           => { en => 'Countries, made from tor-geoipdb' },
    map_key_type_callback => sub { $_[0] eq 'country' ? 'map' : 'utf8_string' },
    remove_reserved_networks => 0,
);

my %record;    # one hash per country, so that the writer can share it
my $count = 0;
for my $file ($geo4, $geo6) {
    open(my $fh, '<', $file) or die "$file: $!\n";
    while (my $line = <$fh>) {
        next if $line =~ /^#/;
        my ($from, $to, $code) = $line =~ /^([^,]+),([^,]+),([A-Z]{2})\s*$/ or next;
        next if $code eq 'AP' || $code eq 'EU';    # continents, not countries
        ($from, $to) = map { inet_ntoa(pack 'N', $_) } $from, $to if $from =~ /^\d+$/;
        $tree->insert_range($from, $to, $record{$code} //= { country => { iso_code => $code } });
        $count++;
    }
    close $fh;
}
open(my $fh, '>:raw', "$out.new") or die "$out.new: $!\n";
$tree->write_tree($fh);
close $fh or die "$out.new: $!\n";
rename "$out.new", $out or die "$out: $!\n";
print "$out: $count ranges\n";
