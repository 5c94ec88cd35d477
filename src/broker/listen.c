/* Listening: one thread, which assigns all partitions at the positions that it was given. Nobody
 * joins a group and nothing is committed: where we are is known by who stores what is heard. */
#ifndef CRUMB_WITHOUT_KAFKA
#include "rd.h"

#include "crumb/base/thread.h"

#include <stdio.h>
#include <stdlib.h>

#define POLL_MS 100 /* how long the thread does not look whether it is to stop */

/* The position is not on the topic: retention has taken it, or the topic is another. */
static bool is_gap(rd_kafka_resp_err_t e)
{
	return e == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET ||
	       e == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE;
}

/* False: it is to end. */
static bool hear(struct listener *l, const rd_kafka_message_t *m)
{
	uint32_t partition = m->partition < 0 ? 0 : (uint32_t)m->partition;
	if (!m->err) {
		uint64_t offset = (uint64_t)m->offset;
		return l->ears.record(l->ears.arg, partition, offset,
		    str_make(m->key_len ? m->key : "", m->key_len),
		    str_make(m->len ? m->payload : "", m->len));
	}
	if (m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
		l->ears.reached(l->ears.arg, partition, (uint64_t)m->offset);
	else
		l->ears.trouble(l->ears.arg, partition, is_gap(m->err) ? ERR_NOT_FOUND : ERR_IO,
		    rd_kafka_message_errstr(m));
	return true;
}

static void *listener_run(void *arg)
{
	struct listener *l = arg;
	bool on = true;
	while (on && !atomic_load(&l->stop)) {
		rd_kafka_message_t *m = rd_kafka_consumer_poll(l->rd, POLL_MS);
		if (!m)
			continue;
		on = hear(l, m);
		rd_kafka_message_destroy(m);
	}
	return NULL;
}

/* From these positions on, whatever a group of this name may have committed. */
static enum err assign(const struct broker *b, rd_kafka_t *rd, const uint64_t *next)
{
	rd_kafka_topic_partition_list_t *list =
	    rd_kafka_topic_partition_list_new((int)b->partitions);
	for (uint32_t i = 0; i < b->partitions; i++)
		rd_kafka_topic_partition_list_add(list, b->topic, (int32_t)i)->offset =
		    (int64_t)next[i];
	rd_kafka_resp_err_t no = rd_kafka_assign(rd, list);
	rd_kafka_topic_partition_list_destroy(list);
	return no ? err_set(ERR_IO, "kafka: %s", rd_kafka_err2str(no)) : OK;
}

static void listener_end(struct listener *l)
{
	if (l->rd)
		rd_end(l->rd);
	free(l);
}

enum err broker_listen(struct broker *b, const uint64_t *next, const struct broker_ears *ears)
{
	char why[BROKER_WHY];
	rd_kafka_conf_t *c;
	struct listener *l = calloc(1, sizeof *l);
	if (!l)
		return err_set(ERR_NOMEM, "no memory");
	l->broker = b;
	l->ears = *ears;
	enum err e = rd_settings(b->brokers, b->settings, b->settings_n, RD_KAFKA_CONSUMER, &c);
	if (!e && !(l->rd = rd_kafka_new(RD_KAFKA_CONSUMER, c, why, sizeof why))) {
		rd_kafka_conf_destroy(c);
		e = err_set(ERR_USAGE, "kafka: %s", why);
	}
	if (!e && rd_kafka_poll_set_consumer(l->rd))
		e = err_set(ERR_IO, "kafka: no queue for what is heard");
	if (!e)
		e = assign(b, l->rd, next);
	if (!e)
		e = thread_start(&l->thread, "kafka", listener_run, l);
	if (e)
		listener_end(l);
	else
		b->listener = l;
	return e;
}

void broker_listen_end(struct broker *b)
{
	struct listener *l = b->listener;
	if (!l)
		return;
	b->listener = NULL;
	atomic_store(&l->stop, true);
	pthread_join(l->thread, NULL);
	listener_end(l);
}
#endif
