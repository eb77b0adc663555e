// SPDX-License-Identifier: GPL-2.0-only
/* Which files are shared, at which levels they are held, and what bounces most. */
#include <linux/fs.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include "debugfs.h"
#include "../dlm_glue/core/mode.h"
#include "inode.h"
#include "rcache.h"
#include "rnode.h"
#include "super.h"

#define TOP	4	/* ranges that bounced most, per file */

static const char *const level_names[COHFS_NR_RT_LEVELS] = {
	[COHFS_RT_FILE] = "file",
	[COHFS_RT_REGION] = "region",
	[COHFS_RT_PAGE] = "page",
};

struct top {
	u8 level;
	u64 index;
	unsigned int bounces;
};

/* by modes, and the ones that bounced most, largest first */
struct tally {
	unsigned int modes[COHFS_NR_MODES];
	struct top top[TOP];
};

static void tally_node(struct tally *tally, struct cohfs_rnode *node)
{
	struct top new = { node->level, node->index, READ_ONCE(node->bounces) };
	unsigned int i;

	tally->modes[cohfs_lock_cached(&node->lk)]++;
	for (i = 0; i < TOP && new.bounces; i++)
		if (new.bounces > tally->top[i].bounces)
			swap(new, tally->top[i]);
}

static void show_modes(struct seq_file *m, const char *what, const unsigned int *modes)
{
	unsigned int mode;
	char sep = ' ';

	for (mode = COHFS_CR; mode < COHFS_NR_MODES; mode++) {
		if (!modes[mode])
			continue;
		if (sep == ' ')
			seq_printf(m, " %s", what);
		seq_printf(m, "%c%s:%u", sep, cohfs_mode_name(mode), modes[mode]);
		sep = ',';
	}
}

static void show_file(struct seq_file *m, struct inode *inode)
{
	struct cohfs_rnode *root = COHFS_I(inode)->ci_ranges.root, *node;
	unsigned int level, i;
	struct tally tally = { };

	seq_printf(m, "ino %lu file %s%s handovers %u", inode->i_ino,
		   cohfs_mode_name(cohfs_lock_cached(&root->lk)),
		   READ_ONCE(root->shared) ? " shared" : "",
		   READ_ONCE(COHFS_I(inode)->ci_handovers));
	tally_node(&tally, root);
	for (level = COHFS_RT_REGION; level < COHFS_NR_RT_LEVELS; level++) {
		u64 index = 0;

		memset(tally.modes, 0, sizeof(tally.modes));
		while ((node = cohfs_rnode_next(inode, level, index, U64_MAX))) {
			tally_node(&tally, node);
			index = node->index + 1;
			cohfs_rnode_unpin(node);
			cond_resched();
		}
		show_modes(m, level_names[level], tally.modes);
	}
	for (i = 0; i < TOP && tally.top[i].bounces; i++)
		seq_printf(m, "%s %s %llu x%u", i ? "," : " bounced",
			   level_names[tally.top[i].level], tally.top[i].index,
			   tally.top[i].bounces);
	seq_putc(m, '\n');
}

/* The next inode of @sb after @prev, which is let go of. */
static struct inode *next_inode(struct super_block *sb, struct inode *prev)
{
	struct inode *inode, *found = NULL;

	spin_lock(&sb->s_inode_list_lock);
	inode = prev ? list_next_entry(prev, i_sb_list)
		     : list_first_entry(&sb->s_inodes, struct inode, i_sb_list);
	list_for_each_entry_from(inode, &sb->s_inodes, i_sb_list) {
		found = igrab(inode);
		if (found)
			break;
	}
	spin_unlock(&sb->s_inode_list_lock);
	iput(prev);
	return found;
}

int cohfs_ranges_show(struct seq_file *m, void *unused)
{
	struct cohfs_sb *cs = m->private;
	struct super_block *sb = cs->sb;
	struct inode *inode = NULL;

	/* an unmount does not want to find inodes in use */
	if (!down_read_trylock(&sb->s_umount))
		return -EBUSY;
	seq_printf(m, "locks of parts %lu\n", cohfs_rcache_locks(cs));
	while ((inode = next_inode(sb, inode)))
		if (S_ISREG(inode->i_mode) && COHFS_I(inode)->ci_ranges.root)
			show_file(m, inode);
	up_read(&sb->s_umount);
	return 0;
}
