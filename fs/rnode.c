// SPDX-License-Identifier: GPL-2.0-only
/* Nodes of the range lock trees: made, found, forgotten. */
#include <linux/slab.h>
#include "cover.h"
#include "inode.h"
#include "range.h"
#include "rcache.h"
#include "rnode.h"
#include "super.h"

static struct xarray *nodes_of(struct inode *inode, enum cohfs_rt_level level)
{
	return &COHFS_I(inode)->ci_ranges.nodes[level - 1];
}

static int new_cover(struct cohfs_rnode *node)
{
	if (node->level != COHFS_RT_REGION)
		return 0;
	node->parent->cover = kzalloc(sizeof(*node->parent->cover), GFP_NOFS);
	if (!node->parent->cover)
		return -ENOMEM;
	cohfs_cover_init(node->parent->cover);
	return 0;
}

void cohfs_rnode_free(struct cohfs_rnode *node)
{
	if (node->level != COHFS_RT_PAGE)
		kfree(node->parent->cover);
	kfree(node);
}

static struct cohfs_rnode *new_rnode(struct inode *inode, enum cohfs_rt_level level,
				     u64 index)
{
	unsigned int parents = level == COHFS_RT_PAGE ? 0 : 1;
	struct cohfs_rnode *node;
	int err;

	node = kzalloc(struct_size(node, parent, parents), GFP_NOFS);
	if (!node)
		return ERR_PTR(-ENOMEM);
	node->cs = COHFS_SB(inode->i_sb);
	spin_lock_init(&node->spin);
	node->ci = COHFS_I(inode);
	node->level = level;
	node->index = index;
	node->used = jiffies;
	INIT_LIST_HEAD(&node->lru);
	err = new_cover(node);
	if (!err)
		err = cohfs_lock_init(&node->lk, node->cs->ls, &cohfs_range_ops[level],
				      COHFS_LT_RANGE + level, inode->i_ino, index);
	if (!err)
		return node;
	cohfs_rnode_free(node);
	return ERR_PTR(err);
}

/* From now on no revoke looks at the inode; nothing of it is in core. */
static void drop_rnode(struct cohfs_rnode *node)
{
	cohfs_rcache_del(node);
	spin_lock(&node->spin);
	node->ci = NULL;
	spin_unlock(&node->spin);
	cohfs_lock_drop(&node->lk);
}

void cohfs_rtree_init_once(struct cohfs_rtree *tree)
{
	unsigned int i;

	init_rwsem(&tree->sem);
	for (i = 0; i < ARRAY_SIZE(tree->nodes); i++)
		xa_init(&tree->nodes[i]);
	INIT_LIST_HEAD(&tree->link);
}

int cohfs_rtree_begin(struct inode *inode)
{
	struct cohfs_rnode *root = new_rnode(inode, COHFS_RT_FILE, 0);

	if (IS_ERR(root))
		return PTR_ERR(root);
	COHFS_I(inode)->ci_ranges.root = root;
	return 0;
}

void cohfs_rtree_end(struct inode *inode)
{
	struct cohfs_rtree *tree = &COHFS_I(inode)->ci_ranges;
	struct cohfs_rnode *node;
	unsigned long index;
	unsigned int i;

	if (!tree->root)
		return;
	cohfs_rcache_forget_file(inode);
	for (i = 0; i < ARRAY_SIZE(tree->nodes); i++) {
		xa_for_each(&tree->nodes[i], index, node) {
			xa_erase(&tree->nodes[i], index);
			drop_rnode(node);
		}
		xa_destroy(&tree->nodes[i]);
	}
	drop_rnode(tree->root);
	tree->root = NULL;
}

void cohfs_rtree_note_cleaned(struct inode *inode, pgoff_t first, pgoff_t last)
{
	struct cohfs_rtree *tree = &COHFS_I(inode)->ci_ranges;

	WRITE_ONCE(tree->cleaned.first, first);
	WRITE_ONCE(tree->cleaned.last, last);
	WRITE_ONCE(tree->cleaned.when, jiffies ? : 1);
}

struct cohfs_rnode *cohfs_rnode_find(struct inode *inode, enum cohfs_rt_level level,
				     u64 index)
{
	struct xarray *nodes = nodes_of(inode, level);
	struct cohfs_rnode *node;

	xa_lock(nodes);
	node = xa_load(nodes, index);
	if (node)
		cohfs_rnode_pin(node);
	xa_unlock(nodes);
	return node;
}

struct cohfs_rnode *cohfs_rnode_next(struct inode *inode, enum cohfs_rt_level level,
				     u64 index, u64 last)
{
	struct xarray *nodes = nodes_of(inode, level);
	struct cohfs_rnode *node;
	unsigned long at = index;

	xa_lock(nodes);
	node = xa_find(nodes, &at, last, XA_PRESENT);
	if (node)
		cohfs_rnode_pin(node);
	xa_unlock(nodes);
	return node;
}

struct cohfs_rnode *cohfs_rnode_get(struct inode *inode, enum cohfs_rt_level level,
				    u64 index)
{
	struct cohfs_rnode *node = cohfs_rnode_find(inode, level, index);
	struct xarray *nodes = nodes_of(inode, level);
	struct cohfs_rnode *new;

	if (node)
		return node;
	new = new_rnode(inode, level, index);
	if (IS_ERR(new))
		return new;
	cohfs_rnode_pin(new);
	xa_lock(nodes);
	node = __xa_cmpxchg(nodes, index, NULL, new, GFP_NOFS);
	if (node && !xa_is_err(node))
		cohfs_rnode_pin(node);
	xa_unlock(nodes);
	if (!node) {
		cohfs_rcache_add(new, inode);
		return new;
	}
	drop_rnode(new);
	return xa_is_err(node) ? ERR_PTR(xa_err(node)) : node;
}

bool cohfs_rnode_forget(struct inode *inode, struct cohfs_rnode *node)
{
	struct xarray *nodes = nodes_of(inode, node->level);
	bool gone;

	xa_lock(nodes);
	gone = xa_load(nodes, node->index) == node && !atomic_read(&node->pins) &&
	       cohfs_lock_idle(&node->lk);
	if (gone)
		__xa_erase(nodes, node->index);
	xa_unlock(nodes);
	if (gone)
		drop_rnode(node);
	return gone;
}

struct cohfs_rnode *cohfs_rnode_deepest(struct inode *inode, pgoff_t page)
{
	struct cohfs_rnode *root = COHFS_I(inode)->ci_ranges.root;
	struct cohfs_rnode *node = NULL;
	unsigned int level;

	if (!cohfs_rt_is_whole(cohfs_lock_cached(&root->lk)))
		for (level = COHFS_RT_PAGE; level > COHFS_RT_FILE && !node; level--)
			node = cohfs_rnode_find(inode, level,
						cohfs_rt_index(level, page));
	if (node)
		return node;
	cohfs_rnode_pin(root);
	return root;
}

struct inode *cohfs_rnode_grab_inode(struct cohfs_rnode *node)
{
	struct inode *inode = NULL;

	spin_lock(&node->spin);
	if (node->ci)
		inode = igrab(&node->ci->ci_vfs);
	spin_unlock(&node->spin);
	return inode;
}

void cohfs_rnode_note(struct cohfs_rnode *node, u64 index, enum cohfs_mode mode)
{
	struct cohfs_rnode_parent *parent = node->parent;
	struct cohfs_rt_keep *keep;
	unsigned int i;

	for (i = 0; i < COHFS_RNODE_RECENT; i++) {
		keep = &parent->recent[i];
		if (keep->index == index && keep->mode) {
			if (keep->mode < mode)
				keep->mode = mode;
			return;
		}
	}
	i = parent->recent_next++ % COHFS_RNODE_RECENT;
	parent->recent[i].index = index;
	parent->recent[i].mode = mode;
}
