// SPDX-License-Identifier: GPL-2.0-only
/*
 * The record array of one map block.  Nothing here knows of other blocks: what
 * does not fit is reported, and fs/map.c splits.
 */
#include "mapblock.h"

void cohfs_mapblock_get(const struct cohfs_map_block *mb, u32 i,
			struct cohfs_extent *ext)
{
	const struct cohfs_map_rec *rec = &mb->m_rec[i];

	ext->key = le64_to_cpu(rec->r_key);
	ext->blk = le64_to_cpu(rec->r_blk);
	ext->len = le32_to_cpu(rec->r_len);
	ext->flags = le32_to_cpu(rec->r_flags);
}

static void store(struct cohfs_map_block *mb, u32 i, const struct cohfs_extent *ext)
{
	struct cohfs_map_rec *rec = &mb->m_rec[i];

	rec->r_key = cpu_to_le64(ext->key);
	rec->r_blk = cpu_to_le64(ext->blk);
	rec->r_len = cpu_to_le32(ext->len);
	rec->r_flags = cpu_to_le32(ext->flags);
}

static void set_count(struct cohfs_map_block *mb, u32 count)
{
	mb->m_count = cpu_to_le16((u16)count);
}

int cohfs_mapblock_search(const struct cohfs_map_block *mb, u64 key)
{
	int lo = 0;				/* below: keys <= key */
	int hi = (int)cohfs_mapblock_count(mb);	/* from here: keys > key */

	while (lo < hi) {
		int mid = (lo + hi) / 2;

		if (le64_to_cpu(mb->m_rec[mid].r_key) <= key)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo - 1;
}

void cohfs_mapblock_put(struct cohfs_map_block *mb, u32 i,
			const struct cohfs_extent *ext)
{
	u32 count = cohfs_mapblock_count(mb);

	if (WARN_ON_ONCE(count >= COHFS_MAP_RECS || i > count))
		return;
	memmove(&mb->m_rec[i + 1], &mb->m_rec[i], (count - i) * sizeof(mb->m_rec[0]));
	store(mb, i, ext);
	set_count(mb, count + 1);
}

void cohfs_mapblock_del(struct cohfs_map_block *mb, u32 i)
{
	u32 count = cohfs_mapblock_count(mb);

	if (WARN_ON_ONCE(i >= count || count > COHFS_MAP_RECS))
		return;
	memmove(&mb->m_rec[i], &mb->m_rec[i + 1],
		(count - i - 1) * sizeof(mb->m_rec[0]));
	memset(&mb->m_rec[count - 1], 0, sizeof(mb->m_rec[0]));
	set_count(mb, count - 1);
}

void cohfs_mapblock_set_key(struct cohfs_map_block *mb, u32 i, u64 key)
{
	mb->m_rec[i].r_key = cpu_to_le64(key);
}

/* Does @b go on where @a ends, in the file and on disk? */
static bool continues(const struct cohfs_extent *a, const struct cohfs_extent *b)
{
	return a->key + a->len == b->key && a->blk + a->len == b->blk &&
	       a->flags == b->flags && a->len <= U32_MAX - b->len;
}

/* @prev at @i, @next at @i + 1 or absent: join what continues with @ext */
static bool try_merge(struct cohfs_map_block *mb, int i, const struct cohfs_extent *ext)
{
	struct cohfs_extent prev, next, sum = *ext;
	bool left = false, right = false;

	if (i >= 0) {
		cohfs_mapblock_get(mb, (u32)i, &prev);
		left = continues(&prev, &sum);
		if (left) {
			sum = prev;
			sum.len += ext->len;
		}
	}
	if ((u32)(i + 1) < cohfs_mapblock_count(mb)) {
		cohfs_mapblock_get(mb, (u32)(i + 1), &next);
		right = continues(&sum, &next);
		if (right)
			sum.len += next.len;
	}
	if (!left && !right)
		return false;
	store(mb, (u32)(left ? i : i + 1), &sum);
	if (left && right)
		cohfs_mapblock_del(mb, (u32)(i + 1));
	return true;
}

int cohfs_mapblock_insert(struct cohfs_map_block *mb, const struct cohfs_extent *ext,
			  u64 end, bool merge)
{
	int i = cohfs_mapblock_search(mb, ext->key);
	struct cohfs_extent near;

	if (i >= 0) {
		cohfs_mapblock_get(mb, (u32)i, &near);
		if (ext->key - near.key < near.len)
			return -EEXIST;
	}
	if ((u32)(i + 1) < cohfs_mapblock_count(mb)) {
		cohfs_mapblock_get(mb, (u32)(i + 1), &near);
		end = near.key;
	}
	if (end <= ext->key || end - ext->key < ext->len)
		return -EEXIST;
	if (merge && try_merge(mb, i, ext))
		return 0;
	if (cohfs_mapblock_full(mb))
		return -ENOSPC;
	cohfs_mapblock_put(mb, (u32)(i + 1), ext);
	return 0;
}

int cohfs_mapblock_remove(struct cohfs_map_block *mb, const struct cohfs_extent *ext)
{
	int i = cohfs_mapblock_search(mb, ext->key);
	struct cohfs_extent rec, tail;
	u64 skip;

	if (i < 0)
		return -ENOENT;
	cohfs_mapblock_get(mb, (u32)i, &rec);
	skip = ext->key - rec.key;
	if (!ext->len || skip >= rec.len || ext->len > rec.len - skip ||
	    ext->blk != rec.blk + skip)
		return -ENOENT;

	tail = rec;
	tail.key = ext->key + ext->len;
	tail.blk = ext->blk + ext->len;
	tail.len = rec.len - (u32)skip - ext->len;
	if (skip && tail.len && cohfs_mapblock_full(mb))
		return -ENOSPC;

	rec.len = (u32)skip;
	if (rec.len)
		store(mb, (u32)i, &rec);
	if (rec.len && tail.len)
		cohfs_mapblock_put(mb, (u32)(i + 1), &tail);
	else if (tail.len)
		store(mb, (u32)i, &tail);
	else if (!rec.len)
		cohfs_mapblock_del(mb, (u32)i);
	return 0;
}

u32 cohfs_mapblock_split_at(const struct cohfs_map_block *mb, u32 i)
{
	u32 count = cohfs_mapblock_count(mb);

	return i >= count && count ? count - 1 : count / 2;
}

void cohfs_mapblock_split(struct cohfs_map_block *lower,
			  struct cohfs_map_block *upper, u32 at)
{
	u32 count = cohfs_mapblock_count(lower);

	if (WARN_ON_ONCE(at > count || count > COHFS_MAP_RECS))
		return;
	upper->m_level = lower->m_level;
	memcpy(upper->m_rec, &lower->m_rec[at], (count - at) * sizeof(upper->m_rec[0]));
	memset(&lower->m_rec[at], 0, (count - at) * sizeof(lower->m_rec[0]));
	set_count(upper, count - at);
	set_count(lower, at);
}
