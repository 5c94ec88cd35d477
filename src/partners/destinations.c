/* The file of destinations becomes a set, which is immutable and shared by reference count.
 *
 * The set is one arena with everything that its strings point to, and two lists. Mistakes go to the
 * caller's report, or to one of our own, from which the error takes its words. */
#include "reading.h"

#include "crumb/base/file.h"
#include "crumb/base/log.h"

#include <stdio.h>
#include <stdlib.h>

#define FILE_MOST ((size_t)16 << 20) /* bytes */

static void file_version(struct yaml *y, const yaml_node_t *n, void *into)
{
	(void)into;
	yaml_version(y, n);
}
static void file_partners(struct yaml *y, const yaml_node_t *n, void *into)
{
	yaml_list(y, n, "partners", read_partner, into);
}
static void file_destinations(struct yaml *y, const yaml_node_t *n, void *into)
{
	yaml_list(y, n, "destinations", read_destination, into);
}
static const struct yaml_key file_keys[] = {
    {.name = "version", .load = file_version},
    {.name = "partners", .load = file_partners},
    {.name = "destinations", .load = file_destinations},
};

static void load_document(struct yaml *y, struct destinations *d)
{
	struct reading r = {.d = d};
	const yaml_node_t *root = yaml_open(y);
	if (root)
		yaml_map(y, root, "a destinations file", file_keys,
		    sizeof file_keys / sizeof *file_keys, &r);
}

enum err destinations_load(const char *path, struct report *report, struct destinations **out)
{
	struct report own = {0}, *to = report ? report : &own;
	struct buf text = {0};
	struct destinations *d = calloc(1, sizeof *d);
	CHECK(d);
	d->refs = 1;
	to->lister = RULES_LISTER;
	enum err e = file_read(path, FILE_MOST, &text);
	d->found = e != ERR_NOT_FOUND;
	if (!d->found)
		e = OK;
	if (!e && d->found) {
		struct yaml y = {
		    .arena = &d->arena, .report = to, .text = text.n ? buf_view(&text) : STR("")};
		const char *slash = strrchr(path, '/');
		y.file = arena_keep(&d->arena, str_c(slash ? slash + 1 : path)).p;
		load_document(&y, d);
		yaml_close(&y);
		e = report_error(to);
	}
	buf_done(&text);
	report_done(&own);
	if (e)
		destinations_unref(d);
	else
		*out = d;
	return e;
}

struct destinations *destinations_ref(struct destinations *d)
{
	if (d)
		atomic_fetch_add(&d->refs, 1);
	return d;
}

void destinations_unref(struct destinations *d)
{
	if (!d || atomic_fetch_sub(&d->refs, 1) != 1)
		return;
	arena_done(&d->arena);
	free(d->partners);
	free(d->list);
	free(d);
}
