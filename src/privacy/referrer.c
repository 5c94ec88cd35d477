/* The class of a referrer: our own pages by their host, search engines and social networks by lists
 * (etc/referrers.txt, compiled in). A line of the list is "search google.* news" or "social
 * facebook.com": a kind, a pattern, and for patterns with .* labels that may stand before the name.
 * Of the patterns that fit, the longest decides, so the list has exceptions: "other mail.yandex.ru"
 * beside "search yandex.*". */
#include "crumb/privacy/referrer.h"

#include "crumb/privacy/anonymise.h"
#include "crumb/privacy/scrub.h"
#include "crumb/privacy/site.h"

/* Made at build from etc/referrers.txt. */
extern const char referrers_txt[];
extern const unsigned long referrers_txt_n;

/* Is the host the domain, or a part of it? */
static bool below(struct str host, struct str domain)
{
	if (host.n < domain.n || !str_ieq(str_skip(host, host.n - domain.n), domain))
		return false;
	return host.n == domain.n || host.p[host.n - domain.n - 1] == '.';
}

static struct str without_www(struct str host)
{
	if (str_starts(host, STR("www.")))
		return str_skip(host, 4);
	return str_starts(host, STR("m.")) ? str_skip(host, 2) : host;
}

/* A label that may stand before the name of any search engine: www, m, a language of two letters.
 */
static bool usual(struct str label)
{
	static const struct str labels[] = {{"www", 3}, {"m", 1}, {"mobile", 6}, {"search", 6},
	    {"suche", 5}, {"r", 1}, {"wap", 3}, {"html", 4}, {"lite", 4}, {"safe", 4}, {"start", 5},
	    {"noai", 4}};
	if (label.n == 2 && chr_alpha(label.p[0]) && chr_alpha(label.p[1]))
		return true;
	for (size_t i = 0; i < sizeof labels / sizeof *labels; i++)
		if (str_ieq(label, labels[i]))
			return true;
	return false;
}

static bool among(struct str words, struct str label)
{
	struct str word;
	while (words.n && str_cut(&words, ' ', &word))
		if (str_ieq(word, label))
			return true;
	return false;
}

/* Is it the host of an engine of this name? "google" is named in google.com and www.google.co.uk,
 * and with `more` "news" in news.google.de: behind the name come one or two short labels. */
static bool named(struct str host, struct str name, struct str more)
{
	for (size_t at = 0; at < host.n;) {
		struct str part = str_skip(host, at), rest;
		part.n = str_find(part, '.');
		rest = str_skip(host, at + part.n);
		if (str_ieq(part, name) && rest.n > 1) {
			rest = str_skip(rest, 1);
			size_t dot = str_find(rest, '.');
			return dot == rest.n || (dot <= 3 && str_find(str_skip(rest, dot + 1),
								 '.') == rest.n - dot - 1);
		}
		if (!usual(part) && !among(more, part))
			return false;
		at += part.n + 1;
	}
	return false;
}

enum referrer referrer_of_host(struct str host)
{
	struct str text = str_make(referrers_txt, referrers_txt_n), line, kind, pattern;
	enum referrer found = REFERRER_OTHER;
	size_t longest = 0;
	while (text.n && str_cut(&text, '\n', &line)) {
		if (!line.n || line.p[0] == '#' || !str_cut(&line, ' ', &kind) ||
		    !str_cut(&line, ' ', &pattern) || pattern.n <= longest)
			continue;
		bool any_suffix = pattern.n > 2 && pattern.p[pattern.n - 1] == '*';
		struct str name = str_make(pattern.p, any_suffix ? pattern.n - 2 : pattern.n);
		struct str more = line.p ? line : STR("");
		if (any_suffix ? !named(host, name, more) : !below(host, name))
			continue;
		longest = pattern.n;
		if (str_eq(kind, STR("search")))
			found = REFERRER_SEARCH;
		else
			found = str_eq(kind, STR("social")) ? REFERRER_SOCIAL : REFERRER_OTHER;
	}
	return found;
}

enum referrer referrer_class(
    const struct config *c, struct str referrer, struct str host, struct str *outside)
{
	struct url_parts u;
	*outside = str_make("", 0);
	if (referrer.n == 0)
		return REFERRER_NONE;
	if (str_starts(referrer, STR("android-app://"))) {
		*outside = str_skip(referrer, sizeof "android-app://" - 1);
		outside->n = str_find(*outside, '/');
		return REFERRER_OTHER;
	}
	if (!url_split(referrer, &u))
		return REFERRER_OTHER;
	struct str ours = without_www(host), theirs = without_www(u.host);
	if ((ours.n && (below(theirs, ours) || below(ours, theirs))) ||
	    (*c->sites && site_is_ours(c, u.host)))
		return REFERRER_INTERNAL;
	*outside = u.host;
	if (outside->n && outside->p[outside->n - 1] == '.')
		outside->n--;
	return REFERRER_OTHER;
}
