/* Commands about the log on Kafka: log init makes its topics, log check says which setting of them
 * would break a promise. Both ask the brokers; neither needs a store or a server. */
#include "crumb/cli/cli.h"
#include "crumb/node/log_topics.h"

#include <jansson.h>
#include <stdio.h>

/* `seen` is false where the setting may be right, but nobody could look. */
static json_t *fault_json(const struct topic_fault *f)
{
	return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:b}", "topic", f->topic, "setting", f->setting,
	    "is", f->is, "must", f->must, "why", f->why, "mend", f->mend, "seen",
	    f->kind != FAULT_UNREAD);
}

/* One object whether there are faults or none, so that a script reads one shape. The exit status
 * says the same as "ok". */
static void print_json(const struct log_topics *t)
{
	json_t *topics = json_array(), *faults = json_array();
	for (int i = 0; i < TOPIC_JOBS; i++) {
		const struct topic *topic = &t->read.topic[i];
		json_array_append_new(
		    topics, json_pack("{s:s,s:b,s:i,s:i}", "topic", t->place.names[i], "there",
				topic->there, "partitions", (int)topic->partitions, "replicas",
				(int)topic->replicas));
	}
	for (size_t i = 0; i < t->faults_n; i++)
		json_array_append_new(faults, fault_json(&t->faults[i]));
	cli_print_json(json_pack("{s:b,s:i,s:o,s:o}", "ok", t->wrong == 0, "brokers",
	    (int)t->read.brokers_n, "topics", topics, "faults", faults));
}

/* A fault takes two lines: what is wrong, and the command, which can be copied from there. */
static void print_text(const struct log_topics *t)
{
	for (int i = 0; i < TOPIC_JOBS; i++) {
		const struct topic *topic = &t->read.topic[i];
		if (topic->there)
			printf("%s: %u %s, %u %s, on %u %s\n", t->place.names[i], topic->partitions,
			    cli_plural(topic->partitions, "partition", "partitions"),
			    topic->replicas, cli_plural(topic->replicas, "replica", "replicas"),
			    t->read.brokers_n, cli_plural(t->read.brokers_n, "broker", "brokers"));
	}
	for (size_t i = 0; i < t->faults_n; i++) {
		struct buf words = {0};
		topic_fault_say(&t->faults[i], &words);
		printf(STR_FMT "\n    %s\n", STR_ARG(buf_view(&words)), t->faults[i].mend);
		buf_done(&words);
	}
	if (!t->faults_n)
		puts("every setting keeps what crumb promises");
	else if (!t->wrong)
		puts("log.unsafe is yes: what cannot be seen is taken to be right");
}

/* What was read, or why nothing was; frees it. */
static int tell_topics(const struct cli *c, enum err e, struct log_topics *t)
{
	int rc = e || t->wrong ? EXIT_WRONG : EXIT_FINE;
	if (e)
		cli_fail("%s", err_text());
	else if (c->json)
		print_json(t);
	else
		print_text(t);
	log_topics_done(t);
	return rc;
}

/* As many as the store has shards; where there is no store yet, as many as it would get. False: it
 * was said why. */
static bool shards_here(const struct cli *c, unsigned *out)
{
	if (store_shards(&c->config, out) != OK) {
		cli_fail("%s", err_text());
		return false;
	}
	if (!*out)
		*out = (unsigned)c->config.shards;
	return true;
}

/* Reads only: it may be asked at any time, beside a server that runs, and with any user of the
 * cluster who may describe topics and their settings. */
static int log_check(struct cli *c, int argc, char **argv)
{
	struct log_topics t = {0};
	unsigned shards;
	if (!cli_all_used(argc, argv))
		return EXIT_MISUSE;
	if (!shards_here(c, &shards))
		return EXIT_WRONG;
	return tell_topics(c, log_topics_read(&c->config, shards, &t), &t);
}

/* "--partitions 8". False: it is no number from 1 to `most`, and it was said. */
static bool take_number(int argc, char **argv, const char *name, unsigned most, unsigned *out)
{
	const char *text = cli_option(argc, argv, name);
	uint64_t n;
	if (!text)
		return true;
	if (!str_u64(str_c(text), &n) || n < 1 || n > most) {
		cli_misuse("%s wants a number from 1 to %u", name, most);
		return false;
	}
	*out = (unsigned)n;
	return true;
}

#define REPLICAS_MOST 32767 /* of Kafka's protocol */

/* What cannot be made is refused before anything is: then there is neither of the two topics. */
static int log_init(struct cli *c, int argc, char **argv)
{
	struct log_topics t = {0};
	unsigned there, shards, partitions = 0, replicas = 0;
	if (!take_number(argc, argv, "--partitions", SHARDS_MAX, &partitions) ||
	    !take_number(argc, argv, "--replicas", REPLICAS_MOST, &replicas) ||
	    !cli_all_used(argc, argv))
		return EXIT_MISUSE;
	if (store_shards(&c->config, &there) != OK || !shards_here(c, &shards))
		return cli_fail("%s", err_text());
	if (there && partitions && partitions != there)
		return cli_fail("a partition is a shard, and the store here has %u", there);
	if (partitions && partitions != shards && !c->json)
		printf(
		    "store.shards: %u belongs into the configuration of each node\n", partitions);
	return tell_topics(
	    c, log_topics_make(&c->config, partitions ? partitions : shards, replicas, &t), &t);
}

const struct command commands_log[] = {
    {.name = "log init",
	.args = "[--partitions N] [--replicas N] [--json]",
	.summary = "make the topics of the log on Kafka",
	.help = "Makes the topics log.topic and log.control on the brokers of log.brokers, with "
		"the settings by which crumb keeps its promises. The log gets a partition for "
		"each shard. Each partition gets 3 replicas, or one for each broker where there "
		"are fewer; --replicas says otherwise, but not 1 where there are several brokers. "
		"--partitions says how many shards new stores will have (store.shards), and "
		"is refused beside a store that has others.\n\nA topic that is there stays as it "
		"is, but for partitions that it "
		"lacks. Then it looks at both as log check does, and its exit status is the same.",
	.run = log_init},
    {.name = "log check",
	.args = "[--json]",
	.summary = "say which setting of the log on Kafka would break a promise",
	.help = "Asks the brokers for the topics log.topic and log.control. Each fault has the "
		"setting, what it is and must be, the promise that would be broken, and the "
		"command that mends it: of crumb, or of Kafka's own tools. Exit status 0: there "
		"is none. Settings that the brokers do not show are faults, too, unless "
		"log.unsafe is yes.",
	.run = log_check},
    {0},
};
