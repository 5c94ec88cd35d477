/* What the configuration says of the log, as the journal takes it. */
#include "unit.h"

#include "src/node/log_place.h"

static struct config config;
static struct log_place p;

static int begin(void **state)
{
	(void)state;
	return config_init(&config) == OK ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	log_place_done(&p);
	config_done(&config);
	return 0;
}
#define CONFIGURED(name) cmocka_unit_test_setup_teardown(name, begin, end)

static void set(const char *assignment)
{
	assert_int_equal(config_set(&config, assignment), OK);
}

TEST(the_log_is_in_files_when_nothing_is_said)
{
	(void)state;
	set("log.brokers=broker:9092");
	assert_int_equal(log_place_init(&p, &config), OK);
	assert_null(p.place);
}

TEST(settings_are_pairs_with_commas_between)
{
	(void)state;
	set("log.kind=kafka");
	set("log.brokers=one:9092,two:9092");
	set("log.timeout_ms=700");
	set("log.kafka= security.protocol: ssl ,, ssl.ca.location = /etc/a:b, sasl.password:  x "
	    "y ");
	assert_int_equal(log_place_init(&p, &config), OK);
	assert_non_null(p.place);
	assert_string_equal(p.place->brokers, "one:9092,two:9092");
	assert_string_equal(p.place->topic, "crumb.log");
	assert_int_equal(p.place->timeout_ms, 700);
	assert_int_equal(p.place->settings_n, 3);
	assert_string_equal(p.place->settings[0].name, "security.protocol");
	assert_string_equal(p.place->settings[0].value, "ssl");
	assert_string_equal(p.place->settings[1].value, "/etc/a:b");
	assert_string_equal(p.place->settings[2].name, "sasl.password");
	assert_string_equal(p.place->settings[2].value, "x y");
}

TEST(no_settings_are_fine)
{
	(void)state;
	set("log.kind=kafka");
	set("log.brokers=one:9092");
	assert_int_equal(log_place_init(&p, &config), OK);
	assert_int_equal(p.place->settings_n, 0);
}

TEST(what_is_no_pair_is_refused_and_not_repeated)
{
	(void)state;
	set("log.kind=kafka");
	set("log.brokers=one:9092");
	set("log.kafka=client.rack: a, hunter2");
	assert_int_equal(log_place_init(&p, &config), ERR_USAGE);
	assert_null(p.place);
	assert_string_equal(
	    err_text(), "log.kafka: NAME: VALUE is meant, with commas between several");
}

TEST(kafka_without_brokers_is_refused)
{
	(void)state;
	set("log.kind=kafka");
	assert_int_equal(log_place_init(&p, &config), ERR_USAGE);
	assert_non_null(strstr(err_text(), "log.brokers"));
}

UNIT_TESTS(CONFIGURED(the_log_is_in_files_when_nothing_is_said),
    CONFIGURED(settings_are_pairs_with_commas_between), CONFIGURED(no_settings_are_fine),
    CONFIGURED(what_is_no_pair_is_refused_and_not_repeated),
    CONFIGURED(kafka_without_brokers_is_refused))
