// SPDX-License-Identifier: GPL-2.0-only
/* Module entry and exit: the order in which the parts come up, nothing else. */
#include <linux/fs.h>
#include <linux/module.h>
#include "../dlm_glue/glue.h"
#include "debugfs.h"
#include "inode.h"
#include "params.h"
#include "super.h"
#include "tunables.h"

static struct file_system_type cohfs_fs_type = {
	.owner = THIS_MODULE,
	.name = "cohfs",
	.init_fs_context = cohfs_init_fs_context,
	.parameters = cohfs_params,
	.kill_sb = cohfs_kill_sb,
	.fs_flags = FS_REQUIRES_DEV,
};

static int __init cohfs_init(void)
{
	int err;

	err = cohfs_glue_init();
	if (err)
		goto err_glue;
	err = cohfs_inode_cache_init();
	if (err)
		goto err_inode_cache;
	err = cohfs_tunables_init();
	if (err)
		goto err_tunables;
	cohfs_debugfs_init();
	err = register_filesystem(&cohfs_fs_type);
	if (err)
		goto err_register;
	return 0;

err_register:
	cohfs_debugfs_exit();
	cohfs_tunables_exit();
err_tunables:
	cohfs_inode_cache_exit();
err_inode_cache:
	cohfs_glue_exit();
err_glue:
	return err;
}

static void __exit cohfs_exit(void)
{
	unregister_filesystem(&cohfs_fs_type);
	cohfs_debugfs_exit();
	cohfs_tunables_exit();
	cohfs_inode_cache_exit();
	cohfs_glue_exit();
}

module_init(cohfs_init);
module_exit(cohfs_exit);
MODULE_DESCRIPTION("Shared-disk cluster filesystem with coherent shared mmap");
MODULE_LICENSE("GPL");
MODULE_ALIAS_FS("cohfs");
