/* What the server reads again while it runs: places, lists, rules, destinations, options.
 *
 * A thread of its own does it, so that the main thread answers meanwhile. It works in rounds:
 *
 *     SIGHUP, /v1/reload ──► asked = 7 ─┐
 *     a model was trained ──► wanted ───┴─► round: options, lists, rules ──► done = 7, told
 *
 * Whoever asks gets a number, and that round is over when done has reached it. A round takes the
 * number that `asked` has at its beginning; so who asks while a round runs waits for the next,
 * which begins after the question.
 *
 * Each thing is made whole beside the old one and then swapped under shared.lock. A thing that
 * cannot be made leaves the old one in force, and its refusal is told. Collect threads are woken to
 * take what was swapped, and nothing is told or logged as taken before all of them have it. Options
 * that are replaced stay until the end (`retired`), since threads read them without a lock. */
#include "serving.h"

#include "crumb/base/lock.h"
#include "crumb/base/log.h"
#include "crumb/collect/fixed.h"
#include "crumb/match/match.h"
#include "notify.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- places */

/* Opens the file when it is new or has changed. A file that cannot be read leaves the old one in
 * use. With places_lock. */
static enum err load_places(struct server *s)
{
	struct stat st;
	struct place_db *db;
	CHECK_HELD(&s->places_lock);
	if (!s->places_file[0])
		return OK;
	if (stat(s->places_file, &st) != 0)
		return err_sys("%s", s->places_file);
	if (memcmp(&st.st_mtim, &s->places_changed, sizeof st.st_mtim) == 0 &&
	    st.st_size == s->places_size)
		return OK;
	s->places_changed = st.st_mtim;
	s->places_size = st.st_size;
	enum err e = place_db_open(s->places_file, &db);
	if (e)
		return e;
	pthread_mutex_lock(&s->shared.lock);
	place_db_unref(s->shared.places);
	s->shared.places = db;
	pthread_mutex_unlock(&s->shared.lock);
	collect_swapped(&s->shared); /* on the main thread, which does not wait for the others */
	log_info("places", "loaded");
	return OK;
}

/* A file that is gone is left unsaid, or the log had a line each second. A file that is being
 * rewritten may be refused once; the next look finds it changed again. */
void reload_places(struct server *s)
{
	pthread_mutex_lock(&s->places_lock);
	if (s->places_file[0] && access(s->places_file, F_OK) == 0 && load_places(s) != OK)
		log_error("places",
		    "the file cannot be used; what was loaded before stays why=\"%s\"", err_text());
	pthread_mutex_unlock(&s->places_lock);
}

/* A file that the operator names must be there. The file beside the program may be missing; then
 * every place is unknown, and an unknown place is one where consent is required. */
enum err reload_places_first(struct server *s)
{
	static const char all[] =
	    ", and so every visitor counts as being in a place of consent.require";
	bool found = place_db_file(&s->config, s->places_file, sizeof s->places_file);
	if (!found)
		s->places_file[0] = 0;
	pthread_mutex_lock(&s->places_lock);
	enum err e = load_places(s);
	pthread_mutex_unlock(&s->places_lock);
	if (e)
		return err_wrap(e, "geo.database");
	if (!found)
		log_warn("places", "no country file: set geo.database; every place is unknown%s",
		    *s->config.consent_require ? all : "");
	return OK;
}

/* Crawlers and networks. Lists that cannot be read leave the old ones in use. */
enum err reload_lists(struct server *s)
{
	struct junk_lists *l;
	enum err e = junk_open(s->shared.config, &l);
	if (e)
		return e;
	pthread_mutex_lock(&s->shared.lock);
	junk_unref(s->shared.lists);
	s->shared.lists = l;
	pthread_mutex_unlock(&s->shared.lock);
	collect_taken(&s->shared, collect_swapped(&s->shared));
	return OK;
}

/* What matches is made by whoever wants it first. That is not to be a collect thread, whose hits
 * would wait. Where there is no memory for it, that thread tries again. */
static void make_matcher(struct server *s)
{
	struct rules *r = node_rules(&s->node);
	struct match *m;
	if (rules_match_begin(r, &m) == OK)
		rules_match_end(m);
	rules_unref(r);
}

void reload_share(struct server *s)
{
	make_matcher(s);
	pthread_mutex_lock(&s->shared.lock);
	rules_unref(s->shared.rules);
	s->shared.rules = node_rules(&s->node);
	destinations_unref(s->shared.destinations);
	s->shared.destinations = node_destinations(&s->node);
	pthread_mutex_unlock(&s->shared.lock);
	collect_taken(&s->shared, collect_swapped(&s->shared));
}

/* --- reading rules again */

static bool differ(const char *a, const char *b)
{
	return strcmp(a, b) != 0;
}

/* New options, and what is made of them. NULL: it stays as it is. */
struct made {
	struct config *config;
	struct cidr_list trusted;
	struct junk_lists *lists;
	struct place_db *places;
	struct fixed *fixed; /* behind swap_options() the older one */
	char places_file[FILE_PATH_MAX];
};

/* Makes all that changed options stand for, before any of it is in force: when one file cannot be
 * read, nothing changes. */
static enum err make_options(const struct config *before, struct made *m)
{
	const struct config *c = m->config;
	enum err e = cidr_list_parse(c->trusted_proxies, &m->trusted);
	if (!e && (before->crawl != c->crawl || differ(before->crawlers_file, c->crawlers_file) ||
		      differ(before->networks_file, c->networks_file)))
		e = junk_open(c, &m->lists);
	/* the page tag has privacy.keep_query written into it */
	if (!e && differ(before->keep_query, c->keep_query) && !(m->fixed = fixed_new(c)))
		e = err_set(ERR_NOMEM, "no memory");
	if (!e && differ(before->geo_database, c->geo_database) &&
	    place_db_file(c, m->places_file, sizeof m->places_file) &&
	    (e = place_db_open(m->places_file, &m->places)))
		e = err_wrap(e, "geo.database");
	return e;
}

/* All of it in one moment, as far as threads can see: they take what is new under the same lock. */
static void swap_options(struct server *s, struct made *m)
{
	pthread_mutex_lock(&s->shared.lock);
	if (m->lists) {
		junk_unref(s->shared.lists);
		s->shared.lists = m->lists;
	}
	if (differ(s->shared.config->geo_database, m->config->geo_database)) {
		place_db_unref(s->shared.places);
		s->shared.places = m->places;
	}
	if (m->fixed)
		m->fixed = atomic_exchange(&s->shared.fixed, m->fixed);
	s->shared.trusted = m->trusted;
	atomic_store(&s->shared.config, m->config);
	pthread_mutex_unlock(&s->shared.lock);
	node_config(&s->node, m->config);
	log_threshold(s->verbose ? LOG_DEBUG : m->config->log_level);
}

/* On the reloading thread. A mistake in the options leaves all of them as they are. */
static enum err reload_options(struct server *s, struct told *told)
{
	const struct config *before = s->shared.config;
	struct made m = {.config = NULL};
	struct retired *r = calloc(1, sizeof *r);
	enum err e = r ? again_read(s->argc, s->argv, before, told, &m.config)
		       : err_set(ERR_NOMEM, "no memory");
	if (!e && m.config)
		e = make_options(before, &m);
	if (e || !m.config) {
		if (e)
			told_add(told, TOLD_REFUSED, "config", "refused, the old options stay: %s",
			    err_text());
		junk_unref(m.lists);
		fixed_free(m.fixed);
		again_free(m.config);
		free(r);
		return e;
	}
	pthread_mutex_lock(&s->places_lock);
	if (differ(before->geo_database, m.config->geo_database)) {
		snprintf(s->places_file, sizeof s->places_file, "%s", m.places_file);
		s->places_size = -1; /* no file has this size: the next look reads it */
	}
	swap_options(s, &m);
	pthread_mutex_unlock(&s->places_lock);
	collect_taken(&s->shared, collect_swapped(&s->shared));
	*r = (struct retired){m.config, m.fixed, s->retired};
	s->retired = r;
	again_tell(before, m.config, told);
	return OK;
}

/* On the reloading thread only: on another thread it could put lists in force that older options
 * name. */
static void reload_lists_again(struct server *s, struct told *told)
{
	const struct config *c = s->shared.config;
	if (!*c->crawlers_file && !*c->networks_file)
		return;
	if (reload_lists(s) != OK)
		told_add(told, TOLD_REFUSED, "junk", "the lists are refused, the old ones stay: %s",
		    err_text());
	else
		told_add(
		    told, TOLD_TAKEN, "junk", "the lists of crawlers and networks are read again");
}

static enum err reload_rules(struct server *s, struct told *told)
{
	enum err e = node_reload(&s->node);
	if (e) {
		told_add(
		    told, TOLD_REFUSED, "rules", "refused, the old rules stay: %s", err_text());
		return e;
	}
	reload_share(s);
	struct rules *r = node_rules(&s->node);
	told_add(told, TOLD_TAKEN, "rules", "loaded rules=%s", r->hash_text);
	rules_unref(r);
	return OK;
}

/* What was taken and refused, for whoever asked. The log has it already. */
static json_t *tell_round(struct server *s, struct told *told)
{
	struct rules *r = node_rules(&s->node);
	json_t *j = told_json(told, r->hash_text);
	rules_unref(r);
	return j;
}

enum err reload_models(void *arg)
{
	struct told told = {.lists = {NULL}}; /* nobody asked: only the log gets it */
	return reload_rules(arg, &told);
}

static const char *round_state(enum err options, enum err rules)
{
	if (rules)
		return "ready; rules are refused, the old ones stay";
	return options ? "ready; options are refused, the old ones stay" : "ready";
}

/* One round. With reload_lock, which is let go of while things are read. */
static void run_round(struct server *s)
{
	CHECK_HELD(&s->reload_lock);
	bool options = s->reload_options;
	uint64_t round = s->reload_asked;
	struct told told;
	s->reload_wanted = s->reload_options = false;
	pthread_mutex_unlock(&s->reload_lock);
	notify_reloading();
	told_begin(&told);
	enum err e = options ? reload_options(s, &told) : OK;
	reload_lists_again(s, &told);
	enum err rules = reload_rules(s, &told);
	json_t *said = tell_round(s, &told);
	notify("READY=1\nSTATUS=%s", round_state(e, rules));
	pthread_mutex_lock(&s->reload_lock);
	json_decref(s->reload_told);
	s->reload_told = said;
	s->reload_done = round;
}

void *reload_run(void *arg)
{
	struct server *s = arg;
	pthread_mutex_lock(&s->reload_lock);
	while (!s->reload_stop) {
		if (!s->reload_wanted) {
			pthread_cond_wait(&s->reload_wake, &s->reload_lock);
			continue;
		}
		run_round(s);
	}
	pthread_mutex_unlock(&s->reload_lock);
	return NULL;
}

void reload_want(struct server *s)
{
	pthread_mutex_lock(&s->reload_lock);
	s->reload_wanted = true;
	pthread_cond_signal(&s->reload_wake);
	pthread_mutex_unlock(&s->reload_lock);
}

void reload_end(struct server *s)
{
	pthread_mutex_lock(&s->reload_lock);
	s->reload_stop = true;
	pthread_cond_signal(&s->reload_wake);
	pthread_mutex_unlock(&s->reload_lock);
}

uint64_t reload_all(void *arg)
{
	struct server *s = arg;
	pthread_mutex_lock(&s->reload_lock);
	uint64_t round = ++s->reload_asked;
	s->reload_wanted = s->reload_options = true;
	pthread_cond_signal(&s->reload_wake);
	pthread_mutex_unlock(&s->reload_lock);
	return round;
}

bool reload_over(void *arg, uint64_t round, json_t **told)
{
	struct server *s = arg;
	pthread_mutex_lock(&s->reload_lock);
	bool over = s->reload_done >= round;
	*told = over ? json_incref(s->reload_told) : NULL;
	pthread_mutex_unlock(&s->reload_lock);
	return over;
}
