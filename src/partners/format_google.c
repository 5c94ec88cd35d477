/* The google-bulk format: UpdateUsersDataRequest
 * (developers.google.com/authorized-buyers/rtb/bulk-uploader, cookie-bulk-upload-proto), in
 * protocol buffers that are written and read by hand: one message of a few fields.
 *
 *     request     ops = 1, one message a change      answer     status = 1
 *                 process_consent = 3                           errors = 2, one message a row
 *     a change    user_id = 1, user_list_id = 4,     an error   user_list_id = 2, user_id = 3,
 *                 time_added = 5, delete = 6,                   code = 4
 *                 data_source_id = 7, id_type = 14
 *
 * A field is a varint of (number << 3 | kind), kind 0 a number, kind 2 a length with so many bytes.
 */
#include "formats.h"

#include <stdio.h>

static void pb_number(struct buf *out, unsigned field, uint64_t v)
{
	format_varint(out, field << 3);
	format_varint(out, v);
}

static void pb_text(struct buf *out, unsigned field, struct str s)
{
	format_varint(out, field << 3 | 2);
	format_varint(out, s.n);
	buf_str(out, s);
}

#define GOOGLE_USER_ID 0
#define PARTNER_PROVIDED_ID 4
#define ID_TYPES                                                                                   \
	"GOOGLE_USER_ID,IDFA,ANDROID_ADVERTISING_ID,PARTNER_PROVIDED_ID,RIDA,AFAI,MSAI,GENERIC_"   \
	"DEVICE_ID"

/* The number of the setting; without it a partner's ids are Google's own, and ours are the
 * publisher's. */
static uint64_t id_type(const struct destination *d)
{
	static const uint8_t numbers[] = {0, 1, 2, 4, 5, 6, 7, 9}; /* as ID_TYPES has them */
	struct str given = setting_get(d->settings, d->settings_n, "id_type"), rest = STR(ID_TYPES),
		   word;
	for (size_t i = 0; given.n && i < sizeof numbers && str_cut(&rest, ',', &word); i++)
		if (str_eq(given, word))
			return numbers[i];
	return d->partner < 0 ? PARTNER_PROVIDED_ID : GOOGLE_USER_ID;
}

static bool google_item(struct encoder *e, const struct out_item *item, struct buf *out)
{
	uint64_t list, source = 0;
	str_u64(setting_of(e, "data_source_id"), &source);
	for (unsigned i = 0; i < item->n; i++) {
		const struct out_row *r = &item->rows[i];
		if (r->change == ROW_KEEP || !str_u64(r->segment->theirs, &list))
			continue;
		buf_clear(&e->block);
		pb_text(&e->block, 1, item->id);
		pb_number(&e->block, 4, list);
		if (r->change == ROW_ADD)
			pb_number(&e->block, 5, e->now);
		pb_number(&e->block, 6, r->change == ROW_REMOVE);
		if (source)
			pb_number(&e->block, 7, source);
		pb_number(&e->block, 14, id_type(e->d));
		pb_text(out, 1, buf_view(&e->block));
	}
	return true;
}

/* process_consent: only what may be sent is in here; without it the request is filtered. */
static void google_end(struct encoder *e, struct buf *out)
{
	(void)e;
	pb_number(out, 3, 1);
}

/* --- the answer: UpdateUsersDataResponse */

struct pb {
	const uint8_t *p, *end;
	bool bad; /* this is no message; sticky */
};

/* Seven bits a byte, the lowest first; the high bit says that more follow. */
static uint64_t pb_varint(struct pb *b)
{
	uint64_t v = 0;
	for (unsigned shift = 0; b->p < b->end && shift < 64; shift += 7) {
		uint8_t c = *b->p++;
		v |= (uint64_t)(c & 0x7f) << shift;
		if (!(c & 0x80))
			return v;
	}
	b->bad = true;
	return 0;
}

/* The next field: its number, and its value as a number or as bytes. */
static bool pb_field(struct pb *b, unsigned *field, uint64_t *number, struct str *bytes)
{
	if (b->bad || b->p >= b->end)
		return false;
	uint64_t tag = pb_varint(b);
	*field = (unsigned)(tag >> 3);
	*bytes = STR("");
	*number = 0;
	size_t left = (size_t)(b->end - b->p), skip = 0;
	switch (tag & 7) {
	case 0:
		*number = pb_varint(b);
		break;
	case 1:
		skip = 8;
		break;
	case 2:
		skip = (size_t)pb_varint(b);
		left = (size_t)(b->end - b->p);
		if (!b->bad && skip <= left)
			*bytes = str_make((const char *)b->p, skip);
		break;
	case 5:
		skip = 4;
		break;
	default:
		b->bad = true;
	}
	if (skip > left)
		b->bad = true;
	else
		b->p += skip;
	return !b->bad;
}

/* One row that was not taken. An error that names no id says nothing of any row. */
static void google_error(struct str message, struct push_answer *out)
{
	struct pb b = {(const uint8_t *)message.p, (const uint8_t *)message.p + message.n, false};
	unsigned field;
	uint64_t n, code = 0, list = 0;
	struct str bytes, id = STR("");
	char list_text[24], code_text[24];
	while (pb_field(&b, &field, &n, &bytes)) {
		if (field == 2)
			list = n;
		else if (field == 3)
			id = bytes;
		else if (field == 4)
			code = n;
	}
	snprintf(list_text, sizeof list_text, "%llu", (unsigned long long)list);
	snprintf(code_text, sizeof code_text, "%llu", (unsigned long long)code);
	if (b.bad || !id.n)
		out->verdict = PUSH_UNCERTAIN;
	else
		push_refused(out, id, list ? str_c(list_text) : STR(""), str_c(code_text), STR(""));
}

#define GOOGLE_NO_ERROR 0
#define GOOGLE_PARTIAL 1
#define GOOGLE_INTERNAL 10

/* The status is of the whole: all was taken; some was not, as the errors say; Google failed, and is
 * to be asked again; anything else is wrong with the request, and will be wrong again. */
static void google_answered(struct str answer, struct push_answer *out)
{
	const uint8_t *at = (const uint8_t *)(answer.n ? answer.p : "");
	struct pb b = {at, at + answer.n, false};
	unsigned field;
	uint64_t n, status = GOOGLE_NO_ERROR;
	struct str bytes;
	out->verdict = PUSH_TAKEN;
	while (pb_field(&b, &field, &n, &bytes)) {
		if (field == 1)
			status = n;
		else if (field == 2)
			google_error(bytes, out);
	}
	if (b.bad || status == GOOGLE_INTERNAL)
		out->verdict = PUSH_LATER;
	else if (status != GOOGLE_NO_ERROR && status != GOOGLE_PARTIAL)
		out->verdict = PUSH_NEVER;
	else if (status == GOOGLE_PARTIAL && !out->refused_n)
		out->verdict = PUSH_UNCERTAIN;
	snprintf(out->why, sizeof out->why,
	    b.bad ? "the answer is no UpdateUsersDataResponse" : "Google's status %llu",
	    (unsigned long long)status);
}

/* --- a request, read back */

/* The fields of a change by their names, as protocol buffers are written as text. */
static void google_change(struct str message, struct masked *out)
{
	static const char *const names[] = {[4] = "user_list_id",
	    [5] = "time_added_to_user_list",
	    [6] = "delete",
	    [7] = "data_source_id",
	    [14] = "user_id_type"};
	struct pb b = {(const uint8_t *)message.p, (const uint8_t *)message.p + message.n, false};
	struct buf line = {0};
	unsigned field;
	uint64_t n;
	struct str bytes;
	buf_c(&line, "ops {");
	while (pb_field(&b, &field, &n, &bytes)) {
		if (field == 1)
			buf_c(&line, " user_id: \"" MASK "\"");
		else if (field < sizeof names / sizeof *names && names[field])
			buf_addf(&line, " %s: %llu", names[field], (unsigned long long)n);
	}
	buf_c(&line, " }\n");
	if (!b.bad && !line.failed)
		buf_str(&out->lines, buf_view(&line));
	buf_done(&line);
}

static void google_masked(const struct destination *d, struct str bytes, struct masked *out)
{
	const uint8_t *at = (const uint8_t *)(bytes.n ? bytes.p : "");
	struct pb b = {at, at + bytes.n, false};
	unsigned field;
	uint64_t n;
	struct str change;
	(void)d;
	while (pb_field(&b, &field, &n, &change))
		if (field == 1 && change.n)
			google_change(change, out);
}

const struct format format_google_bulk = {
    .name = "google-bulk",
    .says = "Google's `UpdateUsersDataRequest`",
    .source = "developers.google.com/authorized-buyers/rtb/bulk-uploader, cookie-bulk-upload-proto",
    .ending = "pb",
    .content_type = "application/octet-stream",
    .ways = {&way_directory, &way_https},
    .settings = {{.name = "id_type",
		     .says = "what the ids are; without it `GOOGLE_USER_ID` for a partner's, "
			     "`PARTNER_PROVIDED_ID` for ours",
		     .words = ID_TYPES},
	{.name = "data_source_id", .says = "of the rows", .min = 1, .max = 1000}},
    .bytes = 100 * 1000,
    .compressions = COMPRESS_ANY,
    .numbers = true,
    .life = LIFE_AT_PARTNER,
    .removal = REMOVAL_ROW,
    .item = google_item,
    .end = google_end,
    .answered = google_answered,
    .masked = google_masked,
};
