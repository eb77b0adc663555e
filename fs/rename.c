// SPDX-License-Identifier: GPL-2.0-only
/*
 * rename(2), with RENAME_NOREPLACE and RENAME_EXCHANGE.
 *
 * Between two directories the rename lock of the cluster is held throughout: it
 * alone lets a directory get another ancestor, so under it the answer to "who is
 * above whom" stays true, and the I locks can be taken from above to below like
 * everywhere else.  The dcache is no authority on this, another node may have moved
 * things; the i_parent numbers on disk are.
 */
#include "change.h"
#include "dir.h"
#include "inode.h"
#include "log.h"
#include "orphan.h"

#define DEPTH_MAX	(1 << 20)	/* more levels than any real path has */

/**
 * struct move - one rename
 * @ancestor: new_dir is above old_dir
 * @target: what new_dentry stands for, NULL: nothing, or nothing any more
 * @dir: whose contents change, in the order of I; @dirs of them
 * @moved: what is moved and replaced, the same; @moves of them
 */
struct move {
	struct inode *old_dir;
	struct dentry *old_dentry;
	struct inode *inode;
	struct inode *new_dir;
	struct dentry *new_dentry;
	struct inode *target;
	bool exchange;
	bool noreplace;
	bool ancestor;
	struct inode *dir[3];
	unsigned int dirs;
	struct inode *moved[2];
	unsigned int moves;
};

static bool is_cross(const struct move *mv)
{
	return mv->old_dir != mv->new_dir;
}

/* Who is above whom --------------------------------------------------------------- */

static int parent_of(struct inode *dir, u64 *parent)
{
	int err = cohfs_attr_lock(dir, COHFS_PR);

	if (err)
		return err;
	err = dir->i_nlink ? cohfs_inode_parent(dir, parent) : -ENOENT;
	cohfs_attr_unlock(dir, COHFS_PR);
	return err;
}

/*
 * Parent of @dir, with a reference; consumes @dir.
 *
 * I of the parent comes before I of the child, so the child is let go first, and both
 * may be removed meanwhile.  Is @dir alive afterwards, then so was the parent when we
 * had O of it.
 */
static struct inode *step_up(struct inode *dir)
{
	struct super_block *sb = dir->i_sb;
	u64 parent, again;
	struct inode *up;
	int err;

	err = parent_of(dir, &parent);
	if (!err && fatal_signal_pending(current))
		err = -EINTR;
	up = err ? ERR_PTR(err) : cohfs_iget(sb, parent, 0);
	if (!IS_ERR(up)) {
		err = parent_of(dir, &again);
		if (!err && !S_ISDIR(up->i_mode))
			err = cohfs_corrupt(sb, dir->i_ino, "parent is no directory");
		if (err) {
			cohfs_inode_let_go(up);
			iput(up);
			up = ERR_PTR(err);
		}
	}
	iput(dir);
	return up;
}

/**
 * struct climb - which of some directories are met on the way to the root
 * @seek: directories, may be NULL
 */
struct climb {
	const struct inode *seek[3];
	bool met[3];
};

static int climb(struct inode *start, struct climb *cl)
{
	u64 root = COHFS_SB(start->i_sb)->geo.root_ino;
	struct inode *dir = start;
	unsigned int depth, i;

	ihold(dir);
	for (depth = 0; depth < DEPTH_MAX; depth++) {
		for (i = 0; i < ARRAY_SIZE(cl->seek); i++)
			if (dir == cl->seek[i])
				cl->met[i] = true;
		if (dir->i_ino == root) {
			iput(dir);
			return 0;
		}
		dir = step_up(dir);
		if (IS_ERR(dir))
			return PTR_ERR(dir);
	}
	iput(dir);
	return cohfs_corrupt(start->i_sb, start->i_ino, "directories form a loop");
}

/*
 * The rename lock is held.  A directory must not move below itself, nor replace one
 * that it is in (which is not empty, then).
 */
static int check_ancestry(struct move *mv)
{
	struct climb from_new = { .seek = { mv->old_dir, mv->inode, NULL } };
	struct climb from_old = { .seek = { mv->new_dir, mv->target, NULL } };
	int err;

	err = climb(mv->new_dir, &from_new);
	if (!err)
		err = climb(mv->old_dir, &from_old);
	if (err)
		return err;
	if (from_new.met[1])
		return -EINVAL;
	if (from_old.met[1])
		return mv->exchange ? -EINVAL : -ENOTEMPTY;
	mv->ancestor = from_old.met[0];
	return 0;
}

/* Locks ------------------------------------------------------------------------------ */

/*
 * Directories from above to below, then our orphan directory (no node but ours waits
 * for it with other locks held).
 */
static void order_dirs(struct move *mv)
{
	mv->dir[mv->dirs++] = mv->ancestor ? mv->new_dir : mv->old_dir;
	if (is_cross(mv))
		mv->dir[mv->dirs++] = mv->ancestor ? mv->old_dir : mv->new_dir;
	mv->dir[mv->dirs++] = cohfs_orphan_dir(COHFS_SB(mv->old_dir->i_sb));
}

/* Then what is moved and replaced: directories before others, else by number. */
static void order_moved(struct move *mv)
{
	struct inode *first = mv->inode, *second = mv->target;

	if (second && (S_ISDIR(first->i_mode) == S_ISDIR(second->i_mode) ?
		       second->i_ino < first->i_ino : S_ISDIR(second->i_mode)))
		swap(first, second);
	mv->moved[mv->moves++] = first;
	if (second)
		mv->moved[mv->moves++] = second;
}

/* What is true now -------------------------------------------------------------------- */

/*
 * A target that another node has removed is no target; one that has appeared is for the
 * VFS to look at, except that NOREPLACE knows enough.  So is a directory: it may have been
 * moved elsewhere, and the VFS would take it for dead.
 */
static int check_target(struct move *mv)
{
	struct cohfs_dirtarget found;
	int err;

	if (!mv->new_dir->i_nlink)
		return -ENOENT;
	if (mv->target) {
		err = cohfs_check_name(mv->new_dir, &mv->new_dentry->d_name,
				       mv->target);
		if (err != -ENOENT || mv->exchange)
			return err;
		if (S_ISDIR(mv->target->i_mode))
			return -ESTALE;
		mv->target = NULL;
		return 0;
	}
	err = cohfs_dir_lookup(mv->new_dir, &mv->new_dentry->d_name, &found);
	if (!err)
		return mv->noreplace ? -EEXIST : -ESTALE;
	return err == -ENOENT ? 0 : err;
}

/* I of the directories is held: the names are what they are now until it goes. */
static int check_names(struct move *mv)
{
	int err;

	err = cohfs_check_name(mv->old_dir, &mv->old_dentry->d_name, mv->inode);
	if (err == -ESTALE)
		return cohfs_name_changed(mv->old_dir);
	if (!err)
		err = check_target(mv);
	return err == -ESTALE ? cohfs_name_changed(mv->new_dir) : err;
}

static int check_links(const struct move *mv)
{
	bool dir = S_ISDIR(mv->inode->i_mode);
	bool target_dir = mv->target && S_ISDIR(mv->target->i_mode);

	if (!is_cross(mv) || dir == target_dir)
		return 0;
	if (dir && mv->new_dir->i_nlink >= COHFS_LINK_MAX)
		return -EMLINK;
	if (target_dir && mv->exchange && mv->old_dir->i_nlink >= COHFS_LINK_MAX)
		return -EMLINK;
	return 0;
}

/* All I locks are held. */
static int check_move(struct move *mv)
{
	int err;

	err = cohfs_check_named(mv->old_dir, mv->inode);
	if (!err && mv->target)
		err = cohfs_check_named(mv->new_dir, mv->target);
	if (!err)
		err = check_links(mv);
	if (err || !mv->target || mv->exchange)
		return err;
	if (S_ISDIR(mv->inode->i_mode) != S_ISDIR(mv->target->i_mode))
		return S_ISDIR(mv->target->i_mode) ? -EISDIR : -ENOTDIR;
	return S_ISDIR(mv->target->i_mode) ? cohfs_dir_empty(mv->target) : 0;
}

/* The transaction ----------------------------------------------------------------------- */

/* old_dir's and new_dir's names of directories, by which their link counts change */
static void move_links(struct move *mv)
{
	bool dir = S_ISDIR(mv->inode->i_mode);
	bool target_dir = mv->target && S_ISDIR(mv->target->i_mode);

	if (dir && is_cross(mv)) {
		drop_nlink(mv->old_dir);
		inc_nlink(mv->new_dir);
	}
	if (!target_dir)
		return;
	if (!mv->exchange) {
		drop_nlink(mv->new_dir);
	} else if (is_cross(mv)) {
		drop_nlink(mv->new_dir);
		inc_nlink(mv->old_dir);
	}
}

static int write_moved(struct cohfs_change *ch, struct inode *inode,
		       const struct inode *new_dir, bool cross)
{
	inode_set_ctime_current(inode);
	if (S_ISDIR(inode->i_mode) && cross)
		return cohfs_inode_reparent(ch->handle, inode, new_dir->i_ino);
	return cohfs_inode_write(ch->handle, inode);
}

/* The new name first: the one change that may fail cleanly */
static int change_new_name(struct move *mv, struct cohfs_change *ch)
{
	struct cohfs_dirtarget moved = cohfs_dirtarget_of(mv->inode);

	if (mv->target)
		return cohfs_dir_retarget(ch->handle, mv->new_dir,
					  &mv->new_dentry->d_name, &moved);
	return cohfs_dir_insert(ch->handle, mv->new_dir, &mv->new_dentry->d_name,
				&moved, &ch->resv);
}

static int change_old_name(struct move *mv, struct cohfs_change *ch)
{
	struct cohfs_dirtarget back;

	if (!mv->exchange)
		return cohfs_dir_delete(ch->handle, mv->old_dir,
					&mv->old_dentry->d_name);
	back = cohfs_dirtarget_of(mv->target);
	return cohfs_dir_retarget(ch->handle, mv->old_dir, &mv->old_dentry->d_name,
				  &back);
}

static int change_target(struct move *mv, struct cohfs_change *ch)
{
	if (!mv->target)
		return 0;
	if (mv->exchange)
		return write_moved(ch, mv->target, mv->old_dir, is_cross(mv));
	return cohfs_drop_link(ch, mv->target);
}

static int write_dir(struct cohfs_change *ch, struct inode *dir)
{
	inode_set_mtime_to_ts(dir, inode_set_ctime_current(dir));
	return cohfs_inode_write(ch->handle, dir);
}

static int change_names(struct move *mv, struct cohfs_change *ch)
{
	int err;

	err = change_new_name(mv, ch);
	if (err)
		return err;
	err = change_old_name(mv, ch);
	if (!err)
		err = write_moved(ch, mv->inode, mv->new_dir, is_cross(mv));
	if (!err)
		err = change_target(mv, ch);
	if (!err) {
		move_links(mv);
		err = write_dir(ch, mv->old_dir);
	}
	if (!err && is_cross(mv))
		err = write_dir(ch, mv->new_dir);
	cohfs_change_torn(ch, "rename", err);
	return err;
}

static void mark_moving(struct move *mv)
{
	cohfs_name_moving(mv->old_dentry);
	if (mv->exchange)
		cohfs_name_moving(mv->new_dentry);
}

/*
 * I of everything is held EX, ci_dir_sem of the directories.  The dentries keep their
 * d_time: until the VFS has moved them they are as true as they were, afterwards the
 * first use under another parent looks the name up.
 */
static int move_locked(struct move *mv)
{
	struct cohfs_change ch = { };
	int err;

	err = check_move(mv);
	if (err)
		return err;
	if (mv->target)
		ch.plan.credits = COHFS_DIR_CHANGE_CREDITS;
	else
		err = cohfs_dir_plan(mv->new_dir, &mv->new_dentry->d_name, &ch.plan);
	if (!err && mv->target && !mv->exchange &&
	    (S_ISDIR(mv->target->i_mode) || mv->target->i_nlink == 1))
		err = cohfs_orphan_plan(mv->target, &ch.plan);
	if (!err)
		err = cohfs_change_begin(&ch, COHFS_SB(mv->old_dir->i_sb),
					 mv->new_dir->i_ino + 2,
					 COHFS_DIR_CHANGE_CREDITS +
					 4 * COHFS_INODE_CREDITS);
	if (err)
		return err;
	err = change_names(mv, &ch);
	if (!err)
		mark_moving(mv);
	return cohfs_change_end(&ch, err);
}

static int move_below(struct move *mv)
{
	int err;

	err = check_names(mv);
	if (err)
		return err;
	order_moved(mv);
	err = cohfs_attr_lock_all(mv->moved, mv->moves);
	if (err)
		return err;
	err = cohfs_dir_sem_all(mv->dir, mv->dirs);
	if (!err) {
		err = move_locked(mv);
		cohfs_dir_sem_release(mv->dir, mv->dirs);
	}
	cohfs_attr_unlock_all(mv->moved, mv->moves);
	return err;
}

static int move(struct move *mv)
{
	int err;

	order_dirs(mv);
	err = cohfs_attr_lock_all(mv->dir, mv->dirs);
	if (err)
		return err;
	err = move_below(mv);
	cohfs_attr_unlock_all(mv->dir, mv->dirs);
	return err;
}

int cohfs_rename(struct mnt_idmap *idmap, struct inode *old_dir,
		 struct dentry *old_dentry, struct inode *new_dir,
		 struct dentry *new_dentry, unsigned int flags)
{
	struct cohfs_object *rename_obj = COHFS_SB(old_dir->i_sb)->rename_obj;
	struct move mv = {
		.old_dir = old_dir,
		.old_dentry = old_dentry,
		.inode = d_inode(old_dentry),
		.new_dir = new_dir,
		.new_dentry = new_dentry,
		.target = d_inode(new_dentry),
		.exchange = flags & RENAME_EXCHANGE,
		.noreplace = flags & RENAME_NOREPLACE,
	};
	int err;

	if (flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE))
		return -EINVAL;
	if (new_dentry->d_name.len > COHFS_NAME_MAX)
		return -ENAMETOOLONG;
	/* who replaces a file by a new one wants either, not an empty one */
	if (mv.target && S_ISREG(mv.inode->i_mode)) {
		err = cohfs_disksize_settle(mv.inode);
		if (err)
			return err;
	}
	if (old_dir == new_dir)
		return move(&mv);
	err = cohfs_object_lock(rename_obj, COHFS_EX);
	if (err)
		return err;
	err = check_ancestry(&mv);
	if (!err)
		err = move(&mv);
	cohfs_object_unlock(rename_obj, COHFS_EX);
	return err;
}
