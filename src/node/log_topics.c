/* From the configuration to the topics of the log and their faults (node/log_topics.h). */
#include "crumb/node/log_topics.h"

#include "log_place.h"

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
