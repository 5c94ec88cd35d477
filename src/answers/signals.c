/* What is seen often and no rule uses, and rules that hardly anybody matches.
 *
 * A signal is a name of an event, an attribute, or a path with its last part as '*'. The journal of
 * the last 30 days is read twice:
 *
 *     1  counts the events of each signal that no rule uses; the TOP_MAX most frequent get a rank
 *     2  counts the visitors of those, shard by shard: the keys of a shard are gathered, sorted and
 *        counted, and forgotten before the next shard. A visitor is in one shard only, so the
 *        counts of shards add up.
 *
 * Memory is bounded: KINDS_MAX signals in the first reading, and in the second eight bytes for each
 * event of a ranked signal in one shard. Whether a rule uses a page is asked last, because matching
 * is dear. Signals of fewer than k visitors are not told. */
#include "crumb/answers/signals.h"

#include "crumb/ask/ask.h"
#include "crumb/base/array.h"
#include "crumb/base/clock.h"
#include "crumb/base/memory.h"
#include "crumb/match/match.h"
#include "crumb/model/record.h"

#include <jansson.h>
#include <stdlib.h>

#define DAYS 30
#define KINDS_MAX 200000 /* different signals that are told apart; others are left out */
#define TOP_MAX 400	 /* signals whose visitors are counted */
#define SIGNAL_TEXT (EVENT_PATH_MAX + 2) /* bytes of a signal */

enum kind { SIGNAL_EVENT, SIGNAL_PATH, SIGNAL_ATTRIBUTE, KIND_MAX };
static const char *const kind_names[KIND_MAX] = {"event", "path", "attribute"};

struct signal {
	enum kind kind;
	char *text;
	uint64_t events;
	uint64_t visitors;
	struct buf keys; /* second reading: of one shard's visitors, the first 8 bytes of keys */
	uint32_t rank;	 /* from 1, by events; 0: not among the most frequent */
};

struct signals {
	const struct signals_of *of;
	struct match *m;
	const struct rules *r;
	uint16_t from;
	struct map index; /* kind and text -> number */
	struct signal *list;
	size_t n, cap;
	uint64_t events;
	bool second;
	struct map used_events, used_attrs;
	uint16_t *cats;
};

/* A pattern uses an attribute by its name, an event by its exact name; globs are tried one by one
 * in event_used(). */
static void note_used(struct signals *s, const struct pattern *p)
{
	if (p->field == FIELD_ATTR)
		map_put(&s->used_attrs, p->name, 1);
	else if (p->field == FIELD_EVENT && p->kind == PATTERN_EXACT)
		map_put(&s->used_events, p->text, 1);
}

static bool event_used(const struct signals *s, struct str name)
{
	uint32_t v;
	char lower[EVENT_NAME_MAX];
	if (name.n > sizeof lower)
		return false;
	for (size_t i = 0; i < name.n; i++)
		lower[i] = chr_lower(name.p[i]);
	if (map_get(&s->used_events, str_make(lower, name.n), &v))
		return true;
	for (size_t i = 0; i < s->r->patterns_n; i++)
		if (s->r->patterns[i].field == FIELD_EVENT &&
		    s->r->patterns[i].kind == PATTERN_GLOB &&
		    str_iglob(s->r->patterns[i].text, name))
			return true;
	return false;
}

/* A path as a rule would say it, with any last part: /coats/blue-17 is /coats/ and a star. */
static struct str path_signal(struct str path, char out[SIGNAL_TEXT])
{
	size_t last = path.n;
	while (last > 1 && path.p[last - 1] == '/')
		last--;
	path.n = last;
	while (last > 1 && path.p[last - 1] != '/')
		last--;
	if (last <= 1) {
		memcpy(out, path.p, path.n);
		return str_make(out, path.n);
	}
	memcpy(out, path.p, last);
	out[last] = '*';
	return str_make(out, last + 1);
}

static int by_key(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

/* Counts the different visitors of the shard that was read. The first half of a key, a hash of 64
 * bits, is enough to tell visitors apart. */
static void count_visitors(struct signal *g)
{
	uint64_t *keys = (uint64_t *)(void *)g->keys.p;
	size_t n = g->keys.n / sizeof *keys;
	if (n)
		qsort(keys, n, sizeof *keys, by_key);
	for (size_t i = 0; i < n; i++)
		g->visitors += i == 0 || keys[i] != keys[i - 1];
	buf_clear(&g->keys);
}

/* The signal in the list; NULL: it is not there. The second reading finds only ranked signals.
 * `key` becomes the kind's letter and the text. */
static struct signal *find_signal(
    struct signals *s, enum kind kind, struct str text, char key[SIGNAL_TEXT + 2])
{
	uint32_t at;
	if (text.n == 0 || text.n > SIGNAL_TEXT)
		return NULL;
	key[0] = (char)('a' + kind);
	memcpy(key + 1, text.p, text.n);
	if (!map_get(&s->index, str_make(key, text.n + 1), &at))
		return NULL;
	return s->second && !s->list[at].rank ? NULL : &s->list[at];
}

static void note_signal(struct signals *s, enum kind kind, struct str text, const struct event *e)
{
	char key[SIGNAL_TEXT + 2];
	struct signal *g = find_signal(s, kind, text, key);
	if (!g) {
		if (s->second || s->n == KINDS_MAX || text.n == 0 || text.n > SIGNAL_TEXT)
			return;
		char *kept = array_room(s->list, s->cap, s->n + 1)
				 ? str_dup(str_make(key, text.n + 1))
				 : NULL;
		if (!kept) {
			memory_none();
			return;
		}
		g = &s->list[s->n];
		*g = (struct signal){.kind = kind, .text = kept};
		map_put(&s->index, str_make(kept, text.n + 1), (uint32_t)s->n++);
	}
	if (!s->second)
		g->events++;
	else
		buf_add(&g->keys, e->visitor.b, sizeof(uint64_t));
}

static void look_at(struct signals *s, const struct event *e)
{
	char path[SIGNAL_TEXT];
	uint32_t v;
	if (day_of(e->t) < s->from)
		return;
	s->events += !s->second;
	if (!event_used(s, e->name))
		note_signal(s, SIGNAL_EVENT, e->name, e);
	for (unsigned i = 0; i < e->attrs_n; i++)
		if (!map_get(&s->used_attrs, e->attrs[i].name, &v))
			note_signal(s, SIGNAL_ATTRIBUTE, e->attrs[i].name, e);
	if (e->path.n == 0)
		return;
	struct str signal = path_signal(e->path, path);
	char key[SIGNAL_TEXT + 2];
	if ((!s->second || find_signal(s, SIGNAL_PATH, signal, key)) &&
	    rules_categorise(s->m, e, s->cats) == 0)
		note_signal(s, SIGNAL_PATH, signal, e);
}

/* One reading. A damaged block is passed over: what it held is not seen often enough anyway. */
static enum err read_journal(struct signals *s)
{
	struct record *record = calloc(1, sizeof *record);
	struct buf records = {0};
	enum err e = record ? OK : err_set(ERR_NOMEM, "no memory for this now");
	for (unsigned i = 0; i < s->of->store->shards && !e; i++) {
		struct journal_reader *r;
		struct journal_pos pos;
		uint32_t count;
		uint16_t day;
		if ((e = journal_read(s->of->store->journal, i, JOURNAL_START, &r)))
			break;
		while (
		    (e = journal_next(r, &records, &pos, &count, &day)) == OK || e == ERR_CORRUPT) {
			struct mp m = mp_over(buf_view(&records));
			while (!e && day >= s->from && m.p < m.end && record_decode(&m, record))
				if (record->kind == RECORD_EVENT)
					look_at(s, &record->event);
			buf_clear(&records);
		}
		journal_read_end(r);
		if (e == ERR_NOT_FOUND)
			e = OK;
		for (size_t k = 0; k < s->n && s->second; k++)
			count_visitors(&s->list[k]);
		if (!e && s->of->stop && atomic_load(s->of->stop))
			e = err_set(ERR_BUSY, "stopping");
		if (s->of->progress)
			s->of->progress(s->second ? "counting visitors" : "reading the journal",
			    i + 1, s->of->store->shards);
	}
	buf_done(&records);
	free(record);
	return e;
}

static int by_events(const void *a, const void *b)
{
	const struct signal *x = *(struct signal *const *)a, *y = *(struct signal *const *)b;
	if (x->events != y->events)
		return x->events > y->events ? -1 : 1;
	return strcmp(x->text, y->text);
}

static json_t *unused_json(struct signals *s, struct signal **order)
{
	json_t *list = json_array();
	for (size_t i = 0; i < s->n && i < TOP_MAX; i++) {
		struct shown n = kgate_show(s->of->gate, order[i]->visitors);
		if (n.told)
			json_array_append_new(
			    list, json_pack("{s:s,s:s,s:I,s:I}", "kind", kind_names[order[i]->kind],
				      "value", order[i]->text + 1, "events",
				      (json_int_t)((order[i]->events + 5) / 10 * 10), "visitors",
				      (json_int_t)n.n));
	}
	return list;
}

/* Categories that were hardly matched in the last days, and segments that are hardly told. */
static enum err idle_json(struct signals *s, json_t *categories, json_t *segments)
{
	uint64_t *visitors;
	struct group_sizes sizes;
	enum err e = ask_recent(s->of->g, s->of->now, DAYS, &visitors);
	if (e)
		return e;
	if ((e = view_sizes(s->of->g, s->of->gate, s->of->now, &sizes))) {
		free(visitors);
		return e;
	}
	for (size_t i = 1; i < s->r->categories_n; i++)
		if (s->r->categories[i].named && !kgate_show(s->of->gate, visitors[i]).told)
			json_array_append_new(categories, json_string(s->r->categories[i].id));
	for (size_t i = 0; i < s->r->segments_n; i++)
		if (!sizes.segments[i].told)
			json_array_append_new(segments, json_string(s->r->segments[i].id));
	free(visitors);
	view_sizes_done(&sizes);
	return OK;
}

static void signals_done(struct signals *s)
{
	for (size_t i = 0; i < s->n; i++) {
		buf_done(&s->list[i].keys);
		free(s->list[i].text);
	}
	free(s->list);
	free(s->cats);
	map_done(&s->index);
	map_done(&s->used_events);
	map_done(&s->used_attrs);
	rules_match_end(s->m);
}

static void note_used_by_rules(struct signals *s)
{
	for (size_t i = 0; i < s->r->patterns_n; i++)
		note_used(s, &s->r->patterns[i]);
	for (size_t i = 0; i < s->r->nodes_n; i++)
		if (s->r->nodes[i].kind == NODE_ATTR)
			map_put(&s->used_attrs, s->r->nodes[i].attr, 1);
}

/* Both readings, with the ranks between them. The order of signals, by events, is the caller's. */
static enum err read_twice(struct signals *s, struct signal ***out)
{
	enum err e = read_journal(s);
	struct signal **order = e ? NULL : calloc(s->n + 1, sizeof *order);
	if (!e && !order)
		e = err_set(ERR_NOMEM, "no memory for this now");
	if (e)
		return e;
	for (size_t i = 0; i < s->n; i++)
		order[i] = &s->list[i];
	if (s->n)
		qsort(order, s->n, sizeof *order, by_events);
	for (size_t i = 0; i < s->n && i < TOP_MAX; i++)
		order[i]->rank = (uint32_t)i + 1;
	s->second = true;
	*out = order;
	return read_journal(s);
}

enum err answer_signals(const struct signals_of *of, json_t **out)
{
	struct signals s = {.of = of, .r = of->g->rules, .from = oldest_day(day_of(of->now), DAYS)};
	json_t *categories = json_array(), *segments = json_array();
	struct signal **order = NULL;
	s.cats = calloc(s.r->categories_n + 1, sizeof *s.cats);
	enum err e = s.cats ? rules_match_begin(of->g->rules, &s.m)
			    : err_set(ERR_NOMEM, "no memory for this now");
	note_used_by_rules(&s);
	if (!e)
		e = read_twice(&s, &order);
	if (!e)
		e = idle_json(&s, categories, segments);
	if (!e)
		e = memory_check();
	if (!e)
		*out =
		    json_pack("{s:i,s:o,s:O,s:O}", "days", DAYS, "unused", unused_json(&s, order),
			"idle_categories", categories, "idle_segments", segments);
	json_decref(categories);
	json_decref(segments);
	free(order);
	signals_done(&s);
	return e;
}
