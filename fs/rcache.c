// SPDX-License-Identifier: GPL-2.0-only
/*
 * A worker looks at the files that are shared with other nodes once a second (climb.c),
 * and keeps the number of locks in bounds, on its own and when memory is short: least
 * recently used first, those under mapped pages last.
 *
 * Nothing here is needed for correctness; every step is the same as if another node
 * had asked.
 */
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/pagevec.h>
#include <linux/shrinker.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include "climb.h"
#include "cover.h"
#include "inode.h"
#include "rcache.h"
#include "rnode.h"
#include "super.h"
#include "trace.h"

#define PERIOD		HZ

struct cohfs_range_tunables cohfs_range_tunables = {
	.split_max = 64,
	.idle_ms = 5000,
	.climb_ms = 1000,
	.climb_max_ms = 64000,
	.locks_max = 65536,
};

/**
 * struct cohfs_rcache - of a mount
 * @lock: protects the lists; nothing is taken under it
 * @lru: locks of parts of files
 * @files: struct cohfs_rtree.link: files that other nodes were met in
 * @asked: what the shrinker wants to go
 * @work: disabled once inodes are about to go
 */
struct cohfs_rcache {
	struct cohfs_sb *cs;
	spinlock_t lock;
	struct list_head lru;
	struct list_head files;
	unsigned long nr;
	atomic_long_t asked;
	struct delayed_work work;
	struct shrinker *shrinker;
};

/* Lists ------------------------------------------------------------------------------- */

static void kick(struct cohfs_rcache *rc)
{
	queue_delayed_work(system_unbound_wq, &rc->work, PERIOD);
}

static void watch_file(struct cohfs_rcache *rc, struct inode *inode)
{
	struct cohfs_rtree *tree = &COHFS_I(inode)->ci_ranges;

	if (!list_empty_careful(&tree->link))
		return;
	spin_lock(&rc->lock);
	if (list_empty(&tree->link))
		list_add_tail(&tree->link, &rc->files);
	spin_unlock(&rc->lock);
	kick(rc);
}

void cohfs_rcache_add(struct cohfs_rnode *node, struct inode *inode)
{
	struct cohfs_rcache *rc = node->cs->rcache;

	spin_lock(&rc->lock);
	list_add_tail(&node->lru, &rc->lru);
	rc->nr++;
	spin_unlock(&rc->lock);
	watch_file(rc, inode);
}

void cohfs_rcache_del(struct cohfs_rnode *node)
{
	struct cohfs_rcache *rc = node->cs->rcache;

	spin_lock(&rc->lock);
	if (!list_empty(&node->lru)) {
		list_del_init(&node->lru);
		rc->nr--;
	}
	spin_unlock(&rc->lock);
}

void cohfs_rcache_forget_file(struct inode *inode)
{
	struct cohfs_rcache *rc = COHFS_SB(inode->i_sb)->rcache;

	spin_lock(&rc->lock);
	list_del_init(&COHFS_I(inode)->ci_ranges.link);
	spin_unlock(&rc->lock);
}

void cohfs_rcache_met(struct inode *inode, struct cohfs_rnode *node)
{
	WRITE_ONCE(node->shared, true);
	if (node->level != COHFS_RT_PAGE)
		cohfs_climb_put_off(node);
	watch_file(node->cs->rcache, inode);
}

unsigned long cohfs_rcache_locks(struct cohfs_sb *cs)
{
	return READ_ONCE(cs->rcache->nr);
}

/* Files ------------------------------------------------------------------------------- */

static struct inode *next_file(struct cohfs_rcache *rc, struct list_head *batch)
{
	struct inode *inode = NULL;
	struct cohfs_inode *ci;

	spin_lock(&rc->lock);
	while (!inode && !list_empty(batch)) {
		ci = list_first_entry(batch, struct cohfs_inode, ci_ranges.link);
		inode = igrab(&ci->ci_vfs);
		list_del_init(&ci->ci_ranges.link);
	}
	spin_unlock(&rc->lock);
	return inode;
}

static void visit_files(struct cohfs_rcache *rc)
{
	struct inode *inode;
	LIST_HEAD(batch);

	spin_lock(&rc->lock);
	list_splice_init(&rc->files, &batch);
	spin_unlock(&rc->lock);
	while ((inode = next_file(rc, &batch))) {
		if (cohfs_climb_visit(inode))
			watch_file(rc, inode);
		iput(inode);
		cond_resched();
	}
}

/* Bounds ------------------------------------------------------------------------------ */

static bool under_mapped_page(struct inode *inode, struct cohfs_rnode *node)
{
	pgoff_t index = cohfs_rnode_first(node);
	struct folio_batch batch;
	bool mapped = false;
	unsigned int i;

	if (!mapping_mapped(inode->i_mapping))
		return false;
	folio_batch_init(&batch);
	filemap_get_folios(inode->i_mapping, &index, cohfs_rnode_last(node), &batch);
	for (i = 0; i < folio_batch_count(&batch); i++)
		mapped |= folio_mapped(batch.folios[i]);
	folio_batch_release(&batch);
	return mapped;
}

/* Next in line, with a reference; NULL if there is none. */
static struct cohfs_rnode *oldest(struct cohfs_rcache *rc)
{
	struct cohfs_rnode *node;

	spin_lock(&rc->lock);
	node = list_first_entry_or_null(&rc->lru, struct cohfs_rnode, lru);
	if (node) {
		list_move_tail(&node->lru, &rc->lru);
		cohfs_lock_get(&node->lk);
	}
	spin_unlock(&rc->lock);
	return node;
}

/* Brief holds leave no trace at the locks that they go by: see who comes back. */
static bool used_briefly(struct inode *inode, struct cohfs_rnode *node)
{
	struct cohfs_rnode *region;
	bool used;

	if (node->level != COHFS_RT_PAGE)
		return false;
	region = cohfs_rnode_find(inode, COHFS_RT_REGION,
				  cohfs_rt_index(COHFS_RT_REGION, node->index));
	if (!region)
		return false;
	used = cohfs_cover_forget(region->parent->cover, node->index);
	cohfs_rnode_unpin(region);
	return used;
}

/* Return: true if it is gone, or will be when it is looked at again. */
static bool let_go(struct cohfs_rnode *node, bool mapped_too)
{
	struct inode *inode;
	bool going = false;

	if (READ_ONCE(node->seen)) {
		WRITE_ONCE(node->seen, false);
		return false;
	}
	inode = cohfs_rnode_grab_inode(node);
	if (!inode)
		return true;
	if (cohfs_rnode_forget(inode, node)) {
		going = true;
	} else if (!atomic_read(&node->pins) && !used_briefly(inode, node) &&
		   (mapped_too || !under_mapped_page(inode, node))) {
		cohfs_lock_recall(&node->lk, COHFS_EX);
		going = true;
	}
	iput(inode);
	return going;
}

/* Recalled in one round, forgotten in the next. */
static void reclaim(struct cohfs_rcache *rc, unsigned long want)
{
	unsigned long look = READ_ONCE(rc->nr) * 3, given = READ_ONCE(rc->nr) * 2;
	struct cohfs_rnode *node;

	while (want && look-- && (node = oldest(rc))) {
		if (let_go(node, look < given))
			want--;
		cohfs_lock_put(&node->lk);
		cond_resched();
	}
}

static void rcache_work(struct work_struct *work)
{
	struct cohfs_rcache *rc = container_of(to_delayed_work(work),
					       struct cohfs_rcache, work);
	unsigned long max = READ_ONCE(cohfs_range_tunables.locks_max);
	unsigned long want = atomic_long_xchg(&rc->asked, 0);

	if (rc->nr > max)
		want = max(want, rc->nr - max);
	visit_files(rc);
	reclaim(rc, want);
	if (!list_empty_careful(&rc->files) || rc->nr > max)
		kick(rc);
}

static unsigned long shrink_count(struct shrinker *shrinker, struct shrink_control *sc)
{
	struct cohfs_rcache *rc = shrinker->private_data;

	return READ_ONCE(rc->nr);
}

/* Letting go takes write-back and messages: not in the context of who needs memory. */
static unsigned long shrink_scan(struct shrinker *shrinker, struct shrink_control *sc)
{
	struct cohfs_rcache *rc = shrinker->private_data;

	atomic_long_add(sc->nr_to_scan, &rc->asked);
	mod_delayed_work(system_unbound_wq, &rc->work, 0);
	return SHRINK_STOP;
}

/* Life -------------------------------------------------------------------------------- */

int cohfs_rcache_init(struct cohfs_sb *cs)
{
	struct cohfs_rcache *rc = kzalloc(sizeof(*rc), GFP_KERNEL);

	if (!rc)
		return -ENOMEM;
	rc->shrinker = shrinker_alloc(0, "cohfs-range:%s", cs->sb->s_id);
	if (!rc->shrinker) {
		kfree(rc);
		return -ENOMEM;
	}
	rc->cs = cs;
	spin_lock_init(&rc->lock);
	INIT_LIST_HEAD(&rc->lru);
	INIT_LIST_HEAD(&rc->files);
	INIT_DELAYED_WORK(&rc->work, rcache_work);
	rc->shrinker->private_data = rc;
	rc->shrinker->count_objects = shrink_count;
	rc->shrinker->scan_objects = shrink_scan;
	cs->rcache = rc;
	shrinker_register(rc->shrinker);
	return 0;
}

void cohfs_rcache_stop(struct cohfs_sb *cs)
{
	struct cohfs_rcache *rc = cs->rcache;

	if (!rc || !rc->shrinker)
		return;
	shrinker_free(rc->shrinker);
	rc->shrinker = NULL;
	disable_delayed_work_sync(&rc->work);
}

void cohfs_rcache_free(struct cohfs_sb *cs)
{
	cohfs_rcache_stop(cs);
	kfree(cs->rcache);
	cs->rcache = NULL;
}
