/* SPDX-License-Identifier: GPL-2.0-only */
/* One block, readable. */
#ifndef _COHFS_DUMP_SHOW_H
#define _COHFS_DUMP_SHOW_H

#include "../../fs/core/dirleaf.h"
#include "../../fs/core/mapblock.h"
#include "../lib/volume.h"

void show_super(const struct cohfs_super *s);
void show_slot(const struct cohfs_slot *sl);
/** show_group() - with the free runs if @runs, else a line */
void show_group(const struct cohfs_group *g, bool runs);
void show_inode(const struct cohfs_dinode *di);
void show_mapblock(const struct cohfs_map_block *mb);
void show_dirleaf(const struct cohfs_dirleaf *leaf);
void show_name(const struct cohfs_dirview *view);
/** show_block() - whatever its header says it is; anything else in hex */
void show_block(const union block *buf, u64 blkno);

/** show_mode() - as ls does; @text: 11 bytes */
void show_mode(u32 mode, char *text);

#endif /* _COHFS_DUMP_SHOW_H */
