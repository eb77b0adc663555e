// SPDX-License-Identifier: GPL-2.0-only
/*
 * An unmount and the cluster it leaves.
 *
 * What an unmount still asks of the cluster is good manners: times of writes are told,
 * inodes without links deleted, locks let go one by one with their value blocks.  Without
 * quorum, or while a dead node is being fenced, none of it comes to an end.  Nothing of it
 * is needed for what is on the disk to be right and complete, so the unmount can be killed
 * while it waits, and then goes on alone:
 *
 *  1. @alone is set, and all locks are killed: whatever waits for one, in whatever
 *     context, gets -EIO.  Nothing is lowered, nobody gets anything of ours yet.
 *  2. The rest of the unmount is as ever: data was written before the first wait, the
 *     journal is flushed and left empty.  None of that needs a lock that is not here.
 *  3. The lockspace is left by force, and all locks go at once.  So they go after what
 *     they protect is on the disk.  To the others this is a node that left; or, if they
 *     do not hear it, one that died: they have it fenced and find an empty journal.
 *
 * If 2 fails this node has withdrawn, and its locks stay as always then (withdraw.c).
 *
 * A task that cannot be killed (it is dying already, or a kernel thread) goes on alone when
 * the lock manager has stood still for a while.
 */
#include <linux/completion.h>
#include <linux/sched/signal.h>
#include <linux/workqueue.h>
#include "../dlm_glue/glue.h"
#include "super.h"
#include "unmount.h"

#define GRACE_SECONDS	2	/* for a cluster that is well */
#define REPORT_SECONDS	30
#define ALONE_SECONDS	60	/* if it cannot be killed */

/**
 * struct step - a part of an unmount that waits for the cluster
 * @fn: in a worker, since much of what it waits for are workers: not killable
 */
struct step {
	struct cohfs_sb *cs;
	void (*fn)(struct cohfs_sb *cs);
	struct work_struct work;
	struct completion done;
};

static void step_work(struct work_struct *work)
{
	struct step *step = container_of(work, struct step, work);

	step->fn(step->cs);
	complete(&step->done);
}

/* @alone first: who gets -EIO from a lock then finds out why */
static void go_alone(struct cohfs_sb *cs)
{
	WRITE_ONCE(cs->alone, true);
	cohfs_warn(cs->sb, "unmount goes on without the cluster: times of recent writes and deletions may be left undone");
	cohfs_lockspace_lose(cs->ls);
}

/* Return: true when there is no more sense in waiting */
static bool report(struct cohfs_sb *cs, unsigned int seconds)
{
	bool killable = !(current->flags & (PF_KTHREAD | PF_EXITING));
	bool stopped = cohfs_lockspace_stopped(cs->ls);

	cohfs_warn(cs->sb, "unmount waits for the cluster since %u s%s%s", seconds,
		   stopped ? ", which has no quorum or recovers" : "",
		   killable ? ": killed, it goes on alone" : "");
	return !killable && stopped && seconds >= ALONE_SECONDS;
}

static bool wait_done(struct step *step)
{
	unsigned int seconds = 0;
	long left;

	if (wait_for_completion_timeout(&step->done, GRACE_SECONDS * HZ))
		return true;
	do {
		left = wait_for_completion_killable_timeout(&step->done,
							    REPORT_SECONDS * HZ);
		if (left)
			return left > 0;
		seconds += REPORT_SECONDS;
	} while (!report(step->cs, seconds));
	return false;
}

void cohfs_unmount_step(struct cohfs_sb *cs, void (*fn)(struct cohfs_sb *cs))
{
	struct step step = { .cs = cs, .fn = fn };

	/* alone already, or from the start */
	if (!cs->ls || cohfs_is_alone(cs) || cs->opts.lock == COHFS_LOCK_LOCAL) {
		fn(cs);
		return;
	}
	INIT_WORK_ONSTACK(&step.work, step_work);
	init_completion(&step.done);
	queue_work(system_unbound_wq, &step.work);
	if (!wait_done(&step)) {
		go_alone(cs);
		wait_for_completion(&step.done);
	}
	flush_work(&step.work);
	destroy_work_on_stack(&step.work);
}

static void drain(struct cohfs_sb *cs)
{
	cohfs_lockspace_drain(cs->ls);
}

void cohfs_unmount_leave(struct cohfs_sb *cs)
{
	if (!cs->ls)
		return;
	cohfs_unmount_step(cs, drain);
	/* withdrawn: then that decides what becomes of the locks */
	if (cohfs_is_alone(cs) && !cohfs_is_withdrawn(cs))
		cohfs_lockspace_abandon(cs->ls);
	cohfs_lockspace_leave(cs->ls);
	cs->ls = NULL;
}
