/* A rule set in use: its references, names and vocabularies. load/ makes it, match/ and condition/
 * put it to use. */
#include "crumb/rules/rules.h"

#include "crumb/base/text.h"

#include <stdlib.h>

struct rules *rules_ref(struct rules *r)
{
	if (r)
		atomic_fetch_add(&r->refs, 1);
	return r;
}

/* The matcher is not known here, so whoever made it said how to free it. */
void rules_unref(struct rules *r)
{
	if (!r || atomic_fetch_sub(&r->refs, 1) != 1)
		return;
	if (r->matcher)
		r->matcher_free(r->matcher);
	arena_done(&r->arena);
	map_done(&r->category_ids);
	map_done(&r->segment_ids);
	map_done(&r->vocabulary_ids);
	map_done(&r->last_parts);
	free(r->patterns);
	free(r->categories);
	free(r->segments);
	free(r->vocabularies);
	free(r->nodes);
	buf_done(&r->bundle);
	free(r);
}

int rules_category(const struct rules *r, struct str id)
{
	uint32_t at;
	return map_get(&r->category_ids, id, &at) ? (int)at : -1;
}

int rules_segment(const struct rules *r, struct str id)
{
	uint32_t at;
	return map_get(&r->segment_ids, id, &at) ? (int)at : -1;
}

const char *segment_state(const struct segment *s, uint16_t today)
{
	if (s->until && today > s->until)
		return "ended";
	return s->paused ? "paused" : "active";
}

bool segment_goes_to(const struct segment *s, struct str destination)
{
	for (unsigned i = 0; i < s->destinations_n; i++)
		if (str_eq(s->destinations[i], destination))
			return true;
	return false;
}

struct yaml_place rules_segment_at(const struct segment *s, struct str part)
{
	size_t n = strlen(s->when);
	struct yaml_place at = s->when_at;
	if (!part.p || part.p < s->when || part.p > s->when + n)
		return at;
	size_t offset = (size_t)(part.p - s->when);
	if (s->places)
		at = s->places[offset];
	else
		at.column += offset;
	at.length = part.n ? part.n : 1;
	return at;
}

const struct vocabulary *rules_vocabulary(const struct rules *r, struct str attr)
{
	uint32_t at;
	return map_get(&r->vocabulary_ids, attr, &at) ? &r->vocabularies[at] : NULL;
}

const struct vocabulary *rules_partner_segment(
    const struct rules *r, struct str partner, struct str segment)
{
	for (size_t i = 0; i < r->vocabularies_n; i++) {
		const struct vocabulary *v = &r->vocabularies[i];
		if (v->source && v->segment && str_eq(partner, str_c(v->source)) &&
		    str_eq(segment, str_c(v->segment)))
			return v;
	}
	return NULL;
}

bool rules_value(const struct vocabulary *v, struct str *value)
{
	double number;
	if (v->ranged)
		return rules_number(*value, &number) && range_has(&v->range, number);
	for (unsigned i = 0; i < v->values_n; i++) {
		if (text_eq(v->values[i], *value)) {
			*value = v->values[i];
			return true;
		}
	}
	return false;
}

bool rules_attr(const struct rules *r, struct str name, struct str *value)
{
	const struct vocabulary *v = rules_vocabulary(r, name);
	return !v || (!v->source && rules_value(v, value));
}

unsigned rules_close(const struct rules *r, struct event *e)
{
	unsigned kept = 0, gone = 0;
	if (r->vocabularies_n == 0)
		return 0;
	for (unsigned i = 0; i < e->attrs_n; i++) {
		struct attr a = e->attrs[i];
		if (rules_attr(r, a.name, &a.value))
			e->attrs[kept++] = a;
		else
			gone++;
	}
	e->attrs_n = kept;
	return gone;
}
