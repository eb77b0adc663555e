// SPDX-License-Identifier: GPL-2.0-only
#include <linux/cohfs_ondisk.h>
#include <linux/debug_locks.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched/task.h>
#include "rig.h"

#define RIG_LVB_MAGIC	0x7269676c76622121ULL
#define RIG_POISON	0xdeadULL

struct rig_lvb {
	u64 magic;
	u64 value;
};

/* Owner of a lock ---------------------------------------------------------------- */

static int rig_give_up(struct cohfs_lock *lk, enum cohfs_mode from, enum cohfs_mode to)
{
	struct rig_lock *rl = to_rig_lock(lk);

	rl->from = from;
	rl->to = to;
	atomic_inc(&rl->give_ups);
	if (rl->slow)
		wait_for_completion_timeout(&rl->go_down, RIG_LIMIT);
	if (rl->error)
		return rl->error;
	if (rl->disk && from >= COHFS_PW)
		WRITE_ONCE(*rl->disk, rl->value);
	if (rl->disk && to < COHFS_PR)
		rl->value = RIG_POISON;
	return 0;
}

static void rig_publish(struct cohfs_lock *lk, void *buf)
{
	struct rig_lvb *lvb = buf;

	lvb->magic = RIG_LVB_MAGIC;
	lvb->value = to_rig_lock(lk)->value;
}

static void rig_granted(struct cohfs_lock *lk, enum cohfs_mode from, enum cohfs_mode to,
			const void *buf)
{
	struct rig_lock *rl = to_rig_lock(lk);
	const struct rig_lvb *lvb = buf;

	atomic_inc(&rl->grants);
	rl->lvb_seen = lvb && lvb->magic == RIG_LVB_MAGIC;
	if (rl->disk && from < COHFS_PR)
		rl->value = READ_ONCE(*rl->disk);
	else if (!rl->disk && rl->lvb_seen)
		rl->value = lvb->value;
}

static void rig_free(struct cohfs_lock *lk)
{
	complete_all(&to_rig_lock(lk)->freed);
}

static const struct cohfs_lock_ops rig_ops = {
	.give_up = rig_give_up,
	.publish = rig_publish,
	.granted = rig_granted,
	.free = rig_free,
};

static const struct cohfs_lock_ops rig_tenure_ops = {
	.give_up = rig_give_up,
	.granted = rig_granted,
	.free = rig_free,
	.tenure = true,
	.tenure_div = 4,
	.tenure_max_us = 1000,
};

static const struct cohfs_lock_ops rig_parent_ops = {
	.give_up = rig_give_up,
	.granted = rig_granted,
	.free = rig_free,
	.tenure = true,
	.tenure_div = 8,
	.tenure_max_us = 1000,
	.splits = true,
};

static const struct cohfs_lock_ops rig_bare_ops = {
	.free = rig_free,
};

static struct rig_lock *new_lock(struct rig *rig, const struct cohfs_lock_ops *ops,
				 enum cohfs_lock_type type, u64 number, u64 index)
{
	struct rig_lock *rl = kunit_kzalloc(rig->test, sizeof(*rl), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(rig->test, rl);
	init_completion(&rl->freed);
	init_completion(&rl->go_down);
	KUNIT_ASSERT_EQ(rig->test, 0,
			cohfs_lock_init(&rl->lk, rig->ls, ops, type, number, index));
	list_add_tail(&rl->list, &rig->locks);
	return rl;
}

struct rig_lock *rig_lock(struct rig *rig, enum cohfs_lock_type type, u64 number)
{
	return new_lock(rig, &rig_ops, type, number, 0);
}

struct rig_lock *rig_tenure_lock(struct rig *rig, u64 number)
{
	return new_lock(rig, &rig_tenure_ops, COHFS_LT_RANGE, number, 0);
}

/* a lock of the one tree there is, with what its level does about parts */
struct rig_lock *rig_tree_lock(struct rig *rig, enum cohfs_lock_type level, u64 index)
{
	return new_lock(rig, level == COHFS_LT_PAGE ? &rig_tenure_ops : &rig_parent_ops,
			level, 1, index);
}

struct rig_lock *rig_bare_lock(struct rig *rig, enum cohfs_lock_type type, u64 number)
{
	return new_lock(rig, &rig_bare_ops, type, number, 0);
}

void rig_drop(struct rig_lock *rl)
{
	rl->dropped = true;
	cohfs_lock_drop(&rl->lk);
}

/* for tests that hold a lock in their own task; the caller releases */
void rig_hold(struct rig *rig, struct rig_lock *rl, enum cohfs_mode mode)
{
	KUNIT_ASSERT_EQ(rig->test, 0, cohfs_lock_acquire(&rl->lk, mode, 0));
}

void rig_cache(struct rig *rig, struct rig_lock *rl, enum cohfs_mode mode)
{
	rig_hold(rig, rl, mode);
	cohfs_lock_release(&rl->lk, mode);
}

unsigned int rig_waiters(struct rig_lock *rl)
{
	unsigned long flags;
	unsigned int n;

	spin_lock_irqsave(&rl->lk.lk_spin, flags);
	n = list_count_nodes(&rl->lk.lk_waiters);
	spin_unlock_irqrestore(&rl->lk.lk_spin, flags);
	return n;
}

/* What goes wrong ------------------------------------------------------------------ */

static int script_fail(void *ctx, struct cohfs_lock *lk, enum cohfs_sim_point point,
		       int arg)
{
	struct rig_fault *fault = ctx;

	if (point != fault->point || !fault->error)
		return 0;
	return atomic_dec_if_positive(&fault->times) >= 0 ? fault->error : 0;
}

static unsigned int script_delay(void *ctx, struct cohfs_lock *lk,
				 enum cohfs_sim_point point, int arg)
{
	struct rig_fault *fault = ctx;

	if (point == COHFS_SIM_ANSWER)
		atomic_inc(&fault->answers);
	if (point == COHFS_SIM_ANSWER && arg == -EDEADLK)
		atomic_inc(&fault->deadlocks);
	return point == COHFS_SIM_ANSWER ? fault->answer_ms : fault->bast_ms;
}

void rig_fail(struct rig *rig, enum cohfs_sim_point point, int error, int times)
{
	rig->fault.point = point;
	rig->fault.error = error;
	atomic_set(&rig->fault.times, times);
}

void rig_delay(struct rig *rig, unsigned int answer_ms, unsigned int bast_ms)
{
	rig->fault.answer_ms = answer_ms;
	rig->fault.bast_ms = bast_ms;
}

/* Other nodes ------------------------------------------------------------------------- */

static struct rig_peer *new_peer(struct rig *rig, enum cohfs_lock_type type, u64 number,
				 u64 index)
{
	struct rig_peer *rp = kunit_kzalloc(rig->test, sizeof(*rp), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(rig->test, rp);
	KUNIT_ASSERT_EQ(rig->test, 0,
			cohfs_sim_peer_init(&rp->peer, rig->ls, type, number, index));
	list_add_tail(&rp->list, &rig->peers);
	return rp;
}

struct rig_peer *rig_peer(struct rig *rig, enum cohfs_lock_type type, u64 number)
{
	return new_peer(rig, type, number, 0);
}

struct rig_peer *rig_tree_peer(struct rig *rig, enum cohfs_lock_type level, u64 index)
{
	return new_peer(rig, level, 1, index);
}

void rig_peer_ask(struct rig_peer *rp, enum cohfs_mode mode)
{
	reinit_completion(&rp->peer.answered);
	cohfs_sim_peer_lock(&rp->peer, mode, 0);
}

int rig_peer_answer(struct rig_peer *rp)
{
	if (!wait_for_completion_timeout(&rp->peer.answered, RIG_LIMIT))
		return -ETIME;
	return rp->peer.status;
}

bool rig_peer_answered(struct rig_peer *rp)
{
	return READ_ONCE(rp->peer.status) != -EINPROGRESS;
}

static void peer_gone(struct rig_peer *rp)
{
	cohfs_local_cancel(&rp->peer.ll);
	cohfs_sim_peer_unlock(&rp->peer);
	cohfs_sim_peer_exit(&rp->peer);
}

/* Tasks --------------------------------------------------------------------------------- */

static void end_hold(struct rig_asker *a)
{
	switch (a->ending) {
	case RIG_RELEASE:
		cohfs_lock_release(a->lk, a->mode);
		break;
	case RIG_RELEASE_UNUSED:
		cohfs_lock_release_unused(a->lk, a->mode);
		break;
	case RIG_RELEASE_DONE:
		cohfs_lock_release_done(a->lk, a->mode);
		break;
	case RIG_UNPIN:
		cohfs_lock_unpin(a->lk, a->mode);
		break;
	}
}

static int asker_task(void *arg)
{
	struct rig_asker *a = arg;

	allow_signal(SIGKILL);
	a->ret = cohfs_lock_acquire(a->lk, a->mode, a->flags);
	complete(&a->answered);
	wait_for_completion(&a->go_on);
	if (!a->ret)
		end_hold(a);
	return 0;
}

struct rig_asker *rig_ask(struct rig *rig, struct rig_lock *rl, enum cohfs_mode mode,
			  unsigned int flags)
{
	struct rig_asker *a = kunit_kzalloc(rig->test, sizeof(*a), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(rig->test, a);
	a->lk = &rl->lk;
	a->mode = mode;
	a->flags = flags;
	init_completion(&a->answered);
	init_completion(&a->go_on);
	a->task = kthread_create(asker_task, a, "cohfs_asker");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(rig->test, a->task);
	get_task_struct(a->task);
	list_add_tail(&a->list, &rig->askers);
	wake_up_process(a->task);
	return a;
}

/* may be called once; -ETIME when there is no answer */
int rig_answer(struct rig_asker *a)
{
	if (!wait_for_completion_timeout(&a->answered, RIG_LIMIT))
		return -ETIME;
	return a->ret;
}

void rig_end(struct rig_asker *a, enum rig_ending ending)
{
	if (a->flags & COHFS_LK_PIN)
		ending = RIG_UNPIN;
	a->ending = ending;
	complete(&a->go_on);
	kthread_stop(a->task);
	put_task_struct(a->task);
	list_del(&a->list);
}

/* The whole ------------------------------------------------------------------------------ */

static void on_begin(void *arg)
{
	atomic_inc(&((struct rig *)arg)->recoveries);
}

static void on_lost(void *arg)
{
	atomic_inc(&((struct rig *)arg)->lost);
}

static const struct cohfs_lockspace_ops rig_space_ops = {
	.recovery_begin = on_begin,
	.lost = on_lost,
};

int rig_init(struct kunit *test, enum cohfs_backend backend)
{
	struct rig *rig = kunit_kzalloc(test, sizeof(*rig), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, rig);
	rig->test = test;
	INIT_LIST_HEAD(&rig->locks);
	INIT_LIST_HEAD(&rig->peers);
	INIT_LIST_HEAD(&rig->askers);
	rig->ls = cohfs_lockspace_join(backend, "kunit", NULL, COHFS_LVB_SIZE,
				       &rig_space_ops, rig);
	if (IS_ERR(rig->ls))
		return PTR_ERR(rig->ls);
	rig->fault.script = (struct cohfs_sim_script) {
		.fail = script_fail,
		.delay = script_delay,
		.ctx = &rig->fault,
	};
	if (backend == COHFS_BACKEND_SIM)
		cohfs_sim_script(rig->ls, &rig->fault.script);
	test->priv = rig;
	return 0;
}

int rig_init_sim(struct kunit *test)
{
	return rig_init(test, COHFS_BACKEND_SIM);
}

int rig_init_local(struct kunit *test)
{
	return rig_init(test, COHFS_BACKEND_LOCAL);
}

/*
 * Runs in another task than the test.  After a failure nobody knows who still waits
 * for whom, so everything is killed first.
 */
void rig_exit(struct kunit *test)
{
	struct rig *rig = test->priv;
	struct rig_asker *a, *next_a;
	struct rig_peer *rp;
	struct rig_lock *rl;

	if (!rig)
		return;
	rig_fail(rig, 0, 0, 0);
	rig_delay(rig, 0, 0);
	if (test->status == KUNIT_FAILURE)
		cohfs_lockspace_kill(rig->ls);
	list_for_each_entry(rl, &rig->locks, list)
		complete_all(&rl->go_down);
	list_for_each_entry_safe(a, next_a, &rig->askers, list)
		rig_end(a, RIG_RELEASE);
	list_for_each_entry(rp, &rig->peers, list)
		peer_gone(rp);
	list_for_each_entry(rl, &rig->locks, list)
		if (!rl->dropped)
			rig_drop(rl);
	cohfs_lockspace_leave(rig->ls);
	list_for_each_entry(rl, &rig->locks, list)
		KUNIT_EXPECT_TRUE_MSG(test, completion_done(&rl->freed),
				      "a lock was not freed");
	KUNIT_EXPECT_TRUE_MSG(test, debug_locks, "lockdep has something to say");
}

MODULE_DESCRIPTION("Tests of cohfs");
MODULE_LICENSE("GPL");
