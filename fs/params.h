/* SPDX-License-Identifier: GPL-2.0-only */
/* Mount options. */
#ifndef _COHFS_PARAMS_H
#define _COHFS_PARAMS_H

#include <linux/fs_parser.h>

struct fs_context;
struct seq_file;
struct super_block;

extern const struct fs_parameter_spec cohfs_params[];
int cohfs_init_fs_context(struct fs_context *fc);
int cohfs_show_options(struct seq_file *m, struct super_block *sb);

#endif /* _COHFS_PARAMS_H */
