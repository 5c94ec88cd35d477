/* Lists of the configuration, made ready for hits. Each form is one piece of memory: the items, and
 * behind them the text that they are views of. A list is made beside the old one, which is freed
 * when the new one is whole; so a failure leaves the old one. */
#include "crumb/core/config_lists.h"

#include "crumb/base/host.h"
#include "crumb/core/config.h"

#include <sodium.h>
#include <stdlib.h>

#define TCF_PURPOSES 24 /* bits of a TC string, TCF 2.2: "PurposesConsent" */

static const char eea[] =
    "AT,BE,BG,HR,CY,CZ,DK,EE,FI,FR,DE,GR,HU,IE,IS,IT,LI,LV,LT,LU,MT,NL,NO,PL,PT,"
    "RO,SK,SI,ES,SE";

static bool next_word(struct str *rest, struct str *word)
{
	while (rest->n && str_cut(rest, ',', word))
		if ((*word = str_trim(*word)).n)
			return true;
	return false;
}

static unsigned count(struct str text)
{
	struct str word;
	unsigned n = 0;
	while (next_word(&text, &word))
		n++;
	return n;
}

/* Room for `n` items and for `more` bytes behind them, to which *bytes points. No items need no
 * memory. */
static enum err room(unsigned n, size_t item, size_t more, void *items, char **bytes)
{
	void *made = n ? malloc(n * item + more) : NULL;
	if (n && !made)
		return err_set(ERR_NOMEM, "no memory");
	*bytes = n ? (char *)made + n * item : NULL;
	memcpy(items, &made, sizeof made);
	return OK;
}

static struct str keep_text(char **to, struct str s)
{
	struct str kept = str_make(*to, s.n);
	memcpy(*to, s.p, s.n);
	*to += s.n;
	return kept;
}

static enum err read_words(struct str text, void *form)
{
	struct word_list *l = form, made = {.n = 0};
	struct str word;
	char *to = NULL;
	enum err e = room(count(text), sizeof *made.word, text.n, &made.word, &to);
	if (e)
		return e;
	while (next_word(&text, &word))
		made.word[made.n++] = keep_text(&to, word);
	free(l->word);
	*l = made;
	return OK;
}

/* "advertising: ID" names a category by what it is for. A word with nothing behind the colon is
 * left out. */
static enum err read_categories(struct str text, void *form)
{
	struct word_list *l = form;
	enum err e = read_words(text, form);
	unsigned n = 0;
	for (unsigned i = 0; !e && i < l->n; i++) {
		struct str word = l->word[i];
		size_t colon = str_find(word, ':');
		word = str_trim(colon < word.n ? str_skip(word, colon + 1) : word);
		if (word.n)
			l->word[n++] = word;
	}
	if (!e)
		l->n = n;
	return e;
}

/* Of each site the text, the host in it, and the https origin that a bare host has, too. The text
 * was read by hosts_sites(): it has one form. */
static enum err read_sites(struct str text, void *form)
{
	const struct str https = STR("https://");
	struct site_list *l = form, made = {.n = 0};
	struct str word;
	char *to = NULL;
	unsigned n = count(text);
	enum err e = room(n, sizeof *made.site, 2 * text.n + n * https.n, &made.site, &to);
	if (e)
		return e;
	while (next_word(&text, &word)) {
		struct site *s = &made.site[made.n++];
		struct host_around a;
		s->text = keep_text(&to, word);
		a = host_around(s->text);
		s->host = a.scheme.n ? a.host : s->text;
		s->secure = str_make(to, 0);
		if (!a.scheme.n && str_find(word, ':') == word.n) {
			s->secure.n = keep_text(&to, https).n;
			s->secure.n += keep_text(&to, word).n;
		}
	}
	free(l->site);
	*l = made;
	return OK;
}

/* The country's row and bit. False: the code is not two letters. */
static bool country_bit(struct str country, unsigned *row, uint32_t *bit)
{
	if (country.n != 2 || !chr_alpha(country.p[0]) || !chr_alpha(country.p[1]))
		return false;
	*row = (unsigned)(chr_lower(country.p[0]) - 'a');
	*bit = 1u << (chr_lower(country.p[1]) - 'a');
	return true;
}

static void add_countries(struct place_list *l, struct str words)
{
	struct str word;
	unsigned row;
	uint32_t bit;
	while (next_word(&words, &word)) {
		if (country_bit(word, &row, &bit))
			l->country[row] |= bit;
		else if (str_ieq(word, STR("EEA")))
			add_countries(l, STR(eea));
	}
}

static enum err read_places(struct str text, void *form)
{
	struct place_list *l = form, made = {.n = 0};
	struct str word;
	char *to = NULL;
	enum err e = room(count(text), sizeof *made.part, text.n, &made.part, &to);
	if (e)
		return e;
	add_countries(&made, text);
	while (next_word(&text, &word))
		if (word.n > 3 && word.p[2] == '-')
			made.part[made.n++] = keep_text(&to, word);
	free(l->part);
	*l = made;
	return OK;
}

static void hash_key(struct str key, struct key_hash *out)
{
	crypto_generichash(out->b, sizeof out->b, (const uint8_t *)key.p, key.n, NULL, 0);
}

static enum err read_keys(struct str text, void *form)
{
	struct key_list *l = form, made = {.n = 0};
	struct str word;
	char *behind;
	enum err e = room(count(text), sizeof *made.key, 0, &made.key, &behind);
	if (e)
		return e;
	while (next_word(&text, &word))
		hash_key(word, &made.key[made.n++]);
	free(l->key);
	*l = made;
	return OK;
}

/* The first purpose, to store anything on a device, cannot be configured away. */
static enum err read_purposes(struct str text, void *form)
{
	uint32_t *set = form;
	struct str part;
	uint64_t n;
	*set = 1;
	while (text.n && str_cut(&text, ',', &part))
		if (str_u64(str_trim(part), &n) && n >= 1 && n <= TCF_PURPOSES)
			*set |= 1u << (n - 1);
		else
			*set |= (1u << TCF_PURPOSES) - 1;
	return OK;
}

#define LIST(field, read)                                                                          \
	{                                                                                          \
		offsetof(struct config, field), offsetof(struct config_lists, field), read         \
	}

/* The options that are lists. An empty text makes an empty form, which holds no memory. */
static const struct list {
	size_t option, form;
	enum err (*read)(struct str text, void *form);
} lists[] = {
    LIST(keep_query, read_words),
    LIST(attributes, read_words),
    LIST(sensitive_destinations, read_words),
    LIST(segment_consent, read_categories),
    LIST(sites, read_sites),
    LIST(admin_hosts, read_sites),
    LIST(consent_require, read_places),
    LIST(segment_keys, read_keys),
    LIST(tcf_purposes, read_purposes),
};

enum err lists_set(struct config_lists *l, size_t option, struct str text)
{
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
		if (lists[i].option == option)
			return lists[i].read(text, (char *)l + lists[i].form);
	return OK;
}

void lists_done(struct config_lists *l)
{
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
		CHECK(lists[i].read(STR(""), (char *)l + lists[i].form) == OK);
}

bool word_list_has(const struct word_list *l, struct str word)
{
	for (unsigned i = 0; i < l->n; i++)
		if (str_ieq(l->word[i], word))
			return true;
	return false;
}

bool place_list_has(const struct place_list *l, struct str country, struct str region)
{
	unsigned row;
	uint32_t bit;
	if (!country_bit(country, &row, &bit))
		return false;
	if (l->country[row] & bit)
		return true;
	for (unsigned i = 0; i < l->n; i++)
		if (str_ieq(str_make(l->part[i].p, 2), country) &&
		    (!region.n || str_ieq(str_skip(l->part[i], 3), region)))
			return true;
	return false;
}

bool key_list_has(const struct key_list *l, struct str key)
{
	struct key_hash given;
	bool fits = false;
	hash_key(key, &given);
	for (unsigned i = 0; i < l->n; i++)
		fits |= sodium_memcmp(given.b, l->key[i].b, sizeof given.b) == 0;
	return key.n && fits;
}
