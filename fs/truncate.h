/* SPDX-License-Identifier: GPL-2.0-only */
/* Size changes of regular files. */
#ifndef _COHFS_TRUNCATE_H
#define _COHFS_TRUNCATE_H

#include <linux/fs.h>

struct cohfs_range_hold;

/**
 * cohfs_truncate() - set the size, up or down
 * Context: i_rwsem and I EX are held by the caller, i_size is true.  Takes D EX.
 * Return: 0 or a negative errno; the size is unchanged on error unless blocks could
 * not be freed, which costs space, not data.
 */
int cohfs_truncate(struct inode *inode, loff_t newsize);

/**
 * cohfs_set_size() - the new size, its times, and a new time generation, journaled
 * Context: I EX, and D EX on every page whose bytes change meaning.
 */
int cohfs_set_size(struct inode *inode, loff_t newsize);

/**
 * cohfs_zero_gap() - zero what growth from size @from to an access at @to uncovers
 *
 * In the page that holds @from: bytes that stores through mappings have left beyond
 * EOF.  In blocks after it: what an interrupted truncate or append has left.
 * Context: @hold is EX on [@from, @to); I EX.
 */
int cohfs_zero_gap(const struct cohfs_range_hold *hold, loff_t from, loff_t to);

#endif /* _COHFS_TRUNCATE_H */
