/* SPDX-License-Identifier: GPL-2.0-only */
/* The mount: what every other file hangs off. */
#ifndef _COHFS_SUPER_H
#define _COHFS_SUPER_H

#include <linux/cohfs_ondisk.h>
#include <linux/fs.h>
#include <linux/mutex.h>
#include <linux/workqueue.h>
#include <cohfs/types.h>
#include "withdraw.h"

struct cohfs_adoption;
struct cohfs_freeze;
struct cohfs_lockspace;
struct cohfs_log;
struct cohfs_slotinfo;
struct cohfs_groups;
struct cohfs_linger;
struct cohfs_object;
struct cohfs_orphans;
struct cohfs_recovery;
struct cohfs_withdrawal;

enum cohfs_lock_option { COHFS_LOCK_DLM, COHFS_LOCK_LOCAL };

struct cohfs_options {
	enum cohfs_lock_option lock;
	bool lock_given;
};

/**
 * struct cohfs_geometry - constants of the filesystem in host order
 *
 * Set once at mount from the verified superblock, then read only.
 */
struct cohfs_geometry {
	u64 blocks;
	u64 root_ino;
	u64 first_slot;
	u64 first_journal;
	u64 first_group;
	u64 free_at_mkfs;
	u64 copy;	/* block of the superblock's copy, 0 = none */
	u32 slots;
	u32 groups;
	u32 journal_blocks;
	u8 fsid[16];
	u8 hash_key[16];
	char cluster[COHFS_LOCK_TABLE_LEN];	/* part before ':' */
	char fsname[COHFS_LOCK_TABLE_LEN];	/* part after it */
};

enum cohfs_sb_state {
	COHFS_SB_MOUNTING,
	COHFS_SB_LIVE,
	COHFS_SB_UNMOUNTING,
	COHFS_SB_WITHDRAWN,	/* I/O error or lost lockspace: nothing is written */
};

struct cohfs_sb {
	struct super_block *sb;
	struct cohfs_geometry geo;
	struct cohfs_options opts;
	bool ro_features;		/* unknown ro_compat bits: never writable */
	enum cohfs_sb_state state;	/* set by set_state(); READ_ONCE elsewhere */
	bool alone;			/* unmount.c: waits for the cluster no more */
	struct cohfs_lockspace *ls;
	u32 slot;			/* 0 based: journal, slot block */
	struct cohfs_log *log;		/* log.c */
	struct cohfs_slotinfo *slotinfo; /* slot.c: own slot block and inode pool */
	struct cohfs_recovery *recovery; /* recovery.c: journals of the dead */
	struct cohfs_groups *groups;	/* alloc.c */
	struct cohfs_object *rename_obj; /* rename lock */
	struct workqueue_struct *delete_wq;	/* orphan.c */
	struct cohfs_orphans *orphans;	/* orphan.c */
	struct cohfs_linger *linger;	/* object.c */
	struct cohfs_rcache *rcache;	/* rcache.c */
	struct workqueue_struct *times_wq;	/* times.c, disksize.c */
	spinlock_t times_lock;		/* protects times_list */
	struct list_head times_list;	/* inodes with unpublished times */
	struct delayed_work times_work;
	struct mutex disksize_mutex;	/* disksize.c: one round at a time */
	spinlock_t disksize_lock;	/* protects disksize_list */
	struct list_head disksize_list;	/* files that have grown, each with a reference */
	struct delayed_work disksize_work;
	struct cohfs_withdrawal *withdrawal;	/* withdraw.c */
	struct cohfs_freeze *freeze;		/* freeze.c */
	struct cohfs_adoption *adoption;	/* adopt.c: orphans of the dead */
	struct dentry *debugfs_dir;
	u32 replay_delay_ms;		/* debugfs: makes a replay last, for tests */
};

static inline struct cohfs_sb *COHFS_SB(const struct super_block *sb)
{
	return sb->s_fs_info;
}

static inline bool cohfs_is_withdrawn(const struct cohfs_sb *cs)
{
	return READ_ONCE(cs->state) == COHFS_SB_WITHDRAWN;
}

/*
 * An unmount has given up waiting: what needs the cluster fails with -EIO, and that is
 * said once, there, and no reason to withdraw.
 */
static inline bool cohfs_is_alone(const struct cohfs_sb *cs)
{
	return READ_ONCE(cs->alone);
}

/* super.c */
struct fs_context;

int cohfs_get_tree(struct fs_context *fc);
int cohfs_reconfigure(struct fs_context *fc);
void cohfs_kill_sb(struct super_block *sb);

/**
 * cohfs_corrupt() - report a damaged block and return -EFSCORRUPTED
 * @check: which check failed, a phrase
 */
int cohfs_corrupt(struct super_block *sb, u64 blkno, const char *check);

#define cohfs_err(sb, fmt, ...) \
	pr_err("cohfs (%s): " fmt "\n", (sb)->s_id, ##__VA_ARGS__)
#define cohfs_warn(sb, fmt, ...) \
	pr_warn("cohfs (%s): " fmt "\n", (sb)->s_id, ##__VA_ARGS__)
#define cohfs_info(sb, fmt, ...) \
	pr_info("cohfs (%s): " fmt "\n", (sb)->s_id, ##__VA_ARGS__)

#endif /* _COHFS_SUPER_H */
