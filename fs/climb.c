// SPDX-License-Identifier: GPL-2.0-only
/*
 * The way back from many range locks to few, a file at a time:
 *
 * - an intent on the whole file that was not used for some seconds is let go, with
 *   what is below, so that an idle node is in nobody's way.  Loads and stores through
 *   page tables show nowhere; before an intent counts as unused the file is unmapped
 *   once, and who still uses it comes back with a fault.
 * - an intent on a region with nothing below is let go.
 * - whoever has an intent asks for the whole again, NOQUEUE: nobody is disturbed, and
 *   the less often it works the less often it is tried.
 * - locks below a whole one are let go, some at a time.
 */
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include "climb.h"
#include "inode.h"
#include "range.h"
#include "rcache.h"
#include "rnode.h"
#include "trace.h"

#define DROP_BATCH	64	/* locks of one file let go at a time */
#define REGION_BATCH	64	/* regions of one file visited at a time */

static bool older_than(unsigned long when, unsigned int ms)
{
	return time_after(jiffies, when + msecs_to_jiffies(ms));
}

static bool idle_since(unsigned long when)
{
	return older_than(when, READ_ONCE(cohfs_range_tunables.idle_ms));
}

/* Up ---------------------------------------------------------------------------------- */

void cohfs_climb_put_off(struct cohfs_rnode *node)
{
	unsigned int least = READ_ONCE(cohfs_range_tunables.climb_ms);

	cohfs_rt_climb_met(&node->parent->climb, get_jiffies_64(), msecs_to_jiffies(least));
}

/* What is above @node is held. */
static int climb_locked(struct inode *inode, struct cohfs_rnode *node, enum cohfs_mode mode)
{
	int err = cohfs_lock_acquire(&node->lk, mode, COHFS_LK_NOQUEUE | COHFS_LK_NOINTR |
				     COHFS_LK_CLIMB);

	if (!err) {
		WRITE_ONCE(node->valid, true);
		WRITE_ONCE(node->shared, false);
		cohfs_lock_release(&node->lk, mode);
	} else {
		cohfs_rt_climb_failed(&node->parent->climb, get_jiffies_64(),
				      msecs_to_jiffies(READ_ONCE(
						cohfs_range_tunables.climb_max_ms)));
	}
	trace_cohfs_range_climb(inode, node->level, node->index, mode, err);
	return err;
}

static void climb_under(struct inode *inode, struct cohfs_rnode *node, enum cohfs_mode mode)
{
	struct cohfs_rnode *root = COHFS_I(inode)->ci_ranges.root;
	enum cohfs_mode intent = cohfs_rt_intent(mode);

	if (node == root) {
		climb_locked(inode, node, mode);
	} else if (!cohfs_lock_acquire(&root->lk, intent, COHFS_LK_TRY)) {
		if (READ_ONCE(root->valid))
			climb_locked(inode, node, mode);
		cohfs_lock_release(&root->lk, intent);
	}
}

/*
 * All of @node in one lock again, if nobody minds.  I tells that i_size is true for
 * what was not ours until now; if it is not here, somebody else is.
 */
static void climb(struct inode *inode, struct cohfs_rnode *node, enum cohfs_mode mode)
{
	struct cohfs_rtree *tree = &COHFS_I(inode)->ci_ranges;

	/* only a try: revokes may take long, and nobody needs what is done here */
	if (!cohfs_rt_climb_due(&node->parent->climb, get_jiffies_64()) ||
	    !down_write_trylock(&tree->sem))
		return;
	if (cohfs_attr_trylock(inode)) {
		climb_under(inode, node, mode);
		cohfs_attr_unlock_done(inode, COHFS_PR);
	}
	up_write(&tree->sem);
}

/* Away -------------------------------------------------------------------------------- */

/* Unmapped, a file in use is seen to be: false as long as that is not known. */
static bool unused(struct inode *inode, struct cohfs_rnode *root)
{
	struct cohfs_rtree *tree = &COHFS_I(inode)->ci_ranges;
	unsigned long used = READ_ONCE(root->used);

	if (tree->sampled && time_after(used, tree->sampled))
		tree->sampled = 0;
	if (!idle_since(used))
		return false;
	if (!mapping_mapped(inode->i_mapping))
		return true;
	if (tree->sampled)
		return idle_since(tree->sampled);
	tree->sampled = jiffies ? : 1;
	unmap_mapping_range(inode->i_mapping, 0, 0, 0);
	return false;
}

/* Let go of up to DROP_BATCH locks of pages @first..@last that nobody needs; true: more. */
static bool drop_below(struct inode *inode, enum cohfs_rt_level level, pgoff_t first,
		       pgoff_t last, unsigned int *done)
{
	u64 index = cohfs_rt_index(level, first), end = cohfs_rt_index(level, last);
	struct cohfs_rnode *node;

	while ((node = cohfs_rnode_next(inode, level, index, end))) {
		index = node->index + 1;
		cohfs_rnode_unpin(node);
		if ((*done)++ == DROP_BATCH)
			return true;
		/* nobody but this worker, and eviction, takes nodes out */
		if (!cohfs_rnode_forget(inode, node))
			cohfs_lock_recall(&node->lk, COHFS_EX);
	}
	return false;
}

/* Children that nobody needs; true if some are left. */
static bool drop_children(struct inode *inode)
{
	unsigned int level, done = 0;

	for (level = COHFS_RT_PAGE; level > COHFS_RT_FILE; level--)
		if (drop_below(inode, level, 0, COHFS_RANGE_END, &done))
			return true;
	return done;
}

/* Is anything below @region granted, or was lately?  Forgets what is not. */
static bool has_children(struct inode *inode, struct cohfs_rnode *region)
{
	u64 index = cohfs_rnode_first(region), last = cohfs_rnode_last(region);
	unsigned int soon = READ_ONCE(cohfs_range_tunables.climb_ms);
	struct cohfs_rnode *page;

	while ((page = cohfs_rnode_next(inode, COHFS_RT_PAGE, index, last))) {
		bool there = cohfs_lock_cached(&page->lk) != COHFS_NL ||
			     !older_than(READ_ONCE(page->used), soon);

		index = page->index + 1;
		cohfs_rnode_unpin(page);
		if (there || !cohfs_rnode_forget(inode, page))
			return true;
	}
	return false;
}

/* Visits ------------------------------------------------------------------------------ */

static void visit_region(struct inode *inode, struct cohfs_rnode *region)
{
	enum cohfs_mode mode = cohfs_lock_usable(&region->lk);
	unsigned int soon = READ_ONCE(cohfs_range_tunables.climb_ms);
	unsigned int done = 0;

	switch (mode) {
	case COHFS_NL:
		break;
	case COHFS_CR:
	case COHFS_CW:
		if (has_children(inode, region))
			climb(inode, region, mode == COHFS_CR ? COHFS_PR : COHFS_EX);
		else if (older_than(READ_ONCE(region->used), soon))
			cohfs_lock_recall(&region->lk, COHFS_EX);
		break;
	default:
		drop_below(inode, COHFS_RT_PAGE, cohfs_rnode_first(region),
			   cohfs_rnode_last(region), &done);
	}
}

/* Some of them, from where the last visit ended. */
static void visit_regions(struct inode *inode)
{
	struct cohfs_rtree *tree = &COHFS_I(inode)->ci_ranges;
	struct cohfs_rnode *region;
	unsigned int nr;

	for (nr = 0; nr < REGION_BATCH; nr++) {
		region = cohfs_rnode_next(inode, COHFS_RT_REGION, tree->next_region, U64_MAX);
		if (!region) {
			tree->next_region = 0;
			break;
		}
		tree->next_region = region->index + 1;
		visit_region(inode, region);
		cohfs_rnode_unpin(region);
	}
}

bool cohfs_climb_visit(struct inode *inode)
{
	struct cohfs_rnode *root = COHFS_I(inode)->ci_ranges.root;
	enum cohfs_mode mode = cohfs_lock_usable(&root->lk);

	switch (mode) {
	case COHFS_CR:
	case COHFS_CW:
		if (unused(inode, root)) {
			cohfs_lock_recall(&root->lk, COHFS_EX);
		} else {
			climb(inode, root, mode == COHFS_CR ? COHFS_PR : COHFS_EX);
			visit_regions(inode);
		}
		return true;
	case COHFS_NL:
		if (!idle_since(READ_ONCE(root->used)))
			return true;
		WRITE_ONCE(root->shared, false);
		return drop_children(inode);
	case COHFS_EX:
		/* after a truncate, say: whoever was there has let go */
		WRITE_ONCE(root->shared, false);
		return drop_children(inode);
	default:
		return drop_children(inode);
	}
}
