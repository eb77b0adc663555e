// SPDX-License-Identifier: GPL-2.0-only
/*
 * One round: everything is looked at, then what is wrong is written anew.
 *
 * Nothing is written before all that is in use is known, except blocks that belong to
 * somebody without doubt.  Repairs need not be perfect: the caller goes on with rounds
 * until one finds nothing.
 */
#include "fsck.h"
#include "inode.h"
#include "lost.h"
#include "twice.h"
#include "walk.h"

static void settle_links(struct fsck *f)
{
	size_t i;

	for (i = 0; i < f->nodes.count; i++) {
		/* without space for lost+found they wait for a better day, with their links */
		if (!(f->nodes.node[i].flags & NODE_LOST))
			inode_settle(f, &f->nodes.node[i]);
		progress_to(f->progress, i);
	}
}

void check_round(struct fsck *f)
{
	claims_init(&f->claims, &f->vol);
	progress_phase(f->progress, 1, "groups", f->vol.info.groups);
	groups_load(f);
	slots_load(f);
	progress_phase(f->progress, 2, "names", f->groups.in_use);
	walk_tree(f);
	progress_phase(f->progress, 3, "lost blocks", f->vol.info.groups);
	lost_search(f);
	slots_check_pools(f);
	slots_make_dirs(f);
	twice_resolve(f);
	lost_connect(f);
	progress_phase(f->progress, 4, "maps", f->jobs.count);
	jobs_run(f);
	progress_phase(f->progress, 5, "links", f->nodes.count);
	settle_links(f);
	progress_phase(f->progress, 6, "bitmaps", f->vol.info.groups);
	groups_check(f);
	progress_wipe(f->progress);
}

void check_free(struct fsck *f)
{
	claims_free(&f->claims);
	groups_free(&f->groups);
	slots_free(&f->slots);
	nodes_free(&f->nodes);
	jobs_free(&f->jobs);
	free(f->queue);
	free(f->deferred);
	memset(f, 0, sizeof(*f));
}
