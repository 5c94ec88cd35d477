/* The consent gate. privacy/consent.h has the order in which signals are judged.
 *
 * Three steps. First every string that came is read by the function of its name, judge_gpp() and so
 * on, which privacy/hit_rows.h calls. Each says into `findings` what it found: a refusal (the
 * visitor says no), a no (unreadable, not about us, missing), or a yes. Then consent_judge() goes
 * down the rows of the header: a refusal of any string outweighs everything but GPC, a no outweighs
 * a yes. Then what nobody has said is decided by the options.
 *
 * Of several refusals the first is counted as the reason; the rows of hit_rows.h give the order. */
#include "crumb/privacy/consent.h"

#include "crumb/privacy/anonymise.h"
#include "crumb/privacy/country.h"
#include "crumb/privacy/iab.h"
#include "crumb/privacy/site.h"

/* What all strings together say. */
struct findings {
	bool refused, no;		 /* some string is a refusal, a no */
	bool tcf, yes;			 /* a TC string, any string says yes */
	enum metric refused_why, no_why; /* of the first */
	uint32_t purposes;		 /* of the TC string that says yes */
};

static void refusal(struct findings *f, enum metric why)
{
	if (!f->refused)
		f->refused_why = why;
	f->refused = true;
}

static void no(struct findings *f, enum metric why)
{
	if (!f->no)
		f->no_why = why;
	f->no = true;
}

/* A user who does not consent to the purposes, or not to us, refuses. Where the user was not asked
 * about us, or the publisher forbids it, nobody has refused: that is a no. */
static void say_tcf(const struct config *c, bool readable, const struct tcf *t, struct findings *f)
{
	uint32_t needed = c->lists.tcf_purposes; /* to store a profile and let it be used */
	if (!readable) {
		no(f, M_REFUSED_UNREADABLE);
	} else if (c->tcf_vendor == 0) {
		no(f, M_REFUSED_VENDOR);
	} else if ((t->purposes & needed) != needed) {
		refusal(f, M_REFUSED_TCF);
	} else if (!t->disclosed) {
		no(f, M_REFUSED_VENDOR);
	} else if (!t->vendor) {
		refusal(f, M_REFUSED_TCF);
	} else if (t->restricted & needed) {
		no(f, M_REFUSED_VENDOR);
	} else {
		f->tcf = f->yes = true;
		f->purposes = t->purposes;
	}
}

static void judge_categories(const struct config *c, const struct hit *h, struct findings *f)
{
	enum categories said = h->categories;
	(void)c;
	if (said == CATEGORIES_REFUSED)
		refusal(f, M_REFUSED_CATEGORY);
	else if (said == CATEGORIES_UNREADABLE)
		no(f, M_REFUSED_UNREADABLE);
	else if (said == CATEGORIES_MISSING)
		no(f, M_REFUSED_MISSING);
	else if (said == CATEGORIES_YES)
		f->yes = true;
}

static void say_us(enum us_choice choice, enum metric opted_out, struct findings *f)
{
	if (choice == US_UNREADABLE)
		no(f, M_REFUSED_UNREADABLE);
	else if (choice == US_OPTED_OUT)
		refusal(f, opted_out);
	else if (choice == US_NOT_OPTED_OUT)
		f->yes = true;
}

enum { GPP_TCF = 2, GPP_TCF_CANADA = 5, GPP_US_PRIVACY = 6 };

/* One section of a GPP string. Sections that we cannot read are unreadable, as broken ones are. */
static void judge_section(const struct config *c, unsigned id, struct str text, struct findings *f)
{
	struct tcf t;
	unsigned vendor = (unsigned)c->tcf_vendor;
	if (id == GPP_TCF)
		say_tcf(c, tcf_read(text, vendor, &t), &t, f);
	else if (id == GPP_TCF_CANADA)
		say_tcf(c, tcf_canada_read(text, vendor, &t), &t, f);
	else if (id == GPP_US_PRIVACY)
		say_us(us_privacy_read(text), M_REFUSED_USP, f);
	else
		say_us(gpp_us_read(id, text), M_REFUSED_GPP, f);
}

/* The next number of gpp_sid: "2,6", or as others write it, "2_6", "[2, 6]". */
static bool next_section(struct str *sids, struct str *one)
{
	while (sids->n) {
		size_t from = 0, n;
		while (from < sids->n && chr_one_of(sids->p[from], ",_;[] \t\""))
			from++;
		for (n = from; n < sids->n && !chr_one_of(sids->p[n], ",_;[] \t\""); n++)
			;
		*one = str_make(sids->p + from, n - from);
		*sids = str_skip(*sids, n);
		if (one->n)
			return true;
	}
	return false;
}

/* Judges the sections that apply: those of gpp_sid, or all that are there. The numbers 0 and -1 say
 * that none applies. A section of gpp_sid that is not there is missing. */
static void judge_gpp(const struct config *c, const struct hit *h, struct findings *f)
{
	struct gpp g = {.n = 0};
	struct str rest = h->gpp_sid, part, text;
	uint64_t id;
	if (h->gpp.n && !gpp_read(h->gpp, &g)) {
		no(f, M_REFUSED_UNREADABLE);
		return;
	}
	if (!rest.n)
		for (unsigned i = 0; i < g.n; i++)
			judge_section(c, g.section[i].id, g.section[i].text, f);
	while (next_section(&rest, &part)) {
		if (str_eq(part, STR("-1")) || str_eq(part, STR("0")))
			continue;
		if (!str_u64(part, &id) || id > UINT32_MAX)
			no(f, M_REFUSED_UNREADABLE);
		else if (!gpp_find(&g, (unsigned)id, &text))
			no(f, M_REFUSED_MISSING);
		else
			judge_section(c, (unsigned)id, text, f);
	}
}

/* Without a gpp string, gpp_sid announces sections that are missing. */
static void judge_gpp_sid(const struct config *c, const struct hit *h, struct findings *f)
{
	if (!h->gpp.n)
		judge_gpp(c, h, f);
}

static void judge_us_privacy(const struct config *c, const struct hit *h, struct findings *f)
{
	(void)c;
	say_us(us_privacy_read(h->us_privacy), M_REFUSED_USP, f);
}

/* gdpr=0 says that the TC string does not apply. Without gdpr it does. */
static void judge_gdpr_consent(const struct config *c, const struct hit *h, struct findings *f)
{
	struct tcf t;
	if (h->gdpr || !h->gdpr_no)
		say_tcf(c, tcf_read(h->gdpr_consent, (unsigned)c->tcf_vendor, &t), &t, f);
}

/* Calls judge_FIELD() for each signal of hit_rows.h that came. */
static void judge_signals(const struct config *c, const struct hit *h, struct findings *f)
{
#define HIT_STRING(field, ...)                                                                     \
	if (h->field.n)                                                                            \
		judge_##field(c, h, f);
#define HIT_SECTIONS(field, ...)                                                                   \
	if (h->field.n)                                                                            \
		judge_##field(c, h, f);
#define HIT_CATEGORIES(field, ...)                                                                 \
	if (h->field)                                                                              \
		judge_##field(c, h, f);
#include "crumb/privacy/hit_rows.h"
}

enum said consent_said(struct str value)
{
	static const char *const nothing[] = {"", "null", "undefined"};
	static const char *const zero[] = {"0", "false", "no", "off", "n", "f"};
	value = str_trim(value);
	for (size_t i = 0; i < sizeof nothing / sizeof *nothing; i++)
		if (str_ieq(value, str_c(nothing[i])))
			return SAID_NOTHING;
	for (size_t i = 0; i < sizeof zero / sizeof *zero; i++)
		if (str_ieq(value, str_c(zero[i])))
			return SAID_NO;
	return SAID_YES;
}

void consent_take_flag(bool *yes, bool *no, struct str value)
{
	enum said said = consent_said(value);
	*yes |= said == SAID_YES;
	*no |= said == SAID_NO;
}

void consent_take_string(struct str *into, struct str value)
{
	value = str_trim(value);
	if (value.n)
		*into = into->n && !str_eq(*into, value) ? STR("?") : value;
}

/* consent.require: countries (DE), parts of countries (US-CA), EEA. A visitor of whom we know too
 * little to exclude such a place counts as being there. */
static bool required_at(const struct config *c, const struct place *where)
{
	if (!*c->consent_require || !where)
		return false;
	struct str country = place_country(where);
	return !country.n ||
	       place_list_has(&c->lists.consent_require, country, place_region(where));
}

/* Is it EEA, a country, or a part of one? */
static enum err place_check(struct str word)
{
	if (str_find(word, ' ') < word.n || str_find(word, ';') < word.n)
		return err_set(ERR_USAGE,
		    "consent.require: '" STR_FMT "': commas stand between places", STR_ARG(word));
	size_t dash = str_find(word, '-');
	struct str country = str_make(word.p, dash), region = str_skip(word, dash + 1);
	struct str meant = country_meant(word);
	if (dash == word.n && (str_ieq(word, STR("EEA")) || country_known(word)))
		return OK;
	if (dash < word.n && country_known(country) && region.n &&
	    region.n <= sizeof((struct place *)0)->region)
		return OK;
	if (!meant.n)
		meant = country_meant(country);
	const char *hint = meant.n ? "; did you mean " : "";
	return err_set(ERR_USAGE,
	    "consent.require: '" STR_FMT
	    "' is no country (DE), no part of one (US-CA) and not EEA%s" STR_FMT "%s",
	    STR_ARG(word), hint, STR_ARG(meant), meant.n ? "?" : "");
}

enum err consent_check(const struct config *c)
{
	struct str places = str_c(c->consent_require), purposes = str_c(c->tcf_purposes), word;
	uint64_t n;
	enum err e = OK;
	while (!e && places.n && str_cut(&places, ',', &word))
		if ((word = str_trim(word)).n)
			e = place_check(word);
	while (!e && purposes.n && str_cut(&purposes, ',', &word))
		if (!str_u64(str_trim(word), &n) || n < 1 || n > TCF_PURPOSES)
			e = err_set(ERR_USAGE,
			    "consent.tcf.purposes: '" STR_FMT
			    "' is no purpose: numbers from 1 to %d, as in 1,3,4",
			    STR_ARG(word), TCF_PURPOSES);
	return e;
}

static bool sid_has_tcf(struct str gpp_sid)
{
	struct str part;
	while (next_section(&gpp_sid, &part))
		if (str_eq(part, STR("2")))
			return true;
	return false;
}

/* A page that is not ours can write what it likes into the query of an image, but must not erase
 * anybody by it. The browser says whose page it is: by Sec-Fetch-Site, or else by Origin or
 * Referer. Pages cannot forge these fields. */
static bool from_a_foreign_page(const struct config *c, const struct hit *h)
{
	struct str origin = h->origin;
	if (!origin.n && h->referer_header.n) {
		struct str r = h->referer_header;
		size_t host = str_find(r, ':') + 3;
		origin = host < r.n ? str_make(r.p, host + str_find(str_skip(r, host), '/')) : r;
	}
	if (h->fetch_site.n)
		return str_ieq(h->fetch_site, STR("cross-site")) &&
		       !(*c->sites && origin_is_ours(c, origin));
	return *c->sites && origin.n && !origin_is_ours(c, origin);
}

static struct consent refused(enum consent_verdict verdict, enum metric why)
{
	return (struct consent){verdict, why, 0};
}

struct consent consent_judge(const struct config *c, const struct hit *h, const struct place *where)
{
	/* the rows of consent.h, one by one */
	struct findings f = {.refused = false};
	if (h->gpc)
		return refused(CONSENT_NO_ERASE, M_REFUSED_GPC);
	judge_signals(c, h, &f);
	if (f.refused && from_a_foreign_page(c, h))
		return refused(CONSENT_NO, f.refused_why);
	if (f.refused)
		return refused(CONSENT_NO_ERASE, f.refused_why);
	if (h->optout_cookie)
		return refused(CONSENT_NO_EXPIRE, M_REFUSED_OPTOUT);
	if (h->dnt && c->dnt == CONFIG_YES)
		return refused(CONSENT_NO_EXPIRE, M_REFUSED_DNT);
	if (h->anon)
		return refused(CONSENT_NO, M_REFUSED_ANON);
	if (f.no)
		return refused(CONSENT_NO, f.no_why);
	bool tcf_needed =
	    h->gdpr || (h->gpp_sid.n && sid_has_tcf(h->gpp_sid)) || required_at(c, where);
	if (tcf_needed ? !f.tcf : !f.yes && c->consent_default == CONSENT_REQUIRE)
		return refused(CONSENT_NO, M_REFUSED_MISSING);
	return (struct consent){CONSENT_YES, 0, f.purposes};
}
