/* A table of hashes, row by row: recent.h has the arithmetic. A hash of 0 marks an empty place, so
 * the lowest bit of each hash is set. Two ids with one hash are taken for one; with 63 bits and
 * 131,072 ids that happens once in some 70 million million messages. */
#include "crumb/collect/recent.h"

#include "crumb/base/err.h"
#include "crumb/core/hash.h"

#include <pthread.h>
#include <stdlib.h>

#define ROWS 16384
#define WAYS 8

struct recent_ids {
	pthread_mutex_t lock;
	struct key16 key;	   /* set when it is made */
	uint64_t rows[ROWS][WAYS]; /* under lock; the latest first */
};

struct recent_ids *recent_new(void)
{
	struct recent_ids *r = calloc(1, sizeof *r);
	CHECK(r);
	pthread_mutex_init(&r->lock, NULL);
	randombytes_buf(&r->key, sizeof r->key);
	return r;
}

bool recent_add(struct recent_ids *r, struct str id)
{
	uint64_t h = hash_keyed64(&r->key, id.p, id.n) | 1, *row = r->rows[h / 2 % ROWS];
	bool there = false;
	pthread_mutex_lock(&r->lock);
	for (int i = 0; i < WAYS; i++)
		there |= row[i] == h;
	if (!there) {
		memmove(row + 1, row, (WAYS - 1) * sizeof *row);
		row[0] = h;
	}
	pthread_mutex_unlock(&r->lock);
	return !there;
}

void recent_clear(struct recent_ids *r)
{
	pthread_mutex_lock(&r->lock);
	memset(r->rows, 0, sizeof r->rows);
	pthread_mutex_unlock(&r->lock);
}

void recent_free(struct recent_ids *r)
{
	if (!r)
		return;
	pthread_mutex_destroy(&r->lock);
	free(r);
}
