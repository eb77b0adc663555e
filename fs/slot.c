// SPDX-License-Identifier: GPL-2.0-only
/*
 * What this node owns on disk: the slot, its block, the pool of inode numbers.
 *
 * S(slot) is held EX, not merely cached, from mount to unmount; whoever can have it
 * knows that the slot has no owner and that its journal may be replayed.
 *
 * The slot block changes in transactions of all kinds (every allocation counts in
 * it), so its mutex nests inside a transaction, and nobody opens one while holding
 * it.  The pool on disk is the list of block pairs that are allocated and not inodes
 * yet; it survives a crash, since a number leaves it in the transaction that creates
 * the inode and returns in the one that deletes it.  The pool in memory is the part of it
 * that nobody has reserved.
 */
#include <linux/delay.h>
#include <linux/slab.h>
#include <linux/statfs.h>
#include "adopt.h"
#include "alloc.h"
#include "core/check.h"
#include "log.h"
#include "metaio.h"
#include "object.h"
#include "slot.h"
#include "super.h"

#define CLAIM_TRIES	50	/* for our own slot, 100 ms apart */
#define TRY_MS		100
#define REFILL_PAIRS	16
#define POOL_KEEP	(COHFS_POOL_MAX - REFILL_PAIRS)	/* deleted inodes: as many */
#define STATFS_PERIOD	HZ

/**
 * struct cohfs_number - a number that may become an inode
 * @locks: I(@ino), once it has been had, cached EX as a rule; more if it has been an
 *	inode of this node before
 */
struct cohfs_number {
	struct list_head link;
	u64 ino;
	struct cohfs_locks locks;
};

/**
 * struct cohfs_slotinfo - our slot
 * @obj: S(slot), held EX
 * @forfeited: but not any more, this node has withdrawn
 * @bh: slot block
 * @mutex: protects the slot block and @promised; inside transactions
 * @promised: entries that tasks are about to add to the pool on disk
 * @pool_lock: protects @pool
 * @pool: struct cohfs_number; those used before come first
 * @pool_wait: for a number, or for room on disk for new ones
 * @refill_mutex: one task refills, the others wait for it; outside everything
 * @statfs_mutex: protects what follows
 * @deltas: free deltas of all slots as last read, ours unused
 * @deltas_read: when that was, jiffies
 * @orphan_dirs: by slot, 0 = not read yet; written once
 */
struct cohfs_slotinfo {
	struct cohfs_object *obj;
	bool forfeited;
	struct buffer_head *bh;
	struct mutex mutex;
	u32 promised;
	spinlock_t pool_lock;
	struct list_head pool;
	wait_queue_head_t pool_wait;
	struct mutex refill_mutex;
	struct mutex statfs_mutex;
	s64 deltas[COHFS_MAX_SLOTS];
	unsigned long deltas_read;
	bool deltas_valid;
	u64 orphan_dirs[COHFS_MAX_SLOTS];
};

static u64 slot_blkno(const struct cohfs_sb *cs, u32 slot)
{
	return cs->geo.first_slot + slot;
}

static struct cohfs_slot *slot_block(struct cohfs_slotinfo *si)
{
	return (struct cohfs_slot *)si->bh->b_data;
}

/* Claiming ----------------------------------------------------------------- */

/*
 * S(slot) EX without waiting for an owner.  Tries again for a little while, since
 * whoever had it before may have let go without the lock manager knowing yet: locks
 * are dropped in the background.  If the number is nobody's it can only be that, and is
 * waited for: "has an owner" would leave a journal unreplayed.
 */
static struct cohfs_object *slot_lock(struct cohfs_sb *cs, u32 slot,
				      unsigned int tries)
{
	struct cohfs_object *obj;
	int err = -EAGAIN;

	obj = cohfs_object_create(cs, COHFS_LT_SLOT, slot, NULL);
	if (IS_ERR(obj))
		return obj;
	while (tries--) {
		err = cohfs_lock_acquire(&obj->lk, COHFS_EX, COHFS_LK_NOQUEUE);
		if (err == -EAGAIN && !cohfs_lockspace_has_slot(cs->ls, slot + 1))
			err = cohfs_lock_acquire(&obj->lk, COHFS_EX, 0);
		if (!err)
			return obj;
		if (err != -EAGAIN || fatal_signal_pending(current))
			break;
		if (tries)
			msleep(TRY_MS);
	}
	cohfs_object_drop(obj);
	return ERR_PTR(err);
}

static void slot_unlock(struct cohfs_object *obj)
{
	cohfs_object_unlock(obj, COHFS_EX);
	cohfs_object_drop(obj);
}

int cohfs_slot_replay(struct cohfs_sb *cs, u32 slot, unsigned int tries)
{
	struct cohfs_object *obj = slot_lock(cs, slot, tries);
	int err;

	if (IS_ERR(obj))
		return PTR_ERR(obj);
	err = cohfs_log_replay(cs, slot);
	if (err >= 0)
		obj->journal_empty = true;
	slot_unlock(obj);
	return err;
}

int cohfs_slot_replay_free(struct cohfs_sb *cs, u64 *replayed)
{
	u32 slot;
	int ret;

	*replayed = 0;
	for (slot = 0; slot < cs->geo.slots; slot++) {
		if (slot == cs->slot)
			continue;
		ret = cohfs_slot_replay(cs, slot, 1);
		if (ret < 0 && ret != -EAGAIN)
			return ret;
		if (ret == 1)
			*replayed |= BIT_ULL(slot);
	}
	return 0;
}

static void pool_give(struct cohfs_slotinfo *si, struct cohfs_number *pe)
{
	spin_lock(&si->pool_lock);
	list_add_tail(&pe->link, &si->pool);
	spin_unlock(&si->pool_lock);
	wake_up(&si->pool_wait);
}

/* Last out, first in: the fewer blocks a transaction changes the less is written */
static void pool_give_back(struct cohfs_slotinfo *si, struct cohfs_number *pe)
{
	spin_lock(&si->pool_lock);
	list_add(&pe->link, &si->pool);
	spin_unlock(&si->pool_lock);
	wake_up(&si->pool_wait);
}

static int pool_add(struct cohfs_slotinfo *si, u64 ino,
		    const struct cohfs_locks *locks)
{
	struct cohfs_number *pe = kmalloc(sizeof(*pe), GFP_NOFS);

	if (!pe)
		return -ENOMEM;
	pe->ino = ino;
	pe->locks = *locks;
	pool_give(si, pe);
	return 0;
}

static void pool_destroy(struct cohfs_slotinfo *si)
{
	struct cohfs_number *pe, *tmp;

	list_for_each_entry_safe(pe, tmp, &si->pool, link) {
		cohfs_locks_drop(&pe->locks);
		kfree(pe);
	}
	INIT_LIST_HEAD(&si->pool);
}

static int pool_load(struct cohfs_sb *cs, struct cohfs_slotinfo *si)
{
	static const struct cohfs_locks none;
	const struct cohfs_slot *sl = slot_block(si);
	u32 i, count = le32_to_cpu(sl->sl_pool_count);
	int err = 0;

	for (i = 0; i < count && !err; i++) {
		u64 ino = le64_to_cpu(sl->sl_pool[i]);

		if (!cohfs_valid_extent(cs, ino, 2))
			err = cohfs_corrupt(cs->sb, si->bh->b_blocknr,
					    "inode pool entry outside the groups");
		else
			err = pool_add(si, ino, &none);
	}
	return err;
}

static int slot_read(struct cohfs_sb *cs, struct cohfs_slotinfo *si)
{
	struct buffer_head *bh;

	bh = cohfs_meta_read(cs, &si->obj->meta, slot_blkno(cs, cs->slot),
			     COHFS_BT_SLOT, cs->slot);
	if (IS_ERR(bh))
		return PTR_ERR(bh);
	si->bh = bh;
	si->orphan_dirs[cs->slot] = le64_to_cpu(slot_block(si)->sl_orphan_dir);
	return pool_load(cs, si);
}

static struct cohfs_slotinfo *slotinfo_alloc(void)
{
	struct cohfs_slotinfo *si = kzalloc(sizeof(*si), GFP_KERNEL);

	if (!si)
		return NULL;
	mutex_init(&si->mutex);
	spin_lock_init(&si->pool_lock);
	mutex_init(&si->refill_mutex);
	mutex_init(&si->statfs_mutex);
	INIT_LIST_HEAD(&si->pool);
	init_waitqueue_head(&si->pool_wait);
	return si;
}

int cohfs_slot_claim(struct cohfs_sb *cs)
{
	struct cohfs_slotinfo *si = slotinfo_alloc();
	u64 replayed;
	int err;

	if (!si)
		return -ENOMEM;
	si->obj = slot_lock(cs, cs->slot, CLAIM_TRIES);
	if (IS_ERR(si->obj)) {
		err = PTR_ERR(si->obj);
		if (err == -EAGAIN) {
			cohfs_err(cs->sb, "slot %u is in use by another node", cs->slot);
			err = -EBUSY;
		}
		goto err_lock;
	}
	/* journals that a crash of the whole cluster left behind */
	err = cohfs_slot_replay_free(cs, &replayed);
	if (err)
		goto err_log;
	cohfs_adopt(cs, replayed);
	err = cohfs_log_open(cs, cs->slot);
	if (err)
		goto err_log;
	/* from here on the end of the mount undoes it: cohfs_slot_release() */
	cs->slotinfo = si;
	return slot_read(cs, si);

err_log:
	slot_unlock(si->obj);
err_lock:
	kfree(si);
	return err;
}

/*
 * Not all the way down: a lock in NL keeps the value block, in which whoever replays
 * says so.
 */
static void slot_lower(struct cohfs_object *obj, enum cohfs_mode mode)
{
	cohfs_object_unlock(obj, mode);
	cohfs_lock_recall(&obj->lk, COHFS_EX);
}

void cohfs_slot_forfeit(struct cohfs_sb *cs)
{
	struct cohfs_slotinfo *si = cs->slotinfo;

	if (!si || si->forfeited)
		return;
	si->forfeited = true;
	si->obj->journal_empty = false;
	slot_lower(si->obj, COHFS_EX);
}

bool cohfs_slot_replayed(struct cohfs_sb *cs)
{
	struct cohfs_slotinfo *si = cs->slotinfo;
	bool replayed;

	if (!si)
		return true;
	if (cohfs_lock_acquire(&si->obj->lk, COHFS_PR,
			       COHFS_LK_NOQUEUE | COHFS_LK_NOINTR | COHFS_LK_PIN))
		return false;
	replayed = si->obj->journal_empty;
	slot_lower(si->obj, COHFS_PR);
	return replayed;
}

void cohfs_slot_release(struct cohfs_sb *cs)
{
	struct cohfs_slotinfo *si = cs->slotinfo;

	if (!si)
		return;
	cs->slotinfo = NULL;
	pool_destroy(si);
	brelse(si->bh);
	if (si->forfeited)
		cohfs_object_drop(si->obj);
	else
		slot_unlock(si->obj);
	kfree(si);
}

/* The slot block ----------------------------------------------------------- */

static int slot_access(handle_t *handle, struct cohfs_slotinfo *si)
{
	lockdep_assert_held(&si->mutex);
	return cohfs_meta_access(handle, si->bh);
}

static int slot_dirty(handle_t *handle, struct cohfs_sb *cs)
{
	struct cohfs_slotinfo *si = cs->slotinfo;

	return cohfs_meta_dirty(handle, cs, &si->obj->meta, si->bh);
}

int cohfs_slot_count_free(handle_t *handle, struct cohfs_sb *cs, s64 delta)
{
	struct cohfs_slotinfo *si = cs->slotinfo;
	int err;

	mutex_lock(&si->mutex);
	err = slot_access(handle, si);
	if (!err) {
		le64_add_cpu(&slot_block(si)->sl_free_delta, delta);
		err = slot_dirty(handle, cs);
	}
	mutex_unlock(&si->mutex);
	return err;
}

u64 cohfs_slot_orphan_dir(struct cohfs_sb *cs, u32 slot)
{
	struct cohfs_slotinfo *si = cs->slotinfo;
	struct cohfs_slot *sl;
	u64 ino;

	if (slot >= cs->geo.slots)
		return 0;
	ino = READ_ONCE(si->orphan_dirs[slot]);
	if (ino)
		return ino;
	sl = kmalloc(sizeof(*sl), GFP_NOFS);
	if (!sl)
		return 0;
	if (!cohfs_meta_read_raw(cs, slot_blkno(cs, slot), sl, COHFS_BT_SLOT, slot)) {
		ino = le64_to_cpu(sl->sl_orphan_dir);
		WRITE_ONCE(si->orphan_dirs[slot], ino);	/* fixed since mkfs */
	}
	kfree(sl);
	return ino;
}

/* The pool ----------------------------------------------------------------- */

/* One transaction: a run of blocks becomes up to *@pairs pairs in the slot block. */
static int refill_transaction(handle_t *handle, struct cohfs_sb *cs,
			      struct cohfs_resv *resv, u64 *first, u32 *pairs)
{
	struct cohfs_slotinfo *si = cs->slotinfo;
	struct cohfs_slot *sl = slot_block(si);
	u32 len, i, count;
	int err;

	err = cohfs_alloc_extent(handle, resv, 0, 2 * *pairs, COHFS_GROUP_RESERVE,
				 first, &len);
	if (err)
		return err;
	*pairs = len / 2;
	if (len & 1) {
		err = cohfs_free_extent(handle, resv, *first + len - 1, 1);
		if (err)
			return err;
	}
	mutex_lock(&si->mutex);
	err = slot_access(handle, si);
	if (!err) {
		count = le32_to_cpu(sl->sl_pool_count);
		for (i = 0; i < *pairs; i++)
			sl->sl_pool[count + i] = cpu_to_le64(*first + 2 * i);
		sl->sl_pool_count = cpu_to_le32(count + *pairs);
		err = slot_dirty(handle, cs);
	}
	mutex_unlock(&si->mutex);
	return err;
}

/* Return: 0 with *@pairs numbers from *@first on, every second one */
static int refill_blocks(struct cohfs_sb *cs, u64 *first, u32 *pairs)
{
	struct cohfs_resv resv;
	handle_t *handle;
	int err, err2;

	err = cohfs_alloc_reserve_run(cs, 0, 2 + COHFS_GROUP_RESERVE, 2, &resv);
	if (err)
		return err;
	handle = cohfs_trans_begin(cs, resv.credits);
	if (IS_ERR(handle)) {
		err = PTR_ERR(handle);
	} else {
		err = refill_transaction(handle, cs, &resv, first, pairs);
		err2 = cohfs_trans_end(handle);
		err = err ? err : err2;
	}
	cohfs_resv_end(cs, &resv);
	return err;
}

/* Entries ready to be filled in: after the transaction nothing may fail. */
static int prepare_entries(struct list_head *entries, u32 count)
{
	struct cohfs_number *pe;

	while (count--) {
		pe = kzalloc(sizeof(*pe), GFP_NOFS);
		if (!pe)
			return -ENOMEM;
		list_add(&pe->link, entries);
	}
	return 0;
}

/* Room for @want entries in the slot block.  Return: how many were to be had */
static u32 promise(struct cohfs_slotinfo *si, u32 want, u32 max)
{
	u32 used;

	mutex_lock(&si->mutex);
	used = le32_to_cpu(slot_block(si)->sl_pool_count) + si->promised;
	want = used < max ? min(want, max - used) : 0;
	si->promised += want;
	mutex_unlock(&si->mutex);
	return want;
}

/* They are in the block now, or never will be */
static void promise_end(struct cohfs_slotinfo *si, u32 count)
{
	mutex_lock(&si->mutex);
	si->promised -= count;
	mutex_unlock(&si->mutex);
	wake_up(&si->pool_wait);
}

/* Start asking for a lock of a number that will be an inode soon; may fail */
static struct cohfs_object *lock_ahead(struct cohfs_sb *cs, enum cohfs_lock_type type,
				       u64 ino)
{
	struct cohfs_object *obj = cohfs_object_create(cs, type, ino, NULL);

	if (IS_ERR(obj))
		return NULL;
	if (!cohfs_lock_acquire(&obj->lk, COHFS_EX, COHFS_LK_ASYNC | COHFS_LK_PIN))
		cohfs_lock_unpin(&obj->lk, COHFS_EX);
	return obj;
}

/*
 * Numbers that tasks have reserved and not used yet are still in the slot block, so
 * that it can be full while the pool is empty: -EAGAIN.
 */
static int refill_locked(struct cohfs_sb *cs)
{
	struct cohfs_slotinfo *si = cs->slotinfo;
	struct cohfs_number *pe, *tmp;
	LIST_HEAD(entries);
	u32 pairs, promised, i = 0;
	u64 first;
	int err;

	lockdep_assert_held(&si->refill_mutex);
	promised = promise(si, REFILL_PAIRS, COHFS_POOL_MAX);
	if (!promised)
		return -EAGAIN;
	pairs = promised;
	err = prepare_entries(&entries, pairs);
	if (!err)
		err = refill_blocks(cs, &first, &pairs);
	promise_end(si, promised);
	list_for_each_entry_safe(pe, tmp, &entries, link) {
		list_del(&pe->link);
		if (err || i == pairs) {
			kfree(pe);
			continue;
		}
		pe->ino = first + 2 * i++;
		/* the answers come while the first of them is made an inode */
		pe->locks.open = lock_ahead(cs, COHFS_LT_OPEN, pe->ino);
		pe->locks.attr = lock_ahead(cs, COHFS_LT_INODE, pe->ino);
		pool_give(si, pe);
	}
	return err;
}

static int pool_refill(struct cohfs_sb *cs)
{
	struct cohfs_slotinfo *si = cs->slotinfo;
	bool empty;
	int err = 0;

	if (mutex_lock_killable(&si->refill_mutex))
		return -EINTR;
	spin_lock(&si->pool_lock);
	empty = list_empty(&si->pool);
	spin_unlock(&si->pool_lock);
	if (empty)
		err = refill_locked(cs);
	mutex_unlock(&si->refill_mutex);
	return err;
}

static struct cohfs_number *pool_take(struct cohfs_slotinfo *si)
{
	struct cohfs_number *pe;

	spin_lock(&si->pool_lock);
	pe = list_first_entry_or_null(&si->pool, struct cohfs_number, link);
	if (pe)
		list_del(&pe->link);
	spin_unlock(&si->pool_lock);
	return pe;
}

/*
 * Nobody else has a use for I of a number that is no inode; somebody may have looked
 * at it because of a stale file handle, so that the question can fail and is put
 * again properly.
 */
static int pool_lock(struct cohfs_sb *cs, struct cohfs_number *pe)
{
	struct cohfs_object *obj = pe->locks.attr;
	int err;

	if (!obj) {
		obj = cohfs_object_create(cs, COHFS_LT_INODE, pe->ino, NULL);
		if (IS_ERR(obj))
			return PTR_ERR(obj);
		pe->locks.attr = obj;
	}
	err = cohfs_lock_acquire(&obj->lk, COHFS_EX, COHFS_LK_NOQUEUE);
	if (err == -EAGAIN)
		err = cohfs_object_lock(obj, COHFS_EX);
	return err;
}

/* A hint: who is woken looks again. */
static bool pool_may_give(struct cohfs_slotinfo *si)
{
	return !list_empty_careful(&si->pool) ||
	       le32_to_cpu(READ_ONCE(slot_block(si)->sl_pool_count)) +
	       READ_ONCE(si->promised) < COHFS_POOL_MAX;
}

/*
 * A number from the pool, refilled if need be.  Where all are with other tasks one of them
 * makes an inode of his, or fails and gives it back; they have their directory already.
 */
static struct cohfs_number *pool_reserve(struct cohfs_sb *cs)
{
	struct cohfs_slotinfo *si = cs->slotinfo;
	struct cohfs_number *pe;
	int err;

	do {
		pe = pool_take(si);
		if (pe)
			return pe;
		err = pool_refill(cs);
		if (err == -EAGAIN &&
		    wait_event_killable(si->pool_wait, pool_may_give(si)))
			return ERR_PTR(-EINTR);
	} while (!err || err == -EAGAIN);
	return ERR_PTR(err);
}

int cohfs_pool_get(struct cohfs_sb *cs, struct cohfs_newino *ni)
{
	struct cohfs_number *pe = pool_reserve(cs);
	int err;

	if (IS_ERR(pe))
		return PTR_ERR(pe);
	err = pool_lock(cs, pe);
	if (err) {
		pool_give(cs->slotinfo, pe);
		return err;
	}
	ni->ino = pe->ino;
	ni->locks = pe->locks;
	kfree(pe);
	return 0;
}

void cohfs_pool_put(struct cohfs_sb *cs, struct cohfs_newino *ni)
{
	if (ni->locks.attr)
		cohfs_object_unlock(ni->locks.attr, COHFS_EX);
	/* without memory the number is lost to this mount, not to the next */
	if (pool_add(cs->slotinfo, ni->ino, &ni->locks))
		cohfs_locks_drop(&ni->locks);
	ni->locks = (struct cohfs_locks) { };
}

int cohfs_pool_use(handle_t *handle, struct cohfs_sb *cs, struct cohfs_newino *ni)
{
	struct cohfs_slotinfo *si = cs->slotinfo;
	struct cohfs_slot *sl = slot_block(si);
	u32 i, count;
	int err;

	mutex_lock(&si->mutex);
	err = slot_access(handle, si);
	if (err)
		goto out;
	count = le32_to_cpu(sl->sl_pool_count);
	for (i = 0; i < count && le64_to_cpu(sl->sl_pool[i]) != ni->ino; i++)
		;
	if (WARN_ON_ONCE(i == count)) {
		err = -EINVAL;
		goto out;
	}
	sl->sl_pool[i] = sl->sl_pool[count - 1];
	sl->sl_pool[count - 1] = 0;
	sl->sl_pool_count = cpu_to_le32(count - 1);
	err = slot_dirty(handle, cs);
out:
	mutex_unlock(&si->mutex);
	wake_up(&si->pool_wait);
	return err;
}

/* Numbers that come back ---------------------------------------------------- */

/*
 * The pair of a deleted inode is an allocated pair that is no inode: a pool entry.  If
 * it is this node's own anyway it need not go through the bitmap, and the next inode
 * finds its locks here and its block in the cache and the journal.  That it may be
 * used again before the deletion has committed is no danger, unlike with blocks in
 * general: inode blocks change in transactions only, and those of one journal are
 * replayed in order.
 */
struct cohfs_number *cohfs_pool_promise(struct cohfs_sb *cs)
{
	struct cohfs_number *pe = kzalloc(sizeof(*pe), GFP_NOFS);

	if (pe && promise(cs->slotinfo, 1, POOL_KEEP))
		return pe;
	kfree(pe);
	return NULL;
}

int cohfs_pool_return(handle_t *handle, struct cohfs_sb *cs, u64 ino)
{
	struct cohfs_slotinfo *si = cs->slotinfo;
	struct cohfs_slot *sl = slot_block(si);
	u32 count;
	int err;

	mutex_lock(&si->mutex);
	err = slot_access(handle, si);
	if (!err) {
		count = le32_to_cpu(sl->sl_pool_count);
		sl->sl_pool[count] = cpu_to_le64(ino);
		sl->sl_pool_count = cpu_to_le32(count + 1);
		err = slot_dirty(handle, cs);
	}
	mutex_unlock(&si->mutex);
	return err;
}

void cohfs_pool_fill(struct cohfs_sb *cs, struct cohfs_number *number, u64 ino,
		     const struct cohfs_locks *locks)
{
	promise_end(cs->slotinfo, 1);
	number->ino = ino;
	number->locks = *locks;
	pool_give_back(cs->slotinfo, number);
}

void cohfs_pool_renounce(struct cohfs_sb *cs, struct cohfs_number *number)
{
	if (!number)
		return;
	promise_end(cs->slotinfo, 1);
	kfree(number);
}

/* statfs ------------------------------------------------------------------- */

/*
 * What the others have taken and freed, as of their last flush.  A block that cannot
 * be read keeps its old value: statfs is no place to fail.
 */
static void read_deltas(struct cohfs_sb *cs)
{
	struct cohfs_slotinfo *si = cs->slotinfo;
	struct cohfs_slot *sl;
	u32 slot;

	lockdep_assert_held(&si->statfs_mutex);
	if (si->deltas_valid && time_before(jiffies, si->deltas_read + STATFS_PERIOD))
		return;
	sl = kmalloc(sizeof(*sl), GFP_NOFS);
	if (!sl)
		return;
	for (slot = 0; slot < cs->geo.slots; slot++) {
		if (slot == cs->slot ||
		    cohfs_meta_read_raw(cs, slot_blkno(cs, slot), sl, COHFS_BT_SLOT,
					slot))
			continue;
		si->deltas[slot] = le64_to_cpu(sl->sl_free_delta);
	}
	kfree(sl);
	si->deltas_read = jiffies;
	si->deltas_valid = true;
}

static s64 own_delta(struct cohfs_slotinfo *si)
{
	s64 delta;

	mutex_lock(&si->mutex);
	delta = le64_to_cpu(slot_block(si)->sl_free_delta);
	mutex_unlock(&si->mutex);
	return delta;
}

/* Lazy sums of nodes that free what others allocated may be off, even below 0. */
int cohfs_slot_statfs(struct cohfs_sb *cs, struct kstatfs *st)
{
	struct cohfs_slotinfo *si = cs->slotinfo;
	s64 free = cs->geo.free_at_mkfs;
	u32 slot;

	if (mutex_lock_killable(&si->statfs_mutex))
		return -EINTR;
	read_deltas(cs);
	for (slot = 0; slot < cs->geo.slots; slot++)
		free += slot == cs->slot ? own_delta(si) : si->deltas[slot];
	mutex_unlock(&si->statfs_mutex);

	st->f_blocks = cs->geo.blocks;
	st->f_bfree = clamp_t(s64, free, 0, cs->geo.blocks);
	st->f_bavail = max_t(s64, 0, (s64)st->f_bfree -
				     (s64)cs->geo.groups * COHFS_GROUP_RESERVE);
	/* an inode takes two blocks; there is no other limit */
	st->f_files = st->f_blocks / 2;
	st->f_ffree = st->f_bfree / 2;
	return 0;
}
