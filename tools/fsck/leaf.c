// SPDX-License-Identifier: GPL-2.0-only
/* The names in one directory leaf. */
#include "../../fs/core/dirhash.h"
#include "leaf.h"

bool leaf_name_ok(const u8 *name, u32 len)
{
	if (!len || memchr(name, 0, len) || memchr(name, '/', len))
		return false;
	return name[0] != '.' || (len != 1 && (len != 2 || name[1] != '.'));
}

bool leaf_read(struct volume *vol, u64 blkno, u64 dir, u32 generation, struct leaf *leaf)
{
	struct expect ex = {
		.type = COHFS_BT_DIRLEAF, .blkno = blkno, .owner = dir,
		.generation = generation,
	};

	leaf->ident = IDENT_NONE;
	leaf->why = "cannot be read";
	if (image_read(vol->img, blkno, &leaf->buf))
		return false;
	leaf->ident = ident_block(vol, &leaf->buf, &ex, &leaf->why);
	if (leaf->ident == IDENT_NONE)
		return false;
	leaf->body = cohfs_check_body(&leaf->buf, COHFS_BT_DIRLEAF);
	return true;
}

/* A length that fits, and that agrees with the name's */
static bool well_formed(const struct cohfs_dirent *de, u32 room)
{
	u32 size = le16_to_cpu(de->d_rec_len);

	return de->d_name_len && size == cohfs_dirent_size(de->d_name_len) && size <= room;
}

static bool hash_right(const struct volume *vol, const struct cohfs_dirent *de)
{
	return cohfs_dirkey_hash(le64_to_cpu(de->d_key)) ==
	       cohfs_dirhash(vol->info.hash_key, de->d_name, de->d_name_len);
}

static void fill_view(const struct cohfs_dirent *de, struct cohfs_dirview *view)
{
	view->key = le64_to_cpu(de->d_key);
	view->target.ino = le64_to_cpu(de->d_ino);
	view->target.generation = le32_to_cpu(de->d_generation);
	view->target.type = de->d_type;
	view->name_len = de->d_name_len;
	view->name = de->d_name;
}

bool leaf_next(const struct volume *vol, const struct leaf *leaf, u32 *off,
	       struct cohfs_dirview *view, bool *hashed)
{
	u32 end = COHFS_DIRLEAF_BYTES;
	const struct cohfs_dirent *de;
	bool chained = true;

	if (leaf_sound(leaf))
		end = le16_to_cpu(leaf->buf.leaf.l_used);
	for (; *off + sizeof(*de) <= end; *off += 8, chained = false) {
		de = (const struct cohfs_dirent *)(leaf->buf.leaf.l_data + *off);
		if (!well_formed(de, end - *off))
			continue;
		*hashed = hash_right(vol, de);
		if (!*hashed && !chained)
			continue;
		fill_view(de, view);
		*off += le16_to_cpu(de->d_rec_len);
		return true;
	}
	return false;
}
