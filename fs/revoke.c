// SPDX-License-Identifier: GPL-2.0-only
/*
 * What it takes to give a range lock up.
 *
 * From EX to PR: write back, so that nothing is dirty and nothing writable.  To NL:
 * nothing in core either.  From "all of it" to "a part of it": the same for whatever
 * is not covered by a child from then on.  The data of a parent's whole span is put
 * in order before the parent goes down; the children's own grants are recalled and go
 * in their own time, they carry nothing any more (not valid).  A child that is granted
 * and not valid can do no harm: to use it a task needs what is above it first.
 *
 * Revokes of one file wait for each other where one is of a parent (rtree.sem):
 * between looking whether something above covers a page and throwing the page away,
 * nothing above may come, and no child may come or go while it is decided what stays.
 */
#include <linux/delay.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/pagevec.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include "cover.h"
#include "inode.h"
#include "range.h"
#include "rcache.h"
#include "rnode.h"
#include "super.h"
#include "trace.h"

/* How long to sit out somebody else's DMA before saying so. */
#define PINNED_REPORT_MS	30000

/* Pages ------------------------------------------------------------------------------- */

/*
 * folio_maybe_dma_pinned() counts PTEs as well; a page that a thousand processes map
 * is not pinned.
 */
static bool folio_is_pinned(struct folio *folio)
{
	if (folio_test_large(folio))
		return folio_maybe_dma_pinned(folio);
	return folio_ref_count(folio) - folio_mapcount(folio) >=
	       GUP_PIN_COUNTING_BIAS;
}

/* First folio of [*@index, @last] that a device may still be writing to. */
static bool find_pinned(struct address_space *mapping, pgoff_t *index, pgoff_t last)
{
	struct folio_batch batch;
	bool found = false;
	unsigned int i;

	folio_batch_init(&batch);
	while (!found && filemap_get_folios(mapping, index, last, &batch)) {
		for (i = 0; i < folio_batch_count(&batch); i++) {
			struct folio *folio = batch.folios[i];

			if (folio_is_pinned(folio)) {
				*index = folio->index;
				found = true;
				break;
			}
		}
		folio_batch_release(&batch);
		cond_resched();
	}
	return found;
}

/*
 * Unmapping does not stop a device that was handed the page by pin_user_pages():
 * wait for it.  Nothing announces the last unpin, so this is the one place that
 * has to look again; pins for I/O are gone within milliseconds.
 */
static bool wait_unpinned(struct inode *inode, pgoff_t first, pgoff_t last)
{
	unsigned int delay_ms = 1, waited_ms = 0;
	bool reported = false, found = false;

	while (find_pinned(inode->i_mapping, &first, last)) {
		found = true;
		trace_cohfs_range_pinned(inode, first, waited_ms);
		if (waited_ms >= PINNED_REPORT_MS && !reported) {
			cohfs_warn(inode->i_sb,
				   "inode %lu page %lu is pinned for DMA for %u s; other nodes wait for it",
				   inode->i_ino, first, waited_ms / 1000);
			reported = true;
		}
		if (cohfs_is_withdrawn(COHFS_SB(inode->i_sb)))
			break;
		msleep(delay_ms);
		waited_ms += delay_ms;
		delay_ms = min(delay_ms * 2, 100U);
	}
	return found;
}

static loff_t end_of(pgoff_t last)
{
	return last >= (LLONG_MAX >> PAGE_SHIFT) ? LLONG_MAX :
			(loff_t)(last << PAGE_SHIFT) + PAGE_SIZE - 1;
}

/* unmap_mapping_range() takes 0 for "to the end" */
static void unmap_pages(struct inode *inode, pgoff_t first, pgoff_t last)
{
	loff_t end = end_of(last);

	unmap_mapping_range(inode->i_mapping, (loff_t)first << PAGE_SHIFT,
			    end == LLONG_MAX ? 0 : end + 1 -
			    ((loff_t)first << PAGE_SHIFT), 0);
}

/*
 * Nothing dirty and nothing writable may remain.
 *
 * A fault that was admitted before the revoke may still be about to install its
 * PTE; it holds the folio lock and has dirtied the folio, so write-back waits for
 * it and write-protects what it installed.  Hence: write-back after the unmap, and
 * the order of the two does not matter for correctness, only for waking fewer
 * stores.  filemap_write_and_wait_range() returns errors of earlier write-back too.
 *
 * Pins are looked for after the write-protection, since until then another one can be
 * had through a writable PTE without a fault; what a pinned page got meanwhile is
 * written in another pass.
 */
static int clean_pages(struct inode *inode, pgoff_t first, pgoff_t last,
		       enum cohfs_mode to)
{
	loff_t start = (loff_t)first << PAGE_SHIFT;
	int err;

	if (to < COHFS_PR)
		unmap_pages(inode, first, last);
	do {
		err = filemap_write_and_wait_range(inode->i_mapping, start,
						   end_of(last));
	} while (!err && wait_unpinned(inode, first, last));
	if (err)
		cohfs_withdraw(COHFS_SB(inode->i_sb),
			       "inode %lu: write-back failed (%d) while another node waits for the data",
			       inode->i_ino, err);
	return err;
}

/*
 * Nobody here may find the data or where it is.  Folios go under their lock and are
 * unmapped once more there, private copies stay.  First the map, then the folios: who
 * reads a folio looks at the map with the folio locked, so either he finds nothing, or
 * his folio is found here.  invalidate_lock keeps read-ahead from adding folios behind
 * the scan.
 */
static void forget_pages(struct inode *inode, pgoff_t first, pgoff_t last)
{
	struct address_space *mapping = inode->i_mapping;

	filemap_invalidate_lock(mapping);
	cohfs_extmap_forget(&COHFS_I(inode)->ci_extmap, first,
			    last == COHFS_RANGE_END ? U64_MAX : last);
	truncate_inode_pages_range(mapping, (loff_t)first << PAGE_SHIFT, end_of(last));
	filemap_invalidate_unlock(mapping);
}

/* Leave the pages as somebody may have them who has @to, at most, of them. */
static int settle_pages(struct inode *inode, pgoff_t first, pgoff_t last,
			enum cohfs_mode to)
{
	int err = clean_pages(inode, first, last, to);

	if (!err && to < COHFS_PR)
		forget_pages(inode, first, last);
	return err;
}

/* Children ---------------------------------------------------------------------------- */

/*
 * What is below [@first, @last] has nothing in core any more: let go of the locks, too.
 * Waits for nobody.
 */
static void recall_pages(struct inode *inode, enum cohfs_rt_level level, pgoff_t first,
			 pgoff_t last, enum cohfs_mode demand)
{
	u64 index, end;

	for (; level < COHFS_NR_RT_LEVELS; level++) {
		struct cohfs_rnode *node;

		index = cohfs_rt_index(level, first);
		end = cohfs_rt_index(level, last);
		while ((node = cohfs_rnode_next(inode, level, index, end))) {
			index = node->index + 1;
			if (demand == COHFS_EX)
				WRITE_ONCE(node->valid, false);
			cohfs_lock_recall(&node->lk, demand);
			cohfs_rnode_unpin(node);
			cond_resched();
		}
	}
}

/*
 * What covers @node's pages from above, NL if nothing does.  A parent whose own revoke is
 * to come, and has not got ->sem yet, counts as before: its brief holds may not have ended,
 * and it will look at what is here.
 */
static enum cohfs_mode covered_above(struct inode *inode, struct cohfs_rnode *node)
{
	struct cohfs_rtree *tree = &COHFS_I(inode)->ci_ranges;
	enum cohfs_mode mode = COHFS_NL;
	struct cohfs_rnode *region;

	if (node->level == COHFS_RT_FILE)
		return COHFS_NL;
	if (READ_ONCE(tree->root->valid))
		mode = cohfs_lock_covering(&tree->root->lk, tree->root->parent->settled);
	if (cohfs_rt_is_whole(mode) || node->level == COHFS_RT_REGION)
		return cohfs_rt_is_whole(mode) ? mode : COHFS_NL;
	mode = COHFS_NL;
	region = cohfs_rnode_find(inode, COHFS_RT_REGION,
				  cohfs_rt_index(COHFS_RT_REGION, node->index));
	if (region) {
		if (READ_ONCE(region->valid))
			mode = cohfs_lock_covering(&region->lk, region->parent->settled);
		cohfs_rnode_unpin(region);
	}
	return cohfs_rt_is_whole(mode) ? mode : COHFS_NL;
}

/* Split ------------------------------------------------------------------------------- */

/* most children that are looked at for signs of use */
#define SPLIT_LOOK	1024
/* so long what was cleaned for the size to follow counts as dirty */
#define CLEANED_MEMORY	(5 * HZ)

struct split {
	struct inode *inode;
	struct cohfs_rnode *node;
	enum cohfs_rt_level level;	/* of the children */
	enum cohfs_mode cap;		/* most that a child may keep */
	struct cohfs_rt_keep *keep;
	unsigned int nr;
	unsigned int max;
};

static bool split_keep(struct split *split, u64 index, enum cohfs_mode mode)
{
	return cohfs_rt_keep_add(split->keep, &split->nr, split->max, index,
				 min(mode, split->cap));
}

/* Used through system calls and faults, lately. */
static void split_add_recent(struct split *split)
{
	const struct cohfs_rt_keep *recent = split->node->parent->recent;
	unsigned int i;

	for (i = 0; i < COHFS_RNODE_RECENT; i++)
		if (recent[i].mode)
			split_keep(split, recent[i].index, recent[i].mode);
}

/* Children that are granted already cost nothing to keep. */
static void split_add_granted(struct split *split)
{
	u64 index = cohfs_rt_index(split->level, cohfs_rnode_first(split->node));
	u64 last = cohfs_rt_index(split->level, cohfs_rnode_last(split->node));
	struct cohfs_rnode *child;
	bool more = true;

	while (more && (child = cohfs_rnode_next(split->inode, split->level, index, last))) {
		enum cohfs_mode mode = cohfs_lock_usable(&child->lk);

		index = child->index + 1;
		if (READ_ONCE(child->valid) && cohfs_rt_is_whole(mode))
			more = split_keep(split, child->index, mode);
		cohfs_rnode_unpin(child);
	}
}

static bool folio_in_use(struct folio *folio, enum cohfs_mode *mode)
{
	*mode = folio_test_dirty(folio) || folio_test_writeback(folio) ? COHFS_EX
									: COHFS_PR;
	return *mode == COHFS_EX || folio_mapped(folio);
}

/*
 * Children with folios that are dirty (@tagged) or mapped.  Of each child only the
 * first few folios are looked at, so the cost does not depend on the size of the file.
 */
static void split_add_cached(struct split *split, bool tagged)
{
	pgoff_t index = cohfs_rnode_first(split->node);
	pgoff_t last = cohfs_rnode_last(split->node);
	unsigned int look = SPLIT_LOOK, i, n;
	struct folio_batch batch;
	bool more = true;

	folio_batch_init(&batch);
	while (more && look-- && index <= last) {
		enum cohfs_mode mode;
		u64 child;

		n = tagged ? filemap_get_folios_tag(split->inode->i_mapping, &index, last,
						    PAGECACHE_TAG_DIRTY, &batch)
			   : filemap_get_folios(split->inode->i_mapping, &index, last,
						&batch);
		if (!n)
			break;
		child = cohfs_rt_index(split->level, batch.folios[0]->index);
		for (i = 0; i < n; i++) {
			if (cohfs_rt_index(split->level, batch.folios[i]->index) != child)
				break;
			if (folio_in_use(batch.folios[i], &mode)) {
				more = split_keep(split, child, mode);
				if (mode == COHFS_EX)
					break;
			}
		}
		folio_batch_release(&batch);
		index = cohfs_rt_last(split->level, child) + 1;
		cond_resched();
	}
}

/*
 * Who asks for pages of a file that has grown here asks for I before, and then nothing of
 * what was written is dirty any more; nor is it some seconds later.
 */
static void split_add_cleaned(struct split *split)
{
	const struct cohfs_rtree *tree = &COHFS_I(split->inode)->ci_ranges;
	unsigned long when = READ_ONCE(tree->cleaned.when);
	pgoff_t first = max(READ_ONCE(tree->cleaned.first), cohfs_rnode_first(split->node));
	pgoff_t last = min(READ_ONCE(tree->cleaned.last), cohfs_rnode_last(split->node));
	u64 index, end;

	if (!when || time_after(jiffies, when + CLEANED_MEMORY) || first > last)
		return;
	end = cohfs_rt_index(split->level, last);
	for (index = cohfs_rt_index(split->level, first); index <= end; index++)
		if (!split_keep(split, index, COHFS_EX))
			break;
}

/*
 * Take the children that are to be kept.  Nobody can contest them while the parent is
 * ours; one that is refused all the same (the remains of an earlier grant elsewhere)
 * goes with the rest.  What they cover has been as we know it since the parent was
 * granted, so they are valid at once.
 */
static void split_take(struct split *split)
{
	struct cohfs_lock_call *call;
	struct cohfs_rnode **child;
	unsigned int i, nr = split->nr;

	call = kvmalloc_array(nr, sizeof(*call) + sizeof(*child), GFP_NOFS);
	if (!call) {
		split->nr = 0;
		return;
	}
	child = (struct cohfs_rnode **)(call + nr);
	for (i = 0; i < nr; i++) {
		child[i] = cohfs_rnode_get(split->inode, split->level,
					   split->keep[i].index);
		if (!IS_ERR(child[i]))
			cohfs_lock_acquire_start(&call[i], &child[i]->lk,
						 split->keep[i].mode,
						 COHFS_LK_NOQUEUE | COHFS_LK_NOINTR |
						 COHFS_LK_CLIMB);
	}
	for (i = 0; i < nr; i++) {
		if (IS_ERR(child[i]) || cohfs_lock_acquire_finish(&call[i])) {
			split->keep[i].mode = COHFS_NL;
		} else {
			WRITE_ONCE(child[i]->valid, true);
			cohfs_rnode_touch(child[i]);
			cohfs_lock_release(&child[i]->lk, split->keep[i].mode);
		}
		if (!IS_ERR(child[i]))
			cohfs_rnode_unpin(child[i]);
	}
	kvfree(call);
}

/*
 * The first large folios in [*@first, @last] that lie side by side.  They do not reach
 * beyond a region, or D would have to cover them.
 */
static bool find_large(struct address_space *mapping, pgoff_t *first, pgoff_t last,
		       pgoff_t *end)
{
	struct folio_batch batch;
	pgoff_t index = *first;
	bool found = false, more = true;
	unsigned int i;

	folio_batch_init(&batch);
	while (more && filemap_get_folios(mapping, &index, last, &batch)) {
		for (i = 0; more && i < folio_batch_count(&batch); i++) {
			struct folio *folio = batch.folios[i];

			if (!folio_test_large(folio) || (found && folio->index > *end + 1)) {
				more = !found;
				continue;
			}
			if (!found)
				*first = folio->index;
			*end = folio_next_index(folio) - 1;
			found = true;
		}
		folio_batch_release(&batch);
		cond_resched();
	}
	return found;
}

/*
 * Below a region folios are pages, since their locks go one by one.  Large ones are not
 * cut up but thrown away, once per region and conflict: they come from long write() calls,
 * and which of their pages are in use they do not tell.  The map stays, it is covered.
 */
static int split_drop_large(struct split *split)
{
	struct address_space *mapping = split->inode->i_mapping;
	pgoff_t first = cohfs_rnode_first(split->node);
	pgoff_t last = cohfs_rnode_last(split->node), end;
	int err = 0;

	while (!err && first <= last && find_large(mapping, &first, last, &end)) {
		err = clean_pages(split->inode, first, end, COHFS_NL);
		if (err)
			break;
		filemap_invalidate_lock(mapping);
		truncate_inode_pages_range(mapping, (loff_t)first << PAGE_SHIFT, end_of(end));
		filemap_invalidate_unlock(mapping);
		first = end + 1;
	}
	return err;
}

/* A child that is kept to read from may have been written to under its parent. */
static int split_clean(struct split *split)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < split->nr && !err; i++)
		if (split->keep[i].mode == COHFS_PR)
			err = clean_pages(split->inode,
					  cohfs_rt_first(split->level, split->keep[i].index),
					  cohfs_rt_last(split->level, split->keep[i].index),
					  COHFS_PR);
	return err;
}

/* What no child covers from now on. */
static int split_rest(struct split *split)
{
	pgoff_t from = cohfs_rnode_first(split->node);
	pgoff_t last = cohfs_rnode_last(split->node);
	u64 first, end;
	int err = 0;

	while (!err && cohfs_rt_gap(split->level, split->keep, split->nr, from, last,
				    &first, &end)) {
		err = settle_pages(split->inode, first, end, COHFS_NL);
		if (!err)
			recall_pages(split->inode, split->level, first, end, COHFS_EX);
		if (end == last)
			break;
		from = end + 1;
	}
	return err;
}

/*
 * The other node wants a part of what we have all of: keep what is in use here.
 * Bounded: so many requests, sent together, and writing back what is dirty besides.
 */
static int split(struct inode *inode, struct cohfs_rnode *node, enum cohfs_mode to)
{
	struct split split = {
		.inode = inode,
		.node = node,
		.level = node->level + 1,
		.cap = to == COHFS_CW ? COHFS_EX : COHFS_PR,
		.max = cohfs_rcache_split_max(),
	};
	int err = 0;

	if (split.cap == COHFS_PR)
		err = clean_pages(inode, cohfs_rnode_first(node),
				  cohfs_rnode_last(node), COHFS_PR);
	if (!err && node->level == COHFS_RT_REGION)
		err = split_drop_large(&split);
	if (err)
		return err;
	split.keep = kvmalloc_array(split.max, sizeof(*split.keep), GFP_NOFS);
	if (!split.keep)
		split.max = 0;		/* then nothing is kept */
	split_add_recent(&split);
	split_add_granted(&split);
	split_add_cached(&split, true);
	split_add_cleaned(&split);
	split_add_cached(&split, false);
	if (split.nr)
		split_take(&split);
	trace_cohfs_range_split(inode, node->level, node->index, to, split.nr);
	err = split_clean(&split);
	if (!err)
		err = split_rest(&split);
	kvfree(split.keep);
	memset(node->parent->recent, 0, sizeof(node->parent->recent));
	return err;
}

/* The lock operation ------------------------------------------------------------------- */

/* @sem is held, exclusive if @node is a parent. */
static int give_up_node(struct inode *inode, struct cohfs_rnode *node,
			enum cohfs_mode from, enum cohfs_mode to)
{
	pgoff_t first = cohfs_rnode_first(node), last = cohfs_rnode_last(node);
	enum cohfs_mode left = to;
	int err = 0;

	if (!READ_ONCE(node->valid))
		return 0;		/* nothing came in under it */
	left = cohfs_mode_join(left, covered_above(inode, node));
	if (left == COHFS_EX)
		;			/* stays as it is, under another lock */
	else if (cohfs_rt_is_whole(from) && (left == COHFS_CR || left == COHFS_CW))
		err = split(inode, node, left);
	else if (left == COHFS_NL || from >= COHFS_PW || from == COHFS_CW)
		/* the span, whoever covers it: this lock, or children */
		err = settle_pages(inode, first, last, left == COHFS_CR ? COHFS_PR : left);
	if (err)
		return err;
	/* children that were kept in a split, and only those, stay as they are */
	if (node->level != COHFS_RT_PAGE && to != COHFS_CW)
		recall_pages(inode, node->level + 1, first, last,
			     to == COHFS_NL ? COHFS_EX : COHFS_PR);
	if (to == COHFS_NL)
		WRITE_ONCE(node->valid, false);
	return 0;
}

static void note_bounce(struct inode *inode, struct cohfs_rnode *node,
			enum cohfs_mode from, enum cohfs_mode to)
{
	struct cohfs_inode *ci = COHFS_I(inode);

	trace_cohfs_range_bounce(inode, node->level, node->index, from, to);
	WRITE_ONCE(ci->ci_handovers, ci->ci_handovers + 1);
	node->bounces++;
	if (from >= COHFS_PW)
		cohfs_range_note_give_up(node);
	cohfs_rcache_met(inode, node);
}

/*
 * Brief holds of what @node covers, alone or with others, end, and no new ones begin.
 * Before rtree.sem: they may be waited for as long as any hold.
 */
static void end_brief_holds(struct inode *inode, struct cohfs_rnode *node,
			    enum cohfs_mode from, enum cohfs_mode to)
{
	/* what was covered by PR below an intent is so below a weaker one, too */
	bool readers_stay = to == COHFS_PR || (from == COHFS_CW && to == COHFS_CR);
	u64 first = cohfs_rnode_first(node), last = cohfs_rnode_last(node);
	u64 index = cohfs_rt_index(COHFS_RT_REGION, first);
	u64 end = cohfs_rt_index(COHFS_RT_REGION, last);
	struct cohfs_rnode *region;

	while ((region = cohfs_rnode_next(inode, COHFS_RT_REGION, index, end))) {
		cohfs_cover_revoke(region->parent->cover,
				   max(first, cohfs_rnode_first(region)),
				   min(last, cohfs_rnode_last(region)), readers_stay);
		index = region->index + 1;
		cohfs_rnode_unpin(region);
		if (index > end)
			break;
	}
}

static int range_give_up(struct cohfs_lock *lk, enum cohfs_mode from,
			 enum cohfs_mode to)
{
	struct cohfs_rnode *node = cohfs_rnode_of(lk);
	struct inode *inode = cohfs_rnode_grab_inode(node);
	struct cohfs_rtree *tree;
	unsigned int nofs;
	int err;

	if (!inode)
		return READ_ONCE(node->ci) ? -EINPROGRESS : 0;

	nofs = memalloc_nofs_save();
	tree = &COHFS_I(inode)->ci_ranges;
	note_bounce(inode, node, from, to);
	end_brief_holds(inode, node, from, to);
	if (node->level == COHFS_RT_PAGE) {
		down_read(&tree->sem);
		err = give_up_node(inode, node, from, to);
		up_read(&tree->sem);
	} else {
		down_write(&tree->sem);
		err = give_up_node(inode, node, from, to);
		node->parent->settled = cohfs_lock_revoke_number(lk);
		up_write(&tree->sem);
	}
	memalloc_nofs_restore(nofs);
	iput(inode);
	return err;
}

static void range_free(struct cohfs_lock *lk)
{
	cohfs_rnode_free(cohfs_rnode_of(lk));
}

/*
 * Tenure: enough for the stores that belong together; longer only costs the node that
 * waits.  Up to a millisecond where hand-overs are slow because processors are.
 */
#define RANGE_OPS						\
	.give_up	= range_give_up,			\
	.free		= range_free,				\
	.tenure		= true,					\
	.tenure_div	= 8,					\
	.tenure_max_us	= 1000

const struct cohfs_lock_ops cohfs_range_ops[COHFS_NR_RT_LEVELS] = {
	[COHFS_RT_FILE] = { RANGE_OPS, .splits = true },
	[COHFS_RT_REGION] = { RANGE_OPS, .splits = true },
	[COHFS_RT_PAGE] = { RANGE_OPS },
};
