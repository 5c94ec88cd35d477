/* Inside delivery: the folder of one destination, and a delivery of it that is under way. */
#ifndef CRUMB_SRC_DELIVERY_PENDING_H
#define CRUMB_SRC_DELIVERY_PENDING_H

#include "crumb/base/map.h"
#include "crumb/delivery/deliver.h"

#include <jansson.h>

#define OUTBOX_PATH 4600
#define PENDING_PATH (OUTBOX_PATH + 500)

struct outbox {
	char folder[4096]; /* STORE/exports/DEST */
	int lock;
};

/* Takes the lock; another who has it is waited for so long. */
enum err outbox_open(
    const char *store, const char *destination, unsigned wait_s, struct outbox *o) MUST_CHECK;
void outbox_close(struct outbox *o);
void outbox_path(const struct outbox *o, const char *name, char out[OUTBOX_PATH]);

/* A line of the log that is about no delivery. */
enum err outbox_log(const struct outbox *o, const char *destination, const char *state,
    uint32_t now, const char *why) MUST_CHECK;

/* --- damage (ledger.c) */
/* A damaged ledger is set aside and made anew from the one before and the rows of what is under
 * way: all of it may be at the partner. */
enum err ledger_mend(const struct outbox *o, const char *destination, uint32_t now) MUST_CHECK;
enum err ledger_drop_pending(
    const struct outbox *o, const char *destination, uint32_t now) MUST_CHECK;

/* --- small things */
bool text_read(const char *path, struct buf *out);
const char *json_text(const json_t *o, const char *key); /* "": not there */
uint64_t json_number(const json_t *o, const char *key);
/* Are all keys of two comma lists there, the first as texts, the second as numbers? */
bool json_has(const json_t *o, const char *texts, const char *numbers);
enum err json_save(const char *path, const json_t *j) MUST_CHECK;

struct pending {
	struct outbox *place;
	const struct destination *d;
	json_t *manifest;
	char folder[OUTBOX_PATH];
	unsigned files;
	bool *finished, *acked;
	unsigned *sent; /* how often */
	unsigned attempts;
	uint32_t next_try, now;
	struct buf refused; /* the text of `refused`, whose lines `refused_keys` names */
	struct map refused_keys;
	struct buf keys;
	uint64_t refused_n;
	void (*progress)(const char *what, uint64_t done); /* NULL: nobody looks */
};

/* ERR_NOT_FOUND: nothing is under way. ERR_CORRUPT: what is there is not what was written. */
enum err pending_open(
    struct outbox *o, const struct destination *d, uint32_t now, struct pending *p) MUST_CHECK;
bool pending_rows_sound(const struct pending *p);
uint16_t pending_day(const struct pending *p); /* on which it was made */
void pending_free(struct pending *p);
/* Sends what nobody has acknowledged, and ends the delivery if it can. `patient`: not before its
 * time. */
enum err pending_go_on(
    struct pending *p, bool patient, const _Atomic bool *stop, struct delivery *out) MUST_CHECK;
/* What was acknowledged becomes what is held; the rest is put aside. May be done twice. */
enum err pending_finish(struct pending *p, enum delivery_state state, const char *why) MUST_CHECK;

#endif
