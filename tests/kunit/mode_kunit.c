// SPDX-License-Identifier: GPL-2.0-only
/* dlm_glue/core/mode.c: the algebra of the modes, all of it. */
#include <kunit/test.h>
#include "../../dlm_glue/core/mode.h"

#define for_each_mode(m) for (m = COHFS_NL; m < COHFS_NR_MODES; m++)

static void compat_is_the_dlms(struct kunit *test)
{
	/* the matrix of fs/dlm/lock.c, typed in again */
	static const char matrix[COHFS_NR_MODES][COHFS_NR_MODES + 1] = {
		"111111", "111110", "111000", "110100", "110000", "100000",
	};
	unsigned int a, b;

	for_each_mode(a)
		for_each_mode(b)
			KUNIT_EXPECT_EQ_MSG(test, cohfs_mode_compat(a, b),
					    matrix[a][b] == '1', "%s and %s",
					    cohfs_mode_name(a), cohfs_mode_name(b));
}

static void covers_is_a_partial_order(struct kunit *test)
{
	unsigned int a, b, c;

	for_each_mode(a) {
		KUNIT_EXPECT_TRUE(test, cohfs_mode_covers(a, a));
		KUNIT_EXPECT_TRUE(test, cohfs_mode_covers(COHFS_EX, a));
		KUNIT_EXPECT_TRUE(test, cohfs_mode_covers(a, COHFS_NL));
		for_each_mode(b) {
			if (!cohfs_mode_covers(a, b))
				continue;
			KUNIT_EXPECT_TRUE(test, a == b || !cohfs_mode_covers(b, a));
			for_each_mode(c)
				if (cohfs_mode_covers(b, c))
					KUNIT_EXPECT_TRUE(test, cohfs_mode_covers(a, c));
		}
	}
	KUNIT_EXPECT_FALSE(test, cohfs_mode_covers(COHFS_PR, COHFS_CW));
	KUNIT_EXPECT_FALSE(test, cohfs_mode_covers(COHFS_CW, COHFS_PR));
}

static void join_is_the_weakest_cover(struct kunit *test)
{
	unsigned int a, b, c, j;

	for_each_mode(a)
		for_each_mode(b) {
			j = cohfs_mode_join(a, b);
			KUNIT_EXPECT_TRUE(test, cohfs_mode_covers(j, a));
			KUNIT_EXPECT_TRUE(test, cohfs_mode_covers(j, b));
			for_each_mode(c)
				if (cohfs_mode_covers(c, a) && cohfs_mode_covers(c, b))
					KUNIT_EXPECT_TRUE(test, cohfs_mode_covers(c, j));
		}
	KUNIT_EXPECT_EQ(test, cohfs_mode_join(COHFS_PR, COHFS_CW), COHFS_PW);
}

static void keep_makes_way(struct kunit *test)
{
	unsigned int g, d, k;

	for_each_mode(g)
		for_each_mode(d) {
			k = cohfs_mode_keep(g, d);
			KUNIT_EXPECT_TRUE(test, cohfs_mode_covers(g, k));
			KUNIT_EXPECT_TRUE(test, cohfs_mode_compat(k, d));
			if (cohfs_mode_compat(g, d))
				KUNIT_EXPECT_EQ(test, k, g);
		}
}

static void raises_lead_up(struct kunit *test)
{
	unsigned int a, b;

	for_each_mode(a)
		for_each_mode(b)
			if (cohfs_mode_can_raise(a, b))
				KUNIT_EXPECT_TRUE(test, a != b && cohfs_mode_covers(b, a));
	KUNIT_EXPECT_TRUE(test, cohfs_mode_can_raise(COHFS_PR, COHFS_EX));
	KUNIT_EXPECT_FALSE(test, cohfs_mode_can_raise(COHFS_CW, COHFS_EX));
}

static struct kunit_case mode_cases[] = {
	KUNIT_CASE(compat_is_the_dlms),
	KUNIT_CASE(covers_is_a_partial_order),
	KUNIT_CASE(join_is_the_weakest_cover),
	KUNIT_CASE(keep_makes_way),
	KUNIT_CASE(raises_lead_up),
	{}
};

static struct kunit_suite mode_suite = {
	.name = "cohfs_mode",
	.test_cases = mode_cases,
};

kunit_test_suite(mode_suite);
