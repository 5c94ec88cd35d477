/* Sending. A producer's reports are served by rd_kafka_poll(), on the thread that sends: so a
 * report needs no lock, and none comes for a send that was given up, since its producer goes with
 * it.
 *
 *     broker_send() ─ produce, produce, … ─ poll until no report is left ──► OK
 *                                            │ too late, or a bad one
 *                                            ▼
 *                        the producer is purged and ended; the next is made ──► ERR_IO */
#ifndef CRUMB_WITHOUT_KAFKA
#include "rd.h"

#include "crumb/base/clock.h"
#include "crumb/base/log.h"

#include <stdio.h>
#include <stdlib.h>

#define POLL_MS 50

static void reported(rd_kafka_t *rd, const rd_kafka_message_t *m, void *arg)
{
	struct producer *p = arg;
	(void)rd;
	if (!p->records)
		return;
	p->left--;
	if (m->err && !p->failed)
		p->failed = m->err;
	if (!m->err)
		((struct broker_record *)m->_private)->offset = m->offset;
}

static void in_trouble(rd_kafka_t *rd, int why, const char *text, void *arg)
{
	struct producer *p = arg;
	char fatal[BROKER_WHY];
	(void)why;
	if (rd_kafka_fatal_error(rd, fatal, sizeof fatal))
		text = fatal;
	snprintf(p->why, sizeof p->why, "%s", text);
}

enum err producer_new(struct broker *b, struct producer **out)
{
	char why[BROKER_WHY], ms[16];
	rd_kafka_conf_t *c;
	struct producer *p = calloc(1, sizeof *p);
	if (!p)
		return err_set(ERR_NOMEM, "no memory");
	snprintf(ms, sizeof ms, "%u", b->timeout_ms);
	enum err e = rd_settings(b->brokers, b->settings, b->settings_n, RD_KAFKA_PRODUCER, &c);
	if (!e && (e = rd_set(c, "message.timeout.ms", ms)))
		rd_kafka_conf_destroy(c);
	if (!e) {
		rd_kafka_conf_set_dr_msg_cb(c, reported);
		rd_kafka_conf_set_error_cb(c, in_trouble);
		rd_kafka_conf_set_opaque(c, p);
		p->rd = rd_kafka_new(RD_KAFKA_PRODUCER, c, why, sizeof why);
		if (!p->rd) {
			rd_kafka_conf_destroy(c);
			e = err_set(ERR_USAGE, "kafka: %s", why);
		}
	}
	if (!e && !(p->topic = rd_kafka_topic_new(p->rd, b->topic, NULL)))
		e = err_set(ERR_USAGE, "kafka: topic %s: %s", b->topic,
		    rd_kafka_err2str(rd_kafka_last_error()));
	if (e)
		producer_end(p);
	else
		*out = p;
	return e;
}

void producer_end(struct producer *p)
{
	if (!p)
		return;
	p->records = NULL;
	if (p->topic)
		rd_kafka_topic_destroy(p->topic);
	if (p->rd) {
		rd_kafka_purge(p->rd, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
		rd_kafka_poll(p->rd, 0); /* nobody serves its reports any more */
		rd_end(p->rd);
	}
	free(p);
}

/* The records are the caller's until all reports are there, so librdkafka need not copy them; but
 * after a time-out it may still read them. So it copies. */
static rd_kafka_resp_err_t produce(struct producer *p, struct broker_record *r)
{
	int rc = rd_kafka_produce(p->topic, (int32_t)r->partition, RD_KAFKA_MSG_F_COPY,
	    (void *)(uintptr_t)r->value.p, r->value.n, r->key.p, r->key.n, r);
	return rc == 0 ? RD_KAFKA_RESP_ERR_NO_ERROR : rd_kafka_last_error();
}

/* Waits for the reports. */
static enum err await(struct producer *p, unsigned timeout_ms)
{
	uint64_t until = clock_mono_us() + (uint64_t)timeout_ms * 1000;
	while (p->left && !p->failed && clock_mono_us() < until)
		rd_kafka_poll(p->rd, POLL_MS);
	if (p->failed)
		return err_set(ERR_IO, "kafka: %s%s%s", rd_kafka_err2str(p->failed),
		    *p->why ? ": " : "", p->why);
	if (p->left)
		return err_set(ERR_IO, "kafka: not acknowledged within %u ms%s%s", timeout_ms,
		    *p->why ? ": " : "", p->why);
	return OK;
}

enum err producer_have(struct broker *b)
{
	return b->producer ? OK : producer_new(b, &b->producer);
}

/* In the place of one that may not be used any more, even if there is no other now: reports of
 * what it was given before would be taken for those of the next send. The words of why stay. */
static void make_anew(struct broker *b)
{
	char why[2 * BROKER_WHY];
	snprintf(why, sizeof why, "%s", err_text());
	producer_end(b->producer);
	b->producer = NULL;
	if (producer_have(b))
		log_error("kafka", "no other producer could be made why=\"%s\"", err_text());
	err_set(ERR_IO, "%s", why);
}

enum err broker_send(struct broker *b, struct broker_record *records, size_t n)
{
	enum err have = producer_have(b);
	if (have)
		return have;
	struct producer *p = b->producer;
	p->records = records;
	p->left = 0;
	p->failed = RD_KAFKA_RESP_ERR_NO_ERROR;
	for (size_t i = 0; i < n && !p->failed; i++) {
		p->failed = produce(p, &records[i]);
		p->left += !p->failed;
	}
	enum err e = await(p, b->timeout_ms);
	p->records = NULL;
	*p->why = 0;
	if (e)
		make_anew(b);
	return e;
}
#endif
