/* Whom proxies speak for: X-Forwarded-For, and Forwarded (RFC 7239), in which each element has
 * several pairs: `for="[2001:db8::1]:4711";proto=https, for=192.0.2.43`.
 *
 * Each proxy adds at the end, and the client may have written the beginning. So lists are read from
 * their end, and quotes are sought from there, too: a quote that the client opened and never closed
 * must not swallow what our proxies have written behind it. */
#include "crumb/privacy/hit.h"

/* Up to the next `sep` that is in no quotes. False: the end. */
static bool cut_unquoted(struct str *rest, char sep, struct str *part)
{
	bool quoted = false;
	size_t n = 0;
	if (!rest->p)
		return false;
	for (; n < rest->n && (quoted || rest->p[n] != sep); n++) {
		if (quoted && rest->p[n] == '\\' && n + 1 < rest->n)
			n++;
		else if (rest->p[n] == '"')
			quoted = !quoted;
	}
	*part = str_make(rest->p, n < rest->n ? n : rest->n);
	*rest = n < rest->n ? str_skip(*rest, n + 1) : str_make(NULL, 0);
	return true;
}

/* A token, or what is in quotes. An escape stays as it is: neither addresses nor hosts have one. */
static struct str unquoted(struct str s)
{
	s = str_trim(s);
	return s.n >= 2 && s.p[0] == '"' && s.p[s.n - 1] == '"' ? str_make(s.p + 1, s.n - 2) : s;
}

/* The value of a pair of this name, or empty. */
static struct str value_of(struct str element, struct str name)
{
	struct str pair;
	while (cut_unquoted(&element, ';', &pair)) {
		size_t eq = str_find(pair, '=');
		if (eq < pair.n && str_ieq(str_trim(str_make(pair.p, eq)), name))
			return unquoted(str_skip(pair, eq + 1));
	}
	return STR("");
}

bool forwarded_next(struct str *rest, struct str name, struct str *value)
{
	struct str element;
	while (cut_unquoted(rest, ',', &element))
		if (str_trim(element).n) { /* empty elements do not count (RFC 9110 5.6.1) */
			*value = value_of(element, name);
			return true;
		}
	return false;
}

/* Cuts the last element from a list. Blanks and empty elements are passed over; a comma in quotes
 * separates nothing. */
static struct str last_of(struct str *list)
{
	struct str one = STR("");
	while (list->n && !one.n) {
		size_t from = list->n;
		bool quoted = false;
		for (; from > 0 && (quoted || list->p[from - 1] != ','); from--)
			quoted ^=
			    list->p[from - 1] == '"' && !(from > 1 && list->p[from - 2] == '\\');
		one = str_trim(str_skip(*list, from));
		list->n = from ? from - 1 : 0;
	}
	return one;
}

struct str cidr_list_client(
    const struct cidr_list *ours, const struct cidr_list *also, struct str list)
{
	struct str found = STR(""), one;
	while ((one = last_of(&list)).n) {
		/* no address has a '=', so this is an element of Forwarded */
		found = memchr(one.p, '=', one.n) ? value_of(one, STR("for")) : one;
		if (!cidr_list_has_text(ours, found) && !(also && cidr_list_has_text(also, found)))
			break;
	}
	return found;
}

bool address_asked(const struct cidr_list *ours, struct str list, uint8_t address[16])
{
	uint8_t said[16];
	if (!list.n || !cidr_list_has_address(ours, address) ||
	    !address_read(cidr_list_client(ours, NULL, list), said))
		return false;
	memcpy(address, said, sizeof said);
	return true;
}
