// SPDX-License-Identifier: GPL-2.0-only
/*
 * A journal is looked at before jbd2 replays it: an image may come from anywhere, and
 * mounting it must write nowhere but to the filesystem's own metadata.
 *
 * What that means is in core/logwalk.c; here the blocks are read.  They are read through
 * the buffer cache, where jbd2 finds them afterwards, so that the log is still read from
 * the disk once; the walk itself looks at control blocks only.  A device that gives jbd2
 * something else than it gave us is nothing that a filesystem could defend itself against.
 */
#include <linux/blkdev.h>
#include <linux/buffer_head.h>
#include <linux/jbd2.h>
#include "core/logwalk.h"
#include "logcheck.h"
#include "super.h"

#define AHEAD_MIN	32u	/* blocks; most logs are short */
#define AHEAD_MAX	256u

/**
 * struct log_reader - reads a log from some block on, ahead of the walk
 * @first: first block of the log on the device
 * @blocks: length of the log
 * @last: block of the log that the walk was at
 * @ahead: first block that has not been asked for, since the wrap-around if there was one
 * @window: how far ahead of the walk
 */
struct log_reader {
	struct super_block *sb;
	u64 first;
	u32 blocks;
	u32 last;
	u32 ahead;
	u32 window;
};

static void read_ahead(struct log_reader *r, u32 pos)
{
	u32 end = min(pos + r->window, r->blocks);
	struct blk_plug plug;

	if (pos < r->last)
		r->ahead = 1;
	r->last = pos;
	if (r->ahead > pos + r->window / 2 || r->ahead >= end)
		return;
	blk_start_plug(&plug);
	for (; r->ahead < end; r->ahead++)
		sb_breadahead(r->sb, r->first + r->ahead);
	blk_finish_plug(&plug);
	r->window = min(2 * r->window, AHEAD_MAX);
}

static struct buffer_head *read_log(struct log_reader *r, u32 pos)
{
	read_ahead(r, pos);
	return sb_bread(r->sb, r->first + pos);
}

static struct cohfs_log_places log_places(const struct cohfs_geometry *geo)
{
	return (struct cohfs_log_places) {
		.first_slot = geo->first_slot, .slots = geo->slots,
		.first_group = geo->first_group, .blocks = geo->blocks, .copy = geo->copy,
	};
}

/* Return: 0 or -EIO, with the result of the walk in @result */
static int walk(struct cohfs_logwalk *w, struct log_reader *r,
		enum cohfs_logwalk_result *result)
{
	struct buffer_head *bh;

	do {
		bh = read_log(r, w->pos);
		if (!bh)
			return -EIO;
		*result = cohfs_logwalk_step(w, bh->b_data);
		brelse(bh);
	} while (*result == COHFS_LOGWALK_MORE);
	return 0;
}

static int judge(struct cohfs_sb *cs, u32 slot, const struct cohfs_logwalk *w,
		 enum cohfs_logwalk_result result)
{
	switch (result) {
	case COHFS_LOGWALK_OUTSIDE:
		cohfs_err(cs->sb, "journal of slot %u is not replayed: its block %u names block %llu, which is no place for metadata",
			  slot, w->suspect, w->outside);
		return -EFSCORRUPTED;
	case COHFS_LOGWALK_ENDLESS:
		cohfs_err(cs->sb, "journal of slot %u is not replayed: it has no end", slot);
		return -EFSCORRUPTED;
	default:
		return 0;
	}
}

int cohfs_log_check(struct cohfs_sb *cs, u32 slot, u64 first,
		    const struct journal_superblock_s *jsb)
{
	const struct jbd2_superblock *super = (const struct jbd2_superblock *)jsb;
	const struct cohfs_log_places places = log_places(&cs->geo);
	enum cohfs_logwalk_result result;
	struct log_reader r;
	struct cohfs_logwalk w;
	const char *why;
	int err;

	BUILD_BUG_ON(sizeof(*super) != sizeof(*jsb));
	why = cohfs_log_check_super(super, cs->geo.journal_blocks);
	if (why) {
		cohfs_err(cs->sb, "journal of slot %u: superblock: %s", slot, why);
		return -EFSCORRUPTED;
	}
	cohfs_logwalk_begin(&w, &places, super);
	if (!w.pos)
		return 0;
	r = (struct log_reader) {
		.sb = cs->sb, .first = first, .blocks = w.blocks,
		.last = w.pos, .ahead = w.pos, .window = AHEAD_MIN,
	};
	err = walk(&w, &r, &result);
	if (err) {
		cohfs_err(cs->sb, "journal of slot %u: its block %u cannot be read", slot,
			  w.pos);
		return err;
	}
	return judge(cs, slot, &w, result);
}
