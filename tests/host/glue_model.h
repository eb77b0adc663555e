/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A cluster in one process: N nodes that run the real state machine around one
 * resource of a modelled lock manager.
 *
 * The model of a node is what dlm_glue/lock.c, holder.c and worker.c do, without the
 * kernel: a FIFO of waiters, a set of things to do, and the time between them.  The
 * model of the lock manager is core/res.c behind message queues, with the client side
 * habits of fs/dlm: a lower is answered at once by the client itself, basts that look
 * superfluous are dropped, callbacks may be held back and come in another order.
 *
 * Nothing happens by itself: model_events() lists what could happen next,
 * model_fire() lets one of them happen.  A schedule is a sequence of choices.
 */
#ifndef _COHFS_TEST_GLUE_MODEL_H
#define _COHFS_TEST_GLUE_MODEL_H

#include "../../dlm_glue/core/fsm.h"
#include "../../dlm_glue/core/res.h"

#define MAX_NODES	4
#define MAX_TASKS	6
#define MAX_MSGS	12
#define MAX_EVENTS	128

enum task_state {
	T_NONE,
	T_FUTURE,	/* has not begun */
	T_QUEUED,	/* waits for the lock */
	T_HOLDING,
	T_READY,	/* has prepared everything, comes back to use it */
	T_DONE,
};

#define T_NOQUEUE	0x2
#define T_ASYNC		0x4	/* starts the request before it waits */
#define T_PROMISED	0x10	/* nobody may revoke before it has come back */
#define T_FAULT		0x20	/* prepares, lets go, and the access comes later */
#define T_PARTING	0x40	/* will not be back, so nothing is kept for it */
#define T_STREAM	0x8	/* begins again when done, for as long as stream > 0 */

struct task {
	u8 state;
	u8 mode;
	u8 flags;
	u8 overtaken;	/* conflicting holds elsewhere that began after ours was asked */
};

enum msg_type {
	M_REQUEST, M_CONVERT, M_UNLOCK, M_CANCEL,		/* to the master */
	M_ANSWER, M_GRANT, M_BAST, M_CANCEL_DONE,		/* to the node */
	M_CB_ANSWER, M_CB_BAST,					/* to the glue */
};

struct msg {
	u8 type;
	u8 mode;
	u8 flags;
	s8 status;	/* 0 or index into errors */
};

struct chan {
	u8 n;
	struct msg m[MAX_MSGS];
};

struct node {
	struct cohfs_fsm f;
	u32 gate;
	u32 todo;
	struct task task[MAX_TASKS];
	u8 fifo[MAX_TASKS];
	u8 nr_fifo;
	u8 async;
	u8 cached;		/* what a crash of ours would lose, or may be stale */
	bool alive;
	bool armed;		/* tenure timer */
	bool cancelling;
	bool used_up;		/* lock object is gone */
	bool thaw_due;
	u8 lkb_mode;		/* as the client side of the lock manager sees it */
	u8 req_mode;
	bool has_lkb;
	s8 last_cast;		/* see dlm_may_skip_callback() */
	u8 last_bast;
	struct chan up, down, cb;
};

struct world {
	struct node n[MAX_NODES];
	struct cohfs_res res;
	struct cohfs_res_lkb lkb[MAX_NODES];
	u8 nr;
	bool stopped;		/* the lock manager recovers */
	/* budgets: how often the scheduler may do it */
	u8 kills, recoveries, spurious, drops, deaths, stream, enomem;
	bool reorder;		/* callbacks in any order, if that can be told apart */
	bool no_counts;		/* leave out what only counts: fewer states */
};

enum ev_kind {
	E_ARRIVE, E_RELEASE, E_USE, E_KILL_TASK, E_SEND, E_SEND_ENOMEM, E_GIVEN_UP,
	E_DELIVER, E_TENURE, E_UP, E_DOWN, E_CB, E_STOP, E_START, E_THAW, E_DROP,
	E_DIE, E_SPURIOUS, E_RECALL,
};

struct ev {
	u8 kind, node, arg;
};

extern struct world W;
extern const char *model_error;		/* first violation, or NULL */
extern unsigned int model_max_overtaken;

void model_init(unsigned int nr, unsigned int cfg);
void model_add_task(unsigned int node, unsigned int mode, unsigned int flags);
unsigned int model_events(struct ev *ev);
void model_fire(const struct ev *ev);
/** model_unfinished() - tasks that have not had what they wanted */
unsigned int model_unfinished(void);
void model_print(void);
const char *model_ev_name(const struct ev *ev);

#endif /* _COHFS_TEST_GLUE_MODEL_H */
