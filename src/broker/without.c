/* What is called of this layer where it is built without librdkafka (make KAFKA=no): nothing
 * works, and says so. */
#ifdef CRUMB_WITHOUT_KAFKA
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
#endif
