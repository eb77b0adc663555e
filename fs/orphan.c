// SPDX-License-Identifier: GPL-2.0-only
/*
 * Deletion: what becomes of an inode without links.
 *
 * The transaction that takes the last link lists the inode in the orphan directory
 * of the unlinking node's slot.  It stays there until a worker, on whatever node,
 * has O EX: then nobody has the inode in core.  The worker frees the data, step by
 * step and restartable, and last, in one transaction, the entry and the inode itself.
 *
 * The common case is an inode that no other node has in core.  The deletion takes the
 * locks over from the inode and asks for O EX while O PR is still there: one message at
 * most, and none if no other node has had the inode in core since it was created, because
 * then O is EX since then.  The number goes to the pool together with the locks, to be
 * used again (slot.c).
 *
 * If that is refused, who tries, and why somebody succeeds:
 *  - Every node tries when an inode that it knows to be unlinked leaves its core, once
 *    more after its own O is unlocked: so the last one to leave meets nobody.
 *  - A try is a NOQUEUE request for O EX.  It tells the nodes that are in the way;
 *    those that have the inode only cached let it go, the others will at its last
 *    use, and both try then (open_give_up()).
 *  - The node in whose directory it is listed goes on trying now and then.  It covers
 *    two that refuse each other while both are leaving, and nodes that died.
 *  - What a node that dies leaves behind is an heir's (adopt.c), and like that of a node
 *    that unmounts the next mount's of its slot.
 *
 * An orphan entry is removed only by who holds O EX of the inode, and an inode block
 * is believed to be an orphan only if the entry is there: what an earlier deletion
 * has left of the block looks the same.
 */
#include <linux/buffer_head.h>
#include <linux/slab.h>
#include "alloc.h"
#include "change.h"
#include "extalloc.h"
#include "inode.h"
#include "log.h"
#include "map.h"
#include "orphan.h"
#include "slot.h"
#include "unmount.h"

#define RETRY_FIRST	(1UL * HZ)
#define RETRY_MAX	(60UL * HZ)
#define NAME_LEN	16
#define WORKERS		4

/**
 * struct cohfs_reap - one inode to be deleted
 * @link: in orphans->reaps
 * @cs: NULL: the mount has ended, and left the lock with this behind
 * @locks: of the inode, as it left them; empty: to be asked for
 * @ours: O was EX then: no other node has had the inode in core with links
 * @started: O of this node is unlocked or in @locks, @work has been queued
 * @own: listed in our directory: try until it works
 */
struct cohfs_reap {
	struct list_head link;
	struct cohfs_sb *cs;
	struct delayed_work work;
	u64 ino;
	u32 generation;
	struct cohfs_locks locks;
	unsigned long delay;
	bool ours;
	bool started;
	bool own;
};

/**
 * struct cohfs_orphans - of a mount
 * @dir: our orphan directory
 * @reaps: all struct cohfs_reap that are not done
 * @closing: no retries any more
 * @closed: no starts either
 * @idle: @reaps has become empty
 */
struct cohfs_orphans {
	struct inode *dir;
	struct list_head reaps;
	bool closing;
	bool closed;
	wait_queue_head_t idle;
};

/* Protects cs->orphans and what is in it; taken under nothing, nothing under it. */
static DEFINE_SPINLOCK(orphans_lock);

/* The directory -------------------------------------------------------------------- */

struct inode *cohfs_orphan_dir(struct cohfs_sb *cs)
{
	return cs->orphans->dir;
}

/* Directory of @slot, with a reference */
static struct inode *get_dir(struct cohfs_sb *cs, u32 slot)
{
	u64 ino = cohfs_slot_orphan_dir(cs, slot);
	struct inode *dir;

	if (!ino)
		return ERR_PTR(-EIO);
	if (ino == cs->geo.root_ino)
		return ERR_PTR(cohfs_corrupt(cs->sb, ino, "orphan directory is the root"));
	dir = cohfs_iget(cs->sb, ino, 0);
	if (IS_ERR(dir))
		return dir;
	if (!S_ISDIR(dir->i_mode)) {
		iput(dir);
		return ERR_PTR(cohfs_corrupt(cs->sb, ino,
					     "orphan directory is no directory"));
	}
	/* nobody can reach it; its eviction means nothing */
	inode_set_flags(dir, S_PRIVATE, S_PRIVATE);
	COHFS_I(dir)->ci_no_reap = true;
	return dir;
}

static struct qstr orphan_name(u64 ino, char *buf)
{
	snprintf(buf, NAME_LEN + 1, "%016llx", ino);
	return (struct qstr)QSTR_INIT(buf, NAME_LEN);
}

int cohfs_orphan_plan(struct inode *inode, struct cohfs_dirplan *plan)
{
	struct inode *dir = cohfs_orphan_dir(COHFS_SB(inode->i_sb));
	char buf[NAME_LEN + 1];
	struct qstr name = orphan_name(inode->i_ino, buf);
	struct cohfs_dirtarget target;
	int err;

	err = cohfs_dir_lookup(dir, &name, &target);
	if (!err)
		return cohfs_corrupt(inode->i_sb, inode->i_ino,
				     "inode with links is listed as an orphan");
	if (err != -ENOENT)
		return err;
	plan->credits += COHFS_INODE_CREDITS;
	return cohfs_dir_plan(dir, &name, plan);
}

int cohfs_orphan_add(handle_t *handle, struct inode *inode, struct cohfs_resv *resv)
{
	struct cohfs_sb *cs = COHFS_SB(inode->i_sb);
	struct cohfs_dirtarget target = cohfs_dirtarget_of(inode);
	struct inode *dir = cohfs_orphan_dir(cs);
	loff_t size = i_size_read(dir);
	char buf[NAME_LEN + 1];
	struct qstr name = orphan_name(inode->i_ino, buf);
	int err;

	err = cohfs_dir_insert(handle, dir, &name, &target, resv);
	if (!err && i_size_read(dir) != size)
		err = cohfs_inode_write(handle, dir);
	if (!err)
		COHFS_I(inode)->ci_orphan_slot = cs->slot + 1;
	return err;
}

/* -ENOENT if @inode is not listed: then it is not ours to delete */
static int check_listed(struct inode *dir, struct inode *inode)
{
	struct cohfs_dirtarget target;
	char buf[NAME_LEN + 1];
	struct qstr name = orphan_name(inode->i_ino, buf);
	int err = cohfs_attr_lock(dir, COHFS_EX);	/* soon needed to remove it */

	if (err)
		return err;
	down_read(&COHFS_I(dir)->ci_dir_sem);
	err = cohfs_dir_lookup(dir, &name, &target);
	up_read(&COHFS_I(dir)->ci_dir_sem);
	if (!err && !cohfs_dirtarget_is(&target, inode))
		err = -ENOENT;
	cohfs_attr_unlock(dir, COHFS_EX);
	return err;
}

/* Deleting one inode ----------------------------------------------------------------- */

/**
 * struct deletion - an inode on its way out
 * @dir: orphan directory that lists it
 * @ours: no other node has had it in core with links
 * @number: its number goes to the pool; NULL: its blocks are freed
 */
struct deletion {
	struct cohfs_sb *cs;
	struct inode *inode;
	struct inode *dir;
	bool ours;
	struct cohfs_number *number;
};

/*
 * A map changes under M only, and M can be asked for only with the inode in core; if
 * this is the one node where it was and M was not asked for, no map was ever written.
 */
static bool never_mapped(const struct deletion *del)
{
	const struct cohfs_object *maplk = COHFS_I(del->inode)->ci_maplk;

	if (S_ISDIR(del->inode->i_mode))
		return false;
	return !maplk || (del->ours && cohfs_lock_cached(&maplk->lk) == COHFS_NL);
}

static int free_data(struct inode *inode)
{
	int err;

	if (S_ISREG(inode->i_mode))
		return cohfs_extalloc_free(inode, 0, U64_MAX);
	if (!S_ISDIR(inode->i_mode))
		return 0;
	err = cohfs_attr_lock(inode, COHFS_EX);
	if (err)
		return err;
	err = cohfs_dir_free(inode);
	cohfs_attr_unlock(inode, COHFS_EX);
	return err;
}

/*
 * All locks held: entry and inode go in one transaction.  The number stays allocated,
 * with whatever is in its blocks: the next inode has another generation.
 */
static int recycle_locked(struct deletion *del)
{
	struct cohfs_sb *cs = del->cs;
	char buf[NAME_LEN + 1];
	struct qstr name = orphan_name(del->inode->i_ino, buf);
	handle_t *handle;
	int err, err2;

	handle = cohfs_trans_begin(cs, COHFS_DIR_CHANGE_CREDITS + COHFS_POOL_CREDITS);
	if (IS_ERR(handle))
		return PTR_ERR(handle);
	err = cohfs_dir_delete(handle, del->dir, &name);
	if (!err)
		err = cohfs_pool_return(handle, cs, del->inode->i_ino);
	err2 = cohfs_trans_end(handle);
	return err ? err : err2;
}

/*
 * The map root, whether this inode ever had one or not: an earlier inode of the number
 * may have had it in a transaction that a replay would bring back, over whatever the
 * block is by then.
 */
static struct buffer_head *root_block(struct inode *inode)
{
	struct buffer_head *bh = sb_getblk(inode->i_sb, inode->i_ino + 1);

	return bh ? bh : ERR_PTR(-ENOMEM);
}

static struct cohfs_metaset *root_set(struct inode *inode)
{
	struct cohfs_inode *ci = COHFS_I(inode);

	return ci->ci_maplk ? &ci->ci_maplk->meta : &ci->ci_attr->meta;
}

/*
 * Consumes the buffers.  In this order, since what is not freed is lost space, what
 * is freed twice is damage.
 */
static int erase_change(handle_t *handle, struct inode *dir, struct inode *inode,
			struct cohfs_resv *resv, struct buffer_head *block,
			struct buffer_head *root)
{
	struct cohfs_metaset *set = &COHFS_I(inode)->ci_attr->meta;
	char buf[NAME_LEN + 1];
	struct qstr name = orphan_name(inode->i_ino, buf);
	int err;

	err = cohfs_dir_delete(handle, dir, &name);
	if (err) {
		brelse(root);
		brelse(block);
		return err;
	}
	cohfs_meta_forget(handle, root_set(inode), root);
	cohfs_meta_forget(handle, set, block);
	return cohfs_free_extent(handle, resv, inode->i_ino, 2);
}

/* The same, with the blocks to be freed */
static int erase_locked(struct deletion *del)
{
	struct cohfs_sb *cs = del->cs;
	struct inode *inode = del->inode;
	struct buffer_head *block, *root;
	u64 ino = inode->i_ino;
	struct cohfs_resv resv;
	handle_t *handle;
	int err, err2;

	block = cohfs_inode_block(inode);
	if (IS_ERR(block))
		return PTR_ERR(block);
	root = root_block(inode);
	if (IS_ERR(root)) {
		brelse(block);
		return PTR_ERR(root);
	}
	err = cohfs_free_reserve(cs, &ino, 1, &resv);
	if (err)
		goto out_brelse;
	handle = cohfs_trans_begin(cs, COHFS_DIR_CHANGE_CREDITS + 2 + resv.credits);
	if (IS_ERR(handle)) {
		err = PTR_ERR(handle);
		goto out_resv;
	}
	err = erase_change(handle, del->dir, inode, &resv, block, root);
	err2 = cohfs_trans_end(handle);
	cohfs_resv_end(cs, &resv);
	return err ? err : err2;

out_resv:
	cohfs_resv_end(cs, &resv);
out_brelse:
	brelse(root);
	brelse(block);
	return err;
}

static int erase_with_map(struct deletion *del)
{
	struct cohfs_object *maplk = COHFS_I(del->inode)->ci_maplk;
	int err;

	if (del->number)
		return recycle_locked(del);
	if (!maplk)
		return erase_locked(del);
	err = cohfs_object_lock(maplk, COHFS_EX);
	if (err)
		return err;
	err = erase_locked(del);
	cohfs_object_unlock(maplk, COHFS_EX);
	return err;
}

static int erase(struct deletion *del)
{
	struct inode *locks[] = { del->dir, del->inode };
	int err = cohfs_attr_lock_all(locks, ARRAY_SIZE(locks));

	if (err)
		return err;
	down_write(&COHFS_I(del->dir)->ci_dir_sem);
	err = erase_with_map(del);
	up_write(&COHFS_I(del->dir)->ci_dir_sem);
	cohfs_attr_unlock_all(locks, ARRAY_SIZE(locks));
	return err;
}

/*
 * The blocks of a directory are always freed: its root is under I, and that of the next
 * inode of the number may be under M.
 */
static int delete(struct deletion *del)
{
	int err = 0;

	/* what was only here was listed here, and nobody else can have removed it */
	if (!del->ours)
		err = check_listed(del->dir, del->inode);
	if (!err && !never_mapped(del))
		err = free_data(del->inode);
	if (err)
		return err;
	if (!S_ISDIR(del->inode->i_mode))
		del->number = cohfs_pool_promise(del->cs);
	err = erase(del);
	if (!err)
		return 0;
	cohfs_pool_renounce(del->cs, del->number);
	del->number = NULL;
	return err;
}

/* The number goes to the pool with the locks, if that is what was to become of it */
static void end_deletion(struct deletion *del, u64 ino)
{
	struct cohfs_locks locks;

	cohfs_iput_dying(del->inode, del->number ? &locks : NULL);
	if (del->number)
		cohfs_pool_fill(del->cs, del->number, ino, &locks);
}

/*
 * Return: 0 deleted, or nothing to delete; -EAGAIN in use somewhere; other errors
 * leave the entry for the next mount, or for fsck.
 */
static int reap_inode(struct cohfs_reap *reap)
{
	struct cohfs_sb *cs = reap->cs;
	struct deletion del = { .cs = cs, .ours = reap->ours };
	int err;

	del.inode = cohfs_iget_dying(cs->sb, reap->ino, reap->generation, &reap->locks);
	if (IS_ERR(del.inode))
		return PTR_ERR(del.inode) == -ESTALE ? 0 : PTR_ERR(del.inode);
	del.dir = get_dir(cs, COHFS_I(del.inode)->ci_orphan_slot - 1);
	if (IS_ERR(del.dir)) {
		err = PTR_ERR(del.dir);
	} else {
		err = delete(&del);
		iput(del.dir);
	}
	end_deletion(&del, reap->ino);
	return err == -ENOENT ? 0 : err;
}

/* The worker ---------------------------------------------------------------------------- */

static void reap_free(struct cohfs_reap *reap)
{
	if (reap)
		cohfs_locks_drop(&reap->locks);
	kfree(reap);
}

/* From now on it belongs to its lock alone, which may outlive the mount */
static void reap_forget(struct cohfs_reap *reap)
{
	lockdep_assert_held(&orphans_lock);
	list_del_init(&reap->link);
	reap->cs = NULL;
}

static void reap_done(struct cohfs_reap *reap)
{
	struct cohfs_orphans *orphans = reap->cs->orphans;

	spin_lock(&orphans_lock);
	list_del(&reap->link);
	if (list_empty(&orphans->reaps))
		wake_up(&orphans->idle);
	spin_unlock(&orphans_lock);
	reap_free(reap);
}

/* True: queued once more.  The locks are gone, and with them what M tells about the map. */
static bool reap_later(struct cohfs_reap *reap)
{
	bool again;

	spin_lock(&orphans_lock);
	again = reap->own && !reap->cs->orphans->closing;
	if (again) {
		reap->ours = false;
		reap->delay = clamp(2 * reap->delay, RETRY_FIRST, RETRY_MAX);
		queue_delayed_work(reap->cs->delete_wq, &reap->work, reap->delay);
	}
	spin_unlock(&orphans_lock);
	return again;
}

/*
 * From the PR that the inode had, if it is still there: it keeps the number from having a
 * new owner, who would be told by a request for EX to let his inode go (see get_dying()).
 * A demand from elsewhere can have taken it, the inode being detached.
 */
static int raise_open(struct cohfs_object *open)
{
	int err = cohfs_lock_acquire(&open->lk, COHFS_PR, COHFS_LK_TRY | COHFS_LK_PIN);

	if (err)
		return err;
	err = cohfs_lock_acquire(&open->lk, COHFS_EX,
				 COHFS_LK_NOQUEUE | COHFS_LK_NOINTR | COHFS_LK_PIN);
	cohfs_lock_unpin(&open->lk, COHFS_PR);
	return err;
}

/*
 * If O EX is not to be had @reap starts again when O is unlocked.
 * Return: false: @reap is not ours any more.
 */
static bool get_open_ex(struct cohfs_reap *reap)
{
	struct cohfs_locks locks = reap->locks;

	if (!locks.open || !raise_open(locks.open))
		return true;
	reap->locks = (struct cohfs_locks) { };
	reap->ours = false;
	spin_lock(&orphans_lock);
	reap->started = false;
	if (reap->cs->orphans->closed)
		reap_forget(reap);
	spin_unlock(&orphans_lock);
	locks.open->reap = reap;
	cohfs_locks_drop(&locks);
	return false;
}

/* A freeze must not catch us with a lock in hand, so it is waited for here. */
static void reap_work(struct work_struct *work)
{
	struct cohfs_reap *reap = container_of(to_delayed_work(work),
					       struct cohfs_reap, work);
	struct cohfs_sb *cs = reap->cs;
	int err = -EIO;

	if (!cohfs_is_withdrawn(cs)) {
		sb_start_intwrite(cs->sb);
		if (get_open_ex(reap))
			err = reap_inode(reap);
		else
			reap = NULL;
		sb_end_intwrite(cs->sb);
	}
	if (!reap)
		return;
	if ((err == -EAGAIN || err == -ENOMEM) && reap_later(reap))
		return;
	if (err && err != -EAGAIN && !cohfs_is_withdrawn(cs) && !cohfs_is_alone(cs))
		cohfs_warn(cs->sb, "inode %llu not deleted, stays an orphan: error %d",
			   reap->ino, err);
	reap_done(reap);
}

static struct cohfs_reap *reap_alloc(struct cohfs_sb *cs, u64 ino, u32 generation,
				     bool own, gfp_t gfp)
{
	struct cohfs_reap *reap = kzalloc(sizeof(*reap), gfp);

	if (!reap)
		return NULL;
	reap->cs = cs;
	reap->ino = ino;
	reap->generation = generation;
	reap->own = own;
	INIT_DELAYED_WORK(&reap->work, reap_work);
	spin_lock(&orphans_lock);
	list_add_tail(&reap->link, &cs->orphans->reaps);
	spin_unlock(&orphans_lock);
	return reap;
}

struct cohfs_reap *cohfs_reap_prepare(struct inode *inode, bool asked)
{
	struct cohfs_sb *cs = COHFS_SB(inode->i_sb);
	struct cohfs_inode *ci = COHFS_I(inode);

	if (ci->ci_no_reap || !inode->i_generation || !cs->orphans ||
	    cohfs_is_withdrawn(cs))
		return NULL;
	if (inode->i_nlink && !asked)
		return NULL;
	/* small, and the last use of a file is seldom in reclaim */
	return reap_alloc(cs, inode->i_ino, inode->i_generation,
			  ci->ci_orphan_slot == cs->slot + 1,
			  GFP_NOFS | __GFP_NOFAIL);
}

/*
 * After a withdrawal locks go when the lockspace does, after cohfs_orphan_exit(),
 * which has taken such entries off the list.  Or they stay behind, and their unlock is
 * answered when the mount itself is gone: @cs is looked at under the lock.
 */
void cohfs_reap_start(struct cohfs_reap *reap, struct cohfs_locks *locks)
{
	struct cohfs_sb *cs;

	if (locks) {
		reap->locks = *locks;
		reap->ours = cohfs_lock_cached(&locks->open->lk) == COHFS_EX;
	}
	spin_lock(&orphans_lock);
	cs = reap->cs;
	if (cs && !cs->orphans->closed) {
		reap->started = true;
		queue_delayed_work(cs->delete_wq, &reap->work, 0);
		reap = NULL;
	} else {
		reap_forget(reap);
	}
	spin_unlock(&orphans_lock);
	reap_free(reap);
}

/* Mount and unmount ----------------------------------------------------------------------- */

static int queue_leaf(struct cohfs_sb *cs, const struct cohfs_dirleaf *leaf)
{
	struct cohfs_dirview view;
	struct cohfs_reap *reap;
	u64 key = 0;

	for (; cohfs_dirleaf_next(leaf, key, &view); key = view.key + 1) {
		reap = reap_alloc(cs, view.target.ino, view.target.generation, true,
				  GFP_KERNEL);
		if (!reap)
			return -ENOMEM;
		cohfs_reap_start(reap, NULL);
	}
	return 0;
}

static int queue_leftovers(struct cohfs_sb *cs, struct inode *dir)
{
	struct cohfs_dirleaf *leaf = kmalloc(COHFS_BLOCK_SIZE, GFP_KERNEL);
	u64 key = 0;
	int ret;

	if (!leaf)
		return -ENOMEM;
	do {
		ret = cohfs_attr_lock(dir, COHFS_PR);
		if (ret)
			break;
		down_read(&COHFS_I(dir)->ci_dir_sem);
		ret = cohfs_dir_copy(dir, key, leaf, &key);
		up_read(&COHFS_I(dir)->ci_dir_sem);
		cohfs_attr_unlock(dir, COHFS_PR);
		if (ret > 0)
			ret = queue_leaf(cs, leaf);
		else
			key = COHFS_DIR_END;
	} while (!ret && key != COHFS_DIR_END);
	kfree(leaf);
	return ret;
}

int cohfs_orphan_adopt(struct cohfs_sb *cs, u32 slot)
{
	struct inode *dir = get_dir(cs, slot);
	int err;

	if (IS_ERR(dir))
		return PTR_ERR(dir);
	err = queue_leftovers(cs, dir);
	iput(dir);
	return err;
}

int cohfs_orphan_init(struct cohfs_sb *cs)
{
	struct cohfs_orphans *orphans = kzalloc(sizeof(*orphans), GFP_KERNEL);
	int err;

	if (!orphans)
		return -ENOMEM;
	INIT_LIST_HEAD(&orphans->reaps);
	init_waitqueue_head(&orphans->idle);
	cs->delete_wq = alloc_workqueue("cohfs-delete-%s", WQ_UNBOUND | WQ_MEM_RECLAIM,
					WORKERS, cs->sb->s_id);
	if (!cs->delete_wq) {
		kfree(orphans);
		return -ENOMEM;
	}
	err = cohfs_linger_init(cs);
	if (err)
		goto err_linger;
	orphans->dir = get_dir(cs, cs->slot);
	if (IS_ERR(orphans->dir)) {
		err = PTR_ERR(orphans->dir);
		cohfs_err(cs->sb, "cannot get the orphan directory of slot %u: error %d",
			  cs->slot, err);
		goto err_dir;
	}
	cs->orphans = orphans;
	err = queue_leftovers(cs, orphans->dir);
	if (err)
		cohfs_unmount_step(cs, cohfs_orphan_exit);
	return err;

err_dir:
	cohfs_linger_exit(cs);
	cohfs_linger_free(cs);
err_linger:
	destroy_workqueue(cs->delete_wq);
	cs->delete_wq = NULL;
	kfree(orphans);
	return err;
}

/* No more retries: a last try for what waits for one */
static void close_reaps(struct cohfs_sb *cs, struct cohfs_orphans *orphans)
{
	struct cohfs_reap *reap;

	spin_lock(&orphans_lock);
	orphans->closing = true;
	/*
	 * Only what is waiting for its time: one that runs, or is about to, ends by
	 * itself and is freed, and must not be queued again.
	 */
	list_for_each_entry(reap, &orphans->reaps, link)
		if (reap->started && cancel_delayed_work(&reap->work))
			queue_delayed_work(cs->delete_wq, &reap->work, 0);
	spin_unlock(&orphans_lock);
}

static bool reaps_empty(struct cohfs_orphans *orphans)
{
	bool empty;

	spin_lock(&orphans_lock);
	empty = list_empty(&orphans->reaps);
	spin_unlock(&orphans_lock);
	return empty;
}

/* What has not been started stays with its lock, and is freed with it */
static void forget_unstarted(struct cohfs_orphans *orphans)
{
	struct cohfs_reap *reap, *tmp;

	spin_lock(&orphans_lock);
	orphans->closed = true;
	list_for_each_entry_safe(reap, tmp, &orphans->reaps, link)
		if (!reap->started)
			reap_forget(reap);
	spin_unlock(&orphans_lock);
}

/*
 * Eviction has queued the drop of every O, and each that has a reap starts it when it
 * is unlocked; withdrawn or alone (unmount.c), that may be never.
 *
 * Lingering locks go first: revokes are not served any more, and a node that waits for
 * one of them may hold what a deletion here waits for.
 */
void cohfs_orphan_exit(struct cohfs_sb *cs)
{
	struct cohfs_orphans *orphans = cs->orphans;

	if (!orphans)
		return;
	cohfs_linger_exit(cs);
	close_reaps(cs, orphans);
	while (!wait_event_timeout(orphans->idle, reaps_empty(orphans), HZ))
		if (cohfs_is_withdrawn(cs) || cohfs_is_alone(cs))
			break;
	forget_unstarted(orphans);
	destroy_workqueue(cs->delete_wq);
	cs->delete_wq = NULL;
	spin_lock(&orphans_lock);
	cs->orphans = NULL;
	spin_unlock(&orphans_lock);
	iput(orphans->dir);
	kfree(orphans);
	cohfs_linger_free(cs);
}
