/* SPDX-License-Identifier: GPL-2.0-only */
/* In-core inodes. */
#ifndef _COHFS_INODE_H
#define _COHFS_INODE_H

#include <linux/fs.h>
#include <linux/jbd2.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <cohfs/attr.h>
#include "disksize.h"
#include "core/stride.h"
#include "extalloc.h"
#include "extmap.h"
#include "map.h"
#include "object.h"
#include "rnode.h"
#include "super.h"

struct cohfs_fresh;
struct cohfs_newino;

struct cohfs_inode {
	struct cohfs_object *ci_open;	/* O: PR cached while in core, see lockops.c;
					 * EX if no other node ever had the inode
					 */
	struct cohfs_object *ci_attr;	/* I */
	struct cohfs_rtree ci_ranges;	/* D and below, regular files only; use range.h */
	struct cohfs_object *ci_maplk;	/* M, regular files only */

	/* Attributes in ci_vfs are valid while I is granted and this is set; set by
	 * cohfs_attr_lock() after a refresh, under ci_attr_mutex; cleared when I is
	 * lost (no holder then).  Readers without I get what was true when they
	 * looked.
	 */
	bool ci_attr_valid;
	struct mutex ci_attr_mutex;	/* also: one writer of the inode block */
	bool ci_lvb_valid;		/* protected by ci_attr->spin, like ci_lvb */
	struct cohfs_lvb_inode ci_lvb;	/* as granted, or as it will be published */

	/* Directories: a number that no other directory ever has, replaced when I
	 * is lost.  Dentries remember it in d_time: equal means still true.
	 */
	u64 ci_dir_epoch;
	/* Directories: who is in his second try here; compared, never followed */
	struct task_struct *ci_claim_task;
	struct rw_semaphore ci_dir_sem;	/* directories: contents; after I, before G.
					 * Readers may hold i_rwsem instead.
					 */
	u32 ci_flags;			/* FS_IOC_GETFLAGS */
	u32 ci_time_gen;
	u32 ci_orphan_slot;		/* as on disk */
	struct timespec64 ci_btime;
	tid_t ci_sync_tid;		/* last transaction that changed this inode, 0:
					 * none since it came into core
					 */
	bool ci_no_reap;		/* eviction says nothing about deletion: never
					 * was on disk, is being deleted, or hidden
					 */

	struct cohfs_disksize ci_disk;	/* regular files: size as journaled */
	struct mutex ci_map_mutex;	/* regular files: local side of M */
	struct cohfs_extmap ci_extmap;	/* extmap.c: block mapping valid under D */
	struct cohfs_stride ci_stride;	/* records of write(); i_rwsem */
	struct cohfs_zeroed ci_zeroed;
	struct cohfs_fresh *ci_fresh;	/* NULL until there are any; made under ci_map_mutex */
	struct {
		struct task_struct *task;	/* compared, never followed */
		pgoff_t index;
		int err;
	} ci_fault;			/* mmap.c: for the repeated fault */
	unsigned long ci_grown;		/* when another node was last seen to make the
					 * file longer, jiffies
					 */
	size_t ci_turn_written;		/* file.c: not yet given to the disk; i_rwsem */
	unsigned int ci_handovers;	/* range.c: how often data was given up */

	struct task_struct *ci_store_task; /* mmap.c: compared, never followed */
	pgoff_t ci_store_index;

	/* times.c: mtime of data writes that I does not know yet */
	spinlock_t ci_times_lock;
	struct list_head ci_times_link;	/* cs->times_list; under cs->times_lock */
	bool ci_times_pending;
	bool ci_times_unlogged;		/* I knows, the journal does not; under I EX */
	unsigned int ci_times_handovers; /* times_work: at its last visit */
	u32 ci_times_gen;		/* ci_time_gen when the range was granted */
	struct timespec64 ci_times;

	/* range.c: who holds ranges of this file across a user copy */
	spinlock_t ci_holds_lock;	/* protects ci_holds, ci_fault */
	struct list_head ci_holds;	/* struct cohfs_range_hold */

	struct inode ci_vfs;
};

static inline struct cohfs_inode *COHFS_I(const struct inode *inode)
{
	return container_of(inode, struct cohfs_inode, ci_vfs);
}

static inline struct cohfs_map cohfs_inode_map(struct inode *inode)
{
	struct cohfs_inode *ci = COHFS_I(inode);

	return (struct cohfs_map) {
		.cs = COHFS_SB(inode->i_sb),
		.set = S_ISDIR(inode->i_mode) ? &ci->ci_attr->meta
					      : &ci->ci_maplk->meta,
		.ino = inode->i_ino,
		.generation = inode->i_generation,
	};
}

/* inode.c */
int __init cohfs_inode_cache_init(void);
void cohfs_inode_cache_exit(void);
struct inode *cohfs_alloc_inode(struct super_block *sb);
void cohfs_free_inode(struct inode *inode);

/**
 * cohfs_iget() - the inode @ino
 * @generation: expected, or 0 for any
 *
 * Attributes are as of some moment in the past, cohfs_attr_lock() refreshes them.
 * Context: sleeps, DLM (O and I); nothing of rank OPEN or later is held.
 * Return: inode or ERR_PTR: -ESTALE (freed, unlinked, or another generation),
 * -EIO, -EFSCORRUPTED, -ENOMEM, -EINTR.
 */
struct inode *cohfs_iget(struct super_block *sb, u64 ino, u32 generation);

/**
 * cohfs_iget_dying() - the inode @ino for its deletion: private, not hashed, O EX
 * @locks: consumed.  If O is there it is pinned EX, else it is asked for
 * Return: inode or ERR_PTR: -EAGAIN (in core somewhere), -ESTALE (no such inode,
 * or not unlinked), -EIO, ...
 */
struct inode *cohfs_iget_dying(struct super_block *sb, u64 ino, u32 generation,
			       struct cohfs_locks *locks);
/** cohfs_iput_dying() - that was it; the locks are put into @locks unless it is NULL */
void cohfs_iput_dying(struct inode *inode, struct cohfs_locks *locks);

/**
 * cohfs_new_inode() - in-core inode for a number from the pool
 * @type: S_IFMT bits
 *
 * Takes over @ni's locks; I stays held EX by the caller.  Hashed with I_NEW, no
 * attributes: cohfs_inode_init() under the parent's I.
 * Context: as cohfs_pool_get().
 * Return: inode, or ERR_PTR; then @ni is good for cohfs_pool_put().
 */
struct inode *cohfs_new_inode(struct super_block *sb, struct cohfs_newino *ni,
			      umode_t type);
/** cohfs_new_inode_undo() - the inode was not created after all; number to the pool */
void cohfs_new_inode_undo(struct inode *inode, struct cohfs_newino *ni);
/** cohfs_inode_init() - attributes of a new inode in @dir, whose I is held */
void cohfs_inode_init(struct mnt_idmap *idmap, struct inode *dir,
		      struct inode *inode, umode_t mode, dev_t rdev);
/**
 * cohfs_inode_create() - write the block of a new inode
 * @parent: number of the directory it is in
 * @target: of a symbolic link, else NULL
 */
int cohfs_inode_create(handle_t *handle, struct inode *inode, u64 parent,
		       const char *target);

/** cohfs_inode_write() - attributes of @inode into its block, in @handle; I is EX */
int cohfs_inode_write(handle_t *handle, struct inode *inode);
/**
 * cohfs_inode_write_size() - the same, and the size on disk becomes @size
 * @cuts: of cohfs_disksize, when @size was chosen
 * Context: I is granted EX, and cannot go as long as the size is behind; see disksize.h.
 * Return: 0 or an error; -EAGAIN: the size was set by somebody else meanwhile.
 */
int cohfs_inode_write_size(handle_t *handle, struct inode *inode, loff_t size,
			   unsigned int cuts);
#define COHFS_INODE_CREDITS 1
/** cohfs_inode_reparent() - a directory moves; I is EX, goes with a write */
int cohfs_inode_reparent(handle_t *handle, struct inode *inode, u64 parent);
/** cohfs_inode_parent() - number of the parent of a directory; I is held */
int cohfs_inode_parent(struct inode *inode, u64 *parent);
/** cohfs_inode_block() - the block of @inode, I is held; brelse() it */
struct buffer_head *cohfs_inode_block(struct inode *inode);

/** cohfs_inode_commit() - what this node changed of @inode is durable (fsync) */
int cohfs_inode_commit(struct inode *inode);

/** cohfs_inode_let_go() - unlinked elsewhere: leave core as soon as nobody uses it */
void cohfs_inode_let_go(struct inode *inode);
void cohfs_evict_inode(struct inode *inode);
int cohfs_drop_inode(struct inode *inode);
/** cohfs_dir_epoch() - a number that was never used before */
u64 cohfs_dir_epoch(void);

/* attr.c */
int cohfs_getattr(struct mnt_idmap *idmap, const struct path *path,
		  struct kstat *stat, u32 mask, unsigned int flags);
int cohfs_setattr(struct mnt_idmap *idmap, struct dentry *dentry,
		  struct iattr *attr);
int cohfs_permission(struct mnt_idmap *idmap, struct inode *inode, int mask);
/** cohfs_update_time() - for inodes without data: atime is not kept */
int cohfs_update_time(struct inode *inode, int flags);
void cohfs_attr_get(struct inode *inode, struct cohfs_attr *attr);
/** cohfs_attr_set_flags() - i_flags from ci_flags and mode; I is held */
void cohfs_attr_set_flags(struct inode *inode);

/**
 * cohfs_attr_lock() - hold I and have ci_vfs up to date
 * @mode: COHFS_PR or COHFS_EX
 * Context: rank INODE.  Killable.
 * Return: 0, -EINTR, -EIO, -EFSCORRUPTED; -ESTALE only while an inode comes into
 * core.  An inode without links is no error.
 */
int __must_check cohfs_attr_lock(struct inode *inode, enum cohfs_mode mode);
/**
 * cohfs_attr_lock_write() - the same in EX, with the inode's block in its set
 *
 * For whoever is going to change the inode: cohfs_inode_write() cannot fail afterwards
 * unless the journal does.
 */
int __must_check cohfs_attr_lock_write(struct inode *inode);
/** cohfs_attr_trylock() - cohfs_attr_lock() in PR, if all of it is here; never waits */
bool __must_check cohfs_attr_trylock(struct inode *inode);
void cohfs_attr_unlock(struct inode *inode, enum cohfs_mode mode);
/**
 * cohfs_attr_unlock_done() - the same, by who took I for one thing and will not be back
 *
 * Nothing keeps I then from another node that waits: what is done for each page, or now
 * and then, would have others wait for a tenure each time.  Where others append there is
 * a tenure all the same: they have theirs, and a reader would get one range in between.
 */
void cohfs_attr_unlock_done(struct inode *inode, enum cohfs_mode mode);
/** cohfs_grows_elsewhere() - was the file made longer by another node lately? */
bool cohfs_grows_elsewhere(const struct inode *inode);

/* lockops.c: what giving up O, I, M, G, ... means; D, E, P are in revoke.c */
const struct cohfs_lock_ops *cohfs_lock_ops_of(enum cohfs_lock_type type, u64 number);

/* namei.c, dir.c, symlink in namei.c */
extern const struct inode_operations cohfs_dir_iops;
extern const struct inode_operations cohfs_symlink_iops;
extern const struct inode_operations cohfs_special_iops;
extern const struct file_operations cohfs_dir_fops;
extern const struct dentry_operations cohfs_dops;
/* rename.c */
int cohfs_rename(struct mnt_idmap *idmap, struct inode *old_dir,
		 struct dentry *old_dentry, struct inode *new_dir,
		 struct dentry *new_dentry, unsigned int flags);
/* file.c, aops.c */
extern const struct inode_operations cohfs_file_iops;
extern const struct file_operations cohfs_file_fops;
/**
 * cohfs_file_remove_privs() - before data changes: set-user-ID and the like go
 * Context: i_rwsem; takes I, and D if there is something to remove.
 */
int cohfs_file_remove_privs(struct file *file);
/* fallocate.c */
long cohfs_fallocate(struct file *file, int mode, loff_t pos, loff_t len);
extern const struct address_space_operations cohfs_aops;

/* orphan.c */
/**
 * cohfs_orphan_init() - mount: queue what a crash has left in our orphan directory
 * Context: log open, groups ready; before the first unlink.
 */
int cohfs_orphan_init(struct cohfs_sb *cs);
/**
 * cohfs_orphan_exit() - unmount: finish the deletions under way
 * Context: ->put_super, all inodes evicted; log, groups and lockspace still work.
 */
void cohfs_orphan_exit(struct cohfs_sb *cs);

#endif /* _COHFS_INODE_H */
