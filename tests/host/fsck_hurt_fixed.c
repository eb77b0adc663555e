// SPDX-License-Identifier: GPL-2.0-only
/* Damage to what has a fixed place: superblock, journals, slots, groups. */
#include "../../tools/lib/mem.h"
#include "fsck_hurt.h"

/* Superblock, journals, slots ----------------------------------------------------------------- */

static void super_zero(void)
{
	memset(hurt_super(), 0, COHFS_BLOCK_SIZE);
}

static void super_sum(void)
{
	hurt_super()->s_reserved[7] ^= 1;
}

static void super_size(void)
{
	hurt_super()->s_blocks = cpu_to_le64(model.vol.info.blocks - 2);
	hurt_seal(hurt_super());
}

static void super_hash_key(void)
{
	hurt_super()->s_hash_key[3] ^= 0x10;
	hurt_seal(hurt_super());
}

static void super_root(void)
{
	hurt_super()->s_root_ino = cpu_to_le64(hurt_big_dir()->ino);
	hurt_seal(hurt_super());
}

static void super_copy_place(void)
{
	hurt_super()->s_copy = cpu_to_le64(hurt_big_dir()->ino);
	hurt_seal(hurt_super());
}

static void super_features(void)
{
	hurt_super()->s_feature_incompat = cpu_to_le32(0x80);
	hurt_seal(hurt_super());
}

static void copy_zero(void)
{
	memset(hurt_block(model.vol.info.copy), 0, COHFS_BLOCK_SIZE);
}

static void copy_label(void)
{
	((struct cohfs_super *)hurt_block(model.vol.info.copy))->s_label[0] = 'x';
	build_seal(model.vol.info.copy);
}

static void journal_super(void)
{
	memset(hurt_block(volume_journal_blkno(&model.vol, 1)), 0, COHFS_BLOCK_SIZE);
}

static void journal_features(void)
{
	struct jbd2_superblock *sb = hurt_block(volume_journal_blkno(&model.vol, 1));

	sb->s_feature_incompat = cpu_to_be32(JBD2_INCOMPAT_OURS | 0x20);
	log_seal_super(sb);
}

static void journal_block(void)
{
	log_block(0, hurt_log(hurt_root_dir()->ino) + 1)->bytes[1000] ^= 1;
}

static void journal_outside(void)
{
	hurt_log(COHFS_SUPER_BLKNO);
}

/* As the module, which lets no log with such a tag be replayed */
static void journal_outside_revoked(void)
{
	struct log_trans *tr = mem_zalloc(sizeof(*tr));

	tr->count = 1;
	tr->blkno[0] = COHFS_SUPER_BLKNO;
	tr->revokes = 1;
	tr->revoke[0] = COHFS_SUPER_BLKNO;
	log_write(tr);
	free(tr);
}

static void journal_torn(void)
{
	u32 pos = hurt_log(hurt_root_dir()->ino);

	hurt_log(hurt_big_dir()->ino);
	log_block(0, pos)->bytes[20] ^= 1;
}

static void journal_endless(void)
{
	log_circle(0, JBD2_BT_REVOKE);
}

static void journal_endless_commits(void)
{
	log_circle(0, JBD2_BT_COMMIT);
}

static void journal_endless_later(void)
{
	hurt_log(hurt_root_dir()->ino);
	hurt_log(hurt_big_dir()->ino);
	log_circle(0, JBD2_BT_REVOKE);
}

/* Where the next transaction would be, were there one */
static void journal_unreadable(void)
{
	u32 pos = hurt_log(hurt_root_dir()->ino) + 3;

	*disk.unreadable = volume_journal_blkno(&model.vol, 0) + pos;
}

static void slot_zero(void)
{
	memset(hurt_slot(1), 0, COHFS_BLOCK_SIZE);
}

static void slot_sum(void)
{
	hurt_slot(1)->sl_reserved[9] ^= 4;
}

static void slot_owner(void)
{
	hurt_slot(1)->sl_hdr.bh_owner = cpu_to_le64(2);
	hurt_seal(hurt_slot(1));
}

static void slot_orphan_dir(void)
{
	hurt_slot(0)->sl_orphan_dir = cpu_to_le64(hurt_big_dir()->ino);
	hurt_seal(hurt_slot(0));
}

static void pool_add(u64 ino)
{
	struct cohfs_slot *sl = hurt_slot(2);
	u32 count = le32_to_cpu(sl->sl_pool_count);

	sl->sl_pool[count] = cpu_to_le64(ino);
	sl->sl_pool_count = cpu_to_le32(count + 1);
	hurt_seal(sl);
}

static void pool_in_use(void)
{
	pool_add(hurt_file(1, false)->ino);
}

static void pool_outside(void)
{
	pool_add(3);
}

static void pool_twice(void)
{
	pool_add(le64_to_cpu(hurt_slot(2)->sl_pool[0]));
}

static void pool_count(void)
{
	hurt_slot(0)->sl_pool_count = cpu_to_le32(COHFS_POOL_MAX + 1);
	hurt_seal(hurt_slot(0));
}

static void free_delta(void)
{
	le64_add_cpu(&hurt_slot(1)->sl_free_delta, 1);
	hurt_seal(hurt_slot(1));
}

/* Groups ------------------------------------------------------------------------------------------ */

static void group_zero(void)
{
	memset(hurt_group(0), 0, COHFS_BLOCK_SIZE);
}

static void group_size(void)
{
	struct cohfs_group *g = hurt_group(1);

	le32_add_cpu(&g->g_blocks, -8);
	hurt_seal(g);
}

static void group_free(void)
{
	le32_add_cpu(&hurt_group(0)->g_free, 1);
	hurt_seal(hurt_group(0));
}

/* A block of the group changes sides, and the count follows */
static void mark(u64 blkno, bool used)
{
	u32 nr = 0, bit = 0;
	struct cohfs_group *g;

	volume_locate(&model.vol, blkno, &nr, &bit);
	g = hurt_group(nr);
	g->g_bitmap[bit / 8] ^= (u8)(1u << (bit & 7));
	le32_add_cpu(&g->g_free, used ? -1 : 1);
	hurt_seal(g);
}

static void blocks_lost(void)
{
	u64 blk = model.vol.info.blocks - 5;

	while (model.used[blk])
		blk--;
	mark(blk, true);
}

static void blocks_free(void)
{
	mark(hurt_file(2, false)->ext[1].blk, false);
}

static void inode_marked_free(void)
{
	mark(hurt_file(2, false)->ino, false);
}

/* The table ------------------------------------------------------------------------------ */

const struct kind kinds_fixed[] = {
	{ "super_zero", super_zero, "superblock: magic number; the copy in block", true },
	{ "super_sum", super_sum, "superblock: checksum; the copy in block", true },
	{ "super_size", super_size, "fits less to the rest", true },
	{ "super_hash_key", super_hash_key, "fits less to the rest", true },
	{ "super_root", super_root, "fits less to the rest", true },
	{ "super_copy_place", super_copy_place, "fits less to the rest", true },
	{ "super_features", super_features, "unknown incompatible features; the copy", true },
	{ "copy_zero", copy_zero, "copy of the superblock in block 3331: magic", true },
	{ "copy_label", copy_label, "copy of the superblock in block 3331: differs", true },
	{ "journal_super", journal_super,
	  "journal of slot 1: superblock: magic number; emptied", true },
	{ "journal_features", journal_features, "journal of slot 1: superblock: features", true },
	{ "journal_block", journal_block, "journal of slot 0: 1 logged blocks are damaged", true },
	{ "journal_outside", journal_outside, "1 logged blocks are of no place for metadata" },
	{ "journal_outside_revoked", journal_outside_revoked,
	  "1 logged blocks are of no place for metadata" },
	{ "journal_torn", journal_torn, "it and later ones are lost" },
	{ "journal_endless", journal_endless, "journal of slot 0: has no end", true },
	{ "journal_endless_commits", journal_endless_commits,
	  "journal of slot 0: has no end", true },
	{ "journal_endless_later", journal_endless_later,
	  "journal of slot 0: has no end", true },
	{ "journal_unreadable", journal_unreadable,
	  "journal of slot 0: a block of it cannot be read", true },
	{ "slot_zero", slot_zero, "slot 1: block 3: magic number; made anew", true },
	{ "slot_sum", slot_sum, "slot 1: block 3: checksum", true },
	{ "slot_owner", slot_owner, "slot 1: block 3: owner", true },
	{ "slot_orphan_dir", slot_orphan_dir, "is no orphan directory", true },
	{ "pool_in_use", pool_in_use, "is no unused inode number", true },
	{ "pool_outside", pool_outside, "slot 2: 3 is no unused inode number", true },
	{ "pool_twice", pool_twice, "is no unused inode number", true },
	{ "pool_count", pool_count, "slot 0: block 2: inode pool count", true },
	{ "free_delta", free_delta, "the slots count", true },
	{ "group_zero", group_zero, "group 0: block 3328: magic number; bitmap made anew", true },
	{ "group_size", group_size, "group 1: block 35072: ", true },
	{ "group_free", group_free, "free count of the group", true },
	{ "blocks_lost", blocks_lost, "1 blocks are marked in use that nothing uses", true },
	{ "blocks_free", blocks_free, "1 blocks are marked free that are in use", true },
	{ "inode_marked_free", inode_marked_free,
	  "1 blocks are marked free that are in use", true },
	{ NULL },
};
