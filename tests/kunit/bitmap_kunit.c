// SPDX-License-Identifier: GPL-2.0-only
/* fs/core/bitmap.c: what is found, and what is refused. */
#include <kunit/test.h>
#include "../../fs/core/bitmap.h"

#define BITS	64

static const struct find_row {
	const char *name;
	u64 used, committed;
	u32 goal, want;
	bool found;
	u32 start, len;
} finds[] = {
	{ "empty map",		 0, 0,			10, 5,	true, 10, 5 },
	{ "run cut by the end",	 0, 0,			60, 8,	true, 60, 4 },
	{ "goal beyond the end", 0x1, 0x1,		1000, 3, true, 1, 3 },
	{ "full",		 U64_MAX, U64_MAX,	5, 1,	false, },
	{ "free goal wins",	 ~0x0ff4ULL, 0,		2, 4,	true, 2, 1 },
	{ "first fit after goal", ~0x00f00f00ULL, 0,	12, 4,	true, 20, 4 },
	{ "then before goal",	 ~0x00000f00ULL, 0,	32, 4,	true, 8, 4 },
	{ "else the longest",	 ~0x0000f070ULL, 0,	32, 9,	true, 12, 4 },
	{ "freed, not committed", 0, ~0xf0ULL,		0, 8,	true, 4, 4 },
};

KUNIT_ARRAY_PARAM_DESC(find, finds, name);

static void find(struct kunit *test)
{
	const struct find_row *row = test->param_value;
	__le64 cur = cpu_to_le64(row->used), committed = cpu_to_le64(row->committed);
	u32 start, len;
	bool found;

	found = cohfs_bitmap_find((u8 *)&cur, (u8 *)&committed, BITS, row->goal,
				  row->want, &start, &len);
	KUNIT_ASSERT_EQ(test, found, row->found);
	if (!found)
		return;
	KUNIT_EXPECT_EQ(test, start, row->start);
	KUNIT_EXPECT_EQ(test, len, row->len);
}

static void set_and_clear(struct kunit *test)
{
	u8 map[32] = {}, model[32] = {};
	u32 start, len, i;

	for (start = 0; start < 256; start += 37)
		for (len = 1; len <= 256 - start; len += 23) {
			KUNIT_ASSERT_EQ(test, 0, cohfs_bitmap_set(map, 256, start, len));
			for (i = start; i < start + len; i++)
				model[i / 8] |= 1 << i % 8;
			KUNIT_EXPECT_MEMEQ(test, map, model, sizeof(map));
			KUNIT_EXPECT_EQ(test, cohfs_bitmap_free(map, NULL, 256), 256 - len);
			KUNIT_ASSERT_EQ(test, 0, cohfs_bitmap_clear(map, 256, start, len));
			memset(model, 0, sizeof(model));
			KUNIT_EXPECT_MEMEQ(test, map, model, sizeof(map));
		}
}

static void refused_without_a_trace(struct kunit *test)
{
	u8 map[8] = { 0, 0, 0xff, 0, 0, 0, 0, 0 }, before[8];

	memcpy(before, map, sizeof(map));
	KUNIT_EXPECT_EQ(test, -EFSCORRUPTED, cohfs_bitmap_set(map, BITS, 10, 7));
	KUNIT_EXPECT_EQ(test, -EFSCORRUPTED, cohfs_bitmap_set(map, BITS, 60, 5));
	KUNIT_EXPECT_EQ(test, -EFSCORRUPTED, cohfs_bitmap_set(map, BITS, U32_MAX, 2));
	KUNIT_EXPECT_EQ(test, -EFSCORRUPTED, cohfs_bitmap_clear(map, BITS, 16, 9));
	KUNIT_EXPECT_EQ(test, -EFSCORRUPTED, cohfs_bitmap_clear(map, BITS, 63, 2));
	KUNIT_EXPECT_MEMEQ(test, map, before, sizeof(map));
}

static struct kunit_case bitmap_cases[] = {
	KUNIT_CASE_PARAM(find, find_gen_params),
	KUNIT_CASE(set_and_clear),
	KUNIT_CASE(refused_without_a_trace),
	{}
};

static struct kunit_suite bitmap_suite = {
	.name = "cohfs_bitmap",
	.test_cases = bitmap_cases,
};

kunit_test_suite(bitmap_suite);
