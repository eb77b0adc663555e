// SPDX-License-Identifier: GPL-2.0-only
#include "res.h"

static struct cohfs_res_lkb **queue_of(struct cohfs_res *res, unsigned int queue)
{
	switch (queue) {
	case COHFS_RQ_GRANTED:
		return &res->granted;
	case COHFS_RQ_CONVERT:
		return &res->convert;
	default:
		return &res->wait;
	}
}

static void dequeue(struct cohfs_res *res, struct cohfs_res_lkb *lkb)
{
	struct cohfs_res_lkb **p;

	if (lkb->queue == COHFS_RQ_NONE)
		return;
	for (p = queue_of(res, lkb->queue); *p != lkb; p = &(*p)->next)
		;
	*p = lkb->next;
	lkb->next = NULL;
	lkb->queue = COHFS_RQ_NONE;
}

static void enqueue(struct cohfs_res *res, struct cohfs_res_lkb *lkb,
		    unsigned int queue)
{
	struct cohfs_res_lkb **p;

	dequeue(res, lkb);
	for (p = queue_of(res, queue); *p; p = &(*p)->next)
		;
	*p = lkb;
	lkb->queue = queue;
}

static bool conflict(const struct cohfs_res_lkb *q, const struct cohfs_res_lkb *lkb)
{
	for (; q; q = q->next)
		if (q != lkb && !cohfs_mode_compat(q->granted, lkb->requested))
			return true;
	return false;
}

/* is the way free, apart from the order of the queues? */
static bool no_conflict(const struct cohfs_res *res, const struct cohfs_res_lkb *lkb)
{
	return !conflict(res->granted, lkb) && !conflict(res->convert, lkb);
}

static bool grant_now(const struct cohfs_res *res, const struct cohfs_res_lkb *lkb,
		      unsigned int flags)
{
	if (flags & COHFS_RES_EXPEDITE)
		return true;
	if (!no_conflict(res, lkb))
		return false;
	if (lkb->queue == COHFS_RQ_NONE)
		return !res->convert && !res->wait;
	return !(flags & COHFS_RES_QUECVT) || !res->convert;
}

static bool grant_queued(const struct cohfs_res *res, const struct cohfs_res_lkb *lkb)
{
	if (!no_conflict(res, lkb))
		return false;
	if (lkb->queue == COHFS_RQ_CONVERT)
		return res->convert == lkb;
	return !res->convert && res->wait == lkb;
}

/* does what @lkb has keep an earlier conversion waiting? */
static bool conversion_deadlock(const struct cohfs_res *res,
				const struct cohfs_res_lkb *lkb)
{
	const struct cohfs_res_lkb *q;

	for (q = res->convert; q; q = q->next)
		if (q != lkb && !cohfs_mode_compat(lkb->granted, q->requested))
			return true;
	return false;
}

static void grant(struct cohfs_res *res, struct cohfs_res_lkb *lkb)
{
	lkb->granted = lkb->requested;
	lkb->highbast = COHFS_NL;
	lkb->note_bast = COHFS_NL;
	enqueue(res, lkb, COHFS_RQ_GRANTED);
}

static void blame(struct cohfs_res_lkb *holder, enum cohfs_mode mode)
{
	bool middle = (holder->granted == COHFS_PR && mode == COHFS_CW) ||
		      (holder->granted == COHFS_CW && mode == COHFS_PR);

	if (cohfs_mode_compat(holder->granted, mode))
		return;
	if (middle ? holder->highbast == COHFS_EX : holder->highbast >= mode)
		return;
	holder->highbast = mode;
	holder->note_bast = cohfs_mode_join(holder->note_bast, mode);
}

static void blame_all(struct cohfs_res *res, const struct cohfs_res_lkb *waiter)
{
	struct cohfs_res_lkb *q;

	for (q = res->granted; q; q = q->next)
		if (q != waiter)
			blame(q, waiter->requested);
}

static bool grant_one(struct cohfs_res *res, struct cohfs_res_lkb *q)
{
	for (; q; q = q->next) {
		if (!grant_queued(res, q))
			continue;
		grant(res, q);
		q->note_granted = true;
		return true;
	}
	return false;
}

static void grant_pending(struct cohfs_res *res)
{
	struct cohfs_res_lkb *q;

	while (grant_one(res, res->convert) || grant_one(res, res->wait))
		;
	for (q = res->convert; q; q = q->next)
		blame_all(res, q);
	for (q = res->wait; q; q = q->next)
		blame_all(res, q);
}

int cohfs_res_lock(struct cohfs_res *res, struct cohfs_res_lkb *lkb,
		   enum cohfs_mode mode, unsigned int flags)
{
	bool convert = lkb->queue == COHFS_RQ_GRANTED;

	if (!convert && lkb->queue != COHFS_RQ_NONE)
		return -EBUSY;
	if (!convert)
		memset(lkb, 0, sizeof(*lkb));
	lkb->requested = mode;
	if (grant_now(res, lkb, flags)) {
		grant(res, lkb);
		grant_pending(res);
		return 0;
	}
	if (flags & COHFS_RES_NOQUEUE) {
		if (flags & COHFS_RES_NOQUEUE_BAST)
			blame_all(res, lkb);
		return -EAGAIN;
	}
	if (convert && conversion_deadlock(res, lkb))
		return -EDEADLK;
	enqueue(res, lkb, convert ? COHFS_RQ_CONVERT : COHFS_RQ_WAIT);
	blame_all(res, lkb);
	return -EINPROGRESS;
}

void cohfs_res_unlock(struct cohfs_res *res, struct cohfs_res_lkb *lkb)
{
	dequeue(res, lkb);
	memset(lkb, 0, sizeof(*lkb));
	grant_pending(res);
}

bool cohfs_res_cancel(struct cohfs_res *res, struct cohfs_res_lkb *lkb)
{
	switch (lkb->queue) {
	case COHFS_RQ_CONVERT:
		enqueue(res, lkb, COHFS_RQ_GRANTED);
		break;
	case COHFS_RQ_WAIT:
		dequeue(res, lkb);
		break;
	default:
		return false;
	}
	grant_pending(res);
	return true;
}

bool cohfs_res_idle(const struct cohfs_res *res)
{
	return !res->granted && !res->convert && !res->wait;
}

struct cohfs_res_lkb *cohfs_res_noted(struct cohfs_res *res)
{
	struct cohfs_res_lkb *q;

	for (q = res->granted; q; q = q->next)
		if (q->note_granted || q->note_bast != COHFS_NL)
			return q;
	return NULL;
}
