// SPDX-License-Identifier: GPL-2.0-only
/* Reading files and directories. */
#include "reader.h"

static void damage(struct reader *rd, u64 blkno, const char *why)
{
	if (rd->damage)
		rd->damage(rd, blkno, why);
}

/* Is there a root of this generation?  If not the map is empty. */
static bool root_present(const union block *buf, const struct volume *vol, u64 ino,
			 u32 generation)
{
	return le32_to_cpu(buf->hdr.bh_magic) == COHFS_MAGIC &&
	       le16_to_cpu(buf->hdr.bh_type) == COHFS_BT_MAP &&
	       le64_to_cpu(buf->hdr.bh_blkno) == ino + 1 &&
	       le64_to_cpu(buf->hdr.bh_owner) == ino &&
	       le32_to_cpu(buf->hdr.bh_generation) == generation &&
	       !memcmp(buf->hdr.bh_fsid, vol->info.fsid, sizeof(buf->hdr.bh_fsid));
}

/* The level falls with each step, so this ends on any image */
static void walk_node(struct reader *rd, u64 ino, u64 blkno, const struct cohfs_map_block *mb)
{
	u32 level = cohfs_mapblock_level(mb);
	struct cohfs_extent ext;
	union block child;
	const char *why;
	u32 i;

	if (rd->node)
		rd->node(rd, blkno, mb);
	for (i = 0; i < cohfs_mapblock_count(mb); i++) {
		cohfs_mapblock_get(mb, i, &ext);
		if (!level) {
			if (rd->extent)
				rd->extent(rd, &ext);
			continue;
		}
		why = volume_read(rd->vol, ext.blk, COHFS_BT_MAP, ino, &child);
		if (!why && child.hdr.bh_generation != mb->m_hdr.bh_generation)
			why = "generation";
		if (!why && cohfs_mapblock_level(&child.map) != level - 1)
			why = "level";
		if (why)
			damage(rd, ext.blk, why);
		else
			walk_node(rd, ino, ext.blk, &child.map);
	}
}

void reader_map(struct reader *rd, u64 ino, u32 generation)
{
	const char *why;
	union block buf;

	if (image_read(rd->vol->img, ino + 1, &buf)) {
		damage(rd, ino + 1, "cannot be read");
		return;
	}
	if (!root_present(&buf, rd->vol, ino, generation))
		return;
	why = cohfs_check_block(&buf, COHFS_BT_MAP, ino + 1, rd->vol->info.fsid, ino);
	if (why)
		damage(rd, ino + 1, why);
	else
		walk_node(rd, ino, ino + 1, &buf.map);
}

/* Directories ------------------------------------------------------------------ */

/** struct dirwalk - reader_dir() between the caller and the walk over the map */
struct dirwalk {
	struct reader *rd;
	u64 ino;
	u32 generation;
};

static void walk_leaf(struct reader *map, const struct cohfs_extent *ext)
{
	struct dirwalk *dw = map->arg;
	struct reader *rd = dw->rd;
	struct cohfs_dirview view;
	const char *why;
	union block buf;
	u64 key = 0;

	why = volume_read(rd->vol, ext->blk, COHFS_BT_DIRLEAF, dw->ino, &buf);
	if (!why && le32_to_cpu(buf.hdr.bh_generation) != dw->generation)
		why = "generation";
	if (why) {
		damage(rd, ext->blk, why);
		return;
	}
	if (rd->leaf)
		rd->leaf(rd, ext, &buf.leaf);
	while (rd->name && cohfs_dirleaf_next(&buf.leaf, key, &view)) {
		key = view.key + 1;
		rd->name(rd, &view);
	}
}

static void pass_node(struct reader *map, u64 blkno, const struct cohfs_map_block *mb)
{
	struct reader *rd = ((struct dirwalk *)map->arg)->rd;

	if (rd->node)
		rd->node(rd, blkno, mb);
}

static void pass_damage(struct reader *map, u64 blkno, const char *why)
{
	damage(((struct dirwalk *)map->arg)->rd, blkno, why);
}

void reader_dir(struct reader *rd, u64 ino, u32 generation)
{
	struct dirwalk dw = { .rd = rd, .ino = ino, .generation = generation };
	struct reader map = {
		.vol = rd->vol,
		.arg = &dw,
		.node = pass_node,
		.extent = walk_leaf,
		.damage = pass_damage,
	};

	reader_map(&map, ino, generation);
}

/** struct search - reader_look_up() */
struct search {
	const char *name;
	size_t len;
	struct cohfs_dirtarget *target;
	bool found;
};

static void compare_name(struct reader *rd, const struct cohfs_dirview *view)
{
	struct search *se = rd->arg;

	if (view->name_len != se->len || memcmp(view->name, se->name, se->len))
		return;
	*se->target = view->target;
	se->found = true;
}

bool reader_look_up(struct volume *vol, u64 dir, u32 generation, const char *name,
		    size_t len, struct cohfs_dirtarget *target)
{
	struct search se = { .name = name, .len = len, .target = target };
	struct reader rd = { .vol = vol, .arg = &se, .name = compare_name };

	reader_dir(&rd, dir, generation);
	return se.found;
}
