// SPDX-License-Identifier: GPL-2.0-only
/* fs/core/mapblock.c: one block of a map as it fills, splits and empties. */
#include <kunit/test.h>
#include "../../fs/core/check.h"
#include "../../fs/core/mapblock.h"

#define NO_END	(COHFS_MAP_KEY_MAX + 1)

static struct cohfs_map_block *new_block(struct kunit *test)
{
	static const u8 fsid[16] = "mapblock kunit.";
	struct cohfs_map_block *mb = kunit_kzalloc(test, sizeof(*mb), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, mb);
	cohfs_header_init(&mb->m_hdr, COHFS_BT_MAP, 101, fsid, 100, 7);
	return mb;
}

static int insert(struct cohfs_map_block *mb, u64 key, u64 blk, u32 len)
{
	struct cohfs_extent ext = { .key = key, .blk = blk, .len = len };

	return cohfs_mapblock_insert(mb, &ext, NO_END, true);
}

static void expect_record(struct kunit *test, const struct cohfs_map_block *mb, u32 i,
			  const struct cohfs_extent *want)
{
	struct cohfs_extent ext;

	KUNIT_EXPECT_NULL(test, cohfs_check_body(mb, COHFS_BT_MAP));
	cohfs_mapblock_get(mb, i, &ext);
	KUNIT_EXPECT_EQ(test, ext.key, want->key);
	KUNIT_EXPECT_EQ(test, ext.blk, want->blk);
	KUNIT_EXPECT_EQ(test, ext.len, want->len);
}

static const struct insert_row {
	const char *name;
	struct cohfs_extent ext;
	int error;
	u32 count;		/* afterwards; there were two: 10..13, 20..23 */
} inserts[] = {
	{ "before",		{ 0, 900, 5 },		0, 3 },
	{ "between",		{ 15, 900, 3 },		0, 3 },
	{ "after",		{ 30, 900, 1 },		0, 3 },
	{ "continues",		{ 14, 504, 2 },		0, 2 },
	{ "precedes",		{ 18, 998, 2 },		0, 2 },
	{ "neighbour elsewhere", { 14, 600, 2 },	0, 3 },
	{ "overlaps the end of one", { 13, 900, 2 },	-EEXIST, 2 },
	{ "overlaps the start of one", { 8, 900, 3 },	-EEXIST, 2 },
	{ "covers one",		{ 5, 900, 12 },		-EEXIST, 2 },
	{ "is there",		{ 10, 500, 4 },		-EEXIST, 2 },
};

KUNIT_ARRAY_PARAM_DESC(insert, inserts, name);

static void inserting(struct kunit *test)
{
	const struct insert_row *row = test->param_value;
	struct cohfs_map_block *mb = new_block(test);

	KUNIT_ASSERT_EQ(test, 0, insert(mb, 10, 500, 4));
	KUNIT_ASSERT_EQ(test, 0, insert(mb, 20, 1000, 4));
	KUNIT_EXPECT_EQ(test, row->error,
			cohfs_mapblock_insert(mb, &row->ext, NO_END, true));
	KUNIT_EXPECT_EQ(test, cohfs_mapblock_count(mb), row->count);
	KUNIT_EXPECT_NULL(test, cohfs_check_body(mb, COHFS_BT_MAP));
}

static void removing(struct kunit *test)
{
	struct cohfs_extent middle = { .key = 13, .blk = 503, .len = 2 };
	struct cohfs_extent head = { .key = 10, .blk = 500, .len = 1 };
	struct cohfs_extent tail = { .key = 17, .blk = 507, .len = 1 };
	struct cohfs_extent other = { .key = 15, .blk = 599, .len = 1 };
	struct cohfs_map_block *mb = new_block(test);

	KUNIT_ASSERT_EQ(test, 0, insert(mb, 10, 500, 8));
	KUNIT_EXPECT_EQ(test, -ENOENT, cohfs_mapblock_remove(mb, &other));
	KUNIT_EXPECT_EQ(test, 0, cohfs_mapblock_remove(mb, &middle));
	KUNIT_EXPECT_EQ(test, -ENOENT, cohfs_mapblock_remove(mb, &middle));
	KUNIT_EXPECT_EQ(test, 0, cohfs_mapblock_remove(mb, &head));
	KUNIT_EXPECT_EQ(test, 0, cohfs_mapblock_remove(mb, &tail));
	KUNIT_ASSERT_EQ(test, cohfs_mapblock_count(mb), 2);
	expect_record(test, mb, 0, &(struct cohfs_extent) { 11, 501, 2 });
	expect_record(test, mb, 1, &(struct cohfs_extent) { 15, 505, 2 });
	KUNIT_EXPECT_EQ(test, cohfs_mapblock_search(mb, 10), -1);
	KUNIT_EXPECT_EQ(test, cohfs_mapblock_search(mb, 14), 0);
	KUNIT_EXPECT_EQ(test, cohfs_mapblock_search(mb, U64_MAX), 1);
}

static void full_then_split(struct kunit *test)
{
	struct cohfs_map_block *mb = new_block(test), *upper = new_block(test);
	struct cohfs_extent ext = { .key = 31, .blk = 9000, .len = 1 };
	u32 i, at;

	for (i = 0; i < COHFS_MAP_RECS; i++)
		KUNIT_ASSERT_EQ(test, 0, insert(mb, 10 * i, 1000 + 100 * i, 3));
	KUNIT_EXPECT_TRUE(test, cohfs_mapblock_full(mb));
	ext.key = 5;
	KUNIT_EXPECT_EQ(test, -ENOSPC, cohfs_mapblock_insert(mb, &ext, NO_END, true));
	/* what merges needs no room, what tears one record into two does */
	KUNIT_EXPECT_EQ(test, 0, insert(mb, 3, 1003, 1));
	ext = (struct cohfs_extent) { .key = 11, .blk = 1101, .len = 1 };
	KUNIT_EXPECT_EQ(test, -ENOSPC, cohfs_mapblock_remove(mb, &ext));

	at = cohfs_mapblock_split_at(mb, COHFS_MAP_RECS);
	KUNIT_EXPECT_EQ(test, at, COHFS_MAP_RECS - 1);
	at = cohfs_mapblock_split_at(mb, 3);
	cohfs_mapblock_split(mb, upper, at);
	KUNIT_EXPECT_EQ(test, cohfs_mapblock_count(mb), at);
	KUNIT_EXPECT_EQ(test, cohfs_mapblock_count(upper), COHFS_MAP_RECS - at);
	expect_record(test, upper, 0,
		      &(struct cohfs_extent) { 10 * at, 1000 + 100 * at, 3 });
	KUNIT_EXPECT_EQ(test, 0, cohfs_mapblock_remove(mb, &ext));
	KUNIT_EXPECT_NULL(test, cohfs_check_body(mb, COHFS_BT_MAP));
}

static struct kunit_case mapblock_cases[] = {
	KUNIT_CASE_PARAM(inserting, insert_gen_params),
	KUNIT_CASE(removing),
	KUNIT_CASE(full_then_split),
	{}
};

static struct kunit_suite mapblock_suite = {
	.name = "cohfs_mapblock",
	.test_cases = mapblock_cases,
};

kunit_test_suite(mapblock_suite);
