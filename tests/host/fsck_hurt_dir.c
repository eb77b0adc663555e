// SPDX-License-Identifier: GPL-2.0-only
/* Damage to directories; orphans, and what has no name. */
#include "../../fs/core/dirhash.h"
#include "fsck_hurt.h"

/* Directories ------------------------------------------------------------------------------------- */

static void leaf_zero(void)
{
	memset(hurt_leaf(), 0, COHFS_BLOCK_SIZE);
}

static void leaf_sum(void)
{
	struct cohfs_dirleaf *leaf = hurt_leaf();

	hurt_entry(leaf, 1)->d_name[2] ^= 2;
}

static void leaf_header(void)
{
	hurt_leaf()->l_hdr.bh_type = cpu_to_le16(5);
}

static void leaf_used(void)
{
	struct cohfs_dirleaf *leaf = hurt_leaf();

	le16_add_cpu(&leaf->l_used, -8);
	hurt_seal(leaf);
}

static void leaf_count(void)
{
	struct cohfs_dirleaf *leaf = hurt_leaf();

	leaf->l_count = cpu_to_le16(2);
	hurt_seal(leaf);
}

static void leaf_torn(void)
{
	memset((u8 *)hurt_leaf() + 0x50, 0, 100);
}

static void name_slash(void)
{
	struct cohfs_dirleaf *leaf = hurt_leaf();

	hurt_entry(leaf, 2)->d_name[4] = '/';
	hurt_seal(leaf);
}

static void name_dot(void)
{
	struct cohfs_dirleaf *leaf = hurt_leaf();

	memset(hurt_entry(leaf, 0)->d_name, '.', hurt_entry(leaf, 0)->d_name_len);
	hurt_entry(leaf, 0)->d_name[1] = 0;
	hurt_seal(leaf);
}

static void name_hash(void)
{
	struct cohfs_dirleaf *leaf = hurt_leaf();

	hurt_entry(leaf, 1)->d_name[0] = 'b';
	hurt_seal(leaf);
}

static void name_leaf(void)
{
	struct cohfs_dirleaf *leaf = hurt_leaf();
	struct cohfs_dirname dn = { .name = (const u8 *)"elsewhere", .len = 9 };
	struct model_inode *mi = hurt_file(1, false);
	struct cohfs_dirtarget target = {
		.ino = mi->ino, .generation = mi->generation, .type = MODEL_REG,
	};

	/* where it is, or where it is not: one of two leaves is wrong */
	dn.hash = cohfs_dirhash(model.vol.info.hash_key, dn.name, dn.len);
	must(!cohfs_dirleaf_insert(leaf, &dn, &target, NULL), "room for a name");
	hurt_seal(leaf);
	leaf = hurt_leaf();
	must(!cohfs_dirleaf_insert(leaf, &dn, &target, NULL), "room for a name");
	hurt_seal(leaf);
}

static void name_cookie(void)
{
	struct cohfs_dirleaf *leaf = hurt_leaf();

	hurt_entry(leaf, 1)->d_key = hurt_entry(leaf, 0)->d_key;
	hurt_seal(leaf);
}

/* The same name for two files, one after the other */
static void name_twice(void)
{
	struct cohfs_dirleaf *leaf = hurt_leaf();
	struct cohfs_dirent *a = hurt_entry(leaf, 0), *b = hurt_entry(leaf, 1);

	if (a->d_name_len != b->d_name_len)
		return;
	memcpy(b->d_name, a->d_name, a->d_name_len);
	b->d_key = cpu_to_le64(le64_to_cpu(a->d_key) + 1);
	hurt_seal(leaf);
}

static void name_dangling(void)
{
	struct cohfs_dirleaf *leaf = hurt_leaf();

	hurt_entry(leaf, 1)->d_ino = cpu_to_le64(model.vol.info.blocks - 3);
	hurt_seal(leaf);
}

static void name_generation(void)
{
	struct cohfs_dirleaf *leaf;
	struct model_inode *mi;

	do {
		mi = model_pick(MODEL_REG);
	} while (mi->links != 1);
	hurt_entry_of(hurt_name_for(mi->ino)->dir, mi->ino, &leaf)->d_generation ^= cpu_to_le32(64);
	hurt_seal(leaf);
}

static void name_stale(void)
{
	struct cohfs_dirleaf *leaf = hurt_leaf();

	hurt_entry(leaf, 1)->d_generation ^= cpu_to_le32(64);
	hurt_seal(leaf);
}

static void name_type(void)
{
	struct cohfs_dirleaf *leaf = hurt_leaf();

	hurt_entry(leaf, 1)->d_type = hurt_entry(leaf, 1)->d_type == MODEL_LNK ? MODEL_REG : MODEL_LNK;
	hurt_seal(leaf);
}

/* A name that stands for a directory that has one */
static void point_at(struct cohfs_dirleaf *leaf, u64 ino)
{
	const struct model_inode *mi = model_find(ino);
	struct cohfs_dirent *de = hurt_entry(leaf, 1);

	de->d_ino = cpu_to_le64(ino);
	de->d_generation = cpu_to_le32(mi->generation);
	de->d_type = MODEL_DIR;
	hurt_seal(leaf);
}

static void dir_twice(void)
{
	u32 i;

	for (i = 0; i < model.names; i++)
		if (model_find(model.name[i].ino)->mode >> 12 == MODEL_DIR &&
		    model.name[i].ino != hurt_big_dir()->ino && model_find(model.name[i].ino)->slot < 0)
			break;
	point_at(hurt_leaf(), model.name[i].ino);
}

static void dir_loop(void)
{
	point_at(hurt_leaf(), model.vol.info.root_ino);
}

static void dir_own_child(void)
{
	point_at(hurt_leaf(), hurt_big_dir()->ino);
}

/* Cut off, with itself as its only way up */
static void dir_island(void)
{
	struct model_inode *dir = hurt_big_dir();

	hurt_remove_name(dir->ino);
	point_at(hurt_leaf(), dir->ino);
}

static void dir_size(void)
{
	struct cohfs_dinode *di = hurt_inode(hurt_big_dir());

	le64_add_cpu(&di->i_size, COHFS_BLOCK_SIZE);
	hurt_seal(di);
}

static void dir_blocks(void)
{
	struct cohfs_dinode *di = hurt_inode(hurt_big_dir());

	le64_add_cpu(&di->i_blocks, 1);
	hurt_seal(di);
}

static void root_gone(void)
{
	struct model_inode *mi = hurt_root_dir();
	u32 i;

	memset(hurt_inode(mi), 0, COHFS_BLOCK_SIZE);
	memset(hurt_root(mi), 0, COHFS_BLOCK_SIZE);
	for (i = 0; i < mi->nblks; i++)
		memset(hurt_block(mi->blks[i]), 0, COHFS_BLOCK_SIZE);
}

/* Orphans, lost inodes --------------------------------------------------------------------------------- */

static void orphan_with_links(void)
{
	u32 nr = 0;
	struct cohfs_dinode *di = hurt_inode(hurt_orphan(&nr));

	di->i_nlink = cpu_to_le32(1);
	hurt_seal(di);
}

static void orphan_gone(void)
{
	u32 nr = 0;

	memset(hurt_inode(hurt_orphan(&nr)), 0, COHFS_BLOCK_SIZE);
	memset(hurt_root(hurt_orphan(&nr)), 0, COHFS_BLOCK_SIZE);
}

static void orphan_slot(void)
{
	u32 nr = 0;
	struct cohfs_dinode *di = hurt_inode(hurt_orphan(&nr));

	di->i_orphan_slot = cpu_to_le32(3);
	hurt_seal(di);
}

static void orphan_name(void)
{
	u32 nr = 0;
	struct model_inode *mi = hurt_orphan(&nr);
	struct cohfs_dirleaf *leaf;

	hurt_entry_of(hurt_name_for(mi->ino)->dir, mi->ino, &leaf)->d_name[15] ^= 1;
	hurt_seal(leaf);
}

static void orphan_dir_gone(void)
{
	u64 ino = le64_to_cpu(((struct cohfs_slot *)
			       disk_block(model.vol.info.first_slot + 2))->sl_orphan_dir);

	memset(hurt_block(ino), 0, COHFS_BLOCK_SIZE);
	memset(hurt_block(ino + 1), 0, COHFS_BLOCK_SIZE);
}

static void lost_file(void)
{
	struct model_inode *mi;

	do {
		mi = model_pick(MODEL_REG);
	} while (mi->links != 1);
	hurt_remove_name(mi->ino);
}

static void lost_dir(void)
{
	hurt_remove_name(hurt_big_dir()->ino);
}

/* A file is called lost+found, and something is lost */
static void lost_found_file(void)
{
	struct model_inode *mi = hurt_root_dir();
	struct cohfs_dirname dn = { .name = (const u8 *)"lost+found", .len = 10 };
	struct model_inode *file = hurt_file(1, false);
	struct cohfs_dirtarget target = {
		.ino = file->ino, .generation = file->generation, .type = MODEL_REG,
	};
	struct cohfs_dirleaf *leaf = hurt_block(model_leaf(mi, 1));

	dn.hash = cohfs_dirhash(model.vol.info.hash_key, dn.name, dn.len);
	must(!cohfs_dirleaf_insert(leaf, &dn, &target, NULL), "room for a name");
	hurt_seal(leaf);
	lost_file();
}

/* The table ------------------------------------------------------------------------------ */

const struct kind kinds_dir[] = {
	{ "leaf_zero", leaf_zero, "its names are lost" },
	{ "leaf_sum", leaf_sum, ": checksum" },
	{ "leaf_header", leaf_header, ": block type", true },
	{ "leaf_used", leaf_used, ": leaf ", true },
	{ "leaf_count", leaf_count, ": used bytes of the directory leaf", true },
	{ "leaf_torn", leaf_torn, ": checksum" },
	{ "name_slash", name_slash, "characters that a name cannot have" },
	{ "name_dot", name_dot, "characters that a name cannot have" },
	{ "name_hash", name_hash, ": hash" },
	{ "name_leaf", name_leaf, ": in the wrong leaf" },
	{ "name_cookie", name_cookie, ": cookie out of order", true },
	{ "name_twice", name_twice, ": there twice" },
	{ "name_dangling", name_dangling, ": there is no such inode" },
	{ "name_generation", name_generation, ": generation", true },
	{ "name_stale", name_stale, ": generation" },
	{ "name_type", name_type, ": type", true },
	{ "dir_twice", dir_twice, "has a name already" },
	{ "dir_loop", dir_loop, "has a name already" },
	{ "dir_own_child", dir_own_child, "has a name already" },
	{ "dir_island", dir_island, "has no name, now lost+found" },
	{ "dir_size", dir_size, ": size", true },
	{ "dir_blocks", dir_blocks, ": size", true },
	{ "root_gone", root_gone, "root directory 3329 is lost; a new one is made" },
	{ "orphan_with_links", orphan_with_links, ": it has links" },
	{ "orphan_gone", orphan_gone, ": there is no such inode", true },
	{ "orphan_slot", orphan_slot, ": marked as orphan of slot 2", true },
	{ "orphan_name", orphan_name, ": is not the inode's number", true },
	{ "orphan_dir_gone", orphan_dir_gone, "orphan directory" },
	{ "lost_file", lost_file, "has no name, now lost+found/#" },
	{ "lost_dir", lost_dir, "has no name, now lost+found/#" },
	{ "lost_found_file", lost_found_file, "directory lost+found made" },
	{ NULL },
};
