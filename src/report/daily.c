/* Reading a report: the check of the file, an index of its lines by kind and id, and lines as JSON.
 * The text was written by this program and its sum is right, so a line that does not read is a bug
 * or a lie; the report then counts as damaged. */
#include "crumb/report/daily.h"

#include "crumb/base/array.h"
#include "crumb/base/clock.h"
#include "crumb/base/file.h"
#include "crumb/disk/checked.h"
#include "crumb/report/days.h"
#include "reporting.h"

#include <jansson.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

struct line {
	char kind;	 /* enum daily_kind */
	struct str json; /* in the text */
};

/* Constant once it is made, but for the references. */
struct daily {
	_Atomic int refs; /* shared */
	struct buf text;
	uint32_t made, k;
	uint16_t day;
	char rules[RULES_HASH_TEXT];
	struct map by_name; /* "s coat-fans" -> place in `lines`; keys are in `text` */
	struct line *lines; /* in the order of the file */
	size_t lines_n, lines_cap;
};

struct daily *daily_ref(struct daily *d)
{
	if (d)
		atomic_fetch_add(&d->refs, 1);
	return d;
}

void daily_unref(struct daily *d)
{
	if (!d || atomic_fetch_sub(&d->refs, 1) != 1)
		return;
	map_done(&d->by_name);
	free(d->lines);
	buf_done(&d->text);
	free(d);
}

/* --- reading the text */

/* NULL: it is no JSON. */
static json_t *parse_line(struct str line)
{
	return json_loadb(line.p, line.n, JSON_REJECT_DUPLICATES, NULL);
}

static bool read_head(struct daily *d, struct str line)
{
	json_t *head = parse_line(line);
	const char *day, *rules;
	json_int_t made, k;
	bool fine = head &&
		    json_unpack(head, "{s:I,s:s,s:s,s:I}", "made", &made, "day", &day, "rules",
			&rules, "k", &k) == 0 &&
		    made > 0 && made <= UINT32_MAX && k > 0 && k <= UINT32_MAX &&
		    day_parse(day, strlen(day), &d->day) && strlen(rules) < sizeof d->rules;
	if (fine) {
		d->made = (uint32_t)made;
		d->k = (uint32_t)k;
		snprintf(d->rules, sizeof d->rules, "%s", rules);
	}
	json_decref(head);
	return fine;
}

/* "s coat-fans {…}": the name is "s coat-fans". */
static bool index_line(struct daily *d, struct str line)
{
	if (line.n < 5 || line.p[1] != ' ')
		return false;
	size_t name = 2 + str_find(str_skip(line, 2), ' ');
	struct str json = str_skip(line, name + 1);
	if (!json.n || !array_room(d->lines, d->lines_cap, d->lines_n + 1) ||
	    !map_room(&d->by_name))
		return false;
	d->lines[d->lines_n] = (struct line){line.p[0], json};
	return map_put(&d->by_name, str_make(line.p, name), (uint32_t)d->lines_n++);
}

static bool read_report(struct daily *d)
{
	struct str rest, line;
	if (!checked_text(buf_view(&d->text), &rest) || !str_cut(&rest, '\n', &line) ||
	    !str_eq(line, STR(DAILY_FIRST_LINE)) || !str_cut(&rest, '\n', &line) ||
	    !str_starts(line, STR("h ")) || !read_head(d, str_skip(line, 2)))
		return false;
	while (rest.n && str_cut(&rest, '\n', &line))
		if (!index_line(d, line))
			return false;
	return true;
}

enum err daily_take(struct buf *text, struct daily **out)
{
	struct daily *d = calloc(1, sizeof *d);
	if (!d)
		return err_set(ERR_NOMEM, "no memory for the report");
	atomic_init(&d->refs, 1);
	d->text = *text;
	if (!read_report(d)) {
		d->text = (struct buf){0};
		daily_unref(d);
		return err_set(ERR_NOT_FOUND, "the report of the day is damaged");
	}
	*text = (struct buf){0};
	*out = d;
	return OK;
}

enum err daily_open(const char *store, uint32_t k, struct daily **out)
{
	char path[FILE_PATH_MAX];
	struct buf text = {0};
	enum err e = OK;
	snprintf(path, sizeof path, "%s/" DAILY_FILE, store);
	if (!checked_read(path, DAILY_MOST, &text))
		e = err_set(ERR_NOT_FOUND, access(path, F_OK) == 0
					       ? "the report of the day cannot be read"
					       : "there is no report yet");
	struct daily *d = NULL;
	if (!e)
		e = daily_take(&text, &d);
	if (!e && d->k < k) {
		daily_unref(d);
		e = err_set(ERR_NOT_FOUND, "the report of the day was made for a smaller k");
	}
	if (!e)
		*out = d;
	buf_done(&text);
	return e;
}

uint16_t daily_day(const struct daily *d)
{
	return d->day;
}

uint32_t daily_made(const struct daily *d)
{
	return d->made;
}

uint32_t daily_k(const struct daily *d)
{
	return d->k;
}

bool daily_is_of(const struct daily *d, const struct rules *rules, uint16_t day)
{
	return d && d->day == day && strcmp(d->rules, rules->hash_text) == 0;
}

/* --- as JSON */

static json_t *made_json(const struct daily *d)
{
	return d ? json_integer(d->made) : json_null();
}

/* JSON that could not be made is a failure of memory. */
static enum err made_or_none(json_t *made, json_t **out)
{
	if (!made)
		return err_set(ERR_NOMEM, "no memory for the report");
	*out = made;
	return OK;
}

enum err daily_json(const struct daily *d, const struct rules *rules, uint16_t today, json_t **out)
{
	char day[DAY_TEXT] = "";
	if (d)
		day_text(d->day, day);
	return made_or_none(
	    json_pack("{s:o,s:o,s:o,s:b}", "made", made_json(d), "day",
		d ? json_string(day) : json_null(), "rules",
		d ? json_string(d->rules) : json_null(), "current", daily_is_of(d, rules, today)),
	    out);
}

/* The line of a kind and id; NULL: the report has none. */
static json_t *named(const struct daily *d, char kind, struct str id)
{
	struct buf name = {0};
	uint32_t at;
	buf_addf(&name, "%c " STR_FMT, kind, STR_ARG(id));
	bool there = d && !name.failed && map_get(&d->by_name, buf_view(&name), &at);
	buf_done(&name);
	return there ? parse_line(d->lines[at].json) : NULL;
}

enum err daily_segment_json(
    const struct daily *d, const struct rules *rules, struct str id, json_t **out)
{
	uint16_t segment;
	json_t *line = named(d, DAILY_SEGMENT, id);
	if (line) {
		json_object_set_new(line, "made", made_json(d));
		*out = line;
		return OK;
	}
	enum err e = rules_find_segment(rules, id, &segment);
	if (e)
		return e;
	return made_or_none(json_pack("{s:s%,s:n,s:s,s:n,s:n,s:[],s:[],s:[],s:[],s:[]}", "id", id.p,
				id.n, "made", "words", "", "size", "visitors", "categories",
				"devices", "countries", "nearest", "funnel"),
	    out);
}

/* All lines of a kind, or the one of an id, if the report has it. */
static json_t *lines_of(const struct daily *d, char kind, struct str id)
{
	json_t *list = json_array();
	json_t *one = id.n ? named(d, kind, id) : NULL;
	if (one)
		json_array_append_new(list, one);
	for (size_t i = 0; d && !id.n && i < d->lines_n; i++)
		if (d->lines[i].kind == kind)
			json_array_append_new(list, parse_line(d->lines[i].json));
	return list;
}

/* The last `days` numbers of a list by day. */
static void keep_last(json_t *category, const char *list, unsigned days)
{
	json_t *all = json_object_get(category, list);
	while (json_array_size(all) > days)
		json_array_remove(all, 0);
}

enum err daily_categories_json(
    const struct daily *d, const struct rules *rules, struct str id, unsigned days, json_t **out)
{
	json_t *list = lines_of(d, DAILY_CATEGORY, id), *category;
	size_t i;
	if (id.n && json_array_size(list) == 0 && rules_category(rules, id) < 0) {
		json_decref(list);
		return err_set(ERR_NOT_FOUND, "there is no category '" STR_FMT "'", STR_ARG(id));
	}
	json_array_foreach(list, i, category)
	{
		keep_last(category, "events", days);
		keep_last(category, "visitors", days);
	}
	return made_or_none(
	    json_pack("{s:o,s:o,s:o}", "made", made_json(d), "days",
		d ? report_days((uint16_t)(d->day - 1), days) : json_array(), "categories", list),
	    out);
}

enum err daily_journeys_json(
    const struct daily *d, const struct rules *rules, struct str id, json_t **out)
{
	json_t *list = lines_of(d, DAILY_JOURNEY, id);
	(void)rules;
	if (id.n && json_array_size(list) == 0) {
		json_decref(list);
		return err_set(ERR_NOT_FOUND, "there is no journey '" STR_FMT "'", STR_ARG(id));
	}
	return made_or_none(json_pack("{s:o,s:o}", "made", made_json(d), "journeys", list), out);
}
