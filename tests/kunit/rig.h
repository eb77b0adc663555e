/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of the lock layer stand on: a lockspace, locks that record what
 * happens to them, other nodes, tasks that ask for locks.
 *
 * Two locks of one name in one lockspace exclude each other like those of two nodes.
 * Whatever a test leaves behind, held or waiting, rig_exit() takes apart.
 */
#ifndef _COHFS_KUNIT_RIG_H
#define _COHFS_KUNIT_RIG_H

#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/sched/signal.h>
#include "../../dlm_glue/sim.h"

/* Nothing takes this long, however slow the machine: only a lost wake-up does. */
#define RIG_LIMIT	(60 * HZ)

#define EVENTUALLY(test, cond) do {						\
	unsigned long __end = jiffies + RIG_LIMIT;				\
	bool __came;								\
										\
	while (!(__came = (cond)) && time_before(jiffies, __end))		\
		usleep_range(200, 1000);					\
	KUNIT_EXPECT_TRUE_MSG(test, __came, "never came true: " #cond);		\
} while (0)

/**
 * struct rig_fault - a script for the sim backend
 * @point: where, see enum cohfs_sim_point
 * @error: what the call returns there
 * @times: how often, then all is well
 * @answer_ms, @bast_ms: how long these are held back
 * @answers: that the lock manager has given, though they may be held back
 * @deadlocks: those of -EDEADLK
 */
struct rig_fault {
	struct cohfs_sim_script script;
	enum cohfs_sim_point point;
	int error;
	atomic_t times;
	unsigned int answer_ms;
	unsigned int bast_ms;
	atomic_t answers;
	atomic_t deadlocks;
};

struct rig {
	struct kunit *test;
	struct cohfs_lockspace *ls;
	struct list_head locks;
	struct list_head peers;
	struct list_head askers;
	struct rig_fault fault;
	atomic_t lost;
	atomic_t recoveries;
};

/**
 * struct rig_lock - a lock and its owner
 * @value: what the lock protects; travels in the value block
 * @disk: where it is written back to and read from, or NULL
 * @lvb_seen: the last grant came with a value block that somebody filled
 * @error: what give_up returns
 * @slow: give_up waits for @go_down
 */
struct rig_lock {
	struct cohfs_lock lk;
	struct list_head list;
	u64 value;
	u64 *disk;
	bool dropped;
	bool lvb_seen;
	int error;
	bool slow;
	struct completion go_down;
	struct completion freed;
	atomic_t give_ups;
	atomic_t grants;
	enum cohfs_mode from;
	enum cohfs_mode to;
};

struct rig_peer {
	struct cohfs_sim_peer peer;
	struct list_head list;
};

enum rig_ending {
	RIG_RELEASE,
	RIG_RELEASE_UNUSED,
	RIG_RELEASE_DONE,
	RIG_UNPIN,
};

/** struct rig_asker - a task that asks for a lock and holds it until it is told */
struct rig_asker {
	struct cohfs_lock *lk;
	enum cohfs_mode mode;
	unsigned int flags;
	int ret;
	enum rig_ending ending;
	struct completion answered;
	struct completion go_on;
	struct task_struct *task;
	struct list_head list;
};

int rig_init(struct kunit *test, enum cohfs_backend backend);
int rig_init_sim(struct kunit *test);
int rig_init_local(struct kunit *test);
void rig_exit(struct kunit *test);

struct rig_lock *rig_lock(struct rig *rig, enum cohfs_lock_type type, u64 number);
struct rig_lock *rig_tenure_lock(struct rig *rig, u64 number);
struct rig_lock *rig_tree_lock(struct rig *rig, enum cohfs_lock_type level, u64 index);
struct rig_lock *rig_bare_lock(struct rig *rig, enum cohfs_lock_type type, u64 number);
void rig_drop(struct rig_lock *rl);
void rig_fail(struct rig *rig, enum cohfs_sim_point point, int error, int times);
void rig_delay(struct rig *rig, unsigned int answer_ms, unsigned int bast_ms);

struct rig_peer *rig_peer(struct rig *rig, enum cohfs_lock_type type, u64 number);
struct rig_peer *rig_tree_peer(struct rig *rig, enum cohfs_lock_type level, u64 index);
void rig_peer_ask(struct rig_peer *rp, enum cohfs_mode mode);
int rig_peer_answer(struct rig_peer *rp);
bool rig_peer_answered(struct rig_peer *rp);

struct rig_asker *rig_ask(struct rig *rig, struct rig_lock *rl, enum cohfs_mode mode,
			  unsigned int flags);
int rig_answer(struct rig_asker *a);
void rig_end(struct rig_asker *a, enum rig_ending ending);

void rig_hold(struct rig *rig, struct rig_lock *rl, enum cohfs_mode mode);
void rig_cache(struct rig *rig, struct rig_lock *rl, enum cohfs_mode mode);

static inline struct rig_lock *to_rig_lock(struct cohfs_lock *lk)
{
	return container_of(lk, struct rig_lock, lk);
}

static inline long rig_count(const struct rig_lock *rl, enum cohfs_lock_counter counter)
{
	return atomic64_read(&rl->lk.lk_ls->ls_count[rl->lk.lk_name.type][counter]);
}

static inline enum cohfs_fsm_state rig_state(const struct rig_lock *rl)
{
	return READ_ONCE(rl->lk.lk_fsm.state);
}

static inline enum cohfs_mode rig_cached(const struct rig_lock *rl)
{
	return cohfs_lock_cached(&rl->lk);
}

unsigned int rig_waiters(struct rig_lock *rl);

#endif /* _COHFS_KUNIT_RIG_H */
