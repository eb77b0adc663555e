// SPDX-License-Identifier: GPL-2.0-only
/*
 * Freezing the filesystem on all nodes.
 *
 * Every mount has PR of the freeze lock (MOUNT lock COHFS_FREEZE_NUMBER) cached.  Who
 * freezes takes EX: the others' give up of PR freezes their mounts, as FIFREEZE does on a
 * local filesystem, and PR is asked for again at once.  It is granted when the freezer
 * lets go, be it by thawing, by withdrawing or by dying, and then they thaw.
 *
 * On each node freeze_super() first stops the writers and waits for them, then
 * synchronises.  Revokes are served throughout, so a node that still waits for its
 * writers gets from one that is frozen already whatever locks these need.  A task that is
 * stopped holds no cluster lock: it is stopped at its entry.  The freezer stops its own
 * writers last, when it has EX.
 */
#include <linux/fs.h>
#include <linux/slab.h>
#include "freeze.h"
#include "object.h"
#include "recovery.h"
#include "super.h"

#define FOR_OTHERS	(FREEZE_HOLDER_KERNEL | FREEZE_MAY_NEST)

/**
 * struct cohfs_freeze - of a mount
 * @mutex: protects @held; outside s_umount
 * @held: this node is the freezer, and holds EX
 * @wait: for the two below, which change under its lock
 * @frozen: the mount is frozen for another node
 * @leaving: give ups need not wait any more
 * @work: freezes, waits for the freezer, thaws; holds the superblock active
 */
struct cohfs_freeze {
	struct cohfs_sb *cs;
	struct cohfs_object *obj;
	struct mutex mutex;
	bool held;
	wait_queue_head_t wait;
	bool frozen;
	bool leaving;
	struct work_struct work;
};

/* For another node -------------------------------------------------------------------- */

static void set_frozen(struct cohfs_freeze *fz, bool frozen)
{
	spin_lock(&fz->wait.lock);
	fz->frozen = frozen;
	wake_up_all_locked(&fz->wait);
	spin_unlock(&fz->wait.lock);
}

/*
 * @frozen is cleared with PR held, so that the give up for the next freeze does not find
 * it.  A mount that cannot be frozen has withdrawn, or is about to: the freezer must not
 * wait for it.  If PR is not to be had the lock manager is gone.
 *
 * The last reference may be ours: then the mount ends here, and @fz with it.
 */
static void freeze_work(struct work_struct *work)
{
	struct cohfs_freeze *fz = container_of(work, struct cohfs_freeze, work);
	struct super_block *sb = fz->cs->sb;
	unsigned int tries = 0;
	int err, lock_err;

	err = freeze_super(sb, FOR_OTHERS);
	if (err)
		cohfs_warn(sb, "cannot be frozen for another node: error %d", err);
	set_frozen(fz, true);
	do {
		lock_err = cohfs_lock_acquire(&fz->obj->lk, COHFS_PR,
					      COHFS_LK_NOINTR | COHFS_LK_PIN);
	} while (cohfs_recovery_again(fz->cs, "thaw", lock_err, &tries));
	set_frozen(fz, false);
	if (!lock_err)
		cohfs_lock_unpin(&fz->obj->lk, COHFS_PR);
	if (!err)
		thaw_super(sb, FOR_OTHERS);
	deactivate_super(sb);
}

int cohfs_freeze_give_up(struct cohfs_sb *cs, enum cohfs_mode to)
{
	struct cohfs_freeze *fz = cs->freeze;

	if (to >= COHFS_PR || cohfs_is_withdrawn(cs) || READ_ONCE(fz->leaving))
		return 0;
	/* the mount ends, and the lock with it, when all is written */
	if (!atomic_inc_not_zero(&cs->sb->s_active))
		return -EINPROGRESS;
	if (!queue_work(system_unbound_wq, &fz->work))
		deactivate_super(cs->sb);	/* not the last: the work has one */
	wait_event_idle(fz->wait, READ_ONCE(fz->frozen) || READ_ONCE(fz->leaving));
	return 0;
}

/* For all ---------------------------------------------------------------------------- */

static void let_go_if_thawed(struct cohfs_freeze *fz)
{
	lockdep_assert_held(&fz->mutex);
	if (!fz->held || fz->cs->sb->s_writers.frozen != SB_UNFROZEN)
		return;
	fz->held = false;
	cohfs_lock_unpin(&fz->obj->lk, COHFS_EX);
}

int cohfs_freeze_super(struct super_block *sb, enum freeze_holder who)
{
	struct cohfs_freeze *fz = COHFS_SB(sb)->freeze;
	int err = 0;

	if (mutex_lock_killable(&fz->mutex))
		return -EINTR;
	if (!fz->held)
		err = cohfs_lock_acquire(&fz->obj->lk, COHFS_EX, COHFS_LK_PIN);
	if (!err) {
		fz->held = true;
		err = freeze_super(sb, who);
		if (err)
			let_go_if_thawed(fz);
	}
	mutex_unlock(&fz->mutex);
	return err;
}

int cohfs_thaw_super(struct super_block *sb, enum freeze_holder who)
{
	struct cohfs_freeze *fz = COHFS_SB(sb)->freeze;
	int err;

	/* whoever freezes has it while he waits for the other nodes */
	if (mutex_lock_killable(&fz->mutex))
		return -EINTR;
	err = thaw_super(sb, who);
	let_go_if_thawed(fz);
	mutex_unlock(&fz->mutex);
	return err;
}

/* Mount and unmount -------------------------------------------------------------------- */

int cohfs_freeze_join(struct cohfs_sb *cs)
{
	struct cohfs_freeze *fz = kzalloc(sizeof(*fz), GFP_KERNEL);
	int err;

	if (!fz)
		return -ENOMEM;
	fz->cs = cs;
	mutex_init(&fz->mutex);
	init_waitqueue_head(&fz->wait);
	INIT_WORK(&fz->work, freeze_work);
	fz->obj = cohfs_object_create(cs, COHFS_LT_MOUNT, COHFS_FREEZE_NUMBER, NULL);
	if (IS_ERR(fz->obj)) {
		err = PTR_ERR(fz->obj);
		kfree(fz);
		return err;
	}
	cs->freeze = fz;
	err = cohfs_lock_acquire(&fz->obj->lk, COHFS_PR, COHFS_LK_PIN);
	if (!err)
		cohfs_lock_unpin(&fz->obj->lk, COHFS_PR);
	return err;
}

void cohfs_freeze_leave(struct cohfs_sb *cs)
{
	struct cohfs_freeze *fz = cs->freeze;

	if (!fz)
		return;
	WRITE_ONCE(fz->leaving, true);
	wake_up_all(&fz->wait);
	/* an emergency thaw goes past us */
	if (fz->held)
		cohfs_lock_unpin(&fz->obj->lk, COHFS_EX);
	cohfs_object_drop(fz->obj);
}

void cohfs_freeze_free(struct cohfs_sb *cs)
{
	kfree(cs->freeze);
	cs->freeze = NULL;
}
