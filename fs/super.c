// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mount, unmount, freeze, statfs, withdrawal.
 *
 * Order of a mount: superblock -> recovery callbacks -> lockspace -> (mount lock:
 * own slot, journals of the dead, own journal) -> allocation, rename lock -> workers
 * -> root.  fill_super() undoes what it did when it fails, so that ->kill_sb() of a
 * mount that never was has nothing to do but kill_block_super().
 *
 * Order of an unmount, and why:
 *  1. sync_filesystem, then publish the times: needs locks, so everything still works.
 *  2. Quiesce revokes of inode-owned locks: no worker pins an inode from here on, or
 *     generic_shutdown_super() would find it busy.  Other nodes wait for 3.
 *  3. kill_block_super() evicts the inodes; each drops its locks, which are given up
 *     and unlocked in the background, flushing the log if they are dirty.
 *  4. put_super: the delete worker gets the inodes that were waiting for this node's
 *     last use, now over, and is drained.  It still needs locks, groups and the log.
 *  5. Flush and close the log.  Nobody can open a transaction any more, so everything
 *     is clean and below the tail of an empty journal, and a lock that is given up
 *     later asks for numbers only (cohfs_log_flushed()).
 *  6. Drop the other locks: rename, groups, pool, and S of our slot, which says to
 *     the cluster that the journal is empty.  Hence after 5.
 *  7. Recovery stays on until here, since 1-4 may wait for grants that it has to
 *     thaw.  Leave the lockspace: waits for every drop.  Free the log's numbers.
 *
 * What waits for the cluster in 1, 2, 4 and 7 are steps, so that an unmount can be killed
 * (unmount.c).
 */
#include <linux/blkdev.h>
#include <linux/fs_context.h>
#include <linux/slab.h>
#include <linux/statfs.h>
#include "../dlm_glue/glue.h"
#include "adopt.h"
#include "alloc.h"
#include "core/check.h"
#include "debugfs.h"
#include "disksize.h"
#include "freeze.h"
#include "inode.h"
#include "log.h"
#include "metaio.h"
#include "params.h"
#include "rcache.h"
#include "recovery.h"
#include "slot.h"
#include "super.h"
#include "times.h"
#include "unmount.h"

/* State, damage ------------------------------------------------------------ */

/* WITHDRAWN is final. */
static void set_state(struct cohfs_sb *cs, enum cohfs_sb_state state)
{
	enum cohfs_sb_state old = READ_ONCE(cs->state);

	while (old != COHFS_SB_WITHDRAWN && !try_cmpxchg(&cs->state, &old, state))
		;
}

int cohfs_corrupt(struct super_block *sb, u64 blkno, const char *check)
{
	pr_err_ratelimited("cohfs (%s): block %llu is damaged: %s\n", sb->s_id, blkno,
			   check);
	return -EFSCORRUPTED;
}

/* Superblock --------------------------------------------------------------- */

static int check_features(struct cohfs_sb *cs, const struct cohfs_super_info *info)
{
	u32 unknown = info->feature_ro_compat & ~COHFS_FEATURE_RO_COMPAT_KNOWN;

	cs->ro_features = unknown;
	if (!unknown || sb_rdonly(cs->sb))
		return 0;
	cohfs_err(cs->sb, "made with newer features (ro_compat 0x%x): mount it read-only",
		  unknown);
	return -EROFS;
}

static int decode_super(struct cohfs_sb *cs, struct cohfs_super_info *info,
			const void *block)
{
	struct super_block *sb = cs->sb;
	const char *why = NULL;
	int err;

	err = cohfs_super_decode(info, block, &why);
	switch (err) {
	case 0:
		break;
	case -EINVAL:
		cohfs_err(sb, "not a cohfs filesystem: %s", why);
		return err;
	case -EOPNOTSUPP:
		cohfs_err(sb, "made with newer features than this module knows (incompat 0x%x)",
			  info->feature_incompat & ~COHFS_FEATURE_INCOMPAT_KNOWN);
		return err;
	default:
		return cohfs_corrupt(sb, COHFS_SUPER_BLKNO, why);
	}
	if (info->blocks > sb_bdev_nr_blocks(sb)) {
		cohfs_err(sb, "the device has %llu blocks, the filesystem %llu",
			  (u64)sb_bdev_nr_blocks(sb), info->blocks);
		return -EINVAL;
	}
	if (generic_check_addressable(COHFS_BLOCK_SHIFT, info->blocks)) {
		cohfs_err(sb, "too large for this machine");
		return -EFBIG;
	}
	if (info->journal_blocks > INT_MAX)
		return cohfs_corrupt(sb, COHFS_SUPER_BLKNO, "journal size");
	return check_features(cs, info);
}

static void set_geometry(struct cohfs_geometry *geo,
			 const struct cohfs_super_info *info)
{
	geo->blocks = info->blocks;
	geo->root_ino = info->root_ino;
	geo->first_slot = info->first_slot;
	geo->first_journal = info->first_journal;
	geo->first_group = info->first_group;
	geo->free_at_mkfs = info->free_at_mkfs;
	geo->copy = info->copy;
	geo->slots = info->slots;
	geo->groups = info->groups;
	geo->journal_blocks = info->journal_blocks;
	memcpy(geo->fsid, info->fsid, sizeof(geo->fsid));
	memcpy(geo->hash_key, info->hash_key, sizeof(geo->hash_key));
	memcpy(geo->cluster, info->cluster, sizeof(geo->cluster));
	memcpy(geo->fsname, info->fsname, sizeof(geo->fsname));
}

static int read_super(struct cohfs_sb *cs)
{
	struct super_block *sb = cs->sb;
	struct cohfs_super_info info;
	void *block;
	int err;

	if (!sb_set_blocksize(sb, COHFS_BLOCK_SIZE)) {
		cohfs_err(sb, "the device cannot do blocks of %u bytes",
			  COHFS_BLOCK_SIZE);
		return -EINVAL;
	}
	if (bdev_read_only(sb->s_bdev)) {
		cohfs_err(sb, "the device is read-only; every node needs its journal");
		return -EROFS;
	}
	/* what is cached may have been changed by another node since */
	invalidate_bdev(sb->s_bdev);
	block = kmalloc(COHFS_BLOCK_SIZE, GFP_KERNEL);
	if (!block)
		return -ENOMEM;
	err = cohfs_read_block(sb, COHFS_SUPER_BLKNO, block);
	if (err)
		cohfs_err(sb, "cannot read the superblock: error %d", err);
	else
		err = decode_super(cs, &info, block);
	kfree(block);
	if (!err)
		set_geometry(&cs->geo, &info);
	return err;
}

/* Lockspace ---------------------------------------------------------------- */

static int choose_backend(struct cohfs_sb *cs)
{
	bool table = cs->geo.fsname[0];

	if (!cs->opts.lock_given)
		cs->opts.lock = table ? COHFS_LOCK_DLM : COHFS_LOCK_LOCAL;
	if (cs->opts.lock == COHFS_LOCK_DLM && !table) {
		cohfs_err(cs->sb, "lock=dlm needs a lock table CLUSTER:FSNAME, made with mkfs.cohfs -t");
		return -EINVAL;
	}
	return 0;
}

static void explain_join(struct cohfs_sb *cs, int err)
{
	const struct cohfs_geometry *geo = &cs->geo;

	switch (err) {
	case -EBADR:
		cohfs_err(cs->sb, "wrong lock table %s:%s: this node is in another cluster",
			  geo->cluster, geo->fsname);
		break;
	case -ENOTCONN:
	case -EUNATCH:
		cohfs_err(cs->sb, "no cluster: are corosync and dlm_controld running?");
		break;
	default:
		cohfs_err(cs->sb, "cannot join lockspace %s: error %d", geo->fsname, err);
	}
}

static int join_lockspace(struct cohfs_sb *cs)
{
	const struct cohfs_geometry *geo = &cs->geo;
	struct cohfs_lockspace *ls;
	int slot, err;

	err = choose_backend(cs);
	if (err)
		return err;
	if (cs->opts.lock == COHFS_LOCK_DLM)
		ls = cohfs_lockspace_join(COHFS_BACKEND_DLM, geo->fsname, geo->cluster,
					  COHFS_LVB_SIZE, &cohfs_recovery_ops, cs);
	else
		ls = cohfs_lockspace_join(COHFS_BACKEND_LOCAL, cs->sb->s_id, NULL,
					  COHFS_LVB_SIZE, &cohfs_recovery_ops, cs);
	if (IS_ERR(ls)) {
		explain_join(cs, PTR_ERR(ls));
		return PTR_ERR(ls);
	}
	smp_store_mb(cs->ls, ls);	/* pairs with the xchg in cohfs_withdraw() */
	if (cohfs_is_withdrawn(cs))
		cohfs_lockspace_lose(ls);
	slot = cohfs_lockspace_slot(ls);
	if (slot >= 1 && slot <= geo->slots) {
		cs->slot = slot - 1;
		err = cohfs_freeze_join(cs);
		return err ? err : cohfs_recovery_start(cs);
	}
	cohfs_err(cs->sb, "more nodes than journals: slot %d, but mkfs.cohfs -j made %u",
		  slot - 1, geo->slots);
	return -EUSERS;
}

static int claim_slot(struct cohfs_sb *cs)
{
	int err;

	err = cohfs_mount_lock(cs, 0);
	if (err)
		return err;
	err = cohfs_slot_claim(cs);
	cohfs_mount_unlock(cs);
	return err;
}

static void quiesce(struct cohfs_sb *cs)
{
	cohfs_lockspace_quiesce(cs->ls);
}

/*
 * Steps 5 to 7 of an unmount, or the end of a mount that failed anywhere after
 * recovery_init: whatever was not set up is NULL, and skipped.
 */
static void teardown(struct cohfs_sb *cs)
{
	cohfs_debugfs_remove(cs);
	cohfs_withdraw_unmount(cs);
	cohfs_withdraw_settle(cs);
	cohfs_log_close(cs);
	cohfs_object_drop(cs->rename_obj);
	cs->rename_obj = NULL;
	cohfs_groups_exit(cs);
	/* the last flush may have failed */
	cohfs_withdraw_settle(cs);
	cohfs_freeze_leave(cs);
	cohfs_slot_release(cs);
	cohfs_unmount_step(cs, cohfs_recovery_stop);
	cohfs_withdraw_stop(cs);
	cohfs_unmount_leave(cs);
	cohfs_withdraw_free(cs);
	cohfs_freeze_free(cs);
	cohfs_adopt_free(cs);
	cohfs_rcache_free(cs);
	cohfs_log_free(cs);
	cohfs_recovery_exit(cs);
	if (cs->times_wq)
		destroy_workqueue(cs->times_wq);
	cs->times_wq = NULL;
}

/* super_operations --------------------------------------------------------- */

static void put_super(struct super_block *sb)
{
	struct cohfs_sb *cs = COHFS_SB(sb);

	cohfs_unmount_step(cs, cohfs_adopt_stop);
	cohfs_unmount_step(cs, cohfs_orphan_exit);
	teardown(cs);
	cohfs_info(sb, "unmounted%s",
		   cohfs_is_withdrawn(cs) ? ", had withdrawn" : "");
}

/*
 * Sizes and times of what was written become attributes before the log is committed.  In an
 * unmount that is a step of its own for the times, since it waits for the cluster, and
 * sync_filesystem() comes first.
 */
static int sync_fs(struct super_block *sb, int wait)
{
	struct cohfs_sb *cs = COHFS_SB(sb);

	if (wait)
		cohfs_disksize_sync(cs);
	if (wait && READ_ONCE(cs->state) != COHFS_SB_UNMOUNTING)
		cohfs_times_sync(cs);
	return cohfs_log_commit(cs, wait);
}

/*
 * Of this node; see freeze.c.  The VFS has stopped writers and synced.  An empty journal makes a snapshot of the
 * device a clean filesystem; revokes are served as ever, with nothing to write.
 */
static int freeze_fs(struct super_block *sb)
{
	struct cohfs_sb *cs = COHFS_SB(sb);

	return cohfs_log_flush(cs, cohfs_log_seq(cs));
}

static int unfreeze_fs(struct super_block *sb)
{
	return 0;
}

static int statfs(struct dentry *dentry, struct kstatfs *st)
{
	struct super_block *sb = dentry->d_sb;
	struct cohfs_sb *cs = COHFS_SB(sb);

	st->f_type = COHFS_SUPER_MAGIC;
	st->f_bsize = COHFS_BLOCK_SIZE;
	st->f_frsize = COHFS_BLOCK_SIZE;
	st->f_namelen = COHFS_NAME_MAX;
	st->f_fsid = uuid_to_fsid(cs->geo.fsid);
	return cohfs_slot_statfs(cs, st);
}

static int show_options(struct seq_file *m, struct dentry *root)
{
	return cohfs_show_options(m, root->d_sb);
}

static const struct super_operations super_ops = {
	.alloc_inode = cohfs_alloc_inode,
	.free_inode = cohfs_free_inode,
	.evict_inode = cohfs_evict_inode,
	.drop_inode = cohfs_drop_inode,
	.put_super = put_super,
	.sync_fs = sync_fs,
	.freeze_super = cohfs_freeze_super,
	.freeze_fs = freeze_fs,
	.thaw_super = cohfs_thaw_super,
	.unfreeze_fs = unfreeze_fs,
	.statfs = statfs,
	.show_options = show_options,
};

/* Mount -------------------------------------------------------------------- */

/*
 * atime is not kept at all.  S_NOSEC is set by who holds I, never by the VFS on its
 * own: another node may set suid at any time.
 */
static void set_super_fields(struct super_block *sb, const struct cohfs_geometry *geo)
{
	sb->s_magic = COHFS_SUPER_MAGIC;
	sb->s_op = &super_ops;
	sb->s_d_op = &cohfs_dops;
	sb->s_flags |= SB_NOATIME;
	sb->s_flags &= ~SB_NOSEC;
	/* the end of the last block is an offset, too */
	sb->s_maxbytes = round_down(MAX_LFS_FILESIZE, COHFS_BLOCK_SIZE);
	sb->s_time_gran = 1;
	sb->s_time_min = S64_MIN;
	sb->s_time_max = S64_MAX;
	super_set_uuid(sb, geo->fsid, sizeof(geo->fsid));
}

static int start_services(struct cohfs_sb *cs)
{
	struct cohfs_object *obj;
	int err;

	err = cohfs_groups_init(cs);
	if (!err)
		err = cohfs_rcache_init(cs);
	if (err)
		return err;
	obj = cohfs_object_create(cs, COHFS_LT_RENAME, 0, NULL);
	if (IS_ERR(obj))
		return PTR_ERR(obj);
	cs->rename_obj = obj;
	return cohfs_orphan_init(cs);
}

static int get_root(struct cohfs_sb *cs)
{
	struct super_block *sb = cs->sb;
	struct inode *root;

	root = cohfs_iget(sb, cs->geo.root_ino, 0);
	if (IS_ERR(root)) {
		cohfs_err(sb, "cannot get the root directory: error %ld", PTR_ERR(root));
		return PTR_ERR(root) == -ESTALE ? -EFSCORRUPTED : PTR_ERR(root);
	}
	if (!S_ISDIR(root->i_mode)) {
		iput(root);
		return cohfs_corrupt(sb, cs->geo.root_ino, "root is no directory");
	}
	sb->s_root = d_make_root(root);
	return sb->s_root ? 0 : -ENOMEM;
}

static struct cohfs_sb *sb_alloc(struct super_block *sb, struct fs_context *fc)
{
	struct cohfs_sb *cs = kzalloc(sizeof(*cs), GFP_KERNEL);

	if (!cs)
		return NULL;
	cs->sb = sb;
	cs->times_wq = alloc_workqueue("cohfs-times-%s", WQ_MEM_RECLAIM, 2, sb->s_id);
	if (!cs->times_wq || cohfs_withdraw_init(cs))
		goto err;
	if (cohfs_adopt_init(cs))
		goto err_adopt;
	cs->opts = *(const struct cohfs_options *)fc->fs_private;
	cohfs_times_init(cs);
	cohfs_disksize_init(cs);
	sb->s_fs_info = cs;
	return cs;

err_adopt:
	cohfs_withdraw_free(cs);
err:
	if (cs->times_wq)
		destroy_workqueue(cs->times_wq);
	kfree(cs);
	return NULL;
}

static int fill_super(struct super_block *sb, struct fs_context *fc)
{
	struct cohfs_sb *cs = sb_alloc(sb, fc);
	int err;

	if (!cs)
		return -ENOMEM;
	err = read_super(cs);
	if (err)
		goto err_teardown;
	set_super_fields(sb, &cs->geo);
	err = cohfs_recovery_init(cs);
	if (err)
		goto err_teardown;
	err = join_lockspace(cs);
	if (err)
		goto err_teardown;
	cohfs_debugfs_add(cs);
	err = claim_slot(cs);
	if (err)
		goto err_teardown;
	err = start_services(cs);
	if (err)
		goto err_teardown;
	err = get_root(cs);
	if (err)
		goto err_root;
	set_state(cs, COHFS_SB_LIVE);
	cohfs_withdraw_serve(cs);
	cohfs_adopt_start(cs);
	cohfs_info(sb, "mounted, lock=%s, slot %u, node %d",
		   cs->opts.lock == COHFS_LOCK_DLM ? "dlm" : "local", cs->slot,
		   cohfs_lockspace_nodeid(cs->ls));
	return 0;

err_root:
	cohfs_unmount_step(cs, quiesce);
	cohfs_unmount_step(cs, cohfs_orphan_exit);
err_teardown:
	teardown(cs);
	sb->s_fs_info = NULL;
	kfree(cs);
	return err;
}

int cohfs_get_tree(struct fs_context *fc)
{
	return get_tree_bdev(fc, fill_super);
}

int cohfs_reconfigure(struct fs_context *fc)
{
	const struct cohfs_options *opts = fc->fs_private;
	struct super_block *sb = fc->root->d_sb;
	struct cohfs_sb *cs = COHFS_SB(sb);

	if (opts->lock_given && opts->lock != cs->opts.lock) {
		cohfs_err(sb, "lock= cannot be changed by a remount");
		return invalf(fc, "lock= cannot be changed by a remount");
	}
	sync_filesystem(sb);
	if (fc->sb_flags & SB_RDONLY)
		return 0;
	if (cohfs_is_withdrawn(cs))
		return -EIO;
	if (cs->ro_features) {
		cohfs_err(sb, "made with newer features: read-only here");
		return invalf(fc, "made with newer features: read-only here");
	}
	return 0;
}

/* Unmount ------------------------------------------------------------------ */

void cohfs_kill_sb(struct super_block *sb)
{
	struct cohfs_sb *cs = COHFS_SB(sb);

	if (cs) {
		set_state(cs, COHFS_SB_UNMOUNTING);
		sync_filesystem(sb);
		cohfs_disksize_stop(cs);
		cohfs_unmount_step(cs, cohfs_times_stop);
		cohfs_withdraw_unmount(cs);
		cohfs_unmount_step(cs, quiesce);
		cohfs_unmount_step(cs, cohfs_rcache_stop);
	}
	kill_block_super(sb);
	kfree(cs);
}
