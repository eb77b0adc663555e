/* SPDX-License-Identifier: GPL-2.0-only */
/* The way back from many range locks to few. */
#ifndef _COHFS_CLIMB_H
#define _COHFS_CLIMB_H

#include <linux/types.h>

struct cohfs_rnode;
struct inode;

/** cohfs_climb_put_off() - another node was in the way at @node, a file or region */
void cohfs_climb_put_off(struct cohfs_rnode *node);

/**
 * cohfs_climb_visit() - let go of what is of no use, ask for what would be
 * Context: one task per mount; waits for answers of the lock manager, for no revoke.
 * Return: true if the file has to be looked at again.
 */
bool cohfs_climb_visit(struct inode *inode);

#endif /* _COHFS_CLIMB_H */
