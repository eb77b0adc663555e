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

/* So many pieces of a file are zeroed in one commit, and take 64 bytes each until then. */
#define FRESH_MAX	4096

/**
 * struct cohfs_fresh - of an inode that has had fresh blocks
 * @jinode: tells jbd2 whom to ask before a commit
 * @mutex: one who zeroes at a time
 * @runs: the blocks that are fresh; no holes
 * @zeroing: those that a commit is zeroing; empty unless one is under way
 * @zeroed: wakes who waits for that
 * @changes: how often fresh blocks stopped to be fresh
 */
struct cohfs_fresh {
	struct jbd2_inode jinode;
	struct mutex mutex;
	struct cohfs_extmap runs;
	struct cohfs_extmap zeroing;
	wait_queue_head_t zeroed;
	atomic64_t changes;
};

/* Set once while the inode is in core */
static struct cohfs_fresh *fresh_of(const struct inode *inode)
{
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
	return err;
}

/* Looking ------------------------------------------------------------------------ */

/* Is @lblk in @em?  For how many blocks, at most @len, does that hold? */
static bool covered(struct cohfs_extmap *em, u64 lblk, u64 *len)
{
	struct cohfs_mapping m;

	if (!smp_load_acquire(&em->count) || !cohfs_extmap_next(em, lblk, &m))
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

const struct iomap_folio_ops cohfs_fresh_folio_ops = {
	.iomap_valid = still_fresh,
};

/* Written or freed ----------------------------------------------------------------- */

static bool is_zeroing(struct cohfs_fresh *fr, u64 first, u64 last)
{
	struct cohfs_mapping m;

	return smp_load_acquire(&fr->zeroing.count) &&
	       cohfs_extmap_next(&fr->zeroing, first, &m) && m.first <= last;
}

/*
 * What is cut from @runs is not zeroed any more: a commit that has not taken it yet sees the
 * writeback bit instead, and one that has is waited for.
 */
void cohfs_fresh_gone(struct inode *inode, u64 first, u64 last)
{
	struct cohfs_fresh *fr = fresh_of(inode);
	struct cohfs_mapping m;

	if (!fr)
		return;
	/* a commit may take them now: then they are found below */
	if (smp_load_acquire(&fr->runs.count) && cohfs_extmap_next(&fr->runs, first, &m) &&
	    m.first <= last) {
		cohfs_extmap_forget(&fr->runs, first, last);
		atomic64_inc(&fr->changes);
	}
	wait_event(fr->zeroed, !is_zeroing(fr, first, last));
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

static int zero_fresh(struct inode *inode, struct cohfs_fresh *fr)
{
	struct block_device *bdev = inode->i_sb->s_bdev;
	int err = 0;

	mutex_lock(&fr->mutex);
	if (READ_ONCE(fr->runs.count)) {
		cohfs_extmap_move(&fr->runs, &fr->zeroing);
		err = zero_at_once(bdev, &fr->zeroing);
		if (err)
			err = zero_one_by_one(bdev, &fr->zeroing);
		/* whatever they are now: after an error the journal ends here */
		atomic64_inc(&fr->changes);
		cohfs_extmap_forget(&fr->zeroing, 0, U64_MAX);
		wake_up_all(&fr->zeroed);
	}
	mutex_unlock(&fr->mutex);
	return err;
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

/* Errors of data are for fsync(), as without all this. */
int cohfs_fresh_finish(struct jbd2_inode *jinode)
{
	jbd2_journal_finish_inode_data_buffers(jinode);
	return 0;
}

/*
 * jbd2 is told last, so that a commit waits for these zeroes, too.  So does a withdrawal, for
 * the handle; without one nothing commits any more, and what is on the disk is no matter.
 */
void cohfs_fresh_evict(struct inode *inode)
{
	struct cohfs_sb *cs = COHFS_SB(inode->i_sb);
	struct cohfs_fresh *fr = fresh_of(inode);
	handle_t *handle;
	int err;

	if (!fr)
		return;
	handle = READ_ONCE(fr->runs.count) ? cohfs_trans_begin(cs, 1) : NULL;
	if (!IS_ERR_OR_NULL(handle)) {
		err = zero_fresh(inode, fr);
		if (err)
			cohfs_withdraw(cs, "cannot zero new blocks: error %d", err);
		cohfs_trans_end(handle);
	} else if (IS_ERR(handle) && !cohfs_is_withdrawn(cs)) {
		cohfs_withdraw(cs, "cannot zero new blocks: no transaction: error %ld",
			       PTR_ERR(handle));
	}
	cohfs_log_order_end(cs, &fr->jinode);
	cohfs_extmap_forget(&fr->runs, 0, U64_MAX);
	COHFS_I(inode)->ci_fresh = NULL;
	kfree(fr);
}
