/* SPDX-License-Identifier: GPL-2.0-only */
/* Ways to damage the test filesystem, at random. */
#ifndef _COHFS_TEST_FSCK_DAMAGE_H
#define _COHFS_TEST_FSCK_DAMAGE_H

#include "fsck_build.h"

/**
 * struct damage - what was done to one image
 * @hit: by block: it was changed, or lost what a journal had for it
 * @text: for people
 */
struct damage {
	u8 *hit;
	char text[1024];
};

/** damage_reset() - none so far; what follows is decided by @seed */
void damage_reset(struct damage *dm, u64 seed);
/** damage_blind() - knows nothing: bits, bytes, blocks, zeros */
void damage_blind(struct damage *dm);
/** damage_knowing() - knows the format; checksums are right afterwards */
void damage_knowing(struct damage *dm);

#endif /* _COHFS_TEST_FSCK_DAMAGE_H */
