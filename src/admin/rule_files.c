/* GET /v1/rules/files, /v1/rules/file; POST /v1/rules/edit, check, diff: rules on their way from an
 * idea to a text that can be published. Nothing is written here.
 *
 *     files ─► file ─► edit ─► check ─► diff ─► POST /v1/rules/publish (publishing.c)
 *      hash     text    text, patch                 If-Match: hash
 *
 * The files are read for each request. A text that is proposed takes the place of its file in
 * memory. A comparison that has to replay the journal does so on a thread of its own, which runs
 * when no other wants to; GET /v1/rules/status says how far it is. */
#include "routes.h"

#include "crumb/answers/answers.h"
#include "crumb/answers/comparison.h"
#include "crumb/base/clock.h"
#include "crumb/base/code.h"
#include "crumb/base/low.h"
#include "crumb/base/memory.h"
#include "crumb/base/patch.h"
#include "crumb/base/thread.h"
#include "crumb/ingest/deploy.h"
#include "crumb/load/load.h"
#include "crumb/load/put.h"
#include "crumb/node/publish.h"
#include "crumb/store/store.h"
#include "crumb/yaml/edit.h"

#define EDIT_MOST (256u << 10)
#define KEYS_MOST 50 /* an entry has fewer; each is edited in the text that the one before made */
#define NEW_FILE "rules.yaml" /* where there is no file yet */

/* The options in force: rules.path may have changed since the start. */
static const struct config *options(const struct admin *a)
{
	return a->shared->config;
}

static enum err read_files(const struct admin *a, struct rule_files *f)
{
	return rule_files_read(options(a)->rules_path, f);
}

/* --- what is there */

/* Hashes are of bytes, so that a client sees from the list which of the files it has already. */
static json_t *file_row(const struct rule_file *f)
{
	char hash[RULE_FILES_HASH];
	rule_file_hash(f->text, hash);
	return json_pack(
	    "{s:s,s:I,s:s}", "name", f->name, "bytes", (json_int_t)f->text.n, "hash", hash);
}

/* Whether something can be written is tried each time (load/put.h): a folder is mounted otherwise,
 * or the option is changed, while the server runs. */
static void files(struct admin *a, struct job *j)
{
	struct rule_files f;
	char hash[RULE_FILES_HASH], why[500];
	j->result = read_files(a, &f);
	if (!j->result) {
		json_t *list = json_array();
		for (unsigned i = 0; i < f.n; i++)
			json_array_append_new(list, file_row(&f.list[i]));
		rule_files_hash(&f, hash);
		bool editable = publish_editable(options(a), why);
		j->answer = json_pack("{s:s,s:b,s:o,s:o}", "hash", hash, "editable", editable,
		    "why", editable ? json_null() : json_string(why), "files", list);
	}
	rule_files_done(&f);
}

/* The file that a request is about. */
struct file_asked {
	char name[RULE_FILE_NAME + 1];
};

static enum err take_name(struct file_asked *f, struct str name)
{
	enum err e = rule_file_name(name);
	if (!e)
		snprintf(f->name, sizeof f->name, STR_FMT, STR_ARG(name));
	return e;
}

static enum err file_parse(struct admin *a, struct job *j, const struct asked *q)
{
	(void)a;
	return take_name(j->state, asked_text(q, "name"));
}

static enum err about_parse(struct admin *a, struct job *j, const struct asked *q)
{
	(void)a;
	return take_name(j->state, asked_text(q, "file"));
}

/* JSON holds text alone: of a file in another encoding nothing is told rather than something wrong.
 */
static void file(struct admin *a, struct job *j)
{
	const struct file_asked *asked = j->state;
	struct rule_files all;
	char hash[RULE_FILES_HASH];
	j->result = read_files(a, &all);
	const struct rule_file *f = j->result ? NULL : rule_files_find(&all, str_c(asked->name));
	if (!j->result && !f)
		j->result = err_set(ERR_NOT_FOUND, "there is no file of rules '%s'", asked->name);
	else if (f && utf8_valid(f->text) != f->text.n)
		j->result = err_set(ERR_USAGE, "%s is not UTF-8: save it as UTF-8", f->name);
	if (!j->result) {
		rule_file_hash(f->text, hash);
		j->answer = json_pack("{s:s,s:s,s:o}", "name", f->name, "hash", hash, "text",
		    json_stringn(f->text.p, f->text.n));
	}
	rule_files_done(&all);
}

/* --- an edit of an entry */

/* What an edit may be about, and the section of a file in which entries of the kind stand. */
static const struct {
	const char *kind, *section;
} kinds[] = {{"segment", "segments"}, {"category", "categories"}, {"lookalike", "lookalikes"}};

struct entry_edit {
	const char *section, *id, *file; /* `file` NULL: none was named */
	const json_t *set;
	bool remove;
};

/* No map in the value, nor the value itself, has too many keys: YAML's are compared with each
 * other. As deep as the parser of JSON lets it be. */
static bool few_keys(const json_t *value)
{
	const char *key;
	json_t *inner, *any = (json_t *)(uintptr_t)value;
	size_t i;
	if (json_object_size(value) > KEYS_MOST)
		return false;
	json_object_foreach(any, key, inner)
	{
		if (!few_keys(inner))
			return false;
	}
	json_array_foreach(any, i, inner)
	{
		if (!few_keys(inner))
			return false;
	}
	return true;
}

/* Keys that nobody knows are refused: a misspelt "remove" must not become an empty edit. */
static enum err read_edit(const json_t *body, struct entry_edit *e)
{
	const char *kind = json_string_value(json_object_get(body, "kind")), *key;
	json_t *value;
	*e = (struct entry_edit){.id = json_string_value(json_object_get(body, "id")),
	    .file = json_string_value(json_object_get(body, "file")),
	    .set = json_object_get(body, "set"),
	    .remove = json_is_true(json_object_get(body, "remove"))};
	for (size_t i = 0; kind && i < sizeof kinds / sizeof *kinds; i++)
		if (strcmp(kind, kinds[i].kind) == 0)
			e->section = kinds[i].section;
	if (!json_is_object(body))
		return err_set(ERR_USAGE, "the body is no JSON object");
	json_object_foreach((json_t *)(uintptr_t)body, key,
	    value) if (!str_listed(str_c(key), "kind|id|set|remove|file")) return err_set(ERR_USAGE,
	    "an edit has kind, id, set, remove and file, not '%.60s'", key);
	if (!e->section)
		return err_set(ERR_USAGE, "kind is segment, category or lookalike");
	if (!e->id || !*e->id)
		return err_set(ERR_USAGE, "id names the entry");
	if (e->remove == json_is_object(e->set))
		return err_set(ERR_USAGE, "an edit has either set, an object, or remove");
	if (!few_keys(e->set))
		return err_set(ERR_USAGE,
		    "an edit sets %d keys at most, and so does each map in it", KEYS_MOST);
	return e->file ? rule_file_name(str_c(e->file)) : OK;
}

/* The file that has the entry; else the one that was named; else the one with most entries of this
 * kind, or the first. *has: the entry is there. */
static enum err find_file(
    const struct rule_files *f, const struct entry_edit *e, const char **name, bool *has)
{
	size_t most = 0;
	*has = false;
	*name = f->n ? f->list[0].name : NEW_FILE;
	if (e->file)
		*name = e->file;
	for (unsigned i = 0; i < f->n; i++) {
		struct yaml_entry in = {f->list[i].text, f->list[i].name, e->section, e->id};
		size_t entries = 0;
		bool here = false;
		enum err failed = yaml_edit_look(&in, &entries, &here);
		if (failed && e->file && strcmp(e->file, in.name) == 0)
			return failed;
		if (here && e->file && strcmp(e->file, in.name) != 0)
			return err_set(ERR_USAGE, "'%s' is in %s", e->id, in.name);
		if (here || (!*has && !e->file && entries > most))
			*name = in.name;
		*has |= here;
		most = entries > most ? entries : most;
	}
	return !*has && e->remove
		   ? err_set(ERR_NOT_FOUND, "there is no '%s' in '%s'", e->id, e->section)
		   : OK;
}

/* An entry that is there is changed, one that is not is added (yaml/edit.h). */
static enum err make_edit(
    const struct entry_edit *e, const char *name, struct str text, bool has, struct buf *out)
{
	struct yaml_entry entry = {text, name, e->section, e->id};
	if (e->remove)
		return yaml_edit_remove(&entry, out);
	return has ? yaml_edit_set(&entry, e->set, out) : yaml_edit_add(&entry, e->set, out);
}

/* What somebody has to write by hand: the entry with what was to be set. */
static json_t *written_by_hand(const struct entry_edit *e, const char *why)
{
	struct yaml_entry entry = {STR(""), "the entry", e->section, e->id};
	struct buf text = {0};
	json_t *j = json_pack("{s:s}", "error", why);
	if (e->section && e->id && e->set && yaml_edit_add(&entry, e->set, &text) == OK)
		json_object_set_new(j, "entry", json_stringn(text.p, text.n));
	buf_done(&text);
	return j;
}

/* The hash is of the files that were read for it. Who publishes the text with that hash publishes
 * what was meant, or hears that somebody was faster. */
static void edit_file(struct job *j, const struct rule_files *f, const struct entry_edit *e)
{
	struct buf text = {0}, patch = {0};
	char hash[RULE_FILES_HASH];
	const char *name;
	bool has;
	j->result = find_file(f, e, &name, &has);
	const struct rule_file *now = j->result ? NULL : rule_files_find(f, str_c(name));
	if (!j->result)
		j->result = make_edit(e, name, now ? now->text : STR(""), has, &text);
	if (!j->result) {
		patch_make(now ? now->text : (struct str){NULL, 0},
		    text.n ? buf_view(&text) : STR(""), name, &patch);
		rule_files_hash(f, hash);
		j->answer = json_pack("{s:s,s:s,s:o,s:o}", "file", name, "hash", hash, "text",
		    json_stringn(text.n ? text.p : "", text.n), "patch",
		    json_stringn(patch.n ? patch.p : "", patch.n));
	} else if (j->result == ERR_USAGE) {
		j->answer = written_by_hand(e, err_text());
	}
	buf_done(&text);
	buf_done(&patch);
}

static void edit(struct admin *a, struct job *j)
{
	struct rule_files f = {.n = 0};
	struct entry_edit e;
	struct str body = job_body(j);
	json_t *asked = json_loadb(body.p ? body.p : "", body.n, JSON_REJECT_DUPLICATES, NULL);
	j->result = read_edit(asked, &e);
	if (!j->result)
		j->result = read_files(a, &f);
	if (!j->result)
		edit_file(j, &f, &e);
	rule_files_done(&f);
	json_decref(asked);
}

/* --- a check, and a comparison */

/* Compiles the rules with the body in the place of a file. ERR_SYNTAX: the report says why. */
static enum err compile_proposed(
    const struct admin *a, const struct job *j, struct report *report, struct rules **out)
{
	const struct file_asked *about = j->state;
	const struct config *c = options(a);
	struct rule_files now, wish = {.n = 0};
	struct buf bundle = {0};
	struct str text = j->body.n ? buf_view(&j->body) : STR("");
	char models[FILE_PATH_MAX];
	deploy_models(c, models);
	enum err e = read_files(a, &now);
	if (!e && utf8_valid(text) != text.n)
		e = err_set(ERR_USAGE, "the text is not UTF-8");
	if (!e)
		e = rule_files_with(&now, str_c(about->name), text, &wish);
	if (!e)
		e = rule_files_bundle(&wish, models, &bundle);
	if (!e)
		e = deploy_bundle(c, buf_view(&bundle), report, out);
	buf_done(&bundle);
	rule_files_done(&now);
	rule_files_done(&wish);
	return e;
}

/* Mistakes are the answer here, not its failure. */
static void check(struct admin *a, struct job *j)
{
	struct report report = {0};
	struct rules *r = NULL;
	j->result = compile_proposed(a, j, &report, &r);
	if (!j->result || j->result == ERR_SYNTAX) {
		j->answer = json_pack(
		    "{s:b,s:o}", "ok", j->result == OK, "problems", findings_json(&report));
		j->result = OK;
	}
	rules_unref(r);
	report_done(&report);
}

/* A comparison on its way. The thread that compares has it until it has ended; words of a failure
 * are kept in it, for they belong to the thread that failed. */
struct diffing {
	struct admin *a;
	struct comparing how;
	struct rules *fresh;
	json_t **out;
	enum err result;
	char why[400];
};

/* The share is kept as thousandths and one more; 0: nothing is compared. */
static void note_share(void *arg, double share)
{
	struct admin *a = arg;
	atomic_store(&a->comparing, 1 + (unsigned)(1000 * share));
}

static void compare(struct diffing *d)
{
	d->result = changes_json(&d->how, d->how.serving->rules, d->fresh, d->out);
	if (!d->result && memory_short())
		d->result = memory_check();
	if (d->result)
		snprintf(d->why, sizeof d->why, "%s", err_text());
}

static void *compare_low(void *arg)
{
	low_begin();
	memory_begin();
	compare(arg);
	return NULL;
}

/* Conditions alone are compared at once, as a preview is. Profiles that are made anew take as long
 * as a backfill, and as much disk. */
static void run_diff(struct diffing *d)
{
	pthread_t thread;
	if (!changes_replay(&d->how, d->fresh)) {
		compare(d);
		return;
	}
	if (!store_room_for_another(d->how.store, d->how.serving->number)) {
		d->result = ERR_FULL;
		snprintf(d->why, sizeof d->why,
		    "there is not enough disk for the comparison, which "
		    "makes profiles anew for a while");
		return;
	}
	note_share(d->a, 0);
	d->result = thread_start(&thread, "diff", compare_low, d);
	if (d->result)
		snprintf(d->why, sizeof d->why, "%s", err_text());
	else
		pthread_join(thread, NULL);
	atomic_store(&d->a->comparing, 0);
}

/* The memory is that of previews: both are questions about invented groups. */
static void diff(struct admin *a, struct job *j)
{
	struct report report = {0};
	struct diffing d = {.a = a, .out = &j->answer};
	j->result = compile_proposed(a, j, &report, &d.fresh);
	if (j->result == ERR_SYNTAX)
		j->answer =
		    json_pack("{s:s,s:o}", "error", err_text(), "problems", findings_json(&report));
	report_done(&report);
	if (j->result)
		return;
	d.how = (struct comparing){.store = a->node->store,
	    .config = a->config,
	    .serving = engine_serving(a->node->engine),
	    .gate = &a->gate,
	    .memory = a->asked,
	    .now = clock_now(),
	    .folder = a->node->store->path,
	    .watch = {note_share, a, &a->stop}};
	run_diff(&d);
	if (d.result)
		j->result = err_set(d.result, "%s", d.why);
	generation_unref(d.how.serving);
	rules_unref(d.fresh);
}

/* As of a question: ERR_BUSY is the asker's limit. */
static bool diff_told(struct admin *a, struct job *j)
{
	if (j->result != ERR_BUSY)
		return job_told(a, j);
	admin_refuse(j->ticket, 429, j->why);
	return true;
}

/* --- shapes */

static const struct shape row_fields[] = {
    {"name", SHAPE_TEXT, .when = SHAPE_ALWAYS},
    {"bytes", SHAPE_WHOLE, .when = SHAPE_ALWAYS},
    {"hash", SHAPE_TEXT, .help = "of its text"},
    {0},
};

static const struct shape files_fields[] = {
    {"hash", SHAPE_TEXT, .help = "of all files: what `If-Match` of a publication names"},
    {"editable", SHAPE_TRUTH, .help = "rules can be published here"},
    {"why", SHAPE_TEXT, SHAPE_OR_NULL, .help = "why not, and what to do instead"},
    {"files", SHAPE_LIST, .help = "in order of their names", .of = row_fields},
    {0},
};

static const struct shape file_fields[] = {
    {"name", SHAPE_TEXT, .when = SHAPE_ALWAYS},
    {"hash", SHAPE_TEXT, .help = "of its text"},
    {"text", SHAPE_TEXT, .help = "the file, byte for byte"},
    {0},
};

static const struct shape edit_fields[] = {
    {"file", SHAPE_TEXT, .help = "the file that would change"},
    {"hash", SHAPE_TEXT, .help = "of all files that it was made of, for `If-Match`"},
    {"text", SHAPE_TEXT, .help = "the file as it would be"},
    {"patch", SHAPE_TEXT, .help = "what changes in it, as a unified patch"},
    {0},
};

static const struct shape by_hand_fields[] = {
    {"error", SHAPE_TEXT, .help = "a sentence"},
    {"entry", SHAPE_TEXT, SHAPE_SOMETIMES, .help = "what to write by hand, as YAML"},
    {0},
};

const struct shape finding_shape[] = {
    {"file", SHAPE_TEXT, .when = SHAPE_ALWAYS},
    {"line", SHAPE_WHOLE, .when = SHAPE_ALWAYS},
    {"column", SHAPE_WHOLE, .when = SHAPE_ALWAYS},
    {"severity", SHAPE_TEXT, .help = "`error` or `warning`"},
    {"code", SHAPE_TEXT, .when = SHAPE_ALWAYS},
    {"message", SHAPE_TEXT, .when = SHAPE_ALWAYS},
    {"hint", SHAPE_TEXT, .when = SHAPE_ALWAYS},
    {0},
};

static const struct shape check_fields[] = {
    {"ok", SHAPE_TRUTH, .help = "there are no mistakes; there may be warnings"},
    {"problems", SHAPE_LIST, .help = "as of `crumb rules check --json`", .of = finding_shape},
    {0},
};

static const struct shape problems_fields[] = {
    {"error", SHAPE_TEXT, .help = "the first mistake"},
    {"problems", SHAPE_LIST, SHAPE_SOMETIMES, "all of them", finding_shape},
    {0},
};

static const struct shape renamed_fields[] = {
    {"id", SHAPE_TEXT, .when = SHAPE_ALWAYS},
    {"change", SHAPE_TEXT, .help = "`added`, `removed`, `changed` or `renamed`"},
    {"was", SHAPE_TEXT, SHAPE_SOMETIMES, .help = "its id before"},
    {0},
};

static const struct shape setting_fields[] = {
    {"what", SHAPE_TEXT, .when = SHAPE_ALWAYS},
    {"from", SHAPE_TEXT, .when = SHAPE_OR_NULL},
    {"to", SHAPE_TEXT, .when = SHAPE_OR_NULL},
    {0},
};

static const struct shape like_fields[] = {
    {"seed", SHAPE_TEXT, .when = SHAPE_ALWAYS},
    {"trained", SHAPE_TRUTH, .help = "there is a model; else nobody is in it yet"},
    {0},
};

static const struct shape move_fields[] = {
    {"id", SHAPE_TEXT, .when = SHAPE_ALWAYS},
    {"change", SHAPE_TEXT, .help = "`same`, `added`, `removed`, `changed` or `renamed`"},
    {"before", SHAPE_WHOLE, SHAPE_OR_NULL, .help = "members now; null is withheld"},
    {"after", SHAPE_WHOLE, SHAPE_OR_NULL, .help = "members then"},
    {"enter", SHAPE_WHOLE, SHAPE_OR_NULL, .help = "visitors who would become members"},
    {"stay", SHAPE_WHOLE, SHAPE_OR_NULL, .help = "visitors who are and would be members"},
    {"leave", SHAPE_WHOLE, SHAPE_OR_NULL, .help = "visitors who would cease to be members"},
    {"uncounted", SHAPE_TRUTH, SHAPE_SOMETIMES,
	.help = "more than 32 segments change: the numbers of this one are not counted"},
    {"was", SHAPE_TEXT, SHAPE_SOMETIMES, .help = "its id before"},
    {"from", SHAPE_TEXT, SHAPE_SOMETIMES, .help = "its condition before, where it differs"},
    {"to", SHAPE_TEXT, SHAPE_SOMETIMES, .help = "its condition then"},
    {"when", SHAPE_TEXT, SHAPE_SOMETIMES, .help = "the condition of one that comes or goes"},
    {"settings", SHAPE_LIST, SHAPE_SOMETIMES, "what else changes", setting_fields},
    {"lookalike", SHAPE_OBJECT, SHAPE_SOMETIMES, "of a lookalike", like_fields},
    {0},
};

static const struct shape diff_fields[] = {
    {"categories", SHAPE_LIST, .help = "those that change", .of = renamed_fields},
    {"attributes", SHAPE_LIST, .help = "those that change", .of = renamed_fields},
    {"segments", SHAPE_LIST, .help = "all of them", .of = move_fields},
    {"journeys", SHAPE_LIST, .help = "those that change", .of = renamed_fields},
    {"from_journal", SHAPE_TRUTH, .help = "categories change: the journal was replayed"},
    {0},
};

#define ABOUT                                                                                      \
	{                                                                                          \
		{                                                                                  \
			"file", PARAM_TEXT, PARAM_MUST,                                            \
			    .help = "Name of the file whose text this is; it may be new.",         \
			    .example = "rules.yaml"                                                \
		}                                                                                  \
	}

const struct route routes_rule_files[] = {
    {
	.method = HTTP_M_GET,
	.path = "/v1/rules/files",
	.help = "The files of rules, and whether they can be published here.",
	.role = ROLE_VIEWER,
	.by = BY_TELL,
	.answers = {{200, "the files", .shape = {.kind = SHAPE_OBJECT, .of = files_fields}}},
	.run = files,
    },
    {
	.method = HTTP_M_GET,
	.path = "/v1/rules/file",
	.help = "One file of rules.",
	.role = ROLE_VIEWER,
	.by = BY_TELL,
	.params = {{"name", PARAM_TEXT, PARAM_MUST, .help = "Its name.", .example = "rules.yaml"}},
	.answers = {{200, "the file", .shape = {.kind = SHAPE_OBJECT, .of = file_fields}},
	    {404, .when = "there is no file of this name"}},
	.state = sizeof(struct file_asked),
	.parse = file_parse,
	.run = file,
    },
    {
	.method = HTTP_M_POST,
	.path = "/v1/rules/edit",
	.help = "The file of an entry as it would be with a change: only the entry's lines differ. "
		"Nothing is written.",
	.role = ROLE_MARKETER,
	.by = BY_ASK,
	.body =
	    {"`{\"kind\":\"segment\" or \"category\" or \"lookalike\",\"id\",\"set\":{key: "
	     "value}}`: null removes a key; or `\"remove\":true` for the entry. A new entry goes "
	     "to `\"file\"`, or where others of its kind are.",
		"application/json", EDIT_MOST},
	.answers = {{200, "the file as it would be",
			.shape = {.kind = SHAPE_OBJECT, .of = edit_fields}},
	    {400,
		"this is no edit, or the file cannot be edited without changing what else is in it",
		.shape = {.kind = SHAPE_OBJECT, .of = by_hand_fields}},
	    {404, .when = "there is no such entry to remove"}},
	.run = edit,
    },
    {
	.method = HTTP_M_POST,
	.path = "/v1/rules/check",
	.help = "What is wrong with the rules when a file has this text.",
	.role = ROLE_MARKETER,
	.by = BY_ASK,
	.params = ABOUT,
	.body = {"The whole text of the file.", "text/plain", RULES_TEXT_MOST},
	.answers = {{200, "the findings", .shape = {.kind = SHAPE_OBJECT, .of = check_fields}}},
	.state = sizeof(struct file_asked),
	.parse = about_parse,
	.run = check,
    },
    {
	.method = HTTP_M_POST,
	.path = "/v1/rules/diff",
	.help = "What the rules would do when a file has this text, as `crumb rules diff --json`. "
		"Where categories change, the journal is replayed, which takes as long as a "
		"backfill; `comparing` of `/v1/rules/status` tells how far it is.",
	.role = ROLE_MARKETER,
	.by = BY_LONG,
	.params = ABOUT,
	.body = {"The whole text of the file.", "text/plain", RULES_TEXT_MOST},
	.answers = {{200, "the changes", .shape = {.kind = SHAPE_OBJECT, .of = diff_fields}},
	    {400, "the rules have mistakes",
		.shape = {.kind = SHAPE_OBJECT, .of = problems_fields}},
	    {429, .when = "too many different groups were asked about in a day"}},
	.state = sizeof(struct file_asked),
	.parse = about_parse,
	.run = diff,
	.answer = diff_told,
    },
    {0},
};
