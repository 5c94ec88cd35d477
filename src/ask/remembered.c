/* The groups that were asked about, so that the difference between two answers tells nothing about
 * fewer than k visitors.
 *
 * The danger. "coats" is told as 1,230 and "coats and not (coats and boots in 1d)" as 1,230 or
 * 1,220: from enough such pairs somebody computes who the few are. So a group that differs from one
 * with a number by fewer than k visitors gets that number, whatever its own would be:
 *
 *     everybody, each segment         always have a number
 *     a group that was asked about    has the one that was told
 *
 * The nearest of them speaks. How far apart two groups are is counted exactly, on the sets of their
 * visitors: |A| + |B| − 2 |A and B| for segments, bits of A xor B for what was asked before.
 *
 * Example with k = 50: segment "keen" has 1,234 members and is told as 1,230. Somebody asks for a
 * condition that 1,221 of them and nobody else satisfy: 13 apart, told as 1,230. Another condition
 * has 1,100 of them: 134 apart, so it is told as 1,100 and remembered. A third is 20 apart from
 * that one: told as 1,100, too.
 *
 * Every group that is none of those is remembered, also when it gets the number of another: of two
 * questions that differ in one visitor the second gets the number of the first, whichever groups
 * are about as near as each other.
 *
 * Cost: one bit a visitor and question, 125 KB for 1,000,000 visitors; 64 MB in all, 4,096
 * questions, 512 different ones a day. When the questions of a day have filled it, different ones
 * are refused. */
#include "asking.h"

#include "crumb/base/clock.h"
#include "crumb/core/hash.h"

#include <pthread.h>
#include <stdlib.h>

#define MEMORY_MOST 512		 /* different questions in a day; more are refused */
#define MEMORY_KEPT 4096	 /* questions in all */
#define MEMORY_BYTES (64u << 20) /* of sets */
#define MEMORY_S DAY_S		 /* seconds that a question is kept at least */
#define MEMORY_KEPT_S (30 * DAY_S)
#define HARDLY_APART (KGATE_STEP / 2) /* visitors: two such groups have one number */

struct asked {
	struct shown told;
	bool own; /* nothing was near, so the number is its own and not that of another group */
	uint32_t when;	  /* seconds */
	uint32_t lineage; /* of the generation: what its ordinals mean */
	unsigned shards;
	size_t bytes;
	struct set *sets;
};

struct worded {
	uint64_t words; /* their hash */
	uint32_t when;	/* it was asked first */
};

struct ask_memory {
	pthread_mutex_t lock;		 /* over all of it */
	struct asked asked[MEMORY_KEPT]; /* oldest first */
	unsigned n;
	size_t bytes;
	struct worded worded[MEMORY_MOST]; /* what was asked within a day, as it was written */
	unsigned worded_n;
};

struct ask_memory *ask_memory_new(void)
{
	struct ask_memory *m = calloc(1, sizeof *m);
	CHECK(m);
	pthread_mutex_init(&m->lock, NULL);
	return m;
}

void ask_memory_free(struct ask_memory *m)
{
	if (!m)
		return;
	for (unsigned i = 0; i < m->n; i++)
		sets_free(m->asked[i].sets, m->asked[i].shards);
	pthread_mutex_destroy(&m->lock);
	free(m);
}

static bool is_old(const struct asked *a, uint32_t now)
{
	return now - a->when >= MEMORY_S;
}

static void forget_sets(struct ask_memory *m, struct asked *a)
{
	m->bytes -= a->bytes;
	sets_free(a->sets, a->shards);
	a->sets = NULL;
	a->bytes = 0;
}

/* Takes out questions that are over, and the sets whose ordinals mean nothing any more: whoever
 * publishes rules makes ordinals anew, and shall have no more questions a day for that. */
static void memory_clean(struct ask_memory *m, uint32_t lineage, uint32_t now)
{
	unsigned kept = 0;
	for (unsigned i = 0; i < m->n; i++) {
		struct asked *a = &m->asked[i];
		bool over = a->lineage != lineage || now - a->when >= MEMORY_KEPT_S;
		if (over)
			forget_sets(m, a);
		if (!over || !is_old(a, now))
			m->asked[kept++] = *a;
	}
	m->n = kept;
}

/* Makes room for one more: the oldest go, but none of the last day. False: there is none. */
static bool memory_room(struct ask_memory *m, size_t bytes, uint32_t now)
{
	unsigned old = 0, gone = 0;
	while (old < m->n && is_old(&m->asked[old], now))
		old++;
	if (m->n - old >= MEMORY_MOST)
		return false;
	while (gone < old && (m->n - gone == MEMORY_KEPT || m->bytes + bytes > MEMORY_BYTES)) {
		m->bytes -= m->asked[gone].bytes;
		sets_free(m->asked[gone].sets, m->asked[gone].shards);
		gone++;
	}
	m->n -= gone;
	memmove(m->asked, m->asked + gone, m->n * sizeof *m->asked);
	return m->bytes + bytes <= MEMORY_BYTES;
}

unsigned ask_left(struct ask_memory *m, struct str question, uint32_t now)
{
	uint64_t words = hash_plain64(question.p, question.n);
	unsigned kept = 0;
	bool new = true;
	pthread_mutex_lock(&m->lock);
	for (unsigned i = 0; i < m->worded_n; i++) {
		struct worded *w = &m->worded[i];
		if (now - w->when >= MEMORY_S)
			continue;
		new = new && w->words != words;
		m->worded[kept++] = *w;
	}
	m->worded_n = kept;
	if (new &&kept < MEMORY_MOST)
		m->worded[m->worded_n++] = (struct worded){words, now};
	unsigned left = MEMORY_MOST - m->worded_n;
	pthread_mutex_unlock(&m->lock);
	return left;
}

/* Takes the sets of a question; false: there is no room. */
static bool memory_add(struct ask_memory *m, const struct sizing *s, struct shown told, bool own)
{
	size_t bytes = 0;
	for (unsigned i = 0; i < s->g->shards; i++)
		bytes += s->sets[i].n * sizeof *s->sets[i].words;
	if (!memory_room(m, bytes, s->now))
		return false;
	m->asked[m->n++] =
	    (struct asked){told, own, s->now, s->g->lineage, s->g->shards, bytes, s->sets};
	m->bytes += bytes;
	return true;
}

/* A group nearer than this many visitors gets the number that was told for `a`; 0: not even the
 * same.
 *
 *     a's number is its own, of the last day    k
 *     older, or had from another group          HARDLY_APART + 1, while it is not far from the
 *                                               truth
 *     … and too far from the truth              0
 *
 * The second row is narrow, for else each number would lead to the next: groups of 100, 115, 130 …
 * visitors, each within k of the one before, would all be told as 100. */
static uint64_t reach_of(const struct asked *a, uint64_t size, uint64_t k, uint32_t now)
{
	if (a->own && !is_old(a, now))
		return k;
	uint64_t told = a->told.told ? a->told.n : 0;
	uint64_t off = told > size ? told - size : size - told;
	uint64_t most = 2 * k;
	if (is_old(a, now))
		most = a->told.told ? KGATE_STEP : k + KGATE_STEP - 1;
	return off <= most ? HARDLY_APART + 1 : 0;
}

/* The segment that the condition asks for, and nothing else: segment(a), segment(a) and segment(a).
 * Of groups that are equal it is the one whose number is meant: another that has the same members
 * may be withheld while this one is told. SIZE_MAX: it asks for no one segment. */
static size_t segment_meant(const struct rule_node *nodes, int root)
{
	if (root < 0)
		return SIZE_MAX;
	const struct rule_node *n = &nodes[root];
	if (n->kind == NODE_SEGMENT)
		return n->segment;
	if (n->kind != NODE_AND && n->kind != NODE_OR)
		return SIZE_MAX;
	size_t left = segment_meant(nodes, n->left);
	return left == segment_meant(nodes, n->right) ? left : SIZE_MAX;
}

struct shown ask_nearest(
    struct sizing *s, const struct kgate *gate, struct ask_memory *memory, bool *refused)
{
	uint64_t size = s->sum[1], k = kgate_k(gate), distance = k;
	size_t meant = segment_meant(s->nodes, s->root);
	struct shown told = kgate_show(gate, size);
	*refused = false;
	if (s->sum[0] - size < distance)
		told = kgate_show(gate, s->sum[0]), distance = s->sum[0] - size;
	for (size_t i = 0; i < s->segments; i++) {
		uint64_t theirs = s->sum[2 + 2 * i], apart = size + theirs - 2 * s->sum[3 + 2 * i];
		if (apart < distance || (apart == 0 && i == meant))
			told = kgate_show_group(gate, 's', s->g->rules->segments[i].id, theirs),
			distance = apart;
	}
	if (!memory)
		return told;
	pthread_mutex_lock(&memory->lock);
	memory_clean(memory, s->g->lineage, s->now);
	for (unsigned i = 0; i < memory->n && distance; i++) {
		const struct asked *a = &memory->asked[i];
		if (!a->sets)
			continue;
		uint64_t apart = sets_apart(s->sets, a->sets, s->g->shards);
		/* of two that are as near the later one: it may have been the same question */
		if (apart <= distance && apart < reach_of(a, size, k, s->now))
			told = a->told, distance = apart;
	}
	if (distance) {
		*refused = !memory_add(memory, s, told, distance == k);
		if (!*refused)
			s->sets = NULL;
	}
	pthread_mutex_unlock(&memory->lock);
	return *refused ? (struct shown){false, 0} : told;
}
