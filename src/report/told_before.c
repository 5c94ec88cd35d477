/* Names that were told, as a sorted list: a look-up halves it, and writing joins two lists. */
#include "told_before.h"

#include "crumb/base/array.h"
#include "crumb/core/config.h"
#include "crumb/disk/checked.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define NAMES_MOST (4u << 20)
#define FILE_MOST (NAMES_MOST * 40u)

static int by_name(const void *a, const void *b)
{
	const struct told_name *x = a, *y = b;
	if (x->name != y->name)
		return x->name < y->name ? -1 : 1;
	return x->report > y->report ? -1 : x->report < y->report;
}

static bool read_name(struct told_before *b, struct str line, size_t *cap)
{
	char text[64];
	unsigned long long name;
	unsigned report, day;
	snprintf(text, sizeof text, STR_FMT, STR_ARG(line));
	if (sscanf(text, "%16llx %u %u", &name, &report, &day) != 3 || day > UINT16_MAX ||
	    !array_room(b->names, *cap, b->names_n + 1))
		return false;
	b->names[b->names_n++] = (struct told_name){name, report, (uint16_t)day};
	return true;
}

static bool told_read(struct told_before *b, struct str all)
{
	struct str rest, line;
	char first[32];
	size_t cap = 0;
	if (!checked_text(all, &rest) || !str_cut(&rest, '\n', &line))
		return false;
	snprintf(first, sizeof first, STR_FMT, STR_ARG(line));
	if (sscanf(first, "told 1 %u", &b->report) != 1)
		return false;
	while (rest.n && str_cut(&rest, '\n', &line))
		if (!read_name(b, line, &cap))
			return false;
	return true;
}

void told_before_read(struct told_before *b, const char *path)
{
	struct buf text = {0};
	struct stat st;
	*b = (struct told_before){0};
	if (!checked_read(path, FILE_MOST, &text) || !told_read(b, buf_view(&text))) {
		/* a file that is there and cannot be read might have said anything */
		b->strict = stat(path, &st) == 0;
		b->names_n = 0;
	}
	if (b->names_n)
		qsort(b->names, b->names_n, sizeof *b->names, by_name);
	b->strict |= b->names_n >= NAMES_MOST;
	buf_done(&text);
}

bool told_before_fell(const struct told_before *b, uint64_t name)
{
	size_t lo = 0, hi = b->names_n;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (b->names[mid].name == name)
			return b->names[mid].report != b->report;
		if (b->names[mid].name < name)
			lo = mid + 1;
		else
			hi = mid;
	}
	return b->strict;
}

void told_before_note(struct told_before *b, uint64_t name, uint16_t day)
{
	if (array_room(b->now, b->now_cap, b->now_n + 1))
		b->now[b->now_n++] = (struct told_name){name, b->report + 1, day};
}

/* Those of this report, and of the others all that are young enough, while there is room. */
enum err told_before_write(struct told_before *b, const char *path, uint16_t today)
{
	struct buf text = {0};
	size_t i = 0, n = 0;
	if (b->now_n)
		qsort(b->now, b->now_n, sizeof *b->now, by_name);
	buf_addf(&text, "told 1 %u\n", b->report + 1);
	for (size_t k = 0; k < b->now_n && n < NAMES_MOST; k++)
		if (!k || b->now[k].name != b->now[k - 1].name) {
			buf_addf(&text, "%016llx %u %u\n", (unsigned long long)b->now[k].name,
			    b->now[k].report, b->now[k].day);
			n++;
		}
	for (size_t k = 0; k < b->names_n && n < NAMES_MOST; k++) {
		while (i < b->now_n && b->now[i].name < b->names[k].name)
			i++;
		bool again = i < b->now_n && b->now[i].name == b->names[k].name;
		if (again || b->names[k].day + RETENTION_MAX < today)
			continue;
		buf_addf(&text, "%016llx %u %u\n", (unsigned long long)b->names[k].name,
		    b->names[k].report, b->names[k].day);
		n++;
	}
	enum err e = checked_write(path, &text);
	buf_done(&text);
	return e;
}

void told_before_done(struct told_before *b)
{
	free(b->names);
	free(b->now);
	*b = (struct told_before){0};
}
