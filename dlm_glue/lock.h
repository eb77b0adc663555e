/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inside of the lock layer; nothing above it includes this.
 *
 * lock.c       state changes, and what follows from them
 * holder.c     tasks: acquire, wait, release
 * worker.c     what sleeps: talking to the backend, give up, granted, free
 * lockspace.c  all locks of a mount: join, recovery, withdraw, leave
 * dlm.c, local.c, sim.c  backends
 *
 * Lock order: ls_mutex -> lk_spin.  A backend may call cohfs_lock_answer() and
 * cohfs_lock_bast() under its own spinlocks, so nobody calls a backend with
 * lk_spin held.
 */
#ifndef _COHFS_GLUE_LOCK_H
#define _COHFS_GLUE_LOCK_H

#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/llist.h>
#include <linux/mutex.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include "glue.h"

/*
 * How long a right is kept for a task that waited for it and has not come back
 * yet.  It has to be scheduled, take mmap_lock, look up the page, install a PTE:
 * microseconds when idle, tens of milliseconds when the CPUs are oversubscribed,
 * ten times that under lockdep and KASAN.  Only reached when the task never comes.
 */
#if defined(CONFIG_PROVE_LOCKING) || defined(CONFIG_KASAN)
#define COHFS_FIRST_USE_NS	(500 * NSEC_PER_MSEC)
#else
#define COHFS_FIRST_USE_NS	(50 * NSEC_PER_MSEC)
#endif

/* Least tenure after the first use; the most is the business of the lock type. */
#define COHFS_TENURE_MIN_NS	(50 * NSEC_PER_USEC)

/* Between tries to hand something to a lock manager that is busy with the lock. */
#define COHFS_SEND_DELAY_MAX	64	/* ms */
/* As many of them in a row, and it is said: half a minute. */
#define COHFS_SEND_REPORT	512

enum cohfs_lock_counter {
	COHFS_CT_REQUESTS,
	COHFS_CT_GRANTS,
	COHFS_CT_BASTS,
	COHFS_CT_REVOKES,
	COHFS_CT_LOWERS,
	COHFS_CT_WAITS,
	COHFS_CT_PARKED,
	COHFS_CT_RETRIES,
	COHFS_CT_TENURE_OVERDUE,	/* first uses that were not waited for any longer */
	COHFS_CT_TENURE_KEPT,		/* demands that a short tenure made wait */
	COHFS_NR_CT,
};

/* ls_flags */
#define COHFS_LS_STOPPED	0	/* the lock manager recovers: calls would sleep */
#define COHFS_LS_DEAD		1	/* killed: but for recovery's own locks */
#define COHFS_LS_JOINED		2
#define COHFS_LS_LOST		3	/* ops->lost was called */
#define COHFS_LS_GONE		4	/* recovery's own locks are dead, too */
#define COHFS_LS_LEFT		5	/* the backend calls back no more */

struct cohfs_lockspace {
	const struct cohfs_backend_ops *ls_be;
	void *ls_be_priv;
	const struct cohfs_lockspace_ops *ls_ops;
	void *ls_arg;
	unsigned int ls_lvb_size;
	int ls_slot;
	int ls_nodeid;
	u64 ls_slots;			/* of the members, bit 0: slot 1 */
	u32 ls_gate;			/* COHFS_GATE_*; changed under ls_spin */
	unsigned long ls_flags;
	spinlock_t ls_spin;		/* protects ls_gate, ls_generation */
	u32 ls_generation;

	struct mutex ls_mutex;		/* protects ls_locks */
	struct list_head ls_locks;
	atomic_t ls_nr_locks;
	atomic64_t ls_created;
	atomic64_t ls_destroyed;
	wait_queue_head_t ls_wait;	/* ls_nr_locks, COHFS_LS_DEAD */

	struct llist_head ls_free_list;	/* locks without references */
	struct work_struct ls_free_work;
	struct work_struct ls_walk_work; /* after thaw, recovery, kill */
	struct workqueue_struct *ls_revoke_wq[COHFS_NR_LOCK_TYPES];
	struct workqueue_struct *ls_grant_wq;
	struct workqueue_struct *ls_free_wq;
	atomic64_t ls_count[COHFS_NR_LOCK_TYPES][COHFS_NR_CT];
	char ls_name[64];
};

/**
 * struct cohfs_backend_ops - what carries the locks
 *
 * request, lower and unlock return 0 when cohfs_lock_answer() is or will be called
 * for it, maybe before they return; or an error, and then it never is: -EBUSY and
 * -ENOMEM mean later, anything else never.  One at a time per lock; cancel may come
 * while a request is under way, and the answer is then the request's.
 */
struct cohfs_backend_ops {
	int (*join)(struct cohfs_lockspace *ls, const char *cluster);
	/* optional; after it nothing calls back */
	void (*leave)(struct cohfs_lockspace *ls);
	/* after the last lock_exit: free what join made */
	void (*exit)(struct cohfs_lockspace *ls);
	int (*lock_init)(struct cohfs_lock *lk);
	void (*lock_exit)(struct cohfs_lock *lk);
	int (*request)(struct cohfs_lock *lk, enum cohfs_fsm_op op,
		       enum cohfs_mode mode, bool noqueue);
	int (*lower)(struct cohfs_lock *lk, enum cohfs_mode mode);
	int (*unlock)(struct cohfs_lock *lk);
	int (*cancel)(struct cohfs_lock *lk);
};

extern const struct cohfs_backend_ops cohfs_dlm_backend;
extern const struct cohfs_backend_ops cohfs_local_backend;
extern const struct cohfs_backend_ops cohfs_sim_backend;

/**
 * struct cohfs_lock_priv - rest of a lock
 * @lk: back pointer for the timer and the works
 * @todo: COHFS_DO_* that nobody has begun yet
 * @async: a mode that somebody asked for and did not wait for
 * @running: somebody is in lk_run(): he sees what is added to @todo
 * @backoff: @retry_work is under way, nothing is sent before
 * @delivered_ex: EX or PW was delivered and not published since
 * @lvb_valid: @lvb is what the lock manager says it is
 * @in_list: in ls_locks; protected by ls_mutex
 * @retries: failed attempts in a row
 * @revokes: how many have begun
 * @handover_ns: average time from asking to getting, of requests that queued
 * @requested_at: etc.: when it happened last
 * @lvb: NULL if the type has none
 */
struct cohfs_lock_priv {
	struct cohfs_lock *lk;
	u32 todo;
	u8 async;
	bool running;
	bool backoff;
	bool delivered_ex;
	bool lvb_valid;
	bool in_list;
	unsigned int retries;
	u32 revokes;
	u64 handover_ns;
	ktime_t requested_at;
	ktime_t granted_at;
	ktime_t promised_at;
	ktime_t used_at;
	ktime_t bast_at;
	ktime_t revoke_at;
	struct hrtimer tenure_timer;
	struct work_struct revoke_work;
	struct work_struct grant_work;
	struct delayed_work retry_work;
	struct llist_node free_node;
	void *lvb;
	u64 be_data[];			/* backend's part */
};

/* what a backend may keep in be_data */
#define COHFS_BE_DATA_SIZE	64

/* lock.c */
void lk_apply(struct cohfs_lock *lk, enum cohfs_fsm_event event, int arg);
void lk_unlock(struct cohfs_lock *lk, unsigned long flags)
	__releases(&lk->lk_spin);
bool lk_unlock_run(struct cohfs_lock *lk, unsigned long flags)
	__releases(&lk->lk_spin);
int lk_waiters_want(struct cohfs_lock *lk);
enum cohfs_tenure lk_tenure_of_grant(struct cohfs_lock *lk);
void lk_count(const struct cohfs_lock *lk, enum cohfs_lock_counter counter);
void lk_lost(struct cohfs_lock *lk, const char *what, int error);
enum hrtimer_restart lk_tenure_expired(struct hrtimer *timer);
void cohfs_lock_answer(struct cohfs_lock *lk, int status, bool lvb_valid);
void cohfs_lock_bast(struct cohfs_lock *lk, enum cohfs_mode mode);

/* worker.c */
void lk_run(struct cohfs_lock *lk);
bool lk_deliver(struct cohfs_lock *lk);
void lk_revoke_work(struct work_struct *work);
void lk_grant_work(struct work_struct *work);
void lk_retry_work(struct work_struct *work);
void lk_queue_revoke(struct cohfs_lock *lk);
void lk_queue_grant(struct cohfs_lock *lk);
void ls_free_work(struct work_struct *work);
void ls_walk_work(struct work_struct *work);
int ls_workers_start(struct cohfs_lockspace *ls);
void ls_workers_stop(struct cohfs_lockspace *ls);

/* lockspace.c */
/* a member now: what an earlier, unfinished recovery stopped and froze is moot */
void cohfs_ls_joined(struct cohfs_lockspace *ls, u32 generation);
void cohfs_ls_recovery_begin(struct cohfs_lockspace *ls);
void cohfs_ls_node_failed(struct cohfs_lockspace *ls, int nodeid, int slot);
void cohfs_ls_recovery_end(struct cohfs_lockspace *ls, int slot, u32 generation);

static inline bool ls_stopped(const struct cohfs_lockspace *ls)
{
	return test_bit(COHFS_LS_STOPPED, &ls->ls_flags);
}

static inline bool ls_dead(const struct cohfs_lockspace *ls)
{
	return test_bit(COHFS_LS_DEAD, &ls->ls_flags);
}

static inline bool ls_gone(const struct cohfs_lockspace *ls)
{
	return test_bit(COHFS_LS_GONE, &ls->ls_flags);
}

static inline bool ls_left(const struct cohfs_lockspace *ls)
{
	return test_bit(COHFS_LS_LEFT, &ls->ls_flags);
}

/* Nothing is to be asked or lowered.  A withdrawn node still has to tell the others. */
static inline bool lk_is_dead(const struct cohfs_lock *lk)
{
	return ls_dead(lk->lk_ls) &&
	       (ls_gone(lk->lk_ls) || !(lk->lk_fsm.cfg & COHFS_CFG_EXEMPT));
}

/*
 * Does a NOQUEUE request tell those who are in its way?  For O it does: whoever has
 * the inode merely cached lets go and the next try succeeds.  Elsewhere NOQUEUE means
 * "if nobody minds" (an idle group, a whole file), and a bast would cost the other
 * node a revoke for nothing.
 */
static inline bool lk_noqueue_tells(const struct cohfs_lock *lk)
{
	return lk->lk_name.type == COHFS_LT_OPEN;
}

static inline bool lk_has_lvb(const struct cohfs_lock *lk)
{
	return lk->lk_priv->lvb;
}

#endif /* _COHFS_GLUE_LOCK_H */
