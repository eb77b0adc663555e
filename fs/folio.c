// SPDX-License-Identifier: GPL-2.0-only
/*
 * Large folios, for what is written at once.
 */
#include "folio.h"
#include "inode.h"
#include "range.h"

/*
 * mapping_set_folio_order_range() is for inodes that nobody has yet: it would lose an error
 * bit that write-back sets at the same moment.  Of the order there is but one writer, and
 * iomap_file_buffered_write() relies on its staying the same.
 */
static void set_order(struct inode *inode, unsigned int order)
{
	unsigned long *flags = &inode->i_mapping->flags;
	unsigned long old = READ_ONCE(*flags), new;

	lockdep_assert_held_write(&inode->i_rwsem);
	do {
		new = (old & ~(unsigned long)AS_FOLIO_ORDER_MAX_MASK) |
		      ((unsigned long)order << AS_FOLIO_ORDER_MAX);
	} while (!try_cmpxchg(flags, &old, new));
}

/*
 * A folio whose first block is new and written from its middle on passes for uptodate as a
 * whole, in iomap, before anything is copied: what a copy that stops short leaves of it would
 * be whatever the memory held.  Of a page zero_tail() takes care.
 */
static bool begins_inside_new_block(const struct inode *inode, loff_t pos)
{
	return offset_in_page(pos) && round_down(pos, PAGE_SIZE) >= i_size_read(inode);
}

void cohfs_folio_large_begin(const struct cohfs_range_hold *hold, loff_t pos)
{
	if (!IS_ENABLED(CONFIG_TRANSPARENT_HUGEPAGE) || !cohfs_range_is_file(hold) ||
	    begins_inside_new_block(hold->inode, pos))
		return;
	/* there huge pages are counted on the assumption that the order never changes */
	if (!IS_ENABLED(CONFIG_READ_ONLY_THP_FOR_FS))
		set_order(hold->inode, COHFS_FOLIO_ORDER);
}

void cohfs_folio_large_end(struct inode *inode)
{
	if (mapping_large_folio_support(inode->i_mapping))
		set_order(inode, 0);
}

static bool has_large(struct readahead_control *rac)
{
	pgoff_t index = readahead_index(rac), end = index + readahead_count(rac);
	struct folio *folio;

	for (; index < end; index++) {
		/* they are locked, so they stay */
		folio = xa_load(&rac->mapping->i_pages, index);
		if (folio_test_large(folio))
			return true;
	}
	return false;
}

bool cohfs_folio_refuse_large(struct readahead_control *rac)
{
	struct folio *folio;

	if (!has_large(rac))
		return false;
	while ((folio = readahead_folio(rac))) {
		folio_get(folio);
		generic_error_remove_folio(rac->mapping, folio);
		folio_unlock(folio);
		folio_put(folio);
	}
	return true;
}
