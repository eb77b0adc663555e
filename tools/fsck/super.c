// SPDX-License-Identifier: GPL-2.0-only
/* The superblock and its copy: nothing changes them after mkfs, so they are the same. */
#include "super.h"

static int refuse(struct volume *vol, int err, const char *why)
{
	const char *path = vol->img->dev.path;

	if (err == -EOPNOTSUPP)
		tool_error("%s was made with newer features (incompat 0x%x)", path,
			   vol->info.feature_incompat & ~COHFS_FEATURE_INCOMPAT_KNOWN);
	else if (err == -EINVAL)
		tool_error("%s holds no cohfs filesystem: %s", path, why);
	else
		tool_error("%s: superblock: %s; no copy of it was found", path, why);
	return -1;
}

static int check_limits(struct volume *vol)
{
	u32 unknown = vol->info.feature_ro_compat & ~COHFS_FEATURE_RO_COMPAT_KNOWN;

	if (unknown) {
		tool_error("%s was made with newer features (ro_compat 0x%x)",
			   vol->img->dev.path, unknown);
		return -1;
	}
	if (!volume_fits(vol)) {
		tool_error("%s has %llu blocks, the filesystem %llu: is this all of the device?",
			   vol->img->dev.path, vol->img->blocks, vol->info.blocks);
		return -1;
	}
	return 0;
}

/* What belongs at @blkno, if @from holds a good superblock */
static void make_copy(const union block *from, u64 blkno, union block *to)
{
	*to = *from;
	to->hdr.bh_blkno = cpu_to_le64(blkno);
	to->hdr.bh_crc = cpu_to_le32(cohfs_block_crc(to));
}

static bool same_contents(const union block *a, const union block *b)
{
	return !memcmp(a->bytes + sizeof(a->hdr), b->bytes + sizeof(b->hdr),
		       COHFS_BLOCK_SIZE - sizeof(a->hdr));
}

/* Compare @blkno with the superblock @good; make it the same if it is not */
static void check_twin(struct volume *vol, const union block *good, u64 blkno,
		       struct problems *problems, enum problem kind, const char *name)
{
	struct cohfs_super_info info;
	const char *why = "cannot be read";
	union block buf, should;

	make_copy(good, blkno, &should);
	if (!image_read(vol->img, blkno, &buf) &&
	    !cohfs_super_decode_at(&info, &buf, blkno, &why)) {
		if (same_contents(&buf, &should))
			return;
		why = "differs";
	}
	problem(problems, kind, "%s in block %llu: %s", name, blkno, why);
	image_write(vol->img, blkno, &should);
}

int super_load(struct volume *vol, struct image *img, struct problems *problems)
{
	const char *why;
	union block good;
	u64 blkno;
	int err;

	err = volume_find(vol, img, &blkno, &why);
	if (err)
		return refuse(vol, err, why);
	if (check_limits(vol))
		return -1;
	if (image_read(img, blkno, &good))
		return -1;
	if (blkno != COHFS_SUPER_BLKNO) {
		problem(problems, P_SUPER, "superblock: %s; the copy in block %llu is used",
			why, blkno);
		make_copy(&good, COHFS_SUPER_BLKNO, &good);
		image_write(img, COHFS_SUPER_BLKNO, &good);
	}
	if (vol->info.copy)
		check_twin(vol, &good, vol->info.copy, problems, P_SUPER_COPY,
			   "copy of the superblock");
	return 0;
}
