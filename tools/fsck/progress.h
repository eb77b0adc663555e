/* SPDX-License-Identifier: GPL-2.0-only */
/* How far the check has got, for people or for a program that shows it. */
#ifndef _COHFS_FSCK_PROGRESS_H
#define _COHFS_FSCK_PROGRESS_H

#include <stdio.h>
#include <time.h>
#include <cohfs/core_env.h>

/**
 * struct progress - where to
 * @out: NULL: nowhere
 * @bar: a bar on a terminal, else lines "PHASE DONE TOTAL DEVICE"
 * @phase, @done, @total: as last told
 * @shown: when that was, seconds
 * @on_screen: there is a bar to be wiped away before other output
 */
struct progress {
	FILE *out;
	bool bar;
	const char *device;
	u32 phase;
	const char *name;
	u64 done;
	u64 total;
	time_t shown;
	bool on_screen;
};

void progress_phase(struct progress *pr, u32 phase, const char *name, u64 total);
void progress_to(struct progress *pr, u64 done);
/** progress_wipe() - something else is about to be printed */
void progress_wipe(struct progress *pr);

#endif /* _COHFS_FSCK_PROGRESS_H */
