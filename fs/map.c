// SPDX-License-Identifier: GPL-2.0-only
/*
 * Maps on disk: the tree over the record arrays of core/mapblock.c.
 *
 * Shape.  The root stays at ino + 1 and holds records itself until they no longer
 * fit; then its content moves into two new blocks and it becomes one level
 * higher.  Inner records carry exactly the lowest key of their child, so that
 * nothing in a leaf reaches behind the next inner key: every question about a key
 * is answered by one leaf, and each step down can be verified (level one less,
 * first key as announced, last key below the neighbour's).  This also ends walks
 * through damaged trees: a cycle would need a level that does not fall.
 *
 * Change.  Blocks become half as full when they split and are freed when they are
 * empty; there is no rebalancing in between.  A root with a single child takes
 * over its content at the next removal.  New blocks are all allocated before the
 * first record moves, so running out of space changes nothing.
 *
 * Callers hold the cluster lock and the map mutex; no lock is taken here.
 */
#include "core/check.h"
#include "map.h"
#include "super.h"

#define MAP_LEVELS (COHFS_MAP_MAX_LEVEL + 1)

/**
 * struct map_path - the blocks from the root to the leaf that a key belongs to
 * @top: level of the root
 * @bh: by level, 0 is the leaf
 * @idx: by level, the record followed; leaf: the last one <= key, or -1
 * @end: first key that belongs to the next leaf, or COHFS_MAP_KEY_MAX + 1
 */
struct map_path {
	int top;
	struct buffer_head *bh[MAP_LEVELS];
	int idx[MAP_LEVELS];
	u64 end;
};

/** struct map_spare - blocks allocated for splits before anything changes */
struct map_spare {
	u64 blk[MAP_LEVELS + 1];
	int count;
	int used;
};

static struct cohfs_map_block *block_of(struct buffer_head *bh)
{
	return (struct cohfs_map_block *)bh->b_data;
}

static u64 root_blk(const struct cohfs_map *map)
{
	return map->ino + 1;
}

static int corrupt(struct cohfs_map *map, u64 blk, const char *check)
{
	return cohfs_corrupt(map->cs->sb, blk, check);
}

/* The root; NULL for an empty map whose root was never written; or ERR_PTR */
static struct buffer_head *read_root(struct cohfs_map *map)
{
	return cohfs_meta_read_unchecked(map->cs, map->set, root_blk(map),
					 COHFS_BT_MAP, map->ino, map->generation);
}

static int root_level(struct cohfs_map *map)
{
	struct buffer_head *bh = read_root(map);
	int level;

	if (IS_ERR(bh))
		return PTR_ERR(bh);
	if (!bh)
		return 0;
	level = cohfs_mapblock_level(block_of(bh));
	brelse(bh);
	return level;
}

/* Walking ------------------------------------------------------------------ */

static void path_release(struct map_path *p)
{
	int level;

	for (level = 0; level < MAP_LEVELS; level++) {
		brelse(p->bh[level]);
		p->bh[level] = NULL;
	}
}

/* Is the block what its parent's record @rec, followed by key @end, announced? */
static const char *check_child(const struct cohfs_map *map,
			       const struct cohfs_map_block *mb,
			       const struct cohfs_extent *rec, u32 level, u64 end)
{
	struct cohfs_extent ext;

	if (le32_to_cpu(mb->m_hdr.bh_generation) != map->generation)
		return "generation of a map block";
	if (cohfs_mapblock_level(mb) != level)
		return "level of a map block";
	if (!cohfs_mapblock_count(mb))
		return "empty map block";
	cohfs_mapblock_get(mb, 0, &ext);
	if (ext.key != rec->key)
		return "first key of a map block";
	cohfs_mapblock_get(mb, cohfs_mapblock_count(mb) - 1, &ext);
	if (ext.key + max_t(u32, ext.len, 1) > end)
		return "last key of a map block";
	return NULL;
}

static int read_child(struct cohfs_map *map, struct map_path *p, int level)
{
	struct buffer_head *bh, *parent = p->bh[level + 1];
	struct cohfs_extent rec;
	const char *why;

	cohfs_mapblock_get(block_of(parent), p->idx[level + 1], &rec);
	if (!cohfs_valid_extent(map->cs, rec.blk, 1))
		return corrupt(map, parent->b_blocknr, "child of a map block");
	bh = cohfs_meta_read(map->cs, map->set, rec.blk, COHFS_BT_MAP, map->ino);
	if (IS_ERR(bh))
		return PTR_ERR(bh);
	why = check_child(map, block_of(bh), &rec, level, p->end);
	if (why) {
		brelse(bh);
		return corrupt(map, rec.blk, why);
	}
	p->bh[level] = bh;
	return 0;
}

/* Find @key in the block at @level and note where the next one begins */
static void step(struct map_path *p, int level, u64 key)
{
	struct cohfs_map_block *mb = block_of(p->bh[level]);
	int i = cohfs_mapblock_search(mb, key);
	struct cohfs_extent next;

	if (level && i < 0)
		i = 0;	/* below every key: the leftmost leaf */
	p->idx[level] = i;
	if (level && i + 1 < cohfs_mapblock_count(mb)) {
		cohfs_mapblock_get(mb, i + 1, &next);
		p->end = next.key;
	}
}

/*
 * Return: 0, -ENOENT for a map without a root, -EIO, -EFSCORRUPTED.  @p needs a
 * path_release() only after 0.
 */
static int path_walk(struct cohfs_map *map, u64 key, struct map_path *p)
{
	struct buffer_head *root = read_root(map);
	int level, err;

	memset(p, 0, sizeof(*p));
	if (IS_ERR(root))
		return PTR_ERR(root);
	if (!root)
		return -ENOENT;
	level = cohfs_mapblock_level(block_of(root));
	if (level > COHFS_MAP_MAX_LEVEL ||
	    (level && !cohfs_mapblock_count(block_of(root)))) {
		brelse(root);
		return corrupt(map, root_blk(map), "map level");
	}
	p->top = level;
	p->bh[level] = root;
	p->end = COHFS_MAP_KEY_MAX + 1;
	step(p, level, key);
	while (level > 0) {
		err = read_child(map, p, --level);
		if (err) {
			path_release(p);
			return err;
		}
		step(p, level, key);
	}
	return 0;
}

/* Record @i of the leaf, its blocks verified to lie within one group */
static int leaf_record(struct cohfs_map *map, struct map_path *p, int i,
		       struct cohfs_extent *ext)
{
	cohfs_mapblock_get(block_of(p->bh[0]), i, ext);
	if (!cohfs_valid_extent(map->cs, ext->blk, ext->len))
		return corrupt(map, p->bh[0]->b_blocknr, "blocks of a map record");
	return 0;
}

int cohfs_map_find(struct cohfs_map *map, u64 key, struct cohfs_extent *ext)
{
	struct map_path p;
	int err;

	err = path_walk(map, key, &p);
	if (err)
		return err;
	err = p.idx[0] < 0 ? -ENOENT : leaf_record(map, &p, p.idx[0], ext);
	path_release(&p);
	return err;
}

int cohfs_map_next(struct cohfs_map *map, u64 key, struct cohfs_extent *ext)
{
	struct map_path p;
	u64 end;
	int err, i;

	err = path_walk(map, key, &p);
	if (err)
		return err;
	end = p.end;
	i = p.idx[0];
	if (i >= 0) {
		cohfs_mapblock_get(block_of(p.bh[0]), i, ext);
		if (ext->key < key)
			i++;
	} else {
		i = 0;
	}
	if (i < cohfs_mapblock_count(block_of(p.bh[0]))) {
		err = leaf_record(map, &p, i, ext);
		path_release(&p);
		return err;
	}
	path_release(&p);
	/* the next leaf begins with exactly this key */
	return end > COHFS_MAP_KEY_MAX ? -ENOENT : cohfs_map_find(map, end, ext);
}

int cohfs_map_last(struct cohfs_map *map, struct cohfs_extent *ext)
{
	return cohfs_map_find(map, COHFS_MAP_KEY_MAX, ext);
}

/* Changing: the root's counter ---------------------------------------------- */

int cohfs_map_blocks(struct cohfs_map *map, u64 *blocks)
{
	struct buffer_head *bh = read_root(map);

	*blocks = 0;
	if (IS_ERR(bh))
		return PTR_ERR(bh);
	if (bh)
		*blocks = le64_to_cpu(block_of(bh)->m_blocks);
	brelse(bh);
	return 0;
}

/* Write the empty root of a map that has none yet */
static struct buffer_head *create_root(handle_t *handle, struct cohfs_map *map)
{
	return cohfs_meta_create(handle, map->cs, map->set, root_blk(map),
				 COHFS_BT_MAP, map->ino, map->generation);
}

int cohfs_map_count(handle_t *handle, struct cohfs_map *map, s64 delta)
{
	struct buffer_head *bh = read_root(map);
	u64 blocks;
	int err = 0;

	if (!IS_ERR_OR_NULL(bh))
		err = cohfs_meta_access(handle, bh);
	else if (!bh)
		bh = create_root(handle, map);
	if (IS_ERR(bh))
		return PTR_ERR(bh);
	if (err)
		goto out;
	blocks = le64_to_cpu(block_of(bh)->m_blocks);
	if (delta < 0 && blocks < (u64)-delta) {
		err = corrupt(map, root_blk(map), "block count of the map");
		goto out;
	}
	block_of(bh)->m_blocks = cpu_to_le64(blocks + delta);
	err = cohfs_meta_dirty(handle, map->cs, map->set, bh);
out:
	brelse(bh);
	return err;
}

/* Changing: common steps ---------------------------------------------------- */

static int dirty(handle_t *handle, struct cohfs_map *map, struct buffer_head *bh)
{
	return cohfs_meta_dirty(handle, map->cs, map->set, bh);
}

/*
 * The first key of the block at @level has become @key: tell the ancestors, up to
 * the first one in which the block is not the first child.
 */
static int set_first_key(handle_t *handle, struct cohfs_map *map, struct map_path *p,
			 int level, u64 key)
{
	int err;

	while (level < p->top) {
		level++;
		err = cohfs_meta_access(handle, p->bh[level]);
		if (err)
			return err;
		cohfs_mapblock_set_key(block_of(p->bh[level]), p->idx[level], key);
		err = dirty(handle, map, p->bh[level]);
		if (err)
			return err;
		if (p->idx[level] > 0)
			break;
	}
	return 0;
}

/* After a change of the leaf: dirty it, pass on its first key if that changed */
static int leaf_changed(handle_t *handle, struct cohfs_map *map, struct map_path *p,
			u64 old_first)
{
	struct cohfs_map_block *leaf = block_of(p->bh[0]);
	struct cohfs_extent first;
	int err;

	err = dirty(handle, map, p->bh[0]);
	if (err || !cohfs_mapblock_count(leaf))
		return err;
	cohfs_mapblock_get(leaf, 0, &first);
	if (first.key == old_first)
		return 0;
	return set_first_key(handle, map, p, 0, first.key);
}

static u64 first_key(struct cohfs_map_block *mb)
{
	return cohfs_mapblock_count(mb) ? le64_to_cpu(mb->m_rec[0].r_key) : 0;
}

/*
 * The block at @level leaves the map; its buffer is consumed.  Counts m_blocks
 * down in the root, which the caller has access to and dirties.
 */
static int free_block(handle_t *handle, struct cohfs_map *map,
		      struct cohfs_resv *resv, struct map_path *p, int level)
{
	struct cohfs_map_block *root = block_of(p->bh[p->top]);
	struct buffer_head *bh = p->bh[level];
	u64 blocks = le64_to_cpu(root->m_blocks);
	u64 blk = bh->b_blocknr;

	if (!blocks)
		return corrupt(map, root_blk(map), "block count of the map");
	root->m_blocks = cpu_to_le64(blocks - 1);
	p->bh[level] = NULL;
	cohfs_meta_forget(handle, map->set, bh);
	return cohfs_free_extent(handle, resv, blk, 1);
}

/* Changing: splits ---------------------------------------------------------- */

/* Free spares that no split has used, after a failure */
static void spare_drop(handle_t *handle, struct cohfs_resv *resv,
		       struct map_spare *spare)
{
	for (; spare->used < spare->count; spare->used++)
		if (cohfs_free_extent(handle, resv, spare->blk[spare->used], 1))
			return;	/* withdrawn */
}

static int spare_fill(handle_t *handle, struct cohfs_map *map,
		      struct cohfs_resv *resv, struct map_spare *spare, int count)
{
	u32 len;
	int err;

	spare->used = 0;
	for (spare->count = 0; spare->count < count; spare->count++) {
		err = cohfs_alloc_extent(handle, resv, root_blk(map) + 1, 1, 0,
					 &spare->blk[spare->count], &len);
		if (err) {
			spare_drop(handle, resv, spare);
			return err;
		}
	}
	return 0;
}

static struct buffer_head *spare_create(handle_t *handle, struct cohfs_map *map,
					struct map_spare *spare)
{
	struct buffer_head *bh;

	if (WARN_ON_ONCE(spare->used >= spare->count))
		return ERR_PTR(-EIO);
	bh = cohfs_meta_create(handle, map->cs, map->set, spare->blk[spare->used],
			       COHFS_BT_MAP, map->ino, map->generation);
	if (!IS_ERR(bh))
		spare->used++;
	return bh;
}

static void put_child(struct cohfs_map_block *parent, u32 i, struct buffer_head *bh)
{
	struct cohfs_extent rec = {
		.key = first_key(block_of(bh)),
		.blk = bh->b_blocknr,
	};

	cohfs_mapblock_put(parent, i, &rec);
}

/* The full root moves its records into two new blocks and points to them */
static int grow_root(handle_t *handle, struct cohfs_map *map, struct map_path *p,
		     struct map_spare *spare)
{
	struct cohfs_map_block *root = block_of(p->bh[p->top]);
	struct buffer_head *lower, *upper;
	int err;

	err = cohfs_meta_access(handle, p->bh[p->top]);
	if (err)
		return err;
	lower = spare_create(handle, map, spare);
	if (IS_ERR(lower))
		return PTR_ERR(lower);
	upper = spare_create(handle, map, spare);
	if (IS_ERR(upper)) {
		brelse(lower);	/* withdrawn: nothing reaches the disk any more */
		return PTR_ERR(upper);
	}

	cohfs_mapblock_split(root, block_of(upper),
			     cohfs_mapblock_split_at(root, p->idx[p->top] + 1));
	cohfs_mapblock_split(root, block_of(lower), 0);
	root->m_level = cpu_to_le16(p->top + 1);
	put_child(root, 0, lower);
	put_child(root, 1, upper);
	root->m_blocks = cpu_to_le64(le64_to_cpu(root->m_blocks) + 2);

	err = dirty(handle, map, lower);
	if (!err)
		err = dirty(handle, map, upper);
	if (!err)
		err = dirty(handle, map, p->bh[p->top]);
	brelse(lower);
	brelse(upper);
	return err;
}

/* The full block at @level gives its upper records to a new one; parent has room */
static int split_block(handle_t *handle, struct cohfs_map *map, struct map_path *p,
		       int level, struct map_spare *spare)
{
	struct cohfs_map_block *root = block_of(p->bh[p->top]);
	struct cohfs_map_block *mb = block_of(p->bh[level]);
	struct buffer_head *parent = p->bh[level + 1];
	struct buffer_head *upper;
	int err;

	err = cohfs_meta_access(handle, p->bh[level]);
	if (!err)
		err = cohfs_meta_access(handle, parent);
	if (!err)
		err = cohfs_meta_access(handle, p->bh[p->top]);
	if (err)
		return err;
	upper = spare_create(handle, map, spare);
	if (IS_ERR(upper))
		return PTR_ERR(upper);

	cohfs_mapblock_split(mb, block_of(upper),
			     cohfs_mapblock_split_at(mb, p->idx[level] + 1));
	put_child(block_of(parent), p->idx[level + 1] + 1, upper);
	root->m_blocks = cpu_to_le64(le64_to_cpu(root->m_blocks) + 1);

	err = dirty(handle, map, upper);
	if (!err)
		err = dirty(handle, map, p->bh[level]);
	if (!err)
		err = dirty(handle, map, parent);
	if (!err && parent != p->bh[p->top])
		err = dirty(handle, map, p->bh[p->top]);
	brelse(upper);
	return err;
}

/* How many blocks, from the leaf up, have no room for another record? */
static int full_levels(const struct map_path *p)
{
	int level = 0;

	while (level <= p->top && cohfs_mapblock_full(block_of(p->bh[level])))
		level++;
	return level;
}

/*
 * Split until the leaf of @key has room; @p is a walk to @key and is renewed.
 *
 * From the top down, so that the parent always has room for the new child; each
 * round makes one level not full, hence at most one round per level and one for
 * the root.  On failure @p is put.
 */
static int make_room(handle_t *handle, struct cohfs_map *map, struct cohfs_resv *resv,
		     struct map_path *p, u64 key)
{
	struct map_spare spare;
	int full = full_levels(p);
	int err, rounds;

	if (full > p->top && p->top == COHFS_MAP_MAX_LEVEL)
		err = -EFBIG;
	else
		err = spare_fill(handle, map, resv, &spare,
				 full > p->top ? p->top + 2 : full);
	if (err) {
		path_release(p);
		return err;
	}
	for (rounds = 0; full && rounds <= MAP_LEVELS; rounds++) {
		if (full > p->top)
			err = grow_root(handle, map, p, &spare);
		else
			err = split_block(handle, map, p, full - 1, &spare);
		path_release(p);
		if (!err)
			err = path_walk(map, key, p);
		if (err)
			break;
		full = full_levels(p);
	}
	spare_drop(handle, resv, &spare);
	return err;
}

/* Changing: insert ---------------------------------------------------------- */

int cohfs_map_insert_credits(struct cohfs_map *map)
{
	int level = root_level(map);

	/* the path, one new block for each level of it, two for the root */
	return level < 0 ? level : 2 * level + 3;
}

u32 cohfs_map_insert_blocks(struct cohfs_map *map)
{
	int level = root_level(map);

	return (level < 0 ? COHFS_MAP_MAX_LEVEL : level) + 2;
}

/* As path_walk(), but gives a map without a root an empty one */
static int path_walk_create(handle_t *handle, struct cohfs_map *map, u64 key,
			    struct map_path *p)
{
	struct buffer_head *bh;
	int err;

	err = path_walk(map, key, p);
	if (err != -ENOENT)
		return err;
	bh = create_root(handle, map);
	if (IS_ERR(bh))
		return PTR_ERR(bh);
	p->bh[0] = bh;
	p->idx[0] = -1;
	p->end = COHFS_MAP_KEY_MAX + 1;
	return 0;
}

static int leaf_insert(handle_t *handle, struct cohfs_map *map, struct map_path *p,
		       const struct cohfs_extent *ext, bool merge)
{
	struct cohfs_map_block *leaf = block_of(p->bh[0]);
	u64 old_first = first_key(leaf);
	int err;

	err = cohfs_meta_access(handle, p->bh[0]);
	if (!err)
		err = cohfs_mapblock_insert(leaf, ext, p->end, merge);
	if (!err)
		err = leaf_changed(handle, map, p, old_first);
	return err;
}

int cohfs_map_insert(handle_t *handle, struct cohfs_map *map, struct cohfs_resv *resv,
		     const struct cohfs_extent *ext, bool merge)
{
	struct map_path p;
	int err;

	if (WARN_ON_ONCE(!ext->len || ext->key > COHFS_MAP_KEY_MAX ||
			 ext->len - 1 > COHFS_MAP_KEY_MAX - ext->key ||
			 !cohfs_valid_extent(map->cs, ext->blk, ext->len)))
		return -EIO;
	err = path_walk_create(handle, map, ext->key, &p);
	if (err)
		return err;
	err = leaf_insert(handle, map, &p, ext, merge);
	if (err == -ENOSPC) {
		err = make_room(handle, map, resv, &p, ext->key);
		if (err)
			return err;
		err = leaf_insert(handle, map, &p, ext, merge);
	}
	path_release(&p);
	return err;
}

/* Changing: remove ---------------------------------------------------------- */

/* Is the root only a detour to its single child? */
static bool root_has_one_child(const struct map_path *p)
{
	return p->top > 0 && cohfs_mapblock_count(block_of(p->bh[p->top])) == 1;
}

/* Does the leaf consist of @ext and nothing else? */
static bool leaf_is(const struct map_path *p, const struct cohfs_extent *ext)
{
	struct cohfs_map_block *leaf = block_of(p->bh[0]);
	struct cohfs_extent rec;

	if (cohfs_mapblock_count(leaf) != 1)
		return false;
	cohfs_mapblock_get(leaf, 0, &rec);
	return rec.key == ext->key && rec.len == ext->len && rec.blk == ext->blk;
}

/* How many blocks, from the leaf up and below @top, go if @ext goes? */
static int emptied_levels(const struct map_path *p, int top,
			  const struct cohfs_extent *ext)
{
	int level;

	if (!top || !leaf_is(p, ext))
		return 0;
	for (level = 1; level < top; level++)
		if (cohfs_mapblock_count(block_of(p->bh[level])) > 1)
			break;
	return level;
}

/*
 * Entries: the extent, at most one block for each level below the root.  A child
 * that the root swallows is one of the latter.
 */
int cohfs_map_remove_plan(struct cohfs_map *map, u64 first, u64 last,
			  struct cohfs_extent *ext, u64 *blocks)
{
	int err, level, levels, top, n = 0;
	struct map_path p;
	bool swallow;
	u64 end;

	BUILD_BUG_ON(COHFS_MAP_MAX_LEVEL + 1 > COHFS_RESV_GROUPS);
	last = min_t(u64, last, COHFS_MAP_KEY_MAX);
	err = path_walk(map, last, &p);
	if (err)
		return err == -ENOENT ? 0 : err;
	if (p.idx[0] < 0)
		goto out;
	err = leaf_record(map, &p, p.idx[0], ext);
	if (err)
		goto out;
	end = min_t(u64, ext->key + ext->len, last + 1);
	if (end <= first)
		goto out;
	if (ext->key < first) {
		ext->blk += first - ext->key;
		ext->key = first;
	}
	ext->len = end - ext->key;

	swallow = root_has_one_child(&p);
	top = swallow ? p.top - 1 : p.top;
	blocks[n++] = ext->blk;
	levels = emptied_levels(&p, top, ext);
	for (level = 0; level < levels; level++)
		blocks[n++] = p.bh[level]->b_blocknr;
	if (swallow)
		blocks[n++] = p.bh[top]->b_blocknr;
out:
	path_release(&p);
	return err ? err : n;
}

/* The root takes the records of its single child, which is freed; @p is put */
static int swallow_child(handle_t *handle, struct cohfs_map *map,
			 struct cohfs_resv *resv, struct map_path *p)
{
	struct cohfs_map_block *root = block_of(p->bh[p->top]);
	struct cohfs_map_block *child = block_of(p->bh[p->top - 1]);
	int err;

	err = cohfs_meta_access(handle, p->bh[p->top]);
	if (!err) {
		memcpy(root->m_rec, child->m_rec, sizeof(root->m_rec));
		root->m_level = child->m_level;
		root->m_count = child->m_count;
		err = free_block(handle, map, resv, p, p->top - 1);
	}
	if (!err)
		err = dirty(handle, map, p->bh[p->top]);
	path_release(p);
	return err;
}

/* Free the @levels lowest blocks of the path and the record that leads to them */
static int prune(handle_t *handle, struct cohfs_map *map, struct cohfs_resv *resv,
		 struct map_path *p, int levels)
{
	struct cohfs_map_block *root = block_of(p->bh[p->top]);
	struct cohfs_map_block *mb = block_of(p->bh[levels]);
	int err, level;

	err = cohfs_meta_access(handle, p->bh[p->top]);
	if (!err)
		err = cohfs_meta_access(handle, p->bh[levels]);
	for (level = 0; !err && level < levels; level++)
		err = free_block(handle, map, resv, p, level);
	if (err)
		return err;
	cohfs_mapblock_del(mb, p->idx[levels]);
	if (!cohfs_mapblock_count(root))
		root->m_level = 0;
	err = dirty(handle, map, p->bh[p->top]);
	if (!err && levels < p->top)
		err = dirty(handle, map, p->bh[levels]);
	if (!err && levels < p->top && !p->idx[levels])
		err = set_first_key(handle, map, p, levels, first_key(mb));
	return err;
}

static int leaf_remove(handle_t *handle, struct cohfs_map *map, struct map_path *p,
		       const struct cohfs_extent *ext)
{
	struct cohfs_map_block *leaf = block_of(p->bh[0]);
	u64 old_first = first_key(leaf);
	int err;

	err = cohfs_meta_access(handle, p->bh[0]);
	if (!err)
		err = cohfs_mapblock_remove(leaf, ext);
	if (!err)
		err = leaf_changed(handle, map, p, old_first);
	return err;
}

int cohfs_map_remove(handle_t *handle, struct cohfs_map *map, struct cohfs_resv *resv,
		     const struct cohfs_extent *ext)
{
	struct map_path p;
	int err, levels;

	err = path_walk(map, ext->key, &p);
	if (!err && root_has_one_child(&p)) {
		err = swallow_child(handle, map, resv, &p);
		if (!err)
			err = path_walk(map, ext->key, &p);
	}
	if (err)
		return err;
	levels = emptied_levels(&p, p.top, ext);
	if (levels)
		err = prune(handle, map, resv, &p, levels);
	else
		err = leaf_remove(handle, map, &p, ext);
	if (err == -ENOSPC) {
		err = make_room(handle, map, resv, &p, ext->key);
		if (err)
			return err;
		err = leaf_remove(handle, map, &p, ext);
	}
	path_release(&p);
	return err;
}
