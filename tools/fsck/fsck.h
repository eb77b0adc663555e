/* SPDX-License-Identifier: GPL-2.0-only */
/* What a check of one filesystem consists of. */
#ifndef _COHFS_FSCK_H
#define _COHFS_FSCK_H

#include "claims.h"
#include "groups.h"
#include "jobs.h"
#include "nodes.h"
#include "problem.h"
#include "progress.h"
#include "slots.h"

/**
 * struct fsck - one round of checking and, in memory, repairing
 * @img: the image; repairs are changes to it that are not committed
 * @queue: directories to be walked, from @queue_head on
 * @lost_found: the directory of that name in the root, 0: none was seen
 * @deferred: names whose generation is not that of their inode, until all is known
 */
struct fsck {
	struct image *img;
	struct volume vol;
	struct problems problems;
	struct progress *progress;
	struct groups groups;
	struct claims claims;
	struct nodes nodes;
	struct jobs jobs;
	struct slots slots;
	u64 *queue;
	size_t queue_head;
	size_t queue_count;
	size_t queue_room;
	struct deferred_name *deferred;
	size_t deferred_count;
	size_t deferred_room;
	u64 lost_found;
};

/** check_round() - look at everything; repair in the image what is wrong */
void check_round(struct fsck *f);
/** check_free() - forget all of it but the image */
void check_free(struct fsck *f);

#endif /* _COHFS_FSCK_H */
