// SPDX-License-Identifier: GPL-2.0-only
/*
 * Life of struct cohfs_object: made by whoever needs a cluster lock, dropped by the
 * owner, freed by the lock layer when the cluster knows that we let go.
 *
 * Letting go of metadata that has been changed needs a flush of the log, during which
 * no transaction runs; doing that for every inode that leaves core (each unlink, to
 * begin with) would be the end of all speed.  Nobody is waiting for these locks, so
 * they linger: the log is flushed every few seconds anyway, after which they are clean
 * and go for nothing.  If another node asks for one it is revoked like any other; if
 * this node needs it again (the inode comes back, or a new one of that number) it takes
 * over the object with everything that is cached under it.  The locks of an inode without
 * links do not even get here: its deletion takes them over, see orphan.c.
 */
#include <linux/hash.h>
#include <linux/slab.h>
#include "inode.h"
#include "object.h"

#define LINGER_PERIOD	HZ
#define LINGER_MAX	16384	/* objects, then they go at once, flush or not */
#define LINGER_BITS	10

/**
 * struct cohfs_linger - dropped objects of a mount that are not clean
 * @lock: protects the rest; taken under nothing, nothing under it
 * @list: in the order in which they were dropped
 * @hash: the same, by type and number
 * @closed: no more
 */
struct cohfs_linger {
	spinlock_t lock;
	struct list_head list;
	struct hlist_head hash[1 << LINGER_BITS];
	unsigned int count;
	bool closed;
	struct cohfs_sb *cs;
	struct delayed_work work;
};

static struct kmem_cache *object_cache;

int __init cohfs_object_cache_init(void)
{
	object_cache = KMEM_CACHE(cohfs_object, SLAB_RECLAIM_ACCOUNT);
	return object_cache ? 0 : -ENOMEM;
}

/* Complains if an object is left: created and destroyed must be equal. */
void cohfs_object_cache_exit(void)
{
	kmem_cache_destroy(object_cache);
}

/* Lingering --------------------------------------------------------------------------- */

static struct hlist_head *linger_bucket(struct cohfs_linger *linger,
					enum cohfs_lock_type type, u64 number)
{
	return &linger->hash[hash_64(number ^ (u64)type << 56, LINGER_BITS)];
}

/* Only inodes and maps: there are many of them, and they come and go */
static bool may_linger(const struct cohfs_object *obj)
{
	u8 type = obj->lk.lk_name.type;

	return type == COHFS_LT_INODE || type == COHFS_LT_MAP;
}

/* False: it has to go the usual way */
static bool linger_add(struct cohfs_object *obj)
{
	struct cohfs_linger *linger = obj->cs->linger;
	bool added;

	if (!linger || !may_linger(obj) || cohfs_is_withdrawn(obj->cs) ||
	    !cohfs_metaset_dirty(obj->cs, &obj->meta))
		return false;
	spin_lock(&linger->lock);
	added = !linger->closed && linger->count < LINGER_MAX;
	if (added) {
		linger->count++;
		list_add_tail(&obj->linger, &linger->list);
		hlist_add_head(&obj->linger_hash,
			       linger_bucket(linger, obj->lk.lk_name.type,
					     obj->lk.lk_name.number));
		queue_delayed_work(system_unbound_wq, &linger->work, LINGER_PERIOD);
	}
	spin_unlock(&linger->lock);
	return added;
}

static void linger_del(struct cohfs_linger *linger, struct cohfs_object *obj)
{
	lockdep_assert_held(&linger->lock);
	list_del(&obj->linger);
	hlist_del(&obj->linger_hash);
	linger->count--;
}

static struct cohfs_object *linger_take(struct cohfs_sb *cs,
					enum cohfs_lock_type type, u64 number)
{
	struct cohfs_linger *linger = cs->linger;
	struct cohfs_object *obj;

	if (!linger)
		return NULL;
	spin_lock(&linger->lock);
	hlist_for_each_entry(obj, linger_bucket(linger, type, number), linger_hash)
		if (obj->lk.lk_name.type == type && obj->lk.lk_name.number == number)
			break;
	if (obj)
		linger_del(linger, obj);
	spin_unlock(&linger->lock);
	return obj;
}

/* Let go of those that are clean, or of @all */
static void linger_release(struct cohfs_linger *linger, bool all)
{
	struct cohfs_object *obj, *tmp;
	LIST_HEAD(gone);

	spin_lock(&linger->lock);
	list_for_each_entry_safe(obj, tmp, &linger->list, linger) {
		if (!all && cohfs_metaset_dirty(linger->cs, &obj->meta))
			break;	/* the rest was dropped later */
		linger_del(linger, obj);
		list_add(&obj->linger, &gone);
	}
	if (linger->count && !linger->closed)
		queue_delayed_work(system_unbound_wq, &linger->work, LINGER_PERIOD);
	spin_unlock(&linger->lock);

	/* an object may be gone as soon as it is dropped */
	list_for_each_entry_safe(obj, tmp, &gone, linger)
		cohfs_lock_drop(&obj->lk);
}

static void linger_work(struct work_struct *work)
{
	linger_release(container_of(to_delayed_work(work), struct cohfs_linger, work),
		       false);
}

int cohfs_linger_init(struct cohfs_sb *cs)
{
	struct cohfs_linger *linger = kzalloc(sizeof(*linger), GFP_KERNEL);

	if (!linger)
		return -ENOMEM;
	spin_lock_init(&linger->lock);
	INIT_LIST_HEAD(&linger->list);
	INIT_DELAYED_WORK(&linger->work, linger_work);
	linger->cs = cs;
	cs->linger = linger;
	return 0;
}

/* The memory goes with cohfs_linger_free(): a late drop may still look at @closed */
void cohfs_linger_exit(struct cohfs_sb *cs)
{
	struct cohfs_linger *linger = cs->linger;

	if (!linger)
		return;
	spin_lock(&linger->lock);
	linger->closed = true;
	spin_unlock(&linger->lock);
	cancel_delayed_work_sync(&linger->work);
	linger_release(linger, true);
}

void cohfs_linger_free(struct cohfs_sb *cs)
{
	kfree(cs->linger);
	cs->linger = NULL;
}

/* Objects ------------------------------------------------------------------------------- */

static struct cohfs_object *new_object(struct cohfs_sb *cs, enum cohfs_lock_type type,
				       u64 number)
{
	struct cohfs_object *obj = kmem_cache_zalloc(object_cache, GFP_NOFS);
	int err;

	if (!obj)
		return ERR_PTR(-ENOMEM);
	obj->cs = cs;
	spin_lock_init(&obj->spin);
	cohfs_metaset_init(&obj->meta);
	err = cohfs_lock_init(&obj->lk, cs->ls, cohfs_lock_ops_of(type, number),
			     type, number, 0);
	if (!err)
		return obj;
	kmem_cache_free(object_cache, obj);
	return ERR_PTR(err);
}

struct cohfs_object *cohfs_object_create(struct cohfs_sb *cs,
		enum cohfs_lock_type type, u64 number, struct cohfs_inode *ci)
{
	struct cohfs_object *obj = linger_take(cs, type, number);

	if (!obj)
		obj = new_object(cs, type, number);
	if (!IS_ERR(obj))
		cohfs_object_attach(obj, ci);
	return obj;
}

void cohfs_object_attach(struct cohfs_object *obj, struct cohfs_inode *ci)
{
	spin_lock(&obj->spin);
	obj->ci = ci;
	spin_unlock(&obj->spin);
}

void cohfs_object_detach(struct cohfs_object *obj)
{
	cohfs_object_attach(obj, NULL);
}

void cohfs_object_drop(struct cohfs_object *obj)
{
	if (!obj)
		return;
	cohfs_object_detach(obj);
	if (!linger_add(obj))
		cohfs_lock_drop(&obj->lk);
}

void cohfs_locks_drop(struct cohfs_locks *locks)
{
	cohfs_object_drop(locks->map);
	cohfs_object_drop(locks->attr);
	cohfs_object_drop(locks->open);
	*locks = (struct cohfs_locks) { };
}

/*
 * The set is empty unless the mount has withdrawn: then locks go without having
 * been given up, and what is in the set is only memory.
 */
void cohfs_object_free(struct cohfs_object *obj)
{
	cohfs_metaset_clear(&obj->meta);
	kmem_cache_free(object_cache, obj);
}

/*
 * evict_inode detaches under obj->spin before the inode is freed, so an inode seen
 * here exists; igrab() says whether its eviction has begun.
 */
struct inode *cohfs_object_grab_inode(struct cohfs_object *obj)
{
	struct inode *inode = NULL;

	spin_lock(&obj->spin);
	if (obj->ci)
		inode = igrab(&obj->ci->ci_vfs);
	spin_unlock(&obj->spin);
	return inode;
}
