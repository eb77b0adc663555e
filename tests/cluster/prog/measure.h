/* SPDX-License-Identifier: GPL-2.0-only */
/* What a node's kernel did between two moments: DLM messages and disk requests. */
#ifndef _COHFS_TEST_MEASURE_H
#define _COHFS_TEST_MEASURE_H

#include <stdint.h>

enum counter {
	DLM_MESSAGES,	/* sent by this node */
	DISK_READS,	/* requests, not sectors */
	DISK_WRITES,
	DISK_FLUSHES,
	NR_COUNTERS,
};

extern const char * const measure_names[NR_COUNTERS];

/** measure_open() - find the disk under @path, start counting DLM messages */
void measure_open(const char *path);
void measure_read(uint64_t *counters);
void measure_close(void);

#endif /* _COHFS_TEST_MEASURE_H */
