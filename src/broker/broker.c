/* Opening and closing, and questions to the cluster.
 *
 * A broker that is opened has a producer (send.c) and no listener (listen.c). Questions go by the
 * producer's handle: librdkafka has no others, and each handle has connections of its own. */
#ifndef CRUMB_WITHOUT_KAFKA
#include "rd.h"

#include <stdio.h>
#include <stdlib.h>

/* Promises rest on them. */
static const char *const ours[] = {"acks", "request.required.acks", "enable.idempotence",
    "enable.gapless.guarantee", "isolation.level", "transactional.id", "transaction.timeout.ms",
    "auto.offset.reset", "enable.auto.commit", "enable.auto.offset.store", "enable.partition.eof",
    "bootstrap.servers", "metadata.broker.list", "group.id", "group.instance.id",
    "message.timeout.ms", "delivery.timeout.ms", "allow.auto.create.topics"};

static bool is_ours(const char *name)
{
	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
		if (strcmp(ours[i], name) == 0)
			return true;
	return false;
}

enum err rd_allowed(const struct broker_setting *settings, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (is_ours(settings[i].name))
			return err_set(ERR_USAGE,
			    "log.kafka.%s: crumb sets this itself, a promise rests on it",
			    settings[i].name);
	return OK;
}

/* --- opening */

static enum err copy_settings(struct broker *b, const struct broker_place *p)
{
	enum err e = rd_allowed(p->settings, p->settings_n);
	if (e)
		return e;
	b->settings = calloc(p->settings_n + 1, sizeof *b->settings);
	if (!b->settings)
		return err_set(ERR_NOMEM, "no memory");
	for (unsigned i = 0; i < p->settings_n; i++) {
		b->settings[i] = (struct broker_setting){
		    strdup(p->settings[i].name), strdup(p->settings[i].value)};
		b->settings_n++;
		if (!b->settings[i].name || !b->settings[i].value)
			return err_set(ERR_NOMEM, "no memory");
	}
	return OK;
}

/* Handles read their settings when they are made, and a listener is made late. The listener's
 * settings are tried, too: what is wrong with them is told at once. */
static enum err try_listening(const struct broker *b)
{
	rd_kafka_conf_t *c;
	enum err e = rd_settings(b->brokers, b->settings, b->settings_n, RD_KAFKA_CONSUMER, &c);
	if (!e)
		rd_kafka_conf_destroy(c);
	return e;
}

enum err broker_open(const struct broker_place *p, struct broker **out)
{
	struct broker *b = calloc(1, sizeof *b);
	if (!b)
		return err_set(ERR_NOMEM, "no memory");
	b->brokers = strdup(p->brokers);
	b->topic = strdup(p->topic);
	b->partitions = p->partitions;
	b->timeout_ms = p->timeout_ms;
	enum err e = b->brokers && b->topic ? copy_settings(b, p) : err_set(ERR_NOMEM, "no memory");
	if (!e)
		e = try_listening(b);
	if (!e)
		e = producer_new(b, &b->producer);
	if (e)
		broker_close(b);
	else
		*out = b;
	return e;
}

void broker_close(struct broker *b)
{
	if (!b)
		return;
	broker_listen_end(b);
	producer_end(b->producer);
	for (unsigned i = 0; b->settings && i < b->settings_n; i++) {
		free((char *)(uintptr_t)b->settings[i].name);
		free((char *)(uintptr_t)b->settings[i].value);
	}
	free(b->settings);
	free(b->brokers);
	free(b->topic);
	free(b);
}

/* --- questions */

/* The cluster's word for why not, behind what was asked. */
static enum err said_no(rd_kafka_resp_err_t why, const char *what)
{
	return err_set(ERR_IO, "kafka: %s: %s", what, rd_kafka_err2str(why));
}

/* A shard is a partition, so both have to be as many: with more partitions nothing would be lost,
 * but with fewer a shard would have none. */
static enum err look_at_topic(const struct broker *b, const rd_kafka_metadata_t *m)
{
	const rd_kafka_metadata_topic_t *t = m->topic_cnt == 1 ? &m->topics[0] : NULL;
	if (!t || t->err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || !t->partition_cnt)
		return err_set(
		    ERR_USAGE, "kafka: there is no topic %s: 'crumb log init' makes it", b->topic);
	if (t->err)
		return said_no(t->err, b->topic);
	if ((uint32_t)t->partition_cnt != b->partitions)
		return err_set(ERR_USAGE,
		    "kafka: topic %s has %d partitions, and the store has %u shards: they must be "
		    "as many (store.shards)",
		    b->topic, t->partition_cnt, (unsigned)b->partitions);
	return OK;
}

enum err broker_ask(struct broker *b)
{
	const struct rd_kafka_metadata *m;
	enum err have = producer_have(b);
	if (have)
		return have;
	rd_kafka_resp_err_t no =
	    rd_kafka_metadata(b->producer->rd, 0, b->producer->topic, &m, (int)b->timeout_ms);
	if (no)
		return said_no(no, b->brokers);
	enum err e = look_at_topic(b, m);
	rd_kafka_metadata_destroy(m);
	return e;
}

enum err broker_ends(struct broker *b, uint64_t *first, uint64_t *next)
{
	enum err have = producer_have(b);
	for (uint32_t i = 0; i < b->partitions && !have; i++) {
		int64_t low, high;
		rd_kafka_resp_err_t no = rd_kafka_query_watermark_offsets(
		    b->producer->rd, b->topic, (int32_t)i, &low, &high, (int)b->timeout_ms);
		if (no)
			return said_no(no, b->topic);
		first[i] = (uint64_t)low;
		next[i] = (uint64_t)high;
	}
	return have;
}
#endif
