// SPDX-License-Identifier: GPL-2.0-only
/*
 * Backend: no cluster.  One node, no messages, requests are granted at once...
 *
 * ... unless this node itself is in the way: a lock object outlives its inode, and
 * the next inode of that number has a new lock object of the same name.  The old
 * one may still be writing back what the new one wants to read, so they exclude
 * each other as two nodes would, down to the basts.  Hence a lock manager after
 * all, by the same rules (core/res.c), and value blocks.
 */
#include <linux/hash.h>
#include <linux/slab.h>
#include "local.h"

static struct cohfs_local_bucket *bucket_of(struct cohfs_lockspace *ls,
					    const struct cohfs_lock_name *name)
{
	struct cohfs_local_space *space = ls->ls_be_priv;

	return &space->buckets[hash_64(name->number ^ name->index << 8 ^ name->type,
				       COHFS_LOCAL_HASH_BITS)];
}

static struct cohfs_local_res *find_res(struct cohfs_local_bucket *b,
					const struct cohfs_lock_name *name)
{
	struct cohfs_local_res *lr;

	hlist_for_each_entry(lr, &b->resources, node)
		if (!cohfs_name_cmp(&lr->name, name))
			return lr;
	return NULL;
}

/*
 * cohfs_local_get_res() - find or make a resource, with a reference
 * Return: NULL if there is no memory.
 */
struct cohfs_local_res *cohfs_local_get_res(struct cohfs_lockspace *ls,
					    const struct cohfs_lock_name *name)
{
	struct cohfs_local_bucket *b = bucket_of(ls, name);
	struct cohfs_local_res *lr, *new;
	unsigned long flags;

	new = kzalloc(struct_size(new, lvb, ls->ls_lvb_size), GFP_NOFS);
	if (!new)
		return NULL;
	new->name = *name;
	new->bucket = b;
	spin_lock_irqsave(&b->lock, flags);
	lr = find_res(b, name);
	if (!lr) {
		lr = new;
		new = NULL;
		hlist_add_head(&lr->node, &b->resources);
	}
	lr->refs++;
	spin_unlock_irqrestore(&b->lock, flags);
	kfree(new);
	return lr;
}

void cohfs_local_put_res(struct cohfs_local_res *lr)
{
	unsigned long flags;
	bool last;

	spin_lock_irqsave(&lr->bucket->lock, flags);
	last = !--lr->refs;
	if (last)
		hlist_del(&lr->node);
	spin_unlock_irqrestore(&lr->bucket->lock, flags);
	if (last)
		kfree(lr);
}

/* the value block goes with the grant, as the DLM does it */
static void read_lvb(struct cohfs_local_lock *ll)
{
	if (ll->lk && lk_has_lvb(ll->lk))
		memcpy(ll->lk->lk_priv->lvb, ll->res->lvb, ll->lk->lk_ls->ls_lvb_size);
}

static void write_lvb(struct cohfs_local_lock *ll)
{
	if (ll->lk && lk_has_lvb(ll->lk) && ll->lkb.granted >= COHFS_PW) {
		memcpy(ll->res->lvb, ll->lk->lk_priv->lvb, ll->lk->lk_ls->ls_lvb_size);
		ll->res->lvb_invalid = false;
	}
}

/* Tell everybody whom the last operation concerned. */
static void tell(struct cohfs_local_res *lr)
{
	struct cohfs_res_lkb *lkb;

	while ((lkb = cohfs_res_noted(&lr->res))) {
		struct cohfs_local_lock *ll = container_of(lkb, struct cohfs_local_lock,
							   lkb);
		bool granted = lkb->note_granted;
		u8 bast = lkb->note_bast;

		lkb->note_granted = false;
		lkb->note_bast = COHFS_NL;
		if (granted) {
			read_lvb(ll);
			ll->ops->answer(ll, 0);
		}
		if (bast != COHFS_NL)
			ll->ops->bast(ll, bast);
	}
}

int cohfs_local_lock(struct cohfs_local_lock *ll, enum cohfs_mode mode,
		     unsigned int res_flags)
{
	struct cohfs_local_res *lr = ll->res;
	unsigned long flags;
	int ret;

	spin_lock_irqsave(&lr->bucket->lock, flags);
	if (ll->lkb.queue == COHFS_RQ_GRANTED && ll->lkb.granted > mode)
		write_lvb(ll);
	ret = cohfs_res_lock(&lr->res, &ll->lkb, mode, res_flags);
	if (!ret)
		read_lvb(ll);
	if (ret != -EINPROGRESS && ret != -EBUSY)
		ll->ops->answer(ll, ret);
	tell(lr);
	spin_unlock_irqrestore(&lr->bucket->lock, flags);
	return ret == -EBUSY ? ret : 0;
}

int cohfs_local_unlock(struct cohfs_local_lock *ll)
{
	struct cohfs_local_res *lr = ll->res;
	struct cohfs_local_bucket *b = lr->bucket;
	unsigned long flags;

	spin_lock_irqsave(&b->lock, flags);
	if (ll->lkb.queue != COHFS_RQ_GRANTED) {
		spin_unlock_irqrestore(&b->lock, flags);
		return -EBUSY;
	}
	write_lvb(ll);
	cohfs_res_unlock(&lr->res, &ll->lkb);
	if (cohfs_res_idle(&lr->res))
		memset(lr->lvb, 0, ll->lk ? ll->lk->lk_ls->ls_lvb_size : 0);
	tell(lr);
	/* this may be the end of lock and resource, as soon as we let go of @b */
	ll->ops->answer(ll, 0);
	spin_unlock_irqrestore(&b->lock, flags);
	return 0;
}

int cohfs_local_cancel(struct cohfs_local_lock *ll)
{
	struct cohfs_local_res *lr = ll->res;
	unsigned long flags;

	spin_lock_irqsave(&lr->bucket->lock, flags);
	if (cohfs_res_cancel(&lr->res, &ll->lkb))
		ll->ops->answer(ll, -ECANCELED);
	tell(lr);
	spin_unlock_irqrestore(&lr->bucket->lock, flags);
	return 0;
}

/* Backend --------------------------------------------------------------------------- */

static struct cohfs_local_lock *local_part(const struct cohfs_lock *lk)
{
	BUILD_BUG_ON(sizeof(struct cohfs_local_lock) > COHFS_BE_DATA_SIZE);
	return (struct cohfs_local_lock *)lk->lk_priv->be_data;
}

static void local_answer(struct cohfs_local_lock *ll, int status)
{
	cohfs_lock_answer(ll->lk, status, !ll->res->lvb_invalid);
}

static void local_bast(struct cohfs_local_lock *ll, enum cohfs_mode mode)
{
	cohfs_lock_bast(ll->lk, mode);
}

static const struct cohfs_local_ops local_ops = {
	.answer = local_answer,
	.bast = local_bast,
};

/* @size: of a structure that begins with struct cohfs_local_space */
int cohfs_local_join(struct cohfs_lockspace *ls, size_t size)
{
	struct cohfs_local_space *space;
	unsigned int i;

	space = kvzalloc(size, GFP_KERNEL);
	if (!space)
		return -ENOMEM;
	for (i = 0; i < ARRAY_SIZE(space->buckets); i++) {
		spin_lock_init(&space->buckets[i].lock);
		INIT_HLIST_HEAD(&space->buckets[i].resources);
	}
	ls->ls_be_priv = space;
	ls->ls_slot = 1;
	ls->ls_nodeid = 1;
	set_bit(COHFS_LS_JOINED, &ls->ls_flags);
	return 0;
}

void cohfs_local_exit(struct cohfs_lockspace *ls)
{
	kvfree(ls->ls_be_priv);
}

static int be_join(struct cohfs_lockspace *ls, const char *cluster)
{
	return cohfs_local_join(ls, sizeof(struct cohfs_local_space));
}

static int be_lock_init(struct cohfs_lock *lk)
{
	struct cohfs_local_lock *ll = local_part(lk);

	ll->lk = lk;
	ll->ops = &local_ops;
	ll->res = cohfs_local_get_res(lk->lk_ls, &lk->lk_name);
	return ll->res ? 0 : -ENOMEM;
}

static void be_lock_exit(struct cohfs_lock *lk)
{
	struct cohfs_local_lock *ll = local_part(lk);
	unsigned long flags;

	/* only after a kill is there anything left to unlock */
	spin_lock_irqsave(&ll->res->bucket->lock, flags);
	cohfs_res_unlock(&ll->res->res, &ll->lkb);
	spin_unlock_irqrestore(&ll->res->bucket->lock, flags);
	cohfs_local_put_res(ll->res);
}

unsigned int cohfs_local_flags(const struct cohfs_lock *lk, enum cohfs_fsm_op op,
			       bool noqueue)
{
	unsigned int nq = noqueue && lk_noqueue_tells(lk) ?
			  COHFS_RES_NOQUEUE | COHFS_RES_NOQUEUE_BAST :
			  COHFS_RES_NOQUEUE;

	switch (op) {
	case COHFS_OP_TRY:
		return nq;
	case COHFS_OP_BASE:
		return COHFS_RES_EXPEDITE;
	default:
		return COHFS_RES_QUECVT | (noqueue ? nq : 0);
	}
}

static int be_request(struct cohfs_lock *lk, enum cohfs_fsm_op op,
			 enum cohfs_mode mode, bool noqueue)
{
	return cohfs_local_lock(local_part(lk), mode,
				cohfs_local_flags(lk, op, noqueue));
}

static int be_lower(struct cohfs_lock *lk, enum cohfs_mode mode)
{
	return cohfs_local_lock(local_part(lk), mode, 0);
}

static int be_unlock(struct cohfs_lock *lk)
{
	return cohfs_local_unlock(local_part(lk));
}

static int be_cancel(struct cohfs_lock *lk)
{
	return cohfs_local_cancel(local_part(lk));
}

const struct cohfs_backend_ops cohfs_local_backend = {
	.join = be_join,
	.exit = cohfs_local_exit,
	.lock_init = be_lock_init,
	.lock_exit = be_lock_exit,
	.request = be_request,
	.lower = be_lower,
	.unlock = be_unlock,
	.cancel = be_cancel,
};
