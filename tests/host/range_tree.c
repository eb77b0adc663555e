// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the nodes of a range lock tree are, what is asked of them, what a split keeps.
 * Built with regions as they are; what depends on their size is written so that it
 * holds for any.
 */
#include "glue_check.h"
#include "../../fs/core/rangetree.h"
#include "../../dlm_glue/core/mode.h"

#define REGION		(1ull << COHFS_RT_REGION_SHIFT)
#define END_REGION	(COHFS_RT_END >> COHFS_RT_REGION_SHIFT)
#define MAX_FILE	(1ull << 51)	/* pages of the largest file there can be */

/* Geometry ------------------------------------------------------------------------- */

static const u64 borders[] = {
	0, 1, REGION - 1, REGION, REGION + 1, 2 * REGION - 1, 2 * REGION, U32_MAX,
	1ull << 32, MAX_FILE - 1, MAX_FILE, MAX_FILE + REGION, COHFS_RT_END - REGION,
	COHFS_RT_END - 1, COHFS_RT_END,
};

static void check_node_of(enum cohfs_rt_level level, u64 page)
{
	u64 index = cohfs_rt_index(level, page);
	u64 first = cohfs_rt_first(level, index);
	u64 last = cohfs_rt_last(level, index);

	check(first <= page && page <= last);
	check(cohfs_rt_index(level, first) == index);
	check(cohfs_rt_index(level, last) == index);
	if (first)
		check(cohfs_rt_last(level, index - 1) == first - 1);
	if (last != COHFS_RT_END)
		check(cohfs_rt_first(level, index + 1) == last + 1);
	else
		check(level == COHFS_RT_FILE || first > MAX_FILE);
}

static void test_geometry_at_borders(void)
{
	unsigned int i;
	int level;

	for (i = 0; i < ARRAY_SIZE(borders); i++)
		for (level = COHFS_RT_FILE; level < COHFS_NR_RT_LEVELS; level++)
			check_node_of(level, borders[i]);
}

static void test_geometry_of_levels(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(borders); i++) {
		u64 page = borders[i];

		check(cohfs_rt_index(COHFS_RT_FILE, page) == 0);
		check(cohfs_rt_index(COHFS_RT_REGION, page) == page / REGION);
		check(cohfs_rt_index(COHFS_RT_PAGE, page) == page);
		check(cohfs_rt_first(COHFS_RT_PAGE, page) == page);
		check(cohfs_rt_last(COHFS_RT_PAGE, page) == page);
	}
	check(cohfs_rt_first(COHFS_RT_FILE, 0) == 0);
	check(cohfs_rt_last(COHFS_RT_FILE, 0) == COHFS_RT_END);
	check(cohfs_rt_last(COHFS_RT_REGION, END_REGION) == COHFS_RT_END);
}

static void test_children_do_not_cross_parents(void)
{
	unsigned int i;

	for (i = 0; i < 2000; i++) {
		u64 page = ((u64)check_rand() << 32 | check_rand()) >> check_rand() % 64;
		u64 region = cohfs_rt_index(COHFS_RT_REGION, page);

		check_node_of(COHFS_RT_REGION, page);
		check(cohfs_rt_last(COHFS_RT_REGION, region) -
		      cohfs_rt_first(COHFS_RT_REGION, region) == REGION - 1);
	}
}

/* Modes ------------------------------------------------------------------------------ */

static void test_intents(void)
{
	check(cohfs_rt_intent(COHFS_PR) == COHFS_CR);
	check(cohfs_rt_intent(COHFS_EX) == COHFS_CW);
	/* who may write below has to let those see that read below, and each other */
	check(cohfs_mode_compat(COHFS_CW, COHFS_CW) && cohfs_mode_compat(COHFS_CW, COHFS_CR));
	check(!cohfs_rt_is_whole(COHFS_NL) && !cohfs_rt_is_whole(COHFS_CR) &&
	      !cohfs_rt_is_whole(COHFS_CW));
	check(cohfs_rt_is_whole(COHFS_PR) && cohfs_rt_is_whole(COHFS_PW) &&
	      cohfs_rt_is_whole(COHFS_EX));
}

/* What to ask for ---------------------------------------------------------------------- */

#define F	COHFS_RT_FILE
#define R	COHFS_RT_REGION
#define P	COHFS_RT_PAGE
#define MANY	(COHFS_RT_MANY_REGIONS * REGION)

static const struct ask_row {
	u8 level;
	u64 index;
	u8 granted;
	bool shared;
	u64 first, last;
	u8 answer;
} asks[] = {
	/* a page has no parts */
	{ P, 7, COHFS_NL, true, 7, 7, COHFS_RT_ASK_WHOLE },
	{ P, 7, COHFS_PR, false, 7, 7, COHFS_RT_ASK_WHOLE },
	/* nobody was met */
	{ F, 0, COHFS_NL, false, 0, 0, COHFS_RT_ASK_TRY },
	{ F, 0, COHFS_PR, false, 3, 9, COHFS_RT_ASK_TRY },
	{ R, 1, COHFS_NL, false, REGION, REGION, COHFS_RT_ASK_TRY },
	{ R, 1, COHFS_PR, false, REGION, REGION + 1, COHFS_RT_ASK_TRY },
	/* somebody was */
	{ F, 0, COHFS_NL, true, 0, 0, COHFS_RT_ASK_PART },
	{ F, 0, COHFS_PR, true, 0, 0, COHFS_RT_ASK_PART },
	{ F, 0, COHFS_CR, false, 0, 0, COHFS_RT_ASK_PART },
	{ F, 0, COHFS_CW, false, 0, 0, COHFS_RT_ASK_PART },
	{ R, 1, COHFS_NL, true, REGION, REGION, COHFS_RT_ASK_PART },
	{ R, 1, COHFS_CW, false, REGION, REGION, COHFS_RT_ASK_PART },
	/* all of it, whoever is there */
	{ F, 0, COHFS_CW, true, 0, COHFS_RT_END, COHFS_RT_ASK_WHOLE },
	{ F, 0, COHFS_NL, false, 0, COHFS_RT_END, COHFS_RT_ASK_WHOLE },
	{ R, 0, COHFS_CW, true, 0, REGION - 1, COHFS_RT_ASK_WHOLE },
	{ R, 1, COHFS_CW, true, REGION, 2 * REGION - 1, COHFS_RT_ASK_WHOLE },
	{ R, 1, COHFS_CW, true, 0, COHFS_RT_END, COHFS_RT_ASK_WHOLE },
	/* one page less */
	{ R, 1, COHFS_CW, true, REGION + 1, 2 * REGION - 1, COHFS_RT_ASK_PART },
	{ R, 1, COHFS_CW, true, REGION, 2 * REGION - 2, COHFS_RT_ASK_PART },
	/* many regions, and one less */
	{ F, 0, COHFS_CW, true, 0, MANY, COHFS_RT_ASK_WHOLE },
	{ F, 0, COHFS_CW, true, REGION - 1, MANY, COHFS_RT_ASK_WHOLE },
	{ F, 0, COHFS_CW, true, 0, MANY - 1, COHFS_RT_ASK_PART },
	{ F, 0, COHFS_CW, true, REGION, MANY + REGION - 1, COHFS_RT_ASK_PART },
	{ F, 0, COHFS_CW, true, 1, COHFS_RT_END, COHFS_RT_ASK_WHOLE },
	{ F, 0, COHFS_CW, true, COHFS_RT_END, COHFS_RT_END, COHFS_RT_ASK_PART },
};

static void test_what_is_asked_for(void)
{
	static const u8 modes[] = { COHFS_PR, COHFS_EX };
	unsigned int i, m;

	for (i = 0; i < ARRAY_SIZE(asks); i++)
		for (m = 0; m < ARRAY_SIZE(modes); m++) {
			const struct ask_row *r = &asks[i];

			if (cohfs_rt_ask(r->level, r->index, r->granted, r->shared,
					 r->first, r->last, modes[m]) == r->answer)
				continue;
			printf("# row %u in %s\n", i, cohfs_mode_name(modes[m]));
			check(false);
		}
}

/* What is kept ------------------------------------------------------------------------------ */

static void test_keep_is_sorted_and_merged(void)
{
	struct cohfs_rt_keep keep[4];
	unsigned int nr = 0;

	check(cohfs_rt_keep_add(keep, &nr, 4, 7, COHFS_PR));
	check(cohfs_rt_keep_add(keep, &nr, 4, 3, COHFS_EX));
	check(cohfs_rt_keep_add(keep, &nr, 4, 7, COHFS_EX));
	check(cohfs_rt_keep_add(keep, &nr, 4, 3, COHFS_PR));
	check(nr == 2);
	check(keep[0].index == 3 && keep[0].mode == COHFS_EX);
	check(keep[1].index == 7 && keep[1].mode == COHFS_EX);
	check(cohfs_rt_keep_add(keep, &nr, 4, 5, COHFS_PR));
	check(cohfs_rt_keep_add(keep, &nr, 4, 5, COHFS_CW));
	check(keep[1].index == 5 && keep[1].mode == COHFS_PW);
}

static void test_keep_is_full(void)
{
	struct cohfs_rt_keep keep[3] = { [2] = { .index = 99 } };
	unsigned int nr = 0;

	check(cohfs_rt_keep_add(keep, &nr, 2, 4, COHFS_PR));
	check(cohfs_rt_keep_add(keep, &nr, 2, 2, COHFS_PR));
	check(!cohfs_rt_keep_add(keep, &nr, 2, 3, COHFS_EX));
	check(!cohfs_rt_keep_add(keep, &nr, 2, 5, COHFS_EX));
	/* what is there can still get more */
	check(cohfs_rt_keep_add(keep, &nr, 2, 4, COHFS_EX));
	check(nr == 2 && keep[0].index == 2 && keep[1].index == 4);
	check(keep[1].mode == COHFS_EX && keep[2].index == 99);
	nr = 0;
	check(!cohfs_rt_keep_add(NULL, &nr, 0, 1, COHFS_EX));
}

static void test_keep_is_a_set(void)
{
	static const u8 modes[] = { COHFS_PR, COHFS_EX };
	struct cohfs_rt_keep keep[16];
	unsigned int run, i, nr;
	u8 naive[16];

	for (run = 0; run < 2000; run++) {
		memset(naive, 0, sizeof(naive));
		for (i = 0, nr = 0; i < 20; i++) {
			unsigned int index = check_rand() % 16;
			u8 mode = modes[check_rand() % 2];

			check(cohfs_rt_keep_add(keep, &nr, 16, index, mode));
			naive[index] = max(naive[index], mode);
		}
		for (i = 0; i < nr; i++) {
			check(!i || keep[i - 1].index < keep[i].index);
			check(naive[keep[i].index] == keep[i].mode);
			naive[keep[i].index] = 0;
		}
		for (i = 0; i < 16; i++)
			check(!naive[i]);
	}
}

/* Gaps ------------------------------------------------------------------------------------------ */

#define CHILDREN	6

/* Every page of the gaps, the way split_rest() goes through them. */
static void mark_gaps(u8 *pages, enum cohfs_rt_level level, const struct cohfs_rt_keep *keep,
		      unsigned int nr, u64 base, u64 from, u64 last)
{
	u64 first, end, page, after = from;

	while (cohfs_rt_gap(level, keep, nr, from, last, &first, &end)) {
		check(first >= after && first <= end && end <= last);
		if (first < after || first > end || end > last)
			return;
		for (page = first - base; page <= end - base; page++)
			pages[page]++;
		if (end == last)
			break;
		from = end + 1;
		after = from;
	}
}

/*
 * @kept: one digit to the base 3 per child: not there, there but in NL, kept.  Some
 * pages more or less at both ends.
 */
static void check_gaps(enum cohfs_rt_level level, u64 base, unsigned int kept, u64 from,
		       u64 last, u64 step)
{
	u8 naive[CHILDREN * REGION], pages[CHILDREN * REGION];
	struct cohfs_rt_keep keep[CHILDREN];
	unsigned int i, nr = 0;
	u64 page;

	memset(naive, 1, sizeof(naive));
	memset(pages, 0, sizeof(pages));
	for (i = 0; i < CHILDREN; i++, kept /= 3) {
		if (!(kept % 3))
			continue;
		keep[nr].index = cohfs_rt_index(level, base) + i;
		keep[nr++].mode = kept % 3 == 1 ? COHFS_NL : COHFS_PR;
		if (kept % 3 == 2)
			memset(naive + i * step, 0, step);
	}
	mark_gaps(pages, level, keep, nr, base, from, last);
	for (page = 0; page < CHILDREN * step; page++)
		check(pages[page] ==
		      (naive[page] && base + page >= from && base + page <= last));
}

static void test_gaps_of_pages(void)
{
	unsigned int kept, from, last;

	for (kept = 0; kept < 729; kept++)
		for (from = 0; from < CHILDREN; from++)
			for (last = from; last < CHILDREN; last++) {
				check_gaps(P, 0, kept, from, last, 1);
				check_gaps(P, MAX_FILE, kept, MAX_FILE + from,
					   MAX_FILE + last, 1);
				check_gaps(P, COHFS_RT_END - CHILDREN + 1, kept,
					   COHFS_RT_END - CHILDREN + 1 + from,
					   COHFS_RT_END - CHILDREN + 1 + last, 1);
			}
}

/* ends in the middle of regions, and at their borders */
static const u64 cuts[] = { 0, 1, REGION - 1 };

static void check_region_gaps(u64 base, unsigned int kept)
{
	unsigned int a, b, i, j;

	for (i = 0; i < CHILDREN; i += 2)
		for (a = 0; a < ARRAY_SIZE(cuts); a++)
			for (j = i; j < CHILDREN; j += 3)
				for (b = a; b < ARRAY_SIZE(cuts); b++)
					check_gaps(R, base, kept, base + i * REGION + cuts[a],
						   base + j * REGION + cuts[b], REGION);
}

static void test_gaps_of_regions(void)
{
	unsigned int kept;

	for (kept = 0; kept < 729; kept += 1 + kept % 3) {
		check_region_gaps(0, kept);
		check_region_gaps(COHFS_RT_END - CHILDREN * REGION + 1, kept);
	}
}

static void test_gap_of_the_whole_file(void)
{
	struct cohfs_rt_keep keep[] = { { 0, COHFS_EX }, { END_REGION, COHFS_PR } };
	u64 first, end;

	check(cohfs_rt_gap(R, keep, 0, 0, COHFS_RT_END, &first, &end));
	check(first == 0 && end == COHFS_RT_END);
	check(cohfs_rt_gap(R, keep, 1, 0, COHFS_RT_END, &first, &end));
	check(first == REGION && end == COHFS_RT_END);
	check(cohfs_rt_gap(R, keep, 2, 0, COHFS_RT_END, &first, &end));
	check(first == REGION && end == COHFS_RT_END - REGION);
	check(!cohfs_rt_gap(R, keep, 2, end + 1, COHFS_RT_END, &first, &end));
}

/* When to try for all of it ------------------------------------------------------------------------ */

static void test_climb_backs_off(void)
{
	struct cohfs_rt_climb climb = { 0, 0 };
	u64 now = 100, waits[] = { 20, 40, 80, 100, 100 };
	unsigned int i;

	check(cohfs_rt_climb_due(&climb, 0));
	cohfs_rt_climb_met(&climb, now, 10);
	check(!cohfs_rt_climb_due(&climb, now));
	check(!cohfs_rt_climb_due(&climb, now + 9));
	check(cohfs_rt_climb_due(&climb, now + 10));
	for (i = 0; i < ARRAY_SIZE(waits); i++) {
		now = climb.next;
		cohfs_rt_climb_failed(&climb, now, 100);
		check(!cohfs_rt_climb_due(&climb, now + waits[i] - 1));
		check(cohfs_rt_climb_due(&climb, now + waits[i]));
	}
	cohfs_rt_climb_met(&climb, now, 10);
	check(cohfs_rt_climb_due(&climb, now + 10));
}

static void test_climb_without_a_first_wait(void)
{
	struct cohfs_rt_climb climb = { 0, 0 };

	cohfs_rt_climb_failed(&climb, 50, 100);
	check(!cohfs_rt_climb_due(&climb, 50));
	check(cohfs_rt_climb_due(&climb, 51));
	cohfs_rt_climb_failed(&climb, 51, 100);
	check(!cohfs_rt_climb_due(&climb, 52) && cohfs_rt_climb_due(&climb, 53));
}

int main(void)
{
	run_test(test_geometry_at_borders);
	run_test(test_geometry_of_levels);
	run_test(test_children_do_not_cross_parents);
	run_test(test_intents);
	run_test(test_what_is_asked_for);
	run_test(test_keep_is_sorted_and_merged);
	run_test(test_keep_is_full);
	run_test(test_keep_is_a_set);
	run_test(test_gaps_of_pages);
	run_test(test_gaps_of_regions);
	run_test(test_gap_of_the_whole_file);
	run_test(test_climb_backs_off);
	run_test(test_climb_without_a_first_wait);
	return check_done();
}
