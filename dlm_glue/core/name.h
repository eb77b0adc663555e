/* SPDX-License-Identifier: GPL-2.0-only */
/* Names of cluster locks, as the glue and as the DLM spell them. */
#ifndef _COHFS_GLUE_NAME_H
#define _COHFS_GLUE_NAME_H

#include <cohfs/types.h>

/**
 * struct cohfs_lock_name - identity of a lock within its lockspace
 * @number: inode or group number; 0 where there is only one
 * @index: what of it (range trees), else 0
 * @type: enum cohfs_lock_type
 */
struct cohfs_lock_name {
	u64 number;
	u64 index;
	u8 type;
};

/* "D0123456789abcdef.123456789abcdef0" */
#define COHFS_RES_NAME_MAX	34

/**
 * cohfs_name_format() - resource name: letter, 16 hex digits, and ".hex" unless
 * the index is 0
 * @buf: COHFS_RES_NAME_MAX + 1 bytes, NUL terminated on return
 * Return: length without the NUL; 0 if @name has no valid type.
 */
unsigned int cohfs_name_format(const struct cohfs_lock_name *name, char *buf);

/**
 * cohfs_name_parse() - the reverse; only the canonical spelling is accepted
 * Return: 0 or -EINVAL.
 */
int cohfs_name_parse(const char *buf, unsigned int len,
		     struct cohfs_lock_name *name);

/**
 * cohfs_name_cmp() - lock order: <0, 0, >0
 *
 * Rank, number, level, index; a type is a rank and has one level, but for the three
 * of a range tree, which are the levels of one rank.
 */
int cohfs_name_cmp(const struct cohfs_lock_name *a,
		   const struct cohfs_lock_name *b);

/** cohfs_type_letter() - 'I' and so on, '?' if there is no such type */
char cohfs_type_letter(unsigned int type);

/** cohfs_type_name() - a word for dumps and messages */
const char *cohfs_type_name(unsigned int type);

#endif /* _COHFS_GLUE_NAME_H */
