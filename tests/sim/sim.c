/* A simulation of a node over months: collect, fold, sweep, nights, rules, erasures, deliveries, in one process and one thread, with the journal in
 * memory. A seed chooses everything that happens: each step's act, when the clock moves, which write fails, when the machine dies. Whenever the machine
 * is well again the model is asked whether all is as it should be.
 *
 *     sim SEED [EVENTS]        SIM_SHOW=1: each step is printed; SIM_WATCH=7: what the partner hears of person 7
 *
 * The last line has a sum of everything that happened: the same seed has the same one. */
#include "sim.h"

#include "crumb/base/clock.h"
#include "crumb/base/log.h"
#include "crumb/base/memory.h"

#include <errno.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static struct sim sim;
static bool show;

void sim_trace(struct sim *s, const char *what, uint64_t a, uint64_t b)
{
	char text[100];
	int n = snprintf(text, sizeof text, "%s %llu %llu;", what, (unsigned long long)a, (unsigned long long)b);
	for (int i = 0; i < n; i++)
		s->trace = (s->trace ^ (uint8_t)text[i]) * 0x100000001b3u; /* FNV-1a */
	if (show)
		printf("step %llu day %u %s\n", (unsigned long long)s->step, day_of(clock_now()), text);
}

void sim_failed(const struct sim *s, const char *fmt, ...)
{
	const char *commit = getenv("SIM_COMMIT");
	va_list ap;
	printf("FAILED seed=%llu step=%llu commit=%s: ", (unsigned long long)s->seed, (unsigned long long)s->step, commit ? commit : "unknown");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\nagain: make sim SEED=%llu EVENTS=%llu\nthe store is in %s\n", (unsigned long long)s->seed, (unsigned long long)s->events, s->folder);
	exit(1);
}

static void leave(void)
{
	if (world_dead() && sim.open)
		keeper_leave(sim.keeper);
}

/* --- what can happen in a step */

static void do_hits(struct sim *s)
{
	life_hits(s, 1 + world_below(world_one_in(3) ? s->burst : s->burst / 8 + 1));
}

static void do_turn(struct sim *s)
{
	if (world_one_in(2))
		node_hurry(&s->node);
	node_tick(&s->node);
	(void)node_turn(&s->node);
}

static void do_seconds(struct sim *s)
{
	world_forward(1 + world_below(120));
	do_turn(s);
}

/* Does something wait for its day, or for the views? For as long as it can: hours do not go by meanwhile. */
static bool waits(struct sim *s)
{
	node_hurry(&s->node);
	(void)node_turn(&s->node);
	return journal_unpublished(s->node.store->journal) > 0;
}

static void do_hours(struct sim *s)
{
	if (waits(s))
		return;
	world_forward(3600 * (int64_t)(1 + world_below(30)));
	do_turn(s);
}

static void do_days(struct sim *s)
{
	if (waits(s))
		return;
	world_forward((int64_t)DAY_S * (1 + world_below(8)) + world_below(7200));
	do_turn(s);
}

static void do_set_back(struct sim *s)
{
	int64_t by = 1 + world_below(300);
	if (s->set_back + by > 3000) /* all together less than what is taken for a jump */
		return;
	if (clock_now() % DAY_S < by) /* what is said of a day that lies ahead hangs on when somebody was folded */
		return;
	s->set_back += by;
	world_set_back(by);
}

static void do_erase(struct sim *s)
{
	life_erase(s);
}

static void do_reload(struct sim *s)
{
	life_reload(s);
}

static void do_night(struct sim *s)
{
	if (!node_settled(&s->node))
		do_turn(s);
	enum err e = keeper_round(s->keeper);
	s->nights++;
	sim_trace(s, "night", e, 0);
}

static void do_deliver(struct sim *s)
{
	enum delivery_state state;
	(void)!partner_deliver(s, world_one_in(4), &state);
}

static void do_fault(struct sim *s)
{
	static const int errors[] = {EIO, ENOSPC, EDQUOT};
	world_fail_in((long)world_below(300), 1 + (long)world_below(world_one_in(2) ? 3 : 30), errors[world_below(3)]);
	world_journal_fails(world_one_in(2));
	s->faults++;
	s->shaky = true;
}

static void do_kill(struct sim *s)
{
	s->shaky = true;
	world_kill_in((long)world_below(world_one_in(2) ? 40 : 2000));
}

static void be_well(struct sim *s)
{
	if (world_dead())
		life_again(s);
	world_calm();
	s->shaky = false;
	life_settle(s);
}

/* The nightly work of a machine that is well gets done: at once, or when what failed before is tried again. */
static void whole_night(struct sim *s)
{
	enum err e = keeper_round(s->keeper);
	for (int i = 0; i < 5 && e; i++) {
		world_forward(61);
		life_settle(s);
		e = keeper_round(s->keeper);
	}
	if (e)
		sim_failed(s, "the nightly work of a machine that is well: %s", err_text());
	life_settle(s);
}

static void do_check(struct sim *s)
{
	bool deeply = world_one_in(8);
	be_well(s);
	if (deeply)
		whole_night(s);
	check_all(s, deeply);
}

static const struct {
	const char *name;
	void (*act)(struct sim *s);
	unsigned weight;
} acts[] = {{"hits", do_hits, 700}, {"turn", do_turn, 100}, {"seconds", do_seconds, 80}, {"hours", do_hours, 24}, {"days", do_days, 5},
    {"set back", do_set_back, 4}, {"erase", do_erase, 40}, {"reload", do_reload, 3}, {"night", do_night, 5}, {"deliver", do_deliver, 10},
    {"fault", do_fault, 12}, {"kill", do_kill, 10}, {"check", do_check, 14}};
#define ACTS (sizeof acts / sizeof *acts)

static void step(struct sim *s)
{
	unsigned sum = 0, at = 0;
	for (size_t i = 0; i < ACTS; i++)
		sum += acts[i].weight;
	for (unsigned left = world_below(sum); left >= acts[at].weight; at++)
		left -= acts[at].weight;
	s->step++;
	sim_trace(s, acts[at].name, clock_now(), world_operations());
	memory_begin();
	acts[at].act(s);
	if (world_dead()) {
		sim_trace(s, "dead", world_operations(), 0);
		life_again(s);
	}
}

/* --- */

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	(void)st, (void)kind, (void)where;
	return remove(path);
}

static double seconds(void)
{
	struct timespec t;
	syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void make_folder(struct sim *s)
{
	const char *where = getenv("SIM_FOLDER");
	snprintf(s->folder, sizeof s->folder, "%s/crumb-sim.XXXXXX", where ? where : access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	CHECK(mkdtemp(s->folder) && chdir(s->folder) == 0); /* names are relative: what happens does not depend on where it does */
}

/* Hits that come at once, at most: much happens between few, or little between many. Where many are asked for more come at once, so that the steps, and
 * with them the checks, stay below some thousands: a long time is had by many seeds. */
static unsigned burst_of(uint64_t seed, uint64_t events)
{
	static const unsigned bursts[] = {30, HITS_MOST, 200};
	unsigned own = bursts[seed % 3];
	uint64_t least = events / 500;
	return least < own ? own : least < HITS_MOST ? (unsigned)least : HITS_MOST;
}

int main(int argc, char **argv)
{
	struct sim *s = &sim;
	double from = seconds();
	if (argc < 2) {
		printf("sim SEED [EVENTS]\n");
		return 2;
	}
	show = getenv("SIM_SHOW") != NULL;
	const char *watch = getenv("SIM_WATCH");
	s->watched = watch ? (uint32_t)strtoul(watch, NULL, 10) + 1 : 0;
	s->seed = strtoull(argv[1], NULL, 10);
	s->events = argc > 2 ? strtoull(argv[2], NULL, 10) : 1000000;
	s->burst = burst_of(s->seed, s->events);
	world_begin(s->seed);
	CHECK(sodium_init() >= 0);
	setvbuf(stdout, NULL, _IOLBF, 0);
	log_threshold(getenv("SIM_LOG") ? LOG_DEBUG : LOG_ERROR + 1);
	world_slept = leave;
	make_folder(s);
	life_begin(s);
	while (s->hits < s->events)
		step(s);
	be_well(s);
	whole_night(s);
	check_all(s, true);
	double took = seconds() - from;
	printf("ok seed=%llu events=%llu answered=%llu steps=%llu days=%u people=%zu kills=%llu faults=%llu reloads=%llu nights=%llu erasures=%llu deliveries=%llu "
	       "checks=%llu trace=%016llx seconds=%.1f\n",
	    (unsigned long long)s->seed, (unsigned long long)s->hits, (unsigned long long)s->answered, (unsigned long long)s->step,
	    day_of(clock_now()) - day_of(SIM_STARTS), s->model.n, (unsigned long long)s->kills, (unsigned long long)s->faults,
	    (unsigned long long)s->reloads, (unsigned long long)s->nights, (unsigned long long)s->erasures, (unsigned long long)s->deliveries,
	    (unsigned long long)s->checks, (unsigned long long)s->trace, took);
	life_end(s);
	journal_memory_free(s->medium);
	batch_done(&s->batch);
	model_done(&s->model);
	free(s->partner.rows);
	config_done(&s->config);
	return nftw(s->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
