/* The google-bulk format: UpdateUsersDataRequest (developers.google.com/authorized-buyers/rtb/bulk-uploader, cookie-bulk-upload-proto). */
#include "formats.h"

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

static const struct {
	const char *name;
	unsigned number;
} id_types[] = {{"GOOGLE_USER_ID", 0}, {"IDFA", 1}, {"ANDROID_ADVERTISING_ID", 2}, {"PARTNER_PROVIDED_ID", 4}, {"RIDA", 5}, {"AFAI", 6}, {"MSAI", 7},
    {"GENERIC_DEVICE_ID", 9}};

static int id_type(const struct destination *d)
{
	struct str s = setting_get(d->settings, d->settings_n, "id_type");
	if (!s.n)
		return d->partner < 0 ? 4 : 0;
	for (size_t i = 0; i < sizeof id_types / sizeof *id_types; i++)
		if (str_eq(s, str_c(id_types[i].name)))
			return (int)id_types[i].number;
	return -1;
}

static enum err google_check(const struct destination *d)
{
	uint64_t source;
	struct str s = setting_get(d->settings, d->settings_n, "data_source_id");
	if (id_type(d) < 0)
		return err_set(ERR_USAGE, "destination '%s': Google knows no such id_type", d->id);
	if (s.n && (!str_u64(s, &source) || source < 1 || source > 1000))
		return err_set(ERR_USAGE, "destination '%s': data_source_id is a number from 1 to 1000", d->id);
	return OK;
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
		pb_number(&e->block, 14, (uint64_t)id_type(e->d));
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

const struct format format_google_bulk = {"pb", LIFE_AT_PARTNER, REMOVAL_ROW, NULL, google_check, format_nothing, google_item, google_end};
