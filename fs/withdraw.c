// SPDX-License-Identifier: GPL-2.0-only
/*
 * Withdrawal: the end of this node's part in the cluster, while it still runs.
 *
 * I/O errors where another node waits for the outcome, a journal that stops, a lock
 * manager that breaks its word, or the shutdown ioctl.  Nothing is written from then
 * on; what this node has written and not put in place is in its journal.  Its locks
 * are what keeps the others from using what that journal will change, so they stay
 * until somebody has replayed it:
 *
 *  1. State WITHDRAWN: no transaction opens, no write-back starts, revokes fail.  The
 *     locks are dead: waits end with -EIO, nothing is lowered.
 *  2. The journal is stopped, and waited for.
 *  3. Mappings and cached data are taken away (the next access raises SIGBUS), and data
 *     that is on its way to the disk arrives there.
 *  4. Metadata that is only in the cache of the block device is thrown away: written
 *     later, by whoever cleans that cache, it would overwrite what others do.
 *  5. Our slot is let go.  Its journal is anybody's now.
 *  6. The others are called (recovery.c) until the journal is empty, or nobody is
 *     there who has not withdrawn.  Whoever mounts later replays it before he does
 *     anything else.
 *  7. All our locks go, at once, by leaving the lockspace.
 *
 * If 6 fails, because the lock manager is lost, the locks stay and the node has to be
 * fenced.  Before the mount is complete and once its end has begun, 3 to 7 are left to
 * the unmount: it has the inodes and the slot in its own hands.
 */
#include <linux/blkdev.h>
#include <linux/completion.h>
#include <linux/pagemap.h>
#include <linux/slab.h>
#include "../dlm_glue/glue.h"
#include "log.h"
#include "recovery.h"
#include "slot.h"
#include "super.h"
#include "withdraw.h"

/**
 * struct cohfs_withdrawal - of a mount
 * @stop_work: steps 1 to 4
 * @hand_over_work: the rest, which waits for other nodes
 * @handed_over: and its end
 * @serving: mounted, and not being unmounted
 */
struct cohfs_withdrawal {
	struct cohfs_sb *cs;
	struct work_struct stop_work;
	struct work_struct hand_over_work;
	struct completion handed_over;
	bool serving;
};

/* Data ------------------------------------------------------------------------- */

/*
 * The pages go, too: fault-around maps what it finds in the cache and asks no lock.
 * That waits for those that are being written.
 */
static void settle_inode(struct inode *inode)
{
	struct address_space *mapping = inode->i_mapping;

	unmap_mapping_range(mapping, 0, 0, 0);
	filemap_invalidate_lock(mapping);
	truncate_inode_pages(mapping, 0);
	filemap_invalidate_unlock(mapping);
	inode_dio_wait(inode);
}

static struct inode *grab_if_live(struct inode *inode)
{
	bool live;

	spin_lock(&inode->i_lock);
	live = S_ISREG(inode->i_mode) && inode->i_mapping->host == inode &&
	       !(inode->i_state & (I_NEW | I_FREEING | I_WILL_FREE | I_CREATING));
	if (live)
		__iget(inode);
	spin_unlock(&inode->i_lock);
	return live ? inode : NULL;
}

/*
 * Nothing new is started: every path to the disk looks at the state.  An inode that is
 * being evicted is not found here.  It was written back before, unless it has no links:
 * then it waits for what is under way before it lets go of its locks, and the worst that
 * a write which outlives all the steps to come can hit is a block of that file, until
 * its deletion elsewhere has run.
 */
static void settle_inodes(struct super_block *sb)
{
	struct inode *inode, *next, *last = NULL;

	spin_lock(&sb->s_inode_list_lock);
	list_for_each_entry(inode, &sb->s_inodes, i_sb_list) {
		next = grab_if_live(inode);
		if (!next)
			continue;
		spin_unlock(&sb->s_inode_list_lock);
		iput(last);
		settle_inode(next);
		last = next;
		cond_resched();
		spin_lock(&sb->s_inode_list_lock);
	}
	spin_unlock(&sb->s_inode_list_lock);
	iput(last);
}

/* Metadata ----------------------------------------------------------------------- */

/*
 * The buffers go with their pages, the dirty ones too; those that somebody still uses
 * live on as memory.  Waits for the ones that are being written.
 */
static void discard_metadata(struct super_block *sb)
{
	struct address_space *mapping = sb->s_bdev->bd_mapping;

	filemap_invalidate_lock(mapping);
	truncate_inode_pages(mapping, 0);
	filemap_invalidate_unlock(mapping);
}

/* The steps ------------------------------------------------------------------------ */

/* False: it is for the unmount to go on. */
static bool stop(struct cohfs_withdrawal *wd)
{
	struct cohfs_sb *cs = wd->cs;

	if (cs->ls)
		cohfs_lockspace_kill(cs->ls);
	cohfs_log_abort(cs);
	if (!READ_ONCE(wd->serving))
		return false;
	settle_inodes(cs->sb);
	return true;
}

static void stop_work(struct work_struct *work)
{
	struct cohfs_withdrawal *wd = container_of(work, struct cohfs_withdrawal,
						   stop_work);

	if (stop(wd))
		queue_work(system_unbound_wq, &wd->hand_over_work);
}

static void hand_over_work(struct work_struct *work)
{
	struct cohfs_withdrawal *wd = container_of(work, struct cohfs_withdrawal,
						   hand_over_work);
	struct cohfs_sb *cs = wd->cs;
	int err;

	if (completion_done(&wd->handed_over))
		return;
	cohfs_recovery_settle(cs);
	discard_metadata(cs->sb);
	cohfs_slot_forfeit(cs);
	err = cohfs_recovery_call(cs);
	if (err) {
		cohfs_err(cs->sb, "nobody could be asked to replay our journal (error %d): the locks stay until this node is fenced",
			  err);
	} else {
		cohfs_lockspace_abandon(cs->ls);
		cohfs_info(cs->sb, "withdrawn: the locks are given up");
	}
	complete_all(&wd->handed_over);
}

/*
 * The state alone stops new transactions and makes revokes fail, so that no lock is
 * lowered; what sleeps is left to a worker.  SB_RDONLY is not set: it belongs to
 * s_umount, makes the VFS answer EROFS where EIO is the truth, and would keep the
 * final sync from reporting what is lost.
 */
void cohfs_withdraw(struct cohfs_sb *cs, const char *fmt, ...)
{
	struct va_format vaf;
	va_list args;

	if (xchg(&cs->state, COHFS_SB_WITHDRAWN) == COHFS_SB_WITHDRAWN)
		return;
	va_start(args, fmt);
	vaf.fmt = fmt;
	vaf.va = &args;
	cohfs_err(cs->sb, "withdrawn, nothing is written any more: %pV", &vaf);
	va_end(args);
	queue_work(system_unbound_wq, &cs->withdrawal->stop_work);
}

/* Mount and unmount ------------------------------------------------------------------ */

int cohfs_withdraw_init(struct cohfs_sb *cs)
{
	struct cohfs_withdrawal *wd = kzalloc(sizeof(*wd), GFP_KERNEL);

	if (!wd)
		return -ENOMEM;
	wd->cs = cs;
	INIT_WORK(&wd->stop_work, stop_work);
	INIT_WORK(&wd->hand_over_work, hand_over_work);
	init_completion(&wd->handed_over);
	cs->withdrawal = wd;
	return 0;
}

void cohfs_withdraw_stop(struct cohfs_sb *cs)
{
	disable_work_sync(&cs->withdrawal->stop_work);
	disable_work_sync(&cs->withdrawal->hand_over_work);
	if (cs->ls && cohfs_is_withdrawn(cs))
		cohfs_lockspace_kill(cs->ls);
}

void cohfs_withdraw_free(struct cohfs_sb *cs)
{
	kfree(cs->withdrawal);
	cs->withdrawal = NULL;
}

void cohfs_withdraw_serve(struct cohfs_sb *cs)
{
	WRITE_ONCE(cs->withdrawal->serving, true);
}

/* A worker that starts after this looks at @serving, one that runs is waited for. */
void cohfs_withdraw_unmount(struct cohfs_sb *cs)
{
	WRITE_ONCE(cs->withdrawal->serving, false);
	flush_work(&cs->withdrawal->stop_work);
}

void cohfs_withdraw_settle(struct cohfs_sb *cs)
{
	struct cohfs_withdrawal *wd = cs->withdrawal;

	if (!cohfs_is_withdrawn(cs) || !cs->ls)
		return;
	flush_work(&wd->stop_work);
	stop(wd);
	queue_work(system_unbound_wq, &wd->hand_over_work);
	if (wait_for_completion_killable(&wd->handed_over)) {
		cohfs_lockspace_lose(cs->ls);
		wait_for_completion(&wd->handed_over);
	}
}
