/* Reads one of `partners:`: who has ids of their own for our visitors, and how these are matched.
 *
 * A partner without an id is reported and left out. All other mistakes are reported, too, and the
 * partner is kept while the rest of the file is read: a destination that names it should not be
 * blamed for its mistakes. A file with a mistake is refused in the end. */
#include "reading.h"

#include "crumb/base/array.h"
#include "crumb/base/host.h"

#define SYNC_DAYS 7 /* a match is renewed after, where the file does not say */

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
	reading_text(y, n, "uid_param", &((struct partner *)p)->uid_param);
}
/* Beginnings of URLs, kept as requests have them: the host in lower case and in its ASCII form, so
 * that redirect.c can compare bytes. */
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
			yaml_complain(y, n, "redirect",
			    "write it as https://host/ or https://host/path",
			    "'" STR_FMT "' is no beginning of a URL", STR_ARG(s));
		} else if (!len) {
			yaml_complain(y, n, "redirect",
			    str_find(a.host, '*') < a.host.n ? "list each host" : NULL,
			    "'" STR_FMT "' has no host that can exist", STR_ARG(s));
		} else if (!str_eq(a.host, str_make(host, len))) {
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
	reading_text(y, n, "url", &p->sync_url);
	if (p->sync_url.n && !url_plain(p->sync_url))
		yaml_complain(y, n, "url", NULL, "'" STR_FMT "' is no URL", STR_ARG(p->sync_url));
}
static void sync_kind(struct yaml *y, const yaml_node_t *n, void *into)
{
	struct str s;
	if (!yaml_text(y, n, "type", &s))
		return;
	((struct partner *)into)->iframe = str_eq(s, STR("iframe"));
	if (!str_eq(s, STR("iframe")) && !str_eq(s, STR("image")))
		yaml_complain(y, n, "type", NULL,
		    "a sync is an image or an iframe, not '" STR_FMT "'", STR_ARG(s));
}
static void sync_every(struct yaml *y, const yaml_node_t *n, void *into)
{
	reading_days(y, n, "every", &((struct partner *)into)->every_days);
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

void read_partner(struct yaml *y, const yaml_node_t *n, void *into)
{
	struct reading *r = into;
	size_t errors = y->report->errors;
	struct partner p = {.every_days = SYNC_DAYS, .uid_param = STR("uid"), .at = yaml_at(y, n)};
	if (!yaml_map(
		y, n, "a partner", partner_keys, sizeof partner_keys / sizeof *partner_keys, &p))
		return;
	if (!p.id) {
		if (errors == y->report->errors)
			yaml_complain(y, n, "missing", NULL, "a partner needs an id");
		return;
	}
	if (strlen(p.id) > PARTNER_NAME_MAX)
		yaml_complain(y, n, "too-long", NULL, "a partner's id has at most %d characters",
		    PARTNER_NAME_MAX);
	if (destinations_partner(r->d, str_c(p.id)))
		yaml_complain(y, n, "twice", NULL, "partner '%s' is there twice", p.id);
	CHECK(array_room_zeroed(r->d->partners, r->partners_cap, r->d->partners_n + 1));
	r->d->partners[r->d->partners_n++] = p;
}
