/* Consent strings of the IAB. All but US privacy strings are fields of bits in base64url. So there
 * is one reader of bits, and each format is read by its fields in their order. A read past the end
 * sets `bad`, which stays; the caller checks it once, at the end.
 *
 * Where fields are passed over, the code says so by positions: skip(&b, 132 - 42) goes from bit 42
 * to bit 132. The positions are those of the specifications:
 *
 *	TC string      Version 0, Created 6, …, TcfPolicyVersion 132, IsServiceSpecific 138, …,
 *	               PurposesConsent 152, …, vendors and restrictions from 213 on
 *	Canada         …, PurposesExpressConsent 151, PurposesImpliedConsent 175, vendors of both
 *	               kinds and restrictions from 199 on
 *	United States  fields of two bits; us_at[] has the positions of the opt-outs
 *	GPP            Type 0, Version 6, then the numbers of the sections as ranges; the sections
 *	               themselves follow behind '~'
 */
#include "crumb/privacy/iab.h"

enum { ID_MAX = UINT16_MAX }; /* numbers of vendors and of sections have 16 bits */

/* --- bits: six to a character of base64url, most significant first */

struct bits {
	const char *p;
	size_t n, at; /* both in bits */
	bool bad;     /* read past the end */
};

/* The value of a character, or -1. */
static int six(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '-')
		return 62;
	return c == '_' ? 63 : -1;
}

/* False: empty, or not base64url. */
static bool bits_of(struct str s, struct bits *out)
{
	for (size_t i = 0; i < s.n; i++)
		if (six(s.p[i]) < 0)
			return false;
	*out = (struct bits){s.p, s.n * 6, 0, false};
	return s.n > 0;
}

static uint64_t take_bits(struct bits *b, unsigned n)
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
		set |= (uint32_t)take_bits(b, 1) << i;
	return set;
}

/* A Fibonacci-coded number: the n-th bit stands for the n-th of 1, 2, 3, 5, 8 …, and a second one
 * in a row ends it. 0 0 1 1 is 3; 1 0 1 1 is 1 + 3 = 4. */
static unsigned take_fibonacci(struct bits *b)
{
	unsigned sum = 0, f = 1, next = 2;
	bool last = false;
	while (!b->bad && f <= ID_MAX) {
		bool one = take_bits(b, 1);
		if (one && last)
			return sum;
		sum += one ? f : 0;
		last = one;
		unsigned then = f + next;
		f = next;
		next = then;
	}
	/* the ending one may stand behind the greatest number that is allowed */
	if (last && !b->bad && take_bits(b, 1))
		return sum;
	b->bad = true;
	return 0;
}

/* Of the ids in a range: FIXED, 16 bits each; FIBONACCI, the distance from the id before. */
enum coding { FIXED, FIBONACCI };

static uint64_t take_id(struct bits *b, uint64_t before, enum coding coding)
{
	return coding == FIXED ? take_bits(b, 16) : before + take_fibonacci(b);
}

/* Entries of one id or a range of ids: is `id` among them? */
static bool ranges_have(struct bits *b, unsigned entries, unsigned id, enum coding coding)
{
	bool found = false;
	uint64_t last = 0;
	for (unsigned i = 0; i < entries && !b->bad; i++) {
		bool range = take_bits(b, 1);
		uint64_t first = take_id(b, last, coding);
		last = range ? take_id(b, first, coding) : first;
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
	unsigned most = (unsigned)take_bits(b, 16);
	if (take_bits(b, 1))
		return ranges_have(b, (unsigned)take_bits(b, 12), id, coding);
	bool found = false;
	if (id >= 1 && id <= most) {
		struct bits at = *b;
		skip(&at, id - 1);
		found = take_bits(&at, 1);
	}
	skip(b, most);
	return found && !b->bad;
}

/* --- TCF */

enum { SEGMENT_DISCLOSED = 1 };
/* Policy 2.3: strings created from 28 February 2026 on must say which vendors were disclosed. In
 * tenths of seconds since 1970, as Created is. */
#define DISCLOSED_NEEDED_SINCE (UINT64_C(1772236800) * 10)
enum { RESTRICTION_FORBIDDEN, RESTRICTION_CONSENT, RESTRICTION_INTEREST };

/* The purposes that the publisher does not let this vendor have by consent. */
static uint32_t restrictions(struct bits *b, unsigned vendor)
{
	uint32_t set = 0;
	unsigned n = (unsigned)take_bits(b, 12);
	for (unsigned i = 0; i < n && !b->bad; i++) {
		unsigned purpose = (unsigned)take_bits(b, 6), type = (unsigned)take_bits(b, 2);
		if (ranges_have(b, (unsigned)take_bits(b, 12), vendor, FIXED) &&
		    type != RESTRICTION_CONSENT && purpose >= 1 && purpose <= TCF_PURPOSES)
			set |= 1u << (purpose - 1);
	}
	return set;
}

/* The first segment of a TC string. Vendors come twice: those with consent, and those with
 * legitimate interest, which is no ground for what crumb does. */
static bool tcf_core(struct str s, unsigned vendor, struct tcf *out)
{
	struct bits b;
	if (!bits_of(s, &b) || take_bits(&b, 6) != 2)
		return false;
	out->disclosed =
	    take_bits(&b, 36) < DISCLOSED_NEEDED_SINCE; /* unless a segment says more */
	skip(&b, 132 - 42);
	if (take_bits(&b, 6) < 4 || take_bits(&b, 1) != 1) /* policy, service-specific */
		return false;
	skip(&b, 152 - 139);
	out->purposes = take_set(&b, TCF_PURPOSES);
	skip(&b, 213 - 176);
	out->vendor = vendors_have(&b, vendor, FIXED);
	(void)vendors_have(&b, vendor, FIXED); /* of legitimate interest */
	out->restricted = restrictions(&b, vendor);
	return !b.bad;
}

bool tcf_read(struct str s, unsigned vendor, struct tcf *out)
{
	struct str segment;
	*out = (struct tcf){.disclosed = false};
	if (!s.n || !str_cut(&s, '.', &segment) || !tcf_core(segment, vendor, out))
		return false;
	while (s.p) {
		struct bits b;
		if (!str_cut(&s, '.', &segment) || !bits_of(segment, &b))
			return false;
		if (take_bits(&b, 3) == SEGMENT_DISCLOSED)
			out->disclosed = vendors_have(&b, vendor, FIXED);
		if (b.bad)
			return false;
	}
	return true;
}

/* The core after its version, with ids in one of the two codings. */
static bool canada_core(struct bits b, unsigned vendor, enum coding coding, struct tcf *out)
{
	skip(&b, 151 - 6);
	out->purposes = take_set(&b, TCF_PURPOSES);
	out->purposes |= take_set(&b, TCF_PURPOSES);
	out->vendor = vendors_have(&b, vendor, coding);
	out->vendor |= vendors_have(&b, vendor, coding);
	unsigned n = (unsigned)take_bits(&b, 12);
	for (unsigned i = 0; i < n && !b.bad; i++) {
		unsigned purpose = (unsigned)take_bits(&b, 6), type = (unsigned)take_bits(&b, 2);
		bool ours = coding == FIXED
				? ranges_have(&b, (unsigned)take_bits(&b, 12), vendor, FIXED)
				: vendors_have(&b, vendor, FIBONACCI);
		if (ours && type == RESTRICTION_FORBIDDEN && purpose >= 1 &&
		    purpose <= TCF_PURPOSES)
			out->restricted |= 1u << (purpose - 1);
	}
	while (!b.bad && b.at < b.n) /* ones behind the end: the coding was the other one */
		if (take_bits(&b, 1))
			return false;
	return !b.bad;
}

/* Both codings of ranges are in use, and nothing says which one a string has. It has the one in
 * which it can be read to its end; where both can, they have to agree about us. */
bool tcf_canada_read(struct str s, unsigned vendor, struct tcf *out)
{
	struct bits b;
	struct tcf other = {.disclosed = true};
	*out = other;
	s.n = str_find(s, '.');
	if (!bits_of(s, &b))
		return false;
	unsigned version = (unsigned)take_bits(&b, 6);
	if (version != 1 && version != 2)
		return false;
	bool fixed = canada_core(b, vendor, FIXED, out);
	bool fibonacci = canada_core(b, vendor, FIBONACCI, &other);
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
	if (chr_lower(s.p[2]) == 'y')
		return US_OPTED_OUT;
	return s.p[2] == '-' ? US_NOT_APPLICABLE : US_NOT_OPTED_OUT;
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
	US_HEADED = 24, /* to 27: Maryland, Indiana, Kentucky, Rhode Island */
	US_LAST = 27,
	SUBSECTION_GPC = 1
};

/* Sections 24 to 27 come in two layouts, which differ before the core only. The specification puts
 * a header in front, which begins with the section's number and the version. The IAB's library
 * writes the core at once, which begins with the version of the MSPA. */
static bool us_core(unsigned section, struct str *s, struct bits *core)
{
	struct str part;
	if (!s->n || !str_cut(s, '.', &part) || !bits_of(part, core))
		return false;
	struct bits b = *core;
	unsigned first = (unsigned)take_bits(&b, 6);
	if (section < US_HEADED || first != section)
		return !b.bad && (first == 1 || (first == 2 && section == US_NATIONAL));
	return take_bits(&b, 6) == 1 && s->p && str_cut(s, '.', &part) && bits_of(part, core);
}

/* An opt-out of sale, sharing or targeted advertising is an opt-out, and so is GPC in a subsection.
 * Each choice has two bits: 0 not applicable, 1 opted out, 2 did not opt out. */
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
		unsigned choice = (unsigned)take_bits(&b, 2);
		if (b.bad || choice == 3)
			return US_UNREADABLE;
		out |= choice == 1;
		said |= choice != 0;
	}
	while (s.p) {
		if (!str_cut(&s, '.', &part) || !bits_of(part, &b))
			return US_UNREADABLE;
		if (section >
		    US_HEADED) /* their subsection is about sensitive data and has no type */
			continue;
		if (take_bits(&b, 2) == SUBSECTION_GPC)
			out |= take_bits(&b, 1);
		if (b.bad)
			return US_UNREADABLE;
	}
	if (out)
		return US_OPTED_OUT;
	return said ? US_NOT_OPTED_OUT : US_NOT_APPLICABLE;
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

/* Numbers of sections are ascending: each entry is a distance from the last number, or the ends of
 * a range. */
static bool gpp_header(struct str s, struct gpp *g)
{
	struct bits b;
	if (!bits_of(s, &b) || take_bits(&b, 6) != GPP_TYPE || take_bits(&b, 6) != GPP_VERSION)
		return false;
	unsigned items = (unsigned)take_bits(&b, 12), id = 0;
	for (unsigned i = 0; i < items && !b.bad; i++) {
		bool range = take_bits(&b, 1);
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
