/* Reads one of `destinations:`, where an audience goes.
 *
 * First each key by itself (dest_keys, and to_keys below `deliver:`), in the order of the file;
 * then check_destination(), for what depends on several keys. A destination of which some key is
 * wrong is reported and left out before these checks: they would only repeat the mistake. */
#include "reading.h"

#include "crumb/base/array.h"
#include "crumb/base/clock.h"
#include "crumb/partners/format.h"

#include <stdio.h>

#define RETRIES 5    /* where the file does not say */
#define TIMEOUT_S 30 /* of a request, where the file does not say */
#define ROWS_MOST 1000000000
#define BYTES_LEAST 1000 /* of a file: a row has to fit */
#define BYTES_MOST 1000000000000
#define TCF_PURPOSES 16 /* that a profile has bits for */
#define HOUR_S 3600

static void dest_id(struct yaml *y, const yaml_node_t *n, void *r)
{
	yaml_id(y, n, &((struct reading *)r)->now->id);
}
static void dest_format(struct yaml *y, const yaml_node_t *n, void *into)
{
	struct destination *d = ((struct reading *)into)->now;
	struct str s;
	char hint[300];
	if (!yaml_text(y, n, "format", &s))
		return;
	struct near near = near_begin(s);
	d->format = format_find(s);
	if (d->format)
		return;
	for (const struct format *const *f = formats; *f; f++)
		near_try(&near, str_c((*f)->name));
	near_hint(&near, hint, sizeof hint);
	for (size_t i = 0, used = 0; !near.best.n && formats[i] && used < sizeof hint; i++)
		used += (size_t)snprintf(
		    hint + used, sizeof hint - used, "%s%s", i ? ", " : "", formats[i]->name);
	yaml_complain(y, n, "format", hint, "there is no format '" STR_FMT "'", STR_ARG(s));
}
static void dest_partner(struct yaml *y, const yaml_node_t *n, void *into)
{
	reading_text(y, n, "partner", &((struct reading *)into)->partner);
}
static void dest_settings(struct yaml *y, const yaml_node_t *n, void *into)
{
	struct destination *d = ((struct reading *)into)->now;
	reading_pairs(y, n, "settings", &d->settings, &d->settings_n);
}
static void dest_segments(struct yaml *y, const yaml_node_t *n, void *into)
{
	struct destination *d = ((struct reading *)into)->now;
	reading_pairs(y, n, "segments", &d->segments, &d->segments_n);
}
static void dest_rows(struct yaml *y, const yaml_node_t *n, void *into)
{
	long v;
	if (yaml_count(y, n, "rows", 1, ROWS_MOST, &v))
		((struct reading *)into)->now->rows = (uint64_t)v;
}
static void dest_bytes(struct yaml *y, const yaml_node_t *n, void *into)
{
	struct str s, number;
	uint64_t v, unit = 1;
	if (!yaml_text(y, n, "bytes", &s))
		return;
	number = s;
	const struct {
		const char *name;
		uint64_t bytes;
	} units[] = {{"kB", 1000}, {"MB", 1000000}, {"GB", 1000000000}, {"KiB", 1024},
	    {"MiB", 1u << 20}, {"GiB", 1u << 30}};
	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		size_t len = strlen(units[i].name);
		if (s.n > len && str_eq(str_skip(s, s.n - len), str_c(units[i].name))) {
			unit = units[i].bytes;
			number = str_trim(str_make(s.p, s.n - len));
		}
	}
	if (!str_u64(number, &v) || v == 0 || v > BYTES_MOST / unit || v * unit < BYTES_LEAST)
		yaml_complain(y, n, "bytes", "write it as 100MB",
		    "'" STR_FMT "' is no size of %d bytes or more", STR_ARG(s), BYTES_LEAST);
	else
		((struct reading *)into)->now->bytes = v * unit;
}
static void dest_ttl(struct yaml *y, const yaml_node_t *n, void *into)
{
	reading_days(y, n, "ttl", &((struct reading *)into)->now->ttl_days);
}
static void dest_labels(struct yaml *y, const yaml_node_t *n, void *into)
{
	struct destination *d = ((struct reading *)into)->now;
	yaml_words(y, n, "labels", &d->labels.list, &d->labels.n);
}
static void dest_purposes(struct yaml *y, const yaml_node_t *n, void *into)
{
	struct destination *d = ((struct reading *)into)->now;
	struct str *words;
	unsigned words_n;
	if (!yaml_words(y, n, "purposes", &words, &words_n))
		return;
	for (unsigned i = 0; i < words_n; i++) {
		uint64_t v;
		if (!str_u64(words[i], &v) || v < 1 || v > TCF_PURPOSES)
			yaml_complain(y, n, "purpose", NULL,
			    "a purpose of TCF is a number from 1 to %d, not '" STR_FMT "'",
			    TCF_PURPOSES, STR_ARG(words[i]));
		else
			d->purposes |= 1u << (v - 1);
	}
}
/* "hourly", "daily", "daily at 04:30", "every 15m", "by hand" */
static void dest_schedule(struct yaml *y, const yaml_node_t *n, void *into)
{
	struct destination *d = ((struct reading *)into)->now;
	struct str s, rest;
	if (!yaml_text(y, n, "schedule", &s))
		return;
	rest = s;
	if (str_eq(s, STR("by hand")))
		return;
	if (str_eq(s, STR("hourly"))) {
		d->every_s = HOUR_S;
		return;
	}
	if (str_starts(s, STR("daily"))) {
		d->every_s = DAY_S;
		rest = str_trim(str_skip(s, 5));
		if (rest.n == 0)
			return;
		uint64_t h, m;
		if (str_starts(rest, STR("at ")) && rest.n == 8 && rest.p[5] == ':' &&
		    str_u64(str_make(rest.p + 3, 2), &h) && str_u64(str_make(rest.p + 6, 2), &m) &&
		    h < 24 && m < 60) {
			d->at_s = (uint32_t)(h * HOUR_S + m * 60);
			return;
		}
	} else if (str_starts(s, STR("every ")) &&
		   reading_span(str_trim(str_skip(s, 6)), &d->every_s)) {
		return;
	}
	yaml_complain(y, n, "schedule",
	    "write it as: by hand, every 15m, hourly, daily or daily at 04:30 (UTC)",
	    "'" STR_FMT "' is no schedule", STR_ARG(s));
}
static void dest_compress(struct yaml *y, const yaml_node_t *n, void *into)
{
	struct destination *d = ((struct reading *)into)->now;
	struct str s;
	char names[100];
	if (!yaml_text(y, n, "compress", &s))
		return;
	d->compress = compression_find(s);
	if (d->compress != COMPRESSIONS)
		return;
	d->compress = COMPRESS_NONE;
	for (unsigned i = 0, used = 0; i < COMPRESSIONS && used < sizeof names; i++) {
		const char *between = i + 1 < COMPRESSIONS ? ", " : " or ";
		used += (unsigned)snprintf(names + used, sizeof names - used, "%s%s",
		    i ? between : "", compressions[i].name);
	}
	yaml_complain(
	    y, n, "compress", NULL, "compress is %s, not '" STR_FMT "'", names, STR_ARG(s));
}
static void to_directory(struct yaml *y, const yaml_node_t *n, void *into)
{
	struct destination *d = ((struct reading *)into)->now;
	d->way = &way_directory;
	reading_text(y, n, "directory", &d->where);
}
static void to_url(struct yaml *y, const yaml_node_t *n, void *into)
{
	struct destination *d = ((struct reading *)into)->now;
	d->way = &way_https;
	reading_text(y, n, "url", &d->where);
	/* The URL may hold a password, and what is said here is kept in logs: so the URL is not
	 * said. */
	if (d->where.n && !url_plain(d->where))
		yaml_complain(y, n, "url",
		    "write it as https://host/path; a password belongs into headers: "
		    "{Authorization: \"env:NAME\"}",
		    "this is no URL to deliver to");
	else if (d->where.n && !str_starts(d->where, STR("https://")) &&
		 !str_starts(d->where, STR("http://127.0.0.1:")) &&
		 !str_starts(d->where, STR("http://localhost:")) &&
		 !str_starts(d->where, STR("http://[::1]:")))
		yaml_complain(y, n, "url",
		    "write it as https://…; only to this machine may it be http",
		    "an audience is delivered by https only");
}
static void to_headers(struct yaml *y, const yaml_node_t *n, void *into)
{
	struct destination *d = ((struct reading *)into)->now;
	reading_pairs(y, n, "headers", &d->headers, &d->headers_n);
}
static void to_sign(struct yaml *y, const yaml_node_t *n, void *into)
{
	struct destination *d = ((struct reading *)into)->now;
	struct buf kinds = {0};
	reading_pairs(y, n, "sign", &d->sign, &d->sign_n);
	d->signing = signing_find(setting_get(d->sign, d->sign_n, "kind"));
	for (size_t i = 0; signings[i].kind; i++)
		buf_addf(&kinds, "%s%s", i ? " or " : "", signings[i].kind);
	CHECK(!kinds.failed);
	if (!d->signing)
		yaml_complain(y, n, "sign", "DESTINATIONS.md says what each is",
		    "sign wants kind: %.*s", (int)kinds.n, kinds.p);
	buf_done(&kinds);
	if (!setting_get(d->sign, d->sign_n, "secret").n)
		yaml_complain(y, n, "sign", "write it as secret: env:NAME or file:/path",
		    "sign wants a secret");
}
static void to_retries(struct yaml *y, const yaml_node_t *n, void *into)
{
	long v;
	if (yaml_count(y, n, "retries", 0, 100, &v))
		((struct reading *)into)->now->retries = (unsigned)v;
}
static void to_timeout(struct yaml *y, const yaml_node_t *n, void *into)
{
	long v;
	if (yaml_count(y, n, "timeout_s", 1, 600, &v))
		((struct reading *)into)->now->timeout_s = (unsigned)v;
}
static const struct yaml_key to_keys[] = {
    {.name = "directory", .load = to_directory, .aliases = "path|folder"},
    {.name = "url", .load = to_url},
    {.name = "headers", .load = to_headers},
    {.name = "sign", .load = to_sign},
    {.name = "retries", .load = to_retries},
    {.name = "timeout_s", .load = to_timeout, .aliases = "timeout"},
};
static void dest_to(struct yaml *y, const yaml_node_t *n, void *into)
{
	yaml_map(y, n, "deliver", to_keys, sizeof to_keys / sizeof *to_keys, into);
}

static const struct yaml_key dest_keys[] = {
    {.name = "id", .load = dest_id},
    {.name = "format", .load = dest_format},
    {.name = "partner", .load = dest_partner, .aliases = "ids"},
    {.name = "settings", .load = dest_settings},
    {.name = "segments", .load = dest_segments},
    {.name = "rows", .load = dest_rows},
    {.name = "bytes", .load = dest_bytes},
    {.name = "ttl", .load = dest_ttl, .aliases = "max_ttl"},
    {.name = "labels", .load = dest_labels, .aliases = "label"},
    {.name = "purposes", .load = dest_purposes},
    {.name = "schedule", .load = dest_schedule},
    {.name = "compress", .load = dest_compress},
    {.name = "deliver", .load = dest_to, .aliases = "to"},
};

#define NAME_MOST 255 /* bytes of a segment's name: a ledger has a byte for the length */

/* Control characters end a row everywhere. */
static bool has_one_of(struct str s, const char *signs)
{
	for (size_t i = 0; i < s.n; i++)
		if ((uint8_t)s.p[i] < 0x20 || s.p[i] == 0x7f || chr_one_of(s.p[i], signs))
			return true;
	return false;
}

/* Names that would break a format's rows, or its names of files. Such a name is a mistake here, so
 * that no encoder has to quote or to drop a row. */
static void check_names(struct yaml *y, const yaml_node_t *n, const struct destination *d)
{
	const struct format *f = d->format;
	char signs[FORMAT_SIGNS] = "";
	if (f->signs)
		f->signs(d, signs);
	for (unsigned i = 0; i < d->segments_n; i++) {
		if (has_one_of(d->segments[i].value, signs))
			yaml_complain(y, n, "segments", "name it as the partner does",
			    "the name of segment '" STR_FMT
			    "' has a sign that ends a cell or a row of format %s",
			    STR_ARG(d->segments[i].name), f->name);
		if (d->segments[i].value.n > NAME_MOST)
			yaml_complain(y, n, "segments", NULL,
			    "the name of segment '" STR_FMT "' is longer than %d bytes",
			    STR_ARG(d->segments[i].name), NAME_MOST);
	}
	for (const struct format_setting *s = f->settings; s->name; s++)
		if (s->in_name && has_one_of(setting_get(d->settings, d->settings_n, s->name), "/"))
			yaml_complain(y, n, "setting", NULL,
			    "%s is a part of names of files: no '/' and no control characters",
			    s->name);
}

/* Settings that the format does not know, and those that it wants. Their values are the encoder's
 * matter (format.c). */
static void check_settings(struct yaml *y, const yaml_node_t *n, const struct destination *d)
{
	char hint[200];
	for (unsigned i = 0; i < d->settings_n; i++) {
		const struct format_setting *s = d->format->settings;
		struct near near = near_begin(d->settings[i].name);
		for (; s->name && !str_eq(d->settings[i].name, str_c(s->name)); s++)
			near_try(&near, str_c(s->name));
		if (!s->name)
			yaml_complain(y, n, "setting", near_hint(&near, hint, sizeof hint),
			    "format %s has no setting '" STR_FMT "'", d->format->name,
			    STR_ARG(d->settings[i].name));
	}
	for (const struct format_setting *s = d->format->settings; s->name; s++)
		if (s->required && !setting_get(d->settings, d->settings_n, s->name).n)
			yaml_complain(y, n, "setting",
			    "write it below settings:", "format %s wants %s", d->format->name,
			    s->name);
}

/* Both have to take what is compressed so: the format's partner, and the way. */
static void check_compression(struct yaml *y, const yaml_node_t *n, const struct destination *d)
{
	unsigned both = d->format->compressions & d->way->compressions;
	char hint[100];
	if (both >> d->compress & 1)
		return;
	size_t used = (size_t)snprintf(hint, sizeof hint, "it may be");
	for (unsigned i = 0; i < COMPRESSIONS && used < sizeof hint; i++)
		if (both >> i & 1)
			used += (size_t)snprintf(
			    hint + used, sizeof hint - used, " %s", compressions[i].name);
	yaml_complain(y, n, "compress", hint, "format %s cannot go by %s compressed with %s",
	    d->format->name, d->way->name, compressions[d->compress].name);
}

/* What only shows when all keys have been read: limits that the file leaves out or sets too high,
 * the way, names, and what does not go together. */
static void check_destination(struct yaml *y, const yaml_node_t *n, struct reading *r)
{
	struct destination *d = r->now;
	const struct format *f = d->format;
	uint64_t number;
	char hint[100];
	check_settings(y, n, d);
	if (!d->way)
		d->way = f->ways[0];
	if (f->rows && (!d->rows || d->rows > f->rows))
		d->rows = f->rows;
	if (d->way->bytes && !d->bytes)
		d->bytes = d->way->bytes;
	if (f->bytes && (!d->bytes || d->bytes > f->bytes))
		d->bytes = f->bytes;
	if (f->ttl_days && (!d->ttl_days || d->ttl_days > f->ttl_days))
		d->ttl_days = f->ttl_days;
	check_names(y, n, d);
	for (unsigned i = 0; format_numbered(d) && i < d->segments_n; i++)
		if (!str_u64(d->segments[i].value, &number))
			yaml_complain(y, n, "segments", NULL,
			    "format %s wants the partner's number for segment '" STR_FMT "'",
			    f->name, STR_ARG(d->segments[i].name));
	const char *key = f->ways[0]->key;
	if (key)
		snprintf(hint, sizeof hint, "say deliver: {%s: …}", key);
	else
		snprintf(hint, sizeof hint, "whoever wants it asks for it: leave deliver: out");
	if (!format_goes(f, d->way))
		yaml_complain(
		    y, n, "deliver", hint, "format %s cannot go by %s", f->name, d->way->name);
	else
		check_compression(y, n, d);
	if (d->way->own_ids && d->partner >= 0)
		yaml_complain(y, n, "partner", "match it with GET /sync?redirect=",
		    "format %s speaks of visitors by our pseudonyms for it", f->name);
	if (d->every_s && !key)
		yaml_complain(y, n, "schedule", "whoever wants it asks for it: leave schedule: out",
		    "format %s has no schedule", f->name);
	else if (d->every_s && !d->where.n)
		yaml_complain(y, n, "deliver", "say deliver: {directory: …} or {url: …}",
		    "a destination with a schedule must say where it goes");
}

void read_destination(struct yaml *y, const yaml_node_t *n, void *into)
{
	struct reading *r = into;
	size_t errors = y->report->errors;
	struct destination d = {
	    .partner = -1, .retries = RETRIES, .timeout_s = TIMEOUT_S, .at = yaml_at(y, n)};
	r->partner = STR("");
	r->now = &d;
	if (!yaml_map(y, n, "a destination", dest_keys, sizeof dest_keys / sizeof *dest_keys, r))
		return;
	if (errors != y->report->errors)
		return;
	if (d.id && !d.format)
		d.format = format_built_in(str_c(d.id));
	if (!d.id || !d.format) {
		yaml_complain(
		    y, n, "missing", NULL, "a destination needs %s", d.id ? "a format" : "an id");
		return;
	}
	if (strlen(d.id) > PARTNER_NAME_MAX)
		yaml_complain(y, n, "too-long", NULL,
		    "a destination's id has at most %d characters", PARTNER_NAME_MAX);
	if (destinations_find(r->d, str_c(d.id)))
		yaml_complain(y, n, "twice", NULL, "destination '%s' is there twice", d.id);
	if (r->partner.n) {
		const struct partner *p = destinations_partner(r->d, r->partner);
		if (p)
			d.partner = (int)(p - r->d->partners);
		else
			yaml_complain(y, n, "unknown",
			    "partners stand before destinations in the file",
			    "there is no partner '" STR_FMT "'", STR_ARG(r->partner));
	}
	check_destination(y, n, r);
	CHECK(array_room_zeroed(r->d->list, r->cap, r->d->n + 1));
	r->d->list[r->d->n++] = d;
}
