/* SPDX-License-Identifier: GPL-2.0-only */
/* Is what was not damaged still there? */
#ifndef _COHFS_TEST_FSCK_COMPARE_H
#define _COHFS_TEST_FSCK_COMPARE_H

#include "fsck_build.h"

/**
 * compare_model() - the filesystem on the disk against the model
 * @damaged: by block: it was hit; NULL: none was
 *
 * An inode none of whose metadata was hit has its attributes and, where its data was not
 * hit, its contents.  A directory of which nothing was hit has those of its names whose
 * inodes were not hit.  An inode that was not hit has some name.
 * Return: number of differences, with messages on stderr.
 */
u32 compare_model(const u8 *damaged);

#endif /* _COHFS_TEST_FSCK_COMPARE_H */
