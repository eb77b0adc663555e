/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A cluster lock together with what it protects on this node.
 *
 * Objects outlive the inode they belong to: evict_inode detaches them and the
 * lock layer lets go in its own time (write back, lower, unlock, free).
 */
#ifndef _COHFS_OBJECT_H
#define _COHFS_OBJECT_H

#include <linux/init.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include "../dlm_glue/glue.h"
#include "metaio.h"

struct cohfs_inode;
struct cohfs_reap;
struct cohfs_sb;

struct cohfs_object {
	struct cohfs_lock lk;		/* first: container_of in the lock ops */
	struct cohfs_sb *cs;
	struct cohfs_metaset meta;	/* blocks that are valid under this lock */
	spinlock_t spin;		/* protects ci, and the value block in *ci */
	struct cohfs_inode *ci;		/* NULL once detached, and for groups etc. */
	struct cohfs_reap *reap;	/* O: to be started when the lock is gone */
	bool asked;			/* O: somebody wants to delete the inode */
	bool journal_empty;		/* S: it was replayed, says the value block */
	struct list_head linger;	/* dropped, but not clean yet */
	struct hlist_node linger_hash;
};

/**
 * struct cohfs_locks - the locks of one inode number, between two inodes
 *
 * They wander from an inode that was deleted to the next inode of that number, with
 * what is granted and cached, without a word to the DLM.  Any may be NULL.
 */
struct cohfs_locks {
	struct cohfs_object *open;	/* O */
	struct cohfs_object *attr;	/* I */
	struct cohfs_object *map;	/* M */
};

static inline struct cohfs_object *cohfs_object_of(struct cohfs_lock *lk)
{
	return container_of(lk, struct cohfs_object, lk);
}

/**
 * cohfs_object_create() - allocate an object with the lock ops of its type
 *
 * Or find the one that was dropped a moment ago, with what is cached under it.
 * Return: the object (one reference, owned by the caller) or ERR_PTR(-ENOMEM).
 */
struct cohfs_object *cohfs_object_create(struct cohfs_sb *cs,
		enum cohfs_lock_type type, u64 number, struct cohfs_inode *ci);

/** cohfs_object_attach() - @obj belongs to @ci from now on */
void cohfs_object_attach(struct cohfs_object *obj, struct cohfs_inode *ci);
/** cohfs_object_detach() - no revoke looks at the inode any more; never sleeps */
void cohfs_object_detach(struct cohfs_object *obj);

/**
 * cohfs_object_drop() - owner's goodbye: detach from the inode, queue the release
 *
 * An object with changes that are only in the log stays until the log has been
 * flushed for some other reason, or another node wants the lock.
 * Context: any; never sleeps, never calls the DLM.  NULL is fine.
 */
void cohfs_object_drop(struct cohfs_object *obj);

/** cohfs_locks_drop() - goodbye to all of them; none is held */
void cohfs_locks_drop(struct cohfs_locks *locks);

/** cohfs_object_free() - the free operation of every lock type ends here */
void cohfs_object_free(struct cohfs_object *obj);

/**
 * cohfs_object_grab_inode() - pin the inode from a revoke worker
 * Return: the inode with a reference, or NULL if it is being evicted or gone.
 */
struct inode *cohfs_object_grab_inode(struct cohfs_object *obj);

/** cohfs_linger_init() - from now on dropped objects may linger */
int cohfs_linger_init(struct cohfs_sb *cs);
/** cohfs_linger_exit() - release those that linger; from now on none does */
void cohfs_linger_exit(struct cohfs_sb *cs);
void cohfs_linger_free(struct cohfs_sb *cs);	/* no inode is left */

int __init cohfs_object_cache_init(void);
void cohfs_object_cache_exit(void);

static inline int __must_check cohfs_object_lock(struct cohfs_object *obj,
						 enum cohfs_mode mode)
{
	return cohfs_lock_acquire(&obj->lk, mode, 0);
}

static inline void cohfs_object_unlock(struct cohfs_object *obj,
				       enum cohfs_mode mode)
{
	cohfs_lock_release(&obj->lk, mode);
}

#endif /* _COHFS_OBJECT_H */
