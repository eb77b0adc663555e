/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What happens to cluster locks.  Questions the events answer:
 *  - who wants what, and how long does it take?		request -> grant (ns)
 *  - how long do we keep another node waiting, and why?
 *		bast -> revoke_begin (holders, tenure) -> revoke_end (ns) -> lower (ns)
 *  - did recovery hold something up?			park, recovery
 *  - does anything spin?				retry, refused
 *
 * Glossary: fs    lockspace
 *	     node  our node id
 *	     lock  type letter and number, as in the resource name (hex)
 *	     mode  granted / in the lock manager / under way to
 *	     ns    nanoseconds since what the event's name implies
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM cohfs

#if !defined(_COHFS_GLUE_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _COHFS_GLUE_TRACE_H

#include <linux/tracepoint.h>
#include "lock.h"

#ifndef COHFS_GLUE_TRACE_SYMBOLS
#define COHFS_GLUE_TRACE_SYMBOLS
#define show_cohfs_mode(m) \
	__print_symbolic(m, { 0, "NL" }, { 1, "CR" }, { 2, "CW" }, { 3, "PR" }, \
			 { 4, "PW" }, { 5, "EX" })
#define show_cohfs_state(s) \
	__print_symbolic(s, { 0, "idle" }, { 1, "raising" }, { 2, "parked" }, \
			 { 3, "granting" }, { 4, "revoking" }, { 5, "lowering" }, \
			 { 6, "unlocking" }, { 7, "gone" })
#define show_cohfs_tenure(t) \
	__print_symbolic(t, { 0, "none" }, { 1, "held" }, { 2, "unused" }, \
			 { 3, "short" })
#endif

DECLARE_EVENT_CLASS(cohfs_lock,
	TP_PROTO(const struct cohfs_lock *lk, s64 val),
	TP_ARGS(lk, val),
	TP_STRUCT__entry(
		__string(fs, lk->lk_ls->ls_name)
		__field(int, node)
		__field(char, type)
		__field(u64, number)
		__field(u64, index)
		__field(u8, state)
		__field(u8, granted)
		__field(u8, dlm)
		__field(u8, target)
		__field(u8, demand)
		__field(u8, want)
		__field(u8, tenure)
		__field(u32, holders)
		__field(s64, val)
	),
	TP_fast_assign(
		__assign_str(fs);
		__entry->node = lk->lk_ls->ls_nodeid;
		__entry->type = cohfs_type_letter(lk->lk_name.type);
		__entry->number = lk->lk_name.number;
		__entry->index = lk->lk_name.index;
		__entry->state = lk->lk_fsm.state;
		__entry->granted = lk->lk_fsm.granted;
		__entry->dlm = lk->lk_fsm.dlm;
		__entry->target = lk->lk_fsm.target;
		__entry->demand = lk->lk_fsm.demand;
		__entry->want = lk->lk_fsm.want;
		__entry->tenure = lk->lk_fsm.tenure;
		__entry->holders = cohfs_fsm_holders(&lk->lk_fsm, COHFS_NL);
		__entry->val = val;
	),
	TP_printk("fs=%s node=%d lock=%c%llx.%llx state=%s mode=%s/%s/%s demand=%s want=%s tenure=%s holders=%u val=%lld",
		  __get_str(fs), __entry->node, __entry->type, __entry->number,
		  __entry->index, show_cohfs_state(__entry->state),
		  show_cohfs_mode(__entry->granted), show_cohfs_mode(__entry->dlm),
		  show_cohfs_mode(__entry->target), show_cohfs_mode(__entry->demand),
		  show_cohfs_mode(__entry->want), show_cohfs_tenure(__entry->tenure),
		  __entry->holders, __entry->val)
);

#define COHFS_LOCK_EVENT(name, arg) \
DEFINE_EVENT(cohfs_lock, name, \
	TP_PROTO(const struct cohfs_lock *lk, s64 arg), TP_ARGS(lk, arg))

/* asked the lock manager; val: 1 if the request does not queue */
COHFS_LOCK_EVENT(cohfs_lock_request, noqueue);
/* more rights from now on; val: ns since the request */
COHFS_LOCK_EVENT(cohfs_lock_grant, ns);
/* the request was not granted; val: -errno */
COHFS_LOCK_EVENT(cohfs_lock_refused, error);
/* another node waits for us; val: mode it cannot get */
COHFS_LOCK_EVENT(cohfs_lock_bast, blocked);
/* give up from granted to target; val: ns since the bast, 0 if there was none */
COHFS_LOCK_EVENT(cohfs_lock_revoke_begin, ns);
/* give up returned; val: ns it took */
COHFS_LOCK_EVENT(cohfs_lock_revoke_end, ns);
/* lowered or unlocked; val: ns since the bast, 0 if there was none */
COHFS_LOCK_EVENT(cohfs_lock_lower, ns);
/* granted, but a journal has to be replayed first */
COHFS_LOCK_EVENT(cohfs_lock_park, unused);
/* tenure changed; val: what it was */
COHFS_LOCK_EVENT(cohfs_lock_tenure, old);
/* the backend was busy; val: attempts so far */
COHFS_LOCK_EVENT(cohfs_lock_retry, tries);

TRACE_EVENT(cohfs_lock_recovery,
	TP_PROTO(const struct cohfs_lockspace *ls, const char *what, u32 generation),
	TP_ARGS(ls, what, generation),
	TP_STRUCT__entry(
		__string(fs, ls->ls_name)
		__string(what, what)
		__field(int, node)
		__field(u32, generation)
	),
	TP_fast_assign(
		__assign_str(fs);
		__assign_str(what);
		__entry->node = ls->ls_nodeid;
		__entry->generation = generation;
	),
	TP_printk("fs=%s node=%d %s generation=%u", __get_str(fs), __entry->node,
		  __get_str(what), __entry->generation)
);

#endif /* _COHFS_GLUE_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
