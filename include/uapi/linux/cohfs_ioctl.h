/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/* Requests of ioctl(2) on files and directories of cohfs. */
#ifndef _UAPI_LINUX_COHFS_IOCTL_H
#define _UAPI_LINUX_COHFS_IOCTL_H

#include <linux/ioctl.h>
#include <linux/types.h>

/*
 * The crash test of xfstests, with the numbers of XFS: this node withdraws.
 * The argument says what reaches the disk before that.
 */
#define COHFS_IOC_GOINGDOWN		_IOR('X', 125, __u32)
#define COHFS_GOING_DEFAULT		0	/* all there is: as a frozen filesystem */
#define COHFS_GOING_LOGFLUSH		1	/* the journal, not the data */
#define COHFS_GOING_NOLOGFLUSH		2	/* nothing more */

#endif /* _UAPI_LINUX_COHFS_IOCTL_H */
