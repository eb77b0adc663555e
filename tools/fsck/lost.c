// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is in use but was not reached.
 *
 * Blocks of metadata know what they belong to.  A part of a map or a leaf of names goes
 * back to the inode whose map is known to be incomplete; an inode with links that nobody
 * names goes to lost+found, directories first, since they name others.  An inode or a map
 * block may be left over from a deleted inode, whose blocks are free or others' now: of
 * what it maps something must be in use and unclaimed.
 */
#include "../lib/mem.h"
#include "dir.h"
#include "fsck.h"
#include "inode.h"
#include "lost.h"
#include "walk.h"

/** struct piece - a sound metadata block that nobody has claimed */
struct piece {
	u64 blkno;
	u64 parent;	/* of a directory */
	u16 type;	/* COHFS_BT_* */
	bool dir;
};

struct pieces {
	struct piece *piece;
	size_t count;
	size_t room;
};

/* Finding ------------------------------------------------------------------------------ */

/* Is the block, by its own account, sound and where it should be? */
static bool is_sound(struct fsck *f, u64 blkno, union block *buf)
{
	u32 type;

	if (image_read(f->img, blkno, buf) || le32_to_cpu(buf->hdr.bh_magic) != COHFS_MAGIC)
		return false;
	type = le16_to_cpu(buf->hdr.bh_type);
	if (type != COHFS_BT_INODE && type != COHFS_BT_MAP && type != COHFS_BT_DIRLEAF)
		return false;
	return !cohfs_check_block(buf, type, blkno, f->vol.info.fsid,
				  le64_to_cpu(buf->hdr.bh_owner));
}

static void note_piece(struct fsck *f, struct pieces *all, u64 blkno)
{
	struct piece *piece;
	union block buf;

	if (!is_sound(f, blkno, &buf))
		return;
	if (le16_to_cpu(buf.hdr.bh_type) == COHFS_BT_INODE && !buf.inode.i_nlink)
		return;
	all->piece = mem_grow(all->piece, all->count, &all->room, sizeof(*piece));
	piece = &all->piece[all->count++];
	memset(piece, 0, sizeof(*piece));
	piece->blkno = blkno;
	piece->type = le16_to_cpu(buf.hdr.bh_type);
	if (piece->type != COHFS_BT_INODE)
		return;
	piece->dir = le32_to_cpu(buf.inode.i_mode) >> 12 == TYPE_DIR;
	piece->parent = le64_to_cpu(buf.inode.i_parent);
}

static void find_in_group(struct fsck *f, u32 group, struct pieces *all)
{
	u64 first = volume_group_blkno(&f->vol, group);
	u32 byte, bits;

	for (byte = 0; byte < COHFS_GROUP_BITMAP_BYTES; byte++)
		for (bits = groups_unclaimed(f, group, byte); bits; bits &= bits - 1)
			note_piece(f, all, first + 8 * byte + __ffs64(bits));
}

static void find_pieces(struct fsck *f, struct pieces *all)
{
	u32 group;

	for (group = 0; group < f->vol.info.groups; group++) {
		find_in_group(f, group, all);
		progress_to(f->progress, group);
	}
}

/* Parts of maps, leaves ---------------------------------------------------------------------- */

/* The directory or file that has lost this, if anybody has */
static struct job *loser_of(struct fsck *f, const union block *buf)
{
	struct job *job = jobs_find(&f->jobs, le64_to_cpu(buf->hdr.bh_owner));

	if (!job || !job->incomplete || job->no_names ||
	    job->own.generation != le32_to_cpu(buf->hdr.bh_generation))
		return NULL;
	return job;
}

/* Is some of this in use, and nobody else's as far as is known? */
static bool is_unclaimed(struct fsck *f, u64 blkno, u32 len)
{
	for (; len; len--, blkno++)
		if (!is_claimed(&f->claims, blkno) &&
		    groups_mark(f, blkno) != MARKED_FREE)
			return true;
	return false;
}

static void reuse_leaf(struct fsck *f, u64 blkno, u64 ino, u32 generation)
{
	struct dirscan ds = { .f = f, .ino = ino, .slot = slots_by_dir(f, ino) };
	struct cohfs_extent ext = { .blk = blkno, .len = 1 };
	struct cohfs_dirview view;
	struct leaf leaf;
	bool hashed;
	u32 off = 0;

	if (!leaf_read(&f->vol, blkno, ino, generation, &leaf) ||
	    !claim_meta(&f->claims, blkno, 1))
		return;
	problem(&f->problems, P_LEAF_BLOCK, "directory %llu: leaf %llu found again",
		ino, blkno);
	/* any key will do, so long as no two are the same: it is written anew */
	ext.key = blkno;
	tree_add(&jobs_find(&f->jobs, ino)->tree, &ext);
	while (leaf_next(&f->vol, &leaf, &off, &view, &hashed))
		name_take(&ds, &view, hashed);
}

static void reuse_map(struct fsck *f, u64 blkno, const union block *buf)
{
	struct job *job = loser_of(f, buf);
	struct cohfs_extent ext;
	u32 i;

	if (!job || !claim_meta(&f->claims, blkno, 1))
		return;
	problem(&f->problems, P_MAP_BLOCK, "inode %llu: map block %llu found again",
		job->own.ino, blkno);
	tree_add_block(&job->tree, blkno);
	if (cohfs_mapblock_level(&buf->map) || job->own.dir)
		return;	/* leaves of directories are found one by one */
	for (i = 0; i < cohfs_mapblock_count(&buf->map); i++) {
		cohfs_mapblock_get(&buf->map, i, &ext);
		if (!tree_record_ok(f, false, &ext) ||
		    !is_unclaimed(f, ext.blk, ext.len))
			continue;
		claim_data(&f->claims, ext.blk, ext.len);
		tree_add(&job->tree, &ext);
	}
	tree_sort(&job->tree);
}

static void reuse_pieces(struct fsck *f, const struct pieces *all)
{
	const struct piece *piece;
	union block buf;
	size_t i;

	for (i = 0; i < all->count; i++) {
		piece = &all->piece[i];
		if (piece->type == COHFS_BT_INODE || is_claimed(&f->claims, piece->blkno) ||
		    !is_sound(f, piece->blkno, &buf))
			continue;
		if (piece->type == COHFS_BT_MAP)
			reuse_map(f, piece->blkno, &buf);
		else if (loser_of(f, &buf))
			reuse_leaf(f, piece->blkno, le64_to_cpu(buf.hdr.bh_owner),
				   le32_to_cpu(buf.hdr.bh_generation));
	}
	walk_queue(f);
}

/* Inodes --------------------------------------------------------------------------------------- */

/* Has this inode still blocks of its own, if it has any? */
static bool is_alive(struct fsck *f, u64 ino, const union block *buf)
{
	struct owner own = {
		.ino = ino, .generation = le32_to_cpu(buf->hdr.bh_generation),
		.dir = le32_to_cpu(buf->inode.i_mode) >> 12 == TYPE_DIR,
		.blocks = le64_to_cpu(buf->inode.i_blocks),
	};
	struct tree t = { 0 };
	bool alive;
	size_t i;

	tree_read(f, &own, &t, TREE_AGAIN);
	alive = !t.nblks && !t.count;
	for (i = 0; i < t.nblks && !alive; i++)
		alive = is_unclaimed(f, t.blks[i], 1);
	for (i = 0; i < t.count && !alive; i++)
		alive = is_unclaimed(f, t.recs[i].blk, t.recs[i].len);
	tree_free(&t);
	return alive && own.generation;
}

static void take_inode(struct fsck *f, u64 ino)
{
	struct hint none = { 0 };
	struct node *node;
	union block buf;

	/* what is left of the last inode in a number that is to be used again */
	if (slots_in_pool(f, ino))
		return;
	if (is_claimed(&f->claims, ino) || !volume_extent_ok(&f->vol, ino, 2) ||
	    is_claimed(&f->claims, ino + 1) || !is_sound(f, ino, &buf) ||
	    !is_alive(f, ino, &buf) || inode_load(f, ino, &none, &node) != INODE_OK)
		return;
	node->flags |= NODE_LOST;
	if (node->type == TYPE_DIR) {
		dir_check(f, ino);
		walk_queue(f);
	}
}

static bool is_piece(const struct pieces *all, u64 ino)
{
	size_t lo = 0, hi = all->count, mid;

	while (lo < hi) {
		mid = (lo + hi) / 2;
		if (all->piece[mid].blkno < ino)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < all->count && all->piece[lo].blkno == ino;
}

/* Directories whose parent is not lost itself, then other directories, then the rest */
static void take_inodes(struct fsck *f, const struct pieces *all)
{
	const struct piece *piece;
	size_t i;
	u32 pass;

	for (pass = 0; pass < 3; pass++) {
		for (i = 0; i < all->count; i++) {
			piece = &all->piece[i];
			if (piece->type != COHFS_BT_INODE || piece->dir != (pass < 2))
				continue;
			if (pass == 0 && piece->parent != piece->blkno &&
			    is_piece(all, piece->parent))
				continue;
			take_inode(f, piece->blkno);
		}
	}
}

void lost_search(struct fsck *f)
{
	struct pieces all = { 0 };

	find_pieces(f, &all);
	reuse_pieces(f, &all);
	take_inodes(f, &all);
	free(all.piece);
}

/* lost+found ------------------------------------------------------------------------------------- */

static struct node *make_lost_found(struct fsck *f)
{
	struct node *root = nodes_find(&f->nodes, f->vol.info.root_ino), *node;
	u64 ino = claims_find_free(&f->claims, 2, true);

	if (!ino || !root) {
		problem(&f->problems, P_NO_SPACE, "no space for a directory " LOST_FOUND);
		return NULL;
	}
	problem(&f->problems, P_LOST_FOUND, "directory %s made", LOST_FOUND);
	node = inode_create_dir(f, ino, 0700, root->ino);
	root = nodes_find(&f->nodes, f->vol.info.root_ino);
	node->parent = root->ino;
	root->names++;
	job_add_name(jobs_for(f, root), node, (const u8 *)LOST_FOUND, strlen(LOST_FOUND));
	return node;
}

static struct node *find_lost_found(struct fsck *f)
{
	struct node *node = nodes_find(&f->nodes, f->lost_found);

	if (node && node->type == TYPE_DIR && node->parent == f->vol.info.root_ino &&
	    !(node->flags & (NODE_SYSTEM | NODE_LOST)))
		return node;
	return make_lost_found(f);
}

static void give_name(struct fsck *f, size_t index, u64 dir)
{
	struct node *node = &f->nodes.node[index], *parent = nodes_find(&f->nodes, dir);
	char name[24];
	int len = snprintf(name, sizeof(name), "#%llu", node->ino);

	problem(&f->problems, P_INODE_LOST, "inode %llu has no name, now %s/%s",
		node->ino, LOST_FOUND, name);
	node->flags &= (u8)~NODE_LOST;
	node->parent = dir;
	if (node->type == TYPE_DIR)
		parent->names++;
	else
		node->names++;
	job_add_name(jobs_for(f, parent), node, (const u8 *)name, (u32)len);
}

void lost_connect(struct fsck *f)
{
	struct node *dir;
	u64 ino = 0;
	size_t i;

	for (i = 0; i < f->nodes.count; i++) {
		if (!(f->nodes.node[i].flags & NODE_LOST))
			continue;
		if (!ino) {
			dir = find_lost_found(f);
			if (!dir)
				return;
			ino = dir->ino;
		}
		give_name(f, i, ino);
	}
}
