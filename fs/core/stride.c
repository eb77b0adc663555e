// SPDX-License-Identifier: GPL-2.0-only
/* Records of one length at one distance. */
#include "stride.h"

#define SEEN_MIN 2

void cohfs_stride_note(struct cohfs_stride *st, u64 first, u64 len)
{
	u64 step = len == st->len && first > st->first ? first - st->first : 0;

	if (first == st->first && len == st->len)
		return;		/* another try */
	if (step != st->step)
		st->seen = 0;
	else if (st->seen < U32_MAX)
		st->seen++;
	st->first = first;
	st->len = len;
	st->step = step;
}

u64 cohfs_stride_expect(const struct cohfs_stride *st, u64 most)
{
	u64 seen = st->seen, fit;

	if (st->step <= st->len || seen < SEEN_MIN)
		return 0;
	fit = most / st->len;
	return seen < fit ? seen : fit;
}
