/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Backend for tests: the local lock manager, plus other nodes made up by the test,
 * plus everything that can go wrong on the way.
 */
#ifndef _COHFS_GLUE_SIM_H
#define _COHFS_GLUE_SIM_H

#include "local.h"

enum cohfs_sim_point {
	COHFS_SIM_REQUEST,	/* arg: mode */
	COHFS_SIM_LOWER,	/* arg: mode */
	COHFS_SIM_UNLOCK,
	COHFS_SIM_CANCEL,
	COHFS_SIM_ANSWER,	/* arg: status */
	COHFS_SIM_BAST,		/* arg: mode */
};

/**
 * struct cohfs_sim_script - what goes wrong; both optional, called under spinlocks
 * @fail: before a REQUEST, LOWER, UNLOCK or CANCEL is carried out: 0, or the -errno
 *	that the call returns instead
 * @delay: before an ANSWER or BAST is handed over: milliseconds to hold it back.
 *	Different delays reorder.
 */
struct cohfs_sim_script {
	int (*fail)(void *ctx, struct cohfs_lock *lk, enum cohfs_sim_point point,
		    int arg);
	unsigned int (*delay)(void *ctx, struct cohfs_lock *lk,
			      enum cohfs_sim_point point, int arg);
	void *ctx;
};

/** cohfs_sim_script() - from now on; NULL for good weather */
void cohfs_sim_script(struct cohfs_lockspace *ls,
		      const struct cohfs_sim_script *script);

/**
 * struct cohfs_sim_peer - another node with one lock
 * @answered: completed by every answer
 * @status: of the last answer
 * @bast: strongest mode that our locks cannot get because of it
 */
struct cohfs_sim_peer {
	struct cohfs_local_lock ll;
	struct completion answered;
	int status;
	enum cohfs_mode bast;
};

int cohfs_sim_peer_init(struct cohfs_sim_peer *peer, struct cohfs_lockspace *ls,
			enum cohfs_lock_type type, u64 number, u64 index);
/** cohfs_sim_peer_lock() - new lock or conversion; look at answered, status */
int cohfs_sim_peer_lock(struct cohfs_sim_peer *peer, enum cohfs_mode mode,
			unsigned int res_flags);
void cohfs_sim_peer_unlock(struct cohfs_sim_peer *peer);
/** cohfs_sim_peer_die() - as unlock, but an EX or PW takes the value block with it */
void cohfs_sim_peer_die(struct cohfs_sim_peer *peer);
void cohfs_sim_peer_exit(struct cohfs_sim_peer *peer);

#endif /* _COHFS_GLUE_SIM_H */
