/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tree of range locks of one file: its nodes, and how to find them.
 *
 * The root is there for as long as the inode.  Other nodes are made when somebody
 * wants a part of the file, and go when they are not granted and nobody uses them,
 * or with the inode.
 */
#ifndef _COHFS_RNODE_H
#define _COHFS_RNODE_H

#include <linux/atomic.h>
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/rwsem.h>
#include <linux/xarray.h>
#include "../dlm_glue/glue.h"
#include "core/rangetree.h"

struct cohfs_cover;
struct cohfs_inode;
struct cohfs_sb;

/* how many children a node remembers to have been used lately */
#define COHFS_RNODE_RECENT	8

/**
 * struct cohfs_rnode_parent - of a lock that has children
 * @climb: climb.c: when to ask for all of it again
 * @recent: children used while this one covered them; a guess, no lock
 * @settled: number of the last revoke that has seen to what is below; under ->sem of
 *	the tree
 * @cover: of a region
 */
struct cohfs_rnode_parent {
	struct cohfs_rt_climb climb;
	u8 recent_next;
	u32 settled;
	struct cohfs_rt_keep recent[COHFS_RNODE_RECENT];
	struct cohfs_cover *cover;
};

/**
 * struct cohfs_rnode - one range lock with what this node knows about the range
 * @pins: tasks that found it and have not let go yet, holders among them
 * @valid: what is below may be in core: i_size has been read under I, with the lock
 *	and everything above it held, since this was last not so.  Cleared with
 *	->sem of the tree held for writing, or by the revoke of the lock itself
 * @shared: another node was in the way since the lock was last had for good
 * @seen: used since the reclaimer looked
 * @stored: EX was put to use since it was granted
 * @migratory: how sure we are that loads come shortly before stores
 * @bounces: how often other nodes took it
 * @used: when it was last held, jiffies
 * @parent: one of it, unless this is a page
 */
struct cohfs_rnode {
	struct cohfs_lock lk;		/* first: container_of in the lock ops */
	struct cohfs_sb *cs;
	spinlock_t spin;		/* protects ci */
	struct cohfs_inode *ci;		/* NULL once detached */
	u64 index;
	u8 level;
	bool valid;
	bool shared;
	bool seen;
	bool stored;
	u8 migratory;
	atomic_t pins;
	unsigned int bounces;
	unsigned long used;
	struct list_head lru;		/* rcache.c */
	struct cohfs_rnode_parent parent[];
};

/**
 * struct cohfs_rtree - in the inode
 * @sem: a node's revoke holds it shared, that of a parent exclusive: nothing below
 *	comes or goes while it is decided what stays.  Also exclusive to get a parent
 *	back in a mode that covers children which are in use.  After no other lock
 *	but those of the revoke (invalidate_lock, folio) and answers of the lock
 *	manager are waited for with it held
 * @nodes: regions and pages by index
 * @link: rcache.c: files that have children
 */
struct cohfs_rtree {
	struct cohfs_rnode *root;
	struct rw_semaphore sem;
	struct xarray nodes[COHFS_NR_RT_LEVELS - 1];
	struct list_head link;
	unsigned long sampled;		/* climb.c: when it was unmapped to see who comes
					 * back, jiffies; 0: not since it was used
					 */
	u64 next_region;		/* climb.c: to look at next */
	struct {
		pgoff_t first;
		pgoff_t last;
		unsigned long when;	/* jiffies; 0: never */
	} cleaned;			/* written here, and clean only because the size had
					 * to follow; a hint
					 */
};

void cohfs_rtree_init_once(struct cohfs_rtree *tree);
/** cohfs_rtree_begin() - make the root; once per inode, before anyone sees it */
int cohfs_rtree_begin(struct inode *inode);
/** cohfs_rtree_end() - drop every node; never sleeps for the cluster; nothing is held */
void cohfs_rtree_end(struct inode *inode);

/** cohfs_rtree_note_cleaned() - pages in use here are written back for the size to follow */
void cohfs_rtree_note_cleaned(struct inode *inode, pgoff_t first, pgoff_t last);

/** cohfs_rnode_find() - pinned, or NULL */
struct cohfs_rnode *cohfs_rnode_find(struct inode *inode, enum cohfs_rt_level level,
				     u64 index);
/** cohfs_rnode_get() - find or make; pinned, or ERR_PTR(-ENOMEM) */
struct cohfs_rnode *cohfs_rnode_get(struct inode *inode, enum cohfs_rt_level level,
				    u64 index);
/** cohfs_rnode_next() - first node at or after @index, at most @last; pinned */
struct cohfs_rnode *cohfs_rnode_next(struct inode *inode, enum cohfs_rt_level level,
				     u64 index, u64 last);
/** cohfs_rnode_free() - nothing refers to it any more */
void cohfs_rnode_free(struct cohfs_rnode *node);
/** cohfs_rnode_forget() - take it out and drop it, if it is not granted nor pinned */
bool cohfs_rnode_forget(struct inode *inode, struct cohfs_rnode *node);
/** cohfs_rnode_deepest() - the node that a lock for @page comes to last; pinned */
struct cohfs_rnode *cohfs_rnode_deepest(struct inode *inode, pgoff_t page);
/** cohfs_rnode_grab_inode() - as cohfs_object_grab_inode() */
struct inode *cohfs_rnode_grab_inode(struct cohfs_rnode *node);

static inline struct cohfs_rnode *cohfs_rnode_of(struct cohfs_lock *lk)
{
	return container_of(lk, struct cohfs_rnode, lk);
}

static inline void cohfs_rnode_pin(struct cohfs_rnode *node)
{
	atomic_inc(&node->pins);
}

static inline void cohfs_rnode_unpin(struct cohfs_rnode *node)
{
	atomic_dec(&node->pins);
}

static inline u64 cohfs_rnode_first(const struct cohfs_rnode *node)
{
	return cohfs_rt_first(node->level, node->index);
}

static inline u64 cohfs_rnode_last(const struct cohfs_rnode *node)
{
	return cohfs_rt_last(node->level, node->index);
}

/** cohfs_rnode_touch() - it was used just now */
static inline void cohfs_rnode_touch(struct cohfs_rnode *node)
{
	WRITE_ONCE(node->used, jiffies);
	if (!READ_ONCE(node->seen))
		WRITE_ONCE(node->seen, true);
}

/** cohfs_rnode_note() - child @index of it was used in @mode under its cover */
void cohfs_rnode_note(struct cohfs_rnode *node, u64 index, enum cohfs_mode mode);

#endif /* _COHFS_RNODE_H */
