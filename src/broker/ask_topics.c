/* Asks the brokers for the topics of the log, and makes those that are missing
 * (broker/topics.h), by librdkafka's calls for administrators.
 *
 *     client_open()                 a client of its own, for the length of one call
 *     await_answer()                one question: an event comes back on the queue, or the time
 *                                   is over; librdkafka's own limit may come late or never
 *     rd_kafka_metadata()           partitions and replicas, which are no settings
 *
 * The client is a consumer that listens to nothing: a producer's metadata requests make a topic, on
 * brokers that allow it, of whatever name it asks for. */
#ifndef CRUMB_WITHOUT_KAFKA
#include "rd.h"

#include "crumb/base/clock.h"
#include "crumb/broker/topics.h"

#include <stdio.h>
#include <time.h>

struct client {
	const struct topics_place *place;
	rd_kafka_t *rk;
	rd_kafka_queue_t *queue;
	/* what a broker said to the latest question, if it did not do as it was asked */
	rd_kafka_resp_err_t refused;
};

/* The latest that a client logged, "" before: librdkafka tells why it reaches nobody only so. Its
 * threads may outlive the client (rd_end()), so the words do not belong to one. */
static pthread_mutex_t said_lock = PTHREAD_MUTEX_INITIALIZER;
static char said_last[BROKER_WHY];

/* A line begins with the thread, "[thrd:one:9092/bootstrap]: ", which helps nobody here. */
static void client_logs(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
	const char *behind = *text == '[' ? strstr(text, "]: ") : NULL;
	(void)rk, (void)level, (void)facility;
	if (str_has(str_c(text), STR("brokers are down"))) /* and the line before said why */
		return;
	pthread_mutex_lock(&said_lock);
	snprintf(said_last, sizeof said_last, "%s", behind ? behind + 3 : text);
	pthread_mutex_unlock(&said_lock);
}

static enum err client_open(struct client *c, const struct topics_place *place)
{
	char why[BROKER_WHY];
	rd_kafka_conf_t *conf;
	*c = (struct client){.place = place};
	enum err e = rd_allowed(place->settings, place->settings_n);
	if (!e)
		e = rd_settings(
		    place->brokers, place->settings, place->settings_n, RD_KAFKA_CONSUMER, &conf);
	if (e)
		return e;
	rd_kafka_conf_set_log_cb(conf, client_logs);
	pthread_mutex_lock(&said_lock);
	*said_last = 0;
	pthread_mutex_unlock(&said_lock);
	c->rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
	if (!c->rk) {
		rd_kafka_conf_destroy(conf);
		return err_set(ERR_USAGE, "%s", why);
	}
	c->queue = rd_kafka_queue_new(c->rk);
	return OK;
}

static void client_close(struct client *c)
{
	rd_kafka_queue_destroy(c->queue);
	rd_end(c->rk);
}

/* Words for a question that was not answered. */
static enum err unanswered(struct client *c, const char *what, rd_kafka_resp_err_t err)
{
	pthread_mutex_lock(&said_lock);
	enum err e = err_set(ERR_IO, "%s: %s%s%s", c->place->brokers,
	    err == RD_KAFKA_RESP_ERR__TIMED_OUT || err == RD_KAFKA_RESP_ERR__TRANSPORT
		? "no broker answers"
		: rd_kafka_err2str(err),
	    *said_last ? ": " : "", said_last);
	pthread_mutex_unlock(&said_lock);
	return err_wrap(e, "%s", what);
}

/* --- one question and its answer */

static rd_kafka_AdminOptions_t *question_options(struct client *c, rd_kafka_admin_op_t op)
{
	char why[BROKER_WHY];
	rd_kafka_AdminOptions_t *o = rd_kafka_AdminOptions_new(c->rk, op);
	rd_kafka_AdminOptions_set_request_timeout(o, c->place->timeout_ms, why, sizeof why);
	if (op != RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS)
		rd_kafka_AdminOptions_set_operation_timeout(
		    o, c->place->timeout_ms, why, sizeof why);
	return o;
}

#define LATE_MS 1000 /* librdkafka's own timer comes first */

/* The answer to what was asked just now; rd_kafka_event_destroy() it. */
static enum err await_answer(struct client *c, const char *what, rd_kafka_event_t **out)
{
	rd_kafka_event_t *event = rd_kafka_queue_poll(c->queue, c->place->timeout_ms + LATE_MS);
	c->refused = RD_KAFKA_RESP_ERR_NO_ERROR;
	if (!event)
		return unanswered(c, what, RD_KAFKA_RESP_ERR__TIMED_OUT);
	rd_kafka_resp_err_t err = rd_kafka_event_error(event);
	if (err) {
		rd_kafka_event_destroy(event);
		/* below zero are librdkafka's own */
		c->refused = err > 0 ? err : RD_KAFKA_RESP_ERR_NO_ERROR;
		return unanswered(c, what, err);
	}
	*out = event;
	return OK;
}

/* The first of several topics that was refused. */
static enum err first_refused(const char *what, const rd_kafka_topic_result_t **v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (rd_kafka_topic_result_error(v[i]))
			return err_set(ERR_USAGE, "%s %s: %s", what,
			    rd_kafka_topic_result_name(v[i]),
			    rd_kafka_topic_result_error_string(v[i]));
	return OK;
}

/* --- partitions and replicas */

static void add_broker(struct topics *t, int32_t *ids, int32_t id)
{
	for (unsigned i = 0; i < t->brokers_n; i++)
		if (ids[i] == id)
			return;
	ids[t->brokers_n++] = id;
}

/* One that is down now has its replicas all the same. */
static void add_brokers(struct topics *t, const rd_kafka_metadata_t *m)
{
	size_t most = t->brokers_n + (size_t)m->broker_cnt;
	for (int i = 0; i < TOPIC_JOBS; i++)
		for (unsigned p = 0; p < t->topic[i].partitions; p++)
			most += t->topic[i].of[p].n;
	int32_t *ids = arena_alloc(&t->arena, most * sizeof *ids);
	if (t->brokers_n)
		memcpy(ids, t->brokers, t->brokers_n * sizeof *ids);
	for (int i = 0; i < m->broker_cnt; i++)
		add_broker(t, ids, m->brokers[i].id);
	for (int i = 0; i < TOPIC_JOBS; i++)
		for (unsigned p = 0; p < t->topic[i].partitions; p++)
			for (unsigned r = 0; r < t->topic[i].of[p].n; r++)
				add_broker(t, ids, t->topic[i].of[p].brokers[r]);
	t->brokers = ids;
}

/* Partitions come in any order. One whose number is out of range would be a broker's mistake: it
 * is left without replicas, which is a fault. */
static void keep_partition(struct topic *t, struct arena *a, const rd_kafka_metadata_partition_t *p)
{
	size_t n = (size_t)p->replica_cnt;
	int32_t *ids = arena_alloc(a, n * sizeof *ids);
	if (p->id < 0 || (unsigned)p->id >= t->partitions)
		return;
	memcpy(ids, p->replicas, n * sizeof *ids);
	t->of[p->id] = (struct topic_replicas){.brokers = ids, .n = (unsigned)n};
}

static void keep_topic(struct topic *t, struct arena *a, const rd_kafka_metadata_topic_t *m)
{
	t->there = true;
	t->partitions = (unsigned)m->partition_cnt;
	t->of = arena_alloc(a, t->partitions * sizeof *t->of);
	for (int i = 0; i < m->partition_cnt; i++)
		keep_partition(t, a, &m->partitions[i]);
	t->replicas = t->partitions ? t->of[0].n : 0;
	for (unsigned i = 1; i < t->partitions; i++)
		if (t->of[i].n < t->replicas)
			t->replicas = t->of[i].n;
}

/* A topic that is missing is an answer, too. One whose leader is just being chosen is there. */
static enum err read_metadata(struct client *c, enum topic_job job, struct topics *t)
{
	const char *name = c->place->names[job];
	const rd_kafka_metadata_t *m;
	rd_kafka_topic_t *topic = rd_kafka_topic_new(c->rk, name, NULL);
	if (!topic)
		return err_set(ERR_USAGE, "'%s' is no name of a topic", name);
	rd_kafka_resp_err_t err = rd_kafka_metadata(c->rk, 0, topic, &m, c->place->timeout_ms);
	rd_kafka_topic_destroy(topic);
	if (err)
		return unanswered(c, "the topics cannot be looked at", err);
	enum err e = OK;
	rd_kafka_resp_err_t said = m->topic_cnt == 1 ? m->topics[0].err : RD_KAFKA_RESP_ERR_UNKNOWN;
	if (said == RD_KAFKA_RESP_ERR_NO_ERROR || said == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE)
		keep_topic(&t->topic[job], &t->arena, &m->topics[0]);
	else if (said != RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART &&
		 said != RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC)
		e = err_set(
		    ERR_IO, "the topic %s cannot be looked at: %s", name, rd_kafka_err2str(said));
	if (!e)
		add_brokers(t, m);
	rd_kafka_metadata_destroy(m);
	return e;
}

/* --- settings */

static void keep_settings(
    struct topic *t, struct arena *a, const rd_kafka_ConfigResource_t *resource)
{
	size_t n;
	if (rd_kafka_ConfigResource_error(resource)) {
		t->unread = arena_keep(a, str_c(rd_kafka_ConfigResource_error_string(resource))).p;
		return;
	}
	const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(resource, &n);
	t->settings = arena_alloc(a, n * sizeof *t->settings);
	for (size_t i = 0; i < n; i++) {
		const char *value = rd_kafka_ConfigEntry_value(entries[i]);
		if (value)
			t->settings[t->settings_n++] = (struct topic_setting){
			    arena_keep(a, str_c(rd_kafka_ConfigEntry_name(entries[i]))).p,
			    arena_keep(a, str_c(value)).p};
	}
}

/* Brokers that tell nobody their settings, or not to this client. */
static enum err not_to_be_seen(const struct client *c, struct topics *t)
{
	for (enum topic_job job = 0; job < TOPIC_JOBS; job++)
		t->topic[job].unread = arena_keep(&t->arena, str_c(rd_kafka_err2str(c->refused))).p;
	return OK;
}

/* All topics that are there, in one question. */
static enum err read_settings(struct client *c, struct topics *t)
{
	rd_kafka_ConfigResource_t *of[TOPIC_JOBS];
	size_t n = 0, told;
	rd_kafka_event_t *event;
	for (enum topic_job job = 0; job < TOPIC_JOBS; job++)
		if (t->topic[job].there)
			of[n++] = rd_kafka_ConfigResource_new(
			    RD_KAFKA_RESOURCE_TOPIC, c->place->names[job]);
	if (!n)
		return OK;
	rd_kafka_AdminOptions_t *o = question_options(c, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
	rd_kafka_DescribeConfigs(c->rk, of, n, o, c->queue);
	enum err e = await_answer(c, "the settings of the topics cannot be read", &event);
	rd_kafka_AdminOptions_destroy(o);
	rd_kafka_ConfigResource_destroy_array(of, n);
	if (e)
		return c->refused ? not_to_be_seen(c, t) : e;
	const rd_kafka_ConfigResource_t **got = rd_kafka_DescribeConfigs_result_resources(
	    rd_kafka_event_DescribeConfigs_result(event), &told);
	for (size_t i = 0; i < told; i++)
		for (enum topic_job job = 0; job < TOPIC_JOBS; job++)
			if (strcmp(rd_kafka_ConfigResource_name(got[i]), c->place->names[job]) == 0)
				keep_settings(&t->topic[job], &t->arena, got[i]);
	rd_kafka_event_destroy(event);
	return OK;
}

static enum err read_topics(struct client *c, struct topics *out)
{
	struct topics t = {0};
	enum err e = OK;
	for (enum topic_job job = 0; job < TOPIC_JOBS && !e; job++)
		e = read_metadata(c, job, &t);
	if (!e)
		e = read_settings(c, &t);
	if (e)
		topics_done(&t);
	else
		*out = t;
	return e;
}

enum err topics_read(const struct topics_place *place, struct topics *out)
{
	struct client c;
	enum err e = client_open(&c, place);
	if (e)
		return e;
	e = read_topics(&c, out);
	client_close(&c);
	return e;
}

/* --- what is missing */

static enum err new_topic(
    struct client *c, enum topic_job job, unsigned replicas, rd_kafka_NewTopic_t **out)
{
	char why[BROKER_WHY];
	unsigned partitions = job == TOPIC_LOG ? c->place->partitions : 1;
	struct topic_setting settings[TOPIC_RULES];
	struct arena a = {0};
	rd_kafka_NewTopic_t *t = rd_kafka_NewTopic_new(
	    c->place->names[job], (int)partitions, (int)replicas, why, sizeof why);
	if (!t)
		return err_set(ERR_USAGE, "%s: %s", c->place->names[job], why);
	size_t n = topic_settings_new(job, replicas, &a, settings);
	for (size_t i = 0; i < n; i++)
		rd_kafka_NewTopic_set_config(t, settings[i].name, settings[i].value);
	arena_done(&a);
	*out = t;
	return OK;
}

/* Both in one question, so that there is not one without the other. */
static enum err make_topics(struct client *c, const struct topics *t, unsigned replicas)
{
	rd_kafka_NewTopic_t *new[TOPIC_JOBS];
	rd_kafka_event_t *event;
	size_t n = 0, told;
	enum err e = OK;
	for (enum topic_job job = 0; job < TOPIC_JOBS && !e; job++)
		if (!t->topic[job].there) {
			e = new_topic(c, job, replicas, &new[n]);
			n += !e;
		}
	if (n && !e) {
		rd_kafka_AdminOptions_t *o = question_options(c, RD_KAFKA_ADMIN_OP_CREATETOPICS);
		rd_kafka_CreateTopics(c->rk, new, n, o, c->queue);
		e = await_answer(c, "the topics cannot be made", &event);
		rd_kafka_AdminOptions_destroy(o);
		if (!e) {
			const rd_kafka_topic_result_t **got = rd_kafka_CreateTopics_result_topics(
			    rd_kafka_event_CreateTopics_result(event), &told);
			e = first_refused("topic", got, told);
			rd_kafka_event_destroy(event);
		}
	}
	rd_kafka_NewTopic_destroy_array(new, n);
	return e;
}

/* A shard stays in its partition: more of them move nothing. */
static enum err make_partitions(struct client *c, const struct topics *t)
{
	char why[BROKER_WHY];
	const struct topic *log = &t->topic[TOPIC_LOG];
	rd_kafka_event_t *event;
	size_t told;
	if (!log->there || log->partitions >= c->place->partitions)
		return OK;
	rd_kafka_NewPartitions_t *more = rd_kafka_NewPartitions_new(
	    c->place->names[TOPIC_LOG], c->place->partitions, why, sizeof why);
	if (!more)
		return err_set(ERR_USAGE, "%s", why);
	rd_kafka_AdminOptions_t *o = question_options(c, RD_KAFKA_ADMIN_OP_CREATEPARTITIONS);
	rd_kafka_CreatePartitions(c->rk, &more, 1, o, c->queue);
	enum err e = await_answer(c, "no partitions can be added", &event);
	rd_kafka_AdminOptions_destroy(o);
	rd_kafka_NewPartitions_destroy(more);
	if (e)
		return e;
	const rd_kafka_topic_result_t **got = rd_kafka_CreatePartitions_result_topics(
	    rd_kafka_event_CreatePartitions_result(event), &told);
	e = first_refused("partitions of", got, told);
	rd_kafka_event_destroy(event);
	return e;
}

/* The controller has made them; the broker that is asked hears of it a little later. */
#define LOOK_MS 20
static enum err read_when_made(struct client *c, struct topics *out)
{
	uint64_t until = clock_mono_us() + (uint64_t)c->place->timeout_ms * 1000;
	for (;;) {
		struct topics t;
		enum err e = read_topics(c, &t);
		if (e)
			return e;
		bool made = t.topic[TOPIC_LOG].there && t.topic[TOPIC_CONTROL].there &&
			    t.topic[TOPIC_LOG].partitions >= c->place->partitions &&
			    !t.topic[TOPIC_LOG].unread && !t.topic[TOPIC_CONTROL].unread;
		if (made || clock_mono_us() >= until) {
			*out = t;
			return OK;
		}
		topics_done(&t);
		nanosleep(&(struct timespec){.tv_nsec = LOOK_MS * 1000000L}, NULL);
	}
}

/* One replica on several brokers would be a fault from the first record on. */
static enum err replicas_fit(unsigned brokers, unsigned *replicas)
{
	if (!*replicas)
		*replicas = brokers < TOPIC_REPLICAS ? brokers : TOPIC_REPLICAS;
	if (*replicas > brokers)
		return err_set(ERR_USAGE, "there are not %u brokers for as many replicas, but %u",
		    *replicas, brokers);
	if (*replicas == 1 && brokers > 1)
		return err_set(ERR_USAGE,
		    "there are %u brokers: with one replica, an answered hit is on one of them "
		    "only",
		    brokers);
	return OK;
}

enum err topics_make(const struct topics_place *place, unsigned replicas, struct topics *out)
{
	struct client c;
	struct topics t = {0};
	enum err e = client_open(&c, place);
	if (e)
		return e;
	e = read_topics(&c, &t);
	if (!e)
		e = replicas_fit(t.brokers_n, &replicas);
	if (!e)
		e = make_topics(&c, &t, replicas);
	if (!e)
		e = make_partitions(&c, &t);
	topics_done(&t);
	if (!e)
		e = read_when_made(&c, out);
	client_close(&c);
	return e;
}
#endif
