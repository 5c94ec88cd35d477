/* What a change of rules would do, as JSON: `crumb rules diff` and POST /v1/rules/diff.
 *
 * Two sides are compared visitor by visitor (ask/ask.h). Each side has rules, and needs profiles
 * that hold what its conditions ask for:
 *
 *     adopt_possible()   the profiles that serve have it, as when only segments have changed
 *     else               profiles are made from the journal into a temporary folder
 * (views/trial.h), which takes as long as a backfill
 *
 * Categories, attributes and settings are compared as texts and hashes; a category or segment that
 * is gone and one that is new are the same under another name when their hashes are equal. Numbers
 * pass the k gate. */
#include "crumb/answers/answers.h"
#include "crumb/answers/comparison.h"

#include "crumb/base/clock.h"
#include "crumb/base/log.h"
#include "crumb/rules/like.h"
#include "crumb/store/store.h"
#include "crumb/views/adopt.h"
#include "crumb/views/trial.h"

#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* --- categories and attributes */

static bool has_patterns(const struct category *c)
{
	return c->any.n || c->all.n || c->none.n;
}

static bool same_hash(const struct hash16 *a, const struct hash16 *b)
{
	return memcmp(a, b, sizeof *a) == 0;
}

/* The category of `old` that is gone and had the patterns of `c`; -1: there is none. `taken` keeps
 * one old category from standing for two new ones. */
static int category_before(
    const struct rules *old, const struct rules *fresh, const struct category *c, bool *taken)
{
	for (size_t i = 1; i < old->categories_n && has_patterns(c); i++)
		if (!taken[i] && same_hash(&old->categories[i].own, &c->own) &&
		    rules_category(fresh, str_c(old->categories[i].id)) < 0) {
			taken[i] = true;
			return (int)i;
		}
	return -1;
}

/* Compares the patterns of each category itself. Those of its children are told as the
 * children's. */
static json_t *category_changes(const struct rules *old, const struct rules *fresh)
{
	json_t *list = json_array();
	bool *taken = calloc(old->categories_n + 1, sizeof *taken);
	CHECK(taken);
	for (size_t i = 1; i < fresh->categories_n; i++) {
		const struct category *c = &fresh->categories[i];
		int was = rules_category(old, str_c(c->id)),
		    before = was < 0 ? category_before(old, fresh, c, taken) : -1;
		if (before >= 0)
			json_array_append_new(
			    list, json_pack("{s:s,s:s,s:s}", "id", c->id, "change", "renamed",
				      "was", old->categories[before].id));
		else if (was < 0)
			json_array_append_new(
			    list, json_pack("{s:s,s:s}", "id", c->id, "change", "added"));
		else if (!same_hash(&old->categories[was].own, &c->own))
			json_array_append_new(
			    list, json_pack("{s:s,s:s}", "id", c->id, "change", "changed"));
	}
	for (size_t i = 1; i < old->categories_n; i++)
		if (!taken[i] && rules_category(fresh, str_c(old->categories[i].id)) < 0)
			json_array_append_new(
			    list, json_pack("{s:s,s:s}", "id", old->categories[i].id, "change",
				      "removed"));
	free(taken);
	return list;
}

static json_t *attribute_changes(const struct rules *old, const struct rules *fresh)
{
	json_t *list = json_array();
	for (size_t i = 0; i < fresh->vocabularies_n; i++) {
		const struct vocabulary *v = &fresh->vocabularies[i],
					*was = rules_vocabulary(old, str_c(v->id));
		if (!was || was->hash != v->hash)
			json_array_append_new(list, json_pack("{s:s,s:s}", "id", v->id, "change",
							was ? "changed" : "added"));
	}
	for (size_t i = 0; i < old->vocabularies_n; i++)
		if (!rules_vocabulary(fresh, str_c(old->vocabularies[i].id)))
			json_array_append_new(
			    list, json_pack("{s:s,s:s}", "id", old->vocabularies[i].id, "change",
				      "removed"));
	return list;
}

/* --- journeys: nobody enters or leaves by them, so it is told that they change, and no number */

/* All of a journey but its id. Categories by their ids, for numbers differ between rules. */
static void journey_text(const struct rules *r, const struct journey *j, struct buf *out)
{
	buf_addf(out, "%s\n%s\n%u", j->name, r->categories[j->from].id, j->within);
	for (unsigned i = 0; i < j->steps_n; i++)
		buf_addf(out, "\n%s", r->categories[j->steps[i]].id);
}

/* The journey of that id; NULL: there is none. Few have many, so they are looked through. */
static const struct journey *journey_of(const struct rules *r, const char *id)
{
	for (size_t i = 0; i < r->journeys_n; i++)
		if (strcmp(r->journeys[i].id, id) == 0)
			return &r->journeys[i];
	return NULL;
}

static json_t *journey_changes(const struct rules *old, const struct rules *fresh)
{
	json_t *list = json_array();
	for (size_t i = 0; i < fresh->journeys_n; i++) {
		const struct journey *j = &fresh->journeys[i], *was = journey_of(old, j->id);
		struct buf a = {0}, b = {0};
		journey_text(fresh, j, &a);
		if (was)
			journey_text(old, was, &b);
		if (!was || !str_eq(buf_view(&a), buf_view(&b)))
			json_array_append_new(list, json_pack("{s:s,s:s}", "id", j->id, "change",
							was ? "changed" : "added"));
		buf_done(&a);
		buf_done(&b);
	}
	for (size_t i = 0; i < old->journeys_n; i++)
		if (!journey_of(fresh, old->journeys[i].id))
			json_array_append_new(list,
			    json_pack("{s:s,s:s}", "id", old->journeys[i].id, "change", "removed"));
	return list;
}

/* --- segments */

static void put_words(json_t *to, const char *what, const struct str *list, unsigned n)
{
	struct buf b = {0};
	for (unsigned i = 0; i < n; i++) {
		buf_c(&b, i ? ", " : "");
		buf_str(&b, list[i]);
	}
	if (b.n)
		json_object_set_new(to, what, json_stringn(b.p, b.n));
	buf_done(&b);
}

static void put_setting(json_t *to, const char *what, const char *text)
{
	if (text && *text)
		json_object_set_new(to, what, json_string(text));
}

static void put_lookalike(json_t *to, const struct lookalike *l)
{
	char text[64];
	put_setting(to, "seed", l->seed);
	put_setting(to, "population", l->population);
	put_setting(to, "exclude", l->exclude);
	put_words(to, "categories that are not learned from", l->ignore, l->ignore_n);
	if (l->reach > 0)
		snprintf(text, sizeof text, "%g%%", 100 * l->reach);
	else if (l->size)
		snprintf(text, sizeof text, "size %ld", l->size);
	else
		snprintf(text, sizeof text, "min_lift %g", l->min_lift);
	put_setting(to, "reach", text);
	snprintf(text, sizeof text, "every %u days", l->refresh_days);
	if (l->refresh_days == 0)
		put_setting(to, "refresh", "by hand");
	else if (l->refresh_days == 1)
		put_setting(to, "refresh", "daily");
	else
		put_setting(to, "refresh", l->refresh_days == 7 ? "weekly" : text);
}

/* All of a segment but its condition, in words, by key. */
static json_t *settings_of(const struct segment *s)
{
	char text[64], day[DAY_TEXT];
	json_t *j = json_object();
	put_setting(j, "name", s->name);
	put_words(j, "destinations", s->destinations, s->destinations_n);
	put_setting(j, "owner", s->owner);
	snprintf(text, sizeof text, "size < %ld", s->alert);
	put_setting(j, "alert", s->alert ? text : NULL);
	snprintf(text, sizeof text, "%u/%u", s->target, 100 - s->target);
	put_setting(j, "split", s->target < 100 ? text : NULL);
	put_setting(j, "state", s->paused ? "paused" : "active");
	day_text(s->until, day);
	put_setting(j, "until", s->until ? day : NULL);
	snprintf(text, sizeof text, "%ld", s->iab);
	put_setting(j, "iab", s->iab ? text : NULL);
	put_words(j, "labels", s->labels.list, s->labels.n);
	put_setting(j, "sensitive", s->sensitive ? "yes" : NULL);
	if (s->like)
		put_lookalike(j, s->like);
	return j;
}

static json_t *or_null(json_t *v)
{
	return v ? json_incref(v) : json_null();
}

/* [{"what","from","to"}]. A setting that one side does not have is null on that side. */
static json_t *setting_changes(const struct segment *a, const struct segment *b)
{
	json_t *was = settings_of(a), *will = settings_of(b), *all = json_copy(was),
	       *list = json_array(), *value;
	const char *what;
	json_object_update(all, will);
	json_object_foreach(all, what, value)
	{
		json_t *from = json_object_get(was, what), *to = json_object_get(will, what);
		if (!json_equal(from, to))
			json_array_append_new(list, json_pack("{s:s,s:o,s:o}", "what", what, "from",
							or_null(from), "to", or_null(to)));
	}
	json_decref(all);
	json_decref(will);
	json_decref(was);
	return list;
}

/* What happens to a segment that was `a` and will be `b`; NULL: it is not there. */
static const char *change_of(const struct segment *a, const struct segment *b, bool same)
{
	if (!a)
		return "added";
	if (!b)
		return "removed";
	if (strcmp(a->id, b->id) != 0)
		return "renamed";
	return same ? "same" : "changed";
}

static json_t *move_json(const struct rules *old, const struct rules *fresh, const struct move *m)
{
	const struct segment *a = m->was >= 0 ? &old->segments[m->was] : NULL;
	const struct segment *b = m->will >= 0 ? &fresh->segments[m->will] : NULL;
	const char *change = change_of(a, b, m->same);
	bool renamed = strcmp(change, "renamed") == 0;
	json_t *j = json_pack("{s:s,s:s,s:o,s:o,s:o,s:o,s:o}", "id", m->id, "change", change,
	    "before", shown_json(m->before), "after", shown_json(m->after), "enter",
	    shown_json(m->enter), "stay", shown_json(m->stay), "leave", shown_json(m->leave));
	if (m->uncounted)
		json_object_set_new(j, "uncounted", json_true());
	if (renamed)
		json_object_set_new(j, "was", json_string(a->id));
	if (a && b && strcmp(a->when, b->when) != 0) {
		json_object_set_new(j, "from", json_string(a->when));
		json_object_set_new(j, "to", json_string(b->when));
	} else if (!a || !b) {
		json_object_set_new(j, "when", json_string(a ? a->when : b->when));
	}
	if (a && b)
		json_object_set_new(j, "settings", setting_changes(a, b));
	if (b && b->like)
		json_object_set_new(j, "lookalike",
		    json_pack(
			"{s:s,s:b}", "seed", b->like->seed, "trained", b->like->model != NULL));
	return j;
}

/* --- the two sides */

#define TEMPORARY "crumb-diff." /* how the name of a trial's folder begins */

struct side {
	struct trial trial; /* profiles from the journal; its generation NULL: none were needed */
	char folder[FILE_PATH_MAX]; /* of the trial; "": there is none */
	struct ask_side ask;	    /* borrows from the above, or the generation that serves */
};

/* Finds or makes the profiles of a side; close_side() is called in any case. */
static enum err open_side(const struct comparing *c, struct rules *rules, struct side *s)
{
	s->ask = (struct ask_side){.rules = rules, .generation = c->serving};
	if (adopt_possible(c->serving->rules, rules))
		return OK;
	snprintf(s->folder, sizeof s->folder, "%.4000s/" TEMPORARY "XXXXXX", c->folder);
	if (!mkdtemp(s->folder)) {
		*s->folder = 0;
		return err_sys("no temporary folder in %s", c->folder);
	}
	enum err e =
	    trial_open(c->store, c->config, rules, s->folder, c->now, &c->watch, &s->trial);
	if (!e)
		s->ask.generation = s->trial.generation;
	return e;
}

/* The folder holds nothing of a visitor (views/trial.h): if it stays, it is in the way and no
 * more. */
static void close_side(struct side *s)
{
	if (s->trial.generation)
		trial_close(&s->trial);
	if (*s->folder && folder_remove(s->folder) != OK)
		rmdir(s->folder);
}

static enum err compare_sides(
    const struct comparing *c, const struct side *before, const struct side *after, json_t **out)
{
	const struct rules *old = before->ask.rules, *fresh = after->ask.rules;
	struct move *moves;
	size_t n;
	enum err e = ask_diff(&before->ask, &after->ask, c->gate, c->memory, c->now, &moves, &n);
	if (e)
		return e;
	json_t *segments = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(segments, move_json(old, fresh, &moves[i]));
	free(moves);
	*out = json_pack("{s:o,s:o,s:o,s:o,s:b}", "categories", category_changes(old, fresh),
	    "attributes", attribute_changes(old, fresh), "segments", segments, "journeys",
	    journey_changes(old, fresh), "from_journal",
	    before->trial.generation || after->trial.generation);
	return *out ? OK : err_set(ERR_NOMEM, "no memory for this answer");
}

bool changes_replay(const struct comparing *c, struct rules *rules)
{
	return !adopt_possible(c->serving->rules, rules);
}

/* The sides are some hundred kilobytes, too much for the stack. */
enum err changes_json(
    const struct comparing *c, struct rules *old, struct rules *fresh, struct json_t **out)
{
	struct side *sides = calloc(2, sizeof *sides);
	if (!sides)
		return err_set(ERR_NOMEM, "no memory for this now");
	enum err e = open_side(c, old, &sides[0]);
	if (!e)
		e = open_side(c, fresh, &sides[1]);
	if (!e)
		e = compare_sides(c, &sides[0], &sides[1], out);
	close_side(&sides[0]);
	close_side(&sides[1]);
	free(sides);
	return e;
}

void changes_clean(const char *folder)
{
	char path[FILE_PATH_MAX];
	DIR *d = opendir(folder);
	for (struct dirent *f; d && (f = readdir(d));) {
		snprintf(path, sizeof path, "%.3800s/%s", folder, f->d_name);
		if (str_starts(str_c(f->d_name), STR(TEMPORARY)) && folder_remove(path) != OK)
			log_warn(
			    "rules", "what is left of a comparison stays why=\"%s\"", err_text());
	}
	if (d)
		closedir(d);
}
