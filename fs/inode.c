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
#include "fresh.h"
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
	cohfs_rtree_init_once(&ci->ci_ranges);
	cohfs_disksize_init_once(&ci->ci_disk);
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
	ci->ci_ranges.root = NULL;
	ci->ci_ranges.sampled = 0;
	ci->ci_ranges.cleaned.when = 0;
	ci->ci_maplk = NULL;
	ci->ci_attr_valid = false;
	ci->ci_lvb_valid = false;
	ci->ci_dir_epoch = cohfs_dir_epoch();
	ci->ci_flags = 0;
	ci->ci_time_gen = 0;
	ci->ci_orphan_slot = 0;
	ci->ci_btime = (struct timespec64) { };
	ci->ci_sync_tid = 0;
	ci->ci_grown = 0;
	ci->ci_turn_written = 0;
	ci->ci_no_reap = false;
	cohfs_disksize_reset(&ci->ci_disk);
	cohfs_extmap_init(&ci->ci_extmap);
	cohfs_extalloc_forget_zeroed(&ci->ci_zeroed);
	ci->ci_stride = (struct cohfs_stride) { };
	ci->ci_fresh = NULL;
	ci->ci_fault.task = NULL;
	ci->ci_claim_task = NULL;
	ci->ci_store_task = NULL;
	ci->ci_handovers = 0;
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

/* Unless there is one already: a lock that has come with the number */
static int new_object(struct inode *inode, enum cohfs_lock_type type,
		      struct cohfs_object **slot)
{
	struct cohfs_object *obj;

	if (*slot)
		return 0;
	obj = cohfs_object_create(COHFS_SB(inode->i_sb), type, inode->i_ino,
				  COHFS_I(inode));
	if (IS_ERR(obj))
		return PTR_ERR(obj);
	*slot = obj;
	return 0;
}

static int pin_open(struct inode *inode, enum cohfs_mode mode, unsigned int flags)
{
	struct cohfs_inode *ci = COHFS_I(inode);
	int err = new_object(inode, COHFS_LT_OPEN, &ci->ci_open);

	return err ? err : cohfs_lock_acquire(&ci->ci_open->lk, mode,
					      flags | COHFS_LK_PIN);
}

/* PR stays cached until eviction, see open_give_up(). */
static int get_open(struct inode *inode, enum cohfs_mode mode, unsigned int flags)
{
	int err = pin_open(inode, mode, flags);

	if (!err)
		cohfs_lock_unpin(&COHFS_I(inode)->ci_open->lk, mode);
	return err;
}

static int get_data_objects(struct inode *inode)
{
	struct cohfs_inode *ci = COHFS_I(inode);
	int err;

	err = cohfs_rtree_begin(inode);
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

/* Locks that come with a number now belong to its inode */
static void put_locks(struct inode *inode, struct cohfs_locks *locks)
{
	struct cohfs_inode *ci = COHFS_I(inode);
	struct cohfs_object *objs[] = {
		locks->open, locks->attr, locks->map,
	};
	unsigned int i;

	if (locks->open)
		locks->open->asked = false;	/* that was about another inode */
	for (i = 0; i < ARRAY_SIZE(objs); i++)
		if (objs[i])
			cohfs_object_attach(objs[i], ci);
	ci->ci_open = locks->open;
	ci->ci_attr = locks->attr;
	ci->ci_maplk = locks->map;
	*locks = (struct cohfs_locks) { };
}

static struct cohfs_object *take_lock(struct cohfs_object **slot)
{
	struct cohfs_object *obj = *slot;

	if (obj)
		cohfs_object_detach(obj);
	*slot = NULL;
	return obj;
}

/* The opposite: the inode is going, its number and the locks are not */
static void take_locks(struct inode *inode, struct cohfs_locks *locks)
{
	struct cohfs_inode *ci = COHFS_I(inode);

	*locks = (struct cohfs_locks) {
		.open = take_lock(&ci->ci_open),
		.attr = take_lock(&ci->ci_attr),
		.map = take_lock(&ci->ci_maplk),
	};
}

/* Is it what we are to delete?  -ESTALE if not */
static int check_dying(struct inode *inode, enum cohfs_mode mode)
{
	int err = cohfs_attr_lock(inode, mode);

	if (err)
		return err;
	if (inode->i_nlink || !COHFS_I(inode)->ci_orphan_slot)
		err = -ESTALE;
	cohfs_attr_unlock(inode, mode);
	return err;
}

/*
 * O PR first, then a look at the inode, then EX.  What the caller knows may be old, and
 * the number have a new owner, who has O EX and would be told by the request for EX to
 * let his inode go, keeping everybody else from O until then.  Who is asked for PR only
 * lowers; and an inode without links that was seen under PR is nobody's new inode.
 */
static int get_dying(struct inode *inode)
{
	struct cohfs_inode *ci = COHFS_I(inode);
	unsigned int flags = COHFS_LK_NOQUEUE | COHFS_LK_NOINTR;
	int err;

	err = get_open(inode, COHFS_PR, flags);
	if (!err)
		err = new_object(inode, COHFS_LT_INODE, &ci->ci_attr);
	if (!err)
		err = check_dying(inode, COHFS_PR);
	if (!err)
		err = pin_open(inode, COHFS_EX, flags);
	return err;
}

static int load_dying(struct inode *inode, struct cohfs_locks *locks)
{
	struct cohfs_inode *ci = COHFS_I(inode);
	int err;

	if (locks->open) {
		put_locks(inode, locks);
		err = 0;
	} else {
		err = get_dying(inode);
	}
	if (err)
		return err;
	err = new_object(inode, COHFS_LT_INODE, &ci->ci_attr);
	if (!err)
		err = check_dying(inode, COHFS_EX);
	if (!err && S_ISREG(inode->i_mode))
		err = get_data_objects(inode);
	if (err)
		cohfs_lock_unpin(&ci->ci_open->lk, COHFS_EX);
	return err;
}

static void drop_pinned(struct cohfs_locks *locks)
{
	if (locks->open)
		cohfs_lock_unpin(&locks->open->lk, COHFS_EX);
	cohfs_locks_drop(locks);
}

/*
 * Not hashed: a cohfs_iget() that comes now makes its own inode and waits for O,
 * after which it finds the number freed or reused.
 */
struct inode *cohfs_iget_dying(struct super_block *sb, u64 ino, u32 generation,
			       struct cohfs_locks *locks)
{
	struct inode *inode;
	int err;

	if (!cohfs_valid_extent(COHFS_SB(sb), ino, 2)) {
		drop_pinned(locks);
		return ERR_PTR(cohfs_corrupt(sb, ino, "inode number"));
	}
	inode = new_inode(sb);
	if (!inode) {
		drop_pinned(locks);
		return ERR_PTR(-ENOMEM);
	}
	inode->i_ino = ino;
	inode->i_generation = generation;
	COHFS_I(inode)->ci_no_reap = true;
	err = load_dying(inode, locks);
	if (!err)
		return inode;
	iput(inode);
	return ERR_PTR(err);
}

void cohfs_iput_dying(struct inode *inode, struct cohfs_locks *locks)
{
	struct cohfs_object *open = COHFS_I(inode)->ci_open;

	/* O is detached before it can be asked for: with an inode it would be refused */
	if (locks)
		take_locks(inode, locks);
	cohfs_lock_unpin(&open->lk, COHFS_EX);
	iput(inode);
}

/* Creation ------------------------------------------------------------------------ */

/*
 * O EX, as nobody else can have an inode that does not exist yet; the others get PR when
 * they ask.  As long as none has, the deletion need not ask either, and knows that the
 * inode was never anywhere but here.
 */
static int get_new_open(struct inode *inode)
{
	int err = get_open(inode, COHFS_EX, COHFS_LK_NOQUEUE);

	return err == -EAGAIN ? get_open(inode, COHFS_PR, 0) : err;
}

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

	err = get_new_open(inode);
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

/*
 * Back to the state in which cohfs_pool_get() has returned it; or, if another node has
 * looked at the number and we are killed while we wait for it, without the lock.
 */
static int relock_newino(struct cohfs_newino *ni)
{
	struct cohfs_object *attr = ni->locks.attr;
	int err = cohfs_lock_acquire(&attr->lk, COHFS_EX, 0);

	if (err) {
		cohfs_object_drop(attr);
		ni->locks.attr = NULL;
	}
	return err;
}

/* Everything but I, which is not ours before the inode is known to be */
static void put_newino_locks(struct inode *inode, struct cohfs_newino *ni, umode_t type)
{
	struct cohfs_object *attr = ni->locks.attr;

	ni->locks.attr = NULL;
	if (!S_ISREG(type)) {
		cohfs_object_drop(ni->locks.map);
		ni->locks.map = NULL;
	}
	put_locks(inode, &ni->locks);
	ni->locks.attr = attr;
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
	cohfs_object_unlock(ni->locks.attr, COHFS_EX);
	put_newino_locks(inode, ni, type);
	err = enter_new_inode(inode, type);
	err2 = relock_newino(ni);
	err = err ? err : err2;
	if (err) {
		discard(inode);
		return ERR_PTR(err);
	}
	ci->ci_attr = ni->locks.attr;
	ni->locks.attr = NULL;
	cohfs_object_attach(ci->ci_attr, ci);
	return inode;
}

void cohfs_new_inode_undo(struct inode *inode, struct cohfs_newino *ni)
{
	struct cohfs_sb *cs = COHFS_SB(inode->i_sb);
	struct cohfs_inode *ci = COHFS_I(inode);

	ni->locks.attr = ci->ci_attr;
	ci->ci_attr = NULL;
	cohfs_object_detach(ni->locks.attr);
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

/* What a block of @inode says of its size */
static loff_t size_of_block(const struct inode *inode)
{
	return S_ISREG(inode->i_mode) ? COHFS_I(inode)->ci_disk.size : i_size_read(inode);
}

/* Put the attributes into @bh, which this transaction may change */
static int write_attr(handle_t *handle, struct inode *inode, struct buffer_head *bh,
		      loff_t size)
{
	struct cohfs_inode *ci = COHFS_I(inode);
	struct cohfs_attr attr;

	cohfs_attr_get(inode, &attr);
	attr.size = size;
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
	err = write_attr(handle, inode, bh, size_of_block(inode));
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
	bh = cohfs_meta_claim(handle, cohfs_inode_block(inode));
	if (IS_ERR(bh))
		return PTR_ERR(bh);
	mutex_lock(&ci->ci_attr_mutex);
	if (parent)
		((struct cohfs_dinode *)bh->b_data)->i_parent = cpu_to_le64(parent);
	err = write_attr(handle, inode, bh, size_of_block(inode));
	mutex_unlock(&ci->ci_attr_mutex);
	brelse(bh);
	return err;
}

int cohfs_inode_write(handle_t *handle, struct inode *inode)
{
	return change_block(handle, inode, 0);
}

int cohfs_inode_write_size(handle_t *handle, struct inode *inode, loff_t size,
			   unsigned int cuts)
{
	struct cohfs_inode *ci = COHFS_I(inode);
	struct buffer_head *bh;
	int err = -EAGAIN;

	bh = cohfs_meta_claim(handle, cohfs_inode_block(inode));
	if (IS_ERR(bh))
		return PTR_ERR(bh);
	mutex_lock(&ci->ci_attr_mutex);
	if (cuts == ci->ci_disk.cuts)
		err = write_attr(handle, inode, bh, size);
	if (!err)
		/* pairs with cohfs_disksize_behind(): an fsync commits ci_sync_tid */
		smp_store_release(&ci->ci_disk.size, size);
	mutex_unlock(&ci->ci_attr_mutex);
	brelse(bh);
	return err;
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

	if (S_ISREG(inode->i_mode))
		cohfs_disksize_unlinked(inode);
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
	struct cohfs_locks locks;
	struct cohfs_reap *reap;

	truncate_inode_pages_final(&inode->i_data);
	cohfs_fresh_evict(inode);
	clear_inode(inode);
	/* a revoke that is under way must not publish what it finds half gone: rather nothing */
	if (ci->ci_attr)
		cohfs_object_detach(ci->ci_attr);
	WRITE_ONCE(ci->ci_attr_valid, false);
	cohfs_extmap_forget(&ci->ci_extmap, 0, U64_MAX);
	cohfs_rtree_end(inode);
	/* not one of ours (the journal's), never got far, or deleted */
	if (!ci->ci_open)
		return;
	cohfs_times_forget(inode);
	take_locks(inode, &locks);
	reap = cohfs_reap_prepare(inode, locks.open->asked);
	/* a lock that was asked for while it had an inode is good for nothing but the drop */
	if (reap && !locks.open->asked) {
		cohfs_reap_start(reap, &locks);
		return;
	}
	locks.open->reap = reap;
	cohfs_locks_drop(&locks);
}
