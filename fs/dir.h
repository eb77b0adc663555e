/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names in directories.
 *
 * All of these: I of the directory is held, EX for changes, and ci_dir_sem, for
 * writing by whoever changes; readers may hold i_rwsem instead.
 */
#ifndef _COHFS_DIR_H
#define _COHFS_DIR_H

#include <linux/fs.h>
#include <linux/jbd2.h>
#include "core/dirleaf.h"	/* struct cohfs_dirtarget */

struct cohfs_resv;

#define COHFS_DIR_END	S64_MAX	/* cookie behind the last name */

/**
 * struct cohfs_dirplan - what a transaction will need
 * @blocks: to allocate, in one group
 * @credits: blocks changed, without the directory's inode and the allocation
 */
struct cohfs_dirplan {
	u32 blocks;
	int credits;
};

/** cohfs_dir_lookup() - Return: 0 with @target; -ENOENT; -EIO, -EFSCORRUPTED */
int cohfs_dir_lookup(struct inode *dir, const struct qstr *name,
		     struct cohfs_dirtarget *target);
/** cohfs_dir_empty() - Return: 0 empty, -ENOTEMPTY, other errors */
int cohfs_dir_empty(struct inode *dir);
/**
 * cohfs_dir_copy() - the leaf that covers cookie @key, or the next one
 * @copy: COHFS_BLOCK_SIZE bytes; names with a smaller cookie may be in it, too
 * @next: lowest cookie that may be in a later leaf, or COHFS_DIR_END
 * Return: 1 copied, 0 nothing at or behind @key, negative errno.
 */
int cohfs_dir_copy(struct inode *dir, u64 key, struct cohfs_dirleaf *copy, u64 *next);

/** cohfs_dir_plan() - add to @plan what an insert of @name needs; it is not there */
int cohfs_dir_plan(struct inode *dir, const struct qstr *name,
		   struct cohfs_dirplan *plan);
/**
 * cohfs_dir_insert() - size and block count of @dir may change: write its inode
 * Return: 0; -EEXIST, -ENOSPC, -EFSCORRUPTED: nothing was changed.
 */
int cohfs_dir_insert(handle_t *handle, struct inode *dir, const struct qstr *name,
		     const struct cohfs_dirtarget *target, struct cohfs_resv *resv);
/** cohfs_dir_delete(), cohfs_dir_retarget() - one block; -ENOENT: not there */
int cohfs_dir_delete(handle_t *handle, struct inode *dir, const struct qstr *name);
int cohfs_dir_retarget(handle_t *handle, struct inode *dir, const struct qstr *name,
		       const struct cohfs_dirtarget *target);
#define COHFS_DIR_CHANGE_CREDITS 1

/** cohfs_dir_free() - free every leaf; @dir is being deleted */
int cohfs_dir_free(struct inode *dir);

static inline struct cohfs_dirtarget cohfs_dirtarget_of(const struct inode *inode)
{
	return (struct cohfs_dirtarget) {
		.ino = inode->i_ino,
		.generation = inode->i_generation,
		.type = fs_umode_to_dtype(inode->i_mode),
	};
}

static inline bool cohfs_dirtarget_is(const struct cohfs_dirtarget *target,
				      const struct inode *inode)
{
	return target->ino == inode->i_ino &&
	       target->generation == inode->i_generation;
}

#endif /* _COHFS_DIR_H */
