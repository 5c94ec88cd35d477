/* What should be so, by a model that shares no code with what it judges: who was seen when, and what a set of rules makes of that.
 *
 * A look is of one of eight kinds: four pages, each looked at or bought on. A category is a set of kinds. A segment asks how often a category, or on
 * how many days anything, was seen in a window, and perhaps that another category was not. */
#ifndef CRUMB_SIM_MODEL_H
#define CRUMB_SIM_MODEL_H

#include "crumb/base/buf.h"
#include "crumb/base/map.h"
#include "crumb/model/event.h"

#define KINDS 8
#define PAGES 4
#define CATEGORIES 4
#define SEGMENTS 6
#define KEPT_DAYS 90
#define RING 96 /* days */

extern const char *const page_names[PAGES];

struct asks {
	uint8_t category; /* CATEGORIES: visits */
	uint8_t times, days;
	bool but;	  /* and not one of these in so many days: */
	uint8_t but_category, but_days;
};
struct rule_set {
	uint8_t kinds[CATEGORIES]; /* bits */
	struct asks segments[SEGMENTS];
};

void rules_invent(struct rule_set *r, const struct rule_set *before); /* `before`: only conditions change */
void rules_text(const struct rule_set *r, struct buf *out);

struct person {
	struct vkey key;
	uint32_t number;
	bool counted, erased;
	bool listed; /* among the known */
	uint8_t in;  /* segments, a bit each, as model_judge() found them */
	uint32_t first_t;	      /* the hit that brought the cookie, while nobody has come back with it; 0: none */
	uint8_t first_kind;
	uint16_t latest;
	uint16_t day[RING];
	uint16_t n[RING][KINDS];
};

struct model {
	struct person **people;
	size_t n, cap;
	uint32_t *known; /* the numbers of those of whom anything is there, or may be; nothing is to be known of the others */
	size_t known_n, known_cap;
	struct map numbers; /* of people, by key */
};

void model_done(struct model *m);
struct person *model_person(struct model *m, const struct vkey *k); /* NULL: none */
void model_look(struct model *m, const struct vkey *k, uint32_t t, uint8_t kind, bool brings_cookie);
void model_erase(struct model *m, const struct vkey *k);
void model_know(struct model *m, uint32_t person);
/* Who is in which segment, of the known. Nobody else is in any. */
void model_judge(struct model *m, const struct rule_set *r, uint16_t today);

bool person_there(const struct person *p, uint16_t today); /* is anything of theirs to be known? */
uint32_t person_count(const struct person *p, uint8_t kinds, uint16_t day);
static inline bool person_in(const struct person *p, unsigned segment)
{
	return p->in >> segment & 1;
}

#endif
