/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A slot's journal, seen by somebody who is about to have it replayed.
 *
 * jbd2 trusts the log: it replays to any block that a tag names, and follows the log for
 * as long as it goes on.  What is here says beforehand whether a log may be replayed, and
 * has the parts of the format that fsck.cohfs needs for its own replay, too.  Pure code.
 */
#ifndef _COHFS_CORE_LOGWALK_H
#define _COHFS_CORE_LOGWALK_H

#include <cohfs/core_env.h>
#include "logformat.h"

/** struct cohfs_log_places - where the geometry lets transactions change blocks */
struct cohfs_log_places {
	u64 first_slot;
	u64 first_group;
	u64 blocks;	/* of the filesystem */
	u64 copy;	/* of the superblock, 0 = none */
	u32 slots;
};

/**
 * cohfs_log_place_ok() - is @blkno a place for metadata?
 *
 * Slot blocks and what is in groups: no transaction changes the superblock, its copy or
 * a log.
 */
bool cohfs_log_place_ok(const struct cohfs_log_places *places, u64 blkno);

/**
 * cohfs_log_check_super() - the superblock of a log of @blocks blocks
 *
 * s_sequence may have any value, and so may s_errno: it is for people.
 * Return: NULL or a phrase that names the failed check.
 */
const char *cohfs_log_check_super(const struct jbd2_superblock *sb, u32 blocks);

/** cohfs_log_super_sum() - what its s_checksum ought to be */
u32 cohfs_log_super_sum(const struct jbd2_superblock *sb);

/** cohfs_log_seed() - of the other checksums in the log */
u32 cohfs_log_seed(const struct jbd2_superblock *sb);

/**
 * cohfs_log_type() - what a block of the log is
 * @seq: set to its transaction
 * Return: JBD2_BT_DESCRIPTOR, _REVOKE, _COMMIT, or 0: none of them.
 */
u32 cohfs_log_type(const void *block, u32 *seq);

/** cohfs_log_sum_ok() - checksum of a block that cohfs_log_type() says is a @type */
bool cohfs_log_sum_ok(const void *block, u32 type, u32 seed);

/**
 * cohfs_log_next_tag() - the tag at *@off in a descriptor, and on to the next
 * @off: sizeof(struct jbd2_header) at first
 * Return: false behind the last one.
 */
bool cohfs_log_next_tag(const void *block, size_t *off, struct jbd2_tag *tag);

static inline u64 cohfs_log_tag_blkno(const struct jbd2_tag *tag)
{
	return (u64)be32_to_cpu(tag->t_blocknr_high) << 32 | be32_to_cpu(tag->t_blocknr);
}

enum cohfs_logwalk_result {
	COHFS_LOGWALK_MORE,	/* the block at @pos is next */
	COHFS_LOGWALK_END,	/* that was all: the log may be replayed */
	COHFS_LOGWALK_OUTSIDE,	/* @outside would be written, says the block at @suspect */
	COHFS_LOGWALK_ENDLESS,	/* jbd2 would run in circles */
};

/**
 * struct cohfs_logwalk - a walk over all that a replay could follow
 * @blocks: length of the log, its superblock included
 * @seed: of its checksums
 * @pos: block of the log to be looked at, 0: the log is empty
 * @seq: transaction that it would belong to
 * @left: blocks that may still be passed
 * @committed: the last block was a commit: the next transaction may begin
 * @doubtful: a descriptor or revoke block was wrong; nothing from here on is replayed
 * @suspect: descriptor of the transaction under way that names a block which must not be
 *	written, 0: none
 * @outside: with @suspect: that block
 */
struct cohfs_logwalk {
	const struct cohfs_log_places *places;
	u32 blocks;
	u32 seed;
	u32 pos;
	u32 seq;
	u32 left;
	bool committed;
	bool doubtful;
	u32 suspect;
	u64 outside;
};

/**
 * cohfs_logwalk_begin() - start where @sb says
 * @sb: has passed cohfs_log_check_super()
 */
void cohfs_logwalk_begin(struct cohfs_logwalk *w, const struct cohfs_log_places *places,
			 const struct jbd2_superblock *sb);

/**
 * cohfs_logwalk_step() - look at the block at @w->pos, and on to the next
 * @block: COHFS_BLOCK_SIZE bytes, 8-byte aligned, any content
 */
enum cohfs_logwalk_result cohfs_logwalk_step(struct cohfs_logwalk *w, const void *block);

#endif /* _COHFS_CORE_LOGWALK_H */
