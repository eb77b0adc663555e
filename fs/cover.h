/* SPDX-License-Identifier: GPL-2.0-only */
/* Brief holds: see cover.c. */
#ifndef _COHFS_COVER_H
#define _COHFS_COVER_H

#include <linux/bitmap.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <cohfs/types.h>
#include "core/rangetree.h"

#define COHFS_COVER_PAGES	(1u << COHFS_RT_REGION_SHIFT)

/**
 * struct cohfs_cover - which pages of a region this node may use without a look at locks
 * @lock: protects the rest; innermost
 * @uses: struct cohfs_cover_use.link: who does so just now
 * @whole: mode in which the lock of the region itself covers all of it, NL: it does not
 * @read: pages whose own lock is granted, PR or EX
 * @write: pages whose own lock is granted, EX
 */
struct cohfs_cover {
	spinlock_t lock;
	enum cohfs_mode whole;
	struct list_head uses;
	wait_queue_head_t wait;
	DECLARE_BITMAP(read, COHFS_COVER_PAGES);
	DECLARE_BITMAP(write, COHFS_COVER_PAGES);
};

/** struct cohfs_cover_use - a brief hold of pages @first..@last; on the stack of a task */
struct cohfs_cover_use {
	struct list_head link;
	u64 first;
	u64 last;
	enum cohfs_mode mode;
};

/** cohfs_cover_init() - covers nothing */
void cohfs_cover_init(struct cohfs_cover *cover);

/** cohfs_cover_add() - the caller holds the lock of @page in @mode, PR or EX, and all above */
void cohfs_cover_add(struct cohfs_cover *cover, u64 page, enum cohfs_mode mode);
/** cohfs_cover_add_whole() - the same for the lock of the region */
void cohfs_cover_add_whole(struct cohfs_cover *cover, enum cohfs_mode mode);

/**
 * cohfs_cover_begin() - use @first..@last, pages of the region, in @mode
 * @whole: set to whether all of the region is covered
 *
 * Until cohfs_cover_end() nothing is revoked that this needs.  The caller must not ask
 * for a range lock meanwhile, nor touch memory that may need one.
 * Return: false if there is anything to ask for.
 */
bool cohfs_cover_begin(struct cohfs_cover *cover, struct cohfs_cover_use *use, u64 first,
		       u64 last, enum cohfs_mode mode, bool *whole);
/** cohfs_cover_end() - the pages have been used; wakes revokes that wait for that */
void cohfs_cover_end(struct cohfs_cover *cover, struct cohfs_cover_use *use);

/**
 * cohfs_cover_revoke() - a lock that covers @first..@last is about to go down
 * @readers_stay: to where PR is still covered by the same locks as before
 *
 * On return nobody uses these pages in what they are about to lose, and nobody begins
 * to before the locks are held again.
 * Context: may sleep; waits for what uses of a range wait for: later ranks, the disk.
 */
void cohfs_cover_revoke(struct cohfs_cover *cover, u64 first, u64 last, bool readers_stay);

/**
 * cohfs_cover_forget() - send the next user of @page to its lock, to see if there is one
 * Return: was @page covered?
 */
bool cohfs_cover_forget(struct cohfs_cover *cover, u64 page);

#endif /* _COHFS_COVER_H */
