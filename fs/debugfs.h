/* SPDX-License-Identifier: GPL-2.0-only */
/* /sys/kernel/debug/cohfs/<device>/ */
#ifndef _COHFS_DEBUGFS_H
#define _COHFS_DEBUGFS_H

struct cohfs_sb;
struct seq_file;

void cohfs_debugfs_init(void);		/* module */
void cohfs_debugfs_exit(void);
void cohfs_debugfs_add(struct cohfs_sb *cs);	/* one mount; the lockspace is joined */
/** cohfs_ranges_show() - a line per regular file: its range locks; rangedump.c */
int cohfs_ranges_show(struct seq_file *m, void *unused);
void cohfs_debugfs_remove(struct cohfs_sb *cs);	/* waits for readers */

#endif /* _COHFS_DEBUGFS_H */
