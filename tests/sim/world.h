/* The world of a simulation: its clock, its chance and its disk, all in the hand of one seed. One thread.
 *
 * The clock stands still but for what moves it: each look takes a microsecond, a sleep takes its time at once. Chance of the program's own (keys,
 * nonces, cookies) comes from the seed, too. The disk is a real folder, best in memory: syncs are counted and not made. Every call that changes it is
 * an operation; so is every act of the journal's memory. An operation can fail (a write may be there all the same), and it can be the last one: then the machine is dead, nothing changes
 * the disk or the memory any more, and whoever is running hears of errors until world_revive(). */
#ifndef CRUMB_SIM_WORLD_H
#define CRUMB_SIM_WORLD_H

#include "crumb/journal/in_memory.h"

#define SIM_STARTS 1768003200u /* 2026-01-10 */

void world_begin(uint64_t seed); /* before libsodium */

/* Chance of the simulation, apart from the program's. */
uint64_t world_any(void);
uint32_t world_below(uint32_t n); /* 0 … n - 1 */
bool world_one_in(uint32_t n);

void world_forward(int64_t s);	 /* time goes by */
void world_set_back(int64_t s);	 /* somebody sets the wall clock */
extern void (*world_slept)(void); /* called for each sleep of the program */

void world_fail_in(long operations, long times, int error); /* so many fail, with errno */
void world_kill_in(long operations);
void world_calm(void); /* nothing of both */
bool world_dead(void);
void world_revive(void);
uint64_t world_operations(void);

enum memory_fate world_fate(void *journal_acts, enum memory_act act); /* for journal_memory_fate() */
void world_journal_fails(bool fails); /* commits fail, are torn, or take minutes */

#endif
