/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One block of a map: search and change of its sorted record array.  Pure code;
 * fs/map.c makes a tree of it.  Blocks have passed cohfs_check_block().
 */
#ifndef _COHFS_CORE_MAPBLOCK_H
#define _COHFS_CORE_MAPBLOCK_H

#include <linux/cohfs_ondisk.h>
#include <cohfs/types.h>

#define COHFS_MAP_KEY_MAX ((1ULL << 55) - 1)	/* a name hash; files: 2^51 - 1 */

/** struct cohfs_extent - one record in host order; blk 0 = hole */
struct cohfs_extent {
	u64 key;	/* first logical block, or hash; nodes: lowest key below */
	u64 blk;	/* first physical block; nodes: child */
	u32 len;	/* blocks; nodes: 0 */
	u32 flags;	/* COHFS_REC_* */
};

static inline u32 cohfs_mapblock_count(const struct cohfs_map_block *mb)
{
	return le16_to_cpu(mb->m_count);
}

static inline u32 cohfs_mapblock_level(const struct cohfs_map_block *mb)
{
	return le16_to_cpu(mb->m_level);
}

static inline bool cohfs_mapblock_full(const struct cohfs_map_block *mb)
{
	return cohfs_mapblock_count(mb) >= COHFS_MAP_RECS;
}

/** cohfs_mapblock_get() - record @i, which must be below the count */
void cohfs_mapblock_get(const struct cohfs_map_block *mb, u32 i,
			struct cohfs_extent *ext);

/** cohfs_mapblock_search() - index of the last record with a key <= @key, or -1 */
int cohfs_mapblock_search(const struct cohfs_map_block *mb, u64 key);

/** cohfs_mapblock_put() - open a gap at @i <= count and store; needs room */
void cohfs_mapblock_put(struct cohfs_map_block *mb, u32 i,
			const struct cohfs_extent *ext);
/** cohfs_mapblock_del() - close the gap at @i */
void cohfs_mapblock_del(struct cohfs_map_block *mb, u32 i);
/** cohfs_mapblock_set_key() - change the key of record @i; order must be kept */
void cohfs_mapblock_set_key(struct cohfs_map_block *mb, u32 i, u64 key);

/**
 * cohfs_mapblock_insert() - add a record to a leaf
 * @end: first key that no record of this leaf may reach (next leaf's first), or
 *	COHFS_MAP_KEY_MAX + 1
 * @merge: join with a neighbour that continues it on both sides of the mapping
 * Return: 0; -EEXIST: overlaps a record or @end; -ENOSPC: full, split it first.
 */
int __must_check cohfs_mapblock_insert(struct cohfs_map_block *mb,
				       const struct cohfs_extent *ext, u64 end,
				       bool merge);

/**
 * cohfs_mapblock_remove() - remove @ext, which lies within one record of a leaf
 *
 * Trims the record, deletes it, or leaves its two ends.
 * Return: 0; -ENOENT: no record maps @ext like this; -ENOSPC: the record would
 * become two and the block is full, split it first.
 */
int __must_check cohfs_mapblock_remove(struct cohfs_map_block *mb,
				       const struct cohfs_extent *ext);

/**
 * cohfs_mapblock_split_at() - how many records of a full block stay when a record
 * is to go in at @i
 *
 * Half, but all except one for an insertion at the end: files grow there, and
 * would leave a trail of half-empty blocks.
 */
u32 cohfs_mapblock_split_at(const struct cohfs_map_block *mb, u32 i);

/**
 * cohfs_mapblock_split() - move the records from @at on to @upper
 * @upper: header filled, rest zero; gets the level, too
 */
void cohfs_mapblock_split(struct cohfs_map_block *lower,
			  struct cohfs_map_block *upper, u32 at);

#endif /* _COHFS_CORE_MAPBLOCK_H */
