// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tasks and locks: acquire, wait, release.
 *
 * A task that finds its mode covered is in and out under lk_spin.  Otherwise it
 * queues, sends the request itself if there is one to send, and sleeps until
 * lk_apply() takes it out of the queue: as a holder already, so that a right can
 * not be lost between grant and wake-up.
 */
#include <linux/sched/signal.h>
#include "lock.h"
#include "trace.h"

/* lockdep ------------------------------------------------------------------------- */

/*
 * Holds are shared on this node and may exclude other nodes, so for lockdep they are
 * read locks that writers elsewhere can get in between of: never recursive across
 * types, whose order is checked like that of any other locks.  Within a type,
 * lk_dep_cmp() says what may nest.  Of a range tree only the root counts as held: a
 * task may hold more pages than lockdep can remember locks.
 */
static bool __maybe_unused owned_by_task(const struct cohfs_lock *lk, unsigned int flags)
{
	return !(flags & COHFS_LK_PIN) && lk->lk_name.type > COHFS_LT_OPEN &&
	       lk->lk_name.type != COHFS_LT_REGION && lk->lk_name.type != COHFS_LT_PAGE;
}

static void dep_acquire(struct cohfs_lock *lk, unsigned int flags, unsigned long ip)
{
#ifdef CONFIG_LOCKDEP
	bool try = flags & (COHFS_LK_TRY | COHFS_LK_ASYNC | COHFS_LK_NOQUEUE |
			     COHFS_LK_KEEP);

	rwsem_acquire_read(&lk->lk_dep_map, 0, try, ip);
	if (!owned_by_task(lk, flags))
		rwsem_release(&lk->lk_dep_map, ip);
#endif
}

static void dep_release(struct cohfs_lock *lk, unsigned int flags, unsigned long ip)
{
#ifdef CONFIG_LOCKDEP
	if (owned_by_task(lk, flags))
		rwsem_release(&lk->lk_dep_map, ip);
#endif
}

void cohfs_lock_dep_begin(struct cohfs_lock *lk)
{
	dep_acquire(lk, COHFS_LK_TRY, _RET_IP_);
}

void cohfs_lock_dep_end(struct cohfs_lock *lk)
{
	dep_release(lk, 0, _RET_IP_);
}

/* Waiting --------------------------------------------------------------------------- */

/*
 * Take @w out of the queue, because its task has to die.
 * Return: what became of it: -EINTR, or the status that came first.
 */
static int leave_queue(struct cohfs_lock *lk, struct cohfs_lock_call *w)
{
	unsigned long flags;

	spin_lock_irqsave(&lk->lk_spin, flags);
	if (w->status == -EINPROGRESS) {
		list_del_init(&w->list);
		w->status = -EINTR;
		/* whom the lock is for has changed; a request under way goes on */
		lk_apply(lk, COHFS_EV_WANT, lk_waiters_want(lk));
	}
	/* should ops->granted be up to us, somebody else is found here */
	lk_unlock(lk, flags);
	return w->status;
}

static int queue_status(struct cohfs_lock *lk, struct cohfs_lock_call *w)
{
	unsigned long flags;
	int status;

	/* completion and status change together, under lk_spin */
	spin_lock_irqsave(&lk->lk_spin, flags);
	status = w->status;
	spin_unlock_irqrestore(&lk->lk_spin, flags);
	return status;
}

/*
 * A task that is dying closes its files on the way, and takes no signal any more: it does
 * not wait for a lock manager that stands still, which may be for ever.
 */
static int wait_done(struct cohfs_lock *lk, struct cohfs_lock_call *w)
{
	if (w->flags & COHFS_LK_NOINTR)
		return wait_for_completion_state(&w->done, TASK_IDLE);
	if (!(current->flags & PF_EXITING))
		return wait_for_completion_state(&w->done, TASK_KILLABLE);
	while (!wait_for_completion_timeout(&w->done, HZ))
		if (ls_stopped(lk->lk_ls))
			return -EINTR;
	return 0;
}

/* Woken either because it is over, or to run ops->granted. */
static int wait_in_queue(struct cohfs_lock *lk, struct cohfs_lock_call *w)
{
	int status;

	do {
		if (wait_done(lk, w))
			return leave_queue(lk, w);
		status = queue_status(lk, w);
		if (status == -EINPROGRESS)
			lk_deliver(lk);
	} while (status == -EINPROGRESS);
	return status;
}

/* From an intent to the whole? */
static bool is_climb(const struct cohfs_fsm *f, enum cohfs_mode mode)
{
	return (f->cfg & COHFS_CFG_SPLITS) && mode >= COHFS_PR &&
	       (f->granted == COHFS_CR || f->granted == COHFS_CW);
}

/* would this NOQUEUE request have to wait for anything but an answer? */
static bool noqueue_hopeless(const struct cohfs_lock *lk,
			     const struct cohfs_lock_call *call)
{
	const struct cohfs_fsm *f = &lk->lk_fsm;

	if (is_climb(f, call->mode) && !(call->flags & COHFS_LK_CLIMB))
		return true;
	return !list_empty(&lk->lk_waiters) || cohfs_fsm_contended(f) ||
	       (f->state != COHFS_FS_IDLE && f->state != COHFS_FS_GRANTING) ||
	       ((READ_ONCE(*f->gate) & COHFS_GATE_FROZEN) &&
		!(f->cfg & COHFS_CFG_EXEMPT));
}

/*
 * The mode is not to be had at once.  Called with lk_spin held, drops it.
 * Return: -EAGAIN, or -EINPROGRESS: @call is in the queue.
 */
static int miss(struct cohfs_lock *lk, struct cohfs_lock_call *call,
		unsigned long flags)
	__releases(&lk->lk_spin)
{
	if ((call->flags & COHFS_LK_TRY) ||
	    ((call->flags & COHFS_LK_NOQUEUE) && noqueue_hopeless(lk, call))) {
		spin_unlock_irqrestore(&lk->lk_spin, flags);
		return -EAGAIN;
	}
	if (call->flags & COHFS_LK_ASYNC) {
		lk->lk_priv->async = cohfs_mode_join(lk->lk_priv->async, call->mode);
		lk_apply(lk, COHFS_EV_WANT, lk_waiters_want(lk));
		lk_unlock(lk, flags);
		return -EAGAIN;
	}
	lk_count(lk, COHFS_CT_WAITS);
	init_completion(&call->done);
	call->status = -EINPROGRESS;
	list_add_tail(&call->list, &lk->lk_waiters);
	lk_apply(lk, COHFS_EV_WANT, lk_waiters_want(lk));
	if (lk_unlock_run(lk, flags))
		lk_run(lk);
	return -EINPROGRESS;
}

/* What needs nobody else: 0, -EAGAIN, -EIO.  Called with lk_spin held. */
static int hold_at_once(struct cohfs_lock *lk, enum cohfs_mode mode, unsigned int flags)
{
	if (lk_is_dead(lk) || lk->lk_fsm.dead || lk->lk_fsm.drop)
		return -EIO;
	if (!cohfs_fsm_may_hold(&lk->lk_fsm, mode, flags & COHFS_LK_KEEP))
		return -EAGAIN;
	cohfs_fsm_step(&lk->lk_fsm, COHFS_EV_HOLD, mode);
	return 0;
}

static int try(struct cohfs_lock *lk, enum cohfs_mode mode, unsigned int flags)
{
	unsigned long irqflags;
	int ret;

	spin_lock_irqsave(&lk->lk_spin, irqflags);
	ret = hold_at_once(lk, mode, flags);
	spin_unlock_irqrestore(&lk->lk_spin, irqflags);
	return ret;
}

/* Get the mode, or queue @call for it. */
static int start(struct cohfs_lock *lk, struct cohfs_lock_call *call)
{
	unsigned long flags;
	int ret;

	if (!(call->flags & (COHFS_LK_TRY | COHFS_LK_ASYNC)))
		might_sleep();
	spin_lock_irqsave(&lk->lk_spin, flags);
	ret = hold_at_once(lk, call->mode, call->flags);
	if (ret == -EAGAIN)
		return miss(lk, call, flags);
	spin_unlock_irqrestore(&lk->lk_spin, flags);
	return ret;
}

static int acquire(struct cohfs_lock *lk, enum cohfs_mode mode, unsigned int flags)
{
	struct cohfs_lock_call call;
	int ret;

	if (flags & COHFS_LK_TRY)
		return try(lk, mode, flags);
	call = (struct cohfs_lock_call){ .mode = mode, .flags = flags };
	ret = start(lk, &call);
	return ret == -EINPROGRESS ? wait_in_queue(lk, &call) : ret;
}

/* What the filesystem calls ------------------------------------------------------------ */

int cohfs_lock_acquire(struct cohfs_lock *lk, enum cohfs_mode mode,
		       unsigned int flags)
{
	int ret;

	/* before waiting, so that an inversion is reported rather than suffered */
	dep_acquire(lk, flags, _RET_IP_);
	ret = acquire(lk, mode, flags);
	if (ret)
		dep_release(lk, flags, _RET_IP_);
	return ret;
}

void cohfs_lock_acquire_start(struct cohfs_lock_call *call, struct cohfs_lock *lk,
			      enum cohfs_mode mode, unsigned int flags)
{
	dep_acquire(lk, flags, _RET_IP_);
	call->lk = lk;
	call->mode = mode;
	call->flags = flags;
	call->result = start(lk, call);
}

int cohfs_lock_acquire_finish(struct cohfs_lock_call *call)
{
	int ret = call->result;

	if (ret == -EINPROGRESS)
		ret = wait_in_queue(call->lk, call);
	if (ret)
		dep_release(call->lk, call->flags, _RET_IP_);
	return ret;
}

void cohfs_lock_recall(struct cohfs_lock *lk, enum cohfs_mode mode)
{
	unsigned long flags;

	spin_lock_irqsave(&lk->lk_spin, flags);
	lk_apply(lk, COHFS_EV_RECALL, mode);
	lk_unlock(lk, flags);
}

static void release(struct cohfs_lock *lk, enum cohfs_fsm_event event,
		    enum cohfs_mode mode)
{
	unsigned long flags;

	spin_lock_irqsave(&lk->lk_spin, flags);
	/* by far the most: nobody is there whom it could concern */
	if (cohfs_fsm_quiet(&lk->lk_fsm) && list_empty(&lk->lk_waiters)) {
		cohfs_fsm_step(&lk->lk_fsm, event, mode);
		spin_unlock_irqrestore(&lk->lk_spin, flags);
		return;
	}
	lk_apply(lk, event, mode);
	lk_unlock(lk, flags);
}

void cohfs_lock_release(struct cohfs_lock *lk, enum cohfs_mode mode)
{
	dep_release(lk, 0, _RET_IP_);
	release(lk, COHFS_EV_RELEASE, mode);
}

void cohfs_lock_release_unused(struct cohfs_lock *lk, enum cohfs_mode mode)
{
	dep_release(lk, 0, _RET_IP_);
	release(lk, COHFS_EV_LEAVE, mode);
}

void cohfs_lock_release_done(struct cohfs_lock *lk, enum cohfs_mode mode)
{
	dep_release(lk, 0, _RET_IP_);
	release(lk, COHFS_EV_DONE, mode);
}

void cohfs_lock_unpin(struct cohfs_lock *lk, enum cohfs_mode mode)
{
	release(lk, COHFS_EV_RELEASE, mode);
}

void cohfs_lock_used(struct cohfs_lock *lk)
{
	unsigned long flags;

	/* the usual case, in every page fault: nothing to end */
	if (READ_ONCE(lk->lk_fsm.tenure) != COHFS_TEN_UNUSED)
		return;
	spin_lock_irqsave(&lk->lk_spin, flags);
	lk_apply(lk, COHFS_EV_USED, 0);
	lk_unlock(lk, flags);
}

int cohfs_lock_many(struct cohfs_lock_want *want, unsigned int *nr,
		    unsigned int flags)
{
	unsigned int i;
	int ret;

	*nr = cohfs_order(want, *nr);
	for (i = 0; i < *nr; i++) {
		ret = cohfs_lock_acquire(want[i].lk, want[i].mode, flags);
		if (ret) {
			cohfs_lock_release_many(want, i);
			return ret;
		}
	}
	return 0;
}

void cohfs_lock_release_many(struct cohfs_lock_want *want, unsigned int nr)
{
	while (nr--)
		cohfs_lock_release(want[nr].lk, want[nr].mode);
}
