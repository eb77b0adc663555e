// SPDX-License-Identifier: GPL-2.0-only
/*
 * Many tasks on several nodes, all at once.  A number behind each lock is read when a
 * node gets the lock, changed in memory by its holders, and written back when the node
 * gives it up: a coherence mistake loses a change.
 */
#include <linux/kthread.h>
#include <linux/random.h>
#include <linux/sched/task.h>
#include "rig.h"

#define NODES	3
#define LOCKS	2
#define TASKS	4	/* per node */
#define ROUNDS	60

struct race {
	struct rig_lock *lock[NODES][LOCKS];
	struct mutex mutex[NODES][LOCKS];	/* among the tasks of a node */
	u64 disk[LOCKS];
	atomic64_t changes[LOCKS];
	atomic_t wrong;
	atomic_t errors;
};

struct racer {
	struct race *race;
	unsigned int node;
	struct task_struct *task;
	struct completion over;
};

static void use(struct race *race, unsigned int node, unsigned int l, enum cohfs_mode mode)
{
	struct rig_lock *rl = race->lock[node][l];
	u64 value;

	mutex_lock(&race->mutex[node][l]);
	value = READ_ONCE(rl->value);
	if (mode == COHFS_EX) {
		atomic64_inc(&race->changes[l]);
		cond_resched();
		WRITE_ONCE(rl->value, value + 1);
	} else if (value > atomic64_read(&race->changes[l])) {
		atomic_inc(&race->wrong);	/* poison, or out of thin air */
	}
	mutex_unlock(&race->mutex[node][l]);
}

static void one_round(struct racer *racer)
{
	static const unsigned int flags[] = {
		0, 0, 0, COHFS_LK_TRY, COHFS_LK_ASYNC, COHFS_LK_NOQUEUE, COHFS_LK_NOINTR,
	};
	struct race *race = racer->race;
	unsigned int l = get_random_u32_below(LOCKS);
	enum cohfs_mode mode = get_random_u32_below(2) ? COHFS_EX : COHFS_PR;
	struct cohfs_lock *lk = &race->lock[racer->node][l]->lk;
	int ret;

	if (!get_random_u32_below(4)) {
		/* as a fault does it */
		ret = cohfs_lock_acquire(lk, mode, 0);
		if (!ret) {
			cohfs_lock_release_unused(lk, mode);
			ret = cohfs_lock_acquire(lk, mode, COHFS_LK_TRY);
		}
	} else {
		ret = cohfs_lock_acquire(lk, mode,
					 flags[get_random_u32_below(ARRAY_SIZE(flags))]);
	}
	if (ret) {
		if (ret != -EAGAIN)
			atomic_inc(&race->errors);
		return;
	}
	use(race, racer->node, l, mode);
	if (get_random_u32_below(3))
		cohfs_lock_release(lk, mode);
	else
		cohfs_lock_release_unused(lk, mode);
	if (!get_random_u32_below(3))
		cohfs_lock_used(lk);
}

static int racer_task(void *arg)
{
	struct racer *racer = arg;
	unsigned int i;

	for (i = 0; i < ROUNDS; i++)
		one_round(racer);
	complete(&racer->over);
	return 0;
}

/* Weather: delays reorder what is on its way, some calls have to be repeated. */

static int bad_weather(void *ctx, struct cohfs_lock *lk, enum cohfs_sim_point point,
		       int arg)
{
	return get_random_u32_below(10) ? 0 : -EBUSY;
}

static unsigned int slow_messages(void *ctx, struct cohfs_lock *lk,
				  enum cohfs_sim_point point, int arg)
{
	return get_random_u32_below(4) ? 0 : 1 + get_random_u32_below(8);
}

static const struct weather_row {
	const char *name;
	struct cohfs_sim_script script;
} weathers[] = {
	{ "good", },
	{ "delays", { .delay = slow_messages } },
	{ "busy", { .fail = bad_weather } },
	{ "both", { .delay = slow_messages, .fail = bad_weather } },
};

KUNIT_ARRAY_PARAM_DESC(weather, weathers, name);

static struct race *new_race(struct kunit *test)
{
	struct race *race = kunit_kzalloc(test, sizeof(*race), GFP_KERNEL);
	unsigned int n, l;

	KUNIT_ASSERT_NOT_NULL(test, race);
	for (n = 0; n < NODES; n++)
		for (l = 0; l < LOCKS; l++) {
			mutex_init(&race->mutex[n][l]);
			race->lock[n][l] = n == 1 ?
				rig_tenure_lock(test->priv, l) :
				rig_lock(test->priv, COHFS_LT_RANGE, l);
			race->lock[n][l]->disk = &race->disk[l];
		}
	return race;
}

static void run_race(struct kunit *test, struct race *race)
{
	struct racer *racers = kunit_kcalloc(test, NODES * TASKS, sizeof(*racers), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, racers);
	for (i = 0; i < NODES * TASKS; i++) {
		racers[i].race = race;
		racers[i].node = i % NODES;
		init_completion(&racers[i].over);
		racers[i].task = kthread_create(racer_task, &racers[i], "cohfs_racer");
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, racers[i].task);
		get_task_struct(racers[i].task);
	}
	for (i = 0; i < NODES * TASKS; i++)
		wake_up_process(racers[i].task);
	for (i = 0; i < NODES * TASKS; i++)
		if (!wait_for_completion_timeout(&racers[i].over, 2 * RIG_LIMIT)) {
			KUNIT_FAIL(test, "somebody waits for ever");
			cohfs_lockspace_kill(((struct rig *)test->priv)->ls);
		}
	for (i = 0; i < NODES * TASKS; i++) {
		kthread_stop(racers[i].task);
		put_task_struct(racers[i].task);
	}
}

static void no_change_is_lost(struct kunit *test)
{
	const struct weather_row *row = test->param_value;
	struct rig *rig = test->priv;
	struct race *race = new_race(test);
	unsigned int n, l;

	cohfs_sim_script(rig->ls, &row->script);
	run_race(test, race);
	cohfs_sim_script(rig->ls, NULL);
	KUNIT_EXPECT_EQ(test, atomic_read(&race->errors), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&race->wrong), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&rig->lost), 0);
	for (n = 0; n < NODES; n++)
		for (l = 0; l < LOCKS; l++) {
			KUNIT_EXPECT_EQ(test, rig_waiters(race->lock[n][l]), 0);
			rig_drop(race->lock[n][l]);
		}
	EVENTUALLY(test, !atomic_read(&rig->ls->ls_nr_locks));
	for (l = 0; l < LOCKS; l++) {
		KUNIT_EXPECT_EQ(test, race->disk[l], atomic64_read(&race->changes[l]));
		KUNIT_EXPECT_GT(test, race->disk[l], 0);
	}
}

static struct kunit_case race_cases[] = {
	KUNIT_CASE_PARAM_ATTR(no_change_is_lost, weather_gen_params,
			      { .speed = KUNIT_SPEED_SLOW }),
	{}
};

static struct kunit_suite race_suite = {
	.name = "cohfs_lock_race",
	.init = rig_init_sim,
	.exit = rig_exit,
	.test_cases = race_cases,
};

kunit_test_suite(race_suite);
