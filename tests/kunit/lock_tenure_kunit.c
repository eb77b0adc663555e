// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tenure: a right that was waited for is good for one access.
 *
 * The machine may be slow enough for the bound to end a first use that the test has
 * not come to yet, so "not taken away" always means "unless counted as overdue".
 */
#include "rig.h"

/*
 * Make @rl get EX after waiting for another node that at once wants it back.
 * Return: that node, which waits.
 */
static struct rig_peer *contended_grant(struct rig *rig, struct rig_lock *rl,
					struct rig_asker *a)
{
	struct kunit *test = rig->test;
	struct rig_peer *rp = rig_peer(rig, COHFS_LT_RANGE, 1);

	KUNIT_EXPECT_EQ(test, 0, rig_answer(a));
	rig_peer_ask(rp, COHFS_EX);
	EVENTUALLY(test, rig_count(rl, COHFS_CT_BASTS) == 1);
	return rp;
}

static void expect_protected(struct rig *rig, struct rig_lock *rl, struct rig_peer *rp)
{
	/* in this order: what is overdue is counted before it is given up */
	bool lost = rig_peer_answered(rp);

	KUNIT_EXPECT_TRUE(rig->test, !lost || rig_count(rl, COHFS_CT_TENURE_OVERDUE));
}

static struct rig_asker *wait_behind_another(struct rig *rig, struct rig_lock *rl)
{
	struct rig_peer *first = rig_peer(rig, COHFS_LT_RANGE, 1);
	struct rig_asker *a;

	rig_peer_ask(first, COHFS_EX);
	a = rig_ask(rig, rl, COHFS_EX, 0);
	EVENTUALLY(rig->test, READ_ONCE(first->peer.bast) == COHFS_EX);
	cohfs_sim_peer_unlock(&first->peer);
	return a;
}

static void use_ends_protection(struct kunit *test)
{
	struct rig *rig = test->priv;
	struct rig_lock *rl = rig_tenure_lock(rig, 1);
	struct rig_asker *a = wait_behind_another(rig, rl);
	struct rig_peer *rp = contended_grant(rig, rl, a);

	rig_end(a, RIG_RELEASE_UNUSED);
	expect_protected(rig, rl, rp);
	/* who comes back finds it, in spite of the demand */
	if (!cohfs_lock_acquire(&rl->lk, COHFS_EX, COHFS_LK_TRY)) {
		expect_protected(rig, rl, rp);
		cohfs_lock_release(&rl->lk, COHFS_EX);
	} else {
		KUNIT_EXPECT_NE(test, rig_count(rl, COHFS_CT_TENURE_OVERDUE), 0);
	}
	KUNIT_EXPECT_EQ(test, 0, rig_peer_answer(rp));
}

static void used_without_a_hold(struct kunit *test)
{
	struct rig *rig = test->priv;
	struct rig_lock *rl = rig_tenure_lock(rig, 1);
	struct rig_asker *a = wait_behind_another(rig, rl);
	struct rig_peer *rp = contended_grant(rig, rl, a);

	rig_end(a, RIG_RELEASE_UNUSED);
	expect_protected(rig, rl, rp);
	cohfs_lock_used(&rl->lk);
	KUNIT_EXPECT_EQ(test, 0, rig_peer_answer(rp));
	KUNIT_EXPECT_EQ(test, rl->lk.lk_fsm.tenure, COHFS_TEN_NONE);
}

static void weaker_release_keeps_the_promise(struct kunit *test)
{
	struct rig *rig = test->priv;
	struct rig_lock *rl = rig_tenure_lock(rig, 1);
	struct rig_asker *a = wait_behind_another(rig, rl);
	struct rig_peer *rp = contended_grant(rig, rl, a);

	rig_end(a, RIG_RELEASE_UNUSED);
	if (!cohfs_lock_acquire(&rl->lk, COHFS_PR, COHFS_LK_TRY)) {
		cohfs_lock_release(&rl->lk, COHFS_PR);
		expect_protected(rig, rl, rp);
	}
	cohfs_lock_used(&rl->lk);
	KUNIT_EXPECT_EQ(test, 0, rig_peer_answer(rp));
}

static void bound_ends_protection(struct kunit *test)
{
	struct rig *rig = test->priv;
	struct rig_lock *rl = rig_tenure_lock(rig, 1);
	struct rig_asker *a = wait_behind_another(rig, rl);
	struct rig_peer *rp = contended_grant(rig, rl, a);

	rig_end(a, RIG_RELEASE_UNUSED);
	/* nobody ever uses it */
	KUNIT_EXPECT_EQ(test, 0, rig_peer_answer(rp));
	KUNIT_EXPECT_EQ(test, rig_count(rl, COHFS_CT_TENURE_OVERDUE), 1);
	KUNIT_EXPECT_EQ(test, rig_cached(rl), COHFS_NL);
}

static void release_ends_protection(struct kunit *test)
{
	struct rig *rig = test->priv;
	struct rig_lock *rl = rig_tenure_lock(rig, 1);
	struct rig_asker *a = wait_behind_another(rig, rl);
	struct rig_peer *rp = contended_grant(rig, rl, a);

	/* no bound for as long as it is held */
	KUNIT_EXPECT_FALSE(test, rig_peer_answered(rp));
	KUNIT_EXPECT_EQ(test, rl->lk.lk_fsm.tenure, COHFS_TEN_HELD);
	rig_end(a, RIG_RELEASE);
	KUNIT_EXPECT_EQ(test, 0, rig_peer_answer(rp));
	KUNIT_EXPECT_EQ(test, rig_count(rl, COHFS_CT_TENURE_OVERDUE), 0);
}

/* who will not be back: the other node's request is served in the same step */
static void parting_leaves_no_tenure(struct kunit *test)
{
	struct rig *rig = test->priv;
	struct rig_lock *rl = rig_tenure_lock(rig, 1);
	struct rig_asker *a = wait_behind_another(rig, rl);
	struct rig_peer *rp = contended_grant(rig, rl, a);

	KUNIT_EXPECT_FALSE(test, rig_peer_answered(rp));
	rig_end(a, RIG_RELEASE_DONE);
	KUNIT_EXPECT_EQ(test, rl->lk.lk_fsm.tenure, COHFS_TEN_NONE);
	KUNIT_EXPECT_TRUE(test, rl->lk.lk_fsm.state != COHFS_FS_IDLE ||
				rig_cached(rl) == COHFS_NL);
	KUNIT_EXPECT_EQ(test, 0, rig_peer_answer(rp));
}

/* who would have been promised a use dies: the right must not wait for the bound */
static void killed_waiter_needs_no_tenure(struct kunit *test)
{
	struct rig *rig = test->priv;
	struct rig_lock *rl = rig_tenure_lock(rig, 1);
	struct rig_peer *first = rig_peer(rig, COHFS_LT_RANGE, 1);
	struct rig_peer *next = rig_peer(rig, COHFS_LT_RANGE, 1);
	struct rig_asker *a;

	rig_peer_ask(first, COHFS_EX);
	a = rig_ask(rig, rl, COHFS_EX, 0);
	EVENTUALLY(test, READ_ONCE(first->peer.bast) == COHFS_EX);
	rig_peer_ask(next, COHFS_EX);
	send_sig(SIGKILL, a->task, 1);
	KUNIT_EXPECT_EQ(test, -EINTR, rig_answer(a));
	cohfs_sim_peer_unlock(&first->peer);
	KUNIT_EXPECT_EQ(test, 0, rig_peer_answer(next));
	KUNIT_EXPECT_EQ(test, rig_count(rl, COHFS_CT_TENURE_OVERDUE), 0);
	rig_end(a, RIG_RELEASE);
}

/* two nodes and a page: each gets its access in, again and again */
static void ping_pong(struct kunit *test)
{
	struct rig *rig = test->priv;
	struct rig_lock *node[2] = { rig_tenure_lock(rig, 1), rig_tenure_lock(rig, 1) };
	struct rig_asker *a;
	unsigned int i, missed = 0;

	for (i = 0; i < 60; i++) {
		a = rig_ask(rig, node[i % 2], COHFS_EX, 0);
		KUNIT_EXPECT_EQ(test, 0, rig_answer(a));
		rig_end(a, RIG_RELEASE_UNUSED);
		if (cohfs_lock_acquire(&node[i % 2]->lk, COHFS_EX, COHFS_LK_TRY))
			missed++;
		else
			cohfs_lock_release(&node[i % 2]->lk, COHFS_EX);
	}
	KUNIT_EXPECT_LE(test, missed, rig_count(node[0], COHFS_CT_TENURE_OVERDUE));
}

static struct kunit_case tenure_cases[] = {
	KUNIT_CASE(use_ends_protection),
	KUNIT_CASE(used_without_a_hold),
	KUNIT_CASE(weaker_release_keeps_the_promise),
	KUNIT_CASE(bound_ends_protection),
	KUNIT_CASE(release_ends_protection),
	KUNIT_CASE(parting_leaves_no_tenure),
	KUNIT_CASE(killed_waiter_needs_no_tenure),
	KUNIT_CASE(ping_pong),
	{}
};

static struct kunit_suite tenure_suite = {
	.name = "cohfs_lock_tenure",
	.init = rig_init_sim,
	.exit = rig_exit,
	.test_cases = tenure_cases,
};

kunit_test_suite(tenure_suite);
