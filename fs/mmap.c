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

/*
 * What to ask for.  Where loads have been followed by stores that had to ask again
 * (a lock word, a counter: data that migrates), a load that has to ask anyway asks
 * for EX.
 */
static enum cohfs_mode fault_mode(const struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);

	if (is_shared_store(vmf))
		return COHFS_EX;
	if (may_store(vmf) && cohfs_range_migrates(inode))
		return COHFS_EX;
	return COHFS_PR;
}

static bool beyond_eof(struct inode *inode, pgoff_t index)
{
	return index >= DIV_ROUND_UP(i_size_read(inode), PAGE_SIZE);
}

/* Is the mapping of the page known, and its block allocated if it must be? */
static bool page_is_mapped(struct inode *inode, pgoff_t index, enum cohfs_mode mode)
{
	u64 blk;

	return cohfs_extmap_lookup(inode, index, &blk) &&
	       (mode != COHFS_EX || blk);
}

/* In the middle of a read() or write() of this task the range is ours already. */
static int fault_lock(struct inode *inode, pgoff_t index, enum cohfs_mode mode)
{
	return cohfs_range_lock(inode, index, index, mode,
				cohfs_range_held(inode, index, mode) ?
				COHFS_RANGE_KEEP : 0);
}

/*
 * Everything else that a fault needs and that may take time; the range is held.
 *
 * The page is read here, alone: read-ahead would fetch neighbours that a contended
 * file loses again before anyone looks at them.
 */
static int fault_prepare(struct inode *inode, pgoff_t index, enum cohfs_mode mode)
{
	struct folio *folio;
	int err;

	if (beyond_eof(inode, index))
		return 0;
	if (mode == COHFS_EX)
		err = cohfs_extmap_allocate(inode, index, index, 0);
	else
		err = cohfs_extmap_fill(inode, index, index);
	if (err)
		return err;
	/* an error of the read is found again by filemap_fault() */
	folio = read_mapping_folio(inode->i_mapping, index, NULL);
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

/* The range is held and the page's place known: the local part, then let go. */
static vm_fault_t fault_finish(struct vm_fault *vmf, struct inode *inode,
			       enum cohfs_mode mode)
{
	pgoff_t index = vmf->pgoff;
	vm_fault_t ret = filemap_fault(vmf);

	/* After RETRY vmf->vma may be gone; a shared store is done by page_mkwrite. */
	if ((ret & VM_FAULT_RETRY) || mode == COHFS_EX)
		cohfs_range_unlock_unused(inode, index, index, mode);
	else
		cohfs_range_unlock(inode, index, index, mode);
	return ret;
}

/*
 * For those who cannot repeat the access (ptrace, a buffer that is faulted in while
 * its range is held): wait with mmap_lock held.  Nobody who has what they wait for
 * waits for mmap_lock.
 */
static vm_fault_t fault_inline(struct vm_fault *vmf, struct inode *inode,
			       enum cohfs_mode mode)
{
	pgoff_t index = vmf->pgoff;
	int err;

	err = fault_lock(inode, index, mode);
	if (err)
		return fault_error(err);
	err = fault_prepare(inode, index, mode);
	if (err) {
		cohfs_range_unlock(inode, index, index, mode);
		return fault_error(err);
	}
	return fault_finish(vmf, inode, mode);
}

/*
 * Get what is missing with mmap_lock dropped, and have the access repeated.  On
 * success the right is protected from revocation until the repeated access has used
 * it.  The result, good or bad, is found by the repeated fault; only "cannot be had"
 * must be told, or it would repeat for ever.
 */
static vm_fault_t fault_retry(struct vm_fault *vmf, struct inode *inode,
			      enum cohfs_mode mode)
{
	struct file *file = get_file(vmf->vma->vm_file);
	pgoff_t index = vmf->pgoff;
	ktime_t start = ktime_get();
	int err;

	release_fault_lock(vmf);
	err = fault_lock(inode, index, mode);
	if (!err) {
		err = fault_prepare(inode, index, mode);
		cohfs_range_unlock_unused(inode, index, index, mode);
	}
	trace_cohfs_fault_wait(inode, index, mode,
			       ktime_to_ns(ktime_sub(ktime_get(), start)), err);
	if (err && err != -EINTR)
		WRITE_ONCE(COHFS_I(inode)->ci_fault_err, err);
	fput(file);
	return VM_FAULT_RETRY;
}

/* Something is missing. */
static vm_fault_t fault_wait(struct vm_fault *vmf, struct inode *inode,
			     enum cohfs_mode mode)
{
	pgoff_t index = vmf->pgoff;

	if (!(vmf->flags & FAULT_FLAG_ALLOW_RETRY))
		return fault_inline(vmf, inode, mode);
	if (!(vmf->flags & FAULT_FLAG_RETRY_NOWAIT))
		return fault_retry(vmf, inode, mode);
	if (!cohfs_range_lock(inode, index, index, mode, COHFS_RANGE_ASYNC))
		cohfs_range_unlock_unused(inode, index, index, mode);
	return VM_FAULT_RETRY;
}

/*
 * An error of a fault that had dropped mmap_lock is handed to the repeated fault
 * through the inode: once, to whoever comes first.  At worst a fault of another task
 * reports it, for the same file and the same reason.
 */
static int fault_take_error(struct inode *inode)
{
	if (likely(!READ_ONCE(COHFS_I(inode)->ci_fault_err)))
		return 0;
	return xchg(&COHFS_I(inode)->ci_fault_err, 0);
}

static vm_fault_t fault_locked(struct vm_fault *vmf, struct inode *inode,
			       enum cohfs_mode mode)
{
	pgoff_t index = vmf->pgoff;

	if (beyond_eof(inode, index) || page_is_mapped(inode, index, mode))
		return fault_finish(vmf, inode, mode);
	cohfs_range_unlock_unused(inode, index, index, mode);
	return fault_wait(vmf, inode, mode);
}

static vm_fault_t cohfs_fault(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	enum cohfs_mode mode = fault_mode(vmf);
	unsigned int flags = COHFS_RANGE_TRY;
	struct super_block *sb = inode->i_sb;
	vm_fault_t ret;
	int err;

	if (mode == COHFS_EX)
		sb_start_pagefault(sb);
	if (cohfs_range_held(inode, vmf->pgoff, mode))
		flags |= COHFS_RANGE_KEEP;
	err = fault_take_error(inode);
	if (!err)
		err = cohfs_range_lock(inode, vmf->pgoff, vmf->pgoff, mode, flags);
	if (!err)
		ret = fault_locked(vmf, inode, mode);
	else if (err == -EAGAIN)
		ret = fault_wait(vmf, inode, mode);
	else
		ret = fault_error(err);
	if (mode == COHFS_EX)
		sb_end_pagefault(sb);
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

static vm_fault_t cohfs_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	unsigned int flags = COHFS_RANGE_ASYNC;
	pgoff_t index = vmf->pgoff;
	vm_fault_t ret;
	int err;

	sb_start_pagefault(inode->i_sb);
	if (cohfs_range_held(inode, index, COHFS_EX))
		flags = COHFS_RANGE_KEEP;
	err = cohfs_range_lock(inode, index, index, COHFS_EX, flags);
	if (err) {
		cohfs_range_note_upgrade(inode);
		ret = mkwrite_refault(inode, index, err);
	} else if (!page_is_mapped(inode, index, COHFS_EX)) {
		cohfs_range_unlock_unused(inode, index, index, COHFS_EX);
		ret = mkwrite_refault(inode, index, 0);
	} else {
		/* Dirty before the right is let go: the revoke must see it. */
		store_done(inode);
		cohfs_range_note_store(inode);
		cohfs_times_touch(inode);
		ret = iomap_page_mkwrite(vmf, &cohfs_iomap_ops);
		cohfs_range_unlock(inode, index, index, COHFS_EX);
	}
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
		cohfs_range_used(file_inode(vmf->vma->vm_file));
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
