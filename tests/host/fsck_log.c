// SPDX-License-Identifier: GPL-2.0-only
/* Journals of the test filesystem, as jbd2 would have written them. */
#include "../../tools/lib/mem.h"
#include "core_test.h"
#include "fsck_log.h"

#define LOGGED 24	/* blocks in each journal that is not empty */

/* By slot: where the next transaction goes, its number; at first near the end */
static u32 next_pos[COHFS_MAX_SLOTS];
static u32 next_seq[COHFS_MAX_SLOTS];

void log_seal_super(struct jbd2_superblock *sb)
{
	sb->s_checksum = 0;
	sb->s_checksum = cpu_to_be32(crc32c(~0u, sb, sizeof(*sb)));
}

static u64 log_first(u32 slot)
{
	return volume_journal_blkno(&model.vol, slot);
}

static struct jbd2_superblock *log_super(u32 slot)
{
	return disk_block(log_first(slot));
}

union block *log_block(u32 slot, u32 pos)
{
	disk_touch(log_first(slot) + pos);
	return disk_block(log_first(slot) + pos);
}

static u32 seed_of(u32 slot)
{
	return crc32c(~0u, log_super(slot)->s_uuid, 16);
}

void log_reseal(u32 slot, u32 pos)
{
	u8 *bytes = log_block(slot, pos)->bytes;
	bool commit = get_unaligned_be32(bytes + 4) == JBD2_BT_COMMIT;
	u8 *sum = bytes + (commit ? offsetof(struct jbd2_commit, h_chksum) :
				    COHFS_BLOCK_SIZE - 4);

	put_unaligned_be32(0, sum);
	put_unaligned_be32(crc32c(seed_of(slot), bytes, COHFS_BLOCK_SIZE), sum);
}

static union block *append(u32 slot, u32 *pos)
{
	union block *block;

	*pos = next_pos[slot];
	block = log_block(slot, *pos);
	memset(block, 0, sizeof(*block));
	if (++next_pos[slot] == model.vol.info.journal_blocks)
		next_pos[slot] = 1;
	return block;
}

static union block *append_control(u32 slot, u32 type, u32 *pos)
{
	union block *block = append(slot, pos);

	put_unaligned_be32(JBD2_MAGIC, block->bytes);
	put_unaligned_be32(type, block->bytes + 4);
	put_unaligned_be32(next_seq[slot], block->bytes + 8);
	return block;
}

/* The block as it is logged, and its tag */
static void append_data(const struct log_trans *tr, u32 i, struct jbd2_tag *tag)
{
	__be32 seq = cpu_to_be32(next_seq[tr->slot]);
	u32 flags = (i ? JBD2_TAG_SAME_UUID : 0) |
		    (i + 1 == tr->count ? JBD2_TAG_LAST : 0);
	union block *block;
	u32 pos, crc;

	block = append(tr->slot, &pos);
	*block = tr->contents[i];
	if (get_unaligned_be32(block->bytes) == JBD2_MAGIC) {
		put_unaligned_be32(0, block->bytes);
		flags |= JBD2_TAG_ESCAPED;
	}
	crc = crc32c(seed_of(tr->slot), &seq, sizeof(seq));
	crc = crc32c(crc, block, COHFS_BLOCK_SIZE);
	tag->t_blocknr = cpu_to_be32((u32)tr->blkno[i]);
	tag->t_blocknr_high = cpu_to_be32((u32)(tr->blkno[i] >> 32));
	tag->t_flags = cpu_to_be32(flags);
	tag->t_checksum = cpu_to_be32(crc);
}

static void append_blocks(const struct log_trans *tr)
{
	union block *desc;
	struct jbd2_tag tag;
	u32 i, pos, off = 12;

	desc = append_control(tr->slot, JBD2_BT_DESCRIPTOR, &pos);
	for (i = 0; i < tr->count; i++) {
		append_data(tr, i, &tag);
		memcpy(desc->bytes + off, &tag, sizeof(tag));
		off += sizeof(tag);
		if (!i)
			off += 16;
	}
	log_reseal(tr->slot, pos);
}

static void append_revokes(const struct log_trans *tr)
{
	union block *block;
	u32 i, pos;

	block = append_control(tr->slot, JBD2_BT_REVOKE, &pos);
	put_unaligned_be32(16 + 8 * tr->revokes, block->bytes + 12);
	for (i = 0; i < tr->revokes; i++)
		put_unaligned_be64(tr->revoke[i], block->bytes + 16 + 8 * i);
	log_reseal(tr->slot, pos);
}

static void begin_log(u32 slot)
{
	struct jbd2_superblock *sb = log_super(slot);

	if (sb->s_start)
		return;
	disk_touch(log_first(slot));
	next_pos[slot] = model.vol.info.journal_blocks - 5;
	next_seq[slot] = be32_to_cpu(sb->s_sequence);
	sb->s_start = cpu_to_be32(next_pos[slot]);
	log_seal_super(sb);
}

u32 log_write(const struct log_trans *tr)
{
	u32 start, pos;

	begin_log(tr->slot);
	start = next_pos[tr->slot];
	if (tr->count)
		append_blocks(tr);
	if (tr->revokes)
		append_revokes(tr);
	append_control(tr->slot, JBD2_BT_COMMIT, &pos);
	log_reseal(tr->slot, pos);
	next_seq[tr->slot]++;
	return start;
}

/* Without an end -------------------------------------------------------------------------- */

/* A descriptor that says that the blocks behind it are not of the log */
static void append_bridge(u32 slot, u32 blocks)
{
	union block *desc;
	u32 i, pos, off = 12;

	desc = append_control(slot, JBD2_BT_DESCRIPTOR, &pos);
	for (i = 0; i < blocks; i++, off += i == 1 ? 32 : 16) {
		struct jbd2_tag tag = {
			.t_blocknr = cpu_to_be32((u32)model.vol.info.root_ino),
			.t_flags = cpu_to_be32((i ? JBD2_TAG_SAME_UUID : 0) |
					       (i + 1 == blocks ? JBD2_TAG_LAST : 0)),
		};

		memcpy(desc->bytes + off, &tag, sizeof(tag));
	}
	log_reseal(slot, pos);
}

void log_circle(u32 slot, u32 type)
{
	u32 ring = model.vol.info.journal_blocks - 1, used, pos;

	begin_log(slot);
	used = (next_pos[slot] + ring - be32_to_cpu(log_super(slot)->s_start)) % ring;
	for (ring -= used; ring > !!used; ring--) {
		append_control(slot, type, &pos);
		log_reseal(slot, pos);
		/* a commit block ends its transaction, if its checksum is right */
		if (type == JBD2_BT_COMMIT)
			log_block(slot, pos)->bytes[200] ^= 1;
	}
	if (used)
		append_bridge(slot, used);
}

/* Filling -------------------------------------------------------------------------------- */

static u64 some_block(bool data)
{
	u64 blk;

	do {
		blk = model.vol.info.first_group +
		      rnd((u32)(model.vol.info.blocks - model.vol.info.first_group));
	} while (data ? model.used[blk] != USED_DATA :
			!model.used[blk] || model.used[blk] >= USED_DATA ||
			model.used[blk] == COHFS_BT_SUPER);
	return blk;
}

static void add_block(struct log_trans *tr, u64 blkno, const void *contents)
{
	tr->blkno[tr->count] = blkno;
	memcpy(&tr->contents[tr->count++], contents, COHFS_BLOCK_SIZE);
}

/*
 * Blocks of the filesystem get older contents in place; the log has still other ones
 * first, and then the right ones.  Data blocks are logged as if they had been metadata,
 * and revoked.
 */
static void fill(u32 slot)
{
	struct log_trans *first = mem_zalloc(sizeof(*first));
	struct log_trans *second = mem_zalloc(sizeof(*second));
	union block other;
	u64 blk;
	u32 i;

	first->slot = slot;
	second->slot = slot;
	for (i = 0; i < LOGGED; i++) {
		blk = some_block(false);
		/* a block is in one journal at most: who wants it flushes the other */
		if (model.used[blk] == COHFS_BT_GROUP ||
		    memcmp(disk_block(blk), disk.truth + (blk << COHFS_BLOCK_SHIFT),
			   COHFS_BLOCK_SIZE))
			continue;
		memset(&other, (int)i, sizeof(other));
		add_block(first, blk, &other);
		add_block(second, blk, disk_block(blk));
		disk_touch(blk);
	}
	for (i = 0; i < second->count; i++)
		memset(disk_block(second->blkno[i]), 0x77, COHFS_BLOCK_SIZE);
	for (i = 0; i < 4; i++) {
		blk = some_block(true);
		memset(&other, 0x55, sizeof(other));
		add_block(first, blk, &other);
		second->revoke[second->revokes++] = blk;
	}
	log_write(first);
	log_write(second);
	free(first);
	free(second);
}

void log_fill(u64 seed)
{
	test_seed = seed;
	fill(0);
	fill(1);
}
