/* The life of a connection once it is there: which list it stands in, who closes it and when, and
 * when its memory may go.
 *
 * A connection is closed at once and freed later. Somebody may still have a pointer to it: a
 * function up the stack, a ticket that is held, the list of those that wait for a gate, the list of
 * those that the loop goes on with. So conn_close() closes the descriptor, wipes what was
 * said and leaves the list of the phase, and conn_reap() takes the memory back. conn.h draws the
 * way. */
#include "conn.h"

#include "crumb/core/metric.h"

#include <unistd.h>

/* Wipes an answer that was sent, or never will be: it may hold a new visitor's cookie, or what is
 * known about somebody. */
void conn_slot_wipe(struct slot *s)
{
	if (s->p == s->text)
		explicit_bzero(s->text, s->n);
	if (s->big.p)
		buf_done(&s->big);
	s->p = NULL;
	s->n = s->sent = 0;
}

static void unlist(struct http_conn *c)
{
	struct conn_list *l = &c->server->phases[c->phase];
	if (c->prev)
		c->prev->next = c->next;
	else
		l->first = c->next;
	if (c->next)
		c->next->prev = c->prev;
	else
		l->last = c->prev;
}

void conn_enlist(struct http_conn *c, enum phase p)
{
	struct conn_list *l = &c->server->phases[p];
	c->phase = p;
	c->since = c->server->now;
	c->next = NULL;
	c->prev = l->last;
	if (l->last)
		l->last->next = c;
	else
		l->first = c;
	l->last = c;
}

void conn_phase(struct http_conn *c, enum phase p)
{
	if (c->phase == p)
		return;
	unlist(c);
	conn_enlist(c, p);
}

void conn_let_go(struct http_conn *c)
{
	if (c->holds || c->waiting || c->marked)
		return; /* the last of them to let go comes here again */
	c->next = c->server->dead;
	c->server->dead = c;
}

void conn_close(struct http_conn *c)
{
	if (c->closed)
		return;
	CHECK(!c->busy); /* a handler is reading the request */
	c->closed = true;
	unlist(c);
	event_del(&c->read_ev);
	if (c->want_write)
		event_del(&c->write_ev);
	close(c->fd);
	c->server->conns_n--;
	explicit_bzero(c->in, c->in_n);
	explicit_bzero(&c->peer, sizeof c->peer);
	for (unsigned i = 0; i < c->used; i++)
		conn_slot_wipe(&c->slots[(c->head + i) % SLOTS]);
	conn_let_go(c);
}

/* A client that asks for nothing may be about to ask, and closing would answer that with a reset.
 * With a taker an idle connection is offered once, and closed if the taker refuses. Bytes in the
 * socket are for who has it next; a connection of which we have read part of a request cannot be
 * given any more. Without a taker, connections are closed when the server is late, a second after
 * it began to drain. */
void conn_leave(struct http_conn *c)
{
	const struct http_server *s = c->server;
	if (c->closed || c->used || (c->phase != PHASE_IDLE && c->phase != PHASE_HEAD))
		return;
	bool clean = c->phase == PHASE_IDLE && c->start == c->in_n && !c->closing,
	     given = s->give && clean;
	if (!given && !s->late)
		return;
	if (given)
		(void)s->give(s->give_ctx, c->fd); /* closed here, taken or not */
	conn_close(c);
}

/* The last answer was sent: lets the peer read it before the connection is closed, even if the peer
 * is still sending. What it sends is thrown away. */
void conn_linger(struct http_conn *c)
{
	memset(c->in, 0, c->in_n);
	c->start = c->parsed = c->in_n = 0;
	shutdown(c->fd, SHUT_WR);
	if (!c->reading) {
		event_add(&c->read_ev, NULL);
		c->reading = true;
	}
	conn_phase(c, PHASE_LINGER);
}

void conn_mark(struct http_conn *c)
{
	if (c->marked)
		return;
	c->marked = true;
	c->next_marked = c->server->marked;
	c->server->marked = c;
	event_add(&c->server->marked_ev, &(struct timeval){0, 0});
}

void conn_stop_reading(struct http_conn *c)
{
	if (c->reading)
		event_del(&c->read_ev);
	c->reading = false;
}

/* Closes the connection that matters least: the oldest that is only left to close, or else is idle,
 * or takes long to ask, or does not take its answer. A client that waits for our answer and has not
 * begun to ask again is never closed for another. One that has may lose its answers, but not its
 * hits: those are in the batch, and are recorded. */
bool conn_evict(struct http_server *s)
{
	static const enum phase order[] = {
	    PHASE_LINGER, PHASE_IDLE, PHASE_HEAD, PHASE_BODY, PHASE_SEND};
	for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
		struct http_conn *victim = s->phases[order[i]].first;
		if (!victim || victim->busy)
			continue;
		metric_inc(M_CONN_EVICTED);
		conn_close(victim);
		return true;
	}
	return false;
}
