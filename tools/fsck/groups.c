// SPDX-License-Identifier: GPL-2.0-only
/* The allocation bitmaps. */
#include "../lib/mem.h"
#include "fsck.h"
#include "ident.h"

static struct expect group_expect(const struct volume *vol, u32 group)
{
	return (struct expect) {
		.type = COHFS_BT_GROUP,
		.blkno = volume_group_blkno(vol, group),
		.owner = group,
	};
}

/* What is wrong with the block of a group, but for what the claims will tell */
static const char *examine(struct fsck *f, u32 group, union block *buf)
{
	struct expect ex = group_expect(&f->vol, group);
	const char *why;

	if (image_read(f->img, ex.blkno, buf))
		return "cannot be read";
	if (ident_block(&f->vol, buf, &ex, &why) != IDENT_SURE)
		return why;
	why = cohfs_check_body(buf, COHFS_BT_GROUP);
	if (!why && le32_to_cpu(buf->group.g_blocks) !=
		    cohfs_super_group_blocks(&f->vol.info, group))
		why = "size of the group";
	return why;
}

void groups_load(struct fsck *f)
{
	const struct cohfs_super_info *info = &f->vol.info;
	struct groups *groups = &f->groups;
	const char *why;
	union block buf;
	u32 g;

	groups->trusted = mem_zalloc(info->groups);
	groups->in_use = 0;
	groups->cached = U32_MAX;
	for (g = 0; g < info->groups; g++) {
		why = examine(f, g, &buf);
		groups->trusted[g] = !why;
		if (why)
			problem(&f->problems, P_GROUP_BLOCK,
				"group %u: block %llu: %s; bitmap made anew", g,
				volume_group_blkno(&f->vol, g), why);
		else
			groups->in_use += le32_to_cpu(buf.group.g_blocks) -
					  le32_to_cpu(buf.group.g_free);
	}
	if (info->copy && volume_extent_ok(&f->vol, info->copy, 1))
		claim_meta(&f->claims, info->copy, 1);
}

void groups_free(struct groups *groups)
{
	free(groups->trusted);
	groups->trusted = NULL;
}

enum marked groups_mark(struct fsck *f, u64 blkno)
{
	struct groups *groups = &f->groups;
	u32 group, bit;

	if (!volume_locate(&f->vol, blkno, &group, &bit))
		return MARKED_FREE;
	if (!groups->trusted[group])
		return MARKED_UNKNOWN;
	if (groups->cached != group) {
		groups->cached = group;
		if (image_read(f->img, volume_group_blkno(&f->vol, group), &groups->block))
			memset(&groups->block, 0xff, sizeof(groups->block));
	}
	return bit_is_set(groups->block.group.g_bitmap, bit) ? MARKED_USED : MARKED_FREE;
}

u32 groups_unclaimed(struct fsck *f, u32 group, u32 byte)
{
	const struct group_claims *gc = f->claims.group[group];
	u64 first = volume_group_blkno(&f->vol, group) + 8ULL * byte;
	u32 blocks = cohfs_super_group_blocks(&f->vol.info, group);
	u32 bits = 0xff;

	if (8 * byte >= blocks)
		return 0;
	if (groups_mark(f, first) != MARKED_UNKNOWN)
		bits = f->groups.block.group.g_bitmap[byte];
	if (!byte)
		bits &= ~1u;	/* the group's own block */
	if (8 * byte + 8 > blocks)
		bits &= 0xffu >> (8 * byte + 8 - blocks);
	return gc ? bits & (u8)~(gc->meta[byte] | gc->data[byte]) : bits;
}

bool groups_maybe_used(struct fsck *f, u64 blkno, u32 len)
{
	while (len--)
		if (groups_mark(f, blkno++) == MARKED_FREE)
			return false;
	return true;
}

/* Comparing ------------------------------------------------------------------------ */

/* What the claims say the bitmap of a group should be.  Return: free blocks */
static u32 make_bitmap(struct fsck *f, u32 group, u8 *map)
{
	const struct group_claims *gc = f->claims.group[group];
	u32 blocks = cohfs_super_group_blocks(&f->vol.info, group);
	u32 used = 0;
	u32 i;

	for (i = 0; i < COHFS_GROUP_BITMAP_BYTES; i++)
		map[i] = gc ? gc->meta[i] | gc->data[i] : 0;
	map[0] |= 1;
	for (i = blocks; i < COHFS_GROUP_BLOCKS; i++)
		map[i / 8] |= (u8)(1u << (i & 7));
	for (i = 0; i < COHFS_GROUP_BITMAP_BYTES; i++)
		used += hweight8(map[i]);
	return COHFS_GROUP_BLOCKS - used;
}

/* Bits that are set in @a and not in @b; @first: the first of them */
static u32 count_more(const u8 *a, const u8 *b, u32 *first)
{
	u32 count = 0;
	u32 i;

	for (i = 0; i < COHFS_GROUP_BITMAP_BYTES; i++) {
		u8 more = a[i] & (u8)~b[i];

		if (more && !count)
			*first = 8 * i + (u32)__ffs64(more);
		count += hweight8(more);
	}
	return count;
}

static void report_bitmap(struct fsck *f, u32 group, const u8 *is, const u8 *should)
{
	u64 base = volume_group_blkno(&f->vol, group);
	u32 count, first = 0;

	count = count_more(is, should, &first);
	if (count)
		problem(&f->problems, P_BLOCKS_LOST,
			"group %u: %u blocks are marked in use that nothing uses, the first is %llu",
			group, count, (base + first));
	count = count_more(should, is, &first);
	if (count)
		problem(&f->problems, P_BLOCKS_FREE,
			"group %u: %u blocks are marked free that are in use, the first is %llu",
			group, count, (base + first));
}

static u32 check_group(struct fsck *f, u32 group)
{
	struct expect ex = group_expect(&f->vol, group);
	u8 map[COHFS_GROUP_BITMAP_BYTES];
	union block buf;
	u32 free;

	free = make_bitmap(f, group, map);
	if (image_read(f->img, ex.blkno, &buf))
		memset(&buf, 0, sizeof(buf));
	if (f->groups.trusted[group]) {
		if (!memcmp(buf.group.g_bitmap, map, sizeof(map)))
			return free;
		report_bitmap(f, group, buf.group.g_bitmap, map);
	} else {
		memset(&buf, 0, sizeof(buf));
	}
	ident_restore(&f->vol, &buf, &ex);
	memcpy(buf.group.g_bitmap, map, sizeof(map));
	buf.group.g_blocks = cpu_to_le32(cohfs_super_group_blocks(&f->vol.info, group));
	buf.group.g_free = cpu_to_le32(free);
	cohfs_block_seal(&buf);
	image_write(f->img, ex.blkno, &buf);
	return free;
}

void groups_check(struct fsck *f)
{
	u64 free = 0;
	u32 g;

	for (g = 0; g < f->vol.info.groups; g++) {
		free += check_group(f, g);
		progress_to(f->progress, g);
	}
	f->groups.cached = U32_MAX;
	slots_check_free(f, free);
}
