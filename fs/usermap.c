// SPDX-License-Identifier: GPL-2.0-only
/*
 * Plans: the locks of a read() or write() together with those of its buffer.
 *
 * Two defences, each for the other's hole.  First, all ranges are known and taken
 * in one global order before the copy, so the calls of two nodes cannot wait for
 * each other in a circle and both get on under contention.  Second, the copy runs
 * with page faults disabled: whatever the plan did not foresee makes it stop short,
 * everything is dropped, the page is faulted in and the plan made anew.
 *
 * While a plan is held its own pages can be faulted in without dropping anything:
 * the ranges are recorded as held by this task and ->fault uses them without
 * waiting, also while a revoke is pending.  Always dropping would let two
 * mirror-image tasks rob each other forever.
 */
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include "inode.h"
#include "mmap.h"
#include "trace.h"
#include "usermap.h"

static struct cohfs_plan_range *plan_find(struct cohfs_plan *plan,
					  struct inode *inode)
{
	unsigned int i;

	for (i = 0; i < plan->count; i++)
		if (plan->ranges[i].inode == inode)
			return &plan->ranges[i];
	return NULL;
}

static void plan_reset(struct cohfs_plan *plan)
{
	unsigned int i;

	for (i = 0; i < plan->count; i++)
		if (plan->ranges[i].inode != plan->target)
			iput(plan->ranges[i].inode);
	memset(plan->ranges, 0, sizeof(plan->ranges));
	plan->ranges[0].inode = plan->target;
	plan->ranges[0].mode = plan->target_mode;
	plan->ranges[0].first = COHFS_RANGE_END;
	plan->count = 1;
	if (plan->holds != &plan->own)
		kfree(plan->holds);
	plan->holds = &plan->own;
	plan->user = false;
}

void cohfs_plan_init(struct cohfs_plan *plan, struct inode *target,
		     enum cohfs_mode mode)
{
	plan->target = target;
	plan->target_mode = mode;
	plan->count = 0;
	plan->holds = &plan->own;
	plan_reset(plan);
}

void cohfs_plan_fini(struct cohfs_plan *plan)
{
	plan_reset(plan);
}

/* Add pages of @inode; false when the plan is full. */
static bool plan_add(struct cohfs_plan *plan, struct inode *inode, pgoff_t first,
		     pgoff_t last, enum cohfs_mode mode)
{
	struct cohfs_plan_range *range = plan_find(plan, inode);

	if (!range) {
		if (plan->count == COHFS_PLAN_MAX)
			return false;
		range = &plan->ranges[plan->count++];
		ihold(inode);
		range->inode = inode;
		range->first = first;
		range->last = last;
		range->mode = mode;
	}
	range->first = min(range->first, first);
	range->last = max(range->last, last);
	range->mode = max(range->mode, mode);
	plan->user = true;
	return true;
}

/* Collect the mappings of [@start, @end) that belong to the target's filesystem. */
static int plan_collect(struct cohfs_plan *plan, unsigned long start,
			unsigned long end, bool to_user)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;
	int err = mmap_read_lock_killable(mm);

	if (err)
		return err;
	for (vma = find_vma(mm, start); vma && vma->vm_start < end;
	     vma = find_vma(mm, vma->vm_end)) {
		bool shared = vma->vm_flags & VM_SHARED;
		unsigned long lo = max(start, vma->vm_start);
		unsigned long hi = min(end, vma->vm_end);

		if (vma->vm_ops != &cohfs_vm_ops ||
		    file_inode(vma->vm_file)->i_sb != plan->target->i_sb)
			continue;
		if (!plan_add(plan, file_inode(vma->vm_file),
			      linear_page_index(vma, lo),
			      linear_page_index(vma, hi - 1),
			      to_user && shared ? COHFS_EX : COHFS_PR))
			break;
	}
	mmap_read_unlock(mm);
	return 0;
}

static int plan_cmp(const void *a, const void *b)
{
	const struct cohfs_plan_range *ra = a, *rb = b;

	if (ra->inode->i_ino == rb->inode->i_ino)
		return 0;
	return ra->inode->i_ino < rb->inode->i_ino ? -1 : 1;
}

/* The user memory at the front of @iter, at most @max bytes. */
static size_t iter_front(struct iov_iter *iter, size_t max, unsigned long *start)
{
	if (iter_is_ubuf(iter)) {
		*start = (unsigned long)iter->ubuf + iter->iov_offset;
		return min(max, iov_iter_count(iter));
	}
	*start = (unsigned long)iter_iov_addr(iter);
	return min3(max, iter_iov_len(iter), iov_iter_count(iter));
}

int cohfs_plan_prepare(struct cohfs_plan *plan, struct iov_iter *iter,
		       size_t *window)
{
	bool to_user = iov_iter_rw(iter) == READ;
	size_t size = min(*window, iov_iter_count(iter));
	unsigned long start;
	size_t len, left;
	int err;

	plan_reset(plan);
	if (fatal_signal_pending(current))
		return -EINTR;
	if (!user_backed_iter(iter))
		return -EFAULT;
	left = to_user ? fault_in_iov_iter_writeable(iter, size)
		       : fault_in_iov_iter_readable(iter, size);
	if (left == size)
		return -EFAULT;
	len = iter_front(iter, size, &start);
	*window = max_t(size_t, *window / 2, PAGE_SIZE);
	if (!len)
		return 0;
	err = plan_collect(plan, start, start + len, to_user);
	sort(plan->ranges, plan->count, sizeof(plan->ranges[0]), plan_cmp, NULL);
	if (plan->count == 1 || err)
		return err;
	plan->holds = kcalloc(plan->count, sizeof(*plan->holds), GFP_KERNEL);
	if (plan->holds)
		return 0;
	plan->holds = &plan->own;
	plan_reset(plan);
	return -ENOMEM;
}

int cohfs_plan_lock_attrs(struct cohfs_plan *plan, enum cohfs_mode mode)
{
	unsigned int i;

	for (i = 0; i < plan->count; i++) {
		struct cohfs_plan_range *range = &plan->ranges[i];
		enum cohfs_mode want = range->inode == plan->target ? mode
								    : COHFS_PR;
		int err = want == COHFS_EX ? cohfs_attr_lock_write(range->inode) :
					     cohfs_attr_lock(range->inode, want);

		if (err) {
			cohfs_plan_unlock(plan);
			return err;
		}
		range->attr_mode = want;
	}
	return 0;
}

static void plan_unlock_attr(struct cohfs_plan_range *range)
{
	if (range->attr_mode == COHFS_NL)
		return;
	/* to be granted a range is one thing, to make a file longer goes on */
	if (range->attr_mode == COHFS_PR)
		cohfs_attr_unlock_done(range->inode, COHFS_PR);
	else
		cohfs_attr_unlock(range->inode, range->attr_mode);
	range->attr_mode = COHFS_NL;
}

int cohfs_plan_lock_ranges(struct cohfs_plan *plan, pgoff_t first, pgoff_t last)
{
	struct cohfs_plan_range *target = plan_find(plan, plan->target);
	unsigned int i;
	int err;

	target->first = min(target->first, first);
	target->last = max(target->last, last);
	for (i = 0; i < plan->count; i++) {
		struct cohfs_plan_range *range = &plan->ranges[i];

		err = cohfs_range_lock(&plan->holds[i], range->inode, range->first,
				       range->last, range->mode, COHFS_RANGE_ATTR);
		if (err) {
			cohfs_plan_unlock(plan);
			return err;
		}
		range->locked = true;
		if (plan->user)
			cohfs_range_hold_add(&plan->holds[i]);
	}
	for (i = 0; i < plan->count; i++)
		if (plan->ranges[i].attr_mode == COHFS_PR)
			plan_unlock_attr(&plan->ranges[i]);
	return 0;
}

void cohfs_plan_unlock(struct cohfs_plan *plan)
{
	unsigned int i;

	for (i = 0; i < plan->count; i++) {
		struct cohfs_plan_range *range = &plan->ranges[i];

		if (range->locked) {
			if (plan->user)
				cohfs_range_hold_del(&plan->holds[i]);
			cohfs_range_unlock(&plan->holds[i]);
			range->locked = false;
		}
		plan_unlock_attr(range);
	}
}

struct cohfs_range_hold *cohfs_plan_hold(struct cohfs_plan *plan)
{
	return &plan->holds[plan_find(plan, plan->target) - plan->ranges];
}

/* Is @addr in a mapping whose range the plan holds strongly enough? */
static bool plan_covers(struct cohfs_plan *plan, struct vm_area_struct *vma,
			unsigned long addr, bool to_user)
{
	enum cohfs_mode need = to_user && (vma->vm_flags & VM_SHARED) ? COHFS_EX
								      : COHFS_PR;

	if (vma->vm_ops != &cohfs_vm_ops)
		return false;
	return plan_find(plan, file_inode(vma->vm_file)) &&
	       cohfs_range_held(file_inode(vma->vm_file),
				linear_page_index(vma, addr), need);
}

bool cohfs_plan_fault_in(struct cohfs_plan *plan, struct iov_iter *iter)
{
	bool to_user = iov_iter_rw(iter) == READ;
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;
	unsigned long addr;
	bool ok = false;

	if (!plan->user || !user_backed_iter(iter) ||
	    !iter_front(iter, PAGE_SIZE, &addr))
		return false;
	/*
	 * Only a try: mmap_lock stands outside every cluster lock, and a writer of
	 * it may be waiting behind a fault that waits for what we hold.
	 */
	if (!mmap_read_trylock(mm))
		return false;
	vma = vma_lookup(mm, addr);
	if (vma && plan_covers(plan, vma, addr, to_user))
		ok = !fixup_user_fault(mm, addr, to_user ? FAULT_FLAG_WRITE : 0,
				       NULL);
	mmap_read_unlock(mm);
	return ok;
}
