// SPDX-License-Identifier: GPL-2.0-only
/*
 * In-core inodes: how they come, are written, and go.
 *
 * An inode in core has O PR cached (nobody may delete it) and its lock objects.  On
 * the way out it only detaches: no lock call waits, no block is written under a
 * cluster lock that is not cached.  What the objects still have to do (flush, lower,
 * unlock) they do later on their own.
 */
#include <linux/buffer_head.h>
#include <linux/pagemap.h>
#include <linux/random.h>
#include <linux/slab.h>
#include "core/check.h"
#include "dir.h"
#include "inode.h"
#include "log.h"
#include "orphan.h"
#include "range.h"
#include "slot.h"
#include "times.h"

static struct kmem_cache *inode_cache;

/* Memory ---------------------------------------------------------------------- */

static void init_once(void *mem)
{
	struct cohfs_inode *ci = mem;

	mutex_init(&ci->ci_attr_mutex);
	mutex_init(&ci->ci_map_mutex);
	init_rwsem(&ci->ci_dir_sem);
	spin_lock_init(&ci->ci_times_lock);
	INIT_LIST_HEAD(&ci->ci_times_link);
	spin_lock_init(&ci->ci_holds_lock);
	INIT_LIST_HEAD(&ci->ci_holds);
	inode_init_once(&ci->ci_vfs);
}

int __init cohfs_inode_cache_init(void)
{
	int err = cohfs_object_cache_init();

	if (err)
		return err;
	inode_cache = kmem_cache_create("cohfs_inode", sizeof(struct cohfs_inode), 0,
					SLAB_RECLAIM_ACCOUNT | SLAB_ACCOUNT,
					init_once);
	if (inode_cache)
		return 0;
	cohfs_object_cache_exit();
	return -ENOMEM;
}

void cohfs_inode_cache_exit(void)
{
	rcu_barrier();		/* cohfs_free_inode() of the last ones */
	kmem_cache_destroy(inode_cache);
	cohfs_object_cache_exit();
}

u64 cohfs_dir_epoch(void)
{
	static atomic64_t epoch = ATOMIC64_INIT(0);

	return atomic64_inc_return(&epoch);
}

/* Fields that init_once() sets are back in that state when an inode is freed. */
struct inode *cohfs_alloc_inode(struct super_block *sb)
{
	struct cohfs_inode *ci = alloc_inode_sb(sb, inode_cache, GFP_KERNEL);

	if (!ci)
		return NULL;
	ci->ci_open = NULL;
	ci->ci_attr = NULL;
	ci->ci_data = NULL;
	ci->ci_maplk = NULL;
	ci->ci_attr_valid = false;
	ci->ci_lvb_valid = false;
	ci->ci_dir_epoch = cohfs_dir_epoch();
	ci->ci_flags = 0;
	ci->ci_time_gen = 0;
	ci->ci_orphan_slot = 0;
	ci->ci_btime = (struct timespec64) { };
	ci->ci_sync_tid = 0;
	ci->ci_no_reap = false;
	cohfs_extmap_init(&ci->ci_extmap);
	ci->ci_fault.task = NULL;
	ci->ci_claim_task = NULL;
	ci->ci_store_task = NULL;
	ci->ci_data_fresh = false;
	ci->ci_handovers = 0;
	ci->ci_migratory = 0;
	ci->ci_stored = false;
	ci->ci_times_unlogged = false;
	ci->ci_times_handovers = 0;
	ci->ci_times_pending = false;
	ci->ci_vfs.i_mode = 0;	/* the VFS leaves it, attr.c needs it */
	return &ci->ci_vfs;
}

/* RCU walk may look at an inode until here, not at its lock objects. */
void cohfs_free_inode(struct inode *inode)
{
	if (S_ISLNK(inode->i_mode))
		kfree(inode->i_link);
	kmem_cache_free(inode_cache, COHFS_I(inode));
}

/* Coming into core ------------------------------------------------------------- */

static int new_object(struct inode *inode, enum cohfs_lock_type type,
		      struct cohfs_object **slot)
{
	struct cohfs_object *obj;

	obj = cohfs_object_create(COHFS_SB(inode->i_sb), type, inode->i_ino,
				  COHFS_I(inode));
	if (IS_ERR(obj))
		return PTR_ERR(obj);
	*slot = obj;
	return 0;
}

/* The right stays cached until eviction, see open_give_up(). */
static int get_open(struct inode *inode, enum cohfs_mode mode, unsigned int flags)
{
	struct cohfs_inode *ci = COHFS_I(inode);
	int err;

	err = new_object(inode, COHFS_LT_OPEN, &ci->ci_open);
	if (!err)
		err = cohfs_lock_acquire(&ci->ci_open->lk, mode,
					 flags | COHFS_LK_PIN);
	if (!err)
		cohfs_lock_unpin(&ci->ci_open->lk, mode);
	return err;
}

static int get_data_objects(struct inode *inode)
{
	struct cohfs_inode *ci = COHFS_I(inode);
	int err;

	err = new_object(inode, COHFS_LT_RANGE, &ci->ci_data);
	if (!err)
		err = new_object(inode, COHFS_LT_MAP, &ci->ci_maplk);
	return err;
}

static void set_ops(struct inode *inode)
{
	switch (inode->i_mode & S_IFMT) {
	case S_IFREG:
		inode->i_op = &cohfs_file_iops;
		inode->i_fop = &cohfs_file_fops;
		inode->i_mapping->a_ops = &cohfs_aops;
		break;
	case S_IFDIR:
		inode->i_op = &cohfs_dir_iops;
		inode->i_fop = &cohfs_dir_fops;
		break;
	case S_IFLNK:
		inode->i_op = &cohfs_symlink_iops;
		break;
	default:
		inode->i_op = &cohfs_special_iops;
		init_special_inode(inode, inode->i_mode, inode->i_rdev);
	}
}

static int load_inode(struct inode *inode, u32 generation)
{
	struct cohfs_inode *ci = COHFS_I(inode);
	int err;

	inode->i_generation = generation;
	err = get_open(inode, COHFS_PR, 0);
	if (!err)
		err = new_object(inode, COHFS_LT_INODE, &ci->ci_attr);
	if (!err)
		err = cohfs_attr_lock(inode, COHFS_PR);
	if (err)
		return err;
	if (!inode->i_nlink)
		err = -ESTALE;
	else if (S_ISREG(inode->i_mode))
		err = get_data_objects(inode);
	if (!err)
		set_ops(inode);
	cohfs_attr_unlock(inode, COHFS_PR);
	return err;
}

static int test_ino(struct inode *inode, void *ino)
{
	return inode->i_ino == *(u64 *)ino;
}

static int set_ino(struct inode *inode, void *ino)
{
	inode->i_ino = *(u64 *)ino;
	return 0;
}

/*
 * One inode per number: another generation can be in core only after the old one
 * has left core everywhere, since deletion needs O EX.  So an inode that is found
 * with the right generation is the right one, and one with the wrong generation
 * means that the caller's knowledge is old.
 */
struct inode *cohfs_iget(struct super_block *sb, u64 ino, u32 generation)
{
	struct inode *inode;
	int err;

	if (!cohfs_valid_extent(COHFS_SB(sb), ino, 2))
		return ERR_PTR(cohfs_corrupt(sb, ino, "inode number"));
	inode = iget5_locked(sb, ino, test_ino, set_ino, &ino);
	if (!inode)
		return ERR_PTR(-ENOMEM);
	if (!(inode->i_state & I_NEW)) {
		if (!generation || inode->i_generation == generation)
			return inode;
		iput(inode);
		return ERR_PTR(-ESTALE);
	}
	err = load_inode(inode, generation);
	if (err) {
		iget_failed(inode);
		return ERR_PTR(err);
	}
	unlock_new_inode(inode);
	return inode;
}

static int load_dying(struct inode *inode)
{
	struct cohfs_inode *ci = COHFS_I(inode);
	int err;

	err = get_open(inode, COHFS_EX, COHFS_LK_NOQUEUE | COHFS_LK_NOINTR);
	if (!err)
		err = new_object(inode, COHFS_LT_INODE, &ci->ci_attr);
	if (!err)
		err = cohfs_attr_lock(inode, COHFS_EX);
	if (err)
		return err;
	if (inode->i_nlink || !ci->ci_orphan_slot)
		err = -ESTALE;
	else if (S_ISREG(inode->i_mode))
		err = get_data_objects(inode);
	cohfs_attr_unlock(inode, COHFS_EX);
	return err;
}

/*
 * Not hashed: a cohfs_iget() that comes now makes its own inode and waits for O,
 * after which it finds the number freed or reused.
 */
struct inode *cohfs_iget_dying(struct super_block *sb, u64 ino, u32 generation)
{
	struct inode *inode;
	int err;

	if (!cohfs_valid_extent(COHFS_SB(sb), ino, 2))
		return ERR_PTR(cohfs_corrupt(sb, ino, "inode number"));
	inode = new_inode(sb);
	if (!inode)
		return ERR_PTR(-ENOMEM);
	inode->i_ino = ino;
	inode->i_generation = generation;
	COHFS_I(inode)->ci_no_reap = true;
	err = load_dying(inode);
	if (!err)
		return inode;
	iput(inode);
	return ERR_PTR(err);
}

/* Creation ------------------------------------------------------------------------ */

/*
 * O first, as its rank demands, and hash the inode, with I_NEW: both while I is only
 * cached.
 *
 * A cohfs_iget() that follows a stale directory entry may have the number hashed
 * already and wait for I, which the pool has: waiting for that inode with I held
 * would be a deadlock.  It soon finds that there is nothing to read, and the next
 * one waits for ours without holding anything.
 */
static int enter_new_inode(struct inode *inode, umode_t type)
{
	struct inode *old;
	u64 ino = inode->i_ino;
	int err;

	err = get_open(inode, COHFS_PR, 0);
	if (!err && S_ISREG(type))
		err = get_data_objects(inode);
	if (err)
		return err;
	old = inode_insert5(inode, ino, test_ino, NULL, &ino);
	if (old == inode)
		return 0;
	iput(old);
	return -ESTALE;
}

/* Back to the state in which cohfs_pool_get() has returned it */
static int relock_newino(struct cohfs_newino *ni)
{
	int err = cohfs_lock_acquire(&ni->obj->lk, COHFS_EX, COHFS_LK_NOINTR);

	if (err) {
		cohfs_object_drop(ni->obj);
		ni->obj = NULL;
	}
	return err;
}

/* Throw away an inode that did not make it onto the disk */
static void discard(struct inode *inode)
{
	clear_nlink(inode);
	if (inode->i_state & I_NEW)
		discard_new_inode(inode);
	else
		iput(inode);
}

struct inode *cohfs_new_inode(struct super_block *sb, struct cohfs_newino *ni,
			      umode_t type)
{
	struct inode *inode = new_inode(sb);
	struct cohfs_inode *ci;
	int err, err2;

	if (!inode)
		return ERR_PTR(-ENOMEM);
	ci = COHFS_I(inode);
	inode->i_ino = ni->ino;
	inode->i_generation = get_random_u32_above(0);
	ci->ci_no_reap = true;
	cohfs_object_unlock(ni->obj, COHFS_EX);
	err = enter_new_inode(inode, type);
	err2 = relock_newino(ni);
	err = err ? err : err2;
	if (err) {
		discard(inode);
		return ERR_PTR(err);
	}
	ci->ci_attr = ni->obj;
	ni->obj = NULL;
	cohfs_object_attach(ci->ci_attr, ci);
	return inode;
}

void cohfs_new_inode_undo(struct inode *inode, struct cohfs_newino *ni)
{
	struct cohfs_sb *cs = COHFS_SB(inode->i_sb);
	struct cohfs_inode *ci = COHFS_I(inode);

	ni->obj = ci->ci_attr;
	ci->ci_attr = NULL;
	cohfs_object_detach(ni->obj);
	discard(inode);
	cohfs_pool_put(cs, ni);
}

void cohfs_inode_init(struct mnt_idmap *idmap, struct inode *dir,
		      struct inode *inode, umode_t mode, dev_t rdev)
{
	struct cohfs_inode *ci = COHFS_I(inode);

	inode_init_owner(idmap, inode, dir, mode);
	ci->ci_btime = simple_inode_init_ts(inode);
	set_nlink(inode, S_ISDIR(mode) ? 2 : 1);
	inode->i_blocks = 2 << (COHFS_BLOCK_SHIFT - 9);
	inode->i_rdev = rdev;
	set_ops(inode);
	cohfs_attr_set_flags(inode);
	/* pairs with the acquire in attr_valid() */
	smp_store_release(&ci->ci_attr_valid, true);
}

/* Writing ------------------------------------------------------------------------- */

struct buffer_head *cohfs_inode_block(struct inode *inode)
{
	return cohfs_meta_read(COHFS_SB(inode->i_sb), &COHFS_I(inode)->ci_attr->meta,
			       inode->i_ino, COHFS_BT_INODE, inode->i_ino);
}

/* Put the attributes into @bh, which this transaction may change */
static int write_attr(handle_t *handle, struct inode *inode, struct buffer_head *bh)
{
	struct cohfs_inode *ci = COHFS_I(inode);
	struct cohfs_attr attr;

	cohfs_attr_get(inode, &attr);
	cohfs_attr_to_disk(&attr, (struct cohfs_dinode *)bh->b_data);
	ci->ci_sync_tid = handle->h_transaction->t_tid;
	return cohfs_meta_dirty(handle, COHFS_SB(inode->i_sb), &ci->ci_attr->meta,
				bh);
}

int cohfs_inode_create(handle_t *handle, struct inode *inode, u64 parent,
		       const char *target)
{
	struct cohfs_inode *ci = COHFS_I(inode);
	struct cohfs_dinode *di;
	struct buffer_head *bh;
	int err;

	bh = cohfs_meta_create(handle, COHFS_SB(inode->i_sb), &ci->ci_attr->meta,
			       inode->i_ino, COHFS_BT_INODE, inode->i_ino,
			       inode->i_generation);
	if (IS_ERR(bh))
		return PTR_ERR(bh);
	di = (struct cohfs_dinode *)bh->b_data;
	if (S_ISDIR(inode->i_mode))
		di->i_parent = cpu_to_le64(parent);
	if (target) {
		memcpy(di->i_inline, target, strlen(target));
		i_size_write(inode, strlen(target));
	}
	err = write_attr(handle, inode, bh);
	brelse(bh);
	if (!err)
		ci->ci_no_reap = false;
	return err;
}

/* Change the inode's block: attributes, and the parent unless @parent is 0 */
static int change_block(handle_t *handle, struct inode *inode, u64 parent)
{
	struct cohfs_inode *ci = COHFS_I(inode);
	struct buffer_head *bh;
	int err;

	cohfs_lock_assert(&ci->ci_attr->lk, COHFS_EX);
	bh = cohfs_inode_block(inode);
	if (IS_ERR(bh))
		return PTR_ERR(bh);
	err = cohfs_meta_access(handle, bh);
	if (!err) {
		mutex_lock(&ci->ci_attr_mutex);
		if (parent)
			((struct cohfs_dinode *)bh->b_data)->i_parent =
				cpu_to_le64(parent);
		err = write_attr(handle, inode, bh);
		mutex_unlock(&ci->ci_attr_mutex);
	}
	brelse(bh);
	return err;
}

int cohfs_inode_write(handle_t *handle, struct inode *inode)
{
	return change_block(handle, inode, 0);
}

int cohfs_inode_reparent(handle_t *handle, struct inode *inode, u64 parent)
{
	return change_block(handle, inode, parent);
}

int cohfs_inode_parent(struct inode *inode, u64 *parent)
{
	struct buffer_head *bh = cohfs_inode_block(inode);

	if (IS_ERR(bh))
		return PTR_ERR(bh);
	*parent = le64_to_cpu(((struct cohfs_dinode *)bh->b_data)->i_parent);
	brelse(bh);
	return 0;
}

/* Without a number the inode was changed before it came into core, maybe just then */
int cohfs_inode_commit(struct inode *inode)
{
	struct cohfs_sb *cs = COHFS_SB(inode->i_sb);
	tid_t tid = READ_ONCE(COHFS_I(inode)->ci_sync_tid);

	return tid ? cohfs_log_commit_tid(cs, tid) : cohfs_log_commit(cs, true);
}

/* Leaving core --------------------------------------------------------------------- */

/*
 * Dentries that are in use are marked, so that the last dput() frees them, and the
 * inode with them.  A removed directory has only stale children.
 */
void cohfs_inode_let_go(struct inode *inode)
{
	struct dentry *alias;

	if (S_ISDIR(inode->i_mode)) {
		alias = d_find_any_alias(inode);
		if (alias) {
			shrink_dcache_parent(alias);
			dput(alias);
		}
	}
	d_mark_dontcache(inode);
	d_prune_aliases(inode);
}

/*
 * The last link is gone, but another node may have the file open: what was written
 * here must reach the disk.  The VFS writes an inode that is not dropped but merely
 * not cached; alone on the disk there is nobody to write for.
 */
int cohfs_drop_inode(struct inode *inode)
{
	if (!generic_drop_inode(inode))
		return 0;
	if (inode_unhashed(inode) ||
	    COHFS_SB(inode->i_sb)->opts.lock == COHFS_LOCK_LOCAL ||
	    !mapping_tagged(inode->i_mapping, PAGECACHE_TAG_DIRTY))
		return 1;
	inode->i_state |= I_DONTCACHE;
	return 0;
}

void cohfs_evict_inode(struct inode *inode)
{
	struct cohfs_inode *ci = COHFS_I(inode);

	truncate_inode_pages_final(&inode->i_data);
	clear_inode(inode);
	WRITE_ONCE(ci->ci_attr_valid, false);
	if (!ci->ci_open)
		return;		/* not one of ours (the journal's), or never got far */
	cohfs_times_forget(inode);
	cohfs_extmap_forget(&ci->ci_extmap, 0, U64_MAX);
	ci->ci_open->reap = cohfs_reap_prepare(inode);
	cohfs_object_drop(ci->ci_data);
	cohfs_object_drop(ci->ci_maplk);
	cohfs_object_drop(ci->ci_attr);
	cohfs_object_drop(ci->ci_open);
}
