/* SPDX-License-Identifier: GPL-2.0-only */
/* A journal is looked at before jbd2 replays it. */
#ifndef _COHFS_LOGCHECK_H
#define _COHFS_LOGCHECK_H

#include <linux/types.h>

struct cohfs_sb;
struct journal_superblock_s;

/**
 * cohfs_log_check() - would a replay of this journal stay where metadata may be?
 * @first: its first block on the device
 * @jsb: its superblock, the bytes that jbd2 goes by
 * Context: sleeps, I/O.  The slot's lock is held EX from before @jsb was read until the
 * replay is done, so that no node changes what was looked at.
 * Return: 0; -EFSCORRUPTED with a message; -EIO.
 */
int cohfs_log_check(struct cohfs_sb *cs, u32 slot, u64 first,
		    const struct journal_superblock_s *jsb);

#endif /* _COHFS_LOGCHECK_H */
