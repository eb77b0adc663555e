// SPDX-License-Identifier: GPL-2.0-only
/*
 * The lock manager of the model: core/res.c behind messages, with the habits of the
 * client side of fs/dlm that glue_cluster.c describes.
 */
#include "range_model.h"
#include "../../dlm_glue/core/res.h"

#define MAX_MSGS	12

enum msg_type {
	M_REQUEST, M_CONVERT, M_UNLOCK, M_CANCEL,	/* to the master */
	M_ANSWER, M_BAST, M_CANCEL_DONE,		/* to the node */
	M_CB_ANSWER, M_CB_BAST,				/* to the lock layer */
};

struct msg {
	u8 type;
	u8 mode;
	u8 flags;
	bool unlocked;
	int status;
};

struct chan {
	unsigned int n;
	struct msg m[MAX_MSGS];
};

struct lm_res {
	struct list_head link;
	struct cohfs_lock_name name;
	struct cohfs_res res;
	unsigned int refs;
};

/** struct lm_lock - a lock of one node, and what is on its way for it */
struct lm_lock {
	struct list_head link;
	struct cohfs_lock *lk;
	struct lm_res *res;
	struct cohfs_res_lkb lkb;
	struct chan up, down, cb;
	int last_cast;		/* see dlm_may_skip_callback() */
	u8 last_bast;
	u8 req_mode;
	u8 mode;		/* as the client side sees it */
	bool cancelling;
};

static LIST_HEAD(resources);
static LIST_HEAD(locks);

static struct lm_lock *part(const struct cohfs_lock *lk)
{
	return *(struct lm_lock **)lk->lk_priv->be_data;
}

static void put(struct chan *c, struct msg m)
{
	if (c->n == MAX_MSGS)
		violated("model: channel full");
	else
		c->m[c->n++] = m;
}

static struct msg take(struct chan *c, unsigned int i)
{
	struct msg m = c->m[i];

	memmove(&c->m[i], &c->m[i + 1], (c->n - i - 1) * sizeof(m));
	c->n--;
	return m;
}

/* Client side -------------------------------------------------------------------------- */

static void cb_answer(struct lm_lock *l, int status, u8 mode)
{
	l->last_cast = mode;
	l->last_bast = COHFS_NL;
	put(&l->cb, (struct msg) { .type = M_CB_ANSWER, .mode = mode, .status = status });
}

static void cb_bast(struct lm_lock *l, u8 mode)
{
	if (l->last_cast != -1 && cohfs_mode_compat(mode, l->last_cast))
		return;
	if (l->last_bast && (l->last_bast == mode ||
			     (l->last_bast > mode && l->last_bast > COHFS_PR)))
		return;
	l->last_bast = mode;
	put(&l->cb, (struct msg) { .type = M_CB_BAST, .mode = mode });
}

static void receive(struct lm_lock *l, struct msg m)
{
	switch (m.type) {
	case M_ANSWER:
		if (!m.status)
			l->mode = m.unlocked ? COHFS_NL : l->req_mode;
		cb_answer(l, m.status, l->mode);
		break;
	case M_CANCEL_DONE:
		l->cancelling = false;
		if (m.status)
			cb_answer(l, m.status, l->mode);
		break;
	default:
		cb_bast(l, m.mode);
		break;
	}
}

static int request(struct cohfs_lock *lk, enum cohfs_fsm_op op, enum cohfs_mode mode,
		   bool noqueue)
{
	struct lm_lock *l = part(lk);
	struct msg m = { .type = op == COHFS_OP_CONVERT ? M_CONVERT : M_REQUEST,
			 .mode = mode };

	if (model_spend(&W.may.enomem, 16))
		return -ENOMEM;
	switch (op) {
	case COHFS_OP_TRY:
		m.flags = COHFS_RES_NOQUEUE;
		break;
	case COHFS_OP_BASE:
		m.flags = COHFS_RES_EXPEDITE;
		break;
	case COHFS_OP_CONVERT:
		m.flags = COHFS_RES_QUECVT | (noqueue ? COHFS_RES_NOQUEUE : 0);
		break;
	}
	l->req_mode = mode;
	put(&l->up, m);
	return 0;
}

static int lower(struct cohfs_lock *lk, enum cohfs_mode mode)
{
	struct lm_lock *l = part(lk);

	put(&l->up, (struct msg) { .type = M_CONVERT, .mode = mode });
	l->mode = mode;
	cb_answer(l, 0, mode);
	return 0;
}

static int unlock(struct cohfs_lock *lk)
{
	if (part(lk)->cancelling)
		return -EBUSY;
	put(&part(lk)->up, (struct msg) { .type = M_UNLOCK });
	return 0;
}

static int cancel(struct cohfs_lock *lk)
{
	part(lk)->cancelling = true;
	put(&part(lk)->up, (struct msg) { .type = M_CANCEL });
	return 0;
}

/* Life of a lock ----------------------------------------------------------------------- */

static struct lm_res *get_res(const struct cohfs_lock_name *name)
{
	struct lm_res *r;

	list_for_each_entry(r, &resources, link)
		if (!cohfs_name_cmp(&r->name, name))
			return r;
	r = calloc(1, sizeof(*r));
	r->name = *name;
	list_add_tail(&r->link, &resources);
	return r;
}

static int lock_init(struct cohfs_lock *lk)
{
	struct lm_lock *l = calloc(1, sizeof(*l));

	l->lk = lk;
	l->last_cast = -1;
	l->res = get_res(&lk->lk_name);
	l->res->refs++;
	list_add_tail(&l->link, &locks);
	*(struct lm_lock **)lk->lk_priv->be_data = l;
	return 0;
}

static void lock_exit(struct cohfs_lock *lk)
{
	struct lm_lock *l = part(lk);

	if (l->lkb.queue != COHFS_RQ_NONE)
		violated("a lock is freed that the lock manager knows");
	if (!--l->res->refs) {
		list_del(&l->res->link);
		free(l->res);
	}
	list_del(&l->link);
	free(l);
}

const struct cohfs_backend_ops lm_backend = {
	.lock_init = lock_init,
	.lock_exit = lock_exit,
	.request = request,
	.lower = lower,
	.unlock = unlock,
	.cancel = cancel,
};

/* The master ------------------------------------------------------------------------------ */

static void tell_nodes(struct lm_res *r)
{
	struct cohfs_res_lkb *lkb;

	while ((lkb = cohfs_res_noted(&r->res))) {
		struct lm_lock *l = container_of(lkb, struct lm_lock, lkb);
		bool granted = lkb->note_granted;
		u8 bast = lkb->note_bast;

		lkb->note_granted = false;
		lkb->note_bast = COHFS_NL;
		if (granted)
			put(&l->down, (struct msg) { .type = M_ANSWER });
		if (bast)
			put(&l->down, (struct msg) { .type = M_BAST, .mode = bast });
	}
}

/* Things that are allowed to go wrong */
static int mishap(struct lm_lock *l, struct msg m)
{
	if ((m.flags & COHFS_RES_NOQUEUE) && model_spend(&W.may.eagain, 4))
		return -EAGAIN;
	if (m.flags == COHFS_RES_QUECVT && l->lkb.granted != COHFS_NL &&
	    model_spend(&W.may.edeadlk, 2))
		return -EDEADLK;
	return 0;
}

static void master_lock(struct lm_lock *l, struct msg m)
{
	bool lowers = m.type == M_CONVERT && !m.flags;
	int ret;

	if ((m.type == M_CONVERT) != (l->lkb.queue == COHFS_RQ_GRANTED))
		violated("request or conversion at the wrong moment");
	ret = mishap(l, m) ?: cohfs_res_lock(&l->res->res, &l->lkb, m.mode, m.flags);
	if (ret == -EBUSY)
		violated("two operations at once");
	if (lowers && ret)
		violated("a conversion downwards is not granted");
	if (!lowers && ret != -EINPROGRESS)
		put(&l->down, (struct msg) { .type = M_ANSWER, .status = ret });
}

static void master(struct lm_lock *l, struct msg m)
{
	int status;

	switch (m.type) {
	case M_UNLOCK:
		if (l->lkb.queue != COHFS_RQ_GRANTED)
			violated("unlock of a lock that waits");
		cohfs_res_unlock(&l->res->res, &l->lkb);
		put(&l->down, (struct msg) { .type = M_ANSWER, .unlocked = true });
		break;
	case M_CANCEL:
		status = cohfs_res_cancel(&l->res->res, &l->lkb) ? -ECANCELED : 0;
		put(&l->down, (struct msg) { .type = M_CANCEL_DONE, .status = status });
		break;
	default:
		master_lock(l, m);
		break;
	}
	tell_nodes(l->res);
}

/* What can happen ---------------------------------------------------------------------------- */

static bool may_come(const struct lm_lock *l, unsigned int i)
{
	return !i || (W.reorder && l->cb.m[i].type != l->cb.m[0].type);
}

static void call_back(struct lm_lock *l, struct msg m)
{
	if (m.type == M_CB_BAST)
		cohfs_lock_bast(l->lk, m.mode);
	else
		cohfs_lock_answer(l->lk, m.status, true);
}

/* Return: how many events there are before @event; @event happens if it is among them */
static unsigned int walk(unsigned int event)
{
	unsigned int n = 0, i;
	struct lm_lock *l;

	list_for_each_entry(l, &locks, link) {
		if (l->up.n && n++ == event) {
			master(l, take(&l->up, 0));
			return n;
		}
		if (l->down.n && n++ == event) {
			receive(l, take(&l->down, 0));
			return n;
		}
		for (i = 0; i < l->cb.n; i++)
			if (may_come(l, i) && n++ == event) {
				call_back(l, take(&l->cb, i));
				return n;
			}
	}
	return n;
}

unsigned int lm_events(void)
{
	return walk(~0u);
}

void lm_fire(unsigned int event)
{
	struct lm_lock *l;

	walk(event);
	if (!W.may.spurious || model_rand() % 64)
		return;
	list_for_each_entry(l, &locks, link)
		if (l->mode && l->lk->lk_fsm.lkb && !(model_rand() % 4)) {
			W.may.spurious--;
			put(&l->cb, (struct msg) { .type = M_CB_BAST, .mode = COHFS_EX });
			return;
		}
}

void lm_reset(void)
{
	INIT_LIST_HEAD(&resources);
	INIT_LIST_HEAD(&locks);
}

bool lm_quiet(void)
{
	return list_empty(&locks);
}

void lm_print(void)
{
	struct lm_lock *l;

	list_for_each_entry(l, &locks, link) {
		const struct cohfs_fsm *f = &l->lk->lk_fsm;
		char name[COHFS_RES_NAME_MAX + 1];

		cohfs_name_format(&l->lk->lk_name, name);
		printf("#  node %d %s %s granted %s dlm %s target %s demand %s want %s tenure %u todo %x holders %u/%u/%u/%u/%u%s%s q%u gr%u rq%u msgs %u/%u/%u\n",
		       l->lk->lk_ls->ls_nodeid, name, cohfs_fsm_state_name(f->state),
		       cohfs_mode_name(f->granted), cohfs_mode_name(f->dlm),
		       cohfs_mode_name(f->target), cohfs_mode_name(f->demand),
		       cohfs_mode_name(f->want), f->tenure, l->lk->lk_priv->todo,
		       f->holders[1], f->holders[2], f->holders[3], f->holders[4],
		       f->holders[5], f->drop ? " drop" : "", f->deferred ? " deferred" : "",
		       l->lkb.queue, l->lkb.granted, l->lkb.requested, l->up.n, l->down.n,
		       l->cb.n);
	}
}
