// SPDX-License-Identifier: GPL-2.0-only
/* What a mount shows of itself: locks, counters, identity. */
#include <linux/debugfs.h>
#include <linux/seq_file.h>
#include "../dlm_glue/glue.h"
#include "debugfs.h"
#include "log.h"
#include "super.h"

static struct dentry *root;

static int locks_show(struct seq_file *m, void *unused)
{
	struct cohfs_sb *cs = m->private;

	cohfs_lockspace_dump(cs->ls, m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(locks);

static int stats_show(struct seq_file *m, void *unused)
{
	struct cohfs_sb *cs = m->private;

	cohfs_lockspace_stats(cs->ls, m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(stats);

static const char *state_name(enum cohfs_sb_state state)
{
	switch (state) {
	case COHFS_SB_MOUNTING:
		return "mounting";
	case COHFS_SB_LIVE:
		return "live";
	case COHFS_SB_UNMOUNTING:
		return "unmounting";
	case COHFS_SB_WITHDRAWN:
		return "withdrawn";
	}
	return "?";
}

static int info_show(struct seq_file *m, void *unused)
{
	struct cohfs_sb *cs = m->private;
	const struct cohfs_geometry *geo = &cs->geo;

	seq_printf(m, "uuid %pU\n", geo->fsid);
	seq_printf(m, "table %s:%s\n", geo->cluster, geo->fsname);
	seq_printf(m, "lock %s\n",
		   cs->opts.lock == COHFS_LOCK_DLM ? "dlm" : "local");
	seq_printf(m, "state %s\n", state_name(READ_ONCE(cs->state)));
	seq_printf(m, "node %d\n", cohfs_lockspace_nodeid(cs->ls));
	seq_printf(m, "slot %u of %u\n", cs->slot, geo->slots);
	seq_printf(m, "blocks %llu groups %u\n", geo->blocks, geo->groups);
	seq_printf(m, "log period %llu flushed %llu\n", cohfs_log_seq(cs),
		   cohfs_log_flushed(cs));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(info);

static int ranges_open(struct inode *inode, struct file *file)
{
	return single_open(file, cohfs_ranges_show, inode->i_private);
}

static const struct file_operations ranges_fops = {
	.owner = THIS_MODULE,
	.open = ranges_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = single_release,
};

void cohfs_debugfs_init(void)
{
	root = debugfs_create_dir("cohfs", NULL);
}

void cohfs_debugfs_exit(void)
{
	debugfs_remove(root);
}

void cohfs_debugfs_add(struct cohfs_sb *cs)
{
	cs->debugfs_dir = debugfs_create_dir(cs->sb->s_id, root);
	debugfs_create_file("locks", 0400, cs->debugfs_dir, cs, &locks_fops);
	debugfs_create_file("ranges", 0400, cs->debugfs_dir, cs, &ranges_fops);
	debugfs_create_file("stats", 0400, cs->debugfs_dir, cs, &stats_fops);
	debugfs_create_file("info", 0400, cs->debugfs_dir, cs, &info_fops);
	debugfs_create_u32("replay_delay_ms", 0600, cs->debugfs_dir,
			   &cs->replay_delay_ms);
}

void cohfs_debugfs_remove(struct cohfs_sb *cs)
{
	debugfs_remove(cs->debugfs_dir);
	cs->debugfs_dir = NULL;
}
