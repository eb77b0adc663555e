// SPDX-License-Identifier: GPL-2.0-only
/*
 * Backend: the kernel's distributed lock manager, fs/dlm.
 *
 * Callbacks run in softirq context (DLM_LSFL_SOFTIRQ), often inside our own
 * dlm_lock() call and under the DLM's spinlocks.  They only record an event and wake
 * somebody: that is all cohfs_lock_answer() and cohfs_lock_bast() do.  This saves a
 * hop over the DLM's ordered callback workqueue per message, and with it the trap
 * that recovery flushes that workqueue while holding what dlm_lock() waits for.
 *
 * The lksb and the value block live as long as the lock, which is freed only after
 * the answer to its unlock.
 */
#include <linux/dlm.h>
#include <linux/dlmconstants.h>
#include <linux/slab.h>
#include "lock.h"

struct cohfs_dlm_space {
	dlm_lockspace_t *handle;
	struct completion ready;	/* our slot is known */
};

struct cohfs_dlm_lock {
	struct dlm_lksb lksb;
};

static struct cohfs_dlm_lock *dlm_part(const struct cohfs_lock *lk)
{
	BUILD_BUG_ON(sizeof(struct cohfs_dlm_lock) > COHFS_BE_DATA_SIZE);
	return (struct cohfs_dlm_lock *)lk->lk_priv->be_data;
}

static dlm_lockspace_t *handle_of(const struct cohfs_lock *lk)
{
	return ((struct cohfs_dlm_space *)lk->lk_ls->ls_be_priv)->handle;
}

/* Callbacks -------------------------------------------------------------------- */

/*
 * Was the value block that came with a grant valid?  If not, what lies in our buffer is
 * what a node had published before the one that died, and the buffer is where a later
 * master of the resource takes the value from if we hold PR then: with no word about
 * its being invalid.  Zeroes are no value to anybody.
 */
static bool value_valid(struct cohfs_lock *lk, struct dlm_lksb *lksb)
{
	if (!(lksb->sb_flags & DLM_SBF_VALNOTVALID))
		return true;
	if (lksb->sb_lvbptr)
		memset(lksb->sb_lvbptr, 0, lk->lk_ls->ls_lvb_size);
	return false;
}

static void lock_ast(void *arg)
{
	struct cohfs_lock *lk = arg;
	struct dlm_lksb *lksb = &dlm_part(lk)->lksb;
	int status = lksb->sb_status;

	switch (status) {
	case -DLM_EUNLOCK:
		status = 0;
		break;
	case -DLM_ECANCEL:
		status = -ECANCELED;
		break;
	}
	/* a new request that failed has left no lock behind */
	if (status && !lk->lk_fsm.lkb)
		lksb->sb_lkid = 0;
	cohfs_lock_answer(lk, status, value_valid(lk, lksb));
}

static void lock_bast(void *arg, int mode)
{
	cohfs_lock_bast(arg, mode);
}

static void space_recover_prep(void *arg)
{
	cohfs_ls_recovery_begin(arg);
}

static void space_recover_slot(void *arg, struct dlm_slot *slot)
{
	cohfs_ls_node_failed(arg, slot->nodeid, slot->slot);
}

static void space_recover_done(void *arg, struct dlm_slot *slots, int num,
			       int our_slot, u32 generation)
{
	struct cohfs_lockspace *ls = arg;
	struct cohfs_dlm_space *space = ls->ls_be_priv;
	u64 numbers = 0;
	int i;

	for (i = 0; i < num; i++) {
		if (slots[i].slot == our_slot)
			WRITE_ONCE(ls->ls_nodeid, slots[i].nodeid);
		if (slots[i].slot >= 1 && slots[i].slot <= BITS_PER_TYPE(u64))
			numbers |= BIT_ULL(slots[i].slot - 1);
	}
	WRITE_ONCE(ls->ls_slot, our_slot);
	WRITE_ONCE(ls->ls_slots, numbers);
	if (!test_and_set_bit(COHFS_LS_JOINED, &ls->ls_flags)) {
		cohfs_ls_joined(ls, generation);
		complete(&space->ready);
		return;
	}
	cohfs_ls_recovery_end(ls, our_slot, generation);
}

static const struct dlm_lockspace_ops space_ops = {
	.recover_prep = space_recover_prep,
	.recover_slot = space_recover_slot,
	.recover_done = space_recover_done,
};

/* Membership ---------------------------------------------------------------------- */

static int explain(const char *name, const char *cluster, int error)
{
	const char *why;

	switch (error) {
	case -EBADR:
		why = "this node is in another cluster; mkfs.cohfs -t or the cluster name in corosync.conf is wrong";
		break;
	case -ENOTCONN:
	case -EUNATCH:
		why = "the cluster software does not run here (corosync, dlm_controld)";
		break;
	case -EEXIST:
		why = "the lockspace is in use on this node, by another mount or by one that was withdrawn";
		break;
	case -EOPNOTSUPP:
		why = "dlm_controld does not enable recovery callbacks (recover_callbacks in configfs); without them a node's death goes unnoticed";
		break;
	case -EINTR:
		why = "interrupted";
		break;
	default:
		why = "the lock manager refused";
		break;
	}
	pr_err("cohfs: cannot join lockspace %s of cluster %s: %s (error %d)\n", name,
	       cluster, why, error);
	return error;
}

static int dlm_join(struct cohfs_lockspace *ls, const char *cluster)
{
	struct cohfs_dlm_space *space;
	int ops_result = 0;
	int error;

	if (!cluster || !*cluster) {
		pr_err("cohfs: lock=dlm needs a lock table CLUSTER:FSNAME, see mkfs.cohfs -t\n");
		return -EINVAL;
	}
	space = kzalloc(sizeof(*space), GFP_KERNEL);
	if (!space)
		return -ENOMEM;
	init_completion(&space->ready);
	ls->ls_be_priv = space;

	/* waits for the controller, and there is no way to interrupt it */
	error = dlm_new_lockspace(ls->ls_name, cluster,
				  DLM_LSFL_NEWEXCL | DLM_LSFL_SOFTIRQ,
				  ls->ls_lvb_size, &space_ops, ls, &ops_result,
				  &space->handle);
	if (error)
		goto out_free;
	error = ops_result;
	if (!error && wait_for_completion_killable(&space->ready))
		error = -EINTR;
	if (error)
		goto out_release;
	return 0;

out_release:
	dlm_release_lockspace(space->handle, 2);
out_free:
	explain(ls->ls_name, cluster, error);
	ls->ls_be_priv = NULL;
	kfree(space);
	return error;
}

static void dlm_leave(struct cohfs_lockspace *ls)
{
	struct cohfs_dlm_space *space = ls->ls_be_priv;
	int error;

	/*
	 * 2 even for a clean leave: all locks are unlocked, but the last unlock may
	 * not have been forgotten by the DLM yet, and 0 would then say -EBUSY.
	 */
	error = dlm_release_lockspace(space->handle, 2);
	if (error)
		pr_err("cohfs: lockspace %s: release failed (error %d)\n",
		       ls->ls_name, error);
	space->handle = NULL;
}

static void dlm_exit(struct cohfs_lockspace *ls)
{
	kfree(ls->ls_be_priv);
}

/* Locks ---------------------------------------------------------------------------- */

static int dlm_lock_init(struct cohfs_lock *lk)
{
	dlm_part(lk)->lksb.sb_lvbptr = lk->lk_priv->lvb;
	return 0;
}

/* VALBLK always: recovery tells by it which lock owned the value block */
static u32 base_flags(const struct cohfs_lock *lk)
{
	return lk_has_lvb(lk) ? DLM_LKF_VALBLK : 0;
}

/* No memory for a message has a name of its own; nothing has been sent, as with ENOMEM. */
static int no_buffer(int error)
{
	return error == -ENOBUFS ? -ENOMEM : error;
}

static int lock_new(struct cohfs_lock *lk, enum cohfs_mode mode, u32 flags)
{
	char name[COHFS_RES_NAME_MAX + 1];
	unsigned int len = cohfs_name_format(&lk->lk_name, name);
	struct dlm_lksb *lksb = &dlm_part(lk)->lksb;

	lksb->sb_lkid = 0;
	return no_buffer(dlm_lock(handle_of(lk), mode, lksb, flags | base_flags(lk), name,
				  len, 0, lock_ast, lk, lock_bast));
}

static int lock_convert(struct cohfs_lock *lk, enum cohfs_mode mode, u32 flags)
{
	return no_buffer(dlm_lock(handle_of(lk), mode, &dlm_part(lk)->lksb,
				  flags | base_flags(lk) | DLM_LKF_CONVERT, NULL, 0, 0,
				  lock_ast, lk, lock_bast));
}

static int dlm_request(struct cohfs_lock *lk, enum cohfs_fsm_op op,
		       enum cohfs_mode mode, bool noqueue)
{
	u32 nq = noqueue && lk_noqueue_tells(lk) ?
		 DLM_LKF_NOQUEUE | DLM_LKF_NOQUEUEBAST : DLM_LKF_NOQUEUE;

	switch (op) {
	case COHFS_OP_TRY:
		return lock_new(lk, mode, nq);
	case COHFS_OP_BASE:
		/* not behind those who wait for something real */
		return lock_new(lk, COHFS_NL, DLM_LKF_EXPEDITE);
	case COHFS_OP_CONVERT:
		/*
		 * QUECVT: behind those who asked earlier, else a stream of readers
		 * keeps a writer waiting for ever.  Every way up that the state
		 * machine takes is in the DLM's list of those that may have it.
		 */
		return lock_convert(lk, mode, DLM_LKF_QUECVT | (noqueue ? nq : 0));
	}
	return -EINVAL;
}

static int dlm_lower(struct cohfs_lock *lk, enum cohfs_mode mode)
{
	return lock_convert(lk, mode, 0);
}

static int dlm_drop(struct cohfs_lock *lk)
{
	return no_buffer(dlm_unlock(handle_of(lk), dlm_part(lk)->lksb.sb_lkid,
				    base_flags(lk), NULL, lk));
}

static int dlm_cancel(struct cohfs_lock *lk)
{
	return dlm_unlock(handle_of(lk), dlm_part(lk)->lksb.sb_lkid, DLM_LKF_CANCEL,
			  NULL, lk);
}

const struct cohfs_backend_ops cohfs_dlm_backend = {
	.join = dlm_join,
	.leave = dlm_leave,
	.exit = dlm_exit,
	.lock_init = dlm_lock_init,
	.request = dlm_request,
	.lower = dlm_lower,
	.unlock = dlm_drop,
	.cancel = dlm_cancel,
};
