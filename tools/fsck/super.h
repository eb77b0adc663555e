/* SPDX-License-Identifier: GPL-2.0-only */
/* The superblock and its copy. */
#ifndef _COHFS_FSCK_SUPER_H
#define _COHFS_FSCK_SUPER_H

#include "../lib/volume.h"
#include "problem.h"

/**
 * super_load() - find the superblock; repair it, or its copy, in the image
 * Return: 0, or -1 with a message: this filesystem cannot be checked.
 */
int super_load(struct volume *vol, struct image *img, struct problems *problems);

#endif /* _COHFS_FSCK_SUPER_H */
