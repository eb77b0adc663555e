/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Range locks: file data and its block mapping.
 *
 * Callers name the pages they touch; which levels carry the right is decided behind
 * this (core/rangetree.h, Documentation/coherence.rst).
 */
#ifndef _COHFS_RANGE_H
#define _COHFS_RANGE_H

#include <linux/fs.h>
#include <linux/list.h>
#include <linux/sched.h>
#include <cohfs/types.h>
#include "core/rangetree.h"
#include "cover.h"

struct cohfs_lock_ops;
struct cohfs_rnode;

#define COHFS_RANGE_TRY		0x1	/* only what is cached, never wait */
#define COHFS_RANGE_ASYNC	0x2	/* as TRY, but ask for it */
#define COHFS_RANGE_KEEP	0x4	/* TRY, and a revoke that has not begun can wait */
#define COHFS_RANGE_ATTR	0x8	/* the caller holds I already */
#define COHFS_RANGE_BRIEF	0x10	/* no memory is touched meanwhile that may need a range,
					 * and no other range asked for: see cover.c
					 */

#define COHFS_RANGE_END		((pgoff_t)-1)	/* last page of any file */

/** struct cohfs_range_ref - one lock that a hold consists of */
struct cohfs_range_ref {
	struct cohfs_rnode *node;
	enum cohfs_mode mode;
};

/* root, region and page: enough for a page, and for any range in an unshared file */
#define COHFS_RANGE_REFS	3

/**
 * struct cohfs_range_hold - a range held by a task; on its stack
 * @span_first: etc.: what the locks in hand cover, at least @first..@last; what is
 *	inside may be cached with it
 * @refs: in the order they were taken; @few while they fit
 * @region: a brief hold, with @use and without @refs; pinned
 * @link: in cohfs_inode.ci_holds between cohfs_range_hold_add() and _del()
 */
struct cohfs_range_hold {
	struct inode *inode;
	pgoff_t first;
	pgoff_t last;
	pgoff_t span_first;
	pgoff_t span_last;
	enum cohfs_mode mode;
	unsigned int nr;
	unsigned int max;
	struct cohfs_range_ref *refs;
	struct cohfs_range_ref few[COHFS_RANGE_REFS];
	struct cohfs_rnode *region;
	struct cohfs_cover_use use;
	struct list_head link;
	struct task_struct *task;
};

/**
 * cohfs_range_lock() - the right to read (PR) or change (EX) pages @first..@last
 * @hold: filled in; needed for the unlock
 *
 * On return i_size and the privileges are true for the range and stay so until
 * the unlock.  A miss takes I PR first, see Documentation/locking.rst.
 * Context: rank RANGE.  Killable.  May allocate.
 * Return: 0, -EAGAIN (TRY, KEEP, ASYNC), -EINTR, -EIO, -ENOMEM.
 */
int __must_check cohfs_range_lock(struct cohfs_range_hold *hold, struct inode *inode,
				  pgoff_t first, pgoff_t last, enum cohfs_mode mode,
				  unsigned int flags);

/** cohfs_range_unlock() - end the hold; the access has happened */
void cohfs_range_unlock(struct cohfs_range_hold *hold);

/**
 * cohfs_range_unlock_unused() - end the hold; the access comes next
 *
 * For ->fault: protects the range from revocation until page_mkwrite or the next
 * ->fault calls cohfs_range_unlock(), up to a bound.
 */
void cohfs_range_unlock_unused(struct cohfs_range_hold *hold);

/**
 * cohfs_range_used() - the load that cohfs_range_unlock_unused() announced happened
 * Context: any, without a hold.
 */
void cohfs_range_used(struct inode *inode, pgoff_t index);

/** cohfs_range_migrates() - ask for EX where a load misses? */
bool cohfs_range_migrates(struct inode *inode, pgoff_t index);
/** cohfs_range_note_upgrade() - a store found only PR, or nothing */
void cohfs_range_note_upgrade(struct inode *inode, pgoff_t index);
/** cohfs_range_note_store() - EX was put to use; it is held */
void cohfs_range_note_store(struct cohfs_range_hold *hold);
/** cohfs_range_note_give_up() - EX goes: was it worth asking for? */
void cohfs_range_note_give_up(struct cohfs_rnode *node);
/** cohfs_range_handovers() - how often other nodes have taken ranges of this file */
unsigned int cohfs_range_handovers(struct inode *inode);

/** cohfs_range_shared() - was another node met in the file, and may still be there? */
bool cohfs_range_shared(struct inode *inode);

/** cohfs_range_is_file() - is what is held one lock, that of all of the file? */
bool cohfs_range_is_file(const struct cohfs_range_hold *hold);

/* Holds that are known by task, for faults in the middle of read() and write(). */
void cohfs_range_hold_add(struct cohfs_range_hold *hold);
void cohfs_range_hold_del(struct cohfs_range_hold *hold);
/** cohfs_range_held() - does the current task hold page @index in @mode? */
bool cohfs_range_held(struct inode *inode, pgoff_t index, enum cohfs_mode mode);

/** cohfs_range_ops - lock ops of COHFS_LT_RANGE, _REGION, _PAGE; revoke.c */
extern const struct cohfs_lock_ops cohfs_range_ops[COHFS_NR_RT_LEVELS];

#endif /* _COHFS_RANGE_H */
