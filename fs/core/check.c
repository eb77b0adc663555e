// SPDX-License-Identifier: GPL-2.0-only
/*
 * Verification of metadata blocks and conversion to host order.
 *
 * Everything read from disk is hostile until a function here has looked at it.
 * Checks return a phrase rather than a number: it is what the kernel log and
 * mkfs show, and there is exactly one per check.
 */
#include "check.h"
#include "dirhash.h"
#include "dirleaf.h"
#include "mapblock.h"

/* Spelled out here: pure code includes no VFS header, and these are disk format. */
#define MODE_FMT	0170000u
#define MODE_FIFO	0010000u
#define MODE_CHR	0020000u
#define MODE_DIR	0040000u
#define MODE_BLK	0060000u
#define MODE_REG	0100000u
#define MODE_LNK	0120000u
#define MODE_SOCK	0140000u

#define NSEC_PER_SECOND	1000000000u

void cohfs_header_init(struct cohfs_block_header *hdr, unsigned int type, u64 blkno,
		       const u8 *fsid, u64 owner, u32 generation)
{
	memset(hdr, 0, sizeof(*hdr));
	hdr->bh_magic = cpu_to_le32(COHFS_MAGIC);
	hdr->bh_type = cpu_to_le16((u16)type);
	hdr->bh_blkno = cpu_to_le64(blkno);
	memcpy(hdr->bh_fsid, fsid, sizeof(hdr->bh_fsid));
	hdr->bh_owner = cpu_to_le64(owner);
	hdr->bh_generation = cpu_to_le32(generation);
}

u32 cohfs_block_crc(const void *block)
{
	const size_t off = offsetof(struct cohfs_block_header, bh_crc);
	const __le32 zero = 0;
	u32 crc;

	crc = crc32c(~0u, block, off);
	crc = crc32c(crc, &zero, sizeof(zero));
	return crc32c(crc, (const u8 *)block + off + sizeof(zero),
		      COHFS_BLOCK_SIZE - off - sizeof(zero));
}

void cohfs_block_seal(void *block)
{
	struct cohfs_block_header *hdr = block;

	hdr->bh_version = cpu_to_le64(le64_to_cpu(hdr->bh_version) + 1);
	hdr->bh_crc = cpu_to_le32(cohfs_block_crc(block));
}

const char *cohfs_check_header(const void *block, unsigned int type, u64 blkno,
			       const u8 *fsid, u64 owner)
{
	const struct cohfs_block_header *hdr = block;

	if (le32_to_cpu(hdr->bh_magic) != COHFS_MAGIC)
		return "magic number";
	if (fsid && memcmp(hdr->bh_fsid, fsid, sizeof(hdr->bh_fsid)))
		return "filesystem id";
	if (le16_to_cpu(hdr->bh_type) != type)
		return "block type";
	if (le64_to_cpu(hdr->bh_blkno) != blkno)
		return "block number";
	if (le64_to_cpu(hdr->bh_owner) != owner)
		return "owner";
	if (le32_to_cpu(hdr->bh_crc) != cohfs_block_crc(block))
		return "checksum";
	return NULL;
}

/* Superblock --------------------------------------------------------------- */

/* Length of the string in a NUL padded field, or -1: bytes behind the first NUL */
static int padded_len(const u8 *field, u32 size)
{
	u32 len = 0;

	while (len < size && field[len])
		len++;
	if (memchr_inv(field + len, 0, size - len))
		return -1;
	return (int)len;
}

const char *cohfs_lock_table_split(const u8 *table, char *cluster, char *fsname)
{
	int len = padded_len(table, COHFS_LOCK_TABLE_LEN);
	int colon = -1;
	int i;

	cluster[0] = '\0';
	fsname[0] = '\0';
	if (len < 0)
		return "lock table: bytes after its end";
	if (!len)
		return NULL;
	for (i = 0; i < len; i++) {
		if (table[i] <= ' ' || table[i] >= 0x7f || table[i] == '/')
			return "lock table: a blank, slash or unprintable character";
		if (table[i] != ':')
			continue;
		if (colon >= 0)
			return "lock table: more than one colon";
		colon = i;
	}
	if (colon < 0)
		return "lock table: no colon";
	if (colon == 0 || colon > COHFS_CLUSTER_MAX)
		return "lock table: cluster name not 1 to 32 bytes long";
	if (len - colon - 1 == 0 || len - colon - 1 > COHFS_FSNAME_MAX)
		return "lock table: filesystem name not 1 to 60 bytes long";
	memcpy(cluster, table, colon);
	cluster[colon] = '\0';
	memcpy(fsname, table + colon + 1, len - colon - 1);
	fsname[len - colon - 1] = '\0';
	return NULL;
}

static void super_info_fill(struct cohfs_super_info *info,
			    const struct cohfs_super *s)
{
	memset(info, 0, sizeof(*info));
	info->feature_compat = le32_to_cpu(s->s_feature_compat);
	info->feature_ro_compat = le32_to_cpu(s->s_feature_ro_compat);
	info->feature_incompat = le32_to_cpu(s->s_feature_incompat);
	info->slots = le32_to_cpu(s->s_slots);
	info->groups = le32_to_cpu(s->s_groups);
	info->journal_blocks = le32_to_cpu(s->s_journal_blocks);
	info->blocks = le64_to_cpu(s->s_blocks);
	info->root_ino = le64_to_cpu(s->s_root_ino);
	info->first_slot = le64_to_cpu(s->s_first_slot);
	info->first_journal = le64_to_cpu(s->s_first_journal);
	info->first_group = le64_to_cpu(s->s_first_group);
	info->free_at_mkfs = le64_to_cpu(s->s_free_at_mkfs);
	info->copy = le64_to_cpu(s->s_copy);
	memcpy(info->fsid, s->s_uuid, sizeof(info->fsid));
	memcpy(info->hash_key, s->s_hash_key, sizeof(info->hash_key));
	memcpy(info->label, s->s_label, COHFS_LABEL_LEN);
}

/*
 * Every sum below has operands that were bounded by COHFS_MAX_BLOCKS or come
 * from 32-bit fields, so nothing wraps.
 */
static const char *check_geometry(const struct cohfs_super_info *info)
{
	u64 space, full;

	if (info->blocks > COHFS_MAX_BLOCKS)
		return "filesystem size";
	if (info->slots < 1 || info->slots > COHFS_MAX_SLOTS)
		return "number of slots";
	if (info->journal_blocks < COHFS_MIN_JOURNAL_BLOCKS)
		return "journal size";
	if (info->first_slot <= COHFS_SUPER_BLKNO || info->first_slot > info->blocks)
		return "place of the slot blocks";
	if (info->first_journal < info->first_slot + info->slots ||
	    info->first_journal > info->blocks)
		return "place of the journals";
	if (info->first_group < info->first_journal +
				(u64)info->slots * info->journal_blocks ||
	    info->first_group >= info->blocks)
		return "place of the groups";
	if (!info->groups)
		return "number of groups";
	space = info->blocks - info->first_group;
	full = (u64)(info->groups - 1) * COHFS_GROUP_BLOCKS;
	if (space <= full || space > full + COHFS_GROUP_BLOCKS)
		return "number of groups";
	if (info->root_ino <= info->first_group || info->root_ino >= info->blocks - 1)
		return "root inode number";
	if (info->free_at_mkfs > space)
		return "free blocks at mkfs";
	if (info->copy && (info->copy <= info->first_group || info->copy >= info->blocks))
		return "place of the superblock's copy";
	return NULL;
}

static const char *check_super(const struct cohfs_super *s,
			       struct cohfs_super_info *info)
{
	const char *why;

	super_info_fill(info, s);
	if (memcmp(s->s_uuid, s->s_hdr.bh_fsid, sizeof(s->s_uuid)))
		return "uuid";
	if (info->feature_incompat & ~COHFS_FEATURE_INCOMPAT_KNOWN)
		return "unknown incompatible features";
	if (le32_to_cpu(s->s_block_size) != COHFS_BLOCK_SIZE)
		return "block size";
	why = check_geometry(info);
	if (why)
		return why;
	if (padded_len(s->s_label, COHFS_LABEL_LEN) < 0)
		return "label";
	return cohfs_lock_table_split(s->s_lock_table, info->cluster, info->fsname);
}

int cohfs_super_decode_at(struct cohfs_super_info *info, const void *block, u64 blkno,
			  const char **why)
{
	const struct cohfs_super *s = block;

	memset(info, 0, sizeof(*info));
	if (le32_to_cpu(s->s_hdr.bh_magic) != COHFS_MAGIC ||
	    le16_to_cpu(s->s_hdr.bh_type) != COHFS_BT_SUPER) {
		*why = "magic number";
		return -EINVAL;
	}
	*why = cohfs_check_header(block, COHFS_BT_SUPER, blkno, NULL, 0);
	if (*why)
		return -EFSCORRUPTED;
	*why = check_super(s, info);
	if (!*why)
		return 0;
	if (info->feature_incompat & ~COHFS_FEATURE_INCOMPAT_KNOWN)
		return -EOPNOTSUPP;
	return -EFSCORRUPTED;
}

int cohfs_super_decode(struct cohfs_super_info *info, const void *block,
		       const char **why)
{
	return cohfs_super_decode_at(info, block, COHFS_SUPER_BLKNO, why);
}

u32 cohfs_super_group_blocks(const struct cohfs_super_info *info, u32 g)
{
	u64 left = info->blocks - info->first_group - (u64)g * COHFS_GROUP_BLOCKS;

	return (u32)min_t(u64, left, COHFS_GROUP_BLOCKS);
}

/* The other types ---------------------------------------------------------- */

static const char *check_slot(const struct cohfs_slot *sl)
{
	u32 count = le32_to_cpu(sl->sl_pool_count);
	u32 i;

	if (le64_to_cpu(sl->sl_hdr.bh_owner) >= COHFS_MAX_SLOTS)
		return "slot number";
	if (!sl->sl_orphan_dir)
		return "orphan directory";
	if (count > COHFS_POOL_MAX)
		return "inode pool count";
	for (i = 0; i < count; i++)
		if (!sl->sl_pool[i])
			return "inode pool entry";
	return NULL;
}

static const char *check_group(const struct cohfs_group *g)
{
	u32 blocks = le32_to_cpu(g->g_blocks);
	const u8 *map = g->g_bitmap;
	u32 clear = 0;
	u32 i;

	if (blocks < 1 || blocks > COHFS_GROUP_BLOCKS)
		return "group size";
	if (!(map[0] & 1))
		return "group's own block is marked free";
	if ((blocks & 7) && (u8)(map[blocks / 8] | ((1u << (blocks & 7)) - 1)) != 0xff)
		return "bits behind the group's end";
	i = (blocks + 7) / 8;
	if (memchr_inv(map + i, 0xff, COHFS_GROUP_BITMAP_BYTES - i))
		return "bits behind the group's end";
	/* the map starts 8-byte aligned in the block and is a multiple of 8 long */
	for (i = 0; i < COHFS_GROUP_BITMAP_BYTES; i += 8)
		clear += 64 - (u32)hweight64(get_unaligned_le64(map + i));
	if (clear != le32_to_cpu(g->g_free))
		return "free count of the group";
	return NULL;
}

static bool time_ok(const struct cohfs_time *t)
{
	return le32_to_cpu(t->t_nsec) < NSEC_PER_SECOND;
}

static const char *check_dinode(const struct cohfs_dinode *di)
{
	u32 mode = le32_to_cpu(di->i_mode);
	u64 size = le64_to_cpu(di->i_size);

	if (di->i_hdr.bh_blkno != di->i_hdr.bh_owner)
		return "inode number";
	if (mode > 0xffff)
		return "file mode";
	if (size > (u64)S64_MAX)
		return "file size";
	switch (mode & MODE_FMT) {
	case MODE_REG:
	case MODE_CHR:
	case MODE_BLK:
	case MODE_FIFO:
	case MODE_SOCK:
		break;
	case MODE_DIR:
		if (size & (COHFS_BLOCK_SIZE - 1))
			return "directory size";
		break;
	case MODE_LNK:
		if (size < 1 || size > COHFS_INLINE_MAX)
			return "length of the symbolic link";
		if (memchr(di->i_inline, 0, size))
			return "target of the symbolic link";
		break;
	default:
		/* what is left of a freed inode is not damage */
		if (mode || di->i_nlink)
			return "file mode";
	}
	if (!time_ok(&di->i_atime) || !time_ok(&di->i_mtime) ||
	    !time_ok(&di->i_ctime) || !time_ok(&di->i_btime))
		return "time";
	if (le64_to_cpu(di->i_blocks) > COHFS_MAX_BLOCKS)
		return "block count";
	if (le32_to_cpu(di->i_orphan_slot) > COHFS_MAX_SLOTS)
		return "orphan slot";
	return NULL;
}

/* @end: first key after the previous record */
static const char *check_rec(const struct cohfs_extent *ext, bool leaf, u64 end)
{
	if (ext->key < end)
		return "order of map records";
	if (ext->key > COHFS_MAP_KEY_MAX)
		return "key of a map record";
	if (!ext->blk || ext->blk >= COHFS_MAX_BLOCKS)
		return "block of a map record";
	if (!leaf)
		return ext->len || ext->flags ? "inner map record" : NULL;
	if (ext->flags & ~COHFS_REC_UNWRITTEN)
		return "flags of a map record";
	if (!ext->len || ext->len - 1 > COHFS_MAP_KEY_MAX - ext->key)
		return "length of a map record";
	return NULL;
}

static const char *check_map(const struct cohfs_map_block *mb)
{
	u32 level = cohfs_mapblock_level(mb);
	u32 count = cohfs_mapblock_count(mb);
	bool root = le64_to_cpu(mb->m_hdr.bh_blkno) ==
		    le64_to_cpu(mb->m_hdr.bh_owner) + 1;
	struct cohfs_extent ext;
	const char *why;
	u64 end = 0;
	u32 i;

	if (level > COHFS_MAP_MAX_LEVEL)
		return "map level";
	if (count > COHFS_MAP_RECS)
		return "number of map records";
	if (!count && !(root && !level))
		return "empty map block";
	if (le64_to_cpu(mb->m_blocks) > COHFS_MAX_BLOCKS)
		return "block count of the map";
	for (i = 0; i < count; i++) {
		cohfs_mapblock_get(mb, i, &ext);
		why = check_rec(&ext, !level, end);
		if (why)
			return why;
		end = ext.key + max_t(u32, ext.len, 1);
	}
	return NULL;
}

static bool dtype_ok(u8 type)
{
	/* DT_FIFO, CHR, DIR, BLK, REG, LNK, SOCK: the mode's top four bits */
	return type < 16 && ((1u << type) & 0x1556u);
}

static const char *check_dirent(const struct cohfs_dirent *de, u32 room, u64 prev)
{
	u32 len = de->d_name_len;

	if (!len)
		return "empty name";
	if (le16_to_cpu(de->d_rec_len) != cohfs_dirent_size(len) ||
	    le16_to_cpu(de->d_rec_len) > room)
		return "length of a directory entry";
	if (le64_to_cpu(de->d_key) <= prev ||
	    cohfs_dirkey_hash(le64_to_cpu(de->d_key)) < 1 ||
	    cohfs_dirkey_hash(le64_to_cpu(de->d_key)) > COHFS_MAP_KEY_MAX)
		return "key of a directory entry";
	if (!de->d_ino || !dtype_ok(de->d_type))
		return "target of a directory entry";
	if (memchr(de->d_name, 0, len) || memchr(de->d_name, '/', len))
		return "character in a name";
	if (de->d_name[0] == '.' && (len == 1 || (len == 2 && de->d_name[1] == '.')))
		return "dot or dotdot as a name";
	return NULL;
}

static const char *check_dirleaf(const struct cohfs_dirleaf *leaf)
{
	u32 count = le16_to_cpu(leaf->l_count);
	u32 used = le16_to_cpu(leaf->l_used);
	const struct cohfs_dirent *de;
	const char *why;
	u32 off = 0;
	u64 prev = 0;

	if (used > COHFS_DIRLEAF_BYTES)
		return "used bytes of the directory leaf";
	for (; count; count--) {
		if (used - off < sizeof(*de))
			return "number of directory entries";
		de = (const struct cohfs_dirent *)(leaf->l_data + off);
		why = check_dirent(de, used - off, prev);
		if (why)
			return why;
		prev = le64_to_cpu(de->d_key);
		off += le16_to_cpu(de->d_rec_len);
	}
	if (off != used)
		return "used bytes of the directory leaf";
	return NULL;
}

const char *cohfs_check_body(const void *block, unsigned int type)
{
	struct cohfs_super_info info;

	switch (type) {
	case COHFS_BT_SUPER:
		return check_super(block, &info);
	case COHFS_BT_SLOT:
		return check_slot(block);
	case COHFS_BT_GROUP:
		return check_group(block);
	case COHFS_BT_INODE:
		return check_dinode(block);
	case COHFS_BT_MAP:
		return check_map(block);
	case COHFS_BT_DIRLEAF:
		return check_dirleaf(block);
	default:
		return "unknown block type";
	}
}

const char *cohfs_check_block(const void *block, unsigned int type, u64 blkno,
			      const u8 *fsid, u64 owner)
{
	const char *why = cohfs_check_header(block, type, blkno, fsid, owner);

	return why ? why : cohfs_check_body(block, type);
}

/* Attributes --------------------------------------------------------------- */

static void stamp_to_disk(const struct cohfs_ts *stamp, struct cohfs_time *t)
{
	t->t_sec = cpu_to_le64((u64)stamp->sec);
	t->t_nsec = cpu_to_le32(stamp->nsec);
	t->t_pad = 0;
}

static void stamp_from_disk(struct cohfs_ts *stamp, const struct cohfs_time *t)
{
	stamp->sec = (s64)le64_to_cpu(t->t_sec);
	stamp->nsec = le32_to_cpu(t->t_nsec);
}

void cohfs_attr_to_disk(const struct cohfs_attr *attr, struct cohfs_dinode *di)
{
	di->i_hdr.bh_generation = cpu_to_le32(attr->generation);
	di->i_mode = cpu_to_le32(attr->mode);
	di->i_uid = cpu_to_le32(attr->uid);
	di->i_gid = cpu_to_le32(attr->gid);
	di->i_nlink = cpu_to_le32(attr->nlink);
	di->i_size = cpu_to_le64(attr->size);
	di->i_blocks = cpu_to_le64(attr->blocks);
	stamp_to_disk(&attr->atime, &di->i_atime);
	stamp_to_disk(&attr->mtime, &di->i_mtime);
	stamp_to_disk(&attr->ctime, &di->i_ctime);
	stamp_to_disk(&attr->btime, &di->i_btime);
	di->i_flags = cpu_to_le32(attr->flags);
	di->i_time_gen = cpu_to_le32(attr->time_gen);
	di->i_rdev = cpu_to_le64(attr->rdev);
	di->i_orphan_slot = cpu_to_le32(attr->orphan_slot);
}

void cohfs_attr_from_disk(struct cohfs_attr *attr, const struct cohfs_dinode *di)
{
	attr->generation = le32_to_cpu(di->i_hdr.bh_generation);
	attr->mode = le32_to_cpu(di->i_mode);
	attr->uid = le32_to_cpu(di->i_uid);
	attr->gid = le32_to_cpu(di->i_gid);
	attr->nlink = le32_to_cpu(di->i_nlink);
	attr->size = le64_to_cpu(di->i_size);
	attr->blocks = le64_to_cpu(di->i_blocks);
	stamp_from_disk(&attr->atime, &di->i_atime);
	stamp_from_disk(&attr->mtime, &di->i_mtime);
	stamp_from_disk(&attr->ctime, &di->i_ctime);
	stamp_from_disk(&attr->btime, &di->i_btime);
	attr->flags = le32_to_cpu(di->i_flags);
	attr->time_gen = le32_to_cpu(di->i_time_gen);
	attr->rdev = le64_to_cpu(di->i_rdev);
	attr->orphan_slot = le32_to_cpu(di->i_orphan_slot);
}
