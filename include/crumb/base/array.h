/* Growing arrays: a pointer, how many items are in it, and for how many it has room, side by side
 * in the struct of whoever owns it.
 *
 *	struct hen *hens;          all zero: an empty array; free(hens) is its end
 *	size_t hens_n, hens_cap;
 *
 *	if (!array_room(hens, hens_cap, hens_n + 1))
 *		return err_set(ERR_NOMEM, "no memory");
 *	hens[hens_n++] = hen;
 *
 * An array that has to grow has twice the room afterwards, and at least 256 bytes. So an array of
 * 1,000 items of 16 bytes that is filled one by one grows at 1, 17, 33, 65, 129, 257 and 513 items,
 * to room for 1,024, and 1,008 items are moved in all. Whatever the number, an item is moved at
 *most twice on average, and beyond the first 256 bytes at most half of the room is unused.
 *
 * Items move: keep numbers of items, not pointers to items. Without memory the array is as it was,
 * nothing of it is lost, and base/memory.h hears of the shortage. A number of items whose bytes no
 * size_t can hold counts as memory that is not there. One thread at a time for each array. */
#ifndef CRUMB_BASE_ARRAY_H
#define CRUMB_BASE_ARRAY_H

#include "crumb/base/err.h"

#include <stdbool.h>
#include <stddef.h>

/* What the macros below call. `array` is the address of the pointer, `size` the bytes of an item.
 */
bool array_grow(void *array, size_t *cap, size_t want, size_t size) MUST_CHECK;
bool array_grow_zeroed(void *array, size_t *cap, size_t want, size_t size) MUST_CHECK;

/* Room for `want` items in all; what is new is not initialised. False: there is no memory. */
#define array_room(array, cap, want)                                                               \
	((want) <= (cap) || array_grow(&(array), &(cap), want, sizeof *(array)))
/* The same; every byte of what is new is zero. */
#define array_room_zeroed(array, cap, want)                                                        \
	((want) <= (cap) || array_grow_zeroed(&(array), &(cap), want, sizeof *(array)))

#endif
