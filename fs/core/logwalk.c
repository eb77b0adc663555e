// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a replay of a log would follow, and where it would write.
 *
 * jbd2 makes three passes.  SCAN finds the end: the first block that is no control block
 * of the transaction expected there.  A descriptor or revoke block with a wrong checksum
 * does not end it at once, but makes the next commit block the end.  A commit block with
 * a wrong checksum does not end it either: the same transaction is still expected behind
 * it.  REVOKE and REPLAY follow the same blocks up to that end, believe every commit
 * block, and fail at a descriptor with a wrong checksum before they write any of it.
 *
 * The walk here goes at least as far as any of them: behind a commit block it goes on
 * with the same transaction or with the next one, whatever the checksum of the commit
 * block.  It takes exception to
 *
 *   - a tag that names no place for metadata, in a descriptor whose checksum is right,
 *     of a transaction with a commit block.  Revoked or not: what jbd2 committed names no
 *     such place.
 *   - a log that goes on for longer than it is.  jbd2 would be in SCAN for ever.
 *
 * and to nothing that a power cut leaves, or a journal that was aborted.  Old blocks behind
 * the end are of earlier transactions; those of a transaction that was not written
 * completely are as they were meant, or their checksum is wrong, or the last tag, which
 * says that it is the last, is missing: a journal that is aborted in the middle of a
 * descriptor writes it like that.  Then the tags may be anything, but only say how many
 * blocks SCAN leaves out.
 */
#include <linux/cohfs_ondisk.h>
#include "logwalk.h"

#define LOG_FIRST	1u	/* behind the superblock: s_first */

bool cohfs_log_place_ok(const struct cohfs_log_places *places, u64 blkno)
{
	if (blkno >= places->first_group)
		return blkno < places->blocks && blkno != places->copy;
	return blkno >= places->first_slot && blkno - places->first_slot < places->slots;
}

/* The superblock of the log --------------------------------------------------- */

u32 cohfs_log_super_sum(const struct jbd2_superblock *sb)
{
	const size_t off = offsetof(struct jbd2_superblock, s_checksum);
	const __be32 zero = 0;
	u32 crc;

	crc = crc32c(~0u, sb, off);
	crc = crc32c(crc, &zero, sizeof(zero));
	return crc32c(crc, (const u8 *)sb + off + sizeof(zero),
		      sizeof(*sb) - off - sizeof(zero));
}

u32 cohfs_log_seed(const struct jbd2_superblock *sb)
{
	return crc32c(~0u, sb->s_uuid, sizeof(sb->s_uuid));
}

const char *cohfs_log_check_super(const struct jbd2_superblock *sb, u32 blocks)
{
	if (be32_to_cpu(sb->s_header.h_magic) != JBD2_MAGIC ||
	    be32_to_cpu(sb->s_header.h_blocktype) != JBD2_BT_SUPER)
		return "magic number";
	if (be32_to_cpu(sb->s_feature_incompat) != JBD2_INCOMPAT_OURS ||
	    sb->s_feature_compat || sb->s_feature_ro_compat)
		return "features";
	if (sb->s_checksum_type != JBD2_CRC32C ||
	    be32_to_cpu(sb->s_checksum) != cohfs_log_super_sum(sb))
		return "checksum";
	if (be32_to_cpu(sb->s_blocksize) != COHFS_BLOCK_SIZE)
		return "block size";
	if (be32_to_cpu(sb->s_maxlen) != blocks)
		return "length";
	if (be32_to_cpu(sb->s_first) != LOG_FIRST)
		return "first block of the log";
	if (be32_to_cpu(sb->s_start) >= blocks)
		return "start of the log";
	return NULL;
}

/* One block of the log ---------------------------------------------------------- */

u32 cohfs_log_type(const void *block, u32 *seq)
{
	const struct jbd2_header *hdr = block;
	u32 type = be32_to_cpu(hdr->h_blocktype);

	*seq = be32_to_cpu(hdr->h_sequence);
	if (be32_to_cpu(hdr->h_magic) != JBD2_MAGIC ||
	    (type != JBD2_BT_DESCRIPTOR && type != JBD2_BT_REVOKE && type != JBD2_BT_COMMIT))
		return 0;
	return type;
}

/* Of the whole block, with 0 where it is to be found */
bool cohfs_log_sum_ok(const void *block, u32 type, u32 seed)
{
	const size_t off = type == JBD2_BT_COMMIT ? offsetof(struct jbd2_commit, h_chksum) :
			   COHFS_BLOCK_SIZE - sizeof(struct jbd2_tail);
	const u8 *sum = (const u8 *)block + off;
	const __be32 zero = 0;
	u32 crc;

	crc = crc32c(seed, block, off);
	crc = crc32c(crc, &zero, sizeof(zero));
	crc = crc32c(crc, sum + sizeof(zero), COHFS_BLOCK_SIZE - off - sizeof(zero));
	return crc == get_unaligned_be32(sum);
}

bool cohfs_log_next_tag(const void *block, size_t *off, struct jbd2_tag *tag)
{
	const size_t end = COHFS_BLOCK_SIZE - sizeof(struct jbd2_tail);

	if (!*off || *off + sizeof(*tag) > end)
		return false;
	memcpy(tag, (const u8 *)block + *off, sizeof(*tag));
	*off += sizeof(*tag);
	if (!(be32_to_cpu(tag->t_flags) & JBD2_TAG_SAME_UUID))
		*off += 16;
	if (be32_to_cpu(tag->t_flags) & JBD2_TAG_LAST)
		*off = 0;
	return true;
}

/* The walk ------------------------------------------------------------------------ */

void cohfs_logwalk_begin(struct cohfs_logwalk *w, const struct cohfs_log_places *places,
			 const struct jbd2_superblock *sb)
{
	*w = (struct cohfs_logwalk) {
		.places = places,
		.blocks = be32_to_cpu(sb->s_maxlen),
		.seed = cohfs_log_seed(sb),
		.pos = be32_to_cpu(sb->s_start),
		.seq = be32_to_cpu(sb->s_sequence),
		.left = be32_to_cpu(sb->s_maxlen) - LOG_FIRST,
	};
}

/* SCAN may leave out too much, so it gets a lap before it is said to run in circles. */
static void begin_lap(struct cohfs_logwalk *w)
{
	w->left = w->blocks - LOG_FIRST;
}

/* From here on SCAN looks for a commit block only. */
static void doubt(struct cohfs_logwalk *w)
{
	if (w->doubtful)
		return;
	w->doubtful = true;
	begin_lap(w);
}

/* The transaction must not be replayed: it is wrong or has no commit block. */
static void suspect(struct cohfs_logwalk *w, u64 blkno)
{
	if (w->doubtful || w->suspect)
		return;
	w->suspect = w->pos;
	w->outside = blkno;
	begin_lap(w);
}

/* Return: the number of tags */
static u32 walk_tags(struct cohfs_logwalk *w, const void *block)
{
	size_t off = sizeof(struct jbd2_header);
	struct jbd2_tag tag;
	u32 count;

	for (count = 0; cohfs_log_next_tag(block, &off, &tag); count++)
		if (!cohfs_log_place_ok(w->places, cohfs_log_tag_blkno(&tag)))
			suspect(w, cohfs_log_tag_blkno(&tag));
	return count;
}

/* Does the block belong to a transaction that is expected here? */
static bool is_expected(struct cohfs_logwalk *w, u32 seq)
{
	if (seq == w->seq)
		return true;
	if (!w->committed || seq != w->seq + 1)
		return false;
	w->seq = seq;
	return true;
}

static bool pass(struct cohfs_logwalk *w, u32 blocks)
{
	if (w->left < blocks)
		return false;
	w->left -= blocks;
	w->pos += blocks;
	/* a descriptor has no place for as many tags as the shortest log has blocks */
	if (w->pos >= w->blocks)
		w->pos -= w->blocks - LOG_FIRST;
	return true;
}

enum cohfs_logwalk_result cohfs_logwalk_step(struct cohfs_logwalk *w, const void *block)
{
	u32 seq, type = cohfs_log_type(block, &seq);
	u32 tags = 0;

	if (!type || !is_expected(w, seq))
		return COHFS_LOGWALK_END;
	w->committed = type == JBD2_BT_COMMIT;
	if (w->committed && w->doubtful)
		return COHFS_LOGWALK_END;
	if (w->committed && w->suspect)
		return COHFS_LOGWALK_OUTSIDE;
	if (!w->committed && !cohfs_log_sum_ok(block, type, w->seed))
		doubt(w);
	if (type == JBD2_BT_DESCRIPTOR)
		tags = walk_tags(w, block);
	return pass(w, 1 + tags) ? COHFS_LOGWALK_MORE : COHFS_LOGWALK_ENDLESS;
}
