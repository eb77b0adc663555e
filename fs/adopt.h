/* SPDX-License-Identifier: GPL-2.0-only */
/* Orphans of nodes that are gone: a survivor deletes them. */
#ifndef _COHFS_ADOPT_H
#define _COHFS_ADOPT_H

#include <linux/types.h>

struct cohfs_sb;

int cohfs_adopt_init(struct cohfs_sb *cs);
void cohfs_adopt_free(struct cohfs_sb *cs);
/** cohfs_adopt_start() - mounted: orphans can be deleted */
void cohfs_adopt_start(struct cohfs_sb *cs);
/** cohfs_adopt_stop() - no more, before cohfs_orphan_exit(); waits for a running look */
void cohfs_adopt_stop(struct cohfs_sb *cs);

/**
 * cohfs_adopt() - the owners of @slots are gone, their journals replayed
 * @slots: bitmap; 0: look again for those that somebody else saw to
 * Context: any.
 */
void cohfs_adopt(struct cohfs_sb *cs, u64 slots);

#endif /* _COHFS_ADOPT_H */
