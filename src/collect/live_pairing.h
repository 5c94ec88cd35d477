/* Pairings from inside: what live.c keeps and live_hits.c fills. All of it is under the lock of
 * struct live, but for the two numbers that say otherwise.
 *
 *     waiting   [hit][hit]           recorded, and the views have not read it yet, in order
 *     before    memberships and the number of events before the first of these
 *     kept      … 41 42 43           records, by number modulo LIVE_KEPT */
#ifndef CRUMB_SRC_COLLECT_LIVE_PAIRING_H
#define CRUMB_SRC_COLLECT_LIVE_PAIRING_H

#include "crumb/collect/live.h"

#include "crumb/journal/journal.h"
#include "crumb/model/event.h"

#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>

#define LIVE_WAITING 32 /* hits of a pairing that wait for the views at a time */

enum live_stage {
	LIVE_GATHERED,	/* in a batch */
	LIVE_COMMITTED, /* on disk; `target` is set */
	LIVE_LOST	/* its batch could not be written */
};

struct live_waiting {
	json_t *told; /* the record, but for what the hit changed */
	/* whose batch it is in, and its number */
	const struct collect *by;
	uint64_t gate;
	enum live_stage stage;
	struct journal_pos target; /* the views must have read so far */
	uint64_t since_us;
};

/* What a visitor is at a moment, as far as a change can be told from it. */
struct live_state {
	bool known;	   /* there is a profile */
	bool provisional;  /* there is none yet, and a first hit is remembered */
	uint8_t rules[16]; /* hash of the rules that `segments` are numbers of */
	uint16_t day;	   /* of the look-up: with a new day memberships end by themselves */
	uint64_t events;
	uint16_t *segments; /* sorted */
	size_t segments_n;
};

struct live_pairing {
	char code[LIVE_CODE + 1]; /* empty: this place is free */
	char who[LIVE_WHO];
	int64_t until;	   /* unix seconds */
	uint64_t until_us; /* the same by the monotonic clock: the earlier counts */
	uint64_t n;	   /* number of the latest record */
	json_t *kept[LIVE_KEPT];
	bool bound; /* a visitor has come with the code; others are not shown */
	struct vkey visitor;
	struct live_state before; /* while hits wait */
	struct live_waiting waiting[LIVE_WAITING];
	unsigned waiting_n;
};

struct live {
	pthread_mutex_t lock;
	struct live_pairing pairing[LIVE_PAIRED];
	int64_t hour;	/* in which pairings are counted */
	unsigned begun; /* in that hour */
	/* written under the lock, read by any thread without it */
	_Atomic unsigned paired, waiting;
};

/* Takes the record, numbers it, and forgets the oldest. Takes NULL, too: there was no memory. */
void live_keep(struct live_pairing *p, json_t *told);
/* The first of `waiting` goes. */
void live_waited(struct live *l, struct live_pairing *p);
void live_state_done(struct live_state *s);

#endif
