/* SPDX-License-Identifier: GPL-2.0-only */
/* Parts of the bench: what it can measure, and how it measures it. */
#ifndef _COHFS_TEST_BENCH_H
#define _COHFS_TEST_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "prog.h"

/**
 * struct pattern - a way in which nodes use one file, or files of their own
 * @record: bytes per call, for patterns that have calls
 * @fresh: the file is new in every window
 * @round: operations after which a node has been wherever it goes; 1 if it goes on
 *	to new places for ever
 * @make: once, before the first window: what does not have to be new
 * @open: before a window
 * @op: one operation, which is one store or one call; it is timed
 * @close: after a window: all nodes have stopped; checks what was stored
 *
 * @shared is false in windows in which every node has a file of its own.
 */
struct pattern {
	const char *mode;
	size_t record;
	bool fresh;
	uint64_t (*round)(const struct pattern *p);
	void (*make)(const struct pattern *p);
	void (*open)(const struct pattern *p, bool shared);
	void (*op)(const struct pattern *p);
	void (*close)(const struct pattern *p, bool shared);
};

/* Each ends with an entry without a mode. */
extern const struct pattern store_patterns[];	/* bench_stores.c */
extern const struct pattern record_patterns[];	/* bench_records.c */

/* Values that readers have seen change in this window; patterns count it. */
extern uint64_t pairs_seen;

/**
 * run_pairs() - windows in turn, own files and one file, -c pairs of -t seconds each
 *
 * Not counted: the first round of each node, in which it meets the others, and then
 * SETTLING of the window.  Every node reports every window, how long its first round
 * took, and in the end how long its operations took.
 */
int run_pairs(const struct pattern *p);
#define SETTLING 0.2

/* bench_words.c */
int bench_handovers(bool by_stores);
int bench_follow(void);
/* bench_names.c: how many nodes create and unlink, and where */
int bench_names(const char *dir, bool all);

#endif /* _COHFS_TEST_BENCH_H */
