#include "crumb/export/export.h"

#include "crumb/base/clock.h"
#include "crumb/base/code.h"
#include "crumb/privacy/cookie.h"
#include "crumb/privacy/split.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

struct writing {
	FILE *file;
	enum export_format format;
	const struct identity_keys *keys;
	struct str partner;
	const char *segment;
	unsigned target;
	enum export_group group;
	uint64_t rows;
	void (*progress)(uint64_t);
	crypto_hash_sha256_state sha;
};

static enum err put(struct writing *w, const char *line, size_t n)
{
	crypto_hash_sha256_update(&w->sha, (const uint8_t *)line, n);
	return fwrite(line, 1, n, w->file) == n ? OK : err_set(errno == ENOSPC ? ERR_FULL : ERR_IO, "export: %s", strerror(errno));
}

static bool wanted(void *arg, const struct vkey *k)
{
	const struct writing *w = arg;
	return split_held_out(w->keys, str_c(w->segment), w->target, k) == (w->group == EXPORT_HOLDOUT);
}

static enum err row(void *arg, const struct vkey *k, uint16_t until)
{
	struct writing *w = arg;
	struct vkey name = visitor_for_partner(w->keys, w->partner, k);
	char hex[33], day[DAY_TEXT], line[512];
	hex_encode(name.b, sizeof name.b, hex);
	hex[32] = 0;
	day_text(until, day);
	int n = snprintf(line, sizeof line, w->format == EXPORT_CSV ? "%s,%s,%s\n" : "{\"id\":\"%s\",\"segment\":\"%s\",\"expires\":\"%s\"}\n", hex,
	    w->segment, day);
	w->rows++;
	if (w->progress && w->rows % 10000 == 0)
		w->progress(w->rows);
	return put(w, line, (size_t)n);
}

static enum err write_manifest(
    const struct generation *g, const struct writing *w, const uint8_t sha[32], const char *file, const char *path, uint32_t now)
{
	char hex[65], day[DAY_TEXT];
	const char *base = strrchr(file, '/');
	hex_encode(sha, 32, hex);
	hex[64] = 0;
	day_text(day_of(now), day);
	json_t *m = json_pack("{s:s,s:s,s:I,s:s,s:s,s:s}", "segment", w->segment, "file", base ? base + 1 : file, "rows", (json_int_t)w->rows,
	    "sha256", hex, "rules", g->rules->hash_text, "day", day);
	char *text = json_dumps(m, JSON_INDENT(2));
	enum err e = text ? file_replace(path, str_c(text)) : err_set(ERR_NOMEM, "no memory");
	free(text);
	json_decref(m);
	return e;
}

static enum err make_folder(const char *folder)
{
	char part[4096];
	snprintf(part, sizeof part, "%s", folder);
	for (char *p = part + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = 0;
		mkdir(part, 0755);
		*p = '/';
	}
	return mkdir(part, 0755) != 0 && errno != EEXIST ? err_set(ERR_IO, "%s: %s", folder, strerror(errno)) : OK;
}

enum err export_segment(struct generation *g, const struct config *c, uint16_t segment, enum export_format format, enum export_group group,
    const char *partner, const char *folder, uint32_t now, void (*progress)(uint64_t), struct export_result *out)
{
	struct identity_keys keys;
	struct kgate gate = {(uint32_t)c->k, NULL};
	const char *id = g->rules->segments[segment].id, *ending = format == EXPORT_CSV ? "csv" : "ndjson";
	char path[4096], fresh[4200], manifest[4200];
	const struct segment *def = &g->rules->segments[segment];
	const char *state = segment_state(def, day_of(now));
	if (strcmp(state, "active") != 0)
		return err_set(ERR_USAGE, "segment '%s' is %s: it is handed to nobody", id, state);
	if (def->sensitive && !config_list_has(c->sensitive_destinations, str_c(partner)))
		return err_set(ERR_USAGE,
		    "segment '%s' uses a sensitive category; whoever runs crumb can allow '%s' with privacy.sensitive_destinations", id, partner);
	enum err e = keys_identity(g->store->keys, day_of(now), &keys);
	if (e || (e = make_folder(folder)))
		return e;
	snprintf(path, sizeof path, "%s/%s.%s", folder, id, ending);
	snprintf(fresh, sizeof fresh, "%s.part", path);
	snprintf(manifest, sizeof manifest, "%s/%s.manifest.json", folder, id);
	struct writing w = {
	    .format = format, .keys = &keys, .partner = str_c(partner), .segment = id, .target = def->target, .group = group, .progress = progress};
	w.file = fopen(fresh, "wb");
	if (!w.file)
		return err_set(ERR_IO, "%s: %s", fresh, strerror(errno));
	crypto_hash_sha256_init(&w.sha);
	bool told = false;
	if (format == EXPORT_CSV)
		e = put(&w, "id,segment,expires\n", 19);
	if (!e)
		e = view_members(g, &gate, segment, now, wanted, row, &w, &told);
	if (!e && (fflush(w.file) != 0 || fsync(fileno(w.file)) != 0))
		e = err_set(ERR_IO, "%s: %s", fresh, strerror(errno));
	fclose(w.file);
	sodium_memzero(&keys, sizeof keys);
	uint8_t sha[32];
	crypto_hash_sha256_final(&w.sha, sha);
	if (!e && rename(fresh, path) != 0)
		e = err_set(ERR_IO, "%s: %s", path, strerror(errno));
	if (!e)
		e = write_manifest(g, &w, sha, path, manifest, now);
	if (e) {
		unlink(fresh);
		return e;
	}
	out->told = told;
	out->rows = w.rows;
	snprintf(out->file, sizeof out->file, "%s", path);
	return OK;
}
