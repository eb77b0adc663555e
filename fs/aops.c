// SPDX-License-Identifier: GPL-2.0-only
/*
 * Address space: page cache to disk and back, through iomap.
 *
 * Everything here runs with folios locked, so nothing here waits for a cluster
 * lock or opens a transaction: mappings come from the extent map in core, which
 * whoever holds the range has filled.
 */
#include <linux/blkdev.h>
#include <linux/iomap.h>
#include <linux/pagemap.h>
#include <linux/writeback.h>
#include "aops.h"
#include "folio.h"
#include "fresh.h"
#include "inode.h"
#include "trace.h"

static void fill_iomap(struct inode *inode, struct iomap *iomap, u64 lblk,
		       u64 blk, u64 len)
{
	iomap->bdev = inode->i_sb->s_bdev;
	iomap->offset = (loff_t)(lblk << COHFS_BLOCK_SHIFT);
	iomap->length = min_t(u64, len, (u64)LLONG_MAX >> COHFS_BLOCK_SHIFT) <<
			COHFS_BLOCK_SHIFT;
	iomap->flags = 0;
	if (blk) {
		iomap->type = IOMAP_MAPPED;
		iomap->addr = blk << COHFS_BLOCK_SHIFT;
	} else {
		iomap->type = IOMAP_HOLE;
		iomap->addr = IOMAP_NULL_ADDR;
	}
}

/*
 * A miss on a read is a reader that came without the range (read-ahead past what
 * was filled, fadvise): -EAGAIN ends it and the folios are dropped.  A miss or a
 * hole on a write would be a caller that did not allocate first.
 * @eof: first byte that is zero without a map that says so
 */
static int begin(struct inode *inode, loff_t pos, unsigned int flags, loff_t eof,
		 struct iomap *iomap)
{
	u64 lblk = (u64)pos >> COHFS_BLOCK_SHIFT;
	u64 end = cohfs_disksize_readable(inode);
	u64 blk, len;
	bool fresh;

	if (cohfs_is_withdrawn(COHFS_SB(inode->i_sb)) || lblk >= end)
		return -EIO;
	len = cohfs_extmap_lookup(inode, lblk, &blk);
	if (!len) {
		/* a reader that a truncate on this node has overtaken */
		if ((flags & IOMAP_WRITE) || pos < eof)
			return -EAGAIN;
		len = 1;
		blk = 0;
	}
	if ((flags & IOMAP_WRITE) && !blk) {
		WARN_ON_ONCE(!(flags & IOMAP_FAULT));
		return -EAGAIN;
	}
	len = min(len, end - lblk);
	fresh = blk && !(flags & IOMAP_REPORT) &&
		cohfs_fresh_find(inode, lblk, &len, &iomap->validity_cookie);
	/* those that could not be made zero are not found */
	if (cohfs_is_withdrawn(COHFS_SB(inode->i_sb)))
		return -EIO;
	fill_iomap(inode, iomap, lblk, blk, len);
	if (fresh) {
		iomap->type = IOMAP_UNWRITTEN;
		iomap->folio_ops = &cohfs_fresh_folio_ops;
	}
	return 0;
}

static int cohfs_iomap_begin(struct inode *inode, loff_t pos, loff_t length,
			     unsigned int flags, struct iomap *iomap,
			     struct iomap *srcmap)
{
	return begin(inode, pos, flags, i_size_read(inode), iomap);
}

const struct iomap_ops cohfs_iomap_ops = {
	.iomap_begin	= cohfs_iomap_begin,
};

/*
 * The caller may be read(2) or a fault, which hold the range, or fadvise and uprobes,
 * which do not.  The extent map serves both: what it knows is covered by a lock of
 * this node, and a revoke makes it forget before it throws away folios, so a folio
 * that is locked here with its place known is found and waited for.
 */
static int cohfs_read_folio(struct file *file, struct folio *folio)
{
	return iomap_read_folio(folio, &cohfs_iomap_ops);
}

/*
 * Beyond what is held i_size is anything: what it calls the end may be in the middle of the
 * file by now, and a page of zeroes would stay for who gets the lock.  So read-ahead ends
 * where the map does; what the VFS keeps of the rest is not uptodate.
 */
static int readahead_begin(struct inode *inode, loff_t pos, loff_t length,
			   unsigned int flags, struct iomap *iomap,
			   struct iomap *srcmap)
{
	return begin(inode, pos, flags, S64_MAX, iomap);
}

static const struct iomap_ops readahead_ops = {
	.iomap_begin	= readahead_begin,
};

static void cohfs_readahead(struct readahead_control *rac)
{
	if (!cohfs_folio_refuse_large(rac))
		iomap_readahead(rac, &readahead_ops);
}

/*
 * A device that lets go of a page makes all of its folio dirty, whatever was punched out of
 * it meanwhile: there is nothing to write where there is a hole now.
 */
static bool in_large_folio(struct inode *inode, pgoff_t index)
{
	/* locked by who writes it back */
	return folio_test_large((struct folio *)xa_load(&inode->i_mapping->i_pages, index));
}

static int cohfs_writeback_map(struct iomap_writepage_ctx *wpc, struct inode *inode,
			    loff_t offset, unsigned int len)
{
	u64 lblk = (u64)offset >> COHFS_BLOCK_SHIFT;
	u64 blk, count;

	if (cohfs_is_withdrawn(COHFS_SB(inode->i_sb)))
		return -EIO;
	/*
	 * Looked up for every folio: only the one that is locked and dirty is sure
	 * to be where the map says; for the next one a truncate and a write may
	 * have come in between.
	 */
	count = cohfs_extmap_lookup(inode, lblk, &blk);
	if (WARN_ON_ONCE(!count || (!blk && !in_large_folio(inode, lblk)))) {
		cohfs_disksize_failed(inode, offset, len);
		return -EIO;
	}
	if (blk)
		cohfs_fresh_gone(inode, lblk, lblk + (len - 1) / COHFS_BLOCK_SIZE);
	fill_iomap(inode, &wpc->iomap, lblk, blk, count);
	return 0;
}

/* Interrupt context.  An error is kept: the size must not go beyond what is on disk. */
static void writeback_end(struct bio *bio)
{
	struct iomap_ioend *ioend = iomap_ioend_from_bio(bio);
	bio_end_io_t *iomap_end = bio->bi_private;

	if (bio->bi_status) {
		cohfs_disksize_failed(ioend->io_inode, ioend->io_offset, ioend->io_size);
		cohfs_fresh_lost(ioend->io_inode);
	}
	iomap_end(bio);
}

static int cohfs_writeback_prepare(struct iomap_ioend *ioend, int status)
{
	struct bio *bio = &ioend->io_bio;

	bio->bi_private = bio->bi_end_io;
	bio->bi_end_io = writeback_end;
	return status;
}

static const struct iomap_writeback_ops cohfs_writeback_ops = {
	.map_blocks	= cohfs_writeback_map,
	.prepare_ioend	= cohfs_writeback_prepare,
};

/*
 * Plugged: where several nodes write to a file, what is dirty here has neighbours that
 * are not, and makes a bio per record.  They reach the device in batches.
 */
static int cohfs_writepages(struct address_space *mapping,
			    struct writeback_control *wbc)
{
	struct iomap_writepage_ctx wpc = { };
	struct blk_plug plug;
	int err;

	blk_start_plug(&plug);
	err = iomap_writepages(mapping, wbc, &wpc, &cohfs_writeback_ops);
	blk_finish_plug(&plug);
	return err;
}

const struct address_space_operations cohfs_aops = {
	.read_folio		= cohfs_read_folio,
	.readahead		= cohfs_readahead,
	.writepages		= cohfs_writepages,
	.dirty_folio		= iomap_dirty_folio,
	.release_folio		= iomap_release_folio,
	.invalidate_folio	= iomap_invalidate_folio,
	.is_partially_uptodate	= iomap_is_partially_uptodate,
	.migrate_folio		= filemap_migrate_folio,
	.error_remove_folio	= generic_error_remove_folio,
};
