/* Formats: how rows for a destination are written, and what the partner answers is read. One file
 * of src/partners is a format, format_NAME.c, with one row in it: what is known of the format, and
 * its functions. Nothing else knows a format by name; FORMATS below lists them
 * (docs/add-a-format.md).
 *
 * An encoder turns items into the bytes of one file or request after the other. It allocates
 * nothing for an item but what its buffers grow by. One thread; rows are constant. */
#ifndef CRUMB_PARTNERS_FORMAT_H
#define CRUMB_PARTNERS_FORMAT_H

#include "crumb/base/buf.h"
#include "crumb/base/clock.h"
#include "crumb/partners/destinations.h"

/* One line for each: NAME of format_NAME. Two formats that share their functions share a file. */
#define FORMATS(X)                                                                                 \
	X(csv)                                                                                     \
	X(ndjson)                                                                                  \
	X(ortb)                                                                                    \
	X(xandr_text)                                                                              \
	X(xandr_avro)                                                                              \
	X(ttd_advertiser)                                                                          \
	X(ttd_thirdparty)                                                                          \
	X(google_bulk)                                                                             \
	X(aam)                                                                                     \
	X(liveramp)                                                                                \
	X(segment)                                                                                 \
	X(stream)                                                                                  \
	X(page)                                                                                    \
	X(file)

/* --- what is written */

enum change { ROW_KEEP, ROW_ADD, ROW_REMOVE };

struct out_segment {
	struct str id, theirs; /* theirs: the partner's name, else the id */
	struct str name;
	long iab; /* row of IAB Audience Taxonomy 1.1; 0: none */
};
struct out_row {
	const struct out_segment *segment;
	enum change change;
	/* First day on which the membership is over; at the partner's cap at the latest. */
	uint16_t until;
};
/* One id with what is to be said of the id. Rows that stay are in the item, too: some formats
 * always say all. */
struct out_item {
	struct str id;
	const struct out_row *rows;
	unsigned n;
	uint16_t purposes;
	bool consent; /* purposes come from a TC string */
};

/* A file that was written. */
#define FORMAT_NAME_MOST 300	 /* of its name, with the zero */
#define FORMAT_BEGINS (4u << 20) /* bytes: so long is the beginning of a file */
struct format_file {
	char name[FORMAT_NAME_MOST];
	char sha256[65], md5[33]; /* hexadecimal; md5 only where the format wants it */
	char begins[65]; /* SHA-256 of its first FORMAT_BEGINS bytes, or of all there are; empty:
			    beside */
	uint64_t rows, lines;
	uint64_t bytes, raw; /* as the file is, and before it was compressed */
};

/* --- what the partner answers with a success */

enum push_verdict {
	PUSH_TAKEN, /* acknowledged, but for the rows in `refused` */
	/* Acknowledged, but the answer does not name the rows that it refused: no row counts as
	 * taken or as refused. */
	PUSH_UNCERTAIN,
	PUSH_LATER, /* try again: no answer, a wrong one, or the partner says so */
	PUSH_NEVER  /* trying again will not help */
};
struct push_answer {
	enum push_verdict verdict;
	uint32_t after_s;   /* LATER: not before so many seconds; 0: the partner does not say */
	struct buf refused; /* lines: id TAB segment or * TAB code TAB message */
	unsigned refused_n;
	char why[300];
};
/* Notes a row that the partner refused; an empty segment is all of the id's. Control bytes become
 * blanks, and what is long is cut. */
void push_refused(struct push_answer *out, struct str id, struct str segment, struct str code,
    struct str message);
void push_answer_done(struct push_answer *a);

/* --- what a file says, without the ids in it */

#define MASK "\xe2\x80\xa2\xe2\x80\xa2\xe2\x80\xa2\xe2\x80\xa2" /* four dots, for an id */

/* Lines of text, each with its end. What is cut off, or is not as the format writes it, is left
 * out. Two lines of one file with the same text are of two ids. */
struct masked {
	struct buf head;  /* what a file begins with; it is about nobody */
	struct buf lines; /* of somebody each, with MASK for the id */
	bool cut;	  /* there are more lines than fit into MASKED_MOST bytes */
};
#define MASKED_MOST (16u << 20)
void masked_done(struct masked *m);

/* --- what is known of a format */

/* When a partner forgets a row that it was told. */
enum format_life {
	LIFE_IN_ROW, /* the row says when it ends, and then the partner forgets it by itself */
	/* When the row is taken back; or so long after it was told as the partner's list is set to,
	 * which is the destination's `ttl`. */
	LIFE_AT_PARTNER
};
/* How a partner is told to take a row back. */
enum format_removal {
	REMOVAL_ROW, /* by a row that says so */
	/* What is said of an id is all that holds: a row that is missing is taken back, and nothing
	 * at all is an empty list. */
	REMOVAL_ITEM,
	/* By a row among changes. What is said as a whole works like ITEM, but cannot say that an
	 * id is in nothing. */
	REMOVAL_CHANGES
};

/* One of `settings:`. Without `words` and `max` it is a text. */
struct format_setting {
	const char *name;
	const char *says;    /* for documents: what it is */
	const char *words;   /* the values that it may have, comma list */
	const char *initial; /* what holds without it, for documents; NULL: nothing */
	long min, max;	     /* of a number; max 0: it is none */
	bool several;	     /* several of `words`, with commas */
	bool required;
	bool in_name; /* it is a part of names of files: it has no '/' and no control characters */
};

#define FORMAT_SETTINGS 8
#define FORMAT_WAYS 3
#define FORMAT_SIGNS 16 /* with the zero */

struct encoder;
struct format {
	/* facts */
	const char *name;   /* in the file of destinations and in manifests: it never changes */
	const char *says;   /* for documents: what is written */
	const char *source; /* where the partner describes it; NULL: it is our own */
	const char *ending; /* of file names; NULL: no files are written, and `item` is not there */
	const char *content_type; /* of a request; NULL: it cannot go by one */
	/* that it can go; the first where the file says none */
	const struct way *ways[FORMAT_WAYS];
	struct format_setting settings[FORMAT_SETTINGS]; /* others are refused */
	uint64_t rows, bytes;  /* of one file or request, at most, as the partner has it; 0: any */
	unsigned ttl_days;     /* longest life of a row at the partner; 0: any */
	unsigned compressions; /* that fit, bit n: compressions[n] */
	bool numbers;	       /* segments have the partner's numbers, which the file must give */
	bool built_in;	       /* a destination of its name is there without being in the file */
	bool md5;	       /* each file's MD5 is wanted by `beside` */
	bool blocks;	       /* items are kept back, and written many at once */
	enum format_life life;
	enum format_removal removal;
	const char *life_says; /* for documents: what is to be known besides; NULL: nothing */

	/* where settings decide; NULL: as the fact says */
	enum format_life (*life_of)(const struct destination *d);
	bool (*numbers_of)(const struct destination *d);
	/* The signs that end a cell or a row, besides control characters: no name of a segment may
	 * have them. NULL: there are none */
	void (*signs)(const struct destination *d, char out[FORMAT_SIGNS]);
	/* What `settings` does not say. ERR_USAGE: they make no sense. NULL: nothing */
	enum err (*check)(const struct destination *d);

	/* writing */
	void (*begin)(struct encoder *e, struct buf *out); /* NULL: a file has no head */
	/* False: the id cannot be written, and nothing was. */
	bool (*item)(struct encoder *e, const struct out_item *item, struct buf *out);
	void (*end)(struct encoder *e, struct buf *out); /* NULL: a file has no end */
	/* Names file `n`, the first is 0, of a delivery of that time; `packed` is its ending when
	 * it is compressed. NULL: DESTINATION_full_TIME_part001.ENDING, or delta */
	void (*file_name)(const struct encoder *e, uint32_t stamp, unsigned n, const char *packed,
	    char out[FORMAT_NAME_MOST]);
	/* What is written beside the files when they are complete: a name and a text. `n` > 0.
	 * NULL: nothing */
	void (*beside)(const struct encoder *e, const struct format_file *files, unsigned n,
	    char name[FORMAT_NAME_MOST], struct buf *out);

	/* Reads the body of an answer with a success; `out` says TAKEN before. NULL: a success
	 * takes everything */
	void (*answered)(struct str answer, struct push_answer *out);

	/* Reads what was written, uncompressed; `bytes` is all of a file, or its beginning. NULL
	 * where no files are written */
	void (*masked)(const struct destination *d, struct str bytes, struct masked *out);
};

#define FORMAT_DECLARED(name) extern const struct format format_##name;
FORMATS(FORMAT_DECLARED)
#undef FORMAT_DECLARED
extern const struct format *const formats[];	   /* NULL behind the last */
const struct format *format_find(struct str name); /* NULL: there is none */
/* Of a destination that need not be in the file; NULL: it must be. */
const struct format *format_built_in(struct str id);

enum format_life format_life(const struct destination *d);
/* Must the file give the partner's number of every segment that goes there? */
bool format_numbered(const struct destination *d);
/* Can it go that way? */
bool format_goes(const struct format *f, const struct way *way);

/* How much a delivery says. */
enum format_extent {
	FORMAT_DELTA, /* what has changed since the partner was told */
	FORMAT_FULL   /* everything */
};
extern const char *const format_extents[]; /* their words, in names of files and manifests */

struct encoder {
	const struct destination *d;
	const struct format *format;
	uint32_t now;
	enum format_extent extent;
	struct str delivery; /* its id */
	uint64_t items;	     /* in this file so far */
	/* the format's own */
	struct buf block; /* what it keeps back */
	uint64_t block_items;
};
/* ERR_USAGE: no files are written for that destination, or its settings make no sense. */
enum err encoder_init(struct encoder *e, const struct destination *d, enum format_extent extent,
    struct str delivery, uint32_t now) MUST_CHECK;
void encoder_done(struct encoder *e);

/* Minutes from now to the beginning of the day; at least one. */
static inline uint32_t format_minutes(uint32_t now, uint16_t until)
{
	uint32_t at = until * (uint32_t)DAY_S;
	return at > now + 60 ? (at - now) / 60 : 1;
}
/* A JSON string with its quotes. */
void format_json(struct buf *out, struct str s);

#endif
