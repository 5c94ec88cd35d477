/* Inside delivery: the folder of one destination, its lock, and its log (delivery/deliver.h lists
 * the files). And small things about files of text and JSON that all of delivery needs.
 *
 * Whoever writes in the folder holds its lock, which is a lock of the file `lock`: between threads
 * of one process as between processes. The functions that need the lock check that it is held. A
 * reader may make a struct outbox by hand, with `lock` -1. An outbox belongs to one thread. */
#ifndef CRUMB_SRC_DELIVERY_OUTBOX_H
#define CRUMB_SRC_DELIVERY_OUTBOX_H

#include "crumb/base/buf.h"
#include "crumb/base/err.h"
#include "crumb/base/file.h"

#include <jansson.h>

#define OUTBOX_PATH (FILE_PATH_MAX + 504) /* a path in the folder */

struct outbox {
	char folder[FILE_PATH_MAX]; /* STORE/exports/DEST */
	int lock;		    /* descriptor of the file that is locked; -1: it is not held */
};

/* Makes the folder and takes the lock. Another who has the lock is waited for so long, then
 * ERR_BUSY. */
enum err outbox_open(
    const char *store, const char *destination, unsigned wait_s, struct outbox *o) MUST_CHECK;
void outbox_close(struct outbox *o);
void outbox_path(const struct outbox *o, const char *name, char out[OUTBOX_PATH]);

/* Appends a line to the log of deliveries; takes the reference to `line`, which may be NULL: there
 * was no memory. */
enum err outbox_log(const struct outbox *o, json_t *line) MUST_CHECK;
/* A line of the log that is about no delivery. */
enum err outbox_log_event(const struct outbox *o, const char *destination, const char *state,
    uint32_t now, const char *why) MUST_CHECK;

/* The whole file; false: it cannot be read. */
bool text_read(const char *path, struct buf *out);
/* Text at the end of a file, on disk when this returns. Complete or not at all, as far as the disk
 * allows. */
enum err text_append(const char *path, struct str text) MUST_CHECK;
const char *json_text(const json_t *o, const char *key); /* "": not there */
uint64_t json_number(const json_t *o, const char *key);	 /* 0: not there */
/* Are all keys of two comma lists there, the first as texts, the second as numbers? */
bool json_has(const json_t *o, const char *texts, const char *numbers);
enum err json_save(const char *path, const json_t *j) MUST_CHECK;

#endif
