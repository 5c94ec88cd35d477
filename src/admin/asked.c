/* What a request to the admin listener asks: its query, read by the parameters of its row.
 *
 * asked_read() checks the whole query before anything is done: each key is a parameter of the row,
 * comes once, and its value is of the row's kind (a function of `fits`). So the asked_…() functions
 * cannot fail later: they are called with names of the row, which CHECK sees to, and a value that
 * came has its kind. */
#include "job.h"

#include "crumb/base/clock.h"
#include "crumb/base/code.h"
#include "crumb/http/coding.h"

#define SPAN_MOST 36500 /* days, or hours; a hundred years */

/* --- kinds */

static bool is_number(const struct route_param *p, struct str s)
{
	uint64_t n;
	(void)p;
	return str_u64(s, &n);
}

static bool is_hash(const struct route_param *p, struct str s)
{
	uint8_t hash[16];
	(void)p;
	return hex_decode(s, hash, sizeof hash);
}

/* "91d" or "5h" as seconds. */
static bool span(struct str s, int64_t *out)
{
	uint64_t n;
	if (s.n < 2 || !str_u64(str_make(s.p, s.n - 1), &n) || n > SPAN_MOST)
		return false;
	char unit = s.p[s.n - 1];
	*out = (int64_t)n * (unit == 'd' ? DAY_S : 3600);
	return unit == 'd' || unit == 'h';
}

static bool is_span(const struct route_param *p, struct str s)
{
	int64_t seconds;
	(void)p;
	return span(s, &seconds);
}

static bool is_word(const struct route_param *p, struct str s)
{
	struct str rest = str_c(p->words), word;
	while (str_cut(&rest, '|', &word))
		if (str_eq(s, word))
			return true;
	return false;
}

/* Does the value fit the kind? NULL: every value does. */
static bool (*const fits[PARAM_KINDS])(const struct route_param *, struct str) = {
    [PARAM_NUMBER] = is_number,
    [PARAM_HASH] = is_hash,
    [PARAM_SPAN] = is_span,
    [PARAM_WORD] = is_word,
};

/* --- reading */

/* Which parameter of the row it is; ROUTE_PARAMS: the row has none of that name. */
static unsigned param_number(const struct route *route, struct str name)
{
	for (unsigned i = 0; i < ROUTE_PARAMS && route->params[i].name; i++)
		if (str_eq(name, str_c(route->params[i].name)))
			return i;
	return ROUTE_PARAMS;
}

/* "id, after", or "no parameters". */
static void list_params(const struct route *route, char *out, size_t cap)
{
	size_t n = 0;
	for (const struct route_param *p = route->params; p->name && n < cap; p++)
		n += (size_t)snprintf(out + n, cap - n, "%s%s", n ? ", " : "", p->name);
	if (!n)
		snprintf(out, cap, "no parameters");
}

static enum err bad_param(const struct route *route, struct str key, const char *what)
{
	char takes[128];
	list_params(route, takes, sizeof takes);
	return err_set(ERR_USAGE, "%s parameter '%.*s'; %s takes %s", what,
	    (int)(key.n < 64 ? key.n : 64), key.p, route->path, takes);
}

/* Is each parameter that the row needs there, and is each that came of its kind? */
static enum err params_fit(const struct asked *q)
{
	const struct route *route = q->route;
	for (unsigned i = 0; i < ROUTE_PARAMS && route->params[i].name; i++) {
		const struct route_param *p = &route->params[i];
		if (p->need == PARAM_MUST && !q->v[i].n)
			return err_set(ERR_USAGE, "%s wants ?%s=%s", route->path, p->name,
			    p->example ? p->example : "");
		if (q->came[i] && fits[p->kind] && !fits[p->kind](p, q->v[i]))
			return err_set(ERR_USAGE, "%s", p->wrong);
	}
	return OK;
}

enum err asked_read(
    const struct route *route, const struct http_request *r, char *scratch, struct asked *out)
{
	struct http_query query = {r->query, scratch, 0};
	struct str key, value;
	*out = (struct asked){.route = route, .request = r};
	if (r->query.n >= QUERY_MOST)
		return err_set(ERR_USAGE, "the query is longer than %d bytes", QUERY_MOST - 1);
	while (http_query_next(&query, &key, &value)) {
		unsigned i = param_number(route, key);
		if (i == ROUTE_PARAMS)
			return bad_param(route, key, "there is no");
		if (out->came[i])
			return bad_param(route, key, "there is more than one");
		out->came[i] = true;
		out->v[i] = value;
	}
	return params_fit(out);
}

/* --- values */

static unsigned must_param_number(const struct asked *q, const char *name)
{
	unsigned i = param_number(q->route, str_c(name));
	CHECK(i < ROUTE_PARAMS);
	return i;
}

bool asked_came(const struct asked *q, const char *name)
{
	return q->came[must_param_number(q, name)];
}

struct str asked_text(const struct asked *q, const char *name)
{
	return q->v[must_param_number(q, name)];
}

uint64_t asked_number(const struct asked *q, const char *name)
{
	uint64_t n;
	return str_u64(asked_text(q, name), &n) ? n : 0;
}

int64_t asked_seconds(const struct asked *q, const char *name)
{
	int64_t seconds;
	return span(asked_text(q, name), &seconds) ? seconds : 0;
}

void asked_hash(const struct asked *q, const char *name, uint8_t out[16])
{
	if (!hex_decode(asked_text(q, name), out, 16))
		memset(out, 0, 16);
}

enum err asked_days(const struct asked *q, unsigned usual, unsigned *out)
{
	uint64_t n = asked_came(q, "days") ? asked_number(q, "days") : usual;
	if (n < 1 || n > DAYS_MOST)
		return err_set(ERR_USAGE, "days is a number from 1 to %d", DAYS_MOST);
	*out = (unsigned)n;
	return OK;
}

enum err asked_copy(struct str text, struct buf *out)
{
	buf_str(out, text);
	return out->failed ? err_set(ERR_NOMEM, "no memory for this request now") : OK;
}
