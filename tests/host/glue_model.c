// SPDX-License-Identifier: GPL-2.0-only
/*
 * Schedules for the model cluster: all of them for small cases, random ones for
 * larger.  After every step nobody may cache what another node excludes; in the end
 * everybody must have had what he wanted.
 *
 * COHFS_LONG=1 tries more; COHFS_SEED and COHFS_RUNS repeat a random run.
 */
#include "glue_check.h"
#include "glue_model.h"

static bool long_run;
static unsigned long long total_steps;

/* Random schedules --------------------------------------------------------------- */

#define MAX_STEPS	20000

static struct {
	struct ev ev;
} history[MAX_STEPS];

static void print_history(unsigned int steps)
{
	unsigned int i, from = steps > 40 ? steps - 40 : 0;

	for (i = from; i < steps; i++)
		printf("#   %u: node %u %s %u\n", i, history[i].ev.node,
		       model_ev_name(&history[i].ev), history[i].ev.arg);
	model_print();
}

/*
 * Timers are slow: a tenure ends only now and then while something else can happen,
 * otherwise nothing would ever be used in time.
 */
static unsigned int choose(const struct ev *ev, unsigned int nr)
{
	unsigned int k = check_rand() % nr;

	if (ev[k].kind == E_TENURE && check_rand() % 8)
		k = check_rand() % nr;
	return k;
}

static void run_random(u64 seed)
{
	struct ev ev[MAX_EVENTS];
	unsigned int nr, k, step;

	check_seed = seed;
	for (step = 0; step < MAX_STEPS; step++) {
		nr = model_events(ev);
		if (!nr)
			break;
		k = choose(ev, nr);
		history[step].ev = ev[k];
		model_fire(&ev[k]);
		total_steps++;
		if (model_error)
			break;
	}
	if (!model_error && step == MAX_STEPS)
		model_error = "no end: live-lock, or somebody waits in a circle";
	if (!model_error && model_unfinished())
		model_error = "nothing more happens, but somebody still waits";
	if (model_error && !check_failed_now) {
		printf("# %s (COHFS_SEED=%#llx)\n", model_error,
		       (unsigned long long)seed);
		print_history(step < MAX_STEPS ? step + 1 : step);
	}
	check(!model_error);
}

static u64 next_seed(unsigned int run)
{
	return (check_env("COHFS_SEED", 0) ?: 0x5eed0000u) + (u64)run * 0x10001 + 1;
}

static unsigned int runs(unsigned int dflt)
{
	return check_env("COHFS_RUNS", long_run ? 50 * dflt : dflt);
}

static unsigned int pick_mode(const u8 *modes, unsigned int nr)
{
	return modes[check_rand() % nr];
}

static void random_tasks(const u8 *modes, unsigned int nr_modes, unsigned int kinds)
{
	unsigned int i, t, flags;

	for (i = 0; i < W.nr; i++)
		for (t = 1 + check_rand() % 4; t; t--) {
			flags = check_rand() & kinds;
			if (flags & T_NOQUEUE)
				flags = T_NOQUEUE;
			if (flags & T_FAULT)
				flags = T_FAULT;
			model_add_task(i, pick_mode(modes, nr_modes), flags);
		}
}

static const u8 pr_ex[] = { COHFS_PR, COHFS_EX };
static const u8 all_modes[] = { COHFS_CR, COHFS_CW, COHFS_PR, COHFS_PW, COHFS_EX };

static void many_random(unsigned int nr_runs, const u8 *modes, unsigned int nr_modes,
			unsigned int kinds, void (*trouble)(void))
{
	unsigned int i, cfg;
	u64 seed;

	for (i = 0; i < nr_runs && !check_failed_now; i++) {
		seed = next_seed(i);
		check_seed = seed;
		cfg = check_rand() & (COHFS_CFG_TENURE | COHFS_CFG_SPLITS);
		model_init(2 + check_rand() % 3, cfg);
		random_tasks(modes, nr_modes, kinds);
		if (trouble)
			trouble();
		run_random(seed);
	}
}

static void test_random_readers_and_writers(void)
{
	many_random(runs(8000), pr_ex, 2, 0, NULL);
}

static void test_random_faults(void)
{
	many_random(runs(8000), pr_ex, 2, T_FAULT | T_ASYNC | T_PARTING, NULL);
}

static void test_random_noqueue(void)
{
	many_random(runs(8000), pr_ex, 2, T_NOQUEUE, NULL);
}

static void test_random_all_modes(void)
{
	many_random(runs(8000), all_modes, 5, T_FAULT | T_NOQUEUE, NULL);
}

static void late_callbacks(void)
{
	W.reorder = true;
	W.spurious = check_rand() % 4;
}

static void test_random_late_callbacks(void)
{
	many_random(runs(8000), pr_ex, 2, T_FAULT | T_NOQUEUE | T_PARTING,
		    late_callbacks);
}

static void killed_and_dropped(void)
{
	W.kills = check_rand() % 4;
	W.drops = check_rand() % 3;
	W.enomem = check_rand() % 2;
}

static void test_random_kills_and_drops(void)
{
	many_random(runs(12000), pr_ex, 2, T_FAULT | T_NOQUEUE | T_ASYNC,
		    killed_and_dropped);
}

static void recovery(void)
{
	W.recoveries = check_rand() % 3;
	W.deaths = check_rand() % W.nr;
	W.reorder = check_rand() % 2;
}

static void test_random_recovery(void)
{
	many_random(runs(12000), pr_ex, 2, T_FAULT | T_PARTING, recovery);
}

static void everything(void)
{
	killed_and_dropped();
	recovery();
	W.spurious = check_rand() % 3;
}

static void test_random_everything(void)
{
	many_random(runs(12000), all_modes, 5, T_FAULT | T_NOQUEUE | T_ASYNC,
		    everything);
}

/* Fairness -------------------------------------------------------------------------- */

/*
 * Every node has tasks that come back at once, for a long time.  The scheduler is
 * fair on average, so how often a request is overtaken by conflicting holds is a
 * small number: what was cached at first, what is queued in front, what shares a
 * grant.
 */
static void test_fairness_between_nodes(void)
{
	unsigned int i, t, run, worst = 0;

	for (run = 0; run < runs(30) && !check_failed_now; run++) {
		model_init(3, COHFS_CFG_TENURE);
		for (i = 0; i < W.nr; i++)
			for (t = 0; t < 3; t++)
				model_add_task(i, t ? COHFS_EX : COHFS_PR, T_STREAM);
		W.stream = 255;
		model_max_overtaken = 0;
		run_random(next_seed(run));
		worst = max(worst, model_max_overtaken);
	}
	printf("# overtaken at most %u times\n", worst);
	check(worst < 60);
}

/* All schedules ----------------------------------------------------------------------- */

#define MAX_DEPTH	4000

struct frame {
	struct world w;
	struct ev ev[MAX_EVENTS];
	u8 nr, next;
};

static struct frame *stack[MAX_DEPTH];
static u64 *visited;
static size_t nr_visited, visited_size;

static u64 hash_world(void)
{
	const u64 *p = (const u64 *)&W;
	u64 h = 0x9e3779b97f4a7c15ull;
	size_t i;

	BUILD_BUG_ON(sizeof(W) % sizeof(u64));
	for (i = 0; i < sizeof(W) / sizeof(u64); i++) {
		h = (h ^ p[i]) * 0xff51afd7ed558ccdull;
		h ^= h >> 32;
	}
	return h ?: 1;
}

static bool insert_hash(u64 *set, size_t size, u64 h)
{
	size_t slot = h & (size - 1);

	while (set[slot] && set[slot] != h)
		slot = (slot + 1) & (size - 1);
	if (set[slot] == h)
		return false;
	set[slot] = h;
	return true;
}

/* 64 bit hashes of states: a collision hides a state, with a chance of 1 to 10^6 */
static bool first_visit(void)
{
	size_t i, size;
	u64 *bigger;

	if (2 * nr_visited >= visited_size) {
		size = visited_size ? 2 * visited_size : 1 << 16;
		bigger = calloc(size, sizeof(*bigger));
		for (i = 0; i < visited_size; i++)
			if (visited[i])
				insert_hash(bigger, size, visited[i]);
		free(visited);
		visited = bigger;
		visited_size = size;
	}
	if (!insert_hash(visited, visited_size, hash_world()))
		return false;
	nr_visited++;
	return true;
}

/* Return: false on the end of a branch */
static bool push(unsigned int depth)
{
	struct frame *f;

	if (!stack[depth])
		stack[depth] = malloc(sizeof(*f));
	f = stack[depth];
	f->nr = model_events(f->ev);
	f->next = 0;
	if (!f->nr && model_unfinished())
		model_error = "nothing more happens, but somebody still waits";
	memcpy(&f->w, &W, sizeof(W));
	return f->nr;
}

static void report_branch(unsigned int depth)
{
	unsigned int i;

	printf("# %s\n", model_error);
	for (i = 0; i <= depth; i++) {
		const struct ev *e = &stack[i]->ev[stack[i]->next - 1];

		printf("#   %u: node %u %s %u\n", i, e->node, model_ev_name(e), e->arg);
	}
	model_print();
}

static void explore(size_t limit)
{
	unsigned int depth = 0;

	nr_visited = 0;
	if (visited)
		memset(visited, 0, visited_size * sizeof(*visited));
	W.no_counts = true;
	first_visit();
	push(0);
	for (;;) {
		struct frame *f = stack[depth];

		if (f->next == f->nr) {
			if (!depth--)
				break;
			continue;
		}
		memcpy(&W, &f->w, sizeof(W));
		model_fire(&f->ev[f->next++]);
		if (!model_error && depth + 2 == MAX_DEPTH)
			model_error = "too deep: live-lock?";
		if (!model_error && first_visit() && push(depth + 1))
			depth++;
		if (model_error) {
			report_branch(depth);
			break;
		}
		if (nr_visited >= limit)
			break;
	}
	check(!model_error);
	printf("# %zu states%s\n", nr_visited,
	       nr_visited >= limit ? ", stopped at the limit" : "");
}

static size_t limit(void)
{
	return long_run ? 40000000 : 400000;
}

static void tasks(unsigned int node, unsigned int nr, unsigned int mode,
		  unsigned int flags)
{
	while (nr--)
		model_add_task(node, mode, flags);
}

static void test_all_two_writers(void)
{
	model_init(2, 0);
	tasks(0, 3, COHFS_EX, 0);
	tasks(1, 3, COHFS_EX, 0);
	explore(limit());
}

static void test_all_upgrade_deadlock(void)
{
	model_init(2, 0);
	tasks(0, 2, COHFS_PR, 0);
	tasks(0, 1, COHFS_EX, 0);
	tasks(1, 1, COHFS_PR, 0);
	tasks(1, 2, COHFS_EX, 0);
	explore(limit());
}

static void test_all_faults(void)
{
	model_init(2, COHFS_CFG_TENURE);
	tasks(0, 1, COHFS_EX, T_FAULT);
	tasks(0, 1, COHFS_PR, T_FAULT);
	tasks(1, 1, COHFS_EX, T_ASYNC);
	tasks(1, 1, COHFS_EX, T_FAULT);
	explore(limit());
}

static void test_all_parting(void)
{
	model_init(2, COHFS_CFG_TENURE);
	tasks(0, 1, COHFS_EX, T_PARTING);
	tasks(0, 2, COHFS_PR, T_PARTING);
	tasks(1, 1, COHFS_EX, T_FAULT);
	tasks(1, 1, COHFS_EX, T_PARTING);
	explore(limit());
}

static void test_all_three_nodes(void)
{
	model_init(3, 0);
	tasks(0, 1, COHFS_EX, 0);
	tasks(0, 1, COHFS_PR, 0);
	tasks(1, 1, COHFS_PR, 0);
	tasks(1, 1, COHFS_EX, 0);
	tasks(2, 1, COHFS_EX, 0);
	explore(limit());
}

static void test_all_noqueue(void)
{
	model_init(2, 0);
	tasks(0, 1, COHFS_PR, 0);
	tasks(0, 1, COHFS_EX, T_NOQUEUE);
	tasks(1, 1, COHFS_EX, 0);
	tasks(1, 1, COHFS_PR, 0);
	explore(limit());
}

static void test_all_intents(void)
{
	model_init(2, 0);
	tasks(0, 1, COHFS_CR, 0);
	tasks(0, 1, COHFS_CW, 0);
	tasks(0, 1, COHFS_EX, 0);
	tasks(1, 1, COHFS_PR, 0);
	tasks(1, 1, COHFS_CW, 0);
	explore(limit());
}

/* A parent of a tree: parts are wanted by one node, all of it by the other. */
static void test_all_splits(void)
{
	model_init(2, COHFS_CFG_SPLITS);
	W.spurious = 1;
	tasks(0, 1, COHFS_EX, 0);
	tasks(0, 1, COHFS_CW, 0);
	tasks(1, 1, COHFS_CW, 0);
	tasks(1, 1, COHFS_PR, 0);
	explore(limit());
}

static void test_all_reordered_callbacks(void)
{
	model_init(3, 0);
	tasks(0, 1, COHFS_EX, 0);
	tasks(1, 1, COHFS_PR, 0);
	tasks(2, 1, COHFS_EX, 0);
	W.reorder = true;
	W.spurious = 1;
	explore(limit());
}

static void test_all_recovery(void)
{
	model_init(2, 0);
	tasks(0, 2, COHFS_EX, 0);
	tasks(1, 1, COHFS_PR, 0);
	tasks(1, 1, COHFS_EX, 0);
	W.recoveries = 2;
	explore(limit());
}

static void test_all_death(void)
{
	model_init(3, 0);
	tasks(0, 1, COHFS_EX, 0);
	tasks(1, 1, COHFS_EX, 0);
	tasks(2, 1, COHFS_PR, 0);
	W.deaths = 2;
	explore(limit());
}

static void test_all_drop_and_kill(void)
{
	model_init(2, 0);
	tasks(0, 2, COHFS_EX, 0);
	tasks(1, 1, COHFS_PR, T_FAULT);
	tasks(1, 1, COHFS_EX, 0);
	W.drops = 2;
	W.kills = 1;
	W.enomem = 1;
	explore(limit());
}

int main(void)
{
	unsigned int i;

	long_run = check_env("COHFS_LONG", 0);
	run_test(test_random_readers_and_writers);
	run_test(test_random_faults);
	run_test(test_random_noqueue);
	run_test(test_random_all_modes);
	run_test(test_random_late_callbacks);
	run_test(test_random_kills_and_drops);
	run_test(test_random_recovery);
	run_test(test_random_everything);
	run_test(test_fairness_between_nodes);
	run_test(test_all_two_writers);
	run_test(test_all_upgrade_deadlock);
	run_test(test_all_faults);
	run_test(test_all_parting);
	run_test(test_all_three_nodes);
	run_test(test_all_noqueue);
	run_test(test_all_intents);
	run_test(test_all_splits);
	run_test(test_all_reordered_callbacks);
	run_test(test_all_recovery);
	run_test(test_all_death);
	run_test(test_all_drop_and_kill);
	printf("# %llu random steps\n", total_steps);
	for (i = 0; i < MAX_DEPTH; i++)
		free(stack[i]);
	free(visited);
	return check_done();
}
