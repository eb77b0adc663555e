// SPDX-License-Identifier: GPL-2.0-only
/* Pairs of create and unlink per second. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "bench.h"

/* A result is exchanged as an integer: thousandths are exact enough. */
#define SCALE 1000.0

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

int bench_names(const char *dir, bool all)
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
