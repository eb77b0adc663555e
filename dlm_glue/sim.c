// SPDX-License-Identifier: GPL-2.0-only
#include <linux/slab.h>
#include "sim.h"

struct cohfs_sim_space {
	struct cohfs_local_space local;		/* first: local.c knows nothing else */
	const struct cohfs_sim_script *script;
};

/* something on its way to a lock */
struct cohfs_sim_msg {
	struct delayed_work work;
	struct cohfs_lock *lk;
	enum cohfs_sim_point point;
	int arg;
	bool lvb_valid;
};

static const struct cohfs_sim_script *script_of(struct cohfs_lockspace *ls)
{
	return READ_ONCE(((struct cohfs_sim_space *)ls->ls_be_priv)->script);
}

void cohfs_sim_script(struct cohfs_lockspace *ls,
		      const struct cohfs_sim_script *script)
{
	WRITE_ONCE(((struct cohfs_sim_space *)ls->ls_be_priv)->script, script);
}

static struct cohfs_local_lock *sim_part(const struct cohfs_lock *lk)
{
	return (struct cohfs_local_lock *)lk->lk_priv->be_data;
}

/* Messages ------------------------------------------------------------------------- */

static void hand_over(struct cohfs_lock *lk, enum cohfs_sim_point point, int arg,
		      bool lvb_valid)
{
	if (point == COHFS_SIM_ANSWER)
		cohfs_lock_answer(lk, arg, lvb_valid);
	else
		cohfs_lock_bast(lk, arg);
}

static void sim_msg_work(struct work_struct *work)
{
	struct cohfs_sim_msg *msg = container_of(to_delayed_work(work),
						 struct cohfs_sim_msg, work);

	hand_over(msg->lk, msg->point, msg->arg, msg->lvb_valid);
	cohfs_lock_put(msg->lk);
	kfree(msg);
}

static void sim_send(struct cohfs_local_lock *ll, enum cohfs_sim_point point, int arg)
{
	const struct cohfs_sim_script *script = script_of(ll->lk->lk_ls);
	bool lvb_valid = !ll->res->lvb_invalid;
	struct cohfs_sim_msg *msg = NULL;
	unsigned int ms = 0;

	if (script && script->delay)
		ms = script->delay(script->ctx, ll->lk, point, arg);
	if (ms)
		msg = kzalloc(sizeof(*msg), GFP_ATOMIC);
	if (!msg) {
		hand_over(ll->lk, point, arg, lvb_valid);
		return;
	}
	INIT_DELAYED_WORK(&msg->work, sim_msg_work);
	msg->lk = ll->lk;
	msg->point = point;
	msg->arg = arg;
	msg->lvb_valid = lvb_valid;
	cohfs_lock_get(ll->lk);
	queue_delayed_work(ll->lk->lk_ls->ls_grant_wq, &msg->work,
			   msecs_to_jiffies(ms));
}

static void sim_answer(struct cohfs_local_lock *ll, int status)
{
	sim_send(ll, COHFS_SIM_ANSWER, status);
}

static void sim_bast(struct cohfs_local_lock *ll, enum cohfs_mode mode)
{
	sim_send(ll, COHFS_SIM_BAST, mode);
}

static const struct cohfs_local_ops sim_ops = {
	.answer = sim_answer,
	.bast = sim_bast,
};

/* Backend --------------------------------------------------------------------------- */

static int sim_fail(struct cohfs_lock *lk, enum cohfs_sim_point point, int arg)
{
	const struct cohfs_sim_script *script = script_of(lk->lk_ls);

	return script && script->fail ? script->fail(script->ctx, lk, point, arg) : 0;
}

static int sim_join(struct cohfs_lockspace *ls, const char *cluster)
{
	return cohfs_local_join(ls, sizeof(struct cohfs_sim_space));
}

static int sim_lock_init(struct cohfs_lock *lk)
{
	struct cohfs_local_lock *ll = sim_part(lk);
	int error = cohfs_local_backend.lock_init(lk);

	ll->ops = &sim_ops;
	return error;
}

static int sim_request(struct cohfs_lock *lk, enum cohfs_fsm_op op,
		       enum cohfs_mode mode, bool noqueue)
{
	return sim_fail(lk, COHFS_SIM_REQUEST, mode) ?:
	       cohfs_local_lock(sim_part(lk), mode,
				cohfs_local_flags(lk, op, noqueue));
}

static int sim_lower(struct cohfs_lock *lk, enum cohfs_mode mode)
{
	return sim_fail(lk, COHFS_SIM_LOWER, mode) ?:
	       cohfs_local_lock(sim_part(lk), mode, 0);
}

static int sim_unlock(struct cohfs_lock *lk)
{
	return sim_fail(lk, COHFS_SIM_UNLOCK, 0) ?: cohfs_local_unlock(sim_part(lk));
}

static int sim_cancel(struct cohfs_lock *lk)
{
	return sim_fail(lk, COHFS_SIM_CANCEL, 0) ?: cohfs_local_cancel(sim_part(lk));
}

static void sim_lock_exit(struct cohfs_lock *lk)
{
	cohfs_local_backend.lock_exit(lk);
}

const struct cohfs_backend_ops cohfs_sim_backend = {
	.join = sim_join,
	.exit = cohfs_local_exit,
	.lock_init = sim_lock_init,
	.lock_exit = sim_lock_exit,
	.request = sim_request,
	.lower = sim_lower,
	.unlock = sim_unlock,
	.cancel = sim_cancel,
};

/* Other nodes ------------------------------------------------------------------------ */

static void peer_answer(struct cohfs_local_lock *ll, int status)
{
	struct cohfs_sim_peer *peer = container_of(ll, struct cohfs_sim_peer, ll);

	peer->status = status;
	complete(&peer->answered);
}

static void peer_bast(struct cohfs_local_lock *ll, enum cohfs_mode mode)
{
	struct cohfs_sim_peer *peer = container_of(ll, struct cohfs_sim_peer, ll);

	peer->bast = cohfs_mode_join(peer->bast, mode);
}

static const struct cohfs_local_ops peer_ops = {
	.answer = peer_answer,
	.bast = peer_bast,
};

int cohfs_sim_peer_init(struct cohfs_sim_peer *peer, struct cohfs_lockspace *ls,
			enum cohfs_lock_type type, u64 number, u64 index)
{
	struct cohfs_lock_name name = {
		.number = number, .index = index, .type = type,
	};

	memset(peer, 0, sizeof(*peer));
	init_completion(&peer->answered);
	peer->ll.ops = &peer_ops;
	peer->ll.res = cohfs_local_get_res(ls, &name);
	return peer->ll.res ? 0 : -ENOMEM;
}

int cohfs_sim_peer_lock(struct cohfs_sim_peer *peer, enum cohfs_mode mode,
			unsigned int res_flags)
{
	peer->status = -EINPROGRESS;
	return cohfs_local_lock(&peer->ll, mode, res_flags);
}

void cohfs_sim_peer_unlock(struct cohfs_sim_peer *peer)
{
	cohfs_local_unlock(&peer->ll);
}

void cohfs_sim_peer_die(struct cohfs_sim_peer *peer)
{
	unsigned long flags;

	spin_lock_irqsave(&peer->ll.res->bucket->lock, flags);
	if (peer->ll.lkb.granted >= COHFS_PW)
		peer->ll.res->lvb_invalid = true;
	spin_unlock_irqrestore(&peer->ll.res->bucket->lock, flags);
	cohfs_local_unlock(&peer->ll);
}

void cohfs_sim_peer_exit(struct cohfs_sim_peer *peer)
{
	cohfs_local_put_res(peer->ll.res);
}
