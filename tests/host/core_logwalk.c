// SPDX-License-Identifier: GPL-2.0-only
/*
 * fs/core/logwalk.c against what jbd2 would do: jbd2's SCAN and REPLAY, told again here
 * without revokes and checksums of logged blocks, so that more is written, not less.
 *
 *   - a log that the walk lets pass ends, and writes to places for metadata only
 *   - a log as jbd2 writes it passes, whatever of the last transaction is on the disk
 */
#include <linux/cohfs_ondisk.h>
#include "core_test.h"
#include "../../fs/core/logwalk.h"

#define BLOCKS	1024u
#define RING	(BLOCKS - 1)

union logblock {
	u8 bytes[COHFS_BLOCK_SIZE];
	struct jbd2_header hdr;
	struct jbd2_superblock super;
	struct jbd2_commit commit;
};

static union logblock disk[BLOCKS];
static u8 touched[BLOCKS];
static u32 seed;

static const struct cohfs_log_places places = {
	.first_slot = 2, .slots = 4, .first_group = 5000, .blocks = 20000, .copy = 5010,
};

static struct jbd2_superblock *super(void)
{
	return &disk[0].super;
}

static void seal_super(void)
{
	super()->s_checksum = cpu_to_be32(cohfs_log_super_sum(super()));
}

static void new_log(u32 start, u32 seq)
{
	u32 i;

	for (i = 0; i < BLOCKS; i++)
		if (touched[i])
			memset(&disk[i], 0, sizeof(disk[i]));
	memset(touched, 0, sizeof(touched));
	memset(disk, 0, sizeof(disk[0]));
	super()->s_header.h_magic = cpu_to_be32(JBD2_MAGIC);
	super()->s_header.h_blocktype = cpu_to_be32(JBD2_BT_SUPER);
	super()->s_blocksize = cpu_to_be32(COHFS_BLOCK_SIZE);
	super()->s_maxlen = cpu_to_be32(BLOCKS);
	super()->s_first = cpu_to_be32(1);
	super()->s_sequence = cpu_to_be32(seq);
	super()->s_start = cpu_to_be32(start);
	super()->s_feature_incompat = cpu_to_be32(JBD2_INCOMPAT_OURS);
	super()->s_checksum_type = JBD2_CRC32C;
	memset(super()->s_uuid, 0x5c, 16);
	seal_super();
	seed = cohfs_log_seed(super());
}

static u32 after(u32 pos, u32 count)
{
	return (pos - 1 + count) % RING + 1;
}

/* Blocks of the log ------------------------------------------------------------- */

static void seal(union logblock *block, u32 type)
{
	u8 *sum = type == JBD2_BT_COMMIT ? (u8 *)block->commit.h_chksum :
					   block->bytes + COHFS_BLOCK_SIZE - 4;

	put_unaligned_be32(0, sum);
	put_unaligned_be32(crc32c(seed, block, COHFS_BLOCK_SIZE), sum);
	CHECK(cohfs_log_sum_ok(block, type, seed));
}

static void control(union logblock *block, u32 type, u32 seq)
{
	memset(block, 0, sizeof(*block));
	block->hdr.h_magic = cpu_to_be32(JBD2_MAGIC);
	block->hdr.h_blocktype = cpu_to_be32(type);
	block->hdr.h_sequence = cpu_to_be32(seq);
	seal(block, type);
}

/* @blkno: of each tag */
static void descriptor(union logblock *block, u32 seq, const u64 *blkno, u32 count)
{
	u32 i, off = 12;

	control(block, JBD2_BT_DESCRIPTOR, seq);
	for (i = 0; i < count; i++) {
		struct jbd2_tag tag = {
			.t_blocknr = cpu_to_be32((u32)blkno[i]),
			.t_blocknr_high = cpu_to_be32((u32)(blkno[i] >> 32)),
			.t_flags = cpu_to_be32((i ? JBD2_TAG_SAME_UUID : 0) |
					       (i + 1 == count ? JBD2_TAG_LAST : 0)),
		};

		memcpy(block->bytes + off, &tag, sizeof(tag));
		off += i ? 16 : 32;
	}
	seal(block, JBD2_BT_DESCRIPTOR);
}

static union logblock *at(u32 pos)
{
	touched[pos] = 1;
	return &disk[pos];
}

/* The walk, as the module goes it ------------------------------------------------- */

static u64 outside;

static enum cohfs_logwalk_result walk(void)
{
	enum cohfs_logwalk_result result;
	struct cohfs_logwalk w;

	cohfs_logwalk_begin(&w, &places, super());
	do {
		if (!w.pos || w.pos >= BLOCKS) {
			CHECK(!"place in the log");
			return COHFS_LOGWALK_END;
		}
		result = cohfs_logwalk_step(&w, &disk[w.pos]);
	} while (result == COHFS_LOGWALK_MORE);
	outside = w.outside;
	return result;
}

/* jbd2, see fs/jbd2/recovery.c ------------------------------------------------------ */

static struct {
	u32 written;	/* blocks */
	u32 outside;	/* of them */
	bool endless;
	u32 end;	/* number of the first transaction that is not complete */
} jbd2;

static u32 jbd2_tags(const union logblock *block, bool write)
{
	u32 off, flags, count = 0;
	u64 blkno;

	for (off = 12; off + 16 <= COHFS_BLOCK_SIZE - 4; off += flags & 2 ? 16 : 32) {
		flags = get_unaligned_be32(block->bytes + off + 4);
		blkno = (u64)get_unaligned_be32(block->bytes + off + 8) << 32 |
			get_unaligned_be32(block->bytes + off);
		count++;
		if (write) {
			jbd2.written++;
			jbd2.outside += !((blkno >= 2 && blkno < 6) ||
					  (blkno >= 5000 && blkno < 20000 && blkno != 5010));
		}
		if (flags & 8)
			break;
	}
	return count;
}

/* Return: 0 or -EFSBADCRC, as jbd2 */
static int jbd2_pass(bool scan)
{
	u32 next = be32_to_cpu(super()->s_sequence), pos = be32_to_cpu(super()->s_start);
	u64 last_time = 0, time;
	bool doubt = false;
	u32 steps, type;

	for (steps = 0; scan || (s32)(next - jbd2.end) < 0; steps++) {
		const union logblock *block = &disk[pos];

		if (steps > 4 * RING) {
			jbd2.endless = true;
			return -EIO;
		}
		pos = after(pos, 1);
		if (be32_to_cpu(block->hdr.h_magic) != JBD2_MAGIC ||
		    be32_to_cpu(block->hdr.h_sequence) != next)
			break;
		type = be32_to_cpu(block->hdr.h_blocktype);
		if (type == JBD2_BT_DESCRIPTOR) {
			if (!cohfs_log_sum_ok(block, type, seed)) {
				if (!scan)
					return -EUCLEAN;
				doubt = true;
			}
			pos = after(pos, jbd2_tags(block, !scan));
		} else if (type == JBD2_BT_REVOKE) {
			doubt |= scan && !cohfs_log_sum_ok(block, type, seed);
		} else if (type == JBD2_BT_COMMIT) {
			time = be64_to_cpu(block->commit.h_commit_sec);
			if (doubt && time >= last_time)
				return -EUCLEAN;
			if (doubt)
				break;
			if (scan && !cohfs_log_sum_ok(block, type, seed)) {
				if (time < last_time)
					break;
				jbd2.end = next;	/* and on, with the same transaction */
				continue;
			}
			last_time = scan ? time : 0;
			next++;
		} else {
			break;
		}
	}
	if (scan && !jbd2.end)
		jbd2.end = next;
	return 0;
}

static void jbd2_replay(void)
{
	memset(&jbd2, 0, sizeof(jbd2));
	if (!jbd2_pass(true))
		jbd2_pass(false);
}

/* Hostile logs ------------------------------------------------------------------------ */

static u64 some_place(void)
{
	static const u64 bad[] = { 0, 1, 6, 4999, 5010, 20000, U64_MAX, 1ULL << 32 | 5001 };

	if (!rnd(40))
		return bad[rnd(ARRAY_SIZE(bad))];
	return rnd(8) ? 5011 + rnd(14989) : 2 + rnd(4);
}

static void some_descriptor(union logblock *block, u32 seq)
{
	u64 blkno[252];
	u32 i, count = rnd(30) ? 1 + rnd(4) : 1 + rnd(252);

	for (i = 0; i < count; i++)
		blkno[i] = some_place();
	descriptor(block, seq, blkno, count);
	if (!rnd(12)) {		/* tags of its own making */
		put_unaligned_be32((u32)rnd64(), block->bytes + 12 + 4 * rnd(100));
		seal(block, JBD2_BT_DESCRIPTOR);
	}
}

static void some_commit(union logblock *block, u32 seq)
{
	control(block, JBD2_BT_COMMIT, seq);
	block->commit.h_commit_sec = cpu_to_be64(rnd(3));
	seal(block, JBD2_BT_COMMIT);
	if (!rnd(6))
		block->bytes[100] ^= 1;
}

/* Mostly what would be expected at @pos; the position behind it and what it leaves out */
static u32 some_block(u32 pos, u32 *seq)
{
	union logblock *block = at(pos);
	u32 its = rnd(30) ? *seq : *seq - 1 + rnd(3);

	switch (rnd(8)) {
	case 0 ... 3:
		some_descriptor(block, its);
		break;
	case 4:
		control(block, JBD2_BT_REVOKE, its);
		break;
	default:
		some_commit(block, its);
		*seq += rnd(8) != 0;
	}
	if (!rnd(25))
		block->bytes[rnd(COHFS_BLOCK_SIZE)] ^= (u8)(1u << rnd(8));
	pos = after(pos, 1);
	if (be32_to_cpu(block->hdr.h_blocktype) == JBD2_BT_DESCRIPTOR)
		pos = after(pos, jbd2_tags(block, false));
	return pos;
}

static void hostile_log(void)
{
	static const u32 sequences[] = { 0, 1, 77, ~0u, 1u << 31 };
	u32 seq = sequences[rnd(ARRAY_SIZE(sequences))];
	u32 pos = rnd(2) ? 1 + rnd(RING) : BLOCKS - 1 - rnd(8);
	u32 i, n = rnd(40);

	new_log(pos, seq);
	for (i = 0; i < n; i++)
		pos = some_block(pos, &seq);
}

static u32 seen[4];	/* results */

static void compare(void)
{
	enum cohfs_logwalk_result result = walk();

	jbd2_replay();
	seen[result]++;
	CHECK(!jbd2.endless || result == COHFS_LOGWALK_ENDLESS ||
	      result == COHFS_LOGWALK_OUTSIDE);
	CHECK(!jbd2.outside || result == COHFS_LOGWALK_OUTSIDE ||
	      result == COHFS_LOGWALK_ENDLESS);
	CHECK(result != COHFS_LOGWALK_OUTSIDE || !cohfs_log_place_ok(&places, outside));
}

static void hostile(void)
{
	u32 i, written = 0, wrote_outside = 0;

	for (i = 0; i < 20000 && !test_failed; i++) {
		hostile_log();
		compare();
		written += jbd2.written;
		wrote_outside += !!jbd2.outside;
	}
	/* or it would say nothing */
	CHECK(seen[COHFS_LOGWALK_END] > 1000 && seen[COHFS_LOGWALK_OUTSIDE] > 1000);
	CHECK(written > 10000 && wrote_outside > 100);
}

/* All the way round, of one transaction or of commit blocks that are wrong */
static void circles(void)
{
	u32 i, pos, kind;
	u64 blkno = 5001;

	for (kind = 0; kind < 4; kind++) {
		new_log(1 + rnd(RING), 5);
		for (pos = 1; pos < BLOCKS; pos++) {
			control(at(pos), kind == 1 ? JBD2_BT_COMMIT : JBD2_BT_REVOKE, 5);
			if (kind == 2)
				descriptor(at(pos), 5, &blkno, 1);
			for (i = 0; i < (kind & 1); i++)
				disk[pos].bytes[200] ^= 1;
		}
		CHECK_EQ(walk(), COHFS_LOGWALK_ENDLESS);
		jbd2_replay();
		CHECK(jbd2.endless);
	}
}

static void noise(void)
{
	u32 i, k, pos;

	for (i = 0; i < 3000 && !test_failed; i++) {
		new_log(1 + rnd(RING), rnd(3));
		pos = be32_to_cpu(super()->s_start);
		for (k = 0; k < COHFS_BLOCK_SIZE; k += 8)
			put_unaligned_le64(rnd64(), at(pos)->bytes + k);
		disk[pos].hdr.h_magic = cpu_to_be32(JBD2_MAGIC);
		disk[pos].hdr.h_blocktype = cpu_to_be32(1 + rnd(5));
		disk[pos].hdr.h_sequence = super()->s_sequence;
		if (rnd(2))
			seal(&disk[pos], be32_to_cpu(disk[pos].hdr.h_blocktype));
		compare();
	}
}

/* Honest logs ---------------------------------------------------------------------------- */

#define MAX_TRANS	120	/* blocks */

/**
 * struct writer - jbd2 at work
 * @head: where the next transaction begins
 * @used: blocks in the transactions from @tail on
 * @size: of the last transactions, by number
 */
static struct writer {
	u32 head;
	u32 seq;
	u32 tail;
	u32 tail_seq;
	u32 used;
	u32 size[256];
} jw;

static union logblock staged[MAX_TRANS + 8];

static void logged_block(union logblock *block)
{
	/* may look like part of a log, but for the magic number, which is escaped */
	if (rnd(2))
		descriptor(block, jw.seq + rnd(2), (const u64[]){ 1 }, 1);
	else
		memset(block, (int)rnd(256), sizeof(*block));
	if (be32_to_cpu(block->hdr.h_magic) == JBD2_MAGIC)
		block->hdr.h_magic = 0;
}

static u32 stage_transaction(void)
{
	u32 i, tags, n = 0, parts = rnd(4);
	u64 blkno[40];

	while (parts--) {
		tags = 1 + rnd(rnd(4) ? 5 : 34);
		for (i = 0; i < tags; i++)
			blkno[i] = rnd(5) ? 5011 + rnd(14989) : 2 + rnd(4);
		descriptor(&staged[n++], jw.seq, blkno, tags);
		while (tags--)
			logged_block(&staged[n++]);
	}
	if (!rnd(3))
		control(&staged[n++], JBD2_BT_REVOKE, jw.seq);
	control(&staged[n++], JBD2_BT_COMMIT, jw.seq);
	return n;
}

static void checkpoint(u32 needed)
{
	while (jw.used + needed > RING || (jw.used && !rnd(4))) {
		jw.used -= jw.size[jw.tail_seq % 256];
		jw.tail = after(jw.tail, jw.size[jw.tail_seq % 256]);
		jw.tail_seq++;
	}
}

static void write_transaction(void)
{
	u32 i, n = stage_transaction();

	checkpoint(n);
	for (i = 0; i < n; i++)
		*at(after(jw.head, i)) = staged[i];
	jw.size[jw.seq++ % 256] = n;
	jw.head = after(jw.head, n);
	jw.used += n;
}

/* Each block of it is on the disk, or is not, or is in part */
static void cut_transaction(void)
{
	u32 i, n = stage_transaction(), part;

	for (i = 0; i < n && jw.used + i < RING; i++) {
		part = rnd(3) ? rnd(2) * COHFS_BLOCK_SIZE : 512 * rnd(9);
		memcpy(at(after(jw.head, i)), &staged[i], part);
	}
}

static void honest(void)
{
	u32 i, run, written = 0;

	for (run = 0; run < 60 && !test_failed; run++) {
		jw = (struct writer){ .head = 1, .tail = 1, .seq = ~0u - 20, .tail_seq = ~0u - 20 };
		new_log(1, jw.seq);
		for (i = 0; i < 60; i++) {
			write_transaction();
			if (i % 8 != 7)
				continue;
			cut_transaction();
			super()->s_start = cpu_to_be32(jw.tail);
			super()->s_sequence = cpu_to_be32(jw.tail_seq);
			CHECK_EQ(walk(), COHFS_LOGWALK_END);
			jbd2_replay();
			CHECK(!jbd2.outside && !jbd2.endless);
			written += jbd2.written;
			/* the next owner */
			if (rnd(2))
				jw.head = 1;
			jw.tail = jw.head;
			jw.used = 0;
			jw.tail_seq = jw.seq = jbd2.end + 1;
		}
	}
	CHECK(written > 10000);
}

/* Transactions from @start on, in use: @used blocks.  Return: where the next would begin */
static u32 fill(u32 start, u32 used, u32 *seq)
{
	u32 i, tags, pos = start;
	u64 blkno[250];

	for (i = 0; i < 250; i++)
		blkno[i] = 5011 + i;
	new_log(start, *seq);
	for (; used; used -= tags + 2) {
		tags = min_t(u32, used - 2, 250);
		descriptor(at(pos), *seq, blkno, tags);
		control(at(after(pos, 1 + tags)), JBD2_BT_COMMIT, (*seq)++);
		pos = after(pos, tags + 2);
	}
	return pos;
}

static void full(void)
{
	u32 k, pos, seq;

	for (k = 1; k < 1000; k += 111) {
		seq = 9;
		pos = fill(k, RING, &seq);
		CHECK_EQ(pos, k);
		CHECK_EQ(walk(), COHFS_LOGWALK_END);
		jbd2_replay();
		CHECK_EQ(jbd2.written, RING - 10);
		/* four blocks of another one, of which the first is torn: any number of tags */
		seq = ~0u - 2;
		pos = fill(k, RING - 4, &seq);
		descriptor(at(pos), seq, (const u64[]){ 5011 }, 1);
		disk[pos].bytes[12 + 7] = JBD2_TAG_SAME_UUID;
		CHECK_EQ(walk(), COHFS_LOGWALK_END);
		jbd2_replay();
		CHECK_EQ(jbd2.end, seq);
	}
}

/* Single points ---------------------------------------------------------------------------- */

static void place(void)
{
	static const struct {
		u64 blkno;
		bool ok;
	} p[] = {
		{ 0, false }, { 1, false }, { 2, true }, { 5, true }, { 6, false },
		{ 4999, false }, { 5000, true }, { 5009, true }, { 5010, false },
		{ 19999, true }, { 20000, false }, { 1ULL << 32 | 5001, false },
		{ U64_MAX, false },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(p); i++) {
		CHECK_EQ(cohfs_log_place_ok(&places, p[i].blkno), p[i].ok);
		new_log(RING, 3);
		descriptor(at(RING), 3, (const u64[]){ 5001, p[i].blkno, 5002 }, 3);
		/* it never happened */
		CHECK_EQ(walk(), COHFS_LOGWALK_END);
		control(at(4), JBD2_BT_COMMIT, 3);
		CHECK_EQ(walk(), p[i].ok ? COHFS_LOGWALK_END : COHFS_LOGWALK_OUTSIDE);
		CHECK(p[i].ok || outside == p[i].blkno);
		/* not jbd2's: not replayed */
		disk[RING].bytes[2000] ^= 1;
		CHECK_EQ(walk(), COHFS_LOGWALK_END);
	}
}

/*
 * A journal that is aborted in the middle of a descriptor: the last tag that it has does not
 * say so, zeroes follow, and there is no commit block.  With one it would be replayed.
 */
static void aborted(void)
{
	static const u64 blkno[] = { 5001, 5002, 5003 };
	u32 pos, next;

	for (pos = 1; pos <= RING; pos += 7) {
		new_log(pos, 3);
		descriptor(at(pos), 3, blkno, 1);
		control(at(after(pos, 2)), JBD2_BT_COMMIT, 3);
		next = after(pos, 3);
		descriptor(at(next), 4, blkno, 3);
		put_unaligned_be32(JBD2_TAG_SAME_UUID, at(next)->bytes + 12 + 32 + 16 + 4);
		seal(at(next), JBD2_BT_DESCRIPTOR);
		CHECK_EQ(walk(), COHFS_LOGWALK_END);
		jbd2_replay();
		CHECK_EQ(jbd2.written, 1);
		CHECK(!jbd2.outside && !jbd2.endless);
		next = after(next, 1 + jbd2_tags(at(next), false));
		control(at(next), JBD2_BT_COMMIT, 4);
		CHECK_EQ(walk(), COHFS_LOGWALK_OUTSIDE);
		jbd2_replay();
		CHECK(jbd2.outside);
	}
}

static void super_fields(void)
{
	static const struct {
		u32 off;
		u32 value;
		const char *why;
	} f[] = {
		{ 0x00, 0, "magic number" }, { 0x04, 3, "magic number" },
		{ 0x0c, 1024, "block size" }, { 0x10, BLOCKS - 1, "length" },
		{ 0x10, BLOCKS + 1, "length" }, { 0x10, ~0u, "length" },
		{ 0x14, 0, "first block of the log" }, { 0x14, 2, "first block of the log" },
		{ 0x1c, BLOCKS, "start of the log" }, { 0x1c, ~0u, "start of the log" },
		{ 0x1c, BLOCKS - 1, NULL }, { 0x1c, 0, NULL }, { 0x18, ~0u, NULL },
		{ 0x20, ~0u, NULL }, { 0x24, 1, "features" }, { 0x2c, 1, "features" },
		{ 0x28, 0, "features" }, { 0x28, 0x33, "features" },	/* fast commits */
		{ 0x28, 0x13 | 4, "features" }, { 0x28, 0x0b, "features" },
		{ 0x50, 1 << 24, "checksum" },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(f); i++) {
		new_log(1, 1);
		put_unaligned_be32(f[i].value, disk[0].bytes + f[i].off);
		seal_super();
		CHECK_STR(cohfs_log_check_super(super(), BLOCKS), f[i].why);
	}
	new_log(1, 1);
	super()->s_sequence = cpu_to_be32(2);
	CHECK_STR(cohfs_log_check_super(super(), BLOCKS), "checksum");
}

int main(void)
{
	test_begin();
	test_case("logwalk_place", place);
	test_case("logwalk_aborted", aborted);
	test_case("logwalk_super", super_fields);
	test_case("logwalk_hostile", hostile);
	test_case("logwalk_circles", circles);
	test_case("logwalk_noise", noise);
	test_case("logwalk_honest", honest);
	test_case("logwalk_full", full);
	return test_end();
}
