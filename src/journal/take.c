/* Blocks that come from a log outside: each call is one transaction of one day's environment, with
 * the blocks and the mark behind them (marks.h). So after a crash the mark says just what is there.
 *
 *     local_take()        publishes what came otherwise, then stores and shows
 *     local_store_day()   the transaction (local.c)
 *     whole_doubt()       what failed and may be there all the same goes (whole.c)
 *
 * A commit can fail and be in the file. LMDB writes the page that makes a commit count last; when
 * that write fails, the page may have come to the disk or not, and what a file reads says nothing
 * of what a power failure leaves. So nobody asks. What is in doubt is taken back before anything
 * else is stored: its sequences go, and the table gets the mark of what readers see. That is a
 * commit of its own, and leads to the same whether the other one was there or not. After a crash in
 * between, the day has either both, blocks and mark, or neither. */
#include "local.h"

/* The newest day that is there; NULL: there is none. */
static struct journal_day *newest_day(struct local *j)
{
	struct journal_day *newest = NULL;
	pthread_mutex_lock(&j->lock);
	for (int i = 0; i < JOURNAL_DAYS_MAX; i++) {
		struct journal_day *d = &j->days[i];
		if (d->day && !d->dead && (!newest || newest->day < d->day))
			newest = d;
	}
	pthread_mutex_unlock(&j->lock);
	return newest;
}

static bool of_one_day(const struct journal_block *blocks, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (blocks[i].day != blocks[0].day)
			return false;
	return true;
}

/* Stores and shows. Room for the mark is made before, since a commit that is durable cannot fail
 * any more. */
static enum err take_into(struct local *j, struct journal_day *d, struct journal_block *blocks,
    size_t n, const uint8_t rules_hash[16], const struct log_mark *mark)
{
	pthread_mutex_lock(&j->lock);
	enum err e = log_mark_room(&j->mark, mark);
	j->follows = true;
	pthread_mutex_unlock(&j->lock);
	if (e)
		return e;
	struct doubt doubt = {.day = d->day, .first = j->next_seq};
	for (size_t i = 0; i < n; i++)
		blocks[i].seq = j->next_seq++;
	doubt.last = j->next_seq - 1;
	if (!(e = local_store_day(j, d, blocks, n, rules_hash, mark))) {
		local_show(j, blocks, n, mark, d->day);
		return OK;
	}
	j->doubt = doubt;
	for (size_t i = 0; i < n; i++)
		blocks[i].seq = 0;
	return e;
}

enum err local_take(struct journal *inner, struct journal_block *blocks, size_t n,
    const uint8_t rules_hash[16], const struct log_mark *mark)
{
	struct local *j = (struct local *)inner;
	struct journal_day *d = NULL;
	if (!of_one_day(blocks, n))
		return err_set(ERR_USAGE, "journal: blocks of several days are taken at once");
	enum err e = inner->kind->unpublished(inner) ? local_publish_all(j) : OK;
	if (!e && n)
		e = journal_have_day(j, blocks[0].day, true, &d);
	else if (!e)
		d = newest_day(j);
	return e || !d ? e : take_into(j, d, blocks, n, rules_hash, mark);
}

enum err local_log_marks(struct journal *inner, struct log_mark *out)
{
	struct local *j = (struct local *)inner;
	pthread_mutex_lock(&j->lock);
	enum err e = log_mark_copy(&j->mark, out);
	pthread_mutex_unlock(&j->lock);
	return e;
}
