/* Many literals and regular expressions in one pass over a text, by vectorscan.
 *
 * What is to be found is compiled into databases: all literals into one, expressions into groups of
 * 256, on all cores. Scanning runs every database over the text and names what occurs. A literal is
 * only found, not decided upon: the caller compares the glob that it is a piece of. */
#include "scanner.h"

#include "crumb/base/text.h"
#include "crumb/base/thread.h"
#include "crumb/match/match.h"

#include <hs/hs.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Compiling grows faster than the number of expressions, scanning with the number of databases:
 * groups of 64 scan 1,000 expressions twice as slowly as groups of 256, one group compiles them
 * three times as slowly, and groups can be compiled on all cores. */
#define GROUP 256
#define LITERAL_MAX 64 /* bytes of a literal that are looked for; the caller compares the rest */
#define THREADS_MAX 16

struct scan { /* constant once it is built */
	hs_database_t **dbs;
	size_t n;
};

/* One database to compile; of the thread that took it, and the caller's when all have ended. */
struct group {
	const struct scan_input *in; /* all literals, or all expressions */
	size_t n;
	hs_database_t *db;
	bool failed;
	char why[160];	  /* vectorscan's words */
	uint32_t culprit; /* the id of the expression that failed */
};

struct work {
	struct group *groups;
	size_t n;
	_Atomic size_t taken; /* shared: the first group that nobody has taken */
};

/* The expression without its slashes, and vectorscan's flags for it; /…/i puts case aside. Texts
 * are folded before they are looked into, so they are well-formed UTF-8 where the flags say so. */
static struct str unslashed(struct str text, bool case_matters, unsigned *flags)
{
	bool i = text.n > 3 && text.p[text.n - 1] == 'i' && text.p[text.n - 2] == '/';
	*flags = HS_FLAG_DOTALL | HS_FLAG_SINGLEMATCH |
		 (i || !case_matters ? HS_FLAG_CASELESS : 0u) |
		 (!case_matters && !text_plain(text) ? HS_FLAG_UTF8 : 0u);
	return str_make(text.p + 1, text.n - 2 - i);
}

static void compile_regexes(struct group *g)
{
	char *text[GROUP];
	unsigned flags[GROUP], ids[GROUP];
	hs_compile_error_t *error = NULL;
	for (size_t i = 0; i < g->n; i++) {
		text[i] = str_dup(unslashed(g->in[i].text, g->in[i].case_matters, &flags[i]));
		CHECK(text[i]);
		ids[i] = g->in[i].id;
	}
	if (hs_compile_multi((const char *const *)text, flags, ids, (unsigned)g->n, HS_MODE_BLOCK,
		NULL, &g->db, &error) != HS_SUCCESS) {
		g->failed = true;
		g->culprit = error && error->expression >= 0 && (size_t)error->expression < g->n
				 ? ids[error->expression]
				 : ids[0];
		snprintf(
		    g->why, sizeof g->why, "%s", error ? error->message : "it cannot be compiled");
		hs_free_compile_error(error);
	}
	for (size_t i = 0; i < g->n; i++)
		free(text[i]);
}

static void compile_literals(struct group *g)
{
	const char **text = calloc(g->n, sizeof *text);
	size_t *lengths = calloc(g->n, sizeof *lengths);
	unsigned *flags = calloc(g->n, sizeof *flags), *ids = calloc(g->n, sizeof *ids);
	hs_compile_error_t *error = NULL;
	CHECK(text && lengths && flags && ids);
	for (size_t i = 0; i < g->n; i++) {
		text[i] = g->in[i].text.p;
		lengths[i] = g->in[i].text.n < LITERAL_MAX ? g->in[i].text.n : LITERAL_MAX;
		flags[i] = HS_FLAG_CASELESS | HS_FLAG_SINGLEMATCH;
		ids[i] = g->in[i].id;
	}
	if (hs_compile_lit_multi(text, flags, ids, lengths, (unsigned)g->n, HS_MODE_BLOCK, NULL,
		&g->db, &error) != HS_SUCCESS) {
		g->failed = true;
		g->culprit = ids[0];
		snprintf(
		    g->why, sizeof g->why, "%s", error ? error->message : "it cannot be compiled");
		hs_free_compile_error(error);
	}
	free(text);
	free(lengths);
	free(flags);
	free(ids);
}

static void *compile_groups(void *arg)
{
	struct work *w = arg;
	for (size_t i; (i = atomic_fetch_add(&w->taken, 1)) < w->n;)
		if (w->groups[i].in->regex)
			compile_regexes(&w->groups[i]);
		else
			compile_literals(&w->groups[i]);
	return NULL;
}

/* On as many threads as there are cores, this one among them; where none can be had, on this one.
 */
static void compile_all(struct work *w)
{
	pthread_t threads[THREADS_MAX];
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	size_t n = cores > 1 ? (size_t)cores : 1, started = 0;
	if (n > THREADS_MAX)
		n = THREADS_MAX;
	while (started + 1 < n && started + 1 < w->n &&
	       thread_start(&threads[started], "compile", compile_groups, w) == OK)
		started++;
	compile_groups(w);
	while (started)
		pthread_join(threads[--started], NULL);
}

enum err scan_build(const struct scan_input *in, size_t n, struct scan **out, uint32_t *culprit)
{
	struct scan_input *sorted = malloc((n + 1) * sizeof *sorted);
	struct work w = {.groups = calloc(n / GROUP + 3, sizeof *w.groups)};
	struct scan *s = calloc(1, sizeof *s);
	enum err e = OK;
	CHECK(sorted && w.groups && s);
	size_t k = 0, literals;
	for (size_t i = 0; i < n; i++)
		if (!in[i].regex)
			sorted[k++] = in[i];
	literals = k;
	for (size_t i = 0; i < n; i++)
		if (in[i].regex)
			sorted[k++] = in[i];
	if (literals)
		w.groups[w.n++] = (struct group){.in = sorted, .n = literals};
	for (size_t i = literals; i < n; i += GROUP)
		w.groups[w.n++] =
		    (struct group){.in = sorted + i, .n = n - i < GROUP ? n - i : GROUP};
	s->dbs = calloc(w.n + 1, sizeof *s->dbs);
	CHECK(s->dbs);
	compile_all(&w);
	for (size_t i = 0; i < w.n; i++) {
		if (w.groups[i].failed && !e) {
			*culprit = w.groups[i].culprit;
			e = err_set(ERR_SYNTAX, "%s", w.groups[i].why);
		}
		if (w.groups[i].db)
			s->dbs[s->n++] = w.groups[i].db;
	}
	free(w.groups);
	free(sorted);
	if (e)
		scan_free(s);
	else
		*out = s;
	return e;
}

void scan_free(struct scan *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n; i++)
		hs_free_database(s->dbs[i]);
	free(s->dbs);
	free(s);
}

enum err scan_scratch_for(const struct scan *s, struct scan_scratch **scratch)
{
	for (size_t i = 0; s && i < s->n; i++)
		if (hs_alloc_scratch(s->dbs[i], (hs_scratch_t **)scratch) != HS_SUCCESS)
			return err_set(ERR_NOMEM, "no memory for matching");
	return OK;
}

void scan_scratch_free(struct scan_scratch *x)
{
	if (x)
		hs_free_scratch((hs_scratch_t *)x);
}

struct telling {
	void (*found)(void *, uint32_t);
	void *arg;
};

/* What vectorscan calls; 0 says that it is to go on. */
static int scan_found(
    unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *ctx)
{
	struct telling *t = ctx;
	(void)from, (void)to, (void)flags;
	t->found(t->arg, id);
	return 0;
}

void scan_run(const struct scan *s, struct scan_scratch *x, struct str text,
    void (*found)(void *, uint32_t), void *arg)
{
	struct telling t = {found, arg};
	for (size_t i = 0; s && i < s->n; i++)
		(void)hs_scan(s->dbs[i], text.p ? text.p : "", (unsigned)text.n, 0,
		    (hs_scratch_t *)x, scan_found, &t);
}

bool rules_regex_valid(struct str text, const char **why)
{
	static _Thread_local char words[160];
	unsigned flags;
	struct str inner = unslashed(text, false, &flags);
	hs_expr_info_t *info = NULL;
	hs_compile_error_t *error = NULL;
	char *copy = inner.n && inner.n <= REGEX_MOST ? str_dup(inner) : NULL;
	*why = words;
	if (!copy) {
		snprintf(words, sizeof words, "it is empty or longer than %d bytes", REGEX_MOST);
		return false;
	}
	hs_error_t rc = hs_expression_info(copy, flags, &info, &error);
	bool fine = rc == HS_SUCCESS && info->min_width > 0;
	if (rc == HS_SUCCESS && !fine)
		snprintf(words, sizeof words, "it matches the empty text, and so everything");
	else if (!fine)
		snprintf(words, sizeof words, "%s", error ? error->message : "it cannot be read");
	hs_free_compile_error(error);
	free(info);
	free(copy);
	return fine;
}
