// SPDX-License-Identifier: GPL-2.0-only
/*
 * The parts of a lock's life that sleep.
 *
 * One revoke queue per lock type (= rank), so that a give up may wait for give ups
 * of later ranks; one queue for ops->granted, whose items never wait; one for
 * freeing.  All may be needed to free memory.  An item holds a reference to its
 * lock from queueing to its end.
 *
 * lk_run() talks to the backend.  One task at a time per lock does (running), be it
 * a worker or the task that wants the lock; what comes up meanwhile is left to it.
 */
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include "lock.h"
#include "trace.h"

/* Talking to the backend --------------------------------------------------------- */

static void report_busy(struct cohfs_lock *lk, int error)
{
	char name[COHFS_RES_NAME_MAX + 1];

	cohfs_name_format(&lk->lk_name, name);
	pr_warn("cohfs: lockspace %s: lock %s: the lock manager does not take it (error %d, %u tries)\n",
		lk->lk_ls->ls_name, name, error, lk->lk_priv->retries);
}

static void retry_later(struct cohfs_lock *lk, u32 what, int error)
{
	struct cohfs_lock_priv *p = lk->lk_priv;
	unsigned long ms = min_t(unsigned long, 1ul << min(p->retries, 8u),
				 COHFS_SEND_DELAY_MAX);

	p->todo |= what;
	p->backoff = true;
	if (!(++p->retries % COHFS_SEND_REPORT))
		report_busy(lk, error);
	lk_count(lk, COHFS_CT_RETRIES);
	trace_cohfs_lock_retry(lk, p->retries);
	cohfs_lock_get(lk);
	if (!queue_delayed_work(lk->lk_ls->ls_grant_wq, &p->retry_work,
				msecs_to_jiffies(ms)))
		cohfs_lock_put(lk);	/* not the last: the caller has one */
}

/*
 * The backend did not take it.  A request fails for those who wait for it.  What
 * goes down must go down, others wait for it: tried again until it is taken.
 *
 * -EBUSY: the remains of a cancel are still under way.  If they went to a node that has
 * just died or left they end with the recovery, which may be a long token time, a fence
 * and a slow controller away; until it begins nothing tells.  -ENOMEM: no message buffer.
 */
static void send_failed(struct cohfs_lock *lk, u32 what, int error)
{
	bool again = error == -EBUSY || (error == -ENOMEM && what != COHFS_DO_REQUEST);

	if (what == COHFS_DO_CANCEL)
		return;			/* then the request runs its course */
	if (again) {
		retry_later(lk, what, error);
		return;
	}
	lk->lk_priv->retries = 0;
	if (what == COHFS_DO_REQUEST) {
		if (error != -ENOMEM)
			lk_lost(lk, "request failed", error);
		lk_apply(lk, COHFS_EV_ANSWER, error);
		return;
	}
	lk_lost(lk, what == COHFS_DO_LOWER ? "cannot lower" : "cannot unlock", error);
	lk_apply(lk, COHFS_EV_KILL, 0);
}

/* the value block travels with lowering and unlocking; zeroes if we know nothing */
static void publish(struct cohfs_lock *lk)
{
	struct cohfs_lock_priv *p = lk->lk_priv;

	if (!p->lvb || lk->lk_fsm.dlm < COHFS_PW)
		return;
	memset(p->lvb, 0, lk->lk_ls->ls_lvb_size);
	if (p->delivered_ex)
		lk->lk_ops->publish(lk, p->lvb);
	p->delivered_ex = false;
}

static int send_one(struct cohfs_lock *lk, u32 what)
{
	const struct cohfs_backend_ops *be = lk->lk_ls->ls_be;
	struct cohfs_lock_priv *p = lk->lk_priv;
	struct cohfs_fsm *f = &lk->lk_fsm;

	/*
	 * No lk_spin, yet f->target and the like hold still: only the answer to what
	 * is sent here, or was sent before a cancel, can change them.
	 */
	switch (what) {
	case COHFS_DO_REQUEST:
		p->requested_at = ktime_get();
		/* the backend may leave it alone if nobody ever wrote it */
		if (p->lvb)
			memset(p->lvb, 0, lk->lk_ls->ls_lvb_size);
		lk_count(lk, COHFS_CT_REQUESTS);
		trace_cohfs_lock_request(lk, f->op_noqueue);
		return be->request(lk, f->op, f->op == COHFS_OP_BASE ?
				   COHFS_NL : f->target, f->op_noqueue);
	case COHFS_DO_LOWER:
		publish(lk);
		return be->lower(lk, f->target);
	case COHFS_DO_UNLOCK:
		publish(lk);
		return be->unlock(lk);
	default:
		return be->cancel(lk);
	}
}

static u32 next_send(struct cohfs_lock *lk)
{
	struct cohfs_lock_priv *p = lk->lk_priv;
	u32 todo = p->todo & COHFS_DO_SEND;
	u32 what;

	if (lk_is_dead(lk)) {
		p->todo &= ~COHFS_DO_SEND;
		return 0;
	}
	if (!todo || p->backoff || ls_stopped(lk->lk_ls))
		return 0;
	if (todo & COHFS_DO_CANCEL) {
		p->todo &= ~COHFS_DO_CANCEL;
		if (lk->lk_fsm.state != COHFS_FS_RAISING)
			return next_send(lk);	/* answered meanwhile */
		if (!(todo & COHFS_DO_REQUEST))
			return COHFS_DO_CANCEL;
		p->todo &= ~COHFS_DO_REQUEST;	/* never sent */
		lk_apply(lk, COHFS_EV_ANSWER, -ECANCELED);
		return next_send(lk);
	}
	what = todo & -todo;
	p->todo &= ~what;
	return what;
}

/*
 * lk_run() - send what there is to send, until there is no more
 * Context: may sleep (a backend may), GFP_NOFS; the caller has a reference.
 */
void lk_run(struct cohfs_lock *lk)
{
	struct cohfs_lock_priv *p = lk->lk_priv;
	unsigned long flags;
	u32 what;
	int error;

	spin_lock_irqsave(&lk->lk_spin, flags);
	if (p->running) {
		spin_unlock_irqrestore(&lk->lk_spin, flags);
		return;
	}
	p->running = true;
	while ((what = next_send(lk))) {
		spin_unlock_irqrestore(&lk->lk_spin, flags);
		error = send_one(lk, what);
		spin_lock_irqsave(&lk->lk_spin, flags);
		if (error)
			send_failed(lk, what, error);
	}
	p->running = false;
	lk_unlock(lk, flags);
}

/* ops->give_up --------------------------------------------------------------------- */

static bool claim(struct cohfs_lock *lk, u32 what)
{
	unsigned long flags;
	bool mine;

	spin_lock_irqsave(&lk->lk_spin, flags);
	mine = lk->lk_priv->todo & what;
	lk->lk_priv->todo &= ~what;
	spin_unlock_irqrestore(&lk->lk_spin, flags);
	return mine;
}

static void give_up(struct cohfs_lock *lk)
{
	unsigned long flags;
	int error = 0;
	bool run;

	/* as in send_one(): nobody changes these while we are here */
	if (lk->lk_ops->give_up)
		error = lk->lk_ops->give_up(lk, lk->lk_fsm.granted,
					    lk->lk_fsm.target);

	spin_lock_irqsave(&lk->lk_spin, flags);
	lk_apply(lk, COHFS_EV_GIVEN_UP, error);
	run = lk_unlock_run(lk, flags);
	if (run)
		lk_run(lk);
}

void lk_revoke_work(struct work_struct *work)
{
	struct cohfs_lock *lk = container_of(work, struct cohfs_lock_priv,
					     revoke_work)->lk;
	unsigned int nofs = memalloc_nofs_save();

	lk_run(lk);
	/*
	 * A give up that extends to a lower mode, or is repeated for the drop, queues
	 * this work again by itself.
	 */
	if (claim(lk, COHFS_DO_GIVE_UP))
		give_up(lk);
	memalloc_nofs_restore(nofs);
	cohfs_lock_put(lk);
}

void lk_queue_revoke(struct cohfs_lock *lk)
{
	cohfs_lock_get(lk);
	if (!queue_work(lk->lk_ls->ls_revoke_wq[lk->lk_name.type],
			&lk->lk_priv->revoke_work))
		cohfs_lock_put(lk);	/* queued already, with its own reference */
}

void lk_retry_work(struct work_struct *work)
{
	struct cohfs_lock *lk = container_of(to_delayed_work(work),
					     struct cohfs_lock_priv, retry_work)->lk;
	unsigned long flags;

	spin_lock_irqsave(&lk->lk_spin, flags);
	lk->lk_priv->backoff = false;
	lk_unlock(lk, flags);
	cohfs_lock_put(lk);
}

/* ops->granted ----------------------------------------------------------------------- */

/*
 * lk_deliver() - run ops->granted if it is due and nobody else does
 * Return: true if it was done here.
 * Context: process; does not sleep in itself, but may talk to the backend.
 */
bool lk_deliver(struct cohfs_lock *lk)
{
	struct cohfs_lock_priv *p = lk->lk_priv;
	enum cohfs_tenure tenure;
	unsigned long flags;

	if (!claim(lk, COHFS_DO_DELIVER))
		return false;
	lk->lk_ops->granted(lk, lk->lk_fsm.granted, lk->lk_fsm.target,
			    p->lvb_valid ? p->lvb : NULL);

	spin_lock_irqsave(&lk->lk_spin, flags);
	tenure = lk_tenure_of_grant(lk);
	lk_apply(lk, COHFS_EV_DELIVERED, tenure);
	lk_unlock(lk, flags);
	return true;
}

void lk_grant_work(struct work_struct *work)
{
	struct cohfs_lock *lk = container_of(work, struct cohfs_lock_priv,
					     grant_work)->lk;

	lk_deliver(lk);
	cohfs_lock_put(lk);
}

void lk_queue_grant(struct cohfs_lock *lk)
{
	cohfs_lock_get(lk);
	if (!queue_work(lk->lk_ls->ls_grant_wq, &lk->lk_priv->grant_work))
		cohfs_lock_put(lk);
}

/* The end ---------------------------------------------------------------------------- */

static void lk_destroy(struct cohfs_lock *lk)
{
	struct cohfs_lockspace *ls = lk->lk_ls;
	struct cohfs_lock_priv *p = lk->lk_priv;

	mutex_lock(&ls->ls_mutex);
	list_del(&lk->lk_list);
	mutex_unlock(&ls->ls_mutex);
	hrtimer_cancel(&p->tenure_timer);
	WARN_ON_ONCE(!list_empty(&lk->lk_waiters));
	if (ls->ls_be->lock_exit)
		ls->ls_be->lock_exit(lk);
	lk->lk_priv = NULL;
	kfree(p);
	lk->lk_ops->free(lk);

	atomic64_inc(&ls->ls_destroyed);
	if (atomic_dec_and_test(&ls->ls_nr_locks) || ls_dead(ls))
		wake_up_all(&ls->ls_wait);
}

/*
 * While the lock manager recovers it holds callbacks back and hands them out later,
 * newest first: a bast can come after the answer to the unlock that followed it.
 * So nothing is freed before that is over; ls_walk_work() looks here again then.
 */
void ls_free_work(struct work_struct *work)
{
	struct cohfs_lockspace *ls = container_of(work, struct cohfs_lockspace,
						  ls_free_work);
	struct cohfs_lock_priv *p, *next;

	if (ls_stopped(ls) && !ls_left(ls))
		return;
	llist_for_each_entry_safe(p, next, llist_del_all(&ls->ls_free_list),
				  free_node) {
		lk_destroy(p->lk);
		cond_resched();
	}
}

/* The whole lockspace ------------------------------------------------------------------ */

/*
 * After the gate has changed: tell every lock.  The change comes first, and a step
 * looks at the gate under lk_spin, so a lock either saw the new gate by itself or is
 * in the state that is put right here.
 */
void ls_walk_work(struct work_struct *work)
{
	struct cohfs_lockspace *ls = container_of(work, struct cohfs_lockspace,
						  ls_walk_work);
	struct cohfs_lock *lk;
	unsigned long flags;

	mutex_lock(&ls->ls_mutex);
	list_for_each_entry(lk, &ls->ls_locks, lk_list) {
		/* in the list: not freed, with or without references */
		spin_lock_irqsave(&lk->lk_spin, flags);
		if (!lk_is_dead(lk))
			lk_apply(lk, COHFS_EV_THAW, 0);
		else if (!lk->lk_fsm.dead)
			lk_apply(lk, COHFS_EV_KILL, 0);
		if (kref_read(&lk->lk_ref))
			lk_unlock(lk, flags);
		else
			spin_unlock_irqrestore(&lk->lk_spin, flags);
		cond_resched();
	}
	mutex_unlock(&ls->ls_mutex);
	queue_work(ls->ls_free_wq, &ls->ls_free_work);
}

int ls_workers_start(struct cohfs_lockspace *ls)
{
	unsigned int t;

	INIT_WORK(&ls->ls_free_work, ls_free_work);
	INIT_WORK(&ls->ls_walk_work, ls_walk_work);
	for (t = 0; t < COHFS_NR_LOCK_TYPES; t++) {
		ls->ls_revoke_wq[t] = alloc_workqueue("cohfs_revoke_%c",
				WQ_MEM_RECLAIM | WQ_HIGHPRI | WQ_UNBOUND, 0,
				cohfs_type_letter(t));
		if (!ls->ls_revoke_wq[t])
			return -ENOMEM;
	}
	ls->ls_grant_wq = alloc_workqueue("cohfs_grant",
					  WQ_MEM_RECLAIM | WQ_HIGHPRI, 0);
	ls->ls_free_wq = alloc_workqueue("cohfs_lock_free",
					 WQ_MEM_RECLAIM | WQ_UNBOUND, 0);
	return ls->ls_grant_wq && ls->ls_free_wq ? 0 : -ENOMEM;
}

static void stop_queue(struct workqueue_struct **wq)
{
	if (*wq)
		destroy_workqueue(*wq);
	*wq = NULL;
}

void ls_workers_stop(struct cohfs_lockspace *ls)
{
	unsigned int t;

	for (t = 0; t < COHFS_NR_LOCK_TYPES; t++)
		stop_queue(&ls->ls_revoke_wq[t]);
	stop_queue(&ls->ls_grant_wq);
	stop_queue(&ls->ls_free_wq);
}
