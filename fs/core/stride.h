/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Records of one length at one distance: what a writer does that leaves the rest of a file to
 * others.
 */
#ifndef _COHFS_CORE_STRIDE_H
#define _COHFS_CORE_STRIDE_H

#include <cohfs/types.h>

/**
 * struct cohfs_stride - the last record, and how it follows the one before; zero at first
 * @first: its first block
 * @len: its blocks
 * @step: from the record before to it; 0: it is not behind that, or has another length
 * @seen: so many times in turn was @step the same
 */
struct cohfs_stride {
	u64 first;
	u64 len;
	u64 step;
	u32 seen;
};

/** cohfs_stride_note() - @len > 0 blocks from @first on are written now, or once more */
void cohfs_stride_note(struct cohfs_stride *st, u64 first, u64 len);

/**
 * cohfs_stride_expect() - how many more records are likely to come
 * @most: at most so many blocks in all
 *
 * As many as have come, so that no more is allocated in vain than was used.  0 if the records
 * are not apart.
 */
u64 cohfs_stride_expect(const struct cohfs_stride *st, u64 most);

#endif /* _COHFS_CORE_STRIDE_H */
