// SPDX-License-Identifier: GPL-2.0-only
/* One word: handed over in turns, and followed by readers. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>
#include <time.h>
#include "bench.h"
#include "measure.h"
#include "turns.h"

static uint64_t window[2][NR_COUNTERS];

static void measure_window(int ends)
{
	measure_read(window[ends]);
}

int bench_handovers(bool by_stores)
{
	double took;
	uint64_t turns;

	measure_open(prog.dir);
	turns_window = measure_window;
	turns = turns_take(by_stores ? TURNS_STORE : TURNS_LOAD, &took);
	for (int i = 0; i < NR_COUNTERS; i++) {
		uint64_t sum = exchange(window[1][i] - window[0][i], NULL);

		if (prog.node == 0)
			report("%s=%.3f", measure_names[i], (double)sum / turns);
	}
	measure_close();
	if (prog.node == 0)
		report("rate=%.2f handovers=%lu seconds=%.2f", turns / took, turns, took);
	return prog_end("%.1f hand-overs/s", turns / took);
}

static uint64_t write_at_100_hz(SHARED uint64_t *word)
{
	struct timespec next;
	uint64_t n = prog.seconds * 100;

	clock_gettime(CLOCK_MONOTONIC, &next);
	for (uint64_t i = 1; i <= n; i++) {
		*word = i;
		next.tv_nsec += 10000000;
		if (next.tv_nsec >= 1000000000) {
			next.tv_nsec -= 1000000000;
			next.tv_sec++;
		}
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
	}
	return n;
}

static uint64_t follow(SHARED uint64_t *word)
{
	const uint64_t end = prog.seconds * 100;
	uint64_t last = 0, seen = 0;

	/* All but the last value may be missed. */
	while (last != end) {
		uint64_t v = *word;

		CHECK(v >= last, "went back from %lu to %lu", last, v);
		seen += v != last;
		last = v;
	}
	return seen;
}

int bench_follow(void)
{
	SHARED uint64_t *word;
	uint64_t all[MAX_NODES], n, seen;
	double share;
	int fd;

	if (prog.node == 0)
		make_file(at("follow"), PAGE, false);
	barrier();
	fd = open_file(at("follow"), O_RDWR);
	word = map_file(fd, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED);
	CHECK(!*word, "not empty");
	barrier();
	n = prog.node ? follow(word) : write_at_100_hz(word);
	seen = exchange(n, all) - all[0];
	share = prog.nodes > 1 ? (double)seen / (prog.nodes - 1) / all[0] : 0;
	if (prog.node == 0)
		report("seen=%.4f written=%lu", share, all[0]);
	return prog_end("%.0f %% of %lu values", 100 * share, all[0]);
}
