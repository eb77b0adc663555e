/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A populated filesystem on the test disk, made with nothing but the pure code: the
 * same seed gives the same bytes.  And what is in it, for comparison afterwards.
 */
#ifndef _COHFS_TEST_FSCK_BUILD_H
#define _COHFS_TEST_FSCK_BUILD_H

#include "../../fs/core/dirleaf.h"
#include "../../fs/core/mapblock.h"
#include "fsck_disk.h"

#define MODEL_DIR	4	/* DT_* */
#define MODEL_REG	8
#define MODEL_LNK	10

/**
 * struct model_inode - one inode
 * @slot: orphans: whose list it is on; -1: it has names
 * @ext: map of a regular file
 * @blks: blocks of its map, and leaves of a directory, without the pair
 */
struct model_inode {
	u64 ino;
	u64 parent;
	u64 size;
	u32 generation;
	u32 mode;
	u32 links;
	int slot;
	bool system;
	struct cohfs_extent *ext;
	u32 exts;
	u64 *blks;
	u32 nblks;
};

/** struct model_name - a name in directory @dir */
struct model_name {
	u64 dir;
	u64 ino;
	u8 len;
	u8 name[COHFS_NAME_MAX + 1];
};

/**
 * struct model - the filesystem
 * @vol: its superblock, decoded
 * @used: by block, what it is: COHFS_BT_*, USED_*; 0: free
 */
struct model {
	struct volume vol;
	struct image img;
	u8 *used;
	struct model_inode *inode;
	u32 inodes;
	struct model_name *name;
	u32 names;
};

#define USED_DATA	100
#define USED_POOL	101
#define USED_JOURNAL	102

extern struct model model;

/** build_filesystem() - @dirty: some blocks are in a journal only */
void build_filesystem(u64 seed, bool dirty);

/** build_reseed() - what model_pick() and others choose from now on */
void build_reseed(u64 seed);

struct model_inode *model_find(u64 ino);
/** model_pick() - some inode of this type that is no system directory */
struct model_inode *model_pick(u32 type);
/** model_leaf() - a leaf of a directory with at least @names names */
u64 model_leaf(const struct model_inode *dir, u32 names);

/** build_seal() - the block was changed: make its checksum right */
void build_seal(u64 blkno);

#endif /* _COHFS_TEST_FSCK_BUILD_H */
