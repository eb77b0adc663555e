// SPDX-License-Identifier: GPL-2.0-only
/* All locks of a mount: recovery, withdraw, quiescing, leaving. */
#include "rig.h"

/* Recovery ------------------------------------------------------------------------- */

static void cached_stays_usable(struct kunit *test)
{
	struct rig *rig = test->priv;
	struct rig_lock *cached = rig_lock(rig, COHFS_LT_RANGE, 1);
	struct rig_lock *new = rig_lock(rig, COHFS_LT_RANGE, 2);
	struct rig_lock *slot = rig_lock(rig, COHFS_LT_SLOT, 1);
	struct rig_peer *rp = rig_peer(rig, COHFS_LT_RANGE, 3);
	struct rig_lock *wanted = rig_lock(rig, COHFS_LT_RANGE, 3);
	struct rig_asker *a;

	rig_cache(rig, cached, COHFS_EX);
	rig_cache(rig, wanted, COHFS_EX);
	cohfs_ls_recovery_begin(rig->ls);
	KUNIT_EXPECT_EQ(test, atomic_read(&rig->recoveries), 1);
	KUNIT_EXPECT_EQ(test, 0,
			cohfs_lock_acquire(&cached->lk, COHFS_EX, COHFS_LK_TRY));
	cohfs_lock_release(&cached->lk, COHFS_EX);
	KUNIT_EXPECT_EQ(test, -EAGAIN,
			cohfs_lock_acquire(&new->lk, COHFS_EX, COHFS_LK_NOQUEUE));
	a = rig_ask(rig, new, COHFS_EX, 0);
	EVENTUALLY(test, rig_waiters(new) == 1);
	rig_peer_ask(rp, COHFS_EX);
	EVENTUALLY(test, rig_state(wanted) == COHFS_FS_LOWERING);

	/* the lock manager runs: what goes down goes, recovery's own locks work */
	cohfs_ls_recovery_end(rig->ls, 1, 7);
	KUNIT_EXPECT_EQ(test, 0, rig_peer_answer(rp));
	KUNIT_EXPECT_EQ(test, 0, cohfs_lock_acquire(&slot->lk, COHFS_EX, COHFS_LK_PIN));
	cohfs_lock_unpin(&slot->lk, COHFS_EX);
	cohfs_lockspace_thaw(rig->ls, 6);
	flush_work(&rig->ls->ls_walk_work);
	KUNIT_EXPECT_EQ(test, rig_waiters(new), 1);
	KUNIT_EXPECT_FALSE(test, completion_done(&a->answered));

	cohfs_lockspace_thaw(rig->ls, 7);
	KUNIT_EXPECT_EQ(test, 0, rig_answer(a));
	rig_end(a, RIG_RELEASE);
}

/* granted because its holder died: not before his journal is replayed */
static void grant_is_parked(struct kunit *test)
{
	struct rig *rig = test->priv;
	struct rig_lock *rl = rig_lock(rig, COHFS_LT_INODE, 1);
	struct rig_peer *rp = rig_peer(rig, COHFS_LT_INODE, 1);
	struct rig_asker *a;

	rig_peer_ask(rp, COHFS_EX);
	a = rig_ask(rig, rl, COHFS_PR, 0);
	EVENTUALLY(test, READ_ONCE(rp->peer.bast) == COHFS_PR);
	cohfs_ls_recovery_begin(rig->ls);
	cohfs_sim_peer_die(&rp->peer);
	EVENTUALLY(test, rig_state(rl) == COHFS_FS_PARKED);
	KUNIT_EXPECT_EQ(test, rig_count(rl, COHFS_CT_PARKED), 1);
	cohfs_ls_recovery_end(rig->ls, 1, 1);
	/* another one dies before the replay is over */
	cohfs_ls_recovery_begin(rig->ls);
	cohfs_lockspace_thaw(rig->ls, 1);
	cohfs_ls_recovery_end(rig->ls, 1, 2);
	flush_work(&rig->ls->ls_walk_work);
	KUNIT_EXPECT_EQ(test, rig_state(rl), COHFS_FS_PARKED);
	KUNIT_EXPECT_EQ(test, rig_cached(rl), COHFS_NL);
	KUNIT_EXPECT_FALSE(test, completion_done(&a->answered));
	cohfs_lockspace_thaw(rig->ls, 2);
	KUNIT_EXPECT_EQ(test, 0, rig_answer(a));
	KUNIT_EXPECT_FALSE(test, rl->lvb_seen);
	rig_end(a, RIG_RELEASE);
}

static void frozen_waiter_can_be_killed(struct kunit *test)
{
	struct rig *rig = test->priv;
	struct rig_lock *rl = rig_lock(rig, COHFS_LT_INODE, 1);
	struct rig_asker *a;

	cohfs_ls_recovery_begin(rig->ls);
	a = rig_ask(rig, rl, COHFS_PR, 0);
	EVENTUALLY(test, rig_waiters(rl) == 1);
	send_sig(SIGKILL, a->task, 1);
	KUNIT_EXPECT_EQ(test, -EINTR, rig_answer(a));
	rig_end(a, RIG_RELEASE);
	cohfs_ls_recovery_end(rig->ls, 1, 1);
	cohfs_lockspace_thaw(rig->ls, 1);
	rig_cache(rig, rl, COHFS_PR);
}

static void drops_wait_for_the_lock_manager(struct kunit *test)
{
	struct rig *rig = test->priv;
	struct rig_lock *rl = rig_lock(rig, COHFS_LT_INODE, 1);
	struct rig_lock *fresh = rig_lock(rig, COHFS_LT_INODE, 2);

	rig_cache(rig, rl, COHFS_EX);
	cohfs_ls_recovery_begin(rig->ls);
	rig_drop(rl);
	rig_drop(fresh);
	EVENTUALLY(test, rig_state(rl) == COHFS_FS_UNLOCKING);
	KUNIT_EXPECT_EQ(test, atomic_read(&rig->ls->ls_nr_locks), 2);
	cohfs_ls_recovery_end(rig->ls, 1, 1);
	EVENTUALLY(test, !atomic_read(&rig->ls->ls_nr_locks));
	cohfs_lockspace_thaw(rig->ls, 1);
}

/* Withdraw ------------------------------------------------------------------------------- */

static void kill_ends_all_waits(struct kunit *test)
{
	struct rig *rig = test->priv;
	struct rig_lock *raising = rig_lock(rig, COHFS_LT_RANGE, 1);
	struct rig_lock *revoking = rig_lock(rig, COHFS_LT_RANGE, 2);
	struct rig_lock *held = rig_lock(rig, COHFS_LT_RANGE, 3);
	struct rig_lock *frozen = rig_lock(rig, COHFS_LT_RANGE, 4);
	struct rig_peer *rp[3];
	struct rig_asker *a[6];
	unsigned int i;

	for (i = 0; i < 3; i++)
		rp[i] = rig_peer(rig, COHFS_LT_RANGE, i + 1);
	rig_peer_ask(rp[0], COHFS_EX);
	a[0] = rig_ask(rig, raising, COHFS_PR, 0);
	a[1] = rig_ask(rig, raising, COHFS_EX, COHFS_LK_NOINTR);
	a[2] = rig_ask(rig, raising, COHFS_EX, 0);
	revoking->slow = true;
	rig_cache(rig, revoking, COHFS_EX);
	rig_peer_ask(rp[1], COHFS_EX);
	EVENTUALLY(test, rig_state(revoking) == COHFS_FS_REVOKING);
	a[3] = rig_ask(rig, revoking, COHFS_PR, 0);
	rig_hold(rig, held, COHFS_EX);
	rig_peer_ask(rp[2], COHFS_EX);
	EVENTUALLY(test, cohfs_lock_contended(&held->lk));
	a[4] = rig_ask(rig, held, COHFS_EX, 0);
	EVENTUALLY(test, rig_waiters(raising) == 3 && rig_waiters(revoking) == 1 &&
		   rig_waiters(held) == 1);
	cohfs_ls_recovery_begin(rig->ls);
	a[5] = rig_ask(rig, frozen, COHFS_EX, 0);
	EVENTUALLY(test, rig_waiters(frozen) == 1);

	cohfs_lockspace_kill(rig->ls);
	for (i = 0; i < ARRAY_SIZE(a); i++)
		KUNIT_EXPECT_EQ_MSG(test, -EIO, rig_answer(a[i]), "waiter %u", i);
	for (i = 0; i < ARRAY_SIZE(a); i++)
		rig_end(a[i], RIG_RELEASE);
	KUNIT_EXPECT_EQ(test, -EIO, cohfs_lock_acquire(&frozen->lk, COHFS_PR, 0));
	KUNIT_EXPECT_EQ(test, -EIO,
			cohfs_lock_acquire(&held->lk, COHFS_EX, COHFS_LK_TRY));
	/* nothing is lowered, even when the last holder goes */
	cohfs_lock_release(&held->lk, COHFS_EX);
	KUNIT_EXPECT_EQ(test, rig_cached(held), COHFS_EX);
	KUNIT_EXPECT_EQ(test, atomic_read(&held->give_ups), 0);
	KUNIT_EXPECT_FALSE(test, rig_peer_answered(rp[2]));
}

/* what is left to a withdrawn node: asking the others, through locks of recovery */
static void withdrawn_can_call(struct kunit *test)
{
	struct rig *rig = test->priv;
	struct rig_lock *slot = rig_lock(rig, COHFS_LT_SLOT, 1);
	struct rig_lock *call = rig_lock(rig, COHFS_LT_MOUNT, 1);
	struct rig_lock *range = rig_lock(rig, COHFS_LT_RANGE, 1);
	struct rig_peer *heirs = rig_peer(rig, COHFS_LT_SLOT, 1);
	struct rig_peer *other = rig_peer(rig, COHFS_LT_MOUNT, 1);
	struct rig_peer *wants_range = rig_peer(rig, COHFS_LT_RANGE, 1);
	struct rig_asker *a;

	rig_cache(rig, slot, COHFS_EX);
	rig_cache(rig, range, COHFS_EX);
	rig_peer_ask(other, COHFS_PR);
	KUNIT_EXPECT_EQ(test, 0, rig_peer_answer(other));
	cohfs_lockspace_kill(rig->ls);
	/* our slot goes to who asks for it, our data does not */
	rig_peer_ask(heirs, COHFS_EX);
	KUNIT_EXPECT_EQ(test, 0, rig_peer_answer(heirs));
	rig_peer_ask(wants_range, COHFS_PR);
	a = rig_ask(rig, call, COHFS_EX, COHFS_LK_PIN);
	EVENTUALLY(test, READ_ONCE(other->peer.bast) == COHFS_EX);
	cohfs_sim_peer_unlock(&other->peer);
	KUNIT_EXPECT_EQ(test, 0, rig_answer(a));
	rig_end(a, RIG_RELEASE);
	KUNIT_EXPECT_FALSE(test, rig_peer_answered(wants_range));
	KUNIT_EXPECT_EQ(test, rig_cached(range), COHFS_EX);
	/* journal replayed: now everything goes */
	cohfs_lockspace_abandon(rig->ls);
	KUNIT_EXPECT_EQ(test, -EIO,
			cohfs_lock_acquire(&call->lk, COHFS_EX, COHFS_LK_PIN));
}

static void lost_ends_the_call(struct kunit *test)
{
	struct rig *rig = test->priv;
	struct rig_lock *call = rig_lock(rig, COHFS_LT_MOUNT, 1);
	struct rig_peer *other = rig_peer(rig, COHFS_LT_MOUNT, 1);
	struct rig_asker *a;

	rig_peer_ask(other, COHFS_PR);
	KUNIT_EXPECT_EQ(test, 0, rig_peer_answer(other));
	cohfs_lockspace_kill(rig->ls);
	a = rig_ask(rig, call, COHFS_EX, COHFS_LK_NOINTR | COHFS_LK_PIN);
	EVENTUALLY(test, READ_ONCE(other->peer.bast) == COHFS_EX);
	cohfs_lockspace_lose(rig->ls);
	KUNIT_EXPECT_EQ(test, -EIO, rig_answer(a));
	rig_end(a, RIG_RELEASE);
}

/* unmounting at once: drops and the leave meet what the kill has set going */
static void kill_drop_leave(struct kunit *test)
{
	struct rig *rig = test->priv;
	struct rig_lock *rl;
	unsigned int i;

	for (i = 0; i < 150; i++) {
		rl = rig_lock(rig, COHFS_LT_INODE, i);
		if (i % 3)
			rig_cache(rig, rl, i % 3 == 1 ? COHFS_PR : COHFS_EX);
	}
	cohfs_lockspace_kill(rig->ls);
	list_for_each_entry(rl, &rig->locks, list)
		rig_drop(rl);
	/* rig_exit() leaves, and looks whether each was freed */
}

/* Unmount ---------------------------------------------------------------------------------- */

static void quiesced(struct kunit *test)
{
	struct rig *rig = test->priv;
	struct rig_lock *range = rig_lock(rig, COHFS_LT_RANGE, 1);
	struct rig_lock *group = rig_lock(rig, COHFS_LT_GROUP, 1);
	struct rig_peer *wants_range = rig_peer(rig, COHFS_LT_RANGE, 1);
	struct rig_peer *wants_group = rig_peer(rig, COHFS_LT_GROUP, 1);

	rig_cache(rig, range, COHFS_EX);
	rig_cache(rig, group, COHFS_EX);
	cohfs_lockspace_quiesce(rig->ls);
	rig_peer_ask(wants_range, COHFS_EX);
	rig_peer_ask(wants_group, COHFS_EX);
	KUNIT_EXPECT_EQ(test, 0, rig_peer_answer(wants_group));
	KUNIT_EXPECT_FALSE(test, rig_peer_answered(wants_range));
	KUNIT_EXPECT_EQ(test, atomic_read(&range->give_ups), 0);
	/* the owner still works with it, until he is done */
	rig_hold(rig, range, COHFS_EX);
	cohfs_lock_release(&range->lk, COHFS_EX);
	rig_drop(range);
	KUNIT_EXPECT_EQ(test, 0, rig_peer_answer(wants_range));
}

static void quiesce_waits_for_revokes(struct kunit *test)
{
	struct rig *rig = test->priv;
	struct rig_lock *rl = rig_lock(rig, COHFS_LT_INODE, 1);
	struct rig_peer *rp = rig_peer(rig, COHFS_LT_INODE, 1);
	unsigned int i;

	for (i = 0; i < 20; i++) {
		rig_cache(rig, rl, COHFS_EX);
		rig_peer_ask(rp, COHFS_EX);
		if (i < 19) {
			KUNIT_EXPECT_EQ(test, 0, rig_peer_answer(rp));
			cohfs_sim_peer_unlock(&rp->peer);
		}
	}
	cohfs_lockspace_quiesce(rig->ls);
	KUNIT_EXPECT_NE(test, rig_state(rl), COHFS_FS_REVOKING);
}

static void bad_names(struct kunit *test)
{
	char name[70];

	memset(name, 'x', sizeof(name));
	name[61] = '\0';
	KUNIT_EXPECT_EQ(test, -EINVAL,
			PTR_ERR(cohfs_lockspace_join(COHFS_BACKEND_LOCAL, name, NULL, 0,
						     NULL, NULL)));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			PTR_ERR(cohfs_lockspace_join(COHFS_BACKEND_LOCAL, "", NULL, 0,
						     NULL, NULL)));
}

static struct kunit_case lockspace_cases[] = {
	KUNIT_CASE(cached_stays_usable),
	KUNIT_CASE(grant_is_parked),
	KUNIT_CASE(frozen_waiter_can_be_killed),
	KUNIT_CASE(drops_wait_for_the_lock_manager),
	KUNIT_CASE(kill_ends_all_waits),
	KUNIT_CASE(withdrawn_can_call),
	KUNIT_CASE(lost_ends_the_call),
	KUNIT_CASE(kill_drop_leave),
	KUNIT_CASE(quiesced),
	KUNIT_CASE(quiesce_waits_for_revokes),
	KUNIT_CASE(bad_names),
	{}
};

static struct kunit_suite lockspace_suite = {
	.name = "cohfs_lockspace",
	.init = rig_init_sim,
	.exit = rig_exit,
	.test_cases = lockspace_cases,
};

kunit_test_suite(lockspace_suite);
