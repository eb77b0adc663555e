/* SPDX-License-Identifier: GPL-2.0-only */
/* The lock manager of one node: local backend, and ground for the sim backend. */
#ifndef _COHFS_GLUE_LOCAL_H
#define _COHFS_GLUE_LOCAL_H

#include "core/res.h"
#include "lock.h"

#define COHFS_LOCAL_HASH_BITS	10

struct cohfs_local_bucket {
	spinlock_t lock;		/* protects everything below; -> lk_spin */
	struct hlist_head resources;
};

struct cohfs_local_space {
	struct cohfs_local_bucket buckets[1 << COHFS_LOCAL_HASH_BITS];
};

/**
 * struct cohfs_local_res - a resource that some lock object names
 * @refs: lock objects, whether they have anything granted or not
 * @lvb_invalid: its last writer died (sim)
 */
struct cohfs_local_res {
	struct hlist_node node;
	struct cohfs_local_bucket *bucket;
	struct cohfs_lock_name name;
	struct cohfs_res res;
	unsigned int refs;
	bool lvb_invalid;
	u8 lvb[];
};

struct cohfs_local_lock;

/* called under the bucket's lock */
struct cohfs_local_ops {
	void (*answer)(struct cohfs_local_lock *ll, int status);
	void (*bast)(struct cohfs_local_lock *ll, enum cohfs_mode mode);
};

/**
 * struct cohfs_local_lock - one lock on a resource
 * @lk: NULL for a simulated other node
 */
struct cohfs_local_lock {
	struct cohfs_res_lkb lkb;
	struct cohfs_local_res *res;
	const struct cohfs_local_ops *ops;
	struct cohfs_lock *lk;
};

int cohfs_local_join(struct cohfs_lockspace *ls, size_t size);
void cohfs_local_exit(struct cohfs_lockspace *ls);
struct cohfs_local_res *cohfs_local_get_res(struct cohfs_lockspace *ls,
					    const struct cohfs_lock_name *name);
void cohfs_local_put_res(struct cohfs_local_res *lr);
int cohfs_local_lock(struct cohfs_local_lock *ll, enum cohfs_mode mode,
		     unsigned int res_flags);
int cohfs_local_unlock(struct cohfs_local_lock *ll);
int cohfs_local_cancel(struct cohfs_local_lock *ll);
unsigned int cohfs_local_flags(const struct cohfs_lock *lk, enum cohfs_fsm_op op,
			       bool noqueue);

#endif /* _COHFS_GLUE_LOCAL_H */
