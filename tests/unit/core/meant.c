/* core/meant: what a value that an option cannot take may have meant. */
#include "unit.h"

#include "crumb/core/meant.h"

static void number(const char *value, const char *said)
{
	char out[MEANT_MOST];
	if (strcmp(meant_number(str_c(value), out), said) != 0)
		fail_msg("'%s': '%s'", value, out);
}

TEST(whole_numbers_written_in_other_ways)
{
	number("64k", "; did you mean '65536'?");
	number("2 MiB", "; did you mean '2097152'?");
	number("30d", "; did you mean '30'?");
	number("5 %", "; did you mean '5'?");
	number("1e3", "; did you mean '1000'?");
	number("1_000", "; did you mean '1000'?");
	number("1,000", "; did you mean '1000'?");
	number("+7", "; did you mean '7'?");
	number("90.0 days", "; did you mean '90'?");
	number("90", ""); /* is right as it stands */
	number("1.5", "");
	number("-3", "");
	number("ten", "");
	number("", "");
	number("3 weeks", "");
	number("99999999999999999k", "");
}

static void word(const char *value, const char *words, const char *said)
{
	char out[MEANT_MOST];
	if (strcmp(meant_word(str_c(value), words, out), said) != 0)
		fail_msg("'%s' of %s: '%s'", value, words, out);
}

TEST(words_that_are_slips_or_in_other_languages)
{
	word("enabled", "yes|no", "; did you mean 'yes'?");
	word("Nein", "yes|no", "; did you mean 'no'?");
	word("tecst", "text|json", "; did you mean 'text'?");
	word("json-lines", "text|json", "; did you mean 'json'?");
	word("INFO", "debug|info|warn", "; did you mean 'info'?");
	word("xml", "text|json", "");
	word("", "text|json", "");
	word("enabled", "text|json", "");
}

static void network(const char *value, const char *said)
{
	char out[MEANT_MOST];
	if (strcmp(meant_network(str_c(value), out), said) != 0)
		fail_msg("'%s': '%s'", value, out);
}

TEST(networks_by_mask_by_parts_and_by_name)
{
	network("10.0.0.0/255.0.0.0", "; did you mean '10.0.0.0/8'?");
	network("192.168.1.0/255.255.255.128", "; did you mean '192.168.1.0/25'?");
	network("10.0.0.0/255.0.255.0", "");
	network("10.*", "; did you mean '10.0.0.0/8'?");
	network("192.168.", "; did you mean '192.168.0.0/16'?");
	network("192.168.1.*", "; did you mean '192.168.1.0/24'?");
	network("localhost", "; did you mean '127.0.0.0/8,::1'?");
	network("Private", "; did you mean '10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,fc00::/7'?");
	network("http://10.0.0.1:80", "; did you mean '10.0.0.1'?");
	network("10.0.0.1:443", "; did you mean '10.0.0.1'?");
	network("fe80::1%eth0", "; did you mean 'fe80::1'?");
	network("shop.example", "");
	network("", "");
	network("999.*", "");
}

UNIT_TESTS(cmocka_unit_test(whole_numbers_written_in_other_ways),
    cmocka_unit_test(words_that_are_slips_or_in_other_languages),
    cmocka_unit_test(networks_by_mask_by_parts_and_by_name))
