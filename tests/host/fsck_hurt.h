/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kinds of damage, and what they have in common.  Whoever asks for a block here is going
 * to damage it: nothing is expected afterwards of what depends on it.
 */
#ifndef _COHFS_TEST_FSCK_HURT_H
#define _COHFS_TEST_FSCK_HURT_H

#include "fsck_build.h"
#include "fsck_log.h"

/**
 * struct kind - a kind of damage
 * @message: what -n says of it
 * @whole: the repair loses nothing
 */
struct kind {
	const char *name;
	void (*hurt)(void);
	const char *message;
	bool whole;
};

extern const struct kind kinds_fixed[], kinds_inode[], kinds_dir[];

/* by block: it was damaged */
extern u8 *hurt_blocks;

/** must() - a test that cannot even do its damage has failed for good */
static inline void must(bool ok, const char *what)
{
	if (ok)
		return;
	printf("not ok fsck_hurt: %s\n", what);
	exit(1);
}

/** hurt() - do the damage of that name */
void hurt(const char *name);

void *hurt_block(u64 blkno);
/** hurt_seal() - its checksum is right again */
void hurt_seal(void *block);

struct cohfs_super *hurt_super(void);
struct cohfs_slot *hurt_slot(u32 nr);
struct cohfs_group *hurt_group(u32 nr);
struct cohfs_dinode *hurt_inode(const struct model_inode *mi);
struct cohfs_map_block *hurt_root(const struct model_inode *mi);
/** hurt_leaf() - one of the big directory, with a few names */
struct cohfs_dirleaf *hurt_leaf(void);

/** hurt_file() - with @exts extents or more, and several nodes below the root, or none */
struct model_inode *hurt_file(u32 exts, bool deep);
struct model_inode *hurt_other_file(const struct model_inode *than);
/** hurt_big_dir() - has many leaves and is not the root */
struct model_inode *hurt_big_dir(void);
struct model_inode *hurt_root_dir(void);
/** hurt_orphan() - a file on the list of slot *@nr */
struct model_inode *hurt_orphan(u32 *nr);

struct cohfs_dirent *hurt_entry(struct cohfs_dirleaf *leaf, u32 n);
/** hurt_entry_of() - the name of an inode in a directory, and the leaf that it is in */
struct cohfs_dirent *hurt_entry_of(u64 dir, u64 ino, struct cohfs_dirleaf **leaf);
/** hurt_names() - how many names an inode has still; hurt_name_for() - the first */
u32 hurt_names(u64 ino);
struct model_name *hurt_name_for(u64 ino);
/** hurt_remove_name() - the first name of an inode is not there any more */
void hurt_remove_name(u64 ino);

/**
 * hurt_log() - a transaction in the journal of slot 0 that writes a block as it is
 * Return: where in the log it begins.
 */
u32 hurt_log(u64 blkno);

#endif /* _COHFS_TEST_FSCK_HURT_H */
