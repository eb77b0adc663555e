/* SPDX-License-Identifier: GPL-2.0-only */
/* Freezing the filesystem on all nodes. */
#ifndef _COHFS_FREEZE_H
#define _COHFS_FREEZE_H

#include <linux/fs.h>
#include <cohfs/types.h>

struct cohfs_sb;

/**
 * cohfs_freeze_join() - mounting: wait until nobody has it frozen, hear it from then on
 * Context: before any other cluster lock.
 * Return: 0, -EINTR, -EIO, -ENOMEM.
 */
int cohfs_freeze_join(struct cohfs_sb *cs);
/** cohfs_freeze_leave() - nothing is written any more: nobody need wait for this node */
void cohfs_freeze_leave(struct cohfs_sb *cs);
void cohfs_freeze_free(struct cohfs_sb *cs);

/* super_operations */
int cohfs_freeze_super(struct super_block *sb, enum freeze_holder who);
int cohfs_thaw_super(struct super_block *sb, enum freeze_holder who);

/** cohfs_freeze_give_up() - ops->give_up of the freeze lock: freezes this node */
int cohfs_freeze_give_up(struct cohfs_sb *cs, enum cohfs_mode to);

#endif /* _COHFS_FREEZE_H */
