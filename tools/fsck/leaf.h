/* SPDX-License-Identifier: GPL-2.0-only */
/* The names in one directory leaf, sound or not. */
#ifndef _COHFS_FSCK_LEAF_H
#define _COHFS_FSCK_LEAF_H

#include "../../fs/core/dirleaf.h"
#include "ident.h"

/**
 * struct leaf - a leaf that was read
 * @why: what is wrong with its block, NULL: nothing
 * @body: what is wrong with its structure, NULL: nothing
 */
struct leaf {
	union block buf;
	enum ident ident;
	const char *why;
	const char *body;
};

static inline bool leaf_sound(const struct leaf *leaf)
{
	return leaf->ident == IDENT_SURE && !leaf->body;
}

/** leaf_read() - of directory @dir; false if the block is something else */
bool leaf_read(struct volume *vol, u64 blkno, u64 dir, u32 generation, struct leaf *leaf);

/**
 * leaf_next() - the next name at or behind *@off, which starts at 0
 *
 * In a sound leaf simply the next one.  In others, whatever looks like an entry: the
 * hash in its key is that of its name, or it directly follows another entry.
 * @hashed: the hash is right
 */
bool leaf_next(const struct volume *vol, const struct leaf *leaf, u32 *off,
	       struct cohfs_dirview *view, bool *hashed);

/** leaf_name_ok() - may a name be like this? */
bool leaf_name_ok(const u8 *name, u32 len);

#endif /* _COHFS_FSCK_LEAF_H */
