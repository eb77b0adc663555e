/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Modelled nodes of a cluster around the real code of range locks: fs/range.c, rnode.c,
 * revoke.c, rcache.c, and below them the lock layer with its state machine.  Included
 * before anything else; stands in for fs/inode.h and fs/super.h.
 *
 * range_sched.c  who runs next, time, memory
 * range_lm.c     the lock manager and its messages
 * range_pages.c  pages in core, the disk, and what each page ought to contain
 * range_tasks.c  what programs do
 * range_model.c  schedules
 */
#ifndef _COHFS_TEST_RANGE_FS_H
#define _COHFS_TEST_RANGE_FS_H

#include "range_kernel.h"

#define _COHFS_INODE_H
#define _COHFS_SUPER_H
#define _COHFS_TRACE_H
#define _COHFS_GLUE_TRACE_H

#define PAGE_SHIFT	12
#define PAGE_SIZE	(1ul << PAGE_SHIFT)
#define NR_PAGES	12		/* of the file; locks know more */
#define MAX_NODES	4

struct inode;
struct cohfs_sb;
struct cohfs_extmap { bool known[NR_PAGES]; };

/* Pages: range_pages.c ------------------------------------------------------------- */

enum pte { PTE_NONE, PTE_READ, PTE_WRITE };

struct address_space;

#define FOLIO_PAGES	4		/* a region */

/**
 * struct folio - some pages in core, side by side
 * @nr: how many
 * @version: the content of each: how often the page had been changed
 * @pte: of each
 */
struct folio {
	struct address_space *mapping;
	pgoff_t index;
	unsigned int nr;
	unsigned int refs;
	u32 version[FOLIO_PAGES];
	u8 pte[FOLIO_PAGES];
	bool locked;
	bool uptodate;
	bool dirty;
	bool writeback;
};

struct address_space {
	struct inode *host;
	struct rw_semaphore invalidate_lock;
	struct folio *slot[NR_PAGES];
};

#define BATCH	3

struct folio_batch {
	unsigned int nr;
	struct folio *folios[BATCH];
};

#define PAGECACHE_TAG_DIRTY	0
#define GUP_PIN_COUNTING_BIAS	1024

#define folio_batch_init(b)		((void)((b)->nr = 0))
#define folio_batch_count(b)		((b)->nr)
#define folio_test_large(f)		((f)->nr > 1)
#define folio_nr_pages(f)		((f)->nr)
#define folio_next_index(f)		((f)->index + (f)->nr)
#define folio_maybe_dma_pinned(f)	false
#define folio_ref_count(f)		((int)(f)->refs)
#define folio_mapped(f)			(folio_mapcount(f) > 0)
#define folio_test_dirty(f)		((f)->dirty)
#define folio_test_writeback(f)		((f)->writeback)
#define mapping_mapped(m)		true
#define filemap_invalidate_lock(m)	down_write(&(m)->invalidate_lock)
#define filemap_invalidate_unlock(m)	up_write(&(m)->invalidate_lock)

static inline u32 *folio_version(struct folio *folio, pgoff_t page)
{
	return &folio->version[page - folio->index];
}

static inline u8 *folio_pte(struct folio *folio, pgoff_t page)
{
	return &folio->pte[page - folio->index];
}

static inline int folio_mapcount(struct folio *folio)
{
	unsigned int i;
	int n = 0;

	for (i = 0; i < folio->nr; i++)
		n += folio->pte[i] != PTE_NONE;
	return n;
}

void folio_batch_release(struct folio_batch *batch);
unsigned int filemap_get_folios(struct address_space *mapping, pgoff_t *start,
				pgoff_t end, struct folio_batch *batch);
unsigned int filemap_get_folios_tag(struct address_space *mapping, pgoff_t *start,
				    pgoff_t end, int tag, struct folio_batch *batch);
int filemap_write_and_wait_range(struct address_space *mapping, loff_t from, loff_t to);
void truncate_inode_pages_range(struct address_space *mapping, loff_t from, loff_t to);
void unmap_mapping_range(struct address_space *mapping, loff_t from, loff_t len,
			 int even_cows);
void cohfs_extmap_forget(struct cohfs_extmap *map, u64 first, u64 last);

/* Inodes ---------------------------------------------------------------------------- */

struct super_block { char s_id[8]; };

struct inode {
	unsigned long i_ino;
	struct super_block *i_sb;
	struct address_space *i_mapping;
	struct address_space i_data;
	int count;
	bool freeing;
};

struct cohfs_lockspace;
struct cohfs_rcache;

struct cohfs_sb {
	struct super_block sb_space;
	struct super_block *sb;
	struct cohfs_lockspace *ls;
	struct cohfs_rcache *rcache;
};

#include "../../../fs/rnode.h"
#include "../../../fs/range.h"
#include "../../../fs/rcache.h"
#include "../../../dlm_glue/lock.h"

/** struct attr - stands for the I lock of an inode and what it is for */
struct attr {
	struct cohfs_lock lk;
	unsigned int size;		/* in pages, as this node knows it */
	bool valid;
};

struct cohfs_inode {
	struct cohfs_rtree ci_ranges;
	struct cohfs_extmap ci_extmap;
	spinlock_t ci_holds_lock;
	struct list_head ci_holds;
	unsigned int ci_handovers;
	struct attr *attr;
	struct inode ci_vfs;
};

static inline struct cohfs_inode *COHFS_I(const struct inode *inode)
{
	return container_of(inode, struct cohfs_inode, ci_vfs);
}

static inline struct cohfs_sb *COHFS_SB(struct super_block *sb)
{
	return container_of(sb, struct cohfs_sb, sb_space);
}

struct inode *igrab(struct inode *inode);
void iput(struct inode *inode);
int cohfs_attr_lock(struct inode *inode, enum cohfs_mode mode);
bool cohfs_attr_trylock(struct inode *inode);
void cohfs_attr_unlock(struct inode *inode, enum cohfs_mode mode);
void cohfs_attr_unlock_done(struct inode *inode, enum cohfs_mode mode);

#define cohfs_warn(...)			((void)0)
#define cohfs_is_withdrawn(cs)		false
#define cohfs_withdraw(cs, ...)		violated("withdrawn")

#define trace_cohfs_lock_bast(...)		((void)0)
#define trace_cohfs_lock_grant(lk, took)	((void)(took))
#define trace_cohfs_lock_lower(...)		((void)0)
#define trace_cohfs_lock_park(...)		((void)0)
#define trace_cohfs_lock_refused(...)		((void)0)
#define trace_cohfs_lock_request(...)		((void)0)
#define trace_cohfs_lock_retry(...)		((void)0)
#define trace_cohfs_lock_revoke_begin(...)	((void)0)
#define trace_cohfs_lock_revoke_end(...)	((void)0)
#define trace_cohfs_lock_tenure(...)		((void)0)
#define trace_cohfs_range_bounce(...)		((void)0)
#define trace_cohfs_range_climb(...)		((void)0)
#define trace_cohfs_range_pinned(...)		((void)0)
#define trace_cohfs_range_split(...)		((void)0)

#endif /* _COHFS_TEST_RANGE_FS_H */
