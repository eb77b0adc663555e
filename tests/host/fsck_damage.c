// SPDX-License-Identifier: GPL-2.0-only
/* Ways to damage the test filesystem. */
#include <stdarg.h>
#include "../../tools/lib/mem.h"
#include "core_test.h"
#include "fsck_damage.h"
#include "fsck_log.h"

static __printf(2, 3) void note(struct damage *dm, const char *fmt, ...)
{
	size_t used = strlen(dm->text);
	va_list ap;

	if (used + 100 > sizeof(dm->text))
		return;
	va_start(ap, fmt);
	vsnprintf(dm->text + used, sizeof(dm->text) - used, fmt, ap);
	va_end(ap);
	strcat(dm->text, "; ");
}

/* Mostly superblock or copy is spared; without either there is nothing to repair */
static u64 spared;

void damage_reset(struct damage *dm, u64 seed)
{
	test_seed = seed;
	spared = rnd(2) ? COHFS_SUPER_BLKNO : model.vol.info.copy;
	if (!rnd(40))
		spared = 0;
	if (!dm->hit)
		dm->hit = mem_zalloc(disk.blocks);
	memset(dm->hit, 0, disk.blocks);
	dm->text[0] = '\0';
}

/* Everything that is only in a journal is lost with it */
static void hit_journal(struct damage *dm)
{
	u64 blk;

	for (blk = 0; blk < disk.blocks; blk++)
		if (memcmp(disk.truth + (blk << COHFS_BLOCK_SHIFT),
			   disk.pristine + (blk << COHFS_BLOCK_SHIFT), COHFS_BLOCK_SIZE))
			dm->hit[blk] = 1;
}

static void *hit(struct damage *dm, u64 blkno)
{
	if (model.used[blkno] == USED_JOURNAL && !dm->hit[blkno])
		hit_journal(dm);
	dm->hit[blkno] = 1;
	disk_touch(blkno);
	return disk_block(blkno);
}

/* Choosing ----------------------------------------------------------------------------- */

static bool is_meta(u64 blkno)
{
	return model.used[blkno] && model.used[blkno] < USED_DATA && blkno != spared;
}

static u64 some_meta(u32 type)
{
	u64 blk;

	do {
		blk = rnd(20) ? model.vol.info.first_group +
				rnd((u32)(disk.blocks - model.vol.info.first_group)) :
				rnd(16);
	} while (!is_meta(blk) || (type && model.used[blk] != type));
	return blk;
}

/* Weighted by what matters: metadata of all types alike, a little of the rest */
static u64 some_block(void)
{
	switch (rnd(24)) {
	case 0:
		return model.vol.info.first_slot + rnd((u32)disk.blocks - 10);
	case 1:
		return model.vol.info.first_journal +
		       rnd(3) * model.vol.info.journal_blocks +
		       (rnd(2) ? 0 : (u32)(model.vol.info.journal_blocks - rnd(60)) %
				     model.vol.info.journal_blocks);
	case 2:
		return model.vol.info.first_slot + rnd(model.vol.info.slots);
	case 3:
		return volume_group_blkno(&model.vol, rnd(model.vol.info.groups));
	case 4:
		return spared == COHFS_SUPER_BLKNO ? model.vol.info.copy : COHFS_SUPER_BLKNO;
	default:
		return some_meta(rnd(3) ? 0 : COHFS_BT_INODE + rnd(3));
	}
}

/* Mostly one or two mishaps, sometimes a catastrophe */
static u32 how_many(u32 some)
{
	if (!rnd(12))
		return 20 + rnd(200);
	return 1 + rnd(rnd(2) ? 2 : some);
}

/* Blind --------------------------------------------------------------------------------- */

static void flip_bits(struct damage *dm)
{
	u64 blkno = some_block();
	u8 *p = hit(dm, blkno);
	u32 n = 1 + rnd(rnd(4) ? 2 : 40);

	note(dm, "%u bits of block %llu", n, blkno);
	while (n--)
		p[rnd(COHFS_BLOCK_SIZE)] ^= (u8)(1u << rnd(8));
}

static void scribble(struct damage *dm)
{
	u64 blkno = some_block();
	u8 *p = hit(dm, blkno);
	u32 from = rnd(COHFS_BLOCK_SIZE), n = 1 + rnd(COHFS_BLOCK_SIZE - from);

	if (rnd(2))
		n = min_t(u32, n, 64);
	note(dm, "bytes %u..%u of block %llu", from, from + n - 1, blkno);
	while (n--)
		p[from + n] = (u8)rnd(256);
}

static void zero_blocks(struct damage *dm)
{
	u64 blkno = some_block();
	u32 n = rnd(3) ? 1 : 1 + rnd(64);
	u32 i;

	note(dm, "zeros in %u blocks from %llu", n, blkno);
	for (i = 0; i < n && blkno + i < disk.blocks; i++)
		memset(hit(dm, blkno + i), 0, COHFS_BLOCK_SIZE);
}

/* A sector of 512 bytes that was not written */
static void torn_block(struct damage *dm)
{
	u64 blkno = some_block();
	u8 *p = hit(dm, blkno);

	note(dm, "a sector of block %llu", blkno);
	memset(p + 512 * rnd(8), rnd(2) ? 0 : 0xff, 512);
}

static void copy_block(struct damage *dm)
{
	u64 from = some_block(), to = some_block();

	note(dm, "block %llu over block %llu", from, to);
	memcpy(hit(dm, to), disk_block(from), COHFS_BLOCK_SIZE);
}

static void swap_blocks(struct damage *dm)
{
	u64 a = some_block(), b = some_block();
	u8 *x = hit(dm, a), *y = hit(dm, b);
	u32 i;

	note(dm, "blocks %llu and %llu swapped", a, b);
	for (i = 0; i < COHFS_BLOCK_SIZE; i++)
		swap(x[i], y[i]);
}

static void lose_block(struct damage *dm)
{
	u64 blkno = some_meta(0);

	note(dm, "block %llu unreadable", blkno);
	hit(dm, blkno);
	*disk.unreadable = blkno;
}

void damage_blind(struct damage *dm)
{
	static void (* const kinds[])(struct damage *dm) = {
		flip_bits, flip_bits, scribble, zero_blocks, torn_block, copy_block,
		swap_blocks, lose_block,
	};
	u32 n = how_many(6);

	while (n--)
		kinds[rnd(ARRAY_SIZE(kinds))](dm);
}

/* Knowing --------------------------------------------------------------------------------- */

struct field {
	u16 off;
	u16 size;
};

#define FIELD(type, member) { offsetof(struct type, member), \
			      sizeof(((struct type *)NULL)->member) }

static const struct field header_fields[] = {
	FIELD(cohfs_block_header, bh_magic), FIELD(cohfs_block_header, bh_type),
	FIELD(cohfs_block_header, bh_blkno), FIELD(cohfs_block_header, bh_owner),
	FIELD(cohfs_block_header, bh_generation), { 0x10, 8 }, { 0x18, 8 },
};

static const struct field super_fields[] = {
	FIELD(cohfs_super, s_feature_incompat), FIELD(cohfs_super, s_block_size),
	FIELD(cohfs_super, s_blocks), FIELD(cohfs_super, s_root_ino),
	FIELD(cohfs_super, s_first_slot), FIELD(cohfs_super, s_first_journal),
	FIELD(cohfs_super, s_first_group), FIELD(cohfs_super, s_slots),
	FIELD(cohfs_super, s_groups), FIELD(cohfs_super, s_journal_blocks),
	FIELD(cohfs_super, s_free_at_mkfs), FIELD(cohfs_super, s_copy), { 0xa0, 8 },
	{ 0xb0, 8 }, { 0xc0, 4 }, { 0xe0, 4 },
};

static const struct field slot_fields[] = {
	FIELD(cohfs_slot, sl_free_delta), FIELD(cohfs_slot, sl_orphan_dir),
	FIELD(cohfs_slot, sl_pool_count), FIELD(cohfs_slot, sl_pool[0]),
	FIELD(cohfs_slot, sl_pool[3]),
};

static const struct field group_fields[] = {
	FIELD(cohfs_group, g_free), FIELD(cohfs_group, g_blocks), { 0x80, 1 },
	{ 0x80 + 10, 8 }, { 0x80 + 200, 4 }, { 0xff8, 8 },
};

static const struct field inode_fields[] = {
	FIELD(cohfs_dinode, i_mode), FIELD(cohfs_dinode, i_uid),
	FIELD(cohfs_dinode, i_nlink), FIELD(cohfs_dinode, i_size),
	FIELD(cohfs_dinode, i_blocks), FIELD(cohfs_dinode, i_atime.t_nsec),
	FIELD(cohfs_dinode, i_ctime.t_nsec), FIELD(cohfs_dinode, i_parent),
	FIELD(cohfs_dinode, i_orphan_slot), FIELD(cohfs_dinode, i_xattr), { 0x100, 1 },
	{ 0x120, 1 },
};

static const struct field map_fields[] = {
	FIELD(cohfs_map_block, m_level), FIELD(cohfs_map_block, m_count),
	FIELD(cohfs_map_block, m_blocks), FIELD(cohfs_map_block, m_rec[0].r_key),
	FIELD(cohfs_map_block, m_rec[0].r_blk), FIELD(cohfs_map_block, m_rec[0].r_len),
	FIELD(cohfs_map_block, m_rec[0].r_flags), FIELD(cohfs_map_block, m_rec[1].r_key),
	FIELD(cohfs_map_block, m_rec[1].r_blk), FIELD(cohfs_map_block, m_rec[1].r_len),
	FIELD(cohfs_map_block, m_rec[2].r_blk), FIELD(cohfs_map_block, m_rec[165].r_blk),
};

static const struct field leaf_fields[] = {
	FIELD(cohfs_dirleaf, l_count), FIELD(cohfs_dirleaf, l_used), { 0x50, 8 },
	{ 0x58, 8 }, { 0x60, 4 }, { 0x64, 2 }, { 0x66, 1 }, { 0x67, 1 }, { 0x68, 1 },
	{ 0x70, 1 },
};

static const struct {
	const struct field *fields;
	u32 count;
} fields_of[] = {
	[COHFS_BT_SUPER] = { super_fields, ARRAY_SIZE(super_fields) },
	[COHFS_BT_SLOT] = { slot_fields, ARRAY_SIZE(slot_fields) },
	[COHFS_BT_GROUP] = { group_fields, ARRAY_SIZE(group_fields) },
	[COHFS_BT_INODE] = { inode_fields, ARRAY_SIZE(inode_fields) },
	[COHFS_BT_MAP] = { map_fields, ARRAY_SIZE(map_fields) },
	[COHFS_BT_DIRLEAF] = { leaf_fields, ARRAY_SIZE(leaf_fields) },
};

/* A number that might do harm in place of @old */
static u64 bad_number(u64 old)
{
	switch (rnd(12)) {
	case 0:
		return 0;
	case 1:
		return old + 1;
	case 2:
		return old - 1;
	case 3:
		return U64_MAX;
	case 4:
		return old ^ (1ULL << rnd(64));
	case 5:
		return rnd64();
	case 6:
		return model.inode[rnd(model.inodes)].ino;
	case 7:
		return rnd((u32)disk.blocks);
	case 8:
		return model.vol.info.blocks - rnd(3);
	case 9:
		return model.vol.info.first_group + rnd(6);
	case 10:
		return 2 * old;
	default:
		return rnd(8);
	}
}

static void change_field(u8 *block, const struct field *field)
{
	u64 value = 0;

	memcpy(&value, block + field->off, field->size);
	value = bad_number(value);
	memcpy(block + field->off, &value, field->size);
}

static void bad_header(struct damage *dm)
{
	u64 blkno = some_meta(0);
	const struct field *field = &header_fields[rnd(ARRAY_SIZE(header_fields))];

	note(dm, "header of block %llu (%u) at 0x%x", blkno, model.used[blkno], field->off);
	change_field(hit(dm, blkno), field);
	build_seal(blkno);
}

static void bad_field(struct damage *dm)
{
	u64 blkno = some_block();
	const struct field *field;
	u32 type;

	if (!is_meta(blkno))
		blkno = some_meta(0);
	type = model.used[blkno];
	field = &fields_of[type].fields[rnd(fields_of[type].count)];
	note(dm, "block %llu (%u) at 0x%x", blkno, type, field->off);
	change_field(hit(dm, blkno), field);
	build_seal(blkno);
}

/* A record of a map points to blocks of somebody else */
static void bad_record(struct damage *dm)
{
	u64 blkno = some_meta(COHFS_BT_MAP);
	struct cohfs_map_block *mb = hit(dm, blkno);
	u32 count = min_t(u32, cohfs_mapblock_count(mb), COHFS_MAP_RECS);
	u32 i = rnd(count ? count : 1);
	u64 other = some_block();

	note(dm, "record %u of map block %llu", i, blkno);
	switch (rnd(5)) {
	case 0:
		mb->m_rec[i].r_blk = cpu_to_le64(other);
		break;
	case 1:	/* a loop */
		mb->m_rec[i].r_blk = mb->m_hdr.bh_blkno;
		break;
	case 2:
		mb->m_rec[i].r_len = cpu_to_le32(rnd(40));
		break;
	case 3:
		mb->m_rec[i].r_key = cpu_to_le64(bad_number(le64_to_cpu(mb->m_rec[i].r_key)));
		break;
	default:
		do {
			other = rnd((u32)disk.blocks);
		} while (model.used[other] != USED_DATA);
		mb->m_rec[i].r_blk = cpu_to_le64(other);
	}
	build_seal(blkno);
}

static struct cohfs_dirent *some_entry(struct damage *dm, u64 *blkno)
{
	struct cohfs_dirleaf *leaf;
	u32 n, off = 0;

	do {
		*blkno = some_meta(COHFS_BT_DIRLEAF);
		leaf = disk_block(*blkno);
	} while (!cohfs_dirleaf_count(leaf));
	hit(dm, *blkno);
	/* an earlier mutation may have been here */
	for (n = rnd(cohfs_dirleaf_count(leaf)); n; n--) {
		u32 len = le16_to_cpu(((struct cohfs_dirent *)(leaf->l_data + off))->d_rec_len);

		if (!len || len % 8 || off + len + 300 > COHFS_DIRLEAF_BYTES)
			break;
		off += len;
	}
	return (struct cohfs_dirent *)(leaf->l_data + off);
}

static void bad_entry(struct damage *dm)
{
	struct cohfs_dirent *de;
	struct model_inode *mi;
	u64 blkno;

	de = some_entry(dm, &blkno);
	note(dm, "a name in leaf %llu", blkno);
	mi = &model.inode[rnd(model.inodes)];
	switch (rnd(7)) {
	case 0:	/* another inode, loops among directories included */
		de->d_ino = cpu_to_le64(mi->ino);
		de->d_generation = cpu_to_le32(mi->generation);
		de->d_type = (u8)(mi->mode >> 12);
		break;
	case 1:
		de->d_generation = cpu_to_le32((u32)rnd64());
		break;
	case 2:
		de->d_type = (u8)rnd(16);
		break;
	case 3:
		de->d_name[rnd(de->d_name_len | 1)] = rnd(2) ? '/' : '\0';
		break;
	case 4:
		de->d_key = cpu_to_le64(le64_to_cpu(de->d_key) + (rnd(2) ? 1 : 1u << 20));
		break;
	case 5:
		de->d_ino = cpu_to_le64(rnd((u32)disk.blocks));
		break;
	default:
		de->d_name[rnd(de->d_name_len | 1)] ^= 1;
	}
	build_seal(blkno);
}

/* Both blocks are what they say, but each in the other's place */
static void exchange(struct damage *dm)
{
	u64 a = some_meta(0), b = some_meta(model.used[a]);
	u8 *x = hit(dm, a), *y = hit(dm, b);
	bool move = rnd(2);
	u32 i;

	note(dm, "blocks %llu and %llu exchanged%s", a, b,
	     move ? ", with their numbers right" : "");
	for (i = 0; i < COHFS_BLOCK_SIZE; i++)
		swap(x[i], y[i]);
	if (!move)
		return;
	((struct cohfs_block_header *)x)->bh_blkno = cpu_to_le64(a);
	((struct cohfs_block_header *)y)->bh_blkno = cpu_to_le64(b);
	build_seal(a);
	build_seal(b);
}

/* The block as it was for another owner, or in another time */
static void impostor(struct damage *dm)
{
	u64 to = some_meta(0), from = some_meta(model.used[to]);
	struct cohfs_block_header *hdr = hit(dm, to);

	note(dm, "block %llu with the contents of %llu", to, from);
	memcpy(hdr, disk_block(from), COHFS_BLOCK_SIZE);
	hdr->bh_blkno = cpu_to_le64(to);
	if (rnd(2))
		hdr->bh_owner = cpu_to_le64(to);
	build_seal(to);
}

static void bad_bitmap(struct damage *dm)
{
	u64 blkno = volume_group_blkno(&model.vol, rnd(model.vol.info.groups));
	struct cohfs_group *g = hit(dm, blkno);
	u32 blocks = min_t(u32, le32_to_cpu(g->g_blocks), COHFS_GROUP_BLOCKS);
	u32 n = 1 + rnd(200), bit, free = 0;

	note(dm, "%u bits of the bitmap in %llu", n, blkno);
	while (n-- && blocks) {
		bit = 1 + rnd(min_t(u32, blocks, 3000));
		g->g_bitmap[bit / 8] ^= (u8)(1u << (bit & 7));
	}
	for (bit = 0; bit < blocks; bit++)
		free += !bit_is_set(g->g_bitmap, bit);
	g->g_free = cpu_to_le32(free);
	build_seal(blkno);
}

static void bad_pool(struct damage *dm)
{
	u64 blkno = model.vol.info.first_slot + rnd(model.vol.info.slots);
	struct cohfs_slot *sl = hit(dm, blkno);
	u32 count = le32_to_cpu(sl->sl_pool_count);

	note(dm, "pool in %llu", blkno);
	if (count >= COHFS_POOL_MAX)
		return;
	sl->sl_pool[count] = cpu_to_le64(rnd(2) ? model.inode[rnd(model.inodes)].ino :
						  bad_number(0) | 1);
	sl->sl_pool_count = cpu_to_le32(count + 1);
	build_seal(blkno);
}

/* A descriptor that names other blocks has a replay write there */
static void hit_tags(struct damage *dm, const union block *desc)
{
	u32 off, i;
	u64 blk;

	for (i = 0, off = 12; i < 64; i++, off += i == 1 ? 32 : 16) {
		blk = get_unaligned_be32(desc->bytes + off);
		if (blk < disk.blocks)
			dm->hit[blk] = 1;
	}
}

static void bad_journal(struct damage *dm)
{
	u32 slot = rnd(2), pos = model.vol.info.journal_blocks - 5;
	u64 blkno = volume_journal_blkno(&model.vol, slot);

	note(dm, "journal of slot %u", slot);
	if (rnd(2)) {
		put_unaligned_be32((u32)bad_number(1), (u8 *)hit(dm, blkno) + 0x10 + 4 * rnd(7));
		log_seal_super(disk_block(blkno));
		return;
	}
	hit(dm, blkno + pos);
	put_unaligned_be32((u32)bad_number(1), log_block(slot, pos)->bytes + 4 * rnd(40));
	log_reseal(slot, pos);
	hit_tags(dm, log_block(slot, pos));
}

void damage_knowing(struct damage *dm)
{
	static void (* const kinds[])(struct damage *dm) = {
		bad_header, bad_field, bad_field, bad_field, bad_record, bad_record,
		bad_entry, bad_entry, exchange, impostor, bad_bitmap, bad_pool, bad_journal,
	};
	u32 n = how_many(5);

	while (n--)
		kinds[rnd(ARRAY_SIZE(kinds))](dm);
}
