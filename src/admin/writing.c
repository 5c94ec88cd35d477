/* What BY_WRITE's thread has to itself: a batch, and the names of what was imported before.
 *
 * The batch goes the way of every hit (ingest/writer.h): the journal's thread commits it and calls
 * committed(), which posts a->committed; the worker waits for that. So a job has its answer when
 * its events are on disk. */
#include "job.h"

/* On the journal's thread. */
static void committed(struct batch *b)
{
	struct admin *a = b->owner;
	sem_post(&a->committed);
}

void writing_start(struct admin *a)
{
	batch_init(&a->batch, a->node->store->shards, committed, a);
}

void writing_end(struct admin *a)
{
	if (a->batch.owner)
		batch_done(&a->batch);
	applied_close(a->applied);
}

enum err writing_submit(struct admin *a)
{
	writer_submit(a->node->writer, &a->batch);
	while (sem_wait(&a->committed) != 0)
		;
	enum err e = a->batch.result;
	batch_clear(&a->batch);
	return e;
}

enum err writing_commit(struct admin *a)
{
	if (a->batch.count)
		return writing_submit(a);
	batch_clear(&a->batch);
	return OK;
}

/* The journal's thread publishes all that it has committed before it runs what it is asked to run;
 * there is nothing left to do. */
static void nothing_more(void *arg)
{
	(void)arg;
}

enum err writing_published(struct admin *a)
{
	if (!writer_run(a->node->writer, nothing_more, NULL))
		return err_set(ERR_IO, "the journal cannot be written to now");
	return OK;
}

enum err writing_applied(struct admin *a)
{
	if (a->applied)
		return OK;
	enum err e = writing_published(a);
	return e ? e : applied_open(a->node->store, &a->applied);
}
