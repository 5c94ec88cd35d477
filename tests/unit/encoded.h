/* What a format makes of a delivery: one destination, some ids, their rows. */
#ifndef CRUMB_TESTS_ENCODED_H
#define CRUMB_TESTS_ENCODED_H

#include "unit.h"

#include "crumb/partners/format.h"

#include <stdio.h>

#define NOW (20780u * DAY_S + 43200u) /* 2026-11-23T12:00:00Z */

#define S(text)                                                                                    \
	{                                                                                          \
		(text), sizeof(text) - 1                                                           \
	} /* STR() where only constants may stand */

/* Two segments: the partner calls the first by another name, the second has a row in the taxonomy.
 */
static const struct out_segment coats = {S("coats"), S("101"), S("Coats"), 0},
				boots = {S("boots"), S("102"), S("Boots"), 77};

#define SETTINGS(...)                                                                              \
	.settings = (struct setting[]){__VA_ARGS__},                                               \
	.settings_n = sizeof((struct setting[]){__VA_ARGS__}) / sizeof(struct setting)

/* A row that begins, one that stays, one that ends. */
#define ADD(s, days)                                                                               \
	{                                                                                          \
		&s, ROW_ADD, 20780 + (days)                                                        \
	}
#define KEEP(s, days)                                                                              \
	{                                                                                          \
		&s, ROW_KEEP, 20780 + (days)                                                       \
	}
#define REMOVE(s)                                                                                  \
	{                                                                                          \
		&s, ROW_REMOVE, 20780                                                              \
	}

#define ITEM(id_, ...)                                                                             \
	{                                                                                          \
		.id = STR(id_), .rows = (const struct out_row[]){__VA_ARGS__},                     \
		.n = sizeof((const struct out_row[]){__VA_ARGS__}) / sizeof(struct out_row)        \
	}

/* The bytes of one file; *refused counts items that cannot be written. Lives until the next call.
 */
static inline struct str encoded(const struct destination *d, enum format_extent extent,
    const struct out_item *items, size_t n, unsigned *refused)
{
	static struct buf out;
	struct encoder e;
	unsigned no = 0;
	buf_clear(&out);
	if (encoder_init(&e, d, extent, STR("delivery-1"), NOW) != OK)
		fail_msg("%s", err_text());
	if (e.format->begin)
		e.format->begin(&e, &out);
	for (size_t i = 0; i < n; i++) {
		size_t before = out.n;
		bool fine = e.format->item(&e, &items[i], &out);
		if (!fine)
			assert_int_equal(out.n, before); /* nothing was written */
		no += !fine;
		e.items += fine;
	}
	if (e.format->end)
		e.format->end(&e, &out);
	assert_false(out.failed);
	encoder_done(&e);
	if (refused)
		*refused = no;
	return buf_view(&out);
}

#define ENCODED(d, extent, ...)                                                                    \
	encoded(d, extent, (const struct out_item[]){__VA_ARGS__},                                   \
	    sizeof((const struct out_item[]){__VA_ARGS__}) / sizeof(struct out_item), NULL)

#define IS(got, want)                                                                              \
	do {                                                                                       \
		struct str got_ = got;                                                             \
		if (!str_eq(got_, str_c(want)))                                                    \
			fail_msg("%.*s\nis not\n%s", (int)got_.n, got_.p, want);                   \
	} while (0)

/* What becomes of an answer. The list of refused rows goes to `refused`. */
static inline enum push_verdict verdict(
    const struct format *f, struct str answer, const char **refused)
{
	static char text[1000];
	struct push_answer a = {.verdict = PUSH_TAKEN};
	f->answered(answer, &a);
	snprintf(text, sizeof text, "%.*s", (int)a.refused.n, a.refused.n ? a.refused.p : "");
	if (refused)
		*refused = text;
	push_answer_done(&a);
	return a.verdict;
}

#endif
