/* SPDX-License-Identifier: GPL-2.0-only */
/* Is a block, though not as it should be, the one that was expected? */
#ifndef _COHFS_FSCK_IDENT_H
#define _COHFS_FSCK_IDENT_H

#include "../lib/volume.h"

/**
 * enum ident - how sure one can be
 * @IDENT_NONE: it is something else
 * @IDENT_FIELD: the checksum is right, one field of the header is not
 * @IDENT_SUM: header as expected, but the checksum is wrong: any byte may be
 * @IDENT_HEADER: with the header as expected the checksum is right: nothing else is
 *	damaged
 * @IDENT_SURE: nothing wrong with header and checksum
 */
enum ident {
	IDENT_NONE,
	IDENT_FIELD,
	IDENT_SUM,
	IDENT_HEADER,
	IDENT_SURE,
};

/**
 * struct expect - what a block should be
 * @generation: 0: any
 */
struct expect {
	unsigned int type;
	u64 blkno;
	u64 owner;
	u32 generation;
};

/**
 * ident_block() - compare
 * @why: set to what is wrong, a phrase, unless IDENT_SURE
 */
enum ident ident_block(const struct volume *vol, const union block *buf,
		       const struct expect *ex, const char **why);

/** ident_restore() - make the header what it should be */
void ident_restore(const struct volume *vol, union block *buf, const struct expect *ex);

#endif /* _COHFS_FSCK_IDENT_H */
