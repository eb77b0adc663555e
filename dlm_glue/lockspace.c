// SPDX-License-Identifier: GPL-2.0-only
/*
 * All locks of one mount: joining, what recovery does to them, leaving.
 *
 * Recovery, as the backend reports it:
 *   begin  the lock manager stops: nothing is sent (STOPPED); grants that arrive are
 *          parked and new requests wait (FROZEN), since what the locks protect may
 *          be in the journal of a dead node
 *   end    the lock manager runs: what goes down is sent, also what recovery needs
 *          for itself
 *   thaw   the journals are replayed: parked grants are delivered, requests go out
 * A new begin at any point starts over; a thaw for an older generation is ignored.
 */
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include "lock.h"
#include "trace.h"

static const struct cohfs_backend_ops *find_backend(enum cohfs_backend backend)
{
	switch (backend) {
	case COHFS_BACKEND_LOCAL:
		return &cohfs_local_backend;
	case COHFS_BACKEND_DLM:
#if IS_ENABLED(CONFIG_DLM)
		return &cohfs_dlm_backend;
#else
		pr_err("cohfs: this kernel was built without CONFIG_DLM, only lock=local works\n");
		return NULL;
#endif
	case COHFS_BACKEND_SIM:
		return &cohfs_sim_backend;
	}
	return NULL;
}

static struct cohfs_lockspace *ls_alloc(const char *name, unsigned int lvb_size,
					const struct cohfs_lockspace_ops *ops,
					void *arg)
{
	struct cohfs_lockspace *ls = kzalloc(sizeof(*ls), GFP_KERNEL);

	if (!ls)
		return NULL;
	ls->ls_ops = ops;
	ls->ls_arg = arg;
	ls->ls_lvb_size = lvb_size;
	ls->ls_slots = BIT_ULL(0);
	spin_lock_init(&ls->ls_spin);
	mutex_init(&ls->ls_mutex);
	INIT_LIST_HEAD(&ls->ls_locks);
	init_llist_head(&ls->ls_free_list);
	init_waitqueue_head(&ls->ls_wait);
	strscpy(ls->ls_name, name, sizeof(ls->ls_name));
	return ls;
}

static void ls_free(struct cohfs_lockspace *ls)
{
	ls_workers_stop(ls);
	kfree(ls);
}

struct cohfs_lockspace *cohfs_lockspace_join(enum cohfs_backend backend,
		const char *name, const char *cluster, unsigned int lvb_size,
		const struct cohfs_lockspace_ops *ops, void *arg)
{
	const struct cohfs_backend_ops *be = find_backend(backend);
	struct cohfs_lockspace *ls;
	int error;

	if (!be)
		return ERR_PTR(-EOPNOTSUPP);
	if (!*name || strlen(name) > 60) {
		pr_err("cohfs: bad lockspace name \"%s\": 1 to 60 characters\n", name);
		return ERR_PTR(-EINVAL);
	}
	ls = ls_alloc(name, lvb_size, ops, arg);
	if (!ls)
		return ERR_PTR(-ENOMEM);
	ls->ls_be = be;
	error = ls_workers_start(ls);
	if (!error)
		error = be->join(ls, cluster);
	if (error) {
		ls_free(ls);
		return ERR_PTR(error);
	}
	return ls;
}

int cohfs_lockspace_slot(const struct cohfs_lockspace *ls)
{
	return READ_ONCE(ls->ls_slot);
}

int cohfs_lockspace_nodeid(const struct cohfs_lockspace *ls)
{
	return READ_ONCE(ls->ls_nodeid);
}

bool cohfs_lockspace_stopped(const struct cohfs_lockspace *ls)
{
	return ls_stopped(ls);
}

bool cohfs_lockspace_has_slot(const struct cohfs_lockspace *ls, int slot)
{
	return slot < 1 || slot > BITS_PER_TYPE(u64) ||
	       READ_ONCE(ls->ls_slots) & BIT_ULL(slot - 1);
}

/* Recovery ---------------------------------------------------------------------- */

static void walk(struct cohfs_lockspace *ls)
{
	queue_work(ls->ls_grant_wq, &ls->ls_walk_work);
}

static void set_gate(struct cohfs_lockspace *ls, u32 set, u32 clear)
{
	unsigned long flags;

	spin_lock_irqsave(&ls->ls_spin, flags);
	WRITE_ONCE(ls->ls_gate, (ls->ls_gate & ~clear) | set);
	spin_unlock_irqrestore(&ls->ls_spin, flags);
}

/*
 * cohfs_ls_recovery_begin() - from the backend
 *
 * Requests that are in the lock manager's hands stay there.  A task that passed
 * the check of STOPPED just before may still be about to call the lock manager and
 * will then sleep there, not killable, for as long as the recovery takes; there
 * is one such task per lock at most.
 */
void cohfs_ls_recovery_begin(struct cohfs_lockspace *ls)
{
	const struct cohfs_lockspace_ops *ops = READ_ONCE(ls->ls_ops);

	set_bit(COHFS_LS_STOPPED, &ls->ls_flags);
	set_gate(ls, COHFS_GATE_FROZEN, 0);
	trace_cohfs_lock_recovery(ls, "begin", ls->ls_generation);
	if (ops && ops->recovery_begin)
		ops->recovery_begin(ls->ls_arg);
}

void cohfs_ls_node_failed(struct cohfs_lockspace *ls, int nodeid, int slot)
{
	const struct cohfs_lockspace_ops *ops = READ_ONCE(ls->ls_ops);

	pr_info("cohfs: lockspace %s: node %d (slot %d) failed\n", ls->ls_name, nodeid,
		slot);
	if (ops && ops->node_failed)
		ops->node_failed(ls->ls_arg, nodeid, slot);
}

void cohfs_ls_joined(struct cohfs_lockspace *ls, u32 generation)
{
	unsigned long flags;

	spin_lock_irqsave(&ls->ls_spin, flags);
	ls->ls_generation = generation;
	clear_bit(COHFS_LS_STOPPED, &ls->ls_flags);
	WRITE_ONCE(ls->ls_gate, ls->ls_gate & ~COHFS_GATE_FROZEN);
	spin_unlock_irqrestore(&ls->ls_spin, flags);
}

void cohfs_ls_recovery_end(struct cohfs_lockspace *ls, int slot, u32 generation)
{
	const struct cohfs_lockspace_ops *ops = READ_ONCE(ls->ls_ops);
	unsigned long flags;

	spin_lock_irqsave(&ls->ls_spin, flags);
	ls->ls_generation = generation;
	clear_bit(COHFS_LS_STOPPED, &ls->ls_flags);
	spin_unlock_irqrestore(&ls->ls_spin, flags);
	trace_cohfs_lock_recovery(ls, "end", generation);
	walk(ls);
	if (ops && ops->recovery_end)
		ops->recovery_end(ls->ls_arg, slot, generation);
}

void cohfs_lockspace_thaw(struct cohfs_lockspace *ls, u32 generation)
{
	unsigned long flags;
	bool thaw;

	spin_lock_irqsave(&ls->ls_spin, flags);
	/* recovery_begin sets STOPPED before FROZEN: no thaw gets in between */
	thaw = ls->ls_generation == generation && !ls_stopped(ls);
	if (thaw)
		WRITE_ONCE(ls->ls_gate, ls->ls_gate & ~COHFS_GATE_FROZEN);
	spin_unlock_irqrestore(&ls->ls_spin, flags);
	trace_cohfs_lock_recovery(ls, thaw ? "thaw" : "stale thaw", generation);
	if (thaw)
		walk(ls);
}

void cohfs_lockspace_kill(struct cohfs_lockspace *ls)
{
	if (test_and_set_bit(COHFS_LS_DEAD, &ls->ls_flags))
		return;
	trace_cohfs_lock_recovery(ls, "kill", ls->ls_generation);
	walk(ls);
	wake_up_all(&ls->ls_wait);
}

void cohfs_lockspace_lose(struct cohfs_lockspace *ls)
{
	if (test_and_set_bit(COHFS_LS_GONE, &ls->ls_flags))
		return;
	trace_cohfs_lock_recovery(ls, "lose", ls->ls_generation);
	set_bit(COHFS_LS_DEAD, &ls->ls_flags);
	walk(ls);
	wake_up_all(&ls->ls_wait);
}

/* Leaving ------------------------------------------------------------------------- */

void cohfs_lockspace_quiesce(struct cohfs_lockspace *ls)
{
	unsigned int t;

	set_gate(ls, COHFS_GATE_QUIESCED, 0);
	/* a step that saw the old gate has queued what it had to: irqs are off there */
	synchronize_rcu();
	/* by rank: an item may wait for items of later ranks */
	for (t = COHFS_LT_OPEN; t <= COHFS_LT_MAP; t++)
		flush_workqueue(ls->ls_revoke_wq[t]);
}

bool cohfs_lockspace_drain(struct cohfs_lockspace *ls)
{
	unsigned int waited = 0;

	while (!wait_event_idle_timeout(ls->ls_wait, ls_dead(ls) ||
					!atomic_read(&ls->ls_nr_locks), 30 * HZ)) {
		waited += 30;
		pr_warn("cohfs: lockspace %s: unmount waits for %d locks since %u s\n",
			ls->ls_name, atomic_read(&ls->ls_nr_locks), waited);
	}
	return !atomic_read(&ls->ls_nr_locks);
}

/* Nothing calls back any more: what was dropped but kept can go. */
static void free_remains(struct cohfs_lockspace *ls)
{
	struct cohfs_lock *lk, *next;
	int held = 0;
	LIST_HEAD(dropped);
	unsigned int t;

	for (t = 0; t < COHFS_NR_LOCK_TYPES; t++)
		flush_workqueue(ls->ls_revoke_wq[t]);
	flush_workqueue(ls->ls_grant_wq);
	mutex_lock(&ls->ls_mutex);
	list_for_each_entry_safe(lk, next, &ls->ls_locks, lk_list) {
		if (lk->lk_fsm.state == COHFS_FS_GONE)
			continue;	/* its reference is put already */
		if (lk->lk_fsm.drop)
			list_move(&lk->lk_list, &dropped);
		else
			held++;
	}
	mutex_unlock(&ls->ls_mutex);
	if (held)
		pr_err("cohfs: lockspace %s: %d locks were never dropped, leaking them\n",
		       ls->ls_name, held);
	list_for_each_entry_safe(lk, next, &dropped, lk_list) {
		if (cancel_delayed_work_sync(&lk->lk_priv->retry_work))
			cohfs_lock_put(lk);
		cohfs_lock_put(lk);	/* the owner's */
	}
	queue_work(ls->ls_free_wq, &ls->ls_free_work);
	wait_event_idle_timeout(ls->ls_wait, atomic_read(&ls->ls_nr_locks) <= held,
				10 * HZ);
}

static void account(struct cohfs_lockspace *ls)
{
	s64 created = atomic64_read(&ls->ls_created);
	s64 destroyed = atomic64_read(&ls->ls_destroyed);

	pr_info("cohfs: lockspace %s: left, %lld locks created, %lld destroyed\n",
		ls->ls_name, created, destroyed);
	WARN(created != destroyed, "cohfs: lockspace %s: %lld locks leaked\n",
	     ls->ls_name, created - destroyed);
}

static void leave_backend(struct cohfs_lockspace *ls)
{
	if (ls_left(ls))
		return;
	if (ls->ls_be->leave)
		ls->ls_be->leave(ls);
	set_bit(COHFS_LS_LEFT, &ls->ls_flags);
}

void cohfs_lockspace_abandon(struct cohfs_lockspace *ls)
{
	unsigned int t;

	cohfs_lockspace_lose(ls);
	/* whoever saw it alive is done with the lock manager after this */
	flush_work(&ls->ls_walk_work);
	for (t = 0; t < COHFS_NR_LOCK_TYPES; t++)
		flush_workqueue(ls->ls_revoke_wq[t]);
	leave_backend(ls);
}

/*
 * A graceful leave tells nobody to replay our journal, it just hands our locks on.
 * So a withdrawn node that was not abandoned stays a member, locks and all: until it is
 * fenced.
 */
static bool must_stay(struct cohfs_lockspace *ls)
{
	unsigned int t;

	if (!ls_dead(ls) || ls_left(ls) || ls->ls_be != &cohfs_dlm_backend)
		return false;
	/* a give up that has begun may still look at the mount, which ends soon */
	for (t = 0; t < COHFS_NR_LOCK_TYPES; t++)
		flush_workqueue(ls->ls_revoke_wq[t]);
	pr_err("cohfs: lockspace %s: withdrawn and its journal not replayed by anyone: keeping the locks until this node is rebooted or fenced\n",
	       ls->ls_name);
	/* callbacks keep coming, for the locks (all dead by now) and for us */
	WRITE_ONCE(ls->ls_ops, NULL);
	__module_get(THIS_MODULE);
	return true;
}

void cohfs_lockspace_leave(struct cohfs_lockspace *ls)
{
	bool clean = cohfs_lockspace_drain(ls);

	flush_work(&ls->ls_walk_work);
	if (!clean && must_stay(ls))
		return;
	leave_backend(ls);
	if (!clean)
		free_remains(ls);
	ls_workers_stop(ls);
	ls->ls_be->exit(ls);
	account(ls);
	kfree(ls);
}

int __init cohfs_glue_init(void)
{
	return 0;
}

void cohfs_glue_exit(void)
{
}
