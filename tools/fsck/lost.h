/* SPDX-License-Identifier: GPL-2.0-only */
/* What is in use but was not reached: blocks, maps, names, inodes. */
#ifndef _COHFS_FSCK_LOST_H
#define _COHFS_FSCK_LOST_H

struct fsck;

#define LOST_FOUND "lost+found"

/** lost_search() - look at all blocks in use that nobody has claimed, and use them */
void lost_search(struct fsck *f);
/** lost_connect() - inodes that nobody names get a name in lost+found */
void lost_connect(struct fsck *f);

#endif /* _COHFS_FSCK_LOST_H */
