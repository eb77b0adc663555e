// SPDX-License-Identifier: GPL-2.0-only
/*
 * A cohfs filesystem on an image.
 *
 * The superblock has one copy, in group 0, whose place only the superblock tells.  When
 * the latter is lost the copy is looked for: areas begin at multiples of 256 blocks, so
 * it is at one of few places modulo 256, and it knows its own block number.  What is
 * found may be left over from an older filesystem; the one wins around which more of a
 * filesystem is to be found.
 */
#include "../../fs/core/dirhash.h"
#include "../../fs/core/dirleaf.h"
#include "../../fs/core/mapblock.h"
#include "../../fs/core/logformat.h"
#include "volume.h"

#define AREA_ALIGN	256u	/* as tools/mkfs/layout.c places areas */
#define COPY_OFFSET	3u	/* of the copy in group 0 */
#define SAMPLES		16u	/* groups to look at for a verdict */

/* Looking for the superblock ------------------------------------------------ */

static bool sound(struct volume *vol, u64 blkno, unsigned int type, u64 owner)
{
	union block buf;

	return !volume_read(vol, blkno, type, owner, &buf);
}

static bool group_sound(struct volume *vol, u32 group)
{
	union block buf;

	return !volume_read(vol, volume_group_blkno(vol, group), COHFS_BT_GROUP, group,
			    &buf) &&
	       le32_to_cpu(buf.group.g_blocks) ==
			cohfs_super_group_blocks(&vol->info, group);
}

static bool journal_sound(struct volume *vol, u32 slot)
{
	struct jbd2_superblock *sb;
	union block buf;

	sb = (struct jbd2_superblock *)buf.bytes;
	return !image_read(vol->img, volume_journal_blkno(vol, slot), &buf) &&
	       be32_to_cpu(sb->s_header.h_magic) == JBD2_MAGIC &&
	       be32_to_cpu(sb->s_maxlen) == vol->info.journal_blocks;
}

static bool root_sound(struct volume *vol)
{
	u64 ino = vol->info.root_ino;
	union block buf;

	return ino == vol->info.first_group + 1 &&
	       !volume_read(vol, ino, COHFS_BT_INODE, ino, &buf) &&
	       le64_to_cpu(buf.inode.i_parent) == ino;
}

static bool hashes_right(struct volume *vol, const struct cohfs_dirleaf *leaf)
{
	struct cohfs_dirview view;
	u64 key = 0;

	for (; cohfs_dirleaf_next(leaf, key, &view); key = view.key + 1)
		if (cohfs_dirkey_hash(view.key) !=
		    cohfs_dirhash(vol->info.hash_key, view.name, view.name_len))
			return false;
	return true;
}

/* Do the first names of the root directory have the hashes that they should? */
static bool names_sound(struct volume *vol)
{
	u64 ino = vol->info.root_ino, blkno = ino + 1;
	struct cohfs_extent ext;
	union block buf;
	u32 depth, level;

	for (depth = 0; depth <= COHFS_MAP_MAX_LEVEL; depth++) {
		if (volume_read(vol, blkno, COHFS_BT_MAP, ino, &buf) ||
		    !cohfs_mapblock_count(&buf.map))
			return false;
		level = cohfs_mapblock_level(&buf.map);
		cohfs_mapblock_get(&buf.map, 0, &ext);
		blkno = ext.blk;
		if (!level)
			break;
	}
	return !volume_read(vol, blkno, COHFS_BT_DIRLEAF, ino, &buf) &&
	       hashes_right(vol, &buf.leaf);
}

/* How much is there of what this superblock says?  What is not there counts against it. */
static int verdict(struct volume *vol)
{
	const struct cohfs_super_info *info = &vol->info;
	u32 groups = min_t(u32, info->groups, SAMPLES);
	int all = 2 * (int)info->slots + (int)groups + 3, found = 0;
	u32 i;

	if (!volume_fits(vol))
		return INT_MIN;
	for (i = 0; i < info->slots; i++) {
		found += sound(vol, info->first_slot + i, COHFS_BT_SLOT, i);
		found += journal_sound(vol, i);
	}
	for (i = 0; i < groups; i++)
		found += group_sound(vol, i);
	found += group_sound(vol, info->groups - 1);
	found += root_sound(vol);
	found += names_sound(vol);
	return 2 * found - (all - found);
}

/* Decode what is at @blkno; as cohfs_super_decode() */
static int read_super(struct volume *vol, u64 blkno, const char **why)
{
	union block buf;

	memset(&vol->info, 0, sizeof(vol->info));
	*why = "cannot be read";
	if (image_read(vol->img, blkno, &buf))
		return -EFSCORRUPTED;
	return cohfs_super_decode_at(&vol->info, &buf, blkno, why);
}

/* The best of all copies on the device, if it is better than @score */
static bool search_copies(struct volume *best, int score, u64 *blkno)
{
	struct volume vol = *best;
	bool found = false;
	const char *why;
	union block buf;
	u64 blk;
	int now;

	for (blk = AREA_ALIGN + COPY_OFFSET; blk < vol.img->blocks; blk += AREA_ALIGN) {
		if (image_read(vol.img, blk, &buf) ||
		    le16_to_cpu(buf.hdr.bh_type) != COHFS_BT_SUPER ||
		    read_super(&vol, blk, &why))
			continue;
		now = verdict(&vol);
		if (now <= score)
			continue;
		score = now;
		*best = vol;
		*blkno = blk;
		found = true;
	}
	return found;
}

/* The copy where mkfs puts it, whatever the superblock says of its place */
static bool find_copy(const struct volume *vol, struct volume *copy, u64 *blkno)
{
	u64 places[] = { vol->info.first_group + COPY_OFFSET, vol->info.copy };
	const char *why;
	u32 i;

	copy->img = vol->img;
	for (i = 0; i < ARRAY_SIZE(places); i++) {
		*blkno = places[i];
		if (places[i] > COHFS_SUPER_BLKNO && places[i] < vol->img->blocks &&
		    !read_super(copy, places[i], &why) && copy->info.copy == places[i])
			return true;
	}
	return false;
}

/*
 * A superblock that passes all checks can still be wrong where no check looks; then
 * copy and surroundings disagree with it.  Looking for copies elsewhere means reading
 * all over the device, which is for when nothing else is left.
 */
static const char *prefer_copy(struct volume *vol, u64 *blkno)
{
	struct volume copy;
	int score = verdict(vol), other;
	u64 place;

	if (find_copy(vol, &copy, &place)) {
		other = verdict(&copy);
		if (other < score || (other == score && vol->info.copy == place))
			return NULL;
		*blkno = place;
		*vol = copy;
	} else if (score > 0 || !search_copies(vol, score, blkno)) {
		return NULL;
	}
	return "fits less to the rest of the filesystem than the copy";
}

/*
 * Features that nobody knows, and a copy that has not heard of them?  Damage may have hit
 * the number of the filesystem, too: then the rest of it has to speak for the copy.
 */
static bool features_doubtful(struct volume *vol, u64 *blkno)
{
	struct volume copy;
	u64 place;

	if (!find_copy(vol, &copy, &place))
		return false;
	if (memcmp(copy.info.fsid, vol->info.fsid, sizeof(copy.info.fsid)) &&
	    verdict(&copy) <= 0)
		return false;
	*vol = copy;
	*blkno = place;
	return true;
}

int volume_find(struct volume *vol, struct image *img, u64 *blkno, const char **why)
{
	int err;

	vol->img = img;
	*blkno = COHFS_SUPER_BLKNO;
	err = read_super(vol, *blkno, why);
	if (!err) {
		*why = prefer_copy(vol, blkno);
		return 0;
	}
	if (err == -EOPNOTSUPP)
		return features_doubtful(vol, blkno) ? 0 : err;
	return search_copies(vol, INT_MIN, blkno) ? 0 : err;
}

/* Blocks --------------------------------------------------------------------- */

const char *volume_read(struct volume *vol, u64 blkno, unsigned int type, u64 owner,
			union block *buf)
{
	if (image_read(vol->img, blkno, buf))
		return "cannot be read";
	return cohfs_check_block(buf, type, blkno, vol->info.fsid, owner);
}

bool volume_locate(const struct volume *vol, u64 blkno, u32 *group, u32 *bit)
{
	u64 off;

	if (blkno < vol->info.first_group || blkno >= vol->info.blocks)
		return false;
	off = blkno - vol->info.first_group;
	*group = (u32)(off / COHFS_GROUP_BLOCKS);
	*bit = (u32)(off % COHFS_GROUP_BLOCKS);
	return true;
}

bool volume_extent_ok(const struct volume *vol, u64 blkno, u64 len)
{
	u32 group, bit;

	return len && volume_locate(vol, blkno, &group, &bit) && bit &&
	       len <= cohfs_super_group_blocks(&vol->info, group) - bit;
}
