// SPDX-License-Identifier: GPL-2.0-only
/* Which blocks are used by something that was found. */
#include "../lib/mem.h"
#include "claims.h"

void claims_init(struct claims *cl, const struct volume *vol)
{
	memset(cl, 0, sizeof(*cl));
	cl->vol = vol;
	cl->group = mem_zalloc(vol->info.groups * sizeof(*cl->group));
}

void claims_free(struct claims *cl)
{
	u32 g;

	for (g = 0; cl->group && g < cl->vol->info.groups; g++) {
		if (cl->group[g])
			free(cl->group[g]->twice);
		free(cl->group[g]);
	}
	free(cl->group);
	memset(cl, 0, sizeof(*cl));
}

static void set_bit(u8 *map, u32 bit)
{
	map[bit / 8] |= (u8)(1u << (bit & 7));
}

static void clear_bit(u8 *map, u32 bit)
{
	map[bit / 8] &= (u8)~(1u << (bit & 7));
}

/* The group of @blkno, made if need be; callers have checked the extent */
static struct group_claims *group_of(struct claims *cl, u64 blkno, u32 *bit)
{
	u32 group = 0;

	*bit = 0;
	if (WARN_ON_ONCE(!volume_locate(cl->vol, blkno, &group, bit)))
		group = 0;
	if (!cl->group[group])
		cl->group[group] = mem_zalloc(sizeof(*cl->group[group]));
	return cl->group[group];
}

static void mark_twice(struct claims *cl, struct group_claims *gc, u32 bit)
{
	if (!gc->twice)
		gc->twice = mem_zalloc(COHFS_GROUP_BITMAP_BYTES);
	if (bit_is_set(gc->twice, bit))
		return;
	set_bit(gc->twice, bit);
	cl->twice++;
}

bool claim_meta(struct claims *cl, u64 blkno, u32 len)
{
	struct group_claims *gc;
	u32 bit, i;

	gc = group_of(cl, blkno, &bit);
	for (i = bit; i < bit + len; i++)
		if (bit_is_set(gc->meta, i))
			return false;
	for (i = bit; i < bit + len; i++) {
		if (bit_is_set(gc->data, i))
			mark_twice(cl, gc, i);
		set_bit(gc->meta, i);
	}
	cl->claimed += len;
	return true;
}

bool claim_data(struct claims *cl, u64 blkno, u32 len)
{
	struct group_claims *gc;
	bool alone = true;
	u32 bit, i;

	gc = group_of(cl, blkno, &bit);
	for (i = bit; i < bit + len; i++) {
		if (bit_is_set(gc->data, i) || bit_is_set(gc->meta, i)) {
			mark_twice(cl, gc, i);
			alone = false;
		}
		set_bit(gc->data, i);
	}
	cl->claimed += len;
	return alone;
}

void unclaim(struct claims *cl, u64 blkno, u32 len)
{
	struct group_claims *gc;
	u32 bit, i;

	gc = group_of(cl, blkno, &bit);
	for (i = bit; i < bit + len; i++) {
		clear_bit(gc->data, i);
		clear_bit(gc->meta, i);
	}
}

static const struct group_claims *find(const struct claims *cl, u64 blkno, u32 *bit)
{
	u32 group;

	return volume_locate(cl->vol, blkno, &group, bit) ? cl->group[group] : NULL;
}

bool is_claimed_meta(const struct claims *cl, u64 blkno)
{
	const struct group_claims *gc;
	u32 bit;

	gc = find(cl, blkno, &bit);
	return gc && bit_is_set(gc->meta, bit);
}

bool is_claimed(const struct claims *cl, u64 blkno)
{
	const struct group_claims *gc;
	u32 bit;

	gc = find(cl, blkno, &bit);
	return gc && (bit_is_set(gc->meta, bit) || bit_is_set(gc->data, bit));
}

bool is_claimed_twice(const struct claims *cl, u64 blkno)
{
	const struct group_claims *gc;
	u32 bit;

	gc = find(cl, blkno, &bit);
	return gc && gc->twice && bit_is_set(gc->twice, bit);
}

/* Repairs need few blocks, so a plain walk from where the last one was found will do */
u64 claims_find_free(struct claims *cl, u32 len, bool meta)
{
	const struct cohfs_super_info *info = &cl->vol->info;
	u64 left = info->blocks - info->first_group;
	u64 blk = max(cl->goal, info->first_group + 1);
	u32 run = 0;

	for (; left; left--, blk++) {
		if (blk >= info->blocks) {
			blk = info->first_group + 1;
			run = 0;
		}
		run = is_claimed(cl, blk) || !volume_extent_ok(cl->vol, blk, 1) ? 0 : run + 1;
		if (run < len)
			continue;
		blk -= len - 1;
		cl->goal = blk + len;
		if (meta)
			claim_meta(cl, blk, len);
		else
			claim_data(cl, blk, len);
		return blk;
	}
	return 0;
}
