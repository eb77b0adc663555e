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

/* A store that must reach the other nodes, as opposed to a private copy. */
static bool is_shared_store(const struct vm_fault *vmf)
{
	return (vmf->flags & FAULT_FLAG_WRITE) &&
	       (vmf->vma->vm_flags & VM_SHARED);
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

/*
 * Everything a fault needs that may take time.  On success the right is protected
 * from revocation until the repeated access has used it.
 *
 * The page is read here, alone: read-ahead would fetch neighbours that a contended
 * file loses again before anyone looks at them.
 */
static int fault_prepare(struct inode *inode, pgoff_t index, enum cohfs_mode mode)
{
	struct folio *folio;
	int err;

	/* In the middle of a read() or write() the range is ours already. */
	err = cohfs_range_lock(inode, index, index, mode,
			       cohfs_range_held(inode, index, mode) ?
			       COHFS_RANGE_KEEP : 0);
	if (err)
		return err;
	if (!beyond_eof(inode, index)) {
		err = mode == COHFS_EX ?
			cohfs_extmap_allocate(inode, index, index, 0) :
			cohfs_extmap_fill(inode, index, index);
		if (!err) {
			folio = read_mapping_folio(inode->i_mapping, index, NULL);
			if (!IS_ERR(folio))
				folio_put(folio);
		}
	}
	cohfs_range_unlock_unused(inode, index, index, mode);
	return err;
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
 * The rights are not here.  With mmap_lock dropped the result, good or bad, is found
 * by the repeated fault; only "cannot be had" must be told apart, or it would repeat
 * for ever.
 */
static vm_fault_t fault_wait(struct vm_fault *vmf, struct inode *inode,
			     enum cohfs_mode mode)
{
	pgoff_t index = vmf->pgoff;
	ktime_t start = ktime_get();
	struct file *file;
	int err;

	if (!(vmf->flags & FAULT_FLAG_ALLOW_RETRY)) {
		/* ptrace, /proc/pid/mem: they cannot repeat */
		err = fault_prepare(inode, index, mode);
		trace_cohfs_fault_wait(inode, index, mode,
				       ktime_to_ns(ktime_sub(ktime_get(), start)), err);
		return fault_error(err);
	}
	if (vmf->flags & FAULT_FLAG_RETRY_NOWAIT) {
		err = cohfs_range_lock(inode, index, index, mode, COHFS_RANGE_ASYNC);
		if (!err)
			cohfs_range_unlock_unused(inode, index, index, mode);
		return VM_FAULT_RETRY;
	}

	file = get_file(vmf->vma->vm_file);
	release_fault_lock(vmf);
	err = fault_prepare(inode, index, mode);
	trace_cohfs_fault_wait(inode, index, mode,
			       ktime_to_ns(ktime_sub(ktime_get(), start)), err);
	if (err && err != -EINTR)
		COHFS_I(inode)->ci_fault_err = err;
	fput(file);
	return VM_FAULT_RETRY;
}

/*
 * An error of a prepare that had dropped mmap_lock is handed to the repeated fault
 * through the inode: once, to whoever comes first.  At worst a fault of another task
 * reports it, for the same file and the same reason.
 */
static int fault_take_error(struct inode *inode)
{
	if (likely(!READ_ONCE(COHFS_I(inode)->ci_fault_err)))
		return 0;
	return xchg(&COHFS_I(inode)->ci_fault_err, 0);
}

static vm_fault_t cohfs_fault_locked(struct vm_fault *vmf, struct inode *inode,
				     enum cohfs_mode mode)
{
	pgoff_t index = vmf->pgoff;
	vm_fault_t ret;

	if (!beyond_eof(inode, index) && !page_is_mapped(inode, index, mode)) {
		cohfs_range_unlock_unused(inode, index, index, mode);
		return fault_wait(vmf, inode, mode);
	}
	ret = filemap_fault(vmf);
	/* After RETRY vmf->vma may be gone; a shared store is done by page_mkwrite. */
	if ((ret & VM_FAULT_RETRY) || mode == COHFS_EX)
		cohfs_range_unlock_unused(inode, index, index, mode);
	else
		cohfs_range_unlock(inode, index, index, mode);
	return ret;
}

static vm_fault_t cohfs_fault(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	enum cohfs_mode mode = is_shared_store(vmf) ? COHFS_EX : COHFS_PR;
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
		ret = cohfs_fault_locked(vmf, inode, mode);
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
	unmap_mapping_range(inode->i_mapping, (loff_t)index << PAGE_SHIFT,
			    PAGE_SIZE, 0);
	return VM_FAULT_NOPAGE;
}

static vm_fault_t cohfs_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	unsigned int flags = COHFS_RANGE_TRY;
	pgoff_t index = vmf->pgoff;
	vm_fault_t ret;
	int err;

	sb_start_pagefault(inode->i_sb);
	if (cohfs_range_held(inode, index, COHFS_EX))
		flags |= COHFS_RANGE_KEEP;
	err = cohfs_range_lock(inode, index, index, COHFS_EX, flags);
	if (err) {
		ret = mkwrite_refault(inode, index, err);
	} else if (!page_is_mapped(inode, index, COHFS_EX)) {
		cohfs_range_unlock_unused(inode, index, index, COHFS_EX);
		ret = mkwrite_refault(inode, index, 0);
	} else {
		/* Dirty before the right is let go: the revoke must see it. */
		cohfs_times_touch(inode);
		ret = iomap_page_mkwrite(vmf, &cohfs_iomap_ops);
		cohfs_range_unlock(inode, index, index, COHFS_EX);
	}
	sb_end_pagefault(inode->i_sb);
	return ret;
}

const struct vm_operations_struct cohfs_vm_ops = {
	.fault		= cohfs_fault,
	.map_pages	= filemap_map_pages,
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
