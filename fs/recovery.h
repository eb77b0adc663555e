/* SPDX-License-Identifier: GPL-2.0-only */
/* Membership events of the lockspace; who replays which journal, and when. */
#ifndef _COHFS_RECOVERY_H
#define _COHFS_RECOVERY_H

struct cohfs_lockspace_ops;
struct cohfs_object;
struct cohfs_sb;

/** cohfs_recovery_ops - for cohfs_lockspace_join(), with the mount as argument */
extern const struct cohfs_lockspace_ops cohfs_recovery_ops;

/* MOUNT locks */
#define COHFS_MOUNT_NUMBER	0
#define COHFS_CALL_NUMBER	1	/* withdrawn nodes call through it */
#define COHFS_FREEZE_NUMBER	2	/* see freeze.c */
#define COHFS_ALIVE_NUMBER	3	/* mounts that can answer calls */

int cohfs_recovery_init(struct cohfs_sb *cs);	/* before the join */
/**
 * cohfs_recovery_start() - cs->ls is set: act on what was reported during the join
 *
 * Hears the calls of withdrawn nodes from then on.
 * Return: 0, -EINTR, -EIO, -ENOMEM.
 */
int cohfs_recovery_start(struct cohfs_sb *cs);
/** cohfs_recovery_stop() - ignore further events; waits for a running recovery */
void cohfs_recovery_stop(struct cohfs_sb *cs);
/** cohfs_recovery_exit() - after the lockspace is left: no callback can come */
void cohfs_recovery_exit(struct cohfs_sb *cs);

/**
 * cohfs_mount_lock() - one task in the cluster claims slots or replays journals
 * @flags: COHFS_LK_*
 * Context: rank MOUNT; not parked by a recovery.  While it is held only locks of
 * type SLOT may be waited for: a holder of any other lock may be waiting for a
 * grant that is parked until this very lock has been had by a recovering node.
 */
int __must_check cohfs_mount_lock(struct cohfs_sb *cs, unsigned int flags);
void cohfs_mount_unlock(struct cohfs_sb *cs);

/**
 * cohfs_recovery_settle() - wait for the replay that this node is at, if there is one
 *
 * Of a node that has withdrawn: its replay of another's journal goes through the same
 * buffers and must be over before these, and the locks, are given away.
 */
void cohfs_recovery_settle(struct cohfs_sb *cs);

/**
 * cohfs_recovery_call() - withdrawn, our slot is let go: have our journal replayed
 * Context: sleeps until it is empty, or no node is left that could answer; not killable, ended
 * by cohfs_lockspace_lose().
 * Return: 0: the lockspace is to be left; -EIO.
 */
int cohfs_recovery_call(struct cohfs_sb *cs);
/** cohfs_recovery_called() - some node has withdrawn; give up of the call lock */
void cohfs_recovery_called(struct cohfs_object *call);

/**
 * cohfs_recovery_again() - try once more what failed with @err: for want of memory, of which
 * there is some when this returns
 * @what: what has failed, for the log
 * @tries: starts at 0
 * Context: sleeps; GFP_NOFS.
 */
bool cohfs_recovery_again(struct cohfs_sb *cs, const char *what, int err,
			  unsigned int *tries);

#endif /* _COHFS_RECOVERY_H */
