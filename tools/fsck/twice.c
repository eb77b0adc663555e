// SPDX-License-Identifier: GPL-2.0-only
/*
 * Blocks that more than one file claims.
 *
 * Whose contents a block has cannot be told.  So the first file keeps it and each other
 * gets a copy: at most one of them is wrong, and nothing is lost.  A block that turned
 * out to be metadata has no contents of a file at all; there a hole is left.
 */
#include "../lib/mem.h"
#include "fsck.h"
#include "inode.h"
#include "twice.h"

/**
 * struct use - a file has this block, which others have, too
 * @copy: what it gets instead, 0: a hole; @blk: it keeps it
 */
struct use {
	u64 blk;
	u64 ino;
	u64 key;
	u64 copy;
};

struct uses {
	struct use *use;
	size_t count;
	size_t room;
};

/* Finding --------------------------------------------------------------------------- */

static void note_extent(struct fsck *f, struct uses *all, u64 ino,
			const struct cohfs_extent *ext)
{
	struct use *use;
	u32 i;

	for (i = 0; i < ext->len; i++) {
		if (!is_claimed_twice(&f->claims, ext->blk + i))
			continue;
		all->use = mem_grow(all->use, all->count, &all->room, sizeof(*use));
		use = &all->use[all->count++];
		use->blk = ext->blk + i;
		use->ino = ino;
		use->key = ext->key + i;
		use->copy = use->blk;
	}
}

static void note_file(struct fsck *f, struct uses *all, const struct node *node)
{
	const struct job *job = jobs_find(&f->jobs, node->ino);
	struct tree t = { 0 };
	struct owner own;
	size_t i;

	if (job) {
		for (i = 0; i < job->tree.count; i++)
			note_extent(f, all, node->ino, &job->tree.recs[i]);
		return;
	}
	inode_owner(f, node, &own);
	tree_read(f, &own, &t, TREE_AGAIN);
	for (i = 0; i < t.count; i++)
		note_extent(f, all, node->ino, &t.recs[i]);
	tree_free(&t);
}

/* Deciding ---------------------------------------------------------------------------- */

static int by_block(const void *a, const void *b)
{
	const struct use *x = a, *y = b;

	if (x->blk != y->blk)
		return x->blk < y->blk ? -1 : 1;
	if (x->ino != y->ino)
		return x->ino < y->ino ? -1 : 1;
	return x->key < y->key ? -1 : x->key > y->key;
}

static int by_place(const void *a, const void *b)
{
	const struct use *x = a, *y = b;

	if (x->ino != y->ino)
		return x->ino < y->ino ? -1 : 1;
	return x->key < y->key ? -1 : x->key > y->key;
}

static u64 copy_block(struct fsck *f, u64 blk)
{
	u64 copy = claims_find_free(&f->claims, 1, false);
	union block buf;

	if (!copy)
		return 0;
	if (image_read(f->img, blk, &buf))
		memset(&buf, 0, sizeof(buf));
	image_write(f->img, copy, &buf);
	return copy;
}

static void decide(struct fsck *f, struct uses *all)
{
	size_t i;

	mem_sort(all->use, all->count, sizeof(*all->use), by_block);
	for (i = 0; i < all->count; i++) {
		if (is_claimed_meta(&f->claims, all->use[i].blk))
			all->use[i].copy = 0;
		else if (i && all->use[i].blk == all->use[i - 1].blk)
			all->use[i].copy = copy_block(f, all->use[i].blk);
	}
	mem_sort(all->use, all->count, sizeof(*all->use), by_place);
}

/* Changing maps ------------------------------------------------------------------------- */

/* Add one block, to the last record if it continues it */
static void put_block(struct tree *t, u64 key, u64 blk, u32 flags)
{
	struct cohfs_extent ext = { .key = key, .blk = blk, .len = 1, .flags = flags };
	struct cohfs_extent *last = t->count ? &t->recs[t->count - 1] : NULL;

	if (last && last->key + last->len == key && last->blk + last->len == blk &&
	    last->flags == flags)
		last->len++;
	else
		tree_add(t, &ext);
}

/* @use..@use + @n: the places of one file, ascending */
static void change_map(struct tree *t, const struct use *use, size_t n)
{
	struct tree old = *t;
	size_t i, next = 0;
	u64 key, blk;
	u32 k;

	t->recs = NULL;
	t->count = 0;
	t->room = 0;
	for (i = 0; i < old.count; i++) {
		for (k = 0; k < old.recs[i].len; k++) {
			key = old.recs[i].key + k;
			blk = old.recs[i].blk + k;
			while (next < n && use[next].key < key)
				next++;
			if (next < n && use[next].key == key)
				blk = use[next].copy;
			if (blk)
				put_block(t, key, blk, old.recs[i].flags);
		}
	}
	free(old.recs);
}

static void change_file(struct fsck *f, const struct use *use, size_t n)
{
	u64 copied = 0, lost = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		copied += use[i].copy && use[i].copy != use[i].blk;
		lost += !use[i].copy;
	}
	problem(&f->problems, P_BLOCKS_TWICE,
		"inode %llu: %zu blocks are used elsewhere, too: %llu copied, %llu lost",
		use->ino, n, copied, lost);
	if (copied || lost)
		change_map(&jobs_for(f, nodes_find(&f->nodes, use->ino))->tree, use, n);
}

void twice_resolve(struct fsck *f)
{
	struct uses all = { 0 };
	size_t i, n;

	if (!f->claims.twice)
		return;
	for (i = 0; i < f->nodes.count; i++)
		if (f->nodes.node[i].type == TYPE_REG)
			note_file(f, &all, &f->nodes.node[i]);
	decide(f, &all);
	for (i = 0; i < all.count; i += n) {
		for (n = 1; i + n < all.count && all.use[i + n].ino == all.use[i].ino;)
			n++;
		change_file(f, &all.use[i], n);
	}
	free(all.use);
}
