/* SPDX-License-Identifier: GPL-2.0-only */
/* A slot's journal: a small jbd2 recovery into an image. */
#ifndef _COHFS_TOOLS_JOURNAL_H
#define _COHFS_TOOLS_JOURNAL_H

#include "image.h"

struct cohfs_log_places;

/**
 * struct journal - one log
 * @first: its superblock's place on the device
 * @blocks: its length, superblock included
 * @start: block of the log where the oldest transaction begins; 0: empty
 * @sequence: that transaction's number
 * @error: what its last owner died of, 0 or a negative errno
 * @seed: of all checksums in the log
 */
struct journal {
	struct image *img;
	u64 first;
	u32 blocks;
	u32 log_first;
	u32 start;
	u32 sequence;
	s32 error;
	u32 seed;
};

/**
 * struct journal_summary - what is in a log
 * @end: number of the first transaction that is not complete
 * @end_pos: where in the log it would begin
 * @transactions, @blocks, @revokes: in the complete ones
 * @replayed: blocks written by journal_replay()
 * @damaged: blocks that were not, as they were not what had been logged
 * @outside: blocks that were not, as they were no place for metadata
 * @beyond: there are complete transactions behind @end, which cannot be used
 */
struct journal_summary {
	u32 end;
	u32 end_pos;
	u32 transactions;
	u32 blocks;
	u32 revokes;
	u32 replayed;
	u32 damaged;
	u32 outside;
	bool beyond;
};

/**
 * journal_open() - read the superblock of the log of @blocks blocks at @first
 * Return: NULL, or what is wrong with it, a phrase: then only journal_reset() may follow.
 */
const char *journal_open(struct journal *j, struct image *img, u64 first, u32 blocks);

/**
 * journal_scan() - find out what is in the log
 *
 * As jbd2 does: transactions follow each other until one is not complete, which is where
 * the machine stopped.  A damaged descriptor looks the same, but has others behind it.
 */
void journal_scan(struct journal *j, struct journal_summary *sum);

/**
 * journal_refusal() - does the module refuse to replay this log?
 *
 * It looks at more than the complete transactions: at all that jbd2 could follow.
 * Return: NULL, or why it does, a phrase; what is complete may be replayed all the same.
 */
const char *journal_refusal(struct journal *j, const struct cohfs_log_places *places);

/**
 * journal_replay() - write the blocks of the log to their places in the image
 * @sum: from journal_scan(), updated
 * @places: where metadata may be
 */
void journal_replay(struct journal *j, struct journal_summary *sum,
		    const struct cohfs_log_places *places);

/** journal_finish() - mark the log empty after a replay, forget the recorded error */
void journal_finish(struct journal *j, const struct journal_summary *sum);

/**
 * journal_reset() - write a new superblock: an empty log
 *
 * It has a new UUID, so that nothing that is still in the log passes for part of it.
 */
void journal_reset(struct journal *j);

/** journal_each() - call back for every transaction's blocks (dump) */
void journal_each(struct journal *j, const struct journal_summary *sum,
		  void (*block)(u32 sequence, u64 blkno, bool revoke));

#endif /* _COHFS_TOOLS_JOURNAL_H */
