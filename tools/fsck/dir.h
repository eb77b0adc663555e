/* SPDX-License-Identifier: GPL-2.0-only */
/* Directories: reading all of one, and writing one anew. */
#ifndef _COHFS_FSCK_DIR_H
#define _COHFS_FSCK_DIR_H

#include "jobs.h"
#include "leaf.h"
#include "nodes.h"

struct fsck;

/**
 * struct dirscan - a directory being walked
 * @slot: the slot whose orphan directory it is, or -1
 * @deleted: it is itself an orphan: nothing should be in it
 * @rewrite: something in it has to change
 * @weak: the checksum of the current leaf is wrong
 */
struct dirscan {
	struct fsck *f;
	u64 ino;
	int slot;
	bool deleted;
	bool rewrite;
	bool weak;
};

/** dir_check() - all of directory @ino, a node; its names are passed to name_take() */
void dir_check(struct fsck *f, u64 ino);
/** dir_write() - the names that belong there, and those that are to be added */
void dir_write(struct fsck *f, struct job *job);

/** name_take() - a name was found: load what it stands for, count it */
void name_take(struct dirscan *ds, const struct cohfs_dirview *view, bool hashed);
/** name_stays() - was it counted? */
bool name_stays(struct dirscan *ds, const struct cohfs_dirview *view, bool hashed);
/** names_deferred() - those whose generation is wrong, now that all others are known */
void names_deferred(struct fsck *f);
/** orphan_name() - how an inode is called in an orphan directory: 16 characters */
void orphan_name(u64 ino, char *buf);

#endif /* _COHFS_FSCK_DIR_H */
