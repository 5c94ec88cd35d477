/* From the configuration to the topics of the log and their faults (node/log_topics.h). */
#include "crumb/node/log_topics.h"

#include "crumb/base/log.h"
#include "crumb/store/store.h"
#include "log_place.h"

#define UNSAFE_MS 500 /* how long settings are waited for that may be unseen */

/* All that can be said without a broker. */
static enum err place_of(const struct config *c, unsigned partitions, struct log_topics *t)
{
	*t = (struct log_topics){0};
	t->place = (struct topics_place){.brokers = c->log_brokers,
	    .names = {[TOPIC_LOG] = c->log_topic, [TOPIC_CONTROL] = c->log_control},
	    .partitions = partitions,
	    .timeout_ms = (int)c->log_timeout_ms};
	if (!*c->log_brokers)
		return err_set(ERR_USAGE, "log.brokers names no broker");
	if (strcmp(c->log_topic, c->log_control) == 0)
		return err_set(ERR_USAGE, "log.topic and log.control are the same topic");
	return log_settings_read(c->log_kafka, &t->arena, &t->place.settings, &t->place.settings_n);
}

static void find_faults(const struct config *c, struct log_topics *t)
{
	t->faults = topics_faults(&t->place, &t->read, &t->faults_n);
	for (size_t i = 0; i < t->faults_n; i++)
		t->wrong += t->faults[i].kind != FAULT_UNREAD || c->log_unsafe != CONFIG_YES;
}

enum err log_topics_read(const struct config *c, unsigned partitions, struct log_topics *out)
{
	enum err e = place_of(c, partitions, out);
	if (!e)
		e = topics_read(&out->place, &out->read);
	if (!e)
		find_faults(c, out);
	return e;
}

enum err log_topics_make(
    const struct config *c, unsigned partitions, unsigned replicas, struct log_topics *out)
{
	enum err e = place_of(c, partitions, out);
	if (!e)
		e = topics_make(&out->place, replicas, &out->read);
	if (!e)
		find_faults(c, out);
	return e;
}

void log_topics_done(struct log_topics *t)
{
	topics_done(&t->read);
	arena_done(&t->arena);
	*t = (struct log_topics){0};
}

void topic_fault_say(const struct topic_fault *f, struct buf *out)
{
	buf_addf(out, "%s: ", f->topic);
	if (f->kind == FAULT_MISSING)
		buf_addf(out, "there is no such topic: %s", f->why);
	else if (f->kind == FAULT_UNREAD)
		buf_addf(out, "%s cannot be seen: %s", f->setting, f->why);
	else
		buf_addf(out, "%s is %s, and must be %s: %s", f->setting, f->is, f->must, f->why);
}

/* Who has said that settings may be unseen does not wait long for them, nor is a server refused for
 * their sake: whether the brokers are there at all the journal asks when it is opened. */
static enum err read_at_start(const struct config *c, unsigned shards, struct log_topics *t)
{
	struct config short_time = *c;
	if (c->log_unsafe != CONFIG_YES)
		return log_topics_read(c, shards, t);
	short_time.log_timeout_ms = UNSAFE_MS < c->log_timeout_ms ? UNSAFE_MS : c->log_timeout_ms;
	enum err e = log_topics_read(&short_time, shards, t);
	if (e != ERR_IO)
		return e;
	log_warn("log", "the settings of the topics were not checked why=\"%s\"", err_text());
	return OK;
}

enum err log_topics_fit(const struct config *c)
{
	struct log_topics t = {.faults_n = 0};
	struct buf text = {0};
	unsigned shards;
	if (c->log_kind == LOG_KIND_LOCAL)
		return OK;
	if (!*c->log_brokers)
		return err_set(ERR_USAGE, "log.kind is kafka, but log.brokers names no broker");
	enum err e = store_shards(c, &shards);
	if (!e)
		e = read_at_start(c, shards ? shards : (unsigned)c->shards, &t);
	for (size_t i = 0; i < t.faults_n && !e; i++) {
		buf_clear(&text);
		topic_fault_say(&t.faults[i], &text);
		log_line(t.wrong ? LOG_ERROR : LOG_WARN, "log", STR_FMT, STR_ARG(buf_view(&text)));
	}
	if (!e && t.wrong)
		e = err_set(ERR_USAGE, "log.topic: the brokers' settings would break a promise: "
				       "'crumb log check' names "
				       "the commands that mend them; nothing was changed");
	buf_done(&text);
	log_topics_done(&t);
	return e;
}
