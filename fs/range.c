// SPDX-License-Identifier: GPL-2.0-only
/*
 * Range locks: who may have pages of a file in core.
 *
 * The invariants that everything else leans on:
 *
 *   a folio is in the page cache and uptodate  =>  its page is covered by PR or EX
 *   a folio is dirty or a PTE is writable      =>  its page is covered by EX
 *   an extent map entry exists                 =>  its page is covered by PR or EX
 *   a folio has more than one page             =>  one lock covers all of them
 *
 * "Covered" means: some lock from the root of the file's tree down to the page is
 * granted in that mode, and those above it in the intent.  So a cached folio may be
 * mapped, read or written back without asking anyone, and giving a lock up means
 * making these true for what remains (revoke.c).
 *
 * A hold goes down the tree and takes a lock per level until one covers its pages.
 */
#include <linux/slab.h>
#include "cover.h"
#include "inode.h"
#include "range.h"
#include "rcache.h"
#include "rnode.h"
#include "super.h"
#include "trace.h"

static struct cohfs_rnode *root_of(struct inode *inode)
{
	return COHFS_I(inode)->ci_ranges.root;
}

/* The locks of a hold --------------------------------------------------------------- */

static void hold_init(struct cohfs_range_hold *hold, struct inode *inode, pgoff_t first,
		      pgoff_t last, enum cohfs_mode mode)
{
	hold->inode = inode;
	hold->first = first;
	hold->last = last;
	hold->span_first = first;
	hold->span_last = last;
	hold->mode = mode;
	hold->nr = 0;
	hold->max = ARRAY_SIZE(hold->few);
	hold->refs = hold->few;
	hold->region = NULL;
	INIT_LIST_HEAD(&hold->link);
	hold->task = NULL;
}

/* Room for one more; afterwards hold_push() cannot fail. */
static int hold_reserve(struct cohfs_range_hold *hold)
{
	struct cohfs_range_ref *refs;
	unsigned int max = hold->max * 4;

	if (hold->nr < hold->max)
		return 0;
	refs = kvmalloc_array(max, sizeof(*refs), GFP_NOFS);
	if (!refs)
		return -ENOMEM;
	memcpy(refs, hold->refs, hold->nr * sizeof(*refs));
	if (hold->refs != hold->few)
		kvfree(hold->refs);
	hold->refs = refs;
	hold->max = max;
	return 0;
}

/* @node is held in @mode for the hold and pinned for the caller. */
static void hold_push(struct cohfs_range_hold *hold, struct cohfs_rnode *node,
		      enum cohfs_mode mode)
{
	cohfs_rnode_pin(node);
	cohfs_rnode_touch(node);
	hold->refs[hold->nr].node = node;
	hold->refs[hold->nr].mode = mode;
	hold->nr++;
}

/* What children of @node would have to be kept if it were split? */
static void note_children(struct cohfs_rnode *node, pgoff_t first, pgoff_t last,
			  enum cohfs_mode mode)
{
	if (node->level == COHFS_RT_PAGE)
		return;
	cohfs_rnode_note(node, cohfs_rt_index(node->level + 1, first), mode);
	/* "to the end" is no child, but a way to say all of it */
	if (first != last && last != COHFS_RANGE_END)
		cohfs_rnode_note(node, cohfs_rt_index(node->level + 1, last), mode);
}

/* @node covers [@first, @last], its part of the range, and pages around them. */
static void note_whole(struct cohfs_range_hold *hold, struct cohfs_rnode *node,
		       pgoff_t first, pgoff_t last)
{
	note_children(node, first, last, hold->mode);
	if (first == hold->first)
		hold->span_first = cohfs_rnode_first(node);
	if (last == hold->last)
		hold->span_last = cohfs_rnode_last(node);
}

static void hold_push_whole(struct cohfs_range_hold *hold, struct cohfs_rnode *node,
			    pgoff_t first, pgoff_t last)
{
	hold_push(hold, node, hold->mode);
	note_whole(hold, node, first, last);
	if (node->level == COHFS_RT_REGION)
		cohfs_cover_add_whole(node->parent->cover, hold->mode);
}

/* @child and what is above it is held: from now on brief holds may do. */
static void hold_pushed_child(const struct cohfs_range_hold *hold,
			      const struct cohfs_rnode *node,
			      const struct cohfs_rnode *child)
{
	if (child->level == COHFS_RT_PAGE)
		cohfs_cover_add(node->parent->cover, child->index, hold->mode);
}

/* Brief holds ------------------------------------------------------------------------ */

/* In a file that is not shared one lock does it all, and that is as good. */
static struct cohfs_rnode *brief_region(const struct cohfs_range_hold *hold)
{
	u64 index = cohfs_rt_index(COHFS_RT_REGION, hold->first);
	struct cohfs_rnode *root = root_of(hold->inode);

	if (cohfs_rt_is_whole(cohfs_lock_cached(&root->lk)) ||
	    cohfs_rt_index(COHFS_RT_REGION, hold->last) != index ||
	    cohfs_is_withdrawn(root->cs))
		return NULL;
	return cohfs_rnode_find(hold->inode, COHFS_RT_REGION, index);
}

static bool hold_brief(struct cohfs_range_hold *hold)
{
	struct cohfs_rnode *region = brief_region(hold);
	bool whole;

	if (!region)
		return false;
	if (!cohfs_cover_begin(region->parent->cover, &hold->use, hold->first, hold->last,
			       hold->mode, &whole)) {
		cohfs_rnode_unpin(region);
		return false;
	}
	if (whole)
		note_whole(hold, region, hold->first, hold->last);
	cohfs_rnode_touch(region);
	cohfs_rnode_touch(root_of(hold->inode));
	cohfs_lock_dep_begin(&root_of(hold->inode)->lk);
	hold->region = region;
	return true;
}

static void end_brief(struct cohfs_range_hold *hold)
{
	cohfs_cover_end(hold->region->parent->cover, &hold->use);
	cohfs_lock_dep_end(&root_of(hold->inode)->lk);
	cohfs_rnode_unpin(hold->region);
	hold->region = NULL;
}

/* The end of any of them --------------------------------------------------------------- */

static void hold_end(struct cohfs_range_hold *hold, bool unused)
{
	if (hold->region) {
		end_brief(hold);
		return;
	}
	while (hold->nr) {
		struct cohfs_range_ref *ref = &hold->refs[--hold->nr];

		if (unused)
			cohfs_lock_release_unused(&ref->node->lk, ref->mode);
		else
			cohfs_lock_release(&ref->node->lk, ref->mode);
		cohfs_rnode_unpin(ref->node);
	}
	if (hold->refs != hold->few)
		kvfree(hold->refs);
	hold->refs = hold->few;
	hold->max = ARRAY_SIZE(hold->few);
}

/* What is cached -------------------------------------------------------------------- */

/* Granted to a request that nobody waited for, or below what was given up: not yet. */
static int try_node(struct cohfs_rnode *node, enum cohfs_mode mode, unsigned int how)
{
	int err = cohfs_lock_acquire(&node->lk, mode, how);

	if (err || READ_ONCE(node->valid))
		return err;
	cohfs_lock_release_unused(&node->lk, mode);
	return -EAGAIN;
}

/* Start what a task that waits would ask for first. */
static void ask_node(struct cohfs_rnode *node, const struct cohfs_range_hold *hold,
		     pgoff_t first, pgoff_t last)
{
	enum cohfs_mode mode = hold->mode;

	switch (cohfs_rt_ask(node->level, node->index, cohfs_lock_cached(&node->lk),
			     READ_ONCE(node->shared), first, last, mode)) {
	case COHFS_RT_ASK_TRY:
		return;		/* cannot be asked without waiting for the answer */
	case COHFS_RT_ASK_PART:
		mode = cohfs_rt_intent(mode);
		break;
	case COHFS_RT_ASK_WHOLE:
		break;
	}
	if (!cohfs_lock_acquire(&node->lk, mode, COHFS_LK_ASYNC))
		cohfs_lock_release_unused(&node->lk, mode);
}

static int hold_cached(struct cohfs_range_hold *hold, struct cohfs_rnode *node,
		       pgoff_t first, pgoff_t last, unsigned int flags);

static int hold_cached_children(struct cohfs_range_hold *hold, struct cohfs_rnode *node,
				pgoff_t first, pgoff_t last, unsigned int flags)
{
	enum cohfs_rt_level level = node->level + 1;
	pgoff_t end;
	int err = 0;

	for (; !err; first = end + 1) {
		struct cohfs_rnode *child;

		end = min_t(u64, last,
			    cohfs_rt_last(level, cohfs_rt_index(level, first)));
		child = cohfs_rnode_find(hold->inode, level, cohfs_rt_index(level, first));
		if (!child)
			return -EAGAIN;
		err = hold_cached(hold, child, first, end, flags);
		if (!err)
			hold_pushed_child(hold, node, child);
		cohfs_rnode_unpin(child);
		if (end == last)
			break;
	}
	return err;
}

static bool worth_trying(const struct cohfs_rnode *node, enum cohfs_mode mode)
{
	return cohfs_mode_covers(cohfs_lock_cached(&node->lk), mode);
}

static int hold_cached(struct cohfs_range_hold *hold, struct cohfs_rnode *node,
		       pgoff_t first, pgoff_t last, unsigned int flags)
{
	enum cohfs_mode intent = cohfs_rt_intent(hold->mode);
	unsigned int how = COHFS_LK_TRY;
	int err = hold_reserve(hold);

	if (flags & COHFS_RANGE_KEEP)
		how |= COHFS_LK_KEEP;
	/* no use to try for all of it where only an intent is cached */
	if (!err)
		err = worth_trying(node, hold->mode) ?
			try_node(node, hold->mode, how) : -EAGAIN;
	if (!err) {
		hold_push_whole(hold, node, first, last);
		return 0;
	}
	if (err == -EAGAIN && node->level != COHFS_RT_PAGE) {
		err = try_node(node, intent, how);
		if (!err) {
			hold_push(hold, node, intent);
			return hold_cached_children(hold, node, first, last, flags);
		}
	}
	if (err == -EAGAIN && (flags & COHFS_RANGE_ASYNC))
		ask_node(node, hold, first, last);
	return err;
}

/* What has to be asked for ------------------------------------------------------------ */

/* most requests that are sent before the first answer is waited for */
#define ASK_AHEAD	32

static bool worth_asking_ahead(struct cohfs_rnode *node)
{
	return !READ_ONCE(node->shared) && cohfs_lock_cached(&node->lk) == COHFS_NL;
}

/*
 * Several children at once: ask for all that nobody is known to mind, then wait for
 * the answers.  Nothing is held afterwards, the rights are merely here; those that are
 * not are waited for in order, by whoever needs them.
 */
static void ask_children(struct cohfs_range_hold *hold, enum cohfs_rt_level level,
			 pgoff_t first, pgoff_t last)
{
	u64 index = cohfs_rt_index(level, first), end = cohfs_rt_index(level, last);
	struct cohfs_rnode *node[ASK_AHEAD];
	struct cohfs_lock_call *call;
	unsigned int nr = 0, i;

	call = kmalloc_array(ASK_AHEAD, sizeof(*call), GFP_NOFS);
	if (!call)
		return;
	for (; nr < ASK_AHEAD && index <= end; index++) {
		node[nr] = cohfs_rnode_get(hold->inode, level, index);
		if (IS_ERR(node[nr]))
			break;
		if (!worth_asking_ahead(node[nr])) {
			cohfs_rnode_unpin(node[nr]);
			continue;
		}
		cohfs_lock_acquire_start(&call[nr], &node[nr]->lk, hold->mode,
					 COHFS_LK_NOQUEUE);
		nr++;
	}
	for (i = 0; i < nr; i++) {
		if (!cohfs_lock_acquire_finish(&call[i]))
			cohfs_lock_release_unused(&node[i]->lk, hold->mode);
		cohfs_rnode_unpin(node[i]);
	}
	kfree(call);
}

static int hold_wait(struct cohfs_range_hold *hold, struct cohfs_rnode *node,
		     pgoff_t first, pgoff_t last);

static int hold_wait_children(struct cohfs_range_hold *hold, struct cohfs_rnode *node,
			      pgoff_t first, pgoff_t last)
{
	enum cohfs_rt_level level = node->level + 1;
	unsigned int ahead = 0;
	pgoff_t end;
	int err = 0;

	for (; !err; first = end + 1) {
		struct cohfs_rnode *child;

		end = min_t(u64, last,
			    cohfs_rt_last(level, cohfs_rt_index(level, first)));
		if (end != last && !ahead--) {
			ask_children(hold, level, first, last);
			ahead = ASK_AHEAD - 1;
		}
		child = cohfs_rnode_get(hold->inode, level, cohfs_rt_index(level, first));
		if (IS_ERR(child))
			return PTR_ERR(child);
		err = hold_wait(hold, child, first, end);
		if (!err)
			hold_pushed_child(hold, node, child);
		cohfs_rnode_unpin(child);
		if (end == last)
			break;
	}
	return err;
}

/*
 * Get @node in a mode that covers the pages, if that is the thing to do.
 * Return: 0 held; -EAGAIN: part of it will have to do.
 */
static int wait_whole(struct cohfs_range_hold *hold, struct cohfs_rnode *node,
		      pgoff_t first, pgoff_t last)
{
	int err = cohfs_lock_acquire(&node->lk, hold->mode, COHFS_LK_TRY);

	if (err != -EAGAIN)
		return err;
	switch (cohfs_rt_ask(node->level, node->index, cohfs_lock_cached(&node->lk),
			     READ_ONCE(node->shared), first, last, hold->mode)) {
	case COHFS_RT_ASK_WHOLE:
		return cohfs_lock_acquire(&node->lk, hold->mode, 0);
	case COHFS_RT_ASK_TRY:
		err = cohfs_lock_acquire(&node->lk, hold->mode, COHFS_LK_NOQUEUE);
		if (err == -EAGAIN)
			cohfs_rcache_met(hold->inode, node);
		return err;
	default:
		return -EAGAIN;
	}
}

/*
 * The caller has I, so i_size is true from here to the grant and as long as the range
 * is held: whatever could change it needs these locks, too.
 */
static int hold_wait(struct cohfs_range_hold *hold, struct cohfs_rnode *node,
		     pgoff_t first, pgoff_t last)
{
	enum cohfs_mode intent = cohfs_rt_intent(hold->mode);
	int err = hold_reserve(hold);

	if (!err)
		err = wait_whole(hold, node, first, last);
	if (err == -EAGAIN) {
		err = cohfs_lock_acquire(&node->lk, intent, 0);
		if (err)
			return err;
		/* another task of this node may have got all of it meanwhile */
		if (cohfs_lock_acquire(&node->lk, hold->mode, COHFS_LK_TRY)) {
			WRITE_ONCE(node->valid, true);
			hold_push(hold, node, intent);
			return hold_wait_children(hold, node, first, last);
		}
		cohfs_lock_release(&node->lk, intent);
	}
	if (err)
		return err;
	WRITE_ONCE(node->valid, true);
	hold_push_whole(hold, node, first, last);
	return 0;
}

/*
 * A range that is only just being granted says nothing about the size: somebody may
 * have changed it while we had no right.  Sizes change under I EX *and* D EX, so I PR
 * from before the request until the grant leaves no gap.  It is cached nearly always
 * and then costs no message.
 */
static int range_wait(struct cohfs_range_hold *hold, bool attr_held)
{
	struct inode *inode = hold->inode;
	int err = 0;

	if (!attr_held)
		err = cohfs_attr_lock(inode, COHFS_PR);
	if (err)
		return err;
	err = hold_wait(hold, root_of(inode), hold->first, hold->last);
	if (!attr_held)
		cohfs_attr_unlock_done(inode, COHFS_PR);
	return err;
}

int cohfs_range_lock(struct cohfs_range_hold *hold, struct inode *inode, pgoff_t first,
		     pgoff_t last, enum cohfs_mode mode, unsigned int flags)
{
	const unsigned int no_wait = COHFS_RANGE_TRY | COHFS_RANGE_KEEP |
				     COHFS_RANGE_ASYNC;
	int err;

	hold_init(hold, inode, first, last, mode);
	if ((flags & COHFS_RANGE_BRIEF) && hold_brief(hold))
		return 0;
	err = hold_cached(hold, root_of(inode), first, last, flags);
	if (!err)
		return 0;
	hold_end(hold, true);
	if (err != -EAGAIN || (flags & no_wait))
		return err;
	hold_init(hold, inode, first, last, mode);
	err = range_wait(hold, flags & COHFS_RANGE_ATTR);
	if (err)
		hold_end(hold, true);
	return err;
}

void cohfs_range_unlock(struct cohfs_range_hold *hold)
{
	hold_end(hold, false);
}

void cohfs_range_unlock_unused(struct cohfs_range_hold *hold)
{
	hold_end(hold, true);
}

/* Use ---------------------------------------------------------------------------------- */

void cohfs_range_used(struct inode *inode, pgoff_t index)
{
	struct cohfs_rnode *node = cohfs_rnode_deepest(inode, index);
	struct cohfs_rnode *region;

	/* a load through fault-around shows nowhere else */
	cohfs_rnode_touch(node);
	cohfs_rnode_touch(root_of(inode));
	/* a load does not use up what was promised to a store */
	if (cohfs_lock_cached(&node->lk) <= COHFS_PR) {
		cohfs_lock_used(&node->lk);
		cohfs_lock_used(&root_of(inode)->lk);
		region = node->level == COHFS_RT_PAGE ?
			cohfs_rnode_find(inode, COHFS_RT_REGION,
					 cohfs_rt_index(COHFS_RT_REGION, index)) : NULL;
		if (region) {
			cohfs_lock_used(&region->lk);
			cohfs_rnode_unpin(region);
		}
	}
	cohfs_rnode_unpin(node);
}

/*
 * Does a range migrate, that is, do loads come shortly before stores?  Counts
 * upgrades against EX that went away unused.  Races only blur the guess.
 */
#define MIGRATES	2
#define MIGRATES_MAX	8

bool cohfs_range_migrates(struct inode *inode, pgoff_t index)
{
	struct cohfs_rnode *node = cohfs_rnode_deepest(inode, index);
	bool migrates = READ_ONCE(node->migratory) >= MIGRATES &&
			cohfs_lock_cached(&node->lk) < COHFS_PR;

	cohfs_rnode_unpin(node);
	return migrates;
}

void cohfs_range_note_upgrade(struct inode *inode, pgoff_t index)
{
	struct cohfs_rnode *node = cohfs_rnode_deepest(inode, index);

	if (cohfs_lock_cached(&node->lk) == COHFS_PR && node->migratory < MIGRATES_MAX)
		WRITE_ONCE(node->migratory, node->migratory + 1);
	cohfs_rnode_unpin(node);
}

void cohfs_range_note_store(struct cohfs_range_hold *hold)
{
	unsigned int i;

	for (i = 0; i < hold->nr; i++)
		if (hold->refs[i].mode == COHFS_EX &&
		    !READ_ONCE(hold->refs[i].node->stored))
			WRITE_ONCE(hold->refs[i].node->stored, true);
}

void cohfs_range_note_give_up(struct cohfs_rnode *node)
{
	if (!node->stored && node->migratory)
		WRITE_ONCE(node->migratory, node->migratory - 1);
	WRITE_ONCE(node->stored, false);
}

unsigned int cohfs_range_handovers(struct inode *inode)
{
	return READ_ONCE(COHFS_I(inode)->ci_handovers);
}

bool cohfs_range_shared(struct inode *inode)
{
	return READ_ONCE(root_of(inode)->shared);
}

bool cohfs_range_is_file(const struct cohfs_range_hold *hold)
{
	return hold->nr == 1 && hold->refs[0].node->level == COHFS_RT_FILE;
}

/* Holds by task -------------------------------------------------------------------------- */

void cohfs_range_hold_add(struct cohfs_range_hold *hold)
{
	struct cohfs_inode *ci = COHFS_I(hold->inode);

	hold->task = current;
	spin_lock(&ci->ci_holds_lock);
	list_add(&hold->link, &ci->ci_holds);
	spin_unlock(&ci->ci_holds_lock);
}

void cohfs_range_hold_del(struct cohfs_range_hold *hold)
{
	struct cohfs_inode *ci = COHFS_I(hold->inode);

	spin_lock(&ci->ci_holds_lock);
	list_del(&hold->link);
	spin_unlock(&ci->ci_holds_lock);
}

bool cohfs_range_held(struct inode *inode, pgoff_t index, enum cohfs_mode mode)
{
	struct cohfs_inode *ci = COHFS_I(inode);
	struct cohfs_range_hold *hold;
	bool held = false;

	/* Only the current task adds or removes its own entries. */
	if (list_empty_careful(&ci->ci_holds))
		return false;
	spin_lock(&ci->ci_holds_lock);
	list_for_each_entry(hold, &ci->ci_holds, link) {
		if (hold->task == current && hold->mode >= mode &&
		    index >= hold->first && index <= hold->last) {
			held = true;
			break;
		}
	}
	spin_unlock(&ci->ci_holds_lock);
	return held;
}
