/* The tag assistant's pairings: whoever typed a tab's code sees the hits of that tab.
 *
 *     tab                    collect threads              pairing                     admin
 * listener shows K7Q-3MH-W2X ───► live=K7Q3MHW2X               code, who typed it, until ◄──
 * live_pair() after a click          collect_live_event() ──────► hits that wait for the fold
 *                            collect_live_go_on() ──────► the latest 100 records    ──►
 * live_after()
 *
 * A pairing belongs to the code *and* to whoever typed it: two who typed the same code have two
 * pairings, and neither sees what came before their own. It ends after LIVE_S seconds, and with it
 * all that it held; nothing of it is ever written to a disk. A code that nobody shows is a pairing
 * without hits, so pairing tells nothing about whether there is such a tab.
 *
 * A hit with a code that is not paired costs one look at a number. The functions here are for any
 * thread; one lock guards all pairings, which are few. What a collect thread does with a hit stands
 * in src/collect/live_hits.c. */
#ifndef CRUMB_COLLECT_LIVE_H
#define CRUMB_COLLECT_LIVE_H

#include "crumb/base/err.h"
#include "crumb/base/str.h"

struct live;
struct json_t;

#define LIVE_CODE 9 /* signs of a code, five bits each: 45 bits */
#define LIVE_SHOWN 11
#define LIVE_S 900	 /* seconds that a pairing lasts */
#define LIVE_PAIRED 20	 /* pairings at a time */
#define LIVE_AN_HOUR 200 /* pairings that may begin within an hour */
#define LIVE_KEPT 100	 /* records of a pairing; the oldest goes */
#define LIVE_WHO 64	 /* bytes of a name, with its zero */

/* NULL without memory. */
struct live *live_new(void);
void live_free(struct live *l);

/* Reads a code as people type it: small letters, blanks and dashes anywhere, o for 0, i and l for
 * 1. False: it is none. */
bool live_code_read(struct str typed, char out[LIVE_CODE + 1]);
/* Writes it to be read aloud: K7Q-3MH-W2X. */
void live_code_write(const char code[LIVE_CODE + 1], char out[LIVE_SHOWN + 1]);

/* Pairs for LIVE_S seconds from `now` (unix seconds). Where `who` has paired the code already, that
 * pairing goes on as it is. ERR_BUSY, and a sentence: too many at once, or within an hour. */
enum err live_pair(
    struct live *l, const char *code, const char *who, int64_t now, int64_t *until) MUST_CHECK;
/* Ends the pairing, if there is one. */
void live_end(struct live *l, const char *code, const char *who);
/* Ends what is over by `now`. To be called every second, so that nothing is held for longer. */
void live_expire(struct live *l, int64_t now);
/* How many pairings there are. */
unsigned live_paired(const struct live *l);

/* The records behind number `after`, oldest first, with *next for the question that follows and
 * *until when the pairing ends; 0: `who` has not paired that code. An `after` that was never told
 * is 0. The list is the caller's; NULL: no memory. */
struct json_t *live_after(struct live *l, const char *code, const char *who, uint64_t after,
    int64_t now, uint64_t *next, int64_t *until);

#endif
