/* SPDX-License-Identifier: GPL-2.0-only */
/* What this node owns on disk: slot lock, slot block, pool of inode numbers. */
#ifndef _COHFS_SLOT_H
#define _COHFS_SLOT_H

#include <linux/jbd2.h>
#include <linux/statfs.h>
#include <linux/types.h>
#include "object.h"

struct cohfs_number;
struct cohfs_sb;

/**
 * cohfs_slot_claim() - take the lock of our slot, replay what needs it, open the log
 * Context: cohfs_mount_lock() is held.
 */
int cohfs_slot_claim(struct cohfs_sb *cs);
/** cohfs_slot_forfeit() - withdrawn, nothing is written: let the others have the journal */
void cohfs_slot_forfeit(struct cohfs_sb *cs);
/**
 * cohfs_slot_replayed() - has one of them replayed it since?
 * Context: sleeps for an answer of the lock manager, not for other nodes.
 * Return: false if not, or if it cannot be known now.
 */
bool cohfs_slot_replayed(struct cohfs_sb *cs);
/** cohfs_slot_release() - after cohfs_log_close(): give the slot and the pool away */
void cohfs_slot_release(struct cohfs_sb *cs);

/**
 * cohfs_slot_replay() - replay the journal of a slot that nobody owns
 * @tries: how often to ask for the slot's lock, 100 ms apart
 * Context: cohfs_mount_lock() is held.
 * Return: 1 replayed, 0 was clean, -EAGAIN: the slot has an owner, who has replayed
 * it then; other errors: it could not be replayed.
 */
int cohfs_slot_replay(struct cohfs_sb *cs, u32 slot, unsigned int tries);

/**
 * cohfs_slot_replay_free() - the same for every slot but our own, if it is free
 * @replayed: bitmap of those whose journal was not empty
 */
int cohfs_slot_replay_free(struct cohfs_sb *cs, u64 *replayed);

/**
 * struct cohfs_newino - an unused inode number with its I lock held EX
 * @locks: what this node has of it; I(@ino) is held EX by the caller, the others are
 *	those that a deleted inode left behind
 * Comes from the pool; goes back with cohfs_pool_put() if it was not used.
 */
struct cohfs_newino {
	u64 ino;
	struct cohfs_locks locks;
};

/**
 * cohfs_pool_get() - reserve a number for a new inode; refills the pool if empty
 * Context: sleeps, DLM: nothing of rank OPEN or later may be held.
 * Return: 0, -ENOSPC, -EINTR, -EIO.
 */
int cohfs_pool_get(struct cohfs_sb *cs, struct cohfs_newino *ni);
void cohfs_pool_put(struct cohfs_sb *cs, struct cohfs_newino *ni);
/** cohfs_pool_use() - in the transaction that creates the inode: leaves the pool */
int cohfs_pool_use(handle_t *handle, struct cohfs_sb *cs, struct cohfs_newino *ni);
#define COHFS_POOL_CREDITS 1

/**
 * cohfs_pool_promise() - the number of an inode is about to be deleted: keep a place
 * Return: for cohfs_pool_fill() or cohfs_pool_renounce(); NULL: no room, free the blocks
 */
struct cohfs_number *cohfs_pool_promise(struct cohfs_sb *cs);
/** cohfs_pool_return() - in the transaction that deletes @ino: into the pool on disk */
int cohfs_pool_return(handle_t *handle, struct cohfs_sb *cs, u64 ino);
/** cohfs_pool_fill() - that worked: @ino is to be had, with @locks, none of them held */
void cohfs_pool_fill(struct cohfs_sb *cs, struct cohfs_number *number, u64 ino,
		     const struct cohfs_locks *locks);
/** cohfs_pool_renounce() - it did not; NULL is fine */
void cohfs_pool_renounce(struct cohfs_sb *cs, struct cohfs_number *number);

/** cohfs_slot_count_free() - add @delta to this slot's free count (alloc.c only) */
int cohfs_slot_count_free(handle_t *handle, struct cohfs_sb *cs, s64 delta);

u64 cohfs_slot_orphan_dir(struct cohfs_sb *cs, u32 slot);
int cohfs_slot_statfs(struct cohfs_sb *cs, struct kstatfs *st);

#endif /* _COHFS_SLOT_H */
