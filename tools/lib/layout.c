// SPDX-License-Identifier: GPL-2.0-only
/* What goes where on a new filesystem. */
#include "../../fs/core/check.h"
#include "layout.h"

#define ALIGN_BLOCKS	256u	/* areas begin at multiples of 1 MiB */
#define MIN_SPACE	4096u	/* smallest area of groups: 16 MiB */
#define MIN_GROUP	256u	/* a shorter last group is left out */
#define MAX_JOURNAL	8192u	/* default journal: 32 MiB at most ... */
#define JOURNAL_SHARE	8u	/* ... and all of them an eighth of the device */

static u32 default_journal(u64 blocks, u32 slots)
{
	u64 share = blocks / JOURNAL_SHARE / slots;

	share = share / ALIGN_BLOCKS * ALIGN_BLOCKS;
	return (u32)clamp_t(u64, share, COHFS_MIN_JOURNAL_BLOCKS, MAX_JOURNAL);
}

/* In which group slot @slot has its part of the device, as fs/alloc.c sees it */
static u32 home_group(const struct layout *l, u32 slot)
{
	return (u32)((u64)slot * l->groups / l->slots);
}

u64 layout_group_first(const struct layout *l, u32 group)
{
	return l->first_group + (u64)group * COHFS_GROUP_BLOCKS;
}

u32 layout_group_blocks(const struct layout *l, u32 group)
{
	return (u32)min_t(u64, l->blocks - layout_group_first(l, group),
			  COHFS_GROUP_BLOCKS);
}

/*
 * The group block; in group 0 the root and the copy of the superblock; and the orphan
 * directories of @slots slots
 */
static u32 used_by(const struct layout *l, u32 group, u32 slots)
{
	u32 used = group ? 1 : l->super_copy ? 4 : 3;
	u32 s;

	for (s = 0; s < slots; s++)
		if (home_group(l, s) == group)
			used += 2;
	return used;
}

u32 layout_group_used(const struct layout *l, u32 group)
{
	return used_by(l, group, l->slots);
}

u64 layout_orphan_ino(const struct layout *l, u32 slot)
{
	u32 home = home_group(l, slot);

	return layout_group_first(l, home) + used_by(l, home, slot);
}

static void place_inodes(struct layout *l)
{
	u32 s;

	l->root_ino = l->first_group + 1;
	l->super_copy = l->root_ino + 2;
	for (s = 0; s < l->slots; s++)
		l->orphan_ino[s] = layout_orphan_ino(l, s);
	l->free = l->blocks - l->first_group - l->groups - 3 - 2ULL * l->slots;
}

u64 layout_compute(struct layout *l, u64 bytes)
{
	u64 space, groups;

	l->blocks = bytes >> COHFS_BLOCK_SHIFT;
	if (!l->journal_blocks)
		l->journal_blocks = default_journal(l->blocks, l->slots);
	l->first_slot = COHFS_SUPER_BLKNO + 1;
	l->first_journal = round_up(l->first_slot + l->slots, (u64)ALIGN_BLOCKS);
	l->first_group = round_up(l->first_journal + (u64)l->slots * l->journal_blocks,
				  (u64)ALIGN_BLOCKS);
	if (l->blocks < l->first_group + MIN_SPACE)
		return (l->first_group + MIN_SPACE) << COHFS_BLOCK_SHIFT;
	if (l->blocks > COHFS_MAX_BLOCKS)
		return U64_MAX;
	space = l->blocks - l->first_group;
	if (space % COHFS_GROUP_BLOCKS < MIN_GROUP && space > COHFS_GROUP_BLOCKS)
		space -= space % COHFS_GROUP_BLOCKS;
	groups = DIV_ROUND_UP(space, COHFS_GROUP_BLOCKS);
	if (groups > U32_MAX)
		return U64_MAX;
	l->groups = (u32)groups;
	l->blocks = l->first_group + space;
	place_inodes(l);
	return 0;
}
