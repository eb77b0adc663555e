// SPDX-License-Identifier: GPL-2.0-only
/* dlm_glue/core/name.c: names of locks as the DLM sees them; order.c sorts them. */
#include <kunit/test.h>
#include "../../dlm_glue/core/mode.h"
#include "../../dlm_glue/core/name.h"
#include "../../dlm_glue/core/order.h"

static const struct name_row {
	const char *name;
	struct cohfs_lock_name lock;
} names[] = {
	{ "C0000000000000000", { 0, 0, COHFS_LT_MOUNT } },
	{ "S0000000000000003", { 3, 0, COHFS_LT_SLOT } },
	{ "R0000000000000000", { 0, 0, COHFS_LT_RENAME } },
	{ "O00000000deadbeef", { 0xdeadbeef, 0, COHFS_LT_OPEN } },
	{ "I0000000000001234", { 0x1234, 0, COHFS_LT_INODE } },
	{ "D0000000000001234.1", { 0x1234, 1, COHFS_LT_RANGE } },
	{ "D0000000000001234.10", { 0x1234, 0x10, COHFS_LT_RANGE } },
	{ "Dffffffffffffffff.ffffffffffffffff", { U64_MAX, U64_MAX, COHFS_LT_RANGE } },
	{ "M0000000000000001.fffffffffffffff", { 1, U64_MAX >> 4, COHFS_LT_MAP } },
	{ "G7fffffffffffffff", { S64_MAX, 0, COHFS_LT_GROUP } },
};

KUNIT_ARRAY_PARAM_DESC(name, names, name);

static void round_trip(struct kunit *test)
{
	const struct name_row *row = test->param_value;
	char buf[COHFS_RES_NAME_MAX + 1];
	struct cohfs_lock_name back;
	unsigned int len;

	len = cohfs_name_format(&row->lock, buf);
	KUNIT_EXPECT_EQ(test, len, strlen(row->name));
	KUNIT_EXPECT_STREQ(test, buf, row->name);
	KUNIT_EXPECT_EQ(test, 0, cohfs_name_parse(row->name, len, &back));
	KUNIT_EXPECT_EQ(test, 0, cohfs_name_cmp(&row->lock, &back));
}

static const struct bad_row {
	const char *name;
	const char *spelling;
} bad[] = {
	{ "empty", "" },
	{ "letter only", "I" },
	{ "a digit short", "I000000000000123" },
	{ "no such type", "X0000000000001234" },
	{ "small letter", "i0000000000001234" },
	{ "not hexadecimal", "I000000000000123g" },
	{ "capital digit", "I000000000000123A" },
	{ "a digit more", "I00000000000012340" },
	{ "dot, no index", "I0000000000001234." },
	{ "index zero", "I0000000000001234.0" },
	{ "index with leading zero", "I0000000000001234.01" },
	{ "index too long", "I0000000000001234.11111111111111111" },
};

KUNIT_ARRAY_PARAM_DESC(bad, bad, name);

static void refuses(struct kunit *test)
{
	const struct bad_row *row = test->param_value;
	struct cohfs_lock_name name;

	KUNIT_EXPECT_EQ(test, -EINVAL, cohfs_name_parse(row->spelling,
							strlen(row->spelling), &name));
}

static void no_name_without_type(struct kunit *test)
{
	struct cohfs_lock_name name = { .type = COHFS_NR_LOCK_TYPES };
	char buf[COHFS_RES_NAME_MAX + 1];

	KUNIT_EXPECT_EQ(test, 0, cohfs_name_format(&name, buf));
	KUNIT_EXPECT_EQ(test, '?', cohfs_type_letter(COHFS_NR_LOCK_TYPES));
}

static void order_sorts_and_merges(struct kunit *test)
{
	struct cohfs_lock_want want[] = {
		{ { 5, 0, COHFS_LT_GROUP }, COHFS_EX },
		{ { 9, 2, COHFS_LT_RANGE }, COHFS_PR },
		{ { 9, 1, COHFS_LT_RANGE }, COHFS_PR },
		{ { 9, 2, COHFS_LT_RANGE }, COHFS_CW },
		{ { 8, 7, COHFS_LT_RANGE }, COHFS_EX },
		{ { 9, 9, COHFS_LT_INODE }, COHFS_PR },
		{ { 9, 1, COHFS_LT_RANGE }, COHFS_PR },
	};
	static const struct cohfs_lock_want expected[] = {
		{ { 9, 9, COHFS_LT_INODE }, COHFS_PR },
		{ { 8, 7, COHFS_LT_RANGE }, COHFS_EX },
		{ { 9, 1, COHFS_LT_RANGE }, COHFS_PR },
		{ { 9, 2, COHFS_LT_RANGE }, COHFS_PW },
		{ { 5, 0, COHFS_LT_GROUP }, COHFS_EX },
	};
	unsigned int i;

	KUNIT_ASSERT_EQ(test, cohfs_order(want, ARRAY_SIZE(want)), ARRAY_SIZE(expected));
	for (i = 0; i < ARRAY_SIZE(expected); i++) {
		KUNIT_EXPECT_EQ(test, 0,
				cohfs_name_cmp(&want[i].name, &expected[i].name));
		KUNIT_EXPECT_EQ(test, want[i].mode, expected[i].mode);
	}
	KUNIT_EXPECT_EQ(test, 0, cohfs_order(want, 0));
}

static struct kunit_case name_cases[] = {
	KUNIT_CASE_PARAM(round_trip, name_gen_params),
	KUNIT_CASE_PARAM(refuses, bad_gen_params),
	KUNIT_CASE(no_name_without_type),
	KUNIT_CASE(order_sorts_and_merges),
	{}
};

static struct kunit_suite name_suite = {
	.name = "cohfs_name",
	.test_cases = name_cases,
};

kunit_test_suite(name_suite);
