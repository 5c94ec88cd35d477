/* The threads of the admin listener, and what those do that write or take long: imports, questions, backups, erasures, trainings. */
#include "admin_jobs.h"

#include "crumb/base/clock.h"
#include "crumb/base/memory.h"
#include "crumb/base/code.h"
#include "crumb/base/thread.h"
#include "crumb/core/metric.h"
#include "crumb/delivery/stream.h"
#include "crumb/ingest/quarantine.h"
#include "crumb/node/lookalike.h"
#include "crumb/store/backup.h"

#include <stdlib.h>
#include <sys/mman.h>

#define PIECES_MOST 64

static void committed(struct batch *b)
{
	struct admin *a = b->owner;
	sem_post(&a->committed);
}

static void commit(struct admin *a, struct waiting *w)
{
	if (a->batch.count) {
		writer_submit(a->node->writer, &a->batch);
		while (sem_wait(&a->committed) != 0)
			;
	}
	w->result = a->batch.result;
	batch_clear(&a->batch);
}

static void declare(struct admin *a, struct waiting *w, struct str lines)
{
	struct destinations *all = node_destinations(a->node);
	struct generation *g = engine_serving(a->node->engine);
	const struct partner *partner;
	if (destinations_find_partner(all, buf_view(&w->to), &partner) == OK)
		declare_lines(g, a->ingest.rules, (unsigned)a->config->retention_days, buf_view(&w->to), lines, clock_now(), &a->batch, &w->declared);
	else
		w->result = err_wrap(ERR_USAGE, "%s", a->shared->config->destinations_path);
	generation_unref(g);
	destinations_unref(all);
}

static enum err published(struct admin *a);

/* What was imported before; read from the journal once. */
static enum err have_applied(struct admin *a)
{
	enum err e = a->applied ? OK : published(a);
	return e || a->applied ? e : applied_open(a->node->store, &a->applied);
}

static uint16_t oldest(const struct admin *a)
{
	return oldest_day(day_of(clock_now()), (unsigned)a->config->retention_days);
}

static void run_applied(struct admin *a, struct waiting *w)
{
	struct slice_id found[PIECES_MOST];
	if ((w->result = have_applied(a)))
		return;
	unsigned n = applied_after(a->applied, w->piece.id.from, oldest(a), found, PIECES_MOST);
	w->answer = json_array();
	for (unsigned i = 0; i < n; i++) {
		char to[33] = "";
		hex_encode(found[i].to, sizeof found[i].to, to);
		json_array_append_new(w->answer,
		    json_pack("{s:s,s:I,s:I}", "to", to, "bytes", (json_int_t)found[i].bytes, "lines", (json_int_t)found[i].lines));
	}
}

static void run_import(struct admin *a, struct waiting *w)
{
	if (w->piece.known && !w->piece.again) {
		if ((w->result = have_applied(a)))
			return;
		if (applied_has(a->applied, &w->piece.id, oldest(a))) {
			w->already = w->piece.id.lines;
			return;
		}
	}
	pthread_mutex_lock(&a->shared->lock);
	w->result = ingest_rules(&a->ingest, rules_ref(a->shared->rules));
	ingest_config(&a->ingest, a->shared->config);
	anonymiser_places(&a->ingest.wall, place_db_ref(a->shared->places));
	anonymiser_lists(&a->ingest.wall, junk_ref(a->shared->lists));
	pthread_mutex_unlock(&a->shared->lock);
	if (w->result)
		return;
	struct str lines = w->body.n ? buf_view(&w->body) : STR("");
	if (w->to.n)
		declare(a, w, lines);
	else
		import_lines(&a->ingest, lines, clock_now(), &a->batch, &w->totals);
	if (!w->result && (w->result = memory_check())) /* a line may have been refused for that: all of them or none */
		batch_clear(&a->batch);
	if (w->result)
		return;
	uint32_t now = clock_now();
	bool any = a->batch.count > 0; /* of what was refused as a whole nothing is kept in mind: the rules may be mended */
	if (w->piece.dry) {
		batch_clear(&a->batch);
	} else {
		if (any && w->piece.known)
			batch_slice(&a->batch, now, &w->piece.id);
		commit(a, w);
		if (!w->result && any && w->piece.known && a->applied)
			applied_note(a->applied, &w->piece.id, day_of(now));
	}
	if (w->body.n)
		sodium_memzero(w->body.p, w->body.n);
}

static void run_question(struct admin *a, struct waiting *w)
{
	struct generation *g = engine_serving(a->node->engine);
	struct asker asker = {g, &a->gate, a->asked, clock_now(), engine_building(a->node->engine)};
	struct str body = w->body.n ? str_trim(buf_view(&w->body)) : STR(""), first = body, second;
	if (w->what == PREVIEW) {
		w->result = answer_preview(&asker, body, &w->answer);
	} else {
		first.n = str_find(body, ' ');
		second = str_trim(str_skip(body, first.n));
		w->result = answer_overlap(&asker, first, second, &w->answer);
	}
	generation_unref(g);
}

static void publish(void *arg)
{
	(void)arg; /* it is, before this runs */
}

/* Everything that was answered can be read. */
static enum err published(struct admin *a)
{
	return writer_run(a->node->writer, publish, NULL) ? OK : err_set(ERR_IO, "the journal cannot be written to now");
}

static void run_backup(struct admin *a, struct waiting *w)
{
	char folder[4096];
	struct backup_totals t;
	struct str where = w->body.n ? str_trim(buf_view(&w->body)) : STR("");
	bool fits = where.n && where.n < sizeof folder && where.p[0] == '/' && str_find(where, 0) == where.n;
	snprintf(folder, sizeof folder, STR_FMT, STR_ARG(where));
	w->result = fits ? published(a) : err_set(ERR_USAGE, "send the absolute path of an empty folder");
	if (!w->result)
		w->result = backup_write(a->node->store, folder, NULL, &t);
	if (!w->result)
		w->answer = json_pack("{s:I,s:I}", "days", (json_int_t)t.days, "bytes", (json_int_t)t.bytes);
}

static enum err flush(void *arg)
{
	struct admin *a = arg;
	writer_submit(a->node->writer, &a->batch);
	while (sem_wait(&a->committed) != 0)
		;
	enum err e = a->batch.result;
	batch_clear(&a->batch);
	return e;
}

/* "REASON" or "REASON PATTERN" */
static void run_release(struct admin *a, struct waiting *w)
{
	struct str body = w->body.n ? str_trim(buf_view(&w->body)) : STR("");
	size_t blank = str_find(body, ' ');
	enum aside why = ASIDE_NOT;
	uint64_t n;
	for (int i = 1; i < ASIDE_MAX; i++)
		if (str_eq(str_make(body.p, blank), str_c(aside_names[i])))
			why = (enum aside)i;
	w->result = !why ? err_set(ERR_USAGE, "the reason is one of crawler, network, rate, foreign_site") : published(a);
	if (!w->result)
		w->result = quarantine_release(a->node->store, why, str_trim(str_skip(body, blank + 1)), clock_now(), &a->batch, flush, a, &n);
	batch_clear(&a->batch);
	if (!w->result)
		w->answer = json_pack("{s:I}", "released", (json_int_t)n);
}

static void run_quarantine(struct admin *a, struct waiting *w)
{
	struct aside_row *rows;
	size_t n;
	w->result = published(a);
	if (!w->result)
		w->result = quarantine_list(a->node->store, &rows, &n);
	if (!w->result) {
		w->answer = aside_json(rows, n, kgate_k(&a->gate));
		free(rows);
	}
}

static void run_stream(struct admin *a, struct waiting *w)
{
	struct destinations *all = node_destinations(a->node);
	struct generation *g = engine_serving(a->node->engine);
	const struct destination *d;
	w->result = destinations_find_named(all, w->to.n ? buf_view(&w->to) : STR(""), &d);
	struct plan_wish wish = {.g = g, .config = a->shared->config, .all = all, .d = d, .now = clock_now()};
	bool any;
	buf_clear(&w->out);
	if (!w->result)
		w->result = stream_piece(&wish, w->body.n ? buf_view(&w->body) : STR(""), &w->out, &any);
	if (!w->result && !any)
		buf_clear(&w->out);
	generation_unref(g);
	destinations_unref(all);
}

/* Rules are read again here, so that whoever asks next finds the model. */
static void run_train(struct admin *a, struct waiting *w)
{
	struct generation *g = engine_serving(a->node->engine);
	w->result = lookalike_train(g, a->config, w->body.n ? str_trim(buf_view(&w->body)) : STR(""), clock_now(), &a->stop, &w->answer);
	generation_unref(g);
	if (!w->result)
		w->result = a->models_changed(a->models_arg);
	if (w->result) {
		json_decref(w->answer);
		w->answer = NULL;
	}
}

static void run_erase(struct admin *a, struct waiting *w)
{
	batch_erase(&a->batch, &w->visitor, clock_now());
	metric_inc(M_ERASED);
	commit(a, w);
}

static const struct {
	enum worker_kind worker;
	void (*run)(struct admin *, struct waiting *);
} jobs[WHAT_MAX] = {
    [METRICS] = {WORKER_TELL, admin_tell},
    [SEGMENTS] = {WORKER_TELL, admin_tell},
    [SEGMENT] = {WORKER_TELL, admin_tell},
    [CATEGORIES] = {WORKER_TELL, admin_tell},
    [STATUS] = {WORKER_TELL, admin_tell},
    [PREVIEW] = {WORKER_ASK, run_question},
    [OVERLAP] = {WORKER_ASK, run_question},
    [QUARANTINE] = {WORKER_ASK, run_quarantine},
    [STREAM] = {WORKER_ASK, run_stream},
    [IMPORT] = {WORKER_WRITE, run_import},
    [APPLIED] = {WORKER_WRITE, run_applied},
    [ERASE] = {WORKER_WRITE, run_erase},
    [RELEASE] = {WORKER_WRITE, run_release},
    [BACKUP] = {WORKER_LONG, run_backup},
    [TRAIN] = {WORKER_LONG, run_train},
};

/* A job that would need more than there is, is not begun: what is left is for hits and for what is under way. Where memory is limited (ulimit -v, -d) this
 * many bytes are had or not; nothing is touched. A limit of a cgroup does not show here: there the kernel ends the process, and it starts again. */
#define JOB_ROOM (32u << 20)

static bool has_room(const struct waiting *w)
{
	if (w->what == METRICS || w->what == ERASE) /* small, and not to be put off */
		return true;
	void *probe = mmap(NULL, JOB_ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (probe == MAP_FAILED)
		return false;
	munmap(probe, JOB_ROOM);
	return true;
}

static void run_job(struct admin *a, struct waiting *w)
{
	memory_begin();
	if (has_room(w))
		jobs[w->what].run(a, w);
	else
		w->result = err_set(ERR_NOMEM, "no memory for this now: ask again later, or give crumbd more");
	bool written = !w->result && (w->what == IMPORT || w->what == ERASE || w->what == RELEASE);
	if (memory_short() && !written) { /* it may have come without what there was no memory for */
		json_decref(w->answer);
		w->answer = NULL;
		w->result = w->result == ERR_NOMEM ? ERR_NOMEM : memory_check();
	}
	if (!w->result && (w->out.failed || w->body.failed || w->to.failed))
		w->result = err_set(ERR_NOMEM, "no memory for this answer");
	if (w->result && !w->answer)
		snprintf(w->why, sizeof w->why, "%s", err_text());
	if (w->what != STREAM)
		buf_done(&w->body);
	atomic_store(&w->done, true);
}

static void *run(void *arg)
{
	struct worker *me = arg;
	struct admin *a = me->admin;
	pthread_mutex_lock(&a->lock);
	while (!atomic_load(&a->stop)) {
		if (me->queue_n == 0) {
			pthread_cond_wait(&me->wake, &a->lock);
			continue;
		}
		struct waiting *w = me->queue[0];
		memmove(me->queue, me->queue + 1, --me->queue_n * sizeof *me->queue);
		pthread_mutex_unlock(&a->lock);
		run_job(a, w);
		pthread_mutex_lock(&a->lock);
	}
	pthread_mutex_unlock(&a->lock);
	return NULL;
}

bool admin_enqueue(struct admin *a, struct waiting *w)
{
	struct worker *to = &a->workers[jobs[w->what].worker];
	pthread_mutex_lock(&a->lock);
	bool room = to->queue_n < QUEUE_MOST;
	if (room)
		to->queue[to->queue_n++] = w;
	pthread_cond_signal(&to->wake);
	pthread_mutex_unlock(&a->lock);
	return room;
}

enum err admin_workers_start(struct admin *a)
{
	batch_init(&a->batch, a->node->store->shards, committed, a);
	for (int i = 0; i < WORKERS; i++) {
		struct worker *w = &a->workers[i];
		w->admin = a;
		enum err e = thread_start(&w->thread, "job", run, w);
		if (e)
			return e;
		w->started = true;
	}
	return OK;
}

void admin_workers_stop(struct admin *a)
{
	pthread_mutex_lock(&a->lock);
	atomic_store(&a->stop, true);
	for (int i = 0; i < WORKERS; i++)
		pthread_cond_signal(&a->workers[i].wake);
	pthread_mutex_unlock(&a->lock);
	for (int i = 0; i < WORKERS; i++)
		if (a->workers[i].started)
			pthread_join(a->workers[i].thread, NULL);
}
