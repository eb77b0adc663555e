/* SPDX-License-Identifier: GPL-2.0-only */
/* The inodes that were found: 40 bytes each, and some 24 to find them by number. */
#ifndef _COHFS_FSCK_NODES_H
#define _COHFS_FSCK_NODES_H

#include "../lib/numtab.h"

#define NODE_ORPHAN	0x01	/* listed in the orphan directory of slot @orphan - 1 */
#define NODE_SYSTEM	0x02	/* the root, or an orphan directory */
#define NODE_PLACED	0x04	/* directories: its name is in the directory being rebuilt */
#define NODE_ADOPTED	0x08	/* named by its parent with a wrong generation */
#define NODE_WALKED	0x10	/* directories: its names have been read */
#define NODE_LOST	0x20	/* was found without a name */

/**
 * struct node - an inode
 * @parent: where a name for it was found first, 0: nowhere yet
 * @disk_parent: directories: what its block says
 * @names: how many there are; directories: subdirectories
 * @disk_links: link count in its block
 * @type: DT_*
 * @orphan: 1 + slot in whose orphan directory it is listed
 * @disk_orphan: what its block says about that
 */
struct node {
	u64 ino;
	u64 parent;
	u64 disk_parent;
	u32 generation;
	u32 names;
	u32 disk_links;
	u8 type;
	u8 flags;
	u8 orphan;
	u8 disk_orphan;
};

/** struct nodes - all of them, in the order in which they were found */
struct nodes {
	struct node *node;
	size_t count;
	size_t room;
	struct numtab by_ino;
};

/** nodes_find() - NULL if there is none; valid until the next nodes_add() */
struct node *nodes_find(const struct nodes *all, u64 ino);
struct node *nodes_add(struct nodes *all, u64 ino);
void nodes_free(struct nodes *all);

#endif /* _COHFS_FSCK_NODES_H */
