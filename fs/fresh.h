/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fresh blocks: those of a file that have just been allocated for somebody who is about to
 * write them below its end, or records to come, and that may hold anything until then.
 *
 * To zero each of them first would be an I/O to wait for, and in vain.  It is enough that a
 * block is zero, or holds what was written to the file, when the transaction commits that
 * makes it reachable.  So this node remembers which blocks are fresh:
 *
 *   allocated -> fresh -> written: the file's data is on its way to the disk
 *                      -> zeroing -> zero: the transaction commits, or the inode leaves core
 *                      -> freed
 *
 * Who reads a fresh block gets zeroes from here, not what is on the disk.  Other nodes cannot
 * know of it: they learn of the map when M is given up, and that commits first.
 */
#ifndef _COHFS_FRESH_H
#define _COHFS_FRESH_H

#include <linux/jbd2.h>
#include <linux/types.h>

struct cohfs_fresh;
struct inode;
struct iomap_folio_ops;

/**
 * cohfs_fresh_add() - @len blocks of the file from @first on, at @blk, are fresh
 *
 * Context: in the transaction @handle that makes them reachable, with M EX and ci_map_mutex,
 * before the extent map in core tells where they are.
 * Return: 0, -ENOMEM; -ENOSPC: there are too many, the caller has to zero these.
 */
int cohfs_fresh_add(handle_t *handle, struct inode *inode, u64 first, u64 len, u64 blk);

/**
 * cohfs_fresh_find() - is @lblk fresh, or being zeroed?
 * @len: in: at least 1; out: so many blocks from @lblk on, at most, have the same answer
 * @cookie: for cohfs_fresh_folio_ops, if it is
 * Context: a folio that is locked keeps its blocks from being written, so "fresh" means zero
 * as long as it is, unless it is dirty.  Does not sleep.
 */
bool cohfs_fresh_find(struct inode *inode, u64 lblk, u64 *len, u64 *cookie);

/** cohfs_fresh_folio_ops - for a write to what was found fresh before the folio was locked */
extern const struct iomap_folio_ops cohfs_fresh_folio_ops;

/**
 * cohfs_fresh_gone() - [@first, @last] are about to be written to the disk
 *
 * They are not zeroed after this has returned.
 * Context: their folios have the writeback bit; or they were allocated in the transaction that
 * is open, and will not be of the file.  Waits for zeroing under way, which waits for nothing
 * but the disk.
 */
void cohfs_fresh_gone(struct inode *inode, u64 first, u64 last);

/**
 * cohfs_fresh_lost() - write-back has failed: what cohfs_fresh_gone() was told is not true
 * Context: any, before the writeback bit goes.
 */
void cohfs_fresh_lost(struct inode *inode);

/**
 * cohfs_fresh_freed() - the same of blocks that are freed
 *
 * The transaction that has allocated them may be committing just now, and a crash may come
 * before the next one commits: then they have to be zero.
 * Context: the transaction is open that frees them; M EX.
 */
void cohfs_fresh_freed(struct inode *inode, u64 first, u64 last);

/**
 * cohfs_fresh_evict() - the inode leaves core: what is fresh becomes zero
 * Context: the page cache is empty.  Waits for the disk only.
 */
void cohfs_fresh_evict(struct inode *inode);

/* What jbd2 calls before and while it writes a commit record; see log.c */
int cohfs_fresh_submit(struct jbd2_inode *jinode);
int cohfs_fresh_finish(struct jbd2_inode *jinode);

#endif /* _COHFS_FRESH_H */
