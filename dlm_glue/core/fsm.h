/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * State machine of one cluster lock on one node.
 *
 * Pure: it decides, the glue around it does.  One function changes state,
 * cohfs_fsm_step(); everything it wants done it returns as a set of actions.
 * States, events and the reasons: Documentation/lock-states.rst.
 *
 * Contract with the caller:
 *  - one step at a time (lk_spin);
 *  - after every step, waiters that cohfs_fsm_may_hold() now admits are given
 *    their hold in order (EV_HOLD), and EV_WANT tells what the rest need;
 *  - at most one request, lower or unlock is under way; its outcome comes back as
 *    EV_ANSWER.  The outcome of a give up comes back as EV_GIVEN_UP.
 */
#ifndef _COHFS_GLUE_FSM_H
#define _COHFS_GLUE_FSM_H

#include <cohfs/types.h>
#include "mode.h"

/** enum cohfs_fsm_state - what is under way */
enum cohfs_fsm_state {
	COHFS_FS_IDLE,		/* nothing */
	COHFS_FS_RAISING,	/* asked the lock manager for more */
	COHFS_FS_PARKED,	/* more was granted, but a journal needs replay first */
	COHFS_FS_GRANTING,	/* more was granted, ops->granted has to run */
	COHFS_FS_REVOKING,	/* ops->give_up runs: granted -> target */
	COHFS_FS_LOWERING,	/* told the lock manager that we went down to target */
	COHFS_FS_UNLOCKING,	/* told the lock manager that we are gone */
	COHFS_FS_GONE,		/* that is all */
};
#define COHFS_NR_FSM_STATES 8

/** enum cohfs_fsm_event - what happened; the argument is an int */
enum cohfs_fsm_event {
	COHFS_EV_HOLD,		/* mode: a task becomes holder */
	COHFS_EV_RELEASE,	/* mode: a holder stops */
	COHFS_EV_LEAVE,		/* mode: a holder stops, and will be back to use it */
	COHFS_EV_DONE,		/* mode: a holder stops, and will not be back */
	COHFS_EV_WANT,		/* mode | COHFS_WANT_NOQUEUE: what waiters need now */
	COHFS_EV_ANSWER,	/* 0 or -errno: outcome of request, lower, unlock */
	COHFS_EV_DELIVERED,	/* enum cohfs_tenure: ops->granted has run */
	COHFS_EV_BAST,		/* mode that another node cannot get because of us */
	COHFS_EV_RECALL,	/* mode: as if another node wanted it, and at once */
	COHFS_EV_GIVEN_UP,	/* what ops->give_up returned */
	COHFS_EV_USED,		/* the access that the right was taken for was made */
	COHFS_EV_TENURE_END,	/* time is up */
	COHFS_EV_THAW,		/* the gate was opened */
	COHFS_EV_DROP,		/* the owner is done with the lock */
	COHFS_EV_KILL,		/* the lockspace is gone or withdrawn */
};
#define COHFS_NR_FSM_EVENTS 15

#define COHFS_WANT_NOQUEUE	0x100

/* Actions.  SEND_* need a context that may sleep; GIVE_UP belongs to the revoke
 * queue of the lock type; the rest is for whoever made the step.
 */
#define COHFS_DO_REQUEST	0x001	/* ask for fsm->target, the way fsm->op says */
#define COHFS_DO_LOWER		0x002	/* convert down to fsm->target */
#define COHFS_DO_UNLOCK		0x004	/* and the value block, if we had EX */
#define COHFS_DO_CANCEL		0x008	/* cancel the request under way */
#define COHFS_DO_GIVE_UP	0x010	/* run ops->give_up(granted, target) */
#define COHFS_DO_DELIVER	0x020	/* run ops->granted(granted, target) */
#define COHFS_DO_ADMIT_GRANT	0x040	/* admit waiters, demands or not */
#define COHFS_DO_REFUSE		0x080	/* -EAGAIN for the NOQUEUE waiter in front */
#define COHFS_DO_FAIL		0x100	/* fsm->error for every waiter */
#define COHFS_DO_TENURE		0x200	/* arm the timer: only tenure is in the way */
#define COHFS_DO_FREE		0x400	/* nothing left in the lock manager */
#define COHFS_DO_LOST		0x800	/* the lock manager broke its contract */

#define COHFS_DO_SEND	(COHFS_DO_REQUEST | COHFS_DO_LOWER | COHFS_DO_UNLOCK | \
			 COHFS_DO_CANCEL)

/** enum cohfs_fsm_op - how to ask */
enum cohfs_fsm_op {
	COHFS_OP_TRY,		/* new lock in target mode, do not queue */
	COHFS_OP_BASE,		/* new lock in NL, cannot fail */
	COHFS_OP_CONVERT,	/* convert the lock to target */
};

/** enum cohfs_tenure - why a right that was just granted is not yet revocable */
enum cohfs_tenure {
	COHFS_TEN_NONE,
	COHFS_TEN_HELD,		/* a waiter became holder; ends with a release */
	COHFS_TEN_UNUSED,	/* for somebody who will come back: ends with EV_USED
				 * or the release of a hold as strong as his
				 */
	COHFS_TEN_SHORT,	/* used; stays a little longer */
};

/* The gate: one word per lockspace that all its locks look at. */
#define COHFS_GATE_FROZEN	0x1	/* grants are parked, nothing more is asked for */
#define COHFS_GATE_QUIESCED	0x2	/* other nodes' demands are not served */

/* cfg, constant for the life of a lock */
#define COHFS_CFG_EXEMPT	0x1	/* recovery's own lock: not frozen */
#define COHFS_CFG_TENURE	0x2	/* short tenure after the first use */
#define COHFS_CFG_NOQUIESCE	0x4	/* owned by the mount: demands always served */
#define COHFS_CFG_SPLITS	0x8	/* parent in a tree: PR or EX covers what is below,
					 * CR or CW do not, see cohfs_fsm_splits()
					 */

/**
 * struct cohfs_fsm - state of one lock
 * @gate: COHFS_GATE_*, shared by the lockspace
 * @holders: holds by tasks of this node, per mode
 * @state: enum cohfs_fsm_state
 * @granted: rights of this node, delivered and not given up
 * @dlm: mode in the lock manager; covers @granted
 * @target: mode that the operation under way leads to
 * @demand: join of what other nodes asked for and @granted excludes
 * @want: join of what local waiters need, NL if there are none
 * @op: enum cohfs_fsm_op of the request under way
 * @tenure: enum cohfs_tenure
 * @promise: while that is UNUSED: mode that somebody will come back for
 * @cfg: COHFS_CFG_*
 * @error: what DO_FAIL fails with
 * @want_noqueue: @want comes from one NOQUEUE waiter
 * @op_noqueue: so does the request under way
 * @lkb: a lock exists in the lock manager
 * @cancel: DO_CANCEL was asked for
 * @drop: the owner said good-bye
 * @redrive: give_up runs on behalf of the drop
 * @deferred: give_up said -EINPROGRESS: hands off until the drop
 * @dead: killed: keep what we have, ask for nothing
 */
struct cohfs_fsm {
	const u32 *gate;
	u32 holders[COHFS_NR_MODES];
	u8 state;
	u8 granted;
	u8 dlm;
	u8 target;
	u8 demand;
	u8 want;
	u8 op;
	u8 tenure;
	u8 promise;
	u8 cfg;
	bool want_noqueue;
	bool op_noqueue;
	bool lkb;
	bool cancel;
	bool drop;
	bool redrive;
	bool deferred;
	bool dead;
	s32 error;
};

void cohfs_fsm_init(struct cohfs_fsm *fsm, const u32 *gate, unsigned int cfg);

/**
 * cohfs_fsm_step() - the only function that changes state
 * Return: COHFS_DO_*.  An event that cannot happen in this state warns (see
 * cohfs_fsm_legal()) and is treated in the most careful way there is.
 */
u32 cohfs_fsm_step(struct cohfs_fsm *fsm, enum cohfs_fsm_event event, int arg);

/** cohfs_fsm_legal() - may @event come now?  Documents the table; tests use it too */
bool cohfs_fsm_legal(const struct cohfs_fsm *fsm, enum cohfs_fsm_event event,
		     int arg);

/** cohfs_fsm_avail() - strongest mode in which a newcomer is let in */
enum cohfs_mode cohfs_fsm_avail(const struct cohfs_fsm *fsm);

/**
 * cohfs_fsm_covering() - what the lock is good for to those that lie below it
 * @settled: the revoke under way, if there is one, has seen to them
 */
enum cohfs_mode cohfs_fsm_covering(const struct cohfs_fsm *fsm, bool settled);

/**
 * cohfs_fsm_may_hold() - may a task become holder now?
 * @keep: it holds the lock already; a demand does not stop it
 */
bool cohfs_fsm_may_hold(const struct cohfs_fsm *fsm, enum cohfs_mode mode,
			bool keep);

/**
 * cohfs_fsm_quiet() - would a RELEASE or LEAVE end a hold and do nothing else?
 *
 * Nobody waits for the lock, here or elsewhere, nothing is under way, and nobody was
 * promised anything.  For the caller who wants to spare himself what follows a step.
 */
bool cohfs_fsm_quiet(const struct cohfs_fsm *fsm);

/** cohfs_fsm_holders() - holds whose mode @mode does not cover */
u32 cohfs_fsm_holders(const struct cohfs_fsm *fsm, enum cohfs_mode mode);

/**
 * cohfs_fsm_splits() - does going to @mode turn "all of it" into "a part of it"?
 *
 * Then what is cached is sorted into what children cover and what has to go.  Until
 * that is done nobody is let in, not even in @mode, and nobody may be left inside: a
 * holder of the intent would use a child while the split decides about its pages.
 */
bool cohfs_fsm_splits(const struct cohfs_fsm *fsm, enum cohfs_mode mode);

/** cohfs_fsm_contended() - does another node wait for something we exclude? */
bool cohfs_fsm_contended(const struct cohfs_fsm *fsm);

const char *cohfs_fsm_state_name(unsigned int state);
const char *cohfs_fsm_event_name(unsigned int event);

#endif /* _COHFS_GLUE_FSM_H */
