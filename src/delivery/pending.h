/* Inside delivery: a delivery that is under way, the folder `pending` of an outbox.
 *
 *     manifest.json  what is delivered: name, mode, sums, files with their SHA-256
 *     files/         the files
 *     rows           what each file says, of the form of a ledger (delivery/held.h)
 *     acks           a line for each step of a file: "3>" file 3 is being sent, "3+" it was
 *                    acknowledged, "3?" it was acknowledged, but nobody knows which rows
 *     refused        a line for each row that an answer refused:
 *                    id TAB segment or * TAB file TAB code TAB message
 *     state          attempts that failed, and when to try next, in seconds since 1970
 *
 * manifest.json, files/ and rows never change. acks and refused only grow; a last line that was cut
 * off says nothing. state is replaced as a whole.
 *
 * For example, acks "0>", "0+", "1>", "1>" say: file 0 is through; file 1 was sent twice, and no
 * answer is known. The partner may have taken file 1.
 *
 * Whoever changes a pending delivery holds the lock of its outbox. One thread. */
#ifndef CRUMB_SRC_DELIVERY_PENDING_H
#define CRUMB_SRC_DELIVERY_PENDING_H

#include "crumb/base/map.h"
#include "crumb/delivery/deliver.h"
#include "outbox.h"

#define PENDING_PATH (OUTBOX_PATH + 500) /* a path in the folder */
#define PENDING_NAME 400		 /* a name in the outbox, with the name of its folder */
#define NEXT_TRY_MOST (2 * DAY_S) /* a partner may ask for a day; later is not what we wrote */

struct pending {
	struct outbox *place;
	const struct destination *d;
	json_t *manifest;
	char folder[OUTBOX_PATH];
	unsigned files;
	bool *finished; /* by file: acknowledged, so it is not sent again */
	bool *acked;	/* by file: acknowledged, and its rows count as taken */
	unsigned *sent; /* by file: how often */
	unsigned attempts;
	uint32_t next_try, now;
	struct buf refused;	 /* the text of `refused` */
	struct map refused_keys; /* id TAB segment TAB file: views of that text */
	uint64_t refused_n;
	void (*progress)(const char *what, uint64_t done); /* NULL: nobody looks */
};

/* ERR_NOT_FOUND: nothing is under way. ERR_CORRUPT: what is there is not what was written. */
enum err pending_open(
    struct outbox *o, const struct destination *d, uint32_t now, struct pending *p) MUST_CHECK;
bool pending_rows_sound(const struct pending *p);
uint16_t pending_day(const struct pending *p);	    /* on which it was made */
unsigned pending_finished(const struct pending *p); /* how many files are acknowledged */
void pending_path(const struct pending *p, const char *name, char out[PENDING_PATH]);
const json_t *pending_file(const struct pending *p, unsigned n); /* its row of the manifest */
void pending_free(struct pending *p);

/* Notes a step of file `n`: '>', '+' or '?' as above. */
enum err pending_note(const struct pending *p, unsigned n, char step) MUST_CHECK;
enum err pending_save_state(const struct pending *p) MUST_CHECK;
/* What was acknowledged becomes what is held; the rest is put aside. May be done twice. */
enum err pending_finish(struct pending *p, enum delivery_state state, const char *why) MUST_CHECK;

/* --- src/delivery/send.c */
/* Sends what nobody has acknowledged, and ends the delivery if it can. `patient`: not before its
 * time. */
enum err pending_go_on(
    struct pending *p, bool patient, const _Atomic bool *stop, struct delivery *out) MUST_CHECK;

#endif
