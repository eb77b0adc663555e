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

/* Under I EX: move the pending times into the inode.  False: nothing to do. */
static bool times_apply(struct inode *inode)
{
	struct cohfs_inode *ci = COHFS_I(inode);
	struct timespec64 ctime = inode_get_ctime(inode);
	bool apply;

	spin_lock(&ci->ci_times_lock);
	apply = ci->ci_times_pending && ci->ci_times_gen == ci->ci_time_gen &&
		timespec64_compare(&ci->ci_times, &ctime) > 0;
	if (apply) {
		inode_set_mtime_to_ts(inode, ci->ci_times);
		inode_set_ctime_to_ts(inode, ci->ci_times);
	}
	ci->ci_times_pending = false;
	spin_unlock(&ci->ci_times_lock);
	return apply;
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

static int times_publish(struct inode *inode, bool journal)
{
	struct cohfs_inode *ci = COHFS_I(inode);
	int err;

	/* before the cluster lock: a frozen filesystem must not catch a holder */
	sb_start_intwrite(inode->i_sb);
	err = cohfs_attr_lock(inode, COHFS_EX);
	if (err)
		goto out;
	if (times_apply(inode))
		ci->ci_times_unlogged = true;
	if (journal && ci->ci_times_unlogged)
		err = times_journal(inode);
	cohfs_attr_unlock(inode, COHFS_EX);
out:
	sb_end_intwrite(inode->i_sb);
	return err;
}

int cohfs_times_publish(struct inode *inode)
{
	struct cohfs_inode *ci = COHFS_I(inode);

	if (!READ_ONCE(ci->ci_times_pending) && !READ_ONCE(ci->ci_times_unlogged))
		return 0;
	return times_publish(inode, true);
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

void cohfs_times_forget(struct inode *inode)
{
	struct cohfs_sb *cs = COHFS_SB(inode->i_sb);
	struct cohfs_inode *ci = COHFS_I(inode);

	spin_lock(&ci->ci_times_lock);
	ci->ci_times_pending = false;
	spin_unlock(&ci->ci_times_lock);
	spin_lock(&cs->times_lock);
	list_del_init(&ci->ci_times_link);
	spin_unlock(&cs->times_lock);
}

/*
 * Next inode with pending times, pinned; NULL when the list is empty.  An inode on
 * its way out is skipped: its eviction calls cohfs_times_forget(), and its last
 * close has published.
 */
static struct inode *times_next(struct cohfs_sb *cs)
{
	struct cohfs_inode *ci, *tmp;
	struct inode *inode = NULL;

	spin_lock(&cs->times_lock);
	list_for_each_entry_safe(ci, tmp, &cs->times_list, ci_times_link) {
		inode = igrab(&ci->ci_vfs);
		list_del_init(&ci->ci_times_link);
		if (inode)
			break;
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

/* Each inode of the list once; those that are only told to I come again. */
static void times_publish_all(struct cohfs_sb *cs, bool journal)
{
	LIST_HEAD(again);
	struct inode *inode;

	while ((inode = times_next(cs))) {
		struct cohfs_inode *ci = COHFS_I(inode);
		bool now = journal || !times_contended(inode);
		int err = times_publish(inode, now);

		if (err && !cohfs_is_withdrawn(cs))
			cohfs_warn(cs->sb, "inode %lu: times not written: %d",
				   inode->i_ino, err);
		else if (!now)
			list_add_tail(&ci->ci_times_again, &again);
		if (now || err)
			iput(inode);
	}
	while (!list_empty(&again)) {
		struct cohfs_inode *ci = list_first_entry(&again, struct cohfs_inode,
							  ci_times_again);

		list_del_init(&ci->ci_times_again);
		times_enqueue(cs, ci);
		queue_delayed_work(cs->times_wq, &cs->times_work, TIMES_PERIOD);
		iput(&ci->ci_vfs);
	}
}

static void times_work(struct work_struct *work)
{
	times_publish_all(container_of(to_delayed_work(work), struct cohfs_sb,
				       times_work), false);
}

void cohfs_times_stop(struct cohfs_sb *cs)
{
	cancel_delayed_work_sync(&cs->times_work);
	times_publish_all(cs, true);
}
