// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page faults.
 *
 * A fault needs the right to the page (PR, or EX for a shared store), its place on
 * disk, and for a store into a hole a block.  When all that is in core the fault is
 * as local as on any filesystem.  Otherwise ->fault lets go of mmap_lock, gets what
 * is missing, and has the CPU try again: nobody in the process is held up by
 * another node, and the wait can be killed.
 *
 * page_mkwrite cannot let go of mmap_lock.  It only uses rights that are here; when
 * they are not, it takes the read-only PTE away, so that the store comes back
 * through ->fault, which asks for EX at once: one round, not PR and then EX.
 *
 * Such a store may come back as a *load*: an instruction that reads the page before
 * it writes it (a string move within the page; any read-modify-write on some
 * emulated processors) would find the page mapped read-only again, and so on for
 * ever.  Hence the note of who owes a store to which page: his loads of it ask for
 * EX, too.
 *
 * The cluster lock is let go before the PTE goes in.  What bridges the gap is the
 * folio lock: a revoke locks every folio after its first unmap, so it waits for the
 * PTE and takes it away again.
 */
#include <linux/iomap.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include "aops.h"
#include "disksize.h"
#include "extalloc.h"
#include "extmap.h"
#include "inode.h"
#include "mmap.h"
#include "range.h"
#include "times.h"
#include "trace.h"

/*
 * One note per inode will do: a task whose note is overwritten by another thread
 * maps the page read-only once more and writes the note anew, while the request for
 * EX that page_mkwrite has started is under way.
 */
static void store_note(struct inode *inode, pgoff_t index)
{
	WRITE_ONCE(COHFS_I(inode)->ci_store_index, index);
	WRITE_ONCE(COHFS_I(inode)->ci_store_task, current);
}

static bool store_noted(struct inode *inode, pgoff_t index)
{
	return READ_ONCE(COHFS_I(inode)->ci_store_task) == current &&
	       READ_ONCE(COHFS_I(inode)->ci_store_index) == index;
}

static void store_done(struct inode *inode)
{
	if (READ_ONCE(COHFS_I(inode)->ci_store_task) == current)
		WRITE_ONCE(COHFS_I(inode)->ci_store_task, NULL);
}

/* Can stores through this mapping reach the other nodes? */
static bool may_store(const struct vm_fault *vmf)
{
	const vm_flags_t writable = VM_SHARED | VM_WRITE;

	return (vmf->vma->vm_flags & writable) == writable;
}

/* Is this access such a store, or does one follow from the same instruction? */
static bool is_shared_store(const struct vm_fault *vmf)
{
	if (!may_store(vmf))
		return false;
	return (vmf->flags & FAULT_FLAG_WRITE) ||
	       store_noted(file_inode(vmf->vma->vm_file), vmf->pgoff);
}

static bool beyond_eof(struct inode *inode, pgoff_t index)
{
	return index >= DIV_ROUND_UP(i_size_read(inode), PAGE_SIZE);
}

/**
 * struct fault - what one fault is about
 * @mode: right to ask for
 * @store: needs a block, too; a load that asks for EX does not
 * @held: the task holds the page in at least PR already (a read() or write() whose
 *	buffer this is)
 * @hold: the range, while it is held
 */
struct fault {
	struct vm_fault *vmf;
	struct inode *inode;
	pgoff_t index;
	enum cohfs_mode mode;
	bool store;
	bool held;
	struct cohfs_range_hold hold;
};

/*
 * Where loads have been followed by stores that had to ask again (a lock word, a
 * counter: data that migrates), a load that has to ask anyway asks for EX.  Not while
 * the task holds the page: it would wait for itself.
 */
static void fault_init(struct fault *f, struct vm_fault *vmf)
{
	f->vmf = vmf;
	f->inode = file_inode(vmf->vma->vm_file);
	f->index = vmf->pgoff;
	f->held = cohfs_range_held(f->inode, f->index, COHFS_PR);
	f->store = f->held ? may_store(vmf) && (vmf->flags & FAULT_FLAG_WRITE)
			   : is_shared_store(vmf);
	f->mode = COHFS_PR;
	if (f->store || (!f->held && may_store(vmf) &&
			 cohfs_range_migrates(f->inode, f->index)))
		f->mode = COHFS_EX;
}

/* Is the place of the page known, with a block if it must have one? */
static bool page_is_mapped(struct inode *inode, pgoff_t index, bool store)
{
	u64 blk;

	return cohfs_extmap_lookup(inode, index, &blk) && (!store || blk);
}

/*
 * A store makes all of a folio dirty.  A large one had blocks for all of its pages when it
 * was made, but the write() may have been cut short of EOF, or a truncate or a hole come in
 * between that could not cut the folio.
 */
static bool folio_is_mapped(struct inode *inode, struct folio *folio)
{
	pgoff_t index = folio->index, end = folio_next_index(folio);
	u64 eof = min_t(u64, DIV_ROUND_UP_ULL(i_size_read(inode), PAGE_SIZE),
			cohfs_disksize_readable(inode));
	u64 blk, len;

	if (end > eof)
		return false;
	for (; index < end; index += len) {
		len = cohfs_extmap_lookup(inode, index, &blk);
		if (!len || !blk)
			return false;
	}
	return true;
}

/* The folio of a page, if it is a large one that cannot be stored to; referenced */
static struct folio *find_misfit(struct inode *inode, pgoff_t index)
{
	struct folio *folio = filemap_get_folio(inode->i_mapping, index);

	if (IS_ERR(folio))
		return NULL;
	if (folio_test_large(folio) && !folio_is_mapped(inode, folio))
		return folio;
	folio_put(folio);
	return NULL;
}

static bool fault_is_mapped(struct fault *f)
{
	struct folio *misfit;

	if (!page_is_mapped(f->inode, f->index, f->store))
		return false;
	misfit = f->store ? find_misfit(f->inode, f->index) : NULL;
	if (misfit)
		folio_put(misfit);
	return !misfit;
}

/*
 * Pages instead of a large folio.  A device that was handed some of it would go on with
 * what is no page of the file any more: then the store fails.
 */
static int break_up(struct inode *inode, struct folio *folio)
{
	struct address_space *mapping = inode->i_mapping;
	loff_t start = folio_pos(folio), end = start + folio_size(folio) - 1;
	int err;

	err = filemap_fdatawrite_range(mapping, start, end);
	/* an error of what was written before is for fsync() */
	filemap_fdatawait_range_keep_errors(mapping, start, end);
	if (!err && folio_maybe_dma_pinned(folio))
		err = -EBUSY;
	/* a folio that somebody looks at just now stays, and the fault comes back */
	if (!err)
		invalidate_inode_pages2_range(mapping, start >> PAGE_SHIFT, end >> PAGE_SHIFT);
	return err;
}

/* A block for the page, which is then one by itself or in a folio that may be stored to. */
static int fault_allocate(struct fault *f)
{
	int err = cohfs_extalloc_write(&f->hold, f->index, f->index, NULL);
	struct folio *misfit = err ? NULL : find_misfit(f->inode, f->index);

	if (misfit) {
		err = break_up(f->inode, misfit);
		folio_put(misfit);
	}
	return err;
}

static int fault_lock(struct fault *f, unsigned int flags)
{
	return cohfs_range_lock(&f->hold, f->inode, f->index, f->index, f->mode,
				f->held ? COHFS_RANGE_KEEP : flags);
}

/*
 * Everything else that a fault needs and that may take time; the range is held.
 *
 * The page is read here, alone: read-ahead would fetch neighbours that a contended
 * file loses again before anyone looks at them.
 */
static int fault_prepare(struct fault *f)
{
	struct address_space *mapping = f->inode->i_mapping;
	struct folio *folio;
	int err;

	if (beyond_eof(f->inode, f->index))
		return 0;
	if (f->store)
		err = fault_allocate(f);
	else
		err = cohfs_extmap_fill(&f->hold, f->index, f->index);
	if (err)
		return err;
	/* not into a hole that is being punched */
	err = down_read_killable(&mapping->invalidate_lock);
	if (err)
		return err;
	/* an error of the read is found again by filemap_fault() */
	folio = read_mapping_folio(mapping, f->index, NULL);
	filemap_invalidate_unlock_shared(mapping);
	if (!IS_ERR(folio))
		folio_put(folio);
	return 0;
}

static vm_fault_t fault_error(int err)
{
	switch (err) {
	case 0:
		return 0;
	case -ENOMEM:
		return VM_FAULT_OOM;
	default:
		return VM_FAULT_SIGBUS;
	}
}

/*
 * An error of a fault that had dropped mmap_lock is handed to the repeated fault of the
 * same task for the same page through the inode.  Another failure meanwhile overwrites
 * it: then the fault fails again by itself.
 */
static void fault_leave_error(struct fault *f, int err)
{
	struct cohfs_inode *ci = COHFS_I(f->inode);

	spin_lock(&ci->ci_holds_lock);
	ci->ci_fault.task = current;
	ci->ci_fault.index = f->index;
	ci->ci_fault.err = err;
	spin_unlock(&ci->ci_holds_lock);
}

static int fault_take_error(struct fault *f)
{
	struct cohfs_inode *ci = COHFS_I(f->inode);
	int err = 0;

	if (likely(READ_ONCE(ci->ci_fault.task) != current))
		return 0;
	spin_lock(&ci->ci_holds_lock);
	if (ci->ci_fault.task == current) {
		if (ci->ci_fault.index == f->index)
			err = ci->ci_fault.err;
		ci->ci_fault.task = NULL;
	}
	spin_unlock(&ci->ci_holds_lock);
	return err;
}

/* The range is held and the page's place known: the local part, then let go. */
static vm_fault_t fault_finish(struct fault *f)
{
	vm_fault_t ret = filemap_fault(f->vmf);

	/* After RETRY vmf->vma may be gone; a shared store is done by page_mkwrite. */
	if ((ret & VM_FAULT_RETRY) || f->store)
		cohfs_range_unlock_unused(&f->hold);
	else
		cohfs_range_unlock(&f->hold);
	return ret;
}

/*
 * For those who cannot repeat the access (ptrace, a buffer that is faulted in while its
 * range is held): wait with mmap_lock held.  Nobody who has what they wait for waits for
 * mmap_lock.  Who holds too little himself must let go first: he gets an error, and the
 * copy that brought him here drops everything.
 */
static vm_fault_t fault_inline(struct fault *f)
{
	int err;

	if (f->held && !cohfs_range_held(f->inode, f->index, f->mode))
		return VM_FAULT_SIGBUS;
	err = fault_lock(f, 0);
	if (err)
		return fault_error(err);
	err = fault_prepare(f);
	if (!err)
		return fault_finish(f);
	cohfs_range_unlock_unused(&f->hold);
	return fault_error(err);
}

/*
 * Get what is missing with mmap_lock dropped, and have the access repeated.  On success
 * the right is protected from revocation until the repeated access has used it.  The
 * result, good or bad, is found by the repeated fault; only "cannot be had" must be told,
 * or it would repeat for ever.
 */
static vm_fault_t fault_retry(struct fault *f)
{
	ktime_t start = ktime_get();
	int err;

	release_fault_lock(f->vmf);
	err = fault_lock(f, 0);
	if (!err) {
		err = fault_prepare(f);
		cohfs_range_unlock_unused(&f->hold);
	}
	trace_cohfs_fault_wait(f->inode, f->index, f->mode,
			       ktime_to_ns(ktime_sub(ktime_get(), start)), err);
	/* a task that exits repeats the fault, whatever it was killed by */
	if (err && !(err == -EINTR && fatal_signal_pending(current)))
		fault_leave_error(f, err);
	return VM_FAULT_RETRY;
}

/* Something is missing. */
static vm_fault_t fault_wait(struct fault *f)
{
	if (!(f->vmf->flags & FAULT_FLAG_ALLOW_RETRY))
		return fault_inline(f);
	if (!(f->vmf->flags & FAULT_FLAG_RETRY_NOWAIT))
		return fault_retry(f);
	if (!cohfs_range_lock(&f->hold, f->inode, f->index, f->index, f->mode,
			      COHFS_RANGE_ASYNC))
		cohfs_range_unlock_unused(&f->hold);
	return VM_FAULT_RETRY;
}

static vm_fault_t fault_try(struct fault *f)
{
	int err = fault_take_error(f);

	if (!err)
		err = fault_lock(f, COHFS_RANGE_TRY);
	if (err == -EAGAIN)
		return fault_wait(f);
	if (err)
		return fault_error(err);
	if (beyond_eof(f->inode, f->index) || fault_is_mapped(f))
		return fault_finish(f);
	cohfs_range_unlock_unused(&f->hold);
	return fault_wait(f);
}

/*
 * The file is pinned over the whole fault: with mmap_lock dropped somebody may unmap and
 * close it.  The last fput() does its work when this task returns to user space.
 *
 * A store into a buffer of a read() that holds its range has been announced to the
 * freezer by the read().
 */
static vm_fault_t cohfs_fault(struct vm_fault *vmf)
{
	struct file *file = get_file(vmf->vma->vm_file);
	struct super_block *sb = file_inode(file)->i_sb;
	struct fault f;
	vm_fault_t ret;

	fault_init(&f, vmf);
	if (f.store && !f.held)
		sb_start_pagefault(sb);
	ret = fault_try(&f);
	if (f.store && !f.held)
		sb_end_pagefault(sb);
	fput(file);
	return ret;
}

/* Make the store fault again, this time through ->fault. */
static vm_fault_t mkwrite_refault(struct inode *inode, pgoff_t index, int err)
{
	trace_cohfs_mkwrite_miss(inode, index, err);
	if (err && err != -EAGAIN)
		return fault_error(err);
	store_note(inode, index);
	unmap_mapping_range(inode->i_mapping, (loff_t)index << PAGE_SHIFT,
			    PAGE_SIZE, 0);
	return VM_FAULT_NOPAGE;
}

/*
 * The range is held, and invalidate_lock: no folio becomes dirty while a hole is punched in
 * it, or a truncate cuts it.  -EAGAIN: not without ->fault.
 */
static int mkwrite_locked(struct vm_fault *vmf, struct inode *inode,
			  struct cohfs_range_hold *hold, vm_fault_t *ret)
{
	struct folio *folio = page_folio(vmf->page);

	if (!page_is_mapped(inode, vmf->pgoff, true) ||
	    (folio_test_large(folio) && !folio_is_mapped(inode, folio)))
		return -EAGAIN;
	/* Dirty before the right is let go: the revoke must see it. */
	store_done(inode);
	cohfs_range_note_store(hold);
	cohfs_times_touch(inode);
	*ret = iomap_page_mkwrite(vmf, &cohfs_iomap_ops);
	return 0;
}

static vm_fault_t mkwrite_held(struct vm_fault *vmf, struct inode *inode,
			       struct cohfs_range_hold *hold)
{
	struct address_space *mapping = inode->i_mapping;
	vm_fault_t ret;
	int err;

	/* whoever is killed sees no signal */
	if (down_read_killable(&mapping->invalidate_lock)) {
		cohfs_range_unlock_unused(hold);
		return VM_FAULT_SIGBUS;
	}
	err = mkwrite_locked(vmf, inode, hold, &ret);
	filemap_invalidate_unlock_shared(mapping);
	if (err) {
		cohfs_range_unlock_unused(hold);
		return mkwrite_refault(inode, vmf->pgoff, 0);
	}
	cohfs_range_unlock(hold);
	return ret;
}

static vm_fault_t page_mkwrite(struct vm_fault *vmf, struct inode *inode, bool held)
{
	struct cohfs_range_hold hold;
	pgoff_t index = vmf->pgoff;
	int err;

	err = cohfs_range_lock(&hold, inode, index, index, COHFS_EX,
			       held ? COHFS_RANGE_KEEP : COHFS_RANGE_ASYNC);
	if (!err)
		return mkwrite_held(vmf, inode, &hold);
	cohfs_range_note_upgrade(inode, index);
	return mkwrite_refault(inode, index, err);
}

static vm_fault_t cohfs_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	bool held = cohfs_range_held(inode, vmf->pgoff, COHFS_PR);
	vm_fault_t ret;

	if (!held)
		sb_start_pagefault(inode->i_sb);
	ret = page_mkwrite(vmf, inode, held);
	if (!held)
		sb_end_pagefault(inode->i_sb);
	return ret;
}

/* Fault-around maps what is in core, and what is in core is ours to read. */
static vm_fault_t cohfs_map_pages(struct vm_fault *vmf, pgoff_t start, pgoff_t end)
{
	vm_fault_t ret;

	if (is_shared_store(vmf))
		return 0;	/* on to ->fault */
	ret = filemap_map_pages(vmf, start, end);
	if (ret & VM_FAULT_NOPAGE)
		cohfs_range_used(file_inode(vmf->vma->vm_file), vmf->pgoff);
	return ret;
}

const struct vm_operations_struct cohfs_vm_ops = {
	.fault		= cohfs_fault,
	.map_pages	= cohfs_map_pages,
	.page_mkwrite	= cohfs_page_mkwrite,
};

int cohfs_mmap(struct file *file, struct vm_area_struct *vma)
{
	if (cohfs_is_withdrawn(COHFS_SB(file_inode(file)->i_sb)))
		return -EIO;
	file_accessed(file);
	vma->vm_ops = &cohfs_vm_ops;
	return 0;
}
