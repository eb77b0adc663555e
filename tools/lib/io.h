/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Devices and image files for the tools.  Functions print what failed, prefixed
 * with the program's name, and return 0 or -1.
 */
#ifndef _COHFS_TOOLS_IO_H
#define _COHFS_TOOLS_IO_H

#include <sys/types.h>
#include <cohfs/core_env.h>

/**
 * struct dev - an open block device or image file
 * @bytes: its size
 */
struct dev {
	const char *path;
	int fd;
	u64 bytes;
	dev_t rdev;	/* block devices only */
	bool is_block;
};

__printf(1, 2) void tool_error(const char *fmt, ...);

#define DEV_WRITE	0x1	/* else for reading */
#define DEV_SHARED	0x2	/* even while somebody else uses it */

/**
 * dev_open() - open for exclusive use, or for a look (DEV_SHARED)
 * Fails when the device is mounted or otherwise claimed, or when the image file is
 * attached to a loop device, and says by whom.
 */
int dev_open(struct dev *dev, const char *path, unsigned int flags);
int dev_close(struct dev *dev);

int dev_read(struct dev *dev, u64 off, void *buf, size_t len);
int dev_write(struct dev *dev, u64 off, const void *buf, size_t len);
/** dev_zero() - make a range read as zeros, without writing it if possible */
int dev_zero(struct dev *dev, u64 off, u64 len);
/** dev_discard() - tell a block device that its content is void; failure is fine */
void dev_discard(struct dev *dev);
int dev_sync(struct dev *dev);

#endif /* _COHFS_TOOLS_IO_H */
