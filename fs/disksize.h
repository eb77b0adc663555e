/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The size of a file as its journaled inode has it, behind i_size while a write() makes the
 * file grow.
 *
 * What lies between the two is not on disk for sure, and blocks beyond the journaled size
 * may hold anything: they are not zeroed when they are allocated.  So the size follows
 * once the data before it is written: at fsync(), sync() and freeze, when I is given up,
 * before the size is changed in another way, and within seconds in any case.
 *
 * While it is behind, this node has I EX: giving I up is what waits for it.
 */
#ifndef _COHFS_DISKSIZE_H
#define _COHFS_DISKSIZE_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/types.h>

struct cohfs_sb;
struct inode;

/**
 * struct cohfs_disksize - of a regular file
 * @mutex: one who makes it follow at a time; after I and D, before folios and handles
 * @size: as the inode's block has it, or will when the transaction ci_sync_tid commits;
 *	changed under ci_attr_mutex
 * @cuts: how often the size was set otherwise; ci_attr_mutex
 * @failed: data beyond @size could not be written, so it must stay there
 * @link: in cs->disksize_list, with a reference to the inode
 * @since: when it was put there, jiffies
 */
struct cohfs_disksize {
	struct mutex mutex;
	loff_t size;
	unsigned int cuts;
	bool failed;
	struct list_head link;
	unsigned long since;
};

void cohfs_disksize_init_once(struct cohfs_disksize *ds);
void cohfs_disksize_reset(struct cohfs_disksize *ds);

/** cohfs_disksize_behind() - is there something to follow?  I need not be held */
bool cohfs_disksize_behind(const struct inode *inode);

/**
 * cohfs_disksize_grown() - a write has made i_size larger
 * Context: I EX held.  Does not sleep.
 */
void cohfs_disksize_grown(struct inode *inode);

/**
 * cohfs_disksize_settle() - write the data that i_size covers now, then journal the size
 *
 * Context: no folio locked, no handle open, the filesystem not frozen; takes no cluster lock,
 * and needs none to be held.  Not killable: waits for write-back and for the journal.
 * Return: 0, or -EIO: then the file ends where it did on disk, and data beyond that is not
 * there for others.
 */
int cohfs_disksize_settle(struct inode *inode);

/**
 * cohfs_disksize_finish() - the same, and nobody else is at it any more
 *
 * For the revoke of I: who makes the size follow has no lock but @mutex.
 */
int cohfs_disksize_finish(struct inode *inode);

/**
 * cohfs_disksize_set() - i_size and the size on disk become @size
 *
 * The caller journals it, in the handle that is open.  What is below @size is on disk.
 * Context: I EX held, and D EX for what the change is about.
 */
void cohfs_disksize_set(struct inode *inode, loff_t size);

/**
 * cohfs_disksize_readable() - the blocks before this one hold what is of this file
 * Return: a block of the file; U64_MAX unless data beyond the journaled size was lost.
 */
u64 cohfs_disksize_readable(const struct inode *inode);

/** cohfs_disksize_failed() - [@pos, @pos + @len) was not written.  Context: any */
void cohfs_disksize_failed(struct inode *inode, loff_t pos, size_t len);

/**
 * cohfs_disksize_unlinked() - the last link is gone
 *
 * A file that no other node knows may be deleted now, the others as soon as their size is
 * settled: another node may have them open.
 * Context: the caller has a reference of his own.
 */
void cohfs_disksize_unlinked(struct inode *inode);

void cohfs_disksize_init(struct cohfs_sb *cs);
/**
 * cohfs_disksize_sync() - settle all files that have grown until now
 *
 * Errors of data are told by the mapping, and syncfs() has them from there.
 */
void cohfs_disksize_sync(struct cohfs_sb *cs);
/** cohfs_disksize_stop() - unmount: nobody writes any more, the last sync has been */
void cohfs_disksize_stop(struct cohfs_sb *cs);

#endif /* _COHFS_DISKSIZE_H */
