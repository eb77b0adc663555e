// SPDX-License-Identifier: GPL-2.0-only
/*
 * fs/core/check.c with the kernel's crc32c: valid blocks pass, damaged ones never.
 * Which phrase names which damage, field by field, is in tests/host.
 */
#include <kunit/test.h>
#include "../../fs/core/check.h"

static const u8 fsid[16] = "check kunit....";

static void build_super(void *block)
{
	struct cohfs_super *s = block;

	s->s_block_size = cpu_to_le32(COHFS_BLOCK_SIZE);
	s->s_slots = cpu_to_le32(4);
	s->s_journal_blocks = cpu_to_le32(1024);
	s->s_first_slot = cpu_to_le64(2);
	s->s_first_journal = cpu_to_le64(256);
	s->s_first_group = cpu_to_le64(256 + 4 * 1024);
	s->s_groups = cpu_to_le32(3);
	s->s_blocks = cpu_to_le64(256 + 4 * 1024 + 2 * COHFS_GROUP_BLOCKS + 1000);
	s->s_root_ino = cpu_to_le64(256 + 4 * 1024 + 1);
	s->s_free_at_mkfs = cpu_to_le64(2 * COHFS_GROUP_BLOCKS);
	memcpy(s->s_uuid, fsid, 16);
	memcpy(s->s_lock_table, "cluster:fs", 10);
}

static void build_slot(void *block)
{
	struct cohfs_slot *sl = block;

	sl->sl_orphan_dir = cpu_to_le64(5000);
	sl->sl_pool_count = cpu_to_le32(1);
	sl->sl_pool[0] = cpu_to_le64(7000);
}

static void build_group(void *block)
{
	struct cohfs_group *g = block;

	memset(g->g_bitmap, 0xff, sizeof(g->g_bitmap));
	g->g_bitmap[1] = 0;
	g->g_blocks = cpu_to_le32(1000);
	g->g_free = cpu_to_le32(8);
}

static void build_inode(void *block)
{
	struct cohfs_dinode *di = block;

	di->i_mode = cpu_to_le32(0120777);
	di->i_nlink = cpu_to_le32(1);
	di->i_size = cpu_to_le64(6);
	memcpy(di->i_inline, "target", 6);
}

static void build_map(void *block)
{
	struct cohfs_map_block *mb = block;

	mb->m_count = cpu_to_le16(1);
	mb->m_rec[0].r_blk = cpu_to_le64(90000);
	mb->m_rec[0].r_len = cpu_to_le32(4);
}

static void build_nothing(void *block)
{
}

static const struct block_row {
	const char *name;
	unsigned int type;
	u64 blkno, owner;
	void (*build)(void *block);
} blocks[] = {
	{ "super",	COHFS_BT_SUPER,	1,	0,	build_super },
	{ "slot",	COHFS_BT_SLOT,	5,	3,	build_slot },
	{ "group",	COHFS_BT_GROUP,	70000,	2,	build_group },
	{ "inode",	COHFS_BT_INODE,	9000,	9000,	build_inode },
	{ "map",	COHFS_BT_MAP,	9001,	9000,	build_map },
	{ "dirleaf",	COHFS_BT_DIRLEAF, 9100,	9000,	build_nothing },
};

KUNIT_ARRAY_PARAM_DESC(block, blocks, name);

static void *new_block(struct kunit *test, const struct block_row *row)
{
	void *block = kunit_kzalloc(test, COHFS_BLOCK_SIZE, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, block);
	cohfs_header_init(block, row->type, row->blkno, fsid, row->owner, 1);
	row->build(block);
	cohfs_block_seal(block);
	return block;
}

static const char *check(const struct block_row *row, const void *block)
{
	return cohfs_check_block(block, row->type, row->blkno, fsid, row->owner);
}

static void sealed_block_passes(struct kunit *test)
{
	const struct block_row *row = test->param_value;
	void *block = new_block(test, row);

	KUNIT_EXPECT_STREQ(test, check(row, block) ?: "valid", "valid");
}

static void misplaced_block_is_noticed(struct kunit *test)
{
	const struct block_row *row = test->param_value;
	void *block = new_block(test, row);
	static const u8 other[16] = "somebody else's";

	KUNIT_EXPECT_STREQ(test, "block number",
			   cohfs_check_block(block, row->type, row->blkno + 1, fsid,
					     row->owner));
	KUNIT_EXPECT_STREQ(test, "owner",
			   cohfs_check_block(block, row->type, row->blkno, fsid,
					     row->owner + 1));
	KUNIT_EXPECT_STREQ(test, "filesystem id",
			   cohfs_check_block(block, row->type, row->blkno, other,
					     row->owner));
	KUNIT_EXPECT_STREQ(test, "block type",
			   cohfs_check_block(block, row->type % 6 + 1, row->blkno, fsid,
					     row->owner));
}

static void flipped_bit_is_noticed(struct kunit *test)
{
	const struct block_row *row = test->param_value;
	u8 *block = new_block(test, row);
	unsigned int bit;

	/* all of the header, samples of the rest */
	for (bit = 0; bit < 8 * COHFS_BLOCK_SIZE; bit += bit < 512 ? 1 : 61) {
		block[bit / 8] ^= 1 << bit % 8;
		KUNIT_EXPECT_TRUE_MSG(test, check(row, block), "bit %u", bit);
		block[bit / 8] ^= 1 << bit % 8;
	}
	KUNIT_EXPECT_NULL(test, check(row, block));
}

/* a block that was sealed by somebody who knows the checksum: KASAN watches */
static void nonsense_is_survived(struct kunit *test)
{
	const struct block_row *row = test->param_value;
	u8 *block = new_block(test, row);
	u32 chance = 12345;
	unsigned int i, round;

	for (round = 0; round < 200; round++) {
		for (i = 0; i < 8; i++) {
			chance = chance * 1664525 + 1013904223;
			block[0x40 + chance % (COHFS_BLOCK_SIZE - 0x40)] = chance >> 24;
		}
		for (i = 0; i < 2; i++) {
			chance = chance * 1664525 + 1013904223;
			block[0x40 + (chance >> 16) % 0x40] = chance >> 8;
		}
		cohfs_block_seal(block);
		check(row, block);
	}
	KUNIT_SUCCEED(test);
}

static void super_to_host_order(struct kunit *test)
{
	struct cohfs_super_info *info = kunit_kzalloc(test, sizeof(*info), GFP_KERNEL);
	struct cohfs_super *s = new_block(test, &blocks[0]);
	const char *why = NULL;

	KUNIT_ASSERT_NOT_NULL(test, info);
	KUNIT_ASSERT_EQ(test, 0, cohfs_super_decode(info, s, &why));
	KUNIT_EXPECT_EQ(test, info->slots, 4);
	KUNIT_EXPECT_STREQ(test, info->cluster, "cluster");
	KUNIT_EXPECT_STREQ(test, info->fsname, "fs");
	KUNIT_EXPECT_EQ(test, cohfs_super_group_blocks(info, 2), 1000);

	s->s_feature_incompat = cpu_to_le32(0x10);
	cohfs_block_seal(s);
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, cohfs_super_decode(info, s, &why));
	KUNIT_EXPECT_EQ(test, info->feature_incompat, 0x10);
	s->s_hdr.bh_magic = 0;
	KUNIT_EXPECT_EQ(test, -EINVAL, cohfs_super_decode(info, s, &why));
	KUNIT_EXPECT_NOT_NULL(test, why);
}

static struct kunit_case check_cases[] = {
	KUNIT_CASE_PARAM(sealed_block_passes, block_gen_params),
	KUNIT_CASE_PARAM(misplaced_block_is_noticed, block_gen_params),
	KUNIT_CASE_PARAM(flipped_bit_is_noticed, block_gen_params),
	KUNIT_CASE_PARAM(nonsense_is_survived, block_gen_params),
	KUNIT_CASE(super_to_host_order),
	{}
};

static struct kunit_suite check_suite = {
	.name = "cohfs_check",
	.test_cases = check_cases,
};

kunit_test_suite(check_suite);
