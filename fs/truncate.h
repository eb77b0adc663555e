/* SPDX-License-Identifier: GPL-2.0-only */
/* Size changes of regular files. */
#ifndef _COHFS_TRUNCATE_H
#define _COHFS_TRUNCATE_H

#include <linux/fs.h>

/**
 * cohfs_truncate() - set the size, up or down
 * Context: i_rwsem and I EX are held by the caller, i_size is true.  Takes D EX.
 * Return: 0 or a negative errno; the size is unchanged on error unless blocks could
 * not be freed, which costs space, not data.
 */
int cohfs_truncate(struct inode *inode, loff_t newsize);

/**
 * cohfs_zero_tail() - zero the rest of the page that holds @from, up to @to
 *
 * Stores through mappings beyond EOF may have left bytes there that nobody may see
 * once the file grows over them.
 * Context: D EX on the page, I EX.
 */
int cohfs_zero_tail(struct inode *inode, loff_t from, loff_t to);

#endif /* _COHFS_TRUNCATE_H */
