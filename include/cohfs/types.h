/* SPDX-License-Identifier: GPL-2.0-only */
/* Small types shared by fs/, dlm_glue/ and the pure code of both. */
#ifndef _COHFS_TYPES_H
#define _COHFS_TYPES_H

#include <cohfs/core_env.h>

#ifndef EFSCORRUPTED
#define EFSCORRUPTED	EUCLEAN		/* as erofs, ext4 and xfs */
#endif

/**
 * enum cohfs_mode - lock modes, numbered as the DLM numbers them
 *
 * Gray's hierarchy: CR and CW announce an intent to read or write something
 * below, PR and EX are shared and exclusive, PW lets CR pass.
 */
enum cohfs_mode {
	COHFS_NL = 0,
	COHFS_CR = 1,
	COHFS_CW = 2,
	COHFS_PR = 3,
	COHFS_PW = 4,
	COHFS_EX = 5,
};
#define COHFS_NR_MODES 6

/**
 * enum cohfs_lock_type - what a cluster lock protects
 *
 * The order is the lock rank (Documentation/locking.rst): a lock of a lower
 * type is never waited for while one of a higher type is held.  The letter is
 * part of the resource name and of every dump.
 */
enum cohfs_lock_type {
	COHFS_LT_MOUNT,		/* 'C' mount and recovery control */
	COHFS_LT_SLOT,		/* 'S' journal slot, held EX while mounted */
	COHFS_LT_RENAME,	/* 'R' moves of directories */
	COHFS_LT_OPEN,		/* 'O' inode is in core somewhere */
	COHFS_LT_INODE,		/* 'I' attributes, size, directory contents */
	COHFS_LT_RANGE,		/* 'D' file data and its block mapping: all of it */
	COHFS_LT_REGION,	/* 'E' the same of one region: 512 pages */
	COHFS_LT_PAGE,		/* 'P' the same of one page */
	COHFS_LT_MAP,		/* 'M' structure of an extent tree */
	COHFS_LT_GROUP,		/* 'G' allocation bitmap */
};
#define COHFS_NR_LOCK_TYPES 10

#endif /* _COHFS_TYPES_H */
