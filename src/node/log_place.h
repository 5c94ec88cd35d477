/* Inside the node: what the configuration says of a log on Kafka, in the form that a journal takes.
 */
#ifndef CRUMB_SRC_NODE_LOG_PLACE_H
#define CRUMB_SRC_NODE_LOG_PLACE_H

#include "crumb/base/arena.h"
#include "crumb/broker/broker.h"
#include "crumb/core/config.h"

struct log_place {
	const struct broker_place *place; /* NULL: the log is in files */
	struct broker_place on_kafka;	  /* borrows from the configuration */
	struct arena arena;
};
/* ERR_USAGE: no broker is named, or a setting has no value. log_place_done() it in each case. */
enum err log_place_init(struct log_place *out, const struct config *c) MUST_CHECK;
void log_place_done(struct log_place *p);

/* Reads log.kafka; the settings live in the arena. */
enum err log_settings_read(
    const char *text, struct arena *a, const struct broker_setting **out, unsigned *n) MUST_CHECK;

#endif
