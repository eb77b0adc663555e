// SPDX-License-Identifier: GPL-2.0-only
/*
 * What giving up a cluster lock means, per type.  Range locks are in revoke.c.
 *
 * Everything here runs in revoke workers: it may write, flush and wait for I/O, but
 * never takes a cluster lock.
 */
#include <linux/fs.h>
#include <linux/posix_acl.h>
#include <linux/sched/mm.h>
#include <linux/security.h>
#include "../dlm_glue/core/lvb.h"
#include "extalloc.h"
#include "freeze.h"
#include "inode.h"
#include "log.h"
#include "orphan.h"
#include "recovery.h"

/*
 * Metadata may go to another node when it is committed, in place and below the
 * journal tail; then what is cached here is forgotten unless we keep a read right.
 */
static int meta_give_up(struct cohfs_lock *lk, enum cohfs_mode from,
			enum cohfs_mode to)
{
	struct cohfs_object *obj = cohfs_object_of(lk);
	unsigned int nofs = memalloc_nofs_save();
	int err = 0;

	/* a withdrawn node's slot: whatever is dirty here is for the replay to write */
	if (lk->lk_name.type == COHFS_LT_SLOT && cohfs_is_withdrawn(obj->cs))
		;
	else if (cohfs_metaset_dirty(obj->cs, &obj->meta))
		err = cohfs_log_flush(obj->cs, READ_ONCE(obj->meta.dirty_seq));
	if (!err && to < COHFS_PR)
		cohfs_metaset_clear(&obj->meta);
	memalloc_nofs_restore(nofs);
	return err;
}

static void object_free(struct cohfs_lock *lk)
{
	cohfs_object_free(cohfs_object_of(lk));
}

/* C, R, M, G: blocks, and nothing else, or not even those. */
static const struct cohfs_lock_ops meta_ops = {
	.give_up	= meta_give_up,
	.free		= object_free,
};

/* I(ino) ------------------------------------------------------------------- */

/*
 * Keep what ->publish will write.  Attributes that were never read under this grant
 * are not ours to publish, but then the value block that came with it still holds,
 * or was invalid and stays so.
 */
static void save_lvb(struct cohfs_inode *ci)
{
	struct cohfs_attr attr;

	if (!ci->ci_attr_valid)
		return;
	cohfs_attr_get(&ci->ci_vfs, &attr);
	if (S_ISREG(ci->ci_vfs.i_mode))
		attr.size = ci->ci_disk.size;	/* less if it is evicted, deleted */
	cohfs_lvb_encode(&ci->ci_lvb, &attr);
	ci->ci_lvb_valid = true;
}

/*
 * Nobody holds I.  Lockless readers (RCU walk, d_revalidate) see the old attributes
 * and the old epoch until here, and no other node can change a thing before this
 * node has lowered the lock, later: what they saw was true when they looked.
 */
static void forget_attr(struct cohfs_inode *ci)
{
	struct inode *inode = &ci->ci_vfs;

	WRITE_ONCE(ci->ci_attr_valid, false);
	if (S_ISDIR(inode->i_mode))
		WRITE_ONCE(ci->ci_dir_epoch, cohfs_dir_epoch());
	else
		cohfs_extalloc_forget_zeroed(&ci->ci_zeroed);
	forget_all_cached_acls(inode);
	security_inode_invalidate_secctx(inode);
}

/*
 * What was written to the end of the file becomes a part of it for everybody.  Whoever is at
 * that already has a reference, so where none is to be had there is nobody to wait for.
 */
static int settle_size(struct cohfs_object *obj)
{
	struct inode *inode = cohfs_object_grab_inode(obj);
	int err;

	if (!inode)
		return 0;
	err = cohfs_disksize_finish(inode);
	if (err)
		cohfs_withdraw(obj->cs,
			       "inode %lu: the end could not be written (%d) while another node waits for the size",
			       inode->i_ino, err);
	iput(inode);
	return err;
}

static bool has_data(struct cohfs_object *obj)
{
	bool regular;

	spin_lock(&obj->spin);
	regular = obj->ci && S_ISREG(obj->ci->ci_vfs.i_mode);
	spin_unlock(&obj->spin);
	return regular;
}

/*
 * An inode that is being evicted is no obstacle: its eviction touches neither the
 * attributes nor the blocks under I.  Its size is behind only if nobody else knows it,
 * or if its end could not be written: then it ends where it does on disk.
 */
static int attr_give_up(struct cohfs_lock *lk, enum cohfs_mode from,
			enum cohfs_mode to)
{
	struct cohfs_object *obj = cohfs_object_of(lk);
	int err = 0;

	if (has_data(obj))
		err = settle_size(obj);
	if (!err)
		err = meta_give_up(lk, from, to);
	if (err)
		return err;
	spin_lock(&obj->spin);
	if (obj->ci) {
		save_lvb(obj->ci);
		if (to < COHFS_PR)
			forget_attr(obj->ci);
	}
	spin_unlock(&obj->spin);
	return 0;
}

/*
 * Once the inode is gone the value block stays zero, which is as good as none: the
 * next one who wants the attributes reads the inode's block.
 */
static void attr_publish(struct cohfs_lock *lk, void *lvb)
{
	struct cohfs_object *obj = cohfs_object_of(lk);

	spin_lock(&obj->spin);
	if (obj->ci && obj->ci->ci_lvb_valid)
		memcpy(lvb, &obj->ci->ci_lvb, sizeof(obj->ci->ci_lvb));
	spin_unlock(&obj->spin);
}

static void attr_granted(struct cohfs_lock *lk, enum cohfs_mode from,
			 enum cohfs_mode to, const void *lvb)
{
	struct cohfs_object *obj = cohfs_object_of(lk);

	if (from >= COHFS_PR)
		return;		/* what we know has not changed */
	spin_lock(&obj->spin);
	if (obj->ci) {
		obj->ci->ci_lvb_valid = lvb;
		if (lvb)
			memcpy(&obj->ci->ci_lvb, lvb, sizeof(obj->ci->ci_lvb));
	}
	spin_unlock(&obj->spin);
}

static const struct cohfs_lock_ops attr_ops = {
	.give_up	= attr_give_up,
	.publish	= attr_publish,
	.granted	= attr_granted,
	.free		= object_free,
	/* the next hand-over may cost a flush of the journal: do something first */
	.tenure		= true,
	.tenure_div	= 1,
	.tenure_max_us	= 200000,
};

/* O(ino) ------------------------------------------------------------------- */

/*
 * EX is left from creation, and is lowered for whoever wants the inode in core, too.
 *
 * Only a deletion asks for more than PR, so whoever asks has seen that the inode has
 * no links left.  If it is merely cached here it goes now, else at its last use; in
 * both cases eviction drops the lock, and until then it stays as it is.  Hence PR
 * need not be held, being cached is enough to keep the inode alive everywhere.
 */
static int open_give_up(struct cohfs_lock *lk, enum cohfs_mode from,
			enum cohfs_mode to)
{
	struct cohfs_object *obj = cohfs_object_of(lk);
	struct inode *inode;
	bool attached;

	if (to >= COHFS_PR)
		return 0;
	spin_lock(&obj->spin);
	attached = obj->ci;
	obj->asked = attached;
	spin_unlock(&obj->spin);
	if (!attached)
		return 0;
	inode = cohfs_object_grab_inode(obj);
	if (inode) {
		cohfs_inode_let_go(inode);
		iput(inode);
	}
	return -EINPROGRESS;
}

static void open_free(struct cohfs_lock *lk)
{
	struct cohfs_object *obj = cohfs_object_of(lk);

	if (obj->reap)
		cohfs_reap_start(obj->reap, NULL);
	cohfs_object_free(obj);
}

static const struct cohfs_lock_ops open_ops = {
	.give_up	= open_give_up,
	.free		= open_free,
};

/* S(slot) ------------------------------------------------------------------- */

#define SLOT_EMPTY_MAGIC	0x59545045u	/* "EPTY" */

/* For the owner who has withdrawn: it cannot look at the disk, which may have failed */
static void slot_publish(struct cohfs_lock *lk, void *lvb)
{
	if (cohfs_object_of(lk)->journal_empty)
		*(__le32 *)lvb = cpu_to_le32(SLOT_EMPTY_MAGIC);
}

static void slot_granted(struct cohfs_lock *lk, enum cohfs_mode from,
			 enum cohfs_mode to, const void *lvb)
{
	cohfs_object_of(lk)->journal_empty =
		lvb && *(const __le32 *)lvb == cpu_to_le32(SLOT_EMPTY_MAGIC);
}

static const struct cohfs_lock_ops slot_ops = {
	.give_up	= meta_give_up,
	.publish	= slot_publish,
	.granted	= slot_granted,
	.free		= object_free,
};

/* C(1) --------------------------------------------------------------------- */

static int call_give_up(struct cohfs_lock *lk, enum cohfs_mode from,
			enum cohfs_mode to)
{
	cohfs_recovery_called(cohfs_object_of(lk));
	return 0;
}

static const struct cohfs_lock_ops call_ops = {
	.give_up	= call_give_up,
	.free		= object_free,
};

/* C(2) --------------------------------------------------------------------- */

static int freeze_give_up(struct cohfs_lock *lk, enum cohfs_mode from,
			  enum cohfs_mode to)
{
	return cohfs_freeze_give_up(cohfs_object_of(lk)->cs, to);
}

static const struct cohfs_lock_ops freeze_ops = {
	.give_up	= freeze_give_up,
	.free		= object_free,
};

static const struct cohfs_lock_ops *mount_ops_of(u64 number)
{
	switch (number) {
	case COHFS_CALL_NUMBER:
		return &call_ops;
	case COHFS_FREEZE_NUMBER:
		return &freeze_ops;
	default:
		return &meta_ops;
	}
}

const struct cohfs_lock_ops *cohfs_lock_ops_of(enum cohfs_lock_type type, u64 number)
{
	switch (type) {
	case COHFS_LT_SLOT:
		return &slot_ops;
	case COHFS_LT_MOUNT:
		return mount_ops_of(number);
	case COHFS_LT_OPEN:
		return &open_ops;
	case COHFS_LT_INODE:
		return &attr_ops;
	default:
		return &meta_ops;
	}
}
