/* SPDX-License-Identifier: GPL-2.0-only */
/* Blocks that more than one file claims. */
#ifndef _COHFS_FSCK_TWICE_H
#define _COHFS_FSCK_TWICE_H

struct fsck;

/** twice_resolve() - one keeps the block, the others get copies */
void twice_resolve(struct fsck *f);

#endif /* _COHFS_FSCK_TWICE_H */
