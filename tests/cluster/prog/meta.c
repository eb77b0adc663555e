// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names and attributes as POSIX has them, on one node.
 *
 * -m bigdir: a directory of -c names stays fast and its cookies stable.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "prog.h"

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1
#define RENAME_EXCHANGE 2
#endif

static struct stat stat_of(const char *path)
{
	struct stat st;

	SYS(lstat(path, &st));
	return st;
}

static void touch(const char *path)
{
	close(open_file(path, O_CREAT | O_WRONLY));
}

static long links(const char *path)
{
	return stat_of(path).st_nlink;
}

static bool same(const char *a, const char *b)
{
	return stat_of(a).st_ino == stat_of(b).st_ino;
}

static void test_create(void)
{
	char longest[256];

	touch(at("f"));
	SYS_FAILS(open(at("f"), O_CREAT | O_EXCL | O_WRONLY, 0644), EEXIST);
	SYS_FAILS(open(at("none"), O_RDONLY), ENOENT);
	SYS_FAILS(open(at("f/below"), O_RDONLY), ENOTDIR);
	SYS_FAILS(open(at("f"), O_RDONLY | O_DIRECTORY), ENOTDIR);
	SYS_FAILS(open(prog.dir, O_WRONLY), EISDIR);
	memset(longest, 'x', 255);
	longest[255] = 0;
	touch(at("%s", longest));
	CHECK(!stat_of(at("%s", longest)).st_size, "a new file has a size");
	SYS(unlink(at("%s", longest)));
	SYS_FAILS(open(at("%sx", longest), O_CREAT | O_WRONLY, 0644), ENAMETOOLONG);
	SYS(unlink(at("f")));
	SYS_FAILS(lstat(at("f"), &(struct stat){ 0 }), ENOENT);
}

/* Every byte but '/' and NUL may be in a name. */
static void test_bytes_of_names(void)
{
	for (int c = 1; c < 256; c++)
		if (c != '/' && c != '.')
			touch(at("%c", c));
	for (int c = 1; c < 256; c++)
		if (c != '/' && c != '.')
			SYS(unlink(at("%c", c)));
}

static void test_link(void)
{
	touch(at("a"));
	SYS(link(at("a"), at("b")));
	CHECK(links(at("a")) == 2 && same(at("a"), at("b")), "a and b differ");
	SYS_FAILS(link(at("a"), at("b")), EEXIST);
	SYS_FAILS(link(at("none"), at("c")), ENOENT);
	SYS(mkdir(at("d"), 0755));
	SYS_FAILS(link(at("d"), at("e")), EPERM);
	for (int i = 0; i < 200; i++)
		SYS(link(at("a"), at("d/%d", i)));
	CHECK(links(at("a")) == 202, "%ld links", links(at("a")));
	for (int i = 0; i < 200; i++)
		SYS(unlink(at("d/%d", i)));
	SYS(unlink(at("a")));
	CHECK(links(at("b")) == 1, "%ld links", links(at("b")));
	SYS(unlink(at("b")));
	SYS(rmdir(at("d")));
}

static void test_symlink(void)
{
	static const int lengths[] = { 1, 59, 60, 255, 3000 };
	char target[3001], got[4096];

	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		int len = lengths[i];
		ssize_t ret;

		memset(target, 'a' + i, len);
		target[len] = 0;
		SYS(symlink(target, at("s")));
		ret = SYS(readlink(at("s"), got, sizeof(got)));
		CHECK(ret == len && !memcmp(got, target, len),
		      "target of %d bytes: got %zd", len, ret);
		CHECK(stat_of(at("s")).st_size == len, "size of a symlink");
		SYS_FAILS(symlink(target, at("s")), EEXIST);
		SYS(unlink(at("s")));
	}
	SYS(symlink("loop", at("loop")));
	SYS_FAILS(open(at("loop"), O_RDONLY), ELOOP);
	SYS(mkdir(at("d"), 0755));
	touch(at("d/f"));
	SYS(symlink("d", at("way")));
	CHECK(same(at("way/f"), at("d/f")), "symlink to a directory");
	SYS(unlink(at("way")));
	SYS(unlink(at("loop")));
	SYS(unlink(at("d/f")));
	SYS(rmdir(at("d")));
}

static void test_rename_files(void)
{
	ino_t ino;

	touch(at("a"));
	touch(at("b"));
	ino = stat_of(at("a")).st_ino;
	SYS(rename(at("a"), at("b")));
	CHECK(stat_of(at("b")).st_ino == ino, "b is not what was a");
	SYS_FAILS(access(at("a"), F_OK), ENOENT);
	SYS_FAILS(rename(at("a"), at("c")), ENOENT);
	SYS(link(at("b"), at("c")));
	SYS(rename(at("b"), at("c")));	/* two names of one file: nothing happens */
	CHECK(links(at("b")) == 2, "%ld links", links(at("b")));
	SYS(rename(at("b"), at("b")));
	SYS(mkdir(at("d"), 0755));
	SYS_FAILS(rename(at("b"), at("d")), EISDIR);
	SYS_FAILS(rename(at("d"), at("b")), ENOTDIR);
	SYS(rename(at("b"), at("d/b")));
	CHECK(same(at("c"), at("d/b")), "moved to another directory");
	SYS(unlink(at("d/b")));
	SYS(unlink(at("c")));
	SYS(rmdir(at("d")));
}

static void test_rename_dirs(void)
{
	SYS(mkdir(at("x"), 0755));
	SYS(mkdir(at("y"), 0755));
	SYS(mkdir(at("x/sub"), 0755));
	touch(at("x/sub/f"));
	CHECK(links(at("x")) == 3, "%ld links", links(at("x")));
	SYS_FAILS(rename(at("x"), at("x/sub/below")), EINVAL);
	SYS(rename(at("x/sub"), at("y/sub")));
	CHECK(links(at("x")) == 2 && links(at("y")) == 3, "x has %ld links, y %ld",
	      links(at("x")), links(at("y")));
	CHECK(same(at("y/sub/.."), at("y")), ".. does not lead to the new parent");
	SYS(mkdir(at("x/sub"), 0755));
	SYS(rename(at("y/sub"), at("x/sub")));	/* replaces an empty directory */
	CHECK(same(at("x/sub/.."), at("x")), ".. does not lead to the new parent");
	SYS(mkdir(at("y/sub"), 0755));
	CHECK(rename(at("y/sub"), at("x/sub")) &&
	      (errno == ENOTEMPTY || errno == EEXIST),
	      "a directory with names in it was replaced: %m");
	SYS(rmdir(at("y/sub")));
	SYS(unlink(at("x/sub/f")));
	SYS(rmdir(at("x/sub")));
	SYS(rmdir(at("x")));
	SYS(rmdir(at("y")));
}

static int rename2(const char *a, const char *b, unsigned int flags)
{
	return syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, flags);
}

static void test_rename_flags(void)
{
	ino_t a, b;

	touch(at("a"));
	SYS(mkdir(at("b"), 0755));
	a = stat_of(at("a")).st_ino;
	b = stat_of(at("b")).st_ino;
	if (rename2(at("a"), at("b"), RENAME_NOREPLACE))
		CHECK(errno == EEXIST || errno == EINVAL, "RENAME_NOREPLACE: %m");
	else
		fail("RENAME_NOREPLACE replaced");
	if (!rename2(at("a"), at("b"), RENAME_EXCHANGE)) {
		CHECK(stat_of(at("a")).st_ino == b && stat_of(at("b")).st_ino == a,
		      "RENAME_EXCHANGE did not exchange");
		SYS(rmdir(at("a")));
		SYS(unlink(at("b")));
	} else {
		CHECK(errno == EINVAL, "RENAME_EXCHANGE: %m");
		SYS(unlink(at("a")));
		SYS(rmdir(at("b")));
	}
}

static void test_remove(void)
{
	int fd;

	SYS(mkdir(at("d"), 0755));
	touch(at("d/f"));
	SYS_FAILS(rmdir(at("d")), ENOTEMPTY);
	SYS_FAILS(rmdir(at("d/f")), ENOTDIR);
	SYS_FAILS(rmdir(at("d/.")), EINVAL);
	SYS_FAILS(unlink(at("d")), EISDIR);
	SYS_FAILS(mkdir(at("d"), 0755), EEXIST);
	SYS(unlink(at("d/f")));
	fd = SYS(open(at("d"), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	SYS(rmdir(at("d")));
	SYS_FAILS(openat(fd, "late", O_CREAT | O_WRONLY, 0644), ENOENT);
	close(fd);
}

static void test_deep(void)
{
	int fd = SYS(open(prog.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)), next;

	for (int i = 0; i < 100; i++) {
		SYS(mkdirat(fd, "deeper", 0755));
		next = SYS(openat(fd, "deeper", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
		close(fd);
		fd = next;
	}
	for (int i = 0; i < 100; i++) {
		next = SYS(openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
		close(fd);
		fd = next;
		SYS(unlinkat(fd, "deeper", AT_REMOVEDIR));
	}
	close(fd);
}

static void test_special(void)
{
	static const struct {
		mode_t mode;
		unsigned int major, minor;
	} nodes[] = {
		{ S_IFCHR | 0600, 1, 3 },
		{ S_IFCHR | 0666, 4000, 1000000 },
		{ S_IFBLK | 0660, 7, 300 },
		{ S_IFIFO | 0644, 0, 0 },
		{ S_IFSOCK | 0755, 0, 0 },
	};
	struct stat st;
	char byte = 0;
	int fd;

	umask(0);
	for (size_t i = 0; i < ARRAY_SIZE(nodes); i++) {
		dev_t dev = makedev(nodes[i].major, nodes[i].minor);

		SYS(mknod(at("n"), nodes[i].mode, dev));
		st = stat_of(at("n"));
		CHECK(st.st_mode == nodes[i].mode, "mode %o is %o", nodes[i].mode,
		      st.st_mode);
		CHECK(st.st_rdev == dev, "device %#lx is %#lx", dev, st.st_rdev);
		SYS(unlink(at("n")));
	}
	umask(022);
	SYS(mknod(at("null"), S_IFCHR | 0600, makedev(1, 3)));
	fd = open_file(at("null"), O_RDWR);
	CHECK(write(fd, &byte, 1) == 1 && read(fd, &byte, 1) == 0, "no /dev/null");
	close(fd);
	SYS(mkfifo(at("fifo"), 0600));
	fd = open_file(at("fifo"), O_RDWR);
	CHECK(write(fd, "x", 1) == 1 && read(fd, &byte, 1) == 1 && byte == 'x',
	      "a fifo that does not pass on bytes");
	close(fd);
	SYS(unlink(at("null")));
	SYS(unlink(at("fifo")));
}

static void test_modes(void)
{
	struct stat st;
	int fd;

	touch(at("f"));
	SYS(chmod(at("f"), 04751));
	CHECK((stat_of(at("f")).st_mode & 07777) == 04751, "chmod");
	SYS(chown(at("f"), 1234, 70000));
	st = stat_of(at("f"));
	CHECK(st.st_uid == 1234 && st.st_gid == 70000, "chown");
	CHECK(!(st.st_mode & S_ISUID), "chown left the set-uid bit");
	SYS(chown(at("f"), -1, 5));
	CHECK(stat_of(at("f")).st_uid == 1234, "chown of the group only");
	SYS(mkdir(at("d"), 02755));
	SYS(chmod(at("d"), 02777));
	SYS(chown(at("d"), -1, 77));
	SYS(chmod(at("d"), 02777));
	touch(at("d/f"));
	SYS(mkdir(at("d/d"), 0755));
	CHECK(stat_of(at("d/f")).st_gid == 77, "group not taken from the directory");
	CHECK(stat_of(at("d/d")).st_mode & S_ISGID, "set-gid bit not inherited");
	fd = open_file(at("d/f"), O_WRONLY);
	SYS(fchmod(fd, 0600));
	CHECK((stat_of(at("d/f")).st_mode & 07777) == 0600, "fchmod");
	close(fd);
	SYS(unlink(at("f")));
	SYS(unlink(at("d/f")));
	SYS(rmdir(at("d/d")));
	SYS(rmdir(at("d")));
}

/* In a child with another user's rights: what root never notices. */
static int as_nobody(void)
{
	int fd;

	if (setgid(65534) || setuid(65534))
		return 1;
	if (open(at("secret"), O_RDONLY) >= 0 || errno != EACCES)
		return 2;
	if (open(at("closed/f"), O_RDONLY) >= 0 || errno != EACCES)
		return 3;
	if (!unlink(at("readable")) || errno != EACCES)
		return 4;
	if (!chmod(at("readable"), 0777) || errno != EPERM)
		return 5;
	if (!unlink(at("sticky/f")) || (errno != EPERM && errno != EACCES))
		return 6;
	fd = open(at("suid"), O_WRONLY);
	if (fd < 0 || write(fd, "x", 1) != 1)
		return 7;
	return 0;
}

static void test_permissions(void)
{
	int status;
	pid_t pid;

	touch(at("secret"));
	SYS(chmod(at("secret"), 0600));
	touch(at("readable"));
	SYS(mkdir(at("closed"), 0700));
	touch(at("closed/f"));
	SYS(mkdir(at("sticky"), 0777));
	SYS(chmod(at("sticky"), 01777));
	touch(at("sticky/f"));
	touch(at("suid"));
	SYS(chmod(at("suid"), 06777));
	SYS(chmod(prog.dir, 0755));
	pid = SYS(fork());
	if (!pid)
		_exit(as_nobody());
	SYS(waitpid(pid, &status, 0));
	CHECK(WIFEXITED(status) && !WEXITSTATUS(status), "check %d failed",
	      WEXITSTATUS(status));
	CHECK(!(stat_of(at("suid")).st_mode & 06000),
	      "a write by another user left mode %o", stat_of(at("suid")).st_mode);
	SYS(unlink(at("sticky/f")));
	SYS(unlink(at("closed/f")));
	SYS(rmdir(at("sticky")));
	SYS(rmdir(at("closed")));
	SYS(unlink(at("secret")));
	SYS(unlink(at("readable")));
	SYS(unlink(at("suid")));
}

static void set_and_expect(const char *path, int64_t sec, long nsec)
{
	struct timespec ts[2] = { { sec, nsec }, { sec + 1, 999999999 } };
	struct stat st;

	SYS(utimensat(AT_FDCWD, path, ts, 0));
	st = stat_of(path);
	CHECK(st.st_atim.tv_sec == sec && st.st_atim.tv_nsec == nsec &&
	      st.st_mtim.tv_sec == sec + 1 && st.st_mtim.tv_nsec == 999999999,
	      "time %jd.%09ld became %jd.%09ld", (intmax_t)sec, nsec,
	      (intmax_t)st.st_atim.tv_sec, st.st_atim.tv_nsec);
}

static bool later(struct timespec a, struct timespec b)
{
	return a.tv_sec > b.tv_sec || (a.tv_sec == b.tv_sec && a.tv_nsec > b.tv_nsec);
}

static void test_times(void)
{
	struct timespec omit[2] = { { 0, UTIME_OMIT }, { 77, 0 } };
	struct stat before, after;
	int fd;

	touch(at("f"));
	set_and_expect(at("f"), 0, 1);
	set_and_expect(at("f"), 1234567890, 123456789);
	if (*prog.mode == 0) {
		set_and_expect(at("f"), 5000000000, 5);	/* past 2038 and 2106 */
		set_and_expect(at("f"), -86400, 7);	/* before 1970 */
	}
	SYS(utimensat(AT_FDCWD, at("f"), omit, 0));
	CHECK(stat_of(at("f")).st_mtim.tv_sec == 77, "mtime not set");

	before = stat_of(at("f"));
	sleep_for(0.02);
	fd = open_file(at("f"), O_WRONLY);
	pwrite_all(fd, "x", 1, 0);
	close(fd);
	after = stat_of(at("f"));
	CHECK(later(after.st_mtim, before.st_mtim) &&
	      later(after.st_ctim, before.st_ctim), "a write left the times alone");
	before = stat_of(prog.dir);
	sleep_for(0.02);
	SYS(rename(at("f"), at("g")));
	CHECK(later(stat_of(prog.dir).st_mtim, before.st_mtim),
	      "a rename left the directory's time alone");
	SYS(unlink(at("g")));
}

/* Cookies: every name exactly once, whatever happens to the others. */
static void test_readdir(void)
{
	enum { N = 700 };
	static long cookies[N + 2];
	static char names[N + 2][256];
	bool seen[N] = { false };
	struct dirent *de;
	long n = 0, count = 0;
	DIR *d;

	for (int i = 0; i < N; i++)
		touch(at("name-%d", i));
	d = opendir(prog.dir);
	CHECK(d, "opendir: %m");
	for (;;) {
		long cookie = telldir(d);

		de = readdir(d);
		if (!de)
			break;
		CHECK(n < N + 2, "more names than there are");
		cookies[n] = cookie;
		snprintf(names[n++], sizeof(names[0]), "%s", de->d_name);
	}
	CHECK(n == N + 2, "%ld names instead of %d", n, N + 2);
	for (int i = 0; i < 300; i++) {
		long k = rnd() % n;

		seekdir(d, cookies[k]);
		de = readdir(d);
		CHECK(de && !strcmp(de->d_name, names[k]), "cookie %#lx: %s, before %s",
		      cookies[k], de ? de->d_name : "(end)", names[k]);
	}
	/* Remove half while reading, add others: the rest comes exactly once. */
	rewinddir(d);
	while ((de = readdir(d))) {
		int i = -1;

		if (sscanf(de->d_name, "name-%d", &i) != 1)
			continue;
		CHECK(i >= 0 && i < N && !seen[i], "%s came twice", de->d_name);
		seen[i] = true;
		SYS(unlink(at("name-%d", i)));
		if (count++ % 2)
			touch(at("new-%ld", count));
	}
	closedir(d);
	CHECK(count == N, "%ld of %d names came", count, N);
	d = opendir(prog.dir);
	while ((de = readdir(d)))
		if (de->d_name[0] == 'n')
			SYS(unlink(at("%s", de->d_name)));
	closedir(d);
}

static const struct {
	const char *name;
	void (*run)(void);
} tests[] = {
	{ "create", test_create },
	{ "bytes of names", test_bytes_of_names },
	{ "link", test_link },
	{ "symlink", test_symlink },
	{ "rename of files", test_rename_files },
	{ "rename of directories", test_rename_dirs },
	{ "rename with flags", test_rename_flags },
	{ "unlink and rmdir", test_remove },
	{ "deep directories", test_deep },
	{ "special files", test_special },
	{ "modes and owners", test_modes },
	{ "permissions", test_permissions },
	{ "times", test_times },
	{ "readdir", test_readdir },
};

/* -m bigdir ------------------------------------------------------------------ */

static double create_some(long from, long to)
{
	double begun = now();

	for (long i = from; i < to; i++)
		touch(at("entry-%ld", i));
	return (now() - begun) / (to - from);
}

static void list_big(long wanted)
{
	uint8_t *seen = calloc(1, wanted);
	struct dirent *de;
	long n = 0;
	DIR *d = opendir(prog.dir);

	CHECK(d, "opendir: %m");
	while ((errno = 0, de = readdir(d))) {
		long i;

		if (sscanf(de->d_name, "entry-%ld", &i) != 1)
			continue;
		CHECK(i >= 0 && i < wanted && !seen[i], "%s came twice or never was",
		      de->d_name);
		seen[i] = 1;
		n++;
	}
	CHECK(!errno && n == wanted, "%ld of %ld names (%m)", n, wanted);
	closedir(d);
	free(seen);
}

static int big_dir(void)
{
	const long tenth = prog.count / 10;
	double first, last = 0, begun;

	prog.step = "creating";
	first = create_some(0, tenth);
	for (long i = 1; i < 10; i++) {
		last = create_some(i * tenth, (i + 1) * tenth);
		/* Slower by the depth of a tree, not by the number of names. */
		CHECK(last < first * 5 + 0.001,
		      "a name took %.0f us at first, %.0f us after %ld names",
		      first * 1e6, last * 1e6, (i + 1) * tenth);
	}
	prog.step = "listing";
	begun = now();
	list_big(10 * tenth);
	prog.step = "looking up";
	for (int i = 0; i < 1000; i++)
		stat_of(at("entry-%ld", (long)(rnd() % (10 * tenth))));
	SYS_FAILS(access(at("entry-%ld", 10 * tenth), F_OK), ENOENT);
	report("first_us=%.1f last_us=%.1f", first * 1e6, last * 1e6);
	prog.step = "removing";
	for (long i = 0; i < 10 * tenth; i++)
		SYS(unlink(at("entry-%ld", i)));
	list_big(0);
	return prog_end("%ld names, %.0f then %.0f us each; the rest took %.1f s",
			10 * tenth, first * 1e6, last * 1e6, now() - begun);
}

int main(int argc, char **argv)
{
	prog.count = 100000;
	prog_init(argc, argv, "meta");
	if (!strcmp(prog.mode, "bigdir"))
		return big_dir();
	for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
		prog.step = tests[i].name;
		tests[i].run();
	}
	return prog_end("%zu groups", ARRAY_SIZE(tests));
}
