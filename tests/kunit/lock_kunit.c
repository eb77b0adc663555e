// SPDX-License-Identifier: GPL-2.0-only
/*
 * The lock layer in good weather: what a lock is good for when everybody keeps to the
 * rules.  The same tests with the local backend and with the sim backend.
 */
#include "rig.h"

/* Modes on one node --------------------------------------------------------------- */

static void first_grant(struct kunit *test)
{
	struct rig *rig = test->priv;
	struct rig_lock *rl;
	unsigned int mode;

	for (mode = COHFS_CR; mode < COHFS_NR_MODES; mode++) {
		rl = rig_lock(rig, COHFS_LT_RANGE, mode);
		KUNIT_EXPECT_EQ(test, rig_cached(rl), COHFS_NL);
		rig_hold(rig, rl, mode);
		KUNIT_EXPECT_EQ(test, rig_cached(rl), mode);
		cohfs_lock_assert(&rl->lk, mode);
		KUNIT_EXPECT_EQ(test, atomic_read(&rl->grants), 1);
		KUNIT_EXPECT_EQ(test, rig_count(rl, COHFS_CT_REQUESTS), mode);
		/* cached: no message, whoever comes */
		rig_hold(rig, rl, mode);
		KUNIT_EXPECT_EQ(test, 0, cohfs_lock_acquire(&rl->lk, COHFS_CR, COHFS_LK_TRY));
		KUNIT_EXPECT_EQ(test, rig_count(rl, COHFS_CT_REQUESTS), mode);
		cohfs_lock_release(&rl->lk, COHFS_CR);
		cohfs_lock_release(&rl->lk, mode);
		cohfs_lock_release(&rl->lk, mode);
		KUNIT_EXPECT_EQ(test, rig_cached(rl), mode);
	}
}

static const struct raise_row {
	const char *name;
	enum cohfs_mode from, to, then;
	int give_ups;
	enum cohfs_mode left;	/* between the two */
} raises[] = {
	{ "PR to EX", COHFS_PR, COHFS_EX, COHFS_EX, 0, },
	{ "CR to CW", COHFS_CR, COHFS_CW, COHFS_CW, 0, },
	{ "PR to CW", COHFS_PR, COHFS_CW, COHFS_CW, 1, COHFS_CR },
	{ "CR to EX", COHFS_CR, COHFS_EX, COHFS_EX, 1, COHFS_NL },
	{ "CW to EX", COHFS_CW, COHFS_EX, COHFS_EX, 1, COHFS_NL },
	{ "EX to PR", COHFS_EX, COHFS_PR, COHFS_EX, 0, },
};

KUNIT_ARRAY_PARAM_DESC(raise, raises, name);

static void raising(struct kunit *test)
{
	const struct raise_row *row = test->param_value;
	struct rig *rig = test->priv;
	struct rig_lock *rl = rig_lock(rig, COHFS_LT_RANGE, 1);

	rig_cache(rig, rl, row->from);
	rig_cache(rig, rl, row->to);
	KUNIT_EXPECT_EQ(test, rig_cached(rl), row->then);
	KUNIT_EXPECT_EQ(test, atomic_read(&rl->give_ups), row->give_ups);
	if (row->give_ups)
		KUNIT_EXPECT_EQ(test, rl->to, row->left);
}

static void try_and_async(struct kunit *test)
{
	struct rig *rig = test->priv;
	struct rig_lock *rl = rig_lock(rig, COHFS_LT_RANGE, 1);

	KUNIT_EXPECT_EQ(test, -EAGAIN,
			cohfs_lock_acquire(&rl->lk, COHFS_PR, COHFS_LK_TRY));
	KUNIT_EXPECT_EQ(test, rig_count(rl, COHFS_CT_REQUESTS), 0);
	KUNIT_EXPECT_EQ(test, -EAGAIN,
			cohfs_lock_acquire(&rl->lk, COHFS_PR, COHFS_LK_ASYNC));
	EVENTUALLY(test, rig_cached(rl) == COHFS_PR);
	KUNIT_EXPECT_EQ(test, 0, cohfs_lock_acquire(&rl->lk, COHFS_PR, COHFS_LK_ASYNC));
	KUNIT_EXPECT_EQ(test, -EAGAIN,
			cohfs_lock_acquire(&rl->lk, COHFS_EX, COHFS_LK_TRY));
	cohfs_lock_release(&rl->lk, COHFS_PR);
	KUNIT_EXPECT_EQ(test, rig_count(rl, COHFS_CT_REQUESTS), 1);
}

/* a lock of a type without give_up, granted and publish */
static void bare_lock(struct kunit *test)
{
	struct rig *rig = test->priv;
	struct rig_lock *rl = rig_bare_lock(rig, COHFS_LT_RENAME, 0);
	struct rig_peer *rp = rig_peer(rig, COHFS_LT_RENAME, 0);

	rig_cache(rig, rl, COHFS_EX);
	rig_peer_ask(rp, COHFS_EX);
	KUNIT_EXPECT_EQ(test, 0, rig_peer_answer(rp));
	cohfs_sim_peer_unlock(&rp->peer);
	rig_cache(rig, rl, COHFS_EX);
	KUNIT_EXPECT_EQ(test, rig_cached(rl), COHFS_EX);
}

static void several_at_once(struct kunit *test)
{
	struct rig *rig = test->priv;
	struct rig_lock *a = rig_lock(rig, COHFS_LT_RANGE, 1);
	struct rig_lock *b = rig_lock(rig, COHFS_LT_RANGE, 2);
	struct rig_lock *c = rig_lock(rig, COHFS_LT_GROUP, 1);
	struct cohfs_lock_want want[4];
	unsigned int nr = 4;

	cohfs_lock_want(&want[0], &c->lk, COHFS_PR);
	cohfs_lock_want(&want[1], &b->lk, COHFS_PR);
	cohfs_lock_want(&want[2], &a->lk, COHFS_PR);
	cohfs_lock_want(&want[3], &b->lk, COHFS_EX);
	/* nothing is cached, so nothing may stay held */
	KUNIT_EXPECT_EQ(test, -EAGAIN, cohfs_lock_many(want, &nr, COHFS_LK_TRY));
	KUNIT_EXPECT_EQ(test, nr, 3);
	KUNIT_ASSERT_EQ(test, 0, cohfs_lock_many(want, &nr, 0));
	KUNIT_EXPECT_EQ(test, nr, 3);
	KUNIT_EXPECT_PTR_EQ(test, want[1].lk, (void *)&b->lk);
	KUNIT_EXPECT_EQ(test, rig_cached(b), COHFS_EX);
	cohfs_lock_release_many(want, nr);
	/* the last one cannot be had: the others are let go */
	rig_peer_ask(rig_peer(rig, COHFS_LT_GROUP, 1), COHFS_EX);
	EVENTUALLY(test, rig_cached(c) == COHFS_NL);
	KUNIT_EXPECT_EQ(test, -EAGAIN, cohfs_lock_many(want, &nr, COHFS_LK_TRY));
	KUNIT_EXPECT_EQ(test, a->lk.lk_fsm.holders[COHFS_PR], 0);
	KUNIT_EXPECT_EQ(test, b->lk.lk_fsm.holders[COHFS_EX], 0);
}

/* Others in the way ------------------------------------------------------------------ */

static const struct noqueue_row {
	const char *name;
	enum cohfs_lock_type type;
	enum cohfs_mode cached, theirs, ask;
	int ret;
	enum cohfs_mode told;	/* what the other node is told we could not get */
} noqueues[] = {
	{ "free", COHFS_LT_GROUP, COHFS_NL, COHFS_NL, COHFS_EX, 0, COHFS_NL },
	{ "compatible", COHFS_LT_GROUP, COHFS_NL, COHFS_PR, COHFS_PR, 0, COHFS_NL },
	{ "new lock", COHFS_LT_GROUP, COHFS_NL, COHFS_EX, COHFS_PR, -EAGAIN, COHFS_NL },
	{ "conversion", COHFS_LT_GROUP, COHFS_PR, COHFS_PR, COHFS_EX, -EAGAIN, COHFS_NL },
	{ "open tells", COHFS_LT_OPEN, COHFS_PR, COHFS_PR, COHFS_EX, -EAGAIN, COHFS_EX },
};

KUNIT_ARRAY_PARAM_DESC(noqueue, noqueues, name);

static void noqueue(struct kunit *test)
{
	const struct noqueue_row *row = test->param_value;
	struct rig *rig = test->priv;
	struct rig_lock *rl = rig_lock(rig, row->type, 1);
	struct rig_peer *rp = rig_peer(rig, row->type, 1);
	int ret;

	if (row->theirs != COHFS_NL)
		rig_peer_ask(rp, row->theirs);
	if (row->cached != COHFS_NL) {
		KUNIT_ASSERT_EQ(test, 0, cohfs_lock_acquire(&rl->lk, row->cached,
							    COHFS_LK_PIN));
		cohfs_lock_unpin(&rl->lk, row->cached);
	}
	ret = cohfs_lock_acquire(&rl->lk, row->ask, COHFS_LK_NOQUEUE | COHFS_LK_PIN);
	KUNIT_EXPECT_EQ(test, ret, row->ret);
	if (!ret)
		cohfs_lock_unpin(&rl->lk, row->ask);
	KUNIT_EXPECT_EQ(test, rig_cached(rl), ret ? row->cached : row->ask);
	KUNIT_EXPECT_EQ(test, READ_ONCE(rp->peer.bast), row->told);
	/* a refusal leaves nothing behind that would keep the next one from waiting */
	cohfs_sim_peer_unlock(&rp->peer);
	KUNIT_EXPECT_EQ(test, 0, cohfs_lock_acquire(&rl->lk, row->ask, COHFS_LK_PIN));
	cohfs_lock_unpin(&rl->lk, row->ask);
}

static void waits_for_the_other(struct kunit *test)
{
	struct rig *rig = test->priv;
	struct rig_lock *rl = rig_lock(rig, COHFS_LT_INODE, 1);
	struct rig_peer *rp = rig_peer(rig, COHFS_LT_INODE, 1);
	struct rig_asker *a;

	rig_peer_ask(rp, COHFS_EX);
	a = rig_ask(rig, rl, COHFS_PR, 0);
	EVENTUALLY(test, READ_ONCE(rp->peer.bast) == COHFS_PR);
	KUNIT_EXPECT_EQ(test, rig_waiters(rl), 1);
	KUNIT_EXPECT_FALSE(test, completion_done(&a->answered));
	cohfs_sim_peer_unlock(&rp->peer);
	KUNIT_EXPECT_EQ(test, 0, rig_answer(a));
	KUNIT_EXPECT_EQ(test, rig_cached(rl), COHFS_PR);
	rig_end(a, RIG_RELEASE);
}

static void all_waiters_are_served(struct kunit *test)
{
	static const enum cohfs_mode modes[] = {
		COHFS_PR, COHFS_EX, COHFS_PR, COHFS_CW, COHFS_EX,
	};
	struct rig *rig = test->priv;
	struct rig_lock *rl = rig_lock(rig, COHFS_LT_RANGE, 1);
	struct rig_peer *rp = rig_peer(rig, COHFS_LT_RANGE, 1);
	struct rig_asker *a[ARRAY_SIZE(modes)];
	unsigned int i;

	rig_peer_ask(rp, COHFS_EX);
	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		a[i] = rig_ask(rig, rl, modes[i], 0);
		EVENTUALLY(test, rig_waiters(rl) == i + 1);
	}
	cohfs_sim_peer_unlock(&rp->peer);
	for (i = 0; i < ARRAY_SIZE(modes); i++)
		KUNIT_EXPECT_EQ(test, 0, rig_answer(a[i]));
	KUNIT_EXPECT_EQ(test, rig_cached(rl), COHFS_EX);
	for (i = 0; i < ARRAY_SIZE(modes); i++)
		rig_end(a[i], RIG_RELEASE);
	KUNIT_EXPECT_EQ(test, cohfs_fsm_holders(&rl->lk.lk_fsm, COHFS_NL), 0);
}

static void killed_waiter_leaves_the_request(struct kunit *test)
{
	struct rig *rig = test->priv;
	struct rig_lock *rl = rig_lock(rig, COHFS_LT_RANGE, 1);
	struct rig_peer *rp = rig_peer(rig, COHFS_LT_RANGE, 1);
	struct rig_asker *killed, *other;

	rig_peer_ask(rp, COHFS_EX);
	killed = rig_ask(rig, rl, COHFS_EX, 0);
	EVENTUALLY(test, READ_ONCE(rp->peer.bast) == COHFS_EX);
	other = rig_ask(rig, rl, COHFS_PR, COHFS_LK_NOINTR);
	EVENTUALLY(test, rig_waiters(rl) == 2);
	send_sig(SIGKILL, killed->task, 1);
	KUNIT_EXPECT_EQ(test, -EINTR, rig_answer(killed));
	rig_end(killed, RIG_RELEASE);
	KUNIT_EXPECT_EQ(test, rig_waiters(rl), 1);
	cohfs_sim_peer_unlock(&rp->peer);
	KUNIT_EXPECT_EQ(test, 0, rig_answer(other));
	KUNIT_EXPECT_EQ(test, rig_cached(rl), COHFS_EX);
	rig_end(other, RIG_RELEASE);
}

/* Others who want what we have ---------------------------------------------------------- */

static const struct revoke_row {
	const char *name;
	enum cohfs_mode granted, demand, left;
} revokes[] = {
	{ "EX for EX", COHFS_EX, COHFS_EX, COHFS_NL },
	{ "EX for PR", COHFS_EX, COHFS_PR, COHFS_PR },
	{ "EX for CW", COHFS_EX, COHFS_CW, COHFS_CW },
	{ "PR for EX", COHFS_PR, COHFS_EX, COHFS_NL },
	{ "PR for CW", COHFS_PR, COHFS_CW, COHFS_CR },
	{ "PW for PR", COHFS_PW, COHFS_PR, COHFS_PR },
	{ "CW for PR", COHFS_CW, COHFS_PR, COHFS_CR },
	{ "PR for PR", COHFS_PR, COHFS_PR, COHFS_PR },
};

KUNIT_ARRAY_PARAM_DESC(revoke, revokes, name);

static void revoked_when_cached(struct kunit *test)
{
	const struct revoke_row *row = test->param_value;
	struct rig *rig = test->priv;
	struct rig_lock *rl = rig_lock(rig, COHFS_LT_RANGE, 1);
	struct rig_peer *rp = rig_peer(rig, COHFS_LT_RANGE, 1);

	rig_cache(rig, rl, row->granted);
	rig_peer_ask(rp, row->demand);
	KUNIT_EXPECT_EQ(test, 0, rig_peer_answer(rp));
	EVENTUALLY(test, rig_state(rl) == COHFS_FS_IDLE);
	KUNIT_EXPECT_EQ(test, rig_cached(rl), row->left);
	KUNIT_EXPECT_EQ(test, atomic_read(&rl->give_ups), row->granted != row->left);
	if (row->granted != row->left) {
		KUNIT_EXPECT_EQ(test, rl->from, row->granted);
		KUNIT_EXPECT_EQ(test, rl->to, row->left);
	}
	KUNIT_EXPECT_FALSE(test, cohfs_lock_contended(&rl->lk));
}

static void revoke_waits_for_holders(struct kunit *test)
{
	struct rig *rig = test->priv;
	struct rig_lock *rl = rig_lock(rig, COHFS_LT_INODE, 1);
	struct rig_peer *rp = rig_peer(rig, COHFS_LT_INODE, 1);
	struct rig_asker *late;

	rig_hold(rig, rl, COHFS_EX);
	rig_peer_ask(rp, COHFS_PR);
	EVENTUALLY(test, cohfs_lock_contended(&rl->lk));
	/* new holders only in what will remain, or if they are holders already */
	KUNIT_EXPECT_EQ(test, -EAGAIN,
			cohfs_lock_acquire(&rl->lk, COHFS_EX, COHFS_LK_TRY));
	KUNIT_EXPECT_EQ(test, 0, cohfs_lock_acquire(&rl->lk, COHFS_EX, COHFS_LK_KEEP));
	KUNIT_EXPECT_EQ(test, 0, cohfs_lock_acquire(&rl->lk, COHFS_PR, COHFS_LK_TRY));
	late = rig_ask(rig, rl, COHFS_EX, 0);
	EVENTUALLY(test, rig_waiters(rl) == 1);
	cohfs_lock_release(&rl->lk, COHFS_EX);
	KUNIT_EXPECT_EQ(test, atomic_read(&rl->give_ups), 0);
	KUNIT_EXPECT_FALSE(test, rig_peer_answered(rp));
	cohfs_lock_release(&rl->lk, COHFS_EX);
	/* the PR holder is in nobody's way */
	KUNIT_EXPECT_EQ(test, 0, rig_peer_answer(rp));
	KUNIT_EXPECT_FALSE(test, completion_done(&late->answered));
	cohfs_lock_release(&rl->lk, COHFS_PR);
	cohfs_sim_peer_unlock(&rp->peer);
	KUNIT_EXPECT_EQ(test, 0, rig_answer(late));
	rig_end(late, RIG_RELEASE);
}

static void more_is_demanded_during_give_up(struct kunit *test)
{
	struct rig *rig = test->priv;
	struct rig_lock *rl = rig_lock(rig, COHFS_LT_RANGE, 1);
	struct rig_peer *reader = rig_peer(rig, COHFS_LT_RANGE, 1);
	struct rig_peer *writer = rig_peer(rig, COHFS_LT_RANGE, 1);

	rl->slow = true;
	rig_cache(rig, rl, COHFS_EX);
	rig_peer_ask(reader, COHFS_PR);
	EVENTUALLY(test, atomic_read(&rl->give_ups) == 1);
	KUNIT_EXPECT_EQ(test, rl->to, COHFS_PR);
	rig_peer_ask(writer, COHFS_EX);
	complete_all(&rl->go_down);
	KUNIT_EXPECT_EQ(test, 0, rig_peer_answer(reader));
	EVENTUALLY(test, rig_cached(rl) == COHFS_NL);
	cohfs_sim_peer_unlock(&reader->peer);
	KUNIT_EXPECT_EQ(test, 0, rig_peer_answer(writer));
	KUNIT_EXPECT_EQ(test, atomic_read(&rl->give_ups), 2);
}

/* Value blocks, and what they stand for ----------------------------------------------------- */

static void value_block_travels(struct kunit *test)
{
	struct rig *rig = test->priv;
	struct rig_lock *a = rig_lock(rig, COHFS_LT_INODE, 1);
	struct rig_lock *b = rig_lock(rig, COHFS_LT_INODE, 1);
	unsigned int i;

	rig_hold(rig, a, COHFS_EX);
	KUNIT_EXPECT_FALSE(test, a->lvb_seen);
	a->value = 100;
	cohfs_lock_release(&a->lk, COHFS_EX);
	for (i = 0; i < 10; i++) {
		rig_hold(rig, b, COHFS_EX);
		KUNIT_EXPECT_TRUE(test, b->lvb_seen);
		KUNIT_EXPECT_EQ(test, b->value, 100 + 2 * i);
		b->value++;
		cohfs_lock_release(&b->lk, COHFS_EX);
		rig_hold(rig, a, COHFS_EX);
		a->value++;
		cohfs_lock_release(&a->lk, COHFS_EX);
	}
	rig_hold(rig, b, COHFS_PR);
	KUNIT_EXPECT_EQ(test, b->value, 120);
	KUNIT_EXPECT_EQ(test, rig_cached(a), COHFS_PR);
	cohfs_lock_release(&b->lk, COHFS_PR);
}

/* an inode comes back before its former lock is gone */
static void successor_waits_for_the_dropped(struct kunit *test)
{
	struct rig *rig = test->priv;
	struct rig_lock *old = rig_lock(rig, COHFS_LT_INODE, 1), *new;
	struct rig_asker *a;

	rig_hold(rig, old, COHFS_EX);
	old->value = 4711;
	cohfs_lock_release(&old->lk, COHFS_EX);
	old->slow = true;
	rig_drop(old);
	new = rig_lock(rig, COHFS_LT_INODE, 1);
	a = rig_ask(rig, new, COHFS_PR, 0);
	EVENTUALLY(test, rig_waiters(new) == 1);
	EVENTUALLY(test, atomic_read(&old->give_ups) == 1);
	KUNIT_EXPECT_FALSE(test, completion_done(&a->answered));
	complete_all(&old->go_down);
	KUNIT_EXPECT_EQ(test, 0, rig_answer(a));
	KUNIT_EXPECT_EQ(test, new->value, 4711);
	rig_end(a, RIG_RELEASE);
	KUNIT_EXPECT_NE(test, 0, wait_for_completion_timeout(&old->freed, RIG_LIMIT));
}

/* The end of a lock ---------------------------------------------------------------------------- */

static const struct drop_row {
	const char *name;
	enum cohfs_mode cached;
} drops[] = {
	{ "never used", COHFS_NL },
	{ "PR", COHFS_PR },
	{ "EX", COHFS_EX },
};

KUNIT_ARRAY_PARAM_DESC(drop, drops, name);

static void drop_frees(struct kunit *test)
{
	const struct drop_row *row = test->param_value;
	struct rig *rig = test->priv;
	struct rig_peer *rp = rig_peer(rig, COHFS_LT_INODE, 1);
	struct rig_lock *rl[20];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rl); i++) {
		rl[i] = rig_lock(rig, COHFS_LT_INODE, i);
		if (row->cached != COHFS_NL)
			rig_cache(rig, rl[i], row->cached);
	}
	if (row->cached != COHFS_NL)
		rig_peer_ask(rp, COHFS_EX);
	for (i = 0; i < ARRAY_SIZE(rl); i++)
		rig_drop(rl[i]);
	EVENTUALLY(test, !atomic_read(&rig->ls->ls_nr_locks));
	KUNIT_EXPECT_EQ(test, atomic64_read(&rig->ls->ls_created), ARRAY_SIZE(rl));
	KUNIT_EXPECT_EQ(test, atomic64_read(&rig->ls->ls_destroyed), ARRAY_SIZE(rl));
	for (i = 0; i < ARRAY_SIZE(rl); i++)
		KUNIT_EXPECT_EQ(test, atomic_read(&rl[i]->give_ups), row->cached != COHFS_NL);
	if (row->cached != COHFS_NL)
		KUNIT_EXPECT_EQ(test, 0, rig_peer_answer(rp));
}

static void drop_fails_waiters(struct kunit *test)
{
	struct rig *rig = test->priv;
	struct rig_lock *rl = rig_lock(rig, COHFS_LT_INODE, 1);
	struct rig_peer *rp = rig_peer(rig, COHFS_LT_INODE, 1);
	struct rig_asker *a;

	rig_peer_ask(rp, COHFS_EX);
	a = rig_ask(rig, rl, COHFS_EX, 0);
	EVENTUALLY(test, READ_ONCE(rp->peer.bast) == COHFS_EX);
	rig_drop(rl);
	KUNIT_EXPECT_EQ(test, -EIO, rig_answer(a));
	rig_end(a, RIG_RELEASE);
	/* the request is taken back: the other node is still there */
	EVENTUALLY(test, !atomic_read(&rig->ls->ls_nr_locks));
	KUNIT_EXPECT_EQ(test, rp->peer.ll.lkb.granted, COHFS_EX);
}

/* lockdep ---------------------------------------------------------------------------------------- */

/* whatever is legal by locking.rst must be silent; rig_exit() looks at debug_locks */
static void legal_orders(struct kunit *test)
{
	struct rig *rig = test->priv;
	struct rig_lock *by_type[COHFS_NR_LOCK_TYPES], *range, *group, *child;
	unsigned int t;

	for (t = 0; t < COHFS_NR_LOCK_TYPES; t++) {
		by_type[t] = rig_lock(rig, t, 10);
		KUNIT_ASSERT_EQ(test, 0, cohfs_lock_acquire(&by_type[t]->lk, COHFS_EX,
				t <= COHFS_LT_OPEN && t != COHFS_LT_RENAME ?
				COHFS_LK_PIN : 0));
	}
	/* by number within D and G; a directory's child may have any number */
	group = rig_lock(rig, COHFS_LT_GROUP, 11);
	rig_hold(rig, group, COHFS_EX);
	cohfs_lock_release(&group->lk, COHFS_EX);
	/* wrong rank, but without waiting */
	range = rig_lock(rig, COHFS_LT_RANGE, 9);
	KUNIT_EXPECT_EQ(test, -EAGAIN,
			cohfs_lock_acquire(&range->lk, COHFS_PR, COHFS_LK_TRY));
	KUNIT_EXPECT_EQ(test, 0, cohfs_lock_acquire(&range->lk, COHFS_PR,
						    COHFS_LK_NOQUEUE));
	KUNIT_EXPECT_EQ(test, 0, cohfs_lock_acquire(&range->lk, COHFS_PR,
						    COHFS_LK_KEEP));
	cohfs_lock_release(&range->lk, COHFS_PR);
	cohfs_lock_release(&range->lk, COHFS_PR);
	for (t = COHFS_NR_LOCK_TYPES; t-- > COHFS_LT_INODE + 1; )
		cohfs_lock_release(&by_type[t]->lk, COHFS_EX);
	child = rig_lock(rig, COHFS_LT_INODE, 5);
	rig_hold(rig, child, COHFS_PR);
	/* not in the order in which they were taken: legal for a release */
	cohfs_lock_release(&by_type[COHFS_LT_INODE]->lk, COHFS_EX);
	cohfs_lock_release(&child->lk, COHFS_PR);
	cohfs_lock_unpin(&by_type[COHFS_LT_OPEN]->lk, COHFS_EX);
	cohfs_lock_release(&by_type[COHFS_LT_RENAME]->lk, COHFS_EX);
	cohfs_lock_unpin(&by_type[COHFS_LT_SLOT]->lk, COHFS_EX);
	cohfs_lock_unpin(&by_type[COHFS_LT_MOUNT]->lk, COHFS_EX);
	KUNIT_EXPECT_EQ(test, lockdep_depth(current), 0);
}

static struct kunit_case lock_cases[] = {
	KUNIT_CASE(first_grant),
	KUNIT_CASE_PARAM(raising, raise_gen_params),
	KUNIT_CASE(try_and_async),
	KUNIT_CASE(bare_lock),
	KUNIT_CASE(several_at_once),
	KUNIT_CASE_PARAM(noqueue, noqueue_gen_params),
	KUNIT_CASE(waits_for_the_other),
	KUNIT_CASE(all_waiters_are_served),
	KUNIT_CASE(killed_waiter_leaves_the_request),
	KUNIT_CASE_PARAM(revoked_when_cached, revoke_gen_params),
	KUNIT_CASE(revoke_waits_for_holders),
	KUNIT_CASE(more_is_demanded_during_give_up),
	KUNIT_CASE(value_block_travels),
	KUNIT_CASE(successor_waits_for_the_dropped),
	KUNIT_CASE_PARAM(drop_frees, drop_gen_params),
	KUNIT_CASE(drop_fails_waiters),
	KUNIT_CASE(legal_orders),
	{}
};

/* one array for both suites: KUnit works on copies of what a module has */
static struct kunit_suite lock_local_suite = {
	.name = "cohfs_lock_local",
	.init = rig_init_local,
	.exit = rig_exit,
	.test_cases = lock_cases,
};

static struct kunit_suite lock_sim_suite = {
	.name = "cohfs_lock_sim",
	.init = rig_init_sim,
	.exit = rig_exit,
	.test_cases = lock_cases,
};

kunit_test_suites(&lock_local_suite, &lock_sim_suite);
