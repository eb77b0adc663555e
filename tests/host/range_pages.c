// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages in core, page tables, the disk.  A page's content is a number: how often it was
 * changed.  So who reads an old page, or writes one back over a newer, is found out.
 */
#include "range_model.h"

static pgoff_t page_of(loff_t at)
{
	return min_t(u64, (u64)at >> PAGE_SHIFT, NR_PAGES);
}

/* One page ------------------------------------------------------------------------- */

static void get(struct folio *folio)
{
	folio->refs++;
}

void pages_put(struct folio *folio)
{
	if (!--folio->refs)
		free(folio);
}

static bool is_unlocked(void *arg)
{
	return !((struct folio *)arg)->locked;
}

static bool is_written(void *arg)
{
	return !((struct folio *)arg)->writeback;
}

void pages_lock(struct folio *folio)
{
	model_pause();
	model_wait(is_unlocked, folio);
	folio->locked = true;
}

void pages_unlock(struct folio *folio)
{
	folio->locked = false;
	model_pause();
}

struct folio *pages_find(struct inode *inode, pgoff_t index)
{
	struct folio *folio = inode->i_mapping->slot[index];

	if (folio)
		get(folio);
	return folio;
}

/* May a folio of @nr pages be where page @index is, as far as can be seen? */
static bool has_room(struct inode *inode, pgoff_t index, unsigned int nr)
{
	pgoff_t first = index & ~(pgoff_t)(nr - 1), i;

	for (i = first; i < first + nr; i++)
		if (i >= COHFS_I(inode)->attr->size || inode->i_mapping->slot[i] ||
		    !COHFS_I(inode)->ci_extmap.known[i])
			return false;
	return true;
}

static struct folio *add_locked(struct inode *inode, pgoff_t index, bool large)
{
	struct folio *folio = calloc(1, sizeof(*folio));
	pgoff_t i;

	folio->nr = large ? FOLIO_PAGES >> model_rand() % 3 : 1;
	while (folio->nr > 1 && !has_room(inode, index, folio->nr))
		folio->nr /= 2;
	folio->mapping = inode->i_mapping;
	folio->index = index & ~(pgoff_t)(folio->nr - 1);
	folio->locked = true;
	folio->refs = 2;		/* the cache's and the caller's */
	for (i = 0; i < folio->nr; i++)
		inode->i_mapping->slot[folio->index + i] = folio;
	return folio;
}

/* @folio is locked */
static void remove_folio(struct folio *folio)
{
	pgoff_t i;

	for (i = 0; i < folio->nr; i++) {
		folio->mapping->slot[folio->index + i] = NULL;
		folio->pte[i] = PTE_NONE;
	}
	folio->mapping = NULL;
	folio->uptodate = false;
	folio->dirty = false;
	pages_put(folio);
}

/*
 * Where it is on disk is asked with the folio locked: either the revoke has said that
 * nobody knows any more, or it finds this folio.
 */
static bool fill(struct inode *inode, struct folio *folio)
{
	pgoff_t i;

	for (i = 0; i < folio->nr; i++) {
		model_pause();
		if (!COHFS_I(inode)->ci_extmap.known[folio->index + i])
			return false;
		model_pause();
		folio->version[i] = W.disk[folio->index + i];
	}
	model_pause();
	folio->uptodate = true;
	return true;
}

struct folio *pages_read(struct inode *inode, pgoff_t index, bool large)
{
	struct folio *folio;
	bool filled;

	for (;;) {
		model_pause();
		folio = pages_find(inode, index);
		if (!folio) {
			folio = add_locked(inode, index, large);
			filled = fill(inode, folio);
			if (!filled)
				remove_folio(folio);
			pages_unlock(folio);
			if (filled)
				return folio;
			pages_put(folio);
			return NULL;
		}
		model_wait(is_unlocked, folio);
		if (folio->uptodate && folio->mapping)
			return folio;
		pages_put(folio);
		model_pause();
	}
}

void pages_map(struct inode *inode, pgoff_t first, pgoff_t last)
{
	for (; first <= last && first < NR_PAGES; first++) {
		COHFS_I(inode)->ci_extmap.known[first] = true;
		model_pause();
	}
}

void cohfs_extmap_forget(struct cohfs_extmap *map, u64 first, u64 last)
{
	for (; first <= last && first < NR_PAGES; first++)
		map->known[first] = false;
	model_pause();
}

/* Ranges of pages ----------------------------------------------------------------------- */

static unsigned int gather(struct address_space *mapping, pgoff_t *start, pgoff_t end,
			   bool dirty, struct folio_batch *batch)
{
	pgoff_t i;

	model_pause();
	batch->nr = 0;
	for (i = *start; i <= end && i < NR_PAGES; i++) {
		struct folio *folio = mapping->slot[i];

		if (!folio || (dirty && !folio->dirty))
			continue;
		get(folio);
		batch->folios[batch->nr++] = folio;
		i = folio->index + folio->nr - 1;
		if (batch->nr == BATCH) {
			*start = i + 1;
			return batch->nr;
		}
	}
	*start = end + 1 ?: end;
	return batch->nr;
}

unsigned int filemap_get_folios(struct address_space *mapping, pgoff_t *start,
				pgoff_t end, struct folio_batch *batch)
{
	return gather(mapping, start, end, false, batch);
}

unsigned int filemap_get_folios_tag(struct address_space *mapping, pgoff_t *start,
				    pgoff_t end, int tag, struct folio_batch *batch)
{
	return gather(mapping, start, end, true, batch);
}

void folio_batch_release(struct folio_batch *batch)
{
	while (batch->nr)
		pages_put(batch->folios[--batch->nr]);
}

void unmap_mapping_range(struct address_space *mapping, loff_t from, loff_t len,
			 int even_cows)
{
	pgoff_t i, end = len ? page_of(from + len - 1) : NR_PAGES;

	for (i = page_of(from); i <= end && i < NR_PAGES; i++) {
		if (mapping->slot[i])
			*folio_pte(mapping->slot[i], i) = PTE_NONE;
		model_pause();
	}
}

static void write_to_disk(struct folio *folio)
{
	u32 version;
	pgoff_t i;

	for (i = 0; i < folio->nr; i++) {
		model_pause();
		version = folio->version[i];
		model_pause();
		if (version < W.disk[folio->index + i])
			violated("an old page is written over a newer one");
		W.disk[folio->index + i] = version;
	}
	folio->writeback = false;
}

/* Takes a reference of the caller. */
static void write_folio(struct folio *folio)
{
	bool mine = false;
	pgoff_t i;

	pages_lock(folio);
	model_wait(is_written, folio);
	if (folio->mapping && folio->dirty) {
		for (i = 0; i < folio->nr; i++)
			folio->pte[i] = min_t(u8, folio->pte[i], PTE_READ);
		folio->dirty = false;
		folio->writeback = true;
		mine = true;
	}
	pages_unlock(folio);
	if (mine)
		write_to_disk(folio);
	model_wait(is_written, folio);
	pages_put(folio);
}

int filemap_write_and_wait_range(struct address_space *mapping, loff_t from, loff_t to)
{
	pgoff_t i, end = page_of(to);

	for (i = page_of(from); i <= end && i < NR_PAGES; i++) {
		struct folio *folio = mapping->slot[i];

		model_pause();
		if (folio != mapping->slot[i] || !folio)
			folio = mapping->slot[i];
		if (!folio || (!folio->dirty && !folio->writeback))
			continue;
		get(folio);
		write_folio(folio);
	}
	return 0;
}

static void drop_pages(struct address_space *mapping, pgoff_t first, pgoff_t last,
		       bool dirty_too)
{
	pgoff_t i;

	for (i = first; i <= last && i < NR_PAGES; i++) {
		struct folio *folio = mapping->slot[i];

		if (!folio)
			continue;
		get(folio);
		/* a truncate may cut a folio: what stays of it is read again */
		if (dirty_too && folio->index < first) {
			get(folio);
			write_folio(folio);
		}
		pages_lock(folio);
		model_wait(is_written, folio);
		if (folio->mapping == mapping) {
			if (folio->dirty && !dirty_too)
				violated("dirty data is dropped");
			if (!dirty_too && (folio->index < first ||
					   folio->index + folio->nr - 1 > last))
				violated("a folio is cut");
			remove_folio(folio);
		}
		pages_unlock(folio);
		pages_put(folio);
	}
}

void truncate_inode_pages_range(struct address_space *mapping, loff_t from, loff_t to)
{
	drop_pages(mapping, page_of(from), page_of(to), false);
}

void pages_truncate(struct inode *inode, pgoff_t first, pgoff_t last)
{
	drop_pages(inode->i_mapping, first, last, true);
}
