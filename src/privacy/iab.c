#include "crumb/privacy/iab.h"

enum { ID_MAX = UINT16_MAX };

/* --- bits: six to a character of base64url, most significant first */

struct bits {
	const char *p;
	size_t n, at; /* both in bits */
	bool bad;     /* read past the end */
};

static int six(char c)
{
	return c >= 'A' && c <= 'Z'   ? c - 'A'
	       : c >= 'a' && c <= 'z' ? c - 'a' + 26
	       : c >= '0' && c <= '9' ? c - '0' + 52
	       : c == '-'	      ? 62
	       : c == '_'	      ? 63
				      : -1;
}

static bool bits_of(struct str s, struct bits *out)
{
	for (size_t i = 0; i < s.n; i++)
		if (six(s.p[i]) < 0)
			return false;
	*out = (struct bits){s.p, s.n * 6, 0, false};
	return s.n > 0;
}

static uint64_t take(struct bits *b, unsigned n)
{
	uint64_t v = 0;
	if (b->bad || b->n - b->at < n) {
		b->bad = true;
		return 0;
	}
	for (unsigned i = 0; i < n; i++, b->at++)
		v = v << 1 | (unsigned)(six(b->p[b->at / 6]) >> (5 - b->at % 6) & 1);
	return v;
}

static void skip(struct bits *b, size_t n)
{
	if (b->bad || b->n - b->at < n)
		b->bad = true;
	else
		b->at += n;
}

/* `n` bits as a set: the first becomes bit 0. */
static uint32_t take_set(struct bits *b, unsigned n)
{
	uint32_t set = 0;
	for (unsigned i = 0; i < n; i++)
		set |= (uint32_t)take(b, 1) << i;
	return set;
}

/* A Fibonacci-coded integer: each one stands for the next Fibonacci number, two ones in a row end
 * it. */
static unsigned take_fibonacci(struct bits *b)
{
	unsigned sum = 0, f = 1, next = 2;
	bool last = false;
	while (!b->bad && f <= ID_MAX) {
		bool one = take(b, 1);
		if (one && last)
			return sum;
		sum += one ? f : 0;
		last = one;
		unsigned then = f + next;
		f = next;
		next = then;
	}
	/* the second one may stand behind the last number that is allowed */
	if (last && !b->bad && take(b, 1))
		return sum;
	b->bad = true;
	return 0;
}

enum coding {
	FIXED,
	FIBONACCI
}; /* of the ids in a range: 16 bits each, or offsets from the id before */

/* Entries of one id or a range of them: is `id` among them? */
static bool ranges_have(struct bits *b, unsigned entries, unsigned id, enum coding coding)
{
	bool found = false;
	uint64_t last = 0;
	for (unsigned i = 0; i < entries && !b->bad; i++) {
		bool range = take(b, 1);
		uint64_t first = coding == FIXED ? take(b, 16) : last + take_fibonacci(b);
		last = !range ? first : coding == FIXED ? take(b, 16) : first + take_fibonacci(b);
		if (last < first)
			b->bad = true;
		found |= id >= first && id <= last;
	}
	return found && !b->bad;
}

/* A vendor section: MaxVendorId(16) IsRange(1), then a bit for each vendor or NumEntries(12) and
 * the entries. */
static bool vendors_have(struct bits *b, unsigned id, enum coding coding)
{
	unsigned most = (unsigned)take(b, 16);
	if (take(b, 1))
		return ranges_have(b, (unsigned)take(b, 12), id, coding);
	bool found = false;
	if (id >= 1 && id <= most) {
		struct bits at = *b;
		skip(&at, id - 1);
		found = take(&at, 1);
	}
	skip(b, most);
	return found && !b->bad;
}

/* --- TCF */

enum { SEGMENT_DISCLOSED = 1 };
/* Policy 2.3: strings created from 28 February 2026 on must say who was disclosed. In tenths of
 * seconds since 1970, as Created is. */
#define DISCLOSED_NEEDED_SINCE (UINT64_C(1772236800) * 10)
enum { RESTRICTION_FORBIDDEN, RESTRICTION_CONSENT, RESTRICTION_INTEREST };

static uint32_t restrictions(struct bits *b, unsigned vendor)
{
	uint32_t set = 0;
	unsigned n = (unsigned)take(b, 12);
	for (unsigned i = 0; i < n && !b->bad; i++) {
		unsigned purpose = (unsigned)take(b, 6), type = (unsigned)take(b, 2);
		if (ranges_have(b, (unsigned)take(b, 12), vendor, FIXED) &&
		    type != RESTRICTION_CONSENT && purpose >= 1 && purpose <= 24)
			set |= 1u << (purpose - 1);
	}
	return set;
}

static bool core(struct str s, unsigned vendor, struct tcf *out)
{
	struct bits b;
	if (!bits_of(s, &b) || take(&b, 6) != 2)
		return false;
	out->disclosed = take(&b, 36) < DISCLOSED_NEEDED_SINCE; /* unless a segment says more */
	skip(&b, 132 - 42);
	if (take(&b, 6) < 4 || take(&b, 1) != 1) /* policy, service-specific */
		return false;
	skip(&b, 152 - 139);
	out->purposes = take_set(&b, 24);
	skip(&b, 213 - 176);
	out->vendor = vendors_have(&b, vendor, FIXED);
	(void)vendors_have(
	    &b, vendor, FIXED); /* legitimate interest is no ground for what crumb does */
	out->restricted = restrictions(&b, vendor);
	return !b.bad;
}

bool tcf_read(struct str s, unsigned vendor, struct tcf *out)
{
	struct str segment;
	*out = (struct tcf){.disclosed = false};
	if (!s.n || !str_cut(&s, '.', &segment) || !core(segment, vendor, out))
		return false;
	while (s.p) {
		struct bits b;
		if (!str_cut(&s, '.', &segment) || !bits_of(segment, &b))
			return false;
		if (take(&b, 3) == SEGMENT_DISCLOSED)
			out->disclosed = vendors_have(&b, vendor, FIXED);
		if (b.bad)
			return false;
	}
	return true;
}

static bool canada(struct bits b, unsigned vendor, enum coding coding, struct tcf *out)
{
	skip(&b, 151 - 6);
	out->purposes = take_set(&b, 24);
	out->purposes |= take_set(&b, 24);
	out->vendor = vendors_have(&b, vendor, coding);
	out->vendor |= vendors_have(&b, vendor, coding);
	unsigned n = (unsigned)take(&b, 12);
	for (unsigned i = 0; i < n && !b.bad; i++) {
		unsigned purpose = (unsigned)take(&b, 6), type = (unsigned)take(&b, 2);
		bool ours = coding == FIXED ? ranges_have(&b, (unsigned)take(&b, 12), vendor, FIXED)
					    : vendors_have(&b, vendor, FIBONACCI);
		if (ours && type == RESTRICTION_FORBIDDEN && purpose >= 1 && purpose <= 24)
			out->restricted |= 1u << (purpose - 1);
	}
	while (!b.bad && b.at < b.n) /* padding, or it was read wrongly */
		if (take(&b, 1))
			return false;
	return !b.bad;
}

/* Both codings of ranges are in the field and nothing says which one a string has: it has the one
 * in which it can be read to its end. */
bool tcf_canada_read(struct str s, unsigned vendor, struct tcf *out)
{
	struct bits b;
	struct tcf other = {.disclosed = true};
	*out = other;
	s.n = str_find(s, '.');
	if (!bits_of(s, &b))
		return false;
	unsigned version = (unsigned)take(&b, 6);
	if (version != 1 && version != 2)
		return false;
	bool fixed = canada(b, vendor, FIXED, out),
	     fibonacci = canada(b, vendor, FIBONACCI, &other);
	if (fixed && fibonacci)
		return out->vendor == other.vendor && out->restricted == other.restricted;
	if (fibonacci)
		*out = other;
	return fixed || fibonacci;
}

/* --- United States */

enum us_choice us_privacy_read(struct str s)
{
	if (s.n != 4 || s.p[0] != '1')
		return US_UNREADABLE;
	for (int i = 1; i < 4; i++)
		if (!memchr("YNyn-", s.p[i], 5))
			return US_UNREADABLE;
	return chr_lower(s.p[2]) == 'y' ? US_OPTED_OUT
	       : s.p[2] == '-'		? US_NOT_APPLICABLE
					: US_NOT_OPTED_OUT;
}

/* Where the two bits of each opt-out lie: of sale, of sharing, of targeted advertising; 0: the
 * section has none. */
static const uint8_t us_at[28][3] = {[7] = {18, 20, 22},
    [8] = {12, 14, 0},
    [9] = {12, 0, 14},
    [10] = {12, 0, 14},
    [11] = {14, 0, 16},
    [12] = {12, 0, 14},
    [13] = {12, 0, 14},
    [14] = {12, 0, 14},
    [15] = {12, 0, 14},
    [16] = {12, 0, 14},
    [17] = {12, 0, 14},
    [18] = {14, 0, 16},
    [19] = {12, 0, 14},
    [20] = {12, 0, 14},
    [21] = {12, 0, 14},
    [22] = {12, 0, 14},
    [23] = {12, 0, 14},
    [24] = {16, 0, 18},
    [25] = {16, 0, 18},
    [26] = {16, 0, 18},
    [27] = {16, 0, 18}};
enum {
	US_NATIONAL = 7,
	US_HEADED = 24 /* and those behind: Maryland, Indiana, Kentucky, Rhode Island */,
	US_LAST = 27,
	SUBSECTION_GPC = 1
};

/* Sections 24 to 27 come in two layouts that differ before the core only. The specification puts a
 * header in front, which begins with the section's number and the version; the IAB's library writes
 * the core at once, which begins with the version of the MSPA. */
static bool us_core(unsigned section, struct str *s, struct bits *core)
{
	struct str part;
	if (!s->n || !str_cut(s, '.', &part) || !bits_of(part, core))
		return false;
	struct bits b = *core;
	unsigned first = (unsigned)take(&b, 6);
	if (section < US_HEADED || first != section)
		return !b.bad && (first == 1 || (first == 2 && section == US_NATIONAL));
	return take(&b, 6) == 1 && s->p && str_cut(s, '.', &part) && bits_of(part, core);
}

enum us_choice gpp_us_read(unsigned section, struct str s)
{
	struct str part;
	struct bits b;
	bool out = false, said = false;
	if (section < US_NATIONAL || section > US_LAST || !us_core(section, &s, &b))
		return US_UNREADABLE;
	for (int i = 0; i < 3; i++) {
		if (!us_at[section][i])
			continue;
		b.at = us_at[section][i];
		if (b.at > b.n)
			return US_UNREADABLE;
		unsigned choice = (unsigned)take(&b, 2);
		if (b.bad || choice == 3)
			return US_UNREADABLE;
		out |= choice == 1;
		said |= choice != 0;
	}
	while (s.p) {
		if (!str_cut(&s, '.', &part) || !bits_of(part, &b))
			return US_UNREADABLE;
		if (section > US_HEADED) /* theirs is of sensitive data, and has no type */
			continue;
		if (take(&b, 2) == SUBSECTION_GPC)
			out |= take(&b, 1);
		if (b.bad)
			return US_UNREADABLE;
	}
	return out ? US_OPTED_OUT : said ? US_NOT_OPTED_OUT : US_NOT_APPLICABLE;
}

/* --- GPP */

enum { GPP_TYPE = 3, GPP_VERSION = 1 };

static bool gpp_add(struct gpp *g, unsigned id)
{
	if (g->n == GPP_SECTIONS_MAX || id == 0 || id > ID_MAX)
		return false;
	g->section[g->n++].id = id;
	return true;
}

static bool gpp_header(struct str s, struct gpp *g)
{
	struct bits b;
	if (!bits_of(s, &b) || take(&b, 6) != GPP_TYPE || take(&b, 6) != GPP_VERSION)
		return false;
	unsigned items = (unsigned)take(&b, 12), id = 0;
	for (unsigned i = 0; i < items && !b.bad; i++) {
		bool range = take(&b, 1);
		id += take_fibonacci(&b);
		unsigned last = range ? id + take_fibonacci(&b) : id;
		if (b.bad || last < id || last - id >= GPP_SECTIONS_MAX)
			return false;
		for (; id <= last; id++)
			if (!gpp_add(g, id))
				return false;
		id = last;
	}
	return !b.bad;
}

bool gpp_read(struct str s, struct gpp *out)
{
	struct str part;
	out->n = 0;
	if (!s.n || !str_cut(&s, '~', &part) || !gpp_header(part, out))
		return false;
	for (unsigned i = 0; i < out->n; i++)
		if (!s.p || !str_cut(&s, '~', &out->section[i].text) || out->section[i].text.n == 0)
			return false;
	return !s.p; /* as many sections as the header says */
}

bool gpp_find(const struct gpp *g, unsigned id, struct str *text)
{
	for (unsigned i = 0; i < g->n; i++) {
		if (g->section[i].id == id) {
			*text = g->section[i].text;
			return true;
		}
	}
	return false;
}
