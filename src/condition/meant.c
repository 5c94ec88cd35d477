/* Ranges and numbers as other languages and tools write them, read for a hint and never as a value.
 *
 *     100-200 · 100 to 200 · between 100 and 200 · 100...200 · from 100 until 200     100 … 200
 *     100+ · ≥ 100 · => 100                                                           100 …
 *     12,50                                                                           12.50
 *     1,000                                                                           1000
 *
 * A comma with three digits behind it is more often a thousand than a fraction. */
#include "crumb/condition/meant_range.h"

#include <stdio.h>
#include <stdlib.h>

/* What may stand between two bounds. Longer ones first. */
static const char *const separators[] = {
    "...", "\xe2\x80\xa6", "..", "\xe2\x80\x93", "\xe2\x80\x94", "-", "until", "to", "and"};

static bool meant_take(struct str *s, const char *what)
{
	struct str w = str_c(what);
	if (s->n < w.n || !str_ieq(str_make(s->p, w.n), w))
		return false;
	*s = str_trim(str_skip(*s, w.n));
	return true;
}

/* Takes a number with a point or a comma, and writes it with a point. *comma: it had a comma. */
static bool meant_take_number(struct str *s, char out[MEANT_NUMBER], bool *comma)
{
	size_t n = 0, used = 0, commas = 0, digits = 0, behind = 0;
	while (used < s->n && n < MEANT_NUMBER - 1) {
		char c = s->p[used];
		bool digit_next = used + 1 < s->n && chr_digit(s->p[used + 1]);
		if (!chr_digit(c) && !((c == '.' || c == ',') && digits && digit_next))
			break;
		digits += chr_digit(c);
		behind = c == ',' ? 0 : behind + 1;
		commas += c == ',';
		out[n++] = c == ',' ? '.' : c;
		used++;
	}
	if (!digits)
		return false;
	out[n] = 0;
	if (commas == 1 && behind == 3) { /* 1,000 */
		char *point = strchr(out, '.');
		memmove(point, point + 1, strlen(point));
	}
	*comma |= commas > 0;
	*s = str_trim(str_skip(*s, used));
	return commas <= 1;
}

static bool upwards(const struct meant *m)
{
	return !*m->lo || !*m->hi || strtod(m->lo, NULL) <= strtod(m->hi, NULL);
}

bool number_meant(struct str s, enum meant_where where, struct meant *out)
{
	struct meant m = {.single = false};
	bool comma = false, words, odd = false;
	s = str_trim(s);
	if (meant_take(&s, "\xe2\x89\xa5") || meant_take(&s, "=>"))
		return meant_take_number(&s, m.lo, &comma) && s.n == 0 ? (*out = m, true) : false;
	if (meant_take(&s, "\xe2\x89\xa4") || meant_take(&s, "=<"))
		return meant_take_number(&s, m.hi, &comma) && s.n == 0 ? (*out = m, true) : false;
	words = meant_take(&s, "between ") || meant_take(&s, "from ");
	if (!meant_take_number(&s, m.lo, &comma))
		return false;
	if (s.n == 0) {
		m.single = true;
		return comma && !words ? (*out = m, true) : false;
	}
	if (str_eq(s, STR("+"))) {
		*out = m;
		return true;
	}
	size_t i = 0;
	while (i < sizeof separators / sizeof *separators && !meant_take(&s, separators[i]))
		i++;
	if (i == sizeof separators / sizeof *separators ||
	    (!words && strcmp(separators[i], "and") == 0))
		return false;
	odd = words || where == MEANT_IN_CONDITION || strcmp(separators[i], "..") != 0;
	if (s.n && !meant_take_number(&s, m.hi, &comma))
		return false;
	if (s.n || !(odd || comma) || !upwards(&m) ||
	    (!*m.hi && !comma && where == MEANT_IN_PATTERN))
		return false;
	*out = m;
	return true;
}

void meant_pattern(const struct meant *m, char out[100])
{
	snprintf(out, 100, "%s%s%s", m->lo, m->single ? "" : "..", m->hi);
}

void meant_condition(const struct meant *m, char out[120])
{
	if (m->single)
		snprintf(out, 120, "%s", m->lo);
	else if (*m->lo && *m->hi)
		snprintf(out, 120, "between %s and %s", m->lo, m->hi);
	else if (*m->lo)
		snprintf(out, 120, ">= %s", m->lo);
	else
		snprintf(out, 120, "<= %s", m->hi);
}

bool meant_at(struct str condition, size_t at, char hint[160])
{
	struct meant m;
	char right[120];
	size_t from = at, to = at;
	/* back to where the value begins: over "12" of 12,5, and over the word before "to" */
	if (str_starts(str_skip(condition, at), STR("to ")))
		while (from > 0 && condition.p[from - 1] == ' ')
			from--;
	while (from > 0 && !chr_one_of(condition.p[from - 1], " (=<>"))
		from--;
	for (; to < condition.n && condition.p[to] != ')'; to++) {
		struct str rest = str_skip(condition, to);
		if (rest.p[0] == ' ' && !str_starts(rest, STR(" to ")) &&
		    !(to >= 3 && str_starts(str_skip(condition, to - 3), STR(" to "))))
			break;
	}
	if (!number_meant(str_make(condition.p + from, to - from), MEANT_IN_CONDITION, &m))
		return false;
	meant_condition(&m, right);
	snprintf(hint, 160, "write %s", right);
	return true;
}
