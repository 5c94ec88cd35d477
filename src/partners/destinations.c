#include "crumb/partners/destinations.h"

#include "crumb/base/array.h"
#include "crumb/base/file.h"
#include "crumb/base/host.h"
#include "crumb/base/log.h"
#include "crumb/load/loader.h"
#include "crumb/partners/format.h"

#include <stdio.h>
#include <stdlib.h>

/* --- small readers */

static void text_of(struct yaml *y, const yaml_node_t *n, const char *what, struct str *out)
{
	struct str s;
	if (yaml_text(y, n, what, &s))
		*out = arena_keep(y->arena, s);
}

/* A map of plain words. */
static void pairs_of(
    struct yaml *y, const yaml_node_t *n, const char *what, struct setting **out, unsigned *out_n)
{
	if (n->type != YAML_MAPPING_NODE) {
		complain(y, n, "type", NULL, "%s has keys and values", what);
		return;
	}
	size_t count = (size_t)(n->data.mapping.pairs.top - n->data.mapping.pairs.start);
	*out = arena_alloc(y->arena, (count + 1) * sizeof **out);
	*out_n = 0;
	for (yaml_node_pair_t *it = n->data.mapping.pairs.start; it < n->data.mapping.pairs.top;
	     it++) {
		struct setting s;
		const yaml_node_t *value = yaml_node(y, it->value);
		if (!yaml_text(y, yaml_node(y, it->key), "a key", &s.name))
			continue;
		if (value->type == YAML_SEQUENCE_NODE) { /* [a, b] is "a,b" */
			struct str *words;
			unsigned words_n;
			struct buf joined = {0};
			if (!yaml_words(y, value, what, &words, &words_n))
				continue;
			for (unsigned i = 0; i < words_n; i++) {
				buf_add(&joined, ",", i > 0);
				buf_str(&joined, words[i]);
			}
			s.value = arena_keep(y->arena, joined.n ? buf_view(&joined) : STR(""));
			buf_done(&joined);
		} else {
			if (!yaml_text(y, value, what, &s.value))
				continue;
			s.value = arena_keep(y->arena, s.value);
		}
		s.name = arena_keep(y->arena, s.name);
		(*out)[(*out_n)++] = s;
	}
}

/* "15m", "6h", "1d": seconds. */
static bool span_of(struct str s, uint32_t *out)
{
	uint64_t v;
	if (s.n < 2 || !str_u64(str_make(s.p, s.n - 1), &v) || v == 0 || v > 10000)
		return false;
	char unit = s.p[s.n - 1];
	uint64_t each = unit == 'm' ? 60 : unit == 'h' ? 3600 : unit == 'd' ? 86400 : 0;
	*out = (uint32_t)(v * each);
	return each && v * each <= 90 * 86400;
}

static void days_of(struct yaml *y, const yaml_node_t *n, const char *what, unsigned *out)
{
	struct str s;
	uint32_t v;
	if (!yaml_text(y, n, what, &s))
		return;
	if (!span_of(s, &v) || v % 86400)
		complain(y, n, "days", "write it as 30d",
		    "%s is a number of days, not '" STR_FMT "'", what, STR_ARG(s));
	else
		*out = v / 86400;
}

bool url_plain(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((uint8_t)s.p[i] <= ' ' || s.p[i] == '\\' || s.p[i] == 0x7f)
			return false;
	struct str rest = str_starts(s, STR("https://"))  ? str_skip(s, 8)
			  : str_starts(s, STR("http://")) ? str_skip(s, 7)
							  : STR("");
	size_t end = 0;
	while (end < rest.n && rest.p[end] != '/' && rest.p[end] != '?' && rest.p[end] != '#')
		end++;
	return end > 0 && str_find(str_make(rest.p, end), '@') == end;
}

/* --- partners */

static void partner_id(struct yaml *y, const yaml_node_t *n, void *p)
{
	yaml_id(y, n, &((struct partner *)p)->id);
}
static void partner_labels(struct yaml *y, const yaml_node_t *n, void *into)
{
	struct partner *p = into;
	yaml_words(y, n, "labels", &p->labels.list, &p->labels.n);
}
static void partner_uid_param(struct yaml *y, const yaml_node_t *n, void *p)
{
	text_of(y, n, "uid_param", &((struct partner *)p)->uid_param);
}
static void partner_redirects(struct yaml *y, const yaml_node_t *n, void *into)
{
	struct partner *p = into;
	yaml_words(y, n, "redirects", &p->redirects, &p->redirects_n);
	for (unsigned i = 0; i < p->redirects_n; i++) {
		struct str s = p->redirects[i];
		struct host_around a = host_around(s);
		char host[HOST_MOST];
		size_t len = host_read(a.host, host);
		if (!url_plain(s) || !a.rest.n || a.rest.p[0] != '/') {
			complain(y, n, "redirect", "write it as https://host/ or https://host/path",
			    "'" STR_FMT "' is no beginning of a URL", STR_ARG(s));
		} else if (!len) {
			complain(y, n, "redirect",
			    str_find(a.host, '*') < a.host.n ? "list each host" : NULL,
			    "in '" STR_FMT "' the host can be none", STR_ARG(s));
		} else if (!str_eq(a.host, str_make(host, len))) { /* as requests have it */
			struct buf as = {0};
			buf_addf(&as, STR_FMT "://%.*s", STR_ARG(a.scheme), (int)len, host);
			buf_str(&as, str_skip(s, (size_t)(a.host.p + a.host.n - s.p)));
			CHECK(!as.failed);
			p->redirects[i] = arena_keep(y->arena, buf_view(&as));
			buf_done(&as);
		}
	}
}
static void sync_url(struct yaml *y, const yaml_node_t *n, void *into)
{
	struct partner *p = into;
	text_of(y, n, "url", &p->sync_url);
	if (p->sync_url.n && !url_plain(p->sync_url))
		complain(y, n, "url", NULL, "'" STR_FMT "' is no URL", STR_ARG(p->sync_url));
}
static void sync_kind(struct yaml *y, const yaml_node_t *n, void *into)
{
	struct str s;
	if (!yaml_text(y, n, "type", &s))
		return;
	((struct partner *)into)->iframe = str_eq(s, STR("iframe"));
	if (!str_eq(s, STR("iframe")) && !str_eq(s, STR("image")))
		complain(y, n, "type", NULL, "a sync is an image or an iframe, not '" STR_FMT "'",
		    STR_ARG(s));
}
static void sync_every(struct yaml *y, const yaml_node_t *n, void *into)
{
	days_of(y, n, "every", &((struct partner *)into)->every_days);
}
static const struct yaml_key sync_keys[] = {
    {.name = "url", .load = sync_url},
    {.name = "type", .load = sync_kind},
    {.name = "every", .load = sync_every},
};
static void partner_sync(struct yaml *y, const yaml_node_t *n, void *into)
{
	yaml_map(y, n, "sync", sync_keys, sizeof sync_keys / sizeof *sync_keys, into);
}

static const struct yaml_key partner_keys[] = {
    {.name = "id", .load = partner_id},
    {.name = "sync", .load = partner_sync},
    {.name = "redirects", .load = partner_redirects, .aliases = "redirect"},
    {.name = "uid_param", .load = partner_uid_param},
    {.name = "labels", .load = partner_labels, .aliases = "label"},
};

struct reading {
	struct destinations *d;
	size_t partners_cap, cap;
	struct str partner; /* of the destination that is being read */
	struct destination *now;
};

static void load_partner(struct yaml *y, const yaml_node_t *n, void *into)
{
	struct reading *r = into;
	size_t errors = y->report->errors;
	struct partner p = {.every_days = 7, .uid_param = STR("uid"), .at = yaml_at(y, n)};
	if (!yaml_map(
		y, n, "a partner", partner_keys, sizeof partner_keys / sizeof *partner_keys, &p))
		return;
	if (!p.id) {
		if (errors == y->report->errors)
			complain(y, n, "missing", NULL, "a partner needs an id");
		return;
	}
	if (strlen(p.id) > PARTNER_NAME_MAX)
		complain(y, n, "too-long", NULL, "a partner's id has at most %d characters",
		    PARTNER_NAME_MAX);
	if (destinations_partner(r->d, str_c(p.id)))
		complain(y, n, "twice", NULL, "partner '%s' is there twice", p.id);
	CHECK(array_room_zeroed(r->d->partners, r->partners_cap, r->d->partners_n + 1));
	r->d->partners[r->d->partners_n++] = p;
}

/* --- destinations */

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
	complain(y, n, "format", hint, "there is no format '" STR_FMT "'", STR_ARG(s));
}
static void dest_partner(struct yaml *y, const yaml_node_t *n, void *into)
{
	text_of(y, n, "partner", &((struct reading *)into)->partner);
}
static void dest_settings(struct yaml *y, const yaml_node_t *n, void *into)
{
	struct destination *d = ((struct reading *)into)->now;
	pairs_of(y, n, "settings", &d->settings, &d->settings_n);
}
static void dest_segments(struct yaml *y, const yaml_node_t *n, void *into)
{
	struct destination *d = ((struct reading *)into)->now;
	pairs_of(y, n, "segments", &d->segments, &d->segments_n);
}
static void dest_rows(struct yaml *y, const yaml_node_t *n, void *into)
{
	long v;
	if (yaml_count(y, n, "rows", 1, 1000000000, &v))
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
	if (!str_u64(number, &v) || v == 0 || v > 1000000000000 / unit || v * unit < 1000)
		complain(y, n, "bytes", "write it as 100MB",
		    "'" STR_FMT "' is no size of 1000 bytes or more", STR_ARG(s));
	else
		((struct reading *)into)->now->bytes = v * unit;
}
static void dest_ttl(struct yaml *y, const yaml_node_t *n, void *into)
{
	days_of(y, n, "ttl", &((struct reading *)into)->now->ttl_days);
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
		if (!str_u64(words[i], &v) || v < 1 || v > 16)
			complain(y, n, "purpose", NULL,
			    "a purpose of TCF is a number from 1 to 16, not '" STR_FMT "'",
			    STR_ARG(words[i]));
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
		d->every_s = 3600;
		return;
	}
	if (str_starts(s, STR("daily"))) {
		d->every_s = 86400;
		rest = str_trim(str_skip(s, 5));
		if (rest.n == 0)
			return;
		uint64_t h, m;
		if (str_starts(rest, STR("at ")) && rest.n == 8 && rest.p[5] == ':' &&
		    str_u64(str_make(rest.p + 3, 2), &h) && str_u64(str_make(rest.p + 6, 2), &m) &&
		    h < 24 && m < 60) {
			d->at_s = (uint32_t)(h * 3600 + m * 60);
			return;
		}
	} else if (str_starts(s, STR("every ")) && span_of(str_trim(str_skip(s, 6)), &d->every_s)) {
		return;
	}
	complain(y, n, "schedule",
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
	for (unsigned i = 0, used = 0; i < COMPRESSIONS && used < sizeof names; i++)
		used += (unsigned)snprintf(names + used, sizeof names - used, "%s%s",
		    !i			   ? ""
		    : i + 1 < COMPRESSIONS ? ", "
					   : " or ",
		    compressions[i].name);
	complain(y, n, "compress", NULL, "compress is %s, not '" STR_FMT "'", names, STR_ARG(s));
}
static void to_directory(struct yaml *y, const yaml_node_t *n, void *into)
{
	struct destination *d = ((struct reading *)into)->now;
	d->way = &way_directory;
	text_of(y, n, "directory", &d->where);
}
static void to_url(struct yaml *y, const yaml_node_t *n, void *into)
{
	struct destination *d = ((struct reading *)into)->now;
	d->way = &way_https;
	text_of(y, n, "url", &d->where);
	if (d->where.n &&
	    !url_plain(d->where)) /* it may hold a password: what is said here is kept in logs */
		complain(y, n, "url",
		    "write it as https://host/path; a password belongs into headers: "
		    "{Authorization: \"env:NAME\"}",
		    "this is no URL to deliver to");
	else if (d->where.n && !str_starts(d->where, STR("https://")) &&
		 !str_starts(d->where, STR("http://127.0.0.1:")) &&
		 !str_starts(d->where, STR("http://localhost:")) &&
		 !str_starts(d->where, STR("http://[::1]:")))
		complain(y, n, "url", "only to this machine may it be http",
		    "an audience does not travel without TLS");
}
static void to_headers(struct yaml *y, const yaml_node_t *n, void *into)
{
	struct destination *d = ((struct reading *)into)->now;
	pairs_of(y, n, "headers", &d->headers, &d->headers_n);
}
static void to_sign(struct yaml *y, const yaml_node_t *n, void *into)
{
	struct destination *d = ((struct reading *)into)->now;
	struct buf kinds = {0};
	pairs_of(y, n, "sign", &d->sign, &d->sign_n);
	d->signing = signing_find(setting_get(d->sign, d->sign_n, "kind"));
	for (size_t i = 0; signings[i].kind; i++)
		buf_addf(&kinds, "%s%s", i ? " or " : "", signings[i].kind);
	CHECK(!kinds.failed);
	if (!d->signing)
		complain(y, n, "sign", "DESTINATIONS.md says what each is", "sign wants kind: %.*s",
		    (int)kinds.n, kinds.p);
	buf_done(&kinds);
	if (!setting_get(d->sign, d->sign_n, "secret").n)
		complain(y, n, "sign", "write it as secret: env:NAME or file:/path",
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

#define NAME_MOST 255

static bool has_one_of(struct str s, const char *signs)
{
	for (size_t i = 0; i < s.n; i++)
		if ((uint8_t)s.p[i] < 0x20 || s.p[i] == 0x7f || chr_one_of(s.p[i], signs))
			return true;
	return false;
}

/* What would break a format's rows, or its names of files. */
static void check_names(struct yaml *y, const yaml_node_t *n, const struct destination *d)
{
	const struct format *f = d->format;
	char signs[FORMAT_SIGNS] = "";
	if (f->signs)
		f->signs(d, signs);
	for (unsigned i = 0; i < d->segments_n; i++) {
		if (has_one_of(d->segments[i].value, signs))
			complain(y, n, "segments", "name it as the partner does",
			    "the name of segment '" STR_FMT
			    "' has a sign that ends a cell or a row of format %s",
			    STR_ARG(d->segments[i].name), f->name);
		if (d->segments[i].value.n > NAME_MOST)
			complain(y, n, "segments", NULL,
			    "the name of segment '" STR_FMT "' is longer than %d bytes",
			    STR_ARG(d->segments[i].name), NAME_MOST);
	}
	for (const struct format_setting *s = f->settings; s->name; s++)
		if (s->in_name && has_one_of(setting_get(d->settings, d->settings_n, s->name), "/"))
			complain(y, n, "setting", NULL,
			    "%s is a part of names of files: no '/' and no control characters",
			    s->name);
}

static void check_settings(struct yaml *y, const yaml_node_t *n, const struct destination *d)
{
	char hint[200];
	for (unsigned i = 0; i < d->settings_n; i++) {
		const struct format_setting *s = d->format->settings;
		struct near near = near_begin(d->settings[i].name);
		for (; s->name && !str_eq(d->settings[i].name, str_c(s->name)); s++)
			near_try(&near, str_c(s->name));
		if (!s->name)
			complain(y, n, "setting", near_hint(&near, hint, sizeof hint),
			    "format %s has no setting '" STR_FMT "'", d->format->name,
			    STR_ARG(d->settings[i].name));
	}
	for (const struct format_setting *s = d->format->settings; s->name; s++)
		if (s->required && !setting_get(d->settings, d->settings_n, s->name).n)
			complain(y, n, "setting", "write it below settings:", "format %s wants %s",
			    d->format->name, s->name);
}

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
	complain(y, n, "compress", hint, "format %s cannot go by %s compressed with %s",
	    d->format->name, d->way->name, compressions[d->compress].name);
}

/* What only shows when all of it is there. */
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
			complain(y, n, "segments", NULL,
			    "format %s wants the partner's number for segment '" STR_FMT "'",
			    f->name, STR_ARG(d->segments[i].name));
	const char *key = f->ways[0]->key;
	snprintf(hint, sizeof hint, "%s%s%s",
	    key ? "say deliver: {" : "it goes to whoever asks: leave deliver: out", key ? key : "",
	    key ? ": …}" : "");
	if (!format_goes(f, d->way))
		complain(y, n, "deliver", hint, "format %s cannot go by %s", f->name, d->way->name);
	else
		check_compression(y, n, d);
	if (d->way->own_ids && d->partner >= 0)
		complain(y, n, "partner", "match it with GET /sync?redirect=",
		    "format %s speaks of visitors by our pseudonyms for it", f->name);
	if (d->every_s && !d->where.n)
		complain(y, n, "deliver", "say deliver: {directory: …} or {url: …}",
		    "a destination with a schedule must say where it goes");
}

static void load_destination(struct yaml *y, const yaml_node_t *n, void *into)
{
	struct reading *r = into;
	size_t errors = y->report->errors;
	struct destination d = {.partner = -1, .retries = 5, .timeout_s = 30, .at = yaml_at(y, n)};
	r->partner = STR("");
	r->now = &d;
	if (!yaml_map(y, n, "a destination", dest_keys, sizeof dest_keys / sizeof *dest_keys, r))
		return;
	if (errors != y->report->errors)
		return;
	if (d.id && !d.format)
		d.format = format_built_in(str_c(d.id));
	if (!d.id || !d.format) {
		complain(
		    y, n, "missing", NULL, "a destination needs %s", d.id ? "a format" : "an id");
		return;
	}
	if (strlen(d.id) > PARTNER_NAME_MAX)
		complain(y, n, "too-long", NULL, "a destination's id has at most %d characters",
		    PARTNER_NAME_MAX);
	if (destinations_find(r->d, str_c(d.id)))
		complain(y, n, "twice", NULL, "destination '%s' is there twice", d.id);
	if (r->partner.n) {
		const struct partner *p = destinations_partner(r->d, r->partner);
		if (p)
			d.partner = (int)(p - r->d->partners);
		else
			complain(y, n, "unknown", "partners stand before destinations in the file",
			    "there is no partner '" STR_FMT "'", STR_ARG(r->partner));
	}
	check_destination(y, n, r);
	CHECK(array_room_zeroed(r->d->list, r->cap, r->d->n + 1));
	r->d->list[r->d->n++] = d;
}

/* --- the file */

static void root_version(struct yaml *y, const yaml_node_t *n, void *into)
{
	struct str s;
	(void)into;
	if (yaml_text(y, n, "version", &s) && !str_eq(s, STR("1")))
		complain(y, n, "version", NULL, "this crumb reads version: 1");
}
static void root_partners(struct yaml *y, const yaml_node_t *n, void *into)
{
	yaml_list(y, n, "partners", load_partner, into);
}
static void root_destinations(struct yaml *y, const yaml_node_t *n, void *into)
{
	yaml_list(y, n, "destinations", load_destination, into);
}
static const struct yaml_key root_keys[] = {
    {.name = "version", .load = root_version},
    {.name = "partners", .load = root_partners},
    {.name = "destinations", .load = root_destinations},
};

#define FILE_MOST ((size_t)16 << 20) /* bytes */

static void load_document(struct yaml *y, struct destinations *d)
{
	struct reading r = {.d = d};
	const yaml_node_t *root = yaml_open(y);
	if (root)
		yaml_map(y, root, "a destinations file", root_keys,
		    sizeof root_keys / sizeof *root_keys, &r);
}

enum err destinations_load(const char *path, struct report *report, struct destinations **out)
{
	struct report own = {0}, *to = report ? report : &own;
	struct buf text = {0};
	struct destinations *d = calloc(1, sizeof *d);
	CHECK(d);
	d->refs = 1;
	enum err e = file_read(path, FILE_MOST, &text);
	d->found = e != ERR_NOT_FOUND;
	if (!d->found)
		e = OK;
	if (!e && d->found) {
		struct yaml y = {
		    .arena = &d->arena, .report = to, .text = text.n ? buf_view(&text) : STR("")};
		const char *slash = strrchr(path, '/');
		y.file = arena_keep(&d->arena, str_c(slash ? slash + 1 : path)).p;
		load_document(&y, d);
		yaml_close(&y);
		e = report_error(to);
	}
	buf_done(&text);
	report_done(&own);
	if (e)
		destinations_unref(d);
	else
		*out = d;
	return e;
}

struct destinations *destinations_ref(struct destinations *d)
{
	if (d)
		atomic_fetch_add(&d->refs, 1);
	return d;
}

void destinations_unref(struct destinations *d)
{
	if (!d || atomic_fetch_sub(&d->refs, 1) != 1)
		return;
	arena_done(&d->arena);
	free(d->partners);
	free(d->list);
	free(d);
}

/* --- asking */

const struct partner *destinations_partner(const struct destinations *d, struct str id)
{
	for (size_t i = 0; d && i < d->partners_n; i++)
		if (str_eq(id, str_c(d->partners[i].id)))
			return &d->partners[i];
	return NULL;
}

const struct destination *destinations_find(const struct destinations *d, struct str id)
{
	for (size_t i = 0; d && i < d->n; i++)
		if (str_eq(id, str_c(d->list[i].id)))
			return &d->list[i];
	return NULL;
}

struct str destination_segment(const struct destination *d, struct str segment)
{
	for (unsigned i = 0; i < d->segments_n; i++)
		if (str_eq(d->segments[i].name, segment))
			return d->segments[i].value;
	return STR("");
}
