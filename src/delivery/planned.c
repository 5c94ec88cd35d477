/* Who is in a plan, by the id that the partner knows: in order, each id once.
 *
 * Members were found in the order of shards and visitor keys, and are sorted by id, so that they
 * can be compared with the ledger in one pass. The first eight bytes of an id are kept as a number
 * beside the member: most comparisons need no look at the id itself. Two visitors may have one id
 * at the partner, for a match may be given twice. They stand beside each other, and are one item:
 * it is in what either is in, until the later end, and its purposes are those that both consent to.
 */
#include "planning.h"

#include "crumb/base/memory.h"

#include <string.h>

int plan_by_id(const void *a, const void *b, void *arg)
{
	const struct member *x = a, *y = b;
	const char *ids = arg;
	if (x->prefix != y->prefix)
		return x->prefix < y->prefix ? -1 : 1;
	int c = memcmp(ids + x->id_at, ids + y->id_at, x->id_n < y->id_n ? x->id_n : y->id_n);
	if (c)
		return c;
	return (x->id_n > y->id_n) - (x->id_n < y->id_n);
}

bool plan_next(struct plan *p, struct held_item *out, struct out_item *facts)
{
	held_item_clear(out);
	if (p->at == p->members_n)
		return false;
	const struct member *first = &p->members[p->at];
	memcpy(out->id, p->ids.p + first->id_at, first->id_n);
	out->id_n = first->id_n;
	*facts = (struct out_item){.purposes = first->purposes, .consent = first->consent};
	for (; p->at < p->members_n && plan_by_id(first, &p->members[p->at], p->ids.p) == 0;
	     p->at++) {
		const struct member *m = &p->members[p->at];
		for (unsigned i = 0; i < m->rows_n; i++) {
			const struct member_row *r = &p->rows[m->rows_at + i];
			unsigned at = 0;
			while (at < out->rows_n && out->rows[at].segment < r->segment)
				at++;
			if (at == out->rows_n || out->rows[at].segment != r->segment) {
				held_item_add(out);
				if (memory_short())
					return false; /* plan_differ() asks memory_check() */
				memmove(out->rows + at + 1, out->rows + at,
				    (out->rows_n - 1 - at) * sizeof *out->rows);
				out->rows[at] = (struct held_row){.segment = r->segment};
			}
			if (r->until > out->rows[at].until)
				out->rows[at].until = r->until;
		}
		if (m->consent)
			facts->purposes &= m->purposes;
	}
	return true;
}
