// SPDX-License-Identifier: GPL-2.0-only
/*
 * The entries of one directory leaf.
 *
 * Entries lie one after the other without gaps; a change moves what follows.  A
 * leaf holds some 100 names, so a walk from the start costs less than the block
 * did to read, and there is no second structure that could disagree.
 */
#include "dirhash.h"
#include "dirleaf.h"

static u32 used_bytes(const struct cohfs_dirleaf *leaf)
{
	return min_t(u32, le16_to_cpu(leaf->l_used), COHFS_DIRLEAF_BYTES);
}

/* The entry at @off, or NULL at the end and for one that would leave the leaf */
static const struct cohfs_dirent *entry_at(const struct cohfs_dirleaf *leaf, u32 off)
{
	u32 used = used_bytes(leaf);
	const struct cohfs_dirent *de;

	if (off > used || used - off < sizeof(*de))
		return NULL;
	de = (const struct cohfs_dirent *)(leaf->l_data + off);
	if (cohfs_dirent_size(de->d_name_len) != le16_to_cpu(de->d_rec_len) ||
	    le16_to_cpu(de->d_rec_len) > used - off)
		return NULL;
	return de;
}

/* Offset of the first entry with a key >= @key, or of the end */
static u32 seek(const struct cohfs_dirleaf *leaf, u64 key)
{
	const struct cohfs_dirent *de;
	u32 off = 0;

	while ((de = entry_at(leaf, off)) && le64_to_cpu(de->d_key) < key)
		off += le16_to_cpu(de->d_rec_len);
	return off;
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

static bool same_name(const struct cohfs_dirent *de, const struct cohfs_dirname *name)
{
	return de->d_name_len == name->len &&
	       !memcmp(de->d_name, name->name, name->len);
}

/*
 * Look for @name among the entries of its hash.
 * @off: where it is, or where a new entry with the lowest free sequence goes
 * @seq: that sequence
 */
static const struct cohfs_dirent *look_up(const struct cohfs_dirleaf *leaf,
					  const struct cohfs_dirname *name, u32 *off,
					  u32 *seq)
{
	u32 pos = seek(leaf, name->hash << COHFS_SEQ_BITS);
	const struct cohfs_dirent *de;
	bool gap = false;

	*off = pos;
	*seq = 0;
	while ((de = entry_at(leaf, pos)) &&
	       cohfs_dirkey_hash(le64_to_cpu(de->d_key)) == name->hash) {
		if (same_name(de, name)) {
			*off = pos;
			return de;
		}
		if ((le64_to_cpu(de->d_key) & COHFS_SEQ_MAX) != *seq)
			gap = true;
		pos += le16_to_cpu(de->d_rec_len);
		if (!gap) {
			*off = pos;
			++*seq;
		}
	}
	return NULL;
}

int cohfs_dirleaf_find(const struct cohfs_dirleaf *leaf,
		       const struct cohfs_dirname *name, struct cohfs_dirview *view)
{
	const struct cohfs_dirent *de;
	u32 off, seq;

	de = look_up(leaf, name, &off, &seq);
	if (!de)
		return -ENOENT;
	fill_view(de, view);
	return 0;
}

bool cohfs_dirleaf_next(const struct cohfs_dirleaf *leaf, u64 key,
			struct cohfs_dirview *view)
{
	const struct cohfs_dirent *de = entry_at(leaf, seek(leaf, key));

	if (!de)
		return false;
	fill_view(de, view);
	return true;
}

static void set_target(struct cohfs_dirent *de, const struct cohfs_dirtarget *target)
{
	de->d_ino = cpu_to_le64(target->ino);
	de->d_generation = cpu_to_le32(target->generation);
	de->d_type = target->type;
}

int cohfs_dirleaf_insert(struct cohfs_dirleaf *leaf, const struct cohfs_dirname *name,
			 const struct cohfs_dirtarget *target, u64 *key)
{
	u32 used = used_bytes(leaf);
	u32 size = cohfs_dirent_size(name->len);
	struct cohfs_dirent *de;
	u32 off, seq;

	if (WARN_ON_ONCE(!name->len || name->len > COHFS_NAME_MAX))
		return -EINVAL;
	if (look_up(leaf, name, &off, &seq))
		return -EEXIST;
	if (seq > COHFS_SEQ_MAX)
		return -EOVERFLOW;
	if (size > COHFS_DIRLEAF_BYTES - used)
		return -ENOSPC;
	if (WARN_ON_ONCE(off > used))
		return -EFSCORRUPTED;

	memmove(leaf->l_data + off + size, leaf->l_data + off, used - off);
	de = (struct cohfs_dirent *)(leaf->l_data + off);
	memset(de, 0, size);
	de->d_key = cpu_to_le64(name->hash << COHFS_SEQ_BITS | seq);
	set_target(de, target);
	de->d_rec_len = cpu_to_le16((u16)size);
	de->d_name_len = (u8)name->len;
	memcpy(leaf->l_data + off + sizeof(*de), name->name, name->len);
	leaf->l_used = cpu_to_le16((u16)(used + size));
	leaf->l_count = cpu_to_le16((u16)(le16_to_cpu(leaf->l_count) + 1));
	if (key)
		*key = le64_to_cpu(de->d_key);
	return 0;
}

int cohfs_dirleaf_delete(struct cohfs_dirleaf *leaf, const struct cohfs_dirname *name)
{
	u32 used = used_bytes(leaf);
	const struct cohfs_dirent *de;
	u32 off, seq, size;

	de = look_up(leaf, name, &off, &seq);
	if (!de)
		return -ENOENT;
	/* entry_at() has seen that the entry ends at or before used */
	size = le16_to_cpu(de->d_rec_len);
	memmove(leaf->l_data + off, leaf->l_data + off + size, used - off - size);
	memset(leaf->l_data + used - size, 0, size);
	leaf->l_used = cpu_to_le16((u16)(used - size));
	leaf->l_count = cpu_to_le16((u16)(le16_to_cpu(leaf->l_count) - 1));
	return 0;
}

int cohfs_dirleaf_retarget(struct cohfs_dirleaf *leaf,
			   const struct cohfs_dirname *name,
			   const struct cohfs_dirtarget *target)
{
	u32 off, seq;

	if (!look_up(leaf, name, &off, &seq))
		return -ENOENT;
	set_target((struct cohfs_dirent *)(leaf->l_data + off), target);
	return 0;
}

u64 cohfs_dirleaf_split_hash(const struct cohfs_dirleaf *leaf)
{
	u32 half = le16_to_cpu(leaf->l_used) / 2;
	const struct cohfs_dirent *de;
	u64 lowest = 0, below = 0;
	u32 off = 0;
	u64 hash;

	/*
	 * Entries of one hash stay together.  The boundary is the first change of
	 * hash at or behind the middle, or the last one before it if there is none.
	 */
	for (; (de = entry_at(leaf, off)); off += le16_to_cpu(de->d_rec_len)) {
		hash = cohfs_dirkey_hash(le64_to_cpu(de->d_key));
		if (!off)
			lowest = hash;
		if (hash == lowest)
			continue;
		if (hash != below && off >= half)
			return hash;
		below = hash;
	}
	return below;
}

void cohfs_dirleaf_split(struct cohfs_dirleaf *lower, struct cohfs_dirleaf *upper,
			 u64 hash)
{
	u32 used = used_bytes(lower);
	u32 at = seek(lower, hash << COHFS_SEQ_BITS);
	const struct cohfs_dirent *de;
	u32 count = 0;
	u32 off;

	for (off = 0; off < at && (de = entry_at(lower, off)); count++)
		off += le16_to_cpu(de->d_rec_len);
	memcpy(upper->l_data, lower->l_data + at, used - at);
	memset(lower->l_data + at, 0, used - at);
	upper->l_used = cpu_to_le16((u16)(used - at));
	upper->l_count = cpu_to_le16((u16)(le16_to_cpu(lower->l_count) - count));
	lower->l_used = cpu_to_le16((u16)at);
	lower->l_count = cpu_to_le16((u16)count);
}
