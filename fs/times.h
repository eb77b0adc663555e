/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mtime and ctime of data writes.
 *
 * Mapped and in-size writes hold D, not I; their times are kept in memory and
 * published under I EX within a second and at fsync, msync and close.
 */
#ifndef _COHFS_TIMES_H
#define _COHFS_TIMES_H

#include <linux/fs.h>

struct cohfs_sb;

void cohfs_times_init(struct cohfs_sb *cs);
/** cohfs_times_touch() - data of @inode changes now; D is held EX.  Never sleeps. */
void cohfs_times_touch(struct inode *inode);
/** cohfs_times_publish() - write pending times under I EX.  Sleeps, DLM. */
int cohfs_times_publish(struct inode *inode);
/** cohfs_times_peek() - newest times known here, for a local stat */
void cohfs_times_peek(struct inode *inode, struct timespec64 *mtime);
/** cohfs_times_void() - explicit utimes or truncate: pending times are void */
void cohfs_times_void(struct inode *inode);
/** cohfs_times_forget() - the same, by eviction: nobody looks at the inode any more */
void cohfs_times_forget(struct inode *inode);
/** cohfs_times_sync() - what is pending now goes to the journal (sync) */
void cohfs_times_sync(struct cohfs_sb *cs);
void cohfs_times_stop(struct cohfs_sb *cs);	/* unmount: publish all, stop */

#endif /* _COHFS_TIMES_H */
