// SPDX-License-Identifier: GPL-2.0-only
/*
 * cohfs-dump, the real program, on a populated filesystem: what each command says is what
 * the filesystem was made of.  TOOLS in the environment names the folder that it is in.
 */
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>
#include "../../fs/core/dirhash.h"
#include "../../tools/lib/mem.h"
#include "core_test.h"
#include "fsck_log.h"
#include "program.h"

static char dump[128];

/* The test disk as a file */
static void save(void)
{
	int fd = open(image, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	u64 blk;

	CHECK(fd >= 0 && !ftruncate(fd, (off_t)(disk.blocks << COHFS_BLOCK_SHIFT)));
	for (blk = 0; blk < disk.blocks; blk++)
		if (memchr_inv(disk_block(blk), 0, COHFS_BLOCK_SIZE))
			CHECK_EQ(pwrite(fd, disk_block(blk), COHFS_BLOCK_SIZE,
					(off_t)(blk << COHFS_BLOCK_SHIFT)), COHFS_BLOCK_SIZE);
	close(fd);
}

static __printf(1, 2) void says(const char *fmt, ...)
{
	char text[600];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (strstr(output, text))
		return;
	CHECK(!"message");
	fprintf(stderr, "wanted \"%s\", got \"%.500s\"\n", text, output);
}

static void says_field(const char *name, u64 value)
{
	says("\n  %-16s %llu\n", name, value);
}

/* How often @output says it */
static u32 count_of(const char *text)
{
	const char *p = output;
	u32 n = 0;

	while ((p = strstr(p, text))) {
		p += strlen(text);
		n++;
	}
	return n;
}

static int dumped(const char *command, u64 n)
{
	return run("%s %s %s %llu", dump, image, command, n);
}

/* Fixed places ---------------------------------------------------------------------------- */

static void dump_super(void)
{
	const struct cohfs_super_info *info = &model.vol.info;

	CHECK_EQ(run("%s %s super", dump, image), 0);
	says_field("blocks", info->blocks);
	says_field("root inode", info->root_ino);
	says_field("slots", info->slots);
	says_field("journal blocks", info->journal_blocks);
	says_field("groups", info->groups);
	says_field("first group", info->first_group);
	says_field("copy", info->copy);
	says("\"test:fsck\"");
	CHECK(!strstr(output, "wrong"));
}

static void slot_is(u32 nr)
{
	const struct cohfs_slot *sl = disk_block(model.vol.info.first_slot + nr);
	u32 i, count = le32_to_cpu(sl->sl_pool_count);

	says("slot, block %llu\n", model.vol.info.first_slot + nr);
	says_field("orphan directory", le64_to_cpu(sl->sl_orphan_dir));
	says("\n  %-16s %lld\n", "free delta", (s64)le64_to_cpu(sl->sl_free_delta));
	says_field("pool", count);
	for (i = 0; i < count; i++)
		says(" %llu", le64_to_cpu(sl->sl_pool[i]));
}

static void dump_slots(void)
{
	u32 nr;

	CHECK_EQ(run("%s %s slots", dump, image), 0);
	for (nr = 0; nr < model.vol.info.slots; nr++)
		slot_is(nr);
	CHECK_EQ(dumped("slot", 1), 0);
	slot_is(1);
	CHECK_EQ(count_of("slot, block"), 1);
}

static u32 free_blocks(u32 group)
{
	u64 blk = volume_group_blkno(&model.vol, group);
	u32 i, n = 0;

	for (i = 0; i < cohfs_super_group_blocks(&model.vol.info, group); i++)
		n += !model.used[blk + i];
	return n;
}

static void dump_groups(void)
{
	u32 g;

	CHECK_EQ(run("%s %s groups", dump, image), 0);
	for (g = 0; g < model.vol.info.groups; g++)
		says("group %u at %llu: %u of %u blocks free\n", g,
		     volume_group_blkno(&model.vol, g), free_blocks(g),
		     cohfs_super_group_blocks(&model.vol.info, g));
	CHECK_EQ(count_of("\n"), model.vol.info.groups);
}

/* Its free runs are exactly the blocks that nothing uses */
static void dump_group(void)
{
	u64 first, last, blk, expected = volume_group_blkno(&model.vol, 1), end;
	char *p = output;
	u32 sum = 0, n;

	CHECK_EQ(dumped("group", 1), 0);
	end = expected + cohfs_super_group_blocks(&model.vol.info, 1);
	for (; (p = strstr(p, "    free ")) && !test_failed; p++) {
		if (sscanf(p, " free %llu..%llu (%u)", &first, &last, &n) != 3) {
			CHECK(!"a run");
			break;
		}
		for (blk = expected; blk < first; blk++)
			CHECK(model.used[blk]);
		for (; blk <= last; blk++)
			CHECK(!model.used[blk]);
		CHECK(first > expected);	/* and they are as long as can be */
		CHECK_EQ(n, last + 1 - first);
		sum += n;
		expected = last + 1;
	}
	for (; expected < end; expected++)
		CHECK(model.used[expected]);
	CHECK_EQ(sum, free_blocks(1));
	says_field("free", sum);
}

/* Journals --------------------------------------------------------------------------------- */

/* Two transactions in the journal of slot 1: a block, then another one and a revoke */
static void write_log(void)
{
	struct log_trans *tr = mem_zalloc(sizeof(*tr));

	tr->slot = 1;
	tr->count = 1;
	tr->blkno[0] = model.vol.info.root_ino;
	memcpy(tr->contents, disk_block(tr->blkno[0]), COHFS_BLOCK_SIZE);
	log_write(tr);
	tr->blkno[0] = model.vol.info.root_ino + 1;
	memcpy(tr->contents, disk_block(tr->blkno[0]), COHFS_BLOCK_SIZE);
	tr->revokes = 1;
	tr->revoke[0] = model.vol.info.blocks - 7;
	log_write(tr);
	free(tr);
}

static void dump_journal(void)
{
	u64 root = model.vol.info.root_ino;

	write_log();
	save();
	CHECK_EQ(dumped("journal", 0), 0);
	says("empty: nothing to replay");
	CHECK_EQ(dumped("journal", 1), 0);
	says("journal of slot 1: blocks %llu..%llu\n", volume_journal_blkno(&model.vol, 1),
	     volume_journal_blkno(&model.vol, 2) - 1);
	says_field("next sequence", 101);
	says("2 transactions up to number 102, 2 blocks, 1 revokes\n");
	CHECK(!strstr(output, "  transaction "));
	CHECK_EQ(dumped("-t journal", 1), 0);
	says("  transaction 101: block %llu\n  transaction 102: block %llu\n"
	     "  transaction 102: revoke %llu\n", root, root + 1, model.vol.info.blocks - 7);
	CHECK_EQ(count_of("  transaction "), 3);
	disk_restore();
}

static void dump_bad_journals(void)
{
	write_log();
	memset(log_block(1, model.vol.info.journal_blocks - 5), 0, COHFS_BLOCK_SIZE);
	save();
	CHECK_EQ(dumped("journal", 1), 1);
	says("transaction 101 cannot be read, later ones can");
	disk_restore();
	log_circle(1, JBD2_BT_REVOKE);
	save();
	CHECK_EQ(dumped("journal", 1), 1);
	says("has no end: it would not be replayed");
	disk_restore();
	((struct jbd2_superblock *)log_block(1, 0))->s_sequence ^= 1;
	save();
	CHECK_EQ(dumped("journal", 1), 1);
	says("block %llu is damaged: checksum", volume_journal_blkno(&model.vol, 1));
	disk_restore();
	save();
}

/* Inodes ------------------------------------------------------------------------------------- */

static void inode_is(const struct model_inode *mi)
{
	says("inode, block %llu\n", mi->ino);
	says("\n  %-16s 0%06o ", "mode", mi->mode);
	says_field("links", mi->links);
	says_field("size", mi->size);
	says_field("generation", mi->generation);
}

static void dump_inode(void)
{
	const struct cohfs_dinode *di;
	u32 i, types = 0;

	for (i = 0; i < model.inodes && !test_failed; i += types & 0x700 ? 9 : 1) {
		const struct model_inode *mi = &model.inode[i];

		CHECK_EQ(dumped("inode", mi->ino), 0);
		inode_is(mi);
		if (mi->slot >= 0)
			says_field("orphan of slot", (u64)mi->slot);
		if (mi->parent)
			says_field("parent", mi->parent);
		di = disk_block(mi->ino);
		if (mi->mode >> 12 == MODEL_LNK)
			says("\"%.*s\"\n", (int)min_t(u64, mi->size, 500), di->i_inline);
		types |= 1u << (mi->mode >> 12);
	}
	CHECK(types & 1 << MODEL_DIR && types & 1 << MODEL_REG && types & 1 << MODEL_LNK);
}

/* A file with a deep map: its extents, in order, and all of its blocks */
static void dump_map(void)
{
	const struct model_inode *mi;
	char *p = output;
	u64 key, again, blk;
	u32 i, len;

	do {
		mi = model_pick(MODEL_REG);
	} while (mi->nblks < 3);
	CHECK_EQ(dumped("map", mi->ino), 0);
	for (i = 0; i < mi->exts && !test_failed; i++) {
		/* records of inner nodes have no length */
		do {
			p = strstr(p, ": key ");
			if (p)
				p++;
		} while (p && sscanf(p, " key %llu (0x%llx) -> block %llu length %u", &key,
				     &again, &blk, &len) != 4);
		CHECK(p);
		CHECK(p && key == mi->ext[i].key && again == key && blk == mi->ext[i].blk &&
		      len == mi->ext[i].len);
	}
	CHECK_EQ(count_of(" length "), mi->exts);
	CHECK_EQ(count_of("map, block "), 1 + mi->nblks);
	for (i = 0; i < mi->nblks; i++)
		says("map, block %llu\n", mi->blks[i]);
}

/* Names ---------------------------------------------------------------------------------------- */

static void name_is_listed(const struct model_name *mn)
{
	const struct model_inode *mi = model_find(mn->ino);

	says(" hash %014llx.", cohfs_dirhash(model.vol.info.hash_key, mn->name, mn->len));
	says(" inode %llu generation %u \"%.*s\"\n", mi->ino, mi->generation, mn->len,
	     (const char *)mn->name);
}

/* @output lists the names of @ino, and @more others */
static void names_are(u64 ino)
{
	u32 i, n = 0;

	says("directory %llu, generation %u, parent %llu\n", ino,
	     model_find(ino)->generation, model_find(ino)->parent);
	for (i = 0; i < model.names && !test_failed; i++)
		if (model.name[i].dir == ino) {
			name_is_listed(&model.name[i]);
			n++;
		}
	CHECK_EQ(count_of("    hash "), n);
}

static void dump_dir(void)
{
	u32 i;

	for (i = 0; i < model.inodes && !test_failed; i++)
		if (model.inode[i].mode >> 12 == MODEL_DIR) {
			CHECK_EQ(dumped("dir", model.inode[i].ino), 0);
			names_are(model.inode[i].ino);
		}
}

/* From the root, with a slash before each name */
static void path_of(const struct model_name *mn, char *path)
{
	u32 i;

	path[0] = '\0';
	if (mn->dir != model.vol.info.root_ino)
		for (i = 0; i < model.names; i++)
			if (model.name[i].ino == mn->dir)
				path_of(&model.name[i], path);
	sprintf(path + strlen(path), "/%.*s", mn->len, (const char *)mn->name);
}

static bool is_orphan(const struct model_name *mn)
{
	return model_find(mn->ino)->slot >= 0;
}

static void dump_path(void)
{
	char path[PATH_MAX];
	u32 i;

	CHECK_EQ(run("%s %s path /", dump, image), 0);
	inode_is(model_find(model.vol.info.root_ino));
	for (i = 0; i < model.names && !test_failed; i += 40) {
		const struct model_name *mn = &model.name[i];

		if (is_orphan(mn))
			continue;
		path_of(mn, path);
		CHECK_EQ(run("%s %s path %s", dump, image, path), 0);
		says("%.*s: inode %llu\n", mn->len, (const char *)mn->name, mn->ino);
		inode_is(model_find(mn->ino));
		CHECK_EQ(run("%s %s path %s-not", dump, image, path), 1);
		says("there is no \"%.*s-not\" in directory %llu", mn->len,
		     (const char *)mn->name, mn->dir);
	}
}

static void dump_orphans(void)
{
	u32 i, s, n = 0;

	CHECK_EQ(run("%s %s orphans", dump, image), 0);
	for (s = 0; s < model.vol.info.slots; s++)
		says("slot %u: directory ", s);
	for (i = 0; i < model.names; i++)
		if (is_orphan(&model.name[i])) {
			name_is_listed(&model.name[i]);
			n++;
		}
	CHECK(n);
	CHECK_EQ(count_of("    hash "), n);
}

/* Blocks ----------------------------------------------------------------------------------------- */

static void dump_block(void)
{
	static const char * const types[] = {
		[COHFS_BT_SUPER] = "superblock", [COHFS_BT_SLOT] = "slot",
		[COHFS_BT_GROUP] = "group", [COHFS_BT_INODE] = "inode", [COHFS_BT_MAP] = "map",
		[COHFS_BT_DIRLEAF] = "directory leaf", [USED_DATA] = NULL,
	};
	u64 seen[ARRAY_SIZE(types)] = { 0 }, blk;
	u32 type;

	for (blk = 0; blk < disk.blocks; blk++)
		if (model.used[blk] < ARRAY_SIZE(types) && model.used[blk] &&
		    memchr_inv(disk_block(blk), 0, COHFS_BLOCK_SIZE))
			seen[model.used[blk]] = blk;
	for (type = COHFS_BT_SUPER; type <= COHFS_BT_DIRLEAF; type++) {
		CHECK(seen[type]);
		CHECK_EQ(dumped("block", seen[type]), 0);
		says("%s, block %llu\n", types[type], seen[type]);
		CHECK(!strstr(output, "wrong"));
	}
	CHECK_EQ(dumped("block", seen[USED_DATA]), 0);
	says("block %llu: not a metadata block\n  000", seen[USED_DATA]);
	CHECK_EQ(dumped("block", volume_journal_blkno(&model.vol, 0)), 0);
	says("of a journal, type 4");
}

/* Extracting -------------------------------------------------------------------------------------- */

/* What it maps is there, up to its end, and the holes take no space */
static void contents_are(const char *path, const struct stat *st,
			 const struct model_inode *mi)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char buf[COHFS_BLOCK_SIZE];
	u64 blocks = 0, key;
	size_t len;
	u32 i, k;

	CHECK(fd >= 0);
	for (i = 0; i < mi->exts && !test_failed; i++)
		for (k = 0; k < mi->ext[i].len; k++, blocks++) {
			key = (mi->ext[i].key + k) << COHFS_BLOCK_SHIFT;
			len = min_t(u64, COHFS_BLOCK_SIZE, mi->size - key);
			CHECK_EQ(pread(fd, buf, sizeof(buf), (off_t)key), len);
			CHECK(!memcmp(buf, disk.truth + ((mi->ext[i].blk + k) <<
				      COHFS_BLOCK_SHIFT), len));
		}
	CHECK((u64)st->st_blocks * 512 <= (blocks + 8) << COHFS_BLOCK_SHIFT);
	close(fd);
}

static void target_is(const char *path, const struct model_inode *mi)
{
	const struct cohfs_dinode *di = (void *)(disk.truth + (mi->ino << COHFS_BLOCK_SHIFT));
	char target[COHFS_INLINE_MAX];

	CHECK_EQ(readlink(path, target, sizeof(target)), mi->size);
	CHECK(!memcmp(target, di->i_inline, mi->size));
}

/* @files: by inode of the model, that of this machine.  Return: is it there? */
static bool is_extracted(const struct model_name *mn, u64 *files)
{
	const struct model_inode *mi = model_find(mn->ino);
	u32 type = mi->mode >> 12;
	char path[PATH_MAX];
	struct stat st;
	int len = snprintf(path, sizeof(path), "%s/tree", dir);

	path_of(mn, path + len);
	if (type != MODEL_DIR && type != MODEL_REG && type != MODEL_LNK) {
		CHECK(lstat(path, &st) && errno == ENOENT);
		return false;
	}
	CHECK(!lstat(path, &st));
	CHECK_EQ((st.st_mode & S_IFMT) >> 12, type);
	if (type == MODEL_LNK)
		target_is(path, mi);
	if (type != MODEL_REG)
		return true;
	CHECK_EQ(st.st_size, mi->size);
	CHECK_EQ(st.st_nlink, mi->links);
	if (files[mi - model.inode]) {
		CHECK_EQ(st.st_ino, files[mi - model.inode]);
		return true;
	}
	files[mi - model.inode] = st.st_ino;
	contents_are(path, &st, mi);
	return true;
}

static void tree_is_extracted(void)
{
	u64 *files = mem_zalloc(model.inodes * sizeof(*files));
	u32 i, n = 1;

	for (i = 0; i < model.names && !test_failed; i++)
		if (!is_orphan(&model.name[i]))
			n += is_extracted(&model.name[i], files);
	free(files);
	CHECK_EQ(run("find %s/tree | wc -l", dir), 0);
	CHECK_EQ(atoi(output), n);
	CHECK_EQ(run("rm -r %s/tree", dir), 0);
}

static void dump_extract(void)
{
	CHECK_EQ(run("%s %s extract %s/tree", dump, image, dir), 0);
	tree_is_extracted();
}

/* With journals that hold a part of it */
static void dump_replay(void)
{
	CHECK_EQ(run("cp %s %s.was; %s -r %s extract %s/tree", image, image, dump, image, dir), 0);
	tree_is_extracted();
	CHECK_EQ(run("cmp %s %s.was; rm %s.was", image, image, image), 0);
	CHECK_EQ(run("%s %s extract %s/tree", dump, image, dir), 1);
	says("magic number");
	CHECK_EQ(run("rm -r %s/tree", dir), 0);
}

/* What is wrong ------------------------------------------------------------------------------------- */

static void wrong_arguments(void)
{
	static const char * const commands[][2] = {
		{ "nonsense", "unknown command \"nonsense\"" },
		{ "slot", "slot needs a number" },
		{ "slot 3", "slot: a number below 3 is needed, not \"3\"" },
		{ "slot ' -1'", "a number below 3 is needed, not \" -1\"" },
		{ "slot ' -18446744073709551615'", "a number below 3 is needed" },
		{ "slot 1x", "a number below 3 is needed, not \"1x\"" },
		{ "journal", "journal needs a number" },
		{ "journal 3", "a number below 3" },
		{ "group", "group needs a number" },
		{ "group 2", "a number below 2" },
		{ "inode", "inode needs a number" },
		{ "inode 99999999", "a number below" },
		{ "inode 99999999999999999999999", "a number below" },
		{ "inode 0", "block 0 is damaged: magic number" },
		{ "map", "map needs a number" },
		{ "map 1", "block 1 is damaged: block type" },
		{ "dir", "dir needs a number" },
		{ "dir 0", "block 0 is damaged" },
		{ "block", "block needs a number" },
		{ "block 99999999", "a number below" },
		{ "path /none", "there is no \"none\" in directory" },
		{ "extract", "extract needs the name of a new directory" },
		{ "extract /tmp", "/tmp: File exists" },
		{ "extract /none/none", "/none/none: No such file" },
		{ "super 1", "super takes no argument" },
		{ "slots 1", "slots takes no argument" },
		{ "groups 1", "groups takes no argument" },
		{ "orphans 1", "orphans takes no argument" },
		{ "slot 1 2", "too many arguments" },
		{ "-x super", "invalid option" },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		CHECK_EQ(run("%s %s %s", dump, image, commands[i][0]), 1);
		says("%s", commands[i][1]);
	}
	CHECK_EQ(run("%s", dump), 1);
	says("no device given");
	CHECK_EQ(run("%s %s/none", dump, dir), 1);
	says("No such file");
	CHECK_EQ(run("%s %s super", dump, dir), 1);
	says("neither a block device nor a regular file");
}

/* A file has no names, whatever its blocks look like */
static void no_directory(void)
{
	u32 i;

	for (i = 0; i < model.inodes && !test_failed; i += 7)
		if (model.inode[i].mode >> 12 != MODEL_DIR) {
			CHECK_EQ(dumped("dir", model.inode[i].ino), 1);
			says("inode %llu is no directory", model.inode[i].ino);
		}
	for (i = 0; is_orphan(&model.name[i]) ||
	     model.name[i].dir != model.vol.info.root_ino ||
	     model_find(model.name[i].ino)->mode >> 12 == MODEL_DIR; i++)
		;
	CHECK_EQ(run("%s %s path %.*s/x", dump, image, model.name[i].len,
		     (const char *)model.name[i].name), 1);
	says("inode %llu is no directory", model.name[i].ino);
}

static void no_superblock(void)
{
	CHECK_EQ(run("dd if=/dev/zero of=%s bs=4096 count=2 conv=notrunc status=none", image), 0);
	CHECK_EQ(run("%s %s slots", dump, image), 0);
	says("superblock: magic number; using the copy in block %llu", model.vol.info.copy);
	CHECK_EQ(run("truncate -s 0 %s; truncate -s 8M %s", image, image), 0);
	CHECK_EQ(run("%s %s super", dump, image), 1);
	says("no usable superblock: magic number");
	CHECK_EQ(run("%s %s block 5", dump, image), 0);
	says("all zero");
	save();
}

static void full_output(void)
{
	CHECK_EQ(run("%s %s super >/dev/full", dump, image), 1);
	says("No space left");
}

int main(void)
{
	test_begin();
	if (!find_tool(dump, "dump/cohfs-dump") || !make_place()) {
		printf("not ok fsck_dump\n");
		return 1;
	}
	build_filesystem(3, false);
	save();
	test_case("dump_super", dump_super);
	test_case("dump_slots", dump_slots);
	test_case("dump_groups", dump_groups);
	test_case("dump_group", dump_group);
	test_case("dump_inode", dump_inode);
	test_case("dump_map", dump_map);
	test_case("dump_dir", dump_dir);
	test_case("dump_path", dump_path);
	test_case("dump_orphans", dump_orphans);
	test_case("dump_block", dump_block);
	test_case("dump_extract", dump_extract);
	test_case("dump_wrong_arguments", wrong_arguments);
	test_case("dump_no_directory", no_directory);
	test_case("dump_no_superblock", no_superblock);
	test_case("dump_full_output", full_output);
	test_case("dump_journal", dump_journal);
	test_case("dump_bad_journals", dump_bad_journals);
	build_filesystem(4, true);
	save();
	test_case("dump_replay", dump_replay);
	remove_place();
	return test_end();
}
