/* Ways: how what is written for a destination gets there, and how it may be packed. One row each,
 * in src/partners/ways.c; a format says which ways are its own (partners/format.h). What a way does
 * is delivery's (send.c, push.c, stream.c), collect's (segments.c) and the command line's. All
 * of it is constant. */
#ifndef CRUMB_PARTNERS_WAY_H
#define CRUMB_PARTNERS_WAY_H

#include "crumb/base/str.h"

/* How a file is packed: a row of compressions[] each. */
enum compression { COMPRESS_NONE, COMPRESS_GZ, COMPRESS_ZSTD, COMPRESSIONS };
#define COMPRESS_ANY (1u << COMPRESS_NONE | 1u << COMPRESS_GZ | 1u << COMPRESS_ZSTD)

struct compression_row {
	const char *name;   /* as the file of destinations has it */
	const char *ending; /* behind the name of a file */
	const char *coding; /* Content-Encoding of a request; NULL: there is none */
};
extern const struct compression_row compressions[COMPRESSIONS];
/* COMPRESSIONS: there is none of that name. */
enum compression compression_find(struct str name);

/* What stands behind its key in `deliver:`. */
enum where {
	WHERE_NONE, /* nothing: whoever wants it asks */
	WHERE_FOLDER,
	WHERE_URL
};

struct way {
	const char *name; /* as `crumb destinations list` tells it */
	const char *key;  /* in `deliver:`; NULL: the format is the way */
	const char *says; /* a sentence for documents */
	enum where where;
	unsigned compressions; /* bit n: compressions[n] */
	uint64_t bytes;	       /* of one file or request, where nobody says; 0: any */
	bool own_ids;	       /* it speaks of visitors by our pseudonyms alone */
};

/* One line for each. */
#define WAYS(X) X(directory) X(https) X(stream) X(page) X(file)

#define WAY_DECLARED(name) extern const struct way way_##name;
WAYS(WAY_DECLARED)
#undef WAY_DECLARED
extern const struct way *const ways[]; /* NULL behind the last */

#endif
