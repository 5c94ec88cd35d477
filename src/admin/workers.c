/* The threads of the admin listener. Each does the jobs of its rows, one after the other.
 *
 * A queue is an array of QUEUE_MOST jobs under a->lock, oldest first. The main thread appends and
 * wakes the worker; the worker takes the first and works without the lock. A job is done when
 * run_job() stores j->done: from then on the main thread has it. Workers end when a->stop is set;
 * jobs that are still queued are then refused by admin_free(). */
#include "job.h"

#include "crumb/base/memory.h"
#include "crumb/base/thread.h"

#include <sys/mman.h>

/* A job is not begun when less memory than this is left: the rest is for hits and for jobs under
 * way. The bytes are mapped and given back, and never touched, so asking costs no memory. It works
 * where address space is limited (ulimit -v, -d). A limit of a cgroup does not show here: there the
 * kernel ends the process, and the service manager starts it again. */
#define JOB_ROOM (32u << 20) /* bytes */

static bool has_room(const struct job *j)
{
	if (j->route->small)
		return true;
	void *probe =
	    mmap(NULL, JOB_ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (probe == MAP_FAILED)
		return false;
	munmap(probe, JOB_ROOM);
	return true;
}

/* Runs a job. An answer that may lack something for want of memory is thrown away (base/memory.h);
 * only what the journal has already is said all the same. */
static void run_job(struct admin *a, struct job *j)
{
	history_daily(a);
	memory_begin();
	if (has_room(j))
		j->route->run(a, j);
	else
		j->result = err_set(
		    ERR_NOMEM, "no memory for this now: ask again later, or give crumbd more");
	bool written = !j->result && j->route->records;
	if (memory_short() && !written) {
		json_decref(j->answer);
		j->answer = NULL;
		j->result = j->result == ERR_NOMEM ? ERR_NOMEM : memory_check();
	}
	if (!j->result && j->out.failed)
		j->result = err_set(ERR_NOMEM, "no memory for this answer");
	if (j->result && !j->answer)
		snprintf(j->why, sizeof j->why, "%s", err_text());
	if (!j->result && j->route->history)
		history_note_often(a, j, j->route->history);
	buf_done(&j->body);
	atomic_store(&j->done, true);
}

static void *worker_run(void *arg)
{
	struct worker *me = arg;
	struct admin *a = me->admin;
	pthread_mutex_lock(&a->lock);
	while (!atomic_load(&a->stop)) {
		if (me->queue_n == 0) {
			pthread_cond_wait(&me->wake, &a->lock);
			continue;
		}
		struct job *j = me->queue[0];
		memmove(me->queue, me->queue + 1, --me->queue_n * sizeof *me->queue);
		pthread_mutex_unlock(&a->lock);
		run_job(a, j);
		pthread_mutex_lock(&a->lock);
	}
	pthread_mutex_unlock(&a->lock);
	return NULL;
}

/* A full queue refuses: 64 jobs are minutes of work, and whoever waits so long asks again. */
bool admin_enqueue(struct admin *a, struct job *j)
{
	struct worker *to = &a->workers[j->route->by];
	pthread_mutex_lock(&a->lock);
	bool room = to->queue_n < QUEUE_MOST;
	if (room)
		to->queue[to->queue_n++] = j;
	pthread_cond_signal(&to->wake);
	pthread_mutex_unlock(&a->lock);
	return room;
}

enum err admin_workers_start(struct admin *a)
{
	for (int i = BY_TELL; i < BY_MAX; i++) {
		struct worker *w = &a->workers[i];
		w->admin = a;
		enum err e = thread_start(&w->thread, "job", worker_run, w);
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
	for (int i = 0; i < BY_MAX; i++)
		pthread_cond_signal(&a->workers[i].wake);
	pthread_mutex_unlock(&a->lock);
	for (int i = 0; i < BY_MAX; i++)
		if (a->workers[i].started)
			pthread_join(a->workers[i].thread, NULL);
}
