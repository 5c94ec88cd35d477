/* Enters and leaves as they happen, for servers that personalise pages: server-sent events
 * (html.spec.whatwg.org, server-sent events), in pieces that a client takes one after the other,
 * each with the position behind it.
 *
 *     event: reset     forget everything: what follows is the whole state
 *     event: enter     data: {"id","segment","expires"}
 *     event: leave     data: {"id","segment"}
 *     event: state     data: {"complete":true}          the whole state was said; changes follow
 *
 * At least once: an event may come again, and then says what holds at that time. Nobody is said to
 * enter a segment of which fewer than k members could be told, as in a delivery: whom purposes of
 * consent, sources or the segment's split leave out do not count. When a segment grows beyond k,
 * when rules change, or when a position is older than what is kept, the state is said anew. The id
 * is our pseudonym for the destination.
 *
 * A position is text: GENERATION.RULES.TIME.OPEN.SEQ,SEQ… and while the state is being said
 * .SHARD.KEY behind it. A client takes it as it is.
 *
 *     7.a0b1c2d3.1753900000.5.812,790
 *         changes are read up to 812 in the first shard and up to 790 in the second
 *     7.a0b1c2d3.1753900000.5.812,790.1.9f…3e
 *         the state is said, up to and with the visitor 9f…3e of the second shard ("-": nobody yet)
 *
 * RULES is the beginning of the rules' hash. OPEN is a hexadecimal number with a bit for each
 * segment of the destination, the lowest for the first in the rules: 5 is the first and the third.
 * A position of 256 shards is some 5 KB.
 *
 * Any thread. Nothing is kept between two pieces. */
#ifndef CRUMB_DELIVERY_STREAM_H
#define CRUMB_DELIVERY_STREAM_H

#include "crumb/delivery/plan.h"

/* Appends what there is behind a position, at most a piece; an empty position is the beginning.
 * *any: there was something. ERR_USAGE: this is no position, or there is no stream. */
enum err stream_piece(
    const struct plan_wish *w, struct str position, struct buf *out, bool *any) MUST_CHECK;
/* Grows with every change that a stream could tell. */
uint64_t stream_version(struct engine *e);

#endif
