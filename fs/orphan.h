/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Unlinked inodes: listed in the orphan directory of the node that unlinked them
 * until nobody has them in core, then deleted by a worker.
 */
#ifndef _COHFS_ORPHAN_H
#define _COHFS_ORPHAN_H

#include <linux/fs.h>
#include <linux/jbd2.h>
#include "dir.h"

struct cohfs_reap;
struct cohfs_resv;
struct cohfs_sb;

/** cohfs_orphan_dir() - our own; I(it) EX is needed to add a name */
struct inode *cohfs_orphan_dir(struct cohfs_sb *cs);

/**
 * cohfs_orphan_plan() - what cohfs_orphan_add() will need
 * Context: I EX and ci_dir_sem of the orphan directory are held until the add.
 */
int cohfs_orphan_plan(struct inode *inode, struct cohfs_dirplan *plan);
/**
 * cohfs_orphan_add() - list @inode, in the transaction that takes its last link
 * Sets ci_orphan_slot; the caller writes @inode.
 */
int cohfs_orphan_add(handle_t *handle, struct inode *inode, struct cohfs_resv *resv);

/**
 * cohfs_reap_prepare() - an inode without links, or that somebody wants to delete,
 * leaves core
 * @asked: that somebody does
 * Context: eviction; never sleeps for anything but memory.
 * Return: to be started at once with the locks, or when O is unlocked; NULL if there is
 * nothing to do.
 */
struct cohfs_reap *cohfs_reap_prepare(struct inode *inode, bool asked);
/**
 * cohfs_reap_start() - try to delete.  Never sleeps.
 * @locks: consumed: those of the inode, which has no links; NULL if O was unlocked
 */
void cohfs_reap_start(struct cohfs_reap *reap, struct cohfs_locks *locks);

/**
 * cohfs_orphan_adopt() - see to the inodes that the gone owner of @slot had unlinked
 * Context: sleeps, DLM; the mount is complete, and not being undone.
 * Return: 0: queued for deletion; -errno.
 */
int cohfs_orphan_adopt(struct cohfs_sb *cs, u32 slot);

#endif /* _COHFS_ORPHAN_H */
