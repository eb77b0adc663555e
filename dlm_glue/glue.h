/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Cluster locks as the filesystem sees them.
 *
 * The only header of dlm_glue/ that fs/ includes.  The glue knows modes, names
 * and waiters; what a lock protects is behind struct cohfs_lock_ops.  Nobody
 * above this line can tell which backend carries the locks.
 *
 * A lock is *held* by tasks (acquire..release) and *cached* by the node: the
 * granted mode stays after the last release until another node wants it.  Modes
 * are rights of the node, not of a task: any number of local tasks may hold a
 * lock at once in modes that its granted mode covers, EX included.  Local
 * exclusion is somebody else's (i_rwsem, folio lock, a mutex in the object).
 */
#ifndef _COHFS_GLUE_H
#define _COHFS_GLUE_H

#include <linux/completion.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/spinlock.h>
#include <cohfs/types.h>
#include "core/fsm.h"		/* struct cohfs_fsm: pure state machine */
#include "core/name.h"		/* struct cohfs_lock_name */
#include "core/order.h"		/* struct cohfs_lock_want */

struct cohfs_lock;
struct cohfs_lockspace;
struct seq_file;

/**
 * struct cohfs_lock_ops - what giving a lock up means for one type
 *
 * All are called with no spinlock held.
 */
struct cohfs_lock_ops {
	/**
	 * @give_up: make it safe for this node to go from @from down to @to:
	 * write back, wait, unmap, invalidate.  Runs on the revoke queue of the
	 * type, with no holder left whose mode @to does not cover and none
	 * admitted until it returns.  May sleep and may wait for queues of later
	 * ranks; must not wait for a cluster lock of its own or an earlier rank.
	 *
	 * Return: 0 - lower it now; -EINPROGRESS - the owner is being destroyed
	 * and will call cohfs_lock_drop(), stay as it is until then; any other
	 * error - the lock must never be lowered, the caller has withdrawn.
	 */
	int (*give_up)(struct cohfs_lock *lk, enum cohfs_mode from,
		       enum cohfs_mode to);

	/**
	 * @publish: fill the value block (lvb_size bytes, zeroed) right before EX
	 * or PW is lowered or unlocked.  Must not sleep.  Optional; a lock without
	 * it carries no value block.  Zeroes mean "nothing known": readers must
	 * tell by a magic.  Not called for a grant that @granted never reported.
	 */
	void (*publish)(struct cohfs_lock *lk, void *lvb);

	/**
	 * @granted: the node went up from @from to @to.  @lvb is the value block
	 * when the lock has one and it is valid (not written by a node that died),
	 * else NULL; it may still be all zeroes.  Must not sleep; process context;
	 * called before any waiter sees the grant.  Optional.
	 */
	void (*granted)(struct cohfs_lock *lk, enum cohfs_mode from,
			enum cohfs_mode to, const void *lvb);

	/**
	 * @free: last reference gone, unlocked in the DLM; free the container.
	 * Process context, may sleep.  After cohfs_lockspace_kill() it comes without
	 * a give_up before, from cohfs_lockspace_leave().
	 */
	void (*free)(struct cohfs_lock *lk);

	/**
	 * @tenure: keep a contended right a little after its first use: for
	 * 1/@tenure_div of what a hand-over has cost lately, at most @tenure_max_us
	 */
	bool tenure;
	u32 tenure_div;
	u32 tenure_max_us;

	/** @splits: parent in a tree of locks, see COHFS_CFG_SPLITS */
	bool splits;
};

/**
 * struct cohfs_lock - one cluster lock; embed it in the object it protects
 *
 * Lives as long as its references; outlives the inode (evict_inode must not
 * call the DLM), see cohfs_lock_drop().
 *
 * lk_spin is taken by interrupts: use spin_lock_irqsave(), also above this line.
 */
struct cohfs_lock {
	spinlock_t lk_spin;		/* protects lk_fsm, lk_waiters, most of lk_priv */
	struct cohfs_fsm lk_fsm;
	struct list_head lk_waiters;	/* FIFO of struct cohfs_waiter */
	struct kref lk_ref;
	struct cohfs_lockspace *lk_ls;
	const struct cohfs_lock_ops *lk_ops;
	struct cohfs_lock_name lk_name;
	struct list_head lk_list;	/* all locks of the lockspace, for dumps */
	struct cohfs_lock_priv *lk_priv; /* what only the glue needs */
#ifdef CONFIG_LOCKDEP
	struct lockdep_map lk_dep_map;
#endif
};

#define COHFS_LK_TRY	0x1	/* only what is cached; -EAGAIN otherwise, no message */
#define COHFS_LK_NOQUEUE 0x2	/* ask, do not wait for other nodes; -EAGAIN.  For O
				 * those in the way are told, see lk_noqueue_tells()
				 */
#define COHFS_LK_ASYNC	0x4	/* like TRY, but start the request on a miss */
#define COHFS_LK_NOINTR	0x8	/* wait uninterruptibly (kernel workers only) */
#define COHFS_LK_KEEP	0x10	/* succeed also while a revoke is pending, if the
				 * cached mode still covers it: for a task that
				 * already holds this lock
				 */
#define COHFS_LK_PIN	0x20	/* the hold belongs to an object, not to this task: any
				 * task may end it, with cohfs_lock_unpin().  All holds
				 * of MOUNT, SLOT and OPEN locks are of this kind.
				 */

#define COHFS_LK_CLIMB	0x40	/* with NOQUEUE, on a parent in a tree: an intent may become
				 * "all of it".  The caller keeps out revokes below, which
				 * would throw away what is then covered from above.  Without
				 * it such a request is refused
				 */

/**
 * struct cohfs_lock_call - a task that waits for a lock, in the queue of the lock
 * @status: -EINPROGRESS while in the queue, under lk_spin
 * @result: of cohfs_lock_acquire_start(); -EINPROGRESS: it is the queue that says
 */
struct cohfs_lock_call {
	struct cohfs_lock *lk;
	struct list_head list;
	struct completion done;
	enum cohfs_mode mode;
	unsigned int flags;
	int status;
	int result;
};

/**
 * cohfs_lock_acquire() - hold a lock
 * @lk: the lock
 * @mode: COHFS_PR or COHFS_EX (CR, CW, PW for range trees)
 * @flags: COHFS_LK_*
 *
 * Local waiters are served in order; a new request waits behind a pending revoke
 * unless the mode that remains after the revoke covers it.
 *
 * Context: may sleep unless TRY or ASYNC; killable unless NOINTR.  Ranks:
 * Documentation/locking.rst, enforced by lockdep.
 * Return: 0; -EAGAIN (TRY, NOQUEUE, ASYNC); -EINTR (fatal signal); -EIO (the
 * lockspace is gone or withdrawn); -ENOMEM.
 */
int __must_check cohfs_lock_acquire(struct cohfs_lock *lk, enum cohfs_mode mode,
				    unsigned int flags);

/**
 * cohfs_lock_acquire_start() - as cohfs_lock_acquire(), but do not wait for the answer
 *
 * For asking for several locks at once.  cohfs_lock_acquire_finish() must follow, for
 * each call, with nothing waited for in between that depends on this task.
 * @call: must stay where it is until then
 */
void cohfs_lock_acquire_start(struct cohfs_lock_call *call, struct cohfs_lock *lk,
			      enum cohfs_mode mode, unsigned int flags);
/** cohfs_lock_acquire_finish() - wait for the answer; returns as cohfs_lock_acquire() */
int __must_check cohfs_lock_acquire_finish(struct cohfs_lock_call *call);

/**
 * cohfs_lock_recall() - have the node give @lk up to what lets @mode be granted
 *
 * As if another node asked for @mode, and no tenure keeps it.  Does not wait.
 * Context: any.
 */
void cohfs_lock_recall(struct cohfs_lock *lk, enum cohfs_mode mode);

/**
 * cohfs_lock_release() - end a hold; the node keeps the mode cached
 * Context: any process context, never sleeps.
 */
void cohfs_lock_release(struct cohfs_lock *lk, enum cohfs_mode mode);

/**
 * cohfs_lock_unpin() - end a hold that was taken with COHFS_LK_PIN
 * Context: any, never sleeps.
 */
void cohfs_lock_unpin(struct cohfs_lock *lk, enum cohfs_mode mode);

/**
 * cohfs_lock_many() - hold several locks, in the one order that is safe
 * @want: locks and modes; sorted, duplicates merged; entries are then the holds
 * @nr: in: entries; out: entries left
 * @flags: as cohfs_lock_acquire(); with TRY or NOQUEUE it is all or nothing
 * Return: as cohfs_lock_acquire(); on error nothing is held.
 */
int __must_check cohfs_lock_many(struct cohfs_lock_want *want, unsigned int *nr,
				 unsigned int flags);
void cohfs_lock_release_many(struct cohfs_lock_want *want, unsigned int nr);
static inline void cohfs_lock_want(struct cohfs_lock_want *want,
				   struct cohfs_lock *lk, enum cohfs_mode mode)
{
	want->name = lk->lk_name;
	want->mode = mode;
	want->lk = lk;
}

/**
 * cohfs_lock_release_unused() - end a hold whose access is still to come
 *
 * As cohfs_lock_release(), but the first-use protection of the right goes on, until
 * cohfs_lock_used() or its bound: for ->fault, which prepares a page, lets go and lets
 * the CPU repeat the access.
 */
void cohfs_lock_release_unused(struct cohfs_lock *lk, enum cohfs_mode mode);

/**
 * cohfs_lock_release_done() - end a hold that nobody will be back for
 *
 * As cohfs_lock_release(), but without the short tenure: unless there are other holders,
 * who waits for the right gets it at once.  For one thing done now and then, where tenure
 * saves no hand-over and only makes the others wait.
 */
void cohfs_lock_release_done(struct cohfs_lock *lk, enum cohfs_mode mode);

/**
 * cohfs_lock_dep_begin() - for lockdep: the task has what @lk covers, by other means
 *
 * For holds that the lock itself does not know of; balanced by cohfs_lock_dep_end().
 */
void cohfs_lock_dep_begin(struct cohfs_lock *lk);
void cohfs_lock_dep_end(struct cohfs_lock *lk);

/**
 * cohfs_lock_used() - the access that the right was taken for has happened
 *
 * Ends the first-use protection and starts the short adaptive tenure.
 */
void cohfs_lock_used(struct cohfs_lock *lk);

/** cohfs_lock_cached() - granted mode right now; only a hint without a hold. */
enum cohfs_mode cohfs_lock_cached(const struct cohfs_lock *lk);

/**
 * cohfs_lock_usable() - granted mode, or NL while it is being given up
 *
 * Never changes from NL to more without a request by somebody of this node, and
 * only goes down through ->give_up, so that who keeps ->give_up out may rely on it.
 */
enum cohfs_mode cohfs_lock_usable(struct cohfs_lock *lk);

/**
 * cohfs_lock_covering() - what a lock is good for to those that lie below it
 * @settled: cohfs_lock_revoke_number() of the last revoke that has seen to them
 *
 * As long as a revoke is under way and has not seen to what lies below, what it takes away
 * still counts: there may be holds of it that do not count as holders, and the revoke will
 * look at all that is there.  After that counts what it leaves.
 *
 * Return: a mode; NL if the lock is being dropped or dead
 */
enum cohfs_mode cohfs_lock_covering(struct cohfs_lock *lk, u32 settled);

/** cohfs_lock_revoke_number() - of the revoke under way, from 1; for ->give_up */
u32 cohfs_lock_revoke_number(const struct cohfs_lock *lk);

/** cohfs_lock_idle() - nothing granted, held, waited for or under way; only a hint */
bool cohfs_lock_idle(struct cohfs_lock *lk);

/** cohfs_lock_assert() - warn unless some task of this node holds @mode or more */
void cohfs_lock_assert(const struct cohfs_lock *lk, enum cohfs_mode mode);

/** cohfs_lock_contended() - is another node waiting for a mode we exclude? */
bool cohfs_lock_contended(const struct cohfs_lock *lk);

/**
 * cohfs_lock_init() - make a lock object; no DLM traffic until first acquire
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int __must_check cohfs_lock_init(struct cohfs_lock *lk, struct cohfs_lockspace *ls,
				 const struct cohfs_lock_ops *ops,
				 enum cohfs_lock_type type, u64 number, u64 index);

/**
 * cohfs_lock_drop() - the owner is done with the lock for good
 *
 * Queues give_up to NL (if anything is granted), unlock, and the owner's
 * reference.  Never sleeps, never calls the DLM itself: safe in evict_inode,
 * shrinkers and revoke workers.  ops->free is called later from a worker.  The
 * lock must not be held; whoever still waits for it gets -EIO.
 */
void cohfs_lock_drop(struct cohfs_lock *lk);

void cohfs_lock_get(struct cohfs_lock *lk);
void cohfs_lock_put(struct cohfs_lock *lk);

/* Lockspace ------------------------------------------------------------- */

enum cohfs_backend {
	COHFS_BACKEND_LOCAL,
	COHFS_BACKEND_DLM,
	COHFS_BACKEND_SIM,
};

/**
 * struct cohfs_lockspace_ops - what the mount is told by the membership
 * Called from DLM context (recoverd or the writer of "control"): do not block on
 * locks of this lockspace, hand work over.  May come before
 * cohfs_lockspace_join() has returned, except for the recovery that made us a
 * member: that one is not reported.
 */
struct cohfs_lockspace_ops {
	/** @recovery_begin: grants are parked from now on */
	void (*recovery_begin)(void *arg);
	/** @node_failed: @slot (1 based) died; its journal needs replay */
	void (*node_failed)(void *arg, int nodeid, int slot);
	/** @recovery_end: membership and slots are known again.  The mount must
	 *  call cohfs_lockspace_thaw() with this @generation once every journal in
	 *  question is replayed.
	 */
	void (*recovery_end)(void *arg, int our_slot, u32 generation);
	/** @lost: the lock manager broke its word: withdraw, and cohfs_lockspace_lose()
	 *  if the lockspace is known already.  Any context.
	 */
	void (*lost)(void *arg);
};

/**
 * cohfs_lockspace_join() - create or join
 * @name: lockspace name, the FSNAME part of the lock table, <= 60 bytes
 * @cluster: CLUSTER part; NULL for local
 * Context: sleeps (for dlm: until the controller has answered).
 * Return: the lockspace or ERR_PTR: -EBADR wrong cluster name, -ENOTCONN /
 * -EUNATCH no cluster software, ...
 */
struct cohfs_lockspace *cohfs_lockspace_join(enum cohfs_backend backend,
		const char *name, const char *cluster, unsigned int lvb_size,
		const struct cohfs_lockspace_ops *ops, void *arg);
/** cohfs_lockspace_slot() - our slot, 1 based; local: 1 */
int cohfs_lockspace_slot(const struct cohfs_lockspace *ls);
int cohfs_lockspace_nodeid(const struct cohfs_lockspace *ls);
/**
 * cohfs_lockspace_thaw() - let parked grants through, ask for new ones again
 * @generation: of the recovery that is complete; does nothing when another one has
 *	begun since
 */
void cohfs_lockspace_thaw(struct cohfs_lockspace *ls, u32 generation);
/** cohfs_lockspace_stopped() - the lock manager stands still: it recovers, or would */
bool cohfs_lockspace_stopped(const struct cohfs_lockspace *ls);
/**
 * cohfs_lockspace_has_slot() - is @slot, 1 based, the number of a member?
 * Return: as of the last recovery that is complete; true if it cannot be known.
 */
bool cohfs_lockspace_has_slot(const struct cohfs_lockspace *ls, int slot);
/**
 * cohfs_lockspace_kill() - withdraw: fail all waits with -EIO, lower nothing
 *
 * MOUNT and SLOT locks live on, unless the lock manager is lost: through them the other
 * nodes are asked to replay our journal.
 * Context: any.
 */
void cohfs_lockspace_kill(struct cohfs_lockspace *ls);
/** cohfs_lockspace_lose() - the same for all locks: nothing more can be asked */
void cohfs_lockspace_lose(struct cohfs_lockspace *ls);
/**
 * cohfs_lockspace_abandon() - all locks go at once, whoever is to have them next
 *
 * Only when nothing of this node is under way to the disk and its journal is empty: it
 * was closed, in an unmount that does not wait for the cluster, or has been replayed for
 * a withdrawn node.
 * A killed lockspace that was not abandoned is not left: it stays until the node is
 * fenced or rebooted, and with it the module.
 * Context: sleeps.
 */
void cohfs_lockspace_abandon(struct cohfs_lockspace *ls);
/**
 * cohfs_lockspace_quiesce() - start no further revokes of inode-owned locks and
 * wait for the running ones, so that no inode is pinned by a worker; for unmount.
 * Drops still work.
 */
void cohfs_lockspace_quiesce(struct cohfs_lockspace *ls);
/**
 * cohfs_lockspace_drain() - wait for the drops, or for the lockspace to be killed
 * Return: true if no lock is left.
 */
bool cohfs_lockspace_drain(struct cohfs_lockspace *ls);
/** cohfs_lockspace_leave() - after every lock is dropped; waits for the drops */
void cohfs_lockspace_leave(struct cohfs_lockspace *ls);

/** cohfs_lockspace_dump() - one line per lock with holders and waiters */
void cohfs_lockspace_dump(struct cohfs_lockspace *ls, struct seq_file *m);

/** cohfs_lockspace_stats() - counters per lock type */
void cohfs_lockspace_stats(struct cohfs_lockspace *ls, struct seq_file *m);

int __init cohfs_glue_init(void);
void cohfs_glue_exit(void);

#endif /* _COHFS_GLUE_H */
