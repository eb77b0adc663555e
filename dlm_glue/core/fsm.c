// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a node does about one cluster lock.
 *
 * The shape: an event handler notes what happened and, when that leaves nothing
 * under way, settle() picks the next thing to do.  All policy is in settle():
 * drop before demand, demand before our own wishes.
 *
 * Every mutation marked MUTANT() must turn the host tests red (tests/host/glue.mk
 * compiles them one by one); in the module there are none.
 */
#include "fsm.h"

#ifndef COHFS_MUTATE
#define COHFS_MUTATE	0
#endif
#define MUTANT(n)	(COHFS_MUTATE == (n))

static const char *const state_names[COHFS_NR_FSM_STATES] = {
	[COHFS_FS_IDLE] = "idle",
	[COHFS_FS_RAISING] = "raising",
	[COHFS_FS_PARKED] = "parked",
	[COHFS_FS_GRANTING] = "granting",
	[COHFS_FS_REVOKING] = "revoking",
	[COHFS_FS_LOWERING] = "lowering",
	[COHFS_FS_UNLOCKING] = "unlocking",
	[COHFS_FS_GONE] = "gone",
};

static const char *const event_names[COHFS_NR_FSM_EVENTS] = {
	[COHFS_EV_HOLD] = "hold",
	[COHFS_EV_RELEASE] = "release",
	[COHFS_EV_LEAVE] = "leave",
	[COHFS_EV_DONE] = "done",
	[COHFS_EV_WANT] = "want",
	[COHFS_EV_ANSWER] = "answer",
	[COHFS_EV_DELIVERED] = "delivered",
	[COHFS_EV_BAST] = "bast",
	[COHFS_EV_RECALL] = "recall",
	[COHFS_EV_GIVEN_UP] = "given_up",
	[COHFS_EV_USED] = "used",
	[COHFS_EV_TENURE_END] = "tenure_end",
	[COHFS_EV_THAW] = "thaw",
	[COHFS_EV_DROP] = "drop",
	[COHFS_EV_KILL] = "kill",
};

const char *cohfs_fsm_state_name(unsigned int state)
{
	return state < COHFS_NR_FSM_STATES ? state_names[state] : "?";
}

const char *cohfs_fsm_event_name(unsigned int event)
{
	return event < COHFS_NR_FSM_EVENTS ? event_names[event] : "?";
}

void cohfs_fsm_init(struct cohfs_fsm *f, const u32 *gate, unsigned int cfg)
{
	memset(f, 0, sizeof(*f));
	f->gate = gate;
	f->cfg = cfg;
}

/* Questions ---------------------------------------------------------------- */

static bool frozen(const struct cohfs_fsm *f)
{
	return (READ_ONCE(*f->gate) & COHFS_GATE_FROZEN) &&
	       !(f->cfg & COHFS_CFG_EXEMPT);
}

static bool quiesced(const struct cohfs_fsm *f)
{
	return (READ_ONCE(*f->gate) & COHFS_GATE_QUIESCED) &&
	       !(f->cfg & COHFS_CFG_NOQUIESCE);
}

static bool want_unmet(const struct cohfs_fsm *f)
{
	return f->want != COHFS_NL && !cohfs_mode_covers(f->granted, f->want);
}

/* is somebody's demand to be served at all? */
static bool serve_demand(const struct cohfs_fsm *f)
{
	return cohfs_fsm_contended(f) && !f->deferred &&
	       (!quiesced(f) || want_unmet(f));
}

bool cohfs_fsm_contended(const struct cohfs_fsm *f)
{
	return cohfs_mode_keep(f->granted, f->demand) != f->granted;
}

bool cohfs_fsm_splits(const struct cohfs_fsm *f, enum cohfs_mode mode)
{
	return (f->cfg & COHFS_CFG_SPLITS) && f->granted >= COHFS_PR &&
	       (mode == COHFS_CR || mode == COHFS_CW) && !MUTANT(14);
}

u32 cohfs_fsm_holders(const struct cohfs_fsm *f, enum cohfs_mode mode)
{
	u32 n = 0;
	unsigned int m;

	for (m = COHFS_CR; m < COHFS_NR_MODES; m++)
		if (!cohfs_mode_covers(mode, m))
			n += f->holders[m];
	return n;
}

static bool going_down(const struct cohfs_fsm *f)
{
	return f->state == COHFS_FS_REVOKING || f->state == COHFS_FS_LOWERING ||
	       f->state == COHFS_FS_UNLOCKING || f->state == COHFS_FS_GONE;
}

/* holds that have to end before the way down to @mode begins */
static u32 in_the_way(const struct cohfs_fsm *f, enum cohfs_mode mode)
{
	return cohfs_fsm_holders(f, cohfs_fsm_splits(f, mode) ? COHFS_NL : mode);
}

enum cohfs_mode cohfs_fsm_avail(const struct cohfs_fsm *f)
{
	enum cohfs_mode left;

	if (f->dead || f->drop)
		return COHFS_NL;
	if (f->state == COHFS_FS_REVOKING && cohfs_fsm_splits(f, f->target))
		return COHFS_NL;
	if (going_down(f))
		return MUTANT(10) ? f->dlm : f->target;
	/* tenure is for those who come back to use what they waited for */
	if (f->tenure != COHFS_TEN_NONE || !serve_demand(f) || MUTANT(8))
		return f->granted;
	left = cohfs_mode_keep(f->granted, f->demand);
	return cohfs_fsm_splits(f, left) ? COHFS_NL : left;
}

enum cohfs_mode cohfs_fsm_covering(const struct cohfs_fsm *f, bool settled)
{
	if (f->dead || f->drop)
		return COHFS_NL;
	if (!going_down(f) || (f->state == COHFS_FS_REVOKING && !settled))
		return f->granted;
	return f->target;
}

bool cohfs_fsm_may_hold(const struct cohfs_fsm *f, enum cohfs_mode mode, bool keep)
{
	if (f->dead || f->drop)
		return false;
	if (keep && !going_down(f) && cohfs_mode_covers(f->granted, mode))
		return true;
	return cohfs_mode_covers(cohfs_fsm_avail(f), mode);
}

bool cohfs_fsm_quiet(const struct cohfs_fsm *f)
{
	return f->state == COHFS_FS_IDLE && f->demand == COHFS_NL &&
	       f->want == COHFS_NL &&
	       (f->tenure == COHFS_TEN_NONE || f->tenure == COHFS_TEN_SHORT) &&
	       !f->drop && !f->dead;
}

/* Decisions, nothing under way ---------------------------------------------- */

static u32 fail(struct cohfs_fsm *f, int error)
{
	f->error = error;
	f->want = COHFS_NL;
	f->want_noqueue = false;
	return COHFS_DO_FAIL;
}

static u32 start_give_up(struct cohfs_fsm *f, enum cohfs_mode to)
{
	f->state = COHFS_FS_REVOKING;
	f->target = to;
	f->redrive = f->drop;
	return COHFS_DO_GIVE_UP;
}

static u32 start_unlock(struct cohfs_fsm *f)
{
	f->target = COHFS_NL;
	if (!f->lkb) {
		f->state = COHFS_FS_GONE;
		return COHFS_DO_FREE;
	}
	f->state = COHFS_FS_UNLOCKING;
	return COHFS_DO_UNLOCK;
}

static u32 start_request(struct cohfs_fsm *f, enum cohfs_fsm_op op)
{
	f->state = COHFS_FS_RAISING;
	f->op = op;
	f->target = f->want;
	f->op_noqueue = f->want_noqueue;
	f->cancel = false;
	return COHFS_DO_REQUEST;
}

static u32 settle_drop(struct cohfs_fsm *f)
{
	if (cohfs_fsm_holders(f, COHFS_NL))
		return 0;
	if (f->dead) {
		/* what is in the lock manager stays there until the lockspace goes */
		return f->lkb ? 0 : start_unlock(f);
	}
	if (f->granted != COHFS_NL && !MUTANT(12))
		return start_give_up(f, COHFS_NL);
	return start_unlock(f);
}

static u32 settle_demand(struct cohfs_fsm *f)
{
	enum cohfs_mode to = cohfs_mode_keep(f->granted, f->demand);

	if (f->tenure != COHFS_TEN_NONE && !MUTANT(11))
		return COHFS_DO_TENURE;
	if (in_the_way(f, to) && !MUTANT(1))
		return 0;
	if (MUTANT(2)) {
		f->state = COHFS_FS_LOWERING;
		f->target = to;
		f->granted = to;
		return COHFS_DO_LOWER;
	}
	return start_give_up(f, to);
}

static u32 settle_want(struct cohfs_fsm *f)
{
	enum cohfs_mode want = f->want;

	if (!f->lkb)
		return start_request(f, COHFS_OP_TRY);
	if (f->want_noqueue && !cohfs_mode_covers(want, f->granted))
		return COHFS_DO_REFUSE;
	if (f->want_noqueue || cohfs_mode_can_raise(f->granted, want))
		return start_request(f, COHFS_OP_CONVERT);
	/*
	 * No direct way up: go down first.  Noted as a demand, so that newcomers
	 * queue behind and the rest is the same as for another node.
	 */
	if (cohfs_mode_keep(f->granted, want) == f->granted)
		want = COHFS_EX;
	f->demand = cohfs_mode_join(f->demand, want);
	return settle_demand(f);
}

static u32 settle(struct cohfs_fsm *f)
{
	if (f->state != COHFS_FS_IDLE)
		return 0;
	if (f->drop)
		return settle_drop(f);
	if (f->dead)
		return 0;
	/* what does not exclude anybody now was served, or never was ours */
	if (!cohfs_fsm_contended(f))
		f->demand = COHFS_NL;
	if (f->deferred)
		return 0;
	if (serve_demand(f))
		return settle_demand(f);
	if (!want_unmet(f) || frozen(f))
		return 0;
	return settle_want(f);
}

/* Events -------------------------------------------------------------------- */

/* nobody waits here any more; somebody elsewhere may */
static u32 fail_and_settle(struct cohfs_fsm *f, int error)
{
	u32 act = fail(f, error);

	return act | settle(f);
}

static u32 deliver(struct cohfs_fsm *f)
{
	if (f->drop || f->dead) {
		/* never seen by the owner: @granted stays what it was */
		f->state = COHFS_FS_IDLE;
		return settle(f);
	}
	if (frozen(f) && !MUTANT(5)) {
		f->state = COHFS_FS_PARKED;
		return 0;
	}
	f->state = COHFS_FS_GRANTING;
	return COHFS_DO_DELIVER;
}

static u32 raise_refused(struct cohfs_fsm *f)
{
	f->state = COHFS_FS_IDLE;
	if (f->drop || f->dead)
		return settle(f);
	if (f->op_noqueue)
		return COHFS_DO_REFUSE;
	if (WARN_ON_ONCE(f->op != COHFS_OP_TRY))
		return fail_and_settle(f, -EIO);
	if (f->want == COHFS_NL || frozen(f) || MUTANT(9))
		return MUTANT(9) ? 0 : settle(f);
	/* somebody has it: queue, as a conversion, since those are served first */
	return start_request(f, COHFS_OP_BASE);
}

static u32 raise_answer(struct cohfs_fsm *f, int status)
{
	switch (status) {
	case 0:
		f->lkb = true;
		f->dlm = f->op == COHFS_OP_BASE ? COHFS_NL : f->target;
		if (f->op != COHFS_OP_BASE)
			return deliver(f);
		f->state = COHFS_FS_IDLE;
		return settle(f);
	case -EAGAIN:
		return raise_refused(f);
	case -EDEADLK:
		/*
		 * Somebody in front of us waits for what we have, we wait behind
		 * him: give it up, then ask again from NL.
		 */
		f->state = COHFS_FS_IDLE;
		if (MUTANT(4))
			return 0;
		f->demand = COHFS_EX;
		return settle(f);
	case -ECANCELED:
		f->state = COHFS_FS_IDLE;
		return settle(f);
	default:
		f->state = COHFS_FS_IDLE;
		if (f->drop || f->dead)
			return settle(f);
		return fail_and_settle(f, status);
	}
}

static u32 lost(struct cohfs_fsm *f)
{
	f->dead = true;
	return fail(f, -EIO) | COHFS_DO_LOST;
}

static u32 ev_answer(struct cohfs_fsm *f, int status)
{
	switch (f->state) {
	case COHFS_FS_RAISING:
		return raise_answer(f, status);
	case COHFS_FS_LOWERING:
		f->state = COHFS_FS_IDLE;
		if (status)
			return lost(f);
		f->dlm = f->target;
		if (MUTANT(6))
			f->demand = COHFS_NL;
		return settle(f);
	case COHFS_FS_UNLOCKING:
		f->state = COHFS_FS_GONE;
		f->lkb = false;
		f->dlm = COHFS_NL;
		return COHFS_DO_FREE | (status ? COHFS_DO_LOST : 0);
	default:
		return 0;
	}
}

static u32 ev_delivered(struct cohfs_fsm *f, int tenure)
{
	f->granted = f->target;
	f->state = COHFS_FS_IDLE;
	if (tenure == COHFS_TEN_HELD && !(f->cfg & COHFS_CFG_TENURE))
		tenure = COHFS_TEN_NONE;
	/* who was promised a first use of the lesser mode still has not had it */
	if (f->tenure != COHFS_TEN_UNUSED)
		f->tenure = tenure;
	if (tenure == COHFS_TEN_UNUSED)
		f->promise = f->target;
	if (f->drop || f->dead) {
		f->tenure = COHFS_TEN_NONE;
		return settle(f);
	}
	/* not settled before the caller has admitted who waited for this */
	return COHFS_DO_ADMIT_GRANT;
}

static u32 given_up(struct cohfs_fsm *f)
{
	enum cohfs_mode to;

	f->granted = f->target;
	if (f->drop) {
		f->state = COHFS_FS_IDLE;
		return settle_drop(f);
	}
	/* more was asked for meanwhile: all in one message, if nobody is in the way */
	to = cohfs_mode_keep(f->granted, f->demand);
	if (to != f->granted && !quiesced(f) && !in_the_way(f, to))
		return start_give_up(f, to);
	f->state = COHFS_FS_LOWERING;
	return COHFS_DO_LOWER;
}

static u32 ev_given_up(struct cohfs_fsm *f, int error)
{
	if (f->state != COHFS_FS_REVOKING)
		return 0;
	if (f->dead) {
		f->state = COHFS_FS_IDLE;
		return settle(f);
	}
	if (!error)
		return given_up(f);
	f->state = COHFS_FS_IDLE;
	if (error == -EINPROGRESS && !f->redrive) {
		f->deferred = !f->drop;
		return settle(f);
	}
	/* stays as it is for good: what it protects is not safe on disk */
	WARN_ON_ONCE(error == -EINPROGRESS);
	f->dead = true;
	return fail_and_settle(f, -EIO);
}

static u32 ev_bast(struct cohfs_fsm *f, int mode)
{
	if (f->dead || f->drop)
		return 0;
	if (f->state == COHFS_FS_RAISING && MUTANT(3))
		return 0;
	/* comes once per grant, so it is never thrown away, only found served */
	f->demand = cohfs_mode_join(f->demand, mode);
	return settle(f);
}

/* What it is for is being given up above it: no right of anybody's keeps it. */
static u32 ev_recall(struct cohfs_fsm *f, int mode)
{
	f->tenure = COHFS_TEN_NONE;
	return ev_bast(f, mode);
}

static u32 ev_used(struct cohfs_fsm *f)
{
	if (f->tenure != COHFS_TEN_UNUSED && f->tenure != COHFS_TEN_HELD)
		return 0;
	f->tenure = f->cfg & COHFS_CFG_TENURE ? COHFS_TEN_SHORT : COHFS_TEN_NONE;
	return settle(f);
}

/* The release of a lesser hold, by somebody else, keeps nobody's promise. */
static u32 ev_release(struct cohfs_fsm *f, int mode)
{
	if (WARN_ON_ONCE(!f->holders[mode]))
		return 0;
	f->holders[mode]--;
	if (f->tenure == COHFS_TEN_HELD ||
	    (f->tenure == COHFS_TEN_UNUSED && cohfs_mode_covers(mode, f->promise)))
		return ev_used(f);
	return settle(f);
}

/* Who will not be back has no use for tenure, but those may who still hold. */
static u32 ev_done(struct cohfs_fsm *f, int mode)
{
	if (WARN_ON_ONCE(!f->holders[mode]))
		return 0;
	f->holders[mode]--;
	if (f->tenure == COHFS_TEN_HELD && !cohfs_fsm_holders(f, COHFS_NL))
		f->tenure = COHFS_TEN_NONE;
	return MUTANT(15) ? 0 : settle(f);
}

/*
 * A fault prepares everything while it holds the lock, lets go and has the access
 * repeated: it is that one that uses the right.
 */
static u32 ev_leave(struct cohfs_fsm *f, int mode)
{
	if (WARN_ON_ONCE(!f->holders[mode]))
		return 0;
	f->holders[mode]--;
	if (f->tenure == COHFS_TEN_HELD) {
		f->tenure = COHFS_TEN_UNUSED;
		f->promise = mode;
	} else if (f->tenure == COHFS_TEN_UNUSED) {
		f->promise = cohfs_mode_join(f->promise, mode);
	}
	return settle(f);
}

static u32 ev_drop(struct cohfs_fsm *f)
{
	u32 act = f->want ? fail(f, -EIO) : 0;

	f->drop = true;
	f->deferred = false;
	f->tenure = COHFS_TEN_NONE;
	if (f->state == COHFS_FS_PARKED)
		f->state = COHFS_FS_IDLE;
	/* the others answer soon enough by themselves */
	if (f->state == COHFS_FS_RAISING && f->op == COHFS_OP_CONVERT &&
	    !f->op_noqueue && !f->cancel && !f->dead) {
		f->cancel = true;
		return act | COHFS_DO_CANCEL;
	}
	return act | settle(f);
}

static u32 ev_kill(struct cohfs_fsm *f)
{
	f->dead = true;
	f->tenure = COHFS_TEN_NONE;
	if (f->state == COHFS_FS_PARKED)
		f->state = COHFS_FS_IDLE;
	return fail_and_settle(f, -EIO);
}

bool cohfs_fsm_legal(const struct cohfs_fsm *f, enum cohfs_fsm_event event, int arg)
{
	switch (event) {
	case COHFS_EV_HOLD:
		return cohfs_fsm_may_hold(f, arg, true) ||
		       (!f->dead && !f->drop && f->state == COHFS_FS_IDLE &&
			cohfs_mode_covers(f->granted, arg));
	case COHFS_EV_RELEASE:
	case COHFS_EV_LEAVE:
	case COHFS_EV_DONE:
		return f->holders[arg] > 0;
	case COHFS_EV_WANT:
		return arg == COHFS_NL || (!f->drop && !f->dead);
	case COHFS_EV_ANSWER:
		if (f->state == COHFS_FS_RAISING)
			return arg <= 0 &&
			       (arg != -EDEADLK || (f->op == COHFS_OP_CONVERT &&
						    !f->op_noqueue &&
						    f->granted != COHFS_NL)) &&
			       (arg != -EAGAIN || f->op == COHFS_OP_TRY ||
				f->op_noqueue) &&
			       (arg != -ECANCELED || f->cancel);
		return arg == 0 && (f->state == COHFS_FS_LOWERING ||
				    f->state == COHFS_FS_UNLOCKING);
	case COHFS_EV_DELIVERED:
		return f->state == COHFS_FS_GRANTING;
	case COHFS_EV_GIVEN_UP:
		return f->state == COHFS_FS_REVOKING && arg <= 0 &&
		       (arg != -EINPROGRESS || !f->redrive);
	case COHFS_EV_DROP:
		return !f->drop && !cohfs_fsm_holders(f, COHFS_NL);
	case COHFS_EV_BAST:
	case COHFS_EV_RECALL:
	case COHFS_EV_USED:
	case COHFS_EV_TENURE_END:
	case COHFS_EV_THAW:
	case COHFS_EV_KILL:
		return true;
	}
	return false;
}

u32 cohfs_fsm_step(struct cohfs_fsm *f, enum cohfs_fsm_event event, int arg)
{
	WARN_ON_ONCE(!cohfs_fsm_legal(f, event, arg));

	switch (event) {
	case COHFS_EV_HOLD:
		f->holders[arg]++;
		return 0;
	case COHFS_EV_RELEASE:
		return ev_release(f, arg);
	case COHFS_EV_DONE:
		return ev_done(f, arg);
	case COHFS_EV_LEAVE:
		return ev_leave(f, arg);
	case COHFS_EV_WANT:
		f->want = arg & ~COHFS_WANT_NOQUEUE;
		f->want_noqueue = arg & COHFS_WANT_NOQUEUE;
		return settle(f);
	case COHFS_EV_ANSWER:
		return ev_answer(f, arg);
	case COHFS_EV_DELIVERED:
		return f->state == COHFS_FS_GRANTING ? ev_delivered(f, arg) : 0;
	case COHFS_EV_BAST:
		return ev_bast(f, arg);
	case COHFS_EV_RECALL:
		return ev_recall(f, arg);
	case COHFS_EV_GIVEN_UP:
		return ev_given_up(f, arg);
	case COHFS_EV_USED:
		return ev_used(f);
	case COHFS_EV_TENURE_END:
		if (!MUTANT(7))
			f->tenure = COHFS_TEN_NONE;
		return settle(f);
	case COHFS_EV_THAW:
		return f->state == COHFS_FS_PARKED && !MUTANT(13) ? deliver(f)
								  : settle(f);
	case COHFS_EV_DROP:
		return ev_drop(f);
	case COHFS_EV_KILL:
		return ev_kill(f);
	}
	return 0;
}
