// SPDX-License-Identifier: GPL-2.0-only
/* dlm_glue/core/lvb.c: attributes in a value block, with the kernel's crc32c. */
#include <kunit/test.h>
#include "../../dlm_glue/core/lvb.h"

static const struct cohfs_attr sample = {
	.mode = 0100644, .uid = 1000, .gid = U32_MAX - 1, .nlink = 2,
	.size = S64_MAX, .blocks = 1ULL << 51,
	.atime = { -1, 999999999 }, .mtime = { S64_MIN, 0 },
	.ctime = { S64_MAX, 1 }, .btime = { 0, 0 },
	.time_gen = 7, .flags = 0x80000000, .rdev = 0x0123456789abcdefULL,
	.generation = 0xfeedf00d, .orphan_slot = 64,
};

static bool same_time(const struct cohfs_ts *a, const struct cohfs_ts *b)
{
	return a->sec == b->sec && a->nsec == b->nsec;
}

static void round_trip(struct kunit *test)
{
	struct cohfs_lvb_inode lvb;
	struct cohfs_attr out = {};

	cohfs_lvb_encode(&lvb, &sample);
	KUNIT_ASSERT_TRUE(test, cohfs_lvb_decode(&lvb, &out));
	KUNIT_EXPECT_EQ(test, out.mode, sample.mode);
	KUNIT_EXPECT_EQ(test, out.uid, sample.uid);
	KUNIT_EXPECT_EQ(test, out.gid, sample.gid);
	KUNIT_EXPECT_EQ(test, out.nlink, sample.nlink);
	KUNIT_EXPECT_EQ(test, out.size, sample.size);
	KUNIT_EXPECT_EQ(test, out.blocks, sample.blocks);
	KUNIT_EXPECT_TRUE(test, same_time(&out.atime, &sample.atime));
	KUNIT_EXPECT_TRUE(test, same_time(&out.mtime, &sample.mtime));
	KUNIT_EXPECT_TRUE(test, same_time(&out.ctime, &sample.ctime));
	KUNIT_EXPECT_TRUE(test, same_time(&out.btime, &sample.btime));
	KUNIT_EXPECT_EQ(test, out.time_gen, sample.time_gen);
	KUNIT_EXPECT_EQ(test, out.flags, sample.flags);
	KUNIT_EXPECT_EQ(test, out.rdev, sample.rdev);
	KUNIT_EXPECT_EQ(test, out.generation, sample.generation);
	KUNIT_EXPECT_EQ(test, out.orphan_slot, sample.orphan_slot);
}

static void nobody_wrote_it(struct kunit *test)
{
	static const u8 fills[] = { 0, 0xff, '?' };
	struct cohfs_lvb_inode lvb;
	struct cohfs_attr out;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(fills); i++) {
		memset(&lvb, fills[i], sizeof(lvb));
		KUNIT_EXPECT_FALSE(test, cohfs_lvb_decode(&lvb, &out));
	}
}

static void every_flipped_bit_is_noticed(struct kunit *test)
{
	struct cohfs_attr out, untouched;
	struct cohfs_lvb_inode lvb;
	unsigned int bit;
	u8 *bytes = (u8 *)&lvb;

	cohfs_lvb_encode(&lvb, &sample);
	memset(&out, 0x5a, sizeof(out));
	untouched = out;
	for (bit = 0; bit < 8 * sizeof(lvb); bit++) {
		bytes[bit / 8] ^= 1 << bit % 8;
		KUNIT_EXPECT_FALSE_MSG(test, cohfs_lvb_decode(&lvb, &out), "bit %u", bit);
		bytes[bit / 8] ^= 1 << bit % 8;
	}
	KUNIT_EXPECT_MEMEQ(test, &out, &untouched, sizeof(out));
	KUNIT_EXPECT_TRUE(test, cohfs_lvb_decode(&lvb, &out));
}

static void no_such_time(struct kunit *test)
{
	struct cohfs_attr in = sample, out;
	struct cohfs_lvb_inode lvb;

	in.mtime.nsec = 1000000000;
	cohfs_lvb_encode(&lvb, &in);
	KUNIT_EXPECT_FALSE(test, cohfs_lvb_decode(&lvb, &out));
}

static struct kunit_case lvb_cases[] = {
	KUNIT_CASE(round_trip),
	KUNIT_CASE(nobody_wrote_it),
	KUNIT_CASE(every_flipped_bit_is_noticed),
	KUNIT_CASE(no_such_time),
	{}
};

static struct kunit_suite lvb_suite = {
	.name = "cohfs_lvb",
	.test_cases = lvb_cases,
};

kunit_test_suite(lvb_suite);
