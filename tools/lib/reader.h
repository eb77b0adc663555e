/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading files and directories of an undamaged filesystem; what is damaged is reported
 * and passed over.  Phrases as those of cohfs_check_block().
 */
#ifndef _COHFS_TOOLS_READER_H
#define _COHFS_TOOLS_READER_H

#include "../../fs/core/dirleaf.h"
#include "../../fs/core/mapblock.h"
#include "volume.h"

/**
 * struct reader - what to do with what is found; callbacks may be NULL
 * @node: a block of a map
 * @extent: a record of a leaf of it
 * @name: an entry of a directory; @leaf is the block that it is in
 * @damage: @blkno is not what it should be
 */
struct reader {
	struct volume *vol;
	void *arg;
	void (*node)(struct reader *rd, u64 blkno, const struct cohfs_map_block *mb);
	void (*extent)(struct reader *rd, const struct cohfs_extent *ext);
	void (*leaf)(struct reader *rd, const struct cohfs_extent *ext,
		     const struct cohfs_dirleaf *leaf);
	void (*name)(struct reader *rd, const struct cohfs_dirview *view);
	void (*damage)(struct reader *rd, u64 blkno, const char *why);
};

/** reader_map() - in the order of keys; an absent root is an empty map */
void reader_map(struct reader *rd, u64 ino, u32 generation);
/** reader_dir() - its leaves and names; the map is walked with @rd->node as well */
void reader_dir(struct reader *rd, u64 ino, u32 generation);
/** reader_look_up() - a name in a directory; false if it is not there */
bool reader_look_up(struct volume *vol, u64 dir, u32 generation, const char *name,
		    size_t len, struct cohfs_dirtarget *target);

#endif /* _COHFS_TOOLS_READER_H */
