/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Maps on disk: a B+tree per inode, rooted at block ino + 1.  For files keys are
 * logical blocks, for directories lowest name hashes of the leaves.
 *
 * The caller holds the lock that owns @set (M for files, I for directories), EX
 * for changes, and the inode's map mutex.
 */
#ifndef _COHFS_MAP_H
#define _COHFS_MAP_H

#include <linux/cohfs_ondisk.h>
#include <linux/jbd2.h>
#include "alloc.h"
#include "core/mapblock.h"	/* struct cohfs_extent */
#include "metaio.h"

struct cohfs_sb;

struct cohfs_map {
	struct cohfs_sb *cs;
	struct cohfs_metaset *set;
	u64 ino;
	u32 generation;
};

/**
 * cohfs_map_find() - the record with the largest key <= @key
 * Return: 0 with @ext; -ENOENT if there is none; -EIO, -EFSCORRUPTED.
 */
int cohfs_map_find(struct cohfs_map *map, u64 key, struct cohfs_extent *ext);
/** cohfs_map_next() - the record with the smallest key >= @key; as above */
int cohfs_map_next(struct cohfs_map *map, u64 key, struct cohfs_extent *ext);
/** cohfs_map_last() - the record with the largest key */
int cohfs_map_last(struct cohfs_map *map, struct cohfs_extent *ext);

/**
 * cohfs_map_insert_credits(), cohfs_map_insert_blocks() - what one insert may need
 * at most: blocks to journal (the bitmaps of new blocks not included, see
 * struct cohfs_resv), and new blocks.  Negative errno from the first when the root
 * cannot be read.
 */
int cohfs_map_insert_credits(struct cohfs_map *map);
u32 cohfs_map_insert_blocks(struct cohfs_map *map);

/**
 * cohfs_map_insert() - add a record; merges with neighbours where it can (files)
 * @resv: where to get blocks for splits from
 * @merge: files: try to merge with the neighbour extents
 * Return: 0; mapping unchanged: -EEXIST (overlap), -ENOSPC, -EFBIG (tree too high);
 * -EIO, -EFSCORRUPTED.
 */
int cohfs_map_insert(handle_t *handle, struct cohfs_map *map,
		     struct cohfs_resv *resv, const struct cohfs_extent *ext,
		     bool merge);

/**
 * cohfs_map_remove_plan() - collect the blocks whose groups must be locked to
 * remove (part of) the record that ends last in [@first, @last]
 * @ext: the part to remove next: within one record, within [@first, @last], and
 *	within one group
 * @blocks: filled with @ext's first block and map blocks that may be freed, at
 *	most COHFS_RESV_GROUPS
 * Return: number of entries in @blocks, 0 when nothing is left in the range.
 */
int cohfs_map_remove_plan(struct cohfs_map *map, u64 first, u64 last,
			  struct cohfs_extent *ext, u64 *blocks);
#define COHFS_MAP_REMOVE_CREDITS (2 * (COHFS_MAP_MAX_LEVEL + 1) + 2)

/**
 * cohfs_map_remove() - remove exactly @ext (may split a record), free emptied map
 * blocks.  The data blocks themselves are freed by the caller.
 * @resv: group locks; a split that needs a new map block takes it from there
 * Return: 0; mapping unchanged: -ENOENT (no record maps @ext like this), -ENOSPC
 * (only when a record is split); -EIO, -EFSCORRUPTED.
 */
int cohfs_map_remove(handle_t *handle, struct cohfs_map *map,
		     struct cohfs_resv *resv, const struct cohfs_extent *ext);

/** cohfs_map_blocks() - m_blocks of the root (0 for an empty map) */
int cohfs_map_blocks(struct cohfs_map *map, u64 *blocks);
/** cohfs_map_count() - add @delta data blocks to m_blocks (root in transaction) */
int cohfs_map_count(handle_t *handle, struct cohfs_map *map, s64 delta);

#endif /* _COHFS_MAP_H */
