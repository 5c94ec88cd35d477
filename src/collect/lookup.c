/* Requests that wait until everything their visitor has sent to this thread, an erasure too, is in
 * the views: /me, /me/forget, /segments?fresh=1.
 *
 *	collect_lookup()  notes the batch that may have hits of the visitor (`gate`), and holds the
 *	                  ticket
 *	batch on disk     `target` becomes the position of the journal of the visitor's shard, and
 *	                  the folds are told to hurry
 *	views at target   `answer` is called
 *
 * A fold thread wakes the loop when it has read on; then collect_lookups_go_on() looks at all that
 * wait. The list is short: only these three paths use it. A request that waits for longer than
 * LOOKUP_WAIT_MS gets a 503; one with a budget gets what is known by then. A budget may end between
 * two wake-ups, so a timer runs while there are any. */
#include "crumb/collect/collecting.h"

#include "crumb/base/clock.h"

#include <event2/event.h>
#include <stdlib.h>

#define SOON_US 2000 /* the timer's period */

void collect_lookups_soon(int fd, short what, void *arg)
{
	struct collect *c = arg;
	(void)fd, (void)what;
	for (struct lookup *l = c->lookups; l; l = l->next)
		if (l->form.budget_ms) {
			event_add(c->soon_ev, &(struct timeval){0, SOON_US});
			return;
		}
}

void collect_lookup(struct collect *c, struct http_ticket t, const struct vkey *visitor,
    void (*answer)(struct collect *, struct lookup *), const struct lookup_form *form,
    struct buf headers, enum lookup_kind kind)
{
	struct lookup *l = calloc(1, sizeof *l);
	if (!l) {
		/* an erasure is done all the same, and asking again does no harm */
		http_reply(t, 503, "text/plain", STR("Retry-After: 5\r\n"),
		    STR("no memory for an answer\n"));
		buf_done(&headers);
		return;
	}
	*l = (struct lookup){.next = c->lookups,
	    .ticket = t,
	    .visitor = *visitor,
	    .answer = answer,
	    .headers = headers,
	    .kind = kind};
	/* hits of the visitor may be in the batch that is being gathered, or in the one before */
	l->gate = collect_batch(c)->count ? c->gate : c->gate - 1;
	if (form)
		l->form = *form;
	l->deadline_us = clock_mono_us() + (l->form.budget_ms ? (l->form.budget_ms - 1) * 1000ull
							      : LOOKUP_WAIT_MS * 1000ull);
	c->lookups = l;
	if (l->form.budget_ms)
		event_add(c->soon_ev, &(struct timeval){0, SOON_US});
	http_hold(t);
	collect_lookups_go_on(c);
}

/* The answer to a request whose erasure was lost. */
static void not_written(struct collect *c, struct lookup *l)
{
	(void)c;
	http_reply(l->ticket, 503, "text/plain", STR("Retry-After: 5\r\n"),
	    STR("nothing was erased: the store cannot write\n"));
}

void collect_lookups_fail(struct collect *c, uint64_t gate)
{
	for (struct lookup *l = c->lookups; l; l = l->next)
		if (l->kind == LOOKUP_ERASES && l->gate == gate)
			l->answer = not_written;
}

static void finish(struct lookup *l)
{
	http_release(l->ticket);
	buf_done(&l->headers);
	free(l);
}

void collect_lookups_go_on(struct collect *c)
{
	struct engine *e = c->shared->engine;
	struct lookup **at = &c->lookups;
	while (*at) {
		struct lookup *l = *at;
		unsigned shard = vkey_shard(&l->visitor, c->shared->store->shards);
		bool on_disk = l->gate < c->gate - c->in_flight;
		if (!l->aimed && on_disk) {
			l->aimed = true;
			l->target = journal_committed(c->shared->store->journal, shard);
			if (!engine_folded(e, shard, &l->target)) {
				writer_publish(c->shared->writer);
				engine_hurry(e);
			}
		}
		bool folded = on_disk && engine_folded(e, shard, &l->target);
		bool late = clock_mono_us() > l->deadline_us;
		if (!folded && !late) {
			at = &l->next;
			continue;
		}
		if (folded || l->form.budget_ms)
			l->answer(c, l);
		else
			http_reply(l->ticket, 503, "text/plain", STR("Retry-After: 5\r\n"),
			    STR("the views are behind\n"));
		*at = l->next;
		finish(l);
	}
}

void collect_lookups_drop(struct collect *c)
{
	while (c->lookups) {
		struct lookup *l = c->lookups;
		c->lookups = l->next;
		http_reply(l->ticket, 503, "text/plain", STR(""), STR("shutting down\n"));
		finish(l);
	}
}
