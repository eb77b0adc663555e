// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names: what each stands for, and which of them are to stay.
 *
 * Directories are walked breadth first from the root, so the first name of a directory
 * that is found gives it a place in the tree; loops cannot come about.
 */
#include "../lib/mem.h"
#include "dir.h"
#include "fsck.h"
#include "inode.h"
#include "lost.h"

/** struct deferred_name - a name whose generation is not its inode's */
struct deferred_name {
	u64 dir;
	u64 ino;
	u32 generation;
	u8 type;
	u8 name_len;
	u8 name[COHFS_NAME_MAX];
};

static void report(struct dirscan *ds, enum problem kind, const struct cohfs_dirview *view,
		   const char *what)
{
	problem(&ds->f->problems, kind, "directory %llu: name \"%.*s\" of inode %llu: %s",
		ds->ino, (int)view->name_len, (const char *)view->name,
		view->target.ino, what);
	ds->rewrite = true;
}

void orphan_name(u64 ino, char *buf)
{
	snprintf(buf, 17, "%016llx", ino);
}

static void enqueue(struct fsck *f, const struct node *node)
{
	if (node->type != TYPE_DIR || (node->flags & NODE_WALKED))
		return;
	f->queue = mem_grow(f->queue, f->queue_count, &f->queue_room, sizeof(*f->queue));
	f->queue[f->queue_count++] = node->ino;
}

/* One more name: in files it is a link, in directories a subdirectory of @dir */
static void count_name(struct fsck *f, struct node *node, u64 dir)
{
	struct node *parent;

	if (!node->parent)
		node->parent = dir;
	node->flags &= (u8)~NODE_LOST;
	if (node->type != TYPE_DIR) {
		node->names++;
		return;
	}
	parent = nodes_find(&f->nodes, dir);
	if (parent)
		parent->names++;
}

/* Is @dir below @top?  Parents form a tree, so this ends. */
static bool is_below(const struct fsck *f, u64 dir, u64 top)
{
	const struct node *node;

	while (dir != top) {
		node = nodes_find(&f->nodes, dir);
		if (!node || !node->parent || node->parent == dir)
			return false;
		dir = node->parent;
	}
	return true;
}

/* A second name for a directory: it belongs where its block says, else where it is */
static void second_place(struct dirscan *ds, struct node *node,
			 const struct cohfs_dirview *view)
{
	struct fsck *f = ds->f;
	struct node *old;

	if (!node->parent && !is_below(f, ds->ino, node->ino)) {
		count_name(f, node, ds->ino);
		return;
	}
	if (node->flags & (NODE_SYSTEM | NODE_ORPHAN) || node->parent == ds->ino ||
	    node->disk_parent != ds->ino || is_below(f, ds->ino, node->ino)) {
		report(ds, P_DIR_TWICE, view, "the directory has a name already");
		return;
	}
	problem(&f->problems, P_DIR_TWICE, "directory %llu: has names in %llu and %llu",
		node->ino, node->parent, ds->ino);
	old = nodes_find(&f->nodes, node->parent);
	node->parent = ds->ino;
	old->names--;
	nodes_find(&f->nodes, ds->ino)->names++;
	jobs_for(f, old);
}

static void check_type(struct dirscan *ds, const struct node *node,
		       const struct cohfs_dirview *view)
{
	if (node->type != view->target.type)
		report(ds, P_NAME_TYPE, view, "type");
}

static void defer(struct dirscan *ds, const struct cohfs_dirview *view)
{
	struct fsck *f = ds->f;
	struct deferred_name *dn;

	f->deferred = mem_grow(f->deferred, f->deferred_count, &f->deferred_room,
			       sizeof(*dn));
	dn = &f->deferred[f->deferred_count++];
	dn->dir = ds->ino;
	dn->ino = view->target.ino;
	dn->generation = view->target.generation;
	dn->type = view->target.type;
	dn->name_len = (u8)view->name_len;
	memcpy(dn->name, view->name, view->name_len);
	ds->rewrite = true;
}

static struct hint hint_of(const struct dirscan *ds, const struct cohfs_dirview *view,
			   bool hashed)
{
	return (struct hint) {
		.dir = ds->ino,
		.name = view->name,
		.name_len = view->name_len,
		.generation = view->target.generation,
		.type = view->target.type,
		.weak = ds->weak && hashed,
		.orphan = ds->slot >= 0,
	};
}

/* Names in the tree -------------------------------------------------------------------- */

static void take_new(struct dirscan *ds, const struct cohfs_dirview *view, bool hashed)
{
	struct hint hint = hint_of(ds, view, hashed);
	struct node *node;

	switch (inode_load(ds->f, view->target.ino, &hint, &node)) {
	case INODE_GONE:
		report(ds, P_NAME_DANGLING, view, "there is no such inode");
		return;
	case INODE_OTHER:
		if (hashed)
			defer(ds, view);
		else
			report(ds, P_NAME_DANGLING, view, "generation");
		return;
	case INODE_OK:
		break;
	}
	if (node->generation != view->target.generation)
		report(ds, P_NAME_GENERATION, view, "generation");
	check_type(ds, node, view);
	count_name(ds->f, node, ds->ino);
	enqueue(ds->f, node);
}

static void take_known(struct dirscan *ds, struct node *node,
		       const struct cohfs_dirview *view, bool hashed)
{
	if (node->generation != view->target.generation && !(ds->weak && hashed)) {
		report(ds, P_NAME_DANGLING, view, "generation");
		return;
	}
	if (node->type == TYPE_DIR) {
		second_place(ds, node, view);
		return;
	}
	if (node->generation != view->target.generation)
		report(ds, P_NAME_GENERATION, view, "generation");
	check_type(ds, node, view);
	count_name(ds->f, node, ds->ino);
}

/* Names in orphan directories -------------------------------------------------------------- */

static void take_orphan(struct dirscan *ds, const struct cohfs_dirview *view)
{
	struct hint hint = hint_of(ds, view, true);
	struct node *node = nodes_find(&ds->f->nodes, view->target.ino);
	char name[17];

	if (node) {
		report(ds, P_ORPHAN_ENTRY, view, "it is no orphan of this slot");
		return;
	}
	if (inode_load(ds->f, view->target.ino, &hint, &node) != INODE_OK) {
		report(ds, P_ORPHAN_ENTRY, view, "there is no such inode");
		return;
	}
	if (node->disk_links) {
		node->flags |= NODE_LOST;
		report(ds, P_ORPHAN_ENTRY, view, "it has links");
	} else {
		node->flags |= NODE_ORPHAN;
		node->orphan = (u8)(ds->slot + 1);
		node->parent = ds->ino;
		orphan_name(node->ino, name);
		if (view->name_len != 16 || memcmp(view->name, name, 16))
			report(ds, P_NAME_BAD, view, "is not the inode's number");
		if (node->generation != view->target.generation)
			report(ds, P_NAME_GENERATION, view, "generation");
		check_type(ds, node, view);
	}
	enqueue(ds->f, node);
}

/* Both --------------------------------------------------------------------------------------- */

void name_take(struct dirscan *ds, const struct cohfs_dirview *view, bool hashed)
{
	struct node *node;

	if (ds->ino == ds->f->vol.info.root_ino && view->target.type == TYPE_DIR &&
	    view->name_len == strlen(LOST_FOUND) &&
	    !memcmp(view->name, LOST_FOUND, view->name_len))
		ds->f->lost_found = view->target.ino;
	if (ds->deleted) {
		report(ds, P_NAME_DANGLING, view, "in a directory that is deleted");
	} else if (ds->slot >= 0) {
		take_orphan(ds, view);
	} else {
		node = nodes_find(&ds->f->nodes, view->target.ino);
		if (node)
			take_known(ds, node, view, hashed);
		else
			take_new(ds, view, hashed);
	}
}

/* Called once for each name when a directory is written anew */
bool name_stays(struct dirscan *ds, const struct cohfs_dirview *view, bool hashed)
{
	struct node *node = nodes_find(&ds->f->nodes, view->target.ino);

	if (!node || ds->deleted)
		return false;
	if (ds->slot >= 0)
		return (node->flags & NODE_ORPHAN) && node->orphan == ds->slot + 1 &&
		       node->parent == ds->ino;
	if (node->flags & (NODE_SYSTEM | NODE_ORPHAN))
		return false;
	if (node->generation != view->target.generation && !(ds->weak && hashed) &&
	    !((node->flags & NODE_ADOPTED) && node->parent == ds->ino))
		return false;
	if (node->type != TYPE_DIR)
		return true;
	if (node->parent != ds->ino || (node->flags & NODE_PLACED))
		return false;
	node->flags |= NODE_PLACED;
	return true;
}

/* Deferred ------------------------------------------------------------------------------------ */

static void take_deferred(struct fsck *f, const struct deferred_name *dn)
{
	struct hint hint = {
		.dir = dn->dir, .name = dn->name, .name_len = dn->name_len, .type = dn->type,
	};
	struct node *node = nodes_find(&f->nodes, dn->ino);

	if (node || inode_load(f, dn->ino, &hint, &node) != INODE_OK) {
		problem(&f->problems, P_NAME_DANGLING,
			"directory %llu: name \"%.*s\" of inode %llu: generation",
			dn->dir, dn->name_len, (const char *)dn->name, dn->ino);
		return;
	}
	problem(&f->problems, P_NAME_GENERATION,
		"directory %llu: name \"%.*s\" of inode %llu: generation %u instead of %u",
		dn->dir, dn->name_len, (const char *)dn->name, dn->ino,
		dn->generation, node->generation);
	node->flags |= NODE_ADOPTED;
	count_name(f, node, dn->dir);
	enqueue(f, node);
}

void names_deferred(struct fsck *f)
{
	size_t i;

	for (i = 0; i < f->deferred_count; i++) {
		struct deferred_name dn = f->deferred[i];

		take_deferred(f, &dn);
	}
	f->deferred_count = 0;
}
