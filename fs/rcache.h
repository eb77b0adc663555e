/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Range locks over time: those that nobody uses go, and whoever is alone again gets
 * the whole back.
 */
#ifndef _COHFS_RCACHE_H
#define _COHFS_RCACHE_H

#include <linux/fs.h>

struct cohfs_rnode;
struct cohfs_sb;

/**
 * struct cohfs_range_tunables - what configfs can change, see Documentation/tuning.rst
 * @split_max: most children that a node keeps when another node wants a part
 * @idle_ms: an intent that was not used for that long is let go
 * @climb_ms: first try for the whole that long after another node was met
 * @climb_max_ms: tries become less frequent up to this
 * @locks_max: locks of parts of files that are kept per mount before the oldest go
 */
struct cohfs_range_tunables {
	unsigned int split_max;
	unsigned int idle_ms;
	unsigned int climb_ms;
	unsigned int climb_max_ms;
	unsigned int locks_max;
};

extern struct cohfs_range_tunables cohfs_range_tunables;

static inline unsigned int cohfs_rcache_split_max(void)
{
	return READ_ONCE(cohfs_range_tunables.split_max);
}

int cohfs_rcache_init(struct cohfs_sb *cs);
/** cohfs_rcache_stop() - before inodes are evicted: nothing is looked at any more */
void cohfs_rcache_stop(struct cohfs_sb *cs);
void cohfs_rcache_free(struct cohfs_sb *cs);	/* no inode is left */

/** cohfs_rcache_add() - there is a lock for a part of @inode */
void cohfs_rcache_add(struct cohfs_rnode *node, struct inode *inode);
void cohfs_rcache_del(struct cohfs_rnode *node);
/** cohfs_rcache_met() - another node was in the way at @node */
void cohfs_rcache_met(struct inode *inode, struct cohfs_rnode *node);
/** cohfs_rcache_forget_file() - the inode leaves core */
void cohfs_rcache_forget_file(struct inode *inode);
/** cohfs_rcache_locks() - locks for parts of files, granted or not */
unsigned long cohfs_rcache_locks(struct cohfs_sb *cs);

#endif /* _COHFS_RCACHE_H */
