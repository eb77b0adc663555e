// SPDX-License-Identifier: GPL-2.0-only
/*
 * How fsck.cohfs ends when it does not get to its end, or cannot repair everything: the
 * exit status, and that a later run repairs what was left.
 */
#include <signal.h>
#include "../../tools/lib/mem.h"
#include "core_test.h"
#include "fsck_compare.h"
#include "fsck_hurt.h"

#define STOPS	10	/* places in a run where it is stopped */

/* Damage all over the filesystem, and journals to replay; the same each time */
static void damage(void)
{
	memset(hurt_blocks, 0, disk.blocks);
	build_reseed(5);
	hurt("links");
	hurt("leaf_zero");
	hurt("map_zero");
	hurt("blocks_lost");
	hurt("copy_zero");
}

/* A run without traps; how many reads and writes it takes */
static struct disk_calls whole_run(void)
{
	struct disk_calls calls;

	damage();
	CHECK_EQ(disk_fsck("-y"), 1);
	calls = *disk.calls;
	CHECK_EQ(disk_fsck("-n"), 0);
	disk_restore();
	CHECK(calls.reads > 1000 && calls.writes > 30);
	return calls;
}

static int stopped(const char *option, int sig, struct disk_calls where)
{
	int status;

	disk.trap = where;
	disk.trap_signal = sig;
	status = disk_fsck(option);
	memset(&disk.trap, 0, sizeof(disk.trap));
	return status;
}

static void repaired_now(void)
{
	CHECK_EQ(disk_fsck("-y"), 1);
	CHECK_EQ(disk_fsck("-n"), 0);
	CHECK_EQ(compare_model(hurt_blocks), 0);
	disk_restore();
}

/* @n-th of STOPS numbers from 1 to @last */
static u32 place(u32 n, u32 last)
{
	return 1 + (u32)((u64)n * (last - 1) / (STOPS - 1));
}

/* Until it writes, whoever stops it has changed nothing */
static void stopped_reading(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	static const char * const options[] = { "-y", "-n", "-p" };
	u32 last = whole_run().reads, i;

	for (i = 0; i < STOPS && !test_failed; i++) {
		damage();
		CHECK_EQ(stopped(options[i % 3], signals[i / 2 % 3],
				 (struct disk_calls){ .reads = place(i, last / 2) }), 32);
		CHECK(disk_said("cancelled, nothing was written"));
		CHECK_EQ(disk.calls->writes, 0);
		repaired_now();
	}
}

/* As nohup(1) has it */
static void ignored(void)
{
	damage();
	signal(SIGHUP, SIG_IGN);
	CHECK_EQ(stopped("-y", SIGHUP, (struct disk_calls){ .reads = 100 }), 1);
	signal(SIGHUP, SIG_DFL);
	CHECK_EQ(disk_fsck("-n"), 0);
	disk_restore();
}

/* While it writes, it is not to be stopped, and then it has done it all and says so */
static void held(void)
{
	u32 last = whole_run().writes, i;

	for (i = 0; i < STOPS && !test_failed; i++) {
		damage();
		CHECK_EQ(stopped("-y", i & 1 ? SIGINT : SIGTERM,
				 (struct disk_calls){ .writes = place(i, last) }), 1);
		CHECK(disk_said("repaired"));
		CHECK_EQ(disk.calls->writes, last);
		CHECK_EQ(disk_fsck("-n"), 0);
		CHECK_EQ(compare_model(hurt_blocks), 0);
		disk_restore();
	}
}

/* The power fails while it writes */
static void cut(void)
{
	u32 last = whole_run().writes, i;

	for (i = 0; i < 2 * STOPS && !test_failed; i++) {
		damage();
		/* at places all over the run, and the last ones: journals are marked empty */
		CHECK_EQ(stopped("-y", SIGKILL, (struct disk_calls){
			.writes = i < STOPS ? place(i, last) : last + STOPS - i }), -1);
		CHECK(disk_fsck("-n") != 8);
		CHECK((disk_fsck("-y") & ~1) == 0);
		CHECK_EQ(disk_fsck("-n"), 0);
		CHECK_EQ(compare_model(hurt_blocks), 0);
		if (test_failed)
			fprintf(stderr, "write %u of %u\n", i, last);
		disk_restore();
	}
}

/* A filesystem without free blocks -------------------------------------------------------- */

/* Runs of free blocks, each one extent of a file; its keys begin at 0 */
static u32 free_runs(struct cohfs_extent *ext)
{
	u64 blk, key = 0;
	u32 n = 0;

	for (blk = model.vol.info.first_group; blk < model.vol.info.blocks; blk++) {
		if (model.used[blk])
			continue;
		if (!n || ext[n - 1].blk + ext[n - 1].len != blk)
			ext[n++] = (struct cohfs_extent){ .key = key, .blk = blk };
		ext[n - 1].len++;
		key++;
	}
	return n;
}

static struct cohfs_map_block *new_node(const struct model_inode *mi, u64 blkno, u32 level)
{
	struct cohfs_map_block *mb = disk_block(blkno);

	disk_touch(blkno);
	memset(mb, 0, COHFS_BLOCK_SIZE);
	cohfs_header_init(&mb->m_hdr, COHFS_BT_MAP, blkno, model.vol.info.fsid, mi->ino,
			  mi->generation);
	mb->m_level = cpu_to_le16((u16)level);
	return mb;
}

/* Nodes are taken from the end of the last run */
static void write_map(const struct model_inode *mi, struct cohfs_extent *ext, u32 n)
{
	struct cohfs_map_block *root = new_node(mi, mi->ino + 1, 1), *leaf = NULL;
	struct cohfs_extent *last = &ext[n - 1];
	u64 blocks = last->key + last->len;
	u32 i;

	must(last->len > DIV_ROUND_UP(n, COHFS_MAP_RECS), "room for a map");
	last->len -= DIV_ROUND_UP(n, COHFS_MAP_RECS);
	for (i = 0; i < n; i++) {
		u32 child = i / COHFS_MAP_RECS;
		u64 blkno = last->blk + last->len + child;

		if (i % COHFS_MAP_RECS == 0) {
			leaf = new_node(mi, blkno, 0);
			cohfs_mapblock_put(root, child, &(struct cohfs_extent){
				.key = ext[i].key, .blk = blkno });
		}
		cohfs_mapblock_put(leaf, i % COHFS_MAP_RECS, &ext[i]);
		build_seal(blkno);
	}
	root->m_blocks = cpu_to_le64(blocks);
	build_seal(mi->ino + 1);
}

static void mark_all_used(void)
{
	struct cohfs_slot *sl = disk_block(model.vol.info.first_slot);
	u32 g;

	for (g = 0; g < model.vol.info.groups; g++) {
		struct cohfs_group *group = disk_block(volume_group_blkno(&model.vol, g));

		le64_add_cpu(&sl->sl_free_delta, -(u64)le32_to_cpu(group->g_free));
		memset(group->g_bitmap, 0xff, sizeof(group->g_bitmap));
		group->g_free = 0;
		build_seal(volume_group_blkno(&model.vol, g));
	}
	build_seal(model.vol.info.first_slot);
}

static struct model_inode *empty_file(void)
{
	struct model_inode *mi;

	do {
		mi = model_pick(MODEL_REG);
	} while (mi->exts);
	return mi;
}

/* One file gets all that is free */
static struct model_inode *fill_up(void)
{
	struct cohfs_extent *ext = mem_zalloc(disk.blocks * sizeof(*ext));
	struct model_inode *mi = empty_file();
	struct cohfs_dinode *di = disk_block(mi->ino);
	u32 n = free_runs(ext);

	di->i_size = cpu_to_le64((ext[n - 1].key + ext[n - 1].len) << COHFS_BLOCK_SHIFT);
	build_seal(mi->ino);
	write_map(mi, ext, n);
	mark_all_used();
	free(ext);
	return mi;
}

static void lose_a_name(const struct model_inode *full)
{
	struct model_inode *mi;

	do {
		mi = model_pick(MODEL_REG);
	} while (mi == full || mi->links != 1);
	hurt_remove_name(mi->ino);
}

/* What is corrected, and what is left for want of a block for lost+found */
static void left(void)
{
	struct model_inode *full;

	memset(hurt_blocks, 0, disk.blocks);
	build_reseed(5);
	full = fill_up();
	CHECK_EQ(disk_fsck("-n"), 0);
	hurt("free_delta");
	lose_a_name(full);
	CHECK_EQ(disk_fsck("-p"), 4);
	CHECK_EQ(disk_fsck("-y"), 1 | 4);
	CHECK(disk_said("no space for a directory lost+found"));
	CHECK(disk_said("NOT ALL REPAIRED"));
	CHECK_EQ(disk_fsck("-n"), 4);
	CHECK(!disk_said("the slots count"));
	/* nothing that it could correct */
	CHECK_EQ(disk_fsck("-y"), 4);
	/* and with space again */
	new_node(full, full->ino + 1, 0);
	build_seal(full->ino + 1);
	CHECK_EQ(disk_fsck("-y"), 1);
	CHECK(disk_said("directory lost+found made"));
	CHECK_EQ(disk_fsck("-n"), 0);
	disk_restore();
}

int main(void)
{
	test_begin();
	signal(SIGINT, SIG_DFL);	/* whatever started the tests */
	signal(SIGTERM, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	build_filesystem(4, true);
	hurt_blocks = mem_zalloc(disk.blocks);
	test_case("fsck_status_cancelled", stopped_reading);
	test_case("fsck_status_ignored", ignored);
	test_case("fsck_status_held", held);
	test_case("fsck_status_cut", cut);
	build_filesystem(3, false);
	test_case("fsck_status_left", left);
	return test_end();
}
