/* NDJSON files: one event on each line, {"id" or "cookie", "t", "e", "u", …}, through the same wall
 * as hits.
 *
 * What differs from a hit: the line says who the visitor is and when the event was, no cookie is
 * made, networks have no limit, and a line without consent signals counts as consented, since the
 * operator hands it in. Every line ends in one counter of struct import_totals. */
#include "crumb/ingest/ingest.h"

#include "crumb/base/clock.h"
#include "crumb/base/number.h"

#include <math.h>

#define FUTURE_S 300 /* a clock may be so much ahead of ours */

/* Unix seconds, also as a text and with a fraction, or RFC 3339. */
static bool line_time(const struct json_reader *r, int64_t *out)
{
	uint64_t seconds;
	if (str_u64(r->time, &seconds) && seconds < INT64_MAX) {
		*out = (int64_t)seconds;
		return true;
	}
	if (!r->time_number)
		return time_parse_rfc3339(r->time.p, r->time.n, out);
	double v;
	if (!number_read(r->time, &v) || !(fabs(v) < 1e12))
		return false;
	*out = (int64_t)v;
	return true;
}

/* The visitor of a line, by its cookie or else its id. False: neither names anybody. */
static bool visitor_of(
    struct ingest *in, const struct json_reader *r, uint32_t now, struct vkey *out)
{
	if (r->has_cookie)
		return ingest_known(in, r->cookie, now, out);
	if (r->id.n == 0 || r->id.n > INGEST_ID_MOST || ingest_no_id(r->id))
		return false;
	*out = imported_visitor(&in->keys, r->id);
	if (!erased_has(&in->erased, out))
		return true;
	metric_inc(M_REFUSED_ERASED);
	return false;
}

static void begin(void *arg, struct hit *h)
{
	(void)arg;
	hit_clear(h);
	h->here = true; /* no limit for a network */
}

/* A line has one event; a second one ends the reading. */
static bool one(void *arg, struct json_reader *r)
{
	(void)arg;
	return r->events == 1;
}

/* A label: where visitors were read from. */
static bool source_fits(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!chr_alpha(s.p[i]) && !chr_digit(s.p[i]) && s.p[i] != '-' && s.p[i] != '_')
			return false;
	return s.n <= EVENT_VALUE_MAX;
}

/* A line that is JSON becomes an event, or is refused. Gives the counter of what became of it. */
static uint64_t *import_one(struct ingest *in, const struct json_reader *r, uint32_t now,
    struct batch *b, struct import_totals *t)
{
	struct ingest_who who = {.write = true, .flags = EVENT_IMPORTED};
	int64_t when = now;
	if (r->has_time && !line_time(r, &when))
		return &t->refused_json;
	if (!visitor_of(in, r, now, &who.visitor))
		return &t->refused_id;
	if (when > (int64_t)now + FUTURE_S) {
		metric_inc(M_REFUSED_FUTURE);
		return &t->refused_future;
	}
	if (when < 0 || day_of((uint32_t)when) + in->config->retention_days <= day_of(now)) {
		metric_inc(M_REFUSED_OLD);
		return &t->refused_old;
	}
	if (r->ip.n && !network_parse(r->ip, &r->hit->network))
		return &t->refused_json;
	if (r->source.n && !source_fits(r->source))
		return &t->refused_json;
	in->source = r->source;
	if (hit_has_signal(r->hit)) {
		struct consent consent = consent_judge(in->config, r->hit, NULL);
		if (consent.verdict != CONSENT_YES)
			return &t->refused_consent;
		who.purposes = (uint16_t)consent.purposes;
	}
	metric_add(M_ATTR_DROPPED, r->dropped);
	bool written = ingest_event(in, &who, r->hit, when > now ? now : (uint32_t)when, b);
	in->source = STR("");
	if (!written)
		return &t->refused_site;
	return in->aside ? &t->aside : &t->accepted;
}

/* The word for a counter of refused lines; NULL: the line was not refused. */
static const char *reason(const struct import_totals *t, const uint64_t *counter)
{
	const struct {
		const uint64_t *counter;
		const char *word;
	} words[] = {{&t->refused_json, "json"}, {&t->refused_id, "id"}, {&t->refused_old, "old"},
	    {&t->refused_future, "future"}, {&t->refused_site, "site"},
	    {&t->refused_consent, "consent"}};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (words[i].counter == counter)
			return words[i].word;
	return NULL;
}

void import_lines(struct ingest *in, struct str lines, uint32_t now, struct batch *b,
    struct import_totals *totals)
{
	struct buf scratch = {0};
	struct hit h;
	struct json_reader r = {
	    .import = true, .hit = &h, .scratch = &scratch, .begin = begin, .event = one};
	struct str line;
	uint64_t number = 0;
	ingest_known(in, STR(""), now, &(struct vkey){{0}}); /* today's keys */
	while (lines.n && str_cut(&lines, '\n', &line)) {
		line = str_trim(str_unmarked(line));
		number++;
		if (line.n == 0)
			continue;
		totals->read++;
		uint64_t *counter = &totals->refused_json;
		if (line.p[0] == '{' && json_read(&r, line))
			counter = import_one(in, &r, now, b, totals);
		++*counter;
		const char *why = reason(totals, counter);
		if (why)
			refused_add(&totals->first, number, why);
	}
	if (scratch.p)
		explicit_bzero(scratch.p, scratch.cap);
	explicit_bzero(&h, sizeof h);
	buf_done(&scratch);
}
