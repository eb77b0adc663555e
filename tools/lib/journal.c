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
#include "../../fs/core/logwalk.h"
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

static bool tag_sum_right(const struct journal *j, const struct jbd2_tag *tag, u32 seq,
			  const union logblock *buf)
{
	__be32 be_seq = cpu_to_be32(seq);
	u32 crc = crc32c(j->seed, &be_seq, sizeof(be_seq));

	return crc32c(crc, buf, COHFS_BLOCK_SIZE) == be32_to_cpu(tag->t_checksum);
}

/* The superblock of the log ----------------------------------------------------- */

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
	why = cohfs_log_check_super(&buf.super, blocks);
	if (why)
		return why;
	j->log_first = be32_to_cpu(buf.super.s_first);
	j->start = be32_to_cpu(buf.super.s_start);
	j->sequence = be32_to_cpu(buf.super.s_sequence);
	j->error = (s32)be32_to_cpu(buf.super.s_errno);
	j->seed = cohfs_log_seed(&buf.super);
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
	buf.super.s_checksum = cpu_to_be32(cohfs_log_super_sum(&buf.super));
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
	sb->s_checksum = cpu_to_be32(cohfs_log_super_sum(sb));
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

/* The blocks that follow a descriptor; false if the log is too short for them */
static bool walk_tags(struct walk *w, const union logblock *buf)
{
	size_t off = sizeof(struct jbd2_header);
	struct jbd2_tag tag;

	while (cohfs_log_next_tag(buf, &off, &tag)) {
		if (!w->left--)
			return false;
		if (w->tag)
			w->tag(w, cohfs_log_tag_blkno(&tag), &tag, w->pos);
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
	u32 type, seq;

	while (w->left--) {
		if (!read_log(w->j, w->pos, &buf))
			return false;
		type = cohfs_log_type(&buf, &seq);
		if (!type || seq != w->seq || !cohfs_log_sum_ok(&buf, type, w->j->seed))
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
	u32 pos, its;

	for (pos = j->log_first; pos < j->blocks; pos++)
		if (read_log(j, pos, &buf) &&
		    cohfs_log_type(&buf, &its) == JBD2_BT_COMMIT && (s32)(its - seq) >= 0 &&
		    cohfs_log_sum_ok(&buf, JBD2_BT_COMMIT, j->seed))
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

/* As fs/logcheck.c */
const char *journal_refusal(struct journal *j, const struct cohfs_log_places *places)
{
	enum cohfs_logwalk_result result = COHFS_LOGWALK_MORE;
	struct cohfs_logwalk w;
	union logblock buf;

	if (!j->start || image_read(j->img, j->first, &buf))
		return NULL;
	for (cohfs_logwalk_begin(&w, places, &buf.super); result == COHFS_LOGWALK_MORE;) {
		if (!read_log(j, w.pos, &buf))
			return "a block of it cannot be read";
		result = cohfs_logwalk_step(&w, &buf);
	}
	if (result == COHFS_LOGWALK_OUTSIDE)
		return "names a block that is no place for metadata";
	return result == COHFS_LOGWALK_ENDLESS ? "has no end" : NULL;
}

/* Second and third pass ----------------------------------------------------------- */

/**
 * struct replay - what the last two passes share
 * @revoked: block -> last transaction in which it was revoked
 */
struct replay {
	struct journal_summary *sum;
	struct numtab revoked;
	const struct cohfs_log_places *places;
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

	/* revoked or not: the module refuses a log with such a tag */
	if (!cohfs_log_place_ok(r->places, blkno)) {
		r->sum->outside++;
		return;
	}
	if (numtab_get(&r->revoked, blkno, &revoked) &&
	    (s32)((u32)revoked - w->seq) >= 0)
		return;
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
		    const struct cohfs_log_places *places)
{
	struct replay r = { .sum = sum, .places = places };
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
