/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A table from numbers (blocks, inodes) to numbers: open addressing, 16 bytes per
 * entry, at most three quarters full.  The key 0 stands for an empty place; block 0
 * and inode 0 do not exist.
 */
#ifndef _COHFS_TOOLS_NUMTAB_H
#define _COHFS_TOOLS_NUMTAB_H

#include <cohfs/core_env.h>

struct numtab_entry {
	u64 key;
	u64 value;
};

/** struct numtab - all zero is an empty table */
struct numtab {
	struct numtab_entry *entries;
	size_t size;	/* a power of two, or 0 */
	size_t used;
};

bool numtab_get(const struct numtab *tab, u64 key, u64 *value);
/** numtab_put() - add, or replace the value */
void numtab_put(struct numtab *tab, u64 key, u64 value);
/** numtab_next() - the next entry in no particular order; @pos starts at 0 */
const struct numtab_entry *numtab_next(const struct numtab *tab, size_t *pos);
/** numtab_keys() - all keys in ascending order, to be freed; NULL if there is none */
u64 *numtab_keys(const struct numtab *tab);
void numtab_free(struct numtab *tab);

#endif /* _COHFS_TOOLS_NUMTAB_H */
