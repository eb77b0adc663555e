/* SPDX-License-Identifier: GPL-2.0-only */
/* What the operations on names share: namei.c, rename.c, orphan.c. */
#ifndef _COHFS_CHANGE_H
#define _COHFS_CHANGE_H

#include <linux/fs.h>
#include <linux/jbd2.h>
#include "alloc.h"
#include "dir.h"

#define COHFS_LINK_MAX	INT_MAX

/**
 * struct cohfs_change - a transaction that changes names
 * @plan: filled before, by cohfs_dir_plan() and cohfs_orphan_plan(); starts zeroed
 */
struct cohfs_change {
	struct cohfs_sb *cs;
	struct cohfs_dirplan plan;
	struct cohfs_resv resv;
	handle_t *handle;
};

/**
 * cohfs_change_begin() - get what the plan needs, open the transaction
 * @goal: block near which to allocate
 * @credits: blocks besides the plan's
 */
int cohfs_change_begin(struct cohfs_change *ch, struct cohfs_sb *cs, u64 goal,
		       int credits);
/** cohfs_change_end() - Return: @err, or what ending the transaction returned */
int cohfs_change_end(struct cohfs_change *ch, int err);
/** cohfs_change_torn() - after the first change there is no way back: withdraw if @err */
void cohfs_change_torn(struct cohfs_change *ch, const char *what, int err);

/**
 * cohfs_name_changed() - what to return when a name in @dir, whose I is held, is not
 * what the VFS has looked up: -ESTALE for another try, -ENOENT in the second one
 */
int cohfs_name_changed(struct inode *dir);

/**
 * cohfs_name_moving() - the name of @dentry is gone by a rename, and its directory is not
 * unlocked before the VFS has moved @dentry
 * Context: ci_dir_sem of the directory is held for writing since it was changed.
 */
void cohfs_name_moving(struct dentry *dentry);

/**
 * cohfs_check_name() - does @name in @dir still stand for @inode?
 *
 * To be asked before I of @inode is: I comes from above to below, and only the name tells
 * that @inode is below.
 * Context: I of @dir held EX, and i_rwsem.
 * Return: 0: yes, as long as I of @dir is held; -ENOENT: no; -ESTALE: it stands for
 * something else, look it up again; -EFSCORRUPTED, -EIO.
 */
int cohfs_check_name(struct inode *dir, const struct qstr *name,
		     const struct inode *inode);
/**
 * cohfs_check_named() - may a name of @inode in @dir be taken away?
 *
 * What may_delete() of the VFS asked of an inode that may have been old.
 * Context: I of both held EX.
 * Return: 0; -EPERM; -EFSCORRUPTED: there should be no name.
 */
int cohfs_check_named(struct inode *dir, struct inode *inode);

/** cohfs_drop_link() - one name of @inode is gone (of a directory: the name) */
int cohfs_drop_link(struct cohfs_change *ch, struct inode *inode);

/** cohfs_attr_lock_all() - cohfs_attr_lock_write() of several inodes, in the given order */
int __must_check cohfs_attr_lock_all(struct inode **inode, unsigned int count);
void cohfs_attr_unlock_all(struct inode **inode, unsigned int count);
/** cohfs_dir_sem_all() - ci_dir_sem of several directories for writing */
int __must_check cohfs_dir_sem_all(struct inode **dir, unsigned int count);
void cohfs_dir_sem_release(struct inode **dir, unsigned int count);

#endif /* _COHFS_CHANGE_H */
