/* How many visitors satisfy a condition that no serving rule has, and who had a category lately.
 * Both walk all profiles, one thread for each core; conditions that are made up of segments need
 * none (by_members.c). The answer is exact for `now`; what is told of it is remembered.c's to
 * decide. */
#include "asking.h"

#include "crumb/base/clock.h"
#include "crumb/base/memory.h"
#include "crumb/condition/eval.h"
#include "crumb/views/each_visitor.h"

#include <stdlib.h>

/* --- how many */

/* Counts the visitors of a shard, and the members of its segments, and who of them satisfy it. */
enum err by_profiles_shard(void *arg, unsigned shard, void *own)
{
	struct sizing *a = arg;
	struct each_visitor v;
	uint64_t *sums = own;
	uint16_t today = day_of(a->now);
	enum err e = each_visitor_begin(&v, a->g, shard, a->now, a->wanted, NULL);
	if (e)
		return e;
	while (each_visitor(&v)) {
		const struct profile *p = v.profile;
		bool in = a->root >= 0 && rules_holds(a->rules, a->root, p, today);
		if (in)
			set_add(&a->sets[shard], p->ordinal);
		sums[0]++;
		sums[1] += in;
		const uint16_t *segments = p->segments;
		for (size_t i = 0, n = p->segments_n; i < n; i++) {
			sums[2 + 2 * segments[i]]++;
			sums[3 + 2 * segments[i]] += in;
		}
	}
	return each_visitor_end(&v, OK);
}

static void size_add(void *arg, void *own)
{
	struct sizing *a = arg;
	for (size_t i = 0; i < 2 + 2 * a->segments; i++)
		a->sum[i] += ((uint64_t *)own)[i];
}

/* Counts, by the cheaper way. sizing_end() follows in any case. */
static enum err sizing_count(struct sizing *a)
{
	size_t bytes = (2 + 2 * a->segments) * sizeof *a->sum;
	a->sum = calloc(1, bytes);
	a->wanted = calloc(PROFILE_NUMBERS / 64, sizeof *a->wanted);
	a->sets = calloc(a->g->shards, sizeof *a->sets);
	if (!a->sum || !a->wanted || !a->sets)
		return err_set(ERR_NOMEM, "no memory for this now");
	if (by_members_can(a))
		return over_shards(a->g->shards, by_members_shard, a, bytes, size_add);
	if (a->root >= 0)
		rules_asks(a->rules, a->root, a->wanted);
	return over_shards(a->g->shards, by_profiles_shard, a, bytes, size_add);
}

static void sizing_end(struct sizing *a)
{
	sets_free(a->sets, a->g->shards);
	free(a->wanted);
	free(a->sum);
}

enum err ask_size(struct generation *g, const struct rules *rules, const struct kgate *gate,
    struct ask_memory *memory, int root, uint32_t now, struct answer *out)
{
	struct sizing a = {.g = g,
	    .rules = rules,
	    .nodes = rules->nodes,
	    .root = root,
	    .now = now,
	    .segments = g->rules->segments_n,
	    .k = kgate_k(gate)};
	enum err e = root >= 0 ? by_members_find(&a) : OK;
	if (!e)
		e = sizing_count(&a);
	if (!e) {
		out->visitors = kgate_show(gate, a.sum[0]);
		out->size = ask_nearest(&a, gate, memory, &out->refused);
	}
	sizing_end(&a);
	free(a.stands);
	return e;
}

/* The condition "segment(first) and segment(second)", without a copy of the rules. The sizes of
 * both are counted with it, and have their own numbers. */
enum err ask_both(struct generation *g, const struct kgate *gate, struct ask_memory *memory,
    const uint16_t segments[2], uint32_t now, struct both *out)
{
	const struct rule_node nodes[] = {{.kind = NODE_SEGMENT, .segment = segments[0]},
	    {.kind = NODE_SEGMENT, .segment = segments[1]},
	    {.kind = NODE_AND, .left = 0, .right = 1}};
	int32_t stands[] = {segments[0], segments[1], -1};
	struct sizing a = {.g = g,
	    .rules = g->rules,
	    .nodes = nodes,
	    .root = 2,
	    .stands = stands,
	    .now = now,
	    .segments = g->rules->segments_n,
	    .k = kgate_k(gate)};
	enum err e = sizing_count(&a);
	for (int i = 0; i < 2 && !e; i++)
		out->size[i] = kgate_show_group(
		    gate, 's', g->rules->segments[segments[i]].id, a.sum[2 + 2 * segments[i]]);
	if (!e)
		out->both = ask_nearest(&a, gate, memory, &out->refused);
	sizing_end(&a);
	return e;
}

/* --- who had a category lately */

struct recent {
	struct generation *g;
	uint16_t from;
	uint64_t *sum;
};

static enum err recent_shard(void *arg, unsigned shard, void *own)
{
	struct recent *r = arg;
	struct shard *s = &r->g->fold[shard].shard;
	struct db_txn t;
	struct each_stored w;
	struct str memberships;
	struct profile p = {0};
	uint64_t *sums = own;
	enum err e = db_begin(&s->db, DB_READ, &t);
	if (e)
		return e;
	each_stored_begin(&w, s, &t, NULL);
	while (!memory_short() && each_stored(&w)) {
		if (!profile_view(&p, w.bytes, NULL, &memberships))
			shard_bad_profile(s), p.rows_n = 0;
		/* the last row of a category is its latest day */
		for (size_t i = p.rows_n; i-- > 0;)
			if ((i + 1 == p.rows_n || p.rows[i + 1].cat != p.rows[i].cat) &&
			    p.rows[i].day >= r->from)
				sums[p.rows[i].cat]++;
	}
	each_stored_end(&w);
	e = t.err;
	db_abort(&t);
	profile_done(&p);
	return e;
}

static void recent_add(void *arg, void *own)
{
	struct recent *r = arg;
	for (size_t i = 0; i < PROFILE_NUMBERS; i++)
		r->sum[i] += ((uint64_t *)own)[i];
}

enum err ask_recent(struct generation *g, uint32_t now, unsigned days, uint64_t **visitors)
{
	struct recent r = {
	    g, oldest_day(day_of(now), days), calloc(PROFILE_NUMBERS, sizeof *r.sum)};
	if (!r.sum)
		return err_set(ERR_NOMEM, "no memory for this now");
	enum err e =
	    over_shards(g->shards, recent_shard, &r, PROFILE_NUMBERS * sizeof *r.sum, recent_add);
	if (e)
		free(r.sum);
	else
		*visitors = r.sum;
	return e;
}
