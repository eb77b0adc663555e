// SPDX-License-Identifier: GPL-2.0-only
/*
 * The lock layer when things go wrong: refusals, errors, callbacks out of order.
 * Whatever happens, nobody is left waiting and the node does not keep what others
 * wait for.
 */
#include "rig.h"

/* Refusals ------------------------------------------------------------------------- */

/*
 * Two PR that both want EX.  The other node asked first, and we have not heard of it
 * when we ask: -EDEADLK for us.
 */
static void conversion_deadlock(struct kunit *test)
{
	struct rig *rig = test->priv;
	struct rig_lock *rl = rig_lock(rig, COHFS_LT_RANGE, 1);
	struct rig_peer *rp = rig_peer(rig, COHFS_LT_RANGE, 1);
	struct rig_asker *a;

	rig_cache(rig, rl, COHFS_PR);
	rig_peer_ask(rp, COHFS_PR);
	KUNIT_ASSERT_EQ(test, 0, rig_peer_answer(rp));
	rig_delay(rig, 0, 1000);
	rig_peer_ask(rp, COHFS_EX);
	a = rig_ask(rig, rl, COHFS_EX, 0);
	KUNIT_EXPECT_EQ(test, 0, rig_peer_answer(rp));
	KUNIT_EXPECT_EQ(test, rig_cached(rl), COHFS_NL);
	KUNIT_EXPECT_EQ(test, atomic_read(&rl->give_ups), 1);
	/* else the bast was there first, after a second */
	KUNIT_EXPECT_EQ(test, atomic_read(&rig->fault.deadlocks), 1);
	EVENTUALLY(test, READ_ONCE(rp->peer.bast) == COHFS_EX);
	KUNIT_EXPECT_FALSE(test, completion_done(&a->answered));
	cohfs_sim_peer_unlock(&rp->peer);
	KUNIT_EXPECT_EQ(test, 0, rig_answer(a));
	KUNIT_EXPECT_EQ(test, rig_cached(rl), COHFS_EX);
	rig_end(a, RIG_RELEASE);
}

/* the same between two real nodes: one of them has to yield, both get it */
static void both_want_more(struct kunit *test)
{
	struct rig *rig = test->priv;
	struct rig_lock *one = rig_lock(rig, COHFS_LT_RANGE, 1);
	struct rig_lock *two = rig_lock(rig, COHFS_LT_RANGE, 1);
	struct rig_asker *a, *b;
	unsigned int i;

	rig_delay(rig, 0, 20);
	for (i = 0; i < 10; i++) {
		rig_cache(rig, one, COHFS_PR);
		rig_cache(rig, two, COHFS_PR);
		a = rig_ask(rig, one, COHFS_EX, 0);
		b = rig_ask(rig, two, COHFS_EX, 0);
		a->ending = RIG_RELEASE;
		b->ending = RIG_RELEASE;
		complete(&a->go_on);
		complete(&b->go_on);
		KUNIT_EXPECT_EQ(test, 0, rig_answer(a));
		KUNIT_EXPECT_EQ(test, 0, rig_answer(b));
		rig_end(a, RIG_RELEASE);
		rig_end(b, RIG_RELEASE);
	}
}

/* Errors ------------------------------------------------------------------------------- */

static const struct request_row {
	const char *name;
	int error, times, ret;
	int retries;
	bool lost;
} requests[] = {
	{ "no memory", -ENOMEM, 1, -ENOMEM, 0, false },
	{ "busy for a while", -EBUSY, 5, 0, 5, false },
	{ "busy for long", -EBUSY, 40, 0, 40, false },
	{ "broken", -EINVAL, 1, -EINVAL, 0, true },
};

KUNIT_ARRAY_PARAM_DESC(request, requests, name);

static void request_fails(struct kunit *test)
{
	const struct request_row *row = test->param_value;
	struct rig *rig = test->priv;
	struct rig_lock *rl = rig_lock(rig, COHFS_LT_RANGE, 1);
	struct rig_asker *a;

	rig_fail(rig, COHFS_SIM_REQUEST, row->error, row->times);
	a = rig_ask(rig, rl, COHFS_EX, 0);
	KUNIT_EXPECT_EQ(test, row->ret, rig_answer(a));
	rig_end(a, RIG_RELEASE);
	KUNIT_EXPECT_EQ(test, rig_count(rl, COHFS_CT_RETRIES), row->retries);
	KUNIT_EXPECT_EQ(test, atomic_read(&rig->lost), row->lost);
	KUNIT_EXPECT_EQ(test, rig_waiters(rl), 0);
	/* what failed once is not failed for good */
	a = rig_ask(rig, rl, COHFS_EX, 0);
	KUNIT_EXPECT_EQ(test, 0, rig_answer(a));
	rig_end(a, RIG_RELEASE);
}

/* every step on the way up: new lock, NL, conversion */
static void second_step_has_no_memory(struct kunit *test)
{
	struct rig *rig = test->priv;
	struct rig_lock *rl = rig_lock(rig, COHFS_LT_RANGE, 1);
	struct rig_peer *rp = rig_peer(rig, COHFS_LT_RANGE, 1);
	struct rig_asker *a, *b;

	rig_peer_ask(rp, COHFS_EX);
	KUNIT_EXPECT_EQ(test, -EAGAIN,
			cohfs_lock_acquire(&rl->lk, COHFS_PR, COHFS_LK_NOQUEUE));
	/* TRY is answered late, and by then there is no memory for the next one */
	rig_delay(rig, 2000, 0);
	a = rig_ask(rig, rl, COHFS_PR, 0);
	b = rig_ask(rig, rl, COHFS_EX, 0);
	EVENTUALLY(test, rig_waiters(rl) == 2);
	rig_fail(rig, COHFS_SIM_REQUEST, -ENOMEM, 1);
	KUNIT_EXPECT_EQ(test, -ENOMEM, rig_answer(a));
	KUNIT_EXPECT_EQ(test, -ENOMEM, rig_answer(b));
	rig_end(a, RIG_RELEASE);
	rig_end(b, RIG_RELEASE);
	rig_delay(rig, 0, 0);
	a = rig_ask(rig, rl, COHFS_PR, 0);
	EVENTUALLY(test, READ_ONCE(rp->peer.bast) == COHFS_PR);
	cohfs_sim_peer_unlock(&rp->peer);
	KUNIT_EXPECT_EQ(test, 0, rig_answer(a));
	rig_end(a, RIG_RELEASE);
}

static const struct down_row {
	const char *name;
	int error, times;
	bool lost;
} downs[] = {
	{ "busy for a while", -EBUSY, 6, false },
	{ "busy for long", -EBUSY, 40, false },
	{ "no memory for a while", -ENOMEM, 6, false },
	{ "broken", -EINVAL, 1, true },
};

KUNIT_ARRAY_PARAM_DESC(down, downs, name);

static void lower_fails(struct kunit *test)
{
	const struct down_row *row = test->param_value;
	struct rig *rig = test->priv;
	struct rig_lock *rl = rig_lock(rig, COHFS_LT_RANGE, 1);
	struct rig_peer *rp = rig_peer(rig, COHFS_LT_RANGE, 1);
	struct rig_asker *a;

	rig_cache(rig, rl, COHFS_EX);
	rig_fail(rig, COHFS_SIM_LOWER, row->error, row->times);
	rig_peer_ask(rp, COHFS_EX);
	a = rig_ask(rig, rl, COHFS_PR, 0);
	if (row->lost) {
		/* may have got in before the revoke; later ones get an error */
		rig_answer(a);
		rig_end(a, RIG_RELEASE);
		EVENTUALLY(test, atomic_read(&rig->lost) == 1);
		KUNIT_EXPECT_EQ(test, -EIO, cohfs_lock_acquire(&rl->lk, COHFS_PR, 0));
		KUNIT_EXPECT_FALSE(test, rig_peer_answered(rp));
		/* what a mount does then; the lock must not survive as a waiter */
		cohfs_lockspace_kill(rig->ls);
		return;
	}
	KUNIT_EXPECT_EQ(test, 0, rig_peer_answer(rp));
	KUNIT_EXPECT_EQ(test, rig_count(rl, COHFS_CT_RETRIES), row->times);
	KUNIT_EXPECT_EQ(test, atomic_read(&rig->lost), 0);
	cohfs_sim_peer_unlock(&rp->peer);
	KUNIT_EXPECT_EQ(test, 0, rig_answer(a));
	rig_end(a, RIG_RELEASE);
}

static void unlock_fails(struct kunit *test)
{
	const struct down_row *row = test->param_value;
	struct rig *rig = test->priv;
	struct rig_lock *rl = rig_lock(rig, COHFS_LT_RANGE, 1);

	rig_cache(rig, rl, COHFS_EX);
	rig_fail(rig, COHFS_SIM_UNLOCK, row->error, row->times);
	rig_drop(rl);
	if (row->lost) {
		EVENTUALLY(test, atomic_read(&rig->lost) == 1);
		cohfs_lockspace_kill(rig->ls);
		return;
	}
	EVENTUALLY(test, !atomic_read(&rig->ls->ls_nr_locks));
	KUNIT_EXPECT_EQ(test, atomic_read(&rig->lost), 0);
}

/* Taking a request back ------------------------------------------------------------------- */

static const struct cancel_row {
	const char *name;
	int error;
} cancels[] = {
	{ "taken back", 0 },
	{ "too late", -EBUSY },
};

KUNIT_ARRAY_PARAM_DESC(cancel, cancels, name);

static void drop_while_raising(struct kunit *test)
{
	const struct cancel_row *row = test->param_value;
	struct rig *rig = test->priv;
	struct rig_lock *rl = rig_lock(rig, COHFS_LT_RANGE, 1);
	struct rig_peer *rp = rig_peer(rig, COHFS_LT_RANGE, 1);
	struct rig_asker *a;

	rig_peer_ask(rp, COHFS_EX);
	a = rig_ask(rig, rl, COHFS_EX, 0);
	EVENTUALLY(test, READ_ONCE(rp->peer.bast) == COHFS_EX);
	rig_fail(rig, COHFS_SIM_CANCEL, row->error, 1);
	rig_drop(rl);
	KUNIT_EXPECT_EQ(test, -EIO, rig_answer(a));
	rig_end(a, RIG_RELEASE);
	if (row->error) {
		/* then it is granted to nobody, and unlocked */
		EVENTUALLY(test, !atomic_read(&rig->fault.times));
		cohfs_sim_peer_unlock(&rp->peer);
	}
	EVENTUALLY(test, !atomic_read(&rig->ls->ls_nr_locks));
	KUNIT_EXPECT_EQ(test, atomic_read(&rl->grants), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&rl->give_ups), 0);
	rig_peer_ask(rp, COHFS_EX);
	KUNIT_EXPECT_EQ(test, 0, rig_peer_answer(rp));
}

/* Out of order --------------------------------------------------------------------------------- */

/* the bast for a grant is here before the grant */
static void bast_while_raising(struct kunit *test)
{
	struct rig *rig = test->priv;
	struct rig_lock *rl = rig_lock(rig, COHFS_LT_RANGE, 1);
	struct rig_peer *rp = rig_peer(rig, COHFS_LT_RANGE, 1);
	struct rig_asker *a;

	rig_delay(rig, 400, 0);
	a = rig_ask(rig, rl, COHFS_EX, 0);
	/* else it is the peer who gets it */
	EVENTUALLY(test, atomic_read(&rig->fault.answers));
	rig_peer_ask(rp, COHFS_PR);
	/* who waited gets it once, all the same */
	KUNIT_EXPECT_EQ(test, 0, rig_answer(a));
	KUNIT_EXPECT_EQ(test, rig_cached(rl), COHFS_EX);
	KUNIT_EXPECT_FALSE(test, rig_peer_answered(rp));
	KUNIT_EXPECT_TRUE(test, cohfs_lock_contended(&rl->lk));
	rig_delay(rig, 0, 0);
	rig_end(a, RIG_RELEASE);
	KUNIT_EXPECT_EQ(test, 0, rig_peer_answer(rp));
	KUNIT_EXPECT_EQ(test, rig_count(rl, COHFS_CT_BASTS), 1);
}

/* a bast that comes when everything is over costs a revoke at worst */
static void bast_for_nothing(struct kunit *test)
{
	struct rig *rig = test->priv;
	struct rig_lock *rl = rig_lock(rig, COHFS_LT_RANGE, 1);

	cohfs_lock_bast(&rl->lk, COHFS_EX);
	KUNIT_EXPECT_EQ(test, atomic_read(&rl->give_ups), 0);
	rig_cache(rig, rl, COHFS_PR);
	cohfs_lock_bast(&rl->lk, COHFS_PR);
	KUNIT_EXPECT_EQ(test, rig_cached(rl), COHFS_PR);
	cohfs_lock_bast(&rl->lk, COHFS_EX);
	cohfs_lock_bast(&rl->lk, COHFS_EX);
	EVENTUALLY(test, rig_state(rl) == COHFS_FS_IDLE && rig_cached(rl) == COHFS_NL);
	KUNIT_EXPECT_EQ(test, atomic_read(&rl->give_ups), 1);
	rig_cache(rig, rl, COHFS_EX);
	KUNIT_EXPECT_EQ(test, rig_cached(rl), COHFS_EX);
}

/* What give_up says ------------------------------------------------------------------------------- */

static void give_up_is_deferred(struct kunit *test)
{
	struct rig *rig = test->priv;
	struct rig_lock *rl = rig_lock(rig, COHFS_LT_INODE, 1);
	struct rig_peer *rp = rig_peer(rig, COHFS_LT_INODE, 1);

	rig_cache(rig, rl, COHFS_EX);
	rl->error = -EINPROGRESS;
	rig_peer_ask(rp, COHFS_EX);
	EVENTUALLY(test, rl->lk.lk_fsm.deferred);
	KUNIT_EXPECT_EQ(test, rig_cached(rl), COHFS_EX);
	KUNIT_EXPECT_FALSE(test, rig_peer_answered(rp));
	rl->error = 0;
	rig_drop(rl);
	KUNIT_EXPECT_EQ(test, 0, rig_peer_answer(rp));
	KUNIT_EXPECT_EQ(test, atomic_read(&rl->give_ups), 2);
}

static void give_up_fails(struct kunit *test)
{
	struct rig *rig = test->priv;
	struct rig_lock *rl = rig_lock(rig, COHFS_LT_RANGE, 1);
	struct rig_peer *rp = rig_peer(rig, COHFS_LT_RANGE, 1);
	struct rig_asker *a;

	rig_cache(rig, rl, COHFS_EX);
	rl->slow = true;
	rl->error = -EIO;
	rig_peer_ask(rp, COHFS_EX);
	EVENTUALLY(test, atomic_read(&rl->give_ups) == 1);
	a = rig_ask(rig, rl, COHFS_PR, 0);
	EVENTUALLY(test, rig_waiters(rl) == 1);
	complete_all(&rl->go_down);
	KUNIT_EXPECT_EQ(test, -EIO, rig_answer(a));
	rig_end(a, RIG_RELEASE);
	/* never lowered: what it protects did not reach the disk */
	KUNIT_EXPECT_FALSE(test, rig_peer_answered(rp));
	KUNIT_EXPECT_EQ(test, -EIO, cohfs_lock_acquire(&rl->lk, COHFS_PR, 0));
	cohfs_lockspace_kill(rig->ls);
}

static struct kunit_case fault_cases[] = {
	KUNIT_CASE(conversion_deadlock),
	KUNIT_CASE(both_want_more),
	KUNIT_CASE_PARAM(request_fails, request_gen_params),
	KUNIT_CASE(second_step_has_no_memory),
	KUNIT_CASE_PARAM(lower_fails, down_gen_params),
	KUNIT_CASE_PARAM(unlock_fails, down_gen_params),
	KUNIT_CASE_PARAM(drop_while_raising, cancel_gen_params),
	KUNIT_CASE(bast_while_raising),
	KUNIT_CASE(bast_for_nothing),
	KUNIT_CASE(give_up_is_deferred),
	KUNIT_CASE(give_up_fails),
	{}
};

static struct kunit_suite fault_suite = {
	.name = "cohfs_lock_fault",
	.init = rig_init_sim,
	.exit = rig_exit,
	.test_cases = fault_cases,
};

kunit_test_suite(fault_suite);
