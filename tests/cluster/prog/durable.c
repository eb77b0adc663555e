// SPDX-License-Identifier: GPL-2.0-only
/*
 * What was synchronised is there after the power was cut.
 *
 * -m write: writes, by different calls, and says "data ready=1" once everything
 * that is promised is on disk; then goes on writing until it is killed.
 * -m verify: after the next mount, finds what was promised, and a consistent
 * rest: names that can be read and files that are whole.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "prog.h"

#define SIZE (3 * (off_t)PAGE + 123)

static int new_file(const char *name, uint64_t seed)
{
	char buf[SIZE];
	int fd = open_file(at("%s", name), O_RDWR | O_CREAT | O_EXCL);

	fill(buf, SIZE, seed, 0);
	pwrite_all(fd, buf, SIZE, 0);
	return fd;
}

static void expect_file(const char *name, uint64_t seed)
{
	char buf[SIZE];
	int fd = open_file(at("%s", name), O_RDONLY);
	ssize_t bad;

	CHECK(file_size(fd) == SIZE, "%s: size %jd", name, (intmax_t)file_size(fd));
	pread_all(fd, buf, SIZE, 0);
	bad = differs(buf, SIZE, seed, 0);
	CHECK(bad < 0, "%s: byte %zd is wrong", name, bad);
	close(fd);
}

static void write_promised(void)
{
	char *map;
	int fd;

	fd = new_file("fsynced", 1);
	SYS(fsync(fd));
	close(fd);

	fd = new_file("fdatasynced", 2);
	SYS(fdatasync(fd));
	close(fd);

	fd = make_file(at("msynced"), SIZE, true);
	map = map_file(fd, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED);
	fill(map, SIZE, 3, 0);
	SYS(msync(map, SIZE, MS_SYNC));
	SYS(fsync(fd));
	close(fd);

	fd = open_file(at("osynced"), O_WRONLY | O_CREAT | O_EXCL | O_SYNC);
	map = map_file(-1, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
	fill(map, SIZE, 4, 0);
	pwrite_all(fd, map, SIZE, 0);
	close(fd);

	close(new_file("old name", 5));
	SYS(rename(at("old name"), at("new name")));
	close(new_file("removed", 6));
	SYS(mkdir(at("directory"), 0755));
	SYS(symlink("fsynced", at("symlink")));
	SYS(link(at("fsynced"), at("link")));
	fd = SYS(open(prog.dir, O_RDONLY | O_DIRECTORY));
	SYS(syncfs(fd));
	SYS(unlink(at("removed")));
	SYS(fsync(fd));		/* of the directory */
}

/* Unsynchronised work until the power goes. */
static void write_on(void)
{
	for (unsigned long i = 0;; i++) {
		char name[32];

		snprintf(name, sizeof(name), "later.%lu", i);
		close(new_file(name, 1000 + i));
		if (i % 3 == 0)
			SYS(unlink(at("%s", name)));
		if (i % 7 == 0)
			rename(at("%s", name), at("moved.%lu", i));
	}
}

static void expect_promised(void)
{
	struct stat a, b;
	char target[32] = "";

	expect_file("fsynced", 1);
	expect_file("fdatasynced", 2);
	expect_file("msynced", 3);
	expect_file("osynced", 4);
	expect_file("new name", 5);
	SYS_FAILS(access(at("old name"), F_OK), ENOENT);
	SYS_FAILS(access(at("removed"), F_OK), ENOENT);
	SYS(stat(at("directory"), &a));
	CHECK(S_ISDIR(a.st_mode), "directory is none");
	CHECK(readlink(at("symlink"), target, sizeof(target) - 1) == 7 &&
	      !strcmp(target, "fsynced"), "symlink leads to %s", target);
	SYS(stat(at("fsynced"), &a));
	SYS(stat(at("link"), &b));
	CHECK(a.st_ino == b.st_ino && a.st_nlink == 2, "link: inode %lu, %lu links",
	      b.st_ino, (long)a.st_nlink);
}

/* Nothing is promised about the rest but that it is sane and can be removed. */
static long expect_sane(void)
{
	DIR *d = opendir(prog.dir);
	struct dirent *de;
	long n = 0;

	CHECK(d, "opendir: %m");
	while ((errno = 0, de = readdir(d))) {
		struct stat st;

		if (strncmp(de->d_name, "later.", 6) && strncmp(de->d_name, "moved.", 6))
			continue;
		n++;
		SYS(lstat(at("%s", de->d_name), &st));
		CHECK(st.st_size <= SIZE, "%s: size %jd", de->d_name,
		      (intmax_t)st.st_size);
		SYS(unlink(at("%s", de->d_name)));
	}
	CHECK(!errno, "readdir: %m");
	closedir(d);
	return n;
}

int main(int argc, char **argv)
{
	prog.mode = "write";
	prog_init(argc, argv, "durable");
	if (!strcmp(prog.mode, "write")) {
		prog.step = "writing what is promised";
		write_promised();
		report("ready=1");
		prog.step = "writing on";
		write_on();
	}
	prog.step = "verifying";
	expect_promised();
	return prog_end("what was promised is there; %ld other names are sane",
			expect_sane());
}
