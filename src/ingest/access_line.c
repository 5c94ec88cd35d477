/* Logs whose lines are words and quotes: combined, W3C's, AWS load balancers', HAProxy's. Each form
 * is drawn above its reader. */
#include "access_row.h"

#include <stdio.h>

#define WORDS_MOST 64 /* words before the time of a line */

/* False, and why. */
static bool unfit(struct access *a, const char *why)
{
	a->why = why;
	return false;
}

/* --- "combined", httpd.apache.org/docs/2.4/logs.html, which nginx and others write, too:
 *
 *	[HEAD] [HOST[:PORT]] ADDRESS IDENT USER [10/Oct/2000:13:55:36 -0700] "GET /path HTTP/1.0"
 *		200 2326 ["REFERER" ["AGENT" ["FORWARDED"]]]
 *
 * HEAD is what syslog and containers put before a line. All lines have a time in brackets. Behind
 * the time the fields are in a fixed order; before it the address is sought (find_address()), and
 * the host before the address. */

/* Does a time in brackets begin here: "[10/Oct…" or "[2000-10…"? */
static bool time_at(struct str s)
{
	size_t i = 1;
	if (s.n < 12 || s.p[0] != '[')
		return false;
	while (i < 5 && chr_digit(s.p[i]))
		i++;
	return (i == 3 && s.p[i] == '/' && chr_alpha(s.p[i + 1])) ||
	       (i == 5 && s.p[i] == '-' && chr_digit(s.p[i + 1]));
}

/* Cuts the words. A list with blanks behind its commas is one word. 0: too many. */
static unsigned head_words(struct str s, struct str w[WORDS_MOST])
{
	unsigned n = 0;
	struct str one;
	while (access_word(&s, &one)) {
		bool goes_on = n && (w[n - 1].p[w[n - 1].n - 1] == ',' || one.p[0] == ',');
		if (goes_on)
			w[n - 1].n = (size_t)(one.p + one.n - w[n - 1].p);
		else if (n < WORDS_MOST)
			w[n++] = one;
		else
			return 0;
	}
	return n;
}

/* Without the quotes or brackets that some put around an address. */
static struct str inner(struct str s)
{
	if (s.n > 2 &&
	    ((s.p[0] == '"' && s.p[s.n - 1] == '"') || (s.p[0] == '(' && s.p[s.n - 1] == ')')))
		return str_make(s.p + 1, s.n - 2);
	return s;
}

static bool holds_address(struct str list)
{
	char text[ADDRESS_TEXT];
	struct str one;
	list = inner(list);
	while (str_cut(&list, ',', &one))
		if (access_address(one, text))
			return true;
	return false;
}

/* How many words are a head of RFC 5424, which may have dashes and addresses in it:
 * <165>1 TIME HOST APP PROCESS MESSAGE [DATA]. 0: there is no such head. */
static unsigned syslog_head(const struct str w[], unsigned n)
{
	unsigned end = 6;
	if (n < 7 || w[0].p[0] != '<' || w[0].p[w[0].n - 1] != '1' || w[0].n < 4 ||
	    w[0].p[w[0].n - 2] != '>')
		return 0;
	if (w[end].p[0] == '[') /* the data may have blanks */
		while (end < n && w[end].p[w[end].n - 1] != ']')
			end++;
	return end + 1;
}

/* Which word is the address: the first before the dash of IDENT; or else one that just two words
 * follow (IDENT and USER); or else the last that can be one. -1: none. */
static int find_address(const struct str w[], unsigned from, unsigned n)
{
	int two = -1, last = -1;
	for (unsigned i = from; i + 2 < n; i++) {
		if (!holds_address(w[i]))
			continue;
		if (str_eq(w[i + 1], STR("-")))
			return (int)i;
		if (i + 3 == n)
			two = (int)i;
		last = (int)i;
	}
	return two >= 0 ? two : last;
}

static bool has_letter(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (chr_alpha(s.p[i]) || (uint8_t)s.p[i] >= 0x80)
			return true;
	return false;
}

/* The word before the address, if it is a virtual host. With a port it is one. Without, it has to
 * stand first or behind the colon that ends a head of syslog, and to look like a name. */
static struct str host_before(const struct str w[], unsigned from, unsigned at)
{
	bool port;
	if (at == from || !access_host_like(w[at - 1], &port) ||
	    w[at - 1].p[w[at - 1].n - 1] == ':')
		return STR("");
	struct str before = at - 1 > from ? w[at - 2] : STR(":");
	if (port)
		return w[at - 1];
	if (str_find(w[at - 1], '.') < w[at - 1].n && before.p[before.n - 1] == ':' &&
	    has_letter(w[at - 1]))
		return w[at - 1];
	return STR("");
}

bool access_read_combined(struct access *a, struct str line, struct access_row *r)
{
	struct str w[WORDS_MOST], rest, bytes, more;
	size_t at = 0, end;
	while (at < line.n && !time_at(str_skip(line, at)))
		at++;
	if (at == line.n)
		return unfit(a, "no time in brackets");
	rest = str_skip(line, at + 1);
	end = str_find(rest, ']');
	r->f[F_TIME] = str_make(rest.p, end);
	rest = str_skip(rest, end + 1);
	unsigned n = head_words(str_make(line.p, at), w), from = syslog_head(w, n);
	int address = find_address(w, from, n);
	if (address < 0)
		return unfit(a, "no address where the visitor's should be");
	r->f[F_ADDRESS] = inner(w[address]);
	r->f[F_HOST] = host_before(w, from, (unsigned)address);
	r->escaped = true;
	if (!access_quoted(&rest, &r->f[F_REQUEST]))
		return unfit(a, "no request in quotes");
	if (!access_word(&rest, &r->f[F_STATUS]) || !access_word(&rest, &bytes))
		return unfit(a, "no status and size behind the request");
	if (!r->f[F_REQUEST].n)
		r->f[F_REQUEST] = STR("-");
	if (access_quoted(&rest, &r->f[F_REFERER]) && access_quoted(&rest, &r->f[F_AGENT]) &&
	    access_quoted(&rest, &more) && (holds_address(more) || str_ihas(more, STR("for="))))
		r->f[F_FORWARDED] = more;
	if (!r->f[F_AGENT].n)
		r->f[F_AGENT] = STR("-");
	return true;
}

/* --- W3C's extended form (www.w3.org/TR/WD-logfile): a line "#Fields: date time c-ip …" names the
 * columns of the lines behind it, and may come again with others */

/* Cuts the next column: by tabs where the line has some, else by blanks. Quotes may hold blanks,
 * and are doubled inside. */
static bool column(struct str *rest, bool tabs, struct str *out)
{
	if (tabs)
		return str_cut(rest, '\t', out);
	while (rest->n && rest->p[0] == ' ')
		*rest = str_skip(*rest, 1);
	if (!rest->n)
		return false;
	if (rest->p[0] != '"')
		return access_word(rest, out);
	size_t i = 1;
	while (i < rest->n && (rest->p[i] != '"' || (i + 1 < rest->n && rest->p[i + 1] == '"')))
		i += rest->p[i] == '"' ? 2 : 1;
	*out = str_make(rest->p + 1, i - 1);
	*rest = str_skip(*rest, i + 1);
	return true;
}

/* Reads #Fields. Of two columns for one field only the better is kept. */
static void read_names(struct access *a, struct str names)
{
	unsigned best[FIELDS], rank;
	struct str name;
	bool tabs = str_find(names, '\t') < names.n;
	for (unsigned i = 0; i < FIELDS; i++)
		best[i] = UINT32_MAX;
	a->columns_n = 0;
	a->cloudfront = false;
	names = str_trim(names);
	while (a->columns_n < ACCESS_COLUMNS && column(&names, tabs, &name)) {
		enum access_field f = access_field_named(name, &rank);
		if (f != F_NONE && rank < best[f]) {
			best[f] = rank;
			for (unsigned i = 0; i < a->columns_n; i++)
				if (a->columns[i] == f)
					a->columns[i] = F_NONE;
		} else {
			f = F_NONE;
		}
		a->cloudfront |= str_starts(name, STR("x-edge-"));
		a->columns[a->columns_n++] = (uint8_t)f;
	}
}

static bool directive(struct access *a, struct str line)
{
	if (line.n > 8 && str_ieq(str_make(line.p, 8), STR("#Fields:"))) {
		read_names(a, str_skip(line, 8));
	} else if (line.n > 6 && str_ieq(str_make(line.p, 6), STR("#Date:"))) {
		struct str date = str_trim(str_skip(line, 6));
		snprintf(a->date, sizeof a->date, "%.*s", (int)(date.n < 10 ? date.n : 10), date.p);
	}
	return true;
}

/* IIS writes blanks as '+', CloudFront as %20. */
bool access_read_w3c(struct access *a, struct str line, struct access_row *r)
{
	bool tabs = str_find(line, '\t') < line.n;
	struct str value;
	unsigned n = 0;
	r->nothing = line.n && line.p[0] == '#';
	if (r->nothing)
		return directive(a, line);
	if (!a->columns_n)
		return unfit(a, "no #Fields before it");
	for (; column(&line, tabs, &value); n++) {
		if (n >= a->columns_n)
			return unfit(a, "more columns than #Fields names");
		if (a->columns[n] != F_NONE && !str_eq(value, STR("-")))
			r->f[a->columns[n]] = value;
	}
	if (n < a->columns_n && a->columns_n < ACCESS_COLUMNS)
		return unfit(a, "fewer columns than #Fields names");
	r->plus = !a->cloudfront;
	struct str *list = &r->f[F_FORWARDED];
	char *to = r->plus && str_find(*list, '+') < list->n ? access_room(a, list->n) : NULL;
	for (size_t i = 0; to && i < list->n; i++)
		to[i] = list->p[i] == '+' ? ' ' : list->p[i];
	if (to)
		list->p = to;
	else if (a->cloudfront)
		*list = access_unpercent(a, *list);
	return true;
}

/* For forms that always have a port, also behind an address of IPv6 without brackets. */
static struct str without_port(struct str client)
{
	size_t colon = client.n;
	while (colon > 0 && client.p[colon - 1] != ':')
		colon--;
	if (colon && client.p[0] != '[')
		client.n = colon - 1;
	return client;
}

/* --- AWS: Application Load Balancers, and Classic ones, which leave out the first word:
 *
 *	TYPE TIME NAME CLIENT:PORT TARGET:PORT three durations STATUS TARGET'S-STATUS
 *		RECEIVED SENT "REQUEST" "AGENT" … */

bool access_read_alb(struct access *a, struct str line, struct access_row *r)
{
	static const char *const types[] = {"http", "https", "h2", "grpcs", "ws", "wss"};
	struct str w[16], first = line;
	unsigned n = 0, from = 0;
	while (n < 14 && line.n) {
		if (!access_quoted(&line, &w[n]) && !access_word(&line, &w[n]))
			break;
		n++;
	}
	access_word(&first, &first);
	for (size_t i = 0; n && i < sizeof types / sizeof *types; i++)
		from |= str_eq(w[0], str_c(types[i]));
	if (n < from + 12 || w[from].n < 20 || w[from].p[10] != 'T')
		return unfit(a, "not the words of a load balancer's line");
	r->f[F_TIME] = w[from];
	r->f[F_ADDRESS] = without_port(w[from + 2]);
	r->f[F_STATUS] = w[from + 7];
	r->f[F_REQUEST] = w[from + 11];
	r->f[F_AGENT] = n > from + 12 ? w[from + 12] : STR("-");
	r->escaped = true;
	return true;
}

/* --- HAProxy's "httplog" (configuration manual, 8.2.3), behind the head of a syslog line:
 *
 *	ADDRESS:PORT [10/Oct/2000:13:55:36.655] FRONTEND BACKEND/SERVER five times STATUS BYTES
 *		two cookies, how it ended, connections, queues
 *		{HEADERS OF THE REQUEST} {HEADERS OF THE ANSWER} "REQUEST" */

bool access_read_haproxy(struct access *a, struct str line, struct access_row *r)
{
	struct str w[WORDS_MOST], rest, times;
	size_t at = 0, slashes = 0;
	while (at < line.n && !time_at(str_skip(line, at)))
		at++;
	unsigned n = head_words(str_make(line.p, at), w);
	if (n)
		r->f[F_ADDRESS] = without_port(w[n - 1]);
	rest = str_skip(line, at + 1);
	r->f[F_TIME] = str_make(rest.p, str_find(rest, ']'));
	rest = str_skip(rest, r->f[F_TIME].n + 1);
	if (!n || !access_word(&rest, &w[0]) || !access_word(&rest, &w[0]) ||
	    !access_word(&rest, &times) || !access_word(&rest, &r->f[F_STATUS]))
		return unfit(a, "not the words of HAProxy's line");
	for (size_t i = 0; i < times.n; i++)
		slashes += times.p[i] == '/';
	if (slashes != 4)
		return unfit(a, "no five times behind the server");
	rest = str_skip(rest, str_find(rest, '"'));
	r->escaped = true;
	return access_quoted(&rest, &r->f[F_REQUEST]) || unfit(a, "no request in quotes");
}
