// SPDX-License-Identifier: GPL-2.0-only
/* Mount options and the fs_context that carries them to super.c. */
#include <linux/fs_context.h>
#include <linux/fs_parser.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include "params.h"
#include "super.h"

enum { OPT_LOCK };

static const struct constant_table lock_options[] = {
	{ "dlm", COHFS_LOCK_DLM },
	{ "local", COHFS_LOCK_LOCAL },
	{}
};

const struct fs_parameter_spec cohfs_params[] = {
	fsparam_enum("lock", OPT_LOCK, lock_options),
	{}
};

/* Unknown names come back as -ENOPARAM, for which the VFS has the message. */
static int parse_param(struct fs_context *fc, struct fs_parameter *param)
{
	struct cohfs_options *opts = fc->fs_private;
	struct fs_parse_result result;
	int opt;

	opt = fs_parse(fc, cohfs_params, param, &result);
	if (opt < 0)
		return opt;
	switch (opt) {
	case OPT_LOCK:
		opts->lock = result.uint_32;
		opts->lock_given = true;
		return 0;
	default:
		return -EINVAL;
	}
}

static void free_options(struct fs_context *fc)
{
	kfree(fc->fs_private);
}

static const struct fs_context_operations context_ops = {
	.parse_param = parse_param,
	.get_tree = cohfs_get_tree,
	.reconfigure = cohfs_reconfigure,
	.free = free_options,
};

int cohfs_init_fs_context(struct fs_context *fc)
{
	fc->fs_private = kzalloc(sizeof(struct cohfs_options), GFP_KERNEL);
	if (!fc->fs_private)
		return -ENOMEM;
	fc->ops = &context_ops;
	return 0;
}

int cohfs_show_options(struct seq_file *m, struct super_block *sb)
{
	seq_printf(m, ",lock=%s",
		   COHFS_SB(sb)->opts.lock == COHFS_LOCK_DLM ? "dlm" : "local");
	return 0;
}
