// SPDX-License-Identifier: GPL-2.0-only
/*
 * A populated filesystem.
 *
 * Shapes are more extreme than the module's: nodes of maps hold few records, so that
 * small trees are deep, and leaves are filled at random.
 */
#include "../../fs/core/bitmap.h"
#include "../../fs/core/dirhash.h"
#include "../../fs/core/logformat.h"
#include "../../tools/lib/layout.h"
#include "../../tools/lib/mem.h"
#include "core_test.h"
#include "fsck_build.h"
#include "fsck_log.h"

#define SLOTS		3
#define JOURNAL		1024u
#define LAST_GROUP	1024u	/* blocks of the second, short group */
#define DIRS		24
#define FILES		220
#define BIG_NAMES	900
#define POOL		20

struct model model;

static struct layout layout;
static u8 fsid[16];
static u8 hash_key[16];

/* Blocks -------------------------------------------------------------------------- */

static void *new_block(u64 blkno, unsigned int type, u64 owner, u32 generation)
{
	void *block = disk_block(blkno);

	disk_touch(blkno);
	memset(block, 0, COHFS_BLOCK_SIZE);
	cohfs_header_init(block, type, blkno, fsid, owner, generation);
	model.used[blkno] = (u8)type;
	return block;
}

void build_seal(u64 blkno)
{
	disk_touch(blkno);
	cohfs_block_seal(disk_block(blkno));
}

/* @len free blocks in a row, near the start of a group most of the time */
static u64 alloc(u32 len, u8 type)
{
	u64 blk = model.vol.info.first_group;
	u32 i;

	if (rnd(4) == 0)
		blk += rnd((u32)(model.vol.info.blocks - blk));
	for (;; blk++) {
		if (blk + len >= model.vol.info.blocks)
			blk = model.vol.info.first_group;
		if (!volume_extent_ok(&model.vol, blk, len))
			continue;
		for (i = 0; i < len && !model.used[blk + i]; i++)
			;
		if (i == len)
			break;
	}
	memset(model.used + blk, type, len);
	return blk;
}

/* Superblock, groups, slots, journals ------------------------------------------------ */

static void plan(void)
{
	u32 i;

	memset(&layout, 0, sizeof(layout));
	layout.slots = SLOTS;
	layout.journal_blocks = JOURNAL;
	layout_compute(&layout, disk.blocks << COHFS_BLOCK_SHIFT);
	for (i = 0; i < 16; i++) {
		fsid[i] = (u8)rnd(256);
		hash_key[i] = (u8)rnd(256);
	}
}

static void write_super(u64 blkno)
{
	struct cohfs_super *s = new_block(blkno, COHFS_BT_SUPER, 0, 0);

	s->s_block_size = cpu_to_le32(COHFS_BLOCK_SIZE);
	s->s_blocks = cpu_to_le64(layout.blocks);
	s->s_root_ino = cpu_to_le64(layout.root_ino);
	s->s_first_slot = cpu_to_le64(layout.first_slot);
	s->s_first_journal = cpu_to_le64(layout.first_journal);
	s->s_first_group = cpu_to_le64(layout.first_group);
	s->s_slots = cpu_to_le32(layout.slots);
	s->s_groups = cpu_to_le32(layout.groups);
	s->s_journal_blocks = cpu_to_le32(layout.journal_blocks);
	s->s_free_at_mkfs = cpu_to_le64(layout.free);
	s->s_copy = cpu_to_le64(layout.super_copy);
	memcpy(s->s_uuid, fsid, 16);
	memcpy(s->s_hash_key, hash_key, 16);
	memcpy(s->s_lock_table, "test:fsck", 9);
	build_seal(blkno);
}

static void load_super(void)
{
	const char *why = NULL;

	model.img.blocks = disk.blocks;
	model.img.dev.bytes = disk.blocks << COHFS_BLOCK_SHIFT;
	model.vol.img = &model.img;
	if (cohfs_super_decode(&model.vol.info, disk_block(COHFS_SUPER_BLKNO), &why)) {
		fprintf(stderr, "superblock: %s\n", why);
		exit(1);
	}
}

static void write_journal_super(u32 slot)
{
	u64 blkno = layout.first_journal + (u64)slot * JOURNAL;
	struct jbd2_superblock *sb = disk_block(blkno);
	u32 i;

	for (i = 0; i < JOURNAL; i++)
		model.used[blkno + i] = USED_JOURNAL;
	disk_touch(blkno);
	memset(sb, 0, COHFS_BLOCK_SIZE);
	sb->s_header.h_magic = cpu_to_be32(JBD2_MAGIC);
	sb->s_header.h_blocktype = cpu_to_be32(JBD2_BT_SUPER);
	sb->s_blocksize = cpu_to_be32(COHFS_BLOCK_SIZE);
	sb->s_maxlen = cpu_to_be32(JOURNAL);
	sb->s_first = cpu_to_be32(1);
	sb->s_sequence = cpu_to_be32(100 + slot);
	sb->s_feature_incompat = cpu_to_be32(JBD2_INCOMPAT_OURS);
	sb->s_checksum_type = JBD2_CRC32C;
	for (i = 0; i < 16; i++)
		sb->s_uuid[i] = (u8)rnd(256);
	log_seal_super(sb);
}

static void write_groups(void)
{
	u64 first, free = 0;
	struct cohfs_group *g;
	u32 i, b, blocks, clear;

	for (i = 0; i < layout.groups; i++) {
		first = layout_group_first(&layout, i);
		blocks = layout_group_blocks(&layout, i);
		g = new_block(first, COHFS_BT_GROUP, i, 0);
		memset(g->g_bitmap, 0xff, sizeof(g->g_bitmap));
		for (b = 0, clear = 0; b < blocks; b++) {
			if (model.used[first + b])
				continue;
			if (cohfs_bitmap_clear(g->g_bitmap, COHFS_GROUP_BLOCKS, b, 1))
				exit(1);
			clear++;
		}
		g->g_blocks = cpu_to_le32(blocks);
		g->g_free = cpu_to_le32(clear);
		build_seal(first);
		free += clear;
	}
	/* nodes count what they free and take; only the sum is known */
	((struct cohfs_slot *)disk_block(layout.first_slot))->sl_free_delta =
		cpu_to_le64(free - layout.free - 12345 + 4000);
	((struct cohfs_slot *)disk_block(layout.first_slot + 1))->sl_free_delta =
		cpu_to_le64(12345);
	((struct cohfs_slot *)disk_block(layout.first_slot + 2))->sl_free_delta =
		cpu_to_le64((u64)-4000);
	for (i = 0; i < SLOTS; i++)
		build_seal(layout.first_slot + i);
}

static void write_slot(u32 slot)
{
	struct cohfs_slot *sl = new_block(layout.first_slot + slot, COHFS_BT_SLOT, slot, 0);
	u32 i, pairs = rnd(POOL);
	u64 ino;

	sl->sl_orphan_dir = cpu_to_le64(layout.orphan_ino[slot]);
	sl->sl_pool_count = cpu_to_le32(pairs);
	for (i = 0; i < pairs; i++) {
		ino = alloc(2, USED_POOL);
		sl->sl_pool[i] = cpu_to_le64(ino);
	}
}

/* Maps ----------------------------------------------------------------------------------- */

static void add_block(struct model_inode *mi, u64 blkno)
{
	mi->blks = realloc(mi->blks, (mi->nblks + 1) * sizeof(*mi->blks));
	mi->blks[mi->nblks++] = blkno;
}

static void write_node(struct model_inode *mi, u64 blkno, u32 level,
		       const struct cohfs_extent *recs, u32 n)
{
	struct cohfs_map_block *mb = new_block(blkno, COHFS_BT_MAP, mi->ino, mi->generation);
	u32 i;

	mb->m_level = cpu_to_le16((u16)level);
	for (i = 0; i < n; i++)
		cohfs_mapblock_put(mb, i, &recs[i]);
	build_seal(blkno);
}

/* Nodes of @fill records on average; returns the blocks besides the root */
static u32 write_map(struct model_inode *mi, const struct cohfs_extent *leaf, u32 count,
		     u32 fill)
{
	struct cohfs_extent *recs = mem_copy(leaf, count * sizeof(*recs));
	struct cohfs_map_block *root;
	u32 level = 0, blocks = 0, i, n, out;
	u64 data = 0, blk;

	for (i = 0; i < count; i++)
		data += recs[i].len;
	for (; count > fill; level++, count = out) {
		for (i = 0, out = 0; i < count; i += n, out++) {
			n = min_t(u32, 2 + rnd(2 * fill - 3), min_t(u32, count - i,
								    COHFS_MAP_RECS));
			blk = alloc(1, COHFS_BT_MAP);
			add_block(mi, blk);
			write_node(mi, blk, level, recs + i, n);
			recs[out] = (struct cohfs_extent) { .key = recs[i].key, .blk = blk };
			blocks++;
		}
	}
	write_node(mi, mi->ino + 1, level, recs, count);
	root = disk_block(mi->ino + 1);
	root->m_blocks = cpu_to_le64(data + blocks);
	build_seal(mi->ino + 1);
	free(recs);
	return blocks;
}

/* Inodes ----------------------------------------------------------------------------------- */

void build_reseed(u64 seed)
{
	test_seed = seed;
}

struct model_inode *model_find(u64 ino)
{
	u32 i;

	for (i = 0; i < model.inodes; i++)
		if (model.inode[i].ino == ino)
			return &model.inode[i];
	return NULL;
}

struct model_inode *model_pick(u32 type)
{
	struct model_inode *mi;

	do {
		mi = &model.inode[rnd(model.inodes)];
	} while (mi->mode >> 12 != type || mi->system || mi->slot >= 0);
	return mi;
}

u64 model_leaf(const struct model_inode *dir, u32 names)
{
	u32 i, start = rnd(dir->nblks ? dir->nblks : 1);

	for (i = 0; i < dir->nblks; i++) {
		u64 blk = dir->blks[(start + i) % dir->nblks];
		const struct cohfs_dirleaf *leaf = disk_block(blk);

		if (le16_to_cpu(leaf->l_hdr.bh_type) == COHFS_BT_DIRLEAF &&
		    cohfs_dirleaf_count(leaf) >= names)
			return blk;
	}
	return 0;
}

static struct model_inode *add_inode(u64 ino, u32 mode)
{
	struct model_inode *mi;

	model.inode = realloc(model.inode, (model.inodes + 1) * sizeof(*mi));
	mi = &model.inode[model.inodes++];
	memset(mi, 0, sizeof(*mi));
	mi->ino = ino ? ino : alloc(2, COHFS_BT_INODE);
	mi->mode = mode;
	mi->generation = (u32)rnd64() | 1;
	mi->slot = -1;
	return mi;
}

static void add_name(u64 dir, u64 ino, const char *fmt, u32 n)
{
	struct model_name *mn;

	model.name = realloc(model.name, (model.names + 1) * sizeof(*mn));
	mn = &model.name[model.names++];
	memset(mn, 0, sizeof(*mn));
	mn->dir = dir;
	mn->ino = ino;
	mn->len = (u8)snprintf((char *)mn->name, sizeof(mn->name), fmt, n);
}

static void write_inode(struct model_inode *mi, u64 blocks, const char *target)
{
	struct cohfs_dinode *di = new_block(mi->ino, COHFS_BT_INODE, mi->ino, mi->generation);
	struct cohfs_attr attr = {
		.mode = mi->mode, .uid = rnd(1000), .gid = rnd(1000), .nlink = mi->links,
		.size = mi->size, .blocks = blocks, .generation = mi->generation,
		.orphan_slot = (u32)(mi->slot + 1),
	};

	attr.mtime.sec = 1700000000 + rnd(1000000);
	attr.mtime.nsec = rnd(1000000000);
	attr.atime = attr.mtime;
	attr.ctime = attr.mtime;
	attr.btime = attr.mtime;
	if ((mi->mode >> 12) == 2 || (mi->mode >> 12) == 6)
		attr.rdev = 0x801;
	cohfs_attr_to_disk(&attr, di);
	di->i_parent = cpu_to_le64(mi->parent);
	if (target)
		memcpy(di->i_inline, target, strlen(target));
	build_seal(mi->ino);
	model.used[mi->ino + 1] = COHFS_BT_MAP;
}

/* Files -------------------------------------------------------------------------------------- */

static void fill_data(u64 blk, u32 len)
{
	u64 *p = disk_block(blk);
	u32 i;

	for (i = 0; i < len; i++)
		disk_touch(blk + i);
	for (i = 0; i < len * (COHFS_BLOCK_SIZE / 8); i += 64)
		p[i] = rnd64();
}

static void write_file(struct model_inode *mi, u32 exts, u32 fill)
{
	u64 key = 0, blocks = 2;
	struct cohfs_extent *ext;
	u32 i;

	mi->ext = mem_zalloc(exts * sizeof(*ext));
	for (i = 0; i < exts; i++) {
		ext = &mi->ext[i];
		key += rnd(3) ? 1 : 1 + rnd(1000);
		ext->len = 1 + rnd(rnd(8) ? 2 : 6);
		ext->key = key;
		ext->blk = alloc(ext->len, USED_DATA);
		fill_data(ext->blk, ext->len);
		key += ext->len;
		blocks += ext->len;
	}
	mi->exts = exts;
	mi->size = exts ? (key << COHFS_BLOCK_SHIFT) - rnd(4000) : rnd(2) * rnd(1000000);
	/* a file without blocks may have no root, and anything in its place */
	if (exts || rnd(2)) {
		blocks += write_map(mi, mi->ext, exts, fill);
		/* what the inode says of its blocks is a hint */
		if (!rnd(10))
			blocks = 2 + rnd((u32)blocks);
	}
	write_inode(mi, blocks, NULL);
}

static void write_other(struct model_inode *mi)
{
	char target[2000];
	u32 i, len = 1 + rnd(rnd(4) ? 40 : 1900);

	if (mi->mode >> 12 != MODEL_LNK) {
		write_inode(mi, 2, NULL);
		return;
	}
	for (i = 0; i < len; i++)
		target[i] = (char)('a' + rnd(26));
	target[len] = '\0';
	mi->size = len;
	write_inode(mi, 2, target);
}

/* Directories ---------------------------------------------------------------------------------- */

static int by_hash(const void *a, const void *b)
{
	const struct model_name *x = *(struct model_name * const *)a;
	const struct model_name *y = *(struct model_name * const *)b;
	u64 hx = cohfs_dirhash(hash_key, x->name, x->len);
	u64 hy = cohfs_dirhash(hash_key, y->name, y->len);

	return hx < hy ? -1 : hx > hy;
}

static u64 put_leaf(struct model_inode *dir, struct model_name **names, u32 n)
{
	u64 blk = alloc(1, COHFS_BT_DIRLEAF);
	struct cohfs_dirleaf *leaf = new_block(blk, COHFS_BT_DIRLEAF, dir->ino,
					       dir->generation);
	u32 i;

	add_block(dir, blk);
	for (i = 0; i < n; i++) {
		const struct model_inode *mi = model_find(names[i]->ino);
		struct cohfs_dirname dn = {
			.name = names[i]->name, .len = names[i]->len,
			.hash = cohfs_dirhash(hash_key, names[i]->name, names[i]->len),
		};
		struct cohfs_dirtarget target = {
			.ino = mi->ino, .generation = mi->generation,
			.type = (u8)(mi->mode >> 12),
		};

		if (cohfs_dirleaf_insert(leaf, &dn, &target, NULL))
			exit(1);
	}
	build_seal(blk);
	return blk;
}

static void write_dir(struct model_inode *dir, u32 fill)
{
	struct model_name **names = mem_zalloc(model.names * sizeof(*names));
	struct cohfs_extent *recs = mem_zalloc((model.names + 2) * sizeof(*recs));
	u32 i, n, count = 0, leaves = 0, blocks;

	for (i = 0; i < model.names; i++)
		if (model.name[i].dir == dir->ino)
			names[count++] = &model.name[i];
	qsort(names, count, sizeof(*names), by_hash);
	for (i = 0; i < count; i += n) {
		n = min_t(u32, 1 + rnd(24), count - i);
		recs[leaves].key = leaves ? cohfs_dirhash(hash_key, names[i]->name,
							  names[i]->len) : 0;
		recs[leaves].len = 1;
		recs[leaves++].blk = put_leaf(dir, names + i, n);
	}
	if (leaves && rnd(2)) {	/* names come and go, leaves stay */
		recs[leaves].key = COHFS_MAP_KEY_MAX - 5;
		recs[leaves].len = 1;
		recs[leaves++].blk = put_leaf(dir, NULL, 0);
	}
	blocks = write_map(dir, recs, leaves, fill);
	dir->size = (u64)leaves << COHFS_BLOCK_SHIFT;
	write_inode(dir, 2 + leaves + blocks, NULL);
	free(names);
	free(recs);
}

/* All of it -------------------------------------------------------------------------------------- */

static void make_system_dirs(void)
{
	struct model_inode *mi;
	u32 s;

	mi = add_inode(layout.root_ino, 0040755);
	mi->parent = mi->ino;
	mi->links = 2;
	mi->system = true;
	memset(model.used + mi->ino, COHFS_BT_INODE, 2);
	for (s = 0; s < SLOTS; s++) {
		mi = add_inode(layout.orphan_ino[s], 0040700);
		mi->parent = mi->ino;
		mi->links = 2;
		mi->system = true;
		memset(model.used + mi->ino, COHFS_BT_INODE, 2);
	}
}

/* Directories so far; the first is the root */
static u64 some_dir(u32 dirs)
{
	u32 n = rnd(dirs);

	return n ? model.inode[SLOTS + n].ino : layout.root_ino;
}

static void make_dirs(void)
{
	u32 i;

	for (i = 1; i <= DIRS; i++) {
		u64 parent = some_dir(i);
		struct model_inode *mi = add_inode(0, 0040755);

		mi->parent = parent;
		mi->links = 2;
		model_find(parent)->links++;
		add_name(parent, mi->ino, "directory-%u", i);
	}
}

static u32 some_mode(void)
{
	static const u32 modes[] = {
		0120777, 0010600, 0020660, 0060660, 0140755, 0104755, 0120777,
	};

	return rnd(4) ? 0100644 : modes[rnd(ARRAY_SIZE(modes))];
}

static void make_files(void)
{
	u32 i, n;

	for (i = 0; i < FILES; i++) {
		struct model_inode *mi = add_inode(0, some_mode());

		mi->links = 1;
		add_name(some_dir(DIRS + 1), mi->ino, "file-%u", i);
		for (n = rnd(6) ? 0 : rnd(4); n; n--, mi->links++)
			add_name(some_dir(DIRS + 1), mi->ino, "link-%u", i * 8 + n);
	}
	/* one directory with many names for few files */
	for (i = 0; i < BIG_NAMES; i++) {
		struct model_inode *mi;

		do {
			mi = &model.inode[rnd(model.inodes)];
		} while (mi->mode >> 12 == MODEL_DIR);
		mi->links++;
		add_name(model.inode[SLOTS + 1].ino, mi->ino, "a-name-of-some-length-%08u", i);
	}
}

static void make_orphans(void)
{
	u32 i, s;

	for (i = 0; i < 12; i++) {
		struct model_inode *mi;

		s = rnd(SLOTS - 1);	/* the last slot has none */
		mi = add_inode(0, rnd(4) ? 0100644 : 0040755);
		mi->slot = (int)s;
		if (mi->mode >> 12 == MODEL_DIR)
			mi->parent = layout.root_ino;
		add_name(layout.orphan_ino[s], mi->ino, "%016x", (u32)mi->ino);
	}
}

static void write_inodes(void)
{
	u32 i, type;

	for (i = 0; i < model.inodes; i++) {
		struct model_inode *mi = &model.inode[i];

		type = mi->mode >> 12;
		if (type == MODEL_DIR)
			write_dir(mi, i == SLOTS + 1 ? 4 : 8);
		else if (type == MODEL_REG)
			write_file(mi, rnd(30) ? rnd(6) : 100 + rnd(300), rnd(2) ? 3 : 20);
		else
			write_other(mi);
	}
}

/* Of the last filesystem; it is a test, and the rest ends with it */
static void forget(void)
{
	u32 i;

	for (i = 0; i < model.inodes; i++) {
		free(model.inode[i].ext);
		free(model.inode[i].blks);
	}
	free(model.inode);
	free(model.name);
	free(model.used);
	memset(&model, 0, sizeof(model));
}

void build_filesystem(u64 seed, bool dirty)
{
	u32 s;

	test_seed = seed;
	forget();
	disk_make(2560 + 4096 + COHFS_GROUP_BLOCKS + LAST_GROUP);
	plan();
	model.used = mem_zalloc(disk.blocks);
	write_super(COHFS_SUPER_BLKNO);
	load_super();
	write_super(layout.super_copy);
	for (s = 0; s < layout.groups; s++)
		model.used[layout_group_first(&layout, s)] = COHFS_BT_GROUP;
	for (s = 0; s < SLOTS; s++)
		write_journal_super(s);
	make_system_dirs();
	for (s = 0; s < SLOTS; s++)
		write_slot(s);
	make_dirs();
	make_files();
	make_orphans();
	write_inodes();
	write_groups();
	disk_keep(true);
	if (dirty)
		log_fill(seed);
	disk_keep(false);
}
