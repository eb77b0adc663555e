/* SPDX-License-Identifier: GPL-2.0-only */
/* The map of one inode: everything of it that can be read. */
#ifndef _COHFS_FSCK_TREE_H
#define _COHFS_FSCK_TREE_H

#include "../../fs/core/mapblock.h"

struct fsck;

#define FILE_KEY_MAX	((1ULL << 51) - 1)	/* last block of the largest file */

/**
 * struct owner - the inode whose map it is
 * @blocks: what its block says: in use, the pair included
 * @expected: there must be a root: it is a directory with leaves
 */
struct owner {
	u64 ino;
	u32 generation;
	bool dir;
	bool expected;
	u64 blocks;
};

/**
 * struct tree - what there is of a map
 * @recs: leaf records, sorted, not overlapping, within the groups
 * @blks: the blocks of the map but the root
 * @counted: what the root says it has, data and map blocks
 * @present: there is a root
 * @damaged: cannot stay as it is: to be written anew
 */
struct tree {
	struct cohfs_extent *recs;
	size_t count;
	size_t room;
	u64 *blks;
	size_t nblks;
	size_t blks_room;
	u64 counted;
	bool present;
	bool damaged;
};

/** enum tree_mode - is this the first look at it, which reports and claims? */
enum tree_mode { TREE_CHECK, TREE_AGAIN };

/** tree_read() - @t is zeroed or was used before; the root was claimed by the caller */
void tree_read(struct fsck *f, const struct owner *own, struct tree *t,
	       enum tree_mode mode);
/** tree_blocks() - data and map blocks */
u64 tree_blocks(const struct tree *t);
/** tree_fix_count() - report and correct the root's counter, if nothing else is wrong */
void tree_fix_count(struct fsck *f, const struct owner *own, struct tree *t);
void tree_add(struct tree *t, const struct cohfs_extent *ext);
/** tree_add_block() - a map block that may be used again */
void tree_add_block(struct tree *t, u64 blkno);
/** tree_sort() - sort the records and remove overlaps; true if there was anything to do */
bool tree_sort(struct tree *t);
void tree_clear(struct tree *t);
void tree_free(struct tree *t);

/** tree_record_ok() - may a leaf have this record? */
bool tree_record_ok(struct fsck *f, bool dir, const struct cohfs_extent *ext);

/**
 * tree_write() - write the map anew from @t->recs: its own blocks first, then free ones
 * Blocks that are not needed any more are given up.
 * Return: false if there was no space; the old map is as it was.
 */
bool tree_write(struct fsck *f, const struct owner *own, struct tree *t);

#endif /* _COHFS_FSCK_TREE_H */
