// SPDX-License-Identifier: GPL-2.0-only
/*
 * Figures of a cluster filesystem, the same program for all of them.
 *
 * -m alternate	hand-overs/s of one word, and what the kernels did for each;
 *		waits for its turn by storing to the page
 * -m polling	the same, waiting with plain loads
 * -m neighbours	stores to neighbouring pages of one file, as a share of
 *		stores to files of their own, and the longest stall
 * -m alone, -m own, -m shared	create+unlink/s: one node, nodes in directories
 *		of their own, nodes in one
 * -m follow	how many of a 100 Hz writer's values a reader sees
 *
 * Each measures for -t seconds.  Results are "data" lines of node 0.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "measure.h"
#include "prog.h"
#include "turns.h"

#define RW (PROT_READ | PROT_WRITE)
/* A result is exchanged as an integer: thousandths are exact enough. */
#define SCALE 1000.0

static uint64_t window[2][NR_COUNTERS];

static void measure_window(int ends)
{
	measure_read(window[ends]);
}

static int alternate(enum turns_how how)
{
	static const char * const names[] = { "messages", "reads", "writes", "flushes" };
	double took;
	uint64_t turns;

	measure_open(prog.dir);
	turns_window = measure_window;
	turns = turns_take(how, &took);
	for (int i = 0; i < NR_COUNTERS; i++) {
		uint64_t sum = exchange(window[1][i] - window[0][i], NULL);

		if (prog.node == 0)
			report("%s=%.3f", names[i], (double)sum / turns);
	}
	measure_close();
	if (prog.node == 0)
		report("rate=%.2f handovers=%lu seconds=%.2f", turns / took, turns, took);
	return prog_end("%.1f hand-overs/s", turns / took);
}

/* Stores ------------------------------------------------------------------- */

struct stores {
	uint64_t count;
	double stall;	/* longest time that one store took */
};

static double ticks_per_second(void)
{
	double begun = now();
	uint64_t from = tsc();

	sleep_for(0.1);
	return (tsc() - from) / (now() - begun);
}

static struct stores store_for(SHARED uint64_t *word, double ticks)
{
	uint64_t start = tsc(), last = start, longest = 0, t;
	const uint64_t end = start + prog.seconds * ticks;
	struct stores s = { 0 };

	do {
		*word = ++s.count;
		t = tsc();
		if (t - last > longest)
			longest = t - last;
		last = t;
	} while (t < end);
	CHECK(*word == s.count, "stored %lu, found %lu", s.count, *word);
	s.stall = longest / ticks;
	return s;
}

static struct stores store_to(const char *name, size_t page, size_t pages)
{
	SHARED uint64_t *map;
	const double ticks = ticks_per_second();
	struct stores s;
	int fd;

	fd = open_file(name, O_RDWR);
	map = map_file(fd, pages * PAGE, RW, MAP_SHARED);
	map[page * PAGE / 8] = 0;
	barrier();
	s = store_for(map + page * PAGE / 8, ticks);
	barrier();
	munmap((void *)map, pages * PAGE);
	close(fd);
	return s;
}

static double most(double value)
{
	uint64_t all[MAX_NODES], max = 0;

	exchange(value * 1e6, all);
	for (int i = 0; i < prog.nodes; i++)
		if (all[i] > max)
			max = all[i];
	return max / 1e6;
}

static int neighbours(void)
{
	uint64_t own_sum, shared_sum;
	double own_stall, shared_stall;
	struct stores s;

	make_file(at("own.%d", prog.node), PAGE, false);
	if (prog.node == 0)
		make_file(at("shared"), prog.nodes * PAGE, false);
	barrier();
	prog.step = "files of their own";
	s = store_to(at("own.%d", prog.node), 0, 1);
	own_sum = exchange(s.count, NULL);
	own_stall = most(s.stall);
	prog.step = "one file";
	s = store_to(at("shared"), prog.node, prog.nodes);
	shared_sum = exchange(s.count, NULL);
	shared_stall = most(s.stall);
	if (prog.node == 0)
		report("share=%.4f stall_ms=%.1f own_stall_ms=%.1f own_rate=%.0f",
		     (double)shared_sum / own_sum, shared_stall * 1e3,
		     own_stall * 1e3, own_sum / prog.seconds);
	return prog_end("%.1f %% of the speed on own files",
			100.0 * shared_sum / own_sum);
}

/* Names -------------------------------------------------------------------- */

static double create_and_unlink(const char *dir)
{
	enum { DELAY = 100 };	/* names that exist at any time */
	double begun = now();
	long n = 0;

	do {
		char path[600];

		snprintf(path, sizeof(path), "%s/%d-%ld", dir, prog.node, n);
		close(open_file(path, O_CREAT | O_EXCL | O_WRONLY));
		if (n++ < DELAY)
			continue;
		snprintf(path, sizeof(path), "%s/%d-%ld", dir, prog.node,
			 n - 1 - DELAY);
		SYS(unlink(path));
	} while (now() - begun < prog.seconds);
	return n / (now() - begun);
}

static int rate_of_names(const char *dir, bool all)
{
	uint64_t sum, rate = 0;

	if (mkdir(dir, 0755) && errno != EEXIST)
		fail("mkdir %s: %m", dir);
	barrier();
	if (all || prog.node == 0)
		rate = create_and_unlink(dir) * SCALE;
	sum = exchange(rate, NULL);
	if (prog.node == 0)
		report("rate=%.1f", sum / SCALE);
	return prog_end("%.0f names/s", sum / SCALE);
}

/* Following ---------------------------------------------------------------- */

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

static int follower(void)
{
	SHARED uint64_t *word;
	uint64_t all[MAX_NODES], n;
	int fd;

	if (prog.node == 0)
		make_file(at("follow"), PAGE, false);
	barrier();
	fd = open_file(at("follow"), O_RDWR);
	word = map_file(fd, PAGE, RW, MAP_SHARED);
	CHECK(!*word, "not empty");
	barrier();
	n = prog.node ? follow(word) : write_at_100_hz(word);
	exchange(n, all);
	if (prog.node == 0)
		report("seen=%.4f written=%lu", (double)all[1] / all[0], all[0]);
	return prog_end("%lu of %lu values", all[1], all[0]);
}

int main(int argc, char **argv)
{
	prog.seconds = 30;
	prog_init(argc, argv, "bench");
	prog.step = "measuring";
	if (!strcmp(prog.mode, "alternate"))
		return alternate(TURNS_STORE);
	if (!strcmp(prog.mode, "polling"))
		return alternate(TURNS_LOAD);
	if (!strcmp(prog.mode, "neighbours"))
		return neighbours();
	if (!strcmp(prog.mode, "alone"))
		return rate_of_names(at("alone"), false);
	if (!strcmp(prog.mode, "own"))
		return rate_of_names(at("own-dir.%d", prog.node), true);
	if (!strcmp(prog.mode, "shared"))
		return rate_of_names(at("one-dir"), true);
	if (!strcmp(prog.mode, "follow"))
		return follower();
	fail("unknown mode %s", prog.mode);
}
