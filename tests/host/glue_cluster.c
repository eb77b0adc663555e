// SPDX-License-Identifier: GPL-2.0-only
/* The model cluster, see glue_model.h. */
#include "glue_model.h"

struct world W;
const char *model_error;
unsigned int model_max_overtaken;

static const int errors[] = { 0, -EAGAIN, -EDEADLK, -ECANCELED, -ENOMEM };

static void violated(const char *what)
{
	if (!model_error)
		model_error = what;
}

/* Channels --------------------------------------------------------------------- */

static void put(struct chan *c, u8 type, u8 mode, u8 flags, int status)
{
	u8 i;

	if (c->n == MAX_MSGS) {
		violated("model: channel full");
		return;
	}
	for (i = 0; i < ARRAY_SIZE(errors) && errors[i] != status; i++)
		;
	c->m[c->n].type = type;
	c->m[c->n].mode = mode;
	c->m[c->n].flags = flags;
	c->m[c->n].status = (s8)i;
	c->n++;
}

static struct msg take(struct chan *c, unsigned int i)
{
	struct msg m = c->m[i];

	memmove(&c->m[i], &c->m[i + 1], (c->n - i - 1) * sizeof(m));
	c->n--;
	memset(&c->m[c->n], 0, sizeof(m));
	return m;
}

/* Safety -------------------------------------------------------------------------- */

static void check_coherence(void)
{
	unsigned int i, j, t;

	for (i = 0; i < W.nr; i++) {
		struct node *n = &W.n[i];

		for (j = i + 1; j < W.nr; j++)
			if (!cohfs_mode_compat(n->cached, W.n[j].cached))
				violated("two nodes cache in modes that exclude each other");
		for (t = 0; t < MAX_TASKS; t++)
			if (n->alive && n->task[t].state == T_HOLDING &&
			    !cohfs_mode_covers(n->cached, n->task[t].mode))
				violated("a task holds what its node has given up");
	}
}

static void end_promises(struct node *n)
{
	unsigned int t;

	for (t = 0; t < MAX_TASKS; t++)
		n->task[t].flags &= ~T_PROMISED;
}

static void count_overtaking(unsigned int node, u8 mode)
{
	unsigned int i, t;

	if (W.no_counts)
		return;
	for (i = 0; i < W.nr; i++)
		for (t = 0; t < MAX_TASKS; t++) {
			struct task *o = &W.n[i].task[t];

			if (i == node || !W.n[i].alive || o->state != T_QUEUED ||
			    cohfs_mode_compat(o->mode, mode))
				continue;
			if (o->overtaken < 255)
				o->overtaken++;
			if (o->overtaken > model_max_overtaken)
				model_max_overtaken = o->overtaken;
		}
}

/* A node: what lock.c does ------------------------------------------------------------ */

static void unqueue(struct node *n, unsigned int i)
{
	memmove(&n->fifo[i], &n->fifo[i + 1], n->nr_fifo - i - 1);
	n->nr_fifo--;
	n->fifo[n->nr_fifo] = 0;
}

static void fail_waiters(struct node *n)
{
	n->async = COHFS_NL;
	while (n->nr_fifo) {
		n->task[n->fifo[0]].state = T_DONE;
		unqueue(n, 0);
	}
}

static void admit(struct node *n, bool grant)
{
	struct task *t;

	while (n->nr_fifo) {
		t = &n->task[n->fifo[0]];
		if (grant ? n->f.dead || n->f.drop ||
			    !cohfs_mode_covers(n->f.granted, t->mode)
			  : !cohfs_fsm_may_hold(&n->f, t->mode, false))
			break;
		if (!grant && !n->f.tenure && cohfs_fsm_contended(&n->f) &&
		    !(n->gate & COHFS_GATE_QUIESCED) &&
		    !cohfs_mode_covers(cohfs_mode_keep(n->f.granted, n->f.demand), t->mode))
			violated("a newcomer overtook another node's demand");
		unqueue(n, 0);
		cohfs_fsm_step(&n->f, COHFS_EV_HOLD, t->mode);
		t->state = T_HOLDING;
		count_overtaking(n - W.n, t->mode);
	}
	if (cohfs_mode_covers(n->f.granted, n->async))
		n->async = COHFS_NL;
}

static int want_of(struct node *n)
{
	enum cohfs_mode want = n->async;
	unsigned int i;

	if (n->nr_fifo && (n->task[n->fifo[0]].flags & T_NOQUEUE))
		return n->task[n->fifo[0]].mode | COHFS_WANT_NOQUEUE;
	for (i = 0; i < n->nr_fifo; i++)
		if (!(n->task[n->fifo[i]].flags & T_NOQUEUE))
			want = cohfs_mode_join(want, n->task[n->fifo[i]].mode);
	return want;
}

static enum cohfs_tenure tenure_of(struct node *n)
{
	enum cohfs_tenure ten = COHFS_TEN_NONE;
	unsigned int i;

	if (n->async && cohfs_mode_covers(n->f.target, n->async))
		return COHFS_TEN_UNUSED;
	for (i = 0; i < n->nr_fifo; i++) {
		struct task *t = &n->task[n->fifo[i]];

		if (!cohfs_mode_covers(n->f.target, t->mode))
			break;		/* admits no further, see admit() */
		ten = COHFS_TEN_HELD;
	}
	return ten;
}

static void refuse(struct node *n)
{
	if (n->nr_fifo && (n->task[n->fifo[0]].flags & T_NOQUEUE)) {
		n->task[n->fifo[0]].state = T_DONE;
		unqueue(n, 0);
	}
}

static void apply(struct node *n, enum cohfs_fsm_event event, int arg)
{
	unsigned int rounds = 0;
	u32 act;
	int want;

	for (;;) {
		if (!cohfs_fsm_legal(&n->f, event, arg))
			violated("the state machine got an event that cannot be");
		act = cohfs_fsm_step(&n->f, event, arg);
		n->todo |= act & (COHFS_DO_SEND | COHFS_DO_GIVE_UP | COHFS_DO_DELIVER |
				  COHFS_DO_FREE);
		if (act & COHFS_DO_LOST)
			violated("lost");
		if (act & COHFS_DO_FAIL)
			fail_waiters(n);
		if (act & COHFS_DO_REFUSE)
			refuse(n);
		admit(n, act & COHFS_DO_ADMIT_GRANT);
		if (act & COHFS_DO_TENURE)
			n->armed = true;
		want = want_of(n);
		if (++rounds > 50) {
			violated("one event leads to the next without end");
			return;
		}
		if (!(act & (COHFS_DO_ADMIT_GRANT | COHFS_DO_REFUSE)) &&
		    want == (n->f.want | (n->f.want_noqueue ? COHFS_WANT_NOQUEUE : 0)))
			break;
		event = COHFS_EV_WANT;
		arg = want;
	}
	if (n->todo & COHFS_DO_FREE) {
		n->todo &= ~COHFS_DO_FREE;
		n->used_up = true;
		n->cached = COHFS_NL;
	}
}

/* Client side of the lock manager -------------------------------------------------------- */

static void cb_answer(struct node *n, int status, u8 mode)
{
	n->last_cast = (s8)mode;
	n->last_bast = COHFS_NL;
	put(&n->cb, M_CB_ANSWER, mode, 0, status);
}

static void cb_bast(struct node *n, u8 mode)
{
	if (n->last_cast != -1 && cohfs_mode_compat(mode, n->last_cast))
		return;
	if (n->last_bast && (n->last_bast == mode ||
			     (n->last_bast > mode && n->last_bast > COHFS_PR)))
		return;
	n->last_bast = mode;
	put(&n->cb, M_CB_BAST, mode, 0, 0);
}

static void send_request(struct node *n)
{
	n->req_mode = n->f.op == COHFS_OP_BASE ? COHFS_NL : n->f.target;
	switch (n->f.op) {
	case COHFS_OP_TRY:
		put(&n->up, M_REQUEST, n->req_mode, COHFS_RES_NOQUEUE, 0);
		break;
	case COHFS_OP_BASE:
		put(&n->up, M_REQUEST, n->req_mode, COHFS_RES_EXPEDITE, 0);
		break;
	default:
		put(&n->up, M_CONVERT, n->req_mode, COHFS_RES_QUECVT |
		    (n->f.op_noqueue ? COHFS_RES_NOQUEUE : 0), 0);
		break;
	}
}

static void send_todo(struct node *n)
{
	u32 todo = n->todo & COHFS_DO_SEND;

	if (todo & COHFS_DO_CANCEL) {
		n->todo &= ~COHFS_DO_CANCEL;
		if (n->f.state != COHFS_FS_RAISING)
			return;
		if (todo & COHFS_DO_REQUEST) {
			n->todo &= ~COHFS_DO_REQUEST;
			apply(n, COHFS_EV_ANSWER, -ECANCELED);
			return;
		}
		n->cancelling = true;
		put(&n->up, M_CANCEL, 0, 0, 0);
	} else if (todo & COHFS_DO_REQUEST) {
		n->todo &= ~COHFS_DO_REQUEST;
		send_request(n);
	} else if (todo & COHFS_DO_LOWER) {
		n->todo &= ~COHFS_DO_LOWER;
		put(&n->up, M_CONVERT, n->f.target, 0, 0);
		n->lkb_mode = n->f.target;
		cb_answer(n, 0, n->f.target);
	} else if (!n->cancelling) {
		n->todo &= ~COHFS_DO_UNLOCK;
		put(&n->up, M_UNLOCK, 0, 0, 0);
	}
}

/* a message from the master arrives at the node's lock manager */
static void receive(struct node *n, struct msg m)
{
	int status = errors[m.status];

	switch (m.type) {
	case M_GRANT:
	case M_ANSWER:
		if (!status && m.flags) {		/* answer to an unlock */
			n->has_lkb = false;
			n->lkb_mode = COHFS_NL;
		} else if (!status) {
			n->has_lkb = true;
			n->lkb_mode = n->req_mode;
		}
		cb_answer(n, status, n->lkb_mode);
		break;
	case M_CANCEL_DONE:
		n->cancelling = false;
		if (status)
			cb_answer(n, status, n->lkb_mode);
		break;
	case M_BAST:
		cb_bast(n, m.mode);
		break;
	}
}

/* The master -------------------------------------------------------------------------------- */

static void tell_nodes(void)
{
	struct cohfs_res_lkb *lkb;

	while ((lkb = cohfs_res_noted(&W.res))) {
		struct node *n = &W.n[lkb - W.lkb];
		u8 bast = lkb->note_bast;
		bool granted = lkb->note_granted;

		lkb->note_granted = false;
		lkb->note_bast = COHFS_NL;
		if (granted)
			put(&n->down, M_GRANT, 0, 0, 0);
		if (bast)
			put(&n->down, M_BAST, bast, 0, 0);
	}
}

static void master(unsigned int i, struct msg m)
{
	struct cohfs_res_lkb *lkb = &W.lkb[i];
	struct node *n = &W.n[i];
	bool lower;
	int ret;

	switch (m.type) {
	case M_REQUEST:
	case M_CONVERT:
		lower = m.type == M_CONVERT && !m.flags;
		if ((m.type == M_CONVERT) != (lkb->queue == COHFS_RQ_GRANTED))
			violated("request or conversion at the wrong moment");
		if (m.type == M_CONVERT && !lower && lkb->granted == m.mode)
			violated("conversion to the same mode");
		ret = cohfs_res_lock(&W.res, lkb, m.mode, m.flags);
		if (ret == -EBUSY)
			violated("two operations at once");
		if (!lower && ret != -EINPROGRESS)
			put(&n->down, M_ANSWER, 0, 0, ret);
		break;
	case M_UNLOCK:
		if (lkb->queue != COHFS_RQ_GRANTED)
			violated("unlock of a lock that waits");
		cohfs_res_unlock(&W.res, lkb);
		put(&n->down, M_ANSWER, 0, 1, 0);
		break;
	case M_CANCEL:
		put(&n->down, M_CANCEL_DONE, 0, 0,
		    cohfs_res_cancel(&W.res, lkb) ? -ECANCELED : 0);
		break;
	}
	tell_nodes();
}

/* Tasks --------------------------------------------------------------------------------------- */

static bool noqueue_hopeless(const struct node *n)
{
	return n->nr_fifo || cohfs_fsm_contended(&n->f) ||
	       (n->f.state != COHFS_FS_IDLE && n->f.state != COHFS_FS_GRANTING) ||
	       (n->gate & COHFS_GATE_FROZEN);
}

static void wait_for(struct node *n, unsigned int i)
{
	n->task[i].state = T_QUEUED;
	n->fifo[n->nr_fifo++] = i;
	apply(n, COHFS_EV_WANT, want_of(n));
}

static void acquire(struct node *n, unsigned int i)
{
	struct task *t = &n->task[i];

	t->overtaken = 0;
	if (n->f.dead || n->f.drop) {
		t->state = T_DONE;
		return;
	}
	if (cohfs_fsm_may_hold(&n->f, t->mode, false)) {
		if (!n->f.tenure && cohfs_fsm_contended(&n->f) &&
		    n->f.state == COHFS_FS_IDLE && !(n->gate & COHFS_GATE_QUIESCED) &&
		    !cohfs_mode_covers(cohfs_mode_keep(n->f.granted, n->f.demand),
				       t->mode))
			violated("a newcomer overtook another node's demand");
		cohfs_fsm_step(&n->f, COHFS_EV_HOLD, t->mode);
		t->state = T_HOLDING;
		return;
	}
	if ((t->flags & T_NOQUEUE) && noqueue_hopeless(n)) {
		t->state = T_DONE;
		return;
	}
	if (t->flags & T_ASYNC) {
		n->async = cohfs_mode_join(n->async, t->mode);
		t->flags &= ~T_ASYNC;
		t->state = T_FUTURE;		/* comes back to wait */
		apply(n, COHFS_EV_WANT, want_of(n));
		return;
	}
	wait_for(n, i);
}

/* the fault was retried */
static void use(struct node *n, unsigned int i)
{
	struct task *t = &n->task[i];

	if (!n->f.dead && !n->f.drop && cohfs_fsm_may_hold(&n->f, t->mode, false)) {
		cohfs_fsm_step(&n->f, COHFS_EV_HOLD, t->mode);
		t->state = T_HOLDING;
		count_overtaking(n - W.n, t->mode);
		t->flags &= ~T_PROMISED;
		return;
	}
	if ((t->flags & T_PROMISED) && !n->f.dead && !n->f.drop)
		violated("a right was revoked before it was exercised once");
	acquire(n, i);
}

static void release(struct node *n, unsigned int i)
{
	struct task *t = &n->task[i];

	if (t->flags & T_FAULT) {
		t->flags &= ~T_FAULT;
		t->state = T_READY;
		apply(n, COHFS_EV_LEAVE, t->mode);
		if (n->f.tenure == COHFS_TEN_UNUSED)
			t->flags |= T_PROMISED;
		return;
	}
	t->state = T_DONE;
	if ((t->flags & T_STREAM) && W.stream) {
		W.stream--;
		t->state = T_FUTURE;
	}
	apply(n, t->flags & T_PARTING ? COHFS_EV_DONE : COHFS_EV_RELEASE, t->mode);
	if (n->f.tenure != COHFS_TEN_UNUSED)
		end_promises(n);
}

static void kill_task(struct node *n, unsigned int i)
{
	unsigned int q;

	n->task[i].state = T_DONE;
	for (q = 0; q < n->nr_fifo && n->fifo[q] != i; q++)
		;
	unqueue(n, q);
	apply(n, COHFS_EV_WANT, want_of(n));
}

/* Nodes that die, locks that are dropped --------------------------------------------------------- */

static void stop_lock_manager(void)
{
	unsigned int i;

	W.stopped = true;
	for (i = 0; i < W.nr; i++) {
		W.n[i].gate |= COHFS_GATE_FROZEN;
		W.n[i].thaw_due = W.n[i].alive;
	}
}

static void die(unsigned int i)
{
	struct node *n = &W.n[i];
	unsigned int t;

	stop_lock_manager();
	n->alive = false;
	n->thaw_due = false;
	n->todo = 0;
	n->nr_fifo = 0;
	n->armed = false;
	memset(&n->up, 0, sizeof(n->up));
	memset(&n->down, 0, sizeof(n->down));
	memset(&n->cb, 0, sizeof(n->cb));
	for (t = 0; t < MAX_TASKS; t++)
		if (n->task[t].state != T_NONE)
			n->task[t].state = T_DONE;
	/* @cached stays: its journal is not replayed before the first thaw */
}

static void start_lock_manager(void)
{
	unsigned int i;

	W.stopped = false;
	for (i = 0; i < W.nr; i++)
		if (!W.n[i].alive)
			cohfs_res_unlock(&W.res, &W.lkb[i]);
	tell_nodes();
	for (i = 0; i < W.nr; i++)
		if (!W.n[i].alive)
			memset(&W.n[i].down, 0, sizeof(W.n[i].down));
}

static void thaw(struct node *n)
{
	unsigned int i;

	/* all journals are replayed by now: what the dead cached is on disk */
	for (i = 0; i < W.nr; i++)
		if (!W.n[i].alive)
			W.n[i].cached = COHFS_NL;
	n->thaw_due = false;
	n->gate &= ~COHFS_GATE_FROZEN;
	apply(n, COHFS_EV_THAW, 0);
}

/* What can happen ------------------------------------------------------------------------------------ */

static unsigned int add(struct ev *ev, unsigned int k, u8 kind, u8 node, u8 arg)
{
	if (k < MAX_EVENTS) {
		ev[k].kind = kind;
		ev[k].node = node;
		ev[k].arg = arg;
	}
	return k + 1;
}

static unsigned int task_events(struct ev *ev, unsigned int k, unsigned int i)
{
	struct node *n = &W.n[i];
	unsigned int t;

	for (t = 0; t < MAX_TASKS; t++) {
		switch (n->task[t].state) {
		case T_FUTURE:
			k = add(ev, k, E_ARRIVE, i, t);
			break;
		case T_HOLDING:
			k = add(ev, k, E_RELEASE, i, t);
			break;
		case T_READY:
			k = add(ev, k, E_USE, i, t);
			break;
		case T_QUEUED:
			if (W.kills)
				k = add(ev, k, E_KILL_TASK, i, t);
			break;
		}
	}
	return k;
}

static bool idle_tasks(const struct node *n)
{
	unsigned int t;

	for (t = 0; t < MAX_TASKS; t++)
		if (n->task[t].state == T_HOLDING || n->task[t].state == T_READY ||
		    n->task[t].state == T_QUEUED)
			return false;
	return true;
}

static unsigned int cb_events(struct ev *ev, unsigned int k, unsigned int i)
{
	struct node *n = &W.n[i];
	unsigned int c;

	for (c = 0; c < n->cb.n; c++)
		if (!c || (W.reorder && n->cb.m[c].type != n->cb.m[0].type))
			k = add(ev, k, E_CB, i, c);
	return k;
}

static unsigned int node_events(struct ev *ev, unsigned int k, unsigned int i)
{
	struct node *n = &W.n[i];

	k = task_events(ev, k, i);
	if ((n->todo & COHFS_DO_SEND) && !W.stopped &&
	    !((n->todo & COHFS_DO_UNLOCK) && n->cancelling)) {
		k = add(ev, k, E_SEND, i, 0);
		if (W.enomem && (n->todo & COHFS_DO_REQUEST))
			k = add(ev, k, E_SEND_ENOMEM, i, 0);
	}
	if (n->todo & COHFS_DO_GIVE_UP)
		k = add(ev, k, E_GIVEN_UP, i, 0);
	if (n->todo & COHFS_DO_DELIVER)
		k = add(ev, k, E_DELIVER, i, 0);
	if (n->armed)
		k = add(ev, k, E_TENURE, i, 0);
	if (!W.stopped && n->up.n)
		k = add(ev, k, E_UP, i, 0);
	if (!W.stopped && n->down.n)
		k = add(ev, k, E_DOWN, i, 0);
	if (!W.stopped)
		k = cb_events(ev, k, i);
	if (n->thaw_due && !W.stopped)
		k = add(ev, k, E_THAW, i, 0);
	if (W.drops && !n->f.drop && idle_tasks(n))
		k = add(ev, k, E_DROP, i, 0);
	if (W.deaths && i)
		k = add(ev, k, E_DIE, i, 0);
	if (W.spurious && n->has_lkb) {
		k = add(ev, k, E_SPURIOUS, i, COHFS_EX);
		k = add(ev, k, E_RECALL, i, COHFS_EX);
	}
	return k;
}

unsigned int model_events(struct ev *ev)
{
	unsigned int i, k = 0;

	for (i = 0; i < W.nr; i++)
		if (W.n[i].alive)
			k = node_events(ev, k, i);
	if (W.stopped)
		k = add(ev, k, E_START, 0, 0);
	else if (W.recoveries)
		k = add(ev, k, E_STOP, 0, 0);
	return k < MAX_EVENTS ? k : MAX_EVENTS;
}

/* What is below is being sorted: nobody may be using it. */
static void check_split(struct node *n)
{
	unsigned int t;

	if (!(n->f.cfg & COHFS_CFG_SPLITS) || n->f.granted < COHFS_PR ||
	    n->f.target < COHFS_CR || n->f.target > COHFS_CW)
		return;
	for (t = 0; t < MAX_TASKS; t++)
		if (n->task[t].state == T_HOLDING)
			violated("a split with somebody inside");
}

static void give_up_done(struct node *n)
{
	n->todo &= ~COHFS_DO_GIVE_UP;
	check_split(n);
	n->cached = n->f.target;
	apply(n, COHFS_EV_GIVEN_UP, 0);
}

static void deliver(struct node *n)
{
	n->todo &= ~COHFS_DO_DELIVER;
	n->cached = n->f.target;
	check_coherence();
	apply(n, COHFS_EV_DELIVERED, tenure_of(n));
}

static void callback(struct node *n, unsigned int i)
{
	struct msg m = take(&n->cb, i);

	if (n->used_up)
		return;
	if (m.type == M_CB_BAST)
		apply(n, COHFS_EV_BAST, m.mode);
	else
		apply(n, COHFS_EV_ANSWER, errors[m.status]);
	/* what was granted before the lock manager stopped may still be delivered */
	if (m.type == M_CB_ANSWER && (n->gate & COHFS_GATE_FROZEN) &&
	    (n->todo & COHFS_DO_DELIVER))
		violated("a grant was let through before the replay");
}

void model_fire(const struct ev *e)
{
	struct node *n = &W.n[e->node];

	switch ((enum ev_kind)e->kind) {
	case E_ARRIVE:
		acquire(n, e->arg);
		break;
	case E_RELEASE:
		release(n, e->arg);
		break;
	case E_USE:
		use(n, e->arg);
		break;
	case E_KILL_TASK:
		W.kills--;
		kill_task(n, e->arg);
		break;
	case E_SEND:
		send_todo(n);
		break;
	case E_SEND_ENOMEM:
		W.enomem--;
		n->todo &= ~(COHFS_DO_REQUEST | COHFS_DO_CANCEL);
		apply(n, COHFS_EV_ANSWER, -ENOMEM);
		break;
	case E_GIVEN_UP:
		give_up_done(n);
		break;
	case E_DELIVER:
		deliver(n);
		break;
	case E_TENURE:
		n->armed = false;
		end_promises(n);
		if (n->f.tenure == COHFS_TEN_UNUSED || n->f.tenure == COHFS_TEN_SHORT)
			apply(n, COHFS_EV_TENURE_END, 0);
		break;
	case E_UP:
		master(e->node, take(&n->up, 0));
		break;
	case E_DOWN:
		receive(n, take(&n->down, 0));
		break;
	case E_CB:
		callback(n, e->arg);
		break;
	case E_STOP:
		W.recoveries--;
		stop_lock_manager();
		break;
	case E_START:
		start_lock_manager();
		break;
	case E_THAW:
		thaw(n);
		break;
	case E_DROP:
		W.drops--;
		end_promises(n);
		apply(n, COHFS_EV_DROP, 0);
		break;
	case E_DIE:
		W.deaths--;
		die(e->node);
		break;
	case E_SPURIOUS:
		W.spurious--;
		put(&n->cb, M_CB_BAST, e->arg, 0, 0);
		break;
	case E_RECALL:
		W.spurious--;
		end_promises(n);
		apply(n, COHFS_EV_RECALL, e->arg);
		break;
	}
	check_coherence();
}

/* Setting up and looking at it --------------------------------------------------------------------------- */

void model_init(unsigned int nr, unsigned int cfg)
{
	unsigned int i;

	memset(&W, 0, sizeof(W));
	model_error = NULL;
	W.nr = nr;
	for (i = 0; i < nr; i++) {
		W.n[i].alive = true;
		W.n[i].last_cast = -1;
		cohfs_fsm_init(&W.n[i].f, &W.n[i].gate, cfg);
	}
}

void model_add_task(unsigned int node, unsigned int mode, unsigned int flags)
{
	unsigned int t;

	for (t = 0; W.n[node].task[t].state != T_NONE; t++)
		;
	W.n[node].task[t].state = T_FUTURE;
	W.n[node].task[t].mode = mode;
	W.n[node].task[t].flags = flags;
}

unsigned int model_unfinished(void)
{
	unsigned int i, t, left = 0;

	for (i = 0; i < W.nr; i++) {
		for (t = 0; t < MAX_TASKS; t++)
			if (W.n[i].task[t].state != T_NONE &&
			    W.n[i].task[t].state != T_DONE)
				left++;
		if (W.n[i].alive && W.n[i].f.drop && !W.n[i].used_up)
			left++;
	}
	return left;
}

const char *model_ev_name(const struct ev *ev)
{
	static const char *const names[] = {
		"arrive", "release", "use", "kill_task", "send", "send_enomem",
		"given_up", "deliver", "tenure", "up", "down", "cb", "stop", "start",
		"thaw", "drop", "die", "spurious", "recall",
	};

	return names[ev->kind];
}

void model_print(void)
{
	unsigned int i, t;

	for (i = 0; i < W.nr; i++) {
		const struct node *n = &W.n[i];

		printf("#  node %u%s %s granted %s dlm %s target %s demand %s want %s tenure %u cached %s todo %x gate %x master q%u gr%u rq%u msgs %u/%u/%u tasks",
		       i, n->alive ? "" : " DEAD", cohfs_fsm_state_name(n->f.state),
		       cohfs_mode_name(n->f.granted), cohfs_mode_name(n->f.dlm),
		       cohfs_mode_name(n->f.target), cohfs_mode_name(n->f.demand),
		       cohfs_mode_name(n->f.want), n->f.tenure,
		       cohfs_mode_name(n->cached), n->todo, n->gate, W.lkb[i].queue,
		       W.lkb[i].granted, W.lkb[i].requested, n->up.n, n->down.n, n->cb.n);
		for (t = 0; t < MAX_TASKS && n->task[t].state; t++)
			printf(" %s:%u", cohfs_mode_name(n->task[t].mode),
			       n->task[t].state);
		printf("\n");
	}
}
