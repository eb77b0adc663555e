// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who runs next: tasks are threads of which one has the turn; it gives it away whenever
 * something else may happen, to whom chance decides.  One seed, one schedule.
 */
#include <pthread.h>

#define MAX_TASKS 8

static struct task {
	pthread_t thread;
	pthread_cond_t go;
	void (*fn)(void *arg);
	void *arg;
	bool (*cond)(void *arg);
	void *cond_arg;
	bool ended;
} tasks[MAX_TASKS];

static pthread_mutex_t big = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t over = PTHREAD_COND_INITIALIZER;
static struct task *turn;
static unsigned int nr_tasks;
static bool stuck;
static bool (*something_else)(void);
static u64 seed;

/* xorshift64* */
u32 sched_rand(void)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return (seed * 0x2545f4914f6cdd1dull) >> 32;
}

/* Return: whose turn it is, NULL if all have ended, or none can go on */
static struct task *choose(void)
{
	struct task *can[MAX_TASKS];
	unsigned int nr, i, live;

	for (;;) {
		for (nr = live = i = 0; i < nr_tasks; i++) {
			live += !tasks[i].ended;
			if (!tasks[i].ended &&
			    (!tasks[i].cond || tasks[i].cond(tasks[i].cond_arg)))
				can[nr++] = &tasks[i];
		}
		if (sched_rand() % 3 == 0 || !nr) {
			if (something_else())
				continue;
			if (!nr) {
				stuck = live;
				return NULL;
			}
		}
		return can[sched_rand() % nr];
	}
}

static void pass(struct task *self)
{
	turn = choose();
	if (turn == self)
		return;
	pthread_cond_signal(turn ? &turn->go : &over);
	while (turn != self)
		pthread_cond_wait(&self->go, &big);
}

void sched_wait(bool (*cond)(void *arg), void *arg)
{
	struct task *self = turn;

	self->cond = cond;
	self->cond_arg = arg;
	pass(self);
	self->cond = NULL;
}

void sched_pause(void)
{
	pass(turn);
}

static void *main_of(void *arg)
{
	struct task *self = arg;

	pthread_mutex_lock(&big);
	while (turn != self)
		pthread_cond_wait(&self->go, &big);
	self->fn(self->arg);
	self->ended = true;
	turn = choose();
	pthread_cond_signal(turn ? &turn->go : &over);
	pthread_mutex_unlock(&big);
	return NULL;
}

void sched_start(void (*fn)(void *arg), void *arg)
{
	struct task *task = &tasks[nr_tasks++];

	*task = (struct task) { .fn = fn, .arg = arg };
	pthread_cond_init(&task->go, NULL);
	if (pthread_create(&task->thread, NULL, main_of, task))
		abort();
}

bool sched_run(u64 with_seed, bool (*other)(void))
{
	unsigned int i;

	seed = with_seed ?: 1;
	something_else = other;
	stuck = false;
	pthread_mutex_lock(&big);
	turn = choose();
	if (turn)
		pthread_cond_signal(&turn->go);
	while (turn)
		pthread_cond_wait(&over, &big);
	pthread_mutex_unlock(&big);
	for (i = 0; i < nr_tasks && !stuck; i++)
		pthread_join(tasks[i].thread, NULL);
	nr_tasks = 0;
	return !stuck;
}

static bool is_free(void *m)
{
	return !((struct mutex *)m)->locked;
}

void mutex_lock(struct mutex *m)
{
	sched_wait(is_free, m);
	m->locked = true;
}
