// SPDX-License-Identifier: GPL-2.0-only
/*
 * Times of data writes, published lazily.
 *
 * A write inside the file holds D only; taking I EX for its mtime would send every
 * page hand-over through the journal.  So the time is kept here and published under
 * I EX by a worker within a second, and before fsync, msync and close return.  An
 * explicit utimes or a truncate bumps the inode's time generation; times that were
 * noted under an older generation are void, they would undo the explicit one.
 *
 * Publishing means telling I: its value block takes the times to the other nodes.
 * While a file goes to and fro between nodes that is all the worker does; the journal
 * gets them at fsync, sync and close, or when the file has calmed down.  Else every
 * second I would have to wait for a flush of the journal, and the pages for I.
 */
#include "inode.h"
#include "log.h"
#include "range.h"
#include "times.h"

#define TIMES_PERIOD	HZ

static void times_work(struct work_struct *work);

void cohfs_times_init(struct cohfs_sb *cs)
{
	spin_lock_init(&cs->times_lock);
	INIT_LIST_HEAD(&cs->times_list);
	INIT_DELAYED_WORK(&cs->times_work, times_work);
}

static void times_enqueue(struct cohfs_sb *cs, struct cohfs_inode *ci)
{
	spin_lock(&cs->times_lock);
	if (list_empty(&ci->ci_times_link))
		list_add_tail(&ci->ci_times_link, &cs->times_list);
	spin_unlock(&cs->times_lock);
}

void cohfs_times_touch(struct inode *inode)
{
	struct cohfs_sb *cs = COHFS_SB(inode->i_sb);
	struct cohfs_inode *ci = COHFS_I(inode);
	struct timespec64 now = current_time(inode);
	bool queue;

	spin_lock(&ci->ci_times_lock);
	queue = !ci->ci_times_pending;
	if (queue)
		ci->ci_times_gen = ci->ci_time_gen;
	ci->ci_times_pending = true;
	ci->ci_times = now;
	spin_unlock(&ci->ci_times_lock);
	if (!queue)
		return;

	times_enqueue(cs, ci);
	queue_delayed_work(cs->times_wq, &cs->times_work, TIMES_PERIOD);
}

/*
 * Under I EX: move the pending times into the inode.  False: nothing to do.
 *
 * The attributes may have changed after the data, and ctime with them: mtime is that of the
 * data all the same.  One that is ahead of the clock was set before the data was written.
 */
static bool times_apply(struct inode *inode)
{
	struct cohfs_inode *ci = COHFS_I(inode);
	struct timespec64 ctime = inode_get_ctime(inode);
	struct timespec64 mtime = inode_get_mtime(inode);
	bool valid, later_ctime, later_mtime;

	spin_lock(&ci->ci_times_lock);
	valid = ci->ci_times_pending && ci->ci_times_gen == ci->ci_time_gen;
	later_ctime = valid && timespec64_compare(&ci->ci_times, &ctime) > 0;
	later_mtime = later_ctime ||
		      (valid && timespec64_compare(&ci->ci_times, &mtime) > 0);
	if (later_mtime)
		inode_set_mtime_to_ts(inode, ci->ci_times);
	if (later_ctime)
		inode_set_ctime_to_ts(inode, ci->ci_times);
	ci->ci_times_pending = false;
	spin_unlock(&ci->ci_times_lock);
	return later_mtime;
}

static int times_journal(struct inode *inode)
{
	handle_t *handle;
	int err, err2;

	handle = cohfs_trans_begin(COHFS_SB(inode->i_sb), COHFS_INODE_CREDITS);
	if (IS_ERR(handle))
		return PTR_ERR(handle);
	err = cohfs_inode_write(handle, inode);
	if (!err)
		COHFS_I(inode)->ci_times_unlogged = false;
	err2 = cohfs_trans_end(handle);
	return err ? err : err2;
}

/* The filesystem cannot be frozen (sb_start_intwrite) before the cluster lock. */
static int times_publish(struct inode *inode, bool journal)
{
	struct cohfs_inode *ci = COHFS_I(inode);
	int err;

	err = journal ? cohfs_attr_lock_write(inode) : cohfs_attr_lock(inode, COHFS_EX);
	if (err)
		return err;
	if (times_apply(inode))
		ci->ci_times_unlogged = true;
	if (journal && ci->ci_times_unlogged)
		err = times_journal(inode);
	cohfs_attr_unlock_done(inode, COHFS_EX);
	return err;
}

static bool times_due(struct inode *inode)
{
	struct cohfs_inode *ci = COHFS_I(inode);

	return READ_ONCE(ci->ci_times_pending) || READ_ONCE(ci->ci_times_unlogged);
}

int cohfs_times_publish(struct inode *inode)
{
	int err;

	if (!times_due(inode))
		return 0;
	sb_start_intwrite(inode->i_sb);
	err = times_publish(inode, true);
	sb_end_intwrite(inode->i_sb);
	return err;
}

void cohfs_times_peek(struct inode *inode, struct timespec64 *mtime)
{
	struct cohfs_inode *ci = COHFS_I(inode);

	spin_lock(&ci->ci_times_lock);
	if (ci->ci_times_pending && ci->ci_times_gen == ci->ci_time_gen &&
	    timespec64_compare(&ci->ci_times, mtime) > 0)
		*mtime = ci->ci_times;
	spin_unlock(&ci->ci_times_lock);
}

void cohfs_times_void(struct inode *inode)
{
	struct cohfs_inode *ci = COHFS_I(inode);

	spin_lock(&ci->ci_times_lock);
	ci->ci_times_pending = false;
	spin_unlock(&ci->ci_times_lock);
}

void cohfs_times_forget(struct inode *inode)
{
	struct cohfs_sb *cs = COHFS_SB(inode->i_sb);
	struct cohfs_inode *ci = COHFS_I(inode);

	cohfs_times_void(inode);
	spin_lock(&cs->times_lock);
	list_del_init(&ci->ci_times_link);
	spin_unlock(&cs->times_lock);
}

/*
 * Next inode of @batch, pinned; NULL when it is empty.  An inode on its way out is
 * skipped: its eviction calls cohfs_times_forget(), and its last close has published.
 */
static struct inode *times_next(struct cohfs_sb *cs, struct list_head *batch)
{
	struct cohfs_inode *ci;
	struct inode *inode = NULL;

	spin_lock(&cs->times_lock);
	while (!inode && !list_empty(batch)) {
		ci = list_first_entry(batch, struct cohfs_inode, ci_times_link);
		inode = igrab(&ci->ci_vfs);
		list_del_init(&ci->ci_times_link);
	}
	spin_unlock(&cs->times_lock);
	return inode;
}

/* Has another node taken data of this file since the last look? */
static bool times_contended(struct inode *inode)
{
	struct cohfs_inode *ci = COHFS_I(inode);
	unsigned int now = cohfs_range_handovers(inode);
	bool moved = now != ci->ci_times_handovers;

	ci->ci_times_handovers = now;
	return moved;
}

/* Return: true if the inode has to be looked at again. */
static bool times_visit(struct inode *inode, bool journal)
{
	struct cohfs_sb *cs = COHFS_SB(inode->i_sb);
	bool later = !journal && times_contended(inode);
	int err;

	if (!times_due(inode))
		return false;
	err = times_publish(inode, !later);
	if (!err)
		return later;
	if (cohfs_is_withdrawn(cs) || cohfs_is_alone(cs))
		return false;
	/* who syncs may be killed */
	if (err == -ENOMEM || err == -EINTR)
		return true;
	cohfs_warn(inode->i_sb, "inode %lu: times not written: %d", inode->i_ino, err);
	return false;
}

/*
 * Each inode that is on the list now, once: whoever is touched meanwhile waits for
 * the next round.  On a frozen filesystem nothing is written, so all of it waits.
 */
static void times_publish_all(struct cohfs_sb *cs, bool journal)
{
	struct inode *inode;
	LIST_HEAD(batch);
	bool again = false;

	if (!sb_start_intwrite_trylock(cs->sb)) {
		queue_delayed_work(cs->times_wq, &cs->times_work, TIMES_PERIOD);
		return;
	}
	spin_lock(&cs->times_lock);
	list_splice_init(&cs->times_list, &batch);
	spin_unlock(&cs->times_lock);
	while ((inode = times_next(cs, &batch))) {
		if (times_visit(inode, journal)) {
			times_enqueue(cs, COHFS_I(inode));
			again = true;
		}
		iput(inode);
	}
	sb_end_intwrite(cs->sb);
	if (again)
		queue_delayed_work(cs->times_wq, &cs->times_work, TIMES_PERIOD);
}

static void times_work(struct work_struct *work)
{
	times_publish_all(container_of(to_delayed_work(work), struct cohfs_sb,
				       times_work), false);
}

void cohfs_times_sync(struct cohfs_sb *cs)
{
	times_publish_all(cs, true);
}

void cohfs_times_stop(struct cohfs_sb *cs)
{
	cancel_delayed_work_sync(&cs->times_work);
	times_publish_all(cs, true);
	cancel_delayed_work_sync(&cs->times_work);
}
