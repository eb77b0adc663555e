/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Metadata blocks: read with verification, change inside a transaction.
 *
 * Blocks live in the block device's buffer cache, which all locks share, so the
 * cache alone says nothing about freshness.  A block may be trusted only while
 * it is in the metaset of a lock that covers it; what is not in the set is read
 * from disk again, whatever the buffer says.  Losing the lock empties the set.
 */
#ifndef _COHFS_METAIO_H
#define _COHFS_METAIO_H

#include <linux/buffer_head.h>
#include <linux/cohfs_ondisk.h>
#include <linux/jbd2.h>
#include <linux/mutex.h>
#include <linux/xarray.h>

struct cohfs_sb;

/**
 * struct cohfs_metaset - the blocks that are valid under one lock
 * @blocks: block number -> buffer_head, one reference each
 * @dirty_seq: log sequence (cohfs_log_seq) of the last change under this lock
 */
struct cohfs_metaset {
	struct xarray blocks;
	struct mutex read_mutex;	/* one reader of a missing block at a time */
	u64 dirty_seq;
};

void cohfs_metaset_init(struct cohfs_metaset *set);

/**
 * cohfs_metaset_clear() - forget every block; caller has lost or loses the lock
 * The set must be clean: cohfs_log_flush() up to dirty_seq came before.
 */
void cohfs_metaset_clear(struct cohfs_metaset *set);

/** cohfs_metaset_dirty() - has it changes that are not below the journal tail? */
bool cohfs_metaset_dirty(struct cohfs_sb *cs, struct cohfs_metaset *set);

/**
 * cohfs_meta_read() - get a block under the lock that owns @set
 * @type: COHFS_BT_*; header and structure are verified when it comes from disk
 * @owner: expected bh_owner
 * Context: sleeps, does I/O.  The lock of @set is held.
 * Return: buffer with a reference for the caller (brelse), or ERR_PTR: -EIO,
 * -EFSCORRUPTED (reported).
 */
struct buffer_head *cohfs_meta_read(struct cohfs_sb *cs, struct cohfs_metaset *set,
				    u64 blkno, unsigned int type, u64 owner);

/**
 * cohfs_meta_read_unchecked() - the same, but a block that is not a valid @type of
 * @owner and @generation is returned as NULL instead of an error: for map roots,
 * which exist on disk only from the first change on
 */
struct buffer_head *cohfs_meta_read_unchecked(struct cohfs_sb *cs,
		struct cohfs_metaset *set, u64 blkno, unsigned int type,
		u64 owner, u32 generation);

/**
 * cohfs_meta_create() - a new block: zeroed, header filled, create access taken
 * A block that is in @set already is overwritten.
 * Return: locked into @handle, reference for the caller, in @set.
 */
struct buffer_head *cohfs_meta_create(handle_t *handle, struct cohfs_sb *cs,
		struct cohfs_metaset *set, u64 blkno, unsigned int type,
		u64 owner, u32 generation);

/** cohfs_meta_access() - declare intent to change (jbd2 write access) */
int __must_check cohfs_meta_access(handle_t *handle, struct buffer_head *bh);
/**
 * cohfs_meta_claim() - the same for what a read returned
 * @bh: buffer or ERR_PTR
 * Return: @bh, or ERR_PTR; then the buffer is released.
 */
struct buffer_head *cohfs_meta_claim(handle_t *handle, struct buffer_head *bh);
/** cohfs_meta_access_bitmap() - same for group blocks: keeps the committed bitmap */
int __must_check cohfs_meta_access_bitmap(handle_t *handle, struct buffer_head *bh);

/**
 * cohfs_meta_dirty() - changed: to the journal, which sets version and crc when it
 * takes the contents; stamps @set
 * On failure the filesystem has withdrawn.
 */
int cohfs_meta_dirty(handle_t *handle, struct cohfs_sb *cs,
		     struct cohfs_metaset *set, struct buffer_head *bh);

/**
 * cohfs_meta_forget() - the block is freed in this transaction: revoke it, drop it
 * from @set.  Consumes the caller's reference.
 */
void cohfs_meta_forget(handle_t *handle, struct cohfs_metaset *set,
		       struct buffer_head *bh);

/** cohfs_read_block() - one block straight from the disk into @buf, unverified */
int cohfs_read_block(struct super_block *sb, u64 blkno, void *buf);

/**
 * cohfs_meta_read_raw() - read a block of another slot past every cache, verified
 * @buf: COHFS_BLOCK_SIZE bytes
 */
int cohfs_meta_read_raw(struct cohfs_sb *cs, u64 blkno, void *buf,
			unsigned int type, u64 owner);

#endif /* _COHFS_METAIO_H */
