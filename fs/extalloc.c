// SPDX-License-Identifier: GPL-2.0-only
/*
 * Blocks for the holes of a file, and back.
 *
 * A range that is held keeps its blocks, but a hole in it may get blocks from another
 * node that has M: zeroes for zeroes, nobody can tell.  Who is about to write into a
 * hole looks again with M in hand.
 *
 * New blocks are "written" from the start: nothing needs conversion after write-back, so
 * write-back needs no lock and no transaction at all.  Those below EOF are zeroed on disk
 * before the transaction that makes them reachable can commit, or written by then (fresh.h).
 * Beyond the size that is journaled they may hold anything: who makes the file grow writes
 * them first, or zeroes them, see disksize.h.
 *
 * A writer that leaves gaps gets blocks for the records that are likely to follow, one
 * behind the other on the disk, and the gaps stay holes: one transaction for many calls, and
 * what is written back are long requests, although it is scattered over the file.  (Each
 * writer's own log in one file: PLFS, Bent and others, SC 2009.)
 */
#include <linux/blkdev.h>
#include <linux/sched/mm.h>
#include "alloc.h"
#include "extalloc.h"
#include "extmap.h"
#include "fresh.h"
#include "inode.h"
#include "log.h"
#include "range.h"
#include "trace.h"

/* Longest piece allocated and zeroed in one transaction: 8 MiB. */
#define ALLOC_MAX_BLOCKS	2048
/* Piece that is allocated as a whole in a file that several nodes write to: 1 MiB. */
#define SHARED_BLOCKS		256
/* Where growth leaves gaps so much is zeroed at a time, if it is there: 1 MiB. */
#define ZERO_BLOCKS		256
/* So much is allocated at once for records that are likely to follow: 1 MiB. */
#define STRIDE_BLOCKS		256
/* So far ahead of a gap is looked for blocks to zero with it: 8 MiB. */
#define ZERO_REACH		2048
/* Shorter pieces of several are zeroed at once: to remember each of them takes as long. */
#define FRESH_PIECE	4
/* Other extents and holes between two that continue each other. */
#define BETWEEN_MAX		64
/* What the extents that are freed in one transaction may need besides the first. */
#define SHRINK_CREDITS		8

static int zero_disk(struct inode *inode, u64 blk, u64 len)
{
	return blkdev_issue_zeroout(inode->i_sb->s_bdev,
				    blk << (COHFS_BLOCK_SHIFT - 9),
				    len << (COHFS_BLOCK_SHIFT - 9),
				    GFP_NOFS, BLKDEV_ZERO_NOUNMAP);
}

/**
 * struct need - holes that are to be filled
 * @len: at least 1 and at most so many blocks from @lblk on
 * @piece: in pieces of so many, each of them a hole,
 * @step: and each so many blocks behind the one before
 * @goal: near this block of the disk
 * @zero: and zeroed, as they are below EOF,
 * @fresh: or remembered as fresh
 */
struct need {
	u64 lblk;
	u64 len;
	u64 piece;
	u64 step;
	u64 goal;
	bool zero;
	bool fresh;
};

/* How many more credits to ask for, and blocks to leave for the map, with several pieces */
static u32 extra_of(const struct need *need)
{
	return need->len > need->piece ? need->len / need->piece / 16 + 4 : 0;
}

/*
 * Put what was allocated into the map, piece by piece, as far as the transaction and the
 * group go; a part of a piece only if it is the first.  Return: blocks that are in it, or an
 * error if there are none.
 */
static s64 insert_pieces(handle_t *handle, struct cohfs_map *map,
			 struct cohfs_resv *resv, const struct need *need,
			 const struct cohfs_extent *ext, int credits)
{
	struct cohfs_extent piece = *ext;
	s64 done = 0;
	int err;

	do {
		piece.len = min_t(u64, need->piece, ext->len - done);
		err = cohfs_map_insert(handle, map, resv, &piece, true);
		if (err)
			break;
		done += piece.len;
		piece.blk += piece.len;
		piece.key += need->step;
	} while (done + need->piece <= ext->len &&
		 jbd2_handle_buffer_credits(handle) >= credits);
	return done ? done : err;
}

/* What is in @ext from its block @done on, as part of one piece: @lblk of the file */
static u64 part_of_piece(const struct need *need, const struct cohfs_extent *ext, u64 done,
			 u64 *lblk)
{
	u64 offset = done % need->piece;

	*lblk = ext->key + done / need->piece * need->step + offset;
	return min(need->piece - offset, ext->len - done);
}

/* All of @ext is to be zero when @handle commits. */
static int see_to_zero(handle_t *handle, struct inode *inode, const struct need *need,
		       const struct cohfs_extent *ext)
{
	u64 done = 0, lblk, len;

	if (!need->zero)
		return 0;
	for (; need->fresh && done < ext->len; done += len) {
		len = part_of_piece(need, ext, done, &lblk);
		if (cohfs_fresh_add(handle, inode, lblk, len, ext->blk + done))
			break;
	}
	return done < ext->len ? zero_disk(inode, ext->blk + done, ext->len - done) : 0;
}

/* What has not found its place in the map, from block @done on, is given back. */
static int take_back(handle_t *handle, struct inode *inode, struct cohfs_resv *resv,
		     const struct need *need, const struct cohfs_extent *ext, u64 done)
{
	u64 from = done, lblk, len;

	for (; need->fresh && done < ext->len; done += len) {
		len = part_of_piece(need, ext, done, &lblk);
		cohfs_fresh_gone(inode, lblk, lblk + len - 1);
	}
	return cohfs_free_extent(handle, resv, ext->blk + from, ext->len - from);
}

/*
 * One transaction: take blocks, zero them, put them into the map.  Sleeping for the
 * zeroes with the handle open delays a commit, it cannot deadlock: block I/O needs
 * nothing of ours.
 */
static int grow_once(struct inode *inode, struct cohfs_map *map, struct cohfs_resv *resv,
		     const struct need *need, struct cohfs_extent *ext)
{
	struct cohfs_sb *cs = map->cs;
	int credits = cohfs_map_insert_credits(map);
	u32 leave = cohfs_map_insert_blocks(map);
	handle_t *handle;
	s64 mapped = 0;
	int err, err2;

	if (credits < 0)
		return credits;
	credits += resv->credits + 1;
	handle = cohfs_trans_begin(cs, credits + extra_of(need));
	if (IS_ERR(handle))
		return PTR_ERR(handle);
	ext->key = need->lblk;
	ext->flags = 0;
	err = cohfs_alloc_extent(handle, resv, need->goal,
				 min_t(u64, need->len, ALLOC_MAX_BLOCKS),
				 leave + extra_of(need) + COHFS_GROUP_RESERVE,
				 &ext->blk, &ext->len);
	if (err)
		goto out_end;
	err = see_to_zero(handle, inode, need, ext);
	if (!err)
		mapped = insert_pieces(handle, map, resv, need, ext, credits);
	if (mapped < 0)
		err = mapped;
	mapped = max(mapped, 0);
	if (mapped < ext->len) {
		err2 = take_back(handle, inode, resv, need, ext, mapped);
		if (err2)
			cohfs_withdraw(cs, "cannot take back an allocation: %d", err2);
	}
	ext->len = mapped;
	if (!err)
		err = cohfs_map_count(handle, map, ext->len);
	COHFS_I(inode)->ci_sync_tid = handle->h_transaction->t_tid;
out_end:
	err2 = cohfs_trans_end(handle);
	return err ? err : err2;
}

/* Allocate for a hole; M EX held. */
static int grow(struct inode *inode, struct cohfs_map *map, const struct need *need,
		struct cohfs_extent *ext)
{
	struct cohfs_resv resv;
	int err;

	err = cohfs_alloc_reserve(map->cs, need->goal, cohfs_map_insert_blocks(map) + 1 +
						       extra_of(need) + COHFS_GROUP_RESERVE,
				  &resv);
	if (err)
		return err;
	err = grow_once(inode, map, &resv, need, ext);
	cohfs_resv_end(map->cs, &resv);
	return err;
}

/* The block of the disk behind that of @lblk; 0: nothing is known to be there */
static u64 behind(struct inode *inode, u64 lblk)
{
	u64 blk;

	return cohfs_extmap_lookup(inode, lblk, &blk) && blk ? blk + 1 : 0;
}

/* Where to allocate for @need: behind the record before it, or the block before it. */
static u64 goal_of(struct inode *inode, const struct need *need)
{
	u64 goal = 0;

	if (need->step && need->lblk >= need->step)
		goal = behind(inode, need->lblk - need->step + need->piece - 1);
	if (!goal && need->lblk)
		goal = behind(inode, need->lblk - 1);
	return goal ? goal : inode->i_ino + 2;
}

/* First block beyond EOF */
static u64 eof_block(const struct inode *inode)
{
	return DIV_ROUND_UP_ULL(i_size_read(inode), COHFS_BLOCK_SIZE);
}

/*
 * Last block to allocate for a task that needs blocks up to @last.
 *
 * Where other nodes write, too, M EX goes to and fro and costs a flush of the journal each
 * time.  So whoever has it allocates for all of them, in holes that others hold as well.
 * Not beyond EOF: growth would have to zero it there again.
 */
static u64 allocate_until(const struct cohfs_range_hold *hold, u64 last, u64 ahead)
{
	u64 eof = eof_block(hold->inode);
	u64 until = max(last, min(last + ahead, cohfs_extmap_reach(hold)));

	if (hold->span_last != COHFS_RANGE_END && eof > last)
		until = max(until, min(round_up(last + 1, SHARED_BLOCKS), eof) - 1);
	return until;
}

/* Remember what @hold covers of @ent, which begins in it. */
static int remember(const struct cohfs_range_hold *hold, const struct cohfs_mapping *ent)
{
	struct cohfs_mapping part = *ent;

	part.len = min(part.len, cohfs_extmap_reach(hold) - part.first + 1);
	return cohfs_extmap_set(hold->inode, &part);
}

void cohfs_extalloc_forget_zeroed(struct cohfs_zeroed *z)
{
	memset(z, 0, sizeof(*z));
}

/* Blocks beyond EOF that have just been zeroed; I EX is held */
static void note_zeroed(struct inode *inode, u64 blk, u64 len)
{
	struct cohfs_zeroed *z = &COHFS_I(inode)->ci_zeroed;
	unsigned int i;

	if (z->generation != COHFS_I(inode)->ci_time_gen)
		cohfs_extalloc_forget_zeroed(z);
	z->generation = COHFS_I(inode)->ci_time_gen;
	for (i = 0; i < COHFS_ZEROED_RUNS; i++) {
		if (z->run[i].end == blk) {
			z->run[i].end += len;
			return;
		}
	}
	z->run[z->next].blk = blk;
	z->run[z->next].end = blk + len;
	z->next = (z->next + 1) % COHFS_ZEROED_RUNS;
}

/* What was known to be zero may have been punched, and written to as part of another file */
static void forget_zeroed_in(struct inode *inode, u64 blk, u64 len)
{
	struct cohfs_zeroed *z = &COHFS_I(inode)->ci_zeroed;
	unsigned int i;

	for (i = 0; i < COHFS_ZEROED_RUNS; i++)
		if (blk < z->run[i].end && blk + len > z->run[i].blk)
			z->run[i].blk = z->run[i].end;
}

/* How many of the @len blocks from @blk on are known to be zero? */
static u64 known_zero(struct inode *inode, u64 blk, u64 len)
{
	const struct cohfs_zeroed *z = &COHFS_I(inode)->ci_zeroed;
	unsigned int i;

	if (z->generation != COHFS_I(inode)->ci_time_gen)
		return 0;
	for (i = 0; i < COHFS_ZEROED_RUNS; i++)
		if (blk >= z->run[i].blk && blk < z->run[i].end)
			return min(len, z->run[i].end - blk);
	return 0;
}

/**
 * struct want - what a caller wants to be without holes
 * @last: its last block
 * @ahead: how many more are welcome, or
 * @stride: not NULL: what is wanted is its last record, and others are likely to follow
 * @eof: this block and those after it need not be zeroed
 * @writes: the caller is about to write all of it
 */
struct want {
	u64 last;
	u64 ahead;
	u64 eof;
	bool writes;
	const struct cohfs_stride *stride;
};

/*
 * In how many records are @len blocks holes, in the place of those at @first in this one, as
 * far as more records are likely to follow?  They are treated alike, so all of them are below
 * EOF or none.  M EX is held, and there is a hole at @first.
 */
static u64 hole_records(const struct cohfs_range_hold *hold, struct cohfs_map *map,
			u64 first, u64 len, const struct want *want)
{
	u64 most = cohfs_stride_expect(want->stride, STRIDE_BLOCKS);
	u64 n, last, clear = first;	/* from where on it has to be looked for extents */
	bool below = first < want->eof;
	struct cohfs_extent ext;

	for (n = 0; n <= most; n++) {
		last = first + len - 1;
		if (last > cohfs_extmap_reach(hold) || (below && last >= want->eof))
			break;
		if (last >= clear) {
			if (!cohfs_map_find(map, last, &ext) && ext.key + ext.len > first)
				break;
			clear = cohfs_map_next(map, last + 1, &ext) ? U64_MAX : ext.key;
		}
		first += want->stride->step;
	}
	return n;
}

/*
 * Are the @len blocks from @first on all that this record lacks, while the next one lacks all?
 * Then something else was allocated beside them, ahead of the file's end, say, and to treat the
 * next records alike would tear each of them in two.
 */
static bool is_leftover(struct inode *inode, struct cohfs_map *map, u64 first, u64 len,
			const struct cohfs_stride *stride)
{
	u64 next = stride->first + stride->step;
	struct cohfs_mapping m;

	if (first == stride->first && len == stride->len)
		return false;
	return !cohfs_extmap_read(inode, map, next, next, next + stride->len - 1, &m) &&
	       !m.blk && m.len == stride->len;
}

/* Remember where the pieces of @need are */
static int remember_pieces(const struct cohfs_range_hold *hold, const struct need *need,
			   const struct cohfs_extent *ext)
{
	struct cohfs_mapping ent = { .first = ext->key, .blk = ext->blk };
	u64 left = ext->len;
	int err = 0, err2;

	while (left) {
		ent.len = min(left, need->piece);
		err2 = remember(hold, &ent);
		if (err2) {	/* not a hole any more, so it must not be known as one */
			cohfs_extmap_forget(&COHFS_I(hold->inode)->ci_extmap,
					    ent.first, cohfs_mapping_last(&ent));
			err = err2;
		}
		ent.first += need->step;
		ent.blk += ent.len;
		left -= ent.len;
	}
	return err;
}

/* One step of fill_holes(), in the hole at @first; M EX is held. */
static int fill_step(const struct cohfs_range_hold *hold, u64 first,
		     const struct want *want)
{
	u64 until = allocate_until(hold, want->last, want->ahead);
	struct inode *inode = hold->inode;
	struct cohfs_map map = cohfs_inode_map(inode);
	struct need need;
	struct cohfs_mapping ent;
	struct cohfs_extent ext;
	int err;

	if (first < want->eof)
		until = min(until, want->eof - 1);

	/* the hole may have been filled while we waited for M, here or elsewhere */
	err = cohfs_extmap_read(inode, &map, first, first, until, &ent);
	if (err)
		return err;
	if (ent.blk)
		return remember(hold, &ent);
	need = (struct need) {
		.lblk = first,
		.len = ent.len,
		.piece = ent.len,
		.zero = first < want->eof,
	};
	if (want->stride && !is_leftover(inode, &map, first, need.piece, want->stride)) {
		need.step = want->stride->step;
		need.len *= max(1, hole_records(hold, &map, first, need.piece, want));
	}
	need.fresh = need.zero && want->writes &&
		     (need.len == need.piece || need.piece >= FRESH_PIECE);
	need.goal = goal_of(inode, &need);
	err = grow(inode, &map, &need, &ext);
	if (err == -ENOSPC && need.len > need.piece) {
		need.len = need.piece;
		err = grow(inode, &map, &need, &ext);
	}
	trace_cohfs_extmap_grow(inode, first, need.len, &ext, err);
	cohfs_extmap_account(inode, &map);
	if (err)
		return err;
	if (!need.zero)
		forget_zeroed_in(inode, ext.blk, ext.len);
	return remember_pieces(hold, &need, &ext);
}

/* Are places for the next records welcome?  Other nodes must not have holes there. */
static bool foresees(const struct cohfs_range_hold *hold, const struct cohfs_stride *stride)
{
	return stride && cohfs_range_is_file(hold) &&
	       cohfs_stride_expect(stride, STRIDE_BLOCKS);
}

static int fill_holes(const struct cohfs_range_hold *hold, u64 first, struct want *want)
{
	struct inode *inode = hold->inode;
	u64 len, blk;
	int err = 0;

	if (foresees(hold, want->stride))
		want->ahead = 0;
	else
		want->stride = NULL;
	while (!err && first <= want->last) {
		len = cohfs_extmap_lookup(inode, first, &blk);
		if (!len) {
			err = cohfs_extmap_fill(hold, first, want->last);
		} else if (blk) {
			if (len > want->last - first)
				break;
			first += len;
		} else {
			err = cohfs_extmap_lock_read(inode, COHFS_EX);
			if (err)
				break;
			err = fill_step(hold, first, want);
			cohfs_extmap_unlock_read(inode, COHFS_EX);
			/* what is left of a record tells nothing about the next ones */
			want->stride = NULL;
		}
	}
	return err;
}

int cohfs_extalloc_fill(const struct cohfs_range_hold *hold, u64 first, u64 last)
{
	struct want want = { .last = last, .eof = U64_MAX };

	return fill_holes(hold, first, &want);
}

int cohfs_extalloc_write(const struct cohfs_range_hold *hold, u64 first, u64 last,
			 const struct cohfs_stride *stride)
{
	struct want want = {
		.last = last,
		.eof = U64_MAX,
		.writes = true,
		.stride = stride,
	};

	return fill_holes(hold, first, &want);
}

int cohfs_extalloc_append(const struct cohfs_range_hold *hold, u64 first, u64 last,
			  u64 ahead, const struct cohfs_stride *stride)
{
	struct want want = {
		.last = last,
		.ahead = ahead,
		.eof = eof_block(hold->inode),
		.writes = true,
		.stride = stride,
	};

	return fill_holes(hold, first, &want);
}

/*
 * Zero blocks of the file that are not in the page cache.  A withdrawal waits for
 * invalidate_lock before other nodes get our locks: no zeroes may arrive after that.
 */
static int zero_mapped(struct inode *inode, u64 blk, u64 len)
{
	int err = 0;

	while (!err && len) {
		u64 n = min_t(u64, len, ALLOC_MAX_BLOCKS);

		err = down_read_killable(&inode->i_mapping->invalidate_lock);
		if (err)
			break;
		err = cohfs_is_withdrawn(COHFS_SB(inode->i_sb)) ? -EIO :
			zero_disk(inode, blk, n);
		up_read(&inode->i_mapping->invalidate_lock);
		blk += n;
		len -= n;
	}
	return err;
}

/*
 * How many blocks of the disk from @blk on, which is at @first, belong to the file further on,
 * in the same order?  What the allocation for another node's records has left over, say, and
 * ours may lie between them.  All that lie before @last, or ZERO_BLOCKS.
 */
static u64 run_of(struct inode *inode, u64 first, u64 blk, u64 last, u64 ahead)
{
	u64 run = 0, len, at, most;
	int between = 0;

	while (first <= ahead && between <= BETWEEN_MAX) {
		len = cohfs_extmap_lookup(inode, first, &at);
		most = min(max(first <= last ? last - first + 1 : 0,
			       run < ZERO_BLOCKS ? ZERO_BLOCKS - run : 0),
			   ahead - first + 1);
		if (!len || !most)
			break;
		if (at == blk + run) {
			run += min(len, most);
			between = 0;
		} else {
			between++;
		}
		first += len;
	}
	return run;
}

/*
 * Zero the block of the disk @blk, which is at @first, and what is to be zeroed with it.
 * @len: in: so many blocks follow each other here, out: so many of them are zero.
 */
static int zero_at(struct inode *inode, u64 first, u64 blk, u64 last, u64 ahead, u64 *len)
{
	u64 run = known_zero(inode, blk, *len);
	int err = 0;

	if (!run) {
		run = run_of(inode, first, blk, last, ahead);
		err = zero_mapped(inode, blk, run);
		if (!err)
			note_zeroed(inode, blk, run);
	}
	*len = min(*len, run);
	return err;
}

int cohfs_extalloc_zero(const struct cohfs_range_hold *hold, u64 first, u64 last)
{
	u64 ahead = min(max(last, first + ZERO_REACH), cohfs_extmap_reach(hold));
	struct inode *inode = hold->inode;
	u64 len, blk;
	int err = 0;

	while (!err && first <= last) {
		len = cohfs_extmap_lookup(inode, first, &blk);
		if (!len)
			err = cohfs_extmap_fill(hold, first, ahead);
		else if (blk)
			err = zero_at(inode, first, blk, last, ahead, &len);
		first += len;
	}
	return err;
}

static int remove_extent(handle_t *handle, struct cohfs_map *map, struct cohfs_resv *resv,
			 const struct cohfs_extent *ext)
{
	int err = cohfs_map_remove(handle, map, resv, ext);

	if (!err)
		err = cohfs_free_extent(handle, resv, ext->blk, ext->len);
	if (!err)
		err = cohfs_map_count(handle, map, -(s64)ext->len);
	return err;
}

/*
 * Remove the pieces of the map that end last in [@first, @last], as many as one transaction has
 * room for: those after the first are of its leaf, which they do not empty, and in its groups.
 * M EX held.
 */
static int shrink_once(struct inode *inode, struct cohfs_map *map, u64 first,
		       u64 last, bool *more)
{
	u64 blocks[COHFS_RESV_GROUPS];
	struct cohfs_sb *cs = map->cs;
	struct cohfs_extent ext;
	struct cohfs_resv resv;
	handle_t *handle;
	int credits, n, err, err2;

	n = cohfs_map_remove_plan(map, first, last, &ext, blocks);
	*more = n > 0;
	if (n <= 0)
		return n;
	err = cohfs_free_reserve(cs, blocks, n, &resv);
	if (err)
		return err;
	credits = COHFS_MAP_REMOVE_CREDITS + resv.credits;
	handle = cohfs_trans_begin(cs, credits + SHRINK_CREDITS);
	if (IS_ERR(handle)) {
		cohfs_resv_end(cs, &resv);
		return PTR_ERR(handle);
	}
	do {
		err = remove_extent(handle, map, &resv, &ext);
		if (!err)
			cohfs_fresh_freed(inode, ext.key, ext.key + ext.len - 1);
		/* the next leaf may have to be read */
		if (err || n > 1)
			break;
		n = cohfs_map_remove_plan(map, first, last, &ext, blocks);
	} while (n == 1 && cohfs_resv_has(cs, &resv, blocks[0]) &&
		 jbd2_handle_buffer_credits(handle) >= credits);
	if (!err && !n)
		*more = false;
	COHFS_I(inode)->ci_sync_tid = handle->h_transaction->t_tid;
	err2 = cohfs_trans_end(handle);
	cohfs_resv_end(cs, &resv);
	return err ? err : err2;
}

/* Remove the last pieces of the map in [@first, @last]; their places in core are gone. */
static int shrink(struct inode *inode, u64 first, u64 last, bool *more)
{
	struct cohfs_map map;
	int err = cohfs_extmap_lock(inode, COHFS_EX);

	if (err)
		return err;
	map = cohfs_inode_map(inode);
	err = shrink_once(inode, &map, first, last, more);
	if (err == -ENOSPC) {
		/* a record that is split may need a block: what is freed here is one, when
		 * it is on disk that it is free
		 */
		err = cohfs_log_commit(COHFS_SB(inode->i_sb), true);
		if (!err)
			err = shrink_once(inode, &map, first, last, more);
	}
	cohfs_extmap_account(inode, &map);
	cohfs_extmap_unlock(inode, COHFS_EX);
	cond_resched();
	return err;
}

int cohfs_extalloc_free(struct inode *inode, u64 first, u64 last)
{
	struct cohfs_extmap *em = &COHFS_I(inode)->ci_extmap;
	bool more = true;
	int err = 0;

	cohfs_extmap_forget(em, first, last);
	while (more && !err) {
		err = shrink(inode, first, last, &more);
		/* a local reader may have filled it in again since the last step */
		cohfs_extmap_forget(em, first, last);
	}
	return err;
}

int cohfs_extalloc_punch(struct inode *inode, u64 first, u64 last)
{
	bool more = true;
	int err = 0;

	while (more && !err)
		err = shrink(inode, first, last, &more);
	if (err)
		cohfs_extmap_forget(&COHFS_I(inode)->ci_extmap, first, last);
	return err;
}
