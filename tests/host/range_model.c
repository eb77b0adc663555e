// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random schedules for the real code of range locks on two to four modelled nodes.  After
 * every step no page may be in core where another node excludes it, what is read must be
 * what was written last, and nothing that was written may be lost; in the end every task
 * must have had its way and every lock must be gone.
 *
 * COHFS_LONG=1 tries more; COHFS_SEED and COHFS_RUNS repeat a random run,
 * COHFS_TRACE=1 tells what happened.
 */
#include <signal.h>
#include <unistd.h>
#include "glue_check.h"
#include "range_model.h"

#define MAX_STEPS	400000
#define PATIENCE	50000
#define MAX_OVERTAKEN	150

static bool long_run;
static unsigned long long total_steps;
static unsigned int worst_overtaken;

static u64 next_seed(unsigned int run)
{
	return (check_env("COHFS_SEED", 0) ?: 0x5eed0000u) + (u64)run * 0x10001 + 1;
}

static unsigned int runs(unsigned int dflt)
{
	return check_env("COHFS_RUNS", long_run ? 50 * dflt : dflt);
}

static void set_tunables(void)
{
	cohfs_range_tunables.split_max = model_rand() % 3 ? 64 : model_rand() % 4;
	cohfs_range_tunables.idle_ms = 10 << model_rand() % 10;
	cohfs_range_tunables.climb_ms = 10 << model_rand() % 8;
	cohfs_range_tunables.climb_max_ms = 1000;
	cohfs_range_tunables.locks_max = model_rand() % 2 ? 1000 : model_rand() % 6;
}

static void report(u64 seed)
{
	printf("# %s (COHFS_SEED=%#llx COHFS_RUNS=1, step %lu)\n", model_error,
	       (unsigned long long)(seed - 1), model_steps);
	tasks_print();
	lm_print();
	sched_print();
}

static void run(void)
{
	while (!model_error && sched_step()) {
		tasks_check();
		/* who lets everything go all the time can keep others from using it */
		if (++model_steps == PATIENCE)
			W.worker = 8192;
		if (model_steps == MAX_STEPS)
			violated("no end: live-lock, or somebody waits in a circle");
	}
	total_steps += model_steps;
	if (!model_error && sched_tasks())
		violated("nothing more happens, but somebody still waits");
	if (!model_error && !lm_quiet())
		violated("a lock is left");
}

static void begin_world(u64 seed)
{
	unsigned int i;

	memset(&W, 0, sizeof(W));
	model_seed(seed);
	for (i = 0; i < 4; i++)
		model_rand();
	sched_reset();
	lm_reset();
	W.nr = 2 + model_rand() % 3;
	W.size = model_rand() % 4 ? NR_PAGES : model_rand() % NR_PAGES;
	W.pause = 1 << model_rand() % 5;
	W.worker = 1024;
	W.reorder = model_rand() % 2;
	W.no_cache = model_rand() % 2;
	set_tunables();
}

static void many(unsigned int nr, void (*trouble)(void))
{
	unsigned int i;
	u64 seed;

	for (i = 0; i < nr && !check_failed_now; i++) {
		seed = next_seed(i);
		begin_world(seed);
		if (trouble)
			trouble();
		tasks_begin(1 + model_rand() % 3);
		run();
		check(!model_error);
		if (model_error)
			report(seed);
		else
			tasks_end();
		worst_overtaken = max(worst_overtaken, tasks_overtaken());
	}
}

static void test_random_access(void)
{
	many(runs(400), NULL);
}

static void refused(void)
{
	W.may.eagain = model_rand() % 16;
	W.may.edeadlk = model_rand() % 8;
	W.may.spurious = model_rand() % 4;
}

static void test_random_refusals(void)
{
	many(runs(400), refused);
}

static void short_of_memory(void)
{
	W.may.enomem = model_rand() % 16;
}

static void test_random_lack_of_memory(void)
{
	many(runs(400), short_of_memory);
}

static void killed(void)
{
	W.may.kills = 1 + model_rand() % 4;
}

static void test_random_kills(void)
{
	many(runs(400), killed);
}

/*
 * Locks are let go and asked for by the worker all the time.  Refusals make a node
 * believe that it is not alone, so that it has children when it climbs.
 */
static void busy_cache(void)
{
	W.nr = 1 + model_rand() % 3;
	W.worker = 16 << model_rand() % 6;
	W.hot = true;
	W.no_cache = false;
	W.may.eagain = model_rand() % 64;
	cohfs_range_tunables.idle_ms = 1000000;
	cohfs_range_tunables.climb_ms = 1;
	cohfs_range_tunables.locks_max = model_rand() % 4;
}

static void test_random_cache(void)
{
	many(runs(400), busy_cache);
}

static void everything(void)
{
	refused();
	short_of_memory();
	killed();
}

static void test_random_everything(void)
{
	many(runs(400), everything);
}

static const struct {
	const char *name;
	void (*fn)(void);
} tests[] = {
	{ "random_access", test_random_access },
	{ "random_cache", test_random_cache },
	{ "random_refusals", test_random_refusals },
	{ "random_lack_of_memory", test_random_lack_of_memory },
	{ "random_kills", test_random_kills },
	{ "random_everything", test_random_everything },
};

#ifdef __SANITIZE_ADDRESS__
static void catch_oops(void)
{
}
#else
/*
 * Where a kernel would have oopsed.  On a stack of its own: the coroutines' are small.
 * ASan says more by itself.
 */
static void oopsed(int signal)
{
	static const char text[] = "not ok oops: invalid access to memory\n";

	(void)signal;
	_exit(write(STDOUT_FILENO, text, sizeof(text) - 1) < 0 ? 2 : 1);
}

static void catch_oops(void)
{
	static char stack[65536];
	struct sigaction action = { .sa_handler = oopsed, .sa_flags = SA_ONSTACK };
	stack_t own = { .ss_sp = stack, .ss_size = sizeof(stack) };

	if (sigaltstack(&own, NULL) || sigaction(SIGSEGV, &action, NULL) ||
	    sigaction(SIGBUS, &action, NULL))
		exit(2);
}
#endif

int main(void)
{
	unsigned int i;

	catch_oops();

	long_run = check_env("COHFS_LONG", 0);
	model_tracing = check_env("COHFS_TRACE", 0);
	/* the first failure is enough: the rest would stand on its remains */
	for (i = 0; i < ARRAY_SIZE(tests) && !check_failed_ever; i++) {
		tests[i].fn();
		check_result(tests[i].name);
	}
	/* by holds elsewhere that begin later and exclude; every queue is in order */
	if (worst_overtaken > MAX_OVERTAKEN) {
		printf("not ok overtaken\n");
		check_failed_ever++;
	}
	printf("# %llu steps, overtaken at most %u times\n", total_steps, worst_overtaken);
	fflush(stdout);
	if (check_failed_ever)
		_exit(1);		/* what the failed run had is lost */
	return check_done();
}
