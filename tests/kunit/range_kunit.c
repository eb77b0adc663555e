// SPDX-License-Identifier: GPL-2.0-only
/*
 * The locks that a tree of range locks is made of, at each of its levels: what other
 * nodes leave of them, what goes wrong on the way, and what only trees do: splits,
 * recalls, several requests at once.
 */
#include "rig.h"

static const struct level_row {
	const char *name;
	enum cohfs_lock_type type;
	u64 index;
} levels[] = {
	{ "file", COHFS_LT_RANGE, 0 },
	{ "region", COHFS_LT_REGION, 3 },
	{ "page", COHFS_LT_PAGE, 1600 },
};

KUNIT_ARRAY_PARAM_DESC(level, levels, name);

static struct rig_lock *level_lock(struct kunit *test)
{
	const struct level_row *row = test->param_value;

	return rig_tree_lock(test->priv, row->type, row->index);
}

static struct rig_peer *level_peer(struct kunit *test)
{
	const struct level_row *row = test->param_value;

	return rig_tree_peer(test->priv, row->type, row->index);
}

static bool splits(struct kunit *test)
{
	return ((const struct level_row *)test->param_value)->type != COHFS_LT_PAGE;
}

/* What another node leaves ------------------------------------------------------------ */

static const struct demand_row {
	enum cohfs_mode granted, demand, left;
} demands[] = {
	{ COHFS_EX, COHFS_CR, COHFS_CW },
	{ COHFS_EX, COHFS_CW, COHFS_CW },
	{ COHFS_EX, COHFS_PR, COHFS_PR },
	{ COHFS_EX, COHFS_EX, COHFS_NL },
	{ COHFS_PR, COHFS_CR, COHFS_PR },
	{ COHFS_PR, COHFS_CW, COHFS_CR },
	{ COHFS_PR, COHFS_PR, COHFS_PR },
	{ COHFS_PR, COHFS_EX, COHFS_NL },
	{ COHFS_CW, COHFS_CR, COHFS_CW },
	{ COHFS_CW, COHFS_CW, COHFS_CW },
	{ COHFS_CW, COHFS_PR, COHFS_CR },
	{ COHFS_CW, COHFS_EX, COHFS_NL },
	{ COHFS_CR, COHFS_PR, COHFS_CR },
	{ COHFS_CR, COHFS_EX, COHFS_NL },
};

static void left_to_others(struct kunit *test)
{
	struct rig *rig = test->priv;
	struct rig_lock *rl = level_lock(test);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(demands); i++) {
		const struct demand_row *row = &demands[i];
		struct rig_peer *rp = level_peer(test);
		int before = atomic_read(&rl->give_ups);

		rig_cache(rig, rl, row->granted);
		rig_peer_ask(rp, row->demand);
		KUNIT_EXPECT_EQ(test, 0, rig_peer_answer(rp));
		EVENTUALLY(test, rig_state(rl) == COHFS_FS_IDLE);
		KUNIT_EXPECT_EQ_MSG(test, rig_cached(rl), row->left, "row %u", i);
		KUNIT_EXPECT_EQ_MSG(test, atomic_read(&rl->give_ups) - before,
				    row->granted != row->left, "row %u", i);
		cohfs_sim_peer_unlock(&rp->peer);
		cohfs_lock_recall(&rl->lk, COHFS_EX);
		EVENTUALLY(test, rig_state(rl) == COHFS_FS_IDLE &&
				 rig_cached(rl) == COHFS_NL);
	}
}

/* Splits -------------------------------------------------------------------------------- */

/*
 * A holder of the intent is in the way of a split, and nobody comes in before it is
 * over.  A lock without parts lets both stay.
 */
static void split_is_alone(struct kunit *test)
{
	struct rig *rig = test->priv;
	struct rig_lock *rl = level_lock(test);
	struct rig_peer *rp = level_peer(test);
	struct rig_asker *newcomer;

	rig_cache(rig, rl, COHFS_EX);
	rig_hold(rig, rl, COHFS_CW);
	rl->slow = true;
	rig_peer_ask(rp, COHFS_CW);
	EVENTUALLY(test, cohfs_lock_contended(&rl->lk));
	newcomer = rig_ask(rig, rl, COHFS_CW, 0);
	if (splits(test)) {
		EVENTUALLY(test, rig_waiters(rl) == 1);
		KUNIT_EXPECT_EQ(test, atomic_read(&rl->give_ups), 0);
	} else {
		KUNIT_EXPECT_EQ(test, 0, rig_answer(newcomer));
	}
	cohfs_lock_release(&rl->lk, COHFS_CW);
	EVENTUALLY(test, atomic_read(&rl->give_ups) == 1);
	KUNIT_EXPECT_FALSE(test, rig_peer_answered(rp));
	KUNIT_EXPECT_EQ(test, rig_waiters(rl), splits(test));
	complete_all(&rl->go_down);
	if (splits(test))
		KUNIT_EXPECT_EQ(test, 0, rig_answer(newcomer));
	KUNIT_EXPECT_EQ(test, 0, rig_peer_answer(rp));
	KUNIT_EXPECT_EQ(test, rig_cached(rl), COHFS_CW);
	rig_end(newcomer, RIG_RELEASE);
}

/* TRY is refused while it is being sorted out what stays, also in the intent */
static void split_refuses_tries(struct kunit *test)
{
	struct rig *rig = test->priv;
	struct rig_lock *rl = level_lock(test);
	struct rig_peer *rp = level_peer(test);
	int expected = splits(test) ? -EAGAIN : 0, ret;

	rig_cache(rig, rl, COHFS_EX);
	rl->slow = true;
	rig_peer_ask(rp, COHFS_CW);
	EVENTUALLY(test, atomic_read(&rl->give_ups) == 1);
	KUNIT_EXPECT_EQ(test, -EAGAIN, cohfs_lock_acquire(&rl->lk, COHFS_EX, COHFS_LK_TRY));
	ret = cohfs_lock_acquire(&rl->lk, COHFS_CW, COHFS_LK_TRY);
	KUNIT_EXPECT_EQ(test, expected, ret);
	if (!ret)
		cohfs_lock_release(&rl->lk, COHFS_CW);
	KUNIT_EXPECT_EQ(test, cohfs_lock_usable(&rl->lk), COHFS_NL);
	complete_all(&rl->go_down);
	KUNIT_EXPECT_EQ(test, 0, rig_peer_answer(rp));
}

/* What goes wrong -------------------------------------------------------------------------- */

static void refused_then_a_part(struct kunit *test)
{
	const unsigned int climb = COHFS_LK_NOQUEUE | COHFS_LK_CLIMB;
	struct rig *rig = test->priv;
	struct rig_lock *rl = level_lock(test);
	struct rig_peer *rp = level_peer(test);

	rig_peer_ask(rp, COHFS_CW);
	KUNIT_EXPECT_EQ(test, 0, rig_peer_answer(rp));
	KUNIT_EXPECT_EQ(test, -EAGAIN,
			cohfs_lock_acquire(&rl->lk, COHFS_EX, COHFS_LK_NOQUEUE));
	KUNIT_EXPECT_EQ(test, READ_ONCE(rp->peer.bast), COHFS_NL);
	rig_hold(rig, rl, COHFS_CW);
	/* more is not to be had by asking, and asking costs nothing that is here */
	KUNIT_EXPECT_EQ(test, -EAGAIN,
			cohfs_lock_acquire(&rl->lk, COHFS_EX, climb));
	KUNIT_EXPECT_EQ(test, rig_cached(rl), COHFS_CW);
	cohfs_lock_release(&rl->lk, COHFS_CW);
	cohfs_sim_peer_unlock(&rp->peer);
	/* a parent goes from its intent to all of it only for whoever keeps revokes out */
	if (rl->lk.lk_ops->splits)
		KUNIT_EXPECT_EQ(test, -EAGAIN,
				cohfs_lock_acquire(&rl->lk, COHFS_EX, COHFS_LK_NOQUEUE));
	KUNIT_EXPECT_EQ(test, 0, cohfs_lock_acquire(&rl->lk, COHFS_EX, climb));
	KUNIT_EXPECT_EQ(test, atomic_read(&rl->give_ups), 0);
	cohfs_lock_release(&rl->lk, COHFS_EX);
}

/* the other node asked first, and we have not heard of it when we ask */
static void deadlock_is_broken(struct kunit *test)
{
	struct rig *rig = test->priv;
	struct rig_lock *rl = level_lock(test);
	struct rig_peer *rp = level_peer(test);
	struct rig_asker *a;

	rig_peer_ask(rp, COHFS_PR);
	KUNIT_EXPECT_EQ(test, 0, rig_peer_answer(rp));
	rig_cache(rig, rl, COHFS_PR);
	rig_delay(rig, 0, 400);
	rig_peer_ask(rp, COHFS_EX);
	a = rig_ask(rig, rl, COHFS_EX, 0);
	KUNIT_EXPECT_EQ(test, 0, rig_peer_answer(rp));
	KUNIT_EXPECT_EQ(test, atomic_read(&rig->fault.deadlocks), 1);
	KUNIT_EXPECT_EQ(test, rl->to, COHFS_NL);
	rig_delay(rig, 0, 0);
	cohfs_sim_peer_unlock(&rp->peer);
	KUNIT_EXPECT_EQ(test, 0, rig_answer(a));
	rig_end(a, RIG_RELEASE);
}

static void no_memory_for_a_request(struct kunit *test)
{
	struct rig *rig = test->priv;
	struct rig_lock *rl = level_lock(test);

	rig_fail(rig, COHFS_SIM_REQUEST, -ENOMEM, 100);
	KUNIT_EXPECT_EQ(test, -ENOMEM, cohfs_lock_acquire(&rl->lk, COHFS_EX, 0));
	KUNIT_EXPECT_TRUE(test, cohfs_lock_idle(&rl->lk));
	KUNIT_EXPECT_EQ(test, -ENOMEM,
			cohfs_lock_acquire(&rl->lk, COHFS_PR, COHFS_LK_NOQUEUE));
	rig_fail(rig, 0, 0, 0);
	rig_cache(rig, rl, COHFS_EX);
	KUNIT_EXPECT_EQ(test, atomic_read(&rig->lost), 0);
}

static void taken_back(struct kunit *test)
{
	struct rig *rig = test->priv;
	struct rig_lock *rl = level_lock(test);
	struct rig_peer *rp = level_peer(test), *next = level_peer(test);
	struct rig_asker *a;

	rig_peer_ask(rp, COHFS_EX);
	a = rig_ask(rig, rl, COHFS_CW, 0);
	EVENTUALLY(test, READ_ONCE(rp->peer.bast) != COHFS_NL);
	rig_drop(rl);
	KUNIT_EXPECT_EQ(test, -EIO, rig_answer(a));
	rig_end(a, RIG_RELEASE);
	EVENTUALLY(test, !atomic_read(&rig->ls->ls_nr_locks));
	cohfs_sim_peer_unlock(&rp->peer);
	rig_peer_ask(next, COHFS_EX);
	KUNIT_EXPECT_EQ(test, 0, rig_peer_answer(next));
}

/* Recalls ----------------------------------------------------------------------------------- */

static void recalled(struct kunit *test)
{
	struct rig *rig = test->priv;
	struct rig_lock *rl = level_lock(test);

	cohfs_lock_recall(&rl->lk, COHFS_EX);	/* there is nothing */
	KUNIT_EXPECT_TRUE(test, cohfs_lock_idle(&rl->lk));
	rig_cache(rig, rl, COHFS_EX);
	cohfs_lock_recall(&rl->lk, COHFS_PR);
	EVENTUALLY(test, rig_state(rl) == COHFS_FS_IDLE && rig_cached(rl) == COHFS_PR);
	rig_hold(rig, rl, COHFS_PR);
	cohfs_lock_recall(&rl->lk, COHFS_EX);
	KUNIT_EXPECT_EQ(test, rig_cached(rl), COHFS_PR);
	KUNIT_EXPECT_EQ(test, -EAGAIN, cohfs_lock_acquire(&rl->lk, COHFS_PR, COHFS_LK_TRY));
	cohfs_lock_release(&rl->lk, COHFS_PR);
	EVENTUALLY(test, cohfs_lock_idle(&rl->lk));
	KUNIT_EXPECT_EQ(test, atomic_read(&rl->give_ups), 2);
	rig_cache(rig, rl, COHFS_EX);
}

/* somebody was promised that he could use it: what it is for is gone all the same */
static void recall_ends_tenure(struct kunit *test)
{
	struct rig *rig = test->priv;
	struct rig_lock *rl = level_lock(test);
	struct rig_peer *rp = level_peer(test);
	struct rig_asker *a;

	rig_peer_ask(rp, COHFS_EX);
	a = rig_ask(rig, rl, COHFS_EX, 0);
	EVENTUALLY(test, READ_ONCE(rp->peer.bast) == COHFS_EX);
	cohfs_sim_peer_unlock(&rp->peer);
	KUNIT_EXPECT_EQ(test, 0, rig_answer(a));
	rig_end(a, RIG_RELEASE_UNUSED);
	KUNIT_EXPECT_EQ(test, rl->lk.lk_fsm.tenure, COHFS_TEN_UNUSED);
	cohfs_lock_recall(&rl->lk, COHFS_EX);
	KUNIT_EXPECT_EQ(test, rl->lk.lk_fsm.tenure, COHFS_TEN_NONE);
	EVENTUALLY(test, rig_state(rl) == COHFS_FS_IDLE && rig_cached(rl) == COHFS_NL);
	KUNIT_EXPECT_EQ(test, rig_count(rl, COHFS_CT_TENURE_OVERDUE), 0);
}

/* Several at once ------------------------------------------------------------------------------ */

#define MANY	12

static void start_many(struct kunit *test, struct rig_lock **rl,
		       struct cohfs_lock_call *call, unsigned int flags)
{
	const struct level_row *row = test->param_value;
	unsigned int i;

	for (i = 0; i < MANY; i++) {
		rl[i] = rig_tree_lock(test->priv, row->type, row->index + i);
		cohfs_lock_acquire_start(&call[i], &rl[i]->lk, COHFS_EX, flags);
	}
}

static struct cohfs_lock_call *many_calls(struct kunit *test)
{
	struct cohfs_lock_call *call = kunit_kcalloc(test, MANY, sizeof(*call), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, call);
	return call;
}

static void many_some_refused(struct kunit *test)
{
	const struct level_row *row = test->param_value;
	struct rig *rig = test->priv;
	struct cohfs_lock_call *call = many_calls(test);
	struct rig_lock *rl[MANY];
	struct rig_peer *rp;
	unsigned int i;

	for (i = 0; i < MANY; i += 3) {
		rp = rig_tree_peer(rig, row->type, row->index + i);
		rig_peer_ask(rp, i % 2 ? COHFS_CR : COHFS_PR);
		KUNIT_EXPECT_EQ(test, 0, rig_peer_answer(rp));
	}
	rig_delay(rig, 5, 0);
	start_many(test, rl, call, COHFS_LK_NOQUEUE);
	for (i = 0; i < MANY; i++) {
		KUNIT_EXPECT_EQ(test, i % 3 ? 0 : -EAGAIN,
				cohfs_lock_acquire_finish(&call[i]));
		if (i % 3)
			cohfs_lock_release(&rl[i]->lk, COHFS_EX);
		KUNIT_EXPECT_EQ(test, rig_cached(rl[i]), i % 3 ? COHFS_EX : COHFS_NL);
	}
}

static void many_one_fails(struct kunit *test)
{
	struct rig *rig = test->priv;
	struct cohfs_lock_call *call = many_calls(test);
	unsigned int i, failed = 0;
	struct rig_lock *rl[MANY];

	rig_fail(rig, COHFS_SIM_REQUEST, -ENOMEM, 100);
	start_many(test, rl, call, COHFS_LK_NOQUEUE);
	for (i = 0; i < MANY; i++) {
		int ret = cohfs_lock_acquire_finish(&call[i]);

		if (!ret)
			cohfs_lock_release(&rl[i]->lk, COHFS_EX);
		else
			failed++;
		KUNIT_EXPECT_TRUE(test, !ret || ret == -ENOMEM);
	}
	KUNIT_EXPECT_GT(test, failed, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&rig->lost), 0);
	rig_fail(rig, 0, 0, 0);
	for (i = 0; i < MANY; i++)
		rig_cache(rig, rl[i], COHFS_EX);
}

/* queued: the last answer comes first */
static void many_that_wait(struct kunit *test)
{
	const struct level_row *row = test->param_value;
	struct cohfs_lock_call *call = many_calls(test);
	struct rig_peer *rp[MANY];
	struct rig_lock *rl[MANY];
	unsigned int i;

	for (i = 0; i < MANY; i++) {
		rp[i] = rig_tree_peer(test->priv, row->type, row->index + i);
		rig_peer_ask(rp[i], COHFS_EX);
		KUNIT_EXPECT_EQ(test, 0, rig_peer_answer(rp[i]));
	}
	start_many(test, rl, call, 0);
	for (i = MANY; i--; )
		cohfs_sim_peer_unlock(&rp[i]->peer);
	for (i = 0; i < MANY; i++) {
		KUNIT_EXPECT_EQ(test, 0, cohfs_lock_acquire_finish(&call[i]));
		cohfs_lock_release(&rl[i]->lk, COHFS_EX);
	}
}

static struct kunit_case range_cases[] = {
	KUNIT_CASE_PARAM(left_to_others, level_gen_params),
	KUNIT_CASE_PARAM(split_is_alone, level_gen_params),
	KUNIT_CASE_PARAM(split_refuses_tries, level_gen_params),
	KUNIT_CASE_PARAM(refused_then_a_part, level_gen_params),
	KUNIT_CASE_PARAM(deadlock_is_broken, level_gen_params),
	KUNIT_CASE_PARAM(no_memory_for_a_request, level_gen_params),
	KUNIT_CASE_PARAM(taken_back, level_gen_params),
	KUNIT_CASE_PARAM(recalled, level_gen_params),
	KUNIT_CASE_PARAM(recall_ends_tenure, level_gen_params),
	KUNIT_CASE_PARAM(many_some_refused, level_gen_params),
	KUNIT_CASE_PARAM(many_one_fails, level_gen_params),
	KUNIT_CASE_PARAM(many_that_wait, level_gen_params),
	{}
};

static struct kunit_suite range_suite = {
	.name = "cohfs_range",
	.init = rig_init_sim,
	.exit = rig_exit,
	.test_cases = range_cases,
};

kunit_test_suite(range_suite);
