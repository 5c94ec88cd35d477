/* From the configuration to the topics of the log and their faults (node/log_topics.h). */
#include "crumb/node/log_topics.h"

/* "security.protocol: SSL, sasl.mechanism: PLAIN", as an option that is a map is kept. '=' stands
 * for ':', too, which is how Kafka's own files have it. */
static enum err read_settings(const char *text, struct arena *a, struct topics_place *place)
{
	struct str rest = str_c(text), part;
	struct broker_setting *pairs;
	size_t most = 1;
	for (const char *p = text; *p; p++)
		most += *p == ',';
	pairs = arena_alloc(a, most * sizeof *pairs);
	while (rest.n && str_cut(&rest, ',', &part)) {
		size_t colon = str_find(part, ':'), equals = str_find(part, '=');
		size_t at = colon < equals ? colon : equals;
		struct str name = str_trim(str_make(part.p, at));
		if (!str_trim(part).n)
			continue;
		if (at == part.n || !name.n)
			return err_set(ERR_USAGE, "log.kafka: NAME: VALUE is meant, with commas "
						  "between several");
		pairs[place->settings_n++] = (struct broker_setting){
		    arena_keep(a, name).p, arena_keep(a, str_trim(str_skip(part, at + 1))).p};
	}
	place->settings = pairs;
	return OK;
}

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
	return read_settings(c->log_kafka, &t->arena, &t->place);
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
