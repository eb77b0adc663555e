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
#include <cohfs/types.h>

struct cohfs_map;
struct cohfs_range_hold;
struct inode;

/**
 * struct cohfs_extmap - of an inode
 * @lock: protects the others; taken under folio locks
 * @root: disjoint struct extmap_ent by first
 * @count: how many
 */
struct cohfs_extmap {
	spinlock_t lock;
	struct rb_root root;
	unsigned long count;
};

/** struct cohfs_mapping - @len blocks from @first on are at @blk and behind it; 0: a hole */
struct cohfs_mapping {
	u64 first;
	u64 len;
	u64 blk;
};

static inline u64 cohfs_mapping_last(const struct cohfs_mapping *m)
{
	return m->first + m->len - 1;
}

void cohfs_extmap_init(struct cohfs_extmap *em);
void cohfs_extmap_forget(struct cohfs_extmap *em, u64 first, u64 last);

/** cohfs_extmap_put() - remember @m in @em, whatever was there before; -ENOMEM */
int cohfs_extmap_put(struct cohfs_extmap *em, const struct cohfs_mapping *m);

/** cohfs_extmap_next() - what @em has at @lblk, or else behind it; false: nothing */
bool cohfs_extmap_next(struct cohfs_extmap *em, u64 lblk, struct cohfs_mapping *m);

/**
 * cohfs_extmap_move() - all of @from is in @to now, which was empty
 *
 * Who looks at @from first and then at @to does not miss it.
 */
void cohfs_extmap_move(struct cohfs_extmap *from, struct cohfs_extmap *to);

/** cohfs_extmap_is_large() - so many pieces that no more of them should be made */
bool cohfs_extmap_is_large(const struct cohfs_extmap *em);

/**
 * cohfs_extmap_fill() - make lookups in [@first, @last] (blocks) hit
 *
 * As far as the locks of @hold reach; more than was asked for, where they cover it.
 * Context: no folio locked; takes M, and invalidate_lock shared.
 */
int cohfs_extmap_fill(const struct cohfs_range_hold *hold, u64 first, u64 last);

/**
 * cohfs_extmap_lookup() - never sleeps
 * @blk: 0 for a hole
 * Return: blocks from @lblk on that the answer holds for; 0 = not known here.
 */
u64 cohfs_extmap_lookup(struct inode *inode, u64 lblk, u64 *blk);

/**
 * cohfs_extmap_hide() - in core [@first, @last] is a hole from now on
 *
 * The first half of punching a hole: once folios that were there are gone, nobody
 * reads or writes the blocks.
 * Context: D held EX on the range, invalidate_lock.
 * Return: 0 or -ENOMEM.
 */
int cohfs_extmap_hide(struct inode *inode, u64 first, u64 last);

/* For who changes the map on disk (extalloc.c) --------------------------------- */

/**
 * cohfs_extmap_lock() - M, and what keeps the tasks of this node apart
 * Context: rank MAP.  Killable.
 */
int cohfs_extmap_lock(struct inode *inode, enum cohfs_mode mode);
void cohfs_extmap_unlock(struct inode *inode, enum cohfs_mode mode);

/** cohfs_extmap_lock_read() - the same, and invalidate_lock shared, to bring the map into core */
int cohfs_extmap_lock_read(struct inode *inode, enum cohfs_mode mode);
void cohfs_extmap_unlock_read(struct inode *inode, enum cohfs_mode mode);

/** cohfs_extmap_read() - the extent or hole at @lblk on disk, within [@lo, @hi]; M is held */
int cohfs_extmap_read(struct inode *inode, struct cohfs_map *map, u64 lblk, u64 lo, u64 hi,
		      struct cohfs_mapping *out);

/** cohfs_extmap_set() - remember @m, whatever was known before; -ENOMEM */
int cohfs_extmap_set(struct inode *inode, const struct cohfs_mapping *m);

/** cohfs_extmap_reach() - last block that @hold covers */
u64 cohfs_extmap_reach(const struct cohfs_range_hold *hold);

/** cohfs_extmap_account() - st_blocks: what the map uses, and the inode pair; M is held */
void cohfs_extmap_account(struct inode *inode, struct cohfs_map *map);

#endif /* _COHFS_EXTMAP_H */
