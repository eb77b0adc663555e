// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writes a new filesystem.  The superblock is destroyed first and written last,
 * after everything else is on the disk: an interrupted mkfs leaves nothing that
 * could be mounted.
 */
#include <sys/random.h>
#include <time.h>
#include <uuid/uuid.h>
#include "../../fs/core/bitmap.h"
#include "../../fs/core/check.h"
#include "../../fs/core/mapblock.h"
#include "../../fs/core/logformat.h"
#include "mkfs.h"

struct writer {
	struct dev *dev;
	const struct mkfs_options *opts;
	const struct layout *l;
	u64 now;
	u8 hash_key[16];
	union {
		u8 block[COHFS_BLOCK_SIZE];
		u64 align;
	};
};

static int random_bytes(void *buf, size_t len)
{
	if (getrandom(buf, len, 0) == (ssize_t)len)
		return 0;
	tool_error("no random numbers: %s", strerror(errno));
	return -1;
}

/* Seal what is in w->block and write it where its header says */
static int put_block(struct writer *w)
{
	struct cohfs_block_header *hdr = (struct cohfs_block_header *)w->block;
	u64 blkno = le64_to_cpu(hdr->bh_blkno);
	const char *why;

	cohfs_block_seal(w->block);
	why = cohfs_check_block(w->block, le16_to_cpu(hdr->bh_type), blkno,
				w->opts->uuid, le64_to_cpu(hdr->bh_owner));
	if (why) {
		tool_error("internal error: block %llu would be invalid: %s",
			   (unsigned long long)blkno, why);
		return -1;
	}
	return dev_write(w->dev, blkno << COHFS_BLOCK_SHIFT, w->block, COHFS_BLOCK_SIZE);
}

static void *new_block(struct writer *w, unsigned int type, u64 blkno, u64 owner,
		       u32 generation)
{
	memset(w->block, 0, sizeof(w->block));
	cohfs_header_init((struct cohfs_block_header *)w->block, type, blkno,
			  w->opts->uuid, owner, generation);
	return w->block;
}

static int write_slot(struct writer *w, u32 slot)
{
	struct cohfs_slot *sl = new_block(w, COHFS_BT_SLOT, w->l->first_slot + slot,
					  slot, 0);

	sl->sl_orphan_dir = cpu_to_le64(w->l->orphan_ino[slot]);
	return put_block(w);
}

static int write_journal(struct writer *w, u32 slot)
{
	u64 off = (w->l->first_journal + (u64)slot * w->l->journal_blocks)
		  << COHFS_BLOCK_SHIFT;
	struct jbd2_superblock *sb = (struct jbd2_superblock *)w->block;

	/*
	 * The whole log: blocks of an older journal with sequence numbers that will
	 * come up again would be taken for its continuation by a recovery.
	 */
	if (dev_zero(w->dev, off, (u64)w->l->journal_blocks << COHFS_BLOCK_SHIFT))
		return -1;
	memset(w->block, 0, sizeof(w->block));
	sb->s_header.h_magic = cpu_to_be32(JBD2_MAGIC);
	sb->s_header.h_blocktype = cpu_to_be32(JBD2_BT_SUPER);
	sb->s_blocksize = cpu_to_be32(COHFS_BLOCK_SIZE);
	sb->s_maxlen = cpu_to_be32(w->l->journal_blocks);
	sb->s_first = cpu_to_be32(1);
	sb->s_sequence = cpu_to_be32(1);
	sb->s_feature_incompat = cpu_to_be32(JBD2_INCOMPAT_OURS);
	sb->s_nr_users = cpu_to_be32(1);
	sb->s_checksum_type = JBD2_CRC32C;
	uuid_generate(sb->s_uuid);
	sb->s_checksum = cpu_to_be32(crc32c(~0u, sb, sizeof(*sb)));
	return dev_write(w->dev, off, w->block, COHFS_BLOCK_SIZE);
}

static int write_group(struct writer *w, u32 group)
{
	struct cohfs_group *g = new_block(w, COHFS_BT_GROUP,
					  layout_group_first(w->l, group), group, 0);
	u32 blocks = layout_group_blocks(w->l, group);
	u32 used = layout_group_used(w->l, group);

	memset(g->g_bitmap, 0xff, sizeof(g->g_bitmap));
	if (cohfs_bitmap_clear(g->g_bitmap, COHFS_GROUP_BLOCKS, used, blocks - used)) {
		tool_error("internal error: layout of group %u", group);
		return -1;
	}
	g->g_blocks = cpu_to_le32(blocks);
	g->g_free = cpu_to_le32(blocks - used);
	return put_block(w);
}

/* A directory without names and the root of its map */
static int write_directory(struct writer *w, u64 ino, u32 mode)
{
	struct cohfs_attr attr = { .mode = mode, .nlink = 2, .blocks = 2 };
	struct cohfs_dinode *di;

	if (random_bytes(&attr.generation, sizeof(attr.generation)))
		return -1;
	attr.generation |= 1;	/* 0 means "any" */
	attr.atime.sec = (s64)w->now;
	attr.mtime = attr.atime;
	attr.ctime = attr.atime;
	attr.btime = attr.atime;

	di = new_block(w, COHFS_BT_INODE, ino, ino, attr.generation);
	cohfs_attr_to_disk(&attr, di);
	di->i_parent = cpu_to_le64(ino);
	if (put_block(w))
		return -1;
	new_block(w, COHFS_BT_MAP, ino + 1, ino, attr.generation);
	return put_block(w);
}

static int write_super(struct writer *w, u64 blkno)
{
	struct cohfs_super *s = new_block(w, COHFS_BT_SUPER, blkno, 0, 0);
	const struct layout *l = w->l;

	s->s_block_size = cpu_to_le32(COHFS_BLOCK_SIZE);
	s->s_blocks = cpu_to_le64(l->blocks);
	s->s_root_ino = cpu_to_le64(l->root_ino);
	s->s_first_slot = cpu_to_le64(l->first_slot);
	s->s_first_journal = cpu_to_le64(l->first_journal);
	s->s_first_group = cpu_to_le64(l->first_group);
	s->s_slots = cpu_to_le32(l->slots);
	s->s_groups = cpu_to_le32(l->groups);
	s->s_journal_blocks = cpu_to_le32(l->journal_blocks);
	s->s_free_at_mkfs = cpu_to_le64(l->free);
	s->s_mkfs_time = cpu_to_le64(w->now);
	s->s_copy = cpu_to_le64(l->super_copy);
	memcpy(s->s_hash_key, w->hash_key, sizeof(s->s_hash_key));
	memcpy(s->s_uuid, w->opts->uuid, sizeof(s->s_uuid));
	memcpy(s->s_label, w->opts->label, sizeof(s->s_label));
	memcpy(s->s_lock_table, w->opts->lock_table, sizeof(s->s_lock_table));
	return put_block(w);
}

static int write_body(struct writer *w)
{
	u32 i;

	for (i = 0; i < w->l->slots; i++)
		if (write_journal(w, i) || write_slot(w, i) ||
		    write_directory(w, w->l->orphan_ino[i], 040700))
			return -1;
	for (i = 0; i < w->l->groups; i++)
		if (write_group(w, i))
			return -1;
	return write_directory(w, w->l->root_ino, 040755) ||
	       write_super(w, w->l->super_copy) ? -1 : 0;
}

int write_filesystem(struct dev *dev, const struct mkfs_options *opts,
		     const struct layout *l)
{
	struct writer *w = calloc(1, sizeof(*w));
	int err;

	if (!w) {
		tool_error("out of memory");
		return -1;
	}
	w->dev = dev;
	w->opts = opts;
	w->l = l;
	w->now = (u64)time(NULL);
	err = random_bytes(w->hash_key, sizeof(w->hash_key)) ||
	      dev_zero(dev, 0, 2 * COHFS_BLOCK_SIZE) || dev_sync(dev) ||
	      write_body(w) || dev_sync(dev) || write_super(w, COHFS_SUPER_BLKNO) ||
	      dev_sync(dev);
	free(w);
	return err ? -1 : 0;
}
