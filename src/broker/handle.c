/* What both of librdkafka's handles begin and end with.
 *
 * Settings come in three layers, and the last one wins: those for both, those for one of them, the
 * operator's (log.kafka.*). broker_open() has refused the operator's where a promise rests on ours.
 *
 * A handle of librdkafka may take for ever to end, as when a broker holds a connection and says
 * nothing. So it ends on a thread of its own, which is left behind after some seconds: a server
 * that stops has nothing to wait for, since what was not acknowledged was not answered for. Only
 * without memory for a thread it ends where it is: handles left behind would take more of it. */
#ifndef CRUMB_WITHOUT_KAFKA
#include "rd.h"

#include "crumb/base/log.h"
#include "crumb/base/thread.h"

#include <semaphore.h>
#include <stdlib.h>
#include <time.h>

#define END_S 5 /* how long librdkafka has to end a handle */

static const struct broker_setting both[] = {
    {"client.id", "crumb"},
    {"socket.nagle.disable", "true"},
    {"reconnect.backoff.max.ms", "200"},
    {"log.connection.close", "false"},
    {"allow.auto.create.topics", "false"},
};
static const struct broker_setting sending[] = {
    {"acks", "all"}, {"enable.idempotence", "true"},
    {"compression.codec", "none"}, /* sealed bytes do not get smaller */
    {"linger.ms", "0"},		   /* a record is a block: nothing is gathered here */
};
static const struct broker_setting listening[] = {
    {"group.id", "crumb"}, /* librdkafka wants one; nothing is committed, and nobody joins */
    {"enable.auto.commit", "false"},
    {"enable.auto.offset.store", "false"},
    {"enable.partition.eof", "true"},
    {"auto.offset.reset", "error"},
    {"queued.max.messages.kbytes", "8192"},
};

enum err rd_set(rd_kafka_conf_t *c, const char *name, const char *value)
{
	char why[BROKER_WHY];
	if (rd_kafka_conf_set(c, name, value, why, sizeof why) == RD_KAFKA_CONF_OK)
		return OK;
	return err_set(ERR_USAGE, "log.kafka.%s: %s", name, why);
}

static enum err set_all(rd_kafka_conf_t *c, const struct broker_setting *list, size_t n)
{
	enum err e = OK;
	for (size_t i = 0; i < n && !e; i++)
		e = rd_set(c, list[i].name, list[i].value);
	return e;
}

/* What librdkafka logs comes again and again while a broker is down; what is wrong is told by who
 * needed the cluster. */
static void said(const rd_kafka_t *rd, int level, const char *what, const char *text)
{
	(void)rd;
	(void)level;
	log_debug("kafka", "%s %s", what, text);
}

enum err rd_settings(const char *brokers, const struct broker_setting *settings, unsigned n,
    rd_kafka_type_t type, rd_kafka_conf_t **out)
{
	rd_kafka_conf_t *c = rd_kafka_conf_new();
	bool sends = type == RD_KAFKA_PRODUCER;
	enum err e = rd_set(c, "bootstrap.servers", brokers);
	rd_kafka_conf_set_log_cb(c, said);
	if (!e)
		e = set_all(c, both, sizeof both / sizeof *both);
	if (!e && sends)
		e = set_all(c, sending, sizeof sending / sizeof *sending);
	else if (!e)
		e = set_all(c, listening, sizeof listening / sizeof *listening);
	if (!e)
		e = set_all(c, settings, n);
	if (e)
		rd_kafka_conf_destroy(c);
	else
		*out = c;
	return e;
}

/* --- the end of a handle, which may take for ever */

struct ending {
	rd_kafka_t *rd;
	sem_t done;
	_Atomic int users; /* the thread and who waits for it; the last frees */
};

static void let_go(struct ending *e)
{
	if (atomic_fetch_sub(&e->users, 1) != 1)
		return;
	sem_destroy(&e->done);
	free(e);
}

static void *destroy(void *arg)
{
	struct ending *e = arg;
	rd_kafka_destroy_flags(e->rd, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
	sem_post(&e->done);
	let_go(e);
	return NULL;
}

void rd_end(rd_kafka_t *rd)
{
	struct timespec until;
	pthread_t thread;
	struct ending *e = calloc(1, sizeof *e);
	if (!e) {
		rd_kafka_destroy_flags(rd, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
		return;
	}
	e->rd = rd;
	e->users = 2;
	sem_init(&e->done, 0, 0);
	if (thread_start(&thread, "kafka-end", destroy, e) != OK) {
		sem_destroy(&e->done);
		free(e);
		rd_kafka_destroy_flags(rd, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
		return;
	}
	pthread_detach(thread);
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += END_S;
	if (sem_clockwait(&e->done, CLOCK_MONOTONIC, &until) != 0)
		log_warn("kafka",
		    "a client of the cluster did not end within %d s and is left behind", END_S);
	let_go(e);
}
#endif
