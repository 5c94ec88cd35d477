/* The walk over the visitors of a shard as they are at a time. A profile is brought to `now` in one
 * of two ways:
 *
 *     due hour to come   it is what is stored: rows and memberships are unpacked, all else stays
 *                        where it lies, in the pages of the file
 *     due hour over      it is loaded whole, loses what has expired, and its memberships are
 *                        evaluated anew (view_freshen())
 *
 * The sweep keeps the second kind rare, so a walk costs mostly the unpacking of rows. */
#include "crumb/views/each_visitor.h"

#include "crumb/base/array.h"
#include "crumb/base/memory.h"

enum err each_visitor_begin(struct each_visitor *v, struct generation *g, unsigned shard,
    uint32_t now, const uint64_t *wanted, const struct vkey *after)
{
	struct fold *f = &g->fold[shard];
	*v = (struct each_visitor){.g = g, .fold = f, .now = now, .wanted = wanted};
	enum err e = db_begin(&f->shard.db, DB_READ, &v->t);
	if (!e)
		each_stored_begin(&v->stored, &f->shard, &v->t, after);
	return e;
}

/* Copies stored memberships into the profile. False: no memory, or the numbers do not rise, which
 * profile_load() refuses, too. */
static bool take_memberships(struct profile *p, struct str bytes)
{
	size_t n = bytes.n / sizeof *p->segments;
	if (!array_room(p->segments, p->segments_cap, n))
		return false;
	uint16_t *out = p->segments, s;
	int before = -1;
	bool up = true;
	for (size_t i = 0; i < n; i++, before = s) {
		memcpy(&s, bytes.p + i * sizeof s, sizeof s);
		up &= s > before;
		out[i] = s;
	}
	p->segments_n = n;
	return up;
}

static bool visitor_load(struct each_visitor *v)
{
	struct profile *p = &v->at_hand;
	if (!profile_load(p, v->stored.bytes) || !fold_fits(v->g->rules, p))
		return false;
	view_freshen(v->g, v->fold, p, v->now);
	return !memory_short();
}

/* Brings the stored visitor to `now`; false: the bytes are damage. */
static bool visitor_look(struct each_visitor *v)
{
	struct profile *p = &v->at_hand;
	struct str memberships;
	if (!v->wanted)
		return visitor_load(v);
	if (!profile_view(p, v->stored.bytes, v->wanted, &memberships))
		return false;
	if (p->due_hour <= hour_of(v->now))
		return visitor_load(v);
	return take_memberships(p, memberships) && fold_fits(v->g->rules, p);
}

bool each_visitor(struct each_visitor *v)
{
	v->profile = &v->at_hand;
	while (!memory_short() && each_stored(&v->stored)) {
		if (!visitor_look(v))
			shard_bad_profile(&v->fold->shard);
		else if (v->at_hand.rows_n)
			return true;
	}
	return false;
}

enum err each_visitor_end(struct each_visitor *v, enum err e)
{
	each_stored_end(&v->stored);
	if (!e)
		e = v->t.err ? v->t.err : memory_check();
	db_abort(&v->t);
	profile_done(&v->at_hand);
	return e;
}
