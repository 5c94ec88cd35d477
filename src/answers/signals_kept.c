/* Two locks, as in report/dailies.c: `lock` for what is kept, which is held for a moment, and
 * `making`, which is held as long as the journal is read. */
#include "crumb/answers/signals_kept.h"

#include "crumb/base/clock.h"
#include "crumb/base/memory.h"
#include "crumb/rules/rules.h"

#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>

struct signals_kept {
	pthread_mutex_t making; /* held by whoever reads the journal */
	_Atomic bool running;	/* shared */
	pthread_mutex_t lock;
	/* shared, under lock */
	json_t *answer;	   /* NULL: none yet */
	uint32_t made;	   /* when */
	uint8_t rules[16]; /* hash */
};

struct signals_kept *signals_kept_new(void)
{
	struct signals_kept *k = calloc(1, sizeof *k);
	CHECK(k);
	pthread_mutex_init(&k->making, NULL);
	pthread_mutex_init(&k->lock, NULL);
	return k;
}

void signals_kept_free(struct signals_kept *k)
{
	if (!k)
		return;
	json_decref(k->answer);
	pthread_mutex_destroy(&k->making);
	pthread_mutex_destroy(&k->lock);
	free(k);
}

static bool is_of(const struct signals_kept *k, const struct rules *rules, uint16_t today)
{
	return k->answer && day_of(k->made) == today &&
	       memcmp(k->rules, rules->hash, sizeof k->rules) == 0;
}

bool signals_kept_current(struct signals_kept *k, const struct rules *rules, uint16_t today)
{
	pthread_mutex_lock(&k->lock);
	bool is = is_of(k, rules, today);
	pthread_mutex_unlock(&k->lock);
	return is;
}

static void keep_fresh(struct signals_kept *k, const struct signals_of *of, json_t *fresh)
{
	pthread_mutex_lock(&k->lock);
	json_t *old = k->answer;
	k->answer = fresh;
	k->made = of->now;
	memcpy(k->rules, of->g->rules->hash, sizeof k->rules);
	pthread_mutex_unlock(&k->lock);
	json_decref(old);
}

enum err signals_kept_make(struct signals_kept *k, const struct signals_of *of)
{
	json_t *fresh;
	enum err e = OK;
	pthread_mutex_lock(&k->making);
	atomic_store(&k->running, true);
	if (!signals_kept_current(k, of->g->rules, day_of(of->now)) &&
	    !(e = answer_signals(of, &fresh)))
		keep_fresh(k, of, fresh);
	atomic_store(&k->running, false);
	pthread_mutex_unlock(&k->making);
	return e;
}

enum err signals_kept_told(
    struct signals_kept *k, const struct rules *rules, uint16_t today, json_t **out)
{
	pthread_mutex_lock(&k->lock);
	bool current = is_of(k, rules, today);
	json_t *told = k->answer ? json_deep_copy(k->answer)
				 : json_pack("{s:i,s:[],s:[],s:[]}", "days", 0, "unused",
				       "idle_categories", "idle_segments");
	json_object_set_new(
	    told, "made", k->answer ? json_integer((json_int_t)k->made) : json_null());
	pthread_mutex_unlock(&k->lock);
	json_object_set_new(told, "current", json_boolean(current));
	json_object_set_new(told, "running", json_boolean(atomic_load(&k->running)));
	enum err e = memory_check();
	if (e)
		json_decref(told);
	else
		*out = told;
	return e;
}
