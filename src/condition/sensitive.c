/* The list of what audiences may not be made of by themselves. etc/sensitive.txt is compiled in:
 * lines of words, and lines "iab 123 200-240" of rows of the IAB Audience Taxonomy. A word stands
 * for a whole part of an id: "health" is in news.health and not in healthy. */
#include "sensitive.h"

#include "crumb/base/err.h"

/* Made at build from etc/sensitive.txt. */
extern const char sensitive_txt[];
extern const unsigned long sensitive_txt_n;

static void add_row(struct sensitive *s, struct str word)
{
	uint64_t first, last;
	size_t dash = str_find(word, '-');
	CHECK(s->rows_n < sizeof s->rows / sizeof *s->rows &&
	      str_u64(str_make(word.p, dash), &first));
	last = first;
	if (dash < word.n)
		CHECK(str_u64(str_skip(word, dash + 1), &last));
	s->rows[s->rows_n].first = (long)first;
	s->rows[s->rows_n++].last = (long)last;
}

void sensitive_init(struct sensitive *s)
{
	struct str rest = str_make(sensitive_txt, sensitive_txt_n), line, word;
	*s = (struct sensitive){.rows_n = 0};
	while (str_cut(&rest, '\n', &line)) {
		bool rows = false, first = true;
		if (line.n && line.p[0] == '#')
			continue;
		while (line.n && str_cut(&line, ' ', &word)) {
			rows |= first && str_eq(word, STR("iab"));
			if (word.n && rows && !first)
				add_row(s, word);
			else if (word.n && !rows)
				map_put(&s->words, word, 1);
			first = false;
		}
	}
}

void sensitive_done(struct sensitive *s)
{
	map_done(&s->words);
}

bool sensitive_has(const struct sensitive *s, const char *id, long iab)
{
	struct str rest = str_c(id), part;
	uint32_t found;
	while (rest.n && str_cut(&rest, '.', &part))
		if (map_get(&s->words, part, &found))
			return true;
	for (unsigned i = 0; i < s->rows_n; i++)
		if (iab >= s->rows[i].first && iab <= s->rows[i].last)
			return true;
	return false;
}
