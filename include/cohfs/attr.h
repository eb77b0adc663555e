/* SPDX-License-Identifier: GPL-2.0-only */
/* Attributes of an inode in host order, between VFS, disk and value blocks. */
#ifndef _COHFS_ATTR_H
#define _COHFS_ATTR_H

#include <cohfs/types.h>

struct cohfs_ts {
	s64 sec;
	u32 nsec;
};

/**
 * struct cohfs_attr - what stat(2) and the inode cache need to know
 * @time_gen: bumped by utimes and truncate
 * @orphan_slot: 1 + slot whose orphan directory lists the inode, or 0
 */
struct cohfs_attr {
	u32 mode;
	u32 uid;
	u32 gid;
	u32 nlink;
	u64 size;
	u64 blocks;
	struct cohfs_ts atime;
	struct cohfs_ts mtime;
	struct cohfs_ts ctime;
	struct cohfs_ts btime;
	u32 time_gen;
	u32 flags;
	u64 rdev;
	u32 generation;
	u32 orphan_slot;
};

#endif /* _COHFS_ATTR_H */
