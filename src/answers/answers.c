/* Answers as JSON to questions that no rule defines: how many meet a condition, how many two
 * segments share; and lists that the admin listener and the command line tell alike. Groups of
 * visitors pass the k gate in ask/ask.h; what is counted here are events.
 *
 * A condition that somebody typed is compiled into a copy of the rules, which is thrown away: the
 * rules that serve are everybody's, and do not change. Loading a copy takes a few milliseconds for
 * rules of thousands of lines. */
#include "crumb/answers/answers.h"
#include "crumb/condition/parse.h"
#include "crumb/condition/sentence.h"
#include "crumb/load/load.h"

#include "crumb/base/clock.h"
#include "crumb/base/json.h"
#include "crumb/ingest/asides.h"
#include "crumb/yaml/report.h"

#include <jansson.h>
#include <stdio.h>

#define OVERLAP_CONDITION 400 /* bytes of a condition that names two segments */

json_t *findings_json(const struct report *r)
{
	json_t *list = json_array();
	for (size_t i = 0; i < r->n; i++) {
		const struct finding *f = &r->list[i];
		json_array_append_new(
		    list, json_pack("{s:s,s:I,s:I,s:s,s:s,s:s,s:s}", "file", f->file, "line",
			      (json_int_t)f->line, "column", (json_int_t)f->column, "severity",
			      f->warning ? "warning" : "error", "code", f->code, "message",
			      f->message, "hint", f->hint));
	}
	return list;
}

static json_t *aside_row_json(const struct aside_row *r, const char *pattern)
{
	char first[DAY_TEXT], last[DAY_TEXT];
	day_text(r->first, first);
	day_text(r->last, last);
	return json_pack("{s:s,s:s,s:I,s:s,s:s}", "reason", aside_names[r->why], "pattern", pattern,
	    "events", (json_int_t)r->events, "first_day", first, "last_day", last);
}

/* Names of crawlers and networks are those of the operator's lists. A host is what somebody's
 * browser said, and may be a secret of one person: hosts that few have named are summed up. */
json_t *aside_json(const struct aside_row *rows, size_t n, const struct kgate *gate)
{
	json_t *list = json_array();
	struct aside_row rare = {.why = ASIDE_SITE, .first = UINT16_MAX};
	for (size_t i = 0; i < n; i++) {
		const struct aside_row *r = &rows[i];
		if (r->why != ASIDE_SITE ||
		    (kgate_show(gate, r->events).told &&
			!str_eq(str_c(r->pattern), STR(QUARANTINE_OTHERS)))) {
			json_array_append_new(list, aside_row_json(r, r->pattern));
			continue;
		}
		rare.events += r->events;
		rare.first = r->first < rare.first ? r->first : rare.first;
		rare.last = r->last > rare.last ? r->last : rare.last;
	}
	if (rare.events)
		json_array_append_new(list, aside_row_json(&rare, QUARANTINE_OTHERS));
	return list;
}

/* What is wrong with a condition: for programs, and as a text with a caret for people. */
static json_t *problems_json(struct str condition, const struct report *report)
{
	struct buf text = {0};
	for (size_t i = 0; i < report->n; i++)
		report_print(&report->list[i], condition, &text);
	json_t *j = json_pack("{s:o,s:o}", "problems", findings_json(report), "text",
	    json_stringn(text.n ? text.p : "", text.n));
	buf_done(&text);
	return j;
}

json_t *shown_json(struct shown n)
{
	return n.told ? json_integer((json_int_t)n.n) : json_null();
}

static enum err too_many(void)
{
	return err_set(ERR_BUSY, "too many different questions were asked in the last day: "
				 "more would tell about single visitors; ask again tomorrow");
}

/* ERR_SYNTAX: the report says what is wrong with the condition. */
static enum err ask_copy(
    const struct asker *a, struct str condition, struct report *report, struct answer *out)
{
	struct rules *copy;
	int root;
	enum err e = rules_load(buf_view(&a->generation->rules->bundle), NULL, &copy);
	if (e)
		return e;
	e = rules_condition(copy, condition, report, &root);
	if (!e)
		e = ask_size(a->generation, copy, a->gate, a->memory, root, a->now, out);
	rules_unref(copy);
	return !e && out->refused ? too_many() : e;
}

/* How many questions are left behind this one, where they are counted. */
static void put_left(const struct asker *a, struct str question, json_t *answer)
{
	if (a->memory)
		json_object_set_new(
		    answer, "left", json_integer(ask_left(a->memory, question, a->now)));
}

enum err answer_preview(const struct asker *a, struct str condition, json_t **out)
{
	struct report report = {0};
	struct answer n;
	uint64_t from = clock_mono_us();
	enum err e = ask_copy(a, condition, &report, &n);
	if (!e) {
		*out = json_pack("{s:o,s:o,s:f,s:b}", "size", shown_json(n.size), "visitors",
		    shown_json(n.visitors), "ms", (double)(clock_mono_us() - from) / 1e3, "pending",
		    a->pending);
		if (!n.size.told)
			json_object_set_new(*out, "below", json_integer(kgate_k(a->gate)));
		put_left(a, condition, *out);
	} else if (report.n) {
		e = ERR_SYNTAX;
		*out = problems_json(condition, &report);
	}
	report_done(&report);
	return e;
}

/* NULL: there is no memory. */
static json_t *words_json(const struct rules *r, int root)
{
	struct buf b = {0};
	condition_words(r, root, &b);
	json_t *words = b.failed ? NULL : json_stringn(b.p, b.n);
	buf_done(&b);
	return words;
}

static json_t *clauses_json(const struct rules *r, int root)
{
	struct clause_parts parts;
	json_t *list = json_array();
	clause_parts_of(r, root, &parts);
	for (unsigned i = 0; i < parts.n; i++) {
		const struct clause_part *p = &parts.list[i];
		json_array_append_new(list, json_pack("{s:s%,s:s%}", "clause", p->text.p, p->text.n,
						"words", p->words.p, p->words.n));
	}
	clause_parts_done(&parts);
	return list;
}

enum err answer_words(const struct rules *rules, struct str condition, json_t **out)
{
	struct report report = {0};
	struct rules *copy;
	int root;
	enum err e = rules_load(buf_view(&rules->bundle), NULL, &copy);
	if (e)
		return e;
	e = rules_condition_said(copy, condition, &report, &root);
	if (!e) {
		*out = json_pack("{s:o,s:o}", "words", words_json(copy, root), "clauses",
		    clauses_json(copy, root));
		e = *out ? OK : err_set(ERR_NOMEM, "no memory for these words");
	} else if (report.n) {
		e = ERR_SYNTAX;
		*out = problems_json(condition, &report);
	}
	report_done(&report);
	rules_unref(copy);
	return e;
}

/* The share of two numbers as they are told, so that it tells no more than they do. Both are
 * rounded, so the quotient may be above 1, and is cut. */
static json_t *share_json(struct shown part, struct shown whole)
{
	if (!part.told || !whole.told)
		return json_null();
	return json_share((double)part.n, (double)whole.n);
}

/* One question: how many both share; the sizes of either are theirs. */
enum err answer_overlap(const struct asker *a, struct str a_id, struct str b_id, json_t **out)
{
	const struct str ids[2] = {a_id, b_id};
	char question[OVERLAP_CONDITION];
	uint16_t segments[2];
	struct both n;
	enum err e = OK;
	for (int i = 0; i < 2 && !e; i++)
		e = rules_find_segment(a->generation->rules, ids[i], &segments[i]);
	if (!e)
		e = ask_both(a->generation, a->gate, a->memory, segments, a->now, &n);
	if (!e && n.refused)
		e = too_many();
	if (e)
		return e;
	snprintf(question, sizeof question, "segment(" STR_FMT ") and segment(" STR_FMT ")",
	    STR_ARG(a_id), STR_ARG(b_id));
	*out = json_pack("{s:{s:o,s:o},s:{s:o,s:o},s:o,s:b,s:o,s:o}", "a", "id",
	    json_stringn(a_id.p, a_id.n), "size", shown_json(n.size[0]), "b", "id",
	    json_stringn(b_id.p, b_id.n), "size", shown_json(n.size[1]), "both", shown_json(n.both),
	    "pending", a->pending, "of_a", share_json(n.both, n.size[0]), "of_b",
	    share_json(n.both, n.size[1]));
	put_left(a, str_c(question), *out);
	return OK;
}
