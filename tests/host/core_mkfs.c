// SPDX-License-Identifier: GPL-2.0-only
/*
 * mkfs.cohfs, the real program: every block that it writes passes the checks that
 * the kernel makes, all numbers add up, and what it must refuse it refuses, with
 * status 1 and a message.  MKFS in the environment names the program.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "core_test.h"
#include "program.h"
#include "../../fs/core/bitmap.h"
#include "../../fs/core/check.h"
#include "../../fs/core/mapblock.h"

#define MIB (1ULL << 20)

static const char *mkfs;

static void make_image(u64 bytes)
{
	int fd = open(image, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	CHECK(fd >= 0 && !ftruncate(fd, (off_t)bytes));
	close(fd);
}

static void refuses(const char *args, const char *message)
{
	int status = run("%s %s %s", mkfs, args, image);

	CHECK_EQ(status, 1);
	if (!strstr(output, message)) {
		CHECK(!"message");
		fprintf(stderr, "wanted \"%s\", got \"%s\"\n", message, output);
	}
}

/* Checking an image ----------------------------------------------------------- */

static int image_fd;
static struct cohfs_super_info info;
static union {
	u8 bytes[COHFS_BLOCK_SIZE];
	struct cohfs_group group;
	struct cohfs_slot slot;
	struct cohfs_dinode inode;
	struct cohfs_map_block map;
} block;

static void read_block(u64 blkno)
{
	CHECK(pread(image_fd, &block, sizeof(block), (off_t)(blkno << COHFS_BLOCK_SHIFT)) ==
	      sizeof(block));
}

static void load(u64 blkno, unsigned int type, u64 owner)
{
	read_block(blkno);
	CHECK_STR(cohfs_check_block(&block, type, blkno, info.fsid, owner), NULL);
}

/* Allocated according to its group? */
static bool in_use(u64 blkno)
{
	u64 g = (blkno - info.first_group) / COHFS_GROUP_BLOCKS;
	u32 bit = (u32)((blkno - info.first_group) % COHFS_GROUP_BLOCKS);

	load(info.first_group + g * COHFS_GROUP_BLOCKS, COHFS_BT_GROUP, g);
	return block.group.g_bitmap[bit / 8] >> (bit & 7) & 1;
}

static void check_directory(u64 ino, u32 mode)
{
	struct cohfs_attr attr;

	CHECK(ino > info.first_group && ino + 1 < info.blocks);
	CHECK(in_use(ino) && in_use(ino + 1));
	load(ino, COHFS_BT_INODE, ino);
	cohfs_attr_from_disk(&attr, &block.inode);
	CHECK_EQ(attr.mode, mode);
	CHECK_EQ(attr.nlink, 2);
	CHECK_EQ(attr.blocks, 2);
	CHECK_EQ(attr.size, 0);
	CHECK(attr.generation && attr.mtime.sec > 1600000000);
	CHECK_EQ(le64_to_cpu(block.inode.i_parent), ino);
	load(ino + 1, COHFS_BT_MAP, ino);
	CHECK_EQ(cohfs_mapblock_count(&block.map), 0);
	CHECK_EQ(le32_to_cpu(block.map.m_hdr.bh_generation), attr.generation);
}

static void check_journal(u64 first, u8 *uuid)
{
	u32 crc;

	read_block(first);
	CHECK_EQ(get_unaligned_be32(block.bytes), 0xc03b3998);
	CHECK_EQ(get_unaligned_be32(block.bytes + 4), 4);
	CHECK_EQ(get_unaligned_be32(block.bytes + 12), COHFS_BLOCK_SIZE);
	CHECK_EQ(get_unaligned_be32(block.bytes + 16), info.journal_blocks);
	CHECK_EQ(get_unaligned_be32(block.bytes + 20), 1);	/* first block of the log */
	CHECK_EQ(get_unaligned_be32(block.bytes + 24), 1);	/* sequence */
	CHECK_EQ(get_unaligned_be32(block.bytes + 28), 0);	/* empty */
	CHECK(memcmp(uuid, block.bytes + 48, 16));	/* each has its own */
	memcpy(uuid, block.bytes + 48, 16);
	crc = get_unaligned_be32(block.bytes + 0xfc);
	memset(block.bytes + 0xfc, 0, 4);
	CHECK_EQ(crc32c(~0u, block.bytes, 1024), crc);
	read_block(first + 1);
	CHECK(!memchr_inv(&block, 0, sizeof(block)));
	read_block(first + info.journal_blocks - 1);
	CHECK(!memchr_inv(&block, 0, sizeof(block)));
}

static void check_groups(void)
{
	u64 free = 0;
	u32 g;

	for (g = 0; g < info.groups; g++) {
		load(info.first_group + (u64)g * COHFS_GROUP_BLOCKS, COHFS_BT_GROUP, g);
		CHECK_EQ(le32_to_cpu(block.group.g_blocks),
			 cohfs_super_group_blocks(&info, g));
		free += le32_to_cpu(block.group.g_free);
	}
	CHECK_EQ(free, info.free_at_mkfs);
	CHECK_EQ(free, info.blocks - info.first_group - info.groups - 3 - 2 * info.slots);
}

/* The copy of the superblock says the same; @block is the superblock */
static void check_copy(void)
{
	struct cohfs_super_info copy;
	const char *why = NULL;

	CHECK(in_use(info.copy));
	read_block(info.copy);
	CHECK_EQ(cohfs_super_decode_at(&copy, &block, info.copy, &why), 0);
	CHECK_STR(why, NULL);
	CHECK(!memcmp(&copy, &info, sizeof(info)));
}

static void check_image(u64 bytes, u32 slots)
{
	const char *why = NULL;
	u8 uuid[16] = { 0 };
	u64 orphan;
	u32 s;

	image_fd = open(image, O_RDONLY | O_CLOEXEC);
	read_block(COHFS_SUPER_BLKNO);
	CHECK_EQ(cohfs_super_decode(&info, &block, &why), 0);
	CHECK_STR(why, NULL);
	CHECK_EQ(info.slots, slots);
	CHECK(info.blocks << COHFS_BLOCK_SHIFT <= bytes);
	CHECK(bytes - (info.blocks << COHFS_BLOCK_SHIFT) < MIB + COHFS_BLOCK_SIZE);
	check_copy();
	check_groups();
	check_directory(info.root_ino, 040755);
	for (s = 0; s < slots; s++) {
		load(info.first_slot + s, COHFS_BT_SLOT, s);
		orphan = le64_to_cpu(block.slot.sl_orphan_dir);
		CHECK_EQ(le32_to_cpu(block.slot.sl_pool_count), 0);
		CHECK(orphan != info.root_ino);
		check_directory(orphan, 040700);
		check_journal(info.first_journal + (u64)s * info.journal_blocks, uuid);
	}
	close(image_fd);
}

/* Cases ------------------------------------------------------------------------ */

static void make_and_check(u64 bytes, const char *args, u32 slots)
{
	make_image(bytes);
	CHECK_EQ(run("%s -q %s %s", mkfs, args, image), 0);
	CHECK_STR(output, "");
	check_image(bytes, slots);
}

static void defaults(void)
{
	make_image(200 * MIB);
	CHECK_EQ(run("%s -t lab:vol -L data %s", mkfs, image), 0);
	CHECK(strstr(output, "lab:vol") && strstr(output, "data"));
	check_image(200 * MIB, 4);
	CHECK_STR(info.cluster, "lab");
	CHECK_STR(info.fsname, "vol");
	CHECK_STR(info.label, "data");
}

static void sizes(void)
{
	/* the area of groups begins at 5 MiB with one journal of 4 MiB */
	const u64 base = 5 * MIB, group = (u64)COHFS_GROUP_BLOCKS * COHFS_BLOCK_SIZE;
	static const u32 rest[] = { 0, 1, 255, 256, 257, 4096 };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(rest); i++) {
		make_and_check(base + group + rest[i] * 4096ULL, "-j 1 -J 4", 1);
		CHECK_EQ(info.groups, rest[i] < 256 ? 1 : 2);
		CHECK_EQ(info.first_group << COHFS_BLOCK_SHIFT, base);
	}
	make_and_check(base + 16 * MIB, "-j 1", 1);
	make_and_check(base + 16 * MIB + 4095, "-j 1", 1);
	make_image(base + 16 * MIB - 1);
	refuses("-j 1", "too small");
	make_and_check(10240 * MIB, "-j 64", 64);
	CHECK_EQ(info.journal_blocks, 5120);
	make_and_check(10240 * MIB, "-j 3", 3);
	CHECK_EQ(info.journal_blocks, 8192);
	make_and_check(200 * 1024 * MIB, "-J 64", 4);
	CHECK_EQ(info.journal_blocks, 64 * 256);
}

static void uuid_option(void)
{
	static const u8 want[16] = { 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0,
				     0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0 };
	u8 first[16];

	make_and_check(100 * MIB, "-U 12345678-9abc-def0-1234-56789abcdef0", 4);
	CHECK(!memcmp(info.fsid, want, 16));
	make_and_check(100 * MIB, "", 4);
	memcpy(first, info.hash_key, 16);
	make_and_check(100 * MIB, "", 4);
	CHECK(memcmp(first, info.hash_key, 16));
}

/* A journal full of old blocks must not survive: dirty every byte first */
static void stale_content(void)
{
	u8 *junk = malloc(MIB);
	u32 i;
	int fd;

	make_image(64 * MIB);
	memset(junk, 0xa5, MIB);
	fd = open(image, O_WRONLY | O_CLOEXEC);
	for (i = 0; i < 64; i++)
		CHECK(pwrite(fd, junk, MIB, i * (off_t)MIB) == MIB);
	close(fd);
	free(junk);
	CHECK_EQ(run("%s -q -f %s", mkfs, image), 0);
	check_image(64 * MIB, 4);
}

static void wrong_arguments(void)
{
	make_image(100 * MIB);
	refuses("-t nocolon", "no colon");
	refuses("-t a:b:c", "more than one colon");
	refuses("-t :b", "cluster name");
	refuses("-t a:", "filesystem name");
	refuses("-t ''", "CLUSTER:FSNAME");
	refuses("-t 123456789012345678901234567890123:x", "cluster name");
	refuses("-t 'a b:c'", "unprintable");
	refuses("-j 0", "from 1 to 64");
	refuses("-j 65", "from 1 to 64");
	refuses("-j 4x", "from 1 to 64");
	refuses("-j -1", "from 1 to 64");
	refuses("-J 3", "from 4 to 1024");
	refuses("-L 12345678901234567890123456789012", "label");
	refuses("-U nonsense", "not a UUID");
	refuses("-U 00000000-0000-0000-0000-000000000000", "not a UUID");
	refuses("-Z", "invalid option");
	refuses("/dev/null", "more than one device");
	CHECK_EQ(run("%s", mkfs), 1);
	CHECK(strstr(output, "no device given") != NULL);
	CHECK_EQ(run("%s %s/none", mkfs, dir), 1);
	CHECK(strstr(output, "No such file") != NULL);
	CHECK_EQ(run("%s %s", mkfs, dir), 1);
	CHECK(strstr(output, "neither a block device nor a regular file") != NULL);
	CHECK_EQ(run("%s --help", mkfs), 0);
	CHECK_EQ(run("%s --version", mkfs), 0);
	CHECK(strstr(output, "mkfs.cohfs ") != NULL);
	/* nothing of this has touched the image */
	CHECK_EQ(run("cmp -n 104857600 %s /dev/zero", image), 0);
}

static void holds_something(void)
{
	int fd;

	make_image(10 * MIB);
	refuses("", "too small");
	refuses("-f", "too small");

	make_image(100 * MIB);
	fd = open(image, O_WRONLY | O_CLOEXEC);
	CHECK(pwrite(fd, "\1\0\0\0\xff\0\0\0", 8, 1024) == 8);	/* swap, version 1 */
	CHECK(pwrite(fd, "SWAPSPACE2", 10, 4086) == 10);
	close(fd);
	refuses("", "type swap");
	CHECK_EQ(run("%s -q -f %s", mkfs, image), 0);
	check_image(100 * MIB, 4);
	refuses("", "holds a cohfs filesystem");
	CHECK_EQ(run("%s -q -f %s", mkfs, image), 0);
	check_image(100 * MIB, 4);

	make_image(100 * MIB);
	if (run("PATH=$PATH:/sbin:/usr/sbin mke2fs -q -F -t ext4 %s", image) == 0) {
		refuses("", "type ext4");
		CHECK_EQ(run("%s -q -f %s", mkfs, image), 0);
		check_image(100 * MIB, 4);
		CHECK(run("PATH=$PATH:/sbin:/usr/sbin blkid -p %s", image) != 0);
	}
	make_image(100 * MIB);
	if (run("echo 2048,1000,L | PATH=$PATH:/sbin:/usr/sbin sfdisk -q -X gpt %s", image) == 0) {
		refuses("", "partition table of type gpt");
		CHECK_EQ(run("%s -q -f %s", mkfs, image), 0);
		check_image(100 * MIB, 4);
		CHECK(run("PATH=$PATH:/sbin:/usr/sbin blkid -p %s", image) != 0);
	}
}

/* Needs root and loop devices: without them nothing is claimed */
static void claimed_device(void)
{
	char loop[64];
	int fd;

	make_image(100 * MIB);
	if (geteuid() || run("losetup -f --show %s", image)) {
		printf("# mkfs_claimed_device not tried: no loop device\n");
		return;
	}
	output[strcspn(output, "\n")] = '\0';
	snprintf(loop, sizeof(loop), "%.60s", output);
	refuses("", "is attached to /dev/loop");
	fd = open(loop, O_RDONLY | O_EXCL | O_CLOEXEC);
	CHECK(fd >= 0);
	CHECK_EQ(run("%s %s", mkfs, loop), 1);
	CHECK(strstr(output, "is in use") != NULL);
	close(fd);
	CHECK_EQ(run("%s -q %s", mkfs, loop), 0);
	check_image(100 * MIB, 4);
	if (run("mke2fs -q -F %s && mount %s %s/mnt", loop, loop, dir) == 0) {
		CHECK_EQ(run("%s -f %s", mkfs, loop), 1);
		CHECK(strstr(output, "is mounted on /tmp/cohfs-test-") != NULL);
		CHECK_EQ(run("umount %s/mnt", dir), 0);
	}
	CHECK_EQ(run("losetup -d %s", loop), 0);
}

int main(void)
{
	char mnt[64];

	test_begin();
	mkfs = getenv("MKFS");
	if (!mkfs || access(mkfs, X_OK) || !make_place()) {
		printf("not ok mkfs_program\n");
		return 1;
	}
	snprintf(mnt, sizeof(mnt), "%s/mnt", dir);
	mkdir(mnt, 0700);
	test_case("mkfs_defaults", defaults);
	test_case("mkfs_sizes", sizes);
	test_case("mkfs_uuid", uuid_option);
	test_case("mkfs_stale_content", stale_content);
	test_case("mkfs_wrong_arguments", wrong_arguments);
	test_case("mkfs_holds_something", holds_something);
	test_case("mkfs_claimed_device", claimed_device);
	rmdir(mnt);
	remove_place();
	return test_end();
}
