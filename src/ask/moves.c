/* What a change of rules does to each segment: who enters, stays and leaves.
 *
 * Two generations, or one under two rule sets, are walked side by side in order of visitor key.
 * Each visitor is evaluated under both, by the evaluator of many segments (condition/block.h), and
 * counted in one of three numbers of each segment:
 *
 *     key       before: keen, warm      after: keen, fresh      keen     warm     fresh
 *     0a…       in, out                 in, in                  stays             enters
 *     1f…       in, in                  out, in                 leaves   leaves   enters
 *     27…       (not there)             out, in                                   enters
 *
 * A segment with another id and the same definition is one that was renamed: nobody moves. */
#include "asking.h"

#include "crumb/base/clock.h"
#include "crumb/base/memory.h"
#include "crumb/condition/block.h"
#include "crumb/rules/like.h"
#include "crumb/store/each_stored.h"
#include "crumb/views/adopt.h"

#include <stdlib.h>

struct diffing {
	const struct ask_side *before, *after;
	uint32_t now;
	struct move *moves;
	size_t n;
	/* from categories of the generations to those of the rules that are asked about */
	uint16_t *old_map, *new_map;
	struct move_groups *groups; /* NULL: no memory */
	size_t sums;		    /* numbers that a thread counts */
	/* for each move: who enter, who stay, who leave; then what `groups` counts */
	uint64_t *sum;
};

/* One side's walk over a shard. */
struct side {
	const struct ask_side *of;
	struct shard *shard;
	const uint16_t *map;
	struct db_txn t;
	struct each_stored at;
	struct profile p;
	struct block *block;
	uint8_t *in; /* per segment of its rules */
	bool known;  /* there is a profile of the visitor at hand */
};

static enum err side_open(
    struct side *s, const struct ask_side *of, const uint16_t *map, unsigned shard)
{
	struct shard *sh = &of->generation->fold[shard].shard;
	memset(s, 0, sizeof *s);
	s->of = of;
	s->shard = sh;
	s->map = map;
	s->in = calloc(of->rules->segments_n + 1, 1);
	if (!s->in)
		return err_set(ERR_NOMEM, "no memory for this now");
	s->block = rules_block_begin(of->rules);
	enum err e = db_begin(&sh->db, DB_READ, &s->t);
	if (e)
		return e;
	each_stored_begin(&s->at, sh, &s->t, NULL);
	each_stored(&s->at);
	return OK;
}

static void side_close(struct side *s)
{
	if (s->t.txn) {
		each_stored_end(&s->at);
		db_abort(&s->t);
	}
	rules_block_end(s->block);
	profile_done(&s->p);
	free(s->in);
}

/* Sets the memberships of the visitor at hand, and goes on to the next. `there`: this side has the
 * visitor. A visitor whose profile is damaged is in no segment. */
static enum err side_evaluate(struct side *s, bool there, uint32_t now, unsigned retention)
{
	uint16_t today = day_of(now);
	size_t n = s->of->rules->segments_n;
	memset(s->in, 0, n);
	s->known = false;
	if (!there)
		return OK;
	if (profile_load(&s->p, s->at.bytes) && fold_fits(s->of->generation->rules, &s->p)) {
		s->known = true;
		s->p.segments_n = 0;
		profile_expire(&s->p, oldest_day(today, retention));
		adopt_rows(s->of->rules, s->map, &s->p);
		rules_block_clear(s->block, today);
		rules_block_add(s->block, &s->p);
		for (size_t i = 0; i < n; i++)
			s->in[i] = rules_block_segment(s->block, (uint16_t)i) & 1;
	} else {
		shard_bad_profile(s->shard);
	}
	each_stored(&s->at);
	return memory_check();
}

/* Both sides of one shard, side by side in order of visitor key. */
static enum err diff_shard(void *arg, unsigned shard, void *own)
{
	struct diffing *d = arg;
	struct side *a = calloc(2, sizeof *a), *b = a + 1;
	uint64_t *sums = own;
	unsigned retention = d->before->generation->fold[shard].retention;
	if (!a)
		return err_set(ERR_NOMEM, "no memory for this now");
	enum err e = side_open(a, d->before, d->old_map, shard);
	if (!e)
		e = side_open(b, d->after, d->new_map, shard);
	while (!e && (a->at.there || b->at.there)) {
		int order = each_stored_order(&a->at, &b->at);
		if ((e = side_evaluate(a, order <= 0, d->now, retention)) ||
		    (e = side_evaluate(b, order >= 0, d->now, retention)))
			break;
		for (size_t i = 0; i < d->n; i++) {
			bool was = d->moves[i].was >= 0 && a->in[d->moves[i].was],
			     will = d->moves[i].will >= 0 && b->in[d->moves[i].will];
			sums[3 * i] += !was && will;
			sums[3 * i + 1] += was && will;
			sums[3 * i + 2] += was && !will;
		}
		if (d->groups)
			move_groups_count(d->groups, shard, a->in, b->in, a->known, a->p.ordinal,
			    sums + 3 * d->n);
	}
	/* a walk ends, too, when a read fails */
	if (!e)
		e = a->t.err ? a->t.err : b->t.err;
	side_close(a);
	side_close(b);
	free(a);
	return e;
}

static void diff_add(void *arg, void *own)
{
	struct diffing *d = arg;
	for (size_t i = 0; i < d->sums; i++)
		d->sum[i] += ((uint64_t *)own)[i];
}

static int by_move_id(const void *a, const void *b)
{
	return strcmp(((const struct move *)a)->id, ((const struct move *)b)->id);
}

/* A segment of `old` that is gone and had the members that `s` has, whatever it was called; -1:
 * none. It is taken then, so that it stands for one segment only. */
static int called_before(
    const struct rules *old, const struct rules *fresh, const struct segment *s, bool *taken)
{
	for (size_t i = 0; i < old->segments_n; i++) {
		const struct segment *o = &old->segments[i];
		bool same = memcmp(&o->definition, &s->definition, sizeof s->definition) == 0 &&
			    !o->like == !s->like;
		if (taken[i] || !same || (s->like && strcmp(o->like->seed, s->like->seed) != 0) ||
		    rules_segment(fresh, str_c(o->id)) >= 0)
			continue;
		taken[i] = true;
		return (int)i;
	}
	return -1;
}

/* One row for each segment of either side, in order of id, without numbers. NULL: no memory. */
static struct move *list_moves(const struct rules *old, const struct rules *fresh, size_t *n)
{
	struct move *moves = calloc(old->segments_n + fresh->segments_n + 1, sizeof *moves);
	bool *taken = calloc(old->segments_n + 1, sizeof *taken);
	*n = 0;
	for (size_t i = 0; moves && taken && i < fresh->segments_n; i++) {
		uint16_t number;
		const struct segment *s = &fresh->segments[i];
		int was = rules_segment(old, str_c(s->id)),
		    before = was < 0 ? called_before(old, fresh, s, taken) : -1;
		moves[(*n)++] = (struct move){.id = s->id,
		    .was = before >= 0 ? before : was,
		    .will = (int)i,
		    .same = before >= 0 || segment_unchanged(old, fresh, (uint16_t)i, &number)};
	}
	for (size_t i = 0; moves && taken && i < old->segments_n; i++)
		if (!taken[i] && rules_segment(fresh, str_c(old->segments[i].id)) < 0)
			moves[(*n)++] =
			    (struct move){.id = old->segments[i].id, .was = (int)i, .will = -1};
	if (*n)
		qsort(moves, *n, sizeof *moves, by_move_id);
	if (!taken) {
		free(moves);
		moves = NULL;
	}
	free(taken);
	return moves;
}

/* Numbers of one move, through the k gate. A number that is withheld counts as nothing in the
 * others, so that no difference between them tells it. Example with k = 50: 1,000 stay, 7 leave,
 * 120 enter. Before: 1,010; leave: withheld; stay: 1,010, as if nobody left; after: 1,130. */
static void show_move(
    struct move *m, const struct kgate *gate, uint64_t enter, uint64_t stay, uint64_t leave)
{
	m->before = kgate_show(gate, stay + leave);
	m->enter = kgate_show(gate, enter);
	m->leave = kgate_show(gate, leave);
	uint64_t kept = m->before.told ? stay + leave : 0;
	kept -= m->leave.told ? leave : 0;
	m->stay = kgate_show(gate, kept);
	m->after = kgate_show(gate, kept + (m->enter.told ? enter : 0));
}

/* A segment that stays as it is has the size that the lists tell. */
static void show_same(
    struct move *m, const struct rules *old, const struct kgate *gate, uint64_t size)
{
	m->before = kgate_show_group(gate, 's', old->segments[m->was].id, size);
	m->stay = m->after = m->before;
}

/* What is told of all moves. */
static enum err show_moves(struct diffing *d, const struct kgate *gate, struct ask_memory *memory)
{
	enum err e = OK;
	for (size_t i = 0; i < d->n; i++) {
		const uint64_t *moved = d->sum + 3 * i;
		if (d->groups && d->moves[i].same)
			show_same(&d->moves[i], d->before->rules, gate, moved[1] + moved[2]);
		else if (!d->groups)
			show_move(&d->moves[i], gate, moved[0], moved[1], moved[2]);
	}
	for (size_t i = 0; d->groups && i < d->groups->asked && !e; i++) {
		size_t move = d->groups->move[i];
		e = move_groups_tell(d->groups, i, gate, memory, d->sum + 3 * move,
		    d->sum + 3 * d->n, &d->moves[move]);
	}
	return e;
}

enum err ask_diff(const struct ask_side *before, const struct ask_side *after,
    const struct kgate *gate, struct ask_memory *memory, uint32_t now, struct move **moves,
    size_t *n)
{
	struct diffing d = {.before = before, .after = after, .now = now};
	enum err e = OK;
	CHECK(!memory || before->rules == before->generation->rules);
	d.moves = list_moves(before->rules, after->rules, &d.n);
	d.old_map = adopt_map(before->generation->rules, before->rules);
	d.new_map = adopt_map(after->generation->rules, after->rules);
	d.groups = memory ? calloc(1, sizeof *d.groups) : NULL;
	if (!d.moves || !d.old_map || !d.new_map || (memory && !d.groups))
		e = err_set(ERR_NOMEM, "no memory for this now");
	if (!e && memory)
		e = move_groups_begin(d.groups, before, after, d.moves, d.n, now);
	d.sums = 3 * d.n + (d.groups ? d.groups->sums : 0);
	d.sum = calloc(d.sums + 1, sizeof *d.sum);
	if (!e && !d.sum)
		e = err_set(ERR_NOMEM, "no memory for this now");
	if (!e)
		e = over_shards(before->generation->shards, diff_shard, &d,
		    (d.sums + 1) * sizeof *d.sum, diff_add);
	if (!e)
		e = show_moves(&d, gate, memory);
	if (d.groups)
		move_groups_end(d.groups);
	free(d.groups);
	free(d.old_map);
	free(d.new_map);
	free(d.sum);
	if (e) {
		free(d.moves);
	} else {
		*moves = d.moves;
		*n = d.n;
	}
	return e;
}
