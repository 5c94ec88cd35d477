/* Enters and leaves as they happen, for servers that personalise pages: server-sent events
 * (html.spec.whatwg.org, server-sent events), in pieces that a client takes one after the other,
 * each with the position behind it.
 *
 *     event: reset     forget everything: what follows is the whole state
 *     event: enter     data: {"id","segment","expires"}
 *     event: leave     data: {"id","segment"}
 *     event: state     data: {"complete":true}          the whole state was said; changes follow
 *
 * At least once: an event may come again, and then says what holds at that time. Below k nobody is
 * said to enter, and when a segment grows beyond it, when rules change, or when a position is older
 * than what is kept, the state is said anew. The id is our pseudonym for the destination.
 *
 * A position is text: GENERATION.RULES.TIME.OPEN.SEQ,SEQ… (one sequence a shard; OPEN is a
 * hexadecimal number with a bit for each segment), and while the state is being said .SHARD.KEY
 * behind it. */
#ifndef CRUMB_DELIVERY_STREAM_H
#define CRUMB_DELIVERY_STREAM_H

#include "crumb/delivery/plan.h"

/* Appends what there is behind a position, at most a piece. *any: there was something. ERR_USAGE:
 * no such position, or no stream. */
enum err stream_piece(
    const struct plan_wish *w, struct str position, struct buf *out, bool *any) MUST_CHECK;
/* Grows with every change that a stream could tell. */
uint64_t stream_version(struct engine *e);

#endif
