/* reference trackers: other people's protocols that the collect listener speaks (collect/collect.h,
 * trackers/trackers.h), with their paths, and the options that switch them on. */
#include "references.h"

#include "crumb/trackers/trackers.h"

json_t *reference_trackers(const struct cli *c)
{
	json_t *rows = json_array();
	(void)c;
	for (const struct tracker *const *t = trackers; *t; t++) {
		json_t *paths = json_array(), *options = json_array();
		for (const struct tracker_path *p = (*t)->paths; p->path; p++)
			CHECK(json_array_append_new(
				  paths, json_pack("{s:s,s:s,s:I}", "path", p->path, "kind",
					     p->kind, "bytes", (json_int_t)p->most)) == 0);
		for (const char *const *o = (*t)->options; o && *o; o++)
			CHECK(json_array_append_new(options, json_string(*o)) == 0);
		json_t *row = json_pack("{s:s,s:s,s:s,s:o,s:o,s:b}", "name", (*t)->name, "help",
		    (*t)->says, "source", (*t)->source, "paths", paths, "options", options,
		    "always", !(*t)->on);
		CHECK(json_array_append_new(rows, row) == 0);
	}
	return rows;
}
