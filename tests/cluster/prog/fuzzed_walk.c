// SPDX-License-Identifier: GPL-2.0-only
/*
 * A walk through a filesystem that may be damaged.  Everything is bounded: directories
 * may contain each other, files may claim any size.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include "fuzzed_walk.h"
#include "prog.h"

#define DEPTH_MAX	8
#define NAMES_MAX	3000	/* of all directories */
#define SEEN		4096	/* inodes, by their number modulo this */
#define AGAIN_MAX	2	/* names per directory of inodes seen before */
#define ONE_IN		3	/* files that are read; an emulated guest has little time */
#define ALWAYS_READ	(1 << 20)	/* this size means a map with some levels */
#define PIECES_MAX	3	/* of a file's data that are read */
#define DIRS		6	/* that are changed */
#define FILES		10
#define PATH		600

static void (*tell)(const char *what);
static void (*count)(long ret);

/* What the changes are tried on: the first of each, and every eighth later */
static char dirs[DIRS][PATH], files[FILES][PATH];
static unsigned int nr_dirs, nr_files, nr_names;
static bool seen[SEEN];
static unsigned long salt;	/* so that it is not always the same files */

static void keep(char (*list)[PATH], unsigned int size, unsigned int *n, const char *path)
{
	unsigned int i = (*n)++;

	if (i < size)
		snprintf(list[i], PATH, "%s", path);
	else if (i % 8 == 0)
		snprintf(list[i / 8 % size], PATH, "%s", path);
}

/* Looking -------------------------------------------------------------------- */

static void load(int fd, off_t off)
{
	SHARED char *map = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
				off & -PAGE);

	count(map == MAP_FAILED ? -1 : 0);
	if (map == MAP_FAILED)
		return;
	count(faults(map, false) ? -1 : 0);
	count(faults(map + PAGE, false) ? -1 : 0);
	munmap((void *)map, 2 * PAGE);
}

static void read_at(int fd, off_t off)
{
	static char buf[4 * PAGE];

	count(pread(fd, buf, sizeof(buf), off));
}

static void read_file(const char *path, off_t size)
{
	int fd = open(path, O_RDWR | O_NONBLOCK | O_NOFOLLOW);
	off_t off = 0;

	count(fd);
	if (fd < 0)
		return;
	for (int i = 0; i < PIECES_MAX && (off = lseek(fd, off, SEEK_DATA)) >= 0; i++) {
		read_at(fd, off);
		off = lseek(fd, off, SEEK_HOLE);
		count(off);
		if (off < 0)
			break;
	}
	read_at(fd, 0);
	if (size > 0)
		read_at(fd, size - 1);
	load(fd, nr_files % 2 ? 0 : size / 2);
	close(fd);
}

static void look(int depth, const char *path);

static void look_at_name(int depth, const char *path)
{
	char target[PAGE];
	struct stat st;
	int ret = lstat(path, &st);

	count(ret);
	if (ret)
		return;
	if (S_ISDIR(st.st_mode)) {
		keep(dirs, DIRS, &nr_dirs, path);
		if (depth < DEPTH_MAX)
			look(depth + 1, path);
	} else if (S_ISREG(st.st_mode)) {
		keep(files, FILES, &nr_files, path);
		if (st.st_size >= ALWAYS_READ || (st.st_ino / 2 + salt) % ONE_IN == 0)
			read_file(path, st.st_size);
	} else if (S_ISLNK(st.st_mode)) {
		count(readlink(path, target, sizeof(target)));
	}
}

/* Is this a name to look up? */
static bool wanted(const struct dirent *de, unsigned int *again)
{
	if (!strcmp(de->d_name, ".") || !strcmp(de->d_name, ".."))
		return false;
	if (seen[de->d_ino % SEEN])
		return (*again)++ < AGAIN_MAX;
	seen[de->d_ino % SEEN] = true;
	return true;
}

static void look(int depth, const char *path)
{
	DIR *dir = opendir(path);
	unsigned int again = 0;
	struct dirent *de;
	char name[PATH];

	count(dir ? 0 : -1);
	if (!dir)
		return;
	errno = 0;
	for (; nr_names < NAMES_MAX && (de = readdir(dir)); nr_names++) {
		if (wanted(de, &again) &&
		    snprintf(name, PATH, "%s/%s", path, de->d_name) < PATH - 20)
			look_at_name(depth, name);
		errno = 0;
	}
	count(errno ? -1 : 0);
	closedir(dir);
}

/* Changing --------------------------------------------------------------------- */

static const char *below(const char *dir, const char *name)
{
	static char paths[4][PATH + 20];
	static unsigned int next;
	char *path = paths[next++ % ARRAY_SIZE(paths)];

	snprintf(path, sizeof(paths[0]), "%.*s/%s", PATH - 1, dir, name);
	return path;
}

static void write_file(int fd, off_t off)
{
	static const char bytes[3 * PAGE] = "x";

	count(pwrite(fd, bytes, sizeof(bytes), off));
}

static void store(int fd)
{
	char *map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	count(map == MAP_FAILED ? -1 : 0);
	if (map == MAP_FAILED)
		return;
	count(faults(map, true) ? -1 : 0);
	count(msync(map, PAGE, MS_SYNC));
	munmap(map, PAGE);
}

static void change_file(const char *path)
{
	int fd = open(path, O_RDWR | O_NONBLOCK | O_NOFOLLOW);
	struct stat st = { };

	count(fd);
	if (fd < 0)
		return;
	count(fstat(fd, &st));
	write_file(fd, 100);
	write_file(fd, st.st_size);
	write_file(fd, st.st_size + 100 * PAGE);
	store(fd);
	count(fsync(fd));
	count(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, PAGE, 5 * PAGE + 1));
	count(fallocate(fd, FALLOC_FL_ZERO_RANGE, 20 * PAGE, 2 * PAGE));
	count(fallocate(fd, 0, 50 * PAGE, 3 * PAGE));
	count(ftruncate(fd, st.st_size / 2));
	count(fchmod(fd, 0600));
	count(fsync(fd));
	close(fd);
}

static void add_names(const char *dir)
{
	int fd = open(below(dir, "new"), O_RDWR | O_CREAT | O_EXCL, 0644);

	count(fd);
	if (fd >= 0) {
		write_file(fd, 0);
		count(fsync(fd));
		close(fd);
	}
	count(mkdir(below(dir, "newdir"), 0755));
	count(symlink("new", below(dir, "newlink")));
	count(link(below(dir, "new"), below(dir, "newname")));
	count(mkfifo(below(dir, "newfifo"), 0600));
	count(rename(below(dir, "new"), below(dir, "newdir/moved")));
}

static void remove_names(const char *dir)
{
	count(rmdir(below(dir, "newdir")));	/* it is not empty */
	count(unlink(below(dir, "newdir/moved")));
	count(rmdir(below(dir, "newdir")));
	count(unlink(below(dir, "newlink")));
	count(unlink(below(dir, "newfifo")));
}

/* Away with what was found: odd ones are renamed before, some are open until later. */
static void lose_files(const char *top)
{
	unsigned int n = nr_files < FILES ? nr_files : FILES;
	int open_one = n ? open(files[0], O_RDWR | O_NONBLOCK) : -1;

	for (unsigned int i = 0; i < n; i++) {
		const char *path = files[i];

		if (i % 2) {
			path = below(top, "renamed");
			count(rename(files[i], path));
		}
		if (i % 4 == 3)
			count(truncate(path, 1));
		count(unlink(path));
	}
	if (open_one >= 0) {
		write_file(open_one, 0);
		close(open_one);
	}
}

static void change(const char *top)
{
	unsigned int n = nr_dirs < DIRS ? nr_dirs : DIRS;
	unsigned int i;

	tell("adding names");
	add_names(top);
	for (i = 0; i < n; i++)
		add_names(dirs[i]);
	tell("changing files");
	for (i = 0; i < nr_files && i < FILES; i++)
		change_file(files[i]);
	tell("removing names");
	lose_files(top);
	for (i = 0; i < n; i += 2)
		remove_names(dirs[i]);
	for (i = 0; i + 1 < n; i++)
		count(rename(dirs[i], below(dirs[i + 1], "moved-here")));
	for (i = 0; i < n; i++)
		count(rmdir(dirs[i]));
}

void walk(const char *dir, unsigned long choice, void (*step)(const char *what),
	  void (*result)(long ret))
{
	struct statvfs st;
	int fd;

	salt = choice;
	tell = step;
	count = result;
	tell("looking");
	look(0, dir);
	change(dir);
	tell("sync");
	fd = open(dir, O_RDONLY | O_DIRECTORY);
	count(fd);
	if (fd >= 0) {
		count(syncfs(fd));
		close(fd);
	}
	count(statvfs(dir, &st));
}
