/* SPDX-License-Identifier: GPL-2.0-only */
/* Between the files of mkfs.cohfs. */
#ifndef _COHFS_MKFS_H
#define _COHFS_MKFS_H

#include "../lib/io.h"
#include "../lib/layout.h"

/** struct mkfs_options - the command line, checked */
struct mkfs_options {
	const char *path;
	u8 lock_table[COHFS_LOCK_TABLE_LEN];
	u8 label[COHFS_LABEL_LEN];
	u8 uuid[16];
	u32 slots;
	u32 journal_mib;	/* 0: choose */
	bool force;
	bool quiet;
};

/* probe.c: what is on the device already */

/** probe_refuses() - true, with a message, if it holds something */
bool probe_refuses(struct dev *dev);
/** probe_wipe() - erase the signatures of whatever was there */
int probe_wipe(struct dev *dev);

/* write.c */

/** write_filesystem() - everything, the superblock last */
int write_filesystem(struct dev *dev, const struct mkfs_options *opts,
		     const struct layout *l);

#endif /* _COHFS_MKFS_H */
