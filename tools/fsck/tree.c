// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading maps, damaged ones included.
 *
 * What counts is the records.  A block that belongs to the map, as far as its header
 * goes, gives what plausible records it has, whatever level it says it is on: a record
 * with a length is an extent, one without a child.  No block is followed twice, so that
 * loops end.  If anything was odd the whole map is written anew from
 * the records, which is simpler than any repair in place and leaves a map that passes
 * every check.
 */
#include "../lib/mem.h"
#include "fsck.h"
#include "ident.h"
#include "tree.h"

/**
 * struct reading - one tree_read()
 * @seen: TREE_AGAIN: blocks of the map so far
 * @weak: this block's checksum is wrong: believe records only if the bitmap agrees
 */
struct reading {
	struct fsck *f;
	const struct owner *own;
	struct tree *t;
	enum tree_mode mode;
	struct numtab seen;
	bool weak;
};

/* The list of records ---------------------------------------------------------------- */

void tree_add(struct tree *t, const struct cohfs_extent *ext)
{
	t->recs = mem_grow(t->recs, t->count, &t->room, sizeof(*t->recs));
	t->recs[t->count++] = *ext;
}

void tree_add_block(struct tree *t, u64 blkno)
{
	t->blks = mem_grow(t->blks, t->nblks, &t->blks_room, sizeof(*t->blks));
	t->blks[t->nblks++] = blkno;
}

void tree_clear(struct tree *t)
{
	t->count = 0;
	t->nblks = 0;
	t->counted = 0;
	t->present = false;
	t->damaged = false;
}

void tree_free(struct tree *t)
{
	free(t->recs);
	free(t->blks);
	memset(t, 0, sizeof(*t));
}

u64 tree_blocks(const struct tree *t)
{
	u64 blocks = t->nblks;
	size_t i;

	for (i = 0; i < t->count; i++)
		blocks += t->recs[i].len;
	return blocks;
}

static int compare_recs(const void *a, const void *b)
{
	const struct cohfs_extent *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return x->blk < y->blk ? -1 : x->blk > y->blk;
}

bool tree_sort(struct tree *t)
{
	bool changed = false;
	size_t i, n = 0;
	u64 end = 0;

	for (i = 1; i < t->count && !changed; i++)
		changed = t->recs[i].key < t->recs[i - 1].key + t->recs[i - 1].len;
	if (!changed)
		return false;
	mem_sort(t->recs, t->count, sizeof(*t->recs), compare_recs);
	for (i = 0; i < t->count; i++) {
		if (n && t->recs[i].key < end)
			continue;
		end = t->recs[i].key + t->recs[i].len;
		t->recs[n++] = t->recs[i];
	}
	t->count = n;
	return true;
}

/* One block ------------------------------------------------------------------------- */

static void report(struct reading *r, enum problem kind, u64 blkno, const char *why)
{
	r->t->damaged = true;
	if (r->mode == TREE_CHECK)
		problem(&r->f->problems, kind, "inode %llu: map block %llu: %s",
			r->own->ino, blkno, why);
}

bool tree_record_ok(struct fsck *f, bool dir, const struct cohfs_extent *ext)
{
	u64 max = dir ? COHFS_MAP_KEY_MAX : FILE_KEY_MAX;

	if (!ext->len || ext->key > max || ext->len - 1 > max - ext->key ||
	    ext->flags & ~COHFS_REC_UNWRITTEN)
		return false;
	if (dir && (ext->len != 1 || ext->flags))
		return false;
	return volume_extent_ok(&f->vol, ext->blk, ext->len);
}

static void take_record(struct reading *r, u64 blkno, const struct cohfs_extent *ext)
{
	if (!tree_record_ok(r->f, r->own->dir, ext) ||
	    (r->weak && !groups_maybe_used(r->f, ext->blk, ext->len)))
		report(r, P_MAP_RECORD, blkno, "a record that cannot be right");
	else
		tree_add(r->t, ext);
}

/*
 * Records of @mb.  If the counter is to be believed (@all false) those; else all that
 * are not empty, since the code that removes records clears them.
 */
static u32 count_records(const struct cohfs_map_block *mb, bool all)
{
	u32 count = cohfs_mapblock_count(mb);
	struct cohfs_extent ext;

	if (!all)
		return count;
	for (count = COHFS_MAP_RECS; count; count--) {
		cohfs_mapblock_get(mb, count - 1, &ext);
		if (ext.blk || ext.len)
			break;
	}
	return count;
}

static void read_node(struct reading *r, u64 blkno, const struct cohfs_map_block *mb,
		      u32 depth);

/* Is the child what its parent's record announced, followed by key @end? */
static const char *check_child(const struct cohfs_map_block *parent,
			       const struct cohfs_map_block *mb,
			       const struct cohfs_extent *rec, u64 end)
{
	struct cohfs_extent ext;

	if (cohfs_mapblock_level(mb) + 1 != cohfs_mapblock_level(parent))
		return "level";
	cohfs_mapblock_get(mb, 0, &ext);
	if (ext.key != rec->key)
		return "first key";
	cohfs_mapblock_get(mb, cohfs_mapblock_count(mb) - 1, &ext);
	if (ext.key + max_t(u32, ext.len, 1) > end)
		return "last key";
	return NULL;
}

/* No block is read twice: what looks like a tree may be a very large one then */
static bool first_visit(struct reading *r, u64 blkno)
{
	u64 value;

	if (r->mode == TREE_CHECK)
		return claim_meta(&r->f->claims, blkno, 1);
	if (numtab_get(&r->seen, blkno, &value))
		return false;
	numtab_put(&r->seen, blkno, 0);
	return true;
}

/* The block that record @rec says is a child, if it is one and nobody else's */
static enum ident get_child(struct reading *r, const struct cohfs_extent *rec,
			    union block *buf)
{
	struct expect ex = {
		.type = COHFS_BT_MAP, .blkno = rec->blk, .owner = r->own->ino,
		.generation = r->own->generation,
	};
	const char *why = "cannot be read";
	enum ident id = IDENT_NONE;

	if (!image_read(r->f->img, rec->blk, buf))
		id = ident_block(&r->f->vol, buf, &ex, &why);
	if (id == IDENT_NONE) {
		report(r, P_MAP_BLOCK, rec->blk, why);
		return id;
	}
	if (!first_visit(r, rec->blk)) {
		report(r, P_MAP_BLOCK, rec->blk, "is in use elsewhere, too");
		return IDENT_NONE;
	}
	if (id != IDENT_SURE)
		report(r, id == IDENT_HEADER ? P_MAP_SHAPE : P_MAP_SUM, rec->blk, why);
	return id;
}

static void read_child(struct reading *r, const struct cohfs_map_block *parent, u32 i,
		       u32 depth)
{
	struct cohfs_extent rec, next = { .key = COHFS_MAP_KEY_MAX + 1 };
	bool weak = r->weak;
	union block buf;
	enum ident id;
	const char *why;

	cohfs_mapblock_get(parent, i, &rec);
	if (depth > COHFS_MAP_MAX_LEVEL || !volume_extent_ok(&r->f->vol, rec.blk, 1)) {
		report(r, P_MAP_RECORD, le64_to_cpu(parent->m_hdr.bh_blkno),
		       "a child that cannot be right");
		return;
	}
	id = get_child(r, &rec, &buf);
	if (id == IDENT_NONE)
		return;
	tree_add_block(r->t, rec.blk);
	if (i + 1 < cohfs_mapblock_count(parent) && i + 1 < COHFS_MAP_RECS)
		cohfs_mapblock_get(parent, i + 1, &next);
	why = cohfs_check_body(&buf, COHFS_BT_MAP);
	if (!why)
		why = check_child(parent, &buf.map, &rec, next.key);
	if (why)
		report(r, P_MAP_SHAPE, rec.blk, why);
	r->weak = id == IDENT_SUM;
	read_node(r, rec.blk, &buf.map, depth);
	r->weak = weak;
}

static void read_node(struct reading *r, u64 blkno, const struct cohfs_map_block *mb,
		      u32 depth)
{
	bool sound = !cohfs_check_body(mb, COHFS_BT_MAP);
	u32 count = count_records(mb, true);
	struct cohfs_extent ext;
	u32 i;

	if (sound && count > cohfs_mapblock_count(mb))
		report(r, P_MAP_SHAPE, blkno, "records behind the last one");
	else if (sound)
		count = cohfs_mapblock_count(mb);
	for (i = 0; i < count; i++) {
		cohfs_mapblock_get(mb, i, &ext);
		if (ext.len)
			take_record(r, blkno, &ext);
		else
			read_child(r, mb, i, depth + 1);
	}
}

/* The root ----------------------------------------------------------------------------- */

/*
 * The root of an inode that never had a map may be one of an earlier generation, with a
 * right checksum, whose blocks are others' now.  Only a directory that has leaves must
 * have one of its own.
 */
static bool is_stale(const struct owner *own, const union block *buf)
{
	return !own->expected &&
	       le32_to_cpu(buf->hdr.bh_generation) != own->generation;
}

static void root_absent(struct reading *r)
{
	if (r->own->expected) {
		report(r, P_MAP_BLOCK, r->own->ino + 1, "no root of a map");
	} else if (r->own->blocks > 2) {
		/* or the node that made the map died before its journal had it */
		r->t->damaged = true;
		if (r->mode == TREE_CHECK)
			problem(&r->f->problems, P_MAP_ABSENT,
				"inode %llu: it had %llu blocks, but there is no map",
				r->own->ino, r->own->blocks - 2);
	}
}

static enum ident read_root(struct reading *r, union block *buf, const char **why)
{
	struct expect ex = {
		.type = COHFS_BT_MAP, .blkno = r->own->ino + 1, .owner = r->own->ino,
		.generation = r->own->generation,
	};
	enum ident id;

	if (image_read(r->f->img, ex.blkno, buf)) {
		*why = "cannot be read";
		r->t->damaged = true;
		return IDENT_NONE;
	}
	id = ident_block(&r->f->vol, buf, &ex, why);
	if (id == IDENT_FIELD && is_stale(r->own, buf))
		return IDENT_NONE;
	return id;
}

void tree_read(struct fsck *f, const struct owner *own, struct tree *t,
	       enum tree_mode mode)
{
	struct reading r = { .f = f, .own = own, .t = t, .mode = mode };
	const char *why, *body;
	union block buf;
	enum ident id;

	tree_clear(t);
	id = read_root(&r, &buf, &why);
	if (id == IDENT_NONE) {
		root_absent(&r);
		return;
	}
	t->present = true;
	t->counted = le64_to_cpu(buf.map.m_blocks);
	r.weak = id == IDENT_SUM;
	body = cohfs_check_body(&buf, COHFS_BT_MAP);
	if (id != IDENT_SURE)
		report(&r, id == IDENT_HEADER ? P_MAP_SHAPE : P_MAP_SUM, own->ino + 1, why);
	if (body)
		report(&r, P_MAP_SHAPE, own->ino + 1, body);
	read_node(&r, own->ino + 1, &buf.map, 0);
	numtab_free(&r.seen);
	if (tree_sort(t))
		report(&r, P_MAP_SHAPE, own->ino + 1, "records out of order");
}

void tree_fix_count(struct fsck *f, const struct owner *own, struct tree *t)
{
	u64 blocks = tree_blocks(t);
	union block buf;

	if (!t->present || t->damaged || t->counted == blocks)
		return;
	problem(&f->problems, P_MAP_COUNT, "inode %llu: its map counts %llu blocks, it has %llu",
		own->ino, t->counted, blocks);
	if (image_read(f->img, own->ino + 1, &buf))
		return;
	buf.map.m_blocks = cpu_to_le64(blocks);
	cohfs_block_seal(&buf);
	image_write(f->img, own->ino + 1, &buf);
}

/* Writing ------------------------------------------------------------------------------- */

/* Blocks below the root for @count records */
static size_t blocks_needed(size_t count)
{
	size_t total = 0;

	while (count > COHFS_MAP_RECS) {
		count = DIV_ROUND_UP(count, COHFS_MAP_RECS);
		total += count;
	}
	return total;
}

/* Own blocks first; the rest of them is given up */
static bool get_blocks(struct fsck *f, struct tree *t, size_t want)
{
	u64 blk;

	while (t->nblks < want) {
		blk = claims_find_free(&f->claims, 1, true);
		if (!blk)
			return false;
		tree_add_block(t, blk);
	}
	while (t->nblks > want)
		unclaim(&f->claims, t->blks[--t->nblks], 1);
	return true;
}

static void write_node(struct fsck *f, const struct owner *own, u64 blkno, u32 level,
		       const struct cohfs_extent *recs, size_t count, u64 blocks)
{
	struct expect ex = {
		.type = COHFS_BT_MAP, .blkno = blkno, .owner = own->ino,
		.generation = own->generation,
	};
	union block buf;
	size_t i;

	memset(&buf, 0, sizeof(buf));
	ident_restore(&f->vol, &buf, &ex);
	buf.map.m_level = cpu_to_le16((u16)level);
	buf.map.m_blocks = cpu_to_le64(blocks);
	for (i = 0; i < count; i++)
		cohfs_mapblock_put(&buf.map, (u32)i, &recs[i]);
	cohfs_block_seal(&buf);
	image_write(f->img, blkno, &buf);
}

/* One level below the root into @blks; @recs becomes the records of the one above */
static size_t write_level(struct fsck *f, const struct owner *own, u32 level,
			  struct cohfs_extent *recs, size_t count, const u64 *blks)
{
	size_t nodes = DIV_ROUND_UP(count, COHFS_MAP_RECS);
	size_t i, from, n;

	for (i = 0; i < nodes; i++) {
		from = i * COHFS_MAP_RECS;
		n = min_t(size_t, count - from, COHFS_MAP_RECS);
		write_node(f, own, blks[i], level, recs + from, n, 0);
		recs[i] = (struct cohfs_extent) { .key = recs[from].key, .blk = blks[i] };
	}
	return nodes;
}

bool tree_write(struct fsck *f, const struct owner *own, struct tree *t)
{
	struct cohfs_extent *recs;
	size_t count = t->count, used = 0, nodes;
	u32 level = 0;

	if (!get_blocks(f, t, blocks_needed(count)))
		return false;
	recs = mem_copy(t->recs, count * sizeof(*recs));
	while (count > COHFS_MAP_RECS) {
		nodes = write_level(f, own, level++, recs, count, t->blks + used);
		used += nodes;
		count = nodes;
	}
	write_node(f, own, own->ino + 1, level, recs, count, tree_blocks(t));
	free(recs);
	t->present = true;
	t->damaged = false;
	t->counted = tree_blocks(t);
	return true;
}
