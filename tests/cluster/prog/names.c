// SPDX-License-Identifier: GPL-2.0-only
/*
 * Races for the same names from all nodes.
 *
 * First the races that must have exactly one winner: create with O_EXCL, mkdir,
 * link, rename of one source, unlink, rmdir.  Then a storm of random operations
 * on a few names in two directories, where each may fail, but only in the ways
 * that the race explains.  Afterwards every node must list exactly the same.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "prog.h"

/*
 * -m lenient: a rename may fail with EACCES (OCFS2) or EEXIST (GFS2) when its target
 * changes meanwhile.
 */
static bool lenient;

/* Exactly one node, or every node, or none? */
static void expect_winners(const char *what, long round, int ret, int error,
			   uint64_t wanted)
{
	uint64_t winners;

	CHECK(!ret || errno == error, "%s, round %ld: %m", what, round);
	winners = exchange(!ret, NULL);
	CHECK(winners == wanted, "%s, round %ld: %lu nodes succeeded", what, round,
	      winners);
}

static int create(const char *path, int flags)
{
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC | flags, 0644);

	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

static void one_winner(long i)
{
	const char *file = at("one.%ld", i), *dir = at("dir.%ld", i);
	const char *own = at("own.%ld.%d", i, prog.node), *lnk = at("link.%ld", i);
	const char *moved = at("moved.%ld.%d", i, prog.node);

	barrier();
	expect_winners("create", i, create(file, O_EXCL), EEXIST, 1);
	expect_winners("mkdir", i, mkdir(dir, 0755), EEXIST, 1);
	SYS(create(own, O_EXCL));
	barrier();
	expect_winners("link", i, link(own, lnk), EEXIST, 1);
	expect_winners("rename of one file", i, rename(file, moved), ENOENT, 1);
	expect_winners("rmdir", i, rmdir(dir), ENOENT, 1);
	if (lenient)
		expect_winners("link to one name", i, link(own, at("target.%ld", i)),
			       EEXIST, 1);
	else
		expect_winners("rename to one name", i,
			       rename(own, at("target.%ld", i)), 0, prog.nodes);
	expect_winners("unlink", i, unlink(at("target.%ld", i)), ENOENT, 1);
	unlink(own);
	unlink(moved);
	unlink(lnk);
}

/* The storm ------------------------------------------------------------------ */

#define NAMES 12

static const char *random_name(void)
{
	return at("storm.%d/%c", (int)(rnd() % 2), (char)('a' + rnd() % NAMES));
}

struct op {
	const char *name;
	int (*call)(const char *a, const char *b);
	int allowed[8];		/* errors that another node's progress explains */
};

static int do_create(const char *a, const char *b)
{
	(void)b;
	return create(a, 0);
}

static int do_create_excl(const char *a, const char *b)
{
	(void)b;
	return create(a, O_EXCL);
}

static int do_mkdir(const char *a, const char *b)
{
	(void)b;
	return mkdir(a, 0755);
}

static int do_rmdir(const char *a, const char *b)
{
	(void)b;
	return rmdir(a);
}

static int do_unlink(const char *a, const char *b)
{
	(void)b;
	return unlink(a);
}

static int do_symlink(const char *a, const char *b)
{
	(void)b;
	/* Dangling, and where O_CREAT through it cannot create anything. */
	return symlink("nowhere/to/be/found", a);
}

static int do_stat(const char *a, const char *b)
{
	struct stat st;

	(void)b;
	return lstat(a, &st);
}

static const struct op ops[] = {
	{ "create", do_create, { EISDIR, ENOENT } },
	{ "create O_EXCL", do_create_excl, { EEXIST } },
	{ "mkdir", do_mkdir, { EEXIST } },
	{ "rmdir", do_rmdir, { ENOENT, ENOTDIR } },
	{ "unlink", do_unlink, { ENOENT, EISDIR } },
	{ "rename", rename, { ENOENT, EISDIR, ENOTDIR, EINVAL } },
	{ "rename", rename, { ENOENT, EISDIR, ENOTDIR, EINVAL } },
	{ "link", link, { ENOENT, EEXIST, EPERM } },
	{ "symlink", do_symlink, { EEXIST } },
	{ "stat", do_stat, { ENOENT } },
};

static bool allowed(const struct op *op, int error)
{
	if (lenient && (error == EACCES || error == EEXIST) && op->call == rename)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(op->allowed); i++)
		if (op->allowed[i] == error)
			return true;
	return false;
}

static long storm(void)
{
	long succeeded = 0;

	for (long i = 0; i < prog.count; i++) {
		const struct op *op = &ops[rnd() % ARRAY_SIZE(ops)];
		const char *a = random_name(), *b = random_name();
		int ret = op->call(a, b);

		CHECK(!ret || allowed(op, errno), "%s %s %s: %m", op->name, a, b);
		succeeded += !ret;
	}
	return succeeded;
}

/* The listing ---------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* One line per name, in the order of names: what, number, links, size. */
static char *list_dir(const char *dir, unsigned int *subdirs)
{
	char *lines[4 * NAMES + 2] = { 0 }, *text, *end;
	size_t n = 0, room = 1;
	struct dirent *de;
	DIR *d = opendir(dir);

	CHECK(d, "opendir %s: %m", dir);
	*subdirs = 0;
	while ((de = readdir(d))) {
		struct stat st;

		if (de->d_name[0] == '.')
			continue;
		CHECK(n < ARRAY_SIZE(lines), "more names in %s than were ever used",
		      dir);
		CHECK(!fstatat(dirfd(d), de->d_name, &st, AT_SYMLINK_NOFOLLOW),
		      "%s is listed in %s, but: %m", de->d_name, dir);
		CHECK(st.st_ino == de->d_ino, "%s: listed as inode %lu, is %lu",
		      de->d_name, de->d_ino, st.st_ino);
		*subdirs += S_ISDIR(st.st_mode);
		/* A directory's size is the filesystem's business. */
		room += SYS(asprintf(&lines[n++], "%s mode %o ino %lu links %lu size %ld\n",
				     de->d_name, st.st_mode, st.st_ino,
				     (long)st.st_nlink,
				     S_ISDIR(st.st_mode) ? 0L : (long)st.st_size));
	}
	closedir(d);
	qsort(lines, n, sizeof(lines[0]), by_name);
	text = end = malloc(room);
	*text = 0;
	for (size_t i = 0; i < n; i++) {
		end = stpcpy(end, lines[i]);
		free(lines[i]);
	}
	return text;
}

static uint64_t text_hash(const char *text)
{
	uint64_t h = 1;

	while (*text)
		h = hash64(h + (unsigned char)*text++);
	return h;
}

static void compare_listing(const char *dir)
{
	uint64_t all[MAX_NODES], mine;
	unsigned int subdirs;
	struct stat st;
	char *text = list_dir(dir, &subdirs);

	SYS(stat(dir, &st));
	CHECK(st.st_nlink == 2 + subdirs, "%s has %lu links and %u subdirectories",
	      dir, (long)st.st_nlink, subdirs);
	mine = text_hash(text);
	exchange(mine, all);
	for (int i = 0; i < prog.nodes; i++) {
		if (all[i] == mine)
			continue;
		printf("%s on node %d:\n%s", dir, prog.node, text);
		/* Let every node print its own before the first one fails. */
		sleep_for(1);
		fail("node %d lists %s otherwise", i, dir);
	}
	free(text);
}

static void clean(const char *dir)
{
	for (int i = 0; i < NAMES; i++) {
		char path[600];

		snprintf(path, sizeof(path), "%s/%c", dir, 'a' + i);
		if (unlink(path) && errno == EISDIR)
			SYS(rmdir(path));
	}
}

int main(int argc, char **argv)
{
	long succeeded;

	prog.count = 300;
	prog_init(argc, argv, "names");
	lenient = !strcmp(prog.mode, "lenient");
	prog.step = "races with one winner";
	for (long i = 0; i < prog.count / 20; i++)
		one_winner(i);

	prog.step = "storm";
	for (int i = 0; i < 2; i++)
		if (prog.node == 0)
			SYS(mkdir(at("storm.%d", i), 0755));
	barrier();
	succeeded = storm();
	barrier();
	prog.step = "listing";
	for (int i = 0; i < 2; i++)
		compare_listing(at("storm.%d", i));
	compare_listing(prog.dir);

	prog.step = "cleaning up";
	barrier();
	if (prog.node == prog.nodes - 1) {
		for (int i = 0; i < 2; i++) {
			clean(at("storm.%d", i));
			SYS(rmdir(at("storm.%d", i)));
		}
	}
	barrier();
	compare_listing(prog.dir);
	return prog_end("%ld races with one winner, %ld of %ld operations succeeded",
			prog.count / 20 * 7, succeeded, prog.count);
}
