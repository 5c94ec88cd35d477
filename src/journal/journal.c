/* Hands calls on to the kind of journal that is open. */
#include "kind.h"

enum err journal_open(const struct journal_place *p, struct journal **out)
{
	if (p->memory)
		return memory_open(p, out);
	return p->log ? kafka_open(p, out) : local_open(p, out);
}

void journal_close(struct journal *j)
{
	if (j)
		j->kind->close(j);
}

/* --- what is asked often */

unsigned journal_control(const struct journal *j)
{
	return j->lanes - 1;
}

struct journal_pos journal_committed(const struct journal *j, unsigned shard)
{
	return (struct journal_pos){atomic_load(&j->committed[shard])};
}

struct journal_pos journal_last(const struct journal *j, unsigned shard)
{
	return (struct journal_pos){atomic_load(&j->last[shard])};
}

struct journal_pos journal_resolve(const struct journal *j, unsigned lane, struct journal_pos at)
{
	return j->kind->resolve ? j->kind->resolve(j, lane, at) : at;
}

/* --- what comes from outside */

enum err journal_follow(struct journal *j, void (*arrived)(void *arg), void *arg)
{
	return j->kind->follow ? j->kind->follow(j, arrived, arg) : OK;
}

void journal_unfollow(struct journal *j)
{
	if (j->kind->unfollow)
		j->kind->unfollow(j);
}

size_t journal_arrived(struct journal *j)
{
	return j->kind->arrived ? j->kind->arrived(j) : 0;
}

/* --- writing */

enum err journal_commit(
    struct journal *j, struct journal_block *blocks, size_t n, const uint8_t rules_hash[16])
{
	return j->kind->commit(j, blocks, n, rules_hash);
}

enum err journal_publish(struct journal *j)
{
	return j->kind->publish(j);
}

enum err journal_try(struct journal *j, uint16_t day)
{
	return j->kind->try(j, day);
}

size_t journal_unpublished(const struct journal *j)
{
	return j->kind->unpublished(j);
}

enum err journal_swap(struct journal *j, struct journal_cleaned *c)
{
	return j->kind->swap(j, c);
}

void journal_discard(struct journal *j, struct journal_cleaned *c)
{
	j->kind->discard(j, c);
}

void journal_wipe_log(struct journal *j)
{
	j->kind->wipe_log(j);
}

void journal_expire(struct journal *j, uint16_t oldest)
{
	j->kind->expire(j, oldest);
}

void journal_floor(struct journal *j, unsigned shard, struct journal_pos seen)
{
	j->kind->floor(j, shard, seen);
}

/* --- reading */

enum err journal_clean(struct journal *j, uint16_t day, bool (*drop)(void *, const struct vkey *),
    void *arg, const _Atomic bool *stop, struct journal_cleaned **out, uint64_t *dropped)
{
	return j->kind->clean(j, day, drop, arg, stop, out, dropped);
}

unsigned journal_days(struct journal *j, uint16_t *out, unsigned cap)
{
	return j->kind->days(j, out, cap);
}

uint16_t journal_oldest_day(struct journal *j)
{
	uint16_t days[JOURNAL_DAYS_MAX], oldest = 0;
	unsigned n = journal_days(j, days, JOURNAL_DAYS_MAX);
	for (unsigned i = 0; i < n; i++)
		if (!oldest || days[i] < oldest)
			oldest = days[i];
	return oldest;
}

enum err journal_count(
    struct journal *j, unsigned shard, struct journal_pos upto, uint64_t *records)
{
	return j->kind->count(j, shard, upto, records);
}

enum err journal_verify(struct journal *j, void (*problem)(void *, const char *), void *arg)
{
	return j->kind->verify(j, problem, arg);
}

enum err journal_read(
    struct journal *j, unsigned shard, struct journal_pos after, struct journal_reader **out)
{
	return j->kind->read(j, shard, after, out);
}

enum err journal_next(struct journal_reader *r, struct buf *records, struct journal_pos *pos,
    uint32_t *count, uint16_t *day)
{
	return r->of->kind->next(r, records, pos, count, day);
}

void journal_read_end(struct journal_reader *r)
{
	r->of->kind->read_end(r);
}

/* --- days that are files */

static enum err no_files(void)
{
	return err_set(ERR_USAGE, "this journal has no files");
}

enum err journal_copy(struct journal *j, uint16_t day, uint64_t moment, const char *folder)
{
	return j->kind->copy ? j->kind->copy(j, day, moment, folder) : no_files();
}

uint64_t journal_moment(struct journal *j)
{
	return j->kind->moment ? j->kind->moment(j) : 0;
}

enum err journal_cut(const struct journal *j, const char *folder, uint64_t moment)
{
	return j->kind->cut ? j->kind->cut(j, folder, moment) : no_files();
}

void journal_expect(struct journal *j, const uint16_t *days, unsigned n)
{
	if (j->kind->expect)
		j->kind->expect(j, days, n);
}
