/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One leaf of a directory: names sorted by (hash, sequence), packed.  Pure code;
 * fs/dir.c makes a directory of it.  Leaves have passed cohfs_check_block(); all
 * the same, no function walks past l_used or the end of the block.
 */
#ifndef _COHFS_CORE_DIRLEAF_H
#define _COHFS_CORE_DIRLEAF_H

#include <linux/cohfs_ondisk.h>
#include <cohfs/types.h>

/** struct cohfs_dirname - a name to look for; @hash = cohfs_dirhash() of it */
struct cohfs_dirname {
	const u8 *name;
	u32 len;	/* 1..COHFS_NAME_MAX */
	u64 hash;
};

/** struct cohfs_dirtarget - what a name stands for */
struct cohfs_dirtarget {
	u64 ino;
	u32 generation;
	u8 type;	/* DT_* */
};

/** struct cohfs_dirview - one entry in host order; @name points into the leaf */
struct cohfs_dirview {
	u64 key;	/* hash << 8 | sequence: the readdir cookie */
	struct cohfs_dirtarget target;
	u32 name_len;
	const u8 *name;
};

static inline u32 cohfs_dirent_size(u32 name_len)
{
	return (u32)(sizeof(struct cohfs_dirent) + name_len + 7) & ~7u;
}

static inline u32 cohfs_dirleaf_count(const struct cohfs_dirleaf *leaf)
{
	return le16_to_cpu(leaf->l_count);
}

/** cohfs_dirleaf_find() - Return: 0 with @view, or -ENOENT */
int cohfs_dirleaf_find(const struct cohfs_dirleaf *leaf,
		       const struct cohfs_dirname *name, struct cohfs_dirview *view);

/**
 * cohfs_dirleaf_next() - first entry with a key >= @key: iterates from a cookie
 * Return: false if there is none in this leaf.
 */
bool cohfs_dirleaf_next(const struct cohfs_dirleaf *leaf, u64 key,
			struct cohfs_dirview *view);

/**
 * cohfs_dirleaf_insert() - add a name under the lowest free sequence number
 * @key: set to the new entry's key if not NULL
 * Return: 0; -EEXIST: the name is there; -ENOSPC: no room, split first; -EOVERFLOW:
 * 256 names of the same hash.
 */
int __must_check cohfs_dirleaf_insert(struct cohfs_dirleaf *leaf,
				      const struct cohfs_dirname *name,
				      const struct cohfs_dirtarget *target, u64 *key);

/** cohfs_dirleaf_delete() - Return: 0 or -ENOENT */
int __must_check cohfs_dirleaf_delete(struct cohfs_dirleaf *leaf,
				      const struct cohfs_dirname *name);

/** cohfs_dirleaf_retarget() - let a name stand for another inode (rename over it) */
int __must_check cohfs_dirleaf_retarget(struct cohfs_dirleaf *leaf,
					const struct cohfs_dirname *name,
					const struct cohfs_dirtarget *target);

/**
 * cohfs_dirleaf_split_hash() - lowest hash of the upper half of a leaf
 * Return: the hash (greater than the lowest one in the leaf), or 0 if all names
 * have the same hash: then no split can make room.
 */
u64 cohfs_dirleaf_split_hash(const struct cohfs_dirleaf *leaf);

/**
 * cohfs_dirleaf_split() - move the entries with a hash >= @hash to @upper
 * @upper: header filled, rest zero
 */
void cohfs_dirleaf_split(struct cohfs_dirleaf *lower, struct cohfs_dirleaf *upper,
			 u64 hash);

#endif /* _COHFS_CORE_DIRLEAF_H */
