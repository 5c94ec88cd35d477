/* Small readers of the file of destinations: words, maps of words, spans of time. */
#include "reading.h"

#include "crumb/base/clock.h"

#define SPAN_MOST_S (90 * DAY_S) /* longer than anything is kept */
#define SPAN_NUMBER_MOST 10000	 /* of minutes, hours or days: the product does not run over */

void reading_text(struct yaml *y, const yaml_node_t *n, const char *what, struct str *out)
{
	struct str s;
	if (yaml_text(y, n, what, &s))
		*out = arena_keep(y->arena, s);
}

void reading_pairs(
    struct yaml *y, const yaml_node_t *n, const char *what, struct setting **out, unsigned *out_n)
{
	if (n->type != YAML_MAPPING_NODE) {
		yaml_complain(y, n, "type", NULL, "%s has keys and values", what);
		return;
	}
	size_t count = (size_t)(n->data.mapping.pairs.top - n->data.mapping.pairs.start);
	*out = arena_alloc(y->arena, (count + 1) * sizeof **out);
	*out_n = 0;
	for (yaml_node_pair_t *it = n->data.mapping.pairs.start; it < n->data.mapping.pairs.top;
	     it++) {
		struct setting s;
		const yaml_node_t *value = yaml_node(y, it->value);
		if (!yaml_text(y, yaml_node(y, it->key), "a key", &s.name))
			continue;
		if (value->type == YAML_SEQUENCE_NODE) {
			/* [a, b] is "a,b" */
			struct str *words;
			unsigned words_n;
			struct buf joined = {0};
			if (!yaml_words(y, value, what, &words, &words_n))
				continue;
			for (unsigned i = 0; i < words_n; i++) {
				buf_add(&joined, ",", i > 0);
				buf_str(&joined, words[i]);
			}
			s.value = arena_keep(y->arena, joined.n ? buf_view(&joined) : STR(""));
			buf_done(&joined);
		} else {
			if (!yaml_text(y, value, what, &s.value))
				continue;
			s.value = arena_keep(y->arena, s.value);
		}
		s.name = arena_keep(y->arena, s.name);
		(*out)[(*out_n)++] = s;
	}
}

/* How many seconds the letter behind a span stands for; 0: it stands for none. */
static uint64_t unit_seconds(char unit)
{
	switch (unit) {
	case 'm':
		return 60;
	case 'h':
		return 3600;
	case 'd':
		return DAY_S;
	default:
		return 0;
	}
}

bool reading_span(struct str s, uint32_t *out)
{
	uint64_t v;
	if (s.n < 2 || !str_u64(str_make(s.p, s.n - 1), &v) || v == 0 || v > SPAN_NUMBER_MOST)
		return false;
	uint64_t each = unit_seconds(s.p[s.n - 1]);
	*out = (uint32_t)(v * each);
	return each && v * each <= SPAN_MOST_S;
}

void reading_days(struct yaml *y, const yaml_node_t *n, const char *what, unsigned *out)
{
	struct str s;
	uint32_t v;
	if (!yaml_text(y, n, what, &s))
		return;
	if (!reading_span(s, &v) || v % DAY_S)
		yaml_complain(y, n, "days", "write it as 30d",
		    "%s is a number of days, not '" STR_FMT "'", what, STR_ARG(s));
	else
		*out = v / DAY_S;
}
