// SPDX-License-Identifier: GPL-2.0-only
/*
 * fallocate(2): blocks before they are needed, holes, zeroes.
 *
 * All under D EX on exactly the pages whose bytes or blocks change, and I EX if the
 * file grows.  Blocks are zeroed when they are allocated, so allocating ahead costs a
 * write of zeroes; a write into them then costs no journal and no M.
 *
 * A hole is punched in core before it is punched on disk.  Faults and reads of this
 * node share D EX, and look at the map with a folio locked: once the map in core says
 * "hole", and the folios that were there before are gone, nobody can read or write
 * the old blocks any more, and they can be freed.  invalidate_lock is held over all
 * of it (rank 6, before M), so that a reader does not fill in the old map meanwhile.
 */
#include <linux/fs.h>
#include <linux/falloc.h>
#include <linux/iomap.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include "aops.h"
#include "extalloc.h"
#include "extmap.h"
#include "inode.h"
#include "range.h"
#include "times.h"
#include "truncate.h"

#define MODES	(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)

/* Zero [@from, @to), which is part of one page, in the page cache. */
static int zero_part(const struct cohfs_range_hold *hold, loff_t from, loff_t to)
{
	pgoff_t index = from >> PAGE_SHIFT;
	int err;

	/* beyond EOF nothing is known to be zero anyway */
	to = min(to, i_size_read(hold->inode));
	if (from >= to)
		return 0;
	err = cohfs_extmap_fill(hold, index, index);
	if (err)
		return err;
	return iomap_zero_range(hold->inode, from, to - from, NULL, &cohfs_iomap_ops);
}

/* Make [@first, @last], whole blocks, a hole. */
static int punch_blocks(const struct cohfs_range_hold *hold, u64 first, u64 last)
{
	struct inode *inode = hold->inode;
	loff_t start = (loff_t)first << PAGE_SHIFT;
	loff_t end = ((loff_t)last << PAGE_SHIFT) + PAGE_SIZE - 1;
	int err;

	filemap_invalidate_lock(inode->i_mapping);
	/*
	 * Should it fail half-way the old contents must be the last ones.  Nor can a folio that
	 * is dirty be cut, and no store makes it so again while invalidate_lock is held.
	 */
	err = filemap_write_and_wait_range(inode->i_mapping, start, end);
	if (!err) {
		truncate_pagecache_range(inode, start, end);
		err = cohfs_extmap_hide(inode, first, last);
	}
	if (!err) {
		/* who had looked at the map before */
		truncate_pagecache_range(inode, start, end);
		err = cohfs_extalloc_punch(inode, first, last);
	}
	filemap_invalidate_unlock(inode->i_mapping);
	return err;
}

static int punch(const struct cohfs_range_hold *hold, loff_t pos, loff_t end)
{
	loff_t whole = round_up(pos, PAGE_SIZE), whole_end = round_down(end, PAGE_SIZE);
	int err;

	if (whole > whole_end)
		return zero_part(hold, pos, end);
	err = zero_part(hold, pos, whole);
	if (!err)
		err = zero_part(hold, whole_end, end);
	if (!err && whole < whole_end)
		err = punch_blocks(hold, whole >> PAGE_SHIFT, (whole_end >> PAGE_SHIFT) - 1);
	return err;
}

/* Blocks for every hole in [@pos, @end), and the size if it is to grow (@grows). */
static int allocate(const struct cohfs_range_hold *hold, loff_t pos, loff_t end,
		    bool grows)
{
	struct inode *inode = hold->inode;
	loff_t size = i_size_read(inode);
	int err = 0;

	grows = grows && end > size;
	if (grows)
		err = cohfs_disksize_settle(inode);
	if (!err && grows)
		err = cohfs_zero_gap(hold, size, end);
	if (!err)
		err = cohfs_extalloc_fill(hold, pos >> PAGE_SHIFT,
					  (end - 1) >> PAGE_SHIFT);
	if (!err && grows)
		err = cohfs_set_size(inode, end);
	if (!err && grows)
		pagecache_isize_extended(inode, size, end);
	return err;
}

static int change(struct cohfs_range_hold *hold, int mode, loff_t pos, loff_t end)
{
	int err = 0;

	if (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))
		err = punch(hold, pos, end);
	if (!err && !(mode & FALLOC_FL_PUNCH_HOLE))
		err = allocate(hold, pos, end, !(mode & FALLOC_FL_KEEP_SIZE));
	cohfs_range_note_store(hold);
	cohfs_times_touch(hold->inode);
	return err;
}

/* I is held, EX unless the size is kept. */
static int change_locked(struct inode *inode, int mode, loff_t pos, loff_t end)
{
	struct cohfs_range_hold hold;
	loff_t first = pos;
	int err = 0;

	/* more than there can be: say so before the disk is full of zeroes */
	if (!(mode & FALLOC_FL_PUNCH_HOLE) &&
	    (u64)(end - pos) >> COHFS_BLOCK_SHIFT > COHFS_SB(inode->i_sb)->geo.blocks)
		return -ENOSPC;
	if (IS_IMMUTABLE(inode) || (IS_APPEND(inode) && (mode & ~FALLOC_FL_KEEP_SIZE)))
		return -EPERM;
	if (!(mode & FALLOC_FL_KEEP_SIZE)) {
		err = inode_newsize_ok(inode, end);
		first = min(pos, i_size_read(inode));
	}
	if (!err)
		err = cohfs_range_lock(&hold, inode, first >> PAGE_SHIFT,
				       (end - 1) >> PAGE_SHIFT, COHFS_EX,
				       COHFS_RANGE_ATTR);
	if (err)
		return err;
	err = change(&hold, mode, pos, end);
	cohfs_range_unlock(&hold);
	return err;
}

long cohfs_fallocate(struct file *file, int mode, loff_t pos, loff_t len)
{
	struct inode *inode = file_inode(file);
	enum cohfs_mode attr = mode & FALLOC_FL_KEEP_SIZE ? COHFS_PR : COHFS_EX;
	int err;

	if (mode & ~MODES)
		return -EOPNOTSUPP;
	if (cohfs_is_withdrawn(COHFS_SB(inode->i_sb)))
		return -EIO;
	inode_lock(inode);
	err = cohfs_file_remove_privs(file);
	if (!err)
		err = attr == COHFS_EX ? cohfs_attr_lock_write(inode) :
					 cohfs_attr_lock(inode, attr);
	if (!err) {
		err = change_locked(inode, mode, pos, pos + len);
		cohfs_attr_unlock(inode, attr);
	}
	if (!err && (file->f_flags & O_SYNC))
		err = vfs_fsync_range(file, pos, pos + len - 1, !(file->f_flags & __O_SYNC));
	inode_unlock(inode);
	return err;
}
