// SPDX-License-Identifier: GPL-2.0-only
/*
 * Size changes of regular files.
 *
 * A size changes only under I EX *and* D EX on every page whose bytes change
 * meaning: shrinking [new, inf), growing [old, new), each rounded down to the page,
 * so that whoever holds a range may trust i_size without asking.
 *
 * Shrinking: the new size is journaled before the blocks are freed.  A crash between
 * the two leaves blocks beyond EOF, which cost space until the next truncate and
 * never show: growing over them zeroes them on disk first.
 */
#include <linux/iomap.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include "aops.h"
#include "extalloc.h"
#include "extmap.h"
#include "inode.h"
#include "log.h"
#include "range.h"
#include "times.h"
#include "truncate.h"

/* Zero the rest of the page that holds @from, up to @to, in the page cache. */
static int zero_tail(const struct cohfs_range_hold *hold, loff_t from, loff_t to)
{
	struct inode *inode = hold->inode;
	loff_t end = min_t(loff_t, to, round_up(from, PAGE_SIZE));
	pgoff_t index = from >> PAGE_SHIFT;
	int err;

	if (end <= from)
		return 0;
	err = cohfs_extmap_fill(hold, index, index);
	if (err)
		return err;
	return iomap_zero_range(inode, from, end - from, NULL, &cohfs_iomap_ops);
}

int cohfs_zero_gap(const struct cohfs_range_hold *hold, loff_t from, loff_t to)
{
	u64 first = DIV_ROUND_UP_ULL(from, COHFS_BLOCK_SIZE);
	u64 end = DIV_ROUND_UP_ULL(to, COHFS_BLOCK_SIZE);
	int err = zero_tail(hold, from, to);

	if (!err && first < end)
		err = cohfs_extalloc_zero(hold, first, end - 1);
	return err;
}

int cohfs_set_size(struct inode *inode, loff_t newsize)
{
	struct cohfs_inode *ci = COHFS_I(inode);
	handle_t *handle;
	int err, err2;

	handle = cohfs_trans_begin(COHFS_SB(inode->i_sb), COHFS_INODE_CREDITS);
	if (IS_ERR(handle))
		return PTR_ERR(handle);
	cohfs_disksize_set(inode, newsize);
	inode_set_mtime_to_ts(inode, inode_set_ctime_current(inode));
	ci->ci_time_gen++;
	err = cohfs_inode_write(handle, inode);
	ci->ci_sync_tid = handle->h_transaction->t_tid;
	err2 = cohfs_trans_end(handle);
	return err ? err : err2;
}

/*
 * The size is @newsize already, invalidate_lock is held.  A large folio is not cut while it
 * is dirty, and would be written, when the file is long enough again, to blocks that it has
 * no more.  An error is for the next fsync(), as of any write-back.
 */
static void clean_cut(struct inode *inode, loff_t newsize)
{
	struct address_space *mapping = inode->i_mapping;

	filemap_fdatawrite_range(mapping, newsize, newsize);
	filemap_fdatawait_range_keep_errors(mapping, newsize, newsize);
}

static int truncate_down(const struct cohfs_range_hold *hold, loff_t newsize)
{
	struct inode *inode = hold->inode;
	u64 first_free = DIV_ROUND_UP_ULL(newsize, COHFS_BLOCK_SIZE);
	int err;

	/*
	 * Zero the tail before the size changes: iomap writes only below EOF, and
	 * the zeroes must be on their way before anything can uncover the bytes.
	 */
	err = zero_tail(hold, newsize, i_size_read(inode));
	if (err)
		return err;
	err = cohfs_set_size(inode, newsize);
	if (err)
		return err;
	/*
	 * A fault or a read on this node may be in the middle of adding a folio that
	 * was below EOF when it began; invalidate_lock keeps it out, and what still
	 * gets in while the blocks are freed goes in the second pass.
	 */
	filemap_invalidate_lock(inode->i_mapping);
	clean_cut(inode, newsize);
	truncate_pagecache(inode, newsize);
	cohfs_extmap_forget(&COHFS_I(inode)->ci_extmap, first_free, U64_MAX);
	filemap_invalidate_unlock(inode->i_mapping);
	err = cohfs_extalloc_free(inode, first_free, U64_MAX);
	filemap_invalidate_lock(inode->i_mapping);
	truncate_pagecache(inode, newsize);
	filemap_invalidate_unlock(inode->i_mapping);
	return err;
}

static int truncate_up(const struct cohfs_range_hold *hold, loff_t newsize)
{
	struct inode *inode = hold->inode;
	loff_t oldsize = i_size_read(inode);
	int err;

	err = cohfs_zero_gap(hold, oldsize, newsize);
	if (!err)
		err = cohfs_set_size(inode, newsize);
	if (!err)
		pagecache_isize_extended(inode, oldsize, newsize);
	return err;
}

int cohfs_truncate(struct inode *inode, loff_t newsize)
{
	loff_t oldsize = i_size_read(inode);
	pgoff_t first = min(oldsize, newsize) >> PAGE_SHIFT;
	struct cohfs_range_hold hold;
	int err;

	err = cohfs_range_lock(&hold, inode, first, COHFS_RANGE_END, COHFS_EX,
			       COHFS_RANGE_ATTR);
	if (err)
		return err;
	cohfs_times_void(inode);
	/* what stays must be on disk before a size beyond it is */
	if (newsize > COHFS_I(inode)->ci_disk.size)
		err = cohfs_disksize_settle(inode);
	if (!err)
		err = newsize > oldsize ? truncate_up(&hold, newsize) :
					  truncate_down(&hold, newsize);
	cohfs_range_unlock(&hold);
	return err;
}
