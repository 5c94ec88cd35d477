/* One simulation: a node with one thread and its journal in memory, people with browsers, a partner who gets audiences, and the model that says what
 * should be. */
#ifndef CRUMB_SIM_SIM_H
#define CRUMB_SIM_SIM_H

#include "crumb/base/map.h"
#include "crumb/delivery/deliver.h"
#include "crumb/ingest/ingest.h"
#include "crumb/node/keeper.h"
#include "model.h"
#include "world.h"

#define K 20 /* the k gate's floor */
#define BROWSERS 1000
#define RULE_SETS 64 /* the latest */
#define HITS_MOST 2000

struct surfer {
	bool has_cookie;
	char cookie[COOKIE_LEN];
};

/* A hit that is not answered yet. */
struct hope {
	struct surfer *of;
	struct vkey key;
	uint32_t t;
	uint8_t kind;
	bool brings_cookie, erases;
	char cookie[COOKIE_LEN];
};

struct row {
	uint32_t person;
	uint16_t until[SEGMENTS]; /* 0: not there */
};
struct lake {
	struct row *rows; /* by number of the person */
	size_t n, cap;
	uint64_t files, lines;
};

struct sim {
	uint64_t seed, events, trace, step, hits, answered, refused, kills, faults, checks, reloads, nights, deliveries, erasures, again;
	unsigned burst; /* hits at once, at most */
	uint32_t watched; /* person + 1 whose rows are printed; 0: nobody */
	char folder[200];
	struct config config;
	struct journal_memory *medium;
	struct node node;
	struct keeper *keeper;
	struct ingest ingest;
	bool open, has_result, shaky; /* the last: since it was well something was made to fail */
	struct batch batch;
	struct hope hopes[HITS_MOST];
	unsigned hopes_n;
	struct vkey owed[HITS_MOST]; /* erasures that were not answered; they are asked for again */
	struct surfer *owed_by[HITS_MOST];
	unsigned owed_n;
	int64_t set_back;
	struct surfer browsers[BROWSERS];
	struct model model;
	struct lake partner;
	struct {
		uint8_t hash[16];
		struct rule_set set;
	} rules[RULE_SETS];
	unsigned rules_n;
};

/* It is not as it should be: says so, with how to see it again, and ends the program. */
void sim_failed(const struct sim *s, const char *fmt, ...) __attribute__((format(printf, 2, 3), noreturn));
void sim_trace(struct sim *s, const char *what, uint64_t a, uint64_t b);

/* --- life.c: what the node goes through */
void life_begin(struct sim *s);
void life_end(struct sim *s);
void life_open(struct sim *s);
void life_again(struct sim *s); /* after a kill */
void life_hits(struct sim *s, unsigned n);
void life_erase(struct sim *s);
void life_reload(struct sim *s);
void life_settle(struct sim *s); /* everything folded and swept, what serves are the newest rules; or the machine is dead */
const struct rule_set *life_rules(struct sim *s, const struct rules *r);

/* --- check.c: is everything as it should be? The machine is well, and everything settled */
void check_all(struct sim *s, bool deeply);

/* --- partner.c */
enum err partner_deliver(struct sim *s, bool whole, enum delivery_state *state);
void partner_check(struct sim *s, const struct rule_set *set); /* delivers until there is nothing to say */

#endif
