/* rules diff: what a change of rules would do, and to whom.
 *
 * Two sides are compared visitor by visitor (ask/ask.h). Each side has rules, and needs profiles
 * that hold what its conditions ask for:
 *
 *     adopt_possible()   the profiles that serve have it, as when only segments have changed
 *     else               profiles are made from the journal into a temporary folder
 * (views/trial.h), which takes as long as a backfill
 *
 * Categories, attributes and settings are compared as texts and hashes; a category or segment that
 * is gone and one that is new are the same under another name when their hashes are equal. Numbers
 * pass the k gate. */
#include "crumb/views/adopt.h"
#include "crumb/ask/ask.h"
#include "crumb/views/trial.h"
#include "crumb/base/clock.h"
#include "crumb/cli/cli.h"
#include "crumb/ingest/deploy.h"
#include "crumb/rules/like.h"
#include "crumb/store/store.h"
#include "findings.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

/* --- the two sides */

struct side {
	struct rules *rules;
	struct trial trial; /* profiles from the journal; its generation NULL: none were needed */
	char folder[CLI_TEMPORARY]; /* of the trial; "": there is none */
	struct ask_side ask;	    /* borrows from the above, or from c->generation */
};

static void show_progress(double share)
{
	cli_progress("replaying the journal", (uint64_t)(share * 100), 100);
}

/* Rules of one side: those of a path, or those that serve. */
static struct rules *load_side(struct cli *c, const char *path)
{
	struct rules *r = NULL;
	struct report report = {0};
	if (!path || strcmp(path, "serving") == 0)
		return rules_ref(c->generation->rules);
	if (deploy_rules(&c->config, path, &report, &r) != OK)
		cli_fail("%s: %s", path, err_text());
	report_done(&report);
	return r;
}

/* Finds or makes the profiles of a side. False: it was said why; close_side() is called all the
 * same. */
static bool open_side(struct cli *c, const char *path, struct side *s)
{
	s->rules = load_side(c, path);
	s->ask = (struct ask_side){.rules = s->rules, .generation = c->generation};
	if (!s->rules || adopt_possible(c->generation->rules, s->rules))
		return s->rules != NULL;
	if (!cli_temporary("diff", s->folder))
		return false;
	enum err e = trial_open(
	    c->store, &c->config, s->rules, s->folder, clock_now(), show_progress, &s->trial);
	cli_progress_end();
	if (e)
		cli_fail("%s", err_text());
	else
		s->ask.generation = s->trial.generation;
	return e == OK;
}

static void close_side(struct side *s)
{
	if (s->trial.generation)
		trial_close(&s->trial);
	cli_temporary_end(s->folder);
	rules_unref(s->rules);
}

/* --- categories and attributes */

static bool has_patterns(const struct category *c)
{
	return c->any.n || c->all.n || c->none.n;
}

static bool same_hash(const struct hash16 *a, const struct hash16 *b)
{
	return memcmp(a, b, sizeof *a) == 0;
}

/* The category of `old` that is gone and had the patterns of `c`; -1: there is none. `taken` keeps
 * one old category from standing for two new ones. */
static int category_before(
    const struct rules *old, const struct rules *fresh, const struct category *c, bool *taken)
{
	for (size_t i = 1; i < old->categories_n && has_patterns(c); i++)
		if (!taken[i] && same_hash(&old->categories[i].own, &c->own) &&
		    rules_category(fresh, str_c(old->categories[i].id)) < 0) {
			taken[i] = true;
			return (int)i;
		}
	return -1;
}

/* Compares the patterns of each category itself. Those of its children are told as the
 * children's. */
static json_t *category_changes(const struct rules *old, const struct rules *fresh)
{
	json_t *list = json_array();
	bool *taken = calloc(old->categories_n + 1, sizeof *taken);
	CHECK(taken);
	for (size_t i = 1; i < fresh->categories_n; i++) {
		const struct category *c = &fresh->categories[i];
		int was = rules_category(old, str_c(c->id)),
		    before = was < 0 ? category_before(old, fresh, c, taken) : -1;
		if (before >= 0)
			json_array_append_new(
			    list, json_pack("{s:s,s:s,s:s}", "id", c->id, "change", "renamed",
				      "was", old->categories[before].id));
		else if (was < 0)
			json_array_append_new(
			    list, json_pack("{s:s,s:s}", "id", c->id, "change", "added"));
		else if (!same_hash(&old->categories[was].own, &c->own))
			json_array_append_new(
			    list, json_pack("{s:s,s:s}", "id", c->id, "change", "changed"));
	}
	for (size_t i = 1; i < old->categories_n; i++)
		if (!taken[i] && rules_category(fresh, str_c(old->categories[i].id)) < 0)
			json_array_append_new(
			    list, json_pack("{s:s,s:s}", "id", old->categories[i].id, "change",
				      "removed"));
	free(taken);
	return list;
}

static json_t *attribute_changes(const struct rules *old, const struct rules *fresh)
{
	json_t *list = json_array();
	for (size_t i = 0; i < fresh->vocabularies_n; i++) {
		const struct vocabulary *v = &fresh->vocabularies[i],
					*was = rules_vocabulary(old, str_c(v->id));
		if (!was || was->hash != v->hash)
			json_array_append_new(list, json_pack("{s:s,s:s}", "id", v->id, "change",
							was ? "changed" : "added"));
	}
	for (size_t i = 0; i < old->vocabularies_n; i++)
		if (!rules_vocabulary(fresh, str_c(old->vocabularies[i].id)))
			json_array_append_new(
			    list, json_pack("{s:s,s:s}", "id", old->vocabularies[i].id, "change",
				      "removed"));
	return list;
}

/* --- segments */

static void put_words(json_t *to, const char *what, const struct str *list, unsigned n)
{
	struct buf b = {0};
	for (unsigned i = 0; i < n; i++) {
		buf_c(&b, i ? ", " : "");
		buf_str(&b, list[i]);
	}
	if (b.n)
		json_object_set_new(to, what, json_stringn(b.p, b.n));
	buf_done(&b);
}

static void put_setting(json_t *to, const char *what, const char *text)
{
	if (text && *text)
		json_object_set_new(to, what, json_string(text));
}

static void put_lookalike(json_t *to, const struct lookalike *l)
{
	char text[64];
	put_setting(to, "seed", l->seed);
	put_setting(to, "population", l->population);
	put_setting(to, "exclude", l->exclude);
	put_words(to, "categories that are not learned from", l->ignore, l->ignore_n);
	if (l->reach > 0)
		snprintf(text, sizeof text, "%g%%", 100 * l->reach);
	else if (l->size)
		snprintf(text, sizeof text, "size %ld", l->size);
	else
		snprintf(text, sizeof text, "min_lift %g", l->min_lift);
	put_setting(to, "reach", text);
	snprintf(text, sizeof text, "every %u days", l->refresh_days);
	if (l->refresh_days == 0)
		put_setting(to, "refresh", "by hand");
	else if (l->refresh_days == 1)
		put_setting(to, "refresh", "daily");
	else
		put_setting(to, "refresh", l->refresh_days == 7 ? "weekly" : text);
}

/* All of a segment but its condition, in words, by key. */
static json_t *settings_of(const struct segment *s)
{
	char text[64], day[DAY_TEXT];
	json_t *j = json_object();
	put_setting(j, "name", s->name);
	put_words(j, "destinations", s->destinations, s->destinations_n);
	put_setting(j, "owner", s->owner);
	snprintf(text, sizeof text, "size < %ld", s->alert);
	put_setting(j, "alert", s->alert ? text : NULL);
	snprintf(text, sizeof text, "%u/%u", s->target, 100 - s->target);
	put_setting(j, "split", s->target < 100 ? text : NULL);
	put_setting(j, "state", s->paused ? "paused" : "active");
	day_text(s->until, day);
	put_setting(j, "until", s->until ? day : NULL);
	snprintf(text, sizeof text, "%ld", s->iab);
	put_setting(j, "iab", s->iab ? text : NULL);
	put_words(j, "labels", s->labels.list, s->labels.n);
	put_setting(j, "sensitive", s->sensitive ? "yes" : NULL);
	if (s->like)
		put_lookalike(j, s->like);
	return j;
}

static json_t *or_null(json_t *v)
{
	return v ? json_incref(v) : json_null();
}

/* [{"what","from","to"}]. A setting that one side does not have is null on that side. */
static json_t *setting_changes(const struct segment *a, const struct segment *b)
{
	json_t *was = settings_of(a), *will = settings_of(b), *all = json_copy(was),
	       *list = json_array(), *value;
	const char *what;
	json_object_update(all, will);
	json_object_foreach(all, what, value)
	{
		json_t *from = json_object_get(was, what), *to = json_object_get(will, what);
		if (!json_equal(from, to))
			json_array_append_new(list, json_pack("{s:s,s:o,s:o}", "what", what, "from",
							or_null(from), "to", or_null(to)));
	}
	json_decref(all);
	json_decref(will);
	json_decref(was);
	return list;
}

/* What happens to a segment that was `a` and will be `b`; NULL: it is not there. */
static const char *change_of(const struct segment *a, const struct segment *b, bool same)
{
	if (!a)
		return "added";
	if (!b)
		return "removed";
	if (strcmp(a->id, b->id) != 0)
		return "renamed";
	return same ? "same" : "changed";
}

static json_t *move_json(const struct rules *old, const struct rules *fresh, const struct move *m)
{
	const struct segment *a = m->was >= 0 ? &old->segments[m->was] : NULL;
	const struct segment *b = m->will >= 0 ? &fresh->segments[m->will] : NULL;
	const char *change = change_of(a, b, m->same);
	bool renamed = strcmp(change, "renamed") == 0;
	json_t *j = json_pack("{s:s,s:s,s:o,s:o,s:o,s:o,s:o}", "id", m->id, "change", change,
	    "before", cli_shown(m->before), "after", cli_shown(m->after), "enter",
	    cli_shown(m->enter), "stay", cli_shown(m->stay), "leave", cli_shown(m->leave));
	if (renamed)
		json_object_set_new(j, "was", json_string(a->id));
	if (a && b && strcmp(a->when, b->when) != 0) {
		json_object_set_new(j, "from", json_string(a->when));
		json_object_set_new(j, "to", json_string(b->when));
	} else if (!a || !b) {
		json_object_set_new(j, "when", json_string(a ? a->when : b->when));
	}
	if (a && b)
		json_object_set_new(j, "settings", setting_changes(a, b));
	if (b && b->like)
		json_object_set_new(j, "lookalike",
		    json_pack(
			"{s:s,s:b}", "seed", b->like->seed, "trained", b->like->model != NULL));
	return j;
}

static json_t *compare_sides(struct cli *c, const struct side *before, const struct side *after)
{
	struct move *moves;
	size_t n;
	if (ask_diff(&before->ask, &after->ask, &c->gate, clock_now(), &moves, &n) != OK) {
		cli_fail("%s", err_text());
		return NULL;
	}
	json_t *segments = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(segments, move_json(before->rules, after->rules, &moves[i]));
	free(moves);
	return json_pack("{s:o,s:o,s:o,s:b}", "categories",
	    category_changes(before->rules, after->rules), "attributes",
	    attribute_changes(before->rules, after->rules), "segments", segments, "from_journal",
	    before->trial.generation || after->trial.generation);
}

/* The sides are some hundred kilobytes, too much for the stack. */
json_t *diff_json(struct cli *c, const char *old, const char *fresh)
{
	struct side *sides = calloc(2, sizeof *sides);
	json_t *j = NULL;
	CHECK(sides);
	if (cli_open_journal(c) && open_side(c, old, &sides[0]) && open_side(c, fresh, &sides[1]))
		j = compare_sides(c, &sides[0], &sides[1]);
	close_side(&sides[0]);
	close_side(&sides[1]);
	free(sides);
	return j;
}

/* --- for people */

static const char *text(const json_t *row, const char *key)
{
	const char *s = json_string_value(json_object_get(row, key));
	return s ? s : "none";
}

static const char *number_text(const json_t *row, const char *key, char out[32], uint32_t k)
{
	const json_t *n = json_object_get(row, key);
	if (json_is_integer(n))
		snprintf(out, 32, "%lld", (long long)json_integer_value(n));
	else
		snprintf(out, 32, "fewer than %u", k);
	return out;
}

static void print_names(const json_t *list, const char *what)
{
	size_t i;
	json_t *row;
	json_array_foreach(list, i, row)
	{
		if (json_object_get(row, "was"))
			printf("%s %s is now called %s\n", what, text(row, "was"), text(row, "id"));
		else
			printf("%s %s is %s\n", what, text(row, "id"), text(row, "change"));
	}
}

/* The condition before and after, and how many visitors that moves. Into a segment that is added
 * visitors only enter, out of one that is removed they only leave. */
static void print_move(const json_t *row, uint32_t k)
{
	char a[32], b[32], d[32];
	const char *change = text(row, "change");
	const json_t *like = json_object_get(row, "lookalike");
	if (like && !json_is_true(json_object_get(like, "trained"))) {
		printf("    like  %s; nobody is in it before 'crumb lookalike train %s', or the "
		       "next night\n",
		    text(like, "seed"), text(row, "id"));
		return;
	}
	if (json_object_get(row, "from"))
		printf("    from  %s\n    to    %s\n", text(row, "from"), text(row, "to"));
	else if (json_object_get(row, "when"))
		printf("    when  %s\n", text(row, "when"));
	else
		puts("    its condition reads as before, but something that it refers to has "
		     "changed");
	if (strcmp(change, "added") == 0)
		printf("    enter %s\n", number_text(row, "enter", a, k));
	else if (strcmp(change, "removed") == 0)
		printf("    leave %s\n", number_text(row, "leave", d, k));
	else
		printf("    enter %s, stay %s, leave %s\n", number_text(row, "enter", a, k),
		    number_text(row, "stay", b, k), number_text(row, "leave", d, k));
}

static void print_segment(const json_t *row, uint32_t k)
{
	const char *change = text(row, "change"), *id = text(row, "id");
	size_t i;
	json_t *one;
	if (strcmp(change, "renamed") == 0)
		printf("segment %s is now called %s: the same visitors; pages, exports and "
		       "partners know it by the new name\n",
		    text(row, "was"), id);
	else if (strcmp(change, "same") == 0)
		printf("segment %s: the same visitors\n", id);
	else
		printf("segment %s is %s\n", id, change);
	if (strcmp(change, "renamed") != 0 && strcmp(change, "same") != 0)
		print_move(row, k);
	json_array_foreach(json_object_get(row, "settings"), i, one)
	    printf("    %s: %s \u2192 %s\n", text(one, "what"), text(one, "from"), text(one, "to"));
}

static bool is_same(const json_t *row)
{
	return strcmp(text(row, "change"), "same") == 0 &&
	       json_array_size(json_object_get(row, "settings")) == 0;
}

void diff_print(const json_t *root, uint32_t k)
{
	size_t i, same = 0;
	json_t *row;
	print_names(json_object_get(root, "attributes"), "attribute");
	print_names(json_object_get(root, "categories"), "category");
	json_array_foreach(json_object_get(root, "segments"), i, row)
	{
		same += is_same(row);
		if (!is_same(row))
			print_segment(row, k);
	}
	printf("%zu %s\n", same,
	    cli_plural(same, "segment stays as it is", "segments stay as they are"));
}

static int diff(struct cli *c, int argc, char **argv)
{
	const char *first = cli_word(argc, argv), *second = cli_word(argc, argv);
	if (!first || !cli_all_used(argc, argv))
		return cli_misuse("rules diff wants OLD and NEW: folders or files of rules; one "
				  "alone is compared with what serves");
	json_t *root = second ? diff_json(c, first, second) : diff_json(c, NULL, first);
	if (!root)
		return EXIT_WRONG;
	if (c->json) {
		cli_print_json(root);
	} else {
		diff_print(root, kgate_k(&c->gate));
		json_decref(root);
	}
	return EXIT_FINE;
}

const struct command commands_diff[] = {
    {.name = "rules diff",
	.args = "[OLD] NEW [--json]",
	.summary = "what a change of rules would do, before it is deployed",
	.help = "OLD and NEW are folders or files of rules. OLD may be left out, or be "
		"'serving', for the rules that serve now. Says which attributes, categories and "
		"segments are added, removed, changed or renamed. For each segment it says how "
		"many visitors would enter, stay and leave, on live data. A category is changed "
		"when its own patterns are: its children are told under their own names.\n\n"
		"Changes beside the condition (destinations, owner, alert and the like) are "
		"told, too; in JSON as \"settings\":[{\"what\",\"from\",\"to\"}]. Where "
		"categories change, the journal is replayed into a temporary folder, which takes "
		"as long as a backfill.",
	.run = diff},
    {0},
};
