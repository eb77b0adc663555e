// SPDX-License-Identifier: GPL-2.0-only
/*
 * Regular files: read, write, fsync, seek.
 *
 * The order of a write: i_rwsem -> I (PR, or EX if the file grows) -> D EX ->
 * allocation (M, G, transaction) -> copy.  In-size writes and reads whose range is
 * cached skip I altogether and send nothing.
 *
 * User memory is only touched with page faults disabled, because a fault there may
 * need a lock that another node gives up only when we give up ours.  A copy that
 * stops short drops everything, brings the buffer in and goes on (usermap.c).
 */
#include <linux/filelock.h>
#include <linux/iomap.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/splice.h>
#include <linux/uio.h>
#include "aops.h"
#include "extalloc.h"
#include "extmap.h"
#include "folio.h"
#include "inode.h"
#include "ioctl.h"
#include "log.h"
#include "mmap.h"
#include "range.h"
#include "times.h"
#include "trace.h"
#include "truncate.h"
#include "usermap.h"

#define COPY_WINDOW	(4UL << 20)	/* allocated and copied at a time */
#define FAULT_WINDOW	(1UL << 20)	/* first try; shrinks to a page */
#define AHEAD_MAX	(1UL << 20)	/* most that an append allocates ahead */
#define HOLE_MIN	(64UL << 10)	/* so long a gap before a write stays a hole */
#define TURN_WINDOW	(1UL << 20)	/* written back at a time while nodes take turns */

/* Make read-ahead of the file find its mapping, too. */
static int read_fill(const struct cohfs_range_hold *hold, struct kiocb *iocb, size_t count)
{
	struct inode *inode = hold->inode;
	u64 ra = iocb->ki_filp->f_ra.ra_pages;
	u64 first = iocb->ki_pos >> PAGE_SHIFT;
	u64 eof = DIV_ROUND_UP(i_size_read(inode), PAGE_SIZE);
	u64 last = ((iocb->ki_pos + count) >> PAGE_SHIFT) + ra;

	if (first >= eof)
		return 0;
	return cohfs_extmap_fill(hold, first, min(last, eof - 1));
}

/* How many of @count bytes at @pos are beyond what is held? */
static size_t read_beyond(const struct cohfs_range_hold *hold, loff_t pos, size_t count)
{
	u64 end = (u64)pos + count;

	if ((end - 1) >> PAGE_SHIFT <= hold->span_last)
		return 0;
	return end - ((u64)(hold->span_last + 1) << PAGE_SHIFT);
}

static ssize_t read_locked(const struct cohfs_range_hold *hold, struct kiocb *iocb,
			   struct iov_iter *to, struct cohfs_plan *plan)
{
	ssize_t n, done = 0;
	size_t beyond;
	int err;

	err = read_fill(hold, iocb, iov_iter_count(to));
	if (err)
		return err;
	/* the file may grow on this node meanwhile, the hold does not */
	beyond = read_beyond(hold, iocb->ki_pos, iov_iter_count(to));
	iov_iter_truncate(to, iov_iter_count(to) - beyond);
	do {
		pagefault_disable();
		n = filemap_read(iocb, to, 0);
		pagefault_enable();
		if (n > 0)
			done += n;
	} while ((n > 0 || n == -EFAULT) && iov_iter_count(to) &&
		 cohfs_plan_fault_in(plan, to));
	iov_iter_reexpand(to, iov_iter_count(to) + beyond);
	return done ? done : n;
}

/*
 * Last page that a read of @count bytes at @pos can find, if the size is @size; the one
 * behind the end, if that lies between two pages: growth begins with it.
 */
static pgoff_t read_last(loff_t pos, size_t count, loff_t size)
{
	loff_t end = min_t(u64, (u64)pos + count, (u64)max(size, pos) + 1);

	return (end - 1) >> PAGE_SHIFT;
}

/*
 * The range of a read ends with the file: beyond it there is nothing to read, and others
 * append there.  What is held includes the page with the end, if the read gets there, so
 * the size cannot change any more; it may have been old before.
 */
static int read_hold(struct cohfs_range_hold *hold, struct inode *inode, loff_t pos,
		     size_t count)
{
	pgoff_t last = read_last(pos, count, i_size_read(inode));
	int err;

	err = cohfs_range_lock(hold, inode, pos >> PAGE_SHIFT, last, COHFS_PR,
			       COHFS_RANGE_BRIEF);
	if (err || read_last(pos, count, i_size_read(inode)) <= hold->span_last)
		return err;
	cohfs_range_unlock(hold);
	/* it has grown; now no other node can make it longer between look and grant */
	err = cohfs_attr_lock(inode, COHFS_PR);
	if (err)
		return err;
	last = read_last(pos, count, i_size_read(inode));
	err = cohfs_range_lock(hold, inode, pos >> PAGE_SHIFT, last, COHFS_PR,
			       COHFS_RANGE_ATTR);
	cohfs_attr_unlock_done(inode, COHFS_PR);
	return err;
}

static ssize_t read_attempt(struct kiocb *iocb, struct iov_iter *to,
			    struct cohfs_plan *plan)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	pgoff_t first = iocb->ki_pos >> PAGE_SHIFT;
	pgoff_t last = (iocb->ki_pos + iov_iter_count(to) - 1) >> PAGE_SHIFT;
	ssize_t n;
	int err;

	if (!plan->user) {
		err = read_hold(&plan->own, inode, iocb->ki_pos, iov_iter_count(to));
		if (err)
			return err;
		n = read_locked(&plan->own, iocb, to, plan);
		cohfs_range_unlock(&plan->own);
		return n;
	}
	/* faults into the buffer will be stores; a freeze must not catch a holder */
	sb_start_pagefault(inode->i_sb);
	err = cohfs_plan_lock_attrs(plan, COHFS_PR);
	if (!err)
		err = cohfs_plan_lock_ranges(plan, first, last);
	n = err;
	if (!err) {
		n = read_locked(cohfs_plan_hold(plan), iocb, to, plan);
		cohfs_plan_unlock(plan);
	}
	sb_end_pagefault(inode->i_sb);
	return n;
}

/* The copy stopped at user memory: repeat it with that memory in core? */
static bool copy_repeat(struct kiocb *iocb, struct iov_iter *iter,
			struct cohfs_plan *plan, size_t *window, ssize_t n,
			int *err)
{
	if (!iov_iter_count(iter) || !n || (n < 0 && n != -EFAULT))
		return false;
	*err = cohfs_plan_prepare(plan, iter, window);
	trace_cohfs_copy_retry(plan->target, iocb->ki_pos, iov_iter_count(iter),
			       plan->user, plan->count);
	return !*err;
}

static ssize_t cohfs_file_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	size_t window = FAULT_WINDOW;
	struct cohfs_plan plan;
	ssize_t n, done = 0;
	int err = 0;

	if (!iov_iter_count(to))
		return 0;
	if (cohfs_is_withdrawn(COHFS_SB(inode->i_sb)))
		return -EIO;
	cohfs_plan_init(&plan, inode, COHFS_PR);
	do {
		n = read_attempt(iocb, to, &plan);
		if (n > 0) {
			done += n;
			window = FAULT_WINDOW;
			/* short at EOF, not at a fault */
			if (iocb->ki_pos >= i_size_read(inode))
				break;
		}
	} while (copy_repeat(iocb, to, &plan, &window, n, &err));
	cohfs_plan_fini(&plan);
	if (done)
		return done;
	return err ? err : n;
}

/*
 * How far to allocate ahead of an append: half the file, at most AHEAD_MAX.  Who leaves long
 * gaps would have to zero them, which costs more than to allocate for each piece; unless
 * there are others, who will fill them.
 */
static u64 write_ahead(struct inode *inode, loff_t pos)
{
	loff_t size = i_size_read(inode);

	if (pos > size && pos - size >= HOLE_MIN && !cohfs_range_shared(inode))
		return 0;
	return min_t(u64, AHEAD_MAX, size / 2) >> COHFS_BLOCK_SHIFT;
}

/*
 * Are places to be sought for the records that are likely to follow?  Short gaps of a file
 * that only this node writes to are better zeroed if they are less than what is written; and
 * where all append others are what lies between.
 */
static bool write_foresees(struct inode *inode, const struct kiocb *iocb)
{
	const struct cohfs_inode *ci = COHFS_I(inode);
	const struct cohfs_stride *st = &ci->ci_stride;

	if ((iocb->ki_flags & IOCB_APPEND) || cohfs_extmap_is_large(&ci->ci_extmap))
		return false;
	return cohfs_range_shared(inode) || st->step >= 2 * st->len ||
	       st->step >= st->len + (HOLE_MIN >> COHFS_BLOCK_SHIFT);
}

/* Blocks for [@pos, @pos + @len); on a full disk as long a prefix as there is. */
static ssize_t write_allocate(const struct cohfs_range_hold *hold, const struct kiocb *iocb,
			      size_t len)
{
	struct inode *inode = hold->inode;
	struct cohfs_inode *ci = COHFS_I(inode);
	const struct cohfs_stride *stride = NULL;
	loff_t pos = iocb->ki_pos;
	u64 first = pos >> COHFS_BLOCK_SHIFT;
	u64 last = (pos + len - 1) >> COHFS_BLOCK_SHIFT;
	u64 lblk = first, blk, n;
	int err;

	cohfs_stride_note(&ci->ci_stride, first, last - first + 1);
	if (write_foresees(inode, iocb))
		stride = &ci->ci_stride;
	if (pos + len > i_size_read(inode))
		err = cohfs_extalloc_append(hold, first, last, write_ahead(inode, pos),
					    stride);
	else
		err = cohfs_extalloc_write(hold, first, last, stride);
	if (!err)
		return len;
	if (err != -ENOSPC)
		return err;
	while (lblk <= last && (n = cohfs_extmap_lookup(inode, lblk, &blk)) && blk)
		lblk += n;
	if (lblk == first)
		return -ENOSPC;
	return min_t(u64, len, (lblk << COHFS_BLOCK_SHIFT) - pos);
}

/*
 * Of what was to be written at @pos only some was copied.  Folios that are beyond EOF now may
 * hold anything there; growth that leaves it out takes it for zero.
 */
static void write_cut_short(struct inode *inode, loff_t pos, size_t len)
{
	loff_t end = pos + len, eof = max(pos, i_size_read(inode));

	if (eof < end)
		truncate_pagecache_range(inode, eof, end - 1);
}

/* Allocate for and copy one window.  Returns bytes copied or an error. */
static ssize_t write_window(const struct cohfs_range_hold *hold, struct kiocb *iocb,
			    struct iov_iter *from)
{
	size_t count = iov_iter_count(from);
	loff_t pos = iocb->ki_pos;
	ssize_t n, room;

	room = write_allocate(hold, iocb, min(count, COPY_WINDOW));
	if (room < 0)
		return room;
	iov_iter_truncate(from, room);
	cohfs_folio_large_begin(hold, pos);
	pagefault_disable();
	n = iomap_file_buffered_write(iocb, from, &cohfs_iomap_ops, NULL);
	pagefault_enable();
	cohfs_folio_large_end(hold->inode);
	if (n < room)
		write_cut_short(hold->inode, pos, room);
	iov_iter_reexpand(from, count - max_t(ssize_t, n, 0));
	return n;
}

/*
 * Growth has I EX, so the times are attributes at once, and journaled with the size.
 * Those of in-size writes are published later.
 */
static void write_finish(struct cohfs_range_hold *hold, bool grows)
{
	struct inode *inode = hold->inode;

	cohfs_range_note_store(hold);
	if (!grows) {
		cohfs_times_touch(inode);
		return;
	}
	inode_set_mtime_to_ts(inode, inode_set_ctime_current(inode));
	cohfs_disksize_grown(inode);
}

/*
 * Bytes between EOF at @size and @pos become zero.  Where @pos is in a block that begins
 * beyond EOF it is iomap that zeroes its head.
 */
static int write_gap(struct cohfs_range_hold *hold, loff_t size, loff_t pos)
{
	loff_t end = max(round_down(pos, COHFS_BLOCK_SIZE),
			 min(pos, round_up(size, COHFS_BLOCK_SIZE)));

	return end > size ? cohfs_zero_gap(hold, size, end) : 0;
}

/* D EX is held for the range, I EX if the file grows. */
static ssize_t write_locked(struct cohfs_range_hold *hold, struct kiocb *iocb,
			    struct iov_iter *from, struct cohfs_plan *plan, bool grows)
{
	struct inode *inode = hold->inode;
	loff_t size = i_size_read(inode);
	ssize_t n = 0, done = 0;
	int err;

	err = write_gap(hold, size, iocb->ki_pos);
	if (err)
		return err;
	do {
		n = write_window(hold, iocb, from);
		if (n > 0)
			done += n;
	} while (iov_iter_count(from) &&
		 (n > 0 || (n == -EFAULT && cohfs_plan_fault_in(plan, from))));
	/* iomap may have moved EOF to where a copy began that came to nothing */
	if (done || i_size_read(inode) > size)
		write_finish(hold, grows);
	return done ? done : n;
}

/*
 * Does another node make the file grow to which this one writes?  Then they take turns:
 * growth needs I EX, which lets nobody else take new pages either, so whoever has it may
 * as well have all of the file and write as on one machine until its tenure of I is
 * over.  Page by page each record would cost a hand-over of I and of the map, with a
 * flush of the journal.
 */
static bool in_turns(const struct cohfs_plan *plan)
{
	return !plan->user && cohfs_range_shared(plan->target) &&
	       cohfs_grows_elsewhere(plan->target);
}

/*
 * Locks for one attempt, decided with a true i_size.  @mode is the mode of I to
 * begin with; -EAGAIN asks to come again with EX because the file will grow.
 * Returns the bytes that may be written, 0 for none.
 *
 * An append that was interrupted by a fault (@again) may go on only where it stopped:
 * if another node has appended meanwhile the caller gets a short count, not a torn
 * record.
 */
static ssize_t write_lock_all(struct kiocb *iocb, struct iov_iter *from,
			  struct cohfs_plan *plan, enum cohfs_mode mode,
			  bool again, bool *grows)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	loff_t size, end, pos = iocb->ki_pos;
	pgoff_t last;
	ssize_t count;
	int err;

	err = cohfs_plan_lock_attrs(plan, mode);
	if (err)
		return err;
	count = generic_write_checks(iocb, from);
	if (count <= 0)
		goto out_unlock;
	if (again && iocb->ki_pos != pos) {
		iocb->ki_pos = pos;
		count = 0;
		goto out_unlock;
	}
	size = i_size_read(inode);
	end = iocb->ki_pos + count;
	*grows = end > size;
	if (*grows && mode != COHFS_EX) {
		count = -EAGAIN;
		goto out_unlock;
	}
	last = mode == COHFS_EX && in_turns(plan) ? COHFS_RANGE_END :
						    (end - 1) >> PAGE_SHIFT;
	err = cohfs_plan_lock_ranges(plan, min(iocb->ki_pos, size) >> PAGE_SHIFT, last);
	return err ? err : count;

out_unlock:
	cohfs_plan_unlock(plan);
	return count;
}

/*
 * An overwrite inside the file whose range is cached: no lock but D.  Nor is I needed to
 * know that there are no privileges to remove: they are set with D EX over the whole file,
 * and were known when this range was granted.
 */
static bool write_fast(struct kiocb *iocb, struct iov_iter *from,
		       struct cohfs_plan *plan, ssize_t *ret)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	loff_t end = iocb->ki_pos + iov_iter_count(from);
	pgoff_t first = iocb->ki_pos >> PAGE_SHIFT;
	pgoff_t last = (end - 1) >> PAGE_SHIFT;
	bool fits;

	if (plan->user || (iocb->ki_flags & IOCB_APPEND))
		return false;
	if (end < iocb->ki_pos || end > i_size_read(inode))
		return false;
	if (cohfs_range_lock(&plan->own, inode, first, last, COHFS_EX,
			     COHFS_RANGE_TRY | COHFS_RANGE_BRIEF))
		return false;
	/* i_size is true only now */
	fits = end <= i_size_read(inode) && IS_NOSEC(inode);
	if (fits) {
		*ret = generic_write_checks(iocb, from);
		if (*ret > 0)
			*ret = write_locked(&plan->own, iocb, from, plan, false);
	}
	cohfs_range_unlock(&plan->own);
	return fits;
}

/*
 * Removing set-user-ID is a chmod and takes I and D itself, so it comes before our
 * locks.  The mode must be fresh: if I was lost it is read again here; while D is
 * cached nobody can have set the bits, that takes D EX over the whole file.
 */
int cohfs_file_remove_privs(struct file *file)
{
	struct inode *inode = file_inode(file);
	int err;

	if (!READ_ONCE(COHFS_I(inode)->ci_attr_valid)) {
		err = cohfs_attr_lock(inode, COHFS_PR);
		if (err)
			return err;
		cohfs_attr_unlock(inode, COHFS_PR);
	}
	return file_remove_privs(file);
}

/* By what is known without I: a guess that saves a try in the wrong mode */
static bool will_grow(const struct kiocb *iocb, const struct iov_iter *from)
{
	struct inode *inode = file_inode(iocb->ki_filp);

	return (iocb->ki_flags & IOCB_APPEND) ||
	       (READ_ONCE(COHFS_I(inode)->ci_attr_valid) &&
		iocb->ki_pos + iov_iter_count(from) > i_size_read(inode));
}

/* As write_lock_all(), in the weakest mode of I that will do. */
static ssize_t write_lock_either(struct kiocb *iocb, struct iov_iter *from,
				 struct cohfs_plan *plan, bool again, bool *grows)
{
	ssize_t n = -EAGAIN;

	if (!will_grow(iocb, from) && !in_turns(plan))
		n = write_lock_all(iocb, from, plan, COHFS_PR, again, grows);
	if (n == -EAGAIN)
		n = write_lock_all(iocb, from, plan, COHFS_EX, again, grows);
	return n;
}

/*
 * The same with no privileges left.  That there are none is seen with I in hand; only
 * where there are some is I taken for them alone.
 */
static ssize_t write_lock_nosec(struct kiocb *iocb, struct iov_iter *from,
				struct cohfs_plan *plan, bool again, bool *grows)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	ssize_t n;

	if (IS_NOSEC(inode)) {
		n = write_lock_either(iocb, from, plan, again, grows);
		if (n <= 0 || IS_NOSEC(inode))
			return n;
		cohfs_plan_unlock(plan);
	}
	n = cohfs_file_remove_privs(iocb->ki_filp);
	return n ? n : write_lock_either(iocb, from, plan, again, grows);
}

/*
 * Whose turn is next waits until what was written in this one is on disk, so that
 * begins at once, and the disk does not rest while this node fills pages.
 */
static void write_back_turn(struct inode *inode, size_t written)
{
	struct cohfs_inode *ci = COHFS_I(inode);

	ci->ci_turn_written += written;
	if (ci->ci_turn_written < TURN_WINDOW)
		return;
	ci->ci_turn_written = 0;
	/* errors are kept for the next fsync(), and for the revoke */
	filemap_flush(inode->i_mapping);
}

/*
 * The memory of growth begins when the locks are there: with many nodes, or much to write
 * back, they may have taken longer than it lasts, and who forgets that others make the file
 * longer gets one record written where they get a turn.
 */
static ssize_t write_lock_noting(struct kiocb *iocb, struct iov_iter *from,
				 struct cohfs_plan *plan, bool again, bool *grows)
{
	struct cohfs_inode *ci = COHFS_I(plan->target);
	unsigned long seen = READ_ONCE(ci->ci_grown);
	ssize_t n = write_lock_nosec(iocb, from, plan, again, grows);

	if (READ_ONCE(ci->ci_grown) != seen)
		WRITE_ONCE(ci->ci_grown, jiffies);
	return n;
}

static ssize_t write_attempt(struct kiocb *iocb, struct iov_iter *from,
			     struct cohfs_plan *plan, bool again)
{
	bool grows = false;
	ssize_t n;

	if (write_fast(iocb, from, plan, &n))
		return n;
	n = write_lock_noting(iocb, from, plan, again, &grows);
	if (n <= 0)
		return n;
	n = write_locked(cohfs_plan_hold(plan), iocb, from, plan, grows);
	cohfs_plan_unlock(plan);
	if (n > 0 && in_turns(plan))
		write_back_turn(file_inode(iocb->ki_filp), n);
	return n;
}

static ssize_t write_all(struct kiocb *iocb, struct iov_iter *from)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	size_t window = FAULT_WINDOW;
	struct cohfs_plan plan;
	ssize_t n, done = 0;
	int err = 0;

	cohfs_plan_init(&plan, inode, COHFS_EX);
	do {
		n = write_attempt(iocb, from, &plan, done > 0);
		if (n > 0) {
			done += n;
			window = FAULT_WINDOW;
		}
	} while (copy_repeat(iocb, from, &plan, &window, n, &err));
	cohfs_plan_fini(&plan);
	if (done)
		return done;
	return err ? err : n;
}

static ssize_t cohfs_file_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	ssize_t ret;

	if (!iov_iter_count(from))
		return 0;
	if (cohfs_is_withdrawn(COHFS_SB(inode->i_sb)))
		return -EIO;
	inode_lock(inode);
	ret = write_all(iocb, from);
	inode_unlock(inode);
	if (ret > 0)
		ret = generic_write_sync(iocb, ret);
	return ret;
}

static ssize_t cohfs_file_splice_read(struct file *in, loff_t *ppos,
				      struct pipe_inode_info *pipe, size_t len,
				      unsigned int flags)
{
	struct inode *inode = file_inode(in);
	struct cohfs_range_hold hold;
	struct kiocb kiocb;
	ssize_t ret;
	int err;

	if (!len)
		return 0;
	init_sync_kiocb(&kiocb, in);
	kiocb.ki_pos = *ppos;
	err = read_hold(&hold, inode, *ppos, len);
	if (err)
		return err;
	ret = read_fill(&hold, &kiocb, len);
	if (!ret)
		ret = filemap_splice_read(in, ppos, pipe,
					  len - read_beyond(&hold, *ppos, len), flags);
	cohfs_range_unlock(&hold);
	return ret;
}

/* SEEK_DATA and SEEK_HOLE read the map, so they need the whole range filled. */
static loff_t seek_extent(struct inode *inode, loff_t offset, int whence)
{
	struct cohfs_range_hold hold;
	u64 eof;
	int err;

	err = cohfs_range_lock(&hold, inode, 0, COHFS_RANGE_END, COHFS_PR, 0);
	if (err)
		return err;
	eof = DIV_ROUND_UP(i_size_read(inode), PAGE_SIZE);
	if (offset >= 0 && eof)
		err = cohfs_extmap_fill(&hold, offset >> PAGE_SHIFT, eof - 1);
	if (!err)
		offset = whence == SEEK_HOLE ?
			iomap_seek_hole(inode, offset, &cohfs_iomap_ops) :
			iomap_seek_data(inode, offset, &cohfs_iomap_ops);
	cohfs_range_unlock(&hold);
	return err ? err : offset;
}

static loff_t cohfs_file_llseek(struct file *file, loff_t offset, int whence)
{
	struct inode *inode = file_inode(file);
	int err;

	switch (whence) {
	case SEEK_END:
		err = cohfs_attr_lock(inode, COHFS_PR);
		if (err)
			return err;
		offset = generic_file_llseek(file, offset, whence);
		cohfs_attr_unlock(inode, COHFS_PR);
		return offset;
	case SEEK_HOLE:
	case SEEK_DATA:
		offset = seek_extent(inode, offset, whence);
		if (offset < 0)
			return offset;
		return vfs_setpos(file, offset, inode->i_sb->s_maxbytes);
	default:
		return generic_file_llseek(file, offset, whence);
	}
}

/* Before the filesystem can be frozen, as a transaction begins */
static int fsync_size(struct inode *inode)
{
	int err;

	if (!cohfs_disksize_behind(inode))
		return 0;
	sb_start_intwrite(inode->i_sb);
	err = cohfs_disksize_settle(inode);
	sb_end_intwrite(inode->i_sb);
	return err;
}

static int cohfs_file_fsync(struct file *file, loff_t start, loff_t end,
			    int datasync)
{
	struct inode *inode = file_inode(file);
	struct cohfs_sb *cs = COHFS_SB(inode->i_sb);
	int err;

	if (cohfs_is_withdrawn(cs))
		return -EIO;
	err = file_write_and_wait_range(file, start, end);
	if (!err)
		err = fsync_size(inode);
	if (!err && !datasync)
		err = cohfs_times_publish(inode);
	/*
	 * Data that another node took over is on disk but maybe only in the disk's
	 * cache: the flush that ends the commit covers it, the disk is one.
	 */
	if (!err)
		err = cohfs_inode_commit(inode);
	return err;
}

/* close(2): the times of what was written through this file become visible. */
static int cohfs_file_flush(struct file *file, fl_owner_t id)
{
	if (!(file->f_mode & FMODE_WRITE))
		return 0;
	return cohfs_times_publish(file_inode(file));
}

/* The last mapping may outlive the last close(2). */
static int cohfs_file_release(struct inode *inode, struct file *file)
{
	if (file->f_mode & FMODE_WRITE)
		cohfs_times_publish(inode);
	return 0;
}

/*
 * fcntl() and flock() locks do not reach the other nodes yet, and a lock that only
 * seems to exclude is worse than none: in a cluster they are refused.
 */
static bool locks_are_local(struct file *file)
{
	return COHFS_SB(file_inode(file)->i_sb)->opts.lock == COHFS_LOCK_LOCAL;
}

static int cohfs_file_lock(struct file *file, int cmd, struct file_lock *fl)
{
	if (!locks_are_local(file))
		return -EOPNOTSUPP;
	if (!IS_GETLK(cmd))
		return posix_lock_file(file, fl, NULL);
	posix_test_lock(file, fl);
	return 0;
}

static int cohfs_file_flock(struct file *file, int cmd, struct file_lock *fl)
{
	if (!locks_are_local(file))
		return -EOPNOTSUPP;
	return locks_lock_file_wait(file, fl);
}

const struct file_operations cohfs_file_fops = {
	.owner		= THIS_MODULE,
	.llseek		= cohfs_file_llseek,
	.read_iter	= cohfs_file_read_iter,
	.write_iter	= cohfs_file_write_iter,
	.mmap		= cohfs_mmap,
	.fsync		= cohfs_file_fsync,
	.flush		= cohfs_file_flush,
	.unlocked_ioctl	= cohfs_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.release	= cohfs_file_release,
	.splice_read	= cohfs_file_splice_read,
	.splice_write	= iter_file_splice_write,
	.fallocate	= cohfs_fallocate,
	.lock		= cohfs_file_lock,
	.flock		= cohfs_file_flock,
	.setlease	= simple_nosetlease,	/* a lease here would not reach the others */
};

const struct inode_operations cohfs_file_iops = {
	.getattr	= cohfs_getattr,
	.setattr	= cohfs_setattr,
	.permission	= cohfs_permission,
};
