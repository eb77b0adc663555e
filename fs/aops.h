/* SPDX-License-Identifier: GPL-2.0-only */
/* Page cache I/O and the iomap operations that it shares with file.c. */
#ifndef _COHFS_AOPS_H
#define _COHFS_AOPS_H

#include <linux/fs.h>

struct iomap_ops;

/**
 * cohfs_iomap_ops - answers from the extent map in core, never sleeps
 * Context: the range is held and filled; for writes also allocated.
 */
extern const struct iomap_ops cohfs_iomap_ops;
extern const struct address_space_operations cohfs_aops;

#endif /* _COHFS_AOPS_H */
