// SPDX-License-Identifier: GPL-2.0-only
/* Is what was not damaged still there? */
#include <stdarg.h>
#include "../../fs/core/dirhash.h"
#include "../../tools/lib/mem.h"
#include "../../tools/lib/reader.h"
#include "core_test.h"
#include "fsck_compare.h"

#define MESSAGES 6

/**
 * struct comparison - one compare_model()
 * @reached: inode -> names that lead to it
 * @names: name_key() of each name -> inode
 * @dir: the directory being read
 * @queue: directories to be read
 */
struct comparison {
	const u8 *damaged;
	u32 different;
	struct volume vol;
	struct numtab reached;
	struct numtab names;
	u64 dir;
	u64 *queue;
	size_t count;
	size_t room;
};

static __printf(2, 3) void differs(struct comparison *c, const char *fmt, ...)
{
	va_list ap;

	if (c->different++ >= MESSAGES)
		return;
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

static bool hit(const struct comparison *c, u64 blkno)
{
	return c->damaged && c->damaged[blkno];
}

/* Was any metadata of the inode hit? */
static bool inode_hit(const struct comparison *c, const struct model_inode *mi)
{
	u32 i;

	if (hit(c, mi->ino) || hit(c, mi->ino + 1))
		return true;
	for (i = 0; i < mi->nblks; i++)
		if (hit(c, mi->blks[i]))
			return true;
	return false;
}

/* What can be reached ------------------------------------------------------------------ */

/* 64 bits are enough to tell some thousand names apart */
static u64 name_key(u64 dir, const u8 *name, u32 len)
{
	u8 key[16] = { 0 };

	put_unaligned_le64(dir, key);
	return cohfs_siphash(key, name, len) | 1;
}

static void reach(struct reader *rd, const struct cohfs_dirview *view)
{
	struct comparison *c = rd->arg;
	u64 names = 0;

	numtab_put(&c->names, name_key(c->dir, view->name, view->name_len),
		   view->target.ino);

	numtab_get(&c->reached, view->target.ino, &names);
	numtab_put(&c->reached, view->target.ino, names + 1);
	if (view->target.type != MODEL_DIR || names)
		return;
	c->queue = mem_grow(c->queue, c->count, &c->room, sizeof(*c->queue));
	c->queue[c->count++] = view->target.ino;
}

static u32 generation_at(u64 ino)
{
	return le32_to_cpu(((struct cohfs_block_header *)disk_block(ino))->bh_generation);
}

static void damage(struct reader *rd, u64 blkno, const char *why)
{
	differs(rd->arg, "block %llu: %s", blkno, why);
}

static void reach_all(struct comparison *c)
{
	struct reader rd = { .vol = &c->vol, .arg = c, .name = reach, .damage = damage };
	u64 root = c->vol.info.root_ino;
	size_t i;

	c->dir = root;
	reader_dir(&rd, root, generation_at(root));
	for (i = 0; i < c->count; i++) {
		c->dir = c->queue[i];
		reader_dir(&rd, c->dir, generation_at(c->dir));
	}
}

/* Inodes ------------------------------------------------------------------------------------ */

/** struct file - contents being compared */
struct file {
	struct comparison *c;
	const struct model_inode *mi;
	u32 ext;	/* in the model */
	u32 off;	/* blocks of it that were compared */
};

static void compare_block(struct file *file, u64 key, u64 blk)
{
	const struct cohfs_extent *ext;
	u64 was;

	while (file->ext < file->mi->exts &&
	       file->off == file->mi->ext[file->ext].len) {
		file->ext++;
		file->off = 0;
	}
	if (file->ext == file->mi->exts) {
		differs(file->c, "inode %llu: a block too many at %llu",
			file->mi->ino, key);
		return;
	}
	ext = &file->mi->ext[file->ext];
	was = ext->blk + file->off;
	if (key != ext->key + file->off)
		differs(file->c, "inode %llu: block %llu where %llu was",
			file->mi->ino, key,
			(ext->key + file->off));
	file->off++;
	if (!hit(file->c, was) && memcmp(disk_block(blk), disk.truth +
					 (was << COHFS_BLOCK_SHIFT), COHFS_BLOCK_SIZE))
		differs(file->c, "inode %llu: contents of block %llu",
			file->mi->ino, key);
}

static void compare_extent(struct reader *rd, const struct cohfs_extent *ext)
{
	u32 i;

	for (i = 0; i < ext->len; i++)
		compare_block(rd->arg, ext->key + i, ext->blk + i);
}

static void file_damage(struct reader *rd, u64 blkno, const char *why)
{
	differs(((struct file *)rd->arg)->c, "block %llu: %s", blkno, why);
}

static void compare_contents(struct comparison *c, const struct model_inode *mi)
{
	struct file file = { .c = c, .mi = mi };
	struct reader rd = {
		.vol = &c->vol, .arg = &file, .extent = compare_extent,
		.damage = file_damage,
	};
	u32 blocks = 0, i;

	reader_map(&rd, mi->ino, mi->generation);
	for (i = 0; i < file.ext; i++)
		blocks += mi->ext[i].len;
	blocks += file.off;
	for (i = 0; i < mi->exts; i++)
		blocks -= mi->ext[i].len;
	if (blocks)
		differs(c, "inode %llu: blocks are missing", mi->ino);
}

/* Links and block counts may be corrected, the rest is the owner's */
static void compare_attributes(struct comparison *c, const struct model_inode *mi)
{
	const struct cohfs_dinode *is = disk_block(mi->ino);
	const struct cohfs_dinode *was = (const void *)(disk.truth +
							(mi->ino << COHFS_BLOCK_SHIFT));
	bool dir = mi->mode >> 12 == MODEL_DIR;

	if (is->i_mode != was->i_mode || is->i_uid != was->i_uid || is->i_gid != was->i_gid ||
	    (!dir && is->i_size != was->i_size) || is->i_rdev != was->i_rdev ||
	    memcmp(&is->i_mtime, &was->i_mtime, sizeof(is->i_mtime)) ||
	    memcmp(is->i_inline, was->i_inline, sizeof(is->i_inline)) ||
	    is->i_hdr.bh_generation != was->i_hdr.bh_generation)
		differs(c, "inode %llu: attributes", mi->ino);
}

static bool group_hit(const struct comparison *c, const struct model_inode *mi)
{
	u32 group = 0, bit;

	volume_locate(&c->vol, mi->ino, &group, &bit);
	return hit(c, volume_group_blkno(&c->vol, group));
}

/*
 * Neither a name nor the bitmap may know of it any more: a directory that names it was hit,
 * or may be lost itself, though it was not hit.
 */
static bool may_be_lost(const struct comparison *c, const struct model_inode *mi)
{
	const struct model_inode *dir;
	u32 i;

	if (mi->system || !group_hit(c, mi))
		return false;
	for (i = 0; i < model.names; i++) {
		dir = model_find(model.name[i].dir);
		if (model.name[i].ino == mi->ino && (inode_hit(c, dir) || may_be_lost(c, dir)))
			return true;
	}
	return false;
}

/* A name leads to it; not to another one, made where nobody knew of it any more */
static bool is_reached(const struct comparison *c, const struct model_inode *mi)
{
	const struct cohfs_dinode *is = disk_block(mi->ino);
	const struct cohfs_dinode *was = (const void *)(disk.truth +
							(mi->ino << COHFS_BLOCK_SHIFT));
	u64 names;

	return numtab_get(&c->reached, mi->ino, &names) &&
	       is->i_hdr.bh_generation == was->i_hdr.bh_generation;
}

static void compare_inode(struct comparison *c, const struct model_inode *mi)
{
	if (inode_hit(c, mi) || mi->slot >= 0)
		return;
	if (!mi->system && !is_reached(c, mi)) {
		if (may_be_lost(c, mi))
			return;
		differs(c, "inode %llu: no name leads to it", mi->ino);
		return;
	}
	compare_attributes(c, mi);
	if (mi->mode >> 12 == MODEL_REG)
		compare_contents(c, mi);
}

/* Names ---------------------------------------------------------------------------------------- */

static void compare_name(struct comparison *c, const struct model_name *mn)
{
	const struct model_inode *dir = model_find(mn->dir), *mi = model_find(mn->ino);
	u64 ino;

	/* whether the directory may be unreachable was judged with the inodes */
	if (!dir->system && !is_reached(c, dir))
		return;
	if (inode_hit(c, dir) || inode_hit(c, mi) || mi->slot >= 0)
		return;
	if (!numtab_get(&c->names, name_key(mn->dir, mn->name, mn->len), &ino))
		differs(c, "directory %llu: name \"%s\" is missing",
			mn->dir, mn->name);
	else if (ino != mn->ino)
		differs(c, "directory %llu: name \"%s\" of another inode",
			mn->dir, mn->name);
}

u32 compare_model(const u8 *damaged)
{
	struct comparison c = { .damaged = damaged, .vol = model.vol };
	u32 i;

	reach_all(&c);
	for (i = 0; i < model.inodes; i++)
		compare_inode(&c, &model.inode[i]);
	for (i = 0; i < model.names; i++)
		compare_name(&c, &model.name[i]);
	numtab_free(&c.reached);
	numtab_free(&c.names);
	free(c.queue);
	return c.different;
}
