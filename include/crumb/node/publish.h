/* Publishing rules: one file of rules is replaced, the server takes the rules, and the history
 * keeps what was before.
 *
 *     lock ─► stale? ─► check ─► history: begun ─► file replaced ─► reload ─► history: done
 *               │         │            │                │              │
 *               └─────────┴── nothing was changed ──────┴── put back ──┘
 *
 * Undo publishes what was before the newest publication, as a publication of its own; so undo once
 * more is redo. It is refused when the files are no longer as that publication left them.
 *
 * Any thread; the lock of the rules (load/put.h) lets one publish at a time, in whatever process.
 */
#ifndef CRUMB_NODE_PUBLISH_H
#define CRUMB_NODE_PUBLISH_H

#include "crumb/core/config.h"
#include "crumb/load/put.h"
#include "crumb/views/view.h"
#include "crumb/yaml/report.h"

struct publishing {
	const struct config *config;
	const char *who, *role; /* for the history */
	struct str why;		/* UTF-8; cut behind 500 bytes */
	/* what serves, for the sizes of segments; NULL: no server runs */
	struct generation *serving;
	struct rules *newest; /* that were read last; with `serving` */
	const struct kgate *gate;
	bool serves; /* the newest rules serve */
	/* Has the server read the rules again. */
	enum err (*reload)(void *arg);
	void *arg;
};

enum outcome {
	PUBLISHED,
	PUBLISH_STALE,	 /* somebody was faster, or files were changed by hand */
	PUBLISH_REFUSED, /* the rules have mistakes */
	PUBLISH_CLOSED,	 /* the files cannot be written here */
	PUBLISH_NOTHING	 /* there is nothing to publish, or to undo */
};

struct published {
	enum outcome outcome;
	char why[500]; /* in words, unless it was published */
	unsigned n;
	char file[256];
	char hash[RULE_FILES_HASH]; /* of all files afterwards */
	struct report report;	    /* mistakes, and warnings */
	struct buf patch;	    /* what changes, or would */
};
void published_end(struct published *p);

/* Can rules be published by this server? False: `why` says what to do. */
bool publish_editable(const struct config *c, char why[500]);
/* Publishes a file. `match`: the hash of all files that it was made of. An error is a failure of
 * the system; all else is an outcome. published_end() in any case. */
enum err publish_file(const struct publishing *p, struct str name, struct str text,
    struct str match, struct published *out) MUST_CHECK;
enum err publish_undo(const struct publishing *p, struct published *out) MUST_CHECK;
/* Where publish_editable() is false: changes nothing. PUBLISH_CLOSED with the patch that would undo
 * the newest publication, or the outcome that says why there is nothing to undo. */
enum err publish_undo_patch(const struct publishing *p, struct published *out) MUST_CHECK;
/* Writes the sizes of the newest publication's segments down, when its rules serve and that was not
 * done. */
void publish_note_sizes(const struct publishing *p);

#endif
