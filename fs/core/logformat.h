/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What jbd2 writes, as far as the module lets it: features REVOKE, 64BIT, CSUM_V3 and
 * nothing else.  Big-endian; block numbers within the log count from its superblock.
 *
 * One transaction in the log: descriptor blocks, each followed by the blocks that its
 * tags name; revoke blocks; and a commit block, without which it never happened.
 */
#ifndef _COHFS_CORE_LOGFORMAT_H
#define _COHFS_CORE_LOGFORMAT_H

#include <cohfs/core_env.h>

#define JBD2_MAGIC		0xc03b3998u

#define JBD2_BT_DESCRIPTOR	1
#define JBD2_BT_COMMIT		2
#define JBD2_BT_SUPER		4	/* version 2, the only one in use */
#define JBD2_BT_REVOKE		5

#define JBD2_INCOMPAT_REVOKE	0x01
#define JBD2_INCOMPAT_64BIT	0x02
#define JBD2_INCOMPAT_CSUM_V3	0x10
#define JBD2_INCOMPAT_OURS	(JBD2_INCOMPAT_REVOKE | JBD2_INCOMPAT_64BIT | \
				 JBD2_INCOMPAT_CSUM_V3)

#define JBD2_CRC32C		4

#define JBD2_TAG_ESCAPED	0x1	/* began with the magic number, which is zeroed */
#define JBD2_TAG_SAME_UUID	0x2	/* no UUID behind this tag */
#define JBD2_TAG_LAST		0x8

struct jbd2_header {
	__be32 h_magic;
	__be32 h_blocktype;
	__be32 h_sequence;
};

struct jbd2_superblock {
/*00*/	struct jbd2_header s_header;
	__be32 s_blocksize;
/*10*/	__be32 s_maxlen;
	__be32 s_first;
	__be32 s_sequence;	/* of the transaction at s_start */
	__be32 s_start;		/* first block of the log in use, 0: empty */
/*20*/	__be32 s_errno;		/* why the last owner stopped, negative */
	__be32 s_feature_compat;
	__be32 s_feature_incompat;
	__be32 s_feature_ro_compat;
/*30*/	__u8 s_uuid[16];	/* seeds every checksum of the log */
/*40*/	__be32 s_nr_users;
	__be32 s_dynsuper;
	__be32 s_max_transaction;
	__be32 s_max_trans_data;
/*50*/	__u8 s_checksum_type;
	__u8 s_pad[3];
	__be32 s_num_fc_blks;
	__be32 s_head;
	__be32 s_reserved[40];
/*fc*/	__be32 s_checksum;	/* crc32c, seed ~0, of these 1024 bytes with 0 here */
/*100*/	__u8 s_users[768];
};

/* In a descriptor behind the header; the first is followed by 16 bytes of UUID */
struct jbd2_tag {
	__be32 t_blocknr;
	__be32 t_flags;
	__be32 t_blocknr_high;
	__be32 t_checksum;	/* of sequence (big-endian) and block as logged */
};

/* Last bytes of descriptors and revoke blocks */
struct jbd2_tail {
	__be32 t_checksum;	/* of the block with 0 here */
};

struct jbd2_revoke {
	struct jbd2_header r_header;
	__be32 r_count;		/* bytes in use, these 16 included; then __be64 each */
};

struct jbd2_commit {
	struct jbd2_header h_header;
	__u8 h_chksum_type;
	__u8 h_chksum_size;
	__u8 h_padding[2];
	__be32 h_chksum[8];	/* first: of the block with 0 there */
	__be64 h_commit_sec;
	__be32 h_commit_nsec;
};

_Static_assert(sizeof(struct jbd2_superblock) == 1024, "jbd2 superblock size");
_Static_assert(sizeof(struct jbd2_tag) == 16, "jbd2 tag size");
_Static_assert(sizeof(struct jbd2_revoke) == 16, "jbd2 revoke header size");

#endif /* _COHFS_CORE_LOGFORMAT_H */
