// SPDX-License-Identifier: GPL-2.0-only
/*
 * Life of a lock, and the one place where its state changes.
 *
 * lk_apply() feeds an event to the state machine (core/fsm.c), does at once what
 * needs no sleeping, notes the rest in todo, and emits the traces.  lk_unlock()
 * then sees to it that somebody takes care of todo.  Both run in any context, the
 * callbacks of the lock manager included.
 */
#include <linux/slab.h>
#include "lock.h"
#include "trace.h"

/* What follows from a step --------------------------------------------------- */

void lk_count(const struct cohfs_lock *lk, enum cohfs_lock_counter counter)
{
	atomic64_inc(&lk->lk_ls->ls_count[lk->lk_name.type][counter]);
}

static void finish_waiter(struct cohfs_lock_call *w, int status)
{
	list_del_init(&w->list);
	w->status = status;
	complete(&w->done);		/* @w may be gone after this */
}

static struct cohfs_lock_call *first_waiter(struct cohfs_lock *lk)
{
	return list_first_entry_or_null(&lk->lk_waiters, struct cohfs_lock_call, list);
}

static void fail_waiters(struct cohfs_lock *lk, int error)
{
	struct cohfs_lock_call *w;

	lk->lk_priv->async = COHFS_NL;
	while ((w = first_waiter(lk)))
		finish_waiter(w, error);
}

static void refuse_waiter(struct cohfs_lock *lk)
{
	struct cohfs_lock_call *w = first_waiter(lk);

	if (w && (w->flags & COHFS_LK_NOQUEUE))
		finish_waiter(w, -EAGAIN);
}

static bool admissible(const struct cohfs_lock *lk, const struct cohfs_lock_call *w,
		       bool grant)
{
	const struct cohfs_fsm *f = &lk->lk_fsm;

	if (grant)
		return !f->dead && !f->drop && cohfs_mode_covers(f->granted, w->mode);
	return cohfs_fsm_may_hold(f, w->mode, w->flags & COHFS_LK_KEEP);
}

/*
 * In order, and nobody overtakes: a waiter behind one that has to wait is most
 * often served by the same request.
 */
static void admit_waiters(struct cohfs_lock *lk, bool grant)
{
	struct cohfs_lock_call *w;

	while ((w = first_waiter(lk)) && admissible(lk, w, grant)) {
		cohfs_fsm_step(&lk->lk_fsm, COHFS_EV_HOLD, w->mode);
		finish_waiter(w, 0);
	}
	if (cohfs_mode_covers(lk->lk_fsm.granted, lk->lk_priv->async))
		lk->lk_priv->async = COHFS_NL;
}

/* one request for all of them; a NOQUEUE waiter's is his own */
int lk_waiters_want(struct cohfs_lock *lk)
{
	enum cohfs_mode want = lk->lk_priv->async;
	struct cohfs_lock_call *w = first_waiter(lk);

	if (w && (w->flags & COHFS_LK_NOQUEUE))
		return w->mode | COHFS_WANT_NOQUEUE;
	list_for_each_entry(w, &lk->lk_waiters, list)
		if (!(w->flags & COHFS_LK_NOQUEUE))
			want = cohfs_mode_join(want, w->mode);
	return want;
}

/* who is it that the mode just granted was asked for? */
enum cohfs_tenure lk_tenure_of_grant(struct cohfs_lock *lk)
{
	enum cohfs_tenure tenure = COHFS_TEN_NONE;
	u8 mode = lk->lk_fsm.target;
	struct cohfs_lock_call *w;

	if (lk->lk_priv->async != COHFS_NL &&
	    cohfs_mode_covers(mode, lk->lk_priv->async))
		return COHFS_TEN_UNUSED;
	list_for_each_entry(w, &lk->lk_waiters, list) {
		if (!cohfs_mode_covers(mode, w->mode))
			break;		/* admit_waiters() gets no further either */
		tenure = COHFS_TEN_HELD;
	}
	return tenure;
}

static ktime_t tenure_end(const struct cohfs_lock *lk)
{
	const struct cohfs_lock_priv *p = lk->lk_priv;
	const struct cohfs_lock_ops *ops = lk->lk_ops;
	u64 max_ns = (u64)ops->tenure_max_us * NSEC_PER_USEC;

	if (lk->lk_fsm.tenure == COHFS_TEN_UNUSED)
		return ktime_add_ns(p->promised_at, COHFS_FIRST_USE_NS);
	return ktime_add_ns(p->used_at,
			    clamp_t(u64, p->handover_ns / max(ops->tenure_div, 1U),
				    COHFS_TENURE_MIN_NS,
				    max_t(u64, max_ns, COHFS_TENURE_MIN_NS)));
}

/* Return: false if time is up already */
static bool arm_tenure(struct cohfs_lock *lk)
{
	struct hrtimer *timer = &lk->lk_priv->tenure_timer;
	ktime_t end;

	if (lk->lk_fsm.tenure == COHFS_TEN_HELD)
		return true;		/* ends with the release */
	end = tenure_end(lk);
	if (ktime_after(ktime_get(), end)) {
		if (lk->lk_fsm.tenure == COHFS_TEN_UNUSED)
			lk_count(lk, COHFS_CT_TENURE_OVERDUE);
		return false;
	}
	if (hrtimer_is_queued(timer) && hrtimer_get_expires(timer) == end)
		return true;
	if (lk->lk_fsm.tenure == COHFS_TEN_SHORT)
		lk_count(lk, COHFS_CT_TENURE_KEPT);
	hrtimer_start(timer, end, HRTIMER_MODE_ABS_SOFT);
	return true;
}

enum hrtimer_restart lk_tenure_expired(struct hrtimer *timer)
{
	struct cohfs_lock_priv *p = container_of(timer, struct cohfs_lock_priv,
						 tenure_timer);
	struct cohfs_lock *lk = p->lk;
	unsigned long flags;

	/*
	 * The timer may belong to an earlier grant, so look again.  The lock cannot
	 * go away: its last step before freeing is to cancel this timer.
	 */
	spin_lock_irqsave(&lk->lk_spin, flags);
	if (lk->lk_fsm.tenure == COHFS_TEN_UNUSED ||
	    lk->lk_fsm.tenure == COHFS_TEN_SHORT) {
		if (!arm_tenure(lk))
			lk_apply(lk, COHFS_EV_TENURE_END, 0);
	}
	lk_unlock(lk, flags);
	return HRTIMER_NORESTART;
}

/* Times and traces ----------------------------------------------------------- */

static void note_grant(struct cohfs_lock *lk)
{
	struct cohfs_lock_priv *p = lk->lk_priv;
	s64 took;

	p->granted_at = ktime_get();
	p->delivered_ex = lk->lk_fsm.granted >= COHFS_PW;
	took = ktime_to_ns(ktime_sub(p->granted_at, p->requested_at));
	if (lk->lk_fsm.op == COHFS_OP_CONVERT)
		p->handover_ns = p->handover_ns ? (3 * p->handover_ns + took) / 4
						: took;
	lk_count(lk, COHFS_CT_GRANTS);
	trace_cohfs_lock_grant(lk, took);
}

static void note_answer(struct cohfs_lock *lk, u8 old, int status)
{
	struct cohfs_lock_priv *p = lk->lk_priv;

	if (old == COHFS_FS_RAISING && status)
		trace_cohfs_lock_refused(lk, status);
	if (old == COHFS_FS_LOWERING || old == COHFS_FS_UNLOCKING) {
		lk_count(lk, COHFS_CT_LOWERS);
		trace_cohfs_lock_lower(lk, p->bast_at ?
			ktime_to_ns(ktime_sub(ktime_get(), p->bast_at)) : 0);
		p->bast_at = 0;
	}
}

static void note_step(struct cohfs_lock *lk, enum cohfs_fsm_event event, int arg,
		      u8 old_state, u8 old_tenure)
{
	struct cohfs_lock_priv *p = lk->lk_priv;
	const struct cohfs_fsm *f = &lk->lk_fsm;

	switch (event) {
	case COHFS_EV_ANSWER:
		note_answer(lk, old_state, arg);
		break;
	case COHFS_EV_DELIVERED:
		note_grant(lk);
		break;
	case COHFS_EV_BAST:
		if (!p->bast_at)
			p->bast_at = ktime_get();
		lk_count(lk, COHFS_CT_BASTS);
		trace_cohfs_lock_bast(lk, arg);
		break;
	case COHFS_EV_GIVEN_UP:
		trace_cohfs_lock_revoke_end(lk,
			ktime_to_ns(ktime_sub(ktime_get(), p->revoke_at)));
		break;
	default:
		break;
	}
	if (f->state == COHFS_FS_PARKED && old_state != COHFS_FS_PARKED) {
		lk_count(lk, COHFS_CT_PARKED);
		trace_cohfs_lock_park(lk, 0);
	}
	if (f->tenure != old_tenure) {
		if (f->tenure == COHFS_TEN_SHORT)
			p->used_at = ktime_get();
		/* the bound for the first use begins when the CPU can repeat it */
		if (f->tenure == COHFS_TEN_UNUSED)
			p->promised_at = ktime_get();
		trace_cohfs_lock_tenure(lk, old_tenure);
	}
}

static u32 step(struct cohfs_lock *lk, enum cohfs_fsm_event event, int arg)
{
	u8 state = lk->lk_fsm.state;
	u8 tenure = lk->lk_fsm.tenure;
	u32 act = cohfs_fsm_step(&lk->lk_fsm, event, arg);

	note_step(lk, event, arg, state, tenure);
	if (act & COHFS_DO_GIVE_UP) {
		struct cohfs_lock_priv *p = lk->lk_priv;

		p->revoke_at = ktime_get();
		p->revokes++;
		lk_count(lk, COHFS_CT_REVOKES);
		trace_cohfs_lock_revoke_begin(lk, p->bast_at ?
			ktime_to_ns(ktime_sub(p->revoke_at, p->bast_at)) : 0);
	}
	return act;
}

/* What the caller of lk_apply() cannot do, because it sleeps or ends the lock. */
#define COHFS_TODO	(COHFS_DO_SEND | COHFS_DO_GIVE_UP | COHFS_DO_DELIVER | \
			 COHFS_DO_FREE)

/*
 * lk_apply() - something happened to a lock
 *
 * Goes on for as long as one thing leads to the next: admitting waiters changes
 * what the rest wants, which is the next event.  Ends, because every round either
 * shortens the queue, starts something that takes time, or changes nothing.
 *
 * Context: any; lk_spin held; lk_unlock() must follow.
 */
void lk_apply(struct cohfs_lock *lk, enum cohfs_fsm_event event, int arg)
{
	struct cohfs_lock_priv *p = lk->lk_priv;
	u32 act;
	int want;

	lockdep_assert_held(&lk->lk_spin);
	for (;;) {
		act = step(lk, event, arg);
		p->todo |= act & COHFS_TODO;
		if ((act & COHFS_DO_DELIVER) && !lk->lk_ops->granted) {
			p->todo &= ~COHFS_DO_DELIVER;
			event = COHFS_EV_DELIVERED;
			arg = lk_tenure_of_grant(lk);
			continue;
		}
		if (act & COHFS_DO_LOST)
			lk_lost(lk, "unexpected answer to a lower or unlock", -EIO);
		if (act & COHFS_DO_FAIL)
			fail_waiters(lk, lk->lk_fsm.error);
		if (act & COHFS_DO_REFUSE)
			refuse_waiter(lk);
		admit_waiters(lk, act & COHFS_DO_ADMIT_GRANT);

		want = lk_waiters_want(lk);
		if ((act & (COHFS_DO_ADMIT_GRANT | COHFS_DO_REFUSE)) ||
		    want != (lk->lk_fsm.want |
			     (lk->lk_fsm.want_noqueue ? COHFS_WANT_NOQUEUE : 0))) {
			event = COHFS_EV_WANT;
			arg = want;
			continue;
		}
		if ((act & COHFS_DO_TENURE) && !arm_tenure(lk)) {
			event = COHFS_EV_TENURE_END;
			arg = 0;
			continue;
		}
		break;
	}
}

/* Somebody to do it ----------------------------------------------------------- */

/*
 * ops->granted has to run.  The first waiter is about to be woken anyway and goes
 * on soonest if he does it himself; should he be killed, the killed path hands it
 * to the worker (see wait_in_queue()).
 */
static void find_deliverer(struct cohfs_lock *lk)
{
	struct cohfs_lock_call *w = first_waiter(lk);

	if (w)
		complete(&w->done);
	else
		lk_queue_grant(lk);
}

static u32 start_todo(struct cohfs_lock *lk, bool can_sleep)
{
	struct cohfs_lock_priv *p = lk->lk_priv;
	u32 todo = p->todo;
	u32 mine = 0;

	if (todo & COHFS_DO_DELIVER)
		find_deliverer(lk);
	if (todo & COHFS_DO_GIVE_UP)
		lk_queue_revoke(lk);
	if ((todo & COHFS_DO_SEND) && !p->running && !p->backoff &&
	    !ls_stopped(lk->lk_ls)) {
		if (can_sleep)
			mine |= COHFS_DO_SEND;
		else
			lk_queue_revoke(lk);
	}
	if (todo & COHFS_DO_FREE) {
		p->todo &= ~COHFS_DO_FREE;
		mine |= COHFS_DO_FREE;
	}
	return mine;
}

/*
 * lk_unlock() - end of a section with lk_apply() in it
 * The caller has a reference, or knows that this cannot be the end of the lock.
 */
void lk_unlock(struct cohfs_lock *lk, unsigned long flags)
	__releases(&lk->lk_spin)
{
	u32 mine = start_todo(lk, false);

	spin_unlock_irqrestore(&lk->lk_spin, flags);
	if (mine & COHFS_DO_FREE)
		cohfs_lock_put(lk);	/* the owner's */
}

/*
 * lk_unlock_run() - the same, where sleeping is allowed: no detour over a worker
 * Return: true if lk_run() is to be called.
 */
bool lk_unlock_run(struct cohfs_lock *lk, unsigned long flags)
	__releases(&lk->lk_spin)
{
	u32 mine = start_todo(lk, true);

	spin_unlock_irqrestore(&lk->lk_spin, flags);
	if (mine & COHFS_DO_FREE)
		cohfs_lock_put(lk);
	return mine & COHFS_DO_SEND;
}

/* Callbacks of the backend ------------------------------------------------------ */

/*
 * cohfs_lock_answer() - outcome of a request, lower or unlock
 * @status: 0, -EAGAIN, -EDEADLK, -ECANCELED, other -errno
 * @lvb_valid: the value block was not invalidated by a death
 * Context: any, with spinlocks of the backend held.
 */
void cohfs_lock_answer(struct cohfs_lock *lk, int status, bool lvb_valid)
{
	unsigned long flags;

	cohfs_lock_get(lk);
	spin_lock_irqsave(&lk->lk_spin, flags);
	lk->lk_priv->lvb_valid = lvb_valid;
	lk->lk_priv->retries = 0;
	lk_apply(lk, COHFS_EV_ANSWER, status);
	lk_unlock(lk, flags);
	cohfs_lock_put(lk);
}

/*
 * cohfs_lock_bast() - another node cannot get @mode because of us
 * Context: as cohfs_lock_answer().
 */
void cohfs_lock_bast(struct cohfs_lock *lk, enum cohfs_mode mode)
{
	unsigned long flags;

	spin_lock_irqsave(&lk->lk_spin, flags);
	lk_apply(lk, COHFS_EV_BAST, mode);
	lk_unlock(lk, flags);
}

/*
 * lk_lost() - the lock manager does what it must not: tell the mount, once
 * Context: any.
 */
void lk_lost(struct cohfs_lock *lk, const char *what, int error)
{
	struct cohfs_lockspace *ls = lk->lk_ls;
	char name[COHFS_RES_NAME_MAX + 1];

	if (ls_gone(ls) || test_and_set_bit(COHFS_LS_LOST, &ls->ls_flags))
		return;
	cohfs_name_format(&lk->lk_name, name);
	pr_err("cohfs: lockspace %s: lock %s: %s (error %d)\n", ls->ls_name, name,
	       what, error);
	if (ls->ls_ops && ls->ls_ops->lost)
		ls->ls_ops->lost(ls->ls_arg);
}

/* Life -------------------------------------------------------------------------- */

static void lk_release(struct kref *kref)
{
	struct cohfs_lock *lk = container_of(kref, struct cohfs_lock, lk_ref);
	struct cohfs_lockspace *ls = lk->lk_ls;

	/* the list is emptied by ls_free_work(); only its first entry must wake it */
	if (llist_add(&lk->lk_priv->free_node, &ls->ls_free_list))
		queue_work(ls->ls_free_wq, &ls->ls_free_work);
}

void cohfs_lock_get(struct cohfs_lock *lk)
{
	kref_get(&lk->lk_ref);
}

void cohfs_lock_put(struct cohfs_lock *lk)
{
	kref_put(&lk->lk_ref, lk_release);
}

static unsigned int lock_cfg(const struct cohfs_lock_ops *ops,
			     enum cohfs_lock_type type)
{
	unsigned int cfg = ops->tenure ? COHFS_CFG_TENURE : 0;

	if (ops->splits)
		cfg |= COHFS_CFG_SPLITS;
	switch (type) {
	case COHFS_LT_MOUNT:
	case COHFS_LT_SLOT:
		return cfg | COHFS_CFG_EXEMPT | COHFS_CFG_NOQUIESCE;
	case COHFS_LT_RENAME:
	case COHFS_LT_GROUP:
		return cfg | COHFS_CFG_NOQUIESCE;
	default:
		return cfg;
	}
}

static void init_priv(struct cohfs_lock *lk, struct cohfs_lock_priv *p)
{
	p->lk = lk;
	hrtimer_init(&p->tenure_timer, CLOCK_MONOTONIC, HRTIMER_MODE_ABS_SOFT);
	p->tenure_timer.function = lk_tenure_expired;
	INIT_WORK(&p->revoke_work, lk_revoke_work);
	INIT_WORK(&p->grant_work, lk_grant_work);
	INIT_DELAYED_WORK(&p->retry_work, lk_retry_work);
	lk->lk_priv = p;
}

#ifdef CONFIG_LOCKDEP
static struct lock_class_key lk_dep_keys[COHFS_NR_LOCK_TYPES];
static const char *const lk_dep_names[COHFS_NR_LOCK_TYPES] = {
	"cohfs_mount", "cohfs_slot", "cohfs_rename", "cohfs_open",
	"cohfs_inode", "cohfs_range", NULL, NULL, "cohfs_map", "cohfs_group",
};

/* one class for the levels of a range tree: lk_dep_cmp() orders within a class only */
static enum cohfs_lock_type dep_class(enum cohfs_lock_type type)
{
	return type == COHFS_LT_REGION || type == COHFS_LT_PAGE ? COHFS_LT_RANGE : type;
}

/*
 * May one task take @b while it holds @a of the same type?  Inode and open locks
 * follow the VFS order of directories and files, which their numbers do not show;
 * rename is there once.  The rest is taken in the order of cohfs_order().
 */
static int lk_dep_cmp(const struct lockdep_map *a, const struct lockdep_map *b)
{
	const struct cohfs_lock *la = container_of(a, struct cohfs_lock, lk_dep_map);
	const struct cohfs_lock *lb = container_of(b, struct cohfs_lock, lk_dep_map);

	switch (la->lk_name.type) {
	case COHFS_LT_RANGE:
	case COHFS_LT_REGION:
	case COHFS_LT_PAGE:
	case COHFS_LT_MAP:
	case COHFS_LT_GROUP:
		/* equal: a task that holds the lock holds it once more */
		return cohfs_name_cmp(&la->lk_name, &lb->lk_name) <= 0 ? -1 : 1;
	default:
		return -1;
	}
}

static void init_dep_map(struct cohfs_lock *lk, enum cohfs_lock_type type)
{
	type = dep_class(type);
	lockdep_init_map(&lk->lk_dep_map, lk_dep_names[type], &lk_dep_keys[type], 0);
	lockdep_set_lock_cmp_fn(&lk->lk_dep_map, lk_dep_cmp, NULL);
}
#else
static void init_dep_map(struct cohfs_lock *lk, enum cohfs_lock_type type)
{
}
#endif

int cohfs_lock_init(struct cohfs_lock *lk, struct cohfs_lockspace *ls,
		    const struct cohfs_lock_ops *ops, enum cohfs_lock_type type,
		    u64 number, u64 index)
{
	unsigned int lvb = ops->publish ? ls->ls_lvb_size : 0;
	struct cohfs_lock_priv *p;
	int error;

	p = kzalloc(struct_size(p, be_data, COHFS_BE_DATA_SIZE / sizeof(u64)) + lvb,
		    GFP_NOFS);
	if (!p)
		return -ENOMEM;
	if (lvb)
		p->lvb = (void *)p->be_data + COHFS_BE_DATA_SIZE;
	init_priv(lk, p);

	spin_lock_init(&lk->lk_spin);
	cohfs_fsm_init(&lk->lk_fsm, &ls->ls_gate, lock_cfg(ops, type));
	INIT_LIST_HEAD(&lk->lk_waiters);
	kref_init(&lk->lk_ref);
	lk->lk_ls = ls;
	lk->lk_ops = ops;
	lk->lk_name = (struct cohfs_lock_name) {
		.number = number, .index = index, .type = type,
	};
	init_dep_map(lk, type);

	error = ls->ls_be->lock_init ? ls->ls_be->lock_init(lk) : 0;
	if (error) {
		kfree(p);
		lk->lk_priv = NULL;
		return error;
	}
	atomic64_inc(&ls->ls_created);
	atomic_inc(&ls->ls_nr_locks);
	mutex_lock(&ls->ls_mutex);
	list_add_tail(&lk->lk_list, &ls->ls_locks);
	p->in_list = true;
	mutex_unlock(&ls->ls_mutex);
	return 0;
}

void cohfs_lock_drop(struct cohfs_lock *lk)
{
	unsigned long flags;

	cohfs_lock_get(lk);
	spin_lock_irqsave(&lk->lk_spin, flags);
	if (!WARN_ON_ONCE(lk->lk_fsm.drop))
		lk_apply(lk, COHFS_EV_DROP, 0);
	lk_unlock(lk, flags);
	cohfs_lock_put(lk);
}

enum cohfs_mode cohfs_lock_cached(const struct cohfs_lock *lk)
{
	return READ_ONCE(lk->lk_fsm.granted);
}

enum cohfs_mode cohfs_lock_usable(struct cohfs_lock *lk)
{
	enum cohfs_mode mode = COHFS_NL;
	unsigned long flags;

	spin_lock_irqsave(&lk->lk_spin, flags);
	if (cohfs_fsm_may_hold(&lk->lk_fsm, lk->lk_fsm.granted, true))
		mode = lk->lk_fsm.granted;
	spin_unlock_irqrestore(&lk->lk_spin, flags);
	return mode;
}

enum cohfs_mode cohfs_lock_covering(struct cohfs_lock *lk, u32 settled)
{
	enum cohfs_mode mode;
	unsigned long flags;

	spin_lock_irqsave(&lk->lk_spin, flags);
	mode = cohfs_fsm_covering(&lk->lk_fsm, lk->lk_priv->revokes == settled);
	spin_unlock_irqrestore(&lk->lk_spin, flags);
	return mode;
}

u32 cohfs_lock_revoke_number(const struct cohfs_lock *lk)
{
	return lk->lk_priv->revokes;
}

bool cohfs_lock_idle(struct cohfs_lock *lk)
{
	unsigned long flags;
	bool idle;

	spin_lock_irqsave(&lk->lk_spin, flags);
	idle = lk->lk_fsm.state == COHFS_FS_IDLE && lk->lk_fsm.granted == COHFS_NL &&
	       list_empty(&lk->lk_waiters) && lk->lk_priv->async == COHFS_NL;
	spin_unlock_irqrestore(&lk->lk_spin, flags);
	return idle;
}

bool cohfs_lock_contended(const struct cohfs_lock *lk)
{
	u8 granted = READ_ONCE(lk->lk_fsm.granted);

	return cohfs_mode_keep(granted, READ_ONCE(lk->lk_fsm.demand)) != granted;
}

void cohfs_lock_assert(const struct cohfs_lock *lk, enum cohfs_mode mode)
{
	unsigned int m;

	for (m = COHFS_CR; m < COHFS_NR_MODES; m++)
		if (cohfs_mode_covers(m, mode) && READ_ONCE(lk->lk_fsm.holders[m]))
			return;
	WARN_ONCE(1, "cohfs: %s lock %llu is not held in %s\n",
		  cohfs_type_name(lk->lk_name.type), lk->lk_name.number,
		  cohfs_mode_name(mode));
}
