/* A segment to a file that somebody asked for by hand. There is no ledger: each file is all of the
 * segment as it is now.
 *
 * Members are gathered first, and only then anything is written, for below k the file has its head
 * and no rows. Memory: 20 bytes a member. The file and its manifest each appear complete, by a
 * rename; the manifest, which has the sum of the file, comes last. */
#include "crumb/delivery/export.h"

#include "crumb/ask/scan.h"
#include "crumb/base/json.h"
#include "crumb/base/array.h"
#include "crumb/base/clock.h"
#include "crumb/base/code.h"
#include "crumb/base/file.h"
#include "crumb/privacy/cookie.h"
#include "crumb/delivery/plan.h"
#include "crumb/privacy/split.h"
#include "crumb/condition/eval.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define PROGRESS_ROWS 10000 /* progress is told each time so many more are found */

static int csv_line(const char *id, const char *segment, const char *expires, char out[EXPORT_LINE])
{
	return snprintf(out, EXPORT_LINE, "%s,%s,%s\n", id, segment, expires);
}

static int ndjson_line(
    const char *id, const char *segment, const char *expires, char out[EXPORT_LINE])
{
	return snprintf(out, EXPORT_LINE, "{\"id\":\"%s\",\"segment\":\"%s\",\"expires\":\"%s\"}\n",
	    id, segment, expires);
}

const struct export_form export_forms[] = {
    {.name = "csv", .head = "id,segment,expires\n", .line = csv_line},
    {.name = "ndjson", .head = "", .line = ndjson_line},
    {.name = NULL},
};

const struct export_form *export_form_find(struct str name)
{
	for (const struct export_form *f = export_forms; f->name; f++)
		if (str_eq(name, str_c(f->name)))
			return f;
	return NULL;
}

struct export_row {
	struct vkey visitor;
	uint16_t until;
};

/* One export: what is asked for, who was found, and the file with its sum. */
struct writing {
	struct file_new file;
	const struct export_form *form;
	const struct identity_keys *keys;
	const struct rules *rules;
	const struct destination *destination; /* NULL: the partner is in no file */
	struct str partner;
	uint16_t number;
	const char *segment;
	unsigned target, retention;
	enum export_group group;
	uint32_t now;
	struct export_row *list;
	size_t rows, cap;
	void (*progress)(uint64_t);
	crypto_hash_sha256_state sha;
};

static enum err export_put(struct writing *w, const char *line, size_t n)
{
	crypto_hash_sha256_update(&w->sha, (const uint8_t *)line, n);
	return fwrite(line, 1, n, w->file.file) == n ? OK : err_sys("export");
}

/* One member of the scan, if the member may go and is of the group that was asked for. */
static enum err take_row(
    void *arg, const struct vkey *k, const struct profile *p, const struct match_row *match)
{
	struct writing *w = arg;
	(void)match;
	bool held_out = split_held_out(w->keys, str_c(w->segment), w->target, k);
	if (!plan_may_go(w->destination, p) || held_out != (w->group == EXPORT_HOLDOUT))
		return OK;
	if (!array_room(w->list, w->cap, w->rows + 1))
		return err_set(ERR_NOMEM, "no memory for this now");
	w->list[w->rows++] = (struct export_row){
	    *k, rules_member_until(w->rules, w->number, p, day_of(w->now), w->retention)};
	if (w->progress && w->rows % PROGRESS_ROWS == 0)
		w->progress(w->rows);
	return OK;
}

static enum err write_rows(struct writing *w)
{
	char hex[33], day[DAY_TEXT], line[EXPORT_LINE];
	enum err e = *w->form->head ? export_put(w, w->form->head, strlen(w->form->head)) : OK;
	for (size_t i = 0; i < w->rows && !e; i++) {
		struct vkey name = visitor_for_partner(w->keys, w->partner, &w->list[i].visitor);
		hex_encode(name.b, sizeof name.b, hex);
		hex[32] = 0;
		day_text(w->list[i].until, day);
		e = export_put(w, line, (size_t)w->form->line(hex, w->segment, day, line));
	}
	return e;
}

static enum err write_manifest(const struct generation *g, const struct writing *w,
    const uint8_t sha[32], const char *file, const char *path, uint32_t now)
{
	char hex[65], day[DAY_TEXT];
	const char *base = strrchr(file, '/');
	hex_encode(sha, 32, hex);
	hex[64] = 0;
	day_text(day_of(now), day);
	json_t *m = json_pack("{s:s,s:s,s:I,s:s,s:s,s:s}", "segment", w->segment, "file",
	    base ? base + 1 : file, "rows", (json_int_t)w->rows, "sha256", hex, "rules",
	    g->rules->hash_text, "day", day);
	char *text = json_whole(m, JSON_INDENT(2));
	enum err e = text ? file_replace(path, str_c(text)) : err_set(ERR_NOMEM, "no memory");
	free(text);
	json_decref(m);
	return e;
}

/* The file and its manifest, each complete or not at all. */
static enum err write_files(struct writing *w, const struct generation *g, const char *folder)
{
	char path[4400], manifest[4400];
	snprintf(path, sizeof path, "%s/%s.%s", folder, w->segment, w->form->name);
	snprintf(manifest, sizeof manifest, "%s/%s.manifest.json", folder, w->segment);
	enum err e = file_begin(&w->file, path, 0666);
	if (e)
		return e;
	crypto_hash_sha256_init(&w->sha);
	e = write_rows(w);
	uint8_t sha[32];
	crypto_hash_sha256_final(&w->sha, sha);
	if (e)
		file_drop(&w->file);
	else
		e = file_finish(&w->file);
	return e ? e : write_manifest(g, w, sha, path, manifest, w->now);
}

enum err export_may_go(const struct rules *r, const struct config *c, uint16_t segment,
    struct str partner, uint32_t now, const struct destinations *all,
    const struct destination **out)
{
	const struct segment *s = &r->segments[segment];
	const char *state = segment_state(s, day_of(now));
	struct str label;
	*out = destinations_find(all, partner);
	if (strcmp(state, "active") != 0)
		return err_set(
		    ERR_USAGE, "segment '%s' is %s: it is handed to nobody", s->id, state);
	if (s->sensitive && !word_list_has(&c->lists.sensitive_destinations, partner))
		return err_set(ERR_USAGE,
		    "segment '%s' uses a sensitive category; whoever runs crumb can allow '" STR_FMT
		    "' with privacy.sensitive_destinations",
		    s->id, STR_ARG(partner));
	if (all->found && !segment_labels_allowed(r, s, all, *out, &label))
		return err_set(ERR_USAGE,
		    "segment '%s' is made of data labelled '" STR_FMT "', which '" STR_FMT
		    "' may not get; %s can allow it",
		    s->id, STR_ARG(label), STR_ARG(partner), c->destinations_path);
	return OK;
}

enum err export_segment(struct generation *g, const struct config *c, uint16_t segment,
    const struct export_form *form, enum export_group group, const char *partner,
    const char *folder, uint32_t now, void (*progress)(uint64_t), struct export_result *out)
{
	struct identity_keys keys;
	struct destinations *all;
	struct kgate gate = kgate_of(c);
	const struct segment *def = &g->rules->segments[segment];
	uint64_t *bits = calloc(g->rules->segments_n / 64 + 1, sizeof *bits);
	if (!bits)
		return err_set(ERR_NOMEM, "no memory for this now");
	bits[segment / 64] |= 1ull << segment % 64;
	struct writing w = {.form = form,
	    .keys = &keys,
	    .rules = g->rules,
	    .partner = str_c(partner),
	    .number = segment,
	    .segment = def->id,
	    .target = def->target,
	    .retention = (unsigned)c->retention_days,
	    .group = group,
	    .now = now,
	    .progress = progress};
	struct scan scan = {
	    .segments = bits, .partner = STR(""), .now = now, .each = take_row, .arg = &w};
	bool whole = false; /* everybody of the segment: the group that the lists tell of */
	enum err e = destinations_load(c->destinations_path, NULL, &all);
	if (!e) {
		e = export_may_go(g->rules, c, segment, w.partner, now, all, &w.destination);
		if (!e && !(e = keys_identity(g->store->keys, day_of(now), &keys)))
			e = scan_members(g, &scan);
		whole = def->target == 100 && !w.destination;
		destinations_unref(all);
	}
	char part[250];
	snprintf(part, sizeof part, "%s %s %s", partner, def->id,
	    group == EXPORT_HOLDOUT ? "holdout" : "target");
	bool told = false;
	if (!e && whole)
		told = kgate_show_group(&gate, 's', def->id, w.rows).told;
	else if (!e)
		told = kgate_show_group(&gate, 'x', part, w.rows).told;
	if (!told)
		w.rows = 0;
	if (!e)
		e = folder_make(folder, 0755);
	if (!e)
		e = write_files(&w, g, folder);
	sodium_memzero(&keys, sizeof keys);
	free(w.list);
	free(bits);
	if (e)
		return e;
	out->told = told;
	out->rows = w.rows;
	snprintf(out->file, sizeof out->file, "%s/%s.%s", folder, def->id, form->name);
	return OK;
}
