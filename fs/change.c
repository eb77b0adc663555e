// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the operations on names have in common: transactions that change directories,
 * the last link, locks of several inodes.
 */
#include <linux/buffer_head.h>
#include "change.h"
#include "inode.h"
#include "log.h"
#include "orphan.h"

/* Transactions ----------------------------------------------------------------------- */

int cohfs_change_begin(struct cohfs_change *ch, struct cohfs_sb *cs, u64 goal,
		       int credits)
{
	int err;

	ch->cs = cs;
	ch->resv = (struct cohfs_resv) { };
	if (ch->plan.blocks) {
		err = cohfs_alloc_reserve(cs, goal, ch->plan.blocks, &ch->resv);
		if (err)
			return err;
	}
	ch->handle = cohfs_trans_begin(cs, credits + ch->plan.credits +
				       ch->resv.credits);
	if (!IS_ERR(ch->handle))
		return 0;
	cohfs_resv_end(cs, &ch->resv);
	return PTR_ERR(ch->handle);
}

int cohfs_change_end(struct cohfs_change *ch, int err)
{
	int err2 = cohfs_trans_end(ch->handle);

	cohfs_resv_end(ch->cs, &ch->resv);
	return err ? err : err2;
}

void cohfs_change_torn(struct cohfs_change *ch, const char *what, int err)
{
	if (err)
		cohfs_withdraw(ch->cs, "%s failed half-way: error %d", what, err);
}

/* Names and links ------------------------------------------------------------------------- */

/*
 * The VFS repeats an operation once.  Who loses that race as well is told that the name
 * he saw is gone, which it is: the same answer as from GFS2 and OCFS2.
 */
int cohfs_name_changed(struct inode *dir)
{
	struct cohfs_inode *ci = COHFS_I(dir);

	if (READ_ONCE(ci->ci_claim_task) != current)
		return -ESTALE;
	WRITE_ONCE(ci->ci_claim_task, NULL);
	return -ENOENT;
}

int cohfs_check_name(struct inode *dir, const struct qstr *name,
		     const struct inode *inode)
{
	struct cohfs_dirtarget target;
	int err;

	if (!dir->i_nlink)
		return -ENOENT;
	err = cohfs_dir_lookup(dir, name, &target);
	if (err)
		return err;
	return cohfs_dirtarget_is(&target, inode) ? 0 : -ESTALE;
}

int cohfs_check_named(struct inode *dir, struct inode *inode)
{
	if (!inode->i_nlink || (S_ISDIR(inode->i_mode) && inode->i_nlink < 2))
		return cohfs_corrupt(dir->i_sb, inode->i_ino, "link count");
	if (check_sticky(&nop_mnt_idmap, dir, inode) || IS_APPEND(dir) ||
	    IS_APPEND(inode) || IS_IMMUTABLE(inode))
		return -EPERM;
	return 0;
}

int cohfs_drop_link(struct cohfs_change *ch, struct inode *inode)
{
	int err = 0;

	inode_set_ctime_current(inode);
	if (S_ISDIR(inode->i_mode))
		clear_nlink(inode);
	else
		drop_nlink(inode);
	if (!inode->i_nlink && S_ISREG(inode->i_mode))
		cohfs_disksize_unlinked(inode);
	if (!inode->i_nlink)
		err = cohfs_orphan_add(ch->handle, inode, &ch->resv);
	return err ? err : cohfs_inode_write(ch->handle, inode);
}

/* Several locks at once ---------------------------------------------------------------------- */

int cohfs_attr_lock_all(struct inode **inode, unsigned int count)
{
	unsigned int i;
	int err;

	for (i = 0; i < count; i++) {
		err = cohfs_attr_lock_write(inode[i]);
		if (err) {
			cohfs_attr_unlock_all(inode, i);
			return err;
		}
	}
	return 0;
}

void cohfs_attr_unlock_all(struct inode **inode, unsigned int count)
{
	while (count--)
		cohfs_attr_unlock(inode[count], COHFS_EX);
}

int cohfs_dir_sem_all(struct inode **dir, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		if (down_write_killable_nested(&COHFS_I(dir[i])->ci_dir_sem, i)) {
			cohfs_dir_sem_release(dir, i);
			return -EINTR;
		}
	}
	return 0;
}

void cohfs_dir_sem_release(struct inode **dir, unsigned int count)
{
	while (count--)
		up_write(&COHFS_I(dir[count])->ci_dir_sem);
}
