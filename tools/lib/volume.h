/* SPDX-License-Identifier: GPL-2.0-only */
/* A cohfs filesystem on an image: where things are, and reading them verified. */
#ifndef _COHFS_TOOLS_VOLUME_H
#define _COHFS_TOOLS_VOLUME_H

#include "../../fs/core/check.h"
#include "../../fs/core/logwalk.h"
#include "image.h"

/** union block - room for any block, aligned for all of them */
union block {
	u8 bytes[COHFS_BLOCK_SIZE];
	struct cohfs_block_header hdr;
	struct cohfs_super super;
	struct cohfs_slot slot;
	struct cohfs_group group;
	struct cohfs_dinode inode;
	struct cohfs_map_block map;
	struct cohfs_dirleaf leaf;
};

struct volume {
	struct image *img;
	struct cohfs_super_info info;
};

/**
 * volume_find() - the superblock, or if it is not to be used, a copy of it
 * @blkno: set to where it was found
 * @why: set to what is wrong with the superblock, NULL if nothing is
 * Return: 0; -EINVAL: no cohfs here; -EOPNOTSUPP: unknown features; -EFSCORRUPTED:
 * there is one, but neither it nor a copy can be used.
 */
int volume_find(struct volume *vol, struct image *img, u64 *blkno, const char **why);

/** volume_read() - Return: NULL, or what is wrong with the block, a phrase */
const char *volume_read(struct volume *vol, u64 blkno, unsigned int type, u64 owner,
			union block *buf);

/** volume_bytes_ok() - does the device have all the blocks of the filesystem? */
static inline bool volume_fits(const struct volume *vol)
{
	return vol->info.blocks <= vol->img->blocks;
}

/** volume_locate() - group and place in it; false if @blkno is in no group */
bool volume_locate(const struct volume *vol, u64 blkno, u32 *group, u32 *bit);
/** volume_extent_ok() - may these blocks belong to an inode? */
bool volume_extent_ok(const struct volume *vol, u64 blkno, u64 len);

static inline u64 volume_group_blkno(const struct volume *vol, u32 group)
{
	return vol->info.first_group + (u64)group * COHFS_GROUP_BLOCKS;
}

static inline u64 volume_journal_blkno(const struct volume *vol, u32 slot)
{
	return vol->info.first_journal + (u64)slot * vol->info.journal_blocks;
}

static inline struct cohfs_log_places volume_log_places(const struct volume *vol)
{
	return (struct cohfs_log_places) {
		.first_slot = vol->info.first_slot, .slots = vol->info.slots,
		.first_group = vol->info.first_group, .blocks = vol->info.blocks,
		.copy = vol->info.copy,
	};
}

static inline bool bit_is_set(const u8 *map, u32 bit)
{
	return map[bit / 8] >> (bit & 7) & 1;
}

#endif /* _COHFS_TOOLS_VOLUME_H */
