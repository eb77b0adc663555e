/* SPDX-License-Identifier: GPL-2.0-only */
/* What nodes own: slot blocks, orphan directories, pools of inode numbers. */
#ifndef _COHFS_FSCK_SLOTS_H
#define _COHFS_FSCK_SLOTS_H

#include "../lib/volume.h"

struct fsck;

/**
 * struct slots - as read
 * @block: the slot blocks, repaired as far as possible
 * @changed: which of them are to be written
 * @dir: their orphan directories, 0: none yet
 * @pool: the numbers in their pools, as read
 */
struct slots {
	union block block[COHFS_MAX_SLOTS];
	bool changed[COHFS_MAX_SLOTS];
	u64 dir[COHFS_MAX_SLOTS];
	struct numtab pool;
};

/** slots_load() - read all slot blocks, find the orphan directories */
void slots_load(struct fsck *f);
void slots_free(struct slots *slots);
/** slots_by_dir() - the slot whose orphan directory is @ino, or -1 */
int slots_by_dir(const struct fsck *f, u64 ino);
/** slots_make_dirs() - orphan directories for slots that have none */
void slots_make_dirs(struct fsck *f);
/** slots_in_pool() - does a slot say that this is an unused inode number? */
bool slots_in_pool(const struct fsck *f, u64 ino);
/** slots_check_pools() - numbers must be nobody else's; when all names are known */
void slots_check_pools(struct fsck *f);
/** slots_check_free() - the slots' counts against @free blocks, and write the slots */
void slots_check_free(struct fsck *f, u64 free);

#endif /* _COHFS_FSCK_SLOTS_H */
