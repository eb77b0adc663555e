// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names: look-up and everything that makes or removes one, except rename.c.
 *
 * The VFS holds i_rwsem of the directory, which orders the tasks of this node.  The
 * cluster locks come after it, in this order:
 *
 *   number from the pool (create; O and I of the new inode with it)
 *   I of the directory; of the orphan directory; of the inode
 *   ci_dir_sem of the same directories
 *   groups, if the directory has to grow; transaction
 *
 * What the VFS found out before (name absent, directory alive) is checked again
 * under I: other nodes have changed names meanwhile.
 */
#include <linux/buffer_head.h>
#include <linux/namei.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include "change.h"
#include "dir.h"
#include "inode.h"
#include "log.h"
#include "orphan.h"
#include "slot.h"

#define LOOKUP_TRIES	64	/* each means that another node has changed the name */
#define STALE_TRIES	8	/* names of one free inode in a row */

/* Look-up ------------------------------------------------------------------------------ */

/* The answer of the directory, and the epoch in which it is true */
static int search(struct inode *dir, const struct qstr *name,
		  struct cohfs_dirtarget *target, u64 *epoch)
{
	int err = cohfs_attr_lock(dir, COHFS_PR);

	if (err)
		return err;
	*epoch = COHFS_I(dir)->ci_dir_epoch;
	err = cohfs_dir_lookup(dir, name, target);
	cohfs_attr_unlock(dir, COHFS_PR);
	return err;
}

/**
 * struct finding - search_inode() in progress
 * @inode: what the last round found, referenced; not confirmed yet
 * @stale: what the last round found was free
 * @stale_rounds: so many rounds in a row it was the same inode, and free
 */
struct finding {
	struct cohfs_dirtarget target;
	struct inode *inode;
	bool stale;
	unsigned int stale_rounds;
};

/*
 * What was free is still what the name stands for: somebody is about to leave core with
 * a number that has a new owner.  Wait a little; if that goes on it is damage.
 */
static int stale_round(struct inode *dir, struct finding *fi,
		       const struct cohfs_dirtarget *found)
{
	if (!fi->stale || found->ino != fi->target.ino ||
	    found->generation != fi->target.generation) {
		fi->stale_rounds = 0;
		return 0;
	}
	if (fi->stale_rounds == STALE_TRIES)
		return cohfs_corrupt(dir->i_sb, dir->i_ino,
				     "name of an inode that is free");
	schedule_timeout_killable(msecs_to_jiffies(1 << fi->stale_rounds++));
	return fatal_signal_pending(current) ? -EINTR : 0;
}

/*
 * Is @fi->inode what the name stands for?  If so, it had a link after O was taken.
 * If not it is either alive under another name, or a freed inode whose block still
 * looks alive; neither is of use here.
 */
static bool confirm(struct finding *fi, int err, const struct cohfs_dirtarget *found)
{
	if (!fi->inode)
		return false;
	if (!err && cohfs_dirtarget_is(found, fi->inode))
		return true;
	cohfs_inode_let_go(fi->inode);
	iput(fi->inode);
	fi->inode = NULL;
	return false;
}

/* Confirmed: what the directory says must be true, or the dcache would lie */
static struct inode *accept(struct inode *dir, struct finding *fi)
{
	const char *why = NULL;

	if (fi->inode == dir)
		why = "directory contains itself";
	else if (IS_PRIVATE(fi->inode))
		why = "name of an orphan directory";
	else if (fs_umode_to_dtype(fi->inode->i_mode) != fi->target.type)
		why = "file type in a directory";
	if (!why)
		return fi->inode;
	iput(fi->inode);
	return ERR_PTR(cohfs_corrupt(dir->i_sb, dir->i_ino, why));
}

/*
 * O of the inode ranks before I of the directory, so the latter is dropped before
 * cohfs_iget(), and between the two the inode may be unlinked, deleted, its number
 * reused.  Hence the name is looked up again with O in hand, unless the epoch says
 * that no other node can have touched it (this one cannot: i_rwsem).
 */
static struct inode *search_inode(struct inode *dir, const struct qstr *name,
				  u64 *epoch)
{
	struct finding fi = { };
	struct cohfs_dirtarget found;
	unsigned int i;
	int err;

	for (i = 0; i < LOOKUP_TRIES; i++) {
		err = search(dir, name, &found, epoch);
		if (confirm(&fi, err, &found))
			return accept(dir, &fi);
		if (err)
			return err == -ENOENT ? NULL : ERR_PTR(err);
		err = stale_round(dir, &fi, &found);
		if (err)
			return ERR_PTR(err);
		fi.target = found;
		fi.inode = cohfs_iget(dir->i_sb, found.ino, found.generation);
		fi.stale = fi.inode == ERR_PTR(-ESTALE);
		if (fi.stale)
			fi.inode = NULL;
		else if (IS_ERR(fi.inode))
			return fi.inode;
		else if (READ_ONCE(COHFS_I(dir)->ci_dir_epoch) == *epoch)
			return accept(dir, &fi);
	}
	if (fi.inode)
		iput(fi.inode);
	return ERR_PTR(-ESTALE);
}

static void set_epoch(struct dentry *dentry, u64 epoch)
{
	WRITE_ONCE(dentry->d_time, (unsigned long)epoch);
}

/*
 * LOOKUP_REVAL for the last component: an operation has looked a name up, found it
 * changed by another node when it came to change it (-ESTALE), and gets one more try
 * from the VFS.  Ask for EX now: its tenure covers the time until the operation takes
 * it, so the second try does not lose the same race.
 */
static int claim_dir(struct inode *dir, unsigned int flags)
{
	int err;

	/* a first try again: what is noted is of an earlier operation */
	if (!(flags & LOOKUP_REVAL) &&
	    READ_ONCE(COHFS_I(dir)->ci_claim_task) == current)
		WRITE_ONCE(COHFS_I(dir)->ci_claim_task, NULL);
	if (!(flags & LOOKUP_REVAL) || (flags & LOOKUP_PARENT) ||
	    (flags & (LOOKUP_OPEN | LOOKUP_CREATE)) == LOOKUP_OPEN)
		return 0;
	err = cohfs_attr_lock(dir, COHFS_EX);
	if (err)
		return err;
	WRITE_ONCE(COHFS_I(dir)->ci_claim_task, current);
	cohfs_attr_unlock(dir, COHFS_EX);
	return 0;
}

/*
 * A directory that another node has moved still has a dentry in its old place.
 * d_splice_alias() moves it, but says -ESTALE when it cannot get s_vfs_rename_mutex,
 * and a rename across directories looks its names up with that in hand, the second
 * time as well as the first.  The old dentry may as well go, unless somebody uses it.
 */
static struct dentry *splice(struct inode *inode, struct dentry *dentry)
{
	struct dentry *alias, *old;

	if (!inode || !S_ISDIR(inode->i_mode))
		return d_splice_alias(inode, dentry);
	ihold(inode);
	alias = d_splice_alias(inode, dentry);
	if (alias != ERR_PTR(-ESTALE)) {
		iput(inode);
		return alias;
	}
	old = d_find_any_alias(inode);
	if (old) {
		shrink_dcache_parent(old);
		dput(old);
	}
	d_prune_aliases(inode);
	return d_splice_alias(inode, dentry);
}

/* The name that @dentry is being moved from; its hash tells the parent, too */
static void *moving_from(const struct qstr *name)
{
	return (void *)(unsigned long)(name->hash | 1);
}

void cohfs_name_moving(struct dentry *dentry)
{
	WRITE_ONCE(dentry->d_fsdata, moving_from(&dentry->d_name));
}

/* It is where it is for another reason than that rename */
static void not_moving(struct dentry *dentry)
{
	if (READ_ONCE(dentry->d_fsdata))
		WRITE_ONCE(dentry->d_fsdata, NULL);
}

/*
 * Below a sticky directory the VFS asks for the owner before the operation asks for I, and
 * says no: so it shall not be an old one.
 */
static int refresh_owner(const struct inode *dir, struct inode *inode)
{
	int err;

	if (!(dir->i_mode & S_ISVTX) || READ_ONCE(COHFS_I(inode)->ci_attr_valid))
		return 0;
	err = cohfs_attr_lock(inode, COHFS_PR);
	if (!err)
		cohfs_attr_unlock(inode, COHFS_PR);
	return err == -ESTALE ? 0 : err;
}

static struct dentry *cohfs_lookup(struct inode *dir, struct dentry *dentry,
				   unsigned int flags)
{
	struct dentry *alias;
	struct inode *inode;
	u64 epoch;
	int err;

	if (dentry->d_name.len > COHFS_NAME_MAX)
		return ERR_PTR(-ENAMETOOLONG);
	err = claim_dir(dir, flags);
	if (err)
		return ERR_PTR(err);
	inode = search_inode(dir, &dentry->d_name, &epoch);
	if (IS_ERR(inode))
		return ERR_CAST(inode);
	err = inode ? refresh_owner(dir, inode) : 0;
	if (err) {
		iput(inode);
		return ERR_PTR(err);
	}
	set_epoch(dentry, epoch);
	alias = splice(inode, dentry);
	if (!IS_ERR_OR_NULL(alias)) {
		set_epoch(alias, epoch);
		not_moving(alias);
	}
	return alias;
}

/*
 * Is @dentry still true, without asking?  The epoch of @dir is replaced before its I
 * is lowered, so as long as it is the dentry's nobody else can have changed @dir, and
 * what this node changes it changes in the dcache, too.  The moment of truth is the
 * read of the epoch.
 */
static bool is_current(struct inode *dir, struct dentry *dentry)
{
	return (unsigned long)READ_ONCE(COHFS_I(dir)->ci_dir_epoch) ==
	       READ_ONCE(dentry->d_time);
}

/* Callers may or may not hold i_rwsem of @dir, hence ci_dir_sem. */
static int revalidate_locked(struct inode *dir, struct dentry *dentry,
			     const struct qstr *name)
{
	struct cohfs_inode *ci = COHFS_I(dir);
	struct cohfs_dirtarget target;
	struct inode *inode;
	bool same;
	int err;

	if (down_read_killable(&ci->ci_dir_sem))
		return -EINTR;
	err = cohfs_dir_lookup(dir, name, &target);
	/* a local create instantiates its dentry before it lets go of the semaphore */
	inode = d_inode(dentry);
	same = err ? !inode : inode && cohfs_dirtarget_is(&target, inode);
	if (same) {
		set_epoch(dentry, ci->ci_dir_epoch);
		not_moving(dentry);
	}
	up_read(&ci->ci_dir_sem);
	if (err && err != -ENOENT)
		return err;
	return same;
}

static bool has_name(struct dentry *dentry, const struct dentry *parent,
		     const struct qstr *name)
{
	bool same;

	spin_lock(&dentry->d_lock);
	same = dentry->d_parent == parent && dentry->d_name.len == name->len &&
	       !memcmp(dentry->d_name.name, name->name, name->len);
	spin_unlock(&dentry->d_lock);
	return same;
}

/*
 * rename() on this node changes the directory first, and the VFS the dentry a moment
 * later, before it unlocks the directory.  Until then the dentry is as true as it was:
 * invalidated, it would lose what is mounted below it.  The mark was seen together with
 * the change, under ci_dir_sem.  A dentry that has moved while we looked was found under
 * a name that it had.
 */
static bool moved_here(struct dentry *parent, struct dentry *dentry,
		       const struct qstr *name)
{
	if (READ_ONCE(dentry->d_fsdata) == moving_from(name) &&
	    inode_is_locked(d_inode(parent)))
		return true;
	smp_rmb();	/* unlocked: then the move is to be seen */
	return !has_name(dentry, parent, name);
}

static int revalidate(struct dentry *parent, struct dentry *dentry)
{
	struct inode *dir = d_inode(parent);
	struct name_snapshot name;
	int ret;

	ret = cohfs_attr_lock(dir, COHFS_PR);
	if (ret)
		return ret;
	take_dentry_name_snapshot(&name, dentry);
	ret = revalidate_locked(dir, dentry, &name.name);
	if (!ret && moved_here(parent, dentry, &name.name))
		ret = 1;
	release_dentry_name_snapshot(&name);
	cohfs_attr_unlock(dir, COHFS_PR);
	return ret;
}

static int cohfs_d_revalidate(struct dentry *dentry, unsigned int flags)
{
	struct dentry *parent;
	struct inode *dir;
	int ret = 1, err;

	if (flags & LOOKUP_RCU) {
		dir = d_inode_rcu(READ_ONCE(dentry->d_parent));
		return dir && is_current(dir, dentry) ? 1 : -ECHILD;
	}
	if (IS_ROOT(dentry))
		return 1;
	parent = dget_parent(dentry);
	err = claim_dir(d_inode(parent), flags);
	if (err)
		ret = err;
	else if (!is_current(d_inode(parent), dentry))
		ret = revalidate(parent, dentry);
	if (ret == 1 && d_really_is_positive(dentry)) {
		err = refresh_owner(d_inode(parent), d_inode(dentry));
		if (err)
			ret = err;
	}
	dput(parent);
	return ret;
}

const struct dentry_operations cohfs_dops = {
	.d_revalidate	= cohfs_d_revalidate,
};

/* Making names --------------------------------------------------------------------------- */

/* I of @dir is held: may @name be added to it? */
static int check_new_name(struct inode *dir, const struct qstr *name, bool subdir)
{
	struct cohfs_dirtarget target;
	int err;

	if (!dir->i_nlink)
		return -ENOENT;
	if (subdir && dir->i_nlink >= COHFS_LINK_MAX)
		return -EMLINK;
	err = cohfs_dir_lookup(dir, name, &target);
	if (!err)
		return -EEXIST;
	return err == -ENOENT ? 0 : err;
}

static int dir_lock(struct inode *dir)
{
	int err = cohfs_attr_lock_write(dir);

	if (err)
		return err;
	if (!down_write_killable(&COHFS_I(dir)->ci_dir_sem))
		return 0;
	cohfs_attr_unlock(dir, COHFS_EX);
	return -EINTR;
}

static void dir_unlock(struct inode *dir)
{
	up_write(&COHFS_I(dir)->ci_dir_sem);
	cohfs_attr_unlock(dir, COHFS_EX);
}

/**
 * struct creation - arguments of one create, mkdir, mknod or symlink
 * @target: symlink only
 */
struct creation {
	struct mnt_idmap *idmap;
	struct inode *dir;
	struct dentry *dentry;
	umode_t mode;
	dev_t rdev;
	const char *target;
};

/* All of it in one transaction; the insert comes first since it may fail cleanly */
static int create_change(const struct creation *cr, struct inode *inode,
			 struct cohfs_newino *ni, struct cohfs_change *ch)
{
	struct cohfs_dirtarget target = cohfs_dirtarget_of(inode);
	struct inode *dir = cr->dir;
	int err;

	err = cohfs_dir_insert(ch->handle, dir, &cr->dentry->d_name, &target, &ch->resv);
	if (err)
		return err;
	err = cohfs_inode_create(ch->handle, inode, dir->i_ino, cr->target);
	if (!err)
		err = cohfs_pool_use(ch->handle, ch->cs, ni);
	if (!err) {
		if (S_ISDIR(inode->i_mode))
			inc_nlink(dir);
		inode_set_mtime_to_ts(dir, inode_set_ctime_current(dir));
		err = cohfs_inode_write(ch->handle, dir);
	}
	cohfs_change_torn(ch, "create", err);
	return err;
}

/* I of the new inode and of the directory are held EX */
static int create_locked(const struct creation *cr, struct inode *inode,
			 struct cohfs_newino *ni)
{
	struct cohfs_change ch = { };
	struct inode *dir = cr->dir;
	int err;

	err = check_new_name(dir, &cr->dentry->d_name, S_ISDIR(cr->mode));
	if (err)
		return err;
	cohfs_inode_init(cr->idmap, dir, inode, cr->mode, cr->rdev);
	err = cohfs_dir_plan(dir, &cr->dentry->d_name, &ch.plan);
	if (!err)
		err = cohfs_change_begin(&ch, COHFS_SB(dir->i_sb), dir->i_ino + 2,
					 2 * COHFS_INODE_CREDITS +
					 COHFS_POOL_CREDITS);
	if (err)
		return err;
	err = create_change(cr, inode, ni, &ch);
	err = cohfs_change_end(&ch, err);
	if (err)
		return err;
	set_epoch(cr->dentry, COHFS_I(dir)->ci_dir_epoch);
	d_instantiate_new(cr->dentry, inode);
	return 0;
}

static int create(const struct creation *cr)
{
	struct super_block *sb = cr->dir->i_sb;
	struct cohfs_newino ni;
	struct inode *inode;
	int err;

	if (cr->dentry->d_name.len > COHFS_NAME_MAX)
		return -ENAMETOOLONG;
	err = cohfs_pool_get(COHFS_SB(sb), &ni);
	if (err)
		return err;
	inode = cohfs_new_inode(sb, &ni, cr->mode & S_IFMT);
	if (IS_ERR(inode)) {
		cohfs_pool_put(COHFS_SB(sb), &ni);
		return PTR_ERR(inode);
	}
	err = dir_lock(cr->dir);
	if (!err) {
		err = create_locked(cr, inode, &ni);
		dir_unlock(cr->dir);
	}
	if (err)
		cohfs_new_inode_undo(inode, &ni);
	else
		cohfs_attr_unlock(inode, COHFS_EX);
	return err;
}

/*
 * The dentry was negative, but another node was faster.  Without O_EXCL the file is
 * to be opened, which only a new look-up can do: -ESTALE makes the VFS walk again.
 */
static int cohfs_create(struct mnt_idmap *idmap, struct inode *dir,
			struct dentry *dentry, umode_t mode, bool excl)
{
	struct creation cr = {
		.idmap = idmap, .dir = dir, .dentry = dentry,
		.mode = mode | S_IFREG,
	};
	int err = create(&cr);

	return err == -EEXIST && !excl ? -ESTALE : err;
}

static int cohfs_mkdir(struct mnt_idmap *idmap, struct inode *dir,
		       struct dentry *dentry, umode_t mode)
{
	struct creation cr = {
		.idmap = idmap, .dir = dir, .dentry = dentry,
		.mode = mode | S_IFDIR,
	};

	return create(&cr);
}

static int cohfs_mknod(struct mnt_idmap *idmap, struct inode *dir,
		       struct dentry *dentry, umode_t mode, dev_t rdev)
{
	struct creation cr = {
		.idmap = idmap, .dir = dir, .dentry = dentry,
		.mode = mode, .rdev = rdev,
	};

	return create(&cr);
}

static int cohfs_symlink(struct mnt_idmap *idmap, struct inode *dir,
			 struct dentry *dentry, const char *target)
{
	struct creation cr = {
		.idmap = idmap, .dir = dir, .dentry = dentry,
		.mode = S_IFLNK | 0777, .target = target,
	};

	if (strlen(target) > COHFS_INLINE_MAX)
		return -ENAMETOOLONG;
	return create(&cr);
}

static int link_change(struct inode *inode, struct inode *dir, const struct qstr *name,
		       struct cohfs_change *ch)
{
	struct cohfs_dirtarget target = cohfs_dirtarget_of(inode);
	int err;

	err = cohfs_dir_insert(ch->handle, dir, name, &target, &ch->resv);
	if (err)
		return err;
	inc_nlink(inode);
	inode_set_ctime_current(inode);
	inode_set_mtime_to_ts(dir, inode_set_ctime_current(dir));
	err = cohfs_inode_write(ch->handle, inode);
	if (!err)
		err = cohfs_inode_write(ch->handle, dir);
	cohfs_change_torn(ch, "link", err);
	return err;
}

/* I of both is held EX */
static int link_locked(struct inode *inode, struct inode *dir, struct dentry *dentry)
{
	struct cohfs_change ch = { };
	int err;

	if (!inode->i_nlink)
		return -ENOENT;
	if (IS_APPEND(inode) || IS_IMMUTABLE(inode))
		return -EPERM;
	if (inode->i_nlink >= COHFS_LINK_MAX)
		return -EMLINK;
	err = check_new_name(dir, &dentry->d_name, false);
	if (!err)
		err = cohfs_dir_plan(dir, &dentry->d_name, &ch.plan);
	if (!err)
		err = cohfs_change_begin(&ch, COHFS_SB(dir->i_sb), dir->i_ino + 2,
					 2 * COHFS_INODE_CREDITS);
	if (err)
		return err;
	err = link_change(inode, dir, &dentry->d_name, &ch);
	err = cohfs_change_end(&ch, err);
	if (err)
		return err;
	set_epoch(dentry, COHFS_I(dir)->ci_dir_epoch);
	ihold(inode);
	d_instantiate(dentry, inode);
	return 0;
}

static int cohfs_link(struct dentry *old_dentry, struct inode *dir,
		      struct dentry *dentry)
{
	struct inode *inode = d_inode(old_dentry);
	struct inode *locks[] = { dir, inode };
	int err;

	if (dentry->d_name.len > COHFS_NAME_MAX)
		return -ENAMETOOLONG;
	err = cohfs_attr_lock_all(locks, ARRAY_SIZE(locks));
	if (err)
		return err;
	if (down_write_killable(&COHFS_I(dir)->ci_dir_sem)) {
		err = -EINTR;
	} else {
		err = link_locked(inode, dir, dentry);
		up_write(&COHFS_I(dir)->ci_dir_sem);
	}
	cohfs_attr_unlock_all(locks, ARRAY_SIZE(locks));
	return err;
}

/* Removing names --------------------------------------------------------------------------- */

static int remove_change(struct inode *dir, struct dentry *dentry,
			 struct cohfs_change *ch)
{
	struct inode *inode = d_inode(dentry);
	int err;

	err = cohfs_dir_delete(ch->handle, dir, &dentry->d_name);
	if (err)
		return err;
	if (S_ISDIR(inode->i_mode))
		drop_nlink(dir);
	inode_set_mtime_to_ts(dir, inode_set_ctime_current(dir));
	err = cohfs_drop_link(ch, inode);
	if (!err)
		err = cohfs_inode_write(ch->handle, dir);
	cohfs_change_torn(ch, "unlink", err);
	return err;
}

/* I of the directory, the orphan directory and the inode is held EX */
static int remove_locked(struct inode *dir, struct dentry *dentry)
{
	struct inode *inode = d_inode(dentry);
	struct cohfs_change ch = { };
	int err;

	err = cohfs_check_named(dir, inode);
	if (!err && S_ISDIR(inode->i_mode))
		err = cohfs_dir_empty(inode);
	if (!err && (S_ISDIR(inode->i_mode) || inode->i_nlink == 1))
		err = cohfs_orphan_plan(inode, &ch.plan);
	if (!err)
		err = cohfs_change_begin(&ch, COHFS_SB(dir->i_sb), dir->i_ino + 2,
					 COHFS_DIR_CHANGE_CREDITS +
					 2 * COHFS_INODE_CREDITS);
	if (err)
		return err;
	err = remove_change(dir, dentry, &ch);
	return cohfs_change_end(&ch, err);
}

/* I of @dirs, which are the directory and the orphan directory, is held EX */
static int remove_below(struct inode *dirs[2], struct dentry *dentry)
{
	struct inode *inode = d_inode(dentry);
	int err;

	err = cohfs_check_name(dirs[0], &dentry->d_name, inode);
	if (err == -ESTALE)
		err = cohfs_name_changed(dirs[0]);
	if (!err)
		err = cohfs_attr_lock_write(inode);
	if (err)
		return err;
	err = cohfs_dir_sem_all(dirs, 2);
	if (!err) {
		err = remove_locked(dirs[0], dentry);
		cohfs_dir_sem_release(dirs, 2);
	}
	cohfs_attr_unlock(inode, COHFS_EX);
	return err;
}

static int remove_name(struct inode *dir, struct dentry *dentry)
{
	struct inode *dirs[2] = { dir, cohfs_orphan_dir(COHFS_SB(dir->i_sb)) };
	int err;

	err = cohfs_attr_lock_all(dirs, 2);
	if (err)
		return err;
	err = remove_below(dirs, dentry);
	cohfs_attr_unlock_all(dirs, 2);
	return err;
}

static int cohfs_unlink(struct inode *dir, struct dentry *dentry)
{
	return remove_name(dir, dentry);
}

static int cohfs_rmdir(struct inode *dir, struct dentry *dentry)
{
	return remove_name(dir, dentry);
}

/* Symbolic links ------------------------------------------------------------------------------ */

static char *read_target(struct inode *inode)
{
	struct buffer_head *bh;
	char *target;

	bh = cohfs_inode_block(inode);
	if (IS_ERR(bh))
		return ERR_CAST(bh);
	/* the block was verified: the size fits, and there is no NUL within */
	target = kmemdup_nul(((struct cohfs_dinode *)bh->b_data)->i_inline,
			     i_size_read(inode), GFP_NOFS);
	brelse(bh);
	return target ? target : ERR_PTR(-ENOMEM);
}

/* The target never changes: once read it stays with the inode, for RCU walk, too. */
static const char *cohfs_get_link(struct dentry *dentry, struct inode *inode,
				  struct delayed_call *done)
{
	char *target;
	int err;

	if (!dentry)
		return ERR_PTR(-ECHILD);
	err = cohfs_attr_lock(inode, COHFS_PR);
	if (err)
		return ERR_PTR(err);
	target = read_target(inode);
	cohfs_attr_unlock(inode, COHFS_PR);
	if (IS_ERR(target))
		return target;
	/* full barrier: the string is visible before the pointer */
	if (cmpxchg(&inode->i_link, NULL, target))
		kfree(target);	/* another task was faster */
	return inode->i_link;
}

const struct inode_operations cohfs_dir_iops = {
	.lookup		= cohfs_lookup,
	.create		= cohfs_create,
	.link		= cohfs_link,
	.unlink		= cohfs_unlink,
	.symlink	= cohfs_symlink,
	.mkdir		= cohfs_mkdir,
	.rmdir		= cohfs_rmdir,
	.mknod		= cohfs_mknod,
	.rename		= cohfs_rename,
	.permission	= cohfs_permission,
	.getattr	= cohfs_getattr,
	.setattr	= cohfs_setattr,
	.update_time	= cohfs_update_time,
};

const struct inode_operations cohfs_symlink_iops = {
	.get_link	= cohfs_get_link,
	.permission	= cohfs_permission,
	.getattr	= cohfs_getattr,
	.setattr	= cohfs_setattr,
	.update_time	= cohfs_update_time,
};

const struct inode_operations cohfs_special_iops = {
	.permission	= cohfs_permission,
	.getattr	= cohfs_getattr,
	.setattr	= cohfs_setattr,
	.update_time	= cohfs_update_time,
};
