// SPDX-License-Identifier: GPL-2.0-only
/* ioctl(2) on files and directories. */
#include <linux/capability.h>
#include <linux/cohfs_ioctl.h>
#include <linux/fs.h>
#include <linux/uaccess.h>
#include "ioctl.h"
#include "log.h"
#include "super.h"

static int going_down(struct super_block *sb, u32 how)
{
	struct cohfs_sb *cs = COHFS_SB(sb);
	int err;

	switch (how) {
	case COHFS_GOING_DEFAULT:
		/* this node only */
		err = freeze_super(sb, FREEZE_HOLDER_KERNEL | FREEZE_MAY_NEST);
		if (err)
			return err;
		cohfs_withdraw(cs, "shut down by ioctl");
		return thaw_super(sb, FREEZE_HOLDER_KERNEL | FREEZE_MAY_NEST);
	case COHFS_GOING_LOGFLUSH:
		/* should this fail, it has withdrawn */
		err = cohfs_log_commit(cs, true);
		cohfs_withdraw(cs, "shut down by ioctl, data not flushed");
		return err;
	case COHFS_GOING_NOLOGFLUSH:
		cohfs_withdraw(cs, "shut down by ioctl, nothing flushed");
		return 0;
	default:
		return -EINVAL;
	}
}

long cohfs_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct super_block *sb = file_inode(file)->i_sb;
	u32 how;

	switch (cmd) {
	case COHFS_IOC_GOINGDOWN:
		if (!capable(CAP_SYS_ADMIN))
			return -EPERM;
		if (get_user(how, (u32 __user *)arg))
			return -EFAULT;
		return going_down(sb, how);
	default:
		return -ENOTTY;
	}
}
