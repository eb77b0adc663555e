// SPDX-License-Identifier: GPL-2.0-only
/*
 * What happens when a node dies.
 *
 * From recovery_begin on the glue parks grants, for the lock manager hands out the
 * locks of the dead before their journals are replayed.  When the membership is
 * settled each survivor runs the work below: under the mount lock (rank MOUNT, never
 * parked, one task in the cluster) it asks NOQUEUE for S of each failed slot.
 *
 *   - got it: the slot has no owner.  Replay; a journal that an earlier survivor has
 *     replayed is empty.
 *   - refused: the slot has a new owner.  It claimed the slot under the mount lock,
 *     too, and replayed the journal before it did anything else.
 *
 * So after its pass each node knows that every journal in question is replayed, and
 * thaws.  A node that joins meanwhile claims its slot under the same lock, and does
 * not ask for any ordinary lock before that.
 *
 * A second death during all this is noted in the bitmap, which a pass empties when it
 * begins; the glue ignores a thaw for a generation that is over, and the pass that the
 * next recovery_end starts does what is left.
 */
#include <linux/delay.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include "../dlm_glue/glue.h"
#include "adopt.h"
#include "object.h"
#include "recovery.h"
#include "slot.h"
#include "super.h"

#define SLOT_TRIES	10
#define CALL_AGAIN	(HZ / 10)
#define MEMORY_TRIES	32

/**
 * struct cohfs_recovery - recovery of a mount
 * @mount_obj: the mount lock
 * @call_obj: the call lock
 * @alive_obj: the lock of those who can answer calls
 * @alive: in which mode we hold it
 * @mount_mutex: local side of the mount lock
 * @lock: protects what follows
 * @failed: slots (0 based) of dead nodes whose journals are not known to be empty, but
 *	for those that the pass under way sees to
 * @due: a recovery_end has not been acted on
 * @generation: its generation
 * @begun: when the first recovery_begin since the last thaw came
 * @started, @stopped: the lockspace is known here; is going away
 */
struct cohfs_recovery {
	struct cohfs_sb *cs;
	struct cohfs_object *mount_obj;
	struct cohfs_object *call_obj;
	struct cohfs_object *alive_obj;
	enum cohfs_mode alive;
	struct mutex mount_mutex;
	struct workqueue_struct *wq;
	struct work_struct work;
	struct work_struct listen_work;
	spinlock_t lock;
	u64 failed;
	bool due;
	u32 generation;
	ktime_t begun;
	bool started;
	bool stopped;
};

/* The mount lock ----------------------------------------------------------- */

int cohfs_mount_lock(struct cohfs_sb *cs, unsigned int flags)
{
	struct cohfs_recovery *rec = cs->recovery;
	int err;

	if (flags & COHFS_LK_NOINTR)
		mutex_lock(&rec->mount_mutex);
	else if (mutex_lock_killable(&rec->mount_mutex))
		return -EINTR;
	err = rec->mount_obj ? cohfs_lock_acquire(&rec->mount_obj->lk, COHFS_EX, flags) :
			       -ESHUTDOWN;
	if (err)
		mutex_unlock(&rec->mount_mutex);
	return err;
}

void cohfs_mount_unlock(struct cohfs_sb *cs)
{
	struct cohfs_recovery *rec = cs->recovery;

	cohfs_object_unlock(rec->mount_obj, COHFS_EX);
	mutex_unlock(&rec->mount_mutex);
}

/*
 * All replays are under the mount lock.  One that begins after this finds that we have
 * withdrawn.
 */
void cohfs_recovery_settle(struct cohfs_sb *cs)
{
	mutex_lock(&cs->recovery->mount_mutex);
	mutex_unlock(&cs->recovery->mount_mutex);
}

/* The work ----------------------------------------------------------------- */

static bool any_failed(struct cohfs_recovery *rec)
{
	bool any;

	spin_lock(&rec->lock);
	any = rec->failed;
	spin_unlock(&rec->lock);
	return any;
}

/*
 * What a pass sees to is taken out when it begins: who has got the number of one of them
 * meanwhile, and dies, too, must be found again.
 */
static u64 take_failed(struct cohfs_recovery *rec)
{
	u64 failed;

	spin_lock(&rec->lock);
	failed = rec->failed;
	rec->failed = 0;
	spin_unlock(&rec->lock);
	return failed;
}

static void put_failed_back(struct cohfs_recovery *rec, u64 failed)
{
	spin_lock(&rec->lock);
	rec->failed |= failed;
	spin_unlock(&rec->lock);
}

/*
 * A pass that fails for want of memory can be repeated: a slot stays among the failed, and
 * its journal as it is, until its replay is complete.  Giving up would cost this node, too.
 * Most of the allocations are jbd2's and fs/dlm's, and may fail; one that may not comes
 * back when there is memory.  So each try finds some, and the bound is for what fails all
 * the same.
 */
bool cohfs_recovery_again(struct cohfs_sb *cs, const char *what, int err,
			  unsigned int *tries)
{
	if (err != -ENOMEM || ++*tries >= MEMORY_TRIES)
		return false;
	cohfs_info(cs->sb, "%s lacks memory, try %u", what, *tries);
	kfree(kmalloc(2 * PAGE_SIZE, GFP_NOFS | __GFP_NOFAIL));
	return true;
}

/* Something may happen before a replay, which is short: for tests. */
static void make_it_last(struct cohfs_sb *cs)
{
	u32 delay = READ_ONCE(cs->replay_delay_ms);

	if (!delay)
		return;
	cohfs_info(cs->sb, "replay waits %u ms, as debugfs says", delay);
	msleep(delay);
}

/*
 * Our own number among the failed belonged to a node that died before we joined; we
 * hold S and have replayed it.
 */
static int replay_failed(struct cohfs_recovery *rec)
{
	struct cohfs_sb *cs = rec->cs;
	u64 failed = take_failed(rec), ours = 0;
	u32 slot;
	int err;

	if (cohfs_is_withdrawn(cs))
		return -EIO;
	make_it_last(cs);
	for (slot = 0; slot < cs->geo.slots; slot++) {
		if (!(failed & BIT_ULL(slot)))
			continue;
		err = 0;
		if (slot != cs->slot)
			err = cohfs_slot_replay(cs, slot, SLOT_TRIES);
		if (err < 0 && err != -EAGAIN) {
			put_failed_back(rec, failed);
			return err;
		}
		if (err >= 0)
			ours |= BIT_ULL(slot);
		cohfs_info(cs->sb, "slot %u: its node is gone, %s", slot,
			   err == 1 ? "journal replayed here" :
				      "journal needs no replay");
	}
	/* waits for the thaw by itself */
	cohfs_adopt(cs, ours);
	return 0;
}

static int replay_pass(struct cohfs_recovery *rec)
{
	unsigned int tries = 0;
	int err;

	do {
		err = cohfs_mount_lock(rec->cs, COHFS_LK_NOINTR);
		if (!err) {
			err = replay_failed(rec);
			cohfs_mount_unlock(rec->cs);
		}
	} while (cohfs_recovery_again(rec->cs, "replay", err, &tries));
	return err;
}

/* Return: true once for each recovery, if nothing is left to replay */
static bool may_thaw(struct cohfs_recovery *rec, u32 *generation)
{
	s64 took = 0;
	bool thaw;

	spin_lock(&rec->lock);
	thaw = rec->due && !rec->failed;
	if (thaw) {
		rec->due = false;
		took = ktime_ms_delta(ktime_get(), rec->begun);
		rec->begun = 0;
	}
	*generation = rec->generation;
	spin_unlock(&rec->lock);
	if (thaw)
		cohfs_info(rec->cs->sb, "recovery %u done in %lld ms", *generation, took);
	return thaw;
}

static void recovery_work(struct work_struct *work)
{
	struct cohfs_recovery *rec = container_of(work, struct cohfs_recovery, work);
	struct cohfs_sb *cs = rec->cs;
	unsigned int nofs = memalloc_nofs_save();
	u32 generation;
	int err = 0;

	if (cohfs_is_withdrawn(cs))
		goto out;
	if (any_failed(rec))
		err = replay_pass(rec);
	if (err && cohfs_is_alone(cs))
		goto out;	/* whoever mounts next sees to what is left */
	if (err)
		cohfs_withdraw(cs, "recovery of a dead node failed: error %d", err);
	else if (may_thaw(rec, &generation))
		cohfs_lockspace_thaw(cs->ls, generation);
	/* it may be an heir who has gone */
	cohfs_adopt(cs, 0);
out:
	memalloc_nofs_restore(nofs);
}

/* Called with rec->lock held. */
static void queue_if_due(struct cohfs_recovery *rec)
{
	lockdep_assert_held(&rec->lock);
	if (rec->due && rec->started && !rec->stopped)
		queue_work(rec->wq, &rec->work);
}

/* Callbacks of the lockspace ----------------------------------------------- */

static void recovery_begin(void *arg)
{
	struct cohfs_recovery *rec = ((struct cohfs_sb *)arg)->recovery;

	spin_lock(&rec->lock);
	if (!rec->begun)
		rec->begun = ktime_get();
	spin_unlock(&rec->lock);
}

/* Numbers beyond the last slot: a node that was refused for want of a journal */
static void node_failed(void *arg, int nodeid, int slot)
{
	struct cohfs_sb *cs = arg;
	struct cohfs_recovery *rec = cs->recovery;

	if (slot < 1 || slot > cs->geo.slots)
		return;
	spin_lock(&rec->lock);
	rec->failed |= BIT_ULL(slot - 1);
	spin_unlock(&rec->lock);
}

static void recovery_end(void *arg, int our_slot, u32 generation)
{
	struct cohfs_recovery *rec = ((struct cohfs_sb *)arg)->recovery;

	spin_lock(&rec->lock);
	rec->due = true;
	rec->generation = generation;
	queue_if_due(rec);
	spin_unlock(&rec->lock);
}

/* Nobody can be asked to replay our journal. */
static void lost(void *arg)
{
	struct cohfs_sb *cs = arg;

	cohfs_withdraw(cs, "no longer a member of the lockspace");
	if (READ_ONCE(cs->ls))
		cohfs_lockspace_lose(cs->ls);
}

const struct cohfs_lockspace_ops cohfs_recovery_ops = {
	.recovery_begin = recovery_begin,
	.node_failed = node_failed,
	.recovery_end = recovery_end,
	.lost = lost,
};

/* Calls of withdrawn nodes -------------------------------------------------------- */

/*
 * Every node has PR of the call lock cached.  Who has withdrawn asks for EX, which is
 * granted when all have replayed whatever slot is free: their give up of PR does it.
 * They ask for PR again at once, and get it when the caller lets go of EX.
 *
 * A node that has just answered another call and does not have PR back yet is not
 * asked.  So what counts is the journal itself: whoever finds it empty, or replays it,
 * says so in the value block of its slot lock, and the caller calls again until it is
 * said.
 */
static int replay_free(struct cohfs_sb *cs)
{
	unsigned int tries = 0;
	u64 replayed;
	int err;

	do {
		replayed = 0;
		err = cohfs_mount_lock(cs, COHFS_LK_NOINTR);
		if (!err) {
			make_it_last(cs);
			err = cohfs_is_withdrawn(cs) ? -EIO :
						       cohfs_slot_replay_free(cs, &replayed);
			cohfs_mount_unlock(cs);
		}
		cohfs_adopt(cs, replayed);
	} while (cohfs_recovery_again(cs, "replay for a withdrawn node", err, &tries));
	return err;
}

void cohfs_recovery_called(struct cohfs_object *call)
{
	struct cohfs_sb *cs = call->cs;
	int err;

	if (cohfs_is_withdrawn(cs) || READ_ONCE(cs->recovery->stopped))
		return;
	err = replay_free(cs);
	if (err == -ESHUTDOWN || (err && cohfs_is_alone(cs)))
		return;		/* unmounted meanwhile: somebody else will do it */
	if (err) {
		cohfs_withdraw(cs, "replay for a withdrawn node failed: error %d", err);
		return;
	}
	spin_lock(&cs->recovery->lock);
	if (!cs->recovery->stopped)
		queue_work(system_unbound_wq, &cs->recovery->listen_work);
	spin_unlock(&cs->recovery->lock);
}

/* Have PR of the call lock cached, so that we are asked. */
static int listen(struct cohfs_recovery *rec, unsigned int flags)
{
	struct cohfs_lock *call = &rec->call_obj->lk;
	int err = cohfs_lock_acquire(call, COHFS_PR, flags | COHFS_LK_PIN);

	if (!err)
		cohfs_lock_unpin(call, COHFS_PR);
	return err;
}

/* Waits for the caller to be answered by all others: for their replays. */
static void listen_work(struct work_struct *work)
{
	struct cohfs_recovery *rec = container_of(work, struct cohfs_recovery,
						  listen_work);
	unsigned int tries = 0;
	int err;

	do {
		err = listen(rec, COHFS_LK_NOINTR);
	} while (cohfs_recovery_again(rec->cs, "listening for calls", err, &tries));
	if (err && !cohfs_is_withdrawn(rec->cs))
		cohfs_warn(rec->cs->sb, "not asked by nodes that withdraw: error %d", err);
}

/*
 * Who withdraws does not answer calls any more.  EX of this lock says that nobody does: all
 * members have withdrawn.  A mount waits for it with PR before it looks at the slots, so it is
 * held until all our locks go, and who mounts then finds our slot free and replays it.
 */
static int be_alive(struct cohfs_recovery *rec)
{
	int err = cohfs_lock_acquire(&rec->alive_obj->lk, COHFS_PR, COHFS_LK_PIN);

	if (!err)
		rec->alive = COHFS_PR;
	return err;
}

static void not_alive(struct cohfs_recovery *rec)
{
	if (rec->alive == COHFS_NL)
		return;
	cohfs_lock_unpin(&rec->alive_obj->lk, rec->alive);
	cohfs_lock_recall(&rec->alive_obj->lk, COHFS_EX);
	rec->alive = COHFS_NL;
}

static bool nobody_alive(struct cohfs_recovery *rec)
{
	if (cohfs_lock_acquire(&rec->alive_obj->lk, COHFS_EX,
			       COHFS_LK_NOQUEUE | COHFS_LK_NOINTR | COHFS_LK_PIN))
		return false;
	rec->alive = COHFS_EX;
	cohfs_info(rec->cs->sb, "no node is left that could replay our journal: the next mount does");
	return true;
}

int cohfs_recovery_call(struct cohfs_sb *cs)
{
	struct cohfs_recovery *rec = cs->recovery;
	struct cohfs_lock *call;
	unsigned int tries = 0;
	int err;

	if (!rec->call_obj)
		return 0;	/* not far enough in a mount to have changed anything */
	not_alive(rec);
	call = &rec->call_obj->lk;
	for (;;) {
		err = cohfs_lock_acquire(call, COHFS_EX, COHFS_LK_NOINTR | COHFS_LK_PIN);
		if (cohfs_recovery_again(cs, "call for a replay", err, &tries))
			continue;
		if (err)
			return err;
		cohfs_lock_unpin(call, COHFS_EX);
		cohfs_lock_recall(call, COHFS_EX);	/* the others want it back */
		if (cohfs_slot_replayed(cs) || nobody_alive(rec))
			return 0;
		schedule_timeout_idle(CALL_AGAIN);
	}
}

/* Mount -------------------------------------------------------------------- */

int cohfs_recovery_init(struct cohfs_sb *cs)
{
	struct cohfs_recovery *rec = kzalloc(sizeof(*rec), GFP_KERNEL);

	if (!rec)
		return -ENOMEM;
	rec->wq = alloc_workqueue("cohfs-recovery-%s", WQ_UNBOUND | WQ_MEM_RECLAIM, 1,
				  cs->sb->s_id);
	if (!rec->wq) {
		kfree(rec);
		return -ENOMEM;
	}
	rec->cs = cs;
	spin_lock_init(&rec->lock);
	mutex_init(&rec->mount_mutex);
	INIT_WORK(&rec->work, recovery_work);
	INIT_WORK(&rec->listen_work, listen_work);
	cs->recovery = rec;
	return 0;
}

static int create_lock(struct cohfs_sb *cs, u64 number, struct cohfs_object **to)
{
	struct cohfs_object *obj = cohfs_object_create(cs, COHFS_LT_MOUNT, number, NULL);

	if (IS_ERR(obj))
		return PTR_ERR(obj);
	*to = obj;
	return 0;
}

int cohfs_recovery_start(struct cohfs_sb *cs)
{
	struct cohfs_recovery *rec = cs->recovery;
	int err;

	err = create_lock(cs, COHFS_MOUNT_NUMBER, &rec->mount_obj);
	if (!err)
		err = create_lock(cs, COHFS_ALIVE_NUMBER, &rec->alive_obj);
	if (!err)
		err = be_alive(rec);
	if (!err)
		err = create_lock(cs, COHFS_CALL_NUMBER, &rec->call_obj);
	if (!err)
		err = listen(rec, 0);
	if (err)
		return err;
	spin_lock(&rec->lock);
	rec->started = true;
	queue_if_due(rec);
	spin_unlock(&rec->lock);
	return 0;
}

void cohfs_recovery_stop(struct cohfs_sb *cs)
{
	struct cohfs_recovery *rec = cs->recovery;

	if (!rec)
		return;
	spin_lock(&rec->lock);
	rec->stopped = true;
	spin_unlock(&rec->lock);
	cancel_work_sync(&rec->work);
	cancel_work_sync(&rec->listen_work);
	cohfs_object_drop(rec->call_obj);
	rec->call_obj = NULL;
	/* who was called before that may be at it still: with @mount_mutex held */
	mutex_lock(&rec->mount_mutex);
	cohfs_object_drop(rec->mount_obj);
	rec->mount_obj = NULL;
	mutex_unlock(&rec->mount_mutex);
	not_alive(rec);
	cohfs_object_drop(rec->alive_obj);
	rec->alive_obj = NULL;
}

void cohfs_recovery_exit(struct cohfs_sb *cs)
{
	struct cohfs_recovery *rec = cs->recovery;

	if (!rec)
		return;
	cs->recovery = NULL;
	destroy_workqueue(rec->wq);
	kfree(rec);
}
