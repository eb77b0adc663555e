// SPDX-License-Identifier: GPL-2.0-only
/* The inodes that were found. */
#include "../lib/mem.h"
#include "nodes.h"

struct node *nodes_find(const struct nodes *all, u64 ino)
{
	u64 index;

	return numtab_get(&all->by_ino, ino, &index) ? &all->node[index] : NULL;
}

struct node *nodes_add(struct nodes *all, u64 ino)
{
	struct node *node;

	all->node = mem_grow(all->node, all->count, &all->room, sizeof(*node));
	node = &all->node[all->count];
	memset(node, 0, sizeof(*node));
	node->ino = ino;
	numtab_put(&all->by_ino, ino, all->count++);
	return node;
}

void nodes_free(struct nodes *all)
{
	free(all->node);
	numtab_free(&all->by_ino);
	memset(all, 0, sizeof(*all));
}
