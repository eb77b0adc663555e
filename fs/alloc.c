// SPDX-License-Identifier: GPL-2.0-only
/*
 * Block allocation.
 *
 * A reservation holds G(g) EX and the group's mutex from before the transaction to
 * after it, so what was seen free stays free until it is taken.  Which group: one
 * that this node has already (no message, no foreign flush), else one that nobody
 * defends, else wait; a node starts in its own part of the device and stays where it
 * last found room.
 *
 * A freed block must not be reused before its transaction has committed: a crash
 * would bring the old owner back while the new one's data is already there.  jbd2
 * keeps the bitmap as committed beside the current one (undo access), and a block is
 * free only if both say so.
 */
#include <linux/jbd2.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/xarray.h>
#include "alloc.h"
#include "core/bitmap.h"
#include "log.h"
#include "metaio.h"
#include "object.h"
#include "slot.h"
#include "super.h"

#define FREE_UNKNOWN	U32_MAX
#define SPREAD		4	/* groups that local tasks may spread over unasked */

/**
 * struct cohfs_group_obj - one allocation group on this node
 * @mutex: local side of G: held by one reservation; taken before G
 * @bh: group block, while reserved
 * @free: free blocks when last seen, FREE_UNKNOWN before; a hint without G
 * @next: bit behind the last allocation; protected by @mutex
 */
struct cohfs_group_obj {
	u32 nr;
	struct cohfs_object *obj;
	struct mutex mutex;
	struct buffer_head *bh;
	u32 free;
	u32 next;
};

/**
 * struct cohfs_groups - the groups of a mount
 * @objs: number -> struct cohfs_group_obj, made at first use, kept until unmount
 * @create_mutex: one creator of a missing entry at a time
 * @current_nr: where this node last found room; a hint
 */
struct cohfs_groups {
	struct xarray objs;
	struct mutex create_mutex;
	u32 current_nr;
};

/* How far a reservation goes to get a group */
enum effort {
	EFFORT_CACHED,		/* held by this node, not in use by another task */
	EFFORT_CACHED_WAIT,	/* the same, but wait for the local task */
	EFFORT_NOQUEUE,		/* ask the cluster, do not wait */
	EFFORT_WAIT,		/* wait, and believe no hint */
	NR_EFFORTS
};

/* Geometry ----------------------------------------------------------------- */

static u64 group_first(const struct cohfs_sb *cs, u32 nr)
{
	return cs->geo.first_group + (u64)nr * COHFS_GROUP_BLOCKS;
}

static u32 group_blocks(const struct cohfs_sb *cs, u32 nr)
{
	return min_t(u64, cs->geo.blocks - group_first(cs, nr), COHFS_GROUP_BLOCKS);
}

/* False if @blk is in no group; else *@bit is its place in group *@nr. */
static bool locate(const struct cohfs_sb *cs, u64 blk, u32 *nr, u32 *bit)
{
	u64 group;

	if (blk < cs->geo.first_group || blk >= cs->geo.blocks)
		return false;
	group = div_u64_rem(blk - cs->geo.first_group, COHFS_GROUP_BLOCKS, bit);
	*nr = group;
	return group < cs->geo.groups;
}

bool cohfs_valid_extent(const struct cohfs_sb *cs, u64 blk, u64 len)
{
	u32 nr, bit;

	return len && locate(cs, blk, &nr, &bit) && bit &&
	       len <= group_blocks(cs, nr) - bit;
}

u64 cohfs_group_end(const struct cohfs_sb *cs, u64 blk)
{
	u32 nr, bit;

	if (!locate(cs, blk, &nr, &bit))
		return 0;
	return group_first(cs, nr) + group_blocks(cs, nr);
}

/* Bitmaps ------------------------------------------------------------------ */

static struct cohfs_group *group_block(const struct cohfs_group_obj *go)
{
	return (struct cohfs_group *)go->bh->b_data;
}

static u32 group_nbits(const struct cohfs_group_obj *go)
{
	return le32_to_cpu(group_block(go)->g_blocks);
}

/**
 * struct scan - a question to the bitmap of a reserved group
 * @goal, @want: in, see cohfs_bitmap_find()
 * @free: out, blocks that may be allocated now
 * @start, @len: out, the run found; @len 0 for none
 */
struct scan {
	u32 goal;
	u32 want;
	u32 free;
	u32 start;
	u32 len;
};

static void scan_maps(const struct cohfs_group_obj *go, const u8 *committed,
		      struct scan *sc)
{
	const u8 *map = group_block(go)->g_bitmap;
	u32 nbits = group_nbits(go);

	sc->free = cohfs_bitmap_free(map, committed, nbits);
	if (!cohfs_bitmap_find(map, committed, nbits, sc->goal, sc->want, &sc->start,
			       &sc->len))
		sc->len = 0;
}

static void scan_group(struct cohfs_group_obj *go, struct scan *sc)
{
	const struct cohfs_group *committed;
	struct journal_head *jh;

	lockdep_assert_held(&go->mutex);
	jh = jbd2_journal_grab_journal_head(go->bh);
	if (!jh) {
		scan_maps(go, NULL, sc);
		return;
	}
	/* b_state_lock: the commit thread replaces and frees b_committed_data */
	spin_lock(&jh->b_state_lock);
	committed = (const struct cohfs_group *)jh->b_committed_data;
	scan_maps(go, committed ? committed->g_bitmap : NULL, sc);
	spin_unlock(&jh->b_state_lock);
	jbd2_journal_put_journal_head(jh);
}

/* Group objects ------------------------------------------------------------ */

static struct cohfs_group_obj *group_create(struct cohfs_sb *cs, u32 nr)
{
	struct cohfs_group_obj *go = kzalloc(sizeof(*go), GFP_NOFS);
	int err;

	if (!go)
		return ERR_PTR(-ENOMEM);
	go->nr = nr;
	go->free = FREE_UNKNOWN;
	go->next = 1;
	mutex_init(&go->mutex);
	go->obj = cohfs_object_create(cs, COHFS_LT_GROUP, nr, NULL);
	if (IS_ERR(go->obj)) {
		err = PTR_ERR(go->obj);
		goto err_object;
	}
	err = xa_err(xa_store(&cs->groups->objs, nr, go, GFP_NOFS));
	if (err)
		goto err_store;
	return go;

err_store:
	cohfs_object_drop(go->obj);
err_object:
	mutex_destroy(&go->mutex);
	kfree(go);
	return ERR_PTR(err);
}

static struct cohfs_group_obj *group_get(struct cohfs_sb *cs, u32 nr)
{
	struct cohfs_groups *groups = cs->groups;
	struct cohfs_group_obj *go = xa_load(&groups->objs, nr);

	if (go)
		return go;
	mutex_lock(&groups->create_mutex);
	go = xa_load(&groups->objs, nr);
	if (!go)
		go = group_create(cs, nr);
	mutex_unlock(&groups->create_mutex);
	return go;
}

static struct cohfs_sb *group_sb(const struct cohfs_group_obj *go)
{
	return go->obj->cs;
}

static int group_read(struct cohfs_group_obj *go)
{
	struct cohfs_sb *cs = group_sb(go);
	u64 blkno = group_first(cs, go->nr);
	struct buffer_head *bh;

	bh = cohfs_meta_read(cs, &go->obj->meta, blkno, COHFS_BT_GROUP, go->nr);
	if (IS_ERR(bh))
		return PTR_ERR(bh);
	go->bh = bh;
	if (group_nbits(go) == group_blocks(cs, go->nr))
		return 0;
	go->bh = NULL;
	brelse(bh);
	return cohfs_corrupt(cs->sb, blkno, "group size differs from the superblock's");
}

static void group_unlock(struct cohfs_group_obj *go)
{
	WRITE_ONCE(go->free, le32_to_cpu(group_block(go)->g_free));
	brelse(go->bh);
	go->bh = NULL;
	cohfs_object_unlock(go->obj, COHFS_EX);
	mutex_unlock(&go->mutex);
}

/* The group's mutex is held; on failure it is released. */
static int group_lock(struct cohfs_group_obj *go, unsigned int lock_flags)
{
	int err;

	lockdep_assert_held(&go->mutex);
	err = cohfs_lock_acquire(&go->obj->lk, COHFS_EX, lock_flags);
	if (err)
		goto err_lock;
	err = group_read(go);
	if (err)
		goto err_read;
	return 0;

err_read:
	cohfs_object_unlock(go->obj, COHFS_EX);
err_lock:
	mutex_unlock(&go->mutex);
	return err;
}

/* Reservations ------------------------------------------------------------- */

/**
 * struct search - one cohfs_alloc_reserve()
 * @min, @run: what a group must offer: free blocks, and one run of this length
 * @busy: cached groups passed over because another local task had them
 * @pending: some group has freed blocks that a commit would make usable
 */
struct search {
	u32 min;
	u32 run;
	unsigned int busy;
	bool pending;
};

static int try_lock(struct cohfs_group_obj *go, enum effort effort, struct search *se)
{
	static const unsigned int lock_flags[NR_EFFORTS] = {
		[EFFORT_CACHED] = COHFS_LK_TRY,
		[EFFORT_CACHED_WAIT] = COHFS_LK_TRY,
		[EFFORT_NOQUEUE] = COHFS_LK_NOQUEUE,
	};

	if (effort == EFFORT_CACHED_WAIT || effort == EFFORT_WAIT) {
		if (mutex_lock_killable(&go->mutex))
			return -EINTR;
	} else if (!mutex_trylock(&go->mutex)) {
		se->busy++;
		return -EAGAIN;
	}
	return group_lock(go, lock_flags[effort]);
}

/* Return: 0 locked and good enough, -EAGAIN go on, other errors end the search */
static int try_group(struct cohfs_sb *cs, u32 nr, enum effort effort,
		     struct search *se, struct cohfs_resv *resv)
{
	struct scan sc = { .goal = U32_MAX, .want = se->run };
	struct cohfs_group_obj *go;
	int err;

	if (effort < EFFORT_NOQUEUE) {
		go = xa_load(&cs->groups->objs, nr);
		if (!go || cohfs_lock_cached(&go->obj->lk) != COHFS_EX)
			return -EAGAIN;
	} else {
		go = group_get(cs, nr);
		if (IS_ERR(go))
			return PTR_ERR(go);
	}
	if (effort != EFFORT_WAIT && READ_ONCE(go->free) < se->min)
		return -EAGAIN;
	err = try_lock(go, effort, se);
	if (err)
		return err;
	scan_group(go, &sc);
	if (sc.free >= se->min && sc.len >= se->run) {
		resv->groups[0] = go;
		resv->count = 1;
		return 0;
	}
	if (le32_to_cpu(group_block(go)->g_free) > sc.free)
		se->pending = true;
	group_unlock(go);
	return -EAGAIN;
}

/* Every group from @first on, once around */
static int try_groups(struct cohfs_sb *cs, u32 first, enum effort effort,
		      struct search *se, struct cohfs_resv *resv)
{
	u32 i;
	int err;

	for (i = 0; i < cs->geo.groups; i++) {
		err = try_group(cs, (first + i) % cs->geo.groups, effort, se, resv);
		if (err != -EAGAIN)
			return err;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return -EAGAIN;
}

/*
 * Cached groups are looked up in the (short) list of group objects only: this runs
 * for every allocation, and there may be a hundred thousand groups.
 */
static int try_cached(struct cohfs_sb *cs, u32 first, enum effort effort,
		      struct search *se, struct cohfs_resv *resv)
{
	unsigned long nr;
	void *go;
	int err;

	xa_for_each_start(&cs->groups->objs, nr, go, first) {
		err = try_group(cs, nr, effort, se, resv);
		if (err != -EAGAIN)
			return err;
	}
	if (!first)
		return -EAGAIN;
	xa_for_each_range(&cs->groups->objs, nr, go, 0, first - 1) {
		err = try_group(cs, nr, effort, se, resv);
		if (err != -EAGAIN)
			return err;
	}
	return -EAGAIN;
}

/*
 * A group that lies idle is taken along unasked only while this node has few that
 * are busy; with SPREAD of them its tasks queue for each other, so that one node
 * does not end up with the whole device.
 */
static int search_groups(struct cohfs_sb *cs, u32 first, struct search *se,
			 struct cohfs_resv *resv)
{
	int err;

	err = try_cached(cs, first, EFFORT_CACHED, se, resv);
	if (err == -EAGAIN && se->busy >= SPREAD)
		err = try_cached(cs, first, EFFORT_CACHED_WAIT, se, resv);
	if (err == -EAGAIN)
		err = try_groups(cs, first, EFFORT_NOQUEUE, se, resv);
	if (err == -EAGAIN)
		err = try_groups(cs, first, EFFORT_WAIT, se, resv);
	return err;
}

int cohfs_alloc_reserve_run(struct cohfs_sb *cs, u64 goal, u32 min, u32 run,
			    struct cohfs_resv *resv)
{
	struct search se = { .min = max(min, 1U), .run = max(run, 1U) };
	struct cohfs_groups *groups = cs->groups;
	u32 first, bit;
	int err;

	memset(resv, 0, sizeof(*resv));
	if (!locate(cs, goal, &first, &bit))
		first = READ_ONCE(groups->current_nr);
	err = search_groups(cs, first, &se, resv);
	if (err == -EAGAIN && se.pending) {
		/* full but for blocks whose freeing is not durable yet */
		err = cohfs_log_commit(cs, true);
		if (!err)
			err = search_groups(cs, first, &se, resv);
	}
	if (err)
		return err == -EAGAIN ? -ENOSPC : err;
	if (!goal)
		WRITE_ONCE(groups->current_nr, resv->groups[0]->nr);
	resv->credits = 2;	/* group block, slot block */
	return 0;
}

int cohfs_alloc_reserve(struct cohfs_sb *cs, u64 goal, u32 min,
			struct cohfs_resv *resv)
{
	return cohfs_alloc_reserve_run(cs, goal, min, 1, resv);
}

static int compare_nr(const void *a, const void *b)
{
	u32 x = *(const u32 *)a, y = *(const u32 *)b;

	return x < y ? -1 : x > y;
}

/* Group numbers of @blocks, ascending, each once.  Return: how many, or an error */
static int groups_of(struct cohfs_sb *cs, const u64 *blocks, unsigned int n, u32 *nrs)
{
	unsigned int i, count = 0;
	u32 bit;

	if (WARN_ON_ONCE(n > COHFS_RESV_GROUPS))
		return -EINVAL;
	for (i = 0; i < n; i++)
		if (!locate(cs, blocks[i], &nrs[i], &bit) || !bit)
			return cohfs_corrupt(cs->sb, blocks[i],
					     "block to free lies in no group");
	sort(nrs, n, sizeof(*nrs), compare_nr, NULL);
	for (i = 0; i < n; i++)
		if (!count || nrs[i] != nrs[count - 1])
			nrs[count++] = nrs[i];
	return count;
}

/* Mutexes of all @nrs in @resv; on failure none */
static int lock_mutexes(struct cohfs_sb *cs, const u32 *nrs, int count,
			struct cohfs_resv *resv)
{
	struct cohfs_group_obj *go;
	int err = 0;
	int i;

	for (i = 0; i < count; i++) {
		go = group_get(cs, nrs[i]);
		if (IS_ERR(go))
			err = PTR_ERR(go);
		else if (mutex_lock_killable_nested(&go->mutex, i))
			err = -EINTR;
		if (err)
			break;
		resv->groups[i] = go;
	}
	while (err && i--)
		mutex_unlock(&resv->groups[i]->mutex);
	return err;
}

/* Local side first, all of it: a mutex is never waited for with some G in hand. */
int cohfs_free_reserve(struct cohfs_sb *cs, const u64 *blocks, unsigned int n,
		       struct cohfs_resv *resv)
{
	u32 nrs[COHFS_RESV_GROUPS];
	int count, err, i;

	memset(resv, 0, sizeof(*resv));
	count = groups_of(cs, blocks, n, nrs);
	if (count < 0)
		return count;
	err = lock_mutexes(cs, nrs, count, resv);
	if (err)
		return err;
	for (i = 0; i < count; i++) {
		err = group_lock(resv->groups[i], 0);
		if (err)
			break;
		resv->count++;
	}
	if (!err) {
		resv->credits = count + 1;
		return 0;
	}
	while (++i < count)
		mutex_unlock(&resv->groups[i]->mutex);
	cohfs_resv_end(cs, resv);
	return err;
}

static struct cohfs_group_obj *resv_group(const struct cohfs_resv *resv, u32 nr)
{
	unsigned int i;

	for (i = 0; i < resv->count; i++)
		if (resv->groups[i]->nr == nr)
			return resv->groups[i];
	return NULL;
}

bool cohfs_resv_has(struct cohfs_sb *cs, const struct cohfs_resv *resv, u64 blk)
{
	u32 nr, bit;

	return locate(cs, blk, &nr, &bit) && resv_group(resv, nr);
}

void cohfs_resv_end(struct cohfs_sb *cs, struct cohfs_resv *resv)
{
	while (resv->count)
		group_unlock(resv->groups[--resv->count]);
	resv->credits = 0;
}

/* In a transaction --------------------------------------------------------- */

/* The bitmap has changed: by @delta free blocks */
static int group_changed(handle_t *handle, struct cohfs_group_obj *go, s64 delta)
{
	struct cohfs_sb *cs = group_sb(go);
	int err;

	le32_add_cpu(&group_block(go)->g_free, delta);
	err = cohfs_meta_dirty(handle, cs, &go->obj->meta, go->bh);
	return err ? err : cohfs_slot_count_free(handle, cs, delta);
}

/*
 * A caller with a goal wants the blocks right there, however few.  Without one the
 * place behind the last allocation is as good as any, unless a longer run can be had.
 */
static void choose_run(struct cohfs_group_obj *go, bool has_goal, struct scan *sc)
{
	struct scan longer = { .goal = U32_MAX, .want = sc->want };

	if (!has_goal)
		sc->goal = go->next;
	scan_group(go, sc);
	if (has_goal || sc->len == sc->want)
		return;
	scan_group(go, &longer);
	if (longer.len > sc->len)
		*sc = longer;
}

static int take_run(handle_t *handle, struct cohfs_group_obj *go,
		    const struct scan *sc)
{
	struct cohfs_sb *cs = group_sb(go);
	int err;

	err = cohfs_meta_access_bitmap(handle, go->bh);
	if (err)
		return err;
	err = cohfs_bitmap_set(group_block(go)->g_bitmap, group_nbits(go), sc->start,
			       sc->len);
	if (err) {
		cohfs_withdraw(cs, "group %u: free blocks are in use", go->nr);
		return -EIO;
	}
	go->next = sc->start + sc->len;
	return group_changed(handle, go, -(s64)sc->len);
}

int cohfs_alloc_extent(handle_t *handle, struct cohfs_resv *resv, u64 goal,
		       u32 want, u32 leave, u64 *blk, u32 *len)
{
	struct cohfs_sb *cs = cohfs_trans_sb(handle);
	struct scan sc = { .want = want };
	struct cohfs_group_obj *go;
	bool has_goal;
	unsigned int i;
	u32 nr;

	for (i = 0; i < resv->count; i++) {
		go = resv->groups[i];
		has_goal = locate(cs, goal, &nr, &sc.goal) && nr == go->nr;
		choose_run(go, has_goal, &sc);
		if (!sc.len || sc.free <= leave)
			continue;
		sc.len = min(sc.len, sc.free - leave);
		*blk = group_first(cs, go->nr) + sc.start;
		*len = sc.len;
		return take_run(handle, go, &sc);
	}
	return -ENOSPC;
}

/*
 * Blocks that are free already, or belong to no inode, mean that something pointed
 * at them wrongly.  Nothing of the group has been changed then, but earlier steps of
 * the transaction have been.
 */
int cohfs_free_extent(handle_t *handle, struct cohfs_resv *resv, u64 blk, u32 len)
{
	struct cohfs_sb *cs = cohfs_trans_sb(handle);
	struct cohfs_group_obj *go;
	u32 nr = 0, bit = 0;
	int err;

	if (!cohfs_valid_extent(cs, blk, len) || !locate(cs, blk, &nr, &bit))
		return cohfs_corrupt(cs->sb, blk, "blocks to free lie in no group");
	go = resv_group(resv, nr);
	if (WARN_ON_ONCE(!go))
		return -EINVAL;
	err = cohfs_meta_access_bitmap(handle, go->bh);
	if (err)
		return err;
	err = cohfs_bitmap_clear(group_block(go)->g_bitmap, group_nbits(go), bit, len);
	if (err)
		return cohfs_corrupt(cs->sb, blk, "blocks to free are free already");
	return group_changed(handle, go, len);
}

/* Mount -------------------------------------------------------------------- */

int cohfs_groups_init(struct cohfs_sb *cs)
{
	struct cohfs_groups *groups = kzalloc(sizeof(*groups), GFP_KERNEL);

	if (!groups)
		return -ENOMEM;
	xa_init(&groups->objs);
	mutex_init(&groups->create_mutex);
	groups->current_nr = div_u64((u64)cs->slot * cs->geo.groups, cs->geo.slots);
	cs->groups = groups;
	return 0;
}

void cohfs_groups_exit(struct cohfs_sb *cs)
{
	struct cohfs_groups *groups = cs->groups;
	struct cohfs_group_obj *go;
	unsigned long nr;

	if (!groups)
		return;
	cs->groups = NULL;
	xa_for_each(&groups->objs, nr, go) {
		cohfs_object_drop(go->obj);
		kfree(go);
	}
	xa_destroy(&groups->objs);
	kfree(groups);
}
