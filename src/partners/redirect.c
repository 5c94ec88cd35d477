/* Where /sync may lead to: the beginnings of URLs that a partner lists, compared by whole segments
 * of the path as a browser and a server read them.
 *
 * An open redirect helps whoever wants a link to look like ours, so a URL passes only if there is
 * one way to read it:
 *
 *     listed https://p.example/sync       https://p.example/sync        yes
 *                                         https://p.example/sync/a?b    yes: below it
 *                                         https://p.example/syncs       no: another segment
 *                                         https://p.example/sync/../x   no: it is /x
 *                                         https://p.example/sync%2f..   no: some read it as /
 *     listed https://p.example/s?u=       https://p.example/s?u=1       yes: the query is begun
 *
 * Origins are compared without the scheme's own port, and without upper and lower case. */
#include "crumb/partners/destinations.h"

#define SEGMENTS_MOST 64 /* of a path; one with more leads nowhere */

bool url_plain(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((uint8_t)s.p[i] <= ' ' || s.p[i] == '\\' || s.p[i] == 0x7f)
			return false;
	struct str rest = STR("");
	if (str_starts(s, STR("https://")))
		rest = str_skip(s, 8);
	else if (str_starts(s, STR("http://")))
		rest = str_skip(s, 7);
	size_t end = 0;
	while (end < rest.n && rest.p[end] != '/' && rest.p[end] != '?' && rest.p[end] != '#')
		end++;
	return end > 0 && str_find(str_make(rest.p, end), '@') == end;
}

struct url {
	struct str origin, path, rest; /* rest: query and fragment, with their mark */
};

/* False: it is no plain URL. */
static bool split(struct str s, struct url *out)
{
	if (!url_plain(s))
		return false;
	size_t at = str_find(s, ':') + 3, end;
	while (at < s.n && s.p[at] != '/' && s.p[at] != '?' && s.p[at] != '#')
		at++;
	for (end = at; end < s.n && s.p[end] != '?' && s.p[end] != '#';)
		end++;
	*out = (struct url){str_make(s.p, at), str_make(s.p + at, end - at), str_skip(s, end)};
	return true;
}

/* What some servers read as a slash, or as a dot only when they decode twice. */
static bool ambiguous(struct str segment)
{
	return str_ihas(segment, STR("%2f")) || str_ihas(segment, STR("%5c")) ||
	       str_ihas(segment, STR("%252e")) || str_ihas(segment, STR("%00"));
}

/* 1 for "." and 2 for "..", also encoded; -1: with parameters behind, which some servers take off.
 */
static int dots(struct str s)
{
	int n = 0;
	while (s.n) {
		if (s.p[0] == '.')
			s = str_skip(s, 1);
		else if (s.n >= 3 && str_ieq(str_make(s.p, 3), STR("%2e")))
			s = str_skip(s, 3);
		else
			return n && s.p[0] == ';' ? -1 : 0;
		n++;
	}
	return n <= 2 ? n : 0;
}

/* The segments of a path without its dots; a slash at the end makes an empty last one. -1: it is
 * not to be trusted. */
static int segments(struct str path, struct str out[SEGMENTS_MOST])
{
	int n = 0;
	struct str rest = str_skip(path, 1), segment;
	while (str_cut(&rest, '/', &segment)) {
		int d = dots(segment);
		if (d < 0 || ambiguous(segment) || n == SEGMENTS_MOST || (d == 2 && n == 0))
			return -1;
		if (d == 2)
			n--;
		if (!d)
			out[n++] = segment;
		else if (!rest.p && n < SEGMENTS_MOST)
			out[n++] = STR(""); /* "/a/." is the folder */
	}
	return n;
}

/* Without the scheme's own port, which is no other, and the dot at the end of a name. */
static struct str bare_origin(struct str origin)
{
	struct str port = str_starts(origin, STR("https:")) ? STR(":443") : STR(":80");
	if (origin.n > port.n && str_eq(str_skip(origin, origin.n - port.n), port))
		origin.n -= port.n;
	if (origin.n && origin.p[origin.n - 1] == '.')
		origin.n--;
	return origin;
}

/* Is the URL the listed one, or below it? */
static bool covers(struct str listed, const struct url *url, const struct str *given, int given_n)
{
	struct url l;
	struct str ours[SEGMENTS_MOST];
	if (!split(listed, &l) || !str_ieq(bare_origin(l.origin), bare_origin(url->origin)))
		return false;
	int n = segments(l.path, ours);
	/* A query that is begun belongs to this very path: the same comparison without the query,
	 * of paths that end alike. */
	if (l.rest.n)
		return n == given_n && str_starts(url->rest, l.rest) &&
		       (n == 0 || str_eq(ours[n - 1], given[n - 1])) &&
		       covers(str_make(listed.p, listed.n - l.rest.n), url, given, given_n);
	if (n > 0 && ours[n - 1].n == 0)
		n--; /* a slash at the end: everything below */
	else if (n > given_n)
		return false;
	for (int i = 0; i < n; i++)
		if (i >= given_n || !str_eq(ours[i], given[i]))
			return false;
	return n >= 0 && given_n >= n;
}

bool partner_redirects_to(const struct partner *p, struct str text)
{
	struct url url;
	struct str given[SEGMENTS_MOST];
	int n = split(text, &url) ? segments(url.path, given) : -1;
	for (unsigned i = 0; n >= 0 && i < p->redirects_n; i++)
		if (covers(p->redirects[i], &url, given, n))
			return true;
	return false;
}
