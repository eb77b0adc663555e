/* SPDX-License-Identifier: GPL-2.0-only */
/* The allocation bitmaps on disk: what they say, and whether it can be believed. */
#ifndef _COHFS_FSCK_GROUPS_H
#define _COHFS_FSCK_GROUPS_H

#include "../lib/volume.h"

struct fsck;

/**
 * struct groups - the bitmaps as they were found
 * @trusted: by group: its block is sound
 * @in_use: blocks in use in sound groups
 * @cached: the group that @block holds; U32_MAX: none
 */
struct groups {
	bool *trusted;
	u64 in_use;
	u32 cached;
	union block block;
};

/** groups_load() - look at every group; claims the copy of the superblock */
void groups_load(struct fsck *f);
void groups_free(struct groups *groups);

/** enum marked - what the bitmap says of a block */
enum marked { MARKED_FREE, MARKED_USED, MARKED_UNKNOWN };

enum marked groups_mark(struct fsck *f, u64 blkno);
/**
 * groups_unclaimed() - of the 8 blocks from @group's block 8 * @byte on, those that are in
 * use, or may be, and that nobody has claimed
 */
u32 groups_unclaimed(struct fsck *f, u32 group, u32 byte);
/** groups_maybe_used() - no block of the extent is marked free */
bool groups_maybe_used(struct fsck *f, u64 blkno, u32 len);

/** groups_check() - compare with the claims, write what is right, and sum it up */
void groups_check(struct fsck *f);

#endif /* _COHFS_FSCK_GROUPS_H */
