/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Allocation bitmaps: bit n of a group = bit (n & 7) of byte n / 8, set = in use.
 * Pure code.  Maps need no alignment; at most @nbits / 8 rounded up bytes are read.
 */
#ifndef _COHFS_CORE_BITMAP_H
#define _COHFS_CORE_BITMAP_H

#include <cohfs/types.h>

/**
 * cohfs_bitmap_find() - find free blocks near a goal
 * @cur: current state
 * @committed: state as of the last commit, or NULL; a block counts as free only if
 *	it is free in both (so that a freed block is not reused before its freeing
 *	is durable)
 * @nbits: bits in the map
 * @goal: preferred start; any value
 * @want: wanted length, >= 1
 * @start, @len: result, 1 <= *len <= @want
 *
 * A free goal wins whatever its run's length (an extent that continues its file
 * is worth more than a long one elsewhere).  Else the first run of @want bits
 * after the goal, then before it, else the longest run there is.
 * Return: false if no bit is free.
 */
bool cohfs_bitmap_find(const u8 *cur, const u8 *committed, u32 nbits, u32 goal,
		       u32 want, u32 *start, u32 *len);

/**
 * cohfs_bitmap_set() - mark @len bits from @start in use
 * Return: 0; -EFSCORRUPTED, nothing changed: a bit was set already, or the run
 * ends behind @nbits.
 */
int __must_check cohfs_bitmap_set(u8 *map, u32 nbits, u32 start, u32 len);

/**
 * cohfs_bitmap_clear() - mark @len bits from @start free
 * Return: 0; -EFSCORRUPTED, nothing changed: a bit was clear already (freed
 * twice), or the run ends behind @nbits.
 */
int __must_check cohfs_bitmap_clear(u8 *map, u32 nbits, u32 start, u32 len);

/** cohfs_bitmap_free() - clear bits among the first @nbits, in both maps */
u32 cohfs_bitmap_free(const u8 *cur, const u8 *committed, u32 nbits);

#endif /* _COHFS_CORE_BITMAP_H */
