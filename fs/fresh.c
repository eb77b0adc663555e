// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fresh blocks: zeroed when they are committed, unless they have been written by then.
 *
 * That is the order of ext3's data=ordered, without folio locks: the commit does not write
 * what is dirty.  It zeroes what is not on its way to the disk yet, and waits for what is.
 * A block that is dirty and still fresh is zeroed, and written later; write-back that meets
 * it being zeroed waits.  Who waits for whom: Documentation/locking.rst, "7P and 7X".
 */
#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/iomap.h>
#include <linux/mutex.h>
#include <linux/pagemap.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include "extmap.h"
#include "fresh.h"
#include "inode.h"
#include "log.h"

/*
 * So many pieces of a file are zeroed in one commit, and take 64 bytes each until then.  Half
 * of them make it begin.
 */
#define FRESH_MAX	8192

/**
 * struct cohfs_fresh - of an inode that has had fresh blocks
 * @jinode: tells jbd2 whom to ask before a commit
 * @mutex: one who zeroes at a time
 * @runs: the blocks that are fresh; no holes
 * @zeroing: those that a commit is zeroing; empty unless one is under way
 * @zeroed: wakes who waits for that
 * @changes: counts whenever blocks stop to be fresh because they are written
 * @lost: write-back of the inode has failed
 */
struct cohfs_fresh {
	struct jbd2_inode jinode;
	struct mutex mutex;
	struct cohfs_extmap runs;
	struct cohfs_extmap zeroing;
	wait_queue_head_t zeroed;
	atomic64_t changes;
	bool lost;
};

/* Set once while the inode is in core */
static struct cohfs_fresh *fresh_of(const struct inode *inode)
{
	/* with what fresh_make() has put into it */
	return smp_load_acquire(&COHFS_I(inode)->ci_fresh);
}

static struct cohfs_fresh *fresh_make(struct inode *inode)
{
	struct cohfs_fresh *fr = fresh_of(inode);

	lockdep_assert_held(&COHFS_I(inode)->ci_map_mutex);
	if (fr)
		return fr;
	fr = kzalloc(sizeof(*fr), GFP_NOFS);
	if (!fr)
		return NULL;
	jbd2_journal_init_jbd_inode(&fr->jinode, inode);
	mutex_init(&fr->mutex);
	cohfs_extmap_init(&fr->runs);
	cohfs_extmap_init(&fr->zeroing);
	init_waitqueue_head(&fr->zeroed);
	atomic64_set(&fr->changes, 0);
	/* fresh_of() */
	smp_store_release(&COHFS_I(inode)->ci_fresh, fr);
	return fr;
}

int cohfs_fresh_add(handle_t *handle, struct inode *inode, u64 first, u64 len, u64 blk)
{
	struct cohfs_mapping run = { .first = first, .len = len, .blk = blk };
	struct cohfs_fresh *fr = fresh_make(inode);
	int err;

	if (!fr)
		return -ENOMEM;
	if (READ_ONCE(fr->runs.count) >= FRESH_MAX)
		return -ENOSPC;
	err = cohfs_extmap_put(&fr->runs, &run);
	if (err)
		return err;
	err = cohfs_log_order(handle, &fr->jinode, (loff_t)first << COHFS_BLOCK_SHIFT,
			      (loff_t)len << COHFS_BLOCK_SHIFT);
	if (err)
		cohfs_extmap_forget(&fr->runs, first, first + len - 1);
	if (READ_ONCE(fr->runs.count) == FRESH_MAX / 2)
		cohfs_log_commit(COHFS_SB(inode->i_sb), false);
	return err;
}

/* Looking ------------------------------------------------------------------------ */

static bool is_empty(const struct cohfs_extmap *em)
{
	/* who finds cohfs_extmap_move()'s zero finds the runs where they are now */
	return !smp_load_acquire(&em->count);
}

/* Is @lblk in @em?  For how many blocks, at most @len, does that hold? */
static bool covered(struct cohfs_extmap *em, u64 lblk, u64 *len)
{
	struct cohfs_mapping m;

	if (is_empty(em) || !cohfs_extmap_next(em, lblk, &m))
		return false;
	if (m.first > lblk) {
		*len = min(*len, m.first - lblk);
		return false;
	}
	*len = min(*len, cohfs_mapping_last(&m) - lblk + 1);
	return true;
}

/*
 * First @runs, then @zeroing: a commit moves them in that direction, and who finds neither
 * has come after the end of the zeroing.
 */
bool cohfs_fresh_find(struct inode *inode, u64 lblk, u64 *len, u64 *cookie)
{
	struct cohfs_fresh *fr = fresh_of(inode);

	if (!fr)
		return false;
	*cookie = atomic64_read_acquire(&fr->changes);
	return covered(&fr->runs, lblk, len) || covered(&fr->zeroing, lblk, len);
}

/* Or was it written since, and its folio reclaimed?  Asked with the folio locked, a new one maybe. */
static bool still_fresh(struct inode *inode, const struct iomap *iomap)
{
	return atomic64_read(&fresh_of(inode)->changes) == iomap->validity_cookie;
}

/*
 * Where a write covers less than a folio, iomap zeroes what will be left of the first and the
 * last block, and calls all from one to the other uptodate before it copies: what a copy that
 * stops short leaves, and what others read meanwhile, would be whatever the memory held.
 */
static struct folio *get_folio(struct iomap_iter *iter, loff_t pos, unsigned int len)
{
	struct folio *folio = iomap_get_folio(iter, pos, len);
	size_t offset, end;

	if (IS_ERR(folio) || folio_test_uptodate(folio))
		return folio;
	offset = offset_in_folio(folio, pos);
	end = min(offset + len, folio_size(folio));
	if (end - offset == folio_size(folio))
		return folio;
	for (offset = round_down(offset, COHFS_BLOCK_SIZE); offset < end;
	     offset += COHFS_BLOCK_SIZE)
		if (!iomap_is_partially_uptodate(folio, offset, COHFS_BLOCK_SIZE))
			folio_zero_range(folio, offset, COHFS_BLOCK_SIZE);
	return folio;
}

const struct iomap_folio_ops cohfs_fresh_folio_ops = {
	.get_folio = get_folio,
	.iomap_valid = still_fresh,
};

/* Written or freed ----------------------------------------------------------------- */

static bool is_in(struct cohfs_extmap *em, u64 first, u64 last)
{
	struct cohfs_mapping m;

	return !is_empty(em) && cohfs_extmap_next(em, first, &m) && m.first <= last;
}

/*
 * What is cut from @runs is not zeroed any more: a commit that has not taken it yet sees the
 * writeback bit instead, and one that has is waited for.
 */
void cohfs_fresh_gone(struct inode *inode, u64 first, u64 last)
{
	struct cohfs_fresh *fr = fresh_of(inode);

	if (!fr)
		return;
	/* a commit may take them now: then they are found below */
	if (is_in(&fr->runs, first, last))
		cohfs_extmap_forget(&fr->runs, first, last);
	wait_event(fr->zeroed, !is_in(&fr->zeroing, first, last));
	/* whoever was told that they are fresh, at whatever moment, has to look again */
	atomic64_inc(&fr->changes);
}

void cohfs_fresh_lost(struct inode *inode)
{
	struct cohfs_fresh *fr = fresh_of(inode);

	if (fr)
		WRITE_ONCE(fr->lost, true);
}

/* Zeroing -------------------------------------------------------------------------- */

/* From @from on, what the disk has side by side; false: there is no more */
static bool next_run(struct cohfs_extmap *em, u64 *from, struct cohfs_mapping *run)
{
	struct cohfs_mapping m;

	run->len = 0;
	while (cohfs_extmap_next(em, *from, &m) &&
	       (!run->len || run->blk + run->len == m.blk)) {
		if (!run->len)
			run->blk = m.blk;
		run->len += m.len;
		*from = cohfs_mapping_last(&m) + 1;
	}
	return run->len;
}

static int zero_at_once(struct block_device *bdev, struct cohfs_extmap *em)
{
	struct cohfs_mapping run;
	struct bio *bio = NULL;
	int err = 0, err2 = 0;
	u64 from = 0;

	while (!err && next_run(em, &from, &run))
		err = __blkdev_issue_zeroout(bdev, run.blk << (COHFS_BLOCK_SHIFT - 9),
					     run.len << (COHFS_BLOCK_SHIFT - 9), GFP_NOFS,
					     &bio, BLKDEV_ZERO_NOUNMAP);
	if (bio) {
		err2 = submit_bio_wait(bio);
		bio_put(bio);
	}
	return err ? err : err2;
}

/* A device may turn out not to know the command, and is given zeroes to write, then. */
static int zero_one_by_one(struct block_device *bdev, struct cohfs_extmap *em)
{
	struct cohfs_mapping run;
	u64 from = 0;
	int err = 0;

	while (!err && next_run(em, &from, &run))
		err = blkdev_issue_zeroout(bdev, run.blk << (COHFS_BLOCK_SHIFT - 9),
					   run.len << (COHFS_BLOCK_SHIFT - 9), GFP_NOFS,
					   BLKDEV_ZERO_NOUNMAP);
	return err;
}

static void fail(struct inode *inode, const char *what, int err)
{
	struct cohfs_sb *cs = COHFS_SB(inode->i_sb);

	cohfs_log_fail(cs);
	cohfs_withdraw(cs, "inode %lu: new blocks cannot be %s: error %d", inode->i_ino, what,
		       err);
}

/* Now and not at the commit, or in it */
static int zero_fresh(struct inode *inode, struct cohfs_fresh *fr)
{
	struct block_device *bdev = inode->i_sb->s_bdev;
	int err = 0;

	mutex_lock(&fr->mutex);
	if (!is_empty(&fr->runs)) {
		cohfs_extmap_move(&fr->runs, &fr->zeroing);
		err = zero_at_once(bdev, &fr->zeroing);
		if (err)
			err = zero_one_by_one(bdev, &fr->zeroing);
		/* nobody may read them, and they must not be committed */
		if (err)
			fail(inode, "zeroed", err);
		cohfs_extmap_forget(&fr->zeroing, 0, U64_MAX);
		wake_up_all(&fr->zeroed);
	}
	mutex_unlock(&fr->mutex);
	return err;
}

/* As jbd2_journal_begin_ordered_truncate(); zeroes may be many, but it is a rare moment. */
void cohfs_fresh_freed(struct inode *inode, u64 first, u64 last)
{
	struct cohfs_fresh *fr = fresh_of(inode);

	if (!fr)
		return;
	if (is_in(&fr->runs, first, last) &&
	    cohfs_log_commits(COHFS_SB(inode->i_sb), &fr->jinode))
		zero_fresh(inode, fr);
	cohfs_fresh_gone(inode, first, last);
}

/*
 * The transaction is committing: no handle of it is open.  What the next one has allocated
 * meanwhile is zeroed with the rest.
 */
int cohfs_fresh_submit(struct jbd2_inode *jinode)
{
	struct cohfs_fresh *fr = container_of(jinode, struct cohfs_fresh, jinode);

	return zero_fresh(jinode->i_vfs_inode, fr);
}

/*
 * A block that write-back has taken and not written holds what it held: the transaction must
 * not commit.  That is asked before its commit record is written.
 */
int cohfs_fresh_finish(struct jbd2_inode *jinode)
{
	struct cohfs_fresh *fr = container_of(jinode, struct cohfs_fresh, jinode);

	/* an error may be an old one, and is for fsync() */
	jbd2_journal_finish_inode_data_buffers(jinode);
	if (!READ_ONCE(fr->lost))
		return 0;
	fail(jinode->i_vfs_inode, "written", -EIO);
	return -EIO;
}

/*
 * As long as there are any, a transaction has yet to call for them, and waits for the mutex: so
 * do a commit and a withdrawal.  jbd2 is told when they are zero.  No handle: whoever evicts
 * may be short of memory and have folios locked.
 */
void cohfs_fresh_evict(struct inode *inode)
{
	struct cohfs_fresh *fr = fresh_of(inode);

	if (!fr)
		return;
	zero_fresh(inode, fr);
	cohfs_log_order_end(COHFS_SB(inode->i_sb), &fr->jinode);
	COHFS_I(inode)->ci_fresh = NULL;
	kfree(fr);
}
