/* Time: UTC wall clock, which tests can move, and a monotonic clock, which nobody can.
 *
 * Days and hours count from 1970-01-01 UTC. A day fits 16 bits until 2149. All functions are for
 * any thread. Offset, jumps, doubts and the floor are those of the thread's ambient
 * (base/ambient.h): each node of a program has its own.
 *
 * A jump: wall time moved against boot time by more than an hour within one run. While one is
 * unconfirmed, nothing is deleted and no key is destroyed. A clock moved by tests is not a jump;
 * time during which the machine was off is not either, unless it was so long that nobody can tell
 * it from a wrong clock (node/time.c): then the clock is in doubt, which counts as a jump.
 *
 * The floor is the earliest time that it can be. While the clock says less, nothing is recorded. */
#ifndef CRUMB_BASE_CLOCK_H
#define CRUMB_BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DAY_S 86400

uint32_t clock_now(void);	  /* seconds, UTC, moved by the offset */
uint64_t clock_mono_us(void);	  /* microseconds since some start, never moved */
int64_t clock_offset(void);	  /* seconds by which tests moved the clock */
void clock_set_offset(int64_t s); /* only ever forward, by --test-clock */

/* Looks at both clocks. True until clock_confirm(), and while there is a doubt. */
bool clock_jumped(void);
void clock_confirm(void); /* an operator said that the clock is right */
void clock_doubt(void);	  /* until clock_believe() */
void clock_believe(void); /* the doubt is over; a jump is not */

#define CLOCK_LEAST 1577836800u /* 2020-01-01: a clock that says less was not set */
uint32_t clock_floor(void);
void clock_set_floor(uint32_t t); /* CLOCK_LEAST at first, and at least */
/* The time by which views are made: clock_now(), but a day after the floor when the clock says
 * less than the floor, so that nothing recorded lies ahead. */
uint32_t clock_views(void);

static inline uint16_t day_of(uint32_t t)
{
	return (uint16_t)(t / DAY_S);
}
static inline uint32_t hour_of(uint32_t t)
{
	return t / 3600;
}
#define TIME_TEXT 21
/* YYYY-MM-DDTHH:MM:SSZ (RFC 3339), UTC. A time outside the years 0 to 9999 is written as the
 * nearest one inside. */
void time_text(int64_t t, char out[TIME_TEXT]);
#define DAY_TEXT 11
void day_text(uint16_t day, char out[DAY_TEXT]); /* YYYY-MM-DD */
bool day_parse(const char *text, size_t n, uint16_t *day);
/* Seconds since 1970 of a time by RFC 3339 and what is written for one: T, t or a blank between;
 * fractions, which are cut; second 60 is the next one; seconds may be missing; Z, z, +01:00, +0100,
 * +01; without a zone UTC. A date alone is its first second. */
bool time_parse_rfc3339(const char *text, size_t n, int64_t *t);

#endif
