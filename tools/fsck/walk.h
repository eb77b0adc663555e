/* SPDX-License-Identifier: GPL-2.0-only */
/* From the root to everything that has a name. */
#ifndef _COHFS_FSCK_WALK_H
#define _COHFS_FSCK_WALK_H

struct fsck;

/** walk_queue() - all directories that are waiting, and what is in them */
void walk_queue(struct fsck *f);
/** walk_tree() - from the root and the orphan directories */
void walk_tree(struct fsck *f);

#endif /* _COHFS_FSCK_WALK_H */
