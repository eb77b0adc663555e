/* SPDX-License-Identifier: (GPL-2.0-only WITH Linux-syscall-note) OR MIT */
/*
 * cohfs on-disk and lock-value-block format.
 *
 * The one description of every byte that outlives a mount or crosses from one
 * node to another.  Module, tools and tests include this file; there is no
 * second copy.  All integers are little-endian, all structures naturally
 * aligned, all sizes asserted below.  Prose: Documentation/ondisk.rst.
 */
#ifndef _COHFS_ONDISK_H
#define _COHFS_ONDISK_H

#include <linux/types.h>

#define COHFS_DISK_SIZE(type, bytes) \
	_Static_assert(sizeof(type) == (bytes), #type ": wrong on-disk size")

#define COHFS_BLOCK_SHIFT	12
#define COHFS_BLOCK_SIZE	(1u << COHFS_BLOCK_SHIFT)
#define COHFS_SUPER_BLKNO	1	/* block 0 is left to boot loaders */
#define COHFS_SUPER_MAGIC	0x434f4846	/* statfs(2) f_type, "COHF" */

#define COHFS_MAGIC		0x46484f43	/* "COHF" in a hex dump */
#define COHFS_MAX_SLOTS		64
#define COHFS_NAME_MAX		255

/* enum, spelled as defines because the value is stored in a __le16 */
#define COHFS_BT_SUPER		1
#define COHFS_BT_SLOT		2
#define COHFS_BT_GROUP		3
#define COHFS_BT_INODE		4
#define COHFS_BT_MAP		5
#define COHFS_BT_DIRLEAF	6

/**
 * struct cohfs_block_header - first 64 bytes of every metadata block
 * @bh_magic: COHFS_MAGIC
 * @bh_type: COHFS_BT_*
 * @bh_blkno: the block's own number; catches misdirected I/O
 * @bh_fsid: UUID of the filesystem; catches leftovers of an older mkfs
 * @bh_owner: inode, group or slot number that the block belongs to
 * @bh_generation: generation of the owning inode, 0 where there is none
 * @bh_crc: crc32c (seed ~0, no final inversion) of the block with this field 0
 * @bh_version: counts changes of the block, for people and for repair
 */
struct cohfs_block_header {
/*00*/	__le32 bh_magic;
	__le16 bh_type;
	__le16 bh_pad;
	__le64 bh_blkno;
/*10*/	__u8 bh_fsid[16];
/*20*/	__le64 bh_owner;
	__le32 bh_generation;
	__le32 bh_crc;
/*30*/	__le64 bh_version;
	__le64 bh_reserved;
/*40*/
};
COHFS_DISK_SIZE(struct cohfs_block_header, 0x40);

#define COHFS_LABEL_LEN		32
#define COHFS_LOCK_TABLE_LEN	128	/* "CLUSTER:FSNAME", NUL padded */

/* Feature words: an unknown incompat bit refuses the mount, an unknown
 * ro_compat bit a writable one; compat bits are for information.
 */
#define COHFS_FEATURE_COMPAT_KNOWN	0u
#define COHFS_FEATURE_RO_COMPAT_KNOWN	0u
#define COHFS_FEATURE_INCOMPAT_KNOWN	0u

/**
 * struct cohfs_super - block COHFS_SUPER_BLKNO
 *
 * Disk layout: [boot][super][slot blocks][journals][group 0][group 1]...
 * Slot block of slot s: @s_first_slot + s.  Journal of slot s (a jbd2 log with
 * its own superblock first): @s_first_journal + s * @s_journal_blocks.
 * Group g: @s_first_group + g * COHFS_GROUP_BLOCKS; the last may be short.
 * @s_copy: block of group 0 with a copy of this block, for repair; 0 = none
 */
struct cohfs_super {
	struct cohfs_block_header s_hdr;
/*40*/	__le32 s_feature_compat;
	__le32 s_feature_ro_compat;
	__le32 s_feature_incompat;
	__le32 s_block_size;		/* COHFS_BLOCK_SIZE */
/*50*/	__le64 s_blocks;		/* size of the filesystem, in blocks */
	__le64 s_root_ino;
/*60*/	__le64 s_first_slot;
	__le64 s_first_journal;
/*70*/	__le64 s_first_group;
	__le32 s_slots;			/* most nodes at once, 1..COHFS_MAX_SLOTS */
	__le32 s_groups;
/*80*/	__le32 s_journal_blocks;	/* length of each journal, in blocks */
	__le32 s_pad;
	__le64 s_free_at_mkfs;		/* plus every slot's sl_free_delta = free now */
/*90*/	__le64 s_mkfs_time;		/* seconds since 1970 */
	__le64 s_copy;
/*a0*/	__u8 s_uuid[16];
/*b0*/	__u8 s_hash_key[16];		/* SipHash key of the name hash */
/*c0*/	__u8 s_label[COHFS_LABEL_LEN];
/*e0*/	__u8 s_lock_table[COHFS_LOCK_TABLE_LEN];
/*160*/	__u8 s_reserved[COHFS_BLOCK_SIZE - 0x160];
};
COHFS_DISK_SIZE(struct cohfs_super, COHFS_BLOCK_SIZE);

#define COHFS_POOL_MAX	128

/**
 * struct cohfs_slot - what belongs to the node that owns slot bh_owner
 * @sl_free_delta: blocks this slot has freed minus allocated since mkfs
 * @sl_orphan_dir: directory of this slot's deleted but still open inodes
 * @sl_pool: allocated block pairs not yet used as inodes; the first
 *	@sl_pool_count entries are valid
 *
 * Written only by the owner of the slot lock; other nodes read it for statfs.
 */
struct cohfs_slot {
	struct cohfs_block_header sl_hdr;
/*40*/	__le64 sl_free_delta;		/* two's complement */
	__le64 sl_orphan_dir;
/*50*/	__le32 sl_pool_count;
	__le32 sl_pad;
	__le64 sl_reserved0;
/*60*/	__le64 sl_pool[COHFS_POOL_MAX];
/*460*/	__u8 sl_reserved[COHFS_BLOCK_SIZE - 0x460];
};
COHFS_DISK_SIZE(struct cohfs_slot, COHFS_BLOCK_SIZE);

#define COHFS_GROUP_BITMAP_BYTES 3968
#define COHFS_GROUP_BLOCKS	(COHFS_GROUP_BITMAP_BYTES * 8)	/* 124 MiB */

/**
 * struct cohfs_group - first block of an allocation group, protected by G(g)
 * @g_free: clear bits in @g_bitmap below @g_blocks
 * @g_blocks: blocks in this group, at most COHFS_GROUP_BLOCKS
 * @g_bitmap: bit n set = block n of the group is in use; bit 0 (this block) and
 *	every bit from @g_blocks on are set.  Little-endian bit order.
 */
struct cohfs_group {
	struct cohfs_block_header g_hdr;
/*40*/	__le32 g_free;
	__le32 g_blocks;
	__le64 g_reserved[7];
/*80*/	__u8 g_bitmap[COHFS_GROUP_BITMAP_BYTES];
};
COHFS_DISK_SIZE(struct cohfs_group, COHFS_BLOCK_SIZE);

#define COHFS_INLINE_OFF	0x100
#define COHFS_INLINE_MAX	(COHFS_BLOCK_SIZE - COHFS_INLINE_OFF)

struct cohfs_time {
	__le64 t_sec;	/* two's complement: also before 1970 */
	__le32 t_nsec;	/* 0..999999999 */
	__le32 t_pad;
};
COHFS_DISK_SIZE(struct cohfs_time, 0x10);

/**
 * struct cohfs_dinode - attributes of an inode, protected by I(ino)
 *
 * An inode is a pair of neighbouring blocks: its number is the number of the
 * first, which holds this structure; the second (ino + 1) is the root of its
 * map, protected by M(ino) for regular files and by I(ino) for directories.
 * Two blocks because two cluster locks must never cover one block.
 * @i_inline: the target of a symbolic link, not NUL terminated
 */
struct cohfs_dinode {
	struct cohfs_block_header i_hdr;
/*40*/	__le32 i_mode;
	__le32 i_uid;
	__le32 i_gid;
	__le32 i_nlink;
/*50*/	__le64 i_size;		/* bytes; directories: leaves * block size */
	__le64 i_blocks;	/* blocks in use, this pair included */
/*60*/	struct cohfs_time i_atime;
/*70*/	struct cohfs_time i_mtime;
/*80*/	struct cohfs_time i_ctime;
/*90*/	struct cohfs_time i_btime;
/*a0*/	__le32 i_flags;		/* FS_IOC_GETFLAGS bits */
	__le32 i_time_gen;	/* bumped by utimes and truncate */
	__le64 i_parent;	/* directories: number of the parent */
/*b0*/	__le64 i_rdev;		/* device nodes: huge encoding */
	__le32 i_orphan_slot;	/* 1 + slot whose orphan directory lists it, or 0 */
	__le32 i_pad;
/*c0*/	__le64 i_xattr;		/* reserved: block of extended attributes */
	__le64 i_reserved[7];
/*100*/	__u8 i_inline[COHFS_INLINE_MAX];
};
COHFS_DISK_SIZE(struct cohfs_dinode, COHFS_BLOCK_SIZE);

/**
 * struct cohfs_map_rec - one record of a map (a B+tree)
 * @r_key: leaf: first logical block of a file, or lowest name hash (see
 *	Documentation/ondisk.rst) of a directory leaf; node: lowest key below
 * @r_blk: leaf: first physical block; node: child block
 * @r_len: leaf: length in blocks (directories: 1); node: 0
 */
struct cohfs_map_rec {
	__le64 r_key;
	__le64 r_blk;
	__le32 r_len;
	__le32 r_flags;		/* COHFS_REC_* */
};
COHFS_DISK_SIZE(struct cohfs_map_rec, 24);

#define COHFS_REC_UNWRITTEN	0x1	/* reserved for fallocate */

#define COHFS_MAP_RECS		166
#define COHFS_MAP_MAX_LEVEL	7	/* root at most; leaves are level 0 */

/**
 * struct cohfs_map_block - root (at ino + 1) or inner block of a map
 * @m_level: height above the leaves
 * @m_count: valid records, sorted by r_key, not overlapping
 * @m_blocks: root only: blocks that the whole map uses, data and map blocks,
 *	without the inode pair
 *
 * A root whose bh_generation is not that of the inode stands for an empty map:
 * it is written with the first change, not when the inode is created.
 */
struct cohfs_map_block {
	struct cohfs_block_header m_hdr;
/*40*/	__le16 m_level;
	__le16 m_count;
	__le32 m_pad;
	__le64 m_blocks;
/*50*/	__le64 m_reserved[2];
/*60*/	struct cohfs_map_rec m_rec[COHFS_MAP_RECS];
/*ff0*/	__u8 m_tail[16];
};
COHFS_DISK_SIZE(struct cohfs_map_block, COHFS_BLOCK_SIZE);

/**
 * struct cohfs_dirent - one name in a directory leaf
 * @d_key: (hash of the name, 55 bits) << 8 | sequence number among equal
 *	hashes; also the readdir cookie
 * @d_ino: inode number
 * @d_generation: generation of that inode
 * @d_rec_len: bytes from this record to the next, multiple of 8
 * @d_name: not NUL terminated
 */
struct cohfs_dirent {
/*00*/	__le64 d_key;
	__le64 d_ino;
/*10*/	__le32 d_generation;
	__le16 d_rec_len;
	__u8 d_name_len;
	__u8 d_type;		/* DT_* */
/*18*/	__u8 d_name[];
};
COHFS_DISK_SIZE(struct cohfs_dirent, 0x18);

#define COHFS_DIRLEAF_BYTES	(COHFS_BLOCK_SIZE - 0x50)

/**
 * struct cohfs_dirleaf - a block of names, sorted by d_key, packed from the start
 * @l_count: number of names
 * @l_used: bytes of @l_data in use
 * Covers the keys from its map record's hash up to the next record's.
 */
struct cohfs_dirleaf {
	struct cohfs_block_header l_hdr;
/*40*/	__le16 l_count;
	__le16 l_used;
	__le32 l_pad;
	__le64 l_reserved;
/*50*/	__u8 l_data[COHFS_DIRLEAF_BYTES];
};
COHFS_DISK_SIZE(struct cohfs_dirleaf, COHFS_BLOCK_SIZE);

#define COHFS_LVB_SIZE		128
#define COHFS_LVB_MAGIC		0x424c	/* "LB" */
#define COHFS_LVB_VERSION	1

/**
 * struct cohfs_lvb_inode - value block of I(ino): attributes without a disk read
 * @v_crc: crc32c of the structure with this field 0
 */
struct cohfs_lvb_inode {
/*00*/	__le16 v_magic;
	__le16 v_version;
	__le32 v_crc;
	__le32 v_generation;
	__le32 v_mode;
/*10*/	__le32 v_uid;
	__le32 v_gid;
	__le32 v_nlink;
	__le32 v_flags;
/*20*/	__le64 v_size;
	__le64 v_blocks;
/*30*/	__le64 v_atime;
	__le64 v_mtime;
/*40*/	__le64 v_ctime;
	__le32 v_atime_nsec;
	__le32 v_mtime_nsec;
/*50*/	__le32 v_ctime_nsec;
	__le32 v_time_gen;
	__le64 v_rdev;
/*60*/	__le64 v_btime;
	__le32 v_btime_nsec;
	__le32 v_orphan_slot;
/*70*/	__le64 v_reserved[2];
};
COHFS_DISK_SIZE(struct cohfs_lvb_inode, COHFS_LVB_SIZE);

#endif /* _COHFS_ONDISK_H */
