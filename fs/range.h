/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Range locks D(ino, level, index): file data and its block mapping.
 *
 * Callers name the pages they touch; which levels carry the right is decided
 * here.  Today the whole file is the only level.
 */
#ifndef _COHFS_RANGE_H
#define _COHFS_RANGE_H

#include <linux/fs.h>
#include <linux/list.h>
#include <linux/sched.h>
#include <cohfs/types.h>

struct cohfs_lock_ops;

#define COHFS_RANGE_TRY		0x1	/* only what is cached, never sleep */
#define COHFS_RANGE_ASYNC	0x2	/* as TRY, but ask for it */
#define COHFS_RANGE_KEEP	0x4	/* TRY, and a revoke that has not begun can wait */
#define COHFS_RANGE_ATTR	0x8	/* the caller holds I already */

#define COHFS_RANGE_END		((pgoff_t)-1)	/* last page of any file */

/**
 * cohfs_range_lock() - the right to read (PR) or change (EX) pages @first..@last
 *
 * On return i_size and the privileges are true for the range and stay so until
 * the unlock.  A miss takes I PR first, see Documentation/locking.rst.
 * Context: rank RANGE.  Killable.
 * Return: 0, -EAGAIN (TRY, KEEP, ASYNC), -EINTR, -EIO.
 */
int __must_check cohfs_range_lock(struct inode *inode, pgoff_t first, pgoff_t last,
				  enum cohfs_mode mode, unsigned int flags);

/** cohfs_range_unlock() - end the hold; the access has happened */
void cohfs_range_unlock(struct inode *inode, pgoff_t first, pgoff_t last,
			enum cohfs_mode mode);

/**
 * cohfs_range_unlock_unused() - end the hold; the access comes next
 *
 * For ->fault: protects the range from revocation until page_mkwrite or the next
 * ->fault calls cohfs_range_unlock(), up to a bound.
 */
void cohfs_range_unlock_unused(struct inode *inode, pgoff_t first, pgoff_t last,
			       enum cohfs_mode mode);

/**
 * cohfs_range_used() - the load that cohfs_range_unlock_unused() announced happened
 * Context: any, without a hold.
 */
void cohfs_range_used(struct inode *inode);

/** cohfs_range_migrates() - ask for EX where a load misses? */
bool cohfs_range_migrates(struct inode *inode);
/** cohfs_range_note_upgrade() - a store found only PR, or nothing */
void cohfs_range_note_upgrade(struct inode *inode);
/** cohfs_range_note_store() - EX was put to use; it is held */
void cohfs_range_note_store(struct inode *inode);
/** cohfs_range_handovers() - how often other nodes have taken ranges of this file */
unsigned int cohfs_range_handovers(struct inode *inode);

/**
 * cohfs_range_span() - widen @first..@last to what the right in hand covers
 * Context: the range is held.  What is inside the span may be cached with it.
 */
void cohfs_range_span(struct inode *inode, pgoff_t *first, pgoff_t *last);

/**
 * struct cohfs_range_hold - "this task holds that range", for faults in the middle
 * of read() and write(); on the stack of the holder
 */
struct cohfs_range_hold {
	struct list_head link;		/* cohfs_inode.ci_holds */
	struct task_struct *task;
	pgoff_t first;
	pgoff_t last;
	enum cohfs_mode mode;
};

void cohfs_range_hold_add(struct inode *inode, struct cohfs_range_hold *hold);
void cohfs_range_hold_del(struct inode *inode, struct cohfs_range_hold *hold);
/** cohfs_range_held() - does the current task hold page @index in @mode? */
bool cohfs_range_held(struct inode *inode, pgoff_t index, enum cohfs_mode mode);

/** cohfs_range_ops - lock ops of COHFS_LT_RANGE */
extern const struct cohfs_lock_ops cohfs_range_ops;

#endif /* _COHFS_RANGE_H */
