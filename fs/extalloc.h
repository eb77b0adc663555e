/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Blocks for the holes of a file, and back.
 */
#ifndef _COHFS_EXTALLOC_H
#define _COHFS_EXTALLOC_H

#include <linux/types.h>

struct cohfs_range_hold;
struct cohfs_stride;
struct inode;

/* As many nodes may have left something behind EOF. */
#define COHFS_ZEROED_RUNS 8

/**
 * struct cohfs_zeroed - blocks of the disk that this node has zeroed, beyond EOF of an inode
 * @run: those from @blk to @end that are in the file and beyond EOF are zero, as long as the
 *	time generation of the inode is @generation
 * @next: the one that is given up first
 *
 * Who holds I EX has it to himself; it is forgotten when I goes.
 */
struct cohfs_zeroed {
	struct {
		u64 blk;
		u64 end;
	} run[COHFS_ZEROED_RUNS];
	unsigned int next;
	u32 generation;
};

/** cohfs_extalloc_forget_zeroed() - I is given up: others may append, and die, from now on */
void cohfs_extalloc_forget_zeroed(struct cohfs_zeroed *z);

/**
 * cohfs_extalloc_fill() - no holes in [@first, @last] afterwards
 *
 * Allocates zeroed, written blocks.
 * Context: D held EX on the range, no folio locked; takes M EX, invalidate_lock shared,
 *	G EX, transactions.
 * Return: 0, -ENOSPC (a prefix may be allocated), -EINTR, -EIO.
 */
int cohfs_extalloc_fill(const struct cohfs_range_hold *hold, u64 first, u64 last);

/**
 * cohfs_extalloc_write() - the same for who is about to write to all of it
 * @stride: if not NULL: [@first, @last] is its last record, and places for those that are
 *	likely to follow are welcome
 *
 * The blocks are fresh, see fresh.h: who reads them meanwhile gets zeroes.
 * Context: as cohfs_extalloc_fill().
 */
int cohfs_extalloc_write(const struct cohfs_range_hold *hold, u64 first, u64 last,
			 const struct cohfs_stride *stride);

/**
 * cohfs_extalloc_append() - the same for a write that makes the file grow
 * @ahead: blocks to allocate beyond @last, where the hold covers them, unless @stride tells
 *	where they will be needed
 *
 * What is beyond EOF is not zeroed: it is what the caller writes now, or what growth zeroes
 * when it leaves it out.
 * Context: as cohfs_extalloc_fill(); i_rwsem and I EX, so that EOF stays where it is.
 */
int cohfs_extalloc_append(const struct cohfs_range_hold *hold, u64 first, u64 last,
			  u64 ahead, const struct cohfs_stride *stride);

/**
 * cohfs_extalloc_zero() - zero on disk what is mapped in [@first, @last]
 *
 * For blocks beyond EOF that a growing file is about to uncover: they may hold anything.
 * Blocks further on that follow them on the disk are zeroed with them, and known to be zero.
 * Context: as cohfs_extalloc_fill(); no page cache in the range, invalidate_lock free.
 */
int cohfs_extalloc_zero(const struct cohfs_range_hold *hold, u64 first, u64 last);

/**
 * cohfs_extalloc_free() - unmap and free [@first, @last] (last may be U64_MAX)
 * Context: D held EX on the range and no page cache there, or the inode is being
 * deleted (O held EX); takes M EX, G EX, transactions.
 */
int cohfs_extalloc_free(struct inode *inode, u64 first, u64 last);

/**
 * cohfs_extalloc_punch() - unmap and free what cohfs_extmap_hide() has hidden
 * Context: as there; takes M EX, G EX, transactions.
 * Return: 0 or an error; what is left then is as it was before, and forgotten here.
 */
int cohfs_extalloc_punch(struct inode *inode, u64 first, u64 last);

#endif /* _COHFS_EXTALLOC_H */
