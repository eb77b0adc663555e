// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every mutation marked MUTANT() must turn the host tests red, see dlm_glue/core/fsm.c
 * and tests/host/range.mk; in the module there are none.
 */
#include "rangetree.h"
#include "../../dlm_glue/core/mode.h"

#ifndef COHFS_MUTATE
#define COHFS_MUTATE	0
#endif
#define MUTANT(n)	(COHFS_MUTATE == (n))

/* pages of a node of each level, as a power of two; the file has all there are */
static unsigned int shift_of(enum cohfs_rt_level level)
{
	return level == COHFS_RT_REGION ? COHFS_RT_REGION_SHIFT : 0;
}

u64 cohfs_rt_index(enum cohfs_rt_level level, u64 page)
{
	return level == COHFS_RT_FILE ? 0 : page >> shift_of(level);
}

u64 cohfs_rt_first(enum cohfs_rt_level level, u64 index)
{
	return level == COHFS_RT_FILE ? 0 : index << shift_of(level);
}

u64 cohfs_rt_last(enum cohfs_rt_level level, u64 index)
{
	if (level == COHFS_RT_FILE)
		return COHFS_RT_END;
	return (index << shift_of(level)) +
	       ((1ull << shift_of(level)) - (MUTANT(101) ? 2 : 1));
}

enum cohfs_rt_ask cohfs_rt_ask(enum cohfs_rt_level level, u64 index,
			       enum cohfs_mode granted, bool shared, u64 first,
			       u64 last, enum cohfs_mode mode)
{
	if (level == COHFS_RT_PAGE)
		return COHFS_RT_ASK_WHOLE;
	if (level == COHFS_RT_FILE &&
	    (last >> COHFS_RT_REGION_SHIFT) - (first >> COHFS_RT_REGION_SHIFT) >=
	    COHFS_RT_MANY_REGIONS)
		return COHFS_RT_ASK_WHOLE;
	if (first <= cohfs_rt_first(level, index) &&
	    last >= cohfs_rt_last(level, index) && !MUTANT(102))
		return COHFS_RT_ASK_WHOLE;
	/* an intent says that somebody was met and may still be there: see climb */
	if ((shared && !MUTANT(103)) || granted == COHFS_CR || granted == COHFS_CW)
		return COHFS_RT_ASK_PART;
	return COHFS_RT_ASK_TRY;
}

bool cohfs_rt_keep_add(struct cohfs_rt_keep *keep, unsigned int *nr, unsigned int max,
		       u64 index, enum cohfs_mode mode)
{
	unsigned int i = *nr;

	while (i && keep[i - 1].index > index)
		i--;
	if (i && keep[i - 1].index == index && !MUTANT(104)) {
		keep[i - 1].mode = MUTANT(105) ? mode : cohfs_mode_join(keep[i - 1].mode, mode);
		return true;
	}
	if (*nr == max)
		return false;
	memmove(&keep[i + 1], &keep[i], (*nr - i) * sizeof(*keep));
	keep[i].index = index;
	keep[i].mode = mode;
	(*nr)++;
	return true;
}

bool cohfs_rt_gap(enum cohfs_rt_level level, const struct cohfs_rt_keep *keep,
		  unsigned int nr, u64 from, u64 last, u64 *first, u64 *end)
{
	unsigned int i;

	*first = from;
	*end = last;
	for (i = 0; i < nr && *first <= last; i++) {
		u64 kept_first = cohfs_rt_first(level, keep[i].index);
		u64 kept_last = cohfs_rt_last(level, keep[i].index);

		if ((keep[i].mode == COHFS_NL && !MUTANT(106)) || kept_last < *first)
			continue;
		if (kept_first > *first) {
			*end = min(last, kept_first - (MUTANT(107) ? 0 : 1));
			break;
		}
		if (kept_last >= last && !MUTANT(108))
			return false;
		*first = kept_last + 1;
	}
	return *first <= last && (!MUTANT(109) || *first == from);
}

void cohfs_rt_climb_met(struct cohfs_rt_climb *climb, u64 now, u64 least)
{
	climb->wait = least;
	climb->next = now + least;
}

bool cohfs_rt_climb_due(const struct cohfs_rt_climb *climb, u64 now)
{
	return now >= climb->next;
}

void cohfs_rt_climb_failed(struct cohfs_rt_climb *climb, u64 now, u64 most)
{
	climb->wait = min(climb->wait ? (MUTANT(110) ? 1 : 2) * climb->wait : 1, most);
	climb->next = now + climb->wait;
}
