/* SPDX-License-Identifier: GPL-2.0-only */
/* One inode: its block, and for regular files its map. */
#ifndef _COHFS_FSCK_INODE_H
#define _COHFS_FSCK_INODE_H

#include "nodes.h"
#include "tree.h"

struct fsck;

/* DT_* is the mode's top four bits */
#define TYPE_DIR	4
#define TYPE_REG	8
#define TYPE_LNK	10

/**
 * struct hint - what points to an inode, and knows something about it
 * @dir, @name: where it is named; @dir 0: nowhere
 * @generation, @type: what the name says; 0: not known
 * @weak: the checksum of what says so was wrong
 * @orphan: it is in an orphan directory: an inode without links is what is expected
 * @certain: @type is what it has to be
 */
struct hint {
	u64 dir;
	const u8 *name;
	u32 name_len;
	u32 generation;
	u8 type;
	bool weak;
	bool orphan;
	bool certain;
};

/**
 * enum loaded - what became of it
 * @INODE_OK: it is a node now
 * @INODE_GONE: there is no such inode
 * @INODE_OTHER: there is one of another generation, which was not loaded
 */
enum loaded { INODE_OK, INODE_GONE, INODE_OTHER };

/**
 * inode_load() - check an inode that is not a node yet; repair what is in its block
 * Claims its blocks and those of a regular file's map and data.
 * @node: set for INODE_OK
 */
enum loaded inode_load(struct fsck *f, u64 ino, const struct hint *hint,
		       struct node **node);

/** inode_create_dir() - a new, empty directory on blocks that are claimed already */
struct node *inode_create_dir(struct fsck *f, u64 ino, u32 mode, u64 parent);

/** inode_owner() - what tree_read() wants to know of a node */
void inode_owner(struct fsck *f, const struct node *node, struct owner *own);
void inode_set_blocks(struct fsck *f, u64 ino, u64 blocks);
/** inode_set_dir() - size and blocks of a directory */
void inode_set_dir(struct fsck *f, u64 ino, u64 leaves, u64 blocks);
/** inode_settle() - write links, parent and orphan mark as they were found to be */
void inode_settle(struct fsck *f, const struct node *node);
/** inode_now() - a time for what is made by a repair */
struct cohfs_time inode_now(void);

#endif /* _COHFS_FSCK_INODE_H */
