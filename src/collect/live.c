/* Pairings: a table of LIVE_PAIRED places, which is searched from its first. A code is in it once
 * for each who typed it. */
#include "live_pairing.h"

#include "crumb/base/clock.h"

#include <sodium.h>
#include <stdlib.h>

#define HOUR_S 3600

struct live *live_new(void)
{
	struct live *l = calloc(1, sizeof *l);
	if (l)
		pthread_mutex_init(&l->lock, NULL);
	return l;
}

void live_state_done(struct live_state *s)
{
	free(s->segments);
	*s = (struct live_state){0};
}

static void pairing_end(struct live *l, struct live_pairing *p)
{
	for (size_t i = 0; i < LIVE_KEPT; i++)
		json_decref(p->kept[i]);
	while (p->waiting_n)
		json_decref(p->waiting[0].told), live_waited(l, p);
	live_state_done(&p->before);
	sodium_memzero(p, sizeof *p);
	l->paired--;
}

void live_free(struct live *l)
{
	if (!l)
		return;
	for (size_t i = 0; i < LIVE_PAIRED; i++)
		if (*l->pairing[i].code)
			pairing_end(l, &l->pairing[i]);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

/* --- codes: Crockford's base 32, which has no letters that are taken for numbers */

bool live_code_read(struct str typed, char out[LIVE_CODE + 1])
{
	static const char signs[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
	size_t n = 0;
	for (size_t i = 0; i < typed.n; i++) {
		char c = typed.p[i];
		if (c == ' ' || c == '-')
			continue;
		if (c >= 'a' && c <= 'z')
			c = (char)(c - 'a' + 'A');
		if (c == 'O')
			c = '0';
		if (c == 'I' || c == 'L')
			c = '1';
		if (n == LIVE_CODE || !c || !strchr(signs, c))
			return false;
		out[n++] = c;
	}
	out[n] = 0;
	return n == LIVE_CODE;
}

void live_code_write(const char code[LIVE_CODE + 1], char out[LIVE_SHOWN + 1])
{
	snprintf(out, LIVE_SHOWN + 1, "%.3s-%.3s-%.3s", code, code + 3, code + 6);
}

/* --- pairings */

static struct live_pairing *pairing_find(struct live *l, const char *code, const char *who)
{
	for (size_t i = 0; i < LIVE_PAIRED; i++)
		if (strcmp(l->pairing[i].code, code) == 0 && strcmp(l->pairing[i].who, who) == 0)
			return &l->pairing[i];
	return NULL;
}

/* Under the lock. */
static void pairings_expire(struct live *l, int64_t now)
{
	uint64_t now_us = clock_mono_us();
	for (size_t i = 0; i < LIVE_PAIRED; i++) {
		struct live_pairing *p = &l->pairing[i];
		if (*p->code && (now >= p->until || now_us >= p->until_us))
			pairing_end(l, p);
	}
}

/* Somebody who guesses codes gets no further than this (2^45 codes), and ends nobody's pairing. */
static enum err pairing_begin(
    struct live *l, const char *code, const char *who, int64_t now, struct live_pairing **out)
{
	struct live_pairing *p = l->pairing;
	if (l->hour != now / HOUR_S) {
		l->hour = now / HOUR_S;
		l->begun = 0;
	}
	if (l->begun == LIVE_AN_HOUR)
		return err_set(ERR_BUSY,
		    "%d codes were typed within an hour; ask again in the next", LIVE_AN_HOUR);
	while (p < l->pairing + LIVE_PAIRED && *p->code)
		p++;
	if (p == l->pairing + LIVE_PAIRED)
		return err_set(ERR_BUSY, "%d tabs are paired; end one, or wait for %d minutes",
		    LIVE_PAIRED, LIVE_S / 60);
	snprintf(p->code, sizeof p->code, "%s", code);
	snprintf(p->who, sizeof p->who, "%s", who);
	p->until = now + LIVE_S;
	p->until_us = clock_mono_us() + LIVE_S * UINT64_C(1000000);
	l->begun++;
	l->paired++;
	*out = p;
	return OK;
}

enum err live_pair(struct live *l, const char *code, const char *who, int64_t now, int64_t *until)
{
	pthread_mutex_lock(&l->lock);
	pairings_expire(l, now);
	struct live_pairing *p = pairing_find(l, code, who);
	enum err e = p ? OK : pairing_begin(l, code, who, now, &p);
	if (!e)
		*until = p->until;
	pthread_mutex_unlock(&l->lock);
	return e;
}

void live_end(struct live *l, const char *code, const char *who)
{
	pthread_mutex_lock(&l->lock);
	struct live_pairing *p = pairing_find(l, code, who);
	if (p)
		pairing_end(l, p);
	pthread_mutex_unlock(&l->lock);
}

void live_expire(struct live *l, int64_t now)
{
	if (!live_paired(l))
		return;
	pthread_mutex_lock(&l->lock);
	pairings_expire(l, now);
	pthread_mutex_unlock(&l->lock);
}

unsigned live_paired(const struct live *l)
{
	return atomic_load_explicit(&l->paired, memory_order_relaxed);
}

/* --- records */

void live_keep(struct live_pairing *p, json_t *told)
{
	if (!told)
		return;
	json_t **at = &p->kept[++p->n % LIVE_KEPT];
	json_object_set_new(told, "n", json_integer((json_int_t)p->n));
	json_decref(*at);
	*at = told;
}

void live_waited(struct live *l, struct live_pairing *p)
{
	p->waiting_n--;
	memmove(p->waiting, p->waiting + 1, p->waiting_n * sizeof *p->waiting);
	l->waiting--;
}

json_t *live_after(struct live *l, const char *code, const char *who, uint64_t after, int64_t now,
    uint64_t *next, int64_t *until)
{
	json_t *list = json_array();
	pthread_mutex_lock(&l->lock);
	pairings_expire(l, now);
	const struct live_pairing *p = pairing_find(l, code, who);
	uint64_t last = p ? p->n : 0, first = after + 1;
	if (after > last)
		first = 1;
	if (last >= LIVE_KEPT && first <= last - LIVE_KEPT)
		first = last - LIVE_KEPT + 1;
	for (uint64_t i = first; i <= last && list; i++)
		if (json_array_append_new(list, json_deep_copy(p->kept[i % LIVE_KEPT])) != 0) {
			json_decref(list);
			list = NULL;
		}
	*next = last;
	*until = p ? p->until : 0;
	pthread_mutex_unlock(&l->lock);
	return list;
}
