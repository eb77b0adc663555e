/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Block mapping in core: what iomap may use while folios are locked.
 *
 * Valid under D: whoever holds a range fills the part of the map that it needs
 * before the first folio lock (M PR, dropped again); the callbacks from iomap
 * look up here only.  Losing D forgets the range.
 */
#ifndef _COHFS_EXTMAP_H
#define _COHFS_EXTMAP_H

#include <linux/rbtree.h>
#include <linux/spinlock.h>
#include <linux/types.h>

struct cohfs_range_hold;
struct inode;

/**
 * struct cohfs_extmap - of an inode
 * @lock: protects @root; taken under folio locks
 * @root: disjoint struct cohfs_extmap_ent by first
 * @zeroed: blocks beyond EOF that this node has zeroed; nobody has had them in the file
 *	since, as long as the time generation is @zeroed.generation.  i_rwsem
 */
struct cohfs_extmap {
	spinlock_t lock;
	struct rb_root root;
	struct {
		u64 first;
		u64 end;
		u32 generation;
	} zeroed;
};

void cohfs_extmap_init(struct cohfs_extmap *em);
void cohfs_extmap_forget(struct cohfs_extmap *em, u64 first, u64 last);
/** cohfs_extmap_forget_zeroed() - I is given up: others may append, and die, from now on */
void cohfs_extmap_forget_zeroed(struct cohfs_extmap *em);

/**
 * cohfs_extmap_fill() - make lookups in [@first, @last] (blocks) hit
 *
 * As far as the locks of @hold reach; more than was asked for, where they cover it.
 * Context: no folio locked; takes M PR, and invalidate_lock shared.
 */
int cohfs_extmap_fill(const struct cohfs_range_hold *hold, u64 first, u64 last);

/**
 * cohfs_extmap_lookup() - never sleeps
 * @blk: 0 for a hole
 * Return: blocks from @lblk on that the answer holds for; 0 = not known here.
 */
u64 cohfs_extmap_lookup(struct inode *inode, u64 lblk, u64 *blk);

/**
 * cohfs_extmap_allocate() - no holes in [@first, @last] afterwards
 * Allocates zeroed, written blocks.
 * Context: D held EX on the range, no folio locked; takes M EX, invalidate_lock shared,
 *	G EX, transactions.
 * Return: 0, -ENOSPC (a prefix may be allocated), -EINTR, -EIO.
 */
int cohfs_extmap_allocate(const struct cohfs_range_hold *hold, u64 first, u64 last);

/**
 * cohfs_extmap_append() - the same for a write that makes the file grow
 * @ahead: blocks to allocate beyond @last, where the hold covers them
 *
 * What is beyond EOF is not zeroed: it is what the caller writes now, or what growth zeroes
 * when it leaves it out.
 * Context: as cohfs_extmap_allocate(); i_rwsem and I EX, so that EOF stays where it is.
 */
int cohfs_extmap_append(const struct cohfs_range_hold *hold, u64 first, u64 last,
			u64 ahead);

/**
 * cohfs_extmap_zero() - zero on disk what is mapped in [@first, @last]
 *
 * For blocks beyond EOF that a growing file is about to uncover: they may hold anything.
 * Some more blocks behind them are zeroed with them, and known to be zero.
 * Context: as cohfs_extmap_allocate(); no page cache in the range, invalidate_lock free.
 */
int cohfs_extmap_zero(const struct cohfs_range_hold *hold, u64 first, u64 last);

/**
 * cohfs_extmap_free() - unmap and free [@first, @last] (last may be U64_MAX)
 * Context: D held EX on the range and no page cache there, or the inode is being
 * deleted (O held EX); takes M EX, G EX, transactions.
 */
int cohfs_extmap_free(struct inode *inode, u64 first, u64 last);

/**
 * cohfs_extmap_hide() - in core [@first, @last] is a hole from now on
 *
 * The first half of punching a hole: once folios that were there are gone, nobody
 * reads or writes the blocks.
 * Context: D held EX on the range, invalidate_lock.
 * Return: 0 or -ENOMEM.
 */
int cohfs_extmap_hide(struct inode *inode, u64 first, u64 last);

/**
 * cohfs_extmap_punch() - unmap and free what cohfs_extmap_hide() has hidden
 * Context: as there; takes M EX, G EX, transactions.
 * Return: 0 or an error; what is left then is as it was before, and forgotten here.
 */
int cohfs_extmap_punch(struct inode *inode, u64 first, u64 last);

#endif /* _COHFS_EXTMAP_H */
