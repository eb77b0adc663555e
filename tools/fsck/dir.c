// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading directories.
 *
 * Names are looked at one by one and not remembered: when a directory has to be written
 * anew they are read again, and what is known by then decides which of them stay.
 */
#include "../../fs/core/dirhash.h"
#include "dir.h"
#include "fsck.h"
#include "inode.h"

/**
 * struct span - a leaf and the hashes that it is for
 * @first, @end: hashes from @first up to, not including, @end
 * @prev: key of the name before
 * @run: names with the hash of the current one
 */
struct span {
	u64 blkno;
	u64 first;
	u64 end;
	u64 prev;
	struct cohfs_dirview run[COHFS_SEQ_MAX + 1];
	u32 run_count;
};

static void report(struct dirscan *ds, enum problem kind, const struct cohfs_dirview *view,
		   const char *what)
{
	problem(&ds->f->problems, kind, "directory %llu: name \"%.*s\": %s", ds->ino,
		(int)view->name_len, (const char *)view->name, what);
	ds->rewrite = true;
}

/* The same name twice?  Those of one hash follow each other. */
static bool seen_before(struct span *sp, const struct cohfs_dirview *view)
{
	u32 i;

	if (sp->run_count &&
	    cohfs_dirkey_hash(sp->run[0].key) != cohfs_dirkey_hash(view->key))
		sp->run_count = 0;
	for (i = 0; i < sp->run_count; i++)
		if (sp->run[i].name_len == view->name_len &&
		    !memcmp(sp->run[i].name, view->name, view->name_len))
			return true;
	if (sp->run_count < ARRAY_SIZE(sp->run))
		sp->run[sp->run_count++] = *view;
	return false;
}

static void check_name(struct dirscan *ds, struct span *sp,
		       const struct cohfs_dirview *view, bool hashed)
{
	u64 hash = cohfs_dirkey_hash(view->key);

	if (!leaf_name_ok(view->name, view->name_len))
		report(ds, P_NAME_BAD, view, "characters that a name cannot have");
	else if (!hashed)
		report(ds, P_NAME_HASH, view, "hash");
	else if (hash < sp->first || hash >= sp->end)
		report(ds, P_NAME_HASH, view, "in the wrong leaf");
	if (view->key <= sp->prev && sp->prev)
		report(ds, P_NAME_HASH, view, "cookie out of order");
	sp->prev = view->key;
	if (seen_before(sp, view))
		report(ds, P_NAME_TWICE, view, "there twice");
}

static void check_names(struct dirscan *ds, const struct leaf *leaf, struct span *sp)
{
	struct cohfs_dirview view;
	bool hashed;
	u32 off = 0;

	while (leaf_next(&ds->f->vol, leaf, &off, &view, &hashed)) {
		check_name(ds, sp, &view, hashed);
		name_take(ds, &view, hashed);
	}
}

/* False: there is nothing of use there */
static bool check_leaf(struct dirscan *ds, const struct owner *own, struct span *sp)
{
	struct problems *p = &ds->f->problems;
	struct leaf leaf;

	if (!leaf_read(&ds->f->vol, sp->blkno, own->ino, own->generation, &leaf)) {
		problem(p, P_LEAF_BLOCK, "directory %llu: leaf %llu: %s; its names are lost",
			own->ino, sp->blkno, leaf.why);
		return false;
	}
	if (!claim_meta(&ds->f->claims, sp->blkno, 1)) {
		problem(p, P_LEAF_BLOCK, "directory %llu: leaf %llu is in use elsewhere, too",
			own->ino, sp->blkno);
		return false;
	}
	ds->weak = leaf.ident == IDENT_SUM;
	if (leaf.ident != IDENT_SURE)
		problem(p, leaf.ident == IDENT_HEADER ? P_LEAF_SHAPE : P_LEAF_SUM,
			"directory %llu: leaf %llu: %s", own->ino, sp->blkno,
			leaf.why);
	else if (leaf.body)
		problem(p, P_LEAF_SHAPE, "directory %llu: leaf %llu: %s", own->ino,
			sp->blkno, leaf.body);
	if (!leaf_sound(&leaf))
		ds->rewrite = true;
	check_names(ds, &leaf, sp);
	return true;
}

/* All leaves; those of no use are removed from @t, and from the map with it */
static void check_leaves(struct dirscan *ds, const struct owner *own, struct tree *t)
{
	struct span sp;
	size_t i, n = 0;

	for (i = 0; i < t->count; i++) {
		memset(&sp, 0, sizeof(sp));
		sp.blkno = t->recs[i].blk;
		sp.first = t->recs[i].key;
		sp.end = i + 1 < t->count ? t->recs[i + 1].key : COHFS_MAP_KEY_MAX + 1;
		if (check_leaf(ds, own, &sp))
			t->recs[n++] = t->recs[i];
		else
			t->damaged = true;
	}
	t->count = n;
}

/* A directory being deleted loses its leaves first; its inode is not written again */
static void check_size(struct fsck *f, const struct node *node, const struct owner *own,
		       const struct tree *t)
{
	u64 size = (u64)t->count << COHFS_BLOCK_SHIFT, blocks = tree_blocks(t) + 2;
	union block buf;

	if (image_read(f->img, own->ino, &buf))
		return;
	if (le64_to_cpu(buf.inode.i_size) == size && own->blocks == blocks)
		return;
	if ((node->flags & NODE_ORPHAN) && le64_to_cpu(buf.inode.i_size) >= size &&
	    own->blocks >= blocks)
		return;
	problem(&f->problems, P_DIR_SIZE,
		"directory %llu: size %llu and %llu blocks instead of %llu and %llu",
		own->ino, le64_to_cpu(buf.inode.i_size), own->blocks,
		size, blocks);
	inode_set_dir(f, own->ino, t->count, blocks);
}

void dir_check(struct fsck *f, u64 ino)
{
	struct node *node = nodes_find(&f->nodes, ino);
	struct dirscan ds = {
		.f = f, .ino = ino, .slot = slots_by_dir(f, ino),
		.deleted = node->flags & NODE_ORPHAN,
	};
	struct tree t = { 0 };
	struct owner own;

	node->flags |= NODE_WALKED;
	inode_owner(f, node, &own);
	if (ds.deleted)
		own.expected = false;
	tree_read(f, &own, &t, TREE_CHECK);
	check_leaves(&ds, &own, &t);
	tree_fix_count(f, &own, &t);
	if (t.damaged || ds.rewrite)
		jobs_take(&f->jobs, &own, &t)->no_names = ds.deleted;
	else
		check_size(f, nodes_find(&f->nodes, ino), &own, &t);
	tree_free(&t);
}
