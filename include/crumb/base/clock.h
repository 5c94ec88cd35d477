/* Time: UTC wall clock, which tests can move, and a monotonic clock, which nobody can.
 *
 * Days and hours count from 1970-01-01 UTC. A day fits 16 bits until 2149. All functions are for any thread.
 *
 * A jump: wall time moved against boot time by more than an hour within one run. While one is unconfirmed, nothing is
 * deleted and no key is destroyed. A clock moved by tests is not a jump; time during which the machine was off is not either. */
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

bool clock_jumped(void);  /* looks at both clocks; true until clock_confirm() */
void clock_confirm(void); /* an operator said that the clock is right */

static inline uint16_t day_of(uint32_t t)
{
	return (uint16_t)(t / DAY_S);
}
static inline uint32_t hour_of(uint32_t t)
{
	return t / 3600;
}
#define DAY_TEXT 11
void day_text(uint16_t day, char out[DAY_TEXT]); /* YYYY-MM-DD */
bool day_parse(const char *text, size_t n, uint16_t *day);
bool time_parse_rfc3339(const char *text, size_t n, int64_t *t); /* seconds; fractions are cut */

#endif
