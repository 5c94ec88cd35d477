/* The pages of /me, written from visitor_json() and the texts of words.h.
 *
 * HTML without script: tables whose end tags are left out where HTML allows it. Everything that is
 * not ours goes through html_text(): names of rules, values of attributes, ids of partners. */
#include "crumb/collect/me_page.h"

/* On a phone, too, a date is one word: `time` does not wrap. Other long words break anywhere. */
static const char STYLE[] =
    "body{font:16px/1.5 sans-serif;max-width:44em;margin:2em auto;padding:0 1em;"
    "overflow-wrap:break-word}"
    "h1{font-size:1.5em;line-height:1.25}"
    "h2{font-size:1.15em;margin:1.6em 0 .3em}"
    "table{border-collapse:collapse;max-width:100%}"
    "td,th{text-align:left;vertical-align:top;padding:.15em 1em .15em 0;overflow-wrap:anywhere}"
    "td:last-child,th:last-child{padding-right:0}"
    "th{font-weight:normal;color:#555}"
    "time{white-space:nowrap}"
    "form{display:inline}"
    "button{font:inherit;padding:.4em .8em;margin:.2em .4em .2em 0}"
    "footer{margin-top:2em;border-top:1px solid #ccc}";

static void html_text(struct buf *out, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '<')
			buf_c(out, "&lt;");
		else if (s.p[i] == '&')
			buf_c(out, "&amp;");
		else if (s.p[i] == '"')
			buf_c(out, "&quot;");
		else
			buf_add(out, s.p + i, 1);
	}
}

void me_say(struct buf *out, unsigned language, enum word w, const struct str *values, unsigned n)
{
	for (const char *p = words[language][w]; *p; p++) {
		bool value = *p == '@' && chr_digit(p[1]) && (unsigned)(p[1] - '1') < n;
		if (value)
			html_text(out, values[*++p - '1']);
		else
			buf_add(out, p, 1);
	}
}

/* A text without values. */
static void say(struct buf *out, const struct me *me, enum word w)
{
	buf_c(out, words[me->language][w]);
}

static struct str text_of(const json_t *v)
{
	return str_c(json_string_value(v) ? json_string_value(v) : "");
}

/* The next cell of a row. */
static void cell(struct buf *out, struct str text)
{
	buf_c(out, "<td>");
	html_text(out, text);
}

static void day_cell(struct buf *out, const json_t *day)
{
	buf_c(out, "<td><time>");
	html_text(out, text_of(day));
	buf_c(out, "</time>");
}

/* A heading, and the row of column headings of a table; without columns the table alone. */
static void table(
    struct buf *out, const struct me *me, enum word heading, const enum word *columns, unsigned n)
{
	buf_c(out, "<h2>");
	say(out, me, heading);
	buf_c(out, "</h2>\n<table>");
	for (unsigned i = 0; i < n; i++) {
		buf_c(out, i ? "<th scope=\"col\">" : "<tr><th scope=\"col\">");
		say(out, me, columns[i]);
	}
	buf_c(out, "\n");
}

/* A heading, and that there is nothing under it. */
static void none(struct buf *out, const struct me *me, enum word heading)
{
	buf_c(out, "<h2>");
	say(out, me, heading);
	buf_c(out, "</h2>\n<p>");
	say(out, me, W_NONE_YET);
	buf_c(out, "\n");
}

static void begin(struct buf *out, unsigned language, enum word title)
{
	const char *text = words[language][title];
	buf_addf(out,
	    "<!doctype html>\n<html lang=\"%s\"><head><meta charset=\"utf-8\"><meta "
	    "name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>%s</title>"
	    "<style>%s</style></head>\n<body>\n<h1>%s</h1>\n",
	    words_tags[language], text, STYLE, text);
}

/* The footer says whose page it is, if the operator has said so. */
static void end(struct buf *out, const struct config *c, unsigned language)
{
	struct str name = str_c(c->operator_name), policy = str_c(c->operator_policy);
	if (name.n || policy.n)
		buf_c(out, "<footer><p>");
	if (name.n)
		me_say(out, language, W_OPERATOR, &name, 1);
	if (policy.n) {
		buf_c(out, name.n ? " <a href=\"" : "<a href=\"");
		html_text(out, policy);
		buf_addf(out, "\">%s</a>", words[language][W_POLICY]);
	}
	if (name.n || policy.n)
		buf_c(out, "</footer>\n");
	buf_c(out, "</body></html>\n");
}

void me_done_page(
    struct buf *out, const struct config *c, unsigned language, enum word title, struct str text)
{
	begin(out, language, title);
	buf_c(out, "<p>");
	buf_str(out, text);
	buf_addf(out, "\n<p><a href=\"/me\">%s</a>\n", words[language][W_BACK]);
	end(out, c, language);
}

/* --- names that rules give; the id where they give none */

static struct str category_name(const struct rules *r, const char *id)
{
	uint32_t i;
	return str_c(map_get(&r->category_ids, str_c(id), &i) && r->categories[i].name
			 ? r->categories[i].name
			 : id);
}

static struct str segment_name(const struct rules *r, const char *id)
{
	uint32_t i;
	return str_c(map_get(&r->segment_ids, str_c(id), &i) && r->segments[i].name
			 ? r->segments[i].name
			 : id);
}

static struct str attribute_name(const struct rules *r, const char *id)
{
	const struct vocabulary *v = rules_vocabulary(r, str_c(id));
	return str_c(v && v->name ? v->name : id);
}

/* --- what is known */

static void interests(struct buf *out, const struct me *me)
{
	static const enum word columns[] = {W_WHAT, W_TIMES, W_DAYS, W_FORGOTTEN_ON};
	json_t *list = json_object_get(me->known, "categories"),
	       *ends = json_object_get(json_object_get(me->known, "ends"), "categories"), *row;
	size_t i;
	if (json_array_size(list) == 0) {
		none(out, me, W_INTERESTS);
		return;
	}
	table(out, me, W_INTERESTS, columns, 4);
	json_array_foreach(list, i, row)
	{
		const char *id = json_string_value(json_object_get(row, "id"));
		buf_c(out, "<tr>");
		cell(out, category_name(me->rules, id));
		buf_addf(out, "<td>%lld<td>%lld",
		    (long long)json_integer_value(json_object_get(row, "count")),
		    (long long)json_integer_value(json_object_get(row, "days")));
		day_cell(out, json_object_get(ends, id));
		buf_c(out, "\n");
	}
	buf_c(out, "</table>\n");
}

static void audiences(struct buf *out, const struct me *me)
{
	static const enum word columns[] = {W_NAME, W_LEFT_ON};
	json_t *ends = json_object_get(json_object_get(me->known, "ends"), "segments"), *day;
	const char *id;
	if (json_object_size(ends) == 0) {
		none(out, me, W_AUDIENCES);
		return;
	}
	table(out, me, W_AUDIENCES, columns, 2);
	json_object_foreach(ends, id, day)
	{
		buf_c(out, "<tr>");
		cell(out, segment_name(me->rules, id));
		day_cell(out, day);
		buf_c(out, "\n");
	}
	buf_c(out, "</table>\n");
}

/* A row: for which purposes consent was given, and when. */
static void consent(struct buf *out, const struct me *me, const json_t *given)
{
	struct buf purposes = BUF_SECRET;
	json_t *purpose;
	size_t i;
	json_array_foreach(json_object_get(given, "purposes"), i, purpose)
	    buf_addf(&purposes, i ? ", %lld" : "%lld", (long long)json_integer_value(purpose));
	buf_addf(out, "<tr><td>%s<td>", words[me->language][W_CONSENT]);
	me_say(out, me->language, W_CONSENT_ROW,
	    (struct str[]){text_of(json_object_get(given, "day")), buf_view(&purposes)}, 2);
	buf_c(out, "\n");
	out->failed |= purposes.failed;
	buf_done(&purposes);
}

static void place(struct buf *out, const struct me *me)
{
	static const struct {
		const char *key;
		enum word name;
	} facts[] = {{"country", W_COUNTRY}, {"region", W_REGION}, {"device", W_DEVICE},
	    {"os", W_OS}, {"browser", W_BROWSER}};
	const json_t *given = json_object_get(me->known, "consent");
	bool any = given;
	for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
		any |= json_object_get(me->known, facts[i].key) != NULL;
	if (!any)
		return;
	table(out, me, W_PLACE, NULL, 0);
	for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
		struct str value = text_of(json_object_get(me->known, facts[i].key));
		if (facts[i].name == W_DEVICE && value.n)
			value = str_c(words_device(me->language, value.p));
		if (value.n) {
			buf_addf(out, "<tr><td>%s", words[me->language][facts[i].name]);
			cell(out, value);
			buf_c(out, "\n");
		}
	}
	if (given)
		consent(out, me, given);
	buf_c(out, "</table>\n");
}

static void attributes(struct buf *out, const struct me *me)
{
	json_t *all = json_object_get(me->known, "attributes"), *value;
	const char *key;
	if (json_object_size(all) == 0)
		return;
	table(out, me, W_PAGES_SAID, NULL, 0);
	json_object_foreach(all, key, value)
	{
		buf_c(out, "<tr>");
		cell(out, attribute_name(me->rules, key));
		cell(out, text_of(value));
		buf_c(out, "\n");
	}
	buf_c(out, "</table>\n");
}

static void partners(struct buf *out, const struct me *me)
{
	static const enum word columns[] = {W_WHO, W_BY_WHAT, W_SINCE};
	json_t *all = json_object_get(me->known, "partners"), *row;
	size_t i;
	if (json_array_size(all) == 0)
		return;
	table(out, me, W_OTHERS, columns, 3);
	json_array_foreach(all, i, row)
	{
		buf_c(out, "<tr>");
		cell(out, text_of(json_object_get(row, "partner")));
		cell(out, text_of(json_object_get(row, "id")));
		day_cell(out, json_object_get(row, "since"));
		buf_c(out, "\n");
	}
	buf_c(out, "</table>\n");
}

static void known(struct buf *out, const struct me *me)
{
	static const char *const days[] = {"first_day", "last_day", "expires"};
	struct str values[3];
	for (int i = 0; i < 3; i++)
		values[i] = text_of(json_object_get(me->known, days[i]));
	me_say(out, me->language, W_KNOWN, values, 3);
	buf_c(out, "\n");
	interests(out, me);
	audiences(out, me);
	place(out, me);
	attributes(out, me);
	partners(out, me);
}

/* --- what can be done */

static void form(struct buf *out, const struct me *me, const char *action, enum word label)
{
	buf_addf(out, "<form method=\"post\" action=\"%s\"><button>%s</button></form>\n", action,
	    words[me->language][label]);
}

/* What the visitor can do, and what opting out leaves: our cookie, and the note of an erasure. */
static void choice(struct buf *out, const struct me *me)
{
	char cookie[16], note[16];
	snprintf(cookie, sizeof cookie, "%d", OPTOUT_DAYS);
	snprintf(note, sizeof note, "%d", RETENTION_MAX);
	buf_addf(out, "<h2>%s</h2>\n<p>", words[me->language][W_CHOICE]);
	form(out, me, "/me/forget", W_FORGET);
	if (me->opted_out)
		form(out, me, "/optin", W_OPTIN);
	else
		form(out, me, "/optout", W_OPTOUT);
	buf_c(out, "<p>");
	me_say(out, me->language, W_LEAVES, (struct str[]){str_c(cookie), str_c(note)}, 2);
	buf_addf(out, "\n<p><a href=\"/me?format=json\">%s</a>\n", words[me->language][W_DOWNLOAD]);
}

void me_page(struct buf *out, const struct me *me)
{
	begin(out, me->language, W_TITLE);
	buf_c(out, "<p>");
	if (me->opted_out) {
		say(out, me, W_OPTED_OUT_NOW);
		buf_c(out, "\n<p>");
	}
	if (!me->known)
		say(out, me, W_NOTHING);
	else if (json_is_true(json_object_get(me->known, "provisional")))
		say(out, me, W_ONCE);
	else
		known(out, me);
	choice(out, me);
	end(out, me->config, me->language);
}
