// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each kind of damage that fsck.cohfs knows: it is found, with the message that belongs
 * to it, and repaired; afterwards the filesystem is clean and what was not hit is there.
 */
#include "../../tools/lib/mem.h"
#include "../../tools/lib/reader.h"
#include "core_test.h"
#include "fsck_compare.h"
#include "fsck_hurt.h"

static const struct kind *kind;

static void check_kind(void)
{
	memset(hurt_blocks, 0, disk.blocks);
	build_reseed(5);
	kind->hurt();
	CHECK_EQ(disk_fsck("-n"), 4);
	CHECK(disk_said(kind->message));
	if (test_failed)
		fprintf(stderr, "wanted \"%s\", got:\n%.2000s\n", kind->message, disk.output);
	CHECK_EQ(disk_fsck("-y"), 1);
	if (test_failed)
		fprintf(stderr, "-y:\n%.2000s\n", disk.output);
	CHECK_EQ(disk_fsck("-n"), 0);
	CHECK_EQ(compare_model(kind->whole ? NULL : hurt_blocks), 0);
	if (test_failed)
		fprintf(stderr, "then -n:\n%.2000s\n", disk.output);
	disk_restore();
}

/* Names behind what was lost of a leaf */
static void leaf_names(void)
{
	struct model_inode *dir = hurt_big_dir();
	struct cohfs_dirleaf *leaf = hurt_leaf();
	u32 n, last = cohfs_dirleaf_count(leaf) - 1, lost = 0;
	char name[COHFS_NAME_MAX];
	u32 len = hurt_entry(leaf, last)->d_name_len;
	struct cohfs_dirtarget target;

	memset(hurt_blocks, 0, disk.blocks);
	for (n = 0; n < 2; n++)
		lost += le16_to_cpu(hurt_entry(leaf, n)->d_rec_len);
	memcpy(name, hurt_entry(leaf, last)->d_name, len);
	memset(leaf->l_data, 0, lost);
	CHECK_EQ(disk_fsck("-y"), 1);
	CHECK(reader_look_up(&model.vol, dir->ino, dir->generation, name, len, &target));
	CHECK_EQ(disk_fsck("-n"), 0);
	disk_restore();
}

/* -n writes nothing; a repair that loses something is not for -p */
static void preen(void)
{
	memset(hurt_blocks, 0, disk.blocks);
	hurt("links");
	CHECK_EQ(disk_fsck("-p"), 1);
	CHECK_EQ(disk_fsck("-n"), 0);
	disk_restore();
	hurt("leaf_zero");
	CHECK_EQ(disk_fsck("-p"), 4);
	CHECK(disk_said("run fsck.cohfs -y"));
	CHECK_EQ(disk_fsck("-n"), 4);
	CHECK_EQ(disk_fsck("-y"), 1);
	CHECK_EQ(disk_fsck("-p"), 0);
	disk_restore();
}

static void no_superblock(void)
{
	memset(hurt_blocks, 0, disk.blocks);
	hurt("super_zero");
	hurt("copy_zero");
	CHECK_EQ(disk_fsck("-n"), 8);
	CHECK_EQ(disk_fsck("-y"), 8);
	disk_restore();
}

static void newer_features(void)
{
	memset(hurt_blocks, 0, disk.blocks);
	hurt("super_features");
	((struct cohfs_super *)hurt_block(model.vol.info.copy))->s_feature_incompat = cpu_to_le32(0x80);
	build_seal(model.vol.info.copy);
	CHECK_EQ(disk_fsck("-y"), 8);
	CHECK(disk_said("newer features"));
	disk_restore();
}

/* Escaped blocks, revokes, a log that wraps around, several transactions of a block */
static void replay(void)
{
	struct log_trans *tr = mem_zalloc(sizeof(*tr));
	u64 blk = model.vol.info.blocks - 3;
	u32 i;

	memset(hurt_blocks, 0, disk.blocks);
	while (model.used[blk])
		blk--;
	for (i = 0; i < 6; i++) {	/* nothing uses it, so nobody minds */
		tr->count = 2;
		tr->blkno[0] = hurt_root_dir()->ino;
		memcpy(&tr->contents[0], disk_block(hurt_root_dir()->ino), COHFS_BLOCK_SIZE);
		tr->blkno[1] = blk;
		memset(&tr->contents[1], (int)i, COHFS_BLOCK_SIZE);
		put_unaligned_be32(JBD2_MAGIC, tr->contents[1].bytes);
		log_write(tr);
	}
	CHECK_EQ(disk_fsck("-n"), 0);
	CHECK(disk_said("6 transactions replayed, 12 blocks"));
	CHECK(!memchr_inv(disk_block(blk), 0, COHFS_BLOCK_SIZE));
	CHECK_EQ(disk_fsck("-y"), 0);
	CHECK_EQ(get_unaligned_be32(disk_block(blk)), JBD2_MAGIC);
	CHECK_EQ(((u8 *)disk_block(blk))[9], 5);
	CHECK_EQ(disk_fsck("-n"), 0);
	CHECK(!disk_said("replayed"));
	CHECK_EQ(compare_model(NULL), 0);
	disk_restore();
	free(tr);
}

/* What a transaction has revoked is not written by it or earlier ones, but by later ones */
static void revokes(void)
{
	struct log_trans *tr = mem_zalloc(sizeof(*tr));
	u64 blk[2] = { model.vol.info.blocks - 3, 0 };
	u32 i;

	for (i = 0; i < 2; i++) {
		blk[i] = i ? blk[0] - 1 : blk[0];
		while (model.used[blk[i]])
			blk[i]--;
	}
	tr->count = 2;
	tr->blkno[0] = blk[0];
	tr->blkno[1] = blk[1];
	memset(tr->contents, 7, 2 * sizeof(tr->contents[0]));
	log_write(tr);
	tr->count = 0;
	tr->revokes = 2;
	tr->revoke[0] = blk[0];
	tr->revoke[1] = blk[1];
	log_write(tr);
	tr->count = 1;
	tr->revokes = 0;
	memset(tr->contents, 9, sizeof(tr->contents[0]));
	log_write(tr);
	CHECK_EQ(disk_fsck("-y"), 0);
	CHECK_EQ(*(u8 *)disk_block(blk[0]), 9);
	CHECK_EQ(*(u8 *)disk_block(blk[1]), 0);
	disk_restore();
	free(tr);
}

/* The last transaction has no commit block: it never happened */
static void uncommitted(void)
{
	u32 pos;

	hurt_log(hurt_root_dir()->ino);
	pos = hurt_log(hurt_big_dir()->ino);
	memset(log_block(0, pos + 2 < model.vol.info.journal_blocks ? pos + 2 :
			    pos + 3 - model.vol.info.journal_blocks), 0, COHFS_BLOCK_SIZE);
	memset(log_block(0, pos + 1 < model.vol.info.journal_blocks ? pos + 1 : 1), 0x33,
	       COHFS_BLOCK_SIZE);
	CHECK_EQ(disk_fsck("-y"), 0);
	CHECK(disk_said("journal of slot 0: 1 transactions replayed"));
	CHECK_EQ(disk_fsck("-n"), 0);
	CHECK_EQ(compare_model(NULL), 0);
	disk_restore();
}

/* Whatever it names: a transaction without a commit block never happened */
static void uncommitted_outside(void)
{
	u32 pos = hurt_log(COHFS_SUPER_BLKNO) + 2;

	memset(log_block(0, pos), 0, COHFS_BLOCK_SIZE);
	CHECK_EQ(disk_fsck("-y"), 0);
	CHECK(disk_said("journal of slot 0: 0 transactions replayed"));
	CHECK_EQ(disk_fsck("-n"), 0);
	CHECK_EQ(compare_model(NULL), 0);
	disk_restore();
}

/* What was complete before the journal goes round in circles is replayed, nothing else */
static void endless(void)
{
	struct log_trans *tr = mem_zalloc(sizeof(*tr));
	u64 blk = model.vol.info.blocks - 3;

	while (model.used[blk])
		blk--;
	tr->count = 1;
	tr->blkno[0] = blk;
	memset(tr->contents, 7, sizeof(tr->contents[0]));
	log_write(tr);
	log_circle(0, JBD2_BT_REVOKE);
	CHECK_EQ(disk_fsck("-p"), 4);
	CHECK_EQ(*(u8 *)disk_block(blk), 0);
	CHECK_EQ(disk_fsck("-y"), 1);
	CHECK(disk_said("journal of slot 0: 1 transactions replayed, 1 blocks"));
	CHECK_EQ(*(u8 *)disk_block(blk), 7);
	CHECK_EQ(disk_fsck("-n"), 0);
	CHECK_EQ(compare_model(NULL), 0);
	disk_restore();
	free(tr);
}

static void undamaged(void)
{
	CHECK_EQ(disk_fsck("-n"), 0);
	CHECK_EQ(disk_fsck("-y"), 0);
	CHECK(disk_said("clean"));
	CHECK_EQ(compare_model(NULL), 0);
	disk_restore();
}

/* COHFS_KINDS in the environment: only those that begin like this */
static void try_case(const char *name, void (*fn)(void))
{
	const char *only = getenv("COHFS_KINDS");
	char full[64];

	if (only && strncmp(name, only, strlen(only)))
		return;
	snprintf(full, sizeof(full), "fsck_%s", name);
	test_case(full, fn);
}

static void check_kinds(const struct kind *table)
{
	for (kind = table; kind->name; kind++)
		try_case(kind->name, check_kind);
}

int main(void)
{
	test_begin();
	build_filesystem(3, false);
	hurt_blocks = mem_zalloc(disk.blocks);
	try_case("undamaged", undamaged);
	check_kinds(kinds_fixed);
	check_kinds(kinds_inode);
	check_kinds(kinds_dir);
	try_case("leaf_names", leaf_names);
	try_case("preen", preen);
	try_case("no_superblock", no_superblock);
	try_case("newer_features", newer_features);
	try_case("replay", replay);
	try_case("revokes", revokes);
	try_case("uncommitted", uncommitted);
	try_case("uncommitted_outside", uncommitted_outside);
	try_case("endless", endless);
	build_filesystem(4, true);
	try_case("dirty_journals", undamaged);
	return test_end();
}
