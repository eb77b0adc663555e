/* SPDX-License-Identifier: GPL-2.0-only */
/* The journals: replayed into the image before anything is looked at. */
#ifndef _COHFS_FSCK_RECOVER_H
#define _COHFS_FSCK_RECOVER_H

#include "../lib/journal.h"
#include "../lib/volume.h"
#include "problem.h"

/**
 * struct recovery - the journals of all slots
 * @why: what is wrong with the superblock of a journal, NULL: nothing
 */
struct recovery {
	struct volume *vol;
	struct journal journal[COHFS_MAX_SLOTS];
	struct journal_summary sum[COHFS_MAX_SLOTS];
	const char *why[COHFS_MAX_SLOTS];
};

/** recovery_open() - look at them.  Return: how many are not empty */
u32 recovery_open(struct recovery *rec, struct volume *vol);
/** recovery_replay() - into the image; says what it did unless @silent */
void recovery_replay(struct recovery *rec, struct problems *problems, bool silent);
/** recovery_finish() - mark them empty, once all else is on the device */
void recovery_finish(struct recovery *rec);
/**
 * recovery_disturbed() - has another node used the device meanwhile?
 * Then its journal has moved on.
 */
bool recovery_disturbed(struct recovery *rec);

#endif /* _COHFS_FSCK_RECOVER_H */
