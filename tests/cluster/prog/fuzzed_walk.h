/* SPDX-License-Identifier: GPL-2.0-only */
/* Everything that can be done with a filesystem which may be damaged; errors are fine. */
#ifndef _COHFS_TEST_FUZZED_WALK_H
#define _COHFS_TEST_FUZZED_WALK_H

/**
 * walk() - look at all of the filesystem, then change it
 * @dir: where it is mounted; nothing of it is open afterwards
 * @choice: which of the files that need not all be read
 * @step: told what comes next
 * @count: told what each call returned; negative: it failed
 */
void walk(const char *dir, unsigned long choice, void (*step)(const char *what),
	  void (*count)(long ret));

#endif /* _COHFS_TEST_FUZZED_WALK_H */
