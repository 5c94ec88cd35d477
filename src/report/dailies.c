/* The kept report and its making. Two locks: `lock` for the pointer, which readers hold for a
 * moment, and `making`, which is held as long as a report is made. */
#include "reporting.h"

#include "crumb/base/clock.h"

#include <pthread.h>
#include <stdlib.h>

struct dailies {
	char *store;		/* the folder; constant */
	pthread_mutex_t making; /* held by whoever makes one */
	_Atomic bool running;	/* shared */
	pthread_mutex_t lock;
	struct daily *kept; /* shared, under lock */
};

struct dailies *dailies_new(const char *store)
{
	struct dailies *d = calloc(1, sizeof *d);
	CHECK(d && (d->store = str_dup(str_c(store))));
	pthread_mutex_init(&d->making, NULL);
	pthread_mutex_init(&d->lock, NULL);
	if (daily_open(store, &d->kept) != OK)
		d->kept = NULL;
	return d;
}

void dailies_free(struct dailies *d)
{
	if (!d)
		return;
	daily_unref(d->kept);
	pthread_mutex_destroy(&d->making);
	pthread_mutex_destroy(&d->lock);
	free(d->store);
	free(d);
}

struct daily *dailies_kept(struct dailies *d)
{
	pthread_mutex_lock(&d->lock);
	struct daily *kept = daily_ref(d->kept);
	pthread_mutex_unlock(&d->lock);
	return kept;
}

bool dailies_current(struct dailies *d, const struct rules *rules, uint16_t today)
{
	pthread_mutex_lock(&d->lock);
	bool is = daily_is_of(d->kept, rules, today);
	pthread_mutex_unlock(&d->lock);
	return is;
}

bool dailies_running(const struct dailies *d)
{
	return atomic_load(&d->running);
}

enum err dailies_make(struct dailies *d, struct generation *g, const struct kgate *gate,
    uint32_t now, const _Atomic bool *stop)
{
	enum err e = OK;
	(void)gate, (void)stop;
	pthread_mutex_lock(&d->making);
	atomic_store(&d->running, true);
	if (!dailies_current(d, g->rules, day_of(now)))
		e = OK; /* the scan comes here */
	atomic_store(&d->running, false);
	pthread_mutex_unlock(&d->making);
	return e;
}
