// SPDX-License-Identifier: GPL-2.0-only
#include "lvb.h"

#define NSEC_LIMIT	1000000000u

static u32 lvb_crc(const struct cohfs_lvb_inode *lvb)
{
	struct cohfs_lvb_inode copy = *lvb;

	copy.v_crc = 0;
	return crc32c(~0u, &copy, sizeof(copy));
}

void cohfs_lvb_encode(struct cohfs_lvb_inode *lvb, const struct cohfs_attr *attr)
{
	memset(lvb, 0, sizeof(*lvb));
	lvb->v_magic = cpu_to_le16(COHFS_LVB_MAGIC);
	lvb->v_version = cpu_to_le16(COHFS_LVB_VERSION);
	lvb->v_generation = cpu_to_le32(attr->generation);
	lvb->v_mode = cpu_to_le32(attr->mode);
	lvb->v_uid = cpu_to_le32(attr->uid);
	lvb->v_gid = cpu_to_le32(attr->gid);
	lvb->v_nlink = cpu_to_le32(attr->nlink);
	lvb->v_flags = cpu_to_le32(attr->flags);
	lvb->v_size = cpu_to_le64(attr->size);
	lvb->v_blocks = cpu_to_le64(attr->blocks);
	lvb->v_atime = cpu_to_le64((u64)attr->atime.sec);
	lvb->v_mtime = cpu_to_le64((u64)attr->mtime.sec);
	lvb->v_ctime = cpu_to_le64((u64)attr->ctime.sec);
	lvb->v_btime = cpu_to_le64((u64)attr->btime.sec);
	lvb->v_atime_nsec = cpu_to_le32(attr->atime.nsec);
	lvb->v_mtime_nsec = cpu_to_le32(attr->mtime.nsec);
	lvb->v_ctime_nsec = cpu_to_le32(attr->ctime.nsec);
	lvb->v_btime_nsec = cpu_to_le32(attr->btime.nsec);
	lvb->v_time_gen = cpu_to_le32(attr->time_gen);
	lvb->v_rdev = cpu_to_le64(attr->rdev);
	lvb->v_orphan_slot = cpu_to_le32(attr->orphan_slot);
	lvb->v_crc = cpu_to_le32(lvb_crc(lvb));
}

static bool lvb_valid(const struct cohfs_lvb_inode *lvb)
{
	return le16_to_cpu(lvb->v_magic) == COHFS_LVB_MAGIC &&
	       le16_to_cpu(lvb->v_version) == COHFS_LVB_VERSION &&
	       le32_to_cpu(lvb->v_crc) == lvb_crc(lvb) &&
	       le32_to_cpu(lvb->v_atime_nsec) < NSEC_LIMIT &&
	       le32_to_cpu(lvb->v_mtime_nsec) < NSEC_LIMIT &&
	       le32_to_cpu(lvb->v_ctime_nsec) < NSEC_LIMIT &&
	       le32_to_cpu(lvb->v_btime_nsec) < NSEC_LIMIT;
}

static struct cohfs_ts make_ts(__le64 sec, __le32 nsec)
{
	struct cohfs_ts ts = {
		.sec = (s64)le64_to_cpu(sec),
		.nsec = le32_to_cpu(nsec),
	};

	return ts;
}

bool cohfs_lvb_decode(const struct cohfs_lvb_inode *lvb, struct cohfs_attr *attr)
{
	if (!lvb_valid(lvb))
		return false;
	attr->generation = le32_to_cpu(lvb->v_generation);
	attr->mode = le32_to_cpu(lvb->v_mode);
	attr->uid = le32_to_cpu(lvb->v_uid);
	attr->gid = le32_to_cpu(lvb->v_gid);
	attr->nlink = le32_to_cpu(lvb->v_nlink);
	attr->flags = le32_to_cpu(lvb->v_flags);
	attr->size = le64_to_cpu(lvb->v_size);
	attr->blocks = le64_to_cpu(lvb->v_blocks);
	attr->atime = make_ts(lvb->v_atime, lvb->v_atime_nsec);
	attr->mtime = make_ts(lvb->v_mtime, lvb->v_mtime_nsec);
	attr->ctime = make_ts(lvb->v_ctime, lvb->v_ctime_nsec);
	attr->btime = make_ts(lvb->v_btime, lvb->v_btime_nsec);
	attr->time_gen = le32_to_cpu(lvb->v_time_gen);
	attr->rdev = le64_to_cpu(lvb->v_rdev);
	attr->orphan_slot = le32_to_cpu(lvb->v_orphan_slot);
	return true;
}
