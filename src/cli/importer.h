/* Inside the command line: a file that is imported, piece by piece, with a server or without one.
 *
 *     import.c         the command: what the file is, and what was taken of it
 *     import_pieces.c  cuts the file into pieces that have names
 *     import_server.c  gives pieces to a running server
 *     import_alone.c   takes pieces without a server
 *     lines.c          changes the lines of a piece to NDJSON
 *
 * One thread, but for the end of a batch (import_alone.c), which is on the journal's thread. */
#ifndef CRUMB_SRC_CLI_IMPORTER_H
#define CRUMB_SRC_CLI_IMPORTER_H

#include "crumb/cli/cli.h"
#include "crumb/ingest/applied.h"
#include "crumb/ingest/ingest.h"
#include "crumb/node/node.h"
#include "input.h"
#include "lines.h"

#include <jansson.h>
#include <semaphore.h>
#include <sodium.h>

#define PIECE_BYTES (8u << 20) /* a piece has no more; it ends with a line */

struct importer {
	struct cli *cli;
	/* what was asked for */
	const char *partner; /* whose segments or attributes the lines are; NULL: events */
	const char *form;    /* of the lines, in words */
	bool guessed;	     /* the form, by the first lines */
	bool again, dry;     /* --again, --dry-run */
	/* the file */
	struct input *input;
	struct buf slice; /* whole lines, then the beginning of the next line */
	bool end;	  /* nothing of the file lies behind the slice */
	struct lines lines;
	crypto_generichash_state sum;	/* of what the file is, and all of it before the slice */
	crypto_generichash_state after; /* of the piece at hand, too */
	/* what was taken */
	uint64_t read, accepted, aside;
	uint64_t already;    /* lines that were imported before */
	uint64_t unfinished; /* 1: a last line without its end was left out */
	uint64_t too_long;   /* lines */
	json_t *refused;     /* lines by reason */
	/* import_alone.c: two batches, so that one fills while the other is written */
	struct node node;
	struct ingest ingest;
	struct applied *applied; /* names of pieces; NULL: a server has them */
	struct batch batches[2];
	unsigned turn;	     /* the batch that is filled next */
	sem_t free_batches;  /* posted by the journal's thread */
	_Atomic bool failed; /* a batch could not be written; set by the journal's thread */
};

/* --- import_pieces.c. A function that returns another exit status than EXIT_FINE has said why. */
/* Begins the names of pieces: `what` (NULL: events) and `format` (NULL: none) are a part of
 * each. */
void pieces_begin(struct importer *im, const char *what, const char *format);
/* Reads until the slice has so many bytes, or the file is over. False: err_text() says why. */
bool pieces_fill(struct importer *im, size_t want);
/* Passes over pieces that were imported before. */
int pieces_pass_over(struct importer *im);
/* The next piece, whole lines from the front of the slice. False: the file is over, or *failed. */
bool pieces_next(struct importer *im, struct str *lines, bool *failed);
/* The name of that piece; it sets im->after. */
struct slice_id pieces_name(struct importer *im, struct str lines);
/* Counts refused lines by reason. */
void import_refused(struct importer *im, const char *why, uint64_t n);
/* The piece was taken: drops its bytes from the slice. */
void pieces_consumed(struct importer *im, size_t used, uint64_t lines);

/* --- import_server.c, import_alone.c: import the file; an exit status. */
int import_by_server(struct importer *im);
int import_alone(struct importer *im);

#endif
