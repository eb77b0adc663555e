// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the locks of a mount are doing, for people: debugfs.
 *
 * Words, fixed columns, a header line.  Below a lock that has any, its waiters.
 */
#include <linux/seq_file.h>
#include "lock.h"

static const char *const tenure_names[] = {
	[COHFS_TEN_NONE] = "-",
	[COHFS_TEN_HELD] = "held",
	[COHFS_TEN_UNUSED] = "unused",
	[COHFS_TEN_SHORT] = "short",
};

static const char *const counter_names[COHFS_NR_CT] = {
	[COHFS_CT_REQUESTS] = "requests",
	[COHFS_CT_GRANTS] = "grants",
	[COHFS_CT_BASTS] = "basts",
	[COHFS_CT_REVOKES] = "revokes",
	[COHFS_CT_LOWERS] = "lowers",
	[COHFS_CT_WAITS] = "waits",
	[COHFS_CT_PARKED] = "parked",
	[COHFS_CT_RETRIES] = "retries",
	[COHFS_CT_TENURE_OVERDUE] = "overdue",
	[COHFS_CT_TENURE_KEPT] = "kept",
};

static void dump_waiters(struct cohfs_lock *lk, struct seq_file *m)
{
	struct cohfs_lock_call *w;

	list_for_each_entry(w, &lk->lk_waiters, list)
		seq_printf(m, "    waits for %s%s\n", cohfs_mode_name(w->mode),
			   w->flags & COHFS_LK_NOQUEUE ? " noqueue" : "");
}

static void dump_flags(const struct cohfs_lock *lk, struct seq_file *m)
{
	const struct cohfs_fsm *f = &lk->lk_fsm;

	seq_printf(m, "%s%s%s%s%s\n", f->drop ? " dropped" : "",
		   f->dead ? " dead" : "", f->deferred ? " deferred" : "",
		   f->cancel && f->state == COHFS_FS_RAISING ? " cancelling" : "",
		   lk->lk_priv->backoff ? " retrying" : "");
}

static void dump_lock(struct cohfs_lock *lk, struct seq_file *m)
{
	const struct cohfs_lock_priv *p = lk->lk_priv;
	const struct cohfs_fsm *f = &lk->lk_fsm;
	char name[COHFS_RES_NAME_MAX + 1];

	cohfs_name_format(&lk->lk_name, name);
	seq_printf(m, "%-6s %-34s %-4s %-4s %-6s %-6s %-4s %-9s %-6s %9lld %7u %8llu",
		   cohfs_type_name(lk->lk_name.type), name,
		   cohfs_mode_name(f->granted), cohfs_mode_name(f->dlm),
		   f->state == COHFS_FS_IDLE ? "-" : cohfs_mode_name(f->target),
		   f->demand ? cohfs_mode_name(f->demand) : "-",
		   f->want ? cohfs_mode_name(f->want) : "-",
		   cohfs_fsm_state_name(f->state), tenure_names[f->tenure],
		   p->granted_at ? ktime_ms_delta(ktime_get(), p->granted_at) : -1,
		   cohfs_fsm_holders(f, COHFS_NL),
		   div_u64(p->handover_ns, NSEC_PER_USEC));
	dump_flags(lk, m);
	dump_waiters(lk, m);
}

void cohfs_lockspace_dump(struct cohfs_lockspace *ls, struct seq_file *m)
{
	struct cohfs_lock *lk;
	unsigned long flags;

	seq_printf(m, "# lockspace %s node %d slot %d generation %u%s%s%s%s\n",
		   ls->ls_name, ls->ls_nodeid, ls->ls_slot, ls->ls_generation,
		   ls_stopped(ls) ? " stopped" : "",
		   READ_ONCE(ls->ls_gate) & COHFS_GATE_FROZEN ? " frozen" : "",
		   READ_ONCE(ls->ls_gate) & COHFS_GATE_QUIESCED ? " quiesced" : "",
		   ls_dead(ls) ? " dead" : "");
	seq_printf(m, "%-6s %-34s %-4s %-4s %-6s %-6s %-4s %-9s %-6s %9s %7s %8s\n",
		   "type", "name", "mode", "dlm", "target", "demand", "want", "state",
		   "tenure", "age_ms", "holders", "cost_us");
	mutex_lock(&ls->ls_mutex);
	list_for_each_entry(lk, &ls->ls_locks, lk_list) {
		spin_lock_irqsave(&lk->lk_spin, flags);
		dump_lock(lk, m);
		spin_unlock_irqrestore(&lk->lk_spin, flags);
		cond_resched();
	}
	mutex_unlock(&ls->ls_mutex);
}

void cohfs_lockspace_stats(struct cohfs_lockspace *ls, struct seq_file *m)
{
	unsigned int t, c;

	seq_printf(m, "%-8s", "type");
	for (c = 0; c < COHFS_NR_CT; c++)
		seq_printf(m, " %10s", counter_names[c]);
	seq_putc(m, '\n');
	for (t = 0; t < COHFS_NR_LOCK_TYPES; t++) {
		seq_printf(m, "%-8s", cohfs_type_name(t));
		for (c = 0; c < COHFS_NR_CT; c++)
			seq_printf(m, " %10lld",
				   (s64)atomic64_read(&ls->ls_count[t][c]));
		seq_putc(m, '\n');
	}
	seq_printf(m, "locks created %lld destroyed %lld\n",
		   (s64)atomic64_read(&ls->ls_created),
		   (s64)atomic64_read(&ls->ls_destroyed));
}
