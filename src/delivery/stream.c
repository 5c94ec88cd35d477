/* The stream of a destination, piece by piece; delivery/stream.h has its events and its position.
 *
 * The server keeps nothing of a client: each request brings its position, and gets what stands
 * behind it. There are two ways to go on from a position:
 *
 *   the state     everybody who is in, by a scan in pieces of 20,000 visitors. The position says
 *                 where the scan stands. When the state begins, the position takes the sequences of
 *                 all shards, so that what changes meanwhile comes behind the state.
 *   the changes   what the fold noted behind the position's sequence of each shard. A note says
 *                 that something changed for a visitor and a segment, not what. say_change() looks
 *                 at what holds now, so a note that is read twice does no harm.
 *
 * The changes cannot continue, and the state is said anew, when the rules are others, when a
 * segment may be told now that was not told (its members entered while nobody was told), when the
 * position is older than what is kept, and when notes behind it are gone. A compacted copy of the
 * views has sequences of its own: there the position's time is used, with ten minutes of overlap.
 *
 * A segment that may not be told any more says nothing about who enters, but still says who leaves.
 */
#include "crumb/delivery/stream.h"
#include "could_go.h"

#include "crumb/views/changes.h"
#include "crumb/ask/scan.h"
#include "crumb/base/memory.h"
#include "crumb/base/clock.h"
#include "crumb/base/code.h"
#include "crumb/partners/format.h"
#include "crumb/privacy/cookie.h"
#include "crumb/privacy/split.h"
#include "crumb/condition/eval.h"

#include <stdio.h>
#include <stdlib.h>

#define STATE_PIECE 20000  /* visitors of the state, in one answer */
#define CHANGES_PIECE 5000 /* notes of a shard, in one answer */
#define OVERLAP_S 600	   /* a compacted generation may have found a change at another time */
#define RULES_N 8	   /* digits of the rules' hash in a position */
#define PARTS 5		   /* of a position: generation, rules, time, open, sequences */
#define PARTS_STATE 7	   /* and while the state is being said: shard, key */

struct position {
	uint32_t generation, t;
	char rules[RULES_N + 1]; /* the beginning of their hash */
	/* a bit for each of the destination's segments, in the order of the rules: it was told */
	uint64_t *open;
	uint64_t seq[SHARDS_MAX];
	bool state; /* the state is being said, and stands at `place` */
	struct scan_place place;
};

struct streaming {
	const struct plan_wish *w;
	struct identity_keys keys;
	uint64_t *bits; /* of the rules' segments: those that may be told now */
	uint64_t *all;	/* of the rules' segments: all that go there */
	uint64_t *open; /* as in a position: those that may be told now */
	size_t words;	/* of each of the three */
	struct buf *out;
	bool any; /* there is something to answer */
	/* the latest change that was told, so that the same one is not told twice in a row */
	struct crossing latest;
};

/* --- positions */

/* The bits of `open` are one hexadecimal number without leading zeros, highest word first. */
static void put_position(const struct position *p, unsigned shards, size_t words, struct buf *out)
{
	size_t top = words - 1;
	while (top && !p->open[top])
		top--;
	buf_addf(
	    out, "%u.%s.%u.%llx", p->generation, p->rules, p->t, (unsigned long long)p->open[top]);
	while (top--)
		buf_addf(out, "%016llx", (unsigned long long)p->open[top]);
	buf_c(out, ".");
	for (unsigned i = 0; i < shards; i++)
		buf_addf(out, "%s%llu", i ? "," : "", (unsigned long long)p->seq[i]);
	if (p->state) {
		char key[33] = "-";
		if (p->place.begun) {
			hex_encode(p->place.last.b, sizeof p->place.last.b, key);
			key[32] = 0;
		}
		buf_addf(out, ".%u.%s", p->place.shard, key);
	}
}

static bool number_to(struct str s, uint64_t most, uint64_t *out)
{
	return str_u64(s, out) && *out <= most;
}

/* One hexadecimal number of any length. What stands beyond the last word are segments that are no
 * more. */
static bool read_open(struct str s, size_t words, uint64_t *open)
{
	memset(open, 0, words * sizeof *open);
	for (size_t i = 0; i < s.n; i++) {
		char c = chr_lower(s.p[s.n - 1 - i]);
		if (!chr_digit(c) && (c < 'a' || c > 'f'))
			return false;
		uint64_t digit = (uint64_t)(chr_digit(c) ? c - '0' : c - 'a' + 10);
		if (i / 16 < words)
			open[i / 16] |= digit << i % 16 * 4;
	}
	return s.n > 0;
}

/* False: this is no position. Its numbers may still be from another store or another day; whoever
 * uses them asks continues(). */
static bool read_position(struct str s, unsigned shards, size_t words, struct position *p)
{
	struct str part[PARTS_STATE + 1];
	unsigned n = 0;
	uint64_t v, *open = p->open;
	while (n < PARTS_STATE + 1 && str_cut(&s, '.', &part[n]))
		n++;
	*p = (struct position){.open = open};
	if ((n != PARTS && n != PARTS_STATE) || !number_to(part[0], UINT32_MAX, &v))
		return false;
	p->generation = (uint32_t)v;
	if (part[1].n != RULES_N || !number_to(part[2], UINT32_MAX, &v) ||
	    !read_open(part[3], words, open))
		return false;
	memcpy(p->rules, part[1].p, RULES_N);
	p->t = (uint32_t)v;
	struct str seq;
	unsigned i = 0;
	while (i < shards && str_cut(&part[4], ',', &seq) && number_to(seq, UINT64_MAX, &p->seq[i]))
		i++;
	if (i != shards || part[4].p)
		return false;
	if (n == PARTS_STATE) {
		p->state = true;
		if (!number_to(part[5], SHARDS_MAX, &v))
			return false;
		p->place.shard = (unsigned)v;
		p->place.begun = hex_decode(part[6], p->place.last.b, sizeof p->place.last.b);
	}
	return true;
}

/* --- what may be told */

/* The guards of a delivery that close a segment (delivery/plan.h), but for the k gate. */
static bool may_be_told(const struct plan_wish *w, const struct segment *s)
{
	struct str label;
	return strcmp(segment_state(s, day_of(w->now)), "active") == 0 &&
	       (!s->sensitive ||
		   word_list_has(&w->config->lists.sensitive_destinations, str_c(w->d->id))) &&
	       segment_labels_allowed(w->g->rules, s, w->all, w->d, &label);
}

/* The k gate, by the name that a delivery's plan has for the group, so that both have one memory.
 * It is asked of those who could be sent. From k + KGATE_STEP on more of them change nothing, so
 * they are counted up to there. */
static enum err enough_go(struct streaming *x, uint16_t segment, bool *out)
{
	const struct plan_wish *w = x->w;
	struct kgate gate = kgate_of(w->config);
	char group[250];
	uint64_t n;
	enum err e = could_go(w, &x->keys, segment, kgate_k(&gate) + KGATE_STEP, &n);
	if (e)
		return e;
	snprintf(group, sizeof group, "%s %s", w->d->id, w->g->rules->segments[segment].id);
	*out = kgate_show_group(&gate, 'd', group, n).told;
	return OK;
}

/* Which segments go there, and which of them may be told now. */
static enum err stream_segments(struct streaming *x)
{
	const struct rules *r = x->w->g->rules;
	unsigned n = 0;
	enum err e = OK;
	for (size_t i = 0; i < r->segments_n && !e; i++) {
		bool may = false;
		if (!segment_goes_to(&r->segments[i], str_c(x->w->d->id)))
			continue;
		x->all[i / 64] |= 1ull << i % 64;
		if (may_be_told(x->w, &r->segments[i]))
			e = enough_go(x, (uint16_t)i, &may);
		if (may) {
			x->bits[i / 64] |= 1ull << i % 64;
			x->open[n / 64] |= 1ull << n % 64;
		}
		n++;
	}
	return e;
}

static bool has(const uint64_t *bits, uint16_t segment)
{
	return bits[segment / 64] >> segment % 64 & 1;
}

/* One event. `in`: who enters, with the profile that says until when; NULL: who leaves. */
static void put_event(
    struct streaming *x, const struct vkey *k, uint16_t segment, const struct profile *in)
{
	const struct rules *r = x->w->g->rules;
	struct vkey name = visitor_for_partner(&x->keys, str_c(x->w->d->id), k);
	char hex[33], day[DAY_TEXT];
	hex_encode(name.b, sizeof name.b, hex);
	hex[32] = 0;
	buf_addf(
	    x->out, "event: %s\ndata: {\"id\":\"%s\",\"segment\":", in ? "enter" : "leave", hex);
	struct str theirs = destination_segment(x->w->d, str_c(r->segments[segment].id));
	format_json(x->out, theirs.n ? theirs : str_c(r->segments[segment].id));
	if (in) {
		day_text(rules_member_until(r, segment, in, day_of(x->w->now),
			     (unsigned)x->w->config->retention_days),
		    day);
		buf_addf(x->out, ",\"expires\":\"%s\"", day);
	}
	buf_c(x->out, "}\n\n");
	x->any = true;
}

static bool held_out(const struct streaming *x, const struct vkey *k, uint16_t segment)
{
	const struct segment *s = &x->w->g->rules->segments[segment];
	return split_held_out(&x->keys, str_c(s->id), s->target, k);
}

/* One visitor of the scan: enters every segment that may be told and that the visitor is in. */
static enum err say_state(
    void *arg, const struct vkey *k, const struct profile *p, const struct match_row *match)
{
	struct streaming *x = arg;
	(void)match;
	if (!plan_may_go(x->w->d, p))
		return OK;
	for (size_t i = 0; i < p->segments_n; i++)
		if (p->segments[i] < x->w->g->rules->segments_n && has(x->bits, p->segments[i]) &&
		    !held_out(x, k, p->segments[i]))
			put_event(x, k, p->segments[i], p);
	return OK;
}

/* One note of a change: what holds now is said. Whoever entered and left since has left. Whoever
 * may not be spoken of there any more has left, too. */
static void say_change(void *arg, const struct crossing *c)
{
	struct streaming *x = arg;
	struct profile p = {0};
	if (c->segment >= x->w->g->rules->segments_n || !has(x->all, c->segment) ||
	    held_out(x, &c->visitor, c->segment) || memcmp(c, &x->latest, sizeof *c) == 0)
		return;
	memcpy(&x->latest, c, sizeof *c);
	bool in = view_visitor(x->w->g, &c->visitor, x->w->now, &p) == OK &&
		  profile_in_segment(&p, c->segment) && plan_may_go(x->w->d, &p);
	if (!in || has(x->bits, c->segment))
		put_event(x, &c->visitor, c->segment, in ? &p : NULL);
	profile_done(&p);
}

/* --- a piece */

/* "Forget everything", and the position at the beginning of the state. */
static void begin_state(struct streaming *x, struct position *p)
{
	struct generation *g = x->w->g;
	uint64_t *open = p->open;
	*p =
	    (struct position){.generation = g->number, .t = x->w->now, .open = open, .state = true};
	memcpy(open, x->open, x->words * sizeof *open);
	memcpy(p->rules, g->rules->hash_text, RULES_N);
	for (unsigned i = 0; i < g->shards; i++)
		p->seq[i] = atomic_load(&g->fold[i].changes);
	buf_c(x->out, "event: reset\ndata: {}\n\n");
	x->any = true;
}

/* Can a client that was at this position go on from there? */
static bool continues(const struct streaming *x, struct position *p)
{
	struct generation *g = x->w->g;
	bool opened = false; /* a segment may be told that was not */
	for (size_t i = 0; i < x->words; i++)
		opened |= (x->open[i] & ~p->open[i]) != 0;
	if (memcmp(p->rules, g->rules->hash_text, RULES_N) != 0 || opened || p->t > x->w->now ||
	    p->t + (uint32_t)x->w->config->stream_keep_h * 3600 < x->w->now)
		return false;
	if (p->generation == g->number)
		return true;
	if (p->state)
		return false;
	/* a compacted copy has its own sequences: by time, with some overlap */
	p->generation = g->number;
	memset(p->seq, 0, sizeof p->seq);
	p->t = p->t > OVERLAP_S ? p->t - OVERLAP_S : 0;
	return true;
}

/* What the fold noted since, in all shards. *gap: some of it is gone. */
static enum err say_changes(struct streaming *x, struct position *p, bool *gap)
{
	struct generation *g = x->w->g;
	uint32_t since = p->t;
	bool same = true, all = true;
	enum err e = OK;
	*gap = false;
	for (unsigned i = 0; i < g->shards && !e; i++) {
		bool hole;
		uint64_t from = p->seq[i], there = atomic_load(&g->fold[i].changes);
		e = changes_read(&g->fold[i], from, from ? 0 : since, CHANGES_PIECE, say_change, x,
		    &p->seq[i], &hole);
		*gap |= from && hole;
		same &= p->seq[i] == from;
		all &= p->seq[i] >= there;
	}
	memcpy(p->open, x->open, x->words * sizeof *p->open);
	if (all && (!same || p->t + OVERLAP_S < x->w->now)) { /* a quiet stream does not grow old */
		p->t = x->w->now;
		x->any = true;
	}
	x->any |= !same;
	return e;
}

/* Says what stands behind the position `at`, and makes it the position behind that. An empty one is
 * the beginning of a stream. */
static enum err go_on(struct streaming *x, struct str at, struct position *p)
{
	struct generation *g = x->w->g;
	size_t from = x->out->n;
	bool gap = false, known = at.n && read_position(at, g->shards, x->words, p);
	if (at.n && !known)
		return err_set(ERR_USAGE, "this is no position of a stream");
	if (known && !p->state && continues(x, p)) {
		enum err e = say_changes(x, p, &gap);
		if (e || !gap)
			return e;
		x->out->n = from;
	}
	if (!known || gap || !p->state || !continues(x, p))
		begin_state(x, p);
	struct scan scan = {
	    .segments = x->bits, .partner = STR(""), .now = x->w->now, .each = say_state, .arg = x};
	bool more;
	enum err e = scan_piece(g, &scan, STATE_PIECE, &p->place, &more);
	if (!e && !more) {
		p->state = false;
		buf_c(x->out, "event: state\ndata: {\"complete\":true}\n\n");
	}
	x->any = true;
	return e;
}

static enum err may_stream(const struct plan_wish *w)
{
	if (w->d->way != &way_stream)
		return err_set(ERR_USAGE, "destination '%s' is no stream", w->d->id);
	if (w->config->stream_keep_h == 0)
		return err_set(ERR_USAGE, "there are no streams: set stream.keep_h");
	return OK;
}

enum err stream_piece(const struct plan_wish *w, struct str at, struct buf *out, bool *any)
{
	size_t words = w->g->rules->segments_n / 64 + 1;
	struct position *p = calloc(1, sizeof *p);
	struct streaming x = {.w = w,
	    .bits = calloc(words, sizeof(uint64_t)),
	    .all = calloc(words, sizeof(uint64_t)),
	    .open = calloc(words, sizeof(uint64_t)),
	    .words = words,
	    .out = out};
	if (p)
		p->open = calloc(words, sizeof(uint64_t));
	enum err e = may_stream(w);
	if (!e && (!p || !p->open || !x.bits || !x.all || !x.open))
		e = err_set(ERR_NOMEM, "no memory for this now");
	if (!e)
		e = keys_identity(w->g->store->keys, day_of(w->now), &x.keys);
	if (!e)
		e = stream_segments(&x);
	if (!e)
		e = go_on(&x, at, p);
	if (!e)
		e = memory_check();
	*any = x.any;
	if (!e && x.any) {
		/* the last event carries the position behind all events of the piece */
		buf_c(out, "id: ");
		put_position(p, w->g->shards, words, out);
		buf_c(out, "\nevent: at\ndata: {}\n\n");
	}
	sodium_memzero(&x.keys, sizeof x.keys);
	free(x.bits);
	free(x.all);
	free(x.open);
	free(p ? p->open : NULL);
	free(p);
	return e;
}

uint64_t stream_version(struct engine *e)
{
	struct generation *g = engine_serving(e);
	uint64_t v = (uint64_t)g->number << 40;
	for (unsigned i = 0; i < g->shards; i++)
		v += atomic_load(&g->fold[i].changes);
	generation_unref(g);
	return v;
}
