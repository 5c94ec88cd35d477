/* Models as files. learn/ makes a model of the serving views; here it gets its file, and is removed
 * when the days that it was learned from are over. A model of before stays until a new one takes
 * its place, so that a lookalike serves while it is trained. */
#include "crumb/node/lookalike.h"

#include "crumb/views/fold.h"
#include "crumb/base/clock.h"
#include "crumb/base/log.h"

#include <dirent.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The day on which a model was trained. False: there is no model, or it does not say. */
static bool trained_on(const char *path, uint16_t *day)
{
	json_error_t error;
	json_t *model = json_load_file(path, 0, &error);
	const char *trained = json_string_value(json_object_get(model, "trained"));
	bool there = trained && day_parse(trained, strlen(trained), day);
	json_decref(model);
	return there;
}

/* Two trainings may end in another order than they began in: a model of an earlier day does not
 * replace a model of a later day. A day that is yet to come was written by a wrong clock, and does
 * not count. */
static enum err keep_model(const struct config *c, const char *id, const char *text, uint16_t day)
{
	static pthread_mutex_t saving = PTHREAD_MUTEX_INITIALIZER;
	char path[4600];
	uint16_t there;
	snprintf(path, sizeof path, "%s/models", c->store_path);
	enum err e = folder_make(path, 0700);
	snprintf(path, sizeof path, "%s/models/%s.json", c->store_path, id);
	if (e)
		return e;
	pthread_mutex_lock(&saving);
	if (trained_on(path, &there) && there > day && there <= day_of(clock_now()))
		e = err_set(ERR_BUSY,
		    "another training of '%s', which began on a later day, has ended: its model is "
		    "kept",
		    id);
	else
		e = file_replace(path, str_c(text));
	pthread_mutex_unlock(&saving);
	return e;
}

/* A model ends with what it was learned from: its file goes, and so it leaves the rules and, with
 * the next generation, the views. */
static void drop_old(const struct config *c, uint16_t today, bool *changed)
{
	char folder[4200], path[4600];
	snprintf(folder, sizeof folder, "%s/models", c->store_path);
	DIR *d = opendir(folder);
	for (struct dirent *f; d && (f = readdir(d));) {
		uint16_t day;
		if (f->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "%s/%s", folder, f->d_name);
		bool old =
		    trained_on(path, &day) && day < oldest_day(today, (unsigned)c->retention_days);
		if (old && unlink(path) == 0) {
			log_info(
			    "lookalike", "removed a model whose data is over file=%s", f->d_name);
			*changed = true;
		}
	}
	if (d)
		closedir(d);
}

/* What is told of a training. The size goes through the k gate. */
static json_t *told(
    const struct generation *g, const struct config *c, uint16_t segment, const struct learned *l)
{
	struct kgate gate = kgate_of(c);
	struct shown size = kgate_show(&gate, l->size);
	json_t *warnings = json_array();
	for (unsigned i = 0; i < l->warnings_n; i++)
		json_array_append_new(warnings, json_string(l->warnings[i]));
	json_t *j =
	    json_pack("{s:s,s:I,s:I,s:f,s:f,s:f,s:o,s:o}", "id", g->rules->segments[segment].id,
		"seed", (json_int_t)l->seed, "population", (json_int_t)l->population, "auc", l->auc,
		"activity_auc", l->activity_auc, "lift_at_10", l->lift_at_10, "size",
		size.told ? json_integer((json_int_t)size.n) : json_null(), "warnings", warnings);
	if (!size.told)
		json_object_set_new(j, "below", json_integer(kgate_k(&gate)));
	return j;
}

enum err lookalike_train(struct generation *g, const struct config *c, struct str id, uint32_t now,
    const _Atomic bool *stop, json_t **out)
{
	struct learned l;
	uint16_t segment;
	enum err e = rules_find_lookalike(g->rules, id, &segment);
	if (e || (e = learn(g, c, segment, now, stop, &l)))
		return e;
	char *text = learned_file(g->rules, segment, &l, day_of(now));
	e = keep_model(c, g->rules->segments[segment].id, text, day_of(now));
	if (!e && out)
		*out = told(g, c, segment, &l);
	free(text);
	learned_done(&l);
	return e;
}

/* What cannot be learned (ERR_USAGE), or was learned better meanwhile (ERR_BUSY), is no reason to
 * leave the others out. */
enum err lookalike_refresh(struct generation *g, const struct config *c, uint32_t now,
    const _Atomic bool *stop, bool *changed)
{
	uint16_t today = day_of(now);
	*changed = false;
	drop_old(c, today, changed);
	for (size_t i = 0; i < g->rules->segments_n && !(stop && atomic_load(stop)); i++) {
		const struct segment *s = &g->rules->segments[i];
		if (!s->like || !s->like->refresh_days ||
		    (s->like->model && s->like->model->trained + s->like->refresh_days > today))
			continue;
		enum err e = lookalike_train(g, c, str_c(s->id), now, stop, NULL);
		if (!e) {
			*changed = true;
			log_info("lookalike", "trained id=%s", s->id);
		} else if (e == ERR_USAGE || (e == ERR_BUSY && !(stop && atomic_load(stop)))) {
			log_warn("lookalike", "not trained id=%s why=\"%s\"", s->id, err_text());
		} else {
			return e;
		}
	}
	return OK;
}
