/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Block allocation: groups, each under its own cluster lock G(g).
 *
 * Order: reserve (takes group locks, EX) -> transaction -> take or free blocks ->
 * end transaction -> end reservation.  A block freed in a transaction is not
 * handed out again before that transaction has committed.
 */
#ifndef _COHFS_ALLOC_H
#define _COHFS_ALLOC_H

#include <linux/jbd2.h>
#include <linux/types.h>

struct cohfs_sb;
struct cohfs_group_obj;

/*
 * Blocks of each group that file data and new inodes leave alone: deleting needs a
 * place in the orphan directory before it gives anything back.
 */
#define COHFS_GROUP_RESERVE 64

#define COHFS_RESV_GROUPS 8	/* most groups that one transaction touches */

/**
 * struct cohfs_resv - group locks held for one transaction
 * @groups: held EX, ascending group number
 * @credits: blocks to add to the transaction for the bitmaps and the slot block
 */
struct cohfs_resv {
	struct cohfs_group_obj *groups[COHFS_RESV_GROUPS];
	unsigned int count;
	int credits;
};

int cohfs_groups_init(struct cohfs_sb *cs);	/* at mount, after join */
void cohfs_groups_exit(struct cohfs_sb *cs);	/* drops every group lock */

/**
 * cohfs_alloc_reserve() - lock one group with room for an allocation
 * @goal: block near which to allocate, 0 for the node's own area
 * @min: blocks that must be had (single ones are enough, at most a few)
 * @resv: filled
 * Context: sleeps, DLM; holds no later rank, no transaction.  Killable.
 * Return: 0, -ENOSPC (after looking at every group, including those of other
 * nodes), -EINTR, -EIO.
 */
int cohfs_alloc_reserve(struct cohfs_sb *cs, u64 goal, u32 min,
			struct cohfs_resv *resv);

/** cohfs_alloc_reserve_run() - the same, and one run of at least @run blocks */
int cohfs_alloc_reserve_run(struct cohfs_sb *cs, u64 goal, u32 min, u32 run,
			    struct cohfs_resv *resv);

/** cohfs_free_reserve() - lock the groups that the @n blocks belong to (<= 8 groups) */
int cohfs_free_reserve(struct cohfs_sb *cs, const u64 *blocks, unsigned int n,
		       struct cohfs_resv *resv);
/** cohfs_resv_has() - is the group that @blk belongs to one of those? */
bool cohfs_resv_has(struct cohfs_sb *cs, const struct cohfs_resv *resv, u64 blk);
void cohfs_resv_end(struct cohfs_sb *cs, struct cohfs_resv *resv);

/**
 * cohfs_alloc_extent() - take up to @want contiguous blocks from the reserved group
 * @goal: preferred first block
 * @leave: blocks that must remain free in the group for later calls
 * @blk, @len: what was got, 1..@want
 * Return: 0 or -ENOSPC (less than 1 + @leave free).
 */
int cohfs_alloc_extent(handle_t *handle, struct cohfs_resv *resv, u64 goal,
		       u32 want, u32 leave, u64 *blk, u32 *len);

/** cohfs_free_extent() - give blocks back; their group is in @resv */
int cohfs_free_extent(handle_t *handle, struct cohfs_resv *resv, u64 blk, u32 len);

/** cohfs_valid_block() - may @blk..@blk+@len-1 be data or metadata of an inode? */
bool cohfs_valid_extent(const struct cohfs_sb *cs, u64 blk, u64 len);

/** cohfs_group_end() - first block after the group that contains @blk */
u64 cohfs_group_end(const struct cohfs_sb *cs, u64 blk);

#endif /* _COHFS_ALLOC_H */
