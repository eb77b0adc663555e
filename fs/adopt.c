// SPDX-License-Identifier: GPL-2.0-only
/*
 * Orphans of nodes that are gone.
 *
 * What a dead node had unlinked is listed in the orphan directory of its slot.  The
 * next owner of the slot will look there, but there may be none for a long time, so
 * a survivor does, at once: the one that gets the heir lock of the slot (SLOT lock
 * number COHFS_MAX_SLOTS + slot), and keeps it until it unmounts.  One heir is enough,
 * and two would only take the directory from each other.  The others remember the slot
 * and try again after each change of the membership, since it may be the heir who died.
 *
 * Nothing here is needed for what is right, only for space to come back: an orphan is
 * deleted by who has O EX of it and finds it listed, heir or not.  The new owner of the
 * slot does not ask for the heir lock.
 */
#include <linux/slab.h>
#include "adopt.h"
#include "object.h"
#include "orphan.h"
#include "recovery.h"
#include "super.h"

/**
 * struct cohfs_adoption - of a mount
 * @lock: protects @due, @started, @stopped
 * @due: slots to look at, or whose heir to become if there is none
 * @held: heir locks, held EX; only @work and what waits for it
 */
struct cohfs_adoption {
	struct cohfs_sb *cs;
	struct work_struct work;
	spinlock_t lock;
	u64 due;
	bool started;
	bool stopped;
	struct cohfs_object *held[COHFS_MAX_SLOTS];
};

/* Return: 0 this node is the heir, -EAGAIN another one is, -errno */
static int become_heir(struct cohfs_adoption *ad, u32 slot)
{
	struct cohfs_object *obj;
	int err;

	if (ad->held[slot])
		return 0;
	obj = cohfs_object_create(ad->cs, COHFS_LT_SLOT, COHFS_MAX_SLOTS + slot, NULL);
	if (IS_ERR(obj))
		return PTR_ERR(obj);
	err = cohfs_lock_acquire(&obj->lk, COHFS_EX,
				 COHFS_LK_NOQUEUE | COHFS_LK_NOINTR | COHFS_LK_PIN);
	if (err)
		cohfs_object_drop(obj);
	else
		ad->held[slot] = obj;
	return err;
}

static int adopt_slot(struct cohfs_adoption *ad, u32 slot)
{
	unsigned int tries = 0;
	int err;

	do {
		err = become_heir(ad, slot);
		if (!err)
			err = cohfs_orphan_adopt(ad->cs, slot);
	} while (cohfs_recovery_again(ad->cs, "adoption", err, &tries));
	return err;
}

static u64 take_due(struct cohfs_adoption *ad)
{
	u64 due;

	spin_lock(&ad->lock);
	due = ad->stopped ? 0 : ad->due;
	ad->due &= ~due;
	spin_unlock(&ad->lock);
	return due;
}

static void adopt_work(struct work_struct *work)
{
	struct cohfs_adoption *ad = container_of(work, struct cohfs_adoption, work);
	struct cohfs_sb *cs = ad->cs;
	u64 due = take_due(ad), later = 0;
	u32 slot;
	int err;

	for (slot = 0; slot < cs->geo.slots; slot++) {
		if (!(due & BIT_ULL(slot)) || slot == cs->slot)
			continue;
		err = adopt_slot(ad, slot);
		if (err)
			later |= BIT_ULL(slot);
		if (err && err != -EAGAIN && !cohfs_is_withdrawn(cs) &&
		    !cohfs_is_alone(cs))
			cohfs_warn(cs->sb, "orphans of slot %u stay for its next owner: error %d",
				   slot, err);
	}
	spin_lock(&ad->lock);
	ad->due |= later;
	spin_unlock(&ad->lock);
}

void cohfs_adopt(struct cohfs_sb *cs, u64 slots)
{
	struct cohfs_adoption *ad = cs->adoption;

	spin_lock(&ad->lock);
	ad->due |= slots;
	if (ad->due && ad->started && !ad->stopped)
		queue_work(system_unbound_wq, &ad->work);
	spin_unlock(&ad->lock);
}

void cohfs_adopt_start(struct cohfs_sb *cs)
{
	struct cohfs_adoption *ad = cs->adoption;

	spin_lock(&ad->lock);
	ad->started = true;
	spin_unlock(&ad->lock);
	cohfs_adopt(cs, 0);
}

void cohfs_adopt_stop(struct cohfs_sb *cs)
{
	struct cohfs_adoption *ad = cs->adoption;
	u32 slot;

	spin_lock(&ad->lock);
	ad->stopped = true;
	spin_unlock(&ad->lock);
	cancel_work_sync(&ad->work);
	for (slot = 0; slot < COHFS_MAX_SLOTS; slot++) {
		if (!ad->held[slot])
			continue;
		cohfs_lock_unpin(&ad->held[slot]->lk, COHFS_EX);
		cohfs_object_drop(ad->held[slot]);
		ad->held[slot] = NULL;
	}
}

int cohfs_adopt_init(struct cohfs_sb *cs)
{
	struct cohfs_adoption *ad = kzalloc(sizeof(*ad), GFP_KERNEL);

	if (!ad)
		return -ENOMEM;
	ad->cs = cs;
	spin_lock_init(&ad->lock);
	INIT_WORK(&ad->work, adopt_work);
	cs->adoption = ad;
	return 0;
}

void cohfs_adopt_free(struct cohfs_sb *cs)
{
	kfree(cs->adoption);
	cs->adoption = NULL;
}
