/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One resource of a lock manager: who has it, who waits, who is next.
 *
 * The rules of fs/dlm (lock.c: can_be_granted, grant_pending_locks,
 * send_blocking_asts), without messages.  Serves the local and the sim backend,
 * and is the lock manager in the host tests.
 */
#ifndef _COHFS_GLUE_RES_H
#define _COHFS_GLUE_RES_H

#include <cohfs/types.h>
#include "mode.h"

enum cohfs_res_queue {
	COHFS_RQ_NONE,		/* not in the resource */
	COHFS_RQ_GRANTED,
	COHFS_RQ_CONVERT,	/* granted in one mode, waits for another */
	COHFS_RQ_WAIT,		/* new, has nothing yet */
};

#define COHFS_RES_NOQUEUE	0x1	/* -EAGAIN rather than wait */
#define COHFS_RES_QUECVT	0x2	/* conversion: line up behind the others */
#define COHFS_RES_EXPEDITE	0x4	/* new NL lock: always granted */
#define COHFS_RES_NOQUEUE_BAST	0x8	/* NOQUEUE, but tell who is in the way */

/**
 * struct cohfs_res_lkb - one lock on a resource
 * @note_granted: was granted out of a queue; to be told, then cleared
 * @note_bast: mode that it blocks; to be told, then set to NL
 */
struct cohfs_res_lkb {
	struct cohfs_res_lkb *next;
	u8 queue;
	u8 granted;
	u8 requested;
	u8 highbast;
	u8 note_bast;
	bool note_granted;
};

struct cohfs_res {
	struct cohfs_res_lkb *granted;
	struct cohfs_res_lkb *convert;	/* in order */
	struct cohfs_res_lkb *wait;	/* in order */
};

/**
 * cohfs_res_lock() - new lock (@lkb in no queue) or conversion
 *
 * Afterwards, and after the other two, look at the notes of every lkb.
 * Return: 0 granted; -EINPROGRESS queued; -EAGAIN; -EDEADLK; -EBUSY when @lkb waits
 * already.
 */
int cohfs_res_lock(struct cohfs_res *res, struct cohfs_res_lkb *lkb,
		   enum cohfs_mode mode, unsigned int flags);

/** cohfs_res_unlock() - @lkb is gone, whatever it was doing */
void cohfs_res_unlock(struct cohfs_res *res, struct cohfs_res_lkb *lkb);

/**
 * cohfs_res_cancel() - take back a request that waits
 * Return: true if there was one.  A conversion falls back to its granted mode.
 */
bool cohfs_res_cancel(struct cohfs_res *res, struct cohfs_res_lkb *lkb);

/** cohfs_res_idle() - does nobody have or want it? */
bool cohfs_res_idle(const struct cohfs_res *res);

/** cohfs_res_noted() - some lkb with a note, or NULL */
struct cohfs_res_lkb *cohfs_res_noted(struct cohfs_res *res);

#endif /* _COHFS_GLUE_RES_H */
