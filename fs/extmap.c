// SPDX-License-Identifier: GPL-2.0-only
/*
 * The block mapping of a file in core, and its growth and shrinkage.
 *
 * The cache exists because of one lock-order fact: iomap asks for mappings while
 * folios are locked, and nobody may wait for the DLM there.  So whoever takes a
 * range fills the cache first, and the callbacks only look.  Holes are cached like
 * extents, so "not here" always means "not filled".
 *
 * A range that is held keeps its blocks, but a hole in it may get blocks from another
 * node that has M: zeroes for zeroes, nobody can tell.  Who is about to write into a
 * hole looks again with M in hand.
 *
 * New blocks are "written" from the start: nothing needs conversion after write-back, so
 * write-back needs no lock and no transaction at all.  Those below EOF are zeroed on disk
 * before the transaction that makes them reachable can commit.  Beyond the size that is
 * journaled they may hold anything: who makes the file grow writes them first, or zeroes
 * them, see disksize.h.
 */
#include <linux/blkdev.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include "alloc.h"
#include "extmap.h"
#include "inode.h"
#include "log.h"
#include "range.h"
#include "slot.h"
#include "trace.h"

/* Longest piece allocated and zeroed in one transaction: 8 MiB. */
#define ALLOC_MAX_BLOCKS	2048
/* Piece that is allocated as a whole in a file that several nodes write to: 1 MiB. */
#define SHARED_BLOCKS		256
/* Where growth leaves gaps so much is zeroed at a time, if it is there: 1 MiB. */
#define ZERO_BLOCKS		256

struct extmap_ent {
	struct rb_node node;
	u64 first;
	u64 len;
	u64 blk;		/* 0: hole */
};

static struct extmap_ent *ent_of(struct rb_node *node)
{
	return rb_entry_safe(node, struct extmap_ent, node);
}

static u64 ent_last(const struct extmap_ent *ent)
{
	return ent->first + ent->len - 1;
}

void cohfs_extmap_init(struct cohfs_extmap *em)
{
	spin_lock_init(&em->lock);
	em->root = RB_ROOT;
	cohfs_extmap_forget_zeroed(em);
}

void cohfs_extmap_forget_zeroed(struct cohfs_extmap *em)
{
	memset(&em->zeroed, 0, sizeof(em->zeroed));
}

/* Entry that contains @lblk, or the first one after it. */
static struct extmap_ent *extmap_search(struct cohfs_extmap *em, u64 lblk)
{
	struct rb_node *node = em->root.rb_node;
	struct extmap_ent *best = NULL;

	while (node) {
		struct extmap_ent *ent = ent_of(node);

		if (lblk < ent->first) {
			best = ent;
			node = node->rb_left;
		} else if (lblk > ent_last(ent)) {
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
		p = new->first < ent_of(parent)->first ? &parent->rb_left
						       : &parent->rb_right;
	}
	rb_link_node(&new->node, parent, p);
	rb_insert_color(&new->node, &em->root);
}

/* Let @ent keep what lies before @first and give the rest from @next on to @tail. */
static void extmap_split(struct cohfs_extmap *em, struct extmap_ent *ent, u64 first,
			 u64 next, struct extmap_ent *tail)
{
	tail->first = next;
	tail->len = ent_last(ent) - next + 1;
	tail->blk = ent->blk ? ent->blk + (next - ent->first) : 0;
	ent->len = first - ent->first;
	extmap_link(em, tail);
}

/* Let @ent begin at @next. */
static void extmap_behead(struct extmap_ent *ent, u64 next)
{
	u64 cut = next - ent->first;

	ent->first = next;
	ent->len -= cut;
	if (ent->blk)
		ent->blk += cut;
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
	for (; ent && ent->first <= last; ent = next) {
		u64 end = ent_last(ent);

		next = ent_of(rb_next(&ent->node));
		if (ent->first < first && end > last) {
			extmap_split(em, ent, first, last + 1, *spare);
			*spare = NULL;
		} else if (ent->first < first) {
			ent->len = first - ent->first;
		} else if (end > last) {
			extmap_behead(ent, last + 1);
		} else {
			rb_erase(&ent->node, &em->root);
			kfree(ent);
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

	if (!next || ent->first + ent->len != next->first)
		return;
	if (!ent->blk != !next->blk ||
	    (ent->blk && ent->blk + ent->len != next->blk))
		return;
	ent->len += next->len;
	rb_erase(&next->node, &em->root);
	kfree(next);
}

/* Remember that [@first, @last] is at @blk (0: hole), whatever was known before. */
static int extmap_set(struct cohfs_extmap *em, u64 first, u64 last, u64 blk)
{
	struct extmap_ent *new, *spare, *prev;

	new = kmalloc(sizeof(*new), GFP_NOFS);
	spare = kmalloc(sizeof(*spare), GFP_NOFS);
	if (!new || !spare) {
		kfree(new);
		kfree(spare);
		return -ENOMEM;
	}
	new->first = first;
	new->len = last - first + 1;
	new->blk = blk;
	spin_lock(&em->lock);
	extmap_cut(em, first, last, &spare);
	extmap_link(em, new);
	extmap_try_merge(em, new);
	prev = ent_of(rb_prev(&new->node));
	if (prev)
		extmap_try_merge(em, prev);
	spin_unlock(&em->lock);
	kfree(spare);
	return 0;
}

u64 cohfs_extmap_lookup(struct inode *inode, u64 lblk, u64 *blk)
{
	struct cohfs_extmap *em = &COHFS_I(inode)->ci_extmap;
	struct extmap_ent *ent;
	u64 len = 0;

	spin_lock(&em->lock);
	ent = extmap_search(em, lblk);
	if (ent && ent->first <= lblk) {
		len = ent_last(ent) - lblk + 1;
		*blk = ent->blk ? ent->blk + (lblk - ent->first) : 0;
	}
	spin_unlock(&em->lock);
	return len;
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

static int map_lock(struct inode *inode, enum cohfs_mode mode)
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

static void map_unlock(struct inode *inode, enum cohfs_mode mode)
{
	struct cohfs_inode *ci = COHFS_I(inode);

	mutex_unlock(&ci->ci_map_mutex);
	cohfs_object_unlock(ci->ci_maplk, mode);
}

/*
 * The same for whoever brings the map into core: not while a hole is being punched, which
 * invalidate_lock is held exclusive for.  Until that is done the map on disk has the blocks
 * that are about to be freed.  It is only tried with M held, and not held while M is waited
 * for: a revoke of other pages, and faults behind that, would wait for M, too.
 */
static int map_lock_read(struct inode *inode, enum cohfs_mode mode)
{
	struct rw_semaphore *sem = &inode->i_mapping->invalidate_lock;
	int err;

	for (;;) {
		err = map_lock(inode, mode);
		if (err || down_read_trylock(sem))
			return err;
		map_unlock(inode, mode);
		err = down_read_killable(sem);
		if (err)
			return err;
		up_read(sem);
	}
}

static void map_unlock_read(struct inode *inode, enum cohfs_mode mode)
{
	up_read(&inode->i_mapping->invalidate_lock);
	map_unlock(inode, mode);
}

/* st_blocks: what the map uses, plus the inode pair. */
static void extmap_account(struct inode *inode, struct cohfs_map *map)
{
	u64 blocks;

	if (!cohfs_map_blocks(map, &blocks))
		inode->i_blocks = (blocks + 2) << (COHFS_BLOCK_SHIFT - 9);
}

/*
 * The extent or hole at @lblk, as long as it is within [@lo, @hi]; M is held.
 */
static int extmap_read_one(struct inode *inode, struct cohfs_map *map, u64 lblk,
			   u64 lo, u64 hi, struct extmap_ent *out)
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

/* Last block that @hold covers. */
static u64 extmap_reach(const struct cohfs_range_hold *hold)
{
	return min_t(u64, hold->span_last, (u64)MAX_LFS_FILESIZE >> COHFS_BLOCK_SHIFT);
}

static int extmap_fill_locked(const struct cohfs_range_hold *hold,
			      struct cohfs_map *map, u64 first, u64 last)
{
	struct cohfs_inode *ci = COHFS_I(hold->inode);
	int err;

	while (first <= last) {
		struct extmap_ent ent;

		err = extmap_read_one(hold->inode, map, first, hold->span_first,
				      extmap_reach(hold), &ent);
		if (!err)
			err = extmap_set(&ci->ci_extmap, ent.first,
					 ent_last(&ent), ent.blk);
		if (err)
			return err;
		first = ent_last(&ent) + 1;
	}
	extmap_account(hold->inode, map);
	return 0;
}

int cohfs_extmap_fill(const struct cohfs_range_hold *hold, u64 first, u64 last)
{
	struct inode *inode = hold->inode;
	struct cohfs_map map;
	int err;

	last = min(last, extmap_reach(hold));
	first = extmap_first_unknown(inode, first, last);
	if (first > last)
		return 0;
	err = map_lock_read(inode, COHFS_PR);
	if (err)
		return err;
	map = cohfs_inode_map(inode);
	err = extmap_fill_locked(hold, &map, first, last);
	map_unlock_read(inode, COHFS_PR);
	return err;
}

static int extmap_zero_disk(struct inode *inode, u64 blk, u64 len)
{
	return blkdev_issue_zeroout(inode->i_sb->s_bdev,
				    blk << (COHFS_BLOCK_SHIFT - 9),
				    len << (COHFS_BLOCK_SHIFT - 9),
				    GFP_NOFS, BLKDEV_ZERO_NOUNMAP);
}

/**
 * struct extmap_need - a hole that is to be filled
 * @len: at least 1 and at most so many blocks from @lblk on
 * @goal: near this block of the disk
 * @zero: and zeroed, as they are below EOF
 */
struct extmap_need {
	u64 lblk;
	u64 len;
	u64 goal;
	bool zero;
};

/*
 * One transaction: take blocks, zero them, put them into the map.  Sleeping for the
 * zeroes with the handle open delays a commit, it cannot deadlock: block I/O needs
 * nothing of ours.
 */
static int extmap_grow_once(struct inode *inode, struct cohfs_map *map,
			    struct cohfs_resv *resv, const struct extmap_need *need,
			    struct cohfs_extent *ext)
{
	struct cohfs_sb *cs = map->cs;
	int credits = cohfs_map_insert_credits(map);
	u32 leave = cohfs_map_insert_blocks(map);
	handle_t *handle;
	int err, err2;

	if (credits < 0)
		return credits;
	handle = cohfs_trans_begin(cs, credits + resv->credits + 1);
	if (IS_ERR(handle))
		return PTR_ERR(handle);
	ext->key = need->lblk;
	ext->flags = 0;
	err = cohfs_alloc_extent(handle, resv, need->goal,
				 min_t(u64, need->len, ALLOC_MAX_BLOCKS),
				 leave + COHFS_GROUP_RESERVE, &ext->blk, &ext->len);
	if (err)
		goto out_end;
	if (need->zero)
		err = extmap_zero_disk(inode, ext->blk, ext->len);
	if (err)
		goto out_free;
	err = cohfs_map_insert(handle, map, resv, ext, true);
	if (err)
		goto out_free;
	err = cohfs_map_count(handle, map, ext->len);
	COHFS_I(inode)->ci_sync_tid = handle->h_transaction->t_tid;
	goto out_end;

out_free:
	err2 = cohfs_free_extent(handle, resv, ext->blk, ext->len);
	if (err2)
		cohfs_withdraw(cs, "cannot take back an allocation: %d", err2);
out_end:
	err2 = cohfs_trans_end(handle);
	return err ? err : err2;
}

/* Allocate for a hole; M EX held. */
static int extmap_grow(struct inode *inode, struct cohfs_map *map,
		       const struct extmap_need *need, struct cohfs_extent *ext)
{
	struct cohfs_resv resv;
	int err;

	err = cohfs_alloc_reserve(map->cs, need->goal, cohfs_map_insert_blocks(map) + 1 +
						       COHFS_GROUP_RESERVE, &resv);
	if (err)
		return err;
	err = extmap_grow_once(inode, map, &resv, need, ext);
	cohfs_resv_end(map->cs, &resv);
	return err;
}

/* Where to allocate for @lblk: behind the block before it. */
static u64 extmap_goal(struct inode *inode, u64 lblk)
{
	u64 blk = 0;

	if (lblk && cohfs_extmap_lookup(inode, lblk - 1, &blk) && blk)
		return blk + 1;
	return inode->i_ino + 2;
}

/* First block beyond EOF */
static u64 eof_block(const struct inode *inode)
{
	return DIV_ROUND_UP_ULL(i_size_read(inode), COHFS_BLOCK_SIZE);
}

/*
 * Last block to allocate for a task that needs blocks up to @last.
 *
 * Where other nodes write, too, M EX goes to and fro and costs a flush of the journal each
 * time.  So whoever has it allocates for all of them, in holes that others hold as well.
 * Not beyond EOF: growth would have to zero it there again.
 */
static u64 allocate_until(const struct cohfs_range_hold *hold, u64 last, u64 ahead)
{
	u64 eof = eof_block(hold->inode);
	u64 until = max(last, min(last + ahead, extmap_reach(hold)));

	if (hold->span_last != COHFS_RANGE_END && eof > last)
		until = max(until, min(round_up(last + 1, SHARED_BLOCKS), eof) - 1);
	return until;
}

/* Remember what @hold covers of @ent, which begins in it. */
static int extmap_remember(const struct cohfs_range_hold *hold,
			   const struct extmap_ent *ent)
{
	return extmap_set(&COHFS_I(hold->inode)->ci_extmap, ent->first,
			  min(ent_last(ent), extmap_reach(hold)), ent->blk);
}

/* Blocks beyond EOF that have just been zeroed; I EX is held */
static void note_zeroed(struct inode *inode, u64 first, u64 end)
{
	struct cohfs_extmap *em = &COHFS_I(inode)->ci_extmap;
	u32 generation = COHFS_I(inode)->ci_time_gen;

	if (em->zeroed.generation != generation || em->zeroed.end != first)
		em->zeroed.first = first;
	em->zeroed.end = end;
	em->zeroed.generation = generation;
}

/* What was known to be zero may have been punched, and these are other blocks */
static void forget_zeroed_in(struct inode *inode, u64 first, u64 end)
{
	struct cohfs_extmap *em = &COHFS_I(inode)->ci_extmap;

	if (first < em->zeroed.end && end > em->zeroed.first)
		cohfs_extmap_forget_zeroed(em);
}

/* How many of the @len blocks from @first on are known to be zero? */
static u64 known_zero(struct inode *inode, u64 first, u64 len)
{
	const struct cohfs_extmap *em = &COHFS_I(inode)->ci_extmap;

	if (em->zeroed.generation != COHFS_I(inode)->ci_time_gen ||
	    first < em->zeroed.first || first >= em->zeroed.end)
		return 0;
	return min(len, em->zeroed.end - first);
}

/**
 * struct extmap_want - what a caller wants to be without holes
 * @last: its last block
 * @ahead: how many more are welcome
 * @fresh: this block and those after it need not be zeroed
 */
struct extmap_want {
	u64 last;
	u64 ahead;
	u64 fresh;
};

/* One step of extmap_fill_holes(), in the hole at @first; M EX is held. */
static int extmap_allocate_step(const struct cohfs_range_hold *hold, u64 first,
				const struct extmap_want *want)
{
	u64 until = allocate_until(hold, want->last, want->ahead);
	struct inode *inode = hold->inode;
	struct cohfs_map map = cohfs_inode_map(inode);
	struct extmap_need need;
	struct extmap_ent ent;
	struct cohfs_extent ext;
	int err;

	if (first < want->fresh)
		until = min(until, want->fresh - 1);

	/* the hole may have been filled while we waited for M, here or elsewhere */
	err = extmap_read_one(inode, &map, first, first, until, &ent);
	if (err)
		return err;
	if (ent.blk)
		return extmap_remember(hold, &ent);
	need = (struct extmap_need) {
		.lblk = first,
		.len = ent.len,
		.goal = extmap_goal(inode, first),
		.zero = first < want->fresh,
	};
	err = extmap_grow(inode, &map, &need, &ext);
	trace_cohfs_extmap_grow(inode, first, ent.len, &ext, err);
	extmap_account(inode, &map);
	if (err)
		return err;
	ent.len = ext.len;
	ent.blk = ext.blk;
	if (!need.zero)
		forget_zeroed_in(inode, first, first + ext.len);
	err = extmap_remember(hold, &ent);
	if (err)	/* not a hole any more, so it must not be known as one */
		cohfs_extmap_forget(&COHFS_I(inode)->ci_extmap, first, ent_last(&ent));
	return err;
}

static int extmap_fill_holes(const struct cohfs_range_hold *hold, u64 first,
			     const struct extmap_want *want)
{
	struct inode *inode = hold->inode;
	u64 len, blk;
	int err = 0;

	while (!err && first <= want->last) {
		len = cohfs_extmap_lookup(inode, first, &blk);
		if (!len) {
			err = cohfs_extmap_fill(hold, first, want->last);
		} else if (blk) {
			if (len > want->last - first)
				break;
			first += len;
		} else {
			err = map_lock_read(inode, COHFS_EX);
			if (err)
				break;
			err = extmap_allocate_step(hold, first, want);
			map_unlock_read(inode, COHFS_EX);
		}
	}
	return err;
}

int cohfs_extmap_allocate(const struct cohfs_range_hold *hold, u64 first, u64 last)
{
	struct extmap_want want = { .last = last, .fresh = U64_MAX };

	return extmap_fill_holes(hold, first, &want);
}

int cohfs_extmap_append(const struct cohfs_range_hold *hold, u64 first, u64 last,
			u64 ahead)
{
	struct extmap_want want = {
		.last = last,
		.ahead = ahead,
		.fresh = eof_block(hold->inode),
	};

	return extmap_fill_holes(hold, first, &want);
}

/*
 * Zero blocks of the file that are not in the page cache.  A withdrawal waits for
 * invalidate_lock before other nodes get our locks: no zeroes may arrive after that.
 */
static int extmap_zero_mapped(struct inode *inode, u64 blk, u64 len)
{
	int err = 0;

	while (!err && len) {
		u64 n = min_t(u64, len, ALLOC_MAX_BLOCKS);

		err = down_read_killable(&inode->i_mapping->invalidate_lock);
		if (err)
			break;
		err = cohfs_is_withdrawn(COHFS_SB(inode->i_sb)) ? -EIO :
			extmap_zero_disk(inode, blk, n);
		up_read(&inode->i_mapping->invalidate_lock);
		blk += n;
		len -= n;
	}
	return err;
}

int cohfs_extmap_zero(const struct cohfs_range_hold *hold, u64 first, u64 last)
{
	struct inode *inode = hold->inode;
	u64 len, blk, zero;
	int err = 0;

	while (!err && first <= last) {
		zero = known_zero(inode, first, last - first + 1);
		if (zero) {
			first += zero;
			continue;
		}
		len = cohfs_extmap_lookup(inode, first, &blk);
		if (!len) {
			err = cohfs_extmap_fill(hold, first, last);
			continue;
		}
		len = min(len, max(last - first + 1, ZERO_BLOCKS));
		len = min(len, extmap_reach(hold) - first + 1);
		if (blk)
			err = extmap_zero_mapped(inode, blk, len);
		if (blk && !err)
			note_zeroed(inode, first, first + len);
		first += len;
	}
	return err;
}

/* Remove the piece of the map that ends last in [@first, @last]; M EX held. */
static int extmap_shrink_once(struct inode *inode, struct cohfs_map *map,
			      u64 first, u64 last, bool *more)
{
	u64 blocks[COHFS_RESV_GROUPS];
	struct cohfs_sb *cs = map->cs;
	struct cohfs_extent ext;
	struct cohfs_resv resv;
	handle_t *handle;
	int n, err, err2;

	n = cohfs_map_remove_plan(map, first, last, &ext, blocks);
	*more = n > 0;
	if (n <= 0)
		return n;
	err = cohfs_free_reserve(cs, blocks, n, &resv);
	if (err)
		return err;
	handle = cohfs_trans_begin(cs, COHFS_MAP_REMOVE_CREDITS + resv.credits);
	if (IS_ERR(handle)) {
		cohfs_resv_end(cs, &resv);
		return PTR_ERR(handle);
	}
	err = cohfs_map_remove(handle, map, &resv, &ext);
	if (!err)
		err = cohfs_free_extent(handle, &resv, ext.blk, ext.len);
	if (!err)
		err = cohfs_map_count(handle, map, -(s64)ext.len);
	COHFS_I(inode)->ci_sync_tid = handle->h_transaction->t_tid;
	err2 = cohfs_trans_end(handle);
	cohfs_resv_end(cs, &resv);
	return err ? err : err2;
}

/* Remove the last piece of the map in [@first, @last]; its place in core is gone. */
static int extmap_shrink(struct inode *inode, u64 first, u64 last, bool *more)
{
	struct cohfs_map map;
	int err = map_lock(inode, COHFS_EX);

	if (err)
		return err;
	map = cohfs_inode_map(inode);
	err = extmap_shrink_once(inode, &map, first, last, more);
	if (err == -ENOSPC) {
		/* a record that is split may need a block: what is freed here is one, when
		 * it is on disk that it is free
		 */
		err = cohfs_log_commit(COHFS_SB(inode->i_sb), true);
		if (!err)
			err = extmap_shrink_once(inode, &map, first, last, more);
	}
	extmap_account(inode, &map);
	map_unlock(inode, COHFS_EX);
	cond_resched();
	return err;
}

int cohfs_extmap_free(struct inode *inode, u64 first, u64 last)
{
	struct cohfs_extmap *em = &COHFS_I(inode)->ci_extmap;
	bool more = true;
	int err = 0;

	cohfs_extmap_forget(em, first, last);
	while (more && !err) {
		err = extmap_shrink(inode, first, last, &more);
		/* a local reader may have filled it in again since the last step */
		cohfs_extmap_forget(em, first, last);
	}
	return err;
}

int cohfs_extmap_hide(struct inode *inode, u64 first, u64 last)
{
	return extmap_set(&COHFS_I(inode)->ci_extmap, first, last, 0);
}

int cohfs_extmap_punch(struct inode *inode, u64 first, u64 last)
{
	bool more = true;
	int err = 0;

	while (more && !err)
		err = extmap_shrink(inode, first, last, &more);
	if (err)
		cohfs_extmap_forget(&COHFS_I(inode)->ci_extmap, first, last);
	return err;
}
