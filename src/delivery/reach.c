/* Members of a destination, and those of whom the partner's id is known.
 *
 * A count gathers, shard by shard, the ordinals of all members of the segments in one set of bits,
 * so that a visitor of several segments counts once. Then each of them is looked up in the table of
 * the partners' ids, which is what takes time: some two microseconds a member. */
#include "crumb/delivery/reach.h"

#include "crumb/base/array.h"
#include "crumb/base/clock.h"
#include "crumb/base/file.h"
#include "crumb/base/log.h"
#include "crumb/views/members.h"
#include "planning.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* --- counting */

struct gathering {
	const struct plan_wish *w;
	struct str partner;
	uint64_t *bits; /* of ordinals of the shard at hand */
	size_t words, cap;
	uint64_t n, left; /* members of the shard; how many more may be looked at */
	bool short_of_memory, too_many;
};

static bool take_ordinal(void *arg, uint32_t ordinal)
{
	struct gathering *x = arg;
	size_t word = ordinal / 64;
	if (word >= x->words && !array_room_zeroed(x->bits, x->cap, word + 1))
		return !(x->short_of_memory = true);
	x->words = word >= x->words ? word + 1 : x->words;
	uint64_t bit = UINT64_C(1) << ordinal % 64;
	x->n += !(x->bits[word] & bit);
	x->bits[word] |= bit;
	x->too_many = x->n > x->left;
	return !x->too_many;
}

static enum err gather_ordinals(struct gathering *x, struct fold *f, struct db_txn *t)
{
	const struct rules *r = x->w->g->rules;
	enum err e = OK;
	for (size_t i = 0; i < r->segments_n && !e && !x->too_many; i++) {
		const struct segment *s = &r->segments[i];
		if (segment_goes_to(s, str_c(x->w->d->id)) &&
		    plan_guard(x->w, s, destination_segment(x->w->d, str_c(s->id))) == PLAN_SENT)
			e = members_each(&f->shard, t, (uint16_t)i, take_ordinal, x);
	}
	return x->short_of_memory ? err_set(ERR_NOMEM, "no memory for this now") : e;
}

static uint64_t count_ids(const struct gathering *x, struct fold *f, struct db_txn *t)
{
	uint32_t oldest = oldest_day(day_of(x->w->now), f->retention) * (uint32_t)DAY_S;
	uint64_t n = 0;
	for (uint32_t o = 0; x->partner.n && o < x->words * 64; o++) {
		struct match_row match;
		struct vkey k;
		if (x->bits[o / 64] >> o % 64 & 1 && shard_ordinal_key(&f->shard, t, o, &k))
			n += shard_match(&f->shard, t, &k, x->partner, oldest, &match);
	}
	return n;
}

static enum err reach_shard(struct gathering *x, struct fold *f, struct reach *sum)
{
	struct db_txn t;
	enum err e = db_begin(&f->shard.db, DB_READ, &t);
	if (e)
		return e;
	x->n = 0;
	if (x->words)
		memset(x->bits, 0, x->words * sizeof *x->bits);
	e = gather_ordinals(x, f, &t);
	if (!e && !x->too_many) {
		x->left -= x->n;
		sum->members += x->n;
		sum->with_id += count_ids(x, f, &t);
	}
	if (!e)
		e = t.err;
	db_abort(&t);
	return e;
}

enum err reach_count(const struct plan_wish *w, uint64_t *left, struct reach *out)
{
	struct gathering x = {.w = w,
	    .left = *left,
	    .partner = w->d->partner >= 0 ? str_c(w->all->partners[w->d->partner].id) : STR("")};
	struct reach sum = {.day = day_of(w->now)};
	enum err e = OK;
	for (unsigned i = 0; i < w->g->shards && !e && sum.day; i++) {
		e = reach_shard(&x, &w->g->fold[i], &sum);
		if (x.too_many)
			sum.day = 0;
	}
	free(x.bits);
	if (e)
		return e;
	*left = x.left;
	*out = sum.day ? sum : (struct reach){.day = 0};
	return OK;
}

/* --- what is kept */

static void path_of(const char *store, const char *destination, char out[FILE_PATH_MAX + 200])
{
	snprintf(out, FILE_PATH_MAX + 200, "%s/exports/%.150s/reach", store, destination);
}

unsigned reach_days(const char *store, const char *destination, struct reach *out)
{
	char path[FILE_PATH_MAX + 200], line[100];
	struct buf text = {0};
	unsigned n = 0;
	path_of(store, destination, path);
	if (file_read(path, 1 << 16, &text) == OK) {
		struct str rest = buf_view(&text), part;
		while (n < RETENTION_MAX && str_cut(&rest, '\n', &part) && rest.p) {
			struct reach r;
			snprintf(line, sizeof line, STR_FMT, STR_ARG(part));
			if (part.n > DAY_TEXT && day_parse(line, DAY_TEXT - 1, &r.day) &&
			    sscanf(line + DAY_TEXT, "%" SCNu64 " %" SCNu64, &r.members,
				&r.with_id) == 2 &&
			    r.with_id <= r.members)
				out[n++] = r;
		}
	}
	buf_done(&text);
	return n;
}

bool reach_kept(const char *store, const char *destination, uint16_t day, struct reach *out)
{
	struct reach all[RETENTION_MAX];
	unsigned n = reach_days(store, destination, all);
	while (n && all[n - 1].day > day)
		n--;
	if (n)
		*out = all[n - 1];
	return n > 0;
}

void reach_note(const char *store, const char *destination, const struct reach *r)
{
	char path[FILE_PATH_MAX + 200], day[DAY_TEXT];
	struct reach all[RETENTION_MAX + 1];
	struct buf text = {0};
	unsigned n = reach_days(store, destination, all);
	while (n && all[n - 1].day >= r->day)
		n--;
	all[n++] = *r;
	for (unsigned i = 0; i < n; i++) {
		if (all[i].day < oldest_day(r->day, RETENTION_MAX))
			continue;
		day_text(all[i].day, day);
		buf_addf(
		    &text, "%s %" PRIu64 " %" PRIu64 "\n", day, all[i].members, all[i].with_id);
	}
	path_of(store, destination, path);
	enum err e = text.failed ? err_set(ERR_NOMEM, "no memory for this now")
				 : file_replace(path, buf_view(&text));
	if (e)
		log_warn("deliver", "the match rate is not kept destination=%s why=\"%s\"",
		    destination, err_text());
	buf_done(&text);
}

/* --- what is told */

struct reach_shown reach_show(
    const struct kgate *gate, const struct destination *d, const struct reach *r)
{
	struct reach_shown s = {.rated = false};
	uint64_t without = r->members - r->with_id;
	if (!r->day)
		return s;
	s.members = kgate_show_group(gate, 'r', d->id, r->members);
	if (d->partner < 0 || !s.members.told)
		return s;
	if (!without || kgate_show(gate, without).told)
		s.with_id = kgate_show_group(gate, 'i', d->id, r->with_id);
	s.rated = s.with_id.told;
	if (s.rated)
		s.rate = (double)s.with_id.n / (double)s.members.n;
	s.rate = s.rate < 1 ? s.rate : 1;
	return s;
}
