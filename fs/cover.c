// SPDX-License-Identifier: GPL-2.0-only
/*
 * Brief holds: any number of pages in one step.
 *
 * Where nodes share a region each page has a lock of its own.  A write() of 64 KiB
 * would hold sixteen of them, and the intents above, for the time of a memcpy; holding
 * and letting go of each costs more than copying its page.  So the region remembers
 * whose locks are granted, and who uses which pages just now; the locks themselves are
 * left alone.
 *
 * A page is noted while its lock and all above it are held, so nothing of that can be
 * on its way down at that moment.  The way down of any of them begins with taking the
 * note back and waiting for those who came in by it.  Whoever is in asks for no range
 * lock and touches no memory that could need one, so it is never his own kind that he
 * waits for.
 *
 * What a brief hold does not do: keep a revoke from beginning, or use up a tenure.  Both
 * are the business of who waited for the lock, and he holds it properly.
 */
#include <linux/sched.h>
#include "cover.h"

static unsigned int offset_of(u64 page)
{
	return page & (COHFS_COVER_PAGES - 1);
}

void cohfs_cover_init(struct cohfs_cover *cover)
{
	spin_lock_init(&cover->lock);
	INIT_LIST_HEAD(&cover->uses);
	init_waitqueue_head(&cover->wait);
	cover->whole = COHFS_NL;
	bitmap_zero(cover->read, COHFS_COVER_PAGES);
	bitmap_zero(cover->write, COHFS_COVER_PAGES);
}

void cohfs_cover_add(struct cohfs_cover *cover, u64 page, enum cohfs_mode mode)
{
	spin_lock(&cover->lock);
	__set_bit(offset_of(page), cover->read);
	if (mode == COHFS_EX)
		__set_bit(offset_of(page), cover->write);
	spin_unlock(&cover->lock);
}

void cohfs_cover_add_whole(struct cohfs_cover *cover, enum cohfs_mode mode)
{
	if (READ_ONCE(cover->whole) >= mode)
		return;
	spin_lock(&cover->lock);
	cover->whole = max(cover->whole, mode);
	spin_unlock(&cover->lock);
}

/* Called with cover->lock held. */
static bool covers(const struct cohfs_cover *cover, u64 first, u64 last,
		   enum cohfs_mode mode)
{
	const unsigned long *pages = mode == COHFS_EX ? cover->write : cover->read;
	unsigned int end = offset_of(last) + 1;

	return find_next_zero_bit(pages, end, offset_of(first)) >= end;
}

bool cohfs_cover_begin(struct cohfs_cover *cover, struct cohfs_cover_use *use, u64 first,
		       u64 last, enum cohfs_mode mode, bool *whole)
{
	bool granted;

	spin_lock(&cover->lock);
	*whole = cover->whole >= mode;
	granted = *whole || covers(cover, first, last, mode);
	if (granted) {
		use->first = first;
		use->last = last;
		use->mode = mode;
		list_add(&use->link, &cover->uses);
	}
	spin_unlock(&cover->lock);
	return granted;
}

void cohfs_cover_end(struct cohfs_cover *cover, struct cohfs_cover_use *use)
{
	spin_lock(&cover->lock);
	list_del(&use->link);
	/* who waits looks at the list under the lock when he is in the queue already */
	if (waitqueue_active(&cover->wait))
		wake_up_all(&cover->wait);
	spin_unlock(&cover->lock);
}

static bool unused(struct cohfs_cover *cover, u64 first, u64 last, bool readers_stay)
{
	struct cohfs_cover_use *use;
	bool found = false;

	spin_lock(&cover->lock);
	list_for_each_entry(use, &cover->uses, link) {
		found = use->first <= last && first <= use->last &&
			!(readers_stay && use->mode == COHFS_PR);
		if (found)
			break;
	}
	spin_unlock(&cover->lock);
	return !found;
}

void cohfs_cover_revoke(struct cohfs_cover *cover, u64 first, u64 last, bool readers_stay)
{
	unsigned int nr = last - first + 1;

	spin_lock(&cover->lock);
	bitmap_clear(cover->write, offset_of(first), nr);
	if (!readers_stay)
		bitmap_clear(cover->read, offset_of(first), nr);
	/* a page that goes alone has no say in what covers the region */
	if (nr == COHFS_COVER_PAGES)
		cover->whole = COHFS_NL;
	spin_unlock(&cover->lock);
	wait_event_idle(cover->wait, unused(cover, first, last, readers_stay));
}

bool cohfs_cover_forget(struct cohfs_cover *cover, u64 page)
{
	bool covered;

	spin_lock(&cover->lock);
	covered = test_bit(offset_of(page), cover->read);
	__clear_bit(offset_of(page), cover->read);
	__clear_bit(offset_of(page), cover->write);
	spin_unlock(&cover->lock);
	return covered;
}
