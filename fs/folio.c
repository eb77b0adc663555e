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

void cohfs_folio_large_begin(const struct cohfs_range_hold *hold)
{
	/* such huge pages are counted on the assumption that the order never changes */
	BUILD_BUG_ON(IS_ENABLED(CONFIG_READ_ONLY_THP_FOR_FS));
	if (IS_ENABLED(CONFIG_TRANSPARENT_HUGEPAGE) && cohfs_range_is_file(hold))
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
