// SPDX-License-Identifier: GPL-2.0-only
/* What the kinds of damage have in common: finding things to damage. */
#include "../../fs/core/dirhash.h"
#include "../../tools/lib/mem.h"
#include "../../tools/lib/reader.h"
#include "fsck_hurt.h"

u8 *hurt_blocks;

void *hurt_block(u64 blkno)
{
	hurt_blocks[blkno] = 1;
	disk_touch(blkno);
	return disk_block(blkno);
}

struct cohfs_super *hurt_super(void)
{
	return hurt_block(COHFS_SUPER_BLKNO);
}

struct cohfs_slot *hurt_slot(u32 nr)
{
	return hurt_block(model.vol.info.first_slot + nr);
}

struct cohfs_group *hurt_group(u32 nr)
{
	return hurt_block(volume_group_blkno(&model.vol, nr));
}

void hurt_seal(void *block)
{
	build_seal((u64)((u8 *)block - disk.data) >> COHFS_BLOCK_SHIFT);
}

struct cohfs_dinode *hurt_inode(const struct model_inode *mi)
{
	return hurt_block(mi->ino);
}

struct cohfs_map_block *hurt_root(const struct model_inode *mi)
{
	return hurt_block(mi->ino + 1);
}

struct model_inode *hurt_file(u32 exts, bool deep)
{
	u32 i;

	for (i = 0; i < model.inodes; i++) {
		struct model_inode *mi = &model.inode[i];

		if (mi->mode >> 12 == MODEL_REG && mi->slot < 0 && mi->exts >= exts &&
		    (deep ? mi->nblks > 3 : !mi->nblks))
			return mi;
	}
	must(false, "a file to damage");
	return &model.inode[0];
}

struct model_inode *hurt_other_file(const struct model_inode *than)
{
	struct model_inode *mi;

	do {
		mi = model_pick(MODEL_REG);
	} while (mi == than || mi->exts < 2);
	return mi;
}

struct model_inode *hurt_big_dir(void)
{
	u32 i;

	for (i = 0; i < model.inodes; i++)
		if (!model.inode[i].system && model.inode[i].mode >> 12 == MODEL_DIR &&
		    model.inode[i].slot < 0 && model.inode[i].nblks > 40)
			return &model.inode[i];
	must(false, "a big directory");
	return &model.inode[0];
}

struct model_inode *hurt_root_dir(void)
{
	return model_find(model.vol.info.root_ino);
}

struct cohfs_dirent *hurt_entry(struct cohfs_dirleaf *leaf, u32 n)
{
	u32 off = 0;

	while (n--)
		off += le16_to_cpu(((struct cohfs_dirent *)(leaf->l_data + off))->d_rec_len);
	return (struct cohfs_dirent *)(leaf->l_data + off);
}

struct cohfs_dirleaf *hurt_leaf(void)
{
	return hurt_block(model_leaf(hurt_big_dir(), 4));
}

struct model_inode *hurt_orphan(u32 *nr)
{
	u32 i;

	for (i = 0; i < model.inodes; i++)
		if (model.inode[i].slot >= 0 && model.inode[i].mode >> 12 == MODEL_REG) {
			*nr = (u32)model.inode[i].slot;
			return &model.inode[i];
		}
	must(false, "an orphan");
	return &model.inode[0];
}

struct cohfs_dirent *hurt_entry_of(u64 dir, u64 ino, struct cohfs_dirleaf **leaf)
{
	const struct model_inode *mi = model_find(dir);
	u32 i, n;

	for (i = 0; i < mi->nblks; i++) {
		*leaf = disk_block(mi->blks[i]);
		if (le16_to_cpu((*leaf)->l_hdr.bh_type) != COHFS_BT_DIRLEAF)
			continue;
		for (n = 0; n < cohfs_dirleaf_count(*leaf); n++)
			if (le64_to_cpu(hurt_entry(*leaf, n)->d_ino) == ino) {
				hurt_block(mi->blks[i]);
				return hurt_entry(*leaf, n);
			}
	}
	must(false, "a name");
	return NULL;
}

static struct cohfs_dirname name_of(const struct model_name *mn)
{
	return (struct cohfs_dirname) {
		.name = mn->name, .len = mn->len,
		.hash = cohfs_dirhash(model.vol.info.hash_key, mn->name, mn->len),
	};
}

/* The name has been removed */
static bool is_gone(const struct model_name *mn)
{
	const struct model_inode *dir = model_find(mn->dir);
	struct cohfs_dirtarget target;

	return !reader_look_up(&model.vol, dir->ino, dir->generation, (const char *)mn->name,
			       mn->len, &target);
}

u32 hurt_names(u64 ino)
{
	u32 i, n = 0;

	for (i = 0; i < model.names; i++)
		n += model.name[i].ino == ino && !is_gone(&model.name[i]);
	return n;
}

struct model_name *hurt_name_for(u64 ino)
{
	u32 i;

	for (i = 0; i < model.names; i++)
		if (model.name[i].ino == ino && !is_gone(&model.name[i]))
			return &model.name[i];
	must(false, "a name");
	return &model.name[0];
}

void hurt_remove_name(u64 ino)
{
	struct model_name *mn = hurt_name_for(ino);
	struct cohfs_dirname dn = name_of(mn);
	struct cohfs_dirleaf *leaf;

	hurt_entry_of(mn->dir, ino, &leaf);
	must(!cohfs_dirleaf_delete(leaf, &dn), "a name to remove");
	hurt_seal(leaf);
	/* whoever has just this name is not expected to keep it */
	hurt_blocks[mn->dir] = 1;
}

void hurt(const char *name)
{
	const struct kind *tables[] = { kinds_fixed, kinds_inode, kinds_dir };
	const struct kind *k;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(tables); i++)
		for (k = tables[i]; k->name; k++)
			if (!strcmp(k->name, name)) {
				k->hurt();
				return;
			}
	must(false, name);
}

u32 hurt_log(u64 blkno)
{
	struct log_trans *tr = mem_zalloc(sizeof(*tr));
	u32 pos;

	tr->count = 1;
	tr->blkno[0] = blkno;
	memcpy(&tr->contents[0], disk_block(blkno), COHFS_BLOCK_SIZE);
	pos = log_write(tr);
	free(tr);
	return pos;
}
