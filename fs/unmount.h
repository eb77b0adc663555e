/* SPDX-License-Identifier: GPL-2.0-only */
/* The parts of an unmount that wait for the cluster, and can be killed. */
#ifndef _COHFS_UNMOUNT_H
#define _COHFS_UNMOUNT_H

struct cohfs_sb;

/**
 * cohfs_unmount_step() - run @fn; killed, all locks of @cs die first and @fn fails or
 * does without them
 * @fn: runs in a worker; waits for locks only in ways that a kill of the lock ends
 *
 * Context: sleeps; nothing of the mount is in use by anybody else.
 */
void cohfs_unmount_step(struct cohfs_sb *cs, void (*fn)(struct cohfs_sb *cs));
/**
 * cohfs_unmount_leave() - the last of them: leave the lockspace
 *
 * Context: sleeps; the journal is closed, and nothing is on its way to the disk.
 */
void cohfs_unmount_leave(struct cohfs_sb *cs);

#endif /* _COHFS_UNMOUNT_H */
