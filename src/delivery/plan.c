/* Who may be told of: the first half of a plan. delivery/plan.h has the guards as a table.
 *
 *   1. Segments. Those that the rules send to the destination, each with the guard that closes it,
 *      or none; and those of the ledger that are not among them, for their rows have to be taken
 *      back.
 *   2. Visitors. One scan over the members of the segments that no guard closes. A visitor passes
 *      the guards of a visitor, and stands in the plan under the id that goes out.
 *   3. The k gate, by what was counted in step 2: those who could be sent, not all members.
 *   4. The difference from the ledger (differ.c).
 *
 * A segment that a guard closes is not scanned, so all of its rows in the ledger are owed. A
 * segment below k is scanned and closed for adding only: who is a member and held stays held. */
#include "planning.h"

#include "crumb/ask/scan.h"
#include "crumb/base/array.h"
#include "crumb/base/clock.h"
#include "crumb/base/code.h"
#include "crumb/base/log.h"
#include "crumb/base/memory.h"
#include "crumb/privacy/split.h"
#include "crumb/condition/eval.h"

#include <stdlib.h>

/* --- which segments */

enum plan_why plan_guard(const struct plan_wish *w, const struct segment *s, struct str theirs)
{
	struct str label;
	if (strcmp(segment_state(s, day_of(w->now)), "active") != 0)
		return PLAN_STATE;
	if (s->sensitive &&
	    !word_list_has(&w->config->lists.sensitive_destinations, str_c(w->d->id)))
		return PLAN_SENSITIVE;
	if (!segment_labels_allowed(w->g->rules, s, w->all, w->d, &label))
		return PLAN_LABEL;
	if (format_numbered(w->d) && !theirs.n)
		return PLAN_NUMBER;
	return PLAN_SENT;
}

static struct plan_segment *add_segment(
    struct plan *p, struct str id, struct str theirs, enum plan_why why)
{
	struct plan_segment *s = &p->segments[p->n];
	*s = (struct plan_segment){.why = why};
	snprintf(s->id, sizeof s->id, STR_FMT, STR_ARG(id));
	snprintf(s->theirs, sizeof s->theirs, STR_FMT, STR_ARG(theirs));
	p->n++;
	return s;
}

static unsigned find_segment(const struct plan *p, const char *id, const char *theirs)
{
	for (unsigned i = 0; i < p->n; i++)
		if (strcmp(p->segments[i].id, id) == 0 &&
		    strcmp(p->segments[i].theirs, theirs) == 0)
			return i;
	return p->n;
}

/* Makes the lists of segments. A segment has as many names at the partner as it was ever given: an
 * old one that is held is a segment of its own, and all of it is owed. */
static enum err plan_segments(struct plan *p, const struct held_reader *held)
{
	const struct rules *r = p->w->g->rules;
	unsigned held_n;
	const struct held_segment *old = held_segments(held, &held_n);
	size_t most = r->segments_n + held_n + 1;
	p->segments = calloc(most, sizeof *p->segments);
	p->out = calloc(most, sizeof *p->out);
	p->names = calloc(most, sizeof *p->names);
	p->counts = calloc(most, sizeof *p->counts);
	p->open = calloc(most, sizeof *p->open);
	p->wanted = calloc(r->segments_n / 64 + 1, sizeof *p->wanted);
	p->number = calloc(r->segments_n + 1, sizeof *p->number);
	if (!p->segments || !p->out || !p->names || !p->counts || !p->open || !p->wanted ||
	    !p->number)
		return err_set(ERR_NOMEM, "no memory for this now");
	for (size_t i = 0; i < r->segments_n; i++) {
		const struct segment *s = &r->segments[i];
		if (!segment_goes_to(s, str_c(p->w->d->id)))
			continue;
		struct str theirs = destination_segment(p->w->d, str_c(s->id));
		enum plan_why why = plan_guard(p->w, s, theirs);
		p->number[i] = (uint16_t)p->n;
		if (why == PLAN_SENT)
			p->wanted[i / 64] |= 1ull << i % 64;
		add_segment(p, str_c(s->id), theirs.n ? theirs : str_c(s->id), why);
		p->out[p->n - 1].iab = s->iab;
		p->out[p->n - 1].name = str_c(s->name);
	}
	for (unsigned i = 0; i < held_n; i++)
		if (find_segment(p, old[i].id, old[i].theirs) == p->n)
			add_segment(p, str_c(old[i].id), str_c(old[i].theirs), PLAN_UNROUTED);
	for (unsigned i = 0; i < p->n; i++) {
		p->out[i].id = str_c(p->segments[i].id);
		p->out[i].theirs = str_c(p->segments[i].theirs);
		memcpy(p->names[i].id, p->segments[i].id, sizeof p->names[i].id);
		memcpy(p->names[i].theirs, p->segments[i].theirs, sizeof p->names[i].theirs);
	}
	return OK;
}

/* --- who is in them */

enum plan_stays plan_stays(const struct destination *d, const struct profile *v)
{
	if (d && d->purposes && v->consent_day && (v->purposes & d->purposes) != d->purposes)
		return STAYS_NO_CONSENT;
	const struct profile_attr *source = profile_attr(v, STR(ATTR_SOURCE));
	if (!source)
		return STAYS_NOT;
	for (unsigned i = 0; d && i < d->labels.n; i++)
		if (str_eq(d->labels.list[i], source->value))
			return STAYS_NOT;
	return STAYS_OTHER_SOURCE;
}

bool plan_may_go(const struct destination *d, const struct profile *v)
{
	return plan_stays(d, v) == STAYS_NOT;
}

/* The first day on which the partner has forgotten a row that it is told today. */
static uint16_t there_until(const struct plan *p, uint16_t until)
{
	unsigned cap = p->w->d->ttl_days;
	if (!p->rows_end)
		return cap ? (uint16_t)(p->today + cap) : HELD_FOREVER;
	return cap && until > p->today + cap ? (uint16_t)(p->today + cap) : until;
}

/* The id that goes out for the visitor is appended to the ids: the partner's, or our pseudonym. */
static void add_id(struct plan *p, const struct vkey *k, const struct match_row *match)
{
	if (match) {
		buf_add(&p->ids, match->id, match->id_n);
		return;
	}
	struct vkey name = visitor_for_partner(&p->keys, str_c(p->w->d->id), k);
	char hex[2 * sizeof name.b];
	hex_encode(name.b, sizeof name.b, hex);
	buf_add(&p->ids, hex, sizeof hex);
}

/* One visitor of the scan: adds a member with a row for each segment, or nothing. */
static enum err take_member(
    void *arg, const struct vkey *k, const struct profile *v, const struct match_row *match)
{
	struct plan *p = arg;
	const struct rules *r = p->w->g->rules;
	struct member m = {.rows_at = (uint32_t)p->rows_n,
	    .id_at = (uint32_t)p->ids.n,
	    .purposes = v->purposes,
	    .consent = v->consent_day != 0};
	p->with_id += match != NULL;
	if (++p->seen % PLAN_PROGRESS == 0 && p->w->progress)
		p->w->progress("visitors", p->seen);
	enum plan_stays stays = STAYS_NO_ID;
	if (p->w->d->partner < 0 || match)
		stays = plan_stays(p->w->d, v);
	if (stays) {
		p->stays[stays]++;
		return OK;
	}
	for (size_t i = 0; i < v->segments_n; i++) {
		uint16_t s = v->segments[i];
		if (s >= r->segments_n || !(p->wanted[s / 64] >> s % 64 & 1) ||
		    split_held_out(&p->keys, str_c(r->segments[s].id), r->segments[s].target, k))
			continue;
		enum err e = array_room(p->rows, p->rows_cap, p->rows_n + 1) ? OK : memory_check();
		if (e)
			return e;
		p->rows[p->rows_n++] = (struct member_row){
		    p->number[s], there_until(p, rules_member_until(r, s, v, p->today,
						     (unsigned)p->w->config->retention_days))};
		p->counts[p->number[s]]++;
		m.rows_n++;
	}
	p->stays[m.rows_n ? STAYS_NOT : STAYS_HELD_OUT]++;
	if (!m.rows_n)
		return OK;
	add_id(p, k, match);
	if (p->ids.failed || p->ids.n > UINT32_MAX || p->rows_n > UINT32_MAX)
		return err_set(ERR_NOMEM, "this audience is too large for one delivery");
	m.id_n = (uint8_t)(p->ids.n - m.id_at);
	uint8_t first[8] = {0};
	memcpy(first, p->ids.p + m.id_at, m.id_n < 8 ? m.id_n : 8);
	m.prefix = get_u64(first);
	enum err e = array_room(p->members, p->members_cap, p->members_n + 1) ? OK : memory_check();
	if (e)
		return e;
	p->members[p->members_n++] = m;
	return OK;
}

/* --- the plan */

/* Opens the segments of which at least k members could be sent. One that a guard has closed is not
 * asked for: nobody was counted, and the gate would remember a group that became small. */
static void gate_segments(struct plan *p)
{
	struct kgate gate = kgate_of(p->w->config);
	char group[250];
	for (unsigned i = 0; i < p->n; i++) {
		struct plan_segment *s = &p->segments[i];
		if (s->why != PLAN_SENT)
			continue;
		snprintf(group, sizeof group, "%s %s", p->w->d->id, s->id);
		s->members = kgate_show_group(&gate, 'd', group, p->counts[i]);
		p->open[i] = s->members.told;
		if (!p->open[i])
			s->why = PLAN_SMALL;
	}
}

static void free_plan(struct plan *p)
{
	free(p->out);
	free(p->names);
	free(p->counts);
	free(p->open);
	free(p->wanted);
	free(p->number);
	free(p->members);
	free(p->rows);
	buf_done(&p->ids);
	sodium_memzero(&p->keys, sizeof p->keys);
}

enum err plan_write(const struct plan_wish *w, const char *held_path, const char *rows_path,
    struct package *package, struct plan_result *out)
{
	struct plan p = {
	    .w = w, .today = day_of(w->now), .rows_end = format_life(w->d) == LIFE_IN_ROW};
	struct plan_result result = {.n = 0};
	struct held_reader *held = NULL;
	enum err e = keys_identity(w->g->store->keys, p.today, &p.keys);
	if (!e)
		e = held_open(held_path, &held);
	if (!e)
		e = plan_segments(&p, held);
	struct scan scan = {.segments = p.wanted,
	    .partner = w->d->partner >= 0 ? str_c(w->all->partners[w->d->partner].id) : STR(""),
	    .now = w->now,
	    .each = take_member,
	    .arg = &p};
	if (!e)
		e = scan_members(w->g, &scan);
	if (!e && p.members_n)
		qsort_r(p.members, p.members_n, sizeof *p.members, plan_by_id, p.ids.p);
	if (!e)
		gate_segments(&p);
	if (!e)
		e = plan_differ(&p, held, held_path, rows_path, package, &result);
	held_close(held);
	result.segments = p.segments;
	result.n = p.n;
	result.visitors = p.seen;
	result.with_id = p.with_id;
	memcpy(result.stays, p.stays, sizeof result.stays);
	free_plan(&p);
	if (result.given_up)
		log_warn("deliver",
		    "removals that the partner refused for %d days are given up destination=%s",
		    DENIED_DAYS, w->d->id);
	if (e)
		plan_done(&result);
	else
		*out = result;
	return e;
}

void plan_done(struct plan_result *r)
{
	free(r->segments);
	*r = (struct plan_result){.n = 0};
}
