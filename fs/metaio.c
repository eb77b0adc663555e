// SPDX-License-Identifier: GPL-2.0-only
/*
 * Metadata blocks: fresh reads with verification, changes inside a transaction.
 *
 * The sets of blocks say what may be trusted; the buffer cache of the block device
 * is only where the bytes live, because that is what jbd2 works on.  Which errors
 * are fatal: a damaged block fails the operation that reads it; a change that the
 * journal does not take withdraws the mount, since the transaction is half done.
 */
#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/delay.h>
#include <linux/slab.h>
#include "core/check.h"
#include "log.h"
#include "metaio.h"
#include "super.h"

#define RAW_TRIES 3

void cohfs_metaset_init(struct cohfs_metaset *set)
{
	xa_init(&set->blocks);
	mutex_init(&set->read_mutex);
	set->dirty_seq = 0;
}

/*
 * An entry is a buffer, or a value: the block was read and is not there for this
 * generation (see cohfs_meta_read_unchecked()), which also stays true as long as
 * the lock does.
 */
static void *absent_entry(u32 generation)
{
	return xa_mk_value((unsigned long)generation & LONG_MAX);
}

static void entry_put(void *entry)
{
	if (entry && !xa_is_value(entry) && !xa_is_err(entry))
		brelse(entry);
}

void cohfs_metaset_clear(struct cohfs_metaset *set)
{
	unsigned long index;
	void *entry;

	xa_for_each(&set->blocks, index, entry)
		entry_put(entry);
	xa_destroy(&set->blocks);
	set->dirty_seq = 0;
}

bool cohfs_metaset_dirty(struct cohfs_sb *cs, struct cohfs_metaset *set)
{
	u64 seq = READ_ONCE(set->dirty_seq);

	return seq && seq >= cohfs_log_flushed(cs);
}

static int set_store(struct cohfs_metaset *set, u64 blkno, void *entry, gfp_t gfp)
{
	void *old;

	if (!xa_is_value(entry))
		get_bh((struct buffer_head *)entry);
	old = xa_store(&set->blocks, blkno, entry, gfp);
	if (xa_is_err(old)) {
		entry_put(entry);
		return xa_err(old);
	}
	entry_put(old);
	return 0;
}

/*
 * The buffer as the disk has it now, whatever the cache says.
 *
 * Throwing the cached bytes away is safe: only blocks in the set of a lock held EX
 * are ever changed, and a set is emptied only after cohfs_log_flush() (or the block
 * was freed and its buffer forgotten), so that a block outside every set is clean
 * and not part of a transaction.  The one exception would be a buffer that a replay
 * has just written and not synced yet; dirty bytes are newer than the disk and are
 * taken as they are.  A second lock object for the same resource may read the block
 * at the same time under PR (an inode evicted and read again); it gets the same
 * bytes, and nobody tests uptodate on a buffer that came out of a set.
 */
static struct buffer_head *read_fresh(struct cohfs_sb *cs, u64 blkno)
{
	struct buffer_head *bh;

	if (!blkno || blkno >= cs->geo.blocks)
		return ERR_PTR(cohfs_corrupt(cs->sb, blkno,
					     "block number outside the filesystem"));
	bh = sb_getblk(cs->sb, blkno);
	if (!bh)
		return ERR_PTR(-EIO);
	lock_buffer(bh);
	if (buffer_uptodate(bh) && (buffer_dirty(bh) || buffer_jbddirty(bh))) {
		unlock_buffer(bh);
		return bh;
	}
	/* a withdrawal throws away what nobody has locked */
	if (!buffer_mapped(bh)) {
		unlock_buffer(bh);
		brelse(bh);
		return ERR_PTR(-EIO);
	}
	clear_buffer_uptodate(bh);
	get_bh(bh);
	bh->b_end_io = end_buffer_read_sync;
	submit_bh(REQ_OP_READ | REQ_META | REQ_PRIO, bh);
	wait_on_buffer(bh);
	if (buffer_uptodate(bh))
		return bh;
	brelse(bh);
	cohfs_err(cs->sb, "cannot read metadata block %llu", blkno);
	return ERR_PTR(-EIO);
}

static struct buffer_head *read_verified(struct cohfs_sb *cs,
					 struct cohfs_metaset *set, u64 blkno,
					 unsigned int type, u64 owner)
{
	struct buffer_head *bh;
	const char *why;
	int err;

	bh = read_fresh(cs, blkno);
	if (IS_ERR(bh))
		return bh;
	why = cohfs_check_block(bh->b_data, type, blkno, cs->geo.fsid, owner);
	if (why)
		err = cohfs_corrupt(cs->sb, blkno, why);
	else
		err = set_store(set, blkno, bh, GFP_NOFS);
	if (!err)
		return bh;
	brelse(bh);
	return ERR_PTR(err);
}

/*
 * A cached buffer with a reference for the caller, or NULL.  Its header was checked
 * when it came in; another type or owner means that two paths disagree about what
 * the block is, that is, damage in whatever pointed here.
 */
static struct buffer_head *set_lookup(struct cohfs_sb *cs, struct cohfs_metaset *set,
				      u64 blkno, unsigned int type, u64 owner)
{
	const struct cohfs_block_header *hdr;
	struct buffer_head *bh = xa_load(&set->blocks, blkno);

	if (!bh || xa_is_value(bh))
		return NULL;
	hdr = (const struct cohfs_block_header *)bh->b_data;
	if (le16_to_cpu(hdr->bh_type) != type || le64_to_cpu(hdr->bh_owner) != owner)
		return ERR_PTR(cohfs_corrupt(cs->sb, blkno,
					     "block has another type or owner"));
	get_bh(bh);
	return bh;
}

struct buffer_head *cohfs_meta_read(struct cohfs_sb *cs, struct cohfs_metaset *set,
				    u64 blkno, unsigned int type, u64 owner)
{
	struct buffer_head *bh;

	bh = set_lookup(cs, set, blkno, type, owner);
	if (bh)
		return bh;
	mutex_lock(&set->read_mutex);
	bh = set_lookup(cs, set, blkno, type, owner);
	if (!bh)
		bh = read_verified(cs, set, blkno, type, owner);
	mutex_unlock(&set->read_mutex);
	return bh;
}

/* Was this ever written as the block we look for?  Says nothing about its health. */
static bool header_matches(const struct cohfs_sb *cs, const struct buffer_head *bh,
			   u64 blkno, unsigned int type, u64 owner, u32 generation)
{
	const struct cohfs_block_header *hdr = (const void *)bh->b_data;

	return le32_to_cpu(hdr->bh_magic) == COHFS_MAGIC &&
	       le16_to_cpu(hdr->bh_type) == type &&
	       le64_to_cpu(hdr->bh_blkno) == blkno &&
	       le64_to_cpu(hdr->bh_owner) == owner &&
	       le32_to_cpu(hdr->bh_generation) == generation &&
	       !memcmp(hdr->bh_fsid, cs->geo.fsid, sizeof(hdr->bh_fsid));
}

static struct buffer_head *read_or_absent(struct cohfs_sb *cs,
		struct cohfs_metaset *set, u64 blkno, unsigned int type, u64 owner,
		u32 generation)
{
	struct buffer_head *bh;
	const char *why = NULL;
	bool ours;
	int err;

	if (xa_load(&set->blocks, blkno) == absent_entry(generation))
		return NULL;
	bh = read_fresh(cs, blkno);
	if (IS_ERR(bh))
		return bh;
	ours = header_matches(cs, bh, blkno, type, owner, generation);
	if (ours)
		why = cohfs_check_block(bh->b_data, type, blkno, cs->geo.fsid, owner);
	if (why)
		err = cohfs_corrupt(cs->sb, blkno, why);
	else
		err = set_store(set, blkno, ours ? bh : absent_entry(generation),
				GFP_NOFS);
	if (!err && ours)
		return bh;
	brelse(bh);
	return err ? ERR_PTR(err) : NULL;
}

struct buffer_head *cohfs_meta_read_unchecked(struct cohfs_sb *cs,
		struct cohfs_metaset *set, u64 blkno, unsigned int type,
		u64 owner, u32 generation)
{
	struct buffer_head *bh;

	mutex_lock(&set->read_mutex);
	bh = xa_load(&set->blocks, blkno);
	if (bh && !xa_is_value(bh)) {
		get_bh(bh);
		if (!header_matches(cs, bh, blkno, type, owner, generation)) {
			brelse(bh);
			bh = NULL;
		}
	} else {
		bh = read_or_absent(cs, set, blkno, type, owner, generation);
	}
	mutex_unlock(&set->read_mutex);
	return bh;
}

static int journal_refused(struct cohfs_sb *cs, struct buffer_head *bh,
			   const char *what, int err)
{
	cohfs_withdraw(cs, "journal: %s access to block %llu: error %d", what,
		       (u64)bh->b_blocknr, err);
	return -EIO;
}

/*
 * A block is sealed when a commit takes its contents, not at each change: the blocks
 * that everybody changes (slot, directories, bitmaps) change hundreds of times in one
 * transaction.  jbd2 calls this under b_state_lock, with the bytes of the buffer, before
 * they go to the log or are copied because the next transaction wants to change them.
 * Until that one commits the buffer is not written in place, so whatever is on disk is
 * sealed.
 */
static void seal(struct jbd2_buffer_trigger_type *type, struct buffer_head *bh,
		 void *data, size_t size)
{
	cohfs_block_seal(data);
}

static struct jbd2_buffer_trigger_type seal_trigger = {
	.t_frozen = seal,
};

/*
 * Create access is for blocks that the journal does not know or was told to forget.
 * What is in a set is neither (the block of an inode number that is used again): its
 * last contents may just be on their way to the log.
 *
 * jbd2 wants the buffer locked from create access until its new contents are complete,
 * or a write-back of the device could see it half made.
 */
static int create_access(handle_t *handle, bool journaled, struct buffer_head *bh,
			 const struct cohfs_block_header *hdr)
{
	int err = journaled ? jbd2_journal_get_write_access(handle, bh) : 0;

	lock_buffer(bh);
	if (!journaled)
		err = jbd2_journal_get_create_access(handle, bh);
	if (!err) {
		memset(bh->b_data, 0, bh->b_size);
		memcpy(bh->b_data, hdr, sizeof(*hdr));
		set_buffer_uptodate(bh);
	}
	unlock_buffer(bh);
	if (!err)
		jbd2_journal_set_triggers(bh, &seal_trigger);
	return err;
}

/*
 * The caller is in the middle of a transaction: there is no way back, so memory has to
 * be had and every other failure is fatal.
 */
struct buffer_head *cohfs_meta_create(handle_t *handle, struct cohfs_sb *cs,
		struct cohfs_metaset *set, u64 blkno, unsigned int type,
		u64 owner, u32 generation)
{
	struct buffer_head *bh = sb_getblk(cs->sb, blkno);
	struct cohfs_block_header hdr;
	bool known, journaled;
	int err;

	if (!bh) {
		cohfs_withdraw(cs, "no buffer for new block %llu", blkno);
		return ERR_PTR(-EIO);
	}
	cohfs_header_init(&hdr, type, blkno, cs->geo.fsid, owner, generation);
	known = xa_load(&set->blocks, blkno) == bh;
	/*
	 * In another set: the number of an inode comes back soon, and what was under M of
	 * the file is under I of the directory that follows.
	 */
	journaled = known || (buffer_uptodate(bh) && buffer_jbd(bh));
	err = create_access(handle, journaled, bh, &hdr);
	if (!err && !known)
		err = set_store(set, blkno, bh, GFP_NOFS | __GFP_NOFAIL);
	if (!err)
		return bh;
	err = journal_refused(cs, bh, "create", err);
	brelse(bh);
	return ERR_PTR(err);
}

int cohfs_meta_access(handle_t *handle, struct buffer_head *bh)
{
	int err = jbd2_journal_get_write_access(handle, bh);

	if (err)
		return journal_refused(cohfs_trans_sb(handle), bh, "write", err);
	jbd2_journal_set_triggers(bh, &seal_trigger);
	return 0;
}

struct buffer_head *cohfs_meta_claim(handle_t *handle, struct buffer_head *bh)
{
	int err;

	if (IS_ERR(bh))
		return bh;
	err = cohfs_meta_access(handle, bh);
	if (!err)
		return bh;
	brelse(bh);
	return ERR_PTR(err);
}

int cohfs_meta_access_bitmap(handle_t *handle, struct buffer_head *bh)
{
	int err = jbd2_journal_get_undo_access(handle, bh);

	if (err)
		return journal_refused(cohfs_trans_sb(handle), bh, "undo", err);
	jbd2_journal_set_triggers(bh, &seal_trigger);
	return 0;
}

int cohfs_meta_dirty(handle_t *handle, struct cohfs_sb *cs,
		     struct cohfs_metaset *set, struct buffer_head *bh)
{
	int err;

	WRITE_ONCE(set->dirty_seq, cohfs_log_seq(cs));
	cohfs_log_touch(cs);
	err = jbd2_journal_dirty_metadata(handle, bh);
	return err ? journal_refused(cs, bh, "dirty", err) : 0;
}

/*
 * The revoke keeps a replay from writing the old image over whatever the block will
 * be next.  jbd2_journal_revoke() passes the reference on to jbd2_journal_forget(),
 * but leaves it alone when it or the handle is refused.  The set stays dirty: the
 * block may only change hands once this transaction is below the journal tail.
 */
void cohfs_meta_forget(handle_t *handle, struct cohfs_metaset *set,
		       struct buffer_head *bh)
{
	struct cohfs_sb *cs = cohfs_trans_sb(handle);
	u64 blkno = bh->b_blocknr;
	int err;

	entry_put(xa_erase(&set->blocks, blkno));
	WRITE_ONCE(set->dirty_seq, cohfs_log_seq(cs));
	cohfs_log_touch(cs);
	if (is_handle_aborted(handle)) {
		journal_refused(cs, bh, "revoke", -EROFS);
		brelse(bh);
		return;
	}
	/*
	 * In this transaction it was revoked, given to a new owner who never wrote it,
	 * and is freed again.  Writing it would have cancelled the revoke, so that is
	 * as good as new; jbd2 takes a second one for damage.
	 */
	if (buffer_revoked(bh)) {
		brelse(bh);
		return;
	}
	err = jbd2_journal_revoke(handle, blkno, bh);
	if (err)
		cohfs_withdraw(cs, "journal: revoke of block %llu: error %d", blkno,
			       err);
}

int cohfs_read_block(struct super_block *sb, u64 blkno, void *buf)
{
	struct page *page = alloc_page(GFP_NOFS);
	struct bio_vec bvec;
	struct bio bio;
	int err;

	if (!page)
		return -ENOMEM;
	bio_init(&bio, sb->s_bdev, &bvec, 1, REQ_OP_READ | REQ_META | REQ_PRIO);
	bio.bi_iter.bi_sector = blkno << (COHFS_BLOCK_SHIFT - SECTOR_SHIFT);
	__bio_add_page(&bio, page, COHFS_BLOCK_SIZE, 0);
	err = submit_bio_wait(&bio);
	bio_uninit(&bio);
	if (!err)
		memcpy(buf, page_address(page), COHFS_BLOCK_SIZE);
	__free_page(page);
	return err;
}

/*
 * The owner may be writing the block right now and a disk need not write 4 KiB in
 * one piece, so one bad checksum proves nothing.
 */
int cohfs_meta_read_raw(struct cohfs_sb *cs, u64 blkno, void *buf,
			unsigned int type, u64 owner)
{
	const char *why = NULL;
	unsigned int i;
	int err;

	for (i = 0; i < RAW_TRIES; i++) {
		if (i)
			msleep(20);
		err = cohfs_read_block(cs->sb, blkno, buf);
		if (err) {
			cohfs_err(cs->sb, "cannot read metadata block %llu", blkno);
			return -EIO;
		}
		why = cohfs_check_block(buf, type, blkno, cs->geo.fsid, owner);
		if (!why)
			return 0;
	}
	return cohfs_corrupt(cs->sb, blkno, why);
}
