/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * read() and write() whose buffer is itself a mapping of this filesystem.
 *
 * Node A reads file 1 into its mapping of file 2 while node B reads file 2 into its
 * mapping of file 1: taken one after the other, the range locks of the two calls
 * close a circle.  A plan is the sorted set of all ranges that one call touches.
 * Documentation/coherence.rst, "Buffers that are mappings".
 */
#ifndef _COHFS_USERMAP_H
#define _COHFS_USERMAP_H

#include <linux/fs.h>
#include <linux/uio.h>
#include <cohfs/types.h>
#include "range.h"

#define COHFS_PLAN_MAX	9	/* the file itself and 8 mapped ones */

struct cohfs_plan_range {
	struct inode *inode;		/* referenced, except the target's */
	pgoff_t first;
	pgoff_t last;
	enum cohfs_mode mode;
	enum cohfs_mode attr_mode;	/* I held in this mode, or NL */
	bool locked;			/* D held, see holds */
};

/**
 * struct cohfs_plan - what one attempt of a read or write holds
 * @ranges: sorted by inode number, one entry per inode
 * @holds: one for each of @ranges; @own as long as there is only the target
 * @target: the file that is read or written
 * @user: has entries that come from the buffer
 */
struct cohfs_plan {
	struct cohfs_plan_range ranges[COHFS_PLAN_MAX];
	struct cohfs_range_hold *holds;
	struct cohfs_range_hold own;
	unsigned int count;
	struct inode *target;
	enum cohfs_mode target_mode;
	bool user;
};

void cohfs_plan_init(struct cohfs_plan *plan, struct inode *target,
		     enum cohfs_mode mode);
void cohfs_plan_fini(struct cohfs_plan *plan);

/**
 * cohfs_plan_prepare() - the copy has faulted: bring the next part of the buffer in
 * and collect which of it maps files of this filesystem
 * @iter: what is still to be copied
 * @window: bytes to look at; halved by the call when nothing moved
 * Context: nothing held that a fault may need.
 * Return: 0, -EFAULT (the buffer is bad), -EINTR.
 */
int cohfs_plan_prepare(struct cohfs_plan *plan, struct iov_iter *iter,
		       size_t *window);

/** cohfs_plan_lock_attrs() - I of every inode, @mode for the target, PR for others */
int cohfs_plan_lock_attrs(struct cohfs_plan *plan, enum cohfs_mode mode);
/**
 * cohfs_plan_lock_ranges() - D of every inode, then let go of the I in PR
 * @first, @last: pages of the target, decided under its I
 */
int cohfs_plan_lock_ranges(struct cohfs_plan *plan, pgoff_t first, pgoff_t last);
/** cohfs_plan_hold() - the target's range, once it is locked */
struct cohfs_range_hold *cohfs_plan_hold(struct cohfs_plan *plan);
/** cohfs_plan_unlock() - everything that is held, in any state */
void cohfs_plan_unlock(struct cohfs_plan *plan);

/**
 * cohfs_plan_fault_in() - fault in what the plan covers while holding it
 * Return: true if the page at the start of @iter is there now.
 */
bool cohfs_plan_fault_in(struct cohfs_plan *plan, struct iov_iter *iter);

#endif /* _COHFS_USERMAP_H */
