/* SPDX-License-Identifier: GPL-2.0-only */
/* The order in which several cluster locks are taken. */
#ifndef _COHFS_GLUE_ORDER_H
#define _COHFS_GLUE_ORDER_H

#include <cohfs/types.h>
#include "name.h"

/**
 * struct cohfs_lock_want - one lock of several to be taken
 * @name: sort key
 * @mode: what is needed
 * @lk: the lock; not looked at here
 */
struct cohfs_lock_want {
	struct cohfs_lock_name name;
	enum cohfs_mode mode;
	void *lk;
};

/**
 * cohfs_order() - sort by (rank, number, index), merge duplicates to one entry
 * with the weakest mode that covers all of them
 * Return: number of entries left, at the start of @want.
 */
unsigned int cohfs_order(struct cohfs_lock_want *want, unsigned int nr);

#endif /* _COHFS_GLUE_ORDER_H */
