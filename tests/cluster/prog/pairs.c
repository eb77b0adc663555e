// SPDX-License-Identifier: GPL-2.0-only
/*
 * Windows in turn on files of their own and on one file, so that whatever slows
 * the machine down for a while slows both down.
 *
 * Counting starts when every node has been wherever it goes and a part of the window
 * has passed: by then mappings, locks and read-ahead are as they will be.  Kernel
 * counters are read by each node when it starts and when it stops, never in between.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include "bench.h"
#include "measure.h"

/* Durations in ticks, eight classes to each power of two. */
#define CLASSES (62 * 8)

struct window {
	uint64_t ops;
	uint64_t ticks;
	uint64_t longest;
	uint64_t first_round;
	uint64_t counted[NR_COUNTERS];
};

uint64_t pairs_seen;

static uint64_t classes[2][CLASSES];	/* own, shared */

static unsigned int class_of(uint64_t ticks)
{
	unsigned int e;

	if (ticks < 8)
		return ticks;
	e = 63 - __builtin_clzl(ticks);
	return (e - 2) * 8 + (ticks >> (e - 3) & 7);
}

static double ticks_per_second(void)
{
	double begun = now();
	uint64_t from = tsc();

	sleep_for(0.2);
	return (tsc() - from) / (now() - begun);
}

static void first_round(const struct pattern *p, struct window *w)
{
	const uint64_t begun = tsc();

	for (uint64_t i = p->round(p); i; i--)
		p->op(p);
	w->first_round = tsc() - begun;
}

static void settle(const struct pattern *p, uint64_t ticks)
{
	const uint64_t begun = tsc();

	do {
		p->op(p);
	} while (tsc() - begun < ticks);
}

static void count(const struct pattern *p, uint64_t ticks, uint64_t *hist, struct window *w)
{
	const uint64_t begun = tsc();
	uint64_t last = begun, t;

	do {
		p->op(p);
		t = tsc();
		hist[class_of(t - last)]++;
		if (t - last > w->longest)
			w->longest = t - last;
		last = t;
		w->ops++;
	} while (t - begun < ticks);
	w->ticks = t - begun;
}

static void one_window(const struct pattern *p, bool shared, double ticks, struct window *w)
{
	uint64_t before[NR_COUNTERS], after[NR_COUNTERS];

	barrier();
	first_round(p, w);
	barrier();
	settle(p, prog.seconds * SETTLING * ticks);
	measure_read(before);
	pairs_seen = 0;
	count(p, prog.seconds * (1 - SETTLING) * ticks, classes[shared], w);
	measure_read(after);
	barrier();
	for (int i = 0; i < NR_COUNTERS; i++)
		w->counted[i] = after[i] - before[i];
}

static void report_window(long pair, bool shared, const struct window *w, double ticks)
{
	char counters[256] = "";
	size_t len = 0;

	for (int i = 0; i < NR_COUNTERS; i++)
		len += snprintf(counters + len, sizeof(counters) - len, " %s=%lu",
				measure_names[i], w->counted[i]);
	report("pair=%ld shared=%d ops=%lu seconds=%.4f longest=%.6f round=%.6f seen=%lu%s",
	       pair, shared, w->ops, w->ticks / ticks, w->longest / ticks,
	       w->first_round / ticks, pairs_seen, counters);
}

/* Lower bound of each class in seconds, and how many operations fell into it. */
static void report_classes(bool shared, double ticks)
{
	for (unsigned int c = 0; c < CLASSES; c++) {
		uint64_t from = c < 8 ? c : (8UL + (c & 7)) << (c / 8 - 1);

		if (classes[shared][c])
			report("class=%.9f in=%d count=%lu", from / ticks, shared,
			       classes[shared][c]);
	}
}

int run_pairs(const struct pattern *p)
{
	const double ticks = ticks_per_second();

	prog.step = "making files";
	measure_open(prog.dir);
	p->make(p);
	barrier();
	for (long pair = 0; pair < prog.count; pair++) {
		for (int shared = 0; shared <= 1; shared++) {
			struct window w = { 0 };

			prog.step = shared ? "one file" : "files of their own";
			p->open(p, shared);
			one_window(p, shared, ticks, &w);
			p->close(p, shared);
			report_window(pair, shared, &w, ticks);
		}
	}
	report_classes(false, ticks);
	report_classes(true, ticks);
	measure_close();
	return prog_end("%ld pairs of windows", prog.count);
}
