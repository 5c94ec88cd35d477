/* The topics of the log on Kafka (broker/topics.h), as the configuration names them: what `crumb
 * log init` makes, and what `crumb log check` and the start of a server look at.
 *
 * Any thread; a call waits for the brokers, for log.timeout_ms at each question. */
#ifndef CRUMB_NODE_LOG_TOPICS_H
#define CRUMB_NODE_LOG_TOPICS_H

#include "crumb/broker/topics.h"
#include "crumb/core/config.h"

/* What is read and found; log_topics_done() frees it, also after a failure. A zeroed one is
 * empty. */
struct log_topics {
	struct topics_place place; /* borrows from the configuration */
	struct topics read;
	struct topic_fault *faults; /* in the arena of `read` */
	size_t faults_n;
	size_t wrong; /* faults that may not be; with log.unsafe, not what could not be seen */
	struct arena arena;
};

/* As broker/topics.h says. ERR_USAGE, too: no broker is named, a setting of log.kafka has no
 * value. */
enum err log_topics_read(
    const struct config *c, unsigned partitions, struct log_topics *out) MUST_CHECK;
enum err log_topics_make(const struct config *c, unsigned partitions, unsigned replicas,
    struct log_topics *out) MUST_CHECK;
void log_topics_done(struct log_topics *t);
/* At the start of a server; OK at once where log.kind is local. ERR_USAGE: a setting of the topics
 * would break a promise, and the log has a line for each; or as log_topics_read(). ERR_IO: no
 * broker answers; with log.unsafe that is a warning, after half a second. */
enum err log_topics_fit(const struct config *c) MUST_CHECK;

/* "crumb.log: retention.ms is 604800000, and must be 3600000 to 86400000: …" */
void topic_fault_say(const struct topic_fault *f, struct buf *out);

#endif
