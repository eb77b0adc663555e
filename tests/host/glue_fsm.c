// SPDX-License-Identifier: GPL-2.0-only
/*
 * The state machine alone: every state that can be reached, every event in it.
 *
 * Walks the graph of states breadth first.  The events are those that the contract
 * in core/fsm.h allows; a second pass throws the others at every state and demands
 * that they do no damage.
 */
#include "../../dlm_glue/core/fsm.h"
#include "glue_check.h"

struct key {
	struct cohfs_fsm f;	/* f.gate: NULL here */
	u32 gate;
};

static u32 the_gate;
static struct key *queue;
static size_t nr_queue, cap_queue;
static u32 *table;
static size_t table_size;
static u32 seen[COHFS_NR_FSM_STATES][COHFS_NR_FSM_EVENTS];
static const u8 *modes;
static unsigned int nr_modes;
static u32 max_holders;

/* Set of states -------------------------------------------------------------- */

static u64 hash_key(const struct key *k)
{
	const u8 *p = (const u8 *)k;
	u64 h = 0xcbf29ce484222325ull;
	size_t i;

	for (i = 0; i < sizeof(*k); i++)
		h = (h ^ p[i]) * 0x100000001b3ull;
	return h ^ h >> 29;
}

static void grow_table(void)
{
	size_t i, slot, size = table_size ? 2 * table_size : 1 << 16;

	free(table);
	table = calloc(size, sizeof(*table));
	table_size = size;
	for (i = 0; i < nr_queue; i++) {
		slot = hash_key(&queue[i]) & (size - 1);
		while (table[slot])
			slot = (slot + 1) & (size - 1);
		table[slot] = i + 1;
	}
}

static void visit(const struct cohfs_fsm *f, u32 gate)
{
	struct key k;
	size_t slot;

	memcpy(&k.f, f, sizeof(k.f));
	k.f.gate = NULL;
	k.f.error = 0;		/* decides nothing */
	if (f->tenure != COHFS_TEN_UNUSED)
		k.f.promise = 0;	/* nor does this, then */
	memset((u8 *)&k + sizeof(k.f), 0, sizeof(k) - sizeof(k.f));
	k.gate = gate;
	if (2 * nr_queue >= table_size)
		grow_table();
	slot = hash_key(&k) & (table_size - 1);
	while (table[slot]) {
		if (!memcmp(&queue[table[slot] - 1], &k, sizeof(k)))
			return;
		slot = (slot + 1) & (table_size - 1);
	}
	if (nr_queue == cap_queue) {
		cap_queue = cap_queue ? 2 * cap_queue : 4096;
		queue = realloc(queue, cap_queue * sizeof(*queue));
	}
	queue[nr_queue++] = k;
	table[slot] = nr_queue;
}

/* What must hold ---------------------------------------------------------------- */

static bool going_down(const struct cohfs_fsm *f)
{
	return f->state == COHFS_FS_REVOKING || f->state == COHFS_FS_LOWERING ||
	       f->state == COHFS_FS_UNLOCKING || f->state == COHFS_FS_GONE;
}

static bool frozen(const struct cohfs_fsm *f)
{
	return (the_gate & COHFS_GATE_FROZEN) && !(f->cfg & COHFS_CFG_EXEMPT);
}

static bool quiesced(const struct cohfs_fsm *f)
{
	return (the_gate & COHFS_GATE_QUIESCED) && !(f->cfg & COHFS_CFG_NOQUIESCE);
}

static void check_state(const struct cohfs_fsm *f)
{
	check(cohfs_mode_covers(f->dlm, f->granted));
	check(!cohfs_fsm_holders(f, going_down(f) ? f->target : f->granted));
	check(f->lkb || f->dlm == COHFS_NL);
	if (f->state == COHFS_FS_LOWERING) {
		check(f->granted == f->target);
		check(f->dlm != f->target && cohfs_mode_covers(f->dlm, f->target));
	}
	if (f->state == COHFS_FS_REVOKING)
		check(f->granted != f->target &&
		      cohfs_mode_covers(f->granted, f->target));
	if (f->state == COHFS_FS_UNLOCKING)
		check(f->lkb && f->drop && f->granted == COHFS_NL);
	if (f->state == COHFS_FS_GONE)
		check(!f->lkb && f->drop);
	if (f->state == COHFS_FS_RAISING && f->op == COHFS_OP_CONVERT) {
		check(f->lkb && f->target != f->dlm);
		check(cohfs_mode_covers(f->target, f->dlm));
		if (!f->op_noqueue)
			check(cohfs_mode_can_raise(f->dlm, f->target));
	}
	if (f->state == COHFS_FS_RAISING && f->op != COHFS_OP_CONVERT)
		check(!f->lkb);
	if (f->deferred)
		check(!f->drop);
	if (f->drop)
		check(f->tenure == COHFS_TEN_NONE);
}

/* nothing under way although something could be: nobody would ever wake it up */
static void check_not_stuck(const struct cohfs_fsm *f)
{
	enum cohfs_mode keep = cohfs_mode_keep(f->granted, f->demand);
	bool unmet = f->want && !cohfs_mode_covers(f->granted, f->want);

	if (f->state != COHFS_FS_IDLE || f->tenure || cohfs_fsm_holders(f, COHFS_NL))
		return;
	if (f->drop) {
		check(f->dead && f->lkb);
		return;
	}
	if (f->dead || f->deferred)
		return;
	check(keep == f->granted || (quiesced(f) && !unmet));
	check(!unmet || frozen(f) ||
	      (f->want_noqueue && !cohfs_mode_covers(f->want, f->granted)));
}

static void check_actions(const struct cohfs_fsm *was, const struct cohfs_fsm *f,
			  enum cohfs_fsm_event event, u32 act)
{
	u32 start = act & (COHFS_DO_REQUEST | COHFS_DO_LOWER | COHFS_DO_UNLOCK |
			   COHFS_DO_GIVE_UP | COHFS_DO_DELIVER);

	check(!(start & (start - 1)));
	check(!(act & COHFS_DO_REQUEST) == !(f->state == COHFS_FS_RAISING &&
	      (was->state != f->state || was->op != f->op)));
	check(!(act & COHFS_DO_LOWER) == !(f->state == COHFS_FS_LOWERING &&
					   was->state != f->state));
	check(!(act & COHFS_DO_UNLOCK) == !(f->state == COHFS_FS_UNLOCKING &&
					    was->state != f->state));
	check(!(act & COHFS_DO_DELIVER) == !(f->state == COHFS_FS_GRANTING &&
					     was->state != f->state));
	check(!(act & COHFS_DO_FREE) == !(f->state == COHFS_FS_GONE &&
					  was->state != f->state));
	if (act & COHFS_DO_GIVE_UP)
		check(f->state == COHFS_FS_REVOKING &&
		      (was->state != f->state || event == COHFS_EV_GIVEN_UP));
	if (frozen(f))
		check(!(act & (COHFS_DO_REQUEST | COHFS_DO_DELIVER)));
	if (f->dead)
		check(!(act & (COHFS_DO_SEND | COHFS_DO_GIVE_UP | COHFS_DO_DELIVER)));
	if (f->drop)
		check(!(act & (COHFS_DO_REQUEST | COHFS_DO_LOWER | COHFS_DO_DELIVER)));
	if ((act & COHFS_DO_GIVE_UP) && cohfs_fsm_splits(f, f->target))
		check(!cohfs_fsm_holders(f, COHFS_NL) &&
		      cohfs_fsm_avail(f) == COHFS_NL);
	if (event == COHFS_EV_RECALL)
		check(f->tenure == COHFS_TEN_NONE);
	if (act & COHFS_DO_TENURE)
		check(f->tenure && f->state == COHFS_FS_IDLE);
	if (act & COHFS_DO_FAIL)
		check(f->want == COHFS_NL && f->error < 0);
	if (event == COHFS_EV_DONE)
		check(f->tenure == was->tenure ? was->tenure != COHFS_TEN_HELD ||
						 cohfs_fsm_holders(f, COHFS_NL)
					       : f->tenure == COHFS_TEN_NONE);
	if ((event == COHFS_EV_RELEASE || event == COHFS_EV_LEAVE ||
	     event == COHFS_EV_DONE) && cohfs_fsm_quiet(was)) {
		struct cohfs_fsm same = *was;

		memcpy(same.holders, f->holders, sizeof(same.holders));
		check(!act && !memcmp(&same, f, sizeof(same)));
	}
	/* a demand is forgotten only when it excludes nobody any more */
	if (was->demand != f->demand && f->demand == COHFS_NL)
		check(cohfs_mode_keep(f->granted, was->demand) == f->granted);
}

/* The walk -------------------------------------------------------------------------- */

static void try_event(const struct key *k, enum cohfs_fsm_event event, int arg)
{
	struct cohfs_fsm f, was;
	u32 act;

	memcpy(&f, &k->f, sizeof(f));
	the_gate = k->gate;
	f.gate = &the_gate;
	if (!cohfs_fsm_legal(&f, event, arg))
		return;
	if (event == COHFS_EV_HOLD && !cohfs_fsm_may_hold(&f, arg, true))
		return;		/* legal for the grant only, see below */
	if (event == COHFS_EV_HOLD && cohfs_fsm_holders(&f, COHFS_NL) >= max_holders)
		return;
	memcpy(&was, &f, sizeof(f));
	act = cohfs_fsm_step(&f, event, arg);
	seen[was.state][event]++;
	if (act & COHFS_DO_ADMIT_GRANT) {
		/* part of the same step: somebody is admitted or nobody, then WANT */
		if (arg == COHFS_TEN_HELD)
			cohfs_fsm_step(&f, COHFS_EV_HOLD, f.granted);
		act |= cohfs_fsm_step(&f, COHFS_EV_WANT, COHFS_NL);
	}
	if (act & COHFS_DO_REFUSE)
		act |= cohfs_fsm_step(&f, COHFS_EV_WANT, COHFS_NL);
	check_state(&f);
	check_not_stuck(&f);
	if (!(act & (COHFS_DO_ADMIT_GRANT | COHFS_DO_REFUSE)))
		check_actions(&was, &f, event, act);
	if (check_failed_now == 1)
		printf("#  %s(%d) in %s gr %u dlm %u tgt %u dem %u want %u op %u ten %u drop %u dead %u -> %s gr %u dlm %u tgt %u dem %u, act %x\n",
		       cohfs_fsm_event_name(event), arg,
		       cohfs_fsm_state_name(was.state), was.granted, was.dlm,
		       was.target, was.demand, was.want, was.op, was.tenure, was.drop,
		       was.dead, cohfs_fsm_state_name(f.state), f.granted, f.dlm,
		       f.target, f.demand, act);
	visit(&f, the_gate);
}

static void try_gate(const struct key *k, u32 flip)
{
	struct cohfs_fsm f;

	memcpy(&f, &k->f, sizeof(f));
	the_gate = k->gate ^ flip;
	f.gate = &the_gate;
	if (!(the_gate & flip))
		cohfs_fsm_step(&f, COHFS_EV_THAW, 0);
	check_state(&f);
	check_not_stuck(&f);
	visit(&f, the_gate);
}

static void try_all(const struct key *k)
{
	static const int answers[] = { 0, -EAGAIN, -EDEADLK, -ECANCELED, -ENOMEM };
	static const int gave_up[] = { 0, -EINPROGRESS, -EIO };
	unsigned int i;

	for (i = 0; i < nr_modes; i++) {
		try_event(k, COHFS_EV_HOLD, modes[i]);
		try_event(k, COHFS_EV_RELEASE, modes[i]);
		try_event(k, COHFS_EV_LEAVE, modes[i]);
		try_event(k, COHFS_EV_DONE, modes[i]);
		try_event(k, COHFS_EV_BAST, modes[i]);
		try_event(k, COHFS_EV_RECALL, modes[i]);
		try_event(k, COHFS_EV_WANT, modes[i]);
		try_event(k, COHFS_EV_WANT, modes[i] | COHFS_WANT_NOQUEUE);
	}
	try_event(k, COHFS_EV_WANT, COHFS_NL);
	for (i = 0; i < ARRAY_SIZE(answers); i++)
		try_event(k, COHFS_EV_ANSWER, answers[i]);
	for (i = 0; i < ARRAY_SIZE(gave_up); i++)
		try_event(k, COHFS_EV_GIVEN_UP, gave_up[i]);
	for (i = COHFS_TEN_NONE; i <= COHFS_TEN_UNUSED; i++)
		try_event(k, COHFS_EV_DELIVERED, i);
	try_event(k, COHFS_EV_USED, 0);
	try_event(k, COHFS_EV_TENURE_END, 0);
	try_event(k, COHFS_EV_THAW, 0);
	try_event(k, COHFS_EV_DROP, 0);
	try_event(k, COHFS_EV_KILL, 0);
	try_gate(k, COHFS_GATE_FROZEN);
	try_gate(k, COHFS_GATE_QUIESCED);
}

/* what the contract rules out: careful, not clever */
static void try_illegal(const struct key *k)
{
	static const int args[] = { 0, -EAGAIN, -EDEADLK, -EINPROGRESS, -EIO };
	unsigned int e, i;

	for (e = 0; e < COHFS_NR_FSM_EVENTS; e++)
		for (i = 0; i < ARRAY_SIZE(args); i++) {
			struct cohfs_fsm f;
			u32 act;

			if (e == COHFS_EV_HOLD || e == COHFS_EV_WANT ||
			    (args[i] < 0 && e != COHFS_EV_ANSWER &&
			     e != COHFS_EV_GIVEN_UP))
				continue;
			memcpy(&f, &k->f, sizeof(f));
			the_gate = k->gate;
			f.gate = &the_gate;
			if (cohfs_fsm_legal(&f, e, args[i]))
				continue;
			act = cohfs_fsm_step(&f, e, args[i]);
			seen[k->f.state][e]++;
			check(cohfs_mode_covers(f.dlm, f.granted));
			/* never down in the lock manager before a give up has said so */
			check(!(act & COHFS_DO_LOWER));
			check(f.granted == k->f.granted || f.state != k->f.state);
		}
}

static void walk(const u8 *m, unsigned int nr, unsigned int cfg, u32 holders)
{
	struct cohfs_fsm f;
	size_t i;

	modes = m;
	nr_modes = nr;
	max_holders = holders;
	nr_queue = 0;
	if (table)
		memset(table, 0, table_size * sizeof(*table));
	cohfs_fsm_init(&f, NULL, cfg);
	visit(&f, 0);
	for (i = 0; i < nr_queue && !check_failed_now; i++) {
		struct key k = queue[i];

		try_all(&k);
	}
	printf("# %zu states\n", nr_queue);
}

static const u8 two[] = { COHFS_PR, COHFS_EX };
static const u8 four[] = { COHFS_CR, COHFS_CW, COHFS_PR, COHFS_EX };

static void test_walk_two_modes(void)
{
	walk(two, ARRAY_SIZE(two), COHFS_CFG_TENURE, 2);
}

static void test_walk_no_tenure(void)
{
	walk(two, ARRAY_SIZE(two), 0, 2);
}

static void test_walk_exempt(void)
{
	walk(two, ARRAY_SIZE(two), COHFS_CFG_EXEMPT | COHFS_CFG_NOQUIESCE, 1);
}

static void test_walk_intents(void)
{
	walk(four, ARRAY_SIZE(four), COHFS_CFG_TENURE,
	     check_env("COHFS_LONG", 0) ? 2 : 1);
}

static void test_walk_splits(void)
{
	walk(four, ARRAY_SIZE(four), COHFS_CFG_TENURE | COHFS_CFG_SPLITS,
	     check_env("COHFS_LONG", 0) ? 2 : 1);
}

static void test_illegal_events_do_no_damage(void)
{
	unsigned int warnings = cohfs_shim_warnings;
	size_t i;

	walk(two, ARRAY_SIZE(two), COHFS_CFG_TENURE, 1);
	fflush(stdout);
	if (!freopen("/dev/null", "w", stderr))
		check(false);
	for (i = 0; i < nr_queue; i++) {
		struct key k = queue[i];

		try_illegal(&k);
	}
	check(cohfs_shim_warnings > warnings);
	cohfs_shim_warnings = warnings;
}

static void test_every_pair_was_tried(void)
{
	unsigned int s, e;

	for (s = 0; s < COHFS_NR_FSM_STATES; s++)
		for (e = 0; e < COHFS_NR_FSM_EVENTS; e++) {
			if (e == COHFS_EV_HOLD)
				continue;	/* ruled out where nothing is granted */
			if (!seen[s][e])
				printf("# never: %s in %s\n", cohfs_fsm_event_name(e),
				       cohfs_fsm_state_name(s));
			check(seen[s][e]);
		}
}

int main(void)
{
	run_test(test_walk_two_modes);
	run_test(test_walk_no_tenure);
	run_test(test_walk_exempt);
	run_test(test_walk_intents);
	run_test(test_walk_splits);
	run_test(test_illegal_events_do_no_damage);
	run_test(test_every_pair_was_tried);
	free(queue);
	free(table);
	return check_done();
}
