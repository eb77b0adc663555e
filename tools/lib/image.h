/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A filesystem as blocks: the device, and over it the changes that have not been
 * written to it yet.  Nothing reaches the device before image_commit().
 */
#ifndef _COHFS_TOOLS_IMAGE_H
#define _COHFS_TOOLS_IMAGE_H

#include "io.h"
#include "numtab.h"

/**
 * struct image - an open filesystem image
 * @blocks: whole blocks that the device has
 * @changed: block number -> new contents
 */
struct image {
	struct dev dev;
	u64 blocks;
	struct numtab changed;
};

/** image_open() - @flags as for dev_open(); 0 or -1 with a message */
int image_open(struct image *img, const char *path, unsigned int flags);
/** image_close() - forgets what was not committed */
int image_close(struct image *img);

/** image_read() - 0, or -1: the device failed (with a message) or ends before @blkno */
int image_read(struct image *img, u64 blkno, void *buf);
void image_write(struct image *img, u64 blkno, const void *buf);

/** image_commit() - write the changes, in ascending order, and flush the device */
int image_commit(struct image *img);
void image_forget(struct image *img);

static inline u64 image_changes(const struct image *img)
{
	return img->changed.used;
}

#endif /* _COHFS_TOOLS_IMAGE_H */
