// SPDX-License-Identifier: GPL-2.0-only
/*
 * Litmus tests of the x86 memory model with the tasks on different nodes.
 *
 * Locations are words in pages of their own, by turns in one file or in two.
 * Before each run the nodes touch the pages in random ways, so that rights are
 * cached in random places when the tasks start.  Outcomes that TSO forbids must
 * not be seen.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include "prog.h"

enum { X, Y, NR_LOCATIONS };
enum kind { END, LOAD, STORE, FENCE, ADD };

struct op {
	enum kind kind;
	int location;
	int value;	/* STORE: what; LOAD, ADD: register of the task, 0..1 */
};

#define MAX_TASKS 4
#define MAX_OPS 3
#define REGS 2

struct outcome {
	int reg[MAX_TASKS][REGS];
	int final[NR_LOCATIONS];
};

struct litmus {
	const char *name;
	int tasks;
	struct op op[MAX_TASKS][MAX_OPS + 1];
	bool (*forbidden)(const struct outcome *o);
};

#define REG(task, n) (o->reg[task][n])

static bool mp(const struct outcome *o)
{
	return REG(1, 0) == 1 && REG(1, 1) == 0;
}

static bool sb(const struct outcome *o)
{
	return REG(0, 0) == 0 && REG(1, 0) == 0;
}

static bool lb(const struct outcome *o)
{
	return REG(0, 0) == 1 && REG(1, 0) == 1;
}

static bool two_two_w(const struct outcome *o)
{
	return o->final[X] == 1 && o->final[Y] == 1;
}

static bool s_test(const struct outcome *o)
{
	return REG(1, 0) == 1 && o->final[X] == 2;
}

static bool r_test(const struct outcome *o)
{
	return REG(1, 0) == 0 && o->final[Y] == 2;
}

static bool corr(const struct outcome *o)
{
	return REG(1, 0) > REG(1, 1);
}

static bool wrc(const struct outcome *o)
{
	return REG(1, 0) == 1 && REG(2, 0) == 1 && REG(2, 1) == 0;
}

static bool iriw(const struct outcome *o)
{
	return REG(2, 0) == 1 && REG(2, 1) == 0 && REG(3, 0) == 1 && REG(3, 1) == 0;
}

static bool adds(const struct outcome *o)
{
	return o->final[X] != 2 || REG(0, 0) == REG(1, 0);
}

#define ST(l, v) { STORE, l, v }
#define LD(l, r) { LOAD, l, r }
#define MF { FENCE, 0, 0 }

static const struct litmus tests[] = {
	{ "MP", 2, { { ST(X, 1), ST(Y, 1) }, { LD(Y, 0), LD(X, 1) } }, mp },
	{ "SB+mfences", 2, { { ST(X, 1), MF, LD(Y, 0) },
			     { ST(Y, 1), MF, LD(X, 0) } }, sb },
	{ "LB", 2, { { LD(X, 0), ST(Y, 1) }, { LD(Y, 0), ST(X, 1) } }, lb },
	{ "2+2W", 2, { { ST(X, 1), ST(Y, 2) }, { ST(Y, 1), ST(X, 2) } }, two_two_w },
	{ "S", 2, { { ST(X, 2), ST(Y, 1) }, { LD(Y, 0), ST(X, 1) } }, s_test },
	{ "R+mfence", 2, { { ST(X, 1), ST(Y, 1) }, { ST(Y, 2), MF, LD(X, 0) } },
	  r_test },
	{ "CoRR", 2, { { ST(X, 1) }, { LD(X, 0), LD(X, 1) } }, corr },
	{ "adds", 2, { { { ADD, X, 0 } }, { { ADD, X, 0 } } }, adds },
	{ "WRC", 3, { { ST(X, 1) }, { LD(X, 0), ST(Y, 1) },
		      { LD(Y, 0), LD(X, 1) } }, wrc },
	{ "IRIW", 4, { { ST(X, 1) }, { ST(Y, 1) }, { LD(X, 0), LD(Y, 1) },
		       { LD(Y, 0), LD(X, 1) } }, iriw },
};

/* 2+2W as written forbids X=1 and Y=1; in S and R the later store is the 2. */

struct place {
	SHARED uint64_t *map[2];	/* two files of two pages */
};

static struct place place;
static long slot;		/* which word of the pages this run uses */
static bool two_files;

static SHARED uint64_t *location(int l)
{
	size_t word = slot % (PAGE / 8);

	return two_files ? place.map[l] + word :
	       place.map[0] + l * PAGE / 8 + word;
}

struct task {
	const struct op *op;
	int reg[REGS];
	pthread_barrier_t *start;
};

static void *run_task(void *arg)
{
	struct task *t = arg;

	if (t->start)
		pthread_barrier_wait(t->start);
	for (const struct op *op = t->op; op->kind != END; op++) {
		SHARED uint64_t *p = location(op->location);

		switch (op->kind) {
		case LOAD:
			t->reg[op->value] = *p;
			break;
		case STORE:
			*p = op->value;
			break;
		case FENCE:
			__atomic_thread_fence(__ATOMIC_SEQ_CST);
			break;
		case ADD:
			t->reg[op->value] = __atomic_fetch_add(p, 1, __ATOMIC_SEQ_CST);
			break;
		case END:
			break;
		}
		__asm__ volatile("" ::: "memory");
	}
	return NULL;
}

/* Runs this node's tasks at once; returns their registers, 2 bits each. */
static uint64_t run_own(const struct litmus *l)
{
	struct task tasks[MAX_TASKS] = { 0 };
	pthread_t threads[MAX_TASKS];
	pthread_barrier_t start;
	unsigned int own = 0;
	uint64_t packed = 0;

	for (int t = prog.node; t < l->tasks; t += prog.nodes)
		tasks[own++].op = l->op[t];
	if (own == 1)
		run_task(&tasks[0]);
	if (own > 1) {
		pthread_barrier_init(&start, NULL, own);
		for (unsigned int i = 0; i < own; i++) {
			tasks[i].start = &start;
			if (pthread_create(&threads[i], NULL, run_task, &tasks[i]))
				fail("cannot start a thread");
		}
		for (unsigned int i = 0; i < own; i++)
			pthread_join(threads[i], NULL);
	}
	for (unsigned int i = 0; i < own; i++)
		for (int r = 0; r < REGS; r++)
			packed |= (uint64_t)(tasks[i].reg[r] & 3) <<
				  2 * ((prog.node + i * prog.nodes) * REGS + r);
	return packed;
}

/* Caches rights here and there; the same draw on no two nodes. */
static void touch(void)
{
	for (int l = 0; l < NR_LOCATIONS; l++) {
		switch (rnd() % 4) {
		case 0:
			(void)*location(l);
			break;
		case 1:
			__atomic_fetch_or(location(l), 0, __ATOMIC_SEQ_CST);
			break;
		}
	}
}

#define O(task, n) (o.reg[task][n])

static void run_once(const struct litmus *l, long *seen)
{
	struct outcome o = { 0 };
	uint64_t packed;

	touch();
	barrier();
	packed = run_own(l);
	/* Every task has its own bits, so the sum is the union. */
	packed = exchange(packed, NULL);
	for (int t = 0; t < l->tasks; t++)
		for (int r = 0; r < REGS; r++)
			o.reg[t][r] = packed >> 2 * (t * REGS + r) & 3;
	for (int i = 0; i < NR_LOCATIONS; i++)
		o.final[i] = *location(i);
	CHECK(!l->forbidden(&o),
	      "run %ld in %s: registers %d %d, %d %d, %d %d, %d %d, final %d %d", slot,
	      two_files ? "two files" : "one file", O(0, 0), O(0, 1), O(1, 0), O(1, 1),
	      O(2, 0), O(2, 1), O(3, 0), O(3, 1), o.final[X], o.final[Y]);
	seen[hash64(packed * 16 + o.final[X] * 4 + o.final[Y]) % 64]++;
}

static void open_places(void)
{
	const size_t len = NR_LOCATIONS * PAGE;

	for (int i = 0; i < 2; i++) {
		if (prog.node == 0)
			make_file(at("litmus.%d", i), len, false);
		barrier();
		place.map[i] = map_file(open_file(at("litmus.%d", i), O_RDWR), len,
					PROT_READ | PROT_WRITE, MAP_SHARED);
	}
}

/* Fresh words when the pages are used up. */
static void next_slot(void)
{
	two_files = ++slot % 2;
	if (slot % (PAGE / 8))
		return;
	barrier();
	if (prog.node == 0)
		for (int i = 0; i < 2; i++)
			memset((void *)place.map[i], 0, NR_LOCATIONS * PAGE);
	barrier();
}

int main(int argc, char **argv)
{
	long outcomes = 0;

	prog.count = 30;
	prog_init(argc, argv, "litmus");
	open_places();
	barrier();
	for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
		long seen[64] = { 0 };

		prog.step = tests[i].name;
		for (long n = 0; n < prog.count; n++) {
			next_slot();
			run_once(&tests[i], seen);
		}
		for (int s = 0; s < 64; s++)
			outcomes += !!seen[s];
	}
	return prog_end("%zu tests, %ld runs each, %ld kinds of outcome, none forbidden",
			ARRAY_SIZE(tests), prog.count, outcomes);
}
