/* What the node goes through: from a hit onwards it is the server's code. */
#include "sim.h"

#include "crumb/base/clock.h"
#include "crumb/ingest/deploy.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define PATIENCE 5000 /* turns */

static void write_text(const char *name, const char *text)
{
	FILE *f = fopen(name, "w");
	CHECK(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

static void option(struct sim *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void option(struct sim *s, const char *fmt, ...)
{
	char text[400];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (config_set(&s->config, text) != OK)
		sim_failed(s, "option %s: %s", text, err_text());
}

/* Other rules lie in the folder. Whether, and when, they serve is another question. */
static void write_rules(struct sim *s, const struct rule_set *before)
{
	struct rule_set set;
	struct buf text = {0};
	struct rules *r;
	do { /* some can never be true, and are refused */
		buf_clear(&text);
		rules_invent(&set, before);
		rules_text(&set, &text);
		buf_add(&text, "", 1);
		write_text("rules/all.yaml", text.p);
	} while (deploy_rules(&s->config, "rules", NULL, &r) != OK);
	unsigned at = s->rules_n++ % RULE_SETS;
	s->rules[at].set = set;
	memcpy(s->rules[at].hash, r->hash, 16);
	rules_unref(r);
	buf_done(&text);
}

const struct rule_set *life_rules(struct sim *s, const struct rules *r)
{
	for (unsigned i = s->rules_n; i > 0 && i + RULE_SETS > s->rules_n; i--)
		if (memcmp(s->rules[(i - 1) % RULE_SETS].hash, r->hash, 16) == 0)
			return &s->rules[(i - 1) % RULE_SETS].set;
	sim_failed(s, "rules serve that nobody wrote");
}

static void answered(struct batch *b)
{
	((struct sim *)b->owner)->has_result = true;
}

void life_begin(struct sim *s)
{
	CHECK(mkdir("rules", 0700) == 0 && config_init(&s->config) == OK);
	option(s, "store.path=store");
	option(s, "rules.path=rules");
	option(s, "destinations.path=destinations.yaml");
	option(s, "sites=shop.example");
	option(s, "privacy.k=%d", K);
	option(s, "store.shards=3");
	option(s, "store.map_gb=1");
	option(s, "store.reserve_percent=0");
	write_text("destinations.yaml", "version: 1\ndestinations:\n  - id: lake\n    format: csv\n    deliver: {directory: lake}\n");
	write_rules(s, NULL);
	CHECK(journal_memory_new(&s->medium) == OK);
	journal_memory_fate(s->medium, world_fate, NULL);
	batch_init(&s->batch, 3, answered, s);
	life_open(s);
}

/* The machine is well. */
void life_open(struct sim *s)
{
	enum err e = node_prepare(&s->node, &s->config);
	s->node.alone = true;
	s->node.memory = s->medium;
	if (!e)
		e = node_open(&s->node, NODE_CLOCK_BELIEVED);
	if (!e)
		e = keeper_start(&s->node, &s->keeper);
	if (!e)
		e = ingest_init(&s->ingest, &s->config, s->node.store, NULL);
	if (!e)
		e = ingest_rules(&s->ingest, node_rules(&s->node));
	if (e)
		sim_failed(s, "it does not start: %s", err_text());
	s->open = true;
}

void life_end(struct sim *s)
{
	s->open = false;
	ingest_done(&s->ingest);
	keeper_stop(s->keeper);
	node_stop(&s->node);
}

/* Whatever the program does when it ends changes nothing any more: the machine is dead. */
void life_again(struct sim *s)
{
	life_end(s);
	world_revive();
	s->kills++;
	life_open(s);
}

/* --- hits */

static struct hope *hope_for(struct sim *s, struct surfer *b, const struct ingest_who *who, uint32_t t, uint8_t kind)
{
	struct hope *h = &s->hopes[s->hopes_n++];
	*h = (struct hope){.of = b, .key = who->visitor, .t = t, .kind = kind, .brings_cookie = who->set_cookie, .erases = who->erase};
	memcpy(h->cookie, who->cookie, sizeof h->cookie);
	return h;
}

static void fill_hit(struct hit *h, const struct surfer *b, uint8_t kind, char url[64])
{
	hit_clear(h);
	h->network = (struct network){.b = {192, 0, 2}, .family = 4};
	h->agent = STR("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0");
	h->fetch_site = STR("same-origin");
	h->name = kind < PAGES ? STR("view") : STR("purchase");
	h->url = str_make(url, (size_t)snprintf(url, 64, "https://shop.example/%s/%u", page_names[kind % PAGES], world_below(9)));
	if (b->has_cookie)
		h->cookie = str_make(b->cookie, COOKIE_LEN);
}

static void one_hit(struct sim *s, struct surfer *b, uint32_t now)
{
	struct hit h;
	char url[64];
	uint8_t kind = (uint8_t)(world_one_in(8) ? world_below(KINDS) : world_below(PAGES));
	fill_hit(&h, b, kind, url);
	struct ingest_who who = ingest_visitor(&s->ingest, &h, now, &s->batch);
	if (!who.write && !s->shaky)
		sim_failed(s, "a hit with consent is not taken");
	if (!who.write) { /* no key could be made for who is new on this day */
		s->refused++;
		return;
	}
	if (!ingest_event(&s->ingest, &who, &h, now, &s->batch))
		sim_failed(s, "a hit of our own site is not taken");
	hope_for(s, b, &who, now, kind);
	if (who.set_cookie) { /* it comes with the answer; meanwhile the browser asks for nothing more */
		memcpy(b->cookie, who.cookie, COOKIE_LEN);
		b->has_cookie = true;
	}
}

static void owe(struct sim *s, const struct hope *h)
{
	if (s->owed_n == HITS_MOST)
		sim_failed(s, "too many erasures at once");
	s->owed_by[s->owed_n] = h->of;
	s->owed[s->owed_n++] = h->key;
}

static void hear(struct sim *s, const struct hope *h, bool taken)
{
	if (s->watched && model_person(&s->model, &h->key) == (s->watched <= s->model.n ? s->model.people[s->watched - 1] : NULL))
		printf("step %llu %s at %u, kind %u: %s\n", (unsigned long long)s->step, h->erases ? "erasure" : "hit", h->t, h->kind, taken ? "taken" : "refused");
	if (h->erases && taken) {
		model_erase(&s->model, &h->key);
		if (h->of)
			h->of->has_cookie = false;
		s->erasures++;
	} else if (h->erases) {
		owe(s, h);
	} else if (taken) {
		model_look(&s->model, &h->key, h->t, h->kind, h->brings_cookie);
		s->answered++;
	} else {
		s->refused++;
		if (h->brings_cookie)
			h->of->has_cookie = false;
	}
}

/* The batch goes to the journal, and whoever is in it hears of it. */
static bool hand_in(struct sim *s)
{
	s->has_result = false;
	writer_submit(s->node.writer, &s->batch);
	writer_turn(s->node.writer);
	if (!s->has_result)
		sim_failed(s, "a batch is not answered");
	bool taken = s->batch.result == OK;
	for (unsigned i = 0; i < s->hopes_n; i++)
		hear(s, &s->hopes[i], taken);
	sim_trace(s, "answer", s->hopes_n, taken);
	s->hopes_n = 0;
	batch_clear(&s->batch);
	return taken;
}

void life_hits(struct sim *s, unsigned n)
{
	uint32_t now = clock_now();
	if (world_one_in(2)) /* some come again and again */
		for (unsigned i = 0; i < n; i++)
			one_hit(s, &s->browsers[world_below(1 + world_below(BROWSERS))], now);
	else
		for (unsigned i = 0; i < n; i++)
			one_hit(s, &s->browsers[world_below(BROWSERS)], now);
	s->hits += n;
	hand_in(s);
}

/* --- erasures */

/* What nobody heard of is asked for again, first as a browser does, then as the operator, who knows the key. */
static void erase_again(struct sim *s)
{
	unsigned n = s->owed_n;
	s->owed_n = 0;
	for (unsigned i = 0; i < n; i++) {
		struct ingest_who who = {.visitor = s->owed[i], .erase = true};
		ingest_erase(&s->ingest, &s->owed[i], clock_now(), &s->batch);
		hope_for(s, s->owed_by[i], &who, clock_now(), 0);
		s->again++;
	}
	if (n)
		hand_in(s);
}

void life_erase(struct sim *s)
{
	struct surfer *b = &s->browsers[world_below(BROWSERS)];
	struct hit h;
	char url[64];
	if (!b->has_cookie)
		return;
	fill_hit(&h, b, 0, url);
	h.gpc = true;
	struct ingest_who who = ingest_visitor(&s->ingest, &h, clock_now(), &s->batch);
	if (who.write)
		sim_failed(s, "a hit without consent is taken");
	if (!who.erase) /* its cookie is overdue, or somebody has erased it */
		b->has_cookie = false;
	else
		hope_for(s, b, &who, clock_now(), 0);
	hand_in(s);
}

/* --- rules */

void life_reload(struct sim *s)
{
	bool conditions = world_one_in(2);
	struct rules *now = node_rules(&s->node);
	const struct rule_set before = *life_rules(s, now);
	rules_unref(now);
	write_rules(s, conditions ? &before : NULL);
	enum err e = node_reload(&s->node);
	if (!e)
		e = ingest_rules(&s->ingest, node_rules(&s->node));
	if (e)
		sim_failed(s, "rules are refused: %s", err_text());
	s->reloads++;
	sim_trace(s, "reload", conditions, 0);
}

void life_settle(struct sim *s)
{
	for (int i = 0; i < PATIENCE && !world_dead(); i++) {
		if (s->owed_n)
			erase_again(s);
		if (!s->owed_n && node_settled(&s->node) && !engine_building(s->node.engine) && node_serves(&s->node))
			return;
		node_hurry(&s->node);
		node_tick(&s->node);
		node_rest(&s->node, i < 100 ? 5 : 1000);
	}
	char why[400];
	if (!world_dead())
		sim_failed(s, "it does not settle: %s",
		    node_trouble(&s->node, why, sizeof why) || engine_build_trouble(s->node.engine, why, sizeof why) ? why : "and does not say why");
}
