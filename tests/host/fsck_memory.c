// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory that fsck.cohfs takes is what its manual page says at most, for each of the
 * things that it has to remember: filesystems of few and of many of them, and the
 * difference in the peak of its resident set.
 *
 * The program is the real one, and neither it nor this has sanitizers.  Whoever starts a
 * program passes its own peak on to it, so that filesystems are made in child processes.
 * TOOLS in the environment names the folder that the tools are in.
 */
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>
#include "../../fs/core/bitmap.h"
#include "../../fs/core/dirhash.h"
#include "../../fs/core/dirleaf.h"
#include "../../fs/core/mapblock.h"
#include "../../tools/lib/volume.h"
#include "core_test.h"
#include "program.h"

#define KIB		1024ULL
#define MIB		(1ULL << 20)
#define NOISE		(500 * KIB)	/* pages that the kernel has not counted yet */

static char mkfs[128], fsck[128], manual[128];

/* Making filesystems ---------------------------------------------------------------------- */

/**
 * struct maker - a filesystem being filled, group after group
 * @group: block of the group that blocks are taken from, number @nr
 * @next: block in it that is taken next; from there on all are free
 * @name_len: of names, at least
 */
static struct maker {
	int fd;
	struct cohfs_super_info info;
	union block group;
	u32 nr;
	u32 next;
	u64 taken;
	u32 name_len;
} mk;

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "fsck_memory: %s\n", what);
	_exit(1);
}

static void get(u64 blkno, void *block)
{
	must(pread(mk.fd, block, COHFS_BLOCK_SIZE, (off_t)(blkno << COHFS_BLOCK_SHIFT)) ==
	     COHFS_BLOCK_SIZE, "reading the image");
}

static void put(u64 blkno, void *block)
{
	cohfs_block_seal(block);
	must(pwrite(mk.fd, block, COHFS_BLOCK_SIZE, (off_t)(blkno << COHFS_BLOCK_SHIFT)) ==
	     COHFS_BLOCK_SIZE, "writing the image");
}

static u64 group_blkno(void)
{
	return mk.info.first_group + (u64)mk.nr * COHFS_GROUP_BLOCKS;
}

static void open_group(u32 nr)
{
	must(nr < mk.info.groups, "groups to take blocks from");
	mk.nr = nr;
	get(group_blkno(), &mk.group);
	mk.next = le32_to_cpu(mk.group.group.g_blocks) - le32_to_cpu(mk.group.group.g_free);
}

static u64 take(u32 len)
{
	struct cohfs_group *g = &mk.group.group;

	if (mk.next + len > le32_to_cpu(g->g_blocks)) {
		put(group_blkno(), g);
		open_group(mk.nr + 1);
	}
	must(!cohfs_bitmap_set(g->g_bitmap, COHFS_GROUP_BLOCKS, mk.next, len), "free blocks");
	le32_add_cpu(&g->g_free, -len);
	mk.next += len;
	mk.taken += len;
	return group_blkno() + mk.next - len;
}

static void next_group(void)
{
	put(group_blkno(), &mk.group);
	open_group(mk.nr + 1);
}

static void begin(void)
{
	union block super;
	const char *why;

	mk.fd = open(image, O_RDWR | O_CLOEXEC);
	must(mk.fd >= 0, "opening the image");
	get(COHFS_SUPER_BLKNO, &super);
	must(!cohfs_super_decode(&mk.info, &super, &why), "the superblock");
	open_group(0);
}

static void finish(void)
{
	union block slot;

	put(group_blkno(), &mk.group);
	get(mk.info.first_slot, &slot);
	le64_add_cpu(&slot.slot.sl_free_delta, -mk.taken);
	put(mk.info.first_slot, &slot);
	close(mk.fd);
}

/* Inodes and maps --------------------------------------------------------------------------- */

#define GENERATION	7u

static void put_map_block(u64 blkno, u64 ino, u32 generation, u32 level,
			  const struct cohfs_extent *recs, u32 n, u64 blocks)
{
	union block buf;
	u32 i;

	memset(&buf, 0, sizeof(buf));
	cohfs_header_init(&buf.map.m_hdr, COHFS_BT_MAP, blkno, mk.info.fsid, ino, generation);
	buf.map.m_level = cpu_to_le16((u16)level);
	buf.map.m_blocks = cpu_to_le64(blocks);
	for (i = 0; i < n; i++)
		cohfs_mapblock_put(&buf.map, i, &recs[i]);
	put(blkno, &buf);
}

/* @recs are used up.  Return: blocks of data and map */
static u64 put_map(u64 ino, u32 generation, struct cohfs_extent *recs, u32 count)
{
	u32 level, i, n, out;
	u64 blocks = 0;

	for (i = 0; i < count; i++)
		blocks += recs[i].len;
	for (level = 0; count > COHFS_MAP_RECS; level++, count = out) {
		for (i = 0, out = 0; i < count; i += n, out++) {
			u64 blkno = take(1);

			n = min_t(u32, COHFS_MAP_RECS, count - i);
			put_map_block(blkno, ino, generation, level, recs + i, n, 0);
			recs[out] = (struct cohfs_extent){ .key = recs[i].key, .blk = blkno };
			blocks++;
		}
	}
	put_map_block(ino + 1, ino, generation, level, recs, count, blocks);
	return blocks;
}

static void put_inode(u64 ino, u32 mode, u32 links, u64 size, u64 blocks)
{
	struct cohfs_attr attr = {
		.mode = mode, .nlink = links, .size = size, .blocks = blocks,
		.generation = GENERATION,
	};
	union block buf;

	memset(&buf, 0, sizeof(buf));
	cohfs_header_init(&buf.inode.i_hdr, COHFS_BT_INODE, ino, mk.info.fsid, ino,
			  GENERATION);
	cohfs_attr_to_disk(&attr, &buf.inode);
	if (mode >> 12 == 4)
		buf.inode.i_parent = cpu_to_le64(mk.info.root_ino);
	put(ino, &buf);
}

/* The root directory ------------------------------------------------------------------------- */

/** struct entry - a name, which is the number of its inode */
struct entry {
	u64 hash;
	u64 ino;
	u8 type;
};

static u32 name_of(const struct entry *e, char *name)
{
	return (u32)snprintf(name, COHFS_NAME_MAX + 1, "%0*llu", (int)mk.name_len, e->ino);
}

static int by_hash(const void *a, const void *b)
{
	u64 x = ((const struct entry *)a)->hash, y = ((const struct entry *)b)->hash;

	return x < y ? -1 : x > y;
}

static u64 put_leaf(const struct entry *e, u32 n, u32 generation)
{
	u64 blkno = take(1);
	union block buf;
	char name[COHFS_NAME_MAX + 1];
	u32 i;

	memset(&buf, 0, sizeof(buf));
	cohfs_header_init(&buf.leaf.l_hdr, COHFS_BT_DIRLEAF, blkno, mk.info.fsid,
			  mk.info.root_ino, generation);
	for (i = 0; i < n; i++) {
		struct cohfs_dirtarget target = {
			.ino = e[i].ino, .generation = GENERATION, .type = e[i].type };
		struct cohfs_dirname dn = {
			.name = (u8 *)name, .len = name_of(&e[i], name), .hash = e[i].hash };

		must(!cohfs_dirleaf_insert(&buf.leaf, &dn, &target, NULL), "room in a leaf");
	}
	put(blkno, &buf);
	return blkno;
}

static u32 leaf_names(void)
{
	return COHFS_DIRLEAF_BYTES / cohfs_dirent_size(max_t(u32, mk.name_len, 16));
}

static void put_root(struct entry *e, u32 count, u32 dirs)
{
	struct cohfs_extent *recs = calloc(count + 1, sizeof(*recs));
	union block buf;
	u32 i, n, leaves = 0, generation;
	char name[COHFS_NAME_MAX + 1];

	get(mk.info.root_ino, &buf);
	generation = le32_to_cpu(buf.inode.i_hdr.bh_generation);
	for (i = 0; i < count; i++)
		e[i].hash = cohfs_dirhash(mk.info.hash_key, name, name_of(&e[i], name));
	qsort(e, count, sizeof(*e), by_hash);
	for (i = 0; i < count; i += n) {
		n = min_t(u32, leaf_names(), count - i);
		recs[leaves].key = i ? e[i].hash : 0;
		recs[leaves].len = 1;
		recs[leaves++].blk = put_leaf(e + i, n, generation);
	}
	buf.inode.i_blocks = cpu_to_le64(2 + put_map(mk.info.root_ino, generation, recs,
						     leaves));
	buf.inode.i_size = cpu_to_le64((u64)leaves << COHFS_BLOCK_SHIFT);
	buf.inode.i_nlink = cpu_to_le32(2 + dirs);
	put(mk.info.root_ino, &buf);
	free(recs);
}

/* Kinds of filesystems ------------------------------------------------------------------------ */

/*
 * Every second one is a directory.  @wrong: all have a wrong link count; @name_wrong: a
 * name has a wrong type, so that the root directory is to be written anew
 */
static void fill_inodes(u32 count, bool wrong, bool name_wrong)
{
	struct entry *e = calloc(count, sizeof(*e));
	u32 i;

	for (i = 0; i < count; i++) {
		bool is_dir = i & 1;

		e[i].ino = take(2);
		e[i].type = is_dir ? 4 : 8;
		put_inode(e[i].ino, is_dir ? 0040755 : 0100644, 1 + is_dir + wrong, 0, 2);
	}
	if (name_wrong)
		e[0].type = 10;
	put_root(e, count, count / 2);
	free(e);
}

static void inodes(u32 count)
{
	fill_inodes(count, false, false);
}

static void repairs(u32 count)
{
	fill_inodes(count, true, false);
}

static void long_names(u32 count)
{
	mk.name_len = COHFS_NAME_MAX;
	fill_inodes(count, false, true);
}

/* A file whose extents are all apart; @each: in a group of its own */
static void fill_extents(u32 count, bool each)
{
	struct cohfs_extent *recs = calloc(count, sizeof(*recs));
	struct entry e = { .ino = take(2), .type = 8 };
	u32 i;

	for (i = 0; i < count; i++) {
		recs[i] = (struct cohfs_extent){ .key = 2 * i, .blk = take(1), .len = 1 };
		if (each && i + 1 < count)
			next_group();
	}
	put_inode(e.ino, 0100644, 1, (2ULL * count) << COHFS_BLOCK_SHIFT,
		  2 + put_map(e.ino, GENERATION, recs, count));
	put_root(&e, 1, 0);
	free(recs);
}

static void extents(u32 count)
{
	fill_extents(count, false);
}

static void groups_in_use(u32 count)
{
	fill_extents(count, true);
}

static void nothing(u32 count)
{
}

static void make_image(u64 bytes, void (*fill)(u32 count), u32 count)
{
	int status;
	pid_t pid;

	CHECK_EQ(run("rm -f %s; truncate -s %llu %s && %s -q -j 1 -J 4 %s", image, bytes, image,
		     mkfs, image), 0);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		begin();
		fill(count);
		finish();
		_exit(0);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
}

/* Measuring ----------------------------------------------------------------------------------- */

/* Peak in bytes: of a check, or if the exit status is to be another one, of a repair */
static u64 peak(int wanted)
{
	struct rusage usage;
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		if (!freopen("/dev/null", "w", stdout))
			_exit(99);
		execl(fsck, fsck, wanted ? "-y" : "-n", image, NULL);
		_exit(99);
	}
	CHECK_EQ(wait4(pid, &status, 0, &usage), pid);
	CHECK(WIFEXITED(status));
	CHECK_EQ(WEXITSTATUS(status), wanted);
	return (u64)usage.ru_maxrss * KIB;
}

/* The number before these words in the manual page */
static u64 stated(const char *words)
{
	static char text[16384];
	FILE *f = fopen(manual, "re");
	size_t len = f ? fread(text, 1, sizeof(text) - 1, f) : 0;
	char *p;

	if (f)
		fclose(f);
	text[len] = '\0';
	p = strstr(text, words);
	CHECK(p && p > text);
	if (!p)
		return 0;
	while (p > text && p[-1] >= '0' && p[-1] <= '9')
		p--;
	return strtoull(p, NULL, 10);
}

/** struct measure - a filesystem of @count of something, its size, what fsck finds */
struct measure {
	u64 bytes;
	void (*fill)(u32 count);
	u32 count;
	int status;
};

static u64 measure(const struct measure *m)
{
	make_image(m->bytes, m->fill, m->count);
	return peak(m->status);
}

/* @each: what is stated for each, in bytes */
static void compare(const struct measure *few, const struct measure *many, double each)
{
	u64 less = measure(few), more = measure(many), n = many->count - few->count;

	printf("# %llu KiB, then %llu KiB: %.1f bytes each, %.1f are stated\n",
	       less / KIB, more / KIB, ((double)more - (double)less) / (double)n, each);
	CHECK(each > 0 && more > less);
	CHECK((double)(more - less) <= (double)n * each + NOISE);
	/* or it would not be known that it was measured */
	CHECK((double)(more - less) > (double)n * each / 3);
	CHECK_EQ(run("rm %s", image), 0);
}

/* Just so many that the table of inodes has become larger: never is there more for each */
static void memory_inodes(void)
{
	compare(&(struct measure){ 2048 * MIB, inodes, 1000, 0 },
		&(struct measure){ 2048 * MIB, inodes, 49152, 0 },
		(double)stated(" bytes for each inode"));
}

static void memory_groups_in_use(void)
{
	compare(&(struct measure){ 128 * KIB * MIB, groups_in_use, 10, 0 },
		&(struct measure){ 128 * KIB * MIB, groups_in_use, 1000, 0 },
		(double)stated(" bytes for each group of 124 MiB that is in use"));
}

static void memory_repairs(void)
{
	compare(&(struct measure){ 512 * MIB, repairs, 100, 1 },
		&(struct measure){ 512 * MIB, repairs, 6145, 1 },
		(double)(stated(" bytes for each block that a replay or a repair changes") +
			 stated(" bytes for each inode")));
}

/* A directory of the longest names; nearly as many leaves change as were full of them */
static void memory_names(void)
{
	u32 leaf = COHFS_DIRLEAF_BYTES / cohfs_dirent_size(COHFS_NAME_MAX);

	compare(&(struct measure){ 512 * MIB, long_names, 100, 1 },
		&(struct measure){ 512 * MIB, long_names, 12289, 1 },
		(double)stated(" bytes for each block that a replay or a repair changes") / leaf +
		(double)(stated(" bytes for each name in the directory") +
			 stated(" bytes for each inode")));
}

static void memory_extents(void)
{
	compare(&(struct measure){ 2048 * MIB, extents, 1000, 0 },
		&(struct measure){ 2048 * MIB, extents, 400000, 0 },
		(double)stated(" bytes for each extent") +
		(double)stated(" bytes for each block of its map") / COHFS_MAP_RECS);
}

/* What there is in any case, and how little a large device adds */
static void memory_base(void)
{
	u64 base = stated(" MiB in any case") * MIB;
	u64 least = measure(&(struct measure){ 64 * MIB, nothing, 0, 0 });
	u64 large = measure(&(struct measure){ 1024 * KIB * MIB, nothing, 0, 0 });

	printf("# 64 MiB: %llu KiB, 1 TiB: %llu KiB\n", least / KIB, large / KIB);
	CHECK(least <= base);
	CHECK(large <= base + 8500 * stated(" bytes for each other group"));
	CHECK_EQ(run("rm %s", image), 0);
}

int main(void)
{
	test_begin();
	if (!find_tool(mkfs, "mkfs/mkfs.cohfs") || !find_tool(fsck, "fsck/fsck.cohfs") ||
	    !find_tool(manual, "fsck/fsck.cohfs.8") || !make_place()) {
		printf("not ok fsck_memory\n");
		return 1;
	}
	test_case("fsck_memory_base", memory_base);
	test_case("fsck_memory_inodes", memory_inodes);
	test_case("fsck_memory_groups_in_use", memory_groups_in_use);
	test_case("fsck_memory_repairs", memory_repairs);
	test_case("fsck_memory_names", memory_names);
	test_case("fsck_memory_extents", memory_extents);
	remove_place();
	return test_end();
}
