/* SPDX-License-Identifier: GPL-2.0-only */
/* A tree of an image as files of this machine. */
#ifndef _COHFS_DUMP_EXTRACT_H
#define _COHFS_DUMP_EXTRACT_H

#include "../lib/volume.h"

/**
 * extract_tree() - copy directories, files, links and symlinks below @dir
 *
 * @dir is made.  Holes stay holes, hard links hard links; device nodes are left out.
 * What is damaged is reported and passed over.
 * Return: 0, or 1 if something was left out or could not be written.
 */
int extract_tree(struct volume *vol, const char *dir);

#endif /* _COHFS_DUMP_EXTRACT_H */
