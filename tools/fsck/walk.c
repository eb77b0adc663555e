// SPDX-License-Identifier: GPL-2.0-only
/* From the root to everything that has a name. */
#include "dir.h"
#include "fsck.h"
#include "inode.h"
#include "walk.h"

void walk_queue(struct fsck *f)
{
	u64 ino;

	do {
		while (f->queue_head < f->queue_count) {
			ino = f->queue[f->queue_head++];
			if (!(nodes_find(&f->nodes, ino)->flags & NODE_WALKED))
				dir_check(f, ino);
			progress_to(f->progress, f->claims.claimed);
		}
		f->queue_head = 0;
		f->queue_count = 0;
		names_deferred(f);
	} while (f->queue_count);
}

/*
 * A directory that has to be there, whatever it was before.  If its number is taken by
 * something else the next round finds it free.
 */
static void load_system_dir(struct fsck *f, u64 ino, u32 mode)
{
	struct hint hint = { .dir = ino, .type = TYPE_DIR, .certain = true };
	struct node *node;

	if (inode_load(f, ino, &hint, &node) != INODE_OK) {
		problem(&f->problems, P_ROOT, "%s directory %llu is lost; a new one is made",
			ino == f->vol.info.root_ino ? "root" : "orphan", ino);
		if (!claim_meta(&f->claims, ino, 2))
			return;
		node = inode_create_dir(f, ino, mode, ino);
	}
	node->flags |= NODE_SYSTEM;
	node->parent = ino;
}

static void walk_from(struct fsck *f, u64 ino)
{
	const struct node *node = nodes_find(&f->nodes, ino);

	if (node && !(node->flags & NODE_WALKED))
		dir_check(f, ino);
	walk_queue(f);
}

/* System directories are loaded first, so that no name can claim them */
void walk_tree(struct fsck *f)
{
	u64 root = f->vol.info.root_ino;
	u32 slot;

	load_system_dir(f, root, 0755);
	for (slot = 0; slot < f->vol.info.slots; slot++)
		if (f->slots.dir[slot])
			load_system_dir(f, f->slots.dir[slot], 0700);
	walk_from(f, root);
	for (slot = 0; slot < f->vol.info.slots; slot++)
		if (f->slots.dir[slot])
			walk_from(f, f->slots.dir[slot]);
}
