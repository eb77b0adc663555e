// SPDX-License-Identifier: GPL-2.0-only
/* Maps and directories that will be written anew. */
#include "../lib/mem.h"
#include "dir.h"
#include "fsck.h"
#include "inode.h"

struct job *jobs_find(const struct jobs *all, u64 ino)
{
	u64 index;

	return numtab_get(&all->by_ino, ino, &index) ? &all->job[index] : NULL;
}

struct job *jobs_take(struct jobs *all, const struct owner *own, struct tree *tree)
{
	struct job *job;

	all->job = mem_grow(all->job, all->count, &all->room, sizeof(*job));
	job = &all->job[all->count];
	memset(job, 0, sizeof(*job));
	job->own = *own;
	job->tree = *tree;
	job->incomplete = tree->damaged;
	memset(tree, 0, sizeof(*tree));
	numtab_put(&all->by_ino, own->ino, all->count++);
	return job;
}

struct job *jobs_for(struct fsck *f, const struct node *node)
{
	struct job *job = jobs_find(&f->jobs, node->ino);
	struct tree tree = { 0 };
	struct owner own;

	if (job)
		return job;
	inode_owner(f, node, &own);
	tree_read(f, &own, &tree, TREE_AGAIN);
	return jobs_take(&f->jobs, &own, &tree);
}

void job_add_name(struct job *job, const struct node *node, const u8 *name, u32 len)
{
	struct addition *add;

	job->add = mem_grow(job->add, job->add_count, &job->add_room, sizeof(*add));
	add = &job->add[job->add_count++];
	add->ino = node->ino;
	add->generation = node->generation;
	add->type = node->type;
	add->name_len = (u8)len;
	memcpy(add->name, name, len);
}

static void write_file(struct fsck *f, struct job *job)
{
	struct tree *t = &job->tree;

	if (!tree_write(f, &job->own, t)) {
		problem(&f->problems, P_NO_SPACE, "inode %llu: no space for its map",
			job->own.ino);
		return;
	}
	inode_set_blocks(f, job->own.ino, tree_blocks(t) + 2);
}

void jobs_run(struct fsck *f)
{
	size_t i;

	for (i = 0; i < f->jobs.count; i++) {
		if (f->jobs.job[i].own.dir)
			dir_write(f, &f->jobs.job[i]);
		else
			write_file(f, &f->jobs.job[i]);
		progress_to(f->progress, i);
	}
}

void jobs_free(struct jobs *all)
{
	size_t i;

	for (i = 0; i < all->count; i++) {
		tree_free(&all->job[i].tree);
		free(all->job[i].add);
	}
	free(all->job);
	numtab_free(&all->by_ino);
	memset(all, 0, sizeof(*all));
}
