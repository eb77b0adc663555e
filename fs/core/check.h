/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The border between disk and memory: headers, checksums, structure checks of
 * every metadata block type, and conversion to host order.
 *
 * Pure code: reads only the COHFS_BLOCK_SIZE bytes it is given, takes no lock,
 * allocates nothing.  A block that passed cohfs_check_block() can be walked
 * without running out of it; numbers that point elsewhere (block numbers, inode
 * numbers) are the caller's to check against the geometry.
 */
#ifndef _COHFS_CORE_CHECK_H
#define _COHFS_CORE_CHECK_H

#include <linux/cohfs_ondisk.h>
#include <cohfs/attr.h>
#include <cohfs/types.h>

#define COHFS_UUID_SIZE		16
#define COHFS_MIN_JOURNAL_BLOCKS 1024	/* jbd2 refuses less */
#define COHFS_MAX_BLOCKS	(1ULL << 51)	/* loff_t in blocks */
#define COHFS_CLUSTER_MAX	32	/* bytes of CLUSTER in the lock table */
#define COHFS_FSNAME_MAX	60	/* bytes of FSNAME: a DLM lockspace name */

/** struct cohfs_super_info - the superblock in host order */
struct cohfs_super_info {
	u32 feature_compat;
	u32 feature_ro_compat;
	u32 feature_incompat;
	u32 slots;
	u32 groups;
	u32 journal_blocks;
	u64 blocks;
	u64 root_ino;
	u64 first_slot;
	u64 first_journal;
	u64 first_group;
	u64 free_at_mkfs;
	u64 copy;		/* block of the superblock's copy, 0 = none */
	u8 fsid[COHFS_UUID_SIZE];
	u8 hash_key[16];
	char label[COHFS_LABEL_LEN + 1];
	char cluster[COHFS_LOCK_TABLE_LEN];	/* "" without a lock table */
	char fsname[COHFS_LOCK_TABLE_LEN];
};

/** cohfs_header_init() - fill the header of a new block; the rest is untouched */
void cohfs_header_init(struct cohfs_block_header *hdr, unsigned int type, u64 blkno,
		       const u8 *fsid, u64 owner, u32 generation);

/** cohfs_block_crc() - what bh_crc of the block at @block ought to be */
u32 cohfs_block_crc(const void *block);

/** cohfs_block_seal() - the block has changed: count the version, set the crc */
void cohfs_block_seal(void *block);

/**
 * cohfs_check_header() - magic, type, number, filesystem, owner and checksum
 * @fsid: NULL takes any (the superblock's own, before anything is known)
 * Return: NULL or a phrase that names the failed check.
 */
const char *cohfs_check_header(const void *block, unsigned int type, u64 blkno,
			       const u8 *fsid, u64 owner);

/**
 * cohfs_check_body() - structure of a block of @type, whatever the header says
 * Return: NULL or a phrase that names the failed check.
 */
const char *cohfs_check_body(const void *block, unsigned int type);

/**
 * cohfs_check_block() - both of the above
 * @block: COHFS_BLOCK_SIZE bytes, 8-byte aligned, any content
 *
 * An inode block with mode 0 and no links (a freed inode) is valid here.
 * Return: NULL or a phrase that names the failed check.
 */
const char *cohfs_check_block(const void *block, unsigned int type, u64 blkno,
			      const u8 *fsid, u64 owner);

/**
 * cohfs_super_decode() - verify a superblock and convert it
 * @why: set to a phrase unless 0 is returned
 *
 * Unknown incompat bits are found before the geometry is looked at, since they
 * may have changed what it means.
 * Return: 0; -EINVAL: no cohfs here; -EOPNOTSUPP: unknown incompat features
 * (@info->feature_incompat is valid); -EFSCORRUPTED.
 */
int cohfs_super_decode(struct cohfs_super_info *info, const void *block,
		       const char **why);

/**
 * cohfs_super_decode_at() - the same for a superblock, or the copy, at @blkno
 */
int cohfs_super_decode_at(struct cohfs_super_info *info, const void *block, u64 blkno,
			  const char **why);

/** cohfs_super_group_blocks() - blocks of group @g < @info->groups */
u32 cohfs_super_group_blocks(const struct cohfs_super_info *info, u32 g);

/**
 * cohfs_lock_table_split() - take "CLUSTER:FSNAME" apart
 * @table: COHFS_LOCK_TABLE_LEN bytes, NUL padded; all NUL gives two empty parts
 * @cluster, @fsname: COHFS_LOCK_TABLE_LEN bytes each
 * Return: NULL or what is wrong, a phrase.
 */
const char *cohfs_lock_table_split(const u8 *table, char *cluster, char *fsname);

/** cohfs_attr_to_disk() - set every attribute and bh_generation; the rest stays */
void cohfs_attr_to_disk(const struct cohfs_attr *attr, struct cohfs_dinode *di);
void cohfs_attr_from_disk(struct cohfs_attr *attr, const struct cohfs_dinode *di);

#endif /* _COHFS_CORE_CHECK_H */
