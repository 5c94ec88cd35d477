/* Of a comparison of invented rules with what serves: which groups are told about, as questions
 * that are remembered.
 *
 * The danger is that of remembered.c: whoever may compare any rules may ask for any group. "coats"
 * against "coats and not (coats and boots in 1d)" says who leaves, and again with one visitor more.
 * So for a segment that changes, three groups are asked about, each with the number of what is
 * near:
 *
 *     enter     leave     after = stay + enter
 *
 * Its size before is that of the lists, and who stays is the difference of what is told, so these
 * two tell nothing more.
 *
 * What a thread counts, behind the numbers of moves.c, with S segments before:
 *
 *     [0] visitors   [1 … S] their sizes   then for each move and group: members of each segment */
#include "asking.h"

#include <stdlib.h>
#include <string.h>

/* Does the segment's own condition read differently, or is it new or gone? */
static bool reads_differently(
    const struct move *m, const struct rules *old, const struct rules *fresh)
{
	return m->was < 0 || m->will < 0 ||
	       strcmp(old->segments[m->was].when, fresh->segments[m->will].when) != 0;
}

static void choose(struct move_groups *m, const struct rules *old, const struct rules *fresh,
    struct move *moves, size_t n)
{
	for (int own = 1; own >= 0; own--)
		for (size_t i = 0; i < n; i++) {
			if (moves[i].same || reads_differently(&moves[i], old, fresh) != own)
				continue;
			moves[i].uncounted = m->asked == ASK_DIFF_MOST;
			if (!moves[i].uncounted)
				m->move[m->asked++] = i;
		}
}

enum err move_groups_begin(struct move_groups *m, const struct ask_side *before,
    const struct ask_side *after, struct move *moves, size_t n, uint32_t now)
{
	struct generation *g = before->generation;
	size_t segments = before->rules->segments_n;
	bool fine = true;
	m->before = before;
	m->moves = moves;
	choose(m, before->rules, after->rules, moves, n);
	for (size_t i = 0; i < m->asked; i++)
		for (int group = 0; group < GROUPS; group++) {
			struct sizing *s = &m->of[i][group];
			*s = (struct sizing){.g = g,
			    .rules = before->rules,
			    .root = -1, /* they are no condition */
			    .now = now,
			    .segments = segments};
			s->sets = calloc(g->shards, sizeof *s->sets);
			fine = fine && s->sets;
		}
	m->sums = 1 + segments + m->asked * GROUPS * segments;
	return fine ? OK : err_set(ERR_NOMEM, "no memory for this now");
}

void move_groups_count(struct move_groups *m, unsigned shard, const uint8_t *was,
    const uint8_t *will, bool known, uint32_t ordinal, uint64_t *sums)
{
	size_t segments = m->before->rules->segments_n;
	if (!known)
		return;
	sums[0]++;
	for (size_t i = 0; i < segments; i++)
		sums[1 + i] += was[i];
	for (size_t i = 0; i < m->asked; i++) {
		const struct move *move = &m->moves[m->move[i]];
		bool a = move->was >= 0 && was[move->was], b = move->will >= 0 && will[move->will];
		const bool in[GROUPS] = {
		    [GROUP_ENTER] = !a && b, [GROUP_LEAVE] = a && !b, [GROUP_AFTER] = b};
		for (size_t group = 0; group < GROUPS; group++) {
			uint64_t *both = sums + 1 + segments + (i * GROUPS + group) * segments;
			if (!in[group])
				continue;
			set_add(&m->of[i][group].sets[shard], ordinal);
			for (size_t k = 0; k < segments; k++)
				both[k] += was[k];
		}
	}
}

/* One group's number. What it needs to know of segments is laid out as ask.c does. */
static enum err tell_group(struct sizing *s, uint64_t size, const uint64_t *sums,
    const uint64_t *both, const struct kgate *gate, struct ask_memory *memory, struct shown *out)
{
	bool refused;
	s->sum = calloc(2 + 2 * s->segments, sizeof *s->sum);
	if (!s->sum)
		return err_set(ERR_NOMEM, "no memory for this now");
	s->sum[0] = sums[0];
	s->sum[1] = size;
	for (size_t i = 0; i < s->segments; i++) {
		s->sum[2 + 2 * i] = sums[1 + i];
		s->sum[3 + 2 * i] = both[i];
	}
	*out = ask_nearest(s, gate, memory, &refused);
	free(s->sum);
	s->sum = NULL;
	if (refused)
		return err_set(ERR_BUSY,
		    "too many different questions were asked in the last day: "
		    "more would tell about single visitors; ask again tomorrow");
	return OK;
}

enum err move_groups_tell(struct move_groups *m, size_t i, const struct kgate *gate,
    struct ask_memory *memory, const uint64_t *moved, const uint64_t *sums, struct move *out)
{
	const struct rules *old = m->before->rules;
	size_t segments = old->segments_n;
	const uint64_t *both = sums + 1 + segments + i * GROUPS * segments;
	enum err e =
	    tell_group(&m->of[i][GROUP_ENTER], moved[0], sums, both, gate, memory, &out->enter);
	if (!e)
		e = tell_group(&m->of[i][GROUP_LEAVE], moved[2], sums, both + segments, gate,
		    memory, &out->leave);
	if (!e)
		e = tell_group(&m->of[i][GROUP_AFTER], moved[0] + moved[1], sums,
		    both + 2 * segments, gate, memory, &out->after);
	if (!e && out->was >= 0)
		out->before =
		    kgate_show_group(gate, 's', old->segments[out->was].id, moved[1] + moved[2]);
	uint64_t left = out->leave.told ? out->leave.n : 0;
	if (out->before.told)
		out->stay = kgate_show(gate, out->before.n > left ? out->before.n - left : 0);
	return e;
}

void move_groups_end(struct move_groups *m)
{
	for (size_t i = 0; i < m->asked; i++)
		for (int group = 0; group < GROUPS; group++)
			sets_free(m->of[i][group].sets, m->before->generation->shards);
}
