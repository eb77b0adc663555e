// SPDX-License-Identifier: GPL-2.0-only
/*
 * Allocation bitmaps.  Searches go by 64 bits, changes by bytes; a change is
 * checked as a whole before its first bit is touched.
 */
#include "bitmap.h"

/* What a search looks at: the union of two maps, everything behind it in use */
struct view {
	const u8 *cur;
	const u8 *committed;
	u32 nbits;
};

static u64 load_word(const u8 *map, u32 byte, u32 bytes)
{
	u64 w = 0;
	u32 i;

	if (likely(bytes >= 8))
		return get_unaligned_le64(map + byte);
	for (i = 0; i < bytes; i++)
		w |= (u64)map[byte + i] << (8 * i);
	return w;
}

/* Bits 64 * @word and up, set where in use or behind the end */
static u64 busy_word(const struct view *v, u32 word)
{
	u32 left = v->nbits - word * 64;	/* callers: word * 64 < nbits */
	u32 bytes = (min_t(u32, left, 64) + 7) / 8;
	u64 w = load_word(v->cur, word * 8, bytes);

	if (v->committed)
		w |= load_word(v->committed, word * 8, bytes);
	if (left < 64)
		w |= ~0ULL << left;
	return w;
}

/* First bit >= @from that is in use (@busy) or free (!@busy); nbits if none */
static u32 next_bit(const struct view *v, u32 from, bool busy)
{
	u64 flip = busy ? 0 : ~0ULL;
	u64 mask = ~0ULL << (from & 63);
	u32 word;
	u64 w;

	for (word = from / 64; word * 64 < v->nbits; word++, mask = ~0ULL) {
		w = (busy_word(v, word) ^ flip) & mask;
		if (w)
			return min_t(u32, word * 64 + (u32)__ffs64(w), v->nbits);
	}
	return v->nbits;
}

/*
 * Best run that begins in [from, to): the first of @want bits, else the longest.
 * Return: true when it has @want bits and the search may end.
 */
static bool best_run(const struct view *v, u32 from, u32 to, u32 want, u32 *start,
		     u32 *len)
{
	u32 pos, end;

	for (pos = next_bit(v, from, false); pos < to; pos = next_bit(v, end, false)) {
		end = next_bit(v, pos, true);
		if (end - pos > *len) {
			*start = pos;
			*len = min_t(u32, end - pos, want);
		}
		if (*len == want)
			return true;
	}
	return false;
}

bool cohfs_bitmap_find(const u8 *cur, const u8 *committed, u32 nbits, u32 goal,
		       u32 want, u32 *start, u32 *len)
{
	const struct view v = { cur, committed, nbits };

	*len = 0;
	*start = 0;
	if (!nbits || !want)
		return false;
	if (goal >= nbits)
		goal = 0;
	if (next_bit(&v, goal, false) == goal) {
		*start = goal;
		*len = min_t(u32, next_bit(&v, goal, true) - goal, want);
		return true;
	}
	if (!best_run(&v, goal, nbits, want, start, len))
		best_run(&v, 0, goal, want, start, len);
	return *len > 0;
}

/* Mask of the bits of byte @byte that lie in [start, end) */
static u8 byte_mask(u32 byte, u32 start, u32 end)
{
	u32 lo = start > byte * 8 ? start - byte * 8 : 0;
	u32 hi = min_t(u32, end - byte * 8, 8);

	return (u8)((0xffu << lo) & (0xffu >> (8 - hi)));
}

static bool run_is(const u8 *map, u32 start, u32 end, bool set)
{
	u32 byte;
	u8 mask;

	for (byte = start / 8; byte * 8 < end; byte++) {
		mask = byte_mask(byte, start, end);
		if ((map[byte] & mask) != (set ? mask : 0))
			return false;
	}
	return true;
}

static int change_run(u8 *map, u32 nbits, u32 start, u32 len, bool set)
{
	u32 end = start + len;
	u32 byte;

	if (start > nbits || len > nbits - start)
		return -EFSCORRUPTED;
	if (!run_is(map, start, end, !set))
		return -EFSCORRUPTED;
	for (byte = start / 8; byte * 8 < end; byte++) {
		if (set)
			map[byte] |= byte_mask(byte, start, end);
		else
			map[byte] &= (u8)~byte_mask(byte, start, end);
	}
	return 0;
}

int cohfs_bitmap_set(u8 *map, u32 nbits, u32 start, u32 len)
{
	return change_run(map, nbits, start, len, true);
}

int cohfs_bitmap_clear(u8 *map, u32 nbits, u32 start, u32 len)
{
	return change_run(map, nbits, start, len, false);
}

u32 cohfs_bitmap_free(const u8 *cur, const u8 *committed, u32 nbits)
{
	const struct view v = { cur, committed, nbits };
	u32 free = 0;
	u32 word;

	for (word = 0; word * 64 < nbits; word++)
		free += 64 - (u32)hweight64(busy_word(&v, word));
	return free;
}
