// SPDX-License-Identifier: GPL-2.0-only
/*
 * fs/core/check.c: valid blocks pass, each check can fail, a flipped bit never
 * passes, and no content makes it read outside the block.
 */
#include "core_test.h"
#include "../../fs/core/bitmap.h"
#include "../../fs/core/check.h"
#include "../../fs/core/dirleaf.h"
#include "../../fs/core/mapblock.h"

#define TYPES 6		/* COHFS_BT_* are 1..6 */

static const u8 fsid[16] = "check test.....";

struct sample {
	void *block;	/* exactly one block on the heap: ASan watches its ends */
	unsigned int type;
	u64 blkno;
	u64 owner;
};

static struct sample samples[TYPES];

static const char *check(const struct sample *s)
{
	return cohfs_check_block(s->block, s->type, s->blkno, fsid, s->owner);
}

static void build_super(struct cohfs_super *s)
{
	s->s_block_size = cpu_to_le32(COHFS_BLOCK_SIZE);
	s->s_slots = cpu_to_le32(4);
	s->s_journal_blocks = cpu_to_le32(1024);
	s->s_first_slot = cpu_to_le64(2);
	s->s_first_journal = cpu_to_le64(256);
	s->s_first_group = cpu_to_le64(256 + 4 * 1024);
	s->s_groups = cpu_to_le32(3);
	s->s_blocks = cpu_to_le64(256 + 4 * 1024 + 2 * COHFS_GROUP_BLOCKS + 1000);
	s->s_root_ino = cpu_to_le64(256 + 4 * 1024 + 1);
	s->s_free_at_mkfs = cpu_to_le64(2 * COHFS_GROUP_BLOCKS);
	memcpy(s->s_uuid, fsid, 16);
	memcpy(s->s_label, "label", 5);
	memcpy(s->s_lock_table, "cluster:fs", 10);
}

static void build_map(struct cohfs_map_block *mb)
{
	struct cohfs_extent ext;
	u32 i;

	for (i = 0; i < 100; i++) {
		ext = (struct cohfs_extent) { .key = 20 * i, .blk = 90000 + 50 * i,
					      .len = 1 + i % 20 };
		cohfs_mapblock_put(mb, i, &ext);
	}
}

static void build_dirleaf(struct cohfs_dirleaf *leaf)
{
	struct cohfs_dirtarget target = { .ino = 4711, .generation = 3, .type = 8 };
	struct cohfs_dirname name;
	char buf[16];
	u32 i;

	for (i = 0; i < 60; i++) {
		name.len = (u32)snprintf(buf, sizeof(buf), "name%u", i);
		name.name = (const u8 *)buf;
		name.hash = 1000 - i / 3;
		CHECK_EQ(cohfs_dirleaf_insert(leaf, &name, &target, NULL), 0);
	}
}

static void build_body(void *block, unsigned int type)
{
	struct cohfs_dinode *di = block;
	struct cohfs_group *g = block;
	struct cohfs_slot *sl = block;

	switch (type) {
	case COHFS_BT_SUPER:
		build_super(block);
		break;
	case COHFS_BT_SLOT:
		sl->sl_orphan_dir = cpu_to_le64(5000);
		sl->sl_pool_count = cpu_to_le32(2);
		sl->sl_pool[0] = cpu_to_le64(7000);
		sl->sl_pool[1] = cpu_to_le64(7002);
		break;
	case COHFS_BT_GROUP:
		memset(g->g_bitmap, 0xff, sizeof(g->g_bitmap));
		CHECK_EQ(cohfs_bitmap_clear(g->g_bitmap, COHFS_GROUP_BLOCKS, 5, 996), 0);
		g->g_blocks = cpu_to_le32(1001);
		g->g_free = cpu_to_le32(996);
		break;
	case COHFS_BT_INODE:
		di->i_mode = cpu_to_le32(0120777);
		di->i_nlink = cpu_to_le32(1);
		di->i_size = cpu_to_le64(6);
		memcpy(di->i_inline, "target", 6);
		break;
	case COHFS_BT_MAP:
		build_map(block);
		break;
	case COHFS_BT_DIRLEAF:
		build_dirleaf(block);
		break;
	}
}

static void samples_init(void)
{
	static const u64 owners[TYPES] = { 0, 3, 2, 9000, 9000, 9000 };
	static const u64 blknos[TYPES] = { 1, 5, 70000, 9000, 9001, 9100 };
	unsigned int i;

	for (i = 0; i < TYPES; i++) {
		samples[i].block = calloc(1, COHFS_BLOCK_SIZE);
		samples[i].type = i + 1;
		samples[i].blkno = blknos[i];
		samples[i].owner = owners[i];
		cohfs_header_init(samples[i].block, i + 1, blknos[i], fsid, owners[i], 1);
		build_body(samples[i].block, i + 1);
		cohfs_block_seal(samples[i].block);
	}
}

static void valid_blocks(void)
{
	unsigned int i;

	for (i = 0; i < TYPES; i++) {
		CHECK_STR(check(&samples[i]), NULL);
		cohfs_block_seal(samples[i].block);
		CHECK_STR(check(&samples[i]), NULL);
		CHECK_EQ(le64_to_cpu(((struct cohfs_block_header *)samples[i].block)->bh_version), 2);
	}
}

static void header_checks(void)
{
	struct sample s;
	u8 other[16] = { 0 };
	unsigned int i;

	for (i = 0; i < TYPES; i++) {
		s = samples[i];
		s.type = i ? i : TYPES;
		CHECK_STR(check(&s), "block type");
		s = samples[i];
		s.blkno++;
		CHECK_STR(check(&s), "block number");
		s = samples[i];
		s.owner++;
		CHECK_STR(check(&s), "owner");
		s = samples[i];
		CHECK_STR(cohfs_check_block(s.block, s.type, s.blkno, other, s.owner),
			  "filesystem id");
		CHECK_STR(cohfs_check_block(s.block, s.type, s.blkno, NULL, s.owner), NULL);
	}
}

static void every_flip_is_seen(void)
{
	unsigned int i, bit;
	u8 *p;

	for (i = 0; i < TYPES; i++) {
		p = samples[i].block;
		/* crc32c finds all of these; each 7th of the body keeps it short */
		for (bit = 0; bit < COHFS_BLOCK_SIZE * 8; bit += bit < 1024 ? 1 : 7) {
			p[bit / 8] ^= (u8)(1 << (bit & 7));
			CHECK(check(&samples[i]) != NULL);
			p[bit / 8] ^= (u8)(1 << (bit & 7));
		}
		CHECK_STR(check(&samples[i]), NULL);
	}
}

/*
 * With the checksum made right again, damage either is noticed or leaves a block
 * that others can walk: here that nothing crashes under ASan and UBSan.
 */
static void resealed_damage(void)
{
	u8 *copy = malloc(COHFS_BLOCK_SIZE);
	struct cohfs_super_info info;
	struct cohfs_dirview view;
	u32 round, n, noticed = 0;
	struct sample s;
	const char *why;
	u64 cookie;

	for (round = 0; round < 60000; round++) {
		s = samples[round % TYPES];
		memcpy(copy, s.block, COHFS_BLOCK_SIZE);
		for (n = 1 + rnd(4); n; n--) {
			u32 at = rnd(3) ? 0x40 + rnd(0x80) : rnd(COHFS_BLOCK_SIZE);

			copy[at] = rnd(2) ? (u8)rnd64() : (u8)(copy[at] ^ (1 << rnd(8)));
		}
		why = cohfs_check_body(copy, s.type);
		noticed += why != NULL;
		cohfs_super_decode(&info, copy, &why);
		if (s.type != COHFS_BT_DIRLEAF || cohfs_check_body(copy, s.type))
			continue;
		cookie = 0;
		for (n = 0; cohfs_dirleaf_next((void *)copy, cookie, &view); n++)
			cookie = view.key + 1;
		CHECK_EQ(n, cohfs_dirleaf_count((void *)copy));
	}
	CHECK(noticed > round / 4);
	free(copy);
}

static void random_blocks(void)
{
	u8 *block = malloc(COHFS_BLOCK_SIZE);
	unsigned int type;
	u32 round, k;

	for (round = 0; round < 5000; round++) {
		for (k = 0; k < COHFS_BLOCK_SIZE; k += 8)
			put_unaligned_le64(rnd(4) ? rnd64() : rnd64() & 0xff, block + k);
		for (type = 0; type <= TYPES + 1; type++)
			if (!cohfs_check_body(block, type))	/* has little structure */
				CHECK(type == COHFS_BT_INODE || type == COHFS_BT_SLOT ||
				      !cohfs_dirleaf_count((void *)block));
		CHECK(cohfs_check_block(block, COHFS_BT_MAP, 5, fsid, 5) != NULL);
	}
	free(block);
}

/* Geometry: one field at a time, the value, and the phrase that must come */
static void super_geometry(void)
{
	static const struct {
		size_t off;
		u32 size;
		u64 value;
		const char *why;
	} rows[] = {
#define ROW(field, value, why) { offsetof(struct cohfs_super, field), \
	sizeof(((struct cohfs_super *)0)->field), value, why }
		ROW(s_feature_incompat, 1, "unknown incompatible features"),
		ROW(s_feature_compat, 1, NULL),
		ROW(s_feature_ro_compat, 1, NULL),
		ROW(s_block_size, 1024, "block size"),
		ROW(s_slots, 0, "number of slots"),
		ROW(s_slots, 65, "number of slots"),
		ROW(s_slots, 5, "place of the groups"),
		ROW(s_journal_blocks, 1023, "journal size"),
		ROW(s_journal_blocks, U32_MAX, "place of the groups"),
		ROW(s_first_slot, 1, "place of the slot blocks"),
		ROW(s_first_slot, 0, "place of the slot blocks"),
		ROW(s_first_slot, U64_MAX, "place of the slot blocks"),
		ROW(s_first_slot, 253, "place of the journals"),
		ROW(s_first_journal, U64_MAX, "place of the journals"),
		ROW(s_first_journal, U64_MAX - 4096, "place of the journals"),
		ROW(s_first_journal, 257, "place of the groups"),
		ROW(s_first_group, U64_MAX, "place of the groups"),
		ROW(s_first_group, 0, "place of the groups"),
		ROW(s_groups, 0, "number of groups"),
		ROW(s_groups, 2, "number of groups"),
		ROW(s_groups, 4, "number of groups"),
		ROW(s_groups, U32_MAX, "number of groups"),
		ROW(s_blocks, U64_MAX, "filesystem size"),
		ROW(s_blocks, COHFS_MAX_BLOCKS, "number of groups"),
		ROW(s_blocks, 0, "place of the slot blocks"),
		ROW(s_root_ino, 0, "root inode number"),
		ROW(s_root_ino, U64_MAX, "root inode number"),
		ROW(s_root_ino, 256 + 4 * 1024, "root inode number"),
		ROW(s_free_at_mkfs, U64_MAX, "free blocks at mkfs"),
		ROW(s_uuid[3], 'x', "uuid"),
		ROW(s_label[30], 'x', "label"),
		ROW(s_lock_table[7], 'x', "lock table: no colon"),
#undef ROW
	};
	struct cohfs_super s;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		memcpy(&s, samples[0].block, sizeof(s));
		if (rows[i].size == 1)
			((u8 *)&s)[rows[i].off] = (u8)rows[i].value;
		else if (rows[i].size == 4)
			put_unaligned_le32((u32)rows[i].value, (u8 *)&s + rows[i].off);
		else
			put_unaligned_le64(rows[i].value, (u8 *)&s + rows[i].off);
		cohfs_block_seal(&s);
		CHECK_STR(cohfs_check_block(&s, COHFS_BT_SUPER, 1, fsid, 0), rows[i].why);
	}
}

static void super_decode(void)
{
	struct cohfs_super s;
	struct cohfs_super_info info;
	const char *why;

	memcpy(&s, samples[0].block, sizeof(s));
	CHECK_EQ(cohfs_super_decode(&info, &s, &why), 0);
	CHECK_STR(why, NULL);
	CHECK_STR(info.cluster, "cluster");
	CHECK_STR(info.fsname, "fs");
	CHECK_STR(info.label, "label");
	CHECK_EQ(info.blocks, 256 + 4 * 1024 + 2 * COHFS_GROUP_BLOCKS + 1000);
	CHECK_EQ(cohfs_super_group_blocks(&info, 0), COHFS_GROUP_BLOCKS);
	CHECK_EQ(cohfs_super_group_blocks(&info, 2), 1000);

	s.s_feature_incompat = cpu_to_le32(0x80);
	s.s_slots = 0;		/* may mean something else to a newer version */
	cohfs_block_seal(&s);
	CHECK_EQ(cohfs_super_decode(&info, &s, &why), -EOPNOTSUPP);
	CHECK_EQ(info.feature_incompat, 0x80);
	s.s_feature_incompat = 0;
	cohfs_block_seal(&s);
	CHECK_EQ(cohfs_super_decode(&info, &s, &why), -EFSCORRUPTED);
	CHECK_STR(why, "number of slots");
	s.s_slots = cpu_to_le32(4);
	CHECK_EQ(cohfs_super_decode(&info, &s, &why), -EFSCORRUPTED);
	CHECK_STR(why, "checksum");
	s.s_hdr.bh_magic = 0;
	CHECK_EQ(cohfs_super_decode(&info, &s, &why), -EINVAL);
}

static void lock_tables(void)
{
	static const struct {
		const char *table;
		const char *why;
	} rows[] = {
		{ "", NULL },
		{ "a:b", NULL },
		{ "12345678901234567890123456789012:123456789012345678901234567890123456789012345678901234567890", NULL },
		{ "ab", "lock table: no colon" },
		{ "a:b:c", "lock table: more than one colon" },
		{ ":b", "lock table: cluster name not 1 to 32 bytes long" },
		{ "a:", "lock table: filesystem name not 1 to 60 bytes long" },
		{ "123456789012345678901234567890123:x",
		  "lock table: cluster name not 1 to 32 bytes long" },
		{ "a:1234567890123456789012345678901234567890123456789012345678901",
		  "lock table: filesystem name not 1 to 60 bytes long" },
		{ "a b:c", "lock table: a blank, slash or unprintable character" },
		{ "a:\x80", "lock table: a blank, slash or unprintable character" },
		{ "a:b/c", "lock table: a blank, slash or unprintable character" },
	};
	char cluster[COHFS_LOCK_TABLE_LEN], fsname[COHFS_LOCK_TABLE_LEN];
	u8 table[COHFS_LOCK_TABLE_LEN];
	u32 i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		memset(table, 0, sizeof(table));
		memcpy(table, rows[i].table, strlen(rows[i].table));
		CHECK_STR(cohfs_lock_table_split(table, cluster, fsname), rows[i].why);
		if (!rows[i].why && rows[i].table[0])
			CHECK(strlen(cluster) + 1 + strlen(fsname) == strlen(rows[i].table));
	}
	memset(table, 'a', sizeof(table));
	table[64] = ':';
	CHECK(cohfs_lock_table_split(table, cluster, fsname) != NULL);
	memset(table, 0, sizeof(table));
	memcpy(table, "a:b\0c", 5);
	CHECK_STR(cohfs_lock_table_split(table, cluster, fsname),
		  "lock table: bytes after its end");
}

static void group_checks(void)
{
	struct cohfs_group g;

	memcpy(&g, samples[2].block, sizeof(g));
	g.g_bitmap[0] &= 0xfe;
	CHECK_STR(cohfs_check_body(&g, COHFS_BT_GROUP), "group's own block is marked free");
	memcpy(&g, samples[2].block, sizeof(g));
	g.g_bitmap[1001 / 8] &= 0x7f;
	CHECK_STR(cohfs_check_body(&g, COHFS_BT_GROUP), "bits behind the group's end");
	memcpy(&g, samples[2].block, sizeof(g));
	g.g_bitmap[COHFS_GROUP_BITMAP_BYTES - 1] = 0x7f;
	CHECK_STR(cohfs_check_body(&g, COHFS_BT_GROUP), "bits behind the group's end");
	memcpy(&g, samples[2].block, sizeof(g));
	g.g_bitmap[10] |= 4;
	CHECK_STR(cohfs_check_body(&g, COHFS_BT_GROUP), "free count of the group");
	g.g_blocks = 0;
	CHECK_STR(cohfs_check_body(&g, COHFS_BT_GROUP), "group size");
	g.g_blocks = cpu_to_le32(COHFS_GROUP_BLOCKS + 1);
	CHECK_STR(cohfs_check_body(&g, COHFS_BT_GROUP), "group size");
}

static void inode_checks(void)
{
	struct cohfs_dinode di;

#define DAMAGE(assignment, why) do { \
	memcpy(&di, samples[3].block, sizeof(di)); \
	assignment; \
	CHECK_STR(cohfs_check_body(&di, COHFS_BT_INODE), why); \
} while (0)
	DAMAGE(di.i_hdr.bh_owner = 0, "inode number");
	DAMAGE(di.i_mode = cpu_to_le32(0x10000), "file mode");
	DAMAGE(di.i_mode = cpu_to_le32(0777), "file mode");
	DAMAGE(di.i_mode = 0, "file mode");
	DAMAGE(di.i_mode = 0; di.i_nlink = 0, NULL);
	DAMAGE(di.i_size = cpu_to_le64(1ULL << 63), "file size");
	DAMAGE(di.i_size = 0, "length of the symbolic link");
	DAMAGE(di.i_size = cpu_to_le64(COHFS_INLINE_MAX + 1), "length of the symbolic link");
	DAMAGE(di.i_size = cpu_to_le64(7), "target of the symbolic link");
	DAMAGE(di.i_mode = cpu_to_le32(0040755), "directory size");
	DAMAGE(di.i_mtime.t_nsec = cpu_to_le32(1000000000), "time");
	DAMAGE(di.i_orphan_slot = cpu_to_le32(65), "orphan slot");
	DAMAGE(di.i_blocks = cpu_to_le64(U64_MAX), "block count");
#undef DAMAGE
}

static void map_checks(void)
{
	struct cohfs_map_block mb;

#define DAMAGE(assignment, why) do { \
	memcpy(&mb, samples[4].block, sizeof(mb)); \
	assignment; \
	CHECK_STR(cohfs_check_body(&mb, COHFS_BT_MAP), why); \
} while (0)
	DAMAGE(mb.m_level = cpu_to_le16(8), "map level");
	DAMAGE(mb.m_level = cpu_to_le16(1), "inner map record");
	DAMAGE(mb.m_count = cpu_to_le16(167), "number of map records");
	DAMAGE(mb.m_count = cpu_to_le16(101), "order of map records");
	DAMAGE(mb.m_count = 0, NULL);
	DAMAGE(mb.m_count = 0; mb.m_hdr.bh_blkno = cpu_to_le64(5), "empty map block");
	DAMAGE(mb.m_count = 0; mb.m_level = cpu_to_le16(1), "empty map block");
	DAMAGE(mb.m_rec[3].r_key = cpu_to_le64(41), "order of map records");
	DAMAGE(mb.m_rec[3].r_len = 0, "length of a map record");
	DAMAGE(mb.m_rec[3].r_len = cpu_to_le32(U32_MAX), "order of map records");
	DAMAGE(mb.m_rec[3].r_blk = 0, "block of a map record");
	DAMAGE(mb.m_rec[3].r_blk = cpu_to_le64(U64_MAX), "block of a map record");
	DAMAGE(mb.m_rec[3].r_flags = cpu_to_le32(2), "flags of a map record");
	DAMAGE(mb.m_rec[99].r_key = cpu_to_le64(U64_MAX), "key of a map record");
	DAMAGE(mb.m_rec[99].r_key = cpu_to_le64(COHFS_MAP_KEY_MAX), "length of a map record");
	DAMAGE(mb.m_blocks = cpu_to_le64(U64_MAX), "block count of the map");
#undef DAMAGE
}

static void dirleaf_checks(void)
{
	struct cohfs_dirleaf l;
	struct cohfs_dirent *de = (struct cohfs_dirent *)l.l_data;

#define DAMAGE(assignment, why) do { \
	memcpy(&l, samples[5].block, sizeof(l)); \
	assignment; \
	CHECK_STR(cohfs_check_body(&l, COHFS_BT_DIRLEAF), why); \
} while (0)
	DAMAGE(l.l_used = cpu_to_le16(COHFS_DIRLEAF_BYTES + 1),
	       "used bytes of the directory leaf");
	DAMAGE(l.l_count = cpu_to_le16(59), "used bytes of the directory leaf");
	DAMAGE(l.l_count = cpu_to_le16(61), "number of directory entries");
	DAMAGE(l.l_count = 0; l.l_used = 0, NULL);
	DAMAGE(de->d_name_len = 0, "empty name");
	DAMAGE(de->d_rec_len = 0, "length of a directory entry");
	DAMAGE(de->d_rec_len = cpu_to_le16(40), "length of a directory entry");
	DAMAGE(l.l_used = cpu_to_le16(24), "length of a directory entry");
	DAMAGE(de->d_key = cpu_to_le64(255), "key of a directory entry");
	DAMAGE(de->d_key = cpu_to_le64(U64_MAX), "key of a directory entry");
	DAMAGE(de->d_ino = 0, "target of a directory entry");
	DAMAGE(de->d_type = 0, "target of a directory entry");
	DAMAGE(de->d_type = 200, "target of a directory entry");
	DAMAGE(l.l_data[24] = 0, "character in a name");
	DAMAGE(l.l_data[25] = '/', "character in a name");
	DAMAGE(memset(l.l_data + 24, '.', 2); de->d_name_len = 2, "dot or dotdot as a name");
	DAMAGE(l.l_data[24] = '.'; de->d_name_len = 1, "dot or dotdot as a name");
#undef DAMAGE
}

static void attr_round_trip(void)
{
	struct cohfs_dinode di, again;
	struct cohfs_attr attr, back;
	u32 i, k;

	for (i = 0; i < 2000; i++) {
		for (k = 0; k < sizeof(di); k += 8)
			put_unaligned_le64(rnd64(), (u8 *)&di + k);
		di.i_atime.t_pad = di.i_mtime.t_pad = 0;
		di.i_ctime.t_pad = di.i_btime.t_pad = 0;
		again = di;
		memset(&attr, 0, sizeof(attr));
		memset(&back, 0, sizeof(back));
		cohfs_attr_from_disk(&attr, &di);
		cohfs_attr_to_disk(&attr, &again);
		CHECK(!memcmp(&di, &again, sizeof(di)));
		memset(&again, 0, sizeof(again));
		cohfs_attr_to_disk(&attr, &again);
		cohfs_attr_from_disk(&back, &again);
		CHECK(!memcmp(&attr, &back, sizeof(attr)));
	}
	attr.mtime.sec = -5;
	cohfs_attr_to_disk(&attr, &di);
	CHECK_EQ((s64)le64_to_cpu(di.i_mtime.t_sec), -5);
	cohfs_attr_from_disk(&back, &di);
	CHECK_EQ(back.mtime.sec, -5);
}

static void crc_vectors(void)
{
	u8 buf[32] = { 0 };

	CHECK_EQ(~crc32c(~0u, "123456789", 9), 0xe3069283u);
	CHECK_EQ(~crc32c(~0u, buf, 32), 0x8a9136aau);	/* RFC 3720 B.4 */
	memset(buf, 0xff, 32);
	CHECK_EQ(~crc32c(~0u, buf, 32), 0x62a8ab43u);
	CHECK_EQ(crc32c(crc32c(~0u, "12345", 5), "6789", 4), crc32c(~0u, "123456789", 9));
}

int main(void)
{
	unsigned int i;

	test_begin();
	samples_init();
	test_case("crc32c_vectors", crc_vectors);
	test_case("check_valid_blocks", valid_blocks);
	test_case("check_header", header_checks);
	test_case("check_super_geometry", super_geometry);
	test_case("check_super_decode", super_decode);
	test_case("check_lock_tables", lock_tables);
	test_case("check_group", group_checks);
	test_case("check_inode", inode_checks);
	test_case("check_map", map_checks);
	test_case("check_dirleaf", dirleaf_checks);
	test_case("check_every_flip_is_seen", every_flip_is_seen);
	test_case("check_resealed_damage", resealed_damage);
	test_case("check_random_blocks", random_blocks);
	test_case("attr_round_trip", attr_round_trip);
	for (i = 0; i < TYPES; i++)
		free(samples[i].block);
	return test_end();
}
