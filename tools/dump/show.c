// SPDX-License-Identifier: GPL-2.0-only
/* One block, readable: a line for each field that says something. */
#include <ctype.h>
#include <time.h>
#include <uuid/uuid.h>
#include "../../fs/core/dirhash.h"
#include "../../fs/core/logformat.h"
#include "show.h"

#define HEX_WIDTH 16

static const char *type_name(u32 type)
{
	static const char * const names[] = {
		[COHFS_BT_SUPER] = "superblock", [COHFS_BT_SLOT] = "slot",
		[COHFS_BT_GROUP] = "group", [COHFS_BT_INODE] = "inode",
		[COHFS_BT_MAP] = "map", [COHFS_BT_DIRLEAF] = "directory leaf",
	};

	return type < ARRAY_SIZE(names) && names[type] ? names[type] : "unknown";
}

static void show_header(const struct cohfs_block_header *hdr)
{
	u32 sum = cohfs_block_crc(hdr);
	char fsid[37];

	uuid_unparse(hdr->bh_fsid, fsid);
	printf("%s, block %llu\n", type_name(le16_to_cpu(hdr->bh_type)),
	       le64_to_cpu(hdr->bh_blkno));
	printf("  %-16s %s\n", "filesystem", fsid);
	printf("  %-16s %llu\n", "owner", le64_to_cpu(hdr->bh_owner));
	printf("  %-16s %u\n", "generation", le32_to_cpu(hdr->bh_generation));
	printf("  %-16s %llu\n", "version", le64_to_cpu(hdr->bh_version));
	printf("  %-16s 0x%08x%s\n", "checksum", le32_to_cpu(hdr->bh_crc),
	       le32_to_cpu(hdr->bh_crc) == sum ? "" : " (wrong)");
}

static void show_number(const char *name, u64 n)
{
	printf("  %-16s %llu\n", name, n);
}

static void show_hex(const char *name, const u8 *bytes, u32 len)
{
	u32 i;

	printf("  %-16s ", name);
	for (i = 0; i < len; i++)
		printf("%02x", bytes[i]);
	putchar('\n');
}

/* What is not printable, as \ooo */
static void show_text(const u8 *text, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (isprint(text[i]) && text[i] != '\\')
			putchar(text[i]);
		else
			printf("\\%03o", text[i]);
	}
}

/* A NUL padded field */
static void show_padded(const char *name, const u8 *field, u32 size)
{
	printf("  %-16s \"", name);
	show_text(field, strnlen((const char *)field, size));
	puts("\"");
}

static void show_stamp(const char *name, const struct cohfs_time *t)
{
	time_t sec = (time_t)le64_to_cpu(t->t_sec);
	struct tm tm;
	char text[64] = "?";

	if (gmtime_r(&sec, &tm))
		strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
	printf("  %-16s %s.%09u UTC\n", name, text, le32_to_cpu(t->t_nsec));
}

void show_super(const struct cohfs_super *s)
{
	show_header(&s->s_hdr);
	printf("  %-16s compat 0x%x, ro_compat 0x%x, incompat 0x%x\n", "features",
	       le32_to_cpu(s->s_feature_compat), le32_to_cpu(s->s_feature_ro_compat),
	       le32_to_cpu(s->s_feature_incompat));
	show_number("block size", le32_to_cpu(s->s_block_size));
	show_number("blocks", le64_to_cpu(s->s_blocks));
	show_number("root inode", le64_to_cpu(s->s_root_ino));
	show_number("slots", le32_to_cpu(s->s_slots));
	show_number("first slot", le64_to_cpu(s->s_first_slot));
	show_number("first journal", le64_to_cpu(s->s_first_journal));
	show_number("journal blocks", le32_to_cpu(s->s_journal_blocks));
	show_number("groups", le32_to_cpu(s->s_groups));
	show_number("first group", le64_to_cpu(s->s_first_group));
	show_number("free at mkfs", le64_to_cpu(s->s_free_at_mkfs));
	show_number("mkfs time", le64_to_cpu(s->s_mkfs_time));
	show_number("copy", le64_to_cpu(s->s_copy));
	show_hex("hash key", s->s_hash_key, sizeof(s->s_hash_key));
	show_padded("label", s->s_label, sizeof(s->s_label));
	show_padded("lock table", s->s_lock_table, sizeof(s->s_lock_table));
}

void show_slot(const struct cohfs_slot *sl)
{
	u32 count = min_t(u32, le32_to_cpu(sl->sl_pool_count), COHFS_POOL_MAX);
	u32 i;

	show_header(&sl->sl_hdr);
	printf("  %-16s %lld\n", "free delta", (long long)le64_to_cpu(sl->sl_free_delta));
	show_number("orphan directory", le64_to_cpu(sl->sl_orphan_dir));
	show_number("pool", le32_to_cpu(sl->sl_pool_count));
	for (i = 0; i < count; i++)
		printf("%s%llu%s", i % 8 ? " " : "    ", le64_to_cpu(sl->sl_pool[i]),
		       i % 8 == 7 || i + 1 == count ? "\n" : "");
}

static void show_free_runs(const struct cohfs_group *g)
{
	u32 blocks = min_t(u32, le32_to_cpu(g->g_blocks), COHFS_GROUP_BLOCKS);
	u64 first = le64_to_cpu(g->g_hdr.bh_blkno);
	u32 bit, end;

	for (bit = 0; bit < blocks; bit = end) {
		for (; bit < blocks && bit_is_set(g->g_bitmap, bit); bit++)
			;
		for (end = bit; end < blocks && !bit_is_set(g->g_bitmap, end); end++)
			;
		if (end > bit)
			printf("    free %llu..%llu (%u)\n", (first + bit),
			       (first + end - 1), end - bit);
	}
}

void show_group(const struct cohfs_group *g, bool runs)
{
	if (!runs) {
		printf("group %llu at %llu: %u of %u blocks free\n",
		       le64_to_cpu(g->g_hdr.bh_owner),
		       le64_to_cpu(g->g_hdr.bh_blkno), le32_to_cpu(g->g_free),
		       le32_to_cpu(g->g_blocks));
		return;
	}
	show_header(&g->g_hdr);
	show_number("blocks", le32_to_cpu(g->g_blocks));
	show_number("free", le32_to_cpu(g->g_free));
	show_free_runs(g);
}

void show_mode(u32 mode, char *text)
{
	static const char types[16] = "?pc?d?b?-?l?s???";
	static const char bits[] = "rwxrwxrwx";
	u32 i;

	text[0] = types[mode >> 12 & 15];
	for (i = 0; i < 9; i++)
		text[1 + i] = mode & (0400u >> i) ? bits[i] : '-';
	if (mode & 04000)
		text[3] = mode & 0100 ? 's' : 'S';
	if (mode & 02000)
		text[6] = mode & 010 ? 's' : 'S';
	if (mode & 01000)
		text[9] = mode & 01 ? 't' : 'T';
	text[10] = '\0';
}

void show_inode(const struct cohfs_dinode *di)
{
	u32 mode = le32_to_cpu(di->i_mode);
	u64 size = le64_to_cpu(di->i_size);
	char text[11];

	show_header(&di->i_hdr);
	show_mode(mode, text);
	printf("  %-16s 0%06o %s\n", "mode", mode, text);
	printf("  %-16s %u:%u\n", "owner", le32_to_cpu(di->i_uid), le32_to_cpu(di->i_gid));
	show_number("links", le32_to_cpu(di->i_nlink));
	show_number("size", size);
	show_number("blocks", le64_to_cpu(di->i_blocks));
	show_stamp("accessed", &di->i_atime);
	show_stamp("modified", &di->i_mtime);
	show_stamp("changed", &di->i_ctime);
	show_stamp("born", &di->i_btime);
	printf("  %-16s 0x%x\n", "flags", le32_to_cpu(di->i_flags));
	show_number("time generation", le32_to_cpu(di->i_time_gen));
	if (di->i_parent)
		show_number("parent", le64_to_cpu(di->i_parent));
	if (di->i_rdev)
		printf("  %-16s 0x%llx\n", "device", le64_to_cpu(di->i_rdev));
	if (di->i_orphan_slot)
		show_number("orphan of slot", le32_to_cpu(di->i_orphan_slot) - 1);
	if (di->i_xattr)
		show_number("attribute block", le64_to_cpu(di->i_xattr));
	if (mode >> 12 == 012 && size <= COHFS_INLINE_MAX) {
		printf("  %-16s \"", "target");
		show_text(di->i_inline, size);
		puts("\"");
	}
}

void show_mapblock(const struct cohfs_map_block *mb)
{
	u32 count = min_t(u32, cohfs_mapblock_count(mb), COHFS_MAP_RECS);
	struct cohfs_extent ext;
	u32 i;

	show_header(&mb->m_hdr);
	show_number("level", cohfs_mapblock_level(mb));
	show_number("records", cohfs_mapblock_count(mb));
	show_number("blocks of map", le64_to_cpu(mb->m_blocks));
	for (i = 0; i < count; i++) {
		cohfs_mapblock_get(mb, i, &ext);
		printf("    %4u: key %llu (0x%llx) -> block %llu", i, ext.key,
		       ext.key, ext.blk);
		if (ext.len)
			printf(" length %u", ext.len);
		if (ext.flags)
			printf(" flags 0x%x", ext.flags);
		putchar('\n');
	}
}

void show_name(const struct cohfs_dirview *view)
{
	static const char types[] = "?pc?d?b?-?l?s???";

	printf("    hash %014llx.%-3u %c inode %llu generation %u \"",
	       cohfs_dirkey_hash(view->key), (u32)(view->key & COHFS_SEQ_MAX),
	       types[view->target.type & 15], view->target.ino,
	       view->target.generation);
	show_text(view->name, view->name_len);
	puts("\"");
}

void show_dirleaf(const struct cohfs_dirleaf *leaf)
{
	struct cohfs_dirview view;
	u64 key = 0;

	show_header(&leaf->l_hdr);
	show_number("names", cohfs_dirleaf_count(leaf));
	show_number("bytes used", le16_to_cpu(leaf->l_used));
	for (; cohfs_dirleaf_next(leaf, key, &view); key = view.key + 1)
		show_name(&view);
}

static void show_bytes(const u8 *bytes)
{
	u32 off;

	if (!memchr_inv(bytes, 0, COHFS_BLOCK_SIZE)) {
		puts("  all zero");
		return;
	}
	for (off = 0; off < COHFS_BLOCK_SIZE; off += HEX_WIDTH) {
		if (off && !memcmp(bytes + off, bytes + off - HEX_WIDTH, HEX_WIDTH))
			continue;
		printf("  %03x", off);
		show_hex("", bytes + off, HEX_WIDTH);
	}
}

void show_block(const union block *buf, u64 blkno)
{
	u32 type = le16_to_cpu(buf->hdr.bh_type);
	const char *why;

	if (le32_to_cpu(buf->hdr.bh_magic) != COHFS_MAGIC) {
		if (get_unaligned_be32(buf->bytes) == JBD2_MAGIC)
			printf("block %llu: of a journal, type %u, transaction %u\n", blkno,
			       get_unaligned_be32(buf->bytes + 4),
			       get_unaligned_be32(buf->bytes + 8));
		else
			printf("block %llu: not a metadata block\n", blkno);
		show_bytes(buf->bytes);
		return;
	}
	switch (type) {
	case COHFS_BT_SUPER:
		show_super(&buf->super);
		break;
	case COHFS_BT_SLOT:
		show_slot(&buf->slot);
		break;
	case COHFS_BT_GROUP:
		show_group(&buf->group, true);
		break;
	case COHFS_BT_INODE:
		show_inode(&buf->inode);
		break;
	case COHFS_BT_MAP:
		show_mapblock(&buf->map);
		break;
	case COHFS_BT_DIRLEAF:
		show_dirleaf(&buf->leaf);
		break;
	default:
		show_header(&buf->hdr);
		show_bytes(buf->bytes);
	}
	why = cohfs_check_body(buf, type);
	if (why)
		printf("  %-16s %s\n", "DAMAGED", why);
}
