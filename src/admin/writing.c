/* What the thread of jobs that write has to itself: a batch, and what was imported before. */
#include "job.h"

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

static void publish(void *arg)
{
	(void)arg; /* it is, before this runs */
}

enum err writing_published(struct admin *a)
{
	return writer_run(a->node->writer, publish, NULL)
		   ? OK
		   : err_set(ERR_IO, "the journal cannot be written to now");
}

enum err writing_applied(struct admin *a)
{
	enum err e = a->applied ? OK : writing_published(a);
	return e || a->applied ? e : applied_open(a->node->store, &a->applied);
}
