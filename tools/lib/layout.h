/* SPDX-License-Identifier: GPL-2.0-only */
/* What goes where on a new filesystem: arithmetic only, no I/O. */
#ifndef _COHFS_TOOLS_LAYOUT_H
#define _COHFS_TOOLS_LAYOUT_H

#include <linux/cohfs_ondisk.h>
#include <cohfs/core_env.h>

/**
 * struct layout - decided by layout_compute(), in blocks
 * @journal_blocks: 0 on entry: choose
 * @blocks: may be a little less than the device has
 * @super_copy: far enough from the superblock for one mishap not to hit both
 * @orphan_ino: orphan directory of each slot, in the slot's part of the device
 */
struct layout {
	u32 slots;
	u32 journal_blocks;
	u64 blocks;
	u64 first_slot;
	u64 first_journal;
	u64 first_group;
	u32 groups;
	u64 free;
	u64 root_ino;
	u64 super_copy;
	u64 orphan_ino[COHFS_MAX_SLOTS];
};

/**
 * layout_compute() - fill in everything from @slots, @journal_blocks and the size
 * Return: 0, or the smallest size in bytes that would do (a huge number if the
 * device is too big).
 */
u64 layout_compute(struct layout *l, u64 bytes);

u32 layout_group_blocks(const struct layout *l, u32 group);
u64 layout_group_first(const struct layout *l, u32 group);
/** layout_group_used() - blocks in use from the group's first on */
u32 layout_group_used(const struct layout *l, u32 group);

/**
 * layout_orphan_ino() - where the orphan directory of @slot is, in the slot's part of
 * the device; of @l it needs the geometry and @super_copy
 */
u64 layout_orphan_ino(const struct layout *l, u32 slot);

#endif /* _COHFS_TOOLS_LAYOUT_H */
