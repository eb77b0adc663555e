// SPDX-License-Identifier: GPL-2.0-only
/*
 * The journaled size of a file follows what was written to its end.
 *
 * A write() that makes a file grow touches memory only: blocks beyond EOF were allocated
 * ahead, without zeroes, and a transaction per call would cost more than the copy.  The
 * price is an order: first the data, then the size.  Whoever needs the size on disk waits
 * for both here.
 *
 * A file that has grown is kept in core until its size has followed, so an eviction finds
 * nothing to do.  The exception is a file without links that no other node knows: whether
 * that was written does not matter to anybody.
 */
#include <linux/fs.h>
#include <linux/pagemap.h>
#include <linux/workqueue.h>
#include "disksize.h"
#include "inode.h"
#include "log.h"
#include "trace.h"

#define SETTLE_PERIOD	(5 * HZ)	/* as the journal commits */

void cohfs_disksize_init_once(struct cohfs_disksize *ds)
{
	mutex_init(&ds->mutex);
	INIT_LIST_HEAD(&ds->link);
}

void cohfs_disksize_reset(struct cohfs_disksize *ds)
{
	ds->size = 0;
	ds->cuts = 0;
	ds->failed = false;
}

bool cohfs_disksize_behind(const struct inode *inode)
{
	if (!S_ISREG(inode->i_mode))
		return false;
	/* pairs with cohfs_inode_write_size(): who finds it up to date finds ci_sync_tid */
	return smp_load_acquire(&COHFS_I(inode)->ci_disk.size) < i_size_read(inode);
}

void cohfs_disksize_set(struct inode *inode, loff_t size)
{
	struct cohfs_inode *ci = COHFS_I(inode);

	mutex_lock(&ci->ci_attr_mutex);
	i_size_write(inode, size);
	WRITE_ONCE(ci->ci_disk.size, size);
	ci->ci_disk.cuts++;
	WRITE_ONCE(ci->ci_disk.failed, false);
	mutex_unlock(&ci->ci_attr_mutex);
}

u64 cohfs_disksize_readable(const struct inode *inode)
{
	const struct cohfs_disksize *ds = &COHFS_I(inode)->ci_disk;

	if (likely(!READ_ONCE(ds->failed)))
		return U64_MAX;
	return DIV_ROUND_UP_ULL(READ_ONCE(ds->size), COHFS_BLOCK_SIZE);
}

void cohfs_disksize_failed(struct inode *inode, loff_t pos, size_t len)
{
	struct cohfs_disksize *ds = &COHFS_I(inode)->ci_disk;

	/* what a truncate is about to throw away is no loss */
	if (pos + len > READ_ONCE(ds->size) && pos < i_size_read(inode))
		WRITE_ONCE(ds->failed, true);
}

/* Following ------------------------------------------------------------------------- */

/*
 * What to journal, and how often the size had been set when that was decided.  0: nothing.
 * Under ci_attr_mutex, since attributes that come with I are put in place one by one.
 */
static loff_t size_to_be(struct inode *inode, unsigned int *cuts)
{
	struct cohfs_inode *ci = COHFS_I(inode);
	loff_t size = 0;

	mutex_lock(&ci->ci_attr_mutex);
	if (cohfs_disksize_behind(inode))
		size = i_size_read(inode);
	*cuts = ci->ci_disk.cuts;
	mutex_unlock(&ci->ci_attr_mutex);
	return size;
}

/* Errors of write-back stay in the mapping: some may be of other parts of the file. */
static int write_data(struct inode *inode, loff_t size)
{
	struct cohfs_disksize *ds = &COHFS_I(inode)->ci_disk;
	int err;

	err = filemap_fdatawrite_range(inode->i_mapping, ds->size, size - 1);
	filemap_fdatawait_range_keep_errors(inode->i_mapping, ds->size, size - 1);
	return READ_ONCE(ds->failed) ? -EIO : err;
}

/* jbd2 can do without memory for a transaction, but not for a handle, which is small. */
static handle_t *begin(struct inode *inode)
{
	handle_t *handle;

	do {
		cond_resched();
		handle = cohfs_trans_begin(COHFS_SB(inode->i_sb), COHFS_INODE_CREDITS);
	} while (handle == ERR_PTR(-ENOMEM));
	return handle;
}

static int journal_size(struct inode *inode, loff_t size, unsigned int cuts)
{
	handle_t *handle = begin(inode);
	int err, err2;

	if (IS_ERR(handle))
		return PTR_ERR(handle);
	err = cohfs_inode_write_size(handle, inode, size, cuts);
	err2 = cohfs_trans_end(handle);
	return err ? err : err2;
}

/*
 * As long as it is behind I EX cannot go, nor as long as the mutex is held: a revoke wants
 * it, too.
 */
static int settle_locked(struct inode *inode)
{
	unsigned int cuts;
	loff_t size;
	int err;

	do {
		size = size_to_be(inode, &cuts);
		if (!size)
			return 0;
		cohfs_rtree_note_cleaned(inode, COHFS_I(inode)->ci_disk.size >> PAGE_SHIFT,
					 (size - 1) >> PAGE_SHIFT);
		err = write_data(inode, size);
		if (!err)
			err = journal_size(inode, size, cuts);
	} while (err == -EAGAIN);	/* was set meanwhile: by a truncate */
	trace_cohfs_disksize(inode, size, err);
	return err;
}

int cohfs_disksize_finish(struct inode *inode)
{
	struct cohfs_disksize *ds = &COHFS_I(inode)->ci_disk;
	int err;

	mutex_lock(&ds->mutex);
	err = settle_locked(inode);
	mutex_unlock(&ds->mutex);
	return err;
}

int cohfs_disksize_settle(struct inode *inode)
{
	return cohfs_disksize_behind(inode) ? cohfs_disksize_finish(inode) : 0;
}

/* Files that have grown ------------------------------------------------------------- */

/* Return: false if it is there already. */
static bool enlist(struct inode *inode)
{
	struct cohfs_sb *cs = COHFS_SB(inode->i_sb);
	struct cohfs_disksize *ds = &COHFS_I(inode)->ci_disk;
	bool added;

	spin_lock(&cs->disksize_lock);
	added = list_empty(&ds->link);
	if (added) {
		ihold(inode);
		ds->since = jiffies;
		list_add_tail(&ds->link, &cs->disksize_list);
	}
	spin_unlock(&cs->disksize_lock);
	return added;
}

/* No other node has, or ever had, the inode in core. */
static bool known_here_only(const struct inode *inode)
{
	return cohfs_lock_cached(&COHFS_I(inode)->ci_open->lk) == COHFS_EX;
}

void cohfs_disksize_grown(struct inode *inode)
{
	struct cohfs_sb *cs = COHFS_SB(inode->i_sb);

	if (!list_empty(&COHFS_I(inode)->ci_disk.link) ||
	    (!inode->i_nlink && known_here_only(inode)))
		return;
	if (enlist(inode))
		queue_delayed_work(cs->times_wq, &cs->disksize_work, SETTLE_PERIOD);
}

void cohfs_disksize_unlinked(struct inode *inode)
{
	struct cohfs_sb *cs = COHFS_SB(inode->i_sb);
	struct cohfs_disksize *ds = &COHFS_I(inode)->ci_disk;
	bool listed, forget = !inode->i_nlink && known_here_only(inode);

	spin_lock(&cs->disksize_lock);
	listed = !list_empty(&ds->link);
	if (listed && forget)
		list_del_init(&ds->link);
	else if (listed)
		ds->since = jiffies - SETTLE_PERIOD;
	spin_unlock(&cs->disksize_lock);
	if (!listed)
		return;
	if (forget)
		iput(inode);
	else
		mod_delayed_work(cs->times_wq, &cs->disksize_work, 0);
}

/* Settling them --------------------------------------------------------------------- */

/* The first inode of @from, moved to @to or taken off; with a reference */
static struct inode *next_inode(struct cohfs_sb *cs, struct list_head *from,
				struct list_head *to)
{
	struct cohfs_inode *ci;
	struct inode *inode = NULL;

	spin_lock(&cs->disksize_lock);
	ci = list_first_entry_or_null(from, struct cohfs_inode, ci_disk.link);
	if (ci) {
		inode = &ci->ci_vfs;
		if (to) {
			list_move_tail(&ci->ci_disk.link, to);
			ihold(inode);
		} else {
			list_del_init(&ci->ci_disk.link);
		}
	}
	spin_unlock(&cs->disksize_lock);
	return inode;
}

/* Those that have waited long enough, or all */
static void take_due(struct cohfs_sb *cs, bool all, struct list_head *due)
{
	struct cohfs_inode *ci, *next;

	spin_lock(&cs->disksize_lock);
	list_for_each_entry_safe(ci, next, &cs->disksize_list, ci_disk.link)
		if (all || time_after_eq(jiffies, ci->ci_disk.since + SETTLE_PERIOD))
			list_move_tail(&ci->ci_disk.link, due);
	spin_unlock(&cs->disksize_lock);
}

static void settle_one(struct inode *inode)
{
	struct cohfs_disksize *ds = &COHFS_I(inode)->ci_disk;
	int err = cohfs_disksize_settle(inode);

	if (err && READ_ONCE(ds->failed))
		cohfs_warn(inode->i_sb,
			   "inode %lu: what was written beyond byte %lld is lost",
			   inode->i_ino, ds->size);
	else if (!err && cohfs_disksize_behind(inode))
		enlist(inode);		/* has grown meanwhile */
}

/*
 * The disk is given the data of all files before that of the first one is waited for.  One
 * at a time: who syncs must not miss the files that the worker has in hand.
 */
static void settle_all(struct cohfs_sb *cs, bool all)
{
	LIST_HEAD(due);
	LIST_HEAD(submitted);
	struct inode *inode;

	mutex_lock(&cs->disksize_mutex);
	take_due(cs, all, &due);
	while ((inode = next_inode(cs, &due, &submitted))) {
		filemap_flush(inode->i_mapping);
		iput(inode);
	}
	while ((inode = next_inode(cs, &submitted, NULL))) {
		settle_one(inode);
		iput(inode);
		cond_resched();
	}
	mutex_unlock(&cs->disksize_mutex);
}

static void disksize_work(struct work_struct *work)
{
	struct cohfs_sb *cs = container_of(to_delayed_work(work), struct cohfs_sb,
					   disksize_work);

	/* a freeze has settled all of them before it was complete */
	if (sb_start_intwrite_trylock(cs->sb)) {
		settle_all(cs, false);
		sb_end_intwrite(cs->sb);
	}
	if (!list_empty(&cs->disksize_list))
		queue_delayed_work(cs->times_wq, &cs->disksize_work, SETTLE_PERIOD / 4);
}

void cohfs_disksize_sync(struct cohfs_sb *cs)
{
	if (!sb_start_intwrite_trylock(cs->sb))
		return;
	settle_all(cs, true);
	sb_end_intwrite(cs->sb);
}

void cohfs_disksize_init(struct cohfs_sb *cs)
{
	spin_lock_init(&cs->disksize_lock);
	mutex_init(&cs->disksize_mutex);
	INIT_LIST_HEAD(&cs->disksize_list);
	INIT_DELAYED_WORK(&cs->disksize_work, disksize_work);
}

void cohfs_disksize_stop(struct cohfs_sb *cs)
{
	struct inode *inode;

	cancel_delayed_work_sync(&cs->disksize_work);
	/* the last sync may have ended before it got here */
	settle_all(cs, true);
	while ((inode = next_inode(cs, &cs->disksize_list, NULL)))
		iput(inode);
}
