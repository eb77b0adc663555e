// SPDX-License-Identifier: GPL-2.0-only
/* Damage to inodes and their maps. */
#include "fsck_hurt.h"

/* Inodes ------------------------------------------------------------------------------------------ */

static void inode_sum(void)
{
	hurt_inode(hurt_file(2, false))->i_uid ^= cpu_to_le32(4);
}

static void inode_header(void)
{
	hurt_inode(hurt_file(2, false))->i_hdr.bh_blkno ^= cpu_to_le64(1);
}

static void inode_magic_sealed(void)
{
	hurt_inode(hurt_file(2, false))->i_hdr.bh_magic = 0;
	hurt_seal(hurt_inode(hurt_file(2, false)));
}

static void inode_fsid(void)
{
	hurt_inode(hurt_file(2, false))->i_hdr.bh_fsid[0] ^= 1;
	hurt_seal(hurt_inode(hurt_file(2, false)));
}

static void inode_zero(void)
{
	memset(hurt_inode(hurt_file(2, true)), 0, COHFS_BLOCK_SIZE);
}

static void inode_dir_zero(void)
{
	memset(hurt_inode(hurt_big_dir()), 0, COHFS_BLOCK_SIZE);
}

static void inode_symlink_zero(void)
{
	memset(hurt_inode(model_pick(MODEL_LNK)), 0, COHFS_BLOCK_SIZE);
}

static void inode_unreadable(void)
{
	hurt_block(hurt_file(2, true)->ino);
	*disk.unreadable = hurt_file(2, true)->ino;
}

static void inode_mode(void)
{
	struct cohfs_dinode *di = hurt_inode(hurt_file(2, false));

	di->i_mode |= cpu_to_le32(0x10000);
	hurt_seal(di);
}

static void inode_type(void)
{
	struct cohfs_dinode *di = hurt_inode(hurt_file(2, false));

	di->i_mode = cpu_to_le32(0020644);
	hurt_seal(di);
}

static void inode_type_dir(void)
{
	struct cohfs_dinode *di = hurt_inode(hurt_file(2, false));

	di->i_mode = cpu_to_le32(0040644);
	hurt_seal(di);
}

static void inode_size(void)
{
	struct cohfs_dinode *di = hurt_inode(hurt_file(2, false));

	di->i_size = cpu_to_le64(U64_MAX - 5);
	hurt_seal(di);
}

static void inode_time(void)
{
	struct cohfs_dinode *di = hurt_inode(hurt_file(2, false));

	di->i_mtime.t_nsec = cpu_to_le32(1000000000);
	hurt_seal(di);
}

static void inode_symlink(void)
{
	struct cohfs_dinode *di = hurt_inode(model_pick(MODEL_LNK));

	di->i_size = cpu_to_le64(COHFS_INLINE_MAX);
	hurt_seal(di);
}

static void inode_xattr(void)
{
	struct cohfs_dinode *di = hurt_inode(hurt_file(2, false));

	di->i_xattr = cpu_to_le64(777);
	hurt_seal(di);
}

static void inode_generation(void)
{
	struct cohfs_dinode *di = hurt_inode(hurt_file(2, false));

	di->i_hdr.bh_generation ^= cpu_to_le32(0x100);
	hurt_seal(di);
}

static void inode_blocks(void)
{
	struct cohfs_dinode *di = hurt_inode(model_pick(MODEL_LNK));

	di->i_blocks = cpu_to_le64(3);
	hurt_seal(di);
}

static void links(void)
{
	struct cohfs_dinode *di = hurt_inode(hurt_file(2, false));

	le32_add_cpu(&di->i_nlink, 1);
	hurt_seal(di);
}

static void links_dir(void)
{
	struct cohfs_dinode *di = hurt_inode(hurt_big_dir());

	le32_add_cpu(&di->i_nlink, 5);
	hurt_seal(di);
}

static void links_none(void)
{
	struct cohfs_dinode *di = hurt_inode(hurt_file(2, false));

	di->i_nlink = 0;
	hurt_seal(di);
}

static void parent(void)
{
	struct cohfs_dinode *di = hurt_inode(hurt_big_dir());

	di->i_parent = cpu_to_le64(hurt_file(1, false)->ino);
	hurt_seal(di);
}

static void orphan_mark(void)
{
	struct cohfs_dinode *di = hurt_inode(hurt_file(2, false));

	di->i_orphan_slot = cpu_to_le32(2);
	hurt_seal(di);
}

/* Maps -------------------------------------------------------------------------------------------- */

static u64 map_node(void)
{
	return hurt_file(60, true)->blks[0];
}

static void map_zero(void)
{
	memset(hurt_block(map_node()), 0, COHFS_BLOCK_SIZE);
}

static void map_sum(void)
{
	((struct cohfs_map_block *)hurt_block(map_node()))->m_tail[3] ^= 1;
}

static void map_header(void)
{
	((struct cohfs_map_block *)hurt_block(map_node()))->m_hdr.bh_owner ^= cpu_to_le64(8);
}

static void map_generation(void)
{
	struct cohfs_map_block *mb = hurt_block(map_node());

	mb->m_hdr.bh_generation ^= cpu_to_le32(8);
	hurt_seal(mb);
}

static void map_level(void)
{
	struct cohfs_map_block *mb = hurt_block(map_node());

	mb->m_level = cpu_to_le16(3);
	hurt_seal(mb);
}

static void map_count(void)
{
	struct cohfs_map_block *mb = hurt_block(map_node());

	mb->m_count = cpu_to_le16(1);
	hurt_seal(mb);
}

static void map_first_key(void)
{
	struct cohfs_map_block *mb = hurt_root(hurt_file(60, true));

	le64_add_cpu(&mb->m_rec[1].r_key, 1);
	hurt_seal(mb);
}

static void map_order(void)
{
	struct cohfs_map_block *mb = hurt_root(hurt_file(2, false));

	swap(mb->m_rec[0], mb->m_rec[1]);
	hurt_seal(mb);
}

static void map_overlap(void)
{
	struct cohfs_map_block *mb = hurt_root(hurt_file(2, false));

	mb->m_rec[1].r_key = mb->m_rec[0].r_key;
	hurt_seal(mb);
}

static void map_outside(void)
{
	struct cohfs_map_block *mb = hurt_root(hurt_file(2, false));

	mb->m_rec[1].r_blk = cpu_to_le64(model.vol.info.blocks);
	hurt_seal(mb);
}

static void map_group_border(void)
{
	struct cohfs_map_block *mb = hurt_root(hurt_file(2, false));

	mb->m_rec[1].r_blk = cpu_to_le64(volume_group_blkno(&model.vol, 1));
	hurt_seal(mb);
}

static void map_flags(void)
{
	struct cohfs_map_block *mb = hurt_root(hurt_file(2, false));

	mb->m_rec[1].r_flags = cpu_to_le32(0x80);
	hurt_seal(mb);
}

static void map_loop(void)
{
	struct model_inode *mi = hurt_file(60, true);
	struct cohfs_map_block *mb = hurt_root(mi);

	mb->m_rec[1].r_blk = cpu_to_le64(mi->ino + 1);
	hurt_seal(mb);
}

static void map_child_twice(void)
{
	struct cohfs_map_block *mb = hurt_root(hurt_file(60, true));

	mb->m_rec[1].r_blk = mb->m_rec[0].r_blk;
	hurt_seal(mb);
}

/* All records of a node lead to the same child */
static void fan(u64 blkno, u32 level, u64 child)
{
	struct cohfs_map_block *mb = hurt_block(blkno);
	u32 i;

	mb->m_level = cpu_to_le16((u16)level);
	mb->m_count = cpu_to_le16(COHFS_MAP_RECS);
	memset(mb->m_rec, 0, sizeof(mb->m_rec));
	for (i = 0; i < COHFS_MAP_RECS; i++) {
		mb->m_rec[i].r_key = cpu_to_le64(i);
		mb->m_rec[i].r_blk = cpu_to_le64(child);
	}
	hurt_seal(mb);
}

/* What would have some billion leaves, in an inode that nobody names */
static void map_bomb(void)
{
	struct model_inode *mi = hurt_file(60, true);
	u32 i;

	fan(mi->ino + 1, 4, mi->blks[0]);
	for (i = 0; i < 3; i++)
		fan(mi->blks[i], 3 - i, mi->blks[i + 1]);
	while (hurt_names(mi->ino))
		hurt_remove_name(mi->ino);
}

static void map_blocks(void)
{
	struct cohfs_map_block *mb = hurt_root(hurt_file(2, false));

	le64_add_cpu(&mb->m_blocks, 3);
	hurt_seal(mb);
}

static void map_root_zero(void)
{
	memset(hurt_root(hurt_file(60, true)), 0, COHFS_BLOCK_SIZE);
}

static void map_root_generation(void)
{
	struct model_inode *mi = hurt_file(60, true);
	struct cohfs_dinode *di = hurt_inode(mi);
	struct cohfs_map_block *mb = hurt_root(mi);

	/* the count of the inode is what tells it from an old one */
	di->i_blocks = cpu_to_le64(le64_to_cpu(mb->m_blocks) + 2);
	hurt_seal(di);
	mb->m_hdr.bh_generation ^= cpu_to_le32(8);
	hurt_seal(mb);
}

static void dir_root_zero(void)
{
	memset(hurt_root(hurt_big_dir()), 0, COHFS_BLOCK_SIZE);
}

static void dir_map_zero(void)
{
	struct model_inode *dir = hurt_big_dir();
	u32 i;

	for (i = 0; i < dir->nblks; i++)
		if (model.used[dir->blks[i]] == COHFS_BT_MAP)
			memset(hurt_block(dir->blks[i]), 0, COHFS_BLOCK_SIZE);
}

static void twice_files(void)
{
	struct model_inode *mi = hurt_file(2, false);
	struct cohfs_map_block *mb = hurt_root(mi);

	mb->m_rec[1].r_blk = cpu_to_le64(hurt_other_file(mi)->ext[0].blk);
	mb->m_rec[1].r_len = cpu_to_le32(1);
	mb->m_blocks = cpu_to_le64(le32_to_cpu(mb->m_rec[0].r_len) + 1);
	hurt_seal(mb);
}

static void twice_self(void)
{
	struct cohfs_map_block *mb = hurt_root(hurt_file(2, false));

	mb->m_rec[1].r_blk = mb->m_rec[0].r_blk;
	mb->m_rec[1].r_len = cpu_to_le32(1);
	hurt_seal(mb);
}

static void twice_meta(void)
{
	struct cohfs_map_block *mb = hurt_root(hurt_file(2, false));

	mb->m_rec[1].r_blk = cpu_to_le64(hurt_big_dir()->ino);
	mb->m_rec[1].r_len = cpu_to_le32(1);
	hurt_seal(mb);
}

/* The table ------------------------------------------------------------------------------ */

const struct kind kinds_inode[] = {
	{ "inode_sum", inode_sum, ": checksum" },
	{ "inode_header", inode_header, ": block number", true },
	{ "inode_magic", inode_magic_sealed, ": magic number", true },
	{ "inode_fsid", inode_fsid, ": filesystem id", true },
	{ "inode_zero", inode_zero, "block is lost; made anew from the map" },
	{ "inode_dir_zero", inode_dir_zero, "block is lost; made anew from the map" },
	{ "inode_symlink_zero", inode_symlink_zero, "there is no such inode" },
	{ "inode_unreadable", inode_unreadable, "block is lost; made anew from the map" },
	{ "inode_mode", inode_mode, ": file mode", true },
	{ "inode_type", inode_type, ": file type", true },
	{ "inode_type_dir", inode_type_dir, ": file type", true },
	{ "inode_size", inode_size, ": file size" },
	{ "inode_time", inode_time, ": nanoseconds of a time" },
	{ "inode_symlink", inode_symlink, ": length of the symbolic link" },
	{ "inode_xattr", inode_xattr, ": attribute block", true },
	{ "inode_generation", inode_generation, ": generation", true },
	{ "inode_blocks", inode_blocks, ": block count", true },
	{ "links", links, ": link count", true },
	{ "links_dir", links_dir, ": link count", true },
	{ "links_none", links_none, ": link count 0 instead of", true },
	{ "parent", parent, ": parent", true },
	{ "orphan_mark", orphan_mark, ": marked as orphan of slot 1 instead of -1", true },
	{ "map_zero", map_zero, ": magic number" },
	{ "map_sum", map_sum, ": checksum", true },
	{ "map_header", map_header, ": owner", true },
	{ "map_generation", map_generation, ": generation", true },
	{ "map_level", map_level, ": map block", true },
	{ "map_count", map_count, ": records behind the last one", true },
	{ "map_first_key", map_first_key, ": first key", true },
	{ "map_order", map_order, ": order of map records", true },
	{ "map_overlap", map_overlap, ": order of map records" },
	{ "map_outside", map_outside, ": a record that cannot be right" },
	{ "map_group_border", map_group_border, ": a record that cannot be right" },
	{ "map_flags", map_flags, ": a record that cannot be right" },
	{ "map_loop", map_loop, ": is in use elsewhere, too", true },
	{ "map_child_twice", map_child_twice, ": is in use elsewhere, too", true },
	{ "map_bomb", map_bomb, ": is in use elsewhere, too" },
	{ "map_blocks", map_blocks, ": its map counts", true },
	{ "map_root_zero", map_root_zero, "found again", true },
	{ "map_root_generation", map_root_generation, " found again", true },
	{ "dir_root_zero", dir_root_zero, ": no root of a map", true },
	{ "dir_map_zero", dir_map_zero, " found again", true },
	{ "twice_files", twice_files, "are used elsewhere, too" },
	{ "twice_self", twice_self, "are used elsewhere, too" },
	{ "twice_meta", twice_meta, "0 copied, 1 lost" },
	{ NULL },
};
