/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which blocks of the groups are used by something that was found: two bits per block,
 * in memory only for groups that are in use.
 */
#ifndef _COHFS_FSCK_CLAIMS_H
#define _COHFS_FSCK_CLAIMS_H

#include "../lib/volume.h"

/**
 * struct group_claims - of one group
 * @meta: blocks that are metadata of something
 * @data: blocks that a file says are its contents
 * @twice: blocks that two files claim, or a file and something else; NULL: none
 */
struct group_claims {
	u8 meta[COHFS_GROUP_BITMAP_BYTES];
	u8 data[COHFS_GROUP_BITMAP_BYTES];
	u8 *twice;
};

/**
 * struct claims - of the filesystem
 * @group: NULL where nothing is claimed
 * @twice: blocks claimed twice
 * @goal: where claims_find_free() goes on
 */
struct claims {
	const struct volume *vol;
	struct group_claims **group;
	u64 twice;
	u64 claimed;
	u64 goal;
};

void claims_init(struct claims *cl, const struct volume *vol);
void claims_free(struct claims *cl);

/**
 * claim_meta() - @len blocks within a group are metadata
 * Return: false if some of them are metadata of something else; nothing was claimed.
 */
bool claim_meta(struct claims *cl, u64 blkno, u32 len);
/** claim_data() - Return: false if something else has claimed some of them, too */
bool claim_data(struct claims *cl, u64 blkno, u32 len);
void unclaim(struct claims *cl, u64 blkno, u32 len);

bool is_claimed(const struct claims *cl, u64 blkno);
bool is_claimed_meta(const struct claims *cl, u64 blkno);
bool is_claimed_twice(const struct claims *cl, u64 blkno);

/**
 * claims_find_free() - @len blocks in a row that nobody has claimed, and claim them
 * @meta: as metadata, else as data
 * Return: the first, or 0.
 */
u64 claims_find_free(struct claims *cl, u32 len, bool meta);

#endif /* _COHFS_FSCK_CLAIMS_H */
