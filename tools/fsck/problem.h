/* SPDX-License-Identifier: GPL-2.0-only */
/* What can be wrong, how grave it is, and how often it was found. */
#ifndef _COHFS_FSCK_PROBLEM_H
#define _COHFS_FSCK_PROBLEM_H

#include <cohfs/core_env.h>
#include "progress.h"

/**
 * enum problem - one for each kind of damage
 *
 * The names say where it is; the table in problem.c says what its repair costs.
 */
enum problem {
	/* superblock, journals, slots */
	P_SUPER,
	P_SUPER_COPY,
	P_JOURNAL_SUPER,
	P_JOURNAL_BLOCK,
	P_JOURNAL_LOST,
	P_SLOT_BLOCK,
	P_SLOT_ORPHANS,
	P_POOL_ENTRY,
	P_FREE_COUNT,
	/* groups */
	P_GROUP_BLOCK,
	P_BLOCKS_LOST,
	P_BLOCKS_FREE,
	/* inodes */
	P_INODE_BLOCK,
	P_INODE_SUM,
	P_INODE_FIELD,
	P_INODE_GENERATION,
	P_INODE_REBUILT,
	P_INODE_GONE,
	P_INODE_BLOCKS,
	P_INODE_HINT,
	P_LINKS,
	P_PARENT,
	P_ORPHAN_MARK,
	/* maps */
	P_MAP_BLOCK,
	P_MAP_SUM,
	P_MAP_SHAPE,
	P_MAP_RECORD,
	P_MAP_COUNT,
	P_MAP_ABSENT,
	P_BLOCKS_TWICE,
	/* directories */
	P_LEAF_BLOCK,
	P_LEAF_SUM,
	P_LEAF_SHAPE,
	P_NAME_BAD,
	P_NAME_HASH,
	P_NAME_TWICE,
	P_NAME_DANGLING,
	P_NAME_GENERATION,
	P_NAME_TYPE,
	P_DIR_TWICE,
	P_DIR_SIZE,
	P_ROOT,
	/* what nobody names */
	P_ORPHAN_ENTRY,
	P_INODE_LOST,
	P_LOST_FOUND,
	P_NO_SPACE,
	NR_PROBLEMS
};

/**
 * enum gravity - what a problem, or its repair, costs
 * @GRAVITY_NONE: no damage, but worth mending while one is at it
 * @GRAVITY_NOTE: the same, and people should know
 * @GRAVITY_SAFE: the repair loses nothing
 * @GRAVITY_LOSS: something is lost, or may be: somebody should look
 */
enum gravity {
	GRAVITY_NONE,
	GRAVITY_NOTE,
	GRAVITY_SAFE,
	GRAVITY_LOSS,
};

/**
 * struct problems - those of one round
 * @found: with GRAVITY_SAFE and up
 * @losses: with GRAVITY_LOSS
 * @progress: a bar that is in the way of messages
 * @verbose: print also what is no damage
 * @silent: print nothing
 */
struct problems {
	u64 found;
	u64 losses;
	u64 by_kind[NR_PROBLEMS];
	struct progress *progress;
	bool verbose;
	bool silent;
};

/** problem() - found one: "inode 12: link count 3, there are 2 names" */
__printf(3, 4) void problem(struct problems *all, enum problem kind, const char *fmt, ...);

#endif /* _COHFS_FSCK_PROBLEM_H */
