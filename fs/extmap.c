// SPDX-License-Identifier: GPL-2.0-only
/*
 * The block mapping of a file in core.
 *
 * The cache exists because of one lock-order fact: iomap asks for mappings while
 * folios are locked, and nobody may wait for the DLM there.  So whoever takes a
 * range fills the cache first, and the callbacks only look.  Holes are cached like
 * extents, so "not here" always means "not filled".
 */
#include <linux/slab.h>
#include "extmap.h"
#include "inode.h"
#include "range.h"

/* More entries are not made on purpose: 16 MiB or so. */
#define EXTMAP_LARGE (1UL << 18)

struct extmap_ent {
	struct rb_node node;
	struct cohfs_mapping m;
};

static struct extmap_ent *ent_of(struct rb_node *node)
{
	return rb_entry_safe(node, struct extmap_ent, node);
}

void cohfs_extmap_init(struct cohfs_extmap *em)
{
	spin_lock_init(&em->lock);
	em->root = RB_ROOT;
	em->count = 0;
}

bool cohfs_extmap_is_large(const struct cohfs_extmap *em)
{
	return READ_ONCE(em->count) >= EXTMAP_LARGE;
}

/* Entry that contains @lblk, or the first one after it. */
static struct extmap_ent *extmap_search(struct cohfs_extmap *em, u64 lblk)
{
	struct rb_node *node = em->root.rb_node;
	struct extmap_ent *best = NULL;

	while (node) {
		struct extmap_ent *ent = ent_of(node);

		if (lblk < ent->m.first) {
			best = ent;
			node = node->rb_left;
		} else if (lblk > cohfs_mapping_last(&ent->m)) {
			node = node->rb_right;
		} else {
			return ent;
		}
	}
	return best;
}

static void extmap_link(struct cohfs_extmap *em, struct extmap_ent *new)
{
	struct rb_node **p = &em->root.rb_node, *parent = NULL;

	while (*p) {
		parent = *p;
		p = new->m.first < ent_of(parent)->m.first ? &parent->rb_left
							   : &parent->rb_right;
	}
	rb_link_node(&new->node, parent, p);
	rb_insert_color(&new->node, &em->root);
	em->count++;
}

static void extmap_unlink(struct cohfs_extmap *em, struct extmap_ent *ent)
{
	rb_erase(&ent->node, &em->root);
	em->count--;
	kfree(ent);
}

/* Let @ent keep what lies before @first and give the rest from @next on to @tail. */
static void extmap_split(struct cohfs_extmap *em, struct extmap_ent *ent, u64 first,
			 u64 next, struct extmap_ent *tail)
{
	tail->m.first = next;
	tail->m.len = cohfs_mapping_last(&ent->m) - next + 1;
	tail->m.blk = ent->m.blk ? ent->m.blk + (next - ent->m.first) : 0;
	ent->m.len = first - ent->m.first;
	extmap_link(em, tail);
}

/* Let @ent begin at @next. */
static void extmap_behead(struct extmap_ent *ent, u64 next)
{
	u64 cut = next - ent->m.first;

	ent->m.first = next;
	ent->m.len -= cut;
	if (ent->m.blk)
		ent->m.blk += cut;
}

/*
 * Cut [@first, @last] out.  Cutting the middle of an entry needs one more entry:
 * @spare, consumed if used.  What lies beside must stay known: it may be dirty.
 */
static void extmap_cut(struct cohfs_extmap *em, u64 first, u64 last,
		       struct extmap_ent **spare)
{
	struct extmap_ent *ent = extmap_search(em, first);
	struct extmap_ent *next;

	lockdep_assert_held(&em->lock);
	for (; ent && ent->m.first <= last; ent = next) {
		u64 end = cohfs_mapping_last(&ent->m);

		next = ent_of(rb_next(&ent->node));
		if (ent->m.first < first && end > last) {
			extmap_split(em, ent, first, last + 1, *spare);
			*spare = NULL;
		} else if (ent->m.first < first) {
			ent->m.len = first - ent->m.first;
		} else if (end > last) {
			extmap_behead(ent, last + 1);
		} else {
			extmap_unlink(em, ent);
		}
	}
}

void cohfs_extmap_forget(struct cohfs_extmap *em, u64 first, u64 last)
{
	struct extmap_ent *spare = NULL;

	/* revokes and truncates have no way back from here */
	if (first || last != U64_MAX)
		spare = kmalloc(sizeof(*spare), GFP_NOFS | __GFP_NOFAIL);
	spin_lock(&em->lock);
	extmap_cut(em, first, last, &spare);
	spin_unlock(&em->lock);
	kfree(spare);
}

/* Merge @ent with its right neighbour if the two continue each other. */
static void extmap_try_merge(struct cohfs_extmap *em, struct extmap_ent *ent)
{
	struct extmap_ent *next = ent_of(rb_next(&ent->node));

	if (!next || ent->m.first + ent->m.len != next->m.first)
		return;
	if (!ent->m.blk != !next->m.blk ||
	    (ent->m.blk && ent->m.blk + ent->m.len != next->m.blk))
		return;
	ent->m.len += next->m.len;
	extmap_unlink(em, next);
}

int cohfs_extmap_put(struct cohfs_extmap *em, const struct cohfs_mapping *m)
{
	struct extmap_ent *new, *spare, *prev;

	new = kmalloc(sizeof(*new), GFP_NOFS);
	spare = kmalloc(sizeof(*spare), GFP_NOFS);
	if (!new || !spare) {
		kfree(new);
		kfree(spare);
		return -ENOMEM;
	}
	new->m = *m;
	spin_lock(&em->lock);
	extmap_cut(em, m->first, cohfs_mapping_last(m), &spare);
	extmap_link(em, new);
	extmap_try_merge(em, new);
	prev = ent_of(rb_prev(&new->node));
	if (prev)
		extmap_try_merge(em, prev);
	spin_unlock(&em->lock);
	kfree(spare);
	return 0;
}

bool cohfs_extmap_next(struct cohfs_extmap *em, u64 lblk, struct cohfs_mapping *m)
{
	struct extmap_ent *ent;

	spin_lock(&em->lock);
	ent = extmap_search(em, lblk);
	if (ent)
		*m = ent->m;
	spin_unlock(&em->lock);
	return ent;
}

void cohfs_extmap_move(struct cohfs_extmap *from, struct cohfs_extmap *to)
{
	spin_lock(&from->lock);
	spin_lock_nested(&to->lock, SINGLE_DEPTH_NESTING);
	WARN_ON_ONCE(to->count);
	to->root = from->root;
	WRITE_ONCE(to->count, from->count);
	from->root = RB_ROOT;
	/* who reads 0 without the lock finds it there */
	smp_store_release(&from->count, 0);
	spin_unlock(&to->lock);
	spin_unlock(&from->lock);
}

int cohfs_extmap_set(struct inode *inode, const struct cohfs_mapping *m)
{
	return cohfs_extmap_put(&COHFS_I(inode)->ci_extmap, m);
}

u64 cohfs_extmap_lookup(struct inode *inode, u64 lblk, u64 *blk)
{
	struct cohfs_mapping m;

	if (!cohfs_extmap_next(&COHFS_I(inode)->ci_extmap, lblk, &m) || m.first > lblk)
		return 0;
	*blk = m.blk ? m.blk + (lblk - m.first) : 0;
	return cohfs_mapping_last(&m) - lblk + 1;
}

/* First block of [@first, @last] that is not known, or @last + 1. */
static u64 extmap_first_unknown(struct inode *inode, u64 first, u64 last)
{
	u64 blk, len;

	while (first <= last) {
		len = cohfs_extmap_lookup(inode, first, &blk);
		if (!len)
			return first;
		if (len > last - first)
			break;
		first += len;
	}
	return last + 1;
}

int cohfs_extmap_lock(struct inode *inode, enum cohfs_mode mode)
{
	struct cohfs_inode *ci = COHFS_I(inode);
	int err = cohfs_object_lock(ci->ci_maplk, mode);

	if (err)
		return err;
	if (!mutex_lock_killable(&ci->ci_map_mutex))
		return 0;
	cohfs_object_unlock(ci->ci_maplk, mode);
	return -EINTR;
}

void cohfs_extmap_unlock(struct inode *inode, enum cohfs_mode mode)
{
	struct cohfs_inode *ci = COHFS_I(inode);

	mutex_unlock(&ci->ci_map_mutex);
	cohfs_object_unlock(ci->ci_maplk, mode);
}

/*
 * While a hole is being punched invalidate_lock is held exclusive, and the map on disk has the
 * blocks that are about to be freed.  It is only tried with M held, and not held while M is
 * waited for: a revoke of other pages, and faults behind that, would wait for M, too.
 */
int cohfs_extmap_lock_read(struct inode *inode, enum cohfs_mode mode)
{
	struct rw_semaphore *sem = &inode->i_mapping->invalidate_lock;
	int err;

	for (;;) {
		err = cohfs_extmap_lock(inode, mode);
		if (err || down_read_trylock(sem))
			return err;
		cohfs_extmap_unlock(inode, mode);
		err = down_read_killable(sem);
		if (err)
			return err;
		up_read(sem);
	}
}

void cohfs_extmap_unlock_read(struct inode *inode, enum cohfs_mode mode)
{
	up_read(&inode->i_mapping->invalidate_lock);
	cohfs_extmap_unlock(inode, mode);
}

void cohfs_extmap_account(struct inode *inode, struct cohfs_map *map)
{
	u64 blocks;

	if (!cohfs_map_blocks(map, &blocks))
		inode->i_blocks = (blocks + 2) << (COHFS_BLOCK_SHIFT - 9);
}

int cohfs_extmap_read(struct inode *inode, struct cohfs_map *map, u64 lblk, u64 lo, u64 hi,
		      struct cohfs_mapping *out)
{
	struct cohfs_extent ext;
	int err = cohfs_map_find(map, lblk, &ext);

	if (err && err != -ENOENT)
		return err;
	out->first = err ? lo : max(lo, ext.key);
	if (!err && lblk < ext.key + ext.len) {
		if (!cohfs_valid_extent(map->cs, ext.blk, ext.len))
			return cohfs_corrupt(inode->i_sb, ext.blk,
					     "extent outside the data area");
		out->len = min(hi, ext.key + ext.len - 1) - out->first + 1;
		out->blk = ext.blk + (out->first - ext.key);
		return 0;
	}
	if (!err)
		out->first = max(lo, ext.key + ext.len);
	out->blk = 0;
	err = cohfs_map_next(map, lblk, &ext);
	if (err && err != -ENOENT)
		return err;
	out->len = (err ? hi : min(hi, ext.key - 1)) - out->first + 1;
	return 0;
}

u64 cohfs_extmap_reach(const struct cohfs_range_hold *hold)
{
	return min_t(u64, hold->span_last, (u64)MAX_LFS_FILESIZE >> COHFS_BLOCK_SHIFT);
}

static int extmap_fill_locked(const struct cohfs_range_hold *hold,
			      struct cohfs_map *map, u64 first, u64 last)
{
	int err;

	while (first <= last) {
		struct cohfs_mapping m;

		err = cohfs_extmap_read(hold->inode, map, first, hold->span_first,
					cohfs_extmap_reach(hold), &m);
		if (!err)
			err = cohfs_extmap_set(hold->inode, &m);
		if (err)
			return err;
		first = cohfs_mapping_last(&m) + 1;
	}
	cohfs_extmap_account(hold->inode, map);
	return 0;
}

/*
 * Who has all of a file to write to it, which others make longer, has it for a turn and will
 * need M EX for the holes: one hand-over instead of two.
 */
static enum cohfs_mode fill_mode(const struct cohfs_range_hold *hold)
{
	return hold->mode == COHFS_EX && cohfs_range_is_file(hold) &&
	       cohfs_grows_elsewhere(hold->inode) ? COHFS_EX : COHFS_PR;
}

int cohfs_extmap_fill(const struct cohfs_range_hold *hold, u64 first, u64 last)
{
	struct inode *inode = hold->inode;
	enum cohfs_mode mode = fill_mode(hold);
	struct cohfs_map map;
	int err;

	last = min(last, cohfs_extmap_reach(hold));
	first = extmap_first_unknown(inode, first, last);
	if (first > last)
		return 0;
	err = cohfs_extmap_lock_read(inode, mode);
	if (err)
		return err;
	map = cohfs_inode_map(inode);
	err = extmap_fill_locked(hold, &map, first, last);
	cohfs_extmap_unlock_read(inode, mode);
	return err;
}

int cohfs_extmap_hide(struct inode *inode, u64 first, u64 last)
{
	struct cohfs_mapping hole = { .first = first, .len = last - first + 1 };

	return cohfs_extmap_set(inode, &hole);
}
