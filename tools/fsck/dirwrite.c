// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writing a directory anew: its names sorted by hash, packed into leaves, the leaves
 * into a map.  Cookies stay what they were if they can.
 */
#include "../../fs/core/dirhash.h"
#include "../lib/mem.h"
#include "dir.h"
#include "fsck.h"
#include "inode.h"

#define RENAMES 100000	/* so many names "x~N" are tried */

/**
 * struct entry - a name to be written
 * @seq: sequence number that it had, and then the one that it gets
 */
struct entry {
	u64 hash;
	u32 seq;
	u32 name_len;
	struct cohfs_dirtarget target;
	u8 *name;
};

/**
 * struct rewrite - a directory being written
 * @leaves: blocks to put leaves into
 */
struct rewrite {
	struct fsck *f;
	struct job *job;
	struct dirscan ds;
	struct entry *entries;
	size_t count;
	size_t room;
	u64 *leaves;
	size_t nleaves;
	size_t leaves_room;
};

/* Collecting ------------------------------------------------------------------------- */

static void set_name(struct rewrite *rw, struct entry *entry, const u8 *name, u32 len)
{
	free(entry->name);
	entry->name = mem_copy(name, len);
	entry->name_len = len;
	entry->hash = cohfs_dirhash(rw->f->vol.info.hash_key, name, len);
}

/* What a name cannot have becomes '_' */
static void clean_name(u8 *name, u32 len)
{
	u32 i;

	for (i = 0; i < len; i++)
		if (!name[i] || name[i] == '/')
			name[i] = '_';
	if (!leaf_name_ok(name, len))
		name[0] = '_';
}

static void add_entry(struct rewrite *rw, const u8 *name, u32 len, u32 seq,
		      const struct cohfs_dirtarget *target)
{
	u8 clean[COHFS_NAME_MAX];
	struct entry *entry;

	memcpy(clean, name, len);
	clean_name(clean, len);
	rw->entries = mem_grow(rw->entries, rw->count, &rw->room, sizeof(*entry));
	entry = &rw->entries[rw->count++];
	memset(entry, 0, sizeof(*entry));
	entry->seq = seq;
	entry->target = *target;
	set_name(rw, entry, clean, len);
}

static void take_name(struct rewrite *rw, const struct cohfs_dirview *view, bool hashed)
{
	const struct node *node;
	struct cohfs_dirtarget target;
	char name[17];

	if (!name_stays(&rw->ds, view, hashed))
		return;
	node = nodes_find(&rw->f->nodes, view->target.ino);
	target.ino = node->ino;
	target.generation = node->generation;
	target.type = node->type;
	if (rw->ds.slot >= 0) {
		orphan_name(node->ino, name);
		add_entry(rw, (const u8 *)name, 16, 0, &target);
	} else {
		add_entry(rw, view->name, view->name_len, (u32)(view->key & COHFS_SEQ_MAX),
			  &target);
	}
}

static void add_leaf(struct rewrite *rw, u64 blkno)
{
	rw->leaves = mem_grow(rw->leaves, rw->nleaves, &rw->leaves_room,
			      sizeof(*rw->leaves));
	rw->leaves[rw->nleaves++] = blkno;
}

static void read_leaves(struct rewrite *rw)
{
	const struct tree *t = &rw->job->tree;
	struct cohfs_dirview view;
	struct leaf leaf;
	bool hashed;
	size_t i;
	u32 off;

	for (i = 0; i < t->count; i++) {
		add_leaf(rw, t->recs[i].blk);
		if (!leaf_read(&rw->f->vol, t->recs[i].blk, rw->job->own.ino,
			       rw->job->own.generation, &leaf))
			continue;
		rw->ds.weak = leaf.ident == IDENT_SUM;
		for (off = 0; leaf_next(&rw->f->vol, &leaf, &off, &view, &hashed);)
			take_name(rw, &view, hashed);
	}
}

static void read_additions(struct rewrite *rw)
{
	const struct job *job = rw->job;
	size_t i;

	for (i = 0; i < job->add_count; i++) {
		struct cohfs_dirtarget target = {
			.ino = job->add[i].ino,
			.generation = job->add[i].generation,
			.type = job->add[i].type,
		};

		add_entry(rw, job->add[i].name, job->add[i].name_len, 0, &target);
	}
}

/* Sorting ------------------------------------------------------------------------------ */

static int compare_entries(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	if (x->seq != y->seq)
		return x->seq < y->seq ? -1 : 1;
	return x->target.ino < y->target.ino ? -1 : x->target.ino > y->target.ino;
}

static bool same_name(const struct entry *a, const struct entry *b)
{
	return a->hash == b->hash && a->name_len == b->name_len &&
	       !memcmp(a->name, b->name, a->name_len);
}

/* The entry with @name, by a search over the sorted ones */
static bool name_taken(const struct rewrite *rw, const u8 *name, u32 len)
{
	u64 hash = cohfs_dirhash(rw->f->vol.info.hash_key, name, len);
	size_t lo = 0, hi = rw->count, mid;

	while (lo < hi) {
		mid = (lo + hi) / 2;
		if (rw->entries[mid].hash < hash)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo < rw->count && rw->entries[lo].hash == hash; lo++)
		if (rw->entries[lo].name_len == len && !memcmp(rw->entries[lo].name, name, len))
			return true;
	return false;
}

/* "name" becomes "name~N" */
static void rename_entry(struct rewrite *rw, struct entry *entry)
{
	u8 name[COHFS_NAME_MAX];
	char suffix[16];
	u32 n, len, add;

	for (n = 1; n < RENAMES; n++) {
		add = (u32)snprintf(suffix, sizeof(suffix), "~%u", n);
		len = min_t(u32, entry->name_len, COHFS_NAME_MAX - add);
		memcpy(name, entry->name, len);
		memcpy(name + len, suffix, add);
		if (!name_taken(rw, name, len + add))
			break;
	}
	set_name(rw, entry, name, len + add);
}

static void drop_entry(struct rewrite *rw, size_t i)
{
	free(rw->entries[i].name);
	memmove(&rw->entries[i], &rw->entries[i + 1],
		(rw->count - i - 1) * sizeof(*rw->entries));
	rw->count--;
}

/*
 * The first name that is there twice among the sorted ones; entries of one hash follow
 * each other.  Return: the index of the second, or the number of entries.
 */
static size_t find_twice(const struct rewrite *rw, size_t from, size_t *first)
{
	size_t i, k;

	for (i = from; i < rw->count; i++)
		for (k = i; k > 0 && rw->entries[k - 1].hash == rw->entries[i].hash; k--)
			if (same_name(&rw->entries[k - 1], &rw->entries[i])) {
				*first = k - 1;
				return i;
			}
	return rw->count;
}

/* The same name twice: for the same inode one is enough, else the second is renamed */
static void sort_entries(struct rewrite *rw)
{
	size_t i = 0, first = 0;

	mem_sort(rw->entries, rw->count, sizeof(*rw->entries), compare_entries);
	while ((i = find_twice(rw, i, &first)) < rw->count) {
		if (rw->entries[i].target.ino == rw->entries[first].target.ino) {
			drop_entry(rw, i);
			continue;
		}
		rename_entry(rw, &rw->entries[i]);
		mem_sort(rw->entries, rw->count, sizeof(*rw->entries), compare_entries);
		i = 0;
	}
}

/* Entries of the same hash as that at @from, it included */
static size_t run_length(const struct rewrite *rw, size_t from)
{
	size_t n = 1;

	while (from + n < rw->count && rw->entries[from + n].hash == rw->entries[from].hash)
		n++;
	return n;
}

/* Cookies: as they were where they ascend within a hash, else made anew */
static void number_entries(struct rewrite *rw)
{
	size_t from, n, i;
	bool fine;

	for (from = 0; from < rw->count; from += n) {
		n = run_length(rw, from);
		for (; n > COHFS_SEQ_MAX + 1; n--)
			drop_entry(rw, from + n - 1);
		for (fine = true, i = 1; i < n; i++)
			fine = fine && rw->entries[from + i].seq > rw->entries[from + i - 1].seq;
		for (i = 0; i < n && !fine; i++)
			rw->entries[from + i].seq = (u32)i;
	}
}

/* Writing ------------------------------------------------------------------------------- */

/* How many entries from @from on go into one leaf: all those of a hash, or none */
static size_t leaf_fill(const struct rewrite *rw, size_t from)
{
	size_t i, whole = from;
	u32 used = 0;

	for (i = from; i < rw->count; i++) {
		if (i > from && rw->entries[i].hash != rw->entries[i - 1].hash)
			whole = i;
		used += cohfs_dirent_size(rw->entries[i].name_len);
		if (used > COHFS_DIRLEAF_BYTES)
			return whole - from;
	}
	return rw->count - from;
}

static void put_entry(struct cohfs_dirleaf *leaf, const struct entry *entry)
{
	u32 used = le16_to_cpu(leaf->l_used), size = cohfs_dirent_size(entry->name_len);
	struct cohfs_dirent *de = (struct cohfs_dirent *)(leaf->l_data + used);

	de->d_key = cpu_to_le64(entry->hash << COHFS_SEQ_BITS | entry->seq);
	de->d_ino = cpu_to_le64(entry->target.ino);
	de->d_generation = cpu_to_le32(entry->target.generation);
	de->d_rec_len = cpu_to_le16((u16)size);
	de->d_name_len = (u8)entry->name_len;
	de->d_type = entry->target.type;
	memcpy(leaf->l_data + used + sizeof(*de), entry->name, entry->name_len);
	leaf->l_used = cpu_to_le16((u16)(used + size));
	leaf->l_count = cpu_to_le16((u16)(le16_to_cpu(leaf->l_count) + 1));
}

static void write_leaf(struct rewrite *rw, u64 blkno, size_t from, size_t n)
{
	struct expect ex = {
		.type = COHFS_BT_DIRLEAF, .blkno = blkno, .owner = rw->job->own.ino,
		.generation = rw->job->own.generation,
	};
	union block buf;
	size_t i;

	memset(&buf, 0, sizeof(buf));
	ident_restore(&rw->f->vol, &buf, &ex);
	for (i = 0; i < n; i++)
		put_entry(&buf.leaf, &rw->entries[from + i]);
	cohfs_block_seal(&buf);
	image_write(rw->f->img, blkno, &buf);
}

/* The next block for a leaf: one that the directory has, or a free one; 0: none left */
static u64 leaf_block(struct rewrite *rw, size_t used)
{
	u64 blk;

	if (used < rw->nleaves)
		return rw->leaves[used];
	blk = claims_find_free(&rw->f->claims, 1, true);
	if (blk)
		add_leaf(rw, blk);
	return blk;
}

/* Names of one hash that together need more than a leaf: the last of them has to go */
static size_t shrink_run(struct rewrite *rw, size_t from)
{
	size_t n;

	while (!(n = leaf_fill(rw, from)))
		drop_entry(rw, from + run_length(rw, from) - 1);
	return n;
}

static void write_leaves(struct rewrite *rw)
{
	struct tree *t = &rw->job->tree;
	struct cohfs_extent ext = { .len = 1 };
	size_t from, n, used = 0;

	t->count = 0;
	for (from = 0; from < rw->count; from += n) {
		n = shrink_run(rw, from);
		ext.blk = leaf_block(rw, used);
		if (!ext.blk) {
			problem(&rw->f->problems, P_NO_SPACE,
				"directory %llu: no space for %zu names",
				rw->job->own.ino, rw->count - from);
			break;
		}
		ext.key = used++ ? rw->entries[from].hash : 0;
		write_leaf(rw, ext.blk, from, n);
		tree_add(t, &ext);
	}
	for (; used < rw->nleaves; used++)
		unclaim(&rw->f->claims, rw->leaves[used], 1);
}

void dir_write(struct fsck *f, struct job *job)
{
	struct rewrite rw = {
		.f = f, .job = job,
		.ds = { .f = f, .ino = job->own.ino, .slot = slots_by_dir(f, job->own.ino),
			.deleted = job->no_names },
	};
	size_t i;

	read_leaves(&rw);
	read_additions(&rw);
	sort_entries(&rw);
	number_entries(&rw);
	write_leaves(&rw);
	if (tree_write(f, &job->own, &job->tree))
		inode_set_dir(f, job->own.ino, job->tree.count,
			      tree_blocks(&job->tree) + 2);
	else
		problem(&f->problems, P_NO_SPACE, "directory %llu: no space for its map",
			job->own.ino);
	for (i = 0; i < rw.count; i++)
		free(rw.entries[i].name);
	free(rw.entries);
	free(rw.leaves);
}
