/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The journal: a narrow door to jbd2, so that nothing else knows which log it is.
 */
#ifndef _COHFS_LOG_H
#define _COHFS_LOG_H

#include <linux/jbd2.h>
#include <linux/types.h>

struct cohfs_sb;

/**
 * cohfs_log_open() - replay the journal of @slot if it needs it, then use it
 * Return: 0, -EIO, -EFSCORRUPTED, -ENOMEM, -EROFS.
 */
int cohfs_log_open(struct cohfs_sb *cs, u32 slot);
/** cohfs_log_replay() - replay another slot's journal and mark it empty; its slot
 *  lock is held EX.  Return: 1 replayed, 0 was clean, negative errno.
 */
int cohfs_log_replay(struct cohfs_sb *cs, u32 slot);
/**
 * cohfs_log_close() - flush and leave an empty journal behind
 *
 * cohfs_log_seq(), cohfs_log_flushed() and cohfs_log_flush() still work (there is
 * nothing left to flush, or it fails): locks are given up after this.
 */
void cohfs_log_close(struct cohfs_sb *cs);
/** cohfs_log_free() - the last lock is gone, nobody asks any more */
void cohfs_log_free(struct cohfs_sb *cs);
/**
 * cohfs_log_abort() - withdrawn: when this returns no write of the journal is under way,
 * and none will be started; sleeps
 */
void cohfs_log_abort(struct cohfs_sb *cs);

/**
 * cohfs_trans_begin() - open a transaction of at most @credits changed blocks
 * Context: sleeps for log space.  Every cluster lock that the transaction needs is
 * already held: no DLM wait until cohfs_trans_end().  NOFS until then.
 * Whoever runs outside sb_start_write() (workers) calls sb_start_intwrite() before
 * its first cluster lock, not here: a freeze must not catch a task that holds one.
 * Return: handle or ERR_PTR: -EIO (withdrawn), -ENOMEM, -ENOSPC (@credits are more
 * than the journal can ever take).
 */
handle_t *cohfs_trans_begin(struct cohfs_sb *cs, int credits);
int cohfs_trans_end(handle_t *handle);

/**
 * cohfs_log_order() - before the transaction of @handle commits, see to @len bytes at @pos
 *
 * cohfs_fresh_submit() and then _finish() are called with @jinode.
 * Return: 0 or -EIO (withdrawn).
 */
int cohfs_log_order(handle_t *handle, struct jbd2_inode *jinode, loff_t pos, loff_t len);
/**
 * cohfs_log_commits() - is a commit under way that calls for @jinode, or has called?
 * Context: a handle is open, so that none begins.
 */
bool cohfs_log_commits(struct cohfs_sb *cs, struct jbd2_inode *jinode);
/** cohfs_log_fail() - no transaction commits from now on; who finds out withdraws.  Any context */
void cohfs_log_fail(struct cohfs_sb *cs);
/** cohfs_log_order_end() - waits for a call under way, and there will be none; sleeps */
void cohfs_log_order_end(struct cohfs_sb *cs, struct jbd2_inode *jinode);

/** cohfs_trans_sb() - the mount that an open transaction belongs to */
static inline struct cohfs_sb *cohfs_trans_sb(handle_t *handle)
{
	return handle->h_transaction->t_journal->j_private;
}

/** cohfs_log_touch() - a block changes in an open transaction (metaio.c only) */
void cohfs_log_touch(struct cohfs_sb *cs);

/** cohfs_log_seq() - number of the current flush period; changes made now are safe
 *  once cohfs_log_flushed() > this
 */
u64 cohfs_log_seq(struct cohfs_sb *cs);
u64 cohfs_log_flushed(struct cohfs_sb *cs);

/**
 * cohfs_log_flush() - group flush: everything changed in periods <= @seq is
 * committed, in place, and below the journal tail when this returns 0
 *
 * One caller does the work for all that wait.  Runs in revoke workers.
 * Context: sleeps, I/O; no transaction open, no folio locked.
 * Return: 0 or -EIO (withdrawn).
 */
int cohfs_log_flush(struct cohfs_sb *cs, u64 seq);

/**
 * cohfs_log_commit() - make everything changed so far durable (fsync, sync_fs)
 * @wait: false starts the commit only
 */
int cohfs_log_commit(struct cohfs_sb *cs, bool wait);

/**
 * cohfs_log_commit_tid() - durable up to transaction @tid; skips the commit record
 * but never the disk flush if it is already committed
 */
int cohfs_log_commit_tid(struct cohfs_sb *cs, tid_t tid);

#endif /* _COHFS_LOG_H */
