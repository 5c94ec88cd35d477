/* From the configuration to the place of a log on Kafka. Settings for librdkafka may be secrets, so
 * none is repeated. */
#include "log_place.h"

/* "security.protocol: SSL, sasl.mechanism: PLAIN", as an option that is a map is kept. '=' stands
 * for ':', too, which is how Kafka's own files have it. */
enum err log_settings_read(
    const char *text, struct arena *a, const struct broker_setting **out, unsigned *n)
{
	struct str rest = str_c(text), part;
	struct broker_setting *pairs;
	size_t most = 1;
	unsigned found = 0;
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
		pairs[found++] = (struct broker_setting){
		    arena_keep(a, name).p, arena_keep(a, str_trim(str_skip(part, at + 1))).p};
	}
	*out = pairs;
	*n = found;
	return OK;
}

enum err log_place_init(struct log_place *out, const struct config *c)
{
	*out = (struct log_place){.place = NULL};
	if (c->log_kind == LOG_KIND_LOCAL)
		return OK;
	if (!*c->log_brokers)
		return err_set(ERR_USAGE, "log.kind is kafka, but log.brokers names no broker");
	out->on_kafka = (struct broker_place){.brokers = c->log_brokers,
	    .topic = c->log_topic,
	    .timeout_ms = (unsigned)c->log_timeout_ms};
	enum err e = log_settings_read(
	    c->log_kafka, &out->arena, &out->on_kafka.settings, &out->on_kafka.settings_n);
	if (!e)
		out->place = &out->on_kafka;
	return e;
}

void log_place_done(struct log_place *p)
{
	arena_done(&p->arena);
	*p = (struct log_place){.place = NULL};
}
