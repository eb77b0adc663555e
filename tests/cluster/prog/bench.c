// SPDX-License-Identifier: GPL-2.0-only
/*
 * Figures of a cluster filesystem, the same program for all of them.
 *
 * -m alternate	hand-overs/s of one word, and what the kernels did for each;
 *		waits for its turn by storing to the page
 * -m polling	the same, waiting with plain loads
 * -m follow	how many of a 100 Hz writer's values a reader sees
 * -m alone, -m own, -m shared	create+unlink/s: one node, nodes in directories
 *		of their own, nodes in one
 *
 * and the patterns of bench_stores.c and bench_records.c, in which nodes use one
 * file and files of their own in turn; see run_pairs().
 *
 * Each measures for -t seconds, patterns for as long per window.  Results are
 * "data" lines.
 */
#include <string.h>
#include "bench.h"

static const struct pattern *find(const struct pattern *all, const char *mode)
{
	for (const struct pattern *p = all; p->mode; p++)
		if (!strcmp(p->mode, mode))
			return p;
	return NULL;
}

int main(int argc, char **argv)
{
	const struct pattern *p;

	prog.seconds = 30;
	prog.count = 5;
	prog_init(argc, argv, "bench");
	prog.step = "measuring";
	p = find(store_patterns, prog.mode) ?: find(record_patterns, prog.mode);
	if (p)
		return run_pairs(p);
	if (!strcmp(prog.mode, "alternate"))
		return bench_handovers(true);
	if (!strcmp(prog.mode, "polling"))
		return bench_handovers(false);
	if (!strcmp(prog.mode, "follow"))
		return bench_follow();
	if (!strcmp(prog.mode, "alone"))
		return bench_names(at("alone"), false);
	if (!strcmp(prog.mode, "own"))
		return bench_names(at("own-dir.%d", prog.node), true);
	if (!strcmp(prog.mode, "shared"))
		return bench_names(at("one-dir"), true);
	fail("unknown mode %s", prog.mode);
}
