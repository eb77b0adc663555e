/* SPDX-License-Identifier: GPL-2.0-only */
/* Journals of the test filesystem. */
#ifndef _COHFS_TEST_FSCK_LOG_H
#define _COHFS_TEST_FSCK_LOG_H

#include "../../fs/core/logformat.h"
#include "fsck_build.h"

/** struct log_trans - a transaction: blocks that it changes, and that it revokes */
struct log_trans {
	u32 slot;
	u32 count;
	u64 blkno[64];
	union block contents[64];
	u32 revokes;
	u64 revoke[64];
};

/**
 * log_write() - append to the log of @tr->slot
 * Return: the block of the log where it begins.
 */
u32 log_write(const struct log_trans *tr);
/** log_fill() - some blocks of the filesystem are in the journals only */
void log_fill(u64 seed);
/**
 * log_circle() - the next transaction goes on all the way round, to its own beginning
 * @type: of its blocks: JBD2_BT_REVOKE or _COMMIT
 */
void log_circle(u32 slot, u32 type);
void log_seal_super(struct jbd2_superblock *sb);
/** log_block() - block @pos of the log of @slot */
union block *log_block(u32 slot, u32 pos);
/** log_reseal() - make the checksum of a descriptor, revoke or commit block right */
void log_reseal(u32 slot, u32 pos);

#endif /* _COHFS_TEST_FSCK_LOG_H */
