/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Maps and directories that will be written anew, once it is known what is in use:
 * everything about them that was found good.
 */
#ifndef _COHFS_FSCK_JOBS_H
#define _COHFS_FSCK_JOBS_H

#include "../lib/numtab.h"
#include "tree.h"

struct fsck;
struct node;

/** struct addition - a name that a directory gets */
struct addition {
	u64 ino;
	u32 generation;
	u8 type;
	u8 name_len;
	u8 name[COHFS_NAME_MAX];
};

/**
 * struct job - one inode
 * @tree: its map; directories: the records are the leaves, names are read again
 * @incomplete: part of the map is missing and may yet be found
 * @no_names: a deleted directory: what is in it goes
 */
struct job {
	struct owner own;
	struct tree tree;
	struct addition *add;
	size_t add_count;
	size_t add_room;
	bool incomplete;
	bool no_names;
};

struct jobs {
	struct job *job;
	size_t count;
	size_t room;
	struct numtab by_ino;
};

struct job *jobs_find(const struct jobs *all, u64 ino);
/** jobs_take() - a new job; @tree becomes its property */
struct job *jobs_take(struct jobs *all, const struct owner *own, struct tree *tree);
/** jobs_for() - the job of an inode, made from its sound map if there is none */
struct job *jobs_for(struct fsck *f, const struct node *node);
void job_add_name(struct job *job, const struct node *node, const u8 *name, u32 len);
/** jobs_run() - write all of it */
void jobs_run(struct fsck *f);
void jobs_free(struct jobs *all);

#endif /* _COHFS_FSCK_JOBS_H */
