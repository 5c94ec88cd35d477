/* JSON becomes hits, in one pass and without a tree, by yajl's callbacks. The keys are names of
 * privacy/hit_rows.h; values may be texts, numbers or truth values.
 *
 * Depths: with `event_depth` 1 the text is an object, with 2 an array of objects.
 *
 *	[ { "e": "view", "a": { "size": "42" }, "gpp_sid": [2, 6], "x": { … } } ]
 *	1 2                   3                           3               3
 *
 * At event_depth keys are looked up (take_key()). One level deeper is the object of a list
 * (`in_attrs`), the array of sections (`in_sections`), or something that is none of ours and passed
 * over.
 *
 * Values that yajl has unescaped are copied to the scratch, all others are views of the text. The
 * scratch is as long as the text, so it never moves while views point into it. */
#include "crumb/ingest/ingest.h"

#include "crumb/base/memory.h"
#include "crumb/base/number.h"
#include "crumb/privacy/hit_read.h"

#include <malloc.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdlib.h>
#include <yajl/yajl_parse.h>

#define KEYS_MOST 96	      /* of an event */
#define ATTRS_MOST 48	      /* in the object of a list */
#define ROOM_FOR_NUMBERS 4096 /* bytes: KEYS_MOST + ATTRS_MOST numbers, written anew */

struct pass {
	struct json_reader *r;
	struct str text; /* all that is read */
	unsigned depth, event_depth, keys, attrs;
	bool in_attrs;	     /* in the object that is a list */
	bool in_sections;    /* in the array of sections */
	struct str sections; /* read so far, with commas between them */
	/* of the key before the value */
	const struct hit_row *row; /* NULL: we do not know the key */
	bool object;		   /* the key means the whole list: the value must be an object */
	struct str name;	   /* of an item of a list */
};

/* --- memory that held parts of a request is wiped when it is freed */

/* yajl does not look whether it got the memory that it asked for. So all that it has is listed, and
 * without memory the reading ends by a jump over yajl's own functions, which frees the list. */
struct piece {
	struct piece *next, *prev;
	_Alignas(max_align_t) char bytes[];
};

struct memory {
	jmp_buf out;
	struct piece *first;
};

static void *piece_take(void *ctx, size_t n)
{
	struct memory *m = ctx;
	struct piece *p = malloc(sizeof *p + n);
	if (!p) {
		memory_none();
		longjmp(m->out, 1);
	}
	p->prev = NULL;
	p->next = m->first;
	if (m->first)
		m->first->prev = p;
	m->first = p;
	return p->bytes;
}

static void piece_wipe(void *ctx, void *bytes)
{
	struct memory *m = ctx;
	if (!bytes)
		return;
	struct piece *p = (struct piece *)(void *)((char *)bytes - offsetof(struct piece, bytes));
	if (p->prev)
		p->prev->next = p->next;
	else
		m->first = p->next;
	if (p->next)
		p->next->prev = p->prev;
	explicit_bzero(p, malloc_usable_size(p));
	free(p);
}

static void *piece_grow(void *ctx, void *bytes, size_t n)
{
	void *q = piece_take(ctx, n);
	if (bytes) {
		size_t had = malloc_usable_size((char *)bytes - offsetof(struct piece, bytes)) -
			     offsetof(struct piece, bytes);
		memcpy(q, bytes, had < n ? had : n);
		piece_wipe(ctx, bytes);
	}
	return q;
}

static void clear(struct buf *b)
{
	if (b->n)
		memset(b->p, 0, b->n);
	buf_clear(b);
}

/* --- values */

/* A view that lasts as long as the event: of the text itself, or of a copy in the scratch. */
static struct str keep(struct pass *p, struct str s)
{
	struct buf *b = p->r->scratch;
	if (s.n == 0 || (s.p >= p->text.p && s.p + s.n <= p->text.p + p->text.n))
		return s;
	CHECK(b->cap - b->n >= s.n); /* json_read() has made room: nothing moves */
	memcpy(b->p + b->n, s.p, s.n);
	b->n += s.n;
	return str_make(b->p + b->n - s.n, s.n);
}

/* Ids of 19 digits and more come as numbers, too. They stay the digits that they are, for a double
 * would change them. */
static bool is_integer(struct str s)
{
	return s.n <= 64 && !memchr(s.p, '.', s.n) && !memchr(s.p, 'e', s.n) &&
	       !memchr(s.p, 'E', s.n);
}

static bool item(struct pass *p, struct str value)
{
	p->r->dropped += !hit_take_item(p->r->hit, p->row, p->name, value);
	return true;
}

/* An item of gpp_sid, which in JSON is an array of integers (OpenRTB 2.6, Regs). Anything else in
 * it becomes "?", which the consent gate cannot read. */
static bool section(struct pass *p, struct str s, bool number)
{
	struct buf *b = p->r->scratch;
	s = number && is_integer(s) ? s : STR("?");
	CHECK(b->cap - b->n > s.n); /* as in keep() */
	if (p->sections.n)
		b->p[b->n++] = ',';
	else
		p->sections.p = b->p + b->n;
	memcpy(b->p + b->n, s.p, s.n);
	b->n += s.n;
	p->sections.n = (size_t)(b->p + b->n - p->sections.p);
	return true;
}

enum form { FORM_STRING, FORM_NUMBER, FORM_TRUTH, FORM_NULL };

/* Any value but objects and arrays. False ends the reading: the text is not of events. */
static bool value(struct pass *p, struct str s, enum form form)
{
	struct json_reader *r = p->r;
	struct hit *h = r->hit;
	if (p->in_sections)
		return section(p, s, form == FORM_NUMBER || form == FORM_STRING);
	if (p->depth == p->event_depth + 1 && p->in_attrs)
		return item(p, keep(p, s));
	if (p->depth < p->event_depth || p->event_depth == 0)
		return false; /* a value that stands for an event */
	if (p->depth > p->event_depth)
		return true; /* inside something that is none of ours */
	if (!p->row)
		return true;
	switch (p->row->kind) {
	case HIT_IS_TEXT:
		*hit_text_at(h, p->row) = keep(p, s);
		return true;
	case HIT_IS_STRING:
	case HIT_IS_SECTIONS:
		consent_take_string(hit_text_at(h, p->row), keep(p, s));
		return true;
	case HIT_IS_FLAG:
		hit_take_flag(h, p->row, s);
		return true;
	case HIT_IS_NUMBER: /* a truth value is no number */
		r->dropped += !hit_take_number(h, p->row, form == FORM_TRUTH ? STR("-") : s);
		return true;
	case HIT_IS_LIST:
		return !p->object && item(p, keep(p, s));
	case HIT_IS_CATEGORIES:
		return true;
	case HIT_IS_ID:
		r->id = form == FORM_STRING || (form == FORM_NUMBER && is_integer(s))
			    ? keep(p, s)
			    : str_make("", 0);
		return true;
	case HIT_IS_COOKIE:
		r->cookie = form == FORM_STRING ? keep(p, s) : str_make("", 0);
		r->has_cookie = form == FORM_STRING;
		return true;
	case HIT_IS_TIME:
		r->time = keep(p, s);
		r->has_time = true;
		r->time_number = form == FORM_NUMBER;
		return form == FORM_STRING || form == FORM_NUMBER;
	case HIT_IS_ADDRESS:
		r->ip = keep(p, s);
		return true;
	case HIT_IS_AGENT:
		h->agent = keep(p, s);
		return true;
	case HIT_IS_SOURCE:
		r->source = keep(p, s);
		return true;
	case HIT_KINDS:
		break;
	}
	return true;
}

/* --- what the parser calls */

static int on_null(void *ctx)
{
	return value(ctx, STR(""), FORM_NULL);
}

static int on_truth(void *ctx, int yes)
{
	return value(ctx, yes ? STR("true") : STR("false"), FORM_TRUTH);
}

static int on_number(void *ctx, const char *s, size_t n)
{
	char text[32];
	double v;
	struct str number = str_make(s, n);
	if (is_integer(number))
		return value(ctx, number, FORM_NUMBER);
	if (!number_read(number, &v)) /* beyond a double: as it came; who wants a number drops it */
		return value(ctx, number, FORM_NUMBER);
	return value(
	    ctx, str_make(text, (size_t)snprintf(text, sizeof text, "%.15g", v)), FORM_NUMBER);
}

static int on_string(void *ctx, const unsigned char *s, size_t n)
{
	return value(ctx, str_make((const char *)s, n), FORM_STRING);
}

/* An object begins: an event, the object of a list, or something that is none of ours. Where a
 * value of ours should be, an object ends the reading. */
static int on_map(void *ctx)
{
	struct pass *p = ctx;
	struct json_reader *r = p->r;
	if (p->in_sections)
		return 0;
	if (p->event_depth == 0)
		p->event_depth = 1;
	p->depth++;
	if (p->depth == p->event_depth) {
		clear(r->scratch);
		r->id = r->cookie = r->time = r->ip = r->source = str_make("", 0);
		r->has_cookie = r->has_time = r->time_number = false;
		r->dropped = 0;
		p->keys = p->attrs = 0;
		r->begin(r->arg, r->hit);
		return 1;
	}
	if (p->depth == p->event_depth + 1) {
		p->in_attrs = p->object;
		return p->in_attrs || !p->row;
	}
	return !(p->in_attrs && p->depth == p->event_depth + 2);
}

static int on_map_end(void *ctx)
{
	struct pass *p = ctx;
	if (p->depth-- == p->event_depth) {
		p->r->events++;
		return p->r->event(p->r->arg, p->r);
	}
	if (p->depth == p->event_depth)
		p->in_attrs = false;
	return 1;
}

/* An array begins: of events, of sections, or something that is none of ours. */
static int on_array(void *ctx)
{
	struct pass *p = ctx;
	if (p->event_depth == 0)
		p->event_depth = 2;
	else if (p->depth == p->event_depth && p->row && p->row->kind == HIT_IS_SECTIONS)
		p->in_sections = true;
	else if (p->depth < p->event_depth || (p->depth == p->event_depth && p->row) ||
		 p->in_attrs || p->in_sections)
		return 0;
	p->depth++;
	return 1;
}

static int on_array_end(void *ctx)
{
	struct pass *p = ctx;
	p->depth--;
	if (p->in_sections) {
		consent_take_string(hit_text_at(p->r->hit, p->row), p->sections);
		p->in_sections = false;
		p->sections.n = 0;
	}
	return 1;
}

/* Looks up a key of an event: a parameter, an item of a list by its prefix, or a whole list. */
static void take_key(struct pass *p, struct str k)
{
	p->row = p->r->import ? hit_row_imported(k) : hit_row_named(k);
	p->object = false;
	if (!p->row)
		p->object = (p->row = hit_row_of_object(k)) != NULL;
	else if (p->row->kind == HIT_IS_LIST)
		p->name = keep(p, str_skip(k, strlen(p->row->name)));
}

static int on_key(void *ctx, const unsigned char *s, size_t n)
{
	struct pass *p = ctx;
	struct str k = str_make((const char *)s, n);
	if (p->depth == p->event_depth) {
		take_key(p, k);
		return ++p->keys <= KEYS_MOST;
	}
	if (p->in_attrs) {
		p->name = keep(p, k);
		return ++p->attrs <= ATTRS_MOST;
	}
	return 1;
}

/* After the jump only m->first is looked at, which lies in memory and is not a local variable that
 * setjmp() could lose. */
static bool read_all(struct pass *p, struct memory *m)
{
	static const yajl_callbacks callbacks = {.yajl_null = on_null,
	    .yajl_boolean = on_truth,
	    .yajl_number = on_number,
	    .yajl_string = on_string,
	    .yajl_start_map = on_map,
	    .yajl_map_key = on_key,
	    .yajl_end_map = on_map_end,
	    .yajl_start_array = on_array,
	    .yajl_end_array = on_array_end};
	yajl_alloc_funcs memory = {piece_take, piece_grow, piece_wipe, m};
	if (setjmp(m->out) != 0) {
		while (m->first)
			piece_wipe(m, m->first->bytes);
		return false;
	}
	yajl_handle y = yajl_alloc(&callbacks, &memory, p);
	bool ok = yajl_parse(y, (const unsigned char *)p->text.p, p->text.n) == yajl_status_ok &&
		  yajl_complete_parse(y) == yajl_status_ok;
	yajl_free(y);
	return ok;
}

bool json_read(struct json_reader *r, struct str text)
{
	struct pass p = {.r = r, .text = text};
	struct memory m;
	m.first = NULL;
	r->events = 0;
	clear(r->scratch);
	if (!buf_reserve(r->scratch, text.n + ROOM_FOR_NUMBERS)) {
		memory_none();
		return false;
	}
	return read_all(&p, &m) && p.event_depth;
}
