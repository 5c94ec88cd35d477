/* The courier's thread looks at all destinations four times a second. A destination with a delivery
 * that waits is tried when that says so; else it is delivered to when its schedule has come round.
 * What has been kept of a schedule stands in the store (deliver_save_last()), so that a restart
 * neither skips nor repeats a delivery. */
#include "crumb/node/courier.h"

#include "crumb/base/memory.h"
#include "crumb/base/clock.h"
#include "crumb/base/log.h"
#include "crumb/base/thread.h"
#include "crumb/delivery/deliver.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define LOOK_MS 250
#define RETRY_US 60000000 /* after a failure of our own */

struct courier {
	struct node *node;
	pthread_t thread;
	_Atomic bool stop;
	uint64_t
	    not_before; /* its thread's; clock_mono_us(): no delivery before, after a failure */
};

bool courier_due(uint32_t every_s, uint32_t at_s, uint32_t last, uint32_t now)
{
	if (every_s == 0 || now < at_s)
		return false;
	if (last > now) /* a clock that was set back, or a damaged file */
		last = 0;
	return last < at_s || (now - at_s) / every_s > (last - at_s) / every_s;
}

/* One delivery. What a partner refused or a connection lost waits in the delivery itself. A failure
 * of our own, such as a full disk, holds up all destinations for a minute. */
static void run_one(
    struct courier *c, const struct destinations *all, const struct destination *d, uint32_t now)
{
	struct node *n = c->node;
	struct generation *g = engine_serving(n->engine);
	struct delivery r;
	struct deliver_wish w = {
	    .plan = {.g = g, .config = n->config, .all = all, .d = d, .now = now},
	    .mode = DELIVER_AUTO,
	    .stop = &c->stop,
	    .patient = true};
	memory_begin();
	enum err e = deliver(&w, &r);
	if (!e) {
		const char *const words[] = {
		    "delivered", "nothing to say", "waits", "replaced", "given up"};
		if (r.state == DELIVERY_FAILED || r.state == DELIVERY_WAITS)
			log_warn("courier", "%s delivery=%s files=%u/%u why=\"%s\"", words[r.state],
			    r.id, r.files_done, r.files, r.why);
		else
			log_info(
			    "courier", "%s delivery=%s files=%u", words[r.state], r.id, r.files);
		delivery_done(&r);
		e = deliver_save_last(n->store->path, d->id, now);
	}
	generation_unref(g);
	if (e && e != ERR_BUSY) {
		log_error("courier",
		    "not possible now, will be tried again destination=%s why=\"%s\"", d->id,
		    err_text());
		c->not_before = clock_mono_us() + RETRY_US;
	}
}

static void look_round(struct courier *c)
{
	struct node *n = c->node;
	struct destinations *all = node_destinations(n);
	uint32_t now = clock_now();
	for (size_t i = 0; i < all->n && !atomic_load(&c->stop) && clock_mono_us() >= c->not_before;
	     i++) {
		const struct destination *d = &all->list[i];
		if (!d->every_s)
			continue;
		uint32_t next = deliver_next_try(n->store->path, d->id, now);
		bool due =
		    courier_due(d->every_s, d->at_s, deliver_last(n->store->path, d->id), now);
		if (next ? next <= now : due)
			run_one(c, all, d, now);
	}
	destinations_unref(all);
}

static void *courier_thread(void *arg)
{
	struct courier *c = arg;
	while (!atomic_load(&c->stop)) {
		look_round(c);
		nanosleep(&(struct timespec){0, LOOK_MS * 1000000}, NULL);
	}
	return NULL;
}

enum err courier_start(struct node *n, struct courier **out)
{
	struct courier *c = calloc(1, sizeof *c);
	if (!c)
		return err_set(ERR_NOMEM, "no memory");
	c->node = n;
	enum err e = thread_start(&c->thread, "courier", courier_thread, c);
	if (e) {
		free(c);
		return e;
	}
	*out = c;
	return OK;
}

void courier_stop(struct courier *c)
{
	if (!c)
		return;
	atomic_store(&c->stop, true);
	pthread_join(c->thread, NULL);
	free(c);
}
