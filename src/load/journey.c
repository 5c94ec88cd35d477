/* Journeys: one entry of the section `journeys`, and its keys. What they name are categories of any
 * file, so names wait with their places until all files are read:
 *
 *     load_journey()      id, name, names of categories, each with its place      (per entry)
 *     number_journeys()   names ─► numbers; what is named twice                   (once, at the
 * end)
 *
 * A journey changes neither what a category is nor who is in a segment, so profiles have all that
 * it asks for (views/adopt.h). */
#include "loader.h"

#include "crumb/base/array.h"
#include "crumb/condition/parse.h"

static void journey_id(struct yaml *y, const yaml_node_t *n, void *w)
{
	yaml_id(y, n, &((struct journey_written *)w)->journey.id);
}
static void journey_name(struct yaml *y, const yaml_node_t *n, void *w)
{
	yaml_keep(y, n, "a name", &((struct journey_written *)w)->journey.name);
}
static bool take_text(
    struct yaml *y, const yaml_node_t *n, const char *what, struct written_text *to)
{
	struct str s;
	if (!yaml_value(y, n, what, &s))
		return false;
	to->text = arena_keep(y->arena, s);
	to->at = yaml_at_offset(y, n, 0, s.n);
	return true;
}
static void journey_from(struct yaml *y, const yaml_node_t *n, void *into)
{
	take_text(y, n, "the category in which it begins", &((struct journey_written *)into)->from);
}
static void journey_within(struct yaml *y, const yaml_node_t *n, void *into)
{
	take_text(y, n, "a number of days such as 14d", &((struct journey_written *)into)->within);
}
/* Those beyond the most are counted, so that the mistake can say so. */
static void journey_step(struct yaml *y, const yaml_node_t *n, void *into)
{
	struct journey_written *w = into;
	struct written_text *to = &w->steps[w->steps_n < JOURNEY_STEPS_MAX ? w->steps_n : 0];
	if (w->steps_n >= JOURNEY_STEPS_MAX || take_text(y, n, "a category", to))
		w->steps_n++;
}
/* A list, or one word. */
static void journey_steps(struct yaml *y, const yaml_node_t *n, void *into)
{
	struct journey_written *w = into;
	if (n->type == YAML_SCALAR_NODE && n->data.scalar.length > 0)
		journey_step(y, n, w);
	else if (yaml_list(y, n, "steps", journey_step, w) && w->steps_n == 0)
		yaml_complain(y, n, "empty", "such as steps: [cart, purchase]",
		    "steps has no category in it");
	if (w->steps_n > JOURNEY_STEPS_MAX)
		yaml_complain(y, n, "too-many", "make two journeys of it, or name a parent",
		    "a journey has at most %d steps, not %u", JOURNEY_STEPS_MAX, w->steps_n);
}

static const struct yaml_key journey_keys[] = {
    {.name = "id",
	.load = journey_id,
	.shape = KEY_TEXT,
	.pattern = YAML_ID_PATTERN,
	.max = YAML_ID_MOST,
	.says = "As the id of a category. Reports are asked for by it."},
    {.name = "name",
	.load = journey_name,
	.aliases = "title",
	.shape = KEY_TEXT,
	.says = "What people read; the id if you leave it out."},
    {.name = "from",
	.load = journey_from,
	.aliases = "start|begin|begins",
	.shape = KEY_TEXT,
	.says = "The category in which the journey begins."},
    {.name = "steps",
	.load = journey_steps,
	.aliases = "to|then|step",
	.shape = KEY_WORDS,
	.max = JOURNEY_STEPS_MAX,
	.says = "The categories to look out for behind it, 1 to 8: the report says in which order "
		"visitors come to them, up to three steps."},
    {.name = "within",
	.load = journey_within,
	.aliases = "in|days|window",
	.shape = KEY_TEXT,
	.pattern = "^[0-9]{1,2}d$",
	.says =
	    "How long the journey may take, as `14d`: the day on which it began, and the 13 after "
	    "it."},
};
const struct yaml_table journey_table = {.name = "journey",
    .what = "a journey",
    YAML_KEYS(journey_keys),
    .required = "id|from|steps|within"};

/* What an entry lacks, with an example; NULL: nothing. */
static const char *lacks(const struct journey_written *w, const char **hint)
{
	*hint = NULL;
	if (!w->journey.id)
		return "an id";
	*hint = "say from: and a category";
	if (!w->from.text.n)
		return "a category in which it begins";
	*hint = "such as steps: [cart, purchase]";
	if (!w->steps_n)
		return "steps";
	*hint = "such as within: 14d";
	return w->within.text.n ? NULL : "a number of days";
}

/* Reads one journey and keeps it as it is written; a mistake in a key loses all of it. */
void load_journey(struct yaml *y, const yaml_node_t *n, void *into)
{
	struct loader *l = loader_of(y);
	(void)into;
	size_t errors = y->report->errors;
	struct journey_written w = {.journey.at = yaml_at(y, n)};
	const char *hint;
	if (!yaml_read(y, n, &journey_table, &w) || y->report->errors != errors)
		return;
	const char *missing = lacks(&w, &hint);
	if (missing) {
		yaml_complain(y, n, "missing", hint, "a journey needs %s", missing);
		return;
	}
	if (!w.journey.name)
		w.journey.name = w.journey.id;
	for (size_t i = 0; i < l->journeys_n; i++)
		if (str_eq(str_c(l->journeys[i].journey.id), str_c(w.journey.id))) {
			yaml_complain(y, n, "twice", "rename one",
			    "journey '%s' is defined twice: also at %s:%zu", w.journey.id,
			    l->journeys[i].journey.at.file, l->journeys[i].journey.at.line);
			return;
		}
	if (l->journeys_n == RULES_JOURNEYS_MAX) {
		yaml_complain(y, n, "too-many", "remove those that nobody looks at",
		    "more than %d journeys", RULES_JOURNEYS_MAX);
		return;
	}
	CHECK(array_room_zeroed(l->journeys, l->journeys_cap, l->journeys_n + 1));
	l->journeys[l->journeys_n++] = w;
}

/* --- when all files are read */

static struct yaml_place written_place(const void *arg, size_t offset, size_t length)
{
	struct yaml_place at = ((const struct written_text *)arg)->at;
	at.column += offset;
	at.length = length;
	return at;
}

/* False, and reported: the journey has been there already on its way to step `n`. */
static bool new_step(struct loader *l, const struct journey_written *w, unsigned n)
{
	const struct journey *j = &w->journey;
	bool fine = j->steps[n] != j->from;
	for (unsigned i = 0; i < n; i++)
		fine &= j->steps[n] != j->steps[i];
	if (!fine)
		report_add(l->yaml.report, &w->steps[n].at, SEVERITY_ERROR, "twice",
		    "leave one out: what happened in it later is no other step",
		    "journey '%s' names category '%s' twice", j->id,
		    l->r->categories[j->steps[n]].id);
	return fine;
}

/* Numbers for the names of one journey. */
static bool number_journey(struct loader *l, struct journey_written *w)
{
	struct rules *r = l->r;
	struct report *to = l->yaml.report;
	struct journey *j = &w->journey;
	struct condition_place place = {written_place, &w->from};
	bool fine = condition_category(r, w->from.text, &place, to, &j->from);
	place.arg = &w->within;
	fine &= condition_days(r, w->within.text, &place, to, &j->within);
	j->within_at = w->within.at;
	for (j->steps_n = 0; j->steps_n < w->steps_n; j->steps_n++) {
		place.arg = &w->steps[j->steps_n];
		uint16_t *step = &j->steps[j->steps_n];
		if (!condition_category(r, w->steps[j->steps_n].text, &place, to, step))
			fine = false;
		else if (fine)
			fine = new_step(l, w, j->steps_n);
	}
	return fine;
}

void number_journeys(struct loader *l)
{
	struct rules *r = l->r;
	r->journeys = arena_alloc(&r->arena, (l->journeys_n + 1) * sizeof *r->journeys);
	for (size_t i = 0; i < l->journeys_n; i++)
		if (number_journey(l, &l->journeys[i]))
			r->journeys[r->journeys_n++] = l->journeys[i].journey;
}
