/* What the topics of a log must be like, and the command that mends what is not so. */
#include "unit.h"

#include "crumb/broker/topics.h"

#include <stdio.h>

static const struct topics_place place = {
    .brokers = "one:9092,two:9092", .names = {"crumb.log", "crumb.control"}, .partitions = 2};

static const int32_t ids[] = {1, 2, 3};

static struct topic *topic_as_it_must_be(
    struct topics *t, enum topic_job job, unsigned partitions, unsigned replicas)
{
	struct topic *topic = &t->topic[job];
	*topic = (struct topic){.there = true, .partitions = partitions, .replicas = replicas};
	topic->of = arena_alloc(&t->arena, partitions * sizeof *topic->of);
	for (unsigned i = 0; i < partitions; i++)
		topic->of[i] = (struct topic_replicas){ids, replicas};
	topic->settings = arena_alloc(&t->arena, TOPIC_RULES * sizeof *topic->settings);
	topic->settings_n = topic_settings_new(job, replicas, &t->arena, topic->settings);
	return topic;
}

static struct topics made(unsigned brokers, unsigned replicas)
{
	struct topics t = {.brokers = ids, .brokers_n = brokers};
	topic_as_it_must_be(&t, TOPIC_LOG, 2, replicas);
	topic_as_it_must_be(&t, TOPIC_CONTROL, 1, replicas);
	return t;
}

static void give(struct topic *t, const char *name, const char *value)
{
	for (size_t i = 0; i < t->settings_n; i++)
		if (strcmp(t->settings[i].name, name) == 0) {
			t->settings[i].value = value;
			return;
		}
	t->settings[t->settings_n++] = (struct topic_setting){name, value};
}

static void forget(struct topic *t, const char *name)
{
	for (size_t i = 0; i < t->settings_n; i++)
		if (strcmp(t->settings[i].name, name) == 0)
			t->settings[i] = t->settings[--t->settings_n];
}

/* The one fault that there is; NULL: there is none. */
static struct topic_fault *only(struct topics *t)
{
	size_t n;
	struct topic_fault *f = topics_faults(&place, t, &n);
	if (n > 1)
		fail_msg("%zu faults: %s, %s …", n, f[0].setting, f[1].setting);
	return f;
}

TEST(what_is_made_has_no_fault)
{
	(void)state;
	for (unsigned brokers = 1; brokers <= 3; brokers++) {
		struct topics t = made(brokers, brokers);
		assert_null(only(&t));
		topics_done(&t);
	}
	/* with two replicas on three brokers a hit is on two, too */
	struct topics t = made(3, 2);
	assert_null(only(&t));
	topics_done(&t);
}

TEST(topics_that_are_missing_are_made_by_a_command)
{
	size_t n;
	struct topics t = {.brokers = ids, .brokers_n = 1};
	(void)state;
	struct topic_fault *f = topics_faults(&place, &t, &n);
	assert_int_equal(n, 2);
	assert_int_equal(f[0].kind, FAULT_MISSING);
	assert_string_equal(f[0].topic, "crumb.log");
	assert_string_equal(f[1].topic, "crumb.control");
	assert_string_equal(f[0].mend, "crumb log init");
	topics_done(&t);
}

TEST(each_setting_has_bounds_and_a_command)
{
	static const struct {
		enum topic_job job;
		const char *setting, *is, *mended;
	} rows[] = {
	    {TOPIC_LOG, "cleanup.policy", "compact", "delete"},
	    {TOPIC_LOG, "cleanup.policy", "compact,delete", "delete"},
	    {TOPIC_LOG, "retention.ms", "-1", "86400000"},
	    {TOPIC_LOG, "retention.ms", "86400001", "86400000"},
	    {TOPIC_LOG, "retention.ms", "3599999", "86400000"},
	    {TOPIC_LOG, "retention.ms", "a day", "86400000"},
	    {TOPIC_LOG, "retention.ms", "", "86400000"},
	    {TOPIC_LOG, "retention.bytes", "1000000", "-1"},
	    {TOPIC_LOG, "segment.ms", "604800000", "3600000"},
	    {TOPIC_LOG, "file.delete.delay.ms", "3600001", "60000"},
	    {TOPIC_LOG, "remote.storage.enable", "true", "false"},
	    {TOPIC_LOG, "message.timestamp.type", "CreateTime", "LogAppendTime"},
	    {TOPIC_LOG, "unclean.leader.election.enable", "true", "false"},
	    {TOPIC_LOG, "max.message.bytes", "999999", "1048588"},
	    {TOPIC_LOG, "min.insync.replicas", "1", "2"},
	    {TOPIC_LOG, "min.insync.replicas", "4", "2"},
	    {TOPIC_CONTROL, "retention.ms", "86400000", "7862400000"},
	    {TOPIC_CONTROL, "retention.ms", "-1", "7862400000"},
	    {TOPIC_CONTROL, "segment.ms", "604800000", "86400000"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char command[256];
		struct topics t = made(3, 3);
		give(&t.topic[rows[i].job], rows[i].setting, rows[i].is);
		struct topic_fault *f = only(&t);
		if (!f)
			fail_msg("%s=%s is no fault", rows[i].setting, rows[i].is);
		assert_int_equal(f->kind, FAULT_WRONG);
		assert_string_equal(f->setting, rows[i].setting);
		assert_string_equal(f->is, rows[i].is);
		snprintf(command, sizeof command,
		    "kafka-configs.sh --bootstrap-server one:9092,two:9092 --alter --entity-type "
		    "topics --entity-name %s --add-config %s=%s",
		    place.names[rows[i].job], rows[i].setting, rows[i].mended);
		assert_string_equal(f->mend, command);
		/* and what the command gives is right */
		give(&t.topic[rows[i].job], rows[i].setting, rows[i].mended);
		assert_null(only(&t));
		topics_done(&t);
	}
}

TEST(what_nobody_could_see_is_said_as_such)
{
	struct topics t = made(3, 3);
	(void)state;
	t.topic[TOPIC_LOG].unread = "Topic authorization failed";
	struct topic_fault *f = only(&t);
	assert_int_equal(f->kind, FAULT_UNREAD);
	assert_string_equal(f->why, "Topic authorization failed");
	t.topic[TOPIC_LOG].unread = NULL;
	forget(&t.topic[TOPIC_LOG], "min.insync.replicas");
	f = only(&t);
	assert_int_equal(f->kind, FAULT_UNREAD);
	assert_string_equal(f->setting, "min.insync.replicas");
	topics_done(&t);

	t = made(3, 3);
	forget(&t.topic[TOPIC_CONTROL], "cleanup.policy");
	f = only(&t);
	assert_int_equal(f->kind, FAULT_UNREAD);
	assert_string_equal(f->topic, "crumb.control");
	topics_done(&t);

	/* brokers that have no other storage have no setting for it */
	t = made(3, 3);
	forget(&t.topic[TOPIC_LOG], "remote.storage.enable");
	forget(&t.topic[TOPIC_LOG], "file.delete.delay.ms");
	assert_null(only(&t));
	topics_done(&t);
}

TEST(a_partition_is_a_shard)
{
	struct topics t = made(1, 1);
	(void)state;
	topic_as_it_must_be(&t, TOPIC_LOG, 1, 1);
	struct topic_fault *f = only(&t);
	assert_string_equal(f->setting, "partitions");
	assert_string_equal(f->is, "1");
	assert_string_equal(f->must, "2");
	assert_string_equal(f->mend, "crumb log init");
	/* none can be taken away */
	topic_as_it_must_be(&t, TOPIC_LOG, 3, 1);
	f = only(&t);
	assert_non_null(strstr(f->mend, "store.shards: 3"));
	topics_done(&t);
}

TEST(one_replica_of_several_brokers_gets_others)
{
	size_t n;
	struct topics t = made(3, 3);
	(void)state;
	topic_as_it_must_be(&t, TOPIC_LOG, 2, 1);
	struct topic_fault *f = topics_faults(&place, &t, &n);
	assert_int_equal(n, 2);
	assert_string_equal(f[0].setting, "replicas");
	assert_string_equal(f[0].must, "3");
	assert_string_equal(f[0].mend,
	    "echo '{\"version\":1,\"partitions\":[{\"topic\":\"crumb.log\",\"partition\":0,"
	    "\"replicas\":[1,2,3]},{\"topic\":\"crumb.log\",\"partition\":1,\"replicas\":[1,2,3]}]"
	    "}' >replicas.json && kafka-reassign-partitions.sh --bootstrap-server "
	    "one:9092,two:9092 --reassignment-json-file replicas.json --execute");
	assert_string_equal(f[1].setting, "min.insync.replicas");
	topics_done(&t);
}

TEST(a_command_takes_names_as_they_are)
{
	struct topics t = made(1, 1);
	struct topics_place odd = place;
	size_t n;
	(void)state;
	odd.brokers = "one:9092; rm it's";
	give(&t.topic[TOPIC_LOG], "segment.ms", "0");
	struct topic_fault *f = topics_faults(&odd, &t, &n);
	assert_int_equal(n, 1);
	assert_non_null(
	    strstr(f->mend, "--bootstrap-server 'one:9092; rm it'\\''s' --alter --entity-type"));
	topics_done(&t);
}

UNIT_TESTS(cmocka_unit_test(what_is_made_has_no_fault),
    cmocka_unit_test(topics_that_are_missing_are_made_by_a_command),
    cmocka_unit_test(each_setting_has_bounds_and_a_command),
    cmocka_unit_test(what_nobody_could_see_is_said_as_such),
    cmocka_unit_test(a_partition_is_a_shard),
    cmocka_unit_test(one_replica_of_several_brokers_gets_others),
    cmocka_unit_test(a_command_takes_names_as_they_are))
