/* Logs of a form of their own, described as their server has it: nginx's log_format or httpd's
 * LogFormat.
 *
 * A notation becomes a list of pieces. A piece is a text that stands in the line, or a value, which
 * ends where the next text begins:
 *
 *	notation  $remote_addr - $remote_user [$time_local] "$request" $status
 *	pieces    value  " - "  value  " ["  value  "] \""  value  "\" "  value
 *
 * Two values without a text between them cannot be told apart, but for a path or a query behind
 * another value: these begin with a sign of their own. */
#include "access_row.h"

#include <stdio.h>
#include <stdlib.h>

#define PIECES_MOST 128

struct access_piece {
	struct str text; /* a view into the notation; p NULL: a value */
	/* of a value */
	enum access_field field; /* F_NONE: passed over */
	char opens;		 /* the sign it begins with, when it follows a value; else 0 */
	char *time_form;	 /* of strptime(); owned */
};

void access_forget_notation(struct access *a)
{
	for (size_t i = 0; i < a->pieces_n; i++)
		free(a->pieces[i].time_form);
	free(a->pieces);
	free(a->notation);
	a->pieces = NULL;
	a->notation = NULL;
	a->pieces_n = 0;
}

static bool has(const struct access *a, enum access_field f)
{
	for (size_t i = 0; i < a->pieces_n; i++)
		if (!a->pieces[i].text.p && a->pieces[i].field == f)
			return true;
	return false;
}

/* The sign with which a value of this field begins; 0: with any. */
static char opening(enum access_field f)
{
	if (f == F_TARGET || f == F_STEM)
		return '/';
	return f == F_QUERY ? '?' : 0;
}

/* Takes `time_form`. Of two values for one field the first counts. */
static enum err add_value(struct access *a, enum access_field f, char *time_form, struct str name)
{
	bool behind = a->pieces_n && !a->pieces[a->pieces_n - 1].text.p,
	     kept = f == F_TIME && !has(a, f);
	char opens = behind ? opening(f) : 0;
	bool after_value = behind && !opens;
	if (!kept)
		free(time_form);
	if (after_value || a->pieces_n == PIECES_MOST) {
		if (kept)
			free(time_form);
		if (after_value)
			return err_set(ERR_USAGE,
			    "--log-format: nothing stands before '" STR_FMT
			    "', so nobody can tell where the value before it ends",
			    STR_ARG(name));
		return err_set(ERR_USAGE, "--log-format: more than %d pieces", PIECES_MOST);
	}
	a->pieces[a->pieces_n] = (struct access_piece){
	    .field = has(a, f) ? F_NONE : f,
	    .opens = opens,
	    .time_form = kept ? time_form : NULL,
	};
	a->pieces_n++;
	return OK;
}

/* A text goes on the piece before it, if that is a text that ends here. */
static enum err add_text(struct access *a, const char *p, size_t n)
{
	struct access_piece *last = a->pieces_n ? &a->pieces[a->pieces_n - 1] : NULL;
	if (!n)
		return OK;
	if (last && last->text.p && last->text.p + last->text.n == p) {
		last->text.n += n;
		return OK;
	}
	if (a->pieces_n == PIECES_MOST)
		return err_set(ERR_USAGE, "--log-format: more than %d pieces", PIECES_MOST);
	a->pieces[a->pieces_n++] = (struct access_piece){.text = str_make(p, n)};
	return OK;
}

/* --- nginx: $name, ${name} */

/* nginx's names are those of the table of names, but for a few that mean something else here. */
static enum err nginx_value(struct access *a, struct str name)
{
	static const struct {
		const char *name;
		enum access_field field;
	} own[] = {{"uri", F_STEM}, {"request_uri", F_TARGET}, {"realip_remote_addr", F_NONE},
	    {"binary_remote_addr", F_NONE}, {"proxy_add_x_forwarded_for", F_ADDRESS},
	    {"server_addr", F_NONE}, {"host", F_HOST}, {"hostname", F_NONE}, {"http_host", F_HOST}};
	unsigned rank;
	if (str_eq(name, STR("is_args"))) /* a question mark: the query behind it has it */
		return OK;
	for (size_t i = 0; i < sizeof own / sizeof *own; i++)
		if (str_eq(name, str_c(own[i].name)))
			return add_value(a, own[i].field, NULL, name);
	return add_value(a, access_field_named(name, &rank), NULL, name);
}

static enum err nginx_notation(struct access *a, struct str s)
{
	enum err e = OK;
	while (s.n && !e) {
		size_t dollar = str_find(s, '$'), n = 0;
		if ((e = add_text(a, s.p, dollar)))
			return e;
		if (dollar == s.n)
			return OK;
		s = str_skip(s, dollar + 1);
		bool braces = s.n && s.p[0] == '{';
		s = str_skip(s, braces);
		while (n < s.n && (chr_alpha(s.p[n]) || chr_digit(s.p[n]) || s.p[n] == '_'))
			n++;
		if (!n)
			return err_set(ERR_USAGE, "--log-format: a name is expected behind '$'");
		e = nginx_value(a, str_make(s.p, n));
		s = str_skip(s, n + (braces && n < s.n && s.p[n] == '}'));
	}
	return e;
}

/* --- httpd: %h, %>s, %{Referer}i */

/* %{form}t: a form of strptime(), or seconds and their parts, which number_time() reads. */
static enum err httpd_time(struct access *a, struct str form, struct str name)
{
	char *copy;
	struct str begin = STR("begin:"), end = STR("end:");
	if (str_starts(form, begin))
		form = str_skip(form, begin.n);
	else if (str_starts(form, end))
		form = str_skip(form, end.n);
	if (str_eq(form, STR("sec")) || str_eq(form, STR("msec")) || str_eq(form, STR("usec")))
		form = STR("");
	if (str_eq(form, STR("msec_frac")) || str_eq(form, STR("usec_frac")))
		return add_value(a, F_NONE, NULL, name);
	if (!form.n)
		return add_value(a, F_TIME, NULL, name);
	if (!(copy = str_dup(form)))
		return err_set(ERR_NOMEM, "no memory");
	return add_value(a, F_TIME, copy, name);
}

static enum err httpd_value(struct access *a, struct str argument, char letter, struct str name)
{
	static const char letters[] = "hamUqrsvVt";
	static const enum access_field fields[] = {F_ADDRESS, F_ADDRESS, F_METHOD, F_STEM, F_QUERY,
	    F_REQUEST, F_STATUS, F_HOST, F_HOST, F_TIME};
	if (letter == 't' && argument.n)
		return httpd_time(a, argument, name);
	if (letter == 'i') { /* a field of the request, which nginx calls $http_NAME */
		char field[64];
		unsigned rank;
		int n = snprintf(field, sizeof field, "http_" STR_FMT, STR_ARG(argument));
		bool fits = n > 0 && (size_t)n < sizeof field;
		enum access_field f = fits ? access_field_named(str_c(field), &rank) : F_NONE;
		return add_value(a, f, NULL, name);
	}
	if (letter == 'a' && str_eq(argument, STR("c"))) /* the peer, perhaps a proxy */
		return add_value(a, F_ADDRESS, NULL, name);
	if (chr_one_of(letter, letters) && !(letter == 'a' && argument.n))
		return add_value(a, fields[strchr(letters, letter) - letters], NULL, name);
	return add_value(a, F_NONE, NULL, name);
}

static enum err httpd_notation(struct access *a, struct str s)
{
	enum err e = OK;
	while (s.n && !e) {
		size_t percent = str_find(s, '%'), n = 0;
		if ((e = add_text(a, s.p, percent)) || percent == s.n)
			return e;
		struct str from = str_skip(s, percent), argument = STR("");
		s = str_skip(from, 1);
		if (s.n && s.p[0] == '%') {
			e = add_text(a, s.p, 1);
			s = str_skip(s, 1);
			continue;
		}
		while (n < s.n && (chr_digit(s.p[n]) || chr_one_of(s.p[n], "!,<>")))
			n++;
		s = str_skip(s, n);
		if (s.n && s.p[0] == '{') {
			size_t end = str_find(s, '}');
			argument = str_make(s.p + 1, end ? end - 1 : 0);
			s = str_skip(s, end + 1);
		}
		n = s.n && s.p[0] == '^' ? 3 : 1;
		if (s.n < n || !chr_alpha(s.p[n - 1]))
			return err_set(
			    ERR_USAGE, "--log-format: '%%' without the letter of a value");
		struct str name = str_make(from.p, (size_t)(s.p + n - from.p));
		e = n == 3 ? add_value(a, F_NONE, NULL, name)
			   : httpd_value(a, argument, s.p[0], name);
		s = str_skip(s, n);
	}
	return e;
}

/* --- the notation as it stands in a file of the server */

static char escaped_char(char letter)
{
	if (letter == 't')
		return '\t';
	return letter == 'n' ? ' ' : letter;
}

/* Without the directive's name, quotes and escapes: LogFormat "%h \"%r\"" combined becomes
 * %h "%r". Of nginx several strings are one. NULL: no memory. */
static char *bare_notation(const char *notation)
{
	struct str s = str_trim(str_c(notation));
	char *out = malloc(s.n + 1);
	size_t n = 0;
	bool nginx = str_starts(s, STR("log_format ")), httpd = str_starts(s, STR("LogFormat ")),
	     quotes = nginx || httpd;
	char quote = 0;
	for (size_t i = 0; out && i < s.n; i++) {
		char c = s.p[i], next = i + 1 < s.n ? s.p[i + 1] : 0;
		if (quotes && !quote) { /* several strings are one */
			quote = c == '"' || c == '\'' ? c : 0;
		} else if (quotes && c == quote) {
			quote = 0;
			if (httpd)
				break; /* its nickname follows */
		} else if (c == '\\' && chr_one_of(next, "\"'\\tn")) {
			out[n++] = escaped_char(next);
			i++;
		} else {
			out[n++] = c;
		}
	}
	if (out)
		out[n] = 0;
	return out;
}

/* Has the notation all that an event needs? A list of proxies may stand for the address. */
static enum err complete(struct access *a)
{
	bool request =
	    has(a, F_REQUEST) || (has(a, F_METHOD) && (has(a, F_TARGET) || has(a, F_STEM)));
	if (!has(a, F_ADDRESS) && has(a, F_FORWARDED))
		for (size_t i = 0; i < a->pieces_n; i++)
			if (!a->pieces[i].text.p && a->pieces[i].field == F_FORWARDED)
				a->pieces[i].field = F_ADDRESS;
	if (!has(a, F_ADDRESS))
		return err_set(ERR_USAGE,
		    "--log-format: no address of the visitor in it ($remote_addr, or %%h)");
	if (!has(a, F_TIME))
		return err_set(ERR_USAGE, "--log-format: no time in it ($time_local, or %%t)");
	if (!request)
		return err_set(ERR_USAGE, "--log-format: no request in it ($request, or %%r)");
	if (!has(a, F_STATUS))
		return err_set(ERR_USAGE, "--log-format: no status in it ($status, or %%>s): "
					  "errors and redirects are no pages");
	return OK;
}

enum err access_set_notation(struct access *a, const char *notation)
{
	/* names that servers' own configurations give to relatives of "combined" */
	static const char *const usual[] = {
	    "common", "combined", "combinedio", "vhost_combined", "main"};
	access_forget_notation(a);
	for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
		if (strcmp(notation, usual[i]) == 0) {
			a->form = ACCESS_COMBINED;
			return OK;
		}
	a->form = ACCESS_OWN;
	a->notation = bare_notation(notation);
	a->pieces = calloc(PIECES_MOST, sizeof *a->pieces);
	if (!a->notation || !a->pieces)
		return err_set(ERR_NOMEM, "no memory");
	struct str s = str_c(a->notation);
	bool nginx = false;
	for (size_t i = 0; i + 1 < s.n; i++)
		nginx |= s.p[i] == '$' && (chr_alpha(s.p[i + 1]) || s.p[i + 1] == '{');
	if (!nginx && str_find(s, '%') == s.n)
		return err_set(ERR_USAGE,
		    "--log-format wants nginx's notation ($remote_addr …) or httpd's (%%h …), not "
		    "'%s'",
		    notation);
	enum err e = nginx ? nginx_notation(a, s) : httpd_notation(a, s);
	return e ? e : complete(a);
}

/* Where the value before `text` ends; one more than the length of the line: nowhere. A value in
 * quotes does not end at \", and a list goes on behind its commas. */
static size_t value_end(struct str line, struct str text, bool quoted, bool list)
{
	for (size_t i = 0; i + text.n <= line.n; i++) {
		if (quoted && line.p[i] == '\\' && i + 1 < line.n)
			i++;
		else if (memcmp(line.p + i, text.p, text.n) == 0 &&
			 !(list && i && line.p[i - 1] == ',' && text.p[0] == ' '))
			return i;
	}
	return line.n + 1;
}

/* Where the value of piece `i` ends. Before another value it ends at that one's first sign, or,
 * when that one is not there, where it would have ended. A request without quotes has blanks: it
 * ends behind its protocol. */
static size_t ends_at(const struct access *a, size_t i, struct str line, bool quoted)
{
	const struct access_piece *p = &a->pieces[i], *next = i + 1 < a->pieces_n ? p + 1 : NULL;
	bool list = p->field == F_ADDRESS || p->field == F_FORWARDED;
	if (!next)
		return line.n;
	if (!next->text.p) {
		size_t behind = ends_at(a, i + 1, line, quoted), n = str_find(line, next->opens);
		return n < behind || next->opens == '/' ? n : behind;
	}
	size_t version = 0;
	if (p->field == F_REQUEST && !quoted && next->text.p[0] == ' ')
		while (version + 6 <= line.n && memcmp(line.p + version, " HTTP/", 6) != 0)
			version++;
	if (version && version + 6 <= line.n)
		return version + 1 +
		       value_end(str_skip(line, version + 1), next->text, false, false);
	return value_end(line, next->text, quoted && next->text.p[0] == '"', list);
}

bool access_read_own(struct access *a, struct str line, struct access_row *r)
{
	bool quoted = false;
	a->why = "it does not fit --log-format";
	r->escaped = true;
	for (size_t i = 0; i < a->pieces_n; i++) {
		const struct access_piece *p = &a->pieces[i];
		if (p->text.p) {
			if (!str_starts(line, p->text))
				return false;
			line = str_skip(line, p->text.n);
			quoted = p->text.p[p->text.n - 1] == '"';
			continue;
		}
		size_t n = ends_at(a, i, line, quoted);
		bool blank = i + 1 < a->pieces_n && a->pieces[i + 1].text.p &&
			     a->pieces[i + 1].text.p[0] == ' ';
		/* %t writes a time in brackets with a blank in it, and $time_local the same without
		 * brackets: such a time is whole */
		if (p->field == F_TIME && line.n && line.p[0] == '[' && blank) {
			size_t bracket = str_find(line, ']');
			n = bracket < line.n ? bracket + 1 : n;
		}
		if (p->field == F_TIME && n == 20 && line.n >= 26 && line.p[2] == '/' &&
		    (line.p[21] == '+' || line.p[21] == '-'))
			n = 26;
		if (n > line.n)
			return false;
		if (p->field != F_NONE && !str_eq(str_make(line.p, n), STR("-")))
			r->f[p->field] = str_make(line.p, n);
		if (p->field == F_REQUEST && !r->f[F_REQUEST].n)
			r->f[F_REQUEST] = STR("-");
		if (p->field == F_TIME)
			r->time_form = p->time_form;
		line = str_skip(line, n);
	}
	return !str_trim(line).n;
}
