/* Inside partners: how the file of destinations is read.
 *
 * The document is walked once, from its root down. Each key of a map is a row {name, load} of a
 * table (yaml_map()); `load` reads the value into what is being read. What is wrong is reported
 * with its place, and reading goes on, so that one run tells all mistakes.
 *
 * What is read lives in the arena of the set, as long as the set. One thread reads a file. */
#ifndef CRUMB_SRC_PARTNERS_READING_H
#define CRUMB_SRC_PARTNERS_READING_H

#include "crumb/partners/destinations.h"
#include "crumb/yaml/yaml.h"

/* Goes through the whole document. */
struct reading {
	struct destinations *d;
	size_t partners_cap, cap; /* of the lists in `d` */
	struct destination *now;  /* the destination that is being read */
	struct str partner;	  /* the name of its partner, as it stands there */
};

/* One of `partners:` and one of `destinations:`; into: the reading. */
void read_partner(struct yaml *y, const yaml_node_t *n, void *into);
void read_destination(struct yaml *y, const yaml_node_t *n, void *into);

/* Small readers. `what` names the key in a report; *out is untouched where the value is wrong. */
void reading_text(struct yaml *y, const yaml_node_t *n, const char *what, struct str *out);
/* A map of plain words; a list of words is one word with commas. */
void reading_pairs(
    struct yaml *y, const yaml_node_t *n, const char *what, struct setting **out, unsigned *out_n);
/* "15m", "6h", "1d" in seconds, up to 90 days; false: it is no span. Reports nothing. */
bool reading_span(struct str s, uint32_t *out);
/* "30d": a number of days, up to 90. */
void reading_days(struct yaml *y, const yaml_node_t *n, const char *what, unsigned *out);

#endif
