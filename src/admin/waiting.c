/* Requests to the admin listener that wait: for the views, for the keeper, for a thread. They are a
 * list of the main thread, which asks each every few milliseconds whether it can be answered
 * (route->answer). Nobody wakes the main thread: a wait has no owner who could forget to wake
 * it. */
#include "job.h"

#include "crumb/base/clock.h"

#include <stdlib.h>

/* One piece of memory: the job, and behind it the state that the row asks for. */
struct job *job_new(const struct route *route, struct http_ticket t)
{
	const size_t align = _Alignof(max_align_t);
	size_t head = (sizeof(struct job) + align - 1) / align * align;
	struct job *j = calloc(1, head + route->state);
	if (!j)
		return NULL;
	j->route = route;
	j->ticket = t;
	j->deadline_us = clock_mono_us() + ADMIN_WAIT_US;
	j->body = BUF_SECRET;
	j->state = (char *)j + head;
	return j;
}

void job_free(struct job *j)
{
	if (j->route->done)
		j->route->done(j);
	buf_done(&j->body);
	buf_done(&j->out);
	json_decref(j->answer);
	free(j);
}

void job_hold(struct admin *a, struct job *j)
{
	j->next = a->waiting;
	a->waiting = j;
	http_hold(j->ticket);
}

bool job_late(const struct job *j)
{
	return clock_mono_us() >= j->deadline_us;
}

struct str job_body(const struct job *j)
{
	return j->body.n ? str_trim(buf_view(&j->body)) : STR("");
}

/* True: it was answered. A job that its worker has is not touched, but for `done`. */
static bool try_answer(struct admin *a, struct job *j)
{
	bool with_worker = j->route->run && !j->later && !atomic_load(&j->done);
	if (with_worker)
		return false;
	return j->route->answer ? j->route->answer(a, j) : job_told(a, j);
}

bool admin_waits(const struct admin *a)
{
	return a->waiting != NULL;
}

/* Answered jobs leave the list first, and are released when the list has been walked. */
void admin_tick(struct admin *a)
{
	struct job **at = &a->waiting, *done = NULL;
	while (*at) {
		struct job *j = *at;
		if (!try_answer(a, j)) {
			at = &j->next;
			continue;
		}
		*at = j->next;
		j->next = done;
		done = j;
	}
	while (done) {
		struct job *next = done->next;
		http_release(done->ticket);
		job_free(done);
		done = next;
	}
}
