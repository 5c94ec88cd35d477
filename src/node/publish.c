/* The steps of a publication. Who may publish is asked before; here it is asked whether it can be
 * done, and whether it is still meant as it was. */
#include "crumb/node/publish.h"

#include "crumb/answers/answers.h"
#include "crumb/base/clock.h"
#include "crumb/base/code.h"
#include "crumb/base/log.h"
#include "crumb/base/patch.h"
#include "crumb/ingest/deploy.h"
#include "crumb/node/published.h"
#include "crumb/views/adopt.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>

#define WHY_MOST 500 /* bytes */

void published_end(struct published *p)
{
	report_done(&p->report);
	buf_done(&p->patch);
}

static enum err settle_as(struct published *out, enum outcome outcome, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static enum err settle_as(struct published *out, enum outcome outcome, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	out->outcome = outcome;
	vsnprintf(out->why, sizeof out->why, fmt, ap);
	va_end(ap);
	return OK;
}

bool publish_editable(const struct config *c, char why[500])
{
	bool closed = c->rules_editable == CONFIG_NO;
	if (!closed && rule_files_writable(c->rules_path) == OK)
		return true;
	snprintf(why, 500,
	    "%.300s: take the patch, put it where the rules come from, and say "
	    "'crumb rules deploy' there",
	    closed ? "rules are not published from here (rules.editable is no)" : err_text());
	return false;
}

/* --- sizes of what changes */

/* The size of a segment now; null: withheld, or not there. */
static json_t *size_of(const struct generation *g, const struct group_sizes *sizes, const char *id)
{
	int i = rules_segment(g->rules, str_c(id));
	return i < 0 ? json_null() : shown_json(sizes->segments[i]);
}

static void add_changed(
    json_t *list, const struct generation *g, const struct group_sizes *sizes, const char *id)
{
	json_array_append_new(
	    list, json_pack("{s:s,s:o,s:n}", "id", id, "before", size_of(g, sizes, id), "after"));
}

/* [{"id","before","after"}] of segments that `fresh` changes, adds or removes. */
static json_t *changed_segments(const struct publishing *p, const struct rules *fresh)
{
	struct group_sizes sizes;
	const struct rules *old = p->newest;
	json_t *list = json_array();
	if (!p->serving || view_sizes(p->serving, p->gate, clock_now(), &sizes) != OK)
		return list;
	for (size_t i = 0; i < fresh->segments_n; i++) {
		uint16_t was;
		if (!segment_unchanged(old, fresh, (uint16_t)i, &was))
			add_changed(list, p->serving, &sizes, fresh->segments[i].id);
	}
	for (size_t i = 0; i < old->segments_n; i++)
		if (rules_segment(fresh, str_c(old->segments[i].id)) < 0)
			add_changed(list, p->serving, &sizes, old->segments[i].id);
	view_sizes_done(&sizes);
	return list;
}

void publish_note_sizes(const struct publishing *p)
{
	const char *store = p->config->store_path;
	unsigned n = published_newest(store);
	struct group_sizes sizes;
	json_t *j = NULL, *row;
	size_t i;
	if (!p->serving || !p->serves || !n || published_read(store, n, &j) != OK)
		return;
	const char *state = json_string_value(json_object_get(j, "state"));
	bool done = state && strcmp(state, "done") == 0;
	if (done && view_sizes(p->serving, p->gate, clock_now(), &sizes) == OK) {
		json_array_foreach(json_object_get(j, "segments"), i, row)
		    json_object_set_new(row, "after",
			size_of(p->serving, &sizes, json_string_value(json_object_get(row, "id"))));
		json_object_set_new(j, "state", json_string("sized"));
		view_sizes_done(&sizes);
		if (published_save(store, n, j) != OK)
			log_warn("rules", "the history cannot be written why=\"%s\"", err_text());
	}
	json_decref(j);
}

/* --- the steps */

/* What is to be published: a file's text in place of the one that is there. */
struct change {
	const char *name;
	struct str text; /* p NULL: the file goes */
	unsigned undoes; /* 0: nothing */
	struct rule_files now, wish;
	struct str before; /* p NULL: the file is new */
};

static void change_done(struct change *c)
{
	rule_files_done(&c->now);
	rule_files_done(&c->wish);
}

/* A server that reads one file has no second one. */
static enum err wish_for(struct change *c, struct published *out, bool *fine)
{
	const struct rule_file *f = rule_files_find(&c->now, str_c(c->name));
	c->before = f ? f->text : (struct str){NULL, 0};
	*fine = f || c->now.folder;
	if (!*fine)
		return settle_as(out, PUBLISH_REFUSED,
		    "the server reads one file of rules, %s, and no other", c->now.list[0].name);
	snprintf(out->file, sizeof out->file, "%s", c->name);
	patch_make(c->before, c->text, c->name, &out->patch);
	return rule_files_with(&c->now, str_c(c->name), c->text, &c->wish);
}

/* The rules as they would be; NULL: they have mistakes, and that was said. */
static enum err compile_wish(
    const struct publishing *p, struct change *c, struct published *out, struct rules **rules)
{
	char models[FILE_PATH_MAX];
	struct buf bundle = {0};
	deploy_models(p->config, models);
	*rules = NULL;
	enum err e = rule_files_bundle(&c->wish, models, &bundle);
	if (!e)
		e = deploy_bundle(p->config, buf_view(&bundle), &out->report, rules);
	buf_done(&bundle);
	if (e == ERR_SYNTAX)
		return settle_as(out, PUBLISH_REFUSED, "these rules have mistakes: %s", err_text());
	return e;
}

static json_t *publication(
    const struct publishing *p, const struct change *c, const struct rules *fresh)
{
	char before[RULE_FILES_HASH] = "", after[RULE_FILES_HASH] = "", hash[RULE_FILES_HASH];
	struct str why = p->why.p ? p->why : STR("");
	why.n = why.n > WHY_MOST ? WHY_MOST : why.n;
	if (c->before.p)
		rule_file_hash(c->before, before);
	if (c->text.p)
		rule_file_hash(c->text, after);
	rule_files_hash(&c->wish, hash);
	return json_pack("{s:I,s:s,s:s,s:o,s:s,s:s,s:s,s:s,s:o,s:o}", "t", (json_int_t)clock_now(),
	    "who", p->who, "role", p->role, "why", json_stringn(why.p, utf8_valid(why)), "file",
	    c->name, "hash", hash, "file_before", before, "file_after", after, "segments",
	    changed_segments(p, fresh), "undoes",
	    c->undoes ? json_integer(c->undoes) : json_null());
}

/* Writes the history, then the file, and has the rules read. */
static enum err carry_out(
    const struct publishing *p, struct change *c, const struct rules *fresh, struct published *out)
{
	const char *store = p->config->store_path;
	json_t *j = publication(p, c, fresh);
	bool changed = false;
	struct str patch = out->patch.n ? buf_view(&out->patch) : STR("");
	enum err e = j ? OK : err_set(ERR_NOMEM, "no memory for this now");
	if (!e)
		e = published_begin(store, j, c->before, patch, &out->n);
	if (!e) {
		e = rule_files_take(p->config->rules_path, &c->now, &c->wish, RULE_FILES_NOTHING,
		    p->reload, p->arg, &changed);
		if (e)
			published_drop(store, out->n);
		else if (published_done(store, out->n, j) != OK)
			log_warn("rules", "the history cannot be written why=\"%s\"", err_text());
	}
	json_decref(j);
	if (e && changed)
		return err_wrap(e, "a file of rules could not be put back");
	if (e == ERR_SYNTAX)
		return settle_as(out, PUBLISH_REFUSED, "these rules are refused: %s", err_text());
	if (!e)
		rule_files_hash(&c->wish, out->hash);
	published_prune(store, clock_now());
	return e;
}

static bool same_text(const struct change *c)
{
	return !c->before.p == !c->text.p && str_eq(c->before, c->text);
}

/* With the lock, when it is known that the files are those that are meant. */
static enum err publish_change(const struct publishing *p, struct change *c, struct published *out)
{
	struct rules *fresh = NULL;
	bool fine = false;
	enum err e = wish_for(c, out, &fine);
	if (e || !fine)
		return e;
	if (same_text(c))
		return settle_as(out, PUBLISH_NOTHING, "%s says this already", c->name);
	if (rule_files_writable(p->config->rules_path) != OK)
		return settle_as(out, PUBLISH_CLOSED, "%s", err_text());
	e = compile_wish(p, c, out, &fresh);
	if (!e && fresh)
		e = carry_out(p, c, fresh, out);
	rules_unref(fresh);
	return e;
}

/* Takes the lock, and reads what is there. */
static enum err begin_publishing(
    const struct publishing *p, struct published *out, struct change *c, int *lock)
{
	const char *path = p->config->rules_path;
	memset(out, 0, sizeof *out);
	enum err e = rule_files_lock(path, RULE_FILES_WAIT_S, lock);
	if (e)
		return e;
	published_recover(p->config->store_path, path);
	publish_note_sizes(p);
	e = rule_files_read(path, &c->now);
	if (!e)
		rule_files_hash(&c->now, out->hash);
	if (e)
		rule_files_unlock(*lock);
	return e;
}

enum err publish_file(const struct publishing *p, struct str name, struct str text,
    struct str match, struct published *out)
{
	char file[256];
	struct change c = {.name = file, .text = text.p ? text : STR("")};
	int lock;
	enum err e = begin_publishing(p, out, &c, &lock);
	if (e) {
		change_done(&c);
		return e;
	}
	snprintf(file, sizeof file, STR_FMT, STR_ARG(name));
	if (rule_file_name(name) != OK) {
		e = settle_as(out, PUBLISH_REFUSED, "%s", err_text());
	} else if (!str_eq(match, str_c(out->hash))) {
		const struct rule_file *f = rule_files_find(&c.now, name);
		patch_make(f ? f->text : (struct str){NULL, 0}, c.text, file, &out->patch);
		e = settle_as(out, PUBLISH_STALE,
		    "somebody was faster: the rules are no longer those that this was made of; "
		    "read them again and make the change anew");
	} else {
		e = publish_change(p, &c, out);
	}
	rule_files_unlock(lock);
	change_done(&c);
	return e;
}

/* The publication to be undone; a wrong outcome: it cannot be. */
static enum err newest_of(const struct publishing *p, struct published *out, json_t **j)
{
	unsigned n = published_newest(p->config->store_path);
	if (!n)
		return settle_as(out, PUBLISH_NOTHING,
		    "nothing was published yet, so there is nothing to "
		    "undo");
	enum err e = published_read(p->config->store_path, n, j);
	const char *hash = e ? NULL : json_string_value(json_object_get(*j, "hash"));
	if (!e && (!hash || strcmp(hash, out->hash) != 0))
		return settle_as(out, PUBLISH_STALE,
		    "the files were changed since publication %u, by hand or by 'crumb rules "
		    "deploy': undoing it would undo that, too; change them by hand",
		    n);
	return e;
}

/* The change that takes the newest publication back. What `c` points to is in `j` and `before`. */
static enum err change_back(const struct publishing *p, struct published *out, struct change *c,
    json_t **j, struct buf *before)
{
	const char *store = p->config->store_path;
	bool there = false;
	enum err e = newest_of(p, out, j);
	if (e || out->outcome != PUBLISHED)
		return e;
	c->undoes = published_newest(store);
	c->name = json_string_value(json_object_get(*j, "file"));
	e = published_before(store, c->undoes, before, &there);
	if (!e && there)
		c->text = before->n ? buf_view(before) : STR("");
	return e;
}

enum err publish_undo(const struct publishing *p, struct published *out)
{
	struct change c = {.name = ""};
	struct buf before = {0};
	json_t *j = NULL;
	int lock;
	enum err e = begin_publishing(p, out, &c, &lock);
	if (e) {
		change_done(&c);
		return e;
	}
	e = change_back(p, out, &c, &j, &before);
	if (!e && out->outcome == PUBLISHED)
		e = publish_change(p, &c, out);
	rule_files_unlock(lock);
	change_done(&c);
	buf_done(&before);
	json_decref(j);
	return e;
}

enum err publish_undo_patch(const struct publishing *p, struct published *out)
{
	struct change c = {.name = ""};
	struct buf before = {0};
	json_t *j = NULL;
	memset(out, 0, sizeof *out);
	enum err e = rule_files_read(p->config->rules_path, &c.now);
	if (!e)
		rule_files_hash(&c.now, out->hash);
	if (!e)
		e = change_back(p, out, &c, &j, &before);
	if (!e && out->outcome == PUBLISHED) {
		const struct rule_file *f = rule_files_find(&c.now, str_c(c.name));
		patch_make(f ? f->text : (struct str){NULL, 0}, c.text, c.name, &out->patch);
		out->outcome = PUBLISH_CLOSED;
		(void)publish_editable(p->config, out->why);
	}
	change_done(&c);
	buf_done(&before);
	json_decref(j);
	return e;
}
