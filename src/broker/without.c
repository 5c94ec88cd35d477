/* What is called of this layer where it is built without librdkafka (make KAFKA=no): nothing
 * works, and says so. */
#ifdef CRUMB_WITHOUT_KAFKA
#include "crumb/broker/broker.h"
#include "crumb/broker/topics.h"

static enum err without(void)
{
	return err_set(ERR_USAGE, "this crumb was built without Kafka (KAFKA=no)");
}

enum err topics_read(const struct topics_place *place, struct topics *out)
{
	(void)place, (void)out;
	return without();
}

enum err topics_make(const struct topics_place *place, unsigned replicas, struct topics *out)
{
	(void)place, (void)replicas, (void)out;
	return without();
}

enum err broker_open(const struct broker_place *p, struct broker **out)
{
	(void)p;
	(void)out;
	return without();
}

void broker_close(struct broker *b)
{
	(void)b;
}

enum err broker_send(struct broker *b, struct broker_record *records, size_t n)
{
	(void)b;
	(void)records;
	(void)n;
	return without();
}

enum err broker_ask(struct broker *b)
{
	(void)b;
	return without();
}

enum err broker_ends(struct broker *b, uint64_t *first, uint64_t *next)
{
	(void)b;
	(void)first;
	(void)next;
	return without();
}

enum err broker_listen(struct broker *b, const uint64_t *next, const struct broker_ears *ears)
{
	(void)b;
	(void)next;
	(void)ears;
	return without();
}

void broker_listen_end(struct broker *b)
{
	(void)b;
}
#endif
