/* Inside report: the making of one. Three steps, each in a file:
 *
 *     choose.c    a first walk over all visitors counts every pair: segment and category, segment
 *                 and segment, …; of each segment the groups are chosen that tell most
 *     count.c     a second walk counts exactly these groups, all of one moment, and draws a sketch
 *                 of each (sketch.h); days and journeys are counted on the way
 *     gate.c      what of them is told, and as which number
 *     by_day.c    the same for categories by day
 *     tell.c      the text of the report
 *
 *     groups      0            everybody
 *                 1 …          segments, by number
 *                 …            categories, by number, [0] being everybody again
 *                 …            kinds of device, countries, of everybody
 *                 plan.first   of each segment: devices, countries, categories, nearest, clauses
 *                 …            of each journey: who began it, and each path of up to three steps
 *
 * Example: with 1,000 segments and 1,000 categories there are 2,700 groups of everybody, and up to
 * 68 of each segment; a group takes 32 bytes and its sketch 512, 38 MB in all. Where that would be
 * more than SKETCHES_MOST, sketches are smaller first, and then fewer groups of each segment are
 * told. Tables of pairs are made in passes of TABLES_MOST bytes, each of which walks over all
 * visitors: 65,000 segments with as many categories take a thousand passes, and no more memory.
 *
 * A making belongs to the thread that makes it; the walks have threads of their own, which end
 * before the walk returns. */
#ifndef CRUMB_SRC_REPORT_MAKING_H
#define CRUMB_SRC_REPORT_MAKING_H

#include "crumb/condition/sentence.h"
#include "crumb/privacy/kgate.h"
#include "crumb/report/daily.h"
#include "crumb/views/each_visitor.h"

#include "sketch.h"

#define TABLES_MOST (64u << 20)	  /* bytes of the tables of a pass, all threads together */
#define SKETCHES_MOST (64u << 20) /* bytes */
#define CATEGORIES_MOST 20	  /* told of a segment */
#define COUNTRIES_MOST 20
#define NEAREST_MOST 10
#define STEPS_MOST 3 /* of a path */
#define NO_GROUP UINT32_MAX

/* Numbers of countries: 0 is unknown, then AA, AB … ZZ. */
#define COUNTRIES (1 + 26 * 26)
unsigned country_number(const struct place *p);
void country_code(unsigned country, char out[8]); /* "DE"; "unknown" */

struct group {
	uint64_t name; /* of what it is; the same in every report (remembered.h) */
	uint32_t n;    /* visitors */
	int64_t told;  /* WITHHELD, or the number */
};
#define WITHHELD (-1)

/* What is told of a segment. */
struct plan {
	uint32_t first; /* its first group */
	/* by number */
	uint16_t countries[COUNTRIES_MOST], categories[CATEGORIES_MOST], nearest[NEAREST_MOST];
	uint8_t countries_n, categories_n, nearest_n, clauses_n;
	int upto[CLAUSE_PARTS_MAX]; /* nodes; the last clause is the segment, and not among them */
};

/* The groups of a segment stand in this order. */
static inline uint32_t plan_device(const struct plan *p, unsigned i)
{
	return p->first + i;
}
static inline uint32_t plan_country(const struct plan *p, unsigned i)
{
	return p->first + DEVICE_MAX + i;
}
static inline uint32_t plan_category(const struct plan *p, unsigned i)
{
	return plan_country(p, p->countries_n) + i;
}
static inline uint32_t plan_near(const struct plan *p, unsigned i)
{
	return plan_category(p, p->categories_n) + i;
}
static inline uint32_t plan_clause(const struct plan *p, unsigned i)
{
	return plan_near(p, p->nearest_n) + i;
}

struct making {
	/* given */
	struct generation *g;
	const struct kgate *gate;
	uint32_t now;		  /* seconds */
	const _Atomic bool *stop; /* may be NULL */
	size_t tables_most;	  /* TABLES_MOST; less in tests */
	/* of the rules */
	const struct rules *r;
	uint16_t today;
	uint64_t k;
	uint64_t *wanted; /* bits: all categories */
	/* choose.c */
	struct plan *plans; /* by segment */
	/* count.c */
	struct group *groups;
	size_t groups_n;
	uint32_t first_category, first_device, first_country; /* of everybody */
	uint32_t *first_step;				      /* by journey: who began it */
	uint64_t *sketches; /* the first word of each group, then the second of each, … */
	unsigned sketch_words;
	struct key16 sketch_key;
	_Atomic uint32_t *step_days; /* by group from the first journey's on: by days it took */
	_Atomic uint32_t *day_events, *day_visitors; /* by category and day, saturated */
	/* by_day.c */
	int64_t *told_events, *told_visitors; /* by category and day */
};

static inline uint32_t group_of_segment(size_t segment)
{
	return 1 + (uint32_t)segment;
}
/* How many groups a journey has: who began, then paths of one, two and three steps. */
static inline uint32_t journey_groups(const struct journey *j)
{
	uint32_t n = j->steps_n;
	return 1 + n + n * n + n * n * n;
}
#define STEP_DAYS (RETENTION_MAX + 1)

/* ERR_BUSY where the making is to stop. */
enum err making_stopped(const struct making *m) MUST_CHECK;

enum err choose_groups(struct making *m) MUST_CHECK;
enum err count_groups(struct making *m) MUST_CHECK;
struct told_before;
/* Sets `told` of all groups, and notes in `before` what was told. */
enum err gate_groups(struct making *m, struct told_before *before) MUST_CHECK;
enum err gate_days(struct making *m) MUST_CHECK;
/* Gives the groups their names (told_before.h). */
void name_groups(struct making *m);
/* Appends the lines of the report. */
enum err tell_report(const struct making *m, struct buf *out) MUST_CHECK;
void making_done(struct making *m);

#endif
