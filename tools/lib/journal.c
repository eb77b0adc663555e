// SPDX-License-Identifier: GPL-2.0-only
/*
 * A slot's journal: what jbd2 would make of it, in three passes over the log.
 *
 * The first finds the end.  The second collects the revokes: what was freed in
 * transaction t must not be overwritten with what a transaction <= t had logged, as
 * the block may hold something else now.  The third writes.
 */
#include <unistd.h>
#include <linux/cohfs_ondisk.h>
#include "jbd2.h"
#include "journal.h"

/**
 * struct walk - a pass over complete transactions
 * @pos: place in the log
 * @seq: number of the current transaction
 * @left: blocks that may still be passed; a log has no more
 * @tag, @revoke: called for each, if set
 */
struct walk {
	struct journal *j;
	void *arg;
	u32 pos;
	u32 seq;
	u32 left;
	void (*tag)(struct walk *w, u64 blkno, const struct jbd2_tag *tag, u32 pos);
	void (*revoke)(struct walk *w, u64 blkno);
};

union logblock {
	u8 bytes[COHFS_BLOCK_SIZE];
	struct jbd2_header hdr;
	struct jbd2_superblock super;
	struct jbd2_revoke revoke;
	struct jbd2_commit commit;
};

/* Checksums ------------------------------------------------------------------- */

/* Of a whole block, with 0 in the four bytes at @off, where it is to be found */
static bool sum_right(const struct journal *j, const union logblock *buf, size_t off)
{
	const __be32 zero = 0;
	u32 crc;

	crc = crc32c(j->seed, buf, off);
	crc = crc32c(crc, &zero, sizeof(zero));
	crc = crc32c(crc, buf->bytes + off + 4, COHFS_BLOCK_SIZE - off - 4);
	return crc == get_unaligned_be32(buf->bytes + off);
}

static bool control_sum_right(const struct journal *j, const union logblock *buf, u32 type)
{
	if (type == JBD2_BT_COMMIT)
		return sum_right(j, buf, offsetof(struct jbd2_commit, h_chksum));
	return sum_right(j, buf, COHFS_BLOCK_SIZE - sizeof(struct jbd2_tail));
}

static bool tag_sum_right(const struct journal *j, const struct jbd2_tag *tag, u32 seq,
			  const union logblock *buf)
{
	__be32 be_seq = cpu_to_be32(seq);
	u32 crc = crc32c(j->seed, &be_seq, sizeof(be_seq));

	return crc32c(crc, buf, COHFS_BLOCK_SIZE) == be32_to_cpu(tag->t_checksum);
}

static __be32 super_sum(const struct jbd2_superblock *sb)
{
	struct jbd2_superblock copy = *sb;

	copy.s_checksum = 0;
	return cpu_to_be32(crc32c(~0u, &copy, sizeof(copy)));
}

/* The superblock of the log ----------------------------------------------------- */

static const char *check_super(const struct jbd2_superblock *sb, u32 blocks)
{
	u32 start = be32_to_cpu(sb->s_start);

	if (be32_to_cpu(sb->s_header.h_magic) != JBD2_MAGIC ||
	    be32_to_cpu(sb->s_header.h_blocktype) != JBD2_BT_SUPER)
		return "magic number";
	if (be32_to_cpu(sb->s_feature_incompat) != JBD2_INCOMPAT_OURS ||
	    sb->s_feature_compat || sb->s_feature_ro_compat)
		return "features";
	if (sb->s_checksum_type != JBD2_CRC32C || sb->s_checksum != super_sum(sb))
		return "checksum";
	if (be32_to_cpu(sb->s_blocksize) != COHFS_BLOCK_SIZE)
		return "block size";
	if (be32_to_cpu(sb->s_maxlen) != blocks)
		return "length";
	if (be32_to_cpu(sb->s_first) != 1)
		return "first block of the log";
	if (start >= blocks)
		return "start of the log";
	return NULL;
}

const char *journal_open(struct journal *j, struct image *img, u64 first, u32 blocks)
{
	union logblock buf;
	const char *why;

	memset(j, 0, sizeof(*j));
	j->img = img;
	j->first = first;
	j->blocks = blocks;
	if (image_read(img, first, &buf))
		return "cannot be read";
	why = check_super(&buf.super, blocks);
	if (why)
		return why;
	j->log_first = be32_to_cpu(buf.super.s_first);
	j->start = be32_to_cpu(buf.super.s_start);
	j->sequence = be32_to_cpu(buf.super.s_sequence);
	j->error = (s32)be32_to_cpu(buf.super.s_errno);
	j->seed = crc32c(~0u, buf.super.s_uuid, sizeof(buf.super.s_uuid));
	return NULL;
}

void journal_finish(struct journal *j, const struct journal_summary *sum)
{
	union logblock buf;

	if (image_read(j->img, j->first, &buf))
		return;
	buf.super.s_start = 0;
	buf.super.s_sequence = cpu_to_be32(sum->end + 1);
	buf.super.s_head = cpu_to_be32(sum->end_pos);
	buf.super.s_errno = 0;
	buf.super.s_checksum = super_sum(&buf.super);
	image_write(j->img, j->first, &buf);
	j->start = 0;
	j->error = 0;
}

void journal_reset(struct journal *j)
{
	union logblock buf;
	struct jbd2_superblock *sb = &buf.super;

	memset(&buf, 0, sizeof(buf));
	sb->s_header.h_magic = cpu_to_be32(JBD2_MAGIC);
	sb->s_header.h_blocktype = cpu_to_be32(JBD2_BT_SUPER);
	sb->s_blocksize = cpu_to_be32(COHFS_BLOCK_SIZE);
	sb->s_maxlen = cpu_to_be32(j->blocks);
	sb->s_first = cpu_to_be32(1);
	sb->s_sequence = cpu_to_be32(1);
	sb->s_feature_incompat = cpu_to_be32(JBD2_INCOMPAT_OURS);
	sb->s_nr_users = cpu_to_be32(1);
	sb->s_checksum_type = JBD2_CRC32C;
	if (getentropy(sb->s_uuid, sizeof(sb->s_uuid)))
		memset(sb->s_uuid, 0xc0, sizeof(sb->s_uuid));
	sb->s_checksum = super_sum(sb);
	image_write(j->img, j->first, &buf);
	j->start = 0;
	j->error = 0;
}

/* Passes -------------------------------------------------------------------------- */

static u32 next_pos(const struct journal *j, u32 pos)
{
	return pos + 1 < j->blocks ? pos + 1 : j->log_first;
}

static bool read_log(const struct journal *j, u32 pos, union logblock *buf)
{
	return !image_read(j->img, j->first + pos, buf);
}

/* The tag at *@off in a descriptor, and on to the next; false behind the last one */
static bool next_tag(const union logblock *buf, size_t *off, struct jbd2_tag *tag)
{
	const size_t end = COHFS_BLOCK_SIZE - sizeof(struct jbd2_tail);

	if (!*off || *off + sizeof(*tag) > end)
		return false;
	memcpy(tag, buf->bytes + *off, sizeof(*tag));
	*off += sizeof(*tag);
	if (!(be32_to_cpu(tag->t_flags) & JBD2_TAG_SAME_UUID))
		*off += 16;
	if (be32_to_cpu(tag->t_flags) & JBD2_TAG_LAST)
		*off = 0;
	return true;
}

/* The blocks that follow a descriptor; false if the log is too short for them */
static bool walk_tags(struct walk *w, const union logblock *buf)
{
	size_t off = sizeof(struct jbd2_header);
	struct jbd2_tag tag;
	u64 blkno;

	while (next_tag(buf, &off, &tag)) {
		if (!w->left--)
			return false;
		blkno = (u64)be32_to_cpu(tag.t_blocknr_high) << 32 |
			be32_to_cpu(tag.t_blocknr);
		if (w->tag)
			w->tag(w, blkno, &tag, w->pos);
		w->pos = next_pos(w->j, w->pos);
	}
	return true;
}

static void walk_revokes(struct walk *w, const union logblock *buf)
{
	u32 end = min_t(u32, be32_to_cpu(buf->revoke.r_count),
			COHFS_BLOCK_SIZE - sizeof(struct jbd2_tail));
	u32 off;

	for (off = sizeof(buf->revoke); off + 8 <= end; off += 8)
		w->revoke(w, get_unaligned_be64(buf->bytes + off));
}

/*
 * One transaction.  Return: false if it is not complete, @w is somewhere in it then;
 * true with @w at the next one.
 */
static bool walk_transaction(struct walk *w)
{
	union logblock buf;
	u32 type;

	while (w->left--) {
		if (!read_log(w->j, w->pos, &buf) ||
		    be32_to_cpu(buf.hdr.h_magic) != JBD2_MAGIC ||
		    be32_to_cpu(buf.hdr.h_sequence) != w->seq)
			return false;
		type = be32_to_cpu(buf.hdr.h_blocktype);
		if ((type != JBD2_BT_DESCRIPTOR && type != JBD2_BT_REVOKE &&
		     type != JBD2_BT_COMMIT) || !control_sum_right(w->j, &buf, type))
			return false;
		w->pos = next_pos(w->j, w->pos);
		if (type == JBD2_BT_COMMIT) {
			w->seq++;
			return true;
		}
		if (type == JBD2_BT_REVOKE && w->revoke)
			walk_revokes(w, &buf);
		if (type == JBD2_BT_DESCRIPTOR && !walk_tags(w, &buf))
			return false;
	}
	return false;
}

static struct walk walk_begin(struct journal *j, void *arg)
{
	return (struct walk) {
		.j = j, .arg = arg, .pos = j->start, .seq = j->sequence,
		.left = j->blocks - j->log_first,
	};
}

/* Those that journal_scan() has found complete */
static void walk_complete(struct walk *w, const struct journal_summary *sum)
{
	u32 i;

	for (i = 0; i < sum->transactions; i++)
		if (!walk_transaction(w))
			return;
}

/* First pass ---------------------------------------------------------------------- */

static void count_tag(struct walk *w, u64 blkno, const struct jbd2_tag *tag, u32 pos)
{
	((struct journal_summary *)w->arg)->blocks++;
}

static void count_revoke(struct walk *w, u64 blkno)
{
	((struct journal_summary *)w->arg)->revokes++;
}

/* Is there a commit of transaction @seq or a later one anywhere in the log? */
static bool committed_later(struct journal *j, u32 seq)
{
	union logblock buf;
	u32 pos;

	for (pos = j->log_first; pos < j->blocks; pos++)
		if (read_log(j, pos, &buf) &&
		    be32_to_cpu(buf.hdr.h_magic) == JBD2_MAGIC &&
		    be32_to_cpu(buf.hdr.h_blocktype) == JBD2_BT_COMMIT &&
		    (s32)(be32_to_cpu(buf.hdr.h_sequence) - seq) >= 0 &&
		    control_sum_right(j, &buf, JBD2_BT_COMMIT))
			return true;
	return false;
}

void journal_scan(struct journal *j, struct journal_summary *sum)
{
	struct walk w = walk_begin(j, sum);
	struct journal_summary before;

	memset(sum, 0, sizeof(*sum));
	w.tag = count_tag;
	w.revoke = count_revoke;
	sum->end = j->sequence;
	sum->end_pos = j->start ? j->start : j->log_first;
	if (!j->start)
		return;
	do {
		sum->end = w.seq;
		sum->end_pos = w.pos;
		before = *sum;
		sum->transactions++;
	} while (walk_transaction(&w));
	*sum = before;
	sum->beyond = committed_later(j, sum->end);
}

/* Second and third pass ----------------------------------------------------------- */

/**
 * struct replay - what the last two passes share
 * @revoked: block -> last transaction in which it was revoked
 */
struct replay {
	struct journal_summary *sum;
	struct numtab revoked;
	bool (*may_write)(const void *arg, u64 blkno);
	const void *arg;
};

static void note_revoke(struct walk *w, u64 blkno)
{
	struct replay *r = w->arg;
	u64 old;

	if (!blkno || (numtab_get(&r->revoked, blkno, &old) && (s32)((u32)old - w->seq) > 0))
		return;
	numtab_put(&r->revoked, blkno, w->seq);
}

static void replay_tag(struct walk *w, u64 blkno, const struct jbd2_tag *tag, u32 pos)
{
	struct replay *r = w->arg;
	union logblock buf;
	u64 revoked;

	if (numtab_get(&r->revoked, blkno, &revoked) &&
	    (s32)((u32)revoked - w->seq) >= 0)
		return;
	if (!r->may_write(r->arg, blkno)) {
		r->sum->outside++;
		return;
	}
	if (!read_log(w->j, pos, &buf) || !tag_sum_right(w->j, tag, w->seq, &buf)) {
		r->sum->damaged++;
		return;
	}
	if (be32_to_cpu(tag->t_flags) & JBD2_TAG_ESCAPED)
		buf.hdr.h_magic = cpu_to_be32(JBD2_MAGIC);
	image_write(w->j->img, blkno, &buf);
	r->sum->replayed++;
}

void journal_replay(struct journal *j, struct journal_summary *sum,
		    bool (*may_write)(const void *arg, u64 blkno), const void *arg)
{
	struct replay r = { .sum = sum, .may_write = may_write, .arg = arg };
	struct walk w = walk_begin(j, &r);

	w.revoke = note_revoke;
	walk_complete(&w, sum);
	w = walk_begin(j, &r);
	w.tag = replay_tag;
	walk_complete(&w, sum);
	numtab_free(&r.revoked);
}

/* For people ------------------------------------------------------------------------ */

typedef void (*each_fn)(u32 sequence, u64 blkno, bool revoke);

static void each_tag(struct walk *w, u64 blkno, const struct jbd2_tag *tag, u32 pos)
{
	(*(each_fn *)w->arg)(w->seq, blkno, false);
}

static void each_revoke(struct walk *w, u64 blkno)
{
	(*(each_fn *)w->arg)(w->seq, blkno, true);
}

void journal_each(struct journal *j, const struct journal_summary *sum, each_fn block)
{
	struct walk w = walk_begin(j, &block);

	w.tag = each_tag;
	w.revoke = each_revoke;
	walk_complete(&w, sum);
}
