// SPDX-License-Identifier: GPL-2.0-only
/*
 * Directories: a map from name hashes to leaves, names in the leaves.
 *
 * A leaf covers the hashes from the key of its map record up to the next record's;
 * the first leaf has key 0.  A directory without names may have no leaf at all.
 * Leaves are split when full and never merged: what a directory once needed it will
 * need again, and rmdir frees everything.
 */
#include <linux/buffer_head.h>
#include <linux/slab.h>
#include "alloc.h"
#include "core/dirhash.h"
#include "dir.h"
#include "inode.h"
#include "ioctl.h"
#include "log.h"

static struct cohfs_dirleaf *leaf_of(struct buffer_head *bh)
{
	return (struct cohfs_dirleaf *)bh->b_data;
}

static struct cohfs_dirname dirname_of(struct inode *dir, const struct qstr *name)
{
	const struct cohfs_sb *cs = COHFS_SB(dir->i_sb);

	return (struct cohfs_dirname) {
		.name = name->name,
		.len = name->len,
		.hash = cohfs_dirhash(cs->geo.hash_key, name->name, name->len),
	};
}

static struct cohfs_metaset *dir_set(struct inode *dir)
{
	return &COHFS_I(dir)->ci_attr->meta;
}

/* Finding leaves ----------------------------------------------------------------- */

static struct buffer_head *read_leaf(struct inode *dir,
				     const struct cohfs_extent *ext)
{
	struct cohfs_sb *cs = COHFS_SB(dir->i_sb);
	struct buffer_head *bh;

	if (ext->len != 1 || !cohfs_valid_extent(cs, ext->blk, 1))
		return ERR_PTR(cohfs_corrupt(dir->i_sb, dir->i_ino,
					     "extent of a directory"));
	bh = cohfs_meta_read(cs, dir_set(dir), ext->blk, COHFS_BT_DIRLEAF, dir->i_ino);
	if (IS_ERR(bh))
		return bh;
	if (le32_to_cpu(leaf_of(bh)->l_hdr.bh_generation) == dir->i_generation)
		return bh;
	brelse(bh);
	return ERR_PTR(cohfs_corrupt(dir->i_sb, ext->blk,
				     "generation of a directory leaf"));
}

/* The leaf that covers @hash; -ENOENT if there is none. */
static struct buffer_head *find_leaf(struct inode *dir, u64 hash,
				     struct cohfs_extent *ext)
{
	struct cohfs_map map = cohfs_inode_map(dir);
	int err = cohfs_map_find(&map, hash, ext);

	return err ? ERR_PTR(err) : read_leaf(dir, ext);
}

int cohfs_dir_lookup(struct inode *dir, const struct qstr *name,
		     struct cohfs_dirtarget *target)
{
	struct cohfs_dirname dn = dirname_of(dir, name);
	struct cohfs_dirview view;
	struct cohfs_extent ext;
	struct buffer_head *bh;
	int err;

	bh = find_leaf(dir, dn.hash, &ext);
	if (IS_ERR(bh))
		return PTR_ERR(bh);
	err = cohfs_dirleaf_find(leaf_of(bh), &dn, &view);
	if (!err)
		*target = view.target;
	brelse(bh);
	return err;
}

int cohfs_dir_empty(struct inode *dir)
{
	struct cohfs_map map = cohfs_inode_map(dir);
	struct cohfs_extent ext;
	struct buffer_head *bh;
	u64 key = 0;
	u32 count;
	int err;

	while (!(err = cohfs_map_next(&map, key, &ext))) {
		bh = read_leaf(dir, &ext);
		if (IS_ERR(bh))
			return PTR_ERR(bh);
		count = cohfs_dirleaf_count(leaf_of(bh));
		brelse(bh);
		if (count)
			return -ENOTEMPTY;
		if (fatal_signal_pending(current))
			return -EINTR;
		key = ext.key + 1;
	}
	return err == -ENOENT ? 0 : err;
}

int cohfs_dir_copy(struct inode *dir, u64 key, struct cohfs_dirleaf *copy, u64 *next)
{
	u64 hash = cohfs_dirkey_hash(key);
	struct cohfs_map map = cohfs_inode_map(dir);
	struct cohfs_extent ext;
	struct buffer_head *bh;
	int err;

	err = cohfs_map_find(&map, hash, &ext);
	if (err == -ENOENT)
		err = cohfs_map_next(&map, hash, &ext);
	if (err)
		return err == -ENOENT ? 0 : err;
	bh = read_leaf(dir, &ext);
	if (IS_ERR(bh))
		return PTR_ERR(bh);
	memcpy(copy, bh->b_data, COHFS_BLOCK_SIZE);
	brelse(bh);

	/* the keys of a map increase, so this makes progress on any image */
	err = cohfs_map_next(&map, max(ext.key, hash) + 1, &ext);
	if (err && err != -ENOENT)
		return err;
	*next = err ? COHFS_DIR_END : ext.key << COHFS_SEQ_BITS;
	return 1;
}

/* Changing ------------------------------------------------------------------------ */

static bool has_room(struct buffer_head *bh, u32 name_len)
{
	return le16_to_cpu(leaf_of(bh)->l_used) + cohfs_dirent_size(name_len) <=
	       COHFS_DIRLEAF_BYTES;
}

int cohfs_dir_plan(struct inode *dir, const struct qstr *name,
		   struct cohfs_dirplan *plan)
{
	struct cohfs_dirname dn = dirname_of(dir, name);
	struct cohfs_map map = cohfs_inode_map(dir);
	struct cohfs_extent ext;
	struct buffer_head *bh;
	bool room = false;
	int credits;

	bh = find_leaf(dir, dn.hash, &ext);
	if (IS_ERR(bh) && PTR_ERR(bh) != -ENOENT)
		return PTR_ERR(bh);
	if (!IS_ERR(bh)) {
		room = has_room(bh, name->len);
		brelse(bh);
	}
	plan->credits += COHFS_DIR_CHANGE_CREDITS;
	if (room)
		return 0;
	credits = cohfs_map_insert_credits(&map);
	if (credits < 0)
		return credits;
	plan->credits += credits + 2;	/* new leaf, count in the root */
	plan->blocks += cohfs_map_insert_blocks(&map) + 1;
	return 0;
}

/* Size and blocks follow the map; the caller writes the inode. */
static int account_leaf(handle_t *handle, struct inode *dir, struct cohfs_map *map)
{
	u64 blocks;
	int err;

	err = cohfs_map_count(handle, map, 1);
	if (!err)
		err = cohfs_map_blocks(map, &blocks);
	if (err)
		return err;
	i_size_write(dir, i_size_read(dir) + COHFS_BLOCK_SIZE);
	dir->i_blocks = (blocks + 2) << (COHFS_BLOCK_SHIFT - 9);
	return 0;
}

/*
 * A new, empty leaf from @hash on.  Until the map has the record nothing has changed
 * but the allocation, which is taken back; what fails after that fails because the
 * journal did.
 */
static struct buffer_head *new_leaf(handle_t *handle, struct inode *dir,
				    struct cohfs_resv *resv, u64 hash)
{
	struct cohfs_map map = cohfs_inode_map(dir);
	struct cohfs_extent ext = { .key = hash };
	int err;

	err = cohfs_alloc_extent(handle, resv, dir->i_ino + 2, 1,
				 cohfs_map_insert_blocks(&map), &ext.blk, &ext.len);
	if (err)
		return ERR_PTR(err);
	err = cohfs_map_insert(handle, &map, resv, &ext, false);
	if (err) {
		cohfs_free_extent(handle, resv, ext.blk, 1);
		return ERR_PTR(err);
	}
	err = account_leaf(handle, dir, &map);
	if (err) {
		cohfs_withdraw(map.cs, "directory %lu: leaf not counted: error %d",
			       dir->i_ino, err);
		return ERR_PTR(err);
	}
	return cohfs_meta_create(handle, map.cs, dir_set(dir), ext.blk,
				 COHFS_BT_DIRLEAF, dir->i_ino, dir->i_generation);
}

static int dirty_leaf(handle_t *handle, struct inode *dir, struct buffer_head *bh)
{
	COHFS_I(dir)->ci_sync_tid = handle->h_transaction->t_tid;
	return cohfs_meta_dirty(handle, COHFS_SB(dir->i_sb), dir_set(dir), bh);
}

/* Insert into a leaf that has room; the caller has write access to @bh */
static int leaf_insert(handle_t *handle, struct inode *dir, struct buffer_head *bh,
		       const struct cohfs_dirname *dn,
		       const struct cohfs_dirtarget *target)
{
	int err = cohfs_dirleaf_insert(leaf_of(bh), dn, target, NULL);

	/* 256 names with the same 55 bits of hash */
	if (err == -EOVERFLOW)
		return -ENOSPC;
	return err ? err : dirty_leaf(handle, dir, bh);
}

/*
 * Halve the leaf @lower and insert.  Names of one hash stay together; if they alone
 * fill a leaf there is no way to make room.  Where a half is still too full (long
 * names, few hashes) the split remains, which is a valid directory.
 */
static int split_insert(handle_t *handle, struct inode *dir, struct buffer_head *lower,
			u64 lower_key, const struct cohfs_dirname *dn,
			const struct cohfs_dirtarget *target, struct cohfs_resv *resv)
{
	u64 hash = cohfs_dirleaf_split_hash(leaf_of(lower));
	struct buffer_head *upper;
	int err;

	if (!hash)
		return -ENOSPC;
	if (hash <= lower_key)
		return cohfs_corrupt(dir->i_sb, lower->b_blocknr,
				     "hash of a name outside its leaf");
	upper = new_leaf(handle, dir, resv, hash);
	if (IS_ERR(upper))
		return PTR_ERR(upper);
	cohfs_dirleaf_split(leaf_of(lower), leaf_of(upper), hash);
	err = dirty_leaf(handle, dir, lower);
	if (!err)
		err = dirty_leaf(handle, dir, upper);
	if (!err)
		err = leaf_insert(handle, dir, dn->hash < hash ? lower : upper, dn,
				  target);
	brelse(upper);
	return err;
}

int cohfs_dir_insert(handle_t *handle, struct inode *dir, const struct qstr *name,
		     const struct cohfs_dirtarget *target, struct cohfs_resv *resv)
{
	struct cohfs_dirname dn = dirname_of(dir, name);
	struct cohfs_extent ext;
	struct buffer_head *bh;
	int err = 0;

	bh = find_leaf(dir, dn.hash, &ext);
	if (bh == ERR_PTR(-ENOENT))
		bh = new_leaf(handle, dir, resv, 0);
	else if (!IS_ERR(bh))
		err = cohfs_meta_access(handle, bh);
	if (IS_ERR(bh))
		return PTR_ERR(bh);
	if (!err && has_room(bh, name->len))
		err = leaf_insert(handle, dir, bh, &dn, target);
	else if (!err)
		err = split_insert(handle, dir, bh, ext.key, &dn, target, resv);
	brelse(bh);
	return err;
}

/* The leaf of a name that must be there, with write access */
static struct buffer_head *change_leaf(handle_t *handle, struct inode *dir,
				       const struct cohfs_dirname *dn)
{
	struct cohfs_extent ext;

	return cohfs_meta_claim(handle, find_leaf(dir, dn->hash, &ext));
}

int cohfs_dir_delete(handle_t *handle, struct inode *dir, const struct qstr *name)
{
	struct cohfs_dirname dn = dirname_of(dir, name);
	struct buffer_head *bh = change_leaf(handle, dir, &dn);
	int err;

	if (IS_ERR(bh))
		return PTR_ERR(bh);
	err = cohfs_dirleaf_delete(leaf_of(bh), &dn);
	if (!err)
		err = dirty_leaf(handle, dir, bh);
	brelse(bh);
	return err;
}

int cohfs_dir_retarget(handle_t *handle, struct inode *dir, const struct qstr *name,
		       const struct cohfs_dirtarget *target)
{
	struct cohfs_dirname dn = dirname_of(dir, name);
	struct buffer_head *bh = change_leaf(handle, dir, &dn);
	int err;

	if (IS_ERR(bh))
		return PTR_ERR(bh);
	err = cohfs_dirleaf_retarget(leaf_of(bh), &dn, target);
	if (!err)
		err = dirty_leaf(handle, dir, bh);
	brelse(bh);
	return err;
}

/* Deletion of a directory ---------------------------------------------------------- */

static int free_leaf(handle_t *handle, struct inode *dir, struct cohfs_map *map,
		     struct cohfs_resv *resv, const struct cohfs_extent *ext,
		     struct buffer_head *bh)
{
	int err = cohfs_map_remove(handle, map, resv, ext);

	if (err) {
		brelse(bh);
		return err;
	}
	cohfs_meta_forget(handle, map->set, bh);
	err = cohfs_free_extent(handle, resv, ext->blk, 1);
	return err ? err : cohfs_map_count(handle, map, -1);
}

/* The last leaf.  Return: 1 freed, 0 there is none, negative errno */
static int free_last_leaf(struct inode *dir, struct cohfs_map *map)
{
	u64 blocks[COHFS_RESV_GROUPS];
	struct cohfs_extent ext;
	struct buffer_head *bh;
	struct cohfs_resv resv;
	handle_t *handle;
	int n, err, err2;

	n = cohfs_map_remove_plan(map, 0, U64_MAX, &ext, blocks);
	if (n <= 0)
		return n;
	bh = read_leaf(dir, &ext);
	if (IS_ERR(bh))
		return PTR_ERR(bh);
	err = cohfs_free_reserve(map->cs, blocks, n, &resv);
	if (err)
		goto out_brelse;
	handle = cohfs_trans_begin(map->cs, COHFS_MAP_REMOVE_CREDITS + 1 +
					    resv.credits);
	if (IS_ERR(handle)) {
		err = PTR_ERR(handle);
		goto out_resv;
	}
	err = free_leaf(handle, dir, map, &resv, &ext, bh);
	err2 = cohfs_trans_end(handle);
	cohfs_resv_end(map->cs, &resv);
	err = err ? err : err2;
	return err ? err : 1;

out_resv:
	cohfs_resv_end(map->cs, &resv);
out_brelse:
	brelse(bh);
	return err;
}

int cohfs_dir_free(struct inode *dir)
{
	struct cohfs_map map = cohfs_inode_map(dir);
	int n;

	do {
		n = free_last_leaf(dir, &map);
		cond_resched();
	} while (n > 0);
	return n;
}

/* File operations ------------------------------------------------------------------ */

/* A copy of the leaf at @key, with the locks of a reader */
static int copy_leaf(struct inode *dir, u64 key, struct cohfs_dirleaf *copy, u64 *next)
{
	int ret = cohfs_attr_lock(dir, COHFS_PR);

	if (ret)
		return ret;
	ret = cohfs_dir_copy(dir, key, copy, next);
	cohfs_attr_unlock(dir, COHFS_PR);
	return ret;
}

/*
 * dir_emit() copies to user memory, which may be a mapping of this filesystem whose
 * fault takes locks of an earlier rank: so no cluster lock is held here.
 * Return: false when the buffer is full.
 */
static bool emit_leaf(struct dir_context *ctx, const struct cohfs_dirleaf *leaf)
{
	struct cohfs_dirview view;

	while (cohfs_dirleaf_next(leaf, ctx->pos, &view)) {
		ctx->pos = view.key;
		if (!dir_emit(ctx, view.name, view.name_len, view.target.ino,
			      view.target.type))
			return false;
		ctx->pos = min_t(u64, view.key + 1, COHFS_DIR_END);
	}
	return true;
}

static int emit_names(struct inode *dir, struct dir_context *ctx,
		      struct cohfs_dirleaf *leaf)
{
	u64 next;
	int ret;

	while (ctx->pos != COHFS_DIR_END) {
		ret = copy_leaf(dir, ctx->pos, leaf, &next);
		if (ret < 0)
			return ret;
		if (!ret)
			next = COHFS_DIR_END;
		else if (!emit_leaf(ctx, leaf))
			return 0;
		ctx->pos = max_t(u64, ctx->pos, next);
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

static int dir_iterate(struct file *file, struct dir_context *ctx)
{
	struct inode *dir = file_inode(file);
	struct cohfs_dirleaf *leaf;
	int err;

	if (ctx->pos < 0)
		return -EINVAL;
	if (!dir_emit_dots(file, ctx))
		return 0;
	leaf = kmalloc(COHFS_BLOCK_SIZE, GFP_KERNEL);
	if (!leaf)
		return -ENOMEM;
	err = emit_names(dir, ctx, leaf);
	kfree(leaf);
	return err;
}

/* Positions are cookies, whatever the size of the directory */
static loff_t dir_llseek(struct file *file, loff_t offset, int whence)
{
	return generic_file_llseek_size(file, offset, whence, COHFS_DIR_END,
					COHFS_DIR_END);
}

static int dir_fsync(struct file *file, loff_t start, loff_t end, int datasync)
{
	return cohfs_inode_commit(file_inode(file));
}

const struct file_operations cohfs_dir_fops = {
	.llseek		= dir_llseek,
	.read		= generic_read_dir,
	.iterate_shared	= dir_iterate,
	.fsync		= dir_fsync,
	.unlocked_ioctl	= cohfs_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
};
