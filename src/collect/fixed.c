/* Four fixed answers: the tag and its assistant, the GPC declaration, robots.txt. Each is made
 * once, plain and packed by gzip, and named by a hash of its bytes as a strong entity tag. All
 * count as changed when this was made. */
#include "crumb/collect/fixed.h"

#include "crumb/collect/collecting.h"

#include "crumb/base/clock.h"
#include "crumb/base/code.h"
#include "crumb/http/coding.h"
#include "crumb/http/condition.h"

#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

/* Made at build from tags/crumb.js and tags/crumb-debug.js. */
extern const char tag_js[], tag_debug_js[];
extern const unsigned long tag_js_n;

#define KEPT "utm_campaign" /* in the tag: the keys of a query that make another page */
#define PACKED_LEAST 256    /* bytes: a shorter text is not compressed */
#define ETAG_HASH 8	    /* bytes of the hash that are in an entity tag */
#define PAGES 4

struct form {
	struct buf bytes;
	char etag[2 + 2 * ETAG_HASH + 1]; /* with its quotes */
};

struct fixed {
	int64_t made;
	char date[HTTP_DATE_TEXT];
	struct form forms[PAGES][2]; /* by page: plain, and gzip if that is worth it */
};

#define SCRIPT                                                                                     \
	"text/javascript; charset=utf-8", "Cache-Control: public, max-age=3600\r\n"                \
					  "Access-Control-Allow-Origin: *\r\n" COLLECT_CROSS

static const struct page {
	const char *path, *type, *headers, *text; /* NULL: the tag */
} pages[PAGES] = {
    {"/crumb.js", SCRIPT, NULL},
    {"/crumb-debug.js", SCRIPT, tag_debug_js},
    {"/.well-known/gpc.json", "application/json", "Cache-Control: public, max-age=86400\r\n",
	"{\"gpc\":true,\"lastUpdate\":\"2026-11-23\"}\n"},
    {"/robots.txt", "text/plain", "Cache-Control: public, max-age=86400\r\n",
	"User-agent: *\nDisallow: /\n"},
};

/* The tag, with the names of `privacy.keep_query` behind the one that is always kept. Only what is
 * a plain name goes into the script. */
static void tag_text(const struct config *c, struct buf *out)
{
	const char *at = memmem(tag_js, tag_js_n, KEPT, sizeof KEPT - 1);
	CHECK(at);
	size_t before = (size_t)(at - tag_js) + sizeof KEPT - 1;
	struct str rest = str_c(c->keep_query), name;
	buf_add(out, tag_js, before);
	while (rest.n && str_cut(&rest, ',', &name)) {
		bool fits = (name = str_trim(name)).n > 0;
		for (size_t i = 0; i < name.n; i++)
			fits &= chr_alpha(name.p[i]) || chr_digit(name.p[i]) || name.p[i] == '_';
		if (!fits)
			continue;
		buf_c(out, ",");
		buf_str(out, name);
	}
	buf_add(out, tag_js + before, tag_js_n - before);
}

static void pack(struct str text, struct buf *out)
{
	z_stream z = {.next_in = (Bytef *)(uintptr_t)text.p, .avail_in = (uInt)text.n};
	if (deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED, MAX_WBITS + 16, MAX_MEM_LEVEL,
		Z_DEFAULT_STRATEGY) != Z_OK) {
		out->failed = true;
		return;
	}
	size_t most = deflateBound(&z, text.n);
	if (buf_reserve(out, most)) {
		z.next_out = (Bytef *)out->p;
		z.avail_out = (uInt)most;
		CHECK(deflate(&z, Z_FINISH) == Z_STREAM_END);
		out->n = most - z.avail_out;
	}
	deflateEnd(&z);
}

static void name_form(struct form *f)
{
	struct hash16 h = hash_content(buf_view(&f->bytes));
	f->etag[0] = f->etag[1 + 2 * ETAG_HASH] = '"';
	hex_encode(h.b, ETAG_HASH, f->etag + 1);
}

struct fixed *fixed_new(const struct config *c)
{
	struct fixed *f = calloc(1, sizeof *f);
	bool failed = !f;
	if (!f)
		return NULL;
	f->made = clock_now();
	http_date_write(f->made, f->date);
	for (size_t i = 0; i < PAGES; i++) {
		struct form *plain = &f->forms[i][0], *packed = &f->forms[i][1];
		if (pages[i].text)
			buf_c(&plain->bytes, pages[i].text);
		else
			tag_text(c, &plain->bytes);
		if (plain->bytes.n >= PACKED_LEAST)
			pack(buf_view(&plain->bytes), &packed->bytes);
		failed |= plain->bytes.failed || packed->bytes.failed;
		name_form(plain);
		name_form(packed);
	}
	if (!failed)
		return f;
	fixed_free(f);
	return NULL;
}

void fixed_free(struct fixed *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < PAGES; i++) {
		buf_done(&f->forms[i][0].bytes);
		buf_done(&f->forms[i][1].bytes);
	}
	free(f);
}

void fixed_answer(const struct fixed *f, struct http_request *r)
{
	char headers[512];
	size_t i = 0;
	while (!str_eq(str_c(pages[i].path), r->path))
		CHECK(++i < PAGES);
	const struct page *page = &pages[i];
	bool two = f->forms[i][1].bytes.n > 0;
	enum coding coding = two ? coding_wanted(r->header[H_ACCEPT_ENCODING]) : CODING_IDENTITY;
	if (coding == CODING_UNKNOWN) {
		http_reply(r->ticket, 406, "text/plain", STR("Vary: Accept-Encoding\r\n"),
		    STR("this comes plain or as gzip\n"));
		return;
	}
	const struct form *form = &f->forms[i][coding == CODING_GZIP];
	int status = condition_of(r, str_c(form->etag), f->made);
	if (status == 412) {
		http_reply(r->ticket, 412, "text/plain", STR("Cache-Control: no-store\r\n"),
		    STR("this has changed\n"));
		return;
	}
	/* a 304 has the entity tag, and neither the coding nor the date */
	bool whole = status == 200;
	size_t n = (size_t)snprintf(headers, sizeof headers,
	    "ETag: %s\r\n%s%sX-Content-Type-Options: nosniff\r\n", form->etag, page->headers,
	    two ? "Vary: Accept-Encoding\r\n" : "");
	if (whole)
		n += (size_t)snprintf(headers + n, sizeof headers - n, "%sLast-Modified: %s\r\n",
		    coding == CODING_GZIP ? "Content-Encoding: gzip\r\n" : "", f->date);
	http_reply(r->ticket, status, page->type, str_make(headers, n),
	    whole ? buf_view(&form->bytes) : STR(""));
}
