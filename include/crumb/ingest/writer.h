/* The journal thread: batches in, synced commits out, and only then the word back.
 *
 * A batch is what one collect thread gathered while the commit before ran, or one slice of an
 * import. No commit waits for a timer: the thread takes everything that is queued, commits it,
 * tells the owners, and takes again. The disk sets the pace:
 *
 *	queue      a1 │    b1 a2    │ a3 b2
 *	commit        │     a1      │     b1+a2     │ a3+b2
 *	done()                      a1              b1, a2
 *
 * So with a disk that syncs in 2 ms a hit is answered after 2 to 4 ms, and a commit carries the
 * hits of 2 ms, however many they are.
 *
 * Committed is not yet published. Commits first stand in the write-ahead log; readers of the
 * journal see them 50 ms later, or after 1 MB, or when somebody asks (writer_publish()). Then the
 * blocks of these commits are written as one, which makes blocks large.
 *
 * Threads: writer_submit() and all below may be called from any thread. A batch belongs to the
 * writer from writer_submit() until its done() is called on the journal thread, then to its owner
 * again. */
#ifndef CRUMB_INGEST_WRITER_H
#define CRUMB_INGEST_WRITER_H

#include "crumb/ingest/batch.h"
#include "crumb/store/store.h"

struct writer;

/* Called on the journal thread when new blocks can be read, to wake the folds. */
struct writer_told {
	void (*published)(void *arg); /* nobody had asked for them */
	void (*asked)(void *arg);     /* somebody waits for them (writer_publish()) */
	void *arg;
};
/* ERR_NOMEM, or no thread. `told` is copied. */
enum err writer_start(
    struct store *s, const struct writer_told *told, struct writer **out) MUST_CHECK;
/* The same without a thread, for a program that has only one (tests/sim): writer_turn() does what
 * the thread would do. */
enum err writer_open(
    struct store *s, const struct writer_told *told, struct writer **out) MUST_CHECK;
void writer_turn(struct writer *w); /* one pass; never waits for work */
void writer_stop(struct writer *w); /* commits what is queued, then ends the thread; frees */
void writer_submit(struct writer *w, struct batch *b);
/* Somebody waits for what was committed: publishes now. */
void writer_publish(struct writer *w);
/* From now on blocks name these rules, and every day that is written to gets their activation. */
void writer_rules(struct writer *w, const uint8_t hash[16], struct str bundle);
/* Runs a task on the journal thread, between commits, with everything published; returns when it
 * has run. False: publishing failed, and the task did not run. */
bool writer_run(struct writer *w, void (*task)(void *arg), void *arg) MUST_CHECK;
/* Destroys the keys of days before `oldest` and unlinks these days, on the journal thread, again
 * and again until it succeeds. */
void writer_expire(struct writer *w, uint16_t oldest, uint16_t today);
uint16_t writer_expired(const struct writer *w); /* the latest `oldest` that was carried out */
/* Writes what fails now and is tried again. False: all is well. */
bool writer_trouble(struct writer *w, char *out, size_t cap);

#endif
