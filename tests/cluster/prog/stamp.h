/* SPDX-License-Identifier: GPL-2.0-only */
/* Words that say which version of which word of a file they are. */
#ifndef _COHFS_TEST_STAMP_H
#define _COHFS_TEST_STAMP_H

#include <stdbool.h>
#include <stdint.h>
#include "prog.h"

#define WORDS_PER_PAGE (PAGE / 8)
/* The unit between page and file in which a filesystem may divide its locks. */
#define REGION (512 * PAGE)

/** stamp() - word number @index of a file, in @version; version 0 is the word 0 */
uint64_t stamp(uint64_t index, uint32_t version);

/** stamp_version() - the version of a word; fails if it is no stamp of @index */
uint32_t stamp_version(uint64_t index, uint64_t value);

/* A few words of each page, first and last among them, in ascending order. */
#define SAMPLES 8

static inline unsigned int sample(unsigned int i)
{
	return i == SAMPLES - 1 ? WORDS_PER_PAGE - 1 : i * 67;
}

static inline bool is_sample(uint64_t index)
{
	unsigned int in_page = index % WORDS_PER_PAGE;

	return in_page == WORDS_PER_PAGE - 1 ||
	       (in_page % 67 == 0 && in_page / 67 < SAMPLES - 1);
}

/**
 * pages_are_atomic() - does read() see each page before or after a write() to it?
 *
 * Not on one machine, where read() copies from the frame that write() copies to.
 * Between nodes there are two frames, and one gets its bytes from the other.
 */
bool pages_are_atomic(void);

#endif /* _COHFS_TEST_STAMP_H */
