// SPDX-License-Identifier: GPL-2.0-only
/*
 * The journal of this node's slot, on jbd2.
 *
 * Where the log lies: jbd2 wants an inode that maps log blocks to disk blocks, or
 * takes a range of a device and then names its /proc entry after the device alone,
 * so that the journal of a dead node could not be opened beside our own.  Hence one
 * inode in memory per open journal, never on disk, never hashed, numbered with the
 * first block of the log (no real inode has a number below the first group), whose
 * ->bmap is an addition.  Like the journal inode of ext4 it is on the superblock's
 * list, referenced until jbd2_journal_destroy() puts it in ->put_super(), which is
 * before generic_shutdown_super() looks for inodes that were left behind.
 *
 * Periods: the group flush is what makes changed metadata fit for another node.
 * Between two flushes lies a period; @seq is the number of the current one, all
 * periods below @flushed are committed, written in place and below the journal tail
 * on disk.  @seq changes under jbd2_journal_lock_updates() only, when no handle is
 * open, so that every transaction lies within one period and a change stamped with
 * period p is covered by whichever flush ends p.
 */
#include <linux/blkdev.h>
#include <linux/pagemap.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include "fresh.h"
#include "log.h"
#include "logcheck.h"
#include "super.h"

#define COMMIT_INTERVAL	(5 * HZ)
#define IDLE_DELAY	(2 * HZ)	/* from the first change to the first look */
#define IDLE_QUIET	HZ		/* without changes: nobody is in the way */
#define IDLE_MAX	(10 * HZ)	/* flush also a busy log */
#define REVOKES		64		/* per transaction: one more block of log */

/**
 * struct cohfs_log - the journal that this mount writes
 * @journal: NULL once closed
 * @open_mutex: keeps @journal open for a withdrawal; taken under @flush_mutex
 * @flush_mutex: one group flush at a time; taken under nothing that jbd2 waits for
 * @seq: current period, from 1
 * @flushed: first period that is not flushed
 * @dirty: something changed in the current period.  Set with a handle open, cleared
 *	when there is none
 * @dirty_since: jiffies of the first change in the period
 * @last_change: jiffies
 * @idle_work: flushes when nobody looks, so that most revokes find nothing to do
 */
struct cohfs_log {
	struct cohfs_sb *cs;
	journal_t *journal;
	struct mutex open_mutex;
	struct mutex flush_mutex;
	atomic64_t seq;
	atomic64_t flushed;
	bool dirty;
	unsigned long dirty_since;
	unsigned long last_change;
	struct workqueue_struct *wq;
	struct delayed_work idle_work;
};

/* Opening and closing ------------------------------------------------------ */

static u64 journal_start(const struct cohfs_sb *cs, u32 slot)
{
	return cs->geo.first_journal + (u64)slot * cs->geo.journal_blocks;
}

static sector_t log_bmap(struct address_space *mapping, sector_t block)
{
	struct inode *inode = mapping->host;

	if (block >= inode->i_size >> COHFS_BLOCK_SHIFT)
		return 0;
	return inode->i_ino + block;
}

static const struct address_space_operations log_aops = {
	.bmap = log_bmap,
};

/*
 * Have a journal read from the disk: its owner has written it since it was cached here.
 * jbd2 would take any buffer that is uptodate.  Nobody on this node uses them now.
 */
static void forget_cached(struct cohfs_sb *cs, u32 slot)
{
	struct address_space *mapping = cs->sb->s_bdev->bd_mapping;
	loff_t start = (loff_t)journal_start(cs, slot) << COHFS_BLOCK_SHIFT;
	loff_t size = (loff_t)cs->geo.journal_blocks << COHFS_BLOCK_SHIFT;

	filemap_invalidate_lock(mapping);
	truncate_inode_pages_range(mapping, start, start + size - 1);
	filemap_invalidate_unlock(mapping);
}

static struct inode *log_inode(struct cohfs_sb *cs, u32 slot)
{
	struct inode *inode = new_inode(cs->sb);

	if (!inode)
		return NULL;
	inode->i_ino = journal_start(cs, slot);
	inode->i_mode = S_IFREG;
	set_nlink(inode, 1);
	inode->i_flags |= S_NOQUOTA | S_PRIVATE;
	inode->i_size = (loff_t)cs->geo.journal_blocks << COHFS_BLOCK_SHIFT;
	inode->i_mapping->a_ops = &log_aops;
	return inode;
}

/* The journal of @slot, not loaded */
static journal_t *open_journal(struct cohfs_sb *cs, u32 slot)
{
	struct inode *inode;
	journal_t *journal;
	int err;

	forget_cached(cs, slot);
	inode = log_inode(cs, slot);
	if (!inode)
		return ERR_PTR(-ENOMEM);
	journal = jbd2_journal_init_inode(inode);
	if (IS_ERR(journal)) {
		iput(inode);
		err = PTR_ERR(journal);
		cohfs_err(cs->sb, "journal of slot %u cannot be opened: error %d",
			  slot, err);
		return ERR_PTR(err == -EINVAL || err == -EFSBADCRC ? -EFSCORRUPTED :
			       err);
	}
	journal->j_private = cs;
	journal->j_commit_interval = COMMIT_INTERVAL;
	write_lock(&journal->j_state_lock);
	journal->j_flags |= JBD2_BARRIER;	/* before the replay: it flushes, too */
	write_unlock(&journal->j_state_lock);
	return journal;
}

static int empty_journal(journal_t *journal)
{
	int err;

	jbd2_journal_lock_updates(journal);
	err = jbd2_journal_flush(journal, 0);
	jbd2_journal_unlock_updates(journal);
	if (!err && is_journal_aborted(journal))
		err = -EIO;
	return err;
}

/* A node that withdrew has left its error in the journal; the replay settled it. */
static void clear_recorded_error(struct cohfs_sb *cs, journal_t *journal, u32 slot)
{
	int recorded = jbd2_journal_errno(journal);

	if (!recorded)
		return;
	cohfs_warn(cs->sb, "journal of slot %u: its last owner stopped with error %d",
		   slot, recorded);
	jbd2_journal_clear_err(journal);
	jbd2_journal_update_sb_errno(journal);
}

/*
 * Replay if needed, set the features.  jbd2 syncs and flushes the device after a
 * replay; the replayed blocks stay in the buffer cache, where cohfs_meta_read() does
 * not trust them.  An empty journal on disk ends it, so that the features go out
 * with the superblock before the first transaction that uses them.
 */
static int load_journal(struct cohfs_sb *cs, journal_t *journal, u32 slot)
{
	bool replay = journal->j_tail != 0;
	int err;

	err = cohfs_log_check(cs, slot, journal_start(cs, slot), journal->j_superblock);
	if (err)
		return err;
	err = jbd2_journal_load(journal);
	if (err) {
		cohfs_err(cs->sb, "journal of slot %u cannot be replayed: error %d",
			  slot, err);
		return err == -EFSBADCRC ? -EFSCORRUPTED : err;
	}
	clear_recorded_error(cs, journal, slot);
	if (!jbd2_journal_set_features(journal, 0, 0,
				       JBD2_FEATURE_INCOMPAT_REVOKE |
				       JBD2_FEATURE_INCOMPAT_64BIT |
				       JBD2_FEATURE_INCOMPAT_CSUM_V3)) {
		cohfs_err(cs->sb, "journal of slot %u: features not supported", slot);
		return -EOPNOTSUPP;
	}
	if (!replay)
		return 0;
	err = empty_journal(journal);
	if (!err)
		cohfs_info(cs->sb, "journal of slot %u replayed", slot);
	return err;
}

int cohfs_log_replay(struct cohfs_sb *cs, u32 slot)
{
	unsigned int nofs = memalloc_nofs_save();
	journal_t *journal;
	int replay, err;

	journal = open_journal(cs, slot);
	if (IS_ERR(journal)) {
		err = PTR_ERR(journal);
		goto out;
	}
	replay = journal->j_tail != 0;
	err = replay ? load_journal(cs, journal, slot) : 0;
	/* not loaded = aborted as jbd2 sees it: nothing is written, -EIO says so */
	if (jbd2_journal_destroy(journal) && replay && !err)
		err = -EIO;
	if (!err)
		err = replay;
out:
	memalloc_nofs_restore(nofs);
	return err;
}

static void idle_work(struct work_struct *work);

int cohfs_log_open(struct cohfs_sb *cs, u32 slot)
{
	struct cohfs_log *log = kzalloc(sizeof(*log), GFP_KERNEL);
	int err = -ENOMEM;

	if (!log)
		return -ENOMEM;
	log->wq = alloc_workqueue("cohfs-log-%s", WQ_MEM_RECLAIM, 1, cs->sb->s_id);
	if (!log->wq)
		goto err_wq;
	log->cs = cs;
	mutex_init(&log->open_mutex);
	mutex_init(&log->flush_mutex);
	atomic64_set(&log->seq, 1);
	atomic64_set(&log->flushed, 1);
	INIT_DELAYED_WORK(&log->idle_work, idle_work);
	log->journal = open_journal(cs, slot);
	if (IS_ERR(log->journal)) {
		err = PTR_ERR(log->journal);
		goto err_open;
	}
	err = load_journal(cs, log->journal, slot);
	if (err)
		goto err_load;
	log->journal->j_submit_inode_data_buffers = cohfs_fresh_submit;
	log->journal->j_finish_inode_data_buffers = cohfs_fresh_finish;
	cs->log = log;
	return 0;

err_load:
	jbd2_journal_destroy(log->journal);
err_open:
	destroy_workqueue(log->wq);
err_wq:
	kfree(log);
	return err;
}

void cohfs_log_close(struct cohfs_sb *cs)
{
	struct cohfs_log *log = cs->log;
	journal_t *journal;

	if (!log || !log->journal)
		return;
	cancel_delayed_work_sync(&log->idle_work);
	/* fails if withdrawn: then the journal stays dirty, for its next owner */
	cohfs_log_flush(cs, cohfs_log_seq(cs));
	mutex_lock(&log->flush_mutex);
	mutex_lock(&log->open_mutex);
	journal = log->journal;
	log->journal = NULL;
	mutex_unlock(&log->open_mutex);
	mutex_unlock(&log->flush_mutex);
	if (jbd2_journal_destroy(journal) && !cohfs_is_withdrawn(cs))
		cohfs_err(cs->sb, "journal not closed cleanly");
}

void cohfs_log_free(struct cohfs_sb *cs)
{
	struct cohfs_log *log = cs->log;

	if (!log)
		return;
	cs->log = NULL;
	destroy_workqueue(log->wq);
	kfree(log);
}

/*
 * Not jbd2_journal_abort(): it writes the journal superblock, with the log tail as
 * this node remembers it.  When the lockspace is lost another node may have replayed
 * and emptied this journal already, and must not find the old tail again.  The flag
 * alone keeps jbd2 from writing; the commit lets waiters and buffers go.
 *
 * The mutexes are had once for those who looked at the flag before it was set: each
 * write of the journal superblock is made under one of them.
 */
static void fail_journal(journal_t *journal)
{
	write_lock(&journal->j_state_lock);
	journal->j_flags |= JBD2_ABORT;
	write_unlock(&journal->j_state_lock);
}

static void stop_journal(journal_t *journal)
{
	tid_t tid;

	fail_journal(journal);
	if (jbd2_journal_start_commit(journal, &tid))
		jbd2_log_wait_commit(journal, tid);
	mutex_lock(&journal->j_checkpoint_mutex);
	mutex_unlock(&journal->j_checkpoint_mutex);
	mutex_lock(&journal->j_abort_mutex);
	mutex_unlock(&journal->j_abort_mutex);
}

void cohfs_log_abort(struct cohfs_sb *cs)
{
	struct cohfs_log *log = cs->log;

	if (!log)
		return;
	mutex_lock(&log->open_mutex);
	if (log->journal)
		stop_journal(log->journal);
	mutex_unlock(&log->open_mutex);
}

/* Transactions ------------------------------------------------------------- */

static int log_failed(struct cohfs_sb *cs, const char *where, int err)
{
	cohfs_withdraw(cs, "journal stopped: %s: error %d", where, err);
	return -EIO;
}

/* jbd2 switches the task to NOFS for as long as the handle is open. */
handle_t *cohfs_trans_begin(struct cohfs_sb *cs, int credits)
{
	journal_t *journal = cs->log->journal;
	handle_t *handle;

	if (cohfs_is_withdrawn(cs))
		return ERR_PTR(-EIO);
	WARN_ON_ONCE(cs->sb->s_writers.frozen == SB_FREEZE_COMPLETE);
	handle = jbd2__journal_start(journal, credits, 0, REVOKES, GFP_NOFS, 0, 0);
	if (IS_ERR(handle) && is_journal_aborted(journal))
		return ERR_PTR(log_failed(cs, "begin", PTR_ERR(handle)));
	return handle;
}

int cohfs_trans_end(handle_t *handle)
{
	struct cohfs_sb *cs = cohfs_trans_sb(handle);
	int err = jbd2_journal_stop(handle);

	return err ? log_failed(cs, "end", err) : 0;
}

int cohfs_log_order(handle_t *handle, struct jbd2_inode *jinode, loff_t pos, loff_t len)
{
	return jbd2_journal_inode_ranged_write(handle, jinode, pos, len);
}

void cohfs_log_fail(struct cohfs_sb *cs)
{
	fail_journal(cs->log->journal);
}

bool cohfs_log_commits(struct cohfs_sb *cs, struct jbd2_inode *jinode)
{
	journal_t *journal = cs->log->journal;
	transaction_t *committing;

	read_lock(&journal->j_state_lock);
	committing = journal->j_committing_transaction;
	read_unlock(&journal->j_state_lock);
	return committing && READ_ONCE(jinode->i_transaction) == committing;
}

void cohfs_log_order_end(struct cohfs_sb *cs, struct jbd2_inode *jinode)
{
	struct cohfs_log *log = cs->log;

	if (log && log->journal)
		jbd2_journal_release_jbd_inode(log->journal, jinode);
}

void cohfs_log_touch(struct cohfs_sb *cs)
{
	struct cohfs_log *log = cs->log;

	WRITE_ONCE(log->last_change, jiffies);
	if (READ_ONCE(log->dirty))
		return;
	WRITE_ONCE(log->dirty_since, jiffies);
	WRITE_ONCE(log->dirty, true);
	queue_delayed_work(log->wq, &log->idle_work, IDLE_DELAY);
}

/* The group flush ---------------------------------------------------------- */

/* Slot and mount locks come and go while there is no log yet: nothing to flush. */
u64 cohfs_log_seq(struct cohfs_sb *cs)
{
	return cs->log ? atomic64_read(&cs->log->seq) : 0;
}

u64 cohfs_log_flushed(struct cohfs_sb *cs)
{
	return cs->log ? atomic64_read(&cs->log->flushed) : 1;
}

/*
 * While updates are locked there is no handle, hence no change and nobody who reads
 * @seq or sets @dirty for a change.  A handle that opens later is of the new period.
 */
static int flush_period(struct cohfs_sb *cs, struct cohfs_log *log)
{
	unsigned int nofs;
	u64 period;
	int err;

	lockdep_assert_held(&log->flush_mutex);
	if (!READ_ONCE(log->dirty))
		return 0;
	if (cohfs_is_withdrawn(cs) || !log->journal)
		return -EIO;
	nofs = memalloc_nofs_save();
	jbd2_journal_lock_updates(log->journal);
	period = atomic64_fetch_inc(&log->seq);
	WRITE_ONCE(log->dirty, false);
	err = jbd2_journal_flush(log->journal, 0);
	jbd2_journal_unlock_updates(log->journal);
	memalloc_nofs_restore(nofs);
	/* the last step, marking the log empty, reports errors only by aborting */
	if (!err && is_journal_aborted(log->journal))
		err = -EIO;
	if (err)
		return log_failed(cs, "flush", err);
	atomic64_set(&log->flushed, period + 1);
	return 0;
}

/*
 * The caller's changes are in closed transactions of periods <= @seq.  If @dirty is
 * false under the mutex, no closed transaction has changed anything since the last
 * flush, and that one was successful or the mount has withdrawn: a failed flush
 * leaves @flushed behind for good, which the first test after it notices.
 */
int cohfs_log_flush(struct cohfs_sb *cs, u64 seq)
{
	struct cohfs_log *log = cs->log;
	int err = 0;

	if (!log || cohfs_log_flushed(cs) > seq)
		return 0;
	mutex_lock(&log->flush_mutex);
	if (cohfs_log_flushed(cs) <= seq)
		err = flush_period(cs, log);
	if (!err && cohfs_log_flushed(cs) < cohfs_log_seq(cs))
		err = -EIO;
	mutex_unlock(&log->flush_mutex);
	return err;
}

/*
 * Flush when the node is quiet.  Under load a flush holds up every writer, so it
 * waits, but not for ever: a revoke of a lock last changed minutes ago should not
 * have to pay for it.
 */
static void idle_work(struct work_struct *work)
{
	struct cohfs_log *log = container_of(to_delayed_work(work), struct cohfs_log,
					     idle_work);

	if (!READ_ONCE(log->dirty) || cohfs_is_withdrawn(log->cs))
		return;
	if (time_before(jiffies, READ_ONCE(log->last_change) + IDLE_QUIET) &&
	    time_before(jiffies, READ_ONCE(log->dirty_since) + IDLE_MAX)) {
		queue_delayed_work(log->wq, &log->idle_work, IDLE_QUIET);
		return;
	}
	cohfs_log_flush(log->cs, cohfs_log_seq(log->cs));
}

/* Durability --------------------------------------------------------------- */

/*
 * Data writes do not go through the journal, and what another node wrote and handed
 * over may still be in the cache of the disk: the disk is flushed in any case, by
 * the commit that is about to happen or by us.
 */
static int commit(struct cohfs_sb *cs, tid_t tid, bool *flush)
{
	journal_t *journal = cs->log->journal;

	*flush = !jbd2_trans_will_send_data_barrier(journal, tid);
	return jbd2_complete_transaction(journal, tid);
}

int cohfs_log_commit_tid(struct cohfs_sb *cs, tid_t tid)
{
	bool flush;
	int err;

	if (cohfs_is_withdrawn(cs))
		return -EIO;
	err = commit(cs, tid, &flush);
	if (!err && is_journal_aborted(cs->log->journal))
		err = -EIO;
	if (err)
		return log_failed(cs, "commit", err);
	return flush ? blkdev_issue_flush(cs->sb->s_bdev) : 0;
}

int cohfs_log_commit(struct cohfs_sb *cs, bool wait)
{
	journal_t *journal = cs->log->journal;

	if (cohfs_is_withdrawn(cs))
		return -EIO;
	if (!wait) {
		jbd2_journal_start_commit(journal, NULL);
		return 0;
	}
	return cohfs_log_commit_tid(cs, jbd2_get_latest_transaction(journal));
}
