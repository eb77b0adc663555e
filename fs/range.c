// SPDX-License-Identifier: GPL-2.0-only
/*
 * Range locks: who may have pages of a file in core, and what it takes to give
 * them up.
 *
 * The invariants that everything else leans on:
 *
 *   a folio is in the page cache and uptodate  =>  its range is granted >= PR
 *   a folio is dirty or a PTE is writable      =>  its range is granted EX
 *   an extent map entry exists                 =>  its range is granted >= PR
 *
 * So a cached folio may be mapped, read or written back without asking anyone,
 * and giving a range up means making these true for the mode that remains.
 */
#include <linux/delay.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/pagevec.h>
#include <linux/sched/mm.h>
#include "inode.h"
#include "range.h"
#include "super.h"
#include "trace.h"

/* How long to sit out somebody else's DMA before saying so. */
#define PINNED_REPORT_MS	30000

static struct cohfs_lock *range_lock_of(struct inode *inode)
{
	return &COHFS_I(inode)->ci_data->lk;
}

/*
 * A range that is only just being granted says nothing about the size: somebody may
 * have changed it while we had no right.  Sizes change under I EX *and* D EX, so I PR
 * from before the request until the grant leaves no gap.  It is cached nearly always
 * and then costs no message.
 */
static int range_lock_wait(struct inode *inode, enum cohfs_mode mode, bool attr_held)
{
	int err = 0;

	if (!attr_held)
		err = cohfs_attr_lock(inode, COHFS_PR);
	if (err)
		return err;
	err = cohfs_lock_acquire(range_lock_of(inode), mode, 0);
	if (!err)
		WRITE_ONCE(COHFS_I(inode)->ci_data_fresh, true);
	if (!attr_held)
		cohfs_attr_unlock(inode, COHFS_PR);
	return err;
}

int cohfs_range_lock(struct inode *inode, pgoff_t first, pgoff_t last,
		     enum cohfs_mode mode, unsigned int flags)
{
	struct cohfs_lock *lk = range_lock_of(inode);
	const unsigned int no_wait = COHFS_RANGE_TRY | COHFS_RANGE_KEEP |
				     COHFS_RANGE_ASYNC;
	unsigned int how = COHFS_LK_TRY;
	int err;

	if (flags & COHFS_RANGE_ASYNC)
		how = COHFS_LK_ASYNC;
	if (flags & COHFS_RANGE_KEEP)
		how |= COHFS_LK_KEEP;
	err = cohfs_lock_acquire(lk, mode, how);
	if (!err && !READ_ONCE(COHFS_I(inode)->ci_data_fresh)) {
		/* granted to a request that nobody waited for */
		cohfs_lock_release_unused(lk, mode);
		err = -EAGAIN;
	}
	if (err != -EAGAIN || (flags & no_wait))
		return err;
	return range_lock_wait(inode, mode, flags & COHFS_RANGE_ATTR);
}

void cohfs_range_unlock(struct inode *inode, pgoff_t first, pgoff_t last,
			enum cohfs_mode mode)
{
	cohfs_lock_release(range_lock_of(inode), mode);
}

void cohfs_range_unlock_unused(struct inode *inode, pgoff_t first, pgoff_t last,
			       enum cohfs_mode mode)
{
	cohfs_lock_release_unused(range_lock_of(inode), mode);
}

void cohfs_range_used(struct inode *inode)
{
	/* a load does not use up what was promised to a store */
	if (cohfs_lock_cached(range_lock_of(inode)) <= COHFS_PR)
		cohfs_lock_used(range_lock_of(inode));
}

/*
 * Does the file migrate, that is, do loads come shortly before stores?  Counts
 * upgrades against EX that went away unused.  Races only blur the guess.
 */
#define MIGRATES	2
#define MIGRATES_MAX	8

bool cohfs_range_migrates(struct inode *inode)
{
	return READ_ONCE(COHFS_I(inode)->ci_migratory) >= MIGRATES &&
	       cohfs_lock_cached(range_lock_of(inode)) < COHFS_PR;
}

void cohfs_range_note_upgrade(struct inode *inode)
{
	struct cohfs_inode *ci = COHFS_I(inode);

	if (cohfs_lock_cached(range_lock_of(inode)) == COHFS_PR &&
	    ci->ci_migratory < MIGRATES_MAX)
		WRITE_ONCE(ci->ci_migratory, ci->ci_migratory + 1);
}

void cohfs_range_note_store(struct inode *inode)
{
	if (!READ_ONCE(COHFS_I(inode)->ci_stored))
		WRITE_ONCE(COHFS_I(inode)->ci_stored, true);
}

unsigned int cohfs_range_handovers(struct inode *inode)
{
	return READ_ONCE(COHFS_I(inode)->ci_handovers);
}

/* EX goes: was it worth asking for? */
static void range_note_give_up(struct inode *inode)
{
	struct cohfs_inode *ci = COHFS_I(inode);

	if (!ci->ci_stored && ci->ci_migratory)
		WRITE_ONCE(ci->ci_migratory, ci->ci_migratory - 1);
	WRITE_ONCE(ci->ci_stored, false);
}

void cohfs_range_span(struct inode *inode, pgoff_t *first, pgoff_t *last)
{
	*first = 0;
	*last = COHFS_RANGE_END;
}

void cohfs_range_hold_add(struct inode *inode, struct cohfs_range_hold *hold)
{
	struct cohfs_inode *ci = COHFS_I(inode);

	hold->task = current;
	spin_lock(&ci->ci_holds_lock);
	list_add(&hold->link, &ci->ci_holds);
	spin_unlock(&ci->ci_holds_lock);
}

void cohfs_range_hold_del(struct inode *inode, struct cohfs_range_hold *hold)
{
	struct cohfs_inode *ci = COHFS_I(inode);

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

/* First folio at or after *@index that a device may still be writing to. */
static bool range_find_pinned(struct address_space *mapping, pgoff_t *index)
{
	struct folio_batch batch;
	bool found = false;
	unsigned int i;

	folio_batch_init(&batch);
	while (!found &&
	       filemap_get_folios(mapping, index, COHFS_RANGE_END, &batch)) {
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
static bool range_wait_unpinned(struct inode *inode)
{
	unsigned int delay_ms = 1, waited_ms = 0;
	bool reported = false, found = false;
	pgoff_t index = 0;

	while (range_find_pinned(inode->i_mapping, &index)) {
		found = true;
		trace_cohfs_range_pinned(inode, index, waited_ms);
		if (waited_ms >= PINNED_REPORT_MS && !reported) {
			cohfs_warn(inode->i_sb,
				   "inode %lu page %lu is pinned for DMA for %u s; other nodes wait for it",
				   inode->i_ino, index, waited_ms / 1000);
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

/*
 * From EX: nothing dirty and nothing writable may remain.
 *
 * A fault that was admitted before the revoke may still be about to install its
 * PTE; it holds the folio lock and has dirtied the folio, so write-back waits for
 * it and write-protects what it installed.  Hence: write-back after the unmap, and
 * the order of the two does not matter for correctness, only for waking fewer
 * stores.  filemap_write_and_wait() returns errors of earlier write-back too.
 *
 * Pins are looked for after the write-protection, since until then another one can be
 * had through a writable PTE without a fault; what a pinned page got meanwhile is
 * written in another pass.
 */
static int range_clean(struct inode *inode, enum cohfs_mode to)
{
	struct address_space *mapping = inode->i_mapping;
	int err;

	if (to < COHFS_PR)
		unmap_mapping_range(mapping, 0, 0, 0);
	do {
		err = filemap_write_and_wait(mapping);
	} while (!err && range_wait_unpinned(inode));
	if (err)
		cohfs_withdraw(COHFS_SB(inode->i_sb),
			       "inode %lu: write-back failed (%d) while another node waits for the data",
			       inode->i_ino, err);
	return err;
}

/*
 * To NL: nobody here may find the data or where it is.  Folios go under their
 * lock and are unmapped once more there, private copies stay.  invalidate_lock
 * keeps read-ahead from adding folios behind the scan.
 */
static void range_invalidate(struct inode *inode)
{
	struct address_space *mapping = inode->i_mapping;

	filemap_invalidate_lock(mapping);
	truncate_inode_pages(mapping, 0);
	filemap_invalidate_unlock(mapping);
	WRITE_ONCE(COHFS_I(inode)->ci_data_fresh, false);
	cohfs_extmap_forget(&COHFS_I(inode)->ci_extmap, 0, U64_MAX);
}

static int range_give_up(struct cohfs_lock *lk, enum cohfs_mode from,
			 enum cohfs_mode to)
{
	struct cohfs_object *obj = cohfs_object_of(lk);
	struct inode *inode = cohfs_object_grab_inode(obj);
	unsigned int nofs;
	int err = 0;

	if (!inode)
		return READ_ONCE(obj->ci) ? -EINPROGRESS : 0;

	nofs = memalloc_nofs_save();
	WRITE_ONCE(COHFS_I(inode)->ci_handovers, COHFS_I(inode)->ci_handovers + 1);
	if (from >= COHFS_PW) {
		range_note_give_up(inode);
		err = range_clean(inode, to);
	}
	if (!err && to < COHFS_PR)
		range_invalidate(inode);
	memalloc_nofs_restore(nofs);
	iput(inode);
	return err;
}

static void range_free(struct cohfs_lock *lk)
{
	cohfs_object_free(cohfs_object_of(lk));
}

const struct cohfs_lock_ops cohfs_range_ops = {
	.give_up	= range_give_up,
	.free		= range_free,
	/*
	 * Enough for the stores that belong together; longer only costs the node that
	 * waits.  Up to a millisecond where hand-overs are slow because processors are.
	 */
	.tenure		= true,
	.tenure_div	= 8,
	.tenure_max_us	= 1000,
};
