/* SPDX-License-Identifier: GPL-2.0-only */
/* ioctl(2), see <linux/cohfs_ioctl.h>. */
#ifndef _COHFS_IOCTL_H
#define _COHFS_IOCTL_H

struct file;

long cohfs_ioctl(struct file *file, unsigned int cmd, unsigned long arg);

#endif /* _COHFS_IOCTL_H */
