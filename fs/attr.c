// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attributes: what I(ino) protects, between its value block, the inode's block and
 * struct inode; and the inode operations about them.
 */
#include <linux/buffer_head.h>
#include <linux/fileattr.h>
#include <linux/sched/mm.h>
#include "../dlm_glue/core/lvb.h"
#include "core/check.h"
#include "inode.h"
#include "log.h"
#include "range.h"
#include "times.h"
#include "truncate.h"

#define ATTR_JOURNALED	(ATTR_MODE | ATTR_UID | ATTR_GID | ATTR_ATIME | \
			 ATTR_MTIME | ATTR_CTIME)

/* Between struct inode and struct cohfs_attr -------------------------------- */

static struct cohfs_ts stamp_of(struct timespec64 ts)
{
	return (struct cohfs_ts) { .sec = ts.tv_sec, .nsec = ts.tv_nsec };
}

static struct timespec64 stamp_to_ts(const struct cohfs_ts *stamp)
{
	return (struct timespec64) { .tv_sec = stamp->sec, .tv_nsec = stamp->nsec };
}

void cohfs_attr_get(struct inode *inode, struct cohfs_attr *attr)
{
	const struct cohfs_inode *ci = COHFS_I(inode);

	*attr = (struct cohfs_attr) {
		.generation	= inode->i_generation,
		.mode		= inode->i_mode,
		.uid		= i_uid_read(inode),
		.gid		= i_gid_read(inode),
		.nlink		= inode->i_nlink,
		.flags		= ci->ci_flags,
		.time_gen	= ci->ci_time_gen,
		.orphan_slot	= ci->ci_orphan_slot,
		.size		= i_size_read(inode),
		.blocks		= inode->i_blocks >> (COHFS_BLOCK_SHIFT - 9),
		.rdev		= huge_encode_dev(inode->i_rdev),
		.atime		= stamp_of(inode_get_atime(inode)),
		.mtime		= stamp_of(inode_get_mtime(inode)),
		.ctime		= stamp_of(inode_get_ctime(inode)),
		.btime		= stamp_of(ci->ci_btime),
	};
}

/*
 * S_NOSEC: a write has no privileges to remove.  There are no file capabilities yet,
 * so the mode decides; it cannot change while somebody here has a range of the file,
 * see setattr_mode().
 */
void cohfs_attr_set_flags(struct inode *inode)
{
	u32 flags = COHFS_I(inode)->ci_flags;
	unsigned int vfs = 0;

	if (flags & FS_IMMUTABLE_FL)
		vfs |= S_IMMUTABLE;
	if (flags & FS_APPEND_FL)
		vfs |= S_APPEND;
	if (flags & FS_NOATIME_FL)
		vfs |= S_NOATIME;
	if (S_ISREG(inode->i_mode) && !is_sxid(inode->i_mode))
		vfs |= S_NOSEC;
	inode_set_flags(inode, vfs, S_IMMUTABLE | S_APPEND | S_NOATIME | S_NOSEC);
}

/* I is held, nobody else here has seen attributes under this grant. */
static void attr_set(struct inode *inode, const struct cohfs_attr *attr)
{
	struct cohfs_inode *ci = COHFS_I(inode);

	inode->i_mode = attr->mode;
	inode->i_generation = attr->generation;
	i_uid_write(inode, attr->uid);
	i_gid_write(inode, attr->gid);
	set_nlink(inode, attr->nlink);
	i_size_write(inode, attr->size);
	WRITE_ONCE(ci->ci_disk.size, attr->size);
	WRITE_ONCE(ci->ci_disk.failed, false);
	inode->i_blocks = attr->blocks << (COHFS_BLOCK_SHIFT - 9);
	inode_set_atime_to_ts(inode, stamp_to_ts(&attr->atime));
	inode_set_mtime_to_ts(inode, stamp_to_ts(&attr->mtime));
	inode_set_ctime_to_ts(inode, stamp_to_ts(&attr->ctime));
	ci->ci_btime = stamp_to_ts(&attr->btime);
	ci->ci_time_gen = attr->time_gen;
	ci->ci_orphan_slot = attr->orphan_slot;
	ci->ci_flags = attr->flags;
	cohfs_attr_set_flags(inode);
	if (S_ISCHR(inode->i_mode) || S_ISBLK(inode->i_mode))
		inode->i_rdev = huge_decode_dev(attr->rdev);
}

/* Refresh ------------------------------------------------------------------- */

/* Has the inode been read before?  Until then i_generation is what we hope for. */
static bool attr_known(const struct inode *inode)
{
	return inode->i_mode;
}

static bool attr_from_lvb(struct inode *inode, struct cohfs_attr *attr)
{
	struct cohfs_inode *ci = COHFS_I(inode);
	struct cohfs_lvb_inode lvb;
	bool valid;

	spin_lock(&ci->ci_attr->spin);
	valid = ci->ci_lvb_valid;
	lvb = ci->ci_lvb;
	spin_unlock(&ci->ci_attr->spin);
	return valid && cohfs_lvb_decode(&lvb, attr) &&
	       attr->generation == inode->i_generation;
}

/*
 * A number found in a directory may be stale by now: freed, its block used for
 * something else.  Once O is held and the inode was seen it cannot go away, and
 * anything but itself in its block is damage.
 */
static int attr_from_disk(struct inode *inode, struct cohfs_attr *attr)
{
	struct cohfs_inode *ci = COHFS_I(inode);
	struct buffer_head *bh;

	if (attr_known(inode) || !inode->i_generation)
		bh = cohfs_inode_block(inode);
	else
		bh = cohfs_meta_read_unchecked(COHFS_SB(inode->i_sb),
					       &ci->ci_attr->meta, inode->i_ino,
					       COHFS_BT_INODE, inode->i_ino,
					       inode->i_generation);
	if (IS_ERR(bh))
		return PTR_ERR(bh);
	if (!bh)
		return -ESTALE;
	cohfs_attr_from_disk(attr, (const struct cohfs_dinode *)bh->b_data);
	brelse(bh);
	return 0;
}

static const char *attr_check(const struct inode *inode,
			      const struct cohfs_attr *attr)
{
	if (attr_known(inode) && attr->generation != inode->i_generation)
		return "generation of an inode in use";
	if (attr_known(inode) && ((attr->mode ^ inode->i_mode) & S_IFMT))
		return "file type of an inode in use";
	if (attr->size > (u64)inode->i_sb->s_maxbytes)
		return "file size";
	if (!attr->generation)
		return "generation";
	return NULL;
}

static int attr_refresh(struct inode *inode)
{
	struct cohfs_attr attr;
	const char *why;
	int err = 0;

	if (!attr_from_lvb(inode, &attr))
		err = attr_from_disk(inode, &attr);
	if (err)
		return err;
	if (!attr.mode)
		return attr_known(inode) ?
			cohfs_corrupt(inode->i_sb, inode->i_ino, "file mode") :
			-ESTALE;
	why = attr_check(inode, &attr);
	if (why)
		return cohfs_corrupt(inode->i_sb, inode->i_ino, why);
	if (attr_known(inode) && attr.size > i_size_read(inode))
		WRITE_ONCE(COHFS_I(inode)->ci_grown, jiffies);
	attr_set(inode, &attr);
	/* pairs with the acquire of whoever finds it set */
	smp_store_release(&COHFS_I(inode)->ci_attr_valid, true);
	return 0;
}

static bool attr_valid(const struct inode *inode)
{
	/* pairs with the release in attr_refresh() and cohfs_inode_init() */
	return smp_load_acquire(&COHFS_I(inode)->ci_attr_valid);
}

/*
 * The mutex is taken inside transactions, too (cohfs_inode_write()), so nothing
 * below may enter the filesystem for memory.
 */
static int attr_make_valid(struct inode *inode)
{
	struct cohfs_inode *ci = COHFS_I(inode);
	unsigned int nofs;
	int err = 0;

	if (mutex_lock_killable(&ci->ci_attr_mutex))
		return -EINTR;
	nofs = memalloc_nofs_save();
	if (!attr_valid(inode))
		err = attr_refresh(inode);
	memalloc_nofs_restore(nofs);
	mutex_unlock(&ci->ci_attr_mutex);
	return err;
}

int cohfs_attr_lock(struct inode *inode, enum cohfs_mode mode)
{
	struct cohfs_inode *ci = COHFS_I(inode);
	int err;

	err = cohfs_object_lock(ci->ci_attr, mode);
	if (err)
		return err;
	if (!attr_valid(inode))
		err = attr_make_valid(inode);
	if (err)
		cohfs_object_unlock(ci->ci_attr, mode);
	return err;
}

/*
 * Attributes may have come with the lock, without the block; what cannot be read must
 * be found out before the transaction, not in the middle of it.
 */
int cohfs_attr_lock_write(struct inode *inode)
{
	struct buffer_head *bh;
	int err;

	err = cohfs_attr_lock(inode, COHFS_EX);
	if (err)
		return err;
	bh = cohfs_inode_block(inode);
	if (!IS_ERR(bh)) {
		brelse(bh);
		return 0;
	}
	cohfs_attr_unlock(inode, COHFS_EX);
	return PTR_ERR(bh);
}

bool cohfs_attr_trylock(struct inode *inode)
{
	struct cohfs_object *obj = COHFS_I(inode)->ci_attr;

	if (cohfs_lock_acquire(&obj->lk, COHFS_PR, COHFS_LK_TRY))
		return false;
	if (attr_valid(inode))
		return true;
	cohfs_object_unlock(obj, COHFS_PR);
	return false;
}

void cohfs_attr_unlock(struct inode *inode, enum cohfs_mode mode)
{
	cohfs_object_unlock(COHFS_I(inode)->ci_attr, mode);
}

/* so long a file counts as growing that grew elsewhere */
#define GROWTH_MEMORY	HZ

bool cohfs_grows_elsewhere(const struct inode *inode)
{
	unsigned long grown = READ_ONCE(COHFS_I(inode)->ci_grown);

	return grown && time_before(jiffies, grown + GROWTH_MEMORY);
}

void cohfs_attr_unlock_done(struct inode *inode, enum cohfs_mode mode)
{
	if (cohfs_grows_elsewhere(inode))
		cohfs_attr_unlock(inode, mode);
	else
		cohfs_lock_release_done(&COHFS_I(inode)->ci_attr->lk, mode);
}

/* Inode operations ----------------------------------------------------------- */

/*
 * RCU walk cannot wait; while attributes are valid here no other node has changed
 * them.
 */
int cohfs_permission(struct mnt_idmap *idmap, struct inode *inode, int mask)
{
	int err;

	if (mask & MAY_NOT_BLOCK)
		return attr_valid(inode) ? generic_permission(idmap, inode, mask) :
					   -ECHILD;
	err = cohfs_attr_lock(inode, COHFS_PR);
	if (err)
		return err;
	err = generic_permission(idmap, inode, mask);
	cohfs_attr_unlock(inode, COHFS_PR);
	return err;
}

/* Access times of directories, links and devices would cost a journaled I EX. */
int cohfs_update_time(struct inode *inode, int flags)
{
	return 0;
}

/*
 * Blocks of a file are counted in the root of its map, under M.  I knows the count
 * of the last time that somebody wrote the inode; if M is here, M knows better.
 */
static void count_blocks(struct inode *inode, struct kstat *stat)
{
	struct cohfs_inode *ci = COHFS_I(inode);
	struct cohfs_map map;
	u64 blocks;

	if (!S_ISREG(inode->i_mode) ||
	    cohfs_lock_acquire(&ci->ci_maplk->lk, COHFS_PR, COHFS_LK_TRY))
		return;
	if (mutex_trylock(&ci->ci_map_mutex)) {
		map = cohfs_inode_map(inode);
		if (!cohfs_map_blocks(&map, &blocks))
			stat->blocks = (blocks + 2) << (COHFS_BLOCK_SHIFT - 9);
		mutex_unlock(&ci->ci_map_mutex);
	}
	cohfs_object_unlock(ci->ci_maplk, COHFS_PR);
}

/* Data written here whose time I does not know yet. */
static void peek_times(struct inode *inode, struct kstat *stat)
{
	struct timespec64 mtime = stat->mtime;

	cohfs_times_peek(inode, &mtime);
	if (timespec64_compare(&mtime, &stat->mtime) <= 0)
		return;
	stat->mtime = mtime;
	if (timespec64_compare(&mtime, &stat->ctime) > 0)
		stat->ctime = mtime;
}

static void fill_stat(struct mnt_idmap *idmap, struct inode *inode,
		      struct kstat *stat, u32 mask)
{
	const struct cohfs_inode *ci = COHFS_I(inode);

	generic_fillattr(idmap, mask, inode, stat);
	if (S_ISREG(inode->i_mode))
		peek_times(inode, stat);
	stat->btime = ci->ci_btime;
	stat->result_mask |= STATX_BTIME;
	if (ci->ci_flags & FS_IMMUTABLE_FL)
		stat->attributes |= STATX_ATTR_IMMUTABLE;
	if (ci->ci_flags & FS_APPEND_FL)
		stat->attributes |= STATX_ATTR_APPEND;
	if (ci->ci_flags & FS_NODUMP_FL)
		stat->attributes |= STATX_ATTR_NODUMP;
	stat->attributes_mask |= STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND |
				 STATX_ATTR_NODUMP;
}

int cohfs_getattr(struct mnt_idmap *idmap, const struct path *path,
		  struct kstat *stat, u32 mask, unsigned int flags)
{
	struct inode *inode = d_inode(path->dentry);
	int err;

	if (flags & AT_STATX_DONT_SYNC) {
		fill_stat(idmap, inode, stat, mask);
		return 0;
	}
	err = cohfs_attr_lock(inode, COHFS_PR);
	if (err)
		return err;
	fill_stat(idmap, inode, stat, mask);
	if (mask & STATX_BLOCKS)
		count_blocks(inode, stat);
	cohfs_attr_unlock(inode, COHFS_PR);
	return 0;
}

static int setattr_journal(struct mnt_idmap *idmap, struct inode *inode,
			   struct iattr *attr)
{
	struct cohfs_inode *ci = COHFS_I(inode);
	handle_t *handle;
	int err, err2;

	handle = cohfs_trans_begin(COHFS_SB(inode->i_sb), COHFS_INODE_CREDITS);
	if (IS_ERR(handle))
		return PTR_ERR(handle);
	setattr_copy(idmap, inode, attr);
	cohfs_attr_set_flags(inode);
	if (attr->ia_valid & ATTR_MTIME) {
		/* data times noted before this are void, here and elsewhere */
		ci->ci_time_gen++;
		cohfs_times_void(inode);
	}
	err = cohfs_inode_write(handle, inode);
	err2 = cohfs_trans_end(handle);
	return err ? err : err2;
}

/*
 * Whoever holds a range of the file writes to it without looking at the mode, so
 * bits that a write would have to remove are set with every range in hand.
 */
static int setattr_mode(struct mnt_idmap *idmap, struct inode *inode,
			struct iattr *attr)
{
	struct cohfs_range_hold hold;
	int err;

	err = cohfs_range_lock(&hold, inode, 0, COHFS_RANGE_END, COHFS_EX,
			       COHFS_RANGE_ATTR);
	if (err)
		return err;
	err = setattr_journal(idmap, inode, attr);
	cohfs_range_unlock(&hold);
	return err;
}

/*
 * Which of set-user-ID and set-group-ID go is decided by the VFS, and put into a whole new
 * mode, before I is there: with a mode that may be old.  The same decisions with the true
 * one.  ATTR_FORCE tells what follows from a write or truncate from a chown(), which spares
 * nobody.  Who sets a mode has no KILL bits.
 */
static void setattr_kill(struct mnt_idmap *idmap, struct inode *inode, struct iattr *attr)
{
	const unsigned int bits = ATTR_KILL_SUID | ATTR_KILL_SGID;
	umode_t mode = inode->i_mode;
	int kill;

	if (!(attr->ia_valid & bits) &&
	    (!(attr->ia_valid & ATTR_SIZE) || (attr->ia_valid & ATTR_MODE)))
		return;
	if ((attr->ia_valid & bits) && !(attr->ia_valid & ATTR_FORCE))
		kill = ATTR_KILL_SUID | setattr_should_drop_sgid(idmap, inode);
	else
		kill = setattr_should_drop_suidgid(idmap, inode);
	if (kill & ATTR_KILL_SUID)
		mode &= ~S_ISUID;
	if (kill & ATTR_KILL_SGID)
		mode &= ~S_ISGID;
	attr->ia_valid &= ~ATTR_MODE;
	attr->ia_mode = mode;
	if (mode != inode->i_mode)
		attr->ia_valid |= ATTR_MODE;
}

/* I is held EX: now check again what the VFS checked with older attributes. */
static int setattr_locked(struct mnt_idmap *idmap, struct dentry *dentry,
			  struct iattr *attr)
{
	struct inode *inode = d_inode(dentry);
	int err;

	if ((attr->ia_valid & (ATTR_MODE | ATTR_UID | ATTR_GID | ATTR_TIMES_SET)) &&
	    (IS_IMMUTABLE(inode) || IS_APPEND(inode)))
		return -EPERM;
	err = setattr_prepare(idmap, dentry, attr);
	if (err)
		return err;
	setattr_kill(idmap, inode, attr);
	if ((attr->ia_valid & ATTR_SIZE) && attr->ia_size != i_size_read(inode)) {
		err = cohfs_truncate(inode, attr->ia_size);
		if (err)
			return err;
		/* has set the times, too */
		if (!(attr->ia_valid & ATTR_MTIME_SET))
			attr->ia_valid &= ~(ATTR_MTIME | ATTR_CTIME);
	}
	if (!(attr->ia_valid & ATTR_JOURNALED))
		return 0;
	if (S_ISREG(inode->i_mode) && (attr->ia_valid & ATTR_MODE) &&
	    is_sxid(attr->ia_mode))
		return setattr_mode(idmap, inode, attr);
	return setattr_journal(idmap, inode, attr);
}

int cohfs_setattr(struct mnt_idmap *idmap, struct dentry *dentry,
		  struct iattr *attr)
{
	struct inode *inode = d_inode(dentry);
	int err;

	err = cohfs_attr_lock_write(inode);
	if (err)
		return err;
	err = setattr_locked(idmap, dentry, attr);
	cohfs_attr_unlock(inode, COHFS_EX);
	return err;
}
